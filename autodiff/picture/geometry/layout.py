"""Layered left-to-right layout: coordinates from sizes and edges, as numbers.

All lengths are in px, y grows downwards. Only the four arithmetic operations are used, so the result is the
same on every machine.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from autodiff.picture.geometry.heights import heights, isotonic
from autodiff.picture.geometry.lattice import NO_PORTS, Lattice, Ports, Size, lattice_of
from autodiff.picture.geometry.ordering import Edge

Point = tuple[float, float]

STUB, LANDING = 8.0, 6.0  # the straight start and end of a wire
PORT_MARGIN = 12.0  # between a card's corner and the nearest wire into it
PORT_GAP, LEAST_PORT_GAP = 24.0, 4.5
# The most that a bend may move: to its port, along its lane, where the lane branches; and the space it keeps free.
SNAP, FAR, NUDGE, CLEARANCE = 26.0, 150.0, 6.0, 5.0
CLEARANCE_CARD = 11.0  # a card may wear a tag on its top border


class Layout(NamedTuple):
    """The coordinates of all cards, wires and pills."""

    corners: list[Point]  # the top left corner of each card
    routes: list[list[Point]]  # one polyline per edge, to be drawn with horizontal tangents
    pills: list[Point | None]  # the centre of each edge's pill
    width: float
    height: float


CROWD, CROWD_ROOM, MOST_CROWD_ROOM = 12, 1.5, 120.0  # more wires than CROWD get more room between two columns
BESIDE_PORTS = 0.55  # the gap beside ports, as a part of the gap between cards


def layered(
    sizes: Sequence[Size],
    edges: Sequence[Edge],
    pills: Sequence[Size | None] | None = None,
    *,
    gap_x: float,
    gap_y: float,
    ports: Ports = NO_PORTS,
) -> Layout:
    """The layout of cards of the given sizes; ``pills[e]`` is the size to reserve on edge e."""
    labels = list(pills) if pills is not None else [None] * len(edges)
    lattice = lattice_of(sizes, edges, labels, ports)
    height = heights(lattice, gap_y, ports)
    landings = _landings(lattice, height, ports)
    _straighten(lattice, height, landings)
    top = min((y - lattice.sizes[place][1] / 2 for place, y in enumerate(height)), default=0.0)
    height, landings = [y - top for y in height], [y - top for y in landings]
    columns = _columns(lattice, gap_x / 2 if any(labels) else gap_x, ports)
    leaf = [True] * len(sizes)
    for _, head in edges:
        leaf[head] = False
    corners = []
    for card, (wide, tall) in enumerate(sizes):
        x, column = columns[lattice.rank[card]]
        slack = column - wide
        corners.append((x + (slack if leaf[card] else slack / 2), height[card] - tall / 2))
    routes = [
        _route(lattice, chain, (height[chain[0]] + ports.tails.get(edge, 0.0), landing), height, columns, corners)
        for edge, (chain, landing) in enumerate(zip(lattice.chains, landings, strict=True))
    ]
    centres: list[Point | None] = []
    for chain, label in zip(lattice.chains, labels, strict=True):
        x, column = columns[lattice.rank[chain[-2]]]
        centres.append((x + column / 2, height[chain[-2]]) if label else None)
    bottom = max((y + lattice.sizes[place][1] / 2 for place, y in enumerate(height)), default=0.0)
    return Layout(corners, routes, centres, sum(columns[-1]) if columns else 0.0, bottom)


def _landings(lattice: Lattice, height: Sequence[float], ports: Ports) -> list[float]:
    """The height at which each edge enters its head: at its port, or near its origin, in the same order."""
    port = [0.0] * len(lattice.chains)
    incoming: dict[int, list[int]] = {}
    source = []
    for edge, chain in enumerate(lattice.chains):
        source.append(height[chain[-2]] + (ports.tails.get(edge, 0.0) if len(chain) == 2 else 0.0))
        if edge in ports.heads:
            port[edge] = height[chain[-1]] + ports.heads[edge]
        else:
            incoming.setdefault(chain[-1], []).append(edge)
    for head, edges in incoming.items():
        edges.sort(key=lambda edge: (source[edge], edge))
        tall = lattice.sizes[head][1]
        margin = min(PORT_MARGIN, tall / 4)
        low, high = height[head] - tall / 2 + margin, height[head] + tall / 2 - margin
        gap = min(PORT_GAP, (high - low) / max(1, len(edges) - 1))
        if gap < LEAST_PORT_GAP:  # too many for separate arrow heads: they meet in one point
            low = high = height[head]
            gap = 0.0
        wish = [source[edge] for edge in edges]
        fit = isotonic(wish, [1.0] * len(edges), [gap] * (len(edges) - 1))
        for index, (edge, y) in enumerate(zip(edges, fit, strict=True)):
            port[edge] = min(max(y, low + gap * index), high - gap * (len(edges) - 1 - index))
    return port


def _straighten(lattice: Lattice, height: list[float], ports: Sequence[float]) -> None:
    """Move the last bend of a wire to its port, and every bend before it to the height of the next, if there is room.

    A bend where the lane branches belongs to several wires, so it moves only a little.
    """
    users = [0] * len(lattice.sizes)
    for left, _, _ in lattice.pieces:
        users[left] += 1
    below = {upper: lower for layer in lattice.layers for upper, lower in pairwise(layer)}
    above = {lower: upper for upper, lower in below.items()}

    def distance(bend: int, other: int) -> float:
        clearance = CLEARANCE_CARD if other < lattice.cards else CLEARANCE
        return (lattice.sizes[bend][1] + lattice.sizes[other][1]) / 2 + clearance

    def free(bend: int, y: float) -> bool:
        upper, lower = above.get(bend), below.get(bend)
        return (upper is None or y - height[upper] >= distance(bend, upper)) and (
            lower is None or height[lower] - y >= distance(bend, lower)
        )

    for chain, port in zip(lattice.chains, ports, strict=True):
        level, reach = port, SNAP
        for bend in reversed(chain[1:-1]):
            if abs(level - height[bend]) < (reach if users[bend] == 1 else NUDGE) and free(bend, level):
                height[bend] = level
            level, reach = height[bend], FAR


def _columns(lattice: Lattice, gap_x: float, ports: Ports) -> list[tuple[float, float]]:
    """The left edge and the width of every column."""
    columns, x = [], 0.0
    last = len(lattice.layers) - 1
    passing = [0] * len(lattice.layers)
    for left, _, _ in lattice.pieces:
        passing[lattice.rank[left]] += 1
    for column, layer in enumerate(lattice.layers):
        width = max((lattice.sizes[place][0] for place in layer), default=0.0)
        columns.append((x, width))
        beside_ports = (column == 0 and ports.entries) or (column == last - 1 and ports.exits)
        room = min(MOST_CROWD_ROOM, CROWD_ROOM * max(0, passing[column] - CROWD))
        x += width + gap_x * (BESIDE_PORTS if beside_ports else 1.0) + room
    return columns


def _route(
    lattice: Lattice,
    chain: Sequence[int],
    ends: tuple[float, float],
    height: Sequence[float],
    columns: Sequence[tuple[float, float]],
    corners: Sequence[Point],
) -> list[Point]:
    """The polyline of one edge: straight across columns, so that it bends only between them."""
    tail, head = chain[0], chain[-1]
    x, width = columns[lattice.rank[tail]]
    start, port = ends
    route = [(corners[tail][0] + lattice.sizes[tail][0], start), (x + width + STUB, start)]
    for bend in chain[1:-1]:
        x, width = columns[lattice.rank[bend]]
        route += [(x, height[bend]), (x + width, height[bend])] if width else [(x, height[bend])]
    left = columns[lattice.rank[head]][0]
    return [*route, (left - LANDING, port), (corners[head][0], port)]
