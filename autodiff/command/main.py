"""The command line: `python -m autodiff "log(x1) + x1*x2 - sin(x2)" x1=2 x2=5`, and `draw FILE.py:NAME -o FILE`."""

from __future__ import annotations

import argparse
import inspect
import os
import re
import runpy
import sys
import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, NoReturn, get_args

import numpy as np

from autodiff import __version__
from autodiff.arrays.tensor import Tensor
from autodiff.command.expression import CONSTANTS, FUNCTIONS, NAME, SHORT, Expression, ExpressionError, excerpt, near
from autodiff.notation.formula import plain
from autodiff.notation.trace import trace
from autodiff.picture import FORMATS, Picture, draw, steps
from autodiff.picture.drawing.pen import Theme
from autodiff.picture.drawing.plan import Direction
from autodiff.picture.exports.raster import SUFFIXES as RASTER
from autodiff.picture.exports.raster import converted

DRAWN: Final = (*FORMATS, *RASTER)
SUFFIXES: Final = (*DRAWN, ".tex")
STEPS: Final = "write the page that plays the computation step by step; FILE ends in .html"
# The options; any other argument that begins with a minus sign is an expression, such as -x1**2.
OPTION: Final = re.compile(r"-(h|o.*|-([a-z][a-z-]*(=.*)?)?)?", re.DOTALL)


class _OneLine(argparse.ArgumentParser):
    """An argument parser whose errors are one line, `autodiff: ...`, with exit status 2."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"autodiff: {excerpt(message, 300)}\n")

    def print_help(self, file: Any = None) -> None:
        """Print the help, or exit with the status of a failed output."""
        if status := _printed(self.format_help().rstrip("\n")):
            self.exit(status)


class _Once(argparse.Action):
    """An option that may be given only once."""

    def __call__(self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, *given: Any) -> None:
        value, option = given
        if (earlier := getattr(namespace, self.dest)) is not None:
            parser.error(f"{option} is given two files, {excerpt(earlier)} and {excerpt(value)}; give one")
        setattr(namespace, self.dest, value)


def _parser() -> argparse.ArgumentParser:
    parser = _OneLine(
        prog="autodiff",
        usage='python -m autodiff "EXPRESSION" NAME=VALUE ... [-o FILE] [--steps]\n'
        "       python -m autodiff draw FILE.py:NAME -o FILE [OPTION ...]   (draw --help lists them)",
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
        action=_Once,
        help="also write to FILE: the picture (.svg, and with the extra png .png and .pdf), the page where it opens "
        "and zooms (.html), the graph for Graphviz (.dot), Mermaid (.mmd) or other programs (.json), or the table "
        "(.txt, .tex)",
    )
    parser.add_argument("--steps", action="store_true", help=STEPS)
    parser.add_argument("--version", action="store_true", help="print the version and stop")
    return parser


def _draw_parser() -> argparse.ArgumentParser:
    parser = _OneLine(
        prog="autodiff draw",
        usage="python -m autodiff draw FILE.py:NAME -o FILE [--steps] [--depth N] [--max-cards N]\n"
        "                                                     [--direction LR|TB] [--theme auto|light|dark]",
        description="Draw a graph that a Python file builds. The file is run, as python FILE.py would run it but not "
        "as __main__: draw only files that you would run.",
        epilog="NAME is a Tensor of the file, or a function of its that takes no arguments and returns one.",
    )
    parser.add_argument("target", metavar="FILE.py:NAME", help="the file to run, and the name in it to draw")
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        action=_Once,
        required=True,
        help=f"the file to write, by its suffix: {', '.join(DRAWN)} (.html is a page where folded cards open; "
        ".png and .pdf need the extra png)",
    )
    parser.add_argument("--steps", action="store_true", help=STEPS)
    parser.add_argument("--depth", type=int, metavar="N", help="how many levels of scopes are open boxes")
    parser.add_argument("--max-cards", type=int, default=60, metavar="N", help="how many cards there are at most")
    parser.add_argument(
        "--direction",
        choices=get_args(Direction),
        help="left to right, or top to bottom; without it, what is better to read",
    )
    parser.add_argument("--theme", choices=get_args(Theme), default="auto", help="auto follows the reader's mode")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line. The exit status is 0, or 2 for wrong input and for output that fails."""
    argv = sys.argv[1:] if argv is None else list(argv)
    if argv[:1] == ["draw"] and (len(argv) == 1 or "=" not in argv[1]):  # draw x=2 would be an expression
        return _draw(argv[1:])
    arguments = _parser().parse_intermixed_args(_protected(argv))
    if arguments.version:
        return _printed(f"autodiff {__version__}")
    try:
        _check_steps(arguments.steps, arguments.output)
        output = None if arguments.output is None else _writable(arguments.output, SUFFIXES)
        y, inputs = evaluate(arguments.expression, arguments.assignments)
        with np.errstate(all="ignore"):
            report = _report(y, inputs)
            if output is not None:
                _write(output, _rendered(y, report, output.suffix.lower(), arguments.steps))
    except OSError as error:
        return _refused(f"{excerpt(arguments.output)}: {error.strerror or error}")
    except (ValueError, RuntimeError) as error:  # an ExpressionError, a graph too large to draw, a missing extra
        return _refused(excerpt(str(error), 500))
    return _printed(report)


