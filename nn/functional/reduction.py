"""What all losses share: a pair of one shape, weights of samples, and the reduction to one number."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

import autodiff as ad

Array = npt.NDArray[Any]

REDUCTIONS = ("mean", "sum", "none")


def reduced(losses: Any, loss: str, reduction: str, sample_weight: Any = None, shares: Array | None = None) -> Any:
    """The losses of elements, of shape (batch, ...), made one number, or with "none" left as they are.

    With weights w of the samples, each is multiplied by its sample's; the mean is then sum(w l) / sum(w), so that a
    weight of 2 counts like a sample given twice. `shares` are weights that the losses have been multiplied by already.
    """
    if reduction not in REDUCTIONS:
        raise ValueError(f"{loss} has the reductions {', '.join(map(repr, REDUCTIONS))}; received {reduction!r:.80}.")
    if sample_weight is not None:
        w = weights(sample_weight, losses.shape, losses.dtype, loss)
        losses = losses * w.reshape((-1,) + (1,) * (losses.ndim - 1))
        shares = w if shares is None else w * shares
    if reduction == "none":
        return losses
    if reduction == "sum":
        return np.sum(losses)
    if not losses.size:
        raise no_mean(loss, losses.shape)
    if shares is None:
        return np.mean(losses)
    total = float(shares.sum(dtype=np.float64)) * math.prod(losses.shape[1:])
    if total == 0:
        raise ValueError(
            f"{loss} is a weighted mean; received weights that are all 0, or labels that are all to be ignored, so "
            'that no sample counts. Leave such a batch out, or take reduction="sum".'
        )
    return np.sum(losses) / total


def weights(sample_weight: Any, shape: tuple[int, ...], dtype: Any, loss: str) -> Array:
    """One number per sample, not negative, as an array of the dtype of the losses."""
    found = np.asarray(ad.stop_gradient(sample_weight))
    if found.dtype.kind not in "fiub":
        raise TypeError(f"{loss}: sample_weight holds numbers, one per sample; received dtype {found.dtype}.")
    if not shape or found.shape != shape[:1]:
        raise ValueError(
            f"{loss}: sample_weight has one number per sample, shape {shape[:1]}; received shape {found.shape}. "
            "Weights of shape (batch, 1) become that by .reshape(-1)."
        )
    if found.size and not np.minimum.reduce(found) >= 0:
        raise ValueError(f"{loss}: sample_weight is not negative; received {found.min()} among its {found.size}.")
    return found.astype(dtype, copy=False)


def no_mean(loss: str, shape: tuple[int, ...]) -> ValueError:
    """The refusal of a mean of nothing."""
    return ValueError(
        f'{loss} is a mean; received shape {shape}, which has no elements. Leave it out, or take reduction="sum".'
    )


def pair(prediction: Any, target: Any, loss: str) -> tuple[Any, Any]:
    """Prediction and target, Tensors or floating-point arrays, of one shape.

    Raises ValueError where the shapes differ: (n, 1) against (n,) would broadcast to n x n without a word.
    """
    if not isinstance(prediction, ad.Tensor):
        prediction = np.asarray(prediction, target.dtype if isinstance(target, ad.Tensor) else None)
        if prediction.dtype.kind in "iub":  # differences of unsigned integers would wrap around
            prediction = prediction.astype(float)
    if not isinstance(target, ad.Tensor):
        target = np.asarray(target, prediction.dtype if isinstance(prediction, ad.Tensor) else None)
        if target.dtype.kind in "iub":
            target = target.astype(prediction.dtype)
    if prediction.shape != target.shape:
        raise ValueError(
            f"{loss} compares element with element; received a prediction of shape {prediction.shape} and a "
            f"target of shape {target.shape}. Bring them to one shape, for example with target.reshape(-1, 1)."
        )
    if prediction.dtype.kind != "f" or target.dtype.kind != "f":
        raise TypeError(
            f"{loss} takes real numbers; received a prediction of dtype {prediction.dtype} and a target of dtype "
            f"{target.dtype}. Pass their real parts, or np.abs of them."
        )
    return prediction, target
