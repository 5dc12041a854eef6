"""A full Adam training step of a multi-layer perceptron, float32: forward, loss, reverse pass, update."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

import nn
import nn.functional as F
from benchmarks.operations import Row, installed


def steps() -> Iterator[Row]:
    """MLPs for small and for image-sized data; PyTorch with its fastest Adam (fused)."""
    for sizes, batch, repeat in (((64, 32, 10), 32, 200), ((784, 128, 10), 64, 50)):
        rng = np.random.default_rng(0)
        images = rng.standard_normal((batch, sizes[0])).astype(np.float32)
        labels = rng.integers(0, sizes[-1], batch)
        contestants: dict[str, Callable[[], object]] = {"autodiff": _ours(sizes, images, labels)}
        if installed("torch"):
            contestants["PyTorch"] = _pytorch(sizes, images, labels)
        yield f"Adam step, MLP {'-'.join(map(str, sizes))}, batch {batch}", contestants, 1, repeat


def _ours(sizes: tuple[int, ...], images: np.ndarray, labels: np.ndarray) -> Callable[[], object]:
    model = nn.MLP(*sizes, rng=0, dtype=np.float32)
    optimizer = nn.optim.Adam(model.parameters(), lr=1e-3)

    def step() -> object:
        optimizer.zero_grad()
        loss = F.cross_entropy(model(images), labels)
        loss.backward()
        optimizer.step()
        return loss

    return step


def _pytorch(sizes: tuple[int, ...], images: np.ndarray, labels: np.ndarray) -> Callable[[], object]:
    import torch

    torch.set_num_threads(1)
    first, hidden, last = sizes
    model = torch.nn.Sequential(torch.nn.Linear(first, hidden), torch.nn.ReLU(), torch.nn.Linear(hidden, last))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)
    x, target = torch.from_numpy(images), torch.from_numpy(labels)

    def step() -> object:
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(model(x), target)
        loss.backward()
        optimizer.step()
        return loss

    return step
