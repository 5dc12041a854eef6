"""Convolution of signals, images and volumes, by columns and a matrix product (Chellapilla, Puri & Simard 2006).

A convolution is linear in the image and in the weight. Its two adjoints and itself are each other's adjoints,

    convolution(x, w)   spread(g, w) = its adjoint by x   correlation(g, x) = its adjoint by w,

three primitives, so that derivatives of every order use the same three kernels. The columns are made again for the
adjoint by the weight. This takes a tenth to a third of the time of the matrix product; stored columns would need as
much memory as the image times the number of kernel elements. They are made for a few rows of the result at a time,
which fit into the processor's cache.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

import autodiff as ad
from nn.checked import array, whole
from nn.functional.windows import (
    AXES,
    Array,
    Sizes,
    Windows,
    batch_first,
    batch_last,
    inside,
    misshapen,
    sliding,
    with_border,
)

PIECE = 2**19  # bytes of columns at a time; measured: half a core's second cache
WIDE_PIECE = 2**21  # the same, for columns that are added to the image instead of filled from it


def conv1d(
    x: Any,
    weight: Any,
    bias: Any = None,
    stride: int | Sizes = 1,
    padding: int | Sizes | str = 0,
    dilation: int | Sizes = 1,
    groups: int = 1,
) -> Any:
    """conv2d of signals, of shape (batch, in, length), with a weight of shape (out, in / groups, kernel length).

    >>> F.conv1d(np.array([[[1.0, 2.0, 4.0]]]), np.array([[[-1.0, 1.0]]]))
    array([[[1., 2.]]])
    """
    return _convolved("conv1d", x, weight, bias, stride, padding, dilation, groups)


def conv2d(
    x: Any,
    weight: Any,
    bias: Any = None,
    stride: int | Sizes = 1,
    padding: int | Sizes | str = 0,
    dilation: int | Sizes = 1,
    groups: int = 1,
) -> Any:
    """The convolution of images with a weight (a cross-correlation, as usual in networks), in the weight's dtype.

    Parameters
    ----------
    x : images, of shape (batch, in, height, width), or one of shape (in, height, width)
    weight : of shape (out, in / groups, kernel height, kernel width), as PyTorch keeps it
    bias : of shape (out,), or None for no bias
    stride : the step from one window to the next: an int, or a pair (vertical, horizontal), as the next two
    padding : the number of zeros added at each side; "valid" for none, "same" for the number that keeps the size (with
        stride 1; if the number is odd, one more is added at the bottom and right)
    dilation : the distance of a kernel's elements in the image
    groups : the number of groups that the channels are divided into; each output sees one group

    The result has the shape (batch, out, rows, columns) with rows = floor((height + 2 padding - dilation (kernel
    height - 1) - 1) / stride) + 1. Raises ValueError for shapes that do not fit together and for a kernel larger than
    the image, TypeError for a weight that is not floating-point or x that is not real.

    >>> images = np.ones((1, 1, 3, 3))
    >>> F.conv2d(images, np.ones((1, 1, 2, 2)))
    array([[[[4., 4.],
             [4., 4.]]]])
    >>> F.conv2d(np.zeros((8, 3, 32, 32)), np.zeros((16, 3, 5, 5)), padding="same").shape
    (8, 16, 32, 32)
    """
    return _convolved("conv2d", x, weight, bias, stride, padding, dilation, groups)


def conv3d(
    x: Any,
    weight: Any,
    bias: Any = None,
    stride: int | Sizes = 1,
    padding: int | Sizes | str = 0,
    dilation: int | Sizes = 1,
    groups: int = 1,
) -> Any:
    """conv2d of volumes, of shape (batch, in, depth, height, width), with a weight of one axis more.

    >>> F.conv3d(np.zeros((1, 2, 8, 8, 8)), np.zeros((4, 2, 3, 3, 3))).shape
    (1, 4, 6, 6, 6)
    """
    return _convolved("conv3d", x, weight, bias, stride, padding, dilation, groups)


def _convolved(name: str, x: Any, weight: Any, bias: Any, stride: Any, padding: Any, dilation: Any, groups: int) -> Any:
    axes = int(name[-2])
    x, weight, bias = arrays(name, x, weight, bias)
    groups = whole(groups, f"{name}'s groups")
    _check_channels(name, axes, x, weight, bias, groups)
    windows = sliding(name, weight.shape[2:], stride, padding, dilation).fitting(x.shape[-axes:], name)
    batch = x if x.ndim == axes + 2 else x[None]
    given = (batch, weight) if bias is None else (batch, weight, bias)
    y = convolution(*given, windows=windows, groups=groups)
    return y if x.ndim == axes + 2 else y[0]


@ad.primitive
def convolution(x: Any, weight: Any, bias: Any = None, *, windows: Windows, groups: int) -> Any:
    """The convolution over given windows, in any number of dimensions."""
    images = with_border(x, windows, weight.dtype)
    counts = windows.counts(x.shape[2:])
    matrix = _matrices(weight, groups)
    y = np.empty_like(weight, weight.dtype, "C", shape=(len(weight), *counts, len(x)))
    offset = None if bias is None else bias.astype(weight.dtype, copy=False).reshape(groups, -1, 1)
    for rows, columns in _columns(images, windows, counts, groups):
        part = _part(y, rows, groups)
        np.matmul(matrix, columns, out=part)
        if offset is not None:
            part += offset
    return batch_first(y)


@ad.primitive
def spread(g: Any, weight: Any, *, size: Sizes, windows: Windows, groups: int) -> Any:
    """The adjoint of `convolution` by images of this size: each output's share is added to its window."""
    planes = batch_last(g, weight.dtype)
    matrix = _matrices(weight, groups).swapaxes(1, 2)
    channels, counts, batch = weight.shape[1] * groups, g.shape[2:], len(g)
    if windows.plain:
        flat = np.matmul(matrix, _part(planes, range(counts[0]), groups))
        return batch_first(flat.reshape(channels, *counts, batch))
    images = np.zeros_like(weight, weight.dtype, "C", shape=(channels, *windows.bordered(size), batch))
    # For a column times a row, the broadcast product takes half the time of a matrix product.
    product = np.multiply if matrix.shape[2] == 1 else np.matmul
    for rows, columns in _columns(images, windows, counts, groups, fill=False):
        product(matrix, _part(planes, rows, groups), out=columns)
        shares = columns.reshape(channels, windows.size, len(rows), *counts[1:], batch)
        for k, view in enumerate(windows.views(images, rows, counts[1:])):
            view += shares[:, k]
    return batch_first(inside(images, windows, size))


