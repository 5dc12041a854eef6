"""Overwriting: a copy with some elements changed becomes a change in the array itself, if no later step reads it."""

from __future__ import annotations

import dataclasses
from typing import Any

from autodiff.program import steps
from autodiff.program.graph import Program, Ref, Step, read, refs
from autodiff.program.passes.memory import origins

CHANGING = (steps.with_placed, steps.with_added)


def overwritten(program: Program) -> Program:
    """The program in which `with_placed` and `with_added` change their operand, if no later step reads it."""
    memory, kinds = origins(program), dict(program.kinds)
    given = {number for number, _ in (*program.inputs, *program.held)}
    last = {m: len(program.steps) for n in refs((program.outputs, program.writes)) for m in memory.get(n, {n})}
    done: list[Any] = []
    for k, step in reversed([*enumerate(program.steps)]):
        if (
            isinstance(step, Step)
            and step.function in CHANGING
            and _alone(step, memory, given)
            and _last(step, last, k)
        ):
            x = step.args[0].number
            kinds[step.result] = kinds[step.result]._replace(view_of=(x,))
            last[x] = last.get(step.result, k)
            step = step._replace(into=x)
        for n in read(step):
            for m in memory.get(n, {n}):
                last.setdefault(m, k)
        done.append(step)
    return dataclasses.replace(program, steps=tuple(reversed(done)), kinds=kinds)


def _alone(step: Step, memory: dict[int, frozenset[int]], given: set[int]) -> bool:
    """Whether the array that is changed shares no memory with inputs or other operands."""
    x = step.args[0]
    if not isinstance(x, Ref) or x.number in given or memory[x.number] != {x.number} or step.into is not None:
        return False
    return all(x.number not in memory.get(n, {n}) for n in refs(step.args[1:]))


def _last(step: Step, last: dict[int, int], k: int) -> bool:
    """Whether no step after the k-th, which is this one, reads the array that is changed."""
    return last.get(step.args[0].number, k) <= k
