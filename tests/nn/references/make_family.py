"""Write family.npz: what PyTorch makes of small arrays, values and adjoints, in double precision.

Run it with PyTorch installed: python tests/nn/references/make_family.py. Tests read the file only.

A case is a function of torch.nn.functional with its arrays and its options, arrays among them, or a layer of torch.nn
with what makes it. The floating-point arrays have adjoints; of ctc_loss these are logits, since PyTorch's adjoint of
log-probabilities is not their own. A layer is called twice in training, with the adjoints of the second call kept, and
once in evaluation, which is kept where it differs.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn import functional

rng = np.random.default_rng(0)
Case = tuple[str, tuple[Any, ...], dict[str, Any]]


def drawn(*shape: int) -> np.ndarray:
    """Random numbers of one decimal, so that some are equal."""
    return rng.standard_normal(shape).round(1)


KINKS = np.linspace(-7, 7, 29).reshape(1, 29)  # every place at which some activation is not smooth is among them
ACTIVATIONS: dict[str, Case] = {
    "selu": ("selu", (KINKS,), {}),
    "celu": ("celu", (KINKS,), {"alpha": 1.5}),
    "mish": ("mish", (KINKS,), {}),
    "hardtanh": ("hardtanh", (KINKS,), {}),
    "hardtanh uneven": ("hardtanh", (KINKS,), {"min_val": -2.0, "max_val": 0.5}),
    "relu6": ("relu6", (KINKS,), {}),
    "hardsigmoid": ("hardsigmoid", (KINKS,), {}),
    "hardswish": ("hardswish", (KINKS,), {}),
    "softsign": ("softsign", (KINKS,), {}),
    "softmin": ("softmin", (KINKS,), {"dim": 1}),
    "logsigmoid": ("logsigmoid", (KINKS,), {}),
    "tanhshrink": ("tanhshrink", (KINKS,), {}),
    "softshrink": ("softshrink", (KINKS,), {"lambd": 1.0}),
    "hardshrink": ("hardshrink", (KINKS,), {"lambd": 1.0}),
    "threshold": ("threshold", (KINKS,), {"threshold": 0.5, "value": -3.0}),
    "glu": ("glu", (drawn(3, 4, 2),), {"dim": 1}),
    "prelu": ("prelu", (KINKS, np.array([0.2])), {}),
    "prelu of channels": ("prelu", (drawn(2, 3, 4), drawn(3)), {}),
    "rrelu": ("rrelu", (KINKS,), {"lower": 0.1, "upper": 0.4}),
}
SIGNALS, IMAGES, VOLUMES = drawn(2, 4, 9), drawn(1, 4, 6, 7), drawn(1, 2, 4, 5, 4)
WINDOWS: dict[str, Case] = {
    "conv1d": ("conv1d", (SIGNALS, drawn(3, 4, 3), drawn(3)), {"stride": 2, "padding": 1}),
    "conv1d grouped": ("conv1d", (SIGNALS, drawn(4, 2, 2)), {"padding": "same", "dilation": 2, "groups": 2}),
    "conv1d alone": ("conv1d", (SIGNALS[0], drawn(3, 4, 3), drawn(3)), {}),
    "conv3d": ("conv3d", (VOLUMES, drawn(2, 2, 2, 3, 1), drawn(2)), {"stride": (1, 2, 1), "padding": (0, 1, 1)}),
    "conv3d grouped": ("conv3d", (VOLUMES, drawn(4, 1, 2, 2, 2), drawn(4)), {"groups": 2, "dilation": (2, 1, 1)}),
    "conv3d points": ("conv3d", (VOLUMES, drawn(3, 2, 1, 1, 1), drawn(3)), {}),
    "conv_transpose1d": ("conv_transpose1d", (SIGNALS, drawn(4, 3, 3), drawn(3)), {"stride": 2, "padding": 1}),
    "conv_transpose2d": ("conv_transpose2d", (IMAGES, drawn(4, 3, 3, 2), drawn(3)), {}),
    "conv_transpose2d twice": (
        "conv_transpose2d",
        (IMAGES, drawn(4, 3, 3, 3), drawn(3)),
        {"stride": 2, "padding": 1, "output_padding": 1},
    ),
    "conv_transpose2d uneven": (
        "conv_transpose2d",
        (IMAGES, drawn(4, 1, 2, 3), drawn(2)),
        {"stride": (3, 1), "padding": (0, 1), "output_padding": (2, 1), "groups": 2, "dilation": (1, 2)},
    ),
    "conv_transpose2d points": ("conv_transpose2d", (IMAGES, drawn(4, 3, 1, 1)), {}),
    "conv_transpose2d beyond": (
        "conv_transpose2d",
        (IMAGES, drawn(4, 2, 2, 2), drawn(2)),
        {"output_padding": (0, 2), "dilation": 3},
    ),
    "conv_transpose3d": ("conv_transpose3d", (VOLUMES, drawn(2, 3, 2, 2, 3), drawn(3)), {"stride": (2, 1, 1)}),
    "max_pool1d": ("max_pool1d", (SIGNALS,), {"kernel_size": 3, "stride": 2, "padding": 1, "return_indices": True}),
    "max_pool1d dilated": ("max_pool1d", (SIGNALS,), {"kernel_size": 2, "dilation": 3, "ceil_mode": True}),
    "max_pool2d with places": ("max_pool2d", (IMAGES,), {"kernel_size": 2, "return_indices": True}),
    "max_pool2d with places, padded": (
        "max_pool2d",
        (IMAGES,),
        {"kernel_size": (3, 2), "stride": 2, "padding": 1, "ceil_mode": True, "return_indices": True},
    ),
    "max_pool3d": (
        "max_pool3d",
        (VOLUMES,),
        {"kernel_size": 2, "stride": (1, 2, 1), "padding": 1, "return_indices": True},
    ),
    "avg_pool1d": ("avg_pool1d", (SIGNALS,), {"kernel_size": 3, "stride": 2, "padding": 1, "ceil_mode": True}),
    "avg_pool1d inner": ("avg_pool1d", (SIGNALS,), {"kernel_size": 3, "padding": 1, "count_include_pad": False}),
    "avg_pool2d divided": ("avg_pool2d", (IMAGES,), {"kernel_size": 3, "padding": 1, "divisor_override": 5}),
    "avg_pool3d": (
        "avg_pool3d",
        (VOLUMES,),
        {"kernel_size": (2, 3, 2), "stride": 2, "padding": 1, "count_include_pad": False},
    ),
    "unfold": ("unfold", (IMAGES,), {"kernel_size": (2, 3), "dilation": (1, 2), "padding": 1, "stride": (2, 1)}),
    "unfold one": ("unfold", (IMAGES[0],), {"kernel_size": 2}),
    "fold": ("fold", (drawn(2, 18, 30),), {"output_size": (5, 6), "kernel_size": 3, "padding": 1}),
    "fold apart": (
        "fold",
        (drawn(2, 8, 3),),
        {"output_size": (5, 9), "kernel_size": 2, "dilation": (2, 1), "stride": 3},
    ),
}
RESIZED: dict[str, Case] = {
    "adaptive_avg_pool1d": ("adaptive_avg_pool1d", (SIGNALS,), {"output_size": 4}),
    "adaptive_avg_pool2d": ("adaptive_avg_pool2d", (IMAGES,), {"output_size": (3, 4)}),
    "adaptive_avg_pool2d whole": ("adaptive_avg_pool2d", (IMAGES,), {"output_size": 1}),
    "adaptive_avg_pool2d larger": ("adaptive_avg_pool2d", (IMAGES,), {"output_size": (None, 9)}),
    "adaptive_avg_pool3d": ("adaptive_avg_pool3d", (VOLUMES,), {"output_size": (2, 3, 4)}),
    "adaptive_max_pool1d": ("adaptive_max_pool1d", (SIGNALS,), {"output_size": 4, "return_indices": True}),
    "adaptive_max_pool2d": ("adaptive_max_pool2d", (IMAGES,), {"output_size": (4, 3), "return_indices": True}),
    "adaptive_max_pool3d": ("adaptive_max_pool3d", (VOLUMES,), {"output_size": 3, "return_indices": True}),
    "nearest": ("interpolate", (IMAGES,), {"scale_factor": 2}),
    "nearest to a size": ("interpolate", (IMAGES,), {"size": (4, 9)}),
    "nearest uneven": ("interpolate", (IMAGES,), {"scale_factor": (1.7, 0.6)}),
    "nearest-exact": ("interpolate", (SIGNALS,), {"size": 5, "mode": "nearest-exact"}),
    "nearest volumes": ("interpolate", (VOLUMES,), {"scale_factor": 1.5}),
    "linear": ("interpolate", (SIGNALS,), {"scale_factor": 1.7, "mode": "linear"}),
    "linear recomputed": (
        "interpolate",
        (SIGNALS,),
        {"scale_factor": 1.7, "mode": "linear", "recompute_scale_factor": True},
    ),
    "bilinear": ("interpolate", (IMAGES,), {"scale_factor": 2, "mode": "bilinear"}),
    "bilinear smaller": ("interpolate", (IMAGES,), {"size": (4, 3), "mode": "bilinear"}),
    "bilinear corners": ("interpolate", (IMAGES,), {"size": (9, 1), "mode": "bilinear", "align_corners": True}),
    "trilinear": ("interpolate", (VOLUMES,), {"size": (5, 4, 7), "mode": "trilinear"}),
    "bicubic": ("interpolate", (IMAGES,), {"scale_factor": 1.5, "mode": "bicubic"}),
    "bicubic corners": ("interpolate", (IMAGES,), {"size": (4, 11), "mode": "bicubic", "align_corners": True}),
    "area": ("interpolate", (IMAGES,), {"size": (4, 9), "mode": "area"}),
    "pixel_shuffle": ("pixel_shuffle", (drawn(2, 8, 2, 3),), {"upscale_factor": 2}),
    "pixel_unshuffle": ("pixel_unshuffle", (drawn(2, 2, 4, 6),), {"downscale_factor": 2}),
    "pad": ("pad", (IMAGES,), {"pad": (1, 2, -1, 3), "value": 0.5}),
    "pad reflect": ("pad", (IMAGES,), {"pad": (6, 2, 0, 3), "mode": "reflect"}),
    "pad replicate": ("pad", (SIGNALS,), {"pad": (3, 1), "mode": "replicate"}),
    "pad circular": ("pad", (IMAGES,), {"pad": (7, 2, 0, 6), "mode": "circular"}),
}
ROWS = drawn(3, 5)
ROWS[1] = 0
NORMALISED: dict[str, Case] = {
    "group_norm": ("group_norm", (IMAGES,), {"num_groups": 2, "weight": drawn(4), "bias": drawn(4), "eps": 1e-3}),
    "group_norm plain": ("group_norm", (drawn(3, 6),), {"num_groups": 3}),
    "instance_norm": ("instance_norm", (SIGNALS,), {}),
    "rms_norm": ("rms_norm", (drawn(3, 2, 4),), {"normalized_shape": (2, 4), "weight": drawn(2, 4)}),
    "rms_norm plain": ("rms_norm", (drawn(3, 4),), {"normalized_shape": (4,), "eps": 0.1}),
    "normalize": ("normalize", (drawn(3, 4, 2),), {}),
    "normalize by absolutes": ("normalize", (drawn(3, 4),), {"p": 1.0, "dim": 0}),
    "normalize to eps": ("normalize", (ROWS,), {"eps": 2.0, "p": 3.0}),
    "cosine_similarity": ("cosine_similarity", (drawn(3, 4), drawn(3, 4)), {}),
    "cosine_similarity broadcast": ("cosine_similarity", (drawn(3, 1, 4), drawn(5, 4)), {"dim": -1}),
    "pairwise_distance": ("pairwise_distance", (drawn(3, 4), drawn(3, 4)), {}),
    "pairwise_distance by absolutes": ("pairwise_distance", (drawn(3, 4), drawn(4)), {"p": 1.0, "keepdim": True}),
}
SCORES, PAIR = drawn(4, 5), drawn(4, 5)
SIGNS = np.where(rng.uniform(size=4) < 0.5, -1.0, 1.0)
SHARES = rng.uniform(size=(4, 5)).round(2)
SEVERAL = np.array([[3, 0, -1, 1, 1], [2, -1, 0, 0, 0], [-1, 0, 0, 0, 0], [4, 3, 2, 1, 0]])
TABLE, BAGS, ROW = drawn(6, 3), np.array([[0, 2, 5], [1, 1, 4]]), np.array([0, 2, 5, 1, 1, 4, 3])
LOGITS = drawn(7, 4, 5)
CTC = {
    "targets": np.array([[1, 2, 2], [3, 1, 0], [4, 4, 4], [2, 0, 0]]),
    "input_lengths": np.array([7, 5, 5, 1]),
    "target_lengths": np.array([3, 2, 3, 1]),
}
LOSSES: dict[str, Case] = {}
for REDUCTION in ("mean", "sum", "none"):
    some = {"reduction": REDUCTION}
    LOSSES |= {
        f"{name}, {REDUCTION}": (name, arrays, options | some)
        for name, arrays, options in (
            ("margin_ranking_loss", (SCORES[0, :4], PAIR[0, :4]), {"target": SIGNS.astype(int), "margin": 0.3}),
            ("triplet_margin_loss", (SCORES, PAIR, drawn(4, 5)), {}),
            ("cosine_embedding_loss", (SCORES, PAIR), {"target": SIGNS.astype(int), "margin": 0.1}),
            ("multilabel_margin_loss", (SCORES, SEVERAL), {}),
            ("multilabel_soft_margin_loss", (SCORES, SHARES), {}),
            ("hinge_embedding_loss", (SCORES,), {"target": np.tile(SIGNS[:, None], 5).astype(int), "margin": 0.7}),
            ("gaussian_nll_loss", (SCORES, PAIR, SHARES + 0.1), {}),
            ("poisson_nll_loss", (SCORES, SHARES * 4), {}),
            ("ctc_loss", (LOGITS,), CTC),
        )
    }
LOSSES |= {
    "triplet_margin_loss swapped": (
        "triplet_margin_loss",
        (SCORES, PAIR, drawn(4, 5)),
        {"swap": True, "p": 1.0, "margin": 3.0, "reduction": "none"},
    ),
    "multilabel_soft_margin_loss weighted": (
        "multilabel_soft_margin_loss",
        (SCORES, SHARES),
        {"weight": np.array([1, 2, 0, 3, 1]), "reduction": "none"},
    ),
    "multilabel_margin_loss of one": ("multilabel_margin_loss", (SCORES[0], SEVERAL[0]), {}),
    "gaussian_nll_loss of one variance": ("gaussian_nll_loss", (SCORES, PAIR, SHARES[:, 0] + 0.1), {"full": True}),
    "poisson_nll_loss full": ("poisson_nll_loss", (SHARES + 0.1, SHARES * 4), {"log_input": False, "full": True}),
    "ctc_loss of a row": (
        "ctc_loss",
        (LOGITS,),
        {
            "targets": np.array([1, 2, 2, 0, 1, 1]),
            "input_lengths": np.array([6, 7, 2, 4]),
            "target_lengths": np.array([3, 2, 1, 0]),
            "blank": 3,
            "reduction": "none",
        },
    ),
    "ctc_loss impossible": (
        "ctc_loss",
        (LOGITS,),
        CTC | {"input_lengths": np.array([3, 2, 5, 1]), "zero_infinity": True},
    ),
    "ctc_loss of one": (
        "ctc_loss",
        (LOGITS[:, 0],),
        {"targets": np.array([1, 1]), "input_lengths": np.array(6), "target_lengths": np.array(2), "reduction": "none"},
    ),
    "bilinear": ("bilinear", (drawn(3, 4), drawn(3, 2), drawn(5, 4, 2), drawn(5)), {}),
    "bilinear of more": ("bilinear", (drawn(2, 3, 4), drawn(2, 3, 2), drawn(5, 4, 2)), {}),
    "embedding_bag": ("embedding_bag", (BAGS, TABLE), {}),
    "embedding_bag sum": (
        "embedding_bag",
        (ROW, TABLE),
        {"offsets": np.array([0, 2, 2, 6]), "per_sample_weights": drawn(7), "mode": "sum"},
    ),
    "embedding_bag highest": ("embedding_bag", (ROW, TABLE), {"offsets": np.array([0, 2, 2, 6]), "mode": "max"}),
    "embedding_bag padded": (
        "embedding_bag",
        (ROW, TABLE),
        {"offsets": np.array([0, 2, 5, 7]), "include_last_offset": True, "padding_idx": 1},
    ),
}
LAYERS: dict[str, tuple[str, dict[str, Any], tuple[np.ndarray, ...]]] = {
    "GroupNorm": ("GroupNorm", {"num_groups": 2, "num_channels": 4}, (IMAGES,)),
    "GroupNorm, plain": ("GroupNorm", {"num_groups": 1, "num_channels": 4, "affine": False}, (SIGNALS,)),
    "InstanceNorm1d": ("InstanceNorm1d", {"num_features": 4}, (SIGNALS,)),
    "InstanceNorm1d, one": ("InstanceNorm1d", {"num_features": 4, "affine": True}, (SIGNALS[0],)),
    "InstanceNorm2d": (
        "InstanceNorm2d",
        {"num_features": 3, "affine": True, "track_running_stats": True, "momentum": 0.3},
        (drawn(2, 3, 2, 3),),
    ),
    "InstanceNorm3d": ("InstanceNorm3d", {"num_features": 2, "track_running_stats": True}, (VOLUMES,)),
    "BatchNorm3d": ("BatchNorm3d", {"num_features": 2}, (VOLUMES,)),
    "RMSNorm": ("RMSNorm", {"normalized_shape": (3, 4)}, (drawn(2, 3, 4),)),
    "RMSNorm, plain": ("RMSNorm", {"normalized_shape": 4, "eps": 0.1, "elementwise_affine": False}, (drawn(2, 4),)),
    "spectral_norm Linear": ("spectral_norm Linear", {"in_features": 3, "out_features": 4}, (drawn(2, 3),)),
    "spectral_norm Conv2d": (
        "spectral_norm Conv2d",
        {"in_channels": 4, "out_channels": 3, "kernel_size": 2, "bias": False},
        (IMAGES,),
    ),
    "spectral_norm ConvTranspose1d": (
        "spectral_norm ConvTranspose1d",
        {"in_channels": 4, "out_channels": 3, "kernel_size": 2},
        (SIGNALS,),
    ),
    "Bilinear": ("Bilinear", {"in1_features": 4, "in2_features": 2, "out_features": 3}, (drawn(3, 4), drawn(3, 2))),
    "CosineSimilarity": ("CosineSimilarity", {}, (SCORES, PAIR)),
    "PairwiseDistance": ("PairwiseDistance", {"p": 3.0}, (SCORES, PAIR)),
    "EmbeddingBag": ("EmbeddingBag", {"num_embeddings": 6, "embedding_dim": 2, "mode": "sum"}, (BAGS,)),
    "GaussianNLLLoss": ("GaussianNLLLoss", {"full": True}, (SCORES, PAIR, SHARES + 0.1)),
    "PoissonNLLLoss": ("PoissonNLLLoss", {"log_input": False}, (SHARES + 0.1, SHARES)),
    "MarginRankingLoss": ("MarginRankingLoss", {"margin": 0.5}, (SCORES[:, 0], PAIR[:, 0], SIGNS.astype(int))),
    "HingeEmbeddingLoss": ("HingeEmbeddingLoss", {}, (SCORES[:, 0], SIGNS.astype(int))),
    "CosineEmbeddingLoss": ("CosineEmbeddingLoss", {"reduction": "sum"}, (SCORES, PAIR, SIGNS.astype(int))),
    "TripletMarginLoss": ("TripletMarginLoss", {"p": 1.0}, (SCORES, PAIR, drawn(4, 5))),
    "TripletMarginWithDistanceLoss": ("TripletMarginWithDistanceLoss", {"swap": True}, (SCORES, PAIR, drawn(4, 5))),
    "MultiLabelMarginLoss": ("MultiLabelMarginLoss", {}, (SCORES, SEVERAL)),
    "MultiLabelSoftMarginLoss": ("MultiLabelSoftMarginLoss", {}, (SCORES, (SHARES > 0.5).astype(int))),
    "SoftMarginLoss": ("SoftMarginLoss", {}, (SCORES[:, 0], SIGNS.astype(int))),
    "CTCLoss": ("CTCLoss", {"zero_infinity": True}, (LOGITS, *CTC.values())),
    "PReLU": ("PReLU", {"num_parameters": 3}, (drawn(2, 3, 4),)),
    "Conv1d": ("Conv1d", {"in_channels": 4, "out_channels": 2, "kernel_size": 3, "padding": 1}, (SIGNALS,)),
    "Conv3d": ("Conv3d", {"in_channels": 2, "out_channels": 3, "kernel_size": (2, 1, 3)}, (VOLUMES,)),
    **{
        f"Conv2d, {mode}": (
            "Conv2d",
            {
                "in_channels": 4,
                "out_channels": 2,
                "kernel_size": 3,
                "padding": (2, 1),
                "padding_mode": mode,
                "stride": 2,
            },
            (IMAGES,),
        )
        for mode in ("reflect", "replicate", "circular")
    },
    "Conv2d, the same": (
        "Conv2d",
        {"in_channels": 4, "out_channels": 2, "kernel_size": (2, 3), "padding": "same", "padding_mode": "circular"},
        (IMAGES,),
    ),
    "ConvTranspose1d": ("ConvTranspose1d", {"in_channels": 4, "out_channels": 2, "kernel_size": 3}, (SIGNALS,)),
    "ConvTranspose2d": (
        "ConvTranspose2d",
        {
            "in_channels": 4,
            "out_channels": 6,
            "kernel_size": 3,
            "stride": 2,
            "padding": 1,
            "output_padding": 1,
            "groups": 2,
        },
        (IMAGES,),
    ),
    "ConvTranspose3d": (
        "ConvTranspose3d",
        {"in_channels": 2, "out_channels": 3, "kernel_size": 2, "bias": False},
        (VOLUMES,),
    ),
    "MaxPool1d": ("MaxPool1d", {"kernel_size": 2, "stride": 1}, (SIGNALS,)),
    "MaxPool3d": ("MaxPool3d", {"kernel_size": 2, "ceil_mode": True}, (VOLUMES,)),
    "AvgPool1d": ("AvgPool1d", {"kernel_size": 2, "padding": 1}, (SIGNALS,)),
    "AvgPool3d": ("AvgPool3d", {"kernel_size": 2, "divisor_override": 3}, (VOLUMES,)),
    "AdaptiveAvgPool1d": ("AdaptiveAvgPool1d", {"output_size": 3}, (SIGNALS,)),
    "AdaptiveAvgPool2d": ("AdaptiveAvgPool2d", {"output_size": (1, 1)}, (IMAGES,)),
    "AdaptiveMaxPool1d": ("AdaptiveMaxPool1d", {"output_size": 3}, (SIGNALS,)),
    "AdaptiveMaxPool2d": ("AdaptiveMaxPool2d", {"output_size": (2, None)}, (IMAGES,)),
    "Upsample": ("Upsample", {"scale_factor": 2, "mode": "bilinear", "align_corners": True}, (IMAGES,)),
    "PixelShuffle": ("PixelShuffle", {"upscale_factor": 2}, (IMAGES,)),
    "PixelUnshuffle": ("PixelUnshuffle", {"downscale_factor": 2}, (drawn(1, 2, 4, 4),)),
    "Unfold": ("Unfold", {"kernel_size": 2, "stride": 2}, (IMAGES,)),
    "Fold": ("Fold", {"output_size": (4, 4), "kernel_size": 2, "stride": 2}, (drawn(2, 8, 4),)),
    "ZeroPad1d": ("ZeroPad1d", {"padding": 2}, (SIGNALS,)),
    "ZeroPad2d": ("ZeroPad2d", {"padding": (1, 0, -1, 2)}, (IMAGES,)),
    "ConstantPad1d": ("ConstantPad1d", {"padding": (1, 2), "value": 3.5}, (SIGNALS,)),
    "ConstantPad2d": ("ConstantPad2d", {"padding": 1, "value": -1.0}, (IMAGES,)),
    "ReflectionPad1d": ("ReflectionPad1d", {"padding": 3}, (SIGNALS,)),
    "ReflectionPad2d": ("ReflectionPad2d", {"padding": 2}, (IMAGES,)),
    "ReplicationPad1d": ("ReplicationPad1d", {"padding": 3}, (SIGNALS,)),
    "ReplicationPad2d": ("ReplicationPad2d", {"padding": 2}, (IMAGES,)),
    "CircularPad1d": ("CircularPad1d", {"padding": 3}, (SIGNALS,)),
    "CircularPad2d": ("CircularPad2d", {"padding": (1, 2, 3, 0)}, (IMAGES,)),
}
CASES = {**ACTIVATIONS, **WINDOWS, **RESIZED, **NORMALISED, **LOSSES}


MAXIMA, PLACES = (
    t.numpy() for t in functional.max_pool2d(torch.tensor(drawn(1, 2, 5, 6)), (2, 3), (2, 3), return_indices=True)
)
GRID = rng.uniform(-1.3, 1.3, (2, 3, 4, 2))
MORE: dict[str, Case] = {
    "softplus of a threshold": ("softplus", (KINKS,), {"beta": 2.0, "threshold": 1.0}),
    "max_unpool1d": ("max_unpool1d", (drawn(1, 2, 2), np.array([[[1, 2], [0, 3]]])), {"kernel_size": 2}),
    "max_unpool2d": ("max_unpool2d", (MAXIMA, PLACES), {"kernel_size": (2, 3), "output_size": (5, 6)}),
    "max_unpool3d": ("max_unpool3d", (drawn(1, 1, 1, 1, 2), np.array([[[[[3, 6]]]]])), {"kernel_size": 2}),
    "lp_pool1d": ("lp_pool1d", (np.abs(drawn(2, 3, 7)) + 0.1,), {"norm_type": 3, "kernel_size": 3, "stride": 2}),
    "lp_pool2d": ("lp_pool2d", (drawn(1, 2, 5, 6) + 0.05,), {"norm_type": 2, "kernel_size": (2, 3)}),
    "lp_pool3d": ("lp_pool3d", (drawn(1, 2, 4, 4, 4) + 0.05,), {"norm_type": 2, "kernel_size": 2}),
    "local_response_norm": ("local_response_norm", (drawn(2, 5, 3),), {"size": 3, "alpha": 0.5, "beta": 0.6, "k": 2.0}),
    "local_response_norm even": ("local_response_norm", (drawn(2, 5, 3, 2),), {"size": 4, "alpha": 0.5}),
    "channel_shuffle": ("channel_shuffle", (drawn(2, 6, 2, 3),), {"groups": 3}),
    "pdist": ("pdist", (drawn(4, 3),), {}),
    "pdist of p": ("pdist", (drawn(4, 3),), {"p": 3.0}),
    "affine_grid": ("affine_grid", (drawn(2, 2, 3),), {"size": (2, 1, 3, 4)}),
    "affine_grid corners": ("affine_grid", (drawn(2, 2, 3),), {"size": (2, 1, 3, 4), "align_corners": True}),
    **{
        f"grid_sample {mode} {border}{' corners' * corners}": (
            "grid_sample",
            (drawn(2, 3, 5, 4), GRID),
            {"mode": mode, "padding_mode": border, "align_corners": corners},
        )
        for mode in ("bilinear", "nearest")
        for border in ("zeros", "border", "reflection")
        for corners in (False, True)
    },
}
CASES |= MORE


def leaf(array: np.ndarray) -> torch.Tensor:
    """A tensor of it, with an adjoint if it is floating-point."""
    return torch.tensor(array, requires_grad=array.dtype.kind == "f")


def results(function: Callable[..., Any], *arrays: np.ndarray, seed: np.ndarray | None = None) -> dict[str, np.ndarray]:
    """The arrays, the value, a seed, and the adjoint of each array for that seed; a second result beside the value."""
    tensors = [leaf(a) for a in arrays]
    value, *more = found if isinstance(found := function(*tensors), tuple) else (found,)
    seed = drawn(*value.shape) if seed is None else seed
    value.backward(torch.tensor(seed))
    kept = {f"array {k}": array for k, array in enumerate(arrays)} | {"value": value.detach().numpy(), "seed": seed}
    kept |= {f"adjoint {k}": t.grad.numpy() for k, t in enumerate(tensors) if t.grad is not None}
    return kept | {f"result {k}": v.numpy() for k, v in enumerate(more, start=1)}


def layered(kind: str, options: dict[str, Any], arrays: tuple[np.ndarray, ...]) -> dict[str, np.ndarray]:
    """A layer's state before and after, and what it gives in training and in evaluation."""
    torch.manual_seed(0)
    *wrappers, kind = kind.split()
    layer = getattr(torch.nn, kind)(**options).double()
    for wrapper in wrappers:
        layer = getattr(torch.nn.utils, wrapper)(layer)
    with torch.no_grad():
        for p in layer.parameters():
            p.copy_(torch.from_numpy(drawn(*p.shape)))
    kept = {f"before {name}": v.clone().numpy() for name, v in layer.state_dict().items()}
    layer(*map(torch.tensor, arrays))
    layer.zero_grad()
    called = (lambda x, *rest: layer(functional.log_softmax(x, -1), *rest)) if kind == "CTCLoss" else layer
    kept |= {f"training {name}": v for name, v in results(called, *arrays).items()}
    kept |= {f"parameter {name}": p.grad.numpy().copy() for name, p in layer.named_parameters()}
    kept |= {f"after {name}": v.clone().numpy() for name, v in layer.state_dict().items()}
    layer.eval()
    evaluated = results(called, *arrays, seed=kept["training seed"])
    if all(np.array_equal(v, kept[f"training {name}"]) for name, v in evaluated.items()):
        return kept
    return kept | {f"evaluation {name}": v for name, v in evaluated.items()}


