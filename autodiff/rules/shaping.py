"""Rules of the functions that move elements without changing them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import DTypeLike

from autodiff.engine.devices import admitted, arange, beside, moved, place
from autodiff.engine.shapes import unbroadcast
from autodiff.engine.table import adjoint, composed, computed, linear, primitive
from autodiff.engine.values import Value
from autodiff.rules.arguments import along, array, given, raw
from autodiff.rules.indexing import scatter


@primitive
def identity(x: Value) -> Any:
    """The same value as a new node; transforms differentiate with respect to it."""
    return x


@primitive
def astype(x: Value, dtype: DTypeLike) -> Any:
    """The value in another floating-point type."""
    return x.astype(dtype)


@primitive
def on_device(x: Value, device: str) -> Any:
    """The value on the device of that name."""
    return moved(x, device)


adjoint(identity, lambda g, y, x: g)
adjoint(on_device, lambda g, y, x, device: on_device(g, device=place(x)))
adjoint(astype, lambda g, y, x, dtype: g)  # the pass converts an adjoint to its argument's dtype
adjoint(np.copy, lambda g, y, x: g)


def reshaped(
    g: Value,
    y: Value,
    x: Value,
    shape: int | Sequence[int] | None = None,
    order: str = "C",
    newshape: int | Sequence[int] | None = None,
    copy: bool | None = None,
) -> Value:
    """The adjoint in the shape of x, read in the same order; `newshape` is NumPy 2.0's name of the shape."""
    if order == "A":  # as x lies in memory
        plain = raw(x)
        order = "F" if (plain if type(plain) in admitted else np.asarray(plain)).flags.fnc else "C"
    if order not in ("C", "F"):
        raise ValueError(f"np.reshape and np.ravel of a Tensor take order 'C', 'F' or 'A'; received {order!r}")
    return np.reshape(g, x.shape, order=order)  # type: ignore[call-overload]  # checked above


adjoint(np.reshape, reshaped)


@computed(np.reshape)
def in_shape(x: Value, shape: Any = None, order: str = "C", newshape: Any = None, copy: bool | None = None) -> Value:
    """np.reshape; its second parameter has several names."""
    shape = shape if newshape is None else newshape
    if order == "C" and copy is None:
        return x.reshape(shape)
    return np.reshape(x, shape, **given(order=order, copy=copy))


def unravelled(g: Value, y: Value, x: Value, order: str = "C") -> Value:
    """The adjoint in the shape of x, read in the same order; "K" is the order in memory."""
    if order != "K":
        return reshaped(g, y, x, None, order)
    numbers = np.empty_like(raw(x), dtype=int)
    numbers[...] = arange(x.size, like=x).reshape(x.shape)
    return np.reshape(g[np.argsort(np.ravel(numbers, "K"))], x.shape)


adjoint(np.ravel, unravelled)
adjoint(np.expand_dims, lambda g, y, x, axis: np.reshape(g, x.shape))
adjoint(np.squeeze, lambda g, y, x, axis=None: np.reshape(g, x.shape))
adjoint(np.swapaxes, lambda g, y, x, axis1, axis2: np.swapaxes(g, axis1, axis2))
adjoint(np.broadcast_to, lambda g, y, x, shape: unbroadcast(g, x.shape))


def transposed(g: Value, y: Value, x: Value, axes: Sequence[int] | None = None) -> Value:
    """The adjoint with its axes in the order of x."""
    return np.transpose(g, None if axes is None else np.argsort([k % x.ndim for k in axes]))


adjoint(np.transpose, transposed)
adjoint(np.moveaxis, lambda g, y, x, source, destination: np.moveaxis(g, destination, source))
adjoint(np.matrix_transpose, lambda g, y, x: np.matrix_transpose(g))
adjoint(np.flip, lambda g, y, x, axis=None: np.flip(g, axis))
adjoint(np.fliplr, lambda g, y, x: np.fliplr(g))
adjoint(np.flipud, lambda g, y, x: np.flipud(g))
adjoint(np.rot90, lambda g, y, x, k=1, axes=(0, 1): np.rot90(g, -k, axes))
adjoint(np.roll, lambda g, y, x, shift, axis=None: np.roll(g, np.negative(shift), axis))
adjoint(np.tril, lambda g, y, x, k=0: unbroadcast(np.tril(g, k), x.shape))
adjoint(np.triu, lambda g, y, x, k=0: unbroadcast(np.triu(g, k), x.shape))
linear(np.moveaxis, np.matrix_transpose, np.flip, np.fliplr, np.flipud, np.rot90, np.roll, np.tril, np.triu)


