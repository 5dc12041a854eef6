"""Averages of a model's weights over the steps of its training, which are often better than the last weights."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from nn.checked import real
from nn.model.module import Module
from nn.training.callbacks import Callback

if TYPE_CHECKING:
    from nn.training.training import Training


class ExponentialMovingAverage(Callback):
    """A running mean of each parameter, a = decay a + (1 - decay) p after every step (Polyak & Juditsky 1992).

    As a callback of `fit` it begins with the weights after the first step, and assigns the averages to the model when
    the training ends; do not combine it with EarlyStopping's restore_best. In your own loop call `update` after each
    optimizer.step():

    >>> model, average = nn.Linear(2, 1, rng=0), nn.ExponentialMovingAverage(0.9)
    >>> average.update(model)
    >>> with average.applied(model):
    ...     output = model(np.ones((5, 2)))

    `decay`, from 0 to below 1, is the share that is kept: 0.999 averages over about the last 1000 steps. `averages` are
    the means by the parameters' names. Buffers, such as BatchNorm's running averages, and frozen parameters are left
    out.
    """

    def __init__(self, decay: float = 0.999) -> None:
        self.decay = real(decay, "ExponentialMovingAverage: decay", below=1)
        self.averages: dict[str, npt.NDArray[Any]] = {}
        self._goes_on = False  # whether load_state_dict was called

    def update(self, model: Module) -> None:
        """Update the means with the present parameters; the first value of a parameter is its first mean."""
        for name, tensor in model.named_parameters():
            mean = self.averages.get(name)
            if mean is None:
                self.averages[name] = np.array(tensor.value)
            elif mean.shape != tensor.shape:
                raise ValueError(
                    f"ExponentialMovingAverage has a mean of shape {mean.shape} for {name}; received a model whose "
                    f"{name} has the shape {tensor.shape}. Make a new one for another model."
                )
            else:
                mean += (1 - self.decay) * (tensor.value - mean)

    def copy_to(self, model: Module) -> None:
        """Assign the means to the model's parameters; those without a mean are unchanged."""
        for name, tensor in model.named_parameters():
            if name in self.averages:
                tensor.value = self.averages[name]

    @contextmanager
    def applied(self, model: Module) -> Iterator[None]:
        """A context in which the model has the means as parameters; afterwards it has its own again."""
        before = [(tensor, np.array(tensor.value)) for tensor in model.parameters()]
        try:
            self.copy_to(model)
            yield
        finally:
            for tensor, value in before:
                tensor.value = value

    def on_fit_begin(self, training: Training) -> None:
        """Begin with no means, unless the training was resumed."""
        if not self._goes_on:
            self.averages = {}
        self._goes_on = False

    def on_batch_end(self, training: Training) -> None:
        """Update the means after a step."""
        self.update(training.model)

    def on_fit_end(self, training: Training) -> None:
        """Assign the means to the model."""
        self.copy_to(training.model)

    def state_dict(self) -> dict[str, Any]:
        """The means, by name."""
        return dict(self.averages)

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue with these means."""
        self._goes_on = True
        self.averages = {name: np.array(value) for name, value in state.items()}
