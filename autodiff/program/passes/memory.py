"""Memory: whose a value shares, copies where it may not, and arrays written into that nobody reads any more."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from autodiff.program import steps
from autodiff.program.graph import Kind, Program, Ref, Step, read, refs

LEAST = 2**14  # bytes of an array, below which a new one costs less than to ask for the old one

# What may give a view, whether or not it did while tracing: an array of another layout decides otherwise.
VIEWS = {
    *(np.reshape, np.ravel, np.transpose, np.swapaxes, np.moveaxis, np.rollaxis, np.squeeze, np.expand_dims),
    *(np.broadcast_to, np.broadcast_arrays, np.real, np.imag, np.diagonal, np.diag, np.atleast_1d, np.atleast_2d),
    *(np.atleast_3d, np.flip, np.fliplr, np.flipud, np.rot90, np.split, np.array_split, np.hsplit, np.vsplit),
    *(np.dsplit, np.permute_dims, np.matrix_transpose, np.linalg.matrix_transpose, np.linalg.diagonal),
    *(np.lib.stride_tricks.sliding_window_view, np.nan_to_num, np.real_if_close, np.trim_zeros, steps.part),
}
if hasattr(np, "unstack"):  # since NumPy 2.1
    VIEWS.add(np.unstack)


def origins(program: Program) -> dict[int, frozenset[int]]:
    """For every value, the values (-1 for constants) whose memory it may lie in; its own number for new memory."""
    found = {n: frozenset({n}) for n, _ in (*program.inputs, *program.held)}
    for step in program.steps:
        seen = set(program.kinds[step.result].view_of)
        if step.function in VIEWS or program.kinds[step.result].dtype is None:
            seen |= set(read(step))
            seen |= {-1} if any(isinstance(a, np.ndarray) for a in step.args) else set()
        found[step.result] = frozenset({step.result}.union(*(found.get(n, {n}) for n in seen)))
    return found


def kind_of(value: Any) -> Kind:
    """What is known of an array of its own."""
    return Kind(value.shape, value.dtype, True, (), value.nbytes)


def owned(program: Program) -> Program:
    """The program with outputs that share no memory with arguments, constants or each other."""
    memory, steps_, kinds = origins(program), list(program.steps), dict(program.kinds)
    several = {n for n, kind in kinds.items() if kind.dtype is None}  # their parts are arrays of their own
    taken: set[int] = set()
    outputs: list[Any] = []
    for y in program.outputs:
        known = kinds[y.number] if isinstance(y, Ref) else kind_of(y) if isinstance(y, np.ndarray) else None
        if known is not None and known.array:
            mine = isinstance(y, Ref) and memory[y.number] - several == {y.number} and y.number not in taken
            if not mine or y.number in dict(program.inputs):
                number = max(kinds, default=-1) + 1
                kinds[number] = known._replace(view_of=())
                steps_.append(Step(np.array, (y,), {}, number))
                y = Ref(number)
            taken.add(y.number)
        outputs.append(y)
    return dataclasses.replace(program, steps=tuple(steps_), outputs=tuple(outputs), kinds=kinds)


def reused(program: Program) -> Program:
    """The program with results of elementwise ufuncs written into arrays of their shape that nobody reads again.

    Only arrays that a step of this program made are written into, so calls do not see each other's.
    """
    memory, kinds = origins(program), program.kinds
    last: dict[int, int] = dict.fromkeys(
        (m for n in refs(program.outputs) for m in memory.get(n, ())), len(program.steps)
    )
    for k, step in enumerate(program.steps):
        for n in read(step):
            last.update((m, max(k, last.get(m, 0))) for m in memory[n])
    made: list[int] = []  # arrays with memory of their own, the latest last
    done = []
    for k, step in enumerate(program.steps):
        known = kinds[step.result]
        place = None
        if _writes_out(step) and known.array and known.nbytes >= LEAST:
            direct = set(read(step))
            views = {m for n in direct for m in memory[n] if m != n}
            for b in reversed(made):
                free = last.get(b, 0) < k or (last[b] == k and b in direct and b not in views)
                if free and (kinds[b].shape, kinds[b].dtype) == (known.shape, known.dtype):
                    place = b
                    break
        if place is not None:
            made.remove(place)
        if known.array and memory[step.result] == {step.result}:
            made.append(step.result)
        done.append(step._replace(inplace=place))
    return dataclasses.replace(program, steps=tuple(done))


def _writes_out(step: Step) -> bool:
    """Whether a step is an elementwise ufunc with one result."""
    function = step.function
    return isinstance(function, np.ufunc) and function.signature is None and function.nout == 1 and not step.kwargs


def allocated(program: Program) -> int:
    """The bytes of all arrays that a call makes."""
    kinds, memory = program.kinds, origins(program)
    return sum(kinds[s.result].nbytes for s in program.steps if s.inplace is None and memory[s.result] == {s.result})
