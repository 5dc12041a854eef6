"""Rules of the factorisations in np.linalg: Cholesky, QR and singular values.

A primitive packs the results of a function into one array, and a composition takes them apart again. The bar means the
adjoint of the literature, Ā with dL = Re tr(Āᴴ dA): the conjugate of g.

Sources: Murray (2016), "Differentiation of the Cholesky decomposition"; Walter & Lehmann (2010), "Algorithmic
differentiation of linear algebra functions", and Liao et al. (2019), "Differentiable programming tensor networks", for
QR; Townsend (2016), "Differentiating the singular value decomposition"; Wan & Zhang (2019), "Automatic differentiation
for complex valued SVD".
"""

from typing import Any

import numpy as np

from autodiff.engine.devices import beside, zeros
from autodiff.engine.table import adjoint, composed, computed, primitive
from autodiff.engine.values import Value
from autodiff.rules.arguments import raw
from autodiff.rules.linear_algebra import conjugate, dagger, from_lower, result_type
from autodiff.rules.quotient import quotient
from autodiff.rules.selection import take_along_axis
from autodiff.rules.spectra import (
    across,
    columns_used,
    diagonal,
    diagonal_matrix,
    gaps,
    off_diagonal,
    refuse_phase,
    rounding,
)

# -- Cholesky ---------------------------------------------------------------------------------------------------


def cholesky_adjoint(g: Value, y: Value, a: Value, upper: bool = False) -> Value:
    """Ā = ½ L⁻ᴴ (Φ + Φᴴ) L⁻¹, where Φ is the lower triangle of Lᴴ L̄ with its diagonal halved (Murray, eq. 9).

    NumPy reads one triangle of A; the adjoint is that of the function of (A + Aᴴ) / 2 (see eigenvalues).
    """
    factor, bar = (dagger(y), g.mT) if upper else (y, conjugate(g))
    n = a.shape[-1]
    halves = beside(0.5 * (np.tri(n) + np.tri(n, k=-1)), a)
    phi = dagger(factor) @ bar * halves.astype(a.dtype)
    inverse = np.linalg.inv(factor)
    return conjugate(dagger(inverse) @ (0.5 * (phi + dagger(phi))) @ inverse)


adjoint(np.linalg.cholesky, cholesky_adjoint)


@computed(np.linalg.cholesky)
def cholesky(a: Value, upper: bool = False) -> Value:
    """np.linalg.cholesky. The upper factor is Lᴴ, with L the factor of Aᴴ: NumPy reads the upper triangle."""
    return dagger(np.linalg.cholesky(dagger(a))) if upper else np.linalg.cholesky(a)


# -- vectors that complete orthonormal columns to a basis -------------------------------------------------------


@primitive
def complement(q: Value, basis: Value) -> Value:
    """Orthonormal columns orthogonal to those of q: `basis`, NumPy's choice among all such columns."""
    return basis


def complement_adjoint(g: Value, y: Value, q: Value, basis: Value) -> Value:
    """Q̄ = −Y Ȳᴴ Q, since Qᴴ dY = −dQᴴ Y. Yᴴ dY may be any K = −Kᴴ, so tr(Ȳᴴ Y K) has to be 0 for every such K."""
    bar = conjugate(g)
    turning = dagger(y) @ bar
    allowed = np.sqrt(np.finfo(q.dtype).eps) * np.sum(np.abs(g))
    if np.any(np.greater(np.abs(turning - dagger(turning)), allowed)):
        raise ValueError(
            f"the result depends on the {basis.shape[-1]} vectors that complete a basis of {basis.shape[-2]}, of which "
            "only the space that they span is determined, so it has no derivative; use the others alone "
            "(np.linalg.svd with full_matrices=False, np.linalg.qr with mode='reduced'), or make it independent, for "
            "example with v @ v.conj().T."
        )
    return conjugate(-y @ dagger(bar) @ q)


adjoint(complement, complement_adjoint)

# -- QR ---------------------------------------------------------------------------------------------------------


@primitive
def orthogonal_and_triangular(a: Value) -> Value:
    """The reduced QR factorisation, packed: Q above Rᵀ."""
    q, r = np.linalg.qr(a)
    return np.concatenate([q, r.mT], axis=-2)


