from __future__ import annotations

import numpy as np
import pytest

from nn import data

SETS = {
    "xor": data.xor,
    "circles": data.circles,
    "moons": data.moons,
    "spirals": data.spirals,
    "gauss": data.gauss,
    "blobs": data.blobs,
}
every_set = pytest.mark.parametrize("draw", SETS.values(), ids=SETS)


@every_set
def test_shapes_dtypes_balance_and_range(draw):
    for samples in (60, 200, 31):
        x, y = draw(samples, rng=0)
        assert (x.shape, x.dtype, y.shape, y.dtype) == ((samples, 2), np.float32, (samples,), np.int64)
        counts = np.bincount(y)
        assert counts.max() - counts.min() <= (samples % len(counts) != 0)
        assert 0.5 < abs(x).max() < 1.3


@every_set
def test_a_seed_repeats_a_generator_goes_on_and_classes_are_mixed(draw):
    x, y = draw(100, rng=3)
    np.testing.assert_array_equal(draw(100, rng=3)[0], x)
    rng = np.random.default_rng(3)
    np.testing.assert_array_equal(draw(100, rng=rng)[0], x)
    assert not np.array_equal(draw(100, rng=rng)[0], x)
    assert np.count_nonzero(np.diff(y)) > 25


@every_set
def test_noise_is_the_standard_deviation_of_what_is_added(draw):
    (exact, y), (noisy, labels) = draw(2000, 0.0, 1), draw(2000, 0.2, 1)
    np.testing.assert_array_equal(y, labels)
    difference = noisy - exact
    assert difference.std(axis=0) == pytest.approx([0.2, 0.2], rel=0.06)
    assert abs(difference.mean()) < 0.02


def test_xor_is_the_sign_of_the_product():
    x, y = data.xor(400, rng=0)
    np.testing.assert_array_equal(y, x[:, 0] * x[:, 1] < 0)
    assert abs(x).min() >= np.float32(0.05)
    quadrants = np.bincount(2 * (x[:, 0] > 0) + (x[:, 1] > 0))
    assert quadrants.min() > 70


def test_circles_are_a_disc_in_a_ring():
    x, y = data.circles(400, rng=0)
    radius = np.hypot(*x.T)
    assert radius[y == 1].max() <= 0.5 + 1e-6
    assert radius[y == 0].min() >= 0.7 - 1e-6
    assert radius.max() <= 1 + 1e-6
    assert np.bincount(2 * (x[:, 0] > 0) + (x[:, 1] > 0)).min() > 60


def test_moons_are_two_half_circles():
    x, y = data.moons(200, 0.0, rng=0)
    points = x * 1.5 + [0.5, 0.25]  # scikit-learn's scale
    upper, lower = points[y == 0], points[y == 1]
    np.testing.assert_allclose(np.hypot(*upper.T), 1, rtol=1e-5)
    np.testing.assert_allclose(np.hypot(*(lower - [1, 0.5]).T), 1, rtol=1e-5)
    assert upper[:, 1].min() > -1e-6
    assert lower[:, 1].max() < 0.5 + 1e-6


@pytest.mark.parametrize(("classes", "turns"), [(2, 1.75), (5, 0.8)])
def test_spirals_have_an_arm_per_class(classes, turns):
    x, y = data.spirals(200, classes=classes, turns=turns, rng=0)
    radius, angle = np.hypot(*x.T), np.arctan2(x[:, 1], x[:, 0])
    expected = 2 * np.pi * (turns * radius + y / classes)
    np.testing.assert_allclose(np.cos(angle - expected), 1, atol=1e-6)
    assert radius.max() == pytest.approx(1)
    assert len(np.unique(x, axis=0)) == 200
    assert set(y.tolist()) == set(range(classes))


def test_gauss_and_blobs_are_clouds_around_their_centers():
    x, y = data.gauss(4000, 0.1, rng=0)
    for label, middle in ((0, -0.4), (1, 0.4)):
        cloud = x[y == label]
        assert cloud.mean(axis=0) == pytest.approx([middle, middle], abs=0.01)
        assert cloud.std(axis=0) == pytest.approx([0.1, 0.1], rel=0.06)
    centers = [(0, 0, 1), (1, 0, 0), (0, 5, 0), (2, 2, 2)]
    x, y = data.blobs(40, 0.0, centers=centers, rng=0)
    np.testing.assert_array_equal(x, np.array(centers)[y])
    x, y = data.blobs(50, 0.0, centers=5, rng=0)
    np.testing.assert_allclose(np.hypot(*x.T), 0.7, rtol=1e-5)
    assert len(np.unique(x.round(3), axis=0)) == 5


def test_waves_are_a_mean_of_sines():
    x, y = data.waves(500, 0.0, rng=0, frequencies=(0.5, 2))
    assert x.shape == y.shape == (500, 1)
    assert x.dtype == y.dtype == np.float32
    assert abs(x).max() <= 1
    np.testing.assert_allclose(y, (np.sin(np.pi * x) + np.sin(4 * np.pi * x)) / 2, atol=1e-5)
    noisy = data.waves(500, 0.3, rng=0, frequencies=(0.5, 2))[1]
    assert (noisy - y).std() == pytest.approx(0.3, rel=0.1)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: data.xor(1), ValueError, "samples is an int from 2; received 1"),
        (lambda: data.moons(10.0), ValueError, "samples is an int"),
        (lambda: data.circles(10, -0.1), ValueError, "noise is a number from 0; received -0.1"),
        (lambda: data.gauss(10, "0.1"), TypeError, "noise"),
        (lambda: data.spirals(10, classes=0), ValueError, "classes is an int from 1"),
        (lambda: data.spirals(10, turns=0), ValueError, "turns is a number above 0"),
        (lambda: data.spirals(3, classes=4), ValueError, "samples is an int from 4"),
        (lambda: data.blobs(10, centers=[0, 1]), ValueError, r"received \[0, 1\]"),
        (lambda: data.blobs(10, centers=[(0, 1), (2,)]), ValueError, "centers are how many"),
        (lambda: data.blobs(10, centers=[(0, np.nan)]), ValueError, "finite"),
        (lambda: data.blobs(10, centers=0), ValueError, "centers is an int from 1"),
        (lambda: data.waves(10, frequencies=()), ValueError, "one frequency or more"),
        (lambda: data.waves(0), ValueError, "samples is an int from 1"),
        (lambda: data.waves(10, rng="a"), TypeError, "rng"),
    ],
)
def test_wrong_arguments_are_errors(call, error, words):
    with pytest.raises(error, match=words):
        call()
