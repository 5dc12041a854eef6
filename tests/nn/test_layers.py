from __future__ import annotations

import numpy as np
import pytest

import autodiff as ad
import nn
import nn.functional as F


def test_linear_has_the_shapes_of_pytorch():
    layer = nn.Linear(3, 2, rng=0)
    assert layer.weight.shape == (2, 3)
    assert layer.bias.shape == (2,)
    assert layer.weight.dtype == np.float32
    x = np.arange(6.0).reshape(2, 3)
    np.testing.assert_allclose(layer(x).value, x @ layer.weight.value.T + layer.bias.value, rtol=1e-6)


def test_a_dense_layer_is_one_node_of_the_graph():
    y = nn.Linear(3, 2)(np.ones((4, 3)))
    assert y.primitive.name == "linear"
    assert all(a.primitive is None for a in y.arguments if isinstance(a, ad.Tensor))


def test_backpropagation_equals_the_delta_rule_in_matrix_form():
    rng = np.random.default_rng(0)
    sizes = (5, 7, 6, 3)
    model = nn.MLP(*sizes, activation=nn.Tanh, rng=rng, dtype=np.float64)
    x, target = rng.standard_normal((4, 5)), rng.standard_normal((4, 3))
    nn.MSELoss(half=True)(model(x), target).backward()

    weights = [layer.weight.value for layer in model.layers[::2]]
    biases = [layer.bias.value for layer in model.layers[::2]]
    activations, sums = [x], []
    for k, (w, b) in enumerate(zip(weights, biases, strict=True)):
        sums.append(activations[-1] @ w.T + b)
        activations.append(np.tanh(sums[-1]) if k < 2 else sums[-1])
    delta = (activations[-1] - target) / target.size
    for k in (2, 1, 0):
        layer = model.layers[2 * k]
        np.testing.assert_allclose(layer.weight.grad, delta.T @ activations[k], rtol=1e-12, atol=1e-15)
        np.testing.assert_allclose(layer.bias.grad, delta.sum(axis=0), rtol=1e-12, atol=1e-15)
        if k:
            delta = (delta @ weights[k]) * (1 - np.tanh(sums[k - 1]) ** 2)


def test_backpropagation_equals_the_delta_rule_node_by_node():
    """A 2-3-3-1 network whose every weight is a scalar, beside the matrix form and the formulas."""
    rng = np.random.default_rng(1)
    model = nn.MLP(2, 3, 3, 1, activation=nn.Tanh, rng=rng, dtype=np.float64)
    for layer in model.layers[::2]:
        layer.bias.value = rng.standard_normal(layer.bias.shape)
    x, target = np.array([0.4, -1.3]), 0.7
    nn.MSELoss(half=True)(model(x[None]), [[target]]).backward()

    w = [[[ad.Tensor(v) for v in row] for row in layer.weight.value.tolist()] for layer in model.layers[::2]]
    b = [[ad.Tensor(v) for v in layer.bias.value.tolist()] for layer in model.layers[::2]]
    signals, z = [list(x)], []
    for k in range(3):
        z.append(
            [
                sum((wij * s for wij, s in zip(row, signals[-1], strict=True)), bj)
                for row, bj in zip(w[k], b[k], strict=True)
            ]
        )
        signals.append([np.tanh(s) for s in z[-1]] if k < 2 else z[-1])
    (output,) = signals[-1]
    (0.5 * (output - target) ** 2).backward()

    def number(t: object) -> float:
        return t.item() if isinstance(t, ad.Tensor) else float(t)

    delta = [number(output) - target]
    for k in (2, 1, 0):
        layer = model.layers[2 * k]
        for j in range(len(delta)):
            assert b[k][j].grad == pytest.approx(delta[j], rel=1e-12)
            assert layer.bias.grad[j] == pytest.approx(delta[j], rel=1e-12)
            for i, signal in enumerate(signals[k]):
                assert w[k][j][i].grad == pytest.approx(number(signal) * delta[j], rel=1e-12)
                assert layer.weight.grad[j, i] == pytest.approx(number(signal) * delta[j], rel=1e-12)
        if k:
            delta = [
                sum(w[k][j][i].item() * delta[j] for j in range(len(delta))) * (1 - np.tanh(z[k - 1][i].item()) ** 2)
                for i in range(len(signals[k]))
            ]


