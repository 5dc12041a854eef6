"""Metrics of predicted numbers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

import autodiff as ad
from nn.functional.reduction import one_shape

Array = npt.NDArray[Any]


def mean_absolute_error(outputs: Any, targets: Any) -> float:
    """The mean of |y' - y|, for outputs and targets of the same shape.

    >>> nn.metrics.mean_absolute_error(np.array([1.0, 5.0]), np.array([2.0, 2.0]))
    2.0
    """
    found, wanted = _compared(outputs, targets, "mean_absolute_error")
    return float(np.mean(np.abs(found - wanted)))


def mean_squared_error(outputs: Any, targets: Any) -> float:
    """The mean of (y' - y)², for outputs and targets of the same shape.

    >>> nn.metrics.mean_squared_error(np.array([1.0, 5.0]), np.array([2.0, 2.0]))
    5.0
    """
    found, wanted = _compared(outputs, targets, "mean_squared_error")
    return float(np.mean(np.square(found - wanted)))


def r2(outputs: Any, targets: Any) -> float:
    """The coefficient of determination 1 - Σ (y' - y)² / Σ (y - mean y)², its mean over the columns of targets.

    It is 1 for exact outputs, 0 for the mean of the targets, and negative for worse outputs. If all targets are equal,
    it is 1 for exact outputs, else 0; for a single sample it is NaN.

    >>> nn.metrics.r2(np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.0, 3.0]))
    1.0
    """
    found, wanted = _compared(outputs, targets, "r2")
    if len(wanted) < 2:
        return math.nan
    found, wanted = found.reshape(len(found), -1), wanted.reshape(len(wanted), -1)
    left = np.square(found - wanted).sum(axis=0)
    spread = np.square(wanted - wanted.mean(axis=0)).sum(axis=0)
    explained = np.where(left == 0, 1.0, 0.0)
    np.divide(spread - left, spread, out=explained, where=spread != 0)
    return float(explained.mean())


def _compared(outputs: Any, targets: Any, metric: str) -> tuple[Array, Array]:
    """Both in double precision, in which differences of unsigned integers do not wrap around. They have one shape."""
    found, wanted = (v.value if isinstance(v, ad.Tensor) else np.asarray(v) for v in (outputs, targets))
    if found.shape != wanted.shape or not found.ndim or not found.size:
        raise ValueError(
            f"{metric} compares element with element, and takes at least one; received outputs of shape {found.shape} "
            f"and a target of shape {wanted.shape}. {one_shape(found.shape, wanted.shape)}"
        )
    if found.dtype.kind not in "fiub" or wanted.dtype.kind not in "fiub":
        raise TypeError(
            f"{metric} takes real numbers; received outputs of dtype {found.dtype} and targets of dtype {wanted.dtype}."
            " Pass numbers, such as their real parts."
        )
    return found.astype(np.float64, copy=False), wanted.astype(np.float64, copy=False)