def _protected(argv: list[str]) -> list[str]:
    """The arguments, with a space before an expression that begins with a minus sign, so that it is no option."""
    pairs = zip(argv, ["", *argv], strict=False)
    return [
        f" {a}" if a.startswith("-") and not OPTION.fullmatch(a) and before not in ("-o", "--output") else a
        for a, before in pairs
    ]


def evaluate(expression: str | None, assignments: Sequence[str]) -> tuple[Tensor, list[Tensor]]:
    """The result of an expression and its inputs, in the order of the assignments (`name=value`).

    Raises ExpressionError, a line that says what is wrong and where, for anything it cannot compute.
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
    if missing := [name for name in parsed.variables if name not in inputs]:
        given = f" (given: {', '.join(inputs)})" if inputs else ""
        (name, *others), listed = missing, ", ".join(map(excerpt, missing))
        hint = near(name, unused) or (near(name, [*CONSTANTS, *FUNCTIONS]) if len(name) > SHORT else "")
        add = " ".join(f"{excerpt(each)}=NUMBER" for each in missing)
        raise ExpressionError(f"{listed} {'have' if others else 'has'} no value; add {add}{given}{hint}")
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
    return name, _number(text, excerpt(assignment))


def _number(text: str, assignment: str) -> float:
    """The value of a constant expression."""
    if text.lstrip("+-").lower() in ("nan", "inf", "infinity"):
        raise ExpressionError(f"{assignment}: {text} is not finite")
    try:
        parsed = Expression(text)
    except ExpressionError as error:
        large = "too large for" in str(error)
        why = "too large for a floating-point number" if large else f"{excerpt(text)!r} is not a number"
        raise ExpressionError(f"{assignment}: {why}") from None
    if parsed.variables:
        raise ExpressionError(f"{assignment}: {excerpt(text)!r} is not a number")
    try:
        return float(parsed({}))
    except ExpressionError as error:
        raise ExpressionError(f"{assignment}: {str(error).removeprefix(f'{excerpt(text)}: ')}") from None


def _writable(output: str, suffixes: Sequence[str]) -> Path:
    """The path of the output file. Raises ExpressionError, before anything is computed, if it cannot be written."""
    if not output.strip():
        raise ExpressionError("-o is given an empty name; -o writes " + ", ".join(suffixes))
    path = Path(output)
    if path.suffix.lower() not in suffixes:
        suffix = f"the suffix {path.suffix}" if path.suffix else "no suffix"
        raise ExpressionError(f"{excerpt(output)} has {excerpt(suffix)}; -o writes {', '.join(suffixes)}")
    if not path.parent.is_dir():
        raise ExpressionError(f"{excerpt(output)}: the directory {excerpt(str(path.parent))} does not exist")
    return path


def _report(y: Tensor, inputs: Sequence[Tensor]) -> str:
    table, adjoints = trace(y), y.adjoints()
    name = plain(table.symbol)
    lines = [f"∂{name}/∂{x.name} = {float(adjoints.get(x, np.float64(0)))!r}" for x in inputs]
    return "\n".join([str(table), "", f"{name} = {y.item()!r}", *lines])


def _check_steps(stepped: bool, output: str | None) -> None:
    """Refuse --steps without a page to write."""
    if stepped and Path(output or "").suffix.lower() != ".html":
        given = "no -o" if output is None else f"-o {excerpt(output)}"
        raise ExpressionError(f"--steps is given with {given}; it writes a page, such as -o steps.html")


def _rendered(y: Tensor, report: str, suffix: str, stepped: bool) -> str | bytes:
    if suffix == ".tex":
        return f"% needs \\usepackage{{amsmath}}\n\\[\n{trace(y).latex}\n\\]\n"
    if suffix == ".txt":
        return f"{report}\n"
    return _drawn(y, suffix, stepped)


def _drawn(y: Tensor, suffix: str, stepped: bool, theme: Theme = "auto", **options: Any) -> str | bytes:
    """A result in the format of a suffix, or the page that plays the computation step by step."""
    if stepped:
        return steps(y, **options).html
    picture: Picture = draw(y, theme=theme, **options)
    return converted(picture.svg, suffix) if suffix in RASTER else FORMATS[suffix](picture)


def _draw(argv: list[str]) -> int:
    """Draw the graph that a user's file builds. Errors raised by the file are shown as Python shows them."""
    arguments = _draw_parser().parse_args(argv)
    try:
        _check_steps(arguments.steps, arguments.output)
        output = _writable(arguments.output, DRAWN)
        y = _built(arguments.target)
        with np.errstate(all="ignore"):
            options = {name: getattr(arguments, name) for name in ("depth", "max_cards", "direction", "theme")}
            made = _drawn(y, output.suffix.lower(), arguments.steps, **options)
        _write(output, made)
    except OSError as error:
        return _refused(f"{excerpt(str(error.filename or arguments.output))}: {error.strerror or error}")
    except (ValueError, RuntimeError) as error:
        return _refused(excerpt(str(error), 500))
    return 0


