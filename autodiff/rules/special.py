"""Rules of SciPy's special functions, which are ufuncs.

SciPy is not a dependency: nothing here imports it. The rules are declared when its first function is called with a
Tensor. SciPy's Python functions convert their arguments to arrays, which a Tensor refuses; use the functions of the
same name in autodiff.scipy. Numbers such as 7.10.3 refer to the NIST Digital Library of Mathematical Functions.
"""

import math
import sys
from typing import Any, NoReturn

import numpy as np

from autodiff.engine.table import adjoint, table
from autodiff.engine.values import Value

PI_ROOT = math.sqrt(math.pi)
TAU_ROOT = math.sqrt(2 * math.pi)


def advice() -> str:
    """What to use instead of SciPy functions that are no ufuncs; empty unless SciPy is imported."""
    if "scipy" not in sys.modules:
        return ""
    return (
        " So do SciPy's ufuncs; for its logsumexp, softmax, log_softmax take ad.logsumexp, ad.softmax, ad.log_softmax, "
        "and for other functions of SciPy their namesakes in autodiff.scipy (from autodiff.scipy import linalg, stats)."
    )


def declared(function: Any) -> bool:
    """Whether there are rules for a function of scipy.special. The first call declares them."""
    special = sys.modules.get("scipy.special")
    name = getattr(function, "__name__", "")
    if special is None or function not in (getattr(special, name, None), getattr(special._ufuncs, name, None)):
        return False
    if function not in table:
        declare(special)
    return function in table


def no_derivative(*given: Any) -> NoReturn:
    """The rule of an argument, such as the order of a Bessel function, with no derivative in closed form."""
    raise TypeError(
        "the derivative of a special function with respect to its order or shape parameter was asked for; it has no "
        "closed form, so it is not defined here. Pass that argument as a plain number or array, a constant."
    )


def declare(special: Any) -> None:
    """Declare the rules of the functions that this version of scipy.special has."""
    _error_functions(special)
    _gamma_functions(special)
    _bessel_functions(special)
    _entropies_and_logistic(special)
    _powers_and_integrals(special)
    _hypergeometric_functions(special)


def _error_functions(special: Any) -> None:
    adjoint(special.erf, lambda g, y, x: g * (2 / PI_ROOT) * np.exp(-x * x))
    adjoint(special.erfc, lambda g, y, x: g * (-2 / PI_ROOT) * np.exp(-x * x))
    adjoint(special.erfcx, lambda g, y, x: g * (2.0 * x * y - 2 / PI_ROOT))  # 7.10.3
    adjoint(special.erfi, lambda g, y, x: g * (2 / PI_ROOT) * np.exp(x * x))
    adjoint(special.dawsn, lambda g, y, x: g * (1.0 - 2.0 * x * y))
    adjoint(special.erfinv, lambda g, y, x: g * (PI_ROOT / 2) * np.exp(y * y))
    adjoint(special.erfcinv, lambda g, y, x: g * (-PI_ROOT / 2) * np.exp(y * y))
    adjoint(special.ndtr, lambda g, y, x: g * np.exp(-0.5 * x * x) / TAU_ROOT)
    adjoint(special.log_ndtr, lambda g, y, x: g * np.exp(-0.5 * x * x - y) / TAU_ROOT)
    adjoint(special.ndtri, lambda g, y, x: g * TAU_ROOT * np.exp(0.5 * y * y))
    adjoint(special.ndtri_exp, lambda g, y, x: g * TAU_ROOT * np.exp(x + 0.5 * y * y))
    adjoint(special.wofz, lambda g, y, x: g * (2j / PI_ROOT - 2.0 * x * y))  # 7.10.2
    adjoint(
        special.owens_t,  # Owen (1956), "Tables for computing bivariate normal probabilities", eq. 2.1 and 2.3
        lambda g, y, h, a: g * (-0.5 / TAU_ROOT) * np.exp(-0.5 * h * h) * special.erf(math.sqrt(0.5) * a * h),
        lambda g, y, h, a: g * (0.5 / math.pi) * np.exp(-0.5 * h * h * (1.0 + a * a)) / (1.0 + a * a),
    )


