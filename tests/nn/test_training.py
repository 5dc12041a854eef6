from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

import autodiff as ad
import nn
import nn.functional as F
from nn.model import module as model_module
from nn.model import parts, state, walking

rng = np.random.default_rng(0)
CENTRES = rng.standard_normal((3, 5)) * 2
LABELS = rng.integers(0, 3, 103)
X = CENTRES[LABELS] + rng.standard_normal((103, 5))


def trained(epochs: int = 3, **changed: object) -> tuple[nn.Module, nn.History]:
    model = nn.MLP(5, 8, 3, rng=0)
    arguments = {
        "loss": nn.CrossEntropyLoss(),
        "optimizer": nn.optim.Adam(model.parameters(), lr=0.01),
        "epochs": epochs,
        "batch_size": 16,
        "metrics": ("accuracy",),
        "rng": 0,
        "verbose": False,
    }
    return model, nn.fit(model, changed.pop("data", (X, LABELS)), **(arguments | changed))


def test_the_history_has_a_number_per_epoch():
    model, history = trained(12, validation=(X[:20], LABELS[:20]))
    assert list(history.columns) == ["loss", "accuracy", "validation_loss", "validation_accuracy"]
    assert {len(column) for column in history.columns.values()} == {len(history)} == {12}
    assert history["loss"][-1] < history["loss"][0] / 2
    assert history["accuracy"][-1] > 0.9
    with ad.no_grad():
        scores = model(X[:20])
    assert history["validation_loss"][-1] == pytest.approx(float(F.cross_entropy(scores, LABELS[:20])))
    assert history["validation_accuracy"][-1] == nn.metrics.accuracy(scores, LABELS[:20])


def test_the_same_seed_gives_the_same_bits():
    (one, first), (two, second) = (trained(validation=0.2) for _ in range(2))
    assert first.columns == second.columns
    assert all(np.array_equal(a.value, b.value) for a, b in zip(one.parameters(), two.parameters(), strict=True))
    assert trained(validation=0.2, rng=1)[1].columns != first.columns


def test_every_epoch_sees_every_sample_once_in_a_new_order():
    batches = []

    def loss(scores: ad.Tensor, y: np.ndarray) -> ad.Tensor:
        batches.append(y)
        return F.cross_entropy(scores, y)

    trained(2, data=(X, np.arange(103) % 3), loss=loss)
    del batches[0]  # of the rehearsal
    assert [len(b) for b in batches] == [16] * 6 + [7] + [16] * 6 + [7]
    epochs = np.concatenate(batches[:7]), np.concatenate(batches[7:])
    assert all(np.array_equal(np.sort(e), np.sort(np.arange(103) % 3)) for e in epochs)
    assert not np.array_equal(*epochs)


def test_the_last_short_batch_counts_by_its_length():
    x = np.ones((5, 1))
    model = nn.Linear(1, 1, bias=False, weight_init=nn.init.zeros, dtype=np.float64)
    lr = 1e-300  # nothing moves
    history = nn.fit(
        model, (x, np.array([[1.0], [2.0], [3.0], [4.0], [5.0]])), loss=nn.MSELoss(), batch_size=2, epochs=1,
        optimizer=nn.optim.SGD(model.parameters(), lr=lr), metrics="mean_absolute_error", verbose=False,
    )  # fmt: skip
    assert history["loss"] == [pytest.approx(11.0)]
    assert history["mean_absolute_error"] == [pytest.approx(3.0)]


def test_a_share_for_validation_is_set_aside():
    sizes = []
    trained(1, validation=0.25, loss=lambda scores, y: sizes.append(len(y)) or F.cross_entropy(scores, y))
    assert sizes == [16, 26, *[16, 16, 16, 16, 13, 26]]  # first those of the rehearsal


def test_nothing_is_recorded_during_validation():
    kinds = []

    def loss(outputs: object, y: object) -> object:
        kinds.append(type(outputs))
        return F.cross_entropy(outputs, y)

    trained(1, validation=(X[:5], LABELS[:5]), loss=loss, batch_size=103)
    assert kinds == [ad.Tensor, np.ndarray] * 2  # in the rehearsal and in the epoch


def test_inputs_take_the_dtype_of_the_model():
    dtypes = []
    model = nn.Linear(5, 1, rng=0)

    def forward(x: np.ndarray) -> object:
        dtypes.append(x.dtype)
        return nn.Linear.forward(model, x)

    model.forward = forward
    for x, y in ((X, X[:, :1]), ((X * 10).astype(np.uint8), LABELS[:, None])):
        nn.fit(
            model,
            (x, y),
            loss=nn.MSELoss(),
            optimizer=nn.optim.SGD(model.parameters(), lr=1e-6),
            epochs=1,
            verbose=False,
        )
    assert set(dtypes) == {np.dtype(np.float32)}
    assert model.weight.dtype == np.float32


