"""Definitions of the functions that join, split and lengthen arrays.

Where an element moves is often found by calling NumPy's function with the indices 0, 1, ... as the array.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from autodiff.engine.devices import beside, fetched, zeros
from autodiff.engine.shapes import axes
from autodiff.engine.table import adjoint, composed, linear
from autodiff.engine.values import Value
from autodiff.rules.arguments import along, array, given, raw
from autodiff.rules.indexing import scatter
from autodiff.rules.shaping import cast, concatenate, in_double

# -- joined -----------------------------------------------------------------------------------------------------


def joined(function: Callable[..., Value], ndim: int, axis: int) -> None:
    """Declare hstack, vstack or dstack: concatenation of arrays that are first given at least `ndim` axes."""
    widen = {1: np.atleast_1d, 2: np.atleast_2d, 3: np.atleast_3d}[ndim]

    @composed(function)
    def stacked(tup: Sequence[Any], *, dtype: DTypeLike | None = None) -> Value:
        parts = [widen(array(a)) for a in tup]
        return concatenate(*parts, axis=0 if ndim == 1 and parts[0].ndim == 1 else axis, **given(dtype=dtype))


joined(np.hstack, 1, 1)
joined(np.vstack, 2, 0)
joined(np.dstack, 3, 2)


@composed(np.column_stack)
def column_stack(tup: Sequence[Any]) -> Value:
    """np.column_stack: rows of numbers become columns."""
    parts = [np.reshape(a, (-1, 1)) if np.ndim(a) < 2 else a for a in map(array, tup)]
    return concatenate(*parts, axis=1)


@composed(np.block)
def block(arrays: Any) -> Value:
    """np.block: nested lists of arrays, the innermost joined along the last axis."""
    depths = {depth for _, depth in leaves(arrays, 0)}
    if len(depths) != 1:
        raise ValueError(f"np.block takes lists nested to one depth; received depths {sorted(depths)}")
    ndim = max(*depths, *(np.ndim(a) for a, _ in leaves(arrays, 0)))

    def assembled(part: Value, depth: int) -> Value:
        if isinstance(part, list):
            return concatenate(*(assembled(p, depth - 1) for p in part), axis=-depth)
        return np.reshape(array(part), (1,) * (ndim - np.ndim(part)) + np.shape(part))

    return assembled(arrays, *depths)


def leaves(part: Value, depth: int) -> list[tuple[Any, int]]:
    """The arrays in nested lists, each with its depth."""
    if not isinstance(part, list):
        return [(part, depth)]
    if not part:
        raise ValueError("np.block takes lists that are not empty")
    return [leaf for p in part for leaf in leaves(p, depth + 1)]


@composed(np.append)
def append(arr: Value, values: Value, axis: int | None = None) -> Value:
    """np.append: concatenation, of flattened arrays if no axis is given."""
    return concatenate(array(arr), array(values), axis=axis)


@composed(np.insert)
def insert(arr: Value, obj: Any, values: Value, axis: int | None = None) -> Value:
    """np.insert: the values, broadcast and in the array's dtype, inserted before the places."""
    arr = array(arr)
    values = cast(array(values), arr.dtype)
    numbers = np.arange(arr.size + values.size)
    old, new = numbers[: arr.size].reshape(arr.shape), numbers[arr.size :].reshape(values.shape)
    return concatenate(arr, values, axis=None)[beside(np.insert(old, obj, new, axis), arr)]


@composed(np.delete)
def delete(arr: Value, obj: Any, axis: int | None = None) -> Value:
    """np.delete: the elements that are not deleted."""
    arr = np.ravel(array(arr)) if axis is None else array(arr)
    axis = 0 if axis is None else axis
    stays = np.zeros(arr.shape[axis], bool)
    stays[np.delete(np.arange(stays.size), obj)] = True
    return arr[along(axis, arr.ndim, beside(stays, arr))]


# -- split ------------------------------------------------------------------------------------------------------


def parts(x: Value, places: Any, axis: int, split: Callable[..., list[NDArray[np.intp]]] = np.split) -> list[Any]:
    """The pieces that `split` gives, as slices of x. Splitting the indices shows where each piece begins and ends."""
    x = array(x)
    if not x.ndim:
        raise ValueError(f"np.{split.__name__} takes an array of at least one axis; received shape {x.shape}")
    pieces = split(np.arange(x.shape[axis]), places)
    slices = (slice(int(p[0]), int(p[-1]) + 1) if p.size else slice(0, 0) for p in pieces)
    return [x[along(axis, x.ndim, piece)] for piece in slices]


composed(np.split)(lambda ary, indices_or_sections, axis=0: parts(ary, indices_or_sections, axis))
composed(np.array_split)(lambda ary, indices_or_sections, axis=0: parts(ary, indices_or_sections, axis, np.array_split))
composed(np.hsplit)(lambda ary, indices_or_sections: parts(ary, indices_or_sections, min(np.ndim(ary), 2) - 1))
composed(np.vsplit)(lambda ary, indices_or_sections: parts(ary, indices_or_sections, 0))
composed(np.dsplit)(lambda ary, indices_or_sections: parts(ary, indices_or_sections, 2))
if hasattr(np, "unstack"):  # since NumPy 2.1
    composed(np.unstack)(lambda x, /, *, axis=0: tuple(np.moveaxis(x, axis, 0)))


