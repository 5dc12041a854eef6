from __future__ import annotations

import copy
import gc
import json
import pickle
import tracemalloc
import warnings
import weakref
from collections.abc import Callable
from contextlib import nullcontext as nothing
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import autodiff as ad
import nn
from nn import optim

REFERENCE = json.loads((Path(__file__).parent / "references" / "optimizers.json").read_text(encoding="utf-8"))
CASES, SHAPES, ADJOINTS, KEPT = (REFERENCE[key] for key in ("cases", "shapes", "adjoints", "kept"))
every_case = pytest.mark.parametrize("name", CASES)
KINDS = ("SGD", "Adagrad", "Adadelta", "RMSprop", "Adam", "AdamW", "NAdam", "LAMB", "RAdam", "Adamax", "Lion")
every_kind = pytest.mark.parametrize("kind", KINDS)


def made(name: str, parameters: list[ad.Tensor]) -> optim.Optimizer:
    case = CASES[name]
    options = {key: tuple(value) if isinstance(value, list) else value for key, value in case["options"].items()}
    given: Any = parameters
    if case["second"] is not None:
        given = [{"params": parameters[:2]}, {"params": parameters[2:], **case["second"]}]
    return getattr(optim, case["optimizer"])(given, **options)


def start(dtype: npt.DTypeLike = np.float64) -> list[ad.Tensor]:
    return [
        ad.Tensor(np.reshape(values, shape), dtype=dtype)
        for values, shape in zip(REFERENCE["start"], SHAPES, strict=True)
    ]


def moved(optimizer: optim.Optimizer, first: int = 0, last: int = 20) -> list[list[float]]:
    """The values after some of the steps."""
    rows = []
    for t in range(first, last):
        for tensor, values in zip(optimizer.parameters, ADJOINTS[t], strict=True):
            tensor.grad = None if values is None else np.reshape(values, tensor.shape)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", ".*no gradient has reached")  # the third parameter, for two steps
            optimizer.step()
        if t + 1 in KEPT:
            rows.append([x for tensor in optimizer.parameters for x in tensor.value.ravel().tolist()])
    return rows


@every_case
def test_twenty_steps_are_those_of_pytorch(name: str):
    np.testing.assert_allclose(moved(made(name, start())), CASES[name]["float64"], rtol=1e-7, atol=1e-10)


@every_case
def test_in_float32_too(name: str):
    parameters = start(np.float32)
    optimizer = made(name, parameters)
    optimizer.lr = np.float64(optimizer.lr)  # a NumPy scalar would turn everything into float64
    if len(optimizer.param_groups) > 1:
        optimizer.param_groups[1]["lr"] = np.float64(CASES[name]["second"].get("lr", optimizer.lr))
    rows = moved(optimizer)
    np.testing.assert_allclose(rows, CASES[name].get("float32", CASES[name]["float64"]), rtol=1e-6, atol=1e-6)
    assert {t.dtype for t in parameters} | {v.dtype for v in optimizer.state.values()} == {np.dtype(np.float32)}


@every_case
def test_pieces_do_not_change_the_bits(name: str, monkeypatch: pytest.MonkeyPatch):
    whole = moved(made(name, start()))
    monkeypatch.setattr(nn.optim.optimizer, "PIECE", 16)  # two elements
    assert moved(made(name, start())) == whole


# -- which parameters are moved -----------------------------------------------------------------------------------


@every_kind
def test_parameters_without_an_adjoint_are_left_alone(kind: str):
    used, unused = ad.Tensor([1.0]), ad.Tensor([2.0])
    optimizer = getattr(optim, kind)([unused, used], weight_decay=0.1)
    for k in range(3):
        optimizer.zero_grad()
        (used * 3).sum().backward()
        with pytest.warns(UserWarning, match="has reached parameter 0 of shape") if not k else nothing():
            optimizer.step()
    assert unused.value.tolist() == [2.0]
    assert unused.grad is None
    assert used.value[0] < 1


