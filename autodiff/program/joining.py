"""Joining: programs that are run one after the other as one, with one text, one set of buffers and one call."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from autodiff.program.graph import Buffer, Kind, Loop, Program, Ref, Step, replaced


def joined(programs: Sequence[Program], notes: Sequence[str]) -> Program:
    """The steps of programs after all passes in their order, of the inputs of all; a note for those that have none.

    No step is moved from one to another, so what a later one reads may be what an earlier one has written into.
    """
    inputs: list[tuple[int, str]] = []
    steps: list[Any] = []
    outputs: list[Any] = []
    held: list[tuple[int, Any]] = []
    writes: list[tuple[int, Any]] = []
    kinds: dict[int, Kind] = {}
    buffers: list[Buffer] = []
    removed: Counter[str] = Counter()
    names: set[str] = set()
    for program, note in zip(programs, notes, strict=True):
        moved = _Moved(max(kinds, default=-1) + 1, _places(program.buffers, buffers), kinds, note)
        kinds |= {n + moved.by: moved.kind(known) for n, known in program.kinds.items()}
        for number, name in program.inputs:
            while name in names:
                name += "_"
            names.add(name)
            inputs.append((number + moved.by, name))
        steps += map(moved.step, program.steps)
        outputs += moved.values(program.outputs)
        held += [(n + moved.by, value) for n, value in program.held]
        writes += [(n + moved.by, moved.values(value)) for n, value in program.writes]
        removed.update(program.removed)
    return Program(
        tuple(inputs),
        tuple(steps),
        tuple(outputs),
        kinds,
        any(program.quiet for program in programs),
        tuple(buffers),
        tuple(held),
        tuple(writes),
        dict(removed),
    )


def _places(wanted: Sequence[Buffer], buffers: list[Buffer]) -> list[int]:
    """The places of a program's buffers among those of all, where the programs before it need theirs no more."""
    free = list(range(len(buffers)))
    found = []
    for buffer in wanted:
        place = next((k for k in free if buffers[k] == buffer), len(buffers))
        if place == len(buffers):
            buffers.append(buffer)
        else:
            free.remove(place)
        found.append(place)
    return found


class _Moved:
    """What a program's values, buffers and notes become among those of several."""

    def __init__(self, by: int, places: list[int], kinds: dict[int, Kind], note: str) -> None:
        self.by, self.places, self.kinds, self.note = by, places, kinds, note

    def values(self, nest: Any) -> Any:
        """A nest with the numbers that its values have now."""
        return replaced(nest, lambda ref: Ref(ref.number + self.by))

    def kind(self, known: Kind) -> Kind:
        """What is known of a value."""
        return known._replace(view_of=tuple(n if n < 0 else n + self.by for n in known.view_of))

    def step(self, step: Step | Loop) -> Step | Loop:
        """A step of the program."""
        if isinstance(step, Loop):
            return step._replace(
                body=self._body(step.body),
                rows=self.values(step.rows),
                results=tuple(n + self.by for n in step.results),
                ends=frozenset(n + self.by for n in step.ends),
                places=tuple(None if b is None else self.places[b] for b in step.places),
                into=tuple(None if n is None else n + self.by for n in step.into),
                scratch=tuple(tuple(self.places[b] for b in one) for one in step.scratch),
            )
        moved = self._renumbered(step)
        return moved if step.buffer is None else moved._replace(buffer=self.places[step.buffer])

    def _renumbered(self, step: Step) -> Step:
        return step._replace(
            args=self.values(step.args),
            kwargs=self.values(step.kwargs),
            result=step.result + self.by,
            into=None if step.into is None else step.into + self.by,
            note=step.note or self.note,
        )

    def _body(self, body: Program) -> Program:
        """The program of a block; its buffers are its own."""
        return Program(
            tuple((n + self.by, name) for n, name in body.inputs),
            tuple(map(self._renumbered, body.steps)),
            self.values(body.outputs),
            self.kinds,
            buffers=body.buffers,
        )
