"""Rules of the products that sum: matmul, dot, and the functions that are written with them or with einsum."""

import math
import operator
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from autodiff.engine.devices import beside
from autodiff.engine.recording import name_shapes
from autodiff.engine.shapes import axes as counted
from autodiff.engine.table import adjoint, composed, linear, table
from autodiff.engine.values import Value
from autodiff.rules.arguments import given, raw

# -- matmul: vectors are matrices with one row (left) or one column (right); batch axes broadcast, and the reverse
#    pass sums them back, since matmul is a ufunc ---------------------------------------------------------------


def matmul(a: Value, b: Value) -> Value:
    """a @ b: if b is one matrix, one product for the whole batch of a instead of one for each of its matrices."""
    try:
        if isinstance(a, np.ndarray) and isinstance(b, np.ndarray) and b.ndim == 2 < a.ndim:
            return (a.reshape(-1, a.shape[-1]) @ b).reshape(*a.shape[:-1], b.shape[-1])
        return np.matmul(a, b)
    except ValueError as error:
        name_shapes(error, np.matmul, (a, b))
        raise


def matmul_left(g: Value, y: Value, a: Value, b: Value) -> Value:
    """G Bᵀ."""
    if b.ndim == 1:
        return g[..., None] * b
    if a.ndim == 1:
        return (b @ g[..., None])[..., 0]
    return matmul(g, b.mT)


def matmul_right(g: Value, y: Value, a: Value, b: Value) -> Value:
    """Aᵀ G."""
    if a.ndim == 1:
        return a * g if b.ndim == 1 else a[:, None] * g[..., None, :]
    if b.ndim == 1:
        return (a.mT @ g[..., None])[..., 0]
    if b.ndim == 2 < a.ndim:  # one product instead of the sum over a batch of products
        return np.reshape(a, (-1, a.shape[-1])).mT @ np.reshape(g, (-1, g.shape[-1]))
    return a.mT @ g


adjoint(np.matmul, matmul_left, matmul_right)
table[np.matmul].function = matmul


@composed(np.dot)
def dot(a: Value, b: Value) -> Value:
    """np.dot: a product of matrices, or of each last-axis row of a with each second-to-last-axis column of b."""
    shape_a, shape_b = np.shape(a), np.shape(b)
    if not shape_a or not shape_b:
        return np.multiply(a, b)
    agree("np.dot", a, b, axis=-1 if len(shape_b) == 1 else -2)
    if len(shape_b) <= 2:
        return np.matmul(a, b)
    *outer, rows, columns = range(len(shape_b))
    flat = np.reshape(np.transpose(b, (rows, *outer, columns)), (shape_b[rows], math.prod(shape_b[:-2]) * shape_b[-1]))
    return np.reshape(np.matmul(a, flat), shape_a[:-1] + shape_b[:-2] + shape_b[-1:])


# -- products that are written with matmul and einsum -----------------------------------------------------------


def conjugated(x: Value) -> Value:
    """The complex conjugate; real arrays unchanged."""
    return np.conj(x) if np.iscomplexobj(x) else x


composed(np.linalg.matmul)(lambda x1, x2: np.matmul(x1, x2))


@composed(np.vdot)
def vdot(a: Value, b: Value) -> Value:
    """np.vdot: the sum of conj(a) b over all elements."""
    if math.prod(np.shape(a)) != math.prod(np.shape(b)):
        raise ValueError(f"np.vdot takes arrays of one size; received the shapes {np.shape(a)} and {np.shape(b)}.")
    return np.matmul(conjugated(np.ravel(a)), np.ravel(b))


@composed(np.linalg.vecdot)
@composed(np.vecdot)
def vecdot(x1: Value, x2: Value, *, axis: int = -1) -> Value:
    """np.vecdot: the sum of conj(x1) x2 along an axis."""
    x1, x2 = (x if axis == -1 else np.transpose(x, transposition(np.ndim(x), axis)) for x in (x1, x2))
    agree("np.vecdot", x1, x2)
    return np.einsum("...i,...i->...", conjugated(x1), x2)


def agree(name: str, left: Value, right: Value, axis: int = -1, ndims: tuple[int, int] = (1, 1)) -> None:
    """Raise ValueError, as NumPy does, unless the last axis of the left is as long as `axis` of the right.

    (An einsum would broadcast an axis of length 1.) `ndims` are the least numbers of axes.
    """
    shapes = np.shape(left), np.shape(right)
    if any(map(operator.lt, map(len, shapes), ndims)) or shapes[0][-1] != shapes[1][axis]:
        raise ValueError(
            f"{name} takes arrays of at least {ndims[0]} and {ndims[1]} axes, and sums the last axis of the first with "
            f"axis {axis} of the second, which is as long; received shapes {shapes[0]} and {shapes[1]}."
        )


def transposition(ndim: int, axis: int) -> tuple[int, ...]:
    """The order of the axes that has `axis` last. Raises AxisError if there is no such axis."""
    if not -ndim <= axis < ndim:
        raise np.exceptions.AxisError(axis, ndim)
    return (*(k for k in range(ndim) if k != axis % ndim), axis % ndim)


if hasattr(np, "matvec"):  # NumPy 2.2

    @composed(np.matvec)
    def matvec(x1: Value, x2: Value) -> Value:
        """np.matvec: matrices times vectors, batched."""
        agree("np.matvec", x1, x2, ndims=(2, 1))
        return np.matmul(x1, np.expand_dims(x2, -1))[..., 0]

    @composed(np.vecmat)
    def vecmat(x1: Value, x2: Value) -> Value:
        """np.vecmat: conjugated vectors times matrices, batched."""
        agree("np.vecmat", x1, x2, -2, ndims=(1, 2))
        return np.matmul(np.expand_dims(conjugated(x1), -2), x2)[..., 0, :]


