"""The table of how primitives are written: a form, the local partials, and for arrays the pullbacks.

In a template a, b, c stand for the arguments, y for the result, g for the result's adjoint; other words are
functions. `writing(node)` looks a node up, with the few operations whose form depends on their arguments.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, Final

import numpy as np

from autodiff.engine.graph import Node, operands
from autodiff.engine.table import Writing
from autodiff.notation.formula import Formula, Token, number

ELEMENTWISE: Final = {
    "add": Writing("a + b", ("1", "1")),
    "subtract": Writing("a − b", ("1", "−1")),
    "multiply": Writing("a × b", ("b", "a")),
    "divide": Writing("a / b", ("1/b", "−a/b²")),
    "negative": Writing("−a", ("−1",)),
    "positive": Writing("a", ("1",)),
    "absolute": Writing("|a|", ("sign a",)),
    "fabs": Writing("|a|", ("sign a",)),
    "square": Writing("a²", ("2 a",)),
    "sqrt": Writing("√a", ("1/(2 y)",)),
    "cbrt": Writing("∛a", ("1/(3 y²)",)),
    "reciprocal": Writing("1/a", ("−1/a²",)),
    "exp": Writing("exp a", ("y",)),
    "exp2": Writing("2^a", ("y ln 2",)),
    "expm1": Writing("exp a − 1", ("exp a",)),
    "log": Writing("ln a", ("1/a",)),
    "log2": Writing("log₂ a", ("1/(a ln 2)",)),
    "log10": Writing("log₁₀ a", ("1/(a ln 10)",)),
    "log1p": Writing("ln(1 + a)", ("1/(1 + a)",)),
    "sin": Writing("sin a", ("cos a",)),
    "cos": Writing("cos a", ("−sin a",)),
    "tan": Writing("tan a", ("1 + y²",)),
    "arcsin": Writing("arcsin a", ("1/√(1 − a²)",)),
    "arccos": Writing("arccos a", ("−1/√(1 − a²)",)),
    "arctan": Writing("arctan a", ("1/(1 + a²)",)),
    "arctan2": Writing("arctan2(a, b)", ("b/(a² + b²)", "−a/(a² + b²)")),
    "hypot": Writing("hypot(a, b)", ("a/y", "b/y")),
    "sinh": Writing("sinh a", ("cosh a",)),
    "cosh": Writing("cosh a", ("sinh a",)),
    "tanh": Writing("tanh a", ("1 − y²",)),
    "arcsinh": Writing("arcsinh a", ("1/√(a² + 1)",)),
    "arccosh": Writing("arccosh a", ("1/√(a² − 1)",)),
    "arctanh": Writing("arctanh a", ("1/(1 − a²)",)),
    "logaddexp": Writing("logaddexp(a, b)", ("exp(a − y)", "exp(b − y)")),
    "maximum": Writing("max(a, b)", ("[a > b]", "[b > a]")),
    "minimum": Writing("min(a, b)", ("[a < b]", "[b < a]")),
    "fmax": Writing("max(a, b)", ("[a > b]", "[b > a]")),
    "fmin": Writing("min(a, b)", ("[a < b]", "[b < a]")),
    "relu": Writing("relu a", ("[a > 0]",)),
    "sigmoid": Writing("σ(a)", ("y (1 − y)",)),
    "softplus": Writing("softplus a", ("σ(a)",)),
    "silu": Writing("silu a"),
    "gelu": Writing("gelu a"),
    "erf": Writing("erf a", ("2 exp(−a²)/√π",)),
}
WHOLE: Final = {
    "prod": Writing("", (), ("g × y / a",)),
    "max": Writing("", (), ("g where a = y",)),
    "min": Writing("", (), ("g where a = y",)),
    "identity": Writing("a", (), ("g",)),
    "copy": Writing("", (), ("g",)),
    "astype": Writing("", (), ("astype g",)),
    "swapaxes": Writing("", (), ("swapaxes g",)),
    "transpose": Writing("", (), ("transpose g",)),
    "replaced_at": Writing("", (), ("g elsewhere", "gather g")),
    "added_at": Writing("", (), ("g", "gather g")),
    "sum": Writing("", (), ("broadcast g",)),
    "reshape": Writing("", (), ("reshape g",)),
    "ravel": Writing("", (), ("reshape g",)),
    "expand_dims": Writing("", (), ("reshape g",)),
    "squeeze": Writing("", (), ("reshape g",)),
    "broadcast_to": Writing("", (), ("sum g",)),
    "softmax": Writing("", (), ("y × (g − sum(g × y))",)),
    "log_softmax": Writing("", (), ("g − exp y × sum g",)),
    "where": Writing("", (), ("0", "g where a", "g where not a")),
    "logsumexp": Writing("", (), ("g × softmax a",)),
}
ORDERS: Final = {"maximum": ">", "fmax": ">", "minimum": "<", "fmin": "<"}
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
    """How a node's operation is written; None for a leaf or a primitive that the table does not know.

    Where a user has declared other rules for a function, its form stays, and the textbook's derivative goes.
    """
    if node.parameters.get("where", True) is not True:
        return None  # textbooks leave no element out
    written = _textbook(node)
    redeclared = node.primitive is not None and node.primitive.redeclared
    return Writing(written.form) if written is not None and redeclared else written


def _textbook(node: Node) -> Writing | None:
    """How a node's operation and its derivative are written in textbooks."""
    primitive = node.primitive
    if primitive is None:
        return None
    if primitive.writing is not None:
        form = primitive.writing.form
        return primitive.writing._replace(form=form(*operands(node))) if callable(form) else primitive.writing
    name, function = primitive.name, primitive.function
    # A user's primitive may be called log without being the logarithm.
    ours = str(getattr(function, "__module__", "")).startswith("autodiff.")
    if getattr(np, name, None) is not function and not ours:
        return None
    if name == "power":
        return _power(*node.arguments[:2])
    if name in ORDERS:
        return _choice(name, *map(raw, node.arguments[:2]))
    if name == "hypot" and np.any(np.equal(node.primal, 0)):
        return ELEMENTWISE[name]._replace(partials=())  # 0/0 as a formula, 0 by convention
    if name in ("matmul", "dot"):
        return _product(*(np.ndim(raw(a)) for a in node.arguments))
    if name == "transpose" and not any(v is not None for v in node.parameters.values()) and np.ndim(node.primal) == 2:
        return Writing("aᵀ", (), ("gᵀ",))
    if name == "gather":
        return _gather(node.parameters.get("index"))
    if name == "clip":
        return _clip(node.arguments)
    if name == "mean":
        return Writing("", (), (f"broadcast g / {np.size(raw(node.arguments[0])) // max(np.size(node.primal), 1)}",))
    return ELEMENTWISE.get(name) or WHOLE.get(name)


