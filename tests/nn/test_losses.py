from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from garbage import no_garbage

import autodiff as ad
import nn
import nn.functional as F

rng = np.random.default_rng(0)

STORED = json.loads(Path(__file__).with_name("references").joinpath("losses.json").read_text(encoding="utf-8"))
INPUTS = {name: np.array(values) for name, values in STORED["inputs"].items()}
CASES = {f"{k} {case['loss']} {case['options']}": case for k, case in enumerate(STORED["cases"])}
OURS = {"soft_margin_loss": "logistic_loss"}
MODULES = {
    "mse_loss": nn.MSELoss,
    "l1_loss": nn.L1Loss,
    "huber_loss": nn.HuberLoss,
    "smooth_l1_loss": nn.SmoothL1Loss,
    "binary_cross_entropy": nn.BCELoss,
    "binary_cross_entropy_with_logits": nn.BCEWithLogitsLoss,
    "cross_entropy": nn.CrossEntropyLoss,
    "nll_loss": nn.NLLLoss,
    "logistic_loss": nn.LogisticLoss,
    "hinge_loss": nn.HingeLoss,
    "multi_margin_loss": nn.MultiMarginLoss,
    "kl_div": nn.KLDivLoss,
}

SCORES = rng.normal(0, 2, (5, 3))
LABELS = np.array([2, 0, 1, 1, 2])
SIGNS = np.where(rng.uniform(size=(5, 3)) < 0.5, -1.0, 1.0)
ONE_HOT = np.eye(3)[LABELS]
SMOOTH: dict[str, tuple[Any, Any]] = {  # pairs at which each loss is smooth
    "mse_loss": (SCORES, ONE_HOT),
    "l1_loss": (SCORES, ONE_HOT),
    "huber_loss": (SCORES, ONE_HOT),
    "smooth_l1_loss": (SCORES, ONE_HOT),
    "binary_cross_entropy": (rng.uniform(0.1, 0.9, (5, 3)), rng.uniform(0.1, 0.9, (5, 3))),
    "binary_cross_entropy_with_logits": (SCORES, rng.uniform(0.1, 0.9, (5, 3))),
    "cross_entropy": (SCORES, LABELS),
    "nll_loss": (ad.log_softmax(SCORES), LABELS),
    "logistic_loss": (SCORES, SIGNS.astype(int)),
    "hinge_loss": (SCORES, SIGNS.astype(int)),
    "multi_margin_loss": (SCORES, LABELS),
    "kl_div": (ad.log_softmax(SCORES), rng.dirichlet(np.ones(3), 5)),
}
every_loss = pytest.mark.parametrize("loss", SMOOTH)


@pytest.mark.parametrize("name", CASES)
def test_value_and_gradient_are_those_of_pytorch(name: str):
    case = CASES[name]
    x, target = ad.Tensor(INPUTS[case["prediction"]]), INPUTS[case["target"]]
    loss = OURS.get(case["loss"], case["loss"])
    function, module = getattr(F, loss), MODULES[loss](**case["options"])
    for value in (function(x, target, **case["options"]), module(x, target)):
        np.testing.assert_allclose(value.value, case["value"], rtol=1e-9, atol=1e-10)
        gradient = value.adjoints(np.arange(1.0, value.size + 1).reshape(value.shape))[x]
        np.testing.assert_allclose(gradient, case["gradient"], rtol=1e-8, atol=1e-10)


def test_every_loss_is_compared_with_pytorch_but_for_the_hinge():
    compared = {OURS.get(case["loss"], case["loss"]) for case in STORED["cases"]}
    assert compared == set(SMOOTH) - {"hinge_loss"} == set(MODULES) - {"hinge_loss"}


@every_loss
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_losses_to_second_order(loss: str, reduction: str):
    prediction, target = SMOOTH[loss]
    weight = np.array([1.0, 0.5, 2.0, 0.0, 3.0])
    for options in ({}, {"sample_weight": weight}):
        ad.check_grads(lambda x: getattr(F, loss)(x, target, reduction=reduction, **options), prediction, order=2)  # noqa: B023


