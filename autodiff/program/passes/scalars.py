"""Scalars: a program of numbers alone, written with Python floats and the functions of `math`, without arrays.

Where Python raises (1 / 0, math.log(-1), math.exp(1000)), NumPy gives an infinity or a NaN: then the caller runs the
NumPy program. Powers use math.pow, since it raises for a negative number, where Python's ** gives a complex one.
"""

from __future__ import annotations

import dataclasses
import math
import operator
from dataclasses import dataclass
from typing import Any

import numpy as np

from autodiff.program import steps
from autodiff.program.graph import Program, Ref, Several, Step, replaced


@dataclass(frozen=True)
class Formula:
    """The expression that stands for a function in a program's text, with the arguments {0}, {1} ..."""

    name: str
    text: str


# Functions that are written with the same sign for floats.
INFIX: set[Any] = {np.add, np.subtract, np.multiply, np.divide, np.negative}
OF_PYTHON: set[Any] = {operator.add, operator.sub, operator.mul, operator.truediv, operator.pow}
OF_PYTHON |= {operator.neg, operator.pos, operator.abs}
INFIX |= OF_PYTHON - {operator.pow}
COMPARING = {np.equal, np.not_equal, np.less, np.less_equal, np.greater, np.greater_equal}
MATH: dict[Any, Any] = {
    **{f: getattr(math, f.__name__) for f in (np.exp, np.expm1, np.log, np.log1p, np.log2, np.log10, np.sqrt, np.cbrt)},
    **{f: getattr(math, f.__name__) for f in (np.sin, np.cos, np.tan, np.sinh, np.cosh, np.tanh, np.hypot)},
    **{f: getattr(math, f.__name__.replace("arc", "a")) for f in (np.arcsin, np.arccos, np.arctan, np.arctan2)},
    **{f: getattr(math, f.__name__.replace("arc", "a")) for f in (np.arcsinh, np.arccosh, np.arctanh)},
    np.absolute: operator.abs,
    np.copysign: math.copysign,
}
FORMULAS: dict[Any, Any] = {
    np.square: Formula("square", "{0} * {0}"),
    np.reciprocal: Formula("reciprocal", "1.0 / {0}"),
    np.maximum: Formula("maximum", "{0} if {0} >= {1} or {0} != {0} else {1}"),
    np.minimum: Formula("minimum", "{0} if {0} <= {1} or {0} != {0} else {1}"),
    np.sign: Formula("sign", "{0} if {0} == 0 or {0} != {0} else math.copysign(1.0, {0})"),
    np.where: Formula("where", "{1} if {0} else {2}"),
    steps.as_type: Formula("float", "float({0})"),
    steps.number: Formula("float", "float({0})"),
}
LOGICAL: dict[Any, Any] = {
    np.isnan: Formula("isnan", "{0} != {0}"),
    np.logical_and: Formula("and", "{0} and {1}"),
    np.logical_or: Formula("or", "{0} or {1}"),
    np.logical_not: Formula("not", "not {0}"),
    np.bitwise_and: Formula("and", "{0} and {1}"),
    np.bitwise_or: Formula("or", "{0} or {1}"),
    np.invert: Formula("not", "not {0}"),
}
AS_FLOAT: Any = Formula("float", "float({0})")
AS_NUMPY: dict[str, Any] = {"f": Formula("float64", "np.float64({0})"), "b": Formula("bool", "np.bool_({0})")}
AS_ARRAY: Any = Formula("array", "np.array({0})")
FLOAT, BOOL = np.dtype(np.float64), np.dtype(np.bool_)


def in_python(program: Program) -> Program | None:
    """The program in Python floats; None if it has arrays, other dtypes, or functions that `math` does not have."""
    kinds = dict(program.kinds)
    if not program.steps or program.writes or program.held or program.device is not None:
        return None
    done: list[Step] = []
    first: dict[int, Ref] = {}  # an input as a float
    for number, _ in program.inputs:
        if kinds[number].shape or kinds[number].dtype != FLOAT:
            return None
        fresh = max(kinds) + 1
        kinds[fresh] = kinds[number]
        first[number] = Ref(fresh)
        done.append(Step(AS_FLOAT, (Ref(number),), {}, fresh))
    numpys: set[int] = set()  # values that would be NumPy numbers in the NumPy program
    for step in program.steps:
        if isinstance(step, Several) or step.kwargs or step.effect or kinds[step.result].shape:
            return None
        step = step._replace(buffer=None)
        args = replaced(step.args, lambda ref: first.get(ref.number, ref))
        if step.function is np.array and len(args) == 1 and isinstance(args[0], Ref):
            done.append(step._replace(args=args))
            continue
        written = _written(step, kinds[step.result].dtype)
        if written is None:
            return None
        if step.function not in OF_PYTHON:
            numpys.add(step.result)
        done.append(written._replace(args=tuple(map(_floating, args[: _count(written)]))))
    outputs = []
    for y in program.outputs:
        known = kinds[y.number] if isinstance(y, Ref) and y.number in numpys else None
        if known is not None and known.dtype is not None:
            fresh = max(kinds) + 1
            kinds[fresh] = known
            done.append(Step(AS_ARRAY if known.array else AS_NUMPY[known.dtype.kind], (y,), {}, fresh))
            y = Ref(fresh)
        outputs.append(y)
    return dataclasses.replace(program, steps=tuple(done), outputs=tuple(outputs), kinds=kinds, quiet=False, buffers=())


def _written(step: Step, dtype: Any) -> Step | None:
    """A step as Python computes it, or None."""
    function = step.function
    if dtype == BOOL:
        return step if function in COMPARING else _by(step, LOGICAL)
    if dtype != FLOAT or (function is steps.as_type and np.dtype(step.args[1]) != FLOAT):
        return None
    if function in (np.power, operator.pow):
        exponent = step.args[1]
        whole = isinstance(exponent, int | float) and float(exponent).is_integer()
        return step if whole else step._replace(function=math.pow)
    return step if function in INFIX else _by(step, {**MATH, **FORMULAS})


def _by(step: Step, table: dict[Any, Any]) -> Step | None:
    try:
        found = table.get(step.function)
    except TypeError:  # a function without a hash
        return None
    return None if found is None else step._replace(function=found)


def _count(step: Step) -> int:
    """The number of arguments that a step computes with; a dtype does not count."""
    return 1 if isinstance(step.function, Formula) and step.function.name == "float" else len(step.args)


def _floating(value: Any) -> Any:
    """A constant as a float."""
    if isinstance(value, np.ndarray | np.generic):
        value = value.item()
    return value if isinstance(value, Ref | bool) else float(value)
