from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

import autodiff as ad
import nn
import nn.functional as F

rng = np.random.default_rng(0)
with np.load(Path(__file__).with_name("references") / "convolution.npz") as file:
    STORED = dict(file)
DESCRIPTION = json.loads(str(STORED["description"]))
POOLS = {"max_pool2d": F.max_pool2d, "avg_pool2d": F.avg_pool2d}
SETTINGS = [
    {"kernel_size": 2},
    {"kernel_size": (2, 3), "stride": (1, 2)},
    {"kernel_size": 3, "stride": 2, "padding": (0, 1), "ceil_mode": True},
    {"kernel_size": 1, "stride": 2},
]
each_pool = pytest.mark.parametrize("pool", POOLS.values())
each_setting = pytest.mark.parametrize("options", SETTINGS)


@pytest.mark.parametrize("name", [name for name in DESCRIPTION["arguments"] if "pool" in name])
def test_values_and_adjoints_are_pytorchs(name: str):
    """Ties and negative numbers next to the padding among them."""
    shapes = DESCRIPTION["shapes"][name]
    ends = np.cumsum([math.prod(shape) for shape in shapes])[:-1]
    x, value, seed, adjoint = (a.reshape(s) for a, s in zip(np.split(STORED[name], ends), shapes, strict=True))
    t = ad.Tensor(x)
    y = POOLS[name.split()[0]](t, **DESCRIPTION["arguments"][name])
    np.testing.assert_allclose(y.value, value, rtol=1e-14, atol=1e-14)
    y.backward(seed)
    np.testing.assert_allclose(t.grad, adjoint, rtol=1e-14, atol=1e-14)


@each_pool
@each_setting
def test_to_third_order(pool, options: dict):
    ad.check_grads(lambda x: pool(x, **options), rng.permutation(2 * 3 * 5 * 6).reshape(2, 3, 5, 6) / 10, order=3)


@each_pool
@each_setting
def test_what_is_pooled_of_products_to_second_order(pool, options: dict):
    """The second derivative is not zero here: the adjoints of the adjoint matter."""
    x = rng.permutation(2 * 3 * 5 * 6).reshape(2, 3, 5, 6) / 10 + 1
    ad.check_grads(lambda x: pool(x * x, **options) ** 2, x, order=2, rtol=1e-4)


@each_pool
@each_setting
def test_the_forward_pass_agrees_with_the_reverse_pass(pool, options: dict):
    x, direction = rng.standard_normal((2, 2, 3, 5, 6))
    y, moved = ad.jvp(lambda x: pool(x, **options), (x,), (direction,))
    seed = rng.standard_normal(y.shape)
    (adjoint,) = ad.vjp(lambda x: pool(x, **options), x)[1](seed)
    assert np.sum(seed * moved) == pytest.approx(np.sum(adjoint * direction))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@each_pool
@each_setting
def test_the_dtype_stays_what_it_is(pool, options: dict, dtype: type):
    x = ad.Tensor(rng.standard_normal((2, 3, 5, 6)).astype(dtype))
    y = pool(x, **options)
    y.backward(np.ones(y.shape, dtype))
    assert y.dtype == x.grad.dtype == dtype


@each_pool
@each_setting
def test_an_empty_batch(pool, options: dict):
    x = ad.Tensor(np.ones((0, 3, 5, 6)))
    y = pool(x, **options)
    y.sum().backward()
    assert y.shape[:2] == (0, 3)
    assert x.grad.shape == x.shape


@each_pool
@each_setting
def test_images_in_any_order_of_memory_and_one_alone(pool, options: dict):
    x = rng.standard_normal((2, 3, 5, 6))
    expected = pool(x, **options)
    turned = np.ascontiguousarray(x.transpose(1, 3, 0, 2)).transpose(2, 0, 3, 1)
    for same in (turned, x[::-1, :, ::-1].copy()[::-1, :, ::-1], x.tolist()):
        np.testing.assert_array_equal(pool(same, **options), expected)
    np.testing.assert_array_equal(pool(x[1], **options), expected[1])
    ad.check_grads(lambda x: pool(x, **options), x[1], order=1)


@each_pool
def test_the_result_shares_no_memory_with_the_images(pool):
    x = rng.standard_normal((1, 3, 4, 4))
    assert not np.may_share_memory(pool(x, 1), x)


def test_of_equal_numbers_the_first_gets_the_derivative():
    x = ad.Tensor(np.array([[0.0, 7, 7, 0], [7, 7, 7, 0]])[None, None])
    F.max_pool2d(x, 2).sum().backward()
    np.testing.assert_array_equal(x.grad[0, 0], [[0, 1, 1, 0], [0, 0, 0, 0]])


def test_nan_is_passed_on_and_keeps_its_derivative():
    x = ad.Tensor(np.array([[0.0, np.nan], [1, 2]])[None, None])
    y = F.max_pool2d(x, 2)
    y.sum().backward()
    assert np.isnan(y.item())
    assert x.grad.sum() == 1


