"""The History: the numbers that a training recorded, epoch by epoch."""

from __future__ import annotations

import csv
import html
import io
import os
from collections.abc import Iterator, KeysView
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from nn.report.plotting import plain, subplots

WIDTH = 100  # characters of a table's line; further columns are printed below


class History:
    """One list of numbers per quantity, one number per epoch: "loss", "accuracy", "validation_loss" ...

    `history["loss"]` is such a list, `dict(history)` or `history.columns` all of them by name, `list(history)` the
    names; but `len(history)` is the number of finished epochs. "val_loss" is another name of "validation_loss", and
    `history.history` is the dict with such names, as in Keras. `history.seconds` are the times of the epochs,
    `history.interrupted` says whether Ctrl-C ended the training.

    Numbers of the training are means over an epoch, computed while the parameters change. Numbers of the validation
    are computed after the epoch.

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
        """The name here of a column that Keras calls "val_..."; other names are unchanged."""
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
        """The line that is shown for an epoch, counted from 1."""
        parts = [f"{name.replace('_', ' ')} {column[epoch - 1]:.4f}" for name, column in self.columns.items()]
        return "  ".join([f"epoch {epoch:{len(str(epochs))}}/{epochs}", *parts, duration(self.seconds[epoch - 1])])

    def to_csv(self, path: str | os.PathLike[str] | None = None) -> str | None:
        """Comma-separated values: a line with the names (epoch, ..., seconds), then one per epoch.

        They are written to the file `path`, or returned as a text if there is none. float() reads exactly the same
        numbers from the text.
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

    def to_frame(self) -> Any:
        """A pandas DataFrame with a column for each quantity and "seconds", and one row per epoch, the index.

        Raises ImportError without pandas. `pd.DataFrame(dict(history))` is the same without epochs and seconds.
        """
        try:
            from pandas import DataFrame, RangeIndex
        except ImportError:
            raise ImportError("to_frame makes a DataFrame of pandas. Install it: pip install pandas.") from None
        index = RangeIndex(1, len(self) + 1, name="epoch")
        return DataFrame({**self.columns, "seconds": self.seconds}, index=index)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NoReturn:
        """Raise TypeError: pandas and NumPy would convert the names instead of the numbers."""
        raise TypeError(
            "a History has columns with names, which an array has not. Write history.to_frame() for a DataFrame, "
            'np.array(history["loss"]) for a column.'
        )

    def plot(self, axes: Any = None) -> Any:
        """Plot the curves over the epochs, the losses in one plot and each metric in another. Returns the axes.

        `axes` are Matplotlib's axes to draw into, one for each plot. A ring marks the epoch with the least validation
        loss. Numbers that are not finite are left out.
        """
        pictures = [name for name in self.columns if not name.startswith("validation_")]
        axes, drawn = subplots(pictures, axes)
        from matplotlib.ticker import MaxNLocator

        epochs = np.arange(1, len(self) + 1)
        marker = "." if len(self) <= 20 else None  # for few epochs mark each number; a single one has no line
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
            axis.set_xlim(left=0.5, auto=None)  # there is no epoch 0; the right end still adapts to the curves
            axis.legend(frameon=False)
        return axes

    def _best(self) -> int:
        """The epoch with the least validation loss; 0 if there is no validation, or only one epoch."""
        losses = np.array(self.columns.get("validation_loss", []))
        return int(np.nanargmin(losses)) + 1 if len(losses) > 1 and np.isfinite(losses).any() else 0

    def _rows(self) -> list[list[str]]:
        """Head and body of the table; for a long history the first and the last epochs, with dots between."""
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
    """Rows of cells as a right-aligned table; columns beyond the width are printed below, after the first one again."""
    first, *columns = ([cell.rjust(max(map(len, column))) for cell in column] for column in zip(*rows, strict=True))
    tables: list[list[list[str]]] = [[first]]
    for column in columns:
        used = sum(len(cells[0]) + 2 for cells in tables[-1])
        if len(tables[-1]) > 1 and used + len(column[0]) > width:
            tables.append([first])
        tables[-1].append(column)
    return "\n\n".join("\n".join("  ".join(row).rstrip() for row in zip(*table, strict=True)) for table in tables)


def duration(seconds: float) -> str:
    """A time as text, in a suitable unit."""
    return f"{seconds:.1f} s" if seconds >= 1 else f"{1000 * seconds:.0f} ms"
