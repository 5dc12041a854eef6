from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import autodiff as ad
import nn
import nn.functional as F

CURVES = {
    name.removeprefix("curves/"): np.array(values)
    for name, values in json.loads((Path(__file__).parent / "references/normalisation.json").read_text("utf-8")).items()
    if name.startswith("curves/")
}
LAYERS = {
    "gelu": nn.GELU(),
    "gelu by tanh": nn.GELU(approximate="tanh"),
    "softplus": nn.Softplus(2.5),
    "leaky_relu": nn.LeakyReLU(negative_slope=0.2),
    "elu": nn.ELU(alpha=1.5),
    "silu": nn.SiLU(),
}
ALL = [*LAYERS.values(), nn.Identity(), nn.ReLU(), nn.Tanh(), nn.Sigmoid(), nn.Softmax(axis=0), nn.LogSoftmax(axis=0)]


@pytest.mark.parametrize("name", LAYERS)
def test_the_values_are_pytorchs(name: str):
    np.testing.assert_allclose(LAYERS[name](CURVES["x"]), CURVES[name], rtol=1e-8, atol=1e-12)


def test_along_an_axis():
    x = CURVES["x"].reshape(5, 5)
    np.testing.assert_allclose(nn.LogSoftmax(axis=0)(x), CURVES["log_softmax"], rtol=1e-8)
    np.testing.assert_allclose(nn.LogSoftmax(dim=0)(x), CURVES["log_softmax"], rtol=1e-8)
    np.testing.assert_allclose(F.log_softmax(x, dim=0), CURVES["log_softmax"], rtol=1e-8)
    for y in (F.softmax(x, 0), F.softmax(x, axis=0), F.softmax(x, dim=0), nn.Softmax(0)(x), nn.Softmax(dim=0)(x)):
        np.testing.assert_allclose(y, np.exp(CURVES["log_softmax"]), rtol=1e-8)
    np.testing.assert_allclose(nn.Softmax()(x).sum(axis=1), 1)
    np.testing.assert_allclose(np.exp(nn.LogSoftmax()(x)), F.softmax(x))


@pytest.mark.parametrize("layer", ALL, ids=repr)
def test_derivatives_dtypes_and_shapes(layer: nn.Module):
    x = np.random.default_rng(0).standard_normal((3, 4)) * 2
    ad.check_grads(layer, x, order=2)
    t = ad.Tensor(x.astype(np.float32))
    y = layer(t)
    assert y.dtype == np.float32
    assert {g.dtype for g in y.adjoints(np.ones((3, 4))).values()} == {np.dtype(np.float32)}
    assert layer(x.astype(np.float32)).dtype == np.float32
    if not isinstance(layer, nn.Softmax | nn.LogSoftmax):
        assert layer(x[:0]).shape == (0, 4)


@pytest.mark.parametrize("layer", ALL, ids=repr)
def test_nothing_overflows(layer: nn.Module):
    t = ad.Tensor(np.array([[-1e4, -50.0, 0.5, 50.0, 1e4]]).T.astype(np.float32))
    y = layer(t)
    y.backward(np.ones((5, 1)))
    assert np.isfinite(y.value).all()
    assert np.isfinite(t.grad).all()


def test_the_tanh_approximation_of_gelu_is_close():
    x = np.linspace(-8, 8, 4001)
    assert 1e-5 < np.abs(F.gelu(x) - F.gelu(x, approximate="tanh")).max() < 5e-4


@pytest.mark.parametrize(("f", "layer"), [(F.sign, nn.Sign()), (F.step, nn.Step())])
def test_sign_and_step_are_constants(f, layer: nn.Module):
    x = np.array([-2.0, -0.0, 0.0, 3.0], np.float32)
    expected = {F.sign: [-1, 0, 0, 1], F.step: [0, 1, 1, 1]}[f]
    for y in (f(x), layer(x), f(ad.Tensor(x)), layer(ad.Tensor(x))):
        assert isinstance(y, np.ndarray)
        assert y.dtype == np.float32
        assert y.tolist() == expected
    t = ad.Tensor(x)
    (t * layer(t)).sum().backward()
    np.testing.assert_array_equal(t.grad, expected)


def test_identity_is_x_whatever_it_was_made_with():
    x = ad.Tensor([1.0])
    assert nn.Identity()(x) is nn.Identity(64, anything=True)(x) is x


@pytest.mark.parametrize(
    ("layer", "text"),
    [
        (nn.GELU(), "GELU()"),
        (nn.GELU("tanh"), "GELU(approximate='tanh')"),
        (nn.Softplus(), "Softplus()"),
        (nn.Softplus(2), "Softplus(2.0)"),
        (nn.LeakyReLU(), "LeakyReLU(0.01)"),
        (nn.ELU(), "ELU(1.0)"),
        (nn.Softmax(), "Softmax()"),
        (nn.LogSoftmax(dim=1), "LogSoftmax(axis=1)"),
        (nn.Identity(), "Identity()"),
        (nn.Sign(), "Sign()"),
    ],
)
def test_the_repr_is_the_call(layer: nn.Module, text: str):
    assert repr(layer) == text


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: nn.GELU("sigmoid"), ValueError, r"received 'sigmoid'. Write approximate='tanh'"),
        (lambda: nn.Softplus(0), ValueError, "beta is a number above 0; received 0"),
        (lambda: nn.LeakyReLU("0.1"), TypeError, "negative_slope is a number.*received '0.1'"),
        (lambda: nn.ELU(np.inf), ValueError, "alpha is a number"),
    ],
)
def test_wrong_arguments_are_errors(call, error, words):
    with pytest.raises(error, match=words):
        call()
