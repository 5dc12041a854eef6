"""The whole picture as SVG: frame, title, wires with their local partials, cards, legend."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

import numpy as np

from autodiff.formula import Formula, Token, plain

from .cards import card_markup, described_value, digits, size_of
from .heatmap import TOP_LEVEL
from .layout import Layout, Point, Size, layered
from .lettering import esc, fitted, sans_width, serif_width
from .pen import SERIF, Pen, Theme, curve, px
from .scene import Scene, Wire

Edges = Literal["auto", "all", "none"]

MARGIN, FRAME_RADIUS = 28, 10
TITLE_TYPE, TITLE_BASELINE, TITLE_HEIGHT, WIDEST_TITLE = 19, 33, 38, 1000
LEGEND_TYPE, LEGEND_LINE, LEGEND_GAP, LEGEND_WIDTH = 12, 22, 26, 520
PILL_TYPE, PILL_HEIGHT, WIDEST_PILL = 13.5, 21, 200
MOST_PILL_CARDS = 60
NEARLY = 1.25
ARROW_LENGTH, ARROW_HALF = 9, 4.2
SCALAR_GAP, ARRAY_GAP, PILL_GAP_X, GAP_X = 26, 22, 60, 40


class Options(NamedTuple):
    """What the caller of draw may choose about the look."""

    values: bool
    edges: Edges
    theme: Theme
    legend: bool
    title: Formula | None


def svg(scene: Scene, options: Options) -> str:
    """The picture of a scene: the same text for the same scene, byte for byte."""
    pen = Pen(options.theme)
    sizes = _evened([size_of(card, options.values) for card in scene.cards])
    labels = [_label(scene, wire, options) for wire in scene.wires]
    pills: list[Size | None] = [
        (serif_width(label, PILL_TYPE) + 18, PILL_HEIGHT) if label else None for label in labels
    ]
    placed = layered(
        sizes,
        [(wire.tail, wire.head) for wire in scene.wires],
        pills,
        gap_x=PILL_GAP_X if any(pills) else GAP_X,
        gap_y=SCALAR_GAP if all(card.is_scalar for card in scene.cards) else ARRAY_GAP,
    )
    title = fitted(options.title, TITLE_TYPE, WIDEST_TITLE) if options.title else None
    items = _legend_items(scene, options, any(pills)) if options.legend else []
    room = max(
        placed.width,
        min(LEGEND_WIDTH, sum(item.width + LEGEND_GAP for item in items)),
        serif_width(title, TITLE_TYPE) if title else 0.0,
        *(item.width for item in items),
    )
    rows = _flowed(items, room)
    width = _whole(room + 2 * MARGIN)
    top = MARGIN + (TITLE_HEIGHT if title else 8)
    height = _whole(top + placed.height + (30 + LEGEND_LINE * len(rows) if rows else MARGIN))
    left = (width - placed.width) / 2
    body = [pen.rect(0.5, 0.5, width - 1, height - 1, FRAME_RADIUS, pen.paint("paper", "rule"))]
    if title:
        body.append(pen.formula(MARGIN, TITLE_BASELINE, title, TITLE_TYPE, "start"))
    body += _wires(pen, scene, placed, labels, pills, (left, top))
    for index, (card, (x, y), size) in enumerate(zip(scene.cards, placed.corners, sizes, strict=True)):
        body.append(card_markup(pen, card, x + left, y + top, size, index, options.values))
    for line, row in enumerate(rows):
        x, baseline = float(MARGIN), height - 17 - LEGEND_LINE * (len(rows) - 1 - line)
        for item in row:
            body += item.drawn(x, baseline)
            x += item.width + LEGEND_GAP
    return "\n".join([*_head(scene, title, width, height), *filter(None, [pen.style()]), *body, "</svg>"]) + "\n"


def _evened(sizes: Sequence[Size]) -> list[Size]:
    """Cards that are nearly as narrow as the narrowest made equally wide, so that columns have straight edges."""
    limit = min((width for width, _ in sizes), default=0.0) * NEARLY
    common = max((width for width, _ in sizes if width <= limit), default=0.0)
    return [(max(width, common), height) for width, height in sizes]


def _head(scene: Scene, title: Formula | None, width: int, height: int) -> list[str]:
    label = f"Computation graph: {plain(title)}" if title else f"Computation graph with {len(scene.cards)} values"
    facts = [f"{plain((scene.cards[-1].symbol,))} = {described_value(scene.cards[-1].value)}"]
    facts += [
        f"adjoint of {plain(card.header)}: {described_value(card.adjoint)}"
        for card in scene.cards
        if card.kind == "input" and card.adjoint is not None
    ]
    return [
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{esc(label)}" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" style="max-width:100%;height:auto">',
        f"<desc>{esc('; '.join(facts))}</desc>",
    ]


def _whole(length: float) -> int:
    return -int(-length // 1)


def _label(scene: Scene, wire: Wire, options: Options) -> Formula | None:
    """The local partial written on a wire: 1/v_{-1} = 0.5."""
    if options.edges == "none" or (options.edges == "auto" and len(scene.cards) > MOST_PILL_CARDS):
        return None
    if wire.factor is None:
        return None
    shown: Formula = (Token("number", digits(wire.factor)),)
    if not options.values:
        return wire.symbol
    if wire.symbol is None or all(token.kind != "variable" for token in wire.symbol):
        return shown
    return (*fitted(wire.symbol, PILL_TYPE, WIDEST_PILL), Token("text", " = "), *shown)


def _wires(
    pen: Pen,
    scene: Scene,
    placed: Layout,
    labels: Sequence[Formula | None],
    pills: Sequence[Size | None],
    origin: Point,
) -> list[str]:
    left, top = origin
    markup = []
    for place, wire in enumerate(scene.wires):
        route = [(x + left, y + top) for x, y in placed.routes[place]]
        x, y = route[-1]
        route[-1] = (x - ARROW_LENGTH + 3, y)
        markup.append(f'<g data-edge="{wire.tail},{wire.head}">' + pen.tooltip(_tooltip(scene, wire)))
        markup.append(pen.path(curve(route), pen.paint(stroke="line", width=1.6, dash="" if wire.flows else "4 3")))
        arrow = f"M{px(x)},{px(y)}l{-ARROW_LENGTH},{-ARROW_HALF}v{2 * ARROW_HALF}z"
        markup.append(pen.path(arrow, pen.paint(fill="line")))
        label, pill, centre = labels[place], pills[place], placed.pills[place]
        if label and pill and centre:
            (wide, tall), middle = pill, (centre[0] + left, centre[1] + top)
            corner = middle[0] - wide / 2, middle[1] - tall / 2
            markup.append(pen.rect(*corner, wide, tall, tall / 2, pen.paint(fill="pill", stroke="rule")))
            markup.append(pen.formula(middle[0], middle[1] + 4.5, label, PILL_TYPE))
        markup.append("</g>")
    return markup


def _tooltip(scene: Scene, wire: Wire) -> str:
    """A wire in words: its local partial, and what it contributes on the way back."""
    tail, head = scene.cards[wire.tail].symbol, scene.cards[wire.head].symbol
    local = f"∂{plain((head,))}/∂{plain((tail,))}"
    if not wire.flows:
        return f"{plain((tail,))} in {plain((head,))}: no derivative"
    lines = []
    if wire.factor is not None:
        symbol = f"{plain(wire.symbol)} = " if wire.symbol else ""
        lines.append(f"local partial  {local} = {symbol}{np.asarray(wire.factor)[()]!s}")
    if wire.contribution is not None:
        adjoint = plain((tail._replace(bar=True),))
        lines.append(f"contribution to {adjoint}  {described_value(wire.contribution)}")
    return "\n".join(lines) or f"{plain((tail,))} in {plain((head,))}"


class _Item(NamedTuple):
    """One entry of the legend: its symbol, the room that takes, and the words."""

    icon: Callable[[float, float], list[str]]
    indent: float
    words: str
    pen: Pen

    @property
    def width(self) -> float:
        return self.indent + sans_width(self.words, LEGEND_TYPE)

    def drawn(self, x: float, baseline: float) -> list[str]:
        return [*self.icon(x, baseline), self.pen.text(x + self.indent, baseline, self.words, LEGEND_TYPE, "muted")]


def _legend_items(scene: Scene, options: Options, pills: bool) -> list[_Item]:
    """Entries for what this picture contains, no others."""
    pen = Pen(options.theme)
    adjoints = any(card.adjoint is not None for card in scene.cards)

    def triangle(tone: str) -> Callable[[float, float], list[str]]:
        return lambda x, y: [pen.triangle(x + 4, y - 4, tone)]

    def pill(x: float, y: float) -> list[str]:
        frame = pen.rect(x, y - 12, 34, 16, 8, pen.paint(fill="pill", stroke="rule"))
        return [frame, pen.text(x + 17, y, "∂", LEGEND_TYPE, font=SERIF, anchor="middle")]

    def colours(x: float, y: float) -> list[str]:
        return [pen.thumbnail(x, y - 9, 99, 10, [list(range(TOP_LEVEL + 1))])]

    def dashes(x: float, y: float) -> list[str]:
        return [pen.path(f"M{px(x)},{px(y - 4)}h26", pen.paint(stroke="line", width=1.6, dash="4 3"))]

    items = []
    if options.values:
        items.append(_Item(triangle("primal"), 14, "primal v (forward)", pen))
    if options.values and adjoints:
        items.append(_Item(triangle("adjoint"), 14, "adjoint v̄ = ∂f/∂v (reverse)", pen))
    if pills:
        items.append(_Item(pill, 42, "local partial ∂head/∂tail, the factor on the way back", pen))
    if options.values and not all(card.is_scalar for card in scene.cards):
        items.append(_Item(colours, 107, "−max|v| … 0 … +max|v|, per thumbnail", pen))
    if not all(wire.flows for wire in scene.wires):
        items.append(_Item(dashes, 34, "no gradient", pen))
    return items


def _flowed(items: Sequence[_Item], room: float) -> list[list[_Item]]:
    """The legend in rows no wider than the picture."""
    rows: list[list[_Item]] = []
    used = 0.0
    for item in items:
        if not rows or used + LEGEND_GAP + item.width > room:
            rows.append([])
            used = -LEGEND_GAP
        rows[-1].append(item)
        used += LEGEND_GAP + item.width
    return rows
