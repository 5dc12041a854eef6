from __future__ import annotations

import functools

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


def test_zeros_keep_symmetric_units_alike():
    """Units that start alike stay alike: two hidden layers of zeros learn nothing but the output's bias."""
    rng = np.random.default_rng(0)
    x, labels = rng.standard_normal((32, 3)), rng.integers(0, 2, 32)

    def trained(weight_init):
        model = nn.MLP(3, 5, 4, 2, activation=nn.Tanh, rng=0, dtype=np.float64, weight_init=weight_init)
        optimizer = nn.optim.Adam(model.parameters(), lr=0.1)
        for _ in range(20):
            optimizer.zero_grad()
            nn.CrossEntropyLoss()(model(x), labels).backward()
            optimizer.step()
        return [layer.weight.value for layer in model.layers[::2]]

    for weight in trained(init.zeros):
        assert not weight.any()
    alike = trained(functools.partial(init.constant, value=0.1))
    assert all(np.ptp(weight, axis=0).max() < 1e-12 for weight in alike[:2])
    assert alike[0].std() > 1e-3
    assert all(np.ptp(weight, axis=0).max() > 0.1 for weight in trained(init.xavier_uniform)[:2])


def test_xavier_and_lecun_keep_the_variance_through_linear_layers():
    rng = np.random.default_rng(0)
    for draw in (init.xavier_normal, init.xavier_uniform, init.lecun_normal, init.lecun_uniform):
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
        (functools.partial(init.xavier_normal, gain=3), 18 / 500),
        (functools.partial(init.xavier_uniform, gain=3), 18 / 500),
        (init.lecun_normal, 1 / 300),
        (init.lecun_uniform, 1 / 300),
        (functools.partial(init.normal, std=0.02), 0.02**2),
        (functools.partial(init.uniform, low=-0.3, high=0.3), 0.3**2 / 3),
        (init.orthogonal, 1 / 300),
    ],
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_shape_dtype_and_variance(draw, variance, dtype):
    w = draw((200, 300), rng=0, dtype=dtype)
    assert w.shape == (200, 300)
    assert w.dtype == dtype
    assert w.var() == pytest.approx(variance, rel=0.03)
    assert abs(w.mean()) < 0.02 * np.sqrt(variance)


@pytest.mark.parametrize("shape", [(4, 4), (3, 7), (7, 3), (4, 2, 3, 3), (40, 2, 3, 3), (1, 1)])
@pytest.mark.parametrize("gain", [1.0, 2.5])
def test_orthogonal_keeps_lengths(shape, gain):
    w = init.orthogonal(shape, rng=0, dtype=np.float64, gain=gain)
    assert w.shape == shape
    matrix = w.reshape(shape[0], -1)
    product = matrix @ matrix.T if matrix.shape[0] <= matrix.shape[1] else matrix.T @ matrix
    np.testing.assert_allclose(product, gain**2 * np.eye(len(product)), atol=1e-12)


def test_orthogonal_prefers_no_direction():
    drawn = [init.orthogonal((2, 2), rng=k, dtype=np.float64) for k in range(400)]
    assert np.abs(np.mean(drawn, axis=0)).max() < 0.15
    assert 0.4 < np.mean([np.linalg.det(w) > 0 for w in drawn]) < 0.6


def test_the_fans_of_a_convolution_count_its_kernel():
    assert init.fans((16, 8, 3, 5)) == (8 * 15, 16 * 15)


def test_zeros_and_ones():
    assert init.zeros((2,)).tolist() == [0, 0]
    assert init.ones((2,), dtype=np.float64).dtype == np.float64
    assert init.constant((2, 2), 0.5).tolist() == [[0.5, 0.5], [0.5, 0.5]]
    assert init.constant((2,), -1).dtype == np.float32


