"""`t.size`, a number that answers being called."""

from __future__ import annotations

from typing import NoReturn


class Size(int):
    """A number of elements, which says what to write if it is called as PyTorch's size is."""

    def __call__(self, axis: int | None = None) -> NoReturn:
        """Refuse, with the line to write."""
        instead = "t.shape" if axis is None else f"t.shape[{axis}]"
        raise TypeError(f"t.size is the number of elements, {self}, not a method; write {instead}.")
