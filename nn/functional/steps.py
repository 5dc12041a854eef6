"""The steps of a normalisation, each a primitive whose rule is written in NumPy.

The steps are: x minus its mean, the mean of its squares, the factor that makes this mean 1, a scale and a shift. The
channels are one axis (1 for batch normalisation; 0, the rows of a matrix, for layer normalisation). Sums over the other
axes are products with ones, which are faster than np.sum.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

import autodiff as ad
from nn.functional.cached import ones, row_products, row_sum

Array = npt.NDArray[Any]


def channel_sums(x: Any, axis: int = 1) -> Any:
    """The sum over all axes except one: of shape (channels,)."""
    if x.ndim == 2:
        return row_sum(x) if axis else np.dot(x, ones(x.shape[1], x))
    batch, channels, *field = x.shape
    pixels = math.prod(field)
    if isinstance(x, np.ndarray):
        last = x.transpose(*range(1, x.ndim), 0)
        if last.flags.c_contiguous:  # as in results of convolutions, whose batch axis is contiguous
            per_pixel = np.dot(last.reshape(channels * pixels, batch), ones(batch, x))
            return np.dot(per_pixel.reshape(channels, pixels), ones(pixels, x))
    per_sample = np.dot(np.reshape(x, (batch * channels, pixels)), ones(pixels, x))
    return np.dot(ones(batch, x), np.reshape(per_sample, (batch, channels)))


def along(v: Any, x: Any, axis: int = 1) -> Any:
    """One number per channel, in a shape that broadcasts against x."""
    following = x.ndim - 1 - axis
    return v[:, *(None,) * following] if following else v


def per_channel(x: Any, axis: int = 1) -> int:
    """The number of values of a channel."""
    return math.prod(x.shape[:axis] + x.shape[axis + 1 :])


@ad.primitive
def centred(x: Any, axis: int = 1) -> Any:
    """Each channel minus its mean: a projection that equals its own transpose."""
    return x - along(channel_sums(x, axis) / per_channel(x, axis), x, axis)


@ad.primitive
def mean_squares(x: Any) -> Any:
    """The mean of the squares of each channel; for centred values, the (biased) variance."""
    return channel_sums(x * x) / per_channel(x)


@ad.primitive
def normalising(variance: Any, weight: Any = None, eps: float = 1e-5) -> Any:
    """The factor weight / √(variance + eps) of each channel."""
    return (1 if weight is None else weight) / np.sqrt(variance + eps)


@ad.primitive
def standardised(x: Any, eps: float = 1e-5) -> Any:
    """Each row of a centred matrix, divided by the root of its mean square plus eps."""
    return x * row_factors(x, eps)


def row_factors(x: Any, eps: float) -> Any:
    """The factor that gives each row the mean square 1: of shape (rows, 1)."""
    return (1 / np.sqrt(row_products(x, x) / x.shape[1] + eps))[:, None]


@ad.primitive
def scaled(x: Any, scale: Any, shift: Any = None) -> Any:
    """x scale + shift, with one scale and one shift per channel."""
    y = x * along(scale, x)
    if shift is not None:
        y += along(shift, x)
    return y


def called(name: str, x: Any, weight: Any = None, bias: Any = None) -> str:
    """How a normalisation is written: batch_norm(a, b, c), without what it has not."""
    return f"{name}(a{'' if weight is None else ', b'}{'' if bias is None else ', c'})"


ad.adjoint(centred, lambda g, y, x, axis=1: centred(g, axis=axis))
ad.written(centred, "a − mean a", pullbacks=("g − mean g",))
ad.written(mean_squares, "mean a²")
ad.adjoint(mean_squares, lambda g, y, x: x * along(g * (2 / per_channel(x)), x))
ad.adjoint(
    normalising,
    lambda g, y, variance, weight=None, eps=1e-5: g * y / (-2 * (variance + eps)),
    lambda g, y, variance, weight=None, eps=1e-5: g / np.sqrt(variance + eps),
)


def standardised_adjoint(g: Any, y: Any, x: Any, eps: float = 1e-5) -> Any:
    """r (g - y mean(g y)), where r is the factor of y = r x."""
    along_y = y * (row_products(g, y) / x.shape[1])[:, None]
    if not isinstance(along_y, np.ndarray):  # recorded
        return (g - along_y) * row_factors(x, eps)
    rest: Array = np.subtract(g, along_y, out=along_y)  # in place: two more arrays would not fit into the cache
    rest *= row_factors(x, eps)
    return rest


ad.adjoint(standardised, standardised_adjoint)
ad.adjoint(
    scaled,
    lambda g, y, x, scale, shift=None: g * along(scale, g),
    lambda g, y, x, scale, shift=None: channel_sums(g * x),
    lambda g, y, x, scale, shift=None: channel_sums(g),
)
