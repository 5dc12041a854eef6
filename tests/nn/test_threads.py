"""`nn.fit(threads=...)`, and trainings in several threads at once."""

from __future__ import annotations

import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

import autodiff as ad
import nn

threadpoolctl = pytest.importorskip("threadpoolctl", reason="nn.fit(threads=) takes threadpoolctl")

X = np.random.default_rng(0).standard_normal((40, 6)).astype(np.float32)
Y = (X @ np.arange(18).reshape(6, 3)).argmax(axis=1)


def trained(seed: int = 0, **given: Any) -> dict[str, Any]:
    model = nn.Sequential(nn.Linear(6, 8, rng=seed), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 3, rng=seed + 1))
    nn.fit(model, (X, Y), "cross_entropy", "adam", epochs=2, rng=seed, verbose=False, **given)
    return model.state_dict()


def blas() -> list[int]:
    return [library["num_threads"] for library in threadpoolctl.threadpool_info() if library["user_api"] == "blas"]


@pytest.mark.parametrize("threads", [1, 2])
def test_blas_takes_so_many_threads_meanwhile(threads: int) -> None:
    before, seen = blas(), []
    trained(threads=threads, callbacks=lambda training: seen.append(blas()))
    assert seen == [[threads] * len(before)] * 2
    assert blas() == before
    with pytest.raises(RuntimeError, match="stop"):
        trained(threads=threads, callbacks=lambda training: (_ for _ in ()).throw(RuntimeError("stop")))
    assert blas() == before


def test_a_missing_threadpoolctl_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "threadpoolctl", None)
    with pytest.raises(ModuleNotFoundError, match="Write pip install threadpoolctl, or leave threads"):
        trained(threads=1)
    trained()


def test_a_blas_that_cannot_be_set_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threadpoolctl, "threadpool_info", list)
    with pytest.raises(RuntimeError, match="finds no BLAS whose threads it can set"):
        trained(threads=1)


def test_numbers_of_threads_that_are_none_are_refused() -> None:
    with pytest.raises(ValueError, match="threads, of BLAS, is an int from 1; received 0"):
        trained(threads=0)


def test_trainings_in_threads_come_to_what_they_come_to_alone() -> None:
    alone = [trained(seed) for seed in range(4)]
    with ThreadPoolExecutor(4) as executor:
        together = list(executor.map(trained, range(4)))
    for one, other in zip(alone, together, strict=True):
        for name, array in one.items():
            np.testing.assert_array_equal(other[name], array)


def test_compiled_functions_and_no_grad_keep_to_their_thread() -> None:
    """Threads call one compiled function, and one of them records nothing meanwhile."""
    step = ad.compile(ad.value_and_grad(lambda w, x: np.sum(np.tanh(x @ w) ** 2)))
    w = [np.full((6, 3), 0.1 * k) for k in range(4)]
    expected = [ad.value_and_grad(lambda w, x: np.sum(np.tanh(x @ w) ** 2))(one, X) for one in w]
    barrier = threading.Barrier(4)

    def call(k: int) -> Any:
        barrier.wait()
        if k == 0:
            with ad.no_grad():
                assert not isinstance(np.sin(ad.Tensor(1.0)), ad.Tensor)
                return [step(w[k], X) for _ in range(50)]
        assert isinstance(np.sin(ad.Tensor(1.0)), ad.Tensor)
        return [step(w[k], X) for _ in range(50)]

    with ThreadPoolExecutor(4) as executor:
        for found, (value, grad) in zip(executor.map(call, range(4)), expected, strict=True):
            for got, slope in found:
                assert got == pytest.approx(float(value), rel=1e-6)
                np.testing.assert_allclose(slope, grad, rtol=1e-5, atol=1e-6)
