"""ONNX files: onnxruntime computes what the model does, for any batch; what has no counterpart is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autodiff as ad
import nn

pytest.importorskip("onnx", reason="it writes the files")
runtime = pytest.importorskip("onnxruntime", reason="it reads the files")
rng = np.random.default_rng(0)
IMAGES = rng.standard_normal((3, 2, 12, 12)).astype(np.float32)
ROWS = rng.standard_normal((3, 6)).astype(np.float32)
STEPS = rng.standard_normal((3, 5, 6)).astype(np.float32)

WORDS = rng.integers(0, 7, (3, 5))


def recurrent(kind: Any, **options: Any) -> nn.Module:
    return nn.Sequential(kind(6, 4, batch_first=True, rng=0, **options), lambda outputs: outputs[0])


class FirstState(nn.Module):
    def __init__(self) -> None:
        self.gru, self.start = nn.GRU(6, 4, batch_first=True, rng=0), ad.Tensor(np.ones((1, 1, 4), np.float32))

    def forward(self, x: Any) -> Any:
        return self.gru(x, np.broadcast_to(self.start, (1, len(x), 4)))[1][0]


class Unrolled(nn.Module):
    def __init__(self) -> None:
        self.lstm = nn.LSTM(6, 4, batch_first=True, rng=0)

    def forward(self, x: Any) -> Any:
        return self.lstm(x, unrolled=True)[0]


class Attention(nn.Module):
    """A token of its own before the sequence, a mask that leaves the last query nothing, and the weights."""

    def __init__(self) -> None:
        self.attention, self.token = (
            nn.MultiheadAttention(6, 2, batch_first=True, rng=0),
            ad.Tensor(np.ones(6, np.float32)),
        )

    def forward(self, x: Any) -> Any:
        x = np.concatenate([np.broadcast_to(self.token, (len(x), 1, 6)), x], axis=1)
        mask = ~np.tri(6, dtype=bool)
        mask[-1] = True
        y, weights = self.attention(x, x, x, attn_mask=mask)
        return np.concatenate([y, weights], axis=-1)


class Translation(nn.Module):
    def __init__(self) -> None:
        self.transformer = nn.Transformer(6, 2, 1, 1, 8, batch_first=True, rng=0)

    def forward(self, x: Any) -> Any:
        return self.transformer(x, x[:, 1:], tgt_is_causal=True)


class Columns(nn.Module):
    def __init__(self) -> None:
        self.first, self.second = nn.Embedding(7, 4, rng=0), nn.Linear(7, 4, rng=1)

    def forward(self, x: Any) -> Any:
        one_hot = nn.functional.one_hot(x[:, 1], 7, dtype=np.float32)
        return self.first(x[:, 0]) + self.second(one_hot) * x.astype(np.float32)[:, 2:3]


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
    "sizes": (
        lambda: nn.Sequential(
            nn.ConvTranspose2d(2, 4, 3, 2, output_padding=1, rng=0),
            nn.AdaptiveMaxPool2d(13), nn.InstanceNorm2d(4, affine=True),
            nn.Upsample(scale_factor=2), nn.Upsample(scale_factor=1.5, mode="bilinear"), nn.AdaptiveAvgPool2d(4),
            nn.PixelShuffle(2), nn.ReflectionPad2d(2), nn.ZeroPad2d((1, 0, 2, 0)), nn.ReplicationPad2d(1),
        ),
        IMAGES,
    ),
    "columns": (
        lambda: nn.Sequential(nn.Unfold(3, padding=1, stride=2), nn.Fold((12, 12), 3, padding=1, stride=2)),
        IMAGES,
    ),
    "volumes": (
        lambda: nn.Sequential(
            nn.Conv3d(2, 4, 2, rng=0), nn.MaxPool3d(2), nn.CELU(0.5), nn.ConvTranspose3d(4, 2, 2, rng=1)
        ),
        IMAGES[:, :, :, :, None] * np.ones(5, np.float32),
    ),
    "shapes": (
        lambda: nn.Sequential(
            lambda x: np.einsum("btf,btg->bfg", x, x).mT[..., None, 1:].ravel().reshape(-1, 30),
            lambda x: np.cumsum(np.stack([x, np.flip(x, 1), x.clip(0, 1)], axis=1), axis=-1),
            lambda x: np.moveaxis(np.take(x, [2, 0], axis=1), 1, 2) * np.ones((len(x), 1, 2)),
        ),
        STEPS,
    ),
    "RNN": (lambda: recurrent(nn.RNN, nonlinearity="relu"), STEPS),
    "RNN of time first": (lambda: nn.Sequential(nn.RNN(6, 4, bias=False, rng=0), lambda outputs: outputs[0]), STEPS),
    "LSTM": (lambda: recurrent(nn.LSTM, num_layers=2, bidirectional=True), STEPS),
    "GRU": (lambda: recurrent(nn.GRU, num_layers=2, bidirectional=True, bias=False), STEPS),
    "GRU with a first state": (FirstState, STEPS),
    "GRU step by step": (lambda: nn.Sequential(Unrolled()), STEPS),
    "attention": (lambda: Attention(), STEPS),
    "transformer": (
        lambda: nn.Sequential(
            nn.PositionalEncoding(6, batch_first=True),
            nn.TransformerEncoder(nn.TransformerEncoderLayer(6, 2, 8, activation="gelu", batch_first=True, rng=0), 2),
        ),
        STEPS,
    ),
    "transformer of two sequences": (Translation, STEPS),
    "LSTM projected": (lambda: recurrent(nn.LSTM, proj_size=2), STEPS),
    "words": (
        lambda: nn.Sequential(
            nn.Embedding(7, 6, padding_idx=0, rng=0), nn.GRU(6, 4, batch_first=True, rng=1),
            lambda outputs: outputs[1][0],
            nn.Linear(4, 3, rng=2),
        ),
        WORDS,
    ),
    "words of time first": (lambda: nn.Sequential(lambda x: x.T, nn.Embedding(7, 6, rng=0)), WORDS),
    "bags of words": (lambda: nn.EmbeddingBag(7, 4, rng=0), WORDS),
    "columns of integers": (
        lambda: nn.Sequential(Columns()),
        WORDS,
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
        found = run(tmp_path / "model.onnx", {"x": batch % 7 if batch.dtype.kind == "i" else batch})[0]
        np.testing.assert_allclose(
            found, nn.predict(model, batch % 7 if batch.dtype.kind == "i" else batch), rtol=1e-5, atol=1e-5
        )
        assert found.dtype == (float if name == "shapes" else np.float32)
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


class Flipping(nn.Module):
    def forward(self, x: Any) -> Any:
        return np.where(x.value > 0, x, -2 - x)


class Lengths(nn.Module):
    def __init__(self) -> None:
        self.gru = nn.GRU(6, 2, batch_first=True)

    def forward(self, x: Any) -> Any:
        return self.gru(x, lengths=np.full(len(x), 2))[0]


ACTIVATIONS = [
    nn.CELU(0.5), nn.ELU(0.5), nn.GELU(), nn.GELU("tanh"), nn.GLU(), nn.Hardshrink(), nn.Hardsigmoid(), nn.Hardswish(),
    nn.Hardtanh(-0.5, 0.7), nn.LeakyReLU(0.2), nn.LogSigmoid(), nn.LogSoftmax(), nn.Mish(), nn.PReLU(), nn.PReLU(6),
    nn.RReLU(), nn.ReLU(), nn.ReLU6(), nn.SELU(), nn.SiLU(), nn.Sigmoid(), nn.Softmax(), nn.Softmin(), nn.Softplus(),
    nn.Softplus(2.0), nn.Softshrink(), nn.Softsign(), nn.Tanh(), nn.Tanhshrink(), nn.Threshold(0.1, 2.0), nn.Identity(),
    nn.Activation("elu"), nn.Dropout(0.5),
]  # fmt: skip


@pytest.mark.parametrize("layer", ACTIVATIONS, ids=repr)
def test_every_activation_has_a_counterpart(layer: nn.Module, tmp_path: Path):
    model = nn.Sequential(layer, lambda x: 2 * x)
    nn.export(model, tmp_path / "model.onnx", 2 * ROWS)
    found = run(tmp_path / "model.onnx", {"x": 2 * ROWS[:2]})[0]
    np.testing.assert_allclose(found, nn.predict(model, 2 * ROWS[:2]), rtol=1e-5, atol=1e-5)


def test_a_frozen_model_is_written_and_stays_frozen(tmp_path: Path):
    model = MODELS["words"][0]().freeze()
    nn.export(model, tmp_path / "model.onnx", WORDS)
    np.testing.assert_allclose(
        run(tmp_path / "model.onnx", {"x": WORDS})[0], nn.predict(model, WORDS), rtol=1e-5, atol=1e-5
    )
    assert not list(model.parameters())


@pytest.mark.parametrize(
    ("model", "example", "error", "words"),
    [
        (nn.Sequential(nn.Linear(6, 2), Flipping()), ROWS, NotImplementedError, r"export of where, in 1 \(Flipping\)"),
        (nn.Sequential(lambda x: np.where(x.value > 1, x, 0.1 * x)), ROWS, NotImplementedError, "export of where"),
        (nn.Sequential(Lengths()), STEPS, NotImplementedError, "export of recurrence, in 0.gru .*mask depends on the"),
        (nn.Sequential(lambda x: np.cumprod(x, axis=1)), ROWS, NotImplementedError, "export of cumprod, in the model"),
        (nn.Sequential(lambda x: np.repeat(x, 2, axis=0)), ROWS, NotImplementedError, "export of repeat, in the model"),
        (nn.Sequential(lambda x: x * (x.value > 0)), ROWS, NotImplementedError, "computed from the input"),
        (nn.BatchNorm1d(6, track_running_stats=False), ROWS, NotImplementedError, "export of batch_normalised"),
        (nn.Embedding(3, 2), np.array([[True, False]]), TypeError, "floating-point numbers, or .* received bool"),
        (nn.Embedding(3, 2), np.array([[1, 1]]), ValueError, "integers differ, .* received 1 only"),
        (
            nn.Sequential(lambda x: x[:, ::-1], nn.Embedding(7, 2)),
            WORDS,
            NotImplementedError,
            "export of taken_rows, in 1",
        ),
        (np.tanh, ROWS, TypeError, "export takes an nn.Module"),
    ],
)
def test_what_has_no_counterpart_is_refused_before_anything_is_written(
    model: Any, example: np.ndarray, error: type[Exception], words: str, tmp_path: Path
):
    with pytest.raises(error, match=words):
        nn.export(model, tmp_path / "model.onnx", example)
    assert not (tmp_path / "model.onnx").exists()
