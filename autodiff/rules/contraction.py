"""Rules of the products that sum: matmul, dot, einsum."""

import functools
import math
import operator
import string
from typing import Any, NamedTuple

import numpy as np

from autodiff.engine.graph import Node
from autodiff.engine.recording import name_shapes
from autodiff.engine.shapes import axes as counted
from autodiff.engine.shapes import unbroadcast
from autodiff.engine.table import adjoint, composed, linear, primitive, table
from autodiff.engine.values import Value
from autodiff.rules.arguments import given, raw
from autodiff.rules.indexing import gather

# -- matmul: vectors are matrices with one row (left) or one column (right); batch axes broadcast, and the reverse
#    pass sums them back, matmul being a ufunc ------------------------------------------------------------------


def matmul(a: Value, b: Value) -> Any:
    """a @ b: one product of matrices where b is one, rather than one for each matrix of the batch."""
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
    if b.ndim == 2 < a.ndim:  # one product, rather than a batch of them that is summed up
        return np.reshape(a, (-1, a.shape[-1])).mT @ np.reshape(g, (-1, g.shape[-1]))
    return a.mT @ g


adjoint(np.matmul, matmul_left, matmul_right)
table[np.matmul].function = matmul


@composed(np.dot)
def dot(a: Value, b: Value) -> Any:
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


# -- einsum: brought to explicit subscripts, no ellipsis, no index twice in one operand -------------------------


@primitive
def contraction(*operands: Any, subscripts: str) -> Any:
    """einsum in its plainest form: `ij,jk->ik`."""
    if len(operands) == 2:
        product = as_product(subscripts, *operands)
        if product is not None:
            return product
    return np.einsum(subscripts, *operands, optimize=len(operands) > 2)


class Product(NamedTuple):
    """How the contraction of two operands is a batch of matrix products: in which order the axes are to be taken."""

    left: tuple[int, ...]  # batch, kept, summed
    right: tuple[int, ...]  # batch, summed, kept
    result: tuple[int, ...]  # from batch, kept of the left, kept of the right
    batch: int
    summed: int


@functools.lru_cache(1024)
def product_of(subscripts: str) -> Product | None:
    """The matrix product that these subscripts name; None where nothing is summed, or only one operand has it."""
    inputs, output = subscripts.split("->")
    a, b = inputs.split(",")
    batch = [k for k in a if k in b and k in output]
    summed = [k for k in a if k in b and k not in output]
    rows, columns = ([k for k in own if k not in other] for own, other in ((a, b), (b, a)))
    if not summed or not (rows or columns) or not set(rows + columns) <= set(output):
        return None
    letters = batch + rows + columns
    return Product(
        tuple(map(a.index, batch + rows + summed)),
        tuple(map(b.index, batch + summed + columns)),
        tuple(map(letters.index, output)),
        len(batch),
        len(summed),
    )


def as_product(subscripts: str, a: Value, b: Value) -> Any:
    """The contraction of two arrays by matmul, many times as fast as a loop over the letters; None where it is none."""
    product = product_of(subscripts)
    if product is None:
        return None
    _, _, order, batch, summed = product
    left, right = a.transpose(product.left), b.transpose(product.right)
    lengths, rows, columns = left.shape[-summed:], left.shape[batch:-summed], right.shape[batch + summed :]
    if right.shape[: batch + summed] != left.shape[:batch] + lengths:
        return None  # an axis of length 1 is stretched, or the shapes do not fit
    outer, n = left.shape[:batch], math.prod(lengths)
    y = left.reshape(*outer, math.prod(rows), n) @ right.reshape(*outer, n, math.prod(columns))
    return y.reshape(outer + rows + columns).transpose(order)


def contraction_adjoint(position: int, g: Value, y: Value, *operands: Any, subscripts: str) -> Value:
    """The same sum with g in the place of the operand, and the operand's subscripts as the result's."""
    inputs, output = subscripts.split("->")
    terms = inputs.split(",")
    own, shape = terms[position], np.shape(operands[position])
    sources = [output, *terms[:position], *terms[position + 1 :]]
    arrays = [g, *operands[:position], *operands[position + 1 :]]
    shared = [k for k in own if any(k in s for s in sources)]
    share = contraction(*arrays, subscripts=f"{','.join(sources)}->{''.join(shared)}")
    # What was summed over in this operand alone is spread out again; what was broadcast is summed up.
    lengths = iter(share.shape)
    share = np.reshape(share, tuple(next(lengths) if k in shared else 1 for k in own))
    return unbroadcast(np.broadcast_to(share, np.broadcast_shapes(share.shape, shape)), shape)


adjoint(contraction, each=contraction_adjoint)


