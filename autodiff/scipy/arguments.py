"""Checks of arguments that all functions of this package share, and the error for a name that is not here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autodiff.rules.arguments import array


def floating(value: Any) -> Any:
    """A Tensor or an array of floating-point or complex numbers as it is; integers and lists as float64."""
    found = array(value)
    return found if found.dtype.kind in "fc" else found.astype(np.float64)


def like(value: Any, x: Any) -> Any:
    """A Python number in the dtype of x, which it does not widen; anything else as `floating` gives it."""
    if isinstance(value, int | float) and not isinstance(value, np.generic):
        return x.dtype.type(value)
    return floating(value)


def absent(module: str, name: str, names: Sequence[str]) -> AttributeError:
    """The refusal of a name that SciPy may have and this package has not."""
    return AttributeError(
        f"autodiff.scipy.{module} has no {name!r}; it has {', '.join(names)}. scipy.{module} takes plain arrays, "
        "tensor.value; to differentiate through its function, make it a primitive with ad.primitive and ad.adjoint."
    )


def each_matrix(function: Callable[..., Any], *arrays: Any) -> Any:
    """A function of matrices, called for every matrix of the batches (the axes before the last two), broadcast.

    The result has the shape of the last array's matrices. A vector is the same one for the whole batch.
    """
    batch = np.broadcast_shapes(*(x.shape[:-2] for x in arrays))
    if not batch:
        return function(*arrays)
    core = arrays[-1].shape[-2:]
    spread = [np.broadcast_to(x, batch + x.shape[-2:]) for x in arrays]
    found = [function(*(x[k] for x in spread)) for k in np.ndindex(batch)]
    return np.reshape(np.asarray(found, None if found else np.result_type(*arrays)), batch + core)
