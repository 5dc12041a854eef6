"""Sums over a batch whose samples lie in several processes: who adds them up, if anybody does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np
import numpy.typing as npt

Sum = Callable[[npt.NDArray[Any]], npt.NDArray[Any]]

# Adds an array of float64 to those of the other processes that compute the same batch; None where there are none.
added: ContextVar[Sum | None] = ContextVar("added", default=None)


@contextmanager
def apart() -> Iterator[None]:
    """Within it nothing is added up: what is computed concerns the samples here alone."""
    token = added.set(None)
    try:
        yield
    finally:
        added.reset(token)


def mean(rows: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The mean of the rows of a matrix, those of the other processes included."""
    elsewhere = added.get()
    if elsewhere is None:
        return np.mean(rows, axis=0)
    *sums, count = elsewhere(np.append(rows.sum(axis=0, dtype=np.float64), len(rows)))
    return np.array(sums / count, rows.dtype)
