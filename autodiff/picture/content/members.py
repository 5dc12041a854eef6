"""The names of the modules in a graph's scopes, and of their parameters.

A module is any object that a scope was entered with; this file knows no class of modules. Its members are found through
its attributes, through lists, tuples, dicts and inner modules, which are objects with `named_parameters`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from autodiff.engine.graph import Node

LONGEST_NOTE = 40


class Members:
    """The names of modules, parameters and buffers: the path to each from the outermost module that was called."""

    def __init__(self, frames: Iterable[Any]) -> None:
        """Find the members of the frames, given outer before inner; strings among the frames have none."""
        self._path: dict[int, str] = {}
        self._owner: dict[int, Any] = {}
        self._sizes: dict[int, int] = {}
        taken: dict[str, int] = {}
        for frame in frames:
            if isinstance(frame, str) or id(frame) in self._path:
                continue
            word = _snake(type(frame).__name__)
            taken[word] = taken.get(word, 0) + 1
            name = word if taken[word] == 1 else f"{word}_{taken[word]}"
            for path, owner, value in _walk(frame, name):
                if id(value) not in self._path:
                    self._path[id(value)], self._owner[id(value)] = path, owner

    def path(self, member: Any) -> str | None:
        """The path to a member, such as mlp.layers[0].weight; None if no module has it."""
        return self._path.get(id(member))

    def owner(self, member: Any) -> Any | None:
        """The module that has a parameter or a buffer among its attributes."""
        return self._owner.get(id(member))

    def name(self, member: Any, within: Any | None) -> str:
        """The path to a member from a module around it, or the whole path."""
        path, outer = self._path[id(member)], self._path.get(id(within), "")
        inside = path.removeprefix(outer) if outer and path[len(outer) : len(outer) + 1] in (".", "[") else path
        return inside.removeprefix(".")

    def note(self, module: Any) -> str:
        """A note on a module: the call that makes it, and its number of parameters."""
        try:
            text = repr(module)
        except Exception:  # an error in a user's method must not prevent the drawing
            text = ""
        if not text or len(text) > LONGEST_NOTE or "\n" in text or " at 0x" in text:
            text = type(module).__name__
        if id(module) not in self._sizes:
            found = {id(v): v.primal.size for *_, v in _walk(module, "") if isinstance(v, Node) and v.primitive is None}
            self._sizes[id(module)] = sum(found.values())
        count = self._sizes[id(module)]
        return f"{text} · {count:,} parameter{'s' if count > 1 else ''}" if count else text


def _walk(module: Any, name: str) -> Iterator[tuple[str, Any, Any]]:
    """A module and its members: the path to each, the module that holds it, and the member."""
    seen: set[int] = set()
    waiting: list[tuple[str, Any, Any, bool]] = [(name, module, module, True)]
    while waiting:
        path, owner, value, is_module = waiting.pop()
        is_module = is_module or hasattr(type(value), "named_parameters")
        if isinstance(value, Node | np.ndarray):
            yield path, owner, value
            continue
        if is_module:
            parts = [(f".{key}", part) for key, part in getattr(value, "__dict__", {}).items()]
        elif isinstance(value, dict):
            parts = [(f"[{key!r}]" if isinstance(key, str | int) else "[…]", part) for key, part in value.items()]
        elif isinstance(value, list | tuple):
            parts = [(f"[{k}]", part) for k, part in enumerate(value)]
        else:
            continue
        if id(value) in seen:
            continue
        seen.add(id(value))
        if is_module:
            yield path, owner, value
            owner = value
        waiting += ((path + step, owner, part, False) for step, part in reversed(parts))


def _snake(name: str) -> str:
    """A variable name from a class name: mlp from MLP, layer_norm from LayerNorm."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()
