"""Primitives of layers and losses as loops over elements, for programs whose loops Numba compiles (`fast=True`).

Each function returns the result of the primitive with the same name, up to rounding. `x.dtype.type` converts numbers,
since Numba, unlike NumPy, makes a float64 from a float32 and a Python number.
"""

from __future__ import annotations

from typing import Any

import numpy as np


def softmax(logits: Any) -> Any:
    """exp(logits) / sum exp(logits) along the rows."""
    rows, classes = logits.shape
    e = np.empty((rows, classes), logits.dtype)
    for i in range(rows):
        highest = logits[i, 0]
        for j in range(1, classes):
            highest = max(highest, logits[i, j])
        total = logits.dtype.type(0)
        for j in range(classes):
            e[i, j] = np.exp(logits[i, j] - highest)
            total += e[i, j]
        for j in range(classes):
            e[i, j] /= total
    return e


def mean_cross_entropy(logits: Any, labels: Any, probabilities: Any) -> Any:
    """The mean of -ln softmax(logits)[label], given the softmax."""
    rows, classes = logits.shape
    found = np.zeros((), logits.dtype)
    for i in range(rows):
        picked = probabilities[i, labels[i]]
        if picked > 1e-30:
            found[()] -= np.log(picked)
        else:  # the probability underflowed
            top = 0
            for j in range(1, classes):
                if logits[i, j] > logits[i, top]:
                    top = j
            found[()] += logits[i, top] - logits[i, labels[i]] - np.log(probabilities[i, top])
    found[()] /= rows
    return found


def cross_entropy_slope(g: Any, labels: Any, probabilities: Any) -> Any:
    """The adjoint of the logits for the adjoint g of their mean cross-entropy."""
    rows, classes = probabilities.shape
    e = np.empty((rows, classes), probabilities.dtype)
    share = probabilities.dtype.type(g / rows)
    for i in range(rows):
        for j in range(classes):
            e[i, j] = probabilities[i, j] * share
        e[i, labels[i]] -= share
    return e


def layer_parts(x: Any, weight: Any, bias: Any, eps: Any) -> Any:
    """The normalised rows, z, the root r and r w."""
    rows, features = x.shape
    y, rest = np.empty((rows, features), x.dtype), np.empty((rows, features), x.dtype)
    root, scale = np.empty(rows, x.dtype), np.empty((rows, 1 if weight is None else features), x.dtype)
    for i in range(rows):
        total = x.dtype.type(0)
        for j in range(features):
            total += x[i, j]
        mean = x.dtype.type(total / features)
        squares = x.dtype.type(0)
        for j in range(features):
            rest[i, j] = x[i, j] - mean
            squares += rest[i, j] * rest[i, j]
        r = root[i] = x.dtype.type(1 / np.sqrt(x.dtype.type(squares / features + eps)))
        if weight is None:
            scale[i, 0] = r
            for j in range(features):
                y[i, j] = rest[i, j] * r
        else:
            for j in range(features):
                scale[i, j] = r * weight[j]
                y[i, j] = rest[i, j] * scale[i, j]
        if bias is not None:
            for j in range(features):
                y[i, j] += bias[j]
    return y, rest, root, scale


def layer_slopes(g: Any, rest: Any, root: Any, scale: Any, weight: Any) -> Any:
    """The adjoints of x, the weights and the biases."""
    rows, features = g.shape
    of_x, of_weight, of_bias = (
        np.empty((rows, features), g.dtype),
        np.zeros(features, g.dtype),
        np.zeros(features, g.dtype),
    )
    for i in range(rows):
        r = root[i]
        along, shift = g.dtype.type(0), g.dtype.type(0)
        for j in range(features):
            product = g[i, j] * rest[i, j]
            of_weight[j] += product * r
            of_bias[j] += g[i, j]
            h = g[i, j] if weight is None else g[i, j] * weight[j]
            along += h * rest[i, j]
            shift += h
        along = g.dtype.type(along * r * r * r / features)
        shift = g.dtype.type(shift * r / features)
        for j in range(features):
            s = scale[i, 0] if weight is None else scale[i, j]
            of_x[i, j] = g[i, j] * s - rest[i, j] * along - shift
    return of_x, of_weight, of_bias


def batch_parts(x: Any, weight: Any, bias: Any, eps: Any) -> Any:
    """The normalised columns, z, the root r, r w, the means and the variances."""
    rows, features = x.shape
    y, rest = np.empty((rows, features), x.dtype), np.empty((rows, features), x.dtype)
    mean, variance = np.zeros(features, x.dtype), np.zeros(features, x.dtype)
    root, scale = np.empty(features, x.dtype), np.empty(features, x.dtype)
    for i in range(rows):
        for j in range(features):
            mean[j] += x[i, j]
    for j in range(features):
        mean[j] /= rows
    for i in range(rows):
        for j in range(features):
            z = x[i, j] - mean[j]
            rest[i, j] = z
            variance[j] += z * z
    for j in range(features):
        variance[j] /= rows
        root[j] = 1 / np.sqrt(x.dtype.type(variance[j] + eps))
        scale[j] = root[j] if weight is None else root[j] * weight[j]
    for i in range(rows):
        for j in range(features):
            y[i, j] = rest[i, j] * scale[j]
            if bias is not None:
                y[i, j] += bias[j]
    return y, rest, root, scale, mean, variance


def batch_slopes(g: Any, rest: Any, root: Any, scale: Any) -> Any:
    """The adjoints of x, the weights and the biases."""
    rows, features = g.shape
    of_x, of_weight, of_bias = (
        np.empty((rows, features), g.dtype),
        np.zeros(features, g.dtype),
        np.zeros(features, g.dtype),
    )
    for i in range(rows):
        for j in range(features):
            of_weight[j] += g[i, j] * rest[i, j]
            of_bias[j] += g[i, j]
    along, shift = np.empty(features, g.dtype), np.empty(features, g.dtype)
    for j in range(features):
        of_weight[j] *= root[j]
        along[j], shift[j] = of_weight[j] * root[j] / rows, of_bias[j] / rows
    for i in range(rows):
        for j in range(features):
            of_x[i, j] = (g[i, j] - rest[i, j] * along[j] - shift[j]) * scale[j]
    return of_x, of_weight, of_bias
