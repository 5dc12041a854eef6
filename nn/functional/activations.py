"""Activations, elementwise or along an axis: those of autodiff under the names and with the arguments of networks."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import autodiff as ad
from nn.checked import real

relu = ad.relu
silu = ad.silu
tanh = np.tanh
sigmoid = ad.sigmoid
sign = np.sign


def step(x: Any) -> Any:
    """The binary step: 1 where x >= 0, else 0. Its derivative is 0, so the result is a constant: nothing before learns.

    So is `sign`, with -1, 0 and 1. To train through them take a smooth one, such as sigmoid or tanh.
    """
    return np.heaviside(x.value if isinstance(x, ad.Tensor) else x, 1.0)


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
