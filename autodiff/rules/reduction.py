"""Rules of the reductions. The adjoint of a sum is passed to every element that was summed.

Elements that tie for a maximum or minimum share its adjoint equally.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from autodiff.engine.devices import beside, zeros
from autodiff.engine.graph import Node
from autodiff.engine.shapes import Axis, axes, count, keepdims_shape, restore
from autodiff.engine.table import adjoint, composed, computed, primitive
from autodiff.engine.values import Value
from autodiff.rules.arguments import anywhere, array, given
from autodiff.rules.quotient import quotient
from autodiff.rules.scans import before
from autodiff.rules.shaping import cast


def masked(g: Value, where: Any) -> Value:
    """The adjoint of the elements that were reduced, 0 for those that were left out."""
    return g if where is True else np.where(where, g, 0.0)


def summed(
    g: Value,
    y: Value,
    x: Value,
    axis: Axis = None,
    dtype: DTypeLike | None = None,
    keepdims: bool = False,
    initial: ArrayLike | None = None,
    where: ArrayLike = True,
) -> Value:
    """The adjoint of the sum for each element."""
    return masked(restore(g, x.shape, axis), where)


def averaged(
    g: Value,
    y: Value,
    x: Value,
    axis: Axis = None,
    dtype: DTypeLike | None = None,
    keepdims: bool = False,
    where: ArrayLike = True,
) -> Value:
    """The adjoint divided by the number of elements."""
    if where is True:
        return restore(g / count(x.shape, axis), x.shape, axis)
    reduced = np.sum(np.broadcast_to(where, x.shape), axis=axes(axis, x.ndim), keepdims=True)
    return masked(restore(g, x.shape, axis) / reduced.astype(x.dtype), where)


adjoint(np.sum, summed)
adjoint(np.mean, averaged)


# -- where= and initial=, which not every array type has, in functions that all have; methods are quicker -----------


def refuse_nodes(*parameters: Any) -> None:
    """Raise TypeError for a node as a parameter, as NumPy's functions do."""
    if any(isinstance(value, Node) for value in parameters):
        raise TypeError("a parameter is a constant")


def fold(method: str, combine: np.ufunc) -> Callable[..., Value]:
    """np.sum or np.prod, by the array's method; what `where` leaves out counts as the ufunc's identity, 0 or 1."""

    def folded(
        a: Value,
        axis: Axis = None,
        dtype: DTypeLike | None = None,
        keepdims: bool = False,
        initial: Any = None,
        where: Any = True,
    ) -> Value:
        refuse_nodes(initial, where)
        if where is not True:
            a = np.where(where, a, combine.identity)
        result = getattr(a, method)(axis=axis, dtype=dtype, keepdims=keepdims)
        return result if initial is None else combine(initial, result).astype(result.dtype)

    return folded


total = computed(np.sum)(fold("sum", np.add))


@computed(np.mean)
def mean(
    a: Value, axis: Axis = None, dtype: DTypeLike | None = None, keepdims: bool = False, where: Any = True
) -> Value:
    """np.mean."""
    if where is True:
        return np.mean(a, axis=axis, dtype=dtype, keepdims=keepdims)
    refuse_nodes(where)
    number = np.sum(np.broadcast_to(where, a.shape), axis=axis, keepdims=keepdims)
    sums = total(a, axis, dtype, keepdims, where=where)
    return sums / number.astype(sums.dtype)


def extreme_of(reduce: Callable[..., Value], pick: np.ufunc) -> Callable[..., Value]:
    """np.max or np.min."""

    def extreme(a: Value, axis: Axis = None, keepdims: bool = False, initial: Any = None, where: Any = True) -> Value:
        if initial is None and where is True:
            return reduce(a, axis=axis, keepdims=keepdims)
        refuse_nodes(initial, where)
        if initial is None:
            raise ValueError(f"np.{reduce.__name__} with where= needs initial=, which stands for no elements")
        if where is not True:
            a = np.where(where, a, initial).astype(a.dtype)
        if not count(a.shape, axis):
            shape = keepdims_shape(a.shape, axis)
            nothing = zeros(shape, a.dtype, like=a) + initial
            return nothing if keepdims else nothing.squeeze(axes(axis, a.ndim))
        return pick(reduce(a, axis=axis, keepdims=keepdims), initial).astype(a.dtype)

    return extreme