@pytest.mark.parametrize(
    "options",
    [
        {"weight": [1.0, 0.5, 2.0]},
        {"label_smoothing": 0.2},
        {"ignore_index": 1},
        {"ignore_index": 1, "weight": [1.0, 0.5, 2.0], "label_smoothing": 0.2, "sample_weight": np.arange(1.0, 6.0)},
    ],
)
def test_the_options_of_cross_entropy_to_second_order(options: dict[str, Any]):
    ad.check_grads(lambda x: F.cross_entropy(x, LABELS, **options), SCORES, order=2)
    options.pop("ignore_index", None)
    ad.check_grads(lambda x: F.cross_entropy(x, 0.9 * ONE_HOT + 0.1 / 3, **options), SCORES, order=2)


@pytest.mark.parametrize(
    "loss", ["mse_loss", "l1_loss", "binary_cross_entropy", "binary_cross_entropy_with_logits", "kl_div"]
)
def test_losses_have_the_derivative_by_the_target_too(loss: str):
    ad.check_grads(getattr(F, loss), *SMOOTH[loss], order=2)


def test_soft_labels_may_be_computed():
    ad.check_grads(lambda x, t: F.cross_entropy(x, ad.softmax(t)), SCORES, rng.normal(size=(5, 3)), order=2)


@every_loss
def test_a_weight_of_two_is_a_sample_given_twice(loss: str):
    prediction, target = SMOOTH[loss]
    function = getattr(F, loss)
    twice = np.array([0, 1, 1, 3, 3, 3])
    for reduction in ("mean", "sum"):
        weighted = ad.value_and_grad(
            lambda x: function(x, target, reduction=reduction, sample_weight=[1, 2, 0, 3, 0])  # noqa: B023
        )(prediction)
        repeated = ad.value_and_grad(lambda x: function(x[twice], target[twice], reduction=reduction))(prediction)  # noqa: B023
        np.testing.assert_allclose(weighted[0], repeated[0])
        np.testing.assert_allclose(weighted[1], repeated[1], atol=1e-15)
    alone = function(prediction, target, reduction="none", sample_weight=[1, 2, 0, 3, 0])
    np.testing.assert_allclose(
        np.sum(alone), function(prediction, target, reduction="sum", sample_weight=[1, 2, 0, 3, 0])
    )


def test_class_and_sample_weights_together_count_repeated_samples():
    weight, twice = [1.0, 0.5, 2.0], np.array([0, 1, 1, 3, 3, 3])
    for options in ({"weight": weight}, {"weight": weight, "label_smoothing": 0.1}, {"ignore_index": 2}):
        weighted = F.cross_entropy(SCORES, LABELS, sample_weight=[1, 2, 0, 3, 0], **options)
        np.testing.assert_allclose(weighted, F.cross_entropy(SCORES[twice], LABELS[twice], **options))


@every_loss
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_float32_stays_float32(loss: str, reduction: str):
    prediction, target = SMOOTH[loss]
    x = ad.Tensor(prediction.astype(np.float32))
    for given in (target, target.astype(np.float32) if target.dtype.kind == "f" else target.astype(np.int16)):
        for weights in (None, np.ones(5), [1, 2, 3, 4, 5]):
            value = getattr(F, loss)(x, given, reduction=reduction, sample_weight=weights)
            assert value.dtype == np.float32
            gradients = value.adjoints(np.ones(value.shape, np.float32))
            assert {g.dtype for g in gradients.values()} == {np.dtype(np.float32)}
    recorded = ad.grad(lambda x: np.sum(ad.grad(lambda z: getattr(F, loss)(z, target))(x) ** 2))(x.value)
    assert recorded.dtype == np.float32


@every_loss
def test_a_batch_of_one_of_none_and_a_strided_one(loss: str):
    prediction, target = SMOOTH[loss]
    function = getattr(F, loss)
    one = function(prediction[:1], target[:1])
    np.testing.assert_allclose(one, np.mean(function(prediction, target, reduction="none")[:1]))
    np.testing.assert_array_equal(
        function(np.repeat(prediction, 2, axis=0)[::2], np.repeat(target, 2, axis=0)[::2]), function(prediction, target)
    )
    np.testing.assert_allclose(function(np.asfortranarray(prediction), target), function(prediction, target))
    assert function(prediction[:0], target[:0], reduction="sum") == 0
    assert function(prediction[:0], target[:0], reduction="none").shape[0] == 0
    with pytest.raises(ValueError, match="which has no elements"):
        function(prediction[:0], target[:0])


