"""Samples divided into a training part and a test part."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from nn.checked import switch
from nn.data.rows import Array, equally_long, rows
from nn.init import Rng, generator

Places = npt.NDArray[np.intp]


def train_test_split(
    *arrays: npt.ArrayLike,
    test_size: float = 0.25,
    stratify: npt.ArrayLike | None = None,
    rng: Rng = None,
    shuffle: bool = True,
) -> tuple[Array, ...]:
    """The training part and the test part of each array: X_train, X_test, y_train, y_test = train_test_split(X, y).

    Parameters
    ----------
    arrays : arrays of any dtype with equal first axes
    test_size : the share of the test samples, above 0 and below 1 (rounded up), or their number, an int
    stratify : labels, of shape (samples,): in both parts the classes have the same shares as in all samples, up to one
        sample (largest remainders)
    rng : the random generator: a numpy.random.Generator, an int seed, or None
    shuffle : whether to draw at random; otherwise the test part is the last samples

    Every sample is in exactly one of the parts. Raises ValueError if a part would be empty, and with `stratify` also if
    a class has a single sample or a part has fewer samples than there are classes. If a class's share of a part is less
    than one sample, that part may have none of it. The results are copies, or views without `shuffle`.

    >>> X, y = np.arange(8).reshape(8, 1), np.array([0, 1] * 4)
    >>> X_train, X_test, y_train, y_test = nn.data.train_test_split(X, y, stratify=y, rng=0)
    >>> len(X_train), sorted(y_test.tolist())
    (6, [0, 1])
    """
    asked = "train_test_split takes arrays with one sample per row, train_test_split(X, y)"
    found = [rows(a, asked, numbers=False) for a in arrays]
    size = equally_long(found, "train_test_split takes arrays")
    count = _test_count(test_size, size)
    if not switch(shuffle, "shuffle"):
        if stratify is not None:
            raise ValueError("stratify draws from each class, and shuffle=False does not draw. Leave out one of them.")
        return tuple(part for a in found for part in (a[: size - count], a[size - count :]))
    random = generator(rng)
    if stratify is None:
        order = random.permutation(size)
        test, train = order[:count], order[count:]
    else:
        test, train = _stratified(stratify, size, count, random)
    return tuple(part for a in found for part in (a[train], a[test]))


def _test_count(test_size: Any, size: int) -> int:
    count = -1
    if isinstance(test_size, int | np.integer) and not isinstance(test_size, bool):
        count = int(test_size)
    elif isinstance(test_size, float | np.floating) and 0 < test_size < 1:
        count = math.ceil(float(test_size) * size - 1e-9)  # 0.07 * 100 is 7.000000000000001, but should give 7
    if not 0 < count < size:
        raise ValueError(
            f"test_size is a share above 0 and below 1, or a number of samples, that leaves some of the {size} on "
            f"either side; received {test_size!r:.80}. Write test_size=0.25."
        )
    return count


def _stratified(stratify: npt.ArrayLike, size: int, count: int, random: np.random.Generator) -> tuple[Places, Places]:
    labels = rows(stratify, "stratify takes the labels of the samples, stratify=y", numbers=False)
    if labels.shape != (size,):
        raise ValueError(
            f"stratify takes one label for each of the {size} samples; received shape {labels.shape}. One-hot labels "
            "become integers by argmax(axis=1)."
        )
    classes, members, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    if sizes.min() < 2:
        raise ValueError(
            f"stratify shares each class out to both parts; received the class {classes[sizes.argmin()]!s:.40} "
            f"with one member, among {len(classes)} classes. Leave that sample out, or split without stratify."
        )
    if min(count, size - count) < len(classes):
        raise ValueError(
            f"stratify shares each class out to both parts; received parts of {size - count} and {count} "
            f"samples for {len(classes)} classes. Choose test_size so that each has {len(classes)} at least."
        )
    counts = _shared_out(count, sizes)
    groups = np.split(np.argsort(members, kind="stable"), np.cumsum(sizes)[:-1])
    drawn = [random.permutation(group) for group in groups]
    test = np.concatenate([group[:c] for group, c in zip(drawn, counts, strict=True)])
    train = np.concatenate([group[c:] for group, c in zip(drawn, counts, strict=True)])
    return random.permutation(test), random.permutation(train)


def _shared_out(count: int, sizes: Places) -> list[int]:
    """The number of `count` places for each class: its share rounded down, the rest by largest remainders."""
    total = int(sizes.sum())
    quotas = [divmod(count * int(s), total) for s in sizes]  # in integers, without rounding errors
    counts = [whole for whole, _ in quotas]
    largest = sorted(range(len(quotas)), key=lambda k: -quotas[k][1])
    for k in largest[: count - sum(counts)]:
        counts[k] += 1
    return counts
