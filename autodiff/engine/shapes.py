"""Shape arithmetic for adjoint rules, in plain NumPy: it works on raw arrays and on Tensors."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

Axis = int | Sequence[int] | None


def unbroadcast(g: Any, shape: tuple[int, ...]) -> Any:
    """`g` summed back to `shape`: the adjoint of broadcasting an array of `shape` up to `g.shape`."""
    if g.shape == shape:
        return g
    added = g.ndim - len(shape)
    stretched = tuple(k for k, n in enumerate(shape, added) if n == 1 and k >= 0 and g.shape[k] != 1)
    if added or stretched:
        g = np.sum(g, axis=(*range(added), *stretched))
    return np.reshape(g, shape)


def axes(axis: Axis, ndim: int) -> tuple[int, ...]:
    """The reduced axes as non-negative numbers; all axes for None.

    Raises AxisError for an axis that does not exist, ValueError for one that is named twice.
    """
    if axis is None:
        return tuple(range(ndim))
    if not ndim and axis in (0, -1):  # NumPy accepts these for a 0-d array
        return ()
    listed = (axis,) if isinstance(axis, int | np.integer) else axis
    for k in listed:
        if not -ndim <= k < ndim:
            raise np.exceptions.AxisError(k, ndim)
    found = tuple(int(k) % ndim for k in listed)
    if len(set(found)) != len(found):
        raise ValueError(f"repeated axis: {tuple(listed)} names an axis of an array with {ndim} axes twice.")
    return found


def keepdims_shape(shape: tuple[int, ...], axis: Axis) -> tuple[int, ...]:
    """The shape of a reduction over `axis` with keepdims=True."""
    reduced = axes(axis, len(shape))
    return tuple(1 if k in reduced else n for k, n in enumerate(shape))


def count(shape: tuple[int, ...], axis: Axis) -> int:
    """The number of elements that each element of a reduction over `axis` sums up."""
    return math.prod(shape[k] for k in axes(axis, len(shape)))


def restore(g: Any, shape: tuple[int, ...], axis: Axis) -> Any:
    """`g`, of the size of a reduction's result, broadcast back over the reduced axes: the adjoint of a sum."""
    return np.broadcast_to(g if axis is None else np.reshape(g, keepdims_shape(shape, axis)), shape)