@every_loss
def test_the_module_is_the_function_and_says_how_it_was_made(loss: str):
    prediction, target = SMOOTH[loss]
    module = MODULES[loss]()
    assert repr(module) == f"{MODULES[loss].__name__}()"
    weight = np.arange(1.0, 6.0)
    assert module(prediction, target) == getattr(F, loss)(prediction, target)
    assert module(prediction, target, weight) == getattr(F, loss)(prediction, target, sample_weight=weight)
    assert repr(MODULES[loss](reduction="sum")) == f"{MODULES[loss].__name__}(reduction='sum')"
    with pytest.raises(ValueError, match=r"reduction is one of 'mean', 'sum', 'none'.*received 'average'"):
        MODULES[loss](reduction="average")


def test_reprs_with_options_and_class_weights_as_buffers():
    assert repr(nn.HuberLoss(delta=0.5)) == "HuberLoss(delta=0.5)"
    assert repr(nn.MultiMarginLoss(p=2, margin=0.5)) == "MultiMarginLoss(p=2, margin=0.5)"
    assert (
        repr(nn.KLDivLoss(log_target=True, reduction="batchmean"))
        == "KLDivLoss(reduction='batchmean', log_target=True)"
    )
    loss = nn.CrossEntropyLoss([1, 2, 3], label_smoothing=0.1)
    assert repr(loss) == "CrossEntropyLoss(weight=array of shape (3,), label_smoothing=0.1)"
    assert [(name, b.tolist(), b.dtype) for name, b in loss.named_buffers()] == [("weight", [1, 2, 3], np.float32)]
    assert list(nn.BCEWithLogitsLoss().named_buffers()) == []


# -- facts ------------------------------------------------------------------------------------------------------------


def test_the_logistic_unit_of_the_lectures():
    w, x = np.array([2.0, -3.0, -3.0]), np.array([-1.0, -2.0, 1.0])
    unit = -np.log(1 / (1 + np.exp(-(w @ x))))
    assert F.logistic_loss([w @ x], [1]) == pytest.approx(unit)
    assert F.binary_cross_entropy_with_logits([w @ x], [1]) == pytest.approx(unit)
    assert F.binary_cross_entropy(ad.sigmoid(np.array([w @ x])), [1]) == pytest.approx(unit)
    assert F.cross_entropy([[0, w @ x]], [1]) == pytest.approx(unit)


def test_logistic_loss_is_binary_cross_entropy_with_other_labels():
    np.testing.assert_allclose(
        F.logistic_loss(SCORES, SIGNS, reduction="none"),
        F.binary_cross_entropy_with_logits(SCORES, (SIGNS + 1) / 2, reduction="none"),
    )


def test_half_the_squared_error_has_the_error_as_adjoint():
    x = ad.Tensor(SCORES)
    F.mse_loss(x, ONE_HOT, half=True, reduction="sum").backward()
    np.testing.assert_allclose(x.grad, SCORES - ONE_HOT)


def test_hinge_losses_of_numbers():
    assert F.hinge_loss([2.0, 0.5, -1.0], [1, 1, 1], reduction="none").tolist() == [0, 0.5, 2]
    assert F.hinge_loss([2.0, 0.5, -1.0], [-1, -1, -1], reduction="none").tolist() == [3, 1.5, 0]
    assert F.multi_margin_loss([[1.0, 3.0, 0.5]], [0]) == (3 + 0.5) / 3
    assert F.multi_margin_loss([[1.0, 3.0, 0.5]], [0], p=2, margin=0.5) == 2.5**2 / 3


def test_labels_one_hot_and_integer_give_the_same():
    x = ad.Tensor(SCORES)
    loss = F.cross_entropy(x, LABELS)
    for labels in (ONE_HOT, ONE_HOT.astype(int), ONE_HOT.astype(bool), ONE_HOT.tolist()):
        other = F.cross_entropy(x, labels)
        assert other.item() == pytest.approx(loss.item())
        np.testing.assert_allclose(other.adjoints()[x], loss.adjoints()[x], atol=1e-15)


