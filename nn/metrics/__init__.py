"""Metrics: functions of (outputs, targets), plain arrays or Tensors, over all samples at once.

Some, such as accuracy, are means over the samples: their mean over batches, weighted by the batch sizes, is the same
number. F1, recall and R² are not such means. `additive` says whether a metric is one.
"""

from nn.metrics.choice import ADDITIVE, NAMED, Metric, additive, chosen
from nn.metrics.classification import accuracy, confusion_matrix, f1, precision, recall, top_k_accuracy
from nn.metrics.regression import mean_absolute_error, mean_squared_error, r2

__all__ = [
    "ADDITIVE",
    "NAMED",
    "Metric",
    "accuracy",
    "additive",
    "chosen",
    "confusion_matrix",
    "f1",
    "mean_absolute_error",
    "mean_squared_error",
    "precision",
    "r2",
    "recall",
    "top_k_accuracy",
]
