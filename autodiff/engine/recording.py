"""Running a primitive and recording it. All nodes with an origin are made here."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import numpy as np

from autodiff.engine.devices import admitted, beside, refuse, together
from autodiff.engine.graph import NOT_RETAINED, Node, Scope, current_scope, described, next_serial
from autodiff.engine.signatures import spelled
from autodiff.engine.stand_in import StandIn
from autodiff.engine.table import Primitive

ARRAY: Any = (np.ndarray, np.generic, StandIn)
SCALAR_OR_STAND_IN = (np.generic, StandIn)
SEQUENCE = (list, tuple)
F = TypeVar("F", bound=Callable[..., Any])
NO_PARAMETERS: dict[str, Any] = {}

_new = object.__new__
_read_scope = current_scope.get


def apply(primitive: Primitive, arguments: tuple[Any, ...], parameters: dict[str, Any]) -> Any:
    """Run a primitive on the raw values of its arguments, and record the result.

    If no argument is a node, or inside `no_grad`, nothing is recorded and the result is a plain array.
    """
    kind = None
    raw = []
    for argument in arguments:
        if isinstance(argument, Node):
            kind = type(argument)
            raw.append(argument.primal)
        elif isinstance(argument, SEQUENCE):
            arguments = tuple(np.asarray(a) if isinstance(a, SEQUENCE) else a for a in arguments)
            return apply(primitive, arguments, parameters)
        else:
            raw.append(argument)
    if admitted:
        arguments, parameters = together(primitive.function, arguments, parameters)
        raw = [a.primal if isinstance(a, Node) else a for a in arguments]
    try:
        primal = primitive.function(*raw, **parameters) if parameters else primitive.function(*raw)
    except (ValueError, TypeError, NotImplementedError) as error:
        for name, value in parameters.items():
            if isinstance(value, Node):
                raise TypeError(
                    f"{spelled(primitive.function)} was called with {name}={described(value)}, a parameter through "
                    "which no derivative flows; pass its .value, a constant, or compose the function from others."
                ) from error
        if isinstance(error, ValueError):
            name_shapes(error, primitive.function, raw)
        if admitted:
            refuse(error, primitive.function, raw)
        raise
    scope = _read_scope()
    if scope is None or kind is None:
        return primal if kind is None else _apart(primal, raw)
    if not primitive.broadcasts:  # a ufunc of floating-point numbers gives such numbers
        primal = differentiable(primal, primitive)
    return recorded(kind, primitive, primal, arguments, parameters, scope)


def name_shapes(error: ValueError, function: Callable[..., Any], arguments: Iterable[Any]) -> None:
    """Add the shapes of the arrays to NumPy's error, if its message does not have them."""
    name = spelled(function)
    if type(error) is ValueError and name.startswith("np.") and "shape" not in str(error):
        shapes = [str(a.shape) for a in arguments if isinstance(a, ARRAY)]
        more = f" and {len(shapes) - 4} more" if len(shapes) > 5 else ""
        listed = ", ".join(shapes[:4] if more else shapes)
        reason = str(error)
        if "core dimension" in reason:  # NumPy's message for a product: (size 4 is different from 3)
            reason = f"of the lengths that have to agree, {reason[reason.rfind('size') :].rstrip(')')}"
        error.args = (f"{name} was called with arrays of the shapes {listed}{more}: {reason}",)


def _apart(primal: Any, raw: list[Any]) -> Any:
    """A plain result, read-only if it may be a view of an argument."""
    if isinstance(primal, np.ndarray) and any(np.may_share_memory(primal, a) for a in raw if isinstance(a, np.ndarray)):
        primal = primal.view()
        primal.flags.writeable = False
    return primal


@contextmanager
def no_grad() -> Iterator[None]:
    """A context without recording, where results are plain arrays: `with ad.no_grad():` or `@ad.no_grad()`.

    >>> w = ad.Tensor([1.0, 2.0])
    >>> with ad.no_grad():
    ...     w * 3.0
    array([3., 6.])
    """
    token = current_scope.set(None)
    try:
        yield
    finally:
        current_scope.reset(token)


