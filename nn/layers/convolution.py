"""Convolutions as layers."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

import autodiff as ad
from nn import functional, init
from nn.checked import switch, whole
from nn.functional.windows import Sizes, sizes, sliding
from nn.layers.dense import Initialiser
from nn.model.module import Module

CONVOLUTIONS: dict[int, Callable[..., Any]] = {1: functional.conv1d, 2: functional.conv2d, 3: functional.conv3d}
TRANSPOSED: dict[int, Callable[..., Any]] = {
    1: functional.conv_transpose1d,
    2: functional.conv_transpose2d,
    3: functional.conv_transpose3d,
}
PADDING_MODES = ("zeros", "reflect", "replicate", "circular")


class _Convolution(Module):
    """The base of all convolutions: channels and parameters."""

    axes = 2
    weight: Any
    bias: Any

    def _begin(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        groups: int,
        bias: bool,
        rng: init.Rng,
        dtype: npt.DTypeLike,
        weight_init: Initialiser,
        transposed: bool = False,
    ) -> None:
        name = type(self).__name__
        self.in_channels = whole(in_channels, f"{name}'s in_channels")
        self.out_channels = whole(out_channels, f"{name}'s out_channels")
        self.groups = whole(groups, f"{name}'s groups")
        if self.in_channels % self.groups or self.out_channels % self.groups:
            raise ValueError(
                f"{name} cuts its channels into groups of one size; received in_channels={in_channels}, "
                f"out_channels={out_channels} and groups={groups}. Let groups divide both."
            )
        self.kernel_size = sizes(kernel_size, f"{name}'s kernel_size", self.axes)
        ends = (self.in_channels, self.out_channels) if transposed else (self.out_channels, self.in_channels)
        shape = (ends[0], ends[1] // self.groups, *self.kernel_size)
        bias = switch(bias, f"{name}: bias")
        self.weight = ad.Tensor(init.initial(weight_init, shape, rng, dtype, f"{name}: weight_init"), name="weight")
        self.bias = ad.Tensor(init.zeros((self.out_channels,), dtype=dtype), name="bias") if bias else None

    def __repr__(self) -> str:
        usual: dict[str, Any] = dict.fromkeys(("padding", "output_padding"), (0,) * self.axes)
        usual |= dict.fromkeys(("stride", "dilation"), (1,) * self.axes) | {"groups": 1, "padding_mode": "zeros"}
        parts = [str(self.in_channels), str(self.out_channels), shortened(self.kernel_size)]
        names = ("stride", "padding", "output_padding", "dilation", "groups", "padding_mode")
        given = ((name, getattr(self, name, usual[name])) for name in names)
        parts += [f"{name}={shortened(value)}" for name, value in given if value != usual[name]]
        if self.bias is None:
            parts.append("bias=False")
        return f"{type(self).__name__}({', '.join(parts)})"


class _Conv(_Convolution):
    """The base of Conv1d, Conv2d and Conv3d, which differ only in the number of axes."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | Sizes,
        stride: int | Sizes = 1,
        padding: int | Sizes | str = 0,
        dilation: int | Sizes = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        *,
        rng: init.Rng = None,
        dtype: npt.DTypeLike = np.float32,
        weight_init: Initialiser = init.lecun_uniform,
    ) -> None:
        name = type(self).__name__
        self._begin(in_channels, out_channels, kernel_size, groups, bias, rng, dtype, weight_init)
        windows = sliding(name, self.kernel_size, stride, padding, dilation)
        self.stride, self.dilation, self._borders = windows.stride, windows.dilation, windows.padding
        self.padding = padding if isinstance(padding, str) else sizes(padding, f"{name}'s padding", self.axes, least=0)
        if padding_mode not in PADDING_MODES:
            modes = ", ".join(map(repr, PADDING_MODES))
            raise ValueError(f"{name}: padding_mode is one of {modes}; received {padding_mode!r:.80}.")
        self.padding_mode = padding_mode

    def forward(self, x: Any) -> Any:
        """The convolution of x, of shape (batch, in_channels, height, width)."""
        padding: Any = self.padding
        if self.padding_mode != "zeros":
            around = list(itertools.chain(*self._borders[::-1]))
            x, padding = functional.pad(x, around, mode=self.padding_mode), 0
        convolved = CONVOLUTIONS[self.axes]
        return convolved(x, self.weight, self.bias, self.stride, padding, self.dilation, self.groups)


