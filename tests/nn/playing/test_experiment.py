"""One training that can be looked into: what trains is what the code says, and looking changes nothing."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys

import numpy as np
import pytest

import autodiff as ad
import nn
from nn.playing import conversation
from nn.playing.experiment import Experiment
from nn.playing.landscape import SIDE, landscape
from nn.playing.network import of_loss
from nn.playing.picture import drawn
from nn.playing.sample import one_sample
from nn.playing.settings import CHOICES, Settings
from nn.playing.snapshot import FINE, STEP, Frame, snapshot

EVERYTHING = {
    "data": "hills",
    "layers": (5, 5, 3),
    "inputs": ("x1", "x2", "x1*x2", "sin(x1)"),
    "skip": True,
    "batch_norm": True,
    "dropout": 0.2,
    "l1": 1e-3,
    "l2": 1e-2,
    "train": 0.7,
}
NETWORKS = [
    {"data": "spiral", "layers": (8, 8)},
    {"data": "xor", "layers": (), "loss": "hinge", "optimizer": "momentum", "inputs": ("x1", "x1*x2")},
    {"data": "moons", "layers": (3,), "loss": "mse", "optimizer": "sgd", "batch_size": 7, "activation": "linear"},
    {"data": "plane", "loss": "huber", "optimizer": "rmsprop", "init": "orthogonal"},
    EVERYTHING,
    {**EVERYTHING, "samples": 301, "batch_size": 10},  # 211 - 1 samples: a last batch of one, with batch norm
]
networks = pytest.mark.parametrize("given", NETWORKS, ids=lambda given: given["data"])


def weights(model):
    return np.concatenate([p.value.ravel() for p in model.parameters()])


@networks
def test_the_code_builds_and_trains_the_same_network(given):
    experiment = Experiment(Settings(**given))
    code = experiment.code().replace("range(100)", "range(3)")
    assert "range(3)" in code
    names: dict = {}
    exec(code, names)  # noqa: S102
    experiment.train(3)
    assert np.array_equal(weights(names["model"]), experiment.weights())
    assert np.array_equal(names["X_test"], experiment.test_x)


@pytest.mark.parametrize(
    ("name", "value"), [(n, v) for n in ("activation", "optimizer", "init") for v in CHOICES[n]], ids=str
)
def test_every_choice_trains_as_its_code_does(name, value):
    experiment = Experiment(Settings(data="gauss", samples=60, **{name: value}))
    names: dict = {}
    exec(experiment.code().replace("range(100)", "range(2)"), names)  # noqa: S102
    experiment.train(2)
    assert np.array_equal(weights(names["model"]), experiment.weights())


@networks
def test_neuron_by_neuron_is_the_model(given):
    experiment = Experiment(Settings(**given))
    experiment.train(1)
    experiment.model.eval()
    found = experiment.network.passed(experiment.x)
    assert np.array_equal(found[-1].values.value, experiment.model(experiment.x).value)
    assert [h.values.shape[1] for h in found] == [*experiment.settings.layers, 1]


@networks
@pytest.mark.parametrize("adjoints", [False, True])
def test_looking_changes_nothing(given, adjoints):
    seen, unseen = (Experiment(Settings(**given)) for _ in range(2))
    for _ in range(30):
        snapshot(seen, adjoints)
        one_sample(seen, 3)
        seen.step()
        unseen.step()
    landscape(seen)
    drawn(seen)
    seen.train(1)
    unseen.train(1)
    assert np.array_equal(seen.weights(), unseen.weights())
    assert seen.history.columns == unseen.history.columns
    assert all(module.training for module in seen.model.modules())


def test_the_same_settings_give_the_same_training():
    play = nn.playground("spiral", layers=(8, 8)).train(5)
    again = nn.playground("spiral", layers=(8, 8)).train(5)
    assert play.history.columns == again.history.columns
    before = weights(play.model)
    play.experiment.reset()
    assert len(play.history) == 0
    play.train(5)
    assert np.array_equal(weights(play.model), before)


def test_the_spiral_is_learned():
    play = nn.playground("spiral", layers=(8, 8), activation="tanh", lr=0.03)
    while play.history.columns["validation_accuracy"][-1:] < [0.95] and len(play.history) < 300:
        play.train(1)
    assert play.history["validation_accuracy"][-1] >= 0.95


def test_zeros_stay_alike():
    play = nn.playground("circle", layers=(6,), init="zeros").train(3)
    (first, *_) = play.model.parameters()
    assert np.ptp(first.value, axis=0).max() == 0


def test_a_learning_rate_may_change_within_a_training_and_layers_may_not():
    experiment = Experiment(Settings())
    experiment.train(2)
    experiment.change({"lr": 0.001, "l2": 0.1})
    assert (experiment.epoch, experiment.optimizer.lr) == (2, 0.001)
    experiment.change({"layers": (3,)})
    assert experiment.epoch == 0
    with pytest.raises(ValueError, match="lr"):
        experiment.change({"lr": -1})
    assert experiment.settings.lr == 0.001


def test_maps_are_the_values_and_adjoints_of_neurons():
    experiment = Experiment(Settings(layers=(3, 2)))
    experiment.train(2)
    points = experiment.inputs_of(experiment.problem.grid(FINE))
    values, adjoints = experiment.network.sensitivity(points)
    for seen, columns in ((snapshot(experiment), values), (snapshot(experiment, adjoints=True), adjoints)):
        maps = seen.arrays["maps"].reshape(5, -1)
        scales = np.concatenate(seen.content["scales"])
        side = np.concatenate(columns[:-1], axis=1).reshape(FINE, FINE, 5)[::STEP, ::STEP].reshape(-1, 5)
        assert np.allclose(maps.T / 127 * scales, side, atol=scales.max() / 200)
    # ∂output/∂h against a difference quotient: the output layer's weights times what is after
    (w, b) = experiment.network.linears[-1].weight.value, experiment.network.linears[-1].bias.value
    assert np.allclose(adjoints[1], np.broadcast_to(w, adjoints[1].shape))
    assert np.allclose(values[1] @ w.T + b, values[2], atol=1e-5)


def test_adjoints_of_weights_are_those_of_backward():
    experiment = Experiment(Settings(**NETWORKS[0], l1=1e-3, l2=1e-2))
    experiment.train(2)
    seen = snapshot(experiment).arrays["weight_adjoints"]
    loss = experiment.loss(experiment.model(experiment.x), experiment.problem.targets)
    experiment.model.zero_grad()
    loss.backward()
    assert np.allclose(seen, np.concatenate([p.grad.ravel() for p in experiment.model.parameters()]), atol=1e-7)


def test_adjoints_vanish_in_a_deep_sigmoid_network_and_survive_with_relu():
    def ratio(**given):
        sizes = snapshot(Experiment(Settings(layers=(6,) * 6, **given))).content["sizes"]
        return sizes[0] / sizes[-2]

    assert ratio(activation="sigmoid", init="lecun_uniform") < 1e-3
    assert ratio(activation="relu", init="he_uniform") > 0.1
    assert ratio(activation="sigmoid", init="lecun_uniform", skip=True) > 0.1
    assert ratio(activation="sigmoid", init="lecun_uniform", batch_norm=True) > 0.02


def test_one_sample_obeys_the_delta_rule():
    experiment = Experiment(Settings(layers=(4, 3), activation="tanh"))
    experiment.train(3)
    sample = one_sample(experiment, 5)
    layers = sample["layers"]
    h = np.array(sample["inputs"])
    for layer in layers:
        W = np.array(layer["weights"])
        assert np.allclose(W @ h + layer["biases"], layer["sums"], atol=1e-5)
        assert np.allclose(np.outer(layer["sum_adjoints"], h), layer["weight_adjoints"], atol=1e-6)
        assert np.allclose(layer["sum_adjoints"], layer["bias_adjoints"], atol=1e-7)
        h = np.array(layer["values"])
    for layer, after in itertools.pairwise(layers):
        pulled = np.array(after["weights"]).T @ after["sum_adjoints"]
        assert np.allclose(pulled, layer["value_adjoints"], atol=1e-6)
        assert np.allclose(pulled * (1 - np.square(layer["values"])), layer["sum_adjoints"], atol=1e-6)
    sigmoid = 1 / (1 + np.exp(-layers[-1]["values"][0]))
    assert np.isclose(layers[-1]["sum_adjoints"][0], sigmoid - sample["target"], atol=1e-6)
    assert one_sample(experiment, -1)["index"] == sample["count"] - 1


def test_the_landscape_goes_through_the_present_loss_and_path():
    experiment = Experiment(Settings(layers=(3,)))
    assert landscape(experiment).content["share"] == 0  # random directions
    experiment.train(10)
    frame = landscape(experiment)
    path = frame.arrays["path"].reshape(-1, 2)
    assert frame.arrays["heights"].shape == (SIDE, SIDE)
    assert len(path) == 12  # the start, ten epochs, now
    assert np.allclose(path[-1], 0)
    assert 0.8 < frame.content["share"] <= 1.0001
    assert frame.content["least"] <= experiment.measured()["loss"] * 1.5
    for (low, high), column in zip(frame.content["spans"], path.T, strict=True):
        assert low < column.min()
        assert column.max() < high


def test_a_training_that_diverges_says_so_and_can_still_be_seen():
    experiment = Experiment(Settings(data="hills", optimizer="sgd", lr=1e6, activation="relu"))
    frame = conversation.answer(experiment, {"do": "frame", "train": 0.2})
    assert frame.content["diverged"]
    assert json.loads(json.dumps(frame.content, allow_nan=False))["measured"]["loss"] is None
    assert len(frame.to_bytes()) > 1000
    for do in ("sample", "landscape", "code", "open"):  # whatever is asked can be sent
        assert len(conversation.answer(experiment, {"do": do}).to_bytes()) > 50


@pytest.mark.parametrize(
    "message",
    [
        None,
        [],
        {},
        {"do": 3},
        {"do": "nothing"},
        {"do": "frame", "train": -1},
        {"do": "frame", "train": 1e9},
        {"do": "frame", "batches": "many"},
        {"do": "change"},
        {"do": "change", "settings": {"__class__": 1}},
        {"do": "change", "settings": {"layers": "8,8"}},
        {"do": "address", "text": "data=<script>alert(1)</script>"},
        {"do": "sample", "index": None},
    ],
    ids=repr,
)
def test_what_cannot_be_answered_is_told_to_the_view(message):
    experiment = Experiment(Settings())
    before = experiment.settings
    assert ": " in conversation.answer(experiment, message).content["error"]
    assert experiment.settings == before


def test_a_frame_reads_back():
    frame = Frame({"a": 1}, {"levels": np.array([-127, 0, 127], np.int8), "numbers": np.array([0.5, -2], np.float64)})
    data = frame.to_bytes()
    length = int.from_bytes(data[:4], "little")
    content = json.loads(data[4 : 4 + length])
    places = {name: (kind, offset, count) for name, kind, offset, count in content["arrays"]}
    assert length % 4 == 0
    _, offset, count = places["numbers"]
    assert offset % 4 == 0
    assert np.frombuffer(data, "<f4", count, 4 + length + offset).tolist() == [0.5, -2]
    assert np.frombuffer(data, "i1", 3, 4 + length).tolist() == [-127, 0, 127]


def test_data_of_ones_own():
    rng = np.random.default_rng(0)
    X = rng.normal(5, 3, (80, 2))
    labels = nn.playground((X, X[:, 0] > 5)).train(100)
    assert labels.history["accuracy"][-1] > 0.9
    assert np.array_equal(labels.model(labels.inputs(X)).shape, (80, 1))
    numbers = nn.playground((X, X.sum(axis=1)), layers=(3,))
    assert numbers.train(1).experiment.problem.loss == "mse"
    assert nn.playground((X, np.where(X[:, 0] > 5, 7, 3))).train(1).experiment.problem.classes
    for X_own, y_own in ((X, X[:, 0] > 5), (X, np.where(X[:, 0] > 5, 7, 3)), (X, X.sum(axis=1))):
        own = nn.playground((X_own, y_own), layers=(3,)).train(2)
        names = {"X": X_own, "y": y_own}
        exec(own.code.replace("range(100)", "range(2)"), names)  # noqa: S102
        assert np.array_equal(weights(names["model"]), weights(own.model))
    for bad, words in (
        ((X[:, :1], X[:, 0]), r"X\[:, :2\]"),
        ((X, X[:5, 0]), "y has one"),
        ((X, np.arange(80)), "two classes"),
        ((np.full_like(X, np.nan), X[:, 0]), "finite"),
    ):
        with pytest.raises(ValueError, match=words):
            nn.playground(bad)
    with pytest.raises(TypeError, match=r"\(X, y\)"):
        nn.playground(3)


def test_the_name_waits_until_it_is_asked_for():
    code = (
        "import sys, nn; waiting = not any(m.startswith('nn.playing') for m in sys.modules); "
        "play = nn.playground('xor'); again = nn.playground; "
        "extras = [m for m in ('anywidget', 'tornado') if m in sys.modules]; "
        "print(waiting, callable(again), 'playground' in dir(nn), *extras)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert found.split() == ["True", "True", "True"]


def test_of_loss_gives_zero_where_nothing_flows():
    experiment = Experiment(Settings(init="zeros", activation="relu"))
    found = experiment.network.passed(experiment.x)
    adjoints = of_loss(experiment.network, found, experiment.loss(found[-1].values, experiment.problem.targets))
    assert isinstance(found[-1].values, ad.Tensor)
    assert not adjoints.weights[0].any()
    assert adjoints.biases[-1].shape == (1,)
