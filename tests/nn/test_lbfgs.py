"""L-BFGS: PyTorch's numbers, the strong Wolfe conditions, minima, and its state."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autodiff as ad
import nn
from nn.optim.lbfgs import two_loops
from nn.optim.line_search import Evaluation, strong_wolfe

REFERENCE = json.loads((Path(__file__).parent / "references" / "lbfgs.json").read_text(encoding="utf-8"))


def valley(x: ad.Tensor) -> ad.Tensor:
    return np.sum(10 * (x[1:] - x[:-1] ** 2) ** 2 / (1 + x[1:] ** 2) + (1 - x[:-1]) ** 2)


def start(**options: Any) -> tuple[ad.Tensor, nn.optim.LBFGS, Callable[[], ad.Tensor]]:
    x = ad.Tensor(REFERENCE["start"])
    optimizer = nn.optim.LBFGS([x], **options)

    def closure() -> ad.Tensor:
        optimizer.zero_grad()
        loss = valley(x)
        loss.backward()
        return loss

    return x, optimizer, closure


@pytest.mark.parametrize("name", REFERENCE["cases"])
def test_pytorchs_numbers(name: str):
    case = REFERENCE["cases"][name]
    x, optimizer, closure = start(**case["options"])
    for loss, place in zip(case["losses"], case["places"], strict=True):
        assert optimizer.step(closure).item() == pytest.approx(loss, rel=1e-9)
        np.testing.assert_allclose(x.value, place, rtol=1e-8)
    assert optimizer.evaluations == case["calls"]


def test_a_line_search_finds_the_minimum_of_a_valley():
    x, optimizer, closure = start(max_iter=100, line_search_fn="strong_wolfe")
    optimizer.step(closure)
    assert np.max(np.abs(x.grad)) < 1e-5
    assert optimizer.evaluations < 150


def test_logistic_regression_to_the_minimum_and_a_few_layers_to_full_accuracy():
    X, y = nn.data.gauss(100, rng=0)
    for model, weight in ((nn.Linear(2, 2, rng=0, dtype=np.float64), 0.01), (nn.MLP(2, 8, 2, rng=0), 1e-3)):
        optimizer = nn.optim.LBFGS(model.parameters(), lr=1, line_search_fn="strong_wolfe")

        def closure(model: nn.Module = model, weight: float = weight, optimizer: Any = optimizer) -> ad.Tensor:
            optimizer.zero_grad()
            penalty = weight * nn.functional.l2_penalty(model.parameters())
            loss = nn.functional.cross_entropy(model(X), y) + penalty
            loss.backward()
            return loss

        losses = [optimizer.step(closure).item() for _ in range(4)]
        assert losses == sorted(losses, reverse=True)
        assert nn.metrics.accuracy(model(X), y) == 1
    assert losses[-1] < 0.2


@pytest.mark.parametrize("length", [1e-3, 0.1, 1.0, 30.0])
@pytest.mark.parametrize(
    "phi", [lambda t: -t / (t**2 + 2), lambda t: (t - 3) ** 4 + np.cos(3 * t), lambda t: (t - 1) ** 2]
)
def test_the_strong_wolfe_conditions_hold(phi: Callable[[Any], Any], length: float):
    def at(t: float) -> Evaluation:
        value, slope = ad.value_and_grad(phi)(t)
        return Evaluation(float(value), np.array([float(slope)]))

    first = at(0.0)
    slope = float(first.gradient[0])
    found, t = strong_wolfe(at, first, np.ones(1), length, slope, 1e-12)
    assert found.loss <= first.loss + 1e-4 * t * slope
    assert abs(found.gradient[0]) <= 0.9 * abs(slope)
    assert t > 0


def test_a_line_search_comes_back_from_infinity():
    def at(t: float) -> Evaluation:
        return Evaluation(t * t - t if t < 2 else np.nan, np.array([2 * t - 1 if t < 2 else np.nan]))

    found, t = strong_wolfe(at, at(0.0), np.ones(1), 50.0, -1.0, 1e-12)
    assert found.loss < 0
    assert 0 < t < 1


def test_two_loops_are_the_bfgs_formula():
    rng = np.random.default_rng(0)
    pairs = []
    for _ in range(3):
        s = rng.standard_normal(4)
        pairs.append((s * [1.0, 2, 3, 4], s))
    y, s = pairs[-1]
    H = np.eye(4) * (y @ s) / (y @ y)
    for y, s in pairs:
        V = np.eye(4) - np.outer(s, y) / (y @ s)
        H = V @ H @ V.T + np.outer(s, s) / (y @ s)
    g = rng.standard_normal(4)
    np.testing.assert_allclose(two_loops(g, pairs), -H @ g)


@pytest.mark.parametrize("search", [None, "strong_wolfe"])
def test_a_loaded_state_goes_on_bit_for_bit(search: str | None):
    options = {"lr": 0.5, "max_iter": 4, "history_size": 3, "line_search_fn": search}
    x, optimizer, closure = start(**options)
    optimizer.step(closure)
    state = json.loads(json.dumps(optimizer.state_dict(), default=lambda a: {"array": a.tolist()}))
    assert list(state["state"]) == ["0"]
    other, again, closed = start(lr=9.0)
    again.load_state_dict(optimizer.state_dict())
    other.value = x.value.copy()
    for _ in range(2):
        optimizer.step(closure)
        again.step(closed)
    assert np.array_equal(x.value, other.value)
    assert again.lr == 0.5


def test_what_it_cannot_do_is_answered():
    x, optimizer, closure = start()
    with pytest.raises(TypeError, match=r"write optimizer.step\(closure\), with def closure\(\)"):
        optimizer.step()
    with pytest.raises(RuntimeError, match="the closure gave no parameter an adjoint"):
        optimizer.step(lambda: 0.0)
    with pytest.raises(ValueError, match=r'line_search_fn is None or "strong_wolfe"; received \'wolfe\''):
        nn.optim.LBFGS([x], line_search_fn="wolfe")
    with pytest.raises(ValueError, match=r"one group of parameters.*received 2"):
        nn.optim.LBFGS([{"params": [x]}, {"params": [ad.Tensor(1.0)]}])
    with pytest.raises(ValueError, match=r"0.5 \* weight_decay \* nn.functional.l2_penalty"):
        optimizer.weight_decay = 0.1
    optimizer.step(closure)
    with pytest.raises(ValueError, match=r"have the shape \(1,\).*received \(5,\)"):
        nn.optim.LBFGS([ad.Tensor([1.0])]).load_state_dict(optimizer.state_dict())
    state = optimizer.state_dict()
    del state["state"][0]["t"]
    with pytest.raises(ValueError, match=r"the state has d, func_evals.*Pass what LBFGS.state_dict\(\) gave"):
        optimizer.load_state_dict(state)
    model = nn.Linear(4, 3)
    with pytest.raises(TypeError, match=r"nn\.fit goes through mini-batches"):
        nn.fit(model, (np.ones((6, 4)), np.arange(6) % 3), "cross_entropy", nn.optim.LBFGS(), verbose=False)
