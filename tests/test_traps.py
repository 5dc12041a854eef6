"""What could go wrong without an error: each trap of the design, sprung on purpose."""

from __future__ import annotations

import decimal
import math
import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from garbage import no_garbage
from numpy.lib.mixins import NDArrayOperatorsMixin

import autodiff as ad
from autodiff.engine.graph import Node, between
from autodiff.engine.reverse import adjoints

array = np.array


def spied(function: Callable[..., Any], *rules: Callable[..., Any]) -> tuple[Callable[..., Any], list[Any]]:
    """The function, a primitive, with rules that note what they are shown."""
    shown: list[Any] = []

    def noting(rule: Callable[..., Any]) -> Callable[..., Any]:
        def noted(g: Any, y: Any, *arguments: Any) -> Any:
            shown.append((g, y, *arguments))
            return rule(g, y, *arguments)

        return noted

    spy = function if isinstance(function, np.ufunc) else ad.primitive(function)
    ad.adjoint(spy, *map(noting, rules))
    return spy, shown


def product(a: Any, b: Any) -> Any:
    return a * b


PRODUCTS = pytest.mark.parametrize("function", [product, np.multiply])
FACTORS = (lambda g, y, a, b: g * b, lambda g, y, a, b: g * a)


# -- 1: all Tensors or all raw ----------------------------------------------------------------------------------


@PRODUCTS
@pytest.mark.parametrize("shape", [(), (3,)])
def test_a_rule_is_shown_all_raw_or_all_tensors(shape: tuple[int, ...], function: Any) -> None:
    spy, shown = spied(function, *FACTORS)
    a, b = ad.Tensor(np.full(shape, 2.0)), ad.Tensor(np.full(shape, 3.0))
    y = spy(a, b)
    adjoints(y, np.ones(shape))
    assert len(shown) == 2
    assert not any(isinstance(part, Node) for parts in shown for part in parts)
    shown.clear()
    adjoints(y, ad.Tensor(np.ones(shape)), recorded=True)
    assert len(shown) == 2
    assert all(isinstance(part, ad.Tensor) for parts in shown for part in parts)
    assert all(parts[1] is y and parts[2] is a and parts[3] is b for parts in shown)


@pytest.mark.parametrize(
    ("f", "expected"),
    [(np.exp, 1.0), (np.log1p, 2.0), (np.tan, 2.0), (lambda x: x * x * x, 6.0), (lambda x: 1 / (1 - x), 6.0)],
)
def test_third_derivatives_at_zero(f: Any, expected: float) -> None:
    assert ad.grad(ad.grad(ad.grad(f)))(0.0) == pytest.approx(expected)


# -- 2: float32 is not widened ----------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(), (2,)])
def test_python_numbers_are_not_boxed(shape: tuple[int, ...]) -> None:
    t = ad.Tensor(np.full(shape, 1.5), dtype=np.float32)
    for compute in (operator.add, operator.sub, operator.mul, operator.truediv, operator.pow):
        for number in (2.0, 3, True):
            for y in (compute(t, number), compute(number, t)):
                assert y.dtype == np.float32
                assert any(a is number for a in y.arguments)
                assert y.adjoints(np.ones(shape, np.float32))[t].dtype == np.float32
    assert np.multiply(t, 2.0).dtype == np.maximum(0.0, t).dtype == np.float32


def test_recorded_adjoints_are_float32_all_the_way() -> None:
    x = ad.Tensor([[0.3, 1.2], [2.0, 0.7]], dtype=np.float32)
    y = np.mean(np.log2(x) ** 2 + np.log10(x)) + np.var(x) + np.prod(x) + ad.logsumexp(x) + np.max(2.0**x)
    g = adjoints(y, ad.Tensor(np.float32(1)), wrt=[x], recorded=True)[x]
    assert {node.dtype for node in between([x], g)} == {np.dtype(np.float32)}


