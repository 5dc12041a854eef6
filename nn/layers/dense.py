"""Dense layers and embeddings, and layers that only rearrange or pass on their input."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

import autodiff as ad
from nn import functional, hints, init
from nn.checked import switch, whole
from nn.functional.embedding import row_number
from nn.model.module import Module

Initialiser = Callable[..., npt.NDArray[Any]] | str


class Linear(Module):
    """A dense layer: x Wᵀ + b.

    Parameters
    ----------
    in_features, out_features : the last axis of the input and of the result
    bias : whether there is a b
    rng : the generator of the weight: a numpy.random.Generator, an int seed, or None. Layers with the same seed start
        with the same numbers; to make several layers from one seed, pass them one generator
    dtype : float32 or float64; the layer computes in it, whatever its input
    weight_init : a function (shape, rng, dtype), such as those of nn.init, or its name there. The default, LeCun's,
        keeps the variance through linear layers; for many layers with ReLU between them use nn.init.he_uniform, as
        nn.MLP does. The bias starts at 0

    `weight` has the shape (out_features, in_features), `bias` (out_features,).

    >>> layer = nn.Linear(3, 2, rng=0)
    >>> layer(np.ones((5, 3))).shape, layer.weight.shape, layer.bias.shape
    ((5, 2), (2, 3), (2,))
    """

    weight: ad.Tensor
    bias: ad.Tensor | None

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        *,
        rng: init.Rng = None,
        dtype: npt.DTypeLike = np.float32,
        weight_init: Initialiser = init.lecun_uniform,
    ) -> None:
        self.in_features = whole(in_features, "Linear's in_features")
        self.out_features = whole(out_features, "Linear's out_features")
        bias, shape = switch(bias, "Linear: bias"), (self.out_features, self.in_features)
        self.weight = ad.Tensor(init.initial(weight_init, shape, rng, dtype, "Linear: weight_init"), name="weight")
        self.bias = ad.Tensor(init.zeros((out_features,), dtype=dtype), name="bias") if bias else None

    def forward(self, x: Any) -> Any:
        """The layer of x, of shape (..., in_features)."""
        if self.bias is None:
            return functional.linear(x, self.weight)
        return functional.linear(x, self.weight, self.bias)

    def __repr__(self) -> str:
        return f"Linear({self.in_features}, {self.out_features}{'' if self.bias is not None else ', bias=False'})"


class Flatten(Module):
    """The axes from `start_dim` to `end_dim` joined into one; by default all but the first, so that images become rows.

    >>> nn.Flatten()(np.zeros((8, 3, 5, 5))).shape
    (8, 75)
    """

    @hints.also("Flatten", {}, hints.FLATTEN)
    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        self.start_dim = whole(start_dim, "Flatten: start_dim", None)
        self.end_dim = whole(end_dim, "Flatten: end_dim", None)

    def forward(self, x: Any) -> Any:
        """The samples of x, of shape (batch, ...), as rows: (batch, features)."""
        shape = np.shape(x)
        if not shape:
            raise ValueError("Flatten takes a batch, of shape (batch, ...); received shape (). Write x[None] for one.")
        axes = len(shape)
        start, end = (k + axes if k < 0 else k for k in (self.start_dim, self.end_dim))
        if (start, end) == (1, 0):  # a batch of numbers becomes rows of one number
            return np.reshape(x, (*shape, 1))
        if not 0 <= start <= end < axes:
            raise ValueError(
                f"{self!r} takes x that has the axes it puts into one, in this order; received shape {shape}. Choose "
                "them among the axes there are."
            )
        return np.reshape(x, (*shape[:start], math.prod(shape[start : end + 1]), *shape[end + 1 :]))

    def __repr__(self) -> str:
        usual = (self.start_dim, self.end_dim) == (1, -1)
        return f"Flatten({'' if usual else f'{self.start_dim}, {self.end_dim}'})"


class Identity(Module):
    """x itself: a placeholder for another layer.

    >>> nn.Identity()(np.array([1.0, 2.0]))
    array([1., 2.])
    """

    def __init__(self, *unused: Any, **also_unused: Any) -> None:  # the arguments of the layer that it replaces
        pass

    def forward(self, x: Any) -> Any:
        """x itself."""
        return x


class Embedding(Module):
    """A table of vectors: each integer k in the input is replaced by row k of `weight`.

    Parameters
    ----------
    num_embeddings : the number of rows; the input has integers from 0 to num_embeddings - 1
    embedding_dim : the length of the vectors
    padding_idx : the number used for padding, or None: its vector starts at 0 and is not trained
    rng, dtype, weight_init : as in Linear; the vectors are standard normal by default

    `weight` has the shape (num_embeddings, embedding_dim).

    >>> layer = nn.Embedding(100, 8, padding_idx=0, rng=0)
    >>> layer(np.array([[5, 17, 0]])).shape
    (1, 3, 8)
    """

    takes_indices = True

    weight: Any

    @hints.also("Embedding", {"input_dim": "num_embeddings", "output_dim": "embedding_dim"}, hints.EMBEDDING)
    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        *,
        rng: init.Rng = None,
        dtype: npt.DTypeLike = np.float32,
        weight_init: Initialiser = init.normal,
    ) -> None:
        self.num_embeddings = whole(num_embeddings, "Embedding's num_embeddings")
        self.embedding_dim = whole(embedding_dim, "Embedding's embedding_dim")
        shape = (self.num_embeddings, self.embedding_dim)
        values = init.initial(weight_init, shape, rng, dtype, "Embedding: weight_init")
        self.padding_idx = padding_idx
        if padding_idx is not None:
            self.padding_idx = row_number(padding_idx, num_embeddings, "Embedding: padding_idx")
            values[self.padding_idx] = 0
        self.weight = ad.Tensor(values, name="weight")

    def forward(self, indices: Any) -> Any:
        """The vectors of an array of integers, of any shape: (*indices.shape, embedding_dim)."""
        return functional.embedding(indices, self.weight, self.padding_idx)

    def __repr__(self) -> str:
        padding = "" if self.padding_idx is None else f", padding_idx={self.padding_idx}"
        return f"Embedding({self.num_embeddings}, {self.embedding_dim}{padding})"