def extremal(
    g: Value,
    y: Value,
    x: Value,
    axis: Axis = None,
    keepdims: bool = False,
    initial: ArrayLike | None = None,
    where: ArrayLike = True,
) -> Value:
    """The adjoint, shared equally among the elements that equal the extreme one; `initial` counts as an element."""
    shape = keepdims_shape(x.shape, axis)
    extreme = np.reshape(y, shape)
    winners = np.equal(x, extreme) if where is True else np.logical_and(np.equal(x, extreme), where)
    number = np.sum(winners, axis=axis, keepdims=True)
    number = number if initial is None else number + np.equal(extreme, initial)
    share = winners / np.where(np.isnan(extreme), math.nan, np.maximum(number, 1))
    return np.reshape(g, shape) * share.astype(x.dtype)


adjoint(np.max, extremal)
adjoint(np.min, extremal)
computed(np.max)(extreme_of(np.max, np.maximum))
computed(np.min)(extreme_of(np.min, np.minimum))


def extreme(function: Callable[..., Value]) -> Callable[..., Value]:
    """The definition of an alias of np.max or np.min."""

    def definition(
        a: Value,
        axis: Axis = None,
        keepdims: bool = False,
        initial: ArrayLike | None = None,
        where: ArrayLike | None = None,
    ) -> Value:
        return function(a, axis=axis, keepdims=keepdims, **given(initial=initial, where=where))

    return definition


composed(np.amax)(extreme(np.max))
composed(np.amin)(extreme(np.min))


@composed(np.ptp)
def ptp(a: Value, axis: Axis = None, keepdims: bool = False) -> Value:
    """The maximum minus the minimum."""
    return np.max(a, axis=axis, keepdims=keepdims) - np.min(a, axis=axis, keepdims=keepdims)


def product(
    g: Value,
    y: Value,
    x: Value,
    axis: Axis = None,
    dtype: DTypeLike | None = None,
    keepdims: bool = False,
    initial: ArrayLike | None = None,
    where: ArrayLike = True,
) -> Value:
    """The adjoint times the product of the other elements, which is y / x unless y is 0 or infinite."""
    shape = keepdims_shape(x.shape, axis)
    factors = x if where is True else np.where(where, x, 1.0)
    if not anywhere(np.equal(y, 0) | np.isinf(y)):  # no zero, no overflow
        return masked(np.reshape(g * y, shape) / factors, where)
    reduced = axes(axis, x.ndim)
    apart = tuple(k for k in range(x.ndim) if k not in reduced)
    rows = np.reshape(np.transpose(factors, apart + reduced), (*(x.shape[k] for k in apart), count(x.shape, axis)))
    others = before(rows) * np.flip(before(np.flip(rows, -1)), -1)
    others = np.reshape(others, tuple(x.shape[k] for k in apart + reduced))
    share = np.reshape(g, shape) * np.transpose(others, np.argsort(apart + reduced))
    return masked(share if initial is None else share * initial, where)


adjoint(np.prod, product)
computed(np.prod)(fold("prod", np.multiply))


@composed(np.var)
def var(
    a: Value,
    axis: Axis = None,
    dtype: DTypeLike | None = None,
    ddof: float = 0,
    keepdims: bool = False,
    *,
    where: ArrayLike | None = None,
    mean: ArrayLike | None = None,
    correction: float | None = None,
) -> Value:
    """The sum of the squared deviations, divided by n - ddof."""
    asked = given(dtype=dtype, where=where)
    n = count(a.shape, axis)
    if where is not None:
        n = np.sum(np.broadcast_to(beside(where, a), a.shape), axis=axes(axis, a.ndim), keepdims=keepdims)
    freedom = np.maximum(n - (ddof if correction is None else correction), 0)
    deviation = a - (np.mean(a, axis=axis, keepdims=True, **asked) if mean is None else mean)
    total = np.sum(squared(deviation), axis=axis, keepdims=keepdims, **asked)
    return total / array(freedom).astype(total.dtype)[()]


def squared(x: Value) -> Value:
    """|x|²."""
    return np.real(x * np.conj(x)) if x.dtype.kind == "c" else np.square(x)


@primitive
def root(x: Value) -> Value:
    """The square root, with the derivative 0 at 0."""
    return np.sqrt(x)


adjoint(root, lambda g, y, x: 0.5 * g * quotient(np.not_equal(y, 0).astype(y.dtype), y))


