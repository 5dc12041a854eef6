"""What the layers of a model gave in a step: read from the graph of its loss, which remembers every value."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

import autodiff as ad

LEVEL = 0.05  # an element is saturated where the activation's slope is below this share of the steepest
MEASURED = ("relu", "sigmoid", "tanh")


def activations(loss: ad.Tensor, names: Mapping[int, str]) -> dict[str, tuple[ad.Tensor, str]]:
    """Each layer's activation by its name, with the name of what made it: one of MEASURED, or "".

    `names` has the layers' names by the ids of the modules; those of the model's modules that are no layers are "".
    """
    users: dict[ad.Tensor, list[ad.Tensor]] = {}
    around: dict[ad.Tensor, set[str]] = {}  # the layers that an operation of the model was recorded in
    outputs: dict[str, ad.Tensor] = {}
    for node in ad.graph(loss):
        for argument in node.operands:
            if isinstance(argument, ad.Tensor):
                users.setdefault(argument, []).append(node)
        for module in node.scopes:
            name = names.get(id(module))
            if name is not None:
                around.setdefault(node, set())
                if name:
                    around[node].add(name)
                    outputs[name] = node
    return {name: _activation(output, users, around) for name, output in outputs.items()}


def _activation(
    output: ad.Tensor, users: dict[ad.Tensor, list[ad.Tensor]], around: dict[ad.Tensor, set[str]]
) -> tuple[ad.Tensor, str]:
    """What follows a layer's output and is one of MEASURED, as long as only one operation uses what came before."""
    node = output
    while node.operation is not None and node.operation not in MEASURED:
        following = set(users.get(node, ()))
        if len(following) != 1:
            return output, ""
        (node,) = following
        if node not in around or around[node] - around[output]:  # the loss, or the next layer
            return output, ""
    return node, node.operation or ""


def measured(activation: ad.Tensor, kind: str) -> tuple[float, float, float]:
    """Mean, standard deviation, and the share that is dead or saturated."""
    value = activation.value
    mean = float(value.mean())
    rest = value - mean
    deviation = math.sqrt(float(np.vdot(rest, rest).real) / value.size)
    dead = math.nan
    if kind == "relu":
        units = 1 if value.ndim == 4 else value.ndim - 1
        dead = float(np.mean(value.max(axis=tuple(k for k in range(value.ndim) if k != units)) <= 0))
    elif kind:
        centred = value if kind == "tanh" else 2 * value - 1  # the slope is 1 - y² of its steepest
        dead = float(np.mean(centred * centred > 1 - LEVEL))
    return mean, deviation, dead
