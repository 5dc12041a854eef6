"""Watching a training: gradients, activations and updates of every layer, step by step."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

import autodiff as ad
from nn.checked import whole
from nn.model.module import Module
from nn.report import panels
from nn.report.activity import activations, measured
from nn.report.history import aligned
from nn.report.plotting import subplots
from nn.report.progress import Output, in_notebook
from nn.training import arguments
from nn.training.callbacks import Callback

if TYPE_CHECKING:
    from nn.training.training import Training

Array = npt.NDArray[Any]

REFRESH = 1.0  # seconds between two drawings, at least
DRAWN, LOOKED = 25, 40  # the wait after a drawing, or a look, in multiples of its time: 4 and 2.5 % of the time
LOOKS = 1000  # the most looks, so that a long training does not collect too many


class watch(Callback):  # noqa: N801  # it reads as a verb: nn.watch(model)
    """Per layer, over the steps of a training: gradients, activations, updates and dead units.

    A layer is a Module that has parameters itself. In `fit` use a callback, `fit(..., callbacks=nn.watch(model))`; in
    your own loop call `record` after every step:

    >>> model, (X, y) = nn.MLP(2, 8, 2, rng=0), nn.data.moons(64, rng=0)
    >>> optimizer = nn.optim.Adam(model.parameters())
    >>> with nn.watch(model, every=1) as watched:
    ...     for x, labels in nn.data.DataLoader(X, y, batch_size=32):
    ...         loss = F.cross_entropy(model(x), labels)
    ...         optimizer.zero_grad()
    ...         loss.backward()
    ...         optimizer.step()
    ...         watched.record(loss)
    >>> watched.steps
    [1, 2]

    Parameters
    ----------
    model : the model that is trained, or a part of it
    every : the number of steps from one record to the next; by default as many as keep the cost at about 3 % of the
        time
    live : whether a notebook shows the picture, in one output that is redrawn at most once a second and for at most
        4 % of the time, and once more at the end

    `steps` are the recorded steps, counted from 1. These dicts have, for each layer's name, a list with one number per
    recorded step:

    gradient_norms : the Euclidean norm of the gradient of its parameters, as the optimizer saw it
    update_ratios : the norm of the step's change of its parameters, divided by their norm; about 1e-3 is healthy
    activation_means, activation_stds : over the elements of its activation. This is its output after the relu, sigmoid
        or tanh that follows, if there is one without a branch and before the next layer
    dead : for a relu, the share of units (of channels, after a convolution) that are 0 for the whole batch; for sigmoid
        and tanh, the share of elements where the slope is below 5 % of the steepest

    Missing numbers are NaN. Everything is read from the graph of the loss, so outputs that the loss does not depend on
    are not seen. `print` shows the last numbers; a notebook shows the picture.
    """

    def __init__(self, model: Module, every: int | None = None, *, live: bool = True) -> None:
        arguments.modelled(model)
        self.model, self.live = model, live
        self.every = None if every is None else whole(every, "watch: every, in steps,")
        self.step = 0
        self.steps: list[int] = []
        self.layers: dict[str, tuple[Module, list[ad.Tensor]]] = {}
        self.gradient_norms: dict[str, list[float]] = {}
        self.update_ratios: dict[str, list[float]] = {}
        self.activation_means: dict[str, list[float]] = {}
        self.activation_stds: dict[str, list[float]] = {}
        self.dead: dict[str, list[float]] = {}
        self._output: Output | None = None
        self._redraw = 0.0  # the time of the next drawing, by the clock; the same for
        self._cost = math.inf
        self._next = self._started = time.perf_counter()
        self._before: dict[str, list[Array]] | None = None  # the layers' parameters before a step that is recorded
        self._begin()

    def record(self, loss: ad.Tensor) -> None:
        """Note a step. Call it once after each `optimizer.step()`, with the loss whose `backward` was called."""
        if not isinstance(loss, ad.Tensor):
            raise TypeError(
                f"watch.record reads the graph of the loss, a Tensor; received a {type(loss).__name__}. Pass the "
                "Tensor that backward() was called on."
            )
        self.step += 1
        began = time.perf_counter()
        if self._before is not None:
            before = self._before
            if not self.layers:  # layers without a number of inputs get their parameters at the first batch
                self._begin()
            with np.errstate(all="ignore"):
                self._read(loss, before)
            self._before = None
            now = time.perf_counter()
            self._cost = min(now - began, 2 * self._cost)  # limited, so that one slow look does not stop the next ones
            self._next = now + max(LOOKED * self._cost, (now - self._started) / LOOKS)
            self._refresh(now)
        if self.step % self.every == 0 if self.every else began >= self._next:
            self._before = self._values()

    def _begin(self) -> None:
        """Find the layers, and keep their parameters before the first step."""
        modules = dict(self.model.named_modules())
        found: dict[str, list[ad.Tensor]] = {}
        for name, tensor in self.model.named_parameters():
            owner = name.rpartition(".")[0]
            while owner not in modules:  # a parameter in a list or dict
                owner = owner.rpartition(".")[0]
            found.setdefault(owner, []).append(tensor)
        self.layers = {name or type(self.model).__name__: (modules[name], found[name]) for name in found}
        self._names = dict.fromkeys(map(id, modules.values()), "")
        self._names |= {id(module): name for name, (module, _) in self.layers.items()}
        for series in self._series().values():
            for name in self.layers:
                series.setdefault(name, [math.nan] * len(self.steps))
        if self.every is None or self.step % self.every == 0:
            self._before = self._values()

    def _series(self) -> dict[str, dict[str, list[float]]]:
        return {
            "gradient_norms": self.gradient_norms,
            "update_ratios": self.update_ratios,
            "activation_means": self.activation_means,
            "activation_stds": self.activation_stds,
            "dead": self.dead,
        }

    def _values(self) -> dict[str, list[Array]]:
        return {name: [t.value.copy() for t in tensors] for name, (_, tensors) in self.layers.items()}

    def _read(self, loss: ad.Tensor, values: dict[str, list[Array]]) -> None:
        self.steps.append(self.step)
        found = activations(loss, self._names)
        for name, means in self.activation_means.items():
            _, tensors = self.layers.get(name, (None, []))
            gradients = [t.grad for t in tensors if t.grad is not None]
            self.gradient_norms[name].append(_norm(gradients) if gradients else math.nan)
            before = values.get(name, [])
            size = _norm(before)
            moved = _norm([t.value - b for t, b in zip(tensors, before, strict=True)]) if size else math.nan
            self.update_ratios[name].append(moved / size if size else math.nan)
            mean, deviation, dead = measured(*found[name]) if name in found else (math.nan,) * 3
            means.append(mean)
            self.activation_stds[name].append(deviation)
            self.dead[name].append(dead)

    # -- as a callback ------------------------------------------------------------------------------------------------

    def on_fit_begin(self, training: Training) -> None:
        """Find the layers again: some may have got parameters since, or were frozen before."""
        if all(module is not self.model for module in training.model.modules()):
            raise ValueError(
                f"watch was made for a {type(self.model).__name__} that is not the model that is trained, a "
                f"{type(training.model).__name__}, or in it. Write callbacks=nn.watch(model) with that one."
            )
        self._begin()

    def on_batch_end(self, training: Training) -> None:
        """Note the step."""
        self.record(training.value)

    def on_fit_end(self, training: Training) -> None:
        """Show the last state."""
        self.close()

    def state_dict(self) -> dict[str, Any]:
        """All recorded numbers."""
        series = {kind: {name: np.array(s) for name, s in by.items()} for kind, by in self._series().items()}
        return {"step": self.step, "steps": np.array(self.steps, np.int64), **series}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue after the recorded numbers."""
        self.step, self.steps = int(state["step"]), [int(step) for step in state["steps"]]
        for kind, by in self._series().items():
            by.clear()
            by.update({name: list(map(float, numbers)) for name, numbers in state[kind].items()})

    # -- what is shown ------------------------------------------------------------------------------------------------

    def __enter__(self) -> watch:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()

    def close(self) -> None:
        """Draw the last state in a notebook. The ends of `with` and of `fit` call it."""
        if self._output:
            self._draw(self._output)
            self._output = None  # another training gets its own output

    def _refresh(self, now: float) -> None:
        if not self.live or not (self._output or in_notebook()):
            return
        if self._output is None:
            self._output = Output({"text/plain": ""})
            self._draw(self._output)
            self._redraw = time.perf_counter() + REFRESH  # counted from now, since the first drawing imports Matplotlib
        elif now >= self._redraw:
            self._draw(self._output)

    def _draw(self, output: Output) -> None:
        began = time.perf_counter()
        output.show(*self._repr_mimebundle_())
        now = time.perf_counter()
        self._redraw = now + max(REFRESH, DRAWN * (now - began))

    def _labels(self) -> dict[str, str]:
        """The layers' names, and their labels, which include the class."""
        return {n: n if n == type(m).__name__ else f"{n} {type(m).__name__}" for n, (m, _) in self.layers.items()}

    def plot(self, axes: Any = None) -> Any:
        """Draw the picture. Returns Matplotlib's axes; `axes` are axes to draw into, one for each panel.

        The panels are the gradient norms, update ratios with a line at 1e-3, activation's standard deviations, and
        dead shares if there are any. A point of a long training is the mean over several steps.
        """
        series = self._series()
        axes, drawn = subplots([p.label for p in panels.chosen(series)], axes, panels.WIDTH, panels.HEIGHT)
        panels.draw(drawn, self._labels(), self.steps, series)
        return axes

    def _repr_mimebundle_(self, **choice: Any) -> tuple[dict[str, str], dict[str, Any]]:
        shown, sizes = {"text/plain": repr(self)}, {}
        if self.steps:
            with suppress(Exception):  # without Matplotlib the recorded numbers are still there
                picture, size = panels.png(self._labels(), self.steps, self._series())
                shown["image/png"], sizes["image/png"] = picture, size
        return shown, sizes

    def __repr__(self) -> str:
        if not self.steps:
            return f"watch of {len(self.layers)} layers; no step was recorded yet"
        head = ["layer", "gradient norm", "update / weight", "activation mean", "std", "dead"]
        body = []
        for name, label in self._labels().items():
            numbers = [series[name][-1] for series in self._series().values()]
            cells = ["-" if math.isnan(number) else f"{number:.3g}" for number in numbers[:-1]]
            share = "-" if math.isnan(numbers[-1]) else f"{numbers[-1]:.0%}"
            body.append([label, *cells, share])
        return f"step {self.steps[-1]}\n{aligned([head, *body])}"


def _norm(arrays: list[Array]) -> float:
    return math.sqrt(sum(float(np.vdot(a, a).real) for a in arrays))
