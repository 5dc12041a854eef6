"""The notation of a recorded computation: symbols v_k, equations, local partials and pullbacks.

`symbols` says how each primitive is written; `formula` defines formulas and renders them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

import numpy as np

from autodiff.engine.devices import fetched
from autodiff.engine.graph import Node, ancestors, operands
from autodiff.engine.table import Writing
from autodiff.notation.formula import GREEK, Formula, Token, clean, html, latex, number, plain, unraised, width
from autodiff.notation.symbols import template, writing
from autodiff.rules.arguments import raw

__all__ = [
    "ASSIGNED_SINCE",
    "SPACE",
    "Formula",
    "Naming",
    "Token",
    "assigned_since",
    "clean",
    "equation",
    "html",
    "latex",
    "number",
    "partial",
    "plain",
    "product",
    "pullback",
    "width",
]

SPACE: Final = Token("text", " ")
EQUALS: Final = Token("text", " = ")
ASSIGNED_SINCE: Final = (
    "Since the result was computed, what it was computed from was assigned new values (an optimizer's step does so): "
    "these are shown as they are now, all else as it was computed, and there are no adjoints. "
    "Compute the result again to have them."
)
SYMBOL: Final = re.compile("v[₋₀₁₂₃₄₅₆₇₈₉]+")
SYMBOL_NAME: Final = re.compile(
    rf"(?P<letter>{'|'.join(GREEK)}|[A-Za-zα-ωΑ-Ω])(?:_?(?P<digits>[0-9]{{1,6}})|_(?P<label>[A-Za-z0-9]{{1,6}}))?"
)


class Naming:
    """The symbols of a graph: inputs v_{1-n} to v_0 in the order of creation, then operations by depth and recording.

    Constant arrays are c_1, c_2, ... in the order of first use.
    """

    _ambiguous: frozenset[str] = frozenset()
    """The users' names that as mathematics would look like another's, or like a symbol."""

    constant_arrays: Mapping[int, tuple[Token, Any]] = {}
    """Symbol and array of every constant array, by the array's identity."""

    def __init__(self, root: Node) -> None:
        recorded = ancestors(root, shown=True)
        depth: dict[Node, int] = {}
        for node in recorded:
            parents = [depth.get(a, 0) for a in operands(node) if isinstance(a, Node)]  # 0 for a leaf assigned since
            depth[node] = 1 + max(parents, default=0) if node.primitive is not None else 0
        arrays = [a for node in recorded for a in operands(node) if is_constant_array(a)]
        self.constant_arrays = {
            key: (Token("variable", "c", str(k)), array)
            for k, (key, array) in enumerate({id(a): a for a in arrays}.items(), 1)
        }
        # The sort is stable: nodes of the same depth stay in recording order.
        self.order: list[Node] = sorted(recorded, key=depth.__getitem__)
        self.inputs: int = sum(node.primitive is None for node in recorded)
        self._index = {node: k for k, node in enumerate(self.order, 1 - self.inputs)}
        looks: dict[str, list[str]] = {}
        for name in dict.fromkeys(str(node.name) for node in recorded if node.name is not None):
            looks.setdefault(plain(named(name)), []).append(name)
        taken = {plain((symbol,)) for symbol, _ in self.constant_arrays.values()}
        alike = [names for look, names in looks.items() if len(names) > 1 or SYMBOL.fullmatch(look) or look in taken]
        self._ambiguous = frozenset(name for names in alike for name in names)

    def __getitem__(self, node: Node) -> Token:
        return Token("variable", "v", str(self._index[node]))

    def bar(self, node: Node) -> Token:
        """The symbol of the node's adjoint."""
        return self[node]._replace(bar=True)

    def title(self, node: Node) -> Formula | None:
        """The name that the user gave a node, or None. x1 is x with subscript 1, unless x_1 occurs too; v1 is text."""
        if node.name is None:
            return None
        name = str(node.name)
        if name not in self._ambiguous:
            return named(name)
        return (Token("text", f"“{clean(name)}”" if SYMBOL.fullmatch(name) else clean(name)),)


def adjoint_names(found: Iterable[Node]) -> list[str]:
    """The names under which adjoints are printed, the result's first: v₃, or v₀ = x for a node with a name."""
    nodes = list(found)
    naming = Naming(nodes[0]) if nodes else None
    titles = [(naming[node], naming.title(node)) for node in nodes] if naming is not None else []
    return [plain((symbol, *((EQUALS, *title) if title else ()))) for symbol, title in titles]


def is_constant_array(argument: Any) -> bool:
    """Whether an argument is neither a node nor a number."""
    return not isinstance(argument, Node | float | int) and np.ndim(argument) > 0


def assigned_since(nodes: Iterable[Node]) -> bool:
    """Whether a leaf was assigned a new value after one of these operations used it, so that rules would mix both."""
    return any(isinstance(a, Node) and a.serial > node.serial for node in nodes for a in node.arguments)


def named(name: str) -> Formula:
    """A name as mathematics if possible: x1 is x with subscript 1, alpha is the letter."""
    found = SYMBOL_NAME.fullmatch(name)
    if found is None:
        return (Token("text", clean(name)),)
    letter = found["letter"]
    return (Token("variable", GREEK.get(letter, letter), found["digits"] or found["label"] or ""),)


def equation(node: Node, naming: Naming) -> Formula:
    """The right-hand side that defines a node: its operation, or for a leaf its name."""
    if node.primitive is None:
        return naming.title(node) or (Token("text", "input"),)
    written = writing(node)
    if written is not None and written.form:
        return _fill(template(written.form), node, naming)
    return _call(node, naming)


