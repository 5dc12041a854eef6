"""What a picture shows: the cards and wires read from a graph and its adjoints, before any geometry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any, Literal, NamedTuple

import numpy as np

from autodiff.formula import Formula, Token
from autodiff.graph import Node, ancestors, described
from autodiff.notation import Naming, equation, partial
from autodiff.reverse import contribution

Kind = Literal["input", "constant", "operation", "output"]
MOST_CARDS = 1000
EQUALS = Token("text", " = ")


class Card(NamedTuple):
    """One value of the computation."""

    kind: Kind
    symbol: Token
    header: Formula  # "v_1 = ln v_{-1}"
    value: Any
    adjoint: Any | None
    name: str | None

    @property
    def is_scalar(self) -> bool:
        """Whether the value is drawn as a number rather than as a heat map."""
        return np.ndim(self.value) == 0


class Wire(NamedTuple):
    """One use of a value as an argument of an operation; cards are named by their index."""

    tail: int
    head: int
    symbol: Formula | None  # the local partial as a formula: "cos v_0"
    factor: Any | None  # the local partial as a number, between scalars
    contribution: Any | None  # what the tail's adjoint receives over this wire
    flows: bool  # whether a derivative runs along it


class Scene(NamedTuple):
    """Cards in recording order, so every wire runs from a smaller index to a larger one."""

    cards: list[Card]
    wires: list[Wire]
    root: Node
    naming: Symbols
    equations: dict[Node, Formula]  # right-hand sides, constants by their symbols


class Symbols(Naming):
    """The symbols of a graph whose constant arrays have symbols too: c_1, c_2, ... as they are first used."""

    def __init__(self, root: Node) -> None:
        super().__init__(root)
        self.constants: dict[Node, Token] = {}
        self._standing_for: dict[Node, Node] = {}
        self._by_identity: dict[int, Node] = {}

    def __getitem__(self, node: Node) -> Token:
        return self.constants.get(node) or super().__getitem__(self._standing_for.get(node, node))

    def with_leaves(self, node: Node) -> Node:
        """The operation with a leaf in place of every constant array among its arguments."""
        arguments = tuple(self._leaf(argument) for argument in node.arguments)
        if all(leaf is argument for leaf, argument in zip(arguments, node.arguments, strict=True)):
            return node
        copy = _node(node.primal, arguments)
        copy.primitive, copy.parameters, copy.serial = node.primitive, node.parameters, node.serial
        self._standing_for[copy] = node
        return copy

    def _leaf(self, argument: Any) -> Any:
        if isinstance(argument, Node) or np.ndim(argument) == 0:
            return argument
        if id(argument) not in self._by_identity:  # one card for an array that is used several times
            leaf = _node(np.asarray(argument), ())
            self._by_identity[id(argument)] = leaf
            self.constants[leaf] = Token("variable", "c", str(len(self.constants) + 1))
        return self._by_identity[id(argument)]


def _node(primal: Any, arguments: tuple[Any, ...]) -> Node:
    node = Node()
    node.primal, node.primitive, node.arguments, node.parameters = primal, None, arguments, {}
    node.scope, node.serial, node.name = (), -1, None
    return node


def readable(root: Node) -> list[Node]:
    """The nodes of a graph in recording order; ValueError where they are too many for a picture."""
    nodes = ancestors(root)
    count = len(nodes)
    if count <= MOST_CARDS:
        arguments = [argument for node in nodes for argument in node.arguments]
        count += len({id(a) for a in arguments if not isinstance(a, Node) and np.ndim(a)})
    if count > MOST_CARDS:
        raise ValueError(
            f"ad.draw was asked for the graph of {described(root)}, which has {count} values; a picture "
            f"holds at most {MOST_CARDS}. Draw an intermediate result, or the same computation on less data."
        )
    return nodes


def scene(nodes: Sequence[Node], adjoints: Mapping[Node, Any]) -> Scene:
    """The scene of a graph's nodes, the root last; values no adjoint is given for are drawn without one."""
    root = nodes[-1]
    naming = Symbols(root)
    shown = [naming.with_leaves(node) for node in nodes]
    cards: list[Card] = []
    wires: list[Wire] = []
    index: dict[Node, int] = {}
    equations: dict[Node, Formula] = {}
    for node, copy in zip(nodes, shown, strict=True):
        equations[node] = equation(copy, naming)
        for leaf in copy.arguments:
            if leaf in naming.constants and leaf not in index:
                index[leaf] = len(cards)
                symbol = naming.constants[leaf]
                cards.append(Card("constant", symbol, (symbol,), leaf.primal, None, None))
        index[node] = len(cards)
        kind: Kind = "input" if node.primitive is None else "output" if node is root else "operation"
        header = (naming[node], EQUALS, *equations[node])
        if node.primitive is None and node.name is None:
            header = (naming[node],)
        cards.append(Card(kind, naming[node], header, node.primal, adjoints.get(node), node.name))
        for position, argument in enumerate(copy.arguments):
            if isinstance(argument, Node):
                ends = index[argument], index[node]
                wires.append(_wire(node, copy, position, ends, adjoints.get(node), naming))
    return Scene(cards, wires, root, naming, equations)


def _wire(node: Node, copy: Node, position: int, ends: tuple[int, int], adjoint: Any, naming: Naming) -> Wire:
    """The wire into one argument; a rule may divide by zero here, which is the picture's business to show."""
    scalar = np.ndim(node.primal) == 0 and np.ndim(copy.arguments[position].primal) == 0
    with np.errstate(all="ignore"):
        factor = contribution(node, position, 1.0) if scalar else None
        received = None if adjoint is None else contribution(node, position, adjoint)
    flows = isinstance(node.arguments[position], Node) and _has_rule(node, position)
    symbol = partial(copy, position, naming) if scalar and flows else None
    return Wire(*ends, symbol, factor, received, flows)


def _has_rule(node: Node, position: int) -> bool:
    rules = node.primitive.rules if node.primitive is not None else ()
    return next(islice(rules, position, None), None) is not None
