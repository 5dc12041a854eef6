"""fit(..., compiled=True): the same training, to rounding; stopped and resumed, bit for bit; refused with its place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autodiff as ad
import nn
from nn import optim

X, Y = nn.data.moons(90, rng=0)


def network() -> nn.Module:
    return nn.Sequential(
        nn.Linear(2, 16, bias=False, rng=0),
        nn.BatchNorm1d(16),
        nn.ReLU(),
        nn.Dropout(0.2, rng=1),
        nn.Linear(16, 2, rng=2),
    )


def trained(compiled: bool, model: Any = None, **options: Any) -> tuple[Any, Any]:
    model = model or network()
    given: dict[str, Any] = {
        "loss": "cross_entropy",
        "optimizer": lambda parameters: optim.AdamW(parameters, lr=0.02),
        "epochs": 4,
        "batch_size": 16,  # 90 = 5 · 16 + 10
        "metrics": "accuracy",
        "rng": 0,
        "verbose": False,
        "compiled": compiled,
    }
    return model, nn.fit(model, (X, Y), **(given | options))


def agree(first: tuple[Any, Any], second: tuple[Any, Any]) -> None:
    for (name, a), b in zip(first[0].state_dict().items(), second[0].state_dict().values(), strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-4, atol=2e-5, err_msg=name)
    for name, column in first[1].columns.items():
        np.testing.assert_allclose(column, second[1].columns[name], rtol=2e-4, err_msg=name)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"validation": 0.2, "schedule": lambda o: optim.CosineAnnealingLR(o, 4)},
        {"schedule": lambda o: optim.OneCycleLR(o, 0.05, total_steps=24), "clip_norm": 0.5},
        {"accumulate": 3, "clip_value": 0.1},
        {"sample_weight": np.linspace(0, 2, 90)},
        {"loss": nn.CrossEntropyLoss(weight=[1.0, 3.0], label_smoothing=0.1)},
        {"optimizer": "sgd"},
    ],
    ids=lambda options: ", ".join(options) or "plain",
)
def test_it_is_the_same_training(options: dict[str, Any]) -> None:
    agree(trained(True, **options), trained(False, **options))


def test_several_inputs_and_outputs() -> None:
    class Two(nn.Module):
        def __init__(self) -> None:
            self.a, self.b = nn.Linear(1, 2, rng=0), nn.Linear(1, 2, rng=1)

        def forward(self, a: Any, b: Any) -> Any:
            return {"sum": self.a(a) + self.b(b), "b": self.b(b)}

    def loss(outputs: Any, targets: Any) -> Any:
        return nn.functional.cross_entropy(outputs["sum"], targets) + 0.1 * np.mean(outputs["b"] ** 2)

    models = []
    for compiled in (True, False):
        models.append(Two())
        data = {"a": X[:, :1], "b": X[:, 1:]}, Y
        nn.fit(models[-1], data, loss, "adam", epochs=3, rng=0, verbose=False, compiled=compiled)
    for a, b in zip(*(m.state_dict().values() for m in models), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


class Stop(nn.Callback):
    """Ends a training after so many batches."""

    def __init__(self, batches: int) -> None:
        self.left = batches

    def on_batch_end(self, training: Any) -> None:
        self.left -= 1
        if not self.left:
            raise KeyboardInterrupt


@pytest.mark.parametrize("batches", [6, 8])
def test_stopped_and_resumed_it_is_the_same_bit_for_bit(tmp_path: Path, batches: int) -> None:
    options: dict[str, Any] = {"schedule": lambda o: optim.ExponentialLR(o, 0.9)}
    whole, _ = trained(True, **options)
    file = tmp_path / "state"
    trained(True, checkpoint=file, checkpoint_every=1, callbacks=[Stop(batches)], **options)
    rest, _ = trained(True, resume=file, **options)
    for (name, a), b in zip(whole.state_dict().items(), rest.state_dict().values(), strict=True):
        np.testing.assert_array_equal(a, b, err_msg=name)
    with pytest.raises(ValueError, match="compiled True, now None"):
        trained(False, resume=file, **options)


def test_the_order_of_draws_is_the_eager_one() -> None:
    first, second = trained(True)[0], trained(False)[0]
    for (_, a), (_, b) in zip(first.named_generators(), second.named_generators(), strict=True):
        assert a.bit_generator.state == b.bit_generator.state


class Branching(nn.Module):
    def __init__(self) -> None:
        self.layer = nn.Linear(2, 2, rng=0)

    def forward(self, x: Any) -> Any:
        y = self.layer(x)
        return y if np.sum(y) > 0 else -y


def test_what_cannot_be_compiled_is_refused_with_its_line() -> None:
    with pytest.raises(ad.Untraceable, match=r"test_compiled_fit.py, line \d+ \(return y if np.sum") as caught:
        trained(True, model=Branching())
    assert "leave out compiled=True" in caught.value.__notes__[0]


def test_divergence_is_explained_and_undone() -> None:
    found = []
    for compiled in (True, False):
        model = nn.Sequential(nn.Linear(2, 2, rng=0), nn.Linear(2, 2, rng=1))
        x = X.copy()
        x[70] = np.nan
        with pytest.raises(nn.DivergedError, match="NaNs or infinities in this batch's X") as caught:
            nn.fit(model, (x, Y), "cross_entropy", "sgd", epochs=1, shuffle=False, verbose=False, compiled=compiled)
        assert caught.value.explanation is not None
        found.append(model.state_dict())
    for name, value in found[1].items():
        np.testing.assert_allclose(found[0][name], value, rtol=1e-6, atol=1e-7)
        assert np.isfinite(value).all()


def test_frozen_layers_and_shared_parameters_stay_so() -> None:
    def body() -> Any:
        model = network()
        model[0].freeze()
        return model

    first, second = (trained(compiled, model=body()) for compiled in (True, False))
    agree(first, second)
    np.testing.assert_array_equal(first[0].state_dict()["0.weight"], network().state_dict()["0.weight"])
