"""Settings: the checked initial settings of an experiment, as arguments and as the text in an address."""

from __future__ import annotations

import dataclasses
import difflib
import typing
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode

from nn.checked import real, switch, whole

INPUTS = {  # the name of each, and its Python code
    "x1": "x1",
    "x2": "x2",
    "x1^2": "x1**2",
    "x2^2": "x2**2",
    "x1*x2": "x1 * x2",
    "sin(x1)": "np.sin(np.pi * x1)",
    "sin(x2)": "np.sin(np.pi * x2)",
}
CLASSES = "circle", "xor", "gauss", "spiral", "moons"
SURFACES = "plane", "hills"
OWN = "own"
CHOICES: dict[str, tuple[str, ...]] = {
    "data": (*CLASSES, *SURFACES, OWN),
    "activation": ("tanh", "relu", "sigmoid", "leaky_relu", "elu", "gelu", "silu", "linear"),
    "loss": ("bce", "mse", "hinge", "huber", "l1"),
    "optimizer": ("sgd", "momentum", "rmsprop", "adagrad", "adam"),
    "init": ("he_uniform", "xavier_uniform", "lecun_uniform", "orthogonal", "zeros"),
}
LOSSES = {"classes": ("bce", "mse", "hinge"), "numbers": ("mse", "huber", "l1")}
PRESETS = {  # the starting points of exercises, as addresses
    "Two clouds, one neuron": "data=gauss&layers=1",
    "XOR without a hidden layer": "data=xor&layers=",
    "Spiral": "data=spiral&layers=8,8",
    "Vanishing adjoints": "data=circle&layers=6,6,6,6,6,6&activation=sigmoid&init=lecun_uniform&optimizer=sgd&lr=0.1",
    "All weights zero": "data=circle&layers=6,4&init=zeros",
    "Too few samples": "data=moons&noise=0.2&samples=100&train=0.3&layers=10,10",
    "Hills, a regression": "data=hills&layers=8,8",
}
MOST_LAYERS, MOST_UNITS, MOST_SAMPLES = 8, 10, 2000


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings:
    """The initial settings of an experiment; the same settings give the same training, to the last bit.

    Raises ValueError or TypeError with the name of the setting, the wrong value, and the values that it takes.
    """

    data: str = "circle"
    noise: float = 0.02
    samples: int = 400
    train: float = 0.5
    data_seed: int = 0
    inputs: tuple[str, ...] = ("x1", "x2")
    layers: tuple[int, ...] = (4, 2)
    activation: str = "tanh"
    loss: str = ""
    optimizer: str = "adam"
    lr: float = 0.03
    batch_size: int = 10
    l1: float = 0.0
    l2: float = 0.0
    dropout: float = 0.0
    batch_norm: bool = False
    skip: bool = False
    init: str = "he_uniform"
    seed: int = 0

    def __post_init__(self) -> None:
        for name, value in self._checked().items():
            object.__setattr__(self, name, value)

    def _checked(self) -> dict[str, Any]:
        given: dict[str, Any] = {}
        for name in ("data", "activation", "optimizer", "init"):
            given[name] = chosen(getattr(self, name), CHOICES[name], name)
        kind = "numbers" if given["data"] in SURFACES else "classes"
        allowed = CHOICES["loss"] if given["data"] == OWN else LOSSES[kind]
        given["loss"] = chosen(self.loss, allowed, f"loss (for {given['data']})") if self.loss else ""
        given["inputs"] = tuple(chosen(name, tuple(INPUTS), "one of inputs") for name in listed(self.inputs, "inputs"))
        given["inputs"] = tuple(name for name in INPUTS if name in given["inputs"])
        if not given["inputs"]:
            raise ValueError('inputs are one or more of what the network sees; received none. Write ("x1", "x2").')
        given["layers"] = tuple(whole(n, "a layer's number of neurons", 1) for n in listed(self.layers, "layers"))
        if len(given["layers"]) > MOST_LAYERS or any(n > MOST_UNITS for n in given["layers"]):
            raise ValueError(
                f"layers are at most {MOST_LAYERS}, of at most {MOST_UNITS} neurons each, to be seen on one screen; "
                f"received {given['layers']}. nn.MLP has any number."
            )
        for name, least in (("samples", 20), ("data_seed", 0), ("seed", 0), ("batch_size", 1)):
            given[name] = whole(getattr(self, name), name, least)
        if given["samples"] > MOST_SAMPLES:
            raise ValueError(f"samples are at most {MOST_SAMPLES}; received {self.samples}.")
        given["lr"] = real(self.lr, "lr", above=True)
        given["train"] = real(self.train, "train", least=0.1, most=0.9)
        for name, most in (("noise", 1.0), ("l1", 1.0), ("l2", 1.0)):
            given[name] = real(getattr(self, name), name, most=most)
        given["dropout"] = real(self.dropout, "dropout", below=1.0)
        for name in ("batch_norm", "skip"):
            given[name] = switch(getattr(self, name), name)
        return given

    @property
    def test_size(self) -> float:
        """The share of the test data."""
        return round(1 - self.train, 6)

    def replaced(self, changes: Mapping[str, Any]) -> Settings:
        """A copy with some settings changed. With new data the loss becomes their default one, if none is given."""
        known(changes)
        merged = {**self.changed(), **changes}
        if "data" in changes and "loss" not in changes:
            merged.pop("loss", None)
        return Settings(**merged)

    def changed(self) -> dict[str, Any]:
        """The settings that are not the defaults, by name."""
        return {f.name: value for f in dataclasses.fields(self) if (value := getattr(self, f.name)) != f.default}

    def address(self) -> str:
        """The settings as text for an address, after its #: data=spiral&layers=8,8; empty for the defaults."""
        return urlencode({name: written(value) for name, value in self.changed().items()}, safe=",*()^")

    def call(self) -> str:
        """The call of nn.playground that starts with these settings."""
        changed = self.changed()
        first = "(X, y)" if self.data == OWN else literal(changed.pop("data", self.data))
        changed.pop("data", None)
        return f"nn.playground({', '.join([first, *(f'{name}={literal(value)}' for name, value in changed.items())])})"

    @staticmethod
    def of_address(text: str) -> Settings:
        """The settings of an address; missing ones have their defaults."""
        return Settings(**{name: read(name, value) for name, value in parse_qsl(text.lstrip("#"), True)})


