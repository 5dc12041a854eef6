"""The adjoints of a result, as its reader sees them: a dict that is printed under the symbols of the traces."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from autodiff.engine.graph import Node


def adjoint_names(found: Iterable[Node], /) -> list[str]:
    """What the values that adjoints belong to are called; whoever names values puts their function here."""
    return [repr(node) for node in found]


class Adjoints(dict[Any, Any]):
    """The adjoint of every Tensor that a result depends on, the result first."""

    __slots__ = ()

    def __repr__(self) -> str:
        return (
            "{" + ", ".join(f"{name}: {g!r}" for name, g in zip(adjoint_names(self), self.values(), strict=True)) + "}"
        )