def test_expected_stochastic_gradient_times_n_is_the_full_gradient():
    rng = np.random.default_rng(2)
    model = nn.MLP(4, 6, 3, rng=rng, dtype=np.float64)
    x, y = rng.standard_normal((20, 4)), rng.integers(0, 3, 20)
    parameters = list(model.parameters())

    def gradient(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        model.zero_grad()
        (F.cross_entropy(model(x), y) * len(y)).backward()
        return np.concatenate([p.grad.ravel() for p in parameters])

    expected = np.mean([gradient(x[k : k + 1], y[k : k + 1]) for k in range(20)], axis=0)
    np.testing.assert_allclose(20 * expected, gradient(x, y), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(
    "layer", [nn.ReLU(), nn.Tanh(), nn.Sigmoid(), nn.Softplus(), nn.SiLU(), nn.LeakyReLU(), nn.ELU(), nn.Softmax(),
              nn.LogSoftmax(), nn.Flatten()], ids=repr,
)  # fmt: skip
def test_activations_as_layers(layer: nn.Module):
    x = np.random.default_rng(0).standard_normal((2, 5))
    ad.check_grads(layer, x, order=2)
    y = layer(ad.Tensor(x.astype(np.float32)))
    assert y.dtype == np.float32
    with ad.no_grad():
        assert isinstance(layer(ad.Tensor(x)), np.ndarray)


def test_flatten_keeps_the_batch():
    assert nn.Flatten()(np.zeros((2, 3, 4))).shape == (2, 12)
    assert nn.Flatten()(np.zeros((0, 3, 4))).shape == (0, 12)
    assert nn.Flatten()(np.zeros(3)).shape == (3, 1)
    with pytest.raises(ValueError, match=r"received shape \(\)"):
        nn.Flatten()(1.0)


def test_the_activation_of_an_mlp_is_a_class_or_a_function():
    assert [type(layer).__name__ for layer in nn.MLP(2, 3, 3, 1, activation=nn.Sigmoid)] == [
        "Linear", "Sigmoid", "Linear", "Sigmoid", "Linear",
    ]  # fmt: skip
    assert nn.MLP(2, 3, 1, activation=np.tanh)[1] is np.tanh
    assert nn.MLP(2, 3, 1)[:2](np.ones((1, 2))).shape == (1, 3)


def test_a_layer_computes_in_the_dtype_of_its_weight():
    layer = nn.Linear(2, 2, rng=0)
    for x in (np.ones((1, 2)), np.ones((1, 2), np.uint8), [[1, 1]]):
        y = layer(x)
        assert y.dtype == np.float32
        layer.zero_grad()
        y.sum().backward()
        assert layer.weight.grad.dtype == np.float32
        assert layer.weight.grad.tolist() == [[1, 1], [1, 1]]


def test_a_layer_with_weights_that_are_arrays_is_a_constant_function():
    layer = nn.Linear(3, 2, rng=0)
    x = ad.Tensor(np.ones((4, 3), np.float32))
    y = layer(x)
    layer.weight, layer.bias = layer.weight.value, layer.bias.value
    np.testing.assert_array_equal(layer(x).value, y.value)
    assert isinstance(layer(x.value), np.ndarray)
    layer(x).sum().backward()
    np.testing.assert_allclose(x.grad, np.tile(layer.weight.sum(0), (4, 1)), rtol=1e-6)


def test_a_model_from_one_seed_is_the_same_twice():
    one, two, other = (nn.MLP(3, 4, 2, rng=seed) for seed in (5, 5, 6))
    assert all(np.array_equal(a.value, b.value) for a, b in zip(one.parameters(), two.parameters(), strict=True))
    assert not np.array_equal(one[0].weight.value, other[0].weight.value)
    square = nn.MLP(3, 3, 3, rng=0)
    assert not np.array_equal(square[0].weight.value, square[2].weight.value)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: nn.Linear(0, 2), ValueError, r"in_features.*from 1; received 0"),
        (lambda: nn.Linear(2, 2.5), ValueError, r"out_features.*received 2.5"),
        (lambda: nn.Linear(2, 2, dtype=int), TypeError, r"float32 or float64; received dtype=int64"),
        (lambda: nn.Linear(2, 2, dtype="floot"), TypeError, r"float32 or float64; received dtype='floot'"),
        (lambda: nn.Linear(2, 2, rng="seed"), TypeError, r"rng is a numpy.random.Generator.*received 'seed'"),
        (lambda: nn.MLP(3), TypeError, r"received \(3,\).*MLP\(64, 32, 10\)"),
        (lambda: nn.MLP(3, nn.ReLU(), 1), TypeError, "MLP takes the number of inputs"),
        (lambda: nn.MLP(3, 2, 1, activation="relu"), TypeError, r"received 'relu'.*nn.ReLU"),
        (lambda: nn.Sequential(nn.ReLU), TypeError, r"0 .*Write ReLU\(\)"),
        (lambda: nn.Linear(3, 2)(np.ones((4, 2))), ValueError, r"x of shape \(4, 2\), weight of shape \(2, 3\)"),
        (lambda: nn.Linear(3, 2)(1.0), ValueError, r"x of shape \(\)"),
        (lambda: nn.Dense(3)(5.0), ValueError, r"Dense\(3\) takes x of shape \(..., inputs\); received one number"),
        (lambda: nn.Linear(4, 2, "relu"), TypeError, "Linear: bias is True or False; received 'relu'"),
        (lambda: nn.Conv2d(1, 2, 3, bias="relu"), TypeError, "Conv2d: bias is True or False; received 'relu'"),
        (lambda: nn.Dense(2, use_bias=0), TypeError, "Dense: use_bias is True or False"),
        (lambda: nn.MaxPool2d(2, ceil_mode="no"), TypeError, "ceil_mode is True or False"),
        (lambda: nn.BatchNorm1d(2, affine="no"), TypeError, "affine is True or False"),
        (lambda: nn.LayerNorm(2, bias="no"), TypeError, "bias is True or False"),
        (lambda: nn.ReLU("yes"), TypeError, "ReLU: inplace is True or False"),
        (lambda: nn.Flatten(2, 1)(np.ones((2, 3, 4))), ValueError, r"Flatten\(2, 1\).*received shape \(2, 3, 4\)"),
        (lambda: nn.Flatten(3)(np.ones((2, 3, 4))), ValueError, r"Flatten\(3, -1\).*received shape \(2, 3, 4\)"),
        (lambda: nn.Flatten(1.0), ValueError, "Flatten: start_dim is an int; received 1.0"),
        (lambda: F.softplus(1.0, 0.0), ValueError, "softplus: beta is a number above 0"),
        (lambda: F.elu(1.0, "a"), TypeError, "elu: alpha is a number"),
    ],
)
def test_wrong_arguments_are_errors(call, error, words):
    with pytest.raises(error, match=words):
        call()


