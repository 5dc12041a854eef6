"""Rules of the reductions: what one number takes from many, its adjoint gives back to them.

Elements that tie for a maximum or minimum share its adjoint equally.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from autodiff.engine.shapes import Axis, axes, count, kept, restore
from autodiff.engine.table import adjoint, composed, primitive
from autodiff.rules.scans import before


def among(g: Any, where: Any) -> Any:
    """The adjoint of the elements that were reduced, 0 for those that were left out."""
    return g if where is True else np.where(where, g, 0.0)


def averaged(g: Any, y: Any, x: Any, axis: Axis = None, keepdims: bool = False, where: Any = True) -> Any:
    """The adjoint over the number of elements."""
    if where is True:
        return restore(g / count(x.shape, axis), x.shape, axis)
    reduced = np.count_nonzero(np.broadcast_to(where, x.shape), axis=axes(axis, x.ndim), keepdims=True)
    return among(restore(g, x.shape, axis) / reduced.astype(x.dtype), where)


adjoint(np.sum, lambda g, y, x, axis=None, keepdims=False, where=True: among(restore(g, x.shape, axis), where))
adjoint(np.mean, averaged)


def extremal(
    g: Any, y: Any, x: Any, axis: Axis = None, keepdims: bool = False, initial: Any = None, where: Any = True
) -> Any:
    """The adjoint shared equally among the elements equal to the extreme one, `initial` too if it is."""
    shape = kept(x.shape, axis)
    extreme = np.reshape(y, shape)
    winners = np.equal(x, extreme) if where is True else np.logical_and(np.equal(x, extreme), where)
    number = np.sum(winners, axis=axis, keepdims=True)
    number = number if initial is None else number + np.equal(extreme, initial)
    share = winners / np.where(np.isnan(extreme), math.nan, np.maximum(number, 1))
    return np.reshape(g, shape) * share.astype(x.dtype)


adjoint(np.max, extremal)
adjoint(np.min, extremal)


def extreme(function: Callable[..., Any]) -> Callable[..., Any]:
    """The definition of an alias of np.max or np.min."""

    def definition(a: Any, axis: Axis = None, keepdims: bool = False, initial: Any = None, where: Any = None) -> Any:
        given = {key: value for key, value in (("initial", initial), ("where", where)) if value is not None}
        return function(a, axis=axis, keepdims=keepdims, **given)

    return definition


composed(np.amax)(extreme(np.max))
composed(np.amin)(extreme(np.min))


@composed(np.ptp)
def ptp(a: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """The greatest less the smallest."""
    return np.max(a, axis=axis, keepdims=keepdims) - np.min(a, axis=axis, keepdims=keepdims)


def product(
    g: Any, y: Any, x: Any, axis: Axis = None, keepdims: bool = False, initial: Any = None, where: Any = True
) -> Any:
    """The adjoint times the product of the other elements; dividing y by x gives that, unless y is 0 or not finite."""
    shape = kept(x.shape, axis)
    factors = x if where is True else np.where(where, x, 1.0)
    if not np.any(np.equal(y, 0) | np.isinf(y)):  # nor has the product run out of range
        return among(np.reshape(g * y, shape) / factors, where)
    reduced = axes(axis, x.ndim)
    apart = tuple(k for k in range(x.ndim) if k not in reduced)
    rows = np.reshape(np.transpose(factors, apart + reduced), (*(x.shape[k] for k in apart), -1))
    others = before(rows) * np.flip(before(np.flip(rows, -1)), -1)
    others = np.reshape(others, tuple(x.shape[k] for k in apart + reduced))
    share = np.reshape(g, shape) * np.transpose(others, np.argsort(apart + reduced))
    return among(share if initial is None else share * initial, where)


adjoint(np.prod, product)


@composed(np.var)
def var(
    a: Any,
    axis: Axis = None,
    ddof: float = 0,
    keepdims: bool = False,
    *,
    where: Any = None,
    mean: Any = None,
    correction: float | None = None,
) -> Any:
    """The mean of the squared deviations, over n - ddof."""
    some = {} if where is None else {"where": where}
    n = count(a.shape, axis)
    if some:
        n = np.count_nonzero(np.broadcast_to(where, a.shape), axis=axes(axis, a.ndim), keepdims=keepdims)
    freedom = n - (ddof if correction is None else correction)
    deviation = a - (np.mean(a, axis=axis, keepdims=True, **some) if mean is None else mean)
    squared = np.real(deviation * np.conj(deviation)) if a.dtype.kind == "c" else np.square(deviation)
    return np.sum(squared, axis=axis, keepdims=keepdims, **some) / np.asarray(freedom, squared.dtype)[()]


@primitive
def root(x: Any) -> Any:
    """The square root, with the derivative 0 at 0."""
    return np.sqrt(x)


adjoint(root, lambda g, y, x: 0.5 * g * np.not_equal(y, 0) / np.where(np.equal(y, 0), 1.0, y))


@composed(np.std)
def std(
    a: Any,
    axis: Axis = None,
    ddof: float = 0,
    keepdims: bool = False,
    *,
    where: Any = None,
    mean: Any = None,
    correction: float | None = None,
) -> Any:
    """The square root of the variance; where that is 0 its adjoint is 0, the middle of its slopes."""
    return root(var(a, axis, ddof, keepdims, where=where, mean=mean, correction=correction))


# -- with NaN left out ------------------------------------------------------------------------------------------


def without_nan(a: Any, instead: float) -> Any:
    """The array with another number in the place of NaN."""
    return np.where(np.isnan(a), instead, a)


def present(a: Any, axis: Axis, keepdims: bool = False) -> Any:
    """How many elements are not NaN, in the dtype of the elements."""
    number = np.count_nonzero(~np.isnan(a), axis=axes(axis, a.ndim), keepdims=keepdims)
    return np.asarray(number, a.dtype)[()]


def nan_extreme(function: Callable[..., Any], least: float) -> Callable[..., Any]:
    """The definition of np.nanmax or np.nanmin, which is NaN where there is nothing else."""

    def definition(a: Any, axis: Axis = None, keepdims: bool = False) -> Any:
        missing = np.isnan(a)
        skipped = missing & ~np.all(missing, axis=axes(axis, a.ndim), keepdims=True)
        return function(np.where(skipped, least, a), axis=axis, keepdims=keepdims)

    return definition


composed(np.nanmax)(nan_extreme(np.max, -math.inf))
composed(np.nanmin)(nan_extreme(np.min, math.inf))


@composed(np.nansum)
def nansum(a: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """The sum with NaN counted as 0."""
    return np.sum(without_nan(a, 0.0), axis=axis, keepdims=keepdims)


@composed(np.nanprod)
def nanprod(a: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """The product with NaN counted as 1."""
    return np.prod(without_nan(a, 1.0), axis=axis, keepdims=keepdims)


@composed(np.nanmean)
def nanmean(a: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """The mean of what is not NaN."""
    return nansum(a, axis, keepdims) / present(a, axis, keepdims)


@composed(np.nanvar)
def nanvar(
    a: Any, axis: Axis = None, ddof: float = 0, keepdims: bool = False, *, correction: float | None = None
) -> Any:
    """The variance of what is not NaN; NaN where there is too little."""
    freedom = present(a, axis, keepdims) - (ddof if correction is None else correction)
    deviation = np.where(np.isnan(a), 0.0, a - nanmean(a, axis, keepdims=True))
    squared = np.real(deviation * np.conj(deviation)) if a.dtype.kind == "c" else np.square(deviation)
    return np.sum(squared, axis=axis, keepdims=keepdims) / np.where(np.greater(freedom, 0), freedom, math.nan)


@composed(np.nanstd)
def nanstd(
    a: Any, axis: Axis = None, ddof: float = 0, keepdims: bool = False, *, correction: float | None = None
) -> Any:
    """The square root of the variance of what is not NaN; where that is 0 its adjoint is 0, as np.std's."""
    return root(nanvar(a, axis, ddof, keepdims, correction=correction))
