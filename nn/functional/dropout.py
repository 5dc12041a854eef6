"""Dropout."""

from __future__ import annotations

from typing import Any

import numpy as np

import autodiff as ad
from nn import init
from nn.checked import real


def dropout(x: Any, p: float = 0.5, training: bool = True, rng: init.Rng = None) -> Any:
    """In training each element by chance 0, with probability p, and otherwise itself / (1 - p); else x as it is.

    So the expected value is x, and evaluation needs no factor ("inverted" dropout; Srivastava et al. 2014).

    Parameters
    ----------
    x : of any shape
    p : from 0 to 1
    rng : a numpy.random.Generator, which is drawn from; an int seed drops the same elements at every call
    """
    p = real(p, "dropout: p, the probability of 0,", most=1)
    if not isinstance(x, ad.Tensor):
        x = np.asarray(x)
    if not training or p == 0:
        return x
    # An exact Python number and single-precision draws: half the time of double ones, and p exact to 2⁻²⁴.
    kept = init.generator(rng).random(x.shape, np.float32) >= p
    dtype = x.dtype if x.dtype.kind == "f" else np.dtype(float)
    return x * np.multiply(kept, 1 / (1 - p) if p < 1 else 0.0, dtype=dtype)
