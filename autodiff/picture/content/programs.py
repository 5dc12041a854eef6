"""A compiled program as a scene: a card per step, boxes for scopes, lines and blocks, a colour per buffer.

Steps are nodes here that were never recorded, so that the folding of graphs folds programs too.
"""

from __future__ import annotations

import keyword
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np

from autodiff.engine.graph import Node
from autodiff.notation.formula import Formula, Token, clean
from autodiff.picture.content.folding import Earlier, Folding, folded
from autodiff.picture.content.lettering import undirected
from autodiff.picture.content.outline import Leaf, Outline, Region, stand_in, start
from autodiff.picture.content.reading import check_amounts, few_enough
from autodiff.picture.content.scene import TONES, Box, Card, Fold, Form, Kind, Result, Scene, Symbols, Wire
from autodiff.picture.exports.text import words
from autodiff.program.graph import Loop, Program, Ref, Step, read, refs
from autodiff.program.source import Text

LONGEST_HEADER, LONGEST_LINE, LONGEST_NAME = 120, 300, 40
WORD = re.compile(r"[^\W\d]\w*|.", re.DOTALL)
BRACKETS = {"(", ")", ","}  # where a long line may be cut
OUT = re.compile(r", out=\w+(\[at\])?\)$")
SCOPE = re.compile(r"([\w.\[\] ]+): (.+)", re.DOTALL)  # a note that begins with the name of a scope
OTHERS = "buffer-others"


class Origin(NamedTuple):
    """A scope, or a line of the user's, that steps were written down for."""

    scope: str
    line: str

    @property
    def key(self) -> str:
        """What steps that follow each other share a box by."""
        return self.scope or self.line


class Written(NamedTuple):
    """A step as a card shows it."""

    step: Step
    symbol: Token
    header: Formula
    line: str  # in the source
    form: Form
    tone: str | None


