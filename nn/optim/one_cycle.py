"""A schedule of one cycle, stepped after every batch: up to a large rate, then down to a tiny one."""

from __future__ import annotations

import math
from collections.abc import Sequence

from nn.checked import real, switch, whole
from nn.optim.optimizer import Optimizer
from nn.optim.schedule import LRScheduler, chosen, per_group


class OneCycleLR(LRScheduler):
    """From max_lr / div_factor up to max_lr, then down to the initial rate / final_div_factor (Smith & Topin 2018).

    Parameters
    ----------
    max_lr : the largest rate; a number, or a list with one per group. The optimizer's own rates are not used
    total_steps : the length of the cycle in steps of the optimizer; or epochs and steps_per_epoch, their product
    pct_start : the share of the steps in which the rate rises, from 0 to 1
    anneal_strategy : "cos" for half cosines, "linear" for straight lines
    cycle_momentum : whether SGD's momentum, or Adam's first beta, goes the opposite way, from max_momentum down to
        base_momentum and back
    three_phase : whether the rate first goes down to its start in as many steps as it rose, and then to its end

    Raises ValueError at a step past the end of the cycle.

    >>> optimizer = nn.optim.SGD([ad.Tensor([1.0])], momentum=0.9)
    >>> schedule = nn.optim.OneCycleLR(optimizer, max_lr=0.1, total_steps=10)
    >>> schedule.rates(10).ravel().round(4).max().item()
    0.1
    """

    each = "step"

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: float | Sequence[float],
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: str = "cos",
        cycle_momentum: bool = True,
        base_momentum: float | Sequence[float] = 0.85,
        max_momentum: float | Sequence[float] = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
        last_epoch: int = -1,
        *,
        each: str | None = None,
    ) -> None:
        kind = "OneCycleLR"
        if total_steps is None:
            if epochs is None or steps_per_epoch is None:
                raise ValueError(f"{kind} takes total_steps, or epochs and steps_per_epoch. Write total_steps=1000.")
            total_steps = whole(epochs, f"{kind}: epochs") * whole(steps_per_epoch, f"{kind}: steps_per_epoch")
        self.total_steps = whole(total_steps, f"{kind}: total_steps")
        self.pct_start = real(pct_start, f"{kind}: pct_start", most=1)
        self.anneal_strategy = chosen(anneal_strategy, f"{kind}: anneal_strategy", ("cos", "linear"))
        self.three_phase = switch(three_phase, f"{kind}: three_phase")
        self.div_factor = real(div_factor, f"{kind}: div_factor", above=True)
        self.final_div_factor = real(final_div_factor, f"{kind}: final_div_factor", above=True)
        count = len(optimizer.param_groups) if isinstance(optimizer, Optimizer) else 1
        self.max_lrs = per_group(max_lr, count, f"{kind}: max_lr")
        self.base_momentums = per_group(base_momentum, count, f"{kind}: base_momentum", below=1)
        self.max_momentums = per_group(max_momentum, count, f"{kind}: max_momentum", below=1)
        self.cycle_momentum = switch(cycle_momentum, f"{kind}: cycle_momentum")
        if self.cycle_momentum and not {"momentum", "betas"} & getattr(optimizer, "options", {"betas": 0}).keys():
            raise ValueError(
                f"{kind}: {type(optimizer).__name__} has neither momentum nor betas; write cycle_momentum=False."
            )
        super().__init__(optimizer, last_epoch, each=each)

    def at(self, t: int) -> list[float]:
        """Every group's rate after t steps."""
        starts = [top / self.div_factor for top in self.max_lrs]
        ends = [start / self.final_div_factor for start in starts]
        corners = [starts, self.max_lrs, starts, ends] if self.three_phase else [starts, self.max_lrs, ends]
        return self._between(corners, t)

    def assign(self) -> None:
        """Set the rates for `last_epoch` steps, and the momentum."""
        super().assign()
        if not self.cycle_momentum:
            return
        high, low = self.max_momentums, self.base_momentums
        momenta = self._between([high, low, high, high] if self.three_phase else [high, low, high], self.last_epoch)
        for group, momentum in zip(self.optimizer.param_groups, momenta, strict=True):
            if "betas" in group:
                group["betas"] = (momentum, group["betas"][1])
            else:
                group["momentum"] = momentum

    def _between(self, corners: list[list[float]], t: int) -> list[float]:
        """The values after t steps, interpolated between the corners."""
        if t > self.total_steps:
            raise ValueError(
                f"OneCycleLR was made for {self.total_steps} steps, and is asked for its rates after {t}. "
                "Make it with total_steps of the whole training."
            )
        risen = self.pct_start * self.total_steps - 1
        ends = [risen, 2 * risen, self.total_steps - 1] if self.three_phase else [risen, self.total_steps - 1]
        k = next((k for k, end in enumerate(ends[:-1]) if t <= end), len(ends) - 1)
        start = ends[k - 1] if k else 0.0
        share = min(1.0, (t - start) / (ends[k] - start)) if ends[k] > start else 1.0  # 1 after the last step
        if self.anneal_strategy == "cos":
            share = (1 - math.cos(math.pi * share)) / 2
        return [a + (b - a) * share for a, b in zip(corners[k], corners[k + 1], strict=True)]
