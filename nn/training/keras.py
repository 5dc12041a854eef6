"""Keras's methods of a Sequential: compile, fit, evaluate, predict."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from nn import metrics as metric_functions
from nn.layers.containers import Sequential
from nn.model.parts import Parts
from nn.optim import Optimizer
from nn.report.history import History
from nn.training import evaluation, names
from nn.training.fitting import fit as train
from nn.training.samples import numbers

Array = npt.NDArray[Any]


class Compiled:
    """The arguments of `compile`. A copy of the model has none, because an optimizer belongs to the parameters."""

    def __init__(self, optimizer: Any = None, loss: Any = None, metrics: Any = ()) -> None:
        self.optimizer, self.loss, self.metrics = optimizer, loss, metrics

    def __reduce__(self) -> tuple[type[Compiled], tuple[()]]:
        return Compiled, ()


def compile(self: Sequential, optimizer: Any = "adam", loss: Any = None, metrics: Any = ()) -> None:  # noqa: A001
    """Set the optimizer, the loss and the metrics of the training.

    Parameters
    ----------
    optimizer : such as nn.optim.Adam(lr=0.001), or a name, "adam"
    loss : a function of (outputs, targets), or a name. The cross-entropies "sparse_categorical_crossentropy",
        "categorical_crossentropy" and "binary_crossentropy" take the model's outputs, whether logits or probabilities
        of this package's softmax or sigmoid; the others are "mse", "mae", "huber", "hinge"
    metrics : names or functions, as in `nn.fit`
    """
    if loss is None:
        raise TypeError('compile takes a loss; write loss="sparse_categorical_crossentropy", or loss="mse".')
    metric_functions.chosen(metrics)
    if isinstance(loss, str):
        names.known_loss(loss)
    vars(self)["_compiled"] = Compiled(names.optimizer(optimizer), loss, metrics)


def fit(
    self: Sequential,
    x: npt.ArrayLike,
    y: npt.ArrayLike,
    *,
    epochs: int = 1,
    batch_size: int = 32,
    validation_data: tuple[npt.ArrayLike, ...] | None = None,
    validation_split: float | None = None,
    sample_weight: npt.ArrayLike | None = None,
    class_weight: Mapping[int, float] | None = None,
    verbose: bool | int | str = True,
    **options: Any,
) -> History:
    """Train as compiled: `nn.fit` with Keras's names; `options` (callbacks, shuffle, rng ...) are passed to it.

    `class_weight` has the weights of the samples of each class, by default 1: {0: 1.0, 1: 5.0}. The loss of a batch is
    the mean weighted by it, and by `sample_weight` if that is given too.
    """
    compiled = _ready(self, "fit")
    if validation_data is not None and validation_split is not None:
        raise TypeError("fit takes validation_data or validation_split; received both. Pass one of them.")
    inputs, first = _begun(self, x)
    loss = names.named_loss(compiled.loss, names.ending(self, first))
    optimizer = compiled.optimizer
    if isinstance(optimizer, Optimizer) and optimizer.bound and not set(self.parameters()) <= set(optimizer.parameters):
        raise RuntimeError(
            "the model has parameters that its optimizer has not: of layers that were added, or unfrozen, after "
            "the first fit. To train them compile it again."
        )
    validation: Any = validation_split if validation_data is None else validation_data
    if isinstance(validation, tuple | list):
        validation = (validation[0], _columns(validation[1], first), *validation[2:])
    targets = _columns(y, first)
    if class_weight is not None:
        sample_weight = _weighted(class_weight, targets, sample_weight)
    return train(
        self,
        (inputs, targets),
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
    self: Sequential,
    x: npt.ArrayLike,
    y: npt.ArrayLike,
    *,
    batch_size: int = evaluation.AT_ONCE,
    verbose: Any = None,
    return_dict: bool = False,
) -> tuple[float, ...] | dict[str, float]:
    """Loss and metrics as compiled, in this order: a tuple whose numbers have names, `.loss`, `.accuracy`; or a dict.

    `verbose` is accepted for compatibility with Keras and has no effect.
    """
    compiled = _ready(self, "evaluate")
    inputs, first = _begun(self, x)
    loss = names.named_loss(compiled.loss, names.ending(self, first))
    data = inputs, _columns(y, first)
    found = evaluation.evaluate(self, data, loss, compiled.metrics, batch_size=batch_size)
    if return_dict:
        return found
    made: tuple[float, ...] = namedtuple("Evaluation", found, rename=True)(**found)
    return made


def predict(self: Sequential, x: npt.ArrayLike, *, batch_size: int = evaluation.AT_ONCE, verbose: Any = None) -> Array:
    """The outputs for all rows of x: an array, in evaluation mode."""
    return evaluation.predict(self, x, batch_size)


def attach(kind: type[Sequential]) -> None:
    """Add these methods to Sequential."""
    for method in (compile, fit, evaluate, predict):
        setattr(kind, method.__name__, method)


def _ready(model: Sequential, asked: str) -> Compiled:
    compiled: Compiled = vars(model).get("_compiled") or Compiled()
    if compiled.loss is None:
        raise RuntimeError(
            f'{asked} was called before compile; write model.compile(nn.optim.Adam(lr=0.001), "mse") first, or use '
            "nn.fit(model, (x, y), loss, optimizer)."
        )
    return compiled


def _begun(model: Sequential, x: Any) -> tuple[Array, Any]:
    """The inputs, and the model's output for the first of them."""
    inputs = numbers(x, "X", "data")
    return inputs, names.first_output(Parts(model), inputs)


def _columns(y: Any, first: Any) -> Any:
    """Targets of shape (batch,) as a column, for a model with one output, as in Keras."""
    targets = numbers(y, "y", "data")
    return targets[:, None] if np.shape(first)[1:] == (1,) and targets.ndim == 1 else targets


def _weighted(class_weight: Any, targets: Array, sample_weight: Any) -> Array:
    """The samples' weights: those of their classes times `sample_weight`."""
    if not isinstance(class_weight, Mapping):
        raise TypeError(
            f"class_weight has a weight for the number of a class; received {class_weight!r:.80}. Write "
            "class_weight={0: 1.0, 1: 5.0}."
        )
    labels = targets.argmax(axis=1) if targets.ndim == 2 and targets.shape[1] > 1 else targets.reshape(-1)
    if len(labels) != len(targets):
        raise ValueError(
            f"class_weight takes one label, or a one-hot row, for each sample; received y of shape {targets.shape}. "
            "Write sample_weight=an array of the samples' weights."
        )
    weights = np.ones(len(labels))
    for label, weight in class_weight.items():
        weights[labels == label] = weight
    return weights if sample_weight is None else weights * np.asarray(sample_weight)
