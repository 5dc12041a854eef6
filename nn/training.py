"""Training: `fit` runs the loop that everybody writes, and gives back what happened."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

import autodiff as ad
from nn import functional
from nn import metrics as metric_functions
from nn.history import History
from nn.init import Rng, generator
from nn.losses import CrossEntropyLoss
from nn.metrics import Metric
from nn.module import Module
from nn.optim import Optimizer
from nn.progress import progress

Array = npt.NDArray[Any]
Pair = tuple[Array, Array]
LossFunction = Callable[[Any, Any], Any]
OptimizerMaker = Callable[[Iterable[ad.Tensor]], Optimizer]

EVALUATED_AT_ONCE = 1024  # samples: without a graph to keep, larger batches are only faster


class DivergedError(FloatingPointError):
    """The loss became NaN or infinite; the parameters are those before that batch, `history` the epochs before."""

    def __init__(self, message: str, history: History) -> None:
        super().__init__(message)
        self.history = history


def fit(
    model: Module,
    data: tuple[npt.ArrayLike, npt.ArrayLike],
    *,
    loss: LossFunction,
    optimizer: Optimizer | OptimizerMaker,
    epochs: int = 10,
    batch_size: int = 32,
    validation: tuple[npt.ArrayLike, npt.ArrayLike] | float | None = None,
    metrics: str | Metric | Sequence[str | Metric] = (),
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
    loss is not finite; ValueError and TypeError, before anything is changed, for what does not fit together.
    """
    parameters = _parameters(model)
    dtype = parameters[0].dtype
    epochs, batch_size = _count(epochs, "epochs"), _count(batch_size, "batch_size")
    measures = metric_functions.chosen(metrics)
    order = generator(rng)
    inputs, targets = _arrays(data, dtype, "data")
    held: Pair | None = None
    if isinstance(validation, float | int):
        (inputs, targets), held = _set_aside(inputs, targets, validation, order)
    elif validation is not None:
        held = _arrays(validation, dtype, "validation")
    _check_loss(loss)
    _check_labels(model, loss, [(inputs, targets), *([held] if held else [])])
    stepper = _made(optimizer, model, parameters)

    names = ["loss", *measures]
    history = History([*names, *(f"validation_{name}" for name in names)] if held else names)
    size = len(inputs)
    batches = math.ceil(size / batch_size)
    shown = progress(epochs, batches, verbose)
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
                outputs = model(x)
                value = loss(outputs, y)
                number = _finite(value, history, f"epoch {epoch}, batch {k + 1} of {batches}", x, y)
                value.backward()
                stepper.step()
                sums["loss"] += number * len(chosen)
                for name, measure in measures.items():
                    sums[name] += measure(ad.stop_gradient(outputs), y) * len(chosen)
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
        sums["loss"] += float(loss(outputs, y)) * len(x)
        for name, measure in measures.items():
            sums[name] += measure(outputs, y) * len(x)
    return {name: total / len(inputs) for name, total in sums.items()}


def _finite(value: Any, history: History, where: str, x: Array, y: Array) -> float:
    if not isinstance(value, ad.Tensor) or value.size != 1:
        received = f"a Tensor of shape {value.shape}" if isinstance(value, ad.Tensor) else f"a {type(value).__name__}"
        raise TypeError(
            f"loss is to give one number that depends on the model's parameters; received {received}. Reduce it with "
            ".mean(), and compute it with NumPy's functions from the outputs as they are."
        )
    number = float(value.item())
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


# -- arguments, checked before anything is changed ----------------------------------------------------------------


def _parameters(model: Module) -> list[ad.Tensor]:
    if not isinstance(model, Module):
        hint = f"{model.__name__}(...)" if isinstance(model, type) else "nn.Sequential(...) around functions"
        raise TypeError(f"fit takes a model, an nn.Module; received {model!r:.80}. Write {hint}.")
    parameters = list(model.parameters())
    if not parameters:
        raise ValueError(
            f"{type(model).__name__} has no parameters to train; they are the leaf Tensors among its attributes, "
            "such as self.w = ad.Tensor(...) or self.layer = nn.Linear(...)."
        )
    return parameters


