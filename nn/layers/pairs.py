"""Layers of two inputs, and of bags of integers."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

import autodiff as ad
from nn import functional, init
from nn.checked import real, switch, whole
from nn.functional.bags import MODES
from nn.functional.embedding import row_number
from nn.layers.dense import Initialiser
from nn.model.module import Module


def _uniform(shape: Any, rng: init.Rng = None, dtype: npt.DTypeLike = np.float32) -> npt.NDArray[Any]:
    """Uniform in ±1 / √in1, for a weight (out, in1, in2)."""
    bound = shape[1] ** -0.5
    return init.uniform(shape, -bound, bound, rng, dtype)


class Bilinear(Module):
    """x1ᵀ W x2 + b, with a matrix W for each output.

    Parameters
    ----------
    in1_features, in2_features, out_features : the last axes of the inputs and of the result
    bias : whether there is a b
    rng, dtype, weight_init : as in Linear; the weight starts uniform in ±1 / √in1_features, as in PyTorch, and the bias
        at 0

    `weight` has the shape (out_features, in1_features, in2_features), `bias` (out_features,).

    >>> nn.Bilinear(3, 4, 2, rng=0)(np.ones((5, 3)), np.ones((5, 4))).shape
    (5, 2)
    """

    weight: Any
    bias: Any

    def __init__(
        self,
        in1_features: int,
        in2_features: int,
        out_features: int,
        bias: bool = True,
        *,
        rng: init.Rng = None,
        dtype: npt.DTypeLike = np.float32,
        weight_init: Initialiser = _uniform,
    ) -> None:
        self.in1_features = whole(in1_features, "Bilinear's in1_features")
        self.in2_features = whole(in2_features, "Bilinear's in2_features")
        self.out_features = whole(out_features, "Bilinear's out_features")
        shape = (self.out_features, self.in1_features, self.in2_features)
        self.weight = ad.Tensor(init.initial(weight_init, shape, rng, dtype, "Bilinear: weight_init"), name="weight")
        bias = switch(bias, "Bilinear: bias")
        self.bias = ad.Tensor(init.zeros(shape[:1], dtype=dtype), name="bias") if bias else None

    def forward(self, x1: Any, x2: Any) -> Any:
        """The layer of x1 and x2, of shapes (..., in1_features) and (..., in2_features)."""
        return functional.bilinear(x1, x2, self.weight, self.bias)

    def __repr__(self) -> str:
        sizes = f"{self.in1_features}, {self.in2_features}, {self.out_features}"
        return f"Bilinear({sizes}{'' if self.bias is not None else ', bias=False'})"


class CosineSimilarity(Module):
    """The cosine of the angle between the vectors of two arrays along the axis `dim`.

    >>> nn.CosineSimilarity()(np.array([[1.0, 0.0]]), np.array([[0.0, 2.0]]))
    array([0.])
    """

    def __init__(self, dim: int = 1, eps: float = 1e-8) -> None:
        self.dim, self.eps = whole(dim, "CosineSimilarity: dim", None), real(eps, "CosineSimilarity: eps")

    def forward(self, x1: Any, x2: Any) -> Any:
        """The cosines."""
        return functional.cosine_similarity(x1, x2, self.dim, self.eps)

    def __repr__(self) -> str:
        return f"CosineSimilarity({'' if self.dim == 1 else f'dim={self.dim}'})"


class PairwiseDistance(Module):
    """The p-norm of x1 - x2 + eps along the last axis.

    >>> nn.PairwiseDistance()(np.array([[0.0, 0.0]]), np.array([[3.0, 4.0]])).round(4)
    array([5.])
    """

    def __init__(self, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> None:
        self.p, self.eps = p, real(eps, "PairwiseDistance: eps")
        self.keepdim = switch(keepdim, "PairwiseDistance: keepdim")

    def forward(self, x1: Any, x2: Any) -> Any:
        """The distances."""
        return functional.pairwise_distance(x1, x2, self.p, self.eps, self.keepdim)

    def __repr__(self) -> str:
        return f"PairwiseDistance({'' if self.p == 2 else f'p={self.p}'})"


class EmbeddingBag(Module):
    """The sum, mean or maximum of the rows of `weight` at each bag of integers.

    Parameters
    ----------
    num_embeddings, embedding_dim : the table's shape
    mode : "mean", "sum" or "max"
    include_last_offset : whether the last offset is the end of the last bag
    padding_idx : an integer that is ignored, or None; its row starts at 0 and is not trained
    rng, dtype, weight_init : as in Embedding

    `weight` has the shape (num_embeddings, embedding_dim).

    >>> layer = nn.EmbeddingBag(100, 8, mode="sum", rng=0)
    >>> layer(np.array([[5, 17, 3], [1, 1, 2]])).shape
    (2, 8)
    """

    takes_indices = True

    weight: Any

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        *,
        mode: str = "mean",
        include_last_offset: bool = False,
        padding_idx: int | None = None,
        rng: init.Rng = None,
        dtype: npt.DTypeLike = np.float32,
        weight_init: Initialiser = init.normal,
    ) -> None:
        if mode not in MODES:
            raise ValueError(f"EmbeddingBag: mode is one of {', '.join(map(repr, MODES))}; received {mode!r:.80}.")
        self.num_embeddings = whole(num_embeddings, "EmbeddingBag's num_embeddings")
        self.embedding_dim = whole(embedding_dim, "EmbeddingBag's embedding_dim")
        self.mode = mode
        self.include_last_offset = switch(include_last_offset, "EmbeddingBag: include_last_offset")
        shape = (self.num_embeddings, self.embedding_dim)
        values = init.initial(weight_init, shape, rng, dtype, "EmbeddingBag: weight_init")
        self.padding_idx = padding_idx
        if padding_idx is not None:
            self.padding_idx = row_number(padding_idx, num_embeddings, "EmbeddingBag: padding_idx")
            values[self.padding_idx] = 0
        self.weight = ad.Tensor(values, name="weight")

    def forward(self, indices: Any, offsets: Any = None, per_sample_weights: Any = None) -> Any:
        """The vectors of the bags, (bags, embedding_dim), for indices (bags, size), or a row of indices and offsets."""
        return functional.embedding_bag(
            indices,
            self.weight,
            offsets,
            mode=self.mode,
            per_sample_weights=per_sample_weights,
            include_last_offset=self.include_last_offset,
            padding_idx=self.padding_idx,
        )

    def __repr__(self) -> str:
        parts = [str(self.num_embeddings), str(self.embedding_dim)] + [f"mode={self.mode!r}"] * (self.mode != "mean")
        parts += [f"padding_idx={self.padding_idx}"] * (self.padding_idx is not None)
        return f"EmbeddingBag({', '.join(parts)})"
