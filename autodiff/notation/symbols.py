"""The form in which a recorded operation is written, from its function's record; and templates as formulas."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from autodiff.engine.graph import Node, operands
from autodiff.engine.table import Writing
from autodiff.notation import textbook  # noqa: F401  # it puts the writings on the records
from autodiff.notation.formula import Formula, Token

WORD: Final = re.compile(r"\s+|[a-zA-Z_σ][a-zA-Z0-9_₀₁₂]*|\d+(?:\.\d+)?(?:e−?\d+)?|[⁰¹²³⁴⁵⁶⁷⁸⁹⁻ᵀ]+|.")


@lru_cache(maxsize=4096)
def template(text: str) -> Formula:
    """The tokens of a template."""
    return tuple(map(_token, WORD.findall(text)))


def _token(word: str) -> Token:
    if word.isspace():
        return Token("text", " ")
    if word in ("a", "b", "c", "y", "g"):
        return Token("argument", word)
    if word == "π":
        return Token("variable", word)
    if word.startswith("log") and word[3:] in ("₂", "₁₀"):
        return Token("function", "log", "2" if word == "log₂" else "10")
    if word[0].isascii() and word[0].isdigit():
        return Token("number", word)
    return Token("function" if word[0].isalpha() and word != "ᵀ" else "operator", word)


def writing(node: Node) -> Writing | None:
    """The form of a node's operation; None for a leaf, or for a primitive whose record has no form.

    If a user has declared other rules for a function, its form is kept, but the textbook's derivative is not.
    """
    primitive = node.primitive
    if primitive is None or primitive.writing is None or node.parameters.get("where", True) is not True:
        return None  # the textbook's form has no where=
    known = primitive.writing
    written = known if isinstance(known, Writing) else known(node)
    values = [a.primal if isinstance(a, Node) else a for a in operands(node)]
    form = written.form(*values) if callable(written.form) else written.form
    return Writing(form) if primitive.redeclared else written._replace(form=form)
