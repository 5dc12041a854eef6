"""Why is my gradient zero: each cause as a small program, and the words that name it."""

from __future__ import annotations

import gc
import math
import re
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from cases import cases
from record import Case
from sweep import for_each

import autodiff as ad
import nn
from autodiff.explanation.wording import lines

PROGRAMS: dict[str, tuple[Callable[[Any, Any], Any], list[float], str]] = {
    # the way is cut
    "sign": (lambda x, w: np.sign(x) * w, [-1.5, 2.5, 0.5], r"cut: multiply reads .* it equals np.sign\(x\)"),
    "floor": (lambda x, w: np.floor(x) * w, [-1.5, 2.5, 0.5], r"cut: .*np.floor\(x\).*zero wherever"),
    "comparison": (lambda x, w: (x > 0.3) * w, [-1.5, 2.5, 0.4], r"cut: .*comparison of x with a number"),
    "argmax": (lambda x, w: w[np.argmax(x)], [-1.5, 0.5, 2.5], r"cut: gather.*np.argmax\(x\)"),
    "argsort": (lambda x, w: w[np.argsort(x)], [1.5, 2.5, 0.5], r"cut: gather.*np.argsort\(x\)"),
    "one-hot": (lambda x, w: (x == x.value.max()) * w, [1.5, 2.5, 0.5], r"cut: .*marks np.argmax|cut: .*comparison"),
    "stop_gradient": (lambda x, w: ad.stop_gradient(x) * w, [1.5, 2.5, 0.5], r"cut: .*equals x, .*stop_gradient"),
    "value": (lambda x, w: x.value * w, [1.5, 2.5, 0.5], r"cut: multiply reads .*x\.value"),
    "item": (lambda x, w: np.sum(x).item() * w, [1.5, 2.5, 0.75], r"cut: .*the sum of x, as a number \(.item"),
    "item of one": (lambda x, w: x.item() * w, [1.57], r"cut: .*x\.item\(\)"),
    "anew": (lambda x, w: ad.Tensor(x.value, name="x2") * w, [1.5, 2.5, 0.5], r"cut: x2 is a Tensor made anew"),
    "another graph": (lambda x, w: w * 2.0, [1.5, 2.5, 0.5], r"cut: x is not in the graph of the result"),
    # the adjoint vanishes
    "dead relu": (lambda x, w: ad.relu(x - 5.0) * w, [1.5, 2.5, 0.5], r"vanishes: relu .*100% of its inputs"),
    "half dead": (lambda x, w: ad.relu(x) * w, [-1.5, -2.5, 0.5], r"vanishes: relu .*67% of its inputs"),
    "sigmoid": (
        lambda x, w: ad.sigmoid(x) * w,
        [900.0, -900.0, 800.0],
        r"vanishes: sigmoid is saturated.*-900 and 900",
    ),
    "tanh": (lambda x, w: np.tanh(x) * w, [5.0, -4.0, 8.0], r"vanishes: tanh is saturated: .*between -4 and 8"),
    "softmax": (lambda x, w: ad.softmax(x) * w, [900.0, -900.0, 0.0], r"vanishes: softmax is saturated"),
    "zeros": (lambda x, w: x * np.zeros(3) * w, [1.5, 2.5, 0.5], r"vanishes: multiply multiplies by zeros"),
    "matmul": (lambda x, w: np.zeros((3, 3)) @ x * w, [1.5, 2.5, 0.5], r"vanishes: matmul multiplies by zeros"),
    "clip": (lambda x, w: np.clip(x, -1, 1) * w, [1.5, 2.5, -3.5], r"vanishes: m\w+imum .*np.clip\) takes the bound"),
    "maximum": (lambda x, w: np.maximum(x, 9.0) * w, [1.5, 2.5, -3.5], r"vanishes: maximum .*the bound 9.0.*100%"),
    "max": (lambda x, w: np.max(x) * w, [1.5, 2.5, -3.5], r"vanishes: max passes its adjoint to the largest"),
    "where": (
        lambda x, w: np.where(np.zeros(3) > 1, x, w),
        [1.5, 2.5, 1.0],
        r"vanishes: where takes the other branch in 100%",
    ),
    "square": (lambda x, w: np.square(x) * w, [0.0, 0.0, 0.0], r"vanishes: square has the slope zero"),
    "index": (lambda x, w: x[:1] * w[:1] * 0.5, [1.5, 2.5, 1.0], r"vanishes: gather .*reads 1 of 3"),
    "exp underflow": (lambda x, w: np.exp(x) * w, [-900.0, -800.0, -999.0], r"vanishes: exp underflows"),
    "underflow": (lambda x, w: x * 1e-200 * (w * 1e-200), [1.5, 2.5, 1.0], r"vanishes: multiply .*underflows: float64"),
    # paths cancel
    "cancel": (lambda x, w: (x.sum() - x.sum()) * w, [1.5, 2.5, 1.0], r"cancels: 2 contributions .* sum to nothing"),
    "centred": (lambda x, w: np.sum(x - x.mean()), [1.5, 2.5, 1.0], r"cancels: 2 contributions to the adjoint of x"),
    "softmax sum": (lambda x, w: ad.softmax(x), [1.5, 2.5, 1.0], r"cancels: softmax .*sum to 1"),
    # the first NaN or infinity
    "log 0": (lambda x, w: np.log(x) * w, [1.5, 0.0, 0.5], r"log gives -infinity at \[1\] \(argument 0.0\).*1e-12"),
    "log -1": (lambda x, w: np.log(x) * w, [1.5, 1.0, -0.5], r"log gives NaN at \[2\] \(argument -0.5\)"),
    "divide": (lambda x, w: w / x, [1.5, 0.0, 0.5], r"divide gives infinity at \[1\] \(arguments 2.0, 0.0\)"),
    "sqrt": (lambda x, w: np.sqrt(x) * w, [1.5, 0.0, 0.5], r"adjoint that sqrt passes .* infinity at \[1\]"),
    "norm": (lambda x, w: np.sqrt(np.sum(x * x)), [0.0, 0.0, 0.0], r"sqrt passes .*write np.linalg.norm\(x\)"),
    "power": (lambda x, w: x**0.5 * w, [1.5, 0.0, 0.5], r"adjoint that power passes .* infinity at \[1\]"),
    "bad branch": (
        lambda x, w: np.where(x.value > 0, np.log(x), 0.0) * w,
        [1.5, 0.0, 0.5],
        r"which np.where did not take.*np.where\(c, x, 1.0\)",
    ),
    "exp": (
        lambda x, w: np.exp(x) * w,
        [1.5, 1000.0, 0.5],
        r"exp gives infinity at \[1\] \(argument 1000.0\).*logsumexp",
    ),
    "0 inf": (
        lambda x, w: x * np.array([1.0, np.inf, 1.0]),
        [1.5, 0.0, 0.5],
        r"multiply gives NaN at \[1\] \(arguments 0.0, inf\)",
    ),
    "masked": (
        lambda x, w: ad.softmax(np.where(np.ones(3) > 0, -np.inf, x)),
        [1.5, 0.0, 0.5],
        r"softmax gives NaN.*all masked",
    ),
    "all left out": (
        lambda x, w: ad.logsumexp(np.where(np.ones(3) > 0, -np.inf, x)),
        [1.5, 0.0, 0.5],
        r"logsumexp gives -infinity .*all masked",
    ),
    "inf - inf": (
        lambda x, w: (x * 1e300 * 1e300) - (x * 1e300 * 1e300),
        [1.5, 1.0, 0.5],
        r"multiply gives infinity at \[0\]",
    ),
    "input": (lambda x, w: x * w, [1.5, np.nan, 0.5], r"x itself is NaN at \[1\]"),
    "data": (
        lambda x, w: x * np.array([np.nan, 1.0, 1.0]),
        [1.5, 1.0, 0.5],
        r"multiply reads a plain array .* NaN at \[0\]",
    ),
}


