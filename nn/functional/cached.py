"""Small constant arrays that layers and losses need at every call, made once, and sums computed with them."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import numpy.typing as npt

MOST = 2**16  # elements of a kept array; a longer one takes little time beside the work that is done with it
SUMMED = 2**14  # rows or elements that one product sums; in float32 a longer sum would lose digits


def ones(length: int, x: Any) -> npt.NDArray[Any]:
    """Ones of x's dtype: a matrix times them gives its row sums, several times as fast as np.sum for short rows."""
    if not isinstance(x, np.ndarray):
        return np.ones_like(x, x.dtype, shape=length)
    return _ones(length, x.dtype) if length <= MOST else np.ones(length, x.dtype)


def count(length: int, x: Any = None) -> npt.NDArray[np.intp]:
    """0, 1, ... length - 1, on the device of x."""
    if not isinstance(x, np.ndarray | None):
        return np.arange(length, like=x)
    return _count(length) if length <= MOST else np.arange(length)


def row_sum(x: Any) -> Any:
    """The sum of each row of a matrix."""
    n = len(x)
    if n <= SUMMED:
        return np.dot(ones(n, x), x)
    return sum(row_sum(x[k : k + SUMMED]) for k in range(0, n, SUMMED))


def row_products(a: Any, b: Any) -> Any:
    """The sum of a b over each row."""
    return np.vecdot(a, b) if isinstance(a, np.ndarray) else np.sum(a * b, axis=-1)


@functools.lru_cache(maxsize=64)
def _ones(length: int, dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    return np.broadcast_to(np.ones(length, dtype), (length,))  # a view that cannot be written into


@functools.lru_cache(maxsize=64)
def _count(length: int) -> npt.NDArray[np.intp]:
    return np.broadcast_to(np.arange(length), (length,))
