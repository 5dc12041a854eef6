from __future__ import annotations

import json
import math
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

import autodiff as ad
import nn
import nn.functional as F
from nn.functional import convolution

rng = np.random.default_rng(0)
REFERENCE = Path(__file__).with_name("references") / "convolution.npz"
with np.load(REFERENCE) as file:
    STORED = dict(file)
DESCRIPTION = json.loads(str(STORED["description"]))
ARGUMENTS = DESCRIPTION["arguments"]
SETTINGS = [
    {},
    {"stride": 2, "padding": 1},
    {"padding": "same", "dilation": (1, 2)},
    {"stride": (3, 1), "groups": 2},
    {"groups": 4, "dilation": 2, "padding": (2, 0)},
]


def stored(name: str) -> list[np.ndarray]:
    """The arrays, the value, the seed, and the arrays' adjoints of a case."""
    shapes = DESCRIPTION["shapes"][name]
    ends = np.cumsum([math.prod(shape) for shape in shapes])[:-1]
    return [part.reshape(shape) for part, shape in zip(np.split(STORED[name], ends), shapes, strict=True)]


def images(*shape: int, dtype: type = np.float64) -> np.ndarray:
    return rng.standard_normal(shape).astype(dtype)


def weights(out: int, groups: int = 1, kernel: tuple[int, int] = (3, 2), dtype: type = np.float64) -> list[np.ndarray]:
    """A weight for images of 4 channels, and a bias."""
    return [images(out, 4 // groups, *kernel, dtype=dtype), images(out, dtype=dtype)]


@pytest.mark.parametrize("name", [name for name in ARGUMENTS if name.startswith("conv2d")])
def test_values_and_adjoints_are_pytorchs(name: str, monkeypatch: pytest.MonkeyPatch):
    x, weight, bias, value, seed, *adjoints = stored(name)
    options = ARGUMENTS[name]
    for piece in (convolution.PIECE, 1):  # at once, and a row at a time
        monkeypatch.setattr(convolution, "PIECE", piece)
        monkeypatch.setattr(convolution, "WIDE_PIECE", piece)
        tensors = [ad.Tensor(a) for a in (x, weight, bias)]
        y = F.conv2d(*tensors, **options)
        np.testing.assert_allclose(y.value, value, rtol=1e-12, atol=1e-12)
        y.backward(seed)
        for tensor, expected in zip(tensors, adjoints, strict=True):
            np.testing.assert_allclose(tensor.grad, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("options", SETTINGS)
@pytest.mark.parametrize("bias", [True, False])
def test_to_third_order(options: dict, bias: bool):
    arrays = [images(2, 4, 7, 6), *weights(4, options.get("groups", 1))][: 3 if bias else 2]
    ad.check_grads(lambda *a: F.conv2d(*a, **options), *arrays, order=3)


def test_of_points_to_second_order():
    ad.check_grads(F.conv2d, images(2, 4, 3, 2), *weights(3, kernel=(1, 1)), order=2)


@pytest.mark.parametrize("options", SETTINGS)
def test_the_forward_pass_agrees_with_the_reverse_pass(options: dict):
    arrays = [images(2, 4, 7, 6), *weights(4, options.get("groups", 1))]
    directions = [images(*a.shape) for a in arrays]

    def f(*a):
        return F.conv2d(*a, **options)

    y, moved = ad.jvp(f, arrays, directions)
    seed = images(*y.shape)
    adjoints = ad.vjp(f, *arrays)[1](seed)
    along = sum(np.sum(a * d) for a, d in zip(adjoints, directions, strict=True))
    assert np.sum(seed * moved) == pytest.approx(along)


@pytest.mark.parametrize("options", SETTINGS)
def test_the_recorded_adjoint_has_the_bits_of_the_raw_one(options: dict):
    x, seed = images(2, 4, 7, 6, dtype=np.float32), np.float32(1.5)
    weight, bias = weights(4, options.get("groups", 1), dtype=np.float32)

    def f(x, weight):
        return np.sum(seed * ad.relu(F.conv2d(x, weight, bias, **options)))

    raw = ad.grad(f, argnums=(0, 1))(x, weight)
    for k in range(2):
        recorded = ad.value_and_grad(lambda *a, k=k: ad.grad(f, argnums=k)(*a)[0, 0, 0, 0], argnums=0)(x, weight)[0]
        assert recorded == raw[k][0, 0, 0, 0]


def test_the_adjoint_by_the_images_is_not_computed_for_plain_ones(monkeypatch: pytest.MonkeyPatch):
    def refuse(*arguments, **options):
        raise AssertionError("the adjoint by a constant was computed")

    monkeypatch.setattr(convolution, "spread", refuse)
    weight, bias = map(ad.Tensor, weights(3))
    F.conv2d(images(2, 4, 7, 6), weight, bias).sum().backward()
    assert weight.grad.shape == weight.shape
    with pytest.raises(AssertionError, match="by a constant"):
        F.conv2d(ad.Tensor(images(2, 4, 7, 6)), weight, bias).sum().backward()


@pytest.mark.parametrize("options", SETTINGS)
def test_float32_stays_float32(options: dict):
    x = ad.Tensor(images(2, 4, 7, 6, dtype=np.float32))
    y = F.conv2d(x, *map(ad.Tensor, weights(4, options.get("groups", 1), dtype=np.float32)), **options)
    assert {g.dtype for g in np.sum(y).adjoints().values()} == {y.dtype} == {np.dtype(np.float32)}


def test_images_become_what_the_weight_is():
    weight, bias = weights(3, dtype=np.float32)
    x = ad.Tensor(images(2, 4, 7, 6))
    y = F.conv2d(x, ad.Tensor(weight), bias)
    y.sum().backward()
    assert (y.dtype, x.grad.dtype) == (np.float32, np.float64)
    pixels = rng.integers(0, 255, (2, 4, 7, 6), np.uint8)
    np.testing.assert_array_equal(F.conv2d(pixels, weight), F.conv2d(pixels.astype(np.float32), weight))


@pytest.mark.parametrize("options", SETTINGS)
def test_an_empty_batch(options: dict):
    tensors = [ad.Tensor(a) for a in (images(0, 4, 7, 6), *weights(4, options.get("groups", 1)))]
    y = F.conv2d(*tensors, **options)
    y.sum().backward()
    assert y.shape[:2] == (0, 4)
    assert tensors[0].grad.shape == (0, 4, 7, 6)
    assert not tensors[1].grad.any()
    assert not tensors[2].grad.any()


def test_one_image_without_a_batch():
    x, (weight, bias) = images(4, 7, 6), weights(3)
    np.testing.assert_array_equal(F.conv2d(x, weight, bias), F.conv2d(x[None], weight, bias)[0])
    ad.check_grads(F.conv2d, x, weight, bias, order=2)


def test_images_in_any_order_of_memory():
    x, (weight, bias) = images(2, 4, 7, 6), weights(3)
    expected = F.conv2d(x, weight, bias)
    turned = np.ascontiguousarray(x.transpose(1, 3, 0, 2)).transpose(2, 0, 3, 1)
    reversed_ = np.ascontiguousarray(x[::-1, :, ::-1])[::-1, :, ::-1]
    for same in (turned, reversed_, np.repeat(x, 2, axis=3)[..., ::2]):
        assert not same.flags.c_contiguous
        np.testing.assert_array_equal(F.conv2d(same, weight, bias), expected)
    np.testing.assert_array_equal(F.conv2d(x, np.asfortranarray(weight), bias), expected)
    np.testing.assert_array_equal(F.conv2d(x.tolist(), weight.tolist(), bias.tolist()), expected)


def test_neither_the_images_nor_the_weight_can_be_reached_through_the_result():
    x, weight = images(2, 4, 3, 3), np.eye(4)[:, :, None, None]
    y = F.conv2d(x, weight)
    np.testing.assert_array_equal(y, x)
    assert not np.may_share_memory(y, x)


def test_columns_are_made_in_pieces():
    x, weight = images(16, 8, 64, 64, dtype=np.float32), images(4, 8, 3, 3, dtype=np.float32)
    F.conv2d(x, weight)
    tracemalloc.start()
    try:
        F.conv2d(x, weight)
        assert tracemalloc.get_traced_memory()[1] < 3 * x.nbytes  # all of them would be 9
    finally:
        tracemalloc.stop()


X, W = np.ones((2, 4, 7, 6)), np.ones((3, 4, 3, 2))


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: F.conv2d(X, np.ones((3, 5, 3, 2))), ValueError, r"5 channel\(s\).*received shape \(2, 4, 7, 6\)"),
        (lambda: F.conv2d(X.transpose(0, 2, 3, 1), W), ValueError, r"np.transpose\(x, \(0, 3, 1, 2\)\)"),
        (lambda: F.conv2d(X[0].transpose(1, 2, 0), W), ValueError, r"np.transpose\(x, \(2, 0, 1\)\)"),
        (lambda: F.conv2d(X[:, 0], np.ones((3, 1, 3, 2))), ValueError, r"\(2, 7, 6\).*x\[:, None\]"),
        (lambda: F.conv2d(X[0, 0], W), ValueError, r"\(7, 6\).*x\[None, None\]"),
        (lambda: F.conv2d(X.ravel(), W), ValueError, "reshape"),
        (lambda: F.conv2d(X, W[0]), ValueError, r"weight of shape \(4, 3, 2\)"),
        (lambda: F.conv2d(X, W[:, :, :0]), ValueError, r"at least 1; received a weight of shape \(3, 4, 0, 2\)"),
        (lambda: F.conv2d(X[:, :, :2], W), ValueError, "window of 3x2.*images of 2x6, 2x6 with their padding"),
        (lambda: F.conv2d(X, W, padding=1, dilation=(1, 8)), ValueError, "window of 3x9 .dilation.*9x8 with"),
        (lambda: F.conv2d(X, W, np.ones(4)), ValueError, r"bias of shape \(3,\).*received.*bias of shape \(4,\)"),
        (lambda: F.conv2d(X, np.ones((3, 2, 3, 2)), groups=2), ValueError, "3 outputs.*groups=2"),
        (lambda: F.conv2d(X, W, stride=0), ValueError, "conv2d's stride.*int from 1; received 0"),
        (lambda: F.conv2d(X, W, stride=(1, 2, 3)), ValueError, r"pair \(vertical, horizontal\); received \(1, 2, 3\)"),
        (lambda: F.conv2d(X, W, stride=1.5), ValueError, "received 1.5"),
        (lambda: F.conv2d(X, W, padding=(0, -1)), ValueError, r"padding\[1\] is an int from 0; received -1"),
        (lambda: F.conv2d(X, W, padding="full"), ValueError, "received padding='full'"),
        (lambda: F.conv2d(X, W, padding="same", stride=2), ValueError, "with stride 1.*stride=2"),
        (lambda: F.conv2d(X, W.astype(int)), TypeError, "float32 or float64; received int64"),
        (lambda: F.conv2d(X * 1j, W), TypeError, "x of dtype complex128"),
        (lambda: F.conv2d(ad.Tensor(X), ad.Tensor(W), np.ones(3) * 1j), TypeError, "bias of dtype complex128"),
        (lambda: nn.Conv2d(4, 6, 3, groups=4), ValueError, "out_channels=6 and groups=4"),
        (lambda: nn.Conv2d(0, 6, 3), ValueError, "Conv2d's in_channels"),
        (lambda: nn.Conv2d(4, 6, (3, 0)), ValueError, r"kernel_size\[1\] is an int from 1; received 0"),
        (lambda: nn.Conv2d(4, 6, 3, padding="same", stride=2), ValueError, "Conv2d's padding"),
        (lambda: nn.Conv2d(4, 6, 3)(X[:, :3]), ValueError, "4 channel.*pass images of 4"),
    ],
)
def test_what_does_not_fit_together_is_an_error(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_the_layer_is_the_function_of_its_parameters():
    layer = nn.Conv2d(4, 6, (3, 2), 2, 1, groups=2, rng=0)
    x = images(2, 4, 7, 6, dtype=np.float32)
    assert (layer.weight.shape, layer.bias.shape) == ((6, 2, 3, 2), (6,))
    assert {t.dtype for t in layer.parameters()} == {np.dtype(np.float32)}
    layer.bias = ad.Tensor(images(6, dtype=np.float32))
    expected = F.conv2d(x, layer.weight, layer.bias, stride=2, padding=1, groups=2).value
    np.testing.assert_array_equal(layer(x).value, expected)
    layer.weight, layer.bias = layer.weight.value, layer.bias.value  # as freezing leaves them: constants
    assert type(layer(x)) is np.ndarray
    np.testing.assert_array_equal(layer(x), expected)
    assert nn.Conv2d(4, 6, 3, bias=False).bias is None
    assert [name for name, _ in nn.Conv2d(4, 6, 3, bias=False).named_parameters()] == ["weight"]


def test_the_weight_starts_with_the_variance_that_lecun_gives_it():
    drawn = nn.Conv2d(16, 64, 3, rng=0).weight.value
    assert drawn.var() == pytest.approx(1 / (16 * 9), rel=0.05)
    np.testing.assert_array_equal(drawn, nn.Conv2d(16, 64, 3, rng=0).weight.value)
    layer = nn.Conv2d(2, 3, 1, dtype=np.float64, weight_init=nn.init.ones)
    assert layer.weight.dtype == layer.bias.dtype == np.float64
    np.testing.assert_array_equal(layer.weight.value, np.ones((3, 2, 1, 1)))


@pytest.mark.parametrize(
    "text",
    [
        "Conv2d(1, 6, 3)",
        "Conv2d(4, 6, (3, 2), stride=2, padding=(1, 0), dilation=3, groups=2, bias=False)",
        "Conv2d(4, 6, 3, padding='same')",
    ],
)
def test_a_layer_is_shown_as_its_call(text: str):
    assert repr(eval(f"nn.{text}")) == text  # noqa: S307  # the texts above
