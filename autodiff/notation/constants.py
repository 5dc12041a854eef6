"""Names of constant arrays."""

from __future__ import annotations

import weakref
from typing import TypeVar

import numpy as np

A = TypeVar("A", bound=np.ndarray)

_names: dict[int, tuple[weakref.ref[np.ndarray], str]] = {}  # by the array's identity, as long as it exists


def named(array: A, name: str) -> A:
    """The array itself, with a name for traces and pictures of results computed from it.

    A Tensor gets its name when it is made, `ad.Tensor(value, name="x")`. The name belongs to this array only: a copy, a
    slice or a conversion of it has none. Raises TypeError for anything but an ndarray and a string.

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
    """The name that `named` has given an array, or None."""
    found = _names.get(id(array))
    return found[1] if found is not None and found[0]() is array else None
