"""What is wrong when a training's numbers are no longer finite: read from the graph, which remembers every value."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

import autodiff as ad
from nn.model.module import Module
from nn.optim import Optimizer
from nn.report.history import History


class DivergedError(FloatingPointError):
    """Loss, gradient or step became NaN or infinite; the model is as it was before that batch.

    `history` has the epochs before.
    """

    def __init__(self, message: str, history: History) -> None:
        super().__init__(message)
        self.history = history


def cause(value: ad.Tensor, inputs: Any, targets: Any, model: Module) -> str:
    """Why a loss is not finite, and what to do about it."""
    wrong = [
        name
        for name, a in (("X", inputs), ("y", targets))
        if np.asarray(a).dtype.kind == "f" and not np.isfinite(a).all()
    ]
    if wrong:
        return f"there are NaNs or infinities in this batch's {' and '.join(wrong)}; clean the data"
    bad = next((name for name, p in model.named_parameters() if not np.isfinite(p.value).all()), None)
    if bad:
        return f"the parameter {bad} was not finite before; start anew from good values"
    return (
        f"{_origin(value, model)}, though this batch and the parameters are finite; if they grew too large, try a "
        "smaller lr, clip_norm=1.0, or inputs of variance 1"
    )


def finite(vector: npt.NDArray[Any]) -> bool:
    """Whether all elements are."""
    return math.isfinite(float(np.dot(vector, vector))) or bool(np.isfinite(vector).all())  # the product may overflow


def stray(optimizer: Optimizer, model: Module) -> str | None:
    """The parameter whose adjoint is not finite, if there is one."""
    if finite(optimizer.flat.grad):
        return None
    names = {id(tensor): name for name, tensor in model.named_parameters()}
    for tensor in optimizer.parameters:
        if tensor.grad is not None and not np.isfinite(tensor.grad).all():
            return names.get(id(tensor)) or tensor.name or f"one of shape {tensor.shape}"
    return None  # an adjoint of an earlier batch, which no step reads


def _origin(value: ad.Tensor, model: Module) -> str:
    """Where in the computation the first number that is not finite came from."""
    names = {id(module): name or type(module).__name__ for name, module in model.named_modules()}
    for node in ad.graph(value):
        if not node.is_leaf and not np.isfinite(node.value).all():
            place = next((names[id(module)] for module in node.scopes if id(module) in names), "")
            what = "NaN" if np.isnan(node.value).any() else "infinity"
            return f"the first {what} came of {node.operation}" + (f" in {place}" if place else "")
    return "the loss alone is not"
