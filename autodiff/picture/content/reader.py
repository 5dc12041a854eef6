"""A scene read from the outline of a graph: the card of each value, and the wires between the cards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

import numpy as np

from autodiff.engine.devices import fetched
from autodiff.engine.graph import Node, operands
from autodiff.engine.reverse import conjugated, contribution
from autodiff.notation.formula import Formula, Token, clean
from autodiff.notation.naming import assigned_since, equation, named, partial
from autodiff.picture.content.folding import Folding
from autodiff.picture.content.outline import Leaf, Outline, Region
from autodiff.picture.content.scene import Box, Card, Fold, Kind, Result, Scene, Symbols, Wire

LONGEST_NOTE = 80  # characters of the note beside the name of a box
EQUALS = Token("text", " = ")
MOST_SHARES = 1000  # for a folded card that uses a value more often, the contribution is not shown


def scene(
    root: Node,
    adjoints: Mapping[Node, Any],
    outline: Outline,
    folding: Folding,
    naming: Symbols,
    within: Region | None = None,
) -> Scene:
    """The scene of a graph, or of one region with the values it uses; values not in `adjoints` have no adjoint."""
    return _Reading(root, adjoints, outline, folding, naming, within).scene()


class _Reading:
    """The cards, while they are read from the outline, and the card of each value of the graph."""

    def __init__(
        self,
        root: Node,
        adjoints: Mapping[Node, Any],
        outline: Outline,
        folding: Folding,
        naming: Symbols,
        within: Region | None,
    ) -> None:
        self.root, self.adjoints, self.naming, self.within = root, adjoints, naming, within
        self.outline, self.folding = outline, folding
        self.cards: list[Card] = []
        self.boxes: list[Box] = []
        self.shown: dict[int, tuple[Node, Node]] = {}  # by card: an operation, and it with leaves for its constants
        self.folds: dict[int, list[Node]] = {}  # by card: the operations on it
        self.insides: dict[int, Region] = {}
        self.card_of: dict[Node, int] = {}
        self.equations: dict[Node, Formula] = {}
        self.last = -1  # the serial number of the last operation of the region that is shown
        self.calls: dict[int, list[Region]] = {}
        for region in outline.whole.inner():
            self.calls.setdefault(id(region.frame), []).append(region)

    def scene(self) -> Scene:
        if self.within is not None:
            self._read_outer(self.within)
        self._read(self.within or self.outline.whole, None)
        self._name_results()
        wires = [wire for head in range(len(self.cards)) for wire in self._wires(head)]
        return Scene(self.cards, wires, self.boxes, self.root, self.naming, self.equations, self.insides)

    # -- cards ---------------------------------------------------------------------------------------------------

    def _read_outer(self, region: Region) -> None:
        """Read the values that a region uses but does not contain: earlier operations, and leaves around it."""
        operations = list(region.operations())
        self.last = operations[-1].serial
        inside = {*operations, *(leaf.node for leaf in _leaves(region))}
        for node in operations:
            for argument in operands(node):
                value = argument if isinstance(argument, Node) else self.outline.constant(argument)
                if value is None or value in inside:
                    continue
                inside.add(value)
                if value.primitive is None:
                    self._leaf(self.outline.leaves[value], self.outline.whole, None)
                else:
                    header = (self.naming[value],)
                    adjoint = self.adjoints.get(value)
                    self._add(Card("outer", header[0], header, fetched(value.primal), adjoint, value.name), value)

    def _leaves_the_region(self, node: Node) -> bool:
        """Whether an operation's value is the result, or is used after the region that is shown."""
        return node is self.root if self.within is None else self.outline.last_use.get(node, -1) > self.last

    def _read(self, region: Region, box: int | None) -> None:
        for item, earlier in self.folding.contents(region):
            if earlier:
                count = sum(1 for _ in item.operations())
                self._fold(item, Fold(f"{count:,} earlier operation{'s' if count > 1 else ''}", "", count), None, box)
            elif isinstance(item, Leaf):
                self._leaf(item, region, box)
            elif isinstance(item, Node):
                self._operation(item, box)
            elif item in self.folding.open:
                self.boxes.append(Box(*self._title(item), box))
                self._read(item, len(self.boxes) - 1)
            else:
                count = sum(1 for _ in item.operations())
                self._fold(item, Fold(*self._title(item), count), self.outline.members.path(item.frame), box)

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
        value = np.array(fetched(node.primal))[()]  # a copy: a leaf may get a new value before it is drawn
        self._add(Card(kind, symbol, header, value, self.adjoints.get(node), node.name, path, box), node)
        if not leaf.constant:
            self.equations[node] = title or ()

    def _operation(self, node: Node, box: int | None) -> None:
        copy = self.naming.with_leaves(node)
        self.equations[node] = equation(copy, self.naming)
        header = (self.naming[node], EQUALS, *self.equations[node])
        kind: Kind = "output" if self._leaves_the_region(node) else "operation"
        around = self.outline.within.get(node)
        path = None if around is None else self.outline.members.path(around.frame)
        adjoint = self.adjoints.get(node)
        self.shown[len(self.cards)] = node, copy
        self._add(Card(kind, self.naming[node], header, fetched(node.primal), adjoint, node.name, path, box), node)

    def _fold(self, region: Region, fold: Fold, path: str | None, box: int | None) -> None:
        operations = list(region.operations())
        self.folds[len(self.cards)], self.insides[len(self.cards)] = operations, region
        last = operations[-1]
        header = (Token("text", fold.name),)
        card = Card("operation", self.naming[last], header, fetched(last.primal), None, None, path, box, fold)
        self._add(card, *operations, *(leaf.node for leaf in _leaves(region)))

    def _name_results(self) -> None:
        """Find the values that leave each folded card; the last one names the card."""
        for index, operations in self.folds.items():
            last = operations[-1].serial
            leaving = [node for node in operations if self.outline.last_use.get(node, -1) > last]
            shown = leaving[-1]
            old = self.cards[index]
            assert old.fold is not None
            results = tuple(Result(self.naming[n], fetched(n.primal), self.adjoints.get(n)) for n in leaving)
            self.cards[index] = old._replace(
                kind="output" if any(map(self._leaves_the_region, leaving)) else "operation",
                symbol=self.naming[shown],
                value=fetched(shown.primal),
                adjoint=self.adjoints.get(shown),
                name=shown.name,
                fold=old.fold._replace(results=results),
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
        """The wire into one argument. A rule may divide by zero here; the picture shows the result."""
        scalar = np.ndim(node.primal) == 0 and np.ndim(copy.arguments[position].primal) == 0
        scalar = scalar and not assigned_since([node])  # a local partial would mix old and new values
        adjoint = self.adjoints.get(node)
        with np.errstate(all="ignore"):
            factor = fetched(contribution(node, position, 1.0)) if scalar else None
            received = None if adjoint is None else _contribution(node, position, adjoint)
        flows = isinstance(node.arguments[position], Node) and _has_rule(node, position)
        symbol = partial(copy, position, self.naming) if scalar and flows else None
        return Wire(tail, head, symbol, factor, received, flows, (copy, position))

    def _gathered(self, head: int) -> list[Wire]:
        """The wires into a folded card: one from each card that it uses, with the sum of the contributions."""
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
        """The sum of the contributions of several uses to one value's adjoint."""
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
    """The contribution to an argument's adjoint; complex adjoints are given and returned as users see them."""
    share = fetched(contribution(node, position, conjugated(np.asarray(adjoint))[()]))
    return None if share is None else conjugated(np.asarray(share))[()]


def _leaves(region: Region) -> list[Leaf]:
    return [leaf for r in (region, *region.inner()) for leaf in r.leaves]


def _has_rule(node: Node, position: int) -> bool:
    rules = node.primitive.rules if node.primitive is not None else ()
    return next(islice(rules, position, None), None) is not None
