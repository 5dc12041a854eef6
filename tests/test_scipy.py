"""The functions under SciPy's names where they are peculiar; what all have in common is in cases_scipy.py."""

from __future__ import annotations

import copy
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import scipy
import scipy.integrate
import scipy.signal
import scipy.stats
from cases_algebra import matrix, positive
from record import sample

import autodiff as ad
from autodiff.scipy import integrate, linalg, signal, special, stats

# -- the package ------------------------------------------------------------------------------------------------

PROGRAM = """
import sys, autodiff
assert "scipy" not in sys.modules and "autodiff.scipy" not in sys.modules
sys.modules["scipy"] = None
try:
    import autodiff.scipy
except ModuleNotFoundError as error:
    print(error)
"""


def test_without_scipy_the_package_says_what_it_needs() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert "install" in done.stdout


def test_what_a_module_has_not_is_refused_by_name() -> None:
    with pytest.raises(AttributeError, match=r"'lambertw_zeros'.*logsumexp"):
        special.lambertw_zeros  # noqa: B018
    with pytest.raises(AttributeError, match=r"np\.linalg\.inv\(tensor\)"):
        linalg.inv  # noqa: B018
    with pytest.raises(AttributeError, match=r"'funm'.*expm"):
        linalg.funm  # noqa: B018


def test_scipys_own_refuse_a_tensor_and_say_where_to_go() -> None:
    for function in (scipy.linalg.expm, lambda a: scipy.special.polygamma(1, a)):
        with pytest.raises(TypeError, match=r"autodiff\.scipy"):
            function(ad.Tensor(matrix(2, 2)))


# -- special ----------------------------------------------------------------------------------------------------


def test_the_ufuncs_are_scipys() -> None:
    assert special.gammaln is scipy.special.gammaln
    assert special.xlogy is scipy.special.xlogy
    np.testing.assert_array_equal(special.zeta(2.0, ad.Tensor([1.5])).value, scipy.special.zeta(2.0, [1.5]))


def test_logsumexp_of_terms_that_do_not_count() -> None:
    a, b = np.array([1000.0, 0.5, np.inf, np.nan, -0.3]), np.array([0.0, 2.0, 0.0, 0.0, 1.0])
    expected = scipy.special.logsumexp(a, b=b)
    assert special.logsumexp(a, b=b) == pytest.approx(expected, rel=1e-14)
    found = ad.grad(lambda a: special.logsumexp(a, b=b))(a)
    np.testing.assert_allclose(found, b * np.exp(np.where(b == 0, 0, a) - expected), rtol=1e-13)
    ad.check_grads(lambda a, b: special.logsumexp(a, b=b), a[[1, 4]], np.array([0.0, 1.0]))
    assert special.logsumexp(np.float32([1, 2]), b=2).dtype == np.float32
    assert special.logsumexp(np.zeros(0)) == special.logsumexp(np.zeros(0), b=1.0) == -np.inf


def test_logsumexp_with_its_sign() -> None:
    a, b = sample(2, 3), np.array([1.0, -2.0, 0.5])
    for k in range(2):
        ours, theirs = (f(a, axis=1, b=b, return_sign=True)[k] for f in (special.logsumexp, scipy.special.logsumexp))
        np.testing.assert_allclose(ours, theirs, rtol=1e-13)
    ad.check_grads(lambda a, b: special.logsumexp(a, axis=1, b=b, return_sign=True)[0], a, b)
    assert special.logsumexp(a, return_sign=True)[1] == 1
    assert np.isnan(special.logsumexp(a, b=-1.0))


def test_whole_numbers_are_constants() -> None:
    with pytest.raises(TypeError, match=r"polygamma.*Tensor as n"):
        special.polygamma(ad.Tensor(1.0), 2.0)
    with pytest.raises(ValueError, match=r"whole numbers >= 0 as d"):
        special.multigammaln(3.0, 1.5)
    with pytest.raises(ValueError, match=r"a > \(d - 1\)/2"):
        special.multigammaln(ad.Tensor(0.5), 3)
    np.testing.assert_array_equal(special.polygamma(0, [1, 2]), scipy.special.polygamma(0, [1, 2]))


# -- linear algebra ---------------------------------------------------------------------------------------------


def test_only_the_triangle_is_read() -> None:
    a, b = matrix(3, 3), sample(3)
    for lower in (False, True):
        (slope,) = ad.vjp(lambda a, lower=lower: linalg.solve_triangular(a, b, lower=lower), a)[1](sample(3, salt=1))
        np.testing.assert_array_equal(slope, np.tril(slope) if lower else np.triu(slope))
        assert np.all(np.diagonal(slope))
    np.testing.assert_allclose(linalg.solve_triangular([[2, 5], [0, 4]], [1, 2]), [-0.75, 0.5])
    with pytest.raises(ValueError, match="trans"):
        linalg.solve_triangular(a, b, trans=3)
    with pytest.raises(np.linalg.LinAlgError):
        linalg.solve_triangular(ad.Tensor(np.zeros((2, 2))), ad.Tensor(np.ones(2)))


