"""pandas: DataFrames and Series go in wherever arrays do, whatever their index and dtypes; a History comes out."""

from __future__ import annotations

import builtins
from typing import Any

import numpy as np
import pytest

import nn

pd = pytest.importorskip("pandas", reason="its DataFrames are given")
rng = np.random.default_rng(0)
frame = pd.DataFrame(rng.standard_normal((20, 3)), columns=list("abc"))
frame["d"], frame["e"] = rng.integers(0, 3, 20), frame.a > 0
labels = (frame.a + frame.b > 0).astype(int)
order = rng.permutation(20)

KINDS = {
    "as it is": (frame, labels),
    "shuffled": (frame.iloc[np.argsort(order)].set_index(order), labels.iloc[np.argsort(order)]),
    "nullable": (frame.astype({"d": "Int64", "e": "boolean", "a": "Float64"}), labels.astype("Int64")),
    "categories of numbers": (frame.astype({"d": "category"}), labels),
    "labels of bools": (frame, labels.astype(bool)),
}


def trained(data: Any, **options: Any) -> nn.History:
    model = nn.MLP(5, 4, 2, rng=0)
    optimizer = nn.optim.Adam(model.parameters())
    return nn.fit(model, data, nn.CrossEntropyLoss(), optimizer, epochs=2, rng=0, verbose=False, **options)


@pytest.mark.parametrize("kind", KINDS)
def test_fit_takes_rows_by_their_place(kind: str):
    X, y = KINDS[kind]
    plain = (X.to_numpy(float), y.to_numpy(int))
    weights = pd.Series(np.linspace(1, 2, 20), index=X.index)
    found = trained((X, y), validation=(frame, labels), sample_weight=weights)
    wanted = trained(plain, validation=(frame.to_numpy(float), labels.to_numpy()), sample_weight=weights.to_numpy())
    assert dict(found) == dict(wanted)


def test_predict_evaluate_and_samples_take_them():
    model = nn.MLP(5, 4, 2, rng=0)
    np.testing.assert_array_equal(nn.predict(model, frame), nn.predict(model, frame.to_numpy(float)))
    assert nn.evaluate(model, (frame, labels), "cross_entropy") == nn.evaluate(
        model, (frame.to_numpy(float), labels.to_numpy()), "cross_entropy"
    )
    first, _ = next(iter(nn.data.DataLoader(frame, labels, batch_size=4)))
    np.testing.assert_array_equal(first, frame.to_numpy(float)[:4])
    train, _ = nn.data.random_split((frame, labels), [0.8, 0.2], rng=0)
    assert len(train) == 16


@pytest.mark.parametrize(
    ("column", "words"),
    [
        (pd.Categorical(["u", "v"] * 10), r"columns 'd' \(object\) are none.*pandas.get_dummies\(X\)"),
        (pd.date_range("2020", periods=20), r"columns 'd' \(datetime64.*\) are none"),
        (["u", "v"] * 10, "columns 'd' .* are none"),
    ],
)
def test_columns_that_are_no_numbers_are_named(column: Any, words: str):
    with pytest.raises(TypeError, match=words):
        trained((frame.assign(d=column), labels))


def test_what_is_missing_is_said():
    with pytest.raises(nn.DivergedError, match="NaNs or infinities in this batch's X"):
        trained((frame.assign(d=pd.array([None, *range(19)], dtype="Int64")), labels))


def test_estimators_know_the_columns():
    pytest.importorskip("sklearn", reason="the estimators are its own")
    names = labels.map({0: "no", 1: "yes"})
    classifier = nn.MLPClassifier((4,), max_iter=2, random_state=0).fit(frame, names)
    assert list(classifier.feature_names_in_) == list(frame)
    assert set(classifier.predict(frame)) <= {"no", "yes"}
    with pytest.raises(ValueError, match="feature names should match"):
        classifier.predict(frame[["b", "a", "c", "d", "e"]])


def test_a_history_is_a_frame(monkeypatch: pytest.MonkeyPatch):
    history = trained((frame, labels), metrics="accuracy", validation=0.25)
    found = history.to_frame()
    assert list(found) == [*history, "seconds"]
    assert found.index.name == "epoch"
    assert list(found.index) == [1, 2]
    assert found.validation_loss.tolist() == history["validation_loss"]
    assert pd.DataFrame(dict(history)).loss.tolist() == history["loss"]
    with pytest.raises(TypeError, match=r"history.to_frame\(\)"):
        pd.DataFrame(history)
    real = builtins.__import__

    def without(name: str, *args: Any) -> Any:
        if name == "pandas":
            raise ImportError(name)
        return real(name, *args)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match="pip install pandas"):
        history.to_frame()
