"""What happens in between: callbacks, early stopping, accumulation, weights, clipping, and numbers that go astray."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from stopped import LABELS, X, model, train

import autodiff as ad
import nn
import nn.functional as F


class Diary(nn.Callback):
    def __init__(self) -> None:
        self.entries: list[str] = []

    def on_fit_begin(self, training: nn.Training) -> None:
        self.entries.append("begin")

    def on_epoch_begin(self, training: nn.Training) -> None:
        assert training.model.training
        self.entries.append(f"epoch {training.epoch}")

    def on_backward(self, training: nn.Training) -> None:
        assert all(p.grad is not None for p in training.model.parameters())
        self.entries.append("backward")

    def on_batch_end(self, training: nn.Training) -> None:
        assert np.isfinite(training.value.item())
        assert training.outputs.shape == (len(training.targets), 2)
        self.entries.append(f"batch {training.batch} of {training.batches}")

    def on_epoch_end(self, training: nn.Training) -> None:
        assert len(training.history) == training.epoch
        self.entries.append("end")

    def on_fit_end(self, training: nn.Training) -> None:
        self.entries.append("over")


def test_callbacks_are_called_in_order_and_functions_after_each_epoch():
    diary, epochs = Diary(), []
    network = model()
    train(network, 2, callbacks=[diary, lambda training: epochs.append(training.epoch)], batch_size=100, schedule=None)
    epoch = ["backward", "batch 1 of 2", "backward", "batch 2 of 2", "end"]
    assert diary.entries == ["begin", "epoch 1", *epoch, "epoch 2", *epoch, "over"]
    assert epochs == [1, 2]
    assert not network.training  # ready for use


def test_a_callback_may_end_the_training():
    history = train(model(), callbacks=lambda training: training.stop("enough") if training.epoch == 3 else None)
    assert len(history) == 3

    class Impatient(nn.Callback):
        def on_batch_end(self, training: nn.Training) -> None:
            if training.epoch == 2:
                training.stop("in the middle")

    assert len(train(model(), callbacks=Impatient())) == 1


def test_what_is_no_callback_is_an_error():
    for wrong in (nn.EarlyStopping, 3, [None]):
        with pytest.raises(TypeError, match=r"callbacks are nn.Callbacks, or functions.*EarlyStopping\(\)"):
            train(model(), callbacks=wrong)


def test_callbacks_hear_the_end_whatever_it_was():
    class Failing(Diary):
        def on_epoch_end(self, training: nn.Training) -> None:
            raise ZeroDivisionError

    diary = Failing()
    with pytest.raises(ZeroDivisionError):
        train(model(), callbacks=diary)
    assert diary.entries[-1] == "over"


class Scripted(nn.Module):
    """A model whose loss goes through given values, an epoch each: its parameter counts the epochs."""

    def __init__(self, values: list[float]) -> None:
        self.values = np.array(values)
        self.w = ad.Tensor([0.0])

    def forward(self, x: np.ndarray) -> object:
        step = int(self.w.value[0])
        return np.tile(self.values[step] + 1e-300 * self.w, (len(x), 1))  # it is reached, and not moved


STILL = pytest.mark.filterwarnings("ignore:no step up to")  # no step is to move a parameter here


def scripted(values: list[float], stopping: nn.EarlyStopping, **changed: object) -> tuple[nn.Module, nn.History]:
    network = Scripted(values)
    history = nn.fit(
        network, (np.ones((4, 1)), np.zeros((4, 1))), lambda p, y: np.mean(p) - np.mean(y),
        lambda parameters: nn.optim.SGD(parameters, lr=1.0), epochs=len(values) - 1,
        validation=(np.ones((1, 1)), np.zeros((1, 1))),
        callbacks=[lambda training: None, Count(network), stopping], verbose=False, **changed,
    )  # fmt: skip
    return network, history


class Count(nn.Callback):
    def __init__(self, network: Scripted) -> None:
        self.network = network

    def on_batch_end(self, training: nn.Training) -> None:
        self.network.w.value = [float(training.epoch)]


@STILL
def test_early_stopping_gives_the_best_weights_back():
    stopping = nn.EarlyStopping(patience=2)
    network, history = scripted([9, 5, 3, 4, 4, 1, 1], stopping)
    assert history["validation_loss"] == [5, 3, 4, 4]
    assert (stopping.best, stopping.best_epoch) == (3, 2)
    assert network.w.value[0] == 2

    network, history = scripted([9, 5, 3, 4, 4, 1, 1], nn.EarlyStopping(patience=2, restore_best=False))
    assert network.w.value[0] == 4
    assert len(scripted([9, 5, 4.9, 4.8, 0, 0], nn.EarlyStopping(2, min_delta=0.5))[1]) == 3
    assert len(scripted([9, 5, 6, 7, 6, 0], nn.EarlyStopping(2, mode="max"))[1]) == 5
    assert len(scripted([9, 5, 1e9, 1e9, 0], nn.EarlyStopping(2))[1]) == 3
    network, history = scripted([9, 5, 3, 4], nn.EarlyStopping(10))  # the epochs ran out
    assert network.w.value[0] == 2


def test_the_best_weights_come_back_after_an_error_too():
    network, stopping = model(), nn.EarlyStopping(10)

    def fails(training: nn.Training) -> None:
        if training.epoch == 4:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        train(network, callbacks=[stopping, fails])
    assert stopping.best_epoch in (1, 2, 3, 4)
    assert all(
        np.array_equal(a, b) for a, b in zip(network.state_dict().values(), stopping.best_state.values(), strict=True)
    )


def test_early_stopping_may_be_used_twice():
    stopping = nn.EarlyStopping(3)
    train(model(), 5, callbacks=stopping)
    best = stopping.best
    train(model(), 1, callbacks=stopping)
    assert stopping.best_epoch == 1
    assert stopping.best != best


def test_early_stopping_watches_any_column():
    assert len(train(model(), 5, callbacks=nn.EarlyStopping(1, "val_accuracy"))) >= 2
    with pytest.raises(KeyError, match=r"monitor is a column of the history: loss, .*'accurracy'"):
        train(model(), callbacks=nn.EarlyStopping(1, "accurracy"))
    with pytest.raises(ValueError, match=r'"min", "max" or "auto"; received .down'):
        nn.EarlyStopping(mode="down")
    with pytest.raises(ValueError, match=r"patience.* int from 1"):
        nn.EarlyStopping(0)


def plain(**changed: object) -> dict[str, np.ndarray]:
    network = nn.MLP(6, 8, 2, rng=0, dtype=np.float64)
    arguments: dict[str, object] = {
        "optimizer": nn.optim.SGD(network.parameters(), lr=0.5),
        "epochs": 2,
        "rng": 0,
        "verbose": False,
    }
    data, loss = changed.pop("data", (X, LABELS)), changed.pop("loss", nn.CrossEntropyLoss())
    nn.fit(network, data, loss, **(arguments | changed))
    return network.state_dict()


def close(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> bool:
    return all(np.allclose(one[name], other[name], rtol=1e-12, atol=1e-13) for name in one)


def test_accumulated_batches_are_one_batch():
    assert close(plain(batch_size=40), plain(batch_size=10, accumulate=4))  # the last of 203 are 3
    assert close(plain(batch_size=203), plain(batch_size=100, accumulate=3))
    assert not close(plain(batch_size=40), plain(batch_size=10))


def test_a_sample_of_weight_two_is_a_sample_given_twice():
    weights = np.where(np.arange(len(X)) < 60, 2, np.where(np.arange(len(X)) < 120, 1, 0))
    twice = np.repeat(np.arange(len(X)), weights)
    given = plain(data=(X[twice], LABELS[twice]), batch_size=1000)
    assert close(given, plain(data=(X, LABELS), sample_weight=weights, batch_size=1000))
    assert close(given, plain(data=(X, LABELS, weights), batch_size=1000))
    loader = nn.data.DataLoader(X, LABELS, weights, batch_size=None)
    assert close(given, plain(data=loader))
    accumulated = plain(data=(X, LABELS, weights), batch_size=10, accumulate=21)
    assert close(given, accumulated)


def test_a_batch_counts_by_the_weights_of_its_classes():
    loss = nn.CrossEntropyLoss(weight=[0.3, 2.0])
    assert close(plain(loss=loss, batch_size=40), plain(loss=loss, batch_size=10, accumulate=4))
    some = np.where(np.arange(len(X)) % 3 == 0, -100, LABELS)
    weights = np.arange(len(X)) % 5
    data = X, some, weights
    assert close(plain(loss=loss, data=data, batch_size=40), plain(loss=loss, data=data, batch_size=10, accumulate=4))
    network = nn.MLP(6, 8, 2, rng=0, dtype=np.float64)
    at_once = nn.evaluate(network, data, loss, batch_size=1000)["loss"]
    assert nn.evaluate(network, data, loss, batch_size=7)["loss"] == pytest.approx(at_once, rel=1e-12)


def test_metrics_count_samples_without_weight_too():
    network = nn.MLP(6, 8, 2, rng=0, dtype=np.float64)
    weights = np.zeros(len(X))
    weights[:10] = 1
    still = nn.optim.SGD(network.parameters(), lr=1e-30)
    history = nn.fit(network, (X, LABELS, weights), nn.CrossEntropyLoss(), still, epochs=1, metrics="accuracy", rng=0)
    accuracy = nn.metrics.accuracy(nn.predict(network, X), LABELS)
    assert history["accuracy"] == [pytest.approx(accuracy, rel=1e-12)]


def test_batches_without_weight_move_nothing():
    weights = np.zeros(len(X))
    weights[0] = 1
    history_of_one = plain(data=(X, LABELS, weights), batch_size=1, epochs=1)
    assert close(history_of_one, plain(data=(X[:1], LABELS[:1]), epochs=1))


def test_weights_that_make_no_sense_are_errors():
    for wrong in (np.ones(3), -np.ones(len(X)), np.zeros(len(X)), np.full(len(X), np.nan)):
        with pytest.raises(ValueError, match="sample_weight is a finite number from 0 per sample"):
            plain(sample_weight=wrong)
    network, loss = nn.MLP(6, 2, rng=0), lambda p, y: F.cross_entropy(p, y)
    with pytest.raises(TypeError, match="the samples have weights, which loss=<lambda> does not take"):
        nn.fit(network, (X, LABELS, np.ones(len(X))), loss, nn.optim.SGD(network.parameters()), verbose=False)
    with pytest.raises(TypeError, match="belongs to the DataLoader"):
        plain(data=nn.data.DataLoader(X, LABELS), sample_weight=np.ones(len(X)))


def test_clipping_bounds_a_step():
    start = nn.MLP(6, 8, 2, rng=0, dtype=np.float64).state_dict()
    moved = plain(epochs=1, batch_size=203, clip_norm=0.01)
    step = np.concatenate([(moved[name] - start[name]).ravel() for name in start])
    assert np.linalg.norm(step) == pytest.approx(0.5 * 0.01, rel=1e-3)
    moved = plain(epochs=1, batch_size=203, clip_value=0.001)
    assert max(np.abs(moved[name] - start[name]).max() for name in start) == pytest.approx(0.5 * 0.001)
    for wrong in ({"clip_norm": 0}, {"clip_value": -1.0}):
        with pytest.raises(ValueError, match="above 0"):
            plain(**wrong)


def test_schedules_are_stepped_by_epoch_or_by_step():
    rates = []
    plain(
        schedule=lambda optimizer: nn.optim.StepLR(optimizer, 1, 0.1), batch_size=100, epochs=3,
        callbacks=lambda training: rates.append(training.optimizer.lr),
    )  # fmt: skip
    assert rates == pytest.approx([0.05, 0.005, 0.0005])
    rates.clear()
    plain(
        schedule=lambda optimizer: nn.optim.ExponentialLR(optimizer, 0.1, each="step"), batch_size=100, epochs=2,
        callbacks=lambda training: rates.append(training.optimizer.lr),
    )  # fmt: skip
    assert rates == pytest.approx([0.5e-3, 0.5e-6])
    rates.clear()
    plain(
        schedule=lambda optimizer: nn.optim.ReduceLROnPlateau(optimizer, patience=0, threshold=10), epochs=3,
        callbacks=lambda training: rates.append(training.optimizer.lr),
    )  # fmt: skip
    assert rates == pytest.approx([0.5, 0.05, 0.005])


def test_schedules_that_do_not_belong_are_errors():
    other = nn.optim.SGD([ad.Tensor([1.0])], lr=1.0)
    for wrong, error, words in (
        (nn.optim.StepLR, TypeError, "received StepLR. Write schedule=lambda"),
        (lambda optimizer: None, TypeError, "it gave None"),
        (nn.optim.StepLR(other, 1), ValueError, "made for another optimizer"),
    ):
        with pytest.raises(error, match=words):
            plain(schedule=wrong)


class Rooted(nn.Module):
    """A net whose slope is infinite where its input is 0."""

    def __init__(self) -> None:
        self.inner = nn.Linear(1, 1, bias=False, rng=0, weight_init=nn.init.ones)
        self.norm = nn.BatchNorm1d(1)

    def forward(self, x: object) -> object:
        return np.sqrt(np.maximum(self.inner(x), 0)) + 0 * self.norm(x)


def test_an_adjoint_that_is_not_finite_names_its_parameter_and_leaves_the_model_as_it_was():
    network = Rooted()
    x = np.array([[1.0], [2.0], [0.0], [4.0]])
    before = network.state_dict()
    with pytest.raises(
        nn.DivergedError, match=r"the adjoint of inner.weight has a NaN .* epoch 1, batch 1 of 1.*sqrt"
    ) as caught:
        nn.fit(network, (x, x), nn.MSELoss(), lambda p: nn.optim.SGD(p, lr=0.1), verbose=False)
    assert "sqrt in rooted passes" in str(caught.value)
    assert "1e-12" in str(caught.value.explanation)
    assert all(np.array_equal(value, before[name]) for name, value in network.state_dict().items())


def test_a_loss_that_is_not_finite_names_where_it_came_from():
    class Log(nn.Module):
        def __init__(self) -> None:
            self.body = nn.Linear(1, 1, rng=0, weight_init=nn.init.ones)
            self.norm = nn.BatchNorm1d(1)

        def forward(self, x: object) -> object:
            return np.log(np.maximum(self.body(x), 0)) + 0 * self.norm(x)

    network = Log()
    before = network.state_dict()
    x = np.array([[1.0], [2.0], [-3.0]])
    with pytest.raises(nn.DivergedError, match=r"the loss is inf .*log in log gives -infinity at"):
        nn.fit(network, (x, x), nn.MSELoss(), lambda p: nn.optim.SGD(p, lr=0.1), verbose=False)
    assert all(np.array_equal(value, before[name]) for name, value in network.state_dict().items())
    network.body.weight.value = [[np.nan]]
    with pytest.raises(nn.DivergedError, match=r"the parameter body.weight was not finite before"):
        nn.fit(network, (x, x), nn.MSELoss(), lambda p: nn.optim.SGD(p, lr=0.1), verbose=False)


def test_a_last_batch_of_one_sample_is_found_before_the_training():
    network = model()
    before = network.state_dict()
    with pytest.raises(ValueError, match=r"at least 2 values per channel") as caught:
        nn.fit(network, (X[:33], LABELS[:33]), nn.CrossEntropyLoss(), lambda p: nn.optim.SGD(p), verbose=False)
    assert "Nothing was trained yet" in caught.value.__notes__[0]
    assert all(np.array_equal(value, before[name]) for name, value in network.state_dict().items())


def test_the_rehearsal_leaves_averages_and_generators_as_they_were():
    network = model()
    seen = []

    class Look(nn.Callback):
        def on_fit_begin(self, training: nn.Training) -> None:
            seen.append((network[1].num_batches_tracked.item(), network[3].rng.bit_generator.state))

    before = network[3].rng.bit_generator.state
    train(network, 1, callbacks=Look())
    assert seen == [(0, before)]
    assert network[1].num_batches_tracked == 11


def test_evaluate_and_predict_are_in_evaluation_mode_and_put_the_mode_back():
    network = model()
    found = nn.evaluate(network, (X, LABELS), nn.CrossEntropyLoss(), ["accuracy", "f1"], batch_size=7)
    scores = nn.predict(network, X, batch_size=9)
    assert scores.shape == (203, 2)
    assert type(scores) is np.ndarray
    assert found["loss"] == pytest.approx(float(F.cross_entropy(scores, LABELS)), rel=1e-6)
    assert found["accuracy"] == nn.metrics.accuracy(scores, LABELS)
    assert found["f1"] == nn.metrics.f1(scores, LABELS)
    assert network.training
    assert nn.predict(network, X[:0]).shape == (0, 2)
    with pytest.raises(TypeError, match=r"a model is an nn.Module"):
        nn.predict(np.tanh, X)


def test_words_stay_integers():
    words = np.random.default_rng(0).integers(0, 10, (50, 3))
    network = nn.Sequential(nn.Embedding(10, 4, rng=0), nn.Flatten(), nn.Linear(12, 2, rng=0))
    history = nn.fit(
        network, (words, words[:, 0] % 2), nn.CrossEntropyLoss(), nn.optim.Adam(lr=0.05), epochs=20,
        metrics="accuracy", rng=0, verbose=False,
    )  # fmt: skip
    assert history["accuracy"][-1] > 0.95


def test_memory_mapped_samples_are_read_batch_by_batch(tmp_path):
    np.save(tmp_path / "X.npy", (X * 10).astype(np.int16))
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    network = model()
    history = nn.fit(
        network, nn.data.DataLoader(mapped, LABELS, shuffle=True, batch_size=20, rng=0), nn.CrossEntropyLoss(),
        nn.optim.Adam(lr=0.01), epochs=2, verbose=False,
    )  # fmt: skip
    assert history["loss"][1] < history["loss"][0]


def test_a_step_to_infinity_is_not_taken():
    network = nn.Sequential(nn.Linear(6, 2, rng=0), nn.Dropout(0.5, rng=1))
    before, rng = network.state_dict(), network[1].rng.bit_generator.state
    with pytest.raises(nn.DivergedError, match="the step in epoch 1, batch 1 of 1 would have made parameters infinite"):
        nn.fit(
            network, (X * 1e32, X[:, :2]), nn.L1Loss(), lambda p: nn.optim.SGD(p, lr=1e9), batch_size=500,
            verbose=False,
        )  # fmt: skip
    assert all(np.array_equal(value, before[name]) for name, value in network.state_dict().items())
    assert network[1].rng.bit_generator.state == rng


def test_what_is_to_rise_or_fall_is_said_where_it_cannot_be_known():
    def perplexity(outputs: np.ndarray, targets: np.ndarray) -> float:
        return float(np.exp(F.cross_entropy(outputs, targets)))

    with pytest.raises(ValueError, match="whether 'perplexity' is to rise or to fall"):
        train(model(), metrics=perplexity, callbacks=nn.EarlyStopping(2, "perplexity"))
    history = train(model(), metrics=perplexity, callbacks=nn.EarlyStopping(2, "perplexity", mode="min"))
    assert len(history) > 2


def test_a_callback_whose_training_never_began_does_nothing_in_the_end():
    stopping, other = nn.EarlyStopping(3), model()
    train(model(), 2, callbacks=stopping)
    before = other.state_dict()
    with pytest.raises(ValueError, match="watch was made for"):
        train(other, callbacks=[nn.watch(model()), stopping])
    assert all(np.array_equal(value, before[name]) for name, value in other.state_dict().items())


def test_an_error_in_one_callbacks_end_does_not_keep_the_others_from_theirs():
    class Failing(nn.Callback):
        def on_fit_end(self, training: nn.Training) -> None:
            raise ZeroDivisionError

    diary, network = Diary(), model()
    with pytest.raises(ZeroDivisionError):
        train(network, 1, callbacks=[diary, Failing()])
    assert diary.entries[-1] == "over"
    assert not network.training


def test_a_loss_that_is_a_sum_is_refused():
    network = nn.MLP(6, 2, rng=0)
    with pytest.raises(ValueError, match="takes the mean over each batch; received a loss with reduction='sum'"):
        nn.fit(network, (X, LABELS), nn.CrossEntropyLoss(reduction="sum"), nn.optim.SGD, verbose=False)


def test_targets_that_would_broadcast_are_warned_about():
    network = nn.MLP(6, 1, rng=0)
    with pytest.warns(UserWarning, match=r"gives shape \(32, 1\), and y has shape \(32,\)"):
        nn.fit(network, (X, X[:, 0]), lambda o, y: np.mean((o - y) ** 2), nn.optim.SGD, epochs=1, verbose=False)


def test_parameters_that_would_not_be_trained_are_named():
    class Late(nn.Module):
        def __init__(self) -> None:
            self.first, self.late = nn.Linear(6, 4, rng=0), nn.Dense(2, rng=0)

        def forward(self, x: object) -> object:
            return self.late(self.first(x))

    network = Late()
    with pytest.raises(ValueError, match=r"came with its first call, late.weight, late.bias"):
        nn.fit(network, (X, LABELS), nn.CrossEntropyLoss(), nn.optim.SGD(network.parameters()), verbose=False)
    nn.fit(Late(), (X, LABELS), nn.CrossEntropyLoss(), nn.optim.SGD, epochs=1, verbose=False)
    network = nn.MLP(6, 2, rng=0)
    network.scale = ad.Tensor([1.0, 2.0]) * 0.1
    with pytest.warns(UserWarning, match=r"MLP.scale is the result of multiply, so it is neither trained nor saved"):
        nn.fit(network, (X, LABELS), nn.CrossEntropyLoss(), nn.optim.SGD, epochs=1, verbose=False)


def test_an_optimizer_stays_its_owners_when_arguments_are_wrong():
    network = nn.MLP(6, 2, rng=0)
    optimizer = nn.optim.SGD(network.parameters(), lr=0.1)
    for wrong in ({"clip_norm": -1}, {"accumulate": 0}, {"callbacks": 5}, {"checkpoint_every": 3}, {"schedule": "cos"}):
        with pytest.raises((ValueError, TypeError)):
            nn.fit(network, (X, LABELS), nn.CrossEntropyLoss(), nn.optim.Adam, verbose=False, **wrong)
    F.cross_entropy(network(X), LABELS).backward()
    optimizer.step()


def test_several_outputs_are_put_together_one_by_one():
    class Two(nn.Module):
        def __init__(self) -> None:
            self.layer = nn.Linear(6, 2, rng=0)

        def forward(self, x: object) -> tuple[object, object]:
            return self.layer(x), self.layer(x)

    assert [y.shape for y in nn.predict(Two(), X, batch_size=7)] == [(len(X), 2)] * 2
    history = nn.fit(
        Two(), (X, LABELS), lambda outputs, y: F.cross_entropy(outputs[0], y), nn.optim.SGD, epochs=1, verbose=False
    )
    assert len(history) == 1


def test_a_memory_mapped_array_is_not_read_whole(tmp_path):
    np.save(tmp_path / "X.npy", np.tile(X.astype(np.float32), (500, 20)))  # 48 MB
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    network = nn.Linear(120, 2, rng=0, dtype=np.float64)
    tracemalloc.start()
    nn.fit(
        network, (mapped, np.tile(LABELS, 500)), nn.CrossEntropyLoss(), nn.optim.SGD, epochs=1, batch_size=5000,
        verbose=False,
    )  # fmt: skip
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < mapped.nbytes / 2


def test_names_that_other_libraries_have():
    assert len(train(model(), 1, callbacks=None)) == 1
    with pytest.raises(TypeError, match="received 'early'"):
        train(model(), callbacks="early")


@STILL
def test_ignored_labels_count_in_no_metric():
    labels = np.where(np.arange(len(X)) % 3 == 0, -100, LABELS)
    network = nn.MLP(6, 8, 2, rng=0)
    history = nn.fit(
        network, (X, labels), nn.CrossEntropyLoss(), lambda p: nn.optim.SGD(p, lr=1e-30), metrics=["accuracy", "f1"],
        epochs=1, verbose=False,
    )  # fmt: skip
    counted = labels >= 0
    assert history["accuracy"] == [nn.metrics.accuracy(nn.predict(network, X[counted]), labels[counted])]
    found = nn.evaluate(network, (X, labels), nn.CrossEntropyLoss(), "accuracy")
    assert found["accuracy"] == history["accuracy"][0]


@STILL
def test_ignored_labels_count_in_no_mean_and_no_share():
    generator = np.random.default_rng(1)
    inputs = generator.standard_normal((3000, 6)).astype(np.float32)
    labels = (inputs[:, 0] > 0).astype(int)
    labels[:1100] = -100  # a whole batch, and what would be rehearsed with
    loss, network = nn.CrossEntropyLoss(), nn.MLP(6, 8, 2, rng=0)
    at_once = float(F.cross_entropy(nn.predict(network, inputs), labels))
    found = nn.evaluate(network, (inputs, labels), loss, "accuracy", batch_size=100)
    assert found["loss"] == pytest.approx(at_once, rel=1e-6)
    loader = nn.data.DataLoader(inputs, labels, batch_size=50)
    history = nn.fit(network, loader, loss, lambda p: nn.optim.SGD(p, lr=1e-30), epochs=1, verbose=False)
    assert history["loss"] == [pytest.approx(at_once, rel=1e-6)]

    def moved(**changed: object) -> dict[str, np.ndarray]:
        network = nn.MLP(6, 8, 2, rng=0, dtype=np.float64)
        loader = nn.data.DataLoader(inputs[900:1500], labels[900:1500], batch_size=changed.pop("batch_size"))
        nn.fit(network, loader, loss, lambda p: nn.optim.SGD(p, lr=1.0), epochs=1, verbose=False, **changed)
        return network.state_dict()

    assert close(moved(batch_size=600), moved(batch_size=50, accumulate=12))


def test_an_error_in_a_batch_leaves_the_averages_as_they_were():
    network = model()
    before = {name: b.copy() for name, b in network.named_buffers()}

    def loss(outputs: ad.Tensor, targets: np.ndarray) -> ad.Tensor:
        if len(calls := [*history, 1]) > 2:
            raise ValueError("some batch")
        history.append(calls)
        return F.cross_entropy(outputs, targets)

    history: list[object] = []
    with pytest.raises(ValueError, match="some batch"):
        nn.fit(network, (X, LABELS), loss, nn.optim.SGD, batch_size=100, verbose=False)
    after = dict(network.named_buffers())
    assert after["1.num_batches_tracked"] == 1
    assert not np.array_equal(after["1.running_mean"], before["1.running_mean"])
