"""Losses by margins and distances, for two inputs, three, or several labels; plain arrays give plain numbers.

With h₊ = max(0, h), before the reduction:

    margin_ranking_loss          (margin - y (x1 - x2))₊          which of two scores should be higher
    hinge_embedding_loss         x for y = 1, (margin - x)₊ for y = -1
    cosine_embedding_loss        1 - cos for y = 1, (cos - margin)₊ for y = -1
    triplet_margin_loss          (d(anchor, positive) - d(anchor, negative) + margin)₊
    multilabel_margin_loss       Σ (1 - x[label] + x[other])₊ / classes
    multilabel_soft_margin_loss  the mean over the classes of binary cross-entropies
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

import autodiff as ad
from nn.checked import array, real, switch
from nn.functional.activations import logsigmoid
from nn.functional.labels import scores
from nn.functional.reduction import compared, reduced, weights
from nn.functional.similarity import pairwise_distance


def margin_ranking_loss(
    x1: Any, x2: Any, target: Any, margin: float = 0.0, *, reduction: str = "mean", sample_weight: Any = None
) -> Any:
    """max(0, margin - y (x1 - x2)) for scores x1 that should be higher than x2 (y = 1), or lower (y = -1).

    Parameters
    ----------
    x1, x2, target : of one shape, (batch, ...)
    reduction : "mean" over all elements, "sum", or "none" for the loss of each element
    sample_weight : factors of the losses, not negative, of shape (batch,); the mean is sum(w l) / sum(w)

    Raises ValueError for shapes that differ and for labels other than -1 and 1.

    >>> better, worse = np.array([3.0, 1.0]), np.array([1.0, 2.0])
    >>> F.margin_ranking_loss(better, worse, np.array([1, 1]), reduction="none")
    array([0., 1.])
    """
    name = "margin_ranking_loss"
    first, second = compared(x1, x2, name)
    _, y = compared(first, signs(target, name), name)
    margin = real(margin, f"{name}: margin", least=-math.inf)
    return reduced(ad.relu(margin - y * (first - second)), name, reduction, sample_weight)


def hinge_embedding_loss(
    x: Any, target: Any, margin: float = 1.0, *, reduction: str = "mean", sample_weight: Any = None
) -> Any:
    """A distance x where y = 1, and max(0, margin - x) where y = -1; the rest is as in margin_ranking_loss.

    >>> F.hinge_embedding_loss(np.array([0.25, 0.25]), np.array([1, -1]), reduction="none")
    array([0.25, 0.75])
    """
    name = "hinge_embedding_loss"
    x, y = compared(x, signs(target, name), name)
    margin = real(margin, f"{name}: margin", least=-math.inf)
    return reduced(np.where(np.greater(y, 0), x, ad.relu(margin - x)), name, reduction, sample_weight)


def cosine_embedding_loss(
    x1: Any, x2: Any, target: Any, margin: float = 0.0, *, reduction: str = "mean", sample_weight: Any = None
) -> Any:
    """1 - cos where y = 1, and max(0, cos - margin) where y = -1; cos is the cosine of the angle between x1 and x2.

    x1 and x2 have the shape (batch, features) and y (batch,); or (features,) and (). The margin is from -1 to 1. The
    rest is as in margin_ranking_loss.

    >>> a, b = np.array([[1.0, 0.0], [1.0, 0.0]]), np.array([[1.0, 0.0], [0.0, 1.0]])
    >>> F.cosine_embedding_loss(a, b, np.array([1, -1]), margin=-0.5, reduction="none").round(4)
    array([0. , 0.5])
    """
    name = "cosine_embedding_loss"
    first, second = compared(x1, x2, name)
    y, margin = signs(target, name), real(margin, f"{name}: margin", least=-1, most=1)
    if first.ndim not in (1, 2) or np.shape(y) != first.shape[:-1]:
        raise ValueError(
            f"{name} takes vectors of shape (batch, features) and labels of shape (batch,); received vectors of shape "
            f"{first.shape} and labels of shape {np.shape(y)}."
        )
    squares = (np.sum(np.square(x), axis=-1) + 1e-12 for x in (first, second))
    cosine = np.sum(first * second, axis=-1) / np.sqrt(next(squares) * next(squares))
    return reduced(np.where(np.greater(y, 0), 1 - cosine, ad.relu(cosine - margin)), name, reduction, sample_weight)


def triplet_margin_loss(
    anchor: Any,
    positive: Any,
    negative: Any,
    margin: float = 1.0,
    p: float = 2.0,
    eps: float = 1e-6,
    swap: bool = False,
    *,
    reduction: str = "mean",
    sample_weight: Any = None,
) -> Any:
    """max(0, d(anchor, positive) - d(anchor, negative) + margin), with the distance d of pairwise_distance.

    Parameters
    ----------
    anchor, positive, negative : of one shape, (batch, features) or (features,)
    margin : the least difference of the two distances that costs nothing, above 0
    p, eps : as in pairwise_distance
    swap : whether to use the distance from negative to positive if it is less than that to the anchor (Balntas et al.
        2016)
    reduction, sample_weight : as in margin_ranking_loss

    Source: Schroff et al. 2015.

    >>> anchor, positive, negative = np.zeros((1, 2)), np.array([[3.0, 4.0]]), np.array([[0.0, 2.0]])
    >>> round(float(F.triplet_margin_loss(anchor, positive, negative)), 3)
    4.0
    """

    def distance(a: Any, b: Any) -> Any:
        return pairwise_distance(a, b, p, eps)

    return triplet_margin_with_distance_loss(
        anchor,
        positive,
        negative,
        distance_function=distance,
        margin=margin,
        swap=swap,
        reduction=reduction,
        sample_weight=sample_weight,
    )


def triplet_margin_with_distance_loss(
    anchor: Any,
    positive: Any,
    negative: Any,
    *,
    distance_function: Callable[[Any, Any], Any] = pairwise_distance,
    margin: float = 1.0,
    swap: bool = False,
    reduction: str = "mean",
    sample_weight: Any = None,
) -> Any:
    """triplet_margin_loss with another distance, given as a function of two arrays.

    >>> def squared(a, b):
    ...     return np.sum((a - b) ** 2, axis=-1)
    >>> given = np.zeros((1, 2)), np.ones((1, 2)), np.ones((1, 2))
    >>> float(F.triplet_margin_with_distance_loss(*given, distance_function=squared))
    1.0
    """
    name = "triplet_margin_loss"
    margin, swap = real(margin, f"{name}: margin", above=True), switch(swap, f"{name}: swap")
    anchor, positive = compared(anchor, positive, name)
    anchor, negative = compared(anchor, negative, name)
    near, far = distance_function(anchor, positive), distance_function(anchor, negative)
    if swap:
        far = np.minimum(far, distance_function(positive, negative))
    return reduced(ad.relu(near - far + margin), name, reduction, sample_weight)


def multilabel_margin_loss(x: Any, target: Any, *, reduction: str = "mean", sample_weight: Any = None) -> Any:
    """The hinge Σ max(0, 1 - x[label] + x[other]) / classes, over the pairs of a sample's label and another class.

    Parameters
    ----------
    x : scores, of shape (batch, classes), or (classes,)
    target : integers of x's shape: each row has the sample's labels, from 0 to classes - 1, then -1; numbers after it
        are ignored
    reduction, sample_weight : as in margin_ranking_loss

    >>> scores = np.array([[2.0, 0.0, 1.5]])
    >>> round(float(F.multilabel_margin_loss(scores, np.array([[0, -1, -1]]))), 4)
    0.1667
    """
    name = "multilabel_margin_loss"
    x = scores(x, name)
    labels = array(target)
    if labels.shape != x.shape or x.ndim not in (1, 2) or not x.shape[-1]:
        raise ValueError(
            f"{name} takes scores of shape (batch, classes) and labels of the same; received shapes {x.shape} and "
            f"{labels.shape}. Pad the rows of labels with -1."
        )
    classes = x.shape[-1]
    ad.ask(functools.partial(_check_labels, classes=classes), labels)
    counting = np.logical_and.accumulate(labels >= 0, axis=-1)
    chosen = np.where(counting, labels, 0)
    wanted = np.any((chosen[..., None] == np.arange(classes)) & counting[..., None], axis=-2)
    pairs = (counting[..., None] & ~wanted[..., None, :]).astype(x.dtype)
    above = ad.relu(1 - np.take_along_axis(x, chosen, axis=-1)[..., None] + x[..., None, :])
    losses = np.sum(above * pairs, axis=(-2, -1)) / classes
    return reduced(losses, name, reduction, sample_weight)


def _check_labels(labels: Any, classes: int) -> None:
    if labels.dtype.kind not in "iu" or (labels.size and not -1 <= labels.min() <= labels.max() < classes):
        raise ValueError(
            f"multilabel_margin_loss takes integer labels from 0 to {classes - 1}, and -1 after a row's last; received "
            f"dtype {labels.dtype}" + (f", {labels.min()} to {labels.max()}." if labels.size else ".")
        )


def multilabel_soft_margin_loss(
    x: Any, target: Any, weight: Any = None, *, reduction: str = "mean", sample_weight: Any = None
) -> Any:
    """The mean over the classes of -(t ln sigmoid(x) + (1 - t) ln sigmoid(-x)): one binary decision for each class.

    Parameters
    ----------
    x, target : scores and labels from 0 to 1, of shape (batch, classes), or with more axes before the classes
    weight : factors of the classes, of shape (classes,)
    reduction, sample_weight : as in margin_ranking_loss

    >>> round(float(F.multilabel_soft_margin_loss(np.zeros((1, 3)), np.array([[1.0, 0.0, 1.0]]))), 4)
    0.6931
    """
    name = "multilabel_soft_margin_loss"
    x, t = compared(x, target, name)
    if not x.ndim or not x.shape[-1]:
        raise ValueError(f"{name} takes scores of shape (batch, classes); received shape {x.shape}.")
    losses = -(t * logsigmoid(x) + (1 - t) * logsigmoid(-x))
    if weight is not None:
        losses = losses * weights(weight, x.shape[-1:], x, f"{name}: weight", "class")
    return reduced(np.mean(losses, axis=-1), name, reduction, sample_weight)


def signs(target: Any, loss: str) -> Any:
    """Labels -1 and 1, unchanged. Raises ValueError for others."""
    ad.ask(functools.partial(_check_signs, loss=loss), array(target))
    return target


def _check_signs(plain: Any, loss: str) -> None:
    if plain.dtype.kind not in "fiub" or not (np.abs(plain.astype(float)) == 1).all():
        stray = plain[np.abs(plain) != 1].ravel()[:1] if plain.dtype.kind in "fiub" else [plain.dtype]
        raise ValueError(f"{loss} takes labels -1 and 1; received {stray[0]}. Labels 0 and 1 become such by 2 * y - 1.")
