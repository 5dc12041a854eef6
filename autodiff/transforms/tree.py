"""Nested dicts, lists and tuples of arrays, taken apart and put together again. None is a place with nothing in it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any


def leaves(tree: Any) -> Iterator[Any]:
    """What is in the nest, from left to right; dicts by insertion."""
    branches = _branches(tree)
    if branches is None:
        yield tree
    else:
        for _, branch in branches:
            yield from leaves(branch)


def mapped(function: Callable[[Any], Any], tree: Any) -> Any:
    """A nest of the same structure with the function's value in the place of each leaf."""
    if isinstance(tree, dict):
        nest = tree.copy()  # of its own kind: ordered, with a default ...
        nest.update((key, mapped(function, branch)) for key, branch in tree.items())
        return nest
    if isinstance(tree, list | tuple):
        branches = [mapped(function, branch) for branch in tree]
        return type(tree)(*branches) if hasattr(tree, "_fields") else type(tree)(branches)
    return None if tree is None else function(tree)


def pairs(tree: Any, other: Any) -> Iterator[tuple[Any, Any]]:
    """The leaves of two nests of one structure, by twos; ValueError where the structures differ."""
    branches, others = _branches(tree), _branches(other)
    if branches is None and others is None:
        yield tree, other
        return
    here, there = dict(branches or ()), dict(others or ())
    if branches is None or others is None or here.keys() != there.keys():
        raise ValueError(
            "two nests of one structure were asked for, such as arguments and their tangents; received "
            f"{_described(tree)} and {_described(other)}."
        )
    for key, branch in here.items():
        yield from pairs(branch, there[key])


def path_to(tree: Any, leaf: Any) -> str:
    """The way to a leaf, as one would write it: `['weights'][0]`; empty if the tree is the leaf."""
    for key, branch in _branches(tree) or ():
        if any(x is leaf for x in leaves(branch)):
            return f"[{key!r}]{path_to(branch, leaf)}"
    return ""


def _described(tree: Any) -> str:
    branches = _branches(tree)
    if branches is None:
        return "an array"
    return "None" if tree is None else f"one with the keys {[key for key, _ in branches]}"


def _branches(tree: Any) -> Iterable[tuple[Any, Any]] | None:
    if tree is None:
        return ()
    if isinstance(tree, dict):
        return tree.items()
    return enumerate(tree) if isinstance(tree, list | tuple) else None
