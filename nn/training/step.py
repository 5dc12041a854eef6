"""A training step as one program: forward pass, loss, reverse pass, clipping and the optimizer's update."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import autodiff as ad
from nn.checked import real
from nn.model.module import Module
from nn.optim import Optimizer
from nn.optim.clipping import limited, norm_limited
from nn.optim.program import Moving, Update
from nn.optim.run import Run
from nn.training import arguments
from nn.training.arguments import LossFunction
from nn.training.passes import MOST, Passes
from nn.training.samples import numbers


class TrainStep:
    """A model's training step as one straight-line NumPy program, made for the first batch of each shape.

    Parameters
    ----------
    model : computes a batch of outputs from a batch of inputs; it stays in its mode, training or evaluation
    loss : a function of (outputs, targets) that returns the mean over the batch, such as nn.CrossEntropyLoss()
    optimizer : of the model's parameters, such as nn.optim.Adam(model.parameters(), lr=1e-3); its options, such as
        the step size, may change from step to step
    clip_norm, clip_value : the maximum of the gradient's norm, or of each element's magnitude
    fast : whether elementwise steps run as kernels that Numba compiles, as with ad.compile(f, fast=True)

    A call, `step(x, y)` or `step(x, y, sample_weight)`, moves the parameters and gives the loss before, a float. Its
    numbers are those of `backward` and `optimizer.step`, to rounding. Masks of dropout are drawn from the model's own
    generators, and running averages move, at each call. Checks of numbers that the model computes are made with the
    first batch of each shape alone. What freezes a layer, or changes a number or a generator of nn's own layers and
    losses, makes another program. Arrays that are no attributes of the model or the loss are constants, and so are the
    numbers of Modules of your own; a model that is given other layers needs another TrainStep.

    Raises TypeError, with the line, if the model or the loss needs the value of a number: a branch, `.item()`.

    >>> model = nn.MLP(4, 8, 3, rng=0)
    >>> step = nn.TrainStep(model, nn.CrossEntropyLoss(), nn.optim.Adam(model.parameters(), lr=0.01))
    >>> X, y = np.ones((64, 4), np.float32), np.arange(64) % 3
    >>> losses = [step(x, labels) for x, labels in nn.data.DataLoader(X, y, batch_size=32)]
    >>> len(losses)
    2
    """

    def __init__(
        self,
        model: Module,
        loss: LossFunction,
        optimizer: Optimizer,
        *,
        clip_norm: float | None = None,
        clip_value: float | None = None,
        fast: bool = False,
    ) -> None:
        parts = arguments.trainable(model)
        arguments.check_loss(loss)
        if not callable(loss) or not isinstance(optimizer, Optimizer):
            raise TypeError(
                "TrainStep takes a loss that is a function, and an optimizer; received "
                f"{loss!r:.80} and {optimizer!r:.80}. Write nn.TrainStep(model, nn.CrossEntropyLoss(), "
                "nn.optim.Adam(model.parameters(), lr=1e-3))."
            )
        self.optimizer = arguments.made(optimizer, parts.parameters, parts)
        self.model, self.loss = model, loss
        self._clips: dict[str, Clip] = {}
        self._ready: Ready | None = None
        self.clip_norm, self.clip_value = clip_norm, clip_value
        self._passes, self._update = (
            Passes(parts, loss, self.optimizer, outputs=False, fast=fast),
            Update(self.optimizer, fast),
        )
        self._wholes: dict[tuple[Any, ...], Any] = {}  # programs of a whole step; the keys name their parts
        self._last: Any = self._passes.compiled

    @property
    def clip_norm(self) -> float | None:
        """The maximum of the gradient's norm, or None; it may be assigned between steps."""
        return self._bound("clip_norm")

    @clip_norm.setter
    def clip_norm(self, bound: float | None) -> None:
        self._clip("clip_norm", norm_limited, bound)

    @property
    def clip_value(self) -> float | None:
        """The maximum magnitude of the gradient's elements, or None; it may be assigned between steps."""
        return self._bound("clip_value")

    @clip_value.setter
    def clip_value(self, bound: float | None) -> None:
        self._clip("clip_value", limited, bound)

    def _bound(self, name: str) -> float | None:
        return self._clips[name].bound if name in self._clips else None

    def _clip(self, name: str, by: Callable[..., None], bound: float | None) -> None:
        clips = {known: clip for known, clip in self._clips.items() if known != name}
        if bound is not None:
            clips[name] = Clip(name, by, real(bound, f"TrainStep: {name}", above=True))
        self._clips = {known: clips[known] for known in sorted(clips)}  # the norm is clipped first
        self._ready = None

    def __call__(self, inputs: Any, targets: Any, sample_weight: Any = None) -> float:
        """Do one step and return the loss of the batch before the update."""
        ready = self._ready
        if ready is not None and (arrays := ready.arrays(inputs, targets, sample_weight)) is not None:
            return float(ready(arrays))
        if sample_weight is not None:
            sample_weight = np.asarray(sample_weight)
        inputs, targets = (
            v if hasattr(v, "dtype") else numbers(v, name, "TrainStep") for v, name in ((inputs, "x"), (targets, "y"))
        )
        self._passes = self._passes.current()
        passes, reached, arrays = self._passes.chosen(inputs, targets, sample_weight)
        self.optimizer.flat.received(reached)
        found: list[Any] = []
        self.optimizer.move(lambda runs: found.append(self._run(passes, reached, arrays, runs)))
        return float(found[0])

    def _run(self, passes: Any, reached: tuple[bool, ...], arrays: list[Any], runs: Sequence[Run]) -> Any:
        """Run a whole step, as one program if the optimizer's rule is one; its loss."""
        flat, moving = self.optimizer.flat, self._update.moving(runs)
        adjoints = [flat.grad[stretch] for stretch in flat.reached()]
        if moving is None:
            self._last, self._ready = passes, None
            value = passes(arrays)[0]
            for clip in self._clips.values():
                clip.by(clip.bound, *adjoints)
            self._update.by_rule(runs)
            return value
        parts = [*[clip.compiled.chosen(adjoints) for clip in self._clips.values()], moving.program]
        key = (passes, *parts)
        if key not in self._wholes:
            if len(self._wholes) > MOST:
                self._wholes.clear()
            notes = [*[clip.name for clip in self._clips.values()], f"{type(self.optimizer).__name__}.step"]
            self._wholes[key] = passes.then(parts, notes)
        self._last = whole = self._wholes[key]
        clipped = adjoints * len(self._clips)
        self._ready = Ready(self._passes, passes, reached, arrays, clipped, moving, whole)
        results = whole([*arrays, *clipped, *moving.arguments()])
        moving.done(results[-1])
        return results[0][0]

    @property
    def source(self) -> str:
        """The text of the last call's program: a module that needs only NumPy.

        If the optimizer's rule cannot be traced, the text has only the forward and reverse passes; the rule runs after
        them without a program.
        """
        return str(self._last.source)

    @property
    def plan(self) -> str:
        """How the passes changed the recorded steps, and the bytes of the arrays that the program allocates."""
        return str(self._last.plan)

    @property
    def program(self) -> Any:
        """The last call's program, as data; `ad.draw(step)` draws it."""
        return self._last.program


