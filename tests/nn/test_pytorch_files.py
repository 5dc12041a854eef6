"""Weights saved by PyTorch load, and give its outputs; files written here have what PyTorch looks for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open

import nn

FILE = Path(__file__).parent / "references" / "weights.safetensors"


def convolutional() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(2, 4, 3, padding=1, stride=2),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.Conv2d(4, 4, (1, 3), groups=2, bias=False),
        nn.MaxPool2d(2, 1),
        nn.Flatten(),
        nn.Linear(4 * 3 * 1, 5),
        nn.BatchNorm1d(5),
        nn.GELU(),
        nn.LayerNorm(5),
        nn.Linear(5, 3),
        nn.LogSoftmax(),
    )


def words() -> nn.Module:
    return nn.Sequential(nn.Embedding(7, 4), nn.Flatten(), nn.Linear(12, 2))


def family() -> nn.Module:
    return nn.Sequential(
        nn.ConvTranspose2d(2, 4, 3, stride=2, padding=1, output_padding=1),
        nn.GroupNorm(2, 4),
        nn.PReLU(4),
        nn.Conv2d(4, 3, 3, padding=1, padding_mode="circular"),
        nn.InstanceNorm2d(3, affine=True, track_running_stats=True),
        nn.Mish(),
        nn.AdaptiveMaxPool2d(2),
        nn.Flatten(2),
        nn.Conv1d(3, 2, 2, groups=1, bias=False),
        nn.Flatten(),
        nn.RMSNorm(6),
        nn.Linear(6, 3),
    )


@pytest.mark.parametrize("make", [convolutional, words, family])
def test_pytorchs_weights_give_pytorchs_outputs(make, tmp_path: Path):
    everything = nn.load(FILE)
    prefix = f"{make.__name__}."
    state = {name.removeprefix(prefix): value for name, value in everything.items() if name.startswith(prefix)}
    model = make()
    assert model.load_state_dict(state) == ([], [])
    x, theirs = everything[f"{make.__name__}/input"], everything[f"{make.__name__}/output"]
    ours = nn.predict(model, x)
    assert ours.dtype == theirs.dtype == np.float32
    assert np.allclose(ours, theirs, rtol=1e-5, atol=1e-6)

    nn.save(model, tmp_path / "back.safetensors")  # names, dtypes and shapes as in PyTorch's own file
    with safe_open(tmp_path / "back.safetensors", framework="np") as back:
        assert {name: (back.get_slice(name).get_dtype(), back.get_slice(name).get_shape()) for name in back.keys()} == {  # noqa: SIM118
            name: (kind, shape) for name, (kind, shape) in _kinds(prefix).items()
        }


def _kinds(prefix: str) -> dict[str, tuple[str, list[int]]]:
    with safe_open(FILE, framework="np") as file:
        return {
            name.removeprefix(prefix): (file.get_slice(name).get_dtype(), file.get_slice(name).get_shape())
            for name in file.keys()  # noqa: SIM118
            if name.startswith(prefix)
        }
