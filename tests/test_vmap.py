"""vmap and the Jacobians that push many seeds through at once, against a loop over the examples."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from cases import cases
from record import Case

import autodiff as ad
from autodiff.transforms import derivatives
from autodiff.transforms import vmap as vmapping

rng = np.random.default_rng(0)
X, Y, W = rng.normal(size=(5, 3)), rng.normal(size=5), rng.normal(size=3)


def loss(w: Any, x: Any, y: Any) -> Any:
    return np.tanh(x @ w - y) ** 2


def agree(found: Any, expected: Any, rtol: float = 1e-9) -> bool:
    return (
        np.shape(found) == np.shape(expected)
        and np.asarray(found).dtype == np.asarray(expected).dtype
        and np.allclose(found, expected, rtol=rtol, atol=1e-11, equal_nan=True)
    )


def stacked(rows: Any) -> tuple[Any, ...]:
    return tuple(map(np.stack, zip(*rows, strict=True)))


# -- over all records -------------------------------------------------------------------------------------------


@pytest.fixture
def looped(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The functions that vmap went through one example after the other."""
    names: list[str] = []
    one_by_one = vmapping._one_by_one

    def counted(*args: Any) -> Any:
        names.append(str(args[0]))
        return one_by_one(*args)

    monkeypatch.setattr(vmapping, "_one_by_one", counted)
    return names


def tasks(case: Case) -> Any:
    """What is asked of a record: its name, the mapped function's result, and that of a loop."""
    examples = [tuple((x * (1 + 0.02 * k)).astype(x.dtype) for x in case.arrays) for k in range(3)]
    together, values = stacked(examples), [np.asarray(case(*e)) for e in examples]
    seeds = [np.random.default_rng(k).normal(size=v.shape).astype(v.dtype)[()] for k, v in enumerate(values)]

    def pulled(seed: Any, *x: Any) -> Any:
        return ad.vjp(case, *x)[1](seed)

    pullbacks = stacked(pulled(s, *e) for s, e in zip(seeds, examples, strict=True))
    yield "value", lambda: [ad.vmap(case)(*together)], [np.stack(values)]
    yield "pullback", lambda: ad.vmap(pulled)(np.stack(seeds), *together), pullbacks
    yield "pullback of all", lambda: ad.vjp(ad.vmap(case), *together)[1](np.stack(seeds)), pullbacks
    if len(case.arrays) > 1:
        first, rest = together[0], examples[0][1:]
        axes = (0, *(None for _ in rest))
        expected = ad.vjp(lambda x, *r: np.stack([case(x[k], *r) for k in range(3)]), first, *rest)[1](np.stack(seeds))
        yield "shared", lambda: [ad.vmap(case, axes)(first, *rest)], [np.stack([case(e[0], *rest) for e in examples])]
        yield "of shared", lambda: ad.vjp(ad.vmap(case, axes), first, *rest)[1](np.stack(seeds)), expected


def test_every_record_is_as_a_loop_over_examples(looped: list[str]) -> None:
    wrong, count = [], 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # NumPy warns of what some examples are
        for case in cases:
            for what, mapped, expected in tasks(case):
                count += 1
                found = mapped()
                if not all(agree(a, b) for a, b in zip(found, expected, strict=True)):
                    wrong.append((case.name, what))
    assert not wrong
    assert len(looped) < 0.12 * count  # the others are computed at once


def test_every_jacobian_at_once_is_that_of_a_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: Any) -> Any:
        raise TypeError

    def jacobians(case: Case, mode: Any) -> Any:
        return ad.jacobian(case, range(len(case.arrays)), mode=mode)(*case.arrays)

    wrong, together = [], derivatives._together
    for case in cases:
        at_once = {mode: jacobians(case, mode) for mode in ("reverse", "forward")}
        monkeypatch.setattr(derivatives, "_together", refuse)
        by_loop = jacobians(case, "reverse")
        monkeypatch.setattr(derivatives, "_together", together)
        for mode, found in at_once.items():
            if not all(agree(a, b, 1e-8) for a, b in zip(found, by_loop, strict=True)):
                wrong.append((case.name, mode))
    assert not wrong


# -- vmap -------------------------------------------------------------------------------------------------------


def by_loop(function: Callable[..., Any]) -> Any:
    return np.stack([function(W, x, y) for x, y in zip(X, Y, strict=True)])


