"""A machine that grows graphs step by step, and at any step may compare adjoints with the sum over paths."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import assume, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, rule
from test_graph_properties import BINARY, SHAPES, UNARY, assert_modes_agree, away_from_kinks, derivative, paths, program

import autodiff as ad
from autodiff.engine.graph import ancestors

fit = st.sampled_from


class Growing(RuleBasedStateMachine):
    """Leaves and results live on: each may be used again, reversed, given a new value, or be forgotten."""

    tensors = Bundle("tensors")

    @initialize(target=tensors, shape=fit(SHAPES), seed=st.integers(0, 2**32 - 1))
    def first(self, shape: tuple[int, ...], seed: int) -> ad.Tensor:
        self.rng = np.random.default_rng(seed)
        self.stale: list[ad.Tensor] = []  # leaves that were assigned to
        return ad.Tensor(self.rng.uniform(-1.5, 1.5, shape))

    @rule(target=tensors, shape=fit(SHAPES))
    def leaf(self, shape: tuple[int, ...]) -> ad.Tensor:
        return ad.Tensor(self.rng.uniform(-1.5, 1.5, shape))

    @rule(target=tensors, function=fit(UNARY), a=tensors)
    def unary(self, function: Any, a: ad.Tensor) -> ad.Tensor:
        return self.kept(function, a)

    @rule(target=tensors, function=fit(BINARY), a=tensors, b=tensors)
    def binary(self, function: Any, a: ad.Tensor, b: ad.Tensor) -> ad.Tensor:
        return self.kept(function, a, b)

    def kept(self, function: Any, *arguments: ad.Tensor) -> ad.Tensor:
        try:
            y = function(*arguments)
        except ValueError:  # shapes that do not broadcast
            assume(False)
        assume(isinstance(y, ad.Tensor) and y.size <= 12 and y.ndim <= 3 and bool(np.all(np.abs(y.value) < 1e3)))
        return y

    @rule(y=tensors)
    def adjoints_are_sums_over_paths(self, y: ad.Tensor) -> None:
        try:
            found = y.adjoints(np.ones(y.shape))
        except RuntimeError:  # something it was computed from was assigned a new value since
            assert self.stale
            return
        assume(paths(y) <= 60 and away_from_kinks(y))
        for x in [t for t in found if t.primitive is None]:
            expected = (np.ones(y.size) @ derivative(y, x)).reshape(x.shape)
            np.testing.assert_allclose(found[x], expected, rtol=1e-5, atol=1e-6)

    @rule(y=tensors)
    def modes_can_be_mixed(self, y: ad.Tensor) -> None:
        try:
            leaves = [node for node in ancestors(y) if node.primitive is None]
        except RuntimeError:  # as above
            return
        assume(paths(y) <= 30)
        assert_modes_agree(y, leaves)  # type: ignore[arg-type]

    @rule(y=tensors)
    def its_program_gives_the_same(self, y: ad.Tensor) -> None:
        try:
            order = ancestors(y)
        except RuntimeError:  # as above
            return
        leaves = [node for node in order if node.primitive is None]
        assume(len(order) <= 30)
        replayed = program(y, leaves)  # type: ignore[arg-type]
        function = ad.value_and_grad(lambda *x: np.sum(replayed(list(x))), tuple(range(len(leaves))))
        values, compiled = [np.array(leaf.primal) for leaf in leaves], ad.compile(function)
        expected, adjoints = function(*values)
        for _ in range(2):  # the first call traces
            found, shares = compiled(*values)
            scale = max(float(np.max(np.abs(g), initial=0.0)) for g in (expected, *adjoints))
            for a, b in zip((found, *shares), (expected, *adjoints), strict=True):
                np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12 * scale)

    @rule(x=tensors)
    def assign(self, x: ad.Tensor) -> None:
        if x.primitive is None:
            x.value = self.rng.uniform(-1.5, 1.5, x.shape)
            self.stale.append(x)


Growing.TestCase.settings = settings(max_examples=60, stateful_step_count=25, derandomize=True)
TestGrowing = Growing.TestCase
