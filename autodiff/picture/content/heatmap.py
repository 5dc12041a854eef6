"""Thumbnails of arrays as numbers: a small table of cells, and the colour level of each."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

MOST_CELLS = 24  # along each side; for a larger array a cell shows the element of greatest magnitude of a block
ZERO_LEVEL, TOP_LEVEL, NAN_LEVEL = 5, 10, 11


class Heatmap(NamedTuple):
    """Levels 0 .. 10 from -scale to +scale, 11 for NaN, row by row."""

    levels: list[list[int]]
    scale: float  # the value of the end colours; NaN or infinite if the array holds such values


def heatmap(value: Any, scale: float | None = None, most: tuple[int, int] = (24, 24)) -> Heatmap | None:
    """The heat map of an array: one row if 1-D, (-1, last axis) if more. None if there is nothing to show.

    `scale` is the value of the end colours, the greatest magnitude if not given; `most` the rows and columns.
    Booleans count as 0 and 1; complex numbers are shown by their magnitude.
    """
    array = np.asarray(value)
    if array.size == 0 or array.dtype.kind not in "biufc":
        return None
    table = array.reshape(-1, array.shape[-1]) if array.ndim > 1 else array.reshape(1, -1)
    with np.errstate(all="ignore"):
        numbers = np.abs(table) if table.dtype.kind == "c" else table
        cells = _block_extremes(_block_extremes(numbers, most[0]).T, most[1]).T
        magnitude = np.abs(cells)
        finite = magnitude[np.isfinite(magnitude)]
        peak = float(finite.max()) if finite.size else 0.0
        scaled = np.rint(np.clip(cells / ((peak if scale is None else scale) or 1.0), -1.0, 1.0) * ZERO_LEVEL)
    levels = np.where(np.isnan(scaled), NAN_LEVEL - ZERO_LEVEL, scaled).astype(int) + ZERO_LEVEL
    return Heatmap(levels.tolist(), peak if finite.size == magnitude.size else float(magnitude.max()))


def _block_extremes(table: Any, most: int) -> Any:
    """At most `most` rows, in float64: for every block of rows the element of greatest magnitude; NaN is the greatest.

    With a mean a checkerboard of ±1 would vanish, and the scale would be too small.
    """
    numbers = table.astype(np.float64)
    if len(numbers) <= most:
        return numbers
    blocks = np.array_split(numbers, most)
    return np.stack([np.take_along_axis(b, np.abs(b).argmax(0)[None], 0)[0] for b in blocks])