def test_divergences_of_a_distribution_from_itself_are_zero():
    t = np.array([[0.0, 1.0], [0.25, 0.75]])
    with np.errstate(divide="ignore"):
        assert F.kl_div(np.maximum(np.log(t), -1e30), t, reduction="none").tolist() == [[0, 0], [0, 0]]
    assert F.kl_div(np.log(t[1:]), np.log(t[1:]), log_target=True) == 0
    p, q = np.array([[0.5, 0.5]]), np.array([[0.25, 0.75]])
    assert F.kl_div(np.log(p), q, reduction="batchmean") == pytest.approx(np.sum(q * np.log(q / p)))


def test_penalties_leave_the_biases_out():
    model = nn.MLP(2, 3, 1, rng=0, dtype=np.float32)
    weights = [p for p in model.parameters() if p.ndim == 2]
    squares = F.l2_penalty(model.parameters())
    assert squares.dtype == np.float32
    assert squares.item() == pytest.approx(sum(float(np.sum(w.value**2)) for w in weights))
    assert F.l1_penalty(model.parameters()).item() == pytest.approx(sum(float(np.abs(w.value).sum()) for w in weights))
    adjoints = (0.5 * 0.1 * squares).adjoints()
    for p in model.parameters():
        assert (p in adjoints) == (p.ndim == 2)
        if p.ndim == 2:
            np.testing.assert_allclose(adjoints[p], np.float32(0.1) * p.value, rtol=1e-6)
    assert len(list(model.parameters())) == sum(
        p in F.l2_penalty(model.parameters(), biases=True).adjoints() for p in model.parameters()
    )
    matrices = rng.normal(size=(2, 3)), rng.normal(size=(3,))
    for penalty in (F.l1_penalty, F.l2_penalty):
        ad.check_grads(lambda a, b: penalty([a, b], biases=True) ** 2, *matrices, order=2)  # noqa: B023
        with pytest.raises(ValueError, match="received 1 parameters, none such"):
            penalty([matrices[1]])


def test_labels_to_be_ignored_do_not_count():
    x = ad.Tensor(SCORES)
    for index, labels in (
        (-100, [2, -100, 1, 1, -100]),
        (0, [2, 0, 1, 1, 0]),
        (255, np.array([2, 255, 1, 1, 255], np.uint8)),
    ):
        loss = F.cross_entropy(x, labels, ignore_index=index)
        assert loss.item() == pytest.approx(F.cross_entropy(SCORES[[0, 2, 3]], [2, 1, 1]))
        assert not loss.adjoints()[x][[1, 4]].any()
    np.testing.assert_array_equal(F.checked_labels([2, -100], (2, 3)), [2, -100])


# -- huge numbers, and ends of the range ------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("label", [0, 1])
def test_huge_scores_give_finite_losses_and_gradients(dtype: type, label: int):
    x = ad.Tensor(np.array([[1e4, -1e4], [-1e4, 1e4]], dtype))
    for loss, target, value in (
        (F.cross_entropy, [label, label], 1e4),
        (F.cross_entropy, np.eye(2)[[label, label]], 1e4),
        (F.binary_cross_entropy_with_logits, np.full((2, 2), label), 5e3),
        (F.logistic_loss, np.full((2, 2), 2 * label - 1), 5e3),
        (F.hinge_loss, np.full((2, 2), 2 * label - 1), 5e3 + 0.5),
    ):
        found = loss(x, target)
        assert found.item() == pytest.approx(value)
        assert np.isfinite(found.adjoints()[x]).all()
        assert found.adjoints()[x].dtype == dtype
    weighted = F.binary_cross_entropy_with_logits(x, np.full((2, 2), label), pos_weight=3.0)
    assert weighted.item() == pytest.approx(1.5e4 if label else 5e3)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_probability_that_underflows_keeps_its_logarithm(dtype: type):
    logits = np.array([[0, -80, 3], [0, -95, 1], [0, 0, -400], [1, 2, 3]], dtype)
    labels = [1, 1, 2, 0]
    exact = -ad.log_softmax(logits.astype(np.longdouble))[np.arange(4), labels]
    np.testing.assert_allclose(F.cross_entropy(logits, labels), exact.mean(), rtol=4 * np.finfo(dtype).eps)


