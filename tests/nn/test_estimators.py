"""The estimators keep scikit-learn's rules, and reach what its own reach."""

from __future__ import annotations

import copy
import functools
import pickle
import subprocess
import sys
from collections.abc import Iterator

import numpy as np
import pytest
from sklearn.base import BaseEstimator, clone
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import nn
from nn import MLPClassifier, MLPRegressor
from nn.estimators.architecture import ACTIVATIONS
from nn.training.names import OPTIMIZERS

rng = np.random.default_rng(0)
X, y = (np.asarray(a, float) for a in nn.data.iris())
X = (X - X.mean(axis=0)) / X.std(axis=0)
CONVEX = {
    "hidden_layer_sizes": (), "optimizer": functools.partial(nn.optim.SGD, momentum=0.9), "learning_rate_init": 0.5,
    "batch_size": 10**6, "max_iter": 600, "n_iter_no_change": 600, "random_state": 0,
}  # fmt: skip


@pytest.fixture
def global_state_restored() -> Iterator[None]:
    """For scikit-learn's checks, some of which draw from it."""
    before = np.random.get_state()  # noqa: NPY002
    yield
    np.random.set_state(before)  # noqa: NPY002


@pytest.mark.usefixtures("global_state_restored")
@parametrize_with_checks([MLPClassifier(max_iter=100), MLPRegressor(max_iter=100)])
def test_scikit_learns_checks(estimator: BaseEstimator, check: functools.partial):
    check(estimator)


def test_a_pipeline_is_searched():
    pipeline = make_pipeline(
        StandardScaler(), MLPClassifier((8,), max_iter=30, random_state=0, learning_rate_init=0.01, batch_size=32)
    )
    options = {
        "mlpclassifier__alpha": [1e-4, 1e4],
        "mlpclassifier__optimizer": ["adam", functools.partial(nn.optim.SGD, momentum=0.9)],
    }
    search = GridSearchCV(pipeline, options, cv=3).fit(*nn.data.iris())
    assert search.best_params_["mlpclassifier__alpha"] == 1e-4
    assert search.best_score_ > 0.9
    scores = dict(zip(map(str, search.cv_results_["param_mlpclassifier__alpha"]), search.cv_results_["mean_test_score"],
                      strict=True))  # fmt: skip
    assert scores["10000.0"] < 0.9


def test_digits_are_learned_in_a_few_epochs():
    scores = cross_val_score(
        MLPClassifier((64,), max_iter=8, batch_size=32, learning_rate_init=0.005, random_state=0),
        *nn.data.digits(), cv=3,
    )  # fmt: skip
    assert scores.min() > 0.9


@pytest.mark.parametrize("alpha", [1.0, 30.0])
@pytest.mark.parametrize("weighted", [False, True])
def test_without_hidden_layers_the_classifier_is_logistic_regression(alpha: float, weighted: bool):
    weights = rng.uniform(0, 3, len(y)) if weighted else None
    theirs = LogisticRegression(C=1 / alpha, solver="newton-cg", tol=1e-10).fit(X, y, weights)
    ours = MLPClassifier(alpha=alpha, **CONVEX).fit(X, y, weights)
    np.testing.assert_allclose(ours.model_[0].weight.value, theirs.coef_, atol=1e-6)
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), atol=1e-6)
    assert ours.predict(X).dtype == y.dtype
    np.testing.assert_allclose(ours.predict_log_proba(X), np.log(ours.predict_proba(X)), atol=1e-12)


@pytest.mark.parametrize("alpha", [1.0, 100.0])
@pytest.mark.parametrize("weighted", [False, True])
def test_without_hidden_layers_the_regressor_is_ridge_regression(alpha: float, weighted: bool):
    targets = X @ rng.standard_normal((4, 3)) + rng.standard_normal((150, 3)) + 2
    weights = rng.uniform(0, 3, len(y)) if weighted else None
    # The loss is the mean over the outputs, too.
    theirs = Ridge(alpha=alpha * 3).fit(X, targets, weights)
    ours = MLPRegressor(alpha=alpha, **CONVEX).fit(X, targets, weights)
    np.testing.assert_allclose(ours.model_[0].weight.value, theirs.coef_, atol=1e-6)
    np.testing.assert_allclose(ours.model_[0].bias.value, theirs.intercept_, atol=1e-6)
    assert ours.score(X, targets) == pytest.approx(theirs.score(X, targets), abs=1e-6)


