"""Layers of pooling."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nn import functional
from nn.checked import switch, whole
from nn.functional.adaptive import Wanted
from nn.functional.windows import Sizes, sizes
from nn.layers.convolution import shortened
from nn.model.module import Module


class _Pool(Module):
    """The base of layers with a sliding window."""

    axes = 2
    function: Callable[..., Any]

    def _begin(self, kernel_size: Any, stride: Any, padding: Any, ceil_mode: bool) -> None:
        name = type(self).__name__
        self.kernel_size = sizes(kernel_size, f"{name}'s kernel_size", self.axes)
        self.stride = self.kernel_size if stride is None else sizes(stride, f"{name}'s stride", self.axes)
        self.padding = sizes(padding, f"{name}'s padding", self.axes, least=0)
        self.ceil_mode = switch(ceil_mode, f"{name}: ceil_mode")

    def __repr__(self) -> str:
        usual: dict[str, Any] = {"stride": self.kernel_size, "padding": (0,) * self.axes, "dilation": (1,) * self.axes}
        usual |= {"return_indices": False, "ceil_mode": False, "count_include_pad": True, "divisor_override": None}
        given = ((k, getattr(self, k, v), v) for k, v in usual.items())
        unusual = [f", {k}={shortened(value)}" for k, value, v in given if value != v]
        return f"{type(self).__name__}({shortened(self.kernel_size)}{''.join(unusual)})"


class _MaxPool(_Pool):
    """The base of MaxPool1d, MaxPool2d and MaxPool3d."""

    def __init__(
        self,
        kernel_size: int | Sizes,
        stride: int | Sizes | None = None,
        padding: int | Sizes = 0,
        dilation: int | Sizes = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None:
        name = type(self).__name__
        self._begin(kernel_size, stride, padding, ceil_mode)
        self.dilation = sizes(dilation, f"{name}'s dilation", self.axes)
        self.return_indices = switch(return_indices, f"{name}: return_indices")

    def forward(self, x: Any) -> Any:
        """The windows' highest numbers, for x of shape (batch, channels, height, width)."""
        return type(self).function(
            x, self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode, self.return_indices
        )


class MaxPool2d(_MaxPool):
    """The maximum of each window of each channel; functional.max_pool2d describes the parameters.

    >>> nn.MaxPool2d(2)(np.arange(16.0).reshape(1, 1, 4, 4))
    array([[[[ 5.,  7.],
             [13., 15.]]]])
    """

    function = staticmethod(functional.max_pool2d)


class MaxPool1d(_MaxPool):
    """MaxPool2d of signals, of shape (batch, channels, length).

    >>> nn.MaxPool1d(2)(np.array([[[1.0, 3.0, 2.0, 0.0]]]))
    array([[[3., 2.]]])
    """

    axes = 1
    function = staticmethod(functional.max_pool1d)


class MaxPool3d(_MaxPool):
    """MaxPool2d of volumes, of shape (batch, channels, depth, height, width).

    >>> nn.MaxPool3d(2)(np.ones((1, 2, 4, 4, 4))).shape
    (1, 2, 2, 2, 2)
    """

    axes = 3
    function = staticmethod(functional.max_pool3d)


