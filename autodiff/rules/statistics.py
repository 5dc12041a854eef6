"""Definitions of the statistics: averages, covariances, and quantiles, which select sorted elements."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from autodiff.engine.devices import beside, fetched, zeros
from autodiff.engine.graph import Node
from autodiff.engine.shapes import Axis, axes, keepdims_shape
from autodiff.engine.table import composed
from autodiff.engine.values import Value
from autodiff.rules.arguments import anywhere, array, given, raw
from autodiff.rules.selection import take_along_axis
from autodiff.rules.shaping import cast, in_double

# -- averages and covariances -----------------------------------------------------------------------------------


@composed(np.average)
def average(
    a: Value, axis: Axis = None, weights: ArrayLike | None = None, returned: bool = False, *, keepdims: bool = False
) -> Value | tuple[Value, ...]:
    """np.average: the mean or weighted mean; with `returned`, also the sum of the weights."""
    a = array(a)
    if weights is None:
        mean = np.mean(a, axis=axis, keepdims=keepdims)
        return (mean, zeros(np.shape(mean), mean.dtype, like=a) + a.size / max(np.size(mean), 1)) if returned else mean
    w, listed = array(weights), axes(axis, a.ndim)
    if w.shape != a.shape:
        if axis is None or w.shape != tuple(a.shape[k] for k in listed):
            raise ValueError(
                f"np.average takes weights in the shape of the array, or of its axes averaged over; received weights "
                f"of shape {w.shape} for an array of shape {a.shape} and axis {axis}."
            )
        w = np.transpose(w, np.argsort(listed))
        w = np.reshape(w, tuple(n if k in listed else 1 for k, n in enumerate(a.shape)))
    w = np.broadcast_to(w, a.shape)
    total = np.sum(w, axis=axis, keepdims=keepdims)
    mean = np.sum(a * w, axis=axis, keepdims=keepdims) / total
    return (mean, total) if returned else mean


@composed(np.cov)
def cov(
    m: Value,
    y: Any = None,
    rowvar: bool = True,
    bias: bool = False,
    ddof: int | None = None,
    fweights: ArrayLike | None = None,
    aweights: ArrayLike | None = None,
    *,
    dtype: DTypeLike | None = None,
) -> Value:
    """np.cov: the covariances of the rows (the columns, without `rowvar`)."""
    parts = [in_double(part) if dtype is None else cast(array(part), dtype) for part in (m, y) if part is not None]
    if any(part.ndim > 2 for part in parts):
        raise ValueError(f"np.cov takes arrays of one or two axes; received shapes {[p.shape for p in parts]}")
    parts = [np.transpose(p) if not rowvar and p.ndim == 2 else np.atleast_2d(p) for p in parts]
    x = np.concatenate(parts) if len(parts) > 1 else parts[0]
    if ddof is None:
        ddof = 0 if bias else 1
    given = [array(w) for w in (fweights, aweights) if w is not None]
    w = given[0] * given[1] if len(given) == 2 else given[0] if given else None
    if w is None:
        freedom = x.shape[1] - ddof
    else:
        total = np.sum(w)
        freedom = total - ddof if aweights is None else total - ddof * np.sum(w * array(aweights)) / total
    deviation = cast(x - average(x, axis=1, weights=w, keepdims=True), x.dtype)
    weighed = deviation if w is None else deviation * w
    conjugate = np.conj(weighed) if weighed.dtype.kind == "c" else weighed
    return np.squeeze(np.matmul(deviation, np.transpose(conjugate)) / freedom)


@composed(np.corrcoef)
def corrcoef(x: Value, y: ArrayLike | None = None, rowvar: bool = True, *, dtype: DTypeLike | None = None) -> Value:
    """np.corrcoef: covariances divided by the standard deviations."""
    c = cov(x, y, rowvar, dtype=dtype)
    if not np.ndim(c):
        return c / c
    deviation = np.sqrt(np.real(np.diag(c)) if c.dtype.kind == "c" else np.diag(c))
    r = c / deviation[:, None] / deviation
    excess = raw(r) - np.clip(raw(r), -1, 1) if r.dtype.kind == "f" else 0
    return r - excess if anywhere(excess) else r  # np.clip would lose the derivative where rounding exceeds 1


# -- quantiles --------------------------------------------------------------------------------------------------


def lined_up(a: Value, axis: Axis) -> Value:
    """The array with the reduced axes merged into one last axis."""
    reduced = axes(axis, a.ndim)
    apart = tuple(k for k in range(a.ndim) if k not in reduced)
    n = int(np.prod([a.shape[k] for k in reduced], dtype=int))
    if not n:
        raise ValueError(f"a quantile was asked for of no elements: shape {a.shape}, axis {axis}")
    outer = tuple(a.shape[k] for k in apart)
    return a if reduced == (a.ndim - 1,) else np.reshape(np.transpose(a, apart + reduced), (*outer, n))


def weighted_places(
    function: Callable[..., Value], a: Value, q: Value, axis: Axis, weights: Value, method: str
) -> Value:
    """The places of the weighted quantiles among the sorted elements: NumPy's weighted quantiles of the ranks."""
    reduced = axes(axis, a.ndim)
    order = [*(k for k in range(a.ndim) if k not in reduced), *reduced]
    ranks = np.argsort(np.argsort(lined_up(a, axis), axis=-1), axis=-1)
    ranks = np.reshape(ranks, [a.shape[k] for k in order]).transpose(np.argsort(order))
    found = function(np.where(np.isnan(a), np.nan, ranks), q, axis, weights=weights, method=method)
    return np.nan_to_num(np.moveaxis(array(found), range(np.ndim(q)), range(-np.ndim(q), 0)))


