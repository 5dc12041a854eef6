"""Cards of folded parts of a graph: a stack with its name, its size, and the values that leave it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from autodiff.notation.formula import plain
from autodiff.picture.content.lettering import BOLD, cut, mono_width, parts_of, sans_width
from autodiff.picture.content.scene import Card, Fold, Result
from autodiff.picture.drawing.pen import MONO, Pen, px
from autodiff.picture.drawing.thumbnails import CAPTION, CAPTION_TYPE, FOOT, Columns, digits, tallest, thumbnails
from autodiff.picture.geometry.lattice import Size
from autodiff.picture.geometry.layout import Point

WIDTH, WIDEST, OFFSET = 160, 264, 4
RADIUS, PADDING = 10, 12
NAME_LINE, NOTE_LINE, BAND = 30, 15, 22
NAME_TYPE, NOTE_TYPE, NUMBER_TYPE = 13, 11, 13
SYMBOL, SYMBOL_TYPE, MORE_LINE = 46, 14, 18
MOST_RESULTS, MOST_NAMED = 3, 12
BEHIND = 2 * OFFSET  # the width of the visible part of the cards behind


def count(fold: Fold) -> str:
    """The size of a folded part: 3 ops."""
    return f"{fold.operations:,} op{'' if fold.operations == 1 else 's'}"


def _counted(fold: Fold) -> str:
    """The size, if the name does not contain it."""
    return "" if fold.name.startswith(f"{fold.operations:,} ") else count(fold)


def size_of(card: Card, fold: Fold, values: bool, columns: Sequence[Columns]) -> Size:
    """Width and height, including the cards behind."""
    name = sans_width(fold.name, NAME_TYPE) * BOLD + mono_width(_counted(fold), CAPTION_TYPE) + 2 * PADDING + 12
    wide = min(WIDEST, max(WIDTH, name, sans_width(fold.note, NOTE_TYPE) + 2 * PADDING))
    tall: float = NAME_LINE + (NOTE_LINE if fold.note else 0)
    if values:
        shown, more = results_of(fold)
        rows = [_row_size(result, len(shown) > 1, own) for result, own in zip(shown, columns, strict=True)]
        wide = max(wide, *(width for width, _ in rows))
        tall += sum(height for _, height in rows) + (MORE_LINE if more else 0)
    else:
        tall += 4
    return -int(-wide // 4) * 4 + BEHIND, tall + BEHIND


def markup(
    pen: Pen, card: Card, fold: Fold, corner: Point, size: Size, values: bool, columns: Sequence[Columns]
) -> list[str]:
    """The markup of the stack, without its tooltip and group, which the caller adds."""
    x, y = corner
    width, height = size[0] - BEHIND, size[1] - BEHIND
    output = card.kind == "output"
    back = pen.paint(fill="scope-inner", stroke="scope-border")
    parts = [pen.rect(x + o, y + o, width, height, RADIUS, back) for o in (BEHIND, OFFSET)]
    parts.append(pen.rect(x, y, width, height, RADIUS, pen.paint(fill="card")))
    room = width - 2 * PADDING - mono_width(_counted(fold), CAPTION_TYPE) - 8
    parts.append(pen.text(x + PADDING, y + 20, cut(fold.name, NAME_TYPE, room / BOLD), NAME_TYPE, weight=600))
    if _counted(fold):
        parts.append(pen.text(x + width - PADDING, y + 20, _counted(fold), CAPTION_TYPE, "muted", MONO, "end"))
    if fold.note:
        note = parts_of(fold.note, NOTE_TYPE, width - 2 * PADDING + 6)
        parts.append(pen.text(x + PADDING, y + 21 + NOTE_LINE, note, NOTE_TYPE, "muted"))
    if values:
        parts += _results(pen, fold, corner, (width, height), columns)
    border = pen.paint(stroke="output" if output else "line", width=2.5 if output else 1.25)
    parts.append(pen.rect(x, y, width, height, RADIUS, border, role="frame"))
    return parts


def words(card: Card, fold: Fold) -> list[str]:
    """The lines of the stack's tooltip."""
    lines = [f"{fold.name}{f': {fold.note}' if fold.note else ''}", f"{count(fold)}, folded into one card"]
    symbols = [plain((result.symbol,)) for result in fold.results[-MOST_NAMED:]]
    if len(fold.results) == 1:
        lines.append(f"shown is its result, {symbols[0]}")
    else:
        earlier = "…, " if len(fold.results) > MOST_NAMED else ""
        lines.append(f"{len(fold.results):,} values leave it: {earlier}{', '.join(symbols)}")
    return lines


