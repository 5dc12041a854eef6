"""Rules of np.fft. The matrix of a discrete Fourier transform is symmetric, so its transpose is the transform itself.

Where the transform first cuts or pads its argument (n, s), the adjoint is padded with zeros or cut.
"""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from autodiff.engine.devices import arange
from autodiff.engine.table import adjoint, composed, linear
from autodiff.engine.values import Value
from autodiff.rules.indexing import scatter

Norm = Literal["backward", "ortho", "forward"] | None

EXCHANGED: dict[Norm, Norm] = {None: "forward", "backward": "forward", "ortho": "ortho", "forward": "backward"}


def resized(g: Value, length: int, axis: int) -> Value:
    """The array cut, or padded with zeros, to a length along an axis."""
    axis %= g.ndim
    if g.shape[axis] == length:
        return g
    index = (slice(None),) * axis + (slice(min(length, g.shape[axis])),)
    if length < g.shape[axis]:
        return g[index]
    return scatter(g, index=index, shape=(*g.shape[:axis], length, *g.shape[axis + 1 :]))


def fft_adjoint(g: Value, y: Value, a: Value, n: int | None = None, axis: int = -1, norm: Norm = None) -> Value:
    """The transform of g."""
    return resized(np.fft.fft(g, axis=axis, norm=norm), a.shape[axis], axis)


def ifft_adjoint(g: Value, y: Value, a: Value, n: int | None = None, axis: int = -1, norm: Norm = None) -> Value:
    """The inverse transform of g."""
    return resized(np.fft.ifft(g, axis=axis, norm=norm), a.shape[axis], axis)


def rfft_adjoint(g: Value, y: Value, a: Value, n: int | None = None, axis: int = -1, norm: Norm = None) -> Value:
    """The transform of g. The half of the spectrum that rfft leaves out has the adjoint 0."""
    n = a.shape[axis] if n is None else n
    return resized(np.real(np.fft.fft(g, n, axis=axis, norm=norm)), a.shape[axis], axis)


def irfft_adjoint(g: Value, y: Value, a: Value, n: int | None = None, axis: int = -1, norm: Norm = None) -> Value:
    """The transform of g. An element that stands for two frequencies, its own and the conjugate one, counts twice."""
    half = np.fft.ihfft(g, axis=axis, norm=norm)
    frequencies = arange(half.shape[axis], like=g)
    counted = 2 - ((frequencies == 0) | (2 * frequencies == g.shape[axis]))
    counted = np.reshape(counted, [-1 if k == axis % g.ndim else 1 for k in range(g.ndim)]).astype(g.dtype)
    return resized(half * counted, a.shape[axis], axis)


adjoint(np.fft.fft, fft_adjoint)
adjoint(np.fft.ifft, ifft_adjoint)
adjoint(np.fft.rfft, rfft_adjoint)
adjoint(np.fft.irfft, irfft_adjoint)
adjoint(np.fft.fftshift, lambda g, y, x, axes=None: np.fft.ifftshift(g, axes))
adjoint(np.fft.ifftshift, lambda g, y, x, axes=None: np.fft.fftshift(g, axes))
linear(np.fft.fft, np.fft.ifft, np.fft.rfft, np.fft.irfft, np.fft.fftshift, np.fft.ifftshift)


@composed(np.fft.hfft)
def hfft(a: Value, n: int | None = None, axis: int = -1, norm: Norm = None) -> Value:
    """np.fft.hfft: the transform, real, of an array with Hermitian symmetry."""
    return np.fft.irfft(np.conj(a), n, axis=axis, norm=EXCHANGED[norm])


@composed(np.fft.ihfft)
def ihfft(a: Value, n: int | None = None, axis: int = -1, norm: Norm = None) -> Value:
    """np.fft.ihfft: the inverse of hfft."""
    return np.conj(np.fft.rfft(a, n, axis=axis, norm=EXCHANGED[norm]))


# -- several axes: one after the other, the last first ----------------------------------------------------------

Sizes = Sequence[int | None] | None


def sizes(a: Value, s: Sizes, axes: Sequence[int] | None) -> list[tuple[int | None, int]]:
    """The length (None for the array's own) and the axis of each transform."""
    if axes is None:
        axes = range(a.ndim) if s is None else range(a.ndim - len(s), a.ndim)
    lengths = [None] * len(axes) if s is None else [a.shape[k] if n == -1 else n for n, k in zip(s, axes, strict=True)]
    return list(zip(lengths, axes, strict=True))


def over_axes(transform: Any, a: Value, pairs: list[tuple[int | None, int]], norm: Norm) -> Value:
    """The transform along each of the axes."""
    for n, axis in reversed(pairs):
        a = transform(a, n, axis=axis, norm=norm)
    return a


@composed(np.fft.fftn)
def fftn(a: Value, s: Sizes = None, axes: Sequence[int] | None = None, norm: Norm = None) -> Value:
    """np.fft.fftn."""
    return over_axes(np.fft.fft, a, sizes(a, s, axes), norm)


@composed(np.fft.ifftn)
def ifftn(a: Value, s: Sizes = None, axes: Sequence[int] | None = None, norm: Norm = None) -> Value:
    """np.fft.ifftn."""
    return over_axes(np.fft.ifft, a, sizes(a, s, axes), norm)


@composed(np.fft.rfftn)
def rfftn(a: Value, s: Sizes = None, axes: Sequence[int] | None = None, norm: Norm = None) -> Value:
    """np.fft.rfftn: real along the last axis."""
    *rest, (n, axis) = sizes(a, s, axes)
    return over_axes(np.fft.fft, np.fft.rfft(a, n, axis=axis, norm=norm), rest, norm)


@composed(np.fft.irfftn)
def irfftn(a: Value, s: Sizes = None, axes: Sequence[int] | None = None, norm: Norm = None) -> Value:
    """np.fft.irfftn: real along the last axis."""
    *rest, (n, axis) = sizes(a, s, axes)
    return np.fft.irfft(over_axes(np.fft.ifft, a, rest, norm), n, axis=axis, norm=norm)


@composed(np.fft.fft2)
def fft2(a: Value, s: Sizes = None, axes: Sequence[int] = (-2, -1), norm: Norm = None) -> Value:
    """np.fft.fft2."""
    return fftn(a, s, axes, norm)


@composed(np.fft.ifft2)
def ifft2(a: Value, s: Sizes = None, axes: Sequence[int] = (-2, -1), norm: Norm = None) -> Value:
    """np.fft.ifft2."""
    return ifftn(a, s, axes, norm)


@composed(np.fft.rfft2)
def rfft2(a: Value, s: Sizes = None, axes: Sequence[int] = (-2, -1), norm: Norm = None) -> Value:
    """np.fft.rfft2."""
    return rfftn(a, s, axes, norm)


@composed(np.fft.irfft2)
def irfft2(a: Value, s: Sizes = None, axes: Sequence[int] = (-2, -1), norm: Norm = None) -> Value:
    """np.fft.irfft2."""
    return irfftn(a, s, axes, norm)
