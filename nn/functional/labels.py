"""The labels, scores and class weights of classifiers, checked."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

import autodiff as ad

Array = npt.NDArray[Any]

IGNORED = -100  # the label of samples that do not count, as in PyTorch


def scores(values: Any, loss: str) -> Any:
    """A Tensor, or a floating-point array: also of scores in a list, or of integers."""
    if isinstance(values, ad.Tensor) or (type(values) is np.ndarray and values.dtype.kind == "f"):
        if values.dtype.kind == "f":
            return values
    else:
        values = np.asarray(values)
    if values.dtype.kind not in "fiub":
        raise TypeError(
            f"{loss} takes real numbers as scores, of shape (batch, classes); received shape {values.shape} "
            f"and dtype {values.dtype}. Pass the model's outputs as they are."
        )
    return values if values.dtype.kind == "f" else values.astype(float)


def checked_labels(labels: Any, shape: tuple[int, ...], ignore_index: int | None = IGNORED) -> Any:
    """The labels as an array, if they are ones that logits of this shape, (batch, classes), can have.

    Integers from 0 to classes - 1, or `ignore_index`, of shape (batch,); or probabilities of shape (batch, classes).
    """
    labels, kept = known_labels(labels, shape, ignore_index)
    return labels if kept is None else np.where(kept, labels, ignore_index)


def known_labels(
    labels: Any, shape: tuple[int, ...], ignore_index: int | None, loss: str = "cross_entropy"
) -> tuple[Any, Array | None]:
    """The labels, and which of them count; None if all do. Those that do not are 0 here."""
    if not isinstance(labels, ad.Tensor):
        labels = np.asarray(labels)
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
    if not labels.dtype.isnative:  # as in files of big-endian numbers, MNIST's for one
        labels = labels.astype(labels.dtype.newbyteorder("="))
    # Seen as unsigned, a negative label is huge: one pass finds both kinds of stray.
    if labels.size and np.maximum.reduce(labels.view(f"u{labels.itemsize}")) >= shape[1]:
        strays = (labels < 0) | (labels >= shape[1])
        if ignore_index is not None:
            strays &= labels != ignore_index
        if strays.any():
            k = int(np.argmax(strays))
            raise ValueError(
                f"{loss} takes labels from 0 to {shape[1] - 1} (the logits have {shape[1]} classes); received "
                f"{labels[k]} at index {k}. Number the classes from 0, or give the model an output per class."
            )
    elif ignore_index is None or ignore_index < 0:
        return labels, None
    kept = labels != ignore_index
    return np.where(kept, labels, 0), kept


def class_weights(weight: Any, classes: int, dtype: Any, loss: str) -> Array:
    """One number per class, not negative, as an array of the dtype of the scores."""
    found = np.asarray(weight)
    if found.shape != (classes,) or found.dtype.kind not in "fiub":
        raise ValueError(
            f"{loss}: weight has one number per class, shape ({classes},); received shape {found.shape}, dtype "
            f"{found.dtype}. Weights of the samples are passed as sample_weight."
        )
    if found.size and not np.minimum.reduce(found) >= 0:
        raise ValueError(f"{loss}: weight is not negative; received {found.min()} among those of {classes} classes.")
    return found.astype(dtype, copy=False)


def _probabilities(labels: Any, loss: str) -> Any:
    """Rows of probabilities, such as one-hot ones, if each sums to 1."""
    plain = labels.value if isinstance(labels, ad.Tensor) else labels
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
    return labels


def _misshapen(labels: tuple[int, ...], scores: tuple[int, ...], loss: str) -> ValueError:
    hint = "one label per sample, its class's number"
    if len(scores) == 1:
        hint = "a batch of one sample is x[None], with one label in an array"
    elif len(labels) == 2 and labels[1] == 1:
        hint = "labels in a column become a row by labels.reshape(-1)"
    elif len(labels) == 2:
        hint = "one-hot labels have a row per sample and a column per output; integers are made of them by argmax"
    return ValueError(
        f"{loss} takes logits of shape (batch, classes) and labels of shape (batch,), or of the logits' shape; "
        f"received logits of shape {scores} and labels of shape {labels}; {hint}."
    )
