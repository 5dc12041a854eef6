"""Memory for time: a part of a computation that is forgotten after it is done, and done again in reverse."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from autodiff.arrays.tensor import Tensor
from autodiff.engine.graph import Node, current_scope, next_serial, older_sources
from autodiff.engine.recording import NO_PARAMETERS, recorded, recording
from autodiff.engine.reverse import adjoints
from autodiff.engine.table import Each, Function, Primitive
from autodiff.transforms.call import named


def checkpoint(function: Function) -> Function:
    """The same function, whose intermediate values are not kept for the reverse pass but computed again there.

    A chain of n layers, cut into √n checkpointed pieces, is reversed with memory for 2 √n layers instead of n, at
    the cost of one more forward computation (Griewank & Walther 2000); pieces may hold pieces. The function
    is called twice, so it is to give the same result both times; it returns one array.
    """

    @functools.wraps(function)
    def checkpointed(*args: Any, **kwargs: Any) -> Any:
        scope = current_scope.get()
        since = next_serial()
        result = function(*args, **kwargs)
        if scope is None or not isinstance(result, Tensor) or result.serial < since:
            return result
        # What it read from outside (its arguments, and Tensors it closes over) becomes the arguments of one node.
        sources = older_sources([result], since)
        again = _Again(functools.partial(function, *args, **kwargs), sources)
        primitive = Primitive(again.function, named(function), Each(again), frozenset())
        return recorded(Tensor, primitive, result.primal, tuple(sources), NO_PARAMETERS, scope)

    return checkpointed


class _Again:
    """The rule of a checkpoint: compute again, reverse that, and keep the adjoints until each source has its own."""

    def __init__(self, function: Function, sources: list[Node]) -> None:
        self.function, self.sources = function, sources
        self._g: Any = None
        self._found: dict[Node, Any] = {}

    def __call__(self, position: int, g: Any, y: Any, *arguments: Any) -> Any:
        if g is not self._g:
            since = next_serial()
            with recording():
                result = self.function()
            self._g, self._found = g, adjoints(result, g, since=since, every=False, recorded=isinstance(y, Node))
        source = self.sources[position]
        share = self._found.get(source)
        if share is None:
            share = np.zeros(source.primal.shape, source.primal.dtype)
        if position == len(self.sources) - 1:
            self._g, self._found = None, {}
        return share
