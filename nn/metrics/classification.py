"""Metrics of classifiers.

Outputs and targets have the same number of samples:

outputs (batch, classes)           the highest output decides; targets are integer labels, or rows such as one-hot rows
outputs (batch, ..., classes)      with a label for each place, (batch, ...), which counts as a sample; or with the
                                   classes as axis 1, as in losses: the shape of the labels decides
outputs (batch,) or (batch, 1)     those above `threshold` are positive; targets are 0 and 1, or -1 and 1
integers, of shape (batch,)        predicted classes; targets are integer labels

Samples whose label is `ignore_index` are ignored, if that is given, as in losses.
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


def accuracy(outputs: Any, targets: Any, *, threshold: float = 0.5, ignore_index: int | None = None) -> float:
    """The share of samples that are classified correctly; a sample with NaN counts as wrong.

    >>> logits = np.array([[2.0, 1.0], [0.0, 3.0], [1.0, 0.0]])
    >>> nn.metrics.accuracy(logits, np.array([0, 1, 1])).__round__(4)
    0.6667
    """
    found, wanted = _counting(outputs, targets, ignore_index, "accuracy")
    decided, labels, _ = _decided(found, wanted, threshold, "accuracy")
    own = found[count(len(labels)), decided] if found.ndim == 2 and found.shape[1] > 1 else found.reshape(-1)
    return float(np.count_nonzero((decided == labels) & ~np.isnan(own)) / len(labels))


def top_k_accuracy(outputs: Any, targets: Any, k: int = 5, *, ignore_index: int | None = None) -> float:
    """The share of samples whose class has one of the k highest outputs, of shape (batch, classes).

    Among equal outputs the first counts as higher, as in accuracy; a sample with NaN belongs to no class.

    >>> nn.metrics.top_k_accuracy(np.array([[3.0, 2.0, 1.0], [3.0, 2.0, 1.0]]), np.array([1, 2]), k=2)
    0.5
    """
    scores, wanted = _counting(outputs, targets, ignore_index, "top_k_accuracy")
    classes = whole(k, "top_k_accuracy: k")
    if scores.ndim != 2 or classes > scores.shape[1]:
        raise ValueError(
            f"top_k_accuracy takes outputs of shape (batch, classes), of at least k classes; received shape "
            f"{scores.shape} and k={classes}. Take a smaller k."
        )
    labels = _decided(scores, wanted, 0.5, "top_k_accuracy")[1]
    own = scores[count(len(labels)), labels][:, None]
    before = (scores == own) & (np.arange(scores.shape[1]) < labels[:, None])
    rank = np.count_nonzero(~(scores <= own) | before, axis=1)  # with ~, NaN counts as higher
    return float(np.count_nonzero(rank < classes) / len(labels))


def confusion_matrix(
    outputs: Any, targets: Any, *, threshold: float = 0.5, ignore_index: int | None = None
) -> npt.NDArray[np.intp]:
    """The number of samples of each class (rows) classified as each class (columns), of shape (classes, classes).

    >>> nn.metrics.confusion_matrix(np.array([[2.0, 1.0], [0.0, 3.0], [1.0, 0.0]]), np.array([0, 1, 1]))
    array([[1, 0],
           [1, 1]])
    """
    counting = _counting(outputs, targets, ignore_index, "confusion_matrix")
    decided, labels, classes = _decided(*counting, threshold, "confusion_matrix")
    return np.bincount(labels * classes + decided, minlength=classes**2).reshape(classes, classes)


def precision(
    outputs: Any,
    targets: Any,
    *,
    average: str | None = "auto",
    threshold: float = 0.5,
    ignore_index: int | None = None,
) -> Any:
    """The share of the samples classified as a class that belong to it; 0 if there are none.

    `average` is over the classes: "macro", the mean of those that occur; "micro", over all samples together; "binary",
    only class 1; None, an array of all classes. "auto" is "binary" for one output per sample, else "macro".

    >>> nn.metrics.precision(np.array([0.9, 0.8, 0.1]), np.array([1, 0, 0]))
    0.5
    """
    hit, decided, actual, average = _counts(outputs, targets, threshold, average, ignore_index, "precision")
    return _averaged(hit, decided, actual, average)


def recall(
    outputs: Any,
    targets: Any,
    *,
    average: str | None = "auto",
    threshold: float = 0.5,
    ignore_index: int | None = None,
) -> Any:
    """The share of the samples of a class that were classified as it; 0 if there are none. `average` as in precision.

    >>> nn.metrics.recall(np.array([0.9, 0.8, 0.1]), np.array([1, 0, 0]))
    1.0
    """
    hit, decided, actual, average = _counts(outputs, targets, threshold, average, ignore_index, "recall")
    return _averaged(hit, actual, decided, average)


def f1(
    outputs: Any,
    targets: Any,
    *,
    average: str | None = "auto",
    threshold: float = 0.5,
    ignore_index: int | None = None,
) -> Any:
    """The harmonic mean of precision and recall; 0 where both are 0. `average` as in precision.

    >>> nn.metrics.f1(np.array([0.9, 0.8, 0.1]), np.array([1, 0, 0])).__round__(4)
    0.6667
    """
    hit, decided, actual, average = _counts(outputs, targets, threshold, average, ignore_index, "f1")
    return _averaged(2 * hit, decided + actual, decided + actual, average)


def _counts(
    outputs: Any, targets: Any, threshold: float, average: str | None, ignore_index: int | None, metric: str
) -> tuple[Array, Array, Array, str | None]:
    """For each class, the numbers of samples rightly predicted, predicted, and belonging to it; and the average."""
    if average not in AVERAGES:
        raise ValueError(f"{metric}: average is one of {', '.join(map(repr, AVERAGES))}; received {average!r:.80}.")
    found, wanted = _counting(outputs, targets, ignore_index, metric)
    decided, labels, classes = _decided(found, wanted, threshold, metric)
    if average == "auto":
        average = "binary" if found.ndim == 1 or found.shape[1] == 1 else "macro"
        average = "macro" if classes > 2 else average
    if average == "binary" and classes > 2:
        raise ValueError(f'{metric}: average="binary" is for 2 classes; received {classes}. Take average="macro".')
    hit, decided, actual = (np.bincount(v, minlength=classes) for v in (labels[decided == labels], decided, labels))
    return hit, decided, actual, average


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


def _counting(outputs: Any, targets: Any, ignore_index: int | None, metric: str) -> tuple[Array, Array]:
    """Outputs and targets as arrays, without ignored samples."""
    found, wanted = (v.value if isinstance(v, ad.Tensor) else np.asarray(v) for v in (outputs, targets))
    if found.ndim > 2:
        found, wanted = _places(found, wanted, metric)
    if ignore_index is None or not found.ndim or wanted.shape not in (found.shape[:1], (*found.shape[:1], 1)):
        return found, wanted
    counts = wanted.reshape(-1) != whole(ignore_index, f"{metric}: ignore_index", None)
    if not counts.size or counts.all():
        return found, wanted
    if not counts.any():
        raise ValueError(
            f"{metric} takes samples that are not ignored; received {counts.size} labels, all of them ignore_index="
            f"{ignore_index}. Leave such data out."
        )
    return found[counts], wanted[counts]


def _places(found: Array, wanted: Array, metric: str) -> tuple[Array, Array]:
    """Outputs and labels of sequences or images, with one row for each place."""
    shape = found.shape
    if wanted.shape == shape and shape[-1] > 1:  # one-hot: the axis along which they sum to 1 is that of the classes
        last, second = ((wanted.sum(axis=axis) == 1).all() for axis in (-1, 1))
    else:
        last, second = wanted.shape in (shape[:-1], (*shape[:-1], 1)), wanted.shape == (shape[0], *shape[2:])
    if last == second:
        known = "either axis may be that of the classes" if last else "the labels' shape is that of no places"
        raise ValueError(
            f"{metric} takes a label for each place: outputs (batch, ..., classes), or with the classes as axis 1, and "
            f"labels (batch, ...); received outputs of shape {shape} and labels of shape {wanted.shape}: {known}. "
            "Make rows of both, outputs.reshape(-1, classes) and labels.reshape(-1), in a metric of your own."
        )
    if second:
        found = np.moveaxis(found, 1, -1)
    if wanted.shape == shape and shape[-1] > 1:
        wanted = (wanted if last else np.moveaxis(wanted, 1, -1)).argmax(axis=-1)
    return found.reshape(-1, found.shape[-1]), wanted.reshape(-1)


def _decided(found: Array, wanted: Array, threshold: float, metric: str) -> tuple[Array, Array, int]:
    """The predicted classes of the samples, their true classes, and the number of classes."""
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
        return labels.astype(np.intp, copy=False)
    if not ((np.floor(labels) == labels) & (np.abs(labels) < 2**53)).all():  # other numbers cannot become integers
        raise TypeError(
            f"{metric} takes integer labels, the numbers of the classes; received dtype {labels.dtype} with fractions, "
            "NaN or huge numbers. For numbers, take mean_absolute_error or r2."
        )
    return labels.astype(np.intp)
