"""The picture of a computation: its graph with values, adjoints and local partials.

reading    from a result to its scene
listing    a compiled program by its scopes and blocks
programs   from there to its scene
outline    the graph by its scopes            } the graph
members    what modules are called and own    }
folding    which scopes are open              }
scene      what is shown: cards, wires, boxes }
ordering   ranks and crossings            }
lattice    columns, and places for wires  }
heights    how high everything stands     } numbers only
layout     coordinates                    }
nesting    layouts in layouts             }
rows       a long chain in rows           }
heatmap    arrays as cells       }
lettering  text: escaping, widths, formulas
pen        SVG elements and colours
thumbnails, cards, stacks, legend, sheet   the parts of the picture, and the whole
expression the formula in the title
fitting    how much is shown, so that it can be read
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
MOST_SAVED, MOST_SHOWN = 3_000_000, 200_000  # characters of the pictures in a page, and in a notebook's
MOST_DISPLAYED = 30  # values of a computation that a notebook draws without being asked to


class Programmed(Protocol):
    """What holds a program, such as a function of `ad.compile`."""

    @property
    def program(self) -> Program:
        """The program of its last call."""


class Picture:
    """A drawn computation. It displays itself in notebooks; `save` writes it to a file.

    `svg` is the picture's text, and `to_dot()` the graph in Graphviz's language. The ending of the name that `save`
    is given chooses the format; an unknown one raises ValueError.

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
        """A page where folded cards open, tooltips work, hovering lights up what depends on what, names are found.

        It holds all it shows, in at most 3 MB or so; what is left out is said at its end.
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

    Of a function that `ad.compile` gave, and was called, the program of the last call is drawn: a card per step as
    `.source` has it, with the shape and dtype of its result. Steps that write into one buffer have one colour, and the
    legend has its bytes; others make new arrays or views. Boxes are scopes, lines, and steps that are made block by
    block, where `x[at]` is the block of x. `depth=9` opens all of them, however wide the picture gets.

    If inputs or parameters have been assigned new values since, as by an optimizer's step, their new values are drawn,
    and all other values as they were computed. Adjoints are left out then, since they would mix both. The legend says
    so.

    Parameters
    ----------
    y : the result; a picture can be drawn before or after `backward`, and changes nothing. Or a compiled function, an
        `nn` step of training, or a program itself: `seed`, `values` and `edges` are for results
    seed : the adjoint of `y` itself, in its shape; 1 for a result of one element. Without one, a result of
        several elements is drawn without adjoints
    depth : how many levels of scopes (module calls, `ad.scope`) are open boxes; deeper ones are one card each. None
        opens the shallowest first, as many as max_cards allows
    max_cards : how many cards there are at most, up to 1000; the earliest part of a graph without scopes is folded
    values : False shows the formulas alone
    edges : local partials on the wires between scalars: "auto" up to 60 cards, "all", or "none"
    direction : "LR" from left to right, "TB" from the top down; None chooses what is shown at full size in a notebook's
        cell (953 px), and, unless depth is given, folds the graph further until one of the two is. It draws a long
        chain in rows, each from left to right, where that is much less tall
    theme : "auto" follows the reader's light or dark mode; "light" and "dark" are fixed
    title : None writes the formula if it is short; "" leaves the title out
    engine : "dot" has Graphviz lay the graph out, which must be installed

    Raises
    ------
    ValueError : for a choice that does not exist, a depth that takes more than 1000 cards, or a program's seed
    RuntimeError : with engine="dot" where `dot` is missing, or for a compiled function that was not called yet
    TypeError : for anything else, a plain function among it

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
    options = Options(values and source.values, edges, theme, legend, None, direction)
    plan = fitted(source, options)
    heading = heading_of(plan.scene, source.title if title is None else title)
    options = options._replace(title=heading)
    words = plain(heading) if heading else ""
    markup = rendered(digraph(plan.scene, words)) if engine == "dot" else svg(plan, options)
    return Picture(markup, plan.scene, words, source, options, engine)


def _source(y: Tensor | Programmed, seed: npt.ArrayLike | None, depth: int | None, max_cards: int) -> Source:
    """What the picture is read from: a computation, or a program."""
    program = y if isinstance(y, Program | Tensor) else getattr(y, "program", None)
    if not isinstance(program, Program):
        return Computation(y, "draw", seed, depth, max_cards)  # type: ignore[arg-type]  # which says what it takes
    if seed is not None:
        raise ValueError("ad.draw was called with seed= and a program, which has no values yet; leave out seed=.")
    return Steps(program, getattr(y, "__name__", type(y).__name__), depth, max_cards)


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
