"""nn.flat: a model's parameters as one vector, and SciPy's optimizers on it."""

from __future__ import annotations

import doctest
import warnings
from collections.abc import Callable

import numpy as np
import pytest
import scipy
from scipy.optimize import check_grad, minimize

import autodiff as ad
import nn
import nn.functional as F
from nn.model import flat_vector as flattened


def two_layers(dtype: type = np.float64) -> nn.MLP:
    return nn.MLP(2, 3, 2, activation=nn.Tanh, rng=0, dtype=dtype)


X, y = nn.data.moons(60, noise=0.2, rng=0)
LEAST = 0.478493  # what all of SciPy's methods find below


def penalised(model: nn.Module) -> Callable[[], ad.Tensor]:
    return lambda: F.cross_entropy(model(X), y) + 0.01 * sum(np.sum(p**2) for p in model.parameters())


def test_the_example_in_its_docstring_runs():
    (example,) = doctest.DocTestFinder().find(flattened.flat, globs={"nn": nn, "np": np, "scipy": scipy})
    assert doctest.DocTestRunner(verbose=False).run(example) == (0, len(example.examples))
    assert len(example.examples) == 8


@pytest.mark.parametrize("multiple", [0.1, 10.0])
def test_logistic_regression_ends_where_scikit_learn_does(multiple: float):
    from sklearn.linear_model import LogisticRegression

    inputs, labels = nn.data.iris()
    inputs = inputs.astype(np.float64) - inputs.mean(axis=0)
    theirs = LogisticRegression(C=multiple, solver="newton-cg", tol=1e-10, max_iter=10_000).fit(inputs, labels)
    model = nn.Linear(4, 3, rng=0, dtype=np.float64)
    flat = nn.flat(model)

    def loss() -> ad.Tensor:
        return multiple * F.cross_entropy(model(inputs), labels, reduction="sum") + np.sum(model.weight**2) / 2

    result = minimize(
        flat.objective(loss), flat.value, jac=True, method="L-BFGS-B", options={"ftol": 1e-15, "gtol": 1e-9}
    )
    flat.assign(result.x)
    np.testing.assert_allclose(model.weight.value, theirs.coef_, atol=1e-6)
    np.testing.assert_allclose(ad.softmax(nn.predict(model, inputs), axis=1), theirs.predict_proba(inputs), atol=1e-6)


@pytest.mark.parametrize("method", ["CG", "BFGS", "L-BFGS-B", "TNC", "SLSQP", "Newton-CG"])
def test_the_vector_itself_is_a_good_start(method: str):
    """Each call writes into it: a method that kept it, and not a copy, would lose its place."""
    found = []
    for start in (np.copy, np.asarray):
        model = two_layers()
        flat = nn.flat(model)
        result = minimize(flat.objective(penalised(model)), start(flat.value), jac=True, method=method)
        found.append(result.fun)
    assert found[0] == found[1] == pytest.approx(LEAST, abs=1e-6)


def test_the_gradient_is_the_difference_quotient():
    model = two_layers()
    flat = nn.flat(model)
    at = flat.objective(penalised(model))
    start = flat.value.copy()
    assert check_grad(lambda v: at(v)[0], lambda v: at(v)[1], start) < 1e-6
    assert float(penalised(model)().value) != at(start)[0]  # the model has what was tried last
    assert float(penalised(model)().value) == at(start)[0]


def test_float32_goes_down_too_and_gives_float64():
    model = two_layers(np.float32)
    flat = nn.flat(model)
    objective = flat.objective(penalised(model))
    value, gradient = objective(flat.value)
    assert (type(value), gradient.dtype, flat.value.dtype) == (float, np.float64, np.float32)
    result = minimize(objective, flat.value, jac=True, method="L-BFGS-B")
    assert result.fun == pytest.approx(LEAST, abs=1e-6)
    assert value > LEAST + 0.1
    assert {p.dtype for p in model.parameters()} == {np.dtype(np.float32)}