def test_uniform_and_normal_take_vectors_too():
    drawn = init.uniform((1000,), 2, 3, rng=0)
    assert drawn.dtype == np.float32
    assert 2 <= drawn.min() < 2.01
    assert 2.99 < drawn.max() <= 3
    assert init.normal((1000,), 5, 0.1, rng=0, dtype=np.float64).mean() == pytest.approx(5, abs=0.02)
    np.testing.assert_array_equal(init.normal((3,), std=0), [0, 0, 0])


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
    small = nn.Linear(30, 20, weight_init=functools.partial(init.normal, std=0.02), rng=0)
    assert small.weight.value.std() == pytest.approx(0.02, rel=0.1)


@pytest.mark.parametrize(
    ("name", "ours"),
    [
        ("kaiming_uniform_", "he_uniform"),
        ("kaiming_normal_", "he_normal"),
        ("xavier_uniform_", "xavier_uniform"),
        ("orthogonal_", "orthogonal"),
        ("constant_", "constant"),
        ("trunc_normal_", "normal"),
    ],
)
def test_what_pytorch_calls_it_is_answered(name, ours):
    with pytest.raises(AttributeError, match=rf"no {name}, .*nn\.init\.{ours}\(layer\.weight\.shape"):
        getattr(init, name)
    assert callable(getattr(init, ours))


@pytest.mark.parametrize(
    ("name", "words"),
    [("dirac_", "value is assigned"), ("nothing", "has no attribute 'nothing'"), ("math_", "no attribute 'math_'")],
)
def test_what_nobody_calls_it_is_not_there(name, words):
    with pytest.raises(AttributeError, match=words):
        getattr(init, name)
    assert not hasattr(init, "_wrapped")


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: init.he_normal((5,)), ValueError, r"received shape \(5,\).*\(out, in\)"),
        (lambda: init.he_normal((5, 0)), ValueError, r"at least 1"),
        (lambda: init.he_normal((5, 2), rng=-1), TypeError, "received -1"),
        (lambda: init.he_normal((5, 2), rng=np.random), TypeError, "np.random.default_rng"),
        (lambda: init.he_normal((5, 2), rng=True), TypeError, "received True"),
        (lambda: init.zeros((5, 2), dtype=np.float16), TypeError, "received dtype=float16"),
        (lambda: init.orthogonal((5,)), ValueError, r"received shape \(5,\)"),
        (lambda: init.normal((5,), np.random.default_rng(0)), TypeError, "mean is a number"),
        (lambda: init.normal((5,), std=-1), ValueError, "std is a number from 0; received -1"),
        (lambda: init.uniform((5,), 1, 0), ValueError, "high is a number from 1; received 0"),
        (lambda: init.constant((5,), np.nan), ValueError, "value is a number"),
        (lambda: init.xavier_normal((5, 2), gain="tanh"), TypeError, "gain is a number from 0; received 'tanh'"),
    ],
)
def test_wrong_arguments_are_errors(call, error, words):
    with pytest.raises(error, match=words):
        call()


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (functools.partial(nn.Linear, 3, 2), (2, 3)),
        (functools.partial(nn.Embedding, 2, 3), (2, 3)),
        (functools.partial(nn.Conv2d, 3, 2, 1), (2, 3, 1, 1)),
        (functools.partial(nn.Dense, 2, input_shape=3), (2, 3)),
    ],
)
def test_what_an_initialiser_gives_is_checked_and_copied(layer, shape):
    given = np.ones(shape, np.float32)
    made = layer(weight_init=lambda shape, rng, dtype: given)
    given[...] = 0
    assert np.all(made.weight.value == 1)
    for value, words in (
        (np.ones((3, 2), np.float32), r"weight_init.* it gave one of shape \(3, 2\), float32"),
        (np.ones(shape), "weight_init.* it gave one of shape .*, float64"),
        (1.0, "weight_init.* it gave <class 'float'>"),
    ):
        with pytest.raises(ValueError, match=words):
            layer(weight_init=lambda shape, rng, dtype, value=value: value)


@pytest.mark.parametrize("draw", [init.he_uniform, init.xavier_normal, init.orthogonal])
def test_a_number_is_no_shape_of_a_weight(draw):
    with pytest.raises(ValueError, match=r"received shape 3. Pass \(out, in\)"):
        draw(3)
    assert init.uniform(3).shape == init.normal(3).shape == (3,)
