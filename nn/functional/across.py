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
def adding(function: Sum | None) -> Iterator[None]:
    """Within it this function adds up; with None nothing is, and the other processes need not wait."""
    token = added.set(function)
    try:
        yield
    finally:
        added.reset(token)


def total(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """An array of float64, added to those of the other processes if there are any."""
    elsewhere = added.get()
    return array if elsewhere is None else elsewhere(array)


def mean(rows: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The mean of the rows of a matrix, those of the other processes included."""
    if added.get() is None:
        return np.mean(rows, axis=0)
    *sums, count = total(np.append(rows.sum(axis=0, dtype=np.float64), len(rows)))
    return np.array(sums / count, rows.dtype)