def test_a_parameter_that_no_gradient_reaches_is_named_once():
    model = nn.MLP(2, 3, 1, rng=0)
    scale, spare = (ad.Tensor([1.0], name=name, dtype=np.float32) for name in (None, "temperature"))
    optimizer = optim.SGD([*model.named_parameters(), ("scale", scale), ("offset", spare)], lr=0.1)
    assert len(optimizer.unreached()) == 6
    model(np.ones((1, 2))).sum().backward()
    with pytest.warns(UserWarning, match="SGD: no gradient has reached scale, offset; such parameters stay") as caught:
        optimizer.step()
    assert caught[0].filename == __file__
    assert optimizer.unreached() == ["scale", "offset"]
    optimizer.step()
    spare.grad = [1.0]
    optimizer.step()
    assert optimizer.unreached() == ["scale"]
    other = optim.SGD([spare, scale], lr=0.1)
    assert other.unreached() == ["parameter 0 'temperature' of shape (1,)", "parameter 1 of shape (1,)"]


def test_a_step_without_any_adjoint_is_an_error():
    w = ad.Tensor([1.0])
    optimizer = optim.SGD([w], lr=0.1)
    with pytest.raises(RuntimeError, match=r"none of its parameters has an adjoint. Call loss.backward\(\)"):
        optimizer.step()
    assert not optimizer.state_dict()["state"]


def test_a_closure_computes_the_loss():
    w = ad.Tensor([3.0])
    optimizer = optim.SGD([w], lr=0.5)

    def closure() -> ad.Tensor:
        optimizer.zero_grad()
        loss = (w * w).sum()
        loss.backward()
        return loss

    assert optimizer.step(closure).item() == 9.0
    assert w.value.tolist() == [0.0]


def test_adjoints_are_forgotten_or_made_zero():
    used, unused = ad.Tensor([1.0]), ad.Tensor(1.0)
    optimizer = optim.SGD([used, unused], lr=0.1)
    used.grad = [3.0]
    optimizer.zero_grad(set_to_none=False)
    assert used.grad.tolist() == [0.0]
    assert unused.grad is None
    optimizer.zero_grad()
    assert used.grad is None


@every_kind
def test_a_step_allocates_nothing_of_the_size_of_the_parameters(kind: str):
    model = nn.MLP(200, 200, 10, rng=0)
    options = {"momentum": 0.9} if kind in ("SGD", "RMSprop") else {}
    optimizer = getattr(optim, kind)(model.parameters(), weight_decay=0.1, decay_biases=False, **options)
    model(np.ones((2, 200))).sum().backward()
    optimizer.step()
    tracemalloc.start()
    try:
        optim.clip_grad_norm(optimizer, 1e9)
        optimizer.step()
        assert tracemalloc.get_traced_memory()[1] < 10_000
    finally:
        tracemalloc.stop()


@every_kind
def test_an_optimizer_leaves_no_garbage(kind: str):
    model = nn.MLP(3, 2, rng=0)
    gc.collect()
    gc.disable()
    try:
        optimizer = getattr(optim, kind)(model.parameters(), weight_decay=0.1)
        schedule = optim.StepLR(optimizer, 2)
        model(np.ones((2, 3))).sum().backward()
        optimizer.step()
        schedule.step()
        alive = weakref.ref(optimizer)
        del optimizer, schedule
        assert alive() is None
    finally:
        gc.enable()


def test_a_generator_is_taken():
    model = nn.MLP(2, 3, 1)
    assert len(optim.SGD(model.parameters(), lr=0.1).parameters) == 4
    assert len(optim.SGD((p for p in model.parameters()), lr=0.1).parameters) == 4


def test_after_a_second_optimizer_the_first_refuses_to_step():
    model = nn.MLP(2, 3, 1, rng=0)
    older = optim.SGD(model.parameters(), lr=0.1)
    newer = optim.Adam(model.parameters())
    model(np.ones((1, 2))).sum().backward()
    before = [p.value.copy() for p in model.parameters()]
    with pytest.raises(RuntimeError, match="taken over by another"):
        older.step()
    assert all(np.array_equal(a, p.value) for a, p in zip(before, model.parameters(), strict=True))
    newer.step()
    assert not all(np.array_equal(a, p.value) for a, p in zip(before, model.parameters(), strict=True))


