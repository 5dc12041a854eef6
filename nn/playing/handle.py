"""`nn.playground`: the experiment in Python's hands, and the view of it in a notebook's cell."""

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
    noise, samples, train, data_seed : of the data: standard deviation of the noise; how many; the share to train on,
        0.1 to 0.9; the seed it is drawn with
    inputs : what the network sees, some of "x1", "x2", "x1^2", "x2^2", "x1*x2", "sin(x1)", "sin(x2)" (sines of πx)
    layers : how many neurons each hidden layer has, at most 8 layers of 10: (4, 2)
    activation : "tanh", "relu", "sigmoid", "leaky_relu", "elu", "gelu", "silu" or "linear"
    loss : "bce", "mse" or "hinge" of two classes; "mse", "huber" or "l1" of a regression; by default the first
    optimizer, lr, batch_size : "sgd", "momentum", "rmsprop", "adagrad" or "adam"; the step size; samples per batch
    l1, l2 : strengths of the penalties of large weights
    dropout, batch_norm, skip : the share of neurons that is dropped; batch normalisation before each activation; skip
        connections around each layer that has as many neurons as the one before
    init, seed : "he_uniform", "xavier_uniform", "lecun_uniform", "orthogonal" or "zeros"; the seed of the weights and
        of the order of the samples

    Gives a `Playground`. It trains while its cell is shown and plays, or by `train`. Raises TypeError for a setting
    that there is not, TypeError or ValueError for one out of range. Shown in a notebook it needs the extra `notebook`;
    `python -m nn playground` serves it as a page (extra `playground`).

    >>> play = nn.playground("spiral", layers=(8, 8), activation="tanh", lr=0.03).train(epochs=3)
    >>> len(play.history)
    3
    """
    return Playground(data, **settings)


class Playground:
    """An experiment, shown in a notebook by a widget; what `nn.playground` gives and documents.

    Whatever is changed in the cell is changed here: `settings`, `model` and `history` are always those that are seen.
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
        """What the training began from, and can be begun from again."""
        return self.experiment.settings

    @property
    def model(self) -> nn.Sequential:
        """The network as it is now: `nn.predict(play.model, play.inputs(X)) > 0` says the second class."""
        return self.experiment.model

    @property
    def history(self) -> nn.History:
        """The losses and accuracies of training and test data after every epoch."""
        return self.experiment.history

    @property
    def code(self) -> str:
        """A program that builds exactly this network and trains it for as many epochs."""
        return self.experiment.code()

    def train(self, epochs: int = 1) -> Playground:
        """Train on so many epochs; gives itself, for a cell to show. Cells that show it already follow."""
        self.experiment.train(whole(epochs, "epochs", 0))
        for view in self.views:
            view.send({"changed": True})
        return self

    def inputs(self, X: npt.ArrayLike) -> npt.NDArray[Any]:  # noqa: N803  # as in scikit-learn
        """What the network is given of points X of shape (samples, 2): float32 of shape (samples, inputs)."""
        return self.experiment.inputs_of(np.asarray(X))

    @property
    def svg(self) -> str:
        """What is seen now, as a picture."""
        return picture.drawn(self.experiment)

    def _repr_mimebundle_(self, **unused: Any) -> Any:
        """The widget, and a picture for where no widgets run: the page of a stored notebook."""
        return widget.shown(self)

    def __repr__(self) -> str:
        return self.settings.call()
