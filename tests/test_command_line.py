"""The command line: what it prints and writes, and one line on stderr for everything it refuses."""

from __future__ import annotations

import math
import os
import runpy
import subprocess
import sys
import textwrap
import types
from pathlib import Path
from xml.etree import ElementTree as ET

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

import autodiff as ad
from autodiff.command.expression import FUNCTIONS, LONGEST, Expression, ExpressionError
from autodiff.command.main import evaluate, main
from autodiff.notation.trace import trace

EMBLEM = ["log(x1) + x1*x2 - sin(x2)", "x1=2", "x2=5"]


def run(capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[int, str, str]:
    """Exit status, output and errors of a call in this process."""
    try:
        status = main(argv)
    except SystemExit as stopped:  # argparse
        status = int(stopped.code or 0)
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def refused(capsys: pytest.CaptureFixture[str], *argv: str) -> str:
    """The one line that refuses a call."""
    status, out, err = run(capsys, *argv)
    assert status == 2
    assert out == ""
    assert err.startswith("autodiff: ")
    assert err.endswith("\n")
    assert err.count("\n") == 1
    assert all(c.isprintable() for c in err[:-1])
    assert len(err) < 600
    return err[len("autodiff: ") : -1]


def program(*argv: str, **options: object) -> subprocess.CompletedProcess[str]:
    root = Path(ad.__file__).parents[1]
    environment = os.environ | {"PYTHONPATH": str(root), "PYTHONWARNINGS": "error"} | options.pop("env", {})  # type: ignore[operator]
    return subprocess.run(  # type: ignore[call-overload,no-any-return]
        [sys.executable, "-m", "autodiff", *argv],
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        env=environment,
        check=False,
        **options,
    )


def test_the_emblem_prints_the_table_and_the_gradient_at_full_precision(tmp_path):
    done = program(*EMBLEM, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    x1, x2 = ad.Tensor(2.0, name="x1"), ad.Tensor(5.0, name="x2")
    table = str(trace(np.log(x1) + x1 * x2 - np.sin(x2)))
    expected = f"{table}\n\ny = 11.652071455223084\n∂y/∂x1 = 5.5\n∂y/∂x2 = 1.7163378145367738\n"
    assert done.stdout == expected
    assert list(tmp_path.iterdir()) == [], "nothing is written unless asked for"


def test_the_program_refuses_with_one_line_and_status_2(tmp_path):
    done = program("__import__('os').mkdir('made')", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("autodiff: column 1: __import__ is not a function")
    assert done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_terminal_without_unicode_is_no_reason_to_fail(tmp_path):
    done = program(*EMBLEM, cwd=tmp_path, env={"PYTHONIOENCODING": "ascii"})
    assert done.returncode == 0
    assert "v̄₋₁" in done.stdout


def test_a_reader_that_stops_early_is_no_reason_for_a_traceback():
    script = f"{sys.executable} -m autodiff 'sin(x)' x=1 | true"
    done = subprocess.run(  # noqa: S602 - a pipe of our own
        script, shell=True, capture_output=True, text=True, check=False, cwd=Path(ad.__file__).parents[1]
    )
    assert done.stderr == ""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no file that is always full")
@pytest.mark.parametrize("arguments", [["x", "x=1"], ["--help"], ["--version"]])
def test_output_that_cannot_be_printed_is_one_line(arguments):
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "autodiff", *arguments],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            cwd=Path(ad.__file__).parents[1],
        )
    assert done.returncode == 2
    assert done.stderr == "autodiff: the output cannot be printed: No space left on device\n"


def test_a_closed_output_is_not_success(capsys, monkeypatch):
    monkeypatch.setattr("sys.stdout", None)
    assert main(["x", "x=1"]) == 2
    monkeypatch.undo()
    assert capsys.readouterr().err == "autodiff: there is no output to print to; it is closed\n"


def test_version(capsys):
    assert run(capsys, "--version") == (0, f"autodiff {ad.__version__}\n", "")


def test_names_that_look_like_symbols_or_each_other_are_written_as_they_are(capsys):
    _, out, _ = run(capsys, "v1*x_1 + x1*x2", "v1=1", "x_1=2", "x1=3", "x2=4")
    lines = out.splitlines()
    assert [line.split("│")[0].strip() for line in lines[2:6]] == ["v₋₃ = v1", "v₋₂ = x_1", "v₋₁ = x1", "v₀ = x₂"]


def test_help(capsys):
    status, out, err = run(capsys, "--help")
    assert (status, err) == (0, "")
    assert all(name in out for name in FUNCTIONS)
    assert "-o FILE" in out
    assert "log(x1) + x1*x2 - sin(x2)" in out


@pytest.mark.parametrize("suffix", [".svg", ".dot", ".txt", ".tex"])
def test_output_writes_what_was_asked_for_and_nothing_else(capsys, tmp_path, monkeypatch, suffix):
    monkeypatch.chdir(tmp_path)
    status, out, _ = run(capsys, *EMBLEM, "-o", f"trace{suffix}")
    assert status == 0
    assert [p.name for p in tmp_path.iterdir()] == [f"trace{suffix}"]
    text = (tmp_path / f"trace{suffix}").read_text(encoding="utf-8")
    if suffix == ".svg":
        assert ET.fromstring(text).tag.endswith("svg")  # noqa: S314  # made here
    elif suffix == ".dot":
        assert text.startswith("digraph")
    elif suffix == ".txt":
        assert text == out
    else:
        assert r"\begin{array}" in text


def test_the_option_may_stand_anywhere(capsys, tmp_path):
    target = tmp_path / "a.txt"
    for argv in (
        [*EMBLEM, f"-o{target}"],
        ["-o", str(target), *EMBLEM],
        [EMBLEM[0], "--output", str(target), *EMBLEM[1:]],
    ):
        status, out, _ = run(capsys, *argv)
        assert status == 0
        assert target.read_text(encoding="utf-8") == out
        target.unlink()


def test_inputs_are_numbered_in_the_order_of_the_assignments(capsys):
    _, out, _ = run(capsys, "x1*x2", "x2=5", "x1=2")
    assert "v₋₁ = x₂" in out
    assert "v₀ = x₁" in out
    assert "v₁ = v₀ × v₋₁" in out


def test_a_result_is_not_called_y_where_a_variable_is(capsys):
    _, out, _ = run(capsys, "(x + y)*z", "x=-2", "y=5", "z=-4")
    assert out.endswith("f = -12.0\n∂f/∂x = -4.0\n∂f/∂y = -4.0\n∂f/∂z = 3.0\n")


@pytest.mark.parametrize(
    ("expression", "value", "slope"),
    [
        ("-x**2", -9, -6),
        ("- x", -3, -1),
        ("-(-x)", 3, 1),
        ("--x*1", 3, 1),
        ("2**-x", 1 / 8, -math.log(2) / 8),
        ("x**2**1", 9, 6),
        ("2 - 3 - x", -4, -1),
        ("12/2/x", 2, -2 / 3),
        ("+x", 3, 1),
        ("(((x)))", 3, 1),
        ("ln(e)*x + 0*pi", 3, 1),
        (" x ", 3, 1),
        ("max(x, 1e1)", 10, 0),
        ("atan2(x, 4)", math.atan2(3, 4), 4 / 25),
        ("1.*x + .5", 3.5, 1),
        ("sqrt(x)**2", 3, 1),
        ("x*2e-1", 0.6, 0.2),
        ("cos(2*π)*x", 3, 1),
        ("x**x", 27, 27 * (1 + math.log(3))),
    ],
)
def test_values_and_derivatives(capsys, expression, value, slope):
    status, out, err = run(capsys, expression, "x=3")
    assert (status, err) == (0, "")
    lines = out.splitlines()
    assert float(lines[-2].removeprefix("y = ")) == pytest.approx(value, rel=1e-15)
    assert float(lines[-1].removeprefix("∂y/∂x = ")) == pytest.approx(slope, rel=1e-14)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_has_a_derivative(name):
    _, arity = FUNCTIONS[name]
    a = 1.3 if name == "arccosh" else 0.3
    y, inputs = evaluate(f"{name}({', '.join('ab'[:arity])})", [f"a={a}", "b=0.7"][:arity])
    assert y.adjoints().keys() >= set(inputs)


def test_values_may_be_constant_expressions(capsys):
    _, out, _ = run(capsys, "cos(x)", "x=2*pi")
    assert "y = 1.0\n" in out


def test_an_infinite_derivative_is_shown_without_a_warning(capsys):
    status, out, err = run(capsys, "sqrt(x)", "x=0")
    assert (status, err) == (0, "")
    assert "∂y/∂x = inf" in out


def test_a_long_expression_within_the_limits(capsys):
    status, out, _ = run(capsys, "+".join(["sin(x)"] * 1400), "x=1")
    assert status == 0
    assert "rows are not shown" in out


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("__import__('os')", "column 1: __import__ is not a function; --help lists the functions"),
        ("x.real", "column 2: '.' is not allowed"),
        ("x.__class__", "column 2: '.' is not allowed"),
        ("x[0]", "column 2: '[' is not allowed"),
        ("[x for x in (1, 2)]", "column 1: '[' is not allowed"),
        ("{x: 1}", "column 1: '{' is not allowed"),
        ("lambda: x", "column 1: lambda is not part of the language; there are numbers"),
        ("lambda x: x", "column 1: lambda is not part of the language"),
        ("log(x=1)", "column 6: '=' is not allowed"),
        ("(y := 3)", "column 4: ':' is not allowed"),
        ("'x'", 'column 1: "\'" is not allowed'),
        ('"x"', "column 1: '\"' is not allowed"),
        ("x if x else x", "column 3: if is not part of the language"),
        ("if (x)", "column 1: if is not part of the language"),
        ("not x", "column 1: not is not part of the language"),
        ("x < 1", "column 3: '<' is not allowed; there are no comparisons"),
        ("x<=1", "column 2: '<=' is not allowed; there are no comparisons"),
        ("x == 1", "column 3: '==' is not allowed; there are no comparisons"),
        ("x!", "column 2: '!' is not allowed; there is no factorial"),
        ("√x", "column 1: '√' is not allowed; write sqrt(x) for a root"),
        ("x₁", "column 2: '₁' is not allowed; the digits of a name are plain, as in x1"),
        ("|x|", "column 1: '|' is not allowed; write abs(x)"),
        ("x @ x", "column 3: '@' is not allowed"),
        ("x; x", "column 2: ';' is not allowed"),
        ("x\0", "column 2: '\\x00' is not allowed"),
        ("x\x1b[31m", "column 2: '\\x1b' is not allowed"),
        ("x\ud800", "column 2: '\\ud800' is not allowed"),
        ("x²", "column 2: '²' is not allowed; write **2 for a square"),
        ("x^2", "column 2: '^' is not allowed; write ** for a power"),
        ("x // 2", "column 3: '//' is not allowed; write / for a quotient"),
        ("2 × x", "column 3: '×' is not allowed; write * for a product"),
        ("x − 1", "column 3: '−' is not allowed; write a plain - for minus"),
        ("2x", "column 2: an operator is missing; for a product write 2*x"),
        ("2(x + 1)", "column 2: an operator is missing; for a product write 2*(...)"),
        ("(x + 1)(x)", "column 8: an operator is missing; for a product write (x + 1)*("),
        ("x(2)", "column 1: x is not a function; for a product write x*(...)"),
        ("x 1_0", "column 3: an operator is missing"),
        ("sine(x)", "column 1: sine is not a function; did you mean sin or sinh?"),
        ("sin", "column 1: sin is a function; write its argument in brackets, sin(x)"),
        ("log()", "column 5: log(...) lacks an argument"),
        ("log(1,2)", "column 1: log(1,2): log takes 1 argument, not 2"),
        ("x + max(x)", "column 5: max(x): max takes 2 arguments, not 1"),
        ("max(x,)", "column 7: max(...) lacks an argument"),
        ("max(,x)", "column 5: a number, a variable or ( should stand before this ,"),
        ("(x, x)", "column 3: a comma separates the arguments of a function"),
        ("x, x", "column 2: a comma separates the arguments of a function"),
        ("log((x, x))", "column 7: a comma separates the arguments of a function"),
        ("x)", "column 2: this ) closes nothing"),
        ("(x", "column 1: this ( is never closed"),
        ("log(x", "column 1: this ( is never closed"),
        ("()", "column 2: a number, a variable or ( should stand before this )"),
        ("x +", "column 4: the expression ends where"),
        ("x + ", "column 4: the expression ends where"),
        ("-", "column 2: the expression ends where"),
        ("*x", "column 1: a number, a variable or ( should stand before this *"),
        ("x * / x", "column 5: a number, a variable or ( should stand before this /"),
        ("", "the expression is empty"),
        ("  \n ", "the expression is empty"),
        ("1e999*x", "column 1: 1e999 is too large"),
        ("9**9**9**9 + x", "9**9**9: 9 and 9**9 = 3.8742e+08 give a result too large"),
        ("10**400*x", "10**400: 10 and 400 give a result too large"),
        ("exp(1000)*x", "exp(1000): 1000 gives a result too large"),
        ("3 + 4", "x is given a value, but does not occur"),
    ],
)
def test_expressions_that_are_refused(capsys, expression, message):
    assert refused(capsys, expression, "x=1").startswith(message)


