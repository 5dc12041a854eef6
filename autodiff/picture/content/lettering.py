"""Text in a picture: the allowed characters, the width, and the typesetting of formulas.

Widths are estimates, because fonts are not known until the picture is shown; they are rather too wide than too narrow.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from autodiff.notation.formula import DIRECTION_MARKS, Formula, Token, unraised

SMALL, LOWER, RAISE = 0.7, 0.22, -0.36  # sub- and superscripts, in em of the text they belong to
LEAST = 11.0  # px: no text is smaller
MONO_EM, SERIF_WIDENING, SANS_WIDENING = 0.602, 1.10, 1.18
WORDS_WIDENING = 0.14
BOLD = 1.12  # how much wider bold interface type is
MACRON = "\u0304"
ELLIPSIS = Token("text", "…")
FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
UNDIRECTED = dict.fromkeys(map(ord, DIRECTION_MARKS), "\ufffd")
WIDTHS = {
    character: width
    for characters, width in (
        ("fijlrtI.,:;'|!()[]/ ", 0.3),
        ("mw", 0.76),
        ("abcdeghknopqsuvxyz", 0.49),
        ("0123456789", 0.5),
        ("ABCDEFGHJKLNOPQRSTUVXYZ", 0.7),
        ("MW", 0.92),
        ("+−×=<>·≥≤", 0.6),
        ("…", 1.0),
    )
    for character in characters
}


def legal(text: object) -> str:
    """Text in which characters that XML 1.0 forbids, and lone surrogates, are replaced by U+FFFD."""
    return FORBIDDEN.sub("\ufffd", str(text))


def esc(text: object) -> str:
    """Text made safe for SVG text and for double-quoted attributes."""
    return legal(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")


def undirected(text: str, longest: int) -> str:
    """A user's text on one line, without marks of direction that would reorder the text around it."""
    text = text if len(text) <= longest else text[: longest - 1] + "…"
    return legal(" ".join(text.split())).translate(UNDIRECTED)


class Run(NamedTuple):
    """Text of one style: its size as a fraction and its offset (downwards) in em of the formula's size."""

    text: str
    italic: bool = False
    scale: float = 1.0
    drop: float = 0.0


@lru_cache(maxsize=4096)
def runs(formula: Formula) -> tuple[Run, ...]:
    """A formula as runs: subscripts lowered, exponents raised (a bracket after ^ is dropped)."""
    made: list[Run] = []
    raised, depth = False, 0
    for token in formula:
        scale, drop = (SMALL, RAISE) if raised else (1.0, 0.0)
        if token.kind == "operator" and token.text == "^":
            raised = True
            continue
        bracket = (token.text == "(") - (token.text == ")") if raised else 0
        depth += bracket
        if not bracket or depth - (bracket > 0):  # all but the outer brackets of an exponent
            made += _token_runs(token, scale, drop)
        raised = raised and depth > 0
    return tuple(_joined(made))


def _token_runs(token: Token, scale: float, drop: float) -> Iterable[Run]:
    exponent = unraised(token.text) if token.kind == "operator" else None
    if exponent is not None:
        yield Run(exponent.replace("-", "−"), False, scale * SMALL, drop + RAISE * scale)
        return
    text = token.text
    if any(unicodedata.bidirectional(c) in ("R", "AL", "AN") for c in text):
        text = f"\u2068{text}\u2069"  # isolates the text, so that the text around it keeps its order
    yield Run(text + MACRON if token.bar else text, token.kind == "variable", scale, drop)
    if token.sub:
        yield Run(token.sub.replace("-", "−"), False, scale * SMALL, drop + LOWER * scale)


def _joined(pieces: list[Run]) -> list[Run]:
    joined: list[Run] = []
    for run in pieces:
        if joined and joined[-1][1:] == run[1:]:
            joined[-1] = run._replace(text=joined[-1].text + run.text)
        else:
            joined.append(run)
    return joined


def tspans(formula: Formula, size: float) -> str:
    """The markup of a formula inside a text element of the given font size."""
    markup, level = "", 0.0
    for run in runs(formula):
        attributes = ' font-style="italic"' if run.italic else ""
        if run.scale != 1.0:
            attributes += f' font-size="{_size(run, size):.1f}"'
        if run.drop != level:
            attributes += f' dy="{size * (run.drop - level):.2f}"'
        level = run.drop
        markup += f"<tspan{attributes}>{esc(run.text)}</tspan>" if attributes else esc(run.text)
    return markup


def serif_width(formula: Formula, size: float) -> float:
    """The width of a formula."""
    return sum([_em(run.text) * _size(run, size) for run in runs(formula)]) * SERIF_WIDENING


def _size(run: Run, size: float) -> float:
    """The font size of a run in a formula of this size: small, but readable."""
    return size if run.scale == 1.0 else max(size * run.scale, min(size, LEAST))


def header_width(formula: Formula, size: float) -> float:
    """The width of a formula in a header, with more room: fonts differ most in long words."""
    words = tuple(token for token in formula if token.kind in ("function", "text") and len(token.text) > 3)
    return serif_width(formula, size) + WORDS_WIDENING * serif_width(words, size)


def sans_width(text: str, size: float) -> float:
    """The width of interface text."""
    return _em(text) * size * SANS_WIDENING


def cut(text: str, size: float, width: float) -> str:
    """Interface text, or the part of its beginning that fits, with an ellipsis."""
    if sans_width(text, size) <= width:
        return text
    while text and sans_width(text + "…", size) > width:
        text = text[:-1]
    return text + "…"


def parts_of(note: str, size: float, width: float) -> str:
    """A note of parts with dots between them, or as many of the first as fit: none is cut, unless it is alone."""
    parts = note.split(" · ")
    while len(parts) > 1 and sans_width(" · ".join(parts), size) > width:
        parts.pop()
    return cut(" · ".join(parts), size, width)


def mono_width(text: str, size: float) -> float:
    """The width of a number."""
    return MONO_EM * size * len(text)


def fitted(formula: Formula, size: float, width: float) -> Formula:
    """The formula; a long one is cut after the last argument, or token, that fits, with an ellipsis: f(a, b, …)."""
    if serif_width(formula, size) <= width:
        return formula
    begins = [k for k, token in enumerate(formula) if token.kind == "operator" and token.text.strip() in (",", "(")]
    for place in reversed(begins):
        rest = ELLIPSIS if formula[place].text == "(" else Token("text", " …")
        shorter = (*formula[: place + 1], rest, *_closing(formula[: place + 1]))
        if serif_width(shorter, size) <= width:
            return shorter
    kept = list(formula)
    while kept and serif_width((*kept, ELLIPSIS), size) > width:
        last = kept.pop()
        if last.kind == "text" and len(last.text) > 1:
            kept.append(last._replace(text=last.text[:-1]))
    return (*kept, ELLIPSIS)


def _closing(formula: Formula) -> Formula:
    """The closing brackets for those that are open at the end of a cut formula."""
    brackets: list[str] = []
    for token in formula:
        if token.kind == "operator" and token.text in ("(", "["):
            brackets.append(")" if token.text == "(" else "]")
        elif brackets and token.text == brackets[-1]:
            brackets.pop()
    return tuple(Token("operator", bracket) for bracket in reversed(brackets))


def _em(text: str) -> float:
    return sum(WIDTHS.get(character) or _other(character) for character in text)


def _other(character: str) -> float:
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0.0
    return 1.0 if unicodedata.east_asian_width(character) in "WF" else 0.66
