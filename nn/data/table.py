"""Tables of numbers in CSV files, one sample per line."""

from __future__ import annotations

import contextlib
import csv
import itertools
import os
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from nn.checked import switch

FilePath = str | os.PathLike[str]
Line = tuple[int, list[str]]  # its number in the file, from 1, and its cells


class Table(NamedTuple):
    r"""The result of `read_csv`; it unpacks as X, y, features, classes.

    >>> with open("flowers.csv", "w") as file:
    ...     lines = file.write("length,species\n1.5,rose\n2.5,lily\n")
    >>> nn.data.read_csv("flowers.csv").features
    ('length',)
    """

    inputs: npt.NDArray[np.float32]  # (samples, features)
    targets: npt.NDArray[Any]  # classes: int64, (samples,); numbers: float32, (samples, 1)
    features: tuple[str, ...]  # the names of the columns of inputs
    classes: tuple[str, ...]  # the names of the classes 0, 1, ... if the file has names, sorted; else empty


def read_csv(path: FilePath, target: int | str = -1, *, delimiter: str = ",", header: bool | None = None) -> Table:
    r"""The samples of a CSV file in UTF-8: X, y, features, classes = nn.data.read_csv("flowers.csv").

    Parameters
    ----------
    path : the file; quoted cells may contain the delimiter, and blank lines are skipped
    target : the column of the targets, by its place (from 0, or from the end) or its name in the header
    delimiter : the one character between the cells
    header : whether the first line has the names of the columns; None means: if it has no numbers

    All other columns are features and must be numbers. Integer targets are labels, names are classes in alphabetical
    order, and other numbers are the targets of a regression. Raises ValueError, naming line and column, for a cell that
    is not a finite number, a line of another length, and a file that is not CSV in UTF-8.

    >>> with open("flowers.csv", "w") as file:
    ...     lines = file.write("length,width,species\n1.5,0.5,rose\n2.5,1.0,lily\n")
    >>> X, y, features, classes = nn.data.read_csv("flowers.csv")
    >>> X.shape, y, classes
    ((2, 2), array([1, 0]), ('lily', 'rose'))
    """
    name = os.fspath(path)
    if not isinstance(delimiter, str) or len(delimiter) != 1 or delimiter in '\r\n"':
        raise ValueError(
            "delimiter is the one character that is between the cells, no quote and no end of a line; received "
            f"{delimiter!r:.80}. Write delimiter=';'."
        )
    header = None if header is None else switch(header, "header")
    with open(path, encoding="utf-8-sig", newline="") as file:
        lines = _lines(csv.reader(file, delimiter=delimiter, skipinitialspace=True, strict=True), name)
        first = next(lines, None)
        if first is None:
            raise ValueError(f"{name!r} has no lines. Pass a file with one sample per line.")
        titles = [cell.strip() for cell in first[1]]
        if len(titles) < 2:
            raise ValueError(
                f"{name!r} has one column, with delimiter={delimiter!r}, and a table of samples at least two; its "
                f"first line is {first[1][0]!r:.80}. Pass the delimiter it has, such as delimiter=';'."
            )
        place = _column(target, titles, header, name)
        if header is None:
            header = isinstance(target, str) or all(
                _number(cell) is None for k, cell in enumerate(titles) if k != place
            )
        called = [f"column {k + 1}" for k in range(len(titles))]
        if header:
            called = [f"{column} ({title!r})" for column, title in zip(called, titles, strict=True)]
        else:
            titles, lines = called.copy(), itertools.chain([first], lines)
        target_called = called.pop(place)
        numbers: list[int] = []
        labels: list[str] = []
        rows: list[npt.NDArray[np.float32]] = []
        for number, cells in lines:
            if len(cells) != len(titles):
                raise ValueError(
                    f"{name!r}, line {number}: every line has as many cells as the first, {len(titles)}; received "
                    f"{len(cells)}. Quote cells that contain the delimiter."
                )
            numbers.append(number)
            labels.append(cells.pop(place).strip())
            rows.append(_row(cells, called, f"{name!r}, line {number}"))
    if not rows:
        raise ValueError(f"{name!r} has a header and no samples. Pass header=False if its one line is a sample.")
    targets, classes = _targets(labels, numbers, target_called, name)
    return Table(np.stack(rows), targets, tuple(titles[:place] + titles[place + 1 :]), classes)


def _lines(reader: Any, name: str) -> Iterator[Line]:
    """The lines that are not blank."""
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except (csv.Error, UnicodeDecodeError) as error:
            number = reader.line_num + isinstance(error, UnicodeDecodeError)  # decoding is some lines ahead
            raise ValueError(f"{name!r}, about line {number}: no CSV in UTF-8 ({error}). Save it as that.") from None
        if len(cells) > 1 or (cells and cells[0].strip()):
            yield reader.line_num, cells


def _column(target: int | str, titles: list[str], header: bool | None, name: str) -> int:
    """The place of the targets' column, from 0."""
    if isinstance(target, str) and titles.count(target) == 1 and header is not False:
        return titles.index(target)
    if isinstance(target, int | np.integer) and not isinstance(target, bool) and -len(titles) <= target < len(titles):
        return int(target) % len(titles)
    raise ValueError(
        f"target is one of the {len(titles)} columns of {name!r}, by its place, or by its name if a header has "
        f"that name once; received {target!r:.80}, header={header}. The first line is "
        f"{', '.join(map(repr, titles)):.300}."
    )


def _number(cell: str) -> float | None:
    """The number in a cell, or None."""
    try:
        return None if "_" in cell else float(cell)  # Python reads 1_000 as a number, and no other program does
    except ValueError:
        return None


def _row(cells: list[str], called: list[str], where: str) -> npt.NDArray[np.float32]:
    """The features in a line."""
    with contextlib.suppress(ValueError), np.errstate(over="ignore"):
        row = np.array(list(map(float, cells)), np.float32)
        if np.isfinite(row).all() and "_" not in "".join(cells):
            return row
    most = float(np.finfo(np.float32).max)
    numbers = (_number(cell) for cell in cells)
    k = next(k for k, number in enumerate(numbers) if number is None or not abs(number) <= most)
    raise ValueError(
        f"{where}, {called[k]}: features are finite float32 numbers; received {cells[k]!r:.80}. Fill in what is "
        "missing, or leave the line out; names become columns of 0 and 1, one for each."
    )


def _targets(labels: list[str], numbers: list[int], called: str, name: str) -> tuple[npt.NDArray[Any], tuple[str, ...]]:
    """The targets, and the names of their classes if they have any."""
    found = [_number(label) for label in labels]
    named = [number is None for number in found]
    if all(labels) and all(named):
        classes, targets = np.unique(labels, return_inverse=True)
        return targets.astype(np.int64), tuple(classes.tolist())
    if not any(named):
        try:
            return np.array([int(label) for label in labels], np.int64), ()
        except (ValueError, OverflowError):  # numbers that are not labels
            with np.errstate(over="ignore"):
                measured = np.array(found, np.float32).reshape(-1, 1)
        named = (~np.isfinite(measured[:, 0])).tolist()
        if not any(named):
            return measured, ()
    k = labels.index("") if "" in labels else named.index(True)
    raise ValueError(
        f"{name!r}, line {numbers[k]}, {called}: targets are finite numbers, or all are names; received "
        f"{labels[k]!r:.80}. Fill in what is missing, or leave the line out."
    )
