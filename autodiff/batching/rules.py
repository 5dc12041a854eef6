"""Rules that compute NumPy's functions for all examples of a Batch at once; functions without a rule are looped."""

from __future__ import annotations

import functools
import inspect
import math
import string
from collections.abc import Callable
from typing import Any

import numpy as np

from autodiff.batching.array import Batch, NotBatched, elementwise, in_front, levels, looped, rules, wrapped

Function = Callable[..., Any]


def of(*functions: Function) -> Callable[[Function], Function]:
    """Declare the rule of these functions: it is called with the level, then with their arguments."""

    def declare(rule: Function) -> Function:
        rules.update(dict.fromkeys(functions, rule))
        return rule

    return declare


@functools.cache
def names(function: Function) -> tuple[str, ...]:
    """The names of a function's parameters."""
    return tuple(inspect.signature(function).parameters)


def only(value: Any, level: int, *others: Any) -> bool:
    """Whether a value is a Batch of this level, and none of the other arguments is."""
    return isinstance(value, Batch) and value.level == level and level not in levels(*others)


def place(axis: int, ndim: int) -> int:
    """An axis of the examples as an axis of the Batch's array, counted from the front."""
    if not -ndim <= axis < ndim:
        raise np.exceptions.AxisError(axis, ndim)
    return axis % ndim + 1


def places(axes: Any, ndim: int) -> tuple[int, ...]:
    """Axes of the examples, or one axis, as axes of the Batch's array."""
    return tuple(place(int(axis), ndim) for axis in (axes if np.ndim(axes) else (axes,)))


# -- elementwise ------------------------------------------------------------------------------------------------


def each_alone(*functions: Function) -> None:
    """Declare elementwise functions."""
    for function in functions:

        def rule(level: int, *args: Any, function: Function = function, **kwargs: Any) -> Any:
            if function is np.where and len(args) == 1:
                return looped(level, function, args, kwargs)
            return elementwise(level, function, args, kwargs)

        rules[function] = rule


each_alone(np.where, np.clip, np.nan_to_num, np.real, np.imag, np.round, np.around, np.fix, np.sinc, np.angle)
each_alone(np.isclose, np.isposinf, np.isneginf, np.iscomplex, np.isreal, np.copy, np.i0)

# -- functions of the shape and the dtype -----------------------------------------------------------------------


def of_shape(*functions: Function) -> None:
    """Declare functions that do not read the elements."""
    for function in functions:

        def rule(level: int, a: Any, *args: Any, function: Function = function, **kwargs: Any) -> Any:
            return function(np.broadcast_to(np.zeros((), a.dtype), a.shape), *args, **kwargs)

        rules[function] = rule


of_shape(np.shape, np.ndim, np.size, np.iscomplexobj, np.isrealobj, np.zeros_like, np.ones_like, np.empty_like)


@of(np.result_type)
def result_type(level: int, *args: Any) -> Any:
    """np.result_type, of the dtypes."""
    return np.result_type(*(x.dtype if isinstance(x, Batch) else x for x in args))


@of(np.may_share_memory, np.shares_memory)
def apart(level: int, *args: Any, **kwargs: Any) -> bool:
    """np.may_share_memory: False, which is safe because a Batch is never written into."""
    return False


# -- along an axis ----------------------------------------------------------------------------------------------


def along(*functions: Function, default: int | None = None, flat: bool = False) -> None:
    """Declare functions with an axis; without one they take all axes, or (`flat`) the flattened array."""
    for function in functions:

        def rule(level: int, a: Any, *args: Any, function: Function = function, **kwargs: Any) -> Any:
            given = dict(zip(names(function)[1:], args, strict=False)) | kwargs
            if not only(a, level, given):
                return looped(level, function, (a, *args), kwargs)
            array, axis = a.array, given.get("axis", default)
            if axis is not None:
                given["axis"] = place(axis, a.ndim) if np.ndim(axis) == 0 else places(axis, a.ndim)
            elif flat:
                if given.get("keepdims"):
                    return looped(level, function, (a, *args), kwargs)
                array, given["axis"] = array.reshape(a.count, -1), 1
            else:
                given["axis"] = tuple(range(1, a.ndim + 1))
            return wrapped(function(array, **given), level)

        rules[function] = rule


