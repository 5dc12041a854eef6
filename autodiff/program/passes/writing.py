"""Which functions can write their result into a given array, and whether it may be an operand's array."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autodiff.program import steps
from autodiff.program.graph import Kind, Ref, Step

# These are added to ufuncs and their methods. np.where has no out=, and np.take is slower with it.
WITH_OUT: set[Callable[..., Any]] = {
    *(np.sum, np.prod, np.mean, np.max, np.min, np.amax, np.amin, np.std, np.var, np.cumsum, np.cumprod),
    *(np.clip, np.dot, np.outer, np.concatenate, np.stack),
    *(steps.summed_at, steps.placed_at, steps.with_added, steps.with_placed, steps.as_type),
}
SPREAD = 2**8, 2**18  # bytes of a result between which a number becomes an array; in smaller steps it is more readable
BESIDE_ARRAYS = {np.add, np.subtract, np.multiply, np.divide, np.maximum, np.minimum}
REDUCING = ("reduce", "accumulate")  # ufuncs' methods
# Before NumPy 2.2, maximum.reduce(x[::-1], out=y), and functions that call it, may return a wrong element.
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


def with_arrays(step: Step, kinds: dict[int, Kind]) -> Step:
    """An elementwise step of an array and a number, with the number as an array: NumPy converts a number at each call.

    np.maximum and np.minimum are fast only for two arrays of one shape; for other functions shape () is enough.
    """
    known = kinds[step.result]
    if step.function not in BESIDE_ARRAYS or step.kwargs or known.nbytes > SPREAD[1]:
        return step
    full = any(isinstance(x, Ref) and kinds[x.number][:2] == known[:2] for x in step.args)
    if not full or known.dtype is None or known.dtype.kind != "f" or known.order is not None:
        return step
    few = known.nbytes < SPREAD[0]
    shape = () if few or step.function not in (np.maximum, np.minimum) else known.shape

    def array(x: Any) -> Any:
        number = isinstance(x, np.floating) or (isinstance(x, int | float) and not few)
        return np.full(shape, x, known.dtype) if number and abs(x) <= np.finfo(known.dtype).max else x

    return step._replace(args=tuple(map(array, step.args)))
