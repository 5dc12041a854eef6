"""The evaluation trace: read downwards, the values of a computation; read upwards, the contributions to adjoints."""

from __future__ import annotations

import html as markup
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import Any, Final, NamedTuple, cast

import numpy as np
import numpy.typing as npt

from autodiff.arrays.tensor import Tensor
from autodiff.engine.devices import fetched
from autodiff.engine.graph import ancestors
from autodiff.engine.reverse import contribution
from autodiff.notation.constants import name_of
from autodiff.notation.naming import (
    ASSIGNED_SINCE,
    SPACE,
    Formula,
    Naming,
    Token,
    assigned_since,
    clean,
    equation,
    html,
    latex,
    number,
    partial,
    plain,
    product,
    pullback,
    width,
    written_array,
)

__all__ = ["Row", "Trace", "trace"]

# A longer table shows only its first and last rows; `Trace.rows` has all of them.
LONGEST_TABLE: Final = 400
MOST_CONSTANTS: Final = 8  # listed below the table
HEADINGS: Final = ("forward primal trace ↓", "value", "reverse adjoint trace ↑", "value")
STYLE: Final = (
    "<style>.autodiff-trace td, .autodiff-trace th { text-align: left !important; white-space: nowrap; "
    "padding: .1em .7em; font-variant-numeric: tabular-nums } .autodiff-trace :nth-child(even):is(td, th) "
    "{ text-align: right !important }</style>"
)
EQUALS: Final[Formula] = (SPACE, Token("operator", "="), SPACE)
PLUS: Final[Formula] = (SPACE, Token("operator", "+"), SPACE)


class Row(NamedTuple):
    """One line of the trace. If a line lacks one half, that half is an empty formula and None."""

    forward: Formula = ()
    """The equation of `node`, as `v_1 = ln v_{-1}`."""
    value: Any = None
    """The value of `node`: a NumPy scalar, or a read-only array."""
    reverse: Formula = ()
    """What the adjoint of `target` becomes, as `v̄_{-1} = v̄_{-1} + v̄_1 / v_{-1}`."""
    adjoint: Any = None
    """The adjoint of `target` once this line, and all below it, have been added."""
    contribution: Any = None
    """What this line adds; None where the adjoint is an array, and on the lines of inputs and result."""
    node: Tensor | None = None
    """The Tensor that the forward half defines."""
    target: Tensor | None = None
    """The Tensor whose adjoint the reverse half changes."""


class _Step(NamedTuple):
    """A row before it is rendered: the numbers, the node, and the position of the argument."""

    node: Tensor
    position: int | None = None
    forward: bool = False
    first: bool = False
    value: Any = None
    adjoint: Any = None
    contribution: Any = None


def trace(y: Tensor, seed: npt.ArrayLike | None = None) -> Trace:
    """The evaluation trace of a result: a forward column with values, a reverse column with adjoints.

    Parameters
    ----------
    y : the result of the computation
    seed : the adjoint of y, in its shape; by default 1 for a real result of one element. Without a seed the trace of a
        result of several elements has only the forward column.

    `backward` may have been called before; no Tensor is changed. If the inputs have been assigned new values since, by
    an optimizer's step for example, the trace shows the new values, has only the forward column, and says so.

    >>> x1, x2 = ad.Tensor(2.0, name="x1"), ad.Tensor(5.0, name="x2")
    >>> print(ad.trace(x1 * x2))
    forward primal trace ↓ │ value │ reverse adjoint trace ↑     │ value
    ───────────────────────┼───────┼─────────────────────────────┼──────
    v₋₁ = x₁               │     2 │ x̄₁ = v̄₋₁                    │     5
    v₀ = x₂                │     5 │ x̄₂ = v̄₀                     │     2
    v₁ = v₋₁ × v₀          │    10 │ v̄₀ = v̄₁ ∂v₁/∂v₀ = v̄₁ × v₋₁  │     2
                           │       │ v̄₋₁ = v̄₁ ∂v₁/∂v₋₁ = v̄₁ × v₀ │     5
    y = v₁                 │    10 │ v̄₁ = ȳ                      │     1
    """
    if not isinstance(y, Tensor):
        raise TypeError(
            f"ad.trace was asked of {type(y).__name__}, which remembers no computation; "
            "pass the Tensor that a computation on Tensors has given."
        )
    stale = assigned_since(ancestors(y, shown=True))
    if stale or (seed is None and (y.size != 1 or y.dtype.kind == "c")):
        return Trace(y, {})
    return Trace(y, {tensor: fetched(g)[()] for tensor, g in y.adjoints(seed).items()})


