"""Functions that NumPy does not have, written with NumPy's and stable for arguments of any size.

Those that networks are built from are primitives: their rules are shorter than the recorded composition would be, and
a picture shows one node.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from autodiff.engine.devices import zeros
from autodiff.engine.shapes import Axis, count, keepdims_shape, restore
from autodiff.engine.table import adjoint, primitive
from autodiff.engine.values import Value

MANY = 1024  # elements: for arrays of this size another microsecond per call does not count


@primitive
def relu(x: Value) -> Any:
    """max(x, 0), elementwise. Its derivative at 0 is taken as 0.

    >>> ad.relu(np.array([-1.0, 0.0, 2.0]))
    array([0., 0., 2.])
    """
    if isinstance(x, np.ndarray) and x.size >= MANY and x.dtype.kind == "f":
        return x.clip(0, math.inf)  # clip is vectorised; NumPy's maximum of an array and a number is not
    return np.maximum(0, x)  # with 0 as the first argument -0 stays -0, as with clip


@primitive
def sigmoid(x: Value) -> Any:
    """The logistic function 1 / (1 + exp(-x)), elementwise, in (0, 1).

    >>> ad.sigmoid(np.array([-1000.0, 0.0, 1000.0]))
    array([0. , 0.5, 1. ])
    """
    return np.exp(np.minimum(x, 0)) / (1 + np.exp(-np.abs(x)))  # quicker than np.where


@primitive
def softplus(x: Value) -> Any:
    """ln(1 + exp(x)), elementwise: a smooth maximum of x and 0, and the integral of sigmoid.

    >>> ad.grad(ad.softplus)(0.0)
    array(0.5)
    """
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def peak(x: Value, axis: Axis) -> Any:
    """The maximum of a real array over the axes, with keepdims; -inf where there are no elements."""
    if count(x.shape, axis):
        return np.max(x, axis=axis, keepdims=True)
    return zeros(keepdims_shape(x.shape, axis), x.dtype, like=x) - math.inf


@primitive
def logsumexp(x: Value, axis: Axis = None, keepdims: bool = False) -> Any:
    """The logarithm of sum exp(x) over `axis` (all axes by default): a smooth maximum.

    >>> ad.logsumexp(np.array([[0.0, 0.0], [1000.0, 0.0]]), axis=1).round(4)
    array([6.931e-01, 1.000e+03])
    """
    # For complex numbers only the real part is shifted, so that the logarithm is the principal value.
    highest = peak(np.add(np.real(x), 0.0), axis)
    highest = np.where(np.isfinite(highest), highest, 0)
    with np.errstate(divide="ignore"):  # without elements above -inf the result is ln 0 = -inf
        result = np.log(np.sum(np.exp(x - highest), axis=axis, keepdims=True)) + highest
    return result if keepdims else result.squeeze(axis)


@primitive
def softmax(x: Value, axis: int = -1) -> Any:
    """exp(x) / sum exp(x) along `axis`: positive numbers that sum to 1.

    >>> ad.softmax(np.array([[0.0, 0.0], [0.0, np.log(3.0)]])).round(4)
    array([[0.5 , 0.5 ],
           [0.25, 0.75]])
    """
    e = np.exp(x - np.max(x, axis=axis, keepdims=True))
    return e / np.sum(e, axis=axis, keepdims=True)


@primitive
def log_softmax(x: Value, axis: int = -1) -> Any:
    """The logarithm of softmax(x) along `axis`, finite wherever x is.

    >>> ad.log_softmax(np.array([0.0, 1000.0]))
    array([-1000.,     0.])
    """
    shifted = x - np.max(x, axis=axis, keepdims=True)
    return shifted - np.log(np.sum(np.exp(shifted), axis=axis, keepdims=True))


_INVERSE_ROOT_OF_PI = 1 / math.sqrt(math.pi)

# The error function: W. J. Cody (1969), "Rational Chebyshev approximations for the error function", Mathematics of
# Computation 23, 631-637, with the coefficients of his CALERF, the highest power first. Relative error about 2e-16.
_NEAR = (
    *(1.85777706184603153e-1, 3.16112374387056560, 1.13864154151050156e2),
    *(3.77485237685302021e2, 3.20937758913846947e3),
)
_NEAR_BELOW = (1.0, 2.36012909523441209e1, 2.44024637934444173e2, 1.28261652607737228e3, 2.84423683343917062e3)
_MIDDLE = (
    *(2.15311535474403846e-8, 5.64188496988670089e-1, 8.88314979438837594),
    *(6.61191906371416295e1, 2.98635138197400131e2, 8.81952221241769090e2),
    *(1.71204761263407058e3, 2.05107837782607147e3, 1.23033935479799725e3),
)
_MIDDLE_BELOW = (
    *(1.0, 1.57449261107098347e1, 1.17693950891312499e2, 5.37181101862009858e2, 1.62138957456669019e3),
    *(3.29079923573345963e3, 4.36261909014324716e3, 3.43936767414372164e3, 1.23033935480374942e3),
)
_FAR = (
    *(1.63153871373020978e-2, 3.05326634961232344e-1, 3.60344899949804439e-1),
    *(1.25781726111229246e-1, 1.60837851487422766e-2, 6.58749161529837803e-4),
)
_FAR_BELOW = (
    *(1.0, 2.56852019228982242, 1.87295284992346725),
    *(5.27905102951428412e-1, 6.05183413124413191e-2, 2.33520497626869185e-3),
)


def _ratio(above: tuple[float, ...], below: tuple[float, ...], x: Value) -> Any:
    return functools.reduce(lambda y, c: y * x + c, above) / functools.reduce(lambda y, c: y * x + c, below)


def _near(x: Value) -> Any:
    """The error function where |x| <= 0.46875."""
    return x * _ratio(_NEAR, _NEAR_BELOW, x * x)


def _gaussian(x: Value) -> Any:
    """exp(-x²), with x² split into two parts, so that its rounding error does not grow."""
    coarse = np.trunc(x * 16) / 16
    return np.exp(-coarse * coarse) * np.exp(-(x - coarse) * (x + coarse))


def _middle(x: Value) -> Any:
    """1 - erf(x) where 0.46875 < x <= 4."""
    return _gaussian(x) * _ratio(_MIDDLE, _MIDDLE_BELOW, x)


def _far(x: Value) -> Any:
    """1 - erf(x) where x > 4."""
    x = np.minimum(x, 30)  # beyond 27 the result is 0 in double precision
    z = 1 / (x * x)
    return _gaussian(x) * (_INVERSE_ROOT_OF_PI - z * _ratio(_FAR, _FAR_BELOW, z)) / x


def _piecewise(x: Value, *pieces: Callable[[Any], Any]) -> Any:
    size = np.abs(np.add(x, 0.0))
    if not isinstance(size, np.ndarray | np.generic):  # every piece for all elements, with clipped arguments
        near, middle, far = pieces
        inner = np.where(size <= 4, middle(np.clip(size, 0.46875, 4)), far(np.maximum(size, 4)))
        return np.where(size <= 0.46875, near(np.minimum(size, 0.46875)), inner)
    return np.piecewise(size, [size <= 0.46875, (size > 0.46875) & (size <= 4)], pieces)


@primitive
def erf(x: Value) -> Any:
    """The error function 2/√π ∫₀ˣ exp(-t²) dt, elementwise, to double precision without SciPy.

    >>> ad.erf(np.array([-0.5, 0.0, 3.0])).round(4)
    array([-0.5205,  0.    ,  1.    ])
    """
    value = _piecewise(x, _near, lambda size: 1 - _middle(size), lambda size: 1 - _far(size))
    return np.copysign(value, x)


@primitive
def erfc(x: Value) -> Any:
    """1 - erf(x), elementwise, with the same relative precision where it is tiny.

    >>> ad.erfc(np.array([0.0, 1.0])).round(4)
    array([1.    , 0.1573])
    """
    tail = _piecewise(x, lambda size: 1 - _near(size), _middle, _far)
    return np.where(np.less(x, 0), 2 - tail, tail)[()]


@primitive
def gelu(x: Value) -> Any:
    """x Φ(x), elementwise, with Φ the normal distribution function, exact (Hendrycks & Gimpel 2016).

    >>> ad.gelu(np.array([-1.0, 0.0, 1.0])).round(4)
    array([-0.1587,  0.    ,  0.8413])
    """
    return x * _cumulative(x)


# Φ(x) - 1/2 = x P(x²) / Q(x²) where |x| <= 5.6, fitted by iteratively reweighted least squares until the error was
# even: 1e-8, a tenth of the rounding error of 1/2 in float32. The highest power comes first.
_SINGLE = (2.21453445e-8, 6.35653243e-6, 1.73850509e-4, 4.70725795e-3, 3.43760823e-2, 0.398942222)
_SINGLE_BELOW = (1.18021297e-6, 7.51018652e-5, 1.91297685e-3, 2.89400738e-2, 0.252833773, 1.0)


def _polynomial(coefficients: tuple[float, ...], x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The polynomial at each element of an array, by Horner's scheme in one buffer."""
    highest, *others, last = coefficients
    y = x * highest
    for c in others:
        y += c
        y *= x
    y += last
    return y


