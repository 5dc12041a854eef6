"""The insides of a picture's folded cards, each as a separate picture, for pages where cards open."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from autodiff.notation.formula import Token
from autodiff.picture.content.lettering import undirected
from autodiff.picture.content.reading import Source
from autodiff.picture.content.scene import Fold, Scene
from autodiff.picture.drawing.fitting import fitted
from autodiff.picture.drawing.plan import Options
from autodiff.picture.drawing.sheet import svg

LONGEST_NAME, MOST_NAMES = 40, 3
MORE = 2  # the first number of cards of an inner picture, as a multiple of the outer one's
BETWEEN = " › "


class View(NamedTuple):
    """A picture in a page, and the view and card whose inside it shows."""

    svg: str
    name: str
    within: int = -1  # -1: it is the whole
    card: int = -1


class Views(NamedTuple):
    """The views of a page, the whole first, and the number of folded cards without a view."""

    views: list[View]
    left_out: int = 0


def views(source: Source, whole: View, scene: Scene, options: Options, most: int) -> Views:
    """The whole, and the insides of folded cards, outer before inner, up to `most` characters together."""
    made, size, left_out = [whole], len(whole.svg), 0
    waiting: deque[tuple[int, tuple[str, ...], Scene]] = deque([(0, (), scene)])
    while waiting:
        view, path, outer = waiting.popleft()
        for card, region in outer.insides.items():
            fold = outer.cards[card].fold
            assert fold is not None
            if size >= most or len(region.items) + len(region.leaves) < 2:
                left_out += size >= most
                continue
            names = (*path, _named(fold))
            shorter = names if len(names) <= MOST_NAMES else ("…", *names[-MOST_NAMES:])
            plan = fitted(source, options, region, min(source.most, MORE * len(outer.cards)))
            markup = svg(plan, options._replace(title=(Token("text", BETWEEN.join(shorter)),), legend=False))
            if size + len(markup) > most:
                size, left_out = most, left_out + 1
                continue
            size += len(markup)
            waiting.append((len(made), names, plan.scene))
            made.append(View(markup, _named(fold), view, card))
    return Views(made, left_out)


def _named(fold: Fold) -> str:
    return undirected(fold.name, LONGEST_NAME)
