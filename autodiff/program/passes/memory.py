"""Memory: whose a value shares, copies where it may not, and buffers that are kept between calls."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from autodiff.program import steps
from autodiff.program.graph import Buffer, Kind, Program, Ref, Step, read, refs
from autodiff.program.passes.writing import elementwise, writes_out

LEAST = 2**12  # bytes of an array, below which a new one costs no more than to write into an old one

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


def buffered(program: Program) -> Program:
    """The program with results written into arrays that are kept between calls, as few of them as their lives allow.

    A buffer is free again after the last step that reads its array, or a view of it; an elementwise step may write
    over an operand that it reads last. Results of the program are new arrays, and so are those below LEAST.
    """
    memory, kinds = origins(program), program.kinds
    handed_out = {m for n in refs(program.outputs) for m in memory[n]}
    last: dict[int, int] = {}
    for k, step in enumerate(program.steps):
        for n in read(step):
            last.update(dict.fromkeys(memory[n], k))
    buffers: list[Buffer] = []
    until: list[int] = []  # the last step that reads what a buffer holds
    held: list[int] = []  # the value that it holds
    done = []
    for k, step in enumerate(program.steps):
        known, place = kinds[step.result], None
        if writes_out(step) and known.nbytes >= LEAST and memory[step.result] == {step.result} - handed_out:
            wanted = Buffer(known.shape, known.dtype)  # type: ignore[arg-type]  # of an array
            views = {m for n in read(step) for m in memory[n] if m != n}
            over = set(read(step)) - views if elementwise(step) else set()
            fits = [b for b, buffer in enumerate(buffers) if buffer == wanted]
            free = [b for b in fits if until[b] < k or (until[b] == k and held[b] in over)]
            place = max(free, key=lambda b: until[b], default=len(buffers))
            if place == len(buffers):
                buffers.append(wanted)
                until.append(k)
                held.append(step.result)
            until[place], held[place] = last.get(step.result, k), step.result
        done.append(step._replace(buffer=place))
    return dataclasses.replace(program, steps=tuple(done), buffers=tuple(buffers))


def allocated(program: Program) -> int:
    """The bytes of the arrays that a call makes, beside those kept between calls."""
    kinds, memory = program.kinds, origins(program)
    return sum(kinds[s.result].nbytes for s in program.steps if s.buffer is None and memory[s.result] == {s.result})
