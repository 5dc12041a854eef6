"""Callbacks: functions that `fit` calls during the training."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from nn import hints
from nn.checked import real, whole
from nn.report.history import History

if TYPE_CHECKING:
    from nn.training.training import Training


class Callback:
    """The base class of callbacks, whose methods `fit` calls at the times below. Define those that you need.

    Instead of a Callback you may pass a function of the Training; it is called at the end of every epoch.
    `training.stop("why")` ends the training after the current batch or epoch.

    >>> class Halved(nn.Callback):
    ...     def on_epoch_end(self, training):
    ...         if training.history["loss"][-1] < 0.5 * training.history["loss"][0]:
    ...             training.stop("the loss is half of what it was")
    >>> X, y = nn.data.gauss(100, rng=0)
    >>> given = dict(loss="cross_entropy", optimizer="adam", callbacks=Halved(), rng=0, verbose=False)
    >>> history = nn.fit(nn.Linear(2, 2, rng=0), X, y, epochs=3, **given)
    """

    def on_fit_begin(self, training: Training) -> None:
        """Before the first batch, and after `resume` has restored the state."""

    def on_epoch_begin(self, training: Training) -> None:
        """Before the first batch of epoch `training.epoch`, counted from 1."""

    def on_backward(self, training: Training) -> None:
        """After the adjoints of a batch are computed (`parameter.grad`, clipped), before the parameters are moved."""

    def on_batch_end(self, training: Training) -> None:
        """After a batch: `training.batch` of `training.batches` are done; `training.value` is its loss, a Tensor."""

    def on_epoch_end(self, training: Training) -> None:
        """After an epoch and its validation: `training.history` has its numbers."""

    def on_fit_end(self, training: Training) -> None:
        """At the end of the training, also after an error or Ctrl-C."""

    def state_dict(self) -> dict[str, Any]:
        """The state for a checkpoint: arrays, numbers and texts, by name."""
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from a state that `state_dict` gave."""


class EarlyStopping(Callback):
    """End the training when a quantity has stopped improving, and restore the model's best weights.

    Parameters
    ----------
    patience : the number of epochs in a row without an improvement that end the training
    monitor : a column of the history; by default "validation_loss", or "loss" if there is no validation
    min_delta : the least improvement over the best value so far that counts
    mode : "min" or "max", or "auto": losses and errors should fall, the other metrics of nn.metrics should rise
    restore_best : whether the model ends with the weights and buffers of its best epoch, also after an error or Ctrl-C.
        restore_best_weights is Keras's name of it

    Training raises KeyError for a column that the history does not have, and ValueError if "auto" cannot decide.

    >>> X, y = nn.data.moons(200, rng=0)
    >>> stop = nn.EarlyStopping(patience=2)
    >>> given = dict(loss="cross_entropy", optimizer="adam", validation=0.2, callbacks=stop, rng=0, verbose=False)
    >>> history = nn.fit(nn.MLP(2, 16, 2, rng=0), X, y, epochs=5, **given)
    >>> len(history) <= 5
    True
    """

    @hints.also("EarlyStopping", {"restore_best_weights": "restore_best"}, hints.EARLY_STOPPING)
    def __init__(
        self,
        patience: int = 10,
        monitor: str | None = None,
        *,
        min_delta: float = 0.0,
        mode: str = "auto",
        restore_best: bool = True,
    ) -> None:
        self.patience = whole(patience, "EarlyStopping's patience, in epochs,")
        self.min_delta = real(min_delta, "EarlyStopping: min_delta")
        if mode not in ("auto", "min", "max"):
            raise ValueError(f'EarlyStopping: mode is "min", "max" or "auto"; received {mode!r:.80}.')
        self.monitor, self.mode, self.restore_best = monitor, mode, restore_best
        self._goes_on = False  # whether load_state_dict was called
        self._forget()

    def _forget(self) -> None:
        self.best = math.nan  # the best value so far
        self.best_epoch = 0
        self.best_state: dict[str, Any] = {}

    def on_fit_begin(self, training: Training) -> None:
        """Begin without a best epoch; a resumed training that this callback had ended ends again."""
        rises(monitored(self.monitor, training.history), self.mode)
        if self._goes_on:
            self._goes_on = False
            self._give_up(training)
        else:
            self._forget()

    def on_epoch_end(self, training: Training) -> None:
        """Compare the epoch with the best so far."""
        name = monitored(self.monitor, training.history)
        value = training.history[name][-1]
        sign = 1 if rises(name, self.mode) else -1
        if sign * value > sign * self.best + self.min_delta or (math.isnan(self.best) and not math.isnan(value)):
            self.best, self.best_epoch = value, len(training.history)
            if self.restore_best:
                self.best_state = training.weights()
        else:
            self._give_up(training)

    def _give_up(self, training: Training) -> None:
        if len(training.history) - self.best_epoch >= self.patience:
            name = monitored(self.monitor, training.history).replace("_", " ")
            training.stop(f"no better {name} than {self.best:.4g} of epoch {self.best_epoch} in {self.patience} epochs")

    def on_fit_end(self, training: Training) -> None:
        """Restore the best weights."""
        if self.best_state:
            training.load_weights(self.best_state)

    def state_dict(self) -> dict[str, Any]:
        """The best epoch, its value and its weights."""
        return {"best": self.best, "best_epoch": self.best_epoch} | {
            f"best_state.{name}": array for name, array in self.best_state.items()
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue with the best epoch so far."""
        self._goes_on = True
        self.best, self.best_epoch = float(state["best"]), int(state["best_epoch"])
        prefix = "best_state."
        self.best_state = {n.removeprefix(prefix): np.array(a) for n, a in state.items() if n.startswith(prefix)}


def monitored(name: str | None, history: History) -> str:
    """The monitored column: the one named, else the validation's loss, else the training's."""
    if name is None:
        return "validation_loss" if "validation_loss" in history else "loss"
    if name not in history:
        raise KeyError(f"monitor is a column of the history: {', '.join(history)}; received {name!r:.80}.")
    return str(history.own_name(name))


def rises(name: str, mode: str = "auto") -> bool:
    """Whether larger values of a quantity are better."""
    if mode == "auto":
        for words, more in ((FALLING, False), (RISING, True)):
            if any(word in name for word in words):
                return more
        raise ValueError(
            f'whether {name!r} is to rise or to fall cannot be told by its name; write mode="max" or "min".'
        )
    return mode == "max"


FALLING = "loss", "error", "mse", "mae"
RISING = "accuracy", "precision", "recall", "f1", "r2"


class _AtEpochEnd(Callback):
    """A function of the Training, called after each epoch."""

    def __init__(self, function: Callable[[Training], Any]) -> None:
        self._function = function

    def on_epoch_end(self, training: Training) -> None:
        """Call the function."""
        self._function(training)


def called_back(callbacks: Any) -> list[Callback]:
    """The argument callbacks= as a list of Callbacks."""
    if callbacks is None or isinstance(callbacks, str):
        callbacks = [callbacks] if callbacks else []
    listed = callbacks if isinstance(callbacks, Iterable) else [callbacks]
    found: list[Callback] = []
    for callback in listed:
        if isinstance(callback, type) or not (isinstance(callback, Callback) or callable(callback)):
            name = callback.__name__ if isinstance(callback, type) else "nn.EarlyStopping"
            raise TypeError(
                f"callbacks are nn.Callbacks, or functions of the Training; received {callback!r:.80}. Write "
                f"callbacks=[{name}()]."
            )
        found.append(callback if isinstance(callback, Callback) else _AtEpochEnd(callback))
    return found
