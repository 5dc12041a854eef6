"""A program as data: numbered values, and the steps that compute each from those before it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np


class Ref(NamedTuple):
    """The place of a value in a step's arguments: its number."""

    number: int


class Step(NamedTuple):
    """One call: the function, its arguments with Refs among the constants, the number of its result."""

    function: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    result: int
    buffer: int | None = None  # the place, among the program's buffers, of the array that the result is written into
    effect: bool = False  # every call counts, in its order: it draws random numbers, or writes into an argument


class Kind(NamedTuple):
    """What is known of a value at every run."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any] | None  # None of what is no array
    array: bool  # an ndarray, where others are NumPy's scalars or Python's numbers
    view_of: tuple[int, ...]  # the values, and -1 for constants, whose memory it may share
    nbytes: int


class Buffer(NamedTuple):
    """An array that is kept between calls, for results that are read within one."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    @property
    def nbytes(self) -> int:
        """The bytes of its elements."""
        return math.prod(self.shape) * self.dtype.itemsize


@dataclass(frozen=True)
class Program:
    """The inputs by number and name, the steps in order, the outputs, and what is known of every value."""

    inputs: tuple[tuple[int, str], ...]
    steps: tuple[Step, ...]
    outputs: tuple[Any, ...]  # Refs, or constants
    kinds: dict[int, Kind]
    quiet: bool = False  # some step was called with NumPy's warnings turned off
    buffers: tuple[Buffer, ...] = ()
    held: tuple[tuple[int, Any], ...] = ()  # values that are objects from outside, such as a random generator
    writes: tuple[tuple[int, Any], ...] = ()  # inputs that are written into in the end, and what
    removed: dict[str, int] = field(default_factory=dict)  # how many steps each pass took away

    def __str__(self) -> str:
        lines = [f"inputs {', '.join(f'{name}={n}' for n, name in self.inputs)}"]
        for step in self.steps:
            name = getattr(step.function, "__name__", repr(step.function))
            given = ", ".join(map(_shown, (*step.args, *step.kwargs.values())))
            lines.append(f"{step.result} = {name}({given})" + f" into b{step.buffer}" * (step.buffer is not None))
        return "\n".join([*lines, f"outputs {', '.join(map(_shown, self.outputs))}"])


def refs(value: Any) -> Iterator[int]:
    """The numbers of the values in a nest of arguments, from left to right."""
    if isinstance(value, Ref):
        yield value.number
    elif isinstance(value, slice):
        yield from refs((value.start, value.stop, value.step))
    elif isinstance(value, list | tuple | dict):
        for branch in value.values() if isinstance(value, dict) else value:
            yield from refs(branch)


def read(step: Step) -> Iterator[int]:
    """The numbers of the values a step reads."""
    yield from refs(step.args)
    yield from refs(step.kwargs)


def replaced(value: Any, change: Callable[[Any], Any], kind: type = Ref) -> Any:
    """A nest of arguments with every value of a kind changed."""
    if isinstance(value, kind):
        return change(value)
    if isinstance(value, slice):
        return slice(*(replaced(v, change, kind) for v in (value.start, value.stop, value.step)))
    if isinstance(value, dict):
        return {key: replaced(branch, change, kind) for key, branch in value.items()}
    if isinstance(value, list | tuple):
        branches = [replaced(branch, change, kind) for branch in value]
        return type(value)(*branches) if hasattr(value, "_fields") else type(value)(branches)
    return value


def _shown(value: Any) -> str:
    if isinstance(value, Ref):
        return str(value.number)
    return f"array of shape {value.shape}" if isinstance(value, np.ndarray) and value.ndim else repr(value)
