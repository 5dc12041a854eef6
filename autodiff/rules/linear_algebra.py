"""Rules of np.linalg: inverses, determinants, linear systems. The factorisations are in decompositions.

The last two axes are matrices, the axes before them a batch. The formulas are those of Giles (2008), "Collected
matrix derivative results for forward and reverse mode algorithmic differentiation". They are written in g. For a
complex matrix g is the conjugate of the adjoint Ā that papers use: gᵀ is Āᴴ (see rules.complex).
"""

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autodiff.engine.devices import eye
from autodiff.engine.shapes import unbroadcast
from autodiff.engine.table import adjoint, composed, constant, primitive
from autodiff.engine.values import Value
from autodiff.rules.arguments import anywhere

constant(np.linalg.matrix_rank)


def conjugate(x: Value) -> Value:
    """The complex conjugate; real arrays unchanged."""
    return np.conj(x) if x.dtype.kind == "c" else x


def dagger(x: Value) -> Value:
    """The conjugate transpose of each matrix."""
    return conjugate(x).mT


@functools.cache
def result_type(function: Callable[..., Any]) -> Callable[..., tuple[Value, ...]]:
    """The named tuple in which NumPy returns the results of this function."""
    return type(function(np.ones((1, 1))))


# -- inverses and systems ---------------------------------------------------------------------------------------

adjoint(np.linalg.inv, lambda g, y, a: -(y.mT @ g @ y.mT))


def solved_right(g: Value, y: Value, a: Value, b: Value) -> Value:
    """A⁻ᵀ g. A vector b is one column for every batch of A (NumPy 2's rule)."""
    if np.ndim(b) == 1:
        return unbroadcast(np.linalg.solve(a.mT, g[..., None])[..., 0], np.shape(b))
    return unbroadcast(np.linalg.solve(a.mT, g), np.shape(b))


def solved_left(g: Value, y: Value, a: Value, b: Value) -> Value:
    """−A⁻ᵀ g yᵀ."""
    columns, solution = (g[..., None], y[..., None]) if np.ndim(b) == 1 else (g, y)
    return unbroadcast(-(np.linalg.solve(a.mT, columns) @ solution.mT), np.shape(a))


adjoint(np.linalg.solve, solved_left, solved_right)


@primitive
def pseudoinverse(a: Value, rcond: Any = None) -> Value:
    """The Moore-Penrose inverse P. `rcond` is the cutoff of singular values over the largest; None is NumPy's."""
    return np.linalg.pinv(a) if rcond is None else np.linalg.pinv(a, rcond)


def pseudoinverse_adjoint(g: Value, y: Value, a: Value, rcond: Any = None) -> Value:
    """The adjoint while the rank stays the same (P jumps where it changes): Golub & Pereyra (1973), eq. 4.12.

    dP = −P dA P + P Pᴴ dAᴴ (1 − A P) + (1 − P A) dAᴴ Pᴴ P
    Ā  = −Pᴴ P̄ Pᴴ + (1 − A P) P̄ᴴ P Pᴴ + Pᴴ P P̄ᴴ (1 − P A)
    """
    h, d = g.mT, dagger(y)  # h is P̄ᴴ
    if a.shape[-2] >= a.shape[-1]:  # so that no array is larger than the matrix itself
        left, right = h @ (y @ d), d @ (y @ h)
    else:
        left, right = (h @ y) @ d, (d @ y) @ h
    projected = left - a @ (y @ left) + right - (right @ y) @ a
    return conjugate(projected - d @ conjugate(g) @ d)


adjoint(pseudoinverse, pseudoinverse_adjoint)


def from_lower(a: Value) -> Value:
    """The Hermitian matrices with these lower triangles."""
    below = np.tril(a, -1)
    return below + dagger(below) + np.real(a) * eye(a.shape[-1], a)


@composed(np.linalg.pinv)
def pinv(a: Value, rcond: Any = None, hermitian: bool = False, *, rtol: Any = None) -> Value:
    """np.linalg.pinv; for a Hermitian matrix NumPy reads the lower triangle."""
    a = from_lower(a) if hermitian else a
    cutoffs = [v for v in (rcond, rtol) if v is not None and v is not np._NoValue]
    return pseudoinverse(a, **({"rcond": cutoffs[0]} if cutoffs else {}))


@primitive
def least_squares(a: Value, b: Value, rcond: float | None = None) -> Value:
    """The shortest x that minimises |b − A x|."""
    return np.linalg.lstsq(a, b, rcond=rcond)[0]


