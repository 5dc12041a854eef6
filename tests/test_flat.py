"""Many leaves as one vector: values, adjoints, and what stays as it was."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autodiff as ad


def leaves() -> list[ad.Tensor]:
    return [ad.Tensor([[1.0, 2.0], [3.0, 4.0]], name="w"), ad.Tensor(5.0, name="b"), ad.Tensor([6.0, 7.0], name="v")]


def test_values_and_adjoints_are_views_in_order() -> None:
    tensors = leaves()
    flat = ad.Flat(tensors)
    np.testing.assert_array_equal(flat.value, [1, 2, 3, 4, 5, 6, 7])
    assert [t.shape for t in tensors] == [(2, 2), (), (2,)]
    assert all(t.grad is None for t in tensors)
    w, b, v = tensors
    (np.sum(w @ v) * b).backward()
    np.testing.assert_array_equal(flat.grad, [30, 35, 30, 35, 66, 20, 30])
    assert all(np.shares_memory(t.grad, flat.grad) for t in tensors)
    (np.sum(w @ v) * b).backward()
    np.testing.assert_array_equal(w.grad, [[60, 70], [60, 70]])


def test_writing_the_vector_writes_the_tensors() -> None:
    tensors = leaves()
    w, b, v = tensors
    flat = ad.Flat(tensors)
    flat.value *= 2
    flat.assigned()
    np.testing.assert_array_equal(w.value, [[2, 4], [6, 8]])
    assert b.value == 10
    b.value = 1.0
    v.value = [0.0, 0.5]
    np.testing.assert_array_equal(flat.value, [2, 4, 6, 8, 1, 0, 0.5])
    np.sum(w * b).backward()
    assert b.grad == 20
    assert flat.grad[4] == 20


def test_an_adjoint_of_one_before_stays() -> None:
    w, b, v = leaves()
    np.sum(w * w).backward()
    flat = ad.Flat([w, b, v])
    np.testing.assert_array_equal(flat.grad, [2, 4, 6, 8, 0, 0, 0])
    assert b.grad is None
    np.sum(w * w).backward()
    np.testing.assert_array_equal(flat.grad[:4], [4, 8, 12, 16])


def test_the_stretches_that_a_pass_reached() -> None:
    w, b, v = leaves()
    flat = ad.Flat([w, b, v])
    assert list(flat.reached()) == []
    (b * np.sum(v)).backward()
    assert list(flat.reached()) == [slice(4, 7)]
    np.sum(w).backward()
    assert list(flat.reached()) == [slice(0, 7)]
    flat.zero_grad()
    assert (list(flat.reached()), w.grad, b.grad, v.grad) == ([], None, None, None)
    (np.sum(w) + np.sum(v)).backward()
    assert list(flat.reached()) == [slice(0, 4), slice(5, 7)]
    np.testing.assert_array_equal(w.grad, np.ones((2, 2)))  # not what was left in the vector
    v.grad = None
    assert list(flat.reached()) == [slice(0, 4)]


def test_an_assigned_adjoint_goes_into_the_vector() -> None:
    w, b, v = leaves()
    flat = ad.Flat([w, b, v])
    v.grad = [1.0, 2.0]
    np.testing.assert_array_equal(flat.grad[5:], [1, 2])
    assert np.shares_memory(v.grad, flat.grad)


def test_a_tensor_is_in_the_flat_made_last() -> None:
    w, b, v = leaves()
    first, second = ad.Flat([w, b]), ad.Flat([b, v])
    (np.sum(w) * b).backward()
    np.testing.assert_array_equal(second.value, [5, 6, 7])
    assert second.grad[0] == 10
    with pytest.raises(RuntimeError, match=r"Tensor 'b' .* was taken over by another Flat"):
        list(first.reached())


def test_each_tensor_is_taken_once_and_dtypes_are_kept() -> None:
    w = ad.Tensor([1.0, 2.0], dtype=np.float32)
    flat = ad.Flat([w, w])
    assert (flat.value.shape, flat.value.dtype, flat.grad.dtype) == ((2,), np.float32, np.float32)
    empty = ad.Flat([ad.Tensor(np.zeros((0, 3))), ad.Tensor(1.0)])
    assert empty.value.shape == (1,)


def test_what_a_flat_refuses() -> None:
    w, b, _ = leaves()
    with pytest.raises(ValueError, match="no Tensors"):
        ad.Flat([])
    with pytest.raises(TypeError, match="takes leaf Tensors; received Tensor of shape"):
        ad.Flat([w, w * 2])
    with pytest.raises(TypeError, match="takes leaf Tensors; received ndarray"):
        ad.Flat([w, np.ones(2)])
    with pytest.raises(TypeError, match="one dtype; received float32, float64"):
        ad.Flat([b, ad.Tensor(1.0, dtype=np.float32)])
    np.testing.assert_array_equal(w.value, [[1, 2], [3, 4]])


def forgotten_by_the_flat(flat: ad.Flat) -> None:
    flat.zero_grad()


def forgotten_one_by_one(flat: ad.Flat) -> None:
    for tensor in flat.tensors:
        tensor.grad = None


@pytest.mark.parametrize("forget", [forgotten_by_the_flat, forgotten_one_by_one])
@pytest.mark.parametrize("read", [[], ["w"], ["v"], ["w", "v"]])
def test_an_adjoint_that_was_read_stays_as_it_was(forget: Callable[[ad.Flat], None], read: list[str]) -> None:
    tensors = leaves()
    w, b, v = tensors
    flat = ad.Flat(tensors)
    held = []
    for k in range(1, 5):
        forget(flat)
        (k * np.sum(w @ v) * b).backward()
        held.append([(t.grad, k) for t in tensors if t.name in read and t.grad is not None])
        np.testing.assert_array_equal(flat.grad, k * np.array([30, 35, 30, 35, 66, 20, 30.0]))
        assert flat.reached() == [slice(0, 7)]
    expected = {(2, 2): [[30, 35], [30, 35]], (2,): [20, 30]}
    for array, k in (pair for pairs in held for pair in pairs):
        np.testing.assert_array_equal(array, k * np.array(expected[array.shape]))


def test_an_adjoint_that_was_read_can_be_written_into() -> None:
    w, b, v = leaves()
    flat = ad.Flat([w, b, v])
    for _ in range(3):
        flat.zero_grad()
        (np.sum(w @ v) * b).backward()
        assert w.grad is not None
        w.grad[...] *= 2
        np.testing.assert_array_equal(flat.grad, [60, 70, 60, 70, 66, 20, 30])


def test_a_flat_that_another_replaced_says_so() -> None:
    w, b, v = leaves()
    older, newer = ad.Flat([w, b]), ad.Flat([b, v])
    older.value[...] = 9
    for refused in (older.assigned, older.reached):
        with pytest.raises(RuntimeError, match=r"Tensor 'b' of shape \(\).*taken over by another Flat"):
            refused()
    (np.sum(w) * b).backward()
    older.grad[...] = 7
    np.testing.assert_array_equal(newer.grad[:1], [36])
    assert b.grad == 36


@pytest.fixture
def product() -> tuple[Callable[..., Any], list[Any]]:
    """A product of matrices whose rule can fill an array, and the arrays that it has filled."""
    filled: list[Any] = []

    def into(out: Any, g: Any, y: Any, a: Any, b: Any) -> Any:
        filled.append(out)
        return np.dot(a.T, g, out=out)

    multiplied = ad.primitive(lambda a, b: np.dot(a, b))
    ad.adjoint(
        multiplied, lambda g, y, a, b: np.dot(g, b.T), ad.Into(lambda g, y, a, b: np.dot(np.transpose(a), g), into)
    )
    return multiplied, filled


def test_a_rule_fills_the_place_of_an_adjoint(product: tuple[Callable[..., Any], list[Any]]) -> None:
    multiplied, filled = product
    x = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    w, b, _ = leaves()
    alone = ad.Tensor(w.value)
    flat = ad.Flat([b, w])
    for _ in range(2):
        flat.zero_grad()
        np.sum(multiplied(x, w)).backward()
    assert [np.shares_memory(out, flat.grad) for out in filled] == [True, True]
    np.testing.assert_array_equal(flat.grad[1:], [9, 9, 12, 12])
    assert b.grad is None
    np.sum(multiplied(x, alone)).backward()  # it is in no Flat
    assert len(filled) == 2
    np.testing.assert_array_equal(alone.grad, [[9, 9], [12, 12]])


def test_a_place_that_is_taken_is_added_to(product: tuple[Callable[..., Any], list[Any]]) -> None:
    multiplied, filled = product
    x = np.array([[1.0, 2.0], [3.0, 4.0]])
    w, *_ = leaves()
    flat = ad.Flat([w])
    np.sum(multiplied(x, w) + w + multiplied(2 * x, w)).backward()  # three shares in one pass, the first in place
    assert len(filled) == 1
    np.testing.assert_array_equal(flat.grad, [13, 13, 19, 19])
    np.sum(multiplied(x, w)).backward()  # and one more
    assert len(filled) == 1
    np.testing.assert_array_equal(flat.grad, [17, 17, 25, 25])
    held = w.grad
    flat.zero_grad()
    np.sum(multiplied(x, w)).backward()
    np.testing.assert_array_equal(held, [[17, 17], [25, 25]])
    np.testing.assert_array_equal(w.grad, [[4, 4], [6, 6]])


def test_adjoints_and_transforms_leave_the_place_alone(product: tuple[Callable[..., Any], list[Any]]) -> None:
    multiplied, filled = product
    x = np.array([[1.0, 2.0], [3.0, 4.0]])
    w, *_ = leaves()
    flat = ad.Flat([w])
    flat.grad[...] = 7
    loss = np.sum(multiplied(x, w) ** 2)
    np.testing.assert_array_equal(loss.adjoints()[w], ad.grad(lambda v: np.sum((x @ v) ** 2))(w.value))
    np.testing.assert_allclose(
        ad.hessian(lambda v: np.sum(multiplied(x, v) ** 2))(w.value),
        ad.hessian(lambda v: np.sum((x @ v) ** 2))(w.value),
    )
    assert not filled
    np.testing.assert_array_equal(flat.grad, [7, 7, 7, 7])


def test_a_rule_may_call_backward_while_adjoints_are_written_in_place() -> None:
    x = np.arange(6.0).reshape(2, 3)
    weight = ad.Tensor(np.ones((3, 4)))
    flat = ad.Flat([weight])
    product = ad.primitive(lambda a, b, c=None: np.dot(a, b))
    ad.adjoint(
        product,
        None,
        ad.Into(lambda g, y, a, b, c: np.dot(a.T, g), lambda out, g, y, a, b, c: np.dot(a.T, g, out=out)),
        lambda g, y, a, b, c: g,
    )
    inner = ad.primitive(lambda c: np.array(c))

    def rule(g: Any, y: Any, c: Any) -> Any:
        product(3 * x, weight, np.zeros((2, 4))).sum().backward()
        return g

    ad.adjoint(inner, rule)
    product(x, weight, inner(ad.Tensor(np.zeros((2, 4))))).sum().backward()
    expected = 4 * np.dot(x.T, np.ones((2, 4)))
    np.testing.assert_allclose(weight.grad, expected)
    np.testing.assert_allclose(flat.grad, expected.ravel())
