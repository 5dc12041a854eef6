"""Pictures: a graph is read, laid out, written as SVG or as a page. No peer draws values and adjoints."""

from __future__ import annotations

import random
from collections.abc import Iterator

import numpy as np

import autodiff as ad
import nn
from benchmarks.operations import Row

OPERATIONS = (np.add, np.multiply, np.maximum)


def pictures() -> Iterator[Row]:
    """A folded and an open model, random graphs of 60 and 1,000 cards, and 100,000 values in 60 cards."""
    with np.errstate(over="ignore", invalid="ignore"):
        small, middle, large = (_recorded(values) for values in (60, 1000, 100_000))
        model = nn.MLP(2, 16, 16, 1, rng=0, dtype=np.float64)
        loss = nn.MSELoss()(model(np.linspace(-1, 1, 64).reshape(32, 2)), np.ones((32, 1)))
        step = _trained()
        yield "draw a model, MLP 2-16-16-1, all scopes open", {"autodiff": lambda: ad.draw(loss)}, 1, 1
        yield "a page that opens, training step of an MLP 64-32-16-10", {"autodiff": lambda: ad.draw(step).html}, 1, 1
        yield "draw 60 cards with their local partials", {"autodiff": lambda: ad.draw(small)}, 1, 1
        yield "draw 1,000 cards", {"autodiff": lambda: ad.draw(middle, max_cards=1000)}, 1, 1
        yield "draw 100,000 values in 60 cards", {"autodiff": lambda: ad.draw(large)}, 1, 1
        yield "a stepper's page, 60 cards", {"autodiff": lambda: ad.steps(small).html}, 1, 1
        yield "trace 1,000 values", {"autodiff": lambda: str(ad.trace(middle))}, 1, 1
        yield "trace 100,000 values", {"autodiff": lambda: str(ad.trace(large))}, 1, 1


def _trained() -> ad.Tensor:
    """The loss of a training step, drawn before the parameters move."""
    rng = np.random.default_rng(0)
    model = nn.MLP(64, 32, 16, 10, rng=0)
    loss = nn.CrossEntropyLoss()(model(rng.normal(size=(32, 64))), rng.integers(0, 10, 32))
    loss.backward()
    return loss


def _recorded(values: int) -> ad.Tensor:
    """A random graph of `values` values: each is computed from the one before and a recent one."""
    choose = random.Random(0)  # noqa: S311  # a graph, not a secret
    recent = [ad.Tensor(choose.random(), name=f"x{k}") for k in range(5)]
    y = recent[0]
    for _ in range(values - 5):
        y = choose.choice(OPERATIONS)(y, choose.choice(recent))
        recent = [*recent[-9:], y]
    return y
