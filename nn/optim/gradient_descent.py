"""Gradient descent, with momentum."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import numpy as np

from nn.checked import switch
from nn.optim.optimizer import Optimizer
from nn.optim.options import Check, Option, number
from nn.optim.run import Run


class SGD(Optimizer):
    """Stochastic gradient descent: b = momentum b + (1 - dampening) g; p = p - lr b (Polyak 1964).

    At a parameter's first step, and without momentum, b is g. With `nesterov` the step is along g + momentum b
    (Sutskever et al. 2013), which needs a momentum and no dampening. `weight_decay` adds weight_decay p to g.

    >>> p = ad.Tensor([1.0])
    >>> optimizer = nn.optim.SGD([p], lr=0.1)
    >>> np.sum(p**2).backward()
    >>> optimizer.step()
    >>> p.value
    array([0.8])
    """

    vectors = ("momentum_buffer",)
    optional = vectors
    numbers: ClassVar[dict[str, Check[Any]]] = {"begun": switch}  # whether b exists; the first g is not dampened

    momentum = Option(number(below=1))
    dampening = Option(number(most=1))
    nesterov = Option(switch)

    def __init__(
        self,
        params: Iterable[Any] | None = None,
        lr: float = 1e-3,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        decay_biases: bool = True,
    ) -> None:
        super().__init__(
            params, lr=lr, momentum=momentum, dampening=dampening, weight_decay=weight_decay, nesterov=nesterov,
            maximize=maximize, decay_biases=decay_biases,
        )  # fmt: skip

    @classmethod
    def check_together(cls, options: Mapping[str, Any]) -> None:
        """Raise ValueError for Nesterov's momentum without a momentum, or with dampening."""
        if options["nesterov"] and (not options["momentum"] or options["dampening"]):
            raise ValueError(
                f"{cls.__name__}: nesterov takes a momentum above 0 and no dampening; received momentum="
                f"{options['momentum']} and dampening={options['dampening']}. Write momentum=0.9, nesterov=True."
            )

    def update(self, run: Run) -> None:
        """One step of the run's pieces."""
        options = run.options
        lr, momentum = options["lr"], options["momentum"]
        begun = run.numbers.get("begun", False)
        run.numbers["begun"] = begun or momentum > 0
        if not momentum:
            for p, g, _, scratch, _ in run.decayed():
                np.multiply(g, lr, out=scratch)
                p -= scratch
            return
        if "momentum_buffer" not in self.state:
            self.remember("momentum_buffer")
        share = 1 - options["dampening"] if begun else 1.0
        for p, g, b, scratch, _ in run.decayed():
            b *= momentum
            if share == 1:
                b += g
            else:
                np.multiply(g, share, out=scratch)
                b += scratch
            if options["nesterov"]:
                np.multiply(b, momentum, out=scratch)
                scratch += g
                scratch *= lr
            else:
                np.multiply(b, lr, out=scratch)
            p -= scratch
