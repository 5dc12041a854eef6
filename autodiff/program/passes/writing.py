"""Which functions write their result into an array that they are given, and whether it may be an operand's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autodiff.program import steps
from autodiff.program.graph import Kind, Ref, Step

# Beside ufuncs and their methods. np.where has no out=, np.take is slower with it.
WITH_OUT: set[Callable[..., Any]] = {
    *(np.sum, np.prod, np.mean, np.max, np.min, np.amax, np.amin, np.std, np.var, np.cumsum, np.cumprod),
    *(np.clip, np.dot, np.outer, np.concatenate, np.stack),
    *(steps.summed_at, steps.placed_at, steps.with_added, steps.with_placed, steps.as_type),
}
SPREAD = 2**10, 2**18  # bytes of arrays beside which a number is one, too: fewer take no time, more fit no cache
REDUCING = ("reduce", "accumulate")  # ufuncs' methods
# Before 2.2 NumPy's maximum.reduce(x[::-1], out=y), and what calls it, may give another element.
WRONG: set[Any] = set()
if np.lib.NumpyVersion(np.__version__) < "2.2.0":
    WRONG = {np.maximum, np.minimum, np.fmax, np.fmin}
    WITH_OUT -= {np.max, np.min, np.amax, np.amin}


def elementwise(step: Step) -> bool:
    """Whether each element of the result is computed from the operands' elements at its place, by a ufunc."""
    function = step.function
    return isinstance(function, np.ufunc) and function.signature is None and function.nout == 1 and not step.kwargs


def writes_out(step: Step) -> bool:
    """Whether a step takes `out=`, or is written as an assignment into an array."""
    function = step.function
    if isinstance(function, np.ufunc):
        return function.nout == 1 and not step.kwargs
    if isinstance(getattr(function, "__self__", None), np.ufunc):
        return function.__name__ in REDUCING and "where" not in step.kwargs and function.__self__ not in WRONG  # type: ignore[attr-defined]  # a method
    return function in WITH_OUT and not {"out", "where", "dtype"} & step.kwargs.keys()


def spread(step: Step, kinds: dict[int, Kind]) -> Step:
    """A maximum or minimum of an array and a number as one of two arrays, for which NumPy has fast loops."""
    known = kinds[step.result]
    if step.function not in (np.maximum, np.minimum) or step.kwargs or not SPREAD[0] <= known.nbytes <= SPREAD[1]:
        return step
    full = any(isinstance(x, Ref) and kinds[x.number][:2] == known[:2] for x in step.args)
    if not full or known.dtype is None or known.dtype.kind != "f" or known.order is not None:
        return step
    return step._replace(
        args=tuple(np.full(known.shape, x, known.dtype) if isinstance(x, int | float) else x for x in step.args)
    )
