"""Rules of np.convolve and np.correlate: the adjoint of a convolution is a correlation."""

from typing import Any

import numpy as np

from autodiff.engine.table import adjoint, composed, linear
from autodiff.engine.values import Value
from autodiff.rules.indexing import scatter


def unmoved(g: Value, other: Value, length: int, mode: Any) -> Value:
    """The sum of g over all shifts of `other`: the adjoint of the argument of that length."""
    shortest, full = min(length, other.shape[0]), length + other.shape[0] - 1
    start = {"full": 0, "same": (shortest - 1) // 2, "valid": shortest - 1}[mode]
    spread = scatter(g, index=slice(start, start + g.shape[0]), shape=(full,))
    return np.convolve(spread, other[::-1], mode="valid")


adjoint(
    np.convolve,
    lambda g, y, a, v, mode="full": unmoved(g, v, a.shape[0], mode),
    lambda g, y, a, v, mode="full": unmoved(g, a, v.shape[0], mode),
)
linear(np.convolve)


@composed(np.correlate)
def correlate(a: Value, v: Value, mode: Any = "valid") -> Value:
    """np.correlate: the convolution with v conjugated and reversed. The longer array moves over the shorter one."""
    a, v = np.ravel(a), np.ravel(v)
    if a.shape[0] < v.shape[0]:  # NumPy exchanges the two, and reverses the result
        return correlate(np.conj(v) if v.dtype.kind == "c" else v, np.conj(a) if a.dtype.kind == "c" else a, mode)[::-1]
    return np.convolve(a, (np.conj(v) if v.dtype.kind == "c" else v)[::-1], mode=mode)
