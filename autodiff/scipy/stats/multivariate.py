"""Distributions of a vector. Its components are the last axis of x for multivariate_normal, the first for dirichlet."""

from __future__ import annotations

import math
from typing import Any, NoReturn

import numpy as np
import scipy

from autodiff.rules.arguments import raw
from autodiff.scipy.arguments import floating, like
from autodiff.scipy.linalg import solve_triangular


class MultivariateNormal:
    """The normal distribution of vectors of d components.

    `mean` is a vector, 0 by default. `cov` is a positive definite matrix, a vector (its diagonal) or a number (times
    the identity). One triangle of the matrix is read; its adjoint is symmetric.

    >>> from autodiff.scipy import stats
    >>> ad.grad(lambda mean: stats.multivariate_normal.logpdf(np.ones(2), mean))(np.zeros(2))
    array([1., 1.])
    """

    def pdf(self, x: Any, mean: Any = None, cov: Any = 1, allow_singular: bool = False) -> Any:
        """The density at x, of shape (..., d)."""
        return np.exp(self.logpdf(x, mean, cov, allow_singular))

    def logpdf(self, x: Any, mean: Any = None, cov: Any = 1, allow_singular: bool = False) -> Any:
        """The logarithm of the density at x, of shape (..., d): −½ (d ln 2π + ln det C + (x − μ)ᵀ C⁻¹ (x − μ)).

        As in SciPy, the result has no axes of length 1. Raises LinAlgError if cov is not positive definite.
        """
        if allow_singular:
            raise ValueError(
                "multivariate_normal was called with allow_singular=True: with a singular cov there is no density of "
                "the whole space, and no derivative. Leave it out, and add a small multiple of the identity to cov."
            )
        x = floating(x)
        x, mean, cov = points(x, None if mean is None else like(mean, x), like(cov, x))
        d = cov.shape[-1]
        try:
            factor = np.linalg.cholesky(cov)
        except np.linalg.LinAlgError as error:
            raise np.linalg.LinAlgError(
                f"multivariate_normal takes a positive definite cov; received {d} by {d} numbers that are not. "
                "Add a small multiple of the identity."
            ) from error
        deviations = np.reshape(x - mean, (-1, d))
        z = solve_triangular(factor, deviations.T, lower=True)
        distance = np.reshape(np.sum(z * z, axis=0), x.shape[:-1])
        normalised = 0.5 * d * math.log(2 * math.pi) + np.sum(np.log(np.linalg.diagonal(factor)))
        return np.squeeze(-0.5 * distance - normalised)[()]

    def cdf(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Raise TypeError: the cdf is an integral that SciPy estimates from random points."""
        raise TypeError(
            "multivariate_normal.cdf has no derivative here: it is an integral without a closed form. "
            "scipy.stats.multivariate_normal takes plain arrays, tensor.value."
        )


def points(x: Any, mean: Any, cov: Any) -> tuple[Any, Any, Any]:
    """x of shape (..., d), the mean of shape (d,) or 0, and the covariance of shape (d, d)."""
    d = mean.size if mean is not None else (cov.shape[-1] if cov.ndim else 1)
    if cov.ndim < 2:
        cov = np.eye(d, dtype=cov.dtype) * cov
    if cov.shape != (d, d) or (mean is not None and mean.shape not in ((d,), ())):
        raise ValueError(
            f"multivariate_normal takes a mean of shape (d,) and a cov of shape (d, d), (d,) or (); received shapes "
            f"{None if mean is None else mean.shape} and {cov.shape}."
        )
    if x.ndim < 2:
        x = np.reshape(x, (-1, 1) if d == 1 else (1, -1))
    if x.shape[-1] != d:
        raise ValueError(f"multivariate_normal takes x of shape (..., {d}), as mean and cov say; received {x.shape}.")
    return x, 0.0 if mean is None else mean, cov


class Dirichlet:
    """The distribution of k positive numbers that sum to 1, with the concentrations alpha, k positive numbers.

    >>> from autodiff.scipy import stats
    >>> round(stats.dirichlet.pdf(np.array([0.25, 0.75]), np.array([1.0, 1.0])).item(), 4)
    1.0
    """

    def pdf(self, x: Any, alpha: Any) -> Any:
        """The density at x, of shape (k, ...), or (k − 1, ...) without the last component."""
        return np.exp(self.logpdf(x, alpha))

    def logpdf(self, x: Any, alpha: Any) -> Any:
        """The logarithm of the density at x, of shape (k, ...): Σ (αᵢ − 1) ln xᵢ − Σ ln Γ(αᵢ) + ln Γ(Σ αᵢ).

        If x has the shape (k − 1, ...), the last component is 1 minus the sum of the others. Raises ValueError if
        components are not between 0 and 1, or do not sum to 1. The derivative is that of the formula.
        """
        x, alpha = floating(x), floating(alpha)
        if alpha.ndim != 1 or np.any(np.less_equal(raw(alpha), 0)):
            raise ValueError(f"dirichlet takes a vector of positive numbers as alpha; received {raw(alpha)}")
        x = components(x, alpha.shape[0])
        exponents = np.reshape(alpha - 1.0, (-1,) + (1,) * (x.ndim - 1))
        gammaln = scipy.special.gammaln
        normaliser = np.sum(gammaln(alpha)) - gammaln(np.sum(alpha))
        return np.squeeze(np.sum(scipy.special.xlogy(exponents, x), axis=0) - normaliser)[()]


def components(x: Any, k: int) -> Any:
    """All k components of x along its first axis. Raises ValueError if they are no point of the simplex."""
    if not x.ndim or x.shape[0] not in (k - 1, k):
        raise ValueError(
            f"dirichlet takes x of shape ({k}, ...) or ({k - 1}, ...), as alpha has {k} numbers; received "
            f"shape {x.shape}."
        )
    if x.shape[0] == k - 1:
        x = np.concatenate([x, 1.0 - np.sum(x, axis=0, keepdims=True)], axis=0)
    plain = raw(x)
    allowed = 10 * math.sqrt(np.finfo(plain.dtype).eps) if plain.dtype == np.float32 else 1e-9
    if np.any(plain < 0) or np.any(plain > 1) or np.any(np.abs(np.sum(plain, axis=0) - 1) > allowed):
        raise ValueError(
            f"dirichlet takes components between 0 and 1 that sum to 1 along the first axis; received {plain}"
        )
    return x


multivariate_normal = MultivariateNormal()
dirichlet = Dirichlet()
