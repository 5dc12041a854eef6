"""Optimizers: they move parameters along their adjoints.

All of a model's parameters lie in one vector and their adjoints in another (`ad.Flat`). A step goes through both in
pieces that fit the processor's cache together with the optimizer's own state, writes in place and allocates nothing.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt

import autodiff as ad
from nn.checked import real
from nn.module import Module

Vector = npt.NDArray[Any]
PIECE = 2**18  # bytes of each vector at a time, so that what a step reads twice is still in a core's cache


class Run:
    """A stretch of the vectors whose parameters have always been updated together, and how often they were."""

    def __init__(self, start: int, stop: int, steps: int, vectors: tuple[Vector, ...], scratch: Vector) -> None:
        self.start, self.stop, self.steps = start, stop, steps
        bounds = [*range(start, stop, len(scratch)), stop]
        self.pieces = [(*(v[a:b] for v in vectors), scratch[: b - a]) for a, b in itertools.pairwise(bounds)]


class Optimizer:
    """What SGD and Adam share: one flat vector of parameters, one of adjoints, and some of the optimizer's state.

    Parameters without an adjoint are left alone, and their count of steps does not advance. Making a second
    optimizer for the same parameters takes them over; the first then refuses to step.

    Raises ValueError for no parameters, TypeError for what is not a leaf Tensor and for mixed dtypes.
    """

    states = 0  # how many vectors of the parameters' length the rule keeps between steps
    state: tuple[Vector, ...] = ()  # those vectors

    def __init__(self, parameters: Iterable[ad.Tensor], lr: float) -> None:
        self._lr = real(lr, f"{type(self).__name__}: lr, the step size,", above=True)
        self.flat = ad.Flat(_listed(parameters, type(self).__name__))
        size = self.flat.value.size
        self._scratch = np.empty(min(size, PIECE // self.flat.value.itemsize), self.flat.value.dtype)
        self._runs: dict[tuple[int, int], Run] = {}
        self._add(0, size, 0)
        self._remember(self.states)

    @property
    def parameters(self) -> list[ad.Tensor]:
        """The Tensors that `step` updates."""
        return list(self.flat.tensors)

    @property
    def lr(self) -> float:
        """The step size; it may be assigned between steps, 0 too."""
        return self._lr

    @lr.setter
    def lr(self, lr: float) -> None:
        self._lr = real(lr, f"{type(self).__name__}: lr, the step size,")

    def zero_grad(self) -> None:
        """Forget the parameters' adjoints: every `.grad` is None until the next `backward`."""
        self.flat.zero_grad()

    def step(self) -> None:
        """Move every parameter that has an adjoint."""
        for stretch in self.flat.reached():
            run = self._runs.get((stretch.start, stretch.stop))
            for part in self._split(stretch.start, stretch.stop) if run is None else (run,):
                part.steps += 1
                self.update(part)
        self.flat.assigned()

    def update(self, run: Run) -> None:
        """The rule: write new values into the first vector of each piece (values, adjoints, *state, scratch)."""
        raise NotImplementedError(f"{type(self).__name__} has no update rule; define update(self, run)")

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        name = type(self).__name__
        raise TypeError(
            f"copying or pickling was asked of {self!r}; it belongs to the parameters it was made for. Copy the model, "
            f"and make a new optimizer for the copy: {name}(copied.parameters(), ...)."
        )

    def _remember(self, states: int) -> None:
        """Keep so many vectors of state, which start at 0."""
        self.state = tuple(np.zeros_like(self.flat.value) for _ in range(states))
        for run in list(self._runs.values()):
            self._add(run.start, run.stop, run.steps)

    def _add(self, start: int, stop: int, steps: int) -> Run:
        vectors = (self.flat.value, self.flat.grad, *self.state)
        run = self._runs[start, stop] = Run(start, stop, steps, vectors, self._scratch)
        return run

    def _split(self, start: int, stop: int) -> Iterator[Run]:
        """The runs between two bounds, after those across a bound are cut in two there."""
        for bound in (start, stop):
            for run in list(self._runs.values()):
                if run.start < bound < run.stop:
                    del self._runs[run.start, run.stop]
                    self._add(run.start, bound, run.steps)
                    self._add(bound, run.stop, run.steps)
        return iter([run for run in self._runs.values() if start <= run.start and run.stop <= stop])


class SGD(Optimizer):
    """Stochastic gradient descent: b = momentum b + g; p = p - lr b (Polyak 1964; without momentum b is g)."""

    def __init__(self, parameters: Iterable[ad.Tensor], lr: float, *, momentum: float = 0.0) -> None:
        self._momentum = real(momentum, "SGD: momentum", below=1)
        self.states = 1 if self._momentum else 0
        super().__init__(parameters, lr)

    @property
    def momentum(self) -> float:
        """The share of the last b in the next; it may be assigned between steps."""
        return self._momentum

    @momentum.setter
    def momentum(self, momentum: float) -> None:
        self._momentum = real(momentum, "SGD: momentum", below=1)
        if self._momentum and not self.states:
            self.states = 1
            self._remember(1)

    def update(self, run: Run) -> None:
        """One step of the run's pieces."""
        lr, momentum = self._lr, self._momentum
        if not self.states:
            for p, g, scratch in run.pieces:
                np.multiply(g, lr, out=scratch)
                p -= scratch
            return
        for p, g, b, scratch in run.pieces:
            b *= momentum
            b += g
            np.multiply(b, lr, out=scratch)
            p -= scratch

    def __repr__(self) -> str:
        momentum = f", momentum={self.momentum}" if self.momentum else ""
        return f"SGD({len(self.flat.tensors)} parameters, lr={self.lr}{momentum})"


