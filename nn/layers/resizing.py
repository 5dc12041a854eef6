"""Layers without parameters that change the size or the form of images."""

from __future__ import annotations

import inspect
from typing import Any

from nn import functional
from nn.checked import real, whole
from nn.functional.windows import Sizes, sizes
from nn.layers.convolution import shortened
from nn.model.module import Module


class Shown(Module):
    """The base of these layers: printed as the call that makes the layer, with its attributes as arguments."""

    def __repr__(self) -> str:
        parts = []
        for name, parameter in inspect.signature(type(self)).parameters.items():
            value = getattr(self, name)
            if parameter.default is parameter.empty:
                parts.append(shortened(value))
            elif shortened(value) != shortened(parameter.default):
                parts.append(f"{name}={shortened(value)}")
        return f"{type(self).__name__}({', '.join(parts)})"


class Upsample(Shown):
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


class PixelShuffle(Shown):
    """Channels as pixels: (..., channels r², height, width) becomes (..., channels, height r, width r).

    >>> nn.PixelShuffle(2)(np.zeros((1, 12, 4, 4))).shape
    (1, 3, 8, 8)
    """

    def __init__(self, upscale_factor: int) -> None:
        self.upscale_factor = whole(upscale_factor, "PixelShuffle's upscale_factor")

    def forward(self, x: Any) -> Any:
        """The larger images."""
        return functional.pixel_shuffle(x, self.upscale_factor)


class PixelUnshuffle(Shown):
    """Pixels as channels: (..., channels, height r, width r) becomes (..., channels r², height, width).

    >>> nn.PixelUnshuffle(2)(np.zeros((1, 3, 8, 8))).shape
    (1, 12, 4, 4)
    """

    def __init__(self, downscale_factor: int) -> None:
        self.downscale_factor = whole(downscale_factor, "PixelUnshuffle's downscale_factor")

    def forward(self, x: Any) -> Any:
        """The smaller images."""
        return functional.pixel_unshuffle(x, self.downscale_factor)


class Unfold(Shown):
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


class Fold(Shown):
    """Columns added to their windows in an image; functional.fold describes the parameters.

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
        """The images, for x of shape (batch, channels times the kernel's size, windows)."""
        given = self.output_size, self.kernel_size, self.dilation, self.padding, self.stride
        return functional.fold(x, *given)


class UpsamplingNearest2d(Upsample):
    """Upsample with mode="nearest".

    >>> nn.UpsamplingNearest2d(size=(2, 3))(np.array([[[[1.0, 2.0, 3.0]]]]))
    array([[[[1., 2., 3.],
             [1., 2., 3.]]]])
    """

    def __init__(self, size: int | Sizes | None = None, scale_factor: float | tuple[float, ...] | None = None) -> None:
        super().__init__(size, scale_factor)


class UpsamplingBilinear2d(Upsample):
    """Upsample with mode="bilinear" and align_corners=True.

    >>> nn.UpsamplingBilinear2d(size=(1, 4))(np.array([[[[0.0, 3.0]]]]))
    array([[[[0., 1., 2., 3.]]]])
    """

    def __init__(self, size: int | Sizes | None = None, scale_factor: float | tuple[float, ...] | None = None) -> None:
        super().__init__(size, scale_factor, "bilinear", True)


class ChannelShuffle(Shown):
    """Channels reordered, one of each group in turn; functional.channel_shuffle describes the parameter.

    >>> nn.ChannelShuffle(2)(np.array([[[1.0], [2.0], [3.0], [4.0]]])).ravel()
    array([1., 3., 2., 4.])
    """

    def __init__(self, groups: int) -> None:
        self.groups = whole(groups, "ChannelShuffle's groups")

    def forward(self, x: Any) -> Any:
        """The same channels in another order, for x of shape (batch, channels, ...)."""
        return functional.channel_shuffle(x, self.groups)


class LocalResponseNorm(Shown):
    """x divided by a power of a mean of squares of neighbouring channels, as functional.local_response_norm describes.

    >>> nn.LocalResponseNorm(5)(np.ones((2, 16, 8, 8))).shape
    (2, 16, 8, 8)
    """

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> None:
        self.size = whole(size, "LocalResponseNorm's size")
        self.alpha, self.beta = real(alpha, "LocalResponseNorm: alpha"), real(beta, "LocalResponseNorm: beta")
        self.k = real(k, "LocalResponseNorm: k")

    def forward(self, x: Any) -> Any:
        """The normalised x, of shape (batch, channels, ...)."""
        return functional.local_response_norm(x, self.size, self.alpha, self.beta, self.k)


class Unflatten(Shown):
    """One axis split into several: nn.Unflatten(1, (16, 7, 7)) makes (batch, 784) into (batch, 16, 7, 7).

    >>> nn.Unflatten(1, (2, -1))(np.array([[1.0, 2.0, 3.0, 4.0]]))
    array([[[1., 2.],
            [3., 4.]]])
    """

    def __init__(self, dim: int, unflattened_size: Sizes) -> None:
        self.dim = whole(dim, "Unflatten's dim", None)
        self.unflattened_size = tuple(whole(n, "Unflatten's unflattened_size", None) for n in unflattened_size)

    def forward(self, x: Any) -> Any:
        """x with the axis `dim` in this shape, in which one length may be -1."""
        dim = self.dim % x.ndim
        return x.reshape(*x.shape[:dim], *self.unflattened_size, *x.shape[dim + 1 :])
