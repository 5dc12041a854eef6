"""Blocks: runs of steps over one long axis, computed one cache-sized block at a time.

NumPy computes each operation over whole arrays. If an array does not fit in the cache, every operation reads its
operands from memory and writes its result there. If a block does fit, only the inputs and outputs of the run go
through memory. Shapes decide which steps belong to a run: elementwise steps, reductions over the other axes, and
reductions over the long axis, which end the run. A reduction over the long axis gives one row for each block, and the
rows are reduced once more. So a sum is the sum of the blocks' sums, in the same order for any number of threads.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Collection
from typing import Any

import numpy as np

from autodiff.program import steps
from autodiff.program.graph import Kind, Loop, Program, Ref, Step, made, read, refs, replaced
from autodiff.program.passes.runs import Place, Runs
from autodiff.program.passes.writing import elementwise

BLOCK = 2**17  # bytes of a block: several of them fit in a core's second-level cache
WHOLE = 3 * BLOCK  # bytes of the smallest array for which a loop pays
FEWEST = 8  # the fewest rows of a block whose reduction is an array, so that there are few rows to reduce once more
ASSOCIATIVE = {np.add, np.multiply, np.maximum, np.minimum, np.logical_and, np.logical_or}
RESHAPING = (np.reshape, np.expand_dims, np.squeeze)


def blocked(program: Program, whole: Collection[int] = ()) -> Program:
    """The program with runs of steps over one long axis as Loops, except runs whose values are all in `whole`."""
    places = [_place(step, program.kinds) for step in program.steps]
    runs = Runs(program.steps, places)
    kinds = dict(program.kinds)
    out: list[Any] = []
    wanted = {*refs(program.outputs), *refs(program.writes)}
    for run in runs.ordered():
        members = [program.steps[k] for k in run]
        inside = {n for step in members for n in made(step)}
        elsewhere = wanted.union(*(read(s) for k, s in enumerate(program.steps) if k not in run)) if run[1:] else set()
        axis = places[run[0]]
        if axis is None or not run[1:] or all(n in whole for n in inside):
            out += members
        else:
            ends = [k for k in run if (place := places[k]) and place.ends]
            out += _loop(axis.axis, members, {program.steps[k].result for k in ends}, inside & elsewhere, kinds)
    return dataclasses.replace(program, steps=tuple(out), kinds=kinds)


def _place(step: Step, kinds: dict[int, Kind]) -> Place | None:
    """How a step can take part in a run, or None."""
    known = kinds[step.result]
    operands = [(n, kinds[n].shape) for n in read(step)]
    operands += [(-1, a.shape) for a in step.args if isinstance(a, np.ndarray)]
    if step.effect or known.order is not None:
        return None
    if elementwise(step) or _like_elementwise(step):
        shape = known.shape
        if not known.array or not shape or not known.nbytes:
            return None
        whole = {n for n, s in operands if len(s) < len(shape) or s[0] != shape[0]}
        small = known.nbytes < WHOLE
        if _rows(known.nbytes, shape) >= 1 or small:
            return Place(("rows", shape[0]), frozenset(whole), small=small)
        full = all(s in ((), shape) for _, s in operands)
        return Place(("flat", shape), frozenset(n for n, s in operands if not s)) if full else None
    big = kinds.get(operands[0][0]) if len(operands) == 1 else None
    if big is None or not big.shape or not big.nbytes or big.order is not None:  # its rows are not contiguous in memory
        return None
    rows, small = _rows(big.nbytes, big.shape), big.nbytes < WHOLE
    if step.function in RESHAPING and len(step.args) == 2 and not step.kwargs:
        kept = rows and known.shape[:1] == big.shape[:1]
        return Place(("rows", big.shape[0]), frozenset(), small=small) if kept else None
    return None if small else _reduction(step, big, known, rows)


def _reduction(step: Step, big: Kind, known: Kind, rows: int) -> Place | None:
    """How a reduction takes part: over other axes it is inside the run; over the long axis it ends the run."""
    ufunc = getattr(step.function, "__self__", None)
    if ufunc not in ASSOCIATIVE or step.function.__name__ != "reduce" or len(step.args) != 1:
        return None
    if step.kwargs.keys() - {"axis", "keepdims"} or "axis" not in step.kwargs:
        return None
    axis = step.kwargs["axis"]
    axes = range(len(big.shape)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    if not all(isinstance(k, int) for k in axes):
        return None
    reduced = {k % len(big.shape) for k in axes}
    if rows:
        ends = 0 in reduced
        few = known.nbytes * math.ceil(big.shape[0] / rows) * FEWEST <= big.nbytes
        return Place(("rows", big.shape[0]), frozenset(), ends) if few or not ends else None
    everything = len(reduced) == len(big.shape) and "keepdims" not in step.kwargs
    return Place(("flat", big.shape), frozenset(), True) if everything else None


def _like_elementwise(step: Step) -> bool:
    """Whether a function that is not a ufunc computes each element from the operands' elements at the same place."""
    if step.function is np.where:
        return len(step.args) == 3 and not step.kwargs
    return step.function is steps.as_type or (step.function is np.clip and len(step.args) == 3 and not step.kwargs)


