"""The heights of a lattice's places: near their neighbours' heights, in order, and far enough apart.

Gansner et al. 1993 give the weights, pool adjacent violators (Barlow et al. 1972) the fit of one column.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from itertools import pairwise

from autodiff.picture.geometry.lattice import NO_PORTS, Lattice, Ports

RELAXATIONS, FEWEST, ONE_SIDED, MEAN = 36, 14, 4, 8
MANY = 300  # places; with more there are fewer sweeps
STILL = 0.01  # if no place moves further in a sweep, the sweeps end
WEIGHTS = (1.0, 2.0, 8.0)  # of a wire piece with no, one or two bends: long wires pull straight
SPINE = 5.0  # wires between operations pull harder than those from leaves
IDLE = 0.02  # the weight of the present height where nothing pulls
TIGHTNESS = (1.0, 0.7, 0.35)  # the vertical gap at card-card, card-bend, bend-bend
LONG = 6  # a path of so many operations runs straight, and everything else makes room for it
PINNED = 1e12  # the weight of its heights

Pulls = list[tuple[int, float, float]]  # of one place: neighbours, weights, how much lower than them it wants to be


def isotonic(wish: Sequence[float], weight: Sequence[float], gap: Sequence[float]) -> list[float]:
    """The heights nearest the wished ones (weighted least squares) that keep ``gap`` between neighbours."""
    return _fit(wish, weight, list(itertools.accumulate(gap, initial=0.0)))


def _fit(wish: Sequence[float], weight: Sequence[float], offsets: Sequence[float]) -> list[float]:
    """The same from the running sums of the gaps: after subtracting these, the heights only have to be in order.

    Pool adjacent violators: neighbours in the wrong order are moved to their mean.
    """
    if len(wish) == 2:  # the commonest column
        (first, second), gap = wish, offsets[1] - offsets[0]
        if second - first >= gap:
            return [first, second]
        mean = (first * weight[0] + (second - gap) * weight[1]) / (weight[0] + weight[1])
        return [mean, mean + gap]
    blocks: list[tuple[float, float, int]] = []  # mean, weight, members
    last = -math.inf
    for value, total, offset in zip(wish, weight, offsets, strict=True):
        mean, members = value - offset, 1
        while last > mean:
            other, other_total, other_members = blocks.pop()
            mean = (mean * total + other * other_total) / (total + other_total)
            total, members = total + other_total, members + other_members
            last = blocks[-1][0] if blocks else -math.inf
        blocks.append((mean, total, members))
        last = mean
    if len(blocks) == len(wish):
        return [mean + offset for (mean, _, _), offset in zip(blocks, offsets, strict=True)]
    flat = [mean for mean, _, members in blocks for _ in range(members)]
    return [mean + offset for mean, offset in zip(flat, offsets, strict=True)]


def heights(lattice: Lattice, gap_y: float, ports: Ports = NO_PORTS) -> list[float]:
    """The centre height of every place: alternating sweeps, each an isotonic fit of one column."""
    every, gaps, rank = _pulls(lattice), _gaps(lattice, gap_y), lattice.rank
    pinned = _spine(lattice, ports)
    for place in pinned:
        every[place] = []
    both = every, _weights(every, pinned)
    left, right = (
        (sides, _weights(sides, pinned))
        for sides in (
            [[pull for pull in side if rank[pull[0]] < rank[place]] for place, side in enumerate(every)],
            [[pull for pull in side if rank[pull[0]] > rank[place]] for place, side in enumerate(every)],
        )
    )
    height = [0.0] * len(lattice.sizes)
    sums = [list(itertools.accumulate(gap, initial=0.0)) for gap in gaps]
    columns = list(zip(lattice.layers, sums, strict=True))
    for layer, offsets in columns:
        wish = [pinned.get(place, 0.0) for place in layer]
        fit = _fit(wish, [PINNED if place in pinned else 1.0 for place in layer], offsets[: len(layer)])
        for place, y in zip(layer, fit, strict=True):
            height[place] = y
    moving = [(layer, offsets) for layer, offsets in columns if any(place not in pinned for place in layer)]
    sweeps = min(RELAXATIONS, max(FEWEST, RELAXATIONS * MANY // max(1, len(height))))
    for sweep in range(sweeps):
        rightward = sweep % 2 == 0
        pulls, weights = both if sweep >= ONE_SIDED else left if rightward else right
        before = height[:]
        for layer, offsets in moving if rightward else reversed(moving):
            wish = [_wish(pulls[place], height, place, sweep >= MEAN and place >= lattice.cards) for place in layer]
            fit = _fit(wish, [weights[place] for place in layer], offsets) if len(layer) > 1 else wish
            for place, y in zip(layer, fit, strict=True):
                height[place] = y
        if sweep > MEAN and all(abs(y - z) < STILL for y, z in zip(height, before, strict=True)):
            break
    height = [pinned.get(place, y) for place, y in enumerate(height)]
    _draw_in(lattice, height, gaps, ports)
    return height


def _draw_in(lattice: Lattice, height: list[float], gaps: Sequence[Sequence[float]], ports: Ports) -> None:
    """Move leaves at the ends of a column inwards as far as there is room, if nothing else stands so far out."""
    free = set(range(ports.entries, lattice.cards - ports.exits)).difference(chain[-1] for chain in lattice.chains)
    others = [place for place in range(len(lattice.sizes)) if place not in free]
    for way in (1, -1):  # from the top, then from the bottom
        edge = min((way * height[place] - lattice.sizes[place][1] / 2 for place in others), default=0.0)
        for layer, gap in zip(lattice.layers, gaps, strict=True):
            ordered, room = (layer, gap) if way == 1 else (layer[::-1], gap[::-1])
            outer = next((k for k, place in enumerate(ordered) if place not in free), len(ordered))
            for k in reversed(range(outer)):
                place = ordered[k]
                wish = edge + lattice.sizes[place][1] / 2
                if k + 1 < len(ordered):
                    wish = min(wish, way * height[ordered[k + 1]] - room[k])
                height[place] = way * max(wish, way * height[place])


def _spine(lattice: Lattice, ports: Ports) -> dict[int, float]:
    """The heights at which the longest path runs straight, if it is long or crosses borders; otherwise empty.

    The path enters a box at one port and leaves it at another, which may be lower.
    """
    into: list[list[int]] = [[] for _ in range(lattice.cards)]
    for edge, chain in enumerate(lattice.chains):
        into[chain[-1]].append(edge)
    # A value from outside rather than a leaf, and one that was computed there rather than a leaf from there.
    depth = [(0.5 if card in ports.given else 1.0) * (card < ports.entries) for card in range(lattice.cards)]
    for card, edges in enumerate(into):
        depth[card] = max([depth[lattice.chains[edge][0]] + 1 for edge in edges], default=depth[card])
    crosses = ports.entries or any(ports.tails.values()) or any(ports.heads.values())
    if max(depth, default=0) < (0.5 if crosses else LONG):
        return {}
    card, path = depth.index(max(depth)), []
    while into[card]:
        path.append(max(into[card], key=lambda edge: depth[lattice.chains[edge][0]]))
        card = lattice.chains[path[-1]][0]
    pinned, y = {card: 0.0}, 0.0
    for edge in reversed(path):
        _, *bends, head = lattice.chains[edge]
        y += ports.tails.get(edge, 0.0)
        pinned |= dict.fromkeys(bends, y)
        y -= ports.heads.get(edge, 0.0)
        pinned[head] = y
    return pinned


def _weights(pulls: Sequence[Pulls], pinned: Mapping[int, float]) -> list[float]:
    weights = [sum([weight for _, weight, _ in side]) or IDLE for side in pulls]
    for place in pinned:
        weights[place] = PINNED
    return weights


def _wish(side: Pulls, height: Sequence[float], place: int, median: bool) -> float:
    """The height that pulls a place. With the weighted median a long wire runs straight and turns once."""
    if len(side) == 1:
        neighbour, _, offset = side[0]
        return height[neighbour] + offset
    if len(side) == 2:
        (a, weight, above), (b, other, below) = side
        y, z = height[a] + above, height[b] + below
        if weight == other:
            return (y + z) / 2
        if median:
            return y if weight > other else z
        return (y * weight + z * other) / (weight + other)
    if not side:
        return height[place]
    points = [(height[n] + offset, weight) for n, weight, offset in side]
    total = sum([weight for _, weight in points])
    if not median:
        return sum([y * weight for y, weight in points]) / total
    points.sort()
    below = 0.0
    for index, (y, weight) in enumerate(points):
        below += weight
        if below > total / 2:
            return y
        if below == total / 2:
            return (y + points[index + 1][0]) / 2
    return points[-1][0]


def _pulls(lattice: Lattice) -> list[Pulls]:
    """The neighbours of every place, with the weights and offsets of the pieces of wire between them."""
    operations = {chain[-1] for chain in lattice.chains}
    inner = operations.union(*(chain[1:] for chain in lattice.chains if chain[0] in operations))
    pulls: list[Pulls] = [[] for _ in lattice.sizes]
    for left, right, offset in lattice.pieces:
        bends = (left >= lattice.cards) + (right >= lattice.cards)
        weight = WEIGHTS[bends] * (SPINE if left in inner else 1.0)
        pulls[left].append((right, weight, -offset))
        pulls[right].append((left, weight, offset))
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
