"""Losses of classifiers with one output per class; for plain arrays they return plain numbers.

    cross_entropy       of logits: -ln softmax(logits)[label]
    nll_loss            of log-probabilities: -x[label]
    multi_margin_loss   of scores: a margin between the label's score and the others (the multi-class hinge)

The usual cross-entropy, a mean over integer labels, is a primitive with the logits as argument; its rule needs the
softmax, which is kept beside them as a residual. With weights or smoothed labels it is composed of NumPy's functions.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

import autodiff as ad
from nn.checked import real
from nn.functional import loops
from nn.functional.cached import count, ones
from nn.functional.embedding import taken_rows
from nn.functional.labels import IGNORED, by_place, known_labels, scores
from nn.functional.origin import expect_logits, warn
from nn.functional.reduction import no_mean, reduced, weighted, weights

Array = npt.NDArray[Any]

UNDERFLOWN = 1e-30  # below it, a probability in float32 may have lost digits
MANY = 4096  # the number of logits from which one pass over them takes longer than two calls of NumPy


def cross_entropy(
    logits: Any,
    labels: Any,
    weight: Any = None,
    *,
    ignore_index: int = IGNORED,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
    sample_weight: Any = None,
) -> Any:
    """The cross-entropy -Σ q ln softmax(logits) between labels q and logits of any size.

    Parameters
    ----------
    logits : of shape (batch, classes); or (batch, classes, ...), with a class for each place, such as an image's pixels
    labels : integers from 0 to classes - 1, of shape (batch,), or (batch, ...); or probabilities, such as one-hot
        rows, of the shape of the logits
    weight : factors of the classes, of shape (classes,); with integer labels the mean is sum(w l) / sum(w)
    ignore_index : the integer label of samples that are ignored
    reduction : "mean" over the batch, "sum", or "none" for the loss of each sample
    label_smoothing : the share, from 0 to 1, of each label that is spread evenly over the classes
    sample_weight : factors of the losses, not negative, of shape (batch,); the mean is sum(w l) / sum(w)

    Raises ValueError for shapes that do not fit together, labels out of range and a mean over no samples,
    TypeError for labels that are not integers. Warns if the logits come out of softmax, log_softmax or sigmoid.

    >>> logits = np.array([[2.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
    >>> F.cross_entropy(logits, np.array([0, 2]), reduction="none").round(4)
    array([0.2395, 1.0986])
    """
    logits = scores(logits, "cross_entropy")
    expect_logits(logits, "cross_entropy", "nll_loss of log_softmax")
    if logits.ndim > 2:
        options = {"ignore_index": ignore_index, "label_smoothing": label_smoothing}
        return _everywhere(cross_entropy, logits, labels, weight, reduction, sample_weight, **options)
    labels, kept = ad.devices.beside(known_labels(labels, logits.shape, ignore_index), logits)
    plain = weight is None and sample_weight is None and kept is None and labels.ndim == 1
    if plain and reduction == "mean" and not label_smoothing:
        return mean_cross_entropy(logits, labels, softmax(logits))
    smoothing = real(label_smoothing, "cross_entropy: label_smoothing", most=1)
    weight = _class_weights(weight, logits, "cross_entropy")
    if labels.ndim == 1:
        found = _losses(ad.log_softmax(logits), labels, kept, weight, smoothing)
        return reduced(found[0], "cross_entropy", reduction, sample_weight, found[1])
    if labels.dtype != logits.dtype:
        labels = labels.astype(logits.dtype)
    if smoothing:
        labels = labels * (1 - smoothing) + smoothing / logits.shape[1]
    wanted = labels if weight is None else labels * weight
    return reduced(-np.sum(wanted * ad.log_softmax(logits), axis=1), "cross_entropy", reduction, sample_weight)


def nll_loss(
    prediction: Any,
    labels: Any,
    weight: Any = None,
    *,
    ignore_index: int = IGNORED,
    reduction: str = "mean",
    sample_weight: Any = None,
) -> Any:
    """The negative log-likelihood -x[label] of log-probabilities x, of shape (batch, classes), from log_softmax.

    x may also have the shape (batch, classes, ...), from log_softmax along axis 1, with a label for each place. The
    other parameters are those of cross_entropy; labels are integers. Warns if x has positive numbers, which cannot be
    log-probabilities.

    >>> log_probs = np.log(np.array([[0.5, 0.5], [0.1, 0.9]]))
    >>> F.nll_loss(log_probs, np.array([0, 1]), reduction="none").round(4)
    array([0.6931, 0.1054])
    """
    x = scores(prediction, "nll_loss")
    if x.ndim > 2:
        return _everywhere(nll_loss, x, labels, weight, reduction, sample_weight, ignore_index=ignore_index)
    labels, kept = ad.devices.beside(known_labels(labels, x.shape, ignore_index, "nll_loss"), x)
    if labels.ndim != 1:
        raise ValueError(
            f"nll_loss takes integer labels of shape (batch,); received shape {labels.shape}. One-hot rows become "
            "integers by argmax(axis=1); with probabilities, take kl_div."
        )
    losses, shares = _losses(x, labels, kept, _class_weights(weight, x, "nll_loss"))
    ad.ask(_expect_log_probabilities, losses)
    return reduced(losses, "nll_loss", reduction, sample_weight, shares)


def _expect_log_probabilities(losses: Any) -> None:
    if np.any(losses < -1e-3):
        warn(
            "nll_loss takes log-probabilities, which are not positive; received a prediction that has positive "
            "numbers. Take log_softmax of the model's outputs, or cross_entropy instead of nll_loss."
        )


def multi_margin_loss(
    prediction: Any,
    labels: Any,
    p: int = 1,
    margin: float = 1.0,
    weight: Any = None,
    *,
    reduction: str = "mean",
    sample_weight: Any = None,
) -> Any:
    """The multi-class hinge, Σ max(0, margin - x[label] + x[k])^p / classes over the other classes k.

    Parameters
    ----------
    prediction : scores x, of shape (batch, classes)
    labels : integers from 0 to classes - 1, of shape (batch,)
    p : 1 or 2
    weight : factors of the classes, of shape (classes,): each sample's loss is multiplied by the one of its label; the
        mean still divides by the batch size, as in PyTorch
    reduction, sample_weight : as in cross_entropy

    >>> scores = np.array([[2.0, 1.5, 0.0]])
    >>> round(float(F.multi_margin_loss(scores, np.array([0]))), 4)
    0.1667
    """
    if p not in (1, 2):
        raise ValueError(f"multi_margin_loss: p is 1 or 2; received {p!r:.80}.")
    x = scores(prediction, "multi_margin_loss")
    labels = ad.devices.beside(known_labels(labels, x.shape, None, "multi_margin_loss")[0], x)
    if labels.ndim != 1:
        raise ValueError(
            f"multi_margin_loss takes integer labels of shape (batch,); received shape {labels.shape}. One-hot rows "
            "become integers by argmax(axis=1)."
        )
    rows, classes = count(len(labels), labels), x.shape[1]
    others = np.not_equal(labels[:, None], count(classes, labels)).astype(x.dtype)
    above = ad.relu(real(margin, "multi_margin_loss: margin") - x[rows, labels][:, None] + x) * others
    losses = np.sum(above if p == 1 else np.square(above), axis=1) / classes
    if weight is not None:
        losses = weighted(losses, taken_rows(_class_weights(weight, x, "multi_margin_loss"), labels))
    return reduced(losses, "multi_margin_loss", reduction, sample_weight)


def _losses(
    x: Any, labels: Array, kept: Array | None, weight: Array | None, smoothing: float = 0.0
) -> tuple[Any, Array | None]:
    """-x[label] of each sample, weighted and smoothed, and its weight in the mean (None if all are equal)."""
    shares = None if weight is None else taken_rows(weight, labels)
    if kept is not None:
        shares = kept.astype(x.dtype) if shares is None else shares * kept
    losses = -x[count(len(labels), labels), labels]
    if shares is not None:
        losses = weighted(losses, shares)
    if smoothing:
        spread = -np.sum(x if weight is None else x * weight, axis=1)
        spread = spread if kept is None else weighted(spread, kept)
        losses = losses * (1 - smoothing) + spread * (smoothing / x.shape[1])
    return losses, shares


def _class_weights(weight: Any, x: Any, loss: str) -> Any:
    return None if weight is None else weights(weight, x.shape[1:], x, f"{loss}: weight", "class")


def _everywhere(
    loss: Callable[..., Any], x: Any, labels: Any, weight: Any, reduction: str, sample_weight: Any, **options: Any
) -> Any:
    """The loss of scores of shape (batch, classes, ...): the scores of each place become one row of a matrix."""
    batch, classes, *places = x.shape
    labels = by_place(labels, x.shape, loss.__name__)
    if sample_weight is not None:
        w = weights(sample_weight, (batch,), x, f"{loss.__name__}: sample_weight", "sample")
        sample_weight = np.repeat(w, math.prod(places))
    rows = np.reshape(np.moveaxis(x, 1, -1), (-1, classes))
    losses = loss(rows, labels, weight, reduction=reduction, sample_weight=sample_weight, **options)
    return np.reshape(losses, (batch, *places)) if reduction == "none" else losses


@ad.primitive
def softmax(logits: Any) -> Any:
    """exp(logits) / sum exp(logits) along the rows of a matrix, with few passes over memory."""
    rest, _ = below_highest(logits)
    e = np.exp(rest) if rest is logits else np.exp(rest, out=rest)
    e /= np.dot(e, ones(e.shape[1], e))[:, None]  # a matrix product takes a fraction of the time of a sum
    return e


def below_highest(logits: Any) -> tuple[Any, Any]:
    """The rows of a matrix minus their highest elements, so that exp does not overflow; and the highest elements.

    If exp cannot overflow, it returns the rows unchanged and 0, which saves a pass; exp of an element that underflows
    is below 1e-33.
    """
    # argmax and indexing take half the time of max.
    highest = logits[count(len(logits), logits), logits.argmax(axis=1)]
    many = isinstance(logits, np.ndarray) and logits.size > MANY and logits.itemsize > 2
    if many and highest.min() > -10 and highest.max() < 30:
        return logits, np.zeros_like(highest)
    return logits - highest[:, None], highest


@ad.primitive
def mean_cross_entropy(logits: Any, labels: Any, probabilities: Any) -> Any:
    """The mean of -ln softmax(logits)[label], given the softmax."""
    size = len(labels)
    if not size:
        raise no_mean("cross_entropy", logits.shape)
    rows = count(size, logits)
    picked = probabilities[rows, labels]
    if isinstance(logits, np.ndarray) and picked.min() > UNDERFLOWN:  # a device would have to wait here
        return np.log(picked, out=picked).sum() / -size
    top = logits.argmax(axis=1)
    return (logits[rows, top] - logits[rows, labels] - np.log(probabilities[rows, top])).sum() / size


@ad.primitive
def cross_entropy_slope(g: Any, labels: Any, probabilities: Any) -> Any:
    """The adjoint of the logits for the adjoint g of their mean cross-entropy: g (softmax - one-hot label) / batch."""
    share = g / len(labels)
    e = probabilities * share
    e[count(len(labels), e), labels] -= share
    return e


shifted = ad.primitive(below_highest)


def _exponentials(logits: Any) -> tuple[Any, Any, Any]:
    """exp(logits - shift), with a number for each row; the sum of each row; the shift."""
    if logits.size > MANY:
        rest, shift = shifted(logits)
    else:
        shift = logits[count(len(logits)), np.argmax(logits, 1)]
        rest = logits - shift[:, None]
    e = np.exp(rest)
    return e, np.dot(e, np.ones(e.shape[1], e.dtype)), shift


def _written_softmax(logits: Any) -> Any:
    e, sums, _ = _exponentials(logits)
    return e / sums[:, None] if e.size <= MANY else e * (1 / sums)[:, None]  # a division takes twice as long


def _written_mean(logits: Any, labels: Any, probabilities: Any) -> Any:
    if not len(labels):
        raise no_mean("cross_entropy", logits.shape)
    _, sums, shift = _exponentials(logits)
    return np.sum(np.log(sums) + (shift - logits[count(len(labels)), labels])) / len(labels)


def _written_slope(g: Any, labels: Any, probabilities: Any) -> Any:
    share = g / len(labels)
    e = probabilities * share
    at = count(len(labels)), labels
    return e.at[at].set(e[at] - share)


ad.lowered(shifted)
ad.lowered(softmax, _written_softmax)
# NumPy computes many exponentials at a time, a loop only one.
ad.looped(softmax, loops.softmax, fits=lambda logits: math.prod(logits.shape) <= MANY)
ad.lowered(mean_cross_entropy, _written_mean)
ad.looped(mean_cross_entropy, loops.mean_cross_entropy)
ad.lowered(cross_entropy_slope, _written_slope)
ad.looped(cross_entropy_slope, loops.cross_entropy_slope)
ad.adjoint(softmax, lambda g, y, x: y * (g - np.sum(g * y, axis=1, keepdims=True)))
# The loss is a function of the logits alone, and the slope is its whole derivative: no adjoint goes to the argument
# `probabilities`. Only the derivative of the slope goes through the softmax.
ad.adjoint(
    mean_cross_entropy,
    lambda g, y, logits, labels, probabilities: cross_entropy_slope(g, labels, probabilities),
    None,
    None,
    residuals=1,
)
ad.written(softmax, pullbacks=("y × (g − sum(g × y))",))
ad.written(mean_cross_entropy, "cross_entropy(a, b)", pullbacks=("g × (softmax a − one-hot b) / batch",))
ad.adjoint(
    cross_entropy_slope,
    lambda g, y, a, labels, p: (np.sum(g * p) - np.sum(g[count(len(labels)), labels])) / len(labels),
    None,
    lambda g, y, a, labels, p: g * (a / len(labels)),
)
