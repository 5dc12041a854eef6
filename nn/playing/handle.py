"""`nn.playground`: an experiment to use from Python, with a view in a notebook's cell."""

from __future__ import annotations

import weakref
from typing import Any

import numpy as np
import numpy.typing as npt

import nn
from nn.checked import whole
from nn.playing import picture, widget
from nn.playing.experiment import Experiment
from nn.playing.problem import checked
from nn.playing.settings import OWN, Settings, known


def playground(data: Any = "circle", **settings: Any) -> Playground:
    """A small network in the plane to build, train and look into: in a notebook, the last line of a cell shows it.

    Parameters
    ----------
    data : "circle", "xor", "gauss", "spiral" or "moons" (two classes), "plane" or "hills" (regression), or your own
        (X, y): X of numbers, of shape (samples, 2); y of two kinds of labels (int or bool), or of floats (regression)
    noise, samples, train, data_seed : of the data: the standard deviation of the noise, the number of samples, the
        share to train on (0.1 to 0.9), and the random seed
    inputs : what the network sees, some of "x1", "x2", "x1^2", "x2^2", "x1*x2", "sin(x1)", "sin(x2)" (sines of πx)
    layers : the number of neurons of each hidden layer, such as (4, 2); at most 8 layers of 10
    activation : "tanh", "relu", "sigmoid", "leaky_relu", "elu", "gelu", "silu" or "linear"
    loss : for two classes "bce", "mse" or "hinge"; for a regression "mse", "huber" or "l1"; by default the first
    optimizer, lr, batch_size : "sgd", "momentum", "rmsprop", "adagrad" or "adam"; the step size; samples per batch
    l1, l2 : strengths of the penalties of large weights
    dropout, batch_norm, skip : the share of neurons that is dropped; batch normalisation before each activation; skip
        connections around each layer that has as many neurons as the one before
    init, seed : "he_uniform", "xavier_uniform", "lecun_uniform", "orthogonal" or "zeros"; the seed of the weights and
        of the order of the samples

    Returns a `Playground`. It trains while its cell is shown and playing, or when you call `train`. Raises TypeError
    for an unknown setting, TypeError or ValueError for a wrong value. A notebook needs the extra `notebook` to show
    it; `python -m nn playground` serves it as a page (extra `playground`).

    >>> play = nn.playground("spiral", layers=(8, 8), activation="tanh", lr=0.03).train(epochs=3)
    >>> len(play.history)
    3
    """
    return Playground(data, **settings)


class Playground:
    """An experiment that a notebook shows as a widget. `nn.playground` makes it and describes the settings.

    Changes in the cell change this object: `settings`, `model` and `history` are always those that the cell shows.
    """

    def __init__(self, data: Any = "circle", **settings: Any) -> None:
        known(settings)
        own = None
        if not isinstance(data, str):
            if not isinstance(data, tuple | list) or len(data) != 2:
                raise TypeError(f"the playground's data is a name such as 'spiral', or (X, y); received {data!r:.80}.")
            own, data = checked(*data), OWN
        self.experiment = Experiment(Settings(data=data, **settings), own)
        self.views: weakref.WeakSet[Any] = weakref.WeakSet()  # the cells that show it

    @property
    def settings(self) -> Settings:
        """The settings that the training started with."""
        return self.experiment.settings

    @property
    def model(self) -> nn.Sequential:
        """The network as it is now: `nn.predict(play.model, play.inputs(X)) > 0` is True for the second class."""
        return self.experiment.model

    @property
    def history(self) -> nn.History:
        """The losses and accuracies of training and test data after every epoch."""
        return self.experiment.history

    @property
    def code(self) -> str:
        """A program that builds exactly this network and trains it for as many epochs, 100 at least."""
        return self.experiment.code()

    def train(self, epochs: int = 1) -> Playground:
        """Train for that many epochs. Returns itself, for a cell to show; cells that show it already are updated."""
        self.experiment.train(whole(epochs, "epochs", 0))
        for view in self.views:
            view.send({"changed": True})
        return self

    def inputs(self, X: npt.ArrayLike) -> npt.NDArray[Any]:  # noqa: N803  # as in scikit-learn
        """The network's inputs for points X of shape (samples, 2): float32 of shape (samples, inputs)."""
        return self.experiment.inputs_of(np.asarray(X))

    @property
    def svg(self) -> str:
        """The present state as a picture, SVG."""
        return picture.drawn(self.experiment)

    def _repr_mimebundle_(self, **unused: Any) -> Any:
        """The widget, and a picture for places where no widget runs, such as a stored notebook."""
        return widget.shown(self)

    def __repr__(self) -> str:
        return self.settings.call()
