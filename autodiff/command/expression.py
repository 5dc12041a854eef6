"""The command line's expressions: parsed with a fixed list of functions and operators, never with `eval`.

A precedence parser (Dijkstra's shunting yard) turns the text into postfix steps, and a stack machine computes them.
Neither is recursive. Every step knows its part of the text, for the error messages.
"""

from __future__ import annotations

import difflib
import keyword
import math
import operator
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, Literal, NamedTuple, NoReturn

import numpy as np

from autodiff.engine.graph import Node
from autodiff.rules.activations import erf, erfc, gelu, relu, sigmoid, softplus

LONGEST: Final = 10_000  # characters
DEEPEST: Final = 100  # nested brackets and operators whose right-hand side is not complete
SHORT: Final = 3  # characters; a longer name before a bracket is read as a function, not as a factor

UNARY: Final[tuple[Callable[..., Any], ...]] = (
    *(np.exp, np.expm1, np.log, np.log1p, np.log2, np.log10, np.sqrt, np.square, np.reciprocal),
    *(np.sin, np.cos, np.tan, np.arcsin, np.arccos, np.arctan, np.sinh, np.cosh, np.tanh),
    *(np.cbrt, np.arcsinh, np.arccosh, np.arctanh),
    *(relu, sigmoid, softplus, gelu, erf, erfc),
)
FUNCTIONS: Final[dict[str, tuple[Callable[..., Any], int]]] = {f.__name__: (f, 1) for f in UNARY} | {
    "ln": (np.log, 1),
    "abs": (np.absolute, 1),
    "asin": (np.arcsin, 1),
    "acos": (np.arccos, 1),
    "atan": (np.arctan, 1),
    "atan2": (np.arctan2, 2),
    "arctan2": (np.arctan2, 2),
    "max": (np.maximum, 2),
    "maximum": (np.maximum, 2),
    "min": (np.minimum, 2),
    "minimum": (np.minimum, 2),
    "power": (np.power, 2),
    "hypot": (np.hypot, 2),
}
CONSTANTS: Final = {"pi": math.pi, "π": math.pi, "e": math.e}
BINARY: Final[dict[str, tuple[Callable[..., Any], int]]] = {
    "+": (operator.add, 1),
    "-": (operator.sub, 1),
    "*": (operator.mul, 2),
    "/": (operator.truediv, 2),
    "**": (operator.pow, 4),
}
SIGN: Final = 3  # the precedence of a sign: weaker than **, stronger than *
# Functions whose infinite result is a pole, not a number that is too large.
POLES: Final = frozenset({np.log, np.log2, np.log10, np.log1p, np.reciprocal, np.power, operator.truediv, operator.pow})
NAME: Final = "[A-Za-zΑ-Ωα-ω_][A-Za-zΑ-Ωα-ω_0-9]*"
NUMBER: Final = r"(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
TOKEN: Final = re.compile(rf"\s*(?:(?P<number>{NUMBER})|(?P<name>{NAME})|(?P<symbol>\*\*|//|[<>=!]=|\S))")
ALLOWED: Final = "there are numbers, variables, + - * / **, brackets, and functions such as log (--help lists them)"
INSTEAD: Final = {
    "^": "write ** for a power",
    "×": "write * for a product",
    "·": "write * for a product",
    "÷": "write / for a quotient",
    "//": "write / for a quotient",
    "%": "the operators are + - * / **",
    "−": "write a plain - for minus",
    "–": "write a plain - for minus",
    "=": "values come after the expression, as x1=2",
    "²": "write **2 for a square",
    "³": "write **3 for a cube",
    "√": "write sqrt(x) for a root",
    "!": "there is no factorial",
    "|": "write abs(x) for an absolute value",
    **dict.fromkeys("₀₁₂₃₄₅₆₇₈₉", "the digits of a name are plain, as in x1"),
    **dict.fromkeys(("<", ">", "<=", ">=", "==", "!=", "≤", "≥", "≠"), "there are no comparisons"),
}


class ExpressionError(ValueError):
    """An expression that cannot be read or computed; the message is one line that says what is wrong and where."""


class Step(NamedTuple):
    """One step of the postfix form: put a number or a variable on the stack, or apply a function to its top."""

    kind: Literal["number", "variable", "apply"]
    name: str
    start: int  # the place of the sub-expression in the text
    stop: int
    number: float = 0.0
    function: Callable[..., Any] = operator.pos
    arity: int = 0


class _Waiting(NamedTuple):
    """An operator or an open bracket whose right-hand side is not complete."""

    kind: Literal["binary", "sign", "bracket", "call"]
    name: str
    start: int
    precedence: int = 0
    arguments: int = 1


