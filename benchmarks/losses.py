"""Losses: softmax-cross-entropy of many classes, and micrograd's demo, a hinge loss with a penalty, float32."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

import autodiff as ad
import nn
import nn.functional as F
from benchmarks.operations import Row, installed


def losses() -> Iterator[Row]:
    """A loss forward and backward, and a training step dominated by its loss; against PyTorch and micrograd."""
    yield _cross_entropy(512, 1000)
    yield from _demo()


def _cross_entropy(batch: int, classes: int) -> Row:
    rng = np.random.default_rng(0)
    scores = (3 * rng.standard_normal((batch, classes))).astype(np.float32)
    labels = rng.integers(0, classes, batch)
    logits = ad.Tensor(scores)

    def ours() -> object:
        logits.grad = None
        F.cross_entropy(logits, labels).backward()
        return logits.grad

    contestants: dict[str, Callable[[], object]] = {"autodiff": ours}
    if installed("torch"):
        import torch

        torch.set_num_threads(1)
        their_logits = torch.tensor(scores, requires_grad=True)
        target = torch.from_numpy(labels)

        def pytorch() -> object:
            their_logits.grad = None
            torch.nn.functional.cross_entropy(their_logits, target).backward()
            return their_logits.grad

        contestants["PyTorch"] = pytorch
    return f"softmax-cross-entropy {batch}x{classes}, forward and backward", contestants, 1, 5


def _demo() -> Iterator[Row]:
    """The step of micrograd's demo: MLP 2-16-16-1 with ReLU, all 100 points of two moons, labels -1 and 1."""
    points, classes = nn.data.moons(100, noise=0.1, rng=0)
    x, y = points.astype(np.float32), (2 * classes - 1).astype(np.float32).reshape(-1, 1)
    ours = _our_demo(x, y)
    title = "micrograd's demo: a step of MLP 2-16-16-1, 100 points"
    if installed("torch"):
        yield title, {"autodiff": ours, "PyTorch": _pytorch_demo(x, y)}, 1, 100
    if installed("micrograd"):  # its step takes a second
        yield f"{title}, by itself", {"autodiff": ours, "micrograd": _micrograd_demo(x, y)}, 1, 1


def _our_demo(x: np.ndarray, y: np.ndarray) -> Callable[[], object]:
    model = nn.MLP(2, 16, 16, 1, rng=0)
    parameters = list(model.parameters())
    optimizer = nn.optim.SGD(parameters, lr=0.1)

    def step() -> object:
        optimizer.zero_grad()
        loss = F.hinge_loss(model(x), y) + 1e-4 * F.l2_penalty(parameters, biases=True)
        loss.backward()
        optimizer.step()
        return loss

    return step


def _micrograd_demo(points: np.ndarray, labels: np.ndarray) -> Callable[[], object]:
    import sys

    from micrograd import nn as scalars

    sys.setrecursionlimit(10_000)
    model = scalars.MLP(2, [16, 16, 1])
    x, y = points.tolist(), labels.ravel().tolist()

    def step() -> object:
        losses = [(1 - t * model(point)).relu() for point, t in zip(x, y, strict=True)]
        loss = sum(losses) * (1 / len(losses)) + 1e-4 * sum(p * p for p in model.parameters())
        model.zero_grad()
        loss.backward()
        for p in model.parameters():
            p.data -= 0.1 * p.grad
        return loss

    return step


def _pytorch_demo(points: np.ndarray, labels: np.ndarray) -> Callable[[], object]:
    import torch

    layers = [torch.nn.Linear(2, 16), torch.nn.ReLU(), torch.nn.Linear(16, 16), torch.nn.ReLU(), torch.nn.Linear(16, 1)]
    model = torch.nn.Sequential(*layers)
    parameters = list(model.parameters())
    optimizer = torch.optim.SGD(parameters, lr=0.1, fused=True)
    x, y = torch.from_numpy(points), torch.from_numpy(labels)

    def step() -> object:
        optimizer.zero_grad()
        flat = torch.cat([p.view(-1) for p in parameters])  # faster than a sum per parameter
        loss = (1 - y * model(x)).relu().mean() + 1e-4 * torch.dot(flat, flat)
        loss.backward()
        optimizer.step()
        return loss

    return step
