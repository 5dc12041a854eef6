"""The paths from a Tensor to the result, and the size of the adjoint at each operation on them."""

from __future__ import annotations

import math
from typing import Any

from autodiff.arrays.tensor import Tensor, leaf
from autodiff.engine.graph import Node
from autodiff.engine.recording import recorded
from autodiff.explanation.flow import Edge, Flow, norm, zeros
from autodiff.explanation.wording import Step, Words

MOST_PATHS = 4
Path = list[Edge]  # from the result to the Tensor


def ways(flow: Flow, x: Node) -> int:
    """The number of paths from the result to x."""
    reached = flow.between(x)
    number: dict[Node, int] = {flow.of: 1}
    for node in reversed(flow.nodes):
        if node in reached and node is not flow.of:
            number[node] = sum(number.get(user, 0) for user, p in flow.users[node] if flow.share((user, p)) is not None)
    return number.get(x, 0)


def largest(flow: Flow, x: Node, number: int) -> list[Path]:
    """The paths if they are few; otherwise, for each of the first operations that use x, the path with most adjoint."""
    if x is flow.of or not number:
        return []
    if number <= MOST_PATHS:
        return sorted(_all(flow, x), key=lambda path: -_carried(flow, path[-1]))
    first = sorted(_live(flow, x), key=lambda edge: -_carried(flow, edge))[:MOST_PATHS]
    return [_followed(flow, edge) for edge in first]


def steps(flow: Flow, path: Path, words: Words) -> list[Step]:
    """The operations of a path, each with the norm of the share that it passes on."""
    found = []
    for edge in path:
        share = flow.share(edge)
        found.append(Step(words.operation(edge[0]), norm(share), zeros(share), edge[0]))
    return found


def pruned(flow: Flow, x: Node) -> Tensor | None:
    """The part of the graph between x and the result, with everything else as constants; None if it is empty."""
    reached = flow.between(x)
    if x is flow.of or flow.of not in reached or flow.assigned:
        return None
    start: Node = x
    if x.primitive is not None:
        start = leaf(x.primal, x.name or x.primitive.name)
    copies = {x: start}
    for node in flow.nodes:
        if node in reached and node is not x:
            arguments = tuple(copies.get(a, a.primal) if isinstance(a, Node) else a for a in node.arguments)
            copy = recorded(Tensor, node.primitive, node.primal, arguments, node.parameters, node.scope)
            copy.name = node.name
            copies[node] = copy
    result: Tensor = copies[flow.of]  # type: ignore[assignment]  # it is not x
    return result


def _live(flow: Flow, node: Node) -> list[Edge]:
    return [edge for edge in flow.users[node] if flow.share(edge) is not None]


def _carried(flow: Flow, edge: Edge) -> float:
    size = norm(flow.share(edge))
    return math.inf if math.isnan(size) else size


def _followed(flow: Flow, edge: Edge) -> Path:
    path = [edge]
    while path[-1][0] is not flow.of:
        path.append(max(_live(flow, path[-1][0]), key=lambda e: _carried(flow, e)))
    return path[::-1]


def _all(flow: Flow, x: Node) -> list[Path]:
    """Every path. There are few, but they may be long, so each step is stored as a link to the one before."""
    found: list[Path] = []
    waiting: list[tuple[Edge, Any]] = [(edge, None) for edge in _live(flow, x)]
    while waiting:
        step = waiting.pop()
        node = step[0][0]
        if node is not flow.of:
            waiting += [(edge, step) for edge in _live(flow, node)]
            continue
        path = []
        while step is not None:
            edge, step = step
            path.append(edge)
        found.append(path)
    return found
