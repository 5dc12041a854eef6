"""What a picture shows: cards, wires and boxes, before any geometry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

import numpy as np

from autodiff.engine.graph import Node
from autodiff.notation.formula import Formula, Token
from autodiff.notation.naming import Naming
from autodiff.picture.content.outline import Outline, Region, stand_in

Kind = Literal["input", "parameter", "constant", "operation", "output", "outer"]


TONES = tuple(
    f"buffer-{letter}" for letter in "abcdefgh"
)  # the palette's names of colours for cards that share something


class Form(NamedTuple):
    """What is known of a value before it is computed: its shape, its dtype (None of no array), where it is written."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any] | None
    place: str = ""

    @property
    def ndim(self) -> int:
        """The number of its axes."""
        return len(self.shape)


class Result(NamedTuple):
    """One of the values that leave a folded part of the graph."""

    symbol: Token
    value: Any
    adjoint: Any | None


class Fold(NamedTuple):
    """What a card that stands for several operations says of them."""

    name: str
    note: str
    operations: int
    results: tuple[Result, ...] = ()  # the values that leave it, in recording order


class Card(NamedTuple):
    """One value of the computation, or the last value of a folded part of it."""

    kind: Kind
    symbol: Token
    header: Formula  # "v_1 = ln v_{-1}"
    value: Any
    adjoint: Any | None
    name: str | None  # what its user calls it
    path: str | None = None  # where it is among the members of a module: mlp.layers[0].weight
    box: int | None = None
    fold: Fold | None = None
    tone: str | None = None  # the palette's name of its colour, if it has one
    words: tuple[str, ...] = ()  # more lines of its tooltip

    @property
    def is_scalar(self) -> bool:
        """Whether the value is drawn as a number rather than as a heat map."""
        return not isinstance(self.value, Form) and np.ndim(self.value) == 0


class Wire(NamedTuple):
    """One use of a value as an argument of an operation; cards are named by their index."""

    tail: int
    head: int
    symbol: Formula | None  # the local partial as a formula: "cos v_0"
    factor: Any | None  # the local partial as a number, between scalars
    contribution: Any | None  # what the tail's adjoint receives over this wire
    flows: bool  # whether a derivative runs along it
    rule: tuple[Node, int] | None = None  # which argument of which operation, if the head is not folded


class Box(NamedTuple):
    """An open scope."""

    name: str
    note: str
    parent: int | None


class Scene(NamedTuple):
    """Cards in recording order, so every wire runs from a smaller index to a larger one; outer boxes before inner."""

    cards: list[Card]
    wires: list[Wire]
    boxes: list[Box]
    root: Node
    naming: Symbols
    equations: dict[Node, Formula]  # right-hand sides, constants by their symbols
    insides: dict[int, Region]  # what each folded card stands for
    values: int = 0  # how many the graph has
    stale: bool = False  # leaves were assigned new values since: they are shown as they are now, without adjoints
    tones: Mapping[str, str] = {}  # what the colours of its cards stand for

    @property
    def result(self) -> int:
        """The card that the result is on."""
        return next((k for k, card in enumerate(self.cards) if card.kind == "output"), 0)


class Symbols(Naming):
    """The symbols of a graph whose constant arrays are leaves."""

    def __init__(self, root: Node, outline: Outline) -> None:
        super().__init__(root)
        arrays = {key: symbol for key, (symbol, _) in self.constant_arrays.items()}
        self.constants = {leaf: arrays[key] for key, leaf in outline.constants.items()}
        self._outline = outline
        self._standing_for: dict[Node, Node] = {}

    def __getitem__(self, node: Node) -> Token:
        return self.constants.get(node) or super().__getitem__(self._standing_for.get(node, node))

    def with_leaves(self, node: Node) -> Node:
        """The operation with a leaf in place of every constant array among its arguments."""
        leaves = [None if isinstance(a, Node) else self._outline.constant(a) for a in node.arguments]
        if not any(leaf is not None for leaf in leaves):
            return node
        arguments = (a if leaf is None else leaf for a, leaf in zip(node.arguments, leaves, strict=True))
        copy = stand_in(node.primal, tuple(arguments))
        copy.primitive, copy.parameters, copy.serial = node.primitive, node.parameters, node.serial
        self._standing_for[copy] = node
        return copy
