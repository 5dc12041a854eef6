"""Names of a program's inputs and values: those of the function's parameters and variables."""

from __future__ import annotations

import builtins
import inspect
import itertools
import keyword
import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from autodiff.program import steps
from autodiff.program.graph import Kernel, Program, Step
from autodiff.program.literals import NAMES

# Names that a program's text uses for something else.
TAKEN = {"np", "scipy", "buffers", "free", "kept", *vars(builtins), *vars(steps)}
VARIABLE = re.compile(r"\bv[0-9]+\b")  # the first name of a value in a text


def names(function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    """A name for each leaf of the arguments: the parameter's name and the path to the leaf."""
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


def held_names(program: Program) -> dict[int, str]:
    """A name for each value that is an object from outside."""
    taken = {name for _, name in program.inputs}
    names: dict[int, str] = {}
    for number, value in program.held:
        name = "rng" if isinstance(value, np.random.Generator) else "held"
        while name in taken:
            name += "_"
        taken.add(name)
        names[number] = name
    return names


def variables(program: Program, names: Mapping[int, str], taken: set[str]) -> dict[str, str]:
    """New names for a text's variables: those of the user's function, with a number added if a name is taken.

    A variable that several values are written into gets the first of their names. In a loop over blocks, the whole
    array gets the name.
    """
    found: dict[str, str] = {}
    for step in program.steps:
        if isinstance(step, Step):
            wanted = [(step.result, step.name)]
        elif isinstance(step, Kernel):
            wanted = [(inner.result, inner.name) for inner in step.body.steps]
        else:
            made = {inner.result: inner.name for inner in step.body.steps if isinstance(inner, Step)}
            inside = {y.number: number for y, number in zip(step.body.outputs, step.results, strict=True)}
            wanted = [(inside.get(number, number), name) for number, name in made.items()]
        for number, name in wanted:
            variable = names.get(number, "")
            if VARIABLE.fullmatch(variable) and variable not in found and name.isidentifier():
                found[variable] = _free(name, taken)
                taken.add(found[variable])
    return found


def renamed(lines: list[str], names: Mapping[str, str]) -> list[str]:
    """Lines of code with other names for variables; comments stay."""
    return [
        line if line.lstrip().startswith("#") else VARIABLE.sub(lambda found: names.get(found[0], found[0]), line)
        for line in lines
    ]


def _free(name: str, taken: set[str]) -> str:
    if name not in taken and not NAMES.fullmatch(name) and not keyword.iskeyword(name):
        return name
    return next(other for k in itertools.count(2) if (other := f"{name}_{k}") not in taken)