@composed(np.rollaxis)
def rollaxis(a: Any, axis: int, start: int = 0) -> Value:
    """np.rollaxis: moveaxis, with places counted before the axis is removed."""
    ndim = np.ndim(a)
    if not -ndim <= axis < ndim:
        raise np.exceptions.AxisError(axis, ndim)
    axis, start = (k + ndim if k < 0 else k for k in (axis, start))
    return np.moveaxis(a, axis, start - (axis < start))


def each_at_least(*arrays: Any, ndim: int) -> Value | tuple[Value, ...]:
    """np.atleast_1d, 2d or 3d. The last one adds an axis before and after a vector, and one after a matrix."""
    shapes = [np.shape(a) for a in arrays]
    if ndim == 3:
        shapes = [(*s, 1) if len(s) == 2 else (1, *(s or (1,)), 1) if len(s) < 2 else s for s in shapes]
    wider = [(1,) * (ndim - len(s)) + s for s in shapes]
    grown = [np.reshape(array(a), s) for a, s in zip(arrays, wider, strict=True)]
    return grown[0] if len(grown) == 1 else tuple(grown)


composed(np.atleast_1d)(lambda *arys: each_at_least(*arys, ndim=1))
composed(np.atleast_2d)(lambda *arys: each_at_least(*arys, ndim=2))
composed(np.atleast_3d)(lambda *arys: each_at_least(*arys, ndim=3))


def overlapped(g: Value, y: Value, x: Value, window_shape: Any, axis: Any = None) -> Value:
    """The sum of the adjoints over all windows that contain an element."""
    places = sliding_window_view(np.arange(x.size).reshape(x.shape), window_shape, axis).ravel()
    return np.reshape(scatter(np.ravel(g), index=beside(places, g), shape=(x.size,)), x.shape)


adjoint(sliding_window_view, overlapped)
linear(sliding_window_view)


@composed(np.broadcast_arrays)
def broadcast_arrays(*args: Any) -> tuple[Value, ...]:
    """np.broadcast_arrays, of Tensors and arrays."""
    shape = np.broadcast_shapes(*map(np.shape, args))
    return tuple(np.broadcast_to(array(a), shape) for a in args)


@composed(np.meshgrid)
def meshgrid(*xi: Any, copy: bool = True, sparse: bool = False, indexing: str = "xy") -> Value | tuple[Value, ...]:
    """np.meshgrid: each vector of coordinates along its own axis."""
    if indexing not in ("xy", "ij"):
        raise ValueError(f"np.meshgrid takes indexing 'xy' or 'ij'; received {indexing!r}")
    places = list(range(len(xi)))
    if indexing == "xy":
        places[:2] = places[1::-1]
    grids = tuple(lying(np.ravel(array(x)), k, len(xi)) for x, k in zip(xi, places, strict=True))
    return grids if sparse else broadcast_arrays(*grids)


def lying(line: Any, axis: int, ndim: int) -> Value:
    """A vector reshaped to lie along one of `ndim` axes."""
    return np.reshape(line, tuple(-1 if k == axis % ndim else 1 for k in range(ndim)))


composed(np.ix_)(lambda *args: tuple(lying(np.ravel(array(x)), k, len(args)) for k, x in enumerate(args)))


# -- diagonals: in a matrix read row by row, a slice with the step n + 1 ----------------------------------------


def steps(rows: int, columns: int, offset: int) -> slice:
    """The places of a diagonal in a matrix read row by row."""
    start = offset if offset >= 0 else -offset * columns
    length = max(0, min(rows, columns - offset) if offset >= 0 else min(rows + offset, columns))
    return slice(start, start + length * (columns + 1), columns + 1) if length else slice(0, 0)


