"""Copies and pickles of models: a parameter is copied as its array, and restored as a leaf Tensor.

A Module is pickled like any object: the name of its class, and its attributes. A Tensor cannot be pickled, because it
may hold a whole computation, so a stand-in, `Leaf`, replaces each leaf Tensor in the attributes; one call,
ad.Tensor(array, name=name), restores it. Reading a pickle can run any code of its writer: read only your own. To give
files to others use `nn.save`; such files hold no code.
"""

from __future__ import annotations

import weakref
from typing import Any

import autodiff as ad
from nn.model.walking import is_parameter

Attributes = dict[str, Any] | tuple[dict[str, Any] | None, dict[str, Any]]


class Leaf:
    """The stand-in for a leaf Tensor when a Module is pickled or copied."""

    def __init__(self, tensor: ad.Tensor) -> None:
        self.tensor = tensor

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        return _tensor, (self.tensor.value, self.tensor.name)


def _tensor(value: Any, name: str | None) -> ad.Tensor:
    return ad.Tensor(value, name=name)


# One stand-in for each Tensor while a pickle is written, so that shared parameters stay shared.
_standing: weakref.WeakValueDictionary[int, Leaf] = weakref.WeakValueDictionary()


def packed(value: Any, seen: dict[int, Any] | None = None) -> Any:
    """A value with stand-ins for all leaf Tensors, also inside lists, tuples and dicts; other values are unchanged."""
    if is_parameter(value):
        leaf = _standing.get(id(value))
        if leaf is None or leaf.tensor is not value:
            leaf = _standing[id(value)] = Leaf(value)
        return leaf
    if not isinstance(value, list | tuple | dict) or not _has_parameters(value, set()):
        return value
    seen = {} if seen is None else seen
    if id(value) in seen:
        return seen[id(value)]
    if isinstance(value, tuple):
        parts = [packed(v, seen) for v in value]
        rebuilt = type(value)(*parts) if hasattr(value, "_fields") else type(value)(parts)
        return seen.setdefault(id(value), rebuilt)
    if isinstance(value, list):
        seen[id(value)] = listed = type(value)()
        listed += (packed(v, seen) for v in value)
        return listed
    seen[id(value)] = named = type(value)()
    named.update((k, packed(v, seen)) for k, v in value.items())
    return named


def without(attributes: Any, name: str) -> Any:
    """The attributes, from object.__getstate__, without the one of this name."""
    if isinstance(attributes, tuple):
        return without(attributes[0], name), *attributes[1:]
    return {k: v for k, v in attributes.items() if k != name} if attributes and name in attributes else attributes


def _has_parameters(value: Any, seen: set[int]) -> bool:
    if is_parameter(value):
        return True
    if not isinstance(value, list | tuple | dict) or id(value) in seen:
        return False
    seen.add(id(value))
    return any(_has_parameters(v, seen) for v in (value.values() if isinstance(value, dict) else value))
