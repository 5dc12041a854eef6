"""A compiled program as a scene: a card per step, boxes for scopes, lines and blocks, a colour per buffer."""

from __future__ import annotations

from collections.abc import Iterable

from autodiff.engine.graph import Node
from autodiff.notation.formula import Token
from autodiff.picture.content.folding import Folding, folded
from autodiff.picture.content.lettering import undirected
from autodiff.picture.content.listing import Listing, counted
from autodiff.picture.content.outline import Leaf, Outline, Region, stand_in
from autodiff.picture.content.reading import check_amounts, few_enough
from autodiff.picture.content.scene import Box, Card, Fold, Form, Kind, Result, Scene, Symbols, Wire
from autodiff.picture.exports.text import words
from autodiff.program.graph import Loop, Program
from autodiff.program.passes.fusing import unfused

LONGEST_LINE, LONGEST_NAME = 300, 40  # characters of a line in a tooltip, and of a function's name


class Steps:
    """The source of a program's pictures, with the methods of a Source."""

    values = False

    def __init__(self, program: Program, name: str, depth: int | None, max_cards: int) -> None:
        check_amounts("draw", depth, max_cards)
        self.depth, self.most = depth, max_cards
        program = unfused(program)
        self.listing = listing = Listing(program)
        size = sum(buffer.nbytes for buffer in program.buffers)
        count = sum(len(step.body.steps) if isinstance(step, Loop) else 1 for step in program.steps)
        self.title = f"{undirected(name, LONGEST_NAME)}: {counted(count, 'step')}" + (
            f" in {counted(len(program.buffers), 'buffer')} of {size:,} bytes" if program.buffers else ""
        )
        if not listing.steps and not listing.leaves:
            raise ValueError(f"ad.draw was asked for the program of {name}, which computes nothing and has no results.")
        root = stand_in(Form((), None))
        self.blank = root, Symbols(root, Outline([root], 0))  # there is no graph

    def scene(self, most: int, within: Region | None = None) -> Scene:
        """A scene with at most `most` cards of the program, or of one part of it."""
        region = within or self.listing.whole
        folding = few_enough("draw", folded(region, most, None if within else self.depth), self.depth)
        return _Reading(self.listing, folding, region, within is not None).scene(*self.blank)

    def text(self, drawn: Scene) -> str:
        """The cards as text, one line for each."""
        return words(drawn)


class _Reading:
    """The cards, while they are read from the regions of a program."""

    def __init__(self, listing: Listing, folding: Folding, region: Region, part: bool) -> None:
        self.listing, self.folding, self.region, self.part = listing, folding, region, part
        self.cards: list[Card] = []
        self.boxes: list[Box] = []
        self.card_of: dict[Node, int] = {}
        self.members: dict[int, list[Node]] = {}  # by card: the steps on it
        self.insides: dict[int, Region] = {}
        operations = list(region.operations())
        self.last = operations[-1].serial if operations else -1

    def scene(self, root: Node, naming: Symbols) -> Scene:
        """The scene; that of a part begins with the values that it reads."""
        if self.part:
            inside = {*self.region.operations(), *(leaf.node for leaf in self.region.leaves)}
            outside = dict.fromkeys(n for node in self.region.operations() for n in self.listing.reads[node])
            for node in outside:
                if node not in inside:
                    self._outer(node)
        self._read(self.region, None)
        wires = [wire for head in sorted(self.members) for wire in self._wires(head)]
        listing = self.listing
        tones = {tone: text for tone, text in listing.tones.items() if any(card.tone == tone for card in self.cards)}
        values = len(listing.steps) + len(listing.leaves)
        return Scene(self.cards, wires, self.boxes, root, naming, {}, self.insides, values, tones=tones)

    def _outer(self, node: Node) -> None:
        if node in self.listing.leaves:
            self._add(self.listing.leaves[node], node)
        else:
            written = self.listing.steps[node]
            card = Card("outer", written.symbol, (written.symbol,), written.form, None, None, tone=written.tone)
            self._add(card, node)

    def _add(self, card: Card, *nodes: Node) -> int:
        self.card_of |= dict.fromkeys(nodes, len(self.cards))
        self.cards.append(card)
        return len(self.cards) - 1

    def _read(self, region: Region, box: int | None) -> None:
        for item, earlier in self.folding.contents(region):
            if earlier:
                self._fold(item, counted(sum(1 for _ in item.operations()), "earlier step"), "", box)
            elif isinstance(item, Leaf):
                self._add(self.listing.leaves[item.node]._replace(box=box), item.node)
            elif isinstance(item, Node):
                self._step(item, box)
            elif item in self.folding.open:
                self.boxes.append(Box(*self.listing.titles[item], box))
                self._read(item, len(self.boxes) - 1)
            else:
                self._fold(item, *self.listing.titles[item], box)

    def _leaves(self, nodes: Iterable[Node]) -> list[Node]:
        """The nodes whose values are results, or are read after the part that is shown."""
        return [node for node in nodes if self.listing.last_use.get(node, -1) > self.last]

    def _step(self, node: Node, box: int | None) -> None:
        written = self.listing.steps[node]
        kind: Kind = "output" if self._leaves([node]) else "operation"
        lines: tuple[str, ...] = (f"source   {undirected(written.line, LONGEST_LINE)}",)
        if written.step.note:
            lines += (f"from     {undirected(written.step.note, LONGEST_LINE)}",)
        card = Card(kind, written.symbol, written.header, written.form, None, None, box=box)
        self.members[self._add(card._replace(tone=written.tone, words=lines), node)] = [node]

    def _fold(self, region: Region, name: str, note: str, box: int | None) -> None:
        steps = list(region.operations())
        leaving = [n for n in steps if self.listing.last_use.get(n, -1) > steps[-1].serial] or steps[-1:]
        results = tuple(Result(self.listing.steps[n].symbol, self.listing.steps[n].form, None) for n in leaving)
        kind: Kind = "output" if self._leaves(steps) else "operation"
        shown = results[-1]
        fold = Fold(name, note, len(steps), results)
        card = Card(kind, shown.symbol, (Token("text", name),), shown.value, None, None, box=box, fold=fold)
        index = self._add(card, *steps, *(leaf.node for leaf in region.leaves))
        self.members[index], self.insides[index] = steps, region

    def _wires(self, head: int) -> list[Wire]:
        tails = [self.card_of[n] for node in self.members[head] for n in self.listing.reads[node]]
        if head in self.insides:
            tails = sorted({*tails} - {head})
        return [Wire(tail, head, None, None, None, True) for tail in tails]
