"""Losses of classifiers with two classes, and of probabilities; called with plain arrays, they give plain numbers.

binary_cross_entropy               probabilities, targets in [0, 1]
binary_cross_entropy_with_logits   scores, targets in [0, 1]
logistic_loss, hinge_loss          scores, labels -1 and 1
kl_div                             log-probabilities, target probabilities
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

import autodiff as ad
from nn.checked import array, switch
from nn.functional.origin import expect_logits, warn
from nn.functional.reduction import REDUCTIONS, compared, known_reduction, no_mean, reduced


def binary_cross_entropy(
    prediction: Any, target: Any, weight: Any = None, *, reduction: str = "mean", sample_weight: Any = None
) -> Any:
    """The cross-entropy -(t ln p + (1 - t) ln(1 - p)) of probabilities p with targets t, both in [0, 1].

    Logarithms are at least -100, and derivatives are finite, so that a p of exactly 0 or 1 does no harm.
    binary_cross_entropy_with_logits, without a sigmoid before it, is more precise.

    Parameters
    ----------
    prediction, target : of one shape, (batch, ...)
    weight : factors of the elements' losses, of a shape that broadcasts to that shape; the mean still divides by the
        number of elements
    reduction : "mean" over all elements, "sum", or "none" for the loss of each element
    sample_weight : factors of the losses, not negative, of shape (batch,); the mean is sum(w l) / sum(w)

    Raises ValueError for shapes that differ, and numbers that are not in [0, 1].

    >>> round(float(F.binary_cross_entropy(np.array([0.5, 0.25]), np.array([0.0, 1.0]))), 4)
    1.0397
    """
    name = "binary_cross_entropy"
    prediction, target = compared(prediction, target, name)
    _within(prediction, name, "probabilities", "Take binary_cross_entropy_with_logits for scores")
    _within(target, name, "targets", "Labels -1 and 1 become such by (y + 1) / 2")
    losses = _weighted(cross_entropy_of_probability(prediction, target), weight, name)
    return reduced(losses, name, reduction, sample_weight)


def binary_cross_entropy_with_logits(
    prediction: Any,
    target: Any,
    weight: Any = None,
    *,
    reduction: str = "mean",
    pos_weight: Any = None,
    sample_weight: Any = None,
) -> Any:
    """The binary cross-entropy of sigmoid(prediction), for scores of any size.

    `pos_weight`, one number or one for each column of the last axis, multiplies the loss of positives (t ln p); above 1
    it favours recall. The other parameters are those of binary_cross_entropy. Warns if the scores come from a sigmoid.

    >>> round(float(F.binary_cross_entropy_with_logits(np.array([0.0, 1000.0]), np.array([1.0, 1.0]))), 4)
    0.3466
    """
    name = "binary_cross_entropy_with_logits"
    expect_logits(prediction, name, "binary_cross_entropy")
    x, target = compared(prediction, target, name)
    _within(target, name, "targets", "Labels -1 and 1 become such by (y + 1) / 2")
    if pos_weight is None:
        return reduced(_weighted(cross_entropy_of_logit(x, target), weight, name), name, reduction, sample_weight)
    w = array(ad.stop_gradient(pos_weight))
    if w.dtype.kind not in "fiub":
        raise TypeError(
            f"{name}: pos_weight is a number, or one for each of the last axis's columns; received dtype {w.dtype}. "
            "Write pos_weight=2.0."
        )
    w = w.astype(x.dtype, copy=False)
    if w.ndim > x.ndim or any(n not in (1, m) for n, m in zip(w.shape[::-1], x.shape[::-1], strict=False)):
        raise ValueError(
            f"{name}: pos_weight is a number, or one for each of the last axis's columns; received shape {w.shape} "
            f"for a prediction of shape {x.shape}."
        )
    ad.ask(_check_positive_weight, w)
    losses = w * target * ad.softplus(-x) + (1 - target) * ad.softplus(x)
    return reduced(_weighted(losses, weight, name), name, reduction, sample_weight)


def _weighted(losses: Any, weight: Any, name: str) -> Any:
    """The elements' losses, each times its weight."""
    if weight is None:
        return losses
    found = array(ad.stop_gradient(weight))
    shape = found.shape
    fits = len(shape) <= losses.ndim and all(n in (1, m) for n, m in zip(shape[::-1], losses.shape[::-1], strict=False))
    if not fits or found.dtype.kind not in "fiub":
        raise ValueError(
            f"{name}: weight is numbers that broadcast to the prediction's shape, {losses.shape}; received shape "
            f"{found.shape}, dtype {found.dtype}. For one number per sample write sample_weight=."
        )
    return losses * found.astype(losses.dtype)


def _check_positive_weight(w: Any) -> None:
    if w.size and not w.min() >= 0:
        raise ValueError(f"binary_cross_entropy_with_logits: pos_weight is not negative; received {w.min()}.")


def logistic_loss(prediction: Any, target: Any, *, reduction: str = "mean", sample_weight: Any = None) -> Any:
    """The logistic loss ln(1 + exp(-y h)) of scores h with labels y, -1 or 1 (PyTorch's SoftMarginLoss).

    It is binary_cross_entropy_with_logits with other labels; the other parameters are the same.
    Raises ValueError for other labels. Warns if the scores come out of a sigmoid.

    >>> F.logistic_loss(np.array([0.0, 50.0]), np.array([1, -1]), reduction="none").round(4)
    array([ 0.6931, 50.    ])
    """
    expect_logits(prediction, "logistic_loss", "binary_cross_entropy with labels (y + 1) / 2")
    h, y = compared(prediction, target, "logistic_loss")
    _signs(y, "logistic_loss")
    return reduced(ad.softplus(-(y * h)), "logistic_loss", reduction, sample_weight)


