"""Compiled programs against the same functions run as they are, and PyTorch eager."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import autodiff as ad
from benchmarks.operations import Row, installed, scalar_chain
from benchmarks.transforms import rosenbrock

Contestants = dict[str, Callable[[], object]]


def compiled() -> Iterator[Row]:
    """float32, except the Hessian and the scalars; `ad.compile` first, then eager."""
    for size, repeat in ((1_000, 50), (100_000, 3), (10_000_000, 1)):
        yield _wave(size, repeat)
    yield _scalars(10_000)
    yield _hessian()


def _wave(size: int, repeat: int) -> Row:
    x = np.linspace(-2, 2, size, dtype=np.float32)

    def wave(x: Any) -> Any:
        return np.sum(np.tanh(x) * np.exp(-(x**2)) + x * np.sin(x))

    eager = ad.value_and_grad(wave)
    program = ad.compile(eager)
    contestants: Contestants = {"autodiff": lambda: program(x), "eager": lambda: eager(x)}
    if size >= 10_000_000:
        shared = ad.compile(eager, threads=2)
        contestants["two threads"] = lambda: shared(x)
    if installed("torch"):
        import torch

        torch.set_num_threads(1)

        def theirs() -> object:
            at = torch.tensor(x, requires_grad=True)
            y = (torch.tanh(at) * torch.exp(-(at**2)) + at * torch.sin(at)).sum()
            y.backward()  # type: ignore[no-untyped-call]
            return at.grad

        contestants["PyTorch"] = theirs
    return f"compiled: sum(tanh(x) exp(-x²) + x sin x) with gradient, {size:,}", contestants, 1, repeat


def _scalars(length: int) -> Row:
    eager = ad.value_and_grad(lambda x, a, b: scalar_chain(x, a, b, length), (0, 1, 2))
    program = ad.compile(eager)
    contestants: Contestants = {
        "autodiff": lambda: program(0.5, 0.999, 0.1),
        "eager": lambda: eager(0.5, 0.999, 0.1),
    }
    if installed("micrograd"):
        from micrograd.engine import Value

        def micrograd() -> None:
            scalar_chain(Value(0.5), Value(0.999), Value(0.1), length).backward()

        def deep() -> None:  # it recurses, deeper than the main thread's stack goes
            limit, size = sys.getrecursionlimit(), threading.stack_size(2**29)
            sys.setrecursionlimit(10 * length)
            thread = threading.Thread(target=micrograd)
            thread.start()
            thread.join()
            sys.setrecursionlimit(limit)
            threading.stack_size(size)

        contestants["micrograd"] = deep
    return f"compiled: a chain of {length:,} scalars with gradient", contestants, 1, 3


def _hessian() -> Row:
    x = np.linspace(-1, 1, 100)
    eager = ad.hessian(rosenbrock)
    program = ad.compile(eager)
    contestants: Contestants = {"autodiff": lambda: program(x), "eager": lambda: eager(x)}
    if installed("torch"):
        import torch

        at, theirs = torch.tensor(x), torch.func.hessian(rosenbrock)
        contestants["PyTorch"] = lambda: theirs(at)
    return "compiled: Hessian of Rosenbrock's function, n = 100", contestants, 1, 5
