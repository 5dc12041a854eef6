"""ad.compile: programs equal what they were traced from, at other numbers too, or are refused by name."""

from __future__ import annotations

import pickle
import re
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cases import cases
from record import Case

import autodiff as ad
from autodiff.program.compiled import MOST
from autodiff.program.limits import Untraceable
from autodiff.program.passes import blocks, memory

# -- over all records -------------------------------------------------------------------------------------------


def elsewhere(arrays: tuple[np.ndarray, ...]) -> Iterator[tuple[np.ndarray, ...]]:
    """Three other inputs of the same shapes: near, in another order, and with other signs."""
    yield tuple((x * 1.03).astype(x.dtype) for x in arrays)
    yield tuple(np.flip(x) for x in arrays)
    yield tuple(-x if x.dtype.kind in "fc" else x for x in arrays)


def agree(found: Any, expected: Any) -> bool:
    if isinstance(expected, list | tuple):
        return len(found) == len(expected) and all(map(agree, found, expected))
    scale = np.max(np.abs(expected), initial=0.0, where=np.isfinite(expected))
    return (
        np.shape(found) == np.shape(expected)
        and np.asarray(found).dtype == np.asarray(expected).dtype
        and np.allclose(found, expected, rtol=1e-12, atol=1e-12 * float(scale), equal_nan=True)
    )


def with_pullback(case: Case) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    """A record's value and its pullback as one function, and the arrays it is called with."""
    value = np.asarray(case(*case.arrays))
    seed = np.random.default_rng(0).normal(size=value.shape).astype(value.dtype)
    return lambda seed, *x: (case(*x), ad.vjp(case, *x)[1](seed)), (seed, *case.arrays)


def replayed(function: Callable[..., Any], arrays: tuple[Any, ...], fast: bool = False) -> str:
    """What is wrong with a function's program: "" if nothing is, "refused" if it was refused."""
    program = ad.compile(function, threads=1 + len(arrays) % 2, fast=fast)
    try:
        program(*arrays)
    except Untraceable:
        return "refused"
    for others in (arrays, *elsewhere(arrays)):
        try:
            expected = function(*others)
        except (ValueError, np.linalg.LinAlgError):  # the function does not take such numbers
            continue
        if not agree(program(*others), expected):
            return "wrong"
    return ""