@composed(np.std)
def std(
    a: Value,
    axis: Axis = None,
    dtype: DTypeLike | None = None,
    ddof: float = 0,
    keepdims: bool = False,
    *,
    where: ArrayLike | None = None,
    mean: ArrayLike | None = None,
    correction: float | None = None,
) -> Value:
    """The square root of the variance. Where it is 0, its adjoint is 0, the middle of the one-sided slopes."""
    return root(var(a, axis, dtype, ddof, keepdims, where=where, mean=mean, correction=correction))


# -- reductions that skip NaN -----------------------------------------------------------------------------------


def present(a: Value, axis: Axis, keepdims: bool, where: Any, dtype: DTypeLike) -> Value:
    """The number of reduced elements that are not NaN, in this dtype."""
    counted = ~np.isnan(a) if where is None else ~np.isnan(a) & beside(where, a)
    return array(np.sum(counted, axis=axis, dtype=int, keepdims=keepdims)).astype(dtype)[()]


def nan_extreme(function: Callable[..., Value], least: float) -> Callable[..., Value]:
    """The definition of np.nanmax or np.nanmin, which is NaN where all elements are NaN."""

    def definition(
        a: Value,
        axis: Axis = None,
        keepdims: bool = False,
        initial: ArrayLike | None = None,
        where: ArrayLike | None = None,
    ) -> Value:
        skipped = np.isnan(a)
        if initial is None:
            skipped = skipped & ~np.all(skipped, axis=axes(axis, a.ndim), keepdims=True)
        return function(
            np.where(skipped, least, a), axis=axis, keepdims=keepdims, **given(initial=initial, where=where)
        )

    return definition


composed(np.nanmax)(nan_extreme(np.max, -math.inf))
composed(np.nanmin)(nan_extreme(np.min, math.inf))


def nan_reduction(function: Callable[..., Value], instead: float) -> Callable[..., Value]:
    """The definition of np.nansum or np.nanprod, which replace NaN by `instead`."""

    def definition(
        a: Value,
        axis: Axis = None,
        dtype: DTypeLike | None = None,
        keepdims: bool = False,
        initial: ArrayLike | None = None,
        where: ArrayLike | None = None,
    ) -> Value:
        asked = given(dtype=dtype, initial=initial, where=where)
        return function(np.where(np.isnan(a), instead, a), axis=axis, keepdims=keepdims, **asked)

    return definition


nansum = nan_reduction(np.sum, 0.0)
composed(np.nansum)(nansum)
composed(np.nanprod)(nan_reduction(np.prod, 1.0))


@composed(np.nanmean)
def nanmean(
    a: Value,
    axis: Axis = None,
    dtype: DTypeLike | None = None,
    keepdims: bool = False,
    *,
    where: ArrayLike | None = None,
) -> Value:
    """The mean of the elements that are not NaN."""
    total = nansum(a, axis, dtype, keepdims, where=where)
    return total / present(a, axis, keepdims, where, total.dtype)


@composed(np.nanvar)
def nanvar(
    a: Value,
    axis: Axis = None,
    dtype: DTypeLike | None = None,
    ddof: float = 0,
    keepdims: bool = False,
    *,
    where: ArrayLike | None = None,
    mean: ArrayLike | None = None,
    correction: float | None = None,
) -> Value:
    """The variance of the elements that are not NaN; NaN where there are too few."""
    deviation = a - (nanmean(a, axis, dtype, keepdims=True, where=where) if mean is None else mean)
    deviation = cast(np.where(np.isnan(a), 0.0, deviation), a.dtype)
    total = np.sum(squared(deviation), axis=axis, keepdims=keepdims, **given(dtype=dtype, where=where))
    freedom = present(a, axis, keepdims, where, total.dtype) - (ddof if correction is None else correction)
    return total / np.where(np.greater(freedom, 0), freedom, math.nan).astype(total.dtype)


@composed(np.nanstd)
def nanstd(
    a: Value,
    axis: Axis = None,
    dtype: DTypeLike | None = None,
    ddof: float = 0,
    keepdims: bool = False,
    *,
    where: ArrayLike | None = None,
    mean: ArrayLike | None = None,
    correction: float | None = None,
) -> Value:
    """The square root of np.nanvar. Where the variance is 0, its adjoint is 0, as for np.std."""
    return root(nanvar(a, axis, dtype, ddof, keepdims, where=where, mean=mean, correction=correction))
