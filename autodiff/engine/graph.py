"""The recorded graph: nodes that know where they came from, and the orders to read them in."""

from __future__ import annotations

import itertools
from collections.abc import Collection
from contextvars import ContextVar
from operator import attrgetter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from autodiff.engine.table import Primitive

# () outside of every scope, or a pair: the scope around this one, and its name or the module that was called. Each
# entry makes a pair of its own, so that two calls of one module are told apart.
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
    scope: Scope  # of an operation: where it was recorded; () of a leaf, which a module may keep
    serial: int
    name: str | None
    retained: Any  # the adjoint that backward adds up here, None before; NOT_RETAINED in most interior nodes


def ancestors(*roots: Node, since: int = -1, shown: bool = False) -> list[Node]:
    """The roots and everything they depend on, in the order of recording: arguments before results.

    Nodes recorded before the serial number `since` are left out, with all that only they depend on. `shown` is for
    readers that compute nothing: residuals are left out too, and leaves may have been assigned new values since.
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
    """The arguments of an operation without its residuals, which only its rules need: what readers are shown."""
    residuals = 0 if node.primitive is None else node.primitive.residuals
    return node.arguments[:-residuals] if residuals else node.arguments


def between(start: Collection[Node], *roots: Node) -> list[Node]:
    """The nodes on the paths from any of `start` to a root, both ends included, in recording order.

    Nothing older than `start` is visited, so a derivative taken inside a larger computation costs what the
    inner one costs (and never differentiates the outer one).
    """
    on_path = set(start)
    ordered = []
    for node in ancestors(*roots, since=min(node.serial for node in start)):
        if node in on_path or any(isinstance(a, Node) and a in on_path for a in node.arguments):
            on_path.add(node)
            ordered.append(node)
    return ordered


def older_sources(roots: Collection[Node], since: int) -> list[Node]:
    """The nodes recorded before the serial number `since` that the roots, or what was computed since, read."""
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
    """A node as error messages name it: its name if it has one, its shape and dtype."""
    name = f" {node.name!r}" if node.name else ""
    return f"Tensor{name} of shape {node.primal.shape} and dtype {node.primal.dtype}"
