"""Unpooling, and pooling by a p-norm."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

import autodiff as ad
from nn.checked import array, real
from nn.functional.pooling import avg_pool1d, avg_pool2d, avg_pool3d
from nn.functional.windows import AXES, Sizes, misshapen, sizes


@ad.primitive
def placed(values: Any, indices: Any, length: int) -> Any:
    """Zeros of this length along the last axis, with the values at the indices."""
    found = np.zeros_like(values, values.dtype, "C", shape=(*values.shape[:-1], length))
    np.put_along_axis(found, indices, values, axis=-1)
    return found


ad.lowered(placed)
ad.adjoint(placed, lambda g, y, values, indices, length: np.take_along_axis(g, indices, axis=-1), None)
ad.written(placed, "max_unpool(a, b)")


def max_unpool2d(
    x: Any,
    indices: Any,
    kernel_size: int | Sizes,
    stride: int | Sizes | None = None,
    padding: int | Sizes = 0,
    output_size: Sizes | None = None,
) -> Any:
    """Images with the maxima of max_pool2d at their old places, and zeros elsewhere.

    Parameters
    ----------
    x, indices : the two results of max_pool2d(..., return_indices=True), each of shape (batch, channels, height,
        width), or without the batch
    kernel_size, stride, padding : as given to max_pool2d
    output_size : the size of the images before max_pool2d, (height, width), or their whole shape; by default
        (height - 1) stride - 2 padding + kernel_size

    Raises ValueError for indices of another shape than x, or beyond the images. Source: Zeiler & Fergus 2014,
    section 2.1.

    >>> maxima, indices = F.max_pool2d(np.array([[[[1.0, 3.0], [2.0, 0.0]]]]), 2, return_indices=True)
    >>> F.max_unpool2d(maxima, indices, 2)
    array([[[[0., 3.],
             [0., 0.]]]])
    """
    return _unpooled("max_unpool2d", x, indices, kernel_size, stride, padding, output_size)


def max_unpool1d(
    x: Any,
    indices: Any,
    kernel_size: int | Sizes,
    stride: int | Sizes | None = None,
    padding: int | Sizes = 0,
    output_size: Sizes | None = None,
) -> Any:
    """max_unpool2d of signals, of shape (batch, channels, length).

    >>> F.max_unpool1d(np.array([[[3.0, 5.0]]]), np.array([[[1, 2]]]), 2)
    array([[[0., 3., 5., 0.]]])
    """
    return _unpooled("max_unpool1d", x, indices, kernel_size, stride, padding, output_size)


def max_unpool3d(
    x: Any,
    indices: Any,
    kernel_size: int | Sizes,
    stride: int | Sizes | None = None,
    padding: int | Sizes = 0,
    output_size: Sizes | None = None,
) -> Any:
    """max_unpool2d of volumes, of shape (batch, channels, depth, height, width).

    >>> F.max_unpool3d(np.array([[[[[7.0]]]]]), np.array([[[[[5]]]]]), 2).ravel()
    array([0., 0., 0., 0., 0., 7., 0., 0.])
    """
    return _unpooled("max_unpool3d", x, indices, kernel_size, stride, padding, output_size)


def _unpooled(name: str, x: Any, indices: Any, kernel_size: Any, stride: Any, padding: Any, output_size: Any) -> Any:
    x, places, axes = array(x), array(indices), int(name[-2])
    if x.ndim not in (axes + 1, axes + 2):
        raise misshapen(name, x.shape, axes)
    kernel = sizes(kernel_size, f"{name}'s kernel_size", axes)
    steps = kernel if stride is None else sizes(stride, f"{name}'s stride", axes)
    around = sizes(padding, f"{name}'s padding", axes, least=0)
    usual = zip(x.shape[-axes:], steps, around, kernel, strict=True)
    size = tuple((n - 1) * step - 2 * border + length for n, step, border, length in usual)
    if output_size is not None:
        size = sizes(tuple(output_size)[-axes:], f"{name}'s output_size", axes)
    count = math.prod(size)
    ad.ask(functools.partial(_check_places, name=name, shape=x.shape, count=count), places)
    before = x.shape[:-axes]
    flat = placed(np.reshape(x, (*before, -1)), places.reshape(*before, -1), length=count)
    return np.reshape(flat, (*before, *size))


def _check_places(places: Any, name: str, shape: tuple[int, ...], count: int) -> None:
    fits = places.shape == shape and places.dtype.kind in "iu"
    if not fits or (places.size and not 0 <= places.min() <= places.max() < count):
        raise ValueError(
            f"{name} takes indices of x's shape, {shape}, from 0 to {count - 1}; received shape {places.shape} and "
            f"dtype {places.dtype}" + (f", from {places.min()} to {places.max()}" if places.size else "") + ". Pass "
            f"those of {name.replace('un', '')}(..., return_indices=True), and its images' output_size."
        )


def lp_pool2d(
    x: Any, norm_type: float, kernel_size: int | Sizes, stride: int | Sizes | None = None, ceil_mode: bool = False
) -> Any:
    """The p-norm of each window of each channel, (Σ xᵖ)^(1/p), with p = norm_type; 0 where the sum is negative.

    x has the shape (batch, channels, height, width), or (channels, height, width); the windows are avg_pool2d's. The
    derivative in a window of zeros is NaN for p = 2, as in PyTorch. Source: Sermanet et al. 2012.

    >>> F.lp_pool2d(np.array([[[[1.0, 5.0], [5.0, 7.0]]]]), 2, kernel_size=2)
    array([[[[10.]]]])
    """
    return _power_mean("lp_pool2d", avg_pool2d, x, norm_type, kernel_size, stride, ceil_mode)


def lp_pool1d(
    x: Any, norm_type: float, kernel_size: int | Sizes, stride: int | Sizes | None = None, ceil_mode: bool = False
) -> Any:
    """lp_pool2d of signals, of shape (batch, channels, length).

    >>> F.lp_pool1d(np.array([[[1.0, 2.0, 3.0]]]), 1, kernel_size=2, stride=1)
    array([[[3., 5.]]])
    """
    return _power_mean("lp_pool1d", avg_pool1d, x, norm_type, kernel_size, stride, ceil_mode)


def lp_pool3d(
    x: Any, norm_type: float, kernel_size: int | Sizes, stride: int | Sizes | None = None, ceil_mode: bool = False
) -> Any:
    """lp_pool2d of volumes, of shape (batch, channels, depth, height, width).

    >>> F.lp_pool3d(np.ones((1, 1, 2, 2, 2)), 3, kernel_size=2)
    array([[[[[2.]]]]])
    """
    return _power_mean("lp_pool3d", avg_pool3d, x, norm_type, kernel_size, stride, ceil_mode)


def _power_mean(
    name: str, pool: Callable[..., Any], x: Any, norm_type: float, kernel_size: Any, stride: Any, ceil_mode: bool
) -> Any:
    p, axes = real(norm_type, f"{name}: norm_type", above=True), int(name[-2])
    x = array(x)
    if x.ndim not in (axes + 1, axes + 2):
        raise misshapen(name, x.shape, axes)
    mean = pool(x**p, kernel_size, stride, 0, ceil_mode)
    count = math.prod(sizes(kernel_size, f"{name}'s kernel_size in {AXES[axes]}", axes))
    return (ad.relu(mean) * float(count)) ** (1 / p)
