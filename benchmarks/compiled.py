"""Compiled programs against the same functions without `ad.compile`, PyTorch eager and compiled, and JAX."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import autodiff as ad
import nn.functional as F
from benchmarks import by_jax, by_torch
from benchmarks.operations import Row, installed, scalar_chain, threads
from benchmarks.transforms import rosenbrock

Contestants = dict[str, Callable[[], object]]


def compiled() -> Iterator[Row]:
    """float32, except the Hessian and the scalars; `ad.compile` first, then eager."""
    for size, repeat in ((1_000, 50), (100_000, 3), (10_000_000, 1)):
        yield waves(size, repeat)
    yield _cross_entropy(512, 1000)
    yield _scalars(10_000)
    yield _hessian()
    yield _product()


def wave(library: Any, x: Any) -> Any:
    """A number from many elementwise operations, by NumPy or a library with functions of the same names."""
    return library.sum(library.tanh(x) * library.exp(-(x**2)) + x * library.sin(x))


def waves(size: int, repeat: int) -> Row:
    """The wave with its gradient, on the number of threads that all contestants have in this process."""
    x = np.linspace(-2, 2, size, dtype=np.float32)
    eager = ad.value_and_grad(lambda x: wave(np, x))
    program = ad.compile(eager, threads=threads())
    contestants: Contestants = {"autodiff": lambda: program(x), "eager": lambda: eager(x)}
    if installed("numba"):
        quick = ad.compile(eager, threads=threads(), fast=True)
        contestants["fast"] = lambda: quick(x)
    if installed("torch"):
        import torch

        torch.set_num_threads(threads())

        def theirs() -> object:
            at = torch.tensor(x, requires_grad=True)
            y = wave(torch, at)
            y.backward()
            return at.grad

        contestants["PyTorch"] = theirs
        contestants |= by_torch.gradient(wave, x)
    if installed("jax"):
        contestants["JAX"] = by_jax.gradient(wave, x)
    return f"compiled: sum(tanh(x) exp(-x²) + x sin x) with gradient, {size:,}", contestants, 1, repeat


def _cross_entropy(batch: int, classes: int) -> Row:
    rng = np.random.default_rng(0)
    logits = (3 * rng.standard_normal((batch, classes))).astype(np.float32)
    labels = rng.integers(0, classes, batch)
    eager = ad.value_and_grad(F.cross_entropy)
    program = ad.compile(eager)
    contestants: Contestants = {"autodiff": lambda: program(logits, labels), "eager": lambda: eager(logits, labels)}
    if installed("torch"):
        import torch

        torch.set_num_threads(threads())
        at, targets = torch.tensor(logits, requires_grad=True), torch.from_numpy(labels)

        def theirs() -> object:
            at.grad = None
            torch.nn.functional.cross_entropy(at, targets).backward()
            return at.grad

        contestants["PyTorch"] = theirs
    return f"compiled: softmax-cross-entropy {batch}x{classes} with gradient", contestants, 1, 5


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

        def deep() -> None:  # its recursion is too deep for the main thread's stack
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


def _product() -> Row:
    size = 100_000
    x, v = np.linspace(-1, 1, size, dtype=np.float32), np.linspace(1, 2, size, dtype=np.float32)

    def eager(x: Any, v: Any) -> Any:
        return ad.hvp(rosenbrock, x, v)

    program = ad.compile(eager)
    contestants: Contestants = {"autodiff": lambda: program(x, v), "eager": lambda: eager(x, v)}
    if installed("torch"):
        import torch

        torch.set_num_threads(threads())
        at, along, slope = torch.from_numpy(x), torch.from_numpy(v), torch.func.grad(rosenbrock)
        contestants["PyTorch"] = lambda: torch.func.jvp(slope, (at,), (along,))[1]
    return f"compiled: Hessian of Rosenbrock's function times a vector, n = {size:,}", contestants, 1, 5
