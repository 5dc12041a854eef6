"""Matplotlib, imported only when something is plotted: importing it takes a third of a second."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np


def subplots(
    pictures: Sequence[str], axes: Any = None, width: float = 4.5, height: float = 3.0
) -> tuple[Any, list[Any]]:
    """The axes for plots of these names, given or new and side by side; and the same axes as a list.

    `width` and `height` are those of one new plot, in inches. Raises ModuleNotFoundError without Matplotlib, and
    ValueError for another number of axes.
    """
    try:
        import matplotlib.pyplot as plt
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"plot draws with Matplotlib; the module {error.name} is not installed. "
            'Install it with pip install "autodiff-nn[notebook]".',
            name=error.name,
        ) from None
    count = len(pictures)
    if axes is None:
        axes = plt.subplots(1, count, figsize=(width * count, height), layout="constrained", squeeze=False)[1][0]
    listed = list(np.ravel(axes))
    if len(listed) != count:
        said = f"{count} pictures, {', '.join(pictures)}" if count > 1 else f"one picture, {pictures[0]}"
        raise ValueError(
            f"plot draws {said}; received {len(listed)} axes. Write axes=plt.subplots(1, {count})[1], or leave axes "
            "away."
        )
    return axes, listed


def plain(axis: Any, x: str, y: str) -> None:
    """Label the axes, and leave only the lines at the left and the bottom."""
    axis.set(xlabel=x, ylabel=y)
    axis.spines[["top", "right"]].set_visible(False)
