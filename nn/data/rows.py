"""Checks of arrays of samples, one per row, that users pass."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

import autodiff as ad
from nn.data.several import several

Array = npt.NDArray[Any]


def rows(values: Any, asked: str, numbers: bool = True) -> Array:
    """`values` as an array with a first axis of samples; views of files become plain arrays.

    A dict or a tuple of arrays becomes a Several. Raises TypeError for values that are no array of numbers (with
    numbers=False, no array), ValueError for rows of different lengths; the message begins with `asked`.
    """
    if together := several(values, lambda a, name: rows(a, f"{asked}, and so is each of several ({name})")):
        return together  # type: ignore[return-value]  # it supports all that is done with samples
    if isinstance(values, np.ma.MaskedArray):  # np.asarray would show the masked numbers
        raise TypeError(
            f"{asked}; received a masked array of shape {values.shape}. Fill in what is masked, values.filled(0.0), or "
            "leave those samples out."
        )
    try:
        found = np.asarray(ad.stop_gradient(values))
    except ValueError as error:
        raise ValueError(
            f"{asked}; received a {type(values).__name__} that makes none ({error}). Give every row the same length, "
            "and several arrays as (X, y), with one first axis."
        ) from None
    if not found.ndim:
        raise TypeError(
            f"{asked}; received {values!r:.80}. Pass arrays; np.stack(list(...)) makes one of what comes one by one."
        )
    if numbers and found.dtype.kind == "O" and hasattr(values, "iloc") and hasattr(values, "columns"):
        found = _table(values, asked)
    if numbers and found.dtype.kind not in "fiub":
        hint = "names of classes become integers by np.unique(y, return_inverse=True)[1]"
        if found.dtype.kind == "c":
            hint = "write np.stack([z.real, z.imag], axis=-1), or one of the two"
        raise TypeError(
            f"{asked}; received shape {found.shape} and dtype {found.dtype}. Write .astype(float) for numbers; {hint}."
        )
    return found


def _table(frame: Any, asked: str) -> Array:
    """The columns of a DataFrame, of several dtypes, as one array. Raises TypeError for columns without numbers."""
    columns = [np.asarray(frame.iloc[:, k]) for k in range(len(frame.columns))]
    strange = [
        f"{name!r} ({c.dtype})" for name, c in zip(frame.columns, columns, strict=True) if c.dtype.kind not in "fiub"
    ]
    if strange:
        raise TypeError(
            f"{asked}; received a DataFrame of shape {frame.shape} whose columns {', '.join(strange)} are none. Leave "
            "them out, write .astype(float) for numbers, or make columns of 0 and 1 with pandas.get_dummies(X)."
        )
    return np.column_stack(columns)


def equally_long(arrays: Sequence[Array], asked: str) -> int:
    """The number of samples of several arrays. Raises ValueError if the numbers differ or are 0."""
    sizes = [len(a) for a in arrays]
    if len(set(sizes)) == 1 and sizes[0]:
        return sizes[0]
    shapes = ", ".join(str(a.shape) for a in arrays) or "no array"
    raise ValueError(
        f"{asked} with one row per sample, the same number in each and at least one; received {shapes}. Compare their "
        "first axes."
    )
