"""A Sequential that is built layer by layer and trains itself; skip connections."""

from __future__ import annotations

import ast
import copy
from pathlib import Path

import numpy as np
import pytest

import autodiff as ad
import nn
import nn.functional as F

rng = np.random.default_rng(0)
X = rng.standard_normal((120, 4)).astype(np.float32)
LABELS = (X[:, 0] > 0).astype(int) + (X[:, 1] > 0)


def compiled(*layers: object, loss: object, **changed: object) -> nn.Sequential:
    model = nn.Sequential(*layers)
    model.compile(changed.pop("optimizer", "adam"), loss, **changed)
    return model


def state(*layers: object, **changed: object) -> list[np.ndarray]:
    model = compiled(*layers, **changed)
    model.fit(X, LABELS, epochs=2, verbose=0, rng=0)
    return list(model.state_dict().values())


def same(one: list[np.ndarray], other: list[np.ndarray]) -> bool:
    return all(np.allclose(a, b, atol=1e-6) for a, b in zip(one, other, strict=True))


def test_layers_are_added_at_the_end():
    model = nn.Sequential()
    assert model.add(nn.Linear(4, 3, rng=0)).add(np.tanh) is model
    assert len(model) == 2
    assert len(nn.Sequential([nn.ReLU(), nn.Tanh()])) == 2
    with pytest.raises(TypeError, match=r"layer 2 is <class 'nn.layers.activations.ReLU'>. Write ReLU\(\)"):
        model.add(nn.ReLU)


def test_dense_finds_its_inputs():
    model = nn.Sequential(nn.Dense(5, "relu", input_shape=(4,)), nn.Dropout(0.1), nn.BatchNorm1d(5), nn.Dense(3))
    assert model[3].weight.shape == (3, 5)
    late = nn.Sequential(nn.Flatten(), nn.Dense(5), nn.Dense(2))
    assert list(late.parameters()) == []
    late.compile("sgd", "cross_entropy")
    late.fit(X.reshape(-1, 2, 2), LABELS % 2, verbose=0)
    assert late[1].weight.shape == (5, 4)
    assert late[2].weight.shape == (2, 5)
    with pytest.raises(ValueError, match=r"\(number of inputs,\); received \(1, 28, 28\)"):
        nn.Dense(3, input_shape=(1, 28, 28))
    with pytest.raises(ValueError, match=r"a function or one of 'elu'.*received 'rleu'"):
        nn.Dense(3, "rleu")


def test_dense_is_a_linear_layer_and_its_activation():
    dense = nn.Dense(3, nn.Tanh, input_shape=4, rng=0)
    assert np.array_equal(dense(X).value, np.tanh(F.linear(X, dense.weight, dense.bias)).value)
    assert repr(nn.Dense(2, "softmax", use_bias=False, name="end")) == "Dense(2, 'softmax', use_bias=False, name='end')"
    assert repr(nn.Dense(3, input_shape=4)) == "Dense(3, input_shape=(4,))"
    assert abs(dense.weight.value).max() <= np.sqrt(6 / 7)
    assert list(nn.Dense(2, input_shape=3).state_dict()) == ["weight", "bias"]
    assert copy.deepcopy(dense).weight is not dense.weight


def test_cross_entropy_by_name_takes_probabilities_or_logits():
    def dense(last: str | None) -> tuple[nn.Module, nn.Module]:
        return nn.Dense(6, "tanh", input_shape=4, rng=0), nn.Dense(3, last, rng=1)

    for name in ("sparse_categorical_crossentropy", "cross_entropy"):
        assert same(state(*dense("softmax"), loss=name), state(*dense(None), loss=nn.CrossEntropyLoss()))
        assert same(state(*dense(None), loss=name), state(*dense(None), loss=nn.CrossEntropyLoss()))
    linear = nn.Linear(4, 3, rng=0)
    assert same(
        state(copy.deepcopy(linear), nn.Softmax(), loss="cross_entropy"),
        state(copy.deepcopy(linear), loss="cross_entropy"),
    )


def test_a_softmax_before_a_loss_of_logits_is_warned_about():
    model = compiled(nn.Linear(4, 3, rng=0), nn.Softmax(), loss=nn.CrossEntropyLoss())
    with pytest.warns(UserWarning, match=r"comes out of softmax in the layer '1' \(Softmax\) of Sequential"):
        model.fit(X, LABELS, verbose=0)


def test_one_hot_labels():
    model = compiled(nn.Linear(4, 3, rng=0), nn.Softmax(), loss="categorical_crossentropy", metrics="accuracy")
    history = model.fit(X, np.eye(3)[LABELS], epochs=2, verbose=0, rng=0)
    other = compiled(nn.Linear(4, 3, rng=0), nn.Softmax(), loss="sparse_categorical_crossentropy", metrics="accuracy")
    assert history.columns == {
        name: pytest.approx(column) for name, column in other.fit(X, LABELS, epochs=2, verbose=0, rng=0).columns.items()
    }


