"""Networks on a device: what is trained there is what is trained here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from foreign import Foreign

import nn

DIGITS = np.random.default_rng(0).standard_normal((60, 1, 12, 12)).astype(np.float32)
LABELS = np.random.default_rng(1).integers(0, 10, 60)


def perceptron() -> nn.Module:
    return nn.Sequential(
        nn.Flatten(), nn.Linear(144, 32, rng=0), nn.ReLU(), nn.Dropout(0.2, rng=3), nn.Linear(32, 10, rng=1)
    )


def lenet() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2, rng=0), nn.Tanh(), nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 3, rng=1), nn.ReLU(), nn.AvgPool2d(2),
        nn.Flatten(), nn.Linear(64, 20, rng=2), nn.Tanh(), nn.Linear(20, 10, rng=3),
    )  # fmt: skip


def trained(model: nn.Module, optimizer: Callable[..., Any]) -> tuple[nn.Module, Any]:
    history = nn.fit(
        model, (DIGITS, LABELS), loss="cross_entropy", optimizer=optimizer, epochs=2, batch_size=16, metrics="accuracy",
        validation=0.2, rng=5, verbose=False,
    )  # fmt: skip
    return model, history


OPTIMIZERS = [
    lambda p: nn.optim.Adam(p, lr=1e-2),
    lambda p: nn.optim.AdamW(p, lr=1e-2, amsgrad=True),
    lambda p: nn.optim.SGD(p, lr=1e-2, momentum=0.9, nesterov=True, weight_decay=1e-3),
]


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("made", [perceptron, lenet])
def test_a_training_on_the_device_is_the_one_on_the_host(made: Callable[[], nn.Module], optimizer: Any) -> None:
    here, history = trained(made(), optimizer)
    there, history_there = trained(made().to("foreign"), optimizer)
    for (name, p), (_, q) in zip(here.named_parameters(), there.named_parameters(), strict=True):
        assert type(q.value) is Foreign, name
        np.testing.assert_allclose(q.value.get(), p.value, rtol=1e-4, atol=1e-6)
    assert [*history] == [*history_there]
    np.testing.assert_allclose(history["loss"], history_there["loss"], rtol=1e-5)
    np.testing.assert_allclose(history["validation_accuracy"], history_there["validation_accuracy"])