@composed(np.trim_zeros)
def trim_zeros(filt: Value, trim: str = "fb", axis: Any = None) -> Value:
    """np.trim_zeros: the elements from the first to the last that is not 0, along each axis."""
    filt = array(filt)
    trimmed = axes(None if axis is None else np.atleast_1d(axis).tolist(), filt.ndim)
    places = fetched(np.argwhere(raw(filt)))
    if not len(places):
        places = np.zeros((0, filt.ndim), int)
    index = []
    for k, n in enumerate(filt.shape):
        first, last = (places[:, k].min(), places[:, k].max() + 1) if len(places) else (n, n)
        inside = slice(int(first) if "f" in trim.lower() else 0, int(last) if "b" in trim.lower() else n)
        index.append(inside if k in trimmed else slice(None))
    return filt[tuple(index)]


# -- repeated ---------------------------------------------------------------------------------------------------


def tiled(g: Value, y: Value, x: Value, reps: Any) -> Value:
    """The sum of the tiles of g."""
    times = tuple(np.atleast_1d(reps).tolist())
    ndim = max(len(times), x.ndim)
    times, lengths = (1,) * (ndim - len(times)) + times, (1,) * (ndim - x.ndim) + x.shape
    apart = np.reshape(g, tuple(n for pair in zip(times, lengths, strict=True) for n in pair))
    return np.reshape(np.sum(apart, axis=tuple(range(0, 2 * ndim, 2))), x.shape)


def repeated(g: Value, y: Value, x: Value, repeats: Any, axis: int | None = None) -> Value:
    """The sum of g over the repetitions of each element."""
    if axis is None:
        return np.reshape(repeated(g, y, np.ravel(x), repeats, 0), x.shape)
    axis %= x.ndim
    n = x.shape[axis]
    if np.size(repeats) == 1:
        times = int(np.ravel(repeats)[0])
        return np.sum(np.reshape(g, (*x.shape[: axis + 1], times, *x.shape[axis + 1 :])), axis=axis + 1)
    places = np.repeat(np.arange(n), fetched(repeats))
    return scatter(g, index=along(axis, x.ndim, beside(places, g)), shape=x.shape)


adjoint(np.tile, tiled)
adjoint(np.repeat, repeated)
linear(np.tile, np.repeat)


@composed(np.resize)
def resize(a: Value, new_shape: Any) -> Value:
    """np.resize: the elements, repeated until the shape is full."""
    flat = np.ravel(array(a))
    shape = tuple(np.atleast_1d(new_shape).tolist())
    size = math.prod(shape)
    if not flat.size or not size:
        return zeros(shape, flat.dtype, like=flat) + np.sum(flat[:0])
    return np.reshape(np.tile(flat, -(-size // flat.size))[:size], shape)


# -- in equal steps ---------------------------------------------------------------------------------------------


def ends(*values: Value) -> tuple[Any, ...]:
    """The ends of a range of numbers, as arrays of one shape and one floating-point dtype."""
    dtype = np.result_type(*(v.dtype if hasattr(v, "dtype") else v for v in map(raw, values)), 0.0)
    return np.broadcast_arrays(*(cast(array(v), dtype) for v in values))


@composed(np.linspace)
def linspace(
    start: Value,
    stop: Value,
    num: int = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: DTypeLike | None = None,
    axis: int = 0,
) -> Any:
    """np.linspace: from start to stop in equal steps."""
    start, stop = ends(start, stop)
    intervals = num - 1 if endpoint else num
    step = (stop - start) / max(intervals, 1)
    numbers = beside(np.arange(num, dtype=start.dtype), start)
    result = np.moveaxis(start + np.reshape(numbers, (-1,) + (1,) * start.ndim) * step, 0, axis)
    result = cast(result, dtype)
    return (result, step if intervals else math.nan) if retstep else result


@composed(np.logspace)
def logspace(
    start: Value,
    stop: Value,
    num: int = 50,
    endpoint: bool = True,
    base: ArrayLike = 10.0,
    dtype: DTypeLike | None = None,
    axis: int = 0,
) -> Value:
    """np.logspace: powers of the base, with exponents in equal steps."""
    if np.ndim(base):
        start, stop, base = np.broadcast_arrays(array(start), array(stop), array(base))
        base = np.expand_dims(base, axis)
    return cast(np.power(base, linspace(start, stop, num, endpoint, axis=axis)), dtype)


@composed(np.geomspace)
def geomspace(
    start: Value, stop: Value, num: int = 50, endpoint: bool = True, dtype: DTypeLike | None = None, axis: int = 0
) -> Value:
    """np.geomspace: from start to stop in equal ratios, in double precision."""
    start, stop = map(in_double, np.broadcast_arrays(array(start), array(stop)))
    if np.any(np.not_equal(np.sign(start), np.sign(stop))) or np.any(np.equal(start, 0)):
        raise ValueError("np.geomspace of Tensors takes ends that are not 0 and of one sign")
    logarithms = linspace(zeros(start.shape, start.dtype, like=start), np.log(stop / start), num, endpoint, axis=axis)
    return cast(np.expand_dims(start, axis) * np.exp(logarithms), dtype)