def test_the_root_of_a_real_matrix_may_be_complex() -> None:
    a = matrix(3, 3)
    root = linalg.sqrtm(ad.Tensor(a))
    assert root.dtype == np.complex128
    np.testing.assert_allclose((root @ root).value, a, atol=1e-12)
    ad.check_grads(lambda a: np.imag(linalg.sqrtm(a)), a)


def test_identities() -> None:
    a, b = positive(matrix(3, 3)), sample(3)
    slope = ad.grad(lambda a: np.trace(linalg.expm(a)))(0.1 * a)
    np.testing.assert_allclose(slope, linalg.expm(0.1 * a).T, rtol=1e-12)
    slope = ad.grad(lambda a: np.trace(linalg.sqrtm(a)))(a)
    np.testing.assert_allclose(slope, 0.5 * np.linalg.inv(linalg.sqrtm(a)).T, rtol=1e-11)
    np.testing.assert_allclose(linalg.cho_solve(linalg.cho_factor(a), b), np.linalg.solve(a, b), rtol=1e-12)
    large = ad.vjp(linalg.expm, 0.1 * a)[1](np.full((3, 3), 1e12))[0]
    np.testing.assert_allclose(large, 1e12 * ad.vjp(linalg.expm, 0.1 * a)[1](np.ones((3, 3)))[0], rtol=1e-13)


def test_batches_and_nothing() -> None:
    a, b = ad.Tensor(sample(2, 3)), ad.Tensor(sample(3, 1, 4))
    toeplitz = linalg.toeplitz(a, b)
    assert toeplitz.shape == (3, 2, 3, 4)
    np.testing.assert_array_equal(toeplitz.value[1, 0], scipy.linalg.toeplitz(a.value[0], b.value[1, 0]))
    blocks = linalg.block_diag(ad.Tensor(sample(2, 1, 2)), np.ones((2, 3)))
    np.testing.assert_array_equal(blocks.value[1, 1:, 2:], np.ones((2, 3)))
    assert blocks.shape == (2, 3, 5)
    assert linalg.block_diag().shape == scipy.linalg.block_diag().shape
    assert linalg.block_diag([], ad.Tensor([1.0])).shape == (2, 1)
    assert linalg.sqrtm(np.zeros((0, 2, 2))).shape == (0, 2, 2)
    assert linalg.solve_triangular(np.zeros((0, 2, 2)), np.ones(2)).shape == (0, 2)


def test_plain_arrays_give_plain_arrays() -> None:
    results: list[Any] = [special.softmax([1, 2]), linalg.expm([[1, 2], [0, 1]]), linalg.toeplitz([1, 2])]
    results.append(linalg.sqrtm([[4, 0], [0, 9]]))
    assert [type(x) for x in results] == [np.ndarray] * 4
    assert type(stats.norm.pdf(1)) is np.float64


# -- distributions ----------------------------------------------------------------------------------------------

EVERY = ("norm", "t", "gamma", "beta", "expon", "laplace", "uniform")
SHAPES: dict[str, tuple[float, ...]] = {"t": (3.4,), "gamma": (2.3,), "beta": (1.8, 2.6)}


@pytest.mark.parametrize("name", EVERY)
def test_values_in_the_tails_off_the_support_and_for_wrong_parameters(name: str) -> None:
    ours, theirs, shapes = getattr(stats, name), getattr(scipy.stats, name), SHAPES.get(name, ())
    x = np.array([-40.0, -3.0, -0.5, 0.2, 0.9, 1.5, 12.0, 45.0, np.nan])
    for method in ours.methods:
        expected = getattr(theirs, method)(x, *shapes)
        found = getattr(ours, method)(x, *shapes)
        tiny = 1e-15 if method.startswith("log") else 1e-300  # an older SciPy rounds the logarithm of almost 1 to 0
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=tiny, err_msg=method)
        for wrong in ((*shapes, 0.0, -1.0), *((-1.0, *shapes[1:]) for _ in shapes[:1])):
            np.testing.assert_array_equal(getattr(ours, method)(x, *wrong), getattr(theirs, method)(x, *wrong))
        values = ad.Tensor(x[:-1])
        getattr(ours, method)(values, *shapes).sum().backward()
        assert values.grad is not None
        assert np.all(np.isfinite(values.grad))


