"""A stretch of an optimizer's vectors, which a step goes through piece by piece."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from nn.optim.options import Group

Vector = npt.NDArray[Any]
Piece = tuple[Any, ...]  # (values, adjoints, *state, scratch, spare); unused state is None


class Run:
    """A stretch of the vectors whose parameters share their options and have always been updated together.

    `steps` is the number of updates; `numbers` are numbers that the rule keeps between steps.
    """

    def __init__(self, start: int, stop: int, group: Group, decays: bool, steps: int, numbers: dict[str, Any]) -> None:
        self.start, self.stop, self.group, self.decays = start, stop, group, decays
        self.steps, self.numbers = steps, numbers
        self.options: Mapping[str, Any] = group.options
        self.pieces: list[Piece] = []

    def lay(self, vectors: Sequence[Vector | None], scratch: Vector, spare: Vector) -> None:
        """Divide the stretch of these vectors into pieces."""
        bounds = [*range(self.start, self.stop, len(scratch)), self.stop]
        self.pieces = [
            (*(None if v is None else v[a:b] for v in vectors), scratch[: b - a], spare[: b - a])
            for a, b in itertools.pairwise(bounds)
        ]

    @property
    def weight_decay(self) -> float:
        """The decay of these parameters; 0 for biases with decay_biases=False."""
        return float(self.options["weight_decay"]) if self.decays else 0.0

    def directed(self, decay: float = 0.0) -> Iterable[Piece]:
        """The pieces; with `maximize` or a decay the spare holds the adjoints: g or -g, plus decay times p."""
        upwards = self.options["maximize"]
        return self._directed(decay, upwards) if decay or upwards else self.pieces

    def decayed(self) -> Iterable[Piece]:
        """The directed pieces, with the adjoints of the loss plus weight_decay/2 ‖p‖²."""
        return self.directed(self.weight_decay)

    def _directed(self, decay: float, upwards: bool) -> Iterable[Piece]:
        for piece in self.pieces:
            values, adjoints, spare = piece[0], piece[1], piece[-1]
            if decay:
                np.multiply(values, decay, out=spare)
                (np.subtract if upwards else np.add)(spare, adjoints, out=spare)
            else:
                np.negative(adjoints, out=spare)
            yield (values, spare, *piece[2:])