def test_loss_and_optimizer_as_functions():
    _, history = trained(2, loss=F.cross_entropy, optimizer=lambda p: nn.optim.SGD(p, lr=0.1))
    assert trained(2, optimizer=nn.optim.Adam)[1].columns == trained(2, optimizer=nn.optim.Adam(lr=1e-3))[1].columns
    assert history.columns != trained(2)[1].columns
    assert history["loss"][1] < history["loss"][0]


def test_ctrl_c_returns_the_history_so_far():
    calls = []

    def loss(scores: ad.Tensor, y: np.ndarray) -> ad.Tensor:
        calls.append(1)
        if len(calls) > 17:  # in the third epoch of seven batches
            raise KeyboardInterrupt
        return F.cross_entropy(scores, y)

    _, history = trained(5, loss=loss)
    assert len(history) == 2
    assert history.interrupted
    assert "interrupted" in repr(history)
    assert "interrupted" in history._repr_html_()


def test_a_loss_that_is_not_finite_stops_before_the_parameters_move():
    x = X.copy()
    x[50, 2] = np.nan
    with pytest.raises(nn.DivergedError, match=r"the loss is nan in epoch 1, batch \d of 7: there are NaNs.*batch's X"):
        trained(data=(x, LABELS))
    model = nn.Linear(1, 1, rng=0)
    with pytest.raises(nn.DivergedError, match="smaller lr") as caught:
        nn.fit(
            model, (np.ones((4, 1)), np.ones((4, 1))), loss=nn.MSELoss(), batch_size=1, epochs=50, verbose=False,
            optimizer=nn.optim.SGD(model.parameters(), lr=10.0),
        )  # fmt: skip
    assert np.isfinite(model.weight.value).all()
    assert len(caught.value.history) > 0


class Logarithm(nn.Module):
    def forward(self, x: object) -> object:
        return np.log(x)


def test_a_loss_that_is_not_finite_comes_with_its_explanation():
    model = nn.Sequential(nn.Linear(1, 1, rng=0, weight_init=nn.init.ones), Logarithm())
    with pytest.raises(nn.DivergedError, match=r"log in .* gives NaN at \[0, 0\] \(argument -3.0\)") as caught:
        nn.fit(
            model, (np.array([[-3.0]]), np.ones((1, 1))), nn.MSELoss(),
            lambda p: nn.optim.SGD(p, lr=0.1), verbose=False,
        )  # fmt: skip
    assert "np.maximum(x, 1e-12)" in str(caught.value.explanation)


def test_a_layer_that_no_adjoint_reaches_in_a_whole_epoch_is_warned_of_once():
    dead = nn.Sequential(nn.Linear(5, 4, rng=0), nn.ReLU(), nn.Linear(4, 3, rng=0))
    dead.layers[0].bias.value = np.full(4, -1000.0)
    with pytest.warns(UserWarning, match=r"adjoint of 0.weight, 0.bias, 2.weight was zero in .* epoch 1") as caught:
        nn.fit(
            dead, (X, LABELS), nn.CrossEntropyLoss(), lambda p: nn.optim.SGD(p, lr=0.1), epochs=3, verbose=False, rng=0
        )
    assert len(caught) == 1
    assert "relu in sequential.layers[1] is 0" in str(caught[0].message)
    assert caught[0].filename == __file__
    assert caught[0].category is nn.StandstillWarning
    assert "is zero" in caught[0].message.explanation.parameters["0.weight"].verdict


@pytest.mark.parametrize("batch_size", [16, 103])
def test_steps_that_move_nothing_are_warned_of_once_with_the_explanation(batch_size):
    model = nn.MLP(5, 8, 3, rng=0)
    with pytest.warns(nn.StandstillWarning, match=r"moved a parameter by more than rounding.*lr is 1e-12") as caught:
        nn.fit(
            model, (X, LABELS), nn.CrossEntropyLoss(), lambda p: nn.optim.SGD(p, lr=1e-12),
            epochs=3, batch_size=batch_size, verbose=False, rng=0,
        )  # fmt: skip
    assert len(caught) == 1
    assert caught[0].message.explanation.verdict == "An adjoint arrives at 4 of 4 parameters of MLP."


