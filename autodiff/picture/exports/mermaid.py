"""The graph in Mermaid's language, which wikis and code hosts draw in their pages."""

from __future__ import annotations

import unicodedata

from autodiff.notation.formula import plain
from autodiff.picture.content.lettering import legal
from autodiff.picture.content.scene import Card, Scene
from autodiff.picture.drawing.stacks import count
from autodiff.picture.drawing.thumbnails import digits, shape

STYLES = {
    "input": "stroke:#1f8ac9,stroke-width:3px",
    "parameter": "stroke:#008a64,stroke-width:3px",
    "constant": "stroke:#768390,stroke-width:2px,stroke-dasharray:5 3",
    "output": "stroke:#c47d00,stroke-width:3px",
}
PLAIN = frozenset(" .,=+/()_×·−∂∞√⁻₋≥≤⊗…")


def flowchart(scene: Scene) -> str:
    """A flowchart from left to right: cards are nodes, open scopes are subgraphs, local partials are on the links."""
    lines = ["flowchart LR"]
    children: dict[int | None, list[int]] = {}
    for index, box in enumerate(scene.boxes):
        children.setdefault(box.parent, []).append(index)
    cards: dict[int | None, list[int]] = {}
    for index, card in enumerate(scene.cards):
        cards.setdefault(card.box, []).append(index)

    def inside(box: int | None, indent: str) -> None:
        for index in cards.get(box, []):
            open_, close = ("[[", "]]") if scene.cards[index].fold else ("(", ")")
            lines.append(f'{indent}n{index}{open_}"{_label(scene.cards[index])}"{close}')
        for index in children.get(box, []):
            lines.append(f'{indent}subgraph s{index}["{_safe(scene.boxes[index].name)}"]')
            inside(index, indent + "  ")
            lines.append(f"{indent}end")

    inside(None, "  ")
    for wire in scene.wires:
        label = f'|"{_safe(digits(wire.factor))}"|' if wire.factor is not None else ""
        lines.append(f"  n{wire.tail} {'-->' if wire.flows else '-.->'}{label} n{wire.head}")
    for kind, style in STYLES.items():
        members = [f"n{index}" for index, card in enumerate(scene.cards) if card.kind == kind]
        if members:
            lines += [f"  classDef {kind} {style}", f"  class {','.join(members)} {kind}"]
    return "\n".join(lines) + "\n"


def _label(card: Card) -> str:
    """The equation, and below it the value and adjoint of a scalar or the shape of an array."""
    title = plain(card.header) if card.fold is None else f"{card.fold.name} ({count(card.fold)})"
    if not card.is_scalar:
        return f"{_safe(title)}<br/>{_safe(shape(card.value))}"
    adjoint = f", adjoint {digits(card.adjoint)}" if card.adjoint is not None else ""
    return f"{_safe(title)}<br/>{_safe(digits(card.value) + adjoint)}"


def _safe(text: str) -> str:
    """Text for Mermaid's quotes: characters other than letters, digits and plain signs become codes, #60; for <."""
    return "".join(
        c if c in PLAIN or unicodedata.category(c)[0] in "LNM" else f"#{ord(c)};" for c in " ".join(legal(text).split())
    )