def residual_and_inverse(y: Value, a: Value, b: Value) -> tuple[Any, Any, Any]:
    """The solution x, b − A x and the pseudoinverse, with vectors as columns. Raises LinAlgError without full rank."""
    if np.linalg.matrix_rank(a) < min(np.shape(a)):
        raise np.linalg.LinAlgError(
            f"np.linalg.lstsq has no derivative at a matrix that is not of full rank (shape {np.shape(a)}): its "
            "solution jumps when the rank changes. Remove dependent columns, or add a multiple of the identity (ridge)."
        )
    columns = y[:, None] if y.ndim == 1 else y
    return columns, (b[:, None] if np.ndim(b) == 1 else b) - a @ columns, np.linalg.pinv(a)


def least_squares_left(g: Value, y: Value, a: Value, b: Value, rcond: float | None = None) -> Value:
    """From x = P b and dP above: Ā = −Pᴴ x̄ xᴴ + r x̄ᴴ P Pᴴ + Pᴴ x x̄ᴴ (1 − P A), where r = b − A x."""
    x, r, p = residual_and_inverse(y, a, b)
    h, d = (g[None, :] if g.ndim == 1 else g.mT), dagger(p)  # h is x̄ᴴ
    third = (d @ x) @ (h - (h @ p) @ a)
    return conjugate(r @ (h @ p) @ d + third) - (h @ p).mT @ x.mT


def least_squares_right(g: Value, y: Value, a: Value, b: Value, rcond: float | None = None) -> Value:
    """Pᵀ g."""
    _, _, p = residual_and_inverse(y, a, b)
    return p.mT @ g


adjoint(least_squares, least_squares_left, least_squares_right)


@composed(np.linalg.lstsq)
def lstsq(a: Value, b: Value, rcond: float | None = None) -> tuple[Value, ...]:
    """np.linalg.lstsq: the solution, the squared residuals, the rank (a constant) and the singular values."""
    x = least_squares(a, b, **({} if rcond is None else {"rcond": rcond}))
    _, residuals, rank, _ = np.linalg.lstsq(getattr(a, "primal", a), getattr(b, "primal", b), rcond=rcond)
    if residuals.size:
        residuals = np.sum(np.square(np.abs(b - a @ x)), axis=0)
        residuals = residuals if np.ndim(b) == 2 else np.reshape(residuals, (1,))
    return x, residuals, rank, np.linalg.svdvals(a)


@composed(np.linalg.tensorinv)
def tensorinv(a: Value, ind: int = 2) -> Value:
    """np.linalg.tensorinv: the inverse of the matrix whose rows are the first `ind` axes, and columns the others."""
    if ind <= 0:
        raise ValueError(f"np.linalg.tensorinv takes ind > 0; received {ind}")
    inverse = np.linalg.inv(np.reshape(a, (math.prod(a.shape[ind:]), -1)))
    return np.reshape(inverse, a.shape[ind:] + a.shape[:ind])


@composed(np.linalg.tensorsolve)
def tensorsolve(a: Value, b: Value, axes: Sequence[int] | None = None) -> Value:
    """np.linalg.tensorsolve: the x with tensordot(a, x, x.ndim) = b."""
    if axes is not None:
        a = np.transpose(a, [k for k in range(np.ndim(a)) if k not in axes] + list(axes))
    shape, size = np.shape(a)[np.ndim(b) :], np.size(b)
    return np.reshape(np.linalg.solve(np.reshape(a, (size, -1)), np.ravel(b)), shape)


# -- determinants -----------------------------------------------------------------------------------------------


def determinant(g: Value, y: Value, a: Value) -> Value:
    """The cofactors, det(A) A⁻ᵀ, times g; if A is nearly singular, they are computed from its singular values."""
    s = np.linalg.svd(a, compute_uv=False)
    if not anywhere(~np.greater(s[..., -1:], math.sqrt(np.finfo(a.dtype).eps) * s[..., :1])):
        return (g * y)[..., None, None] * np.linalg.inv(a).mT
    return g[..., None, None] * cofactors(a)


adjoint(np.linalg.det, determinant)


@primitive
def cofactors(a: Value) -> Value:
    """The signed minors of A = U S Vᴴ: det(U) det(Vᴴ) conj(U) C(S) conj(Vᴴ), with C(S) the cofactors of S."""
    u, s, vh = np.linalg.svd(a)
    minors = others(s, eye(s.shape[-1], s, bool))
    signs = np.linalg.det(u) * np.linalg.det(vh)
    return signs[..., None, None] * ((np.conj(u) * minors[..., None, :]) @ np.conj(vh))


def others(s: Value, left_out: Any) -> Value:
    """The product of the elements of the vector s that are not left out, for each row of `left_out`."""
    rows = np.reshape(s, s.shape[:-1] + (1,) * (left_out.ndim - 1) + s.shape[-1:])
    return np.prod(np.where(left_out, 1.0, rows), axis=-1)