def _cumulative(x: Value) -> Any:
    """Φ(x), the normal distribution function."""
    if isinstance(x, np.ndarray) and x.size >= MANY and x.dtype == np.float32:
        near = x.clip(-5.6, 5.6)
        square = near * near
        near *= _polynomial(_SINGLE, square)
        near /= _polynomial(_SINGLE_BELOW, square)
        near += 0.5
        return near
    return 0.5 * erfc(-math.sqrt(0.5) * x)


adjoint(erf, lambda g, y, x: g * (2 * _INVERSE_ROOT_OF_PI) * np.exp(-x * x))
adjoint(erfc, lambda g, y, x: g * (-2 * _INVERSE_ROOT_OF_PI) * np.exp(-x * x))
adjoint(
    gelu,  # Φ(x) + x φ(x)
    lambda g, y, x: g * (_cumulative(x) + (math.sqrt(0.5) * _INVERSE_ROOT_OF_PI) * x * np.exp(-0.5 * x * x)),
)
adjoint(relu, lambda g, y, x: g * np.sign(y))  # y is never negative, so its sign is 0, 1, or NaN
adjoint(sigmoid, lambda g, y, x: g * y * (1 - y))
adjoint(softplus, lambda g, y, x: g * sigmoid(x))
adjoint(softmax, lambda g, y, x, axis=-1: y * (g - np.sum(g * y, axis=axis, keepdims=True)))
adjoint(log_softmax, lambda g, y, x, axis=-1: g - np.exp(y) * np.sum(g, axis=axis, keepdims=True))
adjoint(
    logsumexp,
    lambda g, y, x, axis=None, keepdims=False: (
        restore(g, x.shape, axis) * np.exp(x - np.reshape(y, keepdims_shape(x.shape, axis)))
    ),
)


def silu(x: Value) -> Any:
    """x sigmoid(x), elementwise (Elfwing et al. 2018; "swish").

    >>> ad.silu(np.array([-1.0, 0.0, 1.0])).round(4)
    array([-0.2689,  0.    ,  0.7311])
    """
    return x * sigmoid(x)


def leaky_relu(x: Value, slope: float = 0.01) -> Any:
    """x where it is positive, else `slope` times x. Its derivative at 0 is the slope.

    >>> ad.leaky_relu(np.array([-2.0, 3.0]), slope=0.1)
    array([-0.2,  3. ])
    """
    return np.where(np.greater(x, 0), x, slope * x)


def elu(x: Value, alpha: float = 1.0) -> Any:
    """x where it is positive, else alpha (exp(x) - 1) (Clevert et al. 2016). Its derivative at 0 is alpha.

    >>> ad.elu(np.array([-1.0, 2.0])).round(4)
    array([-0.6321,  2.    ])
    """
    return np.where(np.greater(x, 0), x, alpha * np.expm1(np.where(np.greater(x, 0), 0.0, x)))
