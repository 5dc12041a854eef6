"""`fit`: a training from its arguments to its history."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from nn import hints
from nn import metrics as metric_functions
from nn.checked import real, switch, whole
from nn.data import DataLoader
from nn.functional.origin import warn
from nn.init import Rng, generator
from nn.metrics import Metric
from nn.model.module import Module
from nn.model.parts import Parts
from nn.optim import Optimizer
from nn.optim.lr_scheduler import LRScheduler
from nn.parallel.alone import Alone
from nn.parallel.running import surrounded
from nn.report.history import History
from nn.report.progress import progress
from nn.training import arguments, names
from nn.training.arguments import LossFunction, OptimizerMaker, ScheduleMaker
from nn.training.callbacks import Callback, EarlyStopping, called_back
from nn.training.checkpoint import File, read, writable
from nn.training.samples import Conversion, conversion, loaders, together
from nn.training.state import generator_state, set_state
from nn.training.training import Settings, Training

REHEARSED = 32  # the most samples on which everything is tried before the first step


@hints.also("fit", {}, hints.FIT)
@together
@surrounded
@np.errstate(all="ignore")  # DivergedError replaces NumPy's warnings
def fit(
    model: Module,
    data: tuple[npt.ArrayLike, ...] | DataLoader,
    loss: LossFunction | str | None = None,
    optimizer: Optimizer | OptimizerMaker | str | None = None,
    *,
    epochs: int = 10,
    batch_size: int | None = None,
    shuffle: bool = True,
    validation: tuple[npt.ArrayLike, ...] | DataLoader | float | None = None,
    metrics: str | Metric | Sequence[str | Metric] | None = (),
    sample_weight: npt.ArrayLike | None = None,
    schedule: LRScheduler | ScheduleMaker | None = None,
    clip_norm: float | None = None,
    clip_value: float | None = None,
    accumulate: int = 1,
    compiled: bool | Literal["fast"] = False,
    callbacks: Callback | Callable[[Training], Any] | Sequence[Callback | Callable[[Training], Any]] = (),
    checkpoint: File | None = None,
    checkpoint_every: int | None = None,
    resume: File | None = None,
    rng: Rng = None,
    verbose: bool = True,
    parallel: Alone | None = None,
    threads: int | None = None,
) -> History:
    """Train a model on samples, in new mini-batches in each epoch. The model is changed in place.

    It is in training mode during the batches, and in evaluation mode during the validation and afterwards.

    Parameters
    ----------
    model : a Module that gives a batch of outputs for a batch of inputs
    data : (X, y) or (X, y, sample_weight), one sample per row, or a DataLoader of such arrays; X is converted to the
        dtype of the model's parameters (except integers for an Embedding). fit(model, X, y, ...) is the same as
        fit(model, (X, y), ...). Several inputs are a tuple X = (a, b), for model(a, b), or a dict, for
        model(a=..., b=...); several targets likewise, for a loss of the model's outputs and these targets
    loss : a function of (outputs, targets) that gives the mean over the batch, such as nn.CrossEntropyLoss(), or a
        name. The named cross-entropies, "cross_entropy" and "bce" or Keras's, take the model's outputs, whether logits
        or probabilities of this package's softmax or sigmoid; other names are "mse", "mae", "huber" ...
    optimizer : such as nn.optim.Adam(model.parameters(), lr=1e-3), a function of the parameters that makes one, or a
        name such as "adam", with its usual step size
    epochs : the total number of passes through the data, including those before a resumption
    batch_size : samples per step, by default 32; the last batch of an epoch may be smaller, and then has less weight in
        the means
    shuffle : whether each epoch goes through the samples in a new order; of a DataLoader it is its own that counts
    validation : data to be evaluated after each epoch, or the share of the data to be set aside for it: at random, or
        without `shuffle` the last samples
    metrics : names ("accuracy") or functions of (outputs, targets) that give a number; one's own are called once an
        epoch, with those of all its samples, which are kept until then
    sample_weight : how much each sample counts, from 0: the loss is the mean weighted by it
    schedule : of the step size, such as nn.optim.CosineAnnealingLR(optimizer, 10), or a function that makes one of the
        optimizer; stepped after every epoch or every step, as its `each` says
    clip_norm, clip_value : the most that the gradient's norm, or each of its elements, may be at a step
    accumulate : batches whose gradients make one step together: the gradient of their union
    compiled : whether to make a NumPy program of forward pass, loss and reverse pass (nn.TrainStep says more), by the
        first batch of each shape: the same results to rounding, and faster where the network is small. Callbacks then
        see outputs and a loss without a graph. TypeError, with the line, for a model that cannot be compiled. With
        compiled="fast" the program has kernels that Numba compiles (`ad.compile(f, fast=True)`)
    callbacks : nn.EarlyStopping(...), other Callbacks, or functions called with the Training after each epoch
    checkpoint : a file to write after every epoch, every `checkpoint_every` batches, and on Ctrl-C
    resume : such a file to continue from, bit for bit as if the training had never stopped: with the same data and
        arguments, a model built in the same way, and the same versions of Python and NumPy on the same kind of machine
    rng : the order of the samples: a numpy.random.Generator, an int seed, or None; the same seed gives the same bits
    verbose : whether to show one line per epoch
    parallel : nn.MPI(), for a training that several processes share, each started with the same program
    threads : the number of threads of BLAS, which computes matrix products, during the training, in the whole process:
        small networks are fastest on one. It needs threadpoolctl

    Ctrl-C ends the training after the current batch and returns the history so far. Raises DivergedError, with epoch,
    batch and cause, if the training loss, an adjoint or a step is not finite; a validation loss or a metric that is not
    finite is kept in the history. NumPy's warnings of overflows and NaNs are silent during the training. Raises
    ValueError and TypeError, before anything is changed, for arguments that do not fit together: model, loss and
    metrics are tried on a few samples first.

    >>> X, y = nn.data.moons(200, rng=0)
    >>> model = nn.MLP(2, 16, 2, rng=0)
    >>> optimizer = nn.optim.Adam(model.parameters(), lr=0.05)
    >>> given = dict(epochs=20, metrics="accuracy", rng=0, verbose=False)
    >>> history = nn.fit(model, (X, y), nn.CrossEntropyLoss(), optimizer, **given)
    >>> history["accuracy"][-1] > 0.9
    True
    """
    parts = arguments.trainable(model)
    epochs = whole(epochs, "epochs")
    metric_functions.chosen(metrics)  # raises an error for unknown metrics, before the data is read
    if not isinstance(verbose, bool | np.bool):
        raise TypeError(f"verbose is whether to show a line per epoch; received {verbose!r:.80}. Write verbose=False.")
    arguments.check_loss(loss)
    optimizer = arguments.known_optimizer(optimizer)
    arguments.check_schedule(schedule)
    if checkpoint_every is not None and checkpoint is None:
        raise TypeError("checkpoint_every says how often to write the file checkpoint=, which was not given.")
    assert parallel is not None  # `surrounded` has set it
    draws = generator(rng)
    parallel.align([draws])
    found = None if resume is None else parallel.shared(lambda: read(resume))
    if found:
        set_state(draws, found["split_from"])
    settings = Settings(
        schedule=schedule,
        clip_norm=None if clip_norm is None else real(clip_norm, "clip_norm", above=True),
        clip_value=None if clip_value is None else real(clip_value, "clip_value", above=True),
        accumulate=whole(accumulate, "accumulate"),
        compiled="fast" if isinstance(compiled, str) and compiled == "fast" else switch(compiled, "compiled"),
        callbacks=called_back(callbacks),
        file=checkpoint if checkpoint is None or not parallel.leads else writable(checkpoint),
        file_every=None if checkpoint_every is None else whole(checkpoint_every, "checkpoint_every, in batches,"),
        split_from=generator_state(draws),
        parallel=parallel,
    )
    convert = conversion(parts)
    shuffled = switch(shuffle, "shuffle")
    samples, held = loaders(data, validation, sample_weight, batch_size, shuffled, draws, convert)
    put_back = parts.snapshot(draws)  # the model may use the same generator
    try:
        function = names.loss(loss, parts, samples.arrays[0])
        weighted = len(samples.arrays) == 3 or (held is not None and len(held.arrays) == 3)
        arguments.check_loss(function, weighted)
        ignored = arguments.ignored_label(function, samples, held)
        measures = metric_functions.chosen(metrics, getattr(function, "threshold", 0.5), ignored)
        with parallel.rehearsing():
            _rehearse(parts, function, measures, convert, samples, held)
    finally:
        put_back()
    known, buffers = parts.parameters, {name for name, _ in parts.named_buffers}
    parts = parts.current()
    late = {name for name, _ in parts.named_buffers} - buffers
    if late and (checkpoint is not None or any(isinstance(c, EarlyStopping) for c in settings.callbacks)):
        warn(
            f"the arrays {', '.join(sorted(late))} came with the model's first call, and are kept neither in "
            "checkpoints nor with the best weights. Make them in __init__; if nothing depends on them, let their names "
            "begin with _."
        )
    stepper = arguments.made(optimizer, known, parts)
    training = Training(parts, stepper, function, measures, samples, held, epochs, settings, buffers)
    if found:
        try:
            training.load_state_dict(found)
        except (KeyError, ValueError, TypeError) as error:
            error.add_note(f"The state came from {str(resume)!r}.")
            raise
    done = (training.epoch - 1) * training.batches + training.batch
    training.shown = progress(epochs, training.batches, bool(verbose) and parallel.leads, done)
    training.run()
    return training.history


def _rehearse(
    parts: Parts,
    loss: LossFunction,
    measures: dict[str, Metric],
    convert: Conversion,
    samples: DataLoader,
    held: DataLoader | None,
) -> None:
    """Try everything on the first rows, in training and, if there is validation, in evaluation."""
    for rows in _sizes(samples):
        with parts.mode(training=True):
            arguments.rehearse(parts.model, loss, measures, convert, samples, rows, "data")
    if held:
        with parts.evaluating():
            arguments.rehearse(parts.model, loss, measures, convert, held, REHEARSED, "validation")


def _sizes(samples: DataLoader) -> list[int]:
    """The numbers of samples to rehearse with: a batch, and 1 if an epoch ends with a batch of one."""
    size = samples.batch_size or samples.size
    last = [1] if samples.size % size == 1 and size > 1 and not samples.drop_last else []
    return [min(size, samples.size, REHEARSED), *last]
