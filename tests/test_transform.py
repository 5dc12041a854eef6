"""Functions made of functions: what they give, how they nest, what they refuse."""

from __future__ import annotations

import re
from collections import OrderedDict, defaultdict
from typing import Any, NamedTuple

import numpy as np
import pytest

import autodiff as ad

array = np.array


def plain(x: Any) -> bool:
    return type(x) is np.ndarray


def test_grad_and_value_and_grad() -> None:
    f = lambda x, y: np.sum(x * x * y)  # noqa: E731
    x, y = array([1.0, 2.0]), array([3.0, 4.0])
    np.testing.assert_array_equal(ad.grad(f)(x, y), [6, 16])
    np.testing.assert_array_equal(ad.grad(f, argnums=1)(x, y), [1, 4])
    np.testing.assert_array_equal(ad.grad(f, argnums=-1)(x, y), [1, 4])
    both = ad.grad(f, argnums=(1, 0))(x, y)
    assert type(both) is tuple
    np.testing.assert_array_equal(both, [[1, 4], [6, 16]])
    value, slope = ad.value_and_grad(f)(x, y)
    assert value == 19
    assert plain(value)
    assert plain(slope)


def test_has_aux() -> None:
    f = lambda x: (x * x, {"seen": "as it is"})  # noqa: E731
    assert ad.grad(f, has_aux=True)(3.0) == (6, {"seen": "as it is"})
    assert ad.value_and_grad(f, has_aux=True)(3.0) == ((9, {"seen": "as it is"}), 6)
    for wrong in (lambda x: x, lambda x: (x,), lambda x: [x, x]):
        with pytest.raises(TypeError, match=r"has_aux=True takes a function that returns \(result, aux\)"):
            ad.grad(wrong, has_aux=True)(3.0)


def test_keyword_arguments_go_through() -> None:
    def f(x: Any, *, power: int = 2) -> Any:
        return x**power

    assert ad.grad(f)(2.0, power=3) == 12
    assert ad.hessian(f)(2.0, power=3) == 12
    assert ad.jacobian(f)(2.0, power=3) == 12
    assert ad.grad(f).__name__ == "f"


class Layer(NamedTuple):
    weight: Any
    bias: Any


def test_nested_arguments_keep_their_structure() -> None:
    parameters = {"layers": [Layer(array([1.0, 2.0]), 3), (4.0,)], "scale": np.float32(2), "empty": [], "none": ()}

    def f(p: Any) -> Any:
        layer, (last,) = p["layers"]
        return np.sum(layer.weight**2) * p["scale"] + layer.bias * last

    g = ad.grad(f)(parameters)
    assert list(g) == list(parameters)
    assert type(g["layers"][0]) is Layer
    np.testing.assert_array_equal(g["layers"][0].weight, [4, 8])
    assert (g["layers"][0].bias, g["layers"][1], g["scale"], g["scale"].dtype) == (4, (3,), 5, np.float32)
    assert (g["empty"], g["none"]) == ([], ())
    assert parameters["layers"][0].bias == 3


@pytest.mark.parametrize("nest", [OrderedDict(a=1.0, b=2.0), defaultdict(float, a=1.0, b=2.0)])
def test_kinds_of_dict(nest: Any) -> None:
    g = ad.grad(lambda p: p["a"] * p["b"])(nest)
    assert type(g) is type(nest)
    assert dict(g) == {"a": 2, "b": 1}


def test_what_the_result_does_not_depend_on_gets_zeros() -> None:
    p = {"used": array([1.0, 2.0]), "unused": np.ones((2, 1), np.float32)}
    g = ad.grad(lambda p: np.sum(p["used"]))(p)
    np.testing.assert_array_equal(g["unused"], np.zeros((2, 1)))
    assert g["unused"].dtype == np.float32
    assert ad.grad(lambda x: np.float64(3))(2.0) == ad.grad(lambda x: np.floor(x))(2.5) == 0
    np.testing.assert_array_equal(ad.jacobian(lambda x: np.ones(2))(np.ones(3)), np.zeros((2, 3)))
    np.testing.assert_array_equal(ad.hessian(lambda x: np.sum(x))(np.ones(2)), np.zeros((2, 2)))


