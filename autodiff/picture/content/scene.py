"""What a picture shows: the cards, wires and boxes read from a graph and its adjoints, before any geometry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any, Literal, NamedTuple

import numpy as np

from autodiff.engine.devices import fetched
from autodiff.engine.graph import Node, operands
from autodiff.engine.reverse import conjugated, contribution
from autodiff.notation.formula import Formula, Token, clean
from autodiff.notation.naming import Naming, assigned_since, equation, named, partial
from autodiff.picture.content.folding import Earlier, Folding
from autodiff.picture.content.outline import Leaf, Outline, Region, stand_in

Kind = Literal["input", "parameter", "constant", "operation", "output"]
LONGEST_NOTE = 80  # characters of what is written beside the name of a box
EQUALS = Token("text", " = ")
MOST_SHARES = 1000  # a folded card that uses a value more often does not say what it contributes to it


class Fold(NamedTuple):
    """What a card that stands for several operations says of them."""

    name: str
    note: str
    operations: int
    results: int  # how many values leave it


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
    values: int  # how many the graph has
    stale: bool = False  # leaves were assigned new values since: they are shown as they are now, without adjoints

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


def scene(nodes: Sequence[Node], adjoints: Mapping[Node, Any], outline: Outline, folding: Folding) -> Scene:
    """The scene of a graph's nodes, the root last; values no adjoint is given for are drawn without one."""
    return _Reading(nodes, adjoints, outline, folding).scene()


