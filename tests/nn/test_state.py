"""What a model keeps: its state by name, frozen parameters, training and evaluation, generators."""

from __future__ import annotations

import copy
import operator
import re

import numpy as np
import pytest
from garbage import no_garbage

import autodiff as ad
import nn


class Net(nn.Module):
    def __init__(self) -> None:
        self.body = nn.Sequential(nn.Linear(3, 4, rng=0), nn.BatchNorm1d(4), nn.ReLU(), nn.Dropout(0.5, rng=1))
        self.head = nn.Linear(4, 2, rng=2)
        self.scale = ad.Tensor(np.float64(2.0), dtype=np.float32)
        self.extra = [ad.Tensor(np.ones(2, np.float32))]

    def forward(self, x: object) -> object:
        return self.head(self.body(x)) * self.scale + self.extra[0]


X = np.random.default_rng(0).standard_normal((5, 3)).astype(np.float32)


def test_state_has_pytorchs_names_and_goes_round():
    one, other = Net(), Net()
    one.train()(X)
    state = one.state_dict()
    assert list(state) == [
        *("body.0.weight", "body.0.bias", "body.1.weight", "body.1.bias"),
        *("body.1.running_mean", "body.1.running_var", "body.1.num_batches_tracked"),
        *("head.weight", "head.bias", "scale", "extra.0"),
    ]
    other.head.weight.value = np.zeros((2, 4))
    assert other.load_state_dict(state) == ([], [])
    assert np.array_equal(other.eval()(X).value, one.eval()(X).value)
    state["head.weight"][...] = 0  # a copy
    assert one.head.weight.value.any()


def test_what_does_not_fit_is_named_and_nothing_changes():
    model = Net()
    before = model.state_dict()
    missing = {name: value for name, value in before.items() if name != "head.bias"} | {"head.bais": np.zeros(2)}
    with pytest.raises(KeyError, match=r"missing are 'head.bias'; unknown are 'head.bais'.*strict=False"):
        model.load_state_dict(missing)
    with pytest.raises(
        ValueError, match=r"head.weight has the shape \(2, 4\), received \(4, 2\) .*transposed.*; scale"
    ):
        model.load_state_dict(before | {"head.weight": np.zeros((4, 2)), "scale": np.zeros(1)})
    with pytest.raises(TypeError, match=r"head.bias has the dtype float32, received complex128"):
        model.load_state_dict(before | {"head.bias": np.zeros(2, complex)})
    assert all(np.array_equal(value, before[name]) for name, value in model.state_dict().items())
    changed = model.load_state_dict(missing | {"scale": 3.0}, strict=False)
    assert changed.missing_keys == ["head.bias"]
    assert changed.unexpected_keys == ["head.bais"]
    assert model.scale.item() == 3.0


def test_a_graph_recorded_before_a_load_refuses_to_be_reversed():
    model = nn.Linear(3, 1, rng=0)
    loss = np.sum(model(X))
    model.load_state_dict({name: value + 1 for name, value in model.state_dict().items()})
    with pytest.raises(RuntimeError, match="assigned"):
        loss.backward()


def test_train_and_eval_reach_every_module():
    model = Net()
    assert model.training
    assert model.eval() is model
    assert not any(module.training for module in model.modules())
    assert model.body.train() is model.body
    assert [name for name, m in model.named_modules() if m.training] == ["body", *(f"body.{k}" for k in range(4))]
    assert [name for name, _ in model.named_generators()] == ["body.3.rng"]


def test_frozen_parameters_are_constants():
    model = Net()
    names = [name for name, _ in model.named_parameters()]
    weight, before = model.body[0].weight, model.state_dict()
    model.body.freeze()
    assert [name for name, _ in model.named_parameters()] == ["head.weight", "head.bias", "scale", "extra.0"]
    assert list(model.state_dict()) == list(before)
    assert type(model.body[0].weight) is np.ndarray
    with pytest.raises(ValueError, match="read-only"):
        model.body[0].weight[...] = 0
    optimizer = nn.optim.SGD(model.parameters(), lr=0.1)
    nn.functional.cross_entropy(model(X), np.zeros(5, int)).backward()
    optimizer.step()
    after = model.state_dict()
    assert all(
        np.array_equal(after[n], before[n])
        for n in before
        if n.startswith("body") and "running" not in n and "num" not in n
    )
    assert not np.array_equal(after["head.weight"], before["head.weight"])
    assert weight.grad is None
    model.load_state_dict({name: value + 1 for name, value in after.items()})
    assert np.array_equal(model.body[0].weight, after["body.0.weight"] + 1)
    assert model.unfreeze().body[0].weight is weight
    assert np.array_equal(weight.value, after["body.0.weight"] + 1)
    assert [name for name, _ in model.named_parameters()] == names


