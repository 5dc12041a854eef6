"""The Python functions of scipy.special, and under the same names its ufuncs, which take Tensors themselves."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import scipy

from autodiff.engine.shapes import Axis
from autodiff.engine.table import table
from autodiff.rules import activations
from autodiff.rules.arguments import raw
from autodiff.scipy.arguments import absent, floating, like

__all__ = ["log_softmax", "logsumexp", "multigammaln", "polygamma", "softmax", "zeta"]

zeta = scipy.special.zeta  # a Python function that does not convert its arguments


def __getattr__(name: str) -> Any:
    found = getattr(scipy.special, name, None)
    if isinstance(found, np.ufunc) or found in table:
        return found
    raise absent("special", name, (*__all__, "the ufuncs of scipy.special"))


def logsumexp(a: Any, axis: Axis = None, b: Any = None, keepdims: bool = False, return_sign: bool = False) -> Any:
    """ln Σ b exp(a) over `axis`, all axes by default, without overflow; b is broadcast against a, 1 by default.

    With `return_sign` the result is ln |Σ b exp(a)| and the sign of the sum (for complex numbers its phase).
    Without it, the logarithm of a negative real sum is NaN.

    >>> from autodiff.scipy import special
    >>> special.logsumexp(np.array([[0.0, 0.0]]), axis=1, b=np.array([[3.0, -1.0]])).round(4)  # ln 2
    array([0.6931])
    """
    a = floating(a)
    if b is None and not return_sign:
        return activations.logsumexp(a, axis=axis, keepdims=keepdims)
    b = like(1.0 if b is None else b, a)
    terms, highest = shifted(a, b, axis)
    total = np.sum(terms, axis=axis, keepdims=keepdims)
    if not keepdims:
        highest = np.squeeze(highest, axis=axis)
    with np.errstate(divide="ignore", invalid="ignore"):  # ln 0 = -inf, and the logarithm of a negative number is NaN
        if return_sign:
            return np.log(np.abs(total)) + highest, np.sign(total)
        return np.log(total) + highest


def shifted(a: Any, b: Any, axis: Axis) -> tuple[Any, Any]:
    """b exp(a − h), and h, a constant: the greatest real part along `axis` among the a with a weight other than 0.

    An a with the weight 0 adds 0, even if it is infinite, NaN, or so far above h that exp overflows.
    """
    real, weightless = np.real(raw(a)), np.equal(raw(b), 0)
    highest = activations.peak(np.where(weightless, -np.inf, real), axis).astype(real.dtype)
    highest = np.where(np.isfinite(highest), highest, 0)
    with np.errstate(invalid="ignore"):
        dropped = weightless & ~(real - highest < math.log(np.finfo(real.dtype).max))
    return b * np.exp(np.where(dropped, 0, a) - np.where(dropped, 0, highest)), highest


def softmax(x: Any, axis: Axis = None) -> Any:
    """exp(x) / Σ exp(x) over `axis`, all axes by default.

    >>> from autodiff.scipy import special
    >>> special.softmax(np.array([0.0, np.log(3.0)])).round(4)
    array([0.25, 0.75])
    """
    return activations.softmax(floating(x), axis=axis)  # type: ignore[arg-type]  # its formula takes several axes


def log_softmax(x: Any, axis: Axis = None) -> Any:
    """The logarithm of softmax over `axis`, all axes by default, finite wherever x is.

    >>> from autodiff.scipy import special
    >>> special.log_softmax(np.array([0.0, 0.0])).round(4)
    array([-0.6931, -0.6931])
    """
    return activations.log_softmax(floating(x), axis=axis)  # type: ignore[arg-type]  # floating leaves nodes nodes


def polygamma(n: Any, x: Any) -> Any:
    """The n-th derivative of digamma, elementwise: (−1)ⁿ⁺¹ n! ζ(n + 1, x); x > 0 where n > 0 (NIST DLMF 25.11.12).

    n holds whole numbers >= 0 and is a constant: if it is a Tensor, TypeError is raised.

    >>> from autodiff.scipy import special
    >>> special.polygamma(1, np.array([1.0])).round(4)  # π²/6
    array([1.6449])
    """
    x = floating(x)
    order = constant_whole("polygamma", "n", n).astype(x.dtype)[()]
    if not np.any(order):
        return scipy.special.psi(x) + 0 * order
    factor = np.where(order % 2, 1, -1) * scipy.special.gamma(order + 1)
    higher = factor.astype(x.dtype) * zeta(np.maximum(order, 1) + 1, x)
    return higher if np.all(order) else np.where(np.equal(order, 0), scipy.special.psi(x), higher)


def multigammaln(a: Any, d: Any) -> Any:
    """ln Γ_d(a), the multivariate gamma function, elementwise: d (d − 1)/4 ln π + Σ ln Γ(a − j/2), 0 <= j < d.

    Raises ValueError unless a > (d − 1)/2. d is a whole number, a constant (NIST DLMF 35.3.5).

    >>> from autodiff.scipy import special
    >>> round(ad.grad(lambda a: special.multigammaln(a, 2))(3.0).item(), 4)
    1.6259
    """
    a, d = floating(a), int(constant_whole("multigammaln", "d", d))
    if np.any(np.less_equal(a, 0.5 * (d - 1))):
        raise ValueError(f"multigammaln takes a > (d - 1)/2, {0.5 * (d - 1)} for d={d}; received a={raw(a)}")
    return d * (d - 1) / 4 * math.log(math.pi) + sum(scipy.special.gammaln(a - 0.5 * j) for j in range(d))


def constant_whole(function: str, name: str, value: Any) -> Any:
    """An argument that holds whole numbers, as an array; TypeError for a Tensor, ValueError for other numbers."""
    if raw(value) is not value:
        raise TypeError(
            f"scipy.special.{function} was called with a Tensor as {name}, which is a whole number and has no "
            "derivative; pass it as a plain number."
        )
    value = np.asarray(value)
    if np.any(value != np.floor(value)) or np.any(value < 0):
        raise ValueError(f"{function} takes whole numbers >= 0 as {name}; received {value}")
    return value
