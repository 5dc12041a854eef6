"""The common part of all losses: the check that prediction and target have one shape, weights, and the reduction."""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np
import numpy.typing as npt

import autodiff as ad
from nn.checked import array

Array = npt.NDArray[Any]

REDUCTIONS = ("mean", "sum", "none")


def reduced(losses: Any, loss: str, reduction: str, sample_weight: Any = None, shares: Array | None = None) -> Any:
    """The losses of elements, of shape (batch, ...), reduced to one number, or unchanged with "none".

    With weights w of the samples, each loss is multiplied by the weight of its sample, and the mean is sum(w l) /
    sum(w), so that a weight of 2 counts like a sample given twice. `shares` are weights that the losses were already
    multiplied by.
    """
    if reduction not in REDUCTIONS:
        known_reduction(reduction, loss)
    if sample_weight is not None:
        w = weights(sample_weight, losses.shape[:1], losses, f"{loss}: sample_weight", "sample")
        losses = weighted(losses, w.reshape((-1,) + (1,) * (losses.ndim - 1)))
        shares = w if shares is None else w * shares
    if reduction == "none":
        return losses
    if reduction == "sum":
        return np.sum(losses)
    if not losses.size:
        raise no_mean(loss, losses.shape)
    if shares is None:
        return np.mean(losses)
    total = np.sum(shares, dtype=np.float64) * math.prod(losses.shape[1:])
    if ad.ask(_is_zero, total):
        raise ValueError(
            f"{loss} is a weighted mean; received weights that are all 0, or labels that are all to be ignored, so "
            'that no sample counts. Leave such a batch out, or take reduction="sum".'
        )
    return np.sum(losses) / total.astype(losses.dtype)


def _is_zero(total: Any) -> bool:
    return bool(total == 0)


def known_reduction(reduction: str, loss: str, known: tuple[str, ...] = REDUCTIONS) -> str:
    """The reduction. Raises ValueError unless it is one of the known ones."""
    if reduction not in known:
        raise ValueError(
            f"{loss}: reduction is one of {', '.join(map(repr, known))}; received {reduction!r:.80}. "
            'Write reduction="mean".'
        )
    return reduction


def weights(values: Any, shape: tuple[int, ...], like: Any, what: str, each: str) -> Array:
    """One number, not negative, per sample or class (`each` names it): a constant of that shape, in `like`'s dtype.

    It is checked on the host, and then moved to the device of `like`.
    """
    found = array(ad.stop_gradient(values))
    if ad.devices.place(found) != ad.devices.HOST:
        found = ad.devices.fetched(found)
    if found.dtype.kind not in "fiub":
        raise TypeError(
            f"{what} has numbers, one per {each}; received dtype {found.dtype}. Pass an array of shape {shape}."
        )
    if not shape or found.shape != shape:
        raise ValueError(
            f"{what} has one number per {each}, shape {shape}; received shape {found.shape}. Weights in a column "
            "become a row by .reshape(-1); those of the classes are `weight`, those of the samples `sample_weight`."
        )
    ad.ask(functools.partial(_check_weights, what=what), found)
    return ad.devices.beside(found.astype(like.dtype, copy=False), like)


def _check_weights(found: Any, what: str) -> None:
    if found.size and not np.minimum.reduce(found) >= 0:
        raise ValueError(f"{what} is not negative; received {found.min()} among its {found.size}. Take 0 for none.")


def weighted(losses: Any, w: Array) -> Any:
    """The losses times their weights; a loss with the weight 0 counts as 0, even if it is infinite or NaN."""
    return (losses if type(w) is np.ndarray and np.all(w) else np.where(w, losses, 0)) * w


def no_mean(loss: str, shape: tuple[int, ...]) -> ValueError:
    """The error for a mean of no elements."""
    return ValueError(
        f'{loss} is a mean; received shape {shape}, which has no elements. Leave it out, or take reduction="sum".'
    )


def compared(prediction: Any, target: Any, loss: str) -> tuple[Any, Any]:
    """Prediction and target, Tensors or floating-point arrays, of one shape.

    Raises ValueError if the shapes differ, since (n, 1) and (n,) would silently broadcast to (n, n), and TypeError for
    numbers that are not real.
    """
    recorded, constant = isinstance(prediction, ad.Tensor), not isinstance(target, ad.Tensor)
    if not recorded:
        prediction = array(prediction)
    if constant:
        target = array(target)
    if prediction.dtype.kind not in "fiub" or target.dtype.kind not in "fiub":
        raise TypeError(
            f"{loss} takes real numbers; received a prediction of dtype {prediction.dtype} and a target of dtype "
            f"{target.dtype}. Pass arrays of numbers; of complex ones their real parts, or np.abs of them."
        )
    if not recorded:
        if not constant:
            prediction = prediction.astype(target.dtype, copy=False)
        elif prediction.dtype.kind != "f":  # differences of unsigned integers would wrap around
            prediction = prediction.astype(float)
    if constant and (recorded or target.dtype.kind != "f"):
        target = target.astype(prediction.dtype, copy=False)
    if prediction.shape != target.shape:
        raise ValueError(
            f"{loss} compares element with element; received a prediction of shape {prediction.shape} and a "
            f"target of shape {target.shape}. {one_shape(prediction.shape, target.shape)}"
        )
    return prediction, target


def one_shape(prediction: tuple[int, ...], target: tuple[int, ...]) -> str:
    """Advice for a target whose shape differs from the prediction's."""
    if math.prod(prediction) == math.prod(target) and prediction:
        return f"Write target.reshape({', '.join(map(str, (-1, *prediction[1:])))})."
    if len(prediction) == 2 and target in (prediction[:1], (prediction[0], 1)):
        classes, row = prediction[1], "target" if len(target) == 1 else "target.reshape(-1)"
        return (
            f"These are {classes} outputs for each sample, and one target. If that is the number of a class, take "
            f"cross_entropy(prediction, {row}), or as the target np.eye({classes})[{row}]; if it is what one output is "
            "to be, give the model one output."
        )
    return "Give the model an output for each element of the target."
