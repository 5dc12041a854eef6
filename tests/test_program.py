"""The passes, each on a program that it makes smaller, and what none of them may change."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autodiff as ad
from autodiff.program.graph import Loop, Program, Ref, Step
from autodiff.program.passes import blocks, memory
from autodiff.program.passes.algebra import simplified
from autodiff.program.passes.blocks import blocked
from autodiff.program.passes.broadcasts import without_broadcasts
from autodiff.program.passes.calls import direct
from autodiff.program.passes.common import without_repetitions
from autodiff.program.passes.constants import folded
from autodiff.program.passes.copies import without_copies
from autodiff.program.passes.dead import without_dead
from autodiff.program.passes.donation import written_back
from autodiff.program.passes.memory import allocated, buffered, owned
from autodiff.program.source import Text, literal

X = np.random.default_rng(0).normal(size=(3, 4))


def recorded(function: Callable[..., Any], *arrays: Any) -> Program:
    """A function's program before all passes."""
    compiled = ad.compile(function)
    compiled(*arrays)
    assert compiled._last is not None
    return compiled._last.recorded


def names(program: Program) -> list[str]:
    return [step.function.__name__ for step in program.steps]


def run(program: Program, *arrays: Any) -> Any:
    text = Text(program)
    space: dict[str, Any] = {}
    exec(text.module, space)  # noqa: S102
    results = space[text.name](*arrays)
    return results[0] if len(results) == 1 else results


def test_an_element_that_stands_for_many_is_recorded_once() -> None:
    x = np.ones(1000)
    program = recorded(ad.grad(lambda x: np.sum(np.sin(x) * np.cos(x))), x)
    constants = [a for step in program.steps for a in step.args if isinstance(a, np.ndarray) and a.shape == x.shape]
    assert constants
    assert {a.strides for a in constants} == {(0,)}  # the seed, broadcast

    rows = np.broadcast_to(np.arange(4.0), (3, 4))
    empty, sums = np.broadcast_to(1.0, (0, 4)), ad.compile(lambda x: x + rows + np.sum(empty))
    np.testing.assert_array_equal(sums(X), X + rows)


def test_dead_code() -> None:
    def f(x: Any) -> Any:
        np.sin(np.cos(x))
        return np.exp(x)

    program = recorded(f, X)
    assert names(program) == ["cos", "sin", "exp"]
    assert names(without_dead(program)) == ["exp"]


def test_copies() -> None:
    program = without_copies(recorded(lambda x: np.copy(np.sin(np.array(x, copy=True, like=x))) + x.copy(), X))
    assert "copy" not in names(program)
    np.testing.assert_array_equal(run(program, X), np.sin(X) + X)


def test_common_subexpressions() -> None:
    program = recorded(lambda x: np.sin(x) * np.sin(x) + np.sum(x, axis=0) * np.sum(x, axis=1)[:1], X)
    assert names(without_repetitions(program)).count("sin") == 1
    assert names(without_repetitions(program)).count("sum") == 2
    signs = recorded(lambda x: (x + 1, x + 1.0, np.copysign(x, 0.0), np.copysign(x, -0.0)), X)
    assert len(without_repetitions(signs).steps) == 4


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x * 1,
        lambda x: 1.0 * x,
        lambda x: x + 0,
        lambda x: x - 0.0,
        lambda x: x / 1,
        lambda x: x**1,
        lambda x: np.negative(-x),
        lambda x: x.T.T,
        lambda x: np.transpose(np.transpose(x, (1, 0)), (1, 0)),
        lambda x: np.swapaxes(np.swapaxes(x, 0, 1), 1, 0),
        lambda x: x * np.ones(x.shape),
        lambda x: 0 + x,
        lambda x: x[()].reshape(3, 4) + np.broadcast_to(0.0, (3, 4)),
    ],
)
def test_algebra_leaves_nothing(function: Any) -> None:
    program = without_dead(simplified(recorded(lambda x: function(np.sin(x)), X)))
    assert names(program) == ["sin"]
    np.testing.assert_array_equal(run(program, X), function(np.sin(X)))


