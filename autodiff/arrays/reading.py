"""The graph for readers: every Tensor that a result depends on, and the shares that operations add in reverse."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy.typing as npt

from autodiff.arrays.tensor import Tensor
from autodiff.engine.graph import ancestors
from autodiff.engine.reverse import conjugated, contribution


def graph(y: Tensor) -> list[Tensor]:
    """Every Tensor that y depends on, y included: leaves, then results in the order of recording.

    `is_leaf`, `operation`, `operands`, `scopes`, `value` and `name` of each Tensor say where it came from. Raises
    TypeError if y is no Tensor.

    >>> x = ad.Tensor(2.0, name="x")
    >>> [(t.operation, t.item()) for t in ad.graph(np.square(x) + x)]
    [(None, 2.0), ('square', 4.0), ('add', 6.0)]
    """
    if not isinstance(y, Tensor):
        raise TypeError(f"ad.graph was asked for what a {type(y).__name__} depends on; pass the Tensor it came from.")
    found: list[Any] = list(ancestors(y, shown=True))
    return sorted(found, key=lambda node: node.primitive is not None)


def contributions(y: Tensor, seed: npt.ArrayLike | None = None) -> Iterator[tuple[Tensor, Tensor, Any]]:
    """What every operation adds to the adjoint of each of its operands: (result, operand, array of its shape).

    The sum over all results that have an operand is the operand's adjoint. `seed` is as in `y.adjoints(seed)`.

    >>> x = ad.Tensor(3.0, name="x")
    >>> [share.item() for result, operand, share in ad.contributions(x * x)]
    [3.0, 3.0]
    """
    adjoints = y.adjoints(seed)
    for result in graph(y):
        if result in adjoints:
            for position, operand in enumerate(result.operands):
                share = contribution(result, position, conjugated(adjoints[result]))
                if share is not None:
                    yield result, operand, conjugated(share)
