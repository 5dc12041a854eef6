"""Rules of the factorisations in np.linalg: Cholesky, QR and singular values.

The results of a function are packed into one array by a primitive, and taken apart again by a composition. The bar is
the adjoint of the literature, Ā with dL = Re tr(Āᴴ dA): the conjugate of g.

Sources: Murray (2016), "Differentiation of the Cholesky decomposition"; Walter & Lehmann (2010), "Algorithmic
differentiation of linear algebra functions", and Liao et al. (2019), "Differentiable programming tensor networks", for
QR; Townsend (2016), "Differentiating the singular value decomposition"; Wan & Zhang (2019), "Automatic differentiation
for complex valued SVD".
"""

from typing import Any

import numpy as np

from autodiff.engine.table import adjoint, composed, primitive
from autodiff.rules.linear_algebra import conjugate, dagger, result_type
from autodiff.rules.quotient import quotient
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


def cholesky_adjoint(g: Any, y: Any, a: Any, upper: bool = False) -> Any:
    """Ā = ½ L⁻ᴴ (Φ + Φᴴ) L⁻¹, where Φ is the lower triangle of Lᴴ L̄ with its diagonal halved (Murray, eq. 9).

    One triangle of A is read; the adjoint is that of the function of (A + Aᴴ) / 2 (see eigenvalues).
    """
    factor, bar = (dagger(y), g.mT) if upper else (y, conjugate(g))
    n = a.shape[-1]
    halves = 0.5 * (np.tri(n) + np.tri(n, k=-1))
    phi = dagger(factor) @ bar * halves.astype(a.dtype)
    inverse = np.linalg.inv(factor)
    return conjugate(dagger(inverse) @ (0.5 * (phi + dagger(phi))) @ inverse)


adjoint(np.linalg.cholesky, cholesky_adjoint)

# -- QR ---------------------------------------------------------------------------------------------------------


@primitive
def orthogonal_and_triangular(a: Any) -> Any:
    """Q above Rᵀ, of the reduced QR factorisation."""
    q, r = np.linalg.qr(a)
    return np.concatenate([q, r.mT], axis=-2)


def qr_adjoint(g: Any, y: Any, a: Any) -> Any:
    """Ā = (Q̄ + Q C) R⁻ᴴ, where C is the upper triangle of R̄ Rᴴ − Qᴴ Q̄ copied to the lower one (Liao et al., eq. 3).

    Columns beyond the m-th of a wide matrix, A₂, do not move Q: R₂ = Qᴴ A₂ gives Ā₂ = Q R̄₂, and Q̄ += A₂ R̄₂ᴴ.
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
    upper = np.where(np.tri(k, dtype=bool).T, r_bar[..., :k] @ dagger(square) - dagger(q) @ q_bar, 0.0)
    copied = upper + dagger(off_diagonal(upper))
    if a.dtype.kind == "c":  # LAPACK's R has a real diagonal
        copied = off_diagonal(copied) + diagonal_matrix(np.real(diagonal(copied)))
    bar = dagger(np.linalg.solve(square, dagger(q_bar + q @ copied)))
    if n > k:
        bar = np.concatenate([bar, q @ r_bar[..., k:]], axis=-1)
    return conjugate(bar)


adjoint(orthogonal_and_triangular, qr_adjoint)


@composed(np.linalg.qr)
def qr(a: Any, mode: str = "reduced") -> Any:
    """np.linalg.qr with mode 'reduced' or 'r', and 'complete' where that is 'reduced': no more rows than columns."""
    m, n = a.shape[-2:]
    if mode not in ("reduced", "r") and not (mode == "complete" and m <= n):
        raise ValueError(
            f"np.linalg.qr was called with mode={mode!r} and a Tensor of shape {a.shape}; what completes a basis "
            "is not determined by the matrix, so only mode='reduced' and mode='r' have a derivative."
        )
    both = orthogonal_and_triangular(a)
    r = both[..., m:, :].mT
    return r if mode == "r" else result_type(np.linalg.qr)(both[..., :m, :], r)


# -- singular values --------------------------------------------------------------------------------------------


@primitive
def singular_triplets(a: Any) -> Any:
    """U above the singular values, as a row, above V*: (m + 1 + n, k), of the reduced decomposition."""
    u, s, vh = np.linalg.svd(a, full_matrices=False)
    return np.concatenate([u, s[..., None, :], vh.mT], axis=-2)


def triplets(packed: Any, m: int) -> tuple[Any, Any, Any]:
    """U, the singular values and Vᵀ's transpose, Vᴴ, out of the packed array."""
    s = packed[..., m, :]
    return packed[..., :m, :], np.real(s) if s.dtype.kind == "c" else s, packed[..., m + 1 :, :].mT


def triplets_adjoint(g: Any, y: Any, a: Any) -> Any:
    """That of the reduced singular value decomposition (Townsend, eq. 40; the phases: Wan & Zhang, eq. 15).

    With J = Uᴴ Ū − Ūᴴ U, K = Vᴴ V̄ − V̄ᴴ V and Eᵢⱼ = sⱼ² − sᵢ²,
    Ā = U (diag(s̄) + (J / E) S + S (K / E)) Vᴴ + (1 − U Uᴴ) Ū S⁻¹ Vᴴ + U S⁻¹ V̄ᴴ (1 − V Vᴴ), and for complex matrices
    i Im(Uᴴ Ū) / s more on the inner diagonal.
    """
    m, n = a.shape[-2:]
    u, s, vh = triplets(y, m)
    u_bar, s_bar, vh_bar = triplets(conjugate(g), m)
    left, right = dagger(u) @ u_bar, vh @ dagger(vh_bar)
    row, column = s[..., None, :], s[..., :, None]
    spread = gaps(s) * (row + column)
    used_left, used_right = columns_used(u_bar), columns_used(vh_bar.mT)
    used = used_left | used_right
    inner = across(left - dagger(left), spread, used) * row
    inner = inner + column * across(right - dagger(right), spread, used) + diagonal_matrix(s_bar)
    if a.dtype.kind == "c":
        refuse_phase("svd", diagonal(left) + diagonal(right), g)
        inner = inner + diagonal_matrix(quotient(1j * np.imag(diagonal(left)), s))
    bar = u @ inner @ vh
    vanishing = np.less_equal(s, rounding(s) * s[..., :1])  # what belongs to them is any basis of the rest
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
def singular_values(a: Any) -> Any:
    """The singular values, in falling order."""
    return np.linalg.svdvals(a)


def singular_values_adjoint(g: Any, y: Any, a: Any) -> Any:
    """Ā = U diag(s̄) Vᴴ."""
    u, _, vh = np.linalg.svd(a, full_matrices=False)
    return conjugate((u * g[..., None, :]) @ vh)


adjoint(singular_values, singular_values_adjoint)
composed(np.linalg.svdvals)(lambda x: singular_values(x))


@composed(np.linalg.svd)
def svd(a: Any, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False) -> Any:
    """np.linalg.svd: the values alone, or the reduced factors."""
    if not compute_uv:
        return singular_values(a)
    m, n = a.shape[-2:]
    if (full_matrices and m != n) or hermitian:
        raise ValueError(
            f"np.linalg.svd was called with {'hermitian' if hermitian else 'full_matrices'}=True and a Tensor of shape "
            f"{a.shape}; what completes a basis is not determined by the matrix. Pass full_matrices=False; "
            "of a Hermitian matrix take np.linalg.eigh."
        )
    u, s, vh = triplets(singular_triplets(a), m)
    return result_type(np.linalg.svd)(u, s, vh)
