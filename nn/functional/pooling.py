"""Pooling: each window of an image as one number, its highest or its mean."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

import autodiff as ad
from nn.functional.windows import (
    NO_BORDER,
    Array,
    Borders,
    Pair,
    Windows,
    batch_first,
    batch_last,
    both_sides,
    inside,
    misshapen,
    pair,
    with_border,
)


def max_pool2d(
    x: Any,
    kernel_size: int | Pair,
    stride: int | Pair | None = None,
    padding: int | Pair = 0,
    dilation: int | Pair = 1,
    ceil_mode: bool = False,
) -> Any:
    """The highest number of each window of each channel.

    The derivative goes to the highest element, and to the first of them in reading order where several are.

    Parameters
    ----------
    x : images, of shape (batch, channels, height, width), or one of shape (channels, height, width)
    kernel_size : height and width of a window: an int, or a pair (vertical, horizontal), as the next three
    stride : the step from one window to the next, by default the kernel's size: they lie side by side
    padding : how far windows reach over each side, at most half the kernel's size; nothing there counts
    dilation : the distance of a window's elements in the image
    ceil_mode : whether to add a last row and column of windows that reach over the bottom and right

    The result has the shape (batch, channels, rows, columns), rows = floor((height + 2 padding - dilation (kernel
    height - 1) - 1) / stride) + 1, or that rounded up. Integers become float64. Raises ValueError for images of
    another shape or smaller than a window, TypeError for numbers that are not real.
    """
    images, windows = _prepared("max_pool2d", x, kernel_size, stride, padding, dilation, ceil_mode)
    y = max_pooling(images, windows=windows)
    return y if np.ndim(x) == 4 else y[0]


def avg_pool2d(
    x: Any,
    kernel_size: int | Pair,
    stride: int | Pair | None = None,
    padding: int | Pair = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Any:
    """The mean of each window of each channel.

    `count_include_pad` says whether the zeros of the padding count as elements of a window; what a window reaches
    beyond them (with ceil_mode) never does. The rest is as in max_pool2d.
    """
    images, windows = _prepared("avg_pool2d", x, kernel_size, stride, padding, 1, ceil_mode)
    counted = both_sides(pair(padding, "avg_pool2d's padding", least=0)) if count_include_pad else NO_BORDER
    y = average_pooling(images, windows=windows, counted=counted)
    return y if np.ndim(x) == 4 else y[0]


@ad.primitive
def max_pooling(x: Any, windows: Windows) -> Any:
    """max_pool2d over windows that were made already."""
    first, *rest = _views(with_border(x, windows, x.dtype, -np.inf), windows, x.shape[2:])
    y = first.copy()
    for view in rest:
        np.maximum(y, view, out=y)
    return batch_first(y)


@ad.primitive
def max_spreading(g: Any, y: Any, x: Any, windows: Windows) -> Any:
    """The adjoint of `max_pooling`, where it gave y for x: each window's share laid on its highest element."""
    return _laid(batch_last(g, x.dtype), _hits(y, x, windows), windows, x)


@ad.primitive
def max_picking(h: Any, y: Any, x: Any, windows: Windows) -> Any:
    """What h, of x's shape, has in each window where x is highest: the adjoint of `max_spreading`."""
    views = _views(with_border(h, windows, x.dtype), windows, x.shape[2:])
    found = np.zeros_like(batch_last(y, x.dtype))
    for view, hit in zip(views, _hits(y, x, windows), strict=True):
        found += view * hit
    return batch_first(found)


@ad.primitive
def average_pooling(x: Any, windows: Windows, counted: Borders) -> Any:
    """avg_pool2d over windows that were made already; `counted` is the border whose zeros count as elements."""
    first, *rest = _views(with_border(x, windows, x.dtype), windows, x.shape[2:])
    y = first.copy()
    for view in rest:
        y += view
    y /= _sizes(windows, x.shape[2:], counted, x.dtype)
    return batch_first(y)


@ad.primitive
def average_spreading(g: Any, x: Any, windows: Windows, counted: Borders) -> Any:
    """The adjoint of `average_pooling` by images of x's shape: each window's share laid on its elements, equally."""
    shares = batch_last(g, x.dtype) / _sizes(windows, x.shape[2:], counted, x.dtype)
    return _laid(shares, itertools.repeat(None, windows.size), windows, x)


