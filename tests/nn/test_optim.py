from __future__ import annotations

import copy
import pickle
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autodiff as ad
import nn
from nn import optim

# What PyTorch 2.13 gives, in float64, for a = [0.5, -1, 2] and b = [[1.5, -0.5]] after steps 1, 10 and 20: the same
# optimizers and the same loop as in `steps` below, with torch.sin for np.sin and a.detach() for ad.stop_gradient(a);
# printed as [*a.tolist(), *b.ravel().tolist()] with 15 digits. In steps 6 to 9 b has no gradient.
PYTORCH = {
    "SGD": [
        [0.462370871905481, -0.627015115293407, 1.97080734182736, 1.45625, -0.4875],
        [0.254972331358374, -0.123963908018135, 1.51498637412598, 1.2846417517639, -0.460417111569065],
        [0.939039930365709, -0.471794979536764, 2.20496162472157, 0.356193003817372, -0.135199601680807],
    ],
    "SGD with momentum": [
        [0.484948348762193, -0.850806046117363, 1.98832293673094, 1.4825, -0.495],
        [0.564498300183053, 1.10726641537197, 0.797210048057936, 1.21237392746085, -0.4298207969579],
        [1.1605858825304, -2.17852560663512, 2.4157824804682, 0.603752888565469, -0.177936384610743],
    ],
    "Adam": [
        [0.400000001328758, -0.900000000134054, 1.90000000171276, 1.40000000114286, -0.400000004],
        [-0.253762288620425, -0.0239896829606492, 1.73534388173501, 0.983907011067376, -0.326016592904852],
        [-0.121397300164325, -0.137935578961609, 1.62981039998063, 0.83249467763868, 0.221945300742243],
    ],
    "Adam with other constants": [
        [0.450066349730645, -0.950006701786086, 1.95008549154407, 1.45005707762557, -0.450199203187251],
        [0.403248311917251, -0.57547343330226, 1.84031565797172, 1.21381448492874, -0.374280289841744],
        [0.186845927259495, -0.343500263342323, 1.80198789739931, 0.748879872876705, -0.472047633277416],
    ],
}
OURS: dict[str, Callable[[Any], optim.Optimizer]] = {
    "SGD": lambda p: optim.SGD(p, lr=0.05),
    "SGD with momentum": lambda p: optim.SGD(p, lr=0.02, momentum=0.9),
    "Adam": lambda p: optim.Adam(p, lr=0.1),
    "Adam with other constants": lambda p: optim.Adam(p, lr=0.05, betas=(0.8, 0.95), eps=1e-3),
}


def steps(make: Callable[[Any], optim.Optimizer], dtype: type = np.float64) -> list[list[float]]:
    a, b = ad.Tensor([0.5, -1.0, 2.0], dtype=dtype), ad.Tensor([[1.5, -0.5]], dtype=dtype)
    optimizer = make([a, b])
    rows = []
    for t in range(20):
        optimizer.zero_grad()
        loss = ((a - 1) ** 4).sum() / 4 + np.sin(a * (t + 1)).sum()
        if not 5 <= t < 9:
            first = ad.stop_gradient(a).copy()[:1]
            loss = loss + (b**2 * np.array([[0.5, 3.0]], dtype)).sum() * first[0] ** 2 + (b * first).sum()
        loss.backward()
        optimizer.step()
        if t in (0, 9, 19):
            rows.append([*a.value.tolist(), *b.value.ravel().tolist()])
    return rows