# -- 3: no way out that loses the derivative --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("escape", "instead"),
    [
        (np.asarray, ".value"), (np.array, ".value"), (lambda t: np.array([t, t]), ".value"), (float, ".item()"),
        (int, ".item()"), (complex, ".item()"), (math.sin, ".item()"), (math.floor, ".item()"), (range, ".item()"),
        (lambda t: np.sum([t, t]), ".value"), (lambda t: np.zeros(1).__setitem__(slice(None), t), ".value"),
        (np.zeros(3).take, ".value"), (lambda t: [1, 2][t], ".item()"),
    ],
)  # fmt: skip
def test_conversions_are_refused(escape: Callable[..., Any], instead: str) -> None:
    with pytest.raises(TypeError, match=rf"Tensor 'speed' of shape \(\) and dtype float64.*Use .*{instead}"):
        escape(ad.Tensor(1.0, name="speed"))


def test_writing_a_tensor_into_an_array_is_refused() -> None:
    t, target = ad.Tensor([1.0, 2.0]), np.zeros(2)
    with pytest.raises(TypeError, match=r"np.add was called with out="):
        target += t
    with pytest.raises(TypeError, match=r"np.exp was called with out="):
        np.exp(t, out=target)
    with pytest.raises(TypeError, match=r"np.sum was called with out="):
        np.sum(t, axis=0, out=target)
    for function in (np.negative, np.isfinite, np.floor):
        with pytest.raises(TypeError, match=r"was called with .*out="):
            function(target, out=t)
    with pytest.raises((TypeError, ValueError)):
        target[0] = t[0]
    np.testing.assert_array_equal(target, [0, 0])


@pytest.mark.parametrize(
    ("call", "keyword"),
    [
        (lambda t: np.add(t, 1, where=array([True, False])), "where"),
        (lambda t: np.exp(t, casting="anything"), "casting"),
        (lambda t: np.einsum("i->", t, dtype=np.float32), "dtype"),
        (lambda t: np.matmul(t, t, axes=[(0,), (0,), ()]), "axes"),
        (lambda t: np.einsum("i->", t, order="Z"), "order"),
    ],
)
def test_unknown_keywords_are_refused_by_name(call: Callable[..., Any], keyword: str) -> None:
    with pytest.raises(TypeError, match=rf"np\.\w+ was called with {keyword}=.*which its adjoint rule does not cover"):
        call(ad.Tensor([1.0, 2.0]))


def test_what_says_how_a_result_lies_in_memory_is_taken() -> None:
    t = ad.Tensor([1.0, 2.0])
    for call in (
        lambda: np.exp(t, casting="unsafe", order="F", subok=False),
        lambda: np.concatenate([t, t], casting="unsafe"),
        lambda: np.einsum("i->i", t, order="F"),
        lambda: np.copy(t, order="C"),
    ):
        assert type(call()) is ad.Tensor


# -- 4: adjoints that are shared, or views ----------------------------------------------------------------------


def test_a_shared_adjoint_is_not_added_into() -> None:
    a, b, seed = ad.Tensor([1.0]), ad.Tensor([1.0]), array([1.0])
    total = a + b
    y = (total + a) + (total + a)
    y.backward(seed)
    assert (a.grad, b.grad, seed) == (4, 2, 1)
    a.grad += 10
    y.backward(seed)
    assert (a.grad, b.grad, seed) == (18, 4, 1)


def test_a_read_only_view_is_not_added_into() -> None:
    x = ad.Tensor(np.ones(3))
    for first, second in ((np.sum(x), np.sum(x * x)), (np.sum(x * x), np.sum(x)), (np.sum(x), np.sum(x))):
        x.grad = None
        (first + second + np.mean(x)).backward()
        assert x.grad is not None
        x.grad += 1  # the leaf's own, in one piece
        assert x.grad.strides == (8,)


def test_every_leaf_owns_its_adjoint() -> None:
    a, b, c = (ad.Tensor(np.zeros(3)) for _ in range(3))
    seed = np.ones(3)
    (a + b + c).backward(seed)
    for x in (a, b, c):
        assert not np.shares_memory(x.grad, seed)
        assert not any(np.shares_memory(x.grad, other.grad) for other in {a, b, c} - {x})


def test_the_adjoint_of_the_root_is_not_the_callers_array() -> None:
    x, seed = ad.Tensor([1.0, 2.0]), np.ones(2)
    x.backward(seed)
    x.backward(seed)
    np.testing.assert_array_equal(x.grad, [2, 2])
    np.testing.assert_array_equal(seed, [1, 1])


# -- 5: only ufuncs are unbroadcast -----------------------------------------------------------------------------