def test_predictions_have_the_shape_of_the_targets():
    few = MLPRegressor((4,), max_iter=2, random_state=0)
    for shape in ((150,), (150, 1), (150, 2)):
        assert few.fit(X, np.ones(shape)).predict(X[:7]).shape == (7, *shape[1:])


def test_the_attributes_after_a_fit():
    fitted = MLPClassifier((8, 5), "gelu", max_iter=3, random_state=0).fit(X, np.array(["a", "b", "c"])[y.astype(int)])
    assert list(fitted.classes_) == ["a", "b", "c"]
    assert set(fitted.predict(X)) <= {"a", "b", "c"}
    assert (fitted.n_features_in_, fitted.n_iter_) == (4, 3)
    assert fitted.loss_curve_ == fitted.history_["loss"]
    assert len(fitted.loss_curve_) == 3
    assert [type(layer).__name__ for layer in fitted.model_] == ["Linear", "GELU", "Linear", "GELU", "Linear"]
    assert not fitted.model_.training


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_trains(name: str):
    rates = {"adadelta": 1.0, "sgd": 0.1}
    fitted = MLPClassifier((8,), optimizer=name, learning_rate_init=rates.get(name, 0.01), max_iter=20, random_state=0)
    losses = fitted.fit(X, y).loss_curve_
    assert losses[-1] < losses[0] * 0.9
    assert type(fitted._optimizer).__name__.lower() == name


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_every_activation_trains(name: str):
    fitted = MLPClassifier((8,), name, learning_rate_init=0.02, max_iter=60, random_state=0).fit(X, y)
    assert fitted.score(X, y) > 0.8
    assert type(fitted.model_[1]) is ACTIVATIONS[name]
    assert isinstance(MLPClassifier((8,), nn.Tanh, max_iter=1).fit(X, y).model_[1], nn.Tanh)


def test_a_training_that_diverges_leaves_an_estimator_that_can_go_on():
    wild = MLPRegressor((8,), optimizer="sgd", learning_rate_init=1e100, random_state=0)
    with pytest.raises(nn.DivergedError, match="the loss is"):
        wild.fit(X, y)
    assert np.isfinite(wild.predict(X)).all()
    assert wild.set_params(learning_rate_init=1e-3).fit(X, y).loss_curve_[-1] < 1
    assert wild.partial_fit(X, y).n_iter_ == 201


def test_seeds_of_all_kinds_repeat_and_none_does_not():
    def first(random_state: object, **options: object) -> np.ndarray:
        return MLPClassifier((4,), max_iter=2, random_state=random_state, **options).fit(X, y).predict_proba(X)

    for kind in (lambda seed: seed, np.random.RandomState, np.random.default_rng):
        options = {"early_stopping": True, "dropout": 0.3}
        np.testing.assert_array_equal(first(kind(3), **options), first(kind(3), **options))
        assert not np.array_equal(first(kind(3)), first(kind(4)))
    state = np.random.RandomState(0)
    assert not np.array_equal(first(state), first(state))
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    assert not np.array_equal(first(None), first(None))
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002
    with pytest.raises(TypeError, match="random_state is an int from 0"):
        first("0")


def test_it_computes_in_the_dtype_of_x_or_the_one_asked_for():
    for given, asked, expected in (
        (np.float64, None, np.float64), (np.float32, None, np.float32), (np.int64, None, np.float64),
        (np.float64, np.float32, np.float32), (np.float32, "float64", np.float64),
    ):  # fmt: skip
        fitted = MLPClassifier((4,), max_iter=1, dtype=asked).fit((X * 9).astype(given), y)
        assert {p.dtype for p in fitted.model_.parameters()} == {np.dtype(expected)}
        assert fitted.predict_proba(X).dtype == expected
        assert MLPRegressor((4,), max_iter=1, dtype=asked).fit(X.astype(given), y).predict(X).dtype == expected


def test_training_ends_when_the_loss_does_not_fall():
    ended = MLPRegressor((8,), max_iter=500, tol=1e-3, n_iter_no_change=4, random_state=0, learning_rate_init=0.01)
    losses = np.array(ended.fit(X, y).loss_curve_)
    assert 10 < ended.n_iter_ < 500
    assert losses[-5] - 1e-3 <= losses[-4:].min()
    assert clone(ended).set_params(tol=1e-4).fit(X, y).n_iter_ > ended.n_iter_
    assert len(clone(ended).set_params(n_iter_no_change=1000, max_iter=200).fit(X, y).loss_curve_) == 200


