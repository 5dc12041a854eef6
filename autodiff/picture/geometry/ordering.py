"""Ranks of a directed acyclic graph, and an order within each rank with few crossings.

Nodes are the integers 0 .. n-1 in recording order, so every edge (tail, head) has tail < head.
Sources: Sugiyama, Tagawa and Toda 1981 (barycentre sweeps); Gansner et al. 1993 (adjacent swaps);
Barth, Jünger and Mutzel 2002 (crossings counted in O(E log V)).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

Edge = tuple[int, int]
Neighbours = list[list[int]]

SWEEPS = 24
PATIENCE = 6  # sweeps without a gain before the search stops
SWAP_LIMIT = 60  # layers wider than this are ordered by barycentres alone
SWAP_ROUNDS = 8


def neighbours(count: int, edges: Sequence[Edge]) -> tuple[Neighbours, Neighbours]:
    """The tails of the edges into each node, and the heads of the edges out of it (repeats kept)."""
    before: Neighbours = [[] for _ in range(count)]
    after: Neighbours = [[] for _ in range(count)]
    for tail, head in edges:
        before[head].append(tail)
        after[tail].append(head)
    return before, after


def ranks(count: int, edges: Sequence[Edge], values: Sequence[int] | None = None) -> list[int]:
    """The column of each node: every edge points at least one column to the right.

    The ranks are longest paths from the left. Then a leaf is moved right before its first consumer, and a node as far
    right as possible if that shortens more lanes than it lengthens. The wires of one value share a lane: `values` has
    the value of each edge; None means that of its tail.
    """
    before, after = neighbours(count, edges)
    rank = [0] * count
    for node in range(count):
        rank[node] = max((rank[tail] + 1 for tail in before[node]), default=0)
    carried = values if values is not None else [tail for tail, _ in edges]
    lanes: dict[Edge, list[int]] = {}  # the heads of each lane
    for (tail, head), value in zip(edges, carried, strict=True):
        lanes.setdefault((tail, value), []).append(head)
    leaving = [0] * count
    entering: list[list[list[int]]] = [[] for _ in range(count)]
    for (tail, _), heads in lanes.items():
        leaving[tail] += 1
        for head in dict.fromkeys(heads):
            entering[head].append(heads)

    def loose(node: int) -> bool:
        """Whether other users of the same values can move too; the first one that moves makes room for them."""
        others = {head for heads in entering[node] for head in heads if head != node and after[head]}
        return any(rank[other] < min(rank[head] for head in after[other]) - 1 for other in others)

    for _ in range(2):
        for node in reversed(range(count)):
            if not after[node]:
                continue
            last = min(rank[head] for head in after[node]) - 1
            if last == rank[node]:
                continue
            ends = [max((rank[head] for head in heads if head != node), default=0) for heads in entering[node]]
            longer = sum(max(0, last - max(end, rank[node])) for end in ends)
            shorter = leaving[node] * (last - rank[node])
            if not before[node] or longer < shorter or (longer == shorter and loose(node)):
                rank[node] = last
    leftmost = min(rank, default=0)
    return [column - leftmost for column in rank]


def crossings(left: Sequence[int], after: Neighbours, position: Sequence[int], width: int) -> int:
    """The number of crossings between a layer and the next, whose nodes are at ``position`` (0 .. width-1)."""
    tree = [0] * (width + 1)  # Fenwick tree: the number of wires so far that end at or above a position
    total = seen = 0
    for tail in left:
        ends = sorted(position[head] for head in after[tail])
        for end in ends:
            index, above = end + 1, 0
            while index:
                above += tree[index]
                index -= index & -index
            total += seen - above
        for end in ends:
            index = end + 1
            while index <= width:
                tree[index] += 1
                index += index & -index
        seen += len(ends)
    return total


def untangled(layers: Sequence[Sequence[int]], before: Neighbours, after: Neighbours) -> list[list[int]]:
    """The layers reordered: the best of at most SWEEPS alternating sweeps by crossing count."""
    current = [list(layer) for layer in layers]
    position = [0] * len(before)
    for layer in current:
        _number(layer, position)
    swap = max(map(len, current), default=0) <= SWAP_LIMIT
    best, best_count, stale = [layer[:] for layer in current], _total(current, after, position), 0
    for sweep in range(SWEEPS):
        if best_count == 0 or stale == PATIENCE:
            break
        rightward = sweep % 2 == 0
        for layer in current[1:] if rightward else current[-2::-1]:
            _sort_by_barycentre(layer, before if rightward else after, position)
        if swap:
            _swap_neighbours(current, before, after, position)
        count = _total(current, after, position)
        if count < best_count:
            best, best_count, stale = [layer[:] for layer in current], count, 0
        else:
            stale += 1
    return best


def _number(layer: Sequence[int], position: list[int]) -> None:
    for index, node in enumerate(layer):
        position[node] = index


def _total(layers: Sequence[Sequence[int]], after: Neighbours, position: Sequence[int]) -> int:
    return sum(crossings(left, after, position, len(right)) for left, right in pairwise(layers))


def _sort_by_barycentre(layer: list[int], side: Neighbours, position: list[int]) -> None:
    """Sort by the mean position of the neighbours on one side; nodes without any keep their place."""
    centre = {node: sum(position[n] for n in side[node]) / len(side[node]) for node in layer if side[node]}
    movable = iter(sorted(centre, key=lambda node: (centre[node], position[node])))
    layer[:] = [next(movable) if node in centre else node for node in layer]
    _number(layer, position)


def _swap_neighbours(layers: Sequence[list[int]], before: Neighbours, after: Neighbours, position: list[int]) -> None:
    """Exchange adjacent nodes while that removes crossings."""
    for _ in range(SWAP_ROUNDS):
        improved = False
        for layer in layers:
            for index in range(len(layer) - 1):
                upper, lower = layer[index], layer[index + 1]
                gain = _gain(before[upper], before[lower], position) + _gain(after[upper], after[lower], position)
                if gain > 0:
                    layer[index], layer[index + 1] = lower, upper
                    position[upper], position[lower] = index + 1, index
                    improved = True
        if not improved:
            return


def _gain(upper: Sequence[int], lower: Sequence[int], position: Sequence[int]) -> int:
    """The number of crossings saved by exchanging two nodes."""
    gain = 0
    for high in upper:
        y = position[high]
        for low in lower:
            if y > position[low]:
                gain += 1
            elif y < position[low]:
                gain -= 1
    return gain
