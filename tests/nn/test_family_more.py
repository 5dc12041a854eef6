"""Layers that are a function each, and what is random in the family or said with others of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import autodiff as ad
import nn
import nn.functional as F

rng = np.random.default_rng(0)
SIGNALS, IMAGES, VOLUMES = (rng.standard_normal((2, 4, *(6,) * axes)) for axes in (1, 2, 3))
LAYERS: dict[str, tuple[Any, np.ndarray, Any, str]] = {
    "pad zeros": (nn.ZeroPad3d(1), VOLUMES, lambda x: F.pad(x, (1,) * 6), "ZeroPad3d(1)"),
    "pad": (nn.ConstantPad3d((1, 0, 2, 0, 0, 1), 3.0), VOLUMES, lambda x: F.pad(x, (1, 0, 2, 0, 0, 1), value=3.0), ""),
    "reflect": (nn.ReflectionPad3d(2), VOLUMES, lambda x: F.pad(x, (2,) * 6, "reflect"), "ReflectionPad3d(2)"),
    "replicate": (nn.ReplicationPad3d(2), VOLUMES, lambda x: F.pad(x, (2,) * 6, "replicate"), ""),
    "circular": (nn.CircularPad3d(1), VOLUMES, lambda x: F.pad(x, (1,) * 6, "circular"), ""),
    "nearest": (nn.UpsamplingNearest2d(scale_factor=2), IMAGES, lambda x: F.interpolate(x, scale_factor=2), ""),
    "bilinear": (
        nn.UpsamplingBilinear2d(9), IMAGES, lambda x: F.interpolate(x, 9, mode="bilinear", align_corners=True),
        "UpsamplingBilinear2d(size=9)",
    ),
    "shuffle": (nn.ChannelShuffle(2), IMAGES, lambda x: x[:, [0, 2, 1, 3]], "ChannelShuffle(2)"),
    "response": (
        nn.LocalResponseNorm(3, alpha=0.5), IMAGES, lambda x: F.local_response_norm(x, 3, 0.5),
        "LocalResponseNorm(3, alpha=0.5)",
    ),
    "unflatten": (nn.Unflatten(1, (2, -1)), IMAGES, lambda x: x.reshape(2, 2, 2, 6, 6), "Unflatten(1, (2, -1))"),
    "norm 1d": (nn.LPPool1d(3, 2), np.abs(SIGNALS), lambda x: F.lp_pool1d(x, 3, 2), "LPPool1d(3.0, 2)"),
    "norm 2d": (nn.LPPool2d(2, 3, 2), IMAGES, lambda x: F.lp_pool2d(x, 2, 3, 2), "LPPool2d(2.0, 3, stride=2)"),
    "norm 3d": (nn.LPPool3d(2, 2), VOLUMES, lambda x: F.lp_pool3d(x, 2, 2), ""),
}  # fmt: skip


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_is_its_function(name: str):
    layer, x, function, shown = LAYERS[name]
    np.testing.assert_array_equal(layer(x), function(x))
    ad.check_grads(layer, x, rtol=1e-4)
    assert repr(layer) == shown or not shown


@pytest.mark.parametrize(("axes", "x"), [(1, SIGNALS), (2, IMAGES), (3, VOLUMES)])
def test_maxima_are_put_back_where_they_were(axes: int, x: np.ndarray):
    pool = getattr(nn, f"MaxPool{axes}d")(2, return_indices=True)
    unpool = getattr(nn, f"MaxUnpool{axes}d")(2)
    y, indices = pool(x)
    back = unpool(y, indices)
    assert back.shape == x.shape
    again, same = pool(np.where(back == 0, -np.inf, back))
    np.testing.assert_array_equal(again, y)
    np.testing.assert_array_equal(same, indices)
    np.testing.assert_array_equal(unpool(y, indices, x.shape), back)
    assert repr(unpool) == f"MaxUnpool{axes}d(2)"
    with pytest.raises(ValueError, match=rf"indices of x's shape.*max_pool{axes}d\(..., return_indices=True\)"):
        unpool(y, indices + 10**6)


def test_what_is_dropped_by_alpha_dropout_keeps_mean_and_variance():
    x = rng.standard_normal((400, 500))
    y = nn.AlphaDropout(0.3, 0)(x)
    np.testing.assert_allclose([y.mean(), y.std()], [0, 1], atol=0.01)
    changed = nn.FeatureAlphaDropout(0.5, 0)(np.ones((50, 4, 3)))
    assert np.all(changed == changed[:, :, :1])
    assert len(np.unique(changed)) == 2
    for layer in (nn.AlphaDropout(0.3).eval(), nn.AlphaDropout(0.0)):
        assert layer(x) is x
    assert np.all(F.alpha_dropout(x, 1.0, training=True) == 0)
    ad.check_grads(lambda x: F.alpha_dropout(x, 0.4, True, 0), x[:3, :4])
    assert F.alpha_dropout(x.astype(np.float32), 0.4, True, 0).dtype == np.float32


def test_a_draw_of_classes_has_a_derivative():
    logits = np.log(np.array([0.2, 0.5, 0.3]))
    drawn = F.gumbel_softmax(np.tile(logits, (20000, 1)), hard=True, rng=0)
    assert set(np.unique(drawn)) == {0, 1}
    np.testing.assert_allclose(drawn.mean(axis=0), [0.2, 0.5, 0.3], atol=0.02)
    soft = F.gumbel_softmax(logits, tau=0.5, rng=0)
    np.testing.assert_allclose(soft.sum(), 1)
    ad.check_grads(lambda x: F.gumbel_softmax(x, tau=0.5, rng=0), logits, order=2)
    x, seed = ad.Tensor(logits), np.array([1.0, 2.0, 3.0])
    hard = F.gumbel_softmax(x, tau=0.5, hard=True, rng=0)
    hard.backward(seed)
    wanted = ad.vjp(lambda x: F.gumbel_softmax(x, tau=0.5, rng=0), logits)[1](seed)[0]
    np.testing.assert_allclose(x.grad, wanted)
    assert F.gumbel_softmax(np.zeros((2, 3, 4)), dim=1, hard=True, rng=0).sum(axis=1).tolist() == [[1] * 4] * 2


@pytest.mark.parametrize("loss", [nn.BCELoss, nn.BCEWithLogitsLoss])
def test_weights_of_elements_multiply_their_losses(loss: type[nn.Module]):
    x, target, weight = rng.uniform(0.1, 0.9, (4, 3)), rng.uniform(0, 1, (4, 3)), np.array([1.0, 0.5, 2.0])
    each = loss(reduction="none")(x, target)
    np.testing.assert_allclose(loss(weight)(x, target), np.mean(weight * each))
    np.testing.assert_allclose(loss(weight, reduction="sum")(x, target), np.sum(weight * each))
    with pytest.raises(ValueError, match=r"weight is numbers that broadcast .*write sample_weight="):
        loss(np.ones(4))(x, target)


def test_images_read_at_their_own_places_are_themselves():
    theta = np.tile(np.eye(2, 3), (2, 1, 1))
    for corners in (False, True):
        grid = F.affine_grid(theta, IMAGES.shape, align_corners=corners)
        for mode in ("bilinear", "nearest"):
            np.testing.assert_allclose(F.grid_sample(IMAGES, grid, mode, align_corners=corners), IMAGES, atol=1e-12)
    with pytest.raises(ValueError, match="mode is 'bilinear' or 'nearest'"):
        F.grid_sample(IMAGES, grid, "bicubic")
    with pytest.raises(ValueError, match="affine_grid takes theta"):
        F.affine_grid(theta, (2, 1, 3, 4, 5))
