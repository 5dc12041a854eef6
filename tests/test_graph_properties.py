"""Random graphs against an oracle that knows no reverse pass: the sum over all paths of products of Jacobians."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import autodiff as ad
from autodiff.engine.graph import Node, ancestors, between
from autodiff.engine.recording import apply
from autodiff.engine.reverse import adjoints

SHAPES = [(), (1,), (3,), (2, 3), (2, 1), (1, 3), (0,), (2, 0), (2, 2, 1)]

UNARY: list[Callable[[Any], Any]] = [
    np.sin, np.tanh, ad.sigmoid, ad.relu, np.negative, np.square, lambda x: x * x, lambda x: x + x, np.abs,
    np.sum, lambda x: np.sum(x, axis=0) if x.ndim else x, lambda x: np.mean(x, axis=-1, keepdims=True) if x.size else x,
    np.transpose, np.ravel, lambda x: x[None], lambda x: x[..., ::-1] if x.ndim else x,
    lambda x: x[:1] if x.ndim else x,
    lambda x: x[[0, 0, -1]] if x.ndim and len(x) else x, lambda x: x[x.value > 0] if x.ndim == 1 else x,
    lambda x: np.broadcast_to(x, (2, *x.shape)) if x.ndim < 3 else x, lambda x: np.copy(x), lambda x: +x,
    lambda x: x.at[..., :1].set(x[..., -1:] * 2) if x.ndim and x.size else x, lambda x: 2 * x - 0.5, ad.stop_gradient,
    lambda x: np.concatenate([x, x * x], axis=-1) if x.ndim else x, lambda x: np.stack([x, x]) if x.ndim < 3 else x,
]  # fmt: skip
BINARY: list[Callable[[Any, Any], Any]] = [
    np.add, np.subtract, np.multiply, np.matmul, lambda a, b: a / (2.0 + b * b), np.maximum,
    lambda a, b: np.where(a > b, a * b, b), lambda a, b: np.arctan2(a, b * b + 1.0), lambda a, b: np.sum(a) * b,
]  # fmt: skip


@st.composite
def graphs(draw: st.DrawFn) -> tuple[list[ad.Tensor], ad.Tensor]:
    """Leaves, and a Tensor of few elements that was computed from them in up to a dozen steps."""
    seed = draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    shapes = draw(st.lists(st.sampled_from(SHAPES), min_size=1, max_size=3))
    leaves = [ad.Tensor(rng.uniform(-1.5, 1.5, shape)) for shape in shapes]
    nodes: list[Any] = list(leaves)
    for _ in range(draw(st.integers(4, 12))):
        a, b = (nodes[-1 - draw(st.integers(0, len(nodes) - 1))] for _ in range(2))
        step = draw(st.sampled_from([*UNARY, *BINARY]))
        try:
            y = step(a) if step in UNARY else step(a, b)
        except ValueError:  # shapes that do not broadcast
            continue
        if isinstance(y, ad.Tensor) and y.size <= 12 and y.ndim <= 3 and np.all(np.abs(y.value) < 1e3):
            nodes.append(y)
    y = nodes[-1]
    for other in nodes[-4:-1]:
        y = y + np.sum(other)
    return leaves, y


def program(root: ad.Tensor, leaves: list[ad.Tensor]) -> Callable[[list[Any]], Any]:
    """The graph of the root as a function of a list of values for its leaves, which other modes can be asked of."""
    order = [node for node in ancestors(root) if node.primitive is not None]

    def replayed(values: list[Any]) -> Any:
        made: dict[Any, Any] = dict(zip(leaves, values, strict=True))
        for node in order:
            arguments = tuple(made.get(a, a.primal) if isinstance(a, Node) else a for a in node.arguments)
            made[node] = apply(node.primitive, arguments, node.parameters)  # type: ignore[arg-type]
        return made.get(root, root.primal)

    return replayed


def dot(a: list[Any], b: list[Any]) -> Any:
    return sum((np.sum(x * y) for x, y in zip(a, b, strict=True)), 0.0)


def assert_modes_agree(root: ad.Tensor, leaves: list[ad.Tensor]) -> None:
    """Every order of forward and reverse passes gives the same second, third and fourth derivatives."""
    f, x = program(root, leaves), [np.array(leaf.value) for leaf in leaves]
    rng = np.random.default_rng(2)
    u, v, w = ([rng.standard_normal(a.shape) for a in x] for _ in range(3))
    scalar = lambda x: np.sum(np.sin(f(x)) + 0.1 * f(x))  # noqa: E731
    along = lambda g, v: lambda x: ad.jvp(g, (x,), (v,))[1]  # noqa: E731
    slope = along(scalar, v)
    second = {
        "forward over reverse": ad.hvp(scalar, x, v),
        "reverse over forward": ad.grad(slope)(x),
        "reverse over reverse": ad.grad(lambda x: dot(ad.grad(scalar)(x), v))(x),
    }
    third = {
        "forward over forward over reverse": along(lambda x: ad.hvp(scalar, x, v), u)(x),
        "reverse over forward over reverse": ad.grad(lambda x: dot(ad.hvp(scalar, x, v), u))(x),
        "forward over reverse over forward": ad.hvp(slope, x, u),
        "reverse over forward over forward": ad.grad(along(slope, u))(x),
    }
    fourth = {
        "hvp of hvp": ad.hvp(lambda x: dot(ad.hvp(scalar, x, v), u), x, w),
        "reverse over all forward": ad.grad(along(along(slope, u), w))(x),
    }
    for order in (second, third, fourth):
        (first, expected), *others = order.items()
        for name, found in others:
            for a, b in zip(found, expected, strict=True):
                np.testing.assert_allclose(a, b, rtol=1e-7, atol=1e-7, err_msg=f"{name} is not {first}")
    np.testing.assert_allclose(along(slope, u)(x), dot(second["forward over reverse"], u), rtol=1e-7, atol=1e-7)
    one = lambda a: f([a, *x[1:]])  # noqa: E731
    of_tangent = ad.jacobian(along(one, v[0]))(x[0])
    np.testing.assert_allclose(of_tangent, along(ad.jacobian(one), v[0])(x[0]), rtol=1e-7, atol=1e-7)
    np.testing.assert_allclose(of_tangent, ad.jacobian(along(one, v[0]), mode="forward")(x[0]), rtol=1e-7, atol=1e-7)


def rebuilt(node: Node, arguments: list[Any]) -> Any:
    assert node.primitive is not None
    return node.primitive.function(*arguments, **node.parameters)


def local_jacobian(node: Node, position: int) -> np.ndarray:
    """d node / d argument, of shape (node.size, argument.size), by differences."""
    raw = [a.primal if isinstance(a, Node) else a for a in node.arguments]
    x, step = np.asarray(raw[position], float), 1e-6
    columns = []
    for k in range(x.size):
        ahead, behind = x.copy(), x.copy()
        ahead.flat[k] += step
        behind.flat[k] -= step
        ends = (rebuilt(node, [*raw[:position], moved[()], *raw[position + 1 :]]) for moved in (ahead, behind))
        columns.append((np.ravel(next(ends)) - np.ravel(next(ends))) / (2 * step))
    return np.stack(columns, axis=1) if columns else np.zeros((np.size(node.primal), 0))


def derivative(root: Node, leaf: Node) -> np.ndarray:
    """d root / d leaf as a matrix: along every path of the graph the product of Jacobians, all added up."""
    if root is leaf:
        return np.eye(np.size(leaf.primal))
    total = np.zeros((np.size(root.primal), np.size(leaf.primal)))
    for position, argument in enumerate(root.arguments):
        if isinstance(argument, Node):
            total += local_jacobian(root, position) @ derivative(argument, leaf)
    return total


def away_from_kinks(root: Node) -> bool:
    """Whether no choice (relu, abs, maximum) is made at, or near, a tie, where differences mean nothing."""
    for node in ancestors(root):
        raw = [a.primal if isinstance(a, Node) else a for a in node.arguments]
        if node.primitive and node.primitive.name in ("relu", "absolute") and np.any(np.abs(raw[0]) < 1e-4):
            return False
        if node.primitive and node.primitive.name == "maximum" and np.any(np.abs(np.subtract(*raw)) < 1e-4):
            return False
    return True


def paths(root: Node) -> int:
    """How many paths lead from the root to its leaves."""
    count: dict[Node, int] = {}
    for node in ancestors(root):
        count[node] = sum(count[a] for a in node.arguments if isinstance(a, Node)) or 1
    return count[root]


@settings(max_examples=1000, derandomize=True)
@given(graphs())
def test_the_adjoints_of_a_random_graph_are_sums_over_paths(graph: tuple[list[ad.Tensor], ad.Tensor]) -> None:
    leaves, y = graph
    if paths(y) > 200 or not away_from_kinks(y):
        return
    seed = np.random.default_rng(1).standard_normal(y.shape)
    found = y.adjoints(seed)
    for x in leaves:
        expected = (np.ravel(seed) @ derivative(y, x)).reshape(x.shape)
        np.testing.assert_allclose(found.get(x, np.zeros(x.shape)), expected, rtol=1e-5, atol=1e-6)


@settings(max_examples=200, derandomize=True)
@given(graphs())
def test_raw_recorded_pruned_and_repeated_passes_agree_in_every_bit(graph: tuple[list[ad.Tensor], ad.Tensor]) -> None:
    leaves, y = graph
    seed = np.random.default_rng(1).standard_normal(y.shape)[()]
    everything = adjoints(y, seed)
    again = adjoints(y, seed)
    recorded = adjoints(y, ad.Tensor(seed), recorded=True)
    y.backward(seed)
    assert list(everything) == list(again) == list(recorded)
    for node, g in everything.items():
        assert np.shape(g) == node.primal.shape
        assert np.asarray(g).tobytes() == np.asarray(again[node]).tobytes() == recorded[node].value.tobytes()
    for x in leaves:
        if x in everything:
            assert x.grad is not None
            assert x.grad.tobytes() == np.asarray(everything[x]).tobytes()
            pruned = adjoints(y, seed, wrt=[x])
            assert np.asarray(pruned[x]).tobytes() == np.asarray(everything[x]).tobytes()
        else:
            assert x.grad is None


@settings(max_examples=150, derandomize=True)
@given(graphs())
def test_modes_can_be_mixed(graph: tuple[list[ad.Tensor], ad.Tensor]) -> None:
    leaves, y = graph
    assert_modes_agree(y, leaves)


@settings(max_examples=200, derandomize=True)
@given(graphs())
def test_orders_are_topological_and_prunings_are_parts(graph: tuple[list[ad.Tensor], ad.Tensor]) -> None:
    leaves, y = graph
    order = ancestors(y)
    place = {node: k for k, node in enumerate(order)}
    assert len(place) == len(order)
    assert order[-1] is y
    assert all(place[a] < place[node] for node in order for a in node.arguments if isinstance(a, Node))
    for x in leaves:
        on_paths = [
            n for n in order if n is x or any(isinstance(a, Node) and x in set(ancestors(a)) for a in n.arguments)
        ]
        assert [n for n in between([x], y) if n in place] == on_paths