def test_jacobian() -> None:
    x, a = array([1.0, 2.0]), array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    np.testing.assert_array_equal(ad.jacobian(lambda x: a @ x)(x), a)
    np.testing.assert_array_equal(ad.jacobian(lambda x: x * x)(x), np.diag(2 * x))
    assert ad.jacobian(lambda x: a[:, :, None] * x)(np.ones((1, 4))).shape == (3, 2, 4, 1, 4)
    by = ad.jacobian(lambda p, q: p["w"] * q, argnums=(0, 1))({"w": x}, 3.0)
    np.testing.assert_array_equal(by[0]["w"], 3 * np.eye(2))
    np.testing.assert_array_equal(by[1], x)
    assert ad.jacobian(lambda x: x[:0])(np.ones(3, np.float32)).shape == (0, 3)
    for x in (np.ones(3, np.float32), np.ones(0, np.float32)):
        assert ad.jacobian(lambda x: x * 2.0)(x).dtype == ad.jacobian(lambda x: x[:0])(x).dtype == np.float32


def test_hessian() -> None:
    f = lambda x, y: np.sum(x**3) * y + np.prod(x)  # noqa: E731
    x = array([1.0, 2.0])
    np.testing.assert_array_equal(ad.hessian(f)(x, 2.0), [[12, 1], [1, 24]])
    assert ad.hessian(f, argnums=1)(x, 2.0) == 0
    assert ad.hessian(lambda x: np.sum(np.exp(x)))(np.zeros((2, 3))).shape == (2, 3, 2, 3)
    with pytest.raises(TypeError, match="one argument's position"):
        ad.hessian(f, argnums=(0, 1))


def test_third_order() -> None:
    f = lambda x: np.sin(x) * x**4  # noqa: E731
    ad.check_grads(f, 1.3, order=4)
    third = ad.grad(ad.grad(ad.grad(f)))(1.3)
    x, s, c = 1.3, np.sin(1.3), np.cos(1.3)
    assert third == pytest.approx(24 * x * s + 36 * x**2 * c - 12 * x**3 * s - x**4 * c)
    assert plain(third)
    cubes = ad.jacobian(ad.hessian(lambda x: np.sum(x**3)))(array([1.0, 2.0]))
    assert (cubes[0, 0, 0], cubes[1, 1, 1], np.sum(abs(cubes))) == (6, 6, 12)


def test_vjp() -> None:
    y, pullback = ad.vjp(lambda a, b: {"a": a}["a"] @ b, np.ones((2, 3)), np.ones(3))
    np.testing.assert_array_equal(y, [3, 3])
    for seed in (array([1.0, 2.0]), [1, 2]):
        by_a, by_b = pullback(seed)
        np.testing.assert_array_equal(by_a, [[1, 1, 1], [2, 2, 2]])
        np.testing.assert_array_equal(by_b, [3, 3, 3])
    assert all(map(plain, (y, by_a, by_b)))
    for seed in (1.0, [1.0], [[1.0, 2.0]]):
        with pytest.raises(ValueError, match=r"shape of the result, \(2,\); the pullback of <lambda> received shape"):
            pullback(seed)


def test_a_pullback_can_be_differentiated() -> None:
    def f(x: Any) -> Any:
        _, pullback = ad.vjp(lambda z: z**3, x)
        return pullback(1.0)[0]

    assert ad.grad(f)(2.0) == 12


def test_perturbations_are_not_confused() -> None:
    assert ad.grad(lambda x: x * ad.grad(lambda y: x + y)(2.0))(1.0) == 1
    assert ad.grad(lambda x: x * ad.grad(lambda y: x * y)(2.0))(3.0) == 6
    assert ad.grad(lambda x: ad.grad(lambda y: ad.grad(lambda z: x * y * z)(x))(x))(4.0) == 1
    assert ad.grad(lambda x: x * ad.grad(lambda x: x * x)(x))(3.0) == 12
    inner = lambda x: ad.grad(lambda y: y**2 * ad.stop_gradient(x))(x)  # noqa: E731
    assert ad.grad(inner)(3.0) == 6


def test_tensors_from_outside_are_differentiated_through() -> None:
    w = ad.Tensor(3.0)
    slope = ad.grad(lambda x: w * x * x)(2.0)
    assert type(slope) is ad.Tensor
    slope.backward()
    assert (slope.value, w.grad) == (12, 4)
    at_a_tensor = ad.grad(lambda x: x**3)(w * 1.0)
    assert at_a_tensor.adjoints()[w] == 18
    assert plain(ad.grad(lambda x: x**3)(w.value))


