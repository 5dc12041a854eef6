"""The picture of a computation: its graph with values, adjoints and local partials.

reading    turns a result into its scene
listing    a compiled program by its scopes and blocks
programs   turns a listing into its scene
outline    the graph by its scopes            } the graph
members    what modules are called and own    }
folding    which scopes are open              }
scene      what is shown: cards, wires, boxes }
ordering   ranks and crossings            }
lattice    columns, and places for wires  }
heights    the vertical positions         } numbers only
layout     coordinates                    }
nesting    layouts in layouts             }
rows       a long chain in rows           }
heatmap    arrays as cells       }
lettering  text: escaping, widths, formulas
pen        SVG elements and colours
thumbnails, cards, stacks, legend, sheet   the parts of the picture, and the whole
expression the formula in the title
fitting    how much is shown, so that it is readable
text, dot, mermaid, json_graph   the same as text, for Graphviz, Mermaid, programs
page, views, film, raster        the same for a browser, and as PNG
story      the steps of a computation      } the stepper
stepper    the page that plays them        }
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np
import numpy.typing as npt

from autodiff.arrays.tensor import Tensor
from autodiff.notation.formula import plain
from autodiff.picture.content.programs import Steps
from autodiff.picture.content.reading import Computation, Source, check_choices
from autodiff.picture.content.scene import Scene
from autodiff.picture.content.title import heading_of
from autodiff.picture.drawing.fitting import fitted
from autodiff.picture.drawing.pen import Theme
from autodiff.picture.drawing.plan import Direction, Edges, Options
from autodiff.picture.drawing.sheet import svg
from autodiff.picture.exports.dot import digraph, rendered
from autodiff.picture.exports.film import Film
from autodiff.picture.exports.json_graph import record
from autodiff.picture.exports.mermaid import flowchart
from autodiff.picture.exports.page import framed, page
from autodiff.picture.exports.raster import SUFFIXES, converted
from autodiff.picture.exports.views import View, Views, views
from autodiff.picture.stepping.stepper import Stepper, steps
from autodiff.program.graph import Program

if TYPE_CHECKING:
    import graphviz

__all__ = ["Film", "Picture", "Stepper", "displayed", "draw", "steps"]

Engine = Literal["builtin", "dot"]
MOST_SAVED, MOST_SHOWN = 3_000_000, 200_000  # most characters of the pictures in a saved page, and in a notebook's
MOST_DISPLAYED = 30  # most values of a computation that a notebook draws by itself


class Programmed(Protocol):
    """An object that has a program, such as a function of `ad.compile`."""

    @property
    def program(self) -> Program:
        """The program of its last call."""


class Picture:
    """A drawn computation. It displays itself in notebooks; `save` writes it to a file.

    `svg` is the picture's text, and `to_dot()` the graph in Graphviz's language. `save` chooses the format by the
    suffix of the file name; an unknown suffix raises ValueError.

    >>> x = ad.Tensor(3.0, name="x")
    >>> picture = ad.draw(x * x)
    >>> picture.save("square.svg")
    >>> picture.svg.startswith("<svg")
    True
    """

    def __init__(self, markup: str, drawn: Scene, title: str, source: Source, options: Options, engine: Engine) -> None:
        self.svg = markup
        self._scene = drawn
        self._title = title
        self._source, self._options, self._engine = source, options, engine
        self._text = source.text(drawn)

    def __repr__(self) -> str:
        cards, values = len(self._scene.cards), self._scene.values
        return f"<Picture of {values:,} values{f' in {cards:,} cards' if cards < values else ''}>"

    @cached_property
    def html(self) -> str:
        """A page with tooltips and a search for names, where folded cards open and hovering highlights dependencies.

        The page is complete in itself, in at most about 3 MB. Its end says which pictures are left out.
        """
        return self._page(MOST_SAVED)

    def _page(self, most: int) -> str:
        whole = View(self.svg, self._title or "Computation graph")
        if self._engine == "dot":
            return page(whole.name, Views([whole]))
        return page(whole.name, views(self._source, whole, self._scene, self._options, most))

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
        """Write the picture in the format of the suffix: .svg, .html, .dot (Graphviz), .mmd (Mermaid), .json or .txt.

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
        """The page in a frame, since JupyterLab shows an SVG result as an image, and images have no tooltips."""
        return framed(self._title or "Computation graph", self.svg, self._page(MOST_SHOWN), "100%")


FORMATS: dict[str, Callable[[Picture], str]] = {
    ".svg": lambda picture: picture.svg,
    ".html": lambda picture: picture.html,
    ".dot": lambda picture: picture.to_dot().source,
    ".mmd": Picture.to_mermaid,
    ".json": Picture.to_json,
    ".txt": lambda picture: f"{picture._text}\n",
}


