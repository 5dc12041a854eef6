"""The passes: small functions from a program to a smaller or faster one, in the order in which they are applied."""

from __future__ import annotations

import dataclasses

from autodiff.program.graph import Program
from autodiff.program.passes.algebra import simplified
from autodiff.program.passes.blocks import blocked
from autodiff.program.passes.broadcasts import without_broadcasts
from autodiff.program.passes.calls import direct
from autodiff.program.passes.common import without_repetitions
from autodiff.program.passes.constants import folded
from autodiff.program.passes.copies import without_copies
from autodiff.program.passes.dead import without_dead
from autodiff.program.passes.donation import written_back
from autodiff.program.passes.fusing import Written, fused, in_loops
from autodiff.program.passes.memory import buffered, owned
from autodiff.program.passes.overwriting import overwritten
from autodiff.program.passes.scales import scaled

PASSES = {
    "copies": without_copies,
    "broadcasts": without_broadcasts,
    "constants": folded,
    "scales": scaled,
    "algebra": simplified,
    "common subexpressions": without_repetitions,
    "dead code": without_dead,
}


def optimised(program: Program, threads: int = 1, written: Written | None = None) -> Program:
    """The program after all passes, with what each of them removed; `written` says which steps kernels can hold.

    Programs of arrays on a device have no blocks and no buffers: the device's library manages its memory itself.
    """
    removed, there = dict.fromkeys(PASSES, 0), program.device is not None
    program, before = program if there else direct(program), -1
    while before != len(program.steps):
        before = len(program.steps)
        for name, made in PASSES.items():
            smaller = made(program)
            removed[name] += len(program.steps) - len(smaller.steps)
            program = smaller
    program = owned(program)
    if there:
        program = written_back(program if written is None else fused(program, written))
        return dataclasses.replace(program, removed=removed)
    if written is None:
        program = blocked(program)
    else:
        whole = {s.result for s in program.steps if written(s, program.kinds)} if threads == 1 else set()
        program = fused(blocked(in_loops(program), whole), written)
    return dataclasses.replace(buffered(written_back(overwritten(program)), threads), removed=removed)
