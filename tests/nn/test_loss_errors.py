from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import autodiff as ad
import nn
import nn.functional as F

SCORES = np.random.default_rng(0).normal(0, 2, (5, 3))
LABELS = np.array([2, 0, 1, 1, 2])
ONE_HOT = np.eye(3)[LABELS]
X = np.ones((2, 3))


class Net(nn.Module):
    def __init__(self, last: Any) -> None:
        self.stages = [nn.Linear(3, 3, rng=0), last]

    def forward(self, x: Any) -> Any:
        return self.stages[1](self.stages[0](x))


@pytest.mark.parametrize(
    ("layer", "place"),
    [
        (nn.Softmax(), r"softmax in the layer 'stages.1' \(Softmax\) of Net"),
        (nn.LogSoftmax(), r"log_softmax in the layer 'stages.1' \(LogSoftmax\) of Net"),
        (nn.Sequential(nn.ReLU(), nn.Softmax()), r"softmax in the layer 'stages.1.1' \(Softmax\) of Net"),
        (F.softmax, "softmax in Net already"),
        (ad.scope("the end")(F.softmax), "softmax in 'the end' already"),
    ],
)
def test_softmax_before_cross_entropy_is_warned_of_by_name(layer: Any, place: str):
    outputs = Net(layer)(SCORES)
    with pytest.warns(UserWarning, match=f"cross_entropy takes logits.*comes out of {place}") as caught:
        nn.CrossEntropyLoss()(outputs, LABELS)
    assert caught[0].filename == __file__
    with pytest.warns(UserWarning, match="cross_entropy takes logits"):
        F.cross_entropy(outputs, LABELS, label_smoothing=0.1)


@pytest.mark.parametrize("loss", [nn.BCEWithLogitsLoss(), nn.LogisticLoss()])
def test_sigmoid_before_a_loss_of_scores_is_warned_of(loss: nn.Module):
    with pytest.warns(UserWarning, match=r"takes logits.*sigmoid in the layer '1' \(Sigmoid\) of Sequential"):
        loss(nn.Sequential(nn.Linear(3, 1, rng=0), nn.Sigmoid())(SCORES), np.ones((5, 1)))
    with pytest.warns(UserWarning, match="comes out of sigmoid already"):
        loss(ad.sigmoid(ad.Tensor(SCORES)), np.ones((5, 3)))


def test_a_warning_is_shown_once_per_place():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        for _ in range(3):
            nn.CrossEntropyLoss()(nn.Softmax()(ad.Tensor(SCORES)), LABELS)
    assert len(caught) == 1


def test_no_warning_where_probabilities_belong():
    x = ad.Tensor(SCORES)
    F.binary_cross_entropy(ad.sigmoid(x), ONE_HOT)
    F.nll_loss(ad.log_softmax(x), LABELS)
    F.kl_div(ad.log_softmax(x), ONE_HOT)
    F.cross_entropy(x, LABELS)


