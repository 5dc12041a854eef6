"""The whole picture as SVG: frame, title, boxes of scopes, wires with their local partials, cards, legend."""

from __future__ import annotations

from autodiff.notation.formula import Formula, plain
from autodiff.notation.naming import ASSIGNED_SINCE
from autodiff.picture.content.lettering import esc, fitted, header_width
from autodiff.picture.content.scene import Scene
from autodiff.picture.drawing.cards import card_markup
from autodiff.picture.drawing.pen import FLUID, SANS, Pen
from autodiff.picture.drawing.plan import BOX_NAME_TYPE, BOX_NOTE_TYPE, BOX_TITLE, MARGIN, Options, Plan
from autodiff.picture.drawing.thumbnails import described_value
from autodiff.picture.drawing.wires import wires_markup
from autodiff.picture.geometry.layout import Point

from . import legend

FRAME_RADIUS, BOX_RADIUS = 10, 14
CONTINUED = "continued"
TITLE_TYPE, TITLE_BASELINE, TITLE_HEIGHT, WIDEST_TITLE = 19, 33, 38, 860


def svg(plan: Plan, options: Options) -> str:
    """The picture of a scene as planned: the same text for the same scene, byte for byte."""
    scene, placed, down = plan.scene, plan.placed, plan.down
    pen = Pen(options.theme, options.roles)
    title = fitted(options.title, TITLE_TYPE, WIDEST_TITLE) if options.title else None
    items = legend.entries(pen, scene, options.values, any(plan.pills), plan.compared) if options.legend else []
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
    frames, captions = _boxes(pen, plan, origin)
    body += frames
    body += wires_markup(pen, plan, origin)
    body += captions
    for index, (card, (x, y), size) in enumerate(zip(scene.cards, placed.cards, plan.sizes, strict=True)):
        corner = x + origin[0], y + origin[1]
        body.append(card_markup(pen, card, corner, size, index, options.values, down, plan.columns[index]))
    for line, row in enumerate(rows):
        x, baseline = float(MARGIN), height - 17 - legend.LINE * (len(rows) - 1 - line)
        for item in row:
            body += item.drawn(x, baseline)
            x += item.width + legend.GAP
    return "\n".join([*_head(scene, title, width, height), *filter(None, [pen.style()]), *body, "</svg>"]) + "\n"


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
        f'width="{width}" height="{height}"{FLUID} font-family="{SANS}">',
        f"<desc>{esc('; '.join(facts))}</desc>",
    ]


def _whole(length: float) -> int:
    return -int(-length // 1)


def _boxes(pen: Pen, plan: Plan, origin: Point) -> tuple[list[str], list[str]]:
    """The boxes with their titles; where wires run down through the titles, these are apart, to be drawn over them."""
    frames, captions = [], []
    levels: list[int] = []
    for box in plan.scene.boxes:
        levels.append(0 if box.parent is None else levels[box.parent] + 1)
    for piece in plan.placed.boxes:
        index, (x, y), (width, height) = piece.box, piece.corner, piece.size
        fill = "scope-inner" if levels[index] % 2 else "scope"
        x, y = x + origin[0], y + origin[1]
        box = plan.scene.boxes[index]
        name, note, wide = plan.names[index]
        if not piece.begins:
            note = CONTINUED
        title = pen.caption(x + 14, y + BOX_TITLE, name, note, BOX_NAME_TYPE, BOX_NOTE_TYPE)
        opening = f'<g data-scope="{index}">' + pen.tooltip(f"{box.name}{f': {box.note}' if box.note else ''}")
        whole = piece.begins and piece.ends
        paint = pen.paint(fill=fill, stroke="scope-border")
        frame = (
            pen.rect(x, y, width, height, BOX_RADIUS, paint)
            if whole
            else pen.opened(x, y, width, height, BOX_RADIUS, piece.begins, piece.ends, fill, "scope-border")
        )
        if plan.down:
            behind = pen.rect(x + 10, y + 6, wide - BOX_TITLE, BOX_TITLE, 4, pen.paint(fill=fill))
            frames += [opening, frame, "</g>"]
            captions += [opening, behind, title, "</g>"]
        else:
            frames += [opening, frame, title, "</g>"]
    return frames, captions
