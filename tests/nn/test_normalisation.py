from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autodiff as ad
import nn
import nn.functional as F

REFERENCE: dict[str, Any] = json.loads((Path(__file__).parent / "references/normalisation.json").read_text("utf-8"))
rng = np.random.default_rng(0)
BATCH_NORMS = {
    "rows": lambda **more: nn.BatchNorm1d(3, **more),
    "signals": lambda **more: nn.BatchNorm1d(3, momentum=0.3, eps=1e-3, **more),
    "images": lambda **more: nn.BatchNorm2d(3, **more),
    "cumulative": lambda **more: nn.BatchNorm1d(3, momentum=None, **more),
    "plain": lambda **more: nn.BatchNorm1d(3, affine=False, **more),
    "untracked": lambda **more: nn.BatchNorm2d(2, track_running_stats=False, **more),
}
LAYER_NORMS = {
    "features": lambda **more: nn.LayerNorm(6, **more),
    "pixels": lambda **more: nn.LayerNorm((2, 4), eps=1e-3, **more),
    "words": lambda **more: nn.LayerNorm(5, bias=False, **more),
    "vector": lambda **more: nn.LayerNorm(7, elementwise_affine=False, **more),
}


def given(layer: nn.Module, case: str) -> nn.Module:
    """The layer with the parameters that PyTorch's was given."""
    for name, tensor in layer.named_parameters():
        tensor.value = np.reshape(REFERENCE[f"{case}/{name}"], tensor.shape)
    return layer


def check_adjoints(layer: nn.Module, where: str, **tolerance: float) -> None:
    """Result and adjoints against PyTorch's."""
    dtype = next((t.dtype for t in layer.parameters()), np.dtype(float))
    layer.zero_grad()
    x = ad.Tensor(np.array(REFERENCE[f"{where}/x"], dtype))
    y = layer(x)
    np.testing.assert_allclose(y.value, REFERENCE[f"{where}/y"], **tolerance)
    y.backward(np.array(REFERENCE[f"{where}/seed"]))
    np.testing.assert_allclose(x.grad, REFERENCE[f"{where}/adjoint of x"], **tolerance)
    for name, tensor in layer.named_parameters():
        np.testing.assert_allclose(tensor.grad, REFERENCE[f"{where}/adjoint of {name}"], err_msg=name, **tolerance)


@pytest.mark.parametrize("case", BATCH_NORMS)
@pytest.mark.parametrize(
    ("dtype", "tolerance"), [(np.float64, {"rtol": 1e-8, "atol": 1e-9}), (np.float32, {"rtol": 1e-4, "atol": 1e-5})]
)
def test_batch_norm_is_pytorchs(case: str, dtype: type, tolerance: dict[str, float]):
    layer = given(BATCH_NORMS[case](dtype=dtype), case)
    assert list(layer.state_dict()) == REFERENCE[f"{case}/names"]
    for x in np.array(REFERENCE[f"{case}/batches"], dtype):
        layer(x)
    check_adjoints(layer, f"{case}/training", **tolerance)
    for name, buffer in layer.named_buffers():
        np.testing.assert_allclose(buffer, REFERENCE[f"{case}/{name}"], err_msg=name, **tolerance)
    layer.eval()
    before = layer.state_dict()
    check_adjoints(layer, f"{case}/evaluation", **tolerance)
    assert all(np.array_equal(before[name], value) for name, value in layer.state_dict().items())


@pytest.mark.parametrize("case", LAYER_NORMS)
@pytest.mark.parametrize(
    ("dtype", "tolerance"), [(np.float64, {"rtol": 1e-8, "atol": 1e-9}), (np.float32, {"rtol": 1e-4, "atol": 1e-5})]
)
def test_layer_norm_is_pytorchs(case: str, dtype: type, tolerance: dict[str, float]):
    layer = given(LAYER_NORMS[case](dtype=dtype), case)
    check_adjoints(layer, case, **tolerance)
    check_adjoints(layer.eval(), case, **tolerance)


@pytest.mark.parametrize(("case", "dim"), [("units", 0), ("inputs", 1), ("inputs", -1), ("whole", None)])
def test_weight_norm_is_pytorchs(case: str, dim: int | None):
    layer = nn.weight_norm(nn.Linear(4, 4, dtype=np.float64), dim=dim)
    assert list(layer.state_dict()) == REFERENCE[f"{case}/names"]
    check_adjoints(given(layer, case), case, rtol=1e-8, atol=1e-9)


