from __future__ import annotations

import numpy as np
import pytest

import autodiff as ad
import nn
import nn.functional as F
from nn.functional import cached

rng = np.random.default_rng(0)


@pytest.mark.parametrize("shape", [(4, 3), (3,), (2, 5, 3), (0, 3), (1, 3)])
@pytest.mark.parametrize("bias", [True, False])
def test_linear_to_second_order(shape: tuple[int, ...], bias: bool):
    arrays = [rng.standard_normal(s) for s in (shape, (2, 3), (2,))[: 3 if bias else 2]]
    x, w, *b = arrays
    np.testing.assert_allclose(F.linear(*arrays), x @ w.T + (b[0] if b else 0))
    ad.check_grads(F.linear, *arrays, order=2)


def test_linear_by_keyword():
    x, w, b = (ad.Tensor(rng.standard_normal(s)) for s in ((4, 3), (2, 3), (2,)))
    np.testing.assert_array_equal(F.linear(x, w, bias=b).value, F.linear(x, w, b).value)
    np.testing.assert_array_equal(F.linear(x, weight=w, bias=b).value, F.linear(x, w, b).value)


@pytest.mark.parametrize("labels", [[0, 2, 1, 1], np.array([0, 2, 1, 1], np.uint8), np.array([2, 2, 2, 2], np.int32)])
def test_cross_entropy_to_third_order(labels):
    logits = rng.standard_normal((4, 3))
    expected = -np.mean(ad.log_softmax(logits)[np.arange(4), labels])
    assert F.cross_entropy(logits, labels) == pytest.approx(expected)
    ad.check_grads(lambda x: F.cross_entropy(x, labels), logits, order=3)


def test_cross_entropy_is_one_node_and_its_adjoint_softmax_minus_one_hot():
    logits, labels = ad.Tensor(rng.standard_normal((4, 3))), np.array([0, 2, 1, 1])
    loss = F.cross_entropy(logits, labels)
    assert loss.arguments[0] is logits
    loss.backward()
    np.testing.assert_allclose(logits.grad, (ad.softmax(logits.value) - np.eye(3)[labels]) / 4, rtol=1e-12)


def test_the_recorded_adjoint_of_cross_entropy_has_the_bits_of_the_raw_one():
    logits, labels = rng.standard_normal((4, 3)).astype(np.float32), np.array([0, 2, 1, 1])
    t = ad.Tensor(logits)
    F.cross_entropy(t, labels).backward()
    recorded = ad.value_and_grad(lambda x: np.sum(ad.grad(lambda z: F.cross_entropy(z, labels))(x)[0, 0]))(logits)[0]
    assert recorded == t.grad[0, 0]


@pytest.mark.parametrize("size", [1000.0, 1e30])
def test_cross_entropy_of_huge_logits_is_finite(size: float):
    logits = ad.Tensor(np.array([[size, -size, 0.0], [-size, size, 0.0]]))
    loss = F.cross_entropy(logits, [0, 0])
    loss.backward()
    assert loss.item() == size
    np.testing.assert_array_equal(logits.grad, [[0, 0, 0], [-0.5, 0.5, 0]])


def test_float32_stays_float32():
    model = nn.MLP(4, 5, 3, rng=0)
    x = rng.standard_normal((2, 4)).astype(np.float32)
    for loss in (
        F.cross_entropy(model(x), [0, 2]),
        F.mse_loss(model(x), rng.standard_normal((2, 3))),
        F.mse_loss(model(x), np.zeros((2, 3), int)),
    ):
        assert loss.dtype == np.float32
        assert {g.dtype for g in loss.adjoints().values()} == {np.dtype(np.float32)}


