"""Declaring a function again: the one record of the function changes, and whatever reads it follows."""

from __future__ import annotations

import numpy as np
import pytest

import autodiff as ad
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
