"""The program of an experiment: the calls that build it, as objects and as Python code.

Each layer is a `Call` of a class of `nn`. `made` makes the layer and `written` its line of code, so that the running
network and the shown code cannot differ; tests/nn/playing executes the code and compares every weight.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

import nn
from nn.playing.problem import Problem, set_name
from nn.playing.settings import INPUTS, OWN, Settings, literal

ACTIVATIONS = {
    "tanh": "Tanh",
    "relu": "ReLU",
    "sigmoid": "Sigmoid",
    "leaky_relu": "LeakyReLU",
    "elu": "ELU",
    "gelu": "GELU",
    "silu": "SiLU",
}
LOSSES = {"bce": "BCEWithLogitsLoss", "mse": "MSELoss", "hinge": "HingeLoss", "huber": "HuberLoss", "l1": "L1Loss"}
OPTIMIZERS: dict[str, tuple[str, dict[str, Any]]] = {
    "sgd": ("SGD", {}),
    "momentum": ("SGD", {"momentum": 0.9}),
    "rmsprop": ("RMSprop", {}),
    "adagrad": ("Adagrad", {}),
    "adam": ("Adam", {}),
}


@dataclass(frozen=True)
class Call:
    """A call of a class or function of nn with its arguments; `draws` says whether it takes the generator `rng` too."""

    name: str
    positional: tuple[Any, ...] = ()
    keywords: tuple[tuple[str, Any], ...] = ()
    draws: bool = False

    def made(self, rng: np.random.Generator) -> Any:
        """The result of the call."""
        keywords = dict(self.keywords) | ({"rng": rng} if self.draws else {})
        return getattr(nn, self.name)(*self.positional, **keywords)

    def written(self) -> str:
        """The call as Python code."""
        parts = [literal(a) for a in self.positional] + [f"{name}={literal(value)}" for name, value in self.keywords]
        return f"nn.{self.name}({', '.join(parts + ['rng=rng'] * self.draws)})"


@dataclass(frozen=True)
class Stage:
    """One layer of neurons: a Linear and the layers after it; the last stage, the output, is only a Linear."""

    linear: Call
    norm: Call | None = None
    activation: Call | None = None
    dropout: Call | None = None
    skip: bool = False  # whether the input is added to the result

    def calls(self) -> list[Call]:
        """Its layers, in order."""
        return [call for call in (self.linear, self.norm, self.activation, self.dropout) if call]


def stages(settings: Settings) -> list[Stage]:
    """The layers of a network. Each layer with as many neurons as the one before has a skip connection around it."""
    found, before = [], len(settings.inputs)
    for k, units in enumerate(settings.layers):
        norm = Call("BatchNorm1d", (units,)) if settings.batch_norm else None
        kind = ACTIVATIONS.get(settings.activation)
        dropout = Call("Dropout", (settings.dropout,), draws=True) if settings.dropout else None
        skip = settings.skip and k > 0 and units == before
        found.append(Stage(_linear(before, units, settings), norm, Call(kind) if kind else None, dropout, skip))
        before = units
    return [*found, Stage(_linear(before, 1, settings))]


def optimizer(settings: Settings, parameters: Any) -> nn.optim.Optimizer:
    """The optimizer for these parameters."""
    name, options = OPTIMIZERS[settings.optimizer]
    return getattr(nn.optim, name)(parameters, lr=settings.lr, **options)


def features(names: Iterable[str], points: Any) -> Any:
    """The network's inputs for points of shape (samples, 2): float32 of shape (samples, inputs)."""
    x1, x2 = points[:, 0], points[:, 1]
    columns = {
        "x1": lambda: x1,
        "x2": lambda: x2,
        "x1^2": lambda: x1**2,
        "x2^2": lambda: x2**2,
        "x1*x2": lambda: x1 * x2,
        "sin(x1)": lambda: np.sin(np.pi * x1),
        "sin(x2)": lambda: np.sin(np.pi * x2),
    }
    return np.stack([columns[name]() for name in names], axis=1).astype(np.float32)


