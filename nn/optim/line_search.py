"""A line search: a length along a direction at which the function and its slope have decreased enough."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

DECREASE = 1e-4  # c₁: the least decrease, as a share of the decrease that the initial slope predicts
CURVATURE = 0.9  # c₂: the largest remaining slope, as a share of the initial slope
MOST = 25  # trials


class Evaluation(NamedTuple):
    """A loss and its gradient, a vector."""

    loss: float
    gradient: npt.NDArray[Any]


class _Trial(NamedTuple):
    """The loss at the length t, and its slope along the direction."""

    t: float
    loss: float
    slope: float
    found: Evaluation


def strong_wolfe(
    at: Callable[[float], Evaluation],
    start: Evaluation,
    direction: npt.NDArray[Any],
    length: float,
    slope: float,
    least: float,
) -> tuple[Evaluation, float]:
    """A length that meets the strong Wolfe conditions, with its loss and gradient.

    They are φ(t) ≤ φ(0) + c₁ t φ'(0) and |φ'(t)| ≤ c₂ |φ'(0)|, with `slope` φ'(0) < 0. `length` is tried first. The
    search also ends if an interval, times the direction's largest element, is below `least`, or after 25 trials: then
    with the lowest loss found. Source: Nocedal & Wright 2006, algorithms 3.5 and 3.6.
    """

    def trial(t: float) -> _Trial:
        found = at(t)
        return _Trial(t, found.loss, float(np.dot(found.gradient, direction)), found)

    def enough(tried: _Trial) -> bool:
        return tried.loss <= start.loss + DECREASE * tried.t * slope  # False for NaN

    reach = float(np.max(np.abs(direction)))
    low, high = _Trial(0.0, start.loss, slope, start), None
    tried = low
    for k in range(MOST):
        last, tried = tried, trial(length)
        if not enough(tried) or (k and tried.loss >= last.loss):
            low, high = last, tried
        elif abs(tried.slope) <= -CURVATURE * slope:
            return tried.found, tried.t
        elif tried.slope >= 0:
            low, high = tried, last
        else:  # the loss still falls: try a larger length
            low = tried
            length = min(max(_least(last, tried), tried.t + 0.01 * (tried.t - last.t)), 10 * tried.t)
            continue
        return _zoomed(trial, enough, low, high, CURVATURE * slope, least / reach if reach else math.inf, MOST - k - 1)
    return low.found, low.t


def _zoomed(
    trial: Callable[[float], _Trial],
    enough: Callable[[_Trial], bool],
    low: _Trial,
    high: _Trial,
    steepest: float,
    narrow: float,
    most: int,
) -> tuple[Evaluation, float]:
    """The search between two lengths; `low` is the one with the lower loss (algorithm 3.6)."""
    for _ in range(most):
        if abs(high.t - low.t) < narrow:
            break
        a, b = sorted((low.t, high.t))
        margin = 0.1 * (b - a)
        tried = trial(min(max(_least(low, high), a + margin), b - margin))
        if not enough(tried) or tried.loss >= low.loss:
            high = tried
            continue
        if abs(tried.slope) <= -steepest:
            return tried.found, tried.t
        if tried.slope * (high.t - low.t) >= 0:
            high = low
        low = tried
    return low.found, low.t


def _least(a: _Trial, b: _Trial) -> float:
    """The minimum of the cubic through two losses and their slopes (equation 3.59); the middle if there is none."""
    d1 = a.slope + b.slope - 3 * (a.loss - b.loss) / (a.t - b.t) if a.t != b.t else math.nan
    square = d1 * d1 - a.slope * b.slope
    if not square >= 0 or not math.isfinite(square):
        return (a.t + b.t) / 2
    d2 = math.copysign(math.sqrt(square), b.t - a.t)
    below = b.slope - a.slope + 2 * d2
    return b.t - (b.t - a.t) * (b.slope + d2 - d1) / below if below else (a.t + b.t) / 2
