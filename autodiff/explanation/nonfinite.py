"""Where the first NaN or infinity comes from: the operation, the element, the values, and how to avoid it."""

from __future__ import annotations

from typing import Any

import numpy as np

from autodiff.engine.graph import Node
from autodiff.explanation.flow import Edge, Flow, finite, ordinal, plain
from autodiff.explanation.wording import Finding, Words, place

DOUBLE_WHERE = (
    "np.where computes both branches: give the operation a harmless number where it is not taken, "
    "np.where(c, np.log(np.where(c, x, 1.0)), 0.0)"
)


def made(of: Node, words: Words) -> Finding | None:
    """The operation that made the first value that is not finite, searched backwards from such a result.

    An infinity that was read from a constant, such as a mask, is no mistake until a NaN is computed from it.
    """
    node, suspect = of, None
    while True:
        spoiled = [a for a in node.arguments if not finite(a)]
        if newly_nan(node, spoiled) or _masked(node, spoiled):
            suspect = node
        earlier = [a for a in spoiled if isinstance(a, Node)]
        if not earlier:
            return made_by(suspect if suspect is not None and spoiled else node, words)
        node = next((a for a in earlier if np.isnan(plain(a)).any()), earlier[0])


def newly_nan(node: Node, spoiled: list[Any]) -> bool:
    """Whether a value has a NaN though no argument has."""
    return bool(np.isnan(plain(node)).any()) and not any(np.isnan(plain(a)).any() for a in spoiled)


def _masked(node: Node, spoiled: list[Any]) -> bool:
    """Whether a logarithm of a sum is -inf because all its terms are masked."""
    return node.primitive is not None and node.primitive.name == "logsumexp" and bool(spoiled)


def made_by(node: Node, words: Words) -> Finding:
    """The finding for an operation whose value is not finite: it computed that value, or it read such a value."""
    value = plain(node)
    index = first(value)
    what = said(value[index])
    if node.primitive is None:
        return Finding(
            "not finite", f"{words.tensor(node)} itself is {what}{place(index)}", "Start from finite values", node
        )
    spoiled = [a for a in node.arguments if not finite(a)]
    if spoiled and not newly_nan(node, spoiled) and not _masked(node, spoiled):
        array = plain(spoiled[0])
        return Finding(
            "not finite",
            f"{words.operation(node)} reads {words.tensor(spoiled[0])} that is {said(array[first(array)])}"
            f"{place(first(array))}",
            "Clean the data (np.isfinite finds it)",
            node,
        )
    return Finding(
        "not finite", f"{words.operation(node)} gives {what}{place(index)}{values(node, index)}", cure(node), node
    )


def met(flow: Flow, x: Node, words: Words) -> Finding | None:
    """The operation that passed on the first adjoint that is not finite, searched from the adjoint of x."""
    node = x
    while not finite(flow.adjoints[node]):
        bad = [e for e in flow.users[node] if (s := flow.share(e)) is not None and not finite(s)]
        if not bad:
            if node is flow.of:
                return Finding("not finite", "the seed itself is not finite", "Pass finite numbers as seed=", node)
            return Finding(
                "not finite",
                f"the contributions to the adjoint of {words.tensor(node)} are finite, but their sum is not",
                "Compute in float64, or clip the gradient",
                node,
            )
        edge = next((e for e in bad if finite(flow.adjoints[e[0]])), None)
        if edge is not None:
            return reversed_at(edge, flow.adjoints[edge[0]], flow.share(edge), flow.users[edge[0]], words)
        node = bad[0][0]
    return None


def reversed_at(edge: Edge, g: Any, share: Any, users: list[Edge], words: Words) -> Finding:
    """The finding for a rule that received a finite adjoint and returned one that is not finite."""
    node, position = edge
    index = first(share)
    g = plain(g)
    there = f", adjoint {np.broadcast_to(g, node.primal.shape)[index]}" if g.shape == share.shape else ""
    hidden = there and not np.broadcast_to(g, node.primal.shape)[index] and _leads_to_where(users)
    return Finding(
        "not finite",
        f"the adjoint that {words.operation(node)} passes to its {ordinal(position)} argument is {said(share[index])}"
        f"{place(index)}{values(node, index, there)}"
        + (", which np.where did not take: 0 times an infinite slope" if hidden else ""),
        DOUBLE_WHERE if hidden else reverse_cure(node),
        node,
    )


def _leads_to_where(users: list[Edge]) -> bool:
    return any(user.primitive is not None and user.primitive.name == "where" for user, _ in users)


