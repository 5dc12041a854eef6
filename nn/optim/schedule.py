"""The base of all schedules: the learning rate as a function of the number of steps of the schedule."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from nn.checked import real, whole
from nn.optim.optimizer import Optimizer


class LRScheduler:
    """The base class of schedules, which set the rates of an optimizer's groups when they are made and at each `step`.

    A subclass defines `factor(t)`, the factor of the initial rates after t steps. `each` says when nn.fit calls `step`:
    after each "epoch", or after each "step" of the optimizer. `last_epoch=t-1` makes a schedule that continues after
    t - 1 steps, for an optimizer whose groups have an "initial_lr".

    An optimizer has one schedule at a time: `step` raises RuntimeError if something else has set a rate since.

    >>> class Square(nn.optim.LRScheduler):
    ...     def factor(self, t):
    ...         return 1 / (1 + t) ** 2
    >>> optimizer = nn.optim.SGD([ad.Tensor([1.0])], lr=0.1)
    >>> schedule = Square(optimizer)
    >>> schedule.step()
    >>> optimizer.lr
    0.025
    """

    each: str = "epoch"
    unsaved: ClassVar[tuple[str, ...]] = ("optimizer",)

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1, *, each: str | None = None) -> None:
        kind = type(self).__name__
        if not isinstance(optimizer, Optimizer):
            raise TypeError(
                f"{kind} takes an optimizer, whose learning rate it sets; received {type(optimizer).__name__}. "
                f"Write {kind}(nn.optim.SGD(model.parameters(), lr=0.1), ...)."
            )
        self.optimizer = optimizer
        self.each = chosen(self.each if each is None else each, f"{kind}: each", ("epoch", "step"))
        self.last_epoch = whole(last_epoch, f"{kind}: last_epoch", -1) + 1
        for k, group in enumerate(optimizer.param_groups):
            if self.last_epoch and "initial_lr" not in group:
                raise ValueError(
                    f"{kind} was to go on after {last_epoch} steps, but group {k} of the optimizer has no initial_lr. "
                    'Load its state, or set param_groups[k]["initial_lr"].'
                )
            group.setdefault("initial_lr", group["lr"])
        self.base_lrs: list[float] = [group["initial_lr"] for group in optimizer.param_groups]
        self.assign()

    def factor(self, t: int) -> float:
        """The factor of a group's initial rate after t steps."""
        raise NotImplementedError(f"{type(self).__name__} has no rates; define factor(self, t), or at(self, t)")

    def at(self, t: int) -> list[float]:
        """Every group's rate after t steps."""
        return [base * self.factor(t) for base in self.base_lrs]

    def assign(self) -> None:
        """Set the rates for `last_epoch` steps."""
        for group, lr in zip(self.optimizer.param_groups, self.at(self.last_epoch), strict=True):
            group["lr"] = lr
        self._last_lr = _rates(self.optimizer)

    def admit(self) -> None:
        """Take on the groups that the optimizer was given since: their rates are multiplied as the others' are.

        Raises RuntimeError where the rates are not a factor times the initial ones.
        """
        groups, known = self.optimizer.param_groups, len(self.base_lrs)
        if len(groups) == known:
            return
        kind = type(self)
        if kind.at is not LRScheduler.at:
            raise RuntimeError(
                f"{kind.__name__} was made for {known} group(s) of the optimizer, which has {len(groups)} now. Set the "
                f'"initial_lr" of the new ones, and make the schedule anew, with last_epoch={self.last_epoch - 1}.'
            )
        factor = self.factor(self.last_epoch)
        for group in groups[known:]:
            group["initial_lr"] = group["lr"] / factor if factor else group["lr"]
            self.base_lrs.append(group["initial_lr"])
            self._last_lr.append(group["lr"])

    def step(self) -> None:
        """Set the next rates; call it after the optimizer's own step."""
        self.admit()
        found = _rates(self.optimizer)
        if found != self._last_lr:
            raise RuntimeError(
                f"{type(self).__name__} set the rates {self._last_lr}, and found {found}: something else set them, "
                "perhaps another schedule. Combine schedules in a SequentialLR or one LambdaLR; for other rates from "
                "now on, assign the schedule's base_lrs and call its assign()."
            )
        self.last_epoch += 1
        self.assign()

    def get_last_lr(self) -> list[float]:
        """Every group's rate, as last set by the schedule."""
        return list(self._last_lr)

    def rates(self, n: int) -> npt.NDArray[np.float64]:
        """The rates now and after each of the next n - 1 steps, shape (n, groups); nothing is changed."""
        return np.array([self.at(self.last_epoch + k) for k in range(whole(n, "rates: n"))])

    def state_dict(self) -> dict[str, Any]:
        """Everything that the rates depend on, except functions: numbers, strings and lists."""
        return {"scheduler": type(self).__name__} | {
            name: list(value) if isinstance(value, list | tuple) else value
            for name, value in vars(self).items()
            if name not in self.unsaved
        }

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Continue exactly where another schedule of this kind stopped, and set the optimizer's rates.

        Raises ValueError, before anything is changed, for a state that does not fit.
        """
        self.check_state(state_dict)
        self.restore(state_dict)
        self.assign()

    def check_state(self, state_dict: Mapping[str, Any]) -> None:
        """Raise ValueError for a state that does not belong to such a schedule."""
        kind, own = type(self).__name__, self.state_dict()
        if not isinstance(state_dict, Mapping) or state_dict.keys() != own.keys() or state_dict["scheduler"] != kind:
            raise ValueError(
                f"{kind}.load_state_dict takes the state_dict() of a {kind}, with {', '.join(own)}; received "
                f"{state_dict!r:.200}. Load it into a schedule of the kind it was saved from."
            )
        for name, value in state_dict.items():
            if not _alike(own[name], value):
                raise ValueError(
                    f"{kind}: {name} was {own[name]!r:.80}; the state dict has {value!r:.80}. "
                    "Load it into a schedule that was made alike, of an optimizer with as many groups."
                )

    def restore(self, state_dict: Mapping[str, Any]) -> None:
        """Take over the state, without changing the optimizer."""
        saved = {name: value for name, value in state_dict.items() if name not in ("scheduler", *self.unsaved)}
        vars(self).update({name: list(value) if isinstance(value, list) else value for name, value in saved.items()})

    def __repr__(self) -> str:
        return f"{type(self).__name__}(each={self.each!r}, steps={self.last_epoch}, lr={self._last_lr})"


def chosen(value: Any, what: str, choices: tuple[str, ...]) -> str:
    """One of the choices. Raises ValueError, whose message begins with `what`, for anything else."""
    if value not in choices:
        raise ValueError(f"{what} is one of {', '.join(map(repr, choices))}; received {value!r:.80}.")
    return str(value)


def per_group(value: Any, count: int, what: str, **bounds: float) -> list[float]:
    """One number for each of `count` groups, from 0 or with bounds as in `real`; a single number is for all groups."""
    values = list(value) if isinstance(value, list | tuple) else [value] * count
    if len(values) != count:
        raise ValueError(f"{what} is a number or a list of one per group, {count}; received {value!r:.80}.")
    return [real(v, what, **bounds) for v in values]  # type: ignore[arg-type]  # the bounds are `real`'s own


def _rates(optimizer: Optimizer) -> list[float]:
    return [group["lr"] for group in optimizer.param_groups]


def _alike(own: Any, value: Any) -> bool:
    """Whether a saved value can replace the present one: a number by a number, a list by a list of the same length."""
    if isinstance(own, list):
        return isinstance(value, list) and len(value) == len(own) and all(map(_alike, own, value))
    if own is None or value is None:  # the best metric before the first step
        return not isinstance(value, list | str)
    return isinstance(value, (int, float) if type(own) in (int, float) else type(own)) and (
        isinstance(own, bool) == isinstance(value, bool)
    )


def listed(milestones: Any, kind: str, least: int) -> list[int]:
    """The milestones, checked: a list of numbers of steps."""
    if isinstance(milestones, str) or not isinstance(milestones, Iterable):
        raise TypeError(
            f"{kind}: milestones are a list of numbers of steps; received {milestones!r:.80}. "
            "Write milestones=[30, 80]."
        )
    return [whole(t, f"{kind}: a milestone", least) for t in milestones]
