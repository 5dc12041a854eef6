"""The file that operators write into, and the simplest operators."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from nn.portable.calls import RefusedError

Operator = Callable[["File", Any], str]


class File(Protocol):
    """The file that an operator writes into; strings are the names of arrays in the file."""

    others: dict[int, Any]  # the node of the other call

    def name(self, operand: Any, like: Any) -> str:
        """The name of a node's operand in the file: a result, an input, or a constant of the node's dtype."""
        raise NotImplementedError

    def integers(self, operand: Any) -> str:
        """The name of an operand of integers."""
        raise NotImplementedError

    def depends(self, operand: Any) -> bool:
        """Whether an operand depends on the input through recorded operations."""
        raise NotImplementedError

    def value(self, operand: Any, broadcast: bool = False) -> Any:
        """The array of an operand that does not depend on the input; with `broadcast` its batch has the length 1."""
        raise NotImplementedError

    def constant(self, array: Any) -> str:
        """The name of a new constant."""
        raise NotImplementedError

    def emit(self, kind: str, *inputs: str, outputs: int = 1, **attributes: Any) -> str:
        """Add an operation and return the name of its first result; the others end in .1 and .2."""
        raise NotImplementedError

    def shape(self, node: Any) -> list[int]:
        """The shape of a node, with -1 for a length that depends on the batch."""
        raise NotImplementedError


def numbers(file: File, *values: int) -> str:
    """Whole numbers, as a constant of one axis."""
    return file.constant(np.array(values, np.int64))


def direct(kind: str, **attributes: Any) -> Operator:
    """An operator that takes the same operands."""
    return lambda file, node: file.emit(kind, *(file.name(operand, node) for operand in node.operands), **attributes)


def along_axis(kind: str) -> Operator:
    """An operator along one axis, by default the last."""
    return lambda file, node: file.emit(kind, file.name(node.operands[0], node), axis=node.parameters.get("axis", -1))


def absent(file: File, node: Any) -> str:
    """Raise RefusedError for an operation that is not in the table."""
    raise RefusedError("it has no counterpart here")


def reshaped(file: File, name: str, shape: list[int], node: Any) -> str:
    """An array in another shape, with -1 for the batch."""
    if shape.count(-1) > 1:
        raise RefusedError(f"its shape {node.shape} depends on the batch in several axes")
    return file.emit("Reshape", name, numbers(file, *shape))


def expanded(file: File, operand: Any, node: Any, partner: str) -> str:
    """An operand repeated along the batch; the array named `partner` has the batch on the same axis."""
    name = file.name(operand, node)
    if file.depends(operand):
        return name
    row = file.value(operand, broadcast=True)
    if row.shape == operand.shape:
        return name
    lengths = [
        numbers(file, n) if n == m else file.emit("Shape", partner, start=axis, end=axis + 1)
        for axis, (n, m) in enumerate(zip(row.shape, operand.shape, strict=True))
    ]
    return file.emit("Expand", name, file.emit("Concat", *lengths, axis=0))
