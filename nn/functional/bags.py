"""Bags of rows of a table: the sum, mean or maximum of the rows at several integers."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

import autodiff as ad
from nn.functional.cached import count
from nn.functional.embedding import added_rows, numbers, row_number, taken_rows

MODES = ("sum", "mean", "max")


def embedding_bag(
    indices: npt.ArrayLike,
    weight: Any,
    offsets: npt.ArrayLike | None = None,
    *,
    mode: str = "mean",
    per_sample_weights: Any = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> Any:
    """The sum, mean or maximum of a table's rows at each bag of integers: of shape (bags, width).

    Parameters
    ----------
    indices : integers from 0 to rows - 1: of shape (bags, size), or all bags in one row
    weight : the table, of shape (rows, width)
    offsets : if all bags are in one row: where each bag begins, from 0 and not falling; with `include_last_offset` also
        where the last one ends
    mode : "sum", "mean" or "max"; an empty bag gives 0. The derivative of a maximum goes to the first row that has it
    per_sample_weights : a factor for each row, of the shape of the indices, with mode="sum"
    padding_idx : the number of a row that is ignored, or None

    Raises TypeError for indices that are not integers, ValueError for numbers out of range and shapes that do not fit.

    >>> table = np.array([[1.0], [10.0], [100.0]])
    >>> F.embedding_bag(np.array([0, 1, 2]), table, offsets=np.array([0, 2]), mode="sum")
    array([[ 11.],
           [100.]])
    """
    if np.ndim(weight) != 2:
        raise ValueError(f"embedding_bag takes a table of shape (rows, width); received shape {np.shape(weight)}.")
    if mode not in MODES:
        raise ValueError(f"embedding_bag: mode is one of {', '.join(map(repr, MODES))}; received {mode!r:.80}.")
    chosen = numbers(indices, len(weight), "embedding_bag", f"the table has {len(weight)} rows")
    bag, bags = _bags(chosen, offsets, include_last_offset)
    shares = per_sample_weights
    if chosen.ndim == 2 and chosen.size and mode != "max" and padding_idx is None and shares is None:
        return (np.sum if mode == "sum" else np.mean)(taken_rows(weight, chosen), axis=1)
    if shares is not None:
        if mode != "sum" or np.shape(shares) != chosen.shape:
            raise ValueError(
                f"embedding_bag: per_sample_weights have the indices' shape, {chosen.shape}, and go with mode='sum'; "
                f"received shape {np.shape(shares)} and mode={mode!r}."
            )
        shares = np.reshape(shares, -1)
    chosen = chosen.reshape(-1)
    if padding_idx is not None:
        counting = chosen != row_number(padding_idx, len(weight), "embedding_bag: padding_idx")
        chosen, bag = chosen[counting], bag[counting]
        shares = None if shares is None else shares[counting]
    if mode == "max":
        return _highest(weight, chosen, bag, bags)
    rows = taken_rows(weight, chosen)
    if shares is not None:
        rows = rows * shares.astype(rows.dtype)[:, None]
    total = added_rows(rows, bag, rows=bags)
    if mode == "sum":
        return total
    sizes = np.maximum(np.bincount(bag, minlength=bags), 1)
    return total / sizes.astype(total.dtype)[:, None]


def _bags(chosen: npt.NDArray[Any], offsets: Any, include_last_offset: bool) -> tuple[npt.NDArray[np.intp], int]:
    """The bag of each index, in reading order, and the number of bags."""
    if chosen.ndim == 2 and offsets is None:
        return np.repeat(count(len(chosen)), chosen.shape[1]), len(chosen)
    bounds = None if offsets is None else np.asarray(offsets)
    if chosen.ndim != 1 or bounds is None or bounds.ndim != 1 or bounds.dtype.kind not in "iu":
        raise ValueError(
            "embedding_bag takes indices of shape (bags, size), or a row of them and offsets, a row of integers; "
            f"received indices of shape {chosen.shape} and offsets={offsets!r:.80}."
        )
    ends = bounds if include_last_offset else np.append(bounds, len(chosen))
    first = 0 if len(ends) > 1 else len(chosen)  # without a bag there is no index
    if not len(ends) or ends[0] != first or ends[-1] > len(chosen) or np.any(np.diff(ends) < 0):
        raise ValueError(
            f"embedding_bag's offsets begin at 0, do not fall, and are at most the number of indices, {len(chosen)}; "
            f"received {offsets!r:.80}."
        )
    return np.repeat(np.arange(len(ends) - 1), np.diff(ends)), len(ends) - 1


def _highest(weight: Any, chosen: npt.NDArray[Any], bag: npt.NDArray[Any], bags: int) -> Any:
    """The maximum of each column over each bag's rows."""
    plain, width = ad.stop_gradient(weight), weight.shape[1]
    found = np.full((bags, width), -1)
    for k in range(bags):
        rows = chosen[bag == k]
        if rows.size:
            found[k] = rows[np.argmax(plain[rows], axis=0)]
    return np.where(found >= 0, weight[np.maximum(found, 0), count(width)], 0.0)
