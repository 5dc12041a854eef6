"""Python's operators on nodes. They record directly, because tight loops mostly use operators.

(NumPy's mixin would call a ufunc and `__array_ufunc__` for each, at twice the cost.) On raw NumPy scalars Python's
operator is quicker than the ufunc; on arrays they are the same.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from autodiff.engine.devices import admitted, beside, together
from autodiff.engine.graph import NOT_RETAINED, Node, current_scope, next_serial
from autodiff.engine.recording import NO_PARAMETERS, as_operand, is_operand, recorded
from autodiff.engine.table import table
from autodiff.rules.contraction import matmul

_new = object.__new__
_read_scope = current_scope.get
_common = frozenset({float, int, bool, complex, np.float64, np.float32, np.int64, np.bool_})


def _binary(ufunc: np.ufunc, compute: Callable[[Any, Any], Any]) -> tuple[Callable[..., Any], Callable[..., Any]]:
    primitive = table[ufunc]
    primitive.operator = True

    def forward(self: Node, other: Any) -> Any:
        kind = type(self)
        if type(other) is kind:
            if admitted:
                together(ufunc, (self, other), NO_PARAMETERS)
            primal = compute(self.primal, other.primal)
        elif type(other) in _common:
            primal = compute(self.primal, other)
        elif is_operand(other):
            other = as_operand(other, self, ufunc)
            primal = compute(self.primal, other)
        else:
            return NotImplemented
        scope = _read_scope()
        if scope is None:
            return primal
        node = _new(kind)  # as in `recorded`; calling it would cost a quarter of a scalar sum
        node.primal = primal
        node.primitive = primitive
        node.arguments = (self, other)
        node.parameters = NO_PARAMETERS
        node.scope = scope
        node.serial = next_serial()
        node.name = None
        node.retained = NOT_RETAINED
        return node

    def reflected(self: Node, other: Any) -> Any:
        if type(other) not in _common:
            if not is_operand(other):
                return NotImplemented
            other = as_operand(other, self, ufunc)
        primal = compute(other, self.primal)
        if type(primal) is complex:  # Python's complex numbers treat a float64 as a Python float
            primal = np.complex128(primal)
        scope = _read_scope()
        return primal if scope is None else recorded(type(self), primitive, primal, (other, self), NO_PARAMETERS, scope)

    return forward, reflected


def _unary(ufunc: np.ufunc, compute: Callable[[Any], Any]) -> Callable[[Any], Any]:
    primitive = table[ufunc]
    primitive.operator = True

    def forward(self: Node) -> Any:
        primal = compute(self.primal)
        scope = _read_scope()
        return primal if scope is None else recorded(type(self), primitive, primal, (self,), NO_PARAMETERS, scope)

    return forward


def _constant(compute: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def forward(self: Node, other: Any) -> Any:
        return compute(self.primal, other.primal if isinstance(other, Node) else beside(other, self))

    return forward


class Operators:
    """Arithmetic, which is recorded, and comparisons, which give plain boolean arrays."""

    __slots__ = ()

    __add__, __radd__ = _binary(np.add, operator.add)
    __sub__, __rsub__ = _binary(np.subtract, operator.sub)
    __mul__, __rmul__ = _binary(np.multiply, operator.mul)
    __truediv__, __rtruediv__ = _binary(np.divide, operator.truediv)
    __pow__, __rpow__ = _binary(np.power, operator.pow)
    __matmul__, __rmatmul__ = _binary(np.matmul, matmul)
    __mod__, __rmod__ = _binary(np.remainder, operator.mod)
    __neg__ = _unary(np.negative, operator.neg)
    __pos__ = _unary(np.positive, operator.pos)
    __abs__ = _unary(np.absolute, operator.abs)
    __eq__ = _constant(operator.eq)
    __ne__ = _constant(operator.ne)
    __lt__ = _constant(operator.lt)
    __le__ = _constant(operator.le)
    __gt__ = _constant(operator.gt)
    __ge__ = _constant(operator.ge)
    __floordiv__ = _constant(operator.floordiv)
    __rfloordiv__ = _constant(lambda a, b: operator.floordiv(b, a))

    def __divmod__(self, other: Any) -> Any:
        return self // other, self % other

    def __rdivmod__(self, other: Any) -> Any:
        return other // self, other % self

    __hash__ = object.__hash__  # by identity, since == gives arrays