class Steps:
    """What pictures of a program are read from; it has the methods of a graph's Source."""

    values = False

    def __init__(self, program: Program, name: str, depth: int | None, max_cards: int) -> None:
        check_amounts("draw", depth, max_cards)
        self.depth, self.most = depth, max_cards
        self.program, self._text = program, Text(program)
        size = sum(buffer.nbytes for buffer in program.buffers)
        count = sum(len(step.body.steps) if isinstance(step, Loop) else 1 for step in program.steps)
        self.title = f"{undirected(name, LONGEST_NAME)}: {_counted(count, 'step')}" + (
            f" in {_counted(len(program.buffers), 'buffer')} of {size:,} bytes" if program.buffers else ""
        )
        self._variables = {*self._text.names.values()}
        self.tones, self._tone_of = _tones(program)
        self.steps: dict[Node, Written] = {}
        self.titles: dict[Region, tuple[str, str]] = {}
        self._called: dict[int, str] = {}  # values of a block, as a part of the whole
        self._written_last: dict[int, Node] = {}  # by input: the step that writes into it last
        self._same: dict[int, Any] = {}  # values inside a loop and outside: numbers, or constant arrays
        self._maker: dict[int, Node] = {}
        self.whole = Region(None, None, -1)
        self._read(program.steps, self.whole, None)
        self.reads: dict[Node, list[Node]] = {}
        self.last_use: dict[Node, int] = {}
        self.leaves: dict[Node, Card] = {}
        self._connect()
        root = stand_in(Form((), None))
        self.blank = root, Symbols(root, Outline([root], 0))  # there is no graph

    def scene(self, most: int, within: Region | None = None) -> Scene:
        """At most so many cards of the program, or of one part of it."""
        region = within or self.whole
        folding = few_enough("draw", folded(region, most, None if within else self.depth), self.depth)
        return _Reading(self, folding, region, within is not None).scene()

    def text(self, drawn: Scene) -> str:
        """The cards, a line each."""
        return words(drawn)

    # -- steps ---------------------------------------------------------------------------------------------------

    def _read(self, steps: Sequence[Any], region: Region, loop: Loop | None) -> None:
        """Steps into a region; those in a row that come from one place are a region of their own."""
        group: list[Step] = []
        for step in (*steps, None):
            origin = _origin(step.note) if isinstance(step, Step) else None
            if group and (origin is None or origin.key != _origin(group[0].note).key):
                self._close(group, region, loop)
                group = []
            if isinstance(step, Loop):
                self._loop(step, region)
            elif step is not None:
                group.append(step)

    def _close(self, group: Sequence[Step], region: Region, loop: Loop | None) -> None:
        origin = _origin(group[0].note)
        around = region
        if origin.key and len(group) > 1:
            lines = {_origin(step.note).line for step in group}
            line = lines.pop() if len(lines) == 1 else ""
            around = self._inner(region, origin.scope or line, line if origin.scope else "")
        for step in group:
            node = stand_in(None)
            node.serial = len(self.steps)
            self.steps[node] = self._written(step, loop)
            self._maker[step.result] = node
            into = _place(step, loop)[1]
            if into is not None or (step.effect and self.program.kinds[step.result].dtype is None):
                self._written_last[-1 - step.result if into is None else into] = node
            around.items.append(node)

    def _inner(self, region: Region, name: str, note: str) -> Region:
        inner = Region(name, region, len(self.steps))
        region.items.append(inner)
        self.titles[inner] = clean(name, LONGEST_HEADER), clean(note, LONGEST_HEADER)
        return inner

    def _loop(self, loop: Loop, region: Region) -> None:
        name = f"in blocks of {_counted(loop.size, 'element' if loop.flat else 'row')}"
        for (number, _), rows in zip(loop.body.inputs, loop.rows, strict=True):
            self._called[number] = f"{self._text.written(rows)}[at]"
            self._same[number] = rows.number if isinstance(rows, Ref) else rows
        for y, number in zip(loop.body.outputs, loop.results, strict=True):
            self._same[number] = y.number
            if number not in loop.ends:
                self._called[y.number] = f"{self._text.names[number]}[at]"
        inner = self._inner(region, name, "")
        self._read(loop.body.steps, inner, loop)
        only = inner.items[0]
        if isinstance(only, Region) and len(inner.items) == 1:  # one box with both titles
            inner.items = only.items
            note = ": ".join(filter(None, self.titles.pop(only)))
            self.titles[inner], inner.frame = (self.titles[inner][0], note), note  # loops may open one by one

    def _written(self, step: Step, loop: Loop | None) -> Written:
        """A step with its line in the source, without the buffer that the line names: the card has its colour."""
        kind = self.program.kinds[step.result]
        place, into = _place(step, loop)
        given = f"b{place}" if place is not None else self._text.names[into] if into is not None else ""
        lines = self._text.lines[step.result]
        shown = OUT.sub(")", lines[-1].rpartition("; ")[2] if step.buffer is not None else lines[-1])
        shown = shown.replace("[...] = ", " = ", 1)
        symbol = Token("variable", self._name(step.result) or getattr(step.function, "__name__", "call"))
        form = Form(kind.shape, kind.dtype, clean(given))
        return Written(step, symbol, self._formula(shown), "; ".join(lines), form, self._tone_of.get(place))

    def _name(self, number: int) -> str:
        return clean(self._called.get(number) or self._text.names.get(number, ""))

    def _formula(self, line: str) -> Formula:
        """A line of code as a formula: names of values as variables, brackets and commas where it may be cut."""
        blocks = {self._text.names[number]: name for number, name in self._called.items()}
        line = WORD.sub(lambda word: blocks.get(word[0], word[0]), clean(line, LONGEST_HEADER))
        tokens: list[Token] = []
        for word in WORD.findall(line):
            kind: Literal["variable", "operator", "text"] = "text"
            if word in self._variables:
                kind = "variable"
            elif word in BRACKETS:
                kind = "operator"
            elif tokens and tokens[-1].kind == "text":
                tokens[-1] = Token("text", tokens[-1].text + word)
                continue
            tokens.append(Token(kind, word))
        return tuple(tokens)

    # -- what reads what -----------------------------------------------------------------------------------------

    def _outside(self, number: Any) -> Any:
        """What a value inside a loop is outside, if it is there too: a number, or a constant array."""
        while isinstance(number, int) and number in self._same:
            number = self._same[number]
        return number

    def _connect(self) -> None:
        """The leaves of the program, with what reads them, and the last reader of every value."""
        leaves: dict[Any, Leaf] = {}
        for node, written in self.steps.items():
            self.reads[node] = []
            for value in (*map(self._outside, read(written.step)), *_arrays((written.step.args, written.step.kwargs))):
                operand = self._maker.get(value) if isinstance(value, int) else None
                if operand is None:
                    operand = self._leaf(value, node, leaves).node
                self.reads[node].append(operand)
                self.last_use[operand] = node.serial
        results = (*refs(self.program.outputs), *(n for _, y in self.program.writes for n in refs(y)))
        self.last_use |= {self._maker[n]: sys.maxsize for n in map(self._outside, results) if n in self._maker}
        self.last_use |= dict.fromkeys(self._written_last.values(), sys.maxsize)

    def _leaf(self, value: Any, user: Node, leaves: dict[str, Leaf]) -> Leaf:
        """The leaf of an input or a constant array, which is read by one more step."""
        constant = not isinstance(value, int)
        name = self._text.written(value) if constant else self._text.names[value]
        leaf = leaves.get(name)
        if leaf is None:
            top = next(item for item in self.whole.items if user.serial <= _end(item))
            leaf = leaves[name] = Leaf(stand_in(None), constant, user.serial, user.serial, [self.whole], start(top))
            kind = value if constant else self.program.kinds.get(value)
            symbol = Token("variable", clean(name))
            form = Form((), None) if kind is None else Form(kind.shape, kind.dtype)
            self.leaves[leaf.node] = Card("constant" if constant else "input", symbol, (symbol,), form, None, None)
            self.whole.leaves.append(leaf)
        leaf.last_used = user.serial
        return leaf


