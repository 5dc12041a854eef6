"""Rules of the scans, such as running sums along an axis, and of their inverses, the differences of neighbours."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from autodiff.engine.devices import arange, zeros
from autodiff.engine.graph import Node
from autodiff.engine.shapes import Axis, axes
from autodiff.engine.table import adjoint, composed, linear
from autodiff.engine.values import Value
from autodiff.rules.arguments import along, anywhere, array, given, raw
from autodiff.rules.shaping import cast, lying

# -- running sums and products ----------------------------------------------------------------------------------


def from_the_end(g: Value, axis: int) -> Value:
    """The running sum from the end: the adjoint of a running sum."""
    return np.flip(np.cumsum(np.flip(g, axis), axis=axis), axis)


def running_product(g: Any, y: Value, x: Any, axis: int | None = None, dtype: DTypeLike | None = None) -> Value:
    """The sum of g y / x over the products that contain x; if there are zeros, computed without division."""
    if axis is None:
        return np.reshape(running_product(np.ravel(g), np.ravel(y), np.ravel(x), 0), x.shape)
    if not anywhere(np.equal(x, 0)):
        return from_the_end(g * y, axis) / x
    factors, weights = np.moveaxis(x, axis, -1), np.moveaxis(g, axis, -1)
    return np.moveaxis(before(factors) * sum_of_tails(weights, factors), -1, axis)


def before(x: Value) -> Value:
    """The product of the elements before each, along the last axis."""
    return np.concatenate([np.ones_like(x[..., :1]), np.cumprod(x[..., :-1], axis=-1)], axis=-1)


def sum_of_tails(g: Value, x: Value) -> Value:
    """The solution of s_i = g_i + x_(i+1) s_(i+1) along the last axis, by doubling, in log₂ n steps."""
    factors = later(x, 1)
    step = 1
    while step < x.shape[-1]:
        g, factors, step = g + factors * later(g, step), factors * later(factors, step), 2 * step
    return g


def later(x: Value, step: int) -> Value:
    """The element `step` places later along the last axis; 0 beyond the end."""
    return np.concatenate([x[..., step:], np.zeros_like(x[..., :step])], axis=-1)


def running_sum(g: Value, y: Value, x: Value, axis: int | None = None, dtype: DTypeLike | None = None) -> Value:
    """The sum of g from each element's place to the end."""
    return np.reshape(from_the_end(g, 0), x.shape) if axis is None else from_the_end(g, axis)


adjoint(np.cumsum, running_sum)
adjoint(np.cumprod, running_product)
linear(np.cumsum)


def without_nan(scan: Callable[..., Value], instead: float) -> Callable[..., Value]:
    """The definition of a scan that replaces NaN by `instead`."""

    def definition(a: Value, axis: int | None = None, dtype: DTypeLike | None = None) -> Value:
        return scan(np.where(np.isnan(a), instead, a), axis=axis, **given(dtype=dtype))

    return definition


composed(np.nancumsum)(without_nan(np.cumsum, 0.0))
composed(np.nancumprod)(without_nan(np.cumprod, 1.0))


def cumulative(scan: Callable[..., Value], start: float) -> Callable[..., Value]:
    """The array API's cumulative sum or product: a scan, with the start value first if `include_initial`."""

    def definition(
        x: Value, axis: int | None = None, dtype: DTypeLike | None = None, include_initial: bool = False
    ) -> Value:
        if axis is None and np.ndim(x) > 1:
            raise ValueError(f"np.{scan.__name__} along one of {np.ndim(x)} axes needs axis=; received no axis")
        result = scan(x, axis=0 if axis is None else axis, **given(dtype=dtype))
        if not include_initial:
            return result
        shape = list(result.shape)
        shape[axis or 0] = 1
        first = zeros(shape, result.dtype, like=result) + start
        return np.concatenate([first, result], axis=axis or 0)

    return definition


def running(ufunc: np.ufunc, x: Value, axis: int) -> Value:
    """ufunc.accumulate of an associative ufunc; for other array types by doubling, in log₂ n steps."""
    if isinstance(x, np.ndarray):
        return ufunc.accumulate(x, axis=axis)
    step, n = 1, x.shape[axis]
    while step < n:
        start, before, after = (along(axis, x.ndim, slice(*span)) for span in ((step,), (-step,), (step, None)))
        x = np.concatenate([x[start], ufunc(x[before], x[after])], axis=axis)
        step *= 2
    return x


def record(ufunc: np.ufunc) -> Callable[..., Value]:
    """The definition of maximum.accumulate or minimum.accumulate, the greatest or smallest element so far.

    The adjoint goes to the element that set the record, the first one of a tie.
    """

    def definition(a: Value, axis: int = 0) -> Value:
        best = running(ufunc, raw(a), axis)
        before = best[along(axis, best.ndim, slice(None, -1))]
        after = best[along(axis, best.ndim, slice(1, None))]
        new = np.not_equal(before, after) & ~(np.isnan(before) & np.isnan(after))
        steps = np.expand_dims(arange(1, best.shape[axis], like=best), tuple(range(1, best.ndim - axis % best.ndim)))
        places = np.where(new, steps, 0)
        first = np.zeros_like(best[along(axis, best.ndim, slice(None, 1))], int)
        places = np.concatenate([first, places], axis=axis)
        last: Any = running(np.maximum, places, axis)
        return np.take_along_axis(array(a), last, axis=axis)

    return definition


# -- differences and slopes -------------------------------------------------------------------------------------


