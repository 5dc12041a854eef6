"""Images made larger or smaller, and pixels exchanged with channels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

import autodiff as ad
from nn.checked import array, real, whole
from nn.functional import adaptive
from nn.functional.windows import AXES, Sizes, by

Array = npt.NDArray[Any]
LINEAR = {"linear": 1, "bilinear": 2, "trilinear": 3}
SHARPNESS = -0.75  # the free parameter of the cubic kernel (Keys 1981), as in PyTorch


def interpolate(
    x: Any,
    size: int | Sizes | None = None,
    scale_factor: float | Sequence[float] | None = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool = False,
) -> Any:
    """Images resized: each axis is sampled at evenly spaced places, with interpolation between its elements.

    Parameters
    ----------
    x : of shape (batch, channels, length), (batch, channels, height, width) or with a depth before
    size : the new lengths, an int or one for each axis; or instead of it
    scale_factor : a factor of the lengths; the products are rounded down
    mode : "nearest" takes the element at or before the place, "nearest-exact" the nearest one; "linear", "bilinear" and
        "trilinear", for one, two and three axes, take the weighted mean of the two neighbours along each axis;
        "bicubic" of four neighbours; "area" the means of adaptive_avg_pool
    align_corners : for the linear modes and bicubic: whether the centres of the first and last elements of x and of the
        result coincide; otherwise their outer edges do
    recompute_scale_factor : whether to use the ratio of the lengths if the scaled lengths were rounded

    Raises ValueError for both or neither of size and scale_factor, and for modes that do not go with x's shape.

    >>> x = np.array([[[0.0, 4.0]]])
    >>> F.interpolate(x, scale_factor=2)
    array([[[0., 0., 4., 4.]]])
    >>> F.interpolate(x, size=5, mode="linear", align_corners=True)
    array([[[0., 1., 2., 3., 4.]]])
    """
    x = array(x)
    axes = x.ndim - 2
    if axes not in AXES or not min(x.shape[2:]):
        raise ValueError(
            f"interpolate takes x of shape (batch, channels, length), (batch, channels, height, width) or with a depth "
            f"before, none of them 0; received shape {x.shape}. A single image is x[None]."
        )
    if x.dtype.kind != "f":
        x = x.astype(float)
    cubic = mode == "bicubic" and axes == 2
    if not cubic and LINEAR.get(mode, axes if mode in ("nearest", "nearest-exact", "area") else None) != axes:
        raise ValueError(
            "interpolate's mode is 'nearest', 'nearest-exact' or 'area', or 'linear', 'bilinear' or 'bicubic', or "
            f"'trilinear' for one, two or three axes; received {mode!r:.80} for x of shape {x.shape}."
        )
    if align_corners is not None and not cubic and mode not in LINEAR:
        raise ValueError(f"interpolate's align_corners is for linear and cubic modes; received it with mode={mode!r}.")
    lengths, factors = _lengths(x.shape[2:], size, scale_factor)
    if mode == "area":
        return getattr(adaptive, f"adaptive_avg_pool{axes}d")(x, lengths)
    for k, (length, factor) in enumerate(zip(lengths, factors, strict=True)):
        n = x.shape[k + 2]
        ratio = n / length if factor is None or recompute_scale_factor else 1 / factor
        if (length == n and mode in LINEAR) or (length in (n, 2 * n) and mode == "nearest" and axes == 2):
            ratio = n / length  # even if a factor was given, as in PyTorch
        places, weights = _taps(n, length, ratio, "cubic" if cubic else mode, bool(align_corners))
        x = resampled(x, axis=k + 2, places=places, weights=weights)
    return x


def _lengths(given: Sizes, size: Any, scale_factor: Any) -> tuple[Sizes, list[float | None]]:
    """The new lengths, and the factors of the old ones if they were given."""
    axes = len(given)
    if (size is None) == (scale_factor is None):
        raise ValueError(
            f"interpolate takes a size or a scale_factor, one of the two; received size={size!r:.80} and scale_factor="
            f"{scale_factor!r:.80}. Write scale_factor=2."
        )
    asked = scale_factor if size is None else size
    asked = list(asked) if isinstance(asked, tuple | list) else [asked] * axes
    if len(asked) != axes:
        raise ValueError(f"interpolate takes one number for each of {axes} axes; received {asked!r:.80}.")
    if size is not None:
        return tuple(whole(n, "interpolate's size") for n in asked), [None] * axes
    factors = [real(factor, "interpolate's scale_factor", above=True) for factor in asked]
    lengths = tuple(math.floor(n * factor) for n, factor in zip(given, factors, strict=True))
    if min(lengths) < 1:
        raise ValueError(f"interpolate's scale_factor leaves no pixel of {by(given)}; received {scale_factor!r:.80}.")
    return lengths, list(factors)


def _taps(n: int, length: int, ratio: float, mode: str, align_corners: bool) -> tuple[Array, Array]:
    """The places where an axis of n elements is read for each new element, and their weights: each (taps, length)."""
    k = np.arange(length)
    if mode.startswith("nearest"):
        places = np.floor((k + (0.5 if mode == "nearest-exact" else 0)) * ratio).astype(int)
        return np.minimum(places, n - 1)[None], np.ones((1, length))
    between = (n - 1) / (length - 1) if length > 1 else 0.0
    at = k * between if align_corners else (k + 0.5) * ratio - 0.5
    if mode == "cubic":
        before = np.floor(at).astype(int)
        offsets = np.arange(-1, 3)[:, None]
        return np.clip(before + offsets, 0, n - 1), _cubic(np.abs(at - before - offsets))
    at = np.clip(at, 0, n - 1)
    before = np.floor(at).astype(int)
    return np.stack([before, np.minimum(before + 1, n - 1)]), np.stack([1 - (at - before), at - before])


def _cubic(distance: Array) -> Array:
    """The weight of an element at a distance below 2 (Keys 1981, equation 4)."""
    a, d = SHARPNESS, distance
    near, far = ((a + 2) * d - (a + 3)) * d * d + 1, ((a * d - 5 * a) * d + 8 * a) * d - 4 * a
    return np.where(d <= 1, near, far)


@ad.primitive
def resampled(x: Any, axis: int, places: Array, weights: Array) -> Any:
    """The weighted sums of x's elements at the places along an axis."""
    shape = (-1,) + (1,) * (x.ndim - 1 - axis)
    parts = zip(places, weights.astype(x.dtype), strict=True)
    if len(places) == 1:
        return np.take(x, places[0], axis=axis)
    return sum(np.take(x, place, axis=axis) * weight.reshape(shape) for place, weight in parts)