@composed(np.einsum)
def einsum(subscripts: Any, *operands: Any, optimize: Any = False) -> Any:
    """np.einsum with subscripts as a string, explicit or implicit, with ellipsis and repeated indices."""
    if not isinstance(subscripts, str):  # operands and lists of numbers in turn, and perhaps the result's list
        parts = (subscripts, *operands)
        operands = parts[: len(parts) // 2 * 2 : 2]
        subscripts = ",".join(map(lettered, parts[1::2])) + (f"->{lettered(parts[-1])}" if len(parts) % 2 else "")
    terms, output = explicit(subscripts.replace(" ", ""), [np.shape(x) for x in operands])
    diagonals = [diagonal(x, term) for x, term in zip(operands, terms, strict=True)]
    inputs = ",".join("".join(dict.fromkeys(term)) for term in terms)
    return contraction(*diagonals, subscripts=f"{inputs}->{output}")


def lettered(numbers: Any) -> str:
    """A list of einsum's numbers as subscripts."""
    return "".join("..." if k is Ellipsis else string.ascii_letters[operator.index(k)] for k in numbers)


def diagonal(x: Value, term: str) -> Any:
    """The elements of x whose indices agree where a letter of the term repeats, an axis for each letter."""
    axes = dict(zip(term, np.shape(x), strict=True))
    if len(axes) == len(term):
        return x
    if tuple(axes[k] for k in term) != np.shape(x):
        raise ValueError(f"einsum subscripts {term!r} repeat an index over unequal axes; received shape {np.shape(x)}")
    numbers = dict(zip(axes, np.ogrid[tuple(slice(n) for n in axes.values())], strict=True))
    return gather(x if isinstance(x, Node) else np.asarray(x), index=tuple(numbers[k] for k in term))


def explicit(subscripts: str, shapes: list[tuple[int, ...]]) -> tuple[list[str], str]:
    """The subscripts of each operand and of the result, a letter an axis, for operands of these shapes.

    Without `->` the result has the letters that occur once, in alphabetical order, after the ellipsis' axes.
    """
    inputs, arrow, output = subscripts.partition("->")
    terms, ndims = inputs.split(","), [len(shape) for shape in shapes]
    if len(terms) != len(ndims):
        raise ValueError(f"einsum subscripts {subscripts!r} name {len(terms)} operand(s); received {len(ndims)}")
    unused = [k for k in string.ascii_letters if k not in subscripts]
    hidden = [n - len(term.replace("...", "")) if "..." in term else 0 for term, n in zip(terms, ndims, strict=True)]
    ellipsis = "".join(unused[: max(hidden, default=0)])
    full = [t.replace("...", ellipsis[len(ellipsis) - h :]) for t, h in zip(terms, hidden, strict=True)]
    for term, n in zip(full, ndims, strict=True):
        if len(term) != n:
            raise ValueError(
                f"einsum subscripts {subscripts!r} do not fit operands of the shapes {', '.join(map(str, shapes))}: "
                f"{term!r} names {len(term)} axes."
            )
    if arrow and ellipsis and "..." not in output:
        raise ValueError(f"einsum subscripts {subscripts!r} need an ellipsis after -> too, for {len(ellipsis)} axes")
    if not arrow:
        once = sorted(k for k in set(inputs) - set(",.") if inputs.count(k) == 1)
        return full, ellipsis + "".join(once)
    return full, output.replace("...", ellipsis)


# -- products that are written with matmul and einsum -----------------------------------------------------------


def conjugated(x: Value) -> Any:
    """The complex conjugate; real arrays as they are."""
    return np.conj(x) if np.iscomplexobj(x) else x


composed(np.linalg.matmul)(lambda x1, x2: np.matmul(x1, x2))


@composed(np.vdot)
def vdot(a: Value, b: Value) -> Any:
    """np.vdot: the sum of conj(a) b over all elements."""
    if math.prod(np.shape(a)) != math.prod(np.shape(b)):
        raise ValueError(f"np.vdot takes arrays of one size; received the shapes {np.shape(a)} and {np.shape(b)}.")
    return np.matmul(conjugated(np.ravel(a)), np.ravel(b))


@composed(np.linalg.vecdot)
@composed(np.vecdot)
def vecdot(x1: Value, x2: Value, *, axis: int = -1) -> Any:
    """np.vecdot: the sum of conj(x1) x2 along an axis."""
    x1, x2 = (x if axis == -1 else np.transpose(x, transposition(np.ndim(x), axis)) for x in (x1, x2))
    agree("np.vecdot", x1, x2)
    return np.einsum("...i,...i->...", conjugated(x1), x2)


def agree(name: str, left: Value, right: Value, axis: int = -1, ndims: tuple[int, int] = (1, 1)) -> None:
    """Refuse what NumPy refuses: the last axis of the left is summed with `axis` of the right, of the same length.

    (An einsum would stretch an axis of length 1.) `ndims` are the least numbers of axes.
    """
    shapes = np.shape(left), np.shape(right)
    if any(map(operator.lt, map(len, shapes), ndims)) or shapes[0][-1] != shapes[1][axis]:
        raise ValueError(
            f"{name} takes arrays of at least {ndims[0]} and {ndims[1]} axes, and sums the last axis of the first with "
            f"axis {axis} of the second, which is as long; received shapes {shapes[0]} and {shapes[1]}."
        )


def transposition(ndim: int, axis: int) -> tuple[int, ...]:
    """The order of the axes that has one of them last; AxisError where it is not there."""
    if not -ndim <= axis < ndim:
        raise np.exceptions.AxisError(axis, ndim)
    return (*(k for k in range(ndim) if k != axis % ndim), axis % ndim)


if hasattr(np, "matvec"):  # NumPy 2.2

    @composed(np.matvec)
    def matvec(x1: Value, x2: Value) -> Any:
        """np.matvec: matrices times vectors, batched."""
        agree("np.matvec", x1, x2, ndims=(2, 1))
        return np.matmul(x1, np.expand_dims(x2, -1))[..., 0]

    @composed(np.vecmat)
    def vecmat(x1: Value, x2: Value) -> Any:
        """np.vecmat: conjugated vectors times matrices, batched."""
        agree("np.vecmat", x1, x2, -2, ndims=(1, 2))
        return np.matmul(np.expand_dims(conjugated(x1), -2), x2)[..., 0, :]


@composed(np.inner)
def inner(a: Value, b: Value) -> Any:
    """np.inner: a sum over the last axes."""
    if not np.ndim(a) or not np.ndim(b):
        return np.multiply(a, b)
    agree("np.inner", a, b)
    return np.tensordot(a, b, (-1, -1))


@composed(np.outer)
def outer(a: Value, b: Value) -> Any:
    """np.outer: every product of an element of a with one of b."""
    return np.multiply(np.expand_dims(np.ravel(a), 1), np.expand_dims(np.ravel(b), 0))


@composed(np.linalg.outer)
def outer_of_vectors(x1: Value, x2: Value, /) -> Any:
    """np.linalg.outer: np.outer of vectors only."""
    if np.ndim(x1) != 1 or np.ndim(x2) != 1:
        raise ValueError(f"np.linalg.outer takes two vectors; received the shapes {np.shape(x1)} and {np.shape(x2)}")
    return outer(x1, x2)


@composed(np.tensordot)
def tensordot(a: Value, b: Value, axes: Any = 2) -> Any:
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
def kron(a: Value, b: Value) -> Any:
    """np.kron: a with each element replaced by its product with all of b."""
    ndim = max(np.ndim(a), np.ndim(b))
    shape_a, shape_b = ((1,) * (ndim - np.ndim(x)) + np.shape(x) for x in (a, b))
    left = np.reshape(a, [n for k in shape_a for n in (k, 1)])
    right = np.reshape(b, [n for k in shape_b for n in (1, k)])
    return np.reshape(np.multiply(left, right), [m * n for m, n in zip(shape_a, shape_b, strict=True)])


@composed(np.cross)
def cross(a: Value, b: Value, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None) -> Any:
    """np.cross of vectors in space; of two in the plane the third component alone."""
    if axis is not None:
        axisa = axisb = axisc = axis
    if not (np.ndim(a) and np.ndim(b)):
        return np.cross(raw(a), raw(b))  # which NumPy refuses
    vectors = [np.transpose(x, transposition(np.ndim(x), k)) for x, k in ((a, axisa), (b, axisb))]
    if any(v.shape[-1] != 3 for v in vectors):
        np.cross(*map(raw, vectors))  # NumPy warns that it gives up those in the plane, and refuses others
    if all(v.shape[-1] == 2 for v in vectors):
        a, b = vectors
        return a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]
    a, b = (v if v.shape[-1] == 3 else np.concatenate([v, np.zeros_like(v[..., :1])], axis=-1) for v in vectors)
    following, preceding = [1, 2, 0], [2, 0, 1]
    product = a[..., following] * b[..., preceding] - a[..., preceding] * b[..., following]
    return np.transpose(product, np.argsort(transposition(product.ndim, axisc)))


