"""Whole training steps as programs (nn.TrainStep), float32, against eager, NumPy by hand, PyTorch and JAX.

The bare matrix products of a step are there as the limit: no program of the same BLAS is faster.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import nn
import nn.functional as F
from benchmarks import by_hand, by_jax, by_torch, losses, networks, normalisation
from benchmarks import training as eager_training
from benchmarks.compiled import waves
from benchmarks.operations import Row, installed, threads

Contestants = dict[str, Callable[[], object]]


PERCEPTRONS = (
    ((64, 32, 10), 32, 200),
    ((784, 128, 10), 64, 40),
    ((784, 512, 256, 10), 128, 5),
    ((784, 2048, 2048, 10), 512, 1),
)


def compiled_steps() -> Iterator[Row]:
    """Adam steps of perceptrons, LeNet's SGD step and how long its program takes to make, and micrograd's demo."""
    for sizes, batch, repeat in PERCEPTRONS:
        yield _perceptron(sizes, batch, repeat)
    for kind in ("BatchNorm1d", "LayerNorm"):
        yield _normalised(kind)
    yield _lenet()
    yield _made()
    yield _demo()


def on_two_threads() -> Iterator[Row]:
    """The steps that are large enough for two threads; for a process in which every contestant has two."""
    yield _perceptron(*PERCEPTRONS[-1])
    yield waves(10_000_000, 1)


def _compiled(model: Any, optimizer: Any, loss: Any, x: Any, y: Any, *, fast: bool = False) -> Callable[[], object]:
    step = nn.TrainStep(model, loss, optimizer, fast=fast)
    return lambda: step(x, y)


def _fast(make: Callable[[], Any], optimizer: Any, x: Any, y: Any) -> Contestants:
    """The step with kernels of a model of its own, if Numba is installed."""
    if not installed("numba"):
        return {}
    model = make()
    return {"fast": _compiled(model, optimizer(model.parameters()), nn.CrossEntropyLoss(), x, y, fast=True)}


def _adam(parameters: Any) -> Any:
    return nn.optim.Adam(parameters, lr=1e-3)


def _data(batch: int, *shape: int, classes: int = 10) -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    return rng.standard_normal((batch, *shape)).astype(np.float32), rng.integers(0, classes, batch)


def _perceptron(sizes: tuple[int, ...], batch: int, repeat: int) -> Row:
    x, y = _data(batch, sizes[0], classes=sizes[-1])
    model = nn.MLP(*sizes, rng=0)
    contestants: Contestants = {
        "autodiff": _compiled(model, nn.optim.Adam(model.parameters(), lr=1e-3), nn.CrossEntropyLoss(), x, y),
        "eager": eager_training._ours(sizes, x, y),
        "NumPy by hand": by_hand.step(sizes, x, y),
        "matrix products": by_hand.products(sizes, x),
    }
    contestants |= _fast(lambda: nn.MLP(*sizes, rng=0), _adam, x, y)
    if installed("torch"):
        import torch

        contestants["PyTorch"] = normalisation._pytorch(sizes, None, x, y)
        model = torch.nn.Sequential(*normalisation._layers(torch.nn, sizes, None))
        contestants |= by_torch.step(model, torch.nn.functional.cross_entropy, x, y)
        torch.set_num_threads(threads())
    if installed("jax"):
        contestants["JAX"] = by_jax.step(sizes, x, y)
    return f"compiled: Adam step, MLP {'-'.join(map(str, sizes))}, batch {batch}", contestants, 1, repeat


def _normalised(kind: str) -> Row:
    sizes = (784, 256, 256, 10)
    x, y = _data(128, 784)
    model = nn.Sequential(*normalisation._layers(nn, sizes, kind))
    contestants: Contestants = {
        "autodiff": _compiled(model, nn.optim.Adam(model.parameters(), lr=1e-3), nn.CrossEntropyLoss(), x, y),
        "eager": normalisation._ours(sizes, kind, x, y),
    }
    contestants |= _fast(lambda: nn.Sequential(*normalisation._layers(nn, sizes, kind)), _adam, x, y)
    if installed("torch"):
        contestants["PyTorch"] = normalisation._pytorch(sizes, kind, x, y)
    return f"compiled: Adam step, 784-256-256-10 with {kind}, batch 128", contestants, 1, 10


def _lenet() -> Row:
    nn.reuse_memory()
    x, y = _data(64, 1, 28, 28)
    model = networks.LeNet()
    contestants: Contestants = {
        "autodiff": _compiled(model, nn.optim.SGD(model.parameters(), lr=0.01), nn.CrossEntropyLoss(), x, y),
        "eager": networks._ours(x, y),
    }
    contestants |= _fast(networks.LeNet, lambda parameters: nn.optim.SGD(parameters, lr=0.01), x, y)
    if installed("torch"):
        contestants["PyTorch"] = networks._pytorch(x, y, fused=True, last=False)
    return "compiled: SGD step, LeNet on 28x28, batch 64", contestants, 1, 5


def _made() -> Row:
    x, y = _data(64, 1, 28, 28)

    def ours() -> object:
        model = networks.LeNet()
        return nn.TrainStep(model, nn.CrossEntropyLoss(), nn.optim.SGD(model.parameters(), lr=0.01))(x, y)

    return "compiled: tracing and compiling the step of LeNet, and its first run", {"autodiff": ours}, 1, 1


def _demo() -> Row:
    """micrograd's demonstration: a hinge with a penalty on two moons, 2-16-16-1, 100 points."""
    sizes = (2, 16, 16, 1)
    points, labels = nn.data.moons(100, rng=0)
    x, y = points.astype(np.float32), (2 * labels - 1).astype(np.float32)[:, None]
    contestants: Contestants = {
        "autodiff": _our_demo(sizes, x, y, compiled=True),
        "eager": _our_demo(sizes, x, y, compiled=False),
        "NumPy by hand": by_hand.demo(sizes, x, y),
    }
    if installed("torch"):
        import torch

        contestants["PyTorch"] = losses._pytorch_demo(x, y)
        contestants |= by_torch.demo(torch.nn.Sequential(*normalisation._layers(torch.nn, sizes, None)), x, y)
    if installed("jax"):
        contestants["JAX"] = by_jax.demo(sizes, x, y)
    return "compiled: micrograd's demo, MLP 2-16-16-1, 100 points", contestants, 1, 100


def _our_demo(sizes: tuple[int, ...], x: Any, y: Any, *, compiled: bool) -> Callable[[], object]:
    model = nn.MLP(*sizes, rng=0)
    optimizer = nn.optim.SGD(model.parameters(), lr=0.1)

    def loss(scores: Any, targets: Any) -> Any:
        return F.hinge_loss(scores, targets) + 1e-4 * F.l2_penalty(model.parameters(), biases=True)

    if compiled:
        return _compiled(model, optimizer, loss, x, y)

    def step() -> object:
        optimizer.zero_grad()
        value = loss(model(x), y)
        value.backward()
        optimizer.step()
        return value

    return step