def test_a_graph_from_before_the_step_refuses_to_be_reversed():
    w = ad.Tensor([1.0])
    optimizer = optim.SGD([w], lr=0.1)
    loss = (w * w).sum()
    loss.backward()
    optimizer.step()
    with pytest.raises(RuntimeError, match="assigned a new value after"):
        loss.backward()


def test_values_assigned_between_steps_are_kept():
    w = ad.Tensor([1.0, 2.0])
    optimizer = optim.SGD([w], lr=0.5)
    w.value = [5.0, 6.0]
    (w * 2).sum().backward()
    optimizer.step()
    assert w.value.tolist() == [4.0, 5.0]


def test_hyperparameters_are_checked_when_assigned():
    w = ad.Tensor([1.0])
    sgd, adam = optim.SGD([w], lr=0.1), optim.Adam([ad.Tensor([1.0])])
    for optimizer, name, value, error in (
        (sgd, "lr", -1, ValueError), (sgd, "lr", True, TypeError), (sgd, "lr", "1e-3", TypeError),
        (sgd, "momentum", 1.0, ValueError), (adam, "betas", 0.9, TypeError), (adam, "betas", (0.9,) * 3, TypeError),
        (adam, "betas", (0.9, 1.0), ValueError), (adam, "eps", -1e-8, ValueError), (adam, "eps", None, TypeError),
    ):  # fmt: skip
        before = getattr(optimizer, name)
        with pytest.raises(error, match=name):
            setattr(optimizer, name, value)
        assert getattr(optimizer, name) == before


@every_kind
def test_a_step_of_lr_0_moves_nothing(kind: str):
    w = ad.Tensor([1.0, 2.0])
    optimizer = getattr(optim, kind)([w])
    optimizer.lr = 0.0
    (w * w).sum().backward()
    optimizer.step()
    assert w.value.tolist() == [1.0, 2.0]


def test_momentum_assigned_later_begins_then():
    late, early = ad.Tensor([1.0, 2.0]), ad.Tensor([1.0, 2.0])
    one, other = optim.SGD([late], lr=0.1), optim.SGD([early], lr=0.1, momentum=0.9)
    one.momentum = 0.9
    for _ in range(3):
        for w, optimizer in ((late, one), (early, other)):
            optimizer.zero_grad()
            (w * w).sum().backward()
            optimizer.step()
    assert late.value.tolist() == early.value.tolist()
    assert repr(one) == repr(other)


@pytest.mark.parametrize("amsgrad", [False, True])
def test_betas_assigned_between_steps_leave_the_means_as_they_are(amsgrad: bool):
    w = ad.Tensor([1.0])
    optimizer = optim.Adam([w], lr=0.1, amsgrad=amsgrad)
    m = v = largest = 0.0
    p = 1.0
    for t, (beta1, beta2) in enumerate([(0.9, 0.999), (0.5, 0.9), (0.8, 0.99), (0.8, 0.0), (0.0, 0.5)], start=1):
        optimizer.betas = beta1, beta2
        optimizer.zero_grad()
        (w**3).sum().backward()
        optimizer.step()
        g = 3 * p**2
        m, v = beta1 * m + (1 - beta1) * g, beta2 * v + (1 - beta2) * g**2
        largest = max(largest, v) if amsgrad else v
        p -= 0.1 * m / (1 - beta1**t) / ((largest / (1 - beta2**t)) ** 0.5 + 1e-8)
        assert w.value[0] == pytest.approx(p, rel=1e-12)


def test_the_first_step_with_momentum_is_not_dampened():
    w = ad.Tensor([1.0])
    optimizer = optim.SGD([w], lr=1.0, dampening=0.25)
    expected = 1.0
    for momentum, step in ((0.0, 2.0), (0.5, 2.0), (0.5, 1.0 + 1.5), (0.0, 2.0), (0.5, 1.25 + 1.5)):
        optimizer.momentum = momentum
        w.grad = [2.0]
        optimizer.step()
        expected -= step
        assert w.value.tolist() == [expected]