def test_small_probabilities_are_not_lost():
    model = compiled(nn.Linear(1, 2, rng=0), nn.Softmax(), loss="cross_entropy", optimizer=nn.optim.SGD(lr=1e-9))
    model[0].weight.value = [[1000.0], [-1000.0]]
    history = model.fit([[1.0]], [1], verbose=0)
    assert history["loss"] == [pytest.approx(2000)]


@pytest.mark.parametrize("last", ["sigmoid", None])
@pytest.mark.parametrize("shape", [(-1,), (-1, 1)])
def test_binary_cross_entropy_by_name(last: str | None, shape: tuple[int, ...]):
    y = (X[:, 0] > 0).astype(int).reshape(shape)
    model = compiled(nn.Dense(1, last, input_shape=4, rng=0), loss="binary_crossentropy", metrics=["accuracy"])
    model.compile(nn.optim.Adam(lr=0.1), "binary_crossentropy", ["accuracy"])
    history = model.fit(X, y, epochs=20, verbose=0, rng=0, validation_split=0.25)
    assert history["accuracy"][-1] > 0.9
    assert history["validation_accuracy"][-1] > 0.9
    loss, accuracy = model.evaluate(X, y)
    p = model.predict(X).astype(float) if last else 1 / (1 + np.exp(-model.predict(X).astype(float)))
    t = y.reshape(-1, 1)
    assert loss == pytest.approx(-np.mean(t * np.log(p) + (1 - t) * np.log(1 - p)), rel=1e-4)
    assert accuracy == np.mean((p > 0.5) == t)


@pytest.mark.parametrize("name", ["mse", "mean_squared_error", "mae", "huber"])
def test_other_losses_by_name(name: str):
    model = compiled(nn.Linear(4, 1, rng=0), loss=name, optimizer=nn.optim.Adam(lr=0.1), metrics=["mae"])
    history = model.fit(X, X[:, 0] * 2 - 1, epochs=30, verbose=0, rng=0)
    assert history["loss"][-1] < 0.05 * history["loss"][0]
    assert model.evaluate(X, (X[:, 0] * 2 - 1)).mae == pytest.approx(
        np.mean(np.abs(model.predict(X)[:, 0] - (X[:, 0] * 2 - 1))), rel=1e-5
    )


def test_what_compile_cannot_use_is_an_error():
    model = nn.Sequential(nn.Linear(4, 3), nn.Softmax())
    for arguments, error, words in (
        (
            ("adam", "crossentropy"),
            ValueError,
            r"loss is a function of \(outputs, targets\), or one of .*received 'crossentropy'",
        ),
        (("adma", "mse"), ValueError, "optimizer is one of nn.optim's, or of .*'adam'.*received 'adma'"),
        (("adam",), TypeError, "compile takes a loss"),
        (("adam", "mse", ["acuracy"]), ValueError, "metrics has no 'acuracy'"),
    ):
        with pytest.raises(error, match=words):
            model.compile(*arguments)
    for call in (lambda: model.fit(X, LABELS), lambda: model.evaluate(X, LABELS)):
        with pytest.raises(RuntimeError, match="called before compile"):
            call()
    assert model.predict(X).shape == (120, 3)
    model.compile("adam", "cross_entropy")
    with pytest.raises(TypeError, match="received both"):
        model.fit(X, LABELS, validation_data=(X, LABELS), validation_split=0.1)


def test_fit_goes_on_with_the_same_optimizer():
    model = compiled(nn.Linear(4, 3, rng=0), loss="cross_entropy")
    optimizer = nn.optim.Adam(lr=0.01)
    model.compile(optimizer, "cross_entropy")
    model.fit(X, LABELS, verbose=0)
    model.fit(X, LABELS, verbose=0)
    assert optimizer.state_dict()["state"][0]["step"] == 8


def test_compiling_is_no_part_of_the_model():
    model = compiled(nn.Linear(4, 3, rng=0), loss="cross_entropy")
    before = repr(model), list(model.state_dict()), [name for name, _ in model.named_modules()]
    model.fit(X, LABELS, verbose=0)
    assert (repr(model), list(model.state_dict()), [name for name, _ in model.named_modules()]) == before


def test_residual_adds_its_input():
    block = nn.Residual(nn.Linear(4, 4, rng=0), nn.Tanh())
    assert np.allclose(block(X).value, X + np.tanh(block.layers[0](X)).value)
    assert list(block.state_dict()) == ["layers.0.weight", "layers.0.bias"]
    widening = nn.Residual(nn.Linear(4, 6, rng=0), shortcut=nn.Linear(4, 6, rng=1))
    assert widening(X).shape == (120, 6)
    with pytest.raises(ValueError, match=r"x of shape \(120, 4\) and a result of shape \(120, 6\).*nn.Linear\(4, 6\)"):
        nn.Residual(nn.Linear(4, 6))(X)


