"""Windows that slide over signals, images and volumes: the common part of convolution and pooling.

For users, images are (batch, channels, height, width), as in PyTorch. Inside, the batch is the last axis in memory,
(channels, height, width, batch). So one element of the window at all positions is a few long runs of memory: copying
such runs makes the columns of a convolution, and one matrix product computes all outputs. The result is a view with the
batch first again. Elementwise functions keep the order in memory, so images keep it from layer to layer, and flattening
them copies nothing.
"""

from __future__ import annotations

import functools
import itertools
import math
import operator
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from nn.checked import whole

Array = npt.NDArray[Any]
Pair = tuple[int, int]
Sizes = tuple[int, ...]  # one number per axis
Borders = tuple[Pair, ...]  # before and after each axis: (top, bottom), (left, right)
AXES = {1: ("length",), 2: ("height", "width"), 3: ("depth", "height", "width")}
KINDS = {1: "signals", 2: "images", 3: "volumes"}


class Windows(NamedTuple):
    """The windows of a kernel: their size, their steps, the border around the image."""

    kernel: Sizes
    stride: Sizes
    padding: Borders
    dilation: Sizes

    def __str__(self) -> str:
        parts = ["×".join(map(str, self.kernel))]
        for name, steps in (("stride", self.stride), ("dilation", self.dilation)):
            if any(step != 1 for step in steps):
                parts.append(f"{name} {steps[0] if len(set(steps)) == 1 else steps}")
        if self.bordering:
            sides = tuple(itertools.chain(*self.padding))
            parts.append(f"padding {sides[0] if len(set(sides)) == 1 else sides}")
        return ", ".join(parts)

    @property
    def size(self) -> int:
        """The number of elements of a window."""
        return math.prod(self.kernel)

    @property
    def extent(self) -> Sizes:
        """The lengths of a window, including the gaps of its dilation."""
        return _extent(self.kernel, self.dilation)

    @property
    def bordering(self) -> bool:
        """Whether there is a border."""
        return _bordering(self.padding)

    @property
    def apart(self) -> bool:
        """Whether no two windows share an element."""
        return all(map(operator.ge, self.stride, self.extent))

    @property
    def plain(self) -> bool:
        """Whether each window is one element of the image, and each element a window."""
        return max(self.kernel) == max(self.stride) == 1 and not self.bordering

    def bordered(self, size: Sizes) -> Sizes:
        """The lengths of an image together with its border."""
        return _bordered(self.padding, size)

    def tiling(self, size: Sizes) -> bool:
        """Whether each element of an image of these lengths, and of its border, is in exactly one window."""
        whole = not any(map(operator.mod, self.bordered(size), self.kernel))
        return whole and self.kernel == self.stride == self.extent

    def counts(self, size: Sizes) -> Sizes:
        """The number of windows along each axis of an image of these lengths."""
        return _counts(self, size)

    def views(self, images: Array, rows: range, counts: Sizes) -> Iterator[Array]:
        """For each element of the kernel in reading order, its pixel in every window: (channels, rows, *counts, batch).

        `images` are (channels, *lengths, batch), including the border; `rows` are the windows along the first axis,
        `counts` the numbers of windows along the others.
        """
        for place in _places(self, rows.start, (len(rows), *counts)):
            yield images[place]

    def fitting(self, size: Sizes, name: str) -> Windows:
        """The windows. Raises ValueError if none fits into an image of these lengths with its border."""
        around, kind = self.bordered(size), KINDS[len(size)]
        if any(map(operator.lt, around, self.extent)):
            raise ValueError(
                f"{name} lays a window of {by(self.extent)} (dilation included) on {kind}; received {kind} of "
                f"{by(size)}, {by(around)} with their padding. Use larger {kind}, a smaller kernel, or more padding."
            )
        return self


# A layer's windows are the same at every call; for small images their computation would take longer than the sums.
remembered = functools.lru_cache(maxsize=1024)


@remembered
def _extent(kernel: Sizes, dilation: Sizes) -> Sizes:
    return tuple(d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True))


@remembered
def _bordering(padding: Borders) -> bool:
    return any(map(any, padding))


@remembered
def _bordered(padding: Borders, size: Sizes) -> Sizes:
    return tuple(n + before + after for n, (before, after) in zip(size, padding, strict=True))


