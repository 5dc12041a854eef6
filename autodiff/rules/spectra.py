"""The common part of the rules of eigenvalues and singular values: gaps between values, phases of vectors.

Repeated values, whose difference is below the rounding error: their vectors have no derivative, and the adjoint is NaN
if the vectors are used. The adjoint of the values alone is right, and does not depend on the basis.

Complex vectors are determined up to a phase. A result that depends on the phase has no derivative: an error is raised.
"""

from typing import Any

import numpy as np

from autodiff.engine.devices import eye
from autodiff.engine.values import Value
from autodiff.rules.quotient import quotient


def gaps(values: Value) -> Value:
    """The differences λⱼ − λᵢ, with 0 for those within the rounding error."""
    values = values[..., None, :]
    scale = np.max(np.abs(values), axis=-1, keepdims=True) if values.size else 0.0
    differences = values - values.mT
    return np.where(np.abs(differences) <= rounding(values) * scale, 0.0, differences)


def rounding(values: Value) -> float:
    """The rounding error of eigenvalues and singular values, relative to the largest one."""
    return float(2 * values.shape[-1] * np.finfo(values.dtype).eps)


def off_diagonal(x: Value) -> Value:
    """The matrix with 0 on its diagonal."""
    return np.where(eye(x.shape[-1], x, bool), 0.0, x)


def across(x: Value, gap: Any, used: Any) -> Value:
    """Each element over the gap between the values of its row and of its column; 0 on the diagonal.

    Where a gap is 0, the result is NaN if one of the two vectors is used, for any element.
    """
    same = eye(x.shape[-1], x, bool)
    undefined = np.equal(gap, 0) & (used[..., None, :] | used[..., :, None]) & ~same
    return np.where(undefined, np.nan, quotient(off_diagonal(x), np.where(same | undefined, 1.0, gap)))


def columns_used(bar: Value) -> Value:
    """Which columns have an adjoint that is not 0."""
    return np.any(np.not_equal(bar, 0), axis=-2)


def diagonal(x: Value) -> Value:
    """The diagonal of each square matrix."""
    return np.sum(np.where(eye(x.shape[-1], x, bool), x, 0.0), axis=-1)


def diagonal_matrix(x: Value) -> Value:
    """The matrix that has x on its diagonal."""
    return np.where(eye(x.shape[-1], x, bool), x[..., None], 0.0)


def refuse_phase(function: str, turning: Any, vectors_bar: Value) -> None:
    """Raise ValueError if the adjoint changes when complex vectors are turned by a phase: Im diag(Vᴴ V̄) ≠ 0."""
    if turning.dtype.kind == "c":
        allowed = np.sqrt(np.finfo(turning.dtype).eps) * np.sum(np.abs(vectors_bar))
        if np.any(np.greater(np.abs(np.imag(turning)), allowed)):
            raise ValueError(
                f"the result depends on the phase of the complex vectors of np.linalg.{function}, which is arbitrary, "
                "so it has no derivative; make it independent, for example with np.abs(v) or v @ v.conj().T."
            )
