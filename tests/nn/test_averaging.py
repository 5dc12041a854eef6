"""Running means of the weights: their numbers, in a loop of one's own, in fit, and after a resumption."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nn

X = np.random.default_rng(0).standard_normal((12, 4)).astype(np.float32)
y = np.arange(12) % 3


def fitted(**options: Any) -> tuple[nn.MLP, nn.ExponentialMovingAverage]:
    model, average = nn.MLP(4, 5, 3, rng=0), nn.ExponentialMovingAverage(0.8)
    nn.fit(
        model, (X, y), nn.CrossEntropyLoss(), "adam", batch_size=4, callbacks=[average], rng=0, verbose=False, **options
    )
    return model, average


def test_a_mean_of_the_parameters():
    model, average = nn.Linear(4, 3, rng=0), nn.ExponentialMovingAverage(0.75)
    first = model.weight.value.copy()
    average.update(model)
    model.weight.value = first + 1
    average.update(model)
    np.testing.assert_allclose(average.averages["weight"], first + 0.25, rtol=1e-6)
    assert average.averages["weight"].dtype == np.float32
    with average.applied(model):
        np.testing.assert_array_equal(model.weight.value, average.averages["weight"])
    np.testing.assert_array_equal(model.weight.value, first + 1)


def test_the_numbers_are_those_of_pytorch():
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    averaging = pytest.importorskip("torch.optim.swa_utils", reason="PyTorch is not installed")
    ours, theirs = nn.Linear(4, 3, rng=0), torch.nn.Linear(4, 3)
    mean = averaging.AveragedModel(theirs, multi_avg_fn=averaging.get_ema_multi_avg_fn(0.9))
    average = nn.ExponentialMovingAverage(0.9)
    for seed in range(4):
        values = np.random.default_rng(seed).standard_normal((3, 4)).astype(np.float32)
        ours.weight.value = values
        theirs.weight.data = torch.from_numpy(values)
        average.update(ours)
        mean.update_parameters(theirs)
    np.testing.assert_allclose(average.averages["weight"], mean.module.weight.detach().numpy(), rtol=1e-6)


def test_fit_ends_with_the_means():
    seen = []
    model, average = fitted(epochs=2)
    nn.fit(nn.MLP(4, 5, 3, rng=0), (X, y), nn.CrossEntropyLoss(), "adam", epochs=2, batch_size=4, rng=0, verbose=False,
           callbacks=[Kept(seen)])  # fmt: skip
    mean = seen[0]
    for value in seen[1:]:
        mean = 0.8 * mean + 0.2 * value
    np.testing.assert_allclose(model[0].weight.value, mean, rtol=1e-5)
    np.testing.assert_array_equal(model[0].weight.value, average.averages["0.weight"])


class Kept(nn.Callback):
    def __init__(self, seen: list[np.ndarray]) -> None:
        self.seen = seen

    def on_batch_end(self, training: Any) -> None:
        self.seen.append(training.model[0].weight.value.copy())


def test_a_resumed_training_goes_on_with_its_means(tmp_path: Path):
    whole, _ = fitted(epochs=3)
    fitted(epochs=2, checkpoint=tmp_path / "run.safetensors")
    resumed, _ = fitted(epochs=3, resume=tmp_path / "run.safetensors")
    for p, q in zip(whole.parameters(), resumed.parameters(), strict=True):
        np.testing.assert_array_equal(p.value, q.value)


def test_another_model_is_refused():
    average = nn.ExponentialMovingAverage()
    average.update(nn.Linear(4, 3))
    with pytest.raises(ValueError, match=r"mean of shape \(3, 4\) for weight.*Make a new one"):
        average.update(nn.Linear(4, 2))
    with pytest.raises(ValueError, match="decay is a number from 0 to below 1"):
        nn.ExponentialMovingAverage(1.0)
