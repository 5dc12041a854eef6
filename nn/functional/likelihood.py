"""Negative log-likelihoods of predicted distributions; called with plain arrays, they give plain numbers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import autodiff as ad
from nn.checked import array, real, switch
from nn.functional.reduction import compared, reduced


def gaussian_nll_loss(
    prediction: Any,
    target: Any,
    var: Any,
    full: bool = False,
    eps: float = 1e-6,
    *,
    reduction: str = "mean",
    sample_weight: Any = None,
) -> Any:
    """(ln v + (y' - y)² / v) / 2 of a normal distribution with mean y' and variance v (Nix & Weigend 1994).

    Parameters
    ----------
    prediction, target : y' and y, of one shape, (batch, ...)
    var : the variance v, not negative: of that shape, or without its last axis, or with 1 there, or one number. A
        variance below eps counts as eps, and its derivative is that at eps
    full : whether to add the constant ln(2π) / 2
    eps : above 0
    reduction : "mean" over all elements, "sum", or "none" for the loss of each element
    sample_weight : factors of the losses, not negative, of shape (batch,); the mean is sum(w l) / sum(w)

    Raises ValueError for shapes that do not fit together and for a negative variance.

    >>> float(F.gaussian_nll_loss(np.array([1.0]), np.array([3.0]), np.array([1.0])))
    2.0
    """
    name = "gaussian_nll_loss"
    prediction, target = compared(prediction, target, name)
    shape, v = prediction.shape, array(var)
    if v.dtype != prediction.dtype and not isinstance(v, ad.Tensor):
        v = v.astype(prediction.dtype)
    if v.ndim and v.shape == shape[:-1]:
        v = v[..., None]
    if v.ndim and v.shape not in (shape, (*shape[:-1], 1)):
        raise ValueError(
            f"{name} takes a variance of the prediction's shape {shape}, or {shape[:-1]}, or one number; received "
            f"shape {v.shape}. Bring it to one of them."
        )
    eps, plain = real(eps, f"{name}: eps", above=True), ad.stop_gradient(v)
    ad.ask(_check_variance, plain)
    v = np.where(np.less(plain, eps), v - plain + eps, v)
    losses = 0.5 * (np.log(v) + np.square(prediction - target) / v)
    if switch(full, f"{name}: full"):
        losses = losses + 0.5 * math.log(2 * math.pi)
    return reduced(losses, name, reduction, sample_weight)


def _check_variance(v: Any) -> None:
    if np.any(v < 0):
        raise ValueError(
            f"gaussian_nll_loss takes a variance, not negative; received {np.min(v)}. Take softplus of an output."
        )


def poisson_nll_loss(
    prediction: Any,
    target: Any,
    log_input: bool = True,
    full: bool = False,
    eps: float = 1e-8,
    *,
    reduction: str = "mean",
    sample_weight: Any = None,
) -> Any:
    """exp(x) - y x for counts y with the Poisson mean exp(x); with log_input=False, x - y ln(x + eps) for the mean x.

    Parameters
    ----------
    prediction, target : x and y, of one shape, (batch, ...)
    full : whether to add ln y!, which for y above 1 is computed by Stirling's formula, y ln y - y + ln(2π y) / 2
    eps : from 0
    reduction, sample_weight : as in gaussian_nll_loss

    >>> float(F.poisson_nll_loss(np.array([0.0]), np.array([3.0])))
    1.0
    """
    name = "poisson_nll_loss"
    x, y = compared(prediction, target, name)
    eps = real(eps, f"{name}: eps")
    losses = np.exp(x) - y * x if switch(log_input, f"{name}: log_input") else x - y * np.log(x + eps)
    if switch(full, f"{name}: full"):
        many = np.greater(y, 1)
        count = np.where(many, y, 1.0)
        stirling = count * np.log(count) - count + 0.5 * np.log(2 * math.pi * count)
        losses = losses + np.where(many, stirling, 0.0)
    return reduced(losses, name, reduction, sample_weight)
