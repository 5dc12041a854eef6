"""Adaptive pooling: the number of windows is given, for images of any size.

Of n elements along an axis and m windows, window i has those from floor(i n / m) to ceil((i + 1) n / m), as in PyTorch.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

import autodiff as ad
from nn.checked import array, whole
from nn.functional.pooling import max_pool1d, max_pool2d, max_pool3d
from nn.functional.windows import Sizes, misshapen

Wanted = int | None | Sequence[int | None]


def adaptive_avg_pool1d(x: Any, output_size: Wanted) -> Any:
    """adaptive_avg_pool2d of signals, of shape (batch, channels, length).

    >>> F.adaptive_avg_pool1d(np.arange(6.0).reshape(1, 1, 6), 2)
    array([[[1., 4.]]])
    """
    return _mean("adaptive_avg_pool1d", x, output_size)


def adaptive_avg_pool2d(x: Any, output_size: Wanted) -> Any:
    """Average pooling to a given size: the mean of each of `output_size` windows of each channel.

    Parameters
    ----------
    x : images, of shape (batch, channels, height, width), or one of shape (channels, height, width)
    output_size : an int, or a pair (rows, columns); None for as many as x has. 1 is the mean of the whole image

    Raises ValueError for images of another shape or without a pixel, TypeError for numbers that are not real.

    >>> F.adaptive_avg_pool2d(np.ones((8, 3, 7, 5)), 1).shape
    (8, 3, 1, 1)
    """
    return _mean("adaptive_avg_pool2d", x, output_size)


def adaptive_avg_pool3d(x: Any, output_size: Wanted) -> Any:
    """adaptive_avg_pool2d of volumes, of shape (batch, channels, depth, height, width).

    >>> F.adaptive_avg_pool3d(np.ones((1, 2, 4, 6, 8)), (2, 3, 4)).shape
    (1, 2, 2, 3, 4)
    """
    return _mean("adaptive_avg_pool3d", x, output_size)


def adaptive_max_pool1d(x: Any, output_size: Wanted, return_indices: bool = False) -> Any:
    """adaptive_max_pool2d of signals, of shape (batch, channels, length).

    >>> F.adaptive_max_pool1d(np.array([[[1.0, 3.0, 2.0, 0.0]]]), 2)
    array([[[3., 2.]]])
    """
    return _highest("adaptive_max_pool1d", x, output_size, return_indices)


def adaptive_max_pool2d(x: Any, output_size: Wanted, return_indices: bool = False) -> Any:
    """Maximum pooling to a given size: the maximum of each of `output_size` windows of each channel.

    With `return_indices` it gives (result, indices): the places of the maxima in each channel's image, numbered row
    after row. The derivative goes to the maximum; if several elements are equal, to the first in reading order. The
    rest is as in adaptive_avg_pool2d.

    >>> F.adaptive_max_pool2d(np.arange(16.0).reshape(1, 1, 4, 4), 2)
    array([[[[ 5.,  7.],
             [13., 15.]]]])
    """
    return _highest("adaptive_max_pool2d", x, output_size, return_indices)


def adaptive_max_pool3d(x: Any, output_size: Wanted, return_indices: bool = False) -> Any:
    """adaptive_max_pool2d of volumes, of shape (batch, channels, depth, height, width).

    >>> F.adaptive_max_pool3d(np.ones((1, 2, 4, 4, 4)), 2).shape
    (1, 2, 2, 2, 2)
    """
    return _highest("adaptive_max_pool3d", x, output_size, return_indices)


def _mean(name: str, x: Any, output_size: Wanted) -> Any:
    x, counts = _prepared(name, x, output_size)
    for axis, count in enumerate(counts, x.ndim - len(counts)):
        n = x.shape[axis]
        if count == n:
            continue
        if n % count == 0:  # windows of one size, side by side
            x = np.mean(np.reshape(x, (*x.shape[:axis], count, n // count, *x.shape[axis + 1 :])), axis=axis + 1)
        else:
            x = np.stack([np.mean(x[_at(axis, a, b)], axis=axis) for a, b in _bounds(n, count)], axis=axis)
    return x


def _highest(name: str, x: Any, output_size: Wanted, return_indices: bool) -> Any:
    x, counts = _prepared(name, x, output_size)
    lengths = x.shape[-len(counts) :]
    if not return_indices and not any(n % count for n, count in zip(lengths, counts, strict=True)):
        windows = tuple(n // count for n, count in zip(lengths, counts, strict=True))
        return (max_pool1d, max_pool2d, max_pool3d)[len(counts) - 1](x, windows)
    pixels = np.reshape(x, (*x.shape[: -len(counts)], math.prod(lengths)))
    plain = ad.stop_gradient(pixels)
    numbers = ad.devices.arange(math.prod(lengths), like=plain).reshape(lengths)
    places = []
    for window in itertools.product(*map(_bounds, lengths, counts)):
        inside = numbers[tuple(slice(a, b) for a, b in window)].ravel()
        highest = np.argmax(plain[..., inside], axis=-1)[..., None]
        places.append(np.take_along_axis(np.broadcast_to(inside, (*plain.shape[:-1], len(inside))), highest, axis=-1))
    found = np.concatenate(places, axis=-1)
    y = np.reshape(np.take_along_axis(pixels, found, axis=-1), (*pixels.shape[:-1], *counts))
    return (y, found.reshape(y.shape)) if return_indices else y


@functools.lru_cache(maxsize=256)
def _bounds(n: int, count: int) -> list[tuple[int, int]]:
    """The begin and the end of each window."""
    return [(k * n // count, -(-(k + 1) * n // count)) for k in range(count)]


def _at(axis: int, start: int, stop: int) -> tuple[slice, ...]:
    return (*(slice(None) for _ in range(axis)), slice(start, stop))


def _prepared(name: str, x: Any, output_size: Wanted) -> tuple[Any, Sizes]:
    axes = int(name[-2])
    x = array(x)
    if x.dtype.kind not in "fiub":
        raise TypeError(f"{name} takes real numbers; received dtype {x.dtype}. Pass two channels for complex ones.")
    if x.ndim not in (axes + 1, axes + 2):
        raise misshapen(name, x.shape, axes)
    if not min(x.shape[-axes:]):
        raise ValueError(f"{name} takes images of at least one pixel; received shape {x.shape}.")
    given = output_size if isinstance(output_size, tuple | list) else (output_size,) * axes
    if len(given) != axes:
        raise ValueError(f"{name}'s output_size is an int, or {axes} of them; received {output_size!r:.80}.")
    lengths = x.shape[-axes:]
    counts = tuple(n if m is None else whole(m, f"{name}'s output_size") for m, n in zip(given, lengths, strict=True))
    return x if x.dtype.kind == "f" else x.astype(float), counts
