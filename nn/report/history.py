"""The History: what a training recorded, epoch by epoch."""

from __future__ import annotations

import csv
import html
import io
import os
from collections.abc import Iterator, KeysView
from pathlib import Path
from typing import Any

import numpy as np

from nn.report.plotting import plain, subplots

WIDTH = 100  # characters of a table's line; more columns go below


class History:
    """One list of numbers per quantity, one number per epoch: "loss", "accuracy", "validation_loss" ...

    `history["loss"]` is such a list, `dict(history)` or `history.columns` all of them by name, `list(history)` the
    names; but `len(history)` is the number of finished epochs. "val_loss" stands for "validation_loss", and
    `history.history` is the dict under such names, as in Keras. `history.seconds` is how long each epoch took,
    `history.interrupted` whether the training was stopped by hand.
    Numbers of the training are means over an epoch, computed while the parameters change. Those of the validation are
    computed after the epoch.

    >>> X, y = nn.data.gauss(100, rng=0)
    >>> given = dict(loss="cross_entropy", optimizer="adam", metrics="accuracy", rng=0, verbose=False)
    >>> history = nn.fit(nn.Linear(2, 2, rng=0), X, y, epochs=3, **given)
    >>> list(history), len(history["loss"])
    (['loss', 'accuracy'], 3)
    """

    def __init__(self, names: list[str]) -> None:
        self.columns: dict[str, list[float]] = {name: [] for name in names}
        self.seconds: list[float] = []
        self.interrupted = False

    def append(self, values: dict[str, float], seconds: float) -> None:
        """Add an epoch."""
        for name, column in self.columns.items():
            column.append(values[name])
        self.seconds.append(seconds)

    @property
    def history(self) -> dict[str, list[float]]:
        """The columns under the names that Keras gives them: "val_loss" for "validation_loss"."""
        return {
            f"val_{name.removeprefix('validation_')}" if name.startswith("validation_") else name: column
            for name, column in self.columns.items()
        }

    def __getitem__(self, name: str) -> list[float]:
        try:
            return self.columns[self.own_name(name)]
        except KeyError:
            names = ", ".join(map(repr, self.columns))
            raise KeyError(f"no {name!r} in this history, but {names}; pass metrics= or validation= to fit") from None

    def __contains__(self, name: object) -> bool:
        return self.own_name(name) in self.columns

    def own_name(self, name: Any) -> Any:
        """The name here of a column that Keras calls "val_..."; any other stays."""
        if name not in self.columns and isinstance(name, str) and name.startswith("val_"):
            return f"validation_{name.removeprefix('val_')}"
        return name

    def __iter__(self) -> Iterator[str]:
        return iter(self.columns)

    def keys(self) -> KeysView[str]:
        """The names of the columns."""
        return self.columns.keys()

    def __len__(self) -> int:
        return len(self.seconds)

    def line(self, epoch: int, epochs: int) -> str:
        """One epoch, counted from 1, in words and numbers."""
        parts = [f"{name.replace('_', ' ')} {column[epoch - 1]:.4f}" for name, column in self.columns.items()]
        return "  ".join([f"epoch {epoch:{len(str(epochs))}}/{epochs}", *parts, duration(self.seconds[epoch - 1])])

    def to_csv(self, path: str | os.PathLike[str] | None = None) -> str | None:
        """Comma-separated values: a line with the names (epoch, ..., seconds), then one per epoch.

        They go into the file `path`, or are given as a text if there is none. The numbers are written so that
        float() reads exactly the same ones.
        """
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["epoch", *self.columns, "seconds"])
        rows = zip(*self.columns.values(), self.seconds, strict=True)
        writer.writerows([epoch, *(repr(float(number)) for number in row)] for epoch, row in enumerate(rows, 1))
        if path is None:
            return text.getvalue()
        Path(path).write_text(text.getvalue(), encoding="utf-8", newline="")
        return None

    def plot(self, axes: Any = None) -> Any:
        """The curves over the epochs, the losses in one picture and each metric in another; gives Matplotlib's axes.

        `axes` are those to draw into, as many as there are pictures; for one picture, one of them. A ring marks the
        epoch with the least validation loss. What is not finite is left out of the curves.
        """
        pictures = [name for name in self.columns if not name.startswith("validation_")]
        axes, drawn = subplots(pictures, axes)
        from matplotlib.ticker import MaxNLocator

        epochs = np.arange(1, len(self) + 1)
        marker = "." if len(self) <= 20 else None  # few epochs: where the numbers are, and the only one at all
        for name, axis in zip(pictures, drawn, strict=True):
            for column, label in ((name, "training"), (f"validation_{name}", "validation")):
                if column in self:
                    axis.plot(epochs, self[column], label=label, marker=marker)
            plain(axis, "epoch", name.replace("_", " "))
            axis.xaxis.set_major_locator(MaxNLocator(integer=True))
            if name == "loss" and (best := self._best()):
                axis.scatter(
                    best,
                    self["validation_loss"][best - 1],
                    s=60,
                    facecolors="none",
                    edgecolors=axis.lines[-1].get_color(),
                    zorder=3,
                    label=f"least, epoch {best}",
                )
            axis.set_xlim(left=0.5, auto=None)  # there is no epoch 0; the right end still follows what is drawn
            axis.legend(frameon=False)
        return axes

    def _best(self) -> int:
        """The epoch with the least validation loss; 0 if there is none, or nothing to choose from."""
        losses = np.array(self.columns.get("validation_loss", []))
        return int(np.nanargmin(losses)) + 1 if len(losses) > 1 and np.isfinite(losses).any() else 0

    def _rows(self) -> list[list[str]]:
        """Head and body of the table; of a long history the first and the last epochs, and dots between."""
        head = ["epoch", *(name.replace("_", " ") for name in self.columns), "time"]
        body = [
            [str(k + 1), *(f"{column[k]:.4f}" for column in self.columns.values()), duration(self.seconds[k])]
            for k in range(len(self))
        ]
        if len(body) > 30:
            body = [*body[:10], ["…"] * len(head), *body[-10:]]
        return [head, *body]

    def __repr__(self) -> str:
        table = aligned(self._rows(), WIDTH)
        return f"{table}\ninterrupted" if self.interrupted else table

    def _repr_html_(self) -> str:
        head, *body = ([html.escape(cell) for cell in row] for row in self._rows())
        lines = ["<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in body]
        caption = "<caption>interrupted</caption>" if self.interrupted else ""
        names = "".join(f"<th>{cell}</th>" for cell in head)
        return f"<table>{caption}<thead><tr>{names}</tr></thead><tbody>{''.join(lines)}</tbody></table>"


def aligned(rows: list[list[str]], width: int = 10**6) -> str:
    """Rows of cells as a table, aligned at the right; columns beyond the width go below, each time with the first."""
    first, *columns = ([cell.rjust(max(map(len, column))) for cell in column] for column in zip(*rows, strict=True))
    tables: list[list[list[str]]] = [[first]]
    for column in columns:
        used = sum(len(cells[0]) + 2 for cells in tables[-1])
        if len(tables[-1]) > 1 and used + len(column[0]) > width:
            tables.append([first])
        tables[-1].append(column)
    return "\n\n".join("\n".join("  ".join(row).rstrip() for row in zip(*table, strict=True)) for table in tables)


def duration(seconds: float) -> str:
    """A time in a unit that suits it."""
    return f"{seconds:.1f} s" if seconds >= 1 else f"{1000 * seconds:.0f} ms"
