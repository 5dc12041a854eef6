"""The History: what a training recorded, epoch by epoch."""

from __future__ import annotations

import html
from collections.abc import Iterator, KeysView
from typing import Any

import numpy as np


class History:
    """One list of numbers per quantity, one number per epoch: "loss", "accuracy", "validation_loss" ...

    `history["loss"]` is such a list, `dict(history)` or `history.columns` all of them by name, `list(history)` the
    names; but `len(history)` is the number of finished epochs. `history.seconds` is how long each took,
    `history.interrupted` whether the training was stopped by hand.
    The training's numbers are means over an epoch's batches, taken while the parameters move; the validation's
    are computed after the epoch.
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

    def __getitem__(self, name: str) -> list[float]:
        try:
            return self.columns[name]
        except KeyError:
            names = ", ".join(map(repr, self.columns))
            raise KeyError(f"no {name!r} in this history, but {names}; pass metrics= or validation= to fit") from None

    def __contains__(self, name: object) -> bool:
        return name in self.columns

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
        return "  ".join([f"epoch {epoch:{len(str(epochs))}}/{epochs}", *parts, _duration(self.seconds[epoch - 1])])

    def plot(self, axes: Any = None) -> Any:
        """The curves over the epochs, the losses in one picture and each metric in another; gives Matplotlib's axes.

        `axes` are those to draw into, as many as there are pictures; for one picture, one of them.
        """
        try:
            import matplotlib.pyplot as plt  # a third of a second, and not everybody plots
            from matplotlib.ticker import MaxNLocator
        except ModuleNotFoundError as error:
            raise ModuleNotFoundError(
                f"plot draws with Matplotlib; the module {error.name} is not installed. "
                'Install it with pip install "autodiff-nn[notebook]".',
                name=error.name,
            ) from None

        pictures = [name for name in self.columns if not name.startswith("validation_")]
        if axes is None:
            size = (4.5 * len(pictures), 3)
            axes = plt.subplots(1, len(pictures), figsize=size, layout="constrained", squeeze=False)[1][0]
        drawn = np.ravel(axes)
        if len(drawn) != len(pictures):
            raise ValueError(
                f"plot draws {len(pictures)} pictures, {', '.join(pictures)}; received {len(drawn)} axes. Write "
                f"axes=plt.subplots(1, {len(pictures)})[1], or leave axes away."
            )
        epochs = range(1, len(self) + 1)
        for name, axis in zip(pictures, drawn, strict=True):
            for column, label in ((name, "training"), (f"validation_{name}", "validation")):
                if column in self:
                    axis.plot(epochs, self[column], label=label, marker="o" if len(self) == 1 else None)
            axis.set(xlabel="epoch", ylabel=name.replace("_", " "))
            axis.set_xlim(left=0.5, auto=None)  # there is no epoch 0; the right end still follows what is drawn
            axis.xaxis.set_major_locator(MaxNLocator(integer=True))
            axis.spines[["top", "right"]].set_visible(False)
            axis.legend(frameon=False)
        return axes

    def _rows(self) -> list[list[str]]:
        """Head and body of the table; of a long history the first and the last epochs, and dots between."""
        head = ["epoch", *(name.replace("_", " ") for name in self.columns), "time"]
        body = [
            [str(k + 1), *(f"{column[k]:.4f}" for column in self.columns.values()), _duration(self.seconds[k])]
            for k in range(len(self))
        ]
        if len(body) > 30:
            body = [*body[:10], ["…"] * len(head), *body[-10:]]
        return [head, *body]

    def __repr__(self) -> str:
        rows = self._rows()
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
        return "\n".join(lines + (["interrupted"] if self.interrupted else []))

    def _repr_html_(self) -> str:
        head, *body = ([html.escape(cell) for cell in row] for row in self._rows())
        lines = ["<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in body]
        caption = "<caption>interrupted</caption>" if self.interrupted else ""
        names = "".join(f"<th>{cell}</th>" for cell in head)
        return f"<table>{caption}<thead><tr>{names}</tr></thead><tbody>{''.join(lines)}</tbody></table>"


def _duration(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds >= 1 else f"{1000 * seconds:.0f} ms"