@composed(np.diff)
def diff(a: Value, n: int = 1, axis: int = -1, prepend: Any = np._NoValue, append: Any = np._NoValue) -> Value:
    """np.diff: differences of neighbours, taken n times."""
    a = array(a)
    if n < 0 or not a.ndim:
        raise ValueError(f"np.diff takes an order n >= 0 and at least one axis; received n={n} and shape {a.shape}")
    ends = [end for end in (prepend, append) if end is not np._NoValue]
    if n and ends:
        one = tuple(1 if k == axis % a.ndim else length for k, length in enumerate(a.shape))
        spread = [array(end) if np.ndim(end) else np.broadcast_to(array(end), one) for end in ends]
        parts = [a, *spread] if prepend is np._NoValue else [spread[0], a, *spread[1:]]
        a = np.concatenate(parts, axis=axis)
    for _ in range(n):
        a = a[along(axis, a.ndim, slice(1, None))] - a[along(axis, a.ndim, slice(None, -1))]
    return a if n else np.copy(a)


@composed(np.ediff1d)
def ediff1d(ary: Value, to_end: Any = None, to_begin: Any = None) -> Value:
    """np.ediff1d: the differences of neighbours in the flattened array, between `to_begin` and `to_end`."""
    difference = diff(np.ravel(array(ary)))
    ends = [None if end is None else np.ravel(array(end)) for end in (to_begin, to_end)]
    parts = [part for part in (ends[0], difference, ends[1]) if part is not None]
    parts = [cast(part, difference.dtype) for part in parts]
    return np.concatenate(parts) if len(parts) > 1 else difference


@composed(np.trapezoid)
def trapezoid(y: Value, x: Any = None, dx: ArrayLike = 1.0, axis: int = -1) -> Value:
    """np.trapezoid: the integral of a piecewise linear function."""
    y = array(y)
    width = dx
    if x is not None:
        x = array(x)
        width = diff(x, axis=axis) if x.ndim > 1 else lying(diff(x), axis, y.ndim)
    heights = y[along(axis, y.ndim, slice(1, None))] + y[along(axis, y.ndim, slice(None, -1))]
    return np.sum(width * heights / 2.0, axis=axis)


@composed(np.gradient)
def gradient(f: Value, *varargs: Any, axis: Axis = None, edge_order: int = 1) -> Value | tuple[Value, ...]:
    """np.gradient: central differences, and one-sided ones of `edge_order` at the ends; one array for each axis."""
    f = array(f)
    listed = axes(axis, f.ndim)
    spacings = varargs or (1.0,)
    if len(spacings) == 1 and not np.ndim(spacings[0]):
        spacings *= len(listed)
    if edge_order not in (1, 2) or len(spacings) != len(listed):
        raise TypeError(
            f"np.gradient takes edge_order 1 or 2 and no spacing, one number, or one spacing for each of its "
            f"{len(listed)} axes; received edge_order={edge_order!r} and {len(varargs)} spacing(s)."
        )
    slopes = [slope(f, k, spacing, edge_order) for k, spacing in zip(listed, spacings, strict=True)]
    return slopes[0] if len(slopes) == 1 else tuple(slopes)


def slope(f: Value, axis: int, spacing: Any, edge_order: int) -> Value:
    """The derivative along one axis, from a step or from the coordinates of the elements."""
    n = f.shape[axis]
    if n <= edge_order or np.shape(spacing) not in ((), (n,)):
        raise ValueError(
            f"np.gradient of order {edge_order} takes more than {edge_order} elements along an axis, and a step or a "
            f"coordinate for each; received {n} elements along axis {axis} and a spacing of shape {np.shape(spacing)}."
        )

    def at(start: int, stop: int | None, values: Any = f) -> Value:
        return values[along(axis, f.ndim, slice(start, stop))]

    if np.ndim(spacing) and not isinstance(spacing, Node) and not np.any(np.diff(spacing, 2)):
        spacing = spacing[1] - spacing[0]
    if np.ndim(spacing):
        h = lying(diff(spacing), axis, f.ndim)
        first, second, second_last, last = (at(k, k + 1 or None, h) for k in (0, 1 % (n - 1), -2 % (n - 1), -1))
        before, after = at(0, -1, h), at(1, None, h)
        weights = -after / (before * (before + after)), (after - before) / (before * after)
        inner = weights[0] * at(0, -2) + weights[1] * at(1, -1) + before / (after * (before + after)) * at(2, None)
    else:
        first = second = second_last = last = spacing
        inner = (at(2, None) - at(0, -2)) / (2.0 * spacing)
    if edge_order == 1:
        ends = (at(1, 2) - at(0, 1)) / first, (at(-1, None) - at(-2, -1)) / last
    else:
        ends = (
            end_of_parabola(at(0, 1), at(1, 2), at(2, 3), first, second),
            end_of_parabola(at(-1, None), at(-2, -1), at(-3, -2), -last, -second_last),
        )
    result = np.concatenate([ends[0], inner, ends[1]], axis=axis)
    return cast(result, f.dtype) if f.dtype.kind in "fc" else result


def end_of_parabola(f: Value, near: Any, far: Any, step: Any, further: Any) -> Value:
    """The slope at the first of three elements, `step` before the near one, which is `further` before the far one."""
    both = step + further
    return -(step + both) / (step * both) * f + both / (step * further) * near - step / (further * both) * far


for name, definition in (
    ("trapz", trapezoid),  # until NumPy 2.4
    ("cumulative_sum", cumulative(np.cumsum, 0.0)),  # since NumPy 2.1
    ("cumulative_prod", cumulative(np.cumprod, 1.0)),
):
    if hasattr(np, name):
        composed(getattr(np, name))(definition)
