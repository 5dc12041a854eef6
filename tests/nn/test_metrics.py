from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np
import pytest
import sklearn.metrics as reference

import autodiff as ad
import nn
from nn import metrics

rng = np.random.default_rng(0)

OUTPUTS = rng.normal(size=(40, 4)).round(1)
LABELS = rng.integers(0, 3, 40)  # class 3 is guessed and never true
OUTPUTS[:, 1] -= 9.0  # class 1 is true and never guessed
GUESSES = OUTPUTS.argmax(axis=1)
SHARES = rng.uniform(size=30)
TRUTH = rng.integers(0, 2, 30)
OF_CLASSES = {
    "precision": reference.precision_score,
    "recall": reference.recall_score,
    "f1": reference.f1_score,
}
every_ratio = pytest.mark.parametrize("name", OF_CLASSES)


@every_ratio
@pytest.mark.parametrize("average", ["macro", "micro"])
def test_ratios_of_many_classes_are_those_of_scikit_learn(name: str, average: str):
    found = metrics.NAMED[name](OUTPUTS, LABELS, average=average)
    assert found == pytest.approx(OF_CLASSES[name](LABELS, GUESSES, average=average, zero_division=0))
    assert type(found) is float


@every_ratio
def test_ratios_class_by_class(name: str):
    outputs = np.hstack([OUTPUTS, np.full((40, 1), -99.0)])  # and a class that does not occur at all
    expected = OF_CLASSES[name](LABELS, GUESSES, average=None, labels=range(5), zero_division=0)
    np.testing.assert_allclose(metrics.NAMED[name](outputs, LABELS, average=None), expected)
    assert metrics.NAMED[name](outputs, LABELS) == metrics.NAMED[name](OUTPUTS, LABELS, average="macro")


@every_ratio
def test_ratios_of_two_classes(name: str):
    metric, guesses = metrics.NAMED[name], SHARES > 0.5
    expected = OF_CLASSES[name](TRUTH, guesses)
    assert metric(SHARES, TRUTH) == pytest.approx(expected)
    assert metric(SHARES, TRUTH, average="macro") == pytest.approx(OF_CLASSES[name](TRUTH, guesses, average="macro"))
    assert metric(np.stack([1 - SHARES, SHARES], axis=1), TRUTH, average="binary") == pytest.approx(expected)
    assert metric(guesses, TRUTH) == metric(guesses.astype(int), TRUTH) == pytest.approx(expected)
    assert metric(SHARES, np.zeros(30)) == metric(np.zeros(30), np.zeros(30)) == 0
    assert metric(np.zeros(30), TRUTH) == 0


def test_confusion_matrix():
    found = metrics.confusion_matrix(OUTPUTS, LABELS)
    np.testing.assert_array_equal(found, reference.confusion_matrix(LABELS, GUESSES, labels=range(4)))
    np.testing.assert_array_equal(metrics.confusion_matrix(GUESSES, LABELS), found)
    np.testing.assert_array_equal(
        metrics.confusion_matrix(SHARES, TRUTH), reference.confusion_matrix(TRUTH, SHARES > 0.5)
    )
    assert metrics.confusion_matrix([0.9], [1]).tolist() == [[0, 0], [0, 1]]
    assert metrics.confusion_matrix([0], np.array([0], np.uint8)).tolist() == [[1, 0], [0, 0]]
    assert found.dtype.kind == "i"


def test_top_k_accuracy():
    outputs = rng.permuted(np.tile(np.arange(7.0), (50, 1)), axis=1)
    labels = rng.integers(0, 7, 50)
    for k in (1, 2, 5, 7):
        expected = reference.top_k_accuracy_score(labels, outputs, k=k, labels=range(7)) if k < 7 else 1.0
        assert metrics.top_k_accuracy(outputs, labels, k=k) == pytest.approx(expected)
        assert metrics.top_k_accuracy(outputs, np.eye(7)[labels], k) == pytest.approx(expected)
    assert metrics.top_k_accuracy(outputs, labels) == metrics.top_k_accuracy(outputs, labels, k=5)


