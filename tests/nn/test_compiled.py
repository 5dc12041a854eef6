"""Every layer, loss and optimizer as a compiled step against the eager one: losses, parameters, buffers, draws."""

from __future__ import annotations

import copy
import functools
import inspect
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autodiff as ad
import nn
from nn import optim
from nn.optim.program import Update

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
    "AlphaDropout": of(nn.AlphaDropout, ROWS, 0.4, rng=0),
    "FeatureAlphaDropout": of(nn.FeatureAlphaDropout, IMAGES, 0.4, rng=0),
    "ChannelShuffle": of(nn.ChannelShuffle, IMAGES, 2),
    "LocalResponseNorm": of(nn.LocalResponseNorm, IMAGES, 3),
    "LPPool1d": of(nn.LPPool1d, SIGNALS, 2, 2),
    "LPPool2d": of(nn.LPPool2d, IMAGES, 2, 2),
    "LPPool3d": of(nn.LPPool3d, VOLUMES, 2, 2),
    "MaxUnpool1d": of(lambda: Unpooled(nn.MaxPool1d(2, return_indices=True), nn.MaxUnpool1d(2)), (4, 4, 8)),
    "MaxUnpool2d": of(lambda: Unpooled(nn.MaxPool2d(2, return_indices=True), nn.MaxUnpool2d(2)), IMAGES),
    "MaxUnpool3d": of(lambda: Unpooled(nn.MaxPool3d(2, return_indices=True), nn.MaxUnpool3d(2)), (3, 2, 4, 4, 4)),
    **{f"{kind}Pad3d": of(getattr(nn, f"{kind}Pad3d"), VOLUMES, 1) for kind in ("Circular", "Reflection", "Zero")},
    "ReplicationPad3d": of(nn.ReplicationPad3d, VOLUMES, 1),
    "ConstantPad3d": of(nn.ConstantPad3d, VOLUMES, 1, 2.0),
    "Unflatten": of(nn.Unflatten, ROWS, 1, (2, 3)),
    "UpsamplingNearest2d": of(nn.UpsamplingNearest2d, IMAGES, scale_factor=2),
    "UpsamplingBilinear2d": of(nn.UpsamplingBilinear2d, IMAGES, scale_factor=2),
    "TransformerDecoderLayer": of(lambda: Pair(nn.TransformerDecoderLayer(4, 2, 8, batch_first=True, rng=0)), STEPS),
    "TransformerDecoder": of(
        lambda: Pair(nn.TransformerDecoder(nn.TransformerDecoderLayer(4, 2, 8, batch_first=True, rng=0), 2)), STEPS
    ),
    "Transformer": of(lambda: Pair(nn.Transformer(4, 2, 1, 1, 8, batch_first=True, rng=0)), STEPS),
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


class Unpooled(nn.Module):
    """Maxima laid back where they were."""

    def __init__(self, pool: Any, back: Any) -> None:
        self.pool, self.back = pool, back

    def forward(self, x: Any) -> Any:
        return self.back(*self.pool(x))


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


# -- losses -----------------------------------------------------------------------------------------------------

draws = np.random.default_rng(3)


def real(*shape: int) -> Any:
    return draws.normal(size=shape).astype(np.float32)


def chances(*shape: int) -> Any:
    return draws.uniform(0.05, 0.95, shape).astype(np.float32)


def rows(*shape: int) -> Any:
    return (lambda p: p / p.sum(axis=1, keepdims=True))(chances(*shape))


def signs(*shape: int) -> Any:
    return np.where(draws.random(shape) < 0.5, -1, 1)


def labels(n: int, classes: int = 6) -> Any:
    return draws.integers(0, classes, n)