@pytest.mark.parametrize("name", PYTORCH)
def test_twenty_steps_are_those_of_pytorch(name: str):
    np.testing.assert_allclose(steps(OURS[name]), PYTORCH[name], rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("name", PYTORCH)
def test_pieces_do_not_change_the_bits(name: str, monkeypatch: pytest.MonkeyPatch):
    whole = steps(OURS[name])
    monkeypatch.setattr(nn.optim.optimizer, "PIECE", 16)  # two elements
    assert steps(OURS[name]) == whole


@pytest.mark.parametrize("name", PYTORCH)
def test_float32_stays_float32(name: str):
    single = steps(lambda p: OURS[name](p), np.float32)
    np.testing.assert_allclose(single[0], PYTORCH[name][0], rtol=1e-5)
    w = ad.Tensor([1.0, 2.0], dtype=np.float32)
    optimizer = OURS[name]([w])
    optimizer.lr = np.float64(0.1)  # a NumPy scalar would turn everything into float64
    (w * w).sum().backward()
    optimizer.step()
    assert w.dtype == w.grad.dtype == np.float32
    assert {v.dtype for v in optimizer.state} <= {np.dtype(np.float32)}


@pytest.mark.parametrize("name", PYTORCH)
def test_parameters_without_an_adjoint_are_left_alone(name: str):
    used, unused = ad.Tensor([1.0]), ad.Tensor([2.0])
    optimizer = OURS[name]([unused, used])
    for _ in range(3):
        optimizer.zero_grad()
        (used * 3).sum().backward()
        optimizer.step()
    assert unused.value.tolist() == [2.0]
    assert unused.grad is None
    assert used.value[0] < 1


def test_a_step_allocates_nothing_of_the_size_of_the_parameters():
    model = nn.MLP(200, 200, 10, rng=0)
    optimizer = optim.Adam(model.parameters())
    model(np.ones((2, 200))).sum().backward()
    optimizer.step()
    tracemalloc.start()
    try:
        optimizer.step()
        assert tracemalloc.get_traced_memory()[1] < 10_000
    finally:
        tracemalloc.stop()


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


@pytest.mark.parametrize("name", PYTORCH)
def test_a_step_of_lr_0_moves_nothing(name: str):
    w = ad.Tensor([1.0, 2.0])
    optimizer = OURS[name]([w])
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


def test_betas_assigned_between_steps_leave_the_means_as_they_are():
    w = ad.Tensor([1.0])
    optimizer = optim.Adam([w], lr=0.1)
    m = v = 0.0
    p = 1.0
    for t, (beta1, beta2) in enumerate([(0.9, 0.999), (0.5, 0.9), (0.8, 0.99)], start=1):
        optimizer.betas = beta1, beta2
        optimizer.zero_grad()
        (w**3).sum().backward()
        optimizer.step()
        g = 3 * p**2
        m, v = beta1 * m + (1 - beta1) * g, beta2 * v + (1 - beta2) * g**2
        p -= 0.1 * m / (1 - beta1**t) / ((v / (1 - beta2**t)) ** 0.5 + 1e-8)
        assert w.value[0] == pytest.approx(p, rel=1e-12)


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, pickle.dumps])
def test_an_optimizer_is_not_copied(copied: Callable[[Any], Any]):
    model = nn.MLP(2, 1, rng=0)
    with pytest.raises(TypeError, match=r"make a new optimizer for the copy: Adam\(copied.parameters\(\)"):
        copied(optim.Adam(model.parameters()))


def test_repr():
    w = ad.Tensor([1.0])
    assert repr(optim.SGD([w], lr=0.1)) == "SGD(1 parameters, lr=0.1)"
    assert repr(optim.SGD([w], lr=0.1, momentum=0.9)) == "SGD(1 parameters, lr=0.1, momentum=0.9)"
    assert repr(optim.Adam([w])) == "Adam(1 parameters, lr=0.001, betas=(0.9, 0.999), eps=1e-08)"


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: optim.SGD([], lr=0.1), ValueError, r"SGD was given no parameters.*model.parameters\(\)"),
        (lambda: optim.SGD(nn.ReLU().parameters(), lr=0.1), ValueError, "no parameters"),
        (lambda: optim.Adam(nn.MLP(2, 1)), TypeError, r"received the model. Write Adam\(model.parameters\(\)"),
        (lambda: optim.Adam(ad.Tensor([1.0])), TypeError, r"received Tensor. Write Adam\(\[w, b\]"),
        (lambda: optim.Adam([np.ones(3)]), TypeError, r"item 0 is a ndarray: an ndarray is a constant"),
        (lambda: optim.Adam(nn.MLP(2, 1).named_parameters()), TypeError, r"item 0 is a tuple"),
        (lambda: optim.Adam([ad.Tensor([1.0]) * 2]), TypeError, r"item 0, of shape \(1,\), is the result of multiply"),
        (
            lambda: optim.Adam([ad.Tensor(1.0), ad.Tensor(1.0, dtype=np.float32)]),
            TypeError,
            "float32, float64. Make them",
        ),
        (lambda: optim.Adam([ad.Tensor(1.0)], lr=0), ValueError, r"Adam: lr, .*above 0; received 0"),
        (lambda: optim.SGD([ad.Tensor(1.0)], lr="fast"), TypeError, "received 'fast'"),
        (lambda: optim.SGD([ad.Tensor(1.0)], lr=float("nan")), ValueError, "received nan"),
        (
            lambda: optim.SGD([ad.Tensor(1.0)], lr=0.1, momentum=1.0),
            ValueError,
            "momentum is a number from 0 to below 1",
        ),
        (lambda: optim.Adam([ad.Tensor(1.0)], betas=(0.9, 1.5)), ValueError, r"betas\[1\]"),
        (lambda: optim.Optimizer([ad.Tensor(1.0)], lr=0.1).update(None), NotImplementedError, "no update rule"),
    ],
)
def test_wrong_arguments_are_errors(call, error, words):
    with pytest.raises(error, match=words):
        call()
