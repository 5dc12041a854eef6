"""Rules of the elementwise functions.

Where the derivative jumps (a tie in maximum or minimum, abs at 0) the adjoint is shared equally among the
arguments that tie: 1/2 each, and 0 for abs. This is the midpoint of the subdifferential. Where the result of maximum or
minimum is NaN, the adjoints of both arguments are NaN too, since it is unknown which one was chosen.

At such a point the second derivative is that of the neighbouring pieces, 0 for abs. So the second derivative of
np.abs(x)**2 at 0 comes out as 0 instead of 2: write x * x.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from autodiff.engine.shapes import unbroadcast
from autodiff.engine.table import adjoint, composed, linear, primitive
from autodiff.engine.values import Value
from autodiff.rules.arguments import raw
from autodiff.rules.quotient import quotient

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
adjoint(np.cbrt, lambda g, y, x: g / (3.0 * y * y))
adjoint(np.fabs, lambda g, y, x: g * np.sign(x))
adjoint(np.copysign, lambda g, y, a, b: g * (np.sign(a) * np.copysign(1.0, b)), None)
adjoint(np.hypot, lambda g, y, a, b: quotient(g * a, y), lambda g, y, a, b: quotient(g * b, y))


def modulus(g: Value, y: Value, x: Value) -> Value:
    """sign(x) if x is real, conj(x) / |x| if it is complex: 0 at 0."""
    return quotient(g * np.conj(x), y) if x.dtype.kind == "c" else g * np.sign(x)


adjoint(np.absolute, modulus)


def power_base(g: Value, y: Value, x: Value, p: Value) -> Value:
    """p x^(p-1), which is 0 for p = 0 even at x = 0."""
    if isinstance(p, np.generic):
        p = p.item()  # a NumPy integer would turn float32 into float64
    if isinstance(p, int | float | complex):
        return g * p * x ** (p - 1) if p else g * np.zeros_like(x)
    return g * p * x ** np.where(np.logical_and(np.equal(p, 0), np.equal(x, 0)), 1.0, p - 1)


def power_exponent(g: Value, y: Value, x: Value, p: Value) -> Value:
    """y ln x, which is 0 at x = 0 (where y is 0 for every positive p near it)."""
    base = np.where(np.equal(x, 0), 1.0, x)
    log = np.log(base + 0j if y.dtype.kind == "c" else base)  # for a negative x, complex as well
    return g * y * (log.item() if isinstance(x, int | float | complex) else log)


adjoint(np.power, power_base, power_exponent)
adjoint(np.float_power, power_base, power_exponent)

# -- exponentials and logarithms --------------------------------------------------------------------------------

adjoint(np.exp, lambda g, y, x: g * y)
adjoint(np.exp2, lambda g, y, x: g * y * LN2)
adjoint(np.expm1, lambda g, y, x: g * (y + 1.0))
adjoint(np.log, lambda g, y, x: g / x)
adjoint(np.log2, lambda g, y, x: g / (x * LN2))
adjoint(np.log10, lambda g, y, x: g / (x * LN10))
adjoint(np.log1p, lambda g, y, x: g / (1.0 + x))


def part(y: Value, x: Value) -> Value:
    """x - y, the logarithm of the share of exp(x) in exp(y); where both are -inf, the share is 0."""
    return x - np.where(np.equal(y, -math.inf), 0.0, y)


adjoint(np.logaddexp, lambda g, y, a, b: g * np.exp(part(y, a)), lambda g, y, a, b: g * np.exp(part(y, b)))
adjoint(np.logaddexp2, lambda g, y, a, b: g * np.exp2(part(y, a)), lambda g, y, a, b: g * np.exp2(part(y, b)))

# -- trigonometric and hyperbolic -------------------------------------------------------------------------------

adjoint(np.sin, lambda g, y, x: g * np.cos(x))
adjoint(np.cos, lambda g, y, x: -g * np.sin(x))
adjoint(np.tan, lambda g, y, x: g * (1.0 + y * y))
adjoint(np.arcsin, lambda g, y, x: g / np.sqrt((1.0 - x) * (1.0 + x)))
adjoint(np.arccos, lambda g, y, x: -g / np.sqrt((1.0 - x) * (1.0 + x)))
adjoint(np.arctan, lambda g, y, x: g / (1.0 + x * x))
adjoint(
    np.arctan2,  # b / (a² + b²) and -a / (a² + b²), without squares that may over- or underflow
    lambda g, y, a, b: g * (b / np.hypot(a, b)) / np.hypot(a, b),
    lambda g, y, a, b: -g * (a / np.hypot(a, b)) / np.hypot(a, b),
)
adjoint(np.sinh, lambda g, y, x: g * np.cosh(x))
adjoint(np.cosh, lambda g, y, x: g * np.sinh(x))
adjoint(np.tanh, lambda g, y, x: g * (1.0 - y * y))
adjoint(np.arcsinh, lambda g, y, x: g / (np.sqrt(1.0 + x * x) if np.iscomplexobj(x) else np.hypot(1.0, x)))
adjoint(np.arccosh, lambda g, y, x: g / (np.sqrt(x - 1.0) * np.sqrt(x + 1.0)))
adjoint(np.arctanh, lambda g, y, x: g / ((1.0 - x) * (1.0 + x)))

for radians in (np.deg2rad, np.radians):
    adjoint(radians, lambda g, y, x: g * (math.pi / 180))
for degrees in (np.rad2deg, np.degrees):
    adjoint(degrees, lambda g, y, x: g * (180 / math.pi))
linear(np.deg2rad, np.radians, np.rad2deg, np.degrees)

# -- remainders and step functions ------------------------------------------------------------------------------

adjoint(np.remainder, lambda g, y, a, b: g, lambda g, y, a, b: -g * np.floor_divide(a, b))
adjoint(np.fmod, lambda g, y, a, b: g, lambda g, y, a, b: -g * np.rint((a - y) / b))
adjoint(np.ldexp, lambda g, y, x, exponent: np.ldexp(g, exponent), None)
adjoint(np.heaviside, None, lambda g, y, x, at_zero: g * np.equal(x, 0))
adjoint(np.unwrap, lambda g, y, x, discont=None, axis=-1, period=6.283185307179586: g)


@primitive
def fraction(x: Value) -> Value:
    """The fractional part."""
    return np.modf(x)[0]


adjoint(fraction, lambda g, y, x: g)
composed(np.modf)(lambda x: (fraction(x), np.trunc(x)))
composed(np.divmod)(lambda x1, x2: (np.floor_divide(x1, x2), np.remainder(x1, x2)))


@composed(np.frexp)
def frexp(x: Value) -> tuple[Value, Value]:
    """np.frexp: x divided by a power of two, and the exponent, a constant."""
    exponent = np.frexp(raw(x))[1]
    return np.ldexp(x, -exponent), exponent


@composed(np.nan_to_num)
def nan_to_num(x: Value, copy: bool = True, nan: ArrayLike = 0.0, posinf: Any = None, neginf: Any = None) -> Value:
    """np.nan_to_num: x where it is finite, constants elsewhere."""
    if not copy:
        raise TypeError("np.nan_to_num was called with copy=False; a Tensor is not written into: leave it out.")
    limits = np.finfo(x.dtype)
    above = limits.max.item() if posinf is None else posinf
    below = limits.min.item() if neginf is None else neginf
    replaced = np.where(np.isnan(x), nan, x)
    return np.where(np.isposinf(x), above, np.where(np.isneginf(x), below, replaced))


# -- choices ----------------------------------------------------------------------------------------------------


def extremum_adjoint(g: Value, y: Value, x: Value, other: Value) -> Value:
    """The adjoint of x, where y is the greater (or the smaller) of x and the other: half of g at a tie."""
    share = (y == x) * (1.0 - 0.5 * np.equal(x, other))
    return g * np.where(np.isnan(y), math.nan, share).astype(y.dtype)


adjoint(np.maximum, lambda g, y, a, b: extremum_adjoint(g, y, a, b), lambda g, y, a, b: extremum_adjoint(g, y, b, a))
adjoint(np.minimum, lambda g, y, a, b: extremum_adjoint(g, y, a, b), lambda g, y, a, b: extremum_adjoint(g, y, b, a))
adjoint(np.fmax, lambda g, y, a, b: extremum_adjoint(g, y, a, b), lambda g, y, a, b: extremum_adjoint(g, y, b, a))
adjoint(np.fmin, lambda g, y, a, b: extremum_adjoint(g, y, a, b), lambda g, y, a, b: extremum_adjoint(g, y, b, a))


@primitive
def where(condition: ArrayLike, x: Value, y: Value) -> Value:
    """np.where with all its arguments."""
    return np.where(condition, x, y)


adjoint(
    where,
    None,
    lambda g, y, condition, a, b: unbroadcast(np.where(condition, g, 0.0), np.shape(a)),
    lambda g, y, condition, a, b: unbroadcast(np.where(condition, 0.0, g), np.shape(b)),
)


@composed(np.where)
def chosen(condition: Value, x: Any = None, y: Any = None) -> Value | tuple[Value, ...]:
    """np.where: x or y, chosen by the condition; with the condition alone, the indices at which it holds."""
    return np.nonzero(condition) if x is None and y is None else where(condition, x, y)


@composed(np.clip)
def clip(a: Value, a_min: Any = None, a_max: Any = None, *, min: Any = None, max: Any = None) -> Value:
    """minimum(a_max, maximum(a_min, a)): at a bound the value and the bound tie."""
    lowest, highest = (a_min if min is None else min), (a_max if max is None else max)
    a = a if lowest is None else np.maximum(a, lowest)
    return a if highest is None else np.minimum(a, highest)
