"""Lists and dicts of layers, buffers by name, functions applied to each Module, and hooks."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest

import autodiff as ad
import nn

X = np.ones((2, 3), np.float32)


class Net(nn.Module):
    def __init__(self) -> None:
        self.layers = nn.ModuleList([nn.Linear(3, 3, rng=0), nn.Tanh()])
        self.heads = nn.ModuleDict({"mean": nn.Linear(3, 1, rng=1), "scale": nn.Linear(3, 1, rng=2)})
        self.factors = nn.ParameterList([np.ones(3, np.float32)])
        self.shifts = nn.ParameterDict({"a": np.zeros(3, np.float32)})
        self.register_buffer("count", np.zeros((), np.int64))

    def forward(self, x: Any) -> Any:
        for layer in self.layers:
            x = layer(x)
        x = x * self.factors[0] + self.shifts["a"]
        return {name: head(x) for name, head in self.heads.items()}


NAMES = [
    "layers.0.weight", "layers.0.bias", "heads.mean.weight", "heads.mean.bias", "heads.scale.weight",
    "heads.scale.bias", "factors.0", "shifts.a",
]  # fmt: skip


def test_members_are_found_by_their_numbers_and_keys():
    model = Net()
    assert [name for name, _ in model.named_parameters()] == NAMES
    assert list(model.state_dict()) == [*NAMES, "count"]
    assert {name: y.shape for name, y in model(X).items()} == {"mean": (2, 1), "scale": (2, 1)}
    assert all(not module.training for module in model.eval().modules())
    assert [name for name, _ in model.named_children()] == ["layers", "heads", "factors", "shifts"]


def test_pytorchs_names_are_the_same():
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")

    class Theirs(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layers = torch.nn.ModuleList([torch.nn.Linear(3, 3), torch.nn.Tanh()])
            self.heads = torch.nn.ModuleDict({"mean": torch.nn.Linear(3, 1), "scale": torch.nn.Linear(3, 1)})
            self.factors = torch.nn.ParameterList([torch.ones(3)])
            self.shifts = torch.nn.ParameterDict({"a": torch.zeros(3)})
            self.register_buffer("count", torch.zeros((), dtype=torch.int64))

    assert sorted(Theirs().state_dict()) == sorted(Net().state_dict())


def test_a_list_of_modules_is_a_list():
    a, b, c = nn.Linear(3, 3, rng=0), nn.Tanh(), nn.ReLU()
    layers = nn.ModuleList([a])
    layers.append(c)
    layers.insert(1, b)
    layers += [nn.Sigmoid()]
    assert list(layers)[:3] == [a, b, c]
    assert (len(layers), layers[-1].__class__, layers[:2][1], b in layers) == (4, nn.Sigmoid, b, True)
    del layers[0]
    layers[0] = a
    assert [name for name, _ in layers.named_parameters()] == ["0.weight", "0.bias"]
    assert repr(nn.ModuleList([b, c])) == "ModuleList(\n    [\n        Tanh(),\n        ReLU(),\n    ],\n)"
    assert hash(layers) == object.__hash__(layers)


def test_a_dict_of_modules_is_a_dict():
    heads = nn.ModuleDict({"b": nn.ReLU()})
    heads["a"] = nn.Tanh()
    heads.update(c=nn.Sigmoid())
    assert list(heads) == ["b", "a", "c"]
    assert isinstance(heads.pop("b"), nn.ReLU)
    assert ("b" in heads, len(heads)) == (False, 2)
    assert repr(nn.ModuleDict({"a": nn.Tanh()})) == "ModuleDict(dict(a=Tanh()))"


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])  # noqa: S301
def test_containers_are_copied_and_frozen(copied: Any):
    model = copied(Net())
    assert [name for name, _ in model.named_parameters()] == NAMES
    model.freeze()
    assert list(model.parameters()) == []
    assert list(model.state_dict()) == [*NAMES, "count"]
    model.unfreeze()
    assert [name for name, _ in model.named_parameters()] == NAMES
    assert len(model.factors) == 1


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: nn.ModuleList([nn.Tanh]), TypeError, r"ModuleList takes Modules.*Write Tanh\(\)"),
        (lambda: nn.ModuleList([np.tanh]), TypeError, "around a function"),
        (lambda: nn.ModuleList([nn.Tanh()])(X), NotImplementedError, "only holds its members"),
        (lambda: nn.ModuleDict({"keys": nn.Tanh()}), KeyError, "not of its own methods"),
        (lambda: nn.ModuleDict({"a.b": nn.Tanh()}), KeyError, "without a dot"),
        (lambda: nn.ModuleDict()["a"], KeyError, "no member; received 'a'"),
        (lambda: nn.ParameterList([ad.Tensor(1.0) * 2]), TypeError, "the result of multiply"),
        (lambda: nn.ParameterList(["a"]), TypeError, "takes arrays of numbers"),
        (lambda: nn.Tanh().register_buffer("_a", X), ValueError, "self._mean = array"),
        (lambda: nn.Tanh().register_buffer("a", X, persistent=False), ValueError, "self._a = array"),
        (lambda: nn.Tanh().register_buffer("training", X), KeyError, "has 'training' already"),
        (lambda: nn.Tanh().register_buffer("a", "b"), TypeError, "takes an array of numbers"),
        (lambda: nn.Tanh().register_forward_hook(1), TypeError, "a function of"),
    ],
)
def test_what_is_refused(call: Any, error: type[Exception], words: str):
    with pytest.raises(error, match=words):
        call()


def test_apply_goes_inside_out_and_calls_each_once():
    shared = nn.Linear(3, 3, rng=0)
    model = nn.Sequential(shared, nn.Sequential(shared, nn.Tanh()))
    seen: list[nn.Module] = []
    assert model.apply(seen.append) is model
    assert seen == [shared, model[1][1], model[1], model]


def test_hooks_see_what_was_given_and_may_change_the_result():
    model = nn.Sequential(nn.Linear(3, 2, rng=0), nn.Tanh())
    seen = []
    plain = model(X)
    first = model[0].register_forward_hook(lambda module, args, result: seen.append((module, args[0], result.shape)))
    second = model[1].register_forward_hook(lambda module, args, result: result * 2)
    np.testing.assert_array_equal(model(X).value, plain.value * 2)
    assert seen[0][0] is model[0]
    assert seen[0][1] is X
    assert list(model.state_dict()) == ["0.weight", "0.bias"]
    assert copy.deepcopy(model)[1]._hooks == ()
    second.remove()
    second.remove()
    np.testing.assert_array_equal(model(X).value, plain.value)
    first.remove()
    with model[0].register_forward_hook(lambda *_: seen.append(1)) as handle:
        model(X)
        assert "of a Linear" in repr(handle)
    model(X)
    assert len(seen) == 3


def test_checkpointed_layers_give_the_same_numbers_and_drop_the_same():
    def made() -> nn.Sequential:
        return nn.Sequential(
            nn.Linear(3, 4, rng=0), nn.BatchNorm1d(4), nn.Tanh(), nn.Dropout(0.5, rng=1), nn.Linear(4, 3, rng=2)
        )

    x = np.random.default_rng(0).standard_normal((8, 3)).astype(np.float32)
    plain, again = made(), nn.Checkpointed(made())
    for _ in range(2):
        (plain(x) ** 2).sum().backward()
        (again(x) ** 2).sum().backward()
    for p, q in zip(plain.parameters(), again.parameters(), strict=True):
        np.testing.assert_array_equal(p.grad, q.grad)
    for p, q in zip(plain.buffers(), again.buffers(), strict=True):
        np.testing.assert_array_equal(p, q)
    states = [next(iter(m.named_generators()))[1].bit_generator.state for m in (plain, again)]
    assert states[0] == states[1]
    assert next(iter(again.state_dict())) == "module.0.weight"
    with pytest.raises(TypeError, match="Checkpointed takes a Module"):
        nn.Checkpointed(np.tanh)  # type: ignore[arg-type]
