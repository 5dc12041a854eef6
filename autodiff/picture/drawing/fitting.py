"""The amount of a graph that is shown: as many cards as fit into a notebook's cell at full size."""

from __future__ import annotations

from autodiff.picture.content.outline import Region
from autodiff.picture.content.reading import Source
from autodiff.picture.drawing.plan import Options, Plan, planned

FEWER = 0.75  # the factor of the number of cards for the next try


def fitted(source: Source, options: Options, within: Region | None = None, most: int | None = None) -> Plan:
    """The layout of a graph, or of one region of it, folded until it fits, unless a depth or direction was given.

    `most` is the number of cards to try first, by default all that are allowed.
    """
    asked = options.direction is not None or (source.depth is not None and within is None)
    most, shown = most or source.most, source.most + 1
    while True:
        scene = source.scene(most, within)
        hopeless = len(scene.cards) in (shown, 1)  # more folding does not make it smaller
        plan = planned(scene, options, fitting=not asked and not hopeless)
        if plan is not None:
            return plan
        shown = len(scene.cards)
        most = max(2, int(shown * FEWER))
