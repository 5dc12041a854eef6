"""The cards: their sizes and markup. Scalars are numbers in two bands, arrays are heat maps."""

from __future__ import annotations

from collections.abc import Sequence

from autodiff.notation.formula import Formula, plain
from autodiff.picture.content.lettering import fitted, header_width, mono_width, sans_width, serif_width, undirected
from autodiff.picture.content.scene import Card, Form
from autodiff.picture.drawing import stacks
from autodiff.picture.drawing.pen import MONO, Pen, px
from autodiff.picture.drawing.thumbnails import (
    CAPTION,
    CAPTION_TYPE,
    FOOT,
    Columns,
    described_value,
    digits,
    shape,
    tallest,
    thumbnails,
)
from autodiff.picture.geometry.lattice import Size
from autodiff.picture.geometry.layout import Point

RADIUS, PADDING = 9, 12
HEADER, BAND = 34, 22  # of a scalar card
SCALAR_WIDTH, ARRAY_WIDTH = 112, 136
ARRAY_HEADER, SHAPE_LINE, BESIDE_CAPTION = 30, 17, 20
WIDEST_HEADER = 240
SCALAR_TYPE, ARRAY_TYPE, BAND_TYPE, NUMBER_TYPE = 16, 15, 13.5, 13
TAGS = {
    "input": "INPUT",
    "parameter": "PARAM",
    "constant": "CONST",
    "output": "OUTPUT",
    "outer": "OUTSIDE",
    "operation": "",
}
BORDERS = {"input": 2.5, "parameter": 2.25, "output": 2.5, "constant": 2.25, "outer": 1.25, "operation": 1.25}
TAG_TYPE, TAG_SPACING = 11, 0.3
BELOW = 13  # the distance of a tag below the lower border, so that it does not cover the last row
LONGEST_NAME = 500


def size_of(card: Card, values: bool, columns: Sequence[Columns]) -> Size:
    """Width and height of a card, the width rounded up to a multiple of 4."""
    if card.fold is not None:
        return stacks.size_of(card, card.fold, values, columns)
    if card.is_scalar:
        bands = _bands(card) if values else []
        inside = [header_width(_header(card), SCALAR_TYPE) + 2 * PADDING]
        inside += [
            23 + serif_width(symbol, BAND_TYPE) + 10 + mono_width(text, NUMBER_TYPE) + PADDING
            for _, symbol, text in bands
        ]
        return _rounded(max(SCALAR_WIDTH, *inside)), HEADER + BAND * len(bands)
    own = columns[0]
    caption = max((mono_width(column.caption, CAPTION_TYPE) for column in own), default=0.0)
    wide = max(
        ARRAY_WIDTH,
        header_width(_header(card), ARRAY_TYPE) + 2 * PADDING,
        mono_width(shape(card.value), CAPTION_TYPE) + 2 * PADDING,
        len(own) * (caption + BESIDE_CAPTION) + 10,
    )
    return _rounded(wide), ARRAY_HEADER + SHAPE_LINE + (tallest(own) + CAPTION + FOOT if own else -4)


def card_markup(
    pen: Pen, card: Card, corner: Point, size: Size, index: int, values: bool, down: bool, columns: Sequence[Columns]
) -> str:
    """One card with its tooltip."""
    x, y = corner
    if card.fold is not None:
        body = stacks.markup(pen, card, card.fold, (x, y), size, values, columns)
    else:
        width, height = size
        paint = pen.paint(
            stroke="line" if card.kind == "operation" else card.kind,
            width=BORDERS[card.kind],
            dash="5 3" if card.kind == "constant" else "",
        )
        body = [
            pen.rect(x, y, width, height, RADIUS, pen.paint(fill=card.tone or "card")),
            *(_scalar(pen, card, x, y, width, values) if card.is_scalar else _array(pen, card, x, y, size, columns[0])),
            pen.rect(x, y, width, height, RADIUS, paint, role="frame"),
        ]
    tag = y
    if down and card.kind == "output":  # wires come in from above, so the tag is below
        tag = y + size[1] - (stacks.BEHIND if card.fold else 0) + BELOW
    opening = f'<g data-node="{index}">' + pen.tooltip(tooltip(card))
    return "\n".join([opening, *body, *_tag(pen, card, x, tag), "</g>"])


def tooltip(card: Card) -> str:
    """A card as text: equation, name, shape, dtype, and value and adjoint in full precision."""
    if card.fold is not None:
        lines = stacks.words(card, card.fold)
    else:
        lines = [plain(card.header) + ("" if card.is_scalar else f"   {shape(card.value)}")]
    if card.path is not None:
        what = "member  " if card.kind in ("parameter", "constant") else "module  "
        lines.append(f"{what} {undirected(card.path, LONGEST_NAME)}")
    if card.name is not None:
        lines.append(f"name     {undirected(card.name, LONGEST_NAME)}")
    for what, value in (("primal ", card.value), ("adjoint", card.adjoint)):
        if value is not None and not isinstance(value, Form):
            lines.append(f"{what}  {described_value(value)}")
    return "\n".join((*lines, *card.words))


def _rounded(width: float) -> int:
    return -int(-width // 4) * 4


def _header(card: Card) -> Formula:
    return fitted(card.header, SCALAR_TYPE if card.is_scalar else ARRAY_TYPE, WIDEST_HEADER)


def _bands(card: Card) -> list[tuple[str, Formula, str]]:
    bands: list[tuple[str, Formula, str]] = [("primal", (card.symbol,), digits(card.value))]
    if card.adjoint is not None:
        bands.append(("adjoint", (card.symbol._replace(bar=True),), digits(card.adjoint)))
    return bands


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
        middle = top + BAND / 2
        markup += [
            pen.path(d, pen.paint(fill=f"{tone}-band")),
            pen.triangle(x + 13, middle, tone),
            pen.formula(x + 23, middle + 4.5, symbol, BAND_TYPE, "start", tone),
            pen.text(x + width - PADDING, middle + 4.5, text, NUMBER_TYPE, tone, MONO, "end", 600, role=tone),
        ]
    return [pen.formula(x + width / 2, y + 23.5, _header(card), SCALAR_TYPE), *markup]


def _array(pen: Pen, card: Card, x: float, y: float, size: Size, columns: Columns) -> list[str]:
    width, height = size
    top = y + ARRAY_HEADER + SHAPE_LINE
    return [
        pen.formula(x + width / 2, y + 21.5, _header(card), ARRAY_TYPE),
        pen.text(x + width / 2, y + ARRAY_HEADER + 8, shape(card.value), CAPTION_TYPE, "muted", MONO, "middle"),
        *thumbnails(pen, columns, x, top, width, y + height - FOOT),
    ]


def _tag(pen: Pen, card: Card, x: float, y: float) -> list[str]:
    tag = TAGS[card.kind]
    if not tag:
        return []
    width = sans_width(tag, TAG_TYPE) + TAG_SPACING * len(tag) + 12
    return [
        pen.rect(x + 10, y - 11, width, 17, 8.5, pen.paint(fill="card", stroke=card.kind, width=1.5)),
        pen.text(x + 10 + width / 2, y + 1.4, tag, TAG_TYPE, "ink", anchor="middle", weight=600, spacing=TAG_SPACING),
    ]