def test_freezing_within_an_optimizer_leaves_the_frozen_alone():
    model = Net()
    optimizer = nn.optim.Adam(model.parameters(), lr=0.1)
    for _ in range(2):
        nn.functional.cross_entropy(model(X), np.zeros(5, int)).backward()
        optimizer.step()
        optimizer.zero_grad()
    model.body.freeze()
    before = model.state_dict()
    nn.functional.cross_entropy(model(X), np.zeros(5, int)).backward()
    optimizer.step()
    assert np.array_equal(model.state_dict()["body.0.weight"], before["body.0.weight"])
    assert not np.array_equal(model.state_dict()["head.weight"], before["head.weight"])


def test_parameters_in_a_tuple_cannot_be_frozen():
    model = nn.Sequential(nn.Linear(2, 2))
    model.pair = (ad.Tensor([1.0]),)
    with pytest.raises(TypeError, match="in a tuple, which cannot be changed"):
        model.freeze()


def test_copies_of_frozen_models_are_their_own():
    model = Net()
    model.freeze()
    other = copy.deepcopy(model)
    other.unfreeze().head.weight.value = np.zeros((2, 4))
    assert model.unfreeze().head.weight.value.any()


def test_freezing_leaves_no_cycle():
    with no_garbage():
        Net().freeze()


def test_summary_counts_and_shapes():
    model = Net()
    model.body.freeze()
    found = model.summary()
    assert found.parameters == 12 + 4 + 8 + 8 + 2 + 1 + 2
    assert found.trained == 13
    rows = {row.name: row for row in found.rows}
    assert rows["body.0"].shape == (4,)
    assert rows["body.0"].frozen == 16
    assert rows["head"].shape == (2,)
    assert rows["head"].trained == 10
    assert rows[""].trained == 3  # its own
    assert "37 parameters, 24 of them frozen" in repr(found)
    assert "<table>" in found._repr_html_()
    assert model.training  # as before
    assert "forward" not in vars(model.head)


def test_summary_of_images_words_and_misfits():
    images = nn.Sequential(nn.Conv2d(1, 2, 3, rng=0), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(2 * 3 * 3, 4, rng=0))
    assert [row.shape for row in images.summary((1, 8, 8)).rows] == [(4,), (2, 6, 6), (2, 3, 3), (18,), (4,)]
    assert [row.shape for row in images.summary().rows] == [None] * 5
    with pytest.raises(ValueError, match="linear takes x"):
        images.summary((1, 9, 12))
    assert images[0].training
    words = nn.Sequential(nn.Embedding(10, 3, rng=0), nn.Flatten())
    assert [row.shape for row in words.summary(4).rows] == [(12,), (4, 3), (12,)]


def test_shared_parameters_count_once():
    shared = nn.Linear(3, 3, rng=0)
    assert nn.Sequential(shared, nn.ReLU(), shared).summary().parameters == 12


def test_children_are_the_outermost_modules():
    model = Net()
    model.more = {"a": [nn.ReLU()], "again": model.head}
    assert [name for name, _ in model.named_children()] == ["body", "head", "more.a.0"]
    assert [type(m).__name__ for m in model.body.children()] == ["Linear", "BatchNorm1d", "ReLU", "Dropout"]


def test_names_of_other_libraries_are_answered():
    for name, words in (
        ("Parameter", "self.w = ad.Tensor"),
        ("utils", "clip_grad_norm"),
    ):
        with pytest.raises(AttributeError, match=f"nn has no '{name}': .*{words}"):
            getattr(nn, name)
    with pytest.raises(AttributeError, match=r"Linear has no 'cuda': write model\.to"):
        nn.Linear(1, 1).cuda()
    with pytest.raises(AttributeError, match=r"'MLP' object has no attribute 'wieght'$"):
        nn.MLP(1, 1).wieght  # noqa: B018
    for name in nn.hints.NAMES:
        assert name not in dir(nn)
    assert not any(hasattr(nn.Module, name) for name in nn.hints.METHODS)
    with pytest.raises(AttributeError, match=r"nn.functional has no 'relu_': .*write nn.functional.relu\."):
        nn.functional.relu_  # noqa: B018
    with pytest.raises(AttributeError, match=r"module 'nn\.functional' has no attribute 'rleu'"):
        nn.functional.rleu  # noqa: B018
    assert not set(nn.hints.FUNCTIONS) & set(nn.functional.__all__)


def tied() -> nn.Sequential:
    model = nn.Sequential(nn.Linear(3, 3, rng=0), nn.Tanh(), nn.Linear(3, 3, rng=1))
    model[2].weight = model[0].weight
    return model


def test_tied_parameters_stay_tied_when_they_are_frozen():
    model = tied()
    names = list(model.state_dict())
    assert names == ["0.weight", "0.bias", "2.bias"]
    model.freeze()
    assert list(model.state_dict()) == names
    assert model.unfreeze()[2].weight is model[0].weight
    model[0].freeze()
    with pytest.raises(ValueError, match=r"2.weight is trained here, and frozen in another part"):
        nn.fit(model, (X, np.zeros(5, int)), nn.CrossEntropyLoss(), nn.optim.SGD, verbose=False)


