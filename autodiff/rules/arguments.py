"""Shapes, dtypes and other properties of arguments, which may be nodes, arrays, numbers or lists of numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from autodiff.engine.devices import admitted
from autodiff.engine.graph import Node
from autodiff.engine.stand_in import StandIn
from autodiff.program.traced import Traced


def raw(value: object) -> Any:
    """The value of a node; anything else unchanged."""
    return value.primal if isinstance(value, Node) else value


def array(value: object) -> Any:
    """A node unchanged, anything else as an array, so that the result has a shape, a dtype and elements."""
    return value if isinstance(value, Node | StandIn) or type(value) in admitted else np.asarray(value)


def anywhere(condition: ArrayLike) -> bool:
    """Whether a condition holds for some element. True for traced arrays, so that programs have the general case."""
    return isinstance(condition, Traced) or bool(np.any(condition))


def given(**parameters: Any) -> dict[str, Any]:
    """The parameters that are not None. A definition passes on only these, so that traces show no others."""
    return {name: value for name, value in parameters.items() if value is not None}


def along(axis: int, ndim: int, index: Any) -> tuple[Any, ...]:
    """The index that selects `index` along one axis, and everything along the axes before it."""
    if not -ndim <= axis < ndim:
        raise np.exceptions.AxisError(axis, ndim)
    return (slice(None),) * (axis % ndim) + (index,)