def test_a_result_from_outside_is_handed_out_as_it_is() -> None:
    w = ad.Tensor(3.0)
    for outside in (w, w * 2):
        value, slope = ad.value_and_grad(lambda x, outside=outside: outside)(1.0)
        assert value is outside
        assert slope == 0


def test_a_penalty_on_the_gradient_trains() -> None:
    w, x = ad.Tensor([1.0, 2.0]), array([0.5, -1.0])
    penalty = np.sum(ad.grad(lambda v: np.tanh(v @ w))(x) ** 2)
    penalty.backward()
    numeric = ad.grad(lambda w: np.sum(((1 - np.tanh(x @ w) ** 2) * w) ** 2))(w.value)
    np.testing.assert_allclose(w.grad, numeric)


def test_transforms_record_under_no_grad() -> None:
    w = ad.Tensor(3.0)
    with ad.no_grad():
        slope = ad.grad(lambda x: w * x**3)(2.0)
        curve = ad.grad(ad.grad(lambda x: w * x**3))(2.0)
        y, pullback = ad.vjp(lambda x: x * w, 2.0)
        assert ad.hessian(lambda x: np.sum(x**3))(array([1.0])) == 6
        assert type(w * 2) is np.float64
    assert (slope, curve, y, pullback(1.0)) == (36, 36, 6, (3,))
    assert all(map(plain, (slope, curve, y)))


def test_no_grad_inside_a_transform() -> None:
    def f(x: Any) -> Any:
        with ad.no_grad():
            scale = x * 2
        return scale * x

    assert ad.grad(f)(3.0) == 6


def test_results_are_the_callers_own() -> None:
    x = np.ones(2)
    a, b = ad.grad(lambda a, b: np.sum(a + b), argnums=(0, 1))(x, x)
    a += 5
    np.testing.assert_array_equal(b, [1, 1])
    y, pullback = ad.vjp(lambda x: x, x)
    y += 5
    seed = np.ones(2)
    (g,) = pullback(seed)
    g += 5
    np.testing.assert_array_equal((x, seed), np.ones((2, 2)))


@pytest.mark.parametrize("make", [ad.grad, ad.value_and_grad])
def test_a_result_that_is_not_one_number_is_refused(make: Any) -> None:
    def loss(x: Any) -> Any:
        return x * 2

    with pytest.raises(ValueError, match=r"one number as its result; loss gave shape \(3,\).*ad\.jacobian"):
        make(loss)(np.ones(3))
    with pytest.raises(ValueError, match=r"shape \(1,\)"):
        make(loss)(np.ones(1))


@pytest.mark.parametrize("result", [None, "text", [1.0, "text"], {"loss": object()}])
def test_a_result_that_is_no_array_is_refused(result: Any) -> None:
    for make in (ad.grad, ad.jacobian, lambda f: lambda x: ad.vjp(f, x)):
        with pytest.raises(TypeError, match=r"must return (one array, a Tensor|arrays, Tensors or nests of them); it"):
            make(lambda x: result)(1.0)
    with pytest.raises(TypeError, match=r"nests of them; it returned str at \[1\]\['a'\]"):
        ad.vjp(lambda x: (x, {"a": "text"}), 1.0)


@pytest.mark.parametrize(
    ("x", "place"),
    [(array([1, 2]), ""), (array([True]), ""), ("text", ""), (None, ""), ({"a": array([1])}, ", at ['a'],"),
     ([1.0, "text"], ", at [1],"), ({"w": 1.0, "act": ["relu"]}, ", at ['act'][0],")],
)  # fmt: skip
def test_an_argument_without_derivatives_is_refused(x: Any, place: str) -> None:
    said = f"argument that loss is differentiated by{place} holds floating-point numbers"
    with pytest.raises(TypeError, match=re.escape(said)):
        ad.grad(lambda_named_loss())(x)


