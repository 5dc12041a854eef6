"""Layers that normalise activations over the batch or over the features, and `weight_norm`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

import autodiff as ad
from nn import functional, init
from nn.checked import real, switch, whole
from nn.functional.normalisation import lengths, of_dtype
from nn.model.module import Module

M = TypeVar("M", bound=Module)


class BatchNorm(Module):
    """The base of BatchNorm1d, BatchNorm2d and BatchNorm3d, which differ only in the shape of the input."""

    axes: tuple[int, ...] = ()  # the numbers of axes that an input may have
    shapes = ""  # its shapes, for error messages
    weight: Any
    bias: Any
    running_mean: npt.NDArray[Any] | None
    running_var: npt.NDArray[Any] | None
    num_batches_tracked: npt.NDArray[np.int64] | None

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        *,
        dtype: npt.DTypeLike = np.float32,
    ) -> None:
        name = type(self).__name__
        self.num_features = whole(num_features, f"{name}'s num_features")
        self.eps = real(eps, f"{name}: eps")
        self.momentum = None if momentum is None else real(momentum, f"{name}: momentum", most=1)
        self.dtype, shape = init.floating(dtype), (self.num_features,)
        affine = switch(affine, f"{name}: affine")
        track_running_stats = switch(track_running_stats, f"{name}: track_running_stats")
        self.weight = ad.Tensor(init.ones(shape, dtype=dtype), name="weight") if affine else None
        self.bias = ad.Tensor(init.zeros(shape, dtype=dtype), name="bias") if affine else None
        self.running_mean = init.zeros(shape, dtype=dtype) if track_running_stats else None
        self.running_var = init.ones(shape, dtype=dtype) if track_running_stats else None
        self.num_batches_tracked = np.array(0) if track_running_stats else None

    def forward(self, x: Any) -> Any:
        """The normalised x, in its shape."""
        shape = x.shape if isinstance(x, ad.Tensor) else np.shape(x)
        if len(shape) not in self.axes or shape[1] != self.num_features:
            raise ValueError(
                f"{self!r} takes input of shape {self.shapes} with {self.num_features} channels; "
                f"received shape {shape}. A single sample is x[None], a batch of one."
            )
        momentum, count = self.momentum, self.num_batches_tracked
        if momentum is None:
            momentum = 0.0 if count is None else 1 / (int(count) + 1)
        in_training = self.training or self.running_mean is None
        if self.weight is None and self.running_mean is None:
            x = of_dtype(x, self.dtype, type(self).__name__)
        y = functional.batch_norm(
            x, self.running_mean, self.running_var, self.weight, self.bias, in_training, momentum, self.eps
        )
        if self.training and count is not None:
            count += 1
        return y

    def __repr__(self) -> str:
        parts = [str(self.num_features)]
        parts += [f"eps={self.eps}"] * (self.eps != 1e-5) + [f"momentum={self.momentum}"] * (self.momentum != 0.1)
        parts += ["affine=False"] * (self.weight is None) + ["track_running_stats=False"] * (self.running_mean is None)
        return f"{type(self).__name__}({', '.join(parts)})"


class BatchNorm1d(BatchNorm):
    """Batch normalisation: each feature gets mean 0 and variance 1, then a scale and a shift (Ioffe & Szegedy 2015).

    In training it uses the mean and the biased variance of the batch, which needs at least two samples. In evaluation
    (`model.eval()`) it uses running averages of them, so that a sample's result does not depend on its batch. The
    statistics of a small batch, such as the last one of an epoch, are mostly noise; leave it out with
    nn.data.DataLoader(..., drop_last=True).

    Parameters
    ----------
    num_features : the channels C of an input of shape (batch, C) or (batch, C, length)
    eps : a number from 0, added to the variance
    momentum : the share, from 0 to 1, of a batch in the new running average; None for the mean of all batches
    affine : whether there are `weight` and `bias`, of shape (C,), which start at 1 and 0
    track_running_stats : whether there are the buffers `running_mean`, `running_var` and `num_batches_tracked`;
        without them evaluation, too, uses the statistics of its batch
    dtype : float32 or float64; the layer computes in it, whatever its input

    A bias in the layer before has no effect in training: write nn.Linear(..., bias=False) there. Inside ad.checkpoint,
    which calls a function twice, a batch counts twice in the running averages.

    >>> layer = nn.BatchNorm1d(2)
    >>> layer(np.array([[1.0, 10.0], [3.0, 30.0]])).value.round(3)
    array([[-1., -1.],
           [ 1.,  1.]], dtype=float32)
    >>> layer.running_mean
    array([0.2, 2. ], dtype=float32)
    """

    axes = 2, 3
    shapes = "(batch, channels) or (batch, channels, length)"


class BatchNorm2d(BatchNorm):
    """Each channel of images normalised to mean 0 and variance 1 over batch and pixels, then scaled and shifted.

    The input has the shape (batch, channels, height, width); everything else is as in BatchNorm1d.

    >>> nn.BatchNorm2d(3)(np.ones((8, 3, 5, 5))).shape
    (8, 3, 5, 5)
    """

    axes = (4,)
    shapes = "(batch, channels, height, width)"


class BatchNorm3d(BatchNorm):
    """BatchNorm2d of volumes, of shape (batch, channels, depth, height, width).

    >>> nn.BatchNorm3d(3)(np.ones((2, 3, 4, 5, 5))).shape
    (2, 3, 4, 5, 5)
    """

    axes = (5,)
    shapes = "(batch, channels, depth, height, width)"


class LayerNorm(Module):
    """Each sample normalised to mean 0 and variance 1 over its features, then scaled and shifted (Ba et al. 2016).

    It is the same in training and in evaluation, and independent of the batch.

    Parameters
    ----------
    normalized_shape : the lengths of the last axes, over which mean and biased variance are taken
    eps : a number from 0, added to the variance
    elementwise_affine : whether there is a `weight`, of that shape, which starts at 1
    bias : whether there is, with the weight, a `bias`, which starts at 0
    dtype : float32 or float64; the layer computes in it, whatever its input

    >>> nn.LayerNorm(2)(np.array([[1.0, 3.0], [10.0, 30.0]])).value.round(3)
    array([[-1.,  1.],
           [-1.,  1.]], dtype=float32)
    """

    weight: Any
    bias: Any

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        *,
        dtype: npt.DTypeLike = np.float32,
    ) -> None:
        shape: Sequence[Any] = normalized_shape if isinstance(normalized_shape, tuple | list) else [normalized_shape]
        self.normalized_shape = tuple(whole(n, "LayerNorm's normalized_shape (each axis)") for n in shape)
        self.eps = real(eps, "LayerNorm: eps")
        self.dtype = init.floating(dtype)
        elementwise_affine = switch(elementwise_affine, "LayerNorm: elementwise_affine")
        bias = switch(bias, "LayerNorm: bias")
        ones, zeros = (f(self.normalized_shape, dtype=dtype) for f in (init.ones, init.zeros))
        self.weight = ad.Tensor(ones, name="weight") if elementwise_affine else None
        self.bias = ad.Tensor(zeros, name="bias") if elementwise_affine and bias else None

    def forward(self, x: Any) -> Any:
        """The normalised x, of shape (..., *normalized_shape)."""
        if self.weight is None:
            x = of_dtype(x, self.dtype, "LayerNorm")
        return functional.layer_norm(x, self.normalized_shape, self.weight, self.bias, self.eps)

    def __repr__(self) -> str:
        shape = self.normalized_shape
        parts = [str(shape[0] if len(shape) == 1 else shape)] + [f"eps={self.eps}"] * (self.eps != 1e-5)
        if self.weight is None:
            parts.append("elementwise_affine=False")
        elif self.bias is None:
            parts.append("bias=False")
        return f"LayerNorm({', '.join(parts)})"


def weight_norm(module: M, name: str = "weight", dim: int | None = 0) -> M:
    """The same layer with its weight split into length and direction: g v / |v| (Salimans & Kingma 2016).

    The parameter `weight` is replaced by `weight_g`, its lengths, and `weight_v`, its directions (PyTorch's names);
    `module.weight` is computed from the two whenever it is read. The layer is changed in place, and its results stay
    the same. Make the optimizer afterwards, since these two are now the parameters.

    Parameters
    ----------
    module : a layer, such as nn.Linear(3, 2)
    name : the name of one of its parameters
    dim : the axis along which each index has its own length: 0 for each unit; None for one length of the whole

    >>> layer = nn.weight_norm(nn.Linear(3, 2))

    Raises TypeError for a name that is no parameter of the layer, ValueError for an axis that it does not have and for
    directions of length 0.
    """
    weight = getattr(module, name, None)
    if not isinstance(module, Module) or not isinstance(weight, ad.Tensor) or name not in vars(module):
        hint = "unfreeze the layer first" if isinstance(weight, np.ndarray) else "write nn.weight_norm(nn.Linear(3, 2))"
        raise TypeError(
            f"weight_norm takes a layer and the name of one of its parameters; received {module!r:.80} and {name!r}, "
            f"which is a {type(weight).__name__}: {hint}."
        )
    if dim is not None and not -weight.ndim <= dim < weight.ndim:
        raise ValueError(f"weight_norm: {name} of shape {weight.shape} has no axis {dim!r}; write dim=0.")
    v = ad.stop_gradient(weight)
    g = lengths(v, dim)
    if not np.all(g):
        raise ValueError(
            f"weight_norm of {module!r}: {name} has {np.count_nonzero(np.equal(g, 0))} part(s) of length 0, which have "
            "no direction. Initialise it otherwise, or normalise it before it is set to zeros."
        )
    delattr(module, name)
    for part, value in ((f"{name}_g", g), (f"{name}_v", v)):
        setattr(module, part, ad.Tensor(value, name=part))

    module.__class__ = _normed(type(module), name, dim)  # type: ignore[assignment]  # a subclass made here
    return module


def _normed(kind: type[Module], name: str, dim: int | None) -> type[Module]:
    """A new class whose `weight` is a property that computes it; the layer's forward still reads self.weight."""
    length, direction = f"{name}_g", f"{name}_v"
    plain, normed = getattr(kind, "_normed", (kind, ()))

    def weight(self: Module) -> Any:
        """The weight that the layer computes with."""
        return functional.weight_norm(getattr(self, direction), getattr(self, length), dim)

    attributes = {
        name: property(weight),
        "_normed": (plain, (*normed, (name, dim))),
        "__repr__": lambda self: f"weight_norm({kind.__repr__(self)})",
        "__reduce__": lambda self: (_blank, self._normed, self.__getstate__()),
        "__doc__": kind.__doc__,
        "__module__": kind.__module__,
    }
    return type(kind.__name__, (kind,), attributes)


def _blank(kind: type[Module], normed: tuple[tuple[str, int | None], ...]) -> Module:
    """A layer of such a class without attributes, which copy and pickle then fill."""
    for name, dim in normed:
        kind = _normed(kind, name, dim)
    return object.__new__(kind)
