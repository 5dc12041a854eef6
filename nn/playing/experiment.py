"""The experiment: data, network, optimizer and history of one training, which advances only when it is asked to."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

import autodiff as ad
import nn
from nn.playing import program
from nn.playing.network import Network
from nn.playing.problem import Problem, make
from nn.playing.settings import Settings

Array = npt.NDArray[Any]
LIVE = {"lr", "l1", "l2"}  # these may change during a training; any other change starts it again
LONGEST_PATH = 400  # vectors of parameters that are kept for the landscape


class Experiment:
    """One training that can be looked into after every batch.

    Parameters
    ----------
    settings : the settings it starts with
    own : the user's X and y, from `nn.playing.problem.checked`, for settings with data="own"

    `history` has the losses and, for two classes, the accuracies on training and test data after every epoch, all
    computed in evaluation mode.
    """

    problem: Problem
    network: Network
    optimizer: nn.optim.Optimizer
    history: nn.History
    settings: Settings
    batch: int  # the number of finished batches of the present epoch
    last_loss: float
    _order: Array | None  # the order of the samples in the present epoch, once it has begun
    _seconds: float

    def __init__(self, settings: Settings, own: tuple[Array, Array] | None = None) -> None:
        self.own = own
        self._start(settings, make(settings, own))

    @property
    def model(self) -> nn.Sequential:
        """The network as a model of `nn`."""
        return self.network.model

    @property
    def epoch(self) -> int:
        """The number of finished epochs."""
        return len(self.history)

    @property
    def diverged(self) -> bool:
        """Whether the last batch's loss was not finite."""
        return not math.isfinite(self.last_loss)

    def reset(self) -> None:
        """Start again from the same weights."""
        self._start(self.settings, self.problem)

    def begin(self, settings: Settings) -> None:
        """Start again with other settings."""
        self._start(settings, make(settings, self.own))

    def change(self, changes: Mapping[str, Any]) -> None:
        """Change settings. The training goes on if only lr, l1 and l2 change; otherwise it starts again.

        Raises the errors of `Settings`; then nothing is changed.
        """
        settings = self.settings.replaced(changes)
        if set(changes) <= LIVE:
            self.settings = settings
            self.optimizer.lr = settings.lr
        else:
            self.begin(settings)

    def step(self) -> float:
        """Train on the next batch; returns its loss, with the penalties of the weights."""
        if self._order is None:
            self._order = self.batches.order()
        began = time.perf_counter()
        x, y = self.batches.batch(self._order, self.batch)
        loss = self.loss(self.model(x), y)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        self.last_loss = loss.item()
        self.batch += 1
        self._seconds += time.perf_counter() - began
        if self.batch == len(self.batches):
            self._end_epoch()
        return self.last_loss

    def train(self, epochs: int = 1) -> None:
        """Train until `epochs` more epochs are finished; one that has begun counts as one of them."""
        last = self.epoch + epochs
        while self.epoch < last:
            self.step()

    def train_for(self, seconds: float) -> None:
        """Train for about that many seconds, on one batch at least; stop if the loss is not finite."""
        until = time.perf_counter() + seconds
        self.step()
        while time.perf_counter() < until and not self.diverged:
            self.step()

    def loss(self, output: Any, y: Array) -> Any:
        """The loss of outputs and targets, with the penalties of the weights."""
        loss = self.loss_function(output, y)
        if self.settings.l1:
            loss = loss + self.settings.l1 * nn.functional.l1_penalty(self.model.parameters())
        if self.settings.l2:
            loss = loss + self.settings.l2 / 2 * nn.functional.l2_penalty(self.model.parameters())
        return loss

    def measured(self) -> dict[str, float]:
        """The loss, and the accuracy for two classes, of training and test data now, in evaluation mode."""
        parts = (("", self.x, self.problem.targets), ("validation_", self.test_x, self.problem.test_targets))
        found = {}
        self.model.eval()
        try:
            with ad.no_grad():
                for name, x, y in parts:
                    output = self.model(x)
                    found[f"{name}loss"] = float(self.loss_function(output, y))
                    if self.problem.classes:
                        found[f"{name}accuracy"] = float(np.mean((output > 0) == (y > 0)))
        finally:
            self.model.train()
        return found

    def inputs_of(self, points: Array) -> Array:
        """The network's inputs for points of the plane, of shape (samples, 2)."""
        return program.features(self.settings.inputs, points)

    def code(self) -> str:
        """A program that builds this network and trains it for as many epochs, 100 at least."""
        return program.code(self.settings, self.problem, max(self.epoch, 100))

    def _start(self, settings: Settings, problem: Problem) -> None:
        network = Network(settings)
        optimizer = program.optimizer(settings, network.model.parameters())
        x = program.features(settings.inputs, problem.points)
        self.batches = nn.data.DataLoader(
            x,
            problem.targets,
            batch_size=settings.batch_size,
            shuffle=True,
            drop_last=program.drops_last(settings, problem),
            rng=network.rng,
        )
        self.x, self.test_x = x, program.features(settings.inputs, problem.test_points)
        self.settings, self.problem, self.network, self.optimizer = settings, problem, network, optimizer
        self.loss_function = getattr(nn, program.LOSSES[problem.loss])()
        names = ["loss", "validation_loss", *(["accuracy", "validation_accuracy"] if problem.classes else [])]
        self.history = nn.History(names)
        self.batch = 0
        self.last_loss = 0.0
        self._order = None
        self._seconds = 0.0
        self.path: list[Array] = [self.weights()]
        self.path_stride = 1

    def weights(self) -> Array:
        """All parameters as one vector, a copy."""
        return np.concatenate([p.value.ravel() for p in self.model.parameters()])

    def _end_epoch(self) -> None:
        self.history.append(self.measured(), self._seconds)
        self.batch, self._order, self._seconds = 0, None, 0.0
        if self.epoch % self.path_stride == 0:
            self.path.append(self.weights())
        if len(self.path) > LONGEST_PATH:
            self.path, self.path_stride = self.path[::2], self.path_stride * 2
