"""Layers and losses as functions of Tensors; on plain arrays they give plain arrays."""

from nn.functional.activations import (
    elu,
    gelu,
    leaky_relu,
    log_softmax,
    relu,
    sigmoid,
    sign,
    silu,
    softmax,
    softplus,
    step,
    tanh,
)
from nn.functional.attention import positional_encoding, scaled_dot_product_attention
from nn.functional.binary import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    hinge_loss,
    kl_div,
    logistic_loss,
)
from nn.functional.cells import gru_cell, lstm_cell, rnn_cell
from nn.functional.classification import cross_entropy, multi_margin_loss, nll_loss
from nn.functional.convolution import conv2d
from nn.functional.dense import linear
from nn.functional.dropout import dropout
from nn.functional.embedding import embedding, one_hot
from nn.functional.labels import checked_labels
from nn.functional.normalisation import batch_norm, layer_norm, weight_norm
from nn.functional.penalties import l1_penalty, l2_penalty
from nn.functional.pooling import avg_pool2d, max_pool2d
from nn.functional.regression import huber_loss, l1_loss, mse_loss, smooth_l1_loss

__all__ = [
    "avg_pool2d",
    "batch_norm",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "checked_labels",
    "conv2d",
    "cross_entropy",
    "dropout",
    "elu",
    "embedding",
    "gelu",
    "gru_cell",
    "hinge_loss",
    "huber_loss",
    "kl_div",
    "l1_loss",
    "l1_penalty",
    "l2_penalty",
    "layer_norm",
    "leaky_relu",
    "linear",
    "log_softmax",
    "logistic_loss",
    "lstm_cell",
    "max_pool2d",
    "mse_loss",
    "multi_margin_loss",
    "nll_loss",
    "one_hot",
    "positional_encoding",
    "relu",
    "rnn_cell",
    "scaled_dot_product_attention",
    "sigmoid",
    "sign",
    "silu",
    "smooth_l1_loss",
    "softmax",
    "softplus",
    "step",
    "tanh",
    "weight_norm",
]
