"""Containers: layers put together."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from nn import init
from nn.layers.activations import ReLU
from nn.layers.dense import Initialiser, Linear
from nn.module import Module, call


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
