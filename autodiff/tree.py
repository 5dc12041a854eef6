"""Nested dicts, lists and tuples of arrays, taken apart and put together again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any


def leaves(tree: Any) -> Iterator[Any]:
    """What is in the nest, from left to right; dicts by insertion."""
    if isinstance(tree, dict):
        tree = tree.values()
    elif not isinstance(tree, list | tuple):
        yield tree
        return
    for branch in tree:
        yield from leaves(branch)


def mapped(function: Callable[[Any], Any], tree: Any) -> Any:
    """A nest of the same structure with the function's value in the place of each leaf."""
    if isinstance(tree, dict):
        return type(tree)((key, mapped(function, branch)) for key, branch in tree.items())
    if isinstance(tree, list | tuple):
        branches = [mapped(function, branch) for branch in tree]
        return type(tree)(*branches) if hasattr(tree, "_fields") else type(tree)(branches)
    return function(tree)
