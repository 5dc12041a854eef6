"""The properties that every rule has, each over every record of cases.py."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from cases import cases, declared
from record import Case
from sweep import for_each

import autodiff as ad
from autodiff.engine.graph import Node, ancestors
from autodiff.engine.reverse import adjoints
from autodiff.engine.table import of_kind, table

over_cases = for_each(cases)


def seeded(y: Any) -> Any:
    return np.random.default_rng(7).standard_normal(y.shape).astype(y.dtype)[()]


def adjoints_of(case: Case, arrays: tuple[Any, ...], recorded: bool = False) -> list[Any]:
    inputs = [ad.Tensor(x) for x in arrays]
    y = case(*inputs)
    seed = ad.Tensor(seeded(y)) if recorded else seeded(y)
    found = adjoints(y, seed, wrt=inputs, recorded=recorded)
    return [found[x] for x in inputs]


@over_cases
def test_value_is_numpys(case: Case) -> None:
    y, expected = case(*map(ad.Tensor, case.arrays)), case(*case.arrays)
    assert type(y) is ad.Tensor
    assert not isinstance(expected, Node)
    assert (y.shape, y.dtype) == (np.shape(expected), np.asarray(expected).dtype)
    np.testing.assert_allclose(y.value, expected, rtol=1e-14, atol=1e-15)
    if case.reference:
        np.testing.assert_allclose(y.value, case.reference(*case.arrays, **case.parameters), rtol=1e-12)


@over_cases
def test_adjoints_and_their_own_adjoints_are_difference_quotients(case: Case) -> None:
    ad.check_grads(case, *case.arrays, order=3 if max(x.size for x in case.arrays) in (3, 6) else 2)


@over_cases
def test_forward_and_reverse_agree(case: Case) -> None:
    rng = np.random.default_rng(8)
    tangents = tuple(rng.standard_normal(x.shape) for x in case.arrays)
    y, moved = ad.jvp(case, case.arrays, tangents)
    forward = np.sum(seeded(y) * moved)
    reverse = sum(np.sum(g * t) for g, t in zip(adjoints_of(case, case.arrays), tangents, strict=True))
    assert moved.shape == y.shape
    np.testing.assert_allclose(forward, reverse, rtol=1e-10, atol=1e-12)


@over_cases
def test_raw_and_recorded_adjoints_are_the_same_bits(case: Case) -> None:
    for raw, recorded in zip(adjoints_of(case, case.arrays), adjoints_of(case, case.arrays, True), strict=True):
        assert isinstance(recorded, ad.Tensor)
        assert not isinstance(raw, Node)
        assert np.asarray(raw).tobytes() == recorded.value.tobytes()


@over_cases
def test_float32_stays_float32(case: Case) -> None:
    arrays = tuple(x.astype(np.float32) for x in case.arrays)
    ours = getattr(case.function, "__module__", "numpy").startswith("autodiff")
    assert case(*map(ad.Tensor, arrays)).dtype == (np.float32 if ours else case(*arrays).dtype)
    for single, double in zip(adjoints_of(case, arrays), adjoints_of(case, case.arrays), strict=True):
        assert single.dtype == np.float32
        np.testing.assert_allclose(single, double, rtol=1e-3, atol=1e-3)


@over_cases
def test_a_rule_shown_float32_returns_float32(case: Case) -> None:
    # The pass casts what a rule returns, so a float64 scalar inside one (trap 2) shows only here, and as lost time.
    for node in ancestors(case(*(ad.Tensor(x.astype(np.float32)) for x in case.arrays))):
        raw = [a.primal if isinstance(a, Node) else a for a in node.arguments]
        if not any(getattr(x, "dtype", None) in (np.float64, np.longdouble) for x in (*raw, node.primal)):
            for rule, argument in zip(node.primitive.rules if node.primitive else (), node.arguments, strict=False):
                if rule and isinstance(argument, Node):
                    g = 0 * seeded(node.primal)  # a seed that a rule cannot refuse
                    share = rule(g, node.primal, *raw, **node.parameters)
                    assert share.dtype in (np.float32, np.complex64), node


def strided(x: np.ndarray) -> Iterator[np.ndarray]:
    """The same numbers, laid out otherwise: axes reversed in memory, every second of a larger array, backwards."""
    yield np.array(x, order="F")
    larger = np.full([2 * n for n in x.shape], np.nan)
    larger[tuple(slice(None, None, 2) for _ in x.shape)] = x
    yield larger[tuple(slice(None, None, 2) for _ in x.shape)]
    yield np.flip(np.flip(x).copy())


@for_each([c for c in cases if max(x.ndim for x in c.arrays)])
def test_the_layout_in_memory_does_not_matter(case: Case) -> None:
    value = case(*map(ad.Tensor, case.arrays)).value
    expected = adjoints_of(case, case.arrays)
    for arrays in zip(*map(strided, case.arrays), strict=True):
        inputs = [borrowed(x) for x in arrays]
        y = case(*inputs)
        np.testing.assert_allclose(y.value, value, rtol=1e-13, atol=1e-15)
        found = adjoints(y, np.asarray(seeded(y), order="F")[()], wrt=inputs)
        for x, g in zip(inputs, expected, strict=True):
            np.testing.assert_allclose(found[x], g, rtol=1e-12, atol=1e-14)


def borrowed(x: np.ndarray) -> ad.Tensor:
    """A Tensor with this very array, layout included, read-only."""
    tensor = ad.Tensor(x)
    if x.ndim:
        x.flags.writeable = False
        tensor.primal = x
    return tensor


@over_cases
def test_nothing_is_written_into(case: Case) -> None:
    inputs = [borrowed(x.copy()) for x in case.arrays]
    y = case(*inputs)
    seed = np.array(seeded(y))
    seed.flags.writeable = False
    y.adjoints(seed)
    assert all(np.array_equal(t.value, x) for t, x in zip(inputs, case.arrays, strict=True))


@over_cases
def test_plain_arrays_and_no_grad_give_plain_arrays(case: Case) -> None:
    with ad.no_grad():
        unrecorded = case(*map(ad.Tensor, case.arrays))
    plain = case(*case.arrays)
    assert isinstance(plain, np.ndarray | np.generic)
    assert isinstance(unrecorded, np.ndarray | np.generic)
    np.testing.assert_allclose(unrecorded, plain, rtol=1e-14, atol=1e-15)


@for_each([c for c in cases if len(c.arrays) > 1])
def test_a_plain_array_is_a_constant(case: Case) -> None:
    everything = adjoints_of(case, case.arrays)
    for k, expected in enumerate(everything):
        x = ad.Tensor(case.arrays[k])
        y = case(*case.arrays[:k], x, *case.arrays[k + 1 :])
        assert {n for n in ancestors(y) if n.primitive is None} == {x}
        # A solver takes other steps for another set of unknowns; all else gives the same bits.
        np.testing.assert_allclose(y.adjoints(seeded(y))[x], expected, rtol=1e-8 if "odeint" in case.name else 0)


def test_every_function_of_the_table_has_a_case() -> None:
    deprecated = {"trapz"}  # np.trapezoid is its new name, and calling the old one warns
    assert {f.__name__ for f in set(declared) - {case.function for case in cases}} - deprecated == set()


def test_every_case_uses_its_function() -> None:
    for case in cases:
        if case.function in declared and case.function not in of_kind("composed"):
            used = {n.primitive for n in ancestors(case(*map(ad.Tensor, case.arrays)))}
            assert table[case.function] in used, case
