"""The DataLoader: mini-batches of samples, in the given order or in a new random order for each epoch."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from nn import hints
from nn.checked import switch, whole
from nn.data.dataset import TensorDataset
from nn.data.rows import Array, equally_long, rows
from nn.data.several import plain
from nn.init import Rng, generator

Order = npt.NDArray[np.intp]


class DataLoader:
    """Mini-batches of one or more arrays that have one row per sample; its len() is the number of batches.

    Parameters
    ----------
    arrays : arrays of numbers with equal first axes, or one tuple or TensorDataset of them; np.memmap files are read
        batch by batch. Instead of an array there may be a dict of arrays, or beside others a tuple of arrays
    batch_size : samples per batch (the last one may have fewer); None for all samples at once
    shuffle : whether each epoch goes through the samples in a new order, every sample once
    drop_last : whether to leave out a last batch that has fewer samples
    replacement : whether each sample of an epoch is drawn uniformly from all, so that some occur twice and some not at
        all; with batch_size=1 this is plain stochastic gradient descent
    rng : the generator of the orders: a numpy.random.Generator, an int seed, or None

    Iterating gives one epoch: tuples of arrays, or arrays if one array was passed without a tuple. Batches in the given
    order are read-only views, since writing into them would change the data; others are copies. `dataset` is the
    TensorDataset of the arrays; its `len` is the number of samples.

    A training loop that stops inside an epoch and is resumed needs the order itself: `order()` draws one, and
    `batch(order, k)` is its k-th batch.

    >>> X, y = np.zeros((100, 3)), np.zeros(100)
    >>> [x.shape for x, _ in nn.data.DataLoader(X, y, batch_size=40, shuffle=True, rng=0)]
    [(40, 3), (40, 3), (20, 3)]
    """

    def __init__(
        self,
        *arrays: npt.ArrayLike | tuple[npt.ArrayLike, ...] | TensorDataset,
        batch_size: int | None = 32,
        shuffle: bool = False,
        drop_last: bool = False,
        replacement: bool = False,
        rng: Rng = None,
        **unknown: Any,
    ) -> None:
        hints.refuse(unknown, hints.LOADER, "DataLoader")
        asked = "DataLoader takes arrays of numbers with one sample per row, DataLoader(X, y, batch_size=32)"
        given: tuple[Any, ...] = arrays
        self._alone = len(given) == 1 and not isinstance(given[0], tuple | TensorDataset)
        if len(given) == 1 and not self._alone:
            given = arrays[0].tensors if isinstance(arrays[0], TensorDataset) else tuple(given[0])
        if self._alone and _is_dataset(given[0]):
            raise TypeError(
                f"{asked}; received a {type(given[0]).__name__} that gives samples one by one. Make arrays of them: "
                "DataLoader(*map(np.stack, zip(*(dataset[k] for k in range(len(dataset)))))), or loop over them."
            )
        if len(given) > 1 and isinstance(given[-1], int | float):
            raise TypeError(f"{asked}; received {given[-1]!r} as the last of them. Write batch_size=... by its name.")
        found = [rows(a, asked) for a in given]
        self.size = equally_long(found, "DataLoader takes arrays")
        self.dataset = TensorDataset(*found)
        self.arrays = self.dataset.tensors
        self.batch_size = None if batch_size is None else whole(batch_size, "batch_size (None for all at once)")
        self.shuffle, self.drop_last = switch(shuffle, "shuffle"), switch(drop_last, "drop_last")
        self.replacement = switch(replacement, "replacement")
        self.rng = generator(rng)
        self._mapped = [isinstance(a, np.memmap) for a in given]
        # ndarray.take is up to four times as fast as indexing (measured), but first copies other array types entirely.
        self._taken = [isinstance(a, np.ndarray) and a.flags.c_contiguous and a.flags.aligned for a in self.arrays]
        if not len(self):
            raise ValueError(
                f"with drop_last, {self.size} samples make no batch of batch_size={batch_size}. Lower it, or drop none."
            )

    def __len__(self) -> int:
        rows_at_once = self.batch_size or self.size
        return self.size // rows_at_once if self.drop_last else math.ceil(self.size / rows_at_once)

    def order(self) -> Order:
        """The indices of one epoch's samples: the given order, or a new one drawn from `rng`."""
        if self.replacement:
            return self.rng.integers(self.size, size=self.size)
        return self.rng.permutation(self.size) if self.shuffle else np.arange(self.size)

    def batch(self, order: Order, k: int, part: tuple[int, int] = (0, 1)) -> tuple[Array, ...]:
        """The k-th batch, counted from 0, of an epoch in this order.

        With part=(i, n) it is the i-th of n parts of the batch, counted from 0; their sizes differ by one at most.
        """
        if len(order) != self.size or not 0 <= k < len(self):
            raise IndexError(
                f"an epoch has {len(self)} batches of the {self.size} samples; received an order of {len(order)} and "
                f"k={k}. Take the order from order(), and k from range(len(loader))."
            )
        first = k * (self.batch_size or self.size)
        count = min(self.size - first, self.batch_size or self.size)
        start, stop = (first + count * i // part[1] for i in (part[0], part[0] + 1))
        chosen = order[start:stop]
        if not (self.shuffle or self.replacement) and (chosen == np.arange(start, stop)).all():
            return tuple(
                a[start:stop].copy() if mapped else a[start:stop]
                for a, mapped in zip(self.arrays, self._mapped, strict=True)
            )
        return tuple(
            a.take(chosen, axis=0) if taken else a[chosen] for a, taken in zip(self.arrays, self._taken, strict=True)
        )

    def __iter__(self) -> Iterator[Any]:
        order = self.order()
        for k in range(len(self)):
            found = tuple(map(plain, self.batch(order, k)))
            yield found[0] if self._alone else found

    def __repr__(self) -> str:
        shapes = ", ".join(f"{a.dtype}{list(a.shape)}" for a in self.arrays)
        switches = [name for name in ("shuffle", "drop_last", "replacement") if getattr(self, name)]
        return f"DataLoader({shapes}, batch_size={self.batch_size}{''.join(f', {name}=True' for name in switches)})"


def _is_dataset(given: Any) -> bool:
    """Whether an object is a Dataset as PyTorch has them: it gives samples by number, and is no array or sequence."""
    kind = type(given)
    known = isinstance(given, Sequence | Mapping) or hasattr(kind, "__array__") or hasattr(kind, "__array_function__")
    return hasattr(kind, "__getitem__") and hasattr(kind, "__len__") and not known
