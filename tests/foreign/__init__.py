"""An array type as strict as CuPy's: a wrapper around a NumPy array that is copied to the host only on request.

It implements NumPy's two protocols as CuPy's arrays do (see the notes at each method). It has only the functions,
parameters and methods that CuPy has (facts.json, which make_facts.py writes from CuPy itself). It raises an error for
an operand that is an array or a list on the host. All its results are of its own type, single numbers too.
"""

from __future__ import annotations

import json
import operator
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import numpy as np

import autodiff as ad

FACTS = json.loads(Path(__file__).with_name("facts.json").read_text(encoding="utf-8"))
FUNCTIONS: dict[str, list[str]] = FACTS["functions"]
METHODS: dict[str, list[str]] = FACTS["methods"]

# Parameters that are settings and not data: they may be numbers, and lists or host arrays of numbers.
HOW = {
    "axis",
    "axes",
    "shape",
    "newshape",
    "reps",
    "pad_width",
    "indices_or_sections",
    "shift",
    "source",
    "destination",
}
HOW |= {"dtype", "order", "mode", "norm", "s", "n", "ord", "offset", "k", "N", "M", "kth", "window_shape", "decimals"}
HOW |= {"repeats", "constant_values", "end_values", "stat_length", "casting", "ind", "subscripts", "optimize", "like"}


class Flags(NamedTuple):
    """An array's memory layout; there is no flag that says whether it may be written into."""

    c_contiguous: bool
    f_contiguous: bool
    owndata: bool
    fnc: bool
    forc: bool


class Foreign:
    """An array on a device that this machine does not have."""

    __slots__ = ("_array", "base")
    __array_priority__ = 100

    fetched = 0  # how many elements were copied to the host

    def __init__(self, array: Any, base: Foreign | None = None) -> None:
        self._array = array if isinstance(array, np.ndarray) else np.asarray(array)
        self.base = base

    @staticmethod
    def of(array: Any) -> Foreign:
        """A host array's numbers, copied to the device."""
        if isinstance(array, Foreign):
            return Foreign(array._array.copy())
        return Foreign(np.array(array))

    def get(self) -> np.ndarray:
        """The numbers, copied to the host."""
        Foreign.fetched += self._array.size
        return self._array.copy()

    # -- attributes of CuPy's arrays -----------------------------------------------------------------------------

    shape = property(lambda self: self._array.shape)
    ndim = property(lambda self: self._array.ndim)
    size = property(lambda self: self._array.size)
    dtype = property(lambda self: self._array.dtype)
    nbytes = property(lambda self: self._array.nbytes)
    itemsize = property(lambda self: self._array.itemsize)
    strides = property(lambda self: self._array.strides)
    T = property(lambda self: self._viewed(self._array.T))
    mT = property(lambda self: self._viewed(self._array.mT))  # noqa: N815  # ndarray's name
    real = property(lambda self: self._viewed(self._array.real))
    imag = property(lambda self: self._viewed(self._array.imag))
    flags = property(lambda self: Flags(*(getattr(self._array.flags, name) for name in Flags._fields)))
    device = property(lambda self: "<foreign Device 0>")

    def __array__(self, *given: Any, **more: Any) -> NoReturn:
        raise TypeError("Implicit conversion to a NumPy array is not allowed.")

    def _viewed(self, array: Any) -> Foreign:
        shares = isinstance(array, np.ndarray) and np.may_share_memory(array, self._array)
        return Foreign(array, (self if self.base is None else self.base) if shares else None)

    def __len__(self) -> int:
        return len(self._array)

    def __iter__(self) -> Iterator[Foreign]:
        return (self[k] for k in range(len(self)))

    def __getitem__(self, index: Any) -> Foreign:
        return self._viewed(self._array[_index(index)])

    def __setitem__(self, index: Any, value: Any) -> None:
        self._array[_index(index)] = _raw(value, "an assignment")

    # These methods copy a number to the host; there is no __index__.
    def __bool__(self) -> bool:
        return bool(self._array)

    def __int__(self) -> int:
        return int(self._array)

    def __float__(self) -> float:
        return float(self._array)

    def __complex__(self) -> complex:
        return complex(self._array)

    def __repr__(self) -> str:
        return repr(self.get())

    def __format__(self, spec: str) -> str:
        return format(self.get()[()], spec)

    def item(self) -> Any:
        return self._array.item()

    def tolist(self) -> Any:
        return self.get().tolist()

    def reshape(self, *shape: Any, **more: Any) -> Foreign:
        return self._viewed(self._array.reshape(*shape, **_taken("reshape", METHODS["reshape"], more)))

    def view(self) -> Foreign:
        return self._viewed(self._array.view())

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name not in METHODS or not callable(getattr(np.ndarray, name)):
            raise AttributeError(f"'Foreign' object has no attribute {name!r}")

        def method(*args: Any, **kwargs: Any) -> Any:
            args, kwargs = _host_arguments(name, METHODS[name], args, kwargs)
            result = getattr(self._array, name)(*args, **kwargs)
            return self._viewed(result) if isinstance(result, np.ndarray) else _wrapped(result)

        return method

    # -- NumPy's two protocols, as CuPy's arrays implement them ---------------------------------------------------

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if method != "__call__" or ufunc.__name__ not in FUNCTIONS:
            return NotImplemented
        out = kwargs.pop("out", ())
        for x in (*inputs, *out):  # a host array gets this far, then raises an error
            if not isinstance(x, Foreign | np.generic | int | float | complex | np.ndarray):
                return NotImplemented
        arrays = [_raw(x, f"np.{ufunc.__name__}") for x in inputs]
        kwargs = _taken(ufunc.__name__, FUNCTIONS[ufunc.__name__], kwargs)
        if out:
            (target,) = out
            ufunc(*arrays, out=_raw(target, f"np.{ufunc.__name__}"), **kwargs)
            return target
        return _wrapped(ufunc(*arrays, **kwargs))

    def __array_function__(self, function: Callable[..., Any], types: Any, args: Any, kwargs: Any) -> Any:
        name = f"{function.__module__}.{function.__name__}".removeprefix("numpy.")
        if name not in FUNCTIONS or not all(issubclass(kind, Foreign | np.ndarray) for kind in types):
            return NotImplemented
        if name == "piecewise" and any(map(callable, args[2])):
            raise NotImplementedError("Callable functions are not supported currently")
        args, kwargs = _host_arguments(name, FUNCTIONS[name], args, kwargs)
        return _result(function(*args, **kwargs), self)


