"""Numbers and switches that users pass, checked where they are passed in."""

from __future__ import annotations

import math
from typing import Any

import numpy as np


def array(value: Any) -> Any:
    """An array of what was passed; a Tensor, an array on a device, or one a program is being made of stays as it is."""
    kept = hasattr(value, "__array_function__") and (type(value) is np.ndarray or not isinstance(value, np.ndarray))
    return value if kept else np.asarray(value)


def whole(number: int, what: str, least: int | None = 1) -> int:
    """An int, from `least` or with None any; else a ValueError that says what it is for."""
    if isinstance(number, bool) or not isinstance(number, int | np.integer) or (least is not None and number < least):
        raise ValueError(f"{what} is an int{'' if least is None else f' from {least}'}; received {number!r:.80}.")
    return int(number)


def switch(value: bool, what: str) -> bool:
    """True or False; a TypeError that says what it is for, whose last word is the name of the argument."""
    if not isinstance(value, bool | np.bool):
        raise TypeError(f"{what} is True or False; received {value!r:.80}. Write {what.split()[-1]}=True.")
    return bool(value)


def real(
    value: float, what: str, *, least: float = 0.0, below: float = math.inf, most: float = math.inf, above: bool = False
) -> float:
    """A finite number as a Python float: a NumPy one would turn float32 into float64.

    Its bounds: from `least` (above it, with `above`) to below `below`, or to `most`. Raises TypeError for what is no
    number, ValueError for one out of bounds; `what` begins the message.
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
