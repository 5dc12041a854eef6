"""Calls: NumPy's functions replaced by the ufuncs that they call, which is faster for small arrays."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from autodiff.program.graph import Kind, Program, Ref, Step

REDUCTIONS: dict[Callable[..., Any], Callable[..., Any]] = {
    np.sum: np.add.reduce,
    np.prod: np.multiply.reduce,
    **dict.fromkeys((np.max, np.amax), np.maximum.reduce),
    **dict.fromkeys((np.min, np.amin), np.minimum.reduce),
    np.all: np.logical_and.reduce,
    np.any: np.logical_or.reduce,
    np.mean: np.add.reduce,
}
AXES = ("axis",)  # the names of the arguments after the first


def direct(program: Program) -> Program:
    """Replace np.sum and similar functions by reductions of ufuncs, and a mean by a sum divided by the count."""
    kinds = dict(program.kinds)
    steps: list[Step] = []
    for step in program.steps:
        reduction = _reduction(step, kinds)
        if reduction is None:
            steps.append(step)
        elif step.function is np.mean:
            known = kinds[step.result]
            number = max(kinds) + 1
            kinds[number] = known
            count = math.prod(kinds[step.args[0].number].shape) // math.prod(known.shape)
            steps += [
                reduction._replace(result=number),
                step._replace(function=np.divide, args=(Ref(number), count), kwargs={}),
            ]
        else:
            steps.append(reduction)
    return dataclasses.replace(program, steps=tuple(steps), kinds=kinds)


def _reduction(step: Step, kinds: dict[int, Kind]) -> Step | None:
    """The same step as a call of a ufunc's method, if the result is the same bit for bit, else None."""
    x = step.args[0] if step.args else None
    if step.function not in REDUCTIONS or len(step.args) > 2 or not isinstance(x, Ref):
        return None
    known = kinds[x.number]
    given = dict(zip(AXES, step.args[1:], strict=False)) | step.kwargs
    given = {name: value for name, value in given.items() if value is not None or name == "axis"}  # dtype=None
    if not known.array or not known.dtype or known.dtype.kind not in "fiub" or given.keys() - {"axis", "keepdims"}:
        return None
    if step.function is np.mean and (known.dtype.char not in "fd" or not math.prod(known.shape)):
        return None  # NumPy sums integers and float16 in another dtype, and warns about empty arrays
    axis = given.get("axis")
    more = {"keepdims": True} if given.get("keepdims") else {}
    return step._replace(function=REDUCTIONS[step.function], args=(x,), kwargs={"axis": axis, **more})
