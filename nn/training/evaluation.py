"""A model on many samples, batch by batch, without a gradient: its outputs, its loss and its metrics."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

import autodiff as ad
from nn import metrics as metric_functions
from nn.checked import whole
from nn.data import DataLoader
from nn.data.several import called, cut, joined
from nn.metrics import Metric
from nn.model.module import Module
from nn.model.parts import Parts
from nn.training import arguments, names
from nn.training.arguments import LossFunction
from nn.training.samples import as_target, conversion, loader, numbers, together

Array = npt.NDArray[Any]
AT_ONCE = 1024  # samples: without a graph in memory, larger batches are faster


def predict(model: Module, inputs: Any, batch_size: int = AT_ONCE) -> Any:
    """The model's outputs for all inputs, one sample per row, in evaluation mode and without a gradient.

    Inputs are one array, a tuple of arrays for model(a, b), or a dict of arrays for model(a=..., b=...). Outputs are
    one array, or a dict or tuple of arrays, as the model returns them.
    Inputs are converted to the dtype of the model's parameters, in batches of `batch_size` samples.

    >>> nn.predict(nn.MLP(2, 8, 3, rng=0), np.zeros((5, 2))).shape
    (5, 3)
    """
    arguments.modelled(model)
    rows = numbers(inputs, "X", "predict's data")
    size = whole(batch_size, "batch_size")
    parts = Parts(model)
    convert = conversion(parts)
    with parts.evaluating():
        starts = range(0, len(rows), size) or (0,)
        outputs = [called(model, convert(rows[k : k + size])) for k in starts]
    return joined(outputs)


@together
def evaluate(
    model: Module,
    data: Any,
    loss: LossFunction | str | None = None,
    metrics: str | Metric | Sequence[str | Metric] | None = (),
    *,
    batch_size: int = AT_ONCE,
) -> dict[str, float]:
    """The mean loss and the metrics over all samples, by name, in evaluation mode and without a gradient.

    `data` is (X, y), (X, y, sample_weight) or a DataLoader, or X and y are passed separately. The other arguments are
    those of `fit`.

    >>> X, y = nn.data.gauss(100, noise=0.05, rng=0)
    >>> sorted(nn.evaluate(nn.Linear(2, 2, rng=0), X, y, "cross_entropy", "accuracy"))
    ['accuracy', 'loss']
    """
    arguments.modelled(model)
    arguments.check_loss(loss)
    samples = loader(data, "data", whole(batch_size, "batch_size"))
    parts = Parts(model)
    function = names.loss(loss, parts, samples.arrays[0])
    ignored = arguments.ignored_label(function, samples)
    measures = metric_functions.chosen(metrics, getattr(function, "threshold", 0.5), ignored)
    size = samples.batch_size or samples.size
    return measured(parts, samples, size, function, measures, conversion(parts), ignored).values()


def measured(
    parts: Parts,
    loader: DataLoader,
    size: int,
    loss: Callable[..., Any],
    measures: dict[str, Metric],
    convert: Callable[[Any], Any],
    ignored: int | None,
    poll: Callable[[], None] = lambda: None,
    part: tuple[int, int] = (0, 1),
) -> Means:
    """Loss and metrics over a loader's samples, in order, in batches; `poll` is called before each batch.

    With part=(i, n) only the i-th of n parts of the samples is used.
    """
    means, model = Means(measures), parts.model
    first, last = (loader.size * i // part[1] for i in (part[0], part[0] + 1))
    with parts.evaluating():
        for start in range(first, last, size):
            poll()
            batch = [cut(a, slice(start, min(start + size, last))) for a in loader.arrays]
            inputs, targets, *weights = batch
            outputs = called(model, convert(inputs))
            targets = as_target(targets, outputs)
            weight = arguments.weight(targets, weights[0] if weights else None, ignored, loss)
            value = arguments.lost(loss, outputs, targets, *weights) if weight else 0.0
            means.add(arguments.one_number(value, recorded=False), outputs, targets, weight)
    return means


class Means:
    """The loss and the metrics of an epoch, collected batch by batch.

    Means over samples are summed; for other metrics (F1, R² ...) outputs and targets are kept until the end.
    """

    def __init__(self, measures: dict[str, Metric]) -> None:
        self.measures = measures
        self.averaged = [name for name, measure in measures.items() if metric_functions.additive(measure)]
        self.restore(dict.fromkeys(["loss", *self.averaged], 0.0), 0.0, 0, [])

    def restore(self, sums: dict[str, float], weight: float, count: int, kept: list[tuple[Array, Array]]) -> None:
        """Continue from these sums."""
        self.sums, self.weight, self.count, self.kept = dict(sums), weight, count, list(kept)

    def add(self, loss: float, outputs: Any, targets: Array, weight: float) -> None:
        """Add a batch; its loss is weighted by `weight`, its metrics by the number of its samples."""
        count = len(targets)
        self.weight += weight
        self.count += count
        self.sums["loss"] += loss * weight
        if self.measures:
            plain = ad.to(ad.stop_gradient(outputs), "cpu")
            for name in self.averaged:
                self.sums[name] += arguments.measured(name, self.measures[name], plain, targets) * count
            if len(self.averaged) < len(self.measures):
                self.kept.append((np.array(arguments.one_array(plain, "a metric")), np.array(targets)))

    def values(self) -> dict[str, float]:
        """The loss, and each metric by name."""
        found = {"loss": self.sums["loss"] / self.weight if self.weight else math.nan}
        together = [np.concatenate(parts) for parts in zip(*self.kept, strict=True)]
        for name, measure in self.measures.items():
            averaged = name in self.sums
            found[name] = (
                self.sums[name] / max(self.count, 1) if averaged else arguments.measured(name, measure, *together)
            )
        return found
