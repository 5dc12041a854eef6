"""A record of one use of a differentiable function: what it is called with. The records are in cases_*.py."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np


class Case(NamedTuple):
    """A function of the table, the arrays and parameters of one call, and how that call is written."""

    name: str
    function: Callable[..., Any]
    arrays: tuple[np.ndarray, ...]
    parameters: Mapping[str, Any] = MappingProxyType({})
    call: Callable[..., Any] | None = None
    reference: Callable[..., Any] | None = None

    def __call__(self, *arrays: Any) -> Any:
        return (self.call or self.function)(*arrays, **self.parameters)

    def __repr__(self) -> str:
        return self.name


def sample(*shape: int, low: float = -1.3, high: float = 2.1, salt: int = 0) -> np.ndarray:
    """Numbers spread evenly over an interval, shuffled and shaken: no two are close, none at either end."""
    rng = np.random.default_rng((salt, *shape))
    size = int(np.prod(shape, dtype=int))
    places = rng.permutation(size) + 0.5 + rng.uniform(-0.2, 0.2, size)
    return (low + (high - low) * places / max(size, 1)).reshape(shape)


# fmt: off
SHAPES = [(), (0,), (1,), (2, 3), (2, 0, 3), (2, 1, 2)]
PAIRS = [
    *[((), ()), ((), (3,)), ((3,), ()), ((1,), (2, 3)), ((2, 3), (2, 1)), ((2, 1), (1, 3)), ((3,), (2, 3))],
    *[((0,), (1,)), ((1, 3), (0, 3)), ((2, 3), (2, 3)), ((2, 1, 3), (4, 1)), ((1, 1), ())],
]
# fmt: on
