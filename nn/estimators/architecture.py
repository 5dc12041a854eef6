"""The description from which an estimator makes its model and optimizer; unlike these, it can be pickled."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from nn import layers
from nn.checked import real, whole
from nn.layers import Dropout, Linear
from nn.layers.containers import MLP, Sequential
from nn.model.module import Module
from nn.optim import Optimizer
from nn.training.names import OPTIMIZERS

ACTIVATIONS = {
    "identity": layers.Identity,
    "logistic": layers.Sigmoid,  # scikit-learn's name
    "sigmoid": layers.Sigmoid,
    "tanh": layers.Tanh,
    "relu": layers.ReLU,
    "leaky_relu": layers.LeakyReLU,
    "elu": layers.ELU,
    "gelu": layers.GELU,
    "silu": layers.SiLU,
    "softplus": layers.Softplus,
}


@dataclass(frozen=True)
class Architecture:
    """The sizes of the layers, the layers between them, and the optimizer."""

    sizes: tuple[int, ...]
    activation: Callable[..., Any]
    dropout: float
    dtype: np.dtype[Any]
    made_by: Callable[..., Optimizer]

    @property
    def kept(self) -> tuple[int, np.dtype[Any]]:
        """The part that is not among an estimator's parameters: the number of outputs, and the dtype."""
        return self.sizes[-1], self.dtype

    def trained_as(self, other: Architecture) -> Architecture:
        """The same with the optimizer of another. Raises ValueError if the layers of the other differ."""
        if replace(other, made_by=self.made_by) != self:
            raise ValueError(
                "warm_start goes on with the layers of the last fit; hidden_layer_sizes, activation or dropout were "
                "changed since. Change them back, or set warm_start=False to begin anew."
            )
        return other

    def model(self, rng: np.random.Generator) -> Sequential:
        """A new model: an MLP, with Dropout layers if there is dropout."""
        model = MLP(*self.sizes, activation=self.activation, rng=rng, dtype=self.dtype)
        if not self.dropout:
            return model
        parts = [(layer,) if isinstance(layer, Linear) else (layer, Dropout(self.dropout, rng)) for layer in model]
        return Sequential(*(layer for part in parts for layer in part))

    def optimizer(self, model: Module) -> Optimizer:
        """A new optimizer of the model's parameters; step size and weight decay are assigned before each training."""
        made = self.made_by(model.named_parameters(), decay_biases=False)
        if not isinstance(made, Optimizer):
            raise TypeError(
                f"the function given as optimizer must make one of nn.optim's; it gave {made!r:.80}. Write "
                "optimizer=nn.optim.SGD, or functools.partial(nn.optim.SGD, momentum=0.9)."
            )
        return made


def architecture(estimator: Any, outputs: int, dtype: np.dtype[Any]) -> Architecture:
    """The architecture from an estimator's parameters. Raises ValueError and TypeError for wrong ones."""
    hidden = estimator.hidden_layer_sizes
    what = "hidden_layer_sizes: the units of each hidden layer, (100,) or (50, 50),"
    return Architecture(
        (
            estimator.n_features_in_,
            *(whole(units, what) for units in ([hidden] if np.ndim(hidden) == 0 else hidden)),
            outputs,
        ),
        _chosen(estimator.activation, "activation", ACTIVATIONS, "a layer such as nn.ReLU"),
        real(estimator.dropout, "dropout, the share of hidden units that are dropped,", below=1),
        dtype,
        _chosen(estimator.optimizer, "optimizer", OPTIMIZERS, "what makes one, such as nn.optim.SGD"),
    )


def _chosen(given: Any, what: str, named: dict[str, Any], other: str) -> Any:
    """The function for a name; a function is returned unchanged."""
    if isinstance(given, str) and given in named:
        return named[given]
    if isinstance(given, str) or not callable(given):
        names = ", ".join(map(repr, named))
        raise ValueError(f"{what} is {other}, or one of {names}; received {given!r:.80}.")  # noqa: TRY004  # of a name
    return given
