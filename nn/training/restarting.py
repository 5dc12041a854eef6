"""Several trainings with different initial values, of which the best is kept."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from nn.checked import whole
from nn.data import DataLoader, train_test_split
from nn.init import Rng, generator
from nn.model.module import Module
from nn.optim import Optimizer
from nn.parallel.executing import checked, completed
from nn.report.history import History, aligned, duration
from nn.report.progress import Silence, progress
from nn.training.arguments import LossFunction, OptimizerMaker
from nn.training.callbacks import monitored, rises
from nn.training.diagnosis import DivergedError
from nn.training.jobs import Job, Outcome, model_of, sent, trained
from nn.training.samples import columns

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from nn.training.training import Training

OF_ONE = ("checkpoint", "checkpoint_every", "resume")  # arguments of fit that make sense only for one training


class Restarts:
    """Several trainings from different initial values, the result of `restarts`.

    model, history : those of the best training
    best : the number of the best training, counted from 0
    seeds, scores, histories : one per restart; the score is the number that is compared, NaN if a training diverged
    monitor : the column of the histories that is compared
    data, validation : the training and validation data, after a share was set aside
    interrupted : whether Ctrl-C ended the trainings
    """

    each = "restart"  # the name of one training in the lines that are shown

    def __init__(self, data: Any, validation: Any) -> None:
        self.data, self.validation = data, validation
        self.best = 0
        self.seeds: list[int] = []
        self.scores: list[float] = []
        self.histories: list[History] = []
        self.monitor = "loss"
        self.interrupted = False
        self._kept: tuple[Job, Outcome] | None = None

    @property
    def rises(self) -> bool:
        """Whether larger scores are better."""
        return rises(self.monitor)

    @functools.cached_property
    def model(self) -> Module:
        """The model of the best training."""
        assert self._kept is not None
        return model_of(*self._kept)

    @property
    def history(self) -> History:
        """The history of the best training."""
        return self.histories[self.best]

    def __len__(self) -> int:
        return len(self.histories)

    def add(self, job: Job, outcome: Outcome) -> None:
        """Add a training; its model is kept if it is the best so far."""
        score = outcome.score
        sign = 1 if self.rises else -1
        best = self.scores[self.best] if self.scores else math.nan
        if not self.scores or (math.isnan(best) and not math.isnan(score)) or sign * score > sign * best:
            self._kept, self.best = (job, outcome), len(self.scores)
        self.seeds.append(job.seed)
        self.scores.append(score)
        self.histories.append(outcome.history)

    def line(self, k: int, count: int) -> str:
        """The line that is shown for a restart, counted from 0."""
        return _line(self.each, k, count, self.monitor, self.scores[k], self.histories[k], f"seed {self.seeds[k]}")

    def __repr__(self) -> str:
        rows = [[self.each, self.monitor.replace("_", " "), "epochs", "time", "seed", ""]]
        for k, history in enumerate(self.histories):
            time = duration(sum(history.seconds))
            end = "best" if k == self.best else "diverged" if math.isnan(self.scores[k]) else ""
            rows.append([str(k + 1), f"{self.scores[k]:.4f}", str(len(history)), time, str(self.seeds[k]), end])
        return aligned(rows) + ("\ninterrupted" if self.interrupted else "")


def _line(each: str, k: int, count: int, monitor: str, score: float, history: History, end: str) -> str:
    took = f"{len(history)} epochs  {duration(sum(history.seconds))}"
    return f"{each} {k + 1:{len(str(count))}}/{count}  {monitor.replace('_', ' ')} {score:.4f}  {took}  {end}"


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
    executor: Executor | None = None,
    verbose: bool = True,
    **fit_arguments: Any,
) -> Restarts:
    """Train k models that begin differently, and keep the best.

    Parameters
    ----------
    k : the number of trainings
    make : a function of a generator that makes a model, with initial values drawn from the generator, such as
        lambda rng: nn.MLP(64, 32, 10, rng=rng)
    data, loss, epochs, callbacks, fit_arguments : as in `fit`
    optimizer : a function of a model's parameters that makes one, or a name
    rng : the generator of the seeds of the restarts: an int seed, a numpy.random.Generator, or None
    monitor : the column of the history to compare, by default "validation_loss", or "loss" without validation; the
        least value of losses and errors is the best, the greatest of other metrics of nn.metrics
    validation : as in `fit`; a share is set aside once, so that all trainings are compared on the same samples
    executor : a concurrent.futures.Executor that trains several at once: a ProcessPoolExecutor, a Dask client's
        `get_executor()`, an mpi4py.futures.MPIPoolExecutor ... Other processes receive `make`, loss and optimizer,
        which must be defined at the top of a module, and the arrays; weights come back. Every training has copies of
        the callbacks. If a worker is lost, its training begins again; the results are the same bits
    verbose : whether to show one line per restart

    The trainings are compared by their last epoch, or by the epoch whose weights EarlyStopping has restored. A training
    that diverges is not chosen. Ctrl-C returns the best of the finished trainings, or the current one if none has
    finished. The same rng gives the same bits, and each training can be repeated alone:

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
    check_several("restarts", optimizer, fit_arguments, executor)
    draws = generator(rng)
    seeds = [int(seed) for seed in draws.integers(2**32, size=count)]
    data, validation = set_aside(data, validation, fit_arguments, draws)
    found = Restarts(data, validation)
    fixed = {"loss": loss, "optimizer": optimizer, "epochs": epochs, "validation": validation, "callbacks": callbacks}
    jobs = [Job(make, seed, data, fixed | fit_arguments, monitor) for seed in seeds]
    train_all(found, jobs, executor, epochs, verbose)
    return found