def test_per_sample_gradients_and_hessians(looped: list[str]) -> None:
    axes = (None, 0, 0)
    for derivative in (ad.grad(loss), ad.hessian(loss), ad.grad(loss, 1), ad.jacobian(lambda w, x, y: w * x * y)):
        np.testing.assert_allclose(ad.vmap(derivative, axes)(W, X, Y), by_loop(derivative), rtol=1e-12)
    for value, expected in zip(
        ad.vmap(ad.value_and_grad(loss), axes)(W, X, Y), (by_loop(loss), by_loop(ad.grad(loss))), strict=True
    ):
        np.testing.assert_allclose(value, expected, rtol=1e-12)
    directions = rng.normal(size=X.shape)
    tangents = ad.vmap(lambda x, v: ad.jvp(lambda x: loss(W, x, 0.5), (x,), (v,))[1])(X, directions)
    expected = [ad.jvp(lambda x: loss(W, x, 0.5), (x,), (v,))[1] for x, v in zip(X, directions, strict=True)]
    np.testing.assert_allclose(tangents, expected, rtol=1e-12)
    products = ad.vmap(lambda x, v: ad.hvp(lambda x: loss(W, x, 0.5), x, v))(X, directions)
    expected = [ad.hvp(lambda x: loss(W, x, 0.5), x, v) for x, v in zip(X, directions, strict=True)]
    np.testing.assert_allclose(products, expected, rtol=1e-12)
    assert looped == []


def test_derivatives_go_through_vmap() -> None:
    def through(w: Any) -> Any:
        return np.sum(ad.vmap(ad.grad(loss), (None, 0, 0))(w, X, Y) ** 2)

    def plain(w: Any) -> Any:
        return sum(np.sum(ad.grad(loss)(w, x, y) ** 2) for x, y in zip(X, Y, strict=True))

    np.testing.assert_allclose(ad.grad(through)(W), ad.grad(plain)(W), rtol=1e-12)
    np.testing.assert_allclose(ad.hessian(through)(W), ad.hessian(plain)(W), rtol=1e-11)
    w = ad.Tensor(W, name="w")  # read from outside
    ad.vmap(lambda x, y: loss(w, x, y))(X, Y).sum().backward()
    np.testing.assert_allclose(w.grad, by_loop(ad.grad(loss)).sum(0), rtol=1e-12)
    x = ad.Tensor(X)
    ad.vmap(lambda x: np.sin(x) * np.sum(x))(x).sum().backward()
    np.testing.assert_allclose(x.grad, [ad.grad(lambda x: np.sum(np.sin(x)) * np.sum(x))(row) for row in X])
    ad.check_grads(lambda x, w: ad.vmap(loss, (None, 0, None))(w, x, 0.3), X, W, order=2)


def test_vmap_inside_vmap_and_axes() -> None:
    outer = ad.vmap(ad.vmap(lambda a, b: a * b, (None, 0)), (0, None))
    np.testing.assert_allclose(outer(W, Y), np.outer(W, Y))
    distances = ad.vmap(ad.vmap(lambda a, b: np.sqrt(np.sum((a - b) ** 2) + 1), (None, 0)), (0, None))
    expected = np.sqrt(((X[:, None] - X[None]) ** 2).sum(-1) + 1)
    np.testing.assert_allclose(distances(X, X), expected)
    gradient = ad.grad(lambda x: np.sum(distances(x, X)))(X)
    np.testing.assert_allclose(
        gradient, ad.grad(lambda x: np.sum(np.sqrt(np.sum((x[:, None] - X[None]) ** 2, -1) + 1)))(X)
    )
    np.testing.assert_allclose(ad.vmap(np.sum, 1)(X), X.sum(0))
    np.testing.assert_allclose(ad.vmap(np.sum, -1)(X), X.sum(0))
    np.testing.assert_allclose(ad.vmap(np.sin, 0, out_axes=1)(X), np.sin(X).T)
    deep = ad.vmap(ad.vmap(ad.grad(lambda x: np.sin(x) ** 2)))(X)
    np.testing.assert_allclose(deep, np.sin(2 * X))


def test_nests_integers_and_keywords() -> None:
    def layer(parameters: Any, x: Any, label: Any, scale: float = 1.0) -> Any:
        scores = ad.log_softmax(parameters["w"] @ x + parameters["b"]) * scale
        return {"loss": -np.sum(np.where(np.arange(4) == label, scores, 0.0)), "scores": (scores, np.argmax(scores))}

    parameters = {"w": rng.normal(size=(4, 3)), "b": rng.normal(size=4)}
    labels = np.array([0, 3, 1, 1, 2])
    found = ad.vmap(layer, (None, 0, 0))(parameters, X, labels, scale=2.0)
    single = [layer(parameters, x, k, scale=2.0) for x, k in zip(X, labels, strict=True)]
    np.testing.assert_allclose(found["loss"], [s["loss"] for s in single])
    np.testing.assert_allclose(found["scores"][0], [s["scores"][0] for s in single])
    np.testing.assert_array_equal(found["scores"][1], [s["scores"][1] for s in single])
    gradient = ad.vmap(ad.grad(lambda p, x, k: layer(p, x, k)["loss"]), (None, 0, 0))(parameters, X, labels)
    expected = [ad.grad(lambda p: layer(p, x, k)["loss"])(parameters) for x, k in zip(X, labels, strict=True)]  # noqa: B023
    for name in ("w", "b"):
        np.testing.assert_allclose(gradient[name], [e[name] for e in expected], rtol=1e-12)


