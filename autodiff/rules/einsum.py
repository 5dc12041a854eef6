"""The rule of einsum. Subscripts are first made explicit: no ellipsis, no index twice in one operand."""

import functools
import math
import operator
import string
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from autodiff.engine.devices import grid
from autodiff.engine.shapes import unbroadcast
from autodiff.engine.table import adjoint, composed, primitive
from autodiff.engine.values import Value
from autodiff.rules.arguments import array
from autodiff.rules.indexing import gather


@primitive
def contraction(*operands: Any, subscripts: str) -> Value:
    """einsum with explicit subscripts, such as `ij,jk->ik`."""
    if len(operands) == 2:
        product = as_product(subscripts, *operands)
        if product is not None:
            return product
    return np.einsum(subscripts, *operands, optimize=len(operands) > 2)


class Product(NamedTuple):
    """The orders of the axes that turn the contraction of two operands into a batch of matrix products."""

    left: tuple[int, ...]  # batch, kept, summed
    right: tuple[int, ...]  # batch, summed, kept
    result: tuple[int, ...]  # from batch, kept of the left, kept of the right
    batch: int
    summed: int


@functools.lru_cache(1024)
def product_of(subscripts: str) -> Product | None:
    """The matrix product of these subscripts; None if nothing is summed, or one operand alone has the summed index."""
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


def as_product(subscripts: str, a: Value, b: Value) -> Value | None:
    """The contraction of two arrays by matmul, many times as fast as NumPy's loop; None if it is no matrix product."""
    product = product_of(subscripts)
    if product is None:
        return None
    _, _, order, batch, summed = product
    left, right = a.transpose(product.left), b.transpose(product.right)
    lengths, rows, columns = left.shape[-summed:], left.shape[batch:-summed], right.shape[batch + summed :]
    if right.shape[: batch + summed] != left.shape[:batch] + lengths:
        return None  # an axis of length 1 is broadcast, or the shapes do not fit
    outer, n = left.shape[:batch], math.prod(lengths)
    y = left.reshape(*outer, math.prod(rows), n) @ right.reshape(*outer, n, math.prod(columns))
    return y.reshape(outer + rows + columns).transpose(order)


def contraction_adjoint(position: int, g: Value, y: Value, *operands: Any, subscripts: str) -> Value:
    """The adjoint of one operand: the same sum with g in its place, and its subscripts for the result."""
    inputs, output = subscripts.split("->")
    terms = inputs.split(",")
    own, shape = terms[position], np.shape(operands[position])
    sources = [output, *terms[:position], *terms[position + 1 :]]
    arrays = [g, *operands[:position], *operands[position + 1 :]]
    shared = [k for k in own if any(k in s for s in sources)]
    share = contraction(*arrays, subscripts=f"{','.join(sources)}->{''.join(shared)}")
    # Axes that were summed in this operand alone are broadcast again; axes that were broadcast are summed.
    lengths = iter(share.shape)
    share = np.reshape(share, tuple(next(lengths) if k in shared else 1 for k in own))
    return unbroadcast(np.broadcast_to(share, np.broadcast_shapes(share.shape, shape)), shape)


adjoint(contraction, each=contraction_adjoint)


@composed(np.einsum)
def einsum(subscripts: Any, *operands: Any, optimize: ArrayLike = False) -> Value:
    """np.einsum with subscripts as a string, explicit or implicit, with ellipsis and repeated indices."""
    if not isinstance(subscripts, str):  # operands and lists of numbers alternate; the result's list may follow
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


def diagonal(x: Value, term: str) -> Value:
    """The diagonal of x over the axes whose letters repeat in the term: one axis for each letter."""
    axes = dict(zip(term, np.shape(x), strict=True))
    if len(axes) == len(term):
        return x
    if tuple(axes[k] for k in term) != np.shape(x):
        raise ValueError(f"einsum subscripts {term!r} repeat an index over unequal axes; received shape {np.shape(x)}")
    numbers = dict(zip(axes, grid(tuple(axes.values()), x), strict=True))
    return gather(array(x), index=tuple(numbers[k] for k in term))


def explicit(subscripts: str, shapes: list[tuple[int, ...]]) -> tuple[list[str], str]:
    """The subscripts of each operand and of the result, one letter per axis, for operands of these shapes.

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
