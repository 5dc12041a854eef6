"""Copies: steps do not write into arrays, so inside a program the array itself can replace its copy."""

from __future__ import annotations

from typing import Any

import numpy as np

from autodiff.program.graph import Program, Ref, Step
from autodiff.program.passes.rewriting import rewritten


def without_copies(program: Program) -> Program:
    """The program without steps that copy an array; copies that results need are added again at the end."""

    def copied(step: Step) -> Any:
        if step.function not in (np.array, np.copy) or step.kwargs or len(step.args) != 1:
            return None
        (x,) = step.args
        return x if isinstance(x, Ref) and program.kinds[x.number].array else None

    return rewritten(program, copied)
