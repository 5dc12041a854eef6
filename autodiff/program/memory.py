"""Whose memory a value may share, and copies where it may not."""

from __future__ import annotations

from typing import Any

import numpy as np

from autodiff.program import steps
from autodiff.program.graph import Kind, Program, Ref, Step, read

# What may give a view, whether or not it did while tracing: an array of another layout decides otherwise.
VIEWS = {
    *(np.reshape, np.ravel, np.transpose, np.swapaxes, np.moveaxis, np.rollaxis, np.squeeze, np.expand_dims),
    *(np.broadcast_to, np.broadcast_arrays, np.real, np.imag, np.diagonal, np.diag, np.atleast_1d, np.atleast_2d),
    *(np.atleast_3d, np.flip, np.fliplr, np.flipud, np.rot90, np.split, np.array_split, np.hsplit, np.vsplit),
    *(np.dsplit, np.unstack, np.permute_dims, np.matrix_transpose, np.linalg.matrix_transpose, np.linalg.diagonal),
    *(np.lib.stride_tricks.sliding_window_view, np.nan_to_num, np.real_if_close, np.trim_zeros, steps.part),
}


def origins(program: Program) -> dict[int, frozenset[int]]:
    """For every value, the values (-1 for constants) whose memory it may lie in; its own number for new memory."""
    found = {n: frozenset({n}) for n, _ in program.inputs}
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
    kept = {n for n, _ in program.inputs} | {-1}
    outputs: list[Any] = []
    for y in program.outputs:
        known = kinds[y.number] if isinstance(y, Ref) else kind_of(y) if isinstance(y, np.ndarray) else None
        if known is not None and known.array:
            roots = memory[y.number] if isinstance(y, Ref) else frozenset({-1})
            if roots & kept:
                number = max(kinds, default=-1) + 1
                kinds[number] = known._replace(view_of=())
                steps_.append(Step(np.array, (y,), {}, number))
                y = Ref(number)
            kept |= roots
        outputs.append(y)
    return Program(program.inputs, tuple(steps_), tuple(outputs), kinds, program.quiet, program.removed)
