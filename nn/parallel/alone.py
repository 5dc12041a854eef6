"""What a training asks of the processes that share it, where there is but one: nothing.

`nn.MPI` answers the same questions for many. A training asks

    part                    which of a batch's samples are this process's, as (rank, size)
    leads                   whether it prints and writes files
    shared(make)            a value made by the process that leads, for all
    align, spread           the states of random generators: the same everywhere, or each process's own
    rehearsing, running     what surrounds the first try of the model, and the whole training
    step, apart             what surrounds the batches of a step, and what only one process does in one
    seed                    the adjoint of a batch's loss
    failed, reduce          a loss that is not finite; the gradient, of all processes' samples
    collect(means)          sums over the samples, of all processes
    asked, over             whether all have agreed to stop
    compare(training)       the end of an epoch: whether all have the same weights
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

if TYPE_CHECKING:
    from nn.training.evaluation import Means
    from nn.training.training import Training

T = TypeVar("T")
NOTHING = nullcontext()  # one serves all


class Alone:
    """One process, which has all samples of every batch."""

    rank, size = 0, 1

    @property
    def part(self) -> tuple[int, int]:
        """Which part of each batch is this process's, from 0, and how many parts there are."""
        return self.rank, self.size

    @property
    def leads(self) -> bool:
        """Whether this process prints and writes files."""
        return self.rank == 0

    def shared(self, make: Callable[[], T]) -> T:
        """What `make` gives in the process that leads; it is not called in the others."""
        return make()

    def align(self, generators: Iterable[np.random.Generator]) -> None:
        """Give the generators everywhere the states they have in the process that leads."""

    def spread(self, generators: Iterable[np.random.Generator]) -> None:
        """Give aligned generators a state of each process's own; the one that leads keeps what it has."""

    def guarding(self, file: Any, verbose: bool) -> AbstractContextManager[None]:
        """What surrounds a call of `fit` that writes this checkpoint, and prints if it is to."""
        return NOTHING

    def rehearsing(self) -> AbstractContextManager[None]:
        """What surrounds the first try of the model."""
        return NOTHING

    def running(self, training: Training) -> AbstractContextManager[None]:
        """What surrounds all steps."""
        return NOTHING

    def step(self) -> AbstractContextManager[None]:
        """What surrounds the forward and reverse passes of a step."""
        return NOTHING

    def apart(self) -> AbstractContextManager[None]:
        """What surrounds, within a step, what the other processes do not do as well."""
        return NOTHING

    def seed(self, weight: float, whole: float, batches: int) -> float | None:
        """The adjoint of a batch's loss, where it counts for `weight` in a step of this `whole`; None for 1."""
        return None if batches == 1 else weight / whole

    def failed(self, error: Exception) -> None:
        """Raise an error, or keep it until `reduce` can raise it in all processes."""
        raise error

    def reduce(self, training: Training, weight: float) -> float:
        """Make the gradient that of all processes' samples; gives the weight of them all."""
        return weight

    def collect(self, means: Means) -> None:
        """Bring the sums of all processes to the one that leads."""

    def asked(self, training: Training) -> bool:
        """Whether Ctrl-C was pressed, and all know."""
        return training.interrupted

    def over(self, training: Training) -> bool:
        """Whether the training has ended before its time, and all know."""
        return bool(training.ended)

    def compare(self, training: Training) -> None:
        """Refuse to go on with weights that are not the same everywhere."""
