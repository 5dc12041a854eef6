from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autodiff as ad
from nn import optim
from nn.optim import lr_scheduler

REFERENCE = json.loads((Path(__file__).parent / "references" / "schedules.json").read_text(encoding="utf-8"))
CASES, METRICS = REFERENCE["cases"], REFERENCE["metrics"]
every_case = pytest.mark.parametrize("name", CASES)


def moved(kind: str = "SGD", **options: float) -> optim.Optimizer:
    """An optimizer with two groups, of rates 0.1 and 0.03."""
    second = {"params": [ad.Tensor([2.0])], "lr": 0.03}
    return getattr(optim, kind)([{"params": [ad.Tensor([1.0])]}, second], lr=0.1, **options)


def made(name: str, optimizer: optim.Optimizer) -> optim.LRScheduler:
    case = CASES[name]
    options = dict(case["options"])
    if case["schedule"] == "SequentialLR":
        inner = [getattr(optim, kind)(optimizer, **given) for kind, given in options["schedulers"]]
        return optim.SequentialLR(optimizer, inner, options["milestones"])
    return getattr(lr_scheduler, case["schedule"])(optimizer, **options)


def stepped(schedule: optim.LRScheduler, t: int) -> None:
    """The t-th step, from 1."""
    if isinstance(schedule, optim.ReduceLROnPlateau):
        schedule.step(METRICS[t - 1])
    else:
        schedule.step()


def rates(optimizer: optim.Optimizer) -> list[float]:
    return [group["lr"] for group in optimizer.param_groups]


@every_case
def test_the_rates_are_those_of_pytorch(name: str):
    case = CASES[name]
    optimizer = moved(case["optimizer"])
    schedule = made(name, optimizer)
    for t, expected in enumerate(case["rates"]):
        if t:
            stepped(schedule, t)
        np.testing.assert_allclose(rates(optimizer), expected, rtol=1e-12, atol=1e-15)
        assert schedule.get_last_lr() == rates(optimizer)
        if "momenta" in case:
            momenta = [group.get("momentum", group.get("betas", [0])[0]) for group in optimizer.param_groups]
            np.testing.assert_allclose(momenta, case["momenta"][t], rtol=1e-12)
    assert len(case["rates"]) > 20


@every_case
def test_the_next_rates_are_known_and_nothing_is_changed(name: str):
    case = CASES[name]
    optimizer = moved(case["optimizer"])
    schedule = made(name, optimizer)
    stepped(schedule, 1)
    before, state = rates(optimizer), optimizer.state_dict()["param_groups"]
    if isinstance(schedule, optim.ReduceLROnPlateau):
        with pytest.raises(TypeError, match="depend on the metric"):
            schedule.rates(3)
        return
    told = schedule.rates(20)
    assert told.shape == (20, 2)
    np.testing.assert_allclose(told, case["rates"][1:21], rtol=1e-12, atol=1e-15)
    assert rates(optimizer) == before
    assert optimizer.state_dict()["param_groups"] == state


@every_case
@pytest.mark.parametrize("steps", [0, 3, 8, 20])
def test_a_loaded_schedule_continues_exactly(name: str, steps: int):
    optimizer, other = (moved(CASES[name]["optimizer"]) for _ in range(2))
    schedule, loaded = made(name, optimizer), made(name, other)
    for t in range(1, steps + 1):
        stepped(schedule, t)
    state = json.loads(json.dumps([schedule.state_dict(), optimizer.state_dict()], allow_nan=False))
    loaded.load_state_dict(state[0])
    assert rates(other) == rates(optimizer)  # whichever of the two is loaded first
    other.load_state_dict(state[1])
    for t in range(steps + 1, 26):
        stepped(schedule, t)
        stepped(loaded, t)
        assert rates(other) == rates(optimizer)
    assert optimizer.state_dict() == other.state_dict()
    assert schedule.state_dict() == loaded.state_dict()


def test_inverse_time():
    optimizer = moved()
    schedule = optim.InverseTimeLR(optimizer, decay=0.5)
    for t in range(1, 30):
        schedule.step()
        np.testing.assert_allclose(rates(optimizer), [0.1 / (1 + 0.5 * t), 0.03 / (1 + 0.5 * t)], rtol=1e-15)


def test_a_function_of_the_steps_for_all_groups_or_for_each():
    optimizer = moved()
    schedule = optim.LambdaLR(optimizer, lambda t: 0.5**t)
    schedule.step()
    assert rates(optimizer) == [0.05, 0.015]
    assert "lr_lambdas" not in schedule.state_dict()
    optimizer = moved()
    schedule = optim.LambdaLR(optimizer, [lambda t: 1.0, lambda t: 1 / (1 + t)])
    schedule.step()
    assert rates(optimizer) == [0.1, 0.015]


def test_a_product_of_what_a_function_gives():
    optimizer = moved()
    schedule = optim.MultiplicativeLR(optimizer, lambda t: 1 / t)
    found = [rates(optimizer)]
    for _ in range(4):
        schedule.step()
        found.append(rates(optimizer))
    np.testing.assert_allclose(found, [[0.1 / n, 0.03 / n] for n in (1, 1, 2, 6, 24)], rtol=1e-15)


