"""What `Sequential.compile` is given by name: losses, whatever the model ends with, and optimizers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

import autodiff as ad
from nn import functional as F
from nn import optim
from nn.optim import Optimizer


def _before(outputs: Any, activation: str) -> Any:
    """The argument that an activation gave these outputs for, which the graph remembers; None if it is not known."""
    if isinstance(outputs, ad.Tensor) and outputs.primitive is not None and outputs.primitive.name == activation:
        return outputs.arguments[0]
    return None


def _log(probabilities: Any) -> Any:
    return np.log(np.maximum(probabilities, np.finfo(probabilities.dtype).tiny))


class CategoricalCrossEntropy:
    """Cross-entropy of a model that ends with a softmax, or with logits; integer or one-hot labels.

    With a softmax it is computed from what the softmax was computed of, so that no small probability is lost.
    """

    def __init__(self, softmax: bool) -> None:
        self.softmax = softmax

    def __call__(self, outputs: Any, targets: Any, sample_weight: Any = None) -> Any:
        """The mean over the batch."""
        if self.softmax:
            logits = _before(outputs, "softmax")
            outputs = _log(outputs) if logits is None else logits
        return F.cross_entropy(outputs, targets, sample_weight=sample_weight)


class BinaryCrossEntropy:
    """Cross-entropy of a model that ends with one sigmoid, or with one logit; labels 0 and 1."""

    def __init__(self, sigmoid: bool) -> None:
        self.sigmoid = sigmoid
        self.threshold = 0.5 if sigmoid else 0.0  # of the outputs, for metrics

    def __call__(self, outputs: Any, targets: Any, sample_weight: Any = None) -> Any:
        """The mean over the batch."""
        targets = np.asarray(targets, outputs.dtype)
        logits = _before(outputs, "sigmoid") if self.sigmoid else outputs
        if logits is None:
            return F.binary_cross_entropy(outputs, targets, sample_weight=sample_weight)
        return F.binary_cross_entropy_with_logits(logits, targets, sample_weight=sample_weight)


CROSS_ENTROPIES: dict[str, tuple[type, str]] = {
    "sparse_categorical_crossentropy": (CategoricalCrossEntropy, "softmax"),
    "categorical_crossentropy": (CategoricalCrossEntropy, "softmax"),
    "cross_entropy": (CategoricalCrossEntropy, "softmax"),
    "binary_crossentropy": (BinaryCrossEntropy, "sigmoid"),
    "binary_cross_entropy": (BinaryCrossEntropy, "sigmoid"),
}
OTHER_LOSSES: dict[str, Callable[..., Any]] = {
    "mean_squared_error": F.mse_loss,
    "mse": F.mse_loss,
    "mean_absolute_error": F.l1_loss,
    "mae": F.l1_loss,
    "huber": F.huber_loss,
    "hinge": F.hinge_loss,
}
OPTIMIZERS: dict[str, type[Optimizer]] = {
    name.lower(): kind
    for name in optim.__all__
    if isinstance(kind := getattr(optim, name), type) and issubclass(kind, Optimizer) and kind is not Optimizer
}


def loss(given: Any, last: str) -> Any:
    """A loss by its name, for a model whose last activation has the name `last`; one given as it is stays."""
    if not isinstance(given, str):
        return given
    if given in CROSS_ENTROPIES:
        kind, activation = CROSS_ENTROPIES[given]
        return kind(last == activation)
    if given in OTHER_LOSSES:
        return OTHER_LOSSES[given]
    names = ", ".join(map(repr, [*CROSS_ENTROPIES, *OTHER_LOSSES]))
    raise ValueError(f"compile: loss is a function, or one of {names}; received {given!r:.80}.")


def optimizer(given: Any) -> Optimizer | Callable[[Iterable[ad.Tensor]], Optimizer]:
    """An optimizer by its name, with its default step size; one given as it is, or a function making one, stays."""
    if isinstance(given, str):
        if given.lower() not in OPTIMIZERS:
            names = ", ".join(map(repr, OPTIMIZERS))
            raise ValueError(f"compile: optimizer is one of nn.optim's, or of {names}; received {given!r:.80}.")
        return OPTIMIZERS[given.lower()](None)
    return given
