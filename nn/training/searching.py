"""A search for a learning rate: a short training in which the rate rises."""

from __future__ import annotations

import copy
import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from nn.checked import real, whole
from nn.data import DataLoader
from nn.init import Rng, generator
from nn.model.module import Module
from nn.model.parts import Parts
from nn.optim import Optimizer
from nn.parallel.executing import checked, completed
from nn.report.plotting import plain, subplots
from nn.training import arguments
from nn.training.arguments import LossFunction, OptimizerMaker
from nn.training.callbacks import Callback
from nn.training.diagnosis import DivergedError, StandstillWarning
from nn.training.fitting import fit
from nn.training.samples import together

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from nn.training.training import Training

WORSE = 4.0  # a loss this many times the best one ends the search


class LearningRates:
    """The losses of a short training whose learning rate rises at every step, the result of `find_lr`.

    rates, losses : arrays, one number per step: the learning rate, and the loss of a mini-batch after that step
    smoothed : the losses averaged over neighbouring steps
    suggestion : the learning rate where the smoothed loss falls most steeply over the logarithm of the rate, before its
        minimum: the model learns fast there, and the rate is well below the one at which it diverges. NaN if the loss
        falls by no more than twice the differences between neighbouring steps, which may be chance
    """

    def __init__(self, rates: npt.ArrayLike, losses: npt.ArrayLike) -> None:
        self.rates, self.losses = np.array(rates, np.float64), np.array(losses, np.float64)
        self.smoothed = _smoothed(self.losses)
        self.suggestion = math.nan
        least = int(np.argmin(self.smoothed)) if self.smoothed.size else 0
        first = self.losses[: max(1, len(self.losses) // 10)]
        # For normal noise, 1.05 times the median difference of neighbours estimates the standard deviation.
        chance = 1.05 * np.median(np.abs(np.diff(self.losses))) if least else 0.0
        if least and first.mean() - self.smoothed[least] > 2 * chance:
            slopes = np.gradient(self.smoothed[: least + 1], np.log(self.rates[: least + 1]))
            self.suggestion = float(self.rates[np.argmin(slopes)])

    def plot(self, axes: Any = None) -> Any:
        """Plot the losses over the learning rates, and the suggestion. Returns Matplotlib's axes."""
        axes, (axis,) = subplots(["loss"], axes)
        axis.plot(self.rates, self.losses, color="0.8", linewidth=1)
        axis.plot(self.rates, self.smoothed)
        axis.set_xscale("log")
        plain(axis, "learning rate", "loss")
        if self.smoothed.size:  # limit the axis, because diverging losses would hide the rest
            low, high = self.smoothed.min(), max(self.smoothed[0], np.median(self.smoothed))
            axis.set_ylim(low - 0.1 * (high - low or 1.0), high + 0.5 * (high - low or 1.0))
        if not math.isnan(self.suggestion):
            axis.axvline(self.suggestion, color="0.4", linewidth=1, linestyle=(0, (4, 3)))
            axis.annotate(
                f" {self.suggestion:.2g}", (self.suggestion, 0.98), xycoords=("data", "axes fraction"), va="top"
            )
        return axes

    def __repr__(self) -> str:
        if not self.rates.size:
            return "LearningRates: no step was made"
        tried = f"{len(self.rates)} steps with learning rates from {self.rates[0]:.3g} to {self.rates[-1]:.3g}"
        if math.isnan(self.suggestion):
            chance = "the loss fell no further than by chance, so none is suggested; larger batches differ less"
            return f"LearningRates: {tried}; {chance}"
        least = self.rates[np.argmin(self.smoothed)]
        return f"LearningRates: {tried}; suggestion {self.suggestion:.2g}, least loss at {least:.2g}"


@together
def find_lr(
    model: Module,
    data: tuple[npt.ArrayLike, ...] | DataLoader,
    loss: LossFunction | str,
    optimizer: Optimizer | OptimizerMaker | str,
    *,
    low: float = 1e-6,
    high: float = 10.0,
    steps: int = 100,
    batch_size: int | None = None,
    rng: Rng = None,
    repeats: int = 1,
    executor: Executor | None = None,
) -> LearningRates:
    """A learning rate for a model, from a short training in which it rises from `low` to `high`, by a factor per step.

    The search ends early if the loss is no longer finite, or if it is more than 4 times the least so far and more than
    in the first tenth of the steps (means over 5 steps are compared). Afterwards the model with its buffers and
    generators, the generator of the order, and the optimizer are restored to the bit, also after an error or Ctrl-C.
    The arguments are those of `fit`. The optimizer is the one to train with, or a function that makes one, which takes
    over the parameters from an optimizer made before.

    With `repeats` there are several such trainings, each with its own order of the samples; the losses are their means,
    up to the end of the shortest one, so that chance has less effect. An `executor`, as in `restarts`, runs them at
    once, with copies of the model; then the optimizer is a function that makes one, or a name.

    It is the range test of Smith 2017, "Cyclical learning rates for training neural networks", section 3.3, with
    rates that rise geometrically.

    >>> X, y = nn.data.gauss(200, rng=0)
    >>> found = nn.find_lr(nn.MLP(2, 8, 2, rng=0), (X, y), "cross_entropy", "adam", steps=30, rng=0)
    >>> 1e-6 < found.suggestion < 10
    True
    """
    arguments.trainable(model)
    low, high = real(low, "find_lr: low", above=True), real(high, "find_lr: high", above=True)
    if low >= high:
        raise ValueError(f"find_lr goes from low up to high; received low={low} and high={high}. Exchange them.")
    rates = np.geomspace(low, high, whole(steps, "find_lr: steps", least=2))
    order = data.rng if isinstance(data, DataLoader) else generator(rng)
    count = whole(repeats, "find_lr: repeats")
    if checked(executor) is not None and isinstance(optimizer, Optimizer):
        raise TypeError(
            f"find_lr with an executor makes an optimizer for each copy of the model; received {optimizer!r:.80}. "
            "Write optimizer=lambda parameters: nn.optim.Adam(parameters), or a name."
        )
    drawn = copy.deepcopy(order)  # a copy: the generator itself is not changed
    seeds: list[int | None] = [None] if count == 1 else drawn.integers(2**32, size=count).tolist()
    sweeps = [_Sweep(model, data, loss, optimizer, rates, batch_size, order, seed) for seed in seeds]
    if executor is None:
        losses = [sweep.losses() for sweep in sweeps]
    else:
        losses = [found for _, found in sorted(completed(_Sweep.elsewhere, sweeps, executor))]
    made = min(map(len, losses))
    return LearningRates(rates[:made], np.mean([found[:made] for found in losses], axis=0))


class _Sweep(NamedTuple):
    """One training whose rate rises, with all that it needs, here or in another process."""

    model: Module
    data: Any
    loss: Any
    optimizer: Any
    rates: npt.NDArray[Any]
    batch_size: int | None
    order: np.random.Generator
    seed: int | None  # the seed of the order; None to use the generator

    def elsewhere(self) -> list[float]:
        """The losses, computed with a copy of the model."""
        return self._replace(model=copy.deepcopy(self.model), order=copy.deepcopy(self.order)).losses()

    def losses(self) -> list[float]:
        """The loss of a batch after each step; the model is restored afterwards."""
        order = self.order if self.seed is None else np.random.default_rng(self.seed)
        data = self.data
        if isinstance(data, DataLoader):
            data = copy.copy(data)
            data.rng = order
        parts = arguments.trainable(self.model)
        stepper = arguments.made(self.optimizer, parts.parameters, parts)
        ramp = _Ramp(self.rates)
        interrupted = False
        with (
            _put_back(parts, stepper, order),
            np.errstate(all="ignore"),
            suppress(DivergedError),
            warnings.catch_warnings(),
        ):
            warnings.filterwarnings("ignore", "no step up to", StandstillWarning)  # the lowest rates are to be so low
            interrupted = fit(
                self.model,
                data,
                self.loss,
                stepper,
                epochs=len(self.rates) + 1,  # enough, since an epoch has at least one batch
                batch_size=self.batch_size,
                callbacks=ramp,
                rng=order,
                verbose=False,
            ).interrupted
        if interrupted:
            raise KeyboardInterrupt
        return ramp.losses


class _Ramp(Callback):
    """A rate for each step, and the loss of the batch after it."""

    def __init__(self, rates: npt.NDArray[Any]) -> None:
        self.rates = rates.tolist()
        self.losses: list[float] = []
        self.step = 0  # the number of steps made
        self.best, self.worst = math.inf, -math.inf

    def on_backward(self, training: Training) -> None:
        """Note the loss, which belongs to the last rate, and set the next rate."""
        loss = training.value.item()
        if self.step:
            self.losses.append(loss)
        recent = float(np.mean(self.losses[-5:])) if self.losses else loss
        self.best = min(recent, self.best)
        if self.step <= len(self.rates) / 10:
            self.worst = max(loss, self.worst)  # the largest early loss, which shows the differences by chance
        worse = recent > max(self.best + (WORSE - 1) * abs(self.best), self.worst)
        if worse or self.step == len(self.rates):
            training.stop("enough was seen")
        for group in training.optimizer.param_groups:
            group["lr"] = self.rates[min(self.step, len(self.rates) - 1)]
        self.step += 1


@contextmanager
def _put_back(parts: Parts, optimizer: Optimizer, order: np.random.Generator) -> Iterator[None]:
    """A context that restores, at its end, all that a training changes."""
    tensors = list(dict.fromkeys([*parts.parameters, *optimizer.parameters]))
    values = [(t, t.value.copy(), None if t.grad is None else t.grad.copy()) for t in tensors]
    rest, state = parts.snapshot(order), optimizer.state_dict()
    with parts.mode(training=True):
        try:
            yield
        finally:
            for tensor, value, grad in values:
                tensor.value, tensor.grad = value, grad
            rest()
            optimizer.load_state_dict(state)


def _smoothed(losses: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Each number averaged with its neighbours, with symmetric weights that fall linearly."""
    reach = max(1, round(len(losses) / 20))
    weights = np.interp(np.arange(-reach, reach + 1), [-reach - 1, 0, reach + 1], [0.0, 1.0, 0.0])
    if len(losses) < len(weights):
        return losses.copy()
    return np.convolve(losses, weights, "same") / np.convolve(np.ones(len(losses)), weights, "same")
