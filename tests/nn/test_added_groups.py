"""add_param_group: parameters that an optimizer is given later, such as those of layers that were unfrozen."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import autodiff as ad
import nn
from nn import optim

KINDS = [
    ("SGD", {"momentum": 0.9, "weight_decay": 0.1}),
    ("Adam", {"amsgrad": True}),
    ("AdamW", {}),
    ("NAdam", {}),
    ("LAMB", {}),
    ("RAdam", {}),
    ("Adamax", {}),
    ("Lion", {}),
    ("RMSprop", {"centered": True, "momentum": 0.5}),
    ("Adagrad", {"initial_accumulator_value": 0.5}),
    ("Adadelta", {}),
]


def tensors(*shapes: tuple[int, ...]) -> list[ad.Tensor]:
    rng = np.random.default_rng(0)
    return [ad.Tensor(rng.normal(size=shape)) for shape in shapes]


def moved(optimizer: optim.Optimizer, among: list[ad.Tensor], steps: range) -> None:
    """Steps whose adjoints depend on the step and the shape alone."""
    for t in steps:
        optimizer.zero_grad()
        for tensor in among:
            tensor.grad = np.random.default_rng(t).normal(size=tensor.shape)
        optimizer.step()


@pytest.mark.filterwarnings("ignore:.*no gradient has reached")
@pytest.mark.parametrize(("kind", "options"), KINDS)
def test_a_group_added_later_moves_as_one_that_waited(kind: str, options: dict[str, Any]):
    first, *rest = tensors((3, 4), (5,), (2, 2))
    later = getattr(optim, kind)([first], lr=0.01, **options)
    moved(later, [first], range(3))
    later.add_param_group({"params": rest, "lr": 0.1})
    moved(later, [first, *rest], range(3, 6))

    one, *others = tensors((3, 4), (5,), (2, 2))
    waiting = getattr(optim, kind)([{"params": [one]}, {"params": others, "lr": 0.1}], lr=0.01, **options)
    moved(waiting, [one], range(3))
    moved(waiting, [one, *others], range(3, 6))

    assert [group["lr"] for group in later.param_groups] == [0.01, 0.1]
    for tensor, other in zip([first, *rest], [one, *others], strict=True):
        assert np.array_equal(tensor.value, other.value)


def test_the_state_goes_into_an_optimizer_made_with_all_groups():
    first, second = tensors((3,), (4,))
    optimizer = optim.Adam([("a", first)], lr=0.01)
    moved(optimizer, [first], range(2))
    optimizer.add_param_group({"params": [("b", second)], "betas": (0.5, 0.9)})
    moved(optimizer, [first, second], range(2, 4))
    one, other = (ad.Tensor(tensor.value) for tensor in (first, second))
    loaded = optim.Adam([{"params": [("a", one)]}, {"params": [("b", other)]}])
    loaded.load_state_dict(optimizer.state_dict())
    for each, among in ((optimizer, [first, second]), (loaded, [one, other])):
        moved(each, among, range(4, 6))
    assert [entry["step"] for entry in loaded.state_dict()["state"].values()] == [6, 4]
    assert np.array_equal(first.value, one.value)
    assert np.array_equal(second.value, other.value)


def test_an_adjoint_between_backward_and_step_stays():
    first, second = tensors((3,), (3,))
    optimizer = optim.SGD([first], lr=1.0)
    before, start = first.value.copy(), second.value.copy()
    np.sum(first * second).backward()
    optimizer.add_param_group({"params": second})
    optimizer.step()
    np.testing.assert_allclose(first.value, before - start)
    np.testing.assert_allclose(second.value, start - before)


def test_an_optimizer_without_parameters_takes_its_first_group():
    (tensor,) = tensors((3,))
    optimizer = optim.SGD(lr=0.1)
    optimizer.add_param_group({"params": [tensor], "lr": 0.5})
    assert optimizer.lr == 0.5
    assert optimizer.parameters == [tensor]


def test_new_parameters_that_no_gradient_reaches_are_named():
    first, second = tensors((3,), (4,))
    optimizer = optim.SGD([first])
    moved(optimizer, [first], range(1))
    optimizer.add_param_group({"params": [("head", second)]})
    with pytest.warns(UserWarning, match="no gradient has reached head"):
        moved(optimizer, [first], range(1))


def test_a_schedule_takes_the_group_on_from_its_own_rate():
    first, second = tensors((3,), (4,))
    optimizer = optim.SGD([first], lr=1.0)
    schedule = optim.StepLR(optimizer, step_size=2, gamma=0.1)
    for _ in range(3):
        schedule.step()
    optimizer.add_param_group({"params": [second], "lr": 0.5})
    rates = []
    for _ in range(3):
        schedule.step()
        rates.append([group["lr"] for group in optimizer.param_groups])
    np.testing.assert_allclose(rates, [[0.01, 0.05], [0.01, 0.05], [0.001, 0.005]])  # PyTorch's StepLR gives these
    again = optim.StepLR(optimizer, step_size=2, gamma=0.1)
    again.load_state_dict(schedule.state_dict())
    np.testing.assert_allclose(again.rates(3)[-1], [1e-4, 5e-4])


@pytest.mark.parametrize(
    "make",
    [
        lambda optimizer: optim.LambdaLR(optimizer, lambda t: 1 / (1 + t)),
        lambda optimizer: optim.CosineAnnealingLR(optimizer, T_max=10),
        lambda optimizer: optim.ReduceLROnPlateau(optimizer),
    ],
)
def test_a_schedule_of_other_rates_says_how_to_go_on(make: Any):
    first, second = tensors((3,), (4,))
    optimizer = optim.SGD([first], lr=1.0)
    schedule = make(optimizer)
    arguments = [1.0] if isinstance(schedule, optim.ReduceLROnPlateau) else []
    schedule.step(*arguments)
    optimizer.add_param_group({"params": [second], "lr": 0.5})
    with pytest.raises(RuntimeError, match=r"was made for 1 group\(s\) of the optimizer.*last_epoch=0"):
        schedule.step(*arguments)


def test_the_remedy_for_such_schedules_goes_on():
    first, second = tensors((3,), (4,))
    optimizer = optim.SGD([first], lr=1.0)
    optim.CosineAnnealingLR(optimizer, T_max=4).step()
    optimizer.add_param_group({"params": [second], "lr": 0.5, "initial_lr": 0.5})
    schedule = optim.CosineAnnealingLR(optimizer, T_max=4, last_epoch=0)
    schedule.step()
    np.testing.assert_allclose(schedule.get_last_lr(), [0.5, 0.25])


def test_fit_goes_on_with_layers_that_a_callback_unfreezes():
    class Unfreeze(nn.Callback):
        def on_epoch_begin(self, training: Any) -> None:
            if training.epoch == 2:
                training.model[0].unfreeze()
                training.optimizer.add_param_group({"params": training.model[0].parameters(), "lr": 0.05})

    rng = np.random.default_rng(0)
    x = rng.normal(size=(32, 4)).astype(np.float32)
    model = nn.MLP(4, 8, 2, rng=0)
    body = model[0]
    before = body.weight.value.copy()
    body.freeze()
    optimizer = optim.Adam(model.parameters(), lr=0.01)
    nn.fit(model, x, x[:, :2], loss=nn.MSELoss(), optimizer=optimizer, epochs=1, callbacks=[Unfreeze()])
    assert np.array_equal(body.weight, before)
    nn.fit(model, x, x[:, :2], loss=nn.MSELoss(), optimizer=optimizer, epochs=3, callbacks=[Unfreeze()])
    assert not np.array_equal(body.weight.value, before)
    assert len(optimizer.param_groups) == 2


@pytest.mark.parametrize("kind", ["SGD", "Adam"])
def test_programs_of_steps_are_made_anew(kind: str):
    x, y = np.ones((8, 4), np.float32), np.arange(8) % 3
    values = []
    for compiled in (False, True):
        model = nn.MLP(4, 8, 3, rng=0)
        head = list(model.parameters())[2:]
        optimizer = getattr(optim, kind)(head, lr=0.1)

        def step(model: Any = model, optimizer: Any = optimizer, compiled: bool = compiled) -> Any:
            loss = nn.CrossEntropyLoss()
            if compiled:
                return nn.TrainStep(model, loss, optimizer)

            def eager(x: Any, y: Any) -> None:
                model.zero_grad()
                loss(model(x), y).backward()
                optimizer.step()

            return eager

        first = step()
        for _ in range(3):
            first(x, y)
        optimizer.add_param_group({"params": list(model.parameters())[:2]})
        first(x, y)
        second = step()
        for _ in range(3):
            second(x, y)
        values.append(np.concatenate([p.value.ravel() for p in model.parameters()]))
    np.testing.assert_allclose(values[1], values[0], rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize(
    ("group", "error", "words"),
    [
        (lambda first: [first], TypeError, "add_param_group takes a dict; received a list"),
        (lambda first: {"lr": 0.1}, TypeError, "dict"),
        (lambda first: {"params": [first]}, ValueError, r"of shape \(3,\) that is in group 0 already"),
        (lambda first: {"params": []}, ValueError, "no parameters"),
        (lambda first: {"params": [ad.Tensor(1.0, dtype=np.float32)]}, TypeError, "one dtype"),
        (lambda first: {"params": [ad.Tensor(1.0)], "lr": -1.0}, ValueError, "lr of group 1"),
        (lambda first: {"params": [ad.Tensor(1.0)], "rate": 1.0}, ValueError, "has no option 'rate'"),
    ],
)
def test_what_is_no_new_group_changes_nothing(group: Any, error: type[Exception], words: str):
    (first,) = tensors((3,))
    optimizer = optim.Adam([first], lr=0.1)
    moved(optimizer, [first], range(2))
    flat = optimizer.flat
    with pytest.raises(error, match=words):
        optimizer.add_param_group(group(first))
    assert optimizer.flat is flat
    assert len(optimizer.param_groups) == 1
    moved(optimizer, [first], range(1))


def test_lbfgs_has_one_group():
    first, second = tensors((3,), (4,))
    optimizer = optim.LBFGS([first])
    with pytest.raises(ValueError, match="LBFGS has one group"):
        optimizer.add_param_group({"params": [second]})
    assert optimizer.parameters == [first]
