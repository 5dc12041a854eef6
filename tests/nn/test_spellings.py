"""What users of PyTorch, Keras and pandas type: each spelling works, or is answered with what to write."""

from __future__ import annotations

import ast
import functools
import re
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from foreign import DEVICE

import autodiff as ad
import nn

rng = np.random.default_rng(0)
X = rng.standard_normal((12, 4)).astype(np.float32)
y = np.arange(12) % 3

# What is typed, and what it is to give.
WORKS = {
    "[len(batch) for batch in nn.data.DataLoader((X,), batch_size=8)]": [1, 1],
    "[batch.shape for batch in nn.data.DataLoader(X, batch_size=8)]": [(8, 4), (4, 4)],
    "len(nn.data.DataLoader(nn.data.TensorDataset(X, y), batch_size=5).dataset)": 12,
    "len(nn.data.TensorDataset(X, y).tensors)": 2,
    "len(nn.data.random_split((X, y), [6, 6], generator=np.random.default_rng(0)))": 2,
    "[x.shape for x, _ in nn.data.DataLoader(nn.data.TensorDataset(X, y), batch_size=8)]": [(8, 4), (4, 4)],
    "[len(b) for b in nn.data.DataLoader(nn.data.TensorDataset(X), batch_size=12)]": [1],
    "nn.data.TensorDataset(X, y)[2][1].item()": 2,
    "[len(part) for part in nn.data.random_split(nn.data.TensorDataset(X, y), [8, 4], rng=0)]": [8, 4],
    "[len(part) for part in nn.data.random_split((X, y), [0.5, 0.3, 0.2], rng=0)]": [7, 3, 2],
    "len(nn.data.DataLoader(*map(np.stack, zip(*(dataset[k] for k in range(len(dataset))))), batch_size=2).arrays)": 2,
    # training
    "len(nn.fit(model, X, y, 'cross_entropy', 'adam', epochs=2, verbose=False))": 2,
    "len(nn.fit(model, X, y, loss='cross_entropy', optimizer='adam', epochs=2, verbose=False))": 2,
    "len(nn.fit(model, (X, y), optimizer='SGD', loss=nn.CrossEntropyLoss(), epochs=2, verbose=False))": 2,
    "len(nn.restarts(2, make, (X, y), loss='cross_entropy', optimizer='adam', epochs=1, verbose=False))": 2,
    "nn.find_lr(model, X, y, 'cross_entropy', 'sgd', low=1e-9, high=1e-8, steps=5).rates.shape": (5,),
    "sorted(nn.evaluate(model, X, y, 'cross_entropy', 'acc'))": ["acc", "loss"],
    "list(nn.fit(one, X, y[:, None] > 0, 'bce', 'adam', metrics=['binary_accuracy'], epochs=1, verbose=False))": [
        "loss",
        "binary_accuracy",
    ],
    "list(nn.fit(model, X, y > 0, 'cross_entropy', 'adam', metrics='accuracy', epochs=1, verbose=False))": [
        "loss",
        "accuracy",
    ],
    "nn.functional.cross_entropy(X[:, :2], y > 0) == nn.functional.cross_entropy(X[:, :2], (y > 0).astype(int))": True,
    # Keras
    "nn.optim.Adam(learning_rate=0.5).lr": 0.5,
    "nn.optim.SGD(model.parameters(), learning_rate=0.5, momentum=0.9).lr": 0.5,
    "nn.Dense(3, kernel_initializer='zeros', input_dim=4).weight.value.any()": False,
    "nn.Linear(4, 3, weight_init='he_normal').weight.shape": (3, 4),
    "repr(nn.Dropout(rate=0.3))": "Dropout(0.3)",
    "repr(nn.Embedding(input_dim=5, output_dim=2))": "Embedding(5, 2)",
    "nn.EarlyStopping(monitor='val_loss', patience=3, restore_best_weights=False).restore_best": False,
    "repr(nn.Dense(3, 'swish'))": "Dense(3, 'silu')",
    "[repr(e) for e in nn.Sequential([nn.Input(shape=(4,)), nn.Dense(8), nn.Activation('relu'), nn.Dense(3)])]": [
        "Input((4,))",
        "Dense(8, input_shape=(4,))",
        "Activation('relu')",
        "Dense(3, input_shape=(8,))",
    ],
    "nn.Sequential(nn.Input((1, 4, 4)), nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Dense(3))[3].weight.shape": (3, 8),
    "keras.fit(X, y, epochs=2, shuffle=False, class_weight={0: 2.0}, verbose=0).history.keys()": {
        "loss": 0,
        "acc": 0,
    }.keys(),
    "list(keras.evaluate(X, y, return_dict=True, verbose=0))": ["loss", "acc"],
    "keras.evaluate(X, y).acc == keras.evaluate(X, y)[1]": True,
    "keras.predict(X, verbose=0).shape": (12, 3),
    # pandas
    "len(nn.fit(model, frame, series, 'cross_entropy', 'adam', epochs=1, validation=0.25, verbose=False))": 1,
    "repr(model.summary(frame)).split('; ')[1]": "of 4 inputs: age, height, member, weight",
    "nn.predict(model, frame).shape": (12, 3),
    "nn.data.DataLoader(frame, series, batch_size=3).batch(np.arange(12), 0)[0].tolist() == X[:3].tolist()": True,
    # shapes
    "[row.shape for row in model.summary(X).rows]": [(3,), (5,), (5,), (3,)],
    "two.summary(X).rows[0].shape": [(3,), {"a": (2,)}],
    "repr(two.summary(4)).splitlines()[2].split('  ')[-1].strip()": "(batch, 3), a: (batch, 2)",
    "nn.metrics.accuracy(steps, steps.argmax(axis=2))": 1.0,
    "nn.metrics.accuracy(np.moveaxis(steps, -1, 1), steps.argmax(axis=2))": 1.0,
    "nn.metrics.accuracy(steps, np.eye(3)[steps.argmax(axis=2)])": 1.0,
    "nn.metrics.accuracy(steps[:, :, :1], steps[:, :, :1] > 0.5)": 1.0,
}

