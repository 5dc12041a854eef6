"""Nested layouts: every open scope is laid out by itself, and is then one box among the cards of its parent.

A value that crosses a box's border has a port there; inside the box it fans out to its users. Numbers only.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from autodiff.picture.geometry.lattice import Ports, Size
from autodiff.picture.geometry.layout import Layout, Point, layered

PADDING, PADDING_TITLE = 18.0, 38.0  # between a box's border and its contents
PORT: Size = (0.0, 12.0)
# Boxes and cards are numbered from 0. Among the items in a box, an inner box b has the number -2 - b. The number -1 is
# the box's own border; where a box is expected, it is the whole picture.
OUTSIDE = BORDER = -1


class Ends(NamedTuple):
    """The two ends of a leg, the value it carries, and, if it arrives at a card, the wire that ends there."""

    start: int
    end: int
    value: int
    wire: int | None


class Leg(NamedTuple):
    """The part of a wire, or of several that carry one value, within one box."""

    route: list[Point]
    wires: list[int]
    arrives: bool  # whether it ends at a card, with an arrow head; other legs end at a port
    departs: bool  # whether it begins at a card


class Frame(NamedTuple):
    """The rectangle of a box, or of the piece of it that is in one row."""

    corner: Point
    size: Size
    box: int
    begins: bool = True  # whether the piece has the left border
    ends: bool = True  # whether the piece has the right border


class Arrangement(NamedTuple):
    """All positions, in the coordinates of the whole picture."""

    cards: list[Point]
    boxes: list[Frame]
    legs: list[Leg]
    pills: list[Point | None]  # the centre of each wire's pill
    width: float
    height: float


class _Inside(NamedTuple):
    """One box's own layout."""

    entries: dict[int, float]  # the heights of the ports by the cards whose values cross there
    exits: dict[int, float]
    items: list[int]
    corners: list[Point]  # of the items
    placed: Layout
    shift: Point  # of the layout within the box
    size: Size


class _Content(NamedTuple):
    """The arguments of `nested`."""

    sizes: Sequence[Size]
    pills: Sequence[Size | None]
    titles: Sequence[float]
    gap_x: float
    gap_y: float
    down: bool
    computed: frozenset[int]  # the cards that a wire leads to


def nested(
    sizes: Sequence[Size],
    homes: Sequence[int],
    parents: Sequence[int],
    wires: Sequence[tuple[int, int]],
    pills: Sequence[Size | None],
    titles: Sequence[float],
    *,
    gap_x: float,
    gap_y: float,
    down: bool = False,
) -> Arrangement:
    """The arrangement of cards in boxes, from left to right, or from the top down.

    Parameters
    ----------
    sizes : of the cards, ordered so that every wire runs from a smaller to a larger index
    homes : the box each card stands in, or OUTSIDE
    parents : the box around each box, or OUTSIDE; it has a smaller index
    wires : from card to card
    pills : the size to reserve on each wire, just before its head
    titles : the width of each box's title
    """
    legs = _legs(homes, parents, wires)
    items = _items(homes, parents)
    if down:  # lay out with x and y exchanged, and exchange them back at the end
        sizes, pills = [(h, w) for w, h in sizes], [pill and (pill[1], pill[0]) for pill in pills]
    content = _Content(sizes, pills, titles, gap_x, gap_y, down, frozenset(head for _, head in wires))
    insides: dict[int, _Inside] = {}
    for box in (*reversed(range(len(parents))), OUTSIDE):
        insides[box] = _laid_out(box, items[box], legs[box], content, insides)
    corners: list[Point] = [(0.0, 0.0)] * len(sizes)
    frames: list[tuple[Point, Size]] = [((0.0, 0.0), (0.0, 0.0))] * len(parents)
    centres: list[Point | None] = [None] * len(wires)
    drawn: list[Leg] = []
    for box in range(OUTSIDE, len(parents)):
        inside = insides[box]
        left, top = (0.0, 0.0) if box == OUTSIDE else frames[box][0]
        x, y = left + inside.shift[0], top + inside.shift[1]
        for item, corner in zip(inside.items, inside.corners, strict=True):
            moved = corner[0] + x, corner[1] + y
            if item >= 0:
                corners[item] = moved
            else:
                frames[-2 - item] = moved, insides[-2 - item].size
        for edge, (ends, served) in enumerate(legs[box].items()):
            route = [(a + x, b + y) for a, b in inside.placed.routes[edge]]
            if ends.start == BORDER:
                route.insert(0, (left, route[0][1]))
            if ends.end == BORDER:
                route.append((left + inside.size[0], route[-1][1]))
            drawn.append(Leg(route, served, ends.wire is not None, ends.start >= 0))
            pill = inside.placed.pills[edge]
            if pill is not None:
                centres[served[0]] = pill[0] + x, pill[1] + y
    boxes = [Frame(corner, size, box) for box, (corner, size) in enumerate(frames)]
    arranged = Arrangement(corners, boxes, drawn, centres, *insides[OUTSIDE].size)
    return _exchanged(arranged) if down else arranged


