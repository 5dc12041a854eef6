"""Runs: steps that are computed together, since all of them go along the same axis or shape.

A `Place` says how a step can take part in a run. `Runs` sorts all steps of a program into runs: `blocks` turns them
into loops over blocks, and `fusing` into kernels.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from typing import Any, NamedTuple

from autodiff.program.graph import Step, made, read
from autodiff.program.passes.memory import VIEWS


class Place(NamedTuple):
    """How a step takes part in a run: along which axis, and which operands it reads whole."""

    axis: tuple[Any, ...]  # ("rows", length), or ("flat", shape)
    whole: frozenset[int]
    ends: bool = False
    small: bool = False  # it may join a run whose values it reads, but does not begin one


class Runs:
    """The steps sorted into runs; no run needs a value that steps outside compute from the run's own values."""

    def __init__(self, steps: Sequence[Any], places: Sequence[Place | None]) -> None:
        self.runs: list[list[int]] = []
        self.needs: list[set[int]] = []
        maker: dict[int, int] = {}  # the run that computes each value
        after: dict[int, int] = {}  # as maker, for values that are complete only when the run has ended
        latest: dict[Any, int] = {}
        effect: set[int] = set()  # the run of the last step with an effect
        for k, (step, place) in enumerate(zip(steps, places, strict=True)):
            inputs = {maker[n] for n in read(step) if n in maker}
            run = latest.get(place.axis) if place else None
            over = {maker[n] for n in read(step) if n in after or (place and n in place.whole and n in maker)}
            apart = place is not None and place.small and run not in inputs
            if run is None or apart or run in over or self._reached(inputs - {run}, run):
                run = len(self.runs)
                self.runs.append([])
                self.needs.append(set())
                if place and not place.small:
                    latest[place.axis] = run
            self.runs[run].append(k)
            counts = isinstance(step, Step) and step.effect
            self.needs[run] |= (inputs | effect if counts else inputs) - {run}
            effect = {run} if counts else effect
            maker.update(dict.fromkeys(made(step), run))
            if place and place.ends:
                after.update(dict.fromkeys(made(step), run))
            if place is None and not (
                isinstance(step, Step) and step.function in VIEWS
            ):  # steps that follow a matrix product are best computed right after it
                latest = {axis: one for axis, one in latest.items() if one not in inputs}

    def _reached(self, starts: set[int], goal: int) -> bool:
        """Whether a run in `starts` needs the run `goal`, directly or through others."""
        seen, todo = set(starts), list(starts)
        while todo:
            run = todo.pop()
            if run == goal:
                return True
            fresh = self.needs[run] - seen
            seen |= fresh
            todo += fresh
        return False

    def ordered(self) -> list[list[int]]:
        """The runs, each after those that it needs, and as early as its last step."""
        users: list[list[int]] = [[] for _ in self.runs]
        waiting = [len(needs) for needs in self.needs]
        for run, needs in enumerate(self.needs):
            for need in needs:
                users[need].append(run)
        ready = [(self.runs[run][-1], run) for run, count in enumerate(waiting) if not count]
        heapq.heapify(ready)
        found = []
        while ready:
            run = heapq.heappop(ready)[1]
            found.append(self.runs[run])
            for user in users[run]:
                waiting[user] -= 1
                if not waiting[user]:
                    heapq.heappush(ready, (self.runs[user][-1], user))
        return found
