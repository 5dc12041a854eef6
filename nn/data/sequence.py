"""Sliding windows: the parts of one length of a longer sequence, and the values that follow them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from nn.checked import whole
from nn.data.rows import rows

Array = npt.NDArray[Any]


def windows(values: npt.ArrayLike, length: int, *, step: int = 1, targets: str | None = "next") -> Any:
    """(X, y): the windows of a sequence, of shape (windows, length, ...), and the target of each.

    Parameters
    ----------
    values : the sequence, of shape (steps,) or (steps, features ...)
    length : the number of steps of a window
    step : the distance from the beginning of one window to the next
    targets : "next" for the value after each window, y of shape (windows, ...); "each" for the window one step later, y
        of the shape of X, as for language models; None for X alone

    X and y are copies. Raises ValueError for a sequence that is too short.

    >>> X, y = nn.data.windows(np.arange(6), 3)
    >>> X.tolist(), y.tolist()
    ([[0, 1, 2], [1, 2, 3], [2, 3, 4]], [3, 4, 5])
    """
    array = rows(values, "windows takes a sequence of numbers, one step per row")
    length, step = whole(length, "windows: length"), whole(step, "windows: step")
    if targets not in ("next", "each", None):
        raise ValueError(f"windows: targets is 'next', 'each' or None; received {targets!r:.80}.")
    last = len(array) - length - (targets is not None)
    if last < 0:
        raise ValueError(
            f"windows of length {length}{' and what follows them' if targets else ''} were asked of a sequence of "
            f"{len(array)} steps. Take a shorter length."
        )
    starts = np.arange(0, last + 1, step)
    places = starts[:, None] + np.arange(length)
    if targets is None:
        return array[places]
    return array[places], array[starts + length] if targets == "next" else array[places + 1]
