"""Small constant arrays that layers and losses need at every call, made once, and the sums made by them."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import numpy.typing as npt

MOST = 2**16  # elements of an array that is kept; to make a longer one is fast beside the work that is done with it
SUMMED = 2**14  # rows or elements that one product sums; a sum of more of them, in float32, would lose digits


def ones(length: int, dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    """Ones: a matrix times them is its row sums, at several times the speed of np.sum for short rows."""
    return _ones(length, dtype) if length <= MOST else np.ones(length, dtype)


def count(length: int) -> npt.NDArray[np.intp]:
    """0, 1, ... length - 1."""
    return _count(length) if length <= MOST else np.arange(length)


def row_sum(x: Any) -> Any:
    """The sum of the rows of a matrix."""
    n = len(x)
    if n <= SUMMED:
        return np.dot(ones(n, x.dtype), x)
    return sum(row_sum(x[k : k + SUMMED]) for k in range(0, n, SUMMED))


@functools.lru_cache(maxsize=64)
def _ones(length: int, dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    found = np.ones(length, dtype)
    found.flags.writeable = False
    return found


@functools.lru_cache(maxsize=64)
def _count(length: int) -> npt.NDArray[np.intp]:
    found = np.arange(length)
    found.flags.writeable = False
    return found
