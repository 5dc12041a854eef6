from __future__ import annotations

import math

import numpy as np
import pytest

import autodiff as ad
import nn
from nn import optim

rng = np.random.default_rng(0)


def tensors(dtype: type = np.float64, scale: float = 1.0) -> list[ad.Tensor]:
    """Three Tensors with adjoints, and between them one without."""
    made = [ad.Tensor(np.zeros(shape), dtype=dtype) for shape in ((3, 2), (4,), (), (2, 2))]
    draws = np.random.default_rng(1)
    for tensor in (made[0], made[2], made[3]):
        tensor.grad = draws.standard_normal(tensor.shape) * scale
    return made


def together(made: list[ad.Tensor]) -> np.ndarray:
    return np.concatenate([np.ravel(t.grad).astype(np.float64) for t in made if t.grad is not None])


@pytest.mark.parametrize("power", [2.0, 1, 3.5, math.inf])
@pytest.mark.parametrize("flat", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_norm_is_scaled_down(power: float, flat: bool, dtype: type):
    made = tensors(dtype)
    before = together(made)
    given = optim.SGD(made, lr=0.1) if flat else made
    expected = np.linalg.norm(before, power)
    total = optim.clip_grad_norm(given, 0.5, power)
    assert type(total) is float
    assert total == pytest.approx(expected, rel=1e-6 if dtype is np.float32 else 1e-14)
    np.testing.assert_allclose(together(made), before * (0.5 / (expected + 1e-6)), rtol=1e-6)
    assert made[1].grad is None
    assert {t.grad.dtype for t in made if t.grad is not None} == {np.dtype(dtype)}


def test_a_norm_below_the_bound_changes_no_bit():
    made = tensors()
    before = together(made)
    optim.clip_grad_norm(made, 100.0)
    assert np.array_equal(together(made), before)


@pytest.mark.parametrize("scale", [1e25, 1e-22, 1e-30, 1e38])
def test_squares_beyond_float32_do_not_overflow(scale: float):
    made = tensors(np.float32, scale / 3)
    before = together(made)
    assert optim.clip_grad_norm(made, 1e-32) == pytest.approx(np.linalg.norm(before), rel=1e-6, abs=0)


def test_long_vectors_are_summed_in_parts():
    w = ad.Tensor(np.zeros(200_001), dtype=np.float32)
    w.grad = rng.standard_normal(200_001)
    expected = np.linalg.norm(w.grad.astype(np.float64))
    assert optim.clip_grad_norm(w, 1e9) == pytest.approx(expected, rel=1e-6)
    assert optim.clip_grad_norm([w], 1e9, math.inf) == np.abs(w.grad).max()
    assert optim.clip_grad_norm([w], 1e9, 3) == pytest.approx(np.linalg.norm(w.grad.astype(np.float64), 3))


def test_a_parameter_that_is_passed_twice_counts_once():
    (w, *_) = tensors()
    assert optim.clip_grad_norm([w, w], 1e9) == pytest.approx(np.linalg.norm(w.grad))


def test_zero_adjoints_and_none_at_all():
    w = ad.Tensor([1.0, 2.0])
    assert optim.clip_grad_norm([w], 1.0) == 0
    assert optim.clip_grad_norm([], 1.0) == 0
    w.grad = [0.0, 0.0]
    assert optim.clip_grad_norm([w], 1.0) == 0
    assert optim.clip_grad_norm(optim.SGD([w]), 0.0) == 0
    assert w.grad.tolist() == [0.0, 0.0]


@pytest.mark.parametrize("power", [2.0, 3.0, math.inf])
@pytest.mark.parametrize("wrong", [math.nan, math.inf])
def test_a_norm_that_is_not_finite(power: float, wrong: float):
    w = ad.Tensor([0.0, 0.0, 0.0])
    w.grad = [1.0, wrong, 2.0]
    with pytest.raises(RuntimeError, match=f"the adjoints' norm of type {power} is {wrong}"):
        optim.clip_grad_norm([w], 1.0, power, error_if_nonfinite=True)
    np.testing.assert_array_equal(w.grad, [1.0, wrong, 2.0])
    np.testing.assert_equal(optim.clip_grad_norm([w], 1.0, power), wrong)
    np.testing.assert_array_equal(w.grad, [0.0, math.nan, 0.0] if wrong == math.inf else [math.nan] * 3)


@pytest.mark.parametrize("flat", [False, True])
def test_values_are_clipped(flat: bool):
    made = tensors()
    before = together(made)
    optim.clip_grad_value(optim.Adam(made) if flat else made, 0.5)
    assert np.array_equal(together(made), np.clip(before, -0.5, 0.5))
    assert (np.abs(before) > 0.5).any()
    assert made[1].grad is None


def test_a_step_after_clipping_uses_the_clipped_adjoints():
    w = ad.Tensor([3.0, 4.0])
    optimizer = optim.SGD([w], lr=1.0)
    (w * w).sum().backward()
    assert optim.clip_grad_norm(optimizer, 1.0) == 10
    optimizer.step()
    np.testing.assert_allclose(w.value, [2.4, 3.2], rtol=1e-6)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: optim.clip_grad_norm(nn.MLP(2, 1), 1.0), TypeError, r"received MLP. Write .*model.parameters\(\)"),
        (lambda: optim.clip_grad_norm(3, 1.0), TypeError, "received int"),
        (lambda: optim.clip_grad_norm([np.ones(2)], 1.0), TypeError, "item 0 is a ndarray"),
        (lambda: optim.clip_grad_norm([], -1.0), ValueError, "max_norm is a number from 0; received -1.0"),
        (lambda: optim.clip_grad_norm([], 1.0, 0), ValueError, "norm_type is a number above 0"),
        (lambda: optim.clip_grad_value([], "1"), TypeError, "clip_value is a number from 0; received '1'"),
        (lambda: optim.clip_grad_value(optim.SGD(), 1.0), RuntimeError, "made without parameters"),
    ],
)
def test_wrong_arguments_are_errors(call, error, words):
    with pytest.raises(error, match=words):
        call()
