"""The diagnosis of a training whose numbers are no longer finite, read from the graph, which holds every value."""

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
    """A loss, a gradient or a step became NaN or infinite. The model is as it was before that batch.

    `history` has the epochs before it. If the loss or an adjoint was not finite, `explanation` is the result of
    ad.explain for the model's parameters: print it.

    >>> X, y = nn.data.gauss(100, rng=0)
    >>> try:
    ...     nn.fit(nn.MLP(2, 8, 2, rng=0), X * np.inf, y, loss="cross_entropy", optimizer="sgd", verbose=False)
    ... except nn.DivergedError as error:
    ...     print(type(error).__name__)
    DivergedError
    """

    def __init__(self, message: str, history: History, explanation: ad.Explanation | None = None) -> None:
        super().__init__(message)
        self.history = history
        self.explanation = explanation


def cause(explanation: ad.Explanation, inputs: Any, targets: Any, model: Module) -> str:
    """Why a loss is not finite, and what to do."""
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
        f"{explanation.brief}, though this batch and the parameters are finite; if they grew too large, try a "
        "smaller lr, clip_norm=1.0, or inputs of variance 1"
    )


def finite(vector: npt.NDArray[Any]) -> bool:
    """Whether all elements are finite."""
    return math.isfinite(float(np.dot(vector, vector))) or bool(np.isfinite(vector).all())  # the product may overflow


def stray(optimizer: Optimizer, model: Module) -> str | None:
    """The name of a parameter whose adjoint is not finite, or None."""
    if finite(optimizer.flat.grad):
        return None
    names = {id(tensor): name for name, tensor in model.named_parameters()}
    for tensor in optimizer.parameters:
        if tensor.grad is not None and not np.isfinite(tensor.grad).all():
            return names.get(id(tensor)) or tensor.name or f"one of shape {tensor.shape}"
    return None  # it was an adjoint of an earlier batch, which no step reads


def still(optimizer: Optimizer, among: set[ad.Tensor]) -> set[ad.Tensor]:
    """The parameters, of those given, whose adjoint is zero or missing."""
    flat = optimizer.flat
    vector, stretches = flat.grad, flat.reached()

    def moves(section: slice) -> bool:
        return any(s.start <= section.start < s.stop for s in stretches) and bool(vector[section].any())

    places = zip(flat.tensors, flat.sections, strict=True)
    return {tensor for tensor, section in places if tensor in among and not moves(section)}


def standstill(parameters: set[ad.Tensor], value: ad.Tensor, model: Module, epoch: int) -> str | None:
    """The warning for parameters whose adjoint was zero in every batch of an epoch, or None."""
    explained = ad.explain(model, of=value).parameters
    names = [name for name, tensor in model.named_parameters() if tensor in parameters]
    if not names or not value.value.any():  # a loss of zero has nothing left to learn
        return None
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    found = explained[names[0]].findings
    return (
        f"the adjoint of {', '.join(names[:3])}{more} was zero in every batch of epoch {epoch}, so nothing is learned "
        f"there. {found[0] if found else explained[names[0]].verdict} ad.explain(model, of=loss) says more."
    )