def qr_adjoint(g: Value, y: Value, a: Value) -> Value:
    """Ā = (Q̄ + Q C) R⁻ᴴ, where C is the upper triangle of R̄ Rᴴ − Qᴴ Q̄ copied to the lower one (Liao et al., eq. 3).

    The columns A₂ beyond the m-th of a wide matrix do not change Q: R₂ = Qᴴ A₂ gives Ā₂ = Q R̄₂, and Q̄ += A₂ R̄₂ᴴ.
    """
    m, n = a.shape[-2:]
    k = min(m, n)
    q, square = y[..., :m, :], y[..., m : m + k, :].mT
    q_bar, r_bar = conjugate(g[..., :m, :]), conjugate(g[..., m:, :]).mT
    pivots = np.abs(diagonal(square))
    if np.any(pivots <= rounding(pivots) * np.sum(pivots, axis=-1, keepdims=True)):
        raise np.linalg.LinAlgError(
            f"np.linalg.qr has no derivative at a matrix whose first {k} columns are linearly dependent "
            f"(shape {a.shape}); remove the dependent columns."
        )
    if n > k:
        q_bar = q_bar + a[..., k:] @ dagger(r_bar[..., k:])
    upper = np.where(beside(np.tri(k, dtype=bool).T, a), r_bar[..., :k] @ dagger(square) - dagger(q) @ q_bar, 0.0)
    copied = upper + dagger(off_diagonal(upper))
    if a.dtype.kind == "c":  # LAPACK's R has a real diagonal
        copied = off_diagonal(copied) + diagonal_matrix(np.real(diagonal(copied)))
    bar = dagger(np.linalg.solve(square, dagger(q_bar + q @ copied)))
    if n > k:
        bar = np.concatenate([bar, q @ r_bar[..., k:]], axis=-1)
    return conjugate(bar)


adjoint(orthogonal_and_triangular, qr_adjoint)


@composed(np.linalg.qr)
def qr(a: Value, mode: str = "reduced") -> Value | tuple[Value, ...]:
    """np.linalg.qr in all modes but 'raw'. 'complete' completes Q to a basis, and adds rows of zeros to R."""
    if a.ndim < 2:
        return np.linalg.qr(raw(a))  # NumPy raises its error
    m, n = a.shape[-2:]
    if mode not in ("reduced", "r", "complete"):
        raise ValueError(
            f"np.linalg.qr was called with mode={mode!r} and a Tensor of shape {a.shape}; only mode='reduced', "
            "mode='complete' and mode='r' have a derivative."
        )
    both = orthogonal_and_triangular(a)
    q, r = both[..., :m, :], both[..., m:, :].mT
    if mode == "complete" and m > n:
        q = np.concatenate([q, complement(q, basis=np.linalg.qr(raw(a), "complete")[0][..., n:])], axis=-1)
        r = np.concatenate([r, zeros((*a.shape[:-2], m - n, n), a.dtype, like=a)], axis=-2)
    return r if mode == "r" else result_type(np.linalg.qr)(q, r)


# -- singular values --------------------------------------------------------------------------------------------


@primitive
def singular_triplets(a: Value, full: bool = False) -> Value:
    """The reduced decomposition, packed: U, the singular values as a row, and the conjugate of V: (m + 1 + n, k).

    The vectors of the `full` decomposition may differ in sign from those of the reduced one.
    """
    u, s, vh = np.linalg.svd(a, full_matrices=full)
    k = s.shape[-1]
    return np.concatenate([u[..., :k], s[..., None, :], vh[..., :k, :].mT], axis=-2)


def triplets(packed: Any, m: int) -> tuple[Any, Any, Any]:
    """U, the singular values and Vᴴ, from the packed array."""
    s = packed[..., m, :]
    return packed[..., :m, :], np.real(s) if s.dtype.kind == "c" else s, packed[..., m + 1 :, :].mT