def _exchanged(arranged: Arrangement) -> Arrangement:
    """The arrangement with x and y exchanged."""
    return Arrangement(
        [(y, x) for x, y in arranged.cards],
        [Frame((y, x), (h, w), box) for (x, y), (w, h), box, *_ in arranged.boxes],
        [leg._replace(route=[(y, x) for x, y in leg.route]) for leg in arranged.legs],
        [centre and (centre[1], centre[0]) for centre in arranged.pills],
        arranged.height,
        arranged.width,
    )


def _around(box: int, parents: Sequence[int]) -> Iterator[int]:
    """A box, the one around it, and so on to the whole."""
    while box != OUTSIDE:
        yield box
        box = parents[box]
    yield OUTSIDE


def _items(homes: Sequence[int], parents: Sequence[int]) -> dict[int, list[int]]:
    """The items that stand directly in each box, in the order of the cards."""
    first = [len(homes)] * len(parents)
    for card, home in enumerate(homes):
        for box in _around(home, parents):
            if box != OUTSIDE:
                first[box] = min(first[box], card)
    order = [(first[box], 0, box, -2 - box) for box in range(len(parents))]
    order += [(card, 1, card, card) for card in range(len(homes))]
    items: dict[int, list[int]] = {box: [] for box in range(OUTSIDE, len(parents))}
    for *_, item in sorted(order):
        items[homes[item] if item >= 0 else parents[-2 - item]].append(item)
    return items


def _legs(
    homes: Sequence[int], parents: Sequence[int], wires: Sequence[tuple[int, int]]
) -> dict[int, dict[Ends, list[int]]]:
    """The legs within each box, and the wires that each leg is a part of."""
    legs: dict[int, dict[Ends, list[int]]] = {box: {} for box in range(OUTSIDE, len(parents))}
    for wire, (tail, head) in enumerate(wires):
        outward, inward = list(_around(homes[tail], parents)), list(_around(homes[head], parents))
        shared = next(box for box in outward if box in inward)
        item = tail
        for box in outward[: outward.index(shared)]:
            legs[box].setdefault(Ends(item, BORDER, tail, None), []).append(wire)
            item = -2 - box
        box = shared
        for inner in reversed(inward[: inward.index(shared)]):
            legs[box].setdefault(Ends(item, -2 - inner, tail, None), []).append(wire)
            item, box = BORDER, inner
        legs[box][Ends(item, head, tail, wire)] = [wire]
    return legs


def _laid_out(
    box: int, items: list[int], legs: dict[Ends, list[int]], content: _Content, insides: dict[int, _Inside]
) -> _Inside:
    """The layout of one box, whose inner boxes are already laid out."""
    entries = list(dict.fromkeys(ends.value for ends in legs if ends.start == BORDER))
    exits = list(dict.fromkeys(ends.value for ends in legs if ends.end == BORDER))
    enter = {value: place for place, value in enumerate(entries)}
    place = {item: k for k, item in enumerate(items, len(entries))}
    leave = {value: k for k, value in enumerate(exits, len(entries) + len(items))}
    inner = [content.sizes[item] if item >= 0 else insides[-2 - item].size for item in items]
    broad = frozenset(k for item, k in place.items() if item < 0) if content.down else frozenset[int]()
    given = frozenset(k for value, k in enter.items() if value not in content.computed)
    tails, heads = {}, {}
    for edge, ends in enumerate(legs):
        if ends.start < BORDER:
            tails[edge] = insides[-2 - ends.start].exits[ends.value] - insides[-2 - ends.start].size[1] / 2
        if ends.end < BORDER:
            heads[edge] = insides[-2 - ends.end].entries[ends.value] - insides[-2 - ends.end].size[1] / 2
        elif ends.end == BORDER:
            heads[edge] = 0.0
    placed = layered(
        [PORT] * len(entries) + inner + [PORT] * len(exits),
        [
            (
                enter[ends.value] if ends.start == BORDER else place[ends.start],
                leave[ends.value] if ends.end == BORDER else place[ends.end],
            )
            for ends in legs
        ],
        [None if ends.wire is None else content.pills[ends.wire] for ends in legs],
        gap_x=content.gap_x,
        gap_y=content.gap_y,
        ports=Ports(len(entries), len(exits), tails, heads, [ends.value for ends in legs], broad, given),
    )
    shift, size = (0.0, 0.0), (placed.width, placed.height)
    if box != OUTSIDE:
        x, y = (PADDING_TITLE, PADDING) if content.down else (PADDING, PADDING_TITLE)
        width, height = placed.width + x + PADDING, placed.height + y + PADDING
        spare = max(0.0, content.titles[box] - (height if content.down else width))  # the title may need more
        shift = (x, y + spare / 2) if content.down else (x + spare / 2, y)
        size = (width, height + spare) if content.down else (width + spare, height)
    middles = [y + shift[1] + PORT[1] / 2 for _, y in placed.corners]
    return _Inside(
        {value: middles[k] for value, k in enter.items()},
        {value: middles[k] for value, k in leave.items()},
        items,
        placed.corners[len(entries) : len(entries) + len(items)],
        placed,
        shift,
        size,
    )
