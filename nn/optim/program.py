"""An optimizer's update as a program: its rule, traced with arrays that write down what is done to them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

import autodiff as ad
from nn.optim.optimizer import Optimizer
from nn.optim.run import Run

MOST = 4  # programs, each for other options


class TracedRun(Run):
    """A stretch that a rule goes through in one piece, of arrays that stand for its vectors."""

    def __init__(self, run: Run, lr: Any, steps: Any, numbers: dict[str, Any], vectors: Sequence[Any]) -> None:
        super().__init__(run.start, run.stop, run.group, run.decays, steps, numbers)
        self.options = {**run.group.options, "lr": lr}
        scratch, spare = (np.empty_like(vectors[0]) for _ in range(2))
        self.pieces = [(*vectors, scratch, spare)]


class Update:
    """The steps of an optimizer's runs as one program for all of them; the step size is an argument of it.

    A rule that cannot be traced goes through its pieces as ever, and so does one whose other options change from step
    to step. The bits are the same.
    """

    def __init__(self, optimizer: Optimizer, fast: bool = False) -> None:
        self.optimizer = optimizer
        self.compiled = ad.compile(self.moved, in_place=True, fast=fast)
        self.refusal: ad.Untraceable | None = None
        self._runs: list[Run] = []
        self._ready: Ready | None = None
        self._known: set[str] = set()  # what there are programs for

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
        self._by_rule(runs)

    def _by_rule(self, runs: Sequence[Run]) -> None:
        for run in runs:
            self.optimizer.update(run)

    def _rehearse(self, runs: Sequence[Run]) -> None:
        """Let the rule begin to keep what it is going to need, with a run of no elements."""
        for run in runs:
            if run.steps == 1:
                empty = Run(run.start, run.start, run.group, run.decays, run.steps, dict(run.numbers))
                self.optimizer.update(empty)

    def _move(self, runs: Sequence[Run]) -> None:
        ready = self._ready
        if ready is None or not ready.fits(runs, self.optimizer.flat):
            self._first(runs)
            return
        arrays = ready.arguments()
        if not ready.program.holds(arrays):
            self._first(runs)
        elif ready.floats:
            for run, numbers in zip(runs, ready.program(arrays), strict=True):
                run.numbers.update(numbers)
        else:
            ready.program.run(*arrays)

    def _first(self, runs: Sequence[Run]) -> None:
        """A step whose program is looked for, and kept for the next one if that is to be alike."""
        optimizer, flat = self.optimizer, self.optimizer.flat
        names = [name for name in optimizer.vectors if name in optimizer.state]
        vectors = {"p": flat.value, **{name: optimizer.state[name] for name in names}}
        state = [{name: v[run.start : run.stop] for name, v in vectors.items()} for run in runs]
        given = [
            {
                "g": flat.grad[run.start : run.stop],
                "lr": run.options["lr"],
                "steps": float(run.steps),
                **{name: value for name, value in run.numbers.items() if type(value) is float},
            }
            for run in runs
        ]
        before = [_settled(run) for run in runs]
        text = repr(before)  # a text is a constant of a program, the numbers in it too
        if text not in self._known and len(self._known) == MOST:  # a schedule moves more than the step size
            self._by_rule(runs)
            return
        self._known.add(text)
        self._runs = list(runs)
        program = self.compiled.chosen(state, given, text)
        for run, numbers in zip(runs, self.compiled(state, given, text), strict=True):
            run.numbers.update(numbers)
        alike = before == [_settled(run) for run in runs]
        arrays = [v for one in state for v in one.values()]
        adjoints = [one["g"] for one in given]
        self._ready = Ready(program, self._runs, before, arrays, adjoints, flat.value, flat.grad) if alike else None

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


class Ready:
    """A program for steps that are alike, and the arrays that it is called with."""

    def __init__(
        self,
        program: Any,
        runs: list[Run],
        settled: list[Any],
        state: list[Any],
        adjoints: list[Any],
        value: Any,
        grad: Any,
    ) -> None:
        self.program, self.runs, self._settled = program, runs, settled
        self._state, self._adjoints, self._value, self._grad = state, adjoints, value, grad
        self.floats = [[name for name, value in run.numbers.items() if type(value) is float] for run in runs]
        self.floats = self.floats if any(self.floats) else []

    def fits(self, runs: Sequence[Run], flat: ad.Flat) -> bool:
        """Whether these are the same runs of the same vectors, with the same options but for the step size."""
        if flat.value is not self._value or flat.grad is not self._grad or len(runs) != len(self.runs):
            return False
        for run, known, settled in zip(runs, self.runs, self._settled, strict=True):
            if run is not known or _settled(run) != settled:
                return False
        return True

    def arguments(self) -> list[Any]:
        """What the program is called with."""
        found = list(self._state)
        for k, (run, g) in enumerate(zip(self.runs, self._adjoints, strict=True)):
            found += (g, run.options["lr"], float(run.steps))
            if self.floats:
                found += [run.numbers[name] for name in self.floats[k]]
        return found


def _settled(run: Run) -> Any:
    """What a program for this run is made for: all but the step size and what the rule counts."""
    numbers = {name: value for name, value in run.numbers.items() if type(value) is not float}
    return run.decays, {**run.options, "lr": 0.0}, numbers