@composed(np.diagonal)
def diagonal(a: Value, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Value:
    """np.diagonal, a copy."""
    moved = np.moveaxis(array(a), (axis1, axis2), (-2, -1))
    *outer, rows, columns = moved.shape
    return np.reshape(moved, (*outer, rows * columns))[..., steps(rows, columns, offset)]


@composed(np.diag)
def diag(v: Value, k: int = 0) -> Value:
    """np.diag: the diagonal of a matrix, or the matrix with a given diagonal."""
    v = array(v)
    if v.ndim != 1:
        return diagonal(v, k)
    n = v.size + abs(k)
    return np.reshape(scatter(v, index=steps(n, n, k), shape=(n * n,)), (n, n))


composed(np.diagflat)(lambda v, k=0: diag(np.ravel(array(v)), k))


@primitive
def concatenate(*arrays: Any, axis: int | None = 0, dtype: DTypeLike | None = None) -> Value:
    """np.concatenate with each array as an argument, so that each becomes an operand."""
    return np.concatenate(arrays, axis=axis, dtype=dtype)


def sections(g: Value, y: Value, *arrays: Any, axis: int | None = 0, dtype: DTypeLike | None = None) -> list[Any]:
    """The parts of g that came from the arrays, one after the other."""
    axis, shapes = (0, [(a.size,) for a in arrays]) if axis is None else (axis, [a.shape for a in arrays])
    end, parts = 0, []
    for x, shape in zip(arrays, shapes, strict=True):
        start, end = end, end + shape[axis]
        parts.append(np.reshape(g[along(axis, g.ndim, slice(start, end))], x.shape))
    return parts


@primitive
def stack(*arrays: Any, axis: int = 0, dtype: DTypeLike | None = None) -> Value:
    """np.stack with each array as an argument, so that each becomes an operand."""
    return np.stack(arrays, axis=axis, dtype=dtype)


adjoint(concatenate, together=sections)
adjoint(
    stack,
    together=lambda g, y, *arrays, axis=0, dtype=None: [g[along(axis, g.ndim, k)] for k in range(len(arrays))],
)


@composed(np.concatenate)
def joined(arrays: Sequence[Any], axis: int | None = 0, *, dtype: DTypeLike | None = None) -> Value:
    """np.concatenate, of Tensors and arrays."""
    along_axis: dict[str, Any] = {} if axis == 0 else {"axis": axis}
    return concatenate(*arrays, **along_axis, **given(dtype=dtype))


@composed(np.stack)
def stacked(arrays: Sequence[Any], axis: int = 0, *, dtype: DTypeLike | None = None) -> Value:
    """np.stack, of Tensors and arrays."""
    arrays = list(arrays)
    shapes = {np.shape(a) for a in arrays}
    if len(shapes) != 1:
        raise ValueError(f"np.stack takes arrays of one shape; received the shapes {sorted(shapes)}")
    return stack(*arrays, **given(axis=axis or None, dtype=dtype))


def cast(x: Value, dtype: DTypeLike | None) -> Value:
    """The array in this dtype; itself if it has the dtype already, or if `dtype` is None."""
    return x if dtype is None or x.dtype == dtype else astype(x, dtype=np.dtype(dtype))


def in_double(x: Value) -> Value:
    """The array in double precision, in which some functions always compute."""
    x = array(x)
    return x if x.dtype in (np.float64, np.complex128) else astype(x, dtype=np.dtype(np.float64))


@composed(np.full_like)
def full_like(
    a: Value, fill_value: Any, *, dtype: DTypeLike | None = None, shape: int | Sequence[int] | None = None
) -> Value:
    """np.full_like: the value repeated; it may be a Tensor."""
    wide = np.broadcast_to(array(fill_value), np.shape(a) if shape is None else shape)
    return cast(wide, array(a).dtype if dtype is None else dtype)


def converted(x: Value, dtype: DTypeLike, *, copy: bool = True) -> Value:
    """np.astype, the array API's function."""
    return astype(x, dtype=np.dtype(dtype))


if hasattr(np, "astype"):  # since NumPy 2.1
    composed(np.astype)(converted)
