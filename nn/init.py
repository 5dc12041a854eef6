"""Initial values of parameters: plain arrays, drawn from a random generator that is passed in.

`shape` is a weight's: (out, in), and for convolutions (out, in, *kernel). With fan_in the number of inputs that
one unit sums, and fan_out the number of units that one input reaches:

    Xavier   variance 2 / (fan_in + fan_out)   keeps variances through linear and tanh layers (Glorot & Bengio 2010)
    He       variance 2 / fan_in               keeps variances through ReLU layers (He et al. 2015)
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Rng = np.random.Generator | int | None
Array = npt.NDArray[Any]
Shape = Sequence[int]


def generator(rng: Rng) -> np.random.Generator:
    """The generator that `rng` stands for: itself, one seeded with an int, or a freshly seeded one for None."""
    if isinstance(rng, np.random.Generator):
        return rng
    if rng is None or (isinstance(rng, int | np.integer) and not isinstance(rng, bool) and rng >= 0):
        return np.random.default_rng(rng)
    raise TypeError(
        f"rng is a numpy.random.Generator, a seed (an int from 0), or None; received {rng!r:.80}. "
        "Write rng=0, or rng=np.random.default_rng(0) to share one generator."
    )


def zeros(shape: Shape, rng: Rng = None, dtype: npt.DTypeLike = np.float32) -> Array:
    """Zeros: right for biases, never for the weights of two layers (units that start alike stay alike)."""
    return np.zeros(shape, floating(dtype))


def ones(shape: Shape, rng: Rng = None, dtype: npt.DTypeLike = np.float32) -> Array:
    """Ones: the scale of a normalisation."""
    return np.ones(shape, floating(dtype))


def xavier_uniform(shape: Shape, rng: Rng = None, dtype: npt.DTypeLike = np.float32) -> Array:
    """Uniform in ±sqrt(6 / (fan_in + fan_out))."""
    fan_in, fan_out = fans(shape)
    return _uniform(shape, math.sqrt(6 / (fan_in + fan_out)), rng, dtype)


def xavier_normal(shape: Shape, rng: Rng = None, dtype: npt.DTypeLike = np.float32) -> Array:
    """Normal of standard deviation sqrt(2 / (fan_in + fan_out))."""
    fan_in, fan_out = fans(shape)
    return _normal(shape, math.sqrt(2 / (fan_in + fan_out)), rng, dtype)


def he_uniform(shape: Shape, rng: Rng = None, dtype: npt.DTypeLike = np.float32) -> Array:
    """Uniform in ±sqrt(6 / fan_in)."""
    return _uniform(shape, math.sqrt(6 / fans(shape)[0]), rng, dtype)


def he_normal(shape: Shape, rng: Rng = None, dtype: npt.DTypeLike = np.float32) -> Array:
    """Normal of standard deviation sqrt(2 / fan_in)."""
    return _normal(shape, math.sqrt(2 / fans(shape)[0]), rng, dtype)


def fans(shape: Shape) -> tuple[int, int]:
    """(fan_in, fan_out) of a weight of this shape."""
    if len(shape) < 2 or min(shape) < 1:
        raise ValueError(
            f"Xavier and He scale by a weight's inputs and outputs; received shape {tuple(shape)}. "
            "Pass (out, in), both at least 1; biases start at zeros."
        )
    field = math.prod(shape[2:])
    return shape[1] * field, shape[0] * field


def floating(dtype: npt.DTypeLike) -> np.dtype[Any]:
    """A dtype that parameters can have."""
    try:
        asked = np.dtype(dtype)
    except TypeError:
        raise TypeError(
            f"parameters are float32 or float64; received dtype={dtype!r}. Write dtype=np.float32."
        ) from None
    if asked not in (np.float32, np.float64):
        raise TypeError(f"parameters are float32 or float64; received dtype={asked}. Write dtype=np.float32.")
    return asked


def _uniform(shape: Shape, bound: float, rng: Rng, dtype: npt.DTypeLike) -> Array:
    kind = floating(dtype)
    return (generator(rng).uniform(-bound, bound, tuple(shape))).astype(kind, copy=False)


def _normal(shape: Shape, deviation: float, rng: Rng, dtype: npt.DTypeLike) -> Array:
    kind = floating(dtype)
    return (deviation * generator(rng).standard_normal(tuple(shape))).astype(kind, copy=False)