along(np.sum, np.prod, np.mean, np.var, np.std, np.max, np.min, np.amax, np.amin, np.any, np.all, np.ptp)
along(np.nansum, np.nanprod, np.nanmean, np.nanvar, np.nanstd, np.nanmax, np.nanmin, np.count_nonzero)
along(np.cumsum, np.cumprod, np.nancumsum, np.nancumprod, np.argmax, np.argmin, flat=True)
along(np.sort, np.argsort, np.diff, np.fft.fft, np.fft.ifft, np.fft.rfft, np.fft.irfft, default=-1, flat=True)

# -- elements moved ---------------------------------------------------------------------------------------------


@of(np.reshape)
def reshape(level: int, a: Any, shape: Any = None, order: str = "C", newshape: Any = None, copy: Any = None) -> Any:
    """np.reshape of each example."""
    if order != "C":
        return looped(level, np.reshape, (a, newshape if shape is None else shape), {"order": order})
    lengths = tuple(np.atleast_1d(newshape if shape is None else shape).astype(int).tolist())
    if -1 in lengths:
        lengths = np.broadcast_to(np.zeros(()), a.shape).reshape(lengths).shape
    if math.prod(lengths) != a.size:
        raise ValueError(f"cannot reshape array of size {a.size} into shape {lengths}")
    return Batch(a.array.reshape(a.count, *lengths), level)


@of(np.ravel)
def ravel(level: int, a: Any, order: str = "C") -> Any:
    """np.ravel of each example."""
    return reshape(level, a, -1, order)


@of(np.transpose)
def transpose(level: int, a: Any, axes: Any = None) -> Any:
    """np.transpose of each example."""
    order = range(a.ndim, 0, -1) if axes is None else places(axes, a.ndim) if len(axes) else ()
    return Batch(a.array.transpose(0, *order), level)


@of(np.swapaxes)
def swapaxes(level: int, a: Any, axis1: int, axis2: int) -> Any:
    """np.swapaxes of each example."""
    return Batch(np.swapaxes(a.array, place(axis1, a.ndim), place(axis2, a.ndim)), level)


@of(np.matrix_transpose)
def matrix_transpose(level: int, x: Any) -> Any:
    """np.matrix_transpose of each example."""
    return swapaxes(level, x, -1, -2)


@of(np.moveaxis)
def moveaxis(level: int, a: Any, source: Any, destination: Any) -> Any:
    """np.moveaxis of each example."""
    return Batch(np.moveaxis(a.array, places(source, a.ndim), places(destination, a.ndim)), level)


@of(np.expand_dims)
def expand_dims(level: int, a: Any, axis: Any) -> Any:
    """np.expand_dims of each example."""
    return Batch(np.expand_dims(a.array, places(axis, a.ndim + np.size(axis))), level)


@of(np.squeeze)
def squeeze(level: int, a: Any, axis: Any = None) -> Any:
    """np.squeeze of each example."""
    axes = tuple(k + 1 for k, n in enumerate(a.shape) if n == 1) if axis is None else places(axis, a.ndim)
    return Batch(np.squeeze(a.array, axes), level)


@of(np.broadcast_to)
def broadcast_to(level: int, array: Any, shape: Any, subok: bool = False) -> Any:
    """np.broadcast_to of each example."""
    lengths = tuple(np.atleast_1d(shape).astype(int).tolist()) if np.size(shape) else ()
    return Batch(np.broadcast_to(in_front(array, level, len(lengths)), (array.count, *lengths)), level)


@of(np.flip)
def flip(level: int, m: Any, axis: Any = None) -> Any:
    """np.flip of each example."""
    return Batch(np.flip(m.array, tuple(range(1, m.ndim + 1)) if axis is None else places(axis, m.ndim)), level)


