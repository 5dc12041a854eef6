"""Batch and layer normalisation, each as one primitive with an adjoint rule.

With z = x - mean, r = 1 / √(mean z² + eps) and y = z r w + b, and means over the values normalised together:

    adjoint of w = sum of g z r,    of b = sum of g,    of x = r (h - mean h - z r mean(h z r)) with h = g w

(Ioffe & Szegedy 2015, section 3). The rule takes z and the factors from the forward pass. A recorded pass, which can be
differentiated again, uses the steps of nn.functional.normalisation.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

import autodiff as ad
from nn.functional import loops
from nn.functional.cached import SUMMED, ones, row_products, row_sum
from nn.functional.steps import (
    along,
    called,
    centred,
    channel_sums,
    mean_squares,
    normalising,
    per_channel,
    scaled,
    standardised,
)

Array = npt.NDArray[Any]


class Kept:
    """The values that the forward pass keeps for the adjoint rule, and the result that they belong to."""

    __slots__ = ("mean", "rest", "result", "root", "scale", "variance")

    result: Any
    rest: Any  # z
    root: Any  # r
    scale: Any  # r w
    mean: Any
    variance: Any

    def __init__(self) -> None:
        self.result = None


@ad.primitive
def layer_normalised(x: Any, weight: Any, bias: Any, *, eps: float, kept: Any = None) -> Any:
    """The rows of a matrix, normalised, times the weights, plus the biases; weights and biases may be None."""
    kept = Kept() if kept is None else kept
    kept.result, kept.rest, kept.root, kept.scale = layer_parts(x, weight, bias, eps)
    return kept.result


@ad.primitive
def layer_parts(x: Any, weight: Any, bias: Any, eps: Any) -> Any:
    """The normalised rows, z, the root r and r w."""
    features = x.shape[1]
    rest = x - (np.dot(x, ones(features, x)) / features)[:, None]
    root = 1 / np.sqrt(row_products(rest, rest) / features + eps)
    scale = root[:, None] if weight is None else np.dot(root[:, None], weight[None])
    y = rest * scale
    if bias is not None:
        y += bias
    return y, rest, root, scale


@ad.primitive
def batch_normalised(x: Any, weight: Any, bias: Any, *, eps: float, kept: Any = None) -> Any:
    """The channels (axis 1), normalised, times their weights, plus their biases; weights and biases may be None."""
    kept = Kept() if kept is None else kept
    found = batch_parts(x, weight, bias, eps)
    kept.result, kept.rest, kept.root, kept.scale, kept.mean, kept.variance = found
    return kept.result


@ad.primitive
def batch_parts(x: Any, weight: Any, bias: Any, eps: Any) -> Any:
    """The normalised channels, z, the root r, r w, the means and the variances."""
    count = per_channel(x)
    mean = channel_sums(x) / count
    rest = x - along(mean, x)
    y = rest * rest
    variance = channel_sums(y) / count
    root = 1 / np.sqrt(variance + eps)
    scale = root if weight is None else root * weight
    np.multiply(rest, along(scale, x), out=y)
    if bias is not None:
        y += along(bias, x)
    return y, rest, root, scale, mean, variance


def _layer_adjoints(g: Any, y: Any, x: Any, weight: Any, bias: Any, *, eps: float, kept: Any = None) -> list[Any]:
    if _recorded(g, y, x, weight, bias):
        return _through(lambda x, w, b: layer_steps(x, w, b, eps), g, x, weight, bias)
    kept = _of(y, kept, layer_normalised, x, weight, bias, eps)
    of_x, of_weight, of_bias = layer_slopes(g, kept.rest, kept.root, kept.scale, weight)
    return [of_x, None if weight is None else of_weight, None if bias is None else of_bias]


def _layer_terms(g: Any, rest: Any, root: Any, weight: Any) -> tuple[Any, Any, Any, Any]:
    """g times `rest`; the adjoint of the weights; and for each row the share of `rest` and the number to subtract."""
    features = g.shape[1]
    weights = ones(features, g) if weight is None else weight
    product = g * rest
    of_weight = np.dot(root, product) if len(g) <= SUMMED else row_sum(product * root[:, None])
    share = np.dot(product, weights) * (root * root * root) / features
    shift = np.dot(g, weights) * root / features
    return product, of_weight, share, shift


@ad.primitive
def layer_slopes(g: Any, rest: Any, root: Any, scale: Any, weight: Any) -> Any:
    """The adjoints of x, the weights and the biases."""
    product, of_weight, share, shift = _layer_terms(g, rest, root, weight)
    of_x = np.multiply(g, scale, out=product)
    of_x -= rest * share[:, None]
    of_x -= shift[:, None]
    return of_x, of_weight, row_sum(g)


def _batch_adjoints(g: Any, y: Any, x: Any, weight: Any, bias: Any, *, eps: float, kept: Any = None) -> list[Any]:
    if _recorded(g, y, x, weight, bias):
        return _through(lambda x, w, b: batch_steps(x, w, b, eps), g, x, weight, bias)
    kept = _of(y, kept, batch_normalised, x, weight, bias, eps)
    of_x, of_weight, of_bias = batch_slopes(g, kept.rest, kept.root, kept.scale)
    return [of_x, None if weight is None else of_weight, None if bias is None else of_bias]


@ad.primitive
def batch_slopes(g: Any, rest: Any, root: Any, scale: Any) -> Any:
    """The adjoints of x, the weights and the biases."""
    x, count = rest, per_channel(rest)
    of_x = g * rest
    of_weight, of_bias = channel_sums(of_x) * root, channel_sums(g)
    np.multiply(rest, along(of_weight * root / count, x), out=of_x)
    np.subtract(g, of_x, out=of_x)
    of_x -= along(of_bias / count, x)
    of_x *= along(scale, x)
    return of_x, of_weight, of_bias


def layer_steps(x: Any, weight: Any, bias: Any, eps: float) -> Any:
    """Layer normalisation of the rows of a matrix, step by step."""
    y = standardised(centred(x, axis=0), eps=eps)
    if weight is not None:
        return scaled(y, weight, bias)
    return y if bias is None else y + bias


def batch_steps(x: Any, weight: Any, bias: Any, eps: float) -> Any:
    """Batch normalisation in training, step by step."""
    rest = centred(x)
    return scaled(rest, normalising(mean_squares(rest), weight, eps=eps), bias)


def _recorded(*values: Any) -> bool:
    return any(isinstance(v, ad.Tensor) for v in values)


def _of(y: Any, kept: Any, function: Callable[..., Any], x: Any, weight: Any, bias: Any, eps: float) -> Any:
    """The values that were kept for this result, or, if there are none, the same values computed again."""
    if kept is None or kept.result is not y:
        kept = Kept()
        function(x, weight, bias, eps=eps, kept=kept)
    return kept


def _through(steps: Callable[..., Any], g: Any, *arguments: Any) -> list[Any]:
    """The adjoints computed through the steps; None for arguments that are None."""
    given = [k for k, v in enumerate(arguments) if v is not None]

    def taken(*values: Any) -> Any:
        full = dict(zip(given, values, strict=True))
        return steps(*(full.get(k) for k in range(len(arguments))))

    _, pullback = ad.vjp(taken, *(arguments[k] for k in given))
    found = dict(zip(given, pullback(g), strict=True))
    return [found.get(k) for k in range(len(arguments))]


def _written_layer_parts(x: Any, weight: Any, bias: Any, eps: Any) -> Any:
    features = x.shape[1]
    rest = x - (np.dot(x, ones(features, x)) / features)[:, None]
    here = ad.devices.place(rest) == ad.devices.HOST  # devices' modules may have no np.vecdot
    squares = np.vecdot(rest, rest) if here else np.sum(rest * rest, axis=1)
    root = 1 / np.sqrt(squares / features + eps)
    scale = root[:, None] if weight is None else np.dot(root[:, None], weight[None])
    y = rest * scale
    return y if bias is None else y + bias, rest, root, scale


def _written_layer_slopes(g: Any, rest: Any, root: Any, scale: Any, weight: Any) -> Any:
    _, of_weight, share, shift = _layer_terms(g, rest, root, weight)
    return g * scale - rest * share[:, None] - shift[:, None], of_weight, row_sum(g)


def _written_batch_parts(x: Any, weight: Any, bias: Any, eps: Any) -> Any:
    if x.ndim > 2:  # an image's axes may have another memory order after a convolution
        return NotImplemented
    mean = row_sum(x) / len(x)
    rest = x - mean
    variance = row_sum(rest * rest) / len(x)
    root = 1 / np.sqrt(variance + eps)
    scale = root if weight is None else root * weight
    y = rest * scale
    return y if bias is None else y + bias, rest, root, scale, mean, variance


def _written_batch_slopes(g: Any, rest: Any, root: Any, scale: Any) -> Any:
    if g.ndim > 2:
        return NotImplemented
    of_weight, of_bias = row_sum(g * rest) * root, row_sum(g)
    return (g - rest * (of_weight * root / len(g)) - of_bias / len(g)) * scale, of_weight, of_bias


ad.lowered(layer_parts, _written_layer_parts)
ad.looped(layer_parts, loops.layer_parts)
ad.lowered(layer_slopes, _written_layer_slopes)
ad.looped(layer_slopes, loops.layer_slopes)
ad.lowered(batch_parts, _written_batch_parts)
ad.looped(batch_parts, loops.batch_parts, fits=lambda x, *others: len(x.shape) == 2)
ad.lowered(batch_slopes, _written_batch_slopes)
ad.looped(batch_slopes, loops.batch_slopes, fits=lambda g, *others: len(g.shape) == 2)
ad.adjoint(layer_normalised, together=_layer_adjoints)
ad.adjoint(batch_normalised, together=_batch_adjoints)
ad.written(layer_normalised, partial(called, "layer_norm"))
ad.written(batch_normalised, partial(called, "batch_norm"))
