"""Rules of the functions that sort elements, and of the set functions.

Equal elements share their adjoints equally, as for a maximum, because the order among them is arbitrary.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autodiff.engine.devices import ones
from autodiff.engine.table import adjoint, composed, primitive
from autodiff.engine.values import Value
from autodiff.rules.arguments import anywhere, array, raw
from autodiff.rules.indexing import scatter
from autodiff.rules.selection import take_along_axis
from autodiff.rules.shaping import lying


def reordered(g: Value, y: Value, x: Value, axis: int | None = -1) -> Value:
    """The adjoints of y moved back to the places of x: y is x in another order along the axis."""
    if axis is None:
        return np.reshape(reordered(g, y, np.ravel(x)), x.shape)
    order = np.argsort(raw(y), axis=axis)
    return unsorted(take_along_axis(g, order, axis), np.take_along_axis(raw(y), order, axis), x, axis)


def unsorted(g: Value, y: Value, x: Value, axis: int | None = -1) -> Value:
    """The adjoints of y, which is x sorted, moved back to the places of x."""
    if axis is None:
        return np.reshape(unsorted(g, y, np.ravel(x)), x.shape)
    order = np.argsort(raw(x), axis=axis)
    if isinstance(order, np.ndarray):
        places = np.empty_like(order)
        np.put_along_axis(places, order, lying(np.arange(x.shape[axis]), axis, x.ndim), axis)
    else:
        places = np.argsort(order, axis=axis)
    return take_along_axis(shared(g, raw(y), axis), places, axis)


def shared(g: Any, ascending: Any, axis: int) -> Value:
    """The adjoints of sorted elements; equal elements each get the mean of their group."""
    rows = np.moveaxis(ascending, axis, -1)
    new = np.concatenate([np.ones_like(rows[..., :1], bool), rows[..., 1:] != rows[..., :-1]], axis=-1)
    if not anywhere(~new):
        return g
    last = np.moveaxis(g, axis, -1)
    group = np.cumsum(new) - 1
    alike = ones(group.shape, rows.dtype, like=rows)
    sizes = scatter(alike, index=group, shape=alike.shape)  # unused groups have the size 0
    means = scatter(np.ravel(last), index=group, shape=sizes.shape) / np.maximum(sizes, 1)
    return np.moveaxis(np.reshape(means[group], last.shape), -1, axis)


adjoint(np.sort, lambda g, y, x, axis=-1, kind=None, stable=None: unsorted(g, y, x, axis))
adjoint(np.partition, lambda g, y, x, kth, axis=-1, kind="introselect": reordered(g, y, x, axis))

# -- sets -------------------------------------------------------------------------------------------------------


@primitive
def distinct(x: Value, axis: int | None = None, equal_nan: bool = True) -> Value:
    """The distinct elements, or with an axis the distinct slices, in ascending order."""
    return np.unique(x, axis=axis, equal_nan=equal_nan)


def merged(g: Any, y: Value, x: Value, axis: int | None = None, equal_nan: bool = True) -> Value:
    """The adjoint of each element of y, shared equally by the elements of x that are equal to it."""
    _, inverse, counts = np.unique(raw(x), return_inverse=True, return_counts=True, axis=axis, equal_nan=equal_nan)
    if axis is None:
        return np.reshape((g / counts.astype(g.dtype))[np.ravel(inverse)], x.shape)
    last = np.moveaxis(g, axis, -1) / counts.astype(g.dtype)
    return np.moveaxis(last[..., np.ravel(inverse)], -1, axis)


adjoint(distinct, merged)


@composed(np.unique)
def unique(
    ar: Value,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: int | None = None,
    *,
    equal_nan: bool = True,
) -> Value | tuple[Value, ...]:
    """np.unique: sorted; the indices and counts are constants."""
    values = distinct(array(ar), axis=axis, equal_nan=equal_nan)
    if not (return_index or return_inverse or return_counts):
        return values
    asked = return_index, return_inverse, return_counts
    _, *places = np.unique(raw(ar), True, True, True, axis, equal_nan=equal_nan)
    return (values, *(found for found, wanted in zip(places, asked, strict=True) if wanted))


@composed(np.unique_values)
def unique_values(x: Value, /) -> Value:
    """np.unique_values, in NumPy's order, which is not specified."""
    return distinct(array(x), equal_nan=False)[np.argsort(np.argsort(np.unique_values(raw(x))))]


composed(np.unique_counts)(lambda x, /: _with_values(np.unique_counts, x))
composed(np.unique_inverse)(lambda x, /: _with_values(np.unique_inverse, x))
composed(np.unique_all)(lambda x, /: _with_values(np.unique_all, x))


def _with_values(function: Any, x: Value) -> Value:
    return function(raw(x))._replace(values=distinct(array(x), equal_nan=False))


@composed(np.union1d)
def union1d(ar1: Value, ar2: Value) -> Value:
    """np.union1d: the elements of either array."""
    return distinct(np.concatenate([array(ar1), array(ar2)], axis=None))


def once_each(*sets: Any) -> tuple[Any, Any]:
    """The distinct elements of several sets, and the number of sets that hold each."""
    together = np.concatenate([distinct(array(s)) for s in sets])
    return distinct(together), np.unique(raw(together), return_counts=True)[1]


@composed(np.intersect1d)
def intersect1d(
    ar1: Value, ar2: Value, assume_unique: bool = False, return_indices: bool = False
) -> Value | tuple[Value, ...]:
    """np.intersect1d: the elements of both arrays; the indices are constants."""
    values, counts = once_each(ar1, ar2)
    both = values[np.flatnonzero(counts == 2)]
    return (both, *np.intersect1d(raw(ar1), raw(ar2), assume_unique, True)[1:]) if return_indices else both


@composed(np.setxor1d)
def setxor1d(ar1: Value, ar2: Value, assume_unique: bool = False) -> Value:
    """np.setxor1d: the elements of exactly one of the arrays."""
    values, counts = once_each(ar1, ar2)
    return values[np.flatnonzero(counts == 1)]


@composed(np.setdiff1d)
def setdiff1d(ar1: Value, ar2: Value, assume_unique: bool = False) -> Value:
    """np.setdiff1d: the elements of the first array that are not in the second."""
    values = np.ravel(array(ar1)) if assume_unique else distinct(array(ar1))
    return values[np.flatnonzero(~np.isin(raw(values), raw(ar2)))]
