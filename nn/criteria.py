"""More losses as objects: for two or three inputs, several labels, and distributions.

Each calls the function of the same name in nn.functional, which documents shapes, options and errors. Losses of one
prediction are called with (prediction, target, sample_weight=None); the others have further inputs before
sample_weight.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy.typing as npt

from nn import functional
from nn.checked import real, switch, whole
from nn.losses import Criterion, LogisticLoss, floats


class SoftMarginLoss(LogisticLoss):
    """The logistic loss ln(1 + exp(-y h)) of scores h with labels y, -1 or 1: PyTorch's name of LogisticLoss.

    >>> round(nn.SoftMarginLoss()(np.array([0.0]), np.array([-1])).item(), 4)
    0.6931
    """


class GaussianNLLLoss(Criterion):
    """The negative log-likelihood of normal distributions: called with (prediction, target, var).

    >>> nn.GaussianNLLLoss()(np.array([1.0]), np.array([3.0]), np.array([1.0])).item()
    2.0
    """

    def __init__(self, *, full: bool = False, eps: float = 1e-6, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        self.full, self.eps = switch(full, "GaussianNLLLoss: full"), real(eps, "GaussianNLLLoss: eps", above=True)

    def forward(self, prediction: Any, target: Any, var: Any, sample_weight: Any = None) -> Any:
        """The loss of means and variances."""
        given = prediction, target, var, self.full, self.eps
        return functional.gaussian_nll_loss(*given, reduction=self.reduction, sample_weight=sample_weight)


class PoissonNLLLoss(Criterion):
    """The negative log-likelihood of Poisson distributions; the prediction is the logarithm of the mean.

    >>> nn.PoissonNLLLoss()(np.array([0.0]), np.array([3.0])).item()
    1.0
    """

    def __init__(
        self, log_input: bool = True, full: bool = False, *, eps: float = 1e-8, reduction: str = "mean"
    ) -> None:
        super().__init__(reduction=reduction)
        self.log_input = switch(log_input, "PoissonNLLLoss: log_input")
        self.full, self.eps = switch(full, "PoissonNLLLoss: full"), real(eps, "PoissonNLLLoss: eps")

    def forward(self, prediction: Any, target: Any, sample_weight: Any = None) -> Any:
        """The loss of a prediction."""
        given = prediction, target, self.log_input, self.full, self.eps
        return functional.poisson_nll_loss(*given, reduction=self.reduction, sample_weight=sample_weight)


class _Margin(Criterion):
    """The base of losses with one margin."""

    usual = 0.0

    def __init__(self, margin: float | None = None, *, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        name = f"{type(self).__name__}: margin"
        self.margin = self.usual if margin is None else real(margin, name, least=-math.inf)

    def __repr__(self) -> str:
        parts = [f"margin={self.margin}"] * (self.margin != self.usual)
        parts += [f"reduction={self.reduction!r}"] * (self.reduction != "mean")
        return f"{type(self).__name__}({', '.join(parts)})"


class MarginRankingLoss(_Margin):
    """max(0, margin - y (x1 - x2)): called with (x1, x2, target), the target 1 or -1.

    >>> nn.MarginRankingLoss()(np.array([1.0]), np.array([2.0]), np.array([1])).item()
    1.0
    """

    def forward(self, x1: Any, x2: Any, target: Any, sample_weight: Any = None) -> Any:
        """The loss of two scores."""
        return functional.margin_ranking_loss(
            x1, x2, target, self.margin, reduction=self.reduction, sample_weight=sample_weight
        )


class HingeEmbeddingLoss(_Margin):
    """A distance x where y = 1, and max(0, margin - x) where y = -1; the margin is 1 by default.

    >>> nn.HingeEmbeddingLoss(margin=2.0)(np.array([0.5, 0.5]), np.array([1, -1])).item()
    1.0
    """

    usual = 1.0

    def forward(self, prediction: Any, target: Any, sample_weight: Any = None) -> Any:
        """The loss of distances."""
        return functional.hinge_embedding_loss(
            prediction, target, self.margin, reduction=self.reduction, sample_weight=sample_weight
        )


class CosineEmbeddingLoss(_Margin):
    """1 - cos where y = 1, and max(0, cos - margin) where y = -1: called with (x1, x2, target).

    >>> nn.CosineEmbeddingLoss()(np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]]), np.array([1])).item()
    1.0
    """

    def forward(self, x1: Any, x2: Any, target: Any, sample_weight: Any = None) -> Any:
        """The loss of pairs of vectors."""
        return functional.cosine_embedding_loss(
            x1, x2, target, self.margin, reduction=self.reduction, sample_weight=sample_weight
        )


class TripletMarginLoss(Criterion):
    """max(0, d(anchor, positive) - d(anchor, negative) + margin): called with these three.

    >>> anchor, positive, negative = np.zeros((1, 2)), np.array([[3.0, 4.0]]), np.array([[0.0, 2.0]])
    >>> round(nn.TripletMarginLoss()(anchor, positive, negative).item(), 3)
    4.0
    """

    def __init__(
        self, margin: float = 1.0, p: float = 2.0, eps: float = 1e-6, swap: bool = False, *, reduction: str = "mean"
    ) -> None:
        super().__init__(reduction=reduction)
        self.margin, self.p = real(margin, "TripletMarginLoss: margin", above=True), p
        self.eps, self.swap = real(eps, "TripletMarginLoss: eps"), switch(swap, "TripletMarginLoss: swap")

    def forward(self, anchor: Any, positive: Any, negative: Any, sample_weight: Any = None) -> Any:
        """The loss of three vectors each."""
        given = self.margin, self.p, self.eps, self.swap
        return functional.triplet_margin_loss(
            anchor, positive, negative, *given, reduction=self.reduction, sample_weight=sample_weight
        )


class TripletMarginWithDistanceLoss(Criterion):
    """TripletMarginLoss with another distance, given as a function of two arrays.

    >>> def squared(a, b):
    ...     return np.sum((a - b) ** 2, axis=-1)
    >>> loss = nn.TripletMarginWithDistanceLoss(distance_function=squared)
    >>> loss(np.zeros((1, 2)), np.ones((1, 2)), np.ones((1, 2))).item()
    1.0
    """

    def __init__(
        self,
        *,
        distance_function: Callable[[Any, Any], Any] = functional.pairwise_distance,
        margin: float = 1.0,
        swap: bool = False,
        reduction: str = "mean",
    ) -> None:
        super().__init__(reduction=reduction)
        self.distance_function = distance_function
        self.margin = real(margin, "TripletMarginWithDistanceLoss: margin", above=True)
        self.swap = switch(swap, "TripletMarginWithDistanceLoss: swap")

    def forward(self, anchor: Any, positive: Any, negative: Any, sample_weight: Any = None) -> Any:
        """The loss of three vectors each."""
        return functional.triplet_margin_with_distance_loss(
            anchor,
            positive,
            negative,
            distance_function=self.distance_function,
            margin=self.margin,
            swap=self.swap,
            reduction=self.reduction,
            sample_weight=sample_weight,
        )


class MultiLabelMarginLoss(Criterion):
    """The hinge between each sample's labels and all other classes; rows of labels are padded with -1.

    >>> round(nn.MultiLabelMarginLoss()(np.array([[2.0, 0.0, 1.5]]), np.array([[0, -1, -1]])).item(), 4)
    0.1667
    """

    def forward(self, prediction: Any, target: Any, sample_weight: Any = None) -> Any:
        """The loss of scores."""
        return functional.multilabel_margin_loss(
            prediction, target, reduction=self.reduction, sample_weight=sample_weight
        )


class MultiLabelSoftMarginLoss(Criterion):
    """The mean over the classes of the binary cross-entropies of scores.

    >>> round(nn.MultiLabelSoftMarginLoss()(np.zeros((1, 3)), np.array([[1.0, 0.0, 1.0]])).item(), 4)
    0.6931
    """

    threshold = 0.0

    def __init__(self, weight: npt.ArrayLike | None = None, *, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        self.weight = floats(weight, "MultiLabelSoftMarginLoss: weight")

    def forward(self, prediction: Any, target: Any, sample_weight: Any = None) -> Any:
        """The loss of scores."""
        return functional.multilabel_soft_margin_loss(
            prediction, target, self.weight, reduction=self.reduction, sample_weight=sample_weight
        )


class CTCLoss(Criterion):
    """-ln of the probability of all paths that give the target (Graves et al. 2006).

    Called with (log_probs, targets, input_lengths, target_lengths), as functional.ctc_loss describes them.

    >>> log_probs = np.log(np.full((3, 2), 0.5))  # three steps, the blank and one label
    >>> round(np.exp(-nn.CTCLoss()(log_probs, np.array([1]), 3, 1)).item(), 4)
    0.75
    """

    def __init__(self, blank: int = 0, reduction: str = "mean", zero_infinity: bool = False) -> None:
        super().__init__(reduction=reduction)
        self.blank = whole(blank, "CTCLoss: blank", 0)
        self.zero_infinity = switch(zero_infinity, "CTCLoss: zero_infinity")

    def forward(self, log_probs: Any, targets: Any, input_lengths: Any, target_lengths: Any) -> Any:
        """The loss of log-probabilities, of shape (time, batch, classes)."""
        given = input_lengths, target_lengths, self.blank, self.reduction, self.zero_infinity
        return functional.ctc_loss(log_probs, targets, *given)
