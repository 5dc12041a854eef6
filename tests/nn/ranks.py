"""Trainings that test_mpi starts by mpiexec, and by itself in one process: `python ranks.py FOLDER NAME ...`.

Each is a function of the arguments that `fit` is given besides; what it returns goes into a file per rank.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

import autodiff as ad
import nn
from nn.parallel.alone import Alone

rng = np.random.default_rng(3)
X = rng.standard_normal((67, 5)).astype(np.float32)
LABELS = (X @ rng.standard_normal((5, 3))).argmax(axis=1)
IGNORED = np.where(np.arange(67) % 9 < 4, -100, LABELS)  # some shares of batches have nothing else
WEIGHTS = rng.uniform(0, 2, 67) * (rng.uniform(size=67) > 0.2)
WEIGHTS[-2:] = 0.5, 0.0


def trained(model: nn.Module, data: Any = (X, LABELS), loss: Any = "cross_entropy", **given: Any) -> dict[str, Any]:
    arguments = {"optimizer": nn.optim.Adam(lr=0.02), "epochs": 3, "batch_size": 16, "rng": 1, "verbose": False} | given
    history = nn.fit(model, data, loss, **arguments)
    return {"weights": model.state_dict(), "history": history.columns, "interrupted": history.interrupted}


def mlp(seed: int = 0) -> nn.Module:
    return nn.MLP(5, 8, 3, rng=seed)


def plain(**given: Any) -> dict[str, Any]:
    """The last batch has 3 samples, which 2 ranks cannot share out evenly; and each has other weights."""
    return trained(mlp(getattr(given.get("parallel"), "rank", 0)), **given)


def weighted(**given: Any) -> dict[str, Any]:
    held, metrics = (X[:19], LABELS[:19], WEIGHTS[:19]), ["accuracy", "f1"]
    options = {"accumulate": 2, "clip_norm": 0.5, "schedule": lambda o: nn.optim.CosineAnnealingLR(o, 3)}
    return trained(mlp(), (X, LABELS, WEIGHTS), validation=held, metrics=metrics, **options, **given)


def compiled(**given: Any) -> dict[str, Any]:
    """The passes of each rank are a program; which parameters it reaches, and weights, go along as before."""
    return trained(mlp(), (X, LABELS, WEIGHTS), accumulate=2, compiled=True, metrics="accuracy", **given)


def on_a_device(parallel: Any, **given: Any) -> dict[str, Any]:
    """As `plain`, on the strict array type: what is sent goes through the host."""
    from foreign import DEVICE, Foreign  # with its folder on the path, as the test has it

    ad.admit(DEVICE)
    model = mlp(parallel.rank).to("foreign")
    found = trained(model, parallel=parallel, **given)
    assert all(type(p.value) is Foreign for p in model.parameters())
    return found


def added_up_there(**given: Any) -> dict[str, Any]:
    """The gradients stay there: a communicator of the device's adds them up."""

    class Communicator:
        calls = 0

        def all_reduce(self, array: Any, out: Any) -> None:
            self.calls += 1
            total = given["parallel"].comm.allreduce(array._array)
            out._array[...] = total

    adder = Communicator()
    found = on_a_device(**given | {"parallel": nn.MPI(adder=adder)})
    return found | {"calls": adder.calls}


def ignoring(**given: Any) -> dict[str, Any]:
    """Class weights, labels that are ignored, and a last batch with fewer samples than there are ranks."""
    loss = nn.CrossEntropyLoss(weight=[0.5, 2.0, 1.0])
    arrays = X[:65], IGNORED[:65]
    return trained(mlp(), arrays, loss, metrics="accuracy", validation=0.2, **given | {"batch_size": 4})


def normalised(**given: Any) -> dict[str, Any]:
    f8 = {"dtype": np.float64}  # normalising amplifies what is rounded
    model = nn.Sequential(
        nn.Conv1d(1, 4, 2, bias=False, rng=0, **f8),
        nn.BatchNorm1d(4, **f8),
        nn.ReLU(),
        nn.InstanceNorm1d(4, affine=True, track_running_stats=True, **f8),
        nn.Flatten(),
        nn.BatchNorm1d(16, **f8),
        nn.Linear(16, 3, rng=1, **f8),
    )
    weights = WEIGHTS.copy()
    weights[:40] = 0  # nothing counts on some ranks, and yet their samples are normalised with the others
    return trained(model, (X[:, None], LABELS, weights), validation=(X[:9, None], LABELS[:9]), **given)


def conditional(**given: Any) -> dict[str, Any]:
    """A parameter that only some batches reach."""

    class Conditional(nn.Module):
        def __init__(self) -> None:
            self.always, self.rarely = nn.Linear(5, 3, rng=0), nn.Linear(5, 3, rng=1)

        def forward(self, x: Any) -> Any:
            return self.always(x) + (self.rarely(x) if (x[:, 0] > 1.2).all() else 0.0)

    order = np.argsort(X[:, 0])
    return trained(Conditional(), (X[order], LABELS[order]), shuffle=False, **given | {"batch_size": 6})


def dropping(folder: Path, **given: Any) -> dict[str, Any]:
    """Three epochs, and one and two by way of a checkpoint: the same bits, whatever was drawn."""

    def model() -> nn.Module:
        return nn.Sequential(nn.Linear(5, 9, rng=0), nn.Dropout(0.5, rng=4), nn.Linear(9, 3, rng=1))

    def seen(training: nn.Training) -> None:
        if training.epoch == training.batch == 1:
            masks.append(np.flatnonzero(training.model[1].rng.random(64) < 0.5))

    file, masks = folder / "dropping.safetensors", []
    at_once = trained(model(), **given)
    trained(model(), checkpoint=file, **given | {"epochs": 1})
    again = trained(model(), resume=file, **given)
    trained(model(), callbacks=AfterBatch(seen), **given | {"epochs": 1})
    return at_once | {"again": again["weights"], "mask": masks[0]}


