"""Memory of graphs: `memory` of one graph, and `alive`, all graphs that still exist."""

from __future__ import annotations

import gc
import html as markup
import sys
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from autodiff.arrays.tensor import Tensor
from autodiff.engine.graph import NOT_RETAINED, Node
from autodiff.explanation.flow import constants, graph, plain
from autodiff.explanation.program import users_frame, variable
from autodiff.explanation.wording import Words, count, is_tensor, table

MOST_ROWS = 8
MOST_ASKED = 100  # results whose holder is searched for


class Held(NamedTuple):
    """An array in memory, counted once however many views of it there are."""

    bytes: int
    kind: str
    scope: str
    what: str
    shared: int
    """How many places of the graph it is held in."""


class Memory:
    """The memory of a result's graph, each array counted once. It prints and displays itself.

    operations : their number
    bytes : the sum over all arrays
    by_kind : bytes of the results of operations, leaves, constants (data, masks, indices), adjoints kept in .grad
    by_scope : bytes by the innermost module or ad.scope; "" outside every scope
    largest : the arrays by size
    shared : the arrays that are held in several places, also through views

    >>> x = ad.Tensor(np.zeros(1000), name="x")
    >>> held = ad.memory(np.sum(x * x))
    >>> held.operations, held.bytes
    (2, 16008)
    """

    def __init__(self, operations: int, arrays: Iterable[Held]) -> None:
        self.operations = operations
        self.largest = sorted(arrays, key=lambda held: -held.bytes)
        self.shared = [held for held in self.largest if held.shared > 1]
        self.bytes = sum(held.bytes for held in self.largest)
        self.by_kind = _sums((held.kind, held.bytes) for held in self.largest)
        self.by_scope = _sums((held.scope, held.bytes) for held in self.largest)

    def __str__(self) -> str:
        text = [self._heading()]
        for title, rows in self._tables():
            wide = max(len(name) for name, _ in rows)
            text += [f"{title}:", *(f"  {name:<{wide}}  {number:>10}" for name, number in rows)]
        return "\n".join(text)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        parts = [f"<p><b>{markup.escape(self._heading())}</b></p>"]
        for title, rows in self._tables():
            parts.append(table((title, ""), ((markup.escape(name), number) for name, number in rows)))
        return "\n".join(parts)

    def _heading(self) -> str:
        return (
            f"{count(self.operations, 'operation')} hold {written(self.bytes)} in {count(len(self.largest), 'array')}"
        )

    def _tables(self) -> list[tuple[str, list[tuple[str, str]]]]:
        scopes = [(name or "(outside of all)", size) for name, size in self.by_scope.items()][:MOST_ROWS]
        largest = [(held.what, held.bytes) for held in self.largest[:MOST_ROWS]]
        shared = [(f"{held.what}, in {held.shared} places", held.bytes) for held in self.shared[:MOST_ROWS]]
        found = {"by kind": list(self.by_kind.items()), "by scope": scopes, "largest": largest, "shared": shared}
        return [(title, [(name, written(size)) for name, size in rows]) for title, rows in found.items() if rows]


def memory(y: Tensor) -> Memory:
    """The memory that the graph of `y` keeps as long as `y` exists: operations, and bytes by scope and by kind.

    >>> x = ad.Tensor(np.ones(100))
    >>> ad.memory(np.sum(np.exp(x))).by_kind
    {'results': 808, 'leaves': 800}
    """
    if not isinstance(y, Tensor):
        raise TypeError(
            f"ad.memory was asked about {type(y).__name__}, which remembers no computation; pass the Tensor that a "
            "computation on Tensors has given."
        )
    nodes = graph(y)
    return Memory(sum(node.primitive is not None for node in nodes), _arrays(nodes))