def test_a_variance_below_0_by_rounding_counts_as_0():
    w = ad.Tensor(np.zeros(50), dtype=np.float32)
    optimizer = optim.RMSprop([w], lr=1e-3, alpha=0.5, centered=True)
    constant = np.random.default_rng(0).standard_normal(50)
    for _ in range(100):
        w.grad = constant
        optimizer.step()
    assert np.isfinite(w.value).all()


def test_a_norm_of_0_does_not_scale_the_steps_of_lamb():
    start_at_0, without_adjoint = ad.Tensor([0.0, 0.0]), ad.Tensor([3.0, 4.0])
    optimizer = optim.LAMB([start_at_0, without_adjoint], lr=0.5, eps=1e-30, weight_decay=0.0)
    start_at_0.grad, without_adjoint.grad = [2.0, -2.0], [0.0, 0.0]
    optimizer.step()
    np.testing.assert_allclose(start_at_0.value, [-0.5, 0.5])
    assert without_adjoint.value.tolist() == [3.0, 4.0]


def test_an_optimizer_of_ones_own_may_call_its_step_size_as_it_likes():
    class Own(optim.SGD):
        def __init__(self, params: Any, learning_rate: float) -> None:
            super().__init__(params, learning_rate=2 * learning_rate)

    class Plain(optim.SGD):
        pass

    assert Own([ad.Tensor([1.0])], learning_rate=0.5).lr == 1.0
    assert Plain(learning_rate=0.5).lr == 0.5


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, pickle.dumps])
def test_an_optimizer_is_not_copied(copied: Callable[[Any], Any]):
    model = nn.MLP(2, 1, rng=0)
    with pytest.raises(TypeError, match=r"make a new optimizer for the copy: Adam\(copied.parameters\(\)"):
        copied(optim.Adam(model.parameters()))


def test_repr():
    w = ad.Tensor([1.0])
    assert repr(optim.SGD([w], lr=0.1)) == "SGD(1 parameters, lr=0.1)"
    assert repr(optim.SGD([w], lr=0.1, momentum=0.9)) == "SGD(1 parameters, lr=0.1, momentum=0.9)"
    assert repr(optim.Adam([w])) == "Adam(1 parameters, lr=0.001)"
    assert repr(optim.Adam([w], betas=(0.5, 0.9))) == "Adam(1 parameters, lr=0.001, betas=(0.5, 0.9))"
    assert repr(optim.AdamW(lr=0.1)) == "AdamW(lr=0.1)"
    groups = optim.SGD([{"params": [w]}, {"params": [ad.Tensor(1.0)], "lr": 0.2}], lr=0.1)
    assert repr(groups) == "SGD(2 parameters in 2 groups, lr=[0.1, 0.2])"


# -- groups -------------------------------------------------------------------------------------------------------


@every_kind
def test_maximising_moves_as_the_negative_loss_is_minimised(kind: str):
    options = {"lr": 0.05, "weight_decay": 0.1}
    up, down = start(), start()
    upward = getattr(optim, kind)([{"params": up, "maximize": True}], **options)
    downward = getattr(optim, kind)(down, **options)
    for adjoints in ADJOINTS[:5]:
        for p, q, values in zip(up, down, adjoints, strict=True):
            g = None if values is None else np.reshape(values, p.shape)
            p.grad, q.grad = g, None if g is None else -g
            before = p.grad if g is None else g.copy()
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", ".*no gradient has reached")
            upward.step()
            downward.step()
        assert before is None or np.array_equal(up[-1].grad, before)  # the adjoints stay as they are
    for p, q in zip(up, down, strict=True):
        np.testing.assert_array_equal(p.value, q.value)


def test_groups_have_options_of_their_own():
    body, head = nn.MLP(2, 3, rng=0), nn.MLP(3, 1, rng=0)
    optimizer = optim.Adam([{"params": body.parameters()}, {"params": head.parameters(), "lr": 1e-2}], lr=1e-3)
    first, second = optimizer.param_groups
    assert first["params"] == list(body.parameters())
    assert optimizer.parameters == [*body.parameters(), *head.parameters()]
    assert (first["lr"], second["lr"], optimizer.lr) == (1e-3, 1e-2, 1e-3)
    assert dict(second)["betas"] == (0.9, 0.999)
    assert set(second) == {"params", "lr", "betas", "eps", "weight_decay", "amsgrad", "maximize", "decay_biases"}
    assert len(second) == 8
    assert repr(first).startswith("Group(2 parameters, ")
    first["lr"] = 0.1
    assert (first["lr"], second["lr"], optimizer.lr) == (0.1, 1e-2, 0.1)
    optimizer.lr = 0.5
    assert (first["lr"], second["lr"]) == (0.5, 0.5)