@ad.primitive
def correlation(g: Any, x: Any, *, windows: Windows, groups: int) -> Any:
    """The adjoint of `convolution` by the weight: sums of pixels of the windows times adjoints of the outputs."""
    images, planes = with_border(x, windows, g.dtype), batch_last(g, g.dtype)
    out, inputs = len(planes), x.shape[1] // groups
    total = np.zeros_like(g, g.dtype, "C", shape=(groups, inputs * windows.size, out // groups))
    for rows, columns in _columns(images, windows, g.shape[2:], groups):
        total += np.matmul(columns, _part(planes, rows, groups).swapaxes(1, 2))
    return total.swapaxes(1, 2).astype(total.dtype, order="C", copy=False).reshape(out, inputs, *windows.kernel)


ad.lowered(convolution)
ad.lowered(spread)
ad.lowered(correlation)
ad.adjoint(
    convolution,
    lambda g, y, x, weight, bias=None, **options: spread(g, weight, size=x.shape[2:], **options),
    lambda g, y, x, weight, bias=None, **options: correlation(g, x, **options),
    lambda g, y, x, weight, bias=None, **options: np.sum(g, axis=(0, *range(2, g.ndim))),
)
ad.written(
    convolution,
    lambda x, weight, bias=None: f"conv{np.ndim(weight) - 2}d(a, b{'' if bias is None else ', c'})",
    pullbacks=("conv_transpose(g, b)", "correlation(g, a)", "sum g"),
)
ad.written(spread, lambda g, weight: f"conv_transpose{np.ndim(weight) - 2}d(a, b)")
ad.adjoint(
    spread,
    lambda h, y, g, weight, size=None, **options: convolution(h, weight, **options),
    lambda h, y, g, weight, size=None, **options: correlation(g, h, **options),
)
ad.adjoint(
    correlation,
    lambda h, y, g, x, **options: convolution(x, h, **options),
    lambda h, y, g, x, **options: spread(g, h, size=x.shape[2:], **options),
)


def _matrices(weight: Array, groups: int) -> Array:
    """The weight as a matrix per group, (groups, out / groups, inputs times kernel)."""
    return weight.reshape(groups, len(weight) // groups, math.prod(weight.shape[1:]))


def _part(planes: Array, rows: range, groups: int) -> Array:
    """Some rows of (out, *counts, batch) as (groups, out / groups, positions): a view."""
    out, _, *others = planes.shape
    return planes[:, rows.start : rows.stop].reshape(groups, out // groups, len(rows) * math.prod(others))


def _columns(
    images: Array, windows: Windows, counts: Sizes, groups: int, fill: bool = True
) -> Iterator[tuple[range, Array]]:
    """A few rows of windows at a time: the rows, and their columns, (groups, inputs times kernel, positions).

    All pieces share one buffer: use a piece before the next one is made. With fill=False it is not filled.
    """
    channels, batch = images.shape[0], images.shape[-1]
    line = math.prod(counts[1:]) * batch  # the columns of one element of the kernel, for one row of windows
    if windows.plain:
        yield range(counts[0]), images.reshape(groups, channels // groups, counts[0] * line)
        return
    row = channels * windows.size * line
    most = max(1, min(counts[0], (PIECE if fill else WIDE_PIECE) // max(1, row * images.itemsize)))
    most = most if isinstance(images, np.ndarray) else counts[0]  # a GPU has many cores, and no such cache
    held = np.empty_like(images, images.dtype, "C", shape=most * row)
    for first in range(0, counts[0], most):
        rows = range(first, min(first + most, counts[0]))
        piece = held[: len(rows) * row]
        if fill:
            shaped = piece.reshape(channels, windows.size, len(rows), *counts[1:], batch)
            for k, view in enumerate(windows.views(images, rows, counts[1:])):
                shaped[:, k] = view
        yield rows, piece.reshape(groups, channels // groups * windows.size, len(rows) * line)


def arrays(name: str, x: Any, weight: Any, bias: Any) -> tuple[Any, Any, Any]:
    """The three as Tensors or arrays of real numbers; the weight is floating-point."""
    x, weight, bias = array(x), array(weight), None if bias is None else array(bias)
    if weight.dtype.kind != "f":
        raise TypeError(
            f"{name} computes in the dtype of the weight, which must be float32 or float64; received {weight.dtype}. "
            "Convert it with weight.astype(np.float32)."
        )
    if x.dtype.kind not in "fiub" or (bias is not None and bias.dtype.kind not in "fiub"):
        what = f"x of dtype {x.dtype}" + ("" if bias is None else f" and bias of dtype {bias.dtype}")
        raise TypeError(f"{name} takes real numbers; received {what}. Pass two channels for complex ones.")
    return x, weight, bias


def _check_channels(name: str, axes: int, x: Any, weight: Any, bias: Any, groups: int) -> None:
    if weight.ndim != axes + 2 or min(weight.shape) < 1:
        kernel = ", ".join(f"kernel {length}" for length in AXES[axes])
        raise ValueError(
            f"{name} takes a weight of shape (out, in / groups, {kernel}), each at least 1; received "
            f"a weight of shape {weight.shape}."
        )
    out, inputs = len(weight), weight.shape[1] * groups
    if out % groups or (bias is not None and bias.shape != (out,)):
        raise ValueError(
            f"{name}'s weight of shape {weight.shape} has {out} outputs, which {groups} group(s) are to share evenly, "
            f"and a bias of shape ({out},); received groups={groups}"
            + ("." if bias is None else f" and a bias of shape {bias.shape}.")
        )
    if x.ndim not in (axes + 1, axes + 2) or x.shape[-axes - 1] != inputs:
        raise misshapen(name, x.shape, axes, inputs)
