"""Variants of Adam: RAdam rectifies the variance, Adamax uses the largest adjoint, Lion the sign of a mean."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

import numpy as np

import autodiff as ad
from nn.checked import switch
from nn.optim.optimizer import Optimizer
from nn.optim.options import Option, beta_pair, number
from nn.optim.run import Run


class RAdam(Optimizer):
    """RAdam (Liu et al. 2020, algorithm 2): Adam with a corrected step while v is estimated from few gradients.

    With Adam's m̂ and v, ρ∞ = 2 / (1 - β₂) - 1 and ρ = ρ∞ - 2 t β₂ᵗ / (1 - β₂ᵗ): p = p - lr m̂ r √(1 - β₂ᵗ) / (√v +
    eps), with r² = (ρ - 4) (ρ - 2) ρ∞ / ((ρ∞ - 4) (ρ∞ - 2) ρ), where ρ is above 5; else p = p - lr m̂. `weight_decay`
    adds weight_decay p to g; `decoupled_weight_decay` decays p itself, as AdamW.

    >>> p = ad.Tensor([1.0])
    >>> optimizer = nn.optim.RAdam([p], lr=0.1)
    >>> np.sum(p**2).backward()
    >>> optimizer.step()
    >>> p.value.round(4)
    array([0.8])
    """

    vectors: ClassVar[tuple[str, ...]] = ("exp_avg", "exp_avg_sq")

    betas = Option(beta_pair)
    eps = Option(number())
    decoupled_weight_decay = Option(switch)

    def __init__(
        self,
        params: Iterable[Any] | None = None,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        decoupled_weight_decay: bool = False,
        *,
        maximize: bool = False,
        decay_biases: bool = True,
    ) -> None:
        super().__init__(
            params, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay,
            decoupled_weight_decay=decoupled_weight_decay, maximize=maximize, decay_biases=decay_biases,
        )  # fmt: skip

    def update(self, run: Run) -> None:
        """One step of the run's pieces."""
        options, t = run.options, run.steps
        decoupled = options["decoupled_weight_decay"]
        (beta1, beta2), eps, rate = options["betas"], options["eps"], options["lr"] / (1 - options["betas"][0] ** t)
        longest = 2 / (1 - beta2) - 1
        length = longest - 2 * t * beta2**t / (1 - beta2**t)
        if rectified := ad.ask(_long, length):
            square = (length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length)
            rate *= (square * (1 - beta2**t)) ** 0.5
        for p, g, m, v, scratch, _ in run.directed() if decoupled else run.decayed():
            if decoupled:
                p *= 1 - options["lr"] * run.weight_decay
            _average(m, g, beta1, scratch)
            v *= beta2
            np.multiply(g, g, out=scratch)
            scratch *= 1 - beta2
            v += scratch
            if rectified:
                np.sqrt(v, out=scratch)
                scratch += eps
                np.divide(m, scratch, out=scratch)
                scratch *= rate
            else:
                np.multiply(m, rate, out=scratch)
            p -= scratch


class Adamax(Optimizer):
    """Adamax (Kingma & Ba 2015, algorithm 2): p = p - lr m̂ / u, with u = max(β₂ u, |g| + eps), Adam's m̂.

    `weight_decay` adds weight_decay p to g.

    >>> p = ad.Tensor([1.0])
    >>> optimizer = nn.optim.Adamax([p], lr=0.1)
    >>> np.sum(p**2).backward()
    >>> optimizer.step()
    >>> p.value.round(4)
    array([0.9])
    """

    vectors: ClassVar[tuple[str, ...]] = ("exp_avg", "exp_inf")

    betas = Option(beta_pair)
    eps = Option(number(above=True))  # u is a divisor, and would be 0 if the adjoint is always 0

    def __init__(
        self,
        params: Iterable[Any] | None = None,
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
        decay_biases: bool = True,
    ) -> None:
        super().__init__(
            params, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay, maximize=maximize,
            decay_biases=decay_biases,
        )  # fmt: skip

    def update(self, run: Run) -> None:
        """One step of the run's pieces."""
        options = run.options
        (beta1, beta2), eps = options["betas"], options["eps"]
        rate = options["lr"] / (1 - beta1**run.steps)
        for p, g, m, u, scratch, _ in run.decayed():
            _average(m, g, beta1, scratch)
            u *= beta2
            np.abs(g, out=scratch)
            scratch += eps
            np.maximum(u, scratch, out=u)
            np.divide(m, u, out=scratch)
            scratch *= rate
            p -= scratch


class Lion(Optimizer):
    """Lion (Chen et al. 2023, algorithm 2): p = p - lr sign(β₁ m + (1 - β₁) g), then m = β₂ m + (1 - β₂) g.

    `weight_decay` decays p itself, p = p - lr weight_decay p, as AdamW. Every step has the same length, so choose a
    third to a tenth of AdamW's lr, and a decay that is larger by the same factor.

    >>> p = ad.Tensor([1.0, -5.0])
    >>> optimizer = nn.optim.Lion([p], lr=0.1)
    >>> np.sum(p**2).backward()
    >>> optimizer.step()
    >>> p.value
    array([ 0.9, -4.9])
    """

    vectors: ClassVar[tuple[str, ...]] = ("exp_avg",)

    betas = Option(beta_pair)

    def __init__(
        self,
        params: Iterable[Any] | None = None,
        lr: float = 1e-4,
        betas: tuple[float, float] = (0.9, 0.99),
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
        decay_biases: bool = True,
    ) -> None:
        super().__init__(
            params, lr=lr, betas=betas, weight_decay=weight_decay, maximize=maximize, decay_biases=decay_biases
        )

    def update(self, run: Run) -> None:
        """One step of the run's pieces."""
        options = run.options
        (beta1, beta2), lr = options["betas"], options["lr"]
        shrink = 1 - lr * run.weight_decay
        for p, g, m, scratch, _ in run.directed():
            if run.weight_decay:
                p *= shrink
            np.subtract(m, g, out=scratch)
            scratch *= beta1
            scratch += g
            np.sign(scratch, out=scratch)
            scratch *= lr
            p -= scratch
            _average(m, g, beta2, scratch)


def _long(length: float) -> bool:
    """Whether there are enough adjoints to estimate the variance."""
    return length > 5


def _average(mean: Any, x: Any, kept: float, scratch: Any) -> None:
    """A step of a running mean of x."""
    np.subtract(x, mean, out=scratch)
    scratch *= 1 - kept
    mean += scratch
