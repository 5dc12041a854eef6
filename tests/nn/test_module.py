from __future__ import annotations

import copy

import numpy as np
import pytest
from garbage import no_garbage

import autodiff as ad
import nn
import nn.functional as F


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(3, 4, rng=0)
        self.stages = [nn.Linear(4, 4, rng=1), (nn.Tanh(), nn.Linear(4, 2, bias=False, rng=2))]
        self.heads = {"mean": nn.Linear(2, 1, rng=3)}
        self.scale = ad.Tensor(1.0, name="scale")
        self.offset = np.zeros(2)
        self.rate = 0.5

    def forward(self, x: object) -> object:
        x = np.tanh(self.first(x))
        x = self.stages[1][1](F.relu(self.stages[0](x)))
        return self.scale * self.heads["mean"](x)


def test_parameters_are_found_in_order_by_walking_attributes():
    assert [name for name, _ in Net().named_parameters()] == [
        "first.weight", "first.bias", "stages.0.weight", "stages.0.bias", "stages.1.1.weight",
        "heads.mean.weight", "heads.mean.bias", "scale",
    ]  # fmt: skip
    assert [name for name, _ in Net().named_buffers()] == ["offset"]


def test_without_calling_the_constructor_of_module():
    class Bare(nn.Module):
        def __init__(self) -> None:
            self.w = ad.Tensor([1.0, 2.0])

        def forward(self, x: object) -> object:
            return self.w * x

    model = Bare()
    assert [name for name, _ in model.named_parameters()] == ["w"]
    assert model(2.0).value.tolist() == [2.0, 4.0]


def test_names_in_a_sequential_are_those_of_pytorch():
    model = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Sequential(nn.Linear(3, 1)))
    assert [name for name, _ in model.named_parameters()] == ["0.weight", "0.bias", "2.0.weight", "2.0.bias"]


def test_names_in_an_attribute_called_layers():
    class Stack(nn.Module):
        def __init__(self) -> None:
            self.layers = [nn.Linear(2, 2), nn.Linear(2, 2)]

    assert next(iter(Stack().named_parameters()))[0] == "layers.0.weight"


def test_a_shared_parameter_counts_once_and_gets_both_adjoints():
    layer = nn.Linear(2, 2, rng=0, dtype=np.float64)
    tied = nn.Sequential(layer, nn.Tanh(), layer)
    assert len(list(tied.parameters())) == 2
    x = np.array([[0.3, -0.7]])
    tied(x).sum().backward()

    w, b = layer.weight.value, layer.bias.value
    h = np.tanh(x @ w.T + b)
    g = np.ones((1, 2))
    inner = (g @ w) * (1 - h**2)
    np.testing.assert_allclose(layer.weight.grad, g.T @ h + inner.T @ x, rtol=1e-13)
    np.testing.assert_allclose(layer.bias.grad, (g + inner)[0], rtol=1e-13)

    optimizer = nn.optim.SGD(tied.parameters(), lr=0.5)
    before, gradient = w.copy(), layer.weight.grad.copy()
    optimizer.step()
    np.testing.assert_allclose(layer.weight.value, before - 0.5 * gradient)


def test_a_module_that_knows_its_parent_is_walked_once():
    parent, child = nn.Module(), nn.Linear(1, 1)
    parent.child, child.parent = child, parent
    assert [name for name, _ in parent.named_parameters()] == ["child.weight", "child.bias"]
    loop = nn.Module()
    loop.again = loop
    assert repr(loop) == "Module(again=...)"


def test_results_kept_as_attributes_are_not_parameters():
    model = nn.Linear(2, 2)
    model.seen = model(np.ones((1, 2)))
    assert len(list(model.parameters())) == 2


def test_zero_grad():
    model = nn.Linear(2, 1)
    model(np.ones((1, 2))).sum().backward()
    assert model.weight.grad is not None
    model.zero_grad()
    assert model.weight.grad is None


def test_repr_is_the_model():
    assert repr(nn.MLP(4, 3, 2)) == "MLP(\n    Linear(4, 3),\n    ReLU(),\n    Linear(3, 2),\n)"
    assert repr(nn.Sequential(nn.Linear(4, 3, bias=False))) == "Sequential(Linear(4, 3, bias=False))"
    text = repr(Net())
    assert text.startswith("Net(\n    first=Linear(3, 4),\n    stages=[")
    assert "    heads=dict(mean=Linear(2, 1)),\n    scale=Tensor of shape (), float64,\n)" in text
    assert repr(nn.Sequential(np.tanh, nn.Tanh())) == "Sequential(\n    tanh,\n    Tanh(),\n)"


def test_a_module_without_forward_says_what_to_define():
    class Empty(nn.Module):
        pass

    with pytest.raises(NotImplementedError, match=r"Empty was called.*def forward"):
        Empty()(1)


def test_a_forward_without_return_names_its_module():
    class Forgetful(nn.Module):
        def forward(self, x: object) -> None:
            np.tanh(x)

    with pytest.raises(TypeError, match=r"Forgetful.forward .* gave None. End it with return"):
        nn.Sequential(Forgetful(), nn.ReLU())(np.ones(2))


@pytest.mark.parametrize("kind", [set, frozenset])
def test_a_set_of_parameters_is_an_error(kind: type):
    model = nn.Module()
    model.layers = [kind([1, 2]), kind([nn.Linear(1, 1)])]
    with pytest.raises(TypeError, match=r"a set of them, the attribute layers\.1\. Make it a list"):
        list(model.parameters())


def test_attributes_in_slots_are_walked():
    class Slotted(nn.Module):
        __slots__ = ("__weight", "bias", "unset")

        def __init__(self) -> None:
            self.__weight, self.bias, self.other = ad.Tensor(1.0), ad.Tensor(2.0), ad.Tensor(3.0)

    assert [t.item() for t in Slotted().parameters()] == [1.0, 2.0, 3.0]


def test_a_tuple_of_one_part_has_a_comma():
    model = nn.Module()
    model.parts = (nn.ReLU(),)
    assert repr(model) == "Module(parts=(ReLU(),))"


def test_a_copy_of_a_model_is_independent():
    model = nn.MLP(2, 3, 1, rng=0)
    other = copy.deepcopy(model)
    next(model.parameters()).value = np.zeros((3, 2), np.float32)
    assert next(other.parameters()).value.any()


def test_a_training_step_leaves_no_garbage():
    model = nn.MLP(4, 8, 3, rng=0)
    optimizer, criterion = nn.optim.Adam(model.parameters()), nn.CrossEntropyLoss()

    def step() -> None:
        optimizer.zero_grad()
        criterion(model(np.ones((2, 4))), [0, 1]).backward()
        optimizer.step()

    step()
    with no_garbage():
        step()
