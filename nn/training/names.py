"""Losses and optimizers by name, as in Keras and PyTorch; some losses depend on the model's last activation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import autodiff as ad
from nn import functional as F
from nn import losses, optim
from nn.data.several import Several, called, cut
from nn.layers import Activation, Dense, Sigmoid, Softmax
from nn.layers.containers import Sequential
from nn.model.parts import Parts
from nn.optim import Optimizer
from nn.training.samples import conversion

SHAPING = frozenset({"reshape", "ravel", "gather", "transpose", "squeeze", "expand_dims", "swapaxes", "copy", "astype"})
BOUNDING = frozenset({"minimum", "maximum"})  # the functions that np.clip records


def _origin(outputs: Any) -> tuple[str, Any]:
    """The name of the operation that computed some outputs, if it was recorded, and its argument."""
    if isinstance(outputs, ad.Tensor) and outputs.operation is not None:
        return outputs.operation, outputs.operands[0]
    return "", None


def last_function(outputs: Any) -> str:
    """The name of the last recorded function, except those that change only the shape, the dtype or the bounds."""
    name, before = _origin(outputs)
    while name in SHAPING | BOUNDING:
        name, before = _origin(before)
    return name


def _log(probabilities: Any) -> Any:
    return np.log(np.maximum(probabilities, np.finfo(probabilities.dtype).tiny))


class CategoricalCrossEntropy:
    """Cross-entropy of a model that ends with a softmax, or with logits; integer or one-hot labels.

    With a softmax it is computed from the softmax's argument, so that no small probability is lost. For outputs of
    three and more axes the classes are the last axis with `last`, as in Keras, else axis 1, as in PyTorch.
    """

    def __init__(self, softmax: bool, last: bool) -> None:
        self.softmax, self.last = softmax, last

    def __call__(self, outputs: Any, targets: Any, sample_weight: Any = None) -> Any:
        """The mean over the batch."""
        if self.softmax:
            name, logits = _origin(outputs)
            outputs = logits if name == "softmax" else _log(outputs)
        if self.last and outputs.ndim > 2:
            one_hot = np.shape(targets) == outputs.shape
            outputs, targets = np.moveaxis(outputs, -1, 1), np.moveaxis(targets, -1, 1) if one_hot else targets
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


CROSS_ENTROPIES: dict[str, tuple[Callable[[bool], Any], str]] = {
    **dict.fromkeys(
        ("sparse_categorical_crossentropy", "categorical_crossentropy"),
        (lambda softmax: CategoricalCrossEntropy(softmax, last=True), "softmax"),
    ),
    "cross_entropy": (lambda softmax: CategoricalCrossEntropy(softmax, last=False), "softmax"),
    **dict.fromkeys(("binary_crossentropy", "binary_cross_entropy", "bce"), (BinaryCrossEntropy, "sigmoid")),
}
OTHER_LOSSES: dict[str, type[losses.Criterion]] = {
    **dict.fromkeys(("mse", "mse_loss", "mean_squared_error"), losses.MSELoss),
    **dict.fromkeys(("mae", "l1", "l1_loss", "mean_absolute_error"), losses.L1Loss),
    **dict.fromkeys(("huber", "huber_loss"), losses.HuberLoss),
    **dict.fromkeys(("smooth_l1", "smooth_l1_loss"), losses.SmoothL1Loss),
    **dict.fromkeys(("hinge", "hinge_loss"), losses.HingeLoss),
    **dict.fromkeys(("nll", "nll_loss"), losses.NLLLoss),
    **dict.fromkeys(("bce_with_logits", "binary_cross_entropy_with_logits"), losses.BCEWithLogitsLoss),
}
OPTIMIZERS: dict[str, type[Optimizer]] = {
    name.lower(): kind
    for name in optim.__all__
    if isinstance(kind := getattr(optim, name), type) and issubclass(kind, Optimizer) and kind is not Optimizer
    if not kind.needs_closure
}
ENDINGS: dict[str, tuple[Any, ...]] = {
    "softmax": (Softmax, F.softmax, ad.softmax),
    "sigmoid": (Sigmoid, F.sigmoid, ad.sigmoid),
}


def known_loss(given: str) -> None:
    """Raise ValueError for an unknown name of a loss."""
    if given not in CROSS_ENTROPIES and given not in OTHER_LOSSES:
        known = ", ".join(map(repr, [*CROSS_ENTROPIES, *OTHER_LOSSES]))
        raise ValueError(f"loss is a function of (outputs, targets), or one of {known}; received {given!r:.80}.")


def loss(given: Any, parts: Parts, inputs: Any) -> Any:
    """The loss of this name for a model, which is called on the first of these inputs; a function is unchanged."""
    if not isinstance(given, str):
        return given
    return named_loss(given, ending(parts.model, first_output(parts, inputs)) if given in CROSS_ENTROPIES else "")


def named_loss(given: Any, last: str) -> Any:
    """The loss of this name for a model whose last activation has the name `last`; a function is unchanged."""
    if not isinstance(given, str):
        return given
    known_loss(given)
    if given in CROSS_ENTROPIES:
        kind, activation = CROSS_ENTROPIES[given]
        return kind(last == activation)
    return OTHER_LOSSES[given]()


def first_output(parts: Parts, inputs: Any) -> Any:
    """A model's recorded output for the first row; layers without a number of inputs get theirs by it."""
    row = conversion(parts)(cut(inputs, slice(1)))
    with parts.mode(training=False):
        if isinstance(row, Several):
            return called(
                parts.model, row.mapped(lambda a: ad.Tensor(ad.to(a, parts.device)) if a.dtype.kind == "f" else a)
            )
        row = ad.to(row, parts.device)
        return parts.model(ad.Tensor(row) if row.dtype.kind == "f" else row)


def ending(model: Any, output: Any) -> str:
    """The name of a model's last activation, from the graph, or from the last layer if nothing was recorded."""
    if isinstance(output, ad.Tensor):
        return last_function(output)
    last = model
    while isinstance(last, Sequential) and last.layers:
        last = last.layers[-1]
    last = last.activation if isinstance(last, Dense | Activation) else last
    return next((name for name, forms in ENDINGS.items() if last in forms or type(last) in forms), "")


def optimizer(given: Any) -> Any:
    """An optimizer by its name, with its default step size; anything else is unchanged."""
    return optimizer_kind(given)(None) if isinstance(given, str) else given


def optimizer_kind(given: str) -> Any:
    """The class of optimizers of this name."""
    if given.lower() == "lbfgs":
        raise TypeError(optim.LBFGS.needs_closure)
    if given.lower() not in OPTIMIZERS:
        known = ", ".join(map(repr, OPTIMIZERS))
        raise ValueError(f"optimizer is one of nn.optim's, or of {known}; received {given!r:.80}.")
    return OPTIMIZERS[given.lower()]
