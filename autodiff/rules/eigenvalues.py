"""Rules of eigenvalues and eigenvectors: np.linalg.eigh, eigvalsh, eig, eigvals.

A primitive packs the two results of a function into one array, and a composition takes them apart again. The bar means
the adjoint of the literature, Ā with dL = Re tr(Āᴴ dA): the conjugate of g.

Hermitian matrices: eigh and eigvalsh read one triangle. The adjoint is that of the function of (A + Aᴴ) / 2, so it is
itself Hermitian and does not depend on the triangle. (PyTorch and JAX do the same; cholesky too.)

Sources: Giles (2008), "Collected matrix derivative results for forward and reverse mode algorithmic differentiation";
Boeddeker et al. (2017), "On the computation of complex-valued gradients with application to statistically optimum
beamforming", for complex eigenvectors.
"""

from typing import Any

import numpy as np

from autodiff.engine.table import adjoint, composed, primitive
from autodiff.engine.values import Value
from autodiff.rules.linear_algebra import conjugate, dagger, result_type
from autodiff.rules.spectra import across, columns_used, diagonal, diagonal_matrix, gaps, refuse_phase, rounding

# -- eigenvalues of Hermitian matrices --------------------------------------------------------------------------


@primitive
def hermitian_pairs(a: Value, UPLO: Any = "L") -> Value:  # noqa: N803  # NumPy's name
    """The eigenvalues of a Hermitian matrix, packed as a column beside its eigenvectors."""
    values, vectors = np.linalg.eigh(a, UPLO)
    return np.concatenate([values[..., None], vectors], axis=-1)


def hermitian_pairs_adjoint(g: Value, y: Value, a: Value, UPLO: str = "L") -> Value:  # noqa: N803
    """Ā = V (diag(λ̄) + ½ (M − Mᴴ) / (λⱼ − λᵢ)) Vᴴ, where M = Vᴴ V̄ (the Hermitian part of Giles, 3.1)."""
    values, vectors, bar = np.real(y[..., 0]), y[..., 1:], conjugate(g[..., 1:])
    inner = dagger(vectors) @ bar
    refuse_phase("eigh", diagonal(inner), bar)
    inner = across(0.5 * (inner - dagger(inner)), gaps(values), columns_used(bar))
    inner = inner + diagonal_matrix(np.real(g[..., 0]))
    return conjugate(vectors @ inner @ dagger(vectors))


adjoint(hermitian_pairs, hermitian_pairs_adjoint)


@composed(np.linalg.eigh)
def eigh(a: Value, UPLO: str = "L") -> tuple[Value, ...]:  # noqa: N803
    """np.linalg.eigh."""
    pairs = hermitian_pairs(a, UPLO=UPLO)
    values = np.real(pairs[..., 0]) if pairs.dtype.kind == "c" else pairs[..., 0]
    return result_type(np.linalg.eigh)(values, pairs[..., 1:])


def eigvalsh_adjoint(g: Value, y: Value, a: Value, UPLO: Any = "L") -> Value:  # noqa: N803
    """Ā = V diag(λ̄) Vᴴ."""
    vectors = np.linalg.eigh(a, UPLO)[1]
    return conjugate((vectors * g[..., None, :]) @ dagger(vectors))


adjoint(np.linalg.eigvalsh, eigvalsh_adjoint)

# -- eigenvalues of any matrix ----------------------------------------------------------------------------------


@primitive
def pairs_of(a: Value) -> Value:
    """The eigenvalues, packed as a row above the eigenvectors; real if all of them are real."""
    values, vectors = np.linalg.eig(a)
    return np.concatenate([values[..., None, :], vectors], axis=-2)


def pairs_adjoint(g: Value, y: Value, a: Value) -> Value:
    """Ā = V⁻ᴴ (diag(λ̄) + (M − Vᴴ V diag(Re M)) / conj(λⱼ − λᵢ)) Vᴴ, where M = Vᴴ V̄ (Boeddeker et al., eq. 4.77).

    The second term in the bracket keeps the columns of V at length 1.
    """
    values, vectors = y[..., 0, :], y[..., 1:, :]
    bar = conjugate(g[..., 1:, :])
    lengths = np.linalg.svd(vectors, compute_uv=False)
    if np.any(lengths[..., -1:] <= rounding(lengths) * lengths[..., :1]):
        raise np.linalg.LinAlgError(
            f"np.linalg.eig and eigvals have no derivative at a defective matrix (shape {a.shape}): eigenvalues "
            "coincide and have too few eigenvectors. Symmetric matrices (np.linalg.eigh) never are."
        )
    inner = dagger(vectors) @ bar
    turning = diagonal(inner)
    refuse_phase("eig", turning, bar)
    inner = inner - (dagger(vectors) @ vectors) * np.real(turning)[..., None, :]
    inner = across(inner, conjugate(gaps(values)), columns_used(bar)) + diagonal_matrix(conjugate(g[..., 0, :]))
    return conjugate(np.linalg.solve(dagger(vectors), inner @ dagger(vectors)))


adjoint(pairs_of, pairs_adjoint)


@composed(np.linalg.eig)
def eig(a: Value) -> tuple[Value, ...]:
    """np.linalg.eig."""
    pairs = pairs_of(a)
    return result_type(np.linalg.eig)(pairs[..., 0, :], pairs[..., 1:, :])


@composed(np.linalg.eigvals)
def eigvals(a: Value) -> Value:
    """np.linalg.eigvals, computed by eig, because the adjoint needs the eigenvectors in the same order."""
    return pairs_of(a)[..., 0, :]
