"""The picture of a computation: its graph with values, adjoints and local partials.

scene      what is shown: cards and wires, read from the graph
ordering   ranks and crossings     } numbers only
layout     coordinates             }
heatmap    thumbnails of arrays    }
lettering  text: escaping, widths, formulas
pen        SVG elements and colours
cards      one card
sheet      the whole picture
expression the formula in the title
dot        the same graph for Graphviz
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy.typing as npt

from autodiff.formula import Token, plain
from autodiff.tensor import Tensor
from autodiff.evaluation import Trace, trace

from .dot import digraph, rendered
from .expression import expression
from .lettering import undirected
from .pen import Theme
from .scene import Scene, readable, scene
from .sheet import Edges, Options, svg

if TYPE_CHECKING:
    import graphviz  # type: ignore[import-untyped]

__all__ = ["Picture", "draw"]

Engine = Literal["builtin", "dot"]
LONGEST_TITLE = 200


class Picture:
    """A drawn computation. It displays itself in notebooks; `save` writes it to a file."""

    def __init__(self, markup: str, drawn: Scene, title: str, table: Trace) -> None:
        self.svg = markup
        self._scene = drawn
        self._title = title
        self._trace = table

    def __repr__(self) -> str:
        return f"<Picture of {len(self._scene.cards)} values>"

    def to_dot(self) -> graphviz.Digraph:
        """The graph for Graphviz; making it needs no executable, rendering it does."""
        return digraph(self._scene, self._title)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the picture: .svg, or .dot for Graphviz' language. No other file is touched."""
        suffix = os.path.splitext(path)[1]
        if suffix == ".svg":
            text = self.svg
        elif suffix == ".dot":
            text = self.to_dot().source
        else:
            raise ValueError(
                f"a Picture was asked to save itself as {os.fspath(path)!r}; it writes .svg and .dot. "
                "A browser or a converter such as rsvg-convert makes PNG or PDF of the .svg."
            )
        with open(path, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"image/svg+xml": self.svg, "text/plain": str(self._trace)}


def draw(
    y: Tensor,
    *,
    seed: npt.ArrayLike | None = None,
    values: bool = True,
    edges: Edges = "auto",
    theme: Theme = "auto",
    legend: bool = True,
    title: str | None = None,
    engine: Engine = "builtin",
) -> Picture:
    """The picture of everything `y` was computed from, with the adjoints of `y`.

    Parameters
    ----------
    y : the result; a picture can be drawn before or after `backward`, and changes nothing
    seed : the adjoint of `y` itself, in its shape; 1 for a result of one element. Without one, a result of
        several elements is drawn without adjoints
    values : False shows the formulas alone
    edges : local partials on the wires between scalars: "auto" up to 60 cards, "all", or "none"
    theme : "auto" follows the reader's light or dark mode; "light" and "dark" are fixed
    title : None writes the formula if it is short; "" leaves the title away
    engine : "dot" has Graphviz lay the graph out, which must be installed

    Raises
    ------
    ValueError : for more than 1000 values, or a choice that does not exist
    RuntimeError : with engine="dot" where `dot` is missing
    """
    if not isinstance(y, Tensor):
        raise TypeError(
            f"ad.draw was asked for a picture of {type(y).__name__}, which remembers no computation; "
            "pass the Tensor that a computation on Tensors has given."
        )
    _check_choices({"edges": (edges, Edges), "theme": (theme, Theme), "engine": (engine, Engine)})
    nodes = readable(y)
    adjoints: dict[Any, Any] = dict(y.adjoints(seed)) if seed is not None or y.size == 1 else {}
    drawn = scene(nodes, adjoints)
    heading = expression(drawn) if title is None else None
    if title:
        heading = (Token("text", undirected(title, LONGEST_TITLE)),)
    words = plain(heading) if heading else ""
    if engine == "dot":
        markup = rendered(digraph(drawn, words))
    else:
        markup = svg(drawn, Options(values, edges, theme, legend, heading))
    return Picture(markup, drawn, words, trace(y, seed))


def _check_choices(given: dict[str, tuple[str, Any]]) -> None:
    for name, (choice, choices) in given.items():
        if choice not in get_args(choices):
            allowed = ", ".join(map(repr, get_args(choices)))
            raise ValueError(f"draw was called with {name}={choice!r}; choose one of {allowed}.")
