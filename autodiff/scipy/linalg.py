"""Functions of scipy.linalg. Matrices are the last two axes, the axes before them a batch, which is broadcast.

Functions that numpy.linalg has too (inv, det, solve, eigh, svd ...) are not here: NumPy's take Tensors. Arguments that
only save memory or time (overwrite_b ...) are accepted and ignored.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import scipy

from autodiff.engine.shapes import unbroadcast
from autodiff.engine.table import adjoint, primitive
from autodiff.rules.arguments import raw
from autodiff.rules.linear_algebra import conjugate, dagger
from autodiff.scipy.arguments import absent, each_matrix, floating

__all__ = [
    "block_diag",
    "cho_factor",
    "cho_solve",
    "cholesky",
    "expm",
    "solve_continuous_lyapunov",
    "solve_sylvester",
    "solve_triangular",
    "sqrtm",
    "toeplitz",
]


def __getattr__(name: str) -> Any:
    if name in np.linalg.__all__ and not name.startswith("_"):
        raise AttributeError(f"autodiff.scipy.linalg has no {name!r}: NumPy's takes Tensors, np.linalg.{name}(tensor).")
    raise absent("linalg", name, __all__)


# -- triangular systems -----------------------------------------------------------------------------------------


@primitive
def triangular_solution(
    a: Any, b: Any, lower: bool = False, unit_diagonal: bool = False, check_finite: bool = True
) -> Any:
    """The x with A x = b, where A is one triangle of a; a vector b is one column."""
    solve = functools.partial(
        scipy.linalg.solve_triangular, lower=lower, unit_diagonal=unit_diagonal, check_finite=check_finite
    )
    return each_matrix(solve, a, b) if b.ndim > 1 else each_matrix(solve, a, b[:, None])[..., 0]


def triangular_left(g: Any, y: Any, a: Any, b: Any, lower: bool = False, unit_diagonal: bool = False, **_: Any) -> Any:
    """−A⁻ᵀ g yᵀ, in the triangle that is read."""
    columns, solution = (g[..., None], y[..., None]) if np.ndim(b) == 1 else (g, y)
    whole = triangular_solution(a.mT, columns, lower=not lower, unit_diagonal=unit_diagonal) @ -solution.mT
    triangle = np.tril(whole, -int(unit_diagonal)) if lower else np.triu(whole, int(unit_diagonal))
    return unbroadcast(triangle, np.shape(a))


def triangular_right(g: Any, y: Any, a: Any, b: Any, lower: bool = False, unit_diagonal: bool = False, **_: Any) -> Any:
    """A⁻ᵀ g."""
    columns = g[..., None] if np.ndim(b) == 1 else g
    solution = triangular_solution(a.mT, columns, lower=not lower, unit_diagonal=unit_diagonal)
    return unbroadcast(solution[..., 0] if np.ndim(b) == 1 else solution, np.shape(b))


adjoint(triangular_solution, triangular_left, triangular_right)


def solve_triangular(
    a: Any,
    b: Any,
    trans: Any = 0,
    lower: bool = False,
    unit_diagonal: bool = False,
    overwrite_b: bool = False,
    check_finite: bool = True,
) -> Any:
    """The x with A x = b, where A is the upper (or `lower`) triangle of a; the other one is not read.

    `trans` 0 or "N" takes A, 1 or "T" its transpose, 2 or "C" its conjugate transpose. Shapes (..., n, n) and
    (..., n, k), or (n,) for one column. A singular matrix raises LinAlgError.

    >>> from autodiff.scipy import linalg
    >>> linalg.solve_triangular(np.array([[2.0, 0.0], [1.0, 1.0]]), np.array([2.0, 3.0]), lower=True)
    array([1., 2.])
    """
    a, b = floating(a), floating(b)
    if trans not in (0, "N"):
        if trans not in (1, "T", 2, "C"):
            raise ValueError(f'solve_triangular takes trans= 0, 1, 2, "N", "T" or "C"; received {trans!r}')
        a, lower = (a if trans in (1, "T") else conjugate(a)).mT, not lower
    unchecked = {} if check_finite else {"check_finite": False}
    return triangular_solution(a, b, lower=lower, unit_diagonal=unit_diagonal, **unchecked)


def cholesky(a: Any, lower: bool = False, overwrite_a: bool = False, check_finite: bool = True) -> Any:
    """The upper triangular U with A = Uᴴ U, or the `lower` L with A = L Lᴴ; only that triangle of A is read.

    >>> from autodiff.scipy import linalg
    >>> linalg.cholesky(np.array([[4.0, 2.0], [2.0, 2.0]]), lower=True)
    array([[2., 0.],
           [1., 1.]])
    """
    return np.linalg.cholesky(floating(a), upper=not lower)


def cho_factor(a: Any, lower: bool = False, overwrite_a: bool = False, check_finite: bool = True) -> tuple[Any, bool]:
    """The Cholesky factor, and whether it is the lower one, for `cho_solve`. The other triangle is 0.

    >>> from autodiff.scipy import linalg
    >>> factor, lower = linalg.cho_factor(np.array([[4.0, 2.0], [2.0, 2.0]]))
    >>> factor, lower
    (array([[2., 1.],
           [0., 1.]]), False)
    """
    return cholesky(a, lower), lower


def cho_solve(c_and_lower: tuple[Any, bool], b: Any, overwrite_b: bool = False, check_finite: bool = True) -> Any:
    """The x with A x = b, where `cho_factor(A)` is the first argument.

    >>> from autodiff.scipy import linalg
    >>> factor = linalg.cho_factor(np.array([[4.0, 2.0], [2.0, 2.0]]))
    >>> linalg.cho_solve(factor, np.array([6.0, 4.0])).round(4)
    array([1., 1.])
    """
    factor, lower = c_and_lower
    first, second = (0, 2) if lower else (2, 0)
    solution = solve_triangular(factor, b, first, lower, check_finite=check_finite)
    return solve_triangular(factor, solution, second, lower, check_finite=check_finite)


# -- Sylvester's equation ---------------------------------------------------------------------------------------


@primitive
def sylvester_solution(a: Any, b: Any, q: Any) -> Any:
    """The X with A X + X B = Q, by the method of Bartels & Stewart (1972)."""
    return each_matrix(scipy.linalg.solve_sylvester, a, b, q)


def sylvester_adjoint(g: Any, a: Any, b: Any) -> Any:
    """Q̄, the solution of Aᵀ Q̄ + Q̄ Bᵀ = g. From it follow Ā = −Q̄ Xᵀ and B̄ = −Xᵀ Q̄."""
    return sylvester_solution(a.mT, b.mT, g)


adjoint(
    sylvester_solution,
    lambda g, y, a, b, q: unbroadcast(-sylvester_adjoint(g, a, b) @ y.mT, np.shape(a)),
    lambda g, y, a, b, q: unbroadcast(-y.mT @ sylvester_adjoint(g, a, b), np.shape(b)),
    lambda g, y, a, b, q: unbroadcast(sylvester_adjoint(g, a, b), np.shape(q)),
)


def solve_sylvester(a: Any, b: Any, q: Any) -> Any:
    """The X with A X + X B = Q, of shapes (..., m, m), (..., n, n) and (..., m, n); A and −B share no eigenvalue.

    >>> from autodiff.scipy import linalg
    >>> linalg.solve_sylvester(np.eye(2), np.eye(2), np.array([[2.0, 4.0], [6.0, 8.0]])).round(4)
    array([[1., 2.],
           [3., 4.]])
    """
    return sylvester_solution(floating(a), floating(b), floating(q))


def solve_continuous_lyapunov(a: Any, q: Any) -> Any:
    """The X with A X + X Aᴴ = Q.

    >>> from autodiff.scipy import linalg
    >>> linalg.solve_continuous_lyapunov(np.diag([1.0, 2.0]), np.eye(2)).round(4)
    array([[0.5 , 0.  ],
           [0.  , 0.25]])
    """
    return solve_sylvester(a, dagger(floating(a)), q)


# -- functions of a matrix --------------------------------------------------------------------------------------


@primitive
def expm(A: Any) -> Any:  # noqa: N803  # SciPy's name
    """The matrix exponential Σ Aᵏ / k!.

    >>> from autodiff.scipy import linalg
    >>> linalg.expm(np.array([[0.0, 1.0], [0.0, 0.0]]))
    array([[1., 1.],
           [0., 1.]])
    """
    return scipy.linalg.expm(A)


@primitive
def sqrtm(A: Any) -> Any:  # noqa: N803
    """The principal square root of a matrix; complex if A has a negative eigenvalue.

    >>> from autodiff.scipy import linalg
    >>> linalg.sqrtm(np.array([[4.0, 0.0], [0.0, 9.0]])).round(4)
    array([[2., 0.],
           [0., 3.]])
    """
    matrix = floating(A)
    root = each_matrix(scipy.linalg.sqrtm, matrix)
    precision = np.finfo(matrix.dtype).dtype  # an older SciPy widens float32
    return root.astype(np.result_type(precision, np.complex64) if root.dtype.kind == "c" else precision)


def expm_adjoint(g: Any, y: Any, A: Any) -> Any:  # noqa: N803
    """The derivative of expm at Aᵀ along g: the upper right block of expm([[Aᵀ, g], [0, Aᵀ]]) (Higham, eq. 3.16).

    g is scaled to the size of A, so that a large g loses no precision. Source: Higham (2008), "Functions of Matrices".
    """
    largest = [np.max(np.abs(raw(x)), initial=0.0) for x in (A, g)]
    scale = float(largest[1] / largest[0]) if all(largest) else 1.0
    above = np.concatenate([A.mT, g / scale], axis=-1)
    below = np.concatenate([np.zeros(A.shape, A.dtype), A.mT], axis=-1)
    n = A.shape[-1]
    return scale * expm(np.concatenate([above, below], axis=-2))[..., :n, n:]


adjoint(expm, expm_adjoint)
adjoint(sqrtm, lambda g, y, a: sylvester_solution(y.mT, y.mT, g))  # Y Y = A: Yᵀ Ā + Ā Yᵀ = g


# -- special matrices -------------------------------------------------------------------------------------------


def block_diag(*arrs: Any) -> Any:
    """The matrix with the given matrices along its diagonal and 0 elsewhere; a vector is a row, a number is 1 by 1.

    >>> from autodiff.scipy import linalg
    >>> linalg.block_diag(np.array([[1.0, 2.0]]), 3.0)
    array([[1., 2., 0.],
           [0., 0., 3.]])
    """
    blocks = [np.atleast_2d(floating(x)) for x in arrs] or [np.zeros((1, 0))]
    batch = np.broadcast_shapes(*(x.shape[:-2] for x in blocks))
    width, before, rows = sum(x.shape[-1] for x in blocks), 0, []
    for x in blocks:
        after = width - before - x.shape[-1]
        padded = np.pad(x, [(0, 0)] * (x.ndim - 1) + [(before, after)])
        rows.append(np.broadcast_to(padded, batch + padded.shape[-2:]))
        before += x.shape[-1]
    return np.concatenate(rows, axis=-2)


def toeplitz(c: Any, r: Any = None) -> Any:
    """The matrix with constant diagonals, first column c and first row r (by default conj(c)); r[0] is not read.

    c and r are vectors, (..., m) and (..., n) in a batch.

    >>> from autodiff.scipy import linalg
    >>> linalg.toeplitz(np.array([1.0, 2.0, 3.0]))
    array([[1., 2., 3.],
           [2., 1., 2.],
           [3., 2., 1.]])
    """
    c = np.atleast_1d(floating(c))
    r = conjugate(c) if r is None else np.atleast_1d(floating(r))
    batch = np.broadcast_shapes(c.shape[:-1], r.shape[:-1])
    m, n = c.shape[-1], r.shape[-1]
    column, row = np.broadcast_to(c, (*batch, m)), np.broadcast_to(r, (*batch, n))
    diagonals = np.concatenate([column[..., ::-1], row[..., 1:]], axis=-1)
    return diagonals[..., np.arange(m)[::-1, None] + np.arange(n)]
