"""SciPy's special functions, and the error function of our own."""

from __future__ import annotations

import math
import subprocess
import sys
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from record import sample
from scipy import special

import autodiff as ad

LINE, POSITIVE, UNIT = (-2.3, 2.9), (0.4, 4.7), (0.07, 0.93)

UNARY: dict[str, tuple[float, float]] = {
    **dict.fromkeys(("erf", "erfc", "erfcx", "erfi", "dawsn", "ndtr", "log_ndtr", "expit", "log_expit"), LINE),
    **dict.fromkeys(("exp2", "exp10", "expm1", "cosm1", "exprel", "i0", "i0e", "i1", "i1e", "j0", "j1"), LINE),
    **dict.fromkeys(("gamma", "rgamma", "gammaln", "loggamma", "digamma", "psi", "y0", "y1"), POSITIVE),
    **dict.fromkeys(
        ("k0", "k0e", "k1", "k1e", "entr", "log1p", "cbrt", "exp1", "expi", "wrightomega", "spence"), POSITIVE
    ),
    **dict.fromkeys(("erfcinv", "ndtri", "logit", "spence"), UNIT),
    "erfinv": (-0.9, 0.9),
    "ndtri_exp": (-3.0, -0.1),
}
BINARY = ("beta", "betaln", "xlogy", "xlog1py", "kl_div", "rel_entr", "huber", "pseudo_huber", "owens_t", "poch")
ORDERS = {"jv": 1.5, "jn": 2, "yv": 0.5, "yn": 1, "iv": 2.5, "kv": 1.5, "kn": 1, "ive": 1.0, "kve": 0.5}


@pytest.mark.parametrize("name", UNARY)
def test_functions_of_one_argument(name: str) -> None:
    f, (low, high) = getattr(special, name), UNARY[name]
    x = sample(2, 3, low=low, high=high)
    np.testing.assert_array_equal(f(ad.Tensor(x)).value, f(x))
    ad.check_grads(f, x, order=3)


@pytest.mark.parametrize("name", BINARY)
def test_functions_of_two_arguments(name: str) -> None:
    f = getattr(special, name)
    a, b = sample(2, 3, low=0.4, high=2.9), sample(3, low=0.5, high=2.1, salt=1)
    np.testing.assert_allclose(f(ad.Tensor(a), ad.Tensor(b)).value, f(a, b), rtol=1e-14)
    ad.check_grads(f, a, b, order=3)
    assert isinstance(f(a, ad.Tensor(b)), ad.Tensor)
    ad.check_grads(lambda x: f(1.5, x), b)


@pytest.mark.parametrize("name", ORDERS)
def test_bessel_functions_of_any_order(name: str) -> None:
    f, order = getattr(special, name), ORDERS[name]
    ad.check_grads(lambda x: f(order, x), sample(5, low=0.4, high=4.7), order=3)


def test_incomplete_integrals_in_their_bound() -> None:
    x = sample(5, low=0.2, high=2.5)
    for f in (special.gammainc, special.gammaincc):
        ad.check_grads(lambda x, f=f: f(1.7, x), x, order=3)
    ad.check_grads(lambda x: special.betainc(1.7, 2.4, x), x / 3, order=3)
    ad.check_grads(lambda x: special.hyp1f1(1.2, 2.3, x), x, order=3)
    ad.check_grads(lambda x: special.hyp0f1(1.2, x), x, order=3)
    ad.check_grads(lambda x: special.hyp2f1(1.2, 0.7, 2.3, x), x / 3, order=3)
    ad.check_grads(lambda x: special.betaincc(1.7, 2.4, x), x / 3, order=3)
    ad.check_grads(lambda x: special.stdtr(3, x), x, order=3)
    ad.check_grads(lambda p: special.gammaincinv(1.7, p), x / 3)
    ad.check_grads(lambda p: special.gammainccinv(1.7, p), x / 3)
    ad.check_grads(lambda p: special.betaincinv(1.7, 2.4, p), x / 3)
    for order in (0, 1, 3):
        ad.check_grads(lambda x, n=order: special.expn(n, x), x, order=3)
    ad.check_grads(special.binom, x + 4, x)
    assert ad.grad(special.spence)(1.0) == -1


def test_the_faddeeva_function_is_holomorphic() -> None:
    def parts(a: Any, b: Any) -> Any:
        w = special.wofz(a + 1j * b)
        return np.stack([np.real(w), np.imag(w)])

    ad.check_grads(parts, sample(3), sample(3, salt=1), order=3)


def test_hurwitz_zeta_in_its_second_argument() -> None:
    x = sample(2, 3, low=0.4, high=4.7)
    np.testing.assert_array_equal(special.zeta(2.5, ad.Tensor(x)).value, special.zeta(2.5, x))
    ad.check_grads(lambda x: special.zeta(2.5, x), x, order=3)
    ad.check_grads(lambda x: special.zeta(np.array([[2], [4]]), x), x)
    for function in (special.zeta, lambda s: special.zeta(s, 1.5)):
        with pytest.raises(TypeError, match="order or shape"):
            function(ad.Tensor(2.5)).backward()


