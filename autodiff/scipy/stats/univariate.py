"""The distributions of one variable. The formulas are those of SciPy's documentation, at loc 0 and scale 1."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import scipy

from autodiff.rules.arguments import raw
from autodiff.scipy.stats.distribution import Continuous, Discrete

special = scipy.special
POSITIVE, UNIT = (0.0, math.inf), (0.0, 1.0)


def normal_logpdf(z: Any) -> Any:
    """−z²/2 − ln √(2π)."""
    return -0.5 * z * z - 0.5 * math.log(2 * math.pi)


def student_logpdf(z: Any, df: Any) -> Any:
    """−(df + 1)/2 ln(1 + z²/df) − ln(√df B(½, df/2)); as the normal distribution if df is infinite."""
    normal = np.isinf(raw(df))
    if not np.any(normal):
        half = 0.5 * np.ones_like(df)
        return -0.5 * (df + 1.0) * np.log1p(z * z / df) - 0.5 * np.log(df) - special.betaln(half, 0.5 * df)
    return np.where(normal, normal_logpdf(z), student_logpdf(z, np.where(normal, 1.0, df)))


def laplace_tail(z: Any) -> Any:
    """The probability of more than z: ½ exp(−z), and 1 − ½ exp(z) where z is negative."""
    half = 0.5 * np.exp(-np.abs(z))
    return np.where(np.less(raw(z), 0), 1.0 - half, half)


norm = Continuous(
    "norm",
    logpdf=normal_logpdf,
    cdf=special.ndtr,
    sf=lambda z: special.ndtr(-z),
    logcdf=special.log_ndtr,
    logsf=lambda z: special.log_ndtr(-z),
)
t = Continuous(
    *("t", ("df",)),
    logpdf=student_logpdf,
    cdf=lambda z, df: special.stdtr(df, z),
    sf=lambda z, df: special.stdtr(df, -z),
)
gamma = Continuous(
    *("gamma", ("a",), POSITIVE),
    logpdf=lambda z, a: special.xlogy(a - 1.0, z) - z - special.gammaln(a),
    cdf=lambda z, a: special.gammainc(a, z),
    sf=lambda z, a: special.gammaincc(a, z),
)
beta = Continuous(
    *("beta", ("a", "b"), UNIT),
    logpdf=lambda z, a, b: special.xlog1py(b - 1.0, -z) + special.xlogy(a - 1.0, z) - special.betaln(a, b),
    cdf=lambda z, a, b: special.betainc(a, b, z),
    sf=lambda z, a, b: special.betaincc(a, b, z),
)
expon = Continuous(
    *("expon", (), POSITIVE),
    logpdf=np.negative,
    cdf=lambda z: -np.expm1(-z),
    sf=lambda z: np.exp(-z),
    logsf=np.negative,
)
laplace = Continuous(
    "laplace",
    logpdf=lambda z: -np.abs(z) - math.log(2),
    cdf=lambda z: laplace_tail(-z),
    sf=laplace_tail,
)
uniform = Continuous(
    *("uniform", (), UNIT),
    logpdf=lambda z: 0.0 * z,
    cdf=np.positive,
    sf=lambda z: 1.0 - z,
)
poisson = Discrete(
    *("poisson", ("mu",), POSITIVE),
    logpmf=lambda k, mu: special.xlogy(k, mu) - special.gammaln(k + 1.0) - mu,
    cdf=lambda k, mu: special.gammaincc(k + 1.0, mu),  # NIST DLMF 8.4.10
    sf=lambda k, mu: special.gammainc(k + 1.0, mu),
)
