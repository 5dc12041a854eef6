"""Everything on a device, as one table: `PYTHONPATH=tests python -m benchmarks.device [--device cuda]`.

Every record of the tests, with its value and adjoints against the host's; `nn.fit` of a perceptron and of LeNet, with
the weights against the host's; and full Adam steps of two perceptrons in float32 without TF32 against PyTorch's on the
same device with its fused Adam, in turn. It takes less than four minutes on one GPU. (`--device foreign` runs it on the
tests' strict array type instead, without PyTorch, where no GPU is at hand.)
"""

from __future__ import annotations

import argparse
import collections
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
SMALL = {(64, 32, 10): 32}  # for a device that computes on the host


def main() -> None:
    """Run all of it, and print what came out."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.device", description=__doc__)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--rounds", type=int, default=20, help="rounds in which both make a step in turn")
    options = parser.parse_args()
    if options.device == "foreign":
        import foreign

        ad.admit(foreign.DEVICE)
    began = time.perf_counter()
    for line in (*records(options.device), *fits(options.device), *adam_steps(options.device, options.rounds)):
        print(f"{time.perf_counter() - began:6.1f} s  {line}", flush=True)


def records(device: str) -> Iterator[str]:
    """How many records are right, refused by name and wrong, and the wrong ones."""
    from cases import cases
    from test_devices import judged

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = {case.name: (case.function, *judged(case, device)) for case in cases}
    counts = collections.Counter(verdict for _, verdict, _ in found.values())
    functions: dict[object, set[str]] = collections.defaultdict(set)
    for function, verdict, _ in found.values():
        functions[function].add(verdict)
    wholly = sum(verdicts == {"right"} for verdicts in functions.values())
    yield f"records: {dict(counts)}; {wholly} of {len(functions)} functions right in all of theirs"
    for name, (_, verdict, why) in found.items():
        if verdict == "wrong":
            yield f"  wrong: {name}: {why.splitlines()[0]:.140}"


def fits(device: str) -> Iterator[str]:
    """How far the weights of two trainings are from the host's."""
    rng = np.random.default_rng(0)
    images = rng.standard_normal((256, 1, 28, 28)).astype(np.float32)
    labels = rng.integers(0, 10, 256)
    makers: dict[str, Callable[[], nn.Module]] = {
        "MLP": lambda: nn.Sequential(nn.Flatten(), nn.MLP(784, 128, 10, rng=0)),
        "LeNet": LeNet,
    }
    for name, make in makers.items():
        here, there = make(), make().to(device)
        taken = []
        for model in (here, there):
            start = time.perf_counter()
            nn.fit(model, images, labels, "cross_entropy", "adam", epochs=2, batch_size=64, rng=1, verbose=False)
            taken.append(time.perf_counter() - start)
        pairs = zip(here.state_dict().values(), there.state_dict().values(), strict=True)
        apart = max(float(np.max(np.abs(a - b))) for a, b in pairs)
        speeds = f"host {taken[0]:.2f} s, device {taken[1]:.2f} s"
        yield f"fit of {name}: weights at most {apart:.1e} from the host's; {speeds}"


def adam_steps(device: str, rounds: int) -> Iterator[str]:
    """Milliseconds of a full step, ours and PyTorch's."""
    cuda = device == "cuda"
    for sizes, batch in (STEPS if cuda else SMALL).items():
        rng = np.random.default_rng(0)
        x, labels = rng.standard_normal((batch, sizes[0])).astype(np.float32), rng.integers(0, 10, batch)
        contestants: dict[str, Callable[[], object]] = {"autodiff": _ours(sizes, x, labels, device)}
        if cuda and installed("torch"):
            contestants["PyTorch"] = _pytorch(sizes, x, labels)
        taken = seconds(contestants, rounds, repeat=10)
        said = ", ".join(f"{name} {1e3 * statistics.median(times):.2f} ms" for name, times in taken.items())
        if len(taken) > 1:
            said += f", ratio {ratio(taken, 'autodiff', 'PyTorch'):.2f} (wanted: at most {TARGETS[batch]})"
        yield f"Adam step of {'-'.join(map(str, sizes))}, batch {batch}: {said}"


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
