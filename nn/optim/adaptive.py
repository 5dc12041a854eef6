"""Optimizers with a step size for each element, computed from the squares of its past adjoints."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from nn.checked import switch
from nn.optim.optimizer import Optimizer
from nn.optim.options import Group, Option, number
from nn.optim.run import Run


class Adagrad(Optimizer):
    """Adagrad (Duchi et al. 2011): s = s + g²; p = p - lr / (1 + (t - 1) lr_decay) g / (√s + eps).

    s starts at `initial_accumulator_value`; t counts a parameter's steps. `weight_decay` adds weight_decay p to g.

    >>> p = ad.Tensor([1.0])
    >>> optimizer = nn.optim.Adagrad([p], lr=0.1)
    >>> np.sum(p**2).backward()
    >>> optimizer.step()
    >>> p.value.round(4)
    array([0.9])
    """

    vectors = ("sum",)

    lr_decay = Option(number())
    initial_accumulator_value = Option(number(), fixed=True)
    eps = Option(number())

    def __init__(
        self,
        params: Iterable[Any] | None = None,
        lr: float = 1e-2,
        lr_decay: float = 0.0,
        weight_decay: float = 0.0,
        initial_accumulator_value: float = 0.0,
        eps: float = 1e-10,
        *,
        maximize: bool = False,
        decay_biases: bool = True,
    ) -> None:
        super().__init__(
            params, lr=lr, lr_decay=lr_decay, weight_decay=weight_decay,
            initial_accumulator_value=initial_accumulator_value, eps=eps, maximize=maximize, decay_biases=decay_biases,
        )  # fmt: skip

    def initial(self, group: Group) -> float:
        """The initial value of s."""
        return float(group.options["initial_accumulator_value"])

    def update(self, run: Run) -> None:
        """One step of the run's pieces."""
        options = run.options
        rate, eps = options["lr"] / (1 + (run.steps - 1) * options["lr_decay"]), options["eps"]
        for p, g, s, scratch, spare in run.decayed():
            np.multiply(g, g, out=scratch)
            s += scratch
            np.sqrt(s, out=scratch)
            scratch += eps
            np.divide(g, scratch, out=spare)
            spare *= rate
            p -= spare


class Adadelta(Optimizer):
    """Adadelta (Zeiler 2012): d = √(u + eps) / √(v + eps) g; p = p - lr d.

    v and u are running means of g² and d², which keep the share rho at each step; v includes this step's g², u not yet
    its d².
    `weight_decay` adds weight_decay p to g.

    >>> p = ad.Tensor([1.0])
    >>> optimizer = nn.optim.Adadelta([p])
    >>> np.sum(p**2).backward()
    >>> optimizer.step()
    >>> p.value.round(4)
    array([0.9968])
    """

    vectors = ("square_avg", "acc_delta")

    rho = Option(number(most=1))
    eps = Option(number())

    def __init__(
        self,
        params: Iterable[Any] | None = None,
        lr: float = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
        decay_biases: bool = True,
    ) -> None:
        super().__init__(
            params, lr=lr, rho=rho, eps=eps, weight_decay=weight_decay, maximize=maximize, decay_biases=decay_biases
        )

    def update(self, run: Run) -> None:
        """One step of the run's pieces."""
        options = run.options
        lr, rho, eps = options["lr"], options["rho"], options["eps"]
        for p, g, v, u, scratch, spare in run.decayed():
            _average_square(v, g, rho, scratch)
            np.add(v, eps, out=scratch)
            np.sqrt(scratch, out=scratch)
            np.divide(g, scratch, out=spare)
            np.add(u, eps, out=scratch)
            np.sqrt(scratch, out=scratch)
            spare *= scratch
            _average_square(u, spare, rho, scratch)
            spare *= lr
            p -= spare


class RMSprop(Optimizer):
    """RMSprop (Hinton, lecture 6e of 2012): p = p - lr b, b = momentum b + g / (√v + eps), v a running mean of g².

    The mean keeps the share alpha at each step. With `centered` v is replaced by v - m², an estimate of the variance,
    where m is a running mean of g (Graves 2013). `weight_decay` adds weight_decay p to g.

    >>> p = ad.Tensor([1.0])
    >>> optimizer = nn.optim.RMSprop([p], lr=0.01)
    >>> np.sum(p**2).backward()
    >>> optimizer.step()
    >>> p.value.round(4)
    array([0.9])
    """

    vectors = ("square_avg", "grad_avg", "momentum_buffer")
    optional = ("grad_avg", "momentum_buffer")

    alpha = Option(number(most=1))
    eps = Option(number())
    momentum = Option(number(below=1))
    centered = Option(switch)

    def __init__(
        self,
        params: Iterable[Any] | None = None,
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum: float = 0.0,
        centered: bool = False,
        *,
        maximize: bool = False,
        decay_biases: bool = True,
    ) -> None:
        super().__init__(
            params, lr=lr, alpha=alpha, eps=eps, weight_decay=weight_decay, momentum=momentum, centered=centered,
            maximize=maximize, decay_biases=decay_biases,
        )  # fmt: skip

    def update(self, run: Run) -> None:
        """One step of the run's pieces."""
        options = run.options
        lr, alpha, eps, momentum = options["lr"], options["alpha"], options["eps"], options["momentum"]
        for name, asked in (("grad_avg", options["centered"]), ("momentum_buffer", momentum)):
            if asked and name not in self.state:
                self.remember(name)
        for p, g, v, m, b, scratch, spare in run.decayed():
            _average_square(v, g, alpha, scratch)
            if options["centered"]:
                np.multiply(g, 1 - alpha, out=scratch)
                m *= alpha
                m += scratch
                np.multiply(m, m, out=scratch)
                np.subtract(v, scratch, out=scratch)
                np.maximum(scratch, 0, out=scratch)  # rounding can make a variance negative
                np.sqrt(scratch, out=scratch)
            else:
                np.sqrt(v, out=scratch)
            scratch += eps
            np.divide(g, scratch, out=spare)
            if momentum:
                b *= momentum
                b += spare
                np.multiply(b, lr, out=spare)
            else:
                spare *= lr
            p -= spare


def _average_square(mean: Any, x: Any, kept: float, scratch: Any) -> None:
    """A step of a running mean of x²."""
    np.multiply(x, x, out=scratch)
    scratch *= 1 - kept
    mean *= kept
    mean += scratch