@composed(np.inner)
def inner(a: Value, b: Value) -> Value:
    """np.inner: a sum over the last axes."""
    if not np.ndim(a) or not np.ndim(b):
        return np.multiply(a, b)
    agree("np.inner", a, b)
    return np.tensordot(a, b, (-1, -1))


@composed(np.outer)
def outer(a: Value, b: Value) -> Value:
    """np.outer: every product of an element of a with one of b."""
    return np.multiply(np.expand_dims(np.ravel(a), 1), np.expand_dims(np.ravel(b), 0))


@composed(np.linalg.outer)
def outer_of_vectors(x1: Value, x2: Value, /) -> Value:
    """np.linalg.outer: np.outer of vectors only."""
    if np.ndim(x1) != 1 or np.ndim(x2) != 1:
        raise ValueError(f"np.linalg.outer takes two vectors; received the shapes {np.shape(x1)} and {np.shape(x2)}")
    return outer(x1, x2)


@composed(np.tensordot)
def tensordot(a: Value, b: Value, axes: Any = 2) -> Value:
    """np.tensordot: a matrix product of reshaped arrays, over the axes that are summed."""
    shape_a, shape_b = np.shape(a), np.shape(b)
    first, second = (range(-axes, 0), range(axes)) if isinstance(axes, int | np.integer) else axes
    summed_a, summed_b = list(counted(first, len(shape_a))), list(counted(second, len(shape_b)))
    if [shape_a[k] for k in summed_a] != [shape_b[k] for k in summed_b]:
        raise ValueError(f"np.tensordot over axes {axes!r} does not fit the shapes {shape_a} and {shape_b}")
    kept_a = [k for k in range(len(shape_a)) if k not in summed_a]
    kept_b = [k for k in range(len(shape_b)) if k not in summed_b]
    outer_a, outer_b = [shape_a[k] for k in kept_a], [shape_b[k] for k in kept_b]
    length = math.prod(shape_a[k] for k in summed_a)
    left = np.reshape(np.transpose(a, kept_a + summed_a), (math.prod(outer_a), length))
    right = np.reshape(np.transpose(b, summed_b + kept_b), (length, math.prod(outer_b)))
    return np.reshape(np.matmul(left, right), (*outer_a, *outer_b))


@composed(np.kron)
def kron(a: Value, b: Value) -> Value:
    """np.kron: a with each element replaced by its product with all of b."""
    ndim = max(np.ndim(a), np.ndim(b))
    shape_a, shape_b = ((1,) * (ndim - np.ndim(x)) + np.shape(x) for x in (a, b))
    left = np.reshape(a, [n for k in shape_a for n in (k, 1)])
    right = np.reshape(b, [n for k in shape_b for n in (1, k)])
    return np.reshape(np.multiply(left, right), [m * n for m, n in zip(shape_a, shape_b, strict=True)])


@composed(np.cross)
def cross(a: Value, b: Value, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None) -> Value:
    """np.cross of vectors in space; for two vectors in the plane, only the third component."""
    if axis is not None:
        axisa = axisb = axisc = axis
    if not (np.ndim(a) and np.ndim(b)):
        return np.cross(raw(a), raw(b))  # NumPy raises its error
    vectors = [np.transpose(x, transposition(np.ndim(x), k)) for x, k in ((a, axisa), (b, axisb))]
    if any(v.shape[-1] != 3 for v in vectors):
        np.cross(*map(raw, vectors))  # NumPy warns about vectors in the plane, and raises an error for others
    if all(v.shape[-1] == 2 for v in vectors):
        a, b = vectors
        return a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]
    a, b = (v if v.shape[-1] == 3 else np.concatenate([v, np.zeros_like(v[..., :1])], axis=-1) for v in vectors)
    following, preceding = [1, 2, 0], [2, 0, 1]
    product = a[..., following] * b[..., preceding] - a[..., preceding] * b[..., following]
    return np.transpose(product, np.argsort(transposition(product.ndim, axisc)))


@composed(np.linalg.cross)
def cross_in_space(x1: Value, x2: Value, /, *, axis: Any = -1) -> Value:
    """np.linalg.cross: only for vectors in space."""
    if axis is None or not np.shape(x1)[axis] == np.shape(x2)[axis] == 3:
        np.linalg.cross(raw(x1), raw(x2), axis=axis)  # NumPy raises its error
    return cross(x1, x2, axis=-1 if axis is None else axis)


composed(np.linalg.tensordot)(lambda x1, x2, /, *, axes=2: tensordot(x1, x2, axes))


def traced(
    g: Value, y: Value, a: Value, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: DTypeLike | None = None
) -> Value:
    """An array with g on the diagonal that was summed."""
    rows, columns = axis1 % a.ndim, axis2 % a.ndim
    order = [*(k for k in range(a.ndim) if k not in (rows, columns)), rows, columns]
    places = beside(np.eye(a.shape[rows], a.shape[columns], k=offset, dtype=bool), g)
    return np.transpose(np.where(places, g[..., None, None], 0.0), np.argsort(order))


adjoint(np.trace, traced)
linear(np.trace)


@composed(np.linalg.trace)
def traces(x: Value, /, *, offset: int = 0, dtype: DTypeLike | None = None) -> Value:
    """np.linalg.trace: the trace of each matrix."""
    return np.trace(x, offset=offset, axis1=-2, axis2=-1, **given(dtype=dtype))


composed(np.linalg.diagonal)(lambda x, /, *, offset=0: np.diagonal(x, offset=offset, axis1=-2, axis2=-1))
composed(np.linalg.matrix_transpose)(lambda x, /: np.swapaxes(x, -1, -2))
