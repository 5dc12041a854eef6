"""A program as the text of a module: imports, constants and one function in straight-line NumPy."""

from __future__ import annotations

import inspect
import operator
import textwrap
from collections.abc import Callable
from typing import Any

import numpy as np

from autodiff.engine.loops import is_looping
from autodiff.program import steps
from autodiff.program.fused import Writer
from autodiff.program.graph import Kernel, Loop, Program, Ref, Several, Step, refs
from autodiff.program.kernels import call, looping_text
from autodiff.program.literals import constant_name, indexed, kept, literal, scalar
from autodiff.program.naming import TAKEN, held_names, renamed, variables
from autodiff.program.passes.scalars import Formula
from autodiff.program.passes.writing import with_arrays, writes_out
from autodiff.program.placed import is_there, on_device
from autodiff.program.signs import INFIX, METHODS, OVER, PREFIX
from autodiff.program.texts import Texts, others


class Text:
    """The text of a program, and the arrays that its constants' names stand for."""

    def __init__(self, program: Program, scalar: Program | None = None) -> None:
        self.constants: dict[str, Any] = {}
        self._known: dict[Any, str] = {}
        self.device = program.device
        self.writer = Writer(self.device) if self.device and self.device.fuse else None
        self._modules = {"numpy": f"import {self.device.module.__name__ if self.device else 'numpy'} as np"}
        self._here = False  # whether the present step runs on the host, in a program of a device
        self._on_host: set[str] = set()  # the constants that steps on the host read
        self._helpers: list[str] = []
        self._texts = Texts()
        self._literals: dict[str, str] = {}  # the texts of constants that are not arrays
        self._kernels: dict[str, str] = {}  # kernels' names by their texts, which have {name} in its place
        self.buffers = kept(program.buffers)
        self.name = "program"
        while self.name in dict(program.inputs).values():
            self.name += "_"
        if scalar is None:
            self.function = self._function(self.name, program)
        else:
            general = f"{self.name}_in_numpy"
            self.function = self._function(general, program) + "\n\n" + self._function(self.name, scalar, general)

    def _function(self, name: str, program: Program, instead: str = "") -> str:
        """The text of a program's function; it calls `instead` where Python raises and NumPy gives inf or NaN."""
        self.names, self.kinds = {**dict(program.inputs), **held_names(program)}, program.kinds
        self.lines: dict[int, list[str]] = {}  # the lines of each step, by its result, for pictures of programs
        self.arrays: dict[int, str] = {}  # the buffer, or the input, that a value was written into
        self._said: dict[str, str] = {}  # a variable's name in the user's function
        parameters = ", ".join(self.names.values())
        self._note = ""
        body = [line for step in program.steps for line in self._lines(step)]
        if program.quiet and self.device is None:
            body = ['with np.errstate(all="ignore"):', *(f"    {line}" for line in body)]
        if program.buffers:
            names = ", ".join(f"b{k}" for k in range(len(program.buffers))) + "," * (len(program.buffers) == 1)
            body = ["kept = buffers()", f"{names} = kept", *body, "free.append(kept)"]
        if instead:
            errors = "except (ArithmeticError, ValueError):  # NumPy's infinities and NaNs"
            body = ["try:", *(f"    {line}" for line in body), errors, f"    return {instead}({parameters})"]
        results = ", ".join(map(self.written, program.outputs)) + "," * (len(program.outputs) == 1)
        body = self._with_names([*body, f"return ({results})"], program)
        rows = textwrap.wrap(parameters, 80, break_long_words=False)
        head = f"def {name}(" + "\n        ".join(rows) + "):"
        return "\n    ".join([head, *body]) + "\n"

    def _with_names(self, body: list[str], program: Program) -> list[str]:
        """The lines with the variable names of the user's function."""
        taken = {*TAKEN, *self.constants, *self.names.values(), *self._modules, *self._kernels.values()}
        names = variables(
            program, self.names, taken | self._texts.taken | {self.name, "start", "at", "share", "starts"}
        )
        self.names = {number: names.get(name, name) for number, name in self.names.items()}
        self.lines = {number: renamed(lines, names) for number, lines in self.lines.items()}
        return renamed(body, names)

    @property
    def head(self) -> str:
        """The imports, except Numba's, and the functions that NumPy does not have."""
        return self._head()

    def _head(self, *more: str) -> str:
        own = self._texts.definitions
        future = ["from __future__ import annotations\n"] if own else []
        others = [line for line in self._texts.imports if not line.endswith(" as np")]
        imports = list(dict.fromkeys([*self._modules.values(), *more, *others]))
        texts = "".join(f"{text.rstrip()}\n\n\n" for text in (*self._helpers, *own))
        return "\n".join([*future, *imports]) + "\n\n\n" + texts

    @property
    def module(self) -> str:
        """The whole text, with the constants."""
        written = {name: self._literals.get(name) or literal(value) for name, value in self.constants.items()}
        written |= {name: written[name].replace("np.", "numpy.") for name in self._on_host}
        lines = "".join(f"{name} = {text}\n" for name, text in written.items())
        kernels = "".join(text.replace("{name}", name) + "\n\n" for text, name in self._kernels.items())
        head = self._head("import numba") if kernels and self.device is None else self.head
        return head + (lines and f"{lines}\n\n") + kernels + self.code

    @property
    def code(self) -> str:
        """The arrays that are kept between calls, and the function."""
        return self.buffers + self.function

    @property
    def kernels(self) -> dict[str, str]:
        """The texts of the kernels by their names; in a text, {name} stands for the name."""
        return {name: text for text, name in self._kernels.items()}

    def _lines(self, step: Step | Several) -> list[str]:
        self._here = self.device is not None and not is_there(step, self.kinds)
        if isinstance(step, Loop):
            return self._loop(step)
        if isinstance(step, Kernel):
            return self._kernel(step, {})
        self.lines[step.result] = [self._line(with_arrays(step, self.kinds) if self.device is None else step)]
        return [*self._comment(step), *self.lines[step.result]]

    def _comment(self, step: Step) -> list[str]:
        """A comment that says where a step comes from, if the step before came from elsewhere."""
        if not step.note or step.note == self._note:
            return []
        self._note = step.note
        return [f"# {step.note}"]

    def _loop(self, loop: Loop) -> list[str]:
        """A loop over blocks; with threads, it is a function of some of the blocks, which each thread calls."""
        lines, body = [], loop.body
        whole, several = {}, len(loop.scratch) > 1
        for number, place, into in zip(loop.results, loop.places, loop.into, strict=True):
            name = self.names[number] = f"v{number}"
            kind = self.kinds[number]
            made = f"np.empty({kind.shape}, {self.written(kind.dtype)})" if place is None else f"b{place}"
            made = made if into is None else self.names[into]
            if place is not None or into is not None:
                self.arrays[number] = made
            lines.append(f"{name} = {made}")
            whole[number] = f"{name}.reshape(-1)" if loop.flat and len(kind.shape) > 1 else name
        names = [f"t{k}" for k in range(len(body.buffers))]
        given = [f"b{b}" for b in loop.scratch[0]]
        indent = "    " * (1 + several)
        if several:
            lines.append(f"def share({', '.join(['starts', *names])}):")
        starts = "starts" if several else f"range(0, {loop.length}, {loop.size})"
        lines.append(f"{indent[4:]}for start in {starts}:  # blocks that a cache holds")
        lines.append(f"{indent}at = slice(start, min(start + {loop.size}, {loop.length}))")
        if names and (loop.length % loop.size or not several):
            sets = ", ".join(names if several else given) + "," * (len(names) == 1)
            listed = ", ".join(names) + "," * (len(names) == 1)
            lines.append(f"{indent}{listed} = (b[: at.stop - start] for b in ({sets}))")
        for (number, _), rows in zip(body.inputs, loop.rows, strict=True):
            name = self.names[number] = f"v{number}"
            flat = ".reshape(-1)" if loop.flat and len(self._shape(rows)) > 1 else ""
            lines.append(f"{indent}{name} = {self.written(rows)}{flat}[at]")
        outputs = {y.number: n for y, n in zip(body.outputs, loop.results, strict=True)}
        for step in body.steps:
            if isinstance(step, Kernel):
                leaving = {n: f"{whole[outputs[n]]}[at]" for n in step.results if n in outputs}
                lines += [f"{indent}{line}" for line in self._kernel(step, leaving, "t")]
                continue
            outer = outputs.get(step.result)
            own = self.lines[step.result] = self._in_block(step, loop, outer, whole)
            lines += [f"{indent}{line}" for line in (*self._comment(step), *own)]
        if several:
            sets = ", ".join("(" + "".join(f"b{b}, " for b in one) + ")" for one in loop.scratch)
            lines.append(f"{self.called(steps.shared)}(share, range(0, {loop.length}, {loop.size}), [{sets}])")
        return lines

    def _kernel(self, kernel: Kernel, given: dict[int, str], buffer: str = "b") -> list[str]:
        """A call of a kernel; `given` names the arrays that some results go into."""
        return self.writer.call(kernel, self) if self.writer else call(kernel, self, given, buffer)

    def element(self, value: Any) -> str:
        """A value as an argument of a kernel: an array of shape () is passed as its element."""
        known = self.kinds[value.number] if isinstance(value, Ref) else value
        whole = known.array if isinstance(value, Ref) else isinstance(value, np.ndarray)
        return self.written(value) + "[()]" * (whole and not known.shape)

    def named_kernel(self, text: str, name: str) -> str:
        """The name of a kernel: the one that its text already has, or a new one."""
        if text not in self._kernels:
            while name in self.names.values():
                name += "_"
            self._kernels[text] = name
        return self._kernels[text]

    def _in_block(self, step: Step, loop: Loop, outer: int | None, whole: dict[int, str]) -> list[str]:
        """A step of a loop's body; a result that is read after the loop goes into a block of the whole array."""
        if outer is None or step.into is not None:
            return [self._line(step, "t")]
        name = self.names[step.result] = f"v{step.result}"
        if outer in loop.ends:
            return [f"{name} = {whole[outer]}[start // {loop.size}] = {self._expression(step)}"]
        if writes_out(step) and step.function is not steps.as_type:
            return [f"{name} = {self._call(step, f'out={whole[outer]}[at]')}"]
        return [f"{name} = {whole[outer]}[at]", f"{name}[...] = {self._expression(step)}"]

    def _shape(self, value: Any) -> tuple[int, ...]:
        return self.kinds[value.number].shape if isinstance(value, Ref) else value.shape

    def _line(self, step: Step, place: str = "b") -> str:
        if step.effect and self.kinds[step.result].dtype is None:
            return self._expression(step)
        if step.into is not None or step.buffer is not None:
            array = self.arrays[step.result] = (
                self.array(Ref(step.into)) if step.into is not None else f"{place}{step.buffer}"
            )
            if short := self._over(step, array):
                return short
        name = self.names[step.result] = f"v{step.result}"
        if step.name:
            self._said[name] = step.name
        if step.into is not None:
            return f"{name} = {self._call(step, f'out={self.names[step.into]}')}"
        if step.buffer is None:
            return f"{name} = {self._expression(step)}"
        if step.function is steps.as_type:
            return f"{name} = {place}{step.buffer}; {name}[...] = {self.written(step.args[0])}"
        return f"{name} = {self._call(step, f'out={place}{step.buffer}')}"

    def _over(self, step: Step, array: str) -> str:
        """A step that overwrites an operand, as a statement such as `v1 += v2` or `v1[at] = v2`; "" for others."""
        written_at = step.function in (steps.with_placed, steps.with_added) and isinstance(step.args[0], Ref)
        if written_at and self.array(step.args[0]) == array:
            x, value, index = step.args
            name = self.names[step.result] = self.names[x.number]
            if step.function is steps.with_placed:
                return f"{name}[{indexed(index, self.written)}] = {self.written(value)}"
            return f"np.add.at({name}, {self.written(index)}, {self.written(value)})"
        if step.kwargs or step.function not in OVER:
            return ""
        left, right = step.args
        if isinstance(right, Ref) and self.array(right) == array and step.function in (np.add, np.multiply):
            left, right = right, left  # the result is the same, bit for bit
        if not isinstance(left, Ref) or self.array(left) != array:
            return ""
        name = self.names[left.number]
        if self._said.get(name, step.name) != step.name:
            return ""  # the user's name for this array means its present value
        if step.name:
            self._said[name] = step.name
        self.names[step.result] = name
        return f"{name} {OVER[step.function]} {self.written(right)}"

    def array(self, value: Ref) -> str:
        """The name of the array that holds a value."""
        return self.arrays.get(value.number, self.names[value.number])

    def _expression(self, step: Step) -> str:
        function, args, kwargs = step.function, step.args, step.kwargs
        if isinstance(function, Formula):
            if "math." in function.text:
                self._modules["math"] = "import math"
            return function.text.format(*map(self.written, args))
        if function is steps.part:
            return f"{self.written(args[0])}[{indexed(args[1], self.written)}]"
        if function is steps.as_type:
            return f"{self.written(args[0])}.astype({self.written(args[1])})"
        if function is steps.number:
            return f"{self._numpy}.asarray({self.written(args[0])})[()]"
        if function is steps.moved:
            return f"np.asarray({self.written(args[0])})"
        array = isinstance(args[0], Ref) and self.kinds[args[0].number].array if args else False
        if array and not kwargs and len(args) <= METHODS.get(function, 0):
            given = ", ".join(map(self.written, args[1:]))
            name = self.written(args[0])
            return f"{name}.T" if function is np.transpose and not given else f"{name}.{function.__name__}({given})"
        if function is operator.abs:
            return f"abs({self.written(args[0])})"
        if not kwargs and function in INFIX:
            left, right = map(self._operand, args)
            return f"{left} {INFIX[function]} {right}"
        if not kwargs and function in PREFIX:
            return f"{PREFIX[function]}{self._operand(args[0])}"
        return self._call(step)

    def _call(self, step: Step, *more: str) -> str:
        if is_looping(step.function):
            name = self.named_kernel(looping_text(step.function), f"{step.function.__name__}_in_loops")
            number = "" if self.kinds[step.result].array or self.kinds[step.result].dtype is None else "[()]"
            return f"{name}({', '.join(map(self.element, step.args))}){number}"
        given = [*map(self.written, step.args), *(f"{name}={self.written(v)}" for name, v in step.kwargs.items())]
        return f"{self.called(step.function)}({', '.join((*given, *more))})"

    def _operand(self, value: Any) -> str:
        text = self.written(value)
        return f"({text})" if text.startswith("-") else text

    def called(self, function: Callable[..., Any]) -> str:
        """The name of a function in a call; its module is added to the imports."""
        name = getattr(function, "__name__", "")
        if function is operator.abs:
            return "abs"
        if getattr(steps, name, None) is function:
            text = inspect.getsource(function).replace(": Any", "").replace(" -> Any", "")
            if self._here:
                name, text = (
                    f"{name}_here",
                    text.replace("np.", f"{self._numpy}.").replace(f"def {name}", f"def {name}_here"),
                )
            if text not in self._helpers:
                self._helpers.append(text)
            return name
        owner = getattr(function, "__self__", None)
        if isinstance(owner, np.ufunc):
            return f"{self.called(owner)}.{name}"
        for module in (np, np.linalg, np.fft, np.ma, *others(function)):
            if getattr(module, name, None) is function:
                place = module.__name__
                if place.split(".")[0] == "numpy":
                    if place not in ("numpy", "numpy.linalg", "numpy.fft"):
                        self._modules[place] = f"import {place}"
                    return f"{self._numpy}{place.removeprefix('numpy')}.{name}"
                self._modules[place] = f"import {place}"
                return f"{place}.{name}"
        return self._texts.name(function)

    @property
    def _numpy(self) -> str:
        """The prefix of NumPy's functions: the device's module, or NumPy's for a step on the host."""
        self._modules |= {"the host's": "import numpy"} if self._here else {}
        return "numpy" if self._here else "np"

    def moved(self) -> dict[str, Any]:
        """The constants by name, on the device or the host, where the program reads them."""
        return on_device(self.constants, self._on_host, self.device)

    def written(self, value: Any) -> str:  # noqa: C901  # a line for each kind of value
        """A value as Python writes it."""
        if isinstance(value, Ref):
            return self.names[value.number]
        if isinstance(value, np.ndarray):
            return self._constant(value)
        if isinstance(value, np.generic | float | complex) and not isinstance(value, np.bool_):
            return scalar(value)
        if isinstance(value, np.dtype):
            return f"np.dtype({value.str!r})"
        if isinstance(value, type):
            return f"np.{value.__name__}" if issubclass(value, np.generic) else value.__name__
        if isinstance(value, slice):
            return f"slice({self.written(value.start)}, {self.written(value.stop)}, {self.written(value.step)})"
        if isinstance(value, dict):
            return "{" + ", ".join(f"{k!r}: {self.written(v)}" for k, v in value.items()) + "}"
        if isinstance(value, tuple) and hasattr(value, "_fields") and not any(True for _ in refs(value)):
            return self._named(value)
        if isinstance(value, list | tuple):
            parts = ", ".join(map(self.written, value)) + "," * (isinstance(value, tuple) and len(value) == 1)
            return f"[{parts}]" if isinstance(value, list) else f"({parts})"
        if value is Ellipsis:
            return "..."
        if value is None or isinstance(value, bool | int | str | range):
            return repr(value)
        if isinstance(value, np.bool_):
            return f"np.bool_({bool(value)})"
        if callable(value):
            return self.called(value)
        raise TypeError(
            f"ad.compile met {value!r:.60}, which has no literal to be written by; pass arrays and numbers."
        )

    @property
    def originals(self) -> dict[str, Any]:
        """The functions themselves whose texts are in the head, by name."""
        return self._texts.originals

    def _named(self, value: Any) -> str:
        """The name of a named tuple, which is written once for all calls that take it."""
        kind = self._texts.name(type(value))
        text = f"{kind}({', '.join(map(self.written, value))})"
        name = next((n for n, known in self._literals.items() if known == text), None)
        if name is None:
            name = f"{kind.lower()}{len(self._literals)}"
            self._literals[name], self.constants[name] = text, value
        return name

    def _constant(self, value: np.ndarray[Any, Any]) -> str:
        key = value.shape, value.dtype.str, value.tobytes(), self._here
        name = self._known.get(key)
        if name is None:
            name = self._known[key] = constant_name(value, len(self._known))
            self.constants[name] = value
            if self._here:
                self._on_host.add(name)
        return name
