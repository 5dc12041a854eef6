"""The steps of a computation, one value at a time forward and one wire at a time in reverse, as plain data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from autodiff.engine.graph import Node
from autodiff.notation.formula import Formula, Token
from autodiff.notation.naming import ASSIGNED_SINCE, Naming, assigned_since, equation, product, pullback
from autodiff.picture.content.lettering import runs
from autodiff.picture.content.scene import Card, Scene, Wire
from autodiff.picture.drawing.stacks import count
from autodiff.picture.drawing.thumbnails import columns_of, digits, shape

Math = list[list[str]]  # [text, style]: style has some of "i" (italic), "-" (lowered), "^" (raised)
SPACE, EQUALS, PLUS = Token("text", " "), Token("text", " = "), Token("text", " + ")
OPEN, CLOSE, PARTIAL = Token("operator", "("), Token("operator", ")"), Token("operator", "∂")
MOST_IN_GRADIENT = 6
GIVEN = {
    "input": "An input: its value is given.",
    "parameter": "A parameter: its value is given.",
    "constant": "A constant: its value is given, and no derivative is asked for.",
}


class Step(NamedTuple):
    """The words and numbers of one step."""

    phase: str  # start, forward, reverse, done
    equation: Formula = ()
    numbers: Formula = ()
    note: str = ""
    card: int | None = None  # the card of the step
    wires: Sequence[int] = ()  # the wires that take part
    value: str | None = None  # the card's value, now known
    total: str | None = None  # the card's adjoint so far
    complete: bool = False  # whether the adjoint is complete


class Row(NamedTuple):
    """A line of the table beside the picture."""

    card: int
    forward: Formula
    bar: Formula
    terms: list[Formula]


class Story(NamedTuple):
    """All steps, and the table that they fill, with one row for each card."""

    steps: list[Step]
    rows: list[Row]


def story(scene: Scene, heading: Formula | None) -> Story:
    """The story of a scene."""
    return _Telling(scene, heading).story()


def math(formula: Formula) -> Math:
    """A formula as pieces of text with styles."""
    return [
        [run.text, "i" * run.italic + ("-" if run.drop > 0 else "^" if run.drop < 0 else "")] for run in runs(formula)
    ]


class _Numbers(Naming):
    """A naming in which values are written as their digits, for equations with numbers."""

    def __init__(self) -> None:
        pass

    def __getitem__(self, node: Node) -> Token:
        return Token("number", digits(node.primal))


class _Telling:
    def __init__(self, scene: Scene, heading: Formula | None) -> None:
        self.scene, self.heading = scene, heading
        self.terms: list[list[Formula]] = [[] for _ in scene.cards]
        self.totals: dict[int, Any] = {}
        self.into: list[list[int]] = [[] for _ in scene.cards]
        self.awaited = [0] * len(scene.cards)  # the number of contributions still to come
        self.order = _order(scene)
        for index, wire in enumerate(scene.wires):
            self.into[wire.head].append(index)
            self.awaited[wire.tail] += self._flows(wire)

    def story(self) -> Story:
        cards = self.scene.cards
        steps = [self._start(), *(self._forward(index) for index in self.order)]
        if any(card.adjoint is not None for card in cards):
            steps.append(self._seed())
            for head in reversed(self.order):
                steps += [self._reverse(index) for index in self.into[head] if self._flows(self.scene.wires[index])]
        steps.append(self._done())
        rows = [Row(k, _title(cards[k]), (_bar(cards[k]), EQUALS), self.terms[k]) for k in self.order]
        return Story(steps, rows)

    def _flows(self, wire: Wire) -> bool:
        ends = self.scene.cards[wire.tail].adjoint, self.scene.cards[wire.head].adjoint
        return wire.flows and all(adjoint is not None for adjoint in ends)

    def _start(self) -> Step:
        words = self.heading or (Token("text", f"{len(self.scene.cards)} values to compute"),)
        note = "Press → to evaluate value by value; after the result the sweep turns round."
        return Step("start", words, note=note)

    def _forward(self, index: int) -> Step:
        card = self.scene.cards[index]
        if card.fold is not None:
            name = Token("text", f"{card.fold.name}, {count(card.fold)}: ")
            return Step(
                "forward",
                (name, card.symbol),
                (EQUALS, _shown(card.value)),
                f"{card.fold.operations:,} operations, evaluated and recorded.",
                index,
                self.into[index],
                _short(card.value),
            )
        given = GIVEN.get(card.kind)
        note = given or "Evaluate and record the operation."
        numbers: Formula = (Token("text", "= "), _shown(card.value))
        node = self._node(index)
        told = node is not None and card.is_scalar and not assigned_since([node])
        if node is not None and told and all(np.ndim(getattr(a, "primal", a)) == 0 for a in node.arguments):
            numbers = (Token("text", "= "), *equation(node, _Numbers()), EQUALS, _shown(card.value))
        return Step("forward", card.header, numbers, note, index, self.into[index], _short(card.value))

    def _node(self, index: int) -> Node | None:
        """The operation on a card, if each of its arguments has its own card."""
        wires = [self.scene.wires[wire] for wire in self.into[index]]
        own = all(wire.rule and self.scene.cards[wire.tail].fold is None for wire in wires)
        return wires[0].rule[0] if wires and own and wires[0].rule else None

    def _seed(self) -> Step:
        index = self.scene.result
        card = self.scene.cards[index]
        self.totals[index] = card.adjoint
        is_one = card.is_scalar and card.adjoint == 1
        own = (PARTIAL, card.symbol, Token("operator", "/"), PARTIAL, card.symbol, EQUALS)
        shown = _shown(card.adjoint)
        self.terms[index].append((shown,))
        note = "The seed: a result changes one to one with itself." if is_one else "The seed that was given."
        return Step(
            "reverse", (_bar(card), EQUALS, *(own if is_one else ()), shown), (), note, index, (), None,
            _short(card.adjoint), self.awaited[index] == 0,
        )  # fmt: skip

    def _reverse(self, index: int) -> Step:
        wire = self.scene.wires[index]
        tail, head = self.scene.cards[wire.tail], self.scene.cards[wire.head]
        before = self.totals.get(wire.tail)
        first = wire.tail not in self.totals
        self.awaited[wire.tail] -= 1
        complete = self.awaited[wire.tail] == 0
        total = wire.contribution
        if complete:  # the engine's sum, which may differ in the last digit
            total = tail.adjoint
        elif not first:
            total = None if total is None or before is None else before + total
        self.totals[wire.tail] = total
        term, words, numbers = self._term(wire, tail, head)
        self.terms[wire.tail].append(term if first else (PLUS, *term))
        if numbers and (first or before is not None):  # what came before is a number, too
            so_far = () if first else (_shown(before), PLUS)
            numbers = (_bar(tail), EQUALS, *so_far, *numbers, EQUALS, _shown(total))
        elif total is not None:
            numbers = (_bar(tail), Token("text", " is now "), _shown(total))
        note = (
            "The first contribution to this adjoint."
            if first
            else "This value is used more than once: the contributions add up."
        )
        plus = Token("operator", " += ")
        return Step(
            "reverse", (_bar(tail), plus, *words), numbers, note, wire.tail, (index,), None,
            "…" if total is None else _short(total), complete,
        )  # fmt: skip

    def _term(self, wire: Wire, tail: Card, head: Card) -> tuple[Formula, Formula, Formula]:
        """A contribution in three forms: for the table, for the explanation, and with numbers."""
        if wire.rule is None:
            name = head.fold.name if head.fold is not None else "it"
            words = (Token("text", "what "), Token("text", name), Token("text", " passes back"))
            return words, words, ()
        node, position = wire.rule
        if self.scene.naming[node.arguments[position]] != tail.symbol:  # another value of a folded part
            words = (Token("text", "what "), head.symbol, Token("text", " passes back"))
            return words, words, ()
        if wire.factor is None or not (tail.is_scalar and head.is_scalar):
            term = pullback(node, position, self.scene.naming)
            return term, term, ()
        factor = (Token("number", digits(wire.factor)),)
        slope = wire.symbol or factor
        term = product(_bar(head), slope)
        quotient = (_bar(head), SPACE, PARTIAL, head.symbol, Token("operator", "/"), PARTIAL, tail.symbol, EQUALS)
        numbers = product(_shown(head.adjoint), factor)
        if numbers[0].text.startswith("−"):
            numbers = (OPEN, numbers[0], CLOSE, *numbers[1:])
        return term, (*quotient, *term), numbers

    def _done(self) -> Step:
        inputs = [card for card in self.scene.cards if card.kind in ("input", "parameter") and card.adjoint is not None]
        if not inputs:
            note = ASSIGNED_SINCE if self.scene.stale else "Pass seed= to have adjoints as well."
            return Step("done", (Token("text", "Every value is known."),), note=note)
        note = "One sweep forward and one in reverse gave the derivative with respect to every input."
        if len(inputs) > MOST_IN_GRADIENT or not all(card.is_scalar for card in inputs):
            return Step("done", (Token("text", "Every adjoint is known."),), note=note)
        gradient = _listed([(_bar(card),) for card in inputs])
        values = _listed([(_shown(card.adjoint),) for card in inputs])
        nabla = Token("operator", "∇"), Token("variable", "f")
        return Step("done", (*nabla, EQUALS, *gradient), (Token("text", "= "), *values), note)


def _order(scene: Scene) -> list[int]:
    """The cards in the order of the evaluation trace, v_1, v_2, ...; in recording order if there are scopes."""
    if scene.boxes or any(card.fold for card in scene.cards):
        return list(range(len(scene.cards)))
    place = {scene.naming[node]: k for k, node in enumerate(scene.naming.order)}
    first_user = {wire.tail: wire.head for wire in reversed(scene.wires)}
    symbols = [card.symbol for card in scene.cards]

    def key(k: int) -> tuple[int, int]:
        symbol = symbols[k]
        return (place[symbol], 1) if symbol in place else (place[symbols[first_user[k]]], 0)

    return sorted(range(len(symbols)), key=key)


def _title(card: Card) -> Formula:
    return card.header if card.fold is None else (*card.header, Token("text", ": "), card.symbol)


def _bar(card: Card) -> Token:
    return card.symbol._replace(bar=True)


def _listed(parts: Sequence[Formula]) -> Formula:
    inside = tuple(t for k, part in enumerate(parts) for t in ((Token("operator", ", "), *part) if k else part))
    return (OPEN, *inside, CLOSE) if len(parts) > 1 else inside


def _shown(value: Any) -> Token:
    """A value in a formula: its digits, or an array's shape and greatest magnitude."""
    if np.ndim(value) == 0:
        return Token("number", digits(value))
    (column,) = columns_of(value, None)
    return Token("text", f"{shape(value)}, {column.caption}")


def _short(value: Any) -> str:
    return digits(value) if np.ndim(value) == 0 else shape(value)
