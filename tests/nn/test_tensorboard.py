"""nn.TensorBoard: what is in the event files is the history."""

from __future__ import annotations

import builtins
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nn

pytest.importorskip("tensorboardX", reason="it writes the files")
from tensorboardX.proto.event_pb2 import Event

X = np.random.default_rng(0).standard_normal((40, 3)).astype(np.float32)
y = (X[:, 0] > 0).astype(int)


def events(folder: Path) -> list[Any]:
    """The records of an event file: their length, its checksum, an Event, its checksum."""
    found = []
    for path in folder.iterdir():
        data = path.read_bytes()
        while data:
            (length,) = struct.unpack("<Q", data[:8])
            found.append(Event.FromString(data[12 : 12 + length]))
            data = data[16 + length :]
    return found


def scalars(folder: Path) -> dict[str, list[tuple[int, float]]]:
    columns: dict[str, list[tuple[int, float]]] = {}
    for event in events(folder):
        for value in event.summary.value:
            if value.HasField("simple_value"):
                columns.setdefault(value.tag, []).append((event.step, value.simple_value))
    return columns


def test_each_epoch_is_in_the_files(tmp_path: Path):
    model = nn.MLP(3, 4, 2, rng=0)
    history = nn.fit(
        model,
        (X, y),
        "cross_entropy",
        nn.optim.Adam(model.parameters(), lr=0.01),
        metrics="accuracy",
        validation=0.25,
        epochs=3,
        rng=0,
        schedule=lambda optimizer: nn.optim.StepLR(optimizer, 1, 0.5),
        callbacks=nn.TensorBoard(tmp_path / "first", histograms=True),
        verbose=False,
    )
    training, validation = scalars(tmp_path / "first/training"), scalars(tmp_path / "first/validation")
    for name, column in history.columns.items():
        found = (validation if name.startswith("validation_") else training)[name.removeprefix("validation_")]
        assert [step for step, _ in found] == [1, 2, 3]
        np.testing.assert_allclose([value for _, value in found], column, rtol=1e-6)
    np.testing.assert_allclose([value for _, value in training["learning_rate"]], [0.005, 0.0025, 0.00125], rtol=1e-6)
    drawn = {v.tag for e in events(tmp_path / "first/training") for v in e.summary.value if v.HasField("histo")}
    assert drawn == {name for name, _ in model.named_parameters()}


def test_without_the_package_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    found = builtins.__import__

    def without(name: str, *args: Any) -> Any:
        if name == "tensorboardX":
            raise ImportError(name)
        return found(name, *args)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match="pip install tensorboardX"):
        nn.TensorBoard(tmp_path)