def test_a_schedule_of_ones_own():
    class Halving(optim.LRScheduler):
        def factor(self, t: int) -> float:
            return 0.5**t

    optimizer = moved()
    schedule = Halving(optimizer)
    schedule.step()
    assert rates(optimizer) == [0.05, 0.015]
    assert repr(schedule) == "Halving(each='epoch', steps=1, lr=[0.05, 0.015])"
    with pytest.raises(NotImplementedError, match="define factor"):
        optim.LRScheduler(optimizer)


def test_a_second_schedule_begins_at_the_initial_rates():
    optimizer = moved()
    optim.LinearLR(optimizer, 0.1)
    assert rates(optimizer) == pytest.approx([0.01, 0.003])
    optim.ExponentialLR(optimizer, 0.9)
    assert rates(optimizer) == [0.1, 0.03]


def test_going_on_after_some_steps():
    optimizer = moved()
    schedule = optim.StepLR(optimizer, 4)
    for _ in range(6):
        schedule.step()
    again = optim.StepLR(optimizer, 4, last_epoch=5)
    assert rates(optimizer) == again.get_last_lr() == schedule.get_last_lr()
    assert again.last_epoch == 6


def test_a_rate_set_by_something_else_is_an_error():
    optimizer = moved()
    first = optim.StepLR(optimizer, 2)
    optimizer.lr = 0.5
    with pytest.raises(RuntimeError, match=r"StepLR set the rates \[0.1, 0.03\], and found \[0.5, 0.5\].*SequentialLR"):
        first.step()
    first.base_lrs = [0.5, 0.5]
    first.assign()
    first.step()
    assert rates(optimizer) == [0.5, 0.5]
    plateau = optim.ReduceLROnPlateau(optimizer, patience=0)
    plateau.step(1.0)
    optimizer.lr = 0.2  # which a plateau respects
    plateau.step(2.0)
    assert rates(optimizer) == pytest.approx([0.02, 0.02])


def test_when_fit_takes_a_step():
    optimizer = moved()
    assert optim.StepLR(optimizer, 2).each == "epoch"
    assert optim.StepLR(optimizer, 2, each="step").each == "step"
    assert optim.OneCycleLR(optimizer, 0.1, 10).each == "step"
    assert optim.OneCycleLR(optimizer, 0.1, 10, each="epoch").each == "epoch"
    warm_up = optim.LinearLR(optimizer, each="step")
    assert optim.SequentialLR(optimizer, [warm_up, optim.StepLR(optimizer, 2, each="step")], [5]).each == "step"
    assert optim.SequentialLR(optimizer, [warm_up, optim.StepLR(optimizer, 2)], [5], each="step").each == "step"
    with pytest.raises(ValueError, match=r'some after every step. Write each="step"'):
        optim.SequentialLR(optimizer, [warm_up, optim.StepLR(optimizer, 2)], [5])
    with pytest.raises(ValueError, match="StepLR: each is one of 'epoch', 'step'; received 'batch'"):
        optim.StepLR(optimizer, 2, each="batch")


def test_the_momentum_of_a_schedule_reaches_the_steps():
    one, other = ad.Tensor([1.0, 2.0]), ad.Tensor([1.0, 2.0])
    scheduled, by_hand = optim.Adam([one]), optim.Adam([other])
    schedule = optim.OneCycleLR(scheduled, 0.1, 20)
    for _ in range(20):
        by_hand.lr, by_hand.betas = scheduled.lr, scheduled.betas
        for w, optimizer in ((one, scheduled), (other, by_hand)):
            optimizer.zero_grad()
            (w * w).sum().backward()
            optimizer.step()
        schedule.step()
    assert one.value.tolist() == other.value.tolist()
    assert scheduled.betas == (pytest.approx(0.95, abs=1e-2), 0.999)


def test_a_cycle_has_an_end():
    schedule = optim.OneCycleLR(moved(), 0.1, total_steps=3)
    for _ in range(3):
        schedule.step()
    assert schedule.get_last_lr() == [pytest.approx(0.1 / 25 / 1e4)] * 2
    with pytest.raises(ValueError, match="made for 3 steps, and is asked for its rates after 4"):
        schedule.step()


def test_a_metric_that_is_nan_is_no_improvement():
    optimizer = moved()
    schedule = optim.ReduceLROnPlateau(optimizer, patience=0)
    schedule.step(float("nan"))
    assert rates(optimizer) == pytest.approx([0.01, 0.003])


def wrong_states() -> list[tuple[Callable[[dict[str, Any]], Any], str]]:
    return [
        (lambda s: 3, "takes the state_dict"),
        (lambda s: s | {"scheduler": "LinearLR"}, "of the kind it was saved from"),
        (lambda s: {k: v for k, v in s.items() if k != "gamma"}, "with scheduler, step_size, gamma"),
        (lambda s: s | {"gamma": "0.1"}, "gamma was 0.1; the state dict has '0.1'"),
        (lambda s: s | {"last_epoch": True}, "last_epoch was 0; the state dict has True"),
        (lambda s: s | {"base_lrs": [0.1]}, "as many groups"),
        (lambda s: s | {"base_lrs": [0.1, "0.1"]}, "as many groups"),
    ]


