"""A compiled program as regions of steps, with the line, the operands and the buffer of each step.

Steps are represented by nodes that were never recorded, so that the folding of graphs also works for programs.
"""

from __future__ import annotations

import keyword
import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np

from autodiff.engine.graph import Node
from autodiff.notation.formula import Formula, Token, clean
from autodiff.picture.content.outline import Leaf, Region, stand_in, start
from autodiff.picture.content.scene import TONES, Card, Form
from autodiff.program.graph import Loop, Program, Ref, Step, read
from autodiff.program.source import Text

LONGEST = 120  # characters of a line or of the title of a box
WORD = re.compile(r"[^\W\d]\w*|.", re.DOTALL)
BRACKETS = {"(", ")", ","}  # where a long line may be cut
OUT = re.compile(r", out=\w+(\[at\])?\)$")
SCOPE = re.compile(r"([\w.\[\] ]+): (.+)", re.DOTALL)  # a note that begins with the name of a scope
OTHERS = "buffer-others"


class Origin(NamedTuple):
    """A scope, or a line of the user's program, that steps come from."""

    scope: str
    line: str

    @property
    def key(self) -> str:
        """The key by which consecutive steps share a box."""
        return self.scope or self.line


class Written(NamedTuple):
    """The content of a step's card."""

    step: Step
    symbol: Token
    header: Formula
    line: str  # in the source
    form: Form
    tone: str | None


class Listing:
    """The steps of a program in their regions, and its leaves: inputs and constants."""

    def __init__(self, program: Program) -> None:
        self.program, self._text = program, Text(program)
        self._variables = {*self._text.names.values()}
        self.tones, self._tone_of = _tones(program)
        self.steps: dict[Node, Written] = {}
        self.titles: dict[Region, tuple[str, str]] = {}
        self._called: dict[int, str] = {}  # the names of values of a block, as parts of whole arrays
        self._written_last: dict[int, Node] = {}  # by input: the step that writes into it last
        self._same: dict[int, Any] = {}  # values inside a loop and outside: numbers, or constant arrays
        self._maker: dict[int, Node] = {}
        self.whole = Region(None, None, -1)
        self._read(program.steps, self.whole, None)
        self.reads: dict[Node, list[Node]] = {}
        self.last_use: dict[Node, int] = {}
        self.leaves: dict[Node, Card] = {}
        self._connect()

    # -- steps ---------------------------------------------------------------------------------------------------

    def _read(self, steps: Sequence[Any], region: Region, loop: Loop | None) -> None:
        """Put steps into a region; consecutive steps from one place become an inner region."""
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
        self.titles[inner] = clean(name, LONGEST), clean(note, LONGEST)
        return inner

    def _loop(self, loop: Loop, region: Region) -> None:
        name = f"in blocks of {counted(loop.size, 'element' if loop.flat else 'row')}"
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
        if isinstance(only, Region) and len(inner.items) == 1:  # draw one box with both titles
            inner.items = only.items
            note = ": ".join(filter(None, self.titles.pop(only)))
            self.titles[inner], inner.frame = (self.titles[inner][0], note), note  # loops may open one by one

    def _written(self, step: Step, loop: Loop | None) -> Written:
        """A step with its line in the source, without the name of the buffer, which the card's colour shows."""
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
        """A line of code as a formula: names of values are variables; it may be cut at brackets and commas."""
        blocks = {self._text.names[number]: name for number, name in self._called.items()}
        line = WORD.sub(lambda word: blocks.get(word[0], word[0]), clean(line, LONGEST))
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
        """The value outside a loop for a value inside it, if there is one: a number, or a constant array."""
        while isinstance(number, int) and number in self._same:
            number = self._same[number]
        return number

    def _connect(self) -> None:
        """Find the leaves of the program, their readers, and the last reader of every value."""
        leaves: dict[Any, Leaf] = {}
        for node, written in self.steps.items():
            self.reads[node] = []
            for value in (*map(self._outside, read(written.step)), *_arrays((written.step.args, written.step.kwargs))):
                operand = self._maker.get(value) if isinstance(value, int) else None
                if operand is None:
                    operand = self._leaf(value, isinstance(value, int), node.serial, leaves).node
                self.reads[node].append(operand)
                self.last_use[operand] = node.serial
        for y in (*self.program.outputs, *(y for _, y in self.program.writes)):
            made = self._maker.get(self._outside(y.number)) if isinstance(y, Ref) else None
            if made is None:  # an input, or a constant
                value = y.number if isinstance(y, Ref) else y
                made = self._leaf(value, isinstance(y, Ref), sys.maxsize, leaves).node
                self.leaves[made] = self.leaves[made]._replace(kind="output")
            self.last_use[made] = sys.maxsize
        self.last_use |= dict.fromkeys(self._written_last.values(), sys.maxsize)

    def _leaf(self, value: Any, numbered: bool, serial: int, leaves: dict[str, Leaf]) -> Leaf:
        """The leaf of an input, which has a number, or of a constant; a step, or the program's end, reads it."""
        name = self._text.names[value] if numbered else self._text.written(value)
        leaf = leaves.get(name)
        if leaf is None:
            place = next((start(item) for item in self.whole.items if serial <= _end(item)), len(self.steps))
            leaf = leaves[name] = Leaf(stand_in(None), not numbered, serial, serial, [self.whole], place)
            known = self.program.kinds.get(value) if numbered else np.asarray(value)
            symbol = Token("variable", clean(name))
            form = Form((), None) if known is None else Form(known.shape, known.dtype)
            self.leaves[leaf.node] = Card("input" if numbered else "constant", symbol, (symbol,), form, None, None)
            self.whole.leaves.append(leaf)
        leaf.last_used = serial
        return leaf


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
    """Colours for the buffers that most steps write into, one colour for all others, and the words of the legend."""
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
        said[OTHERS] = f"{counted(len(rest), 'more buffer')}, {size:,} bytes"
    return said, tone_of


def counted(count: int, what: str) -> str:
    """A number with its noun: 3 steps."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"
