"""All checks and timings on a device, as one table: `PYTHONPATH=tests python -m benchmarks.device [--device cuda]`.

It runs full Adam steps of two perceptrons in float32 without TF32, recorded and compiled, interleaved with PyTorch's on
the same device with its fused Adam, and counts the kernels of the compiled step. Then it runs `nn.fit` of a perceptron
and of LeNet, recorded and compiled, and compares the weights with the host's. Last it runs every record of the tests,
recorded and compiled, and compares values and adjoints with the host's. The most important parts come first: it stops
after four minutes (`--seconds`), even if some are left. Without a GPU, `--device foreign` runs it on the tests' strict
array type, without PyTorch.
"""

from __future__ import annotations

import argparse
import collections
import functools
import itertools
import statistics
import time
import warnings
from collections.abc import Callable, Iterator

import numpy as np

import autodiff as ad
import nn
import nn.functional as F
from benchmarks.interleaved import ratio, seconds
from benchmarks.networks import LeNet
from benchmarks.operations import installed

STEPS = {(784, 2048, 2048, 10): 512, (784, 8192, 8192, 10): 1024}  # the layers' sizes, and the batch
TARGETS = {512: 1.3, 1024: 1.1}  # our time over PyTorch's
SMALL = {(64, 32, 10): 32}  # the same, for a device that computes on the host


def main() -> None:
    """Run all measurements and print the results."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.device", description=__doc__)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--rounds", type=int, default=20, help="rounds in which all make a step in turn")
    parser.add_argument("--seconds", type=float, default=230.0, help="after which it ends, and says what was left out")
    options = parser.parse_args()
    if options.device == "foreign":
        import foreign

        ad.admit(foreign.DEVICE)
    began = time.perf_counter()
    parts = (
        adam_steps(options.device, options.rounds),
        fits(options.device),
        records(options.device, began + options.seconds),
        compiled_records(options.device, began + options.seconds),
    )
    for line in itertools.chain(*parts):
        print(f"{time.perf_counter() - began:6.1f} s  {line}", flush=True)


def records(device: str, until: float) -> Iterator[str]:
    """How many records are right, refused by name and wrong, and the names of the wrong ones, as time allows."""
    from cases import cases
    from test_devices import judged

    found: dict[str, tuple[object, str, str]] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for case in cases:
            if time.perf_counter() > until:
                yield f"records: the time is over after {len(found)} of {len(cases)}"
                break
            found[case.name] = (case.function, *judged(case, device))
    counts = collections.Counter(verdict for _, verdict, _ in found.values())
    functions: dict[object, set[str]] = collections.defaultdict(set)
    for function, verdict, _ in found.values():
        functions[function].add(verdict)
    wholly = sum(verdicts == {"right"} for verdicts in functions.values())
    yield f"records: {dict(counts)}; {wholly} of {len(functions)} functions right in all of theirs"
    for name, (_, verdict, why) in found.items():
        if verdict == "wrong":
            yield f"  wrong: {name}: {why.splitlines()[0]:.140}"


def compiled_records(device: str, until: float) -> Iterator[str]:
    """How many records are right as programs of the device; only every fifth, since each compiles its own kernels."""
    from cases import cases
    from test_devices_compiled import judged, tasks

    answers: collections.Counter[str] = collections.Counter()
    chosen = cases[::5]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for k, case in enumerate(chosen):
            if time.perf_counter() > until:
                yield f"compiled records: the time is over after {k} of {len(chosen)}"
                break
            answers.update(judged(function, arrays, device) for function, arrays in tasks(case))
    yield f"compiled records, every fifth: {dict(answers)}"


def fits(device: str) -> Iterator[str]:
    """How far the weights after two trainings, recorded and compiled, are from those on the host."""
    rng = np.random.default_rng(0)
    images = rng.standard_normal((256, 1, 28, 28)).astype(np.float32)
    labels = rng.integers(0, 10, 256)
    makers: dict[str, Callable[[], nn.Module]] = {
        "MLP": lambda: nn.Sequential(nn.Flatten(), nn.MLP(784, 128, 10, rng=0)),
        "LeNet": LeNet,
    }
    for name, make in makers.items():
        taken, weights = [], []
        for place, compiled in (("cpu", False), (device, False), (device, True)):
            model = make().to(place)
            start = time.perf_counter()
            nn.fit(
                model, images, labels, "cross_entropy", "adam", epochs=2, batch_size=64, rng=1, verbose=False,
                compiled=compiled,
            )  # fmt: skip
            taken.append(time.perf_counter() - start)
            weights.append(model.state_dict().values())
        apart = [max(float(np.max(np.abs(a - b))) for a, b in zip(weights[0], w, strict=True)) for w in weights[1:]]
        speeds = f"host {taken[0]:.2f} s, device {taken[1]:.2f} s, compiled {taken[2]:.2f} s, kernels included"
        yield f"fit of {name}: weights at most {apart[0]:.1e} and, compiled, {apart[1]:.1e} from the host's; {speeds}"


def adam_steps(device: str, rounds: int) -> Iterator[str]:
    """Milliseconds of a full step, ours and PyTorch's."""
    cuda = device == "cuda"
    for sizes, batch in (STEPS if cuda else SMALL).items():
        rng = np.random.default_rng(0)
        x, labels = rng.standard_normal((batch, sizes[0])).astype(np.float32), rng.integers(0, 10, batch)
        step, moved = _compiled(sizes, device), ad.to(x, device)
        contestants: dict[str, Callable[[], object]] = {
            "autodiff": _ours(sizes, x, labels, device),
            "compiled": functools.partial(step, moved, labels),
        }
        if cuda and installed("torch"):
            contestants["PyTorch"] = _pytorch(sizes, x, labels)
        taken = seconds(contestants, rounds, repeat=10)
        said = ", ".join(f"{name} {1e3 * statistics.median(times):.2f} ms" for name, times in taken.items())
        if "PyTorch" in taken:
            ratios = " and ".join(f"{ratio(taken, ours, 'PyTorch'):.2f}" for ours in ("autodiff", "compiled"))
            said += f", ratios {ratios} (wanted: at most {TARGETS[batch]})"
        yield f"Adam step of {'-'.join(map(str, sizes))}, batch {batch}: {said}"
        counted = next((line.strip() for line in step.plan.splitlines() if "kernels" in line), "no kernels")
        yield f"  the compiled step: {counted}; {step.plan.splitlines()[-1]}"