@pytest.mark.parametrize(
    ("dims", "shape"),
    [((), (2, 60)), ((0,), (120,)), ((1, 2), (2, 12, 5)), ((-2,), (2, 3, 20)), ((2, -2), (2, 3, 4, 5))],
)
def test_flatten_takes_the_axes_that_it_is_told(dims, shape):
    x = np.arange(120.0).reshape(2, 3, 4, 5)
    np.testing.assert_array_equal(nn.Flatten(*dims)(x), x.reshape(shape))
    assert nn.Flatten()(np.ones(3)).shape == (3, 1)
    assert repr(nn.Flatten(*dims)) == f"Flatten({', '.join(map(str, (*dims, -1)[:2])) if dims else ''})"


@pytest.mark.parametrize("layer", [nn.ReLU, nn.SiLU, nn.ELU, nn.LeakyReLU])
def test_inplace_has_no_effect(layer):
    x = np.array([-1.0, 2.0])
    np.testing.assert_array_equal(layer(inplace=True)(x), layer()(x))
    assert x[0] == -1
    assert repr(nn.Dropout(0.2, inplace=True)) == "Dropout(0.2)"


def test_parameters_of_activations_that_are_numpy_numbers_leave_float32_what_it_is():
    x, half = np.ones(3, np.float32), np.float64(0.5)
    assert {f(x, half).dtype for f in (F.leaky_relu, F.elu, F.softplus)} == {np.dtype(np.float32)}


def test_a_normed_dense_layer_computes_what_it_did():
    dense = nn.Dense(2, "tanh", input_shape=3, rng=0)
    x = np.ones((4, 3), np.float32)
    before = dense(x).value
    normed = nn.weight_norm(dense)
    np.testing.assert_allclose(normed(x).value, before, rtol=1e-6)
    assert normed.built
    assert list(dict(normed.named_parameters())) == ["bias", "weight_g", "weight_v"]
    assert repr(normed) == "weight_norm(Dense(2, 'tanh', input_shape=(3,)))"


@pytest.mark.parametrize("shape", [(3,), (4, 3), (2, 4, 3), (2, 1, 4, 3), (0, 4, 3), (2, 0, 3)])
def test_a_dense_layer_goes_along_the_last_axis(shape: tuple[int, ...]):
    layer = nn.Linear(3, 2, rng=0, dtype=np.float64)
    x = np.random.default_rng(0).standard_normal(shape)
    expected = np.matmul(x, layer.weight.value.T) + layer.bias.value
    y = layer(ad.Tensor(x))
    assert y.shape == (*shape[:-1], 2)
    np.testing.assert_allclose(y.value, expected, rtol=1e-12)
    ad.check_grads(lambda x, w, b: np.sin(nn.functional.linear(x, w, b)), x, layer.weight.value, layer.bias.value)
    turned = np.swapaxes(np.swapaxes(x, 0, -1).copy(), 0, -1)  # the same numbers, laid out otherwise
    np.testing.assert_allclose(layer(ad.Tensor(turned)).value, expected, rtol=1e-12)
