"""Computations with scopes that several tests draw."""

from __future__ import annotations

import itertools

import numpy as np

import autodiff as ad
import nn


def exact(shape: tuple[int, ...], start: int) -> np.ndarray:
    """Numbers that every machine computes alike: multiples of 1/16, no random generator."""
    count = int(np.prod(shape))
    return ((np.arange(count) * 7 + start) % 33 - 16).reshape(shape) / 16


def mlp(kind: type = nn.ReLU) -> nn.MLP:
    """MLP 2-16-16-1 whose value and adjoints are exact in binary: pictures of it are the same on every machine."""
    model = nn.MLP(2, 16, 16, 1, activation=kind, rng=0, dtype=np.float64)
    for k, parameter in enumerate(model.parameters()):
        parameter.value = exact(parameter.shape, 5 * k)
    return model


def loss_of_mlp() -> ad.Tensor:
    X, t = ad.Tensor(exact((32, 2), 3), name="X"), exact((32, 1), 11)
    return nn.MSELoss()(mlp()(X), t)


class Neuron(nn.Module):
    def __init__(self, inputs: int, start: int) -> None:
        self.w = [ad.Tensor(v) for v in exact((inputs,), start)]
        self.b = ad.Tensor(0.25)

    def forward(self, x: list[ad.Tensor]) -> ad.Tensor:
        total = self.b
        for w, v in zip(self.w, x, strict=True):
            total = total + w * v
        return np.tanh(total)


class Layer(nn.Module):
    def __init__(self, inputs: int, outputs: int) -> None:
        self.neurons = [Neuron(inputs, 3 * k) for k in range(outputs)]

    def forward(self, x: list[ad.Tensor]) -> list[ad.Tensor]:
        return [neuron(x) for neuron in self.neurons]


class ScalarMLP(nn.Module):
    """Every neuron a scope of its own, every number a node."""

    def __init__(self, *sizes: int) -> None:
        self.layers = [Layer(a, b) for a, b in itertools.pairwise(sizes)]

    def forward(self, x: list[ad.Tensor]) -> ad.Tensor:
        for layer in self.layers:
            x = layer(x)
        return x[0]


def scalar_mlp() -> ad.Tensor:
    x1, x2 = ad.Tensor(0.5, name="x1"), ad.Tensor(-0.25, name="x2")
    return ScalarMLP(2, 16, 16, 1)([x1, x2])
