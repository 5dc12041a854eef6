"""The windows of images as columns, and columns added back to images: two functions that are adjoint to each other."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import autodiff as ad
from nn.checked import array
from nn.functional.windows import (
    Sizes,
    Windows,
    batch_first,
    batch_last,
    both_sides,
    inside,
    misshapen,
    sizes,
    with_border,
)


def unfold(
    x: Any,
    kernel_size: int | Sizes,
    dilation: int | Sizes = 1,
    padding: int | Sizes = 0,
    stride: int | Sizes = 1,
) -> Any:
    """The windows of images as columns: of shape (batch, channels times the kernel's size, windows).

    Parameters
    ----------
    x : images, of shape (batch, channels, height, width), or one of shape (channels, height, width)
    kernel_size : height and width of a window: an int, or a pair (vertical, horizontal), as the next three
    dilation : the distance of a window's elements in the image
    padding : the number of zeros added at each side
    stride : the step from one window to the next

    >>> F.unfold(np.arange(9.0).reshape(1, 1, 3, 3), 2)
    array([[[0., 1., 3., 4.],
            [1., 2., 4., 5.],
            [3., 4., 6., 7.],
            [4., 5., 7., 8.]]])
    """
    x = array(x)
    if x.ndim not in (3, 4):
        raise misshapen("unfold", x.shape, 2)
    images = _floating(x if x.ndim == 4 else x[None])
    windows = _windows("unfold", kernel_size, dilation, padding, stride).fitting(x.shape[-2:], "unfold")
    columns = unfolded(images, windows=windows)
    return columns if x.ndim == 4 else columns[0]


def fold(
    x: Any,
    output_size: int | Sizes,
    kernel_size: int | Sizes,
    dilation: int | Sizes = 1,
    padding: int | Sizes = 0,
    stride: int | Sizes = 1,
) -> Any:
    """Columns added to their windows in an image of `output_size`; windows may overlap. It is the adjoint of unfold.

    x has the shape (batch, channels times the kernel's size, windows), or one axis less for one image. The result has
    the shape (batch, channels, *output_size). The other parameters are those of unfold.

    >>> columns = F.unfold(np.ones((1, 1, 3, 3)), 2)
    >>> F.fold(columns, 3, 2)  # how many windows hold each pixel
    array([[[[1., 2., 1.],
             [2., 4., 2.],
             [1., 2., 1.]]]])
    """
    x = array(x)
    size = sizes(output_size, "fold's output_size", 2)
    windows = _windows("fold", kernel_size, dilation, padding, stride).fitting(size, "fold")
    count = math.prod(windows.counts(size))
    if x.ndim not in (2, 3) or x.shape[-1] != count or not x.shape[-2] or x.shape[-2] % windows.size:
        raise ValueError(
            f"fold takes x of shape (batch, channels · {windows.size}, {count}), a column for each window on images of "
            f"{size[0]}x{size[1]}; received shape {x.shape}. Pass a result of unfold with the same windows."
        )
    images = folded(_floating(x if x.ndim == 3 else x[None]), size=size, windows=windows)
    return images if x.ndim == 3 else images[0]


@ad.primitive
def unfolded(x: Any, windows: Windows) -> Any:
    """unfold over given windows."""
    images = with_border(x, windows, x.dtype)
    batch, channels, counts = len(x), x.shape[1], windows.counts(x.shape[2:])
    columns = np.empty_like(x, x.dtype, "C", shape=(channels, windows.size, *counts, batch))
    for k, view in enumerate(windows.views(images, range(counts[0]), counts[1:])):
        columns[:, k] = view
    return batch_first(columns.reshape(channels * windows.size, math.prod(counts), batch))


@ad.primitive
def folded(columns: Any, size: Sizes, windows: Windows) -> Any:
    """fold over given windows."""
    batch, channels, counts = len(columns), columns.shape[1] // windows.size, windows.counts(size)
    shares = batch_last(columns, columns.dtype).reshape(channels, windows.size, *counts, batch)
    images = np.zeros_like(columns, columns.dtype, "C", shape=(channels, *windows.bordered(size), batch))
    for k, view in enumerate(windows.views(images, range(counts[0]), counts[1:])):
        view += shares[:, k]
    return batch_first(inside(images, windows, size))


ad.lowered(unfolded)
ad.lowered(folded)
ad.adjoint(unfolded, lambda g, y, x, windows=None: folded(g, size=x.shape[2:], windows=windows))
ad.adjoint(folded, lambda g, y, x, size=(), windows=None: unfolded(g, windows=windows))
ad.written(unfolded, "unfold a")
ad.written(folded, "fold a")


def _windows(name: str, kernel_size: Any, dilation: Any, padding: Any, stride: Any) -> Windows:
    kernel, gaps, steps = (
        sizes(value, f"{name}'s {what}", 2)
        for value, what in ((kernel_size, "kernel_size"), (dilation, "dilation"), (stride, "stride"))
    )
    return Windows(kernel, steps, both_sides(sizes(padding, f"{name}'s padding", 2, least=0)), gaps)


def _floating(x: Any) -> Any:
    return x if x.dtype.kind == "f" else x.astype(float)