@pytest.fixture
def as_if_large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small arrays are kept between calls, and made in blocks of few elements in two threads, as large ones are."""
    monkeypatch.setattr(memory, "LEAST", 1)
    monkeypatch.setattr(memory, "IN_THREADS", 1)
    monkeypatch.setattr(blocks, "WHOLE", 1)
    monkeypatch.setattr(blocks, "BLOCK", 40)
    monkeypatch.setattr(blocks, "FEWEST", 1)


@pytest.mark.usefixtures("as_if_large")
def test_every_record_is_the_same_compiled_or_refused() -> None:
    answers: dict[str, list[str]] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # NumPy warns of what some inputs are
        for case in cases:
            try:
                answer = replayed(*with_pullback(case))
                if answer == "refused":  # the value may be a program all the same
                    answer = replayed(case, case.arrays) or "pullback refused"
            except Exception as error:  # all failures in one report
                answer = f"{type(error).__name__}: {error}"[:150]
            answers.setdefault(answer, []).append(case.name)
    refused = answers.pop("refused", []) + answers.pop("pullback refused", [])
    right = answers.pop("", [])
    assert answers == {}
    assert len(refused) < 0.1 * len(right)


# -- the source -------------------------------------------------------------------------------------------------

rng = np.random.default_rng(0)
X, W, B, LABELS = rng.normal(size=(6, 4)), rng.normal(size=(4, 3)), rng.normal(size=3), np.array([0, 2, 1, 1, 0, 2])


def wave(x: Any) -> Any:
    return np.sum(np.tanh(x) * np.exp(-(x**2)) + x * np.sin(x))


def rosenbrock(x: Any) -> Any:
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def network(parameters: Any, x: Any, labels: Any) -> Any:
    hidden = ad.relu(x @ parameters["w"] + parameters["b"])
    return -np.mean(ad.log_softmax(hidden)[np.arange(len(labels)), labels])


PARAMETERS = {"w": W, "b": B}
PROGRAMS: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "wave": (ad.value_and_grad(wave), (X[0],)),
    "hessian": (ad.hessian(rosenbrock), (X[0],)),
    "hvp": (lambda x, v: ad.hvp(rosenbrock, x, v), (X[0], X[1])),
    "jvp": (lambda x, v: ad.jvp(np.sort, (x,), (v,)), (X[0], X[1])),
    "network": (ad.value_and_grad(network), (PARAMETERS, X, LABELS)),
    "per example": (ad.vmap(ad.grad(wave)), (X,)),
    "clip": (ad.grad(lambda x: np.sum(np.clip(x, -0.5, 0.5) * np.abs(x))), (X,)),
    "maximum": (ad.grad(lambda x: np.max(x, axis=0) @ np.ones(4)), (X,)),
    "gelu": (ad.value_and_grad(lambda x: np.sum(ad.gelu(x))), (X,)),
    "inverse": (ad.grad(lambda a: np.trace(np.linalg.inv(a.T @ a + np.eye(4)))), (X,)),
    "fourier": (ad.grad(lambda x: np.sum(np.abs(np.fft.rfft(x)) ** 2)), (X[0],)),
    "quantile": (ad.grad(lambda x: np.quantile(x, 0.3)), (X[0],)),
    "a scalar": (ad.value_and_grad(lambda x, n: x**n * 2.5), (1.5, 3)),
    "scalars": (ad.value_and_grad(lambda x, y: np.tanh(x * y) + np.maximum(x, 0.1) * abs(y), (0, 1)), (1.5, -2.0)),
    "blocks": (ad.value_and_grad(wave), (np.linspace(-2, 2, 300_001),)),
    "rows": (ad.grad(lambda x: np.sum(ad.softmax(x, axis=1) ** 2)), (np.linspace(-2, 2, 301_000).reshape(301, 1000),)),
}


def leaves(nest: Any) -> list[Any]:
    if isinstance(nest, dict | list | tuple):
        return [leaf for branch in (nest.values() if isinstance(nest, dict) else nest) for leaf in leaves(branch)]
    return [nest]


def test_every_source_runs_by_itself_with_nothing_but_numpy(tmp_path: Path) -> None:
    script = ["import sys", "sys.modules['autodiff'] = sys.modules['scipy'] = None", "import pickle"]
    given, expected = [], []
    for name, (function, arguments) in PROGRAMS.items():
        program = ad.compile(function)
        expected.append(leaves(program(*arguments)))
        assert agree(leaves(function(*arguments)), expected[-1]), name
        given.append([x for x in leaves(arguments) if not isinstance(x, int)])
        (tmp_path / f"source{len(given)}.py").write_text(program.source, encoding="utf-8")
    script += [
        "found = []",
        "for k, arguments in enumerate(pickle.load(open('given', 'rb')), 1):",
        "    found.append(list(__import__(f'source{k}').program(*arguments)))",
        "pickle.dump(found, open('found', 'wb'))",
    ]
    (tmp_path / "given").write_bytes(pickle.dumps(given))
    subprocess.run([sys.executable, "-c", "\n".join(script)], cwd=tmp_path, check=True)
    found = pickle.loads((tmp_path / "found").read_bytes())  # noqa: S301  # written two lines above
    for one, other in zip(found, expected, strict=True):
        for a, b in zip(one, other, strict=True):
            np.testing.assert_array_equal(a, b, strict=True)


# -- what it promises -------------------------------------------------------------------------------------------


@ad.compile
def shifted(x: Any, scale: float = 2.0) -> Any:
    return {"x": x, "turned": x.T, "again": x.T, "sum": np.sum(x) * scale, "constant": np.ones(2)}


@pytest.mark.usefixtures("as_if_large")
def test_results_are_the_callers_own_and_arguments_stay() -> None:
    x = X.copy()
    first = shifted(x)
    kept = {name: np.copy(value) for name, value in first.items()}
    for value in first.values():
        if isinstance(value, np.ndarray):
            value[...] = 7.0  # each has memory of its own
    np.testing.assert_array_equal(x, X)
    second = shifted(x)
    third = shifted(2 * x)
    for name, value in kept.items():
        np.testing.assert_array_equal(second[name], value)
        np.testing.assert_array_equal(third[name], value if name == "constant" else 2 * value)


def test_one_program_for_each_structure_shape_and_dtype() -> None:
    traced = []

    @ad.compile
    def twice(x: Any, n: int = 2) -> Any:
        traced.append(np.shape(x))
        return x * n

    for x in (X, X + 1, X[:, ::2], np.asfortranarray(X), X[:0], np.float64(3.0), 3.0, X.astype(np.float32)):
        found = twice(x)
        np.testing.assert_array_equal(found, x * 2)
        assert np.asarray(found).dtype == np.asarray(x).dtype
    assert len(traced) == 6
    np.testing.assert_array_equal(twice(X, n=3), X * 3)
    with pytest.warns(UserWarning, match="twice was traced 8 times"):
        twice(X, n=4)
    for n in range(100):
        twice(X, n=n)
    assert len(twice._entries) == MOST


def test_float32_stays_and_numbers_do_not_widen_it() -> None:
    x = X.astype(np.float32)
    step = ad.compile(lambda x, rate: x - rate * 2 * ad.grad(wave)(x))
    assert step(x, 0.1).dtype == np.float32
    np.testing.assert_array_equal(step(x, 0.3), x - 0.3 * 2 * ad.grad(wave)(x))


def test_it_is_differentiated_mapped_and_nested_as_the_function_itself() -> None:
    f = ad.compile(wave)
    np.testing.assert_array_equal(ad.grad(f)(X), ad.grad(wave)(X))
    np.testing.assert_array_equal(ad.vmap(f)(X), ad.vmap(wave)(X))
    np.testing.assert_array_equal(ad.compile(lambda x: f(x) + f(2 * x))(X), wave(X) + wave(2 * X))


def test_it_is_a_decorator_with_options() -> None:
    @ad.compile(check=True, threads=2)
    def twice(x: Any) -> Any:
        return 2 * x

    np.testing.assert_array_equal(twice(X), 2 * X)
    assert (twice.check, twice.threads) == (True, 2)
    with pytest.raises(ValueError, match="whole number from 1 on; received 0"):
        ad.compile(wave, threads=0)
    with pytest.raises(TypeError, match="takes a function; received 3"):
        ad.compile(3)


def test_an_element_of_a_plain_array_is_no_place_for_a_traced_value() -> None:
    def filled(x: Any) -> Any:
        y = np.zeros(3)
        y[0] = x[0]
        return y

    with pytest.raises(ValueError, match="sequence") as caught:
        ad.compile(filled)(np.ones(3))
    assert "np.stack" in caught.value.__notes__[0]


def test_check_compares_a_new_program_with_the_function() -> None:
    np.testing.assert_array_equal(ad.compile(ad.grad(wave), check=True)(X), ad.grad(wave)(X))
    generator = np.random.default_rng(0)
    with pytest.raises(ValueError, match="draws random numbers, or depends on something else"):
        ad.compile(lambda x: x * generator.normal(size=4), check=True)(X)


@pytest.mark.usefixtures("as_if_large")
def test_two_threads_call_one_function() -> None:
    gradient = ad.compile(ad.grad(wave))
    inputs = [X + k for k in range(40)]
    with ThreadPoolExecutor(4) as pool:
        for found, x in zip(pool.map(gradient, inputs), inputs, strict=True):
            np.testing.assert_allclose(found, ad.grad(wave)(x), rtol=1e-12, atol=1e-13)


def test_threads_share_the_blocks_of_large_arrays_and_give_the_same_bits() -> None:
    x = np.linspace(-2, 2, 700_001)
    one, two = (ad.compile(ad.value_and_grad(wave), threads=k) for k in (1, 2))
    expected = one(x)
    np.testing.assert_allclose(expected[0], wave(x), rtol=1e-12)
    np.testing.assert_allclose(expected[1], ad.grad(wave)(x), rtol=1e-12, atol=1e-15)
    with ThreadPoolExecutor(3) as pool:
        for found in pool.map(two, [x] * 9):
            np.testing.assert_array_equal(found[0], expected[0])
            np.testing.assert_array_equal(found[1], expected[1])
    assert "shared(share" in two.source


def test_results_of_several_calls_lie_apart_and_arguments_may_be_one_array() -> None:
    x = np.linspace(-2, 2, 300_001)
    both = ad.compile(lambda a, b: (a * b + np.sin(a), a, np.sum(a * b)))
    first = both(x, x)
    second = both(x, -x)
    np.testing.assert_array_equal(first[0], x * x + np.sin(x))
    np.testing.assert_array_equal(second[0], x * -x + np.sin(x))
    assert not any(np.shares_memory(a, b) for a in first[:2] for b in (*second[:2], x))


def test_arrays_of_every_layout_go_through_blocks() -> None:
    whole = np.linspace(-2, 2, 1_200_000).reshape(600, 2000)
    gradient = ad.compile(ad.grad(lambda x, b: np.sum(np.tanh(x * b) + np.mean(x, axis=1, keepdims=True))), threads=2)
    expected = ad.grad(lambda x, b: np.sum(np.tanh(x * b) + np.mean(x, axis=1, keepdims=True)))
    b = np.linspace(1, 2, 1000)
    for x in (whole[:, ::2], whole[:, :1000], np.asfortranarray(whole[:, 1000:]), whole[::-1, ::-2]):
        np.testing.assert_allclose(gradient(x, b), expected(x, b), rtol=1e-12)


def test_scalars_are_pythons_and_numpys_where_python_has_no_number() -> None:
    f = ad.compile(lambda x, y: (np.log(x) + np.exp(y), x / y, x**0.5, np.maximum(x, y), x > y))
    for x, y in ((2.0, 3.0), (0.0, 1.0), (1.0, 0.0), (-1.0, 1.0), (1.0, 1000.0), (np.nan, 1.0), (2.0, np.nan)):
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            x64, y64 = np.float64(x), np.float64(y)
            expected = (np.log(x64) + np.exp(y64), x64 / y64, x64**0.5, np.maximum(x64, y64), x64 > y64)
            found = f(x64, y64)
        for a, b in zip(found, expected, strict=True):
            assert type(a) is type(b)
            np.testing.assert_allclose(a, b, rtol=1e-15)
    assert "math.log" in f.source


def test_the_source_says_where_its_parts_come_from() -> None:
    def model(x: Any) -> Any:
        with ad.scope("the\nencoder"):
            y = np.tanh(x)
        return np.sum(y * y)

    gradient = ad.compile(ad.grad(model))
    gradient(X)
    comments = [line.strip() for line in gradient.source.splitlines() if line.strip().startswith("#")]
    assert comments == ["# the encoder: y = np.tanh(x)", "# return np.sum(y * y)", "# reverse pass"]


def test_numpys_warnings_are_quiet_where_the_function_had_them_quiet() -> None:
    quiet = ad.compile(ad.logsumexp)
    assert quiet(np.zeros(0)) == -np.inf


def branching(x: Any) -> Any:
    return x if x > 0 else -x


def in_place(x: Any) -> Any:
    x[0] = 1.0
    return x


def masked(x: Any) -> Any:
    return np.sum(x[x > 0])


@pytest.mark.parametrize(
    ("function", "line", "advice"),
    [
        (branching, "return x if x > 0 else -x", r"np\.where\(condition, a, b\)"),
        (ad.grad(branching), "return x if x > 0 else -x", r"np\.where\(condition, a, b\)"),
        (in_place, "x[0] = 1.0", "np.stack"),
        (masked, "x[x > 0]", r"np\.where\(mask, x, 0\)"),
        (lambda x: float(x), "float(x)", "NumPy's functions"),
        (lambda x: x.item(), "x.item()", "NumPy's functions"),
        (lambda x: np.asarray(x), "np.asarray(x)", "NumPy's functions"),
        (lambda x: range(x), "range(x)", "pass such a number as an int"),
        (lambda x: 1.0 in x, "1.0 in x", "np.any"),
        (lambda x: np.unique(x), "np.unique(x)", "np.where"),
        (lambda x: np.add(1.0, x, out=np.ones(())), "np.add", "leave out="),
        (lambda x: np.sum(x, 0, None, np.ones(())), "np.sum", "a function that gives a new one"),
        (lambda x: np.clip(x, 0, 1, np.ones(())), "np.clip", "a function that gives a new one"),
    ],
)
def test_what_needs_a_number_is_refused_with_its_line(function: Any, line: str, advice: str) -> None:
    with pytest.raises(Untraceable, match=rf"test_compile.py, line \d+ \(.*{re.escape(line)}.*{advice}"):
        ad.compile(function)(np.float64(2.0) if function is not masked and function is not in_place else X)


def test_the_line_of_a_notebook_is_named_by_its_cell() -> None:
    names: dict[str, Any] = {}
    exec(compile("def f(x):\n    return x.item()", "/tmp/ipykernel_1/2.py", "exec"), names)  # noqa: S102, S108
    with pytest.raises(Untraceable, match=r"^ad\.compile: cell, line 2 asks for"):
        ad.compile(names["f"])(X)


def test_a_long_list_of_inputs_is_broken_into_lines() -> None:
    program = ad.compile(lambda **arrays: sum(arrays.values()))
    assert program(**{f"a_long_name_{k}": X for k in range(20)}) == pytest.approx(20 * X)
    assert max(map(len, program.source.splitlines())) <= 100
    long = "x" * 120
    assert program(**{long: X}) == pytest.approx(X)
    assert long in program.source  # a name is never broken


def test_arrays_from_outside_are_not_written_into() -> None:
    outside = np.ones((6, 4))
    for write in (np.copyto, lambda a, x: np.put_along_axis(a, LABELS[:, None], x, 1), lambda a, x: np.sum(x, out=a)):
        with pytest.raises(Untraceable, match="into an array"):
            ad.compile(lambda x, write=write: write(outside, x))(X)
    with pytest.raises(Untraceable, match=r"np\.nan_to_num into an array"):
        ad.compile(lambda x: np.nan_to_num(x, copy=False))(X)
    assert (outside == 1).all()


def test_what_else_is_refused() -> None:
    w = ad.Tensor(W, name="w")
    with pytest.raises(TypeError, match="reads one from outside"):
        ad.compile(lambda x: x @ w)(X)
    with pytest.raises(RuntimeError, match="no program yet"):
        print(ad.compile(wave).source)
    with pytest.raises(TypeError, match="takes plain arrays"):
        ad.compile(wave)(np.ma.masked_array(X))
    with pytest.raises(TypeError, match="holds floating-point numbers"):
        ad.compile(ad.grad(wave))(np.arange(3))