def _adjoint(g: Any, y: Any, x: Any, axis: int = 0, places: Any = None, weights: Any = None) -> Any:
    matrix = ad.devices.zeros((places.shape[1], x.shape[axis]), g.dtype, like=places)
    rows = ad.devices.arange(places.shape[1], like=places)
    ad.devices.add_at(matrix, (np.broadcast_to(rows, places.shape), places), weights.astype(g.dtype))
    return np.moveaxis(np.matmul(np.moveaxis(g, axis, -1), matrix), -1, axis)


ad.adjoint(resampled, _adjoint)
ad.written(resampled, "interpolate a")


def pixel_shuffle(x: Any, upscale_factor: int) -> Any:
    """Channels as pixels: (..., channels r², height, width) becomes (..., channels, height r, width r).

    Source: Shi et al. 2016, equation 4.

    >>> F.pixel_shuffle(np.arange(4.0).reshape(1, 4, 1, 1), 2)
    array([[[[0., 1.],
             [2., 3.]]]])
    """
    r = whole(upscale_factor, "pixel_shuffle's upscale_factor")
    shape = np.shape(x)
    if len(shape) < 3 or shape[-3] % r**2:
        raise ValueError(
            f"pixel_shuffle takes x of shape (..., channels r², height, width); received shape {shape} and r={r}. "
            f"Let the layer before have {r**2} times as many channels."
        )
    *batch, channels, height, width = shape
    axes = len(batch)
    parts = np.reshape(x, (*batch, channels // r**2, r, r, height, width))
    order = (*range(axes), *(axes + k for k in (0, 3, 1, 4, 2)))
    return np.reshape(np.transpose(parts, order), (*batch, channels // r**2, height * r, width * r))


def pixel_unshuffle(x: Any, downscale_factor: int) -> Any:
    """Pixels as channels: (..., channels, height r, width r) becomes (..., channels r², height, width).

    >>> F.pixel_unshuffle(np.zeros((1, 1, 8, 8)), 2).shape
    (1, 4, 4, 4)
    """
    r = whole(downscale_factor, "pixel_unshuffle's downscale_factor")
    shape = np.shape(x)
    if len(shape) < 3 or shape[-1] % r or shape[-2] % r:
        raise ValueError(
            f"pixel_unshuffle takes x of shape (..., channels, height r, width r); received shape {shape} and r={r}. "
            "Pad it with F.pad."
        )
    *batch, channels, height, width = shape
    axes = len(batch)
    parts = np.reshape(x, (*batch, channels, height // r, r, width // r, r))
    order = (*range(axes), *(axes + k for k in (0, 2, 4, 1, 3)))
    return np.reshape(np.transpose(parts, order), (*batch, channels * r**2, height // r, width // r))
