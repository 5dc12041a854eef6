"""How much of a graph is shown: as many cards as can be read in a notebook's cell without being made smaller."""

from __future__ import annotations

from autodiff.picture.content.outline import Region
from autodiff.picture.content.reading import Source
from autodiff.picture.drawing.plan import Options, Plan, planned

FEWER = 0.75  # of the cards that were too many


def fitted(source: Source, options: Options, within: Region | None = None, most: int | None = None) -> Plan:
    """A graph laid out, or one region of it: folded until it fits, unless its depth or direction was asked for.

    `most` is how many cards are tried first, if not all that may be.
    """
    asked = options.direction is not None or (source.depth is not None and within is None)
    most, shown = most or source.most, source.most + 1
    while True:
        scene = source.scene(most, within)
        hopeless = len(scene.cards) in (shown, 1)  # folding more does not make it smaller
        plan = planned(scene, options, fitting=not asked and not hopeless)
        if plan is not None:
            return plan
        shown = len(scene.cards)
        most = max(2, int(shown * FEWER))
