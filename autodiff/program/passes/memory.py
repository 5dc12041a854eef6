"""Memory: which values share an array, where a copy is needed, and buffers that are kept between calls."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np

from autodiff.program import steps
from autodiff.program.graph import Buffer, Kernel, Kind, Loop, Program, Ref, Several, Step, read, refs
from autodiff.program.passes.writing import elementwise, writes_out

APART = {np.sign, np.heaviside}  # NumPy takes ten times as long if they write over their operand
LEAST = 2**12  # bytes of the smallest array that gets a buffer; a smaller new one costs no more than an old one
IN_THREADS = 2**22  # bytes of the smallest array whose blocks are shared among threads

# Functions that may return a view, even if they copied while tracing: it depends on the array's layout.
VIEWS = {
    *(np.reshape, np.ravel, np.transpose, np.swapaxes, np.moveaxis, np.rollaxis, np.squeeze, np.expand_dims),
    *(np.broadcast_to, np.broadcast_arrays, np.real, np.imag, np.diagonal, np.diag, np.atleast_1d, np.atleast_2d),
    *(np.atleast_3d, np.flip, np.fliplr, np.flipud, np.rot90, np.split, np.array_split, np.hsplit, np.vsplit),
    *(np.dsplit, np.permute_dims, np.matrix_transpose, np.linalg.matrix_transpose, np.linalg.diagonal),
    *(np.lib.stride_tricks.sliding_window_view, np.nan_to_num, np.real_if_close, np.trim_zeros, steps.part),
}
if hasattr(np, "unstack"):  # since NumPy 2.1
    VIEWS.add(np.unstack)


def origins(program: Program) -> dict[int, frozenset[int]]:
    """For every value, the values (-1 for constants) whose memory it may lie in; its own number for new memory."""
    found = {n: frozenset({n}) for n, _ in (*program.inputs, *program.held)}
    for step in program.steps:
        if isinstance(step, Several):
            found |= {n: frozenset({n}) for n in step.results}
            continue
        seen = set(program.kinds[step.result].view_of)
        if step.function in VIEWS or program.kinds[step.result].dtype is None:
            seen |= set(read(step))
            seen |= {-1} if any(isinstance(a, np.ndarray) for a in step.args) else set()
        found[step.result] = frozenset({step.result}.union(*(found.get(n, {n}) for n in seen)))
    return found


def kind_of(value: Any) -> Kind:
    """What is known about a new array with these elements."""
    return Kind(value.shape, value.dtype, True, (), value.nbytes)


def owned(program: Program) -> Program:
    """The program with outputs that share no memory with arguments, constants or each other."""
    memory, steps_, kinds = origins(program), list(program.steps), dict(program.kinds)
    several = {n for n, kind in kinds.items() if kind.dtype is None}  # their parts are new arrays
    taken: set[int] = set()
    outputs: list[Any] = []
    for y in program.outputs:
        known = kinds[y.number] if isinstance(y, Ref) else kind_of(y) if isinstance(y, np.ndarray) else None
        if known is not None and known.array:
            mine = isinstance(y, Ref) and memory[y.number] - several == {y.number} and y.number not in taken
            if not mine or y.number in dict(program.inputs):
                number = max(kinds, default=-1) + 1
                kinds[number] = known._replace(view_of=())
                steps_.append(Step(np.array, (y,), {}, number))
                y = Ref(number)
            taken.add(y.number)
        outputs.append(y)
    return dataclasses.replace(program, steps=tuple(steps_), outputs=tuple(outputs), kinds=kinds)


class _Pool:
    """Buffers, each with the value that it holds and the last step that reads it."""

    def __init__(self) -> None:
        self.buffers: list[Buffer] = []
        self._held: list[int] = []
        self._until: list[int] = []

    def take(self, value: int, known: Kind, now: int, until: int, over: frozenset[int] = frozenset()) -> int:
        """A buffer for a value: a free one, that of a value in `over` which is read here last, or a new one."""
        assert known.dtype is not None
        wanted = Buffer(known.shape, known.dtype, known.order)
        fits = [b for b, buffer in enumerate(self.buffers) if buffer == wanted]
        free = [b for b in fits if self._until[b] < now or (self._until[b] == now and self._held[b] in over)]
        place = max(free, key=lambda b: self._until[b], default=len(self.buffers))
        if place == len(self.buffers):
            self.buffers.append(wanted)
            self._held.append(value)
            self._until.append(until)
        self._held[place], self._until[place] = value, until
        return place


def buffered(program: Program, threads: int = 1, least: int | None = None) -> Program:
    """The program with results written into arrays that are kept between calls, and reused as soon as they are free.

    A buffer is free after the last step that reads its array, or a view of it; an elementwise step may write over an
    operand that no later step reads. Results of the program are new arrays, and so are those below `least` bytes.
    """
    least = LEAST if least is None else least
    memory, kinds = origins(program), program.kinds
    handed_out = {m for n in refs(program.outputs) for m in memory[n]}
    last: dict[int, int] = {}
    for k, step in enumerate(program.steps):
        for n in read(step):
            last.update(dict.fromkeys(memory.get(n, ()), k))
    pool = _Pool()

    def placed(value: int, now: int, over: frozenset[int] = frozenset()) -> int | None:
        if kinds[value].nbytes < least or memory[value] != {value} - handed_out:
            return None
        return pool.take(value, kinds[value], now, last.get(value, now), over)

    done: list[Any] = []
    for k, step in enumerate(program.steps):
        views = {m for n in read(step) for m in memory.get(n, ()) if m != n}
        over = frozenset(read(step)) - views if _over(step, kinds) else frozenset[int]()
        if isinstance(step, Several):
            places = [placed(n, k, over) if i is None else None for n, i in zip(step.results, step.into, strict=True)]
            step = step._replace(places=tuple(places))
            done.append(step if isinstance(step, Kernel) else _with_scratch(step, pool, k, threads))
            continue
        writes = writes_out(step) and step.into is None
        done.append(step._replace(buffer=placed(step.result, k, over) if writes else None))
    return dataclasses.replace(program, steps=tuple(done), buffers=tuple(pool.buffers))


def _over(step: Step | Several, kinds: dict[int, Kind]) -> bool:
    """Whether a step may write over its operands: for each element that it writes, it reads only that place."""
    if isinstance(step, Kernel):
        shape = kinds[step.results[0]].shape
        return all(kinds[n].shape in ((), shape) for n in read(step))
    return isinstance(step, Step) and elementwise(step) and step.function not in APART


def _with_scratch(loop: Loop, pool: _Pool, now: int, threads: int) -> Loop:
    """A loop with a set of small buffers for each thread."""
    body = buffered(loop.body, least=0)
    large = max((kinds.nbytes for kinds in map(loop.body.kinds.__getitem__, read(loop))), default=0) >= IN_THREADS
    scratch = []
    for thread in range(threads if large else 1):
        number = -1 - thread  # no value has this number; it occupies a buffer until the loop ends
        kinds = [Kind(b.shape, b.dtype, True, (), b.nbytes) for b in body.buffers]
        scratch.append(tuple(pool.take(number, kind, now, now) for kind in kinds))
    return loop._replace(body=body, scratch=tuple(scratch))


def allocated(program: Program) -> int:
    """The bytes of the arrays that a call allocates, without those kept between calls."""
    kinds, memory = program.kinds, origins(program)
    new = 0
    for step in program.steps:
        for n, place in _places(step):
            new += kinds[n].nbytes if place is None and memory[n] == {n} else 0
    return new


def _places(step: Step | Several) -> Iterator[tuple[int, int | None]]:
    """The values that a step makes, with their buffers."""
    return (
        zip(step.results, step.places, strict=True) if isinstance(step, Several) else iter([(step.result, step.buffer)])
    )
