"""Every layer, loss and optimizer as a compiled step against the eager one: losses, parameters, buffers, draws."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import autodiff as ad
import nn
from nn import optim

ROWS, SIGNALS, IMAGES, VOLUMES, STEPS = (5, 6), (4, 4, 9), (3, 4, 6, 6), (3, 2, 4, 5, 4), (3, 5, 4)  # batch first
INTEGERS = (4, 3)
Maker = Callable[[], Any]


def of(make: Callable[..., Any], shape: tuple[int, ...], *given: Any, **options: Any) -> tuple[Maker, tuple[int, ...]]:
    return lambda: make(*given, **options), shape


ACTIVATIONS = (
    *("CELU", "ELU", "GELU", "GLU", "Hardshrink", "Hardsigmoid", "Hardswish", "Hardtanh", "Identity", "LeakyReLU"),
    *("LogSigmoid", "LogSoftmax", "Mish", "PReLU", "ReLU", "ReLU6", "SELU", "SiLU", "Sigmoid", "Softmax", "Softmin"),
    *("Softplus", "Softshrink", "Softsign", "Tanh", "Tanhshrink", "Flatten"),
)
LAYERS: dict[str, tuple[Maker, tuple[int, ...]]] = {name: of(getattr(nn, name), ROWS) for name in ACTIVATIONS} | {
    "Activation": of(nn.Activation, ROWS, "relu"),
    "RReLU": of(nn.RReLU, ROWS, rng=0),
    "Threshold": of(nn.Threshold, ROWS, 0.1, -1.0),
    "AdaptiveAvgPool1d": of(nn.AdaptiveAvgPool1d, SIGNALS, 3),
    "AdaptiveAvgPool2d": of(nn.AdaptiveAvgPool2d, IMAGES, (2, 3)),
    "AdaptiveAvgPool3d": of(nn.AdaptiveAvgPool3d, VOLUMES, 2),
    "AdaptiveMaxPool1d": of(nn.AdaptiveMaxPool1d, SIGNALS, 3),
    "AdaptiveMaxPool2d": of(nn.AdaptiveMaxPool2d, IMAGES, 3),
    "AdaptiveMaxPool3d": of(nn.AdaptiveMaxPool3d, VOLUMES, 2),
    "AvgPool1d": of(nn.AvgPool1d, SIGNALS, 2, padding=1),
    "AvgPool2d": of(nn.AvgPool2d, IMAGES, 3, stride=2, ceil_mode=True),
    "AvgPool3d": of(nn.AvgPool3d, VOLUMES, 2),
    "MaxPool1d": of(nn.MaxPool1d, SIGNALS, 2, stride=1),
    "MaxPool2d": of(nn.MaxPool2d, IMAGES, 2),
    "MaxPool3d": of(nn.MaxPool3d, VOLUMES, 2, ceil_mode=True),
    "BatchNorm1d": of(nn.BatchNorm1d, ROWS, 6),
    "BatchNorm2d": of(nn.BatchNorm2d, IMAGES, 4, affine=False),
    "BatchNorm3d": of(nn.BatchNorm3d, VOLUMES, 2, track_running_stats=False),
    "GroupNorm": of(nn.GroupNorm, IMAGES, 2, 4),
    "InstanceNorm1d": of(nn.InstanceNorm1d, SIGNALS, 4, affine=True, track_running_stats=True),
    "InstanceNorm2d": of(nn.InstanceNorm2d, IMAGES, 4),
    "InstanceNorm3d": of(nn.InstanceNorm3d, VOLUMES, 2),
    "LayerNorm": of(nn.LayerNorm, STEPS, 4),
    "RMSNorm": of(nn.RMSNorm, STEPS, 4),
    "Conv1d": of(nn.Conv1d, SIGNALS, 4, 3, 3, padding="same", rng=0),
    "Conv2d": of(nn.Conv2d, IMAGES, 4, 3, 3, stride=2, padding=1, padding_mode="reflect", rng=0),
    "Conv3d": of(nn.Conv3d, VOLUMES, 2, 3, 2, bias=False, rng=0),
    "ConvTranspose1d": of(nn.ConvTranspose1d, SIGNALS, 4, 3, 3, rng=0),
    "ConvTranspose2d": of(nn.ConvTranspose2d, IMAGES, 4, 2, 3, stride=2, padding=1, output_padding=1, rng=0),
    "ConvTranspose3d": of(nn.ConvTranspose3d, VOLUMES, 2, 3, 2, rng=0),
    "Linear": of(nn.Linear, STEPS, 4, 3, rng=0),
    "Dense": of(nn.Dense, ROWS, 3, "tanh", input_shape=6, rng=0),
    "MLP": of(nn.MLP, ROWS, 6, 8, 3, rng=0),
    "Dropout": of(nn.Dropout, ROWS, 0.5, rng=0),
    "Dropout1d": of(nn.Dropout1d, SIGNALS, 0.5, rng=0),
    "Dropout2d": of(nn.Dropout2d, IMAGES, 0.5, rng=0),
    "Dropout3d": of(nn.Dropout3d, VOLUMES, 0.5, rng=0),
    "Embedding": of(nn.Embedding, INTEGERS, 7, 3, padding_idx=2, rng=0),
    "EmbeddingBag": of(nn.EmbeddingBag, INTEGERS, 7, 3, rng=0),
    "Unfold": of(nn.Unfold, IMAGES, 2, stride=2),
    "Fold": of(nn.Fold, (3, 8, 9), 6, 2, stride=2),
    "GRU": of(lambda: First(nn.GRU(4, 3, rng=0)), STEPS),
    "LSTM": of(lambda: First(nn.LSTM(4, 3, num_layers=2, bidirectional=True, rng=0)), STEPS),
    "RNN": of(lambda: First(nn.RNN(4, 3, rng=0)), STEPS),
    "GRUCell": of(nn.GRUCell, ROWS, 6, 3, rng=0),
    "LSTMCell": of(lambda: First(nn.LSTMCell(6, 3, rng=0)), ROWS),
    "RNNCell": of(nn.RNNCell, ROWS, 6, 3, rng=0),
    "MultiheadAttention": of(lambda: Itself(nn.MultiheadAttention(4, 2, dropout=0.2, batch_first=True, rng=0)), STEPS),
    "TransformerEncoder": of(
        lambda: nn.TransformerEncoder(nn.TransformerEncoderLayer(4, 2, 8, batch_first=True, rng=0), 2), STEPS
    ),
    "TransformerEncoderLayer": of(nn.TransformerEncoderLayer, STEPS, 4, 2, 8, batch_first=True, rng=0),
    "PositionalEncoding": of(nn.PositionalEncoding, STEPS, 4, 0.1, rng=0),
    "PixelShuffle": of(nn.PixelShuffle, IMAGES, 2),
    "PixelUnshuffle": of(nn.PixelUnshuffle, IMAGES, 2),
    "Upsample": of(nn.Upsample, IMAGES, scale_factor=2, mode="bilinear"),
    **{f"{kind}Pad1d": of(getattr(nn, f"{kind}Pad1d"), SIGNALS, 2) for kind in ("Circular", "Reflection", "Zero")},
    **{f"{kind}Pad2d": of(getattr(nn, f"{kind}Pad2d"), IMAGES, 1) for kind in ("Circular", "Reflection", "Zero")},
    "ReplicationPad1d": of(nn.ReplicationPad1d, SIGNALS, 3),
    "ReplicationPad2d": of(nn.ReplicationPad2d, IMAGES, (1, 0, 2, 1)),
    "ConstantPad1d": of(nn.ConstantPad1d, SIGNALS, 1, 2.0),
    "ConstantPad2d": of(nn.ConstantPad2d, IMAGES, 1, 2.0),
    "Bilinear": of(lambda: Pair(nn.Bilinear(6, 6, 3, rng=0)), ROWS),
    "CosineSimilarity": of(lambda: Pair(nn.CosineSimilarity()), ROWS),
    "PairwiseDistance": of(lambda: Pair(nn.PairwiseDistance()), ROWS),
    "Sequential": of(lambda: nn.Sequential(nn.Linear(6, 4, rng=0), nn.Tanh(), nn.Dropout(0.3, rng=1)), ROWS),
    "Residual": of(lambda: nn.Residual(nn.Linear(6, 6, rng=0)), ROWS),
    "ModuleList": of(lambda: Listed(nn.ModuleList([nn.Linear(6, 6, rng=0), nn.Linear(6, 6, rng=1)])), ROWS),
    "ModuleDict": of(lambda: Listed(nn.ModuleDict({"a": nn.Linear(6, 6, rng=0)})), ROWS),
    "ParameterList": of(lambda: Kept(nn.ParameterList([np.ones(6, np.float32)])), ROWS),
    "ParameterDict": of(lambda: Kept(nn.ParameterDict({"a": np.ones(6, np.float32)})), ROWS),
    "spectral_norm": of(lambda: nn.spectral_norm(nn.Linear(6, 3, rng=0), rng=0), ROWS),
    "weight_norm": of(lambda: nn.weight_norm(nn.Linear(6, 3, rng=0)), ROWS),
    "Checkpointed": of(lambda: nn.Checkpointed(nn.Linear(6, 3, rng=0)), ROWS),
}
CONSTANT = {"Sign", "Step"}  # their result does not depend on their input, and they have no parameters
OTHERS = {"Module", "Input"}  # no layers of their own
REFUSED: dict[str, str] = {}  # the layers whose calls depend on numbers, with what they ask for


class First(nn.Module):
    """A layer that gives its result and its state: the first of them."""

    def __init__(self, layer: Any) -> None:
        self.layer = layer

    def forward(self, x: Any) -> Any:
        return self.layer(x)[0]


class Itself(First):
    def forward(self, x: Any) -> Any:
        return self.layer(x, x, x)[0]


class Pair(First):
    def forward(self, x: Any) -> Any:
        return self.layer(x, np.sin(x))


class Listed(First):
    def forward(self, x: Any) -> Any:
        for part in self.layer.values() if isinstance(self.layer, nn.ModuleDict) else self.layer:
            x = part(x)
        return x


class Kept(First):
    def forward(self, x: Any) -> Any:
        for part in self.layer.values() if isinstance(self.layer, nn.ParameterDict) else self.layer:
            x = x * part
        return x


class Weighted(nn.Module):
    """A layer after a product with weights of its input's shape, so that the adjoint of its input counts."""

    def __init__(self, layer: Any, shape: tuple[int, ...]) -> None:
        self.weight = ad.Tensor(np.random.default_rng(1).uniform(0.5, 1.5, shape[1:]).astype(np.float32), name="weight")
        self.layer = layer

    def forward(self, x: Any) -> Any:
        if np.asarray(x).dtype.kind == "i" if isinstance(x, np.ndarray) else x.dtype.kind == "i":
            return self.layer(x) * np.mean(self.weight)
        return self.layer(x * self.weight)


