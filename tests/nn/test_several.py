"""Models of several inputs and several outputs: trained, evaluated, asked and summed up."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nn
import nn.functional as F

rng = np.random.default_rng(0)
A = rng.standard_normal((24, 3)).astype(np.float32)
B = rng.standard_normal((24, 2))  # float64: converted to the model's dtype
LABELS = (A[:, 0] > 0).astype(int)
AMOUNT = (A.sum(axis=1) + B.sum(axis=1))[:, None]


class Net(nn.Module):
    def __init__(self) -> None:
        self.a, self.b = nn.Linear(3, 8, rng=0), nn.Linear(2, 8, rng=1)
        self.label, self.amount = nn.Linear(8, 2, rng=2), nn.Linear(8, 1, rng=3)

    def forward(self, a: Any, b: Any) -> Any:
        h = np.tanh(self.a(a) + self.b(b))
        return {"label": self.label(h), "amount": self.amount(h)}


class Pair(Net):
    def forward(self, a: Any, b: Any) -> Any:
        return tuple(super().forward(a, b).values())


class One(nn.Module):
    def __init__(self) -> None:
        self.a, self.b, self.label = nn.Linear(3, 8, rng=0), nn.Linear(2, 8, rng=1), nn.Linear(8, 2, rng=2)

    def forward(self, a: Any, b: Any) -> Any:
        return self.label(np.tanh(self.a(a) + self.b(b)))


def of_dicts(outputs: Any, targets: Any) -> Any:
    return F.cross_entropy(outputs["label"], targets["label"]) + F.mse_loss(outputs["amount"], targets["amount"])


def of_tuples(outputs: Any, targets: Any) -> Any:
    return F.cross_entropy(outputs[0], targets[0]) + F.mse_loss(outputs[1], targets[1])


DICTS = {"a": A, "b": B}, {"label": LABELS, "amount": AMOUNT}
TUPLES = (A, B), (LABELS, AMOUNT)


def train(model: nn.Module, data: Any, loss: Any, **options: Any) -> nn.History:
    given = {"epochs": 4, "batch_size": 5, "rng": 0, "verbose": False} | options
    return nn.fit(model, data, loss, lambda parameters: nn.optim.Adam(parameters, lr=0.02), **given)


def test_dicts_and_tuples_train_alike():
    by_name, by_place = Net(), Pair()
    first = train(by_name, DICTS, of_dicts, validation=0.25)
    second = train(by_place, TUPLES, of_tuples, validation=0.25)
    assert first["loss"] == second["loss"]
    assert first["validation_loss"] == second["validation_loss"]
    assert first["loss"][-1] < first["loss"][0]
    found, pair = nn.predict(by_name, DICTS[0], batch_size=7), nn.predict(by_place, TUPLES[0])
    assert {name: y.shape for name, y in found.items()} == {"label": (24, 2), "amount": (24, 1)}
    assert found["label"].dtype == np.float32
    np.testing.assert_allclose(found["amount"], pair[1], rtol=1e-5, atol=1e-6)
    assert nn.evaluate(by_name, DICTS, of_dicts) == nn.evaluate(by_place, TUPLES, of_tuples)


def test_several_inputs_and_one_output_by_the_names_of_losses():
    history = train(One(), ((A, B), LABELS), "cross_entropy", metrics="accuracy", epochs=8)
    assert history["loss"][-1] < history["loss"][0]
    assert set(nn.evaluate(One(), ((A, B), LABELS), nn.CrossEntropyLoss(), "accuracy")) == {"loss", "accuracy"}


def test_a_loader_gives_dicts_and_tuples():
    loader = nn.data.DataLoader(DICTS[0], LABELS, batch_size=10, shuffle=True, rng=0)
    x, y = next(iter(loader))
    assert {name: a.shape for name, a in x.items()} == {"a": (10, 3), "b": (10, 2)}
    place = [np.flatnonzero((row == A).all(axis=1))[0] for row in x["a"]]
    np.testing.assert_array_equal(x["b"], B[place])
    np.testing.assert_array_equal(y, LABELS[place])
    history = train(One(), loader, nn.CrossEntropyLoss(), batch_size=None)
    assert len(history) == 4


def test_a_stopped_training_goes_on(tmp_path: Path):
    whole = train(Net(), DICTS, of_dicts)
    train(Net(), DICTS, of_dicts, epochs=2, checkpoint=tmp_path / "run.safetensors")
    resumed = train(Net(), DICTS, of_dicts, resume=tmp_path / "run.safetensors")
    assert resumed["loss"] == whole["loss"]


@pytest.mark.parametrize("given", [{"a": 3, "b": (2,)}, [(3,), (2,)], {"a": A, "b": B}])
def test_summary(given: Any):
    rows = {row.name: row.shape for row in Net().summary(given).rows}
    assert rows["b"] == (8,)
    assert rows[""] == {"label": (2,), "amount": (1,)}


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: train(Net(), ({"a": A, "b": B[:5]}, LABELS), of_dicts), ValueError, r"the same number.*b: \(5, 2\)"),
        (lambda: train(Pair(), DICTS, of_dicts), TypeError, "a dict of 2 arrays, are for a model that gives as many"),
        (lambda: train(One(), TUPLES, of_tuples), TypeError, "Let forward return a tuple"),
        (lambda: train(Net(), DICTS, nn.CrossEntropyLoss()), TypeError, "a cross-entropy takes one array"),
        (lambda: train(Net(), ({"a": A, "b": "xy"}, LABELS), of_dicts), TypeError, "each of several"),
    ],
)
def test_what_is_refused(call: Any, error: type[Exception], words: str):
    with pytest.raises(error, match=words):
        call()