def _ours(sizes: tuple[int, ...], x: np.ndarray, labels: np.ndarray, device: str) -> Callable[[], object]:
    model = nn.MLP(*sizes, rng=0).to(device)
    optimizer = nn.optim.Adam(model.parameters(), lr=1e-3)
    moved = ad.to(x, device)

    def step() -> object:
        optimizer.zero_grad()
        loss = F.cross_entropy(model(moved), labels)
        loss.backward()
        optimizer.step()
        return loss.item()  # waits for the device

    return step


def _compiled(sizes: tuple[int, ...], device: str) -> nn.TrainStep:
    model = nn.MLP(*sizes, rng=0).to(device)
    return nn.TrainStep(model, nn.CrossEntropyLoss(), nn.optim.Adam(model.parameters(), lr=1e-3))


def _pytorch(sizes: tuple[int, ...], x: np.ndarray, labels: np.ndarray) -> Callable[[], object]:
    import torch

    torch.backends.cuda.matmul.allow_tf32 = False
    layers: list[torch.nn.Module] = []
    for inputs, outputs in itertools.pairwise(sizes):
        layers += [torch.nn.Linear(inputs, outputs), torch.nn.ReLU()]
    model = torch.nn.Sequential(*layers[:-1]).cuda()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)
    inputs_there, labels_there = torch.from_numpy(x).cuda(), torch.from_numpy(labels).cuda()

    def step() -> object:
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(model(inputs_there), labels_there)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


if __name__ == "__main__":
    main()
