"""Kernels of a device: functions of elementwise operations, each compiled to one kernel by a decorator of its module.

In such a function a Python number has a fixed dtype, which would widen arrays of float32. So numbers are passed in the
dtype that NumPy computes in.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from autodiff.engine.devices import Device
from autodiff.program import steps
from autodiff.program.graph import Kernel, Kind, Ref, Step
from autodiff.program.kernels import Written, loops_of
from autodiff.program.literals import scalar
from autodiff.program.passes.writing import elementwise
from autodiff.program.placed import module_of, path

KINDS = "?bhilqBHILQefdFD"  # the dtypes of elements, by NumPy's letters
INFIX = {
    np.add: "+",
    np.subtract: "-",
    np.multiply: "*",
    np.divide: "/",
    np.equal: "==",
    np.not_equal: "!=",
    np.less: "<",
    np.less_equal: "<=",
    np.greater: ">",
    np.greater_equal: ">=",
}


class Writer:
    """Which steps a device's kernels can hold, and the kernels' text."""

    def __init__(self, device: Device) -> None:
        self.device, self.module = device, module_of(device)

    def written(self, step: Step, kinds: Mapping[int, Kind]) -> bool:
        """Whether a kernel can hold a step."""
        return kinds[step.result].there and self.dtypes(step, kinds) is not None

    def dtypes(self, step: Step, kinds: Mapping[int, Kind]) -> tuple[np.dtype[Any], ...] | None:
        """The dtypes that a step brings its operands to; None if no kernel can hold the step."""
        known, operands = kinds[step.result], step.args[: 1 if step.function is steps.as_type else None]
        shaped = elementwise(step) or step.function in (steps.as_type, np.where)
        if not shaped or step.kwargs or step.effect or known.dtype is None or known.dtype.char not in KINDS:
            return None
        of_operands = [_dtype(x, kinds) for x in operands]
        if not all(dtype is not None and dtype.char in KINDS and dtype.isnative for dtype in of_operands):
            return None
        if step.function is steps.as_type:
            return (known.dtype,)
        if step.function is np.where and len(operands) == 3:
            return (np.dtype(bool), known.dtype, known.dtype) if of_operands[0] == np.dtype(bool) else None
        if not isinstance(self.theirs(step.function), type(self.module.add)):
            return None
        found = {loop for loop in loops_of(step, kinds) if loop[-1] == known.dtype}
        return next(iter(found))[:-1] if len(found) == 1 else None

    def theirs(self, function: Any) -> Any:
        """The module's function with the same name as NumPy's, or None."""
        name = path(function)
        return getattr(self.module, name, None) if name else None

    def text(self, kernel: Kernel) -> tuple[Written, list[tuple[Any, np.dtype[Any] | None]]]:
        """A kernel's text, and its arguments: operands, each with the dtype that a number is passed in.

        The text does not use the program's names, so kernels that compute the same have the same text.
        """
        kinds, names = kernel.body.kinds, dict[Any, str]()
        given: list[tuple[Any, np.dtype[Any] | None]] = []
        arrays = {number: v for v, (number, _) in zip(kernel.operands, kernel.body.inputs, strict=True)}

        def parameter(key: Any, value: Any, dtype: np.dtype[Any] | None) -> str:
            if key not in names:
                names[key] = f"a{len(given)}"
                given.append((value, dtype))
            return names[key]

        def operand(value: Any, dtype: np.dtype[Any]) -> str:
            if not isinstance(value, Ref):
                return f"np.{dtype.name}({scalar(np.asarray(value).astype(dtype)[()].item())})"
            number = value.number
            if number in names:
                return names[number]
            if kinds[number].array:
                return parameter(number, arrays[number], None)
            return parameter((number, dtype), arrays[number], dtype)

        lines: dict[int, str] = {}
        for k, step in enumerate(kernel.body.steps):
            dtypes = self.dtypes(step, kinds)
            assert dtypes is not None
            found = [operand(x, dtype) for x, dtype in zip(step.args, dtypes, strict=False)]
            names[step.result] = f"y{k}"
            lines[step.result] = f"y{k} = {_expression(step, found)}"
        body = list(lines.values())
        for number, into in zip(kernel.results, kernel.into, strict=True):
            if into is not None:
                body.append(f"{parameter(into, Ref(into), None)}[...] = {names[number]}")
        results = [names[n] for n, into in zip(kernel.results, kernel.into, strict=True) if into is None]
        body += [f"return {', '.join(results)}"] if results else []
        parameters = ", ".join(f"a{k}" for k in range(len(given)))
        head = f"@np.{self.device.fuse}()\ndef {{name}}({parameters}):"
        return Written("\n    ".join([head, *body]) + "\n", lines), given

    def call(self, kernel: Kernel, program: Any) -> list[str]:
        """The line of a program's text that calls a kernel; the kernel returns new arrays or writes into inputs."""
        (text, lines), given = self.text(kernel)
        program.lines |= {number: [line] for number, line in lines.items()}
        operands = [
            program.written(value) if dtype is None else f"np.{dtype.name}({program.written(value)})"
            for value, dtype in given
        ]
        for number, into in zip(kernel.results, kernel.into, strict=True):
            program.names[number] = f"v{number}" if into is None else program.names[into]
        name = program.named_kernel(text, f"kernel{len(program.kernels)}")
        made = [program.names[n] for n, into in zip(kernel.results, kernel.into, strict=True) if into is None]
        return [f"{', '.join(made)}{' = ' * bool(made)}{name}({', '.join(operands)})"]


def _expression(step: Step, operands: list[str]) -> str:
    """A step as an expression of its operands' texts: an operator if there is one, else a call."""
    if step.function is steps.as_type:
        return f"{operands[0]}.astype(np.{np.dtype(step.args[1]).name})"
    if step.function in INFIX and not any(text.startswith("np.") for text in operands):
        return f"{operands[0]} {INFIX[step.function]} {operands[1]}"
    return f"np.{step.function.__name__}({', '.join(operands)})"


def _dtype(value: Any, kinds: Mapping[int, Kind]) -> np.dtype[Any] | None:
    return kinds[value.number].dtype if isinstance(value, Ref) else np.asarray(value).dtype
