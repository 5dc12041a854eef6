"""The text of functions that a program calls by name, with all definitions that they need, except NumPy's."""

from __future__ import annotations

import ast
import builtins
import functools
import inspect
import re
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

Place = tuple[str, str]  # a module, and a name that it binds
LIBRARY = {*sys.stdlib_module_names, "numpy", "scipy"}  # what a program's source may import


class Texts:
    """Definitions, each placed after those that it needs, and the imports that they need."""

    def __init__(self) -> None:
        self.imports: list[str] = []
        self.originals: dict[str, Any] = {}  # the functions of the requested names
        self._names: dict[Place, str] = {}
        self._definitions: list[tuple[str, str]] = []  # the module that each text came from

    def name(self, value: Callable[..., Any]) -> str:
        """The name of a function or class in the text; its definition is added."""
        found = self._taken(value.__module__, value.__name__, value)
        self.originals[found] = value
        return found

    @property
    def taken(self) -> set[str]:
        """All names that are in use: of definitions and of imports."""
        return {*self._names.values()}

    @property
    def definitions(self) -> list[str]:
        """The texts; if two modules use one name for different definitions, the second one is renamed."""
        return [self._renamed(module, text) for module, text in self._definitions]

    def _taken(self, module: str, name: str, value: Any = None) -> str:
        place = module, name
        if place in self._names:
            return self._names[place]
        statements, lines = _statements(module)
        node = statements.get(name)
        if node is None or (value is not None and value.__qualname__ != name):
            raise TypeError(
                f"ad.compile met {name}, which has no name in NumPy's modules to be written by, nor one in a module of "
                "its own whose text could be held; compose it from NumPy's functions, or leave it out of the compiled "
                "function."
            )
        if isinstance(node, ast.Import | ast.ImportFrom):
            return self._imported(place, node)
        used = set(self._names.values())
        mine = name
        while mine in used:
            mine += "_"
        self._names[place] = mine
        for other in dict.fromkeys(_read(node)):
            if other in statements and other != name:
                self._taken(module, other)
        self._definitions.append((module, _text(node, lines)))
        return mine

    def _imported(self, place: Place, node: ast.Import | ast.ImportFrom) -> str:
        """The name of an object from another module: its definition is added, or it is imported."""
        (alias,) = (a for a in node.names if (a.asname or a.name) == place[1])
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] not in LIBRARY:
            self._names[place] = found = self._taken(node.module or "", alias.name)
            return found
        given = alias.name + (f" as {alias.asname}" if alias.asname else "")
        if isinstance(node, ast.Import):
            line, owner = f"import {given}", alias.name
        else:
            line, owner = f"from {node.module} import {given}", node.module or ""
        if owner.split(".")[0] not in LIBRARY:
            raise TypeError(
                f"ad.compile met a function of {place[0]} that uses {owner}; a program calls functions that know "
                "nothing but NumPy: declare how it is written by ad.lowered(function, definition)."
            )
        if line not in self.imports:
            self.imports.append(line)
        self._names[place] = place[1]
        return place[1]

    def _renamed(self, module: str, text: str) -> str:
        for (owner, name), mine in self._names.items():
            if owner == module and mine != name:
                text = re.sub(rf"(?<![\w.]){name}\b", mine, text)
        return text


@functools.lru_cache(maxsize=64)
def _statements(module: str) -> tuple[dict[str, ast.stmt], list[str]]:
    """The top-level statements of a module by the names that they bind, and the lines of its text."""
    try:
        text = inspect.getsource(sys.modules[module])
    except (KeyError, OSError, TypeError):
        return {}, []
    found: dict[str, ast.stmt] = {}
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found[node.name] = node
        elif isinstance(node, ast.Assign):
            found |= {t.id: node for t in node.targets if isinstance(t, ast.Name)}
        elif isinstance(node, ast.Import | ast.ImportFrom):
            found |= {(a.asname or a.name): node for a in node.names}
    return found, text.split("\n")


def _text(node: ast.stmt, lines: list[str]) -> str:
    """The text of a statement, without decorators that declare a primitive."""
    kept = [d for d in getattr(node, "decorator_list", ()) if not ast.unparse(d).startswith(("ad.", "autodiff."))]
    return "".join(f"@{ast.unparse(d)}\n" for d in kept) + "\n".join(lines[node.lineno - 1 : node.end_lineno])


def _read(node: ast.AST) -> Iterator[str]:
    """The names that a statement reads when it runs, without those in annotations and declarations."""
    for field, value in ast.iter_fields(node):
        if field in ("annotation", "returns"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.Name) and not hasattr(builtins, child.id):
                yield child.id
            if isinstance(child, ast.AST) and not (
                field == "decorator_list" and ast.unparse(child).startswith(("ad.", "autodiff."))
            ):
                yield from _read(child)


def others(function: Any) -> list[Any]:
    """The modules, other than NumPy's, that may have the function under its name."""
    name = "scipy.special._ufuncs" if isinstance(function, np.ufunc) else getattr(function, "__module__", "") or ""
    public = name.split("._")[0]
    ours = public.split(".")[0] in ("autodiff", "nn")
    return [] if ours else [sys.modules[n] for n in dict.fromkeys((public, name)) if n in sys.modules]
