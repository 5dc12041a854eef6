from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from nn.data import train_test_split

X = np.arange(40.0).reshape(20, 2)
y = np.arange(20)


@given(n=st.integers(2, 60), share=st.floats(0.01, 0.99), shuffle=st.booleans(), seed=st.integers(0, 99))
def test_the_parts_are_all_samples_and_rows_stay_together(n, share, shuffle, seed):
    x = np.arange(n)
    assume(np.ceil(share * n) < n)
    a, b, c, d = train_test_split(x, -2 * x, test_size=share, shuffle=shuffle, rng=seed)
    assert sorted([*a.tolist(), *b.tolist()]) == x.tolist()
    assert np.array_equal(-2 * a, c)
    assert np.array_equal(-2 * b, d)
    assert len(b) in (np.ceil(share * n), np.ceil(share * n - 1e-9))


@given(sizes=st.lists(st.integers(2, 30), min_size=1, max_size=6), share=st.floats(0.1, 0.9), seed=st.integers(0, 99))
def test_stratified_parts_have_the_shares_of_the_classes_within_one_sample(sizes, share, seed):
    labels = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(sizes)), sizes))
    n, count = len(labels), int(np.ceil(share * len(labels) - 1e-9))
    assume(len(sizes) <= min(count, n - count))
    places = np.arange(n)
    train, test, labels_train, labels_test = train_test_split(
        places, labels, test_size=count, stratify=labels, rng=seed
    )
    assert sorted([*train.tolist(), *test.tolist()]) == places.tolist()
    assert len(test) == count
    np.testing.assert_array_equal(labels[test], labels_test)
    np.testing.assert_array_equal(labels[train], labels_train)
    for label, size in enumerate(sizes):
        assert abs(int(np.sum(labels_test == label)) - Fraction(size * count, n)) < 1
        assert abs(int(np.sum(labels_train == label)) - Fraction(size * (n - count), n)) < 1


def test_the_rest_goes_to_the_largest_remainders():
    labels = np.repeat(["a", "b", "c"], [14, 13, 3])  # of 10 places 4.67, 4.33 and 1
    _, test = train_test_split(labels, test_size=10, stratify=labels, rng=0)
    assert [int(np.sum(test == c)) for c in "abc"] == [5, 4, 1]


def test_stratified_parts_are_mixed_and_drawn_from_all_of_a_class():
    labels = np.repeat([0, 1], 50)
    drawn = set()
    for seed in range(30):
        _, test, _, labels_test = train_test_split(np.arange(100), labels, stratify=labels, rng=seed)
        drawn |= set(test.tolist())
        assert np.count_nonzero(np.diff(labels_test)) > 3
    assert len(drawn) == 100


def test_the_order_of_results_is_scikit_learns_and_a_seed_repeats_them():
    x_train, x_test, y_train, y_test = train_test_split(X, y, rng=3)
    assert x_train.shape == (15, 2)
    assert x_test.shape == (5, 2)
    np.testing.assert_array_equal(x_train[:, 0], 2 * y_train)
    np.testing.assert_array_equal(x_test[:, 0], 2 * y_test)
    np.testing.assert_array_equal(train_test_split(X, y, rng=3)[3], y_test)
    assert train_test_split(X, y, rng=4)[3].tolist() != y_test.tolist()


def test_without_shuffling_the_last_samples_are_for_the_test():
    train, test = train_test_split(y, test_size=3, shuffle=False)
    assert train.tolist() == list(range(17))
    assert test.tolist() == [17, 18, 19]


@pytest.mark.parametrize(("size", "share", "count"), [(100, 0.07, 7), (150, 0.25, 38), (10, 0.01, 1), (10, 4, 4)])
def test_a_share_is_rounded_up_and_not_by_a_rounding_error(size, share, count):
    assert len(train_test_split(np.arange(size), test_size=share, rng=0)[1]) == count


def test_arrays_of_names_are_split_too():
    train, test = train_test_split(["a", "b", "c", "d"], rng=0)
    assert sorted([*train, *test]) == ["a", "b", "c", "d"]


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: train_test_split(X, y[:5]), ValueError, r"same number in each.*\(20, 2\), \(5,\)"),
        (lambda: train_test_split(), ValueError, "no array"),
        (lambda: train_test_split(X, 0.2), TypeError, "received 0.2"),
        (lambda: train_test_split(X, test_size=1.0), ValueError, "received 1.0"),
        (lambda: train_test_split(X, test_size=0.0), ValueError, "received 0.0"),
        (lambda: train_test_split(X, test_size=0.99), ValueError, "leaves some of the 20 on either side"),
        (lambda: train_test_split(X, test_size=20), ValueError, "received 20"),
        (lambda: train_test_split(X, test_size=float("nan")), ValueError, "received nan"),
        (lambda: train_test_split(X, test_size=True), ValueError, "received True"),
        (lambda: train_test_split(X, test_size="0.2"), ValueError, "received '0.2'"),
        (lambda: train_test_split(X, stratify=X), ValueError, r"one label for each.*argmax\(axis=1\)"),
        (lambda: train_test_split(X, stratify=["a"] * 19 + ["b"]), ValueError, "the class b with one member"),
        (lambda: train_test_split(X, stratify=y // 2), ValueError, "parts of 15 and 5 samples for 10 classes"),
        (lambda: train_test_split(X, stratify=y // 2, test_size=15), ValueError, "parts of 5 and 15 samples for 10"),
        (lambda: train_test_split(X, stratify=y // 10, shuffle=False), ValueError, "shuffle=False does not draw"),
        (lambda: train_test_split(X, shuffle=None), TypeError, "shuffle is True or False"),
    ],
)
def test_wrong_arguments_are_errors(call, error, words):
    with pytest.raises(error, match=words):
        call()
