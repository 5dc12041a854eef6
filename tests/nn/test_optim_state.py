from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from test_optim import CASES, made, moved, start

import autodiff as ad
import nn
from nn import optim


def flattened(value: Any, name: str, arrays: dict[str, np.ndarray]) -> Any:
    """What a file of arrays and a JSON text can hold: the arrays go into the dict."""
    if isinstance(value, np.ndarray):
        arrays[name] = value
        return {"array": name}
    if isinstance(value, dict):
        return {key: flattened(v, f"{name}.{key}", arrays) for key, v in value.items()}
    if isinstance(value, list):
        return [flattened(v, f"{name}.{k}", arrays) for k, v in enumerate(value)]
    assert type(value) in (int, float, bool, str)
    return value


def nested(value: Any, arrays: dict[str, np.ndarray]) -> Any:
    if isinstance(value, dict):
        return arrays[value["array"]] if "array" in value else {key: nested(v, arrays) for key, v in value.items()}
    return [nested(v, arrays) for v in value] if isinstance(value, list) else value


def same(a: Any, b: Any) -> bool:
    """Whether two state dicts have the same bits."""
    first: dict[str, np.ndarray] = {}
    second: dict[str, np.ndarray] = {}
    return flattened(a, "", first) == flattened(b, "", second) and all(
        x.tobytes() == second[name].tobytes() for name, x in first.items()
    )


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("pause", [1, 7, 13])
def test_a_loaded_optimizer_continues_bit_for_bit(name: str, dtype: type, pause: int):
    through = made(name, start(dtype))
    moved(through, 0, pause)
    arrays: dict[str, np.ndarray] = {}
    text = json.dumps(flattened(through.state_dict(), "optimizer", arrays), allow_nan=False)
    values = [t.value.copy() for t in through.parameters]

    loaded = made(name, start(dtype))
    moved(loaded, 10, 15)  # something else to be forgotten
    loaded.lr = 123.0
    loaded.load_state_dict(nested(json.loads(text), arrays))
    for tensor, value in zip(loaded.parameters, values, strict=True):
        tensor.value = value
    assert same(loaded.state_dict(), through.state_dict())
    assert repr(loaded) == repr(through)
    moved(through, pause)
    moved(loaded, pause)
    assert [t.value.tobytes() for t in loaded.parameters] == [t.value.tobytes() for t in through.parameters]
    assert same(loaded.state_dict(), through.state_dict())


def test_options_that_change_on_the_way_are_continued():
    def trained(optimizer: optim.Optimizer, first: int, last: int) -> None:
        for t in range(first, last):
            optimizer.betas = (0.8 + t / 200, 0.9 + t / 300)
            optimizer.param_groups[0]["amsgrad"] = t > 8
            moved(optimizer, t, t + 1)

    through = optim.Adam(start(np.float32), lr=0.05)
    trained(through, 0, 12)
    loaded = optim.Adam([ad.Tensor(t.value) for t in through.parameters])
    loaded.load_state_dict(through.state_dict())
    for optimizer in (through, loaded):
        trained(optimizer, 12, 20)
    assert [t.value.tobytes() for t in loaded.parameters] == [t.value.tobytes() for t in through.parameters]


@pytest.mark.filterwarnings("ignore:.*no gradient has reached")
def test_parameters_of_as_many_steps_but_other_betas_are_kept_apart():
    def pair() -> optim.Optimizer:
        return optim.Adam([ad.Tensor([1.0]), ad.Tensor([2.0])])

    through, loaded = pair(), pair()
    for k, betas in enumerate([(0.5, 0.9), (0.9, 0.99)]):
        through.zero_grad()
        through.betas = betas
        through.parameters[k].grad = [3.0]
        through.step()
    loaded.load_state_dict(through.state_dict())
    for a, b in zip(through.parameters, loaded.parameters, strict=True):
        b.value = a.value
        a.grad = b.grad = [0.5]
    through.step()
    loaded.step()
    assert [t.value.tolist() for t in loaded.parameters] == [t.value.tolist() for t in through.parameters]


def test_the_form_is_that_of_pytorch():
    model = nn.MLP(2, 1, rng=0)
    optimizer = optim.Adam([*model.named_parameters(), ("spare", ad.Tensor(1.0, dtype=np.float32))], lr=0.1)
    model(np.ones((3, 2))).sum().backward()
    with pytest.warns(UserWarning, match="spare"):
        optimizer.step()
    state = optimizer.state_dict()
    assert state.keys() == {"optimizer", "state", "param_groups"}
    assert state["state"].keys() == {0, 1}
    assert state["state"][0].keys() == {"step", "betas", "grad_sum", "square_sum"}
    assert state["state"][0]["step"] == 1
    weight = model[0].weight
    assert np.array_equal(state["state"][0]["grad_sum"], weight.grad)
    assert np.array_equal(state["state"][0]["square_sum"], weight.grad**2)
    assert state["param_groups"] == [
        {
            "lr": 0.1, "betas": [0.9, 0.999], "eps": 1e-8, "weight_decay": 0.0, "amsgrad": False, "maximize": False,
                "decay_biases": True,
            "params": [0, 1, 2], "param_names": ["0.weight", "0.bias", "spare"],
        }
    ]  # fmt: skip