def superscript(exponent: float) -> str:
    """A whole exponent in raised characters."""
    return f"{exponent:.0f}".translate(str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻"))


def raw(argument: Any) -> Any:
    """The value of an argument, a node or a constant."""
    return argument.primal if isinstance(argument, Node) else argument


def _choice(name: str, a: Any, b: Any) -> Writing:
    """A maximum or minimum, whose adjoint is shared equally where the arguments tie."""
    written, order = ELEMENTWISE[name], ORDERS[name]
    if name in ("fmax", "fmin") and np.any(np.not_equal(a, a) | np.not_equal(b, b)):
        return written._replace(partials=())  # the number is chosen over a nan, which no comparison says
    tied = np.equal(a, b)
    if not np.any(tied):
        return written
    if np.all(tied):
        return written._replace(partials=("0.5 [a = b]", "0.5 [b = a]"))
    return written._replace(partials=(f"[a {order} b] + 0.5 [a = b]", f"[b {order} a] + 0.5 [b = a]"))


def _power(base: Any, exponent: Any) -> Writing:
    constant = not isinstance(exponent, Node) and np.ndim(exponent) == 0
    if not constant and np.any(np.equal(raw(base), 0)):
        return Writing("a^b")  # 0 ln 0 as a formula, 0 by convention
    if not constant:
        return Writing("a^b", ("b a^(b − 1)", "y ln a"))
    if not abs(float(exponent)) < 100 or float(exponent) % 1:
        less = number(float(exponent) - 1)
        return Writing("a^b", (f"b a^({less})" if less.startswith("−") else f"b a^{less}", None))
    n = float(exponent)
    slopes = {0: "0", 1: "1", 2: "2 a", -1: "−1/a²"}
    sign = "−" if n < 0 else ""
    return Writing(f"a{superscript(n)}", (slopes.get(int(n), f"{sign}{abs(n):.0f} a{superscript(n - 1)}"), None))


def _product(left: int, right: int) -> Writing:
    """`matmul` and `dot`, by the dimensions of the arguments: beside a vector the adjoint is an outer product."""
    if left == 1 and right == 1:
        return Writing("a · b", (), ("g b", "g a"))
    if 0 in (left, right):
        return ELEMENTWISE["multiply"]
    return Writing("a b", (), ("g ⊗ b" if right == 1 else "g bᵀ", "a ⊗ g" if left == 1 else "aᵀ g"))


def _clip(arguments: tuple[Any, ...]) -> Writing:
    below, above = ((*arguments[1:], None, None))[:2]
    if below is None and above is None:
        return Writing("", ("1",))
    return Writing("", (f"[{'' if below is None else 'b < '}a{'' if above is None else ' < c'}]",))


def _gather(index: Any) -> Writing:
    parts = index if isinstance(index, tuple) else (index,)
    return Writing(f"a[{', '.join(map(_position, parts))}]", (), ("scatter g",))


def _position(index: Any) -> str:
    """One entry of an index as it is typed; an array by its shape."""
    if isinstance(index, slice):
        shown = ("" if part is None else str(part) for part in (index.start, index.stop))
        return ":".join(shown) + (f":{index.step}" if index.step is not None else "")
    if index is None or isinstance(index, bool | int | np.integer):
        return str(index)
    if index is Ellipsis:
        return "..."
    array = np.asarray(index)
    return f"{'mask' if array.dtype == bool else 'array'}({'×'.join(map(str, array.shape))})"
