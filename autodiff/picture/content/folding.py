"""Which scopes of a graph are drawn open. The others become one card each, so that a picture has at most max_cards."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from autodiff.picture.content.outline import Outline, Region, start

DEEPEST = 32  # levels of boxes in boxes that a picture may have
FEW = 10  # a picture of fewer cards opens a part of a scope that it cannot open as a whole


class Earlier(NamedTuple):
    """The earliest items of an open region, which are one card."""

    items: int = 0  # how many they are
    leaves: int = -1  # leaves that are not used from this serial number on are in the card too


@dataclass
class Folding:
    """The open regions, with what of each is folded all the same, and how many cards there are."""

    open: set[Region] = field(default_factory=set)
    earlier: dict[Region, Earlier] = field(default_factory=dict)
    cards: int = 0


def folded(outline: Outline, most: int, depth: int | None = None) -> Folding:
    """The folding of a graph: scopes open level by level, the shallowest first, while `most` cards suffice.

    Scopes of one level and kind (calls of one class of module, names that differ in their digits) are alike, so
    they open together or not at all. With `depth`, that many levels are open, however many cards it takes.
    """
    folding = Folding()
    _open(folding, outline.whole, most)
    level = [outline.whole]
    for reached in range(1, DEEPEST):
        level = [inner for region in level if region in folding.open for inner in _shown(folding, region)]
        groups: dict[Any, list[Region]] = {}
        for region in level:
            groups.setdefault(_kind(region.frame), []).append(region)
        for group in groups.values():
            cards = sum(len(region.items) + len(region.leaves) - 1 for region in group)
            if folding.cards + cards <= most if depth is None else reached <= depth:
                folding.open.update(group)
                folding.cards += cards
    if depth is None and folding.cards < FEW <= most - folding.cards:
        closed = [r for r in outline.whole.inner() if r.parent in folding.open and r not in folding.open]
        large = [region for region in closed if len(region.items) > FEW and region in _shown(folding, region.parent)]
        if large:
            folding.cards -= 1
            _open(folding, large[-1], most - folding.cards)
    return folding


def _open(folding: Folding, region: Region, room: int) -> None:
    """Open a region; if it has too many items, only the latest of them."""
    folding.open.add(region)
    cards = len(region.items) + len(region.leaves)
    if cards <= room:
        folding.cards += cards
        return
    begins = [start(item) for item in region.items]
    reserved = len(region.leaves) if len(region.leaves) <= room // 4 else 0
    last_used = sorted((leaf.last_used for leaf in region.leaves), reverse=True)
    kept = needed = 0
    while kept < len(begins) - 1:
        begin = begins[-1 - kept]
        more = needed
        while more < len(last_used) and last_used[more] >= begin:
            more += 1
        if kept + 2 + (reserved or more) > room:
            break
        kept, needed = kept + 1, more
    folding.earlier[region] = Earlier(len(begins) - kept, -1 if reserved else begins[-kept] if kept else sys.maxsize)
    folding.cards += kept + 1 + (reserved or needed)


def _shown(folding: Folding, region: Region | None) -> list[Region]:
    """The regions that are items of an open one and not among its earlier operations."""
    assert region is not None
    return [item for item in region.items[folding.earlier.get(region, Earlier()).items :] if isinstance(item, Region)]


def _kind(frame: Any) -> Any:
    return re.sub(r"\d+", "0", frame) if isinstance(frame, str) else type(frame)