# What is typed, the kind of error, and what to write instead.
ANSWERED = {
    "nn.data.DataLoader((X, y), num_workers=2)": (TypeError, "no argument 'num_workers'; .*leave it out"),
    "nn.data.DataLoader((X, y), generator=None)": (TypeError, r"write rng=0"),
    "nn.data.DataLoader((X, y), batchsize=2)": (TypeError, r"no argument 'batchsize'\.$"),
    "nn.data.random_split((X, y), [3, 4])": (ValueError, r"\[0.8, 0.2\]\), or ints with the sum 12"),
    "nn.data.random_split(X, [3, 9])": (TypeError, r"random_split\(\(X, y\), \[0.8, 0.2\]\)"),
    "nn.data.Subset": (AttributeError, r"TensorDataset\(X\[indices\], y\[indices\]\)"),
    "exec('from nn.data import Dataset')": (ImportError, r"nn.data has no 'Dataset': .*TensorDataset\(X, y\)"),
    "exec('from nn import Parameter')": (ImportError, "nn has no 'Parameter': a leaf Tensor among"),
    "exec('from nn import nothing')": (ImportError, "cannot import name 'nothing' from 'nn'"),
    "nn.optim.Adam(decoupled_weight_decay=True)": (TypeError, "use nn.optim.AdamW"),
    "nn.data.nothing": (AttributeError, "module 'nn.data' has no attribute 'nothing'"),
    "nn.data.DataLoader(dataset, batch_size=2)": (
        TypeError,
        r"received a Samples that gives samples one by one.*DataLoader\(\*map\(np.stack, zip\(\*\(dataset",
    ),
    # training
    "nn.fit(model, X, y, 'mse', 'adam', validation_split=0.2)": (TypeError, "'validation_split'; write validation=0.2"),
    "nn.fit(model, X, y, 'mse', 'adam', epoch=2)": (TypeError, "unexpected keyword argument 'epoch'"),
    "nn.fit(model, X, y)": (TypeError, r"received None. Write loss=nn.CrossEntropyLoss\(\) for classes"),
    "nn.fit(model, X, y, 'mse')": (TypeError, r"Write optimizer=nn.optim.Adam\(model.parameters\(\), lr=1e-3\)"),
    "nn.fit(model, X, y, 'mean', 'adam')": (ValueError, "or one of .*'cross_entropy'.*'bce'.*received 'mean'"),
    "nn.fit(model, X, y, 'mse', 'lbfgs')": (TypeError, r"write optimizer.step\(closure\)"),
    "nn.fit(model, X, y, 'mse', 'adan')": (ValueError, "'adam', .*received 'adan'"),
    "nn.fit(model, X, loss='mse', optimizer='adam')": (TypeError, r"data is a pair of arrays, \(X, y\)"),
    "nn.optim.LBFGS(model.parameters()).step()": (TypeError, r"optimizer.step\(closure\), with def closure"),
    "nn.functional.binary_cross_entropy(np.ones((32, 10)), np.ones(32))": (
        ValueError,
        r"10 outputs for each sample, and one target.*cross_entropy\(prediction, target\).*np.eye\(10\)\[target\]",
    ),
    "nn.functional.binary_cross_entropy(np.ones((32, 1)), np.ones(32))": (ValueError, r"target.reshape\(-1, 1\)"),
    "nn.functional.mse_loss(np.ones(32), np.ones((32, 1)))": (ValueError, r"Write target.reshape\(-1\)"),
    "nn.functional.mse_loss(np.ones((32, 3)), np.ones((32, 2)))": (ValueError, "an output for each element"),
    "nn.metrics.accuracy(np.ones((4, 3, 3)), np.zeros((4, 3), int))": (ValueError, "either axis may be that of the cl"),
    "nn.metrics.accuracy(np.ones((4, 5, 3)), np.zeros((5, 4), int))": (ValueError, r"outputs.reshape\(-1, classes\)"),
    # Keras
    "nn.optim.Adam(lr=0.1, learning_rate=0.1)": (TypeError, "learning_rate is another name of lr; received both"),
    "nn.optim.Adam(beta_1=0.9)": (TypeError, r"write betas=\(0.9, 0.999\)"),
    "nn.optim.Adam(0.001)": (TypeError, r"Write Adam\(lr=0.001\)"),
    "nn.Linear(3, 4, device='cpu')": (TypeError, "^Linear has no argument 'device'; everything is in main memory"),
    "nn.LSTM(3, 4, device='cpu')": (TypeError, "^LSTM has no argument 'device'; everything is in main memory"),
    "nn.Transformer(device='cpu')": (TypeError, "^Transformer has no argument 'device'; everything is in main memory"),
    "nn.Conv2d(1, 2, 3, kernel_regularizer='l2')": (TypeError, r"^Conv2d has no .*Adam\(weight_decay=0.02, decay_b"),
    "nn.Embedding(3, 2, sparse=True)": (TypeError, "every adjoint is a whole array; leave it out"),
    "nn.GRU(3, 4, return_sequences=True)": (TypeError, r"gives \(output, state\)"),
    "nn.Linear(3, 4, banana=1)": (TypeError, "unexpected keyword argument 'banana'"),
    "nn.GRU(3, 4, proj_size=2)": (ValueError, "proj_size is for an nn.LSTM, .*Write nn.Linear after the layer"),
    "nn.LSTM(3, 4, proj_size=4)": (ValueError, "less than its hidden_size, 4; received 4"),
    "nn.Dense(3, kernel_regularizer='l2')": (TypeError, r"Adam\(weight_decay=0.02, decay_biases=False\)"),
    "nn.Dense(3, kernel_initializer='he', input_dim=4)": (ValueError, "one of .*'he_normal'.*received 'he'"),
    "nn.Dense(3, weight_init='ones', kernel_initializer='ones')": (TypeError, "received both"),
    "nn.EarlyStopping(restore_best=True, restore_best_weights=True)": (TypeError, "received both"),
    "nn.EarlyStopping(verbose=1)": (TypeError, "leave it out"),
    "nn.Sequential(nn.Input((4,)), nn.Dense(2))(X[:, :3])": (ValueError, r"takes x of shape \(batch, 4\); received"),
    "nn.Dense(3)(nn.Input((4,)))": (TypeError, r"class Net\(nn.Module\), whose forward"),
    "nn.layers.Conv2D(32, (3, 3), activation='relu', input_shape=(28, 28, 1))": (
        TypeError,
        r"Write nn.Conv2d\(1, 32, 3\), nn.Activation\('relu'\). Images are .*X.transpose\(0, 3, 1, 2\)",
    ),
    "nn.layers.Conv2D(8, 5, strides=2, padding='same')": (
        TypeError,
        r"nn.Conv2d\(in_channels, 8, 5, stride=2, padding='same'\). in_channels is how many",
    ),
    "nn.layers.MaxPooling2D((2, 2))": (TypeError, r"Write nn.MaxPool2d\(2\). Images"),
    "nn.layers.AveragePooling2D((2, 3), strides=1)": (TypeError, r"Write nn.AvgPool2d\(\(2, 3\), stride=1\)"),
    "nn.layers.GlobalAveragePooling2D()": (TypeError, r"lambda x: x.mean\(axis=\(2, 3\)\)"),
    "nn.layers.BatchNormalization()": (TypeError, r"nn.BatchNorm1d\(features, eps=0.001, momentum=0.01\)"),
    "nn.layers.LayerNormalization()": (TypeError, r"nn.LayerNorm\(features, eps=0.001\)"),
    "nn.Flatten(input_shape=(28, 28))": (TypeError, r"write nn.Input\(\(1, height, width\)\) as the layer before"),
    "nn.layers.LSTM(8)": (TypeError, "'hidden_size'"),
    "nn.optim.RMSprop(rho=0.9)": (TypeError, "'rho'; write alpha=0.9"),
    "nn.SparseCategoricalCrossentropy": (AttributeError, "write loss='sparse_categorical_crossentropy', which sees"),
    "nn.Sequential({'a': nn.Linear(4, 3)})": (TypeError, r"Write Sequential\(\*layers.values\(\)\)"),
    "nn.Conv2D": (AttributeError, r"nn.Conv2d\(in_channels, filters, 3\)"),
    "keras.fit(X, y, class_weight=[1, 2])": (TypeError, r"class_weight=\{0: 1.0, 1: 5.0\}"),
    "keras.fit(X, y, steps_per_epoch=3)": (TypeError, "an epoch goes through all samples"),
    # pandas
    "nn.fit(model, mixed, series, 'cross_entropy', 'adam')": (
        TypeError,
        r"columns 'city' \(<U1\) are none.*pandas.get_dummies\(X\)",
    ),
}