class Trace:
    """The evaluation-trace table: print it, show it in a notebook, or read its `.rows` or its `.latex`.

    >>> x = ad.Tensor(3.0, name="x")
    >>> print(ad.trace(x * x))
    forward primal trace ↓ │ value │ reverse adjoint trace ↑             │ value
    ───────────────────────┼───────┼─────────────────────────────────────┼──────
    v₀ = x                 │     3 │ x̄ = v̄₀                              │     6
    v₁ = v₀ × v₀           │     9 │ v̄₀ = v̄₀ + v̄₁ ∂v₁/∂v₀ = v̄₀ + v̄₁ × v₀ │     6
                           │       │ v̄₀ = v̄₁ ∂v₁/∂v₀ = v̄₁ × v₀           │     3
    y = v₁                 │     9 │ v̄₁ = ȳ                              │     1
    """

    def __init__(self, root: Tensor, adjoints: dict[Tensor, Any]) -> None:
        self._root = root
        self._naming = Naming(root)
        self._adjoints = adjoints
        self._headings = HEADINGS if adjoints else HEADINGS[:2]
        self._steps = _steps(root, self._naming, adjoints)
        self._stale = assigned_since(self._naming.order)

    @cached_property
    def rows(self) -> list[Row]:
        """Every line of the table, from the inputs to the result."""
        return [self._row(step) for step in self._steps]

    @property
    def symbol(self) -> Formula:
        """The symbol of the result: its name, or else y, unless an input has that name."""
        root, naming = self._root, self._naming
        if root.primitive is not None and (title := naming.title(root)):
            return title
        taken = {naming.title(node) for node in naming.order[: naming.inputs]}
        letters: list[Formula] = [(Token("variable", letter),) for letter in "yfz"]
        return next((letter for letter in letters if letter not in taken), (Token("text", "result"),))

    def __str__(self) -> str:
        cells = [None if row is None else self._cells(row, plain) for row in self._shown()]
        columns = [max(map(width, column)) for column in zip(self._headings, *filter(None, cells), strict=True)]

        def line(row: Sequence[str]) -> str:
            gaps = (" " * (c - width(text)) for text, c in zip(row, columns, strict=True))
            padded = (gap + text if k % 2 else text + gap for k, (text, gap) in enumerate(zip(row, gaps, strict=True)))
            return " │ ".join(padded).rstrip()

        rule = "─┼─".join("─" * c for c in columns)
        body = [self._omission() if row is None else line(row) for row in cells]
        return "\n".join([line(self._headings), rule, *body, *self._remarks()])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        def line(row: Sequence[str], tag: str) -> str:
            return "<tr>" + "".join(f"<{tag}>{cell}</{tag}>" for cell in row) + "</tr>"

        omission = f'<tr><td colspan="{len(self._headings)}">{markup.escape(self._omission())}</td></tr>'
        body = [omission if row is None else line(self._cells(row, html), "td") for row in self._shown()]
        remarks = [f"<p>{markup.escape(remark)}</p>" for remark in self._remarks()]
        head = f'{STYLE}<table class="autodiff-trace"><thead>{line(self._headings, "th")}</thead><tbody>'
        return "\n".join([head, *body, "</tbody></table>", *remarks])

    @property
    def latex(self) -> str:
        """The table as an array environment, for LaTeX's math mode with amsmath."""
        headings = " & ".join(rf"\text{{{heading.rstrip(' ↓↑')}}}" for heading in self._headings)
        omission = rf"\text{{{self._omission()}}}"
        body = [omission if row is None else " & ".join(self._cells(row, latex)) for row in self._shown()]
        opening = rf"\begin{{array}}{{{'|'.join(['lr'] * (len(self._headings) // 2))}}}"
        return "\n".join([opening, rf"{headings} \\ \hline", *(rf"{line} \\" for line in body), r"\end{array}"])

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle\n{self.latex}\n$"

    def _shown(self) -> Iterator[Row | None]:
        """The rows of the displayed table, with one None for the rows left out."""
        half = LONGEST_TABLE // 2
        if len(self._steps) <= LONGEST_TABLE:
            yield from self.rows
            return
        yield from map(self._row, self._steps[:half])
        yield None
        yield from map(self._row, self._steps[-half:])

    def _cells(self, row: Row, render: Callable[[Formula], str]) -> list[str]:
        """The cells of a row, as many as there are headings; an array is shown by its shape and dtype."""

        def shown(value: Any) -> str:
            if value is None:
                return ""
            if np.ndim(value):
                return render((Token("text", f"{np.shape(value)} {value.dtype}"),))
            return render(_number(value))

        cells = [render(row.forward), shown(row.value), render(row.reverse), shown(row.adjoint)]
        return cells[: len(self._headings)]

    def _omission(self) -> str:
        hidden = len(self._steps) - LONGEST_TABLE // 2 * 2
        return f"… {hidden:,} of {len(self._steps):,} rows are not shown; .rows has all …"

    def _remarks(self) -> list[str]:
        remarks = []
        if arrays := list(self._naming.constant_arrays.values()):
            said = [
                f"{plain((symbol,))} = {f'{clean(name)} = ' if (name := name_of(array)) else ''}{written_array(array)}"
                for symbol, array in arrays[:MOST_CONSTANTS]
            ]
            more = [f"… {len(arrays) - MOST_CONSTANTS:,} more"] if len(arrays) > MOST_CONSTANTS else []
            remarks.append(f"Constants: {', '.join([*said, *more])}")
        if self._adjoints:
            return remarks
        if self._stale:
            return [*remarks, ASSIGNED_SINCE]
        return [
            *remarks,
            f"The reverse column needs a seed, because the result has shape {self._root.shape}: "
            "pass ad.trace(y, seed=...) an adjoint of that shape, or reduce the result to a scalar.",
        ]

    def _row(self, step: _Step) -> Row:
        naming, node = self._naming, step.node
        if step.position is None and step.node is self._root and not step.forward:
            return self._result(step)
        forward: Formula = (naming[node], *EQUALS, *equation(node, naming)) if step.forward else ()
        if step.position is not None:
            target = node.arguments[step.position]
            reverse = _reverse(node, step.position, naming, step.first)
        elif step.adjoint is not None:  # an input: its adjoint is complete
            target = node
            title = naming.title(node)
            complete: Formula = (naming.bar(node),) if node in self._adjoints else (Token("number", "0"),)
            reverse = (*_barred(title), *EQUALS, *complete) if title else complete
        else:
            target, reverse = None, ()
        defined = node if step.forward else None
        return Row(forward, step.value, reverse, step.adjoint, step.contribution, defined, target)

    def _result(self, step: _Step) -> Row:
        naming, root = self._naming, self._root
        title = self.symbol
        reverse: Formula = (naming.bar(root), *EQUALS, *_barred(title)) if self._adjoints else ()
        target = root if self._adjoints else None
        return Row((*title, *EQUALS, naming[root]), step.value, reverse, step.adjoint, node=root, target=target)


