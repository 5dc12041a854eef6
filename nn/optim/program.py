"""An optimizer's update as a program: its rule, traced with arrays that write down what is done to them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

import autodiff as ad
from nn.optim.optimizer import Optimizer
from nn.optim.run import Run


class TracedRun(Run):
    """A stretch that a rule goes through in one piece, of arrays that stand for its vectors."""

    def __init__(self, run: Run, lr: Any, steps: Any, numbers: dict[str, Any], vectors: Sequence[Any]) -> None:
        super().__init__(run.start, run.stop, run.group, run.decays, steps, numbers)
        self.options = {**run.group.options, "lr": lr}
        scratch, spare = (np.empty_like(vectors[0]) for _ in range(2))
        self.pieces = [(*vectors, scratch, spare)]


class Update:
    """The steps of an optimizer's runs as one program for all of them; the step size is an argument of it.

    A rule that cannot be traced goes through its pieces as ever.
    """

    def __init__(self, optimizer: Optimizer) -> None:
        self.optimizer = optimizer
        self.compiled = ad.compile(self.moved, in_place=True)
        self.refusal: ad.Untraceable | None = None
        self._runs: list[Run] = []

    def __call__(self, runs: Sequence[Run]) -> None:
        """Move the parameters of these runs, whose counts of steps were advanced."""
        if self.refusal is None:
            self._rehearse(runs)
            try:
                self._move(runs)
            except ad.Untraceable as error:
                self.refusal = error
            else:
                return
        for run in runs:
            self.optimizer.update(run)

    def _rehearse(self, runs: Sequence[Run]) -> None:
        """Let the rule begin to keep what it is going to need, with a run of no elements."""
        for run in runs:
            if run.steps == 1:
                empty = Run(run.start, run.start, run.group, run.decays, run.steps, dict(run.numbers))
                self.optimizer.update(empty)

    def _move(self, runs: Sequence[Run]) -> None:
        optimizer, flat = self.optimizer, self.optimizer.flat
        names = [name for name in optimizer.vectors if name in optimizer.state]
        vectors = {"p": flat.value, **{name: optimizer.state[name] for name in names}}
        state = [{name: v[run.start : run.stop] for name, v in vectors.items()} for run in runs]
        given = [
            {
                "g": flat.grad[run.start : run.stop],
                "lr": run.group.options["lr"],
                "steps": float(run.steps),
                **{name: value for name, value in run.numbers.items() if type(value) is float},
            }
            for run in runs
        ]
        settled = repr(  # as a text it is a constant of the program, its numbers too
            [
                (
                    run.decays,
                    {k: v for k, v in run.group.options.items() if k != "lr"},
                    {k: v for k, v in run.numbers.items() if type(v) is not float},
                )
                for run in runs
            ]
        )
        self._runs = list(runs)
        for run, numbers in zip(runs, self.compiled(state, given, settled), strict=True):
            run.numbers.update(numbers)

    def moved(self, state: Any, given: Any, settled: Any) -> Any:
        """The function that is compiled: what a rule remembers of each run besides vectors."""
        optimizer, found = self.optimizer, []
        for run, arrays, numbers in zip(self._runs, state, given, strict=True):
            own = {name: value for name, value in numbers.items() if name not in ("g", "lr", "steps")}
            vectors = (arrays["p"], numbers["g"], *(arrays.get(name) for name in optimizer.vectors))
            traced = TracedRun(run, numbers["lr"], numbers["steps"], {**run.numbers, **own}, vectors)
            optimizer.update(traced)
            found.append(traced.numbers)
        return found