def code(settings: Settings, problem: Problem, epochs: int = 100) -> str:
    """A program that builds exactly this network and trains it as the playground does, for `epochs` epochs."""
    penalties = [
        f" + {strength!r} * nn.functional.{name}_penalty(model.parameters())"
        for name, strength in (("l1", settings.l1), ("l2", settings.l2 / 2))
        if strength
    ]
    kind, options = OPTIMIZERS[settings.optimizer]
    extra = "".join(f", {name}={value!r}" for name, value in options.items())
    drop_last = ", drop_last=True" if drops_last(settings, problem) else ""
    return "\n".join(
        [
            "import numpy as np",
            "import nn",
            "",
            *_data_lines(settings, problem),
            "",
            f"rng = np.random.default_rng({settings.seed})",
            "model = nn.Sequential(",
            *_layer_lines(settings),
            ")",
            f"loss_function = nn.{LOSSES[problem.loss]}()",
            f"optimizer = nn.optim.{kind}(model.parameters(), lr={settings.lr!r}{extra})",
            f"batches = nn.data.DataLoader(X_train, y_train, batch_size={settings.batch_size}, shuffle=True"
            f"{drop_last}, rng=rng)",
            "",
            f"for epoch in range({epochs}):",
            "    for x, y in batches:",
            f"        loss = loss_function(model(x), y){''.join(penalties)}",
            "        optimizer.zero_grad()",
            "        loss.backward()",
            "        optimizer.step()",
            "",
        ]
    )


def drops_last(settings: Settings, problem: Problem) -> bool:
    """Whether an epoch leaves out its last batch: batch normalisation needs more than one sample."""
    return settings.batch_norm and len(problem.points) % settings.batch_size == 1 and settings.batch_size > 1


def _linear(inputs: int, outputs: int, settings: Settings) -> Call:
    return Call("Linear", (inputs, outputs), (("weight_init", settings.init),), draws=True)


def _layer_lines(settings: Settings) -> list[str]:
    lines = []
    for stage in stages(settings):
        written = [call.written() for call in stage.calls()]
        lines += [f"    nn.Residual({', '.join(written)}),"] if stage.skip else [f"    {line}," for line in written]
    return lines


def _data_lines(settings: Settings, problem: Problem) -> list[str]:
    if settings.data == OWN:
        lines = [
            "# X and y are your arrays, as in nn.playground((X, y))",
            "X = np.asarray(X, np.float32)",
            "y = np.unique(y, return_inverse=True)[1]  # 0 or 1"
            if problem.classes
            else "y = np.reshape(y, (-1, 1)).astype(np.float32)",
        ]
    else:
        arguments = f"{settings.samples}, noise={settings.noise!r}, rng={settings.data_seed}"
        lines = [f"X, y = nn.data.{set_name(settings.data)}({arguments})"]
    stratify = ", stratify=y" if problem.classes else ""
    lines += [
        "X_train, X_test, y_train, y_test = nn.data.train_test_split(",
        f"    X, y, test_size={settings.test_size!r}{stratify}, rng={settings.data_seed}",
        ")",
    ]
    if settings.inputs != ("x1", "x2"):
        columns = ", ".join(INPUTS[name] for name in settings.inputs)
        lines += [
            "",
            "def features(X):",
            "    x1, x2 = X[:, 0], X[:, 1]",
            f"    return np.stack([{columns}], axis=1)",
            "",
            "X_train, X_test = features(X_train), features(X_test)",
        ]
    if problem.classes:
        formula = "y[:, None]" if problem.loss == "bce" else "(2 * y[:, None] - 1)"
        comment = "0 or 1" if problem.loss == "bce" else "-1 or 1"
        lines.append(f"y_train, y_test = ({formula}.astype(np.float32) for y in (y_train, y_test))  # {comment}")
    return lines