@composed(np.linalg.cross)
def cross_in_space(x1: Value, x2: Value, /, *, axis: int = -1) -> Any:
    """np.linalg.cross: of vectors in space only."""
    if not np.shape(x1)[axis] == np.shape(x2)[axis] == 3:
        return np.linalg.cross(raw(x1), raw(x2), axis=axis)  # which NumPy refuses
    return cross(x1, x2, axis=axis)


composed(np.linalg.tensordot)(lambda x1, x2, /, *, axes=2: tensordot(x1, x2, axes))


def traced(g: Value, y: Value, a: Value, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None) -> Value:
    """The diagonal that was summed, with g on it."""
    rows, columns = axis1 % a.ndim, axis2 % a.ndim
    order = [*(k for k in range(a.ndim) if k not in (rows, columns)), rows, columns]
    places = np.eye(a.shape[rows], a.shape[columns], k=offset, dtype=bool)
    return np.transpose(np.where(places, g[..., None, None], 0.0), np.argsort(order))


adjoint(np.trace, traced)
linear(np.trace)


@composed(np.linalg.trace)
def traces(x: Value, /, *, offset: int = 0, dtype: Any = None) -> Any:
    """np.linalg.trace: that of each matrix."""
    return np.trace(x, offset=offset, axis1=-2, axis2=-1, **given(dtype=dtype))


composed(np.linalg.diagonal)(lambda x, /, *, offset=0: np.diagonal(x, offset=offset, axis1=-2, axis2=-1))
composed(np.linalg.matrix_transpose)(lambda x, /: np.swapaxes(x, -1, -2))