class _AvgPool(_Pool):
    """The base of AvgPool1d, AvgPool2d and AvgPool3d."""

    def __init__(
        self,
        kernel_size: int | Sizes,
        stride: int | Sizes | None = None,
        padding: int | Sizes = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> None:
        name = type(self).__name__
        self._begin(kernel_size, stride, padding, ceil_mode)
        self.count_include_pad = switch(count_include_pad, f"{name}: count_include_pad")
        self.divisor_override = None
        if divisor_override is not None:
            self.divisor_override = whole(divisor_override, f"{name}'s divisor_override")

    def forward(self, x: Any) -> Any:
        """The windows' means, for x of shape (batch, channels, height, width)."""
        given = self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad
        more = () if self.divisor_override is None else (self.divisor_override,)
        return type(self).function(x, *given, *more)


class AvgPool2d(_AvgPool):
    """The mean of each window of each channel; functional.avg_pool2d describes the parameters.

    >>> nn.AvgPool2d(2)(np.arange(16.0).reshape(1, 1, 4, 4))
    array([[[[ 2.5,  4.5],
             [10.5, 12.5]]]])
    """

    function = staticmethod(functional.avg_pool2d)


class AvgPool1d(_AvgPool):
    """AvgPool2d of signals, of shape (batch, channels, length); it has no divisor_override.

    >>> nn.AvgPool1d(2)(np.array([[[1.0, 3.0, 5.0, 7.0]]]))
    array([[[2., 6.]]])
    """

    axes = 1
    function = staticmethod(functional.avg_pool1d)

    def __init__(
        self,
        kernel_size: int | Sizes,
        stride: int | Sizes | None = None,
        padding: int | Sizes = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:
        super().__init__(kernel_size, stride, padding, ceil_mode, count_include_pad)


class AvgPool3d(_AvgPool):
    """AvgPool2d of volumes, of shape (batch, channels, depth, height, width).

    >>> nn.AvgPool3d(2)(np.ones((1, 2, 4, 4, 4))).shape
    (1, 2, 2, 2, 2)
    """

    axes = 3
    function = staticmethod(functional.avg_pool3d)


class _Adaptive(Module):
    """The base of the adaptive layers; functional.adaptive_avg_pool2d describes the parameters."""

    function: Callable[..., Any]

    def __init__(self, output_size: Wanted) -> None:
        self.output_size = tuple(output_size) if isinstance(output_size, tuple | list) else output_size

    def forward(self, x: Any) -> Any:
        """One number for each window, for x of shape (batch, channels, height, width)."""
        return type(self).function(x, self.output_size)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.output_size})"


class _AdaptiveMax(_Adaptive):
    def __init__(self, output_size: Wanted, return_indices: bool = False) -> None:
        super().__init__(output_size)
        self.return_indices = switch(return_indices, f"{type(self).__name__}: return_indices")

    def forward(self, x: Any) -> Any:
        """The windows' highest numbers, for x of shape (batch, channels, height, width)."""
        return type(self).function(x, self.output_size, self.return_indices)


class AdaptiveAvgPool2d(_Adaptive):
    """The mean of each of `output_size` windows of each channel, whatever the size of the images.

    >>> nn.AdaptiveAvgPool2d(1)(np.ones((8, 3, 7, 5))).shape
    (8, 3, 1, 1)
    """

    function = staticmethod(functional.adaptive_avg_pool2d)


class AdaptiveAvgPool1d(_Adaptive):
    """The mean of each of `output_size` windows of each channel, whatever the size of the signals.

    >>> nn.AdaptiveAvgPool1d(2)(np.arange(6.0).reshape(1, 1, 6))
    array([[[1., 4.]]])
    """

    function = staticmethod(functional.adaptive_avg_pool1d)


class AdaptiveAvgPool3d(_Adaptive):
    """The mean of each of `output_size` windows of each channel, whatever the size of the volumes.

    >>> nn.AdaptiveAvgPool3d((2, 3, 4))(np.ones((1, 2, 4, 6, 8))).shape
    (1, 2, 2, 3, 4)
    """

    function = staticmethod(functional.adaptive_avg_pool3d)


class AdaptiveMaxPool2d(_AdaptiveMax):
    """The highest number of each of `output_size` windows of each channel, whatever the size of the images.

    >>> nn.AdaptiveMaxPool2d((2, 1))(np.arange(16.0).reshape(1, 1, 4, 4))
    array([[[[ 7.],
             [15.]]]])
    """

    function = staticmethod(functional.adaptive_max_pool2d)


class AdaptiveMaxPool1d(_AdaptiveMax):
    """The highest number of each of `output_size` windows of each channel, whatever the size of the signals.

    >>> nn.AdaptiveMaxPool1d(2)(np.array([[[1.0, 3.0, 2.0, 0.0]]]))
    array([[[3., 2.]]])
    """

    function = staticmethod(functional.adaptive_max_pool1d)


class AdaptiveMaxPool3d(_AdaptiveMax):
    """The highest number of each of `output_size` windows of each channel, whatever the size of the volumes.

    >>> nn.AdaptiveMaxPool3d(2)(np.ones((1, 2, 4, 4, 4))).shape
    (1, 2, 2, 2, 2)
    """

    function = staticmethod(functional.adaptive_max_pool3d)