class Series:
    """What a pandas Series is to others: values with an index of its own."""

    def __init__(self, values: np.ndarray) -> None:
        self.values, self.shape, self.dtype = values, values.shape, values.dtype

    def __array__(self, *_: Any, **__: Any) -> np.ndarray:
        return self.values


class Frame:
    """What a pandas DataFrame is to others: columns of several dtypes; its array is of Python's objects then."""

    def __init__(self, **columns: np.ndarray) -> None:
        self.columns = list(columns)
        self.shape = (12, len(columns))
        self.iloc = Columns([Series(column) for column in columns.values()])

    def __array__(self, *_: Any, **__: Any) -> np.ndarray:
        return np.stack([column.values.astype(object) for column in self.iloc.columns], axis=1)


class Columns:
    def __init__(self, columns: list[Series]) -> None:
        self.columns = columns

    def __getitem__(self, places: tuple[slice, int]) -> Series:
        return self.columns[places[1]]


class Samples:
    """A Dataset as PyTorch's users write one."""

    def __len__(self) -> int:
        return 12

    def __getitem__(self, k: int) -> tuple[np.ndarray, int]:
        return X[k], int(y[k])


class Two(nn.Module):
    def __init__(self) -> None:
        self.body, self.head = nn.Linear(4, 3, rng=0), nn.Linear(3, 2, rng=0)

    def forward(self, x: Any) -> Any:
        y = self.body(x)
        return y, {"a": self.head(y)}


