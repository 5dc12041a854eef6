"""Cards that stand for a folded part of a graph: a stack with its name, its size, and the last value that leaves it."""

from __future__ import annotations

from autodiff.notation.formula import plain
from autodiff.picture.content.lettering import BOLD, cut, mono_width, sans_width
from autodiff.picture.content.scene import Card, Fold
from autodiff.picture.drawing.pen import MONO, Pen, px
from autodiff.picture.drawing.thumbnails import CAPTION, CAPTION_TYPE, FOOT, columns_of, digits, tallest, thumbnails
from autodiff.picture.geometry.lattice import Size

WIDTH, WIDEST, OFFSET = 160, 264, 4
RADIUS, PADDING = 10, 12
NAME_LINE, NOTE_LINE, BAND = 30, 15, 22
NAME_TYPE, NOTE_TYPE, NUMBER_TYPE = 13, 11, 13
BEHIND = 2 * OFFSET  # how far the cards behind reach out


def count(fold: Fold) -> str:
    """The size of a folded part: 3 ops."""
    return f"{fold.operations:,} op{'' if fold.operations == 1 else 's'}"


def _counted(fold: Fold) -> str:
    """The size where the name does not say it."""
    return "" if fold.name.startswith(f"{fold.operations:,} ") else count(fold)


def size_of(card: Card, fold: Fold, values: bool) -> Size:
    """Width and height with the cards behind."""
    name = sans_width(fold.name, NAME_TYPE) * BOLD + mono_width(_counted(fold), CAPTION_TYPE) + 2 * PADDING + 12
    wide = min(WIDEST, max(WIDTH, name, sans_width(fold.note, NOTE_TYPE) + 2 * PADDING))
    tall: float = NAME_LINE + (NOTE_LINE if fold.note else 0)
    if values and card.is_scalar:
        wide = max(wide, sum(24 + mono_width(text, NUMBER_TYPE) + 10 for _, text in _numbers(card)))
        tall += BAND + 2
    elif values:
        columns = columns_of(card.value, card.adjoint)
        wide = max(wide, len(columns) * (max(mono_width(text, CAPTION_TYPE) for *_, text in columns) + 30))
        tall += tallest(columns) + CAPTION + FOOT + 2
    else:
        tall += 4
    return -int(-wide // 4) * 4 + BEHIND, tall + BEHIND


def markup(pen: Pen, card: Card, fold: Fold, x: float, y: float, size: Size, values: bool) -> list[str]:
    """The stack, its tooltip and group left to the caller."""
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
        note = cut(fold.note, NOTE_TYPE, width - 2 * PADDING + 6)
        parts.append(pen.text(x + PADDING, y + 21 + NOTE_LINE, note, NOTE_TYPE, "muted"))
    if values and card.is_scalar:
        parts += _bands(pen, card, x, y + height - BAND, width)
    elif values:
        top = y + NAME_LINE + (NOTE_LINE if fold.note else 0)
        parts += thumbnails(pen, columns_of(card.value, card.adjoint), x, top, width, y + height - FOOT)
    border = pen.paint(stroke="output" if output else "line", width=2.5 if output else 1.25)
    parts.append(pen.rect(x, y, width, height, RADIUS, border, role="frame"))
    return parts


def words(card: Card, fold: Fold) -> list[str]:
    """The stack for its tooltip."""
    lines = [f"{fold.name}{f': {fold.note}' if fold.note else ''}", f"{count(fold)}, folded into one card"]
    if fold.results > 1:
        lines.append(f"{fold.results:,} values leave it; shown is the last, {plain((card.symbol,))}")
    else:
        lines.append(f"shown is its result, {plain((card.symbol,))}")
    return lines


def _numbers(card: Card) -> list[tuple[str, str]]:
    numbers = [("primal", digits(card.value))]
    return [*numbers, ("adjoint", digits(card.adjoint))] if card.adjoint is not None else numbers


def _bands(pen: Pen, card: Card, x: float, y: float, width: float) -> list[str]:
    """The value and its adjoint side by side along the lower edge."""
    numbers = _numbers(card)
    parts = []
    for place, (tone, text) in enumerate(numbers):
        wide = width / len(numbers)
        left, last = x + place * wide, place + 1 == len(numbers)
        # The bands follow the card's two lower corners.
        turn = f"v{BAND - RADIUS}a{RADIUS},{RADIUS} 0 0 1 {-RADIUS},{RADIUS}" if last else f"v{BAND}"
        back = f"H{px(left + RADIUS)}a{RADIUS},{RADIUS} 0 0 1 {-RADIUS},{-RADIUS}z" if place == 0 else f"H{px(left)}z"
        d = f"M{px(left)},{px(y)}h{px(wide)}{turn}{back}"
        parts += [
            pen.path(d, pen.paint(fill=f"{tone}-band")),
            pen.triangle(left + 13, y + BAND / 2, tone),
            pen.text(left + wide - 9, y + BAND / 2 + 4.5, text, NUMBER_TYPE, tone, MONO, "end", 600, role=tone),
        ]
    return parts
