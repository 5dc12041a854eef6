"""Constants: steps that depend on no argument are computed once, and successive signs and factors are combined.

(-x) * c becomes x * (-c), a - (-b) becomes a + b, and so on, with equal results bit for bit. (x * a) * b becomes
x * (a * b) if a or b is a power of two, since multiplying by it is exact.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from autodiff.program.graph import Kind, Program, Ref, Step, read
from autodiff.program.passes.memory import VIEWS
from autodiff.program.passes.rewriting import Constant, rewritten

OTHER: dict[Any, Any] = {np.add: np.subtract, np.subtract: np.add}
MOST = 2**20  # bytes of the largest result that becomes a constant


def folded(program: Program) -> Program:
    """The program with constants computed, and with signs and factors combined."""
    kinds, made = program.kinds, dict[int, Step]()

    def simpler(step: Step) -> Any:
        if not step.effect and step.function not in VIEWS and not any(True for _ in read(step)):
            known = kinds[step.result]
            a_result = known.there and step.function is np.array  # a constant that the program returns on a device
            if known.dtype is not None and known.nbytes <= MOST and not a_result:
                with np.errstate(all="ignore"):
                    return Constant(step.function(*step.args, **step.kwargs))
        step = step if step.kwargs else _together(step, made, kinds)
        made[step.result] = step
        return step

    return rewritten(program, simpler)


def _together(step: Step, made: dict[int, Step], kinds: dict[int, Kind]) -> Step:
    """A step combined with the negation or the factor of the step before it."""

    def operands(function: Callable[..., Any], value: Any) -> tuple[Any, ...]:
        """The operands of a value if this function made it and all dtypes are the same; () otherwise."""
        before = made.get(value.number) if isinstance(value, Ref) else None
        if before is None or before.function is not function or before.kwargs:
            return ()
        one, other = kinds[value.number], kinds[step.result]
        return before.args if one.dtype is not None and one.dtype == other.dtype and one.dtype.kind in "fc" else ()

    if step.function in OTHER:
        return _subtracted(step, operands)
    if step.function is np.negative:
        for number, x in factors(operands(np.multiply, step.args[0])):
            return step._replace(function=np.multiply, args=(x, -number))
    elif step.function in (np.multiply, np.divide):
        found = factors(step.args) if step.function is np.multiply or _exact(step.args[1]) else []
        for number, x in found:
            if negated := operands(np.negative, x):
                return step._replace(args=(*negated, -number))
            for other, y in factors(operands(np.multiply, x) if step.function is np.multiply else ()):
                if power_of_two(other) or power_of_two(number):
                    return step._replace(args=(y, other * number))
    return step


def _subtracted(step: Step, operands: Callable[..., tuple[Any, ...]]) -> Step:
    """A sum with a negated operand as a difference, and a difference with one as a sum."""
    left, right = step.args
    if negated := operands(np.negative, right):
        return step._replace(function=OTHER[step.function], args=(left, *negated))
    if step.function is np.add and (negated := operands(np.negative, left)):
        return step._replace(function=np.subtract, args=(right, *negated))
    return step


def factors(args: tuple[Any, ...]) -> list[tuple[Any, Any]]:
    """The pair (number, other argument) in a list, if one of two arguments is a number; otherwise an empty list."""
    return [(args[k], args[1 - k]) for k in (0, 1) if args and _exact(args[k])][:1]


def _exact(value: Any) -> bool:
    """Whether a value is a finite Python number or NumPy float."""
    return type(value) in (int, float) or isinstance(value, np.floating)


def power_of_two(value: Any) -> bool:
    """Whether a number is a power of two, so that multiplying by it is exact."""
    return bool(value) and math.isfinite(value) and abs(math.frexp(value)[0]) == 0.5
