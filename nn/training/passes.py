"""Forward pass, loss and reverse pass of a batch as one program, which writes into the parameters' adjoints."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt

import autodiff as ad
from nn.data.several import Several, called
from nn.model.module import Module
from nn.model.parts import Parts
from nn.model.walking import is_buffer, own
from nn.optim import Optimizer
from nn.training import arguments
from nn.training.arguments import LossFunction
from nn.training.samples import as_target, conversion

Array = npt.NDArray[Any]


SETTINGS = (bool, int, float, str, np.random.Generator)  # what layers and losses of nn keep besides arrays
MOST = 32  # programs, each for other shapes


class Passes:
    """The forward and the reverse pass of a batch as a program; the adjoints go into the optimizer's vector.

    `given` are the arrays of a batch in the order in which the program takes them. Without `outputs` the program
    returns only the loss, and the model's outputs need no new array.
    """

    def __init__(
        self, parts: Parts, loss: LossFunction, optimizer: Optimizer, outputs: bool = True, fast: bool = False
    ) -> None:
        self.model, self.loss, self.outputs = parts.model, loss, outputs
        self.optimizer, self.flat = optimizer, optimizer.flat
        self.compiled = ad.compile(self.passes, in_place=True, fast=fast)
        self.modules = [*parts.modules, *(Parts(loss).modules if isinstance(loss, Module) else ())]
        self._programs: dict[Any, tuple[Any, tuple[bool, ...]]] = {}  # by modes and shapes
        names = {id(tensor): name for name, tensor in parts.named_parameters}
        self._names = [names.get(id(t)) or f"parameter_{k}" for k, t in enumerate(self.flat.tensors)]
        self.convert = conversion(parts)
        self._reached: tuple[bool, ...] = ()  # which parameters have an adjoint
        self._look(parts)

    def _look(self, parts: Parts) -> None:
        """See which arrays the modules keep, frozen parameters among them, and which parameters are not trained."""
        trained = set(self.flat.tensors)
        self.kept = list(_buffers(self.modules))
        self._frozen = self._frozen_now()
        self._other_names = [name for name, t in parts.named_parameters if t not in trained]
        self._others = [t for t in parts.parameters if t not in trained]

    def settings(self) -> Iterator[tuple[dict[str, Any], str]]:
        """The numbers, texts and generators that nn's own modules keep: constants of a program."""
        for module in self.modules:
            if type(module).__module__.startswith("nn."):
                kept = vars(module)
                yield from ((kept, key) for key, value in kept.items() if type(value) in SETTINGS and key != "training")

    def _frozen_now(self) -> tuple[int, ...]:
        return tuple([id(place.tensor) for module in self.modules for place in module._frozen])

    def current(self) -> Passes:
        """These passes, or new ones if the optimizer was given another group, which moves all vectors."""
        if self.flat is self.optimizer.flat:
            return self
        return Passes(Parts(self.model), self.loss, self.optimizer, self.outputs, self.compiled.fast)

    def __call__(self, inputs: Any, targets: Any, weights: Any = None) -> tuple[Any, Any]:
        """The loss and the outputs of a batch; the adjoints are written into the parameters' `.grad`."""
        program, self._reached, arrays = self.chosen(inputs, targets, weights)
        value, outputs, _ = program(arrays)
        self.flat.received(self._reached)
        return value, outputs

    def chosen(self, inputs: Any, targets: Any, weights: Any) -> tuple[Any, tuple[bool, ...], list[Any]]:
        """The program for a batch, which parameters it reaches, and the arrays to call it with.

        Resets the adjoints of all parameters to None.
        """
        self.flat.zero_grad()
        x, y = _parts(self.convert(inputs)), _parts(targets)
        given = [v for nest in (x, y, weights) for v in _arrays(nest)]
        if self._frozen_now() != self._frozen:
            self._look(Parts(self.model))
        settings = tuple([value for holder, key in self.settings() for value in (key, holder[key])])
        modes = tuple([module.training for module in self.modules]), self._frozen, settings
        key = (modes, weights is None, _form(x), _form(y), *[(ad.devices.place(v), v.shape, v.dtype) for v in given])
        arrays = [*self.own(), *self.others(), *given]
        program, reached = self._programs.get(key, (None, ()))
        if program is None or not program.holds(arrays):
            if len(self._programs) > MOST:
                self._programs.clear()
            program, reached = self._programs[key] = self._traced(x, y, weights, modes)
        return program, reached, arrays

    def own(self) -> list[Any]:
        """The first arguments of a program: adjoints, buffers and parameters."""
        return [*self.flat.adjoints, *[holder[key] for holder, key in self.kept], *self.flat.parts]

    def others(self) -> list[Any]:
        """The next arguments: the values of parameters that are not trained. The batch's arrays are the last ones."""
        return [tensor.value for tensor in self._others]

    def _traced(self, x: Any, y: Any, weights: Any, modes: Any) -> tuple[Any, tuple[bool, ...]]:
        own, count = [*self.own(), *self.others()], len(self._names)
        kept = own[count : count + len(self.kept)]
        state = {"d": dict(zip(self._names, own[:count], strict=True)), "kept": kept}
        model = dict(zip((*self._names, *self._other_names), own[count + len(kept) :], strict=True))
        try:
            program = self.compiled.chosen(state, model, x, y, weights, repr(modes))
        except ad.Untraceable as error:
            error.add_note("Without a program it can be trained: leave out compiled=True, or TrainStep.")
            raise
        return program, tuple(mark is not None for mark in program.nest[-1])

    def added(self, batch: Sequence[Any], share: float) -> tuple[Any, Any]:
        """As a call, but the adjoints times `share` are added to the present adjoints."""
        before = self.flat.grad.copy() if self.flat.reached() else None
        reached = self._reached
        result = self(*batch)
        self.flat.grad[...] *= share
        if before is not None:
            self.flat.grad[...] += before
            self.flat.received([now or then for now, then in zip(self._reached, reached, strict=True)])
        return result

    def passes(self, state: Any, model: Any, x: Any, y: Any, weights: Any, modes: Any) -> Any:
        """The function that is compiled: it takes parameters by name, and writes into their adjoints and buffers."""
        with (
            ad.holding([*self.flat.tensors, *self._others], [*model.values()]),
            _exchanged([(*place, value) for place, value in zip(self.kept, state["kept"], strict=True)]),
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
        reached = tuple(None if share is None else () for share in shares)  # () marks an adjoint
        return value.value, _plain(outputs) if self.outputs else None, reached


def _check_number(value: Any) -> None:
    if not isinstance(value, ad.Tensor) or value.size != 1:
        raise TypeError(
            "loss is to give one number that depends on the model's parameters; received a "
            f"{type(value).__name__} of shape {np.shape(value)}. Reduce it with .mean(), and compute it with NumPy's "
            "functions from the outputs as they are."
        )


def _buffers(modules: Sequence[Module]) -> Iterator[tuple[Any, Any]]:
    """The buffers of Modules: the dict that holds each one, and its key there."""
    seen: set[int] = set()
    for module in modules:
        for holder, key, value in own(module):
            if is_buffer(value) and not isinstance(holder, tuple) and id(value) not in seen:
                seen.add(id(value))
                yield vars(module) if holder is None else holder, key


@contextmanager
def _exchanged(places: Sequence[tuple[Any, Any, Any]]) -> Iterator[None]:
    """A context in which these places hold other values."""
    before = [holder[key] for holder, key, _ in places]
    try:
        for holder, key, value in places:
            holder[key] = value
        yield
    finally:
        for (holder, key, _), value in zip(places, before, strict=True):
            holder[key] = value


def _parts(values: Any) -> Any:
    """Inputs or targets as a program takes them: one array, or a tuple or dict of several."""
    if isinstance(values, Several):
        return values.parts
    return values if ad.devices.is_array(values) else np.asarray(values)


def _form(nest: Any) -> Any:
    """The names of several arrays in their order, or their number; None of one array."""
    if isinstance(nest, dict):
        return tuple(nest)
    return len(nest) if isinstance(nest, tuple) else None


def _arrays(nest: Any) -> list[Any]:
    """The arrays in the inputs, targets or weights of a batch."""
    if ad.devices.is_array(nest):
        return [nest]
    return [] if nest is None else list(nest.values() if isinstance(nest, dict) else nest)


def _several(values: Any) -> Any:
    return Several(values) if isinstance(values, tuple | dict) else values


def _plain(outputs: Any) -> Any:
    """A model's outputs without their graph."""
    if isinstance(outputs, dict):
        return {name: _plain(value) for name, value in outputs.items()}
    if isinstance(outputs, list | tuple):
        return tuple(map(_plain, outputs))
    return ad.stop_gradient(outputs)