def test_a_branch_on_a_value_is_gone_through_one_by_one(looped: list[str]) -> None:
    def branching(x: Any) -> Any:
        return x * x if x > 0 else -3.0 * x

    np.testing.assert_allclose(ad.vmap(branching)(Y), np.where(Y > 0, Y * Y, -3 * Y))
    np.testing.assert_allclose(ad.vmap(ad.grad(branching))(Y), np.where(Y > 0, 2 * Y, -3.0))
    assert len(looped) == 2
    np.testing.assert_allclose(ad.vmap(branching)(np.abs(Y)), Y * Y)
    assert len(looped) == 2  # the same branch for all


def test_a_rule_that_asks_for_plain_arrays_is_called_for_each_example() -> None:
    @ad.primitive
    def halved(x: Any) -> Any:
        return x * 0.5

    ad.adjoint(halved, lambda g, y, x: np.array([float(v) / 2 for v in np.asarray(g)]))
    np.testing.assert_allclose(ad.vmap(ad.grad(lambda x: np.sum(halved(x) ** 2)))(X), X / 2)
    np.testing.assert_allclose(ad.grad(lambda x: np.sum(ad.vmap(halved)(x) ** 2))(X), X / 2)
    np.testing.assert_allclose(ad.jacobian(halved)(W), np.eye(3) / 2)


def test_what_vmap_refuses() -> None:
    with pytest.raises(ValueError, match="as many examples in every argument; received 5, 4 examples"):
        ad.vmap(np.add)(X, X[:4])
    with pytest.raises(ValueError, match="received no argument with examples"):
        ad.vmap(np.add, (None, None))(X, X)
    with pytest.raises(ValueError, match=r"in_axes names 2 argument\(s\); sin was called with 1"):
        ad.vmap(np.sin, (0, 0))(X)
    with pytest.raises(ValueError, match=r"in_axes names axis 2; .* with an array of shape \(5, 3\)"):
        ad.vmap(np.sin, 2)(X)
    with pytest.raises(ZeroDivisionError):
        ad.vmap(lambda x: 1 / 0)(X)
    with pytest.raises(AttributeError, match="no attribute 'mine'"):
        ad.vmap(lambda x: x.mine)(X)
    assert ad.vmap(np.sin)(X[:0]).shape == (0, 3)
    with pytest.raises(ValueError, match="was called with no examples"):
        ad.vmap(lambda x: x if x > 0 else -x)(Y[:0])


# -- Jacobians --------------------------------------------------------------------------------------------------


def test_the_direction_of_a_jacobian(monkeypatch: pytest.MonkeyPatch) -> None:
    taken = []
    for name in ("_rows", "_columns"):
        ours = getattr(derivatives, name)
        monkeypatch.setattr(derivatives, name, lambda *a, ours=ours, name=name: taken.append(name) or ours(*a))
    wide, tall = rng.normal(size=(2, 7)), rng.normal(size=(7, 2))
    for matrix in (wide, tall):
        x = rng.normal(size=matrix.shape[1])
        for mode in (None, "forward", "reverse"):
            found = ad.jacobian(lambda x, matrix=matrix: np.sin(matrix @ x), mode=mode)(x)
            np.testing.assert_allclose(found, np.cos(matrix @ x)[:, None] * matrix, rtol=1e-12)
    assert taken == ["_rows", "_columns", "_rows", "_columns", "_columns", "_rows"]
    with pytest.raises(ValueError, match='mode is "forward", "reverse" or None; received \'backward\''):
        ad.jacobian(np.sin, mode="backward")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="takes real arguments"):
        ad.jacobian(np.abs, mode="forward")(X[0] + 1j)


def test_a_jacobian_in_pieces_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    f = lambda a, b: np.sin(a @ b)  # noqa: E731
    a, b = rng.normal(size=(3, 4)), rng.normal(size=(4, 2))
    whole = [ad.jacobian(f, (0, 1), mode=mode)(a, b) for mode in ("forward", "reverse")]
    monkeypatch.setattr(derivatives, "MOST_AT_ONCE", 30)
    for mode, expected in zip(("forward", "reverse"), whole, strict=True):
        for one, other in zip(ad.jacobian(f, (0, 1), mode=mode)(a, b), expected, strict=True):  # type: ignore[arg-type]
            np.testing.assert_array_equal(one, other)


def test_a_jacobian_of_a_jacobian_and_in_a_graph() -> None:
    third = ad.jacobian(ad.jacobian(ad.grad(lambda x: np.sum(x**3) * x[0])))(W)
    loop = ad.jacobian(ad.jacobian(ad.grad(lambda x: np.sum(x**3) * x[0]), mode="reverse"), mode="reverse")(W)
    np.testing.assert_allclose(third, loop, rtol=1e-12)
    w = ad.Tensor(W)
    for mode in ("forward", "reverse"):
        w.grad = None
        np.sum(ad.jacobian(lambda x: np.sin(x) * w, mode=mode)(X[0]) ** 2).backward()  # type: ignore[arg-type]
        np.testing.assert_allclose(w.grad, 2 * W * np.cos(X[0]) ** 2, rtol=1e-12)
