"""The progress of a training: one line per epoch, and below them a line that is updated during the epoch."""

from __future__ import annotations

import sys
import time
from contextlib import suppress
from typing import Any

REFRESH = 0.2  # seconds between two updates of the line


class Silence:
    """A progress that shows nothing.

    There are `epochs` of `batches` each; `done` batches were done before. `each` and `unit` are the names of epochs and
    batches in the live line.
    """

    def __init__(self, epochs: int, batches: int, done: int = 0, each: str = "epoch", unit: str = "batches") -> None:
        self.epochs, self.batches, self.done, self.each, self.unit = epochs, batches, done, each, unit

    def advance(self, epoch: int, batch: int) -> None:
        """So many batches of an epoch, counted from 1, are done."""

    def keep(self, line: str) -> None:
        """A line that stays."""

    def close(self) -> None:
        """The end: only the kept lines stay."""


class Bar(Silence):
    """In a terminal: tqdm's bar below the kept lines, with the remaining time for all epochs."""

    def __init__(self, epochs: int, batches: int, done: int = 0, each: str = "epoch", unit: str = "batches") -> None:
        from tqdm import tqdm  # type: ignore[import-untyped, unused-ignore]  # slower to import than this package

        super().__init__(epochs, batches, done, each, unit)
        self._epoch = 0
        self._bar = tqdm(
            total=epochs * batches,
            initial=done,
            unit=f" {unit}",
            leave=False,
            mininterval=REFRESH,
            dynamic_ncols=True,
            file=sys.stderr,
        )

    def advance(self, epoch: int, batch: int) -> None:
        """So many batches of an epoch, counted from 1, are done."""
        if epoch != self._epoch:
            self._epoch = epoch
            self._bar.set_description(f"{self.each} {epoch}/{self.epochs}", refresh=False)
        self._bar.update((epoch - 1) * self.batches + batch - self._bar.n)

    def keep(self, line: str) -> None:
        """A line that stays."""
        self._bar.write(line, file=sys.stderr)

    def close(self) -> None:
        """The end: only the kept lines stay."""
        self._bar.close()


class Output:
    """One output of a notebook's cell that can be rewritten: data by MIME type; the notebook stores the last one.

    Errors of a front end that cannot show it, or is closed, do not affect the program.
    """

    def __init__(self, data: dict[str, str]) -> None:
        self._handle: Any = None
        with suppress(Exception):
            from IPython.display import display

            show: Any = display
            self._handle = show(data, raw=True, display_id=True)

    def show(self, data: dict[str, str], metadata: dict[str, Any] | None = None) -> None:
        """Replace the output by this data; the metadata may hold the width and height of a picture."""
        with suppress(Exception):
            self._handle.update(data, raw=True, **({"metadata": metadata} if metadata else {}))


class Cell(Silence):
    """In a notebook: one output of the cell, which is rewritten, so that a stored notebook has only the kept lines."""

    def __init__(self, epochs: int, batches: int, done: int = 0, each: str = "epoch", unit: str = "batches") -> None:
        from tqdm import tqdm

        super().__init__(epochs, batches, done, each, unit)
        self._format = tqdm.format_meter
        self._lines: list[str] = []
        self._live = ""
        self._began = self._changed = time.perf_counter()
        self._output = Output({"text/plain": ""})

    def advance(self, epoch: int, batch: int) -> None:
        """So many batches of an epoch, counted from 1, are done."""
        now = time.perf_counter()
        if now - self._changed >= REFRESH:
            self._live = self._format(
                (epoch - 1) * self.batches + batch,
                self.epochs * self.batches,
                now - self._began,
                ncols=80,
                prefix=f"{self.each} {epoch}/{self.epochs}",
                unit=f" {self.unit}",
                initial=self.done,
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
        self._output.show({"text/plain": "\n".join(shown)})


def progress(
    epochs: int, batches: int, verbose: bool, done: int = 0, *, each: str = "epoch", unit: str = "batches"
) -> Silence:
    """The progress for a notebook or a terminal; silence if that is asked, or if there is neither.

    `done` is the number of batches that were done before, in a resumed training.
    """
    kind: type[Silence] = Silence
    if verbose:
        kind = Cell if in_notebook() else Bar if _at_terminal() else Silence
    return kind(epochs, batches, done, each, unit)


def in_notebook() -> bool:
    """Whether the program runs in a notebook's kernel; IPython is only asked if it is imported already."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return getattr(shell, "kernel", None) is not None


def _at_terminal() -> bool:
    try:
        return sys.stderr.isatty()
    except (AttributeError, ValueError):  # there is no stream, or it was closed
        return False