def test_early_stopping_keeps_the_best_weights():
    noisy = rng.integers(0, 2, len(X))  # nothing can be learned of it but by heart
    stopped = MLPClassifier(
        (64,), early_stopping=True, max_iter=300, learning_rate_init=0.02, random_state=0, validation_fraction=0.4
    ).fit(X, noisy)
    held = stopped.history_["validation_loss"]
    assert stopped.n_iter_ == len(held) == int(np.argmin(held)) + 11
    least = clone(stopped).set_params(max_iter=int(np.argmin(held)) + 1).fit(X, noisy)
    np.testing.assert_array_equal(stopped.predict_proba(X), least.predict_proba(X))
    whole = clone(stopped).set_params(early_stopping=False).fit(X, noisy)
    assert list(whole.history_) == ["loss"]
    assert stopped.score(X, noisy) < 0.8 < whole.score(X, noisy)
    regressor = MLPRegressor((8,), early_stopping=True, max_iter=3, random_state=0)
    assert "validation_loss" in regressor.fit(X, y, np.ones(len(y))).history_


def test_partial_fits_are_epochs():
    whole = MLPClassifier((8,), max_iter=3, random_state=0).fit(X, y)
    parts = MLPClassifier((8,), max_iter=3, random_state=0)
    for _ in range(3):
        parts.partial_fit(X, y, classes=[2, 1, 0])
    np.testing.assert_array_equal(parts.predict_proba(X), whole.predict_proba(X))
    assert parts.loss_curve_ == whole.loss_curve_
    assert parts.n_iter_ == 3
    some = MLPClassifier((8,), random_state=0).partial_fit(X[:100], y[:100], classes=[0, 1, 2])
    assert some.predict_proba(X).shape == (150, 3)
    assert some.partial_fit(X[100:], y[100:], sample_weight=np.ones(50)).n_iter_ == 2
    assert len(whole.partial_fit(X, y).loss_curve_) == 4
    before = whole.set_params(learning_rate_init=1e-300).predict_proba(X)
    np.testing.assert_array_equal(whole.partial_fit(X, y).predict_proba(X), before)


def test_a_warm_start_goes_on_and_a_cold_one_begins_anew():
    fitted = MLPClassifier((8,), max_iter=40, random_state=0, warm_start=True).fit(X, y)
    reached = fitted.loss_curve_[-1]
    assert fitted.fit(X, y).loss_curve_[0] < reached
    again = fitted.set_params(warm_start=False).fit(X, y)
    assert again.loss_curve_[-1] == reached
    again.set_params(warm_start=True, learning_rate_init=1e-300, optimizer="sgd")
    before = again.predict_proba(X)
    np.testing.assert_array_equal(again.fit(X, y).predict_proba(X), before)
    with pytest.raises(ValueError, match="hidden_layer_sizes, activation or dropout were changed"):
        clone(again).fit(X, y).set_params(hidden_layer_sizes=(9,)).fit(X, y)
    with pytest.raises(ValueError, match=r"labels that are not among the classes .* received \[7.\]"):
        fitted.set_params(warm_start=True).fit(X, np.where(y == 2, 7, y))


@pytest.mark.parametrize("copied", [lambda e: pickle.loads(pickle.dumps(e)), copy.deepcopy])  # noqa: S301
def test_copies_go_on_by_themselves_bit_for_bit(copied: object):
    options = {"dropout": 0.5, "random_state": 0, "batch_size": 16}
    for kind, classes in ((MLPClassifier, {"classes": [0, 1, 2]}), (MLPRegressor, {})):
        fitted = kind((8,), **options).partial_fit(X, y, **classes).set_params(hidden_layer_sizes=(3,), dropout=0.0)
        one, two = copied(fitted), copied(fitted)
        before = fitted.predict(X)
        np.testing.assert_array_equal(one.predict(X), before)
        assert not one.model_.training
        one.partial_fit(X, y)
        np.testing.assert_array_equal(two.predict(X), before)
        fitted.partial_fit(X, y)
        for a, b in zip(one.model_.parameters(), fitted.model_.parameters(), strict=True):
            np.testing.assert_array_equal(a.value, b.value)
        assert one.loss_curve_ == fitted.loss_curve_ != two.loss_curve_


def test_one_class_is_always_predicted():
    fitted = MLPClassifier((4,), max_iter=2).fit(X, np.full(len(X), "only"))
    assert set(fitted.predict(X)) == {"only"}
    assert (fitted.predict_proba(X) == 1).all()