def names() -> dict[str, Any]:
    """What the lines of the tables may name, made anew."""
    model = nn.MLP(4, 5, 3, rng=0)
    keras = nn.MLP(4, 5, 3, rng=0)
    keras.compile("adam", "sparse_categorical_crossentropy", metrics=["acc"])
    columns = {name: X[:, k] for k, name in enumerate(("age", "height", "member", "weight"))}
    return {
        "np": np, "ad": ad, "nn": nn, "X": X, "y": y, "model": model, "keras": keras, "two": Two(),
        "one": nn.Sequential(nn.Linear(4, 1, rng=0), nn.Sigmoid()), "steps": rng.random((4, 5, 3)),
        "dataset": Samples(),
        "make": lambda rng: nn.MLP(4, 3, rng=rng),
        "series": Series(y), "frame": Frame(**columns), "mixed": Frame(age=X[:, 0], city=np.array(list("ab") * 6)),
    }  # fmt: skip


def run(typed: str) -> Any:
    """The value of a line."""
    return eval(typed, names())  # noqa: S307  # the table's own code


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


HINTS = {
    f"{kind}: {name}": hint
    for kind in vars(nn.hints)
    if kind.isupper() and isinstance(getattr(nn.hints, kind), dict)
    for name, hint in getattr(nn.hints, kind).items()
}


