"""Donation: steps write their results straight into the inputs that the program updates, or copy them at the end."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from autodiff.program import steps
from autodiff.program.graph import Kernel, Kind, Loop, Program, Ref, Several, Step, made, read, refs
from autodiff.program.passes.memory import origins
from autodiff.program.passes.writing import elementwise, writes_out


def written_back(program: Program) -> Program:
    """The program in which every write into an input is made by the step that computes the value, or by a copy.

    A step may write into the input if no later step reads its old numbers. The step itself may read them, if it is
    elementwise.
    """
    memory, kinds = origins(program), dict(program.kinds)
    donated = {number for number, _ in program.writes}
    done = list(program.steps)
    copies: list[Step] = []
    writes = [(n, value) for n, value in program.writes if value != Ref(n)]
    kept = {m for n in refs(program.outputs) for m in memory.get(n, ())}
    leaving = {*kept, *refs(program.writes)}

    def new(kind: Kind, function: Any, *args: Any, effect: bool = False) -> Ref:
        number = max(kinds) + 1
        kinds[number] = kind
        copies.append(Step(function, args, {}, number, effect=effect))
        return Ref(number)

    waiting = []
    for n, value in writes:
        place = _place(program, done, n, value, memory) if n not in kept else None
        if place is not None:
            step = done[place]
            if isinstance(step, Loop):
                done[place] = _in_loop(step, n, step.results.index(value.number))
            elif isinstance(step, Kernel):
                done[place] = _in_kernel(step, n, value.number)
            else:
                done[place] = step._replace(into=n)
                _also(done, place, n, memory, kinds, leaving)
            continue
        if isinstance(value, Ref) and memory[value.number] & donated:
            value = new(kinds[value.number]._replace(view_of=()), np.array, value)
        waiting.append((n, value))
    for n, value in waiting:
        new(Kind((), None, False, (), 0), np.copyto, Ref(n), value, effect=True)
    done = [s._replace(into=s.into or (None,) * len(s.results)) if isinstance(s, Several) else s for s in done]
    return dataclasses.replace(program, steps=(*done, *copies), kinds=kinds, writes=())


def _in_kernel(kernel: Kernel, n: int, result: int) -> Kernel:
    """The kernel with a result written into the input n."""
    return kernel._replace(
        into=tuple(n if r == result else i for r, i in zip(kernel.results, kernel.into, strict=True))
    )


def _in_loop(loop: Loop, n: int, result: int) -> Loop:
    """The loop with a result written into the input n; if the body reads the input's rows, it writes over them."""
    into = loop.into or (None,) * len(loop.results)
    loop = loop._replace(into=(*into[:result], n, *into[result + 1 :]))
    block = next(
        (number for (number, _), rows in zip(loop.body.inputs, loop.rows, strict=True) if rows == Ref(n)), None
    )
    if block is None:
        return loop
    inner = list(loop.body.steps)
    number = loop.body.outputs[result].number
    place = next(k for k, step in enumerate(inner) if number in made(step))
    if isinstance(inner[place], Kernel):
        inner[place] = _in_kernel(inner[place], block, number)
        return loop._replace(body=dataclasses.replace(loop.body, steps=tuple(inner)))
    if not writes_out(inner[place]) or inner[place].function is steps.as_type:
        return loop
    inner[place] = inner[place]._replace(into=block)
    _also(inner, place, block, origins(loop.body), loop.body.kinds, set(refs(loop.body.outputs)))
    return loop._replace(body=dataclasses.replace(loop.body, steps=tuple(inner)))


def _also(
    done: list[Any], place: int, n: int, memory: dict[int, frozenset[int]], kinds: dict[int, Kind], kept: set[int]
) -> None:
    """Let the operand that a step over the input n reads last be written there too, then its operand, and so on."""
    step = done[place]
    if not elementwise(step):
        return
    for r in read(step):
        first = next((k for k in range(place) if r in made(done[k])), None)
        if (
            first is None
            or isinstance(done[first], Several)
            or not elementwise(done[first])
            or done[first].into is not None
        ):
            continue
        one, other = kinds[r], kinds[n]
        uses = [k for k, s in enumerate(done) if any(r in memory.get(m, {m}) for m in read(s))]
        between = any(n in memory.get(m, {m}) for s in done[first + 1 : place + 1] for m in read(s))
        alone = uses == [place] and r not in kept and memory.get(r, {r}) == {r}
        readers = {m for m in read(done[first]) if n in memory.get(m, {m})}
        if alone and not between and readers <= {n} and (one.shape, one.dtype) == (other.shape, other.dtype):
            done[first] = done[first]._replace(into=n)
            _also(done, first, n, memory, kinds, kept)
            return


def _place(program: Program, done: list[Any], n: int, value: Any, memory: dict[int, frozenset[int]]) -> int | None:
    """The step that can write a value into the input n, or None."""
    if not isinstance(value, Ref) or memory[value.number] != {value.number} or value.number in dict(program.inputs):
        return None
    others = [v for m, v in program.writes if m != n]
    if value in others or value in program.outputs or any(n in memory.get(r, ()) for r in refs(others)):
        return None
    one, other = program.kinds[value.number], program.kinds[n]
    if not one.array or (one.shape, one.dtype) != (other.shape, other.dtype):
        return None
    place = next(k for k, step in enumerate(done) if value.number in made(step))
    step = done[place]
    if any(n in memory.get(r, ()) for later in done[place + 1 :] for r in read(later)):
        return None
    readers = {r for r in read(step) if n in memory.get(r, ())}
    if isinstance(step, Loop):
        return place if readers <= {n} and _free(step, n, step.results.index(value.number)) else None
    if isinstance(step, Kernel):
        return place if readers <= {n} else None
    if step.effect or step.into is not None or not writes_out(step) or step.function is steps.as_type:
        return None
    return None if readers and (readers != {n} or not elementwise(step)) else place


def _free(loop: Loop, n: int, result: int) -> bool:
    """Whether, within a block, no step reads the input's rows after the step that makes the result's rows."""
    blocks = {number for (number, _), rows in zip(loop.body.inputs, loop.rows, strict=True) if rows == Ref(n)}
    memory = origins(loop.body)
    inner = loop.body.outputs[result].number
    at = next(k for k, step in enumerate(loop.body.steps) if inner in made(step))
    step = loop.body.steps[at]
    for later in loop.body.steps[at + 1 :]:
        if any(blocks & memory.get(r, {r}) for r in read(later)):
            return False
    readers = {r for r in read(step) if blocks & memory.get(r, {r})}
    whole = any(n in set(read(other)) for other in loop.body.steps)
    alone = isinstance(step, Kernel) or elementwise(step)
    return not whole and (readers <= blocks and alone if readers else True)
