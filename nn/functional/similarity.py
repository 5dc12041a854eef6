"""Distances and angles between vectors."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from nn.checked import array, real


def normalize(
    x: Any, p: float = 2.0, axis: int | tuple[int, ...] = 1, eps: float = 1e-12, *, dim: int | None = None
) -> Any:
    """x divided by its p-norm along `axis` (PyTorch's name: `dim`); a norm below `eps` counts as `eps`.

    >>> F.normalize(np.array([[3.0, 4.0], [0.0, 2.0]]))
    array([[0.6, 0.8],
           [0. , 1. ]])
    """
    x, eps = _floating(x), real(eps, "normalize: eps")
    length = _norm(x, p, axis if dim is None else dim, "normalize", keepdims=True)
    return x / np.where(np.greater_equal(length, eps), length, eps)


def cosine_similarity(x1: Any, x2: Any, axis: int = 1, eps: float = 1e-8, *, dim: int | None = None) -> Any:
    """The cosine of the angle between vectors, x1 · x2 / (|x1| |x2|), along `axis` (PyTorch's name: `dim`).

    Both are broadcast to one shape. A length below `eps` counts as `eps`.

    >>> F.cosine_similarity(np.array([[1.0, 0.0], [3.0, 4.0]]), np.array([[0.0, 2.0], [3.0, 4.0]]))
    array([0., 1.])
    """
    axis, eps = axis if dim is None else dim, real(eps, "cosine_similarity: eps")
    first, second = _broadcast("cosine_similarity", x1, x2)
    return np.sum(normalize(first, 2.0, axis, eps) * normalize(second, 2.0, axis, eps), axis=axis)


def pairwise_distance(x1: Any, x2: Any, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> Any:
    """The p-norm of x1 - x2 + eps along the last axis; both are broadcast to one shape.

    >>> F.pairwise_distance(np.array([[0.0, 0.0]]), np.array([[3.0, 4.0]])).round(4)
    array([5.])
    """
    first, second = _broadcast("pairwise_distance", x1, x2)
    apart = first - second + real(eps, "pairwise_distance: eps", least=-math.inf)
    return _norm(apart, p, -1, "pairwise_distance", keepdims=keepdim)


def pdist(x: Any, p: float = 2.0) -> Any:
    """The p-norm of the difference of every two rows of x, in the order (0, 1), (0, 2) ... (1, 2) ...

    x has the shape (rows, width), the result (rows (rows - 1) / 2,). Raises ValueError for x of another shape.

    >>> F.pdist(np.array([[0.0, 0.0], [3.0, 4.0], [0.0, 4.0]]))
    array([5., 4., 3.])
    """
    x = _floating(x)
    if x.ndim != 2:
        raise ValueError(f"pdist takes x of shape (rows, width); received shape {x.shape}.")
    first, second = np.triu_indices(len(x), 1)
    return _norm(x[first] - x[second], p, -1, "pdist", keepdims=False)


def _norm(x: Any, p: float, axis: Any, name: str, keepdims: bool) -> Any:
    if not isinstance(p, int | float) or isinstance(p, bool) or math.isnan(p) or p < 0:
        raise ValueError(f"{name}: p is a number from 0, or math.inf; received {p!r:.80}.")
    if not x.ndim:
        raise ValueError(f"{name} takes vectors; received shape (). Write x[None] for one number.")
    return np.linalg.vector_norm(x, axis=axis, ord=p, keepdims=keepdims)


def _floating(x: Any) -> Any:
    x = array(x)
    return x if x.dtype.kind == "f" else x.astype(float)


def _broadcast(name: str, x1: Any, x2: Any) -> tuple[Any, Any]:
    first, second = _floating(x1), _floating(x2)
    try:
        shape = np.broadcast_shapes(first.shape, second.shape)
    except ValueError:
        raise ValueError(
            f"{name} takes two arrays that broadcast to one shape; received shapes {first.shape} and {second.shape}. "
            "To compare each with each, write x1[:, None] and x2[None]."
        ) from None
    return np.broadcast_to(first, shape), np.broadcast_to(second, shape)
