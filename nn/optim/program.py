"""An optimizer's update as a program: its rule is traced with stand-ins for arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

import autodiff as ad
from nn.optim.optimizer import Optimizer
from nn.optim.run import Run

MOST = 4  # the most programs to keep, each for different options


class TracedRun(Run):
    """A run whose vectors are traced stand-ins, and which the rule updates in one piece."""

    def __init__(self, run: Run, lr: Any, steps: Any, numbers: dict[str, Any], vectors: Sequence[Any]) -> None:
        super().__init__(run.start, run.stop, run.group, run.decays, steps, numbers)
        self.options = {**run.group.options, "lr": lr}
        scratch, spare = (np.empty_like(vectors[0]) for _ in range(2))
        self.pieces = [(*vectors, scratch, spare)]


class Update:
    """One program for the updates of all runs of an optimizer; the step size is an argument of the program.

    If a rule cannot be traced, or if options other than the step size change from step to step, the rule itself runs,
    piece by piece. The results are the same bit for bit.
    """

    def __init__(self, optimizer: Optimizer, fast: bool = False) -> None:
        self.optimizer = optimizer
        self.compiled = ad.compile(self.moved, in_place=True, fast=fast)
        self.refusal: ad.Untraceable | None = None
        self._runs: list[Run] = []
        self._last: Moving | None = None
        self._known: set[str] = set()  # the settings that have a program

    def __call__(self, runs: Sequence[Run]) -> None:
        """Update the parameters of these runs; their counts of steps have already been advanced."""
        moving = self.moving(runs)
        if moving is None:
            self.by_rule(runs)
        else:
            moving.done(moving.program(moving.arguments()))

    def by_rule(self, runs: Sequence[Run]) -> None:
        """Update the parameters of these runs without a program."""
        for run in runs:
            self.optimizer.update(run)

    def moving(self, runs: Sequence[Run]) -> Moving | None:
        """The program for these runs with its arguments; None if the rule has to run without one."""
        last = self._last
        if last is not None and last.fits(runs, self.optimizer.flat) and last.program.holds(last.arguments()):
            return last
        if self.refusal is None:
            self._rehearse(runs)
            text = repr([settled(run) for run in runs])  # constants of the program
            if text not in self._known and len(self._known) == MOST:  # a schedule changes more than the step size
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
        """Call the rule with a run of no elements, so that it creates the state that it needs."""
        for run in runs:
            if run.steps == 1:
                empty = Run(run.start, run.start, run.group, run.decays, run.steps, dict(run.numbers))
                self.optimizer.update(empty)

    def chosen(self, runs: Sequence[Run], state: list[Any], given: list[Any], text: str) -> Any:
        """The program for the vectors of these runs; `given` has a dict of the step's arguments for each run."""
        self._runs = list(runs)
        if len(runs) == 1:
            return self.compiled.chosen(state[0], text, **given[0])
        return self.compiled.chosen(state, text, runs=given)

    def moved(self, state: Any, text: str, **given: Any) -> Any:
        """The function that is compiled: it returns the rule's state for each run, without the vectors."""
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
    """A program for repeated updates of the same runs, and its arguments."""

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
        """Whether it is for these runs, with the same vectors and the same options except the step size."""
        if flat.value is not self._vectors[0] or flat.grad is not self._vectors[1] or len(runs) != len(self.runs):
            return False
        return all(run is known for run, known in zip(runs, self.runs, strict=True)) and self.holds()

    def holds(self) -> bool:
        """Whether the options of its runs are unchanged, except the step size."""
        for k, run in enumerate(self.runs):
            options, numbers = self._seen[k]
            if run.options != options or run.numbers != numbers:
                if settled(run) != self._settled[k]:
                    return False
                self._seen[k] = dict(run.options), dict(run.numbers)
        return True

    def arguments(self, advance: int = 0) -> list[Any]:
        """The program's arguments in the step that is `advance` steps after the present one."""
        found: list[Any] = [*self._state]
        for run, g, floats in zip(self.runs, self.adjoints, self.floats, strict=True):
            found += (g, run.options["lr"], float(run.steps + advance))
            if floats:
                found += [run.numbers[name] for name in floats]
        return found

    def done(self, remembered: Sequence[dict[str, Any]]) -> None:
        """Store the results of the program, which are the rule's state for each run."""
        for run, numbers in zip(self.runs, remembered, strict=True):
            run.numbers.update(numbers)


def settled(run: Run) -> Any:
    """The settings that a program for this run depends on: all except the step size and the rule's counts."""
    numbers = {name: "a number" if type(value) is float else value for name, value in run.numbers.items()}
    return run.decays, {**run.options, "lr": 0.0}, numbers