def explained(program: Callable[[Any, Any], Any], value: list[float]) -> ad.Explanation:
    x = ad.Tensor(value, name="x")
    w = ad.Tensor(np.arange(1.0, len(value) + 1), name="w")
    with np.errstate(all="ignore"):
        return ad.explain(x, of=np.sum(program(x, w)))


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_is_explained(name: str) -> None:
    program, value, words = PROGRAMS[name]
    found = explained(program, value)
    assert re.search(words, str(found.findings and found.findings[0])), str(found)
    assert found.brief in str(found)
    assert "<table>" in found._repr_html_() or not found.paths
    assert found.picture.svg.startswith("<svg")


@pytest.mark.parametrize(
    "function", [np.tanh, np.exp, ad.softplus, lambda x: x * 3, lambda x: x @ x, np.mean, ad.leaky_relu, ad.elu]
)
def test_a_healthy_gradient_has_no_findings(function: Callable[[Any], Any]) -> None:
    found = explained(lambda x, w: function(x) * w, [0.3, -0.7, 0.9])
    assert found.findings == []
    assert "An adjoint of norm" in found.verdict


def test_norms_and_zeros_are_those_of_the_adjoints() -> None:
    x = ad.Tensor([-1.0, 2.0, 3.0], name="x")
    h = ad.relu(x)
    loss = np.sum(h * np.array([1.0, 2.0, 3.0]))
    (path,) = ad.explain(x, of=loss).paths
    assert [step.operation for step in path] == ["sum", "multiply", "relu"]
    adjoints = loss.adjoints()
    assert path[-1].norm == pytest.approx(np.linalg.norm(adjoints[x]))
    assert path[-1].zeros == pytest.approx(1 / 3)
    assert path[1].norm == pytest.approx(np.linalg.norm(adjoints[h]))


