"""Exact values where derivatives are delicate: at zeros, ties, kinks, infinities and far out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import autodiff as ad
from autodiff.rules.elementwise import power_exponent

array = np.array
inf, nan = np.inf, np.nan


def derivatives(f: Any, x: float) -> list[float]:
    """The first three derivatives of a function of one number."""
    return [float(ad.grad(f)(x)), float(ad.grad(ad.grad(f))(x)), float(ad.grad(ad.grad(ad.grad(f)))(x))]


@pytest.mark.parametrize(
    ("p", "expected"), [(0, [0, 0, 0]), (1, [1, 0, 0]), (2, [0, 2, 0]), (3, [0, 0, 6]), (4, [0, 0, 0])]
)
def test_powers_at_zero(p: int, expected: list[float]) -> None:
    for exponent in (p, float(p), array(p), array(float(p)), np.int64(p), np.float64(p)):
        assert derivatives(lambda x, exponent=exponent: x**exponent, 0.0) == expected
        assert derivatives(lambda x, exponent=exponent: np.power(x, exponent), -0.0) == expected


def test_powers_of_negative_numbers() -> None:
    assert derivatives(lambda x: x**3, -2.0) == [12, -12, 6]
    assert derivatives(lambda x: x**-1, -2.0) == [-0.25, -0.25, -0.375]
    np.testing.assert_array_equal(ad.grad(lambda x: np.sum(x ** [1, 2, 3]))(array([-2.0, -2.0, -2.0])), [1, -4, 12])


def test_zero_to_a_power_does_not_change_with_the_power() -> None:
    assert ad.grad(lambda p: np.power(0.0, p))(2.0) == ad.grad(lambda p: np.power(0.0, p))(0.0) == 0
    assert ad.grad(lambda x, p: x**p, argnums=(0, 1))(0.0, 2.0) == (0, 0)
    assert power_exponent(np.float32(1), np.float32(4), 2.0, np.float32(2)).dtype == np.float32


def test_a_power_without_a_real_value_has_no_real_derivative() -> None:
    with pytest.warns(RuntimeWarning, match="invalid"):
        assert np.isnan((-8.0) ** ad.Tensor(1 / 3)).all()
    with pytest.warns(RuntimeWarning, match="invalid"):
        assert np.isnan(ad.grad(lambda p: np.power(-2.0, p))(2.0))


@pytest.mark.parametrize(
    ("x", "expected"),
    [([2.0, 3, 4], [12, 8, 6]), ([0.0, 3, 4], [12, 0, 0]), ([0.0, 0, 4], [0, 0, 0]), ([0.0], [1]), ([], [])],
)
def test_a_product_with_zeros(x: list[float], expected: list[float]) -> None:
    np.testing.assert_array_equal(ad.grad(np.prod)(array(x)), expected)


def test_a_product_with_two_zeros_still_curves() -> None:
    np.testing.assert_array_equal(ad.hessian(np.prod)(array([0.0, 0, 5])), [[0, 5, 0], [5, 0, 0], [0, 0, 0]])
    np.testing.assert_array_equal(ad.grad(np.prod)(array([nan, 2.0, 3.0])), [nan, nan, nan])


@pytest.mark.parametrize(("f", "sign"), [(np.max, 1), (np.min, -1), (np.amax, 1), (np.amin, -1)])
def test_extremes_share_the_adjoint_among_ties(f: Any, sign: int) -> None:
    x = sign * array([[[1.0, 3], [2, 3]], [[3, 0], [3, 3]]])
    np.testing.assert_array_equal(ad.grad(f)(x), (sign * x == 3) / 5)
    shared = ad.grad(lambda x: np.sum(f(x, axis=(0, 2)) * array([1.0, 6.0])))(x)
    np.testing.assert_array_equal(shared, [[[0, 0.5], [0, 2]], [[0.5, 0], [2, 2]]])


@pytest.mark.parametrize("f", [np.maximum, np.minimum])
def test_a_tie_of_two_is_halved(f: Any) -> None:
    assert ad.grad(f, argnums=(0, 1))(1.0, 1.0) == (0.5, 0.5)
    assert ad.grad(lambda x: f(x, 1))(1.0) == 0.5
    assert ad.grad(lambda x: f(x, x))(1.0) == 1
    assert ad.grad(f, argnums=(0, 1))(inf, 1.0) == ((1, 0) if f is np.maximum else (0, 1))


def test_conventions_at_kinks() -> None:
    assert ad.grad(np.abs)(0.0) == ad.grad(np.fabs)(0.0) == 0
    assert ad.grad(ad.relu)(0.0) == ad.grad(ad.relu)(-0.0) == 0
    assert ad.grad(ad.leaky_relu)(0.0) == 0.01
    assert derivatives(lambda x: ad.elu(x, alpha=0.5), 0.0) == [0.5, 0.5, 0.5]
    np.testing.assert_array_equal(
        ad.grad(lambda x: np.sum(np.clip(x, 0, 1)))(array([-1.0, 0, 0.5, 1, 2])), [0, 0.5, 1, 0.5, 0]
    )
    np.testing.assert_array_equal(ad.grad(lambda x: np.sum(np.clip(x, 2, 1)))(array([0.0, 3.0])), [0, 0])


EXTREME = array([-1000.0, 0.0, 1000.0])


@pytest.mark.parametrize(
    ("f", "values", "slopes"),
    [
        (ad.sigmoid, [0, 0.5, 1], [0, 0.25, 0]),
        (ad.softplus, [0, np.log(2), 1000], [0, 0.5, 1]),
        (ad.silu, [0, 0, 1000], [0, 0.5, 1]),
        (ad.elu, [-1, 0, 1000], [0, 1, 1]),
        (ad.relu, [0, 0, 1000], [0, 0, 1]),
        (np.tanh, [-1, 0, 1], [0, 1, 0]),
    ],
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_activations_far_out(f: Any, values: list[float], slopes: list[float], dtype: Any) -> None:
    x = EXTREME.astype(dtype)
    np.testing.assert_allclose(f(x), np.asarray(values, dtype), rtol=1e-6)
    np.testing.assert_allclose(ad.grad(lambda x: np.sum(f(x)))(x), slopes, rtol=1e-6)
    assert np.isfinite(ad.grad(lambda x: np.sum(ad.grad(lambda z: np.sum(f(z)))(x)))(x)).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_softmax_and_its_kin_far_out(dtype: Any) -> None:
    x = EXTREME.astype(dtype)
    np.testing.assert_array_equal(ad.softmax(x), [0, 0, 1])
    np.testing.assert_array_equal(ad.jacobian(ad.softmax)(x), np.zeros((3, 3)))
    np.testing.assert_array_equal(ad.log_softmax(x), [-2000, -1000, 0])
    np.testing.assert_array_equal(ad.jacobian(ad.log_softmax)(x), [[1, 0, -1], [0, 1, -1], [0, 0, 0]])
    assert ad.logsumexp(x) == 1000
    np.testing.assert_array_equal(ad.grad(ad.logsumexp)(x), [0, 0, 1])
    np.testing.assert_array_equal(ad.hessian(ad.logsumexp)(x), np.zeros((3, 3)))


def test_each_row_has_its_own_scale() -> None:
    x = array([[-1000.0, -1000.0], [1000.0, 1000.0]])
    np.testing.assert_allclose(ad.logsumexp(x, axis=1), [-1000 + np.log(2), 1000 + np.log(2)], rtol=1e-14)
    np.testing.assert_allclose(ad.log_softmax(x), np.full((2, 2), -np.log(2)), rtol=1e-14)
    np.testing.assert_array_equal(ad.softmax(x), np.full((2, 2), 0.5))
    np.testing.assert_allclose(ad.grad(lambda x: np.sum(ad.logsumexp(x, axis=1)))(x), np.full((2, 2), 0.5), rtol=1e-12)


def test_excluded_and_missing_elements() -> None:
    x = array([-inf, 0.0, 0.0])
    assert ad.logsumexp(x) == np.log(2)
    np.testing.assert_array_equal(ad.grad(ad.logsumexp)(x), [0, 0.5, 0.5])
    np.testing.assert_array_equal(ad.softmax(x), [0, 0.5, 0.5])
    np.testing.assert_array_equal(ad.grad(lambda x: ad.softmax(x)[1])(x), [0, 0.25, -0.25])
    np.testing.assert_array_equal(ad.grad(lambda x: ad.log_softmax(x)[1])(x), [0, 0.5, -0.5])
    assert ad.logsumexp(array([])) == ad.logsumexp(array([-inf, -inf])) == -inf
    assert ad.grad(ad.logsumexp)(array([])).shape == (0,)
    np.testing.assert_array_equal(ad.logsumexp(np.ones((2, 0)), axis=1, keepdims=True), [[-inf], [-inf]])
    assert ad.grad(lambda x: np.sum(ad.logsumexp(x, axis=0)))(np.ones((2, 0))).shape == (2, 0)


SINGLE = [np.exp, np.log, np.sin, np.sqrt, np.tanh, np.square, np.prod, ad.sigmoid, ad.softplus, ad.logsumexp, np.var]


@pytest.mark.parametrize("f", [*SINGLE, lambda x: x * x, lambda x: x**2, lambda x: np.dot(x, x)])
def test_nan_goes_through_values_and_adjoints(f: Any) -> None:
    x = ad.Tensor([nan])
    y = np.sum(f(x))
    assert np.isnan(y.value)
    assert np.isnan(y.adjoints()[x]).all()


def test_compositions_take_integers_and_lists() -> None:
    for f in (ad.relu, ad.sigmoid, ad.softplus, ad.silu, ad.elu, ad.softmax, ad.log_softmax, ad.logsumexp):
        expected = f(array([1.0, -2.0, 3.0]))
        np.testing.assert_array_equal(f([1, -2, 3]), expected)
        np.testing.assert_array_equal(f(array([1, -2, 3])), expected)
        np.testing.assert_array_equal(f(ad.Tensor([1, -2, 3])).value, expected)


@pytest.mark.parametrize(
    ("subscripts", "shape"),
    [("i...->i", (2, 3)), ("ii", (1, 3)), ("ij->ik", (2, 3)), ("ij,jk", (2, 3)), ("i..j", (2, 3))],
)
def test_einsum_refuses_what_numpy_refuses(subscripts: str, shape: tuple[int, ...]) -> None:
    for x in (np.ones(shape), ad.Tensor(np.ones(shape))):
        with pytest.raises(ValueError, match=r"einsum|subscript|operand"):
            np.einsum(subscripts, x)


def test_einsum_with_lists_of_axes() -> None:
    a, b = np.arange(6.0).reshape(2, 3), np.arange(12.0).reshape(3, 4)
    for operands in ((a, [0, 1], b, [1, 2], [0, 2]), (a, [0, 1], b, [1, 2]), (a, [..., 1], [...])):
        expected = np.einsum(*operands)
        ours = np.einsum(*(ad.Tensor(x) if isinstance(x, np.ndarray) else x for x in operands))
        assert isinstance(ours, ad.Tensor)
        np.testing.assert_array_equal(ours.value, expected)


def test_stack_refuses_unequal_shapes_and_names_them() -> None:
    with pytest.raises(
        ValueError, match=r"np\.stack takes arrays of one shape; received the shapes \[\(2,\), \(3,\)\]"
    ):
        np.stack([ad.Tensor([1.0, 2.0]), ad.Tensor([1.0, 2.0, 3.0])])


def test_constant_operands_may_be_nested_lists_and_tuples() -> None:
    x = ad.Tensor([1.0, 2.0])
    np.testing.assert_array_equal(np.matmul(x, ((1, 2), (3, 4))).adjoints(np.ones(2))[x], [3, 7])
    np.testing.assert_array_equal(np.power(x, (1, 3)).adjoints(np.ones(2))[x], [1, 12])
    np.testing.assert_array_equal(np.dot([[1, 2]], x).adjoints(np.ones(1))[x], [1, 2])
    np.testing.assert_array_equal(np.einsum("ii,i", [[1, 2], [3, 4]], x).adjoints()[x], [1, 4])


@pytest.mark.parametrize("index", [[0, 0, 1], ((0, 0, 1),), array([0, 0, 1]), ([0, 0, 1],), (array([[0, 0, 1]]),)])
def test_repeated_indices_add_up(index: Any) -> None:
    x = ad.Tensor([1.0, 2.0, 3.0])
    np.testing.assert_array_equal(np.sum(x[index]).adjoints()[x], [2, 1, 0])


def test_an_order_that_memory_decides() -> None:
    numbers = np.arange(24.0).reshape(2, 3, 4)
    for laid in (numbers, numbers.T, numbers.transpose(1, 2, 0), numbers[:, ::2], numbers[:, :, ::-1]):
        x, seed = ad.Tensor(laid), np.arange(1.0, laid.size + 1)
        for order in ("C", "F", "A", "K"):
            y = np.ravel(x, order=order)
            np.testing.assert_array_equal(y.value, np.ravel(x.value, order=order))
            found = y.adjoints(seed)[x]
            np.testing.assert_array_equal(np.sort(found, axis=None), seed)
            assert np.sum(found * laid) == np.sum(y.value * seed)


def test_where_a_norm_is_zero_its_second_derivative_is_no_number() -> None:
    """The first derivative is 0 by convention; a second one would be wrong: |x| has none, and that of |x|² is 2."""
    zero, pair, rows = np.zeros(3), np.zeros(2), np.zeros((2, 3))
    singular: list[tuple[Any, Any]] = [
        *((lambda x, p=p: np.linalg.norm(x) ** p, zero) for p in (1, 2, 4)),
        *((lambda x, p=p: np.linalg.norm(x, p) ** 2, zero) for p in (2, 3, 4)),
        (lambda x: np.cos(np.linalg.norm(x)), zero), (lambda x: np.exp(-(np.linalg.norm(x) ** 2)), zero),
        (lambda x: np.sum(np.linalg.norm(x, axis=1) ** 2), rows), (lambda x: np.linalg.norm(x, "fro") ** 2, rows),
        (lambda x: np.linalg.matrix_norm(x) ** 2, rows), (lambda x: np.linalg.vector_norm(x) ** 2, rows),
        (lambda x: np.hypot(x[0], x[1]) ** 2, pair), (lambda x: np.abs(x[0] + 1j * x[1]) ** 2, pair),
        (lambda x: np.std(x) ** 2, np.ones(3)), (lambda x: np.nanstd(x) ** 2, np.ones(3)),
    ]  # fmt: skip
    finite = []
    for k, (f, x) in enumerate(singular):
        np.testing.assert_array_equal(ad.grad(f)(x), np.zeros(x.shape))
        for mode in ("reverse", "forward"):
            with np.errstate(all="ignore"):
                second = ad.jacobian(ad.grad(f), mode=mode)(x).reshape(x.size, x.size)
            if np.any(np.isfinite(np.diag(second))):
                finite.append((k, mode, second))
    assert not finite
    np.testing.assert_allclose(ad.hessian(np.var)(np.ones(3)), (np.eye(3) - 1 / 3) * 2 / 3)
    np.testing.assert_allclose(ad.hessian(lambda x: np.sum(x * x))(zero), 2 * np.eye(3))


def test_what_is_squared_does_not_run_out_of_range() -> None:
    assert ad.grad(lambda y: np.arctan2(y, np.float32(1e-25)))(np.float32(1e-25)) == pytest.approx(5e24, rel=1e-6)
    assert ad.grad(np.arctan2)(1e200, 1e200) == pytest.approx(5e-201)
    assert ad.grad(np.arcsinh)(1e200) == pytest.approx(1e-200)
    np.testing.assert_allclose(ad.grad(np.prod)(np.array([1e-30, 1e-30, 1e30], np.float32)), [1, 1, 0], atol=1e-30)


def test_the_deviation_of_equal_elements_does_not_move() -> None:
    np.testing.assert_array_equal(ad.grad(np.std)(np.ones(3)), np.zeros(3))
    np.testing.assert_array_equal(ad.grad(lambda x: np.sum(np.std(x, axis=1)))(np.ones((2, 1))), [[0], [0]])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_relu_of_many_elements_is_relu_of_few(dtype: type) -> None:
    x = np.linspace(-3, 3, 2000, dtype=dtype).reshape(40, 50).T
    x[:4, 0] = np.nan, np.inf, -np.inf, -0.0
    y = ad.relu(ad.Tensor(x))
    assert y.dtype == dtype
    assert np.array_equal(y.value, np.stack([ad.relu(row) for row in x]), equal_nan=True)


NAN_SIBLINGS = [
    (getattr(np, f"nan{f.__name__}"), f) for f in (np.sum, np.prod, np.mean, np.var, np.std, np.max, np.min)
]


@pytest.mark.parametrize(("skipping", "plain"), NAN_SIBLINGS, ids=lambda f: f.__name__)
@pytest.mark.parametrize("axis", [None, 0, -1])
@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize(
    "x", [np.ones((2, 3)), np.zeros((2, 3)), np.array([[0.5, -1.0, 2.0], [2.0, 2.0, 0.1]])], ids=str
)
def test_without_nan_a_nan_reduction_is_its_sibling(
    skipping: Any, plain: Any, axis: Any, keepdims: bool, x: np.ndarray
) -> None:
    given = {"axis": axis, "keepdims": keepdims}
    np.testing.assert_allclose(skipping(ad.Tensor(x), **given).value, plain(x, **given))
    found, expected = (ad.grad(lambda x, f=f: np.sum(f(x, **given)))(x) for f in (skipping, plain))
    np.testing.assert_allclose(found, expected)


def test_the_logarithm_of_a_complex_sum_is_the_principal_value() -> None:
    z = np.array([-2 + 6j, 4 - 5j])
    assert ad.logsumexp(z) == pytest.approx(4.000014042117515 + 1.2807066115466412j, rel=1e-12)
    assert ad.logsumexp(ad.Tensor(z)).item() == pytest.approx(np.log(np.sum(np.exp(z))), rel=1e-12)


def test_a_choice_that_is_nan_has_a_nan_adjoint() -> None:
    x = array([1.0, nan, 3.0])
    chosen: dict[str, tuple[Any, list[float]]] = {
        "maximum": (lambda x: np.maximum(x, 2.0), [0, nan, 1]),
        "maximum of the other": (lambda x: np.maximum(x, [nan, 0.0, 0.0]), [nan, nan, 1]),
        "minimum": (lambda x: np.minimum(2.0, x), [1, nan, 0]),
        "fmax": (lambda x: np.fmax(x, 2.0), [0, 0, 1]),  # it is 2 where x is NaN
        "fmin of two": (lambda x: np.fmin(x, [0.0, nan, 9.0]), [0, nan, 1]),
        "clip": (lambda x: np.clip(x, 0, 2), [1, nan, 0]),
        "clip from below": (lambda x: np.clip(x, 0, None), [1, nan, 1]),
        "relu": (ad.relu, [1, nan, 1]),
        "max": (np.max, [nan, nan, nan]),
        "min": (lambda x: np.min(x, initial=9.0), [nan, nan, nan]),
        "ptp": (np.ptp, [nan, nan, nan]),
        "nanmax": (np.nanmax, [0, 0, 1]),
    }
    wrong = []
    for name, (f, expected) in chosen.items():
        found = ad.grad(lambda x, f=f: np.sum(f(x)))(x)
        if not np.array_equal(found, expected, equal_nan=True):
            wrong.append((name, found, expected))
    assert not wrong
    for f in (np.median, lambda x: np.quantile(x, 0.3)):
        assert np.isnan(f(x))
        assert np.isnan(ad.grad(f)(x)).any()
