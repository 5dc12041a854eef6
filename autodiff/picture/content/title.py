"""The whole of a small graph as one expression: ln x_1 + x_1 x_2 − sin x_2, the title of its picture."""

from __future__ import annotations

import numpy as np

from autodiff.notation.formula import Formula, Token, number, plain, unraised
from autodiff.picture.content.lettering import undirected
from autodiff.picture.content.scene import Scene

LONGEST = 56  # characters; a longer expression is harder to read than the picture
LONGEST_NAME, MOST_INPUTS = 16, 6
LONGEST_TITLE = 200
SPACE = Token("text", " ")
OPEN, CLOSE, COMMA = Token("operator", "("), Token("operator", ")"), Token("operator", ", ")
# The precedence of expressions; a place in an equation needs a minimum precedence, or else brackets.
# An application without brackets (ln x) needs none in a sum, but does in a product.
SIGNED, SUM, QUOTIENT, APPLICATION, PRODUCT, POWER, CALL, ATOM = range(8)


def heading_of(scene: Scene, title: str | None) -> Formula | None:
    """The title of a picture: the given one ("" for no title), or else the formula of a small graph."""
    if title:
        return (Token("text", undirected(title, LONGEST_TITLE)),)
    return expression(scene) if title is None else None


def expression(scene: Scene) -> Formula | None:
    """f(x_1, x_2) = ... at (2, 5), or None if the graph is too large or its inputs have no distinct names."""
    naming = scene.naming
    inputs = [node for node in naming.order if node.primitive is None]
    if scene.root.primitive is None or len(inputs) > MOST_INPUTS:
        return None
    if any(node not in scene.equations for node in naming.order):  # folded
        return None
    known: dict[Token, Formula] = {symbol: (symbol,) for symbol in naming.constants.values()}
    for node in naming.order:
        written = naming.title(node) if node.primitive is None else _expanded(scene.equations[node], known)
        if written is None or len(plain(written)) > (LONGEST_NAME if node.primitive is None else LONGEST):
            return None
        known[naming[node]] = written
    if len({known[naming[node]] for node in inputs}) < len(inputs):
        return None  # names are repeated, such as several weights, so the formula would be ambiguous
    head = (Token("variable", "f"), OPEN, *_listed([known[naming[node]] for node in inputs]), CLOSE)
    values: Formula = ()
    if not scene.stale and all(np.ndim(node.primal) == 0 and not np.iscomplexobj(node.primal) for node in inputs):
        point = _listed([(Token("number", number(node.primal)),) for node in inputs])
        values = (Token("text", "   at "), *((OPEN, *point, CLOSE) if len(inputs) > 1 else point))
    return (*head, Token("text", " = "), *known[naming[scene.root]], *values)


def _listed(parts: list[Formula]) -> Formula:
    return tuple(token for k, part in enumerate(parts) for token in ((COMMA, *part) if k else part))


def _expanded(written: Formula, known: dict[Token, Formula]) -> Formula:
    """An equation with its symbols replaced by their expressions, in brackets where they are needed."""
    made: list[Token] = []
    for place, token in enumerate(written):
        if token not in known:
            made.append(token)
            continue
        part = known[token]
        binding = _binding(part)
        if binding >= _asked(written, place):
            made.extend(part)
        elif made[-1:] == [SPACE] and made[-2].kind == "function":  # sin x becomes sin(x + y)
            made[-1:] = (OPEN, *part, CLOSE)
        elif binding == APPLICATION:  # ln x becomes ln(x)
            made.extend((part[0], OPEN, *part[2:], CLOSE))
        else:
            made.extend((OPEN, *part, CLOSE))
    return _without_crosses(made)


def _asked(written: Formula, place: int) -> int:
    """The least precedence that an expression at this place needs without brackets."""
    left = next((t for t in reversed(written[:place]) if t != SPACE), None)
    right = next((t for t in written[place + 1 :] if t != SPACE), None)
    before, after = (left.text if left else ""), (right.text if right else "")
    if after in ("^", "[") or (right is not None and _is_exponent(right)):
        return CALL
    if before in ("√", "∛", "^") or (left is not None and left.kind == "function"):
        return ATOM
    if before == "/":
        return POWER
    if "×" in (before, after) or "·" in (before, after) or after == "/":
        return PRODUCT
    if any(side is not None and side.kind == "variable" for side in (left, right)):
        return PRODUCT  # matrices side by side
    return {"−": QUOTIENT, "+": SUM}.get(before, SIGNED)


def _binding(formula: Formula) -> int:
    """The precedence of a formula: that of its weakest operator outside brackets."""
    depth = 0
    outer: list[Token] = []
    for token in formula:
        depth -= token.text in (")", "]")
        if depth == 0:
            outer.append(token)
        depth += token.text in ("(", "[")
    texts = [token.text for token in outer if token.kind == "operator"]
    if formula[0].text.startswith("−"):
        return SIGNED
    if "+" in texts or "−" in texts:
        return SUM
    if "/" in texts:
        return QUOTIENT
    if len(formula) > 1 and formula[0].kind == "function" and formula[1] == SPACE:
        return APPLICATION
    if "×" in texts or "·" in texts or SPACE in outer:
        return PRODUCT
    if len(outer) > 1:
        return CALL if [token.text for token in outer[1:]] == ["(", ")"] else POWER
    return ATOM


def _is_exponent(token: Token) -> bool:
    return token.kind == "operator" and unraised(token.text) is not None


def _without_crosses(formula: list[Token]) -> Formula:
    """The formula with x × y written as x y, as usual in print; 2 × 3 keeps its cross."""
    kept: list[Token] = []
    for place, token in enumerate(formula):
        after = next((t for t in formula[place + 1 :] if t != SPACE), token)
        if token == Token("operator", "×") and after.kind != "number":
            continue
        if token != SPACE or kept[-1:] != [SPACE]:
            kept.append(token)
    return tuple(kept)
