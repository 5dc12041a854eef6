"""What an experiment starts from: as arguments and as an address, and refused in words where it cannot be."""

from __future__ import annotations

import dataclasses

import pytest

import nn
from nn.playing.settings import PRESETS, Settings

CHANGED = {
    "data": "xor",
    "noise": 0.1,
    "samples": 300,
    "train": 0.7,
    "data_seed": 3,
    "inputs": ("x1", "x1*x2", "sin(x2)"),
    "layers": (3, 2, 4),
    "activation": "relu",
    "loss": "hinge",
    "optimizer": "sgd",
    "lr": 0.1,
    "batch_size": 5,
    "l1": 0.001,
    "l2": 0.01,
    "dropout": 0.2,
    "batch_norm": True,
    "skip": True,
    "init": "zeros",
    "seed": 7,
}


def test_an_address_says_all_settings():
    assert set(CHANGED) == {field.name for field in dataclasses.fields(Settings)}
    settings = Settings(**CHANGED)
    assert Settings.of_address(settings.address()) == settings
    assert Settings.of_address("#" + settings.address()) == settings
    assert Settings.of_address("") == Settings()
    assert Settings(layers=()).address() == "layers="
    assert Settings.of_address("layers=") == Settings(layers=())


def test_the_call_begins_from_the_same_settings():
    settings = Settings(**CHANGED)
    assert "'" not in settings.call()
    assert eval(settings.call(), {"nn": nn}).settings == settings  # noqa: S307


@pytest.mark.parametrize("address", PRESETS.values(), ids=list(PRESETS))
def test_presets_are_addresses_as_the_view_would_write_them(address):
    settings = Settings.of_address(address)
    assert Settings.of_address(settings.address()) == settings
    assert nn.playground(settings.data, **{k: v for k, v in settings.changed().items() if k != "data"}).train(1)


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        ({"nose": 0.1}, TypeError, "noise"),
        ({"data": "spirale"}, ValueError, "'spiral'"),
        ({"layers": 4}, TypeError, r"\(4,\)"),
        ({"layers": (40,)}, ValueError, "at most"),
        ({"layers": (0,)}, ValueError, "number of neurons"),
        ({"inputs": ()}, ValueError, "x1"),
        ({"inputs": ("x3",)}, ValueError, "x1"),
        ({"lr": 0}, ValueError, "above 0"),
        ({"lr": "fast"}, TypeError, "lr"),
        ({"train": 1.0}, ValueError, "train"),
        ({"dropout": 1.0}, ValueError, "dropout"),
        ({"batch_norm": 1}, TypeError, "batch_norm"),
        ({"data": "plane", "loss": "bce"}, ValueError, "mse"),
        ({"samples": 10**6}, ValueError, "at most"),
        ({"data": "own"}, ValueError, r"\(X, y\)"),
    ],
    ids=lambda given: str(given)[:40],
)
def test_what_is_refused_is_named(given, error, words):
    with pytest.raises(error, match=words):
        nn.playground(**given)


@pytest.mark.parametrize("text", ["lr=fast", "batch_norm=maybe", "nose=1", "layers=a,b", "seed=1.5"])
def test_an_address_that_cannot_be_read_is_refused(text):
    with pytest.raises((ValueError, TypeError), match=text.partition("=")[0]):
        Settings.of_address(text)


def test_new_data_takes_its_own_loss():
    settings = Settings(data="xor", loss="hinge").replaced({"data": "plane"})
    assert settings.loss == ""
    assert Settings(data="xor", loss="mse").replaced({"noise": 0.1}).loss == "mse"
