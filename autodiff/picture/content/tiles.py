"""Arrays of three and more axes as grids of tiles, and arrays of one axis as bars or a line; numbers only."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from autodiff.picture.content.heatmap import MOST_CELLS, Heatmap, heatmap

GAP_LEVEL = 12  # the level of the gaps between tiles
MOST_ACROSS = 4  # tiles along each side of a grid
MOST_BARS, MOST_POINTS = 64, 64


class Plot(NamedTuple):
    """Heights from -1 to 1 of bars, or of the lower and upper edge of a line at each of its points."""

    heights: list[float]
    scale: float
    line: bool


def drawing(value: Any, scale: float | None = None) -> Heatmap | Plot | None:
    """The drawing of an array: one axis as bars or, if long, a line; two axes as a heat map; more as a grid of them.

    `scale` is the value of the end colours, if several arrays are compared. None if there is nothing to show.
    """
    array = np.asarray(value)
    if array.ndim == 1 and array.dtype.kind == "f" and array.size > 1 and np.isfinite(array).all():
        return _plot(array.astype(np.float64), scale)
    return _grid(array, scale) if array.ndim > 2 and array.size else heatmap(array, scale)


def tiled(shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    """The rows and columns of tiles in a grid, and the largest numbers of rows and columns of cells in a tile.

    The last two axes are a tile. The two axes before them are the rows and columns of the grid if there is room for all
    (samples and channels, filters and their inputs); otherwise as many tiles as fit follow each other.
    """
    tall, wide = shape[-2:]
    leading = shape[:-2]
    count = math.prod(leading)
    across = min(MOST_ACROSS, max(2, (MOST_CELLS + 1) // (max(tall, wide) + 1)))
    if len(leading) == 2 and all(length <= across for length in leading) and min(leading) > 1:
        rows, columns = leading
    else:
        columns = min(across, math.ceil(math.sqrt(count)))
        rows = min(across, -(-count // columns))
    room = max(1, (MOST_CELLS + 1) // max(rows, columns) - 1)
    return rows, columns, min(tall, room), min(wide, room)


def _grid(array: Any, scale: float | None) -> Heatmap | None:
    rows, columns, tall, wide = tiled(array.shape)
    tiles = array.reshape(-1, *array.shape[-2:])
    whole = heatmap(array.reshape(-1, array.shape[-1]))
    if whole is None:
        return None
    if len(tiles) == 1:
        return heatmap(tiles[0], scale)
    ends = scale if scale is not None else whole.scale if np.isfinite(whole.scale) else None
    levels = [[GAP_LEVEL] * (columns * (wide + 1) - 1) for _ in range(rows * (tall + 1) - 1)]
    for k, tile in enumerate(tiles[: rows * columns]):
        drawn = heatmap(tile, ends, (tall, wide))
        top, left = k // columns * (tall + 1), k % columns * (wide + 1)
        for i, row in enumerate(drawn.levels if drawn is not None else []):
            levels[top + i][left : left + wide] = row
    return Heatmap(levels, whole.scale)


def _plot(array: Any, scale: float | None) -> Plot:
    peak = float(np.abs(array).max())
    scaled = np.clip(array / ((peak if scale is None else scale) or 1.0), -1.0, 1.0)
    if array.size <= MOST_BARS:
        return Plot(scaled.tolist(), peak, False)
    blocks = np.array_split(scaled, MOST_POINTS)
    return Plot([float(end) for block in blocks for end in (block.min(), block.max())], peak, True)
