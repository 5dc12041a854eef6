"""Copies and pickles of models: all that they compute, tied parameters tied, and nothing runs but what makes them."""

from __future__ import annotations

import copy
import io
import multiprocessing
import pickle
import pickletools
from collections.abc import Callable
from typing import Any

import joblib
import numpy as np
import pytest

import autodiff as ad
import nn

X = np.random.default_rng(0).standard_normal((6, 4)).astype(np.float32)
y = np.arange(6) % 3


class Tied(nn.Module):
    __slots__ = ("inside",)

    def __init__(self) -> None:
        self.first, self.last = (nn.Linear(4, 4, rng=k, dtype=np.float64) for k in range(2))
        self.last.weight = self.first.weight
        self.more = [ad.Tensor([1.0, 2.0]), {"x": ad.Tensor([3.0], name="x")}, (ad.Tensor(4.0),)]
        self.again = self.more
        self.inside = ad.Tensor([5.0])

    def forward(self, x: Any) -> Any:
        return self.last(self.first(x)) * self.more[1]["x"] * self.inside * self.more[2][0] + np.sum(self.more[0])


def model() -> nn.Sequential:
    parts = nn.Dense(8, "swish", input_shape=4, rng=0), nn.BatchNorm1d(8), nn.Dropout(0.2, rng=0), nn.MLP(8, 3, rng=0)
    return nn.Sequential(*parts)


def pickled(value: Any) -> Any:
    return pickle.loads(pickle.dumps(value))  # noqa: S301  # of our own making


copies = pytest.mark.parametrize("copied", [pickled, copy.deepcopy])


@copies
@pytest.mark.parametrize("make", [model, Tied, lambda: nn.weight_norm(nn.Linear(4, 3, rng=0))])
def test_a_copy_computes_and_learns_the_same(make: Callable[[], nn.Module], copied: Callable[[Any], Any]):
    one = make()
    other = copied(one)
    assert repr(other) == repr(one)
    assert list(other.state_dict()) == list(one.state_dict())
    assert np.array_equal(other(X).value, one(X).value)  # the generators are as they were, too
    assert all(a is not b for a, b in zip(one.parameters(), other.parameters(), strict=True))
    for network in (one, other):
        nn.fit(network, X, y, "cross_entropy", "sgd", epochs=3, rng=0, verbose=False)
    assert all(
        np.array_equal(a, b) for a, b in zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    )


@copies
def test_what_is_tied_stays_tied(copied: Callable[[Any], Any]):
    other = copied(Tied())
    assert other.first.weight is other.last.weight
    assert other.again is other.more
    assert other.more[1]["x"].name == "x"
    assert [type(t) for t in (other.more[2][0], other.inside)] == [ad.Tensor, ad.Tensor]
    both = copied([other, other.first])
    assert both[0].first is both[1]


@copies
def test_frozen_models(copied: Callable[[Any], Any]):
    one = Tied()
    one.more.pop()  # a tuple cannot be frozen
    other = copied(one.freeze())
    assert list(other.parameters()) == []
    assert not any(b.flags.writeable for b in other.buffers()) or copied is copy.deepcopy
    other.unfreeze().first.weight.value = np.zeros((4, 4))
    assert np.array_equal(other.last.weight.value, np.zeros((4, 4)))
    assert one.unfreeze().first.weight.value.any()


def test_a_shallow_copy_shares_its_parts():
    one = Tied()
    other = copy.copy(one)
    assert other.first is one.first
    assert other.inside is one.inside
    other.first = None
    assert one.first is not None


def test_a_copy_is_not_compiled():
    one = model()
    one.compile("adam", "cross_entropy")
    with pytest.raises(RuntimeError, match="called before compile"):
        pickled(one).fit(X, y)
    one.fit(X, y, verbose=0)


def test_losses_and_histories_are_pickled():
    loss = pickled(nn.CrossEntropyLoss(weight=[1.0, 2.0, 3.0]))
    assert loss(X[:, :3], y) == nn.CrossEntropyLoss(weight=[1.0, 2.0, 3.0])(X[:, :3], y)
    history = nn.fit(nn.Linear(4, 3, rng=0), X, y, "cross_entropy", "sgd", epochs=2, verbose=False)
    assert pickled(history).columns == history.columns


def test_a_pickle_calls_nothing_but_what_makes_the_model():
    text = io.StringIO()
    pickletools.dis(pickle.dumps(nn.MLP(4, 3, rng=0), protocol=2), text)
    named = {line.split("'")[1] for line in text.getvalue().splitlines() if "GLOBAL" in line}
    assert named <= {
        "copy_reg _reconstructor", "copyreg __newobj__", "nn.layers.containers MLP", "nn.layers.dense Linear",
        "nn.layers.activations ReLU", "nn.model.copying _tensor", "numpy._core.multiarray _reconstruct",
        "numpy ndarray", "numpy dtype", "_codecs encode", "__builtin__ bytes",
    }  # fmt: skip


def test_a_result_among_the_attributes_is_refused():
    one = nn.Linear(4, 3)
    one.result = one.weight * 2
    with pytest.raises(TypeError, match="pickling was asked of Tensor of shape"):
        pickle.dumps(one)


def test_joblib():
    file = io.BytesIO()
    joblib.dump(model(), file)
    file.seek(0)
    assert np.array_equal(joblib.load(file).eval()(X).value, model().eval()(X).value)


def test_another_process_gets_a_model_and_gives_it_back():
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        other = pool.apply(copy.deepcopy, (model(),))
    assert np.array_equal(other.eval()(X).value, model().eval()(X).value)
