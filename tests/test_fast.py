"""Kernels that Numba compiles: the same numbers as NumPy's, and a cache on disk that nothing can break."""

from __future__ import annotations

import builtins
import os
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autodiff as ad
import nn
from autodiff.program import fast
from autodiff.program.graph import Kernel, Kind, Loop, Ref, Step, every
from autodiff.program.kernels import _TEXTS, form

pytest.importorskip("numba", reason='kernels need Numba: pip install "autodiff-nn[fast]"')

SPECIAL = [0.0, -0.0, 1.0, -1.0, 0.5, -2.5, 3.0, np.inf, -np.inf, np.nan, 1e30, -1e-30, 1e-45]
DTYPES = [np.dtype(c) for c in "?ilfd"]
UFUNCS = sorted({f for texts in _TEXTS.values() for f in texts} | {np.power}, key=lambda f: f.__name__)


@pytest.fixture(autouse=True, scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A directory of the tests' own for what is compiled."""
    directory = tmp_path_factory.mktemp("kernels")
    directory.chmod(0o700)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(fast.VARIABLE, str(directory))
        yield directory


def kernels(f: Any) -> list[Kernel]:
    return [*every(f.program, Kernel)]


def samples(dtype: np.dtype[Any]) -> list[Any]:
    """Two arrays with every pair of some elements."""
    elements = SPECIAL if dtype.kind == "f" else [0, 1] if dtype.kind == "b" else [0, 1, -1, 7, np.iinfo(dtype).max]
    values = np.array(elements, float if dtype.kind == "f" else object).astype(dtype)
    return [array.ravel().copy() for array in np.meshgrid(values, values)]


def same(found: Any, expected: Any) -> None:
    assert found.dtype == expected.dtype
    assert found.shape == expected.shape
    np.testing.assert_array_equal(found, expected)


def everything(dtype: np.dtype[Any]) -> tuple[list[Any], Callable[..., Any]]:
    """All elementwise functions that kernels know for a dtype, in one function."""
    known = Kind((3,), dtype, True, (), 0)
    usable = []
    for ufunc in UFUNCS:
        args: tuple[Any, ...] = (Ref(0), Ref(0))[: ufunc.nin]
        if ufunc is np.power:
            continue
        try:
            out = ufunc.resolve_dtypes((*[dtype] * ufunc.nin, None))[-1]
        except TypeError:
            continue
        if form(Step(ufunc, args, {}, 1), {0: known, 1: known._replace(dtype=out)}):
            usable.append(ufunc)
    return usable, lambda x, y: [f(x, y) if f.nin == 2 else f(x) for f in usable]


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_every_elementwise_function_of_a_kernel_gives_numpys_elements(dtype: np.dtype[Any]) -> None:
    usable, function = everything(dtype)
    x, y = samples(dtype)
    program = ad.compile(function, fast=True)
    with np.errstate(all="ignore"):
        found, expected = program(x, y), function(x, y)
    (kernel,) = kernels(program)
    assert len(kernel.body.steps) == len(usable) >= 10
    for ufunc, one, other in zip(usable, found, expected, strict=True):
        assert one.dtype == other.dtype, ufunc
        np.testing.assert_array_equal(one, other, err_msg=ufunc.__name__)


def test_zeros_keep_their_signs() -> None:
    x = np.array([0.0, -0.0, 1.0, -1.0])

    def f(x: Any) -> Any:
        return [-x, np.negative(x) * 0.0, np.sqrt(x * x) - x, np.copysign(1.0, x) * 2, np.trunc(x * 0.5)]

    for found, expected in zip(ad.compile(f, fast=True)(x), f(x), strict=True):
        np.testing.assert_array_equal(np.signbit(found), np.signbit(expected))


@pytest.mark.parametrize("of_two", [np.maximum, np.minimum, np.fmax, np.fmin])
def test_of_two_zeros_the_second_is_taken(of_two: np.ufunc) -> None:
    a, b = np.array([0.0, -0.0] * 8), np.array([-0.0, 0.0] * 8)
    np.testing.assert_array_equal(
        np.signbit(ad.compile(lambda a, b: of_two(a, b) * 2.0, fast=True)(a, b)), np.signbit(b)
    )


@pytest.mark.parametrize("dtype", "fd")
def test_choices_casts_and_powers_are_numpys(dtype: str) -> None:
    x, y = samples(np.dtype(dtype))

    def f(x: Any, y: Any) -> Any:
        chosen = np.where(x > y, x, 0.0)
        whole = np.where(np.isfinite(x), 2, 1)
        mask = (x > 0) & ~(y == 1)
        return [
            chosen,
            np.clip(x, -1.5, y),
            x * mask,
            mask.astype(x.dtype) - y,
            x**3,
            x**-2.0,
            whole * 3 + 1,
            whole * x,
        ]

    program = ad.compile(f, fast=True)
    with np.errstate(all="ignore"):
        found, expected = program(x, y), f(x, y)
    assert kernels(program)
    for one, other in zip(found, expected, strict=True):
        assert one.dtype == other.dtype
        np.testing.assert_allclose(one, other, rtol=4 * np.finfo(dtype).eps)


def test_numbers_take_the_dtype_that_numpy_gives_them() -> None:
    def f(x: Any, a: Any, b: Any) -> Any:
        return x * a + 1, x * b - 1, (x < b) | (x > a)

    program, x = ad.compile(f, fast=True), np.linspace(-1, 1, 50, dtype=np.float32)
    for a, b in (
        (0.1, np.float32(0.1)),
        (0.1, np.float64(0.1)),
        (np.array(0.1), np.array(0.1, np.float32)),
        (3.0, 0.1),
    ):
        for found, expected in zip(program(x, a, b), f(x, a, b), strict=True):
            same(found, expected)


def broadcast(x: Any, row: Any, column: Any, number: Any) -> Any:
    y = (x * row + column) * number
    return y, (np.maximum(y, 0) - row) / (1 + column * column)


@pytest.mark.parametrize("shape", [(5, 7), (1, 7), (5, 1), (1, 1)])
def test_operands_are_broadcast(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    given = rng.normal(size=shape), rng.normal(size=(1, 7)), rng.normal(size=(5, 1)), np.array(0.5)
    for found, expected in zip(ad.compile(broadcast, fast=True)(*given), broadcast(*given), strict=True):
        same(found, expected)


def test_arrays_of_any_layout_are_read() -> None:
    program = ad.compile(lambda x, y: (x * y + 1, x - y), fast=True)
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(6, 8)), rng.normal(size=(8, 6))
    for a, b in (
        (x, y.T),
        (x[:, ::-1], x),
        (x[::2, 1:4], x[3:, 5:]),
        (np.asfortranarray(x), x),
        (x, np.broadcast_to(x[0], x.shape)),
    ):
        for found, expected in zip(program(a, b), (a * b + 1, a - b), strict=True):
            same(found, expected)


@pytest.mark.parametrize("shape", [(0,), (3, 0), ()])
def test_no_elements_and_single_numbers(shape: tuple[int, ...]) -> None:
    x = np.full(shape, 2.0)
    same(np.asarray(ad.compile(lambda x: (x * 3 + 1) / x, fast=True)(x)), np.asarray((x * 3 + 1) / x))


def wave(x: Any) -> Any:
    return np.sum(np.tanh(x) * np.exp(-(x**2)) + x * np.sin(x))


@pytest.mark.parametrize("threads", [1, 2])
def test_long_arrays_are_made_in_blocks_with_kernels_in_them(threads: int) -> None:
    x = np.linspace(-3, 3, 2_100_001, dtype=np.float32)
    eager = ad.value_and_grad(wave)
    program = ad.compile(eager, fast=True, threads=threads)
    (y, slope), (y_eager, slope_eager) = program(x), eager(x)
    loops = [step for step in program.program.steps if isinstance(step, Loop)]
    assert any(isinstance(step, Kernel) for loop in loops for step in loop.body.steps)
    np.testing.assert_allclose(y, y_eager, rtol=1e-5)
    np.testing.assert_allclose(slope, slope_eager, rtol=1e-5, atol=1e-5)
    assert np.array_equal(program(x)[1], slope)


def test_a_run_without_other_functions_is_one_pass_over_memory() -> None:
    x = np.linspace(0, 1, 300_000)
    program = ad.compile(lambda x: np.sqrt(x * x + 1) / (x + 2) - x, fast=True)
    same(program(x), np.sqrt(x * x + 1) / (x + 2) - x)
    assert [type(step) for step in program.program.steps] == [Kernel]
    assert not program.program.buffers
    assert "6 made element by element, in 1 kernels" in program.plan


def test_results_are_written_into_the_arrays_that_are_given() -> None:
    @ad.compile(in_place=True, fast=True)
    def moved(state: Any, g: Any, rate: Any) -> None:
        state["v"] *= 0.9
        state["v"] += g
        state["p"] -= state["v"] * rate

    for size, step in ((100, 1), (200_000, 1), (100, 2)):
        p, v, g = (np.full(size, k)[::step] for k in (1.0, 2.0, 3.0))
        v_after = v * 0.9 + g
        p_after = p - v_after * 0.1
        assert moved({"p": p, "v": v}, g, 0.1) is None
        same(v, v_after)
        same(p, p_after)
    (kernel,) = kernels(moved)
    assert all(into is not None for into in kernel.into)


def test_one_array_for_two_arguments_and_results_that_are_kept() -> None:
    program = ad.compile(lambda x, y: (x * y + x, y * 2 - x), fast=True)
    x = np.arange(2000.0)
    first = program(x, x)
    kept = [one.copy() for one in first]
    program(x + 1, x)
    for one, other in zip(first, kept, strict=True):
        same(one, other)
    same(first[0], x * x + x)


def test_threads_share_a_program() -> None:
    program = ad.compile(lambda x: np.sum((x * x + 1) / (x + 3), axis=0), fast=True)
    arrays = [np.full((200, 50), float(k)) for k in range(1, 9)]
    found: dict[int, Any] = {}

    def call(k: int) -> None:
        for _ in range(20):
            found[k] = program(arrays[k])

    callers = [threading.Thread(target=call, args=(k,)) for k in range(8)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    for k, x in enumerate(arrays):
        np.testing.assert_allclose(found[k], np.sum((x * x + 1) / (x + 3), axis=0))


def network(kind: str | None, dtype: str) -> nn.Module:
    norm = [] if kind is None else [getattr(nn, kind)(8, dtype=dtype)]
    bias = kind != "BatchNorm1d"  # it takes a bias away, whose adjoint is rounding alone
    return nn.Sequential(
        nn.Linear(5, 8, bias=bias, rng=0, dtype=dtype), *norm, nn.ReLU(), nn.Linear(8, 3, rng=1, dtype=dtype)
    )


@pytest.mark.parametrize("kind", [None, "LayerNorm", "BatchNorm1d"])
def test_training_is_what_it_is_without_kernels(kind: str | None) -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(12, 5)), rng.integers(0, 3, 12)
    trained = []
    for quick in (False, True):
        model = network(kind, "float64")
        step = nn.TrainStep(model, nn.CrossEntropyLoss(), nn.optim.Adam(model.parameters(), lr=0.01), fast=quick)
        losses = [step(x, y) for _ in range(4)]
        trained.append((losses, step.optimizer.flat.value.copy()))
    assert "softmax_in_loops" in step.source
    for one, other in zip(*trained, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-13)


def test_fit_trains_with_kernels_and_goes_on_from_a_file(tmp_path: Path) -> None:
    x, y = nn.data.moons(40, rng=0)

    def fit(epochs: int, compiled: Any, **more: Any) -> nn.Module:
        model = nn.MLP(2, 4, 2, rng=0, dtype="float64")
        adam = nn.optim.Adam(lr=0.01)
        nn.fit(
            model, x, y, loss="cross_entropy", optimizer=adam, epochs=epochs, compiled=compiled, rng=0, batch_size=16,
            verbose=False, **more,
        )  # fmt: skip
        return model

    plain, quick = fit(4, True), fit(4, "fast")
    file = tmp_path / "half.safetensors"
    fit(2, "fast", checkpoint=file)
    resumed = fit(4, "fast", resume=file)
    for one, other, again in zip(plain.parameters(), quick.parameters(), resumed.parameters(), strict=True):
        np.testing.assert_allclose(one.value, other.value, rtol=1e-11, atol=1e-12)
        same(again.value, other.value)
    with pytest.raises(ValueError, match="compiled"):
        fit(4, True, resume=file)
    with pytest.raises(TypeError, match="compiled"):
        fit(1, "quick")


def test_loops_of_numbers_that_overflow_or_are_none() -> None:
    def f(x: Any, labels: Any) -> Any:
        return ad.value_and_grad(lambda x: nn.functional.cross_entropy(x, labels))(x)

    labels = np.array([0, 1, 2, 1])
    program = ad.compile(f, fast=True)
    for scale in (1.0, 1e3, np.nan):
        x = np.random.default_rng(0).normal(size=(4, 3)) * scale
        for found, expected in zip(program(x, labels), f(x, labels), strict=True):
            np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-300)


