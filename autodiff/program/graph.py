"""A program as data: numbered values, and the steps that compute each from those before it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from autodiff.engine.devices import Device


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
    into: int | None = None  # the input whose array the result is written into
    effect: bool = False  # it must run every time, in order: it draws random numbers, or writes into an argument
    note: str = ""  # the scope and the user's line that made this step
    name: str = ""  # the variable that the user's function gives the result to


class Loop(NamedTuple):
    """Steps that run block by block along the first axis, so that intermediate results stay in a cache.

    The body is the program of one block: its inputs are the blocks of `rows`, and the blocks of its outputs make up
    `results`; an output without that axis (a sum over it) is one row of its result. The body reads other values whole.
    """

    body: Program
    rows: tuple[Any, ...]  # Refs or constants, one for each input of the body
    results: tuple[int, ...]  # one for each output of the body
    length: int
    size: int  # rows of a block
    ends: frozenset[int]  # the results that have one row for each block
    flat: bool  # whether all arrays are reshaped to vectors
    places: tuple[int | None, ...] = ()  # the buffers of the results
    into: tuple[int | None, ...] = ()  # the inputs whose arrays the results are written into
    scratch: tuple[tuple[int, ...], ...] = ()  # for each thread, the buffers that the body uses


class Kernel(NamedTuple):
    """Elementwise steps over one shape that a compiled function runs together, one element after another."""

    body: Program  # its inputs are the operands
    operands: tuple[Any, ...]  # Refs or constants; they have the shape, or are broadcast to it
    results: tuple[int, ...]  # one for each output of the body, with the same number
    places: tuple[int | None, ...]  # the buffers of the results
    into: tuple[int | None, ...]  # the inputs whose arrays the results are written into


class Kind(NamedTuple):
    """What is known about a value in every run of the program."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any] | None  # None if the value is not an array
    array: bool  # whether it is an ndarray, and not a NumPy scalar or a Python number
    view_of: tuple[int, ...]  # the values, and -1 for constants, whose memory it may share
    nbytes: int
    order: tuple[int, ...] | None = None  # the axes, outermost in memory first; None for C order
    there: bool = False  # whether it is an array on the program's device, or several of them


class Question(NamedTuple):
    """A question about values, and the answer for which the program is right."""

    question: Callable[..., Any]
    arrays: Any  # Refs and constants
    answer: Any


class Buffer(NamedTuple):
    """An array that is kept between calls; it holds intermediate results during a call."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    order: tuple[int, ...] | None = None  # as in Kind

    @property
    def nbytes(self) -> int:
        """The number of bytes of its elements."""
        return math.prod(self.shape) * self.dtype.itemsize


@dataclass(frozen=True)
class Program:
    """The inputs by number and name, the steps in order, the outputs, and what is known about every value."""

    inputs: tuple[tuple[int, str], ...]
    steps: tuple[Any, ...]  # Steps, and, after all other passes, Loops and Kernels
    outputs: tuple[Any, ...]  # Refs, or constants
    kinds: dict[int, Kind]
    quiet: bool = False  # whether some step was recorded with NumPy's warnings turned off
    buffers: tuple[Buffer, ...] = ()
    held: tuple[tuple[int, Any], ...] = ()  # values that are objects from outside, such as a random generator
    writes: tuple[tuple[int, Any], ...] = ()  # inputs that the program writes into at the end, and the values
    removed: dict[str, int] = field(default_factory=dict)  # how many steps each pass removed
    device: Device | None = None  # where its arrays are; None for the host

    def __str__(self) -> str:
        named = ", ".join(f"v{n} = {name}" if name else f"v{n}" for n, name in self.inputs)
        return "\n".join([f"inputs {named}", *map(_line, self.steps), f"outputs {_listed(self.outputs)}"])


Several = Loop | Kernel  # the kinds that contain other steps


def _line(step: Step | Several) -> str:
    if isinstance(step, Several):
        inner = str(step.body).replace("\n", "\n    ")
        results = _listed(map(Ref, step.results))
        if isinstance(step, Kernel):
            return f"{results} = elements of {_listed(step.operands)}\n    {inner}"
        return f"{results} = {step.length} rows of {_listed(step.rows)}, by {step.size}\n    {inner}"
    name = getattr(step.function, "__name__", repr(step.function))
    into = f" into b{step.buffer}" * (step.buffer is not None) + f" into v{step.into}" * (step.into is not None)
    return f"v{step.result} = {name}({_listed((*step.args, *step.kwargs.values()))}){into}"


def _listed(values: Iterable[Any]) -> str:
    return ", ".join(map(_shown, values))


def refs(value: Any) -> Iterator[int]:
    """The numbers of the values in a nest of arguments, from left to right."""
    if isinstance(value, Ref):
        yield value.number
    elif isinstance(value, slice):
        yield from refs((value.start, value.stop, value.step))
    elif isinstance(value, list | tuple | dict):
        for branch in value.values() if isinstance(value, dict) else value:
            yield from refs(branch)


def read(step: Step | Several) -> Iterator[int]:
    """The numbers of the values a step reads."""
    if isinstance(step, Kernel):
        yield from refs(step.operands)
    elif isinstance(step, Loop):
        own = {number for number, _ in step.body.inputs}.union(*map(made, step.body.steps))
        yield from refs(step.rows)
        yield from (n for inner in step.body.steps for n in read(inner) if n not in own)
    else:
        yield from refs(step.args)
        yield from refs(step.kwargs)


def made(step: Step | Several) -> tuple[int, ...]:
    """The numbers of the values a step makes."""
    return step.results if isinstance(step, Several) else (step.result,)


def counted(step: Step | Several) -> int:
    """The number of steps; for a Loop or a Kernel, the steps of its body."""
    return sum(map(counted, step.body.steps)) if isinstance(step, Several) else 1


def every(program: Program, kind: type) -> Iterator[Any]:
    """All steps of a kind, including those in the bodies of Loops and Kernels."""
    for step in program.steps:
        if isinstance(step, kind):
            yield step
        elif isinstance(step, Several):
            yield from every(step.body, kind)


def replaced(value: Any, change: Callable[[Any], Any], kind: type = Ref) -> Any:
    """A nest of arguments in which `change` is applied to every value of a kind."""
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
        return f"v{value.number}"
    if isinstance(value, tuple):
        return f"({_listed(value)})"
    return f"array of shape {value.shape}" if isinstance(value, np.ndarray) and value.ndim else repr(value)
