"""ONNX's counterparts of operations that change shapes: slices, orders of axes, padding, joining."""

from __future__ import annotations

from typing import Any

import numpy as np

from nn.portable.calls import RefusedError
from nn.portable.file import File, Operator, expanded, numbers, reshaped

END = 2**31  # past the end of every axis


def reshape(file: File, node: Any) -> str:
    """Another shape of the same numbers."""
    return reshaped(file, file.name(node.operands[0], node), file.shape(node), node)


def flattened(file: File, node: Any) -> str:
    """All elements in one axis."""
    return file.emit("Reshape", file.name(node.operands[0], node), numbers(file, -1))


def gather(file: File, node: Any) -> str:
    """Slices, single indices, rows of constant numbers and new axes."""
    operand, index = node.operands[0], node.parameters["index"]
    if getattr(operand, "operation", None) == "recurrence":
        return _of_recurrence(file, node, index)
    x, axis = file.name(operand, node), 0
    dropped: list[int] = []
    added: list[int] = []
    for part in _spelled(index, operand.ndim):
        if part is None:
            added.append(axis - len(dropped) + len(added))
            continue
        number = isinstance(part, int | np.integer)
        if isinstance(part, np.ndarray) and part.dtype.kind in "iu" and part.ndim == 1 and not (dropped or added):
            if sum(isinstance(other, np.ndarray) for other in _spelled(index, operand.ndim)) > 1:
                raise RefusedError("it is indexed by several arrays; only an index of one array has a counterpart")
            x = file.emit("Gather", x, file.constant(part.astype(np.int64)), axis=axis)
            axis += 1
            continue
        if not (number or isinstance(part, slice)) or (isinstance(part, slice) and (part.step or 1) < 1):
            raise RefusedError(f"it takes the index {part!r:.40}; slices forward, integers and None have a counterpart")
        if number or part != slice(None):
            start = int(part) if number else part.start or 0
            stop = (start + 1 or END) if number else END if part.stop is None else part.stop
            bounds = (start, stop, axis, 1 if number else part.step or 1)
            x = file.emit("Slice", x, *(numbers(file, bound) for bound in bounds))
        if number:
            dropped.append(axis)
        axis += 1
    x = file.emit("Squeeze", x, numbers(file, *dropped)) if dropped else x
    return file.emit("Unsqueeze", x, numbers(file, *added)) if added else x


def _spelled(index: Any, ndim: int) -> list[Any]:
    """An index part by part, without an ellipsis."""
    parts = list(index) if isinstance(index, tuple) else [index]
    places = [k for k, part in enumerate(parts) if part is Ellipsis]
    if places:
        missing = ndim - sum(part is not None and part is not Ellipsis for part in parts)
        parts[places[0] : places[0] + 1] = [slice(None)] * missing
    return parts


def _of_recurrence(file: File, node: Any, index: Any) -> str:
    """A part of a recurrence's states: h after every step, or the last h or c."""
    name, states = file.name(node.operands[0], node), node.operands[0].shape[0]
    if index == (0, slice(1, None, None)):
        return file.emit("Squeeze", name, numbers(file, 1))
    if isinstance(index, tuple) and len(index) == 2 and index[1] == -1 and index[0] in range(states):
        return file.emit("Squeeze", f"{name}.{index[0] + 1}", numbers(file, 0))
    raise RefusedError("only the states h after every step, and the last, have a counterpart")


def transposed(file: File, node: Any) -> str:
    """Other orders of the axes."""
    x, axes = node.operands[0], node.parameters.get("axes")
    order = range(x.ndim)[::-1] if axes is None else [axis % x.ndim for axis in axes]
    return file.emit("Transpose", file.name(x, node), perm=list(order))


def swapped(file: File, node: Any) -> str:
    """Two axes, exchanged."""
    x, order = node.operands[0], list(range(node.ndim))
    a, b = (node.parameters[name] % node.ndim for name in ("axis1", "axis2"))
    order[a], order[b] = b, a
    return file.emit("Transpose", file.name(x, node), perm=order)


def moved(file: File, node: Any) -> str:
    """Axes moved to other places."""
    order = np.moveaxis(np.empty(range(1, node.ndim + 1)), node.parameters["source"], node.parameters["destination"])
    return file.emit("Transpose", file.name(node.operands[0], node), perm=[n - 1 for n in order.shape])


def flipped(file: File, node: Any) -> str:
    """Axes in reverse order."""
    x, axis = node.operands[0], node.parameters.get("axis")
    axes = range(x.ndim) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    return backwards(file, file.name(x, node), *axes)


def backwards(file: File, name: str, *axes: int) -> str:
    """The array of this name, with these axes in reverse order."""
    steps = [-1] * len(axes)
    bounds = ([-1] * len(axes), [-END] * len(axes), axes, steps)
    return file.emit("Slice", name, *(numbers(file, *bound) for bound in bounds))


def concatenated(file: File, node: Any) -> str:
    """Arrays joined along an axis."""
    axis = node.parameters.get("axis", 0)
    return file.emit("Concat", *_whole(file, node), axis=axis)


def stacked(file: File, node: Any) -> str:
    """Arrays of one shape, joined along a new axis."""
    axis = node.parameters.get("axis", 0) % node.ndim
    return file.emit("Concat", *(file.emit("Unsqueeze", n, numbers(file, axis)) for n in _whole(file, node)), axis=axis)


def _whole(file: File, node: Any) -> list[str]:
    partner = next(file.name(v, node) for v in node.operands if file.depends(v))
    return [expanded(file, v, node, partner) for v in node.operands]


def broadcast(file: File, node: Any) -> str:
    """An array repeated along axes of length 1 and new axes, which cannot be the batch."""
    x, shape = node.operands[0], file.shape(node)
    given = [1] * (node.ndim - x.ndim) + file.shape(x)
    if any(n == -1 and m != -1 for n, m in zip(shape, given, strict=True)):
        raise RefusedError("it is repeated along the batch")
    return file.emit("Expand", file.name(x, node), numbers(file, *(1 if n == -1 else n for n in shape)))


def padded(file: File, node: Any) -> str:
    """A border of one number."""
    widths, value = node.parameters["widths"], file.name(node.parameters.get("constants", 0.0), node)
    pads = numbers(file, *(low for low, _ in widths), *(high for _, high in widths))
    return file.emit("Pad", file.name(node.operands[0], node), pads, value)


def axes_changed(kind: str) -> Operator:
    """Axes of length 1, inserted or removed."""

    def written(file: File, node: Any) -> str:
        x, axis = node.operands[0], node.parameters.get("axis")
        if axis is None:
            axis = tuple(k for k, n in enumerate(x.shape) if n == 1)
        ndim = max(x.ndim, node.ndim)
        axes = (k % ndim for k in (axis if isinstance(axis, tuple | list) else (axis,)))
        return file.emit(kind, file.name(x, node), numbers(file, *axes))

    return written


SHAPING: dict[str, Operator] = {
    "reshape": reshape, "ravel": flattened, "gather": gather, "transpose": transposed, "swapaxes": swapped,
    "moveaxis": moved, "flip": flipped, "concatenate": concatenated, "stack": stacked, "broadcast_to": broadcast,
    "padding": padded, "expand_dims": axes_changed("Unsqueeze"), "squeeze": axes_changed("Squeeze"),
}  # fmt: skip
