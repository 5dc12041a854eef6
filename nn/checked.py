"""Checks of numbers and switches that users pass."""

from __future__ import annotations

import math
from typing import Any

import numpy as np


def array(value: Any) -> Any:
    """The value as an array; a Tensor, an array on a device, or a stand-in of a compiled function is unchanged."""
    kept = hasattr(value, "__array_function__") and (type(value) is np.ndarray or not isinstance(value, np.ndarray))
    return value if kept else np.asarray(value)


def whole(number: int, what: str, least: int | None = 1) -> int:
    """An int, at least `least` unless that is None. Raises ValueError, whose message begins with `what`."""
    if isinstance(number, bool) or not isinstance(number, int | np.integer) or (least is not None and number < least):
        raise ValueError(f"{what} is an int{'' if least is None else f' from {least}'}; received {number!r:.80}.")
    return int(number)


def switch(value: bool, what: str) -> bool:
    """True or False. Raises TypeError; the message begins with `what`, whose last word is the argument's name."""
    if not isinstance(value, bool | np.bool):
        raise TypeError(f"{what} is True or False; received {value!r:.80}. Write {what.split()[-1]}=True.")
    return bool(value)


def real(
    value: float, what: str, *, least: float = 0.0, below: float = math.inf, most: float = math.inf, above: bool = False
) -> float:
    """A finite number as a Python float: a NumPy one would turn float32 into float64.

    Its bounds: from `least` (with `above`, above it) to below `below`, or to `most`. Raises TypeError for a value that
    is no number, ValueError for a number out of bounds; the message begins with `what`.
    """
    try:
        if isinstance(value, bool | np.bool | str | bytes):
            raise TypeError  # noqa: TRY301  # float would take them
        number = float(value)
    except (TypeError, ValueError):
        raise TypeError(f"{what} is a number {_bounds(least, below, most, above)}; received {value!r:.80}.") from None
    if not (least <= number < below and number <= most) or not math.isfinite(number) or (above and number == least):
        raise ValueError(f"{what} is a number {_bounds(least, below, most, above)}; received {value!r}.")
    return number


def _bounds(least: float, below: float, most: float, above: bool) -> str:
    bounds = f"{'above' if above else 'from'} {least:g}"
    if below < math.inf:
        return f"{bounds} to below {below:g}"
    return f"{bounds} to {most:g}" if most < math.inf else bounds