def _raw(value: Any, name: str) -> Any:
    """The NumPy array in an operand of this type, or the number; raises TypeError for arrays and lists on the host."""
    if isinstance(value, Foreign):
        return value._array
    if isinstance(value, np.ndarray | list | tuple):
        raise TypeError(f"Unsupported type {type(value)} in {name}: it is on the host")
    return value


def _part(value: Any, name: str, parameter: str) -> Any:
    if isinstance(value, list | tuple) and any(isinstance(v, Foreign) for v in _leaves(value)):
        return type(value)(_part(v, name, parameter) for v in value)
    return value if parameter in HOW and not isinstance(value, Foreign) else _raw(value, name)


def _leaves(value: Any) -> Iterator[Any]:
    for part in value:
        if isinstance(part, list | tuple):
            yield from _leaves(part)
        else:
            yield part


def _taken(name: str, parameters: list[str], kwargs: dict[str, Any]) -> dict[str, Any]:
    """The keywords, if CuPy's function has them."""
    for keyword in kwargs:
        if keyword not in parameters and "**" not in parameters:
            raise TypeError(f"{name}() got an unexpected keyword argument {keyword!r}")
    return kwargs


def _host_arguments(name: str, parameters: list[str], args: Any, kwargs: Any) -> tuple[list[Any], dict[str, Any]]:
    _taken(name, parameters, kwargs)
    if "*" in parameters:
        places = parameters[: parameters.index("*")] + ["*"] * len(args)
    elif len(args) > len(parameters):
        raise TypeError(f"{name}() takes {len(parameters)} arguments but {len(args)} were given")
    else:
        places = parameters
    if name in ("reshape", "transpose") and parameters[0] == "*":  # methods
        places = ["axes"] * len(args)
    if name == "einsum":
        places = ["subscripts", *["*"] * len(args)]
    return (
        [_part(a, name, place) for a, place in zip(args, places, strict=False)],
        {keyword: _part(value, name, keyword) for keyword, value in kwargs.items()},
    )