def triplets_adjoint(g: Value, y: Value, a: Value, full: bool = False) -> Value:
    """The adjoint of A for the reduced singular value decomposition (Townsend, eq. 40; phases: Wan & Zhang, eq. 15).

    With J = Uᴴ Ū − Ūᴴ U, K = Vᴴ V̄ − V̄ᴴ V and Eᵢⱼ = sⱼ² − sᵢ²,
    Ā = U (diag(s̄) + (J / E) S + S (K / E)) Vᴴ + (1 − U Uᴴ) Ū S⁻¹ Vᴴ + U S⁻¹ V̄ᴴ (1 − V Vᴴ), and for complex matrices
    i Im(Uᴴ Ū) / s is added to the inner diagonal.
    """
    m, n = a.shape[-2:]
    u, s, vh = triplets(y, m)
    u_bar, s_bar, vh_bar = triplets(conjugate(g), m)
    left, right = dagger(u) @ u_bar, vh @ dagger(vh_bar)
    row, column = s[..., None, :], s[..., :, None]
    spread = gaps(s) * (row + column)
    used_left, used_right = columns_used(u_bar), columns_used(vh_bar.mT)
    used = np.logical_or(used_left, used_right)
    inner = across(left - dagger(left), spread, used) * row
    inner = inner + column * across(right - dagger(right), spread, used) + diagonal_matrix(s_bar)
    if a.dtype.kind == "c":
        refuse_phase("svd", diagonal(left) + diagonal(right), g)
        inner = inner + diagonal_matrix(quotient(1j * np.imag(diagonal(left)), s))
    bar = u @ inner @ vh
    vanishing = np.less_equal(s, rounding(s) * s[..., :1])  # their vectors are an arbitrary basis of the rest
    divisor = np.where(vanishing, 1.0, s)
    if m > n:
        rest = (u_bar - u @ left) / divisor[..., None, :]
        bar = bar + np.where((vanishing & used_left)[..., None, :], np.nan, rest) @ vh
    elif n > m:
        rest = (vh_bar - dagger(right) @ vh) / divisor[..., :, None]
        bar = bar + u @ np.where((vanishing & used_right)[..., :, None], np.nan, rest)
    return conjugate(bar)


adjoint(singular_triplets, triplets_adjoint)


@primitive
def singular_values(a: Value) -> Value:
    """The singular values, in falling order."""
    return np.linalg.svd(a, compute_uv=False)


def singular_values_adjoint(g: Value, y: Value, a: Value) -> Value:
    """Ā = U diag(s̄) Vᴴ."""
    u, _, vh = np.linalg.svd(a, full_matrices=False)
    return conjugate((u * g[..., None, :]) @ vh)


adjoint(singular_values, singular_values_adjoint)
composed(np.linalg.svdvals)(lambda x: singular_values(x))


def svd_of_hermitian(a: Value, compute_uv: bool) -> Value | tuple[Value, ...]:
    """The singular values |λ|, descending, the eigenvectors U, and Vᴴ = (U sign λ)ᴴ, from the lower triangle."""
    a = from_lower(a)
    values, vectors = np.linalg.eigh(a) if compute_uv else (np.linalg.eigvalsh(a), None)
    order = np.argsort(np.abs(raw(values)), axis=-1)[..., ::-1]
    signed = take_along_axis(values, order, -1)
    if vectors is None:
        return np.abs(signed)
    u = take_along_axis(vectors, order[..., None, :], -1)
    return result_type(np.linalg.svd)(u, np.abs(signed), dagger(u * np.sign(signed)[..., None, :]))


@composed(np.linalg.svd)
def svd(
    a: Value, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False
) -> Value | tuple[Value, ...]:
    """np.linalg.svd: only the values, or the factors too."""
    if a.ndim < 2:
        return np.linalg.svd(raw(a))  # NumPy raises its error
    if hermitian:
        return svd_of_hermitian(a, compute_uv)
    if not compute_uv:
        return singular_values(a)
    m, n = a.shape[-2:]
    full = full_matrices and m != n
    u, s, vh = triplets(singular_triplets(a, full=True) if full else singular_triplets(a), m)
    if full and m > n:
        u = np.concatenate([u, complement(u, basis=np.linalg.svd(raw(a))[0][..., n:])], axis=-1)
    elif full:
        rest = complement(dagger(vh), basis=dagger(np.linalg.svd(raw(a))[2][..., m:, :]))
        vh = np.concatenate([vh, dagger(rest)], axis=-2)
    return result_type(np.linalg.svd)(u, s, vh)