def test_groups_move_as_optimizers_of_their_own_would():
    together, apart = start(), start()
    groups = optim.SGD([{"params": together[0]}, {"params": together[1:], "lr": 0.1, "momentum": 0.5}], lr=0.3)
    alone = optim.SGD(apart[:1], lr=0.3), optim.SGD(apart[1:], lr=0.1, momentum=0.5)
    for t in range(10, 20):
        for tensor, other, values in zip(together, apart, ADJOINTS[t], strict=True):
            tensor.grad = other.grad = np.reshape(values, tensor.shape)
        groups.param_groups[0]["lr"] = alone[0].lr = 0.3 / t
        for optimizer in (groups, *alone):
            optimizer.step()
    assert all(np.array_equal(a.value, b.value) for a, b in zip(together, apart, strict=True))


@pytest.mark.parametrize(
    ("key", "value", "error", "words"),
    [
        ("lr", -1.0, ValueError, "Adam: lr is a number from 0; received -1.0"),
        ("lr", "fast", TypeError, "received 'fast'"),
        ("amsgrad", 1, TypeError, "Adam: amsgrad is True or False; received 1"),
        ("learning_rate", 0.1, ValueError, "Adam has no option 'learning_rate'; its options are lr, "),
        ("params", [], ValueError, "a group's params are set when the optimizer is made"),
        (
            "decay_biases",
            False,
            ValueError,
            r"decay_biases is set when .* Make a new one: Adam\(..., decay_b",
        ),
    ],
)
def test_what_is_assigned_in_a_group_is_checked(key: str, value: object, error: type[Exception], words: str):
    (group,) = optim.Adam([ad.Tensor(1.0)]).param_groups
    before = dict(group)
    with pytest.raises(error, match=words):
        group[key] = value
    with pytest.raises(TypeError, match="cannot be deleted"):
        del group["lr"]
    assert dict(group) == before


def test_an_assignment_to_all_groups_changes_all_or_none():
    w, b = ad.Tensor([1.0]), ad.Tensor([1.0])
    optimizer = optim.SGD([{"params": w}, {"params": b, "momentum": 0.9, "nesterov": True}], lr=0.1, momentum=0.5)
    with pytest.raises(ValueError, match=r"nesterov takes a momentum above 0 and no dampening; .*dampening=0.1"):
        optimizer.dampening = 0.1
    assert [group["dampening"] for group in optimizer.param_groups] == [0, 0]
    assert optimizer.defaults["dampening"] == 0


@every_kind
def test_biases_without_decay(kind: str):
    def three() -> list[ad.Tensor]:
        return [ad.Tensor([1.0, 2.0]), ad.Tensor([[3.0, 4.0]]), ad.Tensor([5.0, 6.0])]

    make = getattr(optim, kind)
    spared, decayed, undecayed = three(), three(), three()
    optimizers = (
        make(spared, weight_decay=0.5, decay_biases=False),
        make(decayed, weight_decay=0.5),
        make(undecayed, weight_decay=0.0),
    )
    for optimizer in optimizers:
        for _ in range(3):
            for tensor in optimizer.parameters:
                tensor.grad = np.full(tensor.shape, 0.1)
            optimizer.step()
    assert [np.array_equal(a.value, b.value) for a, b in zip(spared, decayed, strict=True)] == [False, True, False]
    assert [np.array_equal(a.value, b.value) for a, b in zip(spared, undecayed, strict=True)] == [True, False, True]


# -- without parameters -------------------------------------------------------------------------------------------


