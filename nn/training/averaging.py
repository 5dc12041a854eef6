"""Averages of a model's weights over the steps of its training, which often are better than the last ones."""

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

    As a callback of `fit` it begins with the weights after the first step, and gives the model its averages when the
    training ends; leave EarlyStopping's restore_best out then. In a loop of one's own call `update` after each
    optimizer.step():

    >>> model, average = nn.Linear(2, 1, rng=0), nn.ExponentialMovingAverage(0.9)
    >>> average.update(model)
    >>> with average.applied(model):
    ...     output = model(np.ones((5, 2)))

    `decay`, from 0 to below 1, is the share that is kept: 0.999 averages about the last 1000 steps. `averages` are the
    means by the parameters' names. Buffers, such as BatchNorm's running averages, and frozen parameters are left out.
    """

    def __init__(self, decay: float = 0.999) -> None:
        self.decay = real(decay, "ExponentialMovingAverage: decay", below=1)
        self.averages: dict[str, npt.NDArray[Any]] = {}
        self._goes_on = False  # from what load_state_dict was given

    def update(self, model: Module) -> None:
        """Take the parameters as they are into the means; a parameter's first value is its first mean."""
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
        """Give the model's parameters their means; those without one stay as they are."""
        for name, tensor in model.named_parameters():
            if name in self.averages:
                tensor.value = self.averages[name]

    @contextmanager
    def applied(self, model: Module) -> Iterator[None]:
        """Within it the model has the means for parameters, afterwards its own again."""
        before = [(tensor, np.array(tensor.value)) for tensor in model.parameters()]
        try:
            self.copy_to(model)
            yield
        finally:
            for tensor, value in before:
                tensor.value = value

    def on_fit_begin(self, training: Training) -> None:
        """Begin anew, unless the training was resumed."""
        if not self._goes_on:
            self.averages = {}
        self._goes_on = False

    def on_batch_end(self, training: Training) -> None:
        """Take a step's parameters in."""
        self.update(training.model)

    def on_fit_end(self, training: Training) -> None:
        """Give the model the means."""
        self.copy_to(training.model)

    def state_dict(self) -> dict[str, Any]:
        """The means, by name."""
        return dict(self.averages)

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from these means."""
        self._goes_on = True
        self.averages = {name: np.array(value) for name, value in state.items()}
