"""The diagnosis of a training that diverges or stands still, read from the graph, which has every value."""

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


class StandstillWarning(UserWarning):
    """A training that has moved no parameter so far, or in which no adjoint reached some of them for a whole epoch.

    `explanation` is what ad.explain says of the model's parameters in the last batch of the epoch: print it.

    >>> import warnings
    >>> X, y = nn.data.gauss(100, rng=0)
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     optimizer = lambda parameters: nn.optim.SGD(parameters, lr=1e-20)
    ...     _ = nn.fit(nn.MLP(2, 8, 2, rng=0), X, y, loss="cross_entropy", optimizer=optimizer, verbose=False)
    >>> caught[0].category.__name__, caught[0].message.explanation.verdict
    ('StandstillWarning', 'An adjoint arrives at 4 of 4 parameters of MLP.')
    """

    def __init__(self, message: str, explanation: ad.Explanation) -> None:
        super().__init__(message)
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


def moved(before: npt.NDArray[Any], after: npt.NDArray[Any]) -> bool:
    """Whether a step changed any parameter by more than rounding changes the largest of them."""
    rounding = float(np.finfo(before.dtype).eps)
    return not before.size or bool(np.abs(after - before).max() > rounding * np.abs(before).max())


def unreached(parameters: set[ad.Tensor], value: ad.Tensor, model: Module, epoch: int) -> StandstillWarning | None:
    """What to say of parameters whose adjoint was zero in every batch of an epoch; None if there is nothing to say."""
    explanation = ad.explain(model, of=value)
    names = [name for name, tensor in model.named_parameters() if tensor in parameters]
    if not names or not value.value.any():  # a loss of zero has nothing left to learn
        return None
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    first = explanation.parameters[names[0]]
    return StandstillWarning(
        f"the adjoint of {', '.join(names[:3])}{more} was zero in every batch of epoch {epoch}, so nothing is learned "
        f"there. {first.findings[0] if first.findings else first.verdict} ad.explain(model, of=loss) says more.",
        explanation,
    )


def unmoved(optimizer: Optimizer, value: ad.Tensor, model: Module, epoch: int) -> StandstillWarning | None:
    """What to say of a training whose steps have changed nothing; None if its lr, or its loss, is zero."""
    if not optimizer.lr or not value.value.any():
        return None
    explanation = ad.explain(model, of=value)
    return StandstillWarning(
        f"no step up to the end of epoch {epoch} moved a parameter by more than rounding does, so nothing is learned: "
        f"lr is {optimizer.lr:g}, and the largest adjoint is {np.abs(optimizer.flat.grad).max():.2g}. "
        f"{explanation.verdict} If the adjoints are as they should be, try a larger lr.",
        explanation,
    )
