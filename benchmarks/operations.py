"""Recording and reversing: small arrays, and scalar graphs of up to a million nodes."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable, Iterator

import numpy as np

import autodiff as ad

Row = tuple[str, dict[str, Callable[[], object]], int, int]  # title, contestants, operations a call, calls a round


def installed(name: str) -> bool:
    """Whether a peer is installed."""
    return importlib.util.find_spec(name) is not None


def threads() -> int:
    """The number of threads that every contestant has in this process."""
    return int(os.environ.get("BENCHMARK_THREADS", "1"))


def chain(x, a, b, sin, length: int):  # type: ignore[no-untyped-def]
    """A chain of `length` operations: products, sums, differences and sines."""
    for _ in range(length // 4):
        x = sin(x * a + b) - b
    return x


def scalar_chain(x, a, b, length: int):  # type: ignore[no-untyped-def]
    """A chain of `length` sums and products of scalars."""
    for _ in range(length // 2):
        x = x * a + b
    return x


def small_arrays() -> Iterator[Row]:
    """Operations on 4-element arrays, float64."""
    length = 200
    x0, a0, b0 = np.linspace(0.1, 0.4, 4), np.full(4, 1.01), np.full(4, 0.3)

    def ours() -> object:
        x, a, b = ad.Tensor(x0), ad.Tensor(a0), ad.Tensor(b0)
        chain(x, a, b, np.sin, length).sum().backward()
        return x.grad

    contestants: dict[str, Callable[[], object]] = {"autodiff": ours}
    if installed("torch"):
        import torch

        torch.set_num_threads(1)

        def pytorch() -> object:
            x, a, b = (torch.tensor(v, requires_grad=True) for v in (x0, a0, b0))
            chain(x, a, b, torch.sin, length).sum().backward()
            return x.grad

        contestants["PyTorch"] = pytorch
    if installed("autograd"):
        import autograd
        import autograd.numpy as anp

        gradient = autograd.grad(lambda x, a, b: anp.sum(chain(x, a, b, anp.sin, length)), (0, 1, 2))
        contestants["HIPS autograd"] = lambda: gradient(x0, a0, b0)
    if installed("mygrad"):
        import mygrad

        def mygrad_chain() -> object:
            x, a, b = mygrad.tensor(x0), mygrad.tensor(a0), mygrad.tensor(b0)
            chain(x, a, b, mygrad.sin, length).sum().backward()
            return x.grad

        contestants["MyGrad"] = mygrad_chain
    yield "4-element arrays, a chain of 200", contestants, length, 10


def scalars() -> Iterator[Row]:
    """Scalar graphs of 1e3 to 1e6 nodes, float64."""
    for length in (1_000, 10_000, 100_000, 1_000_000):

        def ours(length: int = length) -> object:
            x, a, b = ad.Tensor(0.5), ad.Tensor(0.999), ad.Tensor(0.1)
            scalar_chain(x, a, b, length).backward()
            return x.grad

        contestants: dict[str, Callable[[], object]] = {"autodiff": ours}
        if installed("torch"):
            import torch

            def pytorch(length: int = length) -> object:
                x, a, b = (torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in (0.5, 0.999, 0.1))
                scalar_chain(x, a, b, length).backward()
                return x.grad

            contestants["PyTorch"] = pytorch
        if length < 2_000 and installed("micrograd"):  # it recurses, and Python's stack ends near 1,000 nodes
            import sys

            from micrograd.engine import Value

            sys.setrecursionlimit(10_000)

            def micrograd(length: int = length) -> object:
                x, a, b = Value(0.5), Value(0.999), Value(0.1)
                scalar_chain(x, a, b, length).backward()
                return x.grad

            contestants["micrograd"] = micrograd
        yield f"scalars, a chain of {length:,}", contestants, length, max(1, 20_000 // length)
