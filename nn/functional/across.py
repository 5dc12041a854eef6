"""Sums over a batch whose samples lie in several processes: who adds them up, if anybody does."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

import numpy.typing as npt

Sum = Callable[[npt.NDArray[Any]], npt.NDArray[Any]]

# Adds an array of float64 to those of the other processes that compute the same batch; None where there are none.
added: ContextVar[Sum | None] = ContextVar("added", default=None)
