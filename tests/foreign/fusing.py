"""CuPy's `fuse` for the strict array type: the function runs with stand-ins for its arguments."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np

from foreign import FUNCTIONS, Foreign, _raw


class Fused:
    """An array or a number in a fused function: it has only operators, ufuncs, `where` and `astype`.

    A Python number has a fixed dtype there, float64 or int64, which widens arrays of float32.
    """

    __array_ufunc__ = None

    def __init__(self, array: Any) -> None:
        self.array = array

    def astype(self, dtype: Any, copy: bool = True) -> Fused:
        return Fused(self.array.astype(dtype))

    def __setitem__(self, index: Any, value: Any) -> None:
        if index is not Ellipsis and index != slice(None):
            raise ValueError("The fusion supports `[...]` or `[:]`.")
        self.array[...] = _fused(value)

    def _number(self) -> NoReturn:
        raise TypeError("Cannot convert to Python scalar in cupy.fuse")

    __bool__ = __int__ = __float__ = __complex__ = _number
    __hash__ = None  # type: ignore[assignment]


def _fused(value: Any) -> Any:
    """The value to compute with: a Python number becomes a NumPy number, so that its dtype counts."""
    if isinstance(value, Fused):
        return value.array
    if isinstance(value, int | float | complex):
        return np.asarray(value)[()]
    if isinstance(value, np.generic):
        return value
    raise TypeError("Concrete ndarray is not supported in fusion.")


def called(name: str, args: tuple[Any, ...]) -> Fused:
    """A ufunc, or `where`, of stand-ins for arrays."""
    return Fused(np.asarray(getattr(np, name)(*map(_fused, args))))


def fuse(*options: Any) -> Callable[..., Any]:
    """The decorator, with or without parentheses."""

    def decorated(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def fused(*args: Any) -> Any:
            for a in args:
                if not isinstance(a, Foreign | np.generic | int | float | complex):
                    raise TypeError(f"Invalid argument type for {function.__name__!r}: {type(a)}")
            result = function(*(Fused(_raw(a, "fuse") if isinstance(a, Foreign) else np.asarray(a)[()]) for a in args))
            fused.calls += 1  # type: ignore[attr-defined]  # counted for tests
            if isinstance(result, tuple):
                return tuple(Foreign(r.array) for r in result)
            return None if result is None else Foreign(result.array)

        fused.calls = 0  # type: ignore[attr-defined]  # as above
        return fused

    return decorated(options[0]) if options and callable(options[0]) else decorated


def _binary(name: str, reflected: bool) -> Callable[..., Any]:
    if reflected:
        return lambda self, other: called(name, (other, self))
    return lambda self, other: called(name, (self, other))


SIGNS = {"add": "add", "sub": "subtract", "mul": "multiply", "truediv": "divide", "pow": "power"}
COMPARED = {"eq": "equal", "ne": "not_equal", "lt": "less", "le": "less_equal", "gt": "greater", "ge": "greater_equal"}
for _sign, _name in {**SIGNS, **COMPARED}.items():
    setattr(Fused, f"__{_sign}__", _binary(_name, False))
    if _sign in SIGNS and _sign != "pow":  # CuPy has no reflected pow
        setattr(Fused, f"__r{_sign}__", _binary(_name, True))
Fused.__neg__ = lambda self: called("negative", (self,))  # type: ignore[attr-defined]  # as the others
assert set(SIGNS.values()) | set(COMPARED.values()) <= set(FUNCTIONS)
