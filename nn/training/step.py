"""A step of training as programs: forward pass, loss and reverse pass in one, and the update in another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt

import autodiff as ad
from nn.checked import real
from nn.data.several import Several, called
from nn.model.module import Module
from nn.model.parts import Parts
from nn.model.walking import is_buffer, own
from nn.optim import Optimizer, clip_grad_norm, clip_grad_value
from nn.optim.program import Update
from nn.training import arguments
from nn.training.arguments import LossFunction
from nn.training.samples import as_target, conversion

Array = npt.NDArray[Any]


MOST = 32  # programs, each for other shapes


class TrainStep:
    """A model's step of training as straight-line NumPy programs, made by the first batch of each shape.

    Parameters
    ----------
    model : gives a batch of outputs for a batch of inputs, in the mode, training or evaluation, that it is in
    loss : a function of (outputs, targets) that gives the mean over the batch, such as nn.CrossEntropyLoss()
    optimizer : of the model's parameters, such as nn.optim.Adam(model.parameters(), lr=1e-3); its options, the step
        size among them, may change from step to step
    clip_norm, clip_value : the most that the gradient's norm, or each of its elements, may be
    fast : whether elementwise work is done by kernels that Numba compiles, as with ad.compile(f, fast=True)

    A call, `step(x, y)` or `step(x, y, sample_weight)`, moves the parameters and gives the loss before, a float. Its
    numbers are those of `backward` and `optimizer.step`, to rounding. Masks of dropout are drawn from the model's own
    generators, and running averages move, at each call. Checks of numbers that the model computes are made with the
    first batch of each shape alone. Arrays that are no attributes of the model or the loss are constants, and a model
    that is given other layers needs another TrainStep.

    Raises TypeError, with the line, where model or loss ask for a number: a branch, `.item()`.

    >>> model = nn.MLP(4, 8, 3, rng=0)
    >>> step = nn.TrainStep(model, nn.CrossEntropyLoss(), nn.optim.Adam(model.parameters(), lr=0.01))
    >>> X, y = np.ones((64, 4), np.float32), np.arange(64) % 3
    >>> losses = [step(x, labels) for x, labels in nn.data.DataLoader(X, y, batch_size=32)]
    >>> len(losses)
    2
    """

    def __init__(
        self,
        model: Module,
        loss: LossFunction,
        optimizer: Optimizer,
        *,
        clip_norm: float | None = None,
        clip_value: float | None = None,
        fast: bool = False,
    ) -> None:
        parts = arguments.trainable(model)
        arguments.check_loss(loss)
        if not callable(loss) or not isinstance(optimizer, Optimizer):
            raise TypeError(
                "TrainStep takes a loss that is a function, and an optimizer; received "
                f"{loss!r:.80} and {optimizer!r:.80}. Write nn.TrainStep(model, nn.CrossEntropyLoss(), "
                "nn.optim.Adam(model.parameters(), lr=1e-3))."
            )
        self.optimizer = arguments.made(optimizer, parts.parameters, parts)
        self.model, self.loss = model, loss
        self.clip_norm = None if clip_norm is None else real(clip_norm, "TrainStep: clip_norm", above=True)
        self.clip_value = None if clip_value is None else real(clip_value, "TrainStep: clip_value", above=True)
        self._passes, self._update = Passes(parts, loss, self.optimizer, fast), Update(self.optimizer, fast)

    def __call__(self, inputs: Any, targets: Any, sample_weight: Any = None) -> float:
        """One step: the loss of the batch, before the parameters were moved."""
        if sample_weight is not None:
            sample_weight = np.asarray(sample_weight)
        value = self._passes.value(inputs, targets, sample_weight)
        if self.clip_norm is not None:
            clip_grad_norm(self.optimizer, self.clip_norm)
        if self.clip_value is not None:
            clip_grad_value(self.optimizer, self.clip_value)
        self.optimizer.move(self._update)
        return float(value.item())

    @property
    def source(self) -> str:
        """The text of the last call's program: a module for both passes, and one for the update, with NumPy alone.

        Where the optimizer's rule cannot be traced, only the passes are there, and the rule runs as it is.
        """
        return "\n\n".join(f"# {what}\n\n{program.source}" for what, program in self._programs())

    @property
    def plan(self) -> str:
        """What was made of the steps that were recorded, and the bytes of the arrays."""
        return "\n\n".join(f"{what}\n{program.plan}" for what, program in self._programs())

    @property
    def program(self) -> Any:
        """The last call's program of both passes, as data; `ad.draw(step)` draws it."""
        return self._passes.compiled.program

    def _programs(self) -> list[tuple[str, Any]]:
        passes = "The forward and the reverse pass", self._passes.compiled
        return [passes] if self._update.refusal else [passes, ("The optimizer's update", self._update.compiled)]


