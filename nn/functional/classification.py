"""Losses of classifiers; on plain arrays they give plain numbers.

`cross_entropy` is a primitive of its own: one node of the graph, few temporaries.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

import autodiff as ad
from nn.functional.cached import count, ones


@ad.primitive
def cross_entropy(logits: Any, labels: Any) -> Any:
    """The mean over the batch of -ln softmax(logits)[label]: cross-entropy from logits with integer labels.

    Parameters
    ----------
    logits : of shape (batch, classes), any size: nothing overflows
    labels : integers from 0 to classes - 1, of shape (batch,)

    Raises ValueError for shapes that do not belong together and for labels out of range, TypeError for labels that
    are not integers.
    """
    if type(logits) is not np.ndarray or logits.dtype.kind != "f":
        logits = _scores(logits)
    labels = checked_labels(labels, logits.shape)
    shifted = _shifted(logits)
    picked = shifted[count(len(labels)), labels]
    sums = np.dot(np.exp(shifted, out=shifted), ones(logits.shape[1], logits.dtype))
    return np.add.reduce(np.log(sums, out=sums) - picked) / len(labels)


@ad.primitive
def cross_entropy_slope(logits: Any, labels: Any) -> Any:
    """The derivative of cross_entropy by the logits: (softmax - one-hot label) / batch."""
    e = _shifted(logits)
    np.exp(e, out=e)
    sums = np.dot(e, ones(logits.shape[1], logits.dtype))
    sums *= len(labels)
    e /= sums[:, None]
    e[count(len(labels)), labels] -= 1 / len(labels)
    return e


def _scores(logits: Any) -> npt.NDArray[np.floating[Any]]:
    """Logits in a list, or of integers, as floating ones."""
    scores = np.asarray(logits)
    if scores.dtype.kind not in "fiub":
        raise TypeError(
            f"cross_entropy takes real numbers as logits, of shape (batch, classes); received shape {scores.shape} "
            f"and dtype {scores.dtype}. Pass the model's outputs as they are."
        )
    return scores if scores.dtype.kind == "f" else scores.astype(float)


def _shifted(logits: Any) -> Any:
    """The logits less each row's highest: exp of them cannot overflow."""
    # argmax and indexing take half the time of max.
    return logits - logits[count(len(logits)), logits.argmax(axis=1)][:, None]


def _slope_adjoint(g: Any, y: Any, logits: Any, labels: Any) -> Any:
    """The Jacobian of softmax, (diag s - s sᵀ) / batch, is its own transpose."""
    s = ad.softmax(logits)
    return s * (g - np.sum(g * s, axis=1, keepdims=True)) / len(labels)


ad.adjoint(cross_entropy, lambda g, y, logits, labels: g * cross_entropy_slope(logits, labels), None)
ad.adjoint(cross_entropy_slope, _slope_adjoint, None)


def checked_labels(labels: Any, shape: tuple[int, ...]) -> npt.NDArray[np.integer[Any]]:
    """The labels as an array, if they are ones that logits of this shape can have."""
    labels = np.asarray(labels)
    if len(shape) != 2 or labels.shape != shape[:1]:
        hint = "one-hot labels become integers by argmax(axis=1)"
        if len(shape) == 1:
            hint = "a batch of one sample is x[None], with one label in an array"
        raise ValueError(
            f"cross_entropy takes logits of shape (batch, classes) and labels of shape (batch,); received logits of "
            f"shape {shape} and labels of shape {labels.shape}; {hint}."
        )
    if labels.dtype.kind not in "iu":
        raise TypeError(
            f"cross_entropy takes integer labels, the numbers of the classes; received dtype {labels.dtype}. "
            "If they are whole numbers, convert them with labels.astype(int)."
        )
    if not labels.size:
        raise ValueError("cross_entropy is a mean over the batch; received a batch of no samples.")
    if not labels.dtype.isnative:  # as in files of big-endian numbers, MNIST's for one
        labels = labels.astype(labels.dtype.newbyteorder("="))
    # Seen as unsigned, a negative label is huge: one pass finds both kinds of stray.
    if np.maximum.reduce(labels.view(f"u{labels.itemsize}")) >= shape[1]:
        k = int(np.argmax((labels < 0) | (labels >= shape[1])))
        raise ValueError(
            f"cross_entropy takes labels from 0 to {shape[1] - 1} (the logits have {shape[1]} classes); received "
            f"{labels[k]} at index {k}. Number the classes from 0, or give the model an output per class."
        )
    return labels
