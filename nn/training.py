"""Training: `fit` runs the loop that everybody writes, and gives back what happened."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

import autodiff as ad
from nn import arguments
from nn import metrics as metric_functions
from nn.arguments import Array, LossFunction, OptimizerMaker, Pair
from nn.checked import whole
from nn.history import History
from nn.init import Rng, generator
from nn.metrics import Metric
from nn.module import Module
from nn.optim import Optimizer
from nn.progress import progress

EVALUATED_AT_ONCE = 1024  # samples: without a graph to keep, larger batches are only faster
REHEARSED = 32  # samples at most that everything is tried on before the first step


class DivergedError(FloatingPointError):
    """The loss became NaN or infinite; the parameters are those before that batch, `history` the epochs before."""

    def __init__(self, message: str, history: History) -> None:
        super().__init__(message)
        self.history = history


@np.errstate(all="ignore")  # the DivergedError is to be the only word
def fit(
    model: Module,
    data: tuple[npt.ArrayLike, npt.ArrayLike],
    loss: LossFunction,
    optimizer: Optimizer | OptimizerMaker,
    *,
    epochs: int = 10,
    batch_size: int = 32,
    validation: tuple[npt.ArrayLike, npt.ArrayLike] | float | None = None,
    metrics: str | Metric | Sequence[str | Metric] | None = (),
    rng: Rng = None,
    verbose: bool = True,
) -> History:
    """Train a model on samples, in mini-batches that are drawn anew in each epoch; it is changed in place.

    Parameters
    ----------
    model : gives a batch of outputs for a batch of inputs
    data : (X, y), inputs and targets, one sample per row; X is converted to the dtype of the model's parameters
    loss : a function of (outputs, targets) that gives the mean over the batch, such as nn.CrossEntropyLoss()
    optimizer : such as nn.optim.Adam(model.parameters(), lr=1e-3), or a function that makes one of the parameters
    epochs : how often to go through the data
    batch_size : samples per step; the last batch of an epoch may be smaller, and counts for less in the means
    validation : (X, y) to be evaluated after each epoch, or the share of the data to be set aside for it at random
    metrics : names ("accuracy") or functions of (outputs, targets) that give a mean over the batch
    rng : the order of the samples: a numpy.random.Generator, an int seed, or None; the same seed gives the same bits
    verbose : whether to show one line per epoch

    Ctrl-C ends the training and returns the history so far. Raises DivergedError, naming epoch and batch, where the
    training's loss is not finite; a validation loss or a metric that is not goes into the history as it is, and
    NumPy's warnings of overflows and NaNs are silent meanwhile. Raises ValueError and TypeError, before anything is
    changed, for what does not fit together: model, loss and metrics are tried on a few samples first.
    """
    parameters = arguments.trainable(model)
    epochs, batch_size = whole(epochs, "epochs"), whole(batch_size, "batch_size")
    measures = metric_functions.chosen(metrics)
    if not isinstance(verbose, bool | np.bool):
        raise TypeError(f"verbose is whether to show a line per epoch; received {verbose!r:.80}. Write verbose=False.")
    order = generator(rng)
    pair, held = arguments.prepared(data, validation, parameters[0].dtype, order)
    arguments.check_loss(loss)
    rows, state = min(batch_size, REHEARSED), order.bit_generator.state
    (inputs, targets), held = arguments.rehearsal(model, loss, measures, pair, held, rows)
    order.bit_generator.state = state  # a model may draw from the same generator
    stepper = arguments.made(optimizer, model, parameters)
    trained = {id(t) for t in stepper.parameters}
    frozen = [t for t in parameters if id(t) not in trained]

    names = ["loss", *measures]
    history = History([*names, *(f"validation_{name}" for name in names)] if held else names)
    size = len(inputs)
    batches = math.ceil(size / batch_size)
    shown = progress(epochs, batches, bool(verbose))
    epoch = 0
    try:
        for epoch in range(1, epochs + 1):
            began = time.perf_counter()
            shuffled = order.permutation(size)
            sums = dict.fromkeys(names, 0.0)
            for k in range(batches):
                chosen = shuffled[k * batch_size : (k + 1) * batch_size]
                x, y = inputs[chosen], targets[chosen]
                stepper.zero_grad()
                for tensor in frozen:
                    tensor.grad = None
                outputs = model(x)
                value = loss(outputs, y)
                number = _finite(value, history, f"epoch {epoch}, batch {k + 1} of {batches}", x, y)
                value.backward()
                stepper.step()
                sums["loss"] += number * len(chosen)
                for name, measure in measures.items():
                    sums[name] += arguments.measured(name, measure, outputs, y) * len(chosen)
                shown.advance(epoch, k + 1)
            values = {name: total / size for name, total in sums.items()}
            if held:
                found = evaluate(model, held, loss, measures, max(batch_size, EVALUATED_AT_ONCE))
                values |= {f"validation_{name}": v for name, v in found.items()}
            history.append(values, time.perf_counter() - began)
            shown.keep(history.line(epoch, epochs))
    except KeyboardInterrupt:
        history.interrupted = True
        shown.keep(f"interrupted in epoch {epoch}; the history holds the {len(history)} finished before it")
    finally:
        shown.close()
    return history


@ad.no_grad()
def evaluate(
    model: Module, data: Pair, loss: LossFunction, measures: dict[str, Metric], batch_size: int
) -> dict[str, float]:
    """The mean loss and metrics over all samples, without a gradient."""
    inputs, targets = data
    sums = dict.fromkeys(["loss", *measures], 0.0)
    for start in range(0, len(inputs), batch_size):
        x, y = inputs[start : start + batch_size], targets[start : start + batch_size]
        outputs = model(x)
        sums["loss"] += arguments.one_number(loss(outputs, y), recorded=False) * len(x)
        for name, measure in measures.items():
            sums[name] += arguments.measured(name, measure, outputs, y) * len(x)
    return {name: total / len(inputs) for name, total in sums.items()}


def _finite(value: Any, history: History, where: str, x: Array, y: Array) -> float:
    number = arguments.one_number(value)
    if not math.isfinite(number):
        strays = [n for n, a in (("X", x), ("y", y)) if a.dtype.kind == "f" and not np.isfinite(a).all()]
        if strays:
            cause = f"there are NaNs or infinities in this batch's {' and '.join(strays)}; clean the data"
        else:
            cause = "this batch is finite, so the parameters grew too large; try a smaller lr, or inputs of variance 1"
        raise DivergedError(
            f"the loss is {number} in {where}: {cause}. The parameters are those before this batch, and the error's "
            ".history has the epochs so far.",
            history,
        )
    return number
