"""Convolution as a layer."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

import autodiff as ad
from nn import functional, init
from nn.checked import switch, whole
from nn.functional.windows import Pair, pair, sliding
from nn.layers.dense import Initialiser
from nn.model.module import Module


class Conv2d(Module):
    """A convolution of images (LeCun et al. 1989), in the dtype of its weight; functional.conv2d says what it computes.

    Parameters
    ----------
    in_channels, out_channels : how many the images have, and the result
    kernel_size, stride, dilation : an int, or a pair (vertical, horizontal)
    padding : the same, or "valid" or "same"
    groups : the channels are cut into so many groups, each output sees one of them
    bias : whether a number is added to each output
    rng : where the weight is drawn from: a numpy.random.Generator, an int seed, or None. Layers that are made with
        the same seed start alike; to make several from one seed, pass them one generator
    dtype : float32 or float64; the layer computes in it, whatever its input
    weight_init : a function (shape, rng, dtype), such as those of nn.init; the bias starts at 0

    `weight` has the shape (out_channels, in_channels / groups, kernel height, kernel width), `bias` (out_channels,).
    """

    weight: ad.Tensor
    bias: ad.Tensor | None

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | Pair,
        stride: int | Pair = 1,
        padding: int | Pair | str = 0,
        dilation: int | Pair = 1,
        groups: int = 1,
        bias: bool = True,
        *,
        rng: init.Rng = None,
        dtype: npt.DTypeLike = np.float32,
        weight_init: Initialiser = init.lecun_uniform,
    ) -> None:
        self.in_channels = whole(in_channels, "Conv2d's in_channels")
        self.out_channels = whole(out_channels, "Conv2d's out_channels")
        self.groups = whole(groups, "Conv2d's groups")
        if self.in_channels % self.groups or self.out_channels % self.groups:
            raise ValueError(
                f"Conv2d cuts its channels into groups of one size; received in_channels={in_channels}, "
                f"out_channels={out_channels} and groups={groups}. Let groups divide both."
            )
        self.kernel_size = pair(kernel_size, "Conv2d's kernel_size")
        windows = sliding("Conv2d", self.kernel_size, stride, padding, dilation)
        self.stride, self.dilation = windows.stride, windows.dilation
        self.padding = padding if isinstance(padding, str) else pair(padding, "Conv2d's padding", least=0)
        shape = (self.out_channels, self.in_channels // self.groups, *self.kernel_size)
        bias = switch(bias, "Conv2d: bias")
        self.weight = ad.Tensor(init.initial(weight_init, shape, rng, dtype, "Conv2d: weight_init"), name="weight")
        self.bias = ad.Tensor(init.zeros((self.out_channels,), dtype=dtype), name="bias") if bias else None

    def forward(self, x: Any) -> Any:
        """The convolution of x, of shape (batch, in_channels, height, width)."""
        return functional.conv2d(x, self.weight, self.bias, self.stride, self.padding, self.dilation, self.groups)

    def __repr__(self) -> str:
        usual = {"stride": (1, 1), "padding": (0, 0), "dilation": (1, 1), "groups": 1}
        parts = [str(self.in_channels), str(self.out_channels), shortened(self.kernel_size)]
        parts += [f"{k}={shortened(getattr(self, k))}" for k, v in usual.items() if getattr(self, k) != v]
        if self.bias is None:
            parts.append("bias=False")
        return f"Conv2d({', '.join(parts)})"


def shortened(value: Any) -> str:
    """A pair of equal numbers as one."""
    return repr(value[0] if isinstance(value, tuple) and value[0] == value[1] else value)
