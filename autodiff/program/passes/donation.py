"""Donation: inputs that the program writes into, in its last steps."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from autodiff.program.graph import Kind, Program, Ref, Step
from autodiff.program.passes.memory import origins


def written_back(program: Program) -> Program:
    """The program with a last step for every input that is written into, by values that no earlier one changes."""
    memory, kinds, steps = origins(program), dict(program.kinds), list(program.steps)
    donated = {number for number, _ in program.writes}

    def new(kind: Kind, function: Any, *args: Any, effect: bool = False) -> Ref:
        number = max(kinds) + 1
        kinds[number] = kind
        steps.append(Step(function, args, {}, number, effect=effect))
        return Ref(number)

    writes = [(n, value) for n, value in program.writes if value != Ref(n)]
    safe = []
    for n, value in writes:
        if isinstance(value, Ref) and memory[value.number] & donated:
            value = new(kinds[value.number]._replace(view_of=()), np.array, value)
        safe.append((n, value))
    for n, value in safe:
        new(Kind((), None, False, (), 0), np.copyto, Ref(n), value, effect=True)
    return dataclasses.replace(program, steps=tuple(steps), kinds=kinds, writes=())
