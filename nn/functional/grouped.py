"""Normalisation of each sample alone: of groups of channels, of single channels, and by the root mean square."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from nn.checked import real, switch, whole
from nn.functional import across
from nn.functional.normalisation import batch_norm, move, of_dtype, with_statistics
from nn.functional.steps import along, centred, scaled, standardised

Array = npt.NDArray[Any]


def group_norm(x: Any, num_groups: int, weight: Any = None, bias: Any = None, eps: float = 1e-5) -> Any:
    """Each group of channels of a sample to mean 0 and variance 1, times the channels' weights, plus their biases.

    Parameters
    ----------
    x : of shape (batch, channels, ...)
    num_groups : the number of equal groups that the channels are divided into; 1 is one group of all channels
    weight, bias : of shape (channels,), or None; x is converted to their dtype
    eps : from 0, in units of the variance

    Raises ValueError for shapes that do not belong together. Source: Wu & He 2018.

    >>> x = np.arange(8.0).reshape(1, 4, 2)
    >>> F.group_norm(x, 2).mean(axis=(0, 2)).round(3)
    array([-0.894,  0.894, -0.894,  0.894])
    """
    groups, eps = whole(num_groups, "group_norm: num_groups"), real(eps, "group_norm: eps")
    given = [v for v in (weight, bias) if v is not None]
    x = of_dtype(x, getattr(given[0], "dtype", None) if given else None, "group_norm")
    shape = x.shape
    if len(shape) < 2 or shape[1] % groups or any(np.shape(v) != shape[1:2] for v in given):
        raise ValueError(
            f"group_norm takes x of shape (batch, channels, ...), whose channels {groups} group(s) share evenly, and "
            f"weight and bias of shape (channels,); received x of shape {shape}"
            + "".join(f", {n} of shape {np.shape(v)}" for n, v in (("weight", weight), ("bias", bias)) if v is not None)
            + ". Let num_groups divide the channels."
        )
    rows = np.reshape(x, (shape[0] * groups, shape[1] // groups * math.prod(shape[2:])))
    y = np.reshape(standardised(centred(rows, axis=0), eps=eps), shape)
    if weight is not None:
        return scaled(y, weight) if bias is None else scaled(y, weight, bias)
    return y if bias is None else y + along(bias, y)


def instance_norm(
    x: Any,
    running_mean: Array | None = None,
    running_var: Array | None = None,
    weight: Any = None,
    bias: Any = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Any:
    """Each channel of each sample to mean 0 and variance 1 over its pixels, times its weight, plus its bias.

    Parameters
    ----------
    x : of shape (batch, channels, ...) with at least two pixels
    running_mean, running_var : of shape (channels,), or None; moved in place towards the mean statistics of the samples
    use_input_stats : whether to normalise by the statistics of each sample; otherwise by the running ones
    weight, bias, momentum, eps : as in batch_norm

    Raises ValueError for shapes that do not belong together. Source: Ulyanov et al. 2016.

    >>> x = np.array([[[1.0, 3.0], [10.0, 30.0]]])
    >>> F.instance_norm(x).round(3)
    array([[[-1.,  1.],
            [-1.,  1.]]])
    """
    if not switch(use_input_stats, "instance_norm: use_input_stats"):
        return batch_norm(x, running_mean, running_var, weight, bias, False, momentum, eps)
    given = [v for v in (weight, bias, running_mean, running_var) if v is not None]
    x = of_dtype(x, getattr(given[0], "dtype", None) if given else None, "instance_norm")
    momentum, eps = real(momentum, "instance_norm: momentum", most=1), real(eps, "instance_norm: eps")
    shape = x.shape
    if len(shape) < 3 or math.prod(shape[2:]) < 2 or any(np.shape(v) != shape[1:2] for v in given):
        raise ValueError(
            "instance_norm takes x of shape (batch, channels, ...) with at least two pixels, whose variance it is, and "
            f"arrays of shape (channels,); received x of shape {shape} and {[np.shape(v) for v in given]}. A layer of "
            "single numbers is normalised by batch_norm."
        )
    batch, channels = shape[:2]
    if not batch:
        return group_norm(x, channels, weight, bias, eps)
    # Each channel of each sample is treated as a separate channel; the running statistics move towards their mean.
    scale, shift = (None if v is None else np.tile(v, batch) for v in (weight, bias))
    rows = np.reshape(x, (1, batch * channels, *shape[2:]))
    y, mean, variance = with_statistics(rows, scale, shift, eps)
    for name, running, value in (("running_mean", running_mean, mean), ("running_var", running_var, variance)):
        if running is not None:
            move(running, across.mean(np.reshape(value, (batch, channels))), momentum, "instance_norm", name)
    return np.reshape(y, shape)


def rms_norm(x: Any, normalized_shape: int | Sequence[int], weight: Any = None, eps: float | None = None) -> Any:
    """Each sample divided by the root mean square of its features, times their weights (Zhang & Sennrich 2019).

    Parameters
    ----------
    x : of shape (..., *normalized_shape)
    normalized_shape : the last axes, over which the mean is taken; an int for one axis
    weight : of that shape, or None; x is converted to its dtype
    eps : a number from 0, added to the mean square; by default the distance from 1 to the next number of x's dtype

    Raises ValueError for shapes that do not belong together.

    >>> F.rms_norm(np.array([[3.0, 4.0]]), 2).round(4)
    array([[0.8485, 1.1314]])
    """
    shape = (normalized_shape,) if isinstance(normalized_shape, int | np.integer) else tuple(normalized_shape)
    x = of_dtype(x, getattr(weight, "dtype", None), "rms_norm")
    features = math.prod(shape)
    if not shape or not features or x.shape[-len(shape) :] != shape or np.shape(weight) not in ((), shape):
        raise ValueError(
            "rms_norm takes x of shape (..., *normalized_shape), and a weight of normalized_shape, which has no 0; "
            f"received x of shape {x.shape}, normalized_shape {shape}"
            + ("." if weight is None else f", weight of shape {np.shape(weight)}.")
        )
    eps = float(np.finfo(x.dtype).eps) if eps is None else real(eps, "rms_norm: eps")
    y = standardised(np.reshape(x, (x.size // features, features)), eps=eps)
    if weight is not None:
        y = scaled(y, np.reshape(weight, -1))
    return np.reshape(y, x.shape)
