"""A program that is ready to be run: what the passes made of the recorded steps, its text, and the text's function."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

from autodiff.program.graph import Loop, Program
from autodiff.program.joining import joined
from autodiff.program.passes import optimised
from autodiff.program.passes.memory import allocated, owned
from autodiff.program.passes.scalars import in_python
from autodiff.program.source import Text
from autodiff.transforms import tree

Asked = tuple[Callable[..., Any], Any]  # a question about the arrays that a program is run with, and its answer


class Entry:
    """A program, its text, and the function that the text defines, which is made when it is first wanted."""

    def __init__(self, recorded: Program, program: Program, nest: Any, questions: list[Asked]) -> None:
        self.recorded, self.program, self.nest, self.questions = recorded, program, nest, questions
        self.held = tuple(value for _, value in program.held)

    @classmethod
    def of(cls, recorded: Program, nest: Any, questions: list[Asked], threads: int = 1) -> Entry:
        """The program that the passes make of what was recorded."""
        return cls(recorded, optimised(recorded, threads), nest, questions)

    @cached_property
    def text(self) -> Text:
        """The program's text."""
        return Text(self.program, in_python(self.program))

    @cached_property
    def run(self) -> Callable[..., tuple[Any, ...]]:
        """The function of the arrays, one by one, and of what is held: it gives the results, one by one."""
        text = self.text
        names: dict[str, Any] = dict(text.constants)
        exec(builtins.compile(text.head + text.code, "<a program of ad.compile>", "exec"), names)  # noqa: S102
        names |= text.originals
        run: Callable[..., tuple[Any, ...]] = names[text.name]
        return run

    @property
    def source(self) -> str:
        """The program as a module's text."""
        return self.text.module

    @property
    def plan(self) -> str:
        """What the passes made of the recorded steps, and the bytes of the arrays that the program makes."""
        recorded, program = self.recorded, self.program
        lines = [f"{len(recorded.steps)} steps recorded, {allocated(owned(recorded)):,} bytes of new arrays"]
        lines += [f"{count:6} removed: {name}" for name, count in program.removed.items()]
        loops = [step for step in program.steps if isinstance(step, Loop)]
        inside = sum(len(loop.body.steps) for loop in loops)
        lines.append(f"{inside:6} made block by block, in {len(loops)} loops")
        size = sum(buffer.nbytes for buffer in program.buffers)
        lines.append(f"{len(program.buffers):6} buffers of {size:,} bytes, kept between calls")
        count = len(program.steps) - len(loops) + inside
        lines.append(f"{count} steps, {allocated(program):,} bytes of new arrays")
        return "\n".join(lines)

    def holds(self, arrays: Sequence[Any]) -> bool:
        """Whether what the program was chosen by is so for these arrays."""
        return not self.questions or all(ask(arrays) == answer for ask, answer in self.questions)

    def __call__(self, arrays: Sequence[Any]) -> Any:
        """The results for the arrays, and numbers, among the leaves of the arguments."""
        results = iter(self.run(*arrays, *self.held))
        return tree.mapped(lambda _: next(results), self.nest)

    def then(self, others: Sequence[Entry], notes: Sequence[str]) -> Entry:
        """One program of this one and those that follow it: of the arrays of all, with a list of the results of each.

        Each note is said in the text where the steps of one of the others begin. Programs share what is written into
        their arguments: a later one reads what an earlier one wrote, where both are given the same memory. Whether each
        of them still holds is asked of the parts, before a call.
        """
        parts = [self, *others]
        programs = [joined([getattr(p, name) for p in parts], ("", *notes)) for name in ("recorded", "program")]
        return Entry(programs[0], programs[1], [part.nest for part in parts], [])
