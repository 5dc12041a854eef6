"""Rules of the norms in np.linalg. At zero the adjoint of a norm is 0, the midpoint of the subdifferential."""

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from autodiff.engine.shapes import Axis, axes, keepdims_shape
from autodiff.engine.table import adjoint, composed, primitive
from autodiff.engine.values import Value
from autodiff.rules.arguments import raw
from autodiff.rules.linear_algebra import conjugate
from autodiff.rules.quotient import quotient


@primitive
def power_norm(x: Value, ord: float = 2, axis: Any = None, keepdims: bool = False) -> Value:  # NumPy's name
    """(Σ |x|^ord)^(1/ord) over the axes (by default all), for a finite ord other than 0."""
    if ord == 2 and axis is None:
        norm = np.sqrt(np.real(np.vdot(x, x)))
        return np.reshape(norm, (1,) * x.ndim) if keepdims else norm
    size = np.abs(x)
    total = np.sum(size if ord == 1 else size * size if ord == 2 else size**ord, axis=axis, keepdims=keepdims)
    return total if ord == 1 else np.sqrt(total) if ord == 2 else total ** (1 / ord)


def power_norm_adjoint(
    g: Value, y: Value, x: Value, ord: float = 2, axis: Axis = None, keepdims: bool = False
) -> Value:
    """conj(sign x) (|x| / y)^(ord − 1)."""
    shape = keepdims_shape(x.shape, axis)
    norm = np.broadcast_to(np.reshape(y, shape), x.shape)
    g = np.reshape(g, shape)
    if ord == 2:
        return g * quotient(conjugate(x), norm)
    sign = quotient(np.conj(x), np.abs(x)) if x.dtype.kind == "c" else np.sign(x)
    return g * sign if ord == 1 else g * (sign * quotient(np.abs(x), norm) ** (ord - 1))


adjoint(power_norm, power_norm_adjoint)


def of_vectors(x: Value, ord: float | None, axis: Axis, keepdims: bool) -> Value:
    """The vector norms of np.linalg.norm over any number of axes."""
    parameters: dict[str, Any] = ({} if axis is None else {"axis": axis}) | ({"keepdims": True} if keepdims else {})
    if ord is None or (ord != 0 and isinstance(ord, int | float | np.number) and math.isfinite(ord)):
        return power_norm(x, **parameters | ({} if ord in (None, 2) else {"ord": ord}))
    if ord in (math.inf, -math.inf):
        return (np.max if ord > 0 else np.min)(np.abs(x), **parameters)
    if ord == 0:  # the number of elements that are not 0, a constant
        return np.sum(np.not_equal(x, 0), **parameters).astype(np.abs(raw(x)).dtype)[()]
    raise ValueError(f"np.linalg.norm takes a number as the order of a vector norm; received {ord!r}")


def of_matrices(x: Value, ord: Any, row: int, column: int, keepdims: bool) -> Value:
    """The matrix norms of np.linalg.norm, over the axis of the rows and the axis of the columns."""
    if row == column:
        raise ValueError("np.linalg.norm takes two different axes for a matrix norm")
    if ord in (None, "fro", "f"):
        return of_vectors(x, 2, (row, column), keepdims)
    if ord in ("nuc", 2, -2):
        apart = [k for k in range(x.ndim) if k not in (row, column)]
        values = np.linalg.svdvals(np.transpose(x, (*apart, row, column)))
        result = np.sum(values, axis=-1) if ord == "nuc" else (np.max if ord > 0 else np.min)(values, axis=-1)
    elif ord in (1, -1, math.inf, -math.inf):
        summed, chosen = (row, column) if abs(ord) == 1 else (column, row)
        sums = np.sum(np.abs(x), axis=summed, keepdims=True)
        result = (np.max if ord > 0 else np.min)(sums, axis=(summed, chosen))
    else:
        raise ValueError(f"np.linalg.norm has no matrix norm of order {ord!r}; there are 'fro', 'nuc', ±1, ±2 and ±inf")
    return np.reshape(result, keepdims_shape(x.shape, (row, column))) if keepdims else result


@composed(np.linalg.norm)
def norm(x: Value, ord: Any = None, axis: Axis = None, keepdims: bool = False) -> Value:
    """np.linalg.norm of every order; elements or singular values that tie for the largest share the adjoint."""
    if axis is None and ord is None:
        return of_vectors(x, 2, None, keepdims)
    listed = axes(axis, x.ndim)
    if len(listed) == 1:
        return of_vectors(x, ord, listed, keepdims)
    if len(listed) == 2:
        return of_matrices(x, ord, *listed, keepdims)
    raise ValueError(f"np.linalg.norm takes one axis or two; received axis={axis} for shape {x.shape}")


@composed(np.linalg.vector_norm)
def vector_norm(x: Value, *, axis: Axis = None, keepdims: bool = False, ord: float = 2) -> Value:
    """np.linalg.vector_norm."""
    return of_vectors(x, ord, axis, keepdims)


@composed(np.linalg.matrix_norm)
def matrix_norm(x: Value, *, keepdims: bool = False, ord: Any = "fro") -> Value:
    """np.linalg.matrix_norm."""
    return of_matrices(x, ord, x.ndim - 2, x.ndim - 1, keepdims)


@composed(np.linalg.cond)
def cond(x: Value, p: ArrayLike | None = None) -> Value:
    """np.linalg.cond: the ratio of the extreme singular values, or the product of the norms of x and its inverse."""
    if p in (None, 2, -2):
        values = np.linalg.svdvals(x)
        return values[..., -1] / values[..., 0] if p == -2 else values[..., 0] / values[..., -1]
    last = (x.ndim - 2, x.ndim - 1)
    return of_matrices(x, p, *last, False) * of_matrices(np.linalg.inv(x), p, *last, False)