@pytest.mark.parametrize(
    ("expression", "x", "message"),
    [
        ("log(x - 3)", "2", "log(x - 3): x - 3 = -1 is outside the domain of log"),
        ("log(x)", "0", "log(x): x = 0 is outside the domain of log"),
        ("log(-1)*x", "0", "log(-1): -1 is outside the domain of log"),
        ("ln(x)", "-0.5", "ln(x): x = -0.5 is outside the domain of ln"),
        ("2*(3 + log(log(x)))", "1", "log(log(x)): log(x) = 0 is outside the domain of log"),
        ("log1p(x)", "-1", "log1p(x): x = -1 is outside the domain of log1p"),
        ("sqrt(-1)*x", "1", "sqrt(-1): -1 is outside the domain of sqrt"),
        ("arcsin(2*(x))", "1", "arcsin(2*(x)): 2*(x) = 2 is outside the domain of arcsin"),
        ("1/0*x", "1", "1/0: division by zero"),
        ("0/0*x", "1", "0/0: division by zero"),
        ("0/(x - 1)", "1", "0/(x - 1): division by zero, as x - 1 = 0"),
        ("reciprocal(x)", "0", "reciprocal(x): division by zero, as x = 0"),
        ("(-8)**(1/3)*x", "1", "(-8)**(1/3): -8 is outside the domain of the power 0.333333"),
        ("x**x", "0", "x**x: x = 0 to the power x = 0 has no derivative with respect to the exponent"),
        ("1 + 0**x", "0", "0**x: 0 to the power x = 0 has no derivative with respect to the exponent"),
        ("x**-1", "0", "x**-1: x = 0 is outside the domain of the power -1"),
        ("power(x, 0.5)", "-4", "power(x, 0.5): x = -4 is outside the domain of the power 0.5"),
        ("x*x", "1e200", "x*x: x = 1e+200 and x = 1e+200 give a result too large"),
        ("exp(x)", "1e3", "exp(x): x = 1000 gives a result too large"),
    ],
)
def test_domain_errors_point_at_the_subexpression(capsys, expression, x, message):
    assert refused(capsys, expression, f"x={x}").startswith(message)


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        ([], "an expression is missing"),
        (["x1 + x3", "x1=1", "x2=2"], "x3 has no value; add x3=NUMBER (given: x1, x2); did you mean x2?"),
        (["x1 + x2", "x1=1"], "x2 has no value; add x2=NUMBER (given: x1)"),
        (["x1 + x2"], "x1, x2 have no value; add x1=NUMBER x2=NUMBER"),
        (["x1"], "x1 has no value; add x1=NUMBER"),
        (["weights"], "weights has no value; add weights=NUMBER"),
        (["x", "x=1", "z=2"], "z is given a value, but does not occur in the expression"),
        (["x", "x=1", "x=2"], "x is given two values, 1 and 2; give one"),
        (["x", "x=abc"], "x=abc: 'abc' is not a number"),
        (["x", "x="], "x=: '' is not a number"),
        (["x", "x=1e400"], "x=1e400: too large for a floating-point number"),
        (["x", "x=nan"], "x=nan: nan is not finite"),
        (["x", "x=inf"], "x=inf: inf is not finite"),
        (["x", "x=-inf"], "x=-inf: -inf is not finite"),
        (["x", "x=9**9**9"], "x=9**9**9: 9 and 9**9 = 3.8742e+08 give a result too large"),
        (["x", "x=1/0"], "x=1/0: division by zero"),
        (["x", "π=3"], "π=3: π is a constant"),
        (["x", "x=1", "-o", ""], "-o is given an empty name; -o writes .svg"),
        (["x", "x=1", "-o", "a.svg", "-o", "b.svg"], "-o is given two files, a.svg and b.svg; give one"),
        (["x", "x=1", "-oa.svg", "--output=b.svg"], "--output is given two files, a.svg and b.svg; give one"),
        (["x", "x=__import__('os')"], "x=__import__('os'): "),
        (["x", "x"], "x is not NAME=VALUE"),
        (["x", "=1"], "=1: '' is not a name for a variable"),
        (["x", "1x=1"], "1x=1: '1x' is not a name for a variable"),
        (["x", "log=1"], "log=1: log is a function"),
        (["x", "pi=3"], "pi=3: pi is a constant"),
        (["x1=2", "x1"], "x1=2 stands where the expression should"),
        (["3 + 4"], "3 + 4 has no variable"),
        (["x", "x=1", "--frobnicate"], "unrecognized arguments: --frobnicate"),
        (["x", "x=1", "-o"], "argument -o/--output: expected one argument"),
        (
            ["x", "x=1", "-o", "trace.gif"],
            "trace.gif has the suffix .gif; -o writes .svg, .html, .dot, .mmd, .json, .txt, .png, .pdf, .tex",
        ),
        (["x", "x=1", "-o", "trace"], "trace has no suffix"),
        (["x", "x=1", "-o", "absent/trace.svg"], "absent/trace.svg: the directory absent does not exist"),
        (["x", "x=1", "-o", "folder.txt"], "folder.txt: "),
        (["x", "x=1", "-o", "a\0.txt"], "embedded null"),
        (["log(x)", "x=-1", "-o", "trace.svg"], "log(x): x = -1 is outside"),
    ],
)
def test_calls_that_are_refused(capsys, tmp_path, monkeypatch, argv, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder.txt").mkdir()
    assert refused(capsys, *argv).startswith(message)
    assert [p.name for p in tmp_path.iterdir()] == ["folder.txt"], "nothing is written"


@pytest.mark.parametrize(
    "expression",
    [
        "(" * 10_000 + "x" + ")" * 10_000,
        "(" * 4_000 + "x" + ")" * 4_000,
        "-" * 9_000 + "x",
        "+" * 9_000 + "x",
        "x**" * 3_000 + "x",
        "sin(" * 2_000 + "x" + ")" * 2_000,
        "(" * 9_999,
        "x+" * 50_000 + "x",
        "x" * 100_000,
        "1" * 100_000,
        "\0" * 100_000,
        "(" * 100_000,
    ],
    ids=lambda e: f"{e[:4]!a} times {len(e)}",
)
def test_inputs_meant_to_exhaust_the_parser(capsys, expression):
    message = refused(capsys, expression, "x=1")
    assert "nested deeper than 100" in message or "at most 10,000 are read" in message


def test_a_name_or_number_as_long_as_the_limit(capsys):
    assert "has no value" in refused(capsys, "x" * LONGEST)
    assert "too large" in refused(capsys, "1" * LONGEST)


def test_a_large_graph_is_folded(capsys, tmp_path):
    assert main(["+".join(["x"] * 2000), "x=1", "-o", str(tmp_path / "a.svg")]) == 0
    assert "earlier operations" in (tmp_path / "a.svg").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("suffix", "begins"),
    [("svg", "<svg "), ("html", "<!doctype html>"), ("dot", "digraph"), ("mmd", "flowchart LR"), ("json", "{")],
)
def test_every_suffix_gives_its_own_format(capsys, tmp_path, suffix, begins):
    path = tmp_path / f"a.{suffix}"
    assert main(["x*x", "x=2", "-o", str(path)]) == 0
    assert path.read_text(encoding="utf-8").startswith(begins)