def test_gradients_are_not_added_up_nor_overwritten():
    model = two_layers()
    flat = nn.flat(model)
    objective = flat.objective(penalised(model))
    start = flat.value.copy()
    first = objective(start)[1]
    kept = first.copy()
    assert not np.array_equal(objective(start + 1)[1], first)
    np.testing.assert_array_equal(first, kept)
    np.testing.assert_array_equal(objective(start)[1], first)


def test_parameters_that_the_loss_does_not_reach_stay():
    model = nn.Sequential(nn.Linear(2, 2, rng=0, dtype=np.float64), nn.Linear(7, 1, rng=0, dtype=np.float64))
    flat = nn.flat(model)
    unused = model[1].weight.value.copy()
    first = model[0]
    objective = flat.objective(lambda: F.cross_entropy(first(X), y))
    everything = flat.objective(lambda: F.cross_entropy(first(X), y) + np.sum(model[1].weight))
    assert np.all(everything(flat.value)[1][6:13] == 1)
    assert not objective(flat.value)[1][6:].any()
    assert model[1].weight.grad is None
    result = minimize(objective, flat.value, jac=True, method="L-BFGS-B")
    flat.assign(result.x)
    np.testing.assert_array_equal(model[1].weight.value, unused)
    assert result.fun == pytest.approx(0.416168, abs=1e-6)


def test_frozen_parameters_are_left_out():
    model = two_layers()
    fixed = model[0].weight.value.copy()
    model[0].freeze()
    flat = nn.flat(model)
    assert flat.value.shape == (3 * 2 + 2,)
    result = minimize(flat.objective(penalised(model)), flat.value, jac=True, method="L-BFGS-B")
    assert result.fun < float(penalised(two_layers())().value)
    np.testing.assert_array_equal(model.unfreeze()[0].weight.value, fixed)
    with pytest.raises(ValueError, match="no parameters to train"):
        nn.flat(two_layers().freeze())


@pytest.mark.parametrize(
    ("vector", "kind", "match"),
    [
        (np.zeros(16), ValueError, r"shape \(17,\); received one of shape \(16,\)"),
        (np.zeros((17, 1)), ValueError, r"received one of shape \(17, 1\)"),
        (0.0, ValueError, r"received one of shape \(\)"),
        (np.zeros(17, complex), TypeError, "received a vector of dtype complex128"),
        (["a"] * 17, TypeError, "received a vector of dtype <U1"),
    ],
)
def test_what_does_not_fit_is_refused_and_changes_nothing(vector: object, kind: type, match: str):
    model = two_layers()
    flat = nn.flat(model)
    before = flat.value.copy()
    with pytest.raises(kind, match=match):
        flat.assign(vector)
    with pytest.raises(kind, match=match):
        flat.objective(penalised(model))(vector)
    np.testing.assert_array_equal(flat.value, before)


def test_a_loss_that_is_not_one_recorded_number_is_refused():
    model = two_layers()
    flat = nn.flat(model)
    for wrong in (lambda: model(X), lambda: 1.0, lambda: None):
        with pytest.raises(TypeError, match=r"one number that depends on the model's parameters"):
            flat.objective(wrong)(flat.value)


def test_a_vector_that_an_optimizer_took_over_says_so():
    model = two_layers()
    flat = nn.flat(model)
    nn.optim.SGD(model.parameters(), lr=0.1)
    with pytest.raises(RuntimeError, match="taken over by another Flat"):
        flat.assign(np.zeros(17))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        nn.flat(model).assign(np.zeros(17))
    assert not any(p.value.any() for p in model.parameters())


def test_a_graph_of_before_an_assignment_is_not_reversed():
    model = two_layers()
    flat = nn.flat(model)
    loss = penalised(model)()
    flat.assign(np.ones(17))
    with pytest.raises(RuntimeError):
        loss.backward()


def test_what_is_no_model_is_refused():
    with pytest.raises(TypeError, match=r"a model is an nn\.Module"):
        nn.flat([1.0])
