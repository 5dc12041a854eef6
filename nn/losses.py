"""Losses as objects, called with (prediction, target, sample_weight=None).

Each calls the function of the same name in nn.functional, which documents shapes, options and errors.
"""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import numpy.typing as npt

import autodiff as ad
from nn import functional
from nn.checked import real, switch, whole
from nn.functional.labels import IGNORED
from nn.functional.reduction import REDUCTIONS, known_reduction
from nn.model.module import Module

Weights = npt.NDArray[Any] | None


class Criterion(Module):
    """A loss with its options; `reduction` is "mean", "sum" or "none"."""

    threshold = 0.5  # a binary classifier trained with this loss predicts the positive class for outputs above it
    reductions: tuple[str, ...] = REDUCTIONS

    def __init__(self, *, reduction: str = "mean") -> None:
        self.reduction = known_reduction(reduction, type(self).__name__, self.reductions)

    def __repr__(self) -> str:
        parts = []
        for name, parameter in inspect.signature(type(self)).parameters.items():
            value = getattr(self, name, parameter.default)
            if isinstance(value, np.ndarray) or value != parameter.default:
                shown = f"array of shape {value.shape}" if isinstance(value, np.ndarray) else repr(value)
                parts.append(f"{name}={shown}")
        return f"{type(self).__name__}({', '.join(parts)})"


