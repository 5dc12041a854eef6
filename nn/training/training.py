"""A running training: the training loop, and the state needed to stop and resume it."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

import autodiff as ad
from nn.data import DataLoader
from nn.data.several import called
from nn.functional.origin import warn
from nn.metrics import Metric
from nn.model.parts import Parts
from nn.optim import Optimizer, clip_grad_norm, clip_grad_value
from nn.optim.lr_scheduler import LRScheduler, ReduceLROnPlateau
from nn.optim.program import Update
from nn.parallel.alone import Alone
from nn.report.history import History
from nn.report.progress import Silence
from nn.training import arguments, checkpoint, diagnosis, evaluation, state
from nn.training.arguments import LossFunction, ScheduleMaker
from nn.training.callbacks import Callback
from nn.training.checkpoint import File
from nn.training.diagnosis import DivergedError
from nn.training.interrupting import interruptible
from nn.training.passes import Passes
from nn.training.samples import as_target, conversion
from nn.training.state import generator_state

KEPT = "The model is as it was before this batch, and the error's .history has the epochs so far."


@dataclass(frozen=True)
class Settings:
    """The further arguments of a training; `fit` describes them."""

    schedule: LRScheduler | ScheduleMaker | None
    clip_norm: float | None
    clip_value: float | None
    accumulate: int
    compiled: bool | Literal["fast"]
    callbacks: Sequence[Callback]
    file: File | None  # the path of checkpoints
    file_every: int | None  # batches between two checkpoints, besides those after each epoch
    split_from: Any  # the state of the generator before a share of the data was set aside
    parallel: Alone  # the processes that share the training


class Training:
    """A running training, which callbacks receive and checkpoints store.

    model, optimizer, schedule : those of the training
    history : the finished epochs
    epoch, epochs : the current epoch, counted from 1, and the number of epochs
    batch, batches : the number of batches of the epoch that are done, and the number of all its batches
    value : the last batch's loss, a Tensor; its graph holds everything that the batch computed, unless it was compiled
    outputs, targets : of the last batch; with several processes, value, outputs and targets are of its samples here
    parallel : the processes that share the training; `parallel.leads` is True in the one that prints and writes files
    interrupted : whether Ctrl-C was pressed
    ended : the reason, if the training was stopped early

    >>> def told(training):
    ...     print(training.epoch, "of", training.epochs, "epochs,", training.batches, "batches each")
    >>> X, y = nn.data.gauss(64, rng=0)
    >>> given = dict(loss="cross_entropy", optimizer="adam", callbacks=told, rng=0, verbose=False)
    >>> history = nn.fit(nn.Linear(2, 2, rng=0), X, y, epochs=2, **given)
    1 of 2 epochs, 2 batches each
    2 of 2 epochs, 2 batches each
    """

    value: ad.Tensor
    outputs: Any
    targets: Any
    order: npt.NDArray[Any] | None = None  # the order of this epoch's samples, once it has begun
    ended = ""
    interrupted = False

    def __init__(
        self,
        parts: Parts,
        optimizer: Optimizer,
        loss: LossFunction,
        measures: dict[str, Metric],
        samples: DataLoader,
        held: DataLoader | None,
        epochs: int,
        settings: Settings,
        buffers: set[str],
    ) -> None:
        self.parts, self.model, self.settings = parts, parts.model, settings
        self.parallel = settings.parallel
        self.optimizer, self.loss, self.measures = optimizer, loss, measures
        self.schedule = arguments.scheduled(settings.schedule, optimizer)
        self.callbacks = list(settings.callbacks)
        self.samples, self.held, self.epochs = samples, held, epochs
        self.convert = conversion(parts)
        fast = settings.compiled == "fast"
        self._passes = Passes(parts, loss, optimizer, fast=fast) if settings.compiled else None
        self._update = Update(optimizer, fast) if settings.compiled else None
        self.ignored = arguments.ignored_label(loss, samples, held)
        names = ["loss", *measures]
        self.history = History([*names, *(f"validation_{name}" for name in names)] if held else names)
        self.epoch, self.batch, self.batches = 1, 0, len(samples)
        self.means = evaluation.Means(measures)
        self.seconds = 0.0  # the time of this epoch up to the last batch
        self.split_from = settings.split_from
        self.order_from = generator_state(samples.rng)
        self.shown = Silence(epochs, self.batches)
        trained = {id(t) for t in optimizer.parameters}
        self._others = [t for t in parts.parameters if id(t) not in trained]
        self._names = buffers  # the buffers of the model when the training began
        self._values = np.empty_like(optimizer.flat.value)
        self._still = set(optimizer.flat.tensors)  # the parameters whose adjoint was zero in all batches of this epoch
        self._moved: bool | None = None  # whether any step moved them; None before the first
        self._warned = False

    def stop(self, reason: str) -> None:
        """End the training after the current batch or epoch; the first reason is kept."""
        self.ended = self.ended or reason

    def run(self) -> None:
        """Run the rest of the training."""
        with ExitStack() as end:
            end.callback(self.shown.close)
            end.callback(self.model.eval)
            try:
                for callback in self.callbacks:
                    callback.on_fit_begin(self)
                    end.callback(callback.on_fit_end, self)
                with interruptible(self._asked_to_stop), self.parallel.running(self):
                    while self.epoch <= self.epochs and not self.parallel.over(self):
                        self._epoch()
                self.history.interrupted = self.interrupted  # so that loops around this training know of a late Ctrl-C
                if self.ended:
                    self.shown.keep(f"ended in epoch {self.epoch - (not self.batch)}: {self.ended}")
            except KeyboardInterrupt:
                self.history.interrupted = True
                self.shown.keep(
                    f"interrupted in epoch {self.epoch}; the history holds the {len(self.history)} finished before it"
                )

    def weights(self) -> dict[str, npt.NDArray[Any]]:
        """A copy of the model's parameters, and of the buffers that it had when the training began."""
        late = {name for name, _ in self.model.named_buffers()} - self._names
        return {name: value for name, value in self.model.state_dict().items() if name not in late}

    def load_weights(self, weights: Mapping[str, Any]) -> None:
        """Load a result of `weights` into the model. Raises the errors of `Module.load_state_dict`."""
        own = self.weights().keys() == weights.keys()
        self.model.load_state_dict(weights, strict=not own)

    def state_dict(self) -> dict[str, Any]:
        """All that is needed to continue bit for bit: dicts and lists of arrays, numbers and texts."""
        return state.captured(self)

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Continue from a state that `state_dict` gave.

        Raises ValueError, TypeError or KeyError, and changes nothing, if the state belongs to another training.
        """
        state.put_back(self, state_dict)

    def _epoch(self) -> None:
        began = time.perf_counter() - self.seconds
        self.parallel.align(self.generators())
        if self.order is None:
            self.parts.train(True)
            self.order_from = generator_state(self.samples.rng)
            self.order = self.samples.order()
            self._still = set(self.optimizer.flat.tensors)
            self._call("on_epoch_begin")
        self.parallel.spread(self.generators())
        while self.batch < self.batches:
            if self.parallel.over(self):
                return
            self._poll()
            self._step()
            self.seconds = time.perf_counter() - began
            every = self.settings.file_every
            if every and self.batch // every > (self.batch - self.settings.accumulate) // every:
                self._write()
        values = self._all(self.means)
        if self.held:
            self._poll()
            values |= {f"validation_{name}": v for name, v in self._all(self._validated(self.held)).items()}
        self.history.append(values, self.parallel.shared(lambda: time.perf_counter() - began))
        self.shown.keep(self.history.line(len(self.history), self.epochs))
        if self.schedule is not None and self.schedule.each == "epoch":
            if isinstance(self.schedule, ReduceLROnPlateau):
                self.schedule.step(values.get("validation_loss", values["loss"]))
            else:
                self.schedule.step()
        self._call("on_epoch_end")
        self.parallel.compare(self)
        self.epoch, self.batch, self.order, self.seconds = self.epoch + 1, 0, None, 0.0
        self.means = evaluation.Means(self.measures)
        self._write()

    def _validated(self, held: DataLoader) -> evaluation.Means:
        parts, size = self.parts.current(), max(held.batch_size or held.size, evaluation.AT_ONCE)
        given = self.loss, self.measures, self.convert, self.ignored, self._poll, self.parallel.part
        return evaluation.measured(parts, held, size, *given)

    def _all(self, means: evaluation.Means) -> dict[str, float]:
        """The means over the samples of all processes."""
        self.parallel.collect(means)
        return self.parallel.shared(means.values)

    def generators(self) -> list[np.random.Generator]:
        """The generators of the order of the samples and of the model."""
        return [self.samples.rng, *(rng for _, rng in self.parts.current().named_generators)]

    def _step(self) -> None:
        """Compute the batches of one step of the optimizer, and make that step."""
        assert self.order is not None
        last = min(self.batch + self.settings.accumulate, self.batches)
        batches = [self.samples.batch(self.order, k, self.parallel.part) for k in range(self.batch, last)]
        weights = [arguments.weight(b[1], b[2] if len(b) == 3 else None, self.ignored, self.loss) for b in batches]
        whole = sum(weights)
        before = self._before = self.parts.snapshot()
        self.optimizer.zero_grad()
        for tensor in self._others:
            tensor.grad = None
        self._seen = False
        try:
            with self.parallel.step():
                for batch, weight in zip(batches, weights, strict=True):
                    if weight:
                        self._reverse(batch, weight, self.parallel.seed(weight, whole, len(batches)))
                    elif len(batch[1]):
                        self._without_loss(batch)
                    self.batch += 1
                    self.shown.advance(self.epoch, self.batch)
            whole = self.parallel.reduce(self, whole)
            self._check_adjoints(last)
            if whole:
                self._check_movement()
                self._move(last)
        except Exception:
            before()
            raise

    def _move(self, batch: int) -> None:
        """Move the parameters. Raises DivergedError if the new values are not finite."""
        if self.settings.clip_norm is not None:
            clip_grad_norm(self.optimizer, self.settings.clip_norm)
        if self.settings.clip_value is not None:
            clip_grad_value(self.optimizer, self.settings.clip_value)
        self._call("on_backward")
        vector = self.optimizer.flat.value
        if len(self._values) != len(vector):  # the optimizer was given another group
            self._values = np.empty_like(vector)
        np.copyto(self._values, vector)
        if self._update is None:
            self.optimizer.step()
        else:
            self.optimizer.move(self._update)
        self._moved = self._moved or diagnosis.moved(self._values, vector)
        if not diagnosis.finite(vector):
            vector[...] = self._values
            raise DivergedError(
                f"the step {self._where(batch)} would have made parameters infinite: lr is too large. {KEPT}",
                self.history,
            )
        if self.schedule is not None and self.schedule.each == "step":
            self.schedule.step()
        self._call("on_batch_end")

    def _reverse(self, batch: Sequence[Any], weight: float, share: float | None) -> None:
        """Forward and reverse pass of a batch with this weight, which is the given share of the whole step."""
        self._last = batch
        inputs, targets = batch[:2]
        if self._passes is not None:
            self._passes = self._passes.current()
            self._compiled(self._passes, batch, share)
        else:
            self.outputs, self.targets, self.value = self._forward(batch)
        number = arguments.one_number(self.value)
        if not math.isfinite(number):
            with self.parallel.apart():
                explanation = ad.explain(self.model, of=self._recorded())
            cause = diagnosis.cause(explanation, inputs, targets, self.model)
            message = f"the loss is {number} {self._where(self.batch + 1)}: {cause}. {KEPT}"
            self.parallel.failed(DivergedError(message, self.history, explanation))
        if self._passes is None:
            self.value.backward(None if share is None else np.full(self.value.shape, share, self.value.dtype))
        self.means.add(number, self.outputs, self.targets, weight)
        self._seen = True

    def _without_loss(self, batch: Sequence[Any]) -> None:
        """Forward pass of samples that only metrics use; also a reverse pass if other processes wait for it."""
        outputs = called(self.model, self.convert(batch[0]))
        self.means.add(0.0, outputs, as_target(batch[1], outputs), 0.0)
        if self.parallel.size > 1:
            several = outputs if isinstance(outputs, dict | tuple | list) else [outputs]
            parts = several.values() if isinstance(several, dict) else several
            nothing: Any = sum(0.0 * np.sum(part) for part in parts)
            nothing.backward()

    def _forward(self, batch: Sequence[Any]) -> tuple[Any, Any, ad.Tensor]:
        """The outputs, targets and loss of a batch, recorded."""
        inputs, targets, *weights = batch
        outputs = called(self.model, self.convert(inputs))
        targets = as_target(targets, outputs)
        return outputs, targets, arguments.lost(self.loss, outputs, targets, *weights)

    def _compiled(self, passes: Passes, batch: Sequence[Any], share: float | None) -> None:
        """Both passes of a batch by its program; the adjoints of several batches of one step are summed."""
        value, self.outputs = passes(*batch) if share is None else passes.added(batch, share)
        self.targets, self.value = as_target(batch[1], self.outputs), ad.Tensor(value)

    def _recorded(self) -> ad.Tensor:
        """The last batch's loss with its graph, computed with the model as it was before that batch."""
        if self._passes is None:
            return self.value
        now = self.parts.snapshot()
        self._before()
        try:
            return self._forward(self._last)[2]
        finally:
            now()

    def _check_adjoints(self, batch: int) -> None:
        if stray := diagnosis.stray(self.optimizer, self.model):
            explanation = ad.explain(self.model, of=self._recorded()) if self._seen else None
            brief = f"; {explanation.brief}" if explanation else ""
            raise DivergedError(
                f"the adjoint of {stray} has a NaN or an infinity {self._where(batch)}, though the loss is finite: "
                f"some slope is infinite, as those of sqrt, log and norms are at 0{brief}. {KEPT}",
                self.history,
                explanation,
            )

    def _check_movement(self) -> None:
        """Warn, once, of parameters that nothing reached in the whole epoch, and of steps that moved none."""
        if self._still:
            self._still = diagnosis.still(self.optimizer, self._still)
        if self.batch < self.batches or not self._seen or self._warned:
            return
        said = None
        if self._still:
            said = diagnosis.unreached(self._still, self._recorded(), self.model, self.epoch)
        elif self._moved is False:
            said = diagnosis.unmoved(self.optimizer, self._recorded(), self.model, self.epoch)
        if said:
            self._warned = True
            warn(said)

    def _where(self, batch: int) -> str:
        return f"in epoch {self.epoch}, batch {batch} of {self.batches}"

    def _call(self, moment: str) -> None:
        for callback in self.callbacks:
            getattr(callback, moment)(self)

    def _write(self) -> None:
        file = self.settings.file
        if file is not None:
            self.parallel.collect(self.means)
            self.parallel.align(self.generators())
            self.parallel.shared(lambda: self._put(file))
            self.parallel.spread(self.generators())

    def _put(self, file: File) -> None:
        try:
            checkpoint.write(self.state_dict(), file)
        except OSError as error:
            error.add_note(f"The checkpoint {str(file)!r} was not written; one from before is still whole.")
            raise

    def _asked_to_stop(self) -> None:
        self.interrupted = True

    def _poll(self) -> None:
        if self.parallel.asked(self):
            self._write()
            raise KeyboardInterrupt
