"""The base of the objects that a Tensor may hold instead of an array; they answer NumPy's calls themselves."""

from __future__ import annotations

from typing import Any

import numpy as np


class StandIn:
    """A Batch of arrays, or an array whose calls are being recorded. It has a shape and a dtype, but is no ndarray."""

    __slots__ = ()

    array: Any = None  # the array that a Batch holds

    @property
    def shape(self) -> tuple[int, ...]:
        """The lengths of the axes."""
        raise NotImplementedError

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the elements."""
        raise NotImplementedError

    def floating(self) -> Any:
        """The object with floating-point elements, as a Tensor holds it."""
        return self

    def moved(self, device: str) -> Any:
        """What stands for it on a device: itself, where that is not known yet."""
        return self

    def copied(self) -> Any:
        """A copy; the object itself if nobody writes into it."""
        return self