def test_equal_outputs_and_nan_are_no_hits():
    dead, labels = np.zeros((6, 3)), [0, 1, 2, 2, 2, 2]
    assert metrics.top_k_accuracy(dead, labels, k=1) == metrics.accuracy(dead, labels) == 1 / 6
    assert metrics.top_k_accuracy(dead, labels, k=2) == 2 / 6
    assert metrics.top_k_accuracy(dead * np.nan, labels, k=2) == 0


def test_accuracy_of_many_classes():
    scores = np.array([[0.1, 0.9], [0.8, 0.2], [0.3, 0.7]])
    assert metrics.accuracy(scores, [1, 0, 0]) == pytest.approx(2 / 3)
    assert metrics.accuracy(ad.Tensor(scores), [1, 0, 1]) == 1.0
    assert metrics.accuracy(scores, np.eye(2)[[1, 0, 0]]) == pytest.approx(2 / 3)
    assert metrics.accuracy(scores, np.array([1.0, 0.0, 0.0], np.float32)) == pytest.approx(2 / 3)
    assert metrics.accuracy(OUTPUTS, LABELS) == reference.accuracy_score(LABELS, GUESSES)


@pytest.mark.parametrize("column", [False, True])
def test_accuracy_of_two_classes(column: bool):
    outputs = SHARES.reshape(-1, 1) if column else SHARES
    expected = reference.accuracy_score(TRUTH, SHARES > 0.5)
    for targets in (TRUTH, TRUTH.astype(np.float32), TRUTH.astype(bool), TRUTH.reshape(-1, 1)):
        assert metrics.accuracy(outputs, targets) == expected
    scores, signs = np.log(outputs / (1 - outputs)), 2 * TRUTH - 1
    for targets in (TRUTH, signs, signs.reshape(-1, 1).astype(float)):
        assert metrics.accuracy(scores, targets, threshold=0) == expected
    assert metrics.accuracy(outputs, TRUTH, threshold=0.9) == reference.accuracy_score(TRUTH, SHARES > 0.9)


@pytest.mark.parametrize("columns", [None, 1, 3])
def test_metrics_of_numbers(columns: int | None):
    targets = rng.normal(size=20 if columns is None else (20, columns))
    outputs = targets + 0.3 * rng.normal(size=targets.shape)
    for name, function in (
        ("mean_absolute_error", reference.mean_absolute_error), ("mae", reference.mean_absolute_error),
        ("mean_squared_error", reference.mean_squared_error), ("mse", reference.mean_squared_error),
        ("r2", reference.r2_score),
    ):  # fmt: skip
        found = metrics.NAMED[name](outputs.astype(np.float32), targets)
        assert found == pytest.approx(function(targets, outputs.astype(np.float32)))
        assert type(found) is float


def test_r2_at_its_ends():
    assert metrics.r2([1.0, 2.0], [1.0, 2.0]) == metrics.r2([3.0, 3.0], [3.0, 3.0]) == 1
    assert metrics.r2([1.0, 2.0], [3.0, 3.0]) == metrics.r2([1.5, 1.5], [1.0, 2.0]) == 0
    assert math.isnan(metrics.r2([1.0], [1.0]))
    mixed = np.array([[1.0, 3.0], [2.0, 3.0]])
    assert metrics.r2(mixed[::-1], mixed) == reference.r2_score(mixed, mixed[::-1])


def test_which_are_means_over_the_samples():
    batches = [slice(0, 7), slice(7, 30), slice(30, 40)]
    for metric in (metrics.accuracy, functools.partial(metrics.top_k_accuracy, k=2)):
        assert metrics.additive(metric)
        assert np.average([metric(OUTPUTS[b], LABELS[b]) for b in batches], weights=[7, 23, 10]) == pytest.approx(
            metric(OUTPUTS, LABELS)
        )
    assert metrics.additive(metrics.mean_absolute_error)
    assert metrics.additive(metrics.chosen("mse")["mse"])
    for metric in (metrics.f1, metrics.recall, metrics.precision, metrics.r2, lambda outputs, targets: 0.0):
        assert not metrics.additive(metric)


