"""Schedules: the learning rate as a function of how often the schedule was stepped, group by group.

    schedule = nn.optim.StepLR(optimizer, step_size=10)
    for epoch in range(30):
        ...                          # optimizer.step() for every batch
        schedule.step()

Names, arguments and rates are PyTorch's; `each`, which all of them take by keyword, is explained in LRScheduler.
Almost every schedule is a closed form in t, the number of its steps, so `rates` can tell the future, and a loaded
schedule continues exactly.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NoReturn

from nn.checked import real, whole
from nn.optim.one_cycle import OneCycleLR
from nn.optim.optimizer import Optimizer
from nn.optim.plateau import ReduceLROnPlateau
from nn.optim.schedule import LRScheduler

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
    "OneCycleLR",
    "ReduceLROnPlateau",
    "SequentialLR",
    "StepLR",
]


class LambdaLR(LRScheduler):
    """The initial rate times a function of t, or for each group one of its own. The functions are not saved.

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
                f"LambdaLR takes one function of t, or a list of {count}, one per group; received {lr_lambda!r:.80}. "
                "Write lr_lambda=lambda t: 0.95**t."
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
        """gamma to the power of how often step_size is in t."""
        return self.gamma ** (t // self.step_size)


class MultiStepLR(LRScheduler):
    """The rate times gamma after each of the `milestones`, numbers of steps; one that is named twice counts twice.

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
        self.milestones = sorted(_listed(milestones, "MultiStepLR", 0))
        self.gamma = real(gamma, "MultiStepLR: gamma")
        super().__init__(optimizer, last_epoch, each=each)

    def factor(self, t: int) -> float:
        """gamma to the power of how many milestones are over."""
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
        """The share at first, then 1."""
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
        """The line, and its end ever after."""
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


class InverseTimeLR(LRScheduler):
    """The rate over 1 + decay t: steps whose sum diverges and whose squares' converges (Robbins & Monro 1951).

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
    """Half a cosine down to `eta_min` in `T_0` steps, then from the top again, each time `T_mult` times as long.

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


class SequentialLR(LRScheduler):
    """Schedules one after the other: after each of the `milestones` the next one begins, at its own step 0.

    All are made for this optimizer. Call `step` of this schedule only. `each` is taken from them. A ReduceLROnPlateau
    cannot be among them.

    >>> optimizer = nn.optim.SGD([ad.Tensor([1.0])], lr=0.1)
    >>> warm = nn.optim.LinearLR(optimizer, start_factor=0.5, total_iters=2)
    >>> down = nn.optim.ExponentialLR(optimizer, gamma=0.5)
    >>> schedule = nn.optim.SequentialLR(optimizer, [warm, down], milestones=[2])
    >>> schedule.rates(5).ravel().round(4)
    array([0.05 , 0.075, 0.1  , 0.05 , 0.025])
    """

    unsaved = ("optimizer", "_schedulers")

    def __init__(
        self,
        optimizer: Optimizer,
        schedulers: Sequence[LRScheduler],
        milestones: Sequence[int],
        last_epoch: int = -1,
        *,
        each: str | None = None,
    ) -> None:
        self._schedulers = list(schedulers)
        self._milestones = _listed(milestones, "SequentialLR", 1)
        for k, schedule in enumerate(self._schedulers):
            if not isinstance(schedule, LRScheduler) or isinstance(schedule, ReduceLROnPlateau):
                raise TypeError(
                    f"SequentialLR takes schedules that are functions of t; item {k} is a {type(schedule).__name__}. "
                    "Leave it out."
                )
            if schedule.optimizer is not optimizer:
                raise ValueError(f"SequentialLR: schedule {k} was made for another optimizer. Make all for the same.")
        if len(self._milestones) != len(self._schedulers) - 1 or self._milestones != sorted(set(self._milestones)):
            raise ValueError(
                f"SequentialLR takes one milestone between two schedules, in rising order; received "
                f"{len(self._schedulers)} schedules and milestones={milestones!r:.80}."
            )
        occasions = {schedule.each for schedule in self._schedulers}
        if each is None and len(occasions) > 1:
            raise ValueError(
                "SequentialLR: some of the schedules are stepped after every epoch, some after every step. "
                'Write each="step", and count all milestones in steps of the optimizer.'
            )
        super().__init__(optimizer, last_epoch, each=each or occasions.pop())

    def at(self, t: int) -> list[float]:
        """Every group's rate after t steps."""
        schedule, start = self._current(t)
        return schedule.at(t - start)

    def assign(self) -> None:
        """Set the rates for `last_epoch` steps, and whatever else the schedule of that time sets."""
        schedule, start = self._current(self.last_epoch)
        schedule.last_epoch = self.last_epoch - start
        schedule.assign()
        self._last_lr = schedule.get_last_lr()

    def state_dict(self) -> dict[str, Any]:
        """Everything the rates depend on, that of the schedules within too."""
        return super().state_dict() | {"_schedulers": [schedule.state_dict() for schedule in self._schedulers]}

    def check_state(self, state_dict: Mapping[str, Any]) -> None:
        """Raise ValueError for what is not the state of such schedules."""
        super().check_state(state_dict)
        for schedule, saved in zip(self._schedulers, state_dict["_schedulers"], strict=True):
            schedule.check_state(saved)

    def restore(self, state_dict: Mapping[str, Any]) -> None:
        """Take over the state, that of the schedules within too."""
        super().restore(state_dict)
        for schedule, saved in zip(self._schedulers, state_dict["_schedulers"], strict=True):
            schedule.restore(saved)

    def _current(self, t: int) -> tuple[LRScheduler, int]:
        k = bisect_right(self._milestones, t)
        return self._schedulers[k], self._milestones[k - 1] if k else 0


def _listed(milestones: Any, kind: str, least: int) -> list[int]:
    """Numbers of steps, checked."""
    if isinstance(milestones, str) or not isinstance(milestones, Iterable):
        raise TypeError(
            f"{kind}: milestones are a list of numbers of steps; received {milestones!r:.80}. "
            "Write milestones=[30, 80]."
        )
    return [whole(t, f"{kind}: a milestone", least) for t in milestones]


def _cosine(tops: list[float], bottom: float, share: float) -> list[float]:
    """The rates after this share of half a period."""
    return [bottom + (top - bottom) * (1 + math.cos(math.pi * share)) / 2 for top in tops]


_elsewhere = {
    "ChainedScheduler": "SequentialLR, or one LambdaLR of the product",
    "CyclicLR": "OneCycleLR or CosineAnnealingWarmRestarts",
    "MultiplicativeLR": "LambdaLR, of the product so far",
    "PolynomialLR": "LambdaLR: lr_lambda=lambda t: (1 - min(t, n) / n) ** power",
}


def __getattr__(name: str) -> NoReturn:
    hint = f"; use {_elsewhere[name]}" if name in _elsewhere else ""
    raise AttributeError(f"nn.optim.lr_scheduler has no {name!r}{hint}. It has {', '.join(__all__)}.")
