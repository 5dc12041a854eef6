"""Layers without parameters that make images larger, smaller, or of another form."""

from __future__ import annotations

import inspect
import math
from typing import Any

from nn import functional
from nn.checked import real, whole
from nn.functional.windows import Sizes, sizes
from nn.layers.convolution import shortened
from nn.model.module import Module


class _Shown(Module):
    """What they share: shown as the call that makes them, their attributes being its arguments."""

    def __repr__(self) -> str:
        parts = []
        for name, parameter in inspect.signature(type(self)).parameters.items():
            value = getattr(self, name)
            if parameter.default is parameter.empty:
                parts.append(shortened(value))
            elif shortened(value) != shortened(parameter.default):
                parts.append(f"{name}={shortened(value)}")
        return f"{type(self).__name__}({', '.join(parts)})"


class Upsample(_Shown):
    """Images resized; functional.interpolate describes the parameters.

    >>> nn.Upsample(scale_factor=2)(np.array([[[[1.0, 2.0]]]]))
    array([[[[1., 1., 2., 2.],
             [1., 1., 2., 2.]]]])
    """

    def __init__(
        self,
        size: int | Sizes | None = None,
        scale_factor: float | tuple[float, ...] | None = None,
        mode: str = "nearest",
        align_corners: bool | None = None,
        recompute_scale_factor: bool = False,
    ) -> None:
        self.size, self.scale_factor, self.mode = size, scale_factor, mode
        self.align_corners, self.recompute_scale_factor = align_corners, recompute_scale_factor

    def forward(self, x: Any) -> Any:
        """The images x, of shape (batch, channels, height, width), in their new size."""
        given = self.size, self.scale_factor, self.mode, self.align_corners, self.recompute_scale_factor
        return functional.interpolate(x, *given)


class PixelShuffle(_Shown):
    """Channels as pixels: (..., channels r², height, width) becomes (..., channels, height r, width r).

    >>> nn.PixelShuffle(2)(np.zeros((1, 12, 4, 4))).shape
    (1, 3, 8, 8)
    """

    def __init__(self, upscale_factor: int) -> None:
        self.upscale_factor = whole(upscale_factor, "PixelShuffle's upscale_factor")

    def forward(self, x: Any) -> Any:
        """The larger images."""
        return functional.pixel_shuffle(x, self.upscale_factor)


class PixelUnshuffle(_Shown):
    """Pixels as channels: (..., channels, height r, width r) becomes (..., channels r², height, width).

    >>> nn.PixelUnshuffle(2)(np.zeros((1, 3, 8, 8))).shape
    (1, 12, 4, 4)
    """

    def __init__(self, downscale_factor: int) -> None:
        self.downscale_factor = whole(downscale_factor, "PixelUnshuffle's downscale_factor")

    def forward(self, x: Any) -> Any:
        """The smaller images."""
        return functional.pixel_unshuffle(x, self.downscale_factor)


class Unfold(_Shown):
    """The windows of images as columns; functional.unfold describes the parameters.

    >>> nn.Unfold(2)(np.zeros((1, 3, 5, 5))).shape
    (1, 12, 16)
    """

    def __init__(
        self,
        kernel_size: int | Sizes,
        dilation: int | Sizes = 1,
        padding: int | Sizes = 0,
        stride: int | Sizes = 1,
    ) -> None:
        self.kernel_size, self.dilation, self.stride = (
            sizes(value, f"Unfold's {name}", 2)
            for name, value in (("kernel_size", kernel_size), ("dilation", dilation), ("stride", stride))
        )
        self.padding = sizes(padding, "Unfold's padding", 2, least=0)

    def forward(self, x: Any) -> Any:
        """The columns of x, of shape (batch, channels, height, width)."""
        return functional.unfold(x, self.kernel_size, self.dilation, self.padding, self.stride)


class Fold(_Shown):
    """Columns added to their windows of an image; functional.fold describes the parameters.

    >>> nn.Fold(output_size=3, kernel_size=2)(np.ones((1, 4, 4)))
    array([[[[1., 2., 1.],
             [2., 4., 2.],
             [1., 2., 1.]]]])
    """

    def __init__(
        self,
        output_size: int | Sizes,
        kernel_size: int | Sizes,
        dilation: int | Sizes = 1,
        padding: int | Sizes = 0,
        stride: int | Sizes = 1,
    ) -> None:
        self.output_size = sizes(output_size, "Fold's output_size", 2)
        self.kernel_size, self.dilation, self.stride = (
            sizes(value, f"Fold's {name}", 2)
            for name, value in (("kernel_size", kernel_size), ("dilation", dilation), ("stride", stride))
        )
        self.padding = sizes(padding, "Fold's padding", 2, least=0)

    def forward(self, x: Any) -> Any:
        """The images, of x of shape (batch, channels times the kernel's size, windows)."""
        given = self.output_size, self.kernel_size, self.dilation, self.padding, self.stride
        return functional.fold(x, *given)


