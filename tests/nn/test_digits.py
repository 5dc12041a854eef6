from __future__ import annotations

import time

import numpy as np
from sklearn.datasets import load_digits

import autodiff as ad
import nn


def test_handwritten_digits_are_read_after_a_few_seconds_of_training():
    digits = load_digits()
    x, y = digits.data / 16, digits.target
    rng = np.random.default_rng(0)
    parts = [np.array_split(rng.permutation(np.flatnonzero(y == digit)), 5) for digit in range(10)]
    test = np.concatenate([part[0] for part in parts])
    training = np.concatenate([places for part in parts for places in part[1:]])

    began = time.perf_counter()
    model = nn.MLP(64, 128, 64, 10, rng=rng)
    history = nn.fit(
        model, (x[training], y[training]), loss=nn.CrossEntropyLoss(), batch_size=32, epochs=25, metrics="accuracy",
        optimizer=nn.optim.Adam(model.parameters(), lr=2e-3), rng=rng, verbose=False,
    )  # fmt: skip
    assert time.perf_counter() - began < 20
    assert history["accuracy"][-1] > 0.99
    with ad.no_grad():
        assert nn.metrics.accuracy(model(x[test]), y[test]) >= 0.97