# What a loss is called with, of n samples: the target, and what is done to the model's outputs before.
LOSSES: dict[str, tuple[Callable[[], Any], Callable[[int], Any], Callable[[Any], Any]]] = {
    "CrossEntropyLoss": (nn.CrossEntropyLoss, labels, lambda x: x),
    "CrossEntropyLoss, weighted": (
        lambda: nn.CrossEntropyLoss(weight=np.arange(1, 7), label_smoothing=0.1, ignore_index=2),
        labels,
        lambda x: x,
    ),
    "CrossEntropyLoss, ignoring": (
        nn.CrossEntropyLoss,
        lambda n: np.where(draws.random(n) < 0.3, -100, labels(n)),
        lambda x: x,
    ),
    "CrossEntropyLoss, rows": (nn.CrossEntropyLoss, lambda n: rows(n, 6), lambda x: x),
    "NLLLoss": (nn.NLLLoss, labels, nn.functional.log_softmax),
    "MultiMarginLoss": (nn.MultiMarginLoss, labels, lambda x: x),
    "MultiLabelMarginLoss": (
        nn.MultiLabelMarginLoss,
        lambda n: np.stack([np.append(draws.permutation(6)[:k], np.full(6 - k, -1)) for k in draws.integers(1, 6, n)]),
        lambda x: x,
    ),
    "MultiLabelSoftMarginLoss": (nn.MultiLabelSoftMarginLoss, lambda n: labels(n * 6, 2).reshape(n, 6), lambda x: x),
    "BCELoss": (nn.BCELoss, lambda n: chances(n, 6), nn.functional.sigmoid),
    "BCEWithLogitsLoss": (lambda: nn.BCEWithLogitsLoss(pos_weight=2.0), lambda n: chances(n, 6), lambda x: x),
    "HingeLoss": (nn.HingeLoss, lambda n: signs(n, 6), lambda x: x),
    "LogisticLoss": (nn.LogisticLoss, lambda n: signs(n, 6), lambda x: x),
    "SoftMarginLoss": (nn.SoftMarginLoss, lambda n: signs(n, 6), lambda x: x),
    "HingeEmbeddingLoss": (nn.HingeEmbeddingLoss, lambda n: signs(n, 6), lambda x: x),
    "KLDivLoss": (lambda: nn.KLDivLoss(reduction="batchmean"), lambda n: rows(n, 6), nn.functional.log_softmax),
    "MSELoss": (nn.MSELoss, lambda n: real(n, 6), lambda x: x),
    "L1Loss": (nn.L1Loss, lambda n: real(n, 6), lambda x: x),
    "HuberLoss": (nn.HuberLoss, lambda n: real(n, 6), lambda x: x),
    "SmoothL1Loss": (lambda: nn.SmoothL1Loss(beta=0.5), lambda n: real(n, 6), lambda x: x),
    "PoissonNLLLoss": (nn.PoissonNLLLoss, lambda n: labels(n * 6).reshape(n, 6), lambda x: x),
    "GaussianNLLLoss": (
        lambda: lambda x, y: nn.GaussianNLLLoss()(x[:, :3], y, np.square(x[:, 3:])),
        lambda n: real(n, 3),
        lambda x: x,
    ),
    "MarginRankingLoss": (
        lambda: lambda x, y: nn.MarginRankingLoss(0.5)(x[:, 0], x[:, 1], y),
        lambda n: signs(n),
        lambda x: x,
    ),
    "CosineEmbeddingLoss": (
        lambda: lambda x, y: nn.CosineEmbeddingLoss()(x[:, :3], x[:, 3:], y),
        lambda n: signs(n),
        lambda x: x,
    ),
    "TripletMarginLoss": (
        lambda: lambda x, y: nn.TripletMarginLoss()(x[:, :2], x[:, 2:4], x[:, 4:]),
        lambda n: labels(n),
        lambda x: x,
    ),
    "TripletMarginWithDistanceLoss": (
        lambda: lambda x, y: nn.TripletMarginWithDistanceLoss(swap=True)(x[:, :2], x[:, 2:4], x[:, 4:]),
        lambda n: labels(n),
        lambda x: x,
    ),
    "CTCLoss": (  # three times, two classes, targets of one or two labels
        lambda: (
            lambda x, y: nn.CTCLoss()(
                nn.functional.log_softmax(np.moveaxis(np.reshape(x, (-1, 3, 2)), 0, 1), -1), y[:, :2], y[:, 2], y[:, 3]
            )
        ),
        lambda n: np.array([[1, 1, length + 1, length] for length in labels(n, 2) + 1]),
        lambda x: x,
    ),
}