class _Reading:
    """The cards, as they are read from the outline, and which card each value of the graph is on."""

    def __init__(self, nodes: Sequence[Node], adjoints: Mapping[Node, Any], outline: Outline, folding: Folding) -> None:
        self.root, self.count = nodes[-1], len(nodes)
        self.adjoints = {node: fetched(g) for node, g in adjoints.items()}
        self.outline, self.folding = outline, folding
        self.naming = Symbols(self.root, outline)
        self.cards: list[Card] = []
        self.boxes: list[Box] = []
        self.shown: dict[int, tuple[Node, Node]] = {}  # by card: an operation, and it with leaves for its constants
        self.folds: dict[int, list[Node]] = {}  # by card: the operations on it
        self.card_of: dict[Node, int] = {}
        self.equations: dict[Node, Formula] = {}
        self.calls: dict[int, list[Region]] = {}
        for region in outline.whole.inner():
            self.calls.setdefault(id(region.frame), []).append(region)

    def scene(self) -> Scene:
        self._read(self.outline.whole, None)
        self._name_results()
        wires = [wire for head in range(len(self.cards)) for wire in self._wires(head)]
        return Scene(self.cards, wires, self.boxes, self.root, self.naming, self.equations, self.count)

    # -- cards ---------------------------------------------------------------------------------------------------

    def _read(self, region: Region, box: int | None) -> None:
        earlier = self.folding.earlier.get(region, Earlier())
        gone = [leaf for leaf in region.leaves if leaf.last_used < earlier.leaves]
        hidden = {id(item) for item in (*region.items[: earlier.items], *gone)}
        last = region.items[earlier.items - 1] if earlier.items else None
        for item in region.contents:
            if item is last:
                items = region.items[: earlier.items]
                operations = [node for part in items for node in _operations(part)]
                gone += [leaf for part in items for leaf in _leaves(part)]
                name = f"{len(operations):,} earlier operation{'s' if len(operations) > 1 else ''}"
                fold = Fold(name, "", len(operations), 0)
                self._fold(operations, gone, fold, None, box)
            elif id(item) in hidden:
                continue
            elif isinstance(item, Leaf):
                self._leaf(item, region, box)
            elif isinstance(item, Node):
                self._operation(item, box)
            elif item in self.folding.open:
                self.boxes.append(Box(*self._title(item), box))
                self._read(item, len(self.boxes) - 1)
            else:
                operations = list(item.operations())
                fold = Fold(*self._title(item), len(operations), 0)
                self._fold(operations, _leaves(item), fold, self.outline.members.path(item.frame), box)

    def _add(self, card: Card, *nodes: Node) -> None:
        for node in nodes:
            self.card_of[node] = len(self.cards)
        self.cards.append(card)

    def _leaf(self, leaf: Leaf, region: Region, box: int | None) -> None:
        node, members = leaf.node, self.outline.members
        symbol = self.naming[node]
        member = node.primal if leaf.constant else node
        path = members.path(member)
        title = named(members.name(member, region.frame)) if path else self.naming.title(node)
        kind: Kind = "constant" if leaf.constant else "parameter" if path else "input"
        header = (symbol, EQUALS, *title) if title else (symbol,)
        value = np.array(fetched(node.primal))[()]  # a copy: a leaf may be assigned anew before the picture is saved
        self._add(Card(kind, symbol, header, value, self.adjoints.get(node), node.name, path, box), node)
        if not leaf.constant:
            self.equations[node] = title or ()

    def _operation(self, node: Node, box: int | None) -> None:
        copy = self.naming.with_leaves(node)
        self.equations[node] = equation(copy, self.naming)
        header = (self.naming[node], EQUALS, *self.equations[node])
        kind: Kind = "output" if node is self.root else "operation"
        around = self.outline.within.get(node)
        path = None if around is None else self.outline.members.path(around.frame)
        adjoint = self.adjoints.get(node)
        self.shown[len(self.cards)] = node, copy
        self._add(Card(kind, self.naming[node], header, fetched(node.primal), adjoint, node.name, path, box), node)

    def _fold(self, operations: list[Node], leaves: list[Leaf], fold: Fold, path: str | None, box: int | None) -> None:
        self.folds[len(self.cards)] = operations
        last = operations[-1]
        header = (Token("text", fold.name),)
        card = Card("operation", self.naming[last], header, fetched(last.primal), None, None, path, box, fold)
        self._add(card, *operations, *(leaf.node for leaf in leaves))

    def _name_results(self) -> None:
        """What leaves each folded card; the last such value is the one it shows."""
        results: dict[int, dict[Node, None]] = {card: {} for card in self.folds}
        for node, card in self.card_of.items():
            for argument in operands(node):
                source = self.card_of.get(argument, card) if isinstance(argument, Node) else card
                if source != card and source in results:
                    results[source][argument] = None
        for card, leaving in results.items():
            shown = self.root if self.card_of.get(self.root) == card else max(leaving, key=lambda n: n.serial)
            old = self.cards[card]
            assert old.fold is not None
            self.cards[card] = old._replace(
                kind="output" if shown is self.root else "operation",
                symbol=self.naming[shown],
                value=fetched(shown.primal),
                adjoint=self.adjoints.get(shown),
                name=shown.name,
                fold=old.fold._replace(results=len(leaving)),
            )

    def _title(self, region: Region) -> tuple[str, str]:
        """The name and the note of a scope."""
        frame, members = region.frame, self.outline.members
        if isinstance(frame, str):
            return clean(frame), ""
        modules = [r.frame for r in region.around() if r.frame is not None and not isinstance(r.frame, str)]
        calls = self.calls[id(frame)]
        note = members.note(frame)
        if len(calls) > 1:
            note += f" · call {next(k for k, call in enumerate(calls, 1) if call is region)}"
        return clean(members.name(frame, modules[1] if len(modules) > 1 else None)), clean(note, LONGEST_NOTE)

    # -- wires ---------------------------------------------------------------------------------------------------

    def _wires(self, head: int) -> list[Wire]:
        if head in self.folds:
            return self._gathered(head)
        if head not in self.shown:
            return []
        node, copy = self.shown[head]
        return [
            self._wire(node, copy, position, self.card_of[argument], head)
            for position, argument in enumerate(operands(copy))
            if isinstance(argument, Node)
        ]

    def _wire(self, node: Node, copy: Node, position: int, tail: int, head: int) -> Wire:
        """The wire into one argument; a rule may divide by zero here, which is the picture's business to show."""
        scalar = np.ndim(node.primal) == 0 and np.ndim(copy.arguments[position].primal) == 0
        scalar = scalar and not assigned_since([node])  # a local partial would mix what was and what is
        adjoint = self.adjoints.get(node)
        with np.errstate(all="ignore"):
            factor = fetched(contribution(node, position, 1.0)) if scalar else None
            received = None if adjoint is None else _contribution(node, position, adjoint)
        flows = isinstance(node.arguments[position], Node) and _has_rule(node, position)
        symbol = partial(copy, position, self.naming) if scalar and flows else None
        return Wire(tail, head, symbol, factor, received, flows, (copy, position))

    def _gathered(self, head: int) -> list[Wire]:
        """The wires into a folded card: one from each card that it uses, with what they contribute together."""
        uses: dict[int, list[tuple[Node, int]]] = {}
        for node in self.folds[head]:
            for position, argument in enumerate(operands(node)):
                leaf = argument if isinstance(argument, Node) else self.outline.constant(argument)
                tail = head if leaf is None else self.card_of.get(leaf, head)
                if tail != head:
                    uses.setdefault(tail, []).append((node, position))
        wires = []
        for tail, places in sorted(uses.items()):
            flows = any(isinstance(n.arguments[p], Node) and _has_rule(n, p) for n, p in places)
            wires.append(Wire(tail, head, None, None, self._share(places) if flows else None, flows))
        return wires

    def _share(self, places: Sequence[tuple[Node, int]]) -> Any | None:
        """What one value receives from several uses."""
        sources = {node.arguments[position] for node, position in places}
        if len(sources) > 1 or len(places) > MOST_SHARES:
            return None
        total = None
        with np.errstate(all="ignore"):
            for node, position in places:
                g = self.adjoints.get(node)
                share = None if g is None else _contribution(node, position, g)
                if share is not None:
                    total = share if total is None else total + share
        return total


def _contribution(node: Node, position: int, adjoint: Any) -> Any:
    """What an argument's adjoint receives; complex adjoints as users see them, on both sides."""
    share = fetched(contribution(node, position, conjugated(np.asarray(adjoint))[()]))
    return None if share is None else conjugated(np.asarray(share))[()]


def _operations(item: Node | Region) -> list[Node]:
    return list(item.operations()) if isinstance(item, Region) else [item]


def _leaves(item: Node | Region) -> list[Leaf]:
    return [leaf for r in (item, *item.inner()) for leaf in r.leaves] if isinstance(item, Region) else []


def _has_rule(node: Node, position: int) -> bool:
    rules = node.primitive.rules if node.primitive is not None else ()
    return next(islice(rules, position, None), None) is not None