@pytest.mark.parametrize(
    "function",
    [
        lambda x: 0 - x,
        lambda x: 1 / x,
        lambda x: 1**x,
        lambda x: x.astype(np.float32) * np.float64(1),
        lambda x: x[0] * np.ones((3, 4)),
        lambda x: np.transpose(np.transpose(x[None], (1, 2, 0)), (1, 2, 0)),
        lambda x: x * np.full((3, 4), -0.0),
        lambda x: x > 0 + np.zeros((3, 4)),
        lambda x: (x > 0) * 1,
    ],
)
def test_algebra_leaves_what_counts(function: Any) -> None:
    program = without_dead(simplified(recorded(lambda x: function(np.sin(x)), X)))
    assert len(program.steps) > 1
    np.testing.assert_array_equal(run(program, X), function(np.sin(X)), strict=True)


def test_powers_that_have_functions_of_their_own() -> None:
    program = simplified(recorded(lambda x: x**2 + x**2.0 + x**0.5 + x**-1 + x**3, np.abs(X)))
    assert [n for n in names(program) if n != "add"] == ["square", "square", "sqrt", "reciprocal", "power"]
    assert names(simplified(recorded(lambda x: x**2 + x**-1, 2.0))) == ["pow", "pow", "add"]


@pytest.mark.parametrize(
    ("function", "left"),
    [
        (lambda x: -x * 3.0, ["multiply"]),
        (lambda x: -(x * 3.0), ["multiply"]),
        (lambda x: -x / 3.0, ["divide"]),
        (lambda x: 0.3 * x * 2.0, ["multiply"]),
        (lambda x: x - (-np.sin(x)), ["sin", "add"]),
        (lambda x: -np.sin(x) + x, ["sin", "subtract"]),
        (lambda x: x + (-x), ["subtract"]),
        (lambda x: 0.3 * x * 0.7, ["multiply", "multiply"]),
        (lambda x: -(x[0] * 3.0), ["part", "multiply"]),
    ],
)
def test_signs_and_factors_are_drawn_together(function: Any, left: list[str]) -> None:
    program = without_dead(folded(recorded(function, X)))
    assert names(program) == left
    np.testing.assert_array_equal(run(program, X), function(X), strict=True)


def test_what_depends_on_no_argument_is_computed_once() -> None:
    program = recorded(lambda x: x + 1, X)
    constant = Step(np.exp, (np.ones(4),), {}, 7)
    kinds = program.kinds | {7: memory.kind_of(np.ones(4))}
    longer = dataclasses.replace(
        program, steps=(constant, *program.steps), outputs=(Ref(7), *program.outputs), kinds=kinds
    )
    assert names(folded(longer)) == ["add"]
    np.testing.assert_array_equal(folded(longer).outputs[0], np.exp(np.ones(4)))


def test_constants_are_short_where_they_can_be() -> None:
    assert literal(np.full((2, 3), -0.5)) == "np.full((2, 3), -0.5, np.dtype('<f8'))"
    assert literal(np.arange(4)) == "np.arange(4, dtype=np.dtype('<i8')).reshape((4,))"
    for value in (np.full((2, 3), -0.5), np.arange(4), np.array([0.0, -0.0]), np.zeros(3), np.full(2, np.nan)):
        again = eval(literal(value), {"np": np})  # noqa: S307
        np.testing.assert_array_equal(again, value, strict=True)
        np.testing.assert_array_equal(np.signbit(again), np.signbit(value))


def test_what_is_repeated_is_repeated_by_the_step_that_needs_it() -> None:
    def f(x: Any) -> Any:
        column = np.sum(x, axis=1, keepdims=True)
        return x + np.exp(np.broadcast_to(column, (3, 4)) * 2.0), np.broadcast_to(column, (3, 4)) + 1

    program = without_dead(without_broadcasts(recorded(f, X)))
    assert names(program) == ["sum", "multiply", "exp", "add", "broadcast_to", "add"]
    assert [program.kinds[s.result].shape for s in program.steps] == [(3, 1)] * 3 + [(3, 4)] * 3
    for found, expected in zip(run(program, X), f(X), strict=True):
        np.testing.assert_array_equal(found, expected)


def test_a_uniform_array_becomes_a_number() -> None:
    program = simplified(recorded(lambda x: np.full((3, 4), 2.0) * x + np.full((3, 4), 2.0)[:, :1] * x[0], X))
    assert [step.args[0].__class__ for step in program.steps if names(program)].count(np.float64) == 1


