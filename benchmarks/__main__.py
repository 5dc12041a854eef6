"""Measure, print a table, and write it as JSON: `python -m benchmarks [-o FILE] [NAME ...]`."""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
from collections.abc import Callable, Iterator
from importlib.metadata import version

# One thread for everyone; read when NumPy's BLAS is loaded, so it is set before.
os.environ |= {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


from benchmarks.compiled import compiled
from benchmarks.compiled_training import compiled_steps
from benchmarks.imports import imports
from benchmarks.interleaved import ratio, seconds
from benchmarks.layers import layers
from benchmarks.losses import losses
from benchmarks.networks import networks
from benchmarks.normalisation import normalised_steps
from benchmarks.operations import Row, installed, scalars, small_arrays
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
    "imports": imports,
}


def main() -> None:
    """Run the suites that were named, or all."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"suites to run: {', '.join(suites)} (all)")
    parser.add_argument("-o", "--output", metavar="FILE", help="write the figures as JSON")
    parser.add_argument("--rounds", type=int, default=15, help="rounds in which every contestant takes its turn")
    options = parser.parse_args()
    if unknown := set(options.names) - suites.keys():
        parser.error(f"unknown suite: {', '.join(sorted(unknown))}; there are {', '.join(suites)}")
    results = []
    print(f"{'':44}{'µs':>12}{'ours / theirs':>16}   (medians of interleaved rounds, one thread)")
    for name in options.names or suites:
        for title, contestants, operations, repeat in suites[name]():
            rounds = options.rounds if operations < 100_000 else 3
            taken = seconds(contestants, rounds, repeat)
            unit = f"{title}, per operation" if operations > 1 else title
            print(unit)
            for contestant, times in taken.items():
                micro = statistics.median(times) / operations * 1e6
                compared = ratio(taken, "autodiff", contestant)
                print(f"    {contestant:40}{micro:12.2f}" + ("" if contestant == "autodiff" else f"{compared:16.2f}"))
                results.append({"benchmark": unit, "contestant": contestant, "microseconds": micro, "ratio": compared})
    if options.output:
        machine = {"python": platform.python_version(), "machine": platform.machine(), "threads": 1}
        peers = ("numpy", "torch", "autograd", "mygrad", "micrograd")
        machine |= {name: version(name) for name in peers if installed(name)}
        with open(options.output, "w", encoding="utf-8") as file:
            json.dump({"machine": machine, "results": results}, file, indent=1)
            file.write("\n")


if __name__ == "__main__":
    main()