def set_aside(data: Any, validation: Any, fit_arguments: dict[str, Any], draws: np.random.Generator) -> tuple[Any, Any]:
    """Data and validation data, which is drawn from the data if a share was given."""
    if not isinstance(validation, float | np.floating) or not 0 < validation < 1 or isinstance(data, DataLoader):
        return data, validation
    arrays = columns(data, fit_arguments.pop("sample_weight", None), "data")
    parts = train_test_split(*arrays, test_size=float(validation), rng=draws)
    return parts[::2], parts[1::2]


def check_several(what: str, optimizer: Any, fit_arguments: dict[str, Any], executor: Any) -> None:
    """Raise an error for arguments that are for one model only."""
    checked(executor)
    if isinstance(optimizer, Optimizer):
        raise TypeError(
            f"{what} makes an optimizer for each of its models; received {optimizer!r:.80}. Write "
            "optimizer=lambda parameters: nn.optim.Adam(parameters, lr=1e-3)."
        )
    for name in OF_ONE:
        if name in fit_arguments:
            raise TypeError(f"{what} trains several models; {name}= is for one. Pass it to nn.fit.")
    if executor is not None and fit_arguments.get("parallel") is not None:
        raise TypeError(
            f"{what} was given an executor, which trains each model in one process, and parallel=, by which several "
            "share each. Leave one of them away."
        )


def train_all(found: Restarts, jobs: Sequence[Job], executor: Executor | None, epochs: int, verbose: bool) -> None:
    """Run all trainings, here or with an executor, and add their outcomes in order.

    Ctrl-C keeps those that are finished. Raises the last DivergedError if all diverge.
    """
    shown = progress(len(jobs), epochs, verbose, each=found.each, unit="epochs")
    try:
        if executor is None:
            _here(found, jobs, shown)
        else:
            _elsewhere(found, jobs, executor, shown)
    except KeyboardInterrupt:  # between two trainings
        if not len(found):
            raise
        found.interrupted = True
    finally:
        shown.close()


def _here(found: Restarts, jobs: Sequence[Job], shown: Silence) -> None:
    def seen(training: Training) -> None:
        found.monitor = monitored(jobs[0].monitor, training.history)
        shown.advance(len(found) + 1, training.epoch)

    for job in jobs:
        outcome = trained(job, seen)
        found.interrupted = outcome.history.interrupted
        if found.interrupted and len(found):
            break
        found.add(job, outcome)
        shown.keep(found.line(len(found) - 1, len(jobs)))
        _refuse_if_all_diverged(found, jobs, outcome)
        if found.interrupted:
            break


def _elsewhere(found: Restarts, jobs: Sequence[Job], executor: Executor, shown: Silence) -> None:
    outcomes: dict[int, Outcome] = {}
    try:
        for k, outcome in completed(sent, jobs, executor):
            if outcome.history.interrupted:  # Ctrl-C goes to all processes of a terminal
                raise KeyboardInterrupt
            outcomes[k] = outcome
            best = max(outcomes, key=lambda j: (_standing(outcomes[j]), -j))
            for j in outcomes.keys() - {best}:
                outcomes[j] = outcomes[j]._replace(state={})
            shown.advance(len(outcomes), shown.batches)
            end = f"seed {jobs[k].seed}"
            shown.keep(_line(found.each, k, len(jobs), outcome.monitor, outcome.score, outcome.history, end))
    finally:
        for k in sorted(outcomes):
            found.monitor = outcomes[k].monitor
            found.add(jobs[k], outcomes[k])
    _refuse_if_all_diverged(found, jobs, outcomes[len(jobs) - 1])


def _standing(outcome: Outcome) -> float:
    """A number that is larger for a better outcome."""
    score = outcome.score if rises(outcome.monitor) else -outcome.score
    return -math.inf if math.isnan(score) else score


def _refuse_if_all_diverged(found: Restarts, jobs: Sequence[Job], last: Outcome) -> None:
    if len(found) == len(jobs) and last.failure and not any(map(math.isfinite, found.scores)):
        raise last.failure if isinstance(last.failure, DivergedError) else DivergedError(last.failure, last.history)