def test_the_arrays_are_copies():
    optimizer = made("Adam", start())
    moved(optimizer, 0, 3)
    state = optimizer.state_dict()
    kept = copy.deepcopy(state)
    moved(optimizer, 3, 5)
    assert same(state, kept)
    optimizer.load_state_dict(state)
    moved(optimizer, 3, 5)
    assert same(state, kept)


def test_an_untouched_optimizer_has_no_state_and_takes_it_away():
    optimizer = made("RMSprop, all", start())
    empty = optimizer.state_dict()
    assert empty["state"] == {}
    first = moved(optimizer)
    for tensor, fresh in zip(optimizer.parameters, start(), strict=True):
        tensor.value = fresh.value
    optimizer.load_state_dict(empty)
    assert optimizer.state_dict()["state"] == {}
    assert moved(optimizer) == first


def changed(state: dict[str, Any], *path: Any, to: Any) -> dict[str, Any]:
    found: Any = state
    for key in path[:-1]:
        found = found[key]
    if to is KeyError:
        del found[path[-1]]
    else:
        found[path[-1]] = to
    return state


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        (lambda s: None, TypeError, 'takes a dict with "state" and "param_groups"; received NoneType'),
        (lambda s: {"state": {}}, TypeError, r"received a dict of \['state'\]"),
        (lambda s: changed(s, "param_groups", to=3), TypeError, "a list of dicts"),
        (lambda s: changed(s, "param_groups", 0, "params", to=KeyError), TypeError, "a list of dicts"),
        (lambda s: changed(s, "state", to=[]), TypeError, '"state" is a dict of dicts'),
        (lambda s: changed(s, "optimizer", to="AdamW"), ValueError, "received the state of AdamW"),
        (lambda s: s | {"param_groups": s["param_groups"][:1]}, ValueError, r"groups of \[2, 1\].*groups of \[2\]"),
        (lambda s: changed(s, "param_groups", 1, "params", to=[2, 3]), ValueError, r"has groups of \[2, 2\]"),
        (lambda s: changed(s, "param_groups", 1, "lr", to=-1), ValueError, "Adam: lr is a number from 0; received -1"),
        (
            lambda s: changed(s, "param_groups", 0, "eps", to=KeyError),
            ValueError,
            "group 0 of the state .* lacks eps",
        ),
        (lambda s: changed(s, "param_groups", 0, "rho", to=0.9), ValueError, "Adam has no option 'rho'"),
        (
            lambda s: changed(s, "param_groups", 0, "decay_biases", to=False),
            ValueError,
            "with decay_biases=False",
        ),
        (
            lambda s: changed(s, "param_groups", 0, "param_names", to=["a", "c"]),
            ValueError,
            "group 0 has a parameter 'b' where the state dict has 'c'",
        ),
        (lambda s: changed(s, "state", 7, to={}), ValueError, "has a parameter 7; there are 3, numbered from 0"),
        (lambda s: changed(s, "state", 0, "step", to=0), ValueError, "state of parameter 0: step is an int from 1"),
        (lambda s: changed(s, "state", 0, "betas", to=[0.9]), TypeError, "state of parameter 0: betas are a pair"),
        (
            lambda s: changed(s, "state", 1, "grad_sum", to=KeyError),
            ValueError,
            "of parameter 1 has betas, grad_",
        ),
        (lambda s: changed(s, "state", 1, "exp_avg", to=0), ValueError, "received betas, exp_avg, grad_sum"),
        (
            lambda s: changed(s, "state", 1, "grad_sum", to=np.zeros((3, 2))),
            ValueError,
            r"parameter 1: grad_sum is an array of shape \(2, 3\), float64; received shape \(3, 2\), float64",
        ),
        (
            lambda s: changed(s, "state", 1, "grad_sum", to=np.zeros((2, 3), np.float32)),
            ValueError,
            r"received shape \(2, 3\), float32",
        ),
        (lambda s: changed(s, "state", 1, "grad_sum", to=[1.0]), ValueError, "received list"),
    ],
)
def test_a_state_that_does_not_fit_changes_nothing(change: Callable[[Any], Any], error: type[Exception], words: str):
    def named() -> optim.Optimizer:
        a, b, c = start()
        return optim.Adam([{"params": [("a", a), ("b", b)]}, {"params": c, "lr": 0.5}])

    one, other = named(), named()
    moved(one, 0, 3)
    moved(other, 0, 5)
    before = other.state_dict()
    with pytest.raises(error, match=words):
        other.load_state_dict(change(one.state_dict()))
    assert same(other.state_dict(), before)
    twin = named()
    moved(twin, 0, 5)
    assert moved(other, 5) == moved(twin, 5)


def test_a_state_of_pytorch_is_known_as_such():
    optimizer = optim.Adam([ad.Tensor([1.0])])
    group = {"lr": 1e-3, "betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": 0, "amsgrad": False, "foreach": None}
    state = {"step": 1.0, "exp_avg": np.ones(1), "exp_avg_sq": np.ones(1)}
    with pytest.raises(ValueError, match=r"lacks decay_biases.*PyTorch's.*take over the model's weights"):
        optimizer.load_state_dict({"state": {0: state}, "param_groups": [{**group, "params": [0]}]})