def test_results_may_be_nests_and_none_is_an_empty_place() -> None:
    x, y = array([1.0, 2.0]), array([3.0, 4.0])

    def f(x: Any, y: Any) -> Any:
        return {"product": x * y, "more": [np.sin(x), np.sum(y)], "none": None}

    value, pullback = ad.vjp(f, x, y)
    assert value["none"] is None
    np.testing.assert_array_equal(value["more"][1], 7)
    for_x, for_y = pullback({"product": array([1.0, 10.0]), "more": (array([100.0, 0.0]), 5.0), "none": None})
    np.testing.assert_allclose(for_x, [3 + 100 * np.cos(1), 40])
    np.testing.assert_allclose(for_y, [1 + 5, 20 + 5])
    with pytest.raises(ValueError, match="two nests of one structure were asked for"):
        pullback({"product": np.ones(2)})
    with pytest.raises(ValueError, match=r"a seed has the shape of the result, \(2,\); .* received shape \(3,\)"):
        pullback({"product": np.ones(3), "more": [np.ones(2), 1.0], "none": None})
    found = ad.jacobian(f, (0, 1))(x, y)
    np.testing.assert_allclose(found["product"][0], np.diag(y))
    np.testing.assert_allclose(found["more"][0][0], np.diag(np.cos(x)))
    np.testing.assert_allclose(found["more"][1][1], [1, 1])
    _, back = ad.vjp(lambda x: (np.fft.rfft(x), x * 2), x)
    seed = array([1.0 + 2j, 3.0])
    np.testing.assert_allclose(back((seed, np.ones(2)))[0], ad.vjp(np.fft.rfft, x)[1](seed)[0] + 2)
    gradient = ad.grad(lambda p: np.sum(p["w"] ** 2))({"w": x, "b": None, "layers": [1, None]})
    np.testing.assert_allclose(gradient["w"], 2 * x)
    assert (gradient["b"], gradient["layers"]) == (None, [0.0, None])
    np.testing.assert_allclose(ad.grad(lambda p: p[0] * p[1])([1, 2]), [2, 1])  # lists of numbers


def test_a_branch_may_be_constant() -> None:
    def ramp(x: Any) -> Any:
        return x if x > 0 else 0.0

    for x, slope in ((2.0, 1.0), (-1.0, 0.0)):
        assert ad.grad(ramp)(x) == slope
        assert ad.value_and_grad(ramp)(x) == (max(x, 0), slope)
        assert ad.jacobian(ramp)(x) == slope
        assert ad.vjp(ramp, x)[1](1.0) == (slope,)
        assert ad.jvp(ramp, (x,), (1.0,)) == (max(x, 0), slope)
        assert ad.hessian(ramp)(x) == 0

    def lost(x: Any) -> Any:
        return x.item() * 2.0

    for make in (ad.grad, ad.jacobian):
        with pytest.warns(UserWarning, match=r"lost returned a plain number, .* after \.item\(\) was called"):
            assert make(lost)(1.0) == 0


def lambda_named_loss() -> Any:
    def loss(x: Any) -> Any:
        return np.sum(x)

    return loss


@pytest.mark.parametrize("argnums", [1, -2, (0, 1)])
def test_an_argument_that_is_not_there_is_refused(argnums: Any) -> None:
    with pytest.raises(TypeError, match=r"argnums names argument -?\d; .* was called with 1 argument"):
        ad.grad(lambda x: x, argnums=argnums)(1.0)


def test_an_error_inside_leaves_recording_as_it_was() -> None:
    with pytest.raises(ZeroDivisionError):
        ad.grad(lambda x: 1 / 0)(1.0)
    with ad.no_grad():
        with pytest.raises(ZeroDivisionError):
            ad.grad(lambda x: 1 / 0)(1.0)
        assert type(ad.Tensor(1.0) * 2) is np.float64
    assert type(ad.Tensor(1.0) * 2) is ad.Tensor


def test_a_jacobian_of_complex_results_is_refused() -> None:
    with pytest.raises(TypeError, match="real result"):
        ad.jacobian(lambda x: x * 1j)(np.ones(2))


def test_stop_gradient_of_a_nest() -> None:
    w = ad.Tensor([1.0, 2.0])
    stopped = ad.stop_gradient({"w": w, "rest": [w, 3.0]})
    assert type(stopped["w"]) is type(stopped["rest"][0]) is np.ndarray
    assert stopped["rest"][1] == 3.0
    w.value = [5.0, 6.0]
    assert stopped["w"].tolist() == [1.0, 2.0]


def test_argnums_of_numpy_and_none_at_all() -> None:
    assert ad.grad(lambda a, b: a * b, np.int64(1))(2.0, 3.0) == 2.0
    with pytest.raises(ValueError, match="names no argument"):
        ad.grad(lambda a: a, ())(2.0)
