"""Regression over the plane."""

from __future__ import annotations

import numpy as np
import pytest

from nn import data

every_surface = pytest.mark.parametrize("draw", [data.plane, data.hills], ids=lambda draw: draw.__name__)


@every_surface
def test_shapes_dtypes_range_and_seed(draw):
    X, y = draw(300, rng=0)
    assert (X.shape, X.dtype, y.shape, y.dtype) == ((300, 2), np.float32, (300, 1), np.float32)
    assert abs(X).max() <= 1
    assert 0.6 < abs(y).max() <= 1
    assert np.array_equal(draw(300, rng=0)[1], y)
    with pytest.raises(ValueError, match="samples"):
        draw(0)


@every_surface
def test_noise_is_on_y_alone(draw):
    (X, exact), (same, noisy) = draw(2000, 0.0, 1), draw(2000, 0.2, 1)
    assert np.array_equal(X, same)
    assert (noisy - exact).std() == pytest.approx(0.2, rel=0.06)


def test_the_plane_is_a_plane_and_hills_are_in_turn():
    X, y = data.plane(50, rng=0)
    np.testing.assert_allclose(y, X.mean(axis=1, keepdims=True), atol=1e-7)  # coordinates are rounded to float32
    X, y = data.hills(5000, rng=0)
    angle = np.pi / 3 * np.arange(6)
    for k, middle in enumerate(0.65 * np.stack([np.cos(angle), np.sin(angle)], axis=1)):
        near = np.argmin(((X - middle) ** 2).sum(axis=1))
        assert y[near, 0] == pytest.approx(0.93 * (-1) ** k, abs=0.04)  # its neighbours take 0.07 of each
