"""Derivatives of whole arrays at once: Jacobians, Hessians, per-sample gradients, batches of rows, many small parts."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

import autodiff as ad
import nn
from benchmarks.operations import Row, installed

Contestants = dict[str, Callable[[], object]]


def transforms() -> Iterator[Row]:
    """float64, except the layers; PyTorch eager, with torch.func where it has the transform."""
    yield _jacobian()
    yield _hessian()
    yield _per_sample()
    yield from _rows()
    yield from _parts()


def _jacobian() -> Row:
    rng = np.random.default_rng(0)
    matrix, x = rng.normal(size=(202, 4)), rng.normal(size=4)
    jacobian = ad.jacobian(lambda x: np.sin(matrix @ x) * np.exp(-((matrix @ x) ** 2)))
    contestants: Contestants = {"autodiff": lambda: jacobian(x)}
    if installed("torch"):
        import torch

        torch.set_num_threads(1)
        theirs, at = torch.tensor(matrix), torch.tensor(x)
        forward = torch.func.jacfwd(lambda x: torch.sin(theirs @ x) * torch.exp(-((theirs @ x) ** 2)))
        contestants["PyTorch"] = lambda: forward(at)
    return "Jacobian, 202 outputs of 4 inputs", contestants, 1, 20


def rosenbrock(x):  # type: ignore[no-untyped-def]
    """Its valley is curved; the Hessian has three diagonals."""
    return ((1 - x[:-1]) ** 2 + 100 * (x[1:] - x[:-1] ** 2) ** 2).sum()


def _hessian() -> Row:
    x = np.linspace(-1, 1, 100)
    hessian = ad.hessian(rosenbrock)
    contestants: Contestants = {"autodiff": lambda: hessian(x)}
    if installed("torch"):
        import torch

        at, theirs = torch.tensor(x), torch.func.hessian(rosenbrock)
        contestants["PyTorch"] = lambda: theirs(at)
    return "Hessian of Rosenbrock's function, n = 100", contestants, 1, 5


def _per_sample() -> Row:
    rng = np.random.default_rng(0)
    w1, w2 = rng.normal(size=(64, 32)) / 8, rng.normal(size=(32, 10)) / 6
    inputs, targets = rng.normal(size=(64, 64)), rng.normal(size=(64, 10))

    def ours(w, x, y):  # type: ignore[no-untyped-def]
        return np.sum((np.tanh(x @ w[0]) @ w[1] - y) ** 2)

    gradients = ad.vmap(ad.grad(ours), (None, 0, 0))
    contestants: Contestants = {"autodiff": lambda: gradients((w1, w2), inputs, targets)}
    if installed("torch"):
        import torch

        def loss(w, x, y):  # type: ignore[no-untyped-def]
            return torch.sum((torch.tanh(x @ w[0]) @ w[1] - y) ** 2)

        w, x, y = (torch.tensor(w1), torch.tensor(w2)), torch.tensor(inputs), torch.tensor(targets)
        theirs = torch.func.vmap(torch.func.grad(loss), (None, 0, 0))
        contestants["PyTorch"] = lambda: theirs(w, x, y)
    return "gradients of 64 samples each, 64-32-10", contestants, 1, 10


def _rows() -> Iterator[Row]:
    rng = np.random.default_rng(0)
    layer = nn.Linear(128, 64, rng=0)
    for shape in ((1600, 128), (32, 50, 128)):
        x = ad.Tensor(rng.normal(size=shape).astype(np.float32))

        def ours(x: ad.Tensor = x) -> None:
            x.grad = layer.weight.grad = layer.bias.grad = None
            layer(x).sum().backward()

        contestants: Contestants = {"autodiff": ours}
        if installed("torch"):
            import torch

            theirs = torch.nn.Linear(128, 64)
            at = torch.tensor(x.value, requires_grad=True)

            def pytorch(theirs=theirs, at=at) -> None:  # type: ignore[no-untyped-def]
                theirs.zero_grad()
                at.grad = None
                theirs(at).sum().backward()

            contestants["PyTorch"] = pytorch
        yield f"Linear(128, 64) of {shape}, float32", contestants, 1, 5


def _parts() -> Iterator[Row]:
    for number in (100, 10_000):
        parts = [np.ones(10) for _ in range(number)]

        def ours(parts: list[np.ndarray] = parts) -> None:
            np.stack([ad.Tensor(p) for p in parts]).sum().backward()

        contestants: Contestants = {"autodiff": ours}
        if installed("torch"):
            import torch

            def pytorch(parts: list[np.ndarray] = parts) -> None:
                torch.stack([torch.tensor(p, requires_grad=True) for p in parts]).sum().backward()

            contestants["PyTorch"] = pytorch
        yield f"np.stack of {number:,} arrays, forward and reverse", contestants, number, max(1, 2000 // number)
