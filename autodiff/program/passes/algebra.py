"""Algebraic simplification: drop steps that change no number, and replace uniform arrays by their one number."""

from __future__ import annotations

from typing import Any

import numpy as np

from autodiff.program import steps
from autodiff.program.graph import Kind, Program, Ref, Step
from autodiff.program.passes.rewriting import rewritten

# The neutral number of a function: as either operand, or only as the right one.
NEUTRAL: dict[Any, float] = {np.add: 0, np.multiply: 1}
NEUTRAL_ON_THE_RIGHT: dict[Any, float] = {**NEUTRAL, np.subtract: 0, np.divide: 1, np.power: 1}
POWERS: dict[float, Any] = {2: np.square, 0.5: np.sqrt, -1: np.reciprocal}  # as in NumPy's **
SHAPING = (np.reshape, np.broadcast_to, steps.part)  # functions that give the array itself if the shape is the same
INVERSE = (np.negative, np.conjugate)  # functions that are their own inverse


def simplified(program: Program) -> Program:
    """Replace x * 1, x + 0, x / 1, x ** 1 by x, drop double negations and transpositions, replace uniform arrays."""
    kinds, made = program.kinds, dict[int, Step]()

    def simpler(step: Step) -> Any:
        if step.function in SHAPING and step.args and _same(step.args[0], step.result, kinds) and _plain(step):
            return step.args[0]
        if step.function is steps.as_type and _same(step.args[0], step.result, kinds):
            return step.args[0]
        if not step.kwargs:
            step = _power(_with_numbers(step, kinds), kinds)
            found = _operand(step, kinds)
            if found is None:
                found = _undone(step, made, kinds)
            if found is not None and found != Ref(step.result):
                return found
        made[step.result] = step
        return step

    return rewritten(program, simpler)


def _same(x: Any, result: int, kinds: dict[int, Kind]) -> bool:
    """Whether a value has the result's shape and dtype, and is an array if the result is one."""
    if not isinstance(x, Ref):
        return False
    one, other = kinds[x.number], kinds[result]
    return (one.shape, one.dtype, one.array) == (other.shape, other.dtype, other.array) and one.dtype is not None


def _plain(step: Step) -> bool:
    """Whether a step that keeps the shape keeps all elements in place."""
    everything = type(step.args[-1]) is tuple and not step.args[-1]
    return not step.kwargs and (step.function is not steps.part or everything)


def _number(value: Any) -> Any:
    """The one number that a constant holds, or None."""
    if isinstance(value, np.ndarray) and value.size and (value == value.flat[0]).all():
        value = value.flat[0]
    is_number = isinstance(value, int | float | complex | np.number) and not isinstance(value, bool)
    return value if is_number else None


def _operand(step: Step, kinds: dict[int, Kind]) -> Any:
    """The operand that equals the result, because the other one is neutral."""
    if step.function not in NEUTRAL_ON_THE_RIGHT:
        return None
    left, right = step.args
    if _same(left, step.result, kinds) and _number(right) == NEUTRAL_ON_THE_RIGHT[step.function]:
        return left
    if step.function in NEUTRAL and _same(right, step.result, kinds) and _number(left) == NEUTRAL[step.function]:
        return right
    return None


def _with_numbers(step: Step, kinds: dict[int, Kind]) -> Step:
    """The step with a uniform array replaced by its number, if another operand has the full shape."""
    if step.function not in (np.add, np.subtract, np.multiply, np.divide) or not kinds[step.result].array:
        return step
    shape = kinds[step.result].shape

    def short(value: Any, other: Any) -> Any:
        full = isinstance(other, Ref) and kinds[other.number].shape == shape
        number = _number(value) if full and isinstance(value, np.ndarray) else None
        return value if number is None or np.signbit(number.real) != np.signbit(value.real).all() else number

    left, right = step.args
    return step._replace(args=(short(left, right), short(right, left)))


def _power(step: Step, kinds: dict[int, Kind]) -> Step:
    """A power of an array of floats as a square, root or reciprocal."""
    if step.function is not np.power or not isinstance(step.args[0], Ref):
        return step
    x, exponent = kinds[step.args[0].number], _number(step.args[1])
    same = x.array and x.dtype and x.dtype == kinds[step.result].dtype and x.dtype.kind in "fc"
    if not same or exponent not in POWERS or np.shape(step.args[1]):
        return step
    return step._replace(function=POWERS[exponent], args=step.args[:1])


def _undone(step: Step, made: dict[int, Step], kinds: dict[int, Kind]) -> Any:
    """The operand of the step before, if this step is its inverse."""
    first = step.args[0] if step.args else None
    before = made.get(first.number) if isinstance(first, Ref) else None
    if before is None or before.function is not step.function or before.kwargs:
        return None
    x = before.args[0]
    if step.function in INVERSE:
        return x if _same(x, step.result, kinds) else None
    if step.function is np.transpose and isinstance(x, Ref):
        one, other = (_axes(s, len(kinds[x.number].shape)) for s in (before, step))
        return x if [one[k] for k in other] == list(range(len(one))) else None
    return x if step.function is np.swapaxes and set(step.args[1:]) == set(before.args[1:]) else None


def _axes(step: Step, ndim: int) -> list[int]:
    axes = step.args[1] if len(step.args) > 1 else None
    return list(range(ndim))[::-1] if axes is None else [int(k) % ndim for k in axes]
