"""ONNX files: onnxruntime computes what the model does, for any batch; what has no counterpart is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nn

pytest.importorskip("onnx", reason="onnx is not installed")
runtime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
rng = np.random.default_rng(0)
IMAGES = rng.standard_normal((3, 2, 12, 12)).astype(np.float32)
ROWS = rng.standard_normal((3, 6)).astype(np.float32)
STEPS = rng.standard_normal((3, 5, 6)).astype(np.float32)

MODELS: dict[str, tuple[Any, np.ndarray]] = {
    "MLP": (lambda: nn.MLP(6, 8, 3, rng=0), ROWS),
    "norms": (
        lambda: nn.Sequential(
            nn.Linear(6, 8, rng=0), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.5), nn.Linear(8, 4, rng=1),
            nn.LayerNorm(4), nn.Softmax(),
        ),
        ROWS,
    ),
    "conv net": (
        lambda: nn.Sequential(
            nn.Conv2d(2, 4, 3, padding=1, rng=0), nn.BatchNorm2d(4), nn.GELU(), nn.MaxPool2d(2),
            nn.Conv2d(4, 6, 3, stride=2, groups=2, rng=1), nn.SiLU(), nn.AvgPool2d(2, padding=1), nn.Flatten(),
            nn.Linear(24, 3, rng=2), nn.LogSoftmax(),
        ),
        IMAGES,
    ),
    "global mean": (
        lambda: nn.Sequential(
            nn.Conv2d(2, 4, 3, rng=0), nn.GroupNorm(2, 4), nn.LeakyReLU(0.1), nn.AdaptiveAvgPool2d(1), nn.Flatten()
        ),
        IMAGES,
    ),
    "signals": (
        lambda: nn.Sequential(nn.Conv1d(5, 4, 3, padding="same", rng=0), nn.MaxPool1d(2, ceil_mode=True),
                              nn.AvgPool1d(2, padding=1, count_include_pad=False)),
        STEPS,
    ),
    "steps": (
        lambda: nn.Sequential(nn.Linear(6, 4, rng=0), nn.LayerNorm(4), nn.RMSNorm(4), nn.GELU("tanh"),
                              lambda x: x.mean(axis=1)[:, None] * 2 - x[:, 1:3]),
        STEPS,
    ),
    "skip": (lambda: nn.Residual(nn.Linear(6, 6, rng=0), nn.Sigmoid(), nn.Linear(6, 6, bias=False, rng=1)), ROWS),
}  # fmt: skip


def run(path: Path, inputs: dict[str, np.ndarray]) -> list[np.ndarray]:
    options = runtime.SessionOptions()
    options.log_severity_level = 3
    return runtime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"]).run(None, inputs)


@pytest.mark.parametrize("name", MODELS)
def test_onnxruntime_computes_the_same_for_any_batch(name: str, tmp_path: Path):
    make, example = MODELS[name]
    model = make()
    model(example)  # in training: running statistics that are not 0 and 1
    nn.export(model, tmp_path / "model.onnx", example)
    for batch in (example, example[:1], np.concatenate([example, 2 * example, -example])):
        found = run(tmp_path / "model.onnx", {"x": batch})[0]
        np.testing.assert_allclose(found, nn.predict(model, batch), rtol=1e-5, atol=1e-5)
        assert found.dtype == np.float32
    assert model.training


class Two(nn.Module):
    def __init__(self) -> None:
        self.a, self.b = nn.Linear(6, 4, rng=0), nn.Linear(6, 4, rng=1)

    def forward(self, a: Any, b: Any) -> Any:
        h = np.tanh(self.a(a) + self.b(b))
        return {"sum": h.sum(axis=1), "whole": h}


def test_several_inputs_and_outputs_have_their_names(tmp_path: Path):
    model, inputs = Two(), {"a": ROWS, "b": ROWS[::-1].copy()}
    nn.export(model, tmp_path / "model.onnx", inputs)
    for found, wanted in zip(run(tmp_path / "model.onnx", inputs), nn.predict(model, inputs).values(), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-5)


def test_float64_stays(tmp_path: Path):
    model = nn.MLP(6, 4, 2, rng=0, dtype=np.float64)
    nn.export(model, tmp_path / "model.onnx", ROWS.astype(float))
    found = run(tmp_path / "model.onnx", {"x": ROWS.astype(float)})[0]
    np.testing.assert_allclose(found, nn.predict(model, ROWS), rtol=1e-12)


@pytest.mark.parametrize(
    ("model", "example", "error", "words"),
    [
        (nn.Sequential(nn.Linear(6, 2), nn.ELU()), ROWS, NotImplementedError, r"export of where, in 1 \(ELU\)"),
        (nn.Sequential(lambda x: np.where(x.value > 1, x, 0.1 * x)), ROWS, NotImplementedError, "export of where"),
        (nn.Sequential(nn.GRU(6, 2, batch_first=True)), STEPS, NotImplementedError, "export of .*, in 0.*GRU"),
        (nn.Sequential(lambda x: np.cumsum(x, axis=1)), ROWS, NotImplementedError, "export of cumsum, in the model"),
        (nn.Sequential(lambda x: x * (x.value > 0)), ROWS, NotImplementedError, "computed from the input"),
        (nn.BatchNorm1d(6, track_running_stats=False), ROWS, NotImplementedError, "export of batch_normalised"),
        (nn.Embedding(3, 2), np.array([1, 2]), TypeError, "floating-point numbers; received int64"),
        (np.tanh, ROWS, TypeError, "export takes an nn.Module"),
    ],
)
def test_what_has_no_counterpart_is_refused_before_anything_is_written(
    model: Any, example: np.ndarray, error: type[Exception], words: str, tmp_path: Path
):
    with pytest.raises(error, match=words):
        nn.export(model, tmp_path / "model.onnx", example)
    assert not (tmp_path / "model.onnx").exists()
