"""ONNX's counterparts of operations on images: convolution, pooling, unfold and fold, resizing."""

from __future__ import annotations

from typing import Any

import numpy as np

from nn.portable.calls import RefusedError
from nn.portable.file import File, Operator, reshaped


def _window(windows: Any, dilated: bool = False) -> dict[str, Any]:
    pads = [low for low, _ in windows.padding] + [high for _, high in windows.padding]
    found: dict[str, Any] = {"kernel_shape": list(windows.kernel), "strides": list(windows.stride), "pads": pads}
    return found | {"dilations": list(windows.dilation)} if dilated else found


def convolution(kind: str) -> Operator:
    """Convolution or transposed convolution, grouped too."""

    def written(file: File, node: Any) -> str:
        names = [file.name(operand, node) for operand in node.operands if operand is not None]
        window = _window(node.parameters["windows"], dilated=True)
        return file.emit(kind, *names, **window, group=node.parameters.get("groups", 1))

    return written


def max_pooling(file: File, node: Any) -> str:
    """The maximum of each window."""
    return file.emit("MaxPool", file.name(node.operands[0], node), **_window(node.parameters["windows"], dilated=True))


def average_pooling(file: File, node: Any) -> str:
    """The mean of each window, with or without the padding."""
    windows, counted = node.parameters["windows"], node.parameters["counted"]
    if isinstance(counted, int):
        raise RefusedError("it divides by a number of its own (divisor_override)")
    padding, counted = tuple(map(tuple, windows.padding)), tuple(map(tuple, counted))
    if counted != padding and any(map(any, counted)):
        raise RefusedError("it counts a part of its padding, which AveragePool cannot")
    included = int(counted == padding)
    return file.emit("AveragePool", file.name(node.operands[0], node), **_window(windows), count_include_pad=included)


def columns(file: File, node: Any) -> str:
    """The windows of images as columns: a convolution whose kernels take one element each."""
    x, windows = node.operands[0], node.parameters["windows"]
    picked = _picking(file, x.shape[1], windows, node)
    y = file.emit("Conv", file.name(x, node), picked, **_window(windows, dilated=True), group=x.shape[1])
    return reshaped(file, y, file.shape(node), node)


def laid_back(file: File, node: Any) -> str:
    """Columns added to images: the transposed convolution with the same kernels."""
    x, windows, size = node.operands[0], node.parameters["windows"], node.parameters["size"]
    apart = [*file.shape(x)[:2], *windows.counts(size)]
    images = reshaped(file, file.name(x, node), apart, node)
    more = [
        n - ((count - 1) * step + extent - sum(border))
        for n, count, step, extent, border in zip(
            size, windows.counts(size), windows.stride, windows.extent, windows.padding, strict=True
        )
    ]
    picked = _picking(file, node.shape[1], windows, node)
    attributes = _window(windows, dilated=True) | {"output_padding": more}
    return file.emit("ConvTranspose", images, picked, **attributes, group=node.shape[1])


def _picking(file: File, channels: int, windows: Any, node: Any) -> str:
    kernels = np.eye(windows.size).reshape(windows.size, 1, *windows.kernel)
    return file.name(np.tile(kernels, (channels, *(1,) * (kernels.ndim - 1))), node)


def resampled(file: File, node: Any) -> str:
    """A resized axis: its elements are selected, or multiplied by a matrix of weights."""
    x, (axis, places, weights) = node.operands[0], (node.parameters[k] for k in ("axis", "places", "weights"))
    name = file.name(x, node)
    if len(places) == 1:
        return file.emit("Gather", name, file.constant(places[0].astype(np.int64)), axis=axis)
    matrix = np.zeros((x.shape[axis], places.shape[1]))
    np.add.at(matrix, (places, np.arange(places.shape[1])), weights)
    order = list(range(x.ndim))
    order[axis], order[-1] = order[-1], order[axis]
    y = file.emit("MatMul", file.emit("Transpose", name, perm=order), file.name(matrix, node))
    return file.emit("Transpose", y, perm=order)


WINDOWED: dict[str, Operator] = {
    "convolution": convolution("Conv"), "spread": convolution("ConvTranspose"), "max_pooling": max_pooling,
    "average_pooling": average_pooling, "unfolded": columns, "folded": laid_back, "resampled": resampled,
}  # fmt: skip
