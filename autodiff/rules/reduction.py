"""Rules of the reductions: what one number takes from many, its adjoint gives back to them.

Elements that tie for a maximum or minimum share its adjoint equally.
"""

from typing import Any

import numpy as np

from autodiff.primitive import adjoint, composed
from autodiff.shapes import Axis, axes, count, kept, restore

adjoint(np.sum, lambda g, y, x, axis=None, keepdims=False: restore(g, x.shape, axis))
adjoint(np.mean, lambda g, y, x, axis=None, keepdims=False: restore(g / count(x.shape, axis), x.shape, axis))


def extremal(g: Any, y: Any, x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """The adjoint shared equally among the elements equal to the extreme one."""
    shape = kept(x.shape, axis)
    winners = np.equal(x, np.reshape(y, shape))
    share = winners / np.sum(winners, axis=axes(axis, x.ndim), keepdims=True)
    return np.reshape(g, shape) * share.astype(x.dtype)


adjoint(np.max, extremal)
adjoint(np.min, extremal)
composed(np.amax)(lambda a, axis=None, keepdims=False: np.max(a, axis=axis, keepdims=keepdims))
composed(np.amin)(lambda a, axis=None, keepdims=False: np.min(a, axis=axis, keepdims=keepdims))


def product(g: Any, y: Any, x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """g times the product of the other elements; dividing y by x gives that unless there are zeros."""
    shape = kept(x.shape, axis)
    if np.all(np.not_equal(x, 0)):
        return np.reshape(g * y, shape) / x
    reduced = axes(axis, x.ndim)
    apart = tuple(k for k in range(x.ndim) if k not in reduced)
    rows = np.reshape(np.transpose(x, apart + reduced), (*(x.shape[k] for k in apart), 1, -1))
    others = np.prod(np.where(np.eye(rows.shape[-1], dtype=bool), 1.0, rows), axis=-1)
    others = np.reshape(others, tuple(x.shape[k] for k in apart + reduced))
    return np.reshape(g, shape) * np.transpose(others, np.argsort(apart + reduced))


adjoint(np.prod, product)


@composed(np.var)
def var(a: Any, axis: Axis = None, ddof: float = 0, keepdims: bool = False, *, correction: float | None = None) -> Any:
    """The mean of the squared deviations, over n - ddof."""
    freedom = count(a.shape, axis) - (ddof if correction is None else correction)
    deviation = a - np.mean(a, axis=axis, keepdims=True)
    return np.sum(np.square(deviation), axis=axis, keepdims=keepdims) / freedom


@composed(np.std)
def std(a: Any, axis: Axis = None, ddof: float = 0, keepdims: bool = False, *, correction: float | None = None) -> Any:
    """The square root of the variance; its adjoint is not finite where the variance is 0."""
    return np.sqrt(var(a, axis, ddof, keepdims, correction=correction))
