"""Definitions of the functions that select elements: by index, by condition, or by interpolation."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from autodiff.engine.devices import beside, grid, zeros
from autodiff.engine.graph import Node
from autodiff.engine.table import composed
from autodiff.engine.values import Value
from autodiff.rules.arguments import along, anywhere, array, raw
from autodiff.rules.indexing import gather, replaced_at, scatter
from autodiff.rules.shaping import in_double

# -- by index ---------------------------------------------------------------------------------------------------


@composed(np.take)
def take(a: Value, indices: Any, axis: int | None = None, mode: str = "raise") -> Value:
    """np.take: a[indices] along one axis; without an axis, of the flattened array."""
    a = np.ravel(array(a)) if axis is None else array(a)
    axis = 0 if axis is None else axis
    places = whole(np.take, indices)
    if mode != "raise":
        n = a.shape[axis]
        places = places % n if mode == "wrap" else np.clip(places, 0, n - 1)
    return a[along(axis, a.ndim, places[()])]


def whole(function: Callable[..., object], indices: object) -> NDArray[np.intp]:
    """Indices as an array of integers; a Tensor is not one."""
    places = array(raw(indices))
    if places.dtype.kind not in "iub" and places.size:
        raise TypeError(f"np.{function.__name__} takes integer indices; received an array of dtype {places.dtype}")
    return places.astype(int)


@composed(np.take_along_axis)
def take_along_axis(arr: Value, indices: Any, axis: int | None = -1) -> Value:
    """np.take_along_axis: one index along the axis for each place of the other axes."""
    arr = np.ravel(array(arr)) if axis is None else array(arr)
    places = whole(np.take_along_axis, indices)
    if places.ndim != arr.ndim:
        raise ValueError(f"np.take_along_axis takes as many axes in both; received {arr.ndim} and {places.ndim}")
    along(axis or 0, arr.ndim, None)
    index = list(grid(arr.shape, arr))
    index[axis or 0] = places
    return gather(arr, index=tuple(index))


@composed(np.choose)
def choose(a: Value, choices: Any, mode: str = "raise") -> Value:
    """np.choose: at each place, `a` gives the number of the array whose element is taken."""
    number = whole(np.choose, a)
    n = len(choices)
    if mode != "raise":
        number = number % n if mode == "wrap" else np.clip(number, 0, n - 1)
    elif number.size and not (number.min() >= 0 and number.max() < n):
        raise ValueError(f"np.choose of {n} arrays was given numbers from {number.min()} to {number.max()}")
    arrays = [array(choice) for choice in choices]
    shape = np.broadcast_shapes(number.shape, *(c.shape for c in arrays))
    layers = np.stack([np.broadcast_to(c, shape) for c in arrays])
    return layers[(np.broadcast_to(number, shape), *grid(shape, number))]


# -- by condition -----------------------------------------------------------------------------------------------


@composed(np.select)
def select(condlist: Sequence[Any], choicelist: Sequence[Any], default: ArrayLike = 0) -> Value:
    """np.select: at each place, the choice of the first condition that holds."""
    if len(condlist) != len(choicelist) or not condlist:
        raise ValueError(f"np.select takes a choice for each condition; received {len(choicelist)} for {len(condlist)}")
    result: Any = default
    for condition, choice in zip(reversed(condlist), reversed(choicelist), strict=True):
        result = np.where(condition, choice, result)
    return result


@composed(np.piecewise)
def piecewise(x: Value, condlist: Any, funclist: Sequence[Any], *args: Any, **kw: Any) -> Value:
    """np.piecewise: each function is called with the elements for which its condition is the last that holds."""
    x = array(x)
    conditions: Sequence[Any] = raw(condlist)
    listed = isinstance(conditions, list | tuple)
    if not (listed or np.ndim(conditions)) or (np.ndim(conditions[0]) == 0 and x.ndim):
        conditions = [conditions]
    masks = [np.broadcast_to(beside(array(raw(c)), x).astype(bool), x.shape) for c in conditions]
    if len(funclist) == len(masks) + 1:
        masks.append(~functools.reduce(operator.or_, masks))
    elif len(funclist) != len(masks):
        raise ValueError(f"np.piecewise takes {len(masks)} or {len(masks) + 1} functions; received {len(funclist)}")
    result: Value = zeros(x.shape, x.dtype, like=x)
    for mask, function in zip(masks, funclist, strict=True):
        if np.any(mask):
            value = beside(array(function(x[mask], *args, **kw) if callable(function) else function), x)
            result = replaced_at(result, value, index=mask)
    return result


@composed(np.compress)
def compress(condition: Any, a: Value, axis: int | None = None) -> Value:
    """np.compress: the elements or slices where the condition holds."""
    return take(a, np.flatnonzero(raw(condition)), axis)


composed(np.extract)(lambda condition, arr: compress(np.ravel(raw(condition)), np.ravel(array(arr))))


# -- along an axis ----------------------------------------------------------------------------------------------


@composed(np.apply_along_axis)
def apply_along_axis(func1d: Callable[..., Value], axis: int, arr: Value, *args: Any, **kwargs: Any) -> Value:
    """np.apply_along_axis: the function is called in Python with each row along the axis."""
    last = np.moveaxis(array(arr), axis, -1)
    outer = last.shape[:-1]
    if 0 in outer:
        raise ValueError(f"np.apply_along_axis needs a row to call the function with; received shape {np.shape(arr)}")
    results = [array(func1d(last[place], *args, **kwargs)) for place in np.ndindex(*outer)]
    inner = results[0].shape
    grown = np.reshape(np.stack(results), outer + inner)
    at = axis % np.ndim(arr)
    return np.moveaxis(grown, range(len(outer), grown.ndim), range(at, at + len(inner)))


@composed(np.apply_over_axes)
def apply_over_axes(func: Callable[..., Value], a: Value, axes: Any) -> Value:
    """np.apply_over_axes: the function is applied over one axis after the other, and the axes are kept."""
    a = array(a)
    for axis in np.atleast_1d(axes).tolist():
        result = func(a, axis)
        a = result if np.ndim(result) == a.ndim else np.expand_dims(result, axis % a.ndim)
    return a


# -- by interpolation -------------------------------------------------------------------------------------------


@composed(np.interp)
def interp(
    x: Value,
    xp: Value,
    fp: Value,
    left: ArrayLike | None = None,
    right: ArrayLike | None = None,
    period: float | None = None,
) -> Value:
    """np.interp: a piecewise linear function, constant outside. At a knot the slope is the mean of the two slopes."""
    x, xp, fp = in_double(x), in_double(xp), in_double(fp)
    if xp.ndim != 1 or fp.shape != xp.shape or not xp.size:
        raise ValueError(f"np.interp takes as many places as values; received shapes {xp.shape} and {fp.shape}")
    if period is not None:
        x, xp = np.remainder(x, abs(period)), np.remainder(xp, abs(period))
        order = np.argsort(xp)
        xp, fp, left, right = xp[order], fp[order], None, None
        xp = np.concatenate([xp[-1:] - abs(period), xp, xp[:1] + abs(period)])
        fp = np.concatenate([fp[-1:], fp, fp[:1]])
    after = np.searchsorted(raw(xp), raw(x), side="right")
    step, rise = np.diff(xp), np.diff(fp)
    inner = rise / np.where(np.equal(step, 0), 1.0, step)
    flat = zeros(1, fp.dtype, like=fp)
    slopes = np.concatenate([flat, inner, flat])
    nearest = np.maximum(after - 1, 0)
    on_knot = np.equal(x, raw(xp)[nearest])
    slope = 0.5 * (slopes[after - on_knot] + slopes[after]) if anywhere(on_knot) else slopes[after]
    offset = x - xp[nearest]
    if anywhere(np.isinf(x)):
        offset = np.where(np.isinf(x), 0.0, offset)
    result = fp[nearest] + slope * offset
    result = result if left is None else np.where(np.less(x, xp[0]), left, result)
    return result if right is None else np.where(np.greater(x, xp[-1]), right, result)


# -- counted ----------------------------------------------------------------------------------------------------


@composed(np.bincount)
def bincount(x: Value, /, weights: ArrayLike | None = None, minlength: int = 0) -> Value:
    """np.bincount: the weights of each number added up, in double precision."""
    if isinstance(x, Node) or not isinstance(weights, Node):
        raise TypeError("np.bincount counts integers, which a Tensor does not hold; pass x=np.rint(t).astype(int)")
    places = whole(np.bincount, x)
    length = max(int(places.max()) + 1 if places.size else 0, minlength)
    return scatter(in_double(weights), index=places, shape=(length,))


@composed(np.histogram_bin_edges)
def histogram_bin_edges(a: Value, bins: ArrayLike = 10, range: Any = None, weights: ArrayLike | None = None) -> Value:
    """np.histogram_bin_edges: they depend on the smallest and greatest element unless `range` or `bins` gives them."""
    edges = np.histogram_bin_edges(raw(a), raw(bins), range, raw(weights))
    if np.ndim(bins) or range is not None or not np.size(a):
        return bins if isinstance(bins, Node) else edges
    lowest, highest = np.min(a), np.max(a)
    return np.linspace(lowest + (edges[0] - raw(lowest)), highest + (edges[-1] - raw(highest)), edges.size)


@composed(np.histogram)
def histogram(
    a: Value,
    bins: ArrayLike = 10,
    range: Any = None,
    density: ArrayLike = False,
    weights: ArrayLike | None = None,
) -> Value | tuple[Value, ...]:
    """np.histogram: the number of elements in each bin, a constant, or the sum of their weights; and the edges."""
    edges = histogram_bin_edges(a, bins, range, weights)
    fixed = raw(edges)
    counts: Value = np.histogram(raw(a), fixed)[0]
    if weights is not None:
        flat, weighted = np.ravel(raw(a)), np.ravel(array(weights))
        inside = np.logical_and(flat >= fixed[0], flat <= fixed[-1])
        place = np.minimum(np.searchsorted(fixed, flat[inside], side="right") - 1, len(fixed) - 2)
        counts = scatter(weighted[inside], index=place, shape=(len(fixed) - 1,))
    return (counts / np.diff(edges) / np.sum(counts) if density else counts), edges
