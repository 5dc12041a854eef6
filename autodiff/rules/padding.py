"""The definition of np.pad, one axis after the other as NumPy does it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from autodiff.engine.devices import beside
from autodiff.engine.graph import Node
from autodiff.engine.table import adjoint, composed, primitive
from autodiff.engine.values import Value
from autodiff.rules import arguments
from autodiff.rules.arguments import along
from autodiff.rules.shaping import cast, concatenate

STATISTICS: dict[str, Callable[..., Value]] = {
    "mean": np.mean,
    "maximum": np.max,
    "minimum": np.min,
    "median": np.median,
}


@primitive
def padding(x: Value, widths: tuple[tuple[int, int], ...], constants: ArrayLike = 0) -> Value:
    """np.pad with constants."""
    return np.pad(x, widths, constant_values=constants)


def unpadded(g: Value, y: Value, x: Value, widths: tuple[tuple[int, int], ...], constants: ArrayLike = 0) -> Value:
    """The part of g inside the padding."""
    return g[tuple(slice(before, before + n) for (before, _), n in zip(widths, x.shape, strict=True))]


adjoint(padding, unpadded)


@composed(np.pad)
def pad(
    array: Value,
    pad_width: Any,
    mode: str = "constant",
    *,
    constant_values: Any = 0,
    end_values: Any = 0,
    stat_length: Any = None,
    reflect_type: str = "even",
) -> Value:
    """np.pad in every mode except 'empty' and functions, which write into the array."""
    x = array
    widths = both_sides(pad_width, x.ndim)
    wider, constant = any(map(any, widths)), numbers(constant_values)
    if wider and mode == "constant" and not isinstance(constant, Node):
        return padding(x, widths=widths, constants=constant.tolist())
    values, ends, lengths = (
        np.broadcast_to(given, (x.ndim, 2)) for given in (constant, numbers(end_values), stat_length)
    )
    if not wider:
        return np.copy(x)
    for axis, width in enumerate(widths):
        if mode in ("edge", "wrap", "symmetric", "reflect") and reflect_type == "even":
            places = np.pad(np.arange(x.shape[axis]), width, mode=mode)  # type: ignore[call-overload]  # one of the modes NumPy knows
            x = x[along(axis, x.ndim, beside(places, x))]
        elif mode in ("symmetric", "reflect"):
            x = mirrored(x, axis, width, mode)
        elif mode == "constant":
            x = between(x, axis, width, (cast(value, x.dtype) for value in values[axis]))
        elif mode == "linear_ramp":
            x = ramped(x, axis, width, ends[axis])
        elif mode in STATISTICS:
            x = summarised(x, axis, width, STATISTICS[mode], lengths[axis])
        else:
            raise ValueError(
                f"np.pad of a Tensor was asked for mode {mode!r}; it takes 'constant', 'edge', 'wrap', 'reflect', "
                "'symmetric', 'linear_ramp', 'mean', 'maximum', 'minimum' and 'median'."
            )
    return x


def numbers(values: object) -> Any:
    """Nested lists of numbers as an array; as a node if they contain one."""
    return np.stack([numbers(v) for v in values]) if isinstance(values, list | tuple) else arguments.array(values)


def both_sides(pad_width: Any, ndim: int) -> tuple[tuple[int, int], ...]:
    """The widths before and after each axis, from any form that np.pad accepts."""
    if isinstance(pad_width, dict):
        given: list[Any] = [pad_width.get(k, pad_width.get(k - ndim, 0)) for k in range(ndim)]
        pad_width = [(w, w) if np.ndim(w) == 0 else w for w in given]
    widths = np.broadcast_to(pad_width, (ndim, 2))
    if widths.dtype.kind not in "iu" or np.any(widths < 0):
        raise ValueError(f"np.pad takes widths that are integers, 0 or more; received {pad_width!r}")
    return tuple((int(before), int(after)) for before, after in widths)


def mirrored(x: Any, axis: int, width: tuple[int, int], mode: str) -> Value:
    """Padding that continues the slope (reflect_type='odd'), by the matrix that np.pad gives for the identity."""
    matrix = np.pad(np.eye(x.shape[axis], dtype=x.dtype), (width, (0, 0)), mode=mode, reflect_type="odd")  # type: ignore[call-overload]  # one of the modes NumPy knows
    return np.moveaxis(np.matmul(np.moveaxis(x, axis, -1), beside(matrix.T, x)), -1, axis)


def ramped(x: Value, axis: int, width: tuple[int, int], ends: Any) -> Value:
    """Padding in equal steps from the edge to an end value."""
    before, after = (np.arange(n).reshape([-1] + [1] * (x.ndim - 1 - axis)) / max(n, 1) for n in width)
    before, after = beside((before.astype(x.dtype), np.flip(after, 0).astype(x.dtype)), x)
    first, last = x[along(axis, x.ndim, slice(0, 1))], x[along(axis, x.ndim, slice(-1, None))]
    left, right = (cast(numbers(end), x.dtype) for end in ends)
    return concatenate(left + (first - left) * before, x, right + (last - right) * after, axis=axis)


def summarised(x: Value, axis: int, width: tuple[int, int], statistic: Callable[..., Value], lengths: Any) -> Value:
    """Padding with the mean, median or extreme of the `lengths` elements nearest to each end, or of all."""
    n = x.shape[axis]
    longest = [n if length is None else min(int(length), n) for length in lengths]
    edges = slice(0, longest[0]), slice(n - longest[1], None)
    sides = (statistic(x[along(axis, x.ndim, edge)], axis=axis, keepdims=True) for edge in edges)
    return between(x, axis, width, sides)


def between(x: Value, axis: int, width: tuple[int, int], sides: Iterable[Any]) -> Value:
    """The array between repetitions of one slice before it and another after it."""
    shapes = ((*x.shape[:axis], w, *x.shape[axis + 1 :]) for w in width)
    left, right = (np.broadcast_to(side, shape) for side, shape in zip(sides, shapes, strict=True))
    return concatenate(left, x, right, axis=axis)