def test_results_are_written_into_buffers_that_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "LEAST", 1)
    program = recorded(lambda x: np.exp(np.sin(x) * 2.0) @ np.cos(x).T + np.sum(np.tan(x), 1), X)
    better = buffered(owned(program))
    assert names(better) == ["sin", "multiply", "exp", "cos", "transpose", "matmul", "tan", "sum", "add"]
    assert [step.buffer for step in better.steps] == [0, 0, 0, 1, None, 2, 0, 3, None]
    assert [buffer.shape for buffer in better.buffers] == [(3, 4), (3, 4), (3, 3), (3,)]
    assert allocated(better) == 9 * X.itemsize  # the result
    x = X.copy()
    expected = np.exp(np.sin(X) * 2.0) @ np.cos(X).T + np.sum(np.tan(X), 1)
    np.testing.assert_array_equal(run(better, x), expected)
    np.testing.assert_array_equal(x, X)


def test_reductions_go_straight_to_the_ufuncs() -> None:
    def f(x: Any) -> Any:
        y = np.mean(x, axis=0, keepdims=True), np.sum(x, 1), np.max(x), np.min(x), np.prod(x), np.any(x > 0, 0)
        return *y, np.all(x), np.mean(x), np.mean(x > 0), np.sum(x > 0), np.sum(x, where=x > 0)

    program = direct(recorded(f, X))
    assert names(program).count("reduce") == 9
    for found, expected in zip(run(program, X), f(X), strict=True):
        np.testing.assert_array_equal(found, expected, strict=True)


def test_runs_over_one_axis_are_made_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "WHOLE", 1)
    monkeypatch.setattr(blocks, "BLOCK", 64)
    monkeypatch.setattr(blocks, "FEWEST", 1)

    def f(x: Any) -> Any:
        y = np.exp(x - np.max(x, axis=1, keepdims=True))
        y = y / np.sum(y, axis=1, keepdims=True)
        return y @ y.T, np.sum(np.tanh(y)), np.sum(y * x, axis=0)

    x = np.random.default_rng(0).normal(size=(7, 3))
    program = blocked(direct(recorded(f, x)))
    first, second = (step for step in program.steps if isinstance(step, Loop))
    assert names(first.body) == ["reduce", "subtract", "exp", "reduce", "divide"]
    assert names(second.body) == ["tanh", "reduce", "multiply", "reduce"]
    assert (first.length, first.size, len(second.ends)) == (7, 2, 2)
    for found, expected in zip(run(buffered(written_back(program)), x), f(x), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-13)


def test_what_needs_a_whole_result_is_no_part_of_its_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "WHOLE", 1)
    monkeypatch.setattr(blocks, "BLOCK", 64)
    compiled = ad.compile(lambda x: (lambda y: (y / np.sum(y) + y[::-1], y + y[:, None][:, 0], y * y[:, None]))(x * x))
    x = np.random.default_rng(0).normal(size=9)
    y = x * x
    for found, expected in zip(compiled(x), (y / np.sum(y) + y[::-1], y + y, y * y[:, None]), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-13)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: (lambda y: (y.T, np.sin(y) + y))(np.exp(x)),
        lambda x: [np.sin(x)] * 2,
        lambda x: (lambda y: (np.tanh(y), y))(np.sin(x)),
        lambda x: (lambda y: np.tanh(y) + y.T.reshape(3, 4))(np.sin(x)),
        lambda x: (lambda y: np.sin(y[::-1]) + y)(np.cos(x)),
        lambda x: (lambda y: y[:3, :3] + y[:3, :3].T)(np.cos(x)),
    ],
)
def test_what_is_read_again_is_not_written_into(function: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "LEAST", 1)
    compiled = ad.compile(function)
    for x in (X, np.asfortranarray(X), X[::-1]):
        found, expected = compiled(x), function(x)
        for a, b in zip(found, expected, strict=True):
            np.testing.assert_array_equal(a, b)
    if isinstance(found, list):
        assert not np.shares_memory(*found)


def test_the_plan_says_what_was_removed() -> None:
    def f(x: Any) -> Any:
        return np.sum(np.tanh(x) * np.exp(-(x**2)) + x * np.sin(x))

    gradient = ad.compile(ad.value_and_grad(f))
    gradient(np.linspace(-1, 1, 5000))
    plan = gradient.plan
    assert plan.splitlines()[0].endswith("bytes of new arrays")
    assert "removed: algebra" in plan
    before, after = (int(line.split(" steps")[0]) for line in (plan.splitlines()[0], plan.splitlines()[-1]))
    assert after < before
    assert "into" in str(gradient.program)
