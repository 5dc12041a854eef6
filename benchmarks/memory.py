"""Peak memory of a computation, in MiB; each contestant runs in a fresh process, on Linux.

A process imports its library, makes the data, and notes its resident memory; then it makes the model, if there is one,
and computes. The result is how far the peak of the resident memory lies above the noted value. Linux records the peak
as VmHWM in /proc/self/status. `resource.getrusage` has a peak too, but a new process inherits it from its parent, and
it cannot be reset after the imports.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from benchmarks.operations import installed

STATUS, RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")  # proc(5)
TIMES = 3  # the number of first runs, in which programs are traced, and the number of later runs
MEBIBYTES = 2**10  # in the kB of STATUS


def memory() -> Iterator[tuple[str, dict[str, float]]]:
    """Titles, and the MiB of each contestant: in its first runs, which may trace and compile, and later."""
    if not RESET.exists():
        print(f"memory: left out, for this system has no {RESET}")
        return
    for name, (title, contestants) in WORK.items():
        present = [peer for peer in contestants if peer != "PyTorch" or installed("torch")]
        peaks = {peer: _measured(name, peer) for peer in present}
        for k, when in enumerate(("at first", "later")):
            yield f"peak memory of {title}, {when}", {peer: peak[k] for peer, peak in peaks.items()}


def _measured(name: str, contestant: str) -> list[float]:
    command = [sys.executable, "-m", "benchmarks.memory", name, contestant]
    printed = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout  # noqa: S603
    return [float(number) for number in printed.split()]


def _our_step(compiled: bool) -> Callable[[], Callable[[], object]]:
    import nn
    from benchmarks import compiled_training, training

    sizes, batch = (784, 2048, 2048, 10), 512
    x, y = compiled_training._data(batch, sizes[0])
    if not compiled:
        return lambda: training._ours(sizes, x, y)

    def made() -> Callable[[], object]:
        model = nn.MLP(*sizes, rng=0)
        step = nn.TrainStep(model, nn.CrossEntropyLoss(), nn.optim.Adam(model.parameters(), lr=1e-3))
        return lambda: step(x, y)

    return made


def _pytorchs_step() -> Callable[[], Callable[[], object]]:
    import torch

    from benchmarks import compiled_training, normalisation

    torch.set_num_threads(1)
    sizes, batch = (784, 2048, 2048, 10), 512
    x, y = compiled_training._data(batch, sizes[0])
    return lambda: normalisation._pytorch(sizes, None, x, y)


def _our_wave(compiled: bool) -> Callable[[], Callable[[], object]]:
    import autodiff as ad
    from benchmarks.compiled import wave

    x = np.linspace(-2, 2, 10_000_000, dtype=np.float32)
    eager = ad.value_and_grad(lambda x: wave(np, x))
    function = ad.compile(eager) if compiled else eager
    return lambda: lambda: function(x)


def _pytorchs_wave() -> Callable[[], Callable[[], object]]:
    import torch

    from benchmarks.compiled import wave

    torch.set_num_threads(1)
    x = torch.linspace(-2, 2, 10_000_000)

    def one() -> object:
        at = x.detach().requires_grad_()
        wave(torch, at).backward()
        return at.grad

    return lambda: one


WORK: dict[str, tuple[str, dict[str, Callable[[], Callable[[], Callable[[], object]]]]]] = {
    "step": (
        "an Adam step, model and optimizer, MLP 784-2048-2048-10, batch 512",
        {"autodiff": lambda: _our_step(True), "eager": lambda: _our_step(False), "PyTorch": _pytorchs_step},
    ),
    "wave": (
        "sum(tanh(x) exp(-x²) + x sin x) with gradient, 10,000,000",
        {"autodiff": lambda: _our_wave(True), "eager": lambda: _our_wave(False), "PyTorch": _pytorchs_wave},
    ),
}


def _kilobytes(entry: str) -> int:
    found = re.search(rf"^{entry}:\s*(\d+) kB$", STATUS.read_text(encoding="ascii"), re.MULTILINE)
    assert found, f"{STATUS} has no {entry}"
    return int(found[1])


def _highest(run: Callable[[], None]) -> int:
    RESET.write_text("5", encoding="ascii")  # VmHWM is the highest since
    run()
    return _kilobytes("VmHWM")


def main() -> None:
    """Print by how many MiB one contestant's memory rose: in the first runs, with its model, and in later runs."""
    name, contestant = sys.argv[1:]
    make = WORK[name][1][contestant]()
    before = _kilobytes("VmRSS")
    computations: list[Callable[[], object]] = []

    def begin() -> None:
        computations.append(make())
        for _ in range(TIMES):
            computations[0]()

    def go_on() -> None:
        for _ in range(TIMES):
            computations[0]()

    for run in (begin, go_on):
        print((_highest(run) - before) / MEBIBYTES)


if __name__ == "__main__":
    main()
