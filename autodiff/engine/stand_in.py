"""What a Tensor may hold in the place of an array, and what answers NumPy's calls itself."""

from __future__ import annotations

from typing import Any

import numpy as np


class StandIn:
    """A Batch of arrays, or an array whose calls are being recorded: it has a shape and a dtype, and is no ndarray."""

    __slots__ = ()

    array: Any = None  # what a Batch holds

    @property
    def shape(self) -> tuple[int, ...]:
        """The lengths of the axes."""
        raise NotImplementedError

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the elements."""
        raise NotImplementedError

    def floating(self) -> Any:
        """What a Tensor holds of it."""
        return self

    def moved(self, device: str) -> Any:
        """What stands for it on a device: itself, where that is not known yet."""
        return self

    def copied(self) -> Any:
        """What is handed out for it: itself, where nobody writes into it."""
        return self