def _gamma_functions(special: Any) -> None:
    digamma, zeta = special.digamma, special._ufuncs._zeta

    # Hurwitz' zeta function, of which special.zeta(s, x) and special.polygamma are made (25.11.17)
    adjoint(zeta, no_derivative, lambda g, y, s, x: -g * s * zeta(np.add(s, 1.0), x))
    adjoint(special._ufuncs._riemann_zeta, no_derivative)
    table[zeta].name = table[special._ufuncs._riemann_zeta].name = "zeta"
    adjoint(special.gamma, lambda g, y, x: g * y * digamma(x))  # 5.2.2
    adjoint(special.rgamma, lambda g, y, x: -g * y * digamma(x))
    adjoint(special.gammaln, lambda g, y, x: g * digamma(x))
    adjoint(special.loggamma, lambda g, y, x: g * digamma(x))
    for function in {digamma, special.psi}:
        adjoint(function, lambda g, y, x: g * zeta(2.0, x))  # 5.15.1
    adjoint(
        special.poch,
        lambda g, y, z, m: g * y * (digamma(z + m) - digamma(z)),
        lambda g, y, z, m: g * y * digamma(z + m),
    )
    adjoint(
        special.beta,  # 5.12.1
        lambda g, y, a, b: g * y * (digamma(a) - digamma(a + b)),
        lambda g, y, a, b: g * y * (digamma(b) - digamma(a + b)),
    )
    adjoint(
        special.betaln,
        lambda g, y, a, b: g * (digamma(a) - digamma(a + b)),
        lambda g, y, a, b: g * (digamma(b) - digamma(a + b)),
    )
    adjoint(
        special.binom,  # 1 / ((n + 1) B(n - k + 1, k + 1))
        lambda g, y, n, k: g * y * (digamma(n + 1.0) - digamma(n - k + 1.0)),
        lambda g, y, n, k: g * y * (digamma(n - k + 1.0) - digamma(k + 1.0)),
    )

    def density(a: Value, x: Value) -> Value:  # 8.8.13
        a = a * np.ones_like(x)  # a number takes on the dtype of x
        return np.exp(special.xlogy(a - 1.0, x) - x - special.gammaln(a))

    adjoint(special.gammainc, no_derivative, lambda g, y, a, x: g * density(a, x))
    adjoint(special.gammaincc, no_derivative, lambda g, y, a, x: -g * density(a, x))
    adjoint(special.gammaincinv, no_derivative, lambda g, y, a, p: g / density(a, y))
    adjoint(special.gammainccinv, no_derivative, lambda g, y, a, p: -g / density(a, y))

    def beta_density(a: Value, b: Value, x: Value) -> Value:  # 8.17.1
        a, b = a * np.ones_like(x), b * np.ones_like(x)
        return np.exp(special.xlogy(a - 1.0, x) + special.xlog1py(b - 1.0, -x) - special.betaln(a, b))

    shapes = (no_derivative, no_derivative)
    adjoint(special.betainc, *shapes, lambda g, y, a, b, x: g * beta_density(a, b, x))
    adjoint(special.betaincc, *shapes, lambda g, y, a, b, x: -g * beta_density(a, b, x))
    adjoint(special.betaincinv, *shapes, lambda g, y, a, b, p: g / beta_density(a, b, y))

    def student_density(df: Any, t: Value) -> Value:
        half = 0.5 * np.ones_like(t)
        df = 2.0 * half * df
        return np.exp(-0.5 * (df + 1.0) * np.log1p(t * t / df) - special.betaln(half, 0.5 * df)) / np.sqrt(df)

    adjoint(special.stdtr, no_derivative, lambda g, y, df, t: g * student_density(df, t))


def _bessel_functions(special: Any) -> None:
    # J₁' = (J₀ − J₂) / 2, because J₀ − J₁ / x is 0 / 0 at 0 (10.6.1); the same for the modified ones (10.29.1)
    adjoint(special.j0, lambda g, y, x: -g * special.j1(x))
    adjoint(special.j1, lambda g, y, x: g * 0.5 * (special.j0(x) - special.jv(2, x)))
    adjoint(special.y0, lambda g, y, x: -g * special.y1(x))
    adjoint(special.y1, lambda g, y, x: g * 0.5 * (special.y0(x) - special.yv(2, x)))
    adjoint(special.i0, lambda g, y, x: g * special.i1(x))
    adjoint(special.i1, lambda g, y, x: g * 0.5 * (special.i0(x) + special.iv(2, x)))
    adjoint(special.k0, lambda g, y, x: -g * special.k1(x))
    adjoint(special.k1, lambda g, y, x: g * -0.5 * (special.k0(x) + special.kv(2, x)))
    adjoint(special.i0e, lambda g, y, x: g * (special.i1e(x) - np.sign(x) * y))
    adjoint(special.i1e, lambda g, y, x: g * (0.5 * (special.i0e(x) + special.ive(2, x)) - np.sign(x) * y))
    adjoint(special.k0e, lambda g, y, x: g * (y - special.k1e(x)))
    adjoint(special.k1e, lambda g, y, x: g * (y - 0.5 * (special.k0e(x) + special.kve(2, x))))

    whole_orders = {special.kn, special.yn}  # SciPy truncates an order that is not whole

    def of_any_order(function: Any, first: float, second: float, growth: Any = None) -> None:
        def slope(g: Value, y: Value, v: Value, x: Value) -> Value:
            if function in whole_orders:
                v = np.trunc(v)
            change = first * function(np.subtract(v, 1), x) + second * function(np.add(v, 1), x)
            return g * (change if growth is None else change + growth(x) * y)

        adjoint(function, no_derivative, slope)

    for function in {special.jv, special.jn, special.yv, special.yn}:
        of_any_order(function, 0.5, -0.5)
    of_any_order(special.iv, 0.5, 0.5)
    for function in {special.kv, special.kn}:
        of_any_order(function, -0.5, -0.5)
    of_any_order(special.ive, 0.5, 0.5, lambda x: -np.sign(x))
    of_any_order(special.kve, -0.5, -0.5, lambda x: 1.0)