def test_metrics_are_chosen_by_name_or_as_functions():
    def one(outputs: Any, targets: Any) -> float:
        return 1.0

    found = metrics.chosen(["accuracy", "mae", "top_3_accuracy", one, functools.partial(metrics.f1, average="micro")])
    assert list(found) == ["accuracy", "mae", "top_3_accuracy", "one", "f1"]
    assert found["top_3_accuracy"](OUTPUTS, LABELS) == metrics.top_k_accuracy(OUTPUTS, LABELS, k=3)
    assert found["f1"](OUTPUTS, LABELS) == metrics.f1(OUTPUTS, LABELS, average="micro")
    assert metrics.chosen(None) == {}
    assert metrics.chosen("r2") == {"r2": metrics.r2}
    for name in metrics.NAMED:
        assert callable(metrics.chosen(name)[name])


def test_the_threshold_of_a_loss_goes_to_the_metrics_by_name():
    scores = np.array([0.2, -3.0, 0.4])
    for loss, labels in (
        (nn.BCEWithLogitsLoss(), [1, 0, 1]),
        (nn.HingeLoss(), [1, -1, 1]),
        (nn.LogisticLoss(), [1, -1, 1]),
    ):
        found = metrics.chosen(["accuracy", "f1", "recall", "precision", "mae"], loss.threshold)
        assert [measure(scores, labels) for measure in list(found.values())[:-1]] == [1, 1, 1, 1]
        assert metrics.additive(found["accuracy"])
    assert metrics.chosen("accuracy", nn.BCELoss().threshold) == {"accuracy": metrics.accuracy}


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (
            lambda: metrics.accuracy(OUTPUTS, [1, 0]),
            ValueError,
            r"outputs of shape \(40, 4\) and labels of shape \(2,\)",
        ),
        (lambda: metrics.accuracy(np.ones((2, 3, 4)), [1, 0]), ValueError, r"outputs of shape \(2, 3, 4\)"),
        (lambda: metrics.accuracy(np.ones((0, 3)), []), ValueError, r"outputs of shape \(0, 3\)"),
        (lambda: metrics.accuracy(1.0, 1.0), ValueError, r"outputs of shape \(\)"),
        (lambda: metrics.accuracy(OUTPUTS[:2], [0, 4]), ValueError, "labels from 0 to 3; received 4"),
        (lambda: metrics.accuracy(OUTPUTS[:2], [0, -1]), ValueError, "labels from 0 to 3; received -1"),
        (lambda: metrics.accuracy(OUTPUTS[:2], [0, 0.5]), TypeError, "dtype float64 with fractions"),
        (lambda: metrics.accuracy(OUTPUTS[:2], ["a", "b"]), TypeError, "np.unique"),
        (
            lambda: metrics.accuracy([0.1, 0.2], [0, 2]),
            ValueError,
            "labelled 0 and 1, or -1 and 1; received labels from 0 to 2",
        ),
        (lambda: metrics.accuracy([0.1, 0.2], [0, -1]), ValueError, "received labels from -1 to 0"),
        (lambda: metrics.confusion_matrix([-1, 1], [0, 1]), ValueError, "received -1"),
        (lambda: metrics.top_k_accuracy(OUTPUTS, LABELS), ValueError, r"shape \(40, 4\) and k=5. Take a smaller k"),
        (lambda: metrics.top_k_accuracy(SHARES, TRUTH, 1), ValueError, r"shape \(30,\)"),
        (lambda: metrics.top_k_accuracy(OUTPUTS, LABELS, 0), ValueError, "k is an int from 1"),
        (lambda: metrics.f1(OUTPUTS, LABELS, average="binary"), ValueError, "for 2 classes; received 4"),
        (lambda: metrics.f1(OUTPUTS, LABELS, average="mean"), ValueError, "average is one of 'auto'.*received 'mean'"),
        (lambda: metrics.r2([[1.0], [3.0]], [0.0, 1.0]), ValueError, r"\(2, 1\) and a target of shape \(2,\)"),
        (lambda: metrics.mean_absolute_error([[1.0], [3.0]], [0.0, 1.0]), ValueError, r"target.reshape\(-1, 1\)"),
        (lambda: metrics.mean_squared_error([1j], [1.0]), TypeError, "dtype complex128"),
        (lambda: metrics.chosen("acu"), ValueError, "no 'acu'; by name there are 'accuracy', 'acc'"),
        (lambda: metrics.chosen("top_0_accuracy"), ValueError, "no 'top_0_accuracy'"),
        (lambda: metrics.chosen(["f1", metrics.f1]), ValueError, "two columns"),
        (lambda: metrics.chosen([3]), TypeError, "received 3"),
        (lambda: metrics.chosen(3), TypeError, "received 3"),
    ],
)
def test_what_cannot_be_measured_is_an_error(call: Any, error: type, words: str):
    with pytest.raises(error, match=words):
        call()


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.uint64, np.float32])
def test_the_absolute_error_does_not_wrap_around(dtype: type):
    assert metrics.mean_absolute_error(np.array([0, 0], dtype), np.array([1, 0], dtype)) == 0.5