def test_pytorchs_state_has_both_names_of_a_tied_parameter():
    model = tied()
    state = model.state_dict()
    both = state | {"2.weight": state["0.weight"]}
    assert model.load_state_dict(both) == ([], [])
    with pytest.raises(KeyError, match=r"unknown are '2.weight'"):
        model.load_state_dict(state | {"2.weight": state["0.weight"] + 1})
    with pytest.raises(KeyError, match=r"unknown are '2.weights'"):
        model.load_state_dict(state | {"2.weights": state["0.weight"]})


def test_loading_leaves_what_is_frozen_frozen_and_nothing_else():
    model = Net()
    model.freeze()
    model.head.unfreeze()
    model.load_state_dict({name: value * 0 for name, value in model.state_dict().items()})
    assert [name for name, _ in model.named_parameters()] == ["head.weight", "head.bias"]
    assert not model.body[0].weight.any()


def test_two_parameters_of_one_name_are_an_error():
    model = nn.Module()
    model.layers = {1: ad.Tensor([1.0]), "1": ad.Tensor([2.0])}
    with pytest.raises(ValueError, match=r"two parameters or buffers named 'layers.1'"):
        model.state_dict()


def test_what_forward_remembers_under_a_leading_underscore_is_no_state():
    class Remembering(nn.Module):
        def __init__(self) -> None:
            self.layer = nn.Linear(3, 2, rng=0)
            self._w = ad.Tensor([1.0])  # a parameter all the same

        def forward(self, x: object) -> object:
            self._hidden = self.layer(x)
            return self._hidden * self._w

    model = Remembering()
    nn.predict(model, X)
    assert type(model._hidden) is np.ndarray
    assert list(model.state_dict()) == ["layer.weight", "layer.bias", "_w"]
    assert list(model.freeze().state_dict()) == ["layer.weight", "layer.bias", "_w"]


def test_texts_are_no_buffers_and_constants_need_not_be_loaded():
    model = nn.Sequential(nn.Linear(3, 2, rng=0))
    model.classes = np.array(["yes", "no"])
    model.table = np.arange(3.0)
    model.table.flags.writeable = False
    state = model.state_dict()
    assert list(state) == ["0.weight", "0.bias", "table"]
    model.load_state_dict(state)
    with pytest.raises(ValueError, match="table is a read-only array of the model, and differs"):
        model.load_state_dict(state | {"table": np.ones(3)})
    with pytest.raises(TypeError, match=r"Write load_state_dict\(nn.load\(path\)\)"):
        model.load_state_dict("weights.safetensors")


def test_what_a_property_misses_is_named():
    class Wrong(nn.Module):
        def __init__(self) -> None:
            self.layer = nn.Linear(3, 2, rng=0)

        @property
        def width(self) -> int:
            return self.layer.weigth.shape[0]

    with pytest.raises(AttributeError, match="'Linear' object has no attribute 'weigth'"):
        Wrong().width  # noqa: B018


def test_what_was_put_in_the_place_of_a_frozen_parameter_stays():
    model = Net()
    model.freeze()
    model.scale = ad.Tensor(np.float32(7.0))
    model.load_state_dict(model.state_dict())
    assert [name for name, _ in model.named_parameters()] == ["scale"]
    scale = model.scale
    assert model.unfreeze().scale is scale


def test_freezing_that_fails_freezes_nothing_and_circles_end():
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    model[1].pair = (ad.Tensor([1.0]),)
    with pytest.raises(TypeError, match="in a tuple"):
        model.freeze()
    assert len(list(model.parameters())) == 5
    circle = nn.Linear(2, 2)
    circle.all = {"weight": circle.weight}
    circle.all["all"] = circle.all
    assert list(circle.freeze().parameters()) == []


def test_a_property_may_have_a_name_of_other_libraries():
    class Own(nn.Module):
        @property
        def device(self) -> str:
            return self.missing

    with pytest.raises(AttributeError, match="'Own' object has no attribute 'missing'"):
        Own().device  # noqa: B018


HINTS = {**nn.hints.NAMES, **nn.hints.METHODS, **nn.hints.FIT, **nn.hints.FUNCTIONS}


@pytest.mark.parametrize("name", sorted(HINTS))
def test_what_a_hint_names_exists(name: str):
    for root, path in re.findall(r"\b(nn|ad|np)((?:\.[A-Za-z_]\w*)+)", HINTS[name]):
        operator.attrgetter(path[1:])({"nn": nn, "ad": ad, "np": np}[root])
    for attribute in re.findall(r"\b(?:tensor|t)\.([A-Za-z_]\w*)", HINTS[name]):
        assert hasattr(ad.Tensor([1.0]), attribute)