def test_paths_are_counted_and_the_largest_shown() -> None:
    x = ad.Tensor(1.1, name="x")
    y = x
    for _ in range(70):
        y = y + np.sin(y) * 0.1
    found = ad.explain(x, of=y)
    assert found.ways == 2**70
    assert len(found.paths) == 2
    assert "about 10^21 paths" in found.verdict


def test_long_graphs_with_many_paths() -> None:
    x = ad.Tensor(0.3, name="x")
    y = x
    for _ in range(1100):  # more paths than a float can count
        y = np.sin(y) + y * 0.5
    for _ in range(5000):
        y = y * 0.9999
    assert "about 10^331 paths" in str(ad.explain(x, of=y))


def test_an_interior_tensor_and_the_result_itself() -> None:
    x = ad.Tensor([1.0, 2.0])
    h = np.tanh(x)
    loss = np.sum(h)
    assert "norm 1.41 arrives at x by 1 path" in ad.explain(h, of=loss).verdict
    assert "norm 1 arrives at the result as the seed" in ad.explain(loss, of=loss).verdict
    assert ad.explain(h, of=loss).picture.svg


def test_assigned_since() -> None:
    w, v = ad.Tensor([1.0, 2.0], name="w"), ad.Tensor([1.0, 2.0], name="v")
    loss = np.sum(w * w * v)
    w.value = w.value - 0.1
    assert "w was assigned a new value after multiply had used it" in str(ad.explain(w, of=loss))
    assert "w was assigned a new value after multiply had used it" in str(ad.explain(v, of=loss))


def test_no_grad_is_recognised_by_the_value() -> None:
    x, w = ad.Tensor([0.3, 0.7, 1.1], name="x"), ad.Tensor([1.0, 2.0, 3.0], name="w")
    with ad.no_grad():
        h = np.exp(x)
    assert "np.exp(x), computed in ad.no_grad or of .value" in str(ad.explain(x, of=np.sum(h * w)))