def recommended(hint: str) -> list[str]:
    """The code in a hint: from each call or lambda on as far as it is Python."""
    found, place = [], 0
    while start := re.compile(r"(?<![\w.)])(lambda [\w, ]+:|[A-Za-z_][\w.]*\()").search(hint, place):
        ends = (end for end in range(len(hint), start.end(), -1) if hint[end - 1].isalnum() or hint[end - 1] in ")]")
        place = next((end for end in ends if is_python(hint[start.start() : end])), 0)
        assert place, f"no Python begins at {hint[start.start() :]!r}"
        found.append(hint[start.start() : place])
    return found


def is_python(text: str) -> bool:
    """Whether a text is one expression, and not several with words between them."""
    try:
        return not isinstance(ast.parse(text, mode="eval").body, ast.Tuple | ast.BoolOp)
    except SyntaxError:
        return False


@pytest.mark.parametrize("name", HINTS)
def test_what_a_hint_recommends_runs(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    images = rng.standard_normal((2, 4, 6, 6)).astype(np.float32)
    model = nn.MLP(4, 5, 3, rng=0)
    optimizer = nn.optim.SGD(model.parameters())
    loss = nn.CrossEntropyLoss()
    loss(model(X), y).backward()
    nn.save(model, "weights")
    Path("classes/one").mkdir(parents=True)
    Path("classes/one/white.pgm").write_bytes(b"P5 2 2 255 " + bytes([255] * 4))
    given = names() | {
        "array": X, "x": images, "z": images, "c_in": 4, "c_out": 3, "k": 3, "p": 0.5, "n": 4, "units": 3, "height": 6,
        "width": 6, "depth": 1, "batch": 2, "channels": 4, "groups": 2, "features": 4, "lengths": [5, 3],
        "sequences": rng.standard_normal((2, 5, 4)).astype(np.float32), "filters": 3, "in_channels": 4,
        "classes": 3, "labels": y, "indices": [0, 1], "slope": ad.Tensor(0.1), "path": "weights", "model": model,
        "folder": "classes",
        "optimizer": optimizer, "loss": loss, "metrics": "accuracy", "volumes": images, "Net": lambda kind: kind,
        "rows": X, "state": model.state_dict(), "layer": nn.Linear(4, 3), "order": np.arange(12), "DataLoader":
        nn.data.DataLoader, "Dense": nn.Dense, "q": X, "v": X, "h": images[0, :, 0], "steps": images[0], "training":
        types.SimpleNamespace(stop=print), "history": nn.History(["loss"]), "self": types.SimpleNamespace(
        inner=nn.ReLU(), outer=nn.ReLU()), "t": 0, "step": dict, "l2": float, "fit": functools.partial(
        nn.fit, model, (X, y), loss, optimizer, epochs=1, verbose=False),
    }  # fmt: skip
    if name.endswith(("Transformer", "MultiheadAttention")):
        given["k"] = X
    loss.adjoints = dict  # as that of a Tensor
    if name.endswith("2D"):
        given["X"] = images
    if "cuda" in HINTS[name]:  # this machine may have none
        ad.admit(DEVICE._replace(name="cuda"))
    for code in recommended(HINTS[name]):
        made = eval(code.replace("(..., ", "(").replace("...", ""), given)  # noqa: S307  # the hints' own code
        if code.startswith("lambda"):
            targets = (images,) if "targets" in code else ()
            assert np.isfinite(np.asarray(ad.stop_gradient(made(images, *targets)))).all()
