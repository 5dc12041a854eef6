"""Rules of the elementwise functions.

Where the derivative jumps (a tie in maximum or minimum, abs at 0) the adjoint is shared equally among the
arguments that tie: 1/2 each, and 0 for abs. That is the midpoint of the subdifferential.
"""

import math
from typing import Any

import numpy as np

from autodiff.primitive import adjoint, composed
from autodiff.shapes import unbroadcast

LN2 = math.log(2)
LN10 = math.log(10)

# -- arithmetic -------------------------------------------------------------------------------------------------

adjoint(np.add, lambda g, y, a, b: g, lambda g, y, a, b: g)
adjoint(np.subtract, lambda g, y, a, b: g, lambda g, y, a, b: -g)
adjoint(np.multiply, lambda g, y, a, b: g * b, lambda g, y, a, b: g * a)
adjoint(np.divide, lambda g, y, a, b: g / b, lambda g, y, a, b: -g * y / b)
adjoint(np.negative, lambda g, y, x: -g)
adjoint(np.positive, lambda g, y, x: g)
adjoint(np.reciprocal, lambda g, y, x: -g * y * y)
adjoint(np.square, lambda g, y, x: g * 2.0 * x)
adjoint(np.sqrt, lambda g, y, x: g * 0.5 / y)
adjoint(np.absolute, lambda g, y, x: g * np.sign(x))
adjoint(np.fabs, lambda g, y, x: g * np.sign(x))


def power_base(g: Any, y: Any, x: Any, p: Any) -> Any:
    """p x^(p-1), which is 0 for p = 0 even at x = 0."""
    if isinstance(p, int | float):
        return g * p * x ** (p - 1) if p else g * np.zeros_like(x)
    return g * p * x ** np.where(np.equal(p, 0), 1.0, p - 1)


def power_exponent(g: Any, y: Any, x: Any, p: Any) -> Any:
    """y ln x, which is 0 at x = 0 (where y is 0 for every positive p near it)."""
    log = np.log(np.where(np.equal(x, 0), 1.0, x))
    return g * y * (float(log) if isinstance(x, int | float) else log)


adjoint(np.power, power_base, power_exponent)

# -- exponentials and logarithms --------------------------------------------------------------------------------

adjoint(np.exp, lambda g, y, x: g * y)
adjoint(np.expm1, lambda g, y, x: g * (y + 1.0))
adjoint(np.log, lambda g, y, x: g / x)
adjoint(np.log2, lambda g, y, x: g / (x * LN2))
adjoint(np.log10, lambda g, y, x: g / (x * LN10))
adjoint(np.log1p, lambda g, y, x: g / (1.0 + x))

# -- trigonometric and hyperbolic -------------------------------------------------------------------------------

adjoint(np.sin, lambda g, y, x: g * np.cos(x))
adjoint(np.cos, lambda g, y, x: -g * np.sin(x))
adjoint(np.tan, lambda g, y, x: g * (1.0 + y * y))
adjoint(np.arcsin, lambda g, y, x: g / np.sqrt((1.0 - x) * (1.0 + x)))
adjoint(np.arccos, lambda g, y, x: -g / np.sqrt((1.0 - x) * (1.0 + x)))
adjoint(np.arctan, lambda g, y, x: g / (1.0 + x * x))
adjoint(np.arctan2, lambda g, y, a, b: g * b / (a * a + b * b), lambda g, y, a, b: -g * a / (a * a + b * b))
adjoint(np.sinh, lambda g, y, x: g * np.cosh(x))
adjoint(np.cosh, lambda g, y, x: g * np.sinh(x))
adjoint(np.tanh, lambda g, y, x: g * (1.0 - y * y))

# -- choices ----------------------------------------------------------------------------------------------------


def won(g: Any, y: Any, x: Any, other: Any) -> Any:
    """The adjoint of x, where y is the greater (or the smaller) of x and the other: half of g at a tie."""
    return g * ((y == x) * (1.0 - 0.5 * np.equal(x, other))).astype(y.dtype)


adjoint(np.maximum, lambda g, y, a, b: won(g, y, a, b), lambda g, y, a, b: won(g, y, b, a))
adjoint(np.minimum, lambda g, y, a, b: won(g, y, a, b), lambda g, y, a, b: won(g, y, b, a))

adjoint(
    np.where,
    None,
    lambda g, y, condition, a, b: unbroadcast(np.where(condition, g, 0.0), np.shape(a)),
    lambda g, y, condition, a, b: unbroadcast(np.where(condition, 0.0, g), np.shape(b)),
)


@composed(np.clip)
def clip(a: Any, a_min: Any = None, a_max: Any = None, *, min: Any = None, max: Any = None) -> Any:
    """The smaller of a_max and the greater of a_min and a, so a value on a bound ties with it."""
    lowest, highest = (a_min if min is None else min), (a_max if max is None else max)
    a = a if lowest is None else np.maximum(a, lowest)
    return a if highest is None else np.minimum(a, highest)
