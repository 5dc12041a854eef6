"""Layered left-to-right layout: sizes and edges in, coordinates out. Numbers only, no strings.

A wire that passes through a column does so at a *bend*, a place of its own, so it never meets a card.
The wires of one value share their bends: the value travels in one lane and branches off to its users.
A pill (the label of a wire) is a bend with a size, never shared.

All lengths are in px, y grows downwards. Only the four arithmetic operations are used, so the result is the
same on every machine.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from .ordering import Edge, neighbours, ranks, untangled

Point = tuple[float, float]
Size = tuple[float, float]

STUB, LANDING = 8.0, 6.0  # the straight start and end of a wire
BEND = 2.0  # the height a wire reserves where it passes a column
PORT_MARGIN = 12.0  # between a card's corner and the nearest wire into it
PORT_GAP = 24.0
# How far a bend may move: to its port, along its lane, where the lane branches; and what it keeps free.
SNAP, FAR, NUDGE, CLEARANCE = 26.0, 150.0, 6.0, 5.0
CLEARANCE_CARD = 11.0  # a card may wear a tag on its top border
RELAXATIONS, ONE_SIDED, MEAN = 40, 8, 12
WEIGHTS = (1.0, 2.0, 8.0)  # of a wire piece with no, one or two bends: long wires pull straight
SPINE = 5.0  # wires between operations pull harder than those from leaves
IDLE = 0.02  # the weight of staying put, where nothing pulls
TIGHTNESS = (1.0, 0.7, 0.35)  # the vertical gap at card-card, card-bend, bend-bend


class Layout(NamedTuple):
    """Where everything stands."""

    corners: list[Point]  # the top left corner of each card
    routes: list[list[Point]]  # one polyline per edge, to be drawn with horizontal tangents
    pills: list[Point | None]  # the centre of each edge's pill
    width: float
    height: float


class Lattice(NamedTuple):
    """The cards 0 .. cards-1 followed by the bends, in columns."""

    cards: int
    sizes: list[Size]
    rank: list[int]
    chains: list[list[int]]  # per edge: its tail, its bends, its head
    pieces: list[Edge]  # neighbouring places of some chain, each pair once
    layers: list[list[int]]  # per column, top to bottom


def layered(
    sizes: Sequence[Size],
    edges: Sequence[Edge],
    pills: Sequence[Size | None] | None = None,
    *,
    gap_x: float,
    gap_y: float,
) -> Layout:
    """The layout of cards of the given sizes; ``pills[e]`` is the size to reserve on edge e."""
    labels = list(pills) if pills is not None else [None] * len(edges)
    lattice = _lattice(sizes, edges, labels)
    height = _heights(lattice, gap_y)
    ports = _ports(lattice, height)
    _straighten(lattice, height, ports)
    top = min((y - lattice.sizes[place][1] / 2 for place, y in enumerate(height)), default=0.0)
    height, ports = [y - top for y in height], [y - top for y in ports]
    columns = _columns(lattice, gap_x / 2 if any(labels) else gap_x)
    leaf = [True] * len(sizes)
    for _, head in edges:
        leaf[head] = False
    corners = []
    for card, (wide, tall) in enumerate(sizes):
        x, column = columns[lattice.rank[card]]
        slack = column - wide
        corners.append((x + (slack if leaf[card] else slack / 2), height[card] - tall / 2))
    routes = [
        _route(lattice, chain, port, height, columns, corners)
        for chain, port in zip(lattice.chains, ports, strict=True)
    ]
    centres: list[Point | None] = []
    for chain, label in zip(lattice.chains, labels, strict=True):
        x, column = columns[lattice.rank[chain[-2]]]
        centres.append((x + column / 2, height[chain[-2]]) if label else None)
    bottom = max((y + lattice.sizes[place][1] / 2 for place, y in enumerate(height)), default=0.0)
    return Layout(corners, routes, centres, sum(columns[-1]) if columns else 0.0, bottom)


def isotonic(wish: Sequence[float], weight: Sequence[float], gap: Sequence[float]) -> list[float]:
    """The heights nearest the wished ones (weighted least squares) that keep ``gap`` between neighbours.

    Pool adjacent violators: subtracting the running gaps leaves a plain monotone regression.
    """
    offsets = [0.0]
    for distance in gap:
        offsets.append(offsets[-1] + distance)
    blocks: list[tuple[float, float, int]] = []  # mean, weight, members
    for value, mass, offset in zip(wish, weight, offsets, strict=True):
        mean, total, members = value - offset, mass, 1
        while blocks and blocks[-1][0] > mean:
            other, other_total, other_members = blocks.pop()
            mean = (mean * total + other * other_total) / (total + other_total)
            total, members = total + other_total, members + other_members
        blocks.append((mean, total, members))
    flat = [mean for mean, _, members in blocks for _ in range(members)]
    return [mean + offset for mean, offset in zip(flat, offsets, strict=True)]


def _lattice(sizes: Sequence[Size], edges: Sequence[Edge], labels: Sequence[Size | None]) -> Lattice:
    """Cards in columns, a bend in every column a wire passes; pills stand right before the head."""
    step = 2 if any(labels) else 1  # every other column is kept for the pills
    rank = [column * step for column in ranks(len(sizes), edges)]
    places = list(sizes)
    chains = []
    lanes: dict[tuple[int, int], int] = {}  # the bend of a tail's wires in a column
    for (tail, head), label in zip(edges, labels, strict=True):
        chain = [tail]
        for column in range(rank[tail] + 1, rank[head]):
            pill = label if column == rank[head] - 1 else None
            bend = len(places) if pill else lanes.setdefault((tail, column), len(places))
            if bend == len(places):
                places.append(pill or (0.0, BEND))
                rank.append(column)
            chain.append(bend)
        chain.append(head)
        chains.append(chain)
    pieces = list(dict.fromkeys(piece for chain in chains for piece in pairwise(chain)))
    before, after = neighbours(len(places), pieces)
    layers: list[list[int]] = [[] for _ in range(max(rank, default=-1) + 1)]
    for place, column in enumerate(rank):
        layers[column].append(place)
    return Lattice(len(sizes), places, rank, chains, pieces, untangled(layers, before, after))


def _heights(lattice: Lattice, gap_y: float) -> list[float]:
    """The centre height of every place: alternating sweeps, each an isotonic fit of one column."""
    pulls, gaps = _pulls(lattice), _gaps(lattice, gap_y)
    height = [0.0] * len(lattice.sizes)
    for layer, apart in zip(lattice.layers, gaps, strict=True):
        for place, y in zip(layer, isotonic([0.0] * len(layer), [1.0] * len(layer), apart), strict=True):
            height[place] = y
    for sweep in range(RELAXATIONS):
        rightward = sweep % 2 == 0
        columns = range(len(lattice.layers))
        for column in columns if rightward else reversed(columns):
            wish, weights = [], []
            for place in lattice.layers[column]:
                side = pulls[place]
                if sweep < ONE_SIDED:
                    side = [(n, w) for n, w in side if (lattice.rank[n] < column) == rightward]
                points = [(height[n], weight) for n, weight in side]
                weights.append(sum(weight for _, weight in points) or IDLE)
                middle = _median if sweep >= MEAN and place >= lattice.cards else _mean
                wish.append(middle(points, weights[-1]) if points else height[place])
            for place, y in zip(lattice.layers[column], isotonic(wish, weights, gaps[column]), strict=True):
                height[place] = y
    return height


def _pulls(lattice: Lattice) -> list[list[tuple[int, float]]]:
    """The neighbours of every place, with the weights of the pieces of wire between them."""
    operations = {chain[-1] for chain in lattice.chains}
    inner = operations.union(*(chain[1:] for chain in lattice.chains if chain[0] in operations))
    pulls: list[list[tuple[int, float]]] = [[] for _ in lattice.sizes]
    for left, right in lattice.pieces:
        bends = (left >= lattice.cards) + (right >= lattice.cards)
        weight = WEIGHTS[bends] * (SPINE if left in inner else 1.0)
        pulls[left].append((right, weight))
        pulls[right].append((left, weight))
    return pulls


def _gaps(lattice: Lattice, gap_y: float) -> list[list[float]]:
    """The least distances between the centres of neighbours in every column."""
    return [
        [
            (lattice.sizes[upper][1] + lattice.sizes[lower][1]) / 2
            + gap_y * TIGHTNESS[(upper >= lattice.cards) + (lower >= lattice.cards)]
            for upper, lower in pairwise(layer)
        ]
        for layer in lattice.layers
    ]


def _mean(points: list[tuple[float, float]], total: float) -> float:
    return sum(value * weight for value, weight in points) / total


def _median(points: list[tuple[float, float]], total: float) -> float:
    """The weighted median: unlike the mean it lets a long wire run straight and turn once."""
    points.sort()
    below = 0.0
    for index, (value, weight) in enumerate(points):
        below += weight
        if below > total / 2:
            return value
        if below == total / 2:
            return (value + points[index + 1][0]) / 2
    return points[-1][0]


def _ports(lattice: Lattice, height: Sequence[float]) -> list[float]:
    """The height at which each edge enters its head: near where it comes from, in the same order."""
    port = [0.0] * len(lattice.chains)
    incoming: dict[int, list[int]] = {}
    for edge, chain in enumerate(lattice.chains):
        incoming.setdefault(chain[-1], []).append(edge)
    for head, edges in incoming.items():
        edges.sort(key=lambda edge: (height[lattice.chains[edge][-2]], edge))
        tall = lattice.sizes[head][1]
        margin = min(PORT_MARGIN, tall / 4)
        low, high = height[head] - tall / 2 + margin, height[head] + tall / 2 - margin
        gap = min(PORT_GAP, (high - low) / max(1, len(edges) - 1))
        wish = [height[lattice.chains[edge][-2]] for edge in edges]
        fit = isotonic(wish, [1.0] * len(edges), [gap] * (len(edges) - 1))
        for index, (edge, y) in enumerate(zip(edges, fit, strict=True)):
            port[edge] = min(max(y, low + gap * index), high - gap * (len(edges) - 1 - index))
    return port


def _straighten(lattice: Lattice, height: list[float], ports: Sequence[float]) -> None:
    """Move the last bend of a wire to its port, and every bend before it level with the next, where there is room.

    A bend where the lane branches belongs to several wires, so it moves no more than a little.
    """
    users = [0] * len(lattice.sizes)
    for left, _ in lattice.pieces:
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


def _columns(lattice: Lattice, gap_x: float) -> list[tuple[float, float]]:
    """The left edge and the width of every column."""
    columns, x = [], 0.0
    for layer in lattice.layers:
        width = max((lattice.sizes[place][0] for place in layer), default=0.0)
        columns.append((x, width))
        x += width + gap_x
    return columns


def _route(
    lattice: Lattice,
    chain: Sequence[int],
    port: float,
    height: Sequence[float],
    columns: Sequence[tuple[float, float]],
    corners: Sequence[Point],
) -> list[Point]:
    """The polyline of one edge: straight across columns, so that it bends only between them."""
    tail, head = chain[0], chain[-1]
    x, width = columns[lattice.rank[tail]]
    start = height[tail]
    route = [(corners[tail][0] + lattice.sizes[tail][0], start), (x + width + STUB, start)]
    for bend in chain[1:-1]:
        x, width = columns[lattice.rank[bend]]
        route += [(x, height[bend]), (x + width, height[bend])] if width else [(x, height[bend])]
    left = columns[lattice.rank[head]][0]
    return [*route, (left - LANDING, port), (corners[head][0], port)]