ad.adjoint(max_pooling, lambda g, y, x, windows=None: max_spreading(g, y, x, windows=windows))
ad.adjoint(max_spreading, lambda h, z, g, y, x, windows=None: max_picking(h, y, x, windows=windows), None, None)
ad.adjoint(max_picking, lambda g, z, h, y, x, windows=None: max_spreading(g, y, x, windows=windows), None, None)
ad.adjoint(average_pooling, lambda g, y, x, **options: average_spreading(g, x, **options))
ad.adjoint(average_spreading, lambda h, z, g, x, **options: average_pooling(h, **options), None)


def _views(images: Array, windows: Windows, size: Pair) -> Iterator[Array]:
    """Each element of the kernel: its pixel in every window of bordered images of this height and width."""
    rows, columns = windows.counts(size)
    return windows.views(images, range(rows), columns)


def _hits(y: Array, x: Array, windows: Windows) -> Iterator[Array]:
    """For each element of the kernel, in which windows it is the first that is highest."""
    top = batch_last(y, y.dtype)
    if top.size and np.isnan(np.min(top)):  # NaN, which equals nothing, goes above everything, as np.maximum has it
        x, top = (np.where(np.isnan(v), np.inf, v) for v in (x, top))
    free = np.ones(top.shape, bool)
    images = with_border(x, windows, x.dtype, np.nan)  # nor does the border equal anything, not even -inf
    for k, view in enumerate(_views(images, windows, x.shape[2:]), 1):
        if k < windows.size:
            hit = view == top
            hit &= free
            free ^= hit
            yield hit
        else:
            yield free


def _laid(shares: Array, hits: Iterable[Array | None], windows: Windows, x: Array) -> Array:
    """Images of x's shape, on whose windows the shares are laid: on each element where it is hit; overlaps add up."""
    batch, channels, *size = x.shape
    made = np.empty if windows.tiling((size[0], size[1])) else np.zeros
    images = made((channels, *windows.bordered((size[0], size[1])), batch), x.dtype)
    for view, hit in zip(_views(images, windows, (size[0], size[1])), hits, strict=True):
        if not windows.apart:
            view += shares if hit is None else shares * hit
        elif hit is None:
            view[...] = shares
        else:
            np.multiply(shares, hit, out=view)
    return batch_first(inside(images, windows, (size[0], size[1])))


def _sizes(windows: Windows, size: Pair, counted: Borders, dtype: np.dtype[Any]) -> Any:
    """How many elements of each window count: one number, or (rows, columns, 1)."""
    if counted == windows.padding:
        return windows.size
    lengths = []
    for axis, count in enumerate(windows.counts(size)):
        starts = np.arange(count) * windows.stride[axis] - windows.padding[axis][0]
        before, after = counted[axis]
        lengths.append(np.minimum(starts + windows.kernel[axis], size[axis] + after) - np.maximum(starts, -before))
    return np.multiply.outer(*lengths)[:, :, None].astype(dtype)


def _prepared(
    name: str, x: Any, kernel_size: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool
) -> tuple[Any, Windows]:
    """A batch of images of floating-point numbers, and the windows that were asked for."""
    if not isinstance(x, ad.Tensor | np.ndarray):
        x = np.asarray(x)
    if x.dtype.kind not in "fiub":
        raise TypeError(f"{name} takes real numbers; received dtype {x.dtype}. Pass two channels for complex ones.")
    if x.ndim not in (3, 4):
        raise misshapen(name, x.shape)
    images = x if x.ndim == 4 else x[None]
    if images.dtype.kind != "f":
        images = images.astype(float)
    kernel = pair(kernel_size, f"{name}'s kernel_size")
    steps = kernel if stride is None else pair(stride, f"{name}'s stride")
    around = pair(padding, f"{name}'s padding", least=0)
    windows = Windows(kernel, steps, both_sides(around), pair(dilation, f"{name}'s dilation"))
    extent, size = windows.extent, images.shape[2:]
    if 2 * around[0] > extent[0] or 2 * around[1] > extent[1]:
        raise ValueError(
            f"{name} takes padding of at most half a window, so that none lies outside the image; received "
            f"padding={padding!r} for windows of {extent[0]}x{extent[1]}. Pad the images with np.pad."
        )
    if ceil_mode:
        high, wide = map(_reaching, size, around, steps, extent)
        windows = windows._replace(padding=(high, wide))
    return images, windows.fitting(size, name)


def _reaching(length: int, around: int, step: int, extent: int) -> Pair:
    """The border before and after an axis whose last window may reach over its end."""
    count = -((length + 2 * around - extent) // -step) + 1
    if (count - 1) * step >= length + around:  # it would see nothing but padding
        count -= 1
    return around, max(around, (count - 1) * step + extent - length - around)
