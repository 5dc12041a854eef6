"""Programs written for PyTorch and Keras: the lectures', as their readers type them, and the guides'."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autodiff as ad
import nn
import nn.functional as F
from nn import Sequential, optim
from nn.layers import Dense

GUIDES = Path(__file__).parents[2] / "docs" / "guides"
PYTORCH, KERAS = (  # the last program of each page
    re.findall(r"```python\n(.*?)```", (GUIDES / page).read_text(encoding="utf-8"), re.DOTALL)[-1]
    for page in ("from_pytorch.md", "from_keras.md")
)


def run(program: str) -> dict[str, Any]:
    names: dict[str, Any] = {"np": np, "ad": ad, "nn": nn}
    exec(program, names)  # noqa: S102  # the guides' own code
    return names


def test_the_guides_pytorch_program():
    names = run(PYTORCH)
    assert names["share"] > 0.93
    assert len(names["test_loader"].dataset) == 359
    assert names["optimizer"].lr == pytest.approx(3e-3 * 0.3**2)


def test_the_guides_keras_program():
    names = run(KERAS)
    assert names["test_accuracy"] > 0.93
    assert names["test_accuracy"] == np.mean(names["classes"] == names["y_test"])
    assert len(names["hist"].history["val_accuracy"]) == len(names["hist"])


def test_only_the_imports_of_the_guides_programs_are_others():
    """The rest, read with PyTorch's and Keras's imports, has no name of ours but those that the guides say."""
    for program, ours in (
        (PYTORCH, {"nn.data.digits", "ad.no_grad"}),
        (KERAS, {"nn.data.train_test_split", "nn.data.digits"}),
    ):
        body = "\n".join(line for line in program.splitlines() if not re.match(r"from nn|import nn", line))
        assert ours == set(re.findall(r"\b(?:nn\.data\.\w+|ad\.\w+)", body))


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 3)
        self.conv2 = nn.Conv2d(6, 16, 3)
        self.fc1 = nn.Linear(16 * 6 * 6, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), (2, 2))
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        x = x.reshape(-1, self.num_flat_features(x))
        x = F.relu(self.fc1(x))
        x = F.relu(self.fc2(x))
        return self.fc3(x)

    def num_flat_features(self, x):
        size = x.shape[1:]
        num_features = 1
        for s in size:
            num_features *= s
        return num_features


def test_a_net_its_loop_and_its_numbers():
    net = Net()
    params = list(net.parameters())
    assert len(params) == 10
    assert params[0].shape == (6, 1, 3, 3)

    rng = np.random.default_rng(0)
    input = rng.standard_normal((1, 1, 32, 32))  # noqa: A001  # the lectures' name
    out = net(input)
    assert out.shape == (1, 10)
    net.zero_grad()
    out.backward(rng.standard_normal((1, 10)))
    assert net.conv1.bias.grad.shape == (6,)

    target = rng.standard_normal(10).reshape(1, -1)
    criterion = nn.MSELoss()
    optimizer = optim.SGD(net.parameters(), lr=0.01)
    losses = []
    for _ in range(20):
        optimizer.zero_grad()
        output = net(input)
        loss = criterion(output, target)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] / 2


def test_define_compile_and_train_a_synthetic_two_class_problem():
    X, y = nn.data.circles(400, noise=0.05, rng=0)
    nin, nh, nout = X.shape[1], 8, int(np.max(y) + 1)
    model = Sequential()
    model.add(Dense(units=nh, input_shape=(nin,), activation="sigmoid", name="hidden", rng=0))
    model.add(Dense(units=nout, activation="softmax", name="output", rng=1))  # without, one beginning in 30 is slow
    assert "hidden" in repr(model.summary())

    opt = optim.Adam(lr=0.01)
    model.compile(optimizer=opt, loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    hist = model.fit(X, y, epochs=150, batch_size=100, validation_data=(X, y), verbose=0, rng=0)
    assert list(hist.history) == ["loss", "accuracy", "val_loss", "val_accuracy"]
    assert len(hist.history["val_accuracy"]) == 150
    assert hist.history["val_accuracy"][-1] > 0.95

    score, acc = model.evaluate(X, y, verbose=0)
    assert score == hist.history["val_loss"][-1]
    assert acc == hist.history["val_accuracy"][-1]
    probabilities = model.predict(X)
    assert probabilities.shape == (400, 2)
    assert np.allclose(probabilities.sum(axis=1), 1)
    assert np.mean(probabilities.argmax(axis=1) == y) == acc


def test_define_compile_and_train_handwritten_digits():
    X, y = nn.data.digits()
    Xtr, Xts, ytr, yts = nn.data.train_test_split(X, y, test_size=0.2, stratify=y, rng=0)
    nin, nh, nout = X.shape[1], 100, int(np.max(y) + 1)
    model = Sequential()
    model.add(Dense(nh, input_shape=(nin,), activation="sigmoid", name="hidden"))
    model.add(Dense(nout, activation="softmax", name="output"))
    opt = optim.Adam(lr=0.001)
    model.compile(optimizer=opt, loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    hist = model.fit(Xtr, ytr, epochs=30, batch_size=100, validation_data=(Xts, yts), verbose=0)
    assert hist.history["accuracy"][-1] > 0.85
    assert hist.history["val_accuracy"][-1] > 0.85
