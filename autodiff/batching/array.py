"""The Batch: many arrays of one shape, stored in one array with a further axis in front, which functions do not see.

NumPy's own protocols do the dispatch, as for Tensors. If `rules` has a rule for the function, it is computed for all
examples at once; otherwise it is called for each example.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any, NoReturn

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from autodiff.engine.stand_in import StandIn
from autodiff.engine.table import table

new_level = itertools.count(1).__next__

np_: Any = np  # NumPy's annotations promise ndarrays, but of Batches its functions give Batches

# The rules of NumPy's functions for all examples at once: called with the level, then with the function's arguments.
rules: dict[Callable[..., Any], Callable[..., Any]] = {}

_inside: ContextVar[frozenset[Callable[..., Any]]] = ContextVar("_inside", default=frozenset())


class NotBatched(TypeError, AttributeError):  # noqa: N818  # it names an event, which is not always an error
    """Raised where the answer differs between the examples of a Batch, so that they are computed one by one."""


# Errors that a function written for one array may raise for a Batch; it is then called for each example.
FAILURES = (TypeError, ValueError, AttributeError, IndexError, NotImplementedError)


class Batch(NDArrayOperatorsMixin, StandIn):
    """n arrays of one shape: `shape`, `ndim` and `dtype` are those of one example; `array` has n as its first length.

    A Batch is never written into. Batches of different levels are independent: the function that was mapped last has
    the highest level, and treats Batches of other levels as constants. Its Batches hold those of lower levels.
    """

    __slots__ = ("array", "level")

    def __init__(self, array: Any, level: int) -> None:
        self.array, self.level = array, level

    @property
    def count(self) -> int:
        """The number of examples."""
        return self.array.shape[0]

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one example."""
        return self.array.shape[1:]

    @property
    def ndim(self) -> int:
        """The number of axes of one example."""
        return self.array.ndim - 1

    @property
    def size(self) -> int:
        """The number of elements of one example."""
        return int(np.prod(self.shape, dtype=int))

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the elements."""
        return self.array.dtype

    @property
    def T(self) -> Batch:
        """The axes of each example in reverse order."""
        return np_.transpose(self)

    @property
    def mT(self) -> Batch:
        """The last two axes of each example exchanged."""
        return np_.swapaxes(self, -1, -2)

    @property
    def real(self) -> Batch:
        """The real parts."""
        return Batch(self.array.real, self.level)

    @property
    def imag(self) -> Batch:
        """The imaginary parts."""
        return Batch(self.array.imag, self.level)

    def astype(self, dtype: Any, copy: bool = True) -> Batch:
        """The elements in another dtype."""
        return Batch(self.array.astype(dtype, copy=copy), self.level)

    def copy(self) -> Batch:
        """The Batch itself, since it is never written into."""
        return self

    def reshape(self, *shape: Any) -> Batch:
        """As ndarray.reshape, of each example."""
        return np_.reshape(self, _one(shape))

    def transpose(self, *axes: Any) -> Batch:
        """As ndarray.transpose, of each example."""
        return np_.transpose(self, _one(axes) if axes else None)

    def __getitem__(self, index: Any) -> Any:
        parts = index if isinstance(index, tuple) else (index,)
        if all(p is None or p is Ellipsis or isinstance(p, int | slice | np.integer) for p in parts):
            return Batch(self.array[(slice(None), *parts)], self.level)
        return last(self, lambda array: array[trailing(index, self.ndim)])

    def __len__(self) -> int:
        if not self.ndim:
            raise TypeError("len() of a 0-d array")
        return self.shape[0]

    def __iter__(self) -> Iterator[Any]:
        return (self[k] for k in range(len(self)))

    def __bool__(self) -> bool:
        answers = self.array.reshape(self.count, -1)
        if answers.shape[1] == 1 and self.count and bool(np.all(answers == answers[0])):
            return bool(answers[0, 0])
        raise NotBatched("a condition holds for some examples and not for others")

    def _alone(self, *given: Any, **more: Any) -> NoReturn:
        raise NotBatched("it is one array for each example")

    __array__ = __float__ = __int__ = __index__ = __complex__ = item = _alone
    # A Batch is never written into: t += u makes a new one.
    __iadd__, __isub__ = NDArrayOperatorsMixin.__add__, NDArrayOperatorsMixin.__sub__
    __imul__, __itruediv__ = NDArrayOperatorsMixin.__mul__, NDArrayOperatorsMixin.__truediv__

    def __getattr__(self, name: str) -> Any:
        function = getattr(np, name, None)
        if name.startswith("_") or not callable(function):
            raise NotBatched(f"a Batch has no attribute {name!r}")
        return lambda *args, **kwargs: function(self, *args, **kwargs)  # ndarray's method of the same name

    def __repr__(self) -> str:
        return f"Batch of {self.count} arrays of shape {self.shape} and dtype {self.dtype}"

    # -- NumPy's two protocols ----------------------------------------------------------------------------------

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if any(hasattr(x, "__array_ufunc__") and not isinstance(x, ARRAYS) for x in inputs):
            return NotImplemented  # for a Tensor, which may hold a Batch
        if method == "at" or "out" in kwargs:
            raise NotBatched(f"{ufunc.__name__} is to write into an array")
        level = max(levels(inputs, kwargs))
        rule = rules.get(ufunc)
        if method != "__call__":
            return looped(level, getattr(ufunc, method), inputs, kwargs)
        if rule is not None:
            return rule(level, *inputs, **kwargs)
        if ufunc.signature is not None:
            return looped(level, ufunc, inputs, kwargs)
        return elementwise(level, ufunc, inputs, kwargs)

    def __array_function__(self, function: Callable[..., Any], types: Any, args: Any, kwargs: Any) -> Any:
        if not all(issubclass(kind, ARRAYS) for kind in types):
            return NotImplemented
        level = max(levels(args, kwargs))
        rule = rules.get(function)
        if rule is not None:
            return rule(level, *args, **kwargs)
        known = table.get(function)
        inside = _inside.get()
        if known is not None and known.definition is not None and function not in inside:
            token = _inside.set(inside | {function})  # a definition may call NumPy's own function, to find places
            try:
                return known.definition(args, kwargs)  # a definition made of functions that have rules
            except NotBatched:
                pass
            finally:
                _inside.reset(token)
        return looped(level, function, args, kwargs)


ARRAYS = (np.ndarray, np.generic, StandIn)


def levels(*values: Any) -> set[int]:
    """The levels of the Batches in nests of values."""
    found: set[int] = set()
    waiting = list(values)
    while waiting:
        value = waiting.pop()
        if isinstance(value, Batch):
            found.add(value.level)
            waiting.append(value.array)
        elif isinstance(value, list | tuple):
            waiting += value
        elif isinstance(value, dict):
            waiting += value.values()
    return found


def packed(value: Any, level: int) -> Batch:
    """An array with examples along its first axis as a Batch, placed inside the Batches of higher levels."""
    if isinstance(value, Batch) and value.level > level:
        return Batch(packed(np.moveaxis(value.array, 1, 0), level), value.level)
    return Batch(value, level)


def unpacked(value: Any, level: int, count: int) -> Any:
    """The examples of a level in one array, along its first axis; a value that they share is repeated."""
    if isinstance(value, Batch) and value.level == level:
        return value.array
    if level in levels(value):  # the axis of an inner mapped function is behind that of the outer one
        return Batch(np.moveaxis(unpacked(value.array, level, count), 1, 0), value.level)
    return np.broadcast_to(value, (count, *np.shape(value)))


def in_front(value: Any, level: int, ndim: int) -> Any:
    """The array of a Batch of this level, with examples reshaped to `ndim` axes, so that it broadcasts with others."""
    if not isinstance(value, Batch) or value.level != level:
        return value
    array = value.array
    return array if value.ndim == ndim else array.reshape(value.count, *(1,) * (ndim - value.ndim), *value.shape)


def elementwise(level: int, function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    """An elementwise function, with all arguments broadcast."""
    ndim = max(map(np.ndim, args))
    values = [in_front(x, level, ndim) for x in args]
    return wrapped(function(*values, **{k: in_front(v, level, ndim) for k, v in kwargs.items()}), level)


def wrapped(result: Any, level: int) -> Any:
    """A result for all examples, or a tuple of results, as a Batch again."""
    if isinstance(result, list | tuple):
        parts = [wrapped(part, level) for part in result]
        return type(result)(*parts) if hasattr(result, "_fields") else type(result)(parts)
    return Batch(result, level)


def looped(level: int, function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    """A function called for each example, with its results joined to a Batch."""
    count = next(x.count for x in _batches((args, kwargs)) if x.level == level)
    if not count:
        raise NotBatched(f"{getattr(function, '__name__', function)} of no examples: their shape is unknown")
    results = [function(*_example(args, level, k), **_example(kwargs, level, k)) for k in range(count)]
    return _together(results, level)


def last(value: Batch, function: Callable[[Any], Any]) -> Batch:
    """A function called with the axis of the examples moved to the end; the result has it in front again."""
    return Batch(np.moveaxis(function(np.moveaxis(value.array, 0, -1)), -1, 0), value.level)


def trailing(index: Any, ndim: int) -> Any:
    """An index of an array of `ndim` axes, extended by one more axis at the end that is kept whole."""
    parts = index if isinstance(index, tuple) else (index,)
    if not any(part is Ellipsis for part in parts):
        return index
    used = sum(np.ndim(p) if _is_mask(p) else p is not None and p is not Ellipsis for p in parts)
    k = next(k for k, part in enumerate(parts) if part is Ellipsis)
    return (*parts[:k], *(slice(None),) * (ndim - used), *parts[k + 1 :])


def _is_mask(part: Any) -> bool:
    return isinstance(part, np.ndarray | np.bool_) and part.dtype.kind == "b"


def _batches(value: Any) -> Iterator[Batch]:
    if isinstance(value, Batch):
        yield value
    elif isinstance(value, list | tuple | dict):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _batches(part)


def _example(value: Any, level: int, k: int) -> Any:
    if isinstance(value, Batch):
        return value.array[k] if value.level == level else value
    if isinstance(value, dict):
        return {name: _example(part, level, k) for name, part in value.items()}
    return type(value)(_example(part, level, k) for part in value) if isinstance(value, list | tuple) else value


def _together(results: list[Any], level: int) -> Any:
    first = results[0]
    if isinstance(first, list | tuple):
        parts = [_together(list(part), level) for part in zip(*results, strict=True)]
        return type(first)(*parts) if hasattr(first, "_fields") else type(first)(parts)
    if first is None or isinstance(first, str):
        raise NotBatched("a function gave something else than arrays")
    if len({np.shape(r) for r in results}) > 1:
        raise NotBatched("the examples' results have different shapes")
    return Batch(np.stack(results), level)


def _one(numbers: tuple[Any, ...]) -> Any:
    return numbers[0] if len(numbers) == 1 else numbers
