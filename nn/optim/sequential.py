"""Schedules one after the other."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import Any

from nn.optim.optimizer import Optimizer
from nn.optim.plateau import ReduceLROnPlateau
from nn.optim.schedule import LRScheduler, listed


class SequentialLR(LRScheduler):
    """Schedules one after the other: after each of the `milestones` the next one begins, at its step 0.

    Make all of them for this optimizer, and call only `step` of this schedule. `each` is taken from them. A
    ReduceLROnPlateau cannot be among them.

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
        self._milestones = listed(milestones, "SequentialLR", 1)
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
        """Set the rates for `last_epoch` steps, and everything else that the current schedule sets."""
        schedule, start = self._current(self.last_epoch)
        schedule.last_epoch = self.last_epoch - start
        schedule.assign()
        self._last_lr = schedule.get_last_lr()

    def state_dict(self) -> dict[str, Any]:
        """Everything that the rates depend on, including the inner schedules."""
        return super().state_dict() | {"_schedulers": [schedule.state_dict() for schedule in self._schedulers]}

    def check_state(self, state_dict: Mapping[str, Any]) -> None:
        """Raise ValueError for a state that does not belong to such schedules."""
        super().check_state(state_dict)
        for schedule, saved in zip(self._schedulers, state_dict["_schedulers"], strict=True):
            schedule.check_state(saved)

    def restore(self, state_dict: Mapping[str, Any]) -> None:
        """Take over the state, including those of the inner schedules."""
        super().restore(state_dict)
        for schedule, saved in zip(self._schedulers, state_dict["_schedulers"], strict=True):
            schedule.restore(saved)

    def _current(self, t: int) -> tuple[LRScheduler, int]:
        k = bisect_right(self._milestones, t)
        return self._schedulers[k], self._milestones[k - 1] if k else 0