def test_squared_error():
    y, target = np.array([[1.0, 2.0], [3.0, 5.0]]), np.array([[0.0, 2.0], [1.0, 1.0]])
    assert nn.MSELoss()(y, target) == 21 / 4
    assert nn.MSELoss(half=True)(y, target) == 21 / 8
    t = ad.Tensor(y)
    F.mse_loss(t, target, half=True).backward()
    np.testing.assert_allclose(t.grad, (y - target) / 4)
    ad.check_grads(F.mse_loss, y, target, order=2)
    assert repr(nn.MSELoss()) == "MSELoss()"
    assert repr(nn.MSELoss(half=True)) == "MSELoss(half=True)"
    assert repr(nn.CrossEntropyLoss()) == "CrossEntropyLoss()"


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: F.mse_loss(np.ones((5, 1)), np.ones(5)), ValueError, r"\(5, 1\) and a target of shape \(5,\)"),
        (lambda: F.mse_loss(ad.Tensor(np.ones((5, 1))), [1.0] * 5), ValueError, r"target.reshape\(-1, 1\)"),
        (lambda: F.mse_loss(np.ones((0, 1)), np.ones((0, 1))), ValueError, "no elements"),
        (lambda: F.cross_entropy(np.ones((2, 3)), [0, 3]), ValueError, r"from 0 to 2 .*received 3 at index 1"),
        (lambda: F.cross_entropy(np.ones((2, 3)), [-1, 0]), ValueError, r"from 0 to 2 .*received -1 at index 0"),
        (lambda: F.cross_entropy(np.ones((2, 3)), np.array([-1, 0], np.int8)), ValueError, "received -1 at index 0"),
        (lambda: F.cross_entropy(np.ones((2, 3)), [0]), ValueError, r"shape \(2, 3\) and labels of shape \(1,\)"),
        (lambda: F.cross_entropy(np.ones((2, 3)), np.eye(4)[:2]), ValueError, "a column per output"),
        (lambda: F.cross_entropy(np.ones(3), 0), ValueError, r"x\[None\]"),
        (lambda: F.cross_entropy(np.ones((2, 3)), [0.0, 1.0]), TypeError, r"float64.*labels.astype\(int\)"),
        (lambda: F.cross_entropy(np.ones((2, 3)), [1 + 0j, 1j]), TypeError, "complex"),
        (lambda: F.cross_entropy(np.ones((0, 3)), np.zeros(0, int)), ValueError, "no elements"),
        (lambda: F.cross_entropy(ad.Tensor(np.ones((2, 3))), [0, 7]), ValueError, "received 7"),
    ],
)
def test_what_does_not_fit_together_is_an_error(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_linear_takes_lists_and_complex_weights():
    x, w, b = np.ones((4, 3)), rng.standard_normal((2, 3)), rng.standard_normal(2)
    np.testing.assert_array_equal(F.linear(x.tolist(), w.tolist(), b.tolist()), F.linear(x, w, b))
    np.testing.assert_allclose(F.linear(x, 1j * w), 1j * F.linear(x, w))


@pytest.mark.parametrize(
    ("x", "weight", "bias", "error", "words"),
    [
        (np.ones((4, 3)), np.ones((2, 3), int), None, TypeError, "weight of dtype int64.*weight.astype"),
        (np.ones((4, 3), int), np.ones((2, 3), int), None, TypeError, "weight of dtype int64"),
        (np.ones((4, 3), complex), np.ones((2, 3)), None, TypeError, "float64; received x of dtype complex128"),
        (np.ones((4, 3)), np.ones((2, 3)), np.ones(1), ValueError, r"bias of shape \(1,\)"),
        (np.ones((4, 3)), np.ones((2, 3)), np.ones((1, 2)), ValueError, r"bias of shape \(1, 2\)"),
        (np.ones((4, 3)), np.ones((2, 3)), 2.0, ValueError, r"bias of shape \(\)"),
        (np.ones((4, 3)), np.ones((2, 3)), np.ones(2) * 1j, ValueError, "dtype complex128"),
        (np.ones((4, 3)), np.ones(3), None, ValueError, r"weight of shape \(3,\)"),
    ],
)
def test_linear_casts_nothing_silently(x, weight, bias, error, words):
    with pytest.raises(error, match=words):
        F.linear(x, weight, bias)


@pytest.mark.parametrize("dtype", [">i4", "<i4", ">u2", ">i8"])
def test_labels_of_any_byte_order(dtype: str):
    logits = rng.standard_normal((4, 3))
    labels = np.array([0, 2, 1, 1], dtype)
    assert F.cross_entropy(logits, labels) == F.cross_entropy(logits, labels.astype(int))
    with pytest.raises(ValueError, match="received 3 at index 0"):
        F.cross_entropy(logits, labels + np.array([3, 0, 0, 0], dtype))


def test_losses_of_lists_and_integers():
    assert F.cross_entropy([[1, 2, 3]], [0]) == F.cross_entropy(np.array([[1.0, 2.0, 3.0]]), [0])
    assert F.mse_loss([1, 2], [3.0, 4.0]) == 4.0
    assert F.mse_loss(np.array([1], np.uint8), np.array([3], np.uint8)) == 4.0
    assert F.mse_loss([1, 2], ad.Tensor([3.0, 4.0])).item() == 4.0
    with pytest.raises(TypeError, match="dtype complex128"):
        F.cross_entropy(np.ones((2, 3), complex), [0, 1])


def test_long_sums_keep_their_digits():
    ones = np.ones((200_003, 1), np.float32)
    shares = (1 + rng.random((200_003, 2))).astype(np.float32)
    bias = ad.Tensor(np.zeros(2, np.float32))
    F.linear(ones, np.zeros((2, 1), np.float32), bias).backward(shares)
    np.testing.assert_allclose(bias.grad, shares.sum(axis=0, dtype=float), rtol=1e-6)
    weights = (0.05 * rng.standard_normal((1000, 2000))).astype(np.float32)
    found = F.l2_penalty([weights])
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, np.sum(np.square(weights, dtype=float)), rtol=1e-6)


def test_large_constants_are_not_kept():
    x = np.zeros(1)
    assert cached.ones(100, x) is cached.ones(100, x)
    for large in (cached.ones(2**16 + 1, x), cached.count(2**16 + 1)):
        assert large.flags.writeable
    assert cached.count(2**16 + 1) is not cached.count(2**16 + 1)


@pytest.mark.skipif(np.lib.NumpyVersion(np.__version__) < "2.1.0", reason="there clip of -0 gives 0, of large arrays")
@pytest.mark.parametrize("size", [1, 7, 1023, 1024, 5000])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_relu_of_negative_zero_is_the_same_for_arrays_of_all_sizes(size: int, dtype: type):
    assert np.signbit(F.relu(np.full(size, -0.0, dtype))).all() == np.signbit(F.relu(np.full(2, -0.0))).all()
