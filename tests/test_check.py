"""check_grads passes what is right, and each way of being wrong is caught."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autodiff as ad
from autodiff.transforms import check

A = np.array([[0.3, 1.2], [-0.7, 0.5]])
B = np.array([[1.1, -0.4], [0.2, 0.9]])
constant = ad.stop_gradient


def declared(f: Callable[..., Any], *rules: Callable[..., Any]) -> Callable[..., Any]:
    function = ad.primitive(f)
    ad.adjoint(function, *rules)
    return function


def cube(x: Any) -> Any:
    return x**3


def product(a: Any, b: Any) -> Any:
    return a * b


RIGHT = lambda g, y, a, b: g * b  # noqa: E731
WRONG: dict[str, tuple[Any, list[Any], tuple[Any, ...]]] = {
    "order 1: factor": (cube, [lambda g, y, x: g * 3.003 * x**2], (A,)),
    "order 1: sign": (cube, [lambda g, y, x: -g * 3 * x**2], (A,)),
    "order 1: transposed": (np.copy, [lambda g, y, x: g.T], (A,)),
    "order 1: one element": (np.sin, [lambda g, y, x: g * np.cos(x) * (1 + 1e-3 * np.eye(2))], (A,)),
    "order 1: adds a constant": (np.sin, [lambda g, y, x: g * np.cos(x) + 1e-3], (A,)),
    "order 1: not linear in g": (np.sin, [lambda g, y, x: g * abs(g) * np.cos(x)], (A,)),
    "order 1: NaN": (np.sin, [lambda g, y, x: g * np.nan], (A,)),
    "order 1: zero": (np.sin, [lambda g, y, x: g * 0], (A,)),
    "order 1: argument 1": (product, [RIGHT, lambda g, y, a, b: g * b], (A, B)),
    "order 1: argument 1, unbroadcast": (product, [RIGHT, lambda g, y, a, b: (g * a)[0]], (A, B[0])),
    "order 1: argument 1, mean for sum": (product, [RIGHT, lambda g, y, a, b: np.mean(g * a, axis=0)], (A, B[0])),
    "order 2: loses x": (cube, [lambda g, y, x: g * 3 * constant(x) ** 2], (A,)),
    "order 2: loses y": (np.tanh, [lambda g, y, x: g * (1 - constant(y) ** 2)], (A,)),
    "order 2: loses g": (cube, [lambda g, y, x: constant(g) * 3 * x**2], (A,)),
    "order 2: loses the other": (product, [lambda g, y, a, b: g * constant(b), lambda g, y, a, b: g * a], (A, B)),
}


@pytest.mark.parametrize("fault", WRONG)
def test_a_wrong_rule_is_caught(fault: str) -> None:
    f, rules, args = WRONG[fault]
    order, _, where = fault.partition(":")
    wrong = declared(f, *rules)
    with pytest.raises(AssertionError, match=rf"{order} of {f.__name__} with respect to") as caught:
        ad.check_grads(wrong, *args)
    if "argument 1" in where:
        assert "with respect to argument 1 " in str(caught.value)
    if order == "order 2":
        ad.check_grads(wrong, *args, order=1)


def test_what_was_asked_what_came_out_what_to_do() -> None:
    wrong = declared(cube, lambda g, y, x: 2 * g * 3 * x**2)
    with pytest.raises(AssertionError) as caught:
        ad.check_grads(wrong, 2.0, rng=3)
    message = str(caught.value)
    assert message.startswith("order 1 of cube with respect to argument 0 (shape (), float64): the adjoint along")
    analytic, numeric = (float(message.split(word)[1].split(",")[0]) for word in ("direction is ", "quotient "))
    assert analytic == pytest.approx(2 * numeric)
    assert "check the adjoint rules" in message


def test_a_wrong_shape_or_dtype_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    for change in (lambda g: g.astype(np.float32), lambda g: np.reshape(g, (1, -1))):
        altered = lambda f, n, change=change: lambda *x: [change(g) for g in ad.grad(f, n)(*x)]  # noqa: E731
        monkeypatch.setattr(check, "grad", altered)
        with pytest.raises(AssertionError, match=r"the adjoint has shape .* and dtype .*; let the rule return it"):
            ad.check_grads(np.sum, np.ones(3), order=1)
        monkeypatch.undo()


def test_a_wrong_third_derivative_needs_order_three() -> None:
    half_right = declared(np.exp, lambda g, y, x: g * np.exp(constant(x)) * (1 + x - constant(x)))
    ad.check_grads(half_right, 0.3, order=2)
    with pytest.raises(AssertionError, match="order 3 of exp"):
        ad.check_grads(half_right, 0.3, order=3)


def test_right_functions_pass_in_every_dtype_and_structure() -> None:
    parameters = {"w": A, "layers": [B.astype(np.float32), (np.float64(0.4), 0.7)], "steps": 3, "mask": A > 0}

    def f(p: Any, x: Any) -> Any:
        w, (b, (scale, power)) = p["w"], p["layers"]
        return np.where(p["mask"], np.tanh(w @ x * scale + b), x**power) ** p["steps"]

    ad.check_grads(f, parameters, abs(B))
    ad.check_grads(np.sin, 2.0, order=4, eps=1e-4, rtol=1e-4)
    ad.check_grads(np.sin, ad.Tensor(2.0), rng=np.random.default_rng(1))


def test_float32_is_checked_with_its_own_step() -> None:
    x = A.astype(np.float32)
    ad.check_grads(lambda x: np.exp(x) * x, x)
    with pytest.raises(AssertionError, match=r"order 1 of exp .*float32"):
        ad.check_grads(declared(np.exp, lambda g, y, x: g * y * 1.1), x)


def test_the_tolerance_is_the_callers() -> None:
    nearly = declared(np.exp, lambda g, y, x: g * y * 1.001)
    ad.check_grads(nearly, A, rtol=1e-2)
    with pytest.raises(AssertionError):
        ad.check_grads(nearly, A)
    with pytest.raises(AssertionError):
        ad.check_grads(np.exp, A, rtol=0, atol=0)


def test_large_numbers_are_compared_relatively() -> None:
    ad.check_grads(lambda x: 1e7 * np.sin(x), A)


def test_the_step_and_the_order_are_the_callers_too() -> None:
    with pytest.raises(AssertionError):
        ad.check_grads(np.exp, A, eps=1.0, rtol=1e-3, atol=1e-3)
    ad.check_grads(declared(np.exp, lambda g, y, x: g * np.exp(constant(x)) * (1 + x - constant(x))), 0.3)


def test_a_function_without_a_name_is_shown() -> None:
    wrong = functools.partial(declared(cube, lambda g, y, x: g * x))
    with pytest.raises(AssertionError, match=r"order 1 of functools\.partial"):
        ad.check_grads(wrong, A)


@pytest.mark.parametrize(("f", "args", "order"), [(np.sin, (2,), 2), (np.sin, (2.0,), 0), (np.argmax, (A,), 2)])
def test_nothing_to_compare_is_an_error(f: Any, args: tuple[Any, ...], order: int) -> None:
    with pytest.raises(TypeError, match="has nothing to compare"):
        ad.check_grads(f, *args, order=order)


def test_the_arguments_are_left_alone() -> None:
    x = A.copy()
    ad.check_grads(lambda x: x @ x, x)
    np.testing.assert_array_equal(x, A)
