from __future__ import annotations

import sys

import numpy as np
import pytest

from nn import data


@pytest.mark.parametrize(
    ("read", "samples", "features", "classes"),
    [
        (data.digits, 1797, 64, 10),
        (data.iris, 150, 4, 3),
        (data.breast_cancer, 569, 30, 2),
        (data.wine, 178, 13, 3),
    ],
)
def test_sets_of_classes(read, samples, features, classes):
    x, y = read()
    assert (x.shape, x.dtype) == ((samples, features), np.float32)
    assert (y.shape, y.dtype) == ((samples,), np.int64)
    assert np.unique(y).tolist() == list(range(classes))
    assert np.isfinite(x).all()
    first = x[0].copy()
    x[0] = -1  # every call gives arrays of one's own
    np.testing.assert_array_equal(read()[0][0], first)


def test_digits_are_in_0_to_1_and_may_be_images():
    flat, y = data.digits()
    assert (flat.min(), flat.max()) == (0, 1)
    images, labels = data.digits(images=True)
    assert images.shape == (1797, 1, 8, 8)
    np.testing.assert_array_equal(images.reshape(1797, 64), flat)
    np.testing.assert_array_equal(y, labels)
    assert (16 * images[0, 0, 0]).tolist() == [0, 0, 5, 13, 9, 1, 0, 0]


def test_diabetes_is_a_regression():
    x, y = data.diabetes()
    assert (x.shape, x.dtype, y.shape, y.dtype) == ((442, 10), np.float32, (442, 1), np.float32)
    assert (y.min(), y.max()) == (25, 346)
    assert x[0, :3].tolist() == [59, 2, pytest.approx(32.1)]


def test_without_scikit_learn_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn", None)
    with pytest.raises(
        ModuleNotFoundError, match=r"scikit-learn \(sklearn\) is not installed. Install it: pip install scikit-learn"
    ):
        data.iris()