@pytest.mark.parametrize("recorded", [False, True])
def test_a_rule_in_the_wrong_shape_is_an_error_that_names_it(recorded: bool) -> None:
    outer = ad.primitive(lambda a, b: a[:, None] * b)
    outer.__name__ = "outer_product"
    ad.adjoint(outer, lambda g, y, a, b: g * b, lambda g, y, a, b: np.sum(g * a[:, None], axis=0))
    a, b = ad.Tensor(np.ones(3), name="a"), ad.Tensor(np.ones(4))
    y = outer(a, b)
    seed = np.ones((3, 4))
    with pytest.raises(ValueError, match=r"adjoint rule of .* returned shape \(3, 4\) for Tensor 'a' of shape \(3,\)"):
        adjoints(y, ad.Tensor(seed) if recorded else seed, recorded=recorded)


# -- 6: a nested derivative visits its own part of the graph only -----------------------------------------------


def test_a_nested_derivative_does_not_go_below_its_variables() -> None:
    below, shown = spied(np.sin, lambda g, y, x: g * np.cos(x))
    outer = below(ad.Tensor(0.5))
    outer.arguments = None  # type: ignore[assignment]  # reading it would fail
    inner = ad.grad(lambda v: v * v * outer)(outer)
    assert inner == 2 * outer.value**2
    assert not shown


def test_a_branch_that_does_not_lead_to_the_variable_is_left_alone() -> None:
    beside, shown = spied(np.sin, lambda g, y, x: g * np.cos(x))
    w = ad.Tensor(0.5)
    slope = ad.grad(lambda v: beside(w) * v * beside(v))(2.0)
    assert len(shown) == 1
    assert slope.value == pytest.approx(np.sin(0.5) * (np.sin(2.0) + 2 * np.cos(2.0)))


@PRODUCTS
@pytest.mark.parametrize("recorded", [False, True])
def test_a_rule_whose_adjoint_nobody_asked_for_is_not_run(recorded: bool, function: Any) -> None:
    spy, shown = spied(function, *FACTORS)
    a, b = ad.Tensor(2.0), ad.Tensor(3.0)
    found = adjoints(spy(a, b), ad.Tensor(1.0) if recorded else np.float64(1), wrt=[b], recorded=recorded)
    assert list(found)[-1] is b
    assert len(shown) == 1


def test_only_the_paths_between_are_visited() -> None:
    w = ad.Tensor(1.0)
    for _ in range(100):
        w = np.sin(w)
    x = ad.Tensor(2.0)
    y = (x * w) + x
    assert between([x], y) == [x, y.arguments[0], y]


# -- 7: a parameter written between forward and backward --------------------------------------------------------


@pytest.mark.parametrize("value", [1.0, [1.0, 2.0]])
def test_a_leaf_assigned_after_its_use_stops_the_pass(value: Any) -> None:
    w = ad.Tensor(value, name="weight")
    y = np.sum(w * w + 1)
    w.value = w.value * 5
    for ask in (y.backward, y.adjoints, lambda: ad.grad(lambda v: v * y)(2.0).backward()):
        with pytest.raises(RuntimeError, match=r"Tensor 'weight' of shape .* was assigned a new value after multiply"):
            ask()
    assert w.grad is None
    np.sum(w * w + 1).backward()
    np.testing.assert_array_equal(w.grad, 2 * w.value)


def test_a_flat_written_after_its_use_stops_the_pass() -> None:
    w = ad.Tensor([1.0, 2.0], name="weight")
    flat = ad.Flat([w])
    y = np.sum(w * w)
    flat.value *= 5
    flat.assigned()
    with pytest.raises(RuntimeError, match="'weight'"):
        y.backward()


# -- 8: NaN from the branch not taken ---------------------------------------------------------------------------


def test_where_multiplies_zero_by_infinity_and_the_double_where_does_not() -> None:
    with np.errstate(all="ignore"):
        assert np.isnan(ad.grad(lambda x: np.where(x > 0, np.log(x), 0.0))(0.0))
    safe = ad.grad(lambda x: np.where(x > 0, np.log(np.where(x > 0, x, 1.0)), 0.0))
    assert (safe(0.0), safe(2.0)) == (0, 0.5)


# -- 9: the shape of the work -----------------------------------------------------------------------------------


