"""What integers stand for: rows of a table, and one-hot vectors."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import numpy.typing as npt

import autodiff as ad
from nn.checked import array, whole
from nn.functional.cached import count


@ad.primitive
def taken_rows(weight: Any, indices: Any) -> Any:
    """weight[indices] along the first axis: of shape (*indices.shape, width)."""
    return np.take(weight, indices, axis=0)


@ad.primitive
def added_rows(g: Any, indices: Any, rows: int) -> Any:
    """Zeros of so many rows with those of g added at the indices, as often as they are repeated."""
    width = g.shape[-1]
    table = np.zeros(rows * width, g.dtype)
    # Element by element: np.add.at takes several times as long for rows.
    np.add.at(table, (indices.reshape(-1, 1) * width + count(width)).reshape(-1), g.reshape(-1))
    return table.reshape(rows, width)


ad.adjoint(taken_rows, lambda g, y, weight, indices: added_rows(g, indices, rows=weight.shape[0]), None)
ad.adjoint(added_rows, lambda g, y, values, indices, rows: taken_rows(g, indices), None)
ad.written(taken_rows, "embedding(b, a)", pullbacks=("scatter g",))


def embedding(indices: npt.ArrayLike, weight: Any, padding_idx: int | None = None) -> Any:
    """The rows of a table that integers stand for.

    Parameters
    ----------
    indices : integers from 0 to rows - 1, of any shape
    weight : the table, of shape (rows, width)
    padding_idx : the row, if there is one, that receives no derivative

    Returns an array of shape (*indices.shape, width). Raises TypeError for indices that are not integers, ValueError
    for those out of range.
    """
    if np.ndim(weight) != 2:
        raise ValueError(f"embedding takes a table of shape (rows, width); received shape {np.shape(weight)}.")
    rows = len(weight)
    chosen = numbers(indices, rows, "embedding", f"the table has {rows} rows")
    found = taken_rows(weight, chosen)
    if padding_idx is None:
        return found
    padding_idx = row_number(padding_idx, rows, "embedding: padding_idx")
    constant = ad.stop_gradient(weight[padding_idx])
    return np.where(np.equal(chosen, padding_idx)[..., None], constant, found)


def one_hot(labels: npt.ArrayLike, num_classes: int = -1, *, dtype: npt.DTypeLike = np.int64) -> npt.NDArray[Any]:
    """A row per label with a 1 at its number and 0 elsewhere: of shape (*labels.shape, num_classes), a constant.

    Parameters
    ----------
    labels : integers from 0 to num_classes - 1, of any shape
    num_classes : -1 takes one more than the highest label there is
    dtype : integers by default, as in PyTorch; np.float32 for targets of a squared error
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
    """A row's number from 0, of one that may be counted from the end by a negative one."""
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
    return found.astype(np.intp)  # a graph keeps them, and the array may be filled anew before the reverse pass


def _check_numbers(found: Any, above: int | None, name: str, why: str) -> None:
    bound = np.inf if above is None else above
    if found.size and (found.min() < 0 or found.max() >= bound):
        stray = found[(found < 0) | (found >= bound)].flat[0]
        raise ValueError(
            f"{name} takes numbers from 0{f' to {above - 1} ({why})' if above is not None else ''}; received {stray}. "
            "Number the things from 0."
        )


ad.lowered(taken_rows)
ad.lowered(added_rows)
