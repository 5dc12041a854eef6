"""What the inputs of a program are called: as the function's parameters are, and the ways to their leaves."""

from __future__ import annotations

import builtins
import inspect
import keyword
from collections.abc import Callable
from typing import Any

from autodiff.program import steps
from autodiff.program.literals import NAMES

# Names that a program's text has other uses for.
TAKEN = {"np", "scipy", "buffers", "free", "kept", *vars(builtins), *vars(steps)}


def names(function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    """A name for each leaf of the arguments: the parameter's, with the way to the leaf."""
    try:
        parameters = list(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        parameters = []
    parameters += [f"x{k}" for k in range(len(parameters), len(args))]
    used: set[str] = set()
    for name, argument in (*zip(parameters, args, strict=False), *kwargs.items()):
        for path in _paths(argument):
            found = "_".join((name, *path))
            found = "".join(c if c.isalnum() else "_" for c in found)
            if keyword.iskeyword(found) or found in TAKEN or NAMES.fullmatch(found):
                found += "_"
            while found in used:
                found += "_"
            used.add(found)
            yield found


def _paths(nest: Any) -> Any:
    if isinstance(nest, dict):
        for key, branch in nest.items():
            yield from ((str(key), *path) for path in _paths(branch))
    elif isinstance(nest, list | tuple):
        for key, branch in enumerate(nest):
            yield from ((str(key), *path) for path in _paths(branch))
    elif nest is not None:
        yield ()