class _Reading:
    """The cards as they are read from the regions of a program."""

    def __init__(self, source: Steps, folding: Folding, region: Region, part: bool) -> None:
        self.source, self.folding, self.region, self.part = source, folding, region, part
        self.cards: list[Card] = []
        self.boxes: list[Box] = []
        self.card_of: dict[Node, int] = {}
        self.members: dict[int, list[Node]] = {}  # by card: the steps on it
        self.insides: dict[int, Region] = {}
        operations = list(region.operations())
        self.last = operations[-1].serial if operations else -1

    def scene(self) -> Scene:
        """The scene; a part begins with the values that it reads."""
        if self.part:
            inside = {*self.region.operations(), *(leaf.node for leaf in self.region.leaves)}
            outside = dict.fromkeys(n for node in self.region.operations() for n in self.source.reads[node])
            for node in outside:
                if node not in inside:
                    self._outer(node)
        self._read(self.region, None)
        wires = [wire for head in sorted(self.members) for wire in self._wires(head)]
        source = self.source
        tones = {tone: text for tone, text in source.tones.items() if any(card.tone == tone for card in self.cards)}
        values = len(source.steps) + len(source.leaves)
        return Scene(self.cards, wires, self.boxes, *source.blank, {}, self.insides, values, tones=tones)

    def _outer(self, node: Node) -> None:
        if node in self.source.leaves:
            self._add(self.source.leaves[node], node)
        else:
            written = self.source.steps[node]
            card = Card("outer", written.symbol, (written.symbol,), written.form, None, None, tone=written.tone)
            self._add(card, node)

    def _add(self, card: Card, *nodes: Node) -> int:
        self.card_of |= dict.fromkeys(nodes, len(self.cards))
        self.cards.append(card)
        return len(self.cards) - 1

    def _read(self, region: Region, box: int | None) -> None:
        earlier = self.folding.earlier.get(region, Earlier())
        gone = [leaf for leaf in region.leaves if leaf.last_used < earlier.leaves]
        hidden = {id(item) for item in (*region.items[: earlier.items], *gone)}
        last = region.items[earlier.items - 1] if earlier.items else None
        for item in region.contents:
            if item is last:
                inside = Region(None, None, region.start, region.items[: earlier.items], gone)
                self._fold(inside, _counted(sum(1 for _ in inside.operations()), "earlier step"), "", box)
            elif id(item) in hidden:
                continue
            elif isinstance(item, Leaf):
                self._add(self.source.leaves[item.node]._replace(box=box), item.node)
            elif isinstance(item, Node):
                self._step(item, box)
            elif item in self.folding.open:
                self.boxes.append(Box(*self.source.titles[item], box))
                self._read(item, len(self.boxes) - 1)
            else:
                self._fold(item, *self.source.titles[item], box)

    def _leaves(self, nodes: Iterable[Node]) -> list[Node]:
        """Those whose values are read after the part that is shown, or are results."""
        return [node for node in nodes if self.source.last_use.get(node, -1) > self.last]

    def _step(self, node: Node, box: int | None) -> None:
        written = self.source.steps[node]
        kind: Kind = "output" if self._leaves([node]) else "operation"
        lines: tuple[str, ...] = (f"source   {undirected(written.line, LONGEST_LINE)}",)
        if written.step.note:
            lines += (f"from     {undirected(written.step.note, LONGEST_LINE)}",)
        card = Card(kind, written.symbol, written.header, written.form, None, None, box=box)
        self.members[self._add(card._replace(tone=written.tone, words=lines), node)] = [node]

    def _fold(self, region: Region, name: str, note: str, box: int | None) -> None:
        steps = list(region.operations())
        leaving = [n for n in steps if self.source.last_use.get(n, -1) > steps[-1].serial] or steps[-1:]
        results = tuple(Result(self.source.steps[n].symbol, self.source.steps[n].form, None) for n in leaving)
        kind: Kind = "output" if self._leaves(steps) else "operation"
        shown = results[-1]
        fold = Fold(name, note, len(steps), results)
        card = Card(kind, shown.symbol, (Token("text", name),), shown.value, None, None, box=box, fold=fold)
        index = self._add(card, *steps, *(leaf.node for leaf in region.leaves))
        self.members[index], self.insides[index] = steps, region

    def _wires(self, head: int) -> list[Wire]:
        tails = [self.card_of[n] for node in self.members[head] for n in self.source.reads[node]]
        if head in self.insides:
            tails = sorted({*tails} - {head})
        return [Wire(tail, head, None, None, None, True) for tail in tails]


