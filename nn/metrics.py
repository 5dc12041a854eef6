"""Metrics: functions of (prediction, target), plain arrays, that give one number; the mean over the samples."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

import autodiff as ad

Metric = Callable[[Any, Any], float]


def accuracy(prediction: Any, target: Any) -> float:
    """The share of samples whose highest output, of shape (batch, classes), is at the label, of shape (batch,)."""
    scores, labels = np.asarray(ad.stop_gradient(prediction)), np.asarray(target)
    if scores.ndim != 2 or labels.shape != scores.shape[:1] or not labels.size:
        raise ValueError(
            f"accuracy takes outputs of shape (batch, classes) and labels of shape (batch,); received outputs of shape "
            f"{scores.shape} and labels of shape {labels.shape}. One-hot labels become integers by argmax(axis=1)."
        )
    return float(np.count_nonzero(scores.argmax(axis=1) == labels) / len(labels))


def mean_absolute_error(prediction: Any, target: Any) -> float:
    """The mean of |y' - y|, for a prediction and a target of the same shape."""
    found, wanted = np.asarray(ad.stop_gradient(prediction)), np.asarray(target)
    if found.shape != wanted.shape:
        raise ValueError(
            f"mean_absolute_error compares element with element; received a prediction of shape {found.shape} and a "
            f"target of shape {wanted.shape}. Bring them to one shape, for example with target.reshape(-1, 1)."
        )
    # In floating point, for differences of unsigned integers wrap around.
    return float(np.mean(np.abs(np.subtract(found, wanted, dtype=np.result_type(found, wanted, np.float64)))))


NAMED: dict[str, Metric] = {"accuracy": accuracy, "mean_absolute_error": mean_absolute_error}


def chosen(metrics: str | Metric | Iterable[str | Metric] | None) -> dict[str, Metric]:
    """Metrics given by name or as functions, by the name that they have in a History."""
    if metrics is None or isinstance(metrics, str) or callable(metrics):
        metrics = () if metrics is None else (metrics,)
    if not isinstance(metrics, Iterable):
        raise TypeError(
            f"metrics are names or functions of (prediction, target), one or a list of them; received {metrics!r:.80}. "
            'Write metrics="accuracy".'
        )
    found: dict[str, Metric] = {}
    for metric in metrics:
        if isinstance(metric, str) and metric not in NAMED:
            raise ValueError(
                f"metrics has no {metric!r}; by name there are {', '.join(map(repr, NAMED))}. Any other is passed as a "
                "function of (prediction, target)."
            )
        if not isinstance(metric, str) and not callable(metric):
            raise TypeError(f"a metric is a name or a function of (prediction, target); received {metric!r:.80}.")
        name = metric if isinstance(metric, str) else getattr(metric, "__name__", type(metric).__name__)
        if name in found or name == "loss":
            raise ValueError(f"two columns of the history would be called {name!r}; give a function another __name__.")
        if name.startswith("validation_"):
            raise ValueError(
                f"a metric is called {name!r}; the history keeps such names for what is measured on the validation "
                "data. Give the function another __name__."
            )
        found[name] = NAMED[metric] if isinstance(metric, str) else metric
    return found
