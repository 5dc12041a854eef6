"""Indexing as two primitives, gather and scatter, which are adjoint to each other; and changed copies.

A rule that assigned into an array would fail in a recorded pass. At repeated indices the adjoints add up.
"""

from typing import Any

import numpy as np

from autodiff.batching import Batch
from autodiff.batching.array import last, trailing
from autodiff.engine.devices import add_at, admitted, beside, copied, fetched, of, zeros
from autodiff.engine.graph import Node, described
from autodiff.engine.shapes import unbroadcast
from autodiff.engine.table import adjoint, primitive
from autodiff.engine.values import Value
from autodiff.program import steps
from autodiff.program.traced import Traced, part, tracing

SETTLED = (int, slice, np.integer, np.bool_, Traced)  # indices that cannot change later


@primitive
def gather(x: Value, index: Any) -> Value:
    """x[index]: basic, integer-array and boolean indexing."""
    try:
        return x[index]
    except (TypeError, IndexError):
        if tracing(index) is None or isinstance(x, Traced):
            raise
        return part(x, index)  # an element of a constant, at a traced index


@primitive
def scatter(values: Value, index: Any, shape: tuple[int, ...]) -> Value:
    """Zeros of `shape` with `values` added at the index; repeated indices add up."""
    if isinstance(values, Batch):
        longer, index = (*shape, values.count), trailing(index, len(shape))
        return last(values, lambda numbers: scatter(numbers, index=index, shape=longer))
    if (traced := tracing(values, index)) is not None:
        return traced.step(steps.summed_at if may_repeat(index) else steps.placed_at, values, index, shape)
    array = zeros(shape, values.dtype, like=values)
    if may_repeat(index):
        add_at(array, index, values)
    else:
        array[index] = values
    return array


@primitive
def added_at(x: Value, value: Value, index: Any) -> Any:
    """A copy of x with `value`, broadcast, added at the index; repeated indices add up."""
    if (traced := tracing(x, value, index)) is not None:
        return traced.step(steps.with_added, x, value, index)
    array = copied(x)
    add_at(array, index, value)
    return array


@primitive
def replaced_at(x: Value, value: Value | float, index: Any) -> Any:
    """A copy of x with `value`, broadcast, at the index; where an index repeats, the last value counts."""
    if (traced := tracing(x, value, index)) is not None:
        return traced.step(steps.with_placed, x, value, index)
    array = copied(x)
    if not may_repeat(index) or of(x) is None:
        array[index] = value
    else:  # a device may write in any order, so only the last value of each place is added, onto zeros
        array[index] = 0
        add_at(array, index, np.where(written_last(index, x), value, 0))
    return array


def settled(index: Any) -> Any:
    """A copy of the index that cannot change later: lists and arrays inside it are copied into new arrays."""
    if type(index) is tuple:
        return tuple(map(settled, index))
    if index is None or index is Ellipsis or isinstance(index, SETTLED):
        return index
    if isinstance(index, Node):
        raise TypeError(
            f"{described(index)} was used as an index; an index is a constant: integers, a slice, or an array of "
            "integers or booleans. A comparison such as t > 0 gives one."
        )
    if type(index) in admitted:
        return index
    array = np.array(index)
    return array.astype(int) if array.size == 0 and not isinstance(index, np.ndarray) else array


def may_repeat(index: Any) -> bool:
    """Whether an index can name an element twice: only if it has an integer array."""
    parts = index if isinstance(index, tuple) else (index,)
    return any(
        (np.asarray(place) if isinstance(place, list | tuple) else place).dtype.kind != "b"
        for place in parts
        if isinstance(place, list | tuple | np.ndarray | Traced) or type(place) in admitted
    )


def written_last(index: Any, x: Value) -> Any:
    """For each value written into x at the index: whether it is the last one written there."""
    if not may_repeat(index):
        return 1.0
    shape = x.shape
    index = tuple(map(fetched, index)) if isinstance(index, tuple) else fetched(index)
    places = np.arange(np.prod(shape, dtype=int)).reshape(shape)[index]
    order = np.arange(places.size).reshape(places.shape)
    last = np.empty(np.prod(shape, dtype=int), int)
    last[places] = order
    return beside(last[places] == order, x)


adjoint(gather, lambda g, y, x, index: scatter(g, index=index, shape=x.shape))
adjoint(scatter, lambda g, y, values, index, shape: g[index])
adjoint(
    added_at,
    lambda g, y, x, value, index: g,
    lambda g, y, x, value, index: unbroadcast(g[index], np.shape(value)),
)
adjoint(
    replaced_at,
    lambda g, y, x, value, index: replaced_at(g, 0.0, index=index),
    lambda g, y, x, value, index: unbroadcast(g[index] * written_last(index, x), np.shape(value)),
)
