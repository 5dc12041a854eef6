"""Scales: if a large array is multiplied by a smaller one and then by a number, the smaller one takes the number.

(x * a) * n becomes x * (a * n), and (x / a) * n becomes x / (a / n), which saves a pass over x. The result is the same
bit for bit, since n is a power of two, unless a * n or a / n leaves the range of its dtype.
"""

from __future__ import annotations

import dataclasses
import math
from collections import Counter
from typing import Any

import numpy as np

from autodiff.program.graph import Kind, Program, Ref, Step, read, refs
from autodiff.program.passes.constants import factors, power_of_two


def scaled(program: Program) -> Program:
    """The program with numbers multiplied into the smaller of two operands, if no other step reads their product."""
    kinds, made = dict(program.kinds), dict[int, Step]()
    uses = Counter([*refs((program.outputs, program.writes)), *(n for step in program.steps for n in read(step))])
    done: list[Step] = []
    for step in program.steps:
        before, number = _before(step, made, uses)
        if before is not None and (parts := _parts(before, step, kinds)) is not None:
            large, small = parts
            scale = max(kinds) + 1
            kinds[scale] = kinds[small.number]._replace(view_of=())
            done.append(Step(before.function, (small, number), {}, scale, note=step.note))
            step = step._replace(function=before.function, args=(large, Ref(scale)))
        made[step.result] = step
        done.append(step)
    return dataclasses.replace(program, steps=tuple(done), kinds=kinds)


def _before(step: Step, made: dict[int, Step], uses: Counter[int]) -> tuple[Step | None, Any]:
    """The product or quotient that a step multiplies by a power of two, if no other step reads it, and that number."""
    for number, x in factors(step.args) if step.function is np.multiply and not step.kwargs else ():
        before = made.get(x.number) if isinstance(x, Ref) and uses[x.number] == 1 else None
        if before is not None and before.function in (np.multiply, np.divide) and not before.kwargs:
            return (before, number) if power_of_two(number) else (None, None)
    return None, None


def _parts(before: Step, step: Step, kinds: dict[int, Kind]) -> tuple[Any, Any] | None:
    """The large and the small operand of the step before; None unless there are two such operands of one dtype."""
    left, right = before.args
    if before.function is np.multiply and isinstance(left, Ref) and _size(left, kinds) < _size(right, kinds):
        left, right = right, left
    if not isinstance(left, Ref) or not isinstance(right, Ref) or not 0 < _size(right, kinds) < _size(left, kinds):
        return None
    known = kinds[step.result]
    alike = known.array and all(kinds[r.number].array and kinds[r.number].dtype == known.dtype for r in (left, right))
    return (left, right) if alike and kinds[left.number].shape == known.shape else None


def _size(value: Any, kinds: dict[int, Kind]) -> int:
    return math.prod(kinds[value.number].shape) if isinstance(value, Ref) else 0