def classes(*kinds: type) -> set[str]:
    found = {name for name in nn.__all__ if inspect.isclass(getattr(nn, name)) and issubclass(getattr(nn, name), kinds)}
    return found | {"spectral_norm", "weight_norm"}


def batches(shape: tuple[int, ...]) -> Iterator[Any]:
    """Two batches, and a shorter last one."""
    rng = np.random.default_rng(0)
    for size in (shape[0], shape[0], shape[0] - 1, shape[0]):
        whole = (size, *shape[1:])
        yield rng.integers(0, 7, whole) if shape == INTEGERS else rng.normal(size=whole).astype(np.float32)


def bowl(outputs: Any, targets: Any) -> Any:
    """A loss whose slope differs from output to output."""
    return np.mean(np.square(outputs - np.mean(targets)) * 0.5 + np.sin(outputs))


def eager(model: Any, loss: Any, optimizer: Any, *batch: Any) -> float:
    optimizer.zero_grad()
    value = loss(model(batch[0]), *batch[1:])
    value.backward()
    optimizer.step()
    return float(value.item())


def close(found: Any, expected: Any, what: str = "") -> None:
    scale = float(np.max(np.abs(expected), initial=1e-3))
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5 * scale, err_msg=what)


def same(one: Any, other: Any) -> None:
    """Two models have the same parameters and buffers, and have drawn the same."""
    states = one.state_dict(), other.state_dict()
    assert states[0].keys() == states[1].keys()
    for name, value in states[0].items():
        close(states[1][name], value, name)
    for (name, rng), (_, twin) in zip(one.named_generators(), other.named_generators(), strict=True):
        assert rng.bit_generator.state == twin.bit_generator.state, name


def test_every_layer_is_here() -> None:
    losses = {name for name in nn.__all__ if name.endswith("Loss")}
    assert classes(nn.Module) - losses - OTHERS - CONSTANT == set(LAYERS)
    assert set(REFUSED) <= set(LAYERS)
    assert len(REFUSED) < 0.05 * len(LAYERS)


@pytest.mark.parametrize("name", sorted(set(LAYERS) - set(REFUSED)))
def test_layers(name: str) -> None:
    make, shape = LAYERS[name]
    model = Weighted(make(), shape)
    twin = copy.deepcopy(model)
    optimizer = optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    step = nn.TrainStep(twin, bowl, optim.SGD(twin.parameters(), lr=0.05, momentum=0.9))
    for x in batches(shape):
        target = np.ones(len(x), np.float32)
        close(step(x, target), eager(model, bowl, optimizer, x, target))
        same(model, twin)
