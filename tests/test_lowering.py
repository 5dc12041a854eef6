"""The doors of functions that programs are made of: questions, effects, primitives as programs write them, arguments
that are written into."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest

import autodiff as ad
from autodiff.transforms import tree

X = np.random.default_rng(0).normal(size=(3, 4))
LENGTH = 3


def lengthened(x: Any) -> Any:
    """A loop over an array of its own, which only a call can be."""
    found = np.zeros(LENGTH * len(x))
    for k in range(LENGTH):
        found[k::LENGTH] = x
    return found


@ad.primitive
def repeated(x: Any) -> Any:
    return lengthened(x)


@ad.primitive
def gathered(g: Any) -> Any:
    return g.reshape(-1, LENGTH).sum(axis=1)


@ad.primitive
def doubled(x: Any) -> Any:
    found = np.empty_like(x)
    found[...] = x
    found += x
    return found


ad.adjoint(repeated, lambda g, y, x: gathered(g))
ad.adjoint(doubled, lambda g, y, x: 2 * g)
ad.lowered(repeated)
ad.lowered(gathered)
ad.lowered(doubled, lambda x: x * 2)


def test_a_primitive_is_called_by_its_text_or_written_as_declared() -> None:
    def f(x: Any) -> Any:
        return np.sum(np.square(repeated(doubled(x))) * np.arange(12.0))

    program = ad.compile(ad.value_and_grad(f))
    for x in (X[0], X[1]):
        for found, expected in zip(program(x), ad.value_and_grad(f)(x), strict=True):
            np.testing.assert_allclose(found, expected, rtol=1e-14)
    assert "x * 2" in program.source
    assert "def lengthened(x: Any)" in program.source
    assert "ad.primitive" not in program.source
    code = f"{program.source}\nimport sys\nassert 'autodiff' not in sys.modules\n"
    code += f"print(float(program(np.array({X[0].tolist()}))[0]))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert float(found) == pytest.approx(float(f(X[0])))


def test_outside_of_a_trace_primitives_are_what_they_were() -> None:
    ad.compile(lambda x: repeated(x))(X[0])
    assert type(repeated(X[0])) is np.ndarray
    with pytest.raises(ad.Untraceable):
        ad.compile(lambda x: repeated(x) if np.sum(x) > 0 else x)(X[0])
    from autodiff.program import lowering

    assert (lowering._traces, lowering._open) == (0, [])


def test_a_question_chooses_the_program() -> None:
    asked = []

    def positive(x: Any) -> bool:
        asked.append(x)
        return bool(np.all(x > 0))

    @ad.compile
    def root(x: Any) -> Any:
        return np.sqrt(x) if ad.ask(positive, x) else np.abs(x)

    for x in (np.ones(3), -np.ones(3), np.full(3, 4.0), -np.ones(3)):
        np.testing.assert_array_equal(root(x), np.sqrt(x) if x[0] > 0 else np.abs(x))
    assert len(root._entries) == 1
    assert len(next(iter(root._entries.values()))) == 2
    assert all(type(x) is np.ndarray for x in asked)
    assert ad.ask(positive, ad.Tensor([1.0])) is True


def test_a_question_of_what_takes_many_steps_is_refused_and_a_check_is_made_once() -> None:
    checked: list[Any] = []

    def deep(x: Any) -> Any:
        for _ in range(30):
            x = np.sin(x) + 1
        return x

    with pytest.raises(ad.Untraceable, match="an answer that depends on numbers"):
        ad.compile(lambda x: x if ad.ask(lambda y: bool(y.sum() > 0), deep(x)) else -x)(X)
    program = ad.compile(lambda x: (ad.ask(checked.append, deep(x)), x + 1)[1])
    for x in (X, 2 * X):
        np.testing.assert_array_equal(program(x), x + 1)
    assert len(checked) == 1


def check(x: Any) -> None:
    if x.min() < 0:
        raise ValueError("negative")


def test_a_check_of_an_argument_is_made_at_every_call() -> None:
    @ad.compile
    def root(x: Any) -> Any:
        ad.ask(check, x)
        return np.sqrt(x)

    root(np.ones(3))
    with pytest.raises(ValueError, match="negative"):
        root(-np.ones(3))


def uniform(rng: Any, n: int) -> Any:
    return rng.random(n)


def test_an_effect_is_made_at_every_call_in_its_order() -> None:
    generator, twin = np.random.default_rng(0), np.random.default_rng(0)

    def noisy(x: Any, rng: Any) -> Any:
        ad.effect(uniform, rng, 2)  # not used, and drawn all the same
        return x + ad.effect(uniform, rng, 4), x - ad.effect(uniform, rng, 4)

    program = ad.compile(lambda x: noisy(x, generator))
    for _ in range(3):
        for found, expected in zip(program(X), noisy(X, twin), strict=True):
            np.testing.assert_array_equal(found, expected)
    assert generator.bit_generator.state == twin.bit_generator.state
    assert "def program(x, rng):" in program.source


def moved(state: Any, x: Any) -> Any:
    state["a"] += x
    state["b"][...] = state["a"] * 2
    np.multiply(state["a"], 0.5, out=state["c"])
    state["d"][1] = x[0]
    return np.sum(state["b"])


def exchanged(state: Any, x: Any) -> Any:
    a, b = state["a"] + 0.0, state["b"] * 1
    state["a"][...], state["b"][...] = b, a
    return state["a"] + x


def averaged(state: Any, x: Any) -> Any:
    state["a"] *= 0.9
    state["a"] += 0.1 * x
    state["b"] *= 0.99
    state["b"] += 0.01 * x * x
    state["c"] -= state["a"] / np.sqrt(state["b"] + 1e-8)
    return state["c"][::-1], np.sum(state["c"])


def used_after(state: Any, x: Any) -> Any:
    before = state["a"] * 1.0
    state["a"][...] = x * 3
    state["b"][...] = state["a"] + before
    return before


@pytest.mark.parametrize("size", [4, 200_000])
@pytest.mark.parametrize("function", [moved, exchanged, averaged, used_after])
def test_what_is_written_into_the_first_argument_is_what_the_function_writes(function: Any, size: int) -> None:
    rng = np.random.default_rng(0)
    state = {name: rng.random(size).astype(np.float32) for name in "abcd"}
    twin = {name: value.copy() for name, value in state.items()}
    program = ad.compile(function, in_place=True)
    for _ in range(3):
        x = rng.random(size).astype(np.float32)
        found, expected = program(state, x), function(twin, x)
        for a, b in zip(tree.leaves(found), tree.leaves(expected), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-5)
        for name, value in twin.items():
            np.testing.assert_allclose(state[name], value, rtol=1e-6, err_msg=name)


def test_only_arrays_are_written_into() -> None:
    with pytest.raises(TypeError, match="a nest of arrays to write into"):
        ad.compile(moved, in_place=True)({"a": 1.0}, X)


def test_tensors_hold_other_values_for_a_while() -> None:
    w = ad.Tensor(np.ones(4), name="w")

    @ad.compile
    def gradient(value: Any, x: Any) -> Any:
        with ad.holding([w], [value]):
            return np.sum(np.square(x @ w)).adjoints()[w]

    np.testing.assert_allclose(gradient(X[0], X), ad.grad(lambda v: np.sum(np.square(X @ v)))(X[0]))
    np.testing.assert_array_equal(w.value, np.ones(4))
    with pytest.raises(TypeError, match="of their shapes"), ad.holding([w], [np.ones(3)]):
        pass