def test_both_parents_of_a_square_are_kept() -> None:
    x = ad.Tensor(3.0)
    y = x * x
    assert y.arguments == (x, x)
    assert y.adjoints()[x] == 6


@pytest.mark.parametrize("recorded", [False, True])
def test_twenty_diamonds_are_twenty_steps(recorded: bool) -> None:
    add, shown = spied(lambda a, b: a + b, lambda g, y, a, b: g, lambda g, y, a, b: g)
    x = y = ad.Tensor(1.0)
    for _ in range(20):
        y = add(y, y)
    found = adjoints(y, ad.Tensor(1.0) if recorded else np.float64(1), recorded=recorded)
    assert float(getattr(found[x], "value", found[x])) == 2**20
    assert len(shown) == 40


def test_a_million_operations_in_a_row() -> None:
    x = y = ad.Tensor(1.0)
    for _ in range(500_000):
        y = -(y * 1.0)
    y.backward()
    assert x.grad == 1
    del y  # freed without recursion
    z = x
    for _ in range(20_000):
        z = z * 1.0
    g = adjoints(z, ad.Tensor(1.0), wrt=[x], recorded=True)[x]
    assert g.value == 1
    del z, g


def test_a_training_step_leaves_no_cycles() -> None:
    rng = np.random.default_rng(0)
    w, b, x = ad.Tensor(rng.normal(size=(3, 2))), ad.Tensor(np.zeros(2)), rng.normal(size=(4, 3))

    def step() -> None:
        hidden = ad.relu(np.concatenate([x @ w + b, x[:, [0, 0]]], axis=1))
        loss = np.mean(np.var(ad.log_softmax(hidden), axis=1)) + np.einsum("ij,ij->", w, w)
        loss.backward()
        ad.grad(lambda v: np.sum(np.tanh(v @ v.T)))(x)
        ad.hessian(lambda v: np.prod(v))(x[0])
        w.value = w.value - 0.1 * w.grad
        w.grad = None

    step()
    with no_garbage():
        step()


def test_the_same_program_gives_the_same_bits() -> None:
    def program() -> bytes:
        rng = np.random.default_rng(0)
        x = ad.Tensor(rng.normal(size=5))
        parts = [np.sin(x * float(k)) * 10.0 ** (k - 5) for k in range(12)]
        y = sum(parts[k] * parts[-k] for k in range(12))
        return np.sum(y * y).adjoints()[x].tobytes()

    clutter: list[Any] = []
    results = set()
    for k in range(10):  # addresses, and so hashes, differ from run to run
        clutter.append([object() for _ in range(k * 7)])
        results.add(program())
    assert len(results) == 1


# -- 10: operators go straight to the record --------------------------------------------------------------------

BINARY = [operator.add, operator.sub, operator.mul, operator.truediv, operator.pow, operator.matmul]
COMPARING = [operator.eq, operator.ne, operator.lt, operator.le, operator.gt, operator.ge]


def test_operators_do_not_pass_through_the_ufunc_door(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ad.Tensor, "__array_ufunc__", None)
    x = ad.Tensor([1.0, 2.0])
    for compute in (*BINARY, *COMPARING):
        compute(x, x)
        compute(x, [3.0, 4.0])
        compute([3.0, 4.0], x)
    assert [y.primitive.name for y in (-x, +x, abs(x))] == ["negative", "positive", "absolute"]
    assert not issubclass(ad.Tensor, NDArrayOperatorsMixin)


# -- 11: gather and scatter -------------------------------------------------------------------------------------


def test_indexing_twice_adds_up_at_every_order() -> None:
    x = ad.Tensor([1.0, 2.0, 3.0])
    np.testing.assert_array_equal(np.sum(x[[0, 0, 2]]).adjoints()[x], [2, 0, 1])
    cubes = lambda x: np.sum(x[[0, 0, 2]] ** 3)  # noqa: E731
    np.testing.assert_array_equal(ad.hessian(cubes)(x.value), np.diag([12, 0, 18]))
    third = ad.jacobian(ad.hessian(cubes))(x.value)
    assert (third[0, 0, 0], third[2, 2, 2], np.sum(third)) == (12, 6, 18)