def test_a_training_that_moves_or_is_to_stand_still_is_not_warned_of():
    for lr, schedule in ((1e-4, None), (1e-3, lambda o: nn.optim.LambdaLR(o, lambda epoch: 0.0))):
        nn.fit(
            nn.MLP(5, 8, 3, rng=0), (X, LABELS), nn.CrossEntropyLoss(), lambda p, lr=lr: nn.optim.SGD(p, lr=lr),
            schedule=schedule, epochs=2, verbose=False, rng=0,
        )  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "error", "words"),
    [
        ({"data": X}, TypeError, r"data is a pair of arrays, \(X, y\)"),
        ({"data": (X, LABELS[:-1])}, ValueError, r"X of shape \(103, 5\) and y of shape \(102,\)"),
        ({"data": (X[:0], LABELS[:0])}, ValueError, "at least one"),
        ({"data": (X, LABELS.astype(str))}, TypeError, r"y is an array of numbers.*np.unique"),
        ({"data": (X, LABELS.astype(float))}, TypeError, r"integer labels.*labels.astype\(int\)"),
        ({"data": (X, np.where(np.arange(103) == 90, 3, LABELS))}, ValueError, "from 0 to 2 .*received 3 at index 90"),
        ({"validation": (X, LABELS - 1)}, ValueError, "received -1"),
        ({"data": (X[:, :4], LABELS)}, ValueError, r"x of shape \(16, 4\), weight of shape \(8, 5\)"),
        ({"data": (X, X[:, 0]), "loss": nn.MSELoss()}, ValueError, r"\(16, 3\) and a target of shape \(16,\)"),
        ({"loss": nn.CrossEntropyLoss}, TypeError, r"is a class; make one of it: loss=nn.CrossEntropyLoss\(\)"),
        ({"loss": "mes"}, ValueError, r"or one of .*'mse'.*; received 'mes'"),
        ({"loss": 3}, TypeError, r"received 3. Write loss=nn.CrossEntropyLoss\(\)"),
        ({"loss": lambda scores, y: F.cross_entropy(scores.value, y)}, TypeError, "depends on the model's parameters"),
        (
            {"loss": lambda scores, y: scores},
            TypeError,
            r"received a Tensor of shape \(16, 3\), dtype float32.*\.mean\(\)",
        ),
        ({"optimizer": "adm"}, ValueError, r"or of .*'adam'.*; received 'adm'"),
        ({"optimizer": None}, TypeError, r"received None. Write optimizer=nn.optim.Adam\(model.parameters\(\)"),
        ({"optimizer": lambda p: None}, TypeError, "it gave None"),
        ({"optimizer": nn.optim.SGD([ad.Tensor([1.0])], lr=1)}, ValueError, "none of the model's parameters"),
        ({"epochs": 0}, ValueError, "epochs is an int from 1; received 0"),
        ({"epochs": 2.5}, ValueError, "received 2.5"),
        ({"batch_size": "all"}, ValueError, "batch_size.* an int from 1; received 'all'"),
        ({"validation": 1.5}, ValueError, r"share between 0 and 1.*received 1.5"),
        ({"validation": 0.001}, ValueError, "103 samples"),
        ({"metrics": ("acuracy",)}, ValueError, "no 'acuracy'; by name there are 'accuracy'"),
        ({"metrics": (3,)}, TypeError, "received 3"),
        ({"metrics": ("accuracy", nn.metrics.accuracy)}, ValueError, "two columns"),
        ({"rng": "seed"}, TypeError, "rng is a numpy.random.Generator"),
    ],
)
def test_wrong_arguments_are_errors_before_anything_changes(changed, error, words):
    model = nn.MLP(5, 8, 3, rng=0)
    before = [p.value.copy() for p in model.parameters()]
    arguments = {
        "data": (X, LABELS), "loss": nn.CrossEntropyLoss(), "optimizer": nn.optim.Adam(model.parameters()),
        "batch_size": 16, "rng": 0,
    } | changed  # fmt: skip
    with pytest.raises(error, match=words):
        nn.fit(model, arguments.pop("data"), **arguments)
    assert all(np.array_equal(a, p.value) for a, p in zip(before, model.parameters(), strict=True))


