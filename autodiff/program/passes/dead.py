"""Dead code elimination: drop steps whose results are not used."""

from __future__ import annotations

import dataclasses

from autodiff.program.graph import Program, read, refs


def without_dead(program: Program) -> Program:
    """The steps that the outputs depend on, and those with effects."""
    needed, kept = {*refs(program.outputs), *refs(program.writes)}, []
    for step in reversed(program.steps):
        if step.effect or step.result in needed:
            kept.append(step)
            needed.update(read(step))
    return dataclasses.replace(program, steps=tuple(reversed(kept)))