@pytest.mark.parametrize("loss", [F.nll_loss, nn.NLLLoss()])
def test_positive_log_probabilities_are_warned_of(loss: Any):
    with pytest.warns(UserWarning, match="nll_loss takes log-probabilities"):
        loss(ad.softmax(SCORES), LABELS)
    with pytest.warns(UserWarning, match="kl_div takes log-probabilities"):
        F.kl_div(ad.softmax(SCORES), ONE_HOT)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: F.mse_loss(X, X, reduction="avg"), ValueError, "'mean', 'sum', 'none'; received 'avg'"),
        (lambda: F.l1_loss(np.ones((5, 1)), np.ones(5)), ValueError, r"l1_loss.*\(5, 1\) and a target of shape \(5,\)"),
        (lambda: F.huber_loss(np.ones((5, 1)), np.ones(5)), ValueError, r"huber_loss.*\(5, 1\)"),
        (lambda: F.smooth_l1_loss(np.ones((5, 1)), np.ones(5)), ValueError, r"smooth_l1_loss.*\(5, 1\)"),
        (lambda: F.hinge_loss(np.ones((5, 1)), np.ones(5)), ValueError, r"hinge_loss.*\(5, 1\)"),
        (lambda: F.logistic_loss(np.ones((5, 1)), np.ones(5)), ValueError, r"logistic_loss.*\(5, 1\)"),
        (lambda: F.kl_div(-np.ones((5, 1)), np.ones(5)), ValueError, r"kl_div.*\(5, 1\)"),
        (lambda: F.binary_cross_entropy(X, np.ones(2)), ValueError, r"\(2, 3\) and a target of shape \(2,\)"),
        (lambda: F.huber_loss(X, X, delta=0), ValueError, "delta is a number above 0"),
        (lambda: F.smooth_l1_loss(X, X, beta=-1.0), ValueError, "beta is a number above 0"),
        (lambda: nn.HuberLoss(delta=-1), ValueError, "delta is a number above 0"),
        (lambda: F.mse_loss(X * 1j, X), TypeError, "dtype complex128"),
        (lambda: F.mse_loss(X, np.array([["a"] * 3] * 2)), TypeError, "a target of dtype <U1"),
        (
            lambda: F.binary_cross_entropy(2 * X, X),
            ValueError,
            "probabilities from 0 to 1; received 2.0 to 2.0.*with_logits",
        ),
        (lambda: F.binary_cross_entropy(X, -X), ValueError, r"targets from 0 to 1; received -1.0 to -1.0.*y \+ 1"),
        (lambda: F.binary_cross_entropy_with_logits(X, 2 * X), ValueError, "targets from 0 to 1; received 2"),
        (lambda: F.binary_cross_entropy_with_logits(X, X, pos_weight=[1, 2]), ValueError, r"received shape \(2,\)"),
        (lambda: F.binary_cross_entropy_with_logits(X, X, pos_weight=-1), ValueError, "not negative; received -1"),
        (lambda: F.hinge_loss(X, 0 * X), ValueError, r"hinge_loss takes labels -1 and 1; received 0.*2 \* y - 1"),
        (lambda: F.logistic_loss(X, 0.5 * X), ValueError, "logistic_loss takes labels -1 and 1; received 0.5"),
        (lambda: F.kl_div(-X, -X), ValueError, "target probabilities; received -1.*log_target=True"),
        (lambda: F.kl_div(np.float64(-1), np.float64(1), reduction="batchmean"), ValueError, "is a mean"),
        (lambda: F.nll_loss(-X, [0, 3]), ValueError, "nll_loss takes labels from 0 to 2.*received 3 at index 1"),
        (lambda: F.nll_loss(-X, np.eye(3)[:2]), ValueError, "nll_loss takes integer labels.*kl_div"),
        (lambda: F.nll_loss(-X, [0.0, 1.0]), TypeError, r"nll_loss.*labels.astype\(int\)"),
        (lambda: F.multi_margin_loss(X, [0, 3]), ValueError, "multi_margin_loss takes labels from 0 to 2"),
        (lambda: F.multi_margin_loss(X, [0, -100]), ValueError, "received -100"),
        (lambda: F.multi_margin_loss(X, np.eye(3)[:2]), ValueError, r"argmax\(axis=1\)"),
        (lambda: F.multi_margin_loss(X, [0, 1], p=3), ValueError, "p is 1 or 2; received 3"),
        (lambda: nn.MultiMarginLoss(p=3), ValueError, "p is 1 or 2; received 3"),
        (lambda: F.cross_entropy(X, [0, 1], weight=[1, 2]), ValueError, r"shape \(3,\); received shape \(2,\)"),
        (lambda: F.cross_entropy(X, [0, 1], weight=[1, 2, -1]), ValueError, "not negative; received -1"),
        (
            lambda: F.cross_entropy(X, [0, 1], label_smoothing=1.5),
            ValueError,
            "label_smoothing is a number from 0 to 1",
        ),
        (lambda: nn.CrossEntropyLoss(label_smoothing=-1), ValueError, "label_smoothing is a number from 0 to 1"),
        (lambda: F.cross_entropy(X, [0, -100], ignore_index=-1), ValueError, "received -100 at index 1"),
        (lambda: F.cross_entropy(X, [-100, -100]), ValueError, "labels that are all to be ignored"),
        (lambda: F.cross_entropy(X, [[0], [1]]), ValueError, r"labels.reshape\(-1\)"),
        (lambda: F.cross_entropy(X, np.ones((2, 3))), ValueError, "sum to 1; row 0 has the least 1.0 and the sum 3"),
        (lambda: F.cross_entropy(X, [[1, 0, 0], [2, -1, 0]]), ValueError, "row 1 has the least -1"),
        (lambda: F.cross_entropy(X, np.full((2, 3), "a")), TypeError, "labels that are numbers"),
        (lambda: F.cross_entropy(X, ad.Tensor([0.0, 1.0])), TypeError, "received a Tensor of dtype float64"),
        (lambda: F.mse_loss(X, X, sample_weight=[1, 2, 3]), ValueError, r"shape \(2,\); received shape \(3,\)"),
        (lambda: F.mse_loss(X, X, sample_weight=[[1], [2]]), ValueError, r"received shape \(2, 1\).*reshape\(-1\)"),
        (lambda: F.mse_loss(X, X, sample_weight=[1, -2]), ValueError, "not negative; received -2"),
        (lambda: F.mse_loss(X, X, sample_weight=[1, np.nan]), ValueError, "not negative; received nan"),
        (lambda: F.mse_loss(X, X, sample_weight=[0, 0]), ValueError, "weights that are all 0"),
        (lambda: F.mse_loss(X, X, sample_weight=["a", "b"]), TypeError, "sample_weight has numbers"),
        (lambda: F.cross_entropy(X, [0, 1], sample_weight=[0, 0]), ValueError, "weights that are all 0"),
        (
            lambda: F.mse_loss(ad.Tensor(X), 1j * X),
            TypeError,
            "mse_loss takes real numbers.*target of dtype complex128",
        ),
        (lambda: F.mse_loss(ad.Tensor(X), [["1"] * 3] * 2), TypeError, "target of dtype <U1"),
        (lambda: F.mse_loss(ad.Tensor(1.0), None), TypeError, "target of dtype object"),
        (lambda: F.mse_loss(1j * X, ad.Tensor(X)), TypeError, "prediction of dtype complex128"),
        (lambda: F.smooth_l1_loss(X, X[0]), ValueError, "smooth_l1_loss compares"),
        (lambda: F.smooth_l1_loss(X, X, reduction="x"), ValueError, "smooth_l1_loss: reduction"),
        (lambda: F.kl_div(X, X, reduction="x"), ValueError, "one of 'mean', 'sum', 'none', 'batchmean'; received 'x'"),
        (lambda: F.binary_cross_entropy(X, X + 1e-9), ValueError, "targets from 0 to 1; received 1.000000001 to"),
        (lambda: nn.CrossEntropyLoss("a"), TypeError, "CrossEntropyLoss: weight is an array of numbers; received 'a'"),
        (lambda: nn.BCEWithLogitsLoss(pos_weight="a"), TypeError, "pos_weight is an array of numbers; received 'a'"),
        (lambda: F.binary_cross_entropy_with_logits(X, X, pos_weight="a"), TypeError, "pos_weight.*dtype <U1"),
        (lambda: nn.CrossEntropyLoss(ignore_index="x"), ValueError, "ignore_index is an int; received 'x'"),
        (lambda: nn.NLLLoss(ignore_index=1.0), ValueError, "NLLLoss: ignore_index is an int; received 1.0"),
        (
            lambda: F.cross_entropy(X, [0, 1], ignore_index="x"),
            ValueError,
            "cross_entropy: ignore_index is an int; rec",
        ),
        (lambda: nn.MSELoss(half="no"), TypeError, "MSELoss: half is True or False; received 'no'. Write half=True"),
        (lambda: F.mse_loss(X, X, half="no"), TypeError, "mse_loss: half is True or False"),
        (lambda: nn.KLDivLoss(log_target="no"), TypeError, "log_target is True or False; received 'no'"),
        (lambda: F.kl_div(X, X, log_target="no"), TypeError, "kl_div: log_target is True or False"),
        (lambda: F.cross_entropy(np.ones((2, 3, 4)), np.zeros((2, 3), int)), ValueError, r"np.moveaxis\(x, -1, 1\)"),
        (
            lambda: F.cross_entropy(np.ones((2, 3, 4)), np.zeros((2, 4), int), sample_weight=[1, 2, 3]),
            ValueError,
            r"cross_entropy: sample_weight has one number per sample, shape \(2,\); received shape \(3,\)",
        ),
    ],
)
def test_what_does_not_belong_together_is_an_error(call: Any, error: type, words: str):
    with pytest.raises(error, match=words):
        call()
