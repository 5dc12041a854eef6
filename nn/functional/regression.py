"""Losses of regression. With plain arrays they return plain numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

import autodiff as ad
from nn.checked import real, switch
from nn.functional.reduction import compared, reduced


def mse_loss(
    prediction: Any, target: Any, *, half: bool = False, reduction: str = "mean", sample_weight: Any = None
) -> Any:
    """The squared error (y' - y)², or with `half` (y' - y)² / 2, whose derivative is y' - y.

    Parameters
    ----------
    prediction, target : of one shape, (batch, ...)
    reduction : "mean" over all elements, "sum", or "none" for the loss of each element
    sample_weight : factors of the losses, not negative, of shape (batch,); the mean is sum(w l) / sum(w)

    Raises ValueError if the shapes differ: (n, 1) and (n,) would silently broadcast to n x n.

    >>> float(F.mse_loss(np.array([1.0, 2.0]), np.array([0.0, 4.0])))
    2.5
    """
    half = switch(half, "mse_loss: half")
    prediction, target = compared(prediction, target, "mse_loss")
    error = reduced(np.square(prediction - target), "mse_loss", reduction, sample_weight)
    return 0.5 * error if half else error


def l1_loss(prediction: Any, target: Any, *, reduction: str = "mean", sample_weight: Any = None) -> Any:
    """The absolute error |y' - y|; its derivative at 0 is taken as 0. The parameters are those of mse_loss.

    >>> float(F.l1_loss(np.array([1.0, 5.0]), np.array([2.0, 2.0])))
    2.0
    """
    prediction, target = compared(prediction, target, "l1_loss")
    return reduced(np.abs(prediction - target), "l1_loss", reduction, sample_weight)


def huber_loss(
    prediction: Any, target: Any, *, reduction: str = "mean", delta: float = 1.0, sample_weight: Any = None
) -> Any:
    """The squared error d² / 2 for small differences d, and delta (|d| - delta / 2) above `delta` (Huber 1964).

    Its derivative is d clipped to ±delta, which limits the effect of outliers. The other parameters are those of
    mse_loss.

    >>> F.huber_loss(np.array([0.5, 10.0]), np.zeros(2), reduction="none")
    array([0.125, 9.5  ])
    """
    delta = real(delta, "huber_loss: delta", above=True)
    return reduced(_huber(prediction, target, delta, "huber_loss"), "huber_loss", reduction, sample_weight)


def smooth_l1_loss(
    prediction: Any, target: Any, *, reduction: str = "mean", beta: float = 1.0, sample_weight: Any = None
) -> Any:
    """The Huber loss divided by its delta, here called `beta`: |d| - beta / 2 for large differences d.

    >>> F.smooth_l1_loss(np.array([0.5, 10.0]), np.zeros(2), reduction="none")
    array([0.125, 9.5  ])
    """
    beta = real(beta, "smooth_l1_loss: beta", above=True)
    losses = _huber(prediction, target, beta, "smooth_l1_loss")
    return reduced(losses, "smooth_l1_loss", reduction, sample_weight) / beta


def _huber(prediction: Any, target: Any, delta: float, loss: str) -> Any:
    prediction, target = compared(prediction, target, loss)
    return huber(prediction - target, delta=delta)


@ad.primitive
def huber(d: Any, delta: float) -> Any:
    """d² / 2, elementwise, continued beyond ±delta by the tangents."""
    size = np.abs(d)
    near = np.minimum(size, delta)
    return near * (size - 0.5 * near)  # both cases in one formula


# |d| has no second derivative at 0, but this loss has one: the derivative of the clipped d is 1.
ad.adjoint(huber, lambda g, y, d, delta=1.0: g * np.clip(d, -delta, delta))
