"""Dropout."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import autodiff as ad
from nn import init
from nn.checked import array, real
from nn.functional.windows import misshapen


def dropout(x: Any, p: float = 0.5, training: bool = True, rng: init.Rng = None) -> Any:
    """In training, each element is set to 0 with probability p and divided by 1 - p otherwise; else x itself.

    So the expected value is x, and evaluation needs no factor ("inverted" dropout; Srivastava et al. 2014).

    Parameters
    ----------
    x : of any shape
    p : from 0 to 1
    rng : a numpy.random.Generator, which is drawn from; an int seed drops the same elements at every call. Of x on a
        device the numbers are drawn on the host and moved, so that a seed gives the same on every device; a generator
        of the device's library, such as cupy.random.default_rng(0), draws there, which is faster

    >>> F.dropout(np.ones(6), 0.5, rng=0)
    array([2., 2., 2., 0., 0., 0.])
    >>> F.dropout(np.ones(6), 0.5, training=False)
    array([1., 1., 1., 1., 1., 1.])
    """
    x = array(x)
    return _dropped(x, p, training, rng, x.shape, "dropout")


def dropout1d(x: Any, p: float = 0.5, training: bool = True, rng: init.Rng = None) -> Any:
    """dropout2d of signals, of shape (batch, channels, length), or (channels, length).

    >>> F.dropout1d(np.ones((1, 3, 2)), 0.5, rng=1)
    array([[[0., 0.],
            [2., 2.],
            [2., 2.]]])
    """
    return _channels("dropout1d", x, p, training, rng)


def dropout2d(x: Any, p: float = 0.5, training: bool = True, rng: init.Rng = None) -> Any:
    """dropout of whole channels, because neighbouring pixels are similar (Tompson et al. 2015).

    x has the shape (batch, channels, height, width), or (channels, height, width). The other parameters are those of
    dropout.

    >>> F.dropout2d(np.ones((1, 2, 2, 2)), 0.5, rng=1)
    array([[[[0., 0.],
             [0., 0.]],
    <BLANKLINE>
            [[2., 2.],
             [2., 2.]]]])
    """
    return _channels("dropout2d", x, p, training, rng)


def dropout3d(x: Any, p: float = 0.5, training: bool = True, rng: init.Rng = None) -> Any:
    """dropout2d of volumes, of shape (batch, channels, depth, height, width), or without the batch.

    >>> F.dropout3d(np.ones((2, 4, 3, 3, 3)), 0.25, rng=0).shape
    (2, 4, 3, 3, 3)
    """
    return _channels("dropout3d", x, p, training, rng)


def alpha_dropout(x: Any, p: float = 0.5, training: bool = False, rng: init.Rng = None) -> Any:
    """dropout for selu: dropped elements become selu's lowest value, then all are scaled and shifted.

    Elements with mean 0 and variance 1 keep both. x has any shape; `training` is off by default, as in PyTorch.
    Source: Klambauer et al. 2017, section "New dropout technique".

    >>> F.alpha_dropout(np.ones(4), 0.5, training=True, rng=0).round(4)
    array([ 1.6656,  1.6656,  1.6656, -0.7792])
    """
    x = array(x)
    return _to_lowest(x, p, training, rng, x.shape, "alpha_dropout")


def feature_alpha_dropout(x: Any, p: float = 0.5, training: bool = False, rng: init.Rng = None) -> Any:
    """alpha_dropout of whole channels, of x of shape (batch, channels, ...); ValueError for fewer axes.

    >>> F.feature_alpha_dropout(np.zeros((1, 3, 2)), 0.5, training=True, rng=1).round(2)
    array([[[-0.78, -0.78],
            [ 0.78,  0.78],
            [ 0.78,  0.78]]])
    """
    x = array(x)
    if x.ndim < 2:
        raise ValueError(f"feature_alpha_dropout takes x of shape (batch, channels, ...); received shape {x.shape}.")
    return _to_lowest(x, p, training, rng, x.shape[:2] + (1,) * (x.ndim - 2), "feature_alpha_dropout")


_LOWEST = -1.7580993408473766  # of selu


def _to_lowest(x: Any, p: float, training: bool, rng: init.Rng, shape: tuple[int, ...], name: str) -> Any:
    p = real(p, f"{name}: p, the probability of being dropped,", most=1)
    if not training or p == 0:
        return x
    if p == 1:
        return x * 0.0
    dtype = x.dtype if x.dtype.kind == "f" else np.dtype(float)
    kept = drawn(rng, shape, np.float32) >= p
    scale = float(((1 - p) * (1 + p * _LOWEST**2)) ** -0.5)
    mask = np.multiply(kept, scale, dtype=dtype)
    return x * mask + ((scale - mask) * _LOWEST - scale * p * _LOWEST)


def _channels(name: str, x: Any, p: float, training: bool, rng: init.Rng) -> Any:
    x, axes = array(x), int(name[-2])
    if x.ndim not in (axes + 1, axes + 2):
        raise misshapen(name, x.shape, axes)
    return _dropped(x, p, training, rng, x.shape[:-axes] + (1,) * axes, name)


def _dropped(x: Any, p: float, training: bool, rng: init.Rng, shape: tuple[int, ...], name: str) -> Any:
    p = real(p, f"{name}: p, the probability of 0,", most=1)
    if not training or p == 0:
        return x
    # Draws in single precision take half the time of double ones; p is exact to 2⁻²⁴.
    kept = drawn(rng, shape, np.float32) >= p
    dtype = x.dtype if x.dtype.kind == "f" else np.dtype(float)
    return x * ad.devices.beside(np.multiply(kept, 1 / (1 - p) if p < 1 else 0.0, dtype=dtype), x)


def uniform(rng: Any, shape: Any, dtype: Any) -> Any:
    """Numbers from 0 to 1."""
    return rng.random(shape, dtype)


def drawn(rng: init.Rng, shape: tuple[int, ...], dtype: Any, how: Callable[..., Any] = uniform) -> Any:
    """Numbers of a distribution, drawn anew at every call, in programs too; of an int seed always the same."""
    generator = source(rng)
    if rng is None or generator is rng:
        return ad.effect(how, generator, shape, dtype)
    return how(generator, shape, dtype)


def source(rng: Any) -> Any:
    """The generator that `rng` stands for; one of a device's is itself, and draws there."""
    return rng if ad.devices.draws(rng) else init.generator(rng)
