"""JAX's contestants: a whole training step, or a value with its gradient, as one program (`jax.jit`), float32.

A step's parameters are donated: the program writes the new ones over them. JAX has as many threads as NPROC says.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np


def step(sizes: Sequence[int], images: np.ndarray, labels: np.ndarray, lr: float = 1e-3) -> Callable[[], float]:
    """An Adam step of a perceptron with ReLU on the mean cross-entropy."""
    import jax
    import jax.numpy as jnp

    x, y, rows = jnp.asarray(images), jnp.asarray(labels), jnp.arange(len(labels))

    def loss(layers: Any, x: Any, y: Any) -> Any:
        return -jnp.mean(jax.nn.log_softmax(_outputs(layers, x))[rows, y])

    @functools.partial(jax.jit, donate_argnums=0)
    def one(state: Any, x: Any, y: Any) -> Any:
        layers, means, squares, count = state
        value, slopes = jax.value_and_grad(loss)(layers, x, y)
        count += 1
        means = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, means, slopes)
        squares = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, squares, slopes)
        rate, c = lr / (1 - 0.9**count), jnp.sqrt(1 - 0.999**count)
        layers = jax.tree.map(lambda p, m, v: p - rate * m / (jnp.sqrt(v) / c + 1e-8), layers, means, squares)
        return (layers, means, squares, count), value

    layers = _layers(sizes)
    means, squares = (jax.tree.map(jnp.zeros_like, layers) for _ in range(2))
    return _stepping(one, (layers, means, squares, jnp.zeros(())), x, y)


def demo(sizes: Sequence[int], points: np.ndarray, signs: np.ndarray, lr: float = 0.1) -> Callable[[], float]:
    """A gradient descent step on the mean hinge loss plus a penalty; signs are -1 or 1, of shape (batch, 1)."""
    import jax
    import jax.numpy as jnp

    def loss(layers: Any, x: Any, y: Any) -> Any:
        penalty = sum(jnp.sum(p * p) for p in jax.tree.leaves(layers))
        return jnp.mean(jax.nn.relu(1 - y * _outputs(layers, x))) + 1e-4 * penalty

    @functools.partial(jax.jit, donate_argnums=0)
    def one(layers: Any, x: Any, y: Any) -> Any:
        value, slopes = jax.value_and_grad(loss)(layers, x, y)
        return jax.tree.map(lambda p, g: p - lr * g, layers, slopes), value

    return _stepping(one, _layers(sizes), jnp.asarray(points), jnp.asarray(signs))


def gradient(function: Callable[[Any, Any], Any], array: np.ndarray) -> Callable[[], object]:
    """The value and the gradient of a function of (jax.numpy, x)."""
    import jax
    import jax.numpy as jnp

    x, both = jnp.asarray(array), jax.jit(jax.value_and_grad(functools.partial(function, jnp)))
    return lambda: jax.block_until_ready(both(x))


def _layers(sizes: Sequence[int]) -> Any:
    import jax.numpy as jnp

    rng, f = np.random.default_rng(0), np.float32
    return [
        (jnp.asarray((rng.normal(size=(n, m)) * np.sqrt(2 / n)).astype(f)), jnp.zeros(m, f))
        for n, m in itertools.pairwise(sizes)
    ]


def _outputs(layers: Any, x: Any) -> Any:
    import jax

    for weight, bias in layers[:-1]:
        x = jax.nn.relu(x @ weight + bias)
    weight, bias = layers[-1]
    return x @ weight + bias


def _stepping(one: Callable[..., Any], state: Any, x: Any, y: Any) -> Callable[[], float]:
    def step() -> float:
        nonlocal state
        state, value = one(state, x, y)
        return float(value)

    return step
