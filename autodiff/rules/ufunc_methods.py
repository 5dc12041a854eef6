"""The methods of ufuncs on nodes, such as np.add.reduce, and calls of ufuncs with dtype=.

A method is replaced by the function that does the same, such as np.sum, or else by several calls of the ufunc.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from autodiff.engine.devices import beside, fetched, of, ones, zeros
from autodiff.engine.keywords import check_floating
from autodiff.engine.shapes import Axis, axes, keepdims_shape
from autodiff.engine.table import Composition, adjoint, linear, primitive, table
from autodiff.engine.values import Value
from autodiff.rules.arguments import along, array, given, raw
from autodiff.rules.indexing import scatter
from autodiff.rules.scans import record
from autodiff.rules.shaping import cast


def reduction(function: Callable[..., Value]) -> Callable[..., Value]:
    """The definition of ufunc.reduce: the function, over the first axis by default."""

    def reduce(
        array: Value,
        axis: Axis = 0,
        keepdims: bool = False,
        initial: ArrayLike | None = None,
        where: ArrayLike | None = None,
    ) -> Value:
        return function(array, axis=axis, keepdims=keepdims, **given(initial=initial, where=where))

    return reduce


def scan(function: Callable[..., Value]) -> Callable[..., Value]:
    """The definition of ufunc.accumulate: the function, along the first axis by default."""

    def accumulate(array: Value, axis: int = 0) -> Value:
        if not array.ndim:
            raise TypeError("cannot accumulate on a scalar")  # NumPy's message
        return function(array, axis=axis)

    return accumulate


definitions: dict[tuple[np.ufunc, str], Composition] = {}
for ufunc, method, definition in (
    (np.add, "reduce", reduction(np.sum)),
    (np.multiply, "reduce", reduction(np.prod)),
    (np.maximum, "reduce", reduction(np.max)),
    (np.minimum, "reduce", reduction(np.min)),
    (np.fmax, "reduce", reduction(np.nanmax)),
    (np.fmin, "reduce", reduction(np.nanmin)),
    (np.add, "accumulate", scan(np.cumsum)),
    (np.multiply, "accumulate", scan(np.cumprod)),
    (np.maximum, "accumulate", record(np.maximum)),
    (np.minimum, "accumulate", record(np.minimum)),
):
    definition.__name__ = f"np.{ufunc.__name__}.{method}"
    definitions[ufunc, method] = Composition(definition, definition)


# -- of any ufunc of two arguments, as NumPy defines it ---------------------------------------------------------


def reduced(
    ufunc: np.ufunc,
    array: Value,
    axis: Axis = 0,
    keepdims: bool = False,
    initial: Any = np._NoValue,
    where: ArrayLike = True,
) -> Value:
    """ufunc.reduce: by halves if the ufunc has an identity, since it is associative then; else element by element."""
    moved = axes(axis, array.ndim) if array.ndim else ()
    shape = (math.prod(array.shape[k] for k in moved), *(n for k, n in enumerate(array.shape) if k not in moved))

    def rows_of(x: Any) -> Any:
        return np.reshape(np.moveaxis(x, moved, tuple(range(len(moved)))), shape)

    rows, counts = rows_of(array), rows_of(np.broadcast_to(where, array.shape))
    start = ufunc.identity if initial is np._NoValue else initial
    if start is not None:
        rows = np.concatenate([zeros((1, *shape[1:]), array.dtype, like=array) + start, rows])
        counts = np.concatenate([ones((1, *shape[1:]), bool, like=counts), counts])
    while ufunc.identity is not None and len(rows) > 1 and counts.all():
        half = len(rows) // 2
        rows = np.concatenate([ufunc(rows[:half], rows[half : 2 * half]), rows[2 * half :]])
    total = rows[0]
    for row, counted in zip(rows[1:], counts[1:], strict=False):
        step = ufunc(total, row)
        total = step if counted.all() else np.where(counted, step, total)
    return np.reshape(total, keepdims_shape(array.shape, axis)) if keepdims else total


def accumulated(ufunc: np.ufunc, array: Any, axis: int = 0) -> Value:
    """ufunc.accumulate: element by element."""
    rows = list(np.moveaxis(array, axis, 0))
    for k in range(1, len(rows)):
        rows[k] = ufunc(rows[k - 1], rows[k])
    return np.stack(rows, axis=axis) if rows else np.copy(array)


def spans(indices: Any, length: int) -> tuple[Any, Any]:
    """The begin and end of each part of ufunc.reduceat: a part ends at the next index, or after one element."""
    starts = np.asarray(indices, int)
    return starts, np.maximum([*starts[1:], length], starts + 1)


def reduced_at(ufunc: np.ufunc, array: Value, indices: Any, axis: int = 0) -> Value:
    """ufunc.reduceat: the reductions of the parts, joined."""
    pieces = [along(axis, array.ndim, slice(*span)) for span in zip(*spans(indices, array.shape[axis]), strict=True)]
    parts = [ufunc.reduce(array[piece], axis=axis, keepdims=True) for piece in pieces]
    return np.concatenate(parts, axis=axis) if parts else array[along(axis, array.ndim, slice(0))]


@primitive
def sums(array: Value, indices: Any, axis: int = 0) -> Value:
    """np.add.reduceat, in one step for any number of parts."""
    if isinstance(array, np.ndarray):
        return np.add.reduceat(array, indices, axis=axis)
    number, places = terms(indices, array.shape[axis])
    index, shape = along(axis, array.ndim, beside(number, array)), list(array.shape)
    shape[axis] = len(indices)
    return scatter(array[along(axis, array.ndim, beside(places, array))], index=index, shape=tuple(shape))


def terms(indices: Any, length: int) -> tuple[Any, Any]:
    """For each term of the sums: the number of its sum, and the number of its element."""
    starts, ends = spans(fetched(indices), length)
    lengths = ends - starts
    number = np.repeat(np.arange(len(starts)), lengths)
    return number, np.arange(len(number)) - np.repeat(np.cumsum(lengths) - lengths - starts, lengths)


def spread(g: Value, y: Value, x: Value, indices: Any, axis: int = 0) -> Value:
    """The adjoint of each sum, passed to its elements; an element may be in several sums."""
    number, places = beside(terms(indices, x.shape[axis]), g)
    return scatter(g[along(axis, x.ndim, number)], index=along(axis, x.ndim, places), shape=x.shape)


adjoint(sums, spread)
linear(sums)
definitions[np.add, "reduceat"] = Composition(
    sums, lambda array, indices, axis=0: sums(array, indices=indices, axis=axis)
)
BY_CALLS: dict[str, Callable[..., Value]] = {"reduce": reduced, "accumulate": accumulated, "reduceat": reduced_at}


@functools.cache
def by_calls(ufunc: np.ufunc, method: str) -> Composition:
    """The definition of a method as several calls of the ufunc."""
    definition: Any = functools.partial(BY_CALLS[method], ufunc)
    definition.__name__ = f"np.{ufunc.__name__}.{method}"
    return Composition(definition, definition)


def on_host(value: Any) -> Any:
    """A raw value; for an array on a device, zeros of its shape."""
    value = raw(value)
    return value if of(value) is None else np.zeros(value.shape, value.dtype)


def call(ufunc: np.ufunc, method: str, inputs: tuple[Any, ...], kwargs: dict[str, Any]) -> Value:
    """The result of `ufunc.method(*inputs, **kwargs)` with a node among the inputs."""
    if method == "outer":
        a, b = map(array, inputs)
        return ufunc(np.reshape(a, a.shape + (1,) * b.ndim), b, **kwargs)
    if ufunc in table and table[ufunc].kind == "constant" and method != "at":
        return getattr(ufunc, method)(*map(raw, inputs), **kwargs)
    definition = definitions.get((ufunc, method))
    if definition is None and method in BY_CALLS and ufunc in table and table[ufunc].kind == "differentiable":
        definition = by_calls(ufunc, method)
        if kwargs.get("out") is None:
            with np.errstate(all="ignore"):
                getattr(ufunc, method)(*map(on_host, inputs), **kwargs)  # NumPy raises its errors
    if definition is not None:
        dtype, kwargs = kwargs.get("dtype"), {name: value for name, value in kwargs.items() if name != "dtype"}
        check_floating(ufunc, dtype)
        return definition((cast(inputs[0], dtype), *inputs[1:]), kwargs)
    hint = "Tensors are never written into: use t.at[index].add(v)" if method == "at" else "compose it from functions"
    raise TypeError(f"np.{ufunc.__name__}.{method} was called with a Tensor, and has no adjoint rule; {hint}.")


# -- in another dtype -------------------------------------------------------------------------------------------


def converted(ufunc: np.ufunc, inputs: tuple[Any, ...], dtype: DTypeLike) -> tuple[Any, ...]:
    """The inputs in the dtypes in which the ufunc computes when its results are to have this dtype."""
    check_floating(ufunc, dtype)
    arrays = [x if isinstance(x, float | int | complex) else array(x) for x in inputs]
    found = (*(getattr(x, "dtype", type(x)) for x in arrays), *[None] * ufunc.nout)
    asked = (*[None] * ufunc.nin, *[np.dtype(dtype)] * ufunc.nout)
    computed = ufunc.resolve_dtypes(found, signature=asked)
    return tuple(cast(array(x), kind) for x, kind in zip(arrays, computed, strict=False))
