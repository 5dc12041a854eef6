"""Kernels as text: Python loops over elements, which Numba compiles.

Each operation of a kernel does to an element what NumPy does, in the same dtype, so the results are equal bit for bit.
exp, tanh and sin are left to NumPy: it computes many elements at a time, while a kernel would call a function for each.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from autodiff.program import steps
from autodiff.program.graph import Kernel, Kind, Ref, Step
from autodiff.program.passes.writing import elementwise

FLOATS, INTEGERS, BOOL = "fd", "ilq", "?"  # the kinds of elements, by NumPy's letters
MOST_POWER = 4  # the most factors of a product that replaces a power; it differs from NumPy's power by rounding
# A sum may add its elements in any order, so several at a time; NaNs and infinities keep their meaning.
IN_ANY_ORDER = '@numba.njit(nogil=True, error_model="numpy", fastmath={"reassoc", "nsz"})'
DECORATOR = '@numba.njit(nogil=True, error_model="numpy")'

_NUMBERS = {
    np.add: "{0} + {1}",
    np.subtract: "{0} - {1}",
    np.multiply: "{0} * {1}",
    np.negative: "-{0}",
    np.positive: "{0}",
    np.conjugate: "{0}",
    np.square: "{0} * {0}",
    np.absolute: "abs({0})",
    np.maximum: "{0} if {0} > {1} or {0} != {0} else {1}",  # the NaN, if one is; of zeros, the second
    np.minimum: "{0} if {0} < {1} or {0} != {0} else {1}",
    np.fmax: "{0} if {0} > {1} or {1} != {1} else {1}",
    np.fmin: "{0} if {0} < {1} or {1} != {1} else {1}",
    np.sign: "{one} if {0} > {zero} else -{one} if {0} < {zero} else {zero} if {0} == {zero} else {0}",
    np.equal: "{0} == {1}",
    np.not_equal: "{0} != {1}",
    np.less: "{0} < {1}",
    np.less_equal: "{0} <= {1}",
    np.greater: "{0} > {1}",
    np.greater_equal: "{0} >= {1}",
    np.logical_and: "{0} != {zero} and {1} != {zero}",
    np.logical_or: "{0} != {zero} or {1} != {zero}",
    np.logical_xor: "({0} != {zero}) != ({1} != {zero})",
    np.logical_not: "{0} == {zero}",
}
_FLOATS = {
    np.divide: "{0} / {1}",
    np.reciprocal: "{one} / {0}",
    np.sqrt: "np.sqrt({0})",
    np.fabs: "abs({0})",
    np.floor: "np.floor({0})",
    np.ceil: "np.ceil({0})",
    np.trunc: "np.trunc({0})",
    np.heaviside: "{zero} if {0} < {zero} else {one} if {0} > {zero} else {1} if {0} == {zero} else {0}",
    np.copysign: "np.copysign({0}, {1})",
    np.isnan: "{0} != {0}",
    np.isfinite: "{0} - {0} == {zero}",
    np.isinf: "{0} == {0} and {0} - {0} != {zero}",
}
_BOOLS = {
    np.equal: "{0} == {1}",
    np.not_equal: "{0} != {1}",
    np.logical_and: "{0} and {1}",
    np.logical_or: "{0} or {1}",
    np.logical_xor: "{0} != {1}",
    np.logical_not: "not {0}",
    np.add: "{0} or {1}",
    np.multiply: "{0} and {1}",
    np.bitwise_and: "{0} and {1}",
    np.bitwise_or: "{0} or {1}",
    np.bitwise_xor: "{0} != {1}",
    np.invert: "not {0}",
}
_TEXTS: dict[str, dict[Any, str]] = {
    **{char: {**_NUMBERS, **_FLOATS} for char in FLOATS},
    **dict.fromkeys(INTEGERS, _NUMBERS),
    BOOL: _BOOLS,
}


class Form(NamedTuple):
    """An operation on elements: the dtypes that its operands are converted to, its result's dtype, and its text."""

    given: tuple[np.dtype[Any], ...]
    dtype: np.dtype[Any]
    text: str


def written(step: Step, kinds: Mapping[int, Kind]) -> bool:
    """Whether a kernel can hold a step."""
    return form(step, kinds) is not None


