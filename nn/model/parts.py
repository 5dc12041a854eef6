"""The parts of a model (parameters, buffers, modules ...), found in one walk through its attributes."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt

import autodiff as ad
from nn.model.module import Module
from nn.model.walking import has_members, is_array, is_buffer, is_parameter, members, walk, writeable

Array = npt.NDArray[Any]


class Parts:
    """The parts of a model, each once: parameters, buffers and generators with their names, and the Modules."""

    def __init__(self, model: Module) -> None:
        found = list(walk(model, "", set()))
        self.model = model
        self.named_parameters: list[tuple[str, ad.Tensor]] = [(name, v) for name, v in found if is_parameter(v)]
        self.named_buffers: list[tuple[str, Array]] = [(name, v) for name, v in found if is_buffer(v)]
        self.named_generators = [(name, v) for name, v in found if isinstance(v, np.random.Generator)]
        self.named_modules: list[tuple[str, Module]] = [(name, v) for name, v in found if isinstance(v, Module)]
        self.parameters = [tensor for _, tensor in self.named_parameters]
        self.modules = [module for _, module in self.named_modules]
        self._held = [_held(module) for module in self.modules]

    @property
    def device(self) -> str:
        """The name of the device that the model is on."""
        return self.parameters[0].device if self.parameters else "cpu"

    def current(self) -> Parts:
        """These parts, or those of a new walk if attributes have changed: a call may build layers."""
        now = [_held(module) for module in self.modules]
        same = all(len(a) == len(b) and all(map(operator.is_, a, b)) for a, b in zip(self._held, now, strict=True))
        return self if same else Parts(self.model)

    def snapshot(self, *generators: np.random.Generator) -> Callable[[], None]:
        """A function that restores the present state of buffers and generators, and of the given generators."""
        buffers = [(buffer, buffer.copy()) for _, buffer in self.named_buffers if writeable(buffer)]
        drawn_from = *(rng for _, rng in self.named_generators), *generators
        states = [(rng, rng.bit_generator.state) for rng in drawn_from]

        def put_back() -> None:
            for buffer, values in buffers:
                buffer[...] = values
            for rng, state in states:
                rng.bit_generator.state = state

        return put_back

    def train(self, mode: bool) -> None:
        """Set every Module to training, or with False to evaluation."""
        for module in self.modules:
            module.training = mode

    @contextmanager
    def mode(self, training: bool) -> Iterator[None]:
        """A context in which the model is in training or in evaluation mode; afterwards the old modes return."""
        modes = [(module, module.training) for module in self.modules]
        try:
            self.train(training)
            yield
        finally:
            for module, before in modes:
                module.training = before

    @contextmanager
    def evaluating(self) -> Iterator[None]:
        """A context in which the model is in evaluation mode, and nothing is recorded."""
        with ad.no_grad(), self.mode(training=False):
            yield


def _held(module: Module) -> list[Any]:
    """The parts among a Module's attributes, and the lists, tuples and dicts that hold them."""
    found: list[Any] = []
    waiting: list[Any] = [module]
    seen: set[int] = set()
    while waiting:
        for _, value in members(waiting.pop()):
            if has_members(value) or isinstance(value, ad.Tensor | np.random.Generator) or is_array(value):
                found.append(value)
            if isinstance(value, dict | list | tuple) and id(value) not in seen:
                seen.add(id(value))
                waiting.append(value)
    return found
