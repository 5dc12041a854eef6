"""Rules of the products that sum: matmul, dot, einsum."""

import math
import string
from typing import Any

import numpy as np

from autodiff.graph import Node
from autodiff.primitive import adjoint, composed, primitive
from autodiff.rules.indexing import gather
from autodiff.shapes import unbroadcast

# -- matmul: vectors are matrices with one row (left) or one column (right); batch axes broadcast, and the reverse
#    pass sums them back, matmul being a ufunc ------------------------------------------------------------------


def matmul_left(g: Any, y: Any, a: Any, b: Any) -> Any:
    """G Bᵀ."""
    if b.ndim == 1:
        return g[..., None] * b
    if a.ndim == 1:
        return (b @ g[..., None])[..., 0]
    return g @ b.mT


def matmul_right(g: Any, y: Any, a: Any, b: Any) -> Any:
    """Aᵀ G."""
    if a.ndim == 1:
        return a * g if b.ndim == 1 else a[:, None] * g[..., None, :]
    if b.ndim == 1:
        return (a.mT @ g[..., None])[..., 0]
    return a.mT @ g


adjoint(np.matmul, matmul_left, matmul_right)


@composed(np.dot)
def dot(a: Any, b: Any) -> Any:
    """np.dot: a product of matrices, or of each last-axis row of a with each second-to-last-axis column of b."""
    shape_a, shape_b = np.shape(a), np.shape(b)
    if not shape_a or not shape_b:
        return np.multiply(a, b)
    if len(shape_b) <= 2:
        return np.matmul(a, b)
    *outer, rows, columns = range(len(shape_b))
    flat = np.reshape(np.transpose(b, (rows, *outer, columns)), (shape_b[rows], math.prod(shape_b[:-2]) * shape_b[-1]))
    return np.reshape(np.matmul(a, flat), shape_a[:-1] + shape_b[:-2] + shape_b[-1:])


# -- einsum: brought to explicit subscripts, no ellipsis, no index twice in one operand -------------------------


@primitive
def contraction(*operands: Any, subscripts: str) -> Any:
    """einsum in its plainest form: `ij,jk->ik`."""
    return np.einsum(subscripts, *operands, optimize=len(operands) > 2)


def contraction_adjoint(position: int, g: Any, y: Any, *operands: Any, subscripts: str) -> Any:
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
    if not isinstance(subscripts, str):
        raise TypeError(
            "np.einsum was called with alternating operands and index lists; with Tensors write the subscripts "
            "as a string: np.einsum('ij,jk->ik', a, b)."
        )
    terms, output = explicit(subscripts.replace(" ", ""), [np.ndim(x) for x in operands])
    diagonals = [diagonal(x, term) for x, term in zip(operands, terms, strict=True)]
    inputs = ",".join("".join(dict.fromkeys(term)) for term in terms)
    return contraction(*diagonals, subscripts=f"{inputs}->{output}")


def diagonal(x: Any, term: str) -> Any:
    """The elements of x whose indices agree where a letter of the term repeats, an axis for each letter."""
    axes = dict(zip(term, np.shape(x), strict=True))
    if len(axes) == len(term):
        return x
    if tuple(axes[k] for k in term) != np.shape(x):
        raise ValueError(f"einsum subscripts {term!r} repeat an index over unequal axes; received shape {np.shape(x)}")
    numbers = dict(zip(axes, np.ogrid[tuple(slice(n) for n in axes.values())], strict=True))
    return gather(x if isinstance(x, Node) else np.asarray(x), index=tuple(numbers[k] for k in term))


def explicit(subscripts: str, ndims: list[int]) -> tuple[list[str], str]:
    """The subscripts of each operand and of the result, a letter an axis, for operands of so many axes.

    Without `->` the result has the letters that occur once, in alphabetical order, after the ellipsis' axes.
    """
    inputs, arrow, output = subscripts.partition("->")
    terms = inputs.split(",")
    if len(terms) != len(ndims):
        raise ValueError(f"einsum subscripts {subscripts!r} name {len(terms)} operand(s); received {len(ndims)}")
    unused = [k for k in string.ascii_letters if k not in subscripts]
    hidden = [n - len(term.replace("...", "")) if "..." in term else 0 for term, n in zip(terms, ndims, strict=True)]
    ellipsis = "".join(unused[: max(hidden, default=0)])
    full = [t.replace("...", ellipsis[len(ellipsis) - h :]) for t, h in zip(terms, hidden, strict=True)]
    for term, n in zip(full, ndims, strict=True):
        if len(term) != n:
            raise ValueError(f"einsum subscripts {subscripts!r} do not fit operands of {ndims} axes")
    if arrow and ellipsis and "..." not in output:
        raise ValueError(f"einsum subscripts {subscripts!r} need an ellipsis after -> too, for {len(ellipsis)} axes")
    if not arrow:
        once = sorted(k for k in set(inputs) - set(",.") if inputs.count(k) == 1)
        return full, ellipsis + "".join(once)
    return full, output.replace("...", ellipsis)
