"""From a result to its scene: checks the arguments, then finds the graph, the adjoints, the scopes and the folding."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol, get_args

import numpy.typing as npt

from autodiff.arrays.tensor import Tensor
from autodiff.engine.devices import fetched
from autodiff.engine.graph import ancestors
from autodiff.notation.naming import assigned_since
from autodiff.notation.trace import Trace
from autodiff.picture.content.folding import Folding, folded
from autodiff.picture.content.outline import Outline, Region
from autodiff.picture.content.reader import scene
from autodiff.picture.content.scene import Scene, Symbols
from autodiff.picture.exports.text import words

MOST_CARDS = 1000
LONGEST_TRACE = 200  # values; the text of a larger graph lists its cards instead


class Reading(NamedTuple):
    """The content of a picture, as a scene, and as a text for places without pictures."""

    scene: Scene
    text: Trace | str


class Source(Protocol):
    """The source of a picture."""

    depth: int | None
    most: int

    @property
    def title(self) -> str | None:
        """The title, unless the caller gives one; None stands for the formula, if it is short."""

    @property
    def values(self) -> bool:
        """Whether there are values to show."""

    def scene(self, most: int, within: Region | None = None) -> Scene:
        """The scene of the source, or of one region of it, with at most `most` cards."""

    def text(self, drawn: Scene) -> Trace | str:
        """The text of a scene."""


class Computation:
    """The source of a result's picture: its graph, its adjoints and its scopes. Constants may have no cards."""

    title: str | None = None
    values = True

    def __init__(
        self,
        y: Tensor,
        asked: str,
        seed: npt.ArrayLike | None,
        depth: int | None,
        max_cards: int,
        constants: bool = True,
    ) -> None:
        _check(y, asked, depth, max_cards)
        self._y, self._asked, self.depth, self.most = y, asked, depth, max_cards
        nodes = ancestors(y, shown=True)
        self._stale = assigned_since(nodes)
        if self._stale:  # a leaf that was assigned later is younger than the result
            nodes = [*(node for node in nodes if node is not y), y]
        self._nodes = nodes
        drawable = not self._stale and (seed is not None or (y.size == 1 and y.dtype.kind == "f"))
        found = y.adjoints(seed) if drawable else {}
        self._adjoints: dict[Any, Any] = {tensor: fetched(g)[()] for tensor, g in found.items()}
        self._outline = Outline(nodes, max_cards // 2, constants)
        self._naming = Symbols(y, self._outline)

    def scene(self, most: int, within: Region | None = None) -> Scene:
        """The scene of the graph, or of one region of it, with at most `most` cards."""
        stale = self._stale or assigned_since(self._nodes)  # leaves may be assigned after this object was made
        depth = self.depth if within is None else None
        folding = few_enough(self._asked, folded(within or self._outline.whole, most, depth), depth)
        adjoints = {} if stale else self._adjoints
        drawn = scene(self._y, adjoints, self._outline, folding, self._naming, within)
        return drawn._replace(values=len(self._nodes), stale=stale)

    def text(self, drawn: Scene) -> Trace | str:
        """The text of a scene: the trace, if the graph is shown as a whole and is not long; otherwise the cards."""
        whole = len(self._nodes) <= LONGEST_TRACE and not any(card.fold for card in drawn.cards)
        return Trace(self._y, self._adjoints) if whole else words(drawn)


def read(y: Tensor, asked: str, seed: npt.ArrayLike | None, depth: int | None, max_cards: int) -> Reading:
    """The reading of everything `y` was computed from; errors name the function `asked`."""
    source = Computation(y, asked, seed, depth, max_cards)
    drawn = source.scene(max_cards)
    return Reading(drawn, source.text(drawn))


def _check(y: Tensor, asked: str, depth: int | None, max_cards: int) -> None:
    if not isinstance(y, Tensor):
        raise TypeError(
            f"ad.{asked} was asked for a picture of {type(y).__name__}, which remembers no computation; "
            "pass the Tensor that a computation on Tensors has given."
        )
    check_amounts(asked, depth, max_cards)


def check_amounts(asked: str, depth: int | None, max_cards: int) -> None:
    """Raise an error for a depth or a number of cards that is not possible."""
    if depth is not None and (not isinstance(depth, int) or isinstance(depth, bool) or depth < 0):
        raise ValueError(f"ad.{asked} was called with depth={depth!r}; it is a number of levels of scopes, from 0.")
    if not isinstance(max_cards, int) or not 2 <= max_cards <= MOST_CARDS:
        raise ValueError(f"ad.{asked} was called with max_cards={max_cards!r}; it is a number from 2 to {MOST_CARDS}.")


def few_enough(asked: str, folding: Folding, depth: int | None) -> Folding:
    """The folding; raises an error if it has more cards than a picture can hold."""
    if folding.cards > MOST_CARDS:
        raise ValueError(
            f"ad.{asked} was called with depth={depth}, which would take {folding.cards:,} cards; a picture "
            f"holds at most {MOST_CARDS}. Ask for a smaller depth=, or leave it out: max_cards= then decides what "
            "is folded."
        )
    return folding


def check_choices(asked: str, given: dict[str, tuple[object, Any]]) -> None:
    """Raise an error if an argument is not one of the strings that its type allows."""
    for name, (choice, choices) in given.items():
        if choice not in get_args(choices):
            allowed = ", ".join(map(repr, get_args(choices)))
            raise ValueError(f"ad.{asked} was called with {name}={choice!r}; choose one of {allowed}.")
