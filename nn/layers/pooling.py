"""Pooling as layers."""

from __future__ import annotations

from typing import Any

from nn import functional
from nn.checked import switch
from nn.functional.windows import Pair, pair
from nn.layers.convolution import shortened
from nn.model.module import Module


class MaxPool2d(Module):
    """The highest number of each window of each channel; functional.max_pool2d describes the parameters."""

    def __init__(
        self,
        kernel_size: int | Pair,
        stride: int | Pair | None = None,
        padding: int | Pair = 0,
        dilation: int | Pair = 1,
        *,
        ceil_mode: bool = False,
    ) -> None:
        self.kernel_size = pair(kernel_size, "MaxPool2d's kernel_size")
        self.stride = self.kernel_size if stride is None else pair(stride, "MaxPool2d's stride")
        self.padding = pair(padding, "MaxPool2d's padding", least=0)
        self.dilation = pair(dilation, "MaxPool2d's dilation")
        self.ceil_mode = switch(ceil_mode, "MaxPool2d: ceil_mode")

    def forward(self, x: Any) -> Any:
        """The windows' highest numbers, for x of shape (batch, channels, height, width)."""
        return functional.max_pool2d(
            x, self.kernel_size, self.stride, self.padding, self.dilation, ceil_mode=self.ceil_mode
        )

    def __repr__(self) -> str:
        return _shown(self, stride=self.kernel_size, padding=(0, 0), dilation=(1, 1), ceil_mode=False)


class AvgPool2d(Module):
    """The mean of each window of each channel; functional.avg_pool2d describes the parameters."""

    def __init__(
        self,
        kernel_size: int | Pair,
        stride: int | Pair | None = None,
        padding: int | Pair = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:
        self.kernel_size = pair(kernel_size, "AvgPool2d's kernel_size")
        self.stride = self.kernel_size if stride is None else pair(stride, "AvgPool2d's stride")
        self.padding = pair(padding, "AvgPool2d's padding", least=0)
        self.ceil_mode = switch(ceil_mode, "AvgPool2d: ceil_mode")
        self.count_include_pad = switch(count_include_pad, "AvgPool2d: count_include_pad")

    def forward(self, x: Any) -> Any:
        """The windows' means, for x of shape (batch, channels, height, width)."""
        return functional.avg_pool2d(
            x, self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad
        )

    def __repr__(self) -> str:
        return _shown(self, stride=self.kernel_size, padding=(0, 0), ceil_mode=False, count_include_pad=True)


def _shown(layer: MaxPool2d | AvgPool2d, **usual: Any) -> str:
    """A layer as its call, without what is as usual."""
    unusual = [f", {k}={shortened(getattr(layer, k))}" for k, v in usual.items() if getattr(layer, k) != v]
    return f"{type(layer).__name__}({shortened(layer.kernel_size)}{''.join(unusual)})"
