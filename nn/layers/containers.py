"""Containers: layers put together, and a Sequential's own training in Keras's three calls."""

from __future__ import annotations

import itertools
from collections import namedtuple
from collections.abc import Callable, Iterator
from typing import Any, Self, overload

import numpy as np
import numpy.typing as npt

import autodiff as ad
from nn import functional, hints, init
from nn import metrics as metric_functions
from nn.layers import Dense, Linear, ReLU, Sigmoid, Softmax
from nn.layers.dense import Initialiser
from nn.model.module import Module
from nn.model.writing import call
from nn.optim import Optimizer
from nn.report.history import History
from nn.training import evaluation, keras
from nn.training.fitting import fit
from nn.training.samples import conversion, numbers

Layer = Callable[[Any], Any]
Array = npt.NDArray[Any]


class Compiled:
    """What `compile` was given; it is no part of the model, and so no tuple or Module."""

    def __init__(self, optimizer: Any, loss: Any, metrics: Any) -> None:
        self.optimizer, self.loss, self.metrics = optimizer, loss, metrics


class Sequential(Module):
    """Layers one after the other; each is a Module or any function of one Tensor. Indexed and counted like a list.

    It can be trained in three calls, as in Keras: `compile`, `fit`, `evaluate` or `predict`; `nn.fit` does it as well.
    """

    def __init__(self, *layers: Layer) -> None:
        self.layers: list[Layer] = []
        if len(layers) == 1 and isinstance(layers[0], list | tuple):
            layers = tuple(layers[0])
        for layer in layers:
            self.add(layer)

    def add(self, layer: Layer) -> Self:
        """Put a layer at the end; a Dense takes its number of inputs from the layer before."""
        if not callable(layer) or isinstance(layer, type):
            hint = f"{layer.__name__}()" if isinstance(layer, type) else "Sequential(*layers) for a list of them"
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

    def compile(self, optimizer: Any = "adam", loss: Any = None, metrics: Any = ()) -> None:
        """Say what to train with.

        Parameters
        ----------
        optimizer : such as nn.optim.Adam(lr=0.001), or a name, "adam"
        loss : a function of (outputs, targets), or a name. The cross-entropies by name take what the model ends with,
            be it the probabilities of this package's softmax or sigmoid, or logits:
            "sparse_categorical_crossentropy", "categorical_crossentropy", "binary_crossentropy"; the others are "mse",
            "mae", "huber", "hinge"
        metrics : names or functions, as in `nn.fit`
        """
        if loss is None:
            raise TypeError('compile takes a loss; write loss="sparse_categorical_crossentropy", or loss="mse".')
        metric_functions.chosen(metrics)
        self._compiled = Compiled(keras.optimizer(optimizer), keras.checked_loss(loss), metrics)

    def fit(
        self,
        x: npt.ArrayLike,
        y: npt.ArrayLike,
        *,
        epochs: int = 1,
        batch_size: int = 32,
        validation_data: tuple[npt.ArrayLike, ...] | None = None,
        validation_split: float | None = None,
        sample_weight: npt.ArrayLike | None = None,
        verbose: bool | int | str = True,
        **options: Any,
    ) -> History:
        """Train as compiled: `nn.fit` under Keras's names; `options` (callbacks, rng ...) are passed on to it."""
        compiled = self._ready("fit")
        if unknown := [name for name in options if name in hints.FIT]:
            raise TypeError(f"fit has no {unknown[0]}; {hints.FIT[unknown[0]]}.")
        if validation_data is not None and validation_split is not None:
            raise TypeError("fit takes validation_data or validation_split; received both. Leave one away.")
        first = self._first(x)
        loss = keras.loss(compiled.loss, self._ending(first))
        optimizer = compiled.optimizer
        if (
            isinstance(optimizer, Optimizer)
            and optimizer.bound
            and not set(self.parameters()) <= set(optimizer.parameters)
        ):
            raise RuntimeError(
                "the model has parameters that its optimizer has not: of layers that were added, or unfrozen, after "
                "the first fit. To train them compile it again."
            )
        validation: Any = validation_split if validation_data is None else validation_data
        if isinstance(validation, tuple | list):
            validation = (validation[0], _columns(validation[1], first), *validation[2:])
        return fit(
            self,
            (x, _columns(y, first)),
            loss,
            optimizer,
            epochs=epochs,
            batch_size=batch_size,
            validation=validation,
            metrics=compiled.metrics,
            sample_weight=sample_weight,
            verbose=bool(verbose),
            **options,
        )

    def evaluate(
        self, x: npt.ArrayLike, y: npt.ArrayLike, *, batch_size: int = evaluation.AT_ONCE, verbose: Any = None
    ) -> tuple[float, ...]:
        """Loss and metrics as compiled, in this order: a tuple whose numbers have names, `.loss`, `.accuracy`."""
        compiled = self._ready("evaluate")
        first = self._first(x)
        loss = keras.loss(compiled.loss, self._ending(first))
        data = x, _columns(y, first)
        found = evaluation.evaluate(self, data, loss, compiled.metrics, batch_size=batch_size)
        made: tuple[float, ...] = namedtuple("Evaluation", found, rename=True)(**found)
        return made

    def predict(self, x: npt.ArrayLike, *, batch_size: int = evaluation.AT_ONCE, verbose: Any = None) -> Array:
        """The outputs for all rows of x: an array, in evaluation mode."""
        return evaluation.predict(self, x, batch_size)

    def _ready(self, asked: str) -> Compiled:
        compiled: Compiled | None = vars(self).get("_compiled")
        if compiled is None:
            raise RuntimeError(
                f'{asked} was called before compile; write model.compile(nn.optim.Adam(lr=0.001), "mse") first, or use '
                "nn.fit(model, (x, y), loss, optimizer)."
            )
        return compiled

    def _first(self, x: Any) -> Any:
        """What the model gives for the first row, recorded; layers that wait for their number of inputs get it."""
        row = conversion(self)(numbers(x, "X", "data")[:1])
        with evaluation.mode(self, training=False):
            return self(ad.Tensor(row) if row.dtype.kind == "f" else row)

    def _ending(self, first: Any) -> str:
        """The name of the last activation: by the graph, or by the last layer where nothing was recorded."""
        if isinstance(first, ad.Tensor):
            return keras.ending(first)
        last: Any = self
        while isinstance(last, Sequential) and last.layers:
            last = last.layers[-1]
        last = last.activation if isinstance(last, Dense) else last
        return next((name for name, forms in ENDINGS.items() if last in forms or type(last) in forms), "")

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "_compiled"}  # an optimizer has its model


