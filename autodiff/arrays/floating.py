"""What a Tensor holds: a number or an array from outside as a raw array of floating-point numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from autodiff.engine import devices
from autodiff.engine.graph import Node, described
from autodiff.engine.stand_in import StandIn


def floating(value: Any, dtype: npt.DTypeLike | None = None, what: str = "a Tensor") -> Any:
    """A copy of `value` as a raw floating-point array or scalar; Python ints become floats.

    Raises TypeError for values that have no derivative: integer and boolean arrays, strings, objects.
    """
    if isinstance(value, Node):
        raise TypeError(
            f"{what} was asked for of {described(value)}: it is one already. "
            "ad.stop_gradient(t) gives its value as a constant."
        )
    if isinstance(value, np.ndarray) and type(value) not in (np.ndarray, np.memmap):
        kind = type(value).__name__
        raise TypeError(f"{what} holds a plain array; received a {kind}, which means more: pass np.asarray(it).")
    device = None if type(value) is np.ndarray else devices.of(value)
    if device is not None and not isinstance(value, StandIn):
        array = devices.copied(value) if dtype is None else value.astype(dtype)
    else:
        array = np.array(float(value) if type(value) is int else value, dtype=dtype)
    if array.dtype.kind not in "fc":
        if array.dtype.kind in "iu" and not isinstance(value, np.ndarray | np.generic):
            array = array.astype(np.float64)
        else:
            hint = "convert it with dtype=float" if array.dtype.kind in "iub" else "pass floating-point numbers"
            raise TypeError(
                f"{what} holds floating-point numbers; received an array of shape {array.shape} and dtype "
                f"{array.dtype}. Only those have derivatives: {hint}, or leave it a plain array, which is a constant."
            )
    return array if array.ndim or device is not None else array[()]