class Clip:
    """One way to clip the adjoints, as a program."""

    def __init__(self, name: str, by: Callable[..., None], bound: float) -> None:
        self.name, self.by, self.bound = name, by, bound
        self.compiled = ad.compile(self.clipped, in_place=True)

    def clipped(self, g: Any) -> None:
        """The function that is compiled; it clips the adjoints in place."""
        ad.effect(self.by, self.bound, *g)


class Ready:
    """The program of the last step, with the arrays to call it with in the next one.

    Checked before each step, at the least cost: the batch's shapes and dtypes, modes, what is frozen, the layers'
    numbers, options but for the step size, and where values, adjoints and buffers are. Where one is another, the step
    is looked for anew.
    """

    def __init__(
        self,
        passes: Passes,
        chosen: Any,
        reached: tuple[bool, ...],
        arrays: list[Any],
        clipped: list[Any],
        moving: Moving,
        whole: Any,
    ) -> None:
        self.flat, self.moving, self.chosen, self.whole = passes.flat, moving, chosen, whole
        self._optimizer, self._layout = passes.optimizer, passes.optimizer.layout
        self._passes, self._reached, self._clipped = passes, reached, clipped
        own = passes.own()
        batch = arrays[len(own) + len(passes.others()) :]
        self._own = own
        self._batch = tuple(v for array in batch for v in (array.shape, array.dtype))
        self._kinds = type(batch[0]), type(batch[-1])
        places = [(vars(module), key) for module in passes.modules for key in ("training", "_frozen")]
        self._constant = [(kept.get, key, kept.get(key)) for kept, key in (*places, *passes.settings())]
        kept = own[len(self.flat.tensors) :]
        self._kept = [(holder, key, array) for (holder, key), array in zip(passes.kept, kept, strict=False)]
        self._counts = any(moving.floats)

    def arrays(self, inputs: Any, targets: Any, weights: Any) -> list[Any] | None:
        """The arrays for a step with this batch; None if the program no longer fits."""
        if (type(inputs), type(targets)) != self._kinds or weights is not None:
            return None
        x = self._passes.convert(inputs)
        if (x.shape, x.dtype, targets.shape, targets.dtype) != self._batch:
            return None
        for get, key, value in self._constant:
            if get(key) is not value:
                return None
        for holder, key, array in self._kept:
            if holder[key] is not array:
                return None
        if self._optimizer.layout is not self._layout or not self.flat.as_received(self._reached):
            return None
        if not self.moving.holds():
            return None
        batch = [*self._own, *self._passes.others(), x, targets]
        given = self.moving.arguments(1)
        if not self.chosen.holds(batch) or not self.moving.program.holds(given):
            return None
        return [*batch, *self._clipped, *given]

    def __call__(self, arrays: list[Any]) -> Any:
        """Run the step and return its loss."""
        moving, whole = self.moving, self.whole
        if self._counts:
            results = whole(arrays)
            moving.done(results[-1])
            value = results[0][0]
        else:
            value = whole.run(*arrays, *whole.held)[0]
        for run in moving.runs:
            run.steps += 1
        self.flat.assigned()
        return value