def first(array: Any) -> tuple[Any, ...]:
    """The index of the first NaN, or else of the first infinity."""
    array = np.asarray(array)
    found = np.argwhere(np.isnan(array)) if np.isnan(array).any() else np.argwhere(~np.isfinite(array))
    return tuple(found[0].tolist())


def said(number: Any) -> str:
    """NaN, infinity or minus infinity."""
    if np.isnan(number):
        return "NaN"
    return "-infinity" if np.real(number) < 0 else "infinity"


def values(node: Node, index: tuple[Any, ...], more: str = "") -> str:
    """The arguments' values at an element, or their ranges if one element depends on many."""
    assert node.primitive is not None
    shape = plain(node).shape
    listed = []
    for argument in node.arguments[:4]:
        array = plain(argument)
        if array.dtype.kind not in "fciub" or not array.size:
            continue
        if (node.primitive.elementwise or array.shape == shape) and len(index) == len(shape):
            listed.append(str(np.broadcast_to(array, shape)[index]))
        else:
            listed.append(_span(array))
    return f" (argument{'s' if len(listed) > 1 else ''} {', '.join(listed)}{more})" if listed else ""


def _span(array: Any) -> str:
    if array.size == 1:
        return str(array.reshape(())[()])
    array = np.abs(array) if array.dtype.kind == "c" else array
    return f"from {array.min():.4g} to {array.max():.4g}" if array.dtype.kind != "b" else f"of shape {array.shape}"


CURES = {
    **dict.fromkeys(
        ("log", "log2", "log10", "log1p"),
        "Keep its argument positive: np.log(x + 1e-12) or np.log(np.maximum(x, 1e-12)); of a softmax write "
        "ad.log_softmax, of 1 + x write np.log1p",
    ),
    **dict.fromkeys(
        ("divide", "reciprocal", "remainder", "fmod"),
        "Keep the denominator away from 0: a / (b + 1e-12), or np.where(b == 0, 0.0, a / np.where(b == 0, 1.0, b))",
    ),
    "sqrt": "Keep its argument positive: np.sqrt(x + 1e-12) or np.sqrt(np.maximum(x, 0.0))",
    **dict.fromkeys(
        ("exp", "exp2", "expm1", "sinh", "cosh"),
        "Exponents this large overflow: subtract the greatest element first, or use ad.logsumexp, ad.softmax, "
        "ad.softplus, ad.sigmoid, which do so",
    ),
    **dict.fromkeys(
        ("logsumexp", "softmax", "log_softmax"),
        "A row of which every element is -inf (all masked) has no softmax: leave such rows out, or mask with a large "
        "negative number such as -1e9",
    ),
    **dict.fromkeys(
        ("power", "float_power"),
        "0 to a negative power is infinite, and a negative number to a fraction is NaN: keep the base positive, "
        "np.abs(x) + 1e-12",
    ),
    **dict.fromkeys(
        ("multiply", "matmul", "linear", "contraction", "prod", "square", "dot"),
        "The product is larger than the dtype holds, or it is 0 times infinity: compute with logarithms or in float64, "
        "and use smaller steps",
    ),
    **dict.fromkeys(
        ("add", "subtract", "sum", "mean", "cumsum"),
        "Infinities of opposite sign, or a sum larger than the dtype holds: find the infinite one, or use float64",
    ),
    **dict.fromkeys(
        ("arcsin", "arccos", "arctanh"), "Keep its argument inside (-1, 1): np.clip(x, -1 + 1e-7, 1 - 1e-7)"
    ),
    "arccosh": "Keep its argument above 1",
    "astype": "The number is larger than the narrower dtype holds (float16: 65504): scale it, or stay with float32",
    "tan": "Keep its argument away from π/2",
}

REVERSE_CURES = {
    "sqrt": "The slope of the root at 0 is infinite: np.sqrt(x + 1e-12); for a norm write np.linalg.norm(x), whose "
    "adjoint at 0 is 0",
    "root": "The slope of the root at 0 is infinite: add a small number to the variance before the root",
    "cbrt": "The slope of the root at 0 is infinite: np.cbrt(x + 1e-12)",
    "power": "The slope of a power below 1 at 0 is infinite: (x + 1e-12) ** p; for a norm write np.linalg.norm(x)",
    "std": "The slope of the standard deviation of equal numbers is infinite: np.sqrt(np.var(x) + 1e-12)",
}


def cure(node: Node) -> str:
    """What to write instead of an operation whose value is not finite."""
    assert node.primitive is not None
    return CURES.get(node.primitive.name, "Look at its arguments there")


def reverse_cure(node: Node) -> str:
    """What to write instead of an operation whose slope is not finite."""
    assert node.primitive is not None
    return REVERSE_CURES.get(node.primitive.name) or cure(node)