# -- draw: a graph that a file builds ----------------------------------------------------------------------------

MODEL = """
import autodiff as ad
from neighbour import two

x = ad.Tensor(2.0, name="x")
y = x * two
number = 3.0

def built():
    return x + two

def squared(a):
    return a * a

class Net:
    def forward(self, x):
        return x

    def __call__(self, *args):
        return self.forward(*args)

net = Net()

assert __name__ != "__main__"
"""


@pytest.fixture
def model(tmp_path, monkeypatch):
    monkeypatch.setattr("sys.path", [*__import__("sys").path])
    (tmp_path / "neighbour.py").write_text("two = 2.0\n")
    path = tmp_path / "model.py"
    path.write_text(MODEL)
    return path


@pytest.mark.parametrize("suffix", ["svg", "html", "dot", "mmd", "json", "txt"])
def test_a_graph_built_in_a_file_is_drawn(model, suffix):
    for name in ("y", "built"):
        out = model.with_name(f"{name}.{suffix}")
        assert main(["draw", f"{model}:{name}", "-o", str(out), "--depth", "1", "--max-cards", "10"]) == 0
        assert out.stat().st_size > 50


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (":z", "model.py has no z"),
        (":buil", "did you mean built?"),
        (":number", "number is float; name a Tensor, or a function that returns one"),
        ("", "is not FILE.py:NAME, such as model.py:loss"),
        (":a.b", "is not FILE.py:NAME"),
        ("x:y", "there is no such file"),
        (":squared", "squared is a function that is called with arguments; a graph has values. Add to"),
        (":net", "net is a Net that is called with arguments"),
        (":net", "y = net(...) of an example, and draw"),
    ],
)
def test_what_cannot_be_drawn_is_refused_in_one_line(model, capsys, name, message):
    out = model.with_name("out.svg")
    assert main(["draw", f"{model}{name}", "-o", str(out)]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not out.exists()


def test_how_a_graph_is_drawn_can_be_chosen(model, capsys):
    wide, tall = model.with_name("wide.svg"), model.with_name("tall.svg")
    assert main(["draw", f"{model}:y", "-o", str(wide)]) == 0
    assert capsys.readouterr() == ("", f"autodiff: wrote {wide}\n")
    assert main(["draw", f"{model}:y", "-o", str(tall), "--direction", "TB", "--theme", "dark"]) == 0
    sizes = (
        [int(number) for number in path.read_text("utf-8").split('viewBox="0 0 ', 1)[1].split('"')[0].split()]
        for path in (wide, tall)
    )
    ratios = [width / height for width, height in sizes]
    assert ratios[0] > ratios[1]
    assert "prefers-color-scheme" in wide.read_text("utf-8")
    assert "prefers-color-scheme" not in tall.read_text("utf-8")
    page = model.with_name("page.html")
    assert main(["draw", f"{model}:y", "-o", str(page), "--direction", "TB", "--theme", "light"]) == 0
    with pytest.raises(SystemExit):
        main(["draw", f"{model}:y", "-o", str(page), "--theme", "blue"])
    assert "invalid choice: 'blue'" in capsys.readouterr().err


def test_a_page_is_that_of_the_picture_and_the_stepper_is_asked_for(model, capsys):
    page = model.with_name("a.html")
    assert main(["draw", f"{model}:y", "-o", str(page)]) == 0
    made = runpy.run_path(str(model))
    assert page.read_text(encoding="utf-8") == ad.draw(made["y"]).html
    assert main(["draw", f"{model}:y", "-o", str(page), "--steps"]) == 0
    assert page.read_text(encoding="utf-8") == ad.steps(made["y"]).html
    x = ad.Tensor(3.0, name="x")
    for option, html in (([], ad.draw(x * x).html), (["--steps"], ad.steps(x * x).html)):
        assert main(["x*x", "x=3", "-o", str(page), *option]) == 0
        assert page.read_text(encoding="utf-8") == html


def test_steps_are_a_page(model, capsys):
    assert "--steps is given with no -o; it writes a page, such as -o steps.html" in refused(
        capsys, "x", "x=1", "--steps"
    )
    assert main(["draw", f"{model}:y", "-o", str(model.with_name("a.svg")), "--steps"]) == 2
    assert "it writes a page" in capsys.readouterr().err


def test_a_page_that_would_have_too_many_steps_is_refused(model, capsys):
    model.write_text(MODEL + "\nfor _ in range(150):\n    y = ad.relu(y)\n")
    out = model.with_name("a.html")
    model.write_text(f"import autodiff as ad\nwith ad.scope('all'):\n{textwrap.indent(model.read_text(), '    ')}")
    assert main(["draw", f"{model}:y", "-o", str(out), "--steps", "--depth", "9"]) == 2
    assert "too many to follow" in capsys.readouterr().err
    assert main(["draw", f"{model}:y", "-o", str(out), "--steps"]) == 0
    assert 'id="slider"' in out.read_text(encoding="utf-8")


def test_draw_is_a_variable_too(capsys):
    assert main(["draw*draw", "draw=3"]) == 0
    assert "∂y/∂draw = 6.0" in capsys.readouterr().out
    assert "draw is no command" not in capsys.readouterr().err


@settings(max_examples=300)
@given(st.text(max_size=40) | st.text("x1 2+-*/().,e logsin^[]='\0", max_size=40))
def test_any_text_is_an_expression_or_refused(text):
    try:
        value = Expression(text)({"x": ad.Tensor(0.5), "x1": ad.Tensor(2.0)})
    except KeyError:  # another variable
        return
    except ExpressionError as error:
        message = str(error)
    else:
        message = str(value.item())
        assert math.isfinite(value.item())
    assert message.isprintable()


@st.composite
def arithmetic(draw: st.DrawFn, depth: int = 4) -> str:
    if depth == 0 or draw(st.booleans()):
        return draw(st.sampled_from(["1.0", "2.0", "3.0", "0.5"]))
    left, right = draw(arithmetic(depth - 1)), draw(arithmetic(depth - 1))
    form = draw(st.sampled_from(["{}+{}", "{} - {}", "{}*{}", "{}/{}", "-{}", "+{}", "({})", "{}**{}", "{}**-{}"]))
    return form.format(left, right)


@settings(max_examples=300)
@given(arithmetic())
def test_precedence_is_pythons(expression):
    try:
        expected = eval(expression, {"__builtins__": {}})  # noqa: S307 - numbers and operators made above
    except (ZeroDivisionError, OverflowError):
        return
    if isinstance(expected, complex):
        return
    assert float(Expression(expression)({})) == pytest.approx(expected, rel=1e-12)


def test_a_png_and_a_pdf_are_written_where_their_extra_is(tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "cairosvg", types.SimpleNamespace(svg2png=lambda *_, **__: b"png", svg2pdf=len))
    out = tmp_path / "a.png"
    assert main([*EMBLEM, "-o", str(out)]) == 0
    assert out.read_bytes() == b"png"
    monkeypatch.setitem(sys.modules, "cairosvg", None)
    assert main([*EMBLEM, "-o", str(tmp_path / "b.pdf")]) == 2
    assert "pip install 'autodiff-nn[png]'" in capsys.readouterr().err
    assert not (tmp_path / "b.pdf").exists()


def test_a_file_is_drawn_as_a_notebook_draws_it(model):
    out = model.with_name("c.svg")
    assert main(["draw", f"{model}:y", "-o", str(out)]) == 0
    names: dict[str, object] = {}
    sys.path.insert(0, str(model.parent))
    try:
        exec(model.read_text(encoding="utf-8"), names)  # noqa: S102 - the file this test has written
    finally:
        sys.path.remove(str(model.parent))
    assert out.read_text(encoding="utf-8") == ad.draw(names["y"]).svg
