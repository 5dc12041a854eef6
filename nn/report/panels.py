"""The picture of a `watch`: one panel per quantity, one curve per layer, coloured by depth."""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from nn.report.plotting import plain

POINTS = 80  # the most points of a curve; each is the mean over several steps
NAMED = 8  # the most layers in the legend
WIDTH, HEIGHT = 2.55, 2.35  # of a panel, in inches
LONG = 24  # the most characters of a label

PIXELS = 84  # per inch on a page; a PNG has 12/7 as many, for screens of high resolution

Series = Mapping[str, Mapping[str, Sequence[float]]]  # by quantity, then by layer


class Panel(NamedTuple):
    """A quantity, and the options of its plot."""

    quantity: str
    label: str
    scale: str  # of the vertical axis


PANELS = (
    Panel("gradient_norms", "gradient norm", "log"),
    Panel("update_ratios", "update / weight", "log"),
    Panel("activation_stds", "activation, std", "log"),
    Panel("dead", "dead or saturated", "linear"),
)
HEALTHY = 1e-3  # a good size of an update, relative to the weights


def chosen(series: Series) -> list[Panel]:
    """The panels that have data; the first three are always shown."""
    seen = any(math.isfinite(number) for numbers in series["dead"].values() for number in numbers)
    return list(PANELS if seen else PANELS[:3])


def draw(axes: Sequence[Any], layers: Mapping[str, str], steps: Sequence[int], series: Series) -> None:
    """Draw each panel into one of the axes; the legend is beside the last one."""
    from matplotlib import colormaps
    from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator, PercentFormatter

    colours = colormaps["viridis"](np.linspace(0.0, 0.9, len(layers)))  # the last colours are too light on white
    for panel, axis in zip(chosen(series), axes, strict=True):
        for layer, colour in zip(layers, colours, strict=True):
            x, y = thinned(steps, series[panel.quantity][layer])
            if panel.scale == "log":
                y = np.where(y > 0, y, math.nan)
            axis.plot(
                x,
                y,
                color=colour,
                linewidth=1.4 if len(layers) <= NAMED else 0.9,
                marker="." if len(x) < 10 else None,
                label=layer,
            )
        plain(axis, "step", "")
        axis.set_title(panel.label, loc="left", fontsize="medium")
        if panel.scale == "log":
            axis.set_yscale("log")
            low, high = axis.get_ylim()
            axis.yaxis.set_major_locator(LogLocator(subs=(1.0,) if high > 100 * low else (1.0, 2.0, 5.0)))
            axis.yaxis.set_major_formatter(lambda number, _: f"{number:g}")
            axis.yaxis.set_minor_locator(NullLocator())
        axis.xaxis.set_major_locator(MaxNLocator(4, integer=True))
        axis.grid(axis="y", color="0.92")
        axis.set_axisbelow(True)
        if panel.quantity == "update_ratios":
            axis.axhline(HEALTHY, color="0.4", linewidth=1, linestyle=(0, (4, 3)))
        if panel.quantity == "dead":
            axis.set_ylim(-0.03, 1.03)
            axis.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    lines = axes[-1].get_lines()
    named = np.linspace(0, len(layers) - 1, min(len(layers), NAMED)).round().astype(int)
    axes[-1].legend(
        [lines[k] for k in named],
        [_short(list(layers.values())[k]) for k in named],
        title="layer",
        alignment="left",
        loc="upper left",
        bbox_to_anchor=(1.02, 1.0),
        frameon=False,
        borderaxespad=0.0,
        handlelength=1.2,
    )


def png(layers: Mapping[str, str], steps: Sequence[int], series: Series) -> tuple[str, dict[str, int]]:
    """The picture as a PNG in base64, and its width and height on a page. Matplotlib's global state is not changed."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from PIL import Image  # Matplotlib needs Pillow too

    count = len(chosen(series))
    legend = 0.6 + 0.075 * max(len(_short(label)) for label in layers.values())
    width = WIDTH * count + legend
    figure = Figure(figsize=(width, HEIGHT), dpi=144, facecolor="white")
    # The margins are fixed: computing them (layout="constrained") takes as long as drawing.
    figure.subplots_adjust(0.5 / width, 0.2, 1 - legend / width, 0.88, wspace=0.33)
    draw(figure.subplots(1, count, squeeze=False)[0], layers, steps, series)
    canvas: Any = FigureCanvasAgg(figure)
    canvas.draw()
    file = io.BytesIO()
    few = Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB").quantize(64)  # a quarter of the bytes
    few.save(file, format="png", optimize=True)
    return base64.b64encode(file.getvalue()).decode("ascii"), {
        "width": round(width * PIXELS),
        "height": round(HEIGHT * PIXELS),
    }


def thinned(steps: Sequence[int], numbers: Sequence[float]) -> tuple[Any, Any]:
    """A curve of at most POINTS points: means of the finite numbers over stretches of equal length."""
    length = max(1, math.ceil(len(steps) / POINTS))
    rows = math.ceil(len(steps) / length)
    padded = np.full((2, rows * length), math.nan)
    padded[:, : len(steps)] = steps, numbers
    parts = padded.reshape(2, rows, length)
    finite = np.isfinite(parts)
    with np.errstate(invalid="ignore", divide="ignore"):
        x, y = np.where(finite, parts, 0.0).sum(axis=-1) / finite.sum(axis=-1)
    return x, y


def _short(label: str) -> str:
    """A label without its beginning, if it is long."""
    return label if len(label) <= LONG else f"…{label[1 - LONG :]}"
