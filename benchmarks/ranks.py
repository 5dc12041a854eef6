"""The cost of a step of `nn.fit(..., parallel=nn.MPI())` with one and two ranks: `python -m benchmarks.ranks`.

It starts itself under mpiexec, with 1 and 2 ranks in turn, and prints the table of docs/parallel.md. A row per model
has the bytes of the gradient, the least time of a step, and the part of it that `reduce` takes, with the wait for the
slower rank. It also prints the times for the cost formula there. Least times are used, since other load only adds to a
time.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from typing import Any

os.environ |= {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}

import numpy as np

import nn

MODELS = {
    "MLP 784-128-10, batch 64": (lambda: nn.MLP(784, 128, 10, rng=0), (784,), 64),
    "MLP 784-128-10, batch 1024": (lambda: nn.MLP(784, 128, 10, rng=0), (784,), 1024),
    "LeNet, batch 64": (lambda: lenet(), (1, 28, 28), 64),
    "MLP 784-2048-2048-10, batch 64": (lambda: nn.MLP(784, 2048, 2048, 10, rng=0), (784,), 64),
    "MLP 784-2048-2048-10, batch 512": (lambda: nn.MLP(784, 2048, 2048, 10, rng=0), (784,), 512),
}
SECONDS = 4.0  # for each model in each round
ROUNDS = 4


def lenet() -> nn.Module:
    """Two convolutions and three dense layers."""
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2, rng=0), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5, rng=1), nn.ReLU(),
        nn.MaxPool2d(2), nn.Flatten(), nn.Linear(400, 120, rng=2), nn.ReLU(), nn.Linear(120, 84, rng=3), nn.ReLU(),
        nn.Linear(84, 10, rng=4),
    )  # fmt: skip


class Timed(nn.MPI):
    """Ranks that note how long each reduction takes."""

    def __init__(self) -> None:
        super().__init__()
        self.taken: list[float] = []

    def reduce(self, training: Any, weight: float) -> float:
        """As nn.MPI, and note the time that it takes."""
        began = time.perf_counter()
        found = super().reduce(training, weight)
        self.taken.append(time.perf_counter() - began)
        return found


class Clock(nn.Callback):
    """Notes when each step ended, and ends the training after a while."""

    def __init__(self) -> None:
        self.ends: list[float] = []
        self.began = time.perf_counter()

    def on_batch_end(self, training: nn.Training) -> None:
        """Note the time."""
        self.ends.append(time.perf_counter())
        if self.ends[-1] - self.began > SECONDS and len(self.ends) > 10:
            training.stop("enough was seen")


def measured(ranks: Timed, name: str) -> dict[str, float]:
    """The least step and the least reduction in seconds, and the bytes of the gradient."""
    make, shape, batch = MODELS[name]
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((4 * batch, *shape)).astype(np.float32), rng.integers(10, size=4 * batch)
    model, clock = make(), Clock()
    ranks.taken.clear()
    nn.fit(model, x, y, "cross_entropy", "adam", epochs=10**6, batch_size=batch, callbacks=clock, parallel=ranks, rng=0)
    steps = np.diff(clock.ends)
    size = sum(4 * p.size for p in model.parameters())
    return {"step": float(steps.min()), "reduce": min(ranks.taken, default=0.0), "bytes": size}


def main() -> None:
    """Under mpiexec, run one measurement; otherwise run all of them and print the table."""
    if "--ranks" in sys.argv:
        ranks = Timed()
        found = {name: measured(ranks, name) for name in MODELS}
        if ranks.leads:
            print(json.dumps(found))
        return
    least: dict[tuple[str, int], dict[str, float]] = {}
    for _ in range(ROUNDS):
        for count in (1, 2):
            command = ["mpiexec", "-n", str(count), sys.executable, "-m", "benchmarks.ranks", "--ranks"]
            ended = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603
            for name, row in json.loads(ended.stdout).items():
                before = least.setdefault((name, count), row)
                least[name, count] = {key: min(before[key], value) for key, value in row.items()}
    print("| model, samples per batch | gradient, kB | 1 rank, ms | 2 ranks, ms | reduce, ms | speed-up |")
    print("|---|---:|---:|---:|---:|---:|")
    for name in MODELS:
        one, two = least[name, 1], least[name, 2]
        times = [f"{1e3 * t:.3g}" for t in (one["step"], two["step"], two["reduce"])]
        cells = [name.replace("batch ", ""), f"{one['bytes'] / 1e3:.0f}", *times, f"{one['step'] / two['step']:.2f}"]
        print(f"| {' | '.join(cells)} |")
    print()
    for model, few, many in (("MLP 784-2048-2048-10", 64, 512), ("MLP 784-128-10", 64, 1024)):
        slow, fast = (1e3 * least[f"{model}, batch {batch}", 1]["step"] for batch in (many, few))
        sample = (slow - fast) / (many - few)
        print(f"{model}: c = {sample:.4g} ms a sample, T0 = {fast - few * sample:.3g} ms")


if __name__ == "__main__":
    main()
