"""Schedules: the learning rate of each group as a function of the number of steps of the schedule.

    schedule = nn.optim.StepLR(optimizer, step_size=10)
    for epoch in range(30):
        ...                          # optimizer.step() for every batch
        schedule.step()

Names, arguments and rates are PyTorch's; `each`, a keyword of all of them, is explained in LRScheduler. Almost every
schedule is a closed form in t, the number of its steps. So `rates` gives future rates, and a loaded schedule continues
exactly.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NoReturn

from nn import hints
from nn.checked import real, whole
from nn.optim.one_cycle import OneCycleLR
from nn.optim.optimizer import Optimizer
from nn.optim.plateau import ReduceLROnPlateau
from nn.optim.schedule import LRScheduler, listed
from nn.optim.sequential import SequentialLR

__all__ = [
    "ConstantLR",
    "CosineAnnealingLR",
    "CosineAnnealingWarmRestarts",
    "ExponentialLR",
    "InverseTimeLR",
    "LRScheduler",
    "LambdaLR",
    "LinearLR",
    "MultiStepLR",
    "MultiplicativeLR",
    "OneCycleLR",
    "PolynomialLR",
    "ReduceLROnPlateau",
    "SequentialLR",
    "StepLR",
]


class LambdaLR(LRScheduler):
    """The initial rate times a function of t: one for all groups, or a list of one for each. Functions are not saved.

    >>> optimizer = nn.optim.SGD([ad.Tensor([1.0])], lr=0.1)
    >>> nn.optim.LambdaLR(optimizer, lambda t: 0.9**t).rates(3).ravel().round(4)
    array([0.1  , 0.09 , 0.081])
    """

    unsaved = ("optimizer", "lr_lambdas")

    def __init__(
        self,
        optimizer: Optimizer,
        lr_lambda: Callable[[int], float] | Sequence[Callable[[int], float]],
        last_epoch: int = -1,
        *,
        each: str | None = None,
    ) -> None:
        count = len(optimizer.param_groups) if isinstance(optimizer, Optimizer) else 1
        given: list[Any] = list(lr_lambda) if isinstance(lr_lambda, list | tuple) else [lr_lambda] * count
        if len(given) != count or not all(map(callable, given)):
            raise ValueError(
                f"{type(self).__name__} takes one function of t, or a list of {count}, one per group; received "
                f"{lr_lambda!r:.80}. Write lr_lambda=lambda t: 0.95**t."
            )
        self.lr_lambdas = given
        super().__init__(optimizer, last_epoch, each=each)

    def at(self, t: int) -> list[float]:
        """Every group's rate after t steps."""
        return [base * function(t) for base, function in zip(self.base_lrs, self.lr_lambdas, strict=True)]


