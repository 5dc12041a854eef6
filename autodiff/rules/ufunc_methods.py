"""What the methods of ufuncs are on nodes: np.add.reduce and the like, by the function that says the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autodiff.engine.shapes import Axis
from autodiff.engine.table import Composition, table
from autodiff.rules.arguments import array, raw
from autodiff.rules.scans import record


def reduction(function: Callable[..., Any]) -> Callable[..., Any]:
    """The definition of ufunc.reduce, which is the function over the first axis unless it is told."""

    def reduce(array: Any, axis: Axis = 0, keepdims: bool = False, initial: Any = None, where: Any = None) -> Any:
        given = {key: value for key, value in (("initial", initial), ("where", where)) if value is not None}
        return function(array, axis=axis, keepdims=keepdims, **given)

    return reduce


def scan(function: Callable[..., Any]) -> Callable[..., Any]:
    """The definition of ufunc.accumulate, which is the function along the first axis unless it is told."""
    return lambda array, axis=0: function(array, axis=axis)


definitions: dict[tuple[np.ufunc, str], Composition] = {}
for ufunc, method, definition in (
    (np.add, "reduce", reduction(np.sum)),
    (np.multiply, "reduce", reduction(np.prod)),
    (np.maximum, "reduce", reduction(np.max)),
    (np.minimum, "reduce", reduction(np.min)),
    (np.fmax, "reduce", reduction(np.nanmax)),
    (np.fmin, "reduce", reduction(np.nanmin)),
    (np.add, "accumulate", scan(np.cumsum)),
    (np.multiply, "accumulate", scan(np.cumprod)),
    (np.maximum, "accumulate", record(np.maximum)),
    (np.minimum, "accumulate", record(np.minimum)),
):
    definition.__name__ = f"np.{ufunc.__name__}.{method}"
    definitions[ufunc, method] = Composition(definition, definition)


def call(ufunc: np.ufunc, method: str, inputs: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """What `ufunc.method(*inputs, **kwargs)` is, where an input is a node."""
    if method == "outer":
        a, b = map(array, inputs)
        return ufunc(np.reshape(a, a.shape + (1,) * b.ndim), b, **kwargs)
    if (ufunc, method) in definitions:
        return definitions[ufunc, method](inputs, kwargs)
    if ufunc in table and table[ufunc].kind == "constant" and method != "at":
        return getattr(ufunc, method)(*map(raw, inputs), **kwargs)
    hint = "Tensors are never written into: use t.at[index].add(v)" if method == "at" else "compose it from functions"
    raise TypeError(f"np.{ufunc.__name__}.{method} was called with a Tensor, and has no adjoint rule; {hint}.")
