"""Values on cards: a scalar's digits, an array's heat maps or plots side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from autodiff.notation.formula import number
from autodiff.picture.content.heatmap import Heatmap
from autodiff.picture.content.lettering import mono_width
from autodiff.picture.content.scene import Form
from autodiff.picture.content.tiles import Plot, drawing
from autodiff.picture.drawing.pen import MONO, Pen
from autodiff.picture.drawing.plots import plot
from autodiff.picture.geometry.lattice import Size

CAPTION, FOOT, CAPTION_TYPE = 16, 9, 11
GAP, HEIGHT, CELL, SMALLEST = 10, 48, 11, 9
PLOT_HEIGHT = 32
Scales = tuple[float | None, float | None]  # of values and of adjoints; None for a separate scale each
ROOM = 136  # the width for heat maps, on cards of any width
DTYPES = {"float": "f", "complex": "c", "int": "i", "uint": "u"}


class Column(NamedTuple):
    """One heat map or plot: of the value or of its adjoint."""

    tone: str
    drawn: Heatmap | Plot | None
    caption: str


Columns = Sequence[Column]  # side by side: the value, and its adjoint


def digits(value: Any) -> str:
    """A scalar as text for a card."""
    value = np.asarray(value)[()]
    if np.iscomplexobj(value):
        imaginary = number(value.imag)
        sign = "" if imaginary.startswith("−") else "+"
        return f"{number(value.real)}{sign}{imaginary}i"
    return str(value) if isinstance(value, np.bool_) else number(value)


def described_value(value: Any) -> str:
    """A scalar in full precision; an array by its extremes, mean and norm; a value not computed yet by its shape."""
    if isinstance(value, Form):
        return shape(value)
    array = np.asarray(value)
    if array.ndim == 0:
        return f"{array[()]!s}  ({array.dtype})"
    if array.size == 0 or array.dtype.kind not in "biufc":
        return "empty" if array.size == 0 else str(array.dtype)
    least, mean, most, norm = statistics(array)
    kind = "  (of the magnitude)" if array.dtype.kind == "c" else ""
    return f"min {least:.6g}  mean {mean:.6g}  max {most:.6g}  norm {norm:.6g}{kind}"


def statistics(array: Any) -> tuple[float, float, float, float]:
    """The least, the mean, the greatest element and the norm; of a complex array, of its magnitudes."""
    with np.errstate(all="ignore"):
        numbers = np.abs(array) if array.dtype.kind == "c" else array.astype(np.float64)
        peak = float(np.abs(numbers).max()) or 1.0
        norm = peak * float(np.linalg.norm(numbers / peak)) if np.isfinite(peak) else peak
        return float(numbers.min()), float(numbers.mean()), float(numbers.max()), norm


def shape(value: Any) -> str:
    """Shape and dtype of an array, and its buffer if it has one: 24×16 · f64 · b0."""
    if isinstance(value, Form):
        dtype = "no array" if value.dtype is None else _short(value.dtype)
        return " · ".join(filter(None, ("×".join(map(str, value.shape)), dtype, value.place)))
    return f"{'×'.join(map(str, np.shape(value)))} · {_short(np.asarray(value).dtype)}"


def _short(dtype: np.dtype[Any]) -> str:
    short = DTYPES.get(dtype.name.rstrip("0123456789"))
    return f"{short}{dtype.itemsize * 8}" if short else str(dtype.name)


def columns_of(value: Any, adjoint: Any | None, scales: Scales = (None, None)) -> list[Column]:
    """The drawings of an array and of its adjoint, if there is one; with given scales if several are compared."""
    columns = []
    for tone, array, scale in (("primal", value, scales[0]), ("adjoint", adjoint, scales[1])):
        if array is not None:
            drawn = drawing(array, scale)
            columns.append(Column(tone, drawn, "empty" if drawn is None else _caption(array, drawn)))
    return columns


def tallest(columns: Sequence[Column]) -> float:
    """The height that the heat maps need."""
    return max((_extent(column.drawn, len(columns))[1] for column in columns), default=0.0)


def thumbnails(pen: Pen, columns: Sequence[Column], x: float, top: float, width: float, baseline: float) -> list[str]:
    """The heat maps below `top`, with captions on `baseline`, evenly spaced over a card's width."""
    parts = []
    for place, (tone, drawn, caption) in enumerate(columns):
        room = (width - GAP * (len(columns) + 1)) / len(columns)
        middle = x + GAP + place * (room + GAP) + room / 2
        across, tall = _extent(drawn, len(columns))
        left = middle - (mono_width(caption, CAPTION_TYPE) + 10) / 2
        map_ = _drawn(pen, drawn, middle - across / 2, top, across, tall)
        words = pen.text(left + 10, baseline, caption, CAPTION_TYPE, tone, MONO)
        parts += pen.group(tone, [*map_, pen.triangle(left + 3, baseline - 3.5, tone, 3.0), words])
    return parts


def _drawn(pen: Pen, drawn: Heatmap | Plot | None, x: float, y: float, width: float, height: float) -> list[str]:
    if isinstance(drawn, Heatmap):
        return [pen.thumbnail(x, y, width, height, drawn.levels)]
    return [] if drawn is None else [plot(pen, drawn, x, y, width, height)]


def _caption(array: Any, drawn: Heatmap | Plot) -> str:
    """The caption with the meaning of the colours: the range of whole numbers and masks, else the scale."""
    array = np.asarray(array)
    if array.dtype.kind == "b":
        return "mask"
    if array.dtype.kind in "iu":
        return f"{array.min()} to {array.max()}".replace("-", "−")
    return _scale(drawn.scale)


def _scale(scale: float) -> str:
    """The value of the end colours, with about three digits."""
    if not np.isfinite(scale):
        return "nan" if np.isnan(scale) else "±∞"
    if scale == 0 or 1e-3 <= scale < 1e4:
        text = f"{scale:.{2 if scale >= 0.1 else 3 if scale >= 0.01 else 4}f}"
        return "±" + text.rstrip("0").rstrip(".")
    mantissa, exponent = f"{scale:.1e}".split("e")
    return f"±{mantissa}e{int(exponent)}".replace("-", "−")


def _extent(drawn: Heatmap | Plot | None, columns: int) -> Size:
    if drawn is None:
        return SMALLEST, SMALLEST
    if isinstance(drawn, Plot):
        return (ROOM - GAP * (columns + 1)) / columns, PLOT_HEIGHT
    rows, across = len(drawn.levels), len(drawn.levels[0])
    room = (ROOM - GAP * (columns + 1)) / columns
    cell = min(room / across, HEIGHT / rows, CELL)
    return max(cell * across, SMALLEST), max(cell * rows, SMALLEST)