@pytest.mark.parametrize("offset", [0, 18, -13, -44, 95, 5000])
def test_many_logits_are_normalised_like_few(offset: float):
    logits = (2 * rng.standard_normal((80, 100)) + offset).astype(np.float32)
    labels = rng.integers(0, 100, 80)
    logits[0, labels[0]] = logits[0].max() - 60  # a probability around 1e-27
    logits[1, labels[1]] -= 85  # and one that float32 can hardly hold
    x = ad.Tensor(logits)
    loss = F.cross_entropy(x, labels)
    losses = -ad.log_softmax(logits.astype(float))[np.arange(80), labels]
    assert loss.item() == pytest.approx(losses.mean(), rel=1e-6)
    probabilities = ad.softmax(logits.astype(float))
    np.testing.assert_allclose(loss.arguments[2].value, probabilities, rtol=1e-5, atol=1e-30)
    expected = (probabilities - np.eye(100)[labels]) / 80
    np.testing.assert_allclose(loss.adjoints()[x], expected, rtol=2e-5, atol=1e-30)
    assert loss.adjoints()[x].dtype == np.float32


def test_small_losses_from_logits_keep_their_digits():
    losses = F.binary_cross_entropy_with_logits([40.0, -40.0], [1, 0], reduction="none")
    np.testing.assert_allclose(losses, np.exp(-40.0), rtol=1e-12)


def test_certain_probabilities_give_finite_losses_and_gradients():
    p = ad.Tensor(np.array([0.0, 1.0, 0.0, 1.0], np.float32))
    loss = F.binary_cross_entropy(p, [0, 1, 1, 0], reduction="none")
    assert loss.value.tolist() == [0, 0, 100, 100]
    gradient = loss.adjoints(np.ones(4))[p]
    assert np.isfinite(gradient).all()
    assert (np.sign(gradient) == [0, 0, -1, 1]).all()


def test_nan_goes_through_to_the_loss():
    for loss, (_, target) in SMOOTH.items():
        if loss not in ("cross_entropy", "nll_loss", "multi_margin_loss"):
            assert np.isnan(getattr(F, loss)(np.full((5, 3), np.nan), target)), loss
    assert np.isnan(F.cross_entropy(np.full((5, 3), np.nan), LABELS))


# -- graph ------------------------------------------------------------------------------------------------------------


def test_the_cross_entropy_of_training_is_a_softmax_and_a_loss():
    x = ad.Tensor(SCORES)
    with no_garbage():
        loss = nn.CrossEntropyLoss()(x, LABELS)
        assert loss.primitive.name == "mean_cross_entropy"
        assert loss.arguments[0] is x
        assert loss.arguments[2].primitive.name == "softmax"
        assert loss.arguments[2] not in loss.adjoints()
        del loss


def test_forward_and_reverse_derivatives_of_cross_entropy_agree():
    direction = rng.normal(size=SCORES.shape)
    gradient = ad.grad(lambda x: F.cross_entropy(x, LABELS))(SCORES)
    tangent = ad.jvp(lambda x: F.cross_entropy(x, LABELS), (SCORES,), (direction,))[1]
    assert tangent == pytest.approx(np.sum(gradient * direction))
    hessian = ad.hessian(lambda x: F.cross_entropy(x, LABELS))(SCORES)
    s = ad.softmax(SCORES)
    for k in range(5):
        np.testing.assert_allclose(hessian[k, :, k], (np.diag(s[k]) - np.outer(s[k], s[k])) / 5, atol=1e-15)
    np.testing.assert_allclose(
        ad.hvp(lambda x: F.cross_entropy(x, LABELS), SCORES, direction), np.tensordot(hessian, direction), atol=1e-15
    )