def form(step: Step, kinds: Mapping[int, Kind]) -> Form | None:
    """How a kernel computes each element of a step; None if it cannot, or if NumPy is faster."""
    dtype, operands = kinds[step.result].dtype, step.args[: 1 if step.function is steps.as_type else None]
    if step.kwargs or dtype is None or dtype.char not in _TEXTS or not all(_known(x, kinds) for x in operands):
        return None
    if step.function is steps.as_type:
        exact = _dtype(step.args[0], kinds).char == BOOL or dtype.char in FLOATS  # NaN as an integer is undefined
        return Form((dtype,), dtype, "{0}") if exact else None
    if step.function is np.where and len(operands) == 3:
        return Form((np.dtype(bool), dtype, dtype), dtype, "{1} if {0} else {2}")
    if step.function is np.clip and len(operands) == 3 and dtype.char != BOOL:
        low = "({0} if {0} >= {1} or {0} != {0} else {1})"
        return Form((dtype,) * 3, dtype, f"{low} if {low} <= {{2}} or {low} != {low} else {{2}}")
    return _of_ufunc(step, kinds, dtype) if elementwise(step) else None


def _of_ufunc(step: Step, kinds: Mapping[int, Kind], dtype: np.dtype[Any]) -> Form | None:
    loops = {loop for loop in loops_of(step, kinds) if loop[-1] == dtype}
    if len(loops) != 1:  # the dtype depends on whether a number is NumPy's or Python's, which is unknown
        return None
    given = next(iter(loops))[:-1]
    chars = {one.char for one in given}
    if len(chars) != 1:
        return None
    char = chars.pop()
    text = _power(step.args[1]) if step.function is np.power and char in FLOATS else None
    text = text or _TEXTS.get(char, {}).get(step.function)
    return None if text is None else Form(given, dtype, text)


def _power(exponent: Any) -> str | None:
    """A power as a product of few factors."""
    if isinstance(exponent, Ref) or np.ndim(exponent):
        return None
    number = float(exponent)
    if not 0 < abs(number) <= MOST_POWER or not number.is_integer():
        return None
    product = " * ".join(["{0}"] * abs(int(number)))
    return product if number > 0 else f"{{one}} / ({product})"


def loops_of(step: Step, kinds: Mapping[int, Kind]) -> Iterator[tuple[np.dtype[Any], ...]]:
    """The dtypes that a ufunc may compute in: a Python number takes the arrays' dtype, a NumPy number keeps its own."""
    choices: list[list[Any]] = [[]]
    for value in step.args:
        known = _dtype(value, kinds) if isinstance(value, Ref | np.ndarray | np.generic) else type(value)
        also = []
        if isinstance(value, Ref) and not kinds[value.number].array and known.char in "dl?":
            also = [known.type(0).item().__class__]
        choices = [[*one, dtype] for one in choices for dtype in (known, *also)]
    for given in choices:
        try:
            yield step.function.resolve_dtypes((*given, None))  # type: ignore[attr-defined]  # a ufunc
        except TypeError:
            continue


def _dtype(value: Any, kinds: Mapping[int, Kind]) -> np.dtype[Any]:
    if isinstance(value, Ref):
        found = kinds[value.number].dtype
        assert found is not None
        return found
    return np.asarray(value).dtype


def _known(value: Any, kinds: Mapping[int, Kind]) -> bool:
    """Whether an operand is a number, or an array of elements, of a dtype that kernels know."""
    if isinstance(value, Ref):
        dtype = kinds[value.number].dtype
        return dtype is not None and dtype.char in _TEXTS and dtype.isnative
    if isinstance(value, np.ndarray | np.generic):
        return value.dtype.char in _TEXTS and value.dtype.isnative
    return isinstance(value, bool | float) or (isinstance(value, int) and abs(value) < 2**62)


def looping_text(function: Any) -> str:
    """The text of a primitive's loops, in which {name} stands for the function's name."""
    text = inspect.getsource(function).replace(": Any", "").replace(" -> Any", "")
    return f"{IN_ANY_ORDER}\n{text.replace(f'def {function.__name__}(', 'def {name}(')}"


class Written(NamedTuple):
    """A kernel's text, in which {name} stands for its name, and the line of each step by the step's result."""

    text: str
    lines: dict[int, str]


