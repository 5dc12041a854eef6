"""The graph in Graphviz' language, for its layouts and formats."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autodiff.notation.formula import plain
from autodiff.picture.content.lettering import legal
from autodiff.picture.content.scene import Card, Scene
from autodiff.picture.drawing.cards import tooltip
from autodiff.picture.drawing.pen import PALETTE
from autodiff.picture.drawing.stacks import count
from autodiff.picture.drawing.thumbnails import digits, shape

if TYPE_CHECKING:
    import graphviz

MISSING = (
    "Graphviz's `dot` is not installed (apt install graphviz / brew install graphviz / winget install graphviz); "
    "engine='builtin' draws the same graph without it."
)


def digraph(scene: Scene, title: str = "") -> graphviz.Digraph:
    """The scene as a Digraph: nodes n0, n1, ... in recording order with plain labels, a cluster for every open scope.

    Every text passes through graphviz.escape, because a label of the form <...> would be read as HTML.
    """
    import graphviz  # here because importing it takes longer than the rest of the package

    def safe(text: str) -> str:
        # dot reads character references in plain labels too, and copies malformed ones into its SVG.
        escaped: str = graphviz.escape(legal(text).replace("&", "&amp;"))
        return escaped

    graph = graphviz.Digraph(
        graph_attr={"rankdir": "LR", "label": safe(title), "labelloc": "t", "labeljust": "l"},
        node_attr={"shape": "box", "style": "rounded,filled", "fillcolor": PALETTE["card"][0]},
        edge_attr={"color": PALETTE["line"][0]},
    )
    clusters = [
        graphviz.Digraph(
            f"cluster_{index}",
            graph_attr={
                "label": safe(f"{box.name}   {box.note}" if box.note else box.name),
                "tooltip": safe(box.name),
                "style": "rounded,filled",
                "color": PALETTE["scope-border"][0],
                "fillcolor": PALETTE["scope"][0],
            },
        )
        for index, box in enumerate(scene.boxes)
    ]
    for index, card in enumerate(scene.cards):
        border = PALETTE["line" if card.kind == "operation" else card.kind][0]
        cluster = graph if card.box is None else clusters[card.box]
        stack = {"peripheries": "2"} if card.fold else {}
        cluster.node(f"n{index}", label=safe(_label(card)), tooltip=safe(tooltip(card)), color=border, **stack)
    within: dict[int | None, list[int]] = {}
    for index, box in enumerate(scene.boxes):
        within.setdefault(box.parent, []).append(index)
    # A cluster is copied when it is added, so the innermost are added first.
    for around, inner in reversed(within.items()):
        for index in inner:
            (graph if around is None else clusters[around]).subgraph(clusters[index])
    for wire in scene.wires:
        label = digits(wire.factor) if wire.factor is not None else ""
        style = {} if wire.flows else {"style": "dashed"}
        graph.edge(f"n{wire.tail}", f"n{wire.head}", label=safe(label), **style)
    return graph


def rendered(graph: graphviz.Digraph) -> str:
    """The SVG that the `dot` program makes from a graph."""
    import graphviz

    try:
        markup: str = graph.pipe(format="svg", encoding="utf-8")
    except graphviz.ExecutableNotFound:
        raise RuntimeError(MISSING) from None
    return markup


def _label(card: Card) -> str:
    """The equation, and below it the value and adjoint of a scalar or the shape of an array."""
    title = plain(card.header) if card.fold is None else f"{card.fold.name} ({count(card.fold)})"
    if not card.is_scalar:
        return f"{title}\n{shape(card.value)}"
    bar = plain((card.symbol._replace(bar=True),))
    adjoint = f"   {bar} = {digits(card.adjoint)}" if card.adjoint is not None else ""
    return f"{title}\n{plain((card.symbol,))} = {digits(card.value)}{adjoint}"