def partial(node: Node, position: int, naming: Naming) -> Formula | None:
    """The local partial with respect to one argument as a formula; None if it is a number or unknown."""
    written = _partial_template(writing(node), position)
    if written is None or all(t.kind == "number" or t.text == "−" for t in written):
        return None
    return _fill(written, node, naming)


def product(factor: Token, local: Formula) -> Formula:
    """An adjoint times a local partial: `v̄ / a` for `1/a`, brackets around a sum or a minus sign."""
    if len(local) > 2 and local[0].text == "1" and local[1].text == "/":
        return (factor, SPACE, Token("operator", "/"), SPACE, *local[2:])
    depth, bracketed = 0, local[0].text.startswith("−")
    for token in local:
        depth += (token.text in ("(", "[")) - (token.text in (")", "]"))
        bracketed |= depth == 0 and token.kind == "operator" and token.text in "+−"
    if bracketed:
        local = (Token("operator", "("), *local, Token("operator", ")"))
    return (factor, SPACE, Token("operator", "×"), SPACE, *local)


def pullback(node: Node, position: int, naming: Naming) -> Formula:
    """The share of an array argument's adjoint as a formula: `v̄₃ v₁ᵀ`, or the name of the pullback."""
    written, bar = writing(node), naming.bar(node)
    rule: Formula | None = None
    if written is not None and position < len(written.pullbacks):
        rule = _fill(template(written.pullbacks[position]), node, naming)
    elif (local := _partial_template(written, position)) is not None:
        if local == template("1"):
            rule = (bar,)
        elif local == template("−1"):
            rule = (Token("operator", "−"), bar)
        else:
            rule = product(bar, _fill(local, node, naming))
    if rule is None:
        return (
            Token("text", "pullback of "),
            Token("function", _name(node)),
            Token("operator", "("),
            bar,
            Token("operator", ")"),
        )
    if (
        node.primitive is not None
        and node.primitive.elementwise
        and np.shape(raw(node.arguments[position])) != np.shape(node.primal)
    ):
        # The forward pass broadcasts, so the reverse pass sums.
        return (Token("function", "sum"), Token("operator", "("), *rule, Token("operator", ")"))
    return rule


def _name(node: Node) -> str:
    return clean(node.primitive.name) if node.primitive is not None else ""


def _partial_template(written: Writing | None, position: int) -> Formula | None:
    if written is None or position >= len(written.partials) or written.partials[position] is None:
        return None
    return template(written.partials[position] or "")


def _fill(written: Formula, node: Node, naming: Naming) -> Formula:
    """A template in which a, b, c are replaced by the arguments, y by the result and g by its adjoint."""
    tokens: list[Token] = []
    for place, token in enumerate(written):
        if token.kind != "argument":
            tokens.append(token)
        elif token.text == "y":
            tokens.append(naming[node])
        elif token.text == "g":
            tokens.append(naming.bar(node))
        else:
            operand = _operand(node.arguments["abc".index(token.text)], naming)
            if operand[0].text.startswith("−") and not _stands_alone(written, place):
                operand = (Token("operator", "("), *operand, Token("operator", ")"))
            tokens.extend(operand)
    return tuple(tokens)


def _stands_alone(written: Formula, place: int) -> bool:
    """Whether a negative number needs no brackets at a place of a template."""
    before = [t.text for t in written[:place] if t != SPACE]
    after = written[place + 1].text if place + 1 < len(written) else ""
    return (not before or before[-1] in "([|,<>") and after != "^" and unraised(after) is None


def _operand(argument: Any, naming: Naming) -> Formula:
    """An argument of an operation: the symbol of a node or of a constant array, or a number."""
    if isinstance(argument, Node):
        return (naming[argument],)
    if id(argument) in naming.constant_arrays:
        return (naming.constant_arrays[id(argument)][0],)
    array = np.asarray(argument)
    if array.dtype.kind in "fiu" and array.ndim == 0:
        return (Token("number", number(float(array))),)
    if array.ndim == 0:
        return (Token("text", clean(str(array.item()))),)
    return (Token("text", written_array(array)),)


def written_array(array: Any) -> str:
    """A constant array as text: its numbers if they are few, else its shape."""
    if array.ndim == 1 and array.dtype.kind in "fiu" and 0 < array.size <= 4:
        array = fetched(array)
        return "[" + ", ".join(number(x) for x in array.tolist()) + "]"
    return f"array({'×'.join(map(str, array.shape))})"


def _call(node: Node, naming: Naming) -> Formula:
    """An operation for which no form is declared: its name, arguments and parameters as a function call."""
    comma = Token("operator", ","), SPACE
    called = Token("function", _name(node))
    listed = [_operand(a, naming) for a in operands(node)]
    if len(listed) > 6:
        listed = [*listed[:3], (Token("text", "…"),), listed[-1]]
    settings = [
        (Token("text", clean(f"{key}={_setting(value)}")),)
        for key, value in node.parameters.items()
        if value is not None and value is not False
    ]
    inside = [t for k, part in enumerate([*listed, *settings]) for t in ((*comma, *part) if k else part)]
    if len(listed) == 1 and not settings and listed[0][0].kind == "variable" and len(called.text) > 1:
        return (called, SPACE, *inside)
    return (called, Token("operator", "("), *inside, Token("operator", ")"))


def _setting(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"array({'×'.join(map(str, value.shape))})"
    simple = (bool, int, float, str, np.generic, np.dtype)
    if isinstance(value, simple):
        return str(value)
    if isinstance(value, tuple | list) and all(isinstance(part, simple) for part in value):
        return "(" + ", ".join(map(str, value)) + ("," if len(value) == 1 else "") + ")"
    if isinstance(value, type):  # a dtype
        return value.__name__
    return str(value) if "__str__" in vars(type(value)) else type(value).__name__
