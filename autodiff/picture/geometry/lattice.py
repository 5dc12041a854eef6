"""The lattice of a layout: cards in columns, and a place in every column that a wire passes.

A wire passes through a column at a *bend*, so it never meets a card. The wires of one value share their bends: they
run as one lane and branch off to its users. A pill (the label of a wire) is a bend with a size, and is never shared.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from autodiff.picture.geometry.ordering import Edge, neighbours, ranks, untangled

Size = tuple[float, float]

MOST_LEAVES = 2  # in a column where there are boxes, from the top down
BEND = 2.0  # the height a wire reserves where it passes a column


class Ports(NamedTuple):
    """The places where values enter and leave a layout that is the inside of a box or contains boxes."""

    entries: int = 0  # the first cards are ports in the first column
    exits: int = 0  # the last cards are ports in the last column
    tails: Mapping[int, float] = {}  # the height at which an edge leaves its tail, from the tail's middle
    heads: Mapping[int, float] = {}
    values: Sequence[int] | None = None  # the value that each edge carries; None: the value of its tail
    broad: frozenset[int] = frozenset()  # cards that no leaf may stand beside
    given: frozenset[int] = frozenset()  # entries of values that no card computes


NO_PORTS = Ports()


class Lattice(NamedTuple):
    """The cards 0 .. cards-1 followed by the bends, in columns."""

    cards: int
    sizes: list[Size]
    rank: list[int]
    chains: list[list[int]]  # per edge: its tail, its bends, its head
    pieces: list[tuple[int, int, float]]  # neighbours in a chain, and how much lower the right one should be
    layers: list[list[int]]  # per column, top to bottom


def lattice_of(sizes: Sequence[Size], edges: Sequence[Edge], labels: Sequence[Size | None], ports: Ports) -> Lattice:
    """Cards in columns, a bend in every column a wire passes; pills stand right before the head."""
    step = 2 if any(labels) else 1  # every other column is kept for the pills
    rank = [column * step for column in _pinned(_apart(ranks(len(sizes), edges, ports.values), edges, ports), ports)]
    places = list(sizes)
    chains = []
    values = ports.values if ports.values is not None else [tail for tail, _ in edges]
    lanes: dict[tuple[int, int, int], int] = {}  # the bend of a value's wires in a column
    for (tail, head), label, value in zip(edges, labels, values, strict=True):
        chain = [tail]
        for column in range(rank[tail] + 1, rank[head]):
            pill = label if column == rank[head] - 1 else None
            bend = len(places) if pill else lanes.setdefault((tail, value, column), len(places))
            if bend == len(places):
                places.append(pill or (0.0, BEND))
                rank.append(column)
            chain.append(bend)
        chain.append(head)
        chains.append(chain)
    pieces = list(
        dict.fromkeys(
            (
                *piece,
                ports.tails.get(edge, 0.0) * (place == 0) - ports.heads.get(edge, 0.0) * (place == len(chain) - 2),
            )
            for edge, chain in enumerate(chains)
            for place, piece in enumerate(pairwise(chain))
        )
    )
    before, after = neighbours(len(places), [(left, right) for left, right, _ in pieces])
    origin = list(range(len(places)))  # a bend takes its tail's position: the first order is the recording's
    for chain in chains:
        for bend in chain[1:-1]:
            origin[bend] = chain[0]
    layers: list[list[int]] = [[] for _ in range(max(rank, default=-1) + 1)]
    for place in sorted(range(len(places)), key=lambda place: (origin[place], place)):
        layers[rank[place]].append(place)
    layers = untangled(layers, before, after)
    _sort_by_ports(layers, pieces)
    return Lattice(len(sizes), places, rank, chains, pieces, layers)


def _sort_by_ports(layers: list[list[int]], pieces: Sequence[tuple[int, int, float]]) -> None:
    """Exchange places that lead only to the same card, so that their wires do not cross before its ports."""
    leads: dict[int, set[tuple[int, float]]] = {}
    for left, right, lower in pieces:
        leads.setdefault(left, set()).add((right, -lower))
    single = {left: next(iter(ends)) for left, ends in leads.items() if len(ends) == 1}
    for layer in layers:
        slots: dict[int, list[int]] = {}
        for slot, place in enumerate(layer):
            if place in single:
                slots.setdefault(single[place][0], []).append(slot)
        for taken in slots.values():
            if len(taken) > 1:
                places = sorted((layer[slot] for slot in taken), key=lambda place: single[place][1])
                for slot, place in zip(taken, places, strict=True):
                    layer[slot] = place


def widths(
    sizes: Sequence[Size], edges: Sequence[Edge], labels: Sequence[Size | None], gap_x: float, gap_y: float
) -> tuple[float, float]:
    """The width of a layout without boxes from left to right, and its approximate width from the top down."""
    rank = ranks(len(sizes), edges)
    columns = max(rank, default=-1) + 1
    widest, pills, total = [0.0] * columns, [0.0] * columns, [-gap_y] * columns
    for (wide, _), column in zip(sizes, rank, strict=True):
        widest[column] = max(widest[column], wide)
        total[column] += wide + gap_y
    for (_, head), label in zip(edges, labels, strict=True):
        if label:
            pills[rank[head]] = max(pills[rank[head]], label[0])
    return sum(widest) + sum(pills) + gap_x * (columns - 1), max(total, default=0.0)


def _apart(rank: list[int], edges: Sequence[Edge], ports: Ports) -> list[int]:
    """The ranks with few leaves in each column, and none in the column of a broad card."""
    if not ports.broad:
        return rank
    heads = {head for _, head in edges}
    leaves: dict[int, list[int]] = {}
    for card in range(ports.entries, len(rank) - ports.exits):
        if card not in heads and card not in ports.broad:
            leaves.setdefault(rank[card], []).append(card)
    beside = {rank[card] for card in ports.broad}
    moved, added = list(rank), 0
    shift = [0] * (max(rank, default=0) + 1)
    for column in range(len(shift)):
        group = leaves.get(column, [])
        rows = -(-len(group) // MOST_LEAVES)
        if column in beside:  # they come after it
            shift[column], first = added, column + added + 1
            added += rows
        else:
            first = column + added
            added += max(0, rows - 1)
            shift[column] = added
        for place, card in enumerate(group):
            moved[card] = first + place // MOST_LEAVES
    taken = {card for group in leaves.values() for card in group}
    return [moved[card] if card in taken else column + shift[column] for card, column in enumerate(rank)]


def _pinned(rank: list[int], ports: Ports) -> list[int]:
    """The ranks with the entries alone in the first column and the exits alone in the last."""
    inside = rank[ports.entries : len(rank) - ports.exits]
    first = min(inside, default=0)
    inside = [column - first + (ports.entries > 0) for column in inside]
    return [0] * ports.entries + inside + [max(inside, default=0) + 1] * ports.exits
