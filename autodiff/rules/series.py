"""Rules of np.sinc and np.i0. Their derivatives are not in NumPy, so each family has one primitive for all orders."""

import math

import numpy as np

from autodiff.engine.table import adjoint, primitive
from autodiff.engine.values import Value


@primitive
def spherical(x: Value, order: int) -> Value:
    """The derivative of that order of sin(x) / x.

    From x f = sin x follows x f⁽ⁿ⁾ + n f⁽ⁿ⁻¹⁾ = sin(x + n π/2), which is stable where |x| > n. Elsewhere the series
    of the terms ± x²ᵏ⁻ⁿ / ((2k + 1) (2k - n)!) is summed.
    """
    near = np.abs(x) <= max(order, 1)
    small, large = np.where(near, x, 0.0), np.where(near, 1.0, x)
    square, series = small * small, np.zeros_like(small)
    for k in reversed(range((order + 1) // 2, 2 * order + 12)):
        series = series * square + (-1) ** k / ((2 * k + 1) * math.factorial(2 * k - order))
    if order % 2:
        series = series * small
    derivative = np.sin(large) / large
    for n in range(1, order + 1):
        derivative = (np.sin(large + n * (math.pi / 2)) - n * derivative) / large
    return np.where(near, series, derivative)


@primitive
def bessel(x: Value, order: int) -> Value:
    """The derivative of that order of I₀: the mean of cosⁿθ exp(x cos θ) over the circle, by the midpoint rule."""
    points = np.cos((np.arange(128) + 0.5) * (math.pi / 128))
    total = np.zeros_like(x)
    for c in points.tolist():
        total = total + c**order * np.exp(c * x)
    return total / 128


adjoint(spherical, lambda g, y, x, order: g * spherical(x, order=order + 1))
adjoint(bessel, lambda g, y, x, order: g * bessel(x, order=order + 1))
adjoint(np.sinc, lambda g, y, x: g * math.pi * spherical(math.pi * x, order=1))
adjoint(np.i0, lambda g, y, x: g * bessel(x, order=1))