RUN = """
import numpy as np
import autodiff as ad
from numba.core.dispatcher import Dispatcher
program = ad.compile(lambda x: (x * 3 + 1) / (x * x + 2), fast=True)
print(program(np.ones(4)).tolist())
from autodiff.program import fast
for kernel in fast._loaded.values():
    print(sum(kernel.stats.cache_hits.values()), sum(kernel.stats.cache_misses.values()))
"""


def process(directory: Path | str, code: str = RUN) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env={**os.environ, fast.VARIABLE: str(directory)},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()


def test_another_process_finds_the_kernels_and_does_without_broken_ones(tmp_path: Path) -> None:
    directory = tmp_path / "made anew"
    expected = str([4 / 3] * 4)
    assert process(directory) == [expected, "0 1"]
    assert directory.stat().st_mode & 0o077 == 0
    assert process(directory) == [expected, "1 0"]
    kept = [*directory.rglob("*.nb*")]
    assert len(kept) >= 2
    for path in kept:
        path.write_bytes(b"nonsense")
        assert process(directory) == [expected, "0 1"]
        assert process(directory) == [expected, "1 0"]
    (text,) = directory.glob("*.py")
    text.write_bytes(b"nonsense")
    assert process(directory)[0] == expected
    assert "def kernel(" in text.read_text()


