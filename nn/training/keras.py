"""What `Sequential.compile` is given by name: losses, whatever the model ends with, and optimizers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

import autodiff as ad
from nn import functional as F
from nn import optim
from nn.optim import Optimizer

SHAPING = frozenset({"reshape", "ravel", "gather", "transpose", "squeeze", "expand_dims", "swapaxes", "copy", "astype"})
BOUNDING = frozenset({"minimum", "maximum"})  # what np.clip is made of


def _origin(outputs: Any) -> tuple[str, Any]:
    """The name of what computed some outputs, if that was recorded, and what it computed them of."""
    if isinstance(outputs, ad.Tensor) and outputs.primitive is not None:
        return outputs.primitive.name, outputs.arguments[0]
    return "", None


def ending(outputs: Any) -> str:
    """The name of the last function that was recorded, but for those that change the shape, the dtype or the bounds."""
    name, before = _origin(outputs)
    while name in SHAPING | BOUNDING:
        name, before = _origin(before)
    return name


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
            name, logits = _origin(outputs)
            outputs = logits if name == "softmax" else _log(outputs)
        return F.cross_entropy(outputs, targets, sample_weight=sample_weight)


class BinaryCrossEntropy:
    """Cross-entropy of a model that ends with one sigmoid, or with one logit; labels 0 and 1."""

    def __init__(self, sigmoid: bool) -> None:
        self.sigmoid = sigmoid
        self.threshold = 0.5 if sigmoid else 0.0  # of the outputs, for metrics

    def __call__(self, outputs: Any, targets: Any, sample_weight: Any = None) -> Any:
        """The mean over the batch."""
        targets = np.asarray(targets, outputs.dtype)
        name, logits = _origin(outputs) if self.sigmoid else ("sigmoid", outputs)
        if name != "sigmoid":
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


def checked_loss(given: Any) -> Any:
    """A loss, if it is a function or one of the names."""
    if isinstance(given, str) and given not in CROSS_ENTROPIES and given not in OTHER_LOSSES:
        names = ", ".join(map(repr, [*CROSS_ENTROPIES, *OTHER_LOSSES]))
        raise ValueError(f"compile: loss is a function, or one of {names}; received {given!r:.80}.")
    return given


def loss(given: Any, last: str) -> Any:
    """The loss of this name for a model whose last activation has the name `last`; one given as it is stays."""
    if not isinstance(given, str):
        return given
    if given in CROSS_ENTROPIES:
        kind, activation = CROSS_ENTROPIES[given]
        return kind(last == activation)
    return OTHER_LOSSES[given]


def optimizer(given: Any) -> Optimizer | Callable[[Iterable[ad.Tensor]], Optimizer]:
    """An optimizer by its name, with its default step size; one given as it is, or a function making one, stays."""
    if isinstance(given, str):
        if given.lower() not in OPTIMIZERS:
            names = ", ".join(map(repr, OPTIMIZERS))
            raise ValueError(f"compile: optimizer is one of nn.optim's, or of {names}; received {given!r:.80}.")
        return OPTIMIZERS[given.lower()](None)
    return given
