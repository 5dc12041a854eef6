"""A schedule that reduces the rate when a metric has stopped improving."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NoReturn

from nn.checked import real, whole
from nn.optim.optimizer import Optimizer
from nn.optim.schedule import LRScheduler, chosen, per_group


class ReduceLROnPlateau(LRScheduler):
    """The rate times `factor` whenever a metric has not improved for more than `patience` steps.

    Parameters
    ----------
    mode : "min" if smaller metrics are better, "max" if larger ones are
    factor : from 0 to below 1
    patience : the number of steps without improvement before a reduction
    threshold, threshold_mode : the least improvement that counts: this share of the best value so far ("rel"), or this
        difference from it ("abs")
    cooldown : steps after a reduction in which nothing is counted
    min_lr : the lowest rate; a number, or a list with one per group
    eps : smaller reductions are not made

    Rates that were assigned in the meantime are kept. Future rates depend on the metric, so `rates` raises an error.

    >>> optimizer = nn.optim.SGD([ad.Tensor([1.0])], lr=0.1)
    >>> schedule = nn.optim.ReduceLROnPlateau(optimizer, patience=1, factor=0.5)
    >>> for loss in (1.0, 0.9, 0.9, 0.9):
    ...     schedule.step(loss)
    >>> optimizer.lr
    0.05
    """

    def __init__(
        self,
        optimizer: Optimizer,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_lr: float | Sequence[float] = 0.0,
        eps: float = 1e-8,
        *,
        each: str | None = None,
    ) -> None:
        kind = "ReduceLROnPlateau"
        self.mode = chosen(mode, f"{kind}: mode", ("min", "max"))
        self.threshold_mode = chosen(threshold_mode, f"{kind}: threshold_mode", ("rel", "abs"))
        self.share = real(factor, f"{kind}: factor", below=1)
        self.patience, self.cooldown = whole(patience, f"{kind}: patience", 0), whole(cooldown, f"{kind}: cooldown", 0)
        self.threshold, self.eps = real(threshold, f"{kind}: threshold"), real(eps, f"{kind}: eps")
        self.best: float | None = None
        self.num_bad_epochs = self.cooldown_counter = 0
        self._last_lr = [group["lr"] for group in optimizer.param_groups] if isinstance(optimizer, Optimizer) else []
        super().__init__(optimizer, each=each)
        self.min_lrs = per_group(min_lr, len(self.base_lrs), f"{kind}: min_lr")

    def at(self, t: int) -> NoReturn:
        """Raise an error: the rates depend on the metric."""
        raise TypeError("ReduceLROnPlateau has no rates in advance: they depend on the metric step() takes.")

    def assign(self) -> None:
        """Set the last rates again."""
        for group, lr in zip(self.optimizer.param_groups, self._last_lr, strict=True):
            group["lr"] = lr

    def step(self, metrics: Any = None) -> None:
        """Note the metric's value, such as an epoch's validation loss, and reduce the rates if it does not improve."""
        if metrics is None:
            raise TypeError("ReduceLROnPlateau.step takes the metric; write schedule.step(validation_loss).")
        self.admit()
        value = float(metrics)
        self.last_epoch += 1
        better = self._improved(value)
        if better:
            self.best = value
        self.num_bad_epochs = 0 if better else self.num_bad_epochs + 1
        if self.cooldown_counter:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        self._last_lr = [group["lr"] for group in self.optimizer.param_groups]
        if self.num_bad_epochs > self.patience:
            reduced = [max(lr * self.share, floor) for lr, floor in zip(self._last_lr, self.min_lrs, strict=True)]
            self._last_lr = [new if lr - new > self.eps else lr for lr, new in zip(self._last_lr, reduced, strict=True)]
            self.assign()
            self.cooldown_counter = self.cooldown
            self.num_bad_epochs = 0

    def _improved(self, value: float) -> bool:
        sign = 1 if self.mode == "min" else -1
        if self.best is None:
            return sign * value < math.inf
        margin = self.threshold * (self.best if self.threshold_mode == "rel" else 1)
        return sign * value < sign * self.best - margin