def _rows(nbytes: int, shape: tuple[int, ...]) -> int:
    """How many rows of an array make up a block; 0 if the rows are too long, or if there is only one."""
    return 0 if not shape or shape[0] < 2 else BLOCK * shape[0] // nbytes


def _loop(
    axis: tuple[Any, ...], members: list[Step], ends: set[int], leaving: set[int], kinds: dict[int, Kind]
) -> list[Any]:
    """A run as a Loop, and the steps that reduce the rows of its blocks once more."""
    flat = axis[0] == "flat"
    length = math.prod(axis[1]) if flat else axis[1]
    most = max(kinds[n].nbytes for step in members for n in (step.result, *read(step)) if _is_long(kinds[n], axis))
    size = max(1, min(length, BLOCK * length // most))
    count = math.ceil(length / size)

    def fresh(known: Kind) -> int:
        number = max(kinds) + 1
        kinds[number] = known
        return number

    def block(known: Kind) -> Kind:
        shape = (size,) if flat else (size, *known.shape[1:])
        assert known.dtype is not None
        return Kind(shape, known.dtype, True, (), math.prod(shape) * known.dtype.itemsize)

    rows: dict[Any, tuple[Any, int]] = {}
    inner: dict[int, int] = {}

    def parted(value: Any) -> Any:
        """An operand in the body: a block of the array, or the whole array."""
        if isinstance(value, Ref) and value.number in inner:
            return Ref(inner[value.number])
        known = kinds[value.number] if isinstance(value, Ref) else _kind_of(value)
        if not known.array or not _is_long(known, axis) or len(known.shape) < depth:
            return value
        key = value.number if isinstance(value, Ref) else id(value)
        if key not in rows:
            rows[key] = value, fresh(block(known))
        return Ref(rows[key][1])

    body: list[Step] = []
    for step in members:
        known = kinds[step.result]
        depth = len(kinds[next(read(step))].shape) if step.result in ends or _shrinks(step) else len(known.shape)
        args = replaced(step.args, parted, (Ref, np.ndarray))  # type: ignore[arg-type]  # the containers stay
        if step.function in RESHAPING:
            step = step._replace(function=np.reshape)
            args = (args[0], (-1, *known.shape[1:]))
        kwargs = {"axis": None} if flat and step.result in ends else step.kwargs
        inner[step.result] = fresh(known if step.result in ends else block(known))
        body.append(step._replace(args=args, kwargs=kwargs, result=inner[step.result]))
    outer, last, rows_of_blocks = [], [], set()
    for number in sorted(leaving):
        if number in ends:
            known = kinds[number]
            assert known.dtype is not None
            shape = (count, *known.shape)
            parts = fresh(Kind(shape, known.dtype, True, (), math.prod(shape) * known.dtype.itemsize))
            function = next(step.function for step in members if step.result == number)
            last.append(Step(function, (Ref(parts),), {"axis": 0}, number))
            outer.append(parts)
            rows_of_blocks.add(parts)
        else:
            outer.append(number)
    outputs = tuple(Ref(inner[n]) for n in sorted(leaving))
    inputs = tuple((number, "") for _, number in rows.values())
    own = Program(inputs, tuple(body), outputs, kinds)
    taken = tuple(value for value, _ in rows.values())
    return [Loop(own, taken, tuple(outer), length, size, frozenset(rows_of_blocks), flat), *last]


def _shrinks(step: Step) -> bool:
    return getattr(step.function, "__name__", "") == "reduce" or step.function in RESHAPING


def _kind_of(value: np.ndarray[Any, Any]) -> Kind:
    return Kind(value.shape, value.dtype, True, (), value.nbytes)


def _is_long(known: Kind, axis: tuple[Any, ...]) -> bool:
    """Whether a value has the run's axis."""
    return known.shape == axis[1] if axis[0] == "flat" else known.shape[:1] == (axis[1],)
