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
SHAPED = [
    *(nn.SELU(), nn.CELU(1.5), nn.Mish(), nn.Hardtanh(), nn.ReLU6(), nn.Hardsigmoid(), nn.Hardswish(), nn.Softsign()),
    *(nn.LogSigmoid(), nn.Tanhshrink(), nn.Softshrink(), nn.Hardshrink(), nn.Threshold(0.1, 2)),
    *(nn.RReLU().eval(), nn.Softmin(axis=0)),
]
ALONG = (nn.Softmax, nn.LogSoftmax, nn.Softmin)
ALL = [nn.Identity(), nn.ReLU(), nn.Tanh(), nn.Sigmoid(), nn.Softmax(axis=0), nn.LogSoftmax(axis=0)]
ALL = [*LAYERS.values(), *ALL, *SHAPED]


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
    if not isinstance(layer, ALONG):
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
        (nn.Mish(), "Mish()"),
        (nn.CELU(2, inplace=True), "CELU(alpha=2.0)"),
        (nn.Hardtanh(-2, 1), "Hardtanh(min_val=-2.0)"),
        (nn.Threshold(0.1, 20), "Threshold(threshold=0.1, value=20.0)"),
        (nn.Softmin(dim=1), "Softmin(axis=1)"),
        (nn.GLU(1), "GLU(dim=1)"),
        (nn.PReLU(3), "PReLU(3)"),
        (nn.RReLU(0.1, 0.3), "RReLU(0.1, 0.3)"),
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
        (lambda: nn.CELU(0), ValueError, "alpha is a number above 0; received 0"),
        (lambda: nn.Hardtanh(1, -1), ValueError, "max_val is a number from 1; received -1"),
        (lambda: nn.Softshrink(-1), ValueError, "lambd is a number from 0; received -1"),
        (lambda: nn.Threshold("a", 1), TypeError, "Threshold: threshold is a number"),
        (lambda: nn.RReLU(0.5, 0.1), ValueError, "upper is a number from 0.5; received 0.1"),
        (lambda: nn.GLU()(np.ones((2, 3))), ValueError, r"even length; received x of shape \(2, 3\) and dim=-1"),
        (lambda: nn.PReLU(3)(np.ones((2, 4))), ValueError, r"shape \(2, 4\) and a weight of shape \(3,\)"),
        (lambda: nn.PReLU(0), ValueError, "num_parameters is an int from 1"),
        (lambda: nn.ReLU6("yes"), TypeError, "inplace is True or False"),
    ],
)
def test_wrong_arguments_are_errors(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_rrelu_draws_its_slopes_from_its_generator():
    x = ad.Tensor(np.full((40, 50), -2.0, np.float32))
    y = nn.RReLU(0.1, 0.3, rng=0)(x)
    assert (y.value <= -0.2).all()
    assert (y.value >= -0.6).all()
    assert y.value.mean() == pytest.approx(-0.4, abs=0.01)
    assert y.dtype == np.float32
    np.testing.assert_array_equal(y.value, F.rrelu(x, 0.1, 0.3, True, rng=0).value)
    np.testing.assert_allclose(y.adjoints(np.ones(y.shape, np.float32))[x], y.value / -2)


def test_nan_stays_nan_and_options_may_be_assigned():
    for layer in SHAPED:
        assert np.isnan(layer(np.array([np.nan]))).all(), layer
    layer = nn.Hardtanh()
    layer.max_val = 3.0
    assert layer(np.array([5.0])) == 3
    assert repr(layer) == "Hardtanh(max_val=3.0)"


def test_gelu_of_many_single_numbers_is_that_of_double_ones():
    x = np.linspace(-12, 12, 5001)
    single = ad.Tensor(x.astype(np.float32))
    y = F.gelu(single)
    y.backward(np.ones(len(x), np.float32))
    np.testing.assert_allclose(y.value, F.gelu(x), rtol=2e-6, atol=2e-6)
    np.testing.assert_allclose(single.grad, ad.grad(lambda x: F.gelu(x).sum())(x), rtol=2e-6, atol=2e-6)
    assert y.dtype == single.grad.dtype == np.float32