@of(np.roll)
def roll(level: int, a: Any, shift: Any, axis: Any = None) -> Any:
    """np.roll of each example."""
    if axis is None:
        return Batch(np.roll(a.array.reshape(a.count, -1), shift, 1).reshape(a.array.shape), level)
    return Batch(np.roll(a.array, shift, places(axis, a.ndim) if np.ndim(axis) else place(axis, a.ndim)), level)


def of_matrices(*functions: Function, one_axis: bool = False) -> None:
    """Declare functions that NumPy computes for stacks of matrices; with `one_axis`, an array of one axis is looped."""
    for function in functions:

        def rule(level: int, a: Any, *args: Any, function: Function = function, **kwargs: Any) -> Any:
            if not only(a, level, args, kwargs) or (one_axis and a.ndim < 2):
                return looped(level, function, (a, *args), kwargs)
            if a.ndim < 2:
                raise np.linalg.LinAlgError(f"an array of {a.ndim} axes was given; it has to have two at least")
            return wrapped(function(a.array, *args, **kwargs), level)

        rules[function] = rule


of_matrices(np.tril, np.triu, one_axis=True)


@of(np.trace)
def trace(level: int, a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """np.trace of each example."""
    return Batch(np.trace(a.array, offset, place(axis1, a.ndim), place(axis2, a.ndim)), level)


@of(np.diagonal)
def diagonal(level: int, a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """np.diagonal of each example."""
    return Batch(np.diagonal(a.array, offset, place(axis1, a.ndim), place(axis2, a.ndim)), level)


@of(np.repeat)
def repeat(level: int, a: Any, repeats: Any, axis: int | None = None) -> Any:
    """np.repeat of each example."""
    if axis is None:
        return Batch(np.repeat(a.array.reshape(a.count, -1), repeats, 1), level)
    return Batch(np.repeat(a.array, repeats, place(axis, a.ndim)), level)


def everywhere(arrays: Any, level: int) -> list[Any]:
    """Arrays with the examples in front; shared arrays are repeated."""
    count = next(x.count for x in arrays if isinstance(x, Batch) and x.level == level)
    return [
        x.array if isinstance(x, Batch) and x.level == level else np.broadcast_to(x, (count, *np.shape(x)))
        for x in arrays
    ]


@of(np.concatenate)
def concatenate(level: int, arrays: Any, axis: int | None = 0, **kwargs: Any) -> Any:
    """np.concatenate of the arrays of each example."""
    parts = everywhere(arrays, level)
    if axis is None:
        return Batch(np.concatenate([p.reshape(p.shape[0], -1) for p in parts], axis=1, **kwargs), level)
    return Batch(np.concatenate(parts, axis=place(axis, parts[0].ndim - 1), **kwargs), level)


@of(np.stack)
def stack(level: int, arrays: Any, axis: int = 0, **kwargs: Any) -> Any:
    """np.stack of the arrays of each example."""
    parts = everywhere(arrays, level)
    return Batch(np.stack(parts, axis=place(axis, parts[0].ndim), **kwargs), level)


# -- products ---------------------------------------------------------------------------------------------------


def same(x: Any, level: int) -> Any:
    """The array that all examples share (a stride of 0); any other Batch or array unchanged."""
    if isinstance(x, Batch) and x.level == level and isinstance(x.array, np.ndarray) and x.count > 1:
        return x.array[0] if x.array.strides[0] == 0 else x
    return x


@of(np.matmul)
def matmul(level: int, a: Any, b: Any) -> Any:
    """np.matmul of each example; one product for all examples if they share one factor."""
    left, right = same(a, level), same(b, level)
    if level not in levels(left, right):
        return Batch(np.broadcast_to(np.matmul(left, right), (a.count, *np.matmul(left, right).shape)), level)
    a, b = left, right
    both = level in levels(a) and level in levels(b)
    if not both and level in levels(a) and np.ndim(b) == 2 and a.ndim:
        rows = a.array.reshape(a.count * math.prod(a.shape[:-1]), a.shape[-1])
        return Batch((rows @ b).reshape(a.count, *a.shape[:-1], b.shape[-1]), level)
    if not both and level in levels(b) and np.ndim(a) == 2 and b.ndim == 1:
        return Batch(b.array @ a.T, level)
    if not (np.ndim(a) and np.ndim(b)):
        raise ValueError("matmul: an operand has no axes")
    rows, columns = a if np.ndim(a) > 1 else np.expand_dims(a, 0), b if np.ndim(b) > 1 else np.expand_dims(b, 1)
    ndim = max(rows.ndim, columns.ndim)
    y = np.matmul(in_front(rows, level, ndim), in_front(columns, level, ndim))
    dropped = (() if np.ndim(a) > 1 else (-2,)) + (() if np.ndim(b) > 1 else (-1,))
    return Batch(np.squeeze(y, dropped) if dropped else y, level)


@of(np.dot)
def dot(level: int, a: Any, b: Any) -> Any:
    """np.dot of each example."""
    if not np.ndim(a) or not np.ndim(b):
        return np.multiply(a, b)
    return np.matmul(a, b) if np.ndim(b) <= 2 else looped(level, np.dot, (a, b), {})


@of(np.einsum)
def einsum(level: int, subscripts: Any, *operands: Any, **kwargs: Any) -> Any:
    """np.einsum of each example; the axis of the examples is one more index."""
    if not isinstance(subscripts, str) or "->" not in subscripts or "." in subscripts or kwargs.get("out") is not None:
        return looped(level, np.einsum, (subscripts, *operands), kwargs)
    inputs, output = subscripts.replace(" ", "").split("->")
    letter = next(k for k in string.ascii_letters if k not in subscripts)
    mine = [isinstance(x, Batch) and x.level == level for x in operands]
    terms = [letter + term if m else term for term, m in zip(inputs.split(","), mine, strict=True)]
    arrays = [x.array if m else x for x, m in zip(operands, mine, strict=True)]
    return Batch(np.einsum(f"{','.join(terms)}->{letter}{output}", *arrays, **kwargs), level)


# -- linear algebra, which NumPy computes for stacks of matrices ------------------------------------------------

LA = np.linalg
of_matrices(LA.inv, LA.det, LA.slogdet, LA.cholesky, LA.eigh, LA.eigvalsh, LA.eig, LA.eigvals, LA.svd, LA.svdvals)
of_matrices(LA.qr, LA.pinv)


@of(LA.norm)
def norm(level: int, x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    """np.linalg.norm of each example, over all its elements if neither `ord` nor `axis` is given."""
    if axis is None and keepdims:
        return looped(level, LA.norm, (x, ord, axis, keepdims), {})
    array = x.array
    if axis is not None:
        inside: Any = places(axis, x.ndim) if np.ndim(axis) else place(axis, x.ndim)
    elif ord is None:
        array, inside = array.reshape(x.count, x.size), 1
    else:
        inside = 1 if x.ndim == 1 else (1, 2)
    return Batch(LA.norm(array, ord, inside, keepdims), level)


@of(np.put_along_axis, np.put, np.place, np.putmask, np.copyto, np.fill_diagonal)
def written(level: int, *args: Any, **kwargs: Any) -> Any:
    """Functions that write into an array: not possible, since all examples share the array."""
    raise NotBatched("an array is to be written into")


@of(LA.solve)
def solve(level: int, a: Any, b: Any) -> Any:
    """np.linalg.solve of each example."""
    columns = np.expand_dims(b, -1) if np.ndim(b) == 1 else b
    ndim = max(np.ndim(a), np.ndim(columns))
    x = Batch(LA.solve(in_front(a, level, ndim), in_front(columns, level, ndim)), level)
    return x[..., 0] if np.ndim(b) == 1 else x
