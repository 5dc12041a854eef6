"""The picture of a computation: its graph with values, adjoints and local partials.

reading    from a result to its scene
outline    the graph by its scopes            } the graph
members    what modules are called and own    }
folding    which scopes are open              }
scene      what is shown: cards, wires, boxes }
ordering   ranks and crossings            }
lattice    columns, and places for wires  }
heights    how high everything stands     } numbers only
layout     coordinates                    }
nesting    layouts in layouts             }
heatmap    arrays as cells       }
lettering  text: escaping, widths, formulas
pen        SVG elements and colours
thumbnails, cards, stacks, legend, sheet   the parts of the picture, and the whole
expression the formula in the title
text, dot, mermaid, json_graph, page, raster   the same as text, for Graphviz, Mermaid, programs, a browser, PNG
story      the steps of a computation      } the stepper
stepper    the page that plays them        }
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from autodiff.arrays.tensor import Tensor
from autodiff.notation.formula import plain
from autodiff.notation.trace import Trace
from autodiff.picture.content.reading import check_choices, read
from autodiff.picture.content.scene import Scene
from autodiff.picture.content.title import heading_of
from autodiff.picture.drawing.pen import Theme
from autodiff.picture.drawing.sheet import Direction, Edges, Options, svg
from autodiff.picture.exports.dot import digraph, rendered
from autodiff.picture.exports.json_graph import record
from autodiff.picture.exports.mermaid import flowchart
from autodiff.picture.exports.page import framed, page
from autodiff.picture.exports.raster import SUFFIXES, converted
from autodiff.picture.stepping.stepper import Stepper, steps

if TYPE_CHECKING:
    import graphviz

__all__ = ["Picture", "Stepper", "displayed", "draw", "steps"]

Engine = Literal["builtin", "dot"]
MOST_DISPLAYED = 30  # values of a computation that a notebook draws without being asked to


class Picture:
    """A drawn computation. It displays itself in notebooks; `save` writes it to a file."""

    def __init__(self, markup: str, drawn: Scene, title: str, text: Trace | str) -> None:
        self.svg = markup
        self._scene = drawn
        self._title = title
        self._text = text

    def __repr__(self) -> str:
        cards, values = len(self._scene.cards), self._scene.values
        return f"<Picture of {values:,} values{f' in {cards:,} cards' if cards < values else ''}>"

    @cached_property
    def html(self) -> str:
        """A page with the picture, where tooltips work, hovering a card lights up what it depends on, and keys zoom."""
        return page(self._title or "Computation graph", self.svg)

    def to_dot(self) -> graphviz.Digraph:
        """The graph for Graphviz; making it needs no executable, rendering it does."""
        return digraph(self._scene, self._title)

    def to_mermaid(self) -> str:
        """The graph as Mermaid's flowchart."""
        return flowchart(self._scene)

    def to_json(self) -> str:
        """The graph for other programs; the format is documented in autodiff.picture.record."""
        return record(self._scene)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the picture as its suffix says: .svg, .html, .dot (Graphviz), .mmd (Mermaid), .json or .txt.

        .png and .pdf need an extra, pip install "autodiff-nn[png]", and raise RuntimeError without it.
        """
        suffix = os.path.splitext(path)[1].lower()
        if suffix in SUFFIXES:
            Path(path).write_bytes(converted(self.svg, suffix))
            return
        if suffix not in FORMATS:
            raise ValueError(
                f"a Picture was asked to save itself as {os.fspath(path)!r}; it writes "
                f"{', '.join((*FORMATS, *SUFFIXES))}."
            )
        text = FORMATS[suffix](self)
        with open(path, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/html": self._repr_html_(), "image/svg+xml": self.svg, "text/plain": str(self._text)}

    def _repr_html_(self) -> str:
        """The page in a frame: JupyterLab makes an image of an SVG result, and images have no tooltips."""
        return framed(self._title or "Computation graph", self.svg, self.html, "100%")


FORMATS: dict[str, Callable[[Picture], str]] = {
    ".svg": lambda picture: picture.svg,
    ".html": lambda picture: picture.html,
    ".dot": lambda picture: picture.to_dot().source,
    ".mmd": Picture.to_mermaid,
    ".json": Picture.to_json,
    ".txt": lambda picture: f"{picture._text}\n",
}


def draw(
    y: Tensor,
    *,
    seed: npt.ArrayLike | None = None,
    depth: int | None = None,
    max_cards: int = 60,
    values: bool = True,
    edges: Edges = "auto",
    direction: Direction | None = None,
    theme: Theme = "auto",
    legend: bool = True,
    title: str | None = None,
    engine: Engine = "builtin",
) -> Picture:
    """The picture of everything `y` was computed from, with the adjoints of `y`.

    Where inputs or parameters were assigned new values since, as by an optimizer's step, they are drawn as they are
    now, everything else as it was computed, and without adjoints, which would mix both; the legend says so.

    Parameters
    ----------
    y : the result; a picture can be drawn before or after `backward`, and changes nothing
    seed : the adjoint of `y` itself, in its shape; 1 for a result of one element. Without one, a result of
        several elements is drawn without adjoints
    depth : how many levels of scopes (module calls, `ad.scope`) are open boxes; deeper ones are one card each. None
        opens the shallowest first, as many as max_cards allows
    max_cards : how many cards there are at most, up to 1000; the earliest part of a graph without scopes is folded
    values : False shows the formulas alone
    edges : local partials on the wires between scalars: "auto" up to 60 cards, "all", or "none"
    direction : "LR" from left to right, "TB" from the top down; None chooses: from left to right, unless that is wider
        than a notebook's cell (953 px) and the other way is narrower
    theme : "auto" follows the reader's light or dark mode; "light" and "dark" are fixed
    title : None writes the formula if it is short; "" leaves the title away
    engine : "dot" has Graphviz lay the graph out, which must be installed

    Raises
    ------
    ValueError : for a choice that does not exist, or a depth that takes more than 1000 cards
    RuntimeError : with engine="dot" where `dot` is missing
    """
    choices = {"edges": (edges, Edges), "theme": (theme, Theme), "engine": (engine, Engine)}
    check_choices("draw", {**choices, "direction": ("LR" if direction is None else direction, Direction)})
    drawn, text = read(y, "draw", seed, depth, max_cards)
    heading = heading_of(drawn, title)
    words = plain(heading) if heading else ""
    if engine == "dot":
        markup = rendered(digraph(drawn, words))
    else:
        markup = svg(drawn, Options(values, edges, theme, legend, heading, direction))
    return Picture(markup, drawn, words, text)


def displayed(result: Tensor) -> dict[str, str]:
    """What a notebook shows of a Tensor: the picture of a small computation on numbers, or nothing but its text."""
    if result.ndim or result.primitive is None:
        return {}
    nodes, found = [result], {result}
    for node in nodes:  # grows as it is read
        arguments = [argument for argument in node.arguments if isinstance(argument, Tensor)]
        if any(np.ndim(a) for a in node.arguments if not isinstance(a, Tensor)) or any(a.ndim for a in arguments):
            return {}
        nodes += [a for a in dict.fromkeys(arguments) if a not in found]
        found.update(arguments)
        if len(nodes) > MOST_DISPLAYED:
            return {}
    return draw(result)._repr_mimebundle_() | {"text/plain": repr(result)}
