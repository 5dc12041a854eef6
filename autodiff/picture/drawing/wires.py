"""The wires as SVG: curves with arrow heads, the local partials in pills, tooltips."""

from __future__ import annotations

import numpy as np

from autodiff.notation.formula import plain
from autodiff.picture.content.scene import Scene
from autodiff.picture.drawing.pen import Pen, arrow, curve
from autodiff.picture.drawing.plan import PILL_TYPE, Plan
from autodiff.picture.drawing.thumbnails import described_value
from autodiff.picture.geometry.layout import Point
from autodiff.picture.geometry.nesting import Leg

WIRE, THIN_WIRE, MANY_LEGS = 1.6, 1.0, 150
ARROW_LENGTH, ARROW_HALF = 9, 4.2


def wires_markup(pen: Pen, plan: Plan, origin: Point) -> list[str]:
    """The wires, each with its tooltip, and the local partials on them."""
    scene, placed, down = plan.scene, plan.placed, plan.down
    markup = []
    for leg in placed.legs:
        first = leg.wires[0]
        edges = " ".join(f"{scene.wires[k].tail},{scene.wires[k].head}" for k in leg.wires)
        markup.append(f'<g data-edge="{edges}">' + pen.tooltip(_tooltip(scene, leg)))
        flows = any(scene.wires[k].flows for k in leg.wires)
        markup += _line(pen, leg, origin, flows, WIRE if len(placed.legs) <= MANY_LEGS else THIN_WIRE, down)
        label, pill, centre = plan.labels[first], plan.pills[first], placed.pills[first]
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
    if leg.departs and pen.roles:  # the arrow head of the reverse pass, which the stepper shows
        parts.append(pen.path(arrow(start, -ARROW_LENGTH, ARROW_HALF, down), pen.paint(), role="back"))
    return parts


def _tooltip(scene: Scene, leg: Leg) -> str:
    """A wire as text: its local partial, and its contribution in the reverse pass."""
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
