"""Embeddings: integers replaced by rows of a table, or by one-hot vectors."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import numpy.typing as npt

import autodiff as ad
from nn.checked import array, whole
from nn.functional.cached import count


@ad.primitive
def taken_rows(weight: Any, indices: Any, constant: int | None = None) -> Any:
    """weight[indices] along the first axis: of shape (*indices.shape, width).

    The row whose number is `constant` receives no derivative.
    """
    return np.take(weight, indices, axis=0)


@ad.primitive
def added_rows(g: Any, indices: Any, rows: int, constant: int | None = None) -> Any:
    """Zeros with `rows` rows, to which the rows of g are added at the indices; repeated indices add up.

    The row whose number is `constant` stays 0.
    """
    if isinstance(g, np.ndarray):
        return _rows_on_the_host(g, indices, rows, constant)
    width = g.shape[-1]
    table = ad.devices.zeros(rows * width, g.dtype, like=g)
    ad.devices.add_at(table, _elements(indices, width, g), g.reshape(-1))
    return _kept(table.reshape(rows, width), constant)


@ad.primitive
def _rows_on_the_host(g: Any, indices: Any, rows: int, constant: int | None = None) -> Any:
    width = g.shape[-1]
    table = np.zeros(rows * width, g.dtype)
    np.add.at(table, _elements(indices, width, g), g.reshape(-1))
    return _kept(table.reshape(rows, width), constant)


def _traced_rows(g: Any, indices: Any, rows: int, constant: int | None = None) -> Any:
    """How programs write `added_rows`."""
    if ad.devices.place(g) == ad.devices.HOST:
        return _rows_on_the_host(g, indices, rows, constant)
    table = ad.Tensor(ad.devices.zeros((rows, g.shape[-1]), g.dtype, like=g)).at[indices].add(g)
    return ad.stop_gradient(table if constant is None else table.at[constant].set(0.0))


def _elements(indices: Any, width: int, like: Any) -> Any:
    """The places of the elements of the rows, because np.add.at takes several times as long for whole rows."""
    return (indices.reshape(-1, 1) * width + count(width, like)).reshape(-1)


def _kept(table: Any, constant: int | None) -> Any:
    if constant is not None:
        table[constant] = 0
    return table


def _of_added(g: Any, y: Any, values: Any, indices: Any, rows: int, constant: int | None = None) -> Any:
    found = taken_rows(g, indices)
    return found if constant is None else found * np.not_equal(indices, constant)[..., None]


ad.adjoint(
    taken_rows,
    lambda g, y, weight, indices, constant=None: added_rows(g, indices, rows=weight.shape[0], constant=constant),
    None,
)
ad.adjoint(added_rows, _of_added, None)
ad.written(taken_rows, "embedding(b, a)", pullbacks=("scatter g",))


def embedding(indices: npt.ArrayLike, weight: Any, padding_idx: int | None = None) -> Any:
    """The rows of a table at the given integers.

    Parameters
    ----------
    indices : integers from 0 to rows - 1, of any shape
    weight : the table, of shape (rows, width)
    padding_idx : the number of a row that receives no derivative, or None

    Returns an array of shape (*indices.shape, width). Raises TypeError for indices that are not integers, ValueError
    for indices out of range.

    >>> table = ad.Tensor([[0.0, 0.0], [1.0, 2.0], [3.0, 4.0]])
    >>> F.embedding(np.array([[2, 1]]), table)
    Tensor([[[3., 4.],
             [1., 2.]]])
    """
    if np.ndim(weight) != 2:
        raise ValueError(f"embedding takes a table of shape (rows, width); received shape {np.shape(weight)}.")
    rows = len(weight)
    chosen = numbers(indices, rows, "embedding", f"the table has {rows} rows")
    if padding_idx is None:
        return taken_rows(weight, chosen)
    return taken_rows(weight, chosen, constant=row_number(padding_idx, rows, "embedding: padding_idx"))


def one_hot(labels: npt.ArrayLike, num_classes: int = -1, *, dtype: npt.DTypeLike = np.int64) -> npt.NDArray[Any]:
    """One row per label, with a 1 at its number and 0 elsewhere: a constant of shape (*labels.shape, num_classes).

    Parameters
    ----------
    labels : integers from 0 to num_classes - 1, of any shape
    num_classes : -1 means the highest label plus one
    dtype : integers by default, as in PyTorch; np.float32 for targets of a squared error

    >>> F.one_hot(np.array([0, 2]), 3)
    array([[1, 0, 0],
           [0, 0, 1]])
    """
    found = numbers(labels, None, "one_hot", "")
    if num_classes == -1:
        if not found.size:
            raise ValueError("one_hot takes the number of classes from the labels; received none. Pass num_classes.")
        num_classes = int(found.max()) + 1
    classes = whole(num_classes, "one_hot: num_classes")
    found = numbers(found, classes, "one_hot", f"there are {classes} classes")
    return np.equal(found[..., None], count(classes)).astype(dtype)


def row_number(number: int, rows: int, what: str) -> int:
    """A row's number counted from 0; a negative number counts from the end."""
    if isinstance(number, bool) or not isinstance(number, int | np.integer) or not -rows <= number < rows:
        raise ValueError(f"{what} is an int from {-rows} to {rows - 1}; received {number!r:.80}.")
    return int(number) % rows


def numbers(indices: npt.ArrayLike, above: int | None, name: str, why: str) -> npt.NDArray[np.integer[Any]]:
    """A copy of indices as native integers, none negative and all below `above`."""
    found = array(ad.stop_gradient(indices))
    if found.dtype.kind not in "iu" and found.size:
        raise TypeError(
            f"{name} takes integers, the numbers of rows or classes; received shape {found.shape} and dtype "
            f"{found.dtype}. If they are whole numbers, convert them with .astype(int)."
        )
    ad.ask(functools.partial(_check_numbers, above=above, name=name, why=why), found)
    return found.astype(np.intp)  # a copy: the user may write into the array before the reverse pass


def _check_numbers(found: Any, above: int | None, name: str, why: str) -> None:
    bound = np.inf if above is None else above
    if found.size and (found.min() < 0 or found.max() >= bound):
        stray = found[(found < 0) | (found >= bound)].flat[0]
        raise ValueError(
            f"{name} takes numbers from 0{f' to {above - 1} ({why})' if above is not None else ''}; received {stray}. "
            "Number the things from 0."
        )


ad.lowered(taken_rows)
ad.lowered(_rows_on_the_host)
ad.lowered(added_rows, _traced_rows)
