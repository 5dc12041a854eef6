"""CuPy's functions for the strict array type: programs of such arrays import this module as `np`.

They are the functions that facts.json lists, with CuPy's parameters. Each takes arrays of this type and numbers, and
raises an error for arrays and lists on the host, unless CuPy's function converts them.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np

from foreign import FUNCTIONS, Foreign, _host_arguments, _leaves, _part, _raw, _taken, _wrapped, add_at
from foreign.fusing import Fused, called, fuse

__all__ = ["fuse", "ndarray"]

ndarray = Foreign
UFUNC = ["*", "out", "casting", "dtype"]
FROM_LISTS = {"array", "asarray", "ascontiguousarray", "arange", "linspace", "empty", "zeros", "ones", "full", "eye"}
REDUCED = {"add": "sum", "multiply": "prod"}  # the only ufuncs whose reduce CuPy has


class Ufunc:
    """One of CuPy's ufuncs."""

    def __init__(self, name: str) -> None:
        self.__name__ = name

    def __call__(self, *args: Any, out: Any = None, **kwargs: Any) -> Any:
        if len(args) > (inputs := getattr(np, self.__name__).nin):
            *args, out = args[: inputs + 1]  # type: ignore[assignment]  # a list
        if any(isinstance(x, Fused) for x in args):
            return called(self.__name__, tuple(args))
        kwargs = _taken(self.__name__, FUNCTIONS[self.__name__], kwargs)
        arrays = [_raw(x, f"cupy.{self.__name__}") for x in args]
        result = getattr(np, self.__name__)(*arrays, **kwargs)
        if out is None:
            return _wrapped(result)
        np.copyto(_raw(out, self.__name__), result, casting="same_kind")
        return out

    def at(self, array: Foreign, index: Any, values: Any) -> None:
        assert self.__name__ == "add"
        add_at(array, index, values)

    def reduce(self, array: Foreign, axis: Any = 0, dtype: Any = None, out: Any = None, keepdims: bool = False) -> Any:
        if self.__name__ not in REDUCED:
            raise NotImplementedError(f"`cupy_{self.__name__}.reduce` is not supported yet")
        return __getattr__(REDUCED[self.__name__])(array, axis=axis, dtype=dtype, out=out, keepdims=keepdims)


def _function(name: str, space: Any) -> Callable[..., Any]:
    numpys = getattr(space, name.rpartition(".")[2])

    def function(*args: Any, **kwargs: Any) -> Any:
        if any(isinstance(x, Fused) for x in args):
            if name != "where" or kwargs:
                raise TypeError(f"cupy.{name} takes no arrays of a function that is fused")
            return called(name, args)
        if name in FROM_LISTS:
            _taken(name, FUNCTIONS[name], kwargs)
            if any(isinstance(v, Foreign) for a in args if isinstance(a, list | tuple) for v in _leaves(a)):
                raise NotImplementedError("a list of arrays: write stack")
            args = tuple(a._array if isinstance(a, Foreign) else a for a in args)
            return _wrapped(numpys(*args, **kwargs))
        kwargs = {k: v for k, v in kwargs.items() if k != "out" or v is not None}
        source = next((a for a in args if isinstance(a, Foreign)), None)
        out = kwargs.pop("out", None)
        parameters = FUNCTIONS[name]
        if out is not None:
            _taken(name, parameters, {"out": out})
        args, kwargs = _host_arguments(name, parameters, args, kwargs)
        if name == "copyto":
            numpys(*args, **kwargs)
            return None
        result = numpys(*args, **kwargs)
        if out is not None:
            _part(out, name, "out")[...] = result
            return out
        if source is not None and isinstance(result, np.ndarray):
            return source._viewed(result)
        return result if name in ("shape", "ndim", "size", "may_share_memory") else _wrapped(result)

    function.__name__ = name
    return function


def _member(name: str, space: Any) -> Any:
    found = getattr(space, name.rpartition(".")[2])
    if name not in FUNCTIONS:
        raise AttributeError(f"module 'cupy' has no attribute {name!r}")
    if isinstance(found, np.ufunc) and FUNCTIONS[name] == UFUNC:
        return Ufunc(name)
    return _function(name, space)


class _Space(SimpleNamespace):
    def __getattr__(self, name: str) -> Any:
        return _member(f"{self.path}.{name}", importlib.import_module(f"numpy.{self.path}"))


linalg, fft, lib = (
    _Space(path="linalg"),
    _Space(path="fft"),
    SimpleNamespace(stride_tricks=_Space(path="lib.stride_tricks")),
)


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    found = getattr(np, name)
    if isinstance(found, type) or not callable(found):  # dtypes and numbers are NumPy's own
        return found
    return _member(name, np)
