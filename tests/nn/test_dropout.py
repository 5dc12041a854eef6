from __future__ import annotations

import numpy as np
import pytest

import autodiff as ad
import nn
import nn.functional as F


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_share_p_is_dropped_and_the_mean_stays(p: float, dtype: type):
    x = np.ones((200, 300), dtype)
    y = F.dropout(x, p, rng=0)
    assert y.dtype == dtype
    assert np.mean(y == 0) == pytest.approx(p, abs=0.01)
    np.testing.assert_allclose(y[y != 0], 1 / (1 - p), rtol=1e-6)
    assert y.mean() == pytest.approx(1, rel=0.03)


def test_the_derivative_is_that_of_the_elements_kept():
    t = ad.Tensor(np.random.default_rng(0).standard_normal((20, 30)).astype(np.float32))
    y = nn.Dropout(0.3, rng=0)(t)
    y.backward(np.ones(y.shape))
    np.testing.assert_allclose(t.grad * t.value, y.value, rtol=1e-6)
    assert t.grad.dtype == np.float32
    assert set(np.unique(t.grad)) == {np.float32(0), np.float32(1 / 0.7)}
    ad.check_grads(lambda x: F.dropout(x, 0.4, rng=3) ** 2, np.random.default_rng(0).standard_normal((3, 4)), order=2)


def test_in_evaluation_nothing_is_dropped():
    layer = nn.Dropout(0.5, rng=0).eval()
    state = layer.rng.bit_generator.state
    x = ad.Tensor(np.ones((2, 3)))
    assert layer(x) is x
    assert F.dropout(x, training=False) is x
    assert F.dropout(x, p=0) is x
    assert layer.rng.bit_generator.state == state
    model = nn.Sequential(nn.Linear(4, 8, rng=0), nn.Dropout(0.5, rng=0)).eval()
    np.testing.assert_array_equal(model(np.ones((1, 4))).value, model[0](np.ones((1, 4))).value)


def test_with_p_1_everything_is_0_and_nothing_is_nan():
    t = ad.Tensor(np.ones((2, 3)))
    y = F.dropout(t, 1)
    y.backward(np.ones((2, 3)))
    assert y.value.tolist() == t.grad.tolist() == [[0, 0, 0], [0, 0, 0]]


def test_every_call_draws_anew_and_a_seed_repeats():
    x = np.ones((10, 10))
    one, two = nn.Dropout(rng=5), nn.Dropout(rng=5)
    first, second = one(x), one(x)
    assert not np.array_equal(first, second)
    np.testing.assert_array_equal(two(x), first)
    np.testing.assert_array_equal(two(x), second)
    shared = np.random.default_rng(0)
    assert nn.Dropout(rng=shared).rng is shared
    assert dict(one.named_generators()) == {"rng": one.rng}


@pytest.mark.parametrize("x", [np.ones((0, 3), np.float32), np.float32(2), [[1, 2]], np.ones((4, 2), int)[::2]])
def test_shapes_and_kinds(x: object):
    y = F.dropout(x, 0.25, rng=0)
    assert np.shape(y) == np.shape(x)
    assert y.dtype == (np.float32 if getattr(x, "dtype", None) == np.float32 else np.float64)
    assert nn.Dropout(0.25)(x).shape == np.shape(x)


def test_the_repr_is_the_call():
    assert repr(nn.Dropout()) == "Dropout(0.5)"
    assert repr(nn.Dropout(0)) == "Dropout(0)"


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: nn.Dropout(1.5), ValueError, "p, the probability of 0, is a number from 0 to 1; received 1.5"),
        (lambda: nn.Dropout(-0.1), ValueError, "received -0.1"),
        (lambda: nn.Dropout("half"), TypeError, "received 'half'"),
        (lambda: nn.Dropout(rng="seed"), TypeError, "rng is a numpy.random.Generator"),
        (lambda: F.dropout(np.ones(3), np.nan), ValueError, "received nan"),
    ],
)
def test_wrong_arguments_are_errors(call, error, words):
    with pytest.raises(error, match=words):
        call()
