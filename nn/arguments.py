"""The arguments of `fit`, checked before anything is changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

import autodiff as ad
from nn import functional
from nn.losses import CrossEntropyLoss
from nn.metrics import Metric
from nn.module import Module
from nn.optim import Optimizer

Array = npt.NDArray[Any]
Pair = tuple[Array, Array]
LossFunction = Callable[[Any, Any], Any]
OptimizerMaker = Callable[[Iterable[ad.Tensor]], Optimizer]


def trainable(model: Module) -> list[ad.Tensor]:
    """What there is to be trained."""
    if not isinstance(model, Module):
        hint = f"{model.__name__}(...)" if isinstance(model, type) else "nn.Sequential(...) around functions"
        raise TypeError(f"fit takes a model, an nn.Module; received {model!r:.80}. Write {hint}.")
    parameters = list(model.parameters())
    if not parameters:
        raise ValueError(
            f"{type(model).__name__} has no parameters to train; they are the leaf Tensors among its attributes, "
            "such as self.w = ad.Tensor(...) or self.layer = nn.Linear(...)."
        )
    recorded = isinstance(-parameters[0], ad.Tensor)
    if not recorded:
        raise RuntimeError(
            f"fit was called within ad.no_grad(), where nothing is recorded and {type(model).__name__} cannot be "
            "trained. Call it outside; it validates without recording of its own."
        )
    return parameters


def prepared(data: Any, validation: Any, dtype: np.dtype[Any], rng: np.random.Generator) -> tuple[Pair, Pair | None]:
    """What to train on, and what to validate on."""
    pair = arrays(data, dtype, "data")
    if validation is None:
        return pair, None
    if isinstance(validation, float | int | np.floating | np.integer):
        return _set_aside(*pair, float(validation), rng)
    return pair, arrays(validation, dtype, "validation")


def arrays(data: Any, dtype: np.dtype[Any], what: str) -> Pair:
    """X and y as arrays, X in the dtype of the model."""
    if not isinstance(data, tuple | list) or len(data) != 2:
        share = ", or a share of the data such as 0.1" if what == "validation" else ""
        raise TypeError(f"{what} is a pair of arrays, (X, y){share}; received {data!r:.80}.")
    inputs, targets = (_numbers(a, name, what) for a, name in zip(data, ("X", "y"), strict=True))
    if len(inputs) != len(targets) or not len(inputs):
        raise ValueError(
            f"{what}: X and y have one row per sample, and at least one; received X of shape {inputs.shape} and y of "
            f"shape {targets.shape}."
        )
    return inputs.astype(dtype, copy=False), targets


def _numbers(values: Any, name: str, what: str) -> Array:
    try:
        found = np.asarray(ad.stop_gradient(values))
    except ValueError as error:  # rows of different lengths
        raise ValueError(
            f"{what}: {name} is an array of numbers with one sample per row; received a {type(values).__name__} that "
            f"makes none ({error}). Give every row the same length."
        ) from None
    if found.ndim and found.dtype.kind in "fiub":
        return found
    hint = f"Write {name}.astype(float) if they are numbers"
    if not found.ndim:
        hint = f"Write [{name}] for a single sample"
    elif found.dtype.kind == "c":
        hint = f"Write np.stack([{name}.real, {name}.imag], axis=-1), or one of the two"
    elif name == "y":
        hint += "; names of classes become integers by np.unique(y, return_inverse=True)[1]"
    raise TypeError(
        f"{what}: {name} is an array of numbers with one sample per row; received shape {found.shape} and dtype "
        f"{found.dtype}. {hint}."
    )


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


def check_loss(loss: Any) -> None:
    """Refuse what cannot be called."""
    if isinstance(loss, type):
        raise TypeError(f"loss={loss.__name__} is a class; make one of it: loss=nn.{loss.__name__}().")
    if not callable(loss):
        raise TypeError(
            f"loss is a function of (outputs, targets); received {loss!r:.80}. Write loss=nn.CrossEntropyLoss() for "
            "classes, or loss=nn.MSELoss() for numbers."
        )


def rehearsal(
    model: Module, loss: LossFunction, measures: dict[str, Metric], pair: Pair, held: Pair | None, rows: int
) -> tuple[Pair, Pair | None]:
    """What to train and validate on, after both were tried as `fit` is going to use them."""
    pair = rehearsed(model, loss, measures, pair, rows, "data")
    if held:
        with ad.no_grad():
            held = rehearsed(model, loss, measures, held, rows, "validation")
    return pair, held


def rehearsed(model: Module, loss: LossFunction, measures: dict[str, Metric], pair: Pair, rows: int, what: str) -> Pair:
    """The pair, targets in the dtype of the inputs, after model, loss and metrics took its first rows without error.

    Nothing is learned from them; labels are looked at all, not only when their batch comes.
    """
    inputs, targets = pair
    real = targets.astype(inputs.dtype, copy=False) if targets.dtype.kind == "f" else targets
    try:
        outputs = model(inputs[:rows])
        if isinstance(loss, CrossEntropyLoss) or loss is functional.cross_entropy:
            functional.checked_labels(targets, (len(targets), *np.shape(outputs)[1:]))
        one_number(loss(outputs, real[:rows]), recorded=what == "data")
        for name, measure in measures.items():
            measured(name, measure, outputs, real[:rows])
    except (ValueError, TypeError) as error:
        name = "data" if what == "data" else "validation data"
        hint = " For one number per sample, write X.reshape(-1, 1)." if inputs.ndim == 1 else ""
        error.add_note(
            f"Nothing was trained yet: this came of the first {len(inputs[:rows])} samples of the {name}, X of shape "
            f"{inputs.shape} and y of shape {targets.shape}.{hint}"
        )
        raise
    return inputs, real


def one_number(value: Any, recorded: bool = True) -> float:
    """The loss as a float, if it is one number, and in training one that was recorded."""
    plain = np.asarray(ad.stop_gradient(value))
    if plain.size != 1 or plain.dtype.kind not in "fiub" or (recorded and not isinstance(value, ad.Tensor)):
        raise TypeError(
            "loss is to give one number that depends on the model's parameters; received a "
            f"{type(value).__name__} of shape {plain.shape}, dtype {plain.dtype}. Reduce it with .mean(), and compute "
            "it with NumPy's functions from the outputs as they are."
        )
    return float(plain.item())


def measured(name: str, measure: Metric, outputs: Any, targets: Array) -> float:
    """What a metric gives, as a float."""
    value: Any = ad.stop_gradient(measure(ad.stop_gradient(outputs), targets))
    if type(value) is not float and (np.ndim(value) or np.asarray(value).dtype.kind not in "fiub"):
        received = f"{type(value).__name__} of shape {np.shape(value)}" if np.ndim(value) else repr(value)[:80]
        raise TypeError(
            f"a metric is to give one number, the mean over the batch; {name!r} gave {received}. End it with "
            "return float(np.mean(...))."
        )
    return float(value)


def made(optimizer: Any, model: Module, parameters: list[ad.Tensor]) -> Optimizer:
    """The optimizer, made if need be, of at least one of the parameters."""
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
