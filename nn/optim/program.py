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

    def __init__(self, optimizer: Optimizer) -> None:
        self.optimizer = optimizer
        self.compiled = ad.compile(self.moved, in_place=True)
        self.refusal: ad.Untraceable | None = None
        self._runs: list[Run] = []
        self._last: Moving | None = None
        self._known: set[str] = set()  # what there are programs for

    def __call__(self, runs: Sequence[Run]) -> None:
        """Move the parameters of these runs, whose counts of steps were advanced."""
        moving = self.moving(runs)
        if moving is None:
            self.by_rule(runs)
        else:
            moving.done(moving.program(moving.arguments()))

    def by_rule(self, runs: Sequence[Run]) -> None:
        """Move the parameters of these runs without a program."""
        for run in runs:
            self.optimizer.update(run)

    def moving(self, runs: Sequence[Run]) -> Moving | None:
        """The program for these runs with its arguments; None where there is none."""
        last = self._last
        if last is not None and last.fits(runs, self.optimizer.flat) and last.program.holds(last.arguments()):
            return last
        if self.refusal is None:
            self._rehearse(runs)
            text = repr([settled(run) for run in runs])  # a constant of the program, and the numbers in it too
            if text not in self._known and len(self._known) == MOST:  # a schedule moves more than the step size
                return None
            try:
                self._last = Moving(self, runs, text)
            except ad.Untraceable as error:
                self.refusal = error
            else:
                self._known.add(text)
                return self._last
        return None

    def _rehearse(self, runs: Sequence[Run]) -> None:
        """Let the rule begin to keep what it is going to need, with a run of no elements."""
        for run in runs:
            if run.steps == 1:
                empty = Run(run.start, run.start, run.group, run.decays, run.steps, dict(run.numbers))
                self.optimizer.update(empty)

    def chosen(self, runs: Sequence[Run], state: list[Any], given: list[Any], text: str) -> Any:
        """The program for the vectors of these runs, and for what they are given at a step, a dict for each."""
        self._runs = list(runs)
        if len(runs) == 1:
            return self.compiled.chosen(state[0], text, **given[0])
        return self.compiled.chosen(state, text, runs=given)

    def moved(self, state: Any, text: str, **given: Any) -> Any:
        """The function that is compiled: it gives what the rule remembers of each run besides vectors."""
        several = len(self._runs) > 1
        optimizer, found = self.optimizer, []
        for run, arrays, numbers in zip(
            self._runs, state if several else [state], given["runs"] if several else [given], strict=True
        ):
            own = {name: value for name, value in numbers.items() if name not in ("g", "lr", "steps")}
            vectors = (arrays["p"], numbers["g"], *(arrays.get(name) for name in optimizer.vectors))
            traced = TracedRun(run, numbers["lr"], numbers["steps"], {**run.numbers, **own}, vectors)
            optimizer.update(traced)
            found.append(traced.numbers)
        return found


class Moving:
    """A program for the steps of some runs that are alike, and what it is called with."""

    def __init__(self, update: Update, runs: Sequence[Run], text: str) -> None:
        self.runs, flat, kept = list(runs), update.optimizer.flat, update.optimizer.state
        vectors = {"p": flat.value, **{name: kept[name] for name in update.optimizer.vectors if name in kept}}
        state = [{name: v[run.start : run.stop] for name, v in vectors.items()} for run in runs]
        self.adjoints = [flat.grad[run.start : run.stop] for run in runs]
        self.floats = [[name for name, value in run.numbers.items() if type(value) is float] for run in runs]
        self._state = [v for one in state for v in one.values()]
        self._vectors = flat.value, flat.grad
        self._settled = [settled(run) for run in runs]
        self._seen = [(dict(run.options), dict(run.numbers)) for run in runs]
        given = [
            {"g": g, "lr": run.options["lr"], "steps": float(run.steps), **{name: run.numbers[name] for name in floats}}
            for run, g, floats in zip(runs, self.adjoints, self.floats, strict=True)
        ]
        self.program = update.chosen(runs, state, given, text)

    def fits(self, runs: Sequence[Run], flat: ad.Flat) -> bool:
        """Whether it is for these runs, the same vectors, and the same options but for the step size."""
        if flat.value is not self._vectors[0] or flat.grad is not self._vectors[1] or len(runs) != len(self.runs):
            return False
        return all(run is known for run, known in zip(runs, self.runs, strict=True)) and self.holds()

    def holds(self) -> bool:
        """Whether the options of its runs, but for the step size, are as they were."""
        for k, run in enumerate(self.runs):
            options, numbers = self._seen[k]
            if run.options != options or run.numbers != numbers:
                if settled(run) != self._settled[k]:
                    return False
                self._seen[k] = dict(run.options), dict(run.numbers)
        return True

    def arguments(self, advance: int = 0) -> list[Any]:
        """What the program is called with at a step of its runs: this one, or one of those that come."""
        found: list[Any] = [*self._state]
        for run, g, floats in zip(self.runs, self.adjoints, self.floats, strict=True):
            found += (g, run.options["lr"], float(run.steps + advance))
            if floats:
                found += [run.numbers[name] for name in floats]
        return found

    def done(self, remembered: Sequence[dict[str, Any]]) -> None:
        """Keep what the program gave: what the rule remembers of each run."""
        for run, numbers in zip(self.runs, remembered, strict=True):
            run.numbers.update(numbers)


def settled(run: Run) -> Any:
    """What a program for this run is made for: all but the step size and what the rule counts."""
    numbers = {name: "a number" if type(value) is float else value for name, value in run.numbers.items()}
    return run.decays, {**run.options, "lr": 0.0}, numbers
