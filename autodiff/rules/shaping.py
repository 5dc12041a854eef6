"""Rules of the functions that move elements about without changing them."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from autodiff.primitive import adjoint, composed, primitive
from autodiff.shapes import unbroadcast


@primitive
def identity(x: Any) -> Any:
    """The same value as a new node: what a transform differentiates with respect to."""
    return x


@primitive
def astype(x: Any, dtype: Any) -> Any:
    """The value in another floating-point type."""
    return x.astype(dtype)


adjoint(identity, lambda g, y, x: g)
adjoint(astype, lambda g, y, x, dtype: g.astype(x.dtype))
adjoint(np.copy, lambda g, y, x: g)


def reshaped(g: Any, y: Any, x: Any, shape: Any = None, order: str = "C") -> Any:
    """The elements back in the places they were read from."""
    if order not in ("C", "F"):
        raise ValueError(f"np.reshape and np.ravel of a Tensor take order 'C' or 'F'; received {order!r}")
    return np.reshape(g, x.shape, order=order)  # type: ignore[call-overload]


adjoint(np.reshape, reshaped)
adjoint(np.ravel, lambda g, y, x, order="C": reshaped(g, y, x, None, order))
adjoint(np.expand_dims, lambda g, y, x, axis: np.reshape(g, x.shape))
adjoint(np.squeeze, lambda g, y, x, axis=None: np.reshape(g, x.shape))
adjoint(np.swapaxes, lambda g, y, x, axis1, axis2: np.swapaxes(g, axis1, axis2))
adjoint(np.broadcast_to, lambda g, y, x, shape: unbroadcast(g, x.shape))


def transposed(g: Any, y: Any, x: Any, axes: Sequence[int] | None = None) -> Any:
    """The axes back in their old order."""
    return np.transpose(g, None if axes is None else np.argsort([k % x.ndim for k in axes]))


adjoint(np.transpose, transposed)


@primitive
def concatenation(*arrays: Any, axis: int | None = 0) -> Any:
    """np.concatenate with its arrays as arguments, so that each is seen."""
    return np.concatenate(arrays, axis=axis)


def section(position: int, g: Any, y: Any, *arrays: Any, axis: int | None = 0) -> Any:
    """The part of g that came from the array at `position`."""
    along = 0 if axis is None else axis
    lengths = [np.size(a) if axis is None else np.shape(a)[along] for a in arrays]
    start = sum(lengths[:position])
    index = (slice(None),) * (along % g.ndim) + (slice(start, start + lengths[position]),)
    return np.reshape(g[index], np.shape(arrays[position]))


adjoint(concatenation, each=section)


@composed(np.concatenate)
def concatenate(arrays: Sequence[Any], axis: int | None = 0) -> Any:
    """np.concatenate, of Tensors and arrays."""
    return concatenation(*arrays, axis=axis)


@composed(np.stack)
def stack(arrays: Sequence[Any], axis: int = 0) -> Any:
    """np.stack, of Tensors and arrays."""
    arrays = list(arrays)
    shapes = {np.shape(a) for a in arrays}
    if len(shapes) != 1:
        raise ValueError(f"np.stack takes arrays of one shape; received the shapes {sorted(shapes)}")
    return concatenation(*(np.expand_dims(a, axis) for a in arrays), axis=axis)
