"""Checks of arguments for all functions of this package, and the error for a missing name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autodiff.rules.arguments import array


def floating(value: Any) -> Any:
    """A Tensor or an array of floating-point or complex numbers unchanged; integers and lists as float64."""
    found = array(value)
    return found if found.dtype.kind in "fc" else found.astype(np.float64)


def like(value: Any, x: Any) -> Any:
    """A Python number in the dtype of x, so that it does not widen x; anything else as from `floating`."""
    if isinstance(value, int | float) and not isinstance(value, np.generic):
        return x.dtype.type(value)
    return floating(value)


def absent(module: str, name: str, names: Sequence[str]) -> AttributeError:
    """The error for a name that SciPy may have and this package does not have."""
    return AttributeError(
        f"autodiff.scipy.{module} has no {name!r}; it has {', '.join(names)}. scipy.{module} takes plain arrays, "
        "tensor.value; to differentiate through its function, make it a primitive with ad.primitive and ad.adjoint."
    )


def each_matrix(function: Callable[..., Any], *arrays: Any) -> Any:
    """A function of matrices, called for every matrix of the batches (the axes before the last two), broadcast.

    The result has the shape of the last array's matrices. A vector is shared by the whole batch.
    """
    batch = np.broadcast_shapes(*(x.shape[:-2] for x in arrays))
    if not batch:
        return function(*arrays)
    core = arrays[-1].shape[-2:]
    spread = [np.broadcast_to(x, batch + x.shape[-2:]) for x in arrays]
    found = [function(*(x[k] for x in spread)) for k in np.ndindex(batch)]
    return np.reshape(np.asarray(found, None if found else np.result_type(*arrays)), batch + core)