# The methods that select an element, or the middle of two, instead of interpolating.
JUMPING = ("lower", "higher", "nearest", "midpoint", "inverted_cdf", "averaged_inverted_cdf", "closest_observation")


def quantile_of(function: Callable[..., Value], whole: float, skip_nan: bool = False) -> Callable[..., Value]:
    """The definition of np.quantile (`whole` is 1) or np.percentile (100), or of those that skip NaN.

    The place of a quantile among n sorted elements is NumPy's own quantile of 0, 1, ..., n - 1.
    """

    def definition(
        a: Value,
        q: Value,
        axis: Axis = None,
        method: str = "linear",
        keepdims: bool = False,
        *,
        weights: Any = None,
    ) -> Value:
        a, weights = array(a), raw(weights)
        rows = np.sort(lined_up(a, axis), axis=-1)
        missing, n, outer = np.isnan(raw(rows)), rows.shape[-1], rows.ndim - 1
        each = weights is not None or (skip_nan and anywhere(missing))  # rows may differ in their number of elements
        trial = (np.zeros(3, a.dtype), fetched(raw(q))) if weights is None else (raw(a), raw(q), axis)
        dtype = np.result_type(function(*trial, method=method, **given(weights=weights)))  # or NumPy's error
        if method in JUMPING:
            q = raw(q)  # as a function of q the quantile is constant between jumps
        if isinstance(q, Node):
            if method != "linear" or each:
                raise TypeError(
                    f"np.{function.__name__} is differentiable in q with method='linear' (or one that jumps), no NaN"
                )
            place: Any = q * ((n - 1) / whole)
        elif weights is not None:
            place = weighted_places(function, raw(a), q, axis, weights, method)
        elif each:
            counts = n - np.sum(missing, axis=-1)
            counts, q = fetched(counts), fetched(q)
            place = np.zeros(counts.shape + np.shape(q))
            for count in np.unique(counts[counts > 0]):
                place[counts == count] = function(np.arange(float(count)), q, method=method)
            place = beside(place, a)
        else:
            place = beside(np.asarray(function(np.arange(float(n)), fetched(q), method=method)), a)
        result: Any = between(rows, place, dtype, each)
        if not skip_nan and anywhere(missing):
            undefined = np.expand_dims(missing[..., -1], tuple(range(outer, result.ndim)))
            result = result * np.where(undefined, np.nan, 1.0).astype(result.dtype)  # the adjoint is NaN there too
        result = np.moveaxis(result, range(outer, result.ndim), range(np.ndim(q)))
        return np.reshape(result, np.shape(q) + keepdims_shape(np.shape(a), axis)) if keepdims else result

    return definition


def between(rows: Value, place: Any, dtype: DTypeLike, each: bool) -> Value:
    """The rows interpolated at places of the last axis: the same places for all rows, or with `each` its own."""
    low, high = (rounded(raw(place)).astype(int) for rounded in (np.floor, np.ceil))
    weight = place - low.astype(dtype) if isinstance(place, Node) else array(place - low).astype(dtype)[()]
    if each:
        flat = (*rows.shape[:-1], -1)
        below, above = (np.reshape(take_along_axis(rows, np.reshape(k, flat)), low.shape) for k in (low, high))
    else:
        below, above = rows[..., low[()]], rows[..., high[()]]
    result = (1 - weight) * below + weight * above if anywhere(weight) or isinstance(place, Node) else below
    return cast(result, dtype)


quantile, nanquantile = quantile_of(np.quantile, 1.0), quantile_of(np.nanquantile, 1.0, skip_nan=True)
composed(np.quantile)(quantile)
composed(np.percentile)(quantile_of(np.percentile, 100.0))
composed(np.nanquantile)(nanquantile)
composed(np.nanpercentile)(quantile_of(np.nanpercentile, 100.0, skip_nan=True))
composed(np.median)(lambda a, axis=None, keepdims=False: quantile(a, 0.5, axis, keepdims=keepdims))
composed(np.nanmedian)(lambda a, axis=None, keepdims=False: nanquantile(a, 0.5, axis, keepdims=keepdims))