class Expression:
    """A formula in the variables `variables` (in the order they occur), ready to be computed."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.steps = _Parser(source).steps()
        self.variables = list(dict.fromkeys(s.name for s in self.steps if s.kind == "variable"))

    def __call__(self, values: Mapping[str, Any]) -> Any:
        """The value at `values`, Tensors or numbers. Raises ExpressionError where an operation is undefined."""
        stack: list[tuple[Any, Step]] = []
        with np.errstate(all="ignore"):
            for step in self.steps:
                value: Any
                if step.kind == "number":
                    value = np.float64(step.number)
                elif step.kind == "variable":
                    value = values[step.name]
                else:
                    operands = stack[-step.arity :]
                    del stack[-step.arity :]
                    value = step.function(*(operand for operand, _ in operands))
                    if not math.isfinite(_plain(value)):
                        raise self._without_value(step, operands, _plain(value))
                    if step.function in (operator.pow, np.power):
                        self._check_power(step, operands)
                stack.append((value, step))
        return stack[0][0]

    def _without_value(self, step: Step, operands: list[tuple[Any, Step]], result: float) -> ExpressionError:
        numbers = [_plain(value) for value, _ in operands]
        shown = [self._shown(origin, value) for (_, origin), value in zip(operands, numbers, strict=True)]
        everything = " and ".join(shown)
        if math.isinf(result) and not (step.function in POLES and 0 in (numbers[0], numbers[-1], 1 + numbers[0])):
            gives = "gives" if len(shown) == 1 else "give"
            why = f"{everything} {gives} a result too large for a floating-point number"
        elif step.function in (operator.truediv, np.reciprocal):
            cause = "" if operands[-1][1].kind == "number" else f", as {shown[-1]}"
            why = f"division by zero{cause}"
        elif step.function in (operator.pow, np.power):
            why = f"{shown[0]} is outside the domain of the power {numbers[1]:.6g}"
        else:
            why = f"{everything} {'is' if len(shown) == 1 else 'are'} outside the domain of {step.name}"
        return ExpressionError(f"{excerpt(self.source[step.start : step.stop])}: {why}")

    def _check_power(self, step: Step, operands: list[tuple[Any, Step]]) -> None:
        """Raise ExpressionError for 0**p at p = 0: it jumps there, and has no derivative with respect to p."""
        (base, _), (exponent, _) = operands
        if isinstance(exponent, Node) and _plain(base) == 0 and _plain(exponent) == 0:
            shown = [self._shown(origin, 0.0) for _, origin in operands]
            part = excerpt(self.source[step.start : step.stop])
            why = f"{shown[0]} to the power {shown[1]} has no derivative with respect to the exponent"
            raise ExpressionError(f"{part}: {why}")

    def _shown(self, step: Step, value: float) -> str:
        text = excerpt(self.source[step.start : step.stop])
        return text if text == f"{value:.6g}" else f"{text} = {value:.6g}"


def _plain(value: Any) -> float:
    return float(value.primal if isinstance(value, Node) else value)


def excerpt(text: str, longest: int = 60) -> str:
    """A piece of the user's text for a one-line message: control characters are escaped, the middle is left out."""
    text = " ".join(text.split())
    if len(text) > longest:
        text = f"{text[: longest // 2]} … {text[-longest // 2 :]}"
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def near(name: str, known: Iterable[str]) -> str:
    """`; did you mean ...?`, or an empty text if no known name is close."""
    found = difflib.get_close_matches(name, list(known), n=2, cutoff=0.5) if len(name) > 1 else []
    return f"; did you mean {' or '.join(found)}?" if found else ""