@pytest.mark.parametrize("bad", [np.nan, -np.inf])
def test_samples_that_do_not_count_may_be_anything(bad: float):
    logits = np.array([[1.0, 2.0, 0.0], [0.5, bad, 1.0], [0.0, 0.0, 3.0]], np.float32)
    for options in ({}, {"label_smoothing": 0.1}):
        rest = F.cross_entropy(logits[[0, 2]], [0, 2], **options)
        np.testing.assert_allclose(F.cross_entropy(logits, [0, -100, 2], **options), rest, rtol=1e-6)
        np.testing.assert_allclose(
            F.cross_entropy(logits, [0, 1, 1], ignore_index=1, **options) + 1,
            1 + F.cross_entropy(logits[:1], [0], **options),
            rtol=1e-6,
        )
    np.testing.assert_allclose(
        F.cross_entropy(logits, [0, 1, 2], sample_weight=[1, 0, 1]), F.cross_entropy(logits[[0, 2]], [0, 2]), rtol=1e-6
    )
    np.testing.assert_array_equal(F.mse_loss([1.0, bad], [0.0, 0.0], reduction="none", sample_weight=[1, 0]), [1, 0])


@pytest.mark.parametrize("loss", [F.huber_loss, F.smooth_l1_loss])
def test_the_second_derivative_of_the_rounded_losses_at_0_is_1(loss: Any):
    np.testing.assert_allclose(
        ad.hessian(lambda p: loss(p, np.zeros(3), reduction="sum"))(np.array([0.0, 0.5, 2.0])), np.diag([1.0, 1.0, 0.0])
    )


@pytest.mark.parametrize("kind", [float, int, bool])
def test_one_hot_labels_of_any_dtype_leave_float32_what_it_is(kind: type):
    x = ad.Tensor(SCORES.astype(np.float32))
    for options in ({}, {"label_smoothing": 0.1}):
        assert F.cross_entropy(x, ONE_HOT.astype(kind), **options).dtype == np.float32


def test_labels_may_be_overwritten_before_the_reverse_pass():
    x, labels = ad.Tensor(SCORES), LABELS.copy()
    loss = F.cross_entropy(x, labels)
    labels[:] = 0
    loss.backward()
    np.testing.assert_array_equal(x.grad, ad.grad(F.cross_entropy)(SCORES, LABELS))


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_a_class_for_each_pixel_is_a_row_for_each_pixel(reduction: str):
    images, labels = rng.standard_normal((2, 3, 4, 5)), rng.integers(0, 3, (2, 4, 5))
    labels[0, 0, 0] = -100
    rows, w = np.moveaxis(images, 1, -1).reshape(-1, 3), np.array([1.0, 3.0])
    options = {"reduction": reduction, "sample_weight": w}
    weight = np.array([1.0, 2.0, 0.5])
    wanted = F.cross_entropy(rows, labels.reshape(-1), weight, reduction=reduction, sample_weight=np.repeat(w, 20))
    found = F.cross_entropy(images, labels, weight, **options)
    assert found.shape == ((2, 4, 5) if reduction == "none" else ())
    np.testing.assert_allclose(np.ravel(found), np.ravel(wanted))
    np.testing.assert_allclose(F.nll_loss(ad.log_softmax(images, axis=1), labels, weight, **options), found)
    soft = np.moveaxis(rng.dirichlet(np.ones(3), (2, 4, 5)), -1, 1)
    wanted = F.cross_entropy(rows, np.moveaxis(soft, 1, -1).reshape(-1, 3), reduction=reduction)
    np.testing.assert_allclose(np.ravel(F.cross_entropy(images, soft, reduction=reduction)), np.ravel(wanted))
    ad.check_grads(lambda x: F.cross_entropy(x, labels, weight, **options), images, order=2)


def test_weights_given_as_tensors_are_constants():
    w = ad.Tensor([1.0, 2.0, 0.5])
    assert F.cross_entropy(SCORES, LABELS, w) == F.cross_entropy(SCORES, LABELS, w.value)
    assert isinstance(nn.CrossEntropyLoss(w).weight, np.ndarray)
    found = F.binary_cross_entropy_with_logits(SCORES, ONE_HOT, pos_weight=w)
    assert found == F.binary_cross_entropy_with_logits(SCORES, ONE_HOT, pos_weight=w.value)
    np.testing.assert_array_equal(F.checked_labels(LABELS[:4].reshape(2, 2), (2, 3, 2)), [[2, 0], [1, 1]])