def _count(number: int, what: str) -> int:
    if isinstance(number, bool) or not isinstance(number, int | np.integer) or number < 1:
        raise ValueError(f"{what} is an int from 1; received {number!r:.80}.")
    return int(number)


def _arrays(data: Any, dtype: np.dtype[Any], what: str) -> Pair:
    if not isinstance(data, tuple | list) or len(data) != 2:
        raise TypeError(f"{what} is a pair of arrays, (X, y); received {data!r:.80}.")
    plain = [np.asarray(ad.stop_gradient(a)) for a in data]
    for name, a in zip(("X", "y"), plain, strict=True):
        if not a.ndim or a.dtype.kind not in "fiub":
            raise TypeError(
                f"{what}: {name} is an array of numbers with one sample per row; received shape {a.shape} and dtype "
                f"{a.dtype}. Names of classes become integers by np.unique(y, return_inverse=True)[1]."
            )
    inputs, targets = plain
    if len(inputs) != len(targets) or not len(inputs):
        raise ValueError(
            f"{what}: X and y have one row per sample, and at least one; received X of shape {inputs.shape} and y of "
            f"shape {targets.shape}."
        )
    return inputs.astype(dtype, copy=False), targets.astype(dtype, copy=False) if targets.dtype.kind == "f" else targets


def _set_aside(inputs: Array, targets: Array, share: float, rng: np.random.Generator) -> tuple[Pair, Pair]:
    count = round(len(inputs) * share) if 0 < share < 1 else 0
    if not 0 < count < len(inputs):
        raise ValueError(
            f"validation is a pair (X, y) or a share between 0 and 1 of the {len(inputs)} samples that leaves some on "
            f"either side; received {share!r}. Write validation=0.1."
        )
    shuffled = rng.permutation(len(inputs))
    kept, held = shuffled[count:], shuffled[:count]
    return (inputs[kept], targets[kept]), (inputs[held], targets[held])


def _check_loss(loss: Any) -> None:
    if isinstance(loss, type):
        raise TypeError(f"loss={loss.__name__} is a class; make one of it: loss=nn.{loss.__name__}().")
    if not callable(loss):
        raise TypeError(
            f"loss is a function of (outputs, targets); received {loss!r:.80}. Write loss=nn.CrossEntropyLoss() for "
            "classes, or loss=nn.MSELoss() for numbers."
        )


def _check_labels(model: Module, loss: LossFunction, sets: list[Pair]) -> None:
    """Look at every label before the first step, not when its batch comes."""
    if isinstance(loss, CrossEntropyLoss) or loss is functional.cross_entropy:
        with ad.no_grad():
            classes = np.shape(model(sets[0][0][:1]))[1:]
        for _, targets in sets:
            functional.checked_labels(targets, (len(targets), *classes))


def _made(optimizer: Any, model: Module, parameters: list[ad.Tensor]) -> Optimizer:
    write = "optimizer=nn.optim.Adam(model.parameters(), lr=1e-3)"
    if isinstance(optimizer, type) or not (isinstance(optimizer, Optimizer) or callable(optimizer)):
        name = optimizer.__name__ if isinstance(optimizer, type) else repr(optimizer)
        raise TypeError(f"optimizer is one made for the model's parameters; received {name:.80}. Write {write}.")
    if not isinstance(optimizer, Optimizer):
        optimizer = optimizer(model.parameters())
        if not isinstance(optimizer, Optimizer):
            raise TypeError(
                f"the function given as optimizer is to make one of the parameters; it gave {optimizer!r:.80}. "
                "Write optimizer=lambda parameters: nn.optim.Adam(parameters, lr=1e-3)."
            )
    if {id(t) for t in optimizer.parameters}.isdisjoint(map(id, parameters)):
        raise ValueError(f"the optimizer has none of the model's parameters, so none would be trained. Write {write}.")
    return optimizer
