"""The answer of `explain`: its text, HTML and picture."""

from __future__ import annotations

import html as markup
import math
import re
import weakref
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, Generic, Literal, NamedTuple, TypeVar

import numpy as np

from autodiff.arrays.tensor import Tensor
from autodiff.engine.graph import Node, Scope
from autodiff.notation.symbols import writing
from autodiff.picture import Picture
from autodiff.picture.content.members import Members

Kind = Literal["cut", "vanishes", "shrinks", "grows", "cancels", "not finite"]
T = TypeVar("T")
MOST_STEPS = 24  # lines of a path; the middle of a longer one is left out
MOST_FINDINGS = 8
CALL = re.compile(r"([A-Za-z]\w+)(?:\(.*\)| a)")  # how pictures write a call: cross_entropy(a, b), pinv a


class Notes(Generic[T]):
    """Notes about nodes, kept as long as the nodes exist, by identity (`==` of Tensors gives arrays)."""

    def __init__(self) -> None:
        self._kept: dict[int, tuple[weakref.ref[Node], T]] = {}

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, node: Node, default: T) -> T:
        """The note about a node."""
        found = self._kept.get(id(node))
        return default if found is None or found[0]() is not node else found[1]

    def __setitem__(self, node: Node, value: T) -> None:
        key = id(node)
        self._kept[key] = (weakref.ref(node, lambda _: self._kept.pop(key, None)), value)


lines: Notes[str] = Notes()
"""The user's source line of each operation that was recorded within `debug`."""


class Finding(NamedTuple):
    """One event on the way of an adjoint."""

    kind: Kind
    what: str
    """What happens, and where."""
    instead: str = ""
    """What to write instead."""
    node: Node | None = None
    """The operation."""

    def __str__(self) -> str:
        return f"{self.kind}: {self.what}." + (f" {self.instead}." if self.instead else "")


class Step(NamedTuple):
    """The share that an operation on a path passes on: its norm, and the fraction of its elements that are zero."""

    operation: str
    norm: float
    zeros: float
    node: Node


class Words:
    """The names of a graph's operations, places and Tensors."""

    def __init__(self, nodes: Iterable[Node], names: Mapping[int, str] | None = None) -> None:
        frames: list[Any] = []
        seen: set[int] = set()
        for node in nodes:
            inner: list[Any] = []
            scope = node.scope
            while scope and id(scope) not in seen:
                seen.add(id(scope))
                inner.append(scope[1])
                scope = scope[0]
            frames += reversed(inner)
        self._members = Members(frames)
        self._names = dict(names or {})

    def scope(self, scope: Scope) -> str:
        """The innermost named part of the computation; "" outside every scope."""
        parts: list[str] = []
        while scope:
            frame = scope[1]
            if not isinstance(frame, str):
                parts.append(self._members.path(frame) or type(frame).__name__)
                break
            parts.append(frame)
            scope = scope[0]
        return ".".join(reversed(parts))

    def operation(self, node: Node) -> str:
        """An operation and its place: log in mlp.layers[0] (train.py:12, y = np.log(x))."""
        if node.primitive is None:
            return self.tensor(node)
        place = self.scope(node.scope)
        line = lines.get(node, "")
        return called(node) + (f" in {place}" if place else "") + (f" ({line})" if line else "")

    def tensor(self, node: Any) -> str:
        """A Tensor by its name or its origin; a plain array by its shape."""
        if not isinstance(node, Node):
            array = np.asarray(node)
            return f"a plain array of shape {array.shape}" if array.ndim else f"the number {array[()]}"
        known = self._names.get(id(node)) or node.name or self._members.path(node)
        if known:
            return str(known)
        if node.primitive is None:
            return f"a Tensor of shape {node.primal.shape}"
        return f"the result of {self.operation(node)}"