def draw(
    y: Tensor | Programmed,
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
    """The picture of everything `y` was computed from, with the adjoints of `y`; or of a compiled function's program.

    For a function from `ad.compile` it draws the program of the last call: one card for each step, with the step's line
    in `.source` and the shape and dtype of its result. Steps that write into the same buffer have the same colour, and
    the legend gives the buffer's bytes; other steps make new arrays or views. Boxes stand for scopes, for lines of the
    function, and for steps that run block by block, where `x[at]` is the block of x. `depth=9` opens all boxes, however
    wide the picture gets.

    If inputs or parameters were assigned new values after the computation, for example by an optimizer, the picture
    shows their new values, and all other values as they were computed. It then leaves the adjoints out, since they
    would mix both, and the legend says so.

    Parameters
    ----------
    y : the result; draw it before or after `backward`, drawing changes nothing. Or a compiled function, an `nn`
        training step, or a program: `seed`, `values` and `edges` are only for results
    seed : the adjoint of `y` itself, in its shape; 1 for a result of one element. Without a seed, a result of
        several elements is drawn without adjoints
    depth : how many levels of scopes (module calls, `ad.scope`) are open boxes; each deeper scope is one card. None
        opens the outermost scopes first, as many as max_cards allows
    max_cards : the most cards to draw, up to 1000; in a graph without scopes the earliest part is folded
    values : False shows only the formulas
    edges : local partials on the wires between scalars: "auto" up to 60 cards, "all", or "none"
    direction : "LR" from left to right, "TB" from the top down. None chooses the one that fits at full size in a
        notebook's cell (953 px). Unless depth is given, it folds the graph further until one of the two fits. It draws
        a long chain in rows, each from left to right, if that is much less tall
    theme : "auto" follows the reader's light or dark mode; "light" and "dark" are fixed
    title : None writes the formula if it is short; "" leaves the title out
    engine : "dot" lets Graphviz lay the graph out; it must be installed

    Raises
    ------
    ValueError : for a choice that does not exist, a depth that takes more than 1000 cards, or a program's seed
    RuntimeError : with engine="dot" where `dot` is missing, or for a compiled function that was not called yet
    TypeError : for any other y, such as a function that is not compiled

    >>> x1, x2 = ad.Tensor(2.0, name="x1"), ad.Tensor(5.0, name="x2")
    >>> ad.draw(np.log(x1) + x1 * x2, title="an example").save("example.svg")
    >>> slope = ad.compile(ad.grad(lambda x: np.sum(np.tanh(x) ** 2)))
    >>> slope(np.ones(1000)).shape
    (1000,)
    >>> ad.draw(slope).save("slope.svg")
    """
    choices = {"edges": (edges, Edges), "theme": (theme, Theme), "engine": (engine, Engine)}
    check_choices("draw", {**choices, "direction": ("LR" if direction is None else direction, Direction)})
    source = _source(y, seed, depth, max_cards)
    return drawn(source, Options(values and source.values, edges, theme, legend, None, direction), title, engine)


def drawn(source: Source, options: Options, title: str | None = None, engine: Engine = "builtin") -> Picture:
    """The picture of a source."""
    plan = fitted(source, options)
    heading = heading_of(plan.scene, source.title if title is None else title)
    options = options._replace(title=heading)
    words = plain(heading) if heading else ""
    markup = rendered(digraph(plan.scene, words)) if engine == "dot" else svg(plan, options)
    return Picture(markup, plan.scene, words, source, options, engine)


def _source(y: Tensor | Programmed, seed: npt.ArrayLike | None, depth: int | None, max_cards: int) -> Source:
    """The source of a picture: a computation or a program."""
    program = y if isinstance(y, Program | Tensor) else getattr(y, "program", None)
    if not isinstance(program, Program):
        return Computation(y, "draw", seed, depth, max_cards)  # type: ignore[arg-type]  # which says what it takes
    if seed is not None:
        raise ValueError("ad.draw was called with seed= and a program, which has no values yet; leave out seed=.")
    return Steps(program, getattr(y, "__name__", type(y).__name__), depth, max_cards)


def displayed(result: Tensor) -> dict[str, str]:
    """What a notebook shows for a Tensor: the picture of a small computation on numbers, otherwise only its text."""
    if result.ndim or result.primitive is None:
        return {}
    nodes, found = [result], {result}
    for node in nodes:  # the loop appends to nodes
        arguments = [argument for argument in node.arguments if isinstance(argument, Tensor)]
        if any(np.ndim(a) for a in node.arguments if not isinstance(a, Tensor)) or any(a.ndim for a in arguments):
            return {}
        nodes += [a for a in dict.fromkeys(arguments) if a not in found]
        found.update(arguments)
        if len(nodes) > MOST_DISPLAYED:
            return {}
    return draw(result)._repr_mimebundle_() | {"text/plain": repr(result)}