def test_a_support_that_has_an_end_includes_it() -> None:
    for method in stats.expon.methods:
        assert getattr(stats.expon, method)(0.0) == getattr(scipy.stats.expon, method)(0.0)
    assert stats.gamma.pdf(0.0, 1.0) == 1
    assert stats.uniform.cdf(ad.Tensor([-1.0, 0.0, 1.0, 2.0])).value.tolist() == [0, 0, 1, 1]


def test_student_with_many_degrees_of_freedom_is_normal() -> None:
    x, df = sample(3), np.array([3.0, np.inf, 1e7])
    np.testing.assert_allclose(stats.t.logpdf(x, df), scipy.stats.t.logpdf(x, df), rtol=1e-9)
    np.testing.assert_allclose(ad.grad(lambda x: np.sum(stats.t.logpdf(x, df)))(x)[1:], -x[1:], rtol=1e-5)


def test_arguments_are_those_of_scipys_methods() -> None:
    x = sample(3, low=0.2, high=0.8)
    np.testing.assert_allclose(stats.beta.pdf(x, b=2, a=3, scale=2), scipy.stats.beta.pdf(x, b=2, a=3, scale=2))
    np.testing.assert_allclose(stats.norm(0.2, scale=2).logsf(x), scipy.stats.norm(0.2, scale=2).logsf(x))
    for wrong in (lambda: stats.gamma.pdf(x), lambda: stats.norm.pdf(x, 0, 1, 2), lambda: stats.norm.pdf(x, sd=2)):
        with pytest.raises(TypeError, match=r"stats\.\w+\.pdf .*\(x, "):
            wrong()
    assert copy.deepcopy(stats.norm).cdf(0) == 0.5
    with pytest.raises(AttributeError, match=r"norm has no 'rvs'.*logpdf"):
        stats.norm.rvs  # noqa: B018
    with pytest.raises(AttributeError, match=r"'zipf'.*norm"):
        stats.zipf  # noqa: B018


def test_a_derivative_that_is_not_elementary_is_refused_by_name() -> None:
    a = ad.Tensor(2.0)
    with pytest.raises(TypeError, match=r"stats\.gamma\.cdf.*Tensor as a"):
        stats.gamma.cdf(1.0, a)
    with pytest.raises(TypeError, match=r"multivariate_normal\.cdf"):
        stats.multivariate_normal.cdf(np.zeros(2))
    with ad.no_grad():
        assert stats.gamma.cdf(1.0, a) == pytest.approx(scipy.stats.gamma.cdf(1.0, 2.0), rel=1e-14)


def test_counts() -> None:
    k = np.array([-1, 0, 2, 2.5, 7])
    for method in stats.poisson.methods:
        ours, theirs = getattr(stats.poisson, method), getattr(scipy.stats.poisson, method)
        np.testing.assert_allclose(ours(k, 2.5, loc=1), theirs(k, 2.5, loc=1), rtol=1e-12)
        for mu in (0.0, -1.0):
            np.testing.assert_array_equal(ours(k, mu), theirs(k, mu))
    with pytest.raises(TypeError, match="whole numbers"):
        stats.poisson.pmf(ad.Tensor(2.0), 1.5)
    np.testing.assert_allclose(ad.grad(lambda mu: stats.poisson.logpmf(3, mu))(1.5), 3 / 1.5 - 1, rtol=1e-14)


def test_a_covariance_that_is_none() -> None:
    with pytest.raises(np.linalg.LinAlgError, match="positive definite"):
        stats.multivariate_normal.pdf(np.zeros(2), cov=ad.Tensor(np.zeros((2, 2))))
    with pytest.raises(ValueError, match="allow_singular"):
        stats.multivariate_normal.pdf(np.zeros(2), cov=np.eye(2), allow_singular=True)
    with pytest.raises(ValueError, match=r"\(\.\.\., 2\).*\(3,|received"):
        stats.multivariate_normal.pdf(np.zeros(3), cov=np.eye(2))
    with pytest.raises(ValueError, match=r"\(3,\) and \(2, 2\)"):
        stats.multivariate_normal.pdf(np.zeros(3), np.zeros(3), np.eye(2))
    slope = ad.grad(lambda c: stats.multivariate_normal.logpdf(np.array([0.3, 1.2]), cov=c))(positive(matrix(2, 2)))
    np.testing.assert_allclose(slope, slope.T, rtol=1e-12)


def test_points_off_the_simplex() -> None:
    for x in ([0.5, 0.6], [-0.1, 0.2], [0.2, 0.3, 0.6], 0.5):
        with pytest.raises(ValueError, match="dirichlet"):
            stats.dirichlet.pdf(x, [1.0, 2.0, 1.5])
    with pytest.raises(ValueError, match="alpha"):
        stats.dirichlet.pdf([0.5], [1.0, 0.0])
    single = np.float32([0.1, 0.2, 0.7])
    assert stats.dirichlet.pdf(single, np.float32([1, 2, 1.5])).dtype == np.float32


