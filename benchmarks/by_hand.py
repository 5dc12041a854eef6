"""Training steps of multi-layer perceptrons, written by hand in NumPy for speed: the goal for a program.

Parameters, adjoints and moments are one vector each. Every array is allocated once, every operation writes into an
existing array, and Adam works on its vectors in pieces that fit in a core's cache.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import numpy as np

PIECE = 2**15  # elements: five such pieces in float32 fit in a second-level cache


class Perceptron:
    """Layers with ReLU between them, and both passes through them for one batch, float32."""

    def __init__(self, sizes: Sequence[int], x: np.ndarray) -> None:
        rng, batch, f = np.random.default_rng(0), len(x), np.float32
        layers = list(itertools.pairwise(sizes))
        self.size, self.last = sum(n * m + m for n, m in layers), len(layers) - 1
        self.p, self.g = np.zeros(self.size, f), np.zeros(self.size, f)
        self.weights, self.biases, self.of_weights, self.of_biases, at = [], [], [], [], 0
        for n, m in layers:
            for vector, ws, bs in ((self.p, self.weights, self.biases), (self.g, self.of_weights, self.of_biases)):
                ws.append(vector[at : at + n * m].reshape(m, n))
                bs.append(vector[at + n * m : at + n * m + m])
            self.weights[-1][...] = rng.normal(size=(m, n)) * np.sqrt(2 / n)
            at += n * m + m
        self.transposed = [w.T for w in self.weights]
        self.outs = [np.empty((batch, m), f) for _, m in layers]
        self.deltas = [np.empty((batch, m), f) for _, m in layers]
        self.turned = [d.T for d in self.deltas]
        self.inputs = [x, *self.outs[:-1]]
        self.masks = [np.empty((batch, m), bool) for _, m in layers[:-1]]
        self.ones = np.ones(batch, f)

    def forward(self) -> np.ndarray:
        """The output of the last layer."""
        outs = self.outs
        for k in range(self.last + 1):
            np.dot(self.inputs[k], self.transposed[k], out=outs[k])
            outs[k] += self.biases[k]
            if k < self.last:
                np.maximum(outs[k], 0, out=outs[k])
        return outs[self.last]

    def reverse(self) -> None:
        """Compute the adjoints of the parameters from the adjoint of the last layer, which is in deltas[last]."""
        outs, deltas, masks = self.outs, self.deltas, self.masks
        for k in range(self.last, -1, -1):
            np.dot(self.turned[k], self.inputs[k], out=self.of_weights[k])
            np.dot(self.ones, deltas[k], out=self.of_biases[k])
            if k:
                np.dot(deltas[k], self.weights[k], out=deltas[k - 1])
                np.greater(outs[k - 1], 0, out=masks[k - 1])
                deltas[k - 1] *= masks[k - 1]

    def products(self) -> None:
        """Compute only the matrix products of both passes."""
        for k in range(self.last + 1):
            np.dot(self.inputs[k], self.transposed[k], out=self.outs[k])
        for k in range(self.last, -1, -1):
            np.dot(self.turned[k], self.inputs[k], out=self.of_weights[k])
            if k:
                np.dot(self.deltas[k], self.weights[k], out=self.deltas[k - 1])


def products(sizes: Sequence[int], x: np.ndarray) -> Callable[[], object]:
    """A call that does only the matrix products of a step: the time that BLAS needs."""
    net = Perceptron(sizes, x)
    for delta in net.deltas:
        delta[...] = 1e-3  # products of uninitialised memory may be slower
    return net.products


def step(sizes: Sequence[int], x: np.ndarray, labels: np.ndarray, lr: float = 1e-3) -> Callable[[], float]:
    """An Adam step on the mean cross-entropy, which updates parameters of its own."""
    net, batch, f = Perceptron(sizes, x), len(x), np.float32
    m1, m2, s = (np.zeros(net.size, f) for _ in range(3))
    pieces = [tuple(v[k : k + PIECE] for v in (net.p, net.g, m1, m2, s)) for k in range(0, net.size, PIECE)]
    highest, sums, rows = np.empty((batch, 1), f), np.empty((batch, 1), f), np.arange(batch)
    count = 0

    def one() -> float:
        nonlocal count
        e = net.forward()
        np.maximum.reduce(e, axis=1, keepdims=True, out=highest)
        e -= highest
        np.exp(e, out=e)
        np.add.reduce(e, axis=1, keepdims=True, out=sums)
        e /= sums
        loss = -float(np.log(e[rows, labels]).sum()) / batch
        d = net.deltas[net.last]
        np.multiply(e, 1 / batch, out=d)
        d[rows, labels] -= f(1 / batch)
        net.reverse()
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


def demo(
    sizes: Sequence[int], x: np.ndarray, signs: np.ndarray, lr: float = 0.1, penalty: float = 1e-4
) -> Callable[[], float]:
    """A gradient descent step on the mean hinge loss plus a penalty on squares; signs are -1 or 1, (batch, 1)."""
    net, batch = Perceptron(sizes, x), len(x)
    p, g, d = net.p, net.g, net.deltas[net.last]
    margins, missed, share = np.empty_like(signs), np.empty(signs.shape, bool), signs * np.float32(-1 / batch)
    shrink = 1 - 2 * lr * penalty

    def one() -> float:
        np.multiply(net.forward(), signs, out=margins)
        np.subtract(1, margins, out=margins)
        np.greater(margins, 0, out=missed)
        np.multiply(share, missed, out=d)
        np.maximum(margins, 0, out=margins)
        loss = float(margins.sum()) / batch + penalty * float(np.dot(p, p))
        net.reverse()
        np.multiply(p, shrink, out=p)
        np.multiply(g, lr, out=g)
        np.subtract(p, g, out=p)
        return loss

    return one