def known(names: Mapping[str, Any]) -> None:
    """Raise TypeError for an unknown setting, naming the closest known one."""
    fields = [f.name for f in dataclasses.fields(Settings)]
    for name in names:
        if name not in fields:
            near = difflib.get_close_matches(str(name), fields, 1)
            hint = f"Did you mean {near[0]}?" if near else f"There are {', '.join(fields)}."
            raise TypeError(f"the playground has no setting {str(name)[:40]!r}. {hint}")


def chosen(value: Any, among: tuple[str, ...], what: str) -> str:
    """One of several words. Raises ValueError for another."""
    if value not in among:
        raise ValueError(f"{what} is one of {', '.join(map(repr, among))}; received {value!r:.80}.")
    return str(value)


def listed(value: Any, what: str) -> tuple[Any, ...]:
    """A list or tuple as a tuple. Raises TypeError for anything else."""
    if not isinstance(value, list | tuple):
        raise TypeError(f"{what} are a tuple, one entry for each; received {value!r:.80}. Write ({value!r:.20},).")
    return tuple(value)


def literal(value: Any) -> str:
    """A setting as Python code; words in double quotes, and no setting has a quote in it."""
    return repr(value).replace("'", '"')


def written(value: Any) -> str:
    """A setting as text."""
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    return str(int(value)) if isinstance(value, bool) else str(value)


def read(name: str, text: str) -> Any:
    """A setting's value from text. Raises TypeError for an unknown name, ValueError for text that does not fit."""
    known({name: text})
    hint = typing.get_type_hints(Settings)[name]
    parsers: dict[Any, Callable[[str], Any]] = {
        int: int,
        float: float,
        str: str,
        bool: lambda word: {"0": False, "1": True, "false": False, "true": True}[word.lower()],
        tuple[int, ...]: lambda words: tuple(int(word) for word in words.split(",") if word),
        tuple[str, ...]: lambda words: tuple(word for word in words.split(",") if word),
    }
    try:
        return parsers[hint](text)
    except (ValueError, KeyError):
        raise ValueError(f"the setting {name} cannot be read from {text[:40]!r}.") from None