def _entropies_and_logistic(special: Any) -> None:
    adjoint(special.expit, lambda g, y, x: g * y * (1.0 - y))
    adjoint(special.logit, lambda g, y, x: g / (x * (1.0 - x)))
    adjoint(special.log_expit, lambda g, y, x: g * special.expit(-x))
    adjoint(special.entr, lambda g, y, x: g * (-1.0 - np.log(x)))
    adjoint(special.xlogy, lambda g, y, a, b: g * np.log(b), lambda g, y, a, b: g * a / b)
    adjoint(special.xlog1py, lambda g, y, a, b: g * np.log1p(b), lambda g, y, a, b: g * a / (1.0 + b))
    adjoint(special.rel_entr, lambda g, y, a, b: g * (np.log(a / b) + 1.0), lambda g, y, a, b: -g * a / b)
    adjoint(special.kl_div, lambda g, y, a, b: g * np.log(a / b), lambda g, y, a, b: g * (1.0 - a / b))

    adjoint(
        special.huber,
        lambda g, y, delta, r: g * np.maximum(np.abs(r) - delta, 0.0),
        lambda g, y, delta, r: g * np.maximum(np.minimum(r, delta), np.negative(delta)),
    )
    adjoint(
        special.pseudo_huber,
        lambda g, y, delta, r: g * (2.0 * y - np.square(r) / np.hypot(1.0, r / delta)) / delta,
        lambda g, y, delta, r: g * r / np.hypot(1.0, r / delta),
    )


def _powers_and_integrals(special: Any) -> None:
    adjoint(special.exp2, lambda g, y, x: g * y * math.log(2))
    adjoint(special.exp10, lambda g, y, x: g * y * math.log(10))
    adjoint(special.expm1, lambda g, y, x: g * (y + 1.0))
    adjoint(special.log1p, lambda g, y, x: g / (1.0 + x))
    adjoint(special.cosm1, lambda g, y, x: -g * np.sin(x))
    adjoint(special.cbrt, lambda g, y, x: g / (3.0 * y * y))
    adjoint(special.exp1, lambda g, y, x: -g * np.exp(-x) / x)  # 6.2.1
    adjoint(special.expi, lambda g, y, x: g * np.exp(x) / x)
    adjoint(special.wrightomega, lambda g, y, x: g * y / (1.0 + y))
    adjoint(special.spence, lambda g, y, x: -g / special.exprel(np.log(x)))  # ln x / (1 − x)

    def lower_order(n: Any, y: Value, x: Value) -> Value:  # 8.19.13, where E₀ is exp(-x) / x
        return np.where(np.equal(n, 0), y * (1.0 + 1.0 / x), special.expn(np.maximum(np.subtract(n, 1), 0), x))

    adjoint(special.expn, no_derivative, lambda g, y, n, x: -g * lower_order(n, y, x))


def _hypergeometric_functions(special: Any) -> None:
    adjoint(special.exprel, lambda g, y, x: g * 0.5 * special.hyp1f1(2.0, 3.0, x))  # exprel x = M(1, 2, x)
    adjoint(
        special.hyp0f1,  # 16.3.1, as the two below
        no_derivative,
        lambda g, y, v, x: g * special.hyp0f1(np.add(v, 1.0), x) / v,
    )
    adjoint(
        special.hyp1f1,  # 13.3.15
        *(no_derivative, no_derivative),
        lambda g, y, a, b, x: g * (np.divide(a, b) * special.hyp1f1(np.add(a, 1.0), np.add(b, 1.0), x)),
    )
    adjoint(
        special.hyp2f1,  # 15.5.1
        *(no_derivative, no_derivative, no_derivative),
        lambda g, y, a, b, c, x: (
            g * (np.multiply(a, b) / c * special.hyp2f1(np.add(a, 1.0), np.add(b, 1.0), np.add(c, 1.0), x))
        ),
    )