def test_the_padding_is_lower_than_every_number():
    x = ad.Tensor(np.full((1, 1, 3, 3), -5.0))
    y = F.max_pool2d(x, 2, padding=1)
    y.sum().backward()
    np.testing.assert_array_equal(y.value, np.full((1, 1, 2, 2), -5.0))
    assert x.grad.sum() == 4


def test_integers_become_floating_point():
    pixels = rng.integers(0, 255, (2, 3, 4, 4), np.uint8)
    for pool in POOLS.values():
        np.testing.assert_array_equal(pool(pixels, 2), pool(pixels.astype(float), 2))


X = np.ones((2, 3, 5, 6))


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: F.max_pool2d(X, 7), ValueError, "max_pool2d lays a window of 7x7.*images of 5x6"),
        (lambda: F.max_pool2d(X, 2, dilation=5), ValueError, "window of 6x6 .dilation included.* images of 5x6"),
        (lambda: F.avg_pool2d(ad.Tensor(X), (6, 1)), ValueError, "avg_pool2d lays a window of 6x1"),
        (lambda: F.avg_pool2d(X, 2, padding=2), ValueError, "half a window.*padding=2 for windows of 2x2"),
        (lambda: F.max_pool2d(X, 2, padding=(0, 2)), ValueError, r"padding=\(0, 2\) for windows of 2x2"),
        (lambda: F.max_pool2d(X[0, 0], 2), ValueError, r"received shape \(5, 6\).*x\[None, None\]"),
        (lambda: F.max_pool2d(X[None], 2), ValueError, r"received shape \(1, 2, 3, 5, 6\).*reshape"),
        (lambda: F.max_pool2d(X * 1j, 2), TypeError, "received dtype complex128"),
        (lambda: F.max_pool2d(X, 0), ValueError, "max_pool2d's kernel_size.*received 0"),
        (lambda: F.max_pool2d(X, 2, 0), ValueError, "max_pool2d's stride.*received 0"),
        (lambda: F.avg_pool2d(X, 2, True), ValueError, "avg_pool2d's stride.*received True"),
        (lambda: nn.MaxPool2d((2, 2, 2)), ValueError, r"MaxPool2d's kernel_size.*received \(2, 2, 2\)"),
        (lambda: nn.AvgPool2d(2, padding=-1), ValueError, "AvgPool2d's padding.*received -1"),
    ],
)
def test_what_does_not_fit_together_is_an_error(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_the_layers_are_the_functions():
    x = rng.standard_normal((2, 3, 5, 6))
    np.testing.assert_array_equal(
        nn.MaxPool2d(2, 1, 1, 3, ceil_mode=True)(x), F.max_pool2d(x, 2, 1, 1, dilation=3, ceil_mode=True)
    )
    np.testing.assert_array_equal(
        nn.AvgPool2d((2, 3), None, 1, True, False)(x), F.avg_pool2d(x, (2, 3), (2, 3), 1, True, False)
    )
    assert not list(nn.MaxPool2d(2).parameters())


@pytest.mark.parametrize(
    "text",
    [
        "MaxPool2d(2)",
        "MaxPool2d((2, 3), stride=1, padding=1, dilation=2, ceil_mode=True)",
        "AvgPool2d((2, 3))",
        "AvgPool2d(3, stride=(2, 1), padding=1, ceil_mode=True, count_include_pad=False)",
    ],
)
def test_a_layer_is_shown_as_its_call(text: str):
    assert repr(eval(f"nn.{text}")) == text  # noqa: S307  # the texts above


def test_a_network_of_both_learns_to_tell_stripes():
    """A small LeNet, in float32, on vertical and horizontal stripes."""
    generator = np.random.default_rng(0)
    lines = generator.standard_normal((40, 1, 12)).astype(np.float32)
    x = np.where(np.arange(40)[:, None, None] % 2, np.repeat(lines, 12, 1), np.repeat(lines, 12, 1).swapaxes(1, 2))
    x, y = x[:, None], np.arange(40) % 2
    layers = [
        nn.Conv2d(1, 4, 3, rng=generator),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(4, 6, 3, rng=generator),
        nn.ReLU(),
    ]
    model = nn.Sequential(*layers, nn.AvgPool2d(3), nn.Flatten(), nn.Linear(6, 2, rng=generator))
    optimizer = nn.optim.SGD(model.parameters(), lr=0.3)
    for _ in range(60):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.1
    assert loss.dtype == np.float32


@pytest.mark.parametrize("value", [-np.inf, np.nan])
def test_a_window_at_the_border_gives_its_derivative_to_the_image(value: float):
    def spread(images: np.ndarray) -> np.ndarray:
        x = ad.Tensor(images)
        F.max_pool2d(x, 2, padding=1).backward(np.ones((1, 1, *(n // 2 + 1 for n in images.shape[2:]))))
        return x.grad

    np.testing.assert_array_equal(spread(np.full((1, 1, 2, 2), value)), np.ones((1, 1, 2, 2)))
    one = np.arange(16.0).reshape(1, 1, 4, 4)
    one[0, 0, 1, 1] = value
    found = spread(one)
    assert found[0, 0, 1, 1] == (1 if math.isnan(value) else 0)
    assert found.sum() == 9
