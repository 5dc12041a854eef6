"""Checks of the arguments of `fit`, `evaluate` and the searches, apart from the samples, before anything is changed."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

import autodiff as ad
from nn import functional
from nn.data import DataLoader
from nn.data.several import Several, called, cut, plain
from nn.functional.origin import warn
from nn.losses import CrossEntropyLoss, NLLLoss
from nn.metrics import Metric
from nn.model.module import Module
from nn.model.parts import Parts
from nn.optim import Optimizer
from nn.optim.lr_scheduler import LRScheduler
from nn.training import names
from nn.training.samples import Conversion, as_target

Array = npt.NDArray[Any]
LossFunction = Callable[..., Any]
OptimizerMaker = Callable[[Iterable[ad.Tensor]], Optimizer]
ScheduleMaker = Callable[[Optimizer], LRScheduler]


def modelled(model: Module) -> None:
    """Raise TypeError for a value that is no model."""
    if not isinstance(model, Module):
        hint = f"{model.__name__}(...)" if isinstance(model, type) else "nn.Sequential(...) around functions"
        raise TypeError(f"a model is an nn.Module; received {model!r:.80}. Write {hint}.")


def trainable(model: Module) -> Parts:
    """The parts of a model. Raises ValueError if there are no parameters to train."""
    modelled(model)
    parts = Parts(model)
    if not parts.parameters:
        raise ValueError(
            f"{type(model).__name__} has no parameters to train; they are the leaf Tensors among its attributes, "
            "such as self.w = ad.Tensor(...) or self.layer = nn.Linear(...), and not frozen. A Dense that does not "
            "know its number of inputs has none: pass input_shape=, or call the model once."
        )
    frozen = {tensor for module in parts.modules for tensor, constant in module.own_parameters() if constant}
    if tied := next((name for name, tensor in parts.named_parameters if tensor in frozen), None):
        raise ValueError(
            f"{tied} is trained here, and frozen in another part of the model that shares it. Freeze both, or none."
        )
    for module in parts.modules:
        for name, value in module.named_attributes():
            if isinstance(value, ad.Tensor) and not value.is_leaf and not value.scopes:
                warn(
                    f"{type(module).__name__}.{name} is the result of {value.operation}, so it is neither trained "
                    f"nor saved; a parameter is a Tensor as it was made: self.{name} = ad.Tensor(...)."
                )
    recorded = isinstance(-parts.parameters[0], ad.Tensor)
    if not recorded:
        raise RuntimeError(
            f"training was asked for within ad.no_grad(), where nothing is recorded and {type(model).__name__} cannot "
            "be trained. Ask for it outside; validation records nothing of its own."
        )
    return parts


def check_loss(loss: Any, weighted: bool = False) -> None:
    """Raise an error for a loss that is no known name and no function, or that takes no weights of the samples."""
    if isinstance(loss, str):
        names.known_loss(loss)
        return
    if isinstance(loss, type):
        raise TypeError(f"loss={loss.__name__} is a class; make one of it: loss=nn.{loss.__name__}().")
    if not callable(loss):
        raise TypeError(
            f"loss is a function of (outputs, targets), or a name; received {loss!r:.80}. Write "
            "loss=nn.CrossEntropyLoss() for classes, or loss=nn.MSELoss() for numbers."
        )
    reduction = getattr(loss, "reduction", "mean")
    if reduction not in ("mean", "batchmean"):
        raise ValueError(
            f"training takes the mean over each batch; received a loss with reduction={reduction!r}. Leave it out."
        )
    if weighted and not _takes_weights(loss):
        raise TypeError(
            f"the samples have weights, which loss={getattr(loss, '__name__', loss)!s:.80} does not take; write it as "
            "a function of (outputs, targets, sample_weight), or use one of nn's, such as nn.CrossEntropyLoss()."
        )


def _takes_weights(loss: LossFunction) -> bool:
    try:
        inspect.signature(loss.forward if isinstance(loss, Module) else loss).bind(None, None, sample_weight=None)
    except TypeError:
        return False
    return True


def lost(loss: LossFunction, outputs: Any, targets: Array, weights: Array | None = None) -> Any:
    """The loss of a batch."""
    targets = plain(targets)
    return loss(outputs, targets) if weights is None else loss(outputs, targets, sample_weight=weights)


def rehearse(
    model: Module,
    loss: LossFunction,
    measures: dict[str, Metric],
    convert: Conversion,
    samples: DataLoader,
    size: int,
    what: str,
) -> None:
    """Try model, loss and metrics on the first rows, as they will be used, without learning from them.

    All labels are checked now, not only when their batch is used.
    """
    inputs, targets = samples.arrays[:2]
    ignored = ignored_label(loss, samples)
    counted: Any = slice(size)  # the first samples whose label counts
    if ignored is not None:
        counted = np.flatnonzero((targets != ignored).reshape(len(targets), -1).any(axis=1))[:size]
    x, first, *weights = (cut(a, counted) for a in samples.arrays)
    weights = [np.ones_like(w) for w in weights]  # because the weights may all be 0
    try:
        outputs = called(model, convert(x))
        first = as_target(first, outputs)
        _check_labels(loss, targets, outputs)
        one_number(lost(loss, outputs, first, *weights), recorded=what == "data")
        column = (
            getattr(outputs, "shape", None) == (len(first), 1)
            and first.shape == (len(first),)
            and first.dtype.kind == "f"
        )
        if column and len(first) > 1 and what == "data":
            warn(
                f"the model gives shape {outputs.shape}, and y has shape {first.shape}: their difference would have a "
                "row and a column per sample. Write y.reshape(-1, 1), unless the loss takes care of it."
            )
        for name, measure in measures.items():
            measured(name, measure, outputs, first)
    except (ValueError, TypeError) as error:
        name = "data" if what == "data" else "validation data"
        hint = " For one number per sample, write X.reshape(-1, 1)." if inputs.ndim == 1 else ""
        error.add_note(
            f"Nothing was trained yet: this came of the first {len(x)} samples of the {name}, X of shape "
            f"{inputs.shape} and y of shape {targets.shape}.{hint}"
        )
        raise


def _check_labels(loss: Any, targets: Array, outputs: Any) -> None:
    """Raise an error for labels that do not fit the outputs, if the loss is a cross-entropy."""
    by_name = isinstance(loss, names.CategoricalCrossEntropy)
    if not (by_name or isinstance(loss, CrossEntropyLoss) or loss is functional.cross_entropy):
        return
    if isinstance(targets, Several):
        raise TypeError(
            "a cross-entropy takes one array of labels; received several. Write a loss of all, such as lambda "
            "outputs, targets: nn.functional.cross_entropy(outputs['a'], targets['a']) + ..."
        )
    shape = np.shape(outputs)[1:]
    if by_name and loss.last and len(shape) > 1:
        if targets.shape[1:] == shape:
            return  # one-hot rows
        shape = (shape[-1], *shape[:-1])
    label = {"ignore_index": loss.ignore_index} if isinstance(loss, CrossEntropyLoss) else {}
    functional.checked_labels(targets, (len(targets), *shape), **label)


def one_number(value: Any, recorded: bool = True) -> float:
    """The loss as a float. Raises TypeError unless it is one number, and in training a recorded one."""
    plain = np.asarray(ad.to(ad.stop_gradient(value), "cpu"))
    if plain.size != 1 or plain.dtype.kind not in "fiub" or (recorded and not isinstance(value, ad.Tensor)):
        raise TypeError(
            "loss must give one number that depends on the model's parameters; received a "
            f"{type(value).__name__} of shape {plain.shape}, dtype {plain.dtype}. Reduce it with .mean(), and compute "
            "it with NumPy's functions from the outputs as they are."
        )
    return float(plain.item())


def ignored_label(loss: LossFunction, *samples: DataLoader | None) -> int | None:
    """The label that this loss ignores, if it occurs in these samples."""
    label = getattr(loss, "ignore_index", None)
    given = [loader.arrays[1] for loader in samples if loader] if label is not None else []
    return label if any((targets == label).any() for targets in given if not isinstance(targets, Several)) else None


def weight(targets: Array, weights: Array | None, ignored: int | None, loss: LossFunction) -> float:
    """The weight of a batch: the divisor of the mean that its loss is.

    This is the number of samples, or the sum of their weights: without ignored samples, and times the weights of the
    classes if the loss has them.
    """
    classes = loss.weight if isinstance(loss, CrossEntropyLoss | NLLLoss) and targets.dtype.kind in "iu" else None
    if ignored is None and classes is None:
        return float(len(targets)) if weights is None else float(np.sum(weights))
    counts = np.ones(targets.shape, bool) if ignored is None else targets != ignored
    if classes is not None:
        counts = np.where(counts, np.asarray(classes)[np.where(counts, targets, 0)], 0)
    return float(np.sum(counts if weights is None else counts.T * weights))


def one_array(outputs: Any, asked: str) -> Any:
    """A model's outputs. Raises TypeError unless they are one array."""
    if not isinstance(outputs, np.ndarray | np.generic | ad.Tensor):
        raise TypeError(
            f"{asked} puts the outputs of all batches together, which must be one array; the model gave a "
            f"{type(outputs).__name__}. Wrap it in a Module that gives one of them."
        )
    return outputs


