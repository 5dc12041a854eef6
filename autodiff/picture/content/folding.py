"""The choice of the scopes that are drawn open. Others are one card each, so that a picture has at most max_cards."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from autodiff.picture.content.outline import Region, start

DEEPEST = 32  # the most levels of nested boxes in a picture
FEW = 10  # a picture with fewer cards opens a part of a scope that is too large to open completely


class Earlier(NamedTuple):
    """The earliest items of an open region, which are drawn as one card."""

    items: int = 0  # their number
    leaves: int = -1  # leaves that are only used before this serial number are in the card too


@dataclass
class Folding:
    """The open regions, the items of each that are still folded, and the number of cards."""

    open: set[Region] = field(default_factory=set)
    earlier: dict[Region, Earlier] = field(default_factory=dict)
    cards: int = 0

    def contents(self, region: Region) -> Iterator[tuple[Any, bool]]:
        """What an open region shows, in order. Its earliest items are one region of their own, marked True."""
        earlier = self.earlier.get(region, Earlier())
        gone = [leaf for leaf in region.leaves if leaf.last_used < earlier.leaves]
        hidden = {id(item) for item in (*region.items[: earlier.items], *gone)}
        last = region.items[earlier.items - 1] if earlier.items else None
        for item in region.contents:
            if item is last:
                yield Region(None, None, region.start, region.items[: earlier.items], gone), True
            elif id(item) not in hidden:
                yield item, False


def folded(whole: Region, most: int, depth: int | None = None) -> Folding:
    """The folding of a region, usually the whole graph: scopes are opened level by level, up to `most` cards.

    Scopes of one level and kind (calls of one class of module, names that differ only in digits) are opened together
    or not at all. With `depth`, that many levels are open, for any number of cards.
    """
    folding = Folding()
    _open(folding, whole, most)
    level = [whole]
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
        shown = [
            inner for region in (whole, *whole.inner()) if region in folding.open for inner in _shown(folding, region)
        ]
        large = [region for region in shown if len(region.items) > FEW and region not in folding.open]
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


def _shown(folding: Folding, region: Region) -> list[Region]:
    """The regions that are items of an open region and not among its earlier operations."""
    return [item for item in region.items[folding.earlier.get(region, Earlier()).items :] if isinstance(item, Region)]


def _kind(frame: Any) -> Any:
    return re.sub(r"\d+", "0", frame) if isinstance(frame, str) else type(frame)