def test_loss_and_metrics_are_rehearsed_on_both_sets_before_the_first_step():
    def square(values: np.ndarray, y: np.ndarray) -> float:
        return float(np.mean((values - y) ** 2))

    mse = {"data": (X, X[:, :3]), "loss": nn.MSELoss()}
    for changed, error, words in (
        (mse | {"validation": (X, X[:, 0])}, ValueError, r"\(32, 3\) and a target of shape \(32,\)"),
        (mse | {"metrics": "top_9_accuracy"}, ValueError, "of at least k classes"),
        (mse | {"metrics": square, "validation": (X, X)}, ValueError, "shape"),
        ({"metrics": lambda scores, y: None}, TypeError, "'<lambda>' gave None"),
        ({"metrics": lambda scores, y: np.ones(2)}, TypeError, r"gave ndarray of shape \(2,\)"),
        ({"metrics": 5}, TypeError, r"metrics are names or functions.*received 5"),
        ({"metrics": named("validation_loss")}, ValueError, "called 'validation_loss'"),
        ({"loss": lambda scores, y: None}, TypeError, "received a NoneType"),
        ({"verbose": 1}, TypeError, "verbose is whether.*received 1"),
        ({"validation": "0.2"}, TypeError, r"a pair of arrays, \(X, y\), or a share.*received '0.2'"),
        ({"data": ([[1.0, 2.0], [3.0]], [0, 1])}, ValueError, "X is an array.*same length"),
        ({"data": (X * 1j, LABELS)}, TypeError, r"dtype complex128.*write np.stack\(\[z.real"),
        ({"data": (X.astype(object), LABELS)}, TypeError, r"dtype object. Write .astype\(float\) for"),
        ({"data": (X, LABELS.astype(float))}, TypeError, "received dtype float64"),
        ({"data": (X[:, 0], LABELS)}, ValueError, "linear takes"),
    ):
        model = nn.MLP(5, 8, 3, rng=0)
        before = [p.value.copy() for p in model.parameters()]
        arguments = {"data": (X, LABELS), "loss": nn.CrossEntropyLoss(), "batch_size": 16, "epochs": 1} | changed
        with pytest.raises(error, match=words) as caught:
            nn.fit(model, arguments.pop("data"), optimizer=nn.optim.Adam(model.parameters()), **arguments)
        assert all(np.array_equal(a, p.value) for a, p in zip(before, model.parameters(), strict=True))
    assert caught.value.__notes__[0].endswith(
        "first 16 samples of the data, X of shape (103,) and y of shape (103,). For one number per sample, write "
        "X.reshape(-1, 1)."
    )


def named(name: str) -> object:
    def metric(outputs: object, y: object) -> float:
        return 0.0

    metric.__name__ = name
    return metric


def test_the_rehearsal_takes_nothing_from_the_generator():
    class Noisy(nn.MLP):
        def forward(self, x: np.ndarray) -> object:
            return super().forward(x + draws.standard_normal(x.shape).astype(np.float32))

    draws = np.random.default_rng(3)
    model = Noisy(5, 8, 3, rng=0)
    optimizer = nn.optim.SGD(model.parameters(), lr=0.1)
    nn.fit(model, (X, LABELS), nn.CrossEntropyLoss(), optimizer, epochs=1, rng=draws, verbose=False)
    again = np.random.default_rng(3)
    again.permutation(103)
    for k in range(4):
        again.standard_normal((32 if k < 3 else 7, 5))
    assert draws.bit_generator.state == again.bit_generator.state


def test_a_model_that_squeezes_its_output_is_rehearsed_with_a_whole_batch():
    class Line(nn.Module):
        def __init__(self) -> None:
            self.w = nn.Linear(5, 1, rng=0)

        def forward(self, x: np.ndarray) -> object:
            return np.squeeze(self.w(x))

    model = Line()
    optimizer = nn.optim.SGD(model.parameters(), lr=0.01)
    assert (
        len(nn.fit(model, (X[:100], X[:100, 0]), nn.MSELoss(), optimizer, batch_size=50, epochs=2, verbose=False)) == 2
    )


def test_arguments_that_are_taken():
    assert list(trained(1, metrics=None)[1]) == ["loss"]
    assert "validation_loss" in trained(1, validation=np.float32(0.2))[1]
    assert trained(1, data=(X, LABELS.astype(">i8")))[1].columns == trained(1)[1].columns


def test_a_nan_in_the_validation_goes_into_the_history():
    _, history = trained(2, validation=(X * np.nan, LABELS))
    assert np.isnan(history["validation_loss"]).all()
    assert np.isfinite(history["loss"]).all()


