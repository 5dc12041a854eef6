"""Activations, elementwise or along an axis: those of autodiff under the names and with the arguments of networks."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import autodiff as ad
from nn import init
from nn.checked import array, real
from nn.functional.dropout import drawn
from nn.functional.normalisation import of_dtype

_SELU_ALPHA, _SELU_SCALE = 1.6732632423543772, 1.0507009873554805  # at which mean 0 and variance 1 stay what they are

relu = ad.relu
silu = ad.silu
tanh = np.tanh
sigmoid = ad.sigmoid
sign = np.sign


def step(x: Any) -> Any:
    """The binary step: 1 where x >= 0, else 0. Its derivative is 0, so the result is a constant: nothing before learns.

    So is `sign`, with -1, 0 and 1. To train through them take a smooth one, such as sigmoid or tanh.
    """
    return np.heaviside(ad.stop_gradient(x) if isinstance(x, ad.Tensor) else x, 1.0)


def leaky_relu(x: Any, negative_slope: float = 0.01) -> Any:
    """x where it is positive, else `negative_slope` times x (Maas et al. 2013)."""
    return ad.leaky_relu(x, real(negative_slope, "leaky_relu: negative_slope", least=-math.inf))


def elu(x: Any, alpha: float = 1.0) -> Any:
    """x where it is positive, else alpha (exp(x) - 1) (Clevert et al. 2016)."""
    return ad.elu(x, real(alpha, "elu: alpha", least=-math.inf))


def gelu(x: Any, approximate: str = "none") -> Any:
    """x Φ(x), with Φ the normal distribution function (Hendrycks & Gimpel 2016).

    With approximate="tanh" Φ(x) is taken as (1 + tanh(√(2/π) (x + 0.044715 x³))) / 2, which is off by 5e-4 at most
    and several times as fast.
    """
    if approximate == "none":
        return ad.gelu(x)
    if approximate == "tanh":  # (1 + tanh z) / 2 is the sigmoid of 2 z
        a = math.sqrt(8 / math.pi)
        return x * ad.sigmoid(x * (a + (a * 0.044715) * np.square(x)))
    raise ValueError(f"gelu is exact or approximated by tanh; received {approximate!r}. Write approximate='tanh'.")


def softplus(x: Any, beta: float = 1.0) -> Any:
    """ln(1 + exp(beta x)) / beta: a smooth relu, the sharper the larger beta, which is positive."""
    beta = real(beta, "softplus: beta", above=True)
    return ad.softplus(x) if beta == 1 else ad.softplus(beta * x) / beta


def softmax(x: Any, axis: int = -1, *, dim: int | None = None) -> Any:
    """exp(x) / sum exp(x) along `axis`, or `dim`, as PyTorch names it: positive numbers that sum to 1."""
    return ad.softmax(x, axis=axis if dim is None else dim)


def log_softmax(x: Any, axis: int = -1, *, dim: int | None = None) -> Any:
    """The logarithm of softmax(x) along `axis`, or `dim`, as PyTorch names it; finite wherever x is."""
    return ad.log_softmax(x, axis=axis if dim is None else dim)


def softmin(x: Any, axis: int = -1, *, dim: int | None = None) -> Any:
    """softmax(-x) along `axis`, or `dim`: the smallest gets most."""
    return softmax(-_array(x), axis, dim=dim)


def logsigmoid(x: Any) -> Any:
    """ln sigmoid(x), elementwise, finite wherever x is."""
    return -ad.softplus(-_array(x))


def softsign(x: Any) -> Any:
    """x / (1 + |x|), elementwise, between -1 and 1."""
    return x / (1 + np.abs(x))


def tanhshrink(x: Any) -> Any:
    """x - tanh x, elementwise."""
    return x - np.tanh(x)


def mish(x: Any) -> Any:
    """x tanh(ln(1 + exp(x))), elementwise (Misra 2019)."""
    return x * np.tanh(ad.softplus(x))


def selu(x: Any) -> Any:
    """1.0507 elu(x, 1.67326), elementwise: it draws layers to mean 0 and variance 1 (Klambauer et al. 2017)."""
    return _SELU_SCALE * ad.elu(_array(x), _SELU_ALPHA)


def celu(x: Any, alpha: float = 1.0) -> Any:
    """x where it is positive, else alpha (exp(x / alpha) - 1), with alpha > 0 (Barron 2017)."""
    alpha = real(alpha, "celu: alpha", above=True)
    positive = np.greater(x, 0)
    return np.where(positive, x, alpha * np.expm1(np.where(positive, 0.0, x) / alpha))


def hardtanh(x: Any, min_val: float = -1.0, max_val: float = 1.0) -> Any:
    """x, but at least `min_val` and at most `max_val`, elementwise; on and beyond these bounds its derivative is 0."""
    low = real(min_val, "hardtanh: min_val", least=-math.inf)
    high = real(max_val, "hardtanh: max_val", least=low)
    x = _array(x)
    return np.where(np.less_equal(x, low), low, np.where(np.greater_equal(x, high), high, x))


def relu6(x: Any) -> Any:
    """x, but at least 0 and at most 6, elementwise."""
    return hardtanh(x, 0.0, 6.0)


def hardsigmoid(x: Any) -> Any:
    """x / 6 + 1/2, but at least 0 and at most 1, elementwise: sigmoid in three straight lines."""
    return relu6(_array(x) + 3) / 6


def hardswish(x: Any) -> Any:
    """x hardsigmoid(x), elementwise (Howard et al. 2019)."""
    return x * hardsigmoid(x)


def threshold(x: Any, threshold: float, value: float) -> Any:
    """x where it is above the threshold, else `value`, elementwise."""
    bound = real(threshold, "threshold: threshold", least=-math.inf)
    x = _array(x)
    return np.where(np.less_equal(x, bound), real(value, "threshold: value", least=-math.inf), x)


def hardshrink(x: Any, lambd: float = 0.5) -> Any:
    """x where |x| is above `lambd`, else 0, elementwise."""
    bound = real(lambd, "hardshrink: lambd")
    x = _array(x)
    return np.where(np.less_equal(np.abs(x), bound), 0.0, x)


def softshrink(x: Any, lambd: float = 0.5) -> Any:
    """x moved towards 0 by `lambd`, elementwise, and 0 where |x| is at most that."""
    bound = real(lambd, "softshrink: lambd")
    x = _array(x)
    moved = x - np.copysign(bound, ad.stop_gradient(x))
    return np.where(np.less_equal(np.abs(x), bound), 0.0, moved)


def glu(x: Any, dim: int = -1) -> Any:
    """a sigmoid(b), where a and b are the halves of x along the axis `dim` (Dauphin et al. 2017)."""
    x = _array(x)
    if not -x.ndim <= dim < x.ndim or x.shape[dim] % 2:
        raise ValueError(
            f"glu halves an axis of even length; received x of shape {x.shape} and dim={dim!r:.80}. Let the layer "
            "before have twice as many outputs."
        )
    first, second = np.split(x, 2, axis=dim)
    return first * ad.sigmoid(second)


def prelu(x: Any, weight: Any) -> Any:
    """x where it is positive, else weight · x, with a weight that is learned (He et al. 2015).

    `weight` has the shape (1,), or has a number for each channel, axis 1 of x: (channels,); x is converted to its
    dtype. Raises ValueError for other shapes.
    """
    x = of_dtype(x, getattr(weight, "dtype", None), "prelu")
    count = np.size(weight)
    channels = x.shape[1] if x.ndim > 1 else 1
    if np.ndim(weight) > 1 or count not in (1, channels):
        raise ValueError(
            f"prelu takes a weight of shape (1,), or one number for each channel, axis 1 of x; received x of shape "
            f"{x.shape} and a weight of shape {np.shape(weight)}."
        )
    slope = np.reshape(weight, (count,) + (1,) * max(x.ndim - 2, 0)) if count > 1 else np.reshape(weight, ())
    positive = np.greater(x, 0)
    return np.where(positive, x, slope * np.where(positive, 0.0, x))


def rrelu(x: Any, lower: float = 1 / 8, upper: float = 1 / 3, training: bool = False, *, rng: init.Rng = None) -> Any:
    """x where it is positive, else a slope times x: in training drawn anew for each element (Xu et al. 2015).

    The slopes are uniform between `lower` and `upper`; out of training each is their mean.
    """
    low = real(lower, "rrelu: lower", least=-math.inf)
    high = real(upper, "rrelu: upper", least=low)
    if not training:
        return ad.leaky_relu(x, (low + high) / 2)
    x = _array(x)
    slopes = low + (high - low) * drawn(rng, x.shape, np.float64)
    return np.where(np.greater(x, 0), x, slopes.astype(x.dtype) * x)


def _array(x: Any) -> Any:
    """A Tensor, or an array of floating-point numbers."""
    if isinstance(x, ad.Tensor):
        return x
    found = array(x)
    return found if found.dtype.kind == "f" else found.astype(float)
