"""Nested dicts, lists and tuples of arrays: their leaves, and functions of them. None is an empty place."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any


def leaves(tree: Any) -> Iterator[Any]:
    """The leaves of the nest, from left to right; dicts in the order of insertion."""
    branches = _branches(tree)
    if branches is None:
        yield tree
    else:
        for _, branch in branches:
            yield from leaves(branch)


def mapped(function: Callable[[Any], Any], tree: Any) -> Any:
    """A nest of the same structure, with the function applied to each leaf."""
    if isinstance(tree, dict):
        nest = tree.copy()  # a copy keeps the type: an OrderedDict, a defaultdict ...
        nest.update((key, mapped(function, branch)) for key, branch in tree.items())
        return nest
    if isinstance(tree, list | tuple):
        branches = [mapped(function, branch) for branch in tree]
        return type(tree)(*branches) if hasattr(tree, "_fields") else type(tree)(branches)
    return None if tree is None else function(tree)


def pairs(tree: Any, other: Any) -> Iterator[tuple[Any, Any]]:
    """Pairs of leaves of two nests with the same structure. Raises ValueError if the structures differ."""
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
    """The path to a leaf as one writes it: `['weights'][0]`; empty if the tree is the leaf."""
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
