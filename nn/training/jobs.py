"""Trainings that may run in any process: the job that is sent to a worker, and the outcome that comes back.

A job has arrays, and a function that makes the model; an outcome has the model's state by name. Graphs and models are
not sent.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from nn.data import DataLoader
from nn.data.several import cut
from nn.model.module import Module
from nn.report.history import History
from nn.training.callbacks import EarlyStopping, called_back, monitored
from nn.training.diagnosis import DivergedError
from nn.training.evaluation import predict
from nn.training.fitting import fit
from nn.training.state import generator_state, set_state

if TYPE_CHECKING:
    from nn.training.training import Training

Array = npt.NDArray[Any]


class Job(NamedTuple):
    """A training of a model that begins from a seed.

    make : a function of a generator that makes the model
    seed : the seed of that generator, which also draws the order of the samples
    data : the training data, as `fit` takes it
    arguments : the other arguments of `fit`, by name
    monitor : the column of the history that is the score, or None for the default
    rows : the indices of the training samples, and of the validation samples, if the data is to be divided
    options : the options that a search has chosen for this training, by name
    """

    make: Callable[[np.random.Generator], Module]
    seed: int
    data: Any
    arguments: dict[str, Any]
    monitor: str | None = None
    rows: tuple[Array, Array] | None = None
    options: Mapping[str, Any] = {}


class Outcome(NamedTuple):
    """The result of a training.

    epoch : the epoch whose weights the model has, counted from 1; 0 if none was finished
    score : the monitored number of that epoch; NaN if the training diverged
    monitor : the name of the monitored column
    failure : the error of a training that diverged
    model : None if the training ran in another process; `state` and `generators` then hold its state, by name
    """

    history: History
    epoch: int
    score: float
    monitor: str
    failure: DivergedError | str | None = None
    model: Module | None = None
    state: Mapping[str, Array] = {}
    generators: Mapping[str, Any] = {}


def trained(job: Job, seen: Callable[[Training], Any] = lambda training: None) -> Outcome:
    """Train in this process; `seen` is called after each epoch."""
    random = np.random.default_rng(job.seed)
    model = job.make(random)
    given = dict(job.arguments)
    listed = called_back(given.pop("callbacks", ()))
    data = job.data
    if isinstance(data, DataLoader):  # a copy, so that each training begins with the same state of the generator
        data = copy.copy(data)
        data.rng = copy.deepcopy(data.rng)
    if job.rows is not None:
        data, given["validation"] = (tuple(a[places] for a in data) for places in job.rows)
    monitor = job.monitor or ""

    def watched(training: Training) -> None:
        nonlocal monitor
        monitor = monitored(job.monitor, training.history)
        seen(training)

    failure = None
    try:
        history = fit(model, data, rng=random, verbose=False, callbacks=[*listed, *called_back(watched)], **given)
    except DivergedError as error:
        history, failure = error.history, error
    monitor = monitor or monitored(None, history)
    epoch = len(history)
    for callback in listed:
        if isinstance(callback, EarlyStopping) and callback.restore_best:
            epoch = callback.best_epoch
    score = history[monitor][epoch - 1] if epoch and not failure else math.nan
    return Outcome(history, epoch, score, monitor, failure, model)


def sent(job: Job) -> Outcome:
    """Train in another process or thread, with copied callbacks; the outcome can be sent."""
    apart = {"callbacks": copy.deepcopy(job.arguments.get("callbacks", ()))}
    outcome = trained(job._replace(arguments=job.arguments | apart))
    assert outcome.model is not None
    return outcome._replace(
        failure=str(outcome.failure) if outcome.failure else None,
        model=None,
        state=outcome.model.state_dict(),
        generators={name: generator_state(rng) for name, rng in outcome.model.named_generators()},
    )


def model_of(job: Job, outcome: Outcome) -> Module:
    """The model of an outcome; made again if the training ran in another process."""
    if outcome.model is not None:
        return outcome.model
    model = job.make(np.random.default_rng(job.seed))
    if model.state_dict().keys() != outcome.state.keys():  # some layers get parameters only at their first input
        inputs = job.data.arrays[0] if isinstance(job.data, DataLoader) else job.data[0]
        predict(model, cut(inputs, slice(1)))
    model.load_state_dict(outcome.state)
    for name, rng in model.named_generators():
        set_state(rng, outcome.generators[name])
    return model.eval()
