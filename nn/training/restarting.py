"""Several trainings with different initial values, of which the best is kept."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from nn.checked import whole
from nn.data import DataLoader, train_test_split
from nn.init import Rng, generator
from nn.model.module import Module
from nn.optim import Optimizer
from nn.report.history import History, aligned, duration
from nn.report.progress import progress
from nn.training.arguments import LossFunction, OptimizerMaker
from nn.training.callbacks import EarlyStopping, called_back, monitored, rises
from nn.training.diagnosis import DivergedError
from nn.training.fitting import fit
from nn.training.samples import columns

if TYPE_CHECKING:
    from nn.training.training import Training

OF_ONE = ("checkpoint", "checkpoint_every", "resume")  # what fit takes for one training, and not for several


class Restarts:
    """Several trainings from different beginnings; what `restarts` gives.

    model, history : those of the best
    best : its number, from 0
    seeds, scores, histories : by restart; the score is the number that was compared, NaN where a training diverged
    monitor : the column of the histories that is compared
    data, validation : what was trained and validated on, the share set aside if a share was asked for
    interrupted : whether they were stopped by hand
    """

    model: Module

    def __init__(self, data: Any, validation: Any) -> None:
        self.data, self.validation = data, validation
        self.best = 0
        self.seeds: list[int] = []
        self.scores: list[float] = []
        self.histories: list[History] = []
        self.monitor = "loss"
        self.interrupted = False

    @property
    def history(self) -> History:
        """The best training's."""
        return self.histories[self.best]

    def __len__(self) -> int:
        return len(self.histories)

    def add(self, model: Module, seed: int, history: History, score: float) -> None:
        """Take in a training; its model is kept if it is the best so far."""
        sign = 1 if rises(self.monitor) else -1
        best = self.scores[self.best] if self.scores else math.nan
        if not self.scores or (math.isnan(best) and not math.isnan(score)) or sign * score > sign * best:
            self.model, self.best = model, len(self.scores)
        self.seeds.append(seed)
        self.scores.append(score)
        self.histories.append(history)

    def line(self, k: int, count: int) -> str:
        """A restart, counted from 0, in words and numbers."""
        history, name = self.histories[k], self.monitor.replace("_", " ")
        took = f"{len(history)} epochs  {duration(sum(history.seconds))}"
        return f"restart {k + 1:{len(str(count))}}/{count}  {name} {self.scores[k]:.4f}  {took}  seed {self.seeds[k]}"

    def __repr__(self) -> str:
        rows = [["restart", self.monitor.replace("_", " "), "epochs", "time", "seed", ""]]
        for k, history in enumerate(self.histories):
            time = duration(sum(history.seconds))
            end = "best" if k == self.best else "diverged" if math.isnan(self.scores[k]) else ""
            rows.append([str(k + 1), f"{self.scores[k]:.4f}", str(len(history)), time, str(self.seeds[k]), end])
        return aligned(rows) + ("\ninterrupted" if self.interrupted else "")


