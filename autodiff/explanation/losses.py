"""Where an adjoint becomes zero, where it shrinks, and where the shares of several paths cancel."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from autodiff.arrays.tensor import leaf
from autodiff.engine.graph import Node
from autodiff.engine.recording import recorded
from autodiff.explanation.flow import Edge, Flow, norm, ordinal, passed, plain, zeros
from autodiff.explanation.paths import Path
from autodiff.explanation.wording import Finding, Kind, Words, count, kind_of, percent, size

FLAT = 0.05  # a slope below this share of the steepest is flat
MUCH = 0.5  # from this share of the elements on a finding is reported
SMALL, LARGE = 1e-4, 1e4  # an adjoint that shrinks or grows by these factors is reported
FEW = 4  # from this number of factors on a product is long
MOST_PLACES = 6

Cause = tuple[str, str]  # what happens, and what to write instead


def lost(flow: Flow, x: Node, words: Words) -> list[Finding]:
    """Where on the paths to x an adjoint arrives, but only zeros or tiny numbers are passed on, from the result on.

    Of operations of the same kind in places of the same kind, the first is named, and the number of others.
    """
    found: dict[tuple[str, str, Kind], list[Finding]] = {}
    reached = flow.between(x)
    for edge in flow.edges(reached):
        g, share = flow.adjoints.get(edge[0]), flow.share(edge)
        if g is None or share is None or not share.size or not np.any(plain(g)) or _either_way(edge[0], reached):
            continue
        finding = _loss(flow, edge, plain(g), share, words)
        if finding is not None:
            node = edge[0]
            name = node.primitive.name if node.primitive is not None else ""
            found.setdefault((name, kind_of(words.scope(node.scope)), finding.kind), []).append(finding)
    return [
        same[0]
        if len(same) == 1
        else same[0]._replace(what=f"{same[0].what}; and {count(len(same) - 1, 'more operation')} of this kind")
        for same in found.values()
    ]


def _either_way(node: Node, reached: set[Node]) -> bool:
    """Whether np.where chooses between two results that both depend on x, as leaky_relu does."""
    if node.primitive is None or node.primitive.name != "where":
        return False
    return all(isinstance(branch, Node) and branch in reached for branch in node.arguments[1:])


def _loss(flow: Flow, edge: Edge, g: Any, share: Any, words: Words) -> Finding | None:
    node, _ = edge
    assert node.primitive is not None
    name, nothing = node.primitive.name, not np.any(share)
    kind: Kind = "vanishes"
    cause = None
    if name in ("softmax", "log_softmax") and norm(share) <= _rounding(share) * norm(g):
        cause, kind = _of_softmax(edge, g), "cancels"
        kind = "cancels" if "sum" in cause[0] else "vanishes"
    if cause is None and nothing:
        cause = _underflow(edge, flow.adjoints[node])
    if cause is None and name in SLOPES:
        cause = _saturated(edge, share)
    if cause is None and name in REASONS and (nothing or zeros(share) - zeros(g) >= MUCH):
        cause = REASONS[name](edge, words)
    if cause is None and nothing:
        cause = _by_zeros(edge, words) or _flat(edge)
    if cause is None:
        return None
    return Finding(kind, f"{words.operation(node)} {cause[0]}", cause[1], node)


# -- one operation ----------------------------------------------------------------------------------------------


def _rounding(array: Any) -> float:
    return math.sqrt(float(np.finfo(array.dtype).eps)) if array.dtype.kind in "fc" else 0.0


def _least(array: Any) -> float:
    return float(np.finfo(array.dtype).smallest_normal) if array.dtype.kind in "fc" else 0.0


def _inputs(edge: Edge) -> Any:
    return plain(edge[0].arguments[edge[1]])


def _range(array: Any) -> str:
    array = np.real(array)
    with np.errstate(all="ignore"):
        low, high = float(np.nanmin(array)), float(np.nanmax(array))
    return f"at {size(low)}" if low == high else f"between {size(low)} and {size(high)}"


def _underflow(edge: Edge, g: Any) -> Cause | None:
    """The cause if the adjoint is zero only because the dtype holds no smaller numbers."""
    node, position = edge
    dtype = plain(g).dtype
    if dtype.kind != "f":
        return None
    with np.errstate(all="ignore"):
        share = passed(edge, np.asarray(g / np.max(np.abs(plain(g))), dtype)[()]) if type(g).__name__ != "Batch" else 0
        if not np.any(share):
            share = passed((_widened(node), position), np.asarray(g, np.float64)[()]) if dtype.itemsize < 8 else 0
    if not np.any(share):
        return None
    least = float(np.finfo(dtype).smallest_subnormal)
    return (
        f"receives an adjoint of norm {size(norm(plain(g)))} and the product underflows: {dtype} holds nothing "
        f"between 0 and {size(least)}",
        ("Compute in float64, or m" if dtype.itemsize < 8 else "M")
        + "ultiply the loss by a large number and divide the adjoint by it (loss scaling)",
    )


def _widened(node: Node) -> Node:
    """The same operation with its values in float64."""

    def wide(a: Any) -> Any:
        if isinstance(a, Node):
            return leaf(plain(a).astype(np.float64)[()])
        return a.astype(np.float64) if isinstance(a, np.ndarray) and a.dtype.kind == "f" else a

    primal = plain(node).astype(np.float64)[()]
    copy: Node = recorded(type(node), node.primitive, primal, tuple(map(wide, node.arguments)), node.parameters, ())
    return copy


# The slope of a saturating function, relative to its steepest slope, from its result y.
SLOPES: dict[str, Callable[[Any], Any]] = {
    "sigmoid": lambda y: 4 * y * (1 - y),
    "tanh": lambda y: 1 - y * y,
    "erf": lambda y: 1 - y * y,
}


def _saturated(edge: Edge, share: Any) -> Cause | None:
    node = edge[0]
    assert node.primitive is not None
    flat = float(np.mean(SLOPES[node.primitive.name](plain(node)) < FLAT))
    if flat < MUCH and np.any(share):
        return None
    return (
        f"is saturated: its inputs lie {_range(_inputs(edge))}, and for {percent(flat)} of them the slope is below "
        f"{FLAT:.0%} of the steepest",
        "Make its inputs smaller (standardise the data, start with smaller weights), use relu in hidden layers, and "
        "give a loss the logits (nn.BCEWithLogitsLoss) rather than their sigmoid",
    )


def _of_softmax(edge: Edge, g: Any) -> Cause:
    axis = edge[0].parameters.get("axis", -1)
    spread = np.max(g, axis=axis) - np.min(g, axis=axis)
    if float(np.max(spread)) <= _rounding(g) * norm(g):
        return (
            "receives the same adjoint for every element, and its results sum to 1 whatever its inputs are: what it "
            "passes on sums to nothing",
            "Take a loss of single probabilities, such as cross_entropy",
        )
    return (
        f"is saturated: its inputs lie {_range(_inputs(edge))}, so one probability is 1 and the others are 0",
        "Give the loss the logits (cross_entropy), or divide them by a temperature",
    )


def _dead(edge: Edge, words: Words) -> Cause | None:
    y = plain(edge[0])
    text = f"is 0, and so is its slope, for {percent(float(np.mean(y <= 0)))} of its inputs"
    if y.ndim > 1:
        units = 1 if y.ndim == 4 else y.ndim - 1
        dead = np.max(y, axis=tuple(k for k in range(y.ndim) if k != units)) <= 0
        text += f"; {np.count_nonzero(dead)} of {dead.size} units are dead: 0 for every sample"
    return (
        f"{text} (they lie {_range(_inputs(edge))})",
        "Use ad.leaky_relu or ad.gelu, a smaller step size, smaller initial weights or larger biases",
    )


def _bounded(edge: Edge, words: Words) -> Cause | None:
    node, position = edge
    other = node.arguments[1 - position]
    lost_at = float(np.mean(plain(node) != np.broadcast_to(_inputs(edge), np.shape(plain(node)))))
    bound = f"the bound {np.asarray(other)[()]}" if not isinstance(other, Node) and np.ndim(other) == 0 else "the other"
    return (
        f"(np.{'maximum' if 'max' in str(node.primitive) else 'minimum'}, or np.clip) takes {bound} instead of its "
        f"argument in {percent(lost_at)} of the elements (they lie {_range(_inputs(edge))})",
        "Keep the values within the bound, add a penalty for leaving it, or use a smooth function such as ad.softplus",
    )


def _not_taken(edge: Edge, words: Words) -> Cause | None:
    node, position = edge
    condition = np.broadcast_to(plain(node.arguments[0]), np.shape(plain(node)))
    away = float(np.mean(condition if position == 2 else ~condition.astype(bool)))
    return (
        f"takes the other branch in {percent(away)} of the elements, and passes nothing to its {ordinal(position)} "
        "argument there",
        "Look at the condition; the derivative knows only the branch that was taken",
    )


def _largest(edge: Edge, words: Words) -> Cause | None:
    word = "largest" if "max" in str(edge[0].primitive) else "smallest"
    return (
        f"passes its adjoint to the {word} element alone, and zeros to all others",
        "If all are to learn, use ad.logsumexp, a smooth maximum, or np.mean",
    )


def _picked(edge: Edge, words: Words) -> Cause | None:
    read = np.asarray(passed(edge, np.ones(edge[0].primal.shape, edge[0].primal.dtype)))
    number = int(np.count_nonzero(read))
    if np.any(plain(edge[0])) or number:
        return f"(an index) reads {number:,} of {read.size:,} elements; the others receive zeros", ""
    return None


def _by_zeros(edge: Edge, words: Words) -> Cause | None:
    """The cause if another argument is zero wherever an adjoint arrives."""
    node, position = edge
    for k, other in enumerate(node.arguments):
        value = plain(other)
        if k != position and value.dtype.kind in "fciub" and not np.any(value) and _multiplies(node):
            return (
                f"multiplies by zeros: its {ordinal(k)} argument, {words.tensor(other)}, is 0 everywhere",
                "Start weights with small random numbers, not zeros; look at masks",
            )
    return None


def _some_zeros(edge: Edge, words: Words) -> Cause | None:
    other = edge[0].arguments[1 - edge[1]]
    many = f"0 in {percent(zeros(plain(other)))} of its elements" if np.ndim(plain(other)) else f"{plain(other)[()]}"
    return (
        f"multiplies by zeros: its {ordinal(1 - edge[1])} argument, {words.tensor(other)}, is {many}",
        "Look at masks, and at weights that start with zeros",
    )


def _multiplies(node: Node) -> bool:
    name = node.primitive.name if node.primitive is not None else ""
    return name not in ("add", "subtract", "maximum", "minimum", "where", "concatenate", "stack", "power")


def _flat(edge: Edge) -> Cause:
    return (
        f"has the slope zero at these inputs (they lie {_range(_inputs(edge))})",
        "Start elsewhere: where the slope is zero no step is made",
    )


def _nothing_left(edge: Edge, words: Words) -> Cause | None:
    if np.any(plain(edge[0])):
        return None
    dtype = plain(edge[0]).dtype
    return (
        f"underflows: its inputs lie {_range(_inputs(edge))}, and exp of less than "
        f"{math.log(float(np.finfo(dtype).smallest_subnormal)):.0f} is 0 in {dtype}",
        "Stay with logarithms: ad.logsumexp, ad.log_softmax, or subtract the greatest element first",
    )


REASONS: dict[str, Callable[[Edge, Words], Cause | None]] = {
    "relu": _dead,
    **dict.fromkeys(("maximum", "minimum", "fmax", "fmin"), _bounded),
    **dict.fromkeys(("max", "min"), _largest),
    "where": _not_taken,
    "gather": _picked,
    "multiply": _some_zeros,
    "exp": _nothing_left,
}


# -- many operations --------------------------------------------------------------------------------------------


def shrunk(flow: Flow, path: Path, words: Words) -> Finding | None:
    """A long product of factors that are mostly below 1, or above 1: their number, and the factor of each place."""
    sizes = [norm(flow.seed), *(norm(flow.share(edge)) for edge in path)]
    if 0.0 in sizes:  # after a zero nothing grows or shrinks
        path = path[: max(sizes.index(0.0) - 1, 0)]
        sizes = sizes[: len(path) + 1]
    first, last = sizes[0], sizes[-1]
    if len(path) < FEW or not math.isfinite(last) or SMALL < last / first < LARGE:
        return None
    places: dict[str, list[float]] = {}
    before = None
    for edge, gain in zip(path, (b / a for a, b in itertools.pairwise(sizes)), strict=True):
        scope = edge[0].scope
        factors = places.setdefault(kind_of(words.scope(scope)) or f"{edge[0].primitive.name}", [])  # type: ignore[union-attr]  # an edge ends in no leaf
        if scope and scope is before:
            factors[-1] *= gain
        else:
            factors.append(gain)
        before = scope
    smaller = last < first
    if sum(1 for factors in places.values() for f in factors if (f < 1) is smaller) < FEW:
        return None
    means = {label: math.exp(sum(map(math.log, f)) / len(f)) for label, f in places.items()}
    ordered = sorted(means, key=lambda label: means[label] ** len(places[label]), reverse=not smaller)[:MOST_PLACES]
    listed = ", ".join(f"{label} {size(means[label])} ({count(len(places[label]), 'time')})" for label in ordered)
    overall = math.exp(math.log(last / first) / len(path))
    return Finding(
        "shrinks" if smaller else "grows",
        f"from norm {size(first)} at {words.tensor(flow.of)} to {size(last)}, over {count(len(path), 'operation')}, "
        f"each {size(overall)} in the geometric mean; the factor of each place, in the geometric mean: {listed}",
        "Use relu and nn.init.he_normal, normalisation (nn.LayerNorm), or skip connections, so that the factors "
        "are near 1"
        if smaller
        else "Clip the gradient (clip_norm=1.0), start with smaller weights, or normalise (nn.LayerNorm)",
    )


def cancelled(flow: Flow, x: Node, words: Words) -> Iterator[Finding]:
    """Nodes on the paths to x whose contributions are large but sum to almost zero."""
    reached = flow.between(x)
    for node in reversed(flow.nodes):
        if node not in reached or node not in flow.adjoints:
            continue
        shares = [(edge, flow.share(edge)) for edge in flow.users[node]]
        sizes = [(edge, norm(share)) for edge, share in shares if share is not None]
        whole = sum(s for _, s in sizes)
        total = plain(flow.adjoints[node])
        if len(sizes) > 1 and 0 < whole < math.inf and norm(total) <= _rounding(total) * whole:
            small = whole < _least(total)
            listed = ", ".join(f"{size(s)} by {words.operation(edge[0])}" for edge, s in sizes[:4])
            yield Finding(
                "vanishes" if small else "cancels",
                f"{count(len(sizes), 'contribution')} to the adjoint of {words.tensor(node)} ({listed}) sum to "
                f"{'nothing' if not np.any(total) else size(norm(total))}" + (", by underflow" if small else ""),
                "" if small else "The result does not change with it: look whether it was meant to",
                node,
            )
