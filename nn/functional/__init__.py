"""Layers and losses as functions of Tensors; on plain arrays they give plain arrays."""

from nn.functional.activations import (
    elu,
    gelu,
    leaky_relu,
    log_softmax,
    relu,
    sigmoid,
    silu,
    softmax,
    softplus,
    tanh,
)
from nn.functional.classification import checked_labels, cross_entropy, cross_entropy_slope
from nn.functional.dense import linear, rows
from nn.functional.regression import mse_loss

__all__ = [
    "checked_labels",
    "cross_entropy",
    "cross_entropy_slope",
    "elu",
    "gelu",
    "leaky_relu",
    "linear",
    "log_softmax",
    "mse_loss",
    "relu",
    "rows",
    "sigmoid",
    "silu",
    "softmax",
    "softplus",
    "tanh",
]