def test_an_optimizer_made_without_parameters_is_given_them_once():
    optimizer = optim.Adam(lr=0.01)
    optimizer.betas = (0.5, 0.9)
    assert (optimizer.lr, optimizer.bound) == (0.01, False)
    for use in (
        optimizer.step, optimizer.zero_grad, lambda: optimizer.param_groups, lambda: optimizer.parameters,
        optimizer.state_dict, lambda: optimizer.load_state_dict({}), optimizer.unreached,
    ):  # fmt: skip
        with pytest.raises(RuntimeError, match=r"Adam\(lr=0.01, betas=\(0.5, 0.9\)\) was made without parameters"):
            use()
    model = nn.MLP(2, 1, rng=0)
    with pytest.raises(ValueError, match="no parameters"):
        optimizer.bind([])
    optimizer.bind(model.parameters())
    assert optimizer.bound
    assert optimizer.parameters == list(model.parameters())
    assert optimizer.param_groups[0]["betas"] == (0.5, 0.9)
    model(np.ones((1, 2))).sum().backward()
    optimizer.step()
    with pytest.raises(RuntimeError, match=r"bind was asked of Adam.*which has its parameters"):
        optimizer.bind(model.parameters())


def test_names_come_with_the_parameters():
    model = nn.MLP(2, 1, rng=0)
    optimizer = optim.Adam(model.named_parameters())
    assert optimizer.param_groups[0]["param_names"] == ["0.weight", "0.bias"]
    assert optimizer.parameters == list(model.parameters())
    groups = optim.Adam([{"params": model.named_parameters(), "lr": 0.1}])
    assert list(groups.param_groups[0])[:2] == ["params", "param_names"]


def test_what_occurs_twice_counts_once():
    w, b = ad.Tensor([1.0]), ad.Tensor([2.0])
    assert optim.SGD([w, b, w]).parameters == [w, b]
    assert optim.SGD([("a", w), ("b", b), ("c", w)]).param_groups[0]["param_names"] == ["a", "b"]


def test_a_rule_of_ones_own():
    class Signs(optim.Optimizer):
        def update(self, run: Any) -> None:
            for p, g, scratch, _ in run.decayed():
                np.sign(g, out=scratch)
                scratch *= run.group["lr"]
                p -= scratch

    w = ad.Tensor([1.0, -1.0])
    optimizer = Signs([w], lr=0.5)
    w.grad = [3.0, -2.0]
    optimizer.step()
    assert w.value.tolist() == [0.5, -0.5]
    assert repr(optimizer) == "Signs(1 parameters, lr=0.5)"