def test_what_is_computed_from_x_and_still_held_is_compared_too() -> None:
    x, w = ad.Tensor([0.3, 0.7, 1.1], name="x"), ad.Tensor([1.0, 2.0, 3.0], name="w")
    h = x * 2.5 - 1.0
    assert "np.sign(the result of subtract)" in str(ad.explain(x, of=np.sum(np.sign(h) * w)))


def test_a_part_of_the_derivative_that_is_left_out_is_named() -> None:
    x = ad.Tensor([0.3, 0.7, 1.1], name="x")
    found = ad.explain(x, of=np.sum(x * ad.stop_gradient(x)))
    assert found.findings[0].kind == "cut"
    assert "An adjoint of norm" in found.verdict


def test_underflow_of_narrow_numbers() -> None:
    for dtype, small in ((np.float16, 1e-4), (np.float32, 1e-30)):
        x = ad.Tensor(np.ones(3), dtype=dtype, name="x")
        y = x * dtype(small) * dtype(small)
        found = ad.explain(x, of=np.sum(y))
        assert f"underflows: {np.dtype(dtype)} holds nothing" in str(found.findings[0]), found
        assert "loss scaling" in found.findings[0].instead


def test_a_long_product_and_its_geometric_mean_per_scope() -> None:
    x = ad.Tensor(np.full(4, 0.1), name="x")
    h = x
    for k in range(12):
        with ad.scope(f"layer{k}"):
            h = np.tanh(h * 0.25)
    found = ad.explain(x, of=np.sum(h))
    assert found.findings[0].kind == "shrinks"
    assert "layer· 0.25 (12 times)" in found.findings[0].what
    underflown = x
    for _ in range(1200):
        underflown = underflown * 0.5
    kinds = [finding.kind for finding in ad.explain(x, of=np.sum(underflown)).findings]
    assert kinds == ["vanishes", "shrinks"]
    grown = x
    for k in range(12):
        with ad.scope(f"layer{k}"):
            grown = grown * 5.0
    assert ad.explain(x, of=np.sum(grown)).findings[0].kind == "grows"


def test_a_module_is_explained_per_parameter() -> None:
    model = nn.Sequential(nn.Linear(3, 4, rng=0), nn.ReLU(), nn.Linear(4, 1, rng=0))
    model.layers[0].bias.value = np.full(4, -100.0)
    loss = np.mean((model(np.ones((5, 3))) - 1.0) ** 2)
    found = ad.explain(model, of=loss)
    assert list(found.parameters) == [name for name, _ in model.named_parameters()]
    assert "at 1 of 4 parameters of Sequential" in found.verdict
    dead = found.parameters["0.weight"].findings[-1]
    assert "relu in sequential.layers[1] is 0" in dead.what
    assert "4 of 4 units are dead" in dead.what
    assert "0.weight" in found._repr_html_()
    assert found.picture.svg


def test_a_frozen_parameter() -> None:
    model = nn.Sequential(nn.Linear(3, 4, rng=0), nn.Linear(4, 1, rng=0))
    weight = model.layers[1].weight
    model.layers[1].freeze()
    loss = np.mean(model(np.ones((5, 3))) ** 2)
    assert "is frozen" in str(ad.explain(model, of=loss))
    assert "cut: linear" in str(ad.explain(weight, of=loss))


def test_a_seed_for_a_result_of_several_elements() -> None:
    x = ad.Tensor([1.0, 2.0], name="x")
    assert "norm 2 " in ad.explain(x, of=x * 2.0, seed=[0.0, 1.0]).verdict
    assert "is zero" in ad.explain(x, of=x * 2.0, seed=[0.0, 0.0]).verdict
    with pytest.raises(ValueError, match=r"a seed has the shape of the result, \(2,\)"):
        ad.explain(x, of=x * 2.0, seed=1.0)