def results_of(fold: Fold) -> tuple[Sequence[Result], int]:
    """The results that have a row, the last ones, and the number of results without a row."""
    shown = fold.results[-MOST_RESULTS:]
    return shown, len(fold.results) - len(shown)


def _row_size(result: Result, named: bool, columns: Columns) -> Size:
    """The size of a result: a band for a scalar, heat maps for an array, and its symbol if there are several."""
    label = SYMBOL if named else 0
    if np.ndim(result.value) == 0:
        return label + sum(34 + mono_width(text, NUMBER_TYPE) for _, text in _numbers(result)), BAND + 2
    caption = max(mono_width(column.caption, CAPTION_TYPE) for column in columns)
    return label + len(columns) * (caption + 30), tallest(columns) + CAPTION + FOOT + 2


def _results(pen: Pen, fold: Fold, corner: Point, size: Size, columns: Sequence[Columns]) -> list[str]:
    """The rows of the results; the last one is at the card's lower edge."""
    shown, more = results_of(fold)
    (x, y), (width, height) = corner, size
    parts: list[str] = []
    named = len(shown) > 1
    bottom = y + height
    for place, (result, own) in enumerate(zip(reversed(shown), reversed(columns), strict=True)):
        tall = _row_size(result, named, own)[1]
        left, room = (x + SYMBOL, width - SYMBOL) if named else (x, width)
        if np.ndim(result.value) == 0:
            parts += _bands(pen, result, (left, bottom - BAND), room, (not named and place == 0, place == 0))
        else:
            top = bottom - tall
            parts += thumbnails(pen, own, left, top, room, bottom - FOOT)
        if named:
            middle = bottom - (BAND / 2 if np.ndim(result.value) == 0 else tall / 2)
            parts.append(pen.formula(x + PADDING, middle + 4.5, (result.symbol,), SYMBOL_TYPE, "start"))
        bottom -= tall
    if more:
        words = f"and {more:,} more value{'s' if more > 1 else ''}"
        parts.append(pen.text(x + PADDING, bottom - 4, words, NOTE_TYPE, "muted"))
    return parts


def _numbers(result: Result) -> list[tuple[str, str]]:
    numbers = [("primal", digits(result.value))]
    return [*numbers, ("adjoint", digits(result.adjoint))] if result.adjoint is not None else numbers


def _bands(pen: Pen, result: Result, corner: Point, width: float, rounded: tuple[bool, bool]) -> list[str]:
    """The value and its adjoint side by side; `rounded` says which of the lower corners (left, right) are round."""
    numbers = _numbers(result)
    parts = []
    x, y = corner
    needs = [34 + mono_width(text, NUMBER_TYPE) for _, text in numbers]
    spare = (width - sum(needs)) / len(needs)
    for place, (tone, text) in enumerate(numbers):
        wide = needs[place] + spare
        left, last = x + sum(needs[:place]) + spare * place, place + 1 == len(numbers)
        round_left, round_right = rounded[0] and place == 0, rounded[1] and last
        turn = f"v{BAND - RADIUS}a{RADIUS},{RADIUS} 0 0 1 {-RADIUS},{RADIUS}" if round_right else f"v{BAND}"
        back = f"H{px(left + RADIUS)}a{RADIUS},{RADIUS} 0 0 1 {-RADIUS},{-RADIUS}z" if round_left else f"H{px(left)}z"
        d = f"M{px(left)},{px(y)}h{px(wide)}{turn}{back}"
        parts += [
            pen.path(d, pen.paint(fill=f"{tone}-band")),
            pen.triangle(left + 13, y + BAND / 2, tone),
            pen.text(left + wide - 9, y + BAND / 2 + 4.5, text, NUMBER_TYPE, tone, MONO, "end", 600, role=tone),
        ]
    return parts