class Conv2d(_Conv):
    """A convolution of images (LeCun et al. 1989), in the dtype of its weight; functional.conv2d gives the formula.

    Parameters
    ----------
    in_channels, out_channels : the number of channels of the images, and of the result
    kernel_size, stride, dilation : an int, or a pair (vertical, horizontal)
    padding : an int, a pair, "valid" or "same"
    groups : the number of groups that the channels are divided into; each output sees one group
    padding_mode : the values of the padding: "zeros", or as in functional.pad "reflect", "replicate" or "circular"
    bias : whether a number is added to each output
    rng : the generator of the weight: a numpy.random.Generator, an int seed, or None. Layers with the same seed start
        with the same numbers; to make several layers from one seed, pass them one generator
    dtype : float32 or float64; the layer computes in it, whatever its input
    weight_init : a function (shape, rng, dtype), such as those of nn.init; the bias starts at 0

    `weight` has the shape (out_channels, in_channels / groups, kernel height, kernel width), `bias` (out_channels,).

    >>> layer = nn.Conv2d(3, 16, 5, padding="same", rng=0)
    >>> layer(np.zeros((8, 3, 32, 32))).shape, layer.weight.shape
    ((8, 16, 32, 32), (16, 3, 5, 5))
    """


class Conv1d(_Conv):
    """Conv2d of signals, of shape (batch, in_channels, length); `weight` has the one axis of the kernel.

    >>> nn.Conv1d(2, 4, kernel_size=3, rng=0)(np.zeros((8, 2, 10))).shape
    (8, 4, 8)
    """

    axes = 1


class Conv3d(_Conv):
    """Conv2d of volumes, of shape (batch, in_channels, depth, height, width).

    >>> nn.Conv3d(1, 2, 3, stride=2, rng=0)(np.zeros((1, 1, 9, 9, 9))).shape
    (1, 2, 4, 4, 4)
    """

    axes = 3


class ConvTranspose(_Convolution):
    """The base of ConvTranspose1d, ConvTranspose2d and ConvTranspose3d."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | Sizes,
        stride: int | Sizes = 1,
        padding: int | Sizes = 0,
        output_padding: int | Sizes = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: int | Sizes = 1,
        *,
        rng: init.Rng = None,
        dtype: npt.DTypeLike = np.float32,
        weight_init: Initialiser = init.lecun_uniform,
    ) -> None:
        name = type(self).__name__
        self._begin(in_channels, out_channels, kernel_size, groups, bias, rng, dtype, weight_init, transposed=True)
        self.stride = sizes(stride, f"{name}'s stride", self.axes)
        self.padding = sizes(padding, f"{name}'s padding", self.axes, least=0)
        self.output_padding = sizes(output_padding, f"{name}'s output_padding", self.axes, least=0)
        self.dilation = sizes(dilation, f"{name}'s dilation", self.axes)

    def forward(self, x: Any) -> Any:
        """The transposed convolution of x, of shape (batch, in_channels, height, width)."""
        laid = TRANSPOSED[self.axes]
        return laid(
            x, self.weight, self.bias, self.stride, self.padding, self.output_padding, self.groups, self.dilation
        )


class ConvTranspose2d(ConvTranspose):
    """A transposed convolution, which makes images larger; functional.conv_transpose2d describes it.

    Parameters
    ----------
    in_channels, out_channels : the number of channels of the images, and of the result
    kernel_size, stride, dilation : an int, or a pair (vertical, horizontal), as the next two
    padding : the number of pixels cut off from each side of the result
    output_padding : the number of pixels added at the bottom and right
    groups, bias, rng, dtype, weight_init : as in Conv2d; fan_in and fan_out are those of a convolution from the result

    `weight` has the shape (in_channels, out_channels / groups, kernel height, kernel width), `bias` (out_channels,).

    >>> nn.ConvTranspose2d(16, 3, 2, stride=2, rng=0)(np.zeros((8, 16, 7, 7))).shape
    (8, 3, 14, 14)
    """


class ConvTranspose1d(ConvTranspose):
    """ConvTranspose2d of signals, of shape (batch, in_channels, length).

    >>> nn.ConvTranspose1d(4, 2, 2, stride=2, rng=0)(np.zeros((8, 4, 5))).shape
    (8, 2, 10)
    """

    axes = 1


class ConvTranspose3d(ConvTranspose):
    """ConvTranspose2d of volumes, of shape (batch, in_channels, depth, height, width).

    >>> nn.ConvTranspose3d(2, 1, 2, rng=0)(np.zeros((1, 2, 3, 3, 3))).shape
    (1, 1, 4, 4, 4)
    """

    axes = 3


def shortened(value: Any) -> str:
    """A tuple of equal numbers as one number."""
    return repr(value[0] if isinstance(value, tuple) and len(set(value)) == 1 else value)