def _steps(root: Tensor, naming: Naming, adjoints: dict[Tensor, Any]) -> list[_Step]:
    """The rows' contents, from the inputs to the result; computed in the order of the reverse pass."""
    upwards = [_Step(root, value=_read_only(root), adjoint=adjoints.get(root))]
    total: dict[Tensor, Any] = {}
    for node in reversed(cast(list[Tensor], naming.order)):
        value = _read_only(node)
        if node.primitive is None:
            zero = np.zeros(node.shape, node.dtype)[()] if adjoints else None
            upwards.append(_Step(node, None, True, value=value, adjoint=adjoints.get(node, zero)))
            continue
        block = []
        for position, share in _shares(node, adjoints):
            target = node.arguments[position]
            first = target not in total
            if share is not None:
                total[target] = share if first else total[target] + share
            else:
                total[target] = adjoints[target]
            block.append(_Step(node, position, False, first, None, total[target], share))
        last = block.pop() if block else _Step(node)
        upwards += [*block, last._replace(forward=True, value=value)]
    complete: set[Tensor] = set()
    downwards = []
    for step in reversed(upwards):
        target = None if step.position is None else step.node.arguments[step.position]
        if target is None or target in complete:
            downwards.append(step)
        else:
            # The engine adds in recording order; another order could differ in the last digit, so its total is shown.
            complete.add(target)
            downwards.append(step._replace(adjoint=adjoints[target]))
    return downwards


def _shares(node: Tensor, adjoints: dict[Tensor, Any]) -> Iterator[tuple[int, Any]]:
    """The positions of the arguments that receive a contribution, and its value if it is a scalar."""
    if node not in adjoints or node.primitive is None:
        return
    rules = node.primitive.rules
    for position, argument in enumerate(node.arguments):
        if not isinstance(argument, Tensor) or argument not in adjoints:
            continue
        if isinstance(rules, tuple) and (position >= len(rules) or rules[position] is None):
            continue
        if argument.ndim:
            yield position, None
        elif (share := contribution(node, position, adjoints[node])) is not None:
            yield position, fetched(share)


def _reverse(node: Tensor, position: int, naming: Naming, first: bool) -> Formula:
    """The reverse half of a row: the derivative first, then the rule that computes it."""
    target = node.arguments[position]
    bar = naming.bar(target)
    so_far = () if first else (bar, *PLUS)
    if node.ndim or target.ndim:
        return (bar, *EQUALS, *so_far, *pullback(node, position, naming))
    d = Token("operator", "∂")
    derivative = (
        naming.bar(node),
        Token("text", " "),
        d,
        naming[node],
        Token("operator", "/"),
        d,
        naming[target],
    )
    slope = partial(node, position, naming) or _number(fetched(contribution(node, position, 1.0)))
    return (bar, *EQUALS, *so_far, *derivative, *EQUALS, *so_far, *product(naming.bar(node), slope))


def _number(value: Any) -> Formula:
    return (Token("number", _digits(value)),)


def _digits(value: Any) -> str:
    value = value.item()
    if isinstance(value, complex):
        return f"{number(value.real)} + {number(value.imag)}i".replace("+ −", "− ")
    return number(value)


def _read_only(node: Tensor) -> Any:
    return fetched(node.value if node.ndim else node.primal)


def _barred(title: Formula) -> Formula:
    return tuple(token._replace(bar=True) for token in title)