# -- errors -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: optim.SGD([], lr=0.1), ValueError, r"SGD was given no parameters.*model.parameters\(\)"),
        (lambda: optim.SGD(nn.ReLU().parameters(), lr=0.1), ValueError, "no parameters"),
        (lambda: optim.Adam(nn.MLP(2, 1)), TypeError, r"received the model. Write Adam\(model.parameters\(\)"),
        (lambda: optim.Adam(ad.Tensor([1.0])), TypeError, r"received Tensor. Write Adam\(\[w, b\]"),
        (lambda: optim.Adam([np.ones(3)]), TypeError, r"item 0 is a ndarray: an ndarray is a constant"),
        (lambda: optim.Adam([("w", ad.Tensor(1.0)), ad.Tensor(1.0)]), TypeError, "item 1 has none"),
        (lambda: optim.Adam([("w", 1.0)]), TypeError, r"item 0 is a float: write Adam\(model.parameters\(\)"),
        (lambda: optim.Adam(0.01), TypeError, r"received float. Write Adam\(lr=0.01\)"),
        (lambda: optim.Adam({"params": [ad.Tensor(1.0)]}), TypeError, "received dict"),
        (lambda: optim.Adam([{"parameters": [ad.Tensor(1.0)]}]), TypeError, "item 0 is a dict of 'parameters'"),
        (lambda: optim.Adam([{"params": [ad.Tensor(1.0)]}, ad.Tensor(1.0)]), TypeError, "item 1 is a Tensor"),
        (lambda: optim.Adam([{"params": []}]), ValueError, "no parameters"),
        (lambda: optim.Adam([{"params": [ad.Tensor(1.0)], "momentum": 0.9}]), ValueError, "Adam has no option 'momen"),
        (lambda: optim.Adam([{"params": w} for w in [ad.Tensor(1.0)] * 2]), ValueError, "is in group 0 and in group 1"),
        (lambda: optim.Adam([ad.Tensor([1.0]) * 2]), TypeError, r"item 0, of shape \(1,\), is the result of multiply"),
        (
            lambda: optim.Adam([ad.Tensor(1.0), ad.Tensor(1.0, dtype=np.float32)]),
            TypeError,
            "float32, float64. Make them",
        ),
        (lambda: optim.Adam([ad.Tensor(1.0)], lr=0), ValueError, "Adam: lr is a number above 0; received 0"),
        (lambda: optim.SGD([ad.Tensor(1.0)], lr=-1), ValueError, "SGD: lr is a number above 0; received -1"),
        (lambda: optim.SGD([{"params": [ad.Tensor(1.0)], "lr": 0}]), ValueError, "lr of group 0 is a number above 0"),
        (lambda: optim.SGD([ad.Tensor(1.0)], 0.2, learning_rate=0.1), TypeError, "another name of lr; received both"),
        (lambda: optim.Adam(beta_1=0.9), TypeError, r"Adam has no argument 'beta_1'; write betas=\(0.9, 0.999\)"),
        (lambda: optim.SGD([ad.Tensor(1.0)], lr="fast"), TypeError, "received 'fast'"),
        (lambda: optim.SGD([ad.Tensor(1.0)], lr=float("nan")), ValueError, "received nan"),
        (
            lambda: optim.SGD([ad.Tensor(1.0)], lr=0.1, momentum=1.0),
            ValueError,
            "momentum is a number from 0 to below 1",
        ),
        (lambda: optim.Adam([ad.Tensor(1.0)], betas=(0.9, 1.5)), ValueError, r"betas\[1\]"),
        (lambda: optim.SGD(lr=0.1, nesterov=True), ValueError, r"received momentum=0.0 .* Write momentum=0.9"),
        (lambda: optim.Adadelta(rho=1.1), ValueError, "rho is a number from 0 to 1"),
        (lambda: optim.RMSprop(centered="no"), TypeError, "centered is True or False"),
        (lambda: optim.Optimizer([ad.Tensor(1.0)], lr=0.1).update(None), NotImplementedError, "no update rule"),
        (lambda: optim.clip_grad_norm_, AttributeError, r"use nn.optim.clip_grad_norm\(optimizer, 1.0\), which"),
        (lambda: optim.Adm, AttributeError, r"nn.optim has no 'Adm'. It has LAMB, LBFGS"),
    ],
)
def test_wrong_arguments_are_errors(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_parameters_without_elements_are_no_trouble():
    empty, w = ad.Tensor(np.ones((0, 3))), ad.Tensor([1.0])
    optimizer = optim.LAMB([empty, w])
    for tensor in (empty, w):
        tensor.grad = np.ones(tensor.shape)
    optimizer.step()
    assert w.value[0] < 1
    alone = optim.Adam([empty])
    empty.grad = np.ones((0, 3))
    alone.step()


@pytest.mark.parametrize("forget", ["optimizer", "model", "each"])
@every_kind
def test_gradients_that_are_kept_over_batches_stay_and_change_nothing(kind: str, forget: str):
    X = np.random.default_rng(0).normal(size=(4, 3, 2)).astype(np.float32)

    def trained(read: bool) -> tuple[list[np.ndarray], list[tuple[np.ndarray, np.ndarray]]]:
        model = nn.MLP(2, 5, 1, rng=0)
        optimizer = getattr(optim, kind)(model.parameters())
        held = []
        for batch in X:
            if forget == "each":
                for p in model.parameters():
                    p.grad = None
            else:
                {"optimizer": optimizer, "model": model}[forget].zero_grad()
            np.sum(model(batch) ** 2).backward()
            if read:
                held += [(p.grad, p.grad.copy()) for p in model.parameters() if p.ndim == 2]
            optimizer.step()
        return [p.value.copy() for p in model.parameters()], held

    plain, (read, held) = trained(False)[0], trained(True)
    for a, b in zip(plain, read, strict=True):
        np.testing.assert_array_equal(a, b)
    assert len(held) == 8
    for array, before in held:
        np.testing.assert_array_equal(array, before)
