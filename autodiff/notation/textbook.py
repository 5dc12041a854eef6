"""The textbook notation of NumPy's and our functions: a form, the local partials, and for arrays the pullbacks.

In a template a, b, c stand for the arguments, y for the result, g for the result's adjoint; other words are
functions. Each is stored in its function's record. A form that depends on the arguments is a function of the node.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np

from autodiff.engine.graph import Node
from autodiff.engine.table import Writing, table
from autodiff.notation.formula import number
from autodiff.rules import (
    activations,
    decompositions,
    eigenvalues,
    elementwise,
    indexing,
    linear_algebra,
    norms,
    order,
    padding,
    shaping,
)
from autodiff.rules.arguments import raw

ALWAYS: Final[dict[Callable[..., Any], Writing]] = {
    np.add: Writing("a + b", ("1", "1")),
    np.subtract: Writing("a − b", ("1", "−1")),
    np.multiply: Writing("a × b", ("b", "a")),
    np.divide: Writing("a / b", ("1/b", "−a/b²")),
    np.negative: Writing("−a", ("−1",)),
    np.positive: Writing("a", ("1",)),
    np.absolute: Writing("|a|", ("sign a",)),
    np.fabs: Writing("|a|", ("sign a",)),
    np.square: Writing("a²", ("2 a",)),
    np.sqrt: Writing("√a", ("1/(2 y)",)),
    np.cbrt: Writing("∛a", ("1/(3 y²)",)),
    np.reciprocal: Writing("1/a", ("−1/a²",)),
    np.exp: Writing("exp a", ("y",)),
    np.exp2: Writing("2^a", ("y ln 2",)),
    np.expm1: Writing("exp a − 1", ("exp a",)),
    np.log: Writing("ln a", ("1/a",)),
    np.log2: Writing("log₂ a", ("1/(a ln 2)",)),
    np.log10: Writing("log₁₀ a", ("1/(a ln 10)",)),
    np.log1p: Writing("ln(1 + a)", ("1/(1 + a)",)),
    np.sin: Writing("sin a", ("cos a",)),
    np.cos: Writing("cos a", ("−sin a",)),
    np.tan: Writing("tan a", ("1 + y²",)),
    np.arcsin: Writing("arcsin a", ("1/√(1 − a²)",)),
    np.arccos: Writing("arccos a", ("−1/√(1 − a²)",)),
    np.arctan: Writing("arctan a", ("1/(1 + a²)",)),
    np.arctan2: Writing("arctan2(a, b)", ("b/(a² + b²)", "−a/(a² + b²)")),
    np.sinh: Writing("sinh a", ("cosh a",)),
    np.cosh: Writing("cosh a", ("sinh a",)),
    np.tanh: Writing("tanh a", ("1 − y²",)),
    np.arcsinh: Writing("arcsinh a", ("1/√(a² + 1)",)),
    np.arccosh: Writing("arccosh a", ("1/√(a² − 1)",)),
    np.arctanh: Writing("arctanh a", ("1/(1 − a²)",)),
    np.logaddexp: Writing("logaddexp(a, b)", ("exp(a − y)", "exp(b − y)")),
    activations.relu: Writing("relu a", ("[a > 0]",)),
    activations.sigmoid: Writing("σ(a)", ("y (1 − y)",)),
    activations.softplus: Writing("softplus a", ("σ(a)",)),
    activations.gelu: Writing("gelu a"),
    activations.erf: Writing("erf a", ("2 exp(−a²)/√π",)),
    linear_algebra.pseudoinverse: Writing("pinv a"),
    linear_algebra.least_squares: Writing("lstsq(a, b)"),
    linear_algebra.sign_and_logarithm: Writing("slogdet a"),
    decompositions.orthogonal_and_triangular: Writing("qr a"),
    decompositions.singular_triplets: Writing("svd a"),
    decompositions.singular_values: Writing("svdvals a"),
    eigenvalues.hermitian_pairs: Writing("eigh a"),
    eigenvalues.pairs_of: Writing("eig a"),
    order.distinct: Writing("unique a"),
    padding.padding: Writing("pad a"),
    np.prod: Writing("", (), ("g × y / a",)),
    np.max: Writing("", (), ("g where a = y",)),
    np.min: Writing("", (), ("g where a = y",)),
    shaping.identity: Writing("a", (), ("g",)),
    np.copy: Writing("", (), ("g",)),
    shaping.astype: Writing("", (), ("astype g",)),
    np.swapaxes: Writing("", (), ("swapaxes g",)),
    indexing.replaced_at: Writing("", (), ("g elsewhere", "gather g")),
    indexing.added_at: Writing("", (), ("g", "gather g")),
    np.sum: Writing("", (), ("broadcast g",)),
    np.reshape: Writing("", (), ("reshape g",)),
    np.ravel: Writing("", (), ("reshape g",)),
    np.expand_dims: Writing("", (), ("reshape g",)),
    np.squeeze: Writing("", (), ("reshape g",)),
    np.broadcast_to: Writing("", (), ("sum g",)),
    activations.softmax: Writing("", (), ("y × (g − sum(g × y))",)),
    activations.log_softmax: Writing("", (), ("g − exp y × sum g",)),
    elementwise.where: Writing("", (), ("0", "g where a", "g where not a")),
    activations.logsumexp: Writing("", (), ("g × softmax a",)),
}


def superscript(exponent: float) -> str:
    """A whole exponent in superscript characters."""
    return f"{exponent:.0f}".translate(str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻"))


# -- forms that depend on the arguments ---------------------------------------------------------------------------


def choice(order: str, form: str, skips_nan: bool = False) -> Callable[[Node], Writing]:
    """A maximum or minimum, whose adjoint is shared equally where the arguments tie."""

    def written(node: Node) -> Writing:
        a, b = map(raw, node.arguments[:2])
        if skips_nan and np.any(np.not_equal(a, a) | np.not_equal(b, b)):
            return Writing(form)  # fmax takes the number, not the nan, and no comparison expresses this
        tied = np.equal(a, b)
        if not np.any(tied):
            return Writing(form, (f"[a {order} b]", f"[b {order} a]"))
        if np.all(tied):
            return Writing(form, ("0.5 [a = b]", "0.5 [b = a]"))
        return Writing(form, (f"[a {order} b] + 0.5 [a = b]", f"[b {order} a] + 0.5 [b = a]"))

    return written


def hypotenuse(node: Node) -> Writing:
    """The partials a/y and b/y; where y is 0 the formulas are 0/0, and the partials 0 by convention."""
    return Writing("hypot(a, b)", () if np.any(np.equal(node.primal, 0)) else ("a/y", "b/y"))


def power(node: Node) -> Writing:
    """A power: a whole exponent in superscript digits, or a variable exponent with its own partial."""
    base, exponent = node.arguments[:2]
    constant = not isinstance(exponent, Node) and np.ndim(exponent) == 0
    if not constant and np.any(np.equal(raw(base), 0)):
        return Writing("a^b")  # the formula is 0 ln 0, the partial 0 by convention
    if not constant:
        return Writing("a^b", ("b a^(b − 1)", "y ln a"))
    if not abs(float(exponent)) < 100 or float(exponent) % 1:
        less = number(float(exponent) - 1)
        return Writing("a^b", (f"b a^({less})" if less.startswith("−") else f"b a^{less}", None))
    n = float(exponent)
    slopes = {0: "0", 1: "1", 2: "2 a", -1: "−1/a²"}
    sign = "−" if n < 0 else ""
    return Writing(f"a{superscript(n)}", (slopes.get(int(n), f"{sign}{abs(n):.0f} a{superscript(n - 1)}"), None))


def product(node: Node) -> Writing:
    """A matrix product, whose pullbacks depend on the numbers of axes: with a vector, one is an outer product."""
    left, right = (np.ndim(raw(a)) for a in node.arguments)
    if left == 1 and right == 1:
        return Writing("a · b", (), ("g b", "g a"))
    return Writing("a b", (), ("g ⊗ b" if right == 1 else "g bᵀ", "a ⊗ g" if left == 1 else "aᵀ g"))


def transposed(node: Node) -> Writing:
    """A transposition: superscript T if a matrix's two axes are exchanged."""
    of_a_matrix = np.ndim(node.primal) == 2 and all(axes is None for axes in node.parameters.values())
    return Writing("aᵀ", (), ("gᵀ",)) if of_a_matrix else Writing("", (), ("transpose g",))


