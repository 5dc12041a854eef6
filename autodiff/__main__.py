"""The command line: `python -m autodiff "log(x1) + x1*x2 - sin(x2)" x1=2 x2=5`."""

from __future__ import annotations

import argparse
import os
import re
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NoReturn

import numpy as np

from autodiff.expression import CONSTANTS, FUNCTIONS, NAME, Expression, ExpressionError, excerpt, near
from autodiff.formula import plain
from autodiff.picture import draw
from autodiff.tensor import Tensor
from autodiff.evaluation import trace

SUFFIXES: Final = (".svg", ".dot", ".txt", ".tex")
# What begins with a minus sign and is an option; anything else is an expression such as -x1**2.
OPTION: Final = re.compile(r"-(h|o.*|-([a-z][a-z-]*(=.*)?)?)?", re.DOTALL)


class _OneLine(argparse.ArgumentParser):
    """An argument parser whose errors are one line, `autodiff: ...`, with exit status 2."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"autodiff: {excerpt(message, 300)}\n")


def _parser() -> argparse.ArgumentParser:
    parser = _OneLine(
        prog="autodiff",
        usage='python -m autodiff "EXPRESSION" NAME=VALUE ... [-o FILE]',
        description="Print the evaluation trace of an expression, its values forward and its adjoints in "
        "reverse, and its gradient.",
        epilog='example: python -m autodiff "log(x1) + x1*x2 - sin(x2)" x1=2 x2=5 -o trace.svg\n\n'
        "An expression is made of numbers, variables, + - * / **, brackets, pi, e and the functions\n"
        + textwrap.fill(", ".join(sorted(FUNCTIONS)), 76, initial_indent="  ", subsequent_indent="  "),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "expression", metavar="EXPRESSION", nargs="?", help='such as "log(x1) + x1*x2 - sin(x2)", in quotes'
    )
    parser.add_argument(
        "assignments",
        metavar="NAME=VALUE",
        nargs="*",
        help="a value for every variable, such as x1=2 or x2=pi/4; their order is that of the inputs",
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        help="also write the picture (.svg, .dot) or the table (.txt, .tex) to FILE",
    )
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; the exit status is 0, or 2 for input that is refused."""
    arguments = _parser().parse_intermixed_args(_protected(sys.argv[1:] if argv is None else list(argv)))
    try:
        output = _writable(arguments.output)
        y, inputs = evaluate(arguments.expression, arguments.assignments)
        with np.errstate(all="ignore"):
            report = _report(y, inputs)
            if output is not None:
                output.write_text(_rendered(y, report, output.suffix.lower()), encoding="utf-8", newline="\n")
    except OSError as error:
        return _refused(f"{excerpt(arguments.output)}: {error.strerror or error}")
    except ValueError as error:  # an ExpressionError, or a graph too large to draw
        return _refused(excerpt(str(error), 500))
    return _printed(report)


def _protected(argv: list[str]) -> list[str]:
    """The arguments, with a space before an expression that begins with a minus sign: it is no option."""
    pairs = zip(argv, ["", *argv], strict=False)
    return [
        f" {a}" if a.startswith("-") and not OPTION.fullmatch(a) and before not in ("-o", "--output") else a
        for a, before in pairs
    ]


def evaluate(expression: str | None, assignments: Sequence[str]) -> tuple[Tensor, list[Tensor]]:
    """The result of an expression and its inputs, in the order of the assignments (`name=value`).

    Raises ExpressionError, one line that says what and where, for anything it cannot compute.
    """
    if expression is None:
        raise ExpressionError('an expression is missing; an example is "log(x1) + x1*x2 - sin(x2)" x1=2 x2=5')
    if re.fullmatch(rf"\s*{NAME}\s*=[^=]*", expression):
        raise ExpressionError(f"{excerpt(expression)} stands where the expression should; the expression comes first")
    parsed = Expression(expression[1:] if expression.startswith(" -") else expression)  # see _protected
    inputs: dict[str, Tensor] = {}
    for assignment in assignments:
        name, value = _assigned(assignment)
        if name in inputs:
            raise ExpressionError(f"{name} is given two values, {inputs[name].item():.6g} and {value:.6g}; give one")
        inputs[name] = Tensor(value, name=name)
    unused = [name for name in inputs if name not in parsed.variables]
    for name in parsed.variables:
        if name not in inputs:
            given = f" (given: {', '.join(inputs)})" if inputs else ""
            hint = near(name, unused) or near(name, [*CONSTANTS, *FUNCTIONS]) if len(name) > 1 or unused else ""
            raise ExpressionError(f"{excerpt(name)} has no value; add {excerpt(name)}=NUMBER{given}{hint}")
    if unused:
        raise ExpressionError(f"{excerpt(unused[0])} is given a value, but does not occur in the expression")
    y = parsed(inputs)
    if not isinstance(y, Tensor):
        raise ExpressionError(f"{excerpt(expression)} has no variable to differentiate with respect to")
    return y, list(inputs.values())


def _assigned(assignment: str) -> tuple[str, float]:
    name, equals, text = (part.strip() for part in assignment.partition("="))
    if not equals:
        raise ExpressionError(
            f"{excerpt(assignment)} is not NAME=VALUE, such as x1=2 (quote an expression with spaces)"
        )
    if not re.fullmatch(NAME, name):
        raise ExpressionError(f"{excerpt(assignment)}: {excerpt(name)!r} is not a name for a variable")
    if name in FUNCTIONS or name in CONSTANTS:
        what = "function" if name in FUNCTIONS else "constant"
        raise ExpressionError(f"{excerpt(assignment)}: {name} is a {what}; give the variable another name")
    try:
        value = Expression(text)({})
    except (ExpressionError, KeyError):
        raise ExpressionError(f"{excerpt(assignment)}: {excerpt(text)!r} is not a number") from None
    return name, float(value)


def _writable(output: str | None) -> Path | None:
    """The file asked for, if it can be written at all: said before anything is computed."""
    if output is None:
        return None
    path = Path(output)
    if path.suffix.lower() not in SUFFIXES:
        suffix = f"the suffix {path.suffix}" if path.suffix else "no suffix"
        raise ExpressionError(f"{excerpt(output)} has {excerpt(suffix)}; -o writes {', '.join(SUFFIXES)}")
    if not path.parent.is_dir():
        raise ExpressionError(f"{excerpt(output)}: the directory {excerpt(str(path.parent))} does not exist")
    return path


def _report(y: Tensor, inputs: Sequence[Tensor]) -> str:
    table, adjoints = trace(y), y.adjoints()
    name = plain(table.symbol)
    lines = [f"∂{name}/∂{x.name} = {float(adjoints.get(x, np.float64(0)))!r}" for x in inputs]
    return "\n".join([str(table), "", f"{name} = {y.item()!r}", *lines])


def _rendered(y: Tensor, report: str, suffix: str) -> str:
    if suffix == ".svg":
        return draw(y).svg
    if suffix == ".dot":
        return str(draw(y).to_dot().source)
    if suffix == ".tex":
        return f"% needs \\usepackage{{amsmath}}\n\\[\n{trace(y).latex}\n\\]\n"
    return f"{report}\n"


def _refused(message: str) -> int:
    print(f"autodiff: {message}", file=sys.stderr)
    return 2


def _printed(report: str) -> int:
    if hasattr(sys.stdout, "reconfigure"):  # a console or a pipe that is not UTF-8 could not hold the table
        sys.stdout.reconfigure(encoding="utf-8")
    try:
        print(report, flush=True)
    except BrokenPipeError:  # the reader, such as head, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


if __name__ == "__main__":
    sys.exit(main())
