"""The scene of a picture: cards, wires and boxes, before any geometry."""

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
    """A value that is not computed yet: its shape, its dtype (None if it is no array), and where it is written."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any] | None
    place: str = ""

    @property
    def ndim(self) -> int:
        """The number of its axes."""
        return len(self.shape)


class Result(NamedTuple):
    """A value that leaves a folded part of the graph."""

    symbol: Token
    value: Any
    adjoint: Any | None


class Fold(NamedTuple):
    """The description of a folded part, several operations on one card."""

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
    name: str | None  # the user's name of it
    path: str | None = None  # its path among the members of a module: mlp.layers[0].weight
    box: int | None = None
    fold: Fold | None = None
    tone: str | None = None  # the palette's name of its colour, if it has one
    words: tuple[str, ...] = ()  # more lines of its tooltip

    @property
    def is_scalar(self) -> bool:
        """Whether the value is drawn as a number, not as a heat map."""
        return not isinstance(self.value, Form) and np.ndim(self.value) == 0


class Wire(NamedTuple):
    """One use of a value as an argument of an operation; cards are named by their index."""

    tail: int
    head: int
    symbol: Formula | None  # the local partial as a formula: "cos v_0"
    factor: Any | None  # the local partial as a number, between scalars
    contribution: Any | None  # the share of the tail's adjoint that comes through this wire
    flows: bool  # whether a derivative flows along it
    rule: tuple[Node, int] | None = None  # the operation and the position of the argument, if the head is not folded


class Box(NamedTuple):
    """An open scope."""

    name: str
    note: str
    parent: int | None


class Scene(NamedTuple):
    """Cards in recording order, so that wires run from smaller to larger indices; outer boxes before inner ones."""

    cards: list[Card]
    wires: list[Wire]
    boxes: list[Box]
    root: Node
    naming: Symbols
    equations: dict[Node, Formula]  # right-hand sides, constants by their symbols
    insides: dict[int, Region]  # the region of each folded card
    values: int = 0  # the number of values of the graph
    stale: bool = False  # leaves have been assigned new values: these are shown, without adjoints
    tones: Mapping[str, str] = {}  # the meaning of the colours of the cards

    @property
    def result(self) -> int:
        """The card of the result."""
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
        """The operation with leaves instead of the constant arrays among its arguments."""
        leaves = [None if isinstance(a, Node) else self._outline.constant(a) for a in node.arguments]
        if not any(leaf is not None for leaf in leaves):
            return node
        arguments = (a if leaf is None else leaf for a, leaf in zip(node.arguments, leaves, strict=True))
        copy = stand_in(node.primal, tuple(arguments))
        copy.primitive, copy.parameters, copy.serial = node.primitive, node.parameters, node.serial
        self._standing_for[copy] = node
        return copy
