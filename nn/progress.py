"""How far a training is: one kept line per epoch and, where someone is watching, a live one below them."""

from __future__ import annotations

import sys
import time
from typing import Any

REFRESH = 0.2  # seconds between two changes of what is shown


class Silence:
    """Nothing is shown."""

    def __init__(self, epochs: int, batches: int) -> None:
        self.epochs, self.batches = epochs, batches

    def advance(self, epoch: int, batch: int) -> None:
        """So many batches of an epoch are done."""

    def keep(self, line: str) -> None:
        """A line that stays."""

    def close(self) -> None:
        """The end: only the kept lines stay."""


class Lines(Silence):
    """The kept lines alone, for logs and pipes: no control characters."""

    def keep(self, line: str) -> None:
        """A line that stays."""
        print(line, file=sys.stderr, flush=True)


class Bar(Silence):
    """In a terminal: tqdm's bar below the kept lines."""

    def __init__(self, epochs: int, batches: int) -> None:
        from tqdm import tqdm  # type: ignore[import-untyped, unused-ignore]  # slower to import than this package

        super().__init__(epochs, batches)
        self._bar = tqdm(
            total=epochs * batches,
            unit=" batches",
            leave=False,
            mininterval=REFRESH,
            dynamic_ncols=True,
            file=sys.stderr,
        )

    def advance(self, epoch: int, batch: int) -> None:
        """So many batches of an epoch are done."""
        if batch == 1:
            self._bar.set_description(f"epoch {epoch}/{self.epochs}", refresh=False)
        self._bar.update()

    def keep(self, line: str) -> None:
        """A line that stays."""
        self._bar.write(line, file=sys.stderr)

    def close(self) -> None:
        """The end: only the kept lines stay."""
        self._bar.close()


class Cell(Silence):
    """In a notebook: one output of the cell, rewritten, so that a stored notebook holds the kept lines alone."""

    def __init__(self, epochs: int, batches: int) -> None:
        from IPython.display import display
        from tqdm import tqdm

        super().__init__(epochs, batches)
        self._format = tqdm.format_meter
        self._lines: list[str] = []
        self._live = ""
        self._began = self._changed = time.perf_counter()
        show: Any = display
        self._handle = show({"text/plain": ""}, raw=True, display_id=True)

    def advance(self, epoch: int, batch: int) -> None:
        """So many batches of an epoch are done."""
        now = time.perf_counter()
        if batch == 1:
            self._began = now
        if now - self._changed >= REFRESH:
            self._live = self._format(
                batch, self.batches, now - self._began, ncols=80, prefix=f"epoch {epoch}/{self.epochs}", unit=" batches"
            )
            self._show(now)

    def keep(self, line: str) -> None:
        """A line that stays."""
        self._lines.append(line)
        self._live = ""
        now = time.perf_counter()
        if now - self._changed >= REFRESH:
            self._show(now)

    def close(self) -> None:
        """The end: only the kept lines stay."""
        self._live = ""
        self._show(time.perf_counter())

    def _show(self, now: float) -> None:
        self._changed = now
        shown = [*self._lines, self._live] if self._live else self._lines
        self._handle.update({"text/plain": "\n".join(shown)}, raw=True)


def progress(epochs: int, batches: int, verbose: bool) -> Silence:
    """The right one for where the program runs."""
    if not verbose:
        return Silence(epochs, batches)
    if _in_notebook():
        return Cell(epochs, batches)
    return Bar(epochs, batches) if sys.stderr.isatty() else Lines(epochs, batches)


def _in_notebook() -> bool:
    """Whether a notebook's kernel runs this; IPython is asked only if somebody has imported it."""
    shell = sys.modules.get("IPython") and sys.modules["IPython"].get_ipython()
    return getattr(shell, "kernel", None) is not None
