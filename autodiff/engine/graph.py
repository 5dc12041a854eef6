"""The recorded graph: nodes that know their origin, and the orders in which nodes are read."""

from __future__ import annotations

import itertools
from collections.abc import Collection
from contextvars import ContextVar
from operator import attrgetter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from autodiff.engine.table import Primitive

# () outside every scope; otherwise a pair: the enclosing scope, and the name or module of this one. Each entry makes
# a new pair, so that two calls of one module differ.
Scope = tuple[Any, ...]

# The scope that operations are recorded in; None while nothing is recorded (no_grad). One variable serves both, so that
# an operation reads only one. It is a ContextVar: each thread and asyncio task has its own.
current_scope: ContextVar[Scope | None] = ContextVar("current_scope", default=())

NOT_RETAINED = object()

next_serial = itertools.count().__next__
by_serial = attrgetter("serial")


class Node:
    """A value and its origin: the primitive that made it, its arguments, and its serial number.

    `primal` is the raw value (an ndarray, or a NumPy scalar where ndim is 0). A leaf has no primitive.
    An argument's serial number is smaller than its node's: recording order is topological order.
    """

    __slots__ = ("primal", "primitive", "arguments", "parameters", "scope", "serial", "name", "retained", "__weakref__")

    primal: Any
    primitive: Primitive | None
    arguments: tuple[Any, ...]  # the data, nodes or constants, by position
    parameters: dict[str, Any]  # the rest, by keyword: axis, keepdims, index ...
    scope: Scope  # where an operation was recorded; () for a leaf, because a leaf may be used in several scopes
    serial: int
    name: str | None
    retained: Any  # the adjoint that backward adds up, None before it; most interior nodes have NOT_RETAINED


def ancestors(*roots: Node, since: int = -1, shown: bool = False) -> list[Node]:
    """The roots and everything they depend on, in the order of recording: arguments before results.

    Nodes recorded before the serial number `since` are left out, and everything that only they depend on. `shown` is
    for readers that compute nothing: it leaves out residuals, and accepts leaves that have been assigned new values.
    """
    found, seen = list(roots), set(roots)
    for node in found:  # grows as it is read: a search without recursion
        for argument in operands(node) if shown else node.arguments:
            if isinstance(argument, Node):
                if argument.serial > node.serial and not shown:
                    raise _assigned_since(argument, node)
                if argument not in seen and argument.serial >= since:
                    seen.add(argument)
                    found.append(argument)
    found.sort(key=by_serial)
    return found


def operands(node: Node) -> tuple[Any, ...]:
    """The arguments of an operation that readers are shown: all but the residuals, which only its rules need."""
    residuals = 0 if node.primitive is None else node.primitive.residuals
    return node.arguments[:-residuals] if residuals else node.arguments


def between(start: Collection[Node], *roots: Node) -> list[Node]:
    """The nodes on the paths from any of `start` to a root, both ends included, in recording order.

    Nodes older than `start` are not visited. So a derivative taken inside a larger computation costs only as much
    as the inner computation, and never differentiates the outer one.
    """
    on_path = set(start)
    ordered = []
    for node in ancestors(*roots, since=min(node.serial for node in start)):
        if node in on_path or any(isinstance(a, Node) and a in on_path for a in node.arguments):
            on_path.add(node)
            ordered.append(node)
    return ordered


def older_sources(roots: Collection[Node], since: int) -> list[Node]:
    """The nodes older than the serial number `since` that are roots or operands of newer nodes."""
    newer = [root for root in roots if root.serial >= since]
    read = (a for node in ancestors(*newer, since=since) for a in node.arguments)
    older = (a for a in (*roots, *read) if isinstance(a, Node) and a.serial < since)
    return list(dict.fromkeys(older))


def _assigned_since(leaf: Node, user: Node) -> RuntimeError:
    assert user.primitive is not None
    return RuntimeError(
        f"{described(leaf)} was assigned a new value after {user.primitive.name} had used it, so the "
        "recorded computation no longer holds; compute the result again, then ask for its adjoints."
    )


def described(node: Node) -> str:
    """The description of a node in error messages: its name if it has one, its shape and dtype."""
    name = f" {node.name!r}" if node.name else ""
    return f"Tensor{name} of shape {node.primal.shape} and dtype {node.primal.dtype}"