def averaged(node: Node) -> Writing:
    """The mean; its pullback shows the number of elements."""
    return Writing("", (), (f"broadcast g / {np.size(raw(node.arguments[0])) // max(np.size(node.primal), 1)}",))


def normed(node: Node) -> Writing:
    """A norm, with its order where it is not the Euclidean one."""
    degree = node.parameters.get("ord", 2)
    return Writing("norm a" if degree == 2 else f"norm(a, ord={degree:g})")


def gathered(node: Node) -> Writing:
    """Selected elements, with the index as it is typed."""
    index = node.parameters.get("index")
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


BY_ARGUMENTS: Final[dict[Callable[..., Any], Callable[[Node], Writing]]] = {
    np.maximum: choice(">", "max(a, b)"),
    np.minimum: choice("<", "min(a, b)"),
    np.fmax: choice(">", "max(a, b)", skips_nan=True),
    np.fmin: choice("<", "min(a, b)", skips_nan=True),
    np.hypot: hypotenuse,
    np.power: power,
    np.matmul: product,
    np.transpose: transposed,
    np.mean: averaged,
    norms.power_norm: normed,
    indexing.gather: gathered,
}
for function, writing in (ALWAYS | BY_ARGUMENTS).items():
    if table[function].writing is None:  # unless a user has declared a form
        table[function].writing = writing