def hinge_loss(prediction: Any, target: Any, *, reduction: str = "mean", sample_weight: Any = None) -> Any:
    """The hinge loss max(0, 1 - y h) of scores h with labels y, -1 or 1, used by support vector machines.

    The other parameters are those of binary_cross_entropy. Raises ValueError for other labels.

    >>> F.hinge_loss(np.array([0.5, 2.0, -1.0]), np.array([1, 1, 1]), reduction="none")
    array([0.5, 0. , 2. ])
    """
    h, y = compared(prediction, target, "hinge_loss")
    _signs(y, "hinge_loss")
    return reduced(ad.relu(1 - y * h), "hinge_loss", reduction, sample_weight)


def kl_div(
    prediction: Any, target: Any, *, reduction: str = "mean", log_target: bool = False, sample_weight: Any = None
) -> Any:
    """The Kullback-Leibler divergence t (ln t - x) of log-probabilities x from target probabilities t, elementwise.

    Parameters
    ----------
    prediction : log-probabilities, for example from log_softmax; positive numbers cause a warning
    target : probabilities of the same shape, or with `log_target` their logarithms
    reduction : "batchmean", the sum over each distribution, averaged over the batch, is the divergence as defined.
        "mean" is over all elements; "sum" and "none" as in the other losses
    sample_weight : factors of the losses, not negative, of shape (batch,); means are sum(w l) / sum(w)

    >>> p, q = np.array([[0.5, 0.5]]), np.array([[0.25, 0.75]])
    >>> round(float(F.kl_div(np.log(p), q, reduction="batchmean")), 4)
    0.1308
    """
    known_reduction(reduction, "kl_div", (*REDUCTIONS, "batchmean"))
    log_target = switch(log_target, "kl_div: log_target")
    x, t = compared(prediction, target, "kl_div")
    ad.ask(_expect_log_probabilities, x)
    if log_target:
        losses = np.exp(t) * (t - x)
    else:
        ad.ask(_check_target, t)
        some = np.greater(t, 0)  # 0 ln 0 is 0
        losses = t * np.log(np.where(some, t, 1)) - t * x
    if reduction != "batchmean":
        return reduced(losses, "kl_div", reduction, sample_weight)
    if not x.ndim or not x.size:
        raise no_mean("kl_div", x.shape)
    return reduced(np.sum(losses.reshape(len(losses), -1), axis=1), "kl_div", "mean", sample_weight)


def _expect_log_probabilities(x: Any) -> None:
    if np.any(x > 1e-3):
        warn(
            "kl_div takes log-probabilities as prediction, which are not positive; received positive numbers. Take "
            "log_softmax of the model's outputs."
        )


def _check_target(t: Any) -> None:
    if np.any(t < 0):
        raise ValueError(
            f"kl_div takes target probabilities; received {np.min(t)} among them. Logarithms of probabilities are "
            "announced by log_target=True."
        )


@ad.primitive
def cross_entropy_of_probability(p: Any, t: Any) -> Any:
    """-(t ln p + (1 - t) ln(1 - p)), elementwise, with logarithms of at least -100."""
    below, above = _logarithms(p)
    return -(t * below + (1 - t) * above)


@ad.primitive
def cross_entropy_of_logit(x: Any, t: Any) -> Any:
    """The same for p = sigmoid(x), elementwise: ln(1 + exp(x)) - x t."""
    # For t = 0 and t = 1 the first two terms cancel exactly or give |x|, so the third loses no digits.
    return np.maximum(x, 0) - x * t + np.log1p(np.exp(-np.abs(x)))


def _logarithms(p: Any) -> tuple[Any, Any]:
    with np.errstate(divide="ignore"):
        return np.maximum(np.log(p), -100), np.maximum(np.log1p(-p), -100)


def _by_target(g: Any, y: Any, p: Any, t: Any) -> Any:
    below, above = _logarithms(p)
    return g * (above - below)


ad.adjoint(cross_entropy_of_probability, lambda g, y, p, t: g * (p - t) / np.maximum(p * (1 - p), 1e-12), _by_target)
ad.adjoint(cross_entropy_of_logit, lambda g, y, x, t: g * (ad.sigmoid(x) - t), lambda g, y, x, t: -g * x)
ad.written(cross_entropy_of_probability, "bce(a, b)", ("(a − b)/(a (1 − a))",))
ad.written(cross_entropy_of_logit, "bce_with_logits(a, b)", ("σ(a) − b", "−a"))


def _within(values: Any, loss: str, what: str, hint: str) -> None:
    """Raise ValueError for numbers outside [0, 1]; NaN is accepted, and makes the loss NaN."""
    ad.ask(functools.partial(_check_range, loss=loss, what=what, hint=hint), values)


def _check_range(plain: Any, loss: str, what: str, hint: str) -> None:
    if plain.size and (plain.min() < 0 or plain.max() > 1):
        least, most = float(plain.min()), float(plain.max())
        raise ValueError(f"{loss} takes {what} from 0 to 1; received {least!r} to {most!r}. {hint}.")


def _signs(labels: Any, loss: str) -> None:
    ad.ask(functools.partial(_check_signs, loss=loss), labels)


def _check_signs(plain: Any, loss: str) -> None:
    if not (np.abs(plain) == 1).all():
        stray = plain[np.abs(plain) != 1].ravel()[0]
        raise ValueError(f"{loss} takes labels -1 and 1; received {stray:g}. Labels 0 and 1 become such by 2 * y - 1.")
