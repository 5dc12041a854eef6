"""Forward mode, Hessian-vector products and checkpoints."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest

import autodiff as ad
from autodiff.engine.reverse import adjoints

rng = np.random.default_rng(3)
x0, v0 = rng.normal(size=5), rng.normal(size=5)


def test_a_tangent_is_the_derivative_along_a_direction() -> None:
    y, t = ad.jvp(lambda x: np.sin(x) * x, (x0,), (v0,))
    np.testing.assert_allclose(y, np.sin(x0) * x0)
    np.testing.assert_allclose(t, (np.cos(x0) * x0 + np.sin(x0)) * v0)
    assert type(y) is type(t) is np.ndarray


def test_several_arguments_nests_and_numbers() -> None:
    def f(w: Any, s: float) -> Any:
        return {"product": w["a"] @ w["b"], "shift": [s * w["a"]]}

    w = {"a": np.eye(2) + 1.0, "b": np.array([1.0, -2.0])}
    dw = {"a": np.array([[0.0, 1.0], [2.0, 0.0]]), "b": np.array([0.5, 0.5])}
    y, t = ad.jvp(f, (w, 3.0), (dw, 0.1))
    np.testing.assert_allclose(y["product"], w["a"] @ w["b"])
    np.testing.assert_allclose(t["product"], dw["a"] @ w["b"] + w["a"] @ dw["b"])
    np.testing.assert_allclose(t["shift"][0], 0.1 * w["a"] + 3.0 * dw["a"])


def test_a_result_that_does_not_depend_moves_nowhere() -> None:
    y, t = ad.jvp(lambda x: np.ones(3), (x0,), (v0,))
    np.testing.assert_array_equal((y, t), (np.ones(3), np.zeros(3)))
    assert ad.jvp(lambda x: np.sum(np.floor(x) * 2.0), (x0,), (v0,))[1] == 0


def test_forward_over_forward_and_over_reverse_are_the_second_derivative() -> None:
    def f(x: Any) -> Any:
        return np.sum(np.exp(x) * np.cumsum(x) if hasattr(x, "cumsum") else np.exp(x) * x) + np.prod(x)

    matrix = ad.hessian(f)(x0)
    twice = ad.jvp(lambda x: ad.jvp(f, (x,), (v0,))[1], (x0,), (v0,))[1]
    np.testing.assert_allclose(twice, v0 @ matrix @ v0, rtol=1e-12)
    np.testing.assert_allclose(ad.hvp(f, x0, v0), matrix @ v0, rtol=1e-12)
    np.testing.assert_allclose(ad.grad(lambda x: ad.jvp(f, (x,), (v0,))[1])(x0), matrix @ v0, rtol=1e-12)


def test_variables_of_two_levels_are_kept_apart() -> None:
    inner = lambda x: ad.jvp(lambda y: x + y, (1.0,), (1.0,))[1]  # noqa: E731  # the classic, as it is written
    assert ad.jvp(lambda x: x * inner(x), (2.0,), (1.0,))[1] == 1.0


def test_a_hessian_vector_product_never_forms_the_hessian() -> None:
    n = 100_000
    x = np.linspace(-1, 1, n)
    v = np.cos(np.arange(n))
    tracemalloc.start()
    product = ad.hvp(lambda x: np.sum(x**4) + np.sum(x) ** 2, x, v)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    np.testing.assert_allclose(product, 12 * x**2 * v + 2 * v.sum(), rtol=1e-10)
    assert peak < 60 * x.nbytes


def test_what_jvp_refuses() -> None:
    with pytest.raises(TypeError, match=r"arguments as a tuple"):
        ad.jvp(np.sin, x0, v0)
    with pytest.raises(ValueError, match=r"shape of its argument: \[\(5,\)\]; received \[\(4,\)\]"):
        ad.jvp(np.sin, (x0,), (v0[:4],))
    with pytest.raises(ValueError, match=r"nests of one structure.*keys \[0\] and one with the keys \[0, 1\]"):
        ad.jvp(np.sin, (x0,), (v0, v0))
    with pytest.raises(ValueError, match="nests of one structure"):
        ad.jvp(lambda d: d["a"], ({"a": x0},), ([v0],))


def test_tangents_belong_to_arguments_by_name() -> None:
    f = lambda d: d["a"] ** 2 * d["b"]  # noqa: E731  # as it is written
    assert ad.jvp(f, ({"a": 2.0, "b": 3.0},), ({"b": 0.0, "a": 1.0},))[1] == 12.0


def test_a_pullback_can_be_differentiated_by_its_seed() -> None:
    _, pullback = ad.vjp(np.sin, x0)
    np.testing.assert_allclose(ad.jacobian(lambda seed: pullback(seed)[0])(v0), np.diag(np.cos(x0)))
    assert isinstance(pullback(ad.Tensor(v0))[0], ad.Tensor)


def test_the_cost_of_forward_mode_does_not_grow_with_the_number_of_results() -> None:
    calls = []
    spy = ad.primitive(lambda x: x * 2.0)
    ad.adjoint(spy, lambda g, y, x: calls.append(1) or g * 2.0)

    def rungs(x: Any) -> Any:
        ladder = [spy(x)]
        for _ in range(9):
            ladder.append(spy(ladder[-1]))
        return ladder

    moved = ad.jvp(rungs, (x0,), (v0,))[1]
    np.testing.assert_allclose(moved[-1], 1024 * v0)
    assert len(calls) == 10


# -- checkpoints ------------------------------------------------------------------------------------------------


def layers(count: int) -> Any:
    return lambda x: x if count == 0 else layers(count - 1)(np.tanh(x * 1.01))


def test_a_checkpoint_changes_no_derivative() -> None:
    scale = ad.Tensor(1.5, name="scale")

    def f(x: Any, y: Any) -> Any:
        return np.sum(np.sin(x) * scale * y)

    def adjoints_with(function: Any) -> list[Any]:
        x, y, scale.grad = ad.Tensor(x0), ad.Tensor(v0), None
        (function(x * 2.0, y) * function(y, x)).backward()
        return [x.grad, y.grad, scale.grad]

    for ours, plain in zip(adjoints_with(ad.checkpoint(f)), adjoints_with(f), strict=True):
        np.testing.assert_allclose(ours, plain, rtol=1e-14)


def test_a_checkpoint_is_one_node_and_counts_what_depends_on_what_once() -> None:
    x = ad.Tensor(2.0)
    y = x * x
    z = ad.checkpoint(lambda a: a * y * x)(y)  # reads y twice, and x, on which y depends
    assert [a is b for a, b in zip(z.arguments, (y, x), strict=True)] == [True, True]
    z.backward()
    assert x.grad == 5 * 2.0**4


def test_checkpoints_to_higher_orders_and_forward() -> None:
    f = ad.checkpoint(lambda x: np.sum(np.sin(x) ** 3))
    g = lambda x: np.sum(np.sin(x) ** 3)  # noqa: E731  # the same without
    np.testing.assert_allclose(ad.hessian(f)(x0), ad.hessian(g)(x0), rtol=1e-13)
    np.testing.assert_allclose(ad.hvp(f, x0, v0), ad.hvp(g, x0, v0), rtol=1e-13)
    np.testing.assert_allclose(ad.jvp(f, (x0,), (v0,))[1], ad.jvp(g, (x0,), (v0,))[1], rtol=1e-13)


@pytest.mark.parametrize("f", [np.sin, np.multiply, np.matmul])
def test_a_function_of_numpy_can_be_a_checkpoint(f: Any) -> None:
    arguments = [ad.Tensor(x0)] if f is np.sin else [ad.Tensor(x0), ad.Tensor(v0)]
    ad.checkpoint(f)(*arguments).sum().backward()
    for position, t in enumerate(arguments):
        plain = ad.grad(lambda *a: np.sum(f(*a)), position)(*(a.value for a in arguments))
        np.testing.assert_allclose(t.grad, plain)


def test_checkpoints_of_nothing_to_remember() -> None:
    double = ad.checkpoint(lambda x: x * 2.0)
    np.testing.assert_array_equal(double(x0), x0 * 2)
    with ad.no_grad():
        assert type(double(ad.Tensor(x0))) is np.ndarray
    t = ad.Tensor(x0)
    assert ad.checkpoint(lambda x: x)(t) is t


def test_memory_falls_with_the_square_root_of_the_depth() -> None:
    """200 layers of 100,000 numbers: plain, in 14 pieces of 14 layers, and nested once more."""
    x = np.full(100_000, 0.3)

    def peak(function: Any) -> float:
        tensor = ad.Tensor(x)
        tracemalloc.start()
        function(tensor).sum().backward()
        used = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return used / x.nbytes

    def pieces(count: int, function: Any) -> Any:
        return lambda t: t if count == 0 else pieces(count - 1, function)(ad.checkpoint(function)(t))

    plain, cut = peak(layers(196)), peak(pieces(14, layers(14)))
    nested = peak(pieces(6, pieces(6, layers(6))))
    assert plain > 390  # two arrays a layer
    assert cut < 60  # 14 borders, and 14 layers at a time
    assert nested < 45


def state(x: Any, w: Any) -> Any:
    """What a recurrent cell returns: several arrays, of several kinds, and what it was given."""
    h = np.tanh(x * w)
    return {"h": h, "c": (h * np.sum(w), h.astype(np.float32)), "x": x, "n": 3}


def loss_of_state(out: Any) -> Any:
    return np.sum(out["h"] * out["c"][0]) + np.sum(np.sin(out["c"][1])) + np.sum(out["x"]) * out["n"]


def test_a_checkpoint_of_several_results() -> None:
    x, w = ad.Tensor(x0), ad.Tensor(np.array(0.7), name="w")
    plain, out = state(x, w), ad.checkpoint(state)(x, w)
    assert out["x"] is x
    assert out["n"] == 3
    for ours, theirs in zip((out["h"], *out["c"]), (plain["h"], *plain["c"]), strict=True):
        np.testing.assert_array_equal(ours.value, theirs.value)
        assert ours.dtype == theirs.dtype
        assert not any(
            node.primitive is not None and node.primitive.name == "tanh" for node in ours.adjoints(np.ones(ours.shape))
        )
    both = (state, ad.checkpoint(state))
    for derivative in (
        lambda f: ad.grad(lambda x, w: loss_of_state(f(x, w)), (0, 1)),
        lambda f: ad.grad(lambda x, w: np.sum(ad.grad(lambda x: loss_of_state(f(x, w)))(x) ** 2), (0, 1)),
        lambda f: lambda x, w: ad.jvp(lambda x: loss_of_state(f(x, w)), (x,), (v0,)),
        lambda f: lambda x, w: ad.hvp(lambda x: loss_of_state(f(x, w)), x, v0),
    ):
        ours, theirs = (derivative(f)(x0, 0.7) for f in both)
        for a, b in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(a, b, rtol=2e-6)  # float32 inside
    complex_and_real = lambda x: (np.fft.fft(x), x * x)  # noqa: E731
    gradient = [
        ad.grad(lambda x, f=f: np.sum(np.abs(f(x)[0]) ** 2) + np.sum(f(x)[1]))(x0)
        for f in (complex_and_real, ad.checkpoint(complex_and_real))
    ]
    np.testing.assert_allclose(*gradient, rtol=1e-12)


def test_a_pass_leaves_nothing_in_a_checkpoint() -> None:
    x, w = ad.Tensor(np.full(100_000, 0.3)), ad.Tensor(np.full(100_000, 0.5))
    y = np.sum(ad.checkpoint(lambda a: np.tanh(np.sin(a) * w))(x))
    for wrt in ([x], [w], [x, w]):
        tracemalloc.start()
        found = adjoints(y, np.float64(1), wrt=wrt)
        del found
        assert tracemalloc.get_traced_memory()[0] < x.size
        tracemalloc.stop()


A, B, POINT = np.arange(12.0).reshape(2, 2, 3) / 10, np.arange(24.0).reshape(2, 3, 4) / 20, np.array([0.3, -0.5, 0.9])


@pytest.mark.parametrize(
    "product",
    [
        lambda b: A @ np.sin(b),
        lambda b: np.sin(b) @ B,
        lambda b: np.dot(A, np.sin(b)),
        lambda b: np.sin(b) * A,
        lambda b: np.matvec(A, np.sin(b)) if hasattr(np, "matvec") else A @ np.sin(b),
    ],
    ids=["matrix-vector", "vector-matrix", "dot", "multiply", "matvec"],
)
def test_modes_nest_where_a_product_broadcasts(product: Any) -> None:
    """Reverse over forward, and over forward over reverse: a share may be wider than the argument it goes to."""
    moved = lambda b: ad.jvp(product, (b,), (np.ones(3),))[1]  # noqa: E731
    ad.check_grads(lambda b: np.sum(moved(b) ** 2), POINT, order=2)
    ad.check_grads(lambda b: np.sum(ad.hvp(lambda b: np.sum(product(b) ** 2), b, np.ones(3)) ** 2), POINT, order=1)
    jacobian = ad.jacobian(product)(POINT)
    np.testing.assert_allclose(moved(POINT), jacobian.sum(-1), rtol=1e-12)
    second = ad.jacobian(moved)(POINT)
    step = 1e-6 * np.array([1.0, 2.0, -1.0])
    np.testing.assert_allclose(second @ step, (moved(POINT + step) - moved(POINT - step)) / 2, rtol=1e-5, atol=1e-12)
    np.testing.assert_allclose(
        ad.hessian(lambda b: np.sum(moved(b)))(POINT), ad.jacobian(ad.grad(lambda b: np.sum(moved(b))))(POINT)
    )
