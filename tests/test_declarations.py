"""Declaring a function again: the one record of the function changes, and whatever reads it follows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import autodiff as ad
import nn
from autodiff.engine.table import table


def test_an_operator_follows_a_rule_declared_again() -> None:
    ad.adjoint(np.multiply, lambda g, y, a, b: 10 * g, lambda g, y, a, b: 20 * g)
    a, b = ad.Tensor(2.0), ad.Tensor(5.0)
    (a * b).backward()
    np.multiply(a, b).backward()
    assert (a.grad, b.grad) == (20, 40)
    x = ad.Tensor(3.0)
    (4.0 * x).backward()
    assert x.grad == 20


def test_a_trace_shows_no_textbook_formula_beside_a_rule_declared_again() -> None:
    def text() -> str:
        return str(ad.trace(np.sin(ad.Tensor(0.0, name="x"))))

    assert "cos" in text()
    ad.adjoint(np.sin, lambda g, y, x: 7 * g)
    assert "cos" not in text()
    assert "7" in text()
    assert "sin" in text()


def test_a_function_with_rules_becomes_a_constant() -> None:
    ad.constant(np.sin)
    result = np.sin(ad.Tensor([0.0, 1.0]))
    assert type(result) is np.ndarray
    ad.adjoint(np.sin, lambda g, y, x: g * np.cos(x))
    assert ad.grad(np.sin)(0.0) == 1


def test_no_derivative_flows_through_an_operator_whose_function_is_a_constant() -> None:
    ad.constant(np.multiply)
    a, b = ad.Tensor(2.0), ad.Tensor(5.0)
    y = a * b + a
    y.backward()
    assert (y.item(), a.grad, b.grad) == (12, 1, None)


def test_a_function_with_rules_becomes_composed() -> None:
    ad.composed(np.sin)(lambda x: 3 * x)
    assert np.sin(ad.Tensor(2.0)).item() == 6
    assert ad.grad(np.sin)(2.0) == 3


def test_what_an_operator_records_cannot_be_composed() -> None:
    with pytest.raises(TypeError, match=r"np.multiply, which one of Python's operators records.*ad.adjoint"):
        ad.composed(np.multiply)(lambda a, b: a)
    assert table[np.multiply].kind == "differentiable"


def test_a_rule_is_needed_for_each_argument_of_a_ufunc() -> None:
    with pytest.raises(TypeError, match=r"np.hypot received 1 rule\(s\); it has 2 data argument"):
        ad.adjoint(np.hypot, lambda g, y, a, b: g)
    assert ad.grad(np.hypot)(3.0, 4.0) == pytest.approx(0.6)


def test_a_refused_function_can_be_given_rules() -> None:
    refused = next(f for f, known in table.items() if known.kind == "refused" and isinstance(f, np.ufunc) is False)
    with pytest.raises(TypeError, match="has no adjoint rule"):
        ad.Tensor([1.0]).__array_function__(refused, (), (ad.Tensor([1.0]),), {})
    ad.composed(refused)(lambda x: 2 * x)
    assert ad.Tensor([1.0]).__array_function__(refused, (), (ad.Tensor([1.0]),), {}).value == 2


# -- one rule for all arguments ---------------------------------------------------------------------------------


def test_one_rule_may_give_all_adjoints_at_once() -> None:
    calls = []

    @ad.primitive
    def total(*arrays: Any, factor: float = 1.0) -> Any:
        return factor * np.sum(arrays, axis=0)

    def rule(g: Any, y: Any, *arrays: Any, factor: float = 1.0) -> list[Any]:
        calls.append(len(arrays))
        return [g * factor for _ in arrays]

    ad.adjoint(total, together=rule)
    x, z = ad.Tensor([1.0, 2.0]), ad.Tensor([3.0, 4.0])
    (total(x, [5.0, 6.0], z, x, factor=3.0) ** 2).sum().backward()
    np.testing.assert_array_equal(x.grad, 2 * 3 * 2 * 3 * np.array([10.0, 14.0]))
    np.testing.assert_array_equal(z.grad, 2 * 3 * 3 * np.array([10.0, 14.0]))
    assert calls == [4]
    ad.check_grads(lambda x, z: np.sum(total(x, z, factor=2.0) ** 3), x.value, z.value)
    tangent = ad.jvp(lambda x: total(x, z.value, x), (x.value,), (np.ones(2),))[1]
    np.testing.assert_array_equal(tangent, [2.0, 2.0])


def test_what_a_rule_for_all_returns_is_looked_at() -> None:
    @ad.primitive
    def total(*arrays: Any) -> Any:
        return np.sum(arrays, axis=0)

    ad.adjoint(total, together=lambda g, y, *arrays: [g])
    with pytest.raises(ValueError, match=r"total, declared with together=, returned 1 adjoint\(s\) for 2 arguments"):
        total(ad.Tensor(1.0), ad.Tensor(2.0)).backward()
    ad.adjoint(total, together=lambda g, y, *arrays: [g, None])
    x, z = ad.Tensor(1.0), ad.Tensor(2.0)
    total(x, z).backward()
    assert (x.grad, z.grad) == (1.0, None)
    for given in ({"each": len, "together": len}, {}):
        with pytest.raises(TypeError, match=r"one rule per data argument of the function \(or each=, or together=,"):
            ad.adjoint(total, **given)


def test_joining_many_arrays_is_one_operation_with_one_pass_over_them() -> None:
    xs = [ad.Tensor([float(k)]) for k in range(50)]
    for f in (np.stack, np.concatenate):
        y = f(xs)
        assert len(y.arguments) == 50
        assert all(a is b for a, b in zip(y.arguments, xs, strict=True))
        found = y.adjoints(np.arange(50.0).reshape(y.shape))
        assert [float(found[x][0]) for x in xs] == list(range(50))


def test_a_residual_serves_the_rules_and_is_not_shown() -> None:
    loss = nn.CrossEntropyLoss()(ad.Tensor([[1.0, 2.0, 0.5]], name="x"), [1])
    for shown in (str(ad.trace(loss)), ad.draw(loss).svg, ad.steps(loss).html):
        assert "cross_entropy" in shown
        assert "= softmax" not in shown

    @ad.primitive
    def half(x: Any, kept: Any) -> Any:
        return 0.5 * x * x

    ad.adjoint(half, lambda g, y, x, kept: g * kept, None, residuals=1)
    x = ad.Tensor(3.0, name="x")
    y = half(x, +x)
    assert y.adjoints()[x] == 3
    assert len(ad.trace(y).rows) == len(ad.trace(np.square(x)).rows)
    ad.check_grads(lambda x: half(x, +x), 3.0, order=2)
    ad.adjoint(half, lambda g, y, x, kept: g * x, None)  # declared again, both are arguments
    assert "v₁" in str(ad.trace(half(x, +x)))


def test_how_a_function_is_written_is_declared_beside_its_rule() -> None:
    @ad.primitive
    def cube(x: Any) -> Any:
        return x**3

    ad.adjoint(cube, lambda g, y, x: 3 * g * x**2)
    ad.written(cube, "a³", ("3 a²",), ("3 g a²",))
    y = cube(ad.Tensor(2.0, name="x"))
    assert "v₁ = v₀³" in str(ad.trace(y))
    assert "v̄₁ × 3 v₀²" in str(ad.trace(y)) or "3 v₀²" in str(ad.trace(y))
    ad.adjoint(cube, lambda g, y, x: 0 * g)  # another derivative: the formula of the old one goes
    assert "3 v₀²" not in str(ad.trace(y))
    ad.written(cube, "a³", ("0",))  # and this one's comes
    assert "v̄₁ × 0" in str(ad.trace(y))