SHAPES = [(4, 3), (2, 1), (2, 3, 4), (1, 2, 5), (2, 3, 2, 2), (3, 2, 1, 1)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("affine", ["weight and bias", "weight", "bias", "neither"])
def test_batch_norm_to_second_order(shape: tuple[int, ...], affine: str):
    parameters = {n: rng.standard_normal(shape[1]) for n in ("weight", "bias") if n in affine}
    x = rng.standard_normal(shape)
    mean, variance = rng.standard_normal(shape[1]), rng.random(shape[1]) + 0.5

    def training(x: Any, parameters: Any) -> Any:
        return F.batch_norm(x, None, None, **parameters, training=True, eps=0.1)

    def evaluation(x: Any, parameters: Any) -> Any:
        return F.batch_norm(x, mean, variance, **parameters)

    ad.check_grads(training, x, parameters, order=2)
    ad.check_grads(evaluation, x, parameters, order=2)


@pytest.mark.parametrize(("shape", "normalized"), [((4, 3), 3), ((3,), (3,)), ((2, 2, 3), 3), ((2, 3, 2), (3, 2))])
@pytest.mark.parametrize("affine", ["weight and bias", "weight", "bias", "neither"])
def test_layer_norm_to_second_order(shape: tuple[int, ...], normalized: Any, affine: str):
    lengths = np.ones(normalized).shape if isinstance(normalized, tuple) else (normalized,)
    parameters = {n: rng.standard_normal(lengths) for n in ("weight", "bias") if n in affine}
    ad.check_grads(
        lambda x, parameters: F.layer_norm(x, normalized, **parameters, eps=0.1), rng.standard_normal(shape), parameters
    )


@pytest.mark.parametrize("dim", [0, 1, 2, None])
def test_weight_norm_to_second_order(dim: int | None):
    v = rng.standard_normal((2, 3, 2))
    g = rng.standard_normal([n if k == dim else 1 for k, n in enumerate(v.shape)] if dim is not None else ())
    ad.check_grads(lambda v, g: F.weight_norm(v, g, dim), v, g, order=2)


def test_normalised_to_third_order():
    x, weight = rng.standard_normal((3, 2)), rng.standard_normal(2)
    ad.check_grads(lambda x, w: F.batch_norm(x, None, None, w, training=True, eps=0.5), x, weight, order=3)
    ad.check_grads(lambda x, w: F.layer_norm(x, 2, w, eps=0.5), x, weight, order=3)


@pytest.mark.parametrize("shape", SHAPES[:1] + SHAPES[2:])
def test_batch_norm_gives_mean_0_and_variance_1_whatever_scale_and_shift(shape: tuple[int, ...]):
    axes = tuple(k for k in range(len(shape)) if k != 1)
    z = rng.standard_normal(shape)

    def normal(z: Any) -> Any:
        return F.batch_norm(z, None, None, training=True, eps=0)

    y = normal(z)
    np.testing.assert_allclose(y.mean(axes), 0, atol=1e-12)
    np.testing.assert_allclose(y.var(axes), 1, rtol=1e-12)
    for a, b in ((3.0, -5.0), (0.01, 100.0)):
        np.testing.assert_allclose(normal(a * z + b), y, atol=1e-9)
    np.testing.assert_allclose(normal(-2 * z + 1), -y, atol=1e-9)


def test_layer_norm_knows_nothing_of_the_batch_nor_of_training():
    layer = nn.LayerNorm(5, dtype=np.float64)
    x = rng.standard_normal((4, 5))
    y = layer(x).value
    for row, expected in zip(x, y, strict=True):
        np.testing.assert_allclose(layer(row).value, expected, rtol=1e-12)
    np.testing.assert_array_equal(layer.eval()(x).value, y)
    np.testing.assert_allclose(layer(7 * x - 3).value, y, rtol=1e-4)


def test_running_statistics_are_exponential_averages_with_the_unbiased_variance():
    layer = nn.BatchNorm1d(2, dtype=np.float64)
    mean, variance, count = layer.running_mean, layer.running_var, layer.num_batches_tracked
    x = rng.standard_normal((5, 2)) + 3
    layer(x)
    np.testing.assert_allclose(mean, 0.1 * x.mean(0))
    np.testing.assert_allclose(variance, 0.9 + 0.1 * x.var(0, ddof=1))
    assert count.shape == ()
    assert count.dtype == np.int64
    assert count == 1
    assert layer.running_mean is mean
    assert layer.num_batches_tracked is count
    before = layer.state_dict()
    with pytest.raises(ValueError, match="at least 2 values"):
        layer(x[:1])
    assert all(np.array_equal(before[name], value) for name, value in layer.state_dict().items())


def test_the_cumulative_average_is_the_mean_of_all_batches():
    layer = nn.BatchNorm1d(2, momentum=None, dtype=np.float64)
    batches = rng.standard_normal((3, 5, 2))
    for x in batches:
        layer(x)
    np.testing.assert_allclose(layer.running_mean, batches.mean((0, 1)))
    np.testing.assert_allclose(layer.running_var, batches.var(1, ddof=1).mean(0))


def test_evaluation_of_a_sample_does_not_depend_on_its_batch():
    layer = nn.BatchNorm1d(3)
    layer(rng.standard_normal((8, 3)))
    layer.eval()
    x = rng.standard_normal((4, 3)).astype(np.float32)
    np.testing.assert_array_equal(layer(x).value[:1], layer(x[:1]).value)
    assert layer(x[:0]).shape == (0, 3)
    assert nn.LayerNorm(3)(x[:0]).shape == (0, 3)


def test_later_training_does_not_change_a_graph_of_evaluation():
    layer = nn.BatchNorm1d(2).eval()
    x = ad.Tensor(rng.standard_normal((3, 2)).astype(np.float32))
    y = layer(x)
    layer.train()(5 * x.value)
    y.backward(np.ones((3, 2)))
    np.testing.assert_allclose(layer.weight.grad, y.value.sum(0), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("layer", [nn.BatchNorm1d(3), nn.LayerNorm(3)], ids=repr)
def test_float32_in_float32_out(layer: nn.Module):
    for x in (rng.standard_normal((4, 3)), rng.integers(0, 9, (4, 3)), rng.random((4, 3)).astype(np.float32)):
        y = layer(ad.Tensor(x) if x.dtype.kind == "f" else x)
        assert y.dtype == np.float32
        assert {n.dtype for n in y.adjoints(np.ones((4, 3))) if n.primitive} <= {np.dtype("f4"), np.dtype("f8")}
        y.backward(np.ones((4, 3)))
        assert layer.weight.grad.dtype == np.float32
    with ad.no_grad():
        assert isinstance(layer(x), np.ndarray)
        assert layer(x).dtype == np.float32
    t = ad.Tensor(x)
    assert {g.dtype for g in layer(t).adjoints(np.ones((4, 3))).values()} == {np.dtype(np.float32)}


@pytest.mark.parametrize("shape", [(6, 4), (3, 4, 2), (3, 2, 4, 2)])
def test_inputs_that_are_not_contiguous(shape: tuple[int, ...]):
    x = rng.standard_normal(shape)
    batch_last = np.moveaxis(np.ascontiguousarray(np.moveaxis(x, 0, -1)), -1, 0)
    for view in (np.asfortranarray(x), np.repeat(x, 2, axis=0)[::2], batch_last):
        t, u = ad.Tensor(x), ad.Tensor(view)
        for f in (lambda z: F.batch_norm(z, None, None, training=True), lambda z: F.layer_norm(z, shape[-1])):
            np.testing.assert_allclose(f(u).value, f(t).value, rtol=1e-12)
            for leaf in (t, u):
                leaf.grad = None
                (f(leaf) ** 3).sum().backward()
            np.testing.assert_allclose(u.grad, t.grad, rtol=1e-9, atol=1e-12)


def test_a_large_mean_does_not_drown_the_variance():
    z = rng.standard_normal((64, 3))
    x = (1000 + z).astype(np.float32)
    expected = (x - x.astype(float).mean(0)) / x.astype(float).std(0)
    np.testing.assert_allclose(F.batch_norm(x, None, None, training=True), expected, atol=1e-3)
    np.testing.assert_allclose(F.layer_norm(x.T, 64), expected.T, atol=1e-3)


@pytest.mark.parametrize("layer", [nn.BatchNorm1d(3, dtype=np.float64), nn.LayerNorm(3, dtype=np.float64)], ids=repr)
def test_frozen_parameters_are_constants(layer: nn.Module):
    x = ad.Tensor(rng.standard_normal((4, 3)))
    seed = rng.standard_normal((4, 3))
    y = layer(x)
    y.backward(seed)
    expected, x.grad = x.grad, None
    layer.weight, layer.bias = layer.weight.value, layer.bias.value
    frozen = layer(x)
    frozen.backward(seed)
    np.testing.assert_array_equal(frozen.value, y.value)
    np.testing.assert_array_equal(x.grad, expected)
    assert not list(layer.parameters())
    assert isinstance(layer(x.value), np.ndarray)


def test_in_transforms_the_statistics_stay_plain_and_the_derivatives_agree():
    layer = nn.BatchNorm1d(3, dtype=np.float64)
    x = rng.standard_normal((4, 3))

    def loss(weight: Any, x: Any) -> Any:
        layer.weight = weight
        return np.sum(np.sin(layer(x)))

    weight, layer.bias = layer.weight.value.copy(), layer.bias.value
    both = ad.grad(loss, (0, 1))(weight, x)
    assert type(layer.running_mean) is np.ndarray
    assert type(layer.running_var) is np.ndarray
    assert layer.num_batches_tracked == 1
    np.testing.assert_allclose(both[0], ad.jacobian(loss)(weight, x))
    v = rng.standard_normal(3)
    twice = ad.hvp(lambda w: loss(w, x), weight, v)
    np.testing.assert_allclose(twice, ad.hessian(lambda w: loss(w, x))(weight) @ v, rtol=1e-9)
    _, tangent = ad.jvp(lambda z: loss(weight, z), (x,), (np.ones_like(x),))
    np.testing.assert_allclose(tangent, both[1].sum(), atol=1e-12)


def test_weight_norm_keeps_the_layer_and_gives_it_two_parameters():
    layer = nn.Linear(3, 2, rng=0)
    x = rng.standard_normal((4, 3)).astype(np.float32)
    before = layer(x).value
    normed = nn.weight_norm(layer)
    assert normed is layer
    assert isinstance(layer, nn.Linear)
    assert repr(layer) == "weight_norm(Linear(3, 2))"
    np.testing.assert_allclose(layer(x).value, before, rtol=1e-5, atol=1e-6)
    assert {n: t.shape for n, t in layer.named_parameters()} == {"weight_g": (2, 1), "weight_v": (2, 3), "bias": (2,)}
    assert layer.weight.dtype == np.float32
    layer(x).sum().backward()
    # The adjoint of a direction is orthogonal to it.
    np.testing.assert_allclose(np.sum(layer.weight_v.grad * layer.weight_v.value, axis=1), 0, atol=1e-4)
    layer.weight_v.value = 2 * layer.weight_v.value
    np.testing.assert_allclose(layer(x).value, before, rtol=1e-5, atol=1e-6)


def test_weight_norm_trains_freezes_and_loads():
    model = nn.Sequential(nn.weight_norm(nn.Linear(3, 4, rng=0)), nn.ReLU(), nn.weight_norm(nn.Linear(4, 1, rng=1)))
    x, y = rng.standard_normal((16, 3)), rng.standard_normal((16, 1))
    optimizer = nn.optim.Adam(model.parameters(), lr=0.05)
    losses = []
    for _ in range(30):
        optimizer.zero_grad()
        loss = nn.MSELoss()(model(x), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.8 * losses[0]
    twin = nn.Sequential(nn.weight_norm(nn.Linear(3, 4)), nn.ReLU(), nn.weight_norm(nn.Linear(4, 1)))
    twin.load_state_dict(model.state_dict())
    np.testing.assert_array_equal(twin(x).value, model(x).value)
    assert isinstance(twin.freeze()(x), np.ndarray)


@pytest.mark.parametrize("kind", [nn.BatchNorm1d, nn.LayerNorm])
def test_a_network_with_normalisation_learns(kind: type):
    drawn = np.random.default_rng(1)
    model = nn.Sequential(nn.Linear(2, 16, rng=drawn), kind(16), nn.ReLU(), nn.Linear(16, 2, rng=drawn))
    x = drawn.standard_normal((200, 2)).astype(np.float32)
    labels = (x[:, 0] * x[:, 1] > 0).astype(int)
    optimizer = nn.optim.Adam(model.parameters(), lr=0.02)
    for _ in range(100):
        optimizer.zero_grad()
        F.cross_entropy(model(x), labels).backward()
        optimizer.step()
    assert np.mean(model.eval()(x).value.argmax(1) == labels) > 0.95


@pytest.mark.parametrize(
    ("layer", "text"),
    [
        (nn.BatchNorm1d(3), "BatchNorm1d(3)"),
        (nn.BatchNorm2d(3, eps=0.1, momentum=None), "BatchNorm2d(3, eps=0.1, momentum=None)"),
        (nn.BatchNorm1d(3, 1e-5, 0.1, False, False), "BatchNorm1d(3, affine=False, track_running_stats=False)"),
        (nn.LayerNorm(3), "LayerNorm(3)"),
        (nn.LayerNorm((3, 2), 0.1, bias=False), "LayerNorm((3, 2), eps=0.1, bias=False)"),
        (nn.LayerNorm([3, 2], elementwise_affine=False), "LayerNorm((3, 2), elementwise_affine=False)"),
    ],
)
def test_the_repr_is_the_call(layer: nn.Module, text: str):
    assert repr(layer) == text


def read_only(*shape: int) -> np.ndarray:
    array = np.zeros(shape)
    array.flags.writeable = False
    return array


x = np.zeros((4, 3))


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: nn.BatchNorm1d(3)(x[:1]), ValueError, r"at least 2 values per channel.*shape \(1, 3\), 1 per channel"),
        (lambda: nn.BatchNorm1d(3)(x[:0]), ValueError, r"at least 2 values per channel.*model.eval\(\)"),
        (lambda: nn.BatchNorm1d(3)(x[:, :2]), ValueError, r"BatchNorm1d\(3\) takes.*3 channels; received shape \(4, 2"),
        (lambda: nn.BatchNorm1d(3)(x[0]), ValueError, r"received shape \(3,\).*x\[None\]"),
        (lambda: nn.BatchNorm2d(3)(x), ValueError, r"\(batch, channels, height, width\).*received shape \(4, 3\)"),
        (lambda: nn.BatchNorm1d(3)(x * 1j), TypeError, "real numbers; received.*complex"),
        (lambda: nn.BatchNorm1d(0), ValueError, "num_features.*received 0"),
        (lambda: nn.BatchNorm1d(3, momentum=2), ValueError, "momentum is a number from 0 to 1; received 2"),
        (lambda: nn.BatchNorm1d(3, affine=False, track_running_stats=False, dtype=int), TypeError, "received dtype"),
        (lambda: F.batch_norm(x, None, None), ValueError, "running statistics; received None"),
        (lambda: F.batch_norm(x, np.zeros(2), None, training=True), ValueError, r"running_mean of shape \(2,\)"),
        (lambda: F.batch_norm(x, read_only(3), None, training=True), TypeError, "ndarray, dtype float64, read-only"),
        (lambda: F.batch_norm(x, ad.Tensor(x[0]), None, training=True), TypeError, "running_mean.*received Tensor"),
        (lambda: F.batch_norm(x, None, None, [1, 1, 1], training=True), ValueError, "arrays of one number per channel"),
        (lambda: F.batch_norm(x[0], None, None, training=True), ValueError, r"received x of shape \(3,\)"),
        (lambda: F.batch_norm(x, x[0], x[0], eps=-1), ValueError, "eps is a number from 0; received -1"),
        (lambda: nn.LayerNorm(3)(x[:, :2]), ValueError, r"x of shape \(4, 2\), normalized_shape \(3,\)"),
        (lambda: nn.LayerNorm((3, 0)), ValueError, "normalized_shape.*received 0"),
        (lambda: nn.LayerNorm(3.0), ValueError, "normalized_shape.*received 3.0"),
        (lambda: F.layer_norm(x, 3, weight=x), ValueError, r"weight of shape \(4, 3\)"),
        (lambda: F.layer_norm(x, ()), ValueError, r"normalized_shape \(\)"),
        (lambda: nn.weight_norm(nn.ReLU()), TypeError, r"ReLU\(\) and 'weight', which is a NoneType"),
        (lambda: nn.weight_norm(nn.Linear(3, 2).freeze()), TypeError, "unfreeze the layer first"),
        (lambda: nn.weight_norm(nn.weight_norm(nn.Linear(3, 2))), TypeError, "weight_norm takes a layer"),
        (lambda: nn.weight_norm(nn.Linear(3, 2), dim=2), ValueError, r"shape \(2, 3\) has no axis 2"),
        (lambda: nn.weight_norm(nn.Linear(3, 2, weight_init=nn.init.zeros)), ValueError, r"2 part\(s\) of length 0"),
    ],
)
def test_wrong_arguments_are_errors(call: Any, error: type, words: str):
    with pytest.raises(error, match=words):
        call()


@pytest.mark.parametrize(
    "layer", [nn.LayerNorm(3, elementwise_affine=False), nn.BatchNorm1d(3, affine=False, track_running_stats=False)]
)
def test_layers_without_parameters_compute_in_their_dtype(layer: nn.Module):
    assert layer(rng.standard_normal((4, 3))).dtype == np.float32
    assert layer(rng.integers(0, 9, (4, 3))).dtype == np.float32
