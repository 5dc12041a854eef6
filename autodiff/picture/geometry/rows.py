"""A long chain from left to right is broken into rows, like the lines of a text. Numbers only.

It is cut only between cards, where a single wire goes on. This wire turns at the end of the row, runs back below it,
and turns again into the next row. Where two or more wires go on there is no cut, since a reader could not tell them
apart at a glance.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from autodiff.picture.geometry.lattice import Size
from autodiff.picture.geometry.layout import Point
from autodiff.picture.geometry.nesting import PADDING, PADDING_TITLE, Arrangement, Frame
from autodiff.picture.geometry.ordering import Edge, ranks

TURN = 8.0  # how far a wire extends sideways where it turns
AFTER, BELOW, ABOVE = 8.0, 18.0, 28.0  # the gaps between the wire and the end of its row, that row, and the next one
CUT_BOX, RAGGED = 0.3, 0.5  # the cost of cutting a box, and of a short row, in units of a row
SAME = 0.05  # px; points nearer than this count as equal

Bounds = tuple[float, float, float, float]  # left, top, right, bottom
Span = tuple[float, float]  # top, bottom


class _Cut(NamedTuple):
    """A place where the layout can be cut."""

    x: float
    y: float  # the height of the wire there
    boxes: int  # how many boxes are cut


class _Row(NamedTuple):
    """A part of the layout, from one cut to the next, and by how much it moves."""

    start: float
    end: float
    leaves: float  # the height at which the value leaves it
    shift: Point
    bottom: float  # after it has moved
    boxes: dict[int, Span]  # for each box, the top and bottom that its contents in this row need


def is_chain(cards: int, wires: Sequence[Edge]) -> bool:
    """Whether only one value goes on at most places along the longest path."""
    rank = ranks(cards, wires)
    last = list(rank)  # the rank of each card's last user
    for tail, head in wires:
        last[tail] = max(last[tail], rank[head])
    passing = [0] * max(rank, default=0)
    for first, end in zip(rank, last, strict=True):
        for place in range(first, end):
            passing[place] += 1
    return 2 * passing.count(1) > len(passing)


def wrapped(
    arranged: Arrangement, sizes: Sequence[Size], pills: Sequence[Size | None], titles: Sequence[float], width: float
) -> Arrangement | None:
    """An arrangement from left to right, broken into rows of at most this width; None if no cuts make it fit.

    Parameters
    ----------
    arranged : the result of `nested`
    sizes, pills, titles : the arguments of `nested`
    width : the most that a row may have, including its turns
    """
    solid = [(x, y, x + wide, y + tall) for (x, y), (wide, tall) in zip(arranged.cards, sizes, strict=True)]
    for centre, size in zip(arranged.pills, pills, strict=True):
        if centre and size:
            (x, y), (wide, tall) = centre, size
            solid.append((x - wide / 2, y - tall / 2, x + wide / 2, y + tall / 2))
    cuts = _chosen(arranged.width, _cuts(arranged, solid, titles), width - 2 * TURN - AFTER)
    if not cuts:
        return None
    rows = _rows(arranged, solid, cuts)
    return Arrangement(
        [_moved(card, next(row for row in rows if card[0] < row.end - SAME)) for card in arranged.cards],
        [piece for frame in arranged.boxes for piece in _pieces(frame, rows)],
        [leg._replace(route=_turned(leg.route, rows)) for leg in arranged.legs],
        [centre and _moved(centre, next(row for row in rows if centre[0] < row.end)) for centre in arranged.pills],
        max(row.end - row.start for row in rows) + 2 * TURN + AFTER,
        rows[-1].bottom,
    )


def _cuts(arranged: Arrangement, solid: Sequence[Bounds], titles: Sequence[float]) -> list[_Cut]:
    """The places to cut: right of a card or box, where one wire is level and both parts of a cut box fit its title."""
    frames = [(frame.corner[0], frame.corner[0] + frame.size[0], titles[frame.box]) for frame in arranged.boxes]
    cuts: list[_Cut] = []
    for x in sorted({right for *_, right, _ in solid} | {right for _, right, _ in frames}):
        if cuts and x - cuts[-1].x < SAME:
            continue
        inside = [frame for frame in frames if frame[0] < x - SAME and x + SAME < frame[1]]
        if any(min(x - left, right - x) < title for left, right, title in inside):
            continue
        if any(left < x - SAME and x + SAME < right for left, _, right, _ in solid):
            continue
        crossing = [leg.route for leg in arranged.legs if leg.route[0][0] <= x + SAME and x + SAME < leg.route[-1][0]]
        heights = [_level(route, x) for route in crossing]
        level = [y for y in heights if y is not None]
        if level and len(level) == len(heights) and max(level) - min(level) < SAME:
            cuts.append(_Cut(x, level[0], len(inside)))
    return cuts


def _level(route: Sequence[Point], x: float) -> float | None:
    """The height of a wire at x; None if the wire is not level there."""
    for (left, y), (right, z) in pairwise(route):
        if abs(left - x) <= SAME:
            return y
        if left < x < right - SAME:
            return y if abs(y - z) < SAME else None
    return None


def _chosen(end: float, cuts: Sequence[_Cut], room: float) -> list[_Cut]:
    """The best cuts for which every row fits: few rows of similar length, and few cut boxes. The end is the last cut.

    Empty if there are none.
    """
    starts: list[tuple[float, float, list[_Cut]]] = [(0.0, 0.0, [])]  # of rows, and the cost of the rows before
    for cut in (*cuts, _Cut(end, 0.0, 0)):
        ended = [
            (cost + 1 + CUT_BOX * cut.boxes + RAGGED * (1 - (cut.x - start) / room) ** 2, before)
            for start, cost, before in starts
            if cut.x - start <= room
        ]
        if ended:
            cost, before = min(ended, key=lambda each: each[0])
            starts.append((cut.x, cost, [*before, cut]))
    return starts[-1][2] if starts[-1][0] == end else []


def _rows(arranged: Arrangement, solid: Sequence[Bounds], cuts: Sequence[_Cut]) -> list[_Row]:
    """The rows, one below the other, with space for a wire between them."""
    rows: list[_Row] = []
    points = [(x, y, x, y) for leg in arranged.legs for x, y in leg.route]
    start = top = 0.0
    for cut in cuts:
        here = [bounds for bounds in (*solid, *points) if start - SAME <= bounds[0] and bounds[2] <= cut.x + SAME]
        boxes: dict[int, Span] = {}
        for frame in reversed(arranged.boxes):  # inner before outer
            (x, y), (wide, tall) = frame.corner, frame.size
            if x < cut.x - SAME and start + SAME < x + wide:
                inside = [
                    (upper, lower) for left, upper, _, lower in here if x < left < x + wide and y < upper < y + tall
                ]
                inside += [boxes[other.box] for other in arranged.boxes if other.box in boxes and _holds(frame, other)]
                upper, lower = min(y for y, _ in inside), max(y for _, y in inside)
                boxes[frame.box] = max(y, upper - PADDING_TITLE), min(y + tall, lower + PADDING)
        spans = [(upper, lower) for _, upper, _, lower in here] + list(boxes.values())
        upper, lower = min(y for y, _ in spans), max(y for _, y in spans)
        rows.append(_Row(start, cut.x, cut.y, (TURN - start, top - upper), top + lower - upper, boxes))
        start, top = cut.x, rows[-1].bottom + BELOW + ABOVE
    return rows


def _holds(frame: Frame, other: Frame) -> bool:
    """Whether a box stands in another."""
    (x, y), (wide, tall) = frame.corner, frame.size
    return other is not frame and x < other.corner[0] < x + wide and y < other.corner[1] < y + tall


def _moved(point: Point, row: _Row) -> Point:
    return point[0] + row.shift[0], point[1] + row.shift[1]


def _pieces(frame: Frame, rows: Sequence[_Row]) -> list[Frame]:
    """The pieces of a box in the rows; each is only as tall as its contents there need."""
    x, wide = frame.corner[0], frame.size[0]
    pieces = []
    for row in rows:
        if frame.box in row.boxes:
            left, right = max(x, row.start), min(x + wide, row.end)
            top, bottom = row.boxes[frame.box]
            begins, ends = left == x, right == x + wide
            pieces.append(Frame(_moved((left, top), row), (right - left, bottom - top), frame.box, begins, ends))
    return pieces


def _turned(route: Sequence[Point], rows: Sequence[_Row]) -> list[Point]:
    """A route through the rows; where one row ends and the next begins, the wire turns from the upper to the lower."""
    at = next(place for place, row in enumerate(rows) if route[0][0] < row.end + SAME)
    turned = [_moved(route[0], rows[at])]
    for point in route[1:]:
        while point[0] > rows[at].end + SAME:
            row, after = rows[at], rows[at + 1]
            (right, y), (left, z) = _moved((row.end, row.leaves), row), _moved((row.end, row.leaves), after)
            right, back = right + AFTER, row.bottom + BELOW
            turned += [(right, y), (right, back), (left, back), (left, z)]
            at += 1
        turned.append(_moved(point, rows[at]))
    return turned
