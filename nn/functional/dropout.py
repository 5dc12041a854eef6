"""Dropout."""

from __future__ import annotations

from typing import Any

import numpy as np

import autodiff as ad
from nn import init
from nn.checked import array, real
from nn.functional.windows import misshapen


def dropout(x: Any, p: float = 0.5, training: bool = True, rng: init.Rng = None) -> Any:
    """In training each element by chance 0, with probability p, and otherwise itself / (1 - p); else x as it is.

    So the expected value is x, and evaluation needs no factor ("inverted" dropout; Srivastava et al. 2014).

    Parameters
    ----------
    x : of any shape
    p : from 0 to 1
    rng : a numpy.random.Generator, which is drawn from; an int seed drops the same elements at every call
    """
    x = array(x)
    return _dropped(x, p, training, rng, x.shape, "dropout")


def dropout1d(x: Any, p: float = 0.5, training: bool = True, rng: init.Rng = None) -> Any:
    """dropout2d of signals, of shape (batch, channels, length), or (channels, length)."""
    return _channels("dropout1d", x, p, training, rng)


def dropout2d(x: Any, p: float = 0.5, training: bool = True, rng: init.Rng = None) -> Any:
    """dropout of whole channels, since neighbouring pixels say the same (Tompson et al. 2015).

    x has the shape (batch, channels, height, width), or (channels, height, width). The other parameters are those of
    dropout.
    """
    return _channels("dropout2d", x, p, training, rng)


def dropout3d(x: Any, p: float = 0.5, training: bool = True, rng: init.Rng = None) -> Any:
    """dropout2d of volumes, of shape (batch, channels, depth, height, width), or without the batch."""
    return _channels("dropout3d", x, p, training, rng)


def _channels(name: str, x: Any, p: float, training: bool, rng: init.Rng) -> Any:
    x, axes = array(x), int(name[-2])
    if x.ndim not in (axes + 1, axes + 2):
        raise misshapen(name, x.shape, axes)
    return _dropped(x, p, training, rng, x.shape[:-axes] + (1,) * axes, name)


def _dropped(x: Any, p: float, training: bool, rng: init.Rng, shape: tuple[int, ...], name: str) -> Any:
    p = real(p, f"{name}: p, the probability of 0,", most=1)
    if not training or p == 0:
        return x
    # An exact Python number and single-precision draws: half the time of double ones, and p exact to 2⁻²⁴.
    kept = drawn(rng, shape, np.float32) >= p
    dtype = x.dtype if x.dtype.kind == "f" else np.dtype(float)
    return x * np.multiply(kept, 1 / (1 - p) if p < 1 else 0.0, dtype=dtype)


def drawn(rng: init.Rng, shape: tuple[int, ...], dtype: Any) -> Any:
    """Numbers from 0 to 1, drawn anew at every call, in programs too; of an int seed always the same."""
    generator = init.generator(rng)
    if rng is None or isinstance(rng, np.random.Generator):
        return ad.effect(_uniform, generator, shape, dtype)
    return generator.random(shape, dtype)


def _uniform(rng: Any, shape: Any, dtype: Any) -> Any:
    return rng.random(shape, dtype)