def test_what_cannot_be_explained_is_refused() -> None:
    x = ad.Tensor([1.0])
    with pytest.raises(TypeError, match="gradient of ndarray, which remembers no computation"):
        ad.explain(x, of=np.ones(3))
    with pytest.raises(TypeError, match="asked about list"):
        ad.explain([x], of=x * 2.0)


def test_nothing_is_changed() -> None:
    x = ad.Tensor([1.0, -2.0], name="x")
    loss = np.sum(ad.relu(x))
    loss.backward()
    before = x.grad
    ad.explain(x, of=loss)
    assert x.grad is before
    assert math.isclose(np.sum(before), 1.0)


def test_vmapped_and_checkpointed_computations() -> None:
    x = ad.Tensor(np.arange(6.0).reshape(3, 2), name="x")
    loss = np.sum(ad.vmap(lambda row: np.tanh(row) @ row)(x))
    assert "arrives at x" in ad.explain(x, of=loss).verdict
    again = np.sum(ad.checkpoint(lambda t: np.sin(t) ** 2)(x))
    assert "arrives at x" in ad.explain(x, of=again).verdict


@for_each({case.function: case for case in cases}.values())
def test_every_function_can_be_explained(case: Case) -> None:
    inputs = [ad.Tensor(array) for array in case.arrays]
    y = case(*inputs)
    for x in inputs:
        found = ad.explain(x, of=y)
        assert found.verdict in str(found)


# -- ad.debug ---------------------------------------------------------------------------------------------------


def test_debug_raises_at_the_first_nan_with_the_line() -> None:
    x = ad.Tensor([1.0, 0.0, 2.0], name="x")
    with (
        pytest.raises(
            FloatingPointError, match=r"log \(test_explain.py:\d+, y = np.log\(x\) \* 2.0\) gives -infinity at \[1\]"
        ),
        ad.debug(),
    ):
        y = np.log(x) * 2.0
    y = np.exp(x)
    assert np.isfinite(y.value).all()


def test_debug_sees_operators_methods_and_layers() -> None:
    x = ad.Tensor([1.0, 0.0, 2.0])
    for wrong in (
        lambda: 1.0 / x,
        lambda: x / x,
        lambda: (x - 1.0) ** -1,
        lambda: np.sqrt(x - 1.0),
        lambda: x @ x * 1e308 * 10,
    ):
        with pytest.raises(FloatingPointError, match=r"test_explain.py:\d+, "), ad.debug():
            wrong()
    model = nn.Linear(3, 2, rng=0)
    model.weight.value = np.full((2, 3), 3e38)
    with pytest.raises(FloatingPointError, match=r"linear in linear .*model\(np.ones.* gives infinity"), ad.debug():
        model(np.ones((1, 3), np.float32))


def test_debug_checks_adjoints_and_names_the_line_of_the_operation() -> None:
    x = ad.Tensor([1.0, 0.0, 2.0], name="x")
    with ad.debug():
        y = np.sum(np.sqrt(x))
        with pytest.raises(
            FloatingPointError, match=r"sqrt \(test_explain.py:\d+, y = .*\) passes .* infinity at \[1\]"
        ):
            y.backward()
    assert x.grad is None
    with pytest.raises(FloatingPointError, match=r"reverse pass .*sqrt"), ad.debug():
        ad.grad(lambda t: np.sum(np.sqrt(t)))(np.zeros(2))


def test_debug_lets_infinities_pass_that_were_put_in() -> None:
    x = ad.Tensor([1.0, 0.5, 2.0])
    with ad.debug():
        y = np.sum(ad.softmax(np.where(np.array([True, True, False]), x, -np.inf)) ** 2)
        y.backward()
    assert np.isfinite(x.grad).all()
    with pytest.raises(FloatingPointError, match=r"reads x that is NaN"), ad.debug():
        ad.Tensor([np.nan], name="x") * 2.0


