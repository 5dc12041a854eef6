"""What is changed between the steps of a TrainStep, or of a compiled `fit`, counts from then on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import nn

X = np.random.default_rng(0).normal(size=(8, 3)).astype(np.float32)
Y = np.arange(8) % 2
Change = Callable[[nn.Sequential, nn.CrossEntropyLoss], object]


def freeze(model: nn.Sequential, loss: nn.CrossEntropyLoss) -> None:
    model[0].freeze()


def drop_less(model: nn.Sequential, loss: nn.CrossEntropyLoss) -> None:
    model[2].p = 0.1


def draw_anew(model: nn.Sequential, loss: nn.CrossEntropyLoss) -> None:
    model[2].rng = np.random.default_rng(7)


def smooth(model: nn.Sequential, loss: nn.CrossEntropyLoss) -> None:
    loss.label_smoothing = 0.3


def trained(change: Change, compiled: bool) -> tuple[list[float], nn.Sequential]:
    """The losses of two steps, a change, and two steps more; and the model."""
    model = nn.Sequential(nn.Linear(3, 4, rng=0), nn.Tanh(), nn.Dropout(0.5, rng=3), nn.Linear(4, 2, rng=1))
    loss, optimizer = nn.CrossEntropyLoss(), nn.optim.Adam(model.parameters(), lr=0.05)

    def by_hand(x: Any, y: Any) -> float:
        optimizer.zero_grad()
        value = loss(model(x), y)
        value.backward()
        optimizer.step()
        return float(value.value)

    step = nn.TrainStep(model, loss, optimizer) if compiled else by_hand
    losses = [step(X, Y), step(X, Y)]
    change(model, loss)
    return [*losses, step(X, Y), step(X, Y)], model


@pytest.mark.parametrize("change", [freeze, drop_less, draw_anew, smooth], ids=lambda change: change.__name__)
def test_a_step_sees_what_was_changed_since_the_last_one(change: Change) -> None:
    (expected, by_hand), (found, model) = (trained(change, compiled) for compiled in (False, True))
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    model[0].unfreeze()
    by_hand[0].unfreeze()
    np.testing.assert_allclose(model[0].weight.value, by_hand[0].weight.value, rtol=1e-4, atol=1e-6)


class Frozen(nn.Callback):
    """Freezes a layer when the second epoch begins, and unfreezes it when the third does, maybe for the optimizer."""

    def __init__(self, layer: nn.Linear, given: bool) -> None:
        self.layer, self.given = layer, given
        self.seen: list[Any] = []

    def on_epoch_begin(self, training: Any) -> None:
        if training.epoch == 2 and not self.given:
            self.layer.freeze()
        if training.epoch == 3:
            self.seen.append(np.array(self.layer.weight))
            self.layer.unfreeze()
            if self.given:
                training.optimizer.add_param_group({"params": self.layer.parameters(), "lr": 0.1})

    def on_epoch_end(self, training: Any) -> None:
        weight = self.layer.weight
        self.seen.append(np.array(weight if isinstance(weight, np.ndarray) else weight.value))


@pytest.mark.parametrize("given", [False, True], ids=["frozen for an epoch", "given to the optimizer late"])
@pytest.mark.parametrize("compiled", [False, True])
def test_fit_freezes_and_unfreezes_in_the_middle(compiled: bool, given: bool) -> None:
    model = nn.MLP(3, 4, 2, rng=0)
    layer = next(module for module in model.modules() if isinstance(module, nn.Linear))
    if given:
        layer.freeze()
    frozen = Frozen(layer, given)
    nn.fit(
        model, X, Y, loss="cross_entropy", optimizer="adam", epochs=3, callbacks=[frozen], compiled=compiled,
        verbose=False,
    )  # fmt: skip
    first, second, at_third, third = frozen.seen
    assert np.array_equal(first, second)
    assert np.array_equal(second, at_third)
    assert not np.array_equal(at_third, third)


def test_a_step_goes_on_after_its_optimizer_was_given_a_group() -> None:
    model = nn.Sequential(nn.Linear(3, 4, rng=0), nn.Linear(4, 2, rng=1))
    model[0].freeze()
    optimizer = nn.optim.SGD(model.parameters(), lr=0.1)
    step = nn.TrainStep(model, nn.CrossEntropyLoss(), optimizer)
    step(X, Y)
    model[0].unfreeze()
    optimizer.add_param_group({"params": model[0].parameters()})
    before = model[0].weight.value.copy()
    step(X, Y)
    assert not np.array_equal(model[0].weight.value, before)


class Head(nn.Module):
    """A body that heads share, with one of them."""

    def __init__(self, body: nn.Linear, head: nn.Linear) -> None:
        self.body, self.head = body, head

    def forward(self, x: Any) -> Any:
        return self.head(np.tanh(self.body(x)))


def test_steps_that_share_an_optimizer_leave_the_adjoints_of_their_own_parameters() -> None:
    body = nn.Linear(3, 4, rng=0)
    heads = [Head(body, nn.Linear(4, 2, rng=k)) for k in (1, 2)]
    optimizer = nn.optim.SGD([*body.parameters(), *heads[0].head.parameters(), *heads[1].head.parameters()], lr=0.1)
    steps = [nn.TrainStep(head, nn.CrossEntropyLoss(), optimizer) for head in heads]
    with pytest.warns(UserWarning, match="no gradient has reached"):
        steps[0](X, Y)
    for k in (1, 0, 1, 0, 1):
        steps[k](X, Y)
    assert optimizer.flat.tensors[2].retained is None  # the first head's
    assert optimizer.flat.tensors[4].retained is not None


class Difference(nn.Module):
    """A model of two inputs that have names."""

    def __init__(self) -> None:
        self.left, self.right = nn.Linear(3, 2, rng=0), nn.Linear(3, 2, rng=1)

    def forward(self, a: Any, b: Any) -> Any:
        return self.left(a) - self.right(b)


def test_inputs_with_names_may_come_in_any_order() -> None:
    losses = []
    for second in ({"a": X, "b": 2 * X[::-1]}, {"b": 2 * X[::-1], "a": X}):
        model = Difference()
        step = nn.TrainStep(model, nn.CrossEntropyLoss(), nn.optim.SGD(model.parameters(), lr=0.1))
        losses.append([step({"a": X, "b": 2 * X[::-1]}, Y), step(second, Y)])
    assert losses[0] == losses[1]


def test_lists_are_taken_as_arrays() -> None:
    losses = []
    for x, y in ((X, Y), (X.tolist(), Y.tolist())):
        model = nn.MLP(3, 4, 2, rng=0)
        step = nn.TrainStep(model, nn.CrossEntropyLoss(), nn.optim.SGD(model.parameters(), lr=0.1))
        losses.append([step(x, y), step(x, y)])
    assert losses[0] == losses[1]


def test_a_program_is_made_once_while_nothing_is_changed() -> None:
    model = nn.Sequential(nn.Linear(3, 4, rng=0), nn.BatchNorm1d(4), nn.Dropout(rng=1), nn.Linear(4, 2, rng=2))
    step = nn.TrainStep(model, nn.CrossEntropyLoss(), nn.optim.Adam(model.parameters()))
    sources = set()
    for _ in range(4):
        step(X, Y)
        sources.add(id(step.program))
    assert len(sources) == 1


@pytest.mark.parametrize("name", ["clip_norm", "clip_value"])
def test_clipping_may_be_changed_between_steps(name: str) -> None:
    model = nn.MLP(3, 4, 2, rng=0)
    step = nn.TrainStep(model, nn.CrossEntropyLoss(), nn.optim.SGD(model.parameters(), lr=0.1))
    step(X, Y)
    setattr(step, name, 1e-9)
    assert getattr(step, name) == 1e-9
    before = [p.value.copy() for p in model.parameters()]
    step(X, Y)
    for p, value in zip(model.parameters(), before, strict=True):
        np.testing.assert_allclose(p.value, value, atol=1e-7)
    setattr(step, name, None)
    step(X, Y)
    assert not np.allclose(next(model.parameters()).value, before[0], atol=1e-5)
    with pytest.raises(ValueError, match=f"TrainStep: {name}"):
        setattr(step, name, -1.0)
