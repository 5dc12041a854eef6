"""What users of PyTorch, Keras and pandas type: each spelling works, or is answered with what to write."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import autodiff as ad
import nn

rng = np.random.default_rng(0)
X = rng.standard_normal((12, 4)).astype(np.float32)
y = np.arange(12) % 3
NAMES = {"np": np, "ad": ad, "nn": nn, "X": X, "y": y}

# What is typed, and what it is to give.
WORKS = {
    "[len(batch) for batch in nn.data.DataLoader((X,), batch_size=8)]": [1, 1],
    "[batch.shape for batch in nn.data.DataLoader(X, batch_size=8)]": [(8, 4), (4, 4)],
    "len(nn.data.DataLoader(nn.data.TensorDataset(X, y), batch_size=5).dataset)": 12,
    "[x.shape for x, _ in nn.data.DataLoader(nn.data.TensorDataset(X, y), batch_size=8)]": [(8, 4), (4, 4)],
    "[len(b) for b in nn.data.DataLoader(nn.data.TensorDataset(X), batch_size=12)]": [1],
    "nn.data.TensorDataset(X, y)[2][1].item()": 2,
    "[len(part) for part in nn.data.random_split(nn.data.TensorDataset(X, y), [8, 4], rng=0)]": [8, 4],
    "[len(part) for part in nn.data.random_split((X, y), [0.5, 0.3, 0.2], rng=0)]": [7, 3, 2],
}

# What is typed, the kind of error, and what to write instead.
ANSWERED = {
    "nn.data.DataLoader((X, y), num_workers=2)": (TypeError, "no argument 'num_workers'; .*leave it away"),
    "nn.data.DataLoader((X, y), generator=None)": (TypeError, r"write rng=0"),
    "nn.data.DataLoader((X, y), batchsize=2)": (TypeError, r"no argument 'batchsize'\.$"),
    "nn.data.random_split((X, y), [3, 4])": (ValueError, r"\[0.8, 0.2\]\), or ints with the sum 12"),
    "nn.data.random_split(X, [3, 9])": (TypeError, r"random_split\(\(X, y\), \[0.8, 0.2\]\)"),
    "nn.data.Subset": (AttributeError, r"TensorDataset\(X\[indices\], y\[indices\]\)"),
    "nn.data.nothing": (AttributeError, r"nn.data has no 'nothing'\.$"),
}


def run(typed: str) -> Any:
    """The value of a line, after the statements before it."""
    names = dict(NAMES)
    *before, last = re.split(r"; (?=\S)", typed)
    for statement in before:
        exec(statement, names)  # noqa: S102  # the table's own code
    return eval(last, names)  # noqa: S307


@pytest.mark.parametrize("typed", WORKS)
def test_what_works(typed: str):
    assert run(typed) == WORKS[typed]


@pytest.mark.parametrize("typed", ANSWERED)
def test_what_is_answered(typed: str):
    kind, words = ANSWERED[typed]
    with pytest.raises(kind, match=words):
        run(typed)


def test_the_parts_of_a_split_are_all_samples_once():
    parts = nn.data.random_split((X, y), [5, 7], rng=0)
    assert sorted(float(row[0]) for part in parts for row, _ in part) == sorted(X[:, 0].tolist())
    assert all(label == y[np.flatnonzero((row == X).all(axis=1))[0]] for part in parts for row, label in part)
