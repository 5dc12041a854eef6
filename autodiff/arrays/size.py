"""`t.size`, a number whose call raises a helpful error."""

from __future__ import annotations

from typing import NoReturn


class Size(int):
    """A number of elements. If it is called, as PyTorch's size is, the error says what to write."""

    def __call__(self, axis: int | None = None) -> NoReturn:
        """Raise TypeError with the line to write."""
        instead = "t.shape" if axis is None else f"t.shape[{axis}]"
        raise TypeError(f"t.size is the number of elements, {self}, not a method; write {instead}.")
