"""The loss over a plane through the present weights, with the path of the training so far.

The plane's directions are the two principal components of that path, as Li et al. 2018 ("Visualizing the loss landscape
of neural nets", section 7) draw trajectories: in random directions the path would hardly be seen. In the first epochs,
when the path is too short, the directions are random.
"""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import numpy.typing as npt

import autodiff as ad
import nn
from nn.playing.experiment import Experiment
from nn.playing.snapshot import Frame, finite

Array = npt.NDArray[Any]
SIDE = 25  # points along either direction


def landscape(experiment: Experiment) -> Frame:
    """The training loss, without penalties, on SIDE × SIDE points, and the path in the same coordinates.

    The content has the "spans" of both directions (from, to), the "least" and the "most" loss, and as "share" the part
    of the path's variance in the plane. Heights are of the logarithm of the loss, from 0, the least, to 1, the most.
    Raises ValueError if weights on the path are not finite.
    """
    path = np.array([*experiment.path, experiment.weights()], np.float64)
    if not np.all(np.isfinite(path)):
        raise ValueError("the weights are no longer finite. Start again with a smaller learning rate.")
    now = path[-1]
    first, second, share = _directions(path - now)
    along = (path - now) @ np.stack([first, second], axis=1)
    spans = [_span(column) for column in along.T]
    a, b = (np.linspace(*span, SIDE) for span in spans)
    model = copy.deepcopy(experiment.model).eval()
    flat = nn.flat(model)
    losses = np.empty((SIDE, SIDE))
    with ad.no_grad(), np.errstate(all="ignore"):
        for row in range(SIDE):
            for column in range(SIDE):
                flat.assign(now + a[column] * first + b[row] * second)
                losses[row, column] = float(experiment.loss_function(model(experiment.x), experiment.problem.targets))
    known = losses[np.isfinite(losses)]
    low, high = (float(known.min()), float(known.max())) if known.size else (0.0, 0.0)
    with np.errstate(all="ignore"):
        heights = np.log(np.maximum(losses, 1e-12) / max(low, 1e-12))
        heights = np.nan_to_num(heights / (np.log(max(high, 1e-12) / max(low, 1e-12)) or 1.0), nan=1.0, posinf=1.0)
    content = {
        "landscape": True,
        "side": SIDE,
        "spans": spans,
        "least": finite(low),
        "most": finite(high),
        "share": finite(share),
        "epochs": experiment.epoch,
    }
    return Frame(content, {"heights": np.clip(heights, 0, 1), "path": along})


def _directions(steps: Array) -> tuple[Array, Array, float]:
    """Two orthonormal directions, and the share of the variance of the steps in them."""
    if len(steps) >= 4:
        _, sizes, rows = np.linalg.svd(steps - steps.mean(axis=0), full_matrices=False)
        if len(rows) > 1 and sizes[1] > 1e-9 * max(float(sizes[0]), 1e-300) and sizes[0] > 0:
            return rows[0], rows[1], float(np.sum(sizes[:2] ** 2) / np.sum(sizes**2))
    drawn, _ = np.linalg.qr(np.random.default_rng(0).standard_normal((steps.shape[1], 2)))
    return drawn[:, 0], drawn[:, 1], 0.0


def _span(column: Array) -> tuple[float, float]:
    """The part of a direction that is shown: the path in its middle half, and never less than 1 to either side."""
    low, high = float(column.min()), float(column.max())
    margin = max(0.5 * (high - low), 0.5)
    return low - margin, high + margin