def main() -> None:
    """Compute and write."""
    torch.set_default_dtype(torch.float64)
    found = {}
    calls: dict[str, Any] = {}
    for name, (function, arrays, options) in CASES.items():
        named = [key for key, value in options.items() if isinstance(value, np.ndarray)]
        plain = {key: value for key, value in options.items() if key not in named}
        calls[name] = [function, plain, [None] * len(arrays) + named]

        def call(*given: torch.Tensor, f=function, named=named, plain=plain) -> Any:
            n = len(given) - len(named)
            if f == "ctc_loss":
                given = functional.log_softmax(given[0], -1), *given[1:]
            return getattr(functional, f)(*given[:n], **dict(zip(named, given[n:], strict=True)), **plain)

        found[name] = results(call, *arrays, *(options[key] for key in named))
    found |= {f"layer {name}": layered(*layer) for name, layer in LAYERS.items()}
    calls |= {f"layer {name}": [kind, options, []] for name, (kind, options, _) in LAYERS.items()}
    parts = {name: {key: [str(a.dtype), a.shape] for key, a in arrays.items()} for name, arrays in found.items()}
    everything = [np.asarray(a, float).ravel() for arrays in found.values() for a in arrays.values()]
    description = json.dumps({"calls": calls, "parts": parts})
    np.savez_compressed(
        Path(__file__).with_name("family.npz"), description=np.array(description), numbers=np.concatenate(everything)
    )


if __name__ == "__main__":
    main()