class StepLR(LRScheduler):
    """The rate times gamma after every `step_size` steps.

    >>> optimizer = nn.optim.SGD([ad.Tensor([1.0])], lr=0.1)
    >>> nn.optim.StepLR(optimizer, step_size=2, gamma=0.5).rates(4).ravel().round(4)
    array([0.1 , 0.1 , 0.05, 0.05])
    """

    def __init__(
        self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1, *, each: str | None = None
    ) -> None:
        self.step_size, self.gamma = whole(step_size, "StepLR: step_size"), real(gamma, "StepLR: gamma")
        super().__init__(optimizer, last_epoch, each=each)

    def factor(self, t: int) -> float:
        """gamma to the power of t // step_size."""
        return self.gamma ** (t // self.step_size)


class MultiStepLR(LRScheduler):
    """The rate times gamma after each of the `milestones`, numbers of steps; a repeated milestone counts twice.

    >>> optimizer = nn.optim.SGD([ad.Tensor([1.0])], lr=0.1)
    >>> schedule = nn.optim.MultiStepLR(optimizer, milestones=[1, 3], gamma=0.5)
    >>> schedule.rates(4).ravel().round(4)
    array([0.1  , 0.05 , 0.05 , 0.025])
    """

    def __init__(
        self,
        optimizer: Optimizer,
        milestones: Iterable[int],
        gamma: float = 0.1,
        last_epoch: int = -1,
        *,
        each: str | None = None,
    ) -> None:
        self.milestones = sorted(listed(milestones, "MultiStepLR", 0))
        self.gamma = real(gamma, "MultiStepLR: gamma")
        super().__init__(optimizer, last_epoch, each=each)

    def factor(self, t: int) -> float:
        """gamma to the power of the number of milestones passed."""
        return self.gamma ** bisect_right(self.milestones, t)


class ConstantLR(LRScheduler):
    """The rate times `factor` during the first `total_iters` steps, from 0 to 1.

    >>> optimizer = nn.optim.SGD([ad.Tensor([1.0])], lr=0.1)
    >>> schedule = nn.optim.ConstantLR(optimizer, factor=0.5, total_iters=2)
    >>> schedule.rates(4).ravel().round(4)
    array([0.05, 0.05, 0.1 , 0.1 ])
    """

    def __init__(
        self,
        optimizer: Optimizer,
        factor: float = 1.0 / 3,
        total_iters: int = 5,
        last_epoch: int = -1,
        *,
        each: str | None = None,
    ) -> None:
        self.share = real(factor, "ConstantLR: factor", most=1)
        self.total_iters = whole(total_iters, "ConstantLR: total_iters", 0)
        super().__init__(optimizer, last_epoch, each=each)

    def factor(self, t: int) -> float:
        """`factor` at first, then 1."""
        return self.share if t < self.total_iters else 1.0


class LinearLR(LRScheduler):
    """A straight line from start_factor to end_factor times the rate, in `total_iters` steps: a linear warm-up.

    >>> optimizer = nn.optim.SGD([ad.Tensor([1.0])], lr=0.1)
    >>> schedule = nn.optim.LinearLR(optimizer, start_factor=0.25, total_iters=3)
    >>> schedule.rates(4).ravel().round(4)
    array([0.025, 0.05 , 0.075, 0.1  ])
    """

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1.0 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
        last_epoch: int = -1,
        *,
        each: str | None = None,
    ) -> None:
        self.start_factor = real(start_factor, "LinearLR: start_factor", above=True, most=1)
        self.end_factor = real(end_factor, "LinearLR: end_factor", most=1)
        self.total_iters = whole(total_iters, "LinearLR: total_iters")
        super().__init__(optimizer, last_epoch, each=each)

    def factor(self, t: int) -> float:
        """The value of the line; after its end the last value."""
        return self.start_factor + (self.end_factor - self.start_factor) * min(t, self.total_iters) / self.total_iters


class ExponentialLR(LRScheduler):
    """The rate times gamma at every step.

    >>> optimizer = nn.optim.SGD([ad.Tensor([1.0])], lr=0.1)
    >>> nn.optim.ExponentialLR(optimizer, gamma=0.5).rates(4).ravel().round(4)
    array([0.1   , 0.05  , 0.025 , 0.0125])
    """

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1, *, each: str | None = None) -> None:
        self.gamma = real(gamma, "ExponentialLR: gamma")
        super().__init__(optimizer, last_epoch, each=each)

    def factor(self, t: int) -> float:
        """gamma to the power of t."""
        return self.gamma**t


class PolynomialLR(LRScheduler):
    """The rate times (1 - t / total_iters)^power after t steps, and 0 after `total_iters` ("poly", Chen et al. 2018).

    >>> optimizer = nn.optim.SGD([ad.Tensor([1.0])], lr=0.1)
    >>> nn.optim.PolynomialLR(optimizer, total_iters=2, power=2.0).rates(4).ravel().round(4)
    array([0.1  , 0.025, 0.   , 0.   ])
    """

    def __init__(
        self,
        optimizer: Optimizer,
        total_iters: int = 5,
        power: float = 1.0,
        last_epoch: int = -1,
        *,
        each: str | None = None,
    ) -> None:
        self.total_iters = whole(total_iters, "PolynomialLR: total_iters")
        self.power = real(power, "PolynomialLR: power")
        super().__init__(optimizer, last_epoch, each=each)

    def factor(self, t: int) -> float:
        """(1 - t / total_iters)^power, or 0 after the end."""
        return float((1 - min(t, self.total_iters) / self.total_iters) ** self.power)