def test_a_directory_that_others_can_write_into_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not hasattr(os, "getuid"):
        pytest.skip("this system has no owners of directories")
    tmp_path.chmod(0o777)
    monkeypatch.setenv(fast.VARIABLE, str(tmp_path))
    program = ad.compile(lambda x: (x + 1) * (x - 5), fast=True)
    with pytest.warns(RuntimeWarning, match="not a directory of yours alone"):
        same(program(np.ones(3)), np.full(3, -8.0))
    assert not [*tmp_path.iterdir()]
    link = tmp_path / "link"
    link.symlink_to(tmp_path)
    monkeypatch.setenv(fast.VARIABLE, str(link))
    with pytest.warns(RuntimeWarning, match="chmod 700"):
        assert fast.cache_directory() is None


@pytest.mark.parametrize("directory", ["", "/dev/null/kernels"])
def test_without_a_directory_every_process_compiles_its_own(directory: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(fast.VARIABLE, directory)
    assert fast.cache_directory() is None
    monkeypatch.setattr(fast, "_loaded", {})
    same(ad.compile(lambda x: x * 2 + 1, fast=True)(np.ones(3)), np.full(3, 3.0))


def test_without_numba_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    found = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name == "numba":
            raise ModuleNotFoundError("No module named 'numba'")
        return found(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match=r'pip install "autodiff-nn\[fast\]"'):
        ad.compile(lambda x: x, fast=True)
    with pytest.raises(ImportError, match="the results are the same"):
        ad.compile(fast=True)(lambda x: x)


def test_the_source_runs_alone() -> None:
    x = np.linspace(-1, 1, 6).reshape(2, 3)
    program = ad.compile(ad.value_and_grad(lambda x: np.sum(np.maximum(x * x - 0.5, 0) / (1 + x * x))), fast=True)
    value, slope = program(x)
    assert "@numba.njit" in program.source
    assert "autodiff" not in program.source
    code = (
        program.source
        + f"\nx = np.linspace(-1, 1, 6).reshape(2, 3)\nfor y in {program._last.text.name}(x):\n    print(y.tolist())\n"
    )
    lines = process("", code)
    assert lines == [str(float(value)), str(slope.tolist())]


def test_a_program_with_kernels_can_be_read_and_drawn() -> None:
    program = ad.compile(lambda x: np.tanh(x * x + 1) * 2 + x, fast=True)
    program(np.ones(3))
    assert "elements of" in str(program.program)
    assert "svg" in ad.draw(program).svg


def test_kernels_give_no_warnings() -> None:
    program = ad.compile(lambda x: 1 / x + np.sqrt(x), fast=True)
    program(np.ones(2))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = program(np.array([0.0, -1.0]))
    assert np.isinf(found[0])
    assert np.isnan(found[1])
