"""The stepper: one page, complete in itself, that plays a computation forward and its derivative in reverse."""

from __future__ import annotations

import json
import os
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy.typing as npt

from autodiff.arrays.tensor import Tensor
from autodiff.notation.formula import plain
from autodiff.notation.trace import Trace
from autodiff.picture.content.lettering import esc
from autodiff.picture.content.reading import Computation, check_choices
from autodiff.picture.content.title import heading_of
from autodiff.picture.drawing.fitting import fitted
from autodiff.picture.drawing.plan import Direction, Edges, Options, Plan
from autodiff.picture.drawing.sheet import svg
from autodiff.picture.exports.page import digest, filled, framed, playing
from autodiff.picture.stepping.story import Story, math, story

MOST_STEPS = 240
SCRIPT, PAGE = "stepper.js", "stepper.html"
NARROW = 953  # px; a picture up to this width has the table beside it if there is room
CONTROLS, LINE, TALLEST, SHOWN_WIDTH = 190, 33, 900, 1000  # of the frame in a notebook, in px


class Stepper:
    """The steps of a computation as a page. It displays itself in notebooks; `save` writes it to a file.

    >>> x = ad.Tensor(3.0, name="x")
    >>> ad.steps(x * x).save("square.html")
    """

    def __init__(self, plan: Plan, told: Story, options: Options, text: Trace | str) -> None:
        heading = options.title
        self._scene, self._story, self._text = plan.scene, told, text
        self._title = plain(heading) if heading else "A computation, step by step"
        self._svg = svg(plan, options._replace(roles=True))
        self._poster = svg(plan, options)

    def __repr__(self) -> str:
        return f"<Stepper of {len(self._story.steps) - 1} steps>"

    @cached_property
    def html(self) -> str:
        """The page; it loads nothing from elsewhere."""
        script = playing(_template(SCRIPT))
        width = _measure(self._svg)[0]
        parts = {
            "TITLE": esc(self._title),
            "SVG": self._svg,
            "TEXT": esc(str(self._text)),
            "DATA": _embedded(self._data()),
            "SCRIPT": script,
            "HASH": digest(script),
            "LEAST": str(width),  # a narrow window scrolls the picture and does not shrink its text
            "WIDTH": "narrow" if width <= NARROW else "wide",
        }
        return filled(_template(PAGE), parts)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the page, .html."""
        if os.path.splitext(path)[1].lower() not in (".html", ".htm"):
            raise ValueError(f"a Stepper was asked to save itself as {os.fspath(path)!r}; it writes .html.")
        with open(path, "w", encoding="utf-8", newline="\n") as file:
            file.write(self.html)

    def _data(self) -> dict[str, Any]:
        return {
            "steps": [
                {
                    "phase": step.phase,
                    "equation": math(step.equation),
                    "numbers": math(step.numbers),
                    "note": step.note,
                    "card": step.card,
                    "wires": list(step.wires),
                    "value": step.value,
                    "total": step.total,
                    "complete": step.complete,
                }
                for step in self._story.steps
            ],
            "rows": [
                {
                    "card": row.card,
                    "forward": math(row.forward),
                    "bar": math(row.bar),
                    "terms": [math(term) for term in row.terms],
                }
                for row in self._story.rows
            ],
            "wires": [[wire.tail, wire.head] for wire in self._scene.wires],
        }

    def _repr_html_(self) -> str:
        """The page in a frame; where a notebook removes frames, the picture behind it remains."""
        width, height = _measure(self._svg)
        tall = CONTROLS + height * min(1.0, SHOWN_WIDTH / width) + LINE * (len(self._story.rows) + 2)
        return framed(self._title, self._poster, self.html, f"{min(TALLEST, round(tall))}px")

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/html": self._repr_html_(), "text/plain": str(self._text)}


def steps(
    y: Tensor,
    *,
    seed: npt.ArrayLike | None = None,
    depth: int | None = None,
    max_cards: int = 60,
    edges: Edges = "auto",
    direction: Direction | None = None,
    title: str | None = None,
) -> Stepper:
    """The stepper of the computation of `y`: forward value by value, then in reverse wire by wire.

    The parameters are those of `draw`. A folded scope is one step, and scopes are folded until there are at most 240
    steps. Raises ValueError if depth= leads to more steps.

    >>> x = ad.Tensor(2.0, name="x")
    >>> ad.steps(np.sin(x) * x).save("steps.html")
    """
    way = "LR" if direction is None else direction
    check_choices("steps", {"edges": (edges, Edges), "direction": (way, Direction)})
    source = Computation(y, "steps", seed, depth, max_cards)
    options = Options(edges=edges, direction=direction)
    most = max_cards
    while True:
        plan = fitted(source, options, most=most)
        shown = plan.scene
        count = len(shown.cards) + len(shown.wires) + 2
        if count <= MOST_STEPS:
            break
        if depth is not None or most == 2:
            raise ValueError(
                f"ad.steps was asked for a computation that takes {count:,} steps, too many to follow; the most "
                f"is {MOST_STEPS}. Ask for a smaller depth=, or leave it out: scopes are then folded until it is so."
            )
        most = max(2, min(len(shown.cards), most) * MOST_STEPS // count)
    heading = heading_of(shown, title)
    return Stepper(plan, story(shown, heading), options._replace(title=heading), source.text(shown))


def _template(name: str) -> str:
    """One of the templates in this module's folder."""
    return Path(__file__).with_name(name).read_text(encoding="utf-8")


def _embedded(data: Any) -> str:
    """JSON that cannot end the HTML element around it."""
    text = json.dumps(data, sort_keys=True, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _measure(markup: str) -> tuple[int, int]:
    """The width and height in a picture's viewBox."""
    head = markup[: markup.index(">")]
    _, _, width, height = head.split('viewBox="', 1)[1].split('"', 1)[0].split()
    return int(width), int(height)
