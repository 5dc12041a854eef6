"""A full SGD training step of a small convolutional network, float32: forward, loss, reverse pass, update."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

import nn
import nn.functional as F
from benchmarks.operations import Row, installed

BATCH, SIZE = 64, 28


class LeNet(nn.Module):
    """Two convolutions with pooling, three dense layers (LeCun et al. 1998), for images of one channel."""

    def __init__(self) -> None:
        rng = np.random.default_rng(0)
        self.conv1 = nn.Conv2d(1, 6, 3, rng=rng)
        self.conv2 = nn.Conv2d(6, 16, 3, rng=rng)
        self.fc1 = nn.Linear(16 * 5 * 5, 120, rng=rng)
        self.fc2 = nn.Linear(120, 84, rng=rng)
        self.fc3 = nn.Linear(84, 10, rng=rng)

    def forward(self, x):  # type: ignore[no-untyped-def]
        """The logits of images, of shape (batch, 1, 28, 28)."""
        x = F.max_pool2d(F.relu(self.conv1(x)), (2, 2))
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        x = x.reshape(-1, 16 * 5 * 5)
        x = F.relu(self.fc1(x))
        x = F.relu(self.fc2(x))
        return self.fc3(x)


def networks() -> Iterator[Row]:
    """LeNet; PyTorch in both memory formats, with plain and fused SGD: the goal is to beat the best of them."""
    nn.reuse_memory()  # PyTorch keeps its memory as well
    rng = np.random.default_rng(0)
    images = rng.standard_normal((BATCH, 1, SIZE, SIZE)).astype(np.float32)
    labels = rng.integers(0, 10, BATCH)
    contestants: dict[str, Callable[[], object]] = {"autodiff": _ours(images, labels)}
    if installed("torch"):
        for fused in (False, True):
            name = "fused SGD" if fused else "SGD"
            contestants[f"PyTorch, {name}"] = _pytorch(images, labels, fused=fused, last=False)
            contestants[f"PyTorch, {name}, channels last"] = _pytorch(images, labels, fused=fused, last=True)
    yield f"SGD step, LeNet on {SIZE}x{SIZE}, batch {BATCH}", contestants, 1, 10


def _ours(images: np.ndarray, labels: np.ndarray) -> Callable[[], object]:
    model = LeNet()
    optimizer = nn.optim.SGD(model.parameters(), lr=0.01)

    def step() -> object:
        optimizer.zero_grad()
        loss = F.cross_entropy(model(images), labels)
        loss.backward()
        optimizer.step()
        return loss

    return step


def _pytorch(images: np.ndarray, labels: np.ndarray, *, fused: bool, last: bool) -> Callable[[], object]:
    import torch

    torch.set_num_threads(1)
    memory = torch.channels_last if last else torch.contiguous_format
    layers = torch.nn

    model = layers.Sequential(
        layers.Conv2d(1, 6, 3),
        layers.ReLU(),
        layers.MaxPool2d(2),
        layers.Conv2d(6, 16, 3),
        layers.ReLU(),
        layers.MaxPool2d(2),
        layers.Flatten(),
        layers.Linear(16 * 5 * 5, 120),
        layers.ReLU(),
        layers.Linear(120, 84),
        layers.ReLU(),
        layers.Linear(84, 10),
    ).to(memory_format=memory)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, fused=fused)
    x, target = torch.from_numpy(images).contiguous(memory_format=memory), torch.from_numpy(labels)

    def step() -> object:
        optimizer.zero_grad()
        loss = layers.functional.cross_entropy(model(x), target)
        loss.backward()
        optimizer.step()
        return loss

    return step