def test_the_adjoint_of_a_gather_is_a_scatter_and_back() -> None:
    x = ad.Tensor([1.0, 2.0, 3.0])
    y = x[[0, 0, 2]]
    seed = ad.Tensor([1.0, 2.0, 3.0])
    g = adjoints(y, seed, recorded=True)[x]
    assert (y.primitive.name, g.primitive.name) == ("gather", "scatter")
    assert adjoints(g, ad.Tensor(np.ones(3)), recorded=True)[seed].primitive.name == "gather"


# -- 12: Tensors inside lists -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "f",
    [
        lambda t: np.concatenate([t, array([5.0])]), lambda t: np.concatenate((array([5.0]), t), axis=None),
        lambda t: np.concatenate([t, t]), lambda t: np.stack([t, t * 0]),
        lambda t: np.stack(arrays=(np.zeros(2), t)), lambda t: np.einsum("i,i->i", [1.0, 1.0], t),
        lambda t: np.where([True, True], t, [1.0, 2.0]),
    ],
)  # fmt: skip
def test_a_tensor_in_a_list_is_seen(f: Callable[..., Any]) -> None:
    t = ad.Tensor([1.0, 2.0])
    y = f(t)
    assert type(y) is ad.Tensor
    assert np.all(y.adjoints(np.ones(y.shape))[t] >= 1)


# -- 13: declared operand types only ----------------------------------------------------------------------------

FOREIGN: list[Any] = [
    *("two", b"two", None, object(), {1.0}, {"a": 1.0}, decimal.Decimal(2), iter([1.0]), ["one", "two"], [None, 1.0]),
    *(array(["a", "b"]), array([None, 1.0]), np.datetime64("2020-01-01")),
]


@pytest.mark.parametrize("other", FOREIGN, ids=lambda other: type(other).__name__)
@pytest.mark.parametrize("compute", BINARY)
def test_operators_leave_other_types_alone(compute: Callable[..., Any], other: Any) -> None:
    t = ad.Tensor([1.0, 2.0])
    name = f"__{compute.__name__}__"
    assert getattr(t, name)(other) is NotImplemented
    assert getattr(t, f"__r{name[2:]}")(other) is NotImplemented
    for left, right in ((t, other), (other, t)):
        with pytest.raises(TypeError):
            compute(left, right)


@pytest.mark.parametrize("other", FOREIGN, ids=lambda other: type(other).__name__)
def test_ufuncs_leave_other_types_alone(other: Any) -> None:
    with pytest.raises(TypeError):
        np.multiply(ad.Tensor([1.0, 2.0]), other)


def test_another_type_gets_its_turn() -> None:
    class Foreign:
        def __radd__(self, other: Any) -> str:
            return "mine"

        __rmatmul__ = __rpow__ = __radd__

    t = ad.Tensor([1.0])
    assert t + Foreign() == t @ Foreign() == t ** Foreign() == "mine"


def test_array_subclasses_with_a_meaning_of_their_own_are_not_taken_for_plain_arrays() -> None:
    masked = np.ma.masked_array([1.0, 2.0], mask=[False, True])
    with pytest.raises(TypeError):
        ad.Tensor([1.0, 2.0]) * masked
    with pytest.raises(TypeError):
        np.multiply(masked, ad.Tensor([1.0, 2.0]))
    with pytest.raises(TypeError):
        ad.Tensor(masked)


@pytest.mark.parametrize(
    "other",
    [
        array([3.0, 4.0]), array([3, 4]), array([True, True]), array([3, 4], np.uint8), [3.0, 4], (3, 4.0), 2, 2.5,
        True, np.float64(2), np.float32(2), np.int8(2), np.bool_(True), array(2.0), ad.Tensor(2.0),
        ad.Tensor([3.0, 4.0]),
    ],
    ids=repr,
)  # fmt: skip
@pytest.mark.parametrize("compute", BINARY[:-1])
def test_declared_operands_are_taken_from_both_sides(compute: Callable[..., Any], other: Any) -> None:
    t = ad.Tensor([1.0, 2.0])
    plain = other.value if isinstance(other, ad.Tensor) else np.asarray(other) if np.ndim(other) else other
    for y, expected in ((compute(t, other), compute(t.value, plain)), (compute(other, t), compute(plain, t.value))):
        assert type(y) is ad.Tensor
        np.testing.assert_array_equal(y.value, expected)
        assert y.adjoints(np.ones(2))[t].shape == (2,)
