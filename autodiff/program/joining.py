"""Joining: several programs that run one after the other become one, with one text, one set of buffers and one call."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from autodiff.program.graph import Buffer, Kernel, Kind, Program, Ref, Several, Step, replaced


def joined(programs: Sequence[Program], notes: Sequence[str]) -> Program:
    """One program with the steps of all, in order, and the inputs of all. A step without a note gets its program's.

    The programs have been through all passes. Steps keep their order, so a later program may read an array that an
    earlier one writes into.
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
        next((program.device for program in programs if program.device is not None), None),
    )


def _places(wanted: Sequence[Buffer], buffers: list[Buffer]) -> list[int]:
    """The places of a program's buffers among the shared ones; buffers of earlier programs are free to be reused."""
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
    """The new numbers of a program's values and buffers, and its notes, in the joined program."""

    def __init__(self, by: int, places: list[int], kinds: dict[int, Kind], note: str) -> None:
        self.by, self.places, self.kinds, self.note = by, places, kinds, note

    def values(self, nest: Any) -> Any:
        """A nest with the new numbers of its values."""
        return replaced(nest, lambda ref: Ref(ref.number + self.by))

    def kind(self, known: Kind) -> Kind:
        """What is known about a value, with new numbers."""
        return known._replace(view_of=tuple(n if n < 0 else n + self.by for n in known.view_of))

    def step(self, step: Step | Several, own: bool = False) -> Step | Several:
        """A step with new numbers; `own` means a step of a block or a kernel, which has its own buffers."""
        if isinstance(step, Step):
            return step._replace(
                args=self.values(step.args),
                kwargs=self.values(step.kwargs),
                result=step.result + self.by,
                buffer=self._place(step.buffer, own),
                into=self._number(step.into),
                note=step.note or self.note,
            )
        common: dict[str, Any] = {
            "body": self._body(step.body),
            "results": tuple(n + self.by for n in step.results),
            "places": tuple(self._place(b, own) for b in step.places),
            "into": tuple(map(self._number, step.into)),
        }
        if isinstance(step, Kernel):
            return step._replace(operands=self.values(step.operands), **common)
        return step._replace(
            rows=self.values(step.rows),
            ends=frozenset(n + self.by for n in step.ends),
            scratch=tuple(tuple(self.places[b] for b in one) for one in step.scratch),
            **common,
        )

    def _number(self, n: int | None) -> int | None:
        return None if n is None else n + self.by

    def _place(self, buffer: int | None, own: bool) -> int | None:
        return buffer if buffer is None or own else self.places[buffer]

    def _body(self, body: Program) -> Program:
        return Program(
            tuple((n + self.by, name) for n, name in body.inputs),
            tuple(self.step(step, own=True) for step in body.steps),
            self.values(body.outputs),
            self.kinds,
            buffers=body.buffers,
        )
