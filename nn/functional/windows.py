"""Windows that slide over images: what convolution and pooling share.

Images are (batch, channels, height, width) to everybody outside, as in PyTorch. Inside they lie in memory with the
batch last, (channels, height, width, batch): a window's element at all positions is then a few long runs of memory,
the columns of a convolution are made by copying such runs, and one matrix product makes all of its outputs. What
comes out is shown with the batch first again, as a view; elementwise functions keep the order they find, so
the images stay so from layer to layer, and flattening them copies nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from nn.checked import whole

Array = npt.NDArray[Any]
Pair = tuple[int, int]
Borders = tuple[Pair, Pair]  # (top, bottom), (left, right)
NO_BORDER: Borders = ((0, 0), (0, 0))


class Windows(NamedTuple):
    """The windows that a kernel is laid on: their size, their steps, the border around the image."""

    kernel: Pair
    stride: Pair
    padding: Borders
    dilation: Pair

    def __str__(self) -> str:
        parts = [f"{self.kernel[0]}×{self.kernel[1]}"]
        for name, (down, across) in (("stride", self.stride), ("dilation", self.dilation)):
            if (down, across) != (1, 1):
                parts.append(f"{name} {down}" if down == across else f"{name} ({down}, {across})")
        if self.padding != NO_BORDER:
            (top, bottom), (left, right) = self.padding
            same = top == bottom == left == right
            parts.append(f"padding {top}" if same else f"padding ({top}, {bottom}, {left}, {right})")
        return ", ".join(parts)

    @property
    def size(self) -> int:
        """How many elements a window has."""
        return self.kernel[0] * self.kernel[1]

    @property
    def extent(self) -> Pair:
        """Height and width of a window, the gaps of its dilation included."""
        (kh, kw), (dh, dw) = self.kernel, self.dilation
        return dh * (kh - 1) + 1, dw * (kw - 1) + 1

    @property
    def apart(self) -> bool:
        """Whether no two windows share an element."""
        return all(step >= size for step, size in zip(self.stride, self.extent, strict=True))

    @property
    def plain(self) -> bool:
        """Whether each window is one element of the image, and each element a window."""
        return self.kernel == self.stride == (1, 1) and self.padding == NO_BORDER

    def bordered(self, size: Pair) -> Pair:
        """Height and width of an image together with its border."""
        (top, bottom), (left, right) = self.padding
        return size[0] + top + bottom, size[1] + left + right

    def tiling(self, size: Pair) -> bool:
        """Whether each element of an image of this height and width, and of its border, is in exactly one window."""
        around = self.bordered(size)
        return self.kernel == self.stride == self.extent and not (
            around[0] % self.kernel[0] or around[1] % self.kernel[1]
        )

    def counts(self, size: Pair) -> Pair:
        """How many windows there are below each other and side by side in an image of this height and width."""
        (height, width), (high, wide) = self.bordered(size), self.extent
        return (height - high) // self.stride[0] + 1, (width - wide) // self.stride[1] + 1

    def views(self, images: Array, rows: range, columns: int) -> Iterator[Array]:
        """Each element of the kernel, in reading order: its pixel in every window, (channels, rows, columns, batch).

        `images` are (channels, height, width, batch), border included; `rows` are the rows of windows to look at.
        """
        (kh, kw), (sh, sw), (dh, dw) = self.kernel, self.stride, self.dilation
        for i in range(kh):
            top = rows.start * sh + i * dh
            lines = images[:, top : top + (len(rows) - 1) * sh + 1 : sh]
            for j in range(kw):
                left = j * dw
                yield lines[:, :, left : left + (columns - 1) * sw + 1 : sw]

    def fitting(self, size: Pair, name: str) -> Windows:
        """Themselves, if there is room for one in an image of this height and width with its border."""
        around = self.bordered(size)
        if around[0] < self.extent[0] or around[1] < self.extent[1]:
            raise ValueError(
                f"{name} lays a window of {self.extent[0]}x{self.extent[1]} (dilation included) on images; received "
                f"images of {size[0]}x{size[1]}, {around[0]}x{around[1]} with their padding. Use larger images, "
                "a smaller kernel, or more padding."
            )
        return self


def pair(value: Any, what: str, least: int = 1) -> Pair:
    """An int for both directions, or (vertical, horizontal), each from `least`."""
    if not isinstance(value, tuple | list):
        number = whole(value, f"{what}, unless it is a pair,", least)
        return number, number
    if len(value) != 2:
        raise ValueError(f"{what} is an int or a pair (vertical, horizontal); received {value!r:.80}.")
    return whole(value[0], f"{what}[0]", least), whole(value[1], f"{what}[1]", least)


def sliding(name: str, kernel: Pair, stride: Any, padding: Any, dilation: Any) -> Windows:
    """The windows of a convolution: ints or pairs, and for the padding also "same" or "valid"."""
    steps, gaps = pair(stride, f"{name}'s stride"), pair(dilation, f"{name}'s dilation")
    if not isinstance(padding, str):
        return Windows(kernel, steps, both_sides(pair(padding, f"{name}'s padding", least=0)), gaps)
    windows = Windows(kernel, steps, NO_BORDER, gaps)
    if padding == "valid":
        return windows
    if padding != "same" or steps != (1, 1):
        raise ValueError(
            f'{name}\'s padding is an int, a pair, "valid" or, with stride 1, "same"; received padding={padding!r} and '
            f"stride={stride!r}. Give the number of zeros at each side."
        )
    high, wide = windows.extent
    return windows._replace(padding=(((high - 1) // 2, high // 2), ((wide - 1) // 2, wide // 2)))


def both_sides(padding: Pair) -> Borders:
    """The same border above and below, and the same left and right."""
    return (padding[0], padding[0]), (padding[1], padding[1])


def batch_last(x: Any, dtype: np.dtype[Any]) -> Array:
    """Images (batch, channels, height, width) as (channels, height, width, batch), contiguous in memory."""
    return np.ascontiguousarray(np.transpose(x, (1, 2, 3, 0)), dtype)


def batch_first(images: Array) -> Array:
    """A view of (channels, height, width, batch) as (batch, channels, height, width)."""
    return images.transpose(3, 0, 1, 2)


def with_border(x: Any, windows: Windows, dtype: np.dtype[Any], value: float = 0.0) -> Array:
    """Images (batch, channels, height, width) batch last, with the windows' border of this value around them."""
    if windows.padding == NO_BORDER:
        return batch_last(x, dtype)
    batch, channels, *size = x.shape
    images = np.full((channels, *windows.bordered((size[0], size[1])), batch), value, dtype)
    inside(images, windows, (size[0], size[1]))[...] = np.transpose(x, (1, 2, 3, 0))
    return images


def inside(images: Array, windows: Windows, size: Pair) -> Array:
    """The view of bordered images, batch last, without their border."""
    (top, _), (left, _) = windows.padding
    return images[:, top : top + size[0], left : left + size[1]]


def misshapen(name: str, shape: tuple[int, ...], channels: int | None = None) -> ValueError:
    """The error about images of another shape than (batch, channels, height, width)."""
    hint = "Reshape them with x.reshape(batch, channels, height, width)."
    if len(shape) == 2:
        hint = "One image of one channel is x[None, None]."
    elif len(shape) == 3 and channels == 1:
        hint = "A batch of images of one channel is x[:, None]."
    elif len(shape) in (3, 4) and shape[-1] == channels:
        order = (2, 0, 1) if len(shape) == 3 else (0, 3, 1, 2)
        hint = f"The channels seem to be the last axis; write np.transpose(x, {order})."
    elif len(shape) in (3, 4):
        hint = f"Make a layer of {shape[-3]} channels, or pass images of {channels}."
    wanted = "channels" if channels is None else f"{channels} channel(s)"
    return ValueError(
        f"{name} takes images of shape (batch, {wanted}, height, width), or one of shape ({wanted}, height, width); "
        f"received shape {shape}. {hint}"
    )