def kernel_text(kernel: Kernel, over: Mapping[int, int]) -> Written:
    """The text of a kernel's function, whose arguments are the operands and then the results.

    `over` maps the place of a result to the place of the operand whose array it is written into. Such a result is no
    argument of its own: where two arguments may overlap, Numba's compiler processes one element at a time. The text
    does not use the program's names, so kernels that compute the same have the same text.
    """
    body, kinds = kernel.body, kernel.body.kinds
    shape = kinds[kernel.results[0]].shape
    depth = len(shape)
    index = [f"i{k}" for k in range(depth)] if depth > 2 else ["i", "j"][:depth]
    names: dict[int, str] = {}
    dtypes: dict[int, Any] = {}  # None for numbers
    loads: list[list[str]] = [[] for _ in range(depth + 1)]  # for each loop, the lines that read elements
    for k, (number, _) in enumerate(body.inputs):
        known = kinds[number]
        names[number], dtypes[number] = f"a{k}", None
        if known.shape:
            skipped = depth - len(known.shape)
            at = [
                "0" if one == 1 != whole else name
                for name, one, whole in zip(index[skipped:], known.shape, shape[skipped:], strict=True)
            ]
            names[number], dtypes[number] = f"x{k}", known.dtype
            loads[max((index.index(p) + 1 for p in at if p != "0"), default=0)].append(f"x{k} = a{k}[{', '.join(at)}]")
    made: list[str] = []
    lines: dict[int, str] = {}
    for k, step in enumerate(body.steps):
        found = form(step, kinds)
        assert found is not None
        operands = [_as(value, dtype, names, dtypes) for value, dtype in zip(step.args, found.given, strict=False)]
        zero, one = (_as(number, found.given[0], names, dtypes) for number in (0, 1))
        text = found.text.format(*operands, zero=zero, one=one)
        text = f"{_type(found.dtype)}({text})" if found.dtype.char == "i" else text  # Numba computes in 64 bits
        names[step.result], dtypes[step.result] = f"y{k}", found.dtype
        lines[step.result] = f"y{k} = {text}"
        made.append(lines[step.result])
    arrays = [f"a{over[k]}" if k in over else f"r{k}" for k in range(len(kernel.results))]
    stores = [f"{array}[{', '.join(index)}] = {names[y.number]}" for array, y in zip(arrays, body.outputs, strict=True)]
    given = [*(f"a{k}" for k in range(len(body.inputs))), *(array for array in arrays if array[0] == "r")]
    whole = [f"{DECORATOR}\ndef {{name}}({', '.join(given)}):", *(f"    {line}" for line in loads[0])]
    for level in range(depth):
        whole.append("    " * (level + 1) + f"for {index[level]} in range({arrays[0]}.shape[{level}]):")
        whole += ["    " * (level + 2) + line for line in loads[level + 1]]
    whole += ["    " * (depth + 1) + line for line in (*made, *stores)]
    return Written("\n".join(whole) + "\n", lines)


def _as(value: Any, dtype: np.dtype[Any], names: Mapping[int, str], dtypes: Mapping[int, Any]) -> str:
    """The text of an operand, converted to the dtype of an operation."""
    if isinstance(value, Ref):
        have, name = dtypes[value.number], names[value.number]
        if have == dtype:
            return name
        return f"({name} != 0)" if dtype.char == BOOL else f"{_type(dtype)}({name})"
    number = value.item() if isinstance(value, np.generic | np.ndarray) else value
    if dtype.char == BOOL:
        return repr(bool(number))
    if dtype.char in INTEGERS:
        return f"{_type(dtype)}({int(number)})"
    number = float(number)
    shown = repr(number) if math.isfinite(number) else "np.nan" if number != number else f"{'-' * (number < 0)}np.inf"
    return f"{_type(dtype)}({shown})"


def _type(dtype: np.dtype[Any]) -> str:
    return f"np.{dtype.name}"


def call(kernel: Kernel, text: Any, given: Mapping[int, str], buffer: str) -> list[str]:
    """The lines of a program's text that call a kernel; `given` names the arrays that some results go into."""
    operands = [text.element(value) for value in kernel.operands]
    arrays = [text.array(value) if isinstance(value, Ref) else "" for value in kernel.operands]
    lines, over, results = [], {}, []
    for k, (number, place, into) in enumerate(zip(kernel.results, kernel.places, kernel.into, strict=True)):
        kind, name = text.kinds[number], f"v{number}"
        made = given.get(number) or f"np.empty({kind.shape}, {text.written(kind.dtype)})"
        if into is not None or place is not None:
            made = text.arrays[number] = text.names[into] if into is not None else f"{buffer}{place}"
        if made in arrays:
            over[k] = arrays.index(made)
        else:
            results.append(name)
        text.names[number] = name
        lines.append(f"{name} = {made}")
    written, own = kernel_text(kernel, over)
    text.lines |= {number: [line] for number, line in own.items()}
    name = text.named_kernel(written, f"kernel{len(text.kernels)}")
    return [*lines, f"{name}({', '.join((*operands, *results))})"]