class scope:  # noqa: N801  # it reads as a statement: with ad.scope("encoder")
    """A named part of a computation, a box in its picture: `with ad.scope("encoder"):` or `@ad.scope("encoder")`.

    Parameters
    ----------
    name : a string; or a module, the object whose attributes are the parameters used inside. The object itself is
        kept, and gets its name when a picture is drawn

    >>> x = ad.Tensor(2.0)
    >>> with ad.scope("encoder"):
    ...     y = np.exp(x)
    >>> y.scopes
    ['encoder']
    """

    __slots__ = ("_name",)

    def __init__(self, name: Any) -> None:
        self._name = name

    def __enter__(self) -> None:
        outer = _read_scope()
        if outer is not None:
            current_scope.set((outer, self._name))

    def __exit__(self, *raised: object) -> None:
        # The new scope holds the enclosing one. So one object can be entered inside itself, and in several threads.
        inner = _read_scope()
        if inner:
            current_scope.set(inner[0])

    def __call__(self, function: F) -> F:
        """The function, each call of which is recorded in this scope."""

        @functools.wraps(function)
        def scoped(*args: Any, **kwargs: Any) -> Any:
            with scope(self._name):  # a new object for each call: the function may call itself
                return function(*args, **kwargs)

        return scoped  # type: ignore[return-value]  # the same signature


@contextmanager
def recording() -> Iterator[None]:
    """A context in which operations are recorded, inside `no_grad` too; transforms use it."""
    token = current_scope.set(current_scope.get() or ())
    try:
        yield
    finally:
        current_scope.reset(token)


def recorded(
    kind: type[Node],
    primitive: Primitive | None,
    primal: Any,
    arguments: tuple[Any, ...],
    parameters: dict[str, Any],
    scope: Scope,
) -> Any:
    """A new node of this class, made without its constructor, which would slow down loops of small operations."""
    node = _new(kind)
    node.primal = primal
    node.primitive = primitive
    node.arguments = arguments
    node.parameters = parameters
    node.scope = scope
    node.serial = next_serial()
    node.name = None
    node.retained = NOT_RETAINED
    return node


def differentiable(primal: Any, primitive: Primitive) -> Any:
    """A primitive's result, checked: a node holds an array or a scalar of floating-point numbers."""
    if isinstance(primal, float):
        return np.float64(primal)
    known = isinstance(primal, ARRAY) or type(primal) in admitted
    if not known or primal.dtype.kind not in "fc":
        received = getattr(primal, "dtype", type(primal).__name__)
        raise TypeError(
            f"{primitive.name} of a Tensor gave {received}, which has no derivative; "
            "a primitive returns one floating-point array (declare others with ad.constant)."
        )
    return primal if primal.ndim or not isinstance(primal, np.ndarray) else primal[()]


def as_operand(value: Any, other: Node, ufunc: np.ufunc | None = None) -> Any:
    """An operand of arithmetic as an array, where the other one is; TypeError where a ufunc meets two devices."""
    if not admitted:
        return value if isinstance(value, StandIn) else np.asarray(value)
    if type(value) in admitted:
        if ufunc is not None:
            together(ufunc, (other, value), NO_PARAMETERS)
        return value
    return beside(value if isinstance(value, StandIn) else np.asarray(value), other)


def is_operand(value: Any) -> bool:
    """Whether arithmetic takes the value: a node, an array of numbers, a number, or nested lists of numbers."""
    if isinstance(value, SCALAR_OR_STAND_IN) or type(value) in (np.ndarray, np.memmap):  # np.matrix has other operators
        return value.dtype.kind in "fciub"
    if type(value) in admitted:
        return value.dtype.kind in "fciub"
    if isinstance(value, list | tuple):
        return all(is_operand(v) and not isinstance(v, Node) for v in value)
    return isinstance(value, Node | float | int | complex)
