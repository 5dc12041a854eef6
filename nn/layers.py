"""Layers: Modules that are made of a few numbers, and put together in a Sequential."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from typing import Any, overload

import numpy as np
import numpy.typing as npt

import autodiff as ad
from nn import functional, init
from nn.module import Module, call

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
        self.in_features = _positive(in_features, "Linear's in_features")
        self.out_features = _positive(out_features, "Linear's out_features")
        self.weight = ad.Tensor(weight_init((out_features, in_features), rng=rng, dtype=dtype), name="weight")
        self.bias = ad.Tensor(init.zeros((out_features,), dtype=dtype), name="bias") if bias else None

    def forward(self, x: Any) -> Any:
        """The layer of x, of shape (..., in_features)."""
        if self.bias is None:
            return functional.linear(x, self.weight)
        return functional.linear(x, self.weight, self.bias)

    def __repr__(self) -> str:
        return f"Linear({self.in_features}, {self.out_features}{'' if self.bias is not None else ', bias=False'})"


class Sequential(Module):
    """Layers one after the other; each is a Module or any function of one Tensor. Indexed and counted like a list."""

    def __init__(self, *layers: Callable[[Any], Any]) -> None:
        for k, layer in enumerate(layers):
            if not callable(layer) or isinstance(layer, type):
                hint = f"{layer.__name__}()" if isinstance(layer, type) else "Sequential(*layers) for a list of them"
                raise TypeError(
                    f"Sequential takes layers, called one after the other; argument {k} is {layer!r:.80}. Write {hint}."
                )
        self.layers = list(layers)

    def forward(self, x: Any) -> Any:
        """The last layer's result."""
        for layer in self.layers:
            x = layer(x)
        return x

    def children(self) -> Iterator[tuple[str, Any]]:
        """The layers by number, as PyTorch names them: "0.weight", "0.bias", "2.weight" ..."""
        for name, value in super().children():
            if name == "layers":
                yield from ((str(k), layer) for k, layer in enumerate(self.layers))
            else:
                yield name, value

    @overload
    def __getitem__(self, index: int) -> Callable[[Any], Any]: ...
    @overload
    def __getitem__(self, index: slice) -> Sequential: ...
    def __getitem__(self, index: int | slice) -> Callable[[Any], Any]:
        if isinstance(index, slice):
            return Sequential(*self.layers[index])
        return self.layers[index]

    def __len__(self) -> int:
        return len(self.layers)

    def __iter__(self) -> Iterator[Callable[[Any], Any]]:
        return iter(self.layers)

    def __repr__(self) -> str:
        shown = [repr(x) if isinstance(x, Module) else getattr(x, "__name__", repr(x)) for x in self.layers]
        return call(type(self).__name__, shown)


class MLP(Sequential):
    """A multi-layer perceptron: Linear layers of these sizes, an activation between them, a linear output.

    `MLP(64, 32, 10)` has 64 inputs, 32 hidden units and 10 outputs. `activation` makes the layer between two Linear
    ones: a class such as nn.Tanh, or a function. The rest is as in Linear.
    """

    def __init__(
        self,
        *sizes: int,
        activation: Callable[..., Any] | None = None,
        bias: bool = True,
        rng: init.Rng = None,
        dtype: npt.DTypeLike = np.float32,
        weight_init: Initialiser = init.he_uniform,
    ) -> None:
        if len(sizes) < 2 or not all(isinstance(n, int | np.integer) for n in sizes):
            raise TypeError(
                f"MLP takes the number of inputs, of each hidden layer's units, and of outputs; received {sizes!r}. "
                "Write MLP(64, 32, 10)."
            )
        if activation is not None and not callable(activation):
            raise TypeError(f"MLP's activation is a layer or a function; received {activation!r:.80}. Write nn.ReLU.")
        shared = init.generator(rng)
        layers: list[Callable[[Any], Any]] = []
        for k, (inputs, outputs) in enumerate(itertools.pairwise(sizes)):
            if k:
                kind = ReLU if activation is None else activation
                layers.append(kind() if isinstance(kind, type) else kind)
            layers.append(Linear(inputs, outputs, bias, rng=shared, dtype=dtype, weight_init=weight_init))
        super().__init__(*layers)


class Flatten(Module):
    """Every axis after the first put into one: images become rows."""

    def forward(self, x: Any) -> Any:
        """The samples of x, of shape (batch, ...), as rows: (batch, features)."""
        shape = np.shape(x)
        if not shape:
            raise ValueError("Flatten takes a batch, of shape (batch, ...); received shape (). Write x[None] for one.")
        return np.reshape(x, (shape[0], math.prod(shape[1:])))


class ReLU(Module):
    """max(x, 0), elementwise."""

    forward = staticmethod(functional.relu)


class Tanh(Module):
    """tanh x, elementwise."""

    forward = staticmethod(functional.tanh)


class Sigmoid(Module):
    """1 / (1 + exp(-x)), elementwise."""

    forward = staticmethod(functional.sigmoid)


class Softplus(Module):
    """ln(1 + exp(x)), elementwise."""

    forward = staticmethod(functional.softplus)


class SiLU(Module):
    """x sigmoid(x), elementwise."""

    forward = staticmethod(functional.silu)


class LeakyReLU(Module):
    """x where it is positive, else `slope` times x."""

    def __init__(self, slope: float = 0.01) -> None:
        self.slope = slope

    def forward(self, x: Any) -> Any:
        """The activation of x."""
        return functional.leaky_relu(x, self.slope)

    def __repr__(self) -> str:
        return f"LeakyReLU({self.slope})"


class ELU(Module):
    """x where it is positive, else alpha (exp(x) - 1)."""

    def __init__(self, alpha: float = 1.0) -> None:
        self.alpha = alpha

    def forward(self, x: Any) -> Any:
        """The activation of x."""
        return functional.elu(x, self.alpha)

    def __repr__(self) -> str:
        return f"ELU({self.alpha})"


class Softmax(Module):
    """exp(x) / sum exp(x) along the last axis: probabilities. Not in front of CrossEntropyLoss, which takes logits."""

    forward = staticmethod(functional.softmax)


class LogSoftmax(Module):
    """The logarithm of softmax along the last axis."""

    forward = staticmethod(functional.log_softmax)


def _positive(number: int, what: str) -> int:
    if isinstance(number, bool) or not isinstance(number, int | np.integer) or number < 1:
        raise ValueError(f"{what} is a number of units, an int from 1; received {number!r}.")
    return int(number)
