"""Running a primitive and remembering it: the one place where nodes with an origin are made."""

from __future__ import annotations

from typing import Any

import numpy as np

from autodiff.graph import NOT_KEPT, Node, Scope, current_scope, next_serial
from autodiff.primitive import Primitive

ARRAY: Any = (np.ndarray, np.generic)
NO_PARAMETERS: dict[str, Any] = {}

_new = object.__new__
_read_scope = current_scope.get


def apply(primitive: Primitive, arguments: tuple[Any, ...], parameters: dict[str, Any]) -> Any:
    """Run a primitive on the raw values of its arguments; the result remembers them.

    Where nothing is to be remembered (no node among the arguments, or inside `no_grad`) it is a plain array.
    """
    kind = None
    raw = []
    for argument in arguments:
        if isinstance(argument, Node):
            kind = type(argument)
            raw.append(argument.primal)
        elif type(argument) is list:
            return apply(primitive, tuple(np.asarray(a) if type(a) is list else a for a in arguments), parameters)
        else:
            raw.append(argument)
    primal = primitive.function(*raw, **parameters)
    scope = _read_scope()
    if scope is None or kind is None:
        return primal
    if not primitive.broadcasts:  # a ufunc of floating-point numbers gives such numbers
        primal = differentiable(primal, primitive)
    return recorded(kind, primitive, primal, arguments, parameters, scope)


def recorded(
    kind: type[Node],
    primitive: Primitive | None,
    primal: Any,
    arguments: tuple[Any, ...],
    parameters: dict[str, Any],
    scope: Scope,
) -> Any:
    """A new node of this kind, made past its constructor: a tight loop of small operations is made of these."""
    node = _new(kind)
    node.primal = primal
    node.primitive = primitive
    node.arguments = arguments
    node.parameters = parameters
    node.scope = scope
    node.serial = next_serial()
    node.name = None
    node.kept = NOT_KEPT
    return node


def differentiable(primal: Any, primitive: Primitive) -> Any:
    """A primitive's result, if a node can hold it: an array, or a scalar, of floating-point numbers."""
    if isinstance(primal, float):
        return np.float64(primal)
    if not isinstance(primal, ARRAY) or primal.dtype.kind not in "fc":
        received = getattr(primal, "dtype", type(primal).__name__)
        raise TypeError(
            f"{primitive.name} of a Tensor gave {received}, which has no derivative; "
            "a primitive returns one floating-point array (declare others with ad.constant)."
        )
    return primal if primal.ndim else primal[()]


def is_operand(value: Any) -> bool:
    """Whether arithmetic takes it: a node, an array of numbers, a number, or nested lists of numbers."""
    if isinstance(value, ARRAY):
        return value.dtype.kind in "fciub"
    if isinstance(value, list | tuple):
        return all(is_operand(v) and not isinstance(v, Node) for v in value)
    return isinstance(value, Node | float | int | complex)