class Passes:
    """The forward and the reverse pass of a batch as a program; the adjoints go into the optimizer's vector."""

    def __init__(self, parts: Parts, loss: LossFunction, optimizer: Optimizer, fast: bool = False) -> None:
        self.model, self.loss, self.flat = parts.model, loss, optimizer.flat
        self.compiled = ad.compile(self.passes, in_place=True, fast=fast)
        self._modules = [*parts.modules, *(Parts(loss).modules if isinstance(loss, Module) else ())]
        self._kept = list(_buffers(self._modules))
        self._programs: dict[Any, Any] = {}  # by modes and shapes
        names = {id(tensor): name for name, tensor in parts.named_parameters}
        self._names = [names.get(id(t)) or f"parameter_{k}" for k, t in enumerate(self.flat.tensors)]
        trained = set(self.flat.tensors)
        self._other_names = [name for name, t in parts.named_parameters if t not in trained]
        self._others = [t for t in parts.parameters if t not in trained]
        self._convert = conversion(parts)
        self._reached: tuple[bool, ...] = ()  # which parameters have an adjoint

    def __call__(self, inputs: Any, targets: Any, weights: Any = None) -> tuple[Any, Any]:
        """The loss and the outputs of a batch; its adjoints are in the parameters' `.grad`."""
        program, arrays = self._chosen(inputs, targets, weights)
        value, outputs, self._reached = program(arrays)
        self.flat.received(self._reached)
        return value, outputs

    def value(self, inputs: Any, targets: Any, weights: Any = None) -> Any:
        """The loss alone, which saves a little time."""
        program, arrays = self._chosen(inputs, targets, weights)
        found = program.run(*arrays, *program.held)
        self._reached = found[-len(self.flat.tensors) :]
        self.flat.received(self._reached)
        return found[0]

    def _chosen(self, inputs: Any, targets: Any, weights: Any) -> tuple[Any, list[Any]]:
        """The program for a batch, and the arrays that it is called with; no parameter has an adjoint any more."""
        flat = self.flat
        flat.zero_grad()
        x, y = _parts(self._convert(inputs)), _parts(targets)
        given = [v for nest in (x, y, weights) for v in _arrays(nest)]
        kept = [holder[key] for holder, key in self._kept]
        others = [tensor.value for tensor in self._others]
        modes = tuple([module.training for module in self._modules])
        key = (modes, weights is None, *[(v.shape, v.dtype) for v in given])
        arrays = [*flat.adjoints, *kept, *flat.parts, *others, *given]
        program = self._programs.get(key)
        if program is None or not program.holds(arrays):
            if len(self._programs) > MOST:
                self._programs.clear()
            state = {"d": dict(zip(self._names, flat.adjoints, strict=True)), "kept": kept}
            values = dict(zip((*self._names, *self._other_names), [*flat.parts, *others], strict=True))
            try:
                program = self._programs[key] = self.compiled.chosen(state, values, x, y, weights, modes)
            except ad.Untraceable as error:
                error.add_note("Without a program it can be trained: leave out compiled=True, or TrainStep.")
                raise
        return program, arrays

    def added(self, batch: Sequence[Any], share: float) -> tuple[Any, Any]:
        """The same, with such a share of the adjoints added to those that there are already."""
        before = self.flat.grad.copy() if self.flat.reached() else None
        reached = self._reached
        result = self(*batch)
        self.flat.grad[...] *= share
        if before is not None:
            self.flat.grad[...] += before
            self.flat.received([now or then for now, then in zip(self._reached, reached, strict=True)])
        return result

    def passes(self, state: Any, model: Any, x: Any, y: Any, weights: Any, modes: Any) -> Any:
        """The function that is compiled: of the parameters by name, it writes into their adjoints and the buffers."""
        with (
            ad.holding([*self.flat.tensors, *self._others], [*model.values()]),
            _exchanged([(*place, value) for place, value in zip(self._kept, state["kept"], strict=True)]),
        ):
            outputs = called(self.model, _several(x))
            targets = as_target(_several(y), outputs)
            value = arguments.lost(self.loss, outputs, targets, *(() if weights is None else (weights,)))
            _check_number(value)
            adjoints = value.adjoints()
            shares = [adjoints.get(t) for t in self.flat.tensors]
        for adjoint, share in zip(state["d"].values(), shares, strict=True):
            if share is not None:
                adjoint[...] = share
        return value.value, _plain(outputs), tuple(g is not None for g in shares)


def _check_number(value: Any) -> None:
    if not isinstance(value, ad.Tensor) or value.size != 1:
        raise TypeError(
            "loss is to give one number that depends on the model's parameters; received a "
            f"{type(value).__name__} of shape {np.shape(value)}. Reduce it with .mean(), and compute it with NumPy's "
            "functions from the outputs as they are."
        )


def _buffers(modules: Sequence[Module]) -> Iterator[tuple[Any, Any]]:
    """The arrays that Modules keep: what holds each, and its key there."""
    seen: set[int] = set()
    for module in modules:
        for holder, key, value in own(module):
            if is_buffer(value) and not isinstance(holder, tuple) and id(value) not in seen:
                seen.add(id(value))
                yield vars(module) if holder is None else holder, key


@contextmanager
def _exchanged(places: Sequence[tuple[Any, Any, Any]]) -> Iterator[None]:
    """Within it other values are in these places."""
    before = [holder[key] for holder, key, _ in places]
    try:
        for holder, key, value in places:
            holder[key] = value
        yield
    finally:
        for (holder, key, _), value in zip(places, before, strict=True):
            holder[key] = value


def _parts(values: Any) -> Any:
    """Arrays as a program takes them: one, or a tuple or dict of several."""
    return values.parts if isinstance(values, Several) else np.asarray(values)


def _arrays(nest: Any) -> list[Any]:
    """The arrays of a batch's part."""
    if type(nest) is np.ndarray:
        return [nest]
    return [] if nest is None else list(nest.values() if isinstance(nest, dict) else nest)


def _several(values: Any) -> Any:
    return Several(values) if isinstance(values, tuple | dict) else values


def _plain(outputs: Any) -> Any:
    """What a model gives, without its graph."""
    if isinstance(outputs, dict):
        return {name: _plain(value) for name, value in outputs.items()}
    if isinstance(outputs, list | tuple):
        return tuple(map(_plain, outputs))
    return ad.stop_gradient(outputs)
