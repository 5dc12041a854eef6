"""The adjoints of a result as a dict, which prints the same symbols as the traces."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from autodiff.engine.graph import Node


def adjoint_names(found: Iterable[Node], /) -> list[str]:
    """The names under which the adjoints of these nodes are printed. The naming module replaces this function."""
    return [repr(node) for node in found]


class Adjoints(dict[Any, Any]):
    """The adjoint of every Tensor that a result depends on, the result first."""

    __slots__ = ()

    def __repr__(self) -> str:
        return (
            "{" + ", ".join(f"{name}: {g!r}" for name, g in zip(adjoint_names(self), self.values(), strict=True)) + "}"
        )
