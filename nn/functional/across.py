"""Sums over a batch whose samples are divided among several processes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np
import numpy.typing as npt

Sum = Callable[[npt.NDArray[Any]], npt.NDArray[Any]]

# A function that adds an array of float64 over the processes that share a batch; None if there is one process.
added: ContextVar[Sum | None] = ContextVar("added", default=None)


@contextmanager
def adding(function: Sum | None) -> Iterator[None]:
    """A context in which `function` adds up; with None nothing is added, and no other process has to wait."""
    token = added.set(function)
    try:
        yield
    finally:
        added.reset(token)


def total(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The sum of an array of float64 over the processes that share the batch."""
    elsewhere = added.get()
    return array if elsewhere is None else elsewhere(array)


def mean(rows: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The mean of the rows of a matrix, including the rows of the other processes."""
    if added.get() is None:
        return np.mean(rows, axis=0)
    *sums, count = total(np.append(rows.sum(axis=0, dtype=np.float64), len(rows)))
    return np.array(sums / count, rows.dtype)
