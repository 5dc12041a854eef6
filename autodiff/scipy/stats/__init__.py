"""Distributions of scipy.stats: their densities and distribution functions, in x and in the parameters.

`norm`, `t`, `gamma`, `beta`, `expon`, `laplace` and `uniform` have `pdf`, `logpdf`, `cdf`, `logcdf`, `sf` and `logsf`;
`poisson` has `pmf` and `logpmf` instead of densities; `multivariate_normal` and `dirichlet` have `pdf` and `logpdf`.
"""

from typing import Any

from autodiff.scipy.arguments import absent
from autodiff.scipy.stats.multivariate import dirichlet, multivariate_normal
from autodiff.scipy.stats.univariate import beta, expon, gamma, laplace, norm, poisson, t, uniform

__all__ = [
    "beta",
    "dirichlet",
    "expon",
    "gamma",
    "laplace",
    "multivariate_normal",
    "norm",
    "poisson",
    "t",
    "uniform",
]


def __getattr__(name: str) -> Any:
    raise absent("stats", name, __all__)