class Shaped(nn.Module):
    """A linear layer whose outputs are made what a loss takes."""

    def __init__(self, function: Callable[[Any], Any]) -> None:
        self.linear, self.function = nn.Linear(4, 6, rng=0), function

    def forward(self, x: Any) -> Any:
        return self.function(self.linear(x))


def test_every_loss_is_here() -> None:
    every = {name for name in nn.__all__ if name.endswith("Loss")}
    assert {name.split(",")[0] for name in LOSSES} == every


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", LOSSES)
def test_losses(name: str, weighted: bool) -> None:
    make, targets, function = LOSSES[name]
    model, loss = Shaped(function), make()
    twin = copy.deepcopy(model)
    if weighted and "sample_weight" not in inspect.signature(getattr(loss, "forward", loss)).parameters:
        return
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    step = nn.TrainStep(twin, make(), optim.SGD(twin.parameters(), lr=0.1))
    for size in (5, 5, 3, 5):
        x, y = real(size, 4), targets(size)
        weights = {"sample_weight": chances(size)} if weighted else {}
        expected = eager(model, functools.partial(loss, **weights), optimizer, x, y)
        close(step(x, y, **weights), expected)
        same(model, twin)


def test_bad_labels_are_refused_at_every_step() -> None:
    model = nn.Linear(4, 6, rng=0)
    step = nn.TrainStep(model, nn.CrossEntropyLoss(), optim.SGD(model.parameters(), lr=0.1))
    step(real(5, 4), labels(5))
    before = model.state_dict()
    with pytest.raises(ValueError, match="labels from 0 to 5"):
        step(real(5, 4), labels(5) + 6)
    for name, value in model.state_dict().items():
        np.testing.assert_array_equal(value, before[name])
    step = nn.TrainStep(model, nn.BCEWithLogitsLoss(), optim.SGD(model.parameters(), lr=0.1))
    step(real(5, 4), chances(5, 6))
    with pytest.raises(ValueError, match="targets from 0 to 1"):
        step(real(5, 4), chances(5, 6) + 1)


# -- optimizers -------------------------------------------------------------------------------------------------

OPTIONS: dict[str, list[dict[str, Any]]] = {
    "SGD": [{}, {"momentum": 0.9, "nesterov": True}, {"momentum": 0.9, "dampening": 0.5, "weight_decay": 0.1}],
    "Adam": [{}, {"amsgrad": True, "weight_decay": 0.1, "maximize": True}],
    "AdamW": [{}, {"decay_biases": False}],
    "RMSprop": [{}, {"momentum": 0.9, "centered": True, "weight_decay": 0.01}],
    "NAdam": [{}, {"decoupled_weight_decay": True, "weight_decay": 0.1}],
    "RAdam": [{}, {"decoupled_weight_decay": True, "weight_decay": 0.1}],
    "Adagrad": [{"lr_decay": 0.1}],
}


def optimizers() -> Iterator[Any]:
    for name in optim.__all__:
        kind = getattr(optim, name)
        if inspect.isclass(kind) and issubclass(kind, optim.Optimizer) and kind is not optim.Optimizer:
            for options in OPTIONS.get(name, [{}]):
                yield pytest.param(kind, options, id=", ".join([name, *options]))


