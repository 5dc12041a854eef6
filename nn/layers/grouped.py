"""Layers that normalise each sample alone: by groups of channels, by single channels, or by the root mean square."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

import autodiff as ad
from nn import functional, init
from nn.checked import real, switch, whole
from nn.functional.normalisation import of_dtype
from nn.layers.normalisation import BatchNorm
from nn.model.module import Module


class GroupNorm(Module):
    """Each group of channels of a sample normalised to mean 0 and variance 1, then scaled and shifted (Wu & He 2018).

    It is the same in training and in evaluation, and independent of the batch.

    Parameters
    ----------
    num_groups : the number of equal groups that the channels are divided into
    num_channels : the channels C of an input of shape (batch, C, ...)
    eps : a number from 0, added to the variance
    affine : whether there are `weight` and `bias`, of shape (C,), which start at 1 and 0
    dtype : float32 or float64; the layer computes in it, whatever its input

    >>> nn.GroupNorm(2, 4)(np.ones((8, 4, 5, 5))).shape
    (8, 4, 5, 5)
    """

    weight: Any
    bias: Any

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        *,
        dtype: npt.DTypeLike = np.float32,
    ) -> None:
        self.num_groups = whole(num_groups, "GroupNorm's num_groups")
        self.num_channels = whole(num_channels, "GroupNorm's num_channels")
        if self.num_channels % self.num_groups:
            raise ValueError(
                f"GroupNorm cuts its channels into groups of one size; received num_channels={num_channels} and "
                f"num_groups={num_groups}. Let num_groups divide the channels."
            )
        self.eps, self.dtype = real(eps, "GroupNorm: eps"), init.floating(dtype)
        shape, affine = (self.num_channels,), switch(affine, "GroupNorm: affine")
        self.weight = ad.Tensor(init.ones(shape, dtype=dtype), name="weight") if affine else None
        self.bias = ad.Tensor(init.zeros(shape, dtype=dtype), name="bias") if affine else None

    def forward(self, x: Any) -> Any:
        """The normalised x, of shape (batch, channels, ...)."""
        x = of_dtype(x, self.dtype, "GroupNorm")
        if x.ndim < 2 or x.shape[1] != self.num_channels:
            raise ValueError(
                f"{self!r} takes input of shape (batch, {self.num_channels}, ...); received shape {x.shape}. A single "
                "sample is x[None], a batch of one."
            )
        return functional.group_norm(x, self.num_groups, self.weight, self.bias, self.eps)

    def __repr__(self) -> str:
        parts = [str(self.num_groups), str(self.num_channels)] + [f"eps={self.eps}"] * (self.eps != 1e-5)
        return f"GroupNorm({', '.join(parts + ['affine=False'] * (self.weight is None))})"


class _InstanceNorm(BatchNorm):
    """The base of InstanceNorm1d, InstanceNorm2d and InstanceNorm3d, which differ only in the shape of the input."""

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        *,
        dtype: npt.DTypeLike = np.float32,
    ) -> None:
        super().__init__(num_features, eps, momentum, affine, track_running_stats, dtype=dtype)

    def forward(self, x: Any) -> Any:
        """The normalised x, in its shape."""
        x = of_dtype(x, self.dtype, type(self).__name__)
        if x.ndim not in self.axes or x.shape[x.ndim - self.axes[0]] != self.num_features:
            raise ValueError(
                f"{self!r} takes input of shape {self.shapes}, or without the batch, with {self.num_features} "
                f"channels; received shape {x.shape}."
            )
        batch = x if x.ndim == self.axes[1] else x[None]
        own = self.training or self.running_mean is None
        given = self.running_mean, self.running_var, self.weight, self.bias
        y = functional.instance_norm(batch, *given, own, self.momentum or 0.0, self.eps)
        return y if x.ndim == self.axes[1] else y[0]

    def __repr__(self) -> str:
        parts = [str(self.num_features)]
        parts += [f"eps={self.eps}"] * (self.eps != 1e-5) + [f"momentum={self.momentum}"] * (self.momentum != 0.1)
        parts += ["affine=True"] * (self.weight is not None)
        parts += ["track_running_stats=True"] * (self.running_mean is not None)
        return f"{type(self).__name__}({', '.join(parts)})"


class InstanceNorm1d(_InstanceNorm):
    """Each channel of each sample normalised to mean 0 and variance 1 over its length (Ulyanov et al. 2016).

    Parameters
    ----------
    num_features : the channels C of an input of shape (batch, C, length), or (C, length)
    eps, momentum, dtype : as in BatchNorm1d
    affine : whether there are `weight` and `bias`, of shape (C,)
    track_running_stats : whether to keep running averages, which evaluation uses

    >>> nn.InstanceNorm1d(2)(np.array([[[1.0, 3.0], [10.0, 30.0]]])).round(3)
    array([[[-1.,  1.],
            [-1.,  1.]]], dtype=float32)
    """

    axes = 2, 3
    shapes = "(batch, channels, length)"


class InstanceNorm2d(_InstanceNorm):
    """InstanceNorm1d of images, of shape (batch, channels, height, width) or (channels, height, width).

    >>> nn.InstanceNorm2d(3)(np.ones((8, 3, 5, 5))).shape
    (8, 3, 5, 5)
    """

    axes = 3, 4
    shapes = "(batch, channels, height, width)"


class InstanceNorm3d(_InstanceNorm):
    """InstanceNorm1d of volumes, of shape (batch, channels, depth, height, width) or without the batch.

    >>> nn.InstanceNorm3d(3)(np.ones((2, 3, 4, 5, 5))).shape
    (2, 3, 4, 5, 5)
    """

    axes = 4, 5
    shapes = "(batch, channels, depth, height, width)"


class RMSNorm(Module):
    """Each sample divided by the root mean square of its features, then scaled (Zhang & Sennrich 2019).

    Parameters
    ----------
    normalized_shape : the lengths of the last axes, over which the mean is taken
    eps : a number from 0, added to the mean square; by default the distance from 1 to the next number of the dtype
    elementwise_affine : whether there is a `weight`, of that shape, which starts at 1
    dtype : float32 or float64; the layer computes in it, whatever its input

    >>> nn.RMSNorm(2)(np.array([[3.0, 4.0]])).value.round(4)
    array([[0.8485, 1.1314]], dtype=float32)
    """

    weight: Any

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float | None = None,
        elementwise_affine: bool = True,
        *,
        dtype: npt.DTypeLike = np.float32,
    ) -> None:
        shape: Sequence[Any] = normalized_shape if isinstance(normalized_shape, tuple | list) else [normalized_shape]
        self.normalized_shape = tuple(whole(n, "RMSNorm's normalized_shape (each axis)") for n in shape)
        self.eps = None if eps is None else real(eps, "RMSNorm: eps")
        self.dtype = init.floating(dtype)
        ones = init.ones(self.normalized_shape, dtype=dtype)
        self.weight = (
            ad.Tensor(ones, name="weight") if switch(elementwise_affine, "RMSNorm: elementwise_affine") else None
        )

    def forward(self, x: Any) -> Any:
        """The normalised x, of shape (..., *normalized_shape)."""
        x = of_dtype(x, self.dtype, "RMSNorm")
        return functional.rms_norm(x, self.normalized_shape, self.weight, self.eps)

    def __repr__(self) -> str:
        shape = self.normalized_shape
        parts = [str(shape[0] if len(shape) == 1 else shape)] + [f"eps={self.eps}"] * (self.eps is not None)
        return f"RMSNorm({', '.join(parts + ['elementwise_affine=False'] * (self.weight is None))})"
