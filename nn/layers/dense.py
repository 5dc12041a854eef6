"""Dense layers."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

import autodiff as ad
from nn import functional, init
from nn.checked import whole
from nn.module import Module

Initialiser = Callable[..., npt.NDArray[Any]]


class Linear(Module):
    """A dense layer: x Wᵀ + b.

    Parameters
    ----------
    in_features, out_features : the last axis of the input and of the result
    bias : whether there is a b
    rng : where the weight is drawn from: a numpy.random.Generator, an int seed, or None. Layers that are made with
        the same seed start alike; to make several from one seed, pass them one generator
    dtype : float32 or float64; the layer computes in it, whatever its input
    weight_init : a function (shape, rng, dtype), such as those of nn.init; the bias starts at 0

    `weight` has the shape (out_features, in_features), `bias` (out_features,).
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
        weight_init: Initialiser = init.he_uniform,
    ) -> None:
        self.in_features = whole(in_features, "Linear's in_features")
        self.out_features = whole(out_features, "Linear's out_features")
        self.weight = ad.Tensor(weight_init((out_features, in_features), rng=rng, dtype=dtype), name="weight")
        self.bias = ad.Tensor(init.zeros((out_features,), dtype=dtype), name="bias") if bias else None

    def forward(self, x: Any) -> Any:
        """The layer of x, of shape (..., in_features)."""
        if self.bias is None:
            return functional.linear(x, self.weight)
        return functional.linear(x, self.weight, self.bias)

    def __repr__(self) -> str:
        return f"Linear({self.in_features}, {self.out_features}{'' if self.bias is not None else ', bias=False'})"


class Flatten(Module):
    """Every axis after the first put into one: images become rows."""

    def forward(self, x: Any) -> Any:
        """The samples of x, of shape (batch, ...), as rows: (batch, features)."""
        shape = np.shape(x)
        if not shape:
            raise ValueError("Flatten takes a batch, of shape (batch, ...); received shape (). Write x[None] for one.")
        return np.reshape(x, (shape[0], math.prod(shape[1:])))