# -- convolutions -----------------------------------------------------------------------------------------------


def test_shapes_that_have_no_convolution() -> None:
    for wrong in (sample(3), sample(2, 5)):
        with pytest.raises(ValueError, match=r"convolve.*\(4, 3\)"):
            signal.convolve(ad.Tensor(sample(4, 3)), wrong, mode="valid")
    with pytest.raises(ValueError, match="'wrap'"):
        signal.convolve(sample(3), sample(3), mode="wrap")
    with pytest.raises(ValueError, match=r"no elements.*\(0, 2\)"):
        signal.convolve(np.zeros((0, 2)), np.ones((2, 2)))
    with pytest.raises(AttributeError, match=r"'fftconvolve'.*convolve"):
        signal.fftconvolve  # noqa: B018


def test_centres_of_every_parity() -> None:
    for n in range(1, 6):
        for m in range(1, 6):
            a, b = sample(n, 2), sample(m, 3, salt=1)
            found, expected = (f(a, b, mode="same") for f in (signal.convolve, scipy.signal.convolve))
            np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-14)


# -- differential equations -------------------------------------------------------------------------------------


def growth(y: Any, t: Any, rate: Any) -> Any:
    return rate * y


def test_the_derivative_of_a_solution_that_is_known() -> None:
    t = np.array([0.0, 0.7, 0.7, 1.6])  # a time may repeat
    y0, rate = ad.Tensor(1.3), ad.Tensor([0.4])
    y = integrate.odeint(growth, y0, t, (rate,), rtol=1e-11, atol=1e-11)
    np.testing.assert_allclose(y.value[:, 0], 1.3 * np.exp(0.4 * t), rtol=1e-9)
    y.sum().backward()
    np.testing.assert_allclose(y0.grad, np.sum(np.exp(0.4 * t)), rtol=1e-9)
    np.testing.assert_allclose(rate.grad, [np.sum(1.3 * t * np.exp(0.4 * t))], rtol=1e-9)
    last = ad.hessian(lambda r: integrate.odeint(growth, 1.3, t, (r,), rtol=1e-11, atol=1e-11)[-1, 0])(np.array(0.4))
    np.testing.assert_allclose(last, 1.3 * 1.6**2 * np.exp(0.4 * 1.6), rtol=1e-8)
    _, moved = ad.jvp(lambda r: integrate.odeint(growth, 1.3, t, (r,), rtol=1e-11, atol=1e-11), (0.4,), (1.0,))
    np.testing.assert_allclose(moved[:, 0], 1.3 * t * np.exp(0.4 * t), rtol=1e-8)


def test_arguments_are_nests_and_constants() -> None:
    def slope(t: float, y: Any, weights: Any, name: str, scale: float) -> Any:
        assert name == "tanh"
        return np.tanh(weights["w"] @ y + weights["b"]) * scale

    weights = {"w": sample(3, 3), "b": sample(3, salt=1)}
    y0, t = sample(3, salt=2), np.linspace(1.0, 0.0, 4)  # falling times

    def solution(weights: Any, y0: Any) -> Any:
        return integrate.odeint(slope, y0, t, (weights, "tanh", 0.5), tfirst=True, rtol=1e-11, atol=1e-11, mxstep=900)

    ad.check_grads(solution, weights, y0, order=1)
    expected = scipy.integrate.odeint(slope, y0, t, (weights, "tanh", 0.5), tfirst=True, rtol=1e-11, atol=1e-11)
    np.testing.assert_array_equal(solution(weights, y0), expected)
    assert type(solution(weights, y0)) is np.ndarray
    one = integrate.odeint(growth, ad.Tensor([2.0]), [0.5], (1.0,))
    assert one.shape == (1, 1)
    assert ad.grad(lambda y0: integrate.odeint(growth, y0, [0.5], (1.0,)).sum())(np.array([2.0])) == 1


def test_what_odeint_refuses() -> None:
    rate = ad.Tensor(0.4)
    t = np.array([0.0, 1.0])
    with pytest.raises(TypeError, match="hand it over in args="):
        integrate.odeint(lambda y, t: rate * y, 1.0, t)
    with pytest.raises(TypeError, match=r"full_output.*hmax"):
        integrate.odeint(growth, 1.0, t, (rate,), full_output=True)
    with pytest.raises(TypeError, match="real numbers"):
        integrate.odeint(growth, 1j, t, (rate,))
    with pytest.raises(ValueError, match=r"each element of y0, 2; it returned the shape \(3,\)"):
        integrate.odeint(lambda y, t: np.zeros(3), [1.0, 2.0], t)
    assert integrate.odeint(growth, np.float32([1]), np.float32(t), (ad.Tensor(np.float32(0.4)),)).dtype == np.float32