def cofactors_adjoint(g: Value, y: Value, a: Value) -> Value:
    """The adjoint of the cofactors: dC(S)ᵢᵢ = Σ Pᵢₘ dSₘₘ, dC(S)ᵢⱼ = −Pᵢⱼ dSⱼᵢ, where Pᵢⱼ = Π sₖ, k ≠ i, j."""
    u, s, vh = np.linalg.svd(a)
    same = eye(s.shape[-1], s, bool)
    products = np.where(same, 0.0, others(s, same[:, None] | same))
    inner = dagger(u) @ g @ dagger(vh)
    diagonal = products @ np.sum(np.where(same, inner, 0.0), axis=-1, keepdims=True)
    inner = np.where(same, diagonal, -(products * inner).mT)
    return (np.linalg.det(u) * np.linalg.det(vh))[..., None, None] * (conjugate(u) @ inner @ conjugate(vh))


adjoint(cofactors, cofactors_adjoint)


@primitive
def sign_and_logarithm(a: Value) -> Value:
    """The two results of slogdet, packed along a last axis."""
    sign, logarithm = np.linalg.slogdet(a)
    return np.stack([sign, logarithm.astype(sign.dtype)], axis=-1)


def slogdet_adjoint(g: Value, y: Value, a: Value) -> Value:
    """From d ln det A = tr(A⁻¹ dA): the real part changes ln |det|, the imaginary part the phase of the sign."""
    share = g[..., 1]
    if a.dtype.kind == "c":
        share = np.real(share) + 1j * np.imag(g[..., 0] * y[..., 0])
    return share[..., None, None] * np.linalg.inv(a).mT


adjoint(sign_and_logarithm, slogdet_adjoint)


@composed(np.linalg.slogdet)
def slogdet(a: Value) -> tuple[Value, ...]:
    """np.linalg.slogdet; for a real matrix the sign is a constant."""
    both = sign_and_logarithm(a)
    if a.dtype.kind == "c":
        return result_type(np.linalg.slogdet)(both[..., 0], np.real(both[..., 1]))
    return result_type(np.linalg.slogdet)(getattr(both, "primal", both)[..., 0], both[..., 1])


# -- powers and chains ------------------------------------------------------------------------------------------


@composed(np.linalg.matrix_power)
def matrix_power(a: Value, n: int) -> Value:
    """np.linalg.matrix_power by repeated squaring; the power 0 is the identity, a constant."""
    if n == 0:
        return a * 0.0 + eye(a.shape[-1], a)
    if n < 0:
        a, n = np.linalg.inv(a), -n
    power: Value = a
    result: Value | None = None
    while True:
        n, odd = divmod(n, 2)
        if odd:
            result = power if result is None else result @ power
        if not n and result is not None:
            return np.copy(result) if result is a else result
        power = power @ power


@composed(np.linalg.multi_dot)
def multi_dot(arrays: Sequence[Any]) -> Value:
    """np.linalg.multi_dot: a chain of matrix products, in the order of the fewest multiplications."""
    arrays = list(arrays)
    first, last = np.ndim(arrays[0]), np.ndim(arrays[-1])
    arrays[0] = np.reshape(arrays[0], (1, -1)) if first == 1 else arrays[0]
    arrays[-1] = np.reshape(arrays[-1], (-1, 1)) if last == 1 else arrays[-1]
    if len(arrays) < 2 or any(np.ndim(a) != 2 for a in arrays):
        raise ValueError(
            "np.linalg.multi_dot takes two or more matrices, the first and the last of which may be vectors; "
            f"received the shapes {[np.shape(a) for a in arrays]}"
        )
    product = chain(arrays)
    return np.reshape(product, (() if first == 1 else product.shape[:1]) + (() if last == 1 else product.shape[1:]))


def chain(arrays: Sequence[Any]) -> Value:
    """The product of the matrices, split where it is cheapest (Cormen et al., Introduction to Algorithms, 15.2)."""
    lengths = [np.shape(arrays[0])[0], *(np.shape(a)[1] for a in arrays)]
    cost: dict[tuple[int, int], tuple[int, int]] = {(k, k): (0, k) for k in range(len(arrays))}
    for span in range(1, len(arrays)):
        for i in range(len(arrays) - span):
            j = i + span
            outer = lengths[i] * lengths[j + 1]
            cost[i, j] = min((cost[i, k][0] + cost[k + 1, j][0] + outer * lengths[k + 1], k) for k in range(i, j))

    def product(i: int, j: int) -> Value:
        return arrays[i] if i == j else product(i, cost[i, j][1]) @ product(cost[i, j][1] + 1, j)

    return product(0, len(arrays) - 1)
