"""Broadcasts: an elementwise step broadcasts its operands, so they need not be broadcast before it."""

from __future__ import annotations

import dataclasses
from collections import Counter
from typing import Any

import numpy as np

from autodiff.program.graph import Kind, Program, Ref, Step, read, refs
from autodiff.program.passes.writing import elementwise


def without_broadcasts(program: Program) -> Program:
    """Let steps read the operand of np.broadcast_to, not its result; if all were broadcast, broadcast the result."""
    kinds = dict(program.kinds)
    source: dict[int, Any] = {}  # the source of each broadcast value
    others: Counter[int] = Counter(n for s in program.steps if not elementwise(s) for n in read(s))
    others.update([*refs(program.outputs), *refs(program.writes)])
    steps: list[Step] = []
    for step in program.steps:
        if step.function is np.broadcast_to and not step.kwargs and isinstance(step.args[0], Ref):
            source[step.result] = step.args[0]
        if not elementwise(step) or not any(n in source for n in read(step)):
            steps.append(step)
            continue
        args = tuple(source.get(a.number, a) if isinstance(a, Ref) else a for a in step.args)
        known = kinds[step.result]
        shape = np.broadcast_shapes(*(_shape(a, kinds) for a in args))
        if shape == known.shape:
            steps.append(step._replace(args=args))
        elif others[step.result] or known.dtype is None:
            steps.append(step)
        else:
            small = max(kinds) + 1
            size = int(np.prod(shape)) * known.dtype.itemsize
            kinds[small] = Kind(shape, known.dtype, bool(shape), (), size if shape else 0)
            steps += [
                step._replace(args=args, result=small),
                Step(np.broadcast_to, (Ref(small), known.shape), {}, step.result),
            ]
            kinds[step.result] = known._replace(view_of=(small,))
            source[step.result] = Ref(small)
    return dataclasses.replace(program, steps=tuple(steps), kinds=kinds)


def _shape(value: Any, kinds: dict[int, Kind]) -> tuple[int, ...]:
    return kinds[value.number].shape if isinstance(value, Ref) else np.shape(value)
