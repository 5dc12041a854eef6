"""Losses of predicted numbers; on plain arrays they give plain numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

import autodiff as ad


def mse_loss(prediction: Any, target: Any, half: bool = False) -> Any:
    """The mean over all elements of (y' - y)², or with `half` of (y' - y)² / 2, whose adjoint is y' - y over n.

    Raises ValueError where the shapes differ: (n, 1) against (n,) would broadcast to n x n without a word.
    """
    if not isinstance(prediction, ad.Tensor):
        prediction = np.asarray(prediction, target.dtype if isinstance(target, ad.Tensor) else None)
        if prediction.dtype.kind in "iub":  # differences of unsigned integers would wrap around
            prediction = prediction.astype(float)
    if not isinstance(target, ad.Tensor):
        target = np.asarray(target, prediction.dtype if isinstance(prediction, ad.Tensor) else None)
    if np.shape(prediction) != np.shape(target):
        raise ValueError(
            f"mse_loss compares element with element; received a prediction of shape {np.shape(prediction)} and a "
            f"target of shape {np.shape(target)}. Bring them to one shape, for example with target.reshape(-1, 1)."
        )
    if not np.size(prediction):
        raise ValueError(f"mse_loss is a mean; received shape {np.shape(prediction)}, which has no elements.")
    mean = np.mean(np.square(prediction - target))
    return 0.5 * mean if half else mean
