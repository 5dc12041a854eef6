"""A scene as indented lines, for places that cannot show a picture."""

from __future__ import annotations

from autodiff.notation.formula import plain
from autodiff.notation.naming import ASSIGNED_SINCE
from autodiff.picture.content.scene import Card, Scene
from autodiff.picture.drawing.stacks import count
from autodiff.picture.drawing.thumbnails import digits, shape


def words(scene: Scene) -> str:
    """One line for each card, with its value and adjoint, indented like the nested boxes."""
    lines = [f"{scene.values:,} values in {len(scene.cards):,} cards"]
    open_boxes: list[int] = []
    for card in scene.cards:
        around: list[int] = []
        box = card.box
        while box is not None:
            around.insert(0, box)
            box = scene.boxes[box].parent
        for depth, index in enumerate(around):
            if depth >= len(open_boxes) or open_boxes[depth] != index:
                name, note, _ = scene.boxes[index]
                lines.append("  " * depth + name + (f" ({note})" if note else "") + ":")
        open_boxes = around
        lines.append("  " * len(around) + line(card))
    return "\n".join([*lines, *([ASSIGNED_SINCE] if scene.stale else [])])


def line(card: Card) -> str:
    """A card in one line: v₁ = ln v₋₁: 0.6931, adjoint 1."""
    if card.fold is None:
        title = plain(card.header)
    else:
        size = "" if card.fold.name.startswith(f"{card.fold.operations:,} ") else f" ({count(card.fold)})"
        title = f"{card.fold.name}{size}, {plain((card.symbol,))}"
    adjoint = f", adjoint {digits(card.adjoint)}" if card.adjoint is not None and card.is_scalar else ""
    return f"{title}: {digits(card.value) if card.is_scalar else shape(card.value)}{adjoint}"