@remembered
def _counts(windows: Windows, size: Sizes) -> Sizes:
    given = zip(windows.bordered(size), windows.extent, windows.stride, strict=True)
    return tuple((n - extent) // step + 1 for n, extent, step in given)


@remembered
def _places(windows: Windows, first: int, counts: Sizes) -> list[tuple[slice, ...]]:
    """For each element of the kernel, the slices of an image with its pixels in all windows from the first on."""
    spans = []
    for axis, (count, k, s, d) in enumerate(zip(counts, windows.kernel, windows.stride, windows.dilation, strict=True)):
        start, span = 0 if axis else first * s, (count - 1) * s + 1
        spans.append([slice(begin, begin + span, s) for begin in range(start, start + k * d, d)])
    return [(slice(None), *place) for place in itertools.product(*spans)]


def by(lengths: Sizes) -> str:
    """Lengths as text: 28x28."""
    return "x".join(map(str, lengths))


def sizes(value: Any, what: str, axes: int, least: int = 1) -> Sizes:
    """A number for each axis, from an int or a tuple, (vertical, horizontal) for an image; each from `least`."""
    if type(value) is int and value >= least:
        return (value,) * axes
    if not isinstance(value, tuple | list):
        several = "" if axes == 1 else f", unless it is a {'pair' if axes == 2 else 'triple'},"
        return (whole(value, f"{what}{several}", least),) * axes
    if len(value) != axes:
        several = {1: "(int,)", 2: "a pair (vertical, horizontal)", 3: "a triple (depth, vertical, horizontal)"}[axes]
        raise ValueError(f"{what} is an int or {several}; received {value!r:.80}.")
    return tuple(whole(number, f"{what}[{k}]", least) for k, number in enumerate(value))


def sliding(name: str, kernel: Sizes, stride: Any, padding: Any, dilation: Any) -> Windows:
    """The windows of a convolution from ints or tuples; the padding may also be "same" or "valid"."""
    axes = len(kernel)
    steps, gaps = sizes(stride, f"{name}'s stride", axes), sizes(dilation, f"{name}'s dilation", axes)
    if not isinstance(padding, str):
        return Windows(kernel, steps, both_sides(sizes(padding, f"{name}'s padding", axes, least=0)), gaps)
    windows = Windows(kernel, steps, both_sides((0,) * axes), gaps)
    if padding == "valid":
        return windows
    if padding != "same" or any(step != 1 for step in steps):
        raise ValueError(
            f'{name}\'s padding is an int, a pair, "valid" or, with stride 1, "same"; received padding={padding!r} and '
            f"stride={stride!r}. Give the number of zeros at each side."
        )
    return windows._replace(padding=tuple(((extent - 1) // 2, extent // 2) for extent in windows.extent))


def resting(
    name: str, size: Sizes, kernel_size: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool
) -> Windows:
    """The windows of pooling on images of these lengths, from ints or tuples; their number may be rounded up."""
    axes = len(size)
    kernel = sizes(kernel_size, f"{name}'s kernel_size", axes)
    steps = kernel if stride is None else sizes(stride, f"{name}'s stride", axes)
    around = sizes(padding, f"{name}'s padding", axes, least=0)
    windows = Windows(kernel, steps, both_sides(around), sizes(dilation, f"{name}'s dilation", axes))
    extent = windows.extent
    if any(around) and any(2 * n > length for n, length in zip(around, extent, strict=True)):
        raise ValueError(
            f"{name} takes padding of at most half a window, so that none lies outside the image; received "
            f"padding={padding!r} for windows of {by(extent)}. Pad the images with np.pad."
        )
    if ceil_mode:
        windows = windows._replace(padding=tuple(map(_reaching, size, around, steps, extent)))
    return windows.fitting(size, name)


def _reaching(length: int, around: int, step: int, extent: int) -> Pair:
    """The border before and after an axis whose last window may reach beyond its end."""
    count = -((length + 2 * around - extent) // -step) + 1
    if (count - 1) * step >= length + around:  # the last window would see only padding
        count -= 1
    return around, max(around, (count - 1) * step + extent - length - around)


def both_sides(padding: Sizes) -> Borders:
    """The same border before and after each axis."""
    return tuple((around, around) for around in padding)


def batch_last(x: Any, dtype: np.dtype[Any]) -> Array:
    """Images (batch, channels, *lengths) as (channels, *lengths, batch), contiguous in memory."""
    return np.transpose(x, (*range(1, x.ndim), 0)).astype(dtype, order="C", copy=False)


def batch_first(images: Array) -> Array:
    """Images (channels, *lengths, batch) as a view (batch, channels, *lengths)."""
    return images.transpose(-1, *range(images.ndim - 1))


def with_border(x: Any, windows: Windows, dtype: np.dtype[Any], value: float = 0.0) -> Array:
    """Images (batch, channels, *lengths) with the batch last, inside a border of this value."""
    if not windows.bordering:
        return batch_last(x, dtype)
    batch, channels, *_ = x.shape
    images = np.empty_like(x, dtype, "C", shape=(channels, *windows.bordered(x.shape[2:]), batch))
    images[...] = value
    inside(images, windows, x.shape[2:])[...] = np.transpose(x, (*range(1, x.ndim), 0))
    return images


def inside(images: Array, windows: Windows, size: Sizes) -> Array:
    """A view of images with the batch last, without their border."""
    if not windows.bordering:
        return images
    place = (slice(before, before + n) for n, (before, _) in zip(size, windows.padding, strict=True))
    return images[(slice(None), *place)]


def misshapen(name: str, shape: Sizes, axes: int, channels: int | None = None) -> ValueError:
    """The error for images whose shape is not (batch, channels, height, width), or for signals and volumes."""
    kinds, lengths = KINDS[axes], ", ".join(AXES[axes])
    one, hint = kinds[:-1], f"Reshape them with x.reshape(batch, channels, {lengths})."
    if len(shape) == axes:
        hint = f"One {one} of one channel is x[None, None]."
    elif len(shape) == axes + 1 and channels == 1:
        hint = f"A batch of {kinds} of one channel is x[:, None]."
    elif len(shape) in (axes + 1, axes + 2) and shape[-1] == channels:
        batch = range(len(shape) - axes - 1)
        order = (*batch, len(shape) - 1, *range(len(batch), len(shape) - 1))
        hint = f"The channels seem to be the last axis; write np.transpose(x, {order})."
    elif len(shape) in (axes + 1, axes + 2) and channels is not None:
        hint = f"Make a layer of {shape[-axes - 1]} channels, or pass {kinds} of {channels}."
    wanted = "channels" if channels is None else f"{channels} channel(s)"
    return ValueError(
        f"{name} takes {kinds} of shape (batch, {wanted}, {lengths}), or one of shape ({wanted}, {lengths}); "
        f"received shape {shape}. {hint}"
    )
