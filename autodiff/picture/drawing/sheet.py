"""The whole picture as SVG: frame, title, boxes of scopes, wires with their local partials, cards, legend."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np

from autodiff.notation.formula import Formula, Token, plain
from autodiff.notation.naming import ASSIGNED_SINCE
from autodiff.picture.content.lettering import BOLD, cut, esc, fitted, header_width, sans_width, serif_width
from autodiff.picture.content.scene import Scene, Wire
from autodiff.picture.drawing.cards import card_markup, size_of
from autodiff.picture.drawing.pen import FLUID, Pen, Theme, arrow, curve
from autodiff.picture.drawing.thumbnails import described_value, digits
from autodiff.picture.geometry.lattice import Size, widths
from autodiff.picture.geometry.layout import Point
from autodiff.picture.geometry.nesting import OUTSIDE, Arrangement, Leg, nested

from . import legend

Edges = Literal["auto", "all", "none"]
Direction = Literal["LR", "TB"]

MARGIN, FRAME_RADIUS = 28, 10
TITLE_TYPE, TITLE_BASELINE, TITLE_HEIGHT, WIDEST_TITLE = 19, 33, 38, 1000
BOX_RADIUS, BOX_TITLE, BOX_NAME_TYPE, BOX_NOTE_TYPE, WIDEST_BOX_TITLE = 14, 20, 12.5, 12, 600
PILL_TYPE, PILL_HEIGHT, WIDEST_PILL = 13.5, 21, 200
MOST_PILL_CARDS = 60
NEARLY = 1.25
WIDE = 953  # px, a notebook's cell in a usual window
WIRE, THIN_WIRE, MANY_LEGS = 1.6, 1.0, 150
ARROW_LENGTH, ARROW_HALF = 9, 4.2
SCALAR_GAP, ARRAY_GAP, PILL_GAP_X, GAP_X = 26, 22, 60, 40


class Options(NamedTuple):
    """What the caller of draw may choose about the look."""

    values: bool = True
    edges: Edges = "auto"
    theme: Theme = "auto"
    legend: bool = True
    title: Formula | None = None
    direction: Direction | None = None  # None: what is better to read in a window that is WIDE
    roles: bool = False  # marks for the stepper


def svg(scene: Scene, options: Options) -> str:
    """The picture of a scene: the same text for the same scene, byte for byte."""
    pen = Pen(options.theme, options.roles)
    sizes = _evened([size_of(card, options.values) for card in scene.cards], scene)
    labels = [_label(scene, wire, options) for wire in scene.wires]
    pills: list[Size | None] = [
        (serif_width(label, PILL_TYPE) + 18, PILL_HEIGHT) if label else None for label in labels
    ]
    names = [_box_title(box.name, box.note) for box in scene.boxes]
    placed, down = _placed(scene, sizes, pills, [width for *_, width in names], options.direction)
    title = fitted(options.title, TITLE_TYPE, WIDEST_TITLE) if options.title else None
    items = legend.entries(pen, scene, options.values, any(pills)) if options.legend else []
    room = max(
        placed.width,
        min(legend.LEAST_WIDTH, sum(item.width + legend.GAP for item in items)),
        header_width(title, TITLE_TYPE) if title else 0.0,
        *(item.width for item in items),
    )
    rows = legend.flowed(items, room)
    width = _whole(room + 2 * MARGIN)
    top = MARGIN + (TITLE_HEIGHT if title else 8)
    height = _whole(top + placed.height + (30 + legend.LINE * len(rows) if rows else MARGIN))
    origin = (width - placed.width) / 2, float(top)
    body = [pen.rect(0.5, 0.5, width - 1, height - 1, FRAME_RADIUS, pen.paint("paper", "rule"))]
    if title:
        body.append(pen.formula(MARGIN, TITLE_BASELINE, title, TITLE_TYPE, "start"))
    frames, captions = _boxes(pen, scene, names, placed, origin, down)
    body += frames
    body += _wires(pen, scene, placed, labels, pills, origin, down)
    body += captions
    for index, (card, (x, y), size) in enumerate(zip(scene.cards, placed.cards, sizes, strict=True)):
        body.append(card_markup(pen, card, (x + origin[0], y + origin[1]), size, index, options.values, down))
    for line, row in enumerate(rows):
        x, baseline = float(MARGIN), height - 17 - legend.LINE * (len(rows) - 1 - line)
        for item in row:
            body += item.drawn(x, baseline)
            x += item.width + legend.GAP
    return "\n".join([*_head(scene, title, width, height), *filter(None, [pen.style()]), *body, "</svg>"]) + "\n"


def _placed(
    scene: Scene,
    sizes: Sequence[Size],
    pills: Sequence[Size | None],
    titles: Sequence[float],
    direction: Direction | None,
) -> tuple[Arrangement, bool]:
    """Where everything stands, and whether that is from the top down."""
    wires = [(wire.tail, wire.head) for wire in scene.wires]
    gap_x = PILL_GAP_X if any(pills) else GAP_X
    gap_y = SCALAR_GAP if all(card.is_scalar for card in scene.cards) else ARRAY_GAP

    def placed(down: bool) -> Arrangement:
        homes = [OUTSIDE if card.box is None else card.box for card in scene.cards]
        parents = [OUTSIDE if box.parent is None else box.parent for box in scene.boxes]
        return nested(sizes, homes, parents, wires, pills, titles, gap_x=gap_x, gap_y=gap_y, down=down)

    if direction is not None:
        return placed(direction == "TB"), direction == "TB"
    room = WIDE - 2 * MARGIN
    across, downwards = widths(sizes, wires, pills, gap_x, gap_y)  # at least: boxes take more
    if across > room and downwards < across:
        return placed(True), True
    chosen = placed(False)
    if across <= room < chosen.width and (other := placed(True)).width < chosen.width:
        return other, True
    return chosen, False


def _evened(sizes: Sequence[Size], scene: Scene) -> list[Size]:
    """Cards that are nearly as narrow as the narrowest made equally wide, so that columns have straight edges."""
    evened = list(sizes)
    for folded in (False, True):
        alike = [k for k, card in enumerate(scene.cards) if (card.fold is not None) == folded]
        limit = min((sizes[k][0] for k in alike), default=0.0) * NEARLY
        common = max((sizes[k][0] for k in alike if sizes[k][0] <= limit), default=0.0)
        for k in alike:
            evened[k] = max(sizes[k][0], common), sizes[k][1]
    return evened


def _head(scene: Scene, title: Formula | None, width: int, height: int) -> list[str]:
    label = f"Computation graph: {plain(title)}" if title else f"Computation graph with {scene.values:,} values"
    result = scene.cards[scene.result]
    facts = [f"{plain((result.symbol,))} = {described_value(result.value)}"]
    facts += [
        f"adjoint of {plain(card.header)}: {described_value(card.adjoint)}"
        for card in scene.cards
        if card.kind == "input" and card.adjoint is not None
    ]
    if scene.stale:
        facts.append(ASSIGNED_SINCE)
    return [
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{esc(label)}" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}"{FLUID}>',
        f"<desc>{esc('; '.join(facts))}</desc>",
    ]


def _whole(length: float) -> int:
    return -int(-length // 1)


# -- boxes -------------------------------------------------------------------------------------------------------


def _box_title(name: str, note: str) -> tuple[str, str, float]:
    """The name and the note of a box as they fit, and the width that takes."""
    name = cut(name, BOX_NAME_TYPE, WIDEST_BOX_TITLE / 2)
    wide = sans_width(name, BOX_NAME_TYPE) * BOLD + BOX_TITLE + 8
    note = cut(note, BOX_NOTE_TYPE, WIDEST_BOX_TITLE - wide)
    return name, note, wide + sans_width(note, BOX_NOTE_TYPE) + (BOX_TITLE if note else 0)


def _boxes(
    pen: Pen,
    scene: Scene,
    titles: Sequence[tuple[str, str, float]],
    placed: Arrangement,
    origin: Point,
    down: bool,
) -> tuple[list[str], list[str]]:
    """The boxes with their titles; where wires run down through the titles, these are apart, to be drawn over them."""
    frames, captions = [], []
    levels: list[int] = []
    for index, box in enumerate(scene.boxes):
        levels.append(0 if box.parent is None else levels[box.parent] + 1)
        fill = "scope-inner" if levels[index] % 2 else "scope"
        (x, y), (width, height) = placed.boxes[index]
        x, y = x + origin[0], y + origin[1]
        name, note, wide = titles[index]
        title = pen.caption(x + 14, y + BOX_TITLE, name, note, BOX_NAME_TYPE, BOX_NOTE_TYPE)
        opening = f'<g data-scope="{index}">' + pen.tooltip(f"{box.name}{f': {box.note}' if box.note else ''}")
        frame = pen.rect(x, y, width, height, BOX_RADIUS, pen.paint(fill=fill, stroke="scope-border"))
        if down:
            behind = pen.rect(x + 10, y + 6, wide - BOX_TITLE, BOX_TITLE, 4, pen.paint(fill=fill))
            frames += [opening, frame, "</g>"]
            captions += [opening, behind, title, "</g>"]
        else:
            frames += [opening, frame, title, "</g>"]
    return frames, captions


# -- wires -------------------------------------------------------------------------------------------------------


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
    placed: Arrangement,
    labels: Sequence[Formula | None],
    pills: Sequence[Size | None],
    origin: Point,
    down: bool,
) -> list[str]:
    markup = []
    for leg in placed.legs:
        first = leg.wires[0]
        edges = " ".join(f"{scene.wires[k].tail},{scene.wires[k].head}" for k in leg.wires)
        markup.append(f'<g data-edge="{edges}">' + pen.tooltip(_tooltip(scene, leg)))
        flows = any(scene.wires[k].flows for k in leg.wires)
        markup += _line(pen, leg, origin, flows, WIRE if len(placed.legs) <= MANY_LEGS else THIN_WIRE, down)
        label, pill, centre = labels[first], pills[first], placed.pills[first]
        if leg.arrives and label and pill and centre:
            (wide, tall), middle = pill, (centre[0] + origin[0], centre[1] + origin[1])
            corner = middle[0] - wide / 2, middle[1] - tall / 2
            paint = pen.paint(fill="pill", stroke="rule")
            markup.append(pen.rect(*corner, wide, tall, tall / 2, paint, role="pill"))
            markup.append(pen.formula(middle[0], middle[1] + 4.5, label, PILL_TYPE))
        markup.append("</g>")
    return markup


def _line(pen: Pen, leg: Leg, origin: Point, flows: bool, width: float, down: bool) -> list[str]:
    route = [(x + origin[0], y + origin[1]) for x, y in leg.route]
    start, end = route[0], route[-1]
    if leg.arrives:
        short = ARROW_LENGTH - 3
        route[-1] = (end[0], end[1] - short) if down else (end[0] - short, end[1])
    paint = pen.paint(stroke="line", width=width, dash="" if flows else "4 3")
    parts = [pen.path(curve(route, down), paint, role="wire")]
    if leg.arrives:
        parts.append(pen.path(arrow(end, ARROW_LENGTH, ARROW_HALF, down), pen.paint(fill="line"), role="head"))
    if leg.departs and pen.roles:  # the arrow head of the way back, which the stepper shows
        parts.append(pen.path(arrow(start, -ARROW_LENGTH, ARROW_HALF, down), pen.paint(), role="back"))
    return parts


def _tooltip(scene: Scene, leg: Leg) -> str:
    """A wire in words: its local partial, and what it contributes on the way back."""
    wire = scene.wires[leg.wires[0]]
    tail, head = (_named(scene, index) for index in (wire.tail, wire.head))
    if len(leg.wires) > 1 or not leg.arrives:
        heads = ", ".join(dict.fromkeys(_named(scene, scene.wires[k].head) for k in leg.wires[:12]))
        return f"{tail} to {heads}{', …' if len(leg.wires) > 12 else ''}"
    if not wire.flows:
        return f"{tail} in {head}: no derivative"
    lines = []
    if wire.factor is not None:
        symbol = f"{plain(wire.symbol)} = " if wire.symbol else ""
        lines.append(f"local partial  ∂{head}/∂{tail} = {symbol}{np.asarray(wire.factor)[()]!s}")
    if wire.contribution is not None:
        adjoint = plain((scene.cards[wire.tail].symbol._replace(bar=True),))
        lines.append(f"contribution to {adjoint}  {described_value(wire.contribution)}")
    return "\n".join(lines) or f"{tail} in {head}"


def _named(scene: Scene, index: int) -> str:
    card = scene.cards[index]
    return plain((card.symbol,)) if card.fold is None else card.fold.name
