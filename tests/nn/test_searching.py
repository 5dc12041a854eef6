from __future__ import annotations

import math
import signal

import numpy as np
import pytest

import nn

rng = np.random.default_rng(0)
X = rng.standard_normal((60, 6)).astype(np.float32)
Y = (X @ rng.standard_normal((6, 3))).argmax(axis=1)


def model() -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(6, 16, rng=0), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.2, rng=5), nn.Linear(16, 3, rng=1)
    )


def everything(net: nn.Module, optimizer: nn.optim.Optimizer) -> list[object]:
    """All that a training may change, in a form that can be compared."""
    state = optimizer.state_dict()
    return [
        {name: array.tobytes() for name, array in net.state_dict().items()},
        [None if t.grad is None else t.grad.tobytes() for t in net.parameters()],
        {name: g.bit_generator.state for name, g in net.named_generators()},
        {
            k: {n: v.tobytes() if isinstance(v, np.ndarray) else v for n, v in e.items()}
            for k, e in state["state"].items()
        },
        state["param_groups"],
        dict(optimizer.defaults),
        [module.training for module in net.modules()],
    ]


def begun() -> tuple[nn.Module, nn.optim.Optimizer]:
    """A model and its optimizer in the middle of a training."""
    net = model()
    optimizer = nn.optim.Adam(net.parameters(), lr=0.003, amsgrad=True)
    for k in range(3):
        loss = nn.CrossEntropyLoss()(net(X[10 * k : 10 * k + 10]), Y[10 * k : 10 * k + 10])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    net[3].eval()
    return net, optimizer


def test_the_rates_rise_by_a_factor_and_the_losses_are_those_after_their_steps():
    weights = []
    net = nn.Linear(6, 1, bias=False, rng=0)
    targets = X[:, :1]

    def loss(outputs, y):
        weights.append(net.weight.value.copy())
        return nn.MSELoss()(outputs, y)

    optimizer = nn.optim.SGD(net.parameters(), lr=123.0)
    found = nn.find_lr(net, (X, targets), loss, optimizer, low=1e-4, high=1e-2, steps=5, batch_size=60, rng=0)
    np.testing.assert_allclose(found.rates, [1e-4, 10**-3.5, 1e-3, 10**-2.5, 1e-2])
    weights = weights[-6:]  # after those of the rehearsal
    for k in range(5):
        slope = 2 * ((X @ weights[k].T - targets).T @ X) / 60
        np.testing.assert_allclose(weights[k + 1], weights[k] - found.rates[k] * slope, rtol=1e-3, atol=1e-7)
        assert found.losses[k] == pytest.approx(np.mean((X @ weights[k + 1].T - targets) ** 2), rel=1e-5)


def test_the_suggestion_is_where_the_loss_falls_most_steeply():
    rates = np.geomspace(1e-5, 1.0, 101)
    losses = 2.0 - 1.5 / (1 + np.exp(-4 * (np.log10(rates) + 2))) + np.where(rates > 0.1, rates * 40, 0)
    found = nn.training.searching.LearningRates(rates, losses + 0.01 * np.cos(np.arange(101) * 3))
    assert 0.007 < found.suggestion < 0.015
    assert len(found.smoothed) == 101
    assert found.smoothed[:30].std() < found.losses[:30].std() / 2
    assert repr(found).startswith("LearningRates: 101 steps with learning rates from 1e-05 to 1; suggestion 0.0")


def test_without_a_fall_there_is_no_suggestion():
    found = nn.training.searching.LearningRates([0.1, 1.0, 10.0], [1.0, 2.0, 3.0])
    assert math.isnan(found.suggestion)
    assert "no further than by chance" in repr(found)
    rates, random = np.geomspace(1e-5, 1, 100), np.random.default_rng(0)
    for _ in range(20):
        noise = random.standard_normal(100)
        assert math.isnan(nn.training.searching.LearningRates(rates, 2 + noise).suggestion)
        assert not math.isnan(
            nn.training.searching.LearningRates(rates, 2 + 0.1 * noise - np.linspace(0, 1, 100)).suggestion
        )
    assert repr(nn.training.searching.LearningRates([], [])) == "LearningRates: no step was made"