@pytest.mark.parametrize(("change", "words"), wrong_states())
def test_a_state_that_does_not_fit_changes_nothing(change: Callable[[dict[str, Any]], Any], words: str):
    optimizer = moved()
    schedule = optim.StepLR(optimizer, 2)
    later = schedule.state_dict() | {"last_epoch": 5}
    before = schedule.state_dict()
    state = change(later if words != "last_epoch was 0; the state dict has True" else before)
    with pytest.raises(ValueError, match=words):
        schedule.load_state_dict(state)
    assert schedule.state_dict() == before
    assert rates(optimizer) == [0.1, 0.03]


def test_a_sequence_checks_the_states_within():
    optimizer = moved()
    schedule = made("SequentialLR", optimizer)
    schedule.step()
    state = schedule.state_dict()
    state["_schedulers"][1]["scheduler"] = "StepLR"
    other = made("SequentialLR", moved())
    with pytest.raises(ValueError, match=r"CosineAnnealingLR.load_state_dict takes"):
        other.load_state_dict(state)
    assert other.last_epoch == 0


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda o: optim.StepLR([ad.Tensor(1.0)], 2), TypeError, "StepLR takes an optimizer.*received list"),
        (lambda o: optim.MultiStepLR(o, 5), TypeError, "MultiStepLR: milestones are a list.*received 5"),
        (lambda o: optim.StepLR(optim.SGD(lr=0.1), 2), RuntimeError, r"SGD\(lr=0.1\) was made without parameters"),
        (lambda o: optim.StepLR(o, 2, last_epoch=3), ValueError, "group 0 of the optimizer has no initial_lr"),
        (lambda o: optim.StepLR(o, 0), ValueError, "step_size is an int from 1; received 0"),
        (lambda o: optim.StepLR(o, 2, gamma=-1), ValueError, "gamma is a number from 0"),
        (lambda o: optim.MultiStepLR(o, [1.5]), ValueError, "a milestone is an int from 0; received 1.5"),
        (lambda o: optim.LinearLR(o, 0.0), ValueError, "start_factor is a number above 0 to 1"),
        (lambda o: optim.ConstantLR(o, 2.0), ValueError, "factor is a number from 0 to 1"),
        (lambda o: optim.LambdaLR(o, [lambda t: 1.0]), ValueError, "a list of 2, one per group"),
        (lambda o: optim.LambdaLR(o, 0.9), ValueError, r"Write lr_lambda=lambda t"),
        (lambda o: optim.CosineAnnealingLR(o, 2.5), ValueError, "T_max is an int"),
        (lambda o: optim.CosineAnnealingWarmRestarts(o, 2, 0), ValueError, "T_mult is an int from 1"),
        (lambda o: optim.OneCycleLR(o, 0.1), ValueError, "takes total_steps, or epochs and steps_per_epoch"),
        (lambda o: optim.OneCycleLR(o, [0.1], 5), ValueError, "max_lr is a number or a list of one per group, 2"),
        (lambda o: optim.OneCycleLR(o, 0.1, 5, anneal_strategy="sin"), ValueError, "one of 'cos', 'linear'"),
        (lambda o: optim.OneCycleLR(moved("Adagrad"), 0.1, 5), ValueError, "write cycle_momentum=False"),
        (lambda o: optim.ReduceLROnPlateau(o, "least"), ValueError, "mode is one of 'min', 'max'; received 'least'"),
        (lambda o: optim.ReduceLROnPlateau(o, min_lr=[0.1]), ValueError, "min_lr is a number or a list"),
        (lambda o: optim.ReduceLROnPlateau(o, factor=1.0), ValueError, "factor is a number from 0 to below 1"),
        (lambda o: optim.ReduceLROnPlateau(o).step(), TypeError, r"write schedule.step\(validation_loss\)"),
        (lambda o: optim.ReduceLROnPlateau(0.1), TypeError, "received float"),
        (lambda o: optim.SequentialLR(o, [optim.StepLR(o, 2)], [3]), ValueError, "one milestone between two"),
        (lambda o: optim.SequentialLR(o, [], []), ValueError, "received 0 schedules"),
        (lambda o: optim.SequentialLR(o, [optim.StepLR(moved(), 2)], []), ValueError, "for another optimizer"),
        (lambda o: optim.SequentialLR(o, [optim.ReduceLROnPlateau(o)], []), TypeError, "is a ReduceLROnPlateau"),
        (lambda o: lr_scheduler.CyclicLR, AttributeError, "use nn.optim.OneCycleLR"),
        (lambda o: lr_scheduler.StepLr, AttributeError, "It has ConstantLR"),
    ],
)
def test_wrong_arguments_are_errors(call, error, words):
    with pytest.raises(error, match=words):
        call(moved())
