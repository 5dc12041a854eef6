"""Interleaved timing: each round runs every contestant once, so a slow moment of the machine affects all of them."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable


def seconds(contestants: dict[str, Callable[[], object]], rounds: int, repeat: int = 1) -> dict[str, list[float]]:
    """The seconds per call of each contestant in each round, after one round that is not counted.

    A round calls each contestant `repeat` times in a row. Garbage is collected before each contestant, so that none
    pays for another's garbage. The time to collect a contestant's own garbage while it runs is counted.
    """
    taken: dict[str, list[float]] = {name: [] for name in contestants}
    for k in range(rounds + 1):
        for name, run in contestants.items():
            gc.collect()
            start = time.perf_counter()
            for _ in range(repeat):
                run()
            if k:
                taken[name].append((time.perf_counter() - start) / repeat)
    return taken


def ratio(taken: dict[str, list[float]], ours: str, peer: str) -> float:
    """The median over the rounds of our time over the peer's."""
    return statistics.median(a / b for a, b in zip(taken[ours], taken[peer], strict=True))
