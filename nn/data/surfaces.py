"""Regression over the plane: a number at each point of [-1, 1]², as in the neural-network playground.

Each function gives X, float32 of shape (samples, 2), uniform in [-1, 1]², and y, float32 of shape (samples, 1), within
about [-1, 1]. `noise` is the standard deviation of the normal noise on y; `rng` a numpy.random.Generator, an int seed,
or None.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from nn.checked import real, whole
from nn.init import Rng, generator

Numbers = tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]


def plane(samples: int = 200, noise: float = 0.0, rng: Rng = None) -> Numbers:
    """y = (x1 + x2) / 2, which one linear neuron can learn.

    >>> X, y = nn.data.plane(100, noise=0.1, rng=0)
    """
    points, random = _points(samples, rng)
    return _noisy(points, (points[:, 0] + points[:, 1]) / 2, noise, random)


def hills(samples: int = 200, noise: float = 0.0, rng: Rng = None) -> Numbers:
    """Three hills of height 1 and three hollows of depth 1, each ±exp(-8 r²) with r the distance from its centre.

    Hills and hollows alternate at equal angles on a circle of radius 0.65.

    >>> X, y = nn.data.hills(100, rng=0)
    """
    points, random = _points(samples, rng)
    angle = np.pi / 3 * np.arange(6)
    middles = 0.65 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    squares = np.sum((points[:, None] - middles) ** 2, axis=2)
    return _noisy(points, np.exp(-8 * squares) @ np.array([1, -1, 1, -1, 1, -1]), noise, random)


def _points(samples: int, rng: Rng) -> tuple[npt.NDArray[np.float64], np.random.Generator]:
    random = generator(rng)
    return random.uniform(-1, 1, (whole(samples, "samples"), 2)), random


def _noisy(points: Any, y: Any, noise: float, random: np.random.Generator) -> Numbers:
    y = y + real(noise, "noise") * random.standard_normal(y.shape)
    return points.astype(np.float32), y[:, None].astype(np.float32)