def _index(index: Any) -> Any:
    if isinstance(index, tuple):
        return tuple(map(_index, index))
    return index if isinstance(index, list) else _raw(index, "an index")


def _wrapped(result: Any) -> Any:
    if isinstance(result, np.ndarray | np.generic):
        return Foreign(result)
    if isinstance(result, list | tuple) and any(isinstance(r, np.ndarray | np.generic) for r in result):
        parts = [_wrapped(r) for r in result]
        return type(result)(*parts) if hasattr(result, "_fields") else type(result)(parts)
    return result


def _result(result: Any, source: Foreign) -> Any:
    return source._viewed(result) if isinstance(result, np.ndarray) else _wrapped(result)


def _binary(name: str) -> tuple[Callable[..., Any], Callable[..., Any]]:
    compute = getattr(operator, {"and": "and_", "or": "or_"}.get(name, name), None) or divmod

    def other_side(self: Foreign, other: Any) -> Any:
        """The operand; NotImplemented leaves the operation to an operand of higher priority, such as a Tensor."""
        if getattr(other, "__array_priority__", 0) > Foreign.__array_priority__:
            return NotImplemented
        if isinstance(other, Foreign | np.generic | int | float | complex | np.ndarray):
            return _raw(other, name)
        raise TypeError(f"Unsupported type {type(other)}")

    def forward(self: Foreign, other: Any) -> Any:
        raw = other_side(self, other)
        return raw if raw is NotImplemented else _wrapped(compute(self._array, raw))

    def reflected(self: Foreign, other: Any) -> Any:
        raw = other_side(self, other)
        return raw if raw is NotImplemented else _wrapped(compute(raw, self._array))

    return forward, reflected


def _in_place(name: str) -> Callable[..., Any]:
    compute = getattr(operator, f"i{name}")

    def forward(self: Foreign, other: Any) -> Any:
        self._array = compute(self._array, _raw(other, name))
        return self

    return forward


for _name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "and", "or", "xor", "divmod"):
    _forward, _reflected = _binary(_name)
    setattr(Foreign, f"__{_name}__", _forward)
    setattr(Foreign, f"__r{_name}__", _reflected)
for _name in ("add", "sub", "mul", "truediv", "pow", "and", "or", "xor"):
    setattr(Foreign, f"__i{_name}__", _in_place(_name))
for _name in ("eq", "ne", "lt", "le", "gt", "ge"):
    setattr(Foreign, f"__{_name}__", _binary(_name)[0])
for _name in ("neg", "pos", "abs", "invert"):
    _unary = getattr(operator, _name)
    setattr(Foreign, f"__{_name}__", lambda self, compute=_unary: _wrapped(compute(self._array)))
Foreign.__hash__ = None  # type: ignore[assignment]


def add_at(array: Foreign, index: Any, values: Any) -> None:
    """Add values at an index; repeated places are added to repeatedly."""
    np.add.at(array._array, _index(index), _raw(values, "add_at"))


class Generator:
    """A random generator on the device; like CuPy's, it cannot be copied."""

    def __init__(self, seed: int) -> None:
        self._generator = np.random.default_rng(seed)
        self.drawn = 0

    def random(self, size: Any = None, dtype: Any = np.float64, out: Any = None) -> Foreign:
        self.drawn += 1
        return Foreign(self._generator.random(size, dtype))

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError("no default __reduce__ due to non-trivial __cinit__")


from foreign import functions  # noqa: E402  # it uses the definitions above

DEVICE = ad.Device("foreign", Foreign, Foreign.of, Foreign.get, add_at, functions, "fuse", Generator)
