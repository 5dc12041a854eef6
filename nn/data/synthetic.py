"""Synthetic data in the plane, within about [-1, 1], for trying small networks.

Each function gives X, float32 of shape (samples, 2), and y, int64 of shape (samples,), in random order. All classes
have the same number of samples (the first ones have one more if the number cannot be divided). `noise` is the standard
deviation of the normal noise added to both coordinates; `rng` is a numpy.random.Generator, an int seed, or None.
circles, xor, gauss and spirals are the sets of the neural-network playground (github.com/tensorflow/playground), whose
coordinates reach to about 5 or 6, and whose circles and xor have noise on the labels instead.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from nn.checked import real, whole
from nn.init import Rng, generator

Points = tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]
Numbers = tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]
Plane = npt.NDArray[np.float64]
GAP = 0.05  # the distance between classes: at the axes in xor, at the centre of spirals


def xor(samples: int = 200, noise: float = 0.0, rng: Rng = None) -> Points:
    """Points uniform in the four quadrants; class 1 where the signs of the two coordinates differ.

    >>> X, y = nn.data.xor(100, rng=0)
    >>> bool(np.all(y == (X[:, 0] * X[:, 1] < 0)))
    True
    """
    y, random = _labels(samples, 2, rng)
    size = random.uniform(GAP, 1, (len(y), 2))
    first = random.choice((-1.0, 1.0), len(y))
    return _noisy(size * np.stack([first, np.where(y == 1, -first, first)], axis=1), y, noise, random)


def circles(samples: int = 200, noise: float = 0.0, rng: Rng = None) -> Points:
    """A disc of radius 0.5, class 1, inside a ring of radii 0.7 to 1, class 0; radius and angle are uniform.

    >>> X, y = nn.data.circles(100, rng=0)
    >>> X.shape, y.shape
    ((100, 2), (100,))
    """
    y, random = _labels(samples, 2, rng)
    radius = np.where(y == 1, random.uniform(0, 0.5, len(y)), random.uniform(0.7, 1, len(y)))
    return _noisy(_polar(radius, random.uniform(0, 2 * math.pi, len(y))), y, noise, random)


def moons(samples: int = 200, noise: float = 0.05, rng: Rng = None) -> Points:
    """Two interlocking half circles, the upper one class 0: scikit-learn's, moved to the origin and scaled by 2/3.

    >>> X, y = nn.data.moons(100, noise=0.1, rng=0)
    >>> X.shape, y.shape
    ((100, 2), (100,))
    """
    y, random = _labels(samples, 2, rng)
    upper = _polar(np.ones(len(y)), math.pi * _along(y))
    points = np.where((y == 0)[:, None], upper, np.array([1, 0.5]) - upper) - np.array([0.5, 0.25])
    return _noisy(points * (2 / 3), y, noise, random)


def spirals(
    samples: int = 200, noise: float = 0.0, rng: Rng = None, *, classes: int = 2, turns: float = 1.75
) -> Points:
    """One arm per class, from near the centre to radius 1 in about `turns` turns; the arms are at equal angles.

    >>> X, y = nn.data.spirals(90, classes=3, rng=0)
    >>> np.bincount(y)
    array([30, 30, 30])
    """
    y, random = _labels(samples, classes, rng)
    t = GAP + (1 - GAP) * _along(y)  # the arms would meet at the centre
    angle = 2 * math.pi * (real(turns, "turns", above=True) * t + y / classes)
    return _noisy(_polar(t, angle), y, noise, random)


def gauss(samples: int = 200, noise: float = 0.15, rng: Rng = None) -> Points:
    """Two normal clouds of standard deviation `noise` around (0.4, 0.4), class 1, and (-0.4, -0.4), class 0.

    >>> X, y = nn.data.gauss(100, noise=0.2, rng=0)
    >>> X.shape, sorted(set(y.tolist()))
    ((100, 2), [0, 1])
    """
    return blobs(samples, noise, rng, centers=[(-0.4, -0.4), (0.4, 0.4)])


def blobs(
    samples: int = 200, noise: float = 0.1, rng: Rng = None, *, centers: int | Sequence[Sequence[float]] = 3
) -> Points:
    """Normal clouds of standard deviation `noise`, one class each.

    `centers` are their centres, of shape (classes, features), and X has as many features; or their number, and then
    they are at equal angles on a circle of radius 0.7.

    >>> X, y = nn.data.blobs(90, centers=4, rng=0)
    >>> X.shape, y.max().item()
    ((90, 2), 3)
    """
    if isinstance(centers, int | np.integer):
        count = whole(centers, "centers")
        middles = _polar(np.full(count, 0.7), 2 * math.pi * np.arange(count) / count)
    else:
        try:
            middles = np.array(centers, np.float64)
        except (TypeError, ValueError):
            middles = np.empty(0)
        if middles.ndim != 2 or not middles.size or not np.all(np.isfinite(middles)):
            raise ValueError(
                "centers are how many, or finite points, of shape (classes, features); received "
                f"{centers!r:.80}. Write centers=3, or centers=[(0, 0), (1, 1)]."
            )
    y, random = _labels(samples, len(middles), rng)
    return _noisy(middles[y], y, noise, random)


def waves(
    samples: int = 200, noise: float = 0.05, rng: Rng = None, *, frequencies: Sequence[float] = (0.5, 1.5)
) -> Numbers:
    """Regression in one dimension: the mean of sines of these frequencies, in periods per unit, with normal noise.

    X is uniform in [-1, 1], and y is within [-1, 1] before the noise; both are float32 of shape (samples, 1).

    >>> X, y = nn.data.waves(100, rng=0)
    >>> X.shape, y.shape, y.dtype.name
    ((100, 1), (100, 1), 'float32')
    """
    found = [real(f, "a frequency", above=True) for f in frequencies]
    if not found:
        raise ValueError(
            f"waves are sums of sines of one frequency or more; received {frequencies!r}. Write (0.5, 1.5)."
        )
    random = generator(rng)
    x = random.uniform(-1, 1, (whole(samples, "samples"), 1))
    y = np.mean(np.sin(2 * math.pi * x * np.array(found)), axis=1, keepdims=True)
    y += real(noise, "noise") * random.standard_normal(x.shape)
    return x.astype(np.float32), y.astype(np.float32)


def _labels(samples: int, classes: int, rng: Rng) -> tuple[npt.NDArray[np.int64], np.random.Generator]:
    """Equal numbers of labels of each class, in random order, and the generator."""
    count = whole(classes, "classes")
    random = generator(rng)
    return random.permutation(np.arange(whole(samples, "samples", least=count), dtype=np.int64) % count), random


def _along(y: npt.NDArray[np.int64]) -> Plane:
    """The place of each sample on the curve of its class, evenly from 0 to 1."""
    t = np.empty(len(y))
    for label in range(y.max() + 1):
        t[y == label] = np.linspace(0, 1, np.count_nonzero(y == label))
    return t


def _polar(radius: Any, angle: Any) -> Plane:
    """Points in the plane."""
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)


def _noisy(points: Plane, y: npt.NDArray[np.int64], noise: float, random: np.random.Generator) -> Points:
    points = points + real(noise, "noise") * random.standard_normal(points.shape)
    return points.astype(np.float32), y
