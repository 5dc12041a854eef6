"""The common part of the passes: replacing the results of steps by other values."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, NamedTuple

from autodiff.program.graph import Program, Ref, Step, replaced


class Constant(NamedTuple):
    """A number or an array that replaces a step."""

    value: Any


def rewritten(program: Program, change: Callable[[Step], Any]) -> Program:
    """The program with each step replaced by the result of `change`: a Ref, a Constant, or a step."""
    instead: dict[int, Any] = {}

    def current(nest: Any) -> Any:
        return replaced(nest, lambda ref: instead.get(ref.number, ref))

    steps = []
    for old in program.steps:
        step = old._replace(args=current(old.args), kwargs=current(old.kwargs))
        found = change(step)
        if isinstance(found, Ref | Constant):
            instead[step.result] = found.value if isinstance(found, Constant) else found
        else:
            steps.append(found or step)
    return dataclasses.replace(
        program, steps=tuple(steps), outputs=current(program.outputs), writes=current(program.writes)
    )
