"""Functions of scipy.signal: convolution in any number of dimensions."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy

from autodiff.engine.table import adjoint, linear, primitive
from autodiff.scipy.arguments import absent, floating

__all__ = ["convolve"]


def __getattr__(name: str) -> Any:
    raise absent("signal", name, __all__)


@primitive
def convolution(a: Any, b: Any, mode: str = "full", method: str = "auto") -> Any:
    """The full convolution, or the valid part of it, where b lies within a."""
    return scipy.signal.convolve(a, b, mode, method)


def convolution_left(g: Any, y: Any, a: Any, b: Any, mode: str = "full", method: str = "auto") -> Any:
    """āᵢ = Σ gₖ bₖ₋ᵢ, a convolution of g with b turned round: the valid part for a full one, and the other way."""
    return convolution(g, np.flip(b), mode="valid" if mode == "full" else "full", method=method)


def convolution_right(g: Any, y: Any, a: Any, b: Any, mode: str = "full", method: str = "auto") -> Any:
    """The same of a full one; of a valid one b̄ is the valid part of a turned round, convolved with g."""
    if mode == "full":
        return convolution(g, np.flip(a), mode="valid", method=method)
    return convolution(np.flip(a), g, mode="valid", method=method)


adjoint(convolution, convolution_left, convolution_right)
linear(convolution)


def convolve(in1: Any, in2: Any, mode: str = "full", method: str = "auto") -> Any:
    """The convolution Σ in1[i] in2[k − i] of two arrays of as many axes, over all of them.

    Parameters
    ----------
    mode : "full"; "same", its centre in the shape of in1; "valid", where one array, the larger one along every axis,
        covers the other
    method : "direct" for sums, "fft" for Fourier transforms, "auto" for what SciPy takes to be faster
    """
    a, b = floating(in1), floating(in2)
    if mode not in ("full", "same", "valid"):
        raise ValueError(f'convolve takes mode= "full", "same" or "valid"; received {mode!r}')
    if a.ndim != b.ndim:
        raise ValueError(f"convolve takes two arrays of as many axes; received the shapes {a.shape} and {b.shape}.")
    if not a.ndim:
        return a * b
    if not (a.size and b.size):
        raise ValueError(f"convolve was called with an array of no elements; received the shapes {a.shape}, {b.shape}.")
    chosen = {} if method == "auto" else {"method": method}
    if mode == "valid":
        if any(n < m for n, m in zip(a.shape, b.shape, strict=True)):
            a, b = b, a
        if any(n < m for n, m in zip(a.shape, b.shape, strict=True)):
            raise ValueError(
                f'convolve with mode="valid" takes one array that is at least as long as the other along every axis; '
                f"received the shapes {np.shape(in1)} and {np.shape(in2)}."
            )
        return convolution(a, b, mode=mode, **chosen)
    full = convolution(a, b, **chosen)
    return full if mode == "full" else centre(full, a.shape)


def centre(full: Any, shape: tuple[int, ...]) -> Any:
    """The part of that shape in the middle, the earlier one of two."""
    starts = [(n - m) // 2 for n, m in zip(full.shape, shape, strict=True)]
    return full[tuple(slice(s, s + m) for s, m in zip(starts, shape, strict=True))]
