from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import nn
from nn.report import progress

rng = np.random.default_rng(0)
X = rng.standard_normal((60, 4))
Y = (X @ rng.standard_normal((4, 3))).argmax(axis=1)


def make(random: np.random.Generator) -> nn.Module:
    return nn.MLP(4, 5, 3, rng=random)


def adam(parameters: Any) -> nn.optim.Optimizer:
    return nn.optim.Adam(parameters, lr=0.02)


def started(k: int = 3, **changed: Any) -> Any:
    arguments = {"loss": nn.CrossEntropyLoss(), "optimizer": adam, "epochs": 3, "metrics": "accuracy"} | changed
    return nn.restarts(k, arguments.pop("make", make), arguments.pop("data", (X, Y)), **arguments)


def test_the_best_is_kept():
    found = started(5, validation=(X[:20], Y[:20]))
    assert found.scores == [history["validation_loss"][-1] for history in found.histories]
    assert found.best == np.argmin(found.scores)
    assert found.history is found.histories[found.best]
    assert len(set(found.seeds)) == len(found) == 5
    score = nn.evaluate(found.model, (X[:20], Y[:20]), nn.CrossEntropyLoss())["loss"]
    assert score == pytest.approx(min(found.scores), rel=1e-6)
    assert started(3).monitor == "loss"
    risen = started(5, monitor="accuracy")
    assert risen.scores == [history["accuracy"][-1] for history in risen.histories]
    assert risen.best == np.argmax(risen.scores)


def test_any_of_them_can_be_done_again_alone():
    found, same = started(validation=0.25, rng=7), started(validation=0.25, rng=np.random.default_rng(7))
    assert (found.scores, found.seeds) == (same.scores, same.seeds)
    assert len(found.data[0]) == 45
    assert len(found.validation[0]) == 15
    for k, seed in enumerate(found.seeds):
        random = np.random.default_rng(seed)
        model = make(random)
        history = nn.fit(
            model, found.data, nn.CrossEntropyLoss(), adam, epochs=3, metrics="accuracy", validation=found.validation,
            rng=random, verbose=False,
        )  # fmt: skip
        assert history.columns == found.histories[k].columns
        if k == found.best:
            for a, b in zip(model.parameters(), found.model.parameters(), strict=True):
                np.testing.assert_array_equal(a.value, b.value)
    assert started(validation=0.25, rng=8).seeds != found.seeds


def test_all_are_judged_by_the_same_samples():
    seen = []
    weights = np.arange(1, 61)
    found = started(
        validation=0.25, sample_weight=weights, callbacks=lambda training: seen.append(training.held.arrays[0])
    )
    assert len(seen) == 9
    assert all(np.array_equal(held, found.validation[0]) for held in seen)
    order = np.argsort(X[:, 0])
    both = np.concatenate([found.data[0], found.validation[0]])
    kept = np.concatenate([found.data[2], found.validation[2]])
    np.testing.assert_array_equal(kept[np.argsort(both[:, 0])], weights[order])


def test_a_score_is_that_of_the_weights_that_were_put_back():
    stopping = nn.EarlyStopping(patience=2)
    found = started(
        2, validation=(X[:20], Y[:20]), callbacks=stopping, epochs=30, optimizer=lambda p: nn.optim.SGD(p, lr=3.0)
    )
    assert found.scores == [min(history["validation_loss"]) for history in found.histories]
    assert any(
        score < history["validation_loss"][-1] for score, history in zip(found.scores, found.histories, strict=True)
    )
    score = nn.evaluate(found.model, (X[:20], Y[:20]), nn.CrossEntropyLoss())["loss"]
    assert score == pytest.approx(min(found.scores), rel=1e-6)


def test_one_that_diverges_is_not_chosen():
    made = []

    def explosive(random: np.random.Generator) -> nn.Module:
        model = make(random)
        made.append(model)
        if len(made) in (1, 3):
            model[2].bias.value = np.full(3, np.nan)
        return model

    found = started(3, make=explosive)
    assert [math.isnan(score) for score in found.scores] == [True, False, True]
    assert found.best == 1
    assert found.model is made[1]
    assert [line.split()[-1] for line in repr(found).splitlines()[1:]] == ["diverged", "best", "diverged"]
    with pytest.raises(nn.DivergedError, match="loss is nan"):
        started(2, data=(X * np.nan, Y))


@pytest.mark.parametrize(("batch", "count"), [(3, 0), (10, 1), (14, 2)])  # six batches to a training of three epochs
def test_ctrl_c_gives_the_best_so_far(batch: int, count: int):
    batches = []

    class Impatient(nn.Callback):
        def on_batch_end(self, training: nn.Training) -> None:
            batches.append(1)
            if len(batches) == batch:
                raise KeyboardInterrupt

    found = started(3, callbacks=Impatient())
    whole = started(3)
    assert found.interrupted
    assert repr(found).endswith("interrupted")
    assert len(found) == max(count, 1)
    assert found.scores[:count] == whole.scores[:count]
    if not count:  # a single unfinished one
        assert found.history["loss"] == whole.histories[0]["loss"][:1]
        assert found.scores == found.history["loss"]


def test_ctrl_c_between_two_trainings():
    made = []

    def interrupting(random: np.random.Generator) -> nn.Module:
        made.append(1)
        if len(made) == stop:
            raise KeyboardInterrupt
        return make(random)

    stop = 3
    found = started(5, make=interrupting)
    assert (len(found), found.interrupted) == (2, True)
    stop = 4  # in the first one
    with pytest.raises(KeyboardInterrupt):
        started(5, make=interrupting)


def test_one_line_for_each(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    kept, advanced = [], []

    class Noted(progress.Silence):
        def keep(self, line: str) -> None:
            kept.append(line)

        def advance(self, epoch: int, batch: int) -> None:
            advanced.append((self.each, epoch, self.epochs, self.unit, batch, self.batches))

    monkeypatch.setattr(progress, "Cell", Noted)
    monkeypatch.setattr(progress, "in_notebook", lambda: True)
    found = started(2)
    assert kept == [found.line(0, 2), found.line(1, 2)]
    assert kept[0].startswith(f"restart 1/2  loss {found.scores[0]:.4f}  3 epochs  ")
    assert kept[0].endswith(f"  seed {found.seeds[0]}")
    assert advanced == [("restart", k, 2, "epochs", n, 3) for k in (1, 2) for n in (1, 2, 3)]
    kept.clear()
    started(2, verbose=False)
    assert kept == []
    assert capsys.readouterr() == ("", "")


def test_what_does_not_go_together_is_an_error(tmp_path):
    for changed, error, words in (
        ({"k": 0}, ValueError, "k, how many, is an int from 1; received 0"),
        ({"epochs": 0}, ValueError, "epochs is an int from 1"),
        ({"optimizer": adam(make(rng).parameters())}, TypeError, "makes an optimizer for each.*received Adam"),
        ({"checkpoint": tmp_path / "a"}, TypeError, "checkpoint= is for one. Pass it to nn.fit"),
        ({"resume": tmp_path / "a"}, TypeError, "resume= is for one"),
        ({"monitor": "f1"}, KeyError, "monitor is a column of the history: loss, accuracy; received 'f1'"),
        ({"make": lambda random: None}, TypeError, r"a model is an nn\.Module; received None"),
        ({"validation": 1.5}, ValueError, "share between 0 and 1"),
        ({"rng": "seed"}, TypeError, "rng is a numpy.random.Generator"),
    ):
        with pytest.raises(error, match=words):
            started(**({"k": 2} | changed))
