"""A multi-layer perceptron's Adam step as one would write it in NumPy for speed: the limit for a program made of it.

Parameters, adjoints and moments are one vector each; every array is made once, every operation writes into one, and
Adam goes through its vectors in pieces that fit a core's cache.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import numpy as np

PIECE = 2**15  # elements: five such pieces in float32 fit a second cache


def step(sizes: Sequence[int], x: np.ndarray, labels: np.ndarray, lr: float = 1e-3) -> Callable[[], float]:
    """A step that moves parameters of its own: ReLU between the layers, the mean cross-entropy at the end."""
    rng, batch, f = np.random.default_rng(0), len(x), np.float32
    layers = list(itertools.pairwise(sizes))
    total = sum(n * m + m for n, m in layers)
    p, g, m1, m2, s = (np.zeros(total, f) for _ in range(5))
    weights, biases, of_weights, of_biases, at = [], [], [], [], 0
    for n, m in layers:
        for vector, ws, bs in ((p, weights, biases), (g, of_weights, of_biases)):
            ws.append(vector[at : at + n * m].reshape(m, n))
            bs.append(vector[at + n * m : at + n * m + m])
        weights[-1][...] = rng.normal(size=(m, n)) * np.sqrt(2 / n)
        at += n * m + m
    transposed = [w.T for w in weights]
    outs = [np.empty((batch, m), f) for _, m in layers]
    deltas = [np.empty((batch, m), f) for _, m in layers]
    turned = [d.T for d in deltas]
    inputs = [x, *outs[:-1]]
    masks = [np.empty((batch, m), bool) for _, m in layers[:-1]]
    highest, sums, rows = np.empty((batch, 1), f), np.empty((batch, 1), f), np.arange(batch)
    ones, last, count = np.ones(batch, f), len(layers) - 1, 0
    pieces = [tuple(v[k : k + PIECE] for v in (p, g, m1, m2, s)) for k in range(0, total, PIECE)]

    def one() -> float:
        nonlocal count
        for k in range(last + 1):
            np.dot(inputs[k], transposed[k], out=outs[k])
            outs[k] += biases[k]
            if k < last:
                np.maximum(outs[k], 0, out=outs[k])
        e = outs[last]
        np.maximum.reduce(e, axis=1, keepdims=True, out=highest)
        e -= highest
        np.exp(e, out=e)
        np.add.reduce(e, axis=1, keepdims=True, out=sums)
        e /= sums
        loss = -float(np.log(e[rows, labels]).sum()) / batch
        d = deltas[last]
        np.multiply(e, 1 / batch, out=d)
        d[rows, labels] -= f(1 / batch)
        for k in range(last, -1, -1):
            np.dot(turned[k], inputs[k], out=of_weights[k])
            np.dot(ones, deltas[k], out=of_biases[k])
            if k:
                np.dot(deltas[k], weights[k], out=deltas[k - 1])
                np.greater(outs[k - 1], 0, out=masks[k - 1])
                deltas[k - 1] *= masks[k - 1]
        count += 1
        c = ((1 - 0.999) / (1 - 0.999**count)) ** 0.5
        rate, eps = lr * (1 - 0.9) / ((1 - 0.9**count) * c), 1e-8 / c
        for pp, gg, mm, vv, ss in pieces:
            mm *= 0.9
            mm += gg
            vv *= 0.999
            np.multiply(gg, gg, out=ss)
            vv += ss
            np.sqrt(vv, out=ss)
            ss += eps
            np.divide(mm, ss, out=ss)
            ss *= rate
            pp -= ss
        return loss

    return one
