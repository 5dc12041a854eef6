"""The activations of a model's layers in a step, read from the graph of the loss, which holds every value."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

import autodiff as ad

LEVEL = 0.05  # an element is saturated if the activation's slope is below this share of the steepest slope
MEASURED = ("relu", "sigmoid", "tanh")


def activations(loss: ad.Tensor, names: Mapping[int, str]) -> dict[str, tuple[ad.Tensor, str]]:
    """Each layer's activation by the layer's name, with the function that computed it: one of MEASURED, or "".

    `names` has the layers' names by the ids of the modules; modules of the model that are no layers have the name "".
    """
    users: dict[ad.Tensor, list[ad.Tensor]] = {}
    around: dict[ad.Tensor, set[str]] = {}  # the layers in which an operation of the model was recorded
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
    """The first of MEASURED that follows a layer's output, as long as each value is used by only one operation."""
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
    """Mean, standard deviation, and the share of dead or saturated elements."""
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