def restarts(
    k: int,
    make: Callable[[np.random.Generator], Module],
    data: tuple[npt.ArrayLike, ...] | DataLoader,
    *,
    loss: LossFunction | str,
    optimizer: OptimizerMaker | str,
    rng: Rng = 0,
    monitor: str | None = None,
    epochs: int = 10,
    validation: Any = None,
    callbacks: Any = (),
    verbose: bool = True,
    **fit_arguments: Any,
) -> Restarts:
    """Train k models that begin differently, and keep the best.

    Parameters
    ----------
    k : how many
    make : makes a model whose initial values are drawn from the generator it is given, such as
        lambda rng: nn.MLP(64, 32, 10, rng=rng)
    data, loss, epochs, callbacks, fit_arguments : as in `fit`
    optimizer : a function that makes one of a model's parameters, or a name
    rng : what the seeds of the restarts are drawn from: an int seed, a numpy.random.Generator, or None
    monitor : the column of the history to be compared, "validation_loss", or "loss" without validation, if not given;
        losses and errors are best if least, the other metrics of nn.metrics if greatest
    validation : as in `fit`; a share is set aside once, so that all are judged by the same samples
    verbose : whether to show one line per restart

    The trainings are compared by their last epoch, or by the one whose weights an EarlyStopping has restored. One that
    diverges is not chosen. Ctrl-C returns the best of those that have finished, or the one under way if none has. The
    same rng gives the same bits, and each training can be repeated alone:

    >>> X, y = nn.data.xor(100, rng=0)
    >>> def make(rng):
    ...     return nn.MLP(2, 4, 2, rng=rng)
    >>> found = nn.restarts(3, make, (X, y), loss="cross_entropy", optimizer="adam", epochs=3, verbose=False)
    >>> rng = np.random.default_rng(found.seeds[2])
    >>> model = make(rng)
    >>> again = nn.fit(model, found.data, "cross_entropy", "adam", epochs=3, rng=rng, verbose=False)
    >>> len(found.seeds)
    3

    Raises the DivergedError of the last training if all diverge, KeyError for a column that the history does not have.
    """
    count = whole(k, "restarts: k, how many,")
    epochs = whole(epochs, "epochs")
    _check(optimizer, fit_arguments)
    draws = generator(rng)
    seeds = [int(seed) for seed in draws.integers(2**32, size=count)]
    if isinstance(validation, float | np.floating) and 0 < validation < 1 and not isinstance(data, DataLoader):
        arrays = columns(data, fit_arguments.pop("sample_weight", None), "data")
        parts = train_test_split(*arrays, test_size=float(validation), rng=draws)
        data, validation = parts[::2], parts[1::2]
    found = Restarts(data, validation)
    listed = called_back(callbacks)
    shown = progress(count, epochs, verbose, each="restart", unit="epochs")

    def seen(training: Training) -> None:
        found.monitor = monitored(monitor, training.history)
        shown.advance(len(found) + 1, training.epoch)

    fixed = {
        "loss": loss,
        "optimizer": optimizer,
        "epochs": epochs,
        "validation": validation,
        "callbacks": [*listed, *called_back(seen)],
        **fit_arguments,
    }
    try:
        for seed in seeds:
            random = np.random.default_rng(seed)
            model = make(random)
            history, failure = _trained(model, data, random, fixed)
            found.interrupted = history.interrupted
            if found.interrupted and len(found):
                break
            found.add(model, seed, history, math.nan if failure else _score(history, found.monitor, listed))
            shown.keep(found.line(len(found) - 1, count))
            if failure and len(found) == count and not any(map(math.isfinite, found.scores)):
                raise failure
            if found.interrupted:
                break
    except KeyboardInterrupt:  # between two trainings
        if not len(found):
            raise
        found.interrupted = True
    finally:
        shown.close()
    return found


def _check(optimizer: Any, fit_arguments: dict[str, Any]) -> None:
    """Refuse what is for one model."""
    if isinstance(optimizer, Optimizer):
        raise TypeError(
            f"restarts makes an optimizer for each of its models; received {optimizer!r:.80}. Write "
            "optimizer=lambda parameters: nn.optim.Adam(parameters, lr=1e-3)."
        )
    for name in OF_ONE:
        if name in fit_arguments:
            raise TypeError(f"restarts trains several models; {name}= is for one. Pass it to nn.fit.")


def _trained(
    model: Module, data: Any, rng: np.random.Generator, fixed: dict[str, Any]
) -> tuple[History, DivergedError | None]:
    """The history of a training, and the error if it diverged."""
    try:
        return fit(model, data, rng=rng, verbose=False, **fixed), None
    except DivergedError as error:
        return error.history, error


def _score(history: History, column: str, callbacks: list[Any]) -> float:
    """What a training came to: the number of the epoch whose weights its model has."""
    epoch = len(history)
    for callback in callbacks:
        if isinstance(callback, EarlyStopping) and callback.restore_best:
            epoch = callback.best_epoch
    return history[column][epoch - 1] if epoch else math.nan
