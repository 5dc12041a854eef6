"""The metrics that have a name, and the choice of metrics by name or as functions."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable
from typing import Any

from nn.metrics.classification import accuracy, f1, precision, recall, top_k_accuracy
from nn.metrics.regression import mean_absolute_error, mean_squared_error, r2

Metric = Callable[[Any, Any], float]

NAMED: dict[str, Metric] = {
    "accuracy": accuracy,
    **dict.fromkeys(  # Keras's names
        ("acc", "binary_accuracy", "categorical_accuracy", "sparse_categorical_accuracy"), accuracy
    ),
    "top_5_accuracy": top_k_accuracy,  # any other number works too
    "precision": precision,
    "recall": recall,
    "f1": f1,
    "mean_absolute_error": mean_absolute_error,
    "mae": mean_absolute_error,
    "mean_squared_error": mean_squared_error,
    "mse": mean_squared_error,
    "r2": r2,
}

# Means over the samples: the mean over batches, weighted by their sizes, is exact.
ADDITIVE = frozenset({accuracy, top_k_accuracy, mean_absolute_error, mean_squared_error})

THRESHOLDED = (accuracy, precision, recall, f1)


def additive(metric: Metric) -> bool:
    """Whether a metric is known to be a mean over all samples, so that batches can be averaged.

    >>> nn.metrics.additive(nn.metrics.accuracy), nn.metrics.additive(nn.metrics.f1)
    (True, False)
    """
    given = metric.keywords if isinstance(metric, functools.partial) else {}
    return getattr(metric, "func", metric) in ADDITIVE and given.get("ignore_index") is None


def chosen(
    metrics: str | Metric | Iterable[str | Metric] | None, threshold: float = 0.5, ignore_index: int | None = None
) -> dict[str, Metric]:
    """Metrics given by name or as functions, by their names in a History.

    For metrics given by name, `threshold` is the output above which a binary classifier predicts the positive class:
    0.5 for probabilities, 0 for scores. Losses of this package have it as an attribute. `ignore_index` is the label of
    samples that are ignored, if there are any; then metrics of labels given by name are not `additive`.

    >>> sorted(nn.metrics.chosen(["accuracy", "f1"]))
    ['accuracy', 'f1']
    """
    if metrics is None or isinstance(metrics, str) or callable(metrics):
        metrics = () if metrics is None else (metrics,)
    if not isinstance(metrics, Iterable):
        raise TypeError(
            f"metrics are names or functions of (outputs, targets), one or a list of them; received {metrics!r:.80}. "
            'Write metrics="accuracy".'
        )
    found: dict[str, Metric] = {}
    for metric in metrics:
        if not isinstance(metric, str) and not callable(metric):
            raise TypeError(f"a metric is a name or a function of (outputs, targets); received {metric!r:.80}.")
        name = metric if isinstance(metric, str) else _name(metric)
        if name in found or name == "loss":
            raise ValueError(f"two columns of the history would be called {name!r}; give a function another __name__.")
        if name.startswith("validation_"):
            raise ValueError(
                f"a metric is called {name!r}; the history keeps such names for what is measured on the validation "
                "data. Give the function another __name__."
            )
        found[name] = _named(metric, threshold, ignore_index) if isinstance(metric, str) else metric
    return found


def _named(name: str, threshold: float, ignore_index: int | None) -> Metric:
    options: dict[str, Any] = {} if ignore_index is None else {"ignore_index": ignore_index}
    if top := re.fullmatch(r"top_([1-9][0-9]*)_accuracy", name):
        return functools.partial(top_k_accuracy, k=int(top[1]), **options)
    if name not in NAMED:
        raise ValueError(
            f"metrics has no {name!r}; by name there are {', '.join(map(repr, NAMED))}. Any other is passed as a "
            "function of (outputs, targets)."
        )
    metric = NAMED[name]
    if metric not in THRESHOLDED:
        return metric
    options |= {"threshold": threshold} if threshold != 0.5 else {}
    return functools.partial(metric, **options) if options else metric


def _name(metric: Any) -> str:
    if isinstance(metric, functools.partial):
        metric = metric.func
    return str(getattr(metric, "__name__", type(metric).__name__))
