"""Leaf Tensors that hold other values for a while."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from autodiff.arrays.tensor import Tensor
from autodiff.engine.graph import described


@contextmanager
def holding(tensors: Sequence[Tensor], values: Sequence[Any]) -> Iterator[None]:
    """A context in which leaf Tensors hold other values of the same shapes; it turns their function into one of arrays.

    >>> w = ad.Tensor(np.ones(3))
    >>> @ad.compile
    ... def loss(value, x):
    ...     with ad.holding([w], [value]):
    ...         return np.sum(w * x).value
    """
    before = [tensor.primal for tensor in tensors]
    for tensor, value in zip(tensors, values, strict=True):
        if tensor.primitive is not None or value.shape != tensor.shape:
            raise TypeError(
                f"ad.holding takes leaf Tensors and values of their shapes; received {described(tensor)} and a value "
                f"of shape {value.shape}."
            )
    try:
        for tensor, value in zip(tensors, values, strict=True):
            tensor.primal = value
        yield
    finally:
        for tensor, value in zip(tensors, before, strict=True):
            tensor.primal = value