ENDINGS: dict[str, tuple[Any, ...]] = {
    "softmax": (Softmax, functional.softmax, ad.softmax),
    "sigmoid": (Sigmoid, functional.sigmoid, ad.sigmoid),
}


def _columns(y: Any, first: Any) -> Any:
    """Targets of shape (batch,) as a column, for a model with one output, as Keras takes them."""
    targets = numbers(y, "y", "data")
    return targets[:, None] if np.shape(first)[1:] == (1,) and targets.ndim == 1 else targets


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
        layers: list[Layer] = []
        for k, (inputs, outputs) in enumerate(itertools.pairwise(sizes)):
            if k:
                kind = ReLU if activation is None else activation
                layers.append(kind() if isinstance(kind, type) else kind)
            layers.append(Linear(inputs, outputs, bias, rng=shared, dtype=dtype, weight_init=weight_init))
        super().__init__(*layers)


class Residual(Module):
    """A skip connection (He et al. 2016): x + layers(x), which lets a deep network learn.

    `shortcut` is applied to x before the sum, where the layers change its shape: a Linear or a Conv2d of one pixel.
    """

    def __init__(self, *layers: Layer, shortcut: Layer | None = None) -> None:
        self.layers = Sequential(*layers)
        self.shortcut = shortcut

    def forward(self, x: Any) -> Any:
        """The sum, in the shape of the layers' result."""
        y = self.layers(x)
        past = x if self.shortcut is None else self.shortcut(x)
        if np.shape(y) != np.shape(past):
            raise ValueError(
                f"Residual adds x to layers(x), of one shape; received x of shape {np.shape(past)} and a result of "
                f"shape {np.shape(y)}. Pass shortcut=, such as nn.Linear({np.shape(past)[-1]}, {np.shape(y)[-1]})."
            )
        return past + y


def _outputs(model: Sequential) -> int | None:
    """The number of outputs of the layers so far, if their number of inputs is known."""
    first = model.layers[0] if model.layers else None
    if isinstance(first, Linear) or (isinstance(first, Dense) and first.built):
        return int(evaluation.predict(model, np.zeros((1, first.weight.shape[1]))).shape[-1])
    return None