class Alive:
    """The graphs that the program still holds. It prints itself.

    results : the Tensors that hold them: results that no other operation uses
    operations, bytes : the sums over all graphs, each operation and array counted once
    advice : the usual cause, and what to write

    >>> y = np.exp(ad.Tensor(1.0)) * 2.0
    >>> any(result is y for result in ad.alive().results)
    True
    """

    def __init__(self, results: list[Tensor], holder: tuple[str, str, int] | None) -> None:
        self.results = results
        nodes = graph(*results) if results else []
        self.operations = sum(node.primitive is not None for node in nodes)
        self.bytes = sum(held.bytes for held in _arrays(nodes))
        self._kinds = _sums((f"{t.primitive.name} of shape {t.shape}", 1) for t in results if t.primitive is not None)
        self.advice = ""
        if holder is not None:
            kind, name, number = holder
            self.advice = (
                f"{kind}{f', {name},' if name else ''} holds {number:,} of them, with all they were computed from. "
                f"Keep numbers instead, {name or 'losses'}.append(loss.item()), or arrays, loss.value.copy()."
            )

    def __len__(self) -> int:
        return len(self.results)

    def __str__(self) -> str:
        heading = f"{count(len(self), 'graph')} held: {count(self.operations, 'operation')}, {written(self.bytes)}"
        kinds = [f"  {count(number, 'result')} of {kind}" for kind, number in list(self._kinds.items())[:MOST_ROWS]]
        return "\n".join([heading, *kinds, *([f"  {self.advice}"] if self.advice else [])])

    __repr__ = __str__


def alive() -> Alive:
    """The graphs that are still held, their size, and the container that holds many of them.

    Use it if memory grows in a loop. It asks Python's garbage collector for the graphs, so it costs nothing until it is
    called.

    >>> y = np.tanh(ad.Tensor([0.5]))
    >>> ad.alive().operations >= 1
    True
    """
    nodes = [o for o in gc.get_objects() if is_tensor(o) and o.primitive is not None]
    used = {id(argument) for node in nodes for argument in node.arguments if isinstance(argument, Node)}
    results = sorted((node for node in nodes if id(node) not in used), key=lambda node: node.serial)
    del nodes
    return Alive(results, _holder(results))


def _holder(results: list[Tensor]) -> tuple[str, str, int] | None:
    """The container that holds most results, if one holds several: its kind, its variable's name, their number."""
    ours = {id(tensor) for tensor in results}
    found: dict[int, tuple[int, Any]] = {}
    for place in range(min(len(results), MOST_ASKED)):
        for holder in gc.get_referrers(results[place]):
            if type(holder) in (list, dict, set, tuple) and holder is not results and id(holder) not in found:
                values = holder.values() if isinstance(holder, dict) else holder
                found[id(holder)] = (sum(1 for value in values if id(value) in ours), holder)
    number, holder = max(found.values(), key=lambda pair: pair[0], default=(0, None))
    return (
        (f"a {type(holder).__name__}", variable(holder, users_frame(sys._getframe())), number) if number > 1 else None
    )


def _arrays(nodes: Iterable[Node]) -> list[Held]:
    """The arrays that nodes hold, one entry for each block of memory."""
    nodes = list(nodes)
    words = Words(nodes)
    found: dict[int, Held] = {}

    def add(value: Any, kind: str, node: Node, what: str) -> None:
        array = plain(value)
        base = _owner(array)
        seen = found.get(id(base))
        if seen is None:
            size = max(int(getattr(base, "nbytes", 0)), array.nbytes if base is array else 0)
            found[id(base)] = Held(size, kind, words.scope(node.scope), f"{what}, {array.shape} {array.dtype}", 1)
        else:
            found[id(base)] = seen._replace(shared=seen.shared + 1)

    for node in nodes:
        if node.primitive is None:
            add(node.primal, "leaves", node, words.tensor(node))
        else:
            add(node.primal, "results", node, words.operation(node))
            for role, constant in constants(node):
                if isinstance(constant, np.ndarray):
                    add(constant, "constants", node, f"the {role} of {words.operation(node)}")
        if node.retained is not None and node.retained is not NOT_RETAINED:
            add(node.retained, "adjoints", node, f"the adjoint of {words.tensor(node)}")
    return list(found.values())


def _owner(array: Any) -> Any:
    while isinstance(array, np.ndarray) and array.base is not None:
        array = array.base
    return array


def _sums(pairs: Iterable[tuple[str, int]]) -> dict[str, int]:
    """The sum for each name, the largest first."""
    sums: dict[str, int] = {}
    for name, number in pairs:
        sums[name] = sums.get(name, 0) + number
    return dict(sorted(sums.items(), key=lambda pair: -pair[1]))


def written(size: float) -> str:
    """A number of bytes as text: 1.5 MB."""
    for unit in ("B", "kB", "MB"):
        if size < 1000:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:.3g} GB"