def test_a_deep_residual_network_keeps_its_slope():
    def slope(block: object) -> float:
        x = ad.Tensor(X)
        model = nn.Sequential(*(block(k) for k in range(40)))
        np.sum(model(x)).backward()
        return float(np.abs(x.grad).mean())

    def layers(k: int) -> tuple[nn.Module, nn.Module]:
        return nn.Linear(4, 4, rng=k, weight_init=nn.init.xavier_uniform), nn.Sigmoid()

    assert slope(lambda k: nn.Sequential(*layers(k))) < 1e-12
    assert slope(lambda k: nn.Residual(*layers(k))) > 1e-3


def test_a_sigmoid_is_found_behind_what_changes_shapes_only():
    y = (X[:, 0] > 0).astype(int)
    for ending in ((lambda z: z[:, 0],), (nn.Flatten(),), (nn.Identity(),)):
        model = compiled(nn.Linear(4, 1, rng=0), nn.Sigmoid(), *ending, loss="binary_crossentropy", metrics="accuracy")
        history = model.fit(X, y, epochs=2, verbose=0, rng=0, validation_data=(X, y))
        right = np.mean((model.predict(X).ravel() > 0.5) == y)
        assert history["validation_accuracy"][-1] == pytest.approx(right)
        p = model.predict(X).astype(float).ravel()
        assert history["validation_loss"][-1] == pytest.approx(-np.mean(np.log(np.where(y, p, 1 - p))), rel=1e-5)


def test_a_softmax_is_found_wherever_it_is():
    linear = nn.Linear(4, 3, rng=0)
    plain = state(copy.deepcopy(linear), loss="cross_entropy")
    for ending in ((nn.Softmax(), nn.Identity()), (ad.softmax,), (lambda z: ad.softmax(z, axis=1),)):
        assert same(state(copy.deepcopy(linear), *ending, loss="cross_entropy"), plain)
    late = compiled(copy.deepcopy(linear), loss="cross_entropy")
    late.add(nn.Softmax())
    late.fit(X, LABELS, epochs=2, verbose=0, rng=0)
    assert same(list(late.state_dict().values()), plain)


def test_layers_after_a_fit_are_compiled_again():
    model = compiled(nn.Linear(4, 3, rng=0), loss="cross_entropy", optimizer=nn.optim.Adam(lr=0.01))
    model.fit(X, LABELS, verbose=0)
    model.add(nn.Dense(3))
    with pytest.raises(RuntimeError, match="of layers that were added, or unfrozen"):
        model.fit(X, LABELS, verbose=0)


def test_a_compiled_model_can_be_copied():
    model = compiled(nn.Linear(4, 3, rng=0), loss="cross_entropy", optimizer=nn.optim.Adam(lr=0.01))
    model.fit(X, LABELS, verbose=0)
    other = copy.deepcopy(model)
    assert np.array_equal(other[0].weight.value, model[0].weight.value)
    other[0] = nn.Linear(4, 2, rng=0)
    assert model.predict(X).shape == (120, 3)
    assert other.predict(X).shape == (120, 2)


def test_validation_data_may_be_a_loader():
    model = compiled(nn.Linear(4, 3, rng=0), loss="cross_entropy")
    history = model.fit(X, LABELS, validation_data=nn.data.DataLoader(X, LABELS, batch_size=7), verbose=0)
    assert history.history["val_loss"] == [pytest.approx(model.evaluate(X, LABELS)[0])]


@pytest.mark.parametrize("last", ["softmax", "sigmoid"])
def test_the_ending_is_known_where_nothing_is_recorded(last: str):
    words, y = rng.integers(0, 10, (50, 2)), rng.integers(0, 2, 50)
    model = nn.Sequential(nn.Embedding(10, 3, rng=0), nn.Flatten(), nn.Dense(2 if last == "softmax" else 1, last))
    model.compile("adam", "cross_entropy" if last == "softmax" else "binary_crossentropy", ["accuracy"])
    model.fit(words, y, epochs=3, verbose=0, rng=0)
    found = model.evaluate(words, y)
    with ad.no_grad():
        assert model.evaluate(words, y) == found
    assert model.freeze().evaluate(words, y) == found


def test_bounds_around_a_sigmoid_leave_it_a_sigmoid():
    y = (X[:, 0] > 0).astype(int)
    for ending in (lambda z: np.clip(z, 1e-6, 1 - 1e-6), lambda z: z.astype(np.float64)):
        model = compiled(nn.Linear(4, 1, rng=0), nn.Sigmoid(), ending, loss="binary_crossentropy", metrics="accuracy")
        model.fit(X, y, epochs=3, verbose=0, rng=0)
        assert model.evaluate(X, y).accuracy == np.mean((model.predict(X).ravel() > 0.5) == y)


def test_layers_know_nothing_of_trainings():
    for path in Path(nn.layers.__file__).parent.glob("*.py"):
        imports = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ImportFrom)]
        assert not [node.module for node in imports if (node.module or "").startswith("nn.training")], path
