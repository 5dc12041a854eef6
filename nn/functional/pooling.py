"""Pooling: each window of a signal, an image or a volume becomes one number, its maximum or its mean."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

import autodiff as ad
from nn.checked import array, whole
from nn.functional.windows import (
    Array,
    Borders,
    Sizes,
    Windows,
    batch_first,
    batch_last,
    both_sides,
    inside,
    misshapen,
    resting,
    sizes,
    with_border,
)


def max_pool2d(
    x: Any,
    kernel_size: int | Sizes,
    stride: int | Sizes | None = None,
    padding: int | Sizes = 0,
    dilation: int | Sizes = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The maximum of each window of each channel.

    The derivative goes to the maximum; if several elements are equal, to the first in reading order.

    Parameters
    ----------
    x : images, of shape (batch, channels, height, width), or one of shape (channels, height, width)
    kernel_size : height and width of a window: an int, or a pair (vertical, horizontal), as the next three
    stride : the step from one window to the next, by default the kernel's size, so that windows do not overlap
    padding : how far windows reach beyond each side, at most half the kernel's size; places there are ignored
    dilation : the distance of a window's elements in the image
    ceil_mode : whether to add a last row and column of windows that reach beyond the bottom and right
    return_indices : whether to give (result, indices): the places of the maxima in each channel's image, numbered row
        after row

    The result has the shape (batch, channels, rows, columns), rows = floor((height + 2 padding - dilation (kernel
    height - 1) - 1) / stride) + 1, or rounded up with ceil_mode. Integers become float64. Raises ValueError for images
    of another shape or smaller than a window, TypeError for numbers that are not real.

    >>> F.max_pool2d(np.arange(16.0).reshape(1, 1, 4, 4), 2)
    array([[[[ 5.,  7.],
             [13., 15.]]]])
    """
    return _highest("max_pool2d", x, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


def max_pool1d(
    x: Any,
    kernel_size: int | Sizes,
    stride: int | Sizes | None = None,
    padding: int | Sizes = 0,
    dilation: int | Sizes = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """max_pool2d of signals, of shape (batch, channels, length).

    >>> F.max_pool1d(np.array([[[1.0, 3.0, 2.0, 0.0]]]), 2)
    array([[[3., 2.]]])
    """
    return _highest("max_pool1d", x, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


def max_pool3d(
    x: Any,
    kernel_size: int | Sizes,
    stride: int | Sizes | None = None,
    padding: int | Sizes = 0,
    dilation: int | Sizes = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """max_pool2d of volumes, of shape (batch, channels, depth, height, width).

    >>> F.max_pool3d(np.ones((1, 2, 4, 4, 4)), 2).shape
    (1, 2, 2, 2, 2)
    """
    return _highest("max_pool3d", x, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


def avg_pool2d(
    x: Any,
    kernel_size: int | Sizes,
    stride: int | Sizes | None = None,
    padding: int | Sizes = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Any:
    """The mean of each window of each channel.

    `count_include_pad` says whether the zeros of the padding count as elements of a window; places beyond the padding
    (with ceil_mode) never count. The sum of a window is divided by `divisor_override`, if it is given. The rest is as
    in max_pool2d.

    >>> F.avg_pool2d(np.arange(16.0).reshape(1, 1, 4, 4), 2)
    array([[[[ 2.5,  4.5],
             [10.5, 12.5]]]])
    """
    return _mean("avg_pool2d", x, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)


def avg_pool1d(
    x: Any,
    kernel_size: int | Sizes,
    stride: int | Sizes | None = None,
    padding: int | Sizes = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Any:
    """avg_pool2d of signals, of shape (batch, channels, length).

    >>> F.avg_pool1d(np.array([[[1.0, 3.0, 5.0, 7.0]]]), 2)
    array([[[2., 6.]]])
    """
    return _mean("avg_pool1d", x, kernel_size, stride, padding, ceil_mode, count_include_pad, None)


def avg_pool3d(
    x: Any,
    kernel_size: int | Sizes,
    stride: int | Sizes | None = None,
    padding: int | Sizes = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Any:
    """avg_pool2d of volumes, of shape (batch, channels, depth, height, width).

    >>> F.avg_pool3d(np.ones((1, 2, 4, 4, 4)), 2).shape
    (1, 2, 2, 2, 2)
    """
    return _mean("avg_pool3d", x, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)


def _highest(
    name: str, x: Any, kernel_size: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool, indices: bool
) -> Any:
    images, windows = _prepared(name, x, kernel_size, stride, padding, dilation, ceil_mode)
    y = max_pooling(images, windows=windows)
    found = (y, highest_places(ad.stop_gradient(y), ad.stop_gradient(images), windows=windows)) if indices else (y,)
    found = found if np.ndim(x) == images.ndim else tuple(v[0] for v in found)
    return found if indices else found[0]


def _mean(
    name: str,
    x: Any,
    kernel_size: Any,
    stride: Any,
    padding: Any,
    ceil_mode: bool,
    count_include_pad: bool,
    divisor_override: int | None,
) -> Any:
    images, windows = _prepared(name, x, kernel_size, stride, padding, 1, ceil_mode)
    counted: Borders | int = both_sides((0,) * len(windows.kernel))
    if divisor_override is not None:
        counted = whole(divisor_override, f"{name}'s divisor_override")
    elif count_include_pad:
        counted = both_sides(sizes(padding, f"{name}'s padding", len(windows.kernel), least=0))
    y = average_pooling(images, windows=windows, counted=counted)
    return y if np.ndim(x) == images.ndim else y[0]


@ad.primitive
def max_pooling(x: Any, windows: Windows) -> Any:
    """Maximum pooling over given windows, in any number of dimensions."""
    first, *rest = _views(with_border(x, windows, x.dtype, -np.inf), windows, x.shape[2:])
    y = first.copy()
    for view in rest:
        np.maximum(y, view, out=y)
    return batch_first(y)


@ad.primitive
def max_spreading(g: Any, y: Any, x: Any, windows: Windows) -> Any:
    """The adjoint of y = `max_pooling`(x): each window's share is added to its maximum."""
    return _laid(batch_last(g, x.dtype), _hits(y, x, windows), windows, x)


@ad.primitive
def max_picking(h: Any, y: Any, x: Any, windows: Windows) -> Any:
    """The element of h, of x's shape, at the maximum of x in each window: the adjoint of `max_spreading`."""
    views = _views(with_border(h, windows, x.dtype), windows, x.shape[2:])
    found = np.zeros_like(batch_last(y, x.dtype))
    for view, hit in zip(views, _hits(y, x, windows), strict=True):
        found += view * hit
    return batch_first(found)


@ad.primitive
def average_pooling(x: Any, windows: Windows, counted: Borders | int) -> Any:
    """Average pooling over given windows, in any number of dimensions.

    `counted` is the border whose zeros count as elements, or the divisor of the sums.
    """
    first, *rest = _views(with_border(x, windows, x.dtype), windows, x.shape[2:])
    y = first.copy()
    for view in rest:
        y += view
    y /= _sizes(windows, x, counted)
    return batch_first(y)


@ad.primitive
def average_spreading(g: Any, x: Any, windows: Windows, counted: Borders | int) -> Any:
    """The adjoint of `average_pooling` by images of x's shape: each window's share is divided among its elements."""
    shares = batch_last(g, x.dtype) / _sizes(windows, x, counted)
    return _laid(shares, itertools.repeat(None, windows.size), windows, x)


@ad.primitive
def highest_places(y: Any, x: Any, windows: Windows) -> Any:
    """The places of the windows' maxima in the flattened channels of x: of y's shape."""
    numbers = np.arange(math.prod(x.shape[2:]), like=x).reshape(1, 1, *x.shape[2:])
    views = _views(with_border(numbers, windows, numbers.dtype), windows, x.shape[2:])
    found = np.zeros_like(y, np.int64, "C", shape=batch_last(y, y.dtype).shape)
    for view, hit in zip(views, _hits(y, x, windows), strict=True):
        found += view * hit
    return batch_first(found)


ad.lowered(max_pooling)
ad.lowered(max_spreading)
ad.lowered(max_picking)
ad.lowered(highest_places)
ad.lowered(average_pooling)
ad.lowered(average_spreading)
ad.adjoint(max_pooling, lambda g, y, x, windows=None: max_spreading(g, y, x, windows=windows))
ad.adjoint(max_spreading, lambda h, z, g, y, x, windows=None: max_picking(h, y, x, windows=windows), None, None)
ad.adjoint(max_picking, lambda g, z, h, y, x, windows=None: max_spreading(g, y, x, windows=windows), None, None)
ad.adjoint(average_pooling, lambda g, y, x, **options: average_spreading(g, x, **options))
ad.adjoint(average_spreading, lambda h, z, g, x, **options: average_pooling(h, **options), None)
ad.written(max_pooling, lambda x: f"max_pool{np.ndim(x) - 2}d(a)", pullbacks=("g where a is the maximum",))
ad.written(average_pooling, lambda x: f"avg_pool{np.ndim(x) - 2}d(a)", pullbacks=("spread g / size",))


def _views(images: Array, windows: Windows, size: Sizes) -> Iterator[Array]:
    """For each element of the kernel, its pixel in every window of images with a border."""
    first, *others = windows.counts(size)
    return windows.views(images, range(first), tuple(others))


def _hits(y: Array, x: Array, windows: Windows) -> Iterator[Array]:
    """For each element of the kernel, the windows in which it is the first maximum."""
    top = batch_last(y, y.dtype)
    if top.size and np.isnan(np.min(top)):  # NaN equals nothing, and counts as the maximum, as in np.maximum
        x, top = (np.where(np.isnan(v), np.inf, v) for v in (x, top))
    free = np.ones_like(top, bool, "C", shape=top.shape)
    images = with_border(x, windows, x.dtype, np.nan)  # a border of NaN equals nothing, not even -inf
    for k, view in enumerate(_views(images, windows, x.shape[2:]), 1):
        if k < windows.size:
            hit = view == top
            hit &= free
            free ^= hit
            yield hit
        else:
            yield free


def _laid(shares: Array, hits: Iterable[Array | None], windows: Windows, x: Array) -> Array:
    """Images of x's shape to which each window's share is added, at the elements that are hit; overlaps add up."""
    batch, channels, size = x.shape[0], x.shape[1], x.shape[2:]
    allocate = np.empty_like if windows.tiling(size) else np.zeros_like
    images = allocate(x, x.dtype, "C", shape=(channels, *windows.bordered(size), batch))
    for view, hit in zip(_views(images, windows, size), hits, strict=True):
        if not windows.apart:
            view += shares if hit is None else shares * hit
        elif hit is None:
            view[...] = shares
        else:
            np.multiply(shares, hit, out=view)
    return batch_first(inside(images, windows, size))


def _sizes(windows: Windows, x: Array, counted: Borders | int) -> Any:
    """The number of elements of each window that count: one number, or an array (rows, columns, 1)."""
    size = x.shape[2:]
    if isinstance(counted, int):
        return counted
    if counted == windows.padding:
        return windows.size
    lengths = []
    for axis, count in enumerate(windows.counts(size)):
        starts = np.arange(count, like=x) * windows.stride[axis] - windows.padding[axis][0]
        before, after = counted[axis]
        lengths.append(np.minimum(starts + windows.kernel[axis], size[axis] + after) - np.maximum(starts, -before))
    return functools.reduce(lambda a, b: a[..., None] * b, lengths)[..., None].astype(x.dtype)


def _prepared(
    name: str, x: Any, kernel_size: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool
) -> tuple[Any, Windows]:
    """A batch of images of floating-point numbers, and the windows from the user's arguments."""
    x = array(x)
    if x.dtype.kind not in "fiub":
        raise TypeError(f"{name} takes real numbers; received dtype {x.dtype}. Pass two channels for complex ones.")
    axes = int(name[-2])
    if x.ndim not in (axes + 1, axes + 2):
        raise misshapen(name, x.shape, axes)
    images = x if x.ndim == axes + 2 else x[None]
    if images.dtype.kind != "f":
        images = images.astype(float)
    return images, resting(name, images.shape[2:], kernel_size, stride, padding, dilation, ceil_mode)