@pytest.mark.parametrize(
    "metric", [metrics.accuracy, metrics.f1, metrics.recall, metrics.precision, metrics.confusion_matrix]
)
def test_ignored_samples_do_not_count(metric: Any):
    labels = LABELS.copy()
    labels[::3] = -100
    counts = labels != -100
    for outputs in (OUTPUTS, GUESSES):
        found, wanted = metric(outputs, labels, ignore_index=-100), metric(outputs[counts], labels[counts])
        np.testing.assert_array_equal(found, wanted)
    with pytest.raises(ValueError, match="40 labels, all of them ignore_index=-100"):
        metric(OUTPUTS, np.full(40, -100), ignore_index=-100)
    assert metrics.top_k_accuracy(OUTPUTS, labels, 2, ignore_index=-100) == metrics.top_k_accuracy(
        OUTPUTS[counts], labels[counts], 2
    )


def test_named_metrics_are_told_what_to_ignore():
    found = metrics.chosen(["accuracy", "top_2_accuracy", "f1", "mse"], ignore_index=2)
    labels, rest = LABELS, LABELS != 2
    assert found["accuracy"](OUTPUTS, labels) == metrics.accuracy(OUTPUTS[rest], labels[rest])
    assert found["top_2_accuracy"](OUTPUTS, labels) == metrics.top_k_accuracy(OUTPUTS[rest], labels[rest], 2)
    assert [metrics.additive(f) for f in found.values()] == [False, False, False, True]
    assert metrics.additive(metrics.chosen("top_2_accuracy")["top_2_accuracy"])


def test_nan_is_no_hit_of_any_metric():
    unknown = np.full((2, 3), np.nan)
    assert metrics.accuracy(unknown, [0, 1]) == metrics.top_k_accuracy(unknown, [0, 1], 1) == 0
    one = np.array([[np.nan, 1.0, 0.0], [0.0, 2.0, 1.0]])
    for labels in ([0, 1], [1, 1], [2, 1]):
        assert metrics.accuracy(one, labels) == metrics.top_k_accuracy(one, labels, 1) == 0.5
    assert metrics.accuracy([np.nan, 1.0], [0, 1]) == 0.5


@pytest.mark.parametrize("label", [np.nan, np.inf, 1e30])
def test_labels_that_are_no_integers_are_an_error_and_no_warning(label: float):
    with pytest.raises(TypeError, match="fractions, NaN or huge"):
        metrics.accuracy(np.ones((2, 3)), np.array([label, 1.0]))


def test_many_classes_take_no_memory_by_pairs():
    labels = np.array([0, 10**6])
    assert metrics.f1(labels, labels) == metrics.recall(labels, labels) == metrics.precision(labels, labels) == 1
