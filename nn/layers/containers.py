"""Containers: layers combined."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any, Self, overload

import numpy as np
import numpy.typing as npt

import autodiff as ad
from nn import init
from nn.layers import Dense, Input, Linear, ReLU
from nn.layers.dense import Initialiser
from nn.model.module import Module
from nn.model.parts import Parts
from nn.model.writing import call

Layer = Callable[[Any], Any]
Array = npt.NDArray[Any]


class Sequential(Module):
    """Layers one after the other; each is a Module or a function of one Tensor. It can be indexed like a list.

    It can be trained as in Keras, by `compile`, `fit`, `evaluate` and `predict`, or by `nn.fit`.

    >>> model = nn.Sequential(nn.Linear(4, 3, rng=0), nn.Tanh(), nn.Linear(3, 1, rng=1))
    >>> model(np.zeros((5, 4))).shape, len(model)
    ((5, 1), 3)
    """

    # nn.training.keras defines them: the layers do not import the training.
    compile: Callable[..., None]
    fit: Callable[..., Any]
    evaluate: Callable[..., Any]
    predict: Callable[..., Array]

    def __init__(self, *layers: Layer) -> None:
        self.layers: list[Layer] = []
        if len(layers) == 1 and isinstance(layers[0], list | tuple):
            layers = tuple(layers[0])
        for layer in layers:
            self.add(layer)

    def add(self, layer: Layer) -> Self:
        """Append a layer; a Dense takes its number of inputs from the layer before."""
        if not callable(layer) or isinstance(layer, type):
            hint = f"{layer.__name__}()" if isinstance(layer, type) else "Sequential(*layers) for a list of them"
            hint = "Sequential(*layers.values()); they are called by their numbers" if isinstance(layer, dict) else hint
            raise TypeError(
                f"Sequential takes layers, called one after the other; layer {len(self.layers)} is {layer!r:.80}. "
                f"Write {hint}."
            )
        if isinstance(layer, Dense) and not layer.built and (inputs := _outputs(self)):
            layer.build(inputs)
        self.layers.append(layer)
        return self

    def forward(self, x: Any) -> Any:
        """The last layer's result."""
        for layer in self.layers:
            x = layer(x)
        return x

    def named_attributes(self) -> Iterator[tuple[str, Any]]:
        """The layers by number, as PyTorch names them: "0.weight", "0.bias", "2.weight" ..."""
        for name, value in super().named_attributes():
            if name == "layers":
                yield from ((str(k), layer) for k, layer in enumerate(self.layers))
            else:
                yield name, value

    @overload
    def __getitem__(self, index: int) -> Layer: ...
    @overload
    def __getitem__(self, index: slice) -> Sequential: ...
    def __getitem__(self, index: int | slice) -> Layer:
        if isinstance(index, slice):
            return Sequential(*self.layers[index])
        return self.layers[index]

    def __setitem__(self, index: int, layer: Layer) -> None:
        self.layers[index] = layer

    def __len__(self) -> int:
        return len(self.layers)

    def __iter__(self) -> Iterator[Layer]:
        return iter(self.layers)

    def __repr__(self) -> str:
        shown = [repr(x) if isinstance(x, Module) else getattr(x, "__name__", repr(x)) for x in self.layers]
        return call(type(self).__name__, shown)


class MLP(Sequential):
    """A multi-layer perceptron: Linear layers of these sizes, an activation between them, a linear output.

    `MLP(64, 32, 10)` has 64 inputs, 32 hidden units and 10 outputs. `activation` is a class such as nn.Tanh, or a
    function, that is applied between two Linear layers. The rest is as in Linear.

    >>> model = nn.MLP(64, 32, 10, rng=0)
    >>> model(np.zeros((5, 64))).shape
    (5, 10)
    >>> model
    MLP(
        Linear(64, 32),
        ReLU(),
        Linear(32, 10),
    )
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
        layers: list[Layer] = []
        for k, (inputs, outputs) in enumerate(itertools.pairwise(sizes)):
            if k:
                kind = ReLU if activation is None else activation
                layers.append(kind() if isinstance(kind, type) else kind)
            layers.append(Linear(inputs, outputs, bias, rng=shared, dtype=dtype, weight_init=weight_init))
        super().__init__(*layers)


class Residual(Module):
    """A skip connection (He et al. 2016): x + layers(x), with which a deep network can learn.

    If the layers change the shape, pass a `shortcut`, which is applied to x before the sum: a Linear, or a Conv2d of
    one pixel.

    >>> block = nn.Residual(nn.Linear(4, 4, rng=0), nn.Tanh())
    >>> block(np.zeros((5, 4))).shape
    (5, 4)
    """

    def __init__(self, *layers: Layer, shortcut: Layer | None = None) -> None:
        self.layers = Sequential(*layers)
        self.shortcut = shortcut

    def forward(self, x: Any) -> Any:
        """x + layers(x), in the shape of the layers' result."""
        y = self.layers(x)
        past = x if self.shortcut is None else self.shortcut(x)
        if np.shape(y) != np.shape(past):
            raise ValueError(
                f"Residual adds x to layers(x), of one shape; received x of shape {np.shape(past)} and a result of "
                f"shape {np.shape(y)}. Pass shortcut=, such as nn.Linear({np.shape(past)[-1]}, {np.shape(y)[-1]})."
            )
        return past + y


class Checkpointed(Module):
    """A Module whose intermediate values are not kept, but computed again in the reverse pass (ad.checkpoint).

    It needs only the memory of its inputs and outputs, and the time of one more forward computation. For the second run
    generators and buffers are set back, so that dropout drops the same elements, and running averages do not move.

    >>> model = nn.Sequential(nn.Checkpointed(nn.MLP(64, 512, 512, 64, rng=0)), nn.Linear(64, 10, rng=1))
    >>> model(np.zeros((32, 64))).shape
    (32, 10)
    """

    def __init__(self, module: Module) -> None:
        if not isinstance(module, Module):
            raise TypeError(
                f"Checkpointed takes a Module; received {module!r:.80}. Write nn.Checkpointed(nn.Sequential(...)), or "
                "ad.checkpoint(f) for a function f."
            )
        self.module = module

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """The Module's result."""
        before: list[Callable[[], None]] = []

        def run(*args: Any, **kwargs: Any) -> Any:
            parts = Parts(self.module)
            now = parts.snapshot()
            if not before:
                before.append(now)
                return self.module(*args, **kwargs)
            before[0]()
            try:
                return self.module(*args, **kwargs)
            finally:
                now()

        return ad.checkpoint(run)(*args, **kwargs)


def _outputs(model: Sequential) -> int | None:
    """The number of outputs of the layers so far, if the shape of their input is known."""
    first = model.layers[0] if model.layers else None
    if isinstance(first, Input):
        shape = first.shape
    elif isinstance(first, Linear) or (isinstance(first, Dense) and first.built):
        shape = (int(first.weight.shape[1]),)
    else:
        return None
    parts = Parts(model)
    dtype = parts.parameters[0].dtype if parts.parameters else np.float32
    with parts.evaluating():
        found = np.shape(model(np.zeros((1, *shape), dtype)))
    return int(found[-1]) if len(found) > 1 else None
