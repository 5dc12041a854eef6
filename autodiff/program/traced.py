"""The traced value: an array that records every NumPy call made with it.

NumPy's own protocols do the dispatch, as they do for Tensors and Batches. A Tensor may hold a traced value. So if the
function takes a derivative, the reverse pass is recorded too, with its masks and indices. An operation that needs the
number itself (a branch, an index, a shape) raises Untraceable.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from autodiff.engine.devices import admitted
from autodiff.engine.signatures import spelled
from autodiff.engine.stand_in import StandIn
from autodiff.program import steps
from autodiff.program.graph import replaced
from autodiff.program.limits import OF_NUMBERS, OF_PLACES, OF_SHAPE, WRITING, out_by_name, refusal

np_: Any = np

# Python numbers stay Python numbers, so that they take the dtype of the arrays they meet.
OF_PYTHON: dict[Any, Callable[..., Any]] = {
    np.add: operator.add,
    np.subtract: operator.sub,
    np.multiply: operator.mul,
    np.divide: operator.truediv,
    np.power: operator.pow,
    np.negative: operator.neg,
    np.positive: operator.pos,
    np.absolute: operator.abs,
}
NUMBERS = (float, int, complex)


class Traced(NDArrayOperatorsMixin, StandIn):
    """An array or a number of a program, identified by its number; `example` is its value in the traced call."""

    __slots__ = ("example", "number", "recorder")
    __array_priority__ = 900  # above arrays of a device, so that it handles operators with them; below Tensors

    def __init__(self, recorder: Any, number: int, example: Any) -> None:
        self.recorder, self.number, self.example = recorder, number, example

    @property
    def shape(self) -> tuple[int, ...]:
        """The lengths of the axes."""
        return np.shape(self.example)

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return np.ndim(self.example)

    @property
    def size(self) -> int:
        """The number of elements."""
        return math.prod(self.shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the elements."""
        example = self.example
        return np.asarray(example).dtype if self.array is None else example.dtype

    @property
    def array(self) -> Any:
        """The example, if it is on a device; arrays that are created to go with this one are created there."""
        return self.example if type(self.example) in admitted else None

    @property
    def nbytes(self) -> int:
        """The number of bytes of the elements."""
        return self.size * self.dtype.itemsize

    @property
    def T(self) -> Any:
        """The axes in reverse order."""
        return np_.transpose(self)

    @property
    def mT(self) -> Any:
        """The last two axes exchanged."""
        return np_.swapaxes(self, -1, -2)

    @property
    def at(self) -> At:
        """As for Tensors: `x.at[index].set(v)` is a copy with v at the index; `.add(v)` is one with v added there."""
        return At(self, ())

    @property
    def real(self) -> Any:
        """The real part."""
        return np_.real(self)

    @property
    def imag(self) -> Any:
        """The imaginary part."""
        return np_.imag(self)

    def step(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Call a function and record the call."""
        return self.recorder.call(function, args, kwargs)

    def copied(self) -> Any:
        """An array of its own."""
        return self.step(np.array, self)

    def moved(self, device: str) -> Any:
        """A copy on a device of an array on the host; the program makes the copy."""
        there = self.recorder.device
        if there is None or there.name != device:
            raise refusal(f"a value on {device!r}", "move arguments before, and results after, the call")
        return self.step(steps.moved, self) if isinstance(self.example, np.ndarray) else self

    def floating(self) -> Any:
        """A Python number converted to a NumPy number, which a Tensor can hold."""
        if self.array is not None:
            return self
        return self.step(steps.number, self) if isinstance(self.example, NUMBERS) or not self.ndim else self

    def astype(self, dtype: Any, copy: bool = True, **layout: Any) -> Any:
        """The numbers in another dtype."""
        if type(self) is Traced and isinstance(self.example, np.ndarray) and self.dtype == dtype:
            return self  # nothing is written into it
        return self.step(steps.as_type, self, np.dtype(dtype))

    def copy(self, order: str = "C") -> Any:
        """An array of its own."""
        return self.copied()

    def reshape(self, *shape: Any, **layout: Any) -> Any:
        """As ndarray.reshape."""
        return np_.reshape(self, _one(shape), **layout)

    def transpose(self, *axes: Any) -> Any:
        """As ndarray.transpose."""
        return np_.transpose(self, _one(axes) if axes else None)

    def flatten(self) -> Any:
        """As ndarray.flatten."""
        return np_.ravel(self).copy()

    def squeeze(self, axis: Any = None) -> Any:
        """As ndarray.squeeze."""
        return np_.squeeze(self, axis)

    def clip(self, min: Any = None, max: Any = None, **layout: Any) -> Any:  # NumPy's names
        """As ndarray.clip."""
        return np_.clip(self, min, max, **layout)

    def __getitem__(self, index: Any) -> Any:
        return part(self, index)

    def __setitem__(self, index: Any, value: Any) -> None:
        raise refusal("assignment into an array", "write np.where, or make the array by np.stack or np.concatenate")

    def __len__(self) -> int:
        if not self.ndim:
            raise TypeError("len() of a 0-d array")
        return self.shape[0]

    def __iter__(self) -> Iterator[Any]:
        return (self[k] for k in range(len(self)))

    def __bool__(self) -> NoReturn:
        raise refusal("the truth of a value, a branch,", "write np.where(condition, a, b), which computes both")

    def __contains__(self, value: Any) -> NoReturn:
        raise refusal("`in`, whose answer depends on the numbers,", "write np.any(x == value), and np.where with it")

    def __index__(self) -> NoReturn:
        raise refusal(
            "a value as a Python integer", "pass such a number as an int, for which there is one program each"
        )

    def _number(self, *given: Any, **more: Any) -> NoReturn:
        raise refusal("a value as a Python number", "use NumPy's functions, which take it as it is")

    def _array(self, *given: Any, **more: Any) -> NoReturn:
        raise refusal(
            "a value as a plain array",
            "use NumPy's functions, which take it as it is (np.asarray, np.array and assignment into an array do not)",
        )

    __float__ = __int__ = __complex__ = item = tolist = _number
    __array__ = _array
    # A traced array is never written into: t += u makes a new one.
    __iadd__, __isub__ = NDArrayOperatorsMixin.__add__, NDArrayOperatorsMixin.__sub__
    __imul__, __itruediv__ = NDArrayOperatorsMixin.__mul__, NDArrayOperatorsMixin.__truediv__

    def __getattr__(self, name: str) -> Any:
        function = getattr(np, name, None)
        if name.startswith("_") or not callable(function) or not hasattr(np.ndarray, name):
            raise AttributeError(f"a traced array has no attribute {name!r}")
        return lambda *args, **kwargs: function(self, *args, **kwargs)  # ndarray's method of the same name

    def __repr__(self) -> str:
        return f"Traced array of shape {self.shape} and dtype {self.dtype}"

    # -- NumPy's two protocols ----------------------------------------------------------------------------------

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if any(hasattr(x, "__array_ufunc__") and not _is_array(type(x)) for x in inputs):
            return NotImplemented  # a Tensor or a Batch, which may hold a traced value
        out = kwargs.pop("out", None)
        cell = out[0] if out is not None and len(out) == 1 else out
        if method == "at" or (cell is not None and not isinstance(cell, Cell)):
            raise refusal(f"{spelled(ufunc)} into an array", "omit out= and .at")
        if cell is not None:
            return cell.become(getattr(ufunc, method)(*inputs, **kwargs))
        function: Any = ufunc if method == "__call__" else getattr(ufunc, method)
        if not kwargs and all(type(getattr(x, "example", x)) in NUMBERS for x in inputs):
            function = OF_PYTHON.get(ufunc, ufunc)
        return self.recorder.call(function, inputs, kwargs)

    def __array_function__(self, function: Callable[..., Any], types: Any, args: Any, kwargs: Any) -> Any:
        if not all(map(_is_array, types)):
            return NotImplemented
        args, kwargs = out_by_name(function, args, kwargs)
        if function is np.empty_like and len(args) == 1 and isinstance(args[0], Cell):
            like = args[0]
            if like.array is None:
                value = self.recorder.call(steps.filled, (0, like.shape, like.dtype), {})
            else:
                value = self.recorder.call(np.zeros_like, (like,), {})
            return Cell(self.recorder, value.number, value.example)
        if function in OF_SHAPE:
            return function(*_plain(args), **_plain(kwargs))
        if function in (np.may_share_memory, np.shares_memory):
            return False
        if _decided_by_numbers(function, args, kwargs):
            raise refusal(
                f"{spelled(function)}, whose result has the length or the dtype that the numbers give it,",
                "compute with all elements, and choose with np.where",
            )
        if isinstance(out := kwargs.get("out"), Cell):
            return out.become(function(*args, **{k: v for k, v in kwargs.items() if k != "out"}))
        if function is np.copyto and len(args) == 2 and not kwargs and isinstance(args[0], Cell):
            args[0].become(args[1])
            return None
        in_place = function is np.nan_to_num and (kwargs.get("copy") is False or args[1:2] == (False,))
        if kwargs.get("out") is not None or function in WRITING or in_place:
            raise refusal(
                f"{spelled(function)} into an array", "take a function that gives a new one, such as np.where"
            )
        return self.recorder.call(function, args, {k: v for k, v in kwargs.items() if v is not np._NoValue})


@dataclass
class At:
    """An index into a traced array: its methods return copies that differ there."""

    array: Traced
    index: Any

    def __getitem__(self, index: Any) -> At:
        return At(self.array, index)

    def set(self, value: Any) -> Any:
        """A copy with the value, broadcast, at the index."""
        return self.array.step(steps.with_placed, self.array, value, self.index)

    def add(self, value: Any) -> Any:
        """A copy with the value, broadcast, added at the index, as often as it is repeated."""
        return self.array.step(steps.with_added, self.array, value, self.index)


class Cell(Traced):
    """A traced array that may be written into, as a whole or in part: after a write it stands for the new value.

    A view that was taken before a write keeps its old numbers.
    """

    __slots__ = ()

    def become(self, value: Any) -> Any:
        """Take on this value, broadcast to the cell's shape and in its dtype."""
        kind, shape = self.dtype, self.shape
        if isinstance(value, Traced) and isinstance(value.example, np.generic) and not shape:
            value = self.step(np.array, value)
        if not isinstance(value, Traced) or value.shape != shape or type(value.example) is not type(self.example):
            there = self.array is not None
            value = self.step(np.full_like, self, value, kind) if there else self.step(steps.filled, value, shape, kind)
        elif value.dtype != kind:
            value = value.astype(kind)
        self.number, self.example = value.number, value.example
        return self

    def __setitem__(self, index: Any, value: Any) -> None:
        whole = index is Ellipsis or index == () or (type(index) is slice and index == slice(None))
        self.become(value if whole else self.step(steps.with_placed, self, value, index))

    def __iadd__(self, other: Any) -> Any:
        return self.become(np.add(self, other))

    def __isub__(self, other: Any) -> Any:
        return self.become(np.subtract(self, other))

    def __imul__(self, other: Any) -> Any:
        return self.become(np.multiply(self, other))

    def __itruediv__(self, other: Any) -> Any:
        return self.become(np.divide(self, other))


ARRAYS = (np.ndarray, np.generic, Traced)


def _is_array(kind: type) -> bool:
    return issubclass(kind, ARRAYS) or kind in admitted


def _decided_by_numbers(function: Callable[..., Any], args: Any, kwargs: Any) -> bool:
    """Whether the shape or the dtype of a call's result depends on traced numbers."""
    if function in OF_PLACES:
        place, name = OF_PLACES[function]
        return isinstance(args[place] if len(args) > place else kwargs.get(name), Traced)
    if function in (np.linalg.eig, np.linalg.eigvals):  # for complex matrices the result is always complex
        return bool(args[0].dtype.kind != "c")
    return function in OF_NUMBERS or (function is np.where and len(args) + len(kwargs) == 1)


def part(x: Any, index: Any) -> Any:
    """x[index], where either is traced; a traced mask raises Untraceable, since its result may have any length."""
    traced = tracing(x, index)
    assert traced is not None
    for place in index if isinstance(index, tuple) else (index,):
        if isinstance(place, Traced) and place.dtype.kind == "b":
            raise refusal("a mask of traced values as an index", "write np.where(mask, x, 0), which keeps the shape")
    return traced.step(steps.part, x, index)


def tracing(*values: Any) -> Traced | None:
    """The first traced value in nests of them, or None."""
    for value in values:
        if isinstance(value, Traced):
            return value
        if type(value) is tuple and (found := tracing(*value)) is not None:
            return found
    return None


def _plain(value: Any) -> Any:
    """Arguments with each traced value replaced by its example."""
    return replaced(value, lambda t: t.example, Traced)


def _one(numbers: tuple[Any, ...]) -> Any:
    return numbers[0] if len(numbers) == 1 else numbers
