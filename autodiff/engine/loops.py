"""Primitives computed by loops over elements, for programs whose loops are compiled."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from autodiff.engine.table import Function, table

_loops: dict[Function, tuple[Function, Callable[..., bool]]] = {}  # the keys are primitives' own functions
_declared: set[Function] = set()


def looped(function: Function, loops: Function, fits: Callable[..., bool] = lambda *arguments: True) -> None:
    """Declare how programs with `fast=True` (`ad.compile`) compute a primitive: by loops that Numba compiles.

    Parameters
    ----------
    function : a primitive that was declared with `ad.lowered`
    loops : a function that takes the primitive's arguments by position and computes the same, in loops over elements.
        Its text uses nothing but its arguments and NumPy. It receives a number for an array of shape (). If the
        primitive returns a number, it returns an array of shape ()
    fits : a function of what is known about each argument (`.shape` and `.dtype` of arrays): True if the loops can
        compute these arguments

    >>> @ad.primitive
    ... def doubled(x):
    ...     return x + x
    >>> def doubled_in_loops(x):
    ...     y = np.empty_like(x)
    ...     for i in range(len(x)):
    ...         y[i] = x[i] + x[i]
    ...     return y
    >>> ad.lowered(doubled)
    >>> ad.looped(doubled, doubled_in_loops, fits=lambda x: len(x.shape) == 1)
    """
    _loops[table[function].function] = loops, fits
    _declared.add(loops)


def loops_of(function: Function, arguments: Sequence[Any]) -> Function | None:
    """The loops that were declared for a primitive's own function, if they can compute these arguments; else None."""
    loops, fits = _loops.get(function, (None, None))
    if loops is None or fits is None:
        return None
    arrays = [x for x in arguments if hasattr(x, "shape")]
    plain = all(x.dtype is not None and x.dtype.kind in "iuf" and x.dtype.itemsize > 2 for x in arrays)
    return loops if plain and not any(0 in x.shape for x in arrays) and fits(*arguments) else None


def is_looping(function: Any) -> bool:
    """Whether a function was declared as a primitive's loops."""
    return any(function is one for one in _declared)
