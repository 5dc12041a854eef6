"""Batch normalisation of a batch that is divided among several processes, as one primitive with an adjoint rule.

The formulas are those of nn.functional.normalised, with means over the samples of all processes: two sums forward, one
in reverse. The adjoints of weight and bias sum over the samples of this process only, like those of other parameters.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

import autodiff as ad
from nn.functional import across
from nn.functional.steps import along, called, channel_sums, per_channel


class Kept:
    """The values that the forward pass keeps for the rule: z, the root r, r w, and the number of values per channel."""

    count: int
    rest: Any
    root: Any
    scale: Any
    mean: Any
    variance: Any


def with_statistics(x: Any, weight: Any, bias: Any, eps: float) -> tuple[Any, Any, Any]:
    """The normalised x, and the mean and unbiased variance of each channel over all processes."""
    kept = Kept()
    y = batch_synchronised(x, weight, bias, eps=eps, kept=kept)
    return y, kept.mean, kept.variance * (kept.count / max(kept.count - 1, 1))


@ad.primitive
def batch_synchronised(x: Any, weight: Any, bias: Any, *, eps: float, kept: Kept) -> Any:
    """The channels (axis 1), normalised, times their weights, plus their biases; weights and biases may be None."""
    sums = channel_sums(x)
    *totals, count = across.total(np.append(sums.astype(np.float64), per_channel(x)))
    kept.count, kept.mean = round(count), np.array(totals / count, x.dtype)
    kept.rest = x - along(kept.mean, x)
    y = kept.rest * kept.rest
    kept.variance = (across.total(channel_sums(y).astype(np.float64)) / count).astype(x.dtype)
    kept.root = 1 / np.sqrt(kept.variance + eps)
    kept.scale = kept.root if weight is None else kept.root * weight
    np.multiply(kept.rest, along(kept.scale, x), out=y)
    if bias is not None:
        y += along(bias, x)
    return y


def _adjoints(g: Any, y: Any, x: Any, weight: Any, bias: Any, *, eps: float, kept: Kept) -> list[Any]:
    if isinstance(g, ad.Tensor):
        raise NotImplementedError(
            "a second derivative was asked for of a batch normalisation whose batch lies in several processes. Leave "
            "parallel= away, or normalise each sample, with nn.GroupNorm."
        )
    of_x = g * kept.rest
    of_weight, of_bias = channel_sums(of_x) * kept.root, channel_sums(g)
    sums = (across.total(np.stack([of_weight, of_bias]).astype(np.float64)) / kept.count).astype(g.dtype)
    np.multiply(kept.rest, along(sums[0] * kept.root, x), out=of_x)
    np.subtract(g, of_x, out=of_x)
    of_x -= along(sums[1], x)
    of_x *= along(kept.scale, x)
    return [of_x, None if weight is None else of_weight, None if bias is None else of_bias]


ad.adjoint(batch_synchronised, together=_adjoints)
ad.written(batch_synchronised, partial(called, "batch_norm"))
