"""The legend: one entry for each kind of element in the picture."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from autodiff.picture.content.heatmap import TOP_LEVEL
from autodiff.picture.content.lettering import sans_width
from autodiff.picture.content.scene import Scene
from autodiff.picture.drawing.pen import SERIF, Pen, px

TYPE, LINE, GAP, LEAST_WIDTH = 12, 22, 26, 520

COMPARED = ", one scale for cards that are alike"
STALE = "assigned since: inputs and parameters as they are now, no adjoints"


class Entry(NamedTuple):
    """One entry of the legend: its symbol, the symbol's width, and the words."""

    icon: Callable[[float, float], list[str]]
    indent: float
    words: str
    pen: Pen

    @property
    def width(self) -> float:
        """The width of the entry in a row."""
        return self.indent + sans_width(self.words, TYPE)

    def drawn(self, x: float, baseline: float) -> list[str]:
        """The markup of the entry."""
        return [*self.icon(x, baseline), self.pen.text(x + self.indent, baseline, self.words, TYPE, "muted")]


def entries(pen: Pen, scene: Scene, values: bool, pills: bool, compared: bool = False) -> list[Entry]:
    """The entries for the elements of this picture."""
    adjoints = any(card.adjoint is not None for card in scene.cards)

    def triangle(tone: str) -> Callable[[float, float], list[str]]:
        return lambda x, y: [pen.triangle(x + 4, y - 4, tone)]

    def pill(x: float, y: float) -> list[str]:
        frame = pen.rect(x, y - 12, 34, 16, 8, pen.paint(fill="pill", stroke="rule"))
        return [frame, pen.text(x + 17, y, "∂", TYPE, font=SERIF, anchor="middle")]

    def colours(x: float, y: float) -> list[str]:
        return [pen.thumbnail(x, y - 9, 99, 10, [list(range(TOP_LEVEL + 1))])]

    def dashes(x: float, y: float) -> list[str]:
        return [pen.path(f"M{px(x)},{px(y - 4)}h26", pen.paint(stroke="line", width=1.6, dash="4 3"))]

    def stack(x: float, y: float) -> list[str]:
        back = pen.paint(fill="scope-inner", stroke="scope-border")
        front = pen.paint(fill="card", stroke="line", width=1.25)
        return [pen.rect(x + 4, y - 8, 22, 11, 3, back), pen.rect(x, y - 11, 22, 11, 3, front)]

    items = []
    if values:
        items.append(Entry(triangle("primal"), 14, "primal v (forward)", pen))
    if values and adjoints:
        items.append(Entry(triangle("adjoint"), 14, "adjoint v̄ = ∂f/∂v (reverse)", pen))
    if pills:
        items.append(Entry(pill, 42, "local partial ∂head/∂tail, the factor on the way back", pen))
    if values and not all(card.is_scalar for card in scene.cards):
        items.append(Entry(colours, 107, "−max|v| … 0 … +max|v|, per thumbnail" + COMPARED * compared, pen))
    if not all(wire.flows for wire in scene.wires):
        items.append(Entry(dashes, 34, "no gradient", pen))
    if any(card.fold for card in scene.cards):
        items.append(Entry(stack, 34, "several operations in one card", pen))
    items += [_tone(pen, tone, words) for tone, words in scene.tones.items()]
    return items + [Entry(lambda x, y: [], 0, STALE, pen)] * scene.stale


def _tone(pen: Pen, tone: str, words: str) -> Entry:
    """The entry for a colour of cards."""
    return Entry(lambda x, y: [pen.rect(x, y - 10, 18, 12, 3, pen.paint(tone, "line"))], 26, words, pen)


def flowed(items: Sequence[Entry], room: float) -> list[list[Entry]]:
    """The legend in rows that are at most as wide as the picture."""
    rows: list[list[Entry]] = []
    used = 0.0
    for item in items:
        if not rows or used + GAP + item.width > room:
            rows.append([])
            used = -GAP
        rows[-1].append(item)
        used += GAP + item.width
    return rows