class _Parser:
    """The shunting yard: operators wait on one stack, finished sub-expressions are the postfix steps so far."""

    def __init__(self, source: str) -> None:
        if len(source) > LONGEST:
            raise ExpressionError(f"the expression has {len(source):,} characters; at most {LONGEST:,} are read")
        if not source.strip():
            raise ExpressionError('the expression is empty; an example is "log(x1) + x1*x2 - sin(x2)"')
        self.source = source
        self.tokens = list(TOKEN.finditer(source.rstrip()))
        self.done: list[Step] = []
        # The places in the text of the finished sub-expressions that are not used yet, brackets included.
        self.parts: list[tuple[int, int]] = []
        self.waiting: list[_Waiting] = []

    def steps(self) -> list[Step]:
        """The postfix form of the whole text. Raises ExpressionError if the text is no expression."""
        operand_next = True
        place = 0
        while place < len(self.tokens):
            token = self.tokens[place]
            kind = token.lastgroup or ""
            text, start = token[kind], token.start(kind)
            if token.lastgroup == "symbol" and text not in {*BINARY, "(", ")", ","}:
                if place:
                    self._refuse_word(self.tokens[place - 1]["name"], self.tokens[place - 1].start("name"))
                quoted = f'"{text}"' if text == "'" else f"'{excerpt(text)}'"
                self._fail(start, f"{quoted} is not allowed; {INSTEAD.get(text, ALLOWED)}")
            if operand_next:
                follows = self.tokens[place + 1]["symbol"] if place + 1 < len(self.tokens) else None
                operand_next, used = self._operand(token, text, start, follows)
                place += used
            else:
                operand_next = self._after_operand(token, text, start)
                place += 1
            if len(self.waiting) > DEEPEST:
                self._fail(start, f"brackets and operators are nested deeper than {DEEPEST}")
        if operand_next:
            self._fail(len(self.source.rstrip()), "the expression ends where a number, a variable or ( should follow")
        self._reduce(0)
        if self.waiting:
            self._fail(self.waiting[-1].start, "this ( is never closed")
        return self.done

    def _operand(self, token: re.Match[str], text: str, start: int, follows: str | None) -> tuple[bool, int]:
        """Read a token where an operand begins. Returns whether the operand still follows, and the tokens read."""
        if token.lastgroup == "number":
            self._put("number", text, start, float(text))
            return False, 1
        if token.lastgroup == "name" and follows == "(":
            if text not in FUNCTIONS:
                self._refuse_word(text, start)
                product = f"; for a product write {text}*(...)" if len(text) <= SHORT else ""
                hint = near(text, FUNCTIONS) or product or "; --help lists the functions"
                self._fail(start, f"{excerpt(text)} is not a function{hint}")
            self.waiting.append(_Waiting("call", text, start))
            return True, 2
        if token.lastgroup == "name":
            if text in FUNCTIONS:
                self._fail(start, f"{text} is a function; write its argument in brackets, {text}(x)")
            self._put("number" if text in CONSTANTS else "variable", text, start, CONSTANTS.get(text, 0.0))
            return False, 1
        if text in "+-":
            self.waiting.append(_Waiting("sign", text, start, SIGN))
        elif text == "(":
            self.waiting.append(_Waiting("bracket", text, start))
        elif text == ")" and self.waiting and self.waiting[-1].kind == "call":
            self._fail(start, f"{self.waiting[-1].name}(...) lacks an argument")
        else:
            self._fail(start, f"a number, a variable or ( should stand before this {text}")
        return True, 1

    def _after_operand(self, token: re.Match[str], text: str, start: int) -> bool:
        """Read a token that follows an operand. Returns whether another operand must follow."""
        if token.lastgroup != "symbol" or text == "(":
            first, stop = self.parts[-1]
            self._refuse_word(self.source[first:stop], first)
            self._refuse_word(text, start)
            before, after = excerpt(self.source[first:stop], 20), "(...)" if text == "(" else excerpt(text, 20)
            self._fail(start, f"an operator is missing; for a product write {before}*{after}")
        if text in BINARY:
            _, precedence = BINARY[text]
            self._reduce(precedence + (text == "**"))  # ** groups to the right
            self.waiting.append(_Waiting("binary", text, start, precedence))
            return True
        self._reduce(0)
        if text == ",":
            if not self.waiting or self.waiting[-1].kind != "call":
                self._fail(start, "a comma separates the arguments of a function, and this one is in none")
            call = self.waiting.pop()
            self.waiting.append(call._replace(arguments=call.arguments + 1))
            return True
        if not self.waiting:
            self._fail(start, "this ) closes nothing")
        self._close(self.waiting.pop(), start + 1)
        return False

    def _close(self, opened: _Waiting, stop: int) -> None:
        if opened.kind == "bracket":
            self.parts[-1] = opened.start, stop
            return
        function, arity = FUNCTIONS[opened.name]
        if opened.arguments != arity:
            text = excerpt(self.source[opened.start : stop])
            plural = "s" * (arity > 1)
            self._fail(opened.start, f"{text}: {opened.name} takes {arity} argument{plural}, not {opened.arguments}")
        self._apply(opened.name, function, arity, opened.start, stop)

    def _reduce(self, precedence: int) -> None:
        """Apply the waiting operators, down to a bracket, that bind at least as strongly as `precedence`."""
        while self.waiting and self.waiting[-1].precedence >= max(precedence, 1):
            ready = self.waiting.pop()
            if ready.kind == "binary":
                left, right = self.parts[-2:]
                self._apply(ready.name, BINARY[ready.name][0], 2, left[0], right[1])
            elif ready.name == "-":
                self._apply("-", operator.neg, 1, ready.start, self.parts[-1][1])

    def _apply(self, name: str, function: Callable[..., Any], arity: int, start: int, stop: int) -> None:
        self.parts[-arity:] = [(start, stop)]
        self.done.append(Step("apply", name, start, stop, function=function, arity=arity))

    def _put(self, kind: Literal["number", "variable"], text: str, start: int, number: float) -> None:
        if math.isinf(number):
            self._fail(start, f"{excerpt(text)} is too large for a floating-point number")
        self.parts.append((start, start + len(text)))
        self.done.append(Step(kind, text, start, start + len(text), number))

    def _refuse_word(self, text: str | None, start: int) -> None:
        """Raise ExpressionError for a Python keyword where it cannot be a variable."""
        if text is not None and keyword.iskeyword(text):
            self._fail(start, f"{text} is not part of the language; {ALLOWED}")

    def _fail(self, start: int, why: str) -> NoReturn:
        raise ExpressionError(f"column {start + 1}: {why}")