def _built(target: str) -> Tensor:
    """The Tensor that a file has under a name, or that its function of that name returns."""
    file, colon, name = target.rpartition(":")
    if not colon or not name.isidentifier():
        raise ExpressionError(f"{excerpt(target)} is not FILE.py:NAME, such as model.py:loss")
    path = Path(file)
    if not path.is_file():
        raise ExpressionError(f"{excerpt(file)}: there is no such file")
    sys.path.insert(0, str(path.resolve().parent))  # it may import modules of its directory, as when Python runs it
    names = runpy.run_path(str(path))
    if name not in names:
        raise ExpressionError(f"{excerpt(file)} has no {excerpt(name)}{near(name, [n for n in names if n[0] != '_'])}")
    result = names[name]
    if callable(result) and not isinstance(result, Tensor):
        result = _called(result, excerpt(name), excerpt(file))
    if not isinstance(result, Tensor):
        received = type(result).__name__
        raise ExpressionError(f"{excerpt(name)} is {received}; name a Tensor, or a function that returns one")
    return result


def _called(function: Callable[[], Any], name: str, file: str) -> Any:
    """The result of a function without arguments. Raises ExpressionError for a function or model that needs some."""
    try:
        inspect.signature(getattr(function, "forward", function)).bind()  # a model takes the arguments of its forward
    except (TypeError, ValueError):
        what = "a function" if inspect.isroutine(function) else f"a {type(function).__name__}"
        raise ExpressionError(
            f"{name} is {what} that is called with arguments; a graph has values. Add to {file} a line such as "
            f"y = {name}(...) of an example, and draw {file}:y"
        ) from None
    return function()


def _write(output: Path, made: str | bytes) -> None:
    output.write_bytes(made.encode() if isinstance(made, str) else made)
    print(f"autodiff: wrote {output}", file=sys.stderr)


def _refused(message: str) -> int:
    print(f"autodiff: {message}", file=sys.stderr)
    return 2


def _printed(report: str) -> int:
    if sys.stdout is None:
        return _refused("there is no output to print to; it is closed")
    if hasattr(sys.stdout, "reconfigure"):  # a console or a pipe that is not UTF-8 could not hold the table
        sys.stdout.reconfigure(encoding="utf-8")
    try:
        print(report, flush=True)
    except OSError as error:
        # Buffered output would fail again when the interpreter exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):  # a reader such as head has closed the pipe, which is no error
            return _refused(f"the output cannot be printed: {error.strerror or error}")
    return 0
