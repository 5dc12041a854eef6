from __future__ import annotations

import base64
import gc
import math
import sys
from typing import Any

import numpy as np
import pytest

import autodiff as ad
import nn
import nn.functional as F
from nn.report import panels, watching

rng = np.random.default_rng(0)
X = rng.standard_normal((24, 4)).astype(np.float32)
Y = rng.integers(0, 3, 24)
LR = 0.1


def model() -> nn.Sequential:
    return nn.MLP(4, 6, 5, 3, rng=0)


def stepped(net: nn.Module, optimizer: nn.optim.Optimizer, x: Any = X, y: Any = Y) -> ad.Tensor:
    loss = F.cross_entropy(net(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss


def fitted(net: nn.Module, epochs: int = 2, **arguments: Any) -> nn.History:
    optimizer = nn.optim.SGD(net.parameters(), lr=LR)
    return nn.fit(net, (X, Y), F.cross_entropy, optimizer, epochs=epochs, batch_size=8, rng=0, **arguments)


def numbers(watch: nn.watch) -> dict[tuple[str, str], list[float]]:
    """All that was recorded, by quantity and layer."""
    quantities = ("gradient_norms", "update_ratios", "activation_means", "activation_stds", "dead")
    return {(q, name): series for q in quantities for name, series in getattr(watch, q).items()}


def test_the_numbers_are_what_they_are_called():
    net = model()
    watch = nn.watch(net, every=1)
    optimizer = nn.optim.SGD(net.parameters(), lr=LR)
    for k in range(3):
        before = [t.value.copy() for t in net.parameters()]
        hidden = np.maximum(X @ before[0].T + before[1], 0)
        watch.record(stepped(net, optimizer))
        gradients = [t.grad for t in net.parameters()]
        for j, name in enumerate("024"):
            g = math.hypot(*(np.linalg.norm(a) for a in gradients[2 * j : 2 * j + 2]))
            w = math.hypot(*(np.linalg.norm(a) for a in before[2 * j : 2 * j + 2]))
            assert watch.gradient_norms[name][k] == pytest.approx(g, rel=1e-5)
            assert watch.update_ratios[name][k] == pytest.approx(LR * g / w, rel=1e-4)
        assert watch.activation_means["0"][k] == pytest.approx(hidden.mean(), rel=1e-5)
        assert watch.activation_stds["0"][k] == pytest.approx(hidden.std(), rel=1e-5)
        assert watch.dead["0"][k] == (hidden == 0).all(axis=0).mean()
        assert math.isnan(watch.dead["4"][k])  # the output has no activation
    assert watch.steps == [1, 2, 3]


def test_in_fit_and_in_a_loop_are_the_same():
    net = model()
    watched = nn.watch(net, every=2)
    fitted(net, callbacks=watched)
    assert watched.steps == [1, 3, 5]
    own = model()
    optimizer = nn.optim.SGD(own.parameters(), lr=LR)
    order = np.random.default_rng(0)
    loader = nn.data.DataLoader(X, Y, batch_size=8, shuffle=True, rng=order)
    with nn.watch(own, every=2) as other:
        for _ in range(2):
            for x, y in loader:
                other.record(stepped(own, optimizer, x, y))
    assert numbers(other).keys() == numbers(watched).keys()
    np.testing.assert_array_equal(list(numbers(other).values()), list(numbers(watched).values()))


def test_watching_changes_no_bit():
    plain, watched = model(), model()
    fitted(plain)
    fitted(watched, callbacks=nn.watch(watched, every=1))
    assert all(np.array_equal(a.value, b.value) for a, b in zip(plain.parameters(), watched.parameters(), strict=True))


class Convolutional(nn.Module):
    """Functions between the layers, as people write it."""

    def __init__(self) -> None:
        self.conv = nn.Conv2d(1, 4, 3, rng=0)
        self.inner = nn.Linear(16, 5, rng=1)
        self.gate = nn.Linear(5, 5, rng=2)
        self.out = nn.Linear(5, 1, rng=3)
        self.scale = ad.Tensor(1.0, dtype=np.float32)
        self.unused = [ad.Tensor(np.ones(2, np.float32))]

    def forward(self, x: Any) -> Any:
        x = F.max_pool2d(self.conv(x), 2)  # the pool before the relu
        x = F.relu(x).reshape(len(x), -1)
        x = F.tanh(self.inner(x))
        gate = self.gate(x)
        x = gate * F.sigmoid(gate)
        return F.sigmoid(self.out(x)) * self.scale


def test_activations_are_found_through_functions():
    net = Convolutional()
    net.conv.bias.value = np.array([-100.0, 100.0, -100.0, 100.0])
    net.inner.bias.value = np.array([9.0, 9.0, 9.0, 0.0, 0.0])
    net.inner.weight.value = np.zeros((5, 16))
    watch = nn.watch(net, every=1)
    x = rng.standard_normal((3, 1, 6, 6)).astype(np.float32)
    loss = F.relu(net(x) - 100.0).sum()  # a relu in the loss is none of the model's
    loss.backward()
    watch.record(loss)
    assert list(watch.layers) == ["conv", "inner", "gate", "out", "Convolutional"]
    assert watch.dead["conv"] == [0.5]  # of four channels
    assert watch.dead["inner"] == [pytest.approx(0.6)]  # saturated
    assert math.isnan(watch.dead["gate"][0])  # used twice: there is no one function of it
    assert watch.dead["out"] == [0.0]
    assert 0 < watch.activation_means["out"][0] < 1
    assert watch.update_ratios["conv"] == [0.0]
    assert watch.gradient_norms["Convolutional"] == [0.0]


def test_the_next_layer_and_the_loss_are_not_a_layers_activation():
    net = nn.Sequential(nn.Linear(4, 3, rng=0), nn.Linear(3, 3, rng=1), nn.ReLU(), nn.Linear(3, 1, rng=2))
    watch = nn.watch(net, every=1)
    loss = F.relu(1.0 - net(X)).sum()
    loss.backward()
    watch.record(loss)
    assert [math.isnan(watch.dead[name][0]) for name in "013"] == [True, False, True]


def test_what_is_saturated_has_a_slope_below_a_twentieth():
    for function, edge in ((nn.Tanh(), math.atanh(math.sqrt(0.95))), (nn.Sigmoid(), 2 * math.atanh(math.sqrt(0.95)))):
        layer = nn.Linear(1, 1, bias=False, weight_init=nn.init.ones)
        net = nn.Sequential(layer, function)
        watch = nn.watch(net, every=1)
        loss = net(np.array([[-edge - 0.01], [-edge + 0.01], [edge - 0.01], [edge + 0.01], [-edge - 5]])).sum()
        loss.backward()
        watch.record(loss)
        assert watch.dead["0"] == [0.6]


def test_a_frozen_layer_has_no_gradient_and_comes_back():
    net = model()
    net[0].freeze()
    watch = nn.watch(net, every=1)
    fitted(net, 1, callbacks=watch)
    assert list(watch.layers) == ["2", "4"]
    net.unfreeze()
    fitted(net, 1, callbacks=watch)
    assert list(watch.layers) == ["0", "2", "4"]
    assert watch.steps == [1, 2, 3, 4, 5, 6]
    assert np.isnan(watch.gradient_norms["0"][:3]).all()
    assert np.isfinite(watch.gradient_norms["0"][3:]).all()


def test_layers_that_wait_for_their_first_input():
    for every in (1, 2):
        net = nn.Sequential(nn.Dense(5, "tanh", rng=0), nn.Dense(3, rng=0))
        watch = nn.watch(net, every=every)
        net(X)
        optimizer = nn.optim.SGD(net.parameters(), lr=LR)
        for _ in range(2 * every):
            watch.record(stepped(net, optimizer))
        assert len(watch.layers) == 2
        assert all(np.isfinite(norms).all() and len(norms) == 2 for norms in watch.gradient_norms.values())
        assert np.isfinite(watch.dead["0"]).all()
        for ratios in watch.update_ratios.values():
            assert math.isnan(ratios[0])  # what they held before the first step is not known
            assert 0 < ratios[1] < 1


def test_by_default_it_looks_as_seldom_as_it_must(monkeypatch: pytest.MonkeyPatch):
    clock = {"now": 0.0}
    monkeypatch.setattr(watching.time, "perf_counter", lambda: clock["now"])
    net = model()
    optimizer = nn.optim.SGD(net.parameters(), lr=LR)
    watch = nn.watch(net)
    read = watch._read

    def slow(*arguments: Any) -> None:
        read(*arguments)
        clock["now"] += 1.0

    watch._read = slow
    for _ in range(101):
        clock["now"] += 1.0
        watch.record(stepped(net, optimizer))
    assert watch.steps == [1, 42, 83]


def test_a_checkpoint_holds_what_was_recorded(tmp_path):
    whole, net, again = model(), model(), model()
    watched = nn.watch(whole, every=1)
    fitted(whole, 4, callbacks=watched)
    fitted(net, 2, callbacks=nn.watch(net, every=1), checkpoint=tmp_path / "run.safetensors")
    resumed = nn.watch(again, every=1)
    fitted(again, 4, callbacks=resumed, resume=tmp_path / "run.safetensors")
    assert resumed.steps == watched.steps == list(range(1, 13))
    assert numbers(resumed).keys() == numbers(watched).keys()
    np.testing.assert_array_equal(list(numbers(resumed).values()), list(numbers(watched).values()))


def test_the_last_state_as_a_table():
    net = nn.Sequential(nn.Linear(4, 3, rng=0), nn.ReLU())
    watch = nn.watch(net, every=1)
    assert repr(watch) == "watch of 1 layers; no step was recorded yet"
    watch.record(stepped(net, nn.optim.SGD(net.parameters(), lr=LR)))
    step, head, row = str(watch).splitlines()
    assert step == "step 1"
    assert head.split() == ["layer", "gradient", "norm", "update", "/", "weight", "activation", "mean", "std", "dead"]
    assert row.split()[:3] == ["0", "Linear", f"{watch.gradient_norms['0'][0]:.3g}"]
    assert row.endswith(f"{watch.dead['0'][0]:.0%}")


def test_in_a_terminal_nothing_is_shown(capsys: pytest.CaptureFixture[str]):
    net = model()
    watch = nn.watch(net)
    fitted(net, callbacks=watch, verbose=False)
    assert watch._output is None
    assert capsys.readouterr() == ("", "")


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What a notebook is told: None for a new output, then its states."""
    display = pytest.importorskip("IPython.display")
    pytest.importorskip("matplotlib")
    told: list[Any] = []

    class Handle:
        def update(self, data: Any, raw: bool, metadata: Any = None) -> None:
            told.append((data, metadata))

    def new(*arguments: Any, **options: Any) -> Handle:
        told.append(None)
        return Handle()

    monkeypatch.setattr(display, "display", new)
    monkeypatch.setattr(watching, "in_notebook", lambda: True)
    return told


def test_a_notebook_has_one_output_that_ends_with_the_last_state(shown: list[Any], monkeypatch: pytest.MonkeyPatch):
    net = model()
    watch = nn.watch(net, every=1)
    fitted(net, 5, callbacks=watch, verbose=False)
    new, first, last = shown  # within a second there is nothing in between
    assert new is None
    assert first[0]["text/plain"].startswith("step 1\n")
    data, metadata = last
    assert data["text/plain"] == repr(watch)
    assert base64.b64decode(data["image/png"])[:4] == b"\x89PNG"
    assert metadata["image/png"]["width"] < 1000
    monkeypatch.setattr(watching, "REFRESH", 0.0)
    monkeypatch.setattr(watching, "DRAWN", 0.0)
    shown.clear()
    fitted(net, 2, callbacks=watch, verbose=False)
    assert [told is None for told in shown] == [True] + [False] * 7  # six steps and the end, in an output of its own
    shown.clear()
    fitted(net, 1, callbacks=nn.watch(net, live=False), verbose=False)
    assert shown == []


def test_drawing_leaves_nothing_behind(shown: list[Any]):
    import matplotlib as mpl
    from matplotlib import _pylab_helpers

    def figures() -> int:
        gc.collect()
        return sum(type(found).__name__ == "Figure" for found in gc.get_objects())

    before = dict(mpl.rcParams), dict(_pylab_helpers.Gcf.figs), figures()
    net = model()
    fitted(net, callbacks=nn.watch(net), verbose=False)
    assert (dict(mpl.rcParams), dict(_pylab_helpers.Gcf.figs), figures()) == before


def test_without_matplotlib_it_records_all_the_same(shown: list[Any], monkeypatch: pytest.MonkeyPatch):
    for name in ("matplotlib", "matplotlib.figure", "matplotlib.backends.backend_agg"):
        monkeypatch.setitem(sys.modules, name, None)
    net = model()
    watch = nn.watch(net, every=1)
    fitted(net, callbacks=watch, verbose=False)
    assert len(watch.steps) == 6
    assert shown[-1] == ({"text/plain": repr(watch)}, None)
    monkeypatch.setitem(sys.modules, "IPython.display", None)
    fitted(net, callbacks=watch, verbose=False)
    assert len(watch.steps) == 12


def test_the_picture_has_a_panel_per_quantity_and_a_curve_per_layer():
    pytest.importorskip("matplotlib").use("Agg")
    import matplotlib.pyplot as plt

    net = model()
    watch = nn.watch(net, every=1)
    assert len(watch.plot()) == 3  # before the first step, too
    fitted(net, callbacks=watch)
    axes = watch.plot()
    assert len(axes) == 4
    for panel, axis in zip(panels.PANELS, axes, strict=True):
        for line, name in zip(axis.lines, watch.layers, strict=False):
            np.testing.assert_array_equal(line.get_xdata(), watch.steps)
            np.testing.assert_array_equal(line.get_ydata(), getattr(watch, panel.quantity)[name])
    assert [text.get_text() for text in axes[-1].get_legend().texts] == ["0 Linear", "2 Linear", "4 Linear"]
    linear = nn.Linear(4, 3, rng=0)
    watch = nn.watch(linear, every=1)
    fitted(linear, callbacks=watch)
    assert len(watch.plot()) == 3  # nothing can be dead
    with pytest.raises(ValueError, match=r"plot draws 3 pictures, gradient norm, .*; received 1 axes"):
        watch.plot(plt.subplots()[1])
    deep = nn.MLP(*[4] * 30, rng=0)
    watch = nn.watch(deep, every=1)
    with pytest.warns(UserWarning, match="was zero in every batch"):  # so deep, its last layers are dead
        fitted(deep, callbacks=watch)
    assert len(watch.plot()[-1].get_legend().texts) == panels.NAMED
    plt.close("all")


def test_a_long_curve_is_drawn_by_its_means():
    steps = list(range(1, 1001))
    x, y = panels.thinned(steps, [float(step % 2) for step in steps[:-1]] + [math.nan])
    assert len(x) == len(y) <= panels.POINTS
    np.testing.assert_allclose(y[:-1], 0.5, atol=0.05)
    assert 1 < x[0] < x[-1] < 1000
    x, y = panels.thinned([1, 2], [math.nan, 3.0])
    np.testing.assert_array_equal((x, y), [[1, 2], [math.nan, 3]])


def test_a_model_without_parameters_has_no_layers():
    watch = nn.watch(nn.ReLU(), every=1)
    watch.record(watch.model(ad.Tensor([1.0])).sum())
    assert watch.steps == [1]
    assert str(watch).splitlines()[0] == "step 1"
    assert list(watch._repr_mimebundle_()[0]) == ["text/plain"]


def test_what_cannot_be_watched_is_an_error():
    with pytest.raises(TypeError, match=r"a model is an nn\.Module"):
        nn.watch(np.tanh)
    with pytest.raises(ValueError, match="watch: every, in steps, is an int from 1; received 0"):
        nn.watch(model(), every=0)
    with pytest.raises(TypeError, match="reads the graph of the loss, a Tensor; received a float"):
        nn.watch(model()).record(0.5)
    with pytest.raises(ValueError, match="made for a MLP that is not the model that is trained"):
        fitted(model(), callbacks=nn.watch(model()))
    net = nn.Sequential(model())
    fitted(net, callbacks=nn.watch(net[0]))  # a part of it
