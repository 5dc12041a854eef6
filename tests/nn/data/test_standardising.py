from __future__ import annotations

import numpy as np
import pytest

import autodiff as ad
import nn
from nn.data import Standardiser, standardising

rng = np.random.default_rng(0)
X = (rng.standard_normal((50, 3)) * [1, 100, 0.01] + [5, -300, 0]).astype(np.float32)


def test_training_data_get_mean_0_and_deviation_1_and_other_data_the_same_map():
    scaled = Standardiser(X)
    z = scaled(X)
    np.testing.assert_allclose(z.mean(axis=0), 0, atol=2e-5)
    np.testing.assert_allclose(z.std(axis=0), 1, rtol=1e-4)
    other = X[:7] + X.std(axis=0)
    np.testing.assert_allclose(scaled(other), z[:7] + 1, atol=1e-3)
    np.testing.assert_allclose(scaled.inverse(z), X, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_constant_feature_is_left_at_0(dtype):
    x = np.concatenate([np.full((1000, 1), 0.1), rng.standard_normal((1000, 1))], axis=1).astype(dtype)
    scaled = Standardiser(x)
    z = scaled(x)
    assert not z[:, 0].any()
    assert z[:, 1].std() == pytest.approx(1, rel=1e-3)
    assert scaled.std[0] == 1


def test_many_samples_are_gone_through_in_blocks(monkeypatch):
    whole = Standardiser(X)
    monkeypatch.setattr(standardising, "ROWS_AT_ONCE", 7)
    parts = Standardiser(X)
    np.testing.assert_allclose(parts.mean, whole.mean, rtol=1e-6)
    np.testing.assert_allclose(parts.std, whole.std, rtol=1e-6)
    np.testing.assert_allclose(whole.std, X.std(axis=0, dtype=np.float64), rtol=1e-6)


@pytest.mark.parametrize(
    ("samples", "kept", "x", "found"),
    [
        (np.float32, np.float32, np.float32, np.float32),
        (np.float64, np.float64, np.float32, np.float32),
        (np.float32, np.float32, np.float64, np.float64),
        (np.int64, np.float32, np.int64, np.float32),
        (np.uint8, np.float32, np.float32, np.float32),
    ],
)
def test_dtypes(samples, kept, x, found):
    values = np.array([[0, 3], [4, 3], [250, 9]])
    scaled = Standardiser(values.astype(samples))
    assert scaled.mean.dtype == scaled.std.dtype == kept
    z = scaled(values.astype(x))
    assert z.dtype == found
    np.testing.assert_allclose(z.mean(axis=0), 0, atol=1e-6)


def test_targets_images_and_single_samples():
    scaled = Standardiser([1.0, 2.0, 6.0])
    assert scaled.mean.shape == ()
    np.testing.assert_allclose(scaled([3.0, 3.0]), [0, 0])
    images = rng.uniform(size=(5, 1, 4, 4))
    scaled = Standardiser(images)
    np.testing.assert_allclose(scaled(images)[0], scaled(images[0]))


def test_it_is_a_layer_and_saved_with_its_model():
    model = nn.Sequential(Standardiser(X), nn.Linear(3, 2, rng=0))
    assert [(name, b.shape) for name, b in model.named_buffers()] == [("0.mean", (3,)), ("0.std", (3,))]
    x = ad.Tensor(X[:4])
    out = model(x)
    assert out.dtype == np.float32
    np.sum(out).backward()
    np.testing.assert_allclose(
        x.grad, np.tile(model.layers[1].weight.value.sum(axis=0) / model.layers[0].std, (4, 1)), rtol=1e-5
    )
    ad.check_grads(Standardiser(X.astype(np.float64)), X[:2].astype(np.float64), order=2)
    assert repr(model.layers[0]) == "Standardiser(mean of shape (3,), float32)"


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: Standardiser(np.array([[1, 2], [3, np.nan], [5, 6]])), ValueError, r"not finite.*in feature \[1\]"),
        (lambda: Standardiser([1.0, np.inf]), ValueError, "not finite"),
        (lambda: Standardiser(np.empty((0, 3))), ValueError, r"received \(0, 3\)"),
        (lambda: Standardiser("a"), TypeError, "received 'a'"),
        (lambda: Standardiser(X)(X[:, :2]), ValueError, r"of shape \(3,\).*received shape \(50, 2\)"),
        (lambda: Standardiser(X)(X[:, None]), ValueError, r"received shape \(50, 1, 3\)"),
        (lambda: Standardiser(X).inverse(X[:, :2]), ValueError, r"received shape \(50, 2\)"),
    ],
)
def test_wrong_arguments_are_errors(call, error, words):
    with pytest.raises(error, match=words):
        call()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_what_varies_by_less_than_a_number_can_say_counts_as_constant(dtype):
    tiny = np.array([[0.0], [np.finfo(dtype).smallest_subnormal]], dtype)
    scaled = Standardiser(tiny)
    assert scaled.std == 1
    np.testing.assert_allclose(scaled(tiny), 0, atol=1e-30)


def test_standardise_is_the_short_form():
    scaled = Standardiser(X)
    np.testing.assert_array_equal(nn.data.standardise(X), scaled(X))
    train, test = nn.data.standardise(X, X[:5] + 1)
    np.testing.assert_array_equal(train, scaled(X))
    np.testing.assert_array_equal(test, scaled(X[:5] + 1))