class Adam(Optimizer):
    """Adam (Kingma & Ba 2015): p = p - lr m̂ / (√v̂ + eps), from running means m of g and v of g².

    m̂ = m / (1 - β₁ᵗ) and v̂ = v / (1 - β₂ᵗ) undo the means' start at 0; t counts a parameter's steps.
    """

    # Kept are M = m / (1 - β₁) and V = v / (1 - β₂): M = β₁ M + g and V = β₂ V + g² take two passes less, and
    # lr m̂ / (√v̂ + eps) = lr (1 - β₁) / ((1 - β₁ᵗ) c) · M / (√V + eps / c) with c² = (1 - β₂) / (1 - β₂ᵗ).
    states = 2
    _betas = 0.0, 0.0

    def __init__(
        self,
        parameters: Iterable[ad.Tensor],
        lr: float = 1e-3,
        *,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
    ) -> None:
        self.betas, self.eps = betas, eps
        super().__init__(parameters, lr)
        # 0-d arrays of the parameters' dtype: a Python float would be converted again by every operation.
        self._factors = [np.empty((), self.flat.value.dtype) for _ in range(4)]

    @property
    def betas(self) -> tuple[float, float]:
        """What the means keep of themselves at a step; it may be assigned between steps."""
        return self._betas

    @betas.setter
    def betas(self, betas: tuple[float, float]) -> None:
        if not isinstance(betas, tuple | list) or len(betas) != 2:
            raise TypeError(f"Adam: betas are a pair of numbers, such as (0.9, 0.999); received {betas!r:.80}.")
        before = self._betas
        self._betas = real(betas[0], "Adam: betas[0]", below=1), real(betas[1], "Adam: betas[1]", below=1)
        for kept, old, new in zip(self.state, before, self._betas, strict=False):
            kept *= (1 - old) / (1 - new)  # m and v stay what they are

    @property
    def eps(self) -> float:
        """What is added to √v̂; it may be assigned between steps."""
        return self._eps

    @eps.setter
    def eps(self, eps: float) -> None:
        self._eps = real(eps, "Adam: eps")

    def update(self, run: Run) -> None:
        """One step of the run's pieces."""
        beta1, beta2 = self._betas
        c = ((1 - beta2) / (1 - beta2**run.steps)) ** 0.5
        decay1, decay2, eps, rate = self._factors
        decay1[()], decay2[()], eps[()] = beta1, beta2, self._eps / c
        rate[()] = self._lr * (1 - beta1) / ((1 - beta1**run.steps) * c)
        for p, g, m, v, scratch in run.pieces:
            m *= decay1
            m += g
            v *= decay2
            np.multiply(g, g, out=scratch)
            v += scratch
            np.sqrt(v, out=scratch)
            scratch += eps
            np.divide(m, scratch, out=scratch)
            scratch *= rate
            p -= scratch

    def __repr__(self) -> str:
        return f"Adam({len(self.flat.tensors)} parameters, lr={self.lr}, betas={self.betas}, eps={self.eps})"


def _listed(parameters: Iterable[ad.Tensor], name: str) -> list[ad.Tensor]:
    if isinstance(parameters, Module):
        raise TypeError(
            f"{name} takes a model's parameters; received the model. Write {name}(model.parameters(), ...)."
        )
    if isinstance(parameters, ad.Tensor) or not isinstance(parameters, Iterable):
        raise TypeError(
            f"{name} takes an iterable of leaf Tensors; received {type(parameters).__name__}. "
            f"Write {name}([w, b], ...)."
        )
    listed = list(parameters)
    if not listed:
        raise ValueError(
            f"{name} was given no parameters; pass those of a model, {name}(model.parameters(), ...). A Module's "
            "parameters are the leaf Tensors among its attributes; a generator that was read once is empty."
        )
    for k, tensor in enumerate(listed):
        if not isinstance(tensor, ad.Tensor):
            hint = "an ndarray is a constant, ad.Tensor(array) a parameter" if isinstance(tensor, np.ndarray) else ""
            hint = hint or f"write {name}(model.parameters(), ...)"
            raise TypeError(f"{name} takes leaf Tensors; item {k} is a {type(tensor).__name__}: {hint}.")
        if tensor.primitive is not None:
            raise TypeError(
                f"{name} takes leaf Tensors; item {k}, of shape {tensor.shape}, is the result of "
                f"{tensor.primitive.name}. Pass the Tensors it was computed from."
            )
    return listed
