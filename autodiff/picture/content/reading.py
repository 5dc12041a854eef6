"""From a result to what is shown of it: its graph, adjoints, scopes and folding, with what was asked checked first."""

from __future__ import annotations

from typing import Any, NamedTuple, get_args

import numpy.typing as npt

from autodiff.arrays.tensor import Tensor
from autodiff.engine.graph import ancestors
from autodiff.notation.naming import assigned_since
from autodiff.notation.trace import Trace
from autodiff.picture.content.folding import folded
from autodiff.picture.content.outline import Outline
from autodiff.picture.content.scene import Scene, scene
from autodiff.picture.exports.text import words

MOST_CARDS = 1000
LONGEST_TRACE = 200  # values; the text of a larger graph is that of its cards


class Reading(NamedTuple):
    """What is shown, as a scene and as a text for where pictures cannot be."""

    scene: Scene
    text: Trace | str


def read(y: Tensor, asked: str, seed: npt.ArrayLike | None, depth: int | None, max_cards: int) -> Reading:
    """What is shown of everything `y` was computed from; `asked` is the function that errors name."""
    if not isinstance(y, Tensor):
        raise TypeError(
            f"ad.{asked} was asked for a picture of {type(y).__name__}, which remembers no computation; "
            "pass the Tensor that a computation on Tensors has given."
        )
    if depth is not None and (not isinstance(depth, int) or isinstance(depth, bool) or depth < 0):
        raise ValueError(f"ad.{asked} was called with depth={depth!r}; it is a number of levels of scopes, from 0.")
    if not isinstance(max_cards, int) or not 2 <= max_cards <= MOST_CARDS:
        raise ValueError(f"ad.{asked} was called with max_cards={max_cards!r}; it is a number from 2 to {MOST_CARDS}.")
    nodes = ancestors(y, shown=True)
    stale = assigned_since(nodes)
    if stale:  # a leaf that was assigned since is younger than the result
        nodes = [*(node for node in nodes if node is not y), y]
    drawable = not stale and (seed is not None or (y.size == 1 and y.dtype.kind == "f"))
    adjoints: dict[Any, Any] = {tensor: g[()] for tensor, g in y.adjoints(seed).items()} if drawable else {}
    outline = Outline(nodes, max_cards // 2)
    folding = folded(outline, max_cards, depth)
    if folding.cards > MOST_CARDS:
        raise ValueError(
            f"ad.{asked} was called with depth={depth}, which would take {folding.cards:,} cards; a picture holds at "
            f"most {MOST_CARDS}. Ask for a smaller depth=, or leave it out: max_cards= then decides what is folded."
        )
    drawn = scene(nodes, adjoints, outline, folding)._replace(stale=stale)
    whole = len(nodes) <= LONGEST_TRACE and not any(card.fold for card in drawn.cards)
    return Reading(drawn, Trace(y, adjoints) if whole else words(drawn))


def check_choices(asked: str, given: dict[str, tuple[object, Any]]) -> None:
    """Refuse an argument that is none of the strings its type allows."""
    for name, (choice, choices) in given.items():
        if choice not in get_args(choices):
            allowed = ", ".join(map(repr, get_args(choices)))
            raise ValueError(f"ad.{asked} was called with {name}={choice!r}; choose one of {allowed}.")
