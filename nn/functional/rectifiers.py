"""Rectifiers, elementwise: straight lines and exponentials that meet at 0 or at bounds, as primitives.

Each is written with minima, maxima and products with conditions. np.where takes ten times as long if the condition
changes from element to element, because the processor's branch prediction fails half of the time.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import autodiff as ad


@ad.primitive
def leaky(x: Any, slope: Any) -> Any:
    """x where it is positive, else slope · x; the slope is a number or an array that broadcasts to x."""
    if isinstance(slope, float) and 0 < slope <= 1:
        return np.maximum(x, slope * x)
    return np.maximum(x, 0) + slope * np.minimum(x, 0)


@ad.primitive
def exponential(x: Any, *, alpha: float, width: float, scale: float) -> Any:
    """scale · x where x is positive, else scale · alpha (exp(x / width) - 1): ELU, SELU and CELU."""
    below = np.minimum(x, 0)
    below = np.expm1(below if width == 1 else below / width)
    below *= scale * alpha
    line = np.maximum(x, 0)
    if scale != 1:
        line *= scale
    return line + below


@ad.primitive
def bounded(x: Any, *, low: float, high: float) -> Any:
    """x, but at least `low` and at most `high`; on and beyond the bounds the derivative is 0."""
    return np.clip(x, low, high)


@ad.primitive
def hard(x: Any, *, bound: float) -> Any:
    """x where |x| is above the bound, else 0."""
    return x * np.greater(np.abs(x), bound)


@ad.primitive
def soft(x: Any, *, bound: float) -> Any:
    """x moved towards 0 by the bound, and 0 where |x| is at most that."""
    return x - np.clip(x, -bound, bound)


@ad.primitive
def above(x: Any, *, bound: float, value: float) -> Any:
    """x where it is above the bound, else `value`."""
    y = np.maximum(x, bound)
    return y if value == bound else y * np.greater(x, bound) + value * _ones_where(np.less_equal(x, bound), x)


def _ones_where(condition: Any, x: Any) -> Any:
    """1 where the condition holds and 0 elsewhere, in the dtype of x."""
    return condition.astype(x.dtype)


def broadcast_back(g: Any, x: Any) -> Any:
    """An adjoint summed back to the shape of x, which was broadcast to the shape of g."""
    if g.shape == x.shape:
        return g
    more = g.ndim - x.ndim
    axes = tuple(k for k in range(g.ndim) if k < more or x.shape[k - more] != g.shape[k])
    return np.reshape(np.sum(g, axis=axes), x.shape)


def _of_exponential(g: Any, y: Any, x: Any, *, alpha: float, width: float, scale: float) -> Any:
    below = np.minimum(x, 0)
    slope = scale * alpha / width
    found = np.exp(below if width == 1 else below / width) * slope  # slope where x is positive
    return g * (found if slope == scale else found + (scale - slope) * _ones_where(np.greater(x, 0), x))


ad.adjoint(
    leaky,
    lambda g, y, x, slope: g * (slope + (1 - slope) * _ones_where(np.greater(x, 0), x)),
    lambda g, y, x, slope: broadcast_back(g * np.minimum(x, 0), slope),
)
ad.adjoint(exponential, _of_exponential)
ad.adjoint(bounded, lambda g, y, x, low, high: g * (np.greater(x, low) & np.less(x, high)))
for _shrink in (hard, soft):
    ad.adjoint(_shrink, lambda g, y, x, bound: g * np.greater(np.abs(x), bound))
ad.adjoint(above, lambda g, y, x, bound, value: g * np.greater(x, bound))

ad.written(leaky, "leaky_relu(a, b)", ("1 if a > 0, else b",), ("g if a > 0, else g b", "sum(g min(a, 0))"))
ad.written(exponential, "elu a", (None,))
ad.written(bounded, "clip a", ("[low < a < high]",))
ad.written(hard, "hardshrink a", ("[|a| > bound]",))
ad.written(soft, "softshrink a", ("[|a| > bound]",))
ad.written(above, "threshold a", ("[a > bound]",))
