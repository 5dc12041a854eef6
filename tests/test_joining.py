"""Programs that are run as one, arrays changed in place, scales, and the names of variables."""

from __future__ import annotations

from typing import Any

import numpy as np

import autodiff as ad
from autodiff.program.compiled import Compiled
from autodiff.program.graph import Step
from autodiff.program.passes.scales import scaled

X = np.random.default_rng(0).normal(size=(64, 32))


def chosen(function: Any, *args: Any, in_place: bool = False) -> Any:
    compiled = ad.compile(function, in_place=in_place)
    assert isinstance(compiled, Compiled)
    return compiled.chosen(*args)


def test_a_later_program_reads_what_an_earlier_one_wrote() -> None:
    vector = np.zeros(2048)
    matrix = vector.reshape(64, 32)  # the same memory

    def first(state: Any, x: Any) -> Any:
        state["a"] += np.sin(x) * 2
        return np.sum(x)

    def second(state: Any, rate: Any) -> Any:
        state["v"] *= rate
        return np.max(state["v"])

    parts = chosen(first, {"a": matrix}, X, in_place=True), chosen(second, {"v": vector}, 0.5, in_place=True)
    both = parts[0].then([parts[1]], ["the second"])
    total, largest = both([matrix, X, vector, 0.5])
    np.testing.assert_allclose(matrix, np.sin(X))
    np.testing.assert_array_equal(total, np.sum(X))
    assert largest == vector.max()
    assert len(both.program.steps) == sum(len(part.program.steps) for part in parts)
    space: dict[str, Any] = {}
    exec(both.source, space)  # noqa: S102
    np.testing.assert_array_equal(space["program"](matrix, X, vector, 1.0)[0], total)


def test_programs_in_blocks_are_joined() -> None:
    x = np.linspace(-1, 1, 200_000)
    parts = chosen(lambda x: np.sum(np.exp(x) * x), x), chosen(lambda x: np.cos(x) * np.sin(x) + x, x)
    found = parts[0].then([parts[1]], ["again"])([x, x])
    np.testing.assert_array_equal(found[0], parts[0]([x]))
    np.testing.assert_array_equal(found[1], parts[1]([x]))


def test_places_are_written_in_an_array_that_nobody_else_reads() -> None:
    def alone(x: Any, at: Any) -> Any:
        return _placed(x, at, False)

    def read(x: Any, at: Any) -> Any:
        return _placed(x, at, True)

    def _placed(x: Any, at: Any, again: bool) -> Any:
        y = x + 1
        z = y.at[at].set(0.0).at[at].add(2.0)
        return z + y if again else z

    at = np.arange(3)
    for function, count in ((alone, 2), (read, 1)):
        program = chosen(function, X, at)
        assert sum(step.into is not None for step in program.program.steps if isinstance(step, Step)) == count
        expected = X + 1
        expected[at] = 2.0
        np.testing.assert_array_equal(program([X, at]), expected + (X + 1) * (count == 1))


def test_a_number_goes_to_the_smaller_operand() -> None:
    def f(x: Any, r: Any, n: float) -> Any:
        return (x / r[:, None]) * 0.25

    def read_twice(x: Any, r: Any, n: float) -> Any:
        y = x / r[:, None]
        return y * 0.25 + y

    r = np.abs(X[:, 0]) + 1
    for function, scales in ((f, True), (read_twice, False)):
        entry = chosen(function, X, r, 1.0)
        program = scaled(entry.recorded)
        assert (len(program.steps) > len(entry.recorded.steps)) == scales
        np.testing.assert_array_equal(entry([X, r, 1.0]), function(X, r, 1.0))


def test_variables_carry_the_names_of_the_users_function() -> None:
    def network(w: Any, x: Any) -> Any:
        z = x @ w + 1.0
        h = np.tanh(z)
        free = h - x  # a name that the text has another use for
        error = free * 2.0
        return np.sum(error * error)

    f = ad.compile(ad.value_and_grad(network))
    w = X[:32].copy()
    value, slope = f(w, X)
    expected = ad.value_and_grad(network)(w, X)
    np.testing.assert_allclose(value, expected[0])
    np.testing.assert_allclose(slope, expected[1])
    lines = [line.strip() for line in f.source.splitlines()]
    for start in ("z = np.matmul(x, w", "z += ", "error = "):
        assert any(line.startswith(start) for line in lines), start
    assert any(line.startswith("free_2 = ") for line in lines)


def test_numbers_beside_arrays_change_no_bits() -> None:
    for dtype in (np.float32, np.float64):
        x = X.astype(dtype)

        def f(x: Any) -> Any:
            return np.maximum(x, 0), np.minimum(0.5, x), x * 0.1, 0.3 - x, x / 3, np.maximum(x, -np.inf)

        f_ = ad.compile(f)
        for found, expected in zip(f_(x), f(x), strict=True):
            np.testing.assert_array_equal(found, expected)
            assert found.dtype == expected.dtype
        bad = x.copy()
        bad[0, :3] = np.nan, np.inf, -np.inf
        np.testing.assert_array_equal(f_(bad)[0], np.maximum(bad, 0))
