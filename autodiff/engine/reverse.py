"""The reverse pass: it goes from a result back to everything that the result depends on, and adds up adjoints."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Set
from typing import Any

import numpy as np
from numpy import float64, ndarray

from autodiff.batching import Batch, NotBatched, levels, looped
from autodiff.engine.devices import admitted, beside, place
from autodiff.engine.graph import NOT_RETAINED, Node, ancestors, between, described
from autodiff.engine.many import Into, Rule, Together
from autodiff.engine.recording import as_operand
from autodiff.engine.shapes import unbroadcast
from autodiff.engine.table import Primitive

NO_LEVELS: frozenset[int] = frozenset()


def adjoints(  # noqa: C901  # one loop, the hottest there is
    root: Node,
    seed: Any,
    wrt: Collection[Node] | None = None,
    recorded: bool = False,
    every: bool = True,
    since: int = -1,
    vacant: Callable[[Node], Any] | None = None,
) -> dict[Node, Any]:
    """The adjoint of every node that the root depends on, for `seed` at the root: the chain rule, results first.

    With `wrt`, only the paths from those nodes are followed. With `since`, nodes recorded before that serial number
    receive their adjoints, but do not pass them on. With every=False, the adjoints of interior nodes are freed as soon
    as they have been passed on, except those that `retain_grad` asked for. In a recorded pass the rules are given
    Tensors instead of raw arrays, so that the adjoints can be differentiated again. `vacant` gives the array that the
    adjoint of a node is to be written into, where a rule can, or None.

    Nodes that no derivative reaches are left out. Adjoints may share memory with each other, or be read-only views:
    copy one before writing into it.
    """
    order = ancestors(root, since=since) if wrt is None else between(wrt, root)
    inside = None if wrt is None else frozenset(order)
    found: dict[Node, Any] = {root: seed}
    batched = levels(seed) - levels(root.primal) if isinstance(seed, Batch) else NO_LEVELS
    summed: dict[Node, Any] = {}  # the adjoints that are arrays made here: further shares are added in place
    adjoint_of, sum_of, taken = found.get, summed.get, found.pop

    def add(argument: Node, share: Any, primitive: Primitive) -> None:
        primal = argument.primal
        if type(share) is float64 is type(primal):  # two numbers: their shapes agree, and nothing can be added in place
            total = adjoint_of(argument)
            found[argument] = share if total is None else total + share
            return
        total = sum_of(argument)
        if total is not None and primitive.broadcasts:
            try:
                total += share
            except (ValueError, TypeError):  # the share is wider, from broadcasting, or complex
                pass
            else:
                return
        if type(share) is not ndarray or share.shape != primal.shape or share.dtype is not primal.dtype:
            share = conformed(share, argument, primitive, batched)
        if total is not None and type(share) is ndarray:
            total += share
            return
        total = adjoint_of(argument)
        if total is None:
            found[argument] = share
        else:
            total = found[argument] = total + share
            if type(total) is ndarray and not recorded:
                summed[argument] = total
            else:
                summed.pop(argument, None)

    for node in reversed(order):
        primitive = node.primitive
        if primitive is None:
            continue
        g = adjoint_of(node) if every or node.retained is not NOT_RETAINED else taken(node, None)
        if g is None:
            continue
        arguments = node.arguments
        if recorded or inside is not None or not primitive.broadcasts or len(arguments) > 2:
            # All are nodes or all are raw: a rule that gets a raw y in a recorded pass would lose the derivative of y.
            y, shown = (node, arguments) if recorded else (node.primal, raw(arguments))
            parameters = node.parameters
            if type(primitive.rules) is Together:
                shares = called(primitive.rules.rule, g, y, *shown, **parameters)
                if len(shares) != len(arguments):
                    raise ValueError(
                        f"the adjoint rule of {primitive.name}, declared with together=, returned {len(shares)} "
                        f"adjoint(s) for {len(arguments)} arguments; it returns one for each (None without derivative)."
                    )
                for argument, share in zip(arguments, shares, strict=True):
                    if share is not None and isinstance(argument, Node) and (inside is None or argument in inside):
                        add(argument, share, primitive)
                continue
            for argument, rule in zip(arguments, primitive.rules):  # noqa: B905  # rules may go on for ever
                if rule is not None and isinstance(argument, Node) and (inside is None or argument in inside):
                    if (
                        type(rule) is Into
                        and vacant
                        and argument not in found
                        and (out := vacant(argument)) is not None
                    ):
                        share = called(rule.filled, out, g, y, *shown, **parameters)
                    else:
                        share = called(rule, g, y, *shown, **parameters)
                    add(argument, share, primitive)
        elif len(arguments) == 1:  # one and two arguments, the common cases, are written out: it halves the time
            (a,) = arguments
            (rule,) = primitive.rules
            if rule is not None:
                add(a, rule(g, node.primal, a.primal), primitive)
        else:
            a, b = arguments
            left, right = primitive.rules
            x, z = a.primal if isinstance(a, Node) else a, b.primal if isinstance(b, Node) else b
            if x is not a and left is not None:
                add(a, left(g, node.primal, x, z), primitive)
            if z is not b and right is not None:
                add(b, right(g, node.primal, x, z), primitive)
    return found


def raw(arguments: Iterable[Any]) -> list[Any]:
    """The raw values of the arguments: those of nodes, and constants unchanged."""
    return [a.primal if isinstance(a, Node) else a for a in arguments]


def contribution(node: Node, position: int, g: Any) -> Any:
    """The share of the argument at `position` when the node's adjoint is `g`: a raw value in the argument's shape.

    It is None where no derivative flows. With g = 1 it is the local partial derivative of a scalar operation.
    """
    argument = node.arguments[position]
    if node.primitive is None or not isinstance(argument, Node):
        return None
    rule = node.primitive.rules[position]
    if rule is None:
        return None
    g = as_operand(g, node).astype(node.primal.dtype)[()]
    share = rule(g, node.primal, *raw(node.arguments), **node.parameters)
    return None if share is None else conformed(share, argument, node.primitive)


def conformed(share: Any, argument: Node, primitive: Primitive, batched: Set[int] = NO_LEVELS) -> Any:
    """A rule's result in the argument's shape and dtype.

    An argument that all examples of a batch share receives the sum of their adjoints, except at the levels `batched`,
    where the pass started from a batch of seeds. Only a ufunc's result is summed back over broadcast axes. For other
    functions this would hide wrong rules, so a shape that differs is an error.
    """
    primal = argument.primal
    try:
        shape, dtype = share.shape, share.dtype
    except AttributeError:
        if not isinstance(share, int | float | complex):
            raise TypeError(
                f"the adjoint rule of {primitive.name} returned {type(share).__name__} for {described(argument)}; "
                "a rule returns its argument's adjoint, an array (a position without derivative has the rule None)."
            ) from None
        share = beside(np.asarray(share, primal.dtype), argument)
        shape, dtype = share.shape, share.dtype
    if admitted and place(share) != place(primal):
        raise TypeError(
            f"the adjoint rule of {primitive.name} returned an array on {place(share)!r} for {described(argument)} on "
            f"{place(primal)!r}; an adjoint is where its argument is."
        )
    if isinstance(share, Batch):
        share = over_examples(share, batched | levels(primal))
    if shape != primal.shape:
        if not primitive.broadcasts:
            raise ValueError(
                f"the adjoint rule of {primitive.name} returned shape {shape} for {described(argument)}; "
                "a rule returns the adjoint in its argument's own shape."
            )
        share = unbroadcast(share, primal.shape)
    if dtype != primal.dtype:
        if dtype.kind == "c" and primal.dtype.kind == "f":
            share = np.real(share)
        share = share.astype(primal.dtype)
    return share


def called(rule: Rule, *arguments: Any, **parameters: Any) -> Any:
    """A rule's result; for batches, of each example alone if the rule asks for that."""
    try:
        return rule(*arguments, **parameters)
    except NotBatched:
        if any(isinstance(a, Node) for a in arguments) or not (found := levels(arguments)):
            raise
        return looped(max(found), rule, arguments, parameters)


def over_examples(share: Any, batched: Set[int]) -> Any:
    """A batch of adjoints summed over the examples, except at the levels `batched`."""
    if not isinstance(share, Batch):
        return share
    if share.level in batched:
        return Batch(over_examples(share.array, batched), share.level)
    return over_examples(np.sum(share.array, axis=0), batched)


def conjugated(g: Any) -> Any:
    """An adjoint as users see it, from the pass's, or the other way round: the conjugate if it is complex.

    Inside the pass a complex adjoint is the g of dL = Re(g dx), so that holomorphic functions have the same rules as
    real ones. Users see the direction of steepest ascent, dL/d(Re x) + i dL/d(Im x) (PyTorch's convention).
    """
    return np.conj(g) if g.dtype.kind == "c" else g