class Explanation:
    """Whether an adjoint of `of` arrives at a Tensor, by which paths, and what happens to it on the way.

    verdict : the answer in one sentence
    findings : the events on the way, causes first
    paths : the largest paths, each a list of operations from the result to the Tensor, with the norms they pass on
    parameters : for a module, the explanation of each parameter by name
    picture : a picture of the paths

    It prints itself, and displays itself in notebooks.

    >>> x = ad.Tensor(-3.0, name="x")
    >>> ad.explain(x, of=x * np.exp(x)).ways
    2
    """

    def __init__(
        self,
        verdict: str,
        findings: Sequence[Finding] = (),
        paths: Sequence[Sequence[Step]] = (),
        ways: int = 0,
        drawn: Callable[[], Picture] | None = None,
        parameters: Mapping[str, Explanation] | None = None,
    ) -> None:
        self.verdict, self.findings, self.paths, self.ways = verdict, list(findings), list(paths), ways
        self.parameters = dict(parameters or {})
        self._drawn = drawn

    @property
    def brief(self) -> str:
        """The first cause, or else the verdict, in one sentence."""
        found = self.findings or [f for part in self.parameters.values() for f in part.findings]
        return found[0].what if found else self.verdict.rstrip(".")

    @cached_property
    def picture(self) -> Picture:
        """The graph of the paths, or of the whole result if there are no paths."""
        if self._drawn is None:
            raise ValueError("there is no picture of this explanation: the graph has no adjoints to show.")
        return self._drawn()

    def __str__(self) -> str:
        text = [self.verdict, *(f"  {finding}" for finding in self.findings[:MOST_FINDINGS])]
        if len(self.findings) > MOST_FINDINGS:
            text.append(f"  and {len(self.findings) - MOST_FINDINGS} more; .findings has all")
        for number, path in enumerate(self.paths, 1):
            rows = [(s.operation, size(s.norm), percent(s.zeros)) for s in _abridged(path)]
            rows = [("operation", "norm of what it passes on", "zeros"), *rows]
            wide = [max(len(row[k]) for row in rows) for k in range(3)]
            text.append(f"  {self._heading(number)}")
            text += [f"    {a:<{wide[0]}}  {b:>{wide[1]}}  {c:>{wide[2]}}".rstrip() for a, b, c in rows]
        for name, part in self.parameters.items():
            text.append(f"  {name}: {part.verdict}")
            text += [f"    {finding}" for finding in part.findings[:2]]
        return "\n".join(text)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        esc = markup.escape
        parts = [f"<p><b>{esc(self.verdict)}</b></p>", _list(self.findings)]
        for number, path in enumerate(self.paths, 1):
            rows = ((esc(s.operation), size(s.norm), percent(s.zeros)) for s in _abridged(path))
            parts += [f"<p>{esc(self._heading(number))}</p>", table(("operation", "norm", "zeros"), rows)]
        if self.parameters:
            rows = ((esc(n), esc(p.verdict) + _list(p.findings[:2]), "") for n, p in self.parameters.items())
            parts.append(table(("parameter", "its adjoint", ""), rows))
        return "\n".join(part for part in parts if part)

    def _heading(self, number: int) -> str:
        return f"path {number} of {count(self.ways, '').strip(' s')}:"


def called(node: Node) -> str:
    """What users call an operation: by its name, or as pictures write it, if it is not NumPy's."""
    primitive, form = node.primitive, writing(node)
    assert primitive is not None
    word = CALL.fullmatch(str(form.form)) if form and not isinstance(primitive.function, np.ufunc) else None
    return word[1] if word else primitive.name


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """An HTML table of cells that are markup already."""
    style = "style='text-align: left; vertical-align: top; padding: 2px 12px 2px 0'"
    head = "".join(f"<th {style}>{heading}</th>" for heading in headings)
    body = "".join("<tr>" + "".join(f"<td {style}>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _list(findings: Sequence[Finding]) -> str:
    items = "".join(f"<li>{markup.escape(str(finding))}</li>" for finding in findings[:MOST_FINDINGS])
    return f"<ul>{items}</ul>" if items else ""


def _abridged(path: Sequence[Step]) -> list[Step]:
    if len(path) <= MOST_STEPS:
        return list(path)
    half = MOST_STEPS // 2
    hidden = path[half]._replace(operation=f"… {len(path) - 2 * half:,} more …", norm=path[-half - 1].norm)
    return [*path[:half], hidden, *path[-half:]]


def size(value: float) -> str:
    """A norm with three digits."""
    return f"{value:.3g}"


def percent(share: float) -> str:
    """A share in percent, never rounded to 0 or 100."""
    if 0 < share < 0.005:
        return "<1%"
    return ">99%" if 0.995 < share < 1 else f"{share:.0%}"


def count(number: int, noun: str) -> str:
    """A number with its noun: 1 path, 2 paths, about 10^21 paths."""
    written = f"{number:,}" if number < 10**9 else f"about 10^{int(number.bit_length() * math.log10(2))}"
    return f"{written} {noun}{'' if number == 1 else 's'}"


def place(index: Sequence[Any]) -> str:
    """An index as text; empty for a single number."""
    return f" at [{', '.join(str(int(k)) for k in index)}]" if index else ""


def kind_of(label: str) -> str:
    """A place without its numbers, so that layers of one kind are counted together."""
    return re.sub(r"\d+", "·", label)


def is_tensor(value: Any) -> bool:
    """Whether a value is a Tensor, by its type alone."""
    return issubclass(type(value), Tensor)
