"""Measure, print a table, and write it as JSON: `python -m benchmarks [-o FILE] [NAME ...]`."""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from importlib.metadata import version

# Every contestant gets the same number of threads. It is set before NumPy's BLAS, PyTorch and JAX are loaded.
os.environ |= dict.fromkeys(
    ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "NPROC"), os.environ.get("BENCHMARK_THREADS", "1")
)


from benchmarks.compiled import compiled
from benchmarks.compiled_training import compiled_steps, on_two_threads
from benchmarks.imports import imports
from benchmarks.interleaved import ratio, seconds
from benchmarks.layers import layers
from benchmarks.losses import losses
from benchmarks.memory import memory
from benchmarks.networks import networks
from benchmarks.normalisation import normalised_steps
from benchmarks.operations import Row, installed, scalars, small_arrays, threads
from benchmarks.pictures import pictures
from benchmarks.sequences import sequences
from benchmarks.training import steps
from benchmarks.transforms import transforms

suites: dict[str, Callable[[], Iterator[Row]]] = {
    "operations": small_arrays,
    "scalars": scalars,
    "training": steps,
    "losses": losses,
    "layers": layers,
    "normalisation": normalised_steps,
    "networks": networks,
    "sequences": sequences,
    "pictures": pictures,
    "transforms": transforms,
    "compiled": compiled,
    "compiled-steps": compiled_steps,
    "two-threads": on_two_threads,
    "imports": imports,
}
Results = list[dict[str, object]]


def main() -> None:
    """Run the suites that were named, or all."""
    names = [*suites, "memory"]
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"suites to run: {', '.join(names)} (all)")
    parser.add_argument("-o", "--output", metavar="FILE", help="write the figures as JSON")
    parser.add_argument("--rounds", type=int, default=15, help="rounds in which every contestant takes its turn")
    options = parser.parse_args()
    if unknown := set(options.names) - set(names):
        parser.error(f"unknown suite: {', '.join(sorted(unknown))}; there are {', '.join(names)}")
    results: Results = []
    print(f"{'':44}{'µs':>12}{'ours / theirs':>16}   (medians of interleaved rounds, threads: {threads()})", flush=True)
    for name in options.names or names:
        if name == "memory":
            for title, peaks in memory():
                results += _shown(title, {peer: [peak] for peer, peak in peaks.items()}, "mebibytes")
        elif name == "two-threads" and threads() != 2:
            results += _with_two_threads(name, options.rounds)
        else:
            for title, contestants, operations, repeat in suites[name]():
                rounds = options.rounds if operations < 100_000 else 3
                taken = seconds(contestants, rounds, repeat)
                micro = {peer: [t / operations * 1e6 for t in times] for peer, times in taken.items()}
                unit = f"{title}, per operation" if operations > 1 else title
                results += _shown(unit if threads() == 1 else f"{unit}, {threads()} threads", micro, "microseconds")
    if options.output:
        machine = {"python": platform.python_version(), "machine": platform.machine(), "threads": threads()}
        peers = ("numpy", "torch", "jax", "autograd", "mygrad", "micrograd")
        machine |= {name: version(name) for name in peers if installed(name)}
        with open(options.output, "w", encoding="utf-8") as file:
            json.dump({"machine": machine, "results": results}, file, indent=1)
            file.write("\n")


def _shown(title: str, measured: dict[str, list[float]], unit: str) -> Results:
    """Print a row, and return it in the form in which it is stored."""
    print(title if unit == "microseconds" else f"{title}, {unit}")
    results: Results = []
    for contestant, values in measured.items():
        median, compared = statistics.median(values), ratio(measured, "autodiff", contestant)
        beside = "" if contestant == "autodiff" else f"{compared:16.2f}"
        print(f"    {contestant:40}{median:12.2f}{beside}", flush=True)
        results.append({"benchmark": title, "contestant": contestant, unit: median, "ratio": compared})
    return results


def _with_two_threads(name: str, rounds: int) -> Results:
    """A suite in a process of its own, since most libraries read the number of threads only when they are loaded."""
    with tempfile.TemporaryDirectory() as folder:
        output = os.path.join(folder, "results.json")
        command = [sys.executable, "-m", "benchmarks", name, "-o", output, "--rounds", str(rounds)]
        subprocess.run(command, check=True, env=os.environ | {"BENCHMARK_THREADS": "2"})  # noqa: S603
        with open(output, encoding="utf-8") as file:
            return json.load(file)["results"]


if __name__ == "__main__":
    main()
