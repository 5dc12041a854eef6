"""The problem: samples in the plane with their targets, split into training and test data."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

import nn
from nn.playing.settings import LOSSES, OWN, SURFACES, Settings

Array = npt.NDArray[Any]
SETS = {"circle": "circles", "spiral": "spirals"}  # the names in nn.data, if they differ


class Problem(NamedTuple):
    """Points of shape (samples, 2), targets of shape (samples, 1); float32."""

    points: Array
    test_points: Array
    targets: Array
    test_targets: Array
    classes: bool  # whether the targets are two classes, not numbers
    loss: str
    extent: tuple[float, float, float, float]  # the part of the plane that is shown: left, right, bottom, top

    def grid(self, side: int) -> Array:
        """side × side points of the plane, row by row from the top left; float32, of shape (side², 2)."""
        left, right, bottom, top = self.extent
        x1, x2 = np.meshgrid(_centres(left, right, side), _centres(top, bottom, side))
        return np.stack([x1.ravel(), x2.ravel()], axis=1).astype(np.float32)


def make(settings: Settings, own: tuple[Array, Array] | None = None) -> Problem:
    """The problem of these settings; `own` is the user's X and y, as `checked` gives them, for data="own"."""
    if settings.data == OWN:
        if own is None:
            raise ValueError('data="own" is for arrays of your own. Write nn.playground((X, y)).')
        every, y = own
        margin = 0.1 * np.maximum(np.ptp(every, axis=0), 1e-6)
        low, high = (every.min(axis=0) - margin).tolist(), (every.max(axis=0) + margin).tolist()
        extent = low[0], high[0], low[1], high[1]
    else:
        draw = getattr(nn.data, set_name(settings.data))
        every, y = draw(settings.samples, noise=settings.noise, rng=settings.data_seed)
        extent = -1.2, 1.2, -1.2, 1.2
    classes = settings.data not in SURFACES and y.ndim == 1
    losses = LOSSES["classes" if classes else "numbers"]
    loss = settings.loss or losses[0]
    if loss not in losses:
        raise ValueError(f"loss is one of {', '.join(map(repr, losses))} for this y; received {loss!r}.")
    parts = nn.data.train_test_split(
        every, y, test_size=settings.test_size, stratify=y if classes else None, rng=settings.data_seed
    )
    points, test_points, labels, test_labels = parts
    shown = points, test_points, targets(labels, classes, loss), targets(test_labels, classes, loss)
    return Problem(*shown, classes, loss, extent)


def targets(y: Array, classes: bool, loss: str) -> Array:
    """The targets, float32 of shape (samples, 1): for classes 0 and 1 with "bce", -1 and 1 with other losses."""
    if not classes:
        return y.astype(np.float32)
    return (y[:, None] if loss == "bce" else 2 * y[:, None] - 1).astype(np.float32)


def checked(X: npt.ArrayLike, y: npt.ArrayLike) -> tuple[Array, Array]:  # noqa: N803
    """A user's arrays: X as float32 (samples, 2), y as labels 0 and 1 (samples,), or as float32 (samples, 1).

    Raises ValueError for X of another shape, for labels of more or fewer than two classes, and for NaN and infinity.
    """
    points, numbers = np.asarray(X), np.asarray(y)
    if points.ndim != 2 or points.shape[1] != 2 or points.dtype.kind not in "fiub" or len(points) < 20:
        raise ValueError(
            "the playground shows points of the plane: X of numbers, of shape (samples, 2), 20 samples or more; "
            f"received shape {points.shape}, {points.dtype}. Choose two columns: X[:, :2]."
        )
    if numbers.ndim == 2 and numbers.shape[1] == 1:
        numbers = numbers[:, 0]
    if numbers.shape != (len(points),) or numbers.dtype.kind not in "fiub":
        raise ValueError(
            f"y has one number or label for each of the {len(points)} samples; received shape {numbers.shape}, "
            f"{numbers.dtype}. Labels that are words become numbers by np.unique(y, return_inverse=True)[1]."
        )
    if not (np.all(np.isfinite(points)) and np.all(np.isfinite(numbers))):
        raise ValueError("X and y are finite; received NaN or infinity among them. Leave those samples out.")
    if numbers.dtype.kind == "f":
        return points.astype(np.float32), numbers[:, None].astype(np.float32)
    labels, y = np.unique(numbers, return_inverse=True)
    if len(labels) != 2:
        raise ValueError(
            f"integer labels are two classes here; received {len(labels)}. Choose two: y == label, or pass floats for "
            "a regression."
        )
    return points.astype(np.float32), y


def set_name(data: str) -> str:
    """The name of a data set in nn.data."""
    return SETS.get(data, data)


def _centres(start: float, stop: float, count: int) -> Array:
    """The middles of `count` equal parts of a line."""
    return start + (np.arange(count) + 0.5) * (stop - start) / count