class ConstantPad2d(_Shown):
    """Images with `value` around them.

    `padding` is an int for all sides, or (left, right, top, bottom); negative numbers cut off.

    >>> nn.ConstantPad2d((1, 0, 0, 1), 9.0)(np.array([[[[1.0, 2.0]]]]))
    array([[[[9., 1., 2.],
             [9., 9., 9.]]]])
    """

    axes = 2
    mode = "constant"
    value: float = 0.0

    def __init__(self, padding: int | Sizes, value: float) -> None:
        self._begin(padding)
        self.value = real(value, f"{type(self).__name__}: value", least=-math.inf)

    def _begin(self, padding: int | Sizes) -> None:
        name, sides = type(self).__name__, 2 * self.axes
        given = tuple(padding) if isinstance(padding, tuple | list) else (padding,) * sides
        if len(given) != sides:
            raise ValueError(f"{name}'s padding is an int, or {sides} of them; received {padding!r:.80}.")
        self.padding = tuple(whole(n, f"{name}'s padding", None) for n in given)

    def forward(self, x: Any) -> Any:
        """The larger images; x has a batch and channels before, or any axes."""
        return functional.pad(x, self.padding, self.mode, self.value)


class ConstantPad1d(ConstantPad2d):
    """ConstantPad2d of signals, where padding is an int or (left, right).

    >>> nn.ConstantPad1d((1, 2), 9.0)(np.array([[[1.0, 2.0]]]))
    array([[[9., 1., 2., 9., 9.]]])
    """

    axes = 1


class ZeroPad2d(ConstantPad2d):
    """Images with zeros around them; padding is an int or (left, right, top, bottom).

    >>> nn.ZeroPad2d(1)(np.array([[[[5.0]]]]))
    array([[[[0., 0., 0.],
             [0., 5., 0.],
             [0., 0., 0.]]]])
    """

    def __init__(self, padding: int | Sizes) -> None:
        self._begin(padding)


class ZeroPad1d(ZeroPad2d):
    """Signals with zeros around them; padding is an int or (left, right).

    >>> nn.ZeroPad1d((1, 2))(np.array([[[1.0, 2.0]]]))
    array([[[0., 1., 2., 0., 0.]]])
    """

    axes = 1


class ReflectionPad2d(ZeroPad2d):
    """Images continued as in a mirror at their edge, whose pixels are not repeated.

    >>> nn.ReflectionPad2d(1)(np.arange(4.0).reshape(1, 1, 2, 2))
    array([[[[3., 2., 3., 2.],
             [1., 0., 1., 0.],
             [3., 2., 3., 2.],
             [1., 0., 1., 0.]]]])
    """

    mode = "reflect"


class ReflectionPad1d(ReflectionPad2d):
    """ReflectionPad2d of signals, where padding is an int or (left, right).

    >>> nn.ReflectionPad1d(2)(np.array([[[1.0, 2.0, 3.0]]]))
    array([[[3., 2., 1., 2., 3., 2., 1.]]])
    """

    axes = 1


class ReplicationPad2d(ZeroPad2d):
    """Images continued by the pixels at their edge.

    >>> nn.ReplicationPad2d((1, 0, 1, 0))(np.arange(4.0).reshape(1, 1, 2, 2))
    array([[[[0., 0., 1.],
             [0., 0., 1.],
             [2., 2., 3.]]]])
    """

    mode = "replicate"


class ReplicationPad1d(ReplicationPad2d):
    """ReplicationPad2d of signals, where padding is an int or (left, right).

    >>> nn.ReplicationPad1d((1, 2))(np.array([[[1.0, 2.0]]]))
    array([[[1., 1., 2., 2., 2.]]])
    """

    axes = 1


class CircularPad2d(ZeroPad2d):
    """Images continued from their other side.

    >>> nn.CircularPad2d(1)(np.array([[[[1.0, 2.0]]]]))
    array([[[[2., 1., 2., 1.],
             [2., 1., 2., 1.],
             [2., 1., 2., 1.]]]])
    """

    mode = "circular"


class CircularPad1d(CircularPad2d):
    """CircularPad2d of signals, where padding is an int or (left, right).

    >>> nn.CircularPad1d((1, 2))(np.array([[[1.0, 2.0, 3.0]]]))
    array([[[3., 1., 2., 3., 1., 2.]]])
    """

    axes = 1
