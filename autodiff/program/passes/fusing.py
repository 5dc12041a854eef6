"""Kernels: runs of elementwise steps over one shape, which a compiled function computes in one pass over memory.

`written` says which steps a kernel can hold; each back end has its own. `runs` finds the steps that go together.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from types import FunctionType
from typing import Any

import numpy as np

from autodiff.engine.loops import loops_of
from autodiff.program.graph import Kernel, Kind, Loop, Program, Ref, Step, read, refs, replaced
from autodiff.program.passes.memory import kind_of
from autodiff.program.passes.runs import Place, Runs

Written = Callable[[Step, Mapping[int, Kind]], bool]  # whether a kernel can hold a step
FEWEST = 2  # the fewest steps that become a kernel


def runs(program: Program, written: Written) -> list[list[int]]:
    """The places of steps in the program, in the order to run them; the steps of one list form one kernel."""
    return Runs(program.steps, [_place(step, program.kinds, written) for step in program.steps]).ordered()


def fused(program: Program, written: Written) -> Program:
    """The program with runs of elementwise steps as Kernels, within its Loops too."""
    return _fused(program, written, dict(program.kinds))


def _fused(program: Program, written: Written, kinds: dict[int, Kind]) -> Program:
    wanted = {*refs(program.outputs), *refs(program.writes)}
    done: list[Any] = []
    for run in runs(program, written):
        members = [program.steps[k] for k in run]
        if len(run) < FEWEST:
            (step,) = members
            done.append(step._replace(body=_fused(step.body, written, kinds)) if isinstance(step, Loop) else step)
            continue
        elsewhere = wanted.union(*(read(step) for k, step in enumerate(program.steps) if k not in run))
        done.append(_kernel(members, elsewhere, kinds))
    return dataclasses.replace(program, steps=tuple(done), kinds=kinds)


def unfused(program: Program) -> Program:
    """The program with each Kernel replaced by its steps, for pictures of programs."""
    done: list[Any] = []
    for step in program.steps:
        if isinstance(step, Kernel):
            done += _steps(step)
        else:
            done.append(step._replace(body=unfused(step.body)) if isinstance(step, Loop) else step)
    return dataclasses.replace(program, steps=tuple(done))


def _steps(kernel: Kernel) -> Iterator[Step]:
    places = dict(zip(kernel.results, zip(kernel.places, kernel.into, strict=True), strict=True))
    operands = {number: value for (number, _), value in zip(kernel.body.inputs, kernel.operands, strict=True)}
    for step in kernel.body.steps:
        buffer, into = places.get(step.result, (None, None))
        args = replaced(step.args, lambda ref: operands.get(ref.number, ref))
        yield step._replace(args=args, buffer=None if into is not None else buffer, into=into)


def in_loops(program: Program) -> Program:
    """The program with the loops that were declared for some primitives in place of their own functions."""
    return dataclasses.replace(program, steps=tuple(_in_loops(step, program.kinds) for step in program.steps))


def _in_loops(step: Step, kinds: Mapping[int, Kind]) -> Step:
    if not isinstance(step.function, FunctionType) or step.kwargs or step.effect:
        return step
    loops = loops_of(step.function, [kinds[x.number] if isinstance(x, Ref) else x for x in step.args])
    return step if loops is None else step._replace(function=loops)


def _place(step: Step | Loop, kinds: dict[int, Kind], written: Written) -> Place | None:
    if not isinstance(step, Step) or step.effect:
        return None
    known = kinds[step.result]
    if not known.array or not known.shape or not known.nbytes or known.order is not None or not written(step, kinds):
        return None
    return Place(("elements", known.shape), frozenset())


def _kernel(members: list[Step], elsewhere: set[int], kinds: dict[int, Kind]) -> Kernel:
    """The kernel of some steps; its results are those that steps elsewhere read."""
    own = {step.result for step in members}
    operands: dict[Any, tuple[Any, int]] = {}

    def operand(value: Any) -> Any:
        """The value of the body that replaces an operand."""
        if value.number in own if isinstance(value, Ref) else not value.ndim:
            return value
        key = value.number if isinstance(value, Ref) else id(value)
        if key not in operands:
            number = value.number if isinstance(value, Ref) else max(kinds) + 1
            operands[key] = value, number
            kinds[number] = kinds[number] if isinstance(value, Ref) else kind_of(value)
        return Ref(operands[key][1])

    body = [
        step._replace(args=replaced(step.args, operand, (Ref, np.ndarray)))  # type: ignore[arg-type]  # the containers stay
        for step in members
    ]
    results = tuple(sorted(own & elsewhere))
    inputs = tuple((number, "") for _, number in operands.values())
    inner = Program(inputs, tuple(body), tuple(map(Ref, results)), kinds)
    nothing = (None,) * len(results)
    return Kernel(inner, tuple(value for value, _ in operands.values()), results, nothing, nothing)
