from __future__ import annotations

import numpy as np
import pytest

import autodiff as ad
import nn
from nn import init


@pytest.mark.parametrize("draw", [init.he_normal, init.he_uniform])
def test_he_keeps_the_variance_of_pre_activations_through_30_relu_layers(draw):
    rng = np.random.default_rng(0)
    last = []
    for _ in range(4):
        x = ad.relu(rng.standard_normal((64, 400)))
        for _ in range(30):
            z = x @ draw((400, 400), rng=rng, dtype=np.float64).T
            assert 0.2 < z.var() + z.mean() ** 2 < 5
            x = ad.relu(z)
        last.append(np.mean(z**2))
    assert 0.6 < np.mean(last) < 1.6


def test_a_factor_of_two_off_makes_a_30_layer_network_stall():
    rng = np.random.default_rng(0)
    x = ad.relu(rng.standard_normal((16, 100)))
    for _ in range(30):
        x = ad.relu(x @ (init.he_normal((100, 100), rng=rng, dtype=np.float64) / np.sqrt(2)).T)
    assert np.mean(x**2) < 1e-6


def test_xavier_keeps_the_variance_through_linear_layers():
    rng = np.random.default_rng(0)
    for draw in (init.xavier_normal, init.xavier_uniform):
        x = rng.standard_normal((64, 400))
        for _ in range(10):
            x = x @ draw((400, 400), rng=rng, dtype=np.float64).T
        assert 0.5 < x.var() < 2


@pytest.mark.parametrize(
    ("draw", "variance"),
    [
        (init.he_normal, 2 / 300),
        (init.he_uniform, 2 / 300),
        (init.xavier_normal, 2 / 500),
        (init.xavier_uniform, 2 / 500),
    ],
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_shape_dtype_and_variance(draw, variance, dtype):
    w = draw((200, 300), rng=0, dtype=dtype)
    assert w.shape == (200, 300)
    assert w.dtype == dtype
    assert w.var() == pytest.approx(variance, rel=0.03)
    assert abs(w.mean()) < 0.001


def test_the_fans_of_a_convolution_count_its_kernel():
    assert init.fans((16, 8, 3, 5)) == (8 * 15, 16 * 15)


def test_zeros_and_ones():
    assert init.zeros((2,)).tolist() == [0, 0]
    assert init.ones((2,), dtype=np.float64).dtype == np.float64


def test_an_explicit_generator_is_drawn_from_and_a_seed_repeats():
    rng = np.random.default_rng(3)
    first, second = init.he_normal((2, 2), rng), init.he_normal((2, 2), rng)
    assert not np.array_equal(first, second)
    np.testing.assert_array_equal(first, init.he_normal((2, 2), 3))
    np.testing.assert_array_equal(first, init.he_normal((2, 2), np.int64(3)))


def test_a_layer_with_another_initialiser():
    layer = nn.Linear(3, 2, weight_init=init.zeros)
    assert not layer.weight.value.any()
    layer.weight.value = init.xavier_normal(layer.weight.shape, rng=0)
    assert layer.weight.value.any()


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: init.he_normal((5,)), ValueError, r"received shape \(5,\).*\(out, in\)"),
        (lambda: init.he_normal((5, 0)), ValueError, r"at least 1"),
        (lambda: init.he_normal((5, 2), rng=-1), TypeError, "received -1"),
        (lambda: init.he_normal((5, 2), rng=np.random), TypeError, "np.random.default_rng"),
        (lambda: init.he_normal((5, 2), rng=True), TypeError, "received True"),
        (lambda: init.zeros((5, 2), dtype=np.float16), TypeError, "received dtype=float16"),
    ],
)
def test_wrong_arguments_are_errors(call, error, words):
    with pytest.raises(error, match=words):
        call()