def mapped(folder: Path, **given: Any) -> dict[str, Any]:
    ranks = given.get("parallel") or Alone()
    ranks.shared(lambda: np.save(folder / "X.npy", X))
    held = []

    def seen(training: nn.Training) -> None:
        base = training.samples.arrays[0]
        while isinstance(base, np.ndarray) and not isinstance(base, np.memmap):
            base = base.base
        held.append(isinstance(base, np.memmap))

    found = trained(mlp(), (np.load(folder / "X.npy", mmap_mode="r"), LABELS), callbacks=seen, **given)
    return found | {"held": held}


def resumed(folder: Path, **given: Any) -> dict[str, Any]:
    """Go on from the checkpoint, if there is one."""
    file = folder / "run.safetensors"
    some = {"checkpoint": file, "checkpoint_every": 2, "metrics": ["accuracy", "f1"], "resume": file}
    if not file.exists():
        some["resume"] = None
    return trained(mlp(), **some | {"epochs": 4} | given)


def begun(folder: Path, **given: Any) -> dict[str, Any]:
    """Stop in the middle of the second epoch, by Ctrl-C on the last rank."""

    def press(training: nn.Training) -> None:
        last = training.parallel.rank == training.parallel.size - 1
        if (training.epoch, training.batch) == (2, 3) and last:
            signal.raise_signal(signal.SIGINT)

    return resumed(folder, callbacks=AfterBatch(press), **given)


class AfterBatch(nn.Callback):
    def __init__(self, function: Any) -> None:
        self.function = function

    def on_batch_end(self, training: nn.Training) -> None:
        self.function(training)


def dying(folder: Path, **given: Any) -> dict[str, Any]:
    def die(training: nn.Training) -> None:
        if (training.epoch, training.batch, training.parallel.rank) == (3, 2, 1):
            os.kill(os.getpid(), signal.SIGKILL)

    return resumed(folder, callbacks=AfterBatch(die), verbose=True, **given)


def failing(folder: Path, **given: Any) -> dict[str, Any]:
    def fail(training: nn.Training) -> None:
        if (training.epoch, training.batch, training.parallel.rank) == (3, 2, 1):
            raise OSError("the disk is on fire")

    return resumed(folder, callbacks=AfterBatch(fail), **given)


def said(error: type[Exception], function: Any, **given: Any) -> dict[str, Any]:
    """What an error says that all ranks raise."""
    try:
        function(**given)
    except error as found:
        return {"said": str(found)}
    return {}


def diverging(**given: Any) -> dict[str, Any]:
    infinite = X.copy()
    infinite[40, 2] = np.inf
    return said(nn.DivergedError, trained, model=mlp(), data=(infinite, LABELS), shuffle=False, **given)


def diverging_normalised(**given: Any) -> dict[str, Any]:
    """The loss of one rank alone is NaN, and its explanation goes through layers that sum over all."""
    model = nn.Sequential(nn.Linear(5, 4, rng=0), nn.BatchNorm1d(4), nn.Linear(4, 3, rng=0))

    def loss(outputs: Any, targets: Any) -> Any:
        found = nn.functional.mse_loss(outputs, np.repeat(targets, 3, axis=1))
        return found * (np.nan if (targets == 9).any() else 1.0)

    marked = np.where(np.arange(67) == 46, 9.0, LABELS)[:, None]
    return said(nn.DivergedError, trained, model=model, data=(X, marked), loss=loss, shuffle=False, **given)


def disagreeing(**given: Any) -> dict[str, Any]:
    def change(training: nn.Training) -> None:
        if training.epoch == 2 and training.parallel.rank == 1:
            training.model[2].bias.value = training.model[2].bias.value + 1e-6

    return said(RuntimeError, trained, model=mlp(), callbacks=change, **given)


def different_data(**given: Any) -> dict[str, Any]:
    return said(ValueError, trained, model=mlp(), data=(X + given["parallel"].rank, LABELS), **given)


def too_few(**given: Any) -> dict[str, Any]:
    model = nn.Sequential(nn.Linear(5, 4, rng=0), nn.BatchNorm1d(4), nn.Linear(4, 3, rng=0))
    return said(ValueError, trained, model=model, data=(X[:65], LABELS[:65]), **given)


def uncompiled(**given: Any) -> dict[str, Any]:
    model = nn.Sequential(nn.Linear(5, 4, rng=0), nn.BatchNorm1d(4), nn.Linear(4, 3, rng=0))
    return said(TypeError, trained, model=model, compiled=True, **given)


def refused(**given: Any) -> dict[str, Any]:
    """What all ranks are given wrong, all say."""
    return said(TypeError, trained, model=mlp(), loss=3, **given)


WITH_FOLDER = {"dropping", "mapped", "resumed", "begun", "dying", "failing"}


def run(name: str, folder: Path, **given: Any) -> dict[str, Any]:
    function = globals()[name]
    return function(folder, **given) if name in WITH_FOLDER else function(**given)


def plainly(value: Any) -> Any:
    return value.tolist() if isinstance(value, np.ndarray) else value


if __name__ == "__main__":
    folder, ranks = Path(sys.argv[1]), nn.MPI()
    for name in sys.argv[2:]:
        began = time.perf_counter()
        found = run(name, folder, parallel=ranks)
        text = json.dumps(found | {"seconds": time.perf_counter() - began}, default=plainly)
        (folder / f"{name}.{ranks.size}.{ranks.rank}.json").write_text(text)
