"""A program that is ready to run: the recorded steps after all passes, the text, and the function that it defines."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

from autodiff.program import fast as numba
from autodiff.program import kernels
from autodiff.program.fused import Writer
from autodiff.program.graph import Kernel, Loop, Program, counted, every
from autodiff.program.joining import joined
from autodiff.program.passes import optimised
from autodiff.program.passes.memory import allocated, owned
from autodiff.program.passes.scalars import in_python
from autodiff.program.source import Text
from autodiff.transforms import tree

Asked = tuple[Callable[..., Any], Any]  # a question about the arrays that a program is run with, and its answer


class Entry:
    """A program, its text, and the function that the text defines, which is made when it is first needed."""

    def __init__(self, recorded: Program, program: Program, nest: Any, questions: list[Asked]) -> None:
        self.recorded, self.program, self.nest, self.questions = recorded, program, nest, questions
        self.held = tuple(value for _, value in program.held)

    @classmethod
    def of(cls, recorded: Program, nest: Any, questions: list[Asked], threads: int = 1, fast: bool = False) -> Entry:
        """The entry of a recorded program: the passes are applied to it."""
        written = kernels.written if fast else None
        if recorded.device is not None:
            written = Writer(recorded.device).written if recorded.device.fuse else None
        return cls(recorded, optimised(recorded, threads, written), nest, questions)

    @cached_property
    def text(self) -> Text:
        """The program's text."""
        return Text(self.program, in_python(self.program))

    @cached_property
    def run(self) -> Callable[..., tuple[Any, ...]]:
        """The compiled function: it takes the arrays, then the objects from outside, and returns a tuple of results."""
        text = self.text
        names = text.moved()
        exec(builtins.compile(text.head + text.code, "<a program of ad.compile>", "exec"), names)  # noqa: S102
        names |= text.originals
        for name, given in text.kernels.items():
            if self.program.device is None:
                names[name] = numba.kernel(given)
            else:
                exec(given.format(name=name), names)  # noqa: S102
        run: Callable[..., tuple[Any, ...]] = names[text.name]
        return run

    @property
    def source(self) -> str:
        """The program as a module's text."""
        return self.text.module

    @property
    def plan(self) -> str:
        """How the passes changed the recorded steps, and the bytes of the arrays that the program allocates."""
        recorded, program = self.recorded, self.program
        lines = [f"{len(recorded.steps)} steps recorded, {allocated(owned(recorded)):,} bytes of new arrays"]
        lines += [f"{count:6} removed: {name}" for name, count in program.removed.items()]
        loops, kernels = ([*every(program, kind)] for kind in (Loop, Kernel))
        lines.append(f"{sum(map(counted, loops)):6} made block by block, in {len(loops)} loops")
        if kernels:
            lines.append(f"{sum(map(counted, kernels)):6} made element by element, in {len(kernels)} kernels")
        size = sum(buffer.nbytes for buffer in program.buffers)
        lines.append(f"{len(program.buffers):6} buffers of {size:,} bytes, kept between calls")
        count = sum(map(counted, program.steps))
        lines.append(f"{count} steps, {allocated(program):,} bytes of new arrays")
        return "\n".join(lines)

    def holds(self, arrays: Sequence[Any]) -> bool:
        """Whether all questions have, for these arrays, the answers that the program was made for."""
        for ask, answer in self.questions:  # noqa: SIM110  # twice as fast as all(), at every call
            if ask(arrays) != answer:
                return False
        return True

    def __call__(self, arrays: Sequence[Any]) -> Any:
        """The results for these leaves of the arguments: arrays and numbers."""
        results = iter(self.run(*arrays, *self.held))
        return tree.mapped(lambda _: next(results), self.nest)

    def then(self, others: Sequence[Entry], notes: Sequence[str]) -> Entry:
        """One program that runs this one and then the others: it takes the arrays of all and returns a list of results.

        Each note becomes a comment where the steps of one of the others begin. If two programs get the same memory as
        an argument, the later one reads what the earlier one wrote. The joined program asks no questions: before a
        call, ask each part whether it `holds`.
        """
        parts = [self, *others]
        programs = [joined([getattr(p, name) for p in parts], ("", *notes)) for name in ("recorded", "program")]
        return Entry(programs[0], programs[1], [part.nest for part in parts], [])
