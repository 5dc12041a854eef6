"""A training that can be killed: run by test_resume.py as a program of its own, `stopped.py FILE`."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

import nn

rng = np.random.default_rng(0)
X = rng.standard_normal((203, 6))
LABELS = (X[:, 0] * X[:, 1] > 0).astype(int)


def model() -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(6, 16, rng=1), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.2, rng=2), nn.Linear(16, 2, rng=3)
    )


def train(network: nn.Module, epochs: int = 10, **changed: Any) -> nn.History:
    arguments: dict[str, Any] = {
        "optimizer": lambda parameters: nn.optim.Adam(parameters, lr=0.01, weight_decay=1e-3),
        "batch_size": 16,
        "validation": 0.2,
        "metrics": ["accuracy", "f1"],
        "schedule": lambda optimizer: nn.optim.OneCycleLR(optimizer, 0.05, total_steps=epochs * 11),
        "callbacks": [nn.EarlyStopping(50)],
        "rng": 5,
        "verbose": False,
    } | changed
    return nn.fit(network, (X, LABELS), nn.CrossEntropyLoss(), epochs=epochs, **arguments)


if __name__ == "__main__":
    print("ready", flush=True)
    train(model(), epochs=100_000, schedule=None, checkpoint=sys.argv[1], checkpoint_every=3)
