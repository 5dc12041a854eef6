"""The cards: how large each is, and its markup. Scalars as numbers in two bands, arrays as heat maps."""

from __future__ import annotations

from typing import Any

import numpy as np

from autodiff.formula import Formula, number, plain

from .heatmap import Heatmap, heatmap
from .layout import Size
from .lettering import fitted, mono_width, sans_width, serif_width, undirected
from .pen import MONO, Pen, px
from .scene import Card

RADIUS, PADDING = 9, 12
HEADER, BAND = 34, 22  # of a scalar card
SCALAR_WIDTH, ARRAY_WIDTH = 112, 136
ARRAY_HEADER, SHAPE_LINE, CAPTION, FOOT = 30, 17, 16, 9
THUMBNAIL_GAP, THUMBNAIL_HEIGHT, CELL, SMALLEST = 10, 48, 11, 9
WIDEST_HEADER = 240
SCALAR_TYPE, ARRAY_TYPE, BAND_TYPE, NUMBER_TYPE, CAPTION_TYPE = 16, 15, 13.5, 13, 10.5
TAGS = {"input": "INPUT", "constant": "CONST", "output": "OUTPUT", "operation": ""}
BORDERS = {"input": 2.5, "output": 2.5, "constant": 2.25, "operation": 1.25}
LONGEST_NAME = 500
DTYPES = {"float": "f", "complex": "c", "int": "i", "uint": "u"}


def digits(value: Any) -> str:
    """A scalar as a card shows it."""
    value = np.asarray(value)[()]
    if np.iscomplexobj(value):
        imaginary = number(value.imag)
        sign = "" if imaginary.startswith("−") else "+"
        return f"{number(value.real)}{sign}{imaginary}i"
    return number(value)


def size_of(card: Card, values: bool) -> Size:
    """Width and height of a card, the width rounded up to a multiple of 4."""
    if card.is_scalar:
        bands = _bands(card) if values else []
        inside = [serif_width(_header(card), SCALAR_TYPE) + 2 * PADDING]
        inside += [
            23 + serif_width(symbol, BAND_TYPE) + 10 + mono_width(text, NUMBER_TYPE) + PADDING
            for _, symbol, text in bands
        ]
        return _rounded(max(SCALAR_WIDTH, *inside)), HEADER + BAND * len(bands)
    columns = _columns(card) if values else []
    caption = max((mono_width(text, CAPTION_TYPE) for _, _, text in columns), default=0.0)
    wide = max(
        ARRAY_WIDTH,
        serif_width(_header(card), ARRAY_TYPE) + 2 * PADDING,
        mono_width(shape(card), CAPTION_TYPE) + 2 * PADDING,
        len(columns) * (caption + 10 + THUMBNAIL_GAP) + THUMBNAIL_GAP,
    )
    tall = max((_extent(map_, len(columns))[1] for _, map_, _ in columns), default=0.0)
    return _rounded(wide), ARRAY_HEADER + SHAPE_LINE + (tall + CAPTION + FOOT if columns else -4)


def card_markup(pen: Pen, card: Card, x: float, y: float, size: Size, index: int, values: bool) -> str:
    """One card with its tooltip."""
    width, height = size
    paint = pen.paint(
        stroke="line" if card.kind == "operation" else card.kind,
        width=BORDERS[card.kind],
        dash="5 3" if card.kind == "constant" else "",
    )
    body = _scalar(pen, card, x, y, width, values) if card.is_scalar else _array(pen, card, x, y, size, values)
    return "\n".join(
        [
            f'<g data-node="{index}">' + pen.tooltip(tooltip(card)),
            pen.rect(x, y, width, height, RADIUS, pen.paint(fill="card")),
            *body,
            pen.rect(x, y, width, height, RADIUS, paint),
            *_tag(pen, card, x, y),
            "</g>",
        ]
    )


def tooltip(card: Card) -> str:
    """A card in words: equation, name, shape, dtype, and its value and adjoint in full precision."""
    lines = [plain(card.header) + ("" if card.is_scalar else f"   {shape(card)}")]
    if card.name is not None:
        lines.append(f"name     {undirected(card.name, LONGEST_NAME)}")
    for what, value in (("primal ", card.value), ("adjoint", card.adjoint)):
        if value is not None:
            lines.append(f"{what}  {described_value(value)}")
    return "\n".join(lines)


def described_value(value: Any) -> str:
    """A scalar in full; an array by its extremes, mean and norm."""
    array = np.asarray(value)
    if array.ndim == 0:
        return f"{array[()]!s}  ({array.dtype})"
    if array.size == 0 or array.dtype.kind not in "biufc":
        return "empty" if array.size == 0 else str(array.dtype)
    with np.errstate(all="ignore"):
        numbers = np.abs(array) if array.dtype.kind == "c" else array.astype(np.float64)
        peak = float(np.abs(numbers).max()) or 1.0
        norm = peak * float(np.linalg.norm(numbers / peak)) if np.isfinite(peak) else peak
        kind = "  (of the magnitude)" if array.dtype.kind == "c" else ""
        return f"min {numbers.min():.6g}  mean {numbers.mean():.6g}  max {numbers.max():.6g}  norm {norm:.6g}{kind}"


