"""Activations, elementwise or along an axis, with the names and arguments that other libraries of networks use."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import autodiff as ad
from nn import init
from nn.checked import array, real, switch
from nn.functional.dropout import drawn
from nn.functional.normalisation import of_dtype
from nn.functional.rectifiers import above, bounded, exponential, hard, leaky, soft

_SELU_ALPHA, _SELU_SCALE = 1.6732632423543772, 1.0507009873554805  # they keep mean 0 and variance 1

relu = ad.relu
silu = ad.silu
tanh = np.tanh
sigmoid = ad.sigmoid
sign = np.sign


def step(x: Any) -> Any:
    """The binary step: 1 where x >= 0, else 0. Its derivative is 0, so the result is a constant, a plain array.

    The same holds for `sign`, with -1, 0 and 1. To train through an activation, use a smooth one, such as tanh.

    >>> F.step(np.array([-2.0, 0.0, 3.0]))
    array([0., 1., 1.])
    """
    return np.heaviside(ad.stop_gradient(x) if isinstance(x, ad.Tensor) else x, 1.0)


def leaky_relu(x: Any, negative_slope: float = 0.01) -> Any:
    """x where it is positive, else `negative_slope` times x (Maas et al. 2013).

    >>> F.leaky_relu(np.array([-2.0, 3.0]))
    array([-0.02,  3.  ])
    """
    return leaky(_array(x), real(negative_slope, "leaky_relu: negative_slope", least=-math.inf))


def elu(x: Any, alpha: float = 1.0) -> Any:
    """x where it is positive, else alpha (exp(x) - 1) (Clevert et al. 2016).

    >>> F.elu(np.array([-1.0, 0.0, 2.0])).round(4)
    array([-0.6321,  0.    ,  2.    ])
    """
    return exponential(_array(x), alpha=real(alpha, "elu: alpha", least=-math.inf), width=1.0, scale=1.0)


def gelu(x: Any, approximate: str = "none") -> Any:
    """x Φ(x), with Φ the normal distribution function (Hendrycks & Gimpel 2016).

    With approximate="tanh" Φ(x) is (1 + tanh(√(2/π) (x + 0.044715 x³))) / 2. The error is at most 5e-4, and it is
    several times as fast.

    >>> x = np.array([-1.0, 1.0])
    >>> F.gelu(x).round(4), F.gelu(x, approximate="tanh").round(4)
    (array([-0.1587,  0.8413]), array([-0.1588,  0.8412]))
    """
    if approximate == "none":
        return ad.gelu(x)
    if approximate == "tanh":  # (1 + tanh z) / 2 is the sigmoid of 2 z
        a = math.sqrt(8 / math.pi)
        return x * ad.sigmoid(x * (a + (a * 0.044715) * np.square(x)))
    raise ValueError(f"gelu is exact or approximated by tanh; received {approximate!r}. Write approximate='tanh'.")


def softplus(x: Any, beta: float = 1.0, threshold: float = 20.0) -> Any:
    """ln(1 + exp(beta x)) / beta: a smooth relu; a larger beta > 0 makes it sharper.

    >>> F.softplus(np.array([-50.0, 0.0, 50.0])).round(4)
    array([ 0.    ,  0.6931, 50.    ])
    """
    beta, bound = real(beta, "softplus: beta", above=True), real(threshold, "softplus: threshold", least=-math.inf)
    y = ad.softplus(x) if beta == 1 else ad.softplus(beta * x) / beta
    return y if bound >= 20 else np.where(np.greater(beta * ad.stop_gradient(x), bound), x, y)


def softmax(x: Any, axis: int = -1, *, dim: int | None = None) -> Any:
    """exp(x) / sum exp(x) along `axis` (PyTorch's name: `dim`): positive numbers that sum to 1.

    >>> F.softmax(np.array([[0.0, 0.0], [0.0, np.log(3.0)]]), dim=1).round(4)
    array([[0.5 , 0.5 ],
           [0.25, 0.75]])
    """
    return ad.softmax(x, axis=axis if dim is None else dim)


def log_softmax(x: Any, axis: int = -1, *, dim: int | None = None) -> Any:
    """The logarithm of softmax(x) along `axis` (PyTorch's name: `dim`); finite wherever x is.

    >>> F.log_softmax(np.array([[0.0, 0.0], [0.0, 50.0]]), dim=1).round(4)
    array([[ -0.6931,  -0.6931],
           [-50.    ,   0.    ]])
    """
    return ad.log_softmax(x, axis=axis if dim is None else dim)


def softmin(x: Any, axis: int = -1, *, dim: int | None = None) -> Any:
    """softmax(-x) along `axis` (or `dim`): the smallest element gets the largest share.

    >>> F.softmin(np.array([0.0, np.log(3.0)])).round(4)
    array([0.75, 0.25])
    """
    return softmax(-_array(x), axis, dim=dim)


def logsigmoid(x: Any) -> Any:
    """ln sigmoid(x), elementwise, finite wherever x is.

    >>> F.logsigmoid(np.array([-50.0, 0.0])).round(4)
    array([-50.    ,  -0.6931])
    """
    return -ad.softplus(-_array(x))


def softsign(x: Any) -> Any:
    """x / (1 + |x|), elementwise, between -1 and 1.

    >>> F.softsign(np.array([-3.0, 0.0, 1.0]))
    array([-0.75,  0.  ,  0.5 ])
    """
    return x / (1 + np.abs(x))


def tanhshrink(x: Any) -> Any:
    """x - tanh x, elementwise.

    >>> F.tanhshrink(np.array([-1.0, 0.0, 1.0])).round(4)
    array([-0.2384,  0.    ,  0.2384])
    """
    return x - np.tanh(x)


def mish(x: Any) -> Any:
    """x tanh(ln(1 + exp(x))), elementwise (Misra 2019).

    >>> F.mish(np.array([-1.0, 0.0, 1.0])).round(4)
    array([-0.3034,  0.    ,  0.8651])
    """
    return x * np.tanh(ad.softplus(x))


def selu(x: Any) -> Any:
    """1.0507 elu(x, 1.67326), elementwise: it moves layers towards mean 0 and variance 1 (Klambauer et al. 2017).

    >>> F.selu(np.array([-1.0, 0.0, 1.0])).round(4)
    array([-1.1113,  0.    ,  1.0507])
    """
    return exponential(_array(x), alpha=_SELU_ALPHA, width=1.0, scale=_SELU_SCALE)


def celu(x: Any, alpha: float = 1.0) -> Any:
    """x where it is positive, else alpha (exp(x / alpha) - 1), with alpha > 0 (Barron 2017).

    >>> F.celu(np.array([-2.0, 1.0]), alpha=2.0).round(4)
    array([-1.2642,  1.    ])
    """
    alpha = real(alpha, "celu: alpha", above=True)
    return exponential(_array(x), alpha=alpha, width=alpha, scale=1.0)


def hardtanh(x: Any, min_val: float = -1.0, max_val: float = 1.0) -> Any:
    """x, but at least `min_val` and at most `max_val`, elementwise; on and beyond these bounds its derivative is 0.

    >>> F.hardtanh(np.array([-3.0, 0.5, 3.0]))
    array([-1. ,  0.5,  1. ])
    """
    low = real(min_val, "hardtanh: min_val", least=-math.inf)
    high = real(max_val, "hardtanh: max_val", least=low)
    return bounded(_array(x), low=low, high=high)


def relu6(x: Any) -> Any:
    """x, but at least 0 and at most 6, elementwise.

    >>> F.relu6(np.array([-1.0, 3.0, 9.0]))
    array([0., 3., 6.])
    """
    return hardtanh(x, 0.0, 6.0)


def hardsigmoid(x: Any) -> Any:
    """x / 6 + 1/2, but at least 0 and at most 1, elementwise: a piecewise linear sigmoid.

    >>> F.hardsigmoid(np.array([-4.0, 0.0, 4.0]))
    array([0. , 0.5, 1. ])
    """
    return relu6(_array(x) + 3) * (1 / 6)


def hardswish(x: Any) -> Any:
    """x hardsigmoid(x), elementwise (Howard et al. 2019).

    >>> F.hardswish(np.array([-4.0, 1.5, 4.0]))
    array([-0.   ,  1.125,  4.   ])
    """
    return x * hardsigmoid(x)


def threshold(x: Any, threshold: float, value: float) -> Any:
    """x where it is above the threshold, else `value`, elementwise.

    >>> F.threshold(np.array([0.05, 0.5]), 0.1, 0.0)
    array([0. , 0.5])
    """
    bound = real(threshold, "threshold: threshold", least=-math.inf)
    return above(_array(x), bound=bound, value=real(value, "threshold: value", least=-math.inf))


def hardshrink(x: Any, lambd: float = 0.5) -> Any:
    """x where |x| is above `lambd`, else 0, elementwise.

    >>> F.hardshrink(np.array([-1.0, 0.25, 1.0]))
    array([-1.,  0.,  1.])
    """
    return hard(_array(x), bound=real(lambd, "hardshrink: lambd"))


def softshrink(x: Any, lambd: float = 0.5) -> Any:
    """x moved towards 0 by `lambd`, elementwise, and 0 where |x| is at most that.

    >>> F.softshrink(np.array([-1.0, 0.25, 1.0]))
    array([-0.5,  0. ,  0.5])
    """
    return soft(_array(x), bound=real(lambd, "softshrink: lambd"))


def glu(x: Any, dim: int = -1) -> Any:
    """a sigmoid(b), where a and b are the halves of x along the axis `dim` (Dauphin et al. 2017).

    >>> F.glu(np.array([2.0, 4.0, 0.0, 1000.0]))
    array([1., 4.])
    """
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

    `weight` has the shape (1,), or (channels,) with one number for each channel, axis 1 of x. x is converted to the
    dtype of the weight. Raises ValueError for other shapes.

    >>> F.prelu(np.array([[-1.0, -1.0]]), np.array([0.1, 0.5]))
    array([[-0.1, -0.5]])
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
    return leaky(x, slope)


def rrelu(x: Any, lower: float = 1 / 8, upper: float = 1 / 3, training: bool = False, *, rng: init.Rng = None) -> Any:
    """x where it is positive, else a slope times x; training draws a new slope for each element (Xu et al. 2015).

    The slopes are uniform between `lower` and `upper`; in evaluation each slope is their mean.

    >>> F.rrelu(np.array([-1.0, 1.0]), lower=0.1, upper=0.3)
    array([-0.2,  1. ])
    """
    low = real(lower, "rrelu: lower", least=-math.inf)
    high = real(upper, "rrelu: upper", least=low)
    if not training:
        return leaky(_array(x), (low + high) / 2)
    x = _array(x)
    slopes = low + (high - low) * drawn(rng, x.shape, np.float64)
    return leaky(x, slopes.astype(x.dtype))


def gumbel_softmax(
    logits: Any, tau: float = 1.0, hard: bool = False, eps: float = 1e-10, dim: int = -1, *, rng: init.Rng = None
) -> Any:
    """A differentiable random draw of a class: softmax((logits + noise) / tau) along `dim`.

    Parameters
    ----------
    logits : of any shape
    tau : the temperature, above 0: at a lower one the result is closer to one-hot
    hard : whether the result is one-hot, with the derivative of the soft result
    eps : has no effect; accepted for programs written for PyTorch
    rng : the generator of the noise, which has Gumbel's distribution

    Source: Jang et al. 2017.

    >>> F.gumbel_softmax(np.zeros((2, 3)), hard=True, rng=0)
    array([[0., 0., 1.],
           [1., 0., 0.]])
    """
    logits, tau = _array(logits), real(tau, "gumbel_softmax: tau", above=True)
    noise = drawn(rng, logits.shape, np.float64, gumbel).astype(logits.dtype)
    soft = ad.softmax((logits + noise) / tau, axis=dim)
    if not switch(hard, "gumbel_softmax: hard"):
        return soft
    plain = ad.stop_gradient(soft)
    one_hot = np.equal(np.argmax(plain, axis=dim, keepdims=True), _numbers(plain, dim)).astype(plain.dtype)
    return soft + (one_hot - plain)


def gumbel(rng: Any, shape: Any, dtype: Any) -> Any:
    """Numbers of Gumbel's distribution."""
    return rng.gumbel(size=shape)


def _numbers(x: Any, dim: int) -> Any:
    """0, 1 ... along an axis, in a shape that broadcasts to x."""
    shape = [1] * x.ndim
    shape[dim] = x.shape[dim]
    return np.arange(x.shape[dim]).reshape(shape)


def _array(x: Any) -> Any:
    """A Tensor, or an array of floating-point numbers; stand-ins of a traced function are unchanged."""
    dtype = getattr(x, "dtype", None)
    if isinstance(x, ad.Tensor) or (dtype is not None and dtype.kind == "f"):
        return x
    found = array(x)
    return found if found.dtype.kind == "f" else found.astype(float)