def measured(name: str, measure: Metric, outputs: Any, targets: Array) -> float:
    """The value of a metric, as a float."""
    value: Any = ad.stop_gradient(measure(ad.to(ad.stop_gradient(outputs), "cpu"), plain(targets)))
    if type(value) is not float and (np.ndim(value) or np.asarray(value).dtype.kind not in "fiub"):
        received = f"{type(value).__name__} of shape {np.shape(value)}" if np.ndim(value) else repr(value)[:80]
        raise TypeError(
            f"a metric must give one number; {name!r} gave {received}. End it with return float(np.mean(...))."
        )
    return float(value)


def known_optimizer(optimizer: Any) -> Optimizer | OptimizerMaker:
    """An optimizer, or a function that makes one, also by name. TypeError for others, and if it needs a closure."""
    found: Any = names.optimizer(optimizer)
    if not (isinstance(found, Optimizer) or callable(found)):
        raise TypeError(f"optimizer is one made for the model's parameters; received {found!r:.80}. Write {OPTIMIZER}.")
    if getattr(found, "needs_closure", ""):
        raise TypeError(found.needs_closure)
    return found


def made(optimizer: Any, before: list[ad.Tensor], parts: Parts) -> Optimizer:
    """The optimizer, made if necessary, of at least one parameter; `before` are those before the model's first call."""
    optimizer = known_optimizer(optimizer)
    if not isinstance(optimizer, Optimizer):
        optimizer = optimizer(iter(parts.parameters))
        if not isinstance(optimizer, Optimizer):
            raise TypeError(
                f"the function given as optimizer is to make one of the parameters; it gave {optimizer!r:.80}. "
                "Write optimizer=lambda parameters: nn.optim.Adam(parameters, lr=1e-3)."
            )
    if not optimizer.bound:
        optimizer.bind(parts.named_parameters)
    known = {*before, *optimizer.parameters}
    if late := [name for name, tensor in parts.named_parameters if tensor not in known]:
        raise ValueError(
            f"the model has parameters that came with its first call, {', '.join(late)}, and that the optimizer does "
            "not have. Call the model once before making the optimizer, or pass a function that makes it."
        )
    if {id(t) for t in optimizer.parameters}.isdisjoint(map(id, before)):
        raise ValueError(
            f"the optimizer has none of the model's parameters, so none would be trained. Write {OPTIMIZER}."
        )
    return optimizer


def check_schedule(schedule: Any) -> None:
    """Raise TypeError for a value that is neither a schedule nor a function that makes one."""
    if isinstance(schedule, type) or not (schedule is None or isinstance(schedule, LRScheduler) or callable(schedule)):
        name = schedule.__name__ if isinstance(schedule, type) else repr(schedule)
        raise TypeError(f"schedule is one made for the optimizer; received {name:.80}. Write {SCHEDULE}.")


def scheduled(schedule: Any, optimizer: Optimizer) -> LRScheduler | None:
    """The schedule of the optimizer's step size, made if necessary."""
    if schedule is None:
        return None
    made = schedule if isinstance(schedule, LRScheduler) else schedule(optimizer)
    if not isinstance(made, LRScheduler):
        raise TypeError(f"the function given as schedule is to make one; it gave {made!r:.80}. Write {SCHEDULE}.")
    if made.optimizer is not optimizer:
        raise ValueError(f"the schedule was made for another optimizer than the one trained with. Write {SCHEDULE}.")
    return made


OPTIMIZER = "optimizer=nn.optim.Adam(model.parameters(), lr=1e-3)"
SCHEDULE = "schedule=lambda optimizer: nn.optim.CosineAnnealingLR(optimizer, 10)"
