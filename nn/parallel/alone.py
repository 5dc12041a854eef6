"""The interface between a training and the processes that share it, for a single process, which shares nothing.

`nn.MPI` implements the same methods for many processes. A training uses

    part                    which of a batch's samples are this process's, as (rank, size)
    leads                   whether it prints and writes files
    shared(make)            a value made by the process that leads, for all
    align, spread           the states of random generators: the same everywhere, or each process's own
    rehearsing, running     contexts of the first try of the model, and of the whole training
    step, apart             contexts of the batches of a step, and of work that one process does alone
    seed                    the adjoint of a batch's loss
    failed, reduce          report a loss that is not finite; the gradient over the samples of all processes
    collect(means)          sums over the samples of all processes
    asked, over             whether all processes stop
    compare(training)       at the end of an epoch: check that all have the same weights
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
NOTHING = nullcontext()  # shared by all methods


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
        """The value that `make` returns in the leading process; the others do not call it."""
        return make()

    def align(self, generators: Iterable[np.random.Generator]) -> None:
        """Set the generators of all processes to their states in the leading process."""

    def spread(self, generators: Iterable[np.random.Generator]) -> None:
        """Set aligned generators to different states in each process; the leading process keeps its states."""

    def guarding(self, file: Any, verbose: bool) -> AbstractContextManager[None]:
        """The context of a whole call of `fit`, which writes this checkpoint and prints if `verbose`."""
        return NOTHING

    def rehearsing(self) -> AbstractContextManager[None]:
        """The context of the first try of the model."""
        return NOTHING

    def running(self, training: Training) -> AbstractContextManager[None]:
        """The context of all steps."""
        return NOTHING

    def step(self) -> AbstractContextManager[None]:
        """The context of the forward and reverse passes of a step."""
        return NOTHING

    def apart(self) -> AbstractContextManager[None]:
        """The context, within a step, of work that the other processes do not do."""
        return NOTHING

    def seed(self, weight: float, whole: float, batches: int) -> float | None:
        """The adjoint of a batch's loss with this `weight` in a step whose weights add up to `whole`; None for 1."""
        return None if batches == 1 else weight / whole

    def failed(self, error: Exception) -> None:
        """Raise an error; or keep it until `reduce` raises it in all processes."""
        raise error

    def reduce(self, training: Training, weight: float) -> float:
        """Combine the gradients of all processes; returns the weight of all samples."""
        return weight

    def collect(self, means: Means) -> None:
        """Add up the sums of all processes in the leading one."""

    def asked(self, training: Training) -> bool:
        """Whether Ctrl-C was pressed and all processes know it."""
        return training.interrupted

    def over(self, training: Training) -> bool:
        """Whether the training was stopped early and all processes know it."""
        return bool(training.ended)

    def compare(self, training: Training) -> None:
        """Raise an error if the weights differ between processes."""