def _rounded(width: float) -> int:
    return -int(-width // 4) * 4


def _header(card: Card) -> Formula:
    return fitted(card.header, SCALAR_TYPE if card.is_scalar else ARRAY_TYPE, WIDEST_HEADER)


def shape(card: Card) -> str:
    """Shape and dtype of an array card: 24×16 · f64."""
    dtype = np.asarray(card.value).dtype
    short = DTYPES.get(dtype.name.rstrip("0123456789"))
    kind = f"{short}{dtype.itemsize * 8}" if short else dtype.name
    return f"{'×'.join(map(str, np.shape(card.value)))} · {kind}"


def _bands(card: Card) -> list[tuple[str, Formula, str]]:
    bands: list[tuple[str, Formula, str]] = [("primal", (card.symbol,), digits(card.value))]
    if card.adjoint is not None:
        bands.append(("adjoint", (card.symbol._replace(bar=True),), digits(card.adjoint)))
    return bands


def _columns(card: Card) -> list[tuple[str, Heatmap | None, str]]:
    columns = []
    for tone, value in (("primal", card.value), ("adjoint", card.adjoint)):
        if value is not None:
            drawn = heatmap(value)
            columns.append((tone, drawn, "empty" if drawn is None else _scale(drawn.scale)))
    return columns


def _scale(scale: float) -> str:
    """What the end colours stand for, in three digits or so."""
    if not np.isfinite(scale):
        return "nan" if np.isnan(scale) else "±∞"
    if scale == 0 or 1e-3 <= scale < 1e4:
        text = f"{scale:.{2 if scale >= 0.1 else 3 if scale >= 0.01 else 4}f}"
        return "±" + text.rstrip("0").rstrip(".")
    mantissa, exponent = f"{scale:.1e}".split("e")
    return f"±{mantissa}e{int(exponent)}".replace("-", "−")


def _extent(drawn: Heatmap | None, columns: int) -> Size:
    if drawn is None:
        return SMALLEST, SMALLEST
    rows, across = len(drawn.levels), len(drawn.levels[0])
    room = (ARRAY_WIDTH - THUMBNAIL_GAP * (columns + 1)) / columns
    cell = min(room / across, THUMBNAIL_HEIGHT / rows, CELL)
    return max(cell * across, SMALLEST), max(cell * rows, SMALLEST)


def _scalar(pen: Pen, card: Card, x: float, y: float, width: float, values: bool) -> list[str]:
    markup = []
    bands = _bands(card) if values else []
    for place, (tone, symbol, text) in enumerate(bands):
        top = y + HEADER + BAND * place
        if place + 1 < len(bands):
            d = f"M{px(x)},{px(top)}h{px(width)}v{BAND}h{px(-width)}z"
        else:  # the last band follows the card's rounded corners
            d = f"M{px(x)},{px(top)}h{px(width)}v{BAND - RADIUS}a{RADIUS},{RADIUS} 0 0 1 {-RADIUS},{RADIUS}"
            d += f"h{px(2 * RADIUS - width)}a{RADIUS},{RADIUS} 0 0 1 {-RADIUS},{-RADIUS}z"
        markup += [
            pen.path(d, pen.paint(fill=f"{tone}-band")),
            pen.triangle(x + 13, top + BAND / 2, tone),
            pen.formula(x + 23, top + BAND / 2 + 4.5, symbol, BAND_TYPE, "start", tone),
            pen.text(x + width - PADDING, top + BAND / 2 + 4.5, text, NUMBER_TYPE, tone, MONO, "end", 600),
        ]
    return [pen.formula(x + width / 2, y + 23.5, _header(card), SCALAR_TYPE), *markup]


def _array(pen: Pen, card: Card, x: float, y: float, size: Size, values: bool) -> list[str]:
    width, height = size
    markup = [
        pen.formula(x + width / 2, y + 21.5, _header(card), ARRAY_TYPE),
        pen.text(x + width / 2, y + ARRAY_HEADER + 8, shape(card), CAPTION_TYPE, "muted", MONO, "middle"),
    ]
    columns = _columns(card) if values else []
    for place, (tone, drawn, caption) in enumerate(columns):
        room = (width - THUMBNAIL_GAP * (len(columns) + 1)) / len(columns)
        middle = x + THUMBNAIL_GAP + place * (room + THUMBNAIL_GAP) + room / 2
        across, tall = _extent(drawn, len(columns))
        top = y + ARRAY_HEADER + SHAPE_LINE
        if drawn is not None:
            markup.append(pen.thumbnail(middle - across / 2, top, across, tall, drawn.levels))
        left = middle - (mono_width(caption, CAPTION_TYPE) + 10) / 2
        markup += [
            pen.triangle(left + 3, y + height - FOOT - 3.5, tone, 3.0),
            pen.text(left + 10, y + height - FOOT, caption, CAPTION_TYPE, tone, MONO),
        ]
    return markup


def _tag(pen: Pen, card: Card, x: float, y: float) -> list[str]:
    tag = TAGS[card.kind]
    if not tag:
        return []
    width = sans_width(tag, 9) + 0.6 * len(tag) + 10
    return [
        pen.rect(x + 10, y - 8, width, 15, 7.5, pen.paint(fill="card", stroke=card.kind, width=1.5)),
        pen.text(x + 10 + width / 2, y + 3.2, tag, 9, "ink", anchor="middle", weight=700, spacing=0.6),
    ]
