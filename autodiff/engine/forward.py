"""The forward pass: how a result moves when its inputs do, read from the same table as the reverse pass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce
from operator import add
from typing import Any

import numpy as np

from autodiff.engine.devices import zeros
from autodiff.engine.graph import Node, between
from autodiff.engine.recording import NO_PARAMETERS, apply, recorded
from autodiff.engine.reverse import adjoints, raw
from autodiff.engine.shapes import unbroadcast


def tangents(roots: Sequence[Node], inputs: Mapping[Node, Any], remember: bool = False) -> dict[Node, Any]:
    """The tangent of every node between the inputs and the roots, from the given tangents of the inputs.

    Nodes that no derivative reaches are left out. With `remember` the pass works on Tensors, and its results can
    be differentiated again.
    """
    moved: dict[Node, Any] = dict(inputs)
    for node in between(inputs.keys(), *roots):
        if node in moved:
            continue
        y, shown = (node, node.arguments) if remember else (node.primal, raw(node.arguments))
        parts = [
            _along(node, y, shown, position, moved[argument], remember)
            for position, argument in enumerate(node.arguments)
            if isinstance(argument, Node) and argument in moved
        ]
        parts = [part for part in parts if part is not None]
        if parts:
            moved[node] = _conformed(reduce(add, parts), node.primal)
    return moved


def _along(node: Node, y: Any, shown: Any, position: int, t: Any, remember: bool) -> Any:
    """The tangent of a node when the argument at `position` has the tangent t; None where no derivative flows."""
    primitive, parameters = node.primitive, node.parameters
    assert primitive is not None
    if primitive.linear:  # a linear function is its own derivative
        return apply(primitive, (*shown[:position], t, *shown[position + 1 :]), parameters)
    rule = primitive.rules[position]
    if rule is None:
        return None
    if primitive.elementwise:  # a diagonal Jacobian is its own transpose
        return rule(t, y, *shown, **parameters)
    # A rule is linear in g, the adjoint of y. So the adjoint of the rule itself, applied to t, is the tangent.
    nothing = zeros(node.primal.shape, node.primal.dtype, like=node)[()]
    g = recorded(type(node), None, nothing, (), NO_PARAMETERS, ())
    share = rule(g, y, *shown, **parameters)
    if primitive.broadcasts and isinstance(share, Node):
        share = unbroadcast(share, node.arguments[position].primal.shape)  # it may be wider than its argument
    return adjoints(share, t, wrt=[g], recorded=remember).get(g) if isinstance(share, Node) else None


def _conformed(t: Any, primal: Any) -> Any:
    """A tangent in the shape and dtype of its value."""
    if t.shape != primal.shape:
        t = np.broadcast_to(t, primal.shape)
    if t.dtype != primal.dtype:
        t = (np.real(t) if t.dtype.kind == "c" and primal.dtype.kind == "f" else t).astype(primal.dtype)
    return t