@pytest.mark.filterwarnings("ignore:no step up to")  # no step is to move a parameter here
def test_frozen_parameters_do_not_pile_up_adjoints():
    model = nn.MLP(5, 8, 3, rng=0)
    optimizer = nn.optim.SGD(model[2].parameters(), lr=1e-30)
    sizes = []
    for epochs in (1, 5):
        nn.fit(
            model, (X, LABELS), nn.CrossEntropyLoss(), optimizer, epochs=epochs, batch_size=103, rng=0, verbose=False
        )
        sizes.append(np.abs(model[0].weight.grad).max())
    assert sizes[0] == pytest.approx(sizes[1], rel=1e-3)


def test_fit_within_no_grad_is_an_error():
    with ad.no_grad(), pytest.raises(RuntimeError, match=r"within ad\.no_grad.*MLP cannot be trained"):
        trained(1)


def test_what_is_not_a_model_with_parameters_is_an_error():
    arguments = {"loss": nn.CrossEntropyLoss(), "optimizer": lambda p: nn.optim.Adam(p)}
    with pytest.raises(TypeError, match=r"a model is an nn.Module"):
        nn.fit(np.tanh, (X, LABELS), **arguments)
    with pytest.raises(ValueError, match="ReLU has no parameters to train"):
        nn.fit(nn.ReLU(), (X, LABELS), **arguments)


def test_importing_nn_imports_nothing_slow():
    program = "import sys, nn; print(*sorted({'tqdm', 'matplotlib', 'IPython', 'sklearn', 'torch'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


@pytest.mark.parametrize("changed", [{}, {"validation": 0.2}, {"loss": "cross_entropy", "optimizer": "adam"}])
def test_a_model_is_walked_once_before_the_first_batch(changed: dict[str, object], monkeypatch: pytest.MonkeyPatch):
    walks = []

    def counted(value: object, name: str, *others: object) -> object:
        walks.append(value)
        return walking.walk(value, name, *others)

    class First(nn.Callback):
        def on_backward(self, training: nn.Training) -> None:
            training.first = len(walks) if training.epoch == 1 and not training.batch > 1 else training.first

    for module in (parts, state, model_module):
        monkeypatch.setattr(module, "walk", counted)
    model, seen = nn.Sequential(nn.Linear(5, 4, rng=0), nn.BatchNorm1d(4), nn.Dropout(0.1), nn.Linear(4, 3)), []
    optimizer = changed.pop("optimizer", nn.optim.Adam(model.parameters()))
    walks.clear()
    nn.fit(
        model, X, LABELS, changed.pop("loss", nn.CrossEntropyLoss()), optimizer, epochs=1, verbose=False,
        callbacks=[First(), lambda training: seen.append(training.first)], **changed,
    )  # fmt: skip
    assert seen == [1]
    assert walks[0] is model


def test_layers_that_are_built_by_the_first_call_are_found():
    class Late(nn.Module):
        def __init__(self) -> None:
            self.first, self.others = nn.Linear(5, 4, rng=0), []

        def forward(self, x: object) -> object:
            if not self.others:
                self.others.append(nn.Linear(4, 3, rng=1))
            return self.others[0](self.first(x))

    model = Late()
    nn.fit(model, X, LABELS, "cross_entropy", "adam", epochs=1, verbose=False)
    assert not np.array_equal(model.others[0].weight.value, nn.Linear(4, 3, rng=1).weight.value)


def test_the_state_of_a_training_goes_into_another_and_back():
    states = []

    class Keep(nn.Callback):
        def on_epoch_end(self, training: nn.Training) -> None:
            states.append(training.state_dict())

    class Again(nn.Callback):
        def on_fit_begin(self, training: nn.Training) -> None:
            before = training.state_dict()
            training.load_state_dict(states[1])
            assert training.epoch == 2
            training.load_state_dict(before)
            assert training.state_dict()["epoch"] == 1

    _, history = trained(3, callbacks=Keep(), validation=0.2)
    assert [state["epoch"] for state in states] == [1, 2, 3]
    assert [len(state["history"]["columns"]["loss"]) for state in states] == [1, 2, 3]
    assert trained(3, callbacks=Again(), validation=0.2)[1].columns == history.columns


def test_without_shuffle_samples_come_in_their_order_and_the_last_are_set_aside():
    batches = []

    def loss(scores: ad.Tensor, y: np.ndarray) -> ad.Tensor:
        batches.append(y)
        return F.cross_entropy(scores, y % 3)

    trained(1, data=(X, np.arange(103)), loss=loss, shuffle=False, validation=0.2, metrics=())
    seen = np.concatenate(batches[2:])  # after the rehearsals
    assert seen.tolist() == np.arange(103).tolist()
