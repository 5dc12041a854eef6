"""A full Adam training step of a multi-layer perceptron with batch or layer normalisation, float32."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import numpy as np

import nn
import nn.functional as F
from benchmarks.operations import Row, installed


def normalised_steps() -> Iterator[Row]:
    """MLPs for small and image-sized data, with and without normalisation; PyTorch has its fastest Adam (fused)."""
    for sizes, batch, repeat in (((64, 128, 64, 10), 64, 100), ((784, 256, 256, 10), 128, 20)):
        rng = np.random.default_rng(0)
        images = rng.standard_normal((batch, sizes[0])).astype(np.float32)
        labels = rng.integers(0, sizes[-1], batch)
        for kind in (None, "BatchNorm1d", "LayerNorm"):
            contestants: dict[str, Callable[[], object]] = {"autodiff": _ours(sizes, kind, images, labels)}
            if installed("torch"):
                contestants["PyTorch"] = _pytorch(sizes, kind, images, labels)
            title = f"Adam step, MLP {'-'.join(map(str, sizes))}{f' with {kind}' if kind else ''}, batch {batch}"
            yield title, contestants, 1, repeat


def _ours(sizes: tuple[int, ...], kind: str | None, images: np.ndarray, labels: np.ndarray) -> Callable[[], object]:
    model = nn.Sequential(*_layers(nn, sizes, kind))
    optimizer = nn.optim.Adam(model.parameters(), lr=1e-3)

    def step() -> object:
        optimizer.zero_grad()
        loss = F.cross_entropy(model(images), labels)
        loss.backward()
        optimizer.step()
        return loss

    return step


def _pytorch(sizes: tuple[int, ...], kind: str | None, images: np.ndarray, labels: np.ndarray) -> Callable[[], object]:
    import torch

    torch.set_num_threads(1)
    model = torch.nn.Sequential(*_layers(torch.nn, sizes, kind))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)
    x, target = torch.from_numpy(images), torch.from_numpy(labels)

    def step() -> object:
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(model(x), target)
        loss.backward()
        optimizer.step()
        return loss

    return step


def _layers(library: object, sizes: tuple[int, ...], kind: str | None) -> Iterator[object]:
    """The layers, made by names that both libraries share."""
    for k, (inputs, outputs) in enumerate(itertools.pairwise(sizes)):
        yield library.Linear(inputs, outputs)
        if k < len(sizes) - 2:
            if kind:
                yield getattr(library, kind)(outputs)
            yield library.ReLU()