class MultiplicativeLR(LambdaLR):
    """The rate after t steps times f(1) f(2) ... f(t), with one function f for all groups, or a list of one for each.

    >>> optimizer = nn.optim.SGD([ad.Tensor([1.0])], lr=0.1)
    >>> schedule = nn.optim.MultiplicativeLR(optimizer, lambda t: 0.5 if t == 2 else 1.0)
    >>> schedule.rates(4).ravel()
    array([0.1 , 0.1 , 0.05, 0.05])
    """

    def at(self, t: int) -> list[float]:
        """Every group's rate after t steps."""
        products = [math.prod(function(k) for k in range(1, t + 1)) for function in self.lr_lambdas]
        return [base * product for base, product in zip(self.base_lrs, products, strict=True)]


class InverseTimeLR(LRScheduler):
    """The rate divided by 1 + decay t: the sum of the rates diverges, that of their squares converges.

    Source: Robbins & Monro 1951.

    >>> optimizer = nn.optim.SGD([ad.Tensor([1.0])], lr=0.1)
    >>> nn.optim.InverseTimeLR(optimizer, decay=1.0).rates(4).ravel().round(4)
    array([0.1   , 0.05  , 0.0333, 0.025 ])
    """

    def __init__(self, optimizer: Optimizer, decay: float, last_epoch: int = -1, *, each: str | None = None) -> None:
        self.decay = real(decay, "InverseTimeLR: decay")
        super().__init__(optimizer, last_epoch, each=each)

    def factor(self, t: int) -> float:
        """1 / (1 + decay t)."""
        return 1 / (1 + self.decay * t)


class CosineAnnealingLR(LRScheduler):
    """Half a cosine from the rate down to `eta_min` in `T_max` steps, and up again (Loshchilov & Hutter 2017).

    >>> optimizer = nn.optim.SGD([ad.Tensor([1.0])], lr=0.1)
    >>> schedule = nn.optim.CosineAnnealingLR(optimizer, T_max=4)
    >>> schedule.rates(5).ravel().round(4)
    array([0.1   , 0.0854, 0.05  , 0.0146, 0.    ])
    """

    def __init__(
        self,
        optimizer: Optimizer,
        T_max: int,  # noqa: N803  # PyTorch's name
        eta_min: float = 0.0,
        last_epoch: int = -1,
        *,
        each: str | None = None,
    ) -> None:
        self.T_max, self.eta_min = whole(T_max, "CosineAnnealingLR: T_max"), real(eta_min, "CosineAnnealingLR: eta_min")
        super().__init__(optimizer, last_epoch, each=each)

    def at(self, t: int) -> list[float]:
        """Every group's rate after t steps."""
        return _cosine(self.base_lrs, self.eta_min, t / self.T_max)


class CosineAnnealingWarmRestarts(LRScheduler):
    """Half a cosine down to `eta_min` in `T_0` steps, then again from the top, each time `T_mult` times as long.

    SGDR (Loshchilov & Hutter 2017).

    >>> optimizer = nn.optim.SGD([ad.Tensor([1.0])], lr=0.1)
    >>> schedule = nn.optim.CosineAnnealingWarmRestarts(optimizer, T_0=2)
    >>> schedule.rates(4).ravel().round(4)
    array([0.1 , 0.05, 0.1 , 0.05])
    """

    def __init__(
        self,
        optimizer: Optimizer,
        T_0: int,  # noqa: N803  # PyTorch's names
        T_mult: int = 1,  # noqa: N803
        eta_min: float = 0.0,
        last_epoch: int = -1,
        *,
        each: str | None = None,
    ) -> None:
        kind = type(self).__name__
        self.T_0, self.T_mult = whole(T_0, f"{kind}: T_0"), whole(T_mult, f"{kind}: T_mult")
        self.eta_min = real(eta_min, f"{kind}: eta_min")
        super().__init__(optimizer, last_epoch, each=each)

    def at(self, t: int) -> list[float]:
        """Every group's rate after t steps."""
        length = self.T_0
        if self.T_mult == 1:
            t %= length
        while t >= length:
            t, length = t - length, length * self.T_mult
        return _cosine(self.base_lrs, self.eta_min, t / length)


def _cosine(tops: list[float], bottom: float, share: float) -> list[float]:
    """The rates after this share of half a period."""
    return [bottom + (top - bottom) * (1 + math.cos(math.pi * share)) / 2 for top in tops]


def __getattr__(name: str) -> NoReturn:
    if name in hints.OPTIM:
        raise hints.missing("nn.optim.lr_scheduler", name, hints.OPTIM)
    raise AttributeError(f"nn.optim.lr_scheduler has no {name!r}. It has {', '.join(__all__)}.", name=name)