def test_removable_singularities() -> None:
    near_zero = np.array([0.0, 1e-9, -1e-9, 1e-3])
    for f, slope in ((special.exprel, 0.5), (special.j1, 0.5), (special.i1, 0.5), (special.j0, 0.0), (special.i0, 0.0)):
        x = ad.Tensor(near_zero)
        f(x).sum().backward()
        np.testing.assert_allclose(x.grad, slope, atol=1e-3)
        assert x.grad is not None
        assert x.grad[0] == slope


@pytest.mark.parametrize("f", [special.jv, special.iv, special.gammainc])
def test_the_derivative_by_an_order_is_refused_not_left_out(f: Callable[..., Any]) -> None:
    order, x = ad.Tensor(1.5), ad.Tensor(2.0)
    with pytest.raises(TypeError, match="order or shape"):
        f(order, x).backward()


def test_unknown_ones_are_refused_by_name() -> None:
    with pytest.raises(TypeError, match="ellipk"):
        special.ellipk(ad.Tensor(0.5))


@pytest.mark.parametrize("name", ["logsumexp", "softmax", "log_softmax"])
def test_python_functions_are_refused_with_the_name_of_ours(name: str) -> None:
    with pytest.raises(TypeError, match=rf"ad\.{name}\b"):
        getattr(special, name)(ad.Tensor([1.0, 2.0]))


def test_single_precision_stays_single() -> None:
    for name, (low, high) in UNARY.items():
        x = ad.Tensor(sample(3, low=low, high=high).astype(np.float32))
        y = getattr(special, name)(x)
        if y.dtype == np.float32:
            y.sum().backward()
            assert x.grad is not None
            assert x.grad.dtype == np.float32


def test_values_are_recorded_like_those_of_any_ufunc() -> None:
    x = ad.Tensor(sample(3))
    with ad.no_grad():
        assert type(special.erf(x)) is np.ndarray
    assert special.erf(x).primitive.name == "erf"
    with pytest.raises(TypeError, match="out"):
        special.erf(x, out=np.zeros(3))


PROGRAM = """
import sys, numpy as np, autodiff as ad
assert "scipy" not in sys.modules
ad.grad(lambda x: np.sum(ad.gelu(x) + ad.erf(x) + np.tanh(x)))(np.ones(3))
assert "scipy" not in sys.modules
import scipy.special
print(ad.grad(scipy.special.erf)(0.0))
"""


def test_scipy_is_not_imported_by_us() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert float(done.stdout) == pytest.approx(2 / math.sqrt(math.pi))


# -- the error function of our own ------------------------------------------------------------------------------

POINTS = np.concatenate([np.linspace(-28, 28, 40_001), sample(2_000, low=-6, high=6), [0.46875, 4.0, -0.46875, -4.0]])
TINY = np.logspace(-300, 0, 301)


def test_erf_to_the_last_digits() -> None:
    for x in (POINTS, TINY, -TINY):
        np.testing.assert_allclose(ad.erf(x), np.vectorize(math.erf)(x), rtol=5e-16, atol=0)


def test_erfc_keeps_its_relative_precision_where_it_is_tiny() -> None:
    x = POINTS[POINTS < 26]
    np.testing.assert_allclose(ad.erfc(x), np.vectorize(math.erfc)(x), rtol=1e-15, atol=0)


def test_erf_at_the_ends() -> None:
    x = np.array([0.0, -0.0, np.inf, -np.inf, np.nan])
    np.testing.assert_array_equal(ad.erf(x), [0, 0, 1, -1, np.nan])
    np.testing.assert_array_equal(ad.erfc(x), [1, 1, 0, 2, np.nan])
    assert np.signbit(ad.erf(-0.0))
    assert ad.erf(1) == pytest.approx(math.erf(1), rel=4e-16)
    for f in (ad.erf, ad.erfc, ad.gelu):
        assert f(np.float32([0.3, 2.0, 7.0])).dtype == np.float32
        assert f(np.zeros((0, 2))).shape == (0, 2)


def test_gelu_far_to_the_left_is_small_and_not_lost() -> None:
    assert ad.gelu(-10.0) == pytest.approx(-10 * 0.5 * math.erfc(10 / math.sqrt(2)), rel=1e-14)
    x = ad.Tensor([-10.0, 0.0, 10.0])
    ad.gelu(x).sum().backward()
    np.testing.assert_allclose(x.grad, [-7.5e-22, 0.5, 1.0], rtol=2e-2)


def test_a_broken_order_that_scipy_cuts_off_is_cut_off_in_the_derivative() -> None:
    for function in (special.kn, special.yn):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # SciPy says that it cuts the order off
            found = ad.grad(lambda x, f=function: f(0.5, x))(1.3)
        assert found == pytest.approx(ad.grad(lambda x, f=function: f(0, x))(1.3), rel=1e-12)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert ad.grad(lambda x: special.kn(0.5, x))(1.3) == pytest.approx(-0.3725475, rel=1e-6)