@pytest.mark.parametrize(("kind", "options"), list(optimizers()))
def test_optimizers(kind: Any, options: dict[str, Any]) -> None:
    if kind.needs_closure:
        with pytest.raises(TypeError, match="closure"):
            nn.TrainStep(nn.Linear(4, 6), nn.MSELoss(), kind())
        return
    model = nn.Sequential(nn.Linear(4, 6, rng=0), nn.Tanh(), nn.Linear(6, 6, rng=1))
    twin = copy.deepcopy(model)
    one, other = (kind(m.parameters(), lr=0.01, **options) for m in (model, twin))
    schedules = [optim.ExponentialLR(o, 0.8) for o in (one, other)]
    step = nn.TrainStep(twin, nn.MSELoss(), other, clip_norm=0.7)
    for k in range(12):
        x, y = real(5, 4), real(5, 6)
        one.zero_grad()
        value = nn.MSELoss()(model(x), y)
        value.backward()
        optim.clip_grad_norm(one, 0.7)
        one.step()
        close(step(x, y), value.value)
        for schedule in schedules:
            schedule.step()
        if k == 4 and "betas" in kind.options:
            for optimizer in (one, other):
                optimizer.betas = (0.8, 0.99)
        same(model, twin)
    first, second = one.state_dict(), other.state_dict()
    assert step._update.refusal is None
    assert first["param_groups"] == second["param_groups"]
    for key, entry in first["state"].items():
        for name, value in entry.items():
            close(second["state"][key][name], value, name) if isinstance(value, np.ndarray) else None
            assert isinstance(value, np.ndarray) or second["state"][key][name] == pytest.approx(value), name


def test_an_update_has_the_bits_of_the_rule() -> None:
    for kind in (
        optim.SGD,
        optim.Adam,
        optim.AdamW,
        optim.RMSprop,
        optim.NAdam,
        optim.RAdam,
        optim.Lion,
        optim.Adamax,
        optim.LAMB,
    ):
        models = [nn.MLP(20, 300, 30, rng=0) for _ in range(2)]
        options = {"momentum": 0.9} if kind in (optim.SGD, optim.RMSprop) else {}
        one, other = (kind(m.parameters(), lr=0.01, weight_decay=0.01, **options) for m in models)
        update = Update(other)
        for _ in range(9):
            gradient = real(one.flat.value.size)
            for optimizer, move in ((one, one._by_pieces), (other, update)):
                optimizer.flat.grad[...] = gradient
                optimizer.flat.received([True] * 4)
                optimizer.move(move)
        assert update.refusal is None
        for a, b in zip(*(m.parameters() for m in models), strict=True):
            np.testing.assert_array_equal(a.value, b.value, err_msg=kind.__name__)


