"""Metrics of classifiers.

Outputs are, with targets of as many samples:

outputs (batch, classes)           the highest wins; targets are integer labels, or rows such as one-hot ones
outputs (batch,) or (batch, 1)     those above `threshold` are positive; targets are 0 and 1, or -1 and 1
integers, of shape (batch,)        classes that were decided on already; targets are integer labels

The threshold is 0.5 for probabilities; for scores (logits) pass 0: functools.partial(accuracy, threshold=0).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

import autodiff as ad
from nn.checked import whole
from nn.functional.cached import count

Array = npt.NDArray[Any]

AVERAGES = ("auto", "binary", "macro", "micro", None)


def accuracy(outputs: Any, targets: Any, *, threshold: float = 0.5) -> float:
    """The share of samples that are put into their class."""
    decided, labels, _ = _decided(outputs, targets, threshold, "accuracy")
    return float(np.count_nonzero(decided == labels) / len(labels))


def top_k_accuracy(outputs: Any, targets: Any, k: int = 5) -> float:
    """The share of samples whose class has one of the k highest outputs, of shape (batch, classes).

    Among equal outputs the first counts as higher, as in accuracy.
    """
    scores, classes = _array(outputs), whole(k, "top_k_accuracy: k")
    if scores.ndim != 2 or classes > scores.shape[1]:
        raise ValueError(
            f"top_k_accuracy takes outputs of shape (batch, classes), of at least k classes; received shape "
            f"{scores.shape} and k={classes}. Take a smaller k."
        )
    labels = _decided(scores, targets, 0.5, "top_k_accuracy")[1]
    own = scores[count(len(labels)), labels][:, None]
    before = (scores == own) & (np.arange(scores.shape[1]) < labels[:, None])
    rank = np.count_nonzero(~(scores <= own) | before, axis=1)  # NaN is no small number
    return float(np.count_nonzero(rank < classes) / len(labels))


def confusion_matrix(outputs: Any, targets: Any, *, threshold: float = 0.5) -> npt.NDArray[np.intp]:
    """How many samples of each class (rows) were put into each (columns), of shape (classes, classes)."""
    decided, labels, classes = _decided(outputs, targets, threshold, "confusion_matrix")
    return _confusion(decided, labels, classes)


def precision(outputs: Any, targets: Any, *, average: str | None = "auto", threshold: float = 0.5) -> Any:
    """The share of the samples put into a class that belong there; 0 where none was.

    `average` is over the classes: "macro", the mean of those that occur; "micro", all samples taken together;
    "binary", class 1 alone; None, an array of all. "auto" is "binary" for one output per sample, else "macro".
    """
    hit, decided, _, average = _counts(outputs, targets, threshold, average, "precision")
    return _averaged(hit, decided, _, average)


def recall(outputs: Any, targets: Any, *, average: str | None = "auto", threshold: float = 0.5) -> Any:
    """The share of the samples of a class that were put into it; 0 where there is none. `average` as in precision."""
    hit, decided, actual, average = _counts(outputs, targets, threshold, average, "recall")
    return _averaged(hit, actual, decided, average)


def f1(outputs: Any, targets: Any, *, average: str | None = "auto", threshold: float = 0.5) -> Any:
    """The harmonic mean of precision and recall; 0 where both are. `average` as in precision."""
    hit, decided, actual, average = _counts(outputs, targets, threshold, average, "f1")
    return _averaged(2 * hit, decided + actual, decided + actual, average)


def _counts(
    outputs: Any, targets: Any, threshold: float, average: str | None, metric: str
) -> tuple[Array, Array, Array, str | None]:
    """Per class, the samples put there rightly, those put there, those that belong there; and the average."""
    if average not in AVERAGES:
        raise ValueError(f"{metric}: average is one of {', '.join(map(repr, AVERAGES))}; received {average!r:.80}.")
    decided, labels, classes = _decided(outputs, targets, threshold, metric)
    if average == "auto":
        average = "binary" if np.ndim(outputs) == 1 or np.shape(outputs)[1] == 1 else "macro"
        average = "macro" if classes > 2 else average
    if average == "binary" and classes > 2:
        raise ValueError(f'{metric}: average="binary" is for 2 classes; received {classes}. Take average="macro".')
    matrix = _confusion(decided, labels, classes)
    return matrix.diagonal(), matrix.sum(axis=0), matrix.sum(axis=1), average


def _averaged(above: Array, below: Array, other: Array, average: str | None) -> Any:
    """above / below, 0 for 0 / 0, averaged over the classes that occur in `below` or in `other`."""
    if average == "micro":
        above, below = above.sum(keepdims=True), below.sum(keepdims=True)
    shares = np.divide(above, below, out=np.zeros(len(above)), where=below != 0)
    if average is None:
        return shares
    if average == "binary":
        return float(shares[1])
    return float(shares.mean() if average == "micro" else shares[below + other > 0].mean())


def _confusion(decided: Array, labels: Array, classes: int) -> npt.NDArray[np.intp]:
    pairs = labels.astype(np.intp) * classes + decided
    return np.bincount(pairs, minlength=classes * classes).reshape(classes, classes)


def _array(values: Any) -> Array:
    return values.value if isinstance(values, ad.Tensor) else np.asarray(values)


def _decided(outputs: Any, targets: Any, threshold: float, metric: str) -> tuple[Array, Array, int]:
    """The classes that samples were put into, those they belong to, and how many there are."""
    found, wanted = _array(outputs), _array(targets)
    if found.dtype.kind not in "fiub" or wanted.dtype.kind not in "fiub":
        raise TypeError(
            f"{metric} takes arrays of numbers; received outputs of dtype {found.dtype} and targets of dtype "
            f"{wanted.dtype}. Number the classes by np.unique(y, return_inverse=True)[1]."
        )
    many = found.ndim == 2 and found.shape[1] > 1
    samples = found.shape[:1]
    single = many or found.shape in (samples, (*samples, 1))
    fits = wanted.shape == samples or wanted.shape == (found.shape if many else (*samples, 1))
    if not found.ndim or not found.size or not single or not fits:
        raise ValueError(
            f"{metric} takes outputs of shape (batch, classes), or (batch,) for two classes, and labels of shape "
            f"(batch,); received outputs of shape {found.shape} and labels of shape {wanted.shape}. One-hot "
            "labels have the shape of the outputs."
        )
    if not many and found.dtype.kind == "f":
        found, wanted = found.reshape(-1), wanted.reshape(-1)
        positive = wanted == 1
        if not (positive | (wanted == 0)).all() and not (positive | (wanted == -1)).all():
            raise ValueError(
                f"{metric}: with one output per sample there are two classes, labelled 0 and 1, or -1 and 1; received "
                f"labels from {wanted.min()} to {wanted.max()}. For more classes, give the model an output per class."
            )
        return (found > threshold).astype(np.intp), positive.astype(np.intp), 2
    labels = wanted.argmax(axis=1) if many and wanted.ndim == 2 else _whole(wanted.reshape(-1), metric)
    if many:
        decided, classes = found.argmax(axis=1), found.shape[1]
    else:
        decided = found.reshape(-1).astype(np.intp)
        classes = max(int(decided.max()), int(labels.max()), 1) + 1
    least = min(int(labels.min()), int(decided.min()))
    if least < 0 or labels.max() >= classes:
        raise ValueError(
            f"{metric} takes labels from 0 to {classes - 1}; received {least if least < 0 else labels.max()} among "
            "them. Number the classes from 0."
        )
    return decided, labels, classes


def _whole(labels: Array, metric: str) -> Array:
    if labels.dtype.kind != "f":
        return labels
    whole_numbers = labels.astype(np.intp)
    if not (whole_numbers == labels).all():
        raise TypeError(
            f"{metric} takes integer labels, the numbers of the classes; received dtype {labels.dtype} with fractions. "
            "For numbers, take mean_absolute_error or r2."
        )
    return whole_numbers
