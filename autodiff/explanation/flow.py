"""Every adjoint of a result, and the share that each operation passes to each of its arguments."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from autodiff.arrays.tensor import Tensor
from autodiff.batching import Batch
from autodiff.engine.devices import beside, fetched
from autodiff.engine.graph import Node, by_serial
from autodiff.engine.many import Together
from autodiff.engine.reverse import adjoints, called, conformed, conjugated, raw

Edge = tuple[Node, int]  # an operation, and the position of one of its arguments


class Flow:
    """The adjoints of `of`, with the edges of its graph.

    nodes : the graph, arguments before results
    users : for every node, the edges that lead to it
    adjoints : for every node that a derivative reaches; empty if a leaf was assigned a new value since
    assigned : leaves that were assigned a value after an operation used them, each with that operation
    """

    def __init__(self, of: Tensor, seed: npt.ArrayLike | None = None) -> None:
        self.of = of
        self.nodes = graph(of)
        self.users: dict[Node, list[Edge]] = {node: [] for node in self.nodes}
        self.assigned: dict[Node, Node] = {}
        for node in self.nodes:
            for position, argument in enumerate(node.arguments):
                if isinstance(argument, Node):
                    self.users[argument].append((node, position))
                    if argument.serial > node.serial:
                        self.assigned.setdefault(argument, node)
        self.seed = _seed(of, seed)
        self.adjoints: dict[Node, Any] = {}
        self._shares: dict[Edge, Any] = {}
        if not self.assigned:
            with np.errstate(all="ignore"):
                self.adjoints = adjoints(of, conjugated(self.seed))

    def share(self, edge: Edge) -> Any:
        """What an operation adds to the adjoint of one argument, an array; None where no derivative flows."""
        if edge not in self._shares:
            node = edge[0]
            with np.errstate(all="ignore"):
                self._shares[edge] = passed(edge, self.adjoints.get(node))
        return self._shares[edge]

    def between(self, x: Node) -> set[Node]:
        """The nodes on the paths from x to the result, including those without derivative."""
        reached, waiting = {x} & self.users.keys(), [x] if x in self.users else []
        while waiting:
            for user, _ in self.users[waiting.pop()]:
                if user not in reached:
                    reached.add(user)
                    waiting.append(user)
        return reached

    def edges(self, reached: set[Node]) -> Iterator[Edge]:
        """The edges among these nodes in the order of the reverse pass, the result's first."""
        for node in reversed(self.nodes):
            if node in reached:
                for position, argument in enumerate(node.arguments):
                    if isinstance(argument, Node) and argument in reached:
                        yield node, position


def passed(edge: Edge, g: Any) -> Any:
    """The share of the argument at the end of an edge if the operation's adjoint is g; None without derivative."""
    node, position = edge
    argument, primitive = node.arguments[position], node.primitive
    if primitive is None or g is None or not isinstance(argument, Node):
        return None
    rules, g = primitive.rules, beside(g, node)
    if type(rules) is Together:
        share = called(rules.rule, g, node.primal, *raw(node.arguments), **node.parameters)[position]
    else:
        rule = None if isinstance(rules, tuple) and position >= len(rules) else rules[position]
        if rule is None:
            return None
        share = called(rule, g, node.primal, *raw(node.arguments), **node.parameters)
    return None if share is None else plain(conformed(share, argument, primitive))


def graph(*roots: Node) -> list[Node]:
    """The roots and everything they depend on, arguments before results, even if a leaf was assigned since."""
    found, seen = list(roots), set(roots)
    for node in found:  # the list grows while it is read
        for argument in node.arguments:
            if isinstance(argument, Node) and argument not in seen:
                seen.add(argument)
                found.append(argument)
    found.sort(key=by_serial)
    return [n for n in found if n.primitive is None] + [n for n in found if n.primitive is not None]


def plain(value: Any) -> Any:
    """A value as an array; a batch as an array with the examples in front."""
    value = value.primal if isinstance(value, Node) else value
    while isinstance(value, Batch):
        value = value.array
    return np.asarray(fetched(value))


def norm(value: Any) -> float:
    """The root of the sum of squares, without overflow or underflow."""
    array = np.abs(plain(value)).astype(np.float64)
    with np.errstate(all="ignore"):
        largest = float(array.max(initial=0.0))
        if not largest or not np.isfinite(largest):
            return largest if not np.isnan(array).any() else float("nan")
        return largest * float(np.sqrt(np.sum((array / largest) ** 2)))


def zeros(value: Any) -> float:
    """The share of elements that are zero."""
    array = plain(value)
    return 1 - np.count_nonzero(array) / array.size if array.size else 1.0


def finite(value: Any) -> bool:
    """Whether all elements are finite; True for a value that is no array of numbers."""
    array = plain(value)
    return array.dtype.kind not in "fc" or bool(np.isfinite(array).all())


def constants(node: Node) -> Iterator[tuple[str, Any]]:
    """The plain arrays and numbers that an operation reads, each with its role."""
    for position, argument in enumerate(node.arguments):
        if not isinstance(argument, Node):
            yield f"{ordinal(position)} argument", argument
    for key, value in node.parameters.items():
        for part in value if isinstance(value, tuple | list) else [value]:
            if isinstance(part, np.ndarray | np.integer) or (key == "index" and type(part) is int):
                yield key, part


def _seed(of: Tensor, seed: npt.ArrayLike | None) -> Any:
    array: Any = np.ones(of.shape, of.dtype) if seed is None else np.asarray(plain(seed), of.dtype)
    if array.shape != of.shape:
        raise ValueError(f"a seed has the shape of the result, {of.shape}; received shape {array.shape}.")
    return beside(array, of)[()]


def ordinal(position: int) -> str:
    """A position as a word: first, second ..."""
    names: Sequence[str] = ("first", "second", "third", "fourth", "fifth")
    return names[position] if position < len(names) else f"{position + 1}th"
