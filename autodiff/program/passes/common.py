"""Common subexpressions: a call with the same arguments is made only once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autodiff.program.graph import Program, Ref, Step
from autodiff.program.passes.rewriting import rewritten


def without_repetitions(program: Program) -> Program:
    """The program without repeated steps; all steps except those with effects are pure."""
    known: dict[Any, Ref] = {}

    def first(step: Step) -> Ref | None:
        if step.effect:
            return None
        try:
            key = step.function, _key(step.args), _key(step.kwargs)
            found = known.setdefault(key, Ref(step.result))
        except TypeError:  # an argument without a hash cannot be compared
            return None
        return None if found.number == step.result else found

    replace: Callable[[Step], Any] = first
    return rewritten(program, replace)


def _key(value: Any) -> Any:
    """A key of arguments that includes their types: 1 differs from 1.0, and 0.0 from -0.0."""
    if isinstance(value, Ref):
        return value
    if isinstance(value, np.ndarray):
        return "array", value.shape, value.dtype.str, value.tobytes()
    if isinstance(value, dict):
        return "dict", tuple((name, _key(v)) for name, v in value.items())
    if isinstance(value, slice):
        return "slice", _key(value.start), _key(value.stop), _key(value.step)
    if isinstance(value, list | tuple):
        return type(value), tuple(map(_key, value))
    return (type(value), repr(value)) if isinstance(value, float | complex | np.generic) else (type(value), value)
