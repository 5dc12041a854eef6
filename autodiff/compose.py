"""Functions made of NumPy's, each stable for arguments of any size; NumPy has no name for them.

The ones that networks are built from are primitives with a rule of their own: the rule is shorter than what
the composition records, and the picture shows one node.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autodiff.primitive import adjoint, primitive
from autodiff.shapes import Axis, kept, restore


@primitive
def relu(x: Any) -> Any:
    """max(x, 0), elementwise. Its derivative at 0 is taken as 0."""
    return np.maximum(x, 0)


@primitive
def sigmoid(x: Any) -> Any:
    """The logistic function 1 / (1 + exp(-x)), elementwise, in (0, 1)."""
    e = np.exp(-np.abs(x))
    return np.where(np.greater_equal(x, 0), 1, e) / (1 + e)


@primitive
def softplus(x: Any) -> Any:
    """ln(1 + exp(x)), elementwise: a smooth maximum of x and 0, and the integral of sigmoid."""
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


@primitive
def logsumexp(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """The logarithm of sum exp(x) over `axis` (all axes by default): a smooth maximum."""
    highest = np.max(np.add(x, 0.0), axis=axis, keepdims=True, initial=-np.inf)
    highest = np.where(np.isfinite(highest), highest, 0)
    with np.errstate(divide="ignore"):  # no elements, or none above -inf: ln 0 = -inf is the answer
        result = np.log(np.sum(np.exp(x - highest), axis=axis, keepdims=True)) + highest
    return result if keepdims else result.squeeze(axis)


@primitive
def softmax(x: Any, axis: int = -1) -> Any:
    """exp(x) / sum exp(x) along `axis`: positive numbers that sum to 1."""
    e = np.exp(x - np.max(x, axis=axis, keepdims=True))
    return e / np.sum(e, axis=axis, keepdims=True)


@primitive
def log_softmax(x: Any, axis: int = -1) -> Any:
    """The logarithm of softmax(x) along `axis`, finite wherever x is."""
    shifted = x - np.max(x, axis=axis, keepdims=True)
    return shifted - np.log(np.sum(np.exp(shifted), axis=axis, keepdims=True))


adjoint(relu, lambda g, y, x: g * np.greater(y, 0))
adjoint(sigmoid, lambda g, y, x: g * y * (1 - y))
adjoint(softplus, lambda g, y, x: g * sigmoid(x))
adjoint(softmax, lambda g, y, x, axis=-1: y * (g - np.sum(g * y, axis=axis, keepdims=True)))
adjoint(log_softmax, lambda g, y, x, axis=-1: g - np.exp(y) * np.sum(g, axis=axis, keepdims=True))
adjoint(
    logsumexp,
    lambda g, y, x, axis=None, keepdims=False: (
        restore(g, x.shape, axis) * np.exp(x - np.reshape(y, kept(x.shape, axis)))
    ),
)


def silu(x: Any) -> Any:
    """x sigmoid(x), elementwise (Elfwing et al. 2018; "swish")."""
    return x * sigmoid(x)


def leaky_relu(x: Any, slope: float = 0.01) -> Any:
    """x where it is positive, else `slope` times x. Its derivative at 0 is the slope."""
    return np.where(np.greater(x, 0), x, slope * x)


def elu(x: Any, alpha: float = 1.0) -> Any:
    """x where it is positive, else alpha (exp(x) - 1) (Clevert et al. 2016). Its derivative at 0 is alpha."""
    return np.where(np.greater(x, 0), x, alpha * np.expm1(np.where(np.greater(x, 0), 0.0, x)))