class MSELoss(Criterion):
    """The squared error (y' - y)², of a prediction y' and a target y of the same shape; with `half`, (y' - y)² / 2.

    >>> prediction = ad.Tensor([1.0, 2.0])
    >>> nn.MSELoss()(prediction, np.array([0.0, 4.0])).backward()
    >>> prediction.grad
    array([ 1., -2.])
    """

    def __init__(self, *, half: bool = False, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        self.half = switch(half, "MSELoss: half")

    def forward(self, prediction: Any, target: Any, sample_weight: Any = None) -> Any:
        """The loss of a prediction."""
        return functional.mse_loss(
            prediction, target, half=self.half, reduction=self.reduction, sample_weight=sample_weight
        )


class L1Loss(Criterion):
    """The absolute error |y' - y|, for a prediction and a target of the same shape.

    >>> nn.L1Loss()(np.array([1.0, 5.0]), np.array([2.0, 2.0])).item()
    2.0
    """

    def forward(self, prediction: Any, target: Any, sample_weight: Any = None) -> Any:
        """The loss of a prediction."""
        return functional.l1_loss(prediction, target, reduction=self.reduction, sample_weight=sample_weight)


class HuberLoss(Criterion):
    """The squared error d² / 2 for small differences d, and delta (|d| - delta / 2) above `delta` (Huber 1964).

    >>> nn.HuberLoss(reduction="none")(np.array([0.5, 10.0]), np.zeros(2))
    array([0.125, 9.5  ])
    """

    def __init__(self, *, reduction: str = "mean", delta: float = 1.0) -> None:
        super().__init__(reduction=reduction)
        self.delta = real(delta, "HuberLoss: delta", above=True)

    def forward(self, prediction: Any, target: Any, sample_weight: Any = None) -> Any:
        """The loss of a prediction."""
        return functional.huber_loss(
            prediction, target, reduction=self.reduction, delta=self.delta, sample_weight=sample_weight
        )


class SmoothL1Loss(Criterion):
    """The Huber loss divided by its delta, here called `beta`.

    >>> nn.SmoothL1Loss(reduction="none")(np.array([0.5, 10.0]), np.zeros(2))
    array([0.125, 9.5  ])
    """

    def __init__(self, *, reduction: str = "mean", beta: float = 1.0) -> None:
        super().__init__(reduction=reduction)
        self.beta = real(beta, "SmoothL1Loss: beta", above=True)

    def forward(self, prediction: Any, target: Any, sample_weight: Any = None) -> Any:
        """The loss of a prediction."""
        return functional.smooth_l1_loss(
            prediction, target, reduction=self.reduction, beta=self.beta, sample_weight=sample_weight
        )


class BCELoss(Criterion):
    """Binary cross-entropy of probabilities, for example from a sigmoid, with targets in [0, 1].

    `weight` broadcasts to the shape of the elements' losses, and multiplies them.

    >>> round(nn.BCELoss()(np.array([0.5, 0.25]), np.array([0.0, 1.0])).item(), 4)
    1.0397
    """

    def __init__(self, weight: npt.ArrayLike | None = None, *, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        self.weight = floats(weight, "BCELoss: weight")

    def forward(self, prediction: Any, target: Any, sample_weight: Any = None) -> Any:
        """The loss of a prediction."""
        return functional.binary_cross_entropy(
            prediction, target, self.weight, reduction=self.reduction, sample_weight=sample_weight
        )


class BCEWithLogitsLoss(Criterion):
    """Binary cross-entropy of scores, with targets in [0, 1]; positives count `pos_weight` times.

    `weight` broadcasts to the shape of the elements' losses, and multiplies them.

    >>> round(nn.BCEWithLogitsLoss(pos_weight=3.0)(np.array([0.0]), np.array([1.0])).item(), 4)
    2.0794
    """

    threshold = 0.0

    def __init__(
        self,
        weight: npt.ArrayLike | None = None,
        *,
        reduction: str = "mean",
        pos_weight: npt.ArrayLike | None = None,
    ) -> None:
        super().__init__(reduction=reduction)
        self.weight = floats(weight, "BCEWithLogitsLoss: weight")
        self.pos_weight = floats(pos_weight, "BCEWithLogitsLoss: pos_weight")

    def forward(self, prediction: Any, target: Any, sample_weight: Any = None) -> Any:
        """The loss of a prediction."""
        return functional.binary_cross_entropy_with_logits(
            prediction,
            target,
            self.weight,
            reduction=self.reduction,
            pos_weight=self.pos_weight,
            sample_weight=sample_weight,
        )


class CrossEntropyLoss(Criterion):
    """Cross-entropy of logits, of shape (batch, classes, ...), with integer labels or probabilities.

    >>> logits = ad.Tensor([[2.0, 0.0, 0.0]])
    >>> loss = nn.CrossEntropyLoss()(logits, np.array([0]))
    >>> loss.backward()
    >>> logits.grad.round(4)  # softmax minus the one-hot label
    array([[-0.213 ,  0.1065,  0.1065]])
    """

    def __init__(
        self,
        weight: npt.ArrayLike | None = None,
        *,
        ignore_index: int = IGNORED,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(reduction=reduction)
        self.weight = floats(weight, "CrossEntropyLoss: weight")
        self.ignore_index = whole(ignore_index, "CrossEntropyLoss: ignore_index", None)
        self.label_smoothing = real(label_smoothing, "CrossEntropyLoss: label_smoothing", most=1)

    def forward(self, prediction: Any, target: Any, sample_weight: Any = None) -> Any:
        """The loss of a prediction."""
        return functional.cross_entropy(
            prediction,
            target,
            self.weight,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
            label_smoothing=self.label_smoothing,
            sample_weight=sample_weight,
        )


class NLLLoss(Criterion):
    """The negative log-likelihood of log-probabilities, for example from LogSoftmax, with integer labels.

    >>> log_probs = np.log(np.array([[0.5, 0.5], [0.1, 0.9]]))
    >>> nn.NLLLoss(reduction="none")(log_probs, np.array([0, 1])).round(4)
    array([0.6931, 0.1054])
    """

    def __init__(
        self, weight: npt.ArrayLike | None = None, *, ignore_index: int = IGNORED, reduction: str = "mean"
    ) -> None:
        super().__init__(reduction=reduction)
        self.weight = floats(weight, "NLLLoss: weight")
        self.ignore_index = whole(ignore_index, "NLLLoss: ignore_index", None)

    def forward(self, prediction: Any, target: Any, sample_weight: Any = None) -> Any:
        """The loss of a prediction."""
        return functional.nll_loss(
            prediction,
            target,
            self.weight,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
            sample_weight=sample_weight,
        )


class MultiMarginLoss(Criterion):
    """The multi-class hinge of scores, of shape (batch, classes), with integer labels.

    >>> round(nn.MultiMarginLoss()(np.array([[2.0, 1.5, 0.0]]), np.array([0])).item(), 4)
    0.1667
    """

    def __init__(
        self, p: int = 1, margin: float = 1.0, weight: npt.ArrayLike | None = None, *, reduction: str = "mean"
    ) -> None:
        super().__init__(reduction=reduction)
        if p not in (1, 2):
            raise ValueError(f"MultiMarginLoss: p is 1 or 2; received {p!r:.80}.")
        self.p = p
        self.margin = real(margin, "MultiMarginLoss: margin")
        self.weight = floats(weight, "MultiMarginLoss: weight")

    def forward(self, prediction: Any, target: Any, sample_weight: Any = None) -> Any:
        """The loss of a prediction."""
        return functional.multi_margin_loss(
            prediction,
            target,
            self.p,
            self.margin,
            self.weight,
            reduction=self.reduction,
            sample_weight=sample_weight,
        )


class LogisticLoss(Criterion):
    """The logistic loss ln(1 + exp(-y h)) of scores h with labels y, -1 or 1 (PyTorch's SoftMarginLoss).

    >>> round(nn.LogisticLoss()(np.array([0.0]), np.array([1])).item(), 4)
    0.6931
    """

    threshold = 0.0

    def forward(self, prediction: Any, target: Any, sample_weight: Any = None) -> Any:
        """The loss of a prediction."""
        return functional.logistic_loss(prediction, target, reduction=self.reduction, sample_weight=sample_weight)


class HingeLoss(Criterion):
    """The hinge loss max(0, 1 - y h) of scores h with labels y, -1 or 1, used by support vector machines.

    >>> nn.HingeLoss()(np.array([0.5, 2.0]), np.array([1, 1])).item()
    0.25
    """

    threshold = 0.0

    def forward(self, prediction: Any, target: Any, sample_weight: Any = None) -> Any:
        """The loss of a prediction."""
        return functional.hinge_loss(prediction, target, reduction=self.reduction, sample_weight=sample_weight)


class KLDivLoss(Criterion):
    """The Kullback-Leibler divergence of log-probabilities from target probabilities (with `log_target`, their logs).

    >>> p, q = np.array([[0.5, 0.5]]), np.array([[0.25, 0.75]])
    >>> round(nn.KLDivLoss(reduction="batchmean")(np.log(p), q).item(), 4)
    0.1308
    """

    reductions = (*REDUCTIONS, "batchmean")

    def __init__(self, *, reduction: str = "mean", log_target: bool = False) -> None:
        super().__init__(reduction=reduction)
        self.log_target = switch(log_target, "KLDivLoss: log_target")

    def forward(self, prediction: Any, target: Any, sample_weight: Any = None) -> Any:
        """The loss of a prediction."""
        return functional.kl_div(
            prediction, target, reduction=self.reduction, log_target=self.log_target, sample_weight=sample_weight
        )


def floats(weight: npt.ArrayLike | None, what: str) -> Weights:
    """Weights as an array, which is a buffer and so is saved with the state."""
    if weight is None:
        return None
    found = np.array(ad.stop_gradient(weight))
    if found.dtype.kind not in "fiub":
        raise TypeError(
            f"{what} is an array of numbers; received {weight!r:.80}, dtype {found.dtype}. Write np.array([1.0, 2.0])."
        )
    return found if found.dtype.kind == "f" else found.astype(np.float32)
