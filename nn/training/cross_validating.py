"""Cross-validation: a model trained and evaluated several times, each time on other samples of the same data."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from nn.checked import switch, whole
from nn.data import DataLoader
from nn.init import Rng, generator
from nn.model.module import Module
from nn.report.history import aligned
from nn.training.arguments import LossFunction, OptimizerMaker
from nn.training.jobs import Job, Outcome
from nn.training.restarting import Restarts, check_several, train_all
from nn.training.samples import columns

if TYPE_CHECKING:
    from concurrent.futures import Executor

Places = npt.NDArray[np.intp]


class CrossValidation(Restarts):
    """The trainings of a cross-validation, the result of `cross_validate`.

    folds : the indices of the validation samples, one array per training
    results : the final numbers of the trainings, one array per column of the histories, NaN where a training diverged:
        those of the last epoch, or of the epoch whose weights EarlyStopping has restored
    mean, deviation : of these over the folds, by column; the deviation with n - 1
    model, history, best, seeds, scores, histories, monitor, data, interrupted : as in Restarts, by fold
    """

    each = "fold"

    def __init__(self, data: Any) -> None:
        super().__init__(data, None)
        self.folds: list[Places] = []
        self._rows: list[dict[str, float]] = []

    def add(self, job: Job, outcome: Outcome) -> None:
        """Add a fold."""
        super().add(job, outcome)
        assert job.rows is not None
        self.folds.append(job.rows[1])
        epoch, columns = outcome.epoch, outcome.history.columns
        failed = outcome.failure is not None or not epoch
        self._rows.append({name: math.nan if failed else column[epoch - 1] for name, column in columns.items()})

    @property
    def results(self) -> dict[str, npt.NDArray[np.float64]]:
        """The final numbers of each fold, by column."""
        return {name: np.array([row[name] for row in self._rows]) for name in self._rows[0]}

    @property
    def mean(self) -> dict[str, float]:
        """The mean over the folds, by column."""
        return {name: float(np.mean(values)) for name, values in self.results.items()}

    @property
    def deviation(self) -> dict[str, float]:
        """The standard deviation over the folds, by column; NaN for a single one."""
        return {
            name: float(np.std(values, ddof=1)) if len(values) > 1 else math.nan
            for name, values in self.results.items()
        }

    def __repr__(self) -> str:
        names = [name for name in self.results if name.startswith("validation_")]
        rows = [["fold", *(name.removeprefix("validation_").replace("_", " ") for name in names), "samples"]]
        for k, fold in enumerate(self.folds):
            rows.append([str(k + 1), *(f"{self._rows[k][name]:.4f}" for name in names), str(len(fold))])
        for word, numbers in (("mean", self.mean), ("±", self.deviation)):
            rows.append([word, *(f"{numbers[name]:.4f}" for name in names), ""])
        return aligned(rows) + ("\ninterrupted" if self.interrupted else "")


def cross_validate(
    make: Callable[[np.random.Generator], Module],
    data: tuple[npt.ArrayLike, ...],
    folds: int = 5,
    *,
    loss: LossFunction | str,
    optimizer: OptimizerMaker | str,
    stratify: bool = False,
    rng: Rng = 0,
    monitor: str | None = None,
    epochs: int = 10,
    callbacks: Any = (),
    executor: Executor | None = None,
    verbose: bool = True,
    **fit_arguments: Any,
) -> CrossValidation:
    """For each fold of the data, train a model on the other folds and validate it on this one.

    Parameters
    ----------
    make : a function of a generator that makes a model, with initial values drawn from the generator
    data : (X, y) or (X, y, sample_weight)
    folds : the number of random parts of the samples; their sizes differ by one at most
    stratify : whether every part should have about the same share of each class; y is then one label per sample
    loss, epochs, callbacks, fit_arguments : as in `fit`
    optimizer, monitor, rng, executor, verbose : as in `restarts`

    >>> def make(rng):
    ...     return nn.MLP(2, 4, 2, rng=rng)
    >>> given = dict(loss="cross_entropy", optimizer="adam", metrics="accuracy", epochs=2, verbose=False)
    >>> found = nn.cross_validate(make, nn.data.xor(60, rng=0), 3, **given)
    >>> 0 <= found.mean["validation_accuracy"] <= 1
    True

    The same rng gives the same bits, with any executor. Raises ValueError for fewer samples than folds, and the errors
    of `restarts`.
    """
    epochs, count = whole(epochs, "epochs"), whole(folds, "cross_validate: folds", 2)
    check_several("cross_validate", optimizer, fit_arguments, executor)
    if "validation" in fit_arguments or isinstance(data, DataLoader):
        raise TypeError("cross_validate validates on the folds it makes of arrays (X, y). Leave validation= away.")
    arrays = columns(data, fit_arguments.pop("sample_weight", None), "data")
    draws = generator(rng)
    parts = _folds(len(arrays[0]), count, arrays[1] if switch(stratify, "stratify") else None, draws)
    fixed = {"loss": loss, "optimizer": optimizer, "epochs": epochs, "callbacks": callbacks} | fit_arguments
    seeds = draws.integers(2**32, size=count).tolist()
    jobs = [
        Job(make, seed, arrays, fixed, monitor, (np.concatenate([*parts[:k], *parts[k + 1 :]]), parts[k]))
        for k, seed in enumerate(seeds)
    ]
    found = CrossValidation(arrays)
    train_all(found, jobs, executor, epochs, verbose)
    return found


def _folds(size: int, count: int, labels: Any, draws: np.random.Generator) -> list[Places]:
    """The indices of the samples in each fold; with labels, the samples of each class go to the folds in turn."""
    if size < count:
        raise ValueError(f"cross_validate takes a sample for each fold at least; received {size} for {count} folds.")
    order = draws.permutation(size)
    if labels is not None:
        if labels.ndim != 1:
            raise ValueError(
                f"stratify takes one label per sample; received y of shape {labels.shape}. One-hot labels become "
                "integers by argmax(axis=1)."
            )
        order = order[np.argsort(labels[order], kind="stable")]
    return [np.sort(order[k::count]) for k in range(count)]