def test_a_suggested_rate_trains_well():
    net = model()
    found = nn.find_lr(net, (X, Y), nn.CrossEntropyLoss(), lambda p: nn.optim.Adam(p), rng=0)
    assert 1e-3 < found.suggestion < 0.3
    optimizer = nn.optim.Adam(net.parameters(), lr=found.suggestion)
    history = nn.fit(net, (X, Y), nn.CrossEntropyLoss(), optimizer, epochs=10, metrics="accuracy", rng=0, verbose=False)
    assert history["accuracy"][-1] > 0.8


def test_everything_is_put_back_to_the_bit():
    net, optimizer = begun()
    order = np.random.default_rng(3)
    loader = nn.data.DataLoader(X, Y, batch_size=7, shuffle=True, rng=np.random.default_rng(4))
    before = everything(net, optimizer)
    states = order.bit_generator.state, loader.rng.bit_generator.state
    first = nn.find_lr(net, (X, Y), nn.CrossEntropyLoss(), optimizer, rng=order)
    second = nn.find_lr(net, loader, nn.CrossEntropyLoss(), optimizer)
    assert len(first.losses) > 30
    assert len(second.losses) > 30
    assert everything(net, optimizer) == before
    assert (order.bit_generator.state, loader.rng.bit_generator.state) == states
    again = nn.find_lr(net, (X, Y), nn.CrossEntropyLoss(), optimizer, rng=order)
    np.testing.assert_array_equal(again.losses, first.losses)


def test_it_ends_where_the_loss_has_grown_or_is_not_finite():
    net = nn.Linear(6, 1, rng=0)
    optimizer = nn.optim.SGD(net.parameters(), lr=0.1)
    found = nn.find_lr(net, (X, X[:, :1]), nn.MSELoss(), optimizer, high=1e3, rng=0)
    assert len(found.rates) == len(found.losses) < 100
    assert np.isfinite(found.losses).all()
    assert 4 < found.losses[-1] / found.losses.min() < 1e6
    found = nn.find_lr(net, (X, X[:, :1]), nn.MSELoss(), optimizer, low=1e20, high=1e30, rng=0)
    assert len(found.losses) < 5
    assert np.isfinite(net.weight.value).all()


class BrokenError(Exception):
    pass


@pytest.mark.parametrize("interrupted", [False, True])
def test_everything_is_put_back_after_an_error_or_ctrl_c(interrupted: bool):
    net, optimizer = begun()
    before = everything(net, optimizer)
    calls = []

    def loss(outputs, y):
        calls.append(1)
        if len(calls) == 20:
            if not interrupted:
                raise BrokenError
            signal.raise_signal(signal.SIGINT)
        return nn.CrossEntropyLoss()(outputs, y)

    with pytest.raises(KeyboardInterrupt if interrupted else BrokenError):
        nn.find_lr(net, (X, Y), loss, optimizer, rng=0)
    assert everything(net, optimizer) == before


def test_the_losses_as_a_picture():
    pytest.importorskip("matplotlib").use("Agg")
    import matplotlib.pyplot as plt

    rates = np.geomspace(1e-5, 1.0, 50)
    found = nn.training.searching.LearningRates(rates, np.append(np.linspace(2, 1, 45), [1, 5, 50, 500, 5000.0]))
    (axis,) = found.plot()
    assert axis.get_xscale() == "log"
    np.testing.assert_array_equal(axis.lines[0].get_ydata(), found.losses)
    assert axis.get_ylim()[1] < 5
    assert axis.texts[0].get_text().strip() == f"{found.suggestion:.2g}"
    nn.training.searching.LearningRates([], []).plot(axis)
    plt.close("all")


def test_what_cannot_be_searched_is_an_error():
    net = model()
    optimizer = nn.optim.SGD(net.parameters(), lr=0.1)
    for changed, error, words in (
        ({"low": 1.0, "high": 0.1}, ValueError, r"from low up to high; received low=1\.0 and high=0\.1"),
        ({"low": 0.0}, ValueError, "find_lr: low is a number above 0"),
        ({"steps": 1}, ValueError, "find_lr: steps is an int from 2"),
        ({"batch_size": 0}, ValueError, r"batch_size .*is an int from 1; received 0"),
    ):
        with pytest.raises(error, match=words):
            nn.find_lr(net, (X, Y), nn.CrossEntropyLoss(), optimizer, **changed)
    with pytest.raises(ValueError, match="has no parameters to train"):
        nn.find_lr(nn.ReLU(), (X, Y), nn.CrossEntropyLoss(), optimizer)
