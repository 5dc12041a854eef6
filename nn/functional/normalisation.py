"""Normalisation of activations to mean 0 and variance 1, over the batch or over the features of each sample."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

import autodiff as ad
from nn.checked import array, real
from nn.functional import across, synchronised
from nn.functional.normalised import Kept, batch_normalised, layer_normalised
from nn.functional.steps import along, normalising, per_channel, scaled

Array = npt.NDArray[Any]


def batch_norm(
    x: Any,
    running_mean: Array | None,
    running_var: Array | None,
    weight: Any = None,
    bias: Any = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Any:
    """Each channel normalised to mean 0 and variance 1 over the batch, times its weight, plus its bias.

    y = (x - m) / √(v + eps) · weight + bias. In training m and v are the batch's mean and biased variance. The running
    averages, unless None, then move towards them in place, by the fraction `momentum` of the difference (towards the
    unbiased variance, as in PyTorch). In evaluation m and v are the running averages. Source: Ioffe & Szegedy 2015.

    Parameters
    ----------
    x : of shape (batch, channels) or (batch, channels, ...)
    running_mean, running_var, weight, bias : of shape (channels,), or None; x is converted to their dtype
    momentum : from 0 to 1
    eps : from 0, in units of the variance

    Raises ValueError for shapes that do not fit together, for training with fewer than two values per channel
    (their variance is 0), and for evaluation without running statistics.

    >>> x = np.array([[1.0, 10.0], [3.0, 30.0]])
    >>> F.batch_norm(x, None, None, training=True).round(3)
    array([[-1., -1.],
           [ 1.,  1.]])
    """
    momentum = real(momentum, "batch_norm: momentum", most=1)
    eps = real(eps, "batch_norm: eps")
    given = [v for v in (weight, bias, running_mean, running_var) if v is not None]
    x = of_dtype(x, getattr(given[0], "dtype", None) if given else None, "batch_norm")
    if x.ndim < 2 or not _all_of_shape(x.shape[1:2], given):
        named = {"running_mean": running_mean, "running_var": running_var, "weight": weight, "bias": bias}
        raise ValueError(
            "batch_norm takes x of shape (batch, channels) or (batch, channels, ...), and arrays of one number per "
            f"channel; received x of shape {x.shape}{_shapes(named)}. Bring the channels to axis 1."
        )
    if training:
        count, shared = per_channel(x), across.added.get() is not None
        if count < 2 and not shared:
            raise ValueError(
                "batch_norm in training takes at least 2 values per channel, whose variance it is; received x of "
                f"shape {x.shape}, {count} per channel. Use a larger batch (drop a last one of a single sample), or "
                "evaluate: model.eval()."
            )
        if shared:
            y, mean, variance = synchronised.with_statistics(x, weight, bias, eps)
        else:
            y, mean, variance = with_statistics(x, weight, bias, eps)
        if running_mean is not None:
            move(running_mean, mean, momentum, "batch_norm", "running_mean")
        if running_var is not None:
            move(running_var, variance, momentum, "batch_norm", "running_var")
        return y
    if running_mean is None or running_var is None:
        raise ValueError(
            "batch_norm in evaluation normalises by running statistics; received None for them. Pass "
            "running_mean and running_var, or training=True for those of the batch."
        )
    # Copies: later training writes into the statistics, and the graph may be read after that.
    rest = x - along(np.copy(ad.stop_gradient(running_mean)), x)
    variance = np.copy(ad.stop_gradient(running_var))
    return scaled(rest, normalising(variance, weight, eps=eps), bias)


def with_statistics(x: Any, weight: Any, bias: Any, eps: float) -> tuple[Any, Any, Any]:
    """Each channel normalised by its own statistics, its mean, and its unbiased variance."""
    kept, count = Kept(), per_channel(x)
    y = batch_normalised(x, weight, bias, eps=eps, kept=kept)
    return y, kept.mean, kept.variance * (count / (count - 1))


def layer_norm(
    x: Any, normalized_shape: int | Sequence[int], weight: Any = None, bias: Any = None, eps: float = 1e-5
) -> Any:
    """Each sample normalised to mean 0 and variance 1 over its features, times their weights, plus their biases.

    It is the same in training and in evaluation, and does not depend on the other samples of the batch. Source: Ba et
    al. 2016.

    Parameters
    ----------
    x : of shape (..., *normalized_shape)
    normalized_shape : the lengths of the last axes, over which mean and biased variance are taken; an int for one axis
    weight, bias : of that shape, or None; x is converted to their dtype
    eps : from 0, in units of the variance

    Raises ValueError for shapes that do not belong together.

    >>> F.layer_norm(np.array([[1.0, 3.0], [10.0, 30.0]]), 2).round(3)
    array([[-1.,  1.],
           [-1.,  1.]])
    """
    eps = real(eps, "layer_norm: eps")
    shape = (normalized_shape,) if isinstance(normalized_shape, int | np.integer) else tuple(normalized_shape)
    given = [v for v in (weight, bias) if v is not None]
    x = of_dtype(x, getattr(given[0], "dtype", None) if given else None, "layer_norm")
    features = math.prod(shape)
    if not shape or not features or x.shape[-len(shape) :] != shape or not _all_of_shape(shape, given):
        raise ValueError(
            f"layer_norm takes x of shape (..., *normalized_shape), and weight and bias of normalized_shape, which has "
            f"no 0; received x of shape {x.shape}, normalized_shape {shape}"
            f"{_shapes({'weight': weight, 'bias': bias})}."
        )
    whole = x.shape
    if x.ndim != 2 or len(shape) != 1:
        x, weight, bias = (
            v if v is None else np.reshape(v, s) for v, s in ((x, (-1, features)), (weight, -1), (bias, -1))
        )
    y = layer_normalised(x, weight, bias, eps=eps, kept=Kept())
    return y if y.shape == whole else np.reshape(y, whole)


def weight_norm(v: Any, g: Any, dim: int | None = 0) -> Any:
    """A weight from its length and direction, g v / |v|, for each index along `dim` (Salimans & Kingma 2016).

    Parameters
    ----------
    v : the direction, of the weight's shape, not zero
    g : the lengths, of shape 1 along the other axes; with dim=None, which takes v as one vector, of shape ()

    >>> F.weight_norm(np.array([[3.0, 4.0]]), np.array([[10.0]]))
    array([[6., 8.]])
    """
    return v * (g / lengths(v, dim))


def lengths(v: Any, dim: int | None = 0) -> Any:
    """The Euclidean length of v for each index along `dim`, with the other axes of length 1; for None, of all of v."""
    if dim is None:
        return np.sqrt(np.sum(v * v))
    others = tuple(k for k in range(v.ndim) if k != dim % v.ndim)
    return np.sqrt(np.sum(v * v, axis=others, keepdims=True))


def _all_of_shape(shape: tuple[int, ...], arrays: list[Any]) -> bool:
    """Whether all are arrays or Tensors of that shape (np.shape of a Tensor would take a microsecond)."""
    return all(getattr(v, "shape", None) == shape for v in arrays)


def _shapes(named: dict[str, Any]) -> str:
    """The shapes of the arrays that are not None, as part of a sentence."""
    parts = (f", {name} of shape {np.shape(v)}" for name, v in named.items() if v is not None)
    return "".join(parts)


def of_dtype(x: Any, dtype: np.dtype[Any] | None, name: str) -> Any:
    """x as a floating-point array or Tensor of this dtype; with None its own dtype is kept."""
    if not isinstance(x, ad.Tensor):
        x = array(x)
        if x.dtype.kind not in "fiub":
            raise TypeError(f"{name} takes an array of real numbers; received shape {x.shape} and dtype {x.dtype}.")
    if dtype is None:
        dtype = x.dtype
    if dtype.kind != "f":
        dtype = np.dtype(float)
    return x if x.dtype == dtype else x.astype(dtype)


def _is_traced(x: Any) -> bool:
    """Whether x is a stand-in for an array in a function that is being compiled."""
    return hasattr(x, "__array_ufunc__") and not isinstance(x, ad.Tensor)


def move(running: Array, value: Array, momentum: float, norm: str, name: str) -> None:
    """Move a running average in place towards a value, by the fraction `momentum` of the difference."""
    writable = running.flags.writeable if isinstance(running, np.ndarray) else _is_traced(running)
    if not writable or running.dtype.kind != "f":
        raise TypeError(
            f"{norm} in training writes into {name}, an ndarray of floating-point numbers; received "
            f"{type(running).__name__}, dtype {getattr(running, 'dtype', None)}"
            f"{', read-only' if isinstance(running, np.ndarray) and not running.flags.writeable else ''}. "
            "Pass np.zeros(channels, np.float32), or None."
        )
    running *= 1 - momentum
    running += momentum * value