# -- the source -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "MLP",
        "Conv2d",
        "MaxPool2d",
        "AvgPool2d",
        "BatchNorm1d",
        "LayerNorm",
        "GRU",
        "LSTM",
        "Embedding",
        "Dropout",
        "MultiheadAttention",
        "Fold",
        "InstanceNorm1d",
        "CrossEntropyLoss",
    ],
)
def test_the_source_runs_with_nothing_but_numpy(name: str, tmp_path: Path) -> None:
    if name.endswith("Loss"):
        make, targets, _ = LOSSES[name]
        model, loss, x, y = nn.Linear(4, 6, rng=0), make(), real(5, 4), targets(5)
    else:
        layer, shape = LAYERS[name]
        model, loss, x = Weighted(layer(), shape), bowl, next(batches(shape))
        y = np.ones(len(x), np.float32)
    step = nn.TrainStep(model, loss, optim.Adam(model.parameters()))
    step(x, y)
    step(x, y)
    (tmp_path / "program.py").write_text(step.source, encoding="utf-8")
    code = "import sys; sys.modules['autodiff'] = sys.modules['nn'] = None; import program"
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)
    ready = step._ready
    assert ready is not None
    arrays = ready.arrays(x, y, None)
    assert arrays is not None
    held, run = ready.whole.held, ready.whole.run
    module: dict[str, Any] = {"__name__": "pasted"}
    exec(compile(step.source, "pasted", "exec"), module)  # noqa: S102
    before, found = [np.copy(a) for a in arrays], []
    states = [rng.bit_generator.state for rng in held]
    for program in (module["program"], run):
        (value, *_) = program(*arrays, *held)
        found.append([value, *(np.copy(a) for a in arrays)])
        for array, values in zip(arrays, before, strict=True):
            if isinstance(array, np.ndarray):
                array[...] = values
        for rng, state in zip(held, states, strict=True):
            rng.bit_generator.state = state
    for a, b in zip(*found, strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_step_is_looked_for_anew_where_something_changed() -> None:
    model = nn.Sequential(nn.Linear(4, 6, bias=False, rng=0), nn.BatchNorm1d(6), nn.Dropout(0.5, rng=1))
    twin = copy.deepcopy(model)
    one, other = (optim.Adam(m.parameters(), lr=0.01) for m in (model, twin))
    step = nn.TrainStep(twin, nn.MSELoss(), other, clip_value=0.1)

    def both(x: Any, y: Any) -> None:
        one.zero_grad()
        value = nn.MSELoss()(model(x), y)
        value.backward()
        optim.clip_grad_value(one, 0.1)
        one.step()
        close(step(x, y), value.value)
        same(model, twin)

    for change in (
        lambda m, o: None,
        lambda m, o: m.eval(),
        lambda m, o: m.train(),
        lambda m, o: o.assign("betas", (0.8, 0.99)),
        lambda m, o: o.param_groups[0].update(lr=0.02),
        lambda m, o: setattr(m[1], "running_mean", np.ones(6, np.float32)),
        lambda m, o: o.load_state_dict(o.state_dict()),
        lambda m, o: m.load_state_dict(m.state_dict()),
        lambda m, o: o.zero_grad(),
        lambda m, o: setattr(m[1].bias, "value", np.ones(6, np.float32)),
    ):
        both(real(5, 4), real(5, 6))
        both(real(5, 4), real(5, 6))
        for m, o in ((model, one), (twin, other)):
            change(m, o)
    handed_out = twin[0].weight.grad
    assert handed_out is not None
    before = handed_out.copy()
    both(real(5, 4), real(5, 6))
    np.testing.assert_array_equal(handed_out, before)
    assert twin[0].weight.grad is not handed_out


class Hesitant(optim.Optimizer):
    """A rule that branches on a number, so that it cannot be traced."""

    def update(self, run: Any) -> None:
        for p, g, *_ in run.pieces:
            if np.max(g) > 0:
                p -= run.options["lr"] * g


def test_a_rule_that_cannot_be_traced_runs_as_it_is() -> None:
    model = nn.Linear(4, 6, rng=0)
    twin = copy.deepcopy(model)
    one, other = (Hesitant(m.parameters(), lr=0.1) for m in (model, twin))
    step = nn.TrainStep(twin, nn.MSELoss(), other, clip_norm=0.5, clip_value=0.05)
    for size in (5, 5, 3):
        x, y = real(size, 4), real(size, 6)
        one.zero_grad()
        value = nn.MSELoss()(model(x), y)
        value.backward()
        optim.clip_grad_norm(one, 0.5)
        optim.clip_grad_value(one, 0.05)
        one.step()
        close(step(x, y), value.value)
        same(model, twin)
    assert step._update.refusal is not None
    assert "Hesitant" not in step.source


def test_clipping_is_part_of_the_program() -> None:
    for options in ({"clip_norm": 0.3}, {"clip_value": 0.01}, {"clip_norm": 0.3, "clip_value": 0.05}):
        model = nn.MLP(4, 8, 3, rng=0)
        twin = copy.deepcopy(model)
        one, other = (optim.SGD(m.parameters(), lr=0.1) for m in (model, twin))
        step = nn.TrainStep(twin, nn.MSELoss(), other, **options)
        for _ in range(3):
            x, y = real(5, 4), real(5, 3)
            one.zero_grad()
            value = nn.MSELoss()(model(x), y)
            value.backward()
            if "clip_norm" in options:
                optim.clip_grad_norm(one, options["clip_norm"])
            if "clip_value" in options:
                optim.clip_grad_value(one, options["clip_value"])
            one.step()
            close(step(x, y), value.value)
            same(model, twin)
        assert all(f"# {name}" in step.source for name in options)