@pytest.mark.parametrize(
    ("options", "kind", "match"),
    [
        ({"hidden_layer_sizes": (8, 0)}, ValueError, "hidden_layer_sizes: .* received 0"),
        ({"hidden_layer_sizes": 2.5}, ValueError, r"hidden_layer_sizes: .* received 2\.5"),
        ({"activation": "softmx"}, ValueError, "activation is .*'relu'.* received 'softmx'"),
        ({"optimizer": "lbfgs"}, ValueError, "optimizer is .*'adam'.* received 'lbfgs'"),
        ({"optimizer": lambda *_, **__: None}, TypeError, "make one of nn.optim's; it gave None"),
        ({"alpha": -1.0}, ValueError, "alpha is a number from 0"),
        ({"batch_size": 0}, ValueError, 'batch_size, in samples, or "auto"'),
        ({"batch_size": "all"}, ValueError, "batch_size, .* received 'all'"),
        ({"learning_rate_init": 0.0}, ValueError, "learning_rate_init is a number above 0"),
        ({"max_iter": 0}, ValueError, "max_iter, in epochs, is an int from 1"),
        ({"tol": -1.0}, ValueError, "tol is a number from 0"),
        ({"n_iter_no_change": 0}, ValueError, "n_iter_no_change"),
        ({"early_stopping": "yes"}, TypeError, "early_stopping is True or False"),
        (
            {"early_stopping": True, "validation_fraction": 1.5},
            ValueError,
            "validation_fraction is a number above 0 to below 1",
        ),
        ({"verbose": 2}, TypeError, "verbose is True or False"),
        ({"warm_start": 1}, TypeError, "warm_start is True or False"),
        ({"dropout": 1.0}, ValueError, "dropout"),
        ({"dtype": np.float16}, TypeError, "float32 or float64"),
    ],
)
def test_parameters_that_do_not_fit_are_refused(options: dict, kind: type, match: str):
    with pytest.raises(kind, match=match):
        MLPClassifier(**({"max_iter": 1} | options)).fit(X, y)


def test_data_that_do_not_fit_are_refused():
    few = MLPClassifier((4,), max_iter=1)
    with pytest.raises(ValueError, match="every sample_weight is zero"):
        few.fit(X, y, np.zeros(len(y)))
    with pytest.raises(ValueError, match="sample_weight is a finite number from 0"):
        few.fit(X, y, -np.ones(len(y)))
    with pytest.raises(ValueError, match="sample_weight is a finite number from 0"):  # all of it may be set aside
        clone(few).set_params(early_stopping=True, random_state=0).fit(X, y, np.arange(len(y)) == 0)
    with pytest.raises(ValueError, match=r"classes=np\.unique"):
        few.partial_fit(X, y)
    with pytest.raises(ValueError, match="the classes were fixed"):
        few.fit(X, y).partial_fit(X, y, classes=[0, 1])
    with pytest.raises(ValueError, match="early_stopping=True is for fit"):
        few.set_params(early_stopping=True).partial_fit(X, y)
    with pytest.raises(ValueError, match=r"2 since the first fit; received shape \(150,\)"):
        MLPRegressor((4,), max_iter=1, warm_start=True).fit(X, X[:, :2]).fit(X, y)


def run(program: str) -> str:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_importing_nn_does_not_import_scikit_learn():
    imported = "'sklearn' in sys.modules"
    program = f"import sys, nn; from nn import *; print({imported}, 'MLPClassifier' in dir(nn))"
    assert run(f"{program}; nn.MLPRegressor; print({imported})").split() == ["False", "True", "True"]
    with pytest.raises(AttributeError, match="module 'nn' has no attribute 'MLPClassifer'"):
        nn.MLPClassifer  # noqa: B018


def test_without_scikit_learn_the_error_says_how_to_install_it():
    assert run(
        "import sys\n"
        "sys.modules['sklearn'] = None\n"
        "import nn\n"
        "nn.MLP(2, 3, 1)\n"
        "try:\n"
        "    nn.MLPClassifier\n"
        "except ModuleNotFoundError as error:\n"
        "    print(error.name, '|', error)\n"
    ).startswith("sklearn | nn.MLPClassifier and nn.MLPRegressor are scikit-learn estimators, and sklearn is not "
                 'installed. Install it: pip install scikit-learn.')  # fmt: skip
