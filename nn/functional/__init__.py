"""Layers and losses as functions of Tensors; called with plain arrays, they give plain arrays."""

from typing import NoReturn

from nn import hints
from nn.functional.activations import (
    celu,
    elu,
    gelu,
    glu,
    gumbel_softmax,
    hardshrink,
    hardsigmoid,
    hardswish,
    hardtanh,
    leaky_relu,
    log_softmax,
    logsigmoid,
    mish,
    prelu,
    relu,
    relu6,
    rrelu,
    selu,
    sigmoid,
    sign,
    silu,
    softmax,
    softmin,
    softplus,
    softshrink,
    softsign,
    step,
    tanh,
    tanhshrink,
    threshold,
)
from nn.functional.adaptive import (
    adaptive_avg_pool1d,
    adaptive_avg_pool2d,
    adaptive_avg_pool3d,
    adaptive_max_pool1d,
    adaptive_max_pool2d,
    adaptive_max_pool3d,
)
from nn.functional.alignment import (
    ctc_loss,
)
from nn.functional.attention import positional_encoding, scaled_dot_product_attention
from nn.functional.bags import (
    embedding_bag,
)
from nn.functional.binary import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    hinge_loss,
    kl_div,
    logistic_loss,
)
from nn.functional.cells import gru_cell, lstm_cell, rnn_cell
from nn.functional.channels import (
    channel_shuffle,
    local_response_norm,
)
from nn.functional.classification import cross_entropy, multi_margin_loss, nll_loss
from nn.functional.convolution import (
    conv1d,
    conv2d,
    conv3d,
)
from nn.functional.dense import (
    bilinear,
    linear,
)
from nn.functional.dropout import (
    alpha_dropout,
    dropout,
    dropout1d,
    dropout2d,
    dropout3d,
    feature_alpha_dropout,
)
from nn.functional.embedding import embedding, one_hot
from nn.functional.folding import (
    fold,
    unfold,
)
from nn.functional.grouped import (
    group_norm,
    instance_norm,
    rms_norm,
)
from nn.functional.labels import checked_labels
from nn.functional.likelihood import (
    gaussian_nll_loss,
    poisson_nll_loss,
)
from nn.functional.margins import (
    cosine_embedding_loss,
    hinge_embedding_loss,
    margin_ranking_loss,
    multilabel_margin_loss,
    multilabel_soft_margin_loss,
    triplet_margin_loss,
    triplet_margin_with_distance_loss,
)
from nn.functional.normalisation import batch_norm, layer_norm, weight_norm
from nn.functional.padding import (
    pad,
)
from nn.functional.penalties import l1_penalty, l2_penalty
from nn.functional.pooling import (
    avg_pool1d,
    avg_pool2d,
    avg_pool3d,
    max_pool1d,
    max_pool2d,
    max_pool3d,
)
from nn.functional.regression import huber_loss, l1_loss, mse_loss, smooth_l1_loss
from nn.functional.resizing import (
    interpolate,
    pixel_shuffle,
    pixel_unshuffle,
)
from nn.functional.sampling import (
    affine_grid,
    grid_sample,
)
from nn.functional.similarity import (
    cosine_similarity,
    normalize,
    pairwise_distance,
    pdist,
)
from nn.functional.transposed import (
    conv_transpose1d,
    conv_transpose2d,
    conv_transpose3d,
)
from nn.functional.unpooling import (
    lp_pool1d,
    lp_pool2d,
    lp_pool3d,
    max_unpool1d,
    max_unpool2d,
    max_unpool3d,
)

soft_margin_loss = logistic_loss

__all__ = [
    "adaptive_avg_pool1d",
    "adaptive_avg_pool2d",
    "adaptive_avg_pool3d",
    "adaptive_max_pool1d",
    "adaptive_max_pool2d",
    "adaptive_max_pool3d",
    "affine_grid",
    "alpha_dropout",
    "avg_pool1d",
    "avg_pool2d",
    "avg_pool3d",
    "batch_norm",
    "bilinear",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "celu",
    "channel_shuffle",
    "checked_labels",
    "conv1d",
    "conv2d",
    "conv3d",
    "conv_transpose1d",
    "conv_transpose2d",
    "conv_transpose3d",
    "cosine_embedding_loss",
    "cosine_similarity",
    "cross_entropy",
    "ctc_loss",
    "dropout",
    "dropout1d",
    "dropout2d",
    "dropout3d",
    "elu",
    "embedding",
    "embedding_bag",
    "feature_alpha_dropout",
    "fold",
    "gaussian_nll_loss",
    "gelu",
    "glu",
    "grid_sample",
    "group_norm",
    "gru_cell",
    "gumbel_softmax",
    "hardshrink",
    "hardsigmoid",
    "hardswish",
    "hardtanh",
    "hinge_embedding_loss",
    "hinge_loss",
    "huber_loss",
    "instance_norm",
    "interpolate",
    "kl_div",
    "l1_loss",
    "l1_penalty",
    "l2_penalty",
    "layer_norm",
    "leaky_relu",
    "linear",
    "local_response_norm",
    "log_softmax",
    "logistic_loss",
    "logsigmoid",
    "lp_pool1d",
    "lp_pool2d",
    "lp_pool3d",
    "lstm_cell",
    "margin_ranking_loss",
    "max_pool1d",
    "max_pool2d",
    "max_pool3d",
    "max_unpool1d",
    "max_unpool2d",
    "max_unpool3d",
    "mish",
    "mse_loss",
    "multi_margin_loss",
    "multilabel_margin_loss",
    "multilabel_soft_margin_loss",
    "nll_loss",
    "normalize",
    "one_hot",
    "pad",
    "pairwise_distance",
    "pdist",
    "pixel_shuffle",
    "pixel_unshuffle",
    "poisson_nll_loss",
    "positional_encoding",
    "prelu",
    "relu",
    "relu6",
    "rms_norm",
    "rnn_cell",
    "rrelu",
    "scaled_dot_product_attention",
    "selu",
    "sigmoid",
    "sign",
    "silu",
    "smooth_l1_loss",
    "soft_margin_loss",
    "softmax",
    "softmin",
    "softplus",
    "softshrink",
    "softsign",
    "step",
    "tanh",
    "tanhshrink",
    "threshold",
    "triplet_margin_loss",
    "triplet_margin_with_distance_loss",
    "unfold",
    "weight_norm",
]


def __getattr__(name: str) -> NoReturn:
    raise hints.missing("nn.functional", name, hints.FUNCTIONS)
