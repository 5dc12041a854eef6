from __future__ import annotations

import csv
import io
import math
import sys
from pathlib import Path

import numpy as np
import pytest

import nn


def history(epochs: int, *metrics: str, validation: bool = True) -> nn.History:
    names = ["loss", *metrics]
    found = nn.History([*names, *(f"validation_{name}" for name in names)] if validation else names)
    for k in range(epochs):
        found.append({name: 1 / (k + 3 * j + 1) for j, name in enumerate(found)}, 0.25 * (k + 1))
    return found


def test_the_history_as_a_table():
    short = history(2, "accuracy", validation=False)
    head, *body = repr(short).splitlines()
    assert head.split() == ["epoch", "loss", "accuracy", "time"]
    assert [line.split()[0] for line in body] == ["1", "2"]
    assert short._repr_html_().count("<tr>") == 3
    long = nn.History(["<loss>"])
    for k in range(100):
        long.append({"<loss>": float(k)}, 0.5)
    assert len(repr(long).splitlines()) == 22
    assert "&lt;loss&gt;" in long._repr_html_()
    assert "<loss>" not in long._repr_html_()
    assert repr(nn.History(["loss"])).split() == ["epoch", "loss", "time"]


def test_an_interrupted_history_says_so():
    found = history(1)
    assert "interrupted" not in repr(found) + found._repr_html_()
    found.interrupted = True
    assert repr(found).endswith("\ninterrupted")
    assert "<caption>interrupted</caption>" in found._repr_html_()


def test_a_table_of_many_columns_goes_on_below():
    found = history(3, "accuracy", "top 5", "precision", "recall", "f1", "mean_absolute_error")
    lines = repr(found).splitlines()
    assert max(map(len, lines)) <= 100
    heads = [line for line in lines if line.lstrip().startswith("epoch")]
    assert len(heads) > 1
    assert len(lines) == len(heads) * 4 + len(heads) - 1  # an empty line between
    words = " ".join(heads)
    assert all(name.replace("_", " ") in words for name in found)


def test_an_unknown_column_names_those_there_are():
    found = history(1, "accuracy", validation=False)
    assert "loss" in found
    assert "validation_loss" not in found
    with pytest.raises(KeyError, match=r"no 'validation_loss' in this history, but 'loss', 'accuracy'"):
        found["validation_loss"]
    with pytest.raises(KeyError, match=r"no 'val_loss' in this history"):
        found["val_loss"]
    assert 3 not in found


def test_the_history_as_a_mapping():
    found = history(2, "accuracy", validation=False)
    assert dict(found) == found.columns
    assert list(found) == list(found.keys()) == ["loss", "accuracy"]
    assert len(found) == 2


def test_columns_under_the_names_of_keras():
    found = history(2, "accuracy")
    assert found.history == {
        "loss": found["loss"],
        "accuracy": found["accuracy"],
        "val_loss": found["validation_loss"],
        "val_accuracy": found["validation_accuracy"],
    }
    assert found["val_accuracy"] is found["validation_accuracy"]
    assert "val_loss" in found
    assert "val_f1" not in found
    assert "val_loss" not in list(found)
    own = nn.History(["loss", "val_loss"])  # somebody's metric: its own name comes first
    own.append({"loss": 1.0, "val_loss": 2.0}, 0.0)
    assert own["val_loss"] == [2.0]


def test_the_history_as_comma_separated_values(tmp_path: Path):
    found = history(2, 'a "b", c')
    found.append(dict(zip(found, (1e-300, math.inf, math.nan, np.float64(0.1)), strict=True)), 1 / 3)
    text = found.to_csv()
    head, *rows = csv.reader(io.StringIO(text))
    assert head == ["epoch", *found, "seconds"]
    assert [row[0] for row in rows] == ["1", "2", "3"]
    columns = [*found.columns.values(), found.seconds]
    for k, row in enumerate(rows):
        np.testing.assert_array_equal([float(cell) for cell in row[1:]], [column[k] for column in columns])
    assert text.splitlines()[3].endswith(",1e-300,inf,nan,0.1,0.3333333333333333")
    assert found.to_csv(tmp_path / "history.csv") is None
    assert (tmp_path / "history.csv").read_bytes() == text.encode()
    assert nn.History(["loss"]).to_csv() == "epoch,loss,seconds\n"


def test_without_matplotlib_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ModuleNotFoundError, match=r'pip install "autodiff-nn\[notebook\]"'):
        history(1).plot()


def test_the_history_as_curves():
    pytest.importorskip("matplotlib").use("Agg")
    import matplotlib.pyplot as plt

    found = history(3, "accuracy")
    found.columns["validation_loss"][:] = [3.0, 1.0, math.nan]
    axes = found.plot()
    assert [axis.get_ylabel() for axis in axes] == ["loss", "accuracy"]
    assert [line.get_label() for line in axes[0].lines] == ["training", "validation"]
    np.testing.assert_array_equal(axes[1].lines[1].get_ydata(), found["validation_accuracy"])
    assert {line.get_marker() for line in axes[0].lines} == {"."}
    (ring,) = axes[0].collections
    np.testing.assert_array_equal(ring.get_offsets(), [[2.0, 1.0]])
    assert ring.get_label() == "least, epoch 2"
    assert not axes[1].collections
    assert [axis.get_xlim()[0] for axis in axes] == [0.5, 0.5]
    with pytest.raises(ValueError, match="plot draws 2 pictures, loss, accuracy; received 1 axes"):
        found.plot(axes[0])
    axis = plt.subplots()[1]
    history(40, validation=False).plot(axis)
    low, high = axis.get_xlim()
    assert 0 < low < 1
    assert high > 40
    assert axis.lines[0].get_marker() == "None"
    assert not axis.collections
    history(60, validation=False).plot(axis)
    assert axis.get_xlim()[1] > 60
    diverged = history(2)
    diverged.columns["validation_loss"][:] = [math.nan] * 2
    assert not diverged.plot()[0].collections
    plt.close("all")
