"""Checks of the labels and scores of classifiers."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import numpy.typing as npt

import autodiff as ad
from nn.checked import array, whole

Array = npt.NDArray[Any]

IGNORED = -100  # the label of samples that are ignored, as in PyTorch
UNSIGNED = {size: np.dtype(f"u{size}") for size in (1, 2, 4, 8)}  # by the bytes of an element


def scores(values: Any, loss: str) -> Any:
    """Scores as a Tensor or a floating-point array; lists and integers are converted."""
    if isinstance(values, ad.Tensor) or (type(values) is np.ndarray and values.dtype.kind == "f"):
        if values.dtype.kind == "f":
            return values
    else:
        values = array(values)
    if values.dtype.kind not in "fiub":
        raise TypeError(
            f"{loss} takes real numbers as scores, of shape (batch, classes); received shape {values.shape} "
            f"and dtype {values.dtype}. Pass the model's outputs as they are."
        )
    return values if values.dtype.kind == "f" else values.astype(float)


def checked_labels(labels: Any, shape: tuple[int, ...], ignore_index: int | None = IGNORED) -> Any:
    """The labels as an array, if they fit logits of this shape, (batch, classes); else a ValueError.

    Labels are integers from 0 to classes - 1, or `ignore_index`, of shape (batch,); or probabilities of shape (batch,
    classes). For logits of shape (batch, classes, ...) they have the shape (batch, ...), or that of the logits.

    >>> F.checked_labels([0, 2, 1], (3, 4))
    array([0, 2, 1])
    """
    if len(shape) > 2:
        rows = by_place(labels, shape, "cross_entropy")
        found = checked_labels(rows, (len(rows), shape[1]), ignore_index)
        return labels if found.ndim == 2 else found.reshape(shape[0], *shape[2:])
    labels, kept = known_labels(labels, shape, ignore_index)
    return labels if kept is None else np.where(kept, labels, ignore_index)


def by_place(labels: Any, shape: tuple[int, ...], loss: str) -> Any:
    """Labels of scores of shape (batch, classes, ...), in the order in which each place becomes one row of classes."""
    labels = array(labels)
    if labels.shape == shape:
        return np.reshape(np.moveaxis(labels, 1, -1), (-1, shape[1]))
    if labels.shape != (shape[0], *shape[2:]):
        raise _misshapen(labels.shape, shape, loss)
    return np.reshape(labels, -1)


def known_labels(
    labels: Any, shape: tuple[int, ...], ignore_index: int | None, loss: str = "cross_entropy"
) -> tuple[Any, Array | None]:
    """The labels, with 0 for ignored ones, and a mask of those that count, or None if all count.

    Integers are copied: the graph keeps them, and a training loop may write into its array before the reverse pass.
    """
    if type(ignore_index) is not int and ignore_index is not None:
        ignore_index = whole(ignore_index, f"{loss}: ignore_index", None)
    _check_place(labels, loss)
    if not isinstance(labels, ad.Tensor):
        labels = array(labels)
        if labels.dtype.kind == "b" and labels.ndim == 1:  # False and True are the classes 0 and 1
            labels = labels.astype(np.intp)
    if len(shape) == 2 and labels.shape == shape:
        return _probabilities(labels, loss), None
    if len(shape) != 2 or labels.shape != shape[:1]:
        raise _misshapen(labels.shape, shape, loss)
    if isinstance(labels, ad.Tensor) or labels.dtype.kind not in "iu":
        raise TypeError(
            f"{loss} takes integer labels, the numbers of the classes; received "
            f"{'a Tensor of ' if isinstance(labels, ad.Tensor) else ''}dtype {labels.dtype}. "
            "If they are whole numbers, convert them with labels.astype(int)."
        )
    if not labels.dtype.isnative:  # as in files of big-endian numbers, such as MNIST's
        labels = labels.astype(labels.dtype.newbyteorder("="))
    bounded = functools.partial(_bounded, classes=shape[1], ignore_index=ignore_index, loss=loss)
    within = bounded(labels) if type(labels) is np.ndarray else ad.ask(bounded, labels)
    if within and (ignore_index is None or ignore_index < 0):
        return labels.copy(), None
    kept = labels != ignore_index
    return np.where(kept, labels, 0), kept


def _check_place(labels: Any, loss: str) -> None:
    if ad.devices.place(labels) != ad.devices.HOST:
        raise TypeError(
            f"{loss} checks labels on the host, and moves them to the scores' device itself; received labels on "
            f"{ad.devices.place(labels)!r}. Pass them as they were, or ad.to(labels, 'cpu')."
        )


def _bounded(labels: Array, classes: int, ignore_index: int | None, loss: str) -> bool:
    """Whether all labels are from 0 to classes - 1. Raises ValueError for another label that is not `ignore_index`."""
    # As an unsigned number a negative label is huge, so one pass finds both kinds of wrong labels.
    if not labels.size or np.maximum.reduce(labels.view(UNSIGNED[labels.itemsize])) < classes:
        return True
    strays = (labels < 0) | (labels >= classes)
    if ignore_index is not None:
        strays &= labels != ignore_index
    if strays.any():
        k = int(np.argmax(strays))
        raise ValueError(
            f"{loss} takes labels from 0 to {classes - 1} (the logits have {classes} classes); received "
            f"{labels[k]} at index {k}. Number the classes from 0, or give the model an output per class."
        )
    return False


def _probabilities(labels: Any, loss: str) -> Any:
    """Rows of probabilities, such as one-hot rows. Raises ValueError unless each sums to 1."""
    ad.ask(functools.partial(_check_probabilities, loss=loss), labels)
    return labels


def _check_probabilities(plain: Any, loss: str) -> None:
    if plain.dtype.kind not in "fiub":
        raise TypeError(f"{loss} takes labels that are numbers; received dtype {plain.dtype}.")
    if plain.size:
        sums = plain.sum(axis=1, dtype=np.float64)
        off = ~(np.abs(sums - 1) < 1e-3) | (plain.min(axis=1) < 0)
        if off.any():
            k = int(np.argmax(off))
            raise ValueError(
                f"{loss} takes labels of shape (batch, classes) as probabilities, rows that sum to 1; row {k} has the "
                f"least {plain[k].min()} and the sum {sums[k]:g}. For classes that do not exclude each other, take "
                "binary_cross_entropy_with_logits."
            )


def _misshapen(labels: tuple[int, ...], scores: tuple[int, ...], loss: str) -> ValueError:
    hint = "one label per sample, its class's number"
    if len(scores) == 1:
        hint = "a batch of one sample is x[None], with one label in an array"
    elif len(scores) > 2:
        hint = "with a label for each place, (batch, ...), the classes are axis 1, as np.moveaxis(x, -1, 1) has them"
    elif len(labels) == 2 and labels[1] == 1:
        hint = "labels in a column become a row by labels.reshape(-1)"
    elif len(labels) == 2:
        hint = "one-hot labels have a row per sample and a column per output; integers are made of them by argmax"
    return ValueError(
        f"{loss} takes logits of shape (batch, classes) and labels of shape (batch,), or of the logits' shape; "
        f"received logits of shape {scores} and labels of shape {labels}; {hint}."
    )