def _origin(note: str) -> Origin:
    found = SCOPE.fullmatch(note)
    if found is None or keyword.iskeyword(found[1].split()[0] if found[1].split() else ""):
        return Origin("", note)
    return Origin(found[1], found[2])


def _end(item: Any) -> int:
    """The serial number of an item's last step."""
    while isinstance(item, Region):
        item = item.items[-1]
    return int(item.serial)


def _arrays(value: Any) -> Iterator[Any]:
    """The constant arrays among a step's arguments."""
    if isinstance(value, np.ndarray):
        yield value
    elif isinstance(value, list | tuple | dict):
        for branch in value.values() if isinstance(value, dict) else value:
            yield from _arrays(branch)


def _place(step: Step, loop: Loop | None) -> tuple[int | None, int | None]:
    """The buffer of the program, or the input, that a step writes into."""
    if loop is not None:
        for y, place, into in zip(loop.body.outputs, loop.places, loop.into, strict=True):
            if y.number == step.result:
                return place, into
        return None if step.buffer is None else loop.scratch[0][step.buffer], step.into
    return step.buffer, step.into


def _tones(program: Program) -> tuple[dict[str, str], dict[int | None, str]]:
    """A colour for each of the buffers that most steps write into, one for all others, and the words for them."""
    count: Counter[int] = Counter()
    for step in program.steps:
        loop = step if isinstance(step, Loop) else None
        for inner in loop.body.steps if loop else [step]:
            place, _ = _place(inner, loop)
            if place is not None:
                count[place] += 1
    first = sorted(sorted(count, key=lambda place: (-count[place], place))[: len(TONES)])
    tone_of: dict[int | None, str] = dict(zip(first, TONES, strict=False))
    said = {
        tone: f"buffer b{place}, {program.buffers[place].nbytes:,} bytes"
        for place, tone in tone_of.items()
        if place is not None
    }
    rest = sorted(count.keys() - {*first})
    if rest:
        tone_of |= dict.fromkeys(rest, OTHERS)
        size = sum(program.buffers[place].nbytes for place in rest)
        said[OTHERS] = f"{_counted(len(rest), 'more buffer')}, {size:,} bytes"
    return said, tone_of


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"
