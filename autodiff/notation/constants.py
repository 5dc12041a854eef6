"""Names of constants: what arrays are called that no derivative is asked for."""

from __future__ import annotations

import weakref
from typing import TypeVar

import numpy as np

A = TypeVar("A", bound=np.ndarray)

_names: dict[int, tuple[weakref.ref[np.ndarray], str]] = {}  # by the array's identity, while it lives


def named(array: A, name: str) -> A:
    """The array itself, which traces and pictures of what is computed from it then call by that name.

    A Tensor has a name of its own, `ad.Tensor(value, name="x")`. The name belongs to this array: a copy, a slice or a
    conversion of it has none. Raises TypeError for anything but an ndarray and a string.

    >>> X = ad.named(np.ones((8, 2)), "X")
    >>> w = ad.Tensor([1.0, 2.0], name="w")
    >>> print(ad.trace(np.sum(X @ w)))  # doctest: +ELLIPSIS
    forward primal trace ↓ ...
    Constants: c₁ = X = array(8×2)
    """
    if type(array) is not np.ndarray or not isinstance(name, str):
        raise TypeError(
            f"ad.named was called with {type(array).__name__} and {name!r:.80}; it takes an ndarray and its name. "
            "A Tensor is named where it is made: ad.Tensor(value, name='x')."
        )
    key = id(array)
    _names[key] = weakref.ref(array, lambda _: _names.pop(key, None)), name
    return array


def name_of(array: object) -> str | None:
    """What `named` has called an array, or None."""
    found = _names.get(id(array))
    return found[1] if found is not None and found[0]() is array else None
