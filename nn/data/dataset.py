"""The TensorDataset: arrays whose rows belong together as samples; and random splits of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from nn import hints
from nn.checked import real, whole
from nn.data.rows import Array, equally_long, rows
from nn.data.several import Several, plain
from nn.init import Rng, generator


class TensorDataset:
    """Arrays of numbers with one row per sample: `dataset[k]` is a tuple of the k-th rows, `len` the number of samples.

    `tensors` are read-only views of its arrays; `nn.data.DataLoader(dataset)` gives tuples of their batches.

    >>> dataset = nn.data.TensorDataset(np.arange(6).reshape(3, 2), np.array([0, 1, 1]))
    >>> len(dataset), dataset[2]
    (3, (array([4, 5]), np.int64(1)))
    """

    def __init__(self, *arrays: npt.ArrayLike) -> None:
        asked = "TensorDataset takes arrays of numbers with one sample per row, TensorDataset(X, y)"
        found = [rows(a, asked) for a in arrays]
        self._size = equally_long(found, "TensorDataset takes arrays")
        self.tensors: tuple[Array, ...] = tuple(_protected(a) for a in found)

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, index: Any) -> tuple[Any, ...]:
        return tuple(plain(a[index]) for a in self.tensors)

    def __repr__(self) -> str:
        return f"TensorDataset({', '.join(f'{a.dtype}{list(a.shape)}' for a in self.tensors)})"


@hints.also("random_split", {"generator": "rng"}, {})
def random_split(
    dataset: TensorDataset | tuple[npt.ArrayLike, ...], lengths: Sequence[float], rng: Rng = None
) -> list[TensorDataset]:
    """Split samples at random: one TensorDataset for each of the lengths, with copies of its rows.

    Parameters
    ----------
    dataset : a TensorDataset, or a tuple of arrays such as (X, y)
    lengths : the number of samples of each part, ints with the sum len(dataset); or shares with the sum 1, which are
        rounded down; the remaining samples go one each to the first parts
    rng : the random generator: a numpy.random.Generator, an int seed, or None; generator is another name of it

    Raises ValueError for other sums, and for a part without samples.

    >>> X, y = np.zeros((10, 3)), np.arange(10)
    >>> train, test = nn.data.random_split((X, y), [0.8, 0.2], rng=0)
    >>> len(train), len(test)
    (8, 2)
    """
    whole_set = dataset if isinstance(dataset, TensorDataset) else TensorDataset(*_together(dataset))
    size = len(whole_set)
    counts = _counts(list(lengths), size)
    if sum(counts) != size or min(counts, default=0) < 1:
        raise ValueError(
            f"random_split shares out {size} samples, at least one to each part; received lengths={lengths!r:.80}. "
            f"Write random_split(dataset, [0.8, 0.2]), or ints with the sum {size}."
        )
    order = generator(rng).permutation(size)
    return [TensorDataset(*whole_set[part]) for part in np.split(order, np.cumsum(counts)[:-1])]


def _together(arrays: Any) -> tuple[Any, ...]:
    if not isinstance(arrays, tuple):
        raise TypeError(
            f"random_split takes a TensorDataset, or a tuple of arrays; received {arrays!r:.80}. Write "
            "random_split((X, y), [0.8, 0.2])."
        )
    return arrays


def _counts(lengths: list[Any], size: int) -> list[int]:
    if not any(isinstance(length, float | np.floating) for length in lengths):
        return [whole(length, "random_split: a length, in samples,", 0) for length in lengths]
    shares = [real(length, "random_split: a share", most=1) for length in lengths]
    if not math.isclose(sum(shares), 1):
        return []
    counts = [math.floor(size * share + 1e-9) for share in shares]
    left = size - sum(counts)
    return [count + (k < left) for k, count in enumerate(counts)]


def _protected(array: Array) -> Array:
    """A read-only view."""
    if isinstance(array, Several):
        return array.mapped(_protected)
    view = array.view()
    view.flags.writeable = False
    return view
