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
    """The full convolution, or its valid part, where b lies inside a."""
    return scipy.signal.convolve(a, b, mode, method)


def convolution_left(g: Any, y: Any, a: Any, b: Any, mode: str = "full", method: str = "auto") -> Any:
    """āᵢ = Σ gₖ bₖ₋ᵢ, a convolution of g with b reversed: valid if the convolution is full, full if it is valid."""
    return convolution(g, np.flip(b), mode="valid" if mode == "full" else "full", method=method)


def convolution_right(g: Any, y: Any, a: Any, b: Any, mode: str = "full", method: str = "auto") -> Any:
    """As `convolution_left` if the convolution is full; if valid, b̄ is the valid convolution of a reversed with g."""
    if mode == "full":
        return convolution(g, np.flip(a), mode="valid", method=method)
    return convolution(np.flip(a), g, mode="valid", method=method)


adjoint(convolution, convolution_left, convolution_right)
linear(convolution)


def convolve(in1: Any, in2: Any, mode: str = "full", method: str = "auto") -> Any:
    """The convolution Σ in1[i] in2[k − i] of two arrays with the same number of axes, over all axes.

    Parameters
    ----------
    mode : "full"; "same", its centre in the shape of in1; "valid", the part where the larger array, which must be
        larger along every axis, covers the other
    method : "direct" for sums, "fft" for Fourier transforms, "auto" for the one that SciPy expects to be faster

    >>> from autodiff.scipy import signal
    >>> signal.convolve(np.array([1.0, 2.0]), np.array([1.0, 1.0]))
    array([1., 3., 2.])
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
    """The part of that shape in the middle; if two are equally central, the first one."""
    starts = [(n - m) // 2 for n, m in zip(full.shape, shape, strict=True)]
    return full[tuple(slice(s, s + m) for s, m in zip(starts, shape, strict=True))]