def test_debug_refuses_an_array_that_was_written_into() -> None:
    x = ad.Tensor([1.0, 0.5, 2.0])
    mask, index = np.ones(3), np.array([0, 1])
    with ad.debug():
        y = np.sum(x * mask)
        mask *= 2.0
        with pytest.raises(
            RuntimeError, match=r"the array 'mask' of shape \(3,\), the second argument of multiply \(test_exp"
        ):
            y.backward()
    with ad.debug():
        y = np.sum(x[index])
        index[0] = 2
        y.backward()  # an index is copied when it is used
    assert x.grad.tolist() == [1.0, 1.0, 0.0]


def test_debug_names_the_line_of_a_rule_that_fails() -> None:
    @ad.primitive
    def cube(x: Any) -> Any:
        return x**3

    ad.adjoint(cube, lambda g, y, x: g * np.ones(7))
    x = ad.Tensor([1.0, 0.5])
    with pytest.raises(ValueError, match="shape") as caught, ad.debug():
        np.sum(cube(x)).backward()
    assert "It is the adjoint rule of cube (test_explain.py:" in caught.value.__notes__[0]


def test_debug_changes_no_number_and_ends() -> None:
    before = sys.getprofile()

    @ad.debug()
    def program() -> Any:
        x = ad.Tensor([1.0, 0.5], name="x")
        y = np.sum(np.tanh(x) * x + ad.grad(lambda t: np.sum(t**3))(x))
        y.backward()
        return x.grad, y

    found, y = program()
    assert sys.getprofile() is before
    x = ad.Tensor([1.0, 0.5], name="x")
    again = np.sum(np.tanh(x) * x + ad.grad(lambda t: np.sum(t**3))(x))
    again.backward()
    assert np.array_equal(found, x.grad)
    assert "(test_explain.py:" in str(ad.explain(next(n for n in y.adjoints() if n.name == "x"), of=y))
    assert "(test_explain.py:" not in str(ad.explain(x, of=again))


def test_lines_are_forgotten_with_the_operations() -> None:
    x = ad.Tensor([1.0, 0.5])
    gc.collect()
    before = len(lines)
    with ad.debug():
        y = np.tanh(x)
    assert len(lines) == before + 1
    del y
    assert len(lines) == before


# -- ad.memory and ad.alive -------------------------------------------------------------------------------------


def test_memory_counts_each_array_once() -> None:
    x = ad.Tensor(np.ones(1000), name="x")
    data = np.ones(500)
    with ad.scope("inner"):
        h = np.reshape(np.tanh(x), (2, 500))  # a view
        y = np.sum(h * data)
    found = ad.memory(y)
    assert found.operations == 4
    assert found.by_kind == {"results": 8000 + 8000 + 8, "leaves": 8000, "constants": 4000}
    assert found.by_scope == {"inner": 8000 + 8000 + 4000 + 8, "": 8000}
    assert found.bytes == 28_008
    assert [held.shared for held in found.shared] == [2]
    y.backward()
    assert ad.memory(y).by_kind["adjoints"] == 8000
    assert "4 operations hold 36 kB" in str(ad.memory(y))
    assert "<table>" in ad.memory(y)._repr_html_()
    with pytest.raises(TypeError, match=r"ad.memory was asked about float"):
        ad.memory(1.0)


def test_alive_finds_the_loop_that_leaks() -> None:
    gc.collect()
    before = len(ad.alive())
    x = ad.Tensor(np.ones(100))
    losses = []
    for _ in range(20):
        losses.append(np.sum(np.tanh(x)))  # noqa: PERF401  # it is the loop that is tested
    found = ad.alive()
    assert len(found) == before + 20
    assert found.operations >= 40
    assert "20 results of sum of shape ()" in str(found)
    assert "a list, losses, holds 20 of them" in found.advice
    assert "losses.append(loss.item())" in str(found)
    losses = [loss.item() for loss in losses]
    assert len(losses) == 20
    del found
    assert len(ad.alive()) == before
