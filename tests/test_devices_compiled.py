"""Compiled functions on a device: every record as a program of the strict array type's module, and what it may do."""

from __future__ import annotations

import collections
import types
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from cases import cases
from foreign import DEVICE, Foreign
from record import Case
from test_compile import agree, leaves

import autodiff as ad


@pytest.fixture(autouse=True)
def let_in(tables_restored: None) -> None:
    """The strict array type is admitted for these tests alone."""
    ad.admit(DEVICE)


def there(x: Any, device: str = "foreign") -> Any:
    return ad.to(np.asarray(x), device)


def run_by_itself(program: Any, arrays: Any) -> list[Any]:
    """What the program's source gives, as a module of its own."""
    module = types.ModuleType("a_program")
    exec(program.source, vars(module))  # noqa: S102
    return list(module.program(*arrays))


# -- every record -----------------------------------------------------------------------------------------------


def tasks(case: Case) -> Iterator[tuple[Callable[..., Any], tuple[Any, ...]]]:
    """A record's value, and its pullback, each with the arrays it is called with."""
    yield case, case.arrays
    value = np.asarray(case(*case.arrays))
    seed = np.random.default_rng(0).normal(size=value.shape).astype(value.dtype)
    yield lambda seed, *x: ad.vjp(case, *x)[1](seed), (seed, *case.arrays)


def judged(function: Callable[..., Any], arrays: tuple[Any, ...], device: str = "foreign") -> str:
    """What a function is as a program of a device: "right", "refused", or what is wrong."""
    program, moved = ad.compile(function), [there(x, device) for x in arrays]
    try:
        program(*moved)
    except ad.Untraceable:
        return "refused"
    except Exception as error:
        if f"cannot be computed on {device!r}" in str(error) or _refuses(function, moved):
            return "refused"
        return f"{type(error).__name__}: {error}"[:150]
    for others in (arrays, tuple((x * 1.03).astype(x.dtype) for x in arrays)):
        try:
            expected = leaves(function(*others))
        except (ValueError, np.linalg.LinAlgError):  # the function does not take such numbers
            continue
        moved, fetched = [there(x, device) for x in others], Foreign.fetched
        both = leaves(program(*moved)), run_by_itself(program, moved)
        if Foreign.fetched != fetched:
            return "a number left the device"
        for results in both:
            if not all(ad.devices.place(y) == device for y in results):
                return "a result is not on the device"
            if not agree([ad.to(y, "cpu") for y in results], [np.asarray(y) for y in expected]):
                return "wrong"
    return "right"


def _refuses(function: Callable[..., Any], arrays: list[Any]) -> bool:
    """Whether the function itself takes no such arrays either."""
    try:
        function(*arrays)
    except Exception:
        return True
    return False


def test_every_record_is_right_compiled_on_the_device_or_refused_by_name() -> None:
    answers: dict[str, list[str]] = collections.defaultdict(list)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # NumPy warns of what some inputs are
        for case in cases:
            for function, arrays in tasks(case):
                answers[judged(function, arrays)].append(case.name)
    refused, right = answers.pop("refused"), answers.pop("right")
    assert answers == {}
    assert len(refused) < 0.2 * len(right)


# -- the program ------------------------------------------------------------------------------------------------

X, W = np.random.default_rng(0).normal(size=(2, 4, 4)).astype(np.float32)


def layer(x: Any, w: Any) -> Any:
    return np.sum(np.tanh(x @ w) * np.arange(4.0, dtype=np.float32) + 2.0)


def test_one_line_of_imports_differs() -> None:
    ad.admit(DEVICE._replace(fuse=""))
    program = ad.compile(ad.grad(layer, argnums=(0, 1)))
    program(X, W)
    host = program.source.splitlines()
    program(there(X), there(W))
    differing = [lines for lines in zip(host, program.source.splitlines(), strict=True) if lines[0] != lines[1]]
    assert differing == [("import numpy as np", "import foreign.functions as np")]


def test_elementwise_runs_are_kernels_and_float32_stays() -> None:
    program = ad.compile(ad.value_and_grad(layer, argnums=(0, 1)))
    value, gradients = program(there(X), there(W))
    assert program.source.count("@np.fuse()") == 2
    assert "in 2 kernels" in program.plan
    assert "np.subtract(np.float32(1.0), y0)" in program.source
    assert [y.dtype for y in (value, *gradients)] == [np.float32] * 3
    assert agree([g._array for g in gradients], list(ad.grad(layer, argnums=(0, 1))(X, W)))


def test_numbers_are_arguments_of_a_kernel_in_the_dtype_of_its_arrays() -> None:
    program = ad.compile(lambda x, rate: x - rate * np.exp(x))
    moved = [program(there(X), rate) for rate in (0.5, 0.25)]
    assert [y.dtype for y in moved] == [np.float32] * 2
    assert "np.float32(rate)" in program.source
    np.testing.assert_allclose(moved[1].get(), X - 0.25 * np.exp(X), rtol=1e-6)


def test_constants_move_once_when_the_program_is_made() -> None:
    moves: list[Any] = []

    def counted(array: Any) -> Foreign:
        moves.append(array)
        return Foreign.of(array)

    ad.admit(DEVICE._replace(from_host=counted))
    scale = np.arange(4.0, dtype=np.float32)
    program = ad.compile(lambda x: ad.grad(lambda x: np.sum(np.exp(x) * scale))(x) + scale)
    x = there(X)
    program(x)
    made = len(moves)
    assert made > 0
    program(x)
    assert len(moves) == made


def test_what_is_written_into_stays_where_it_is() -> None:
    @ad.compile(in_place=True)
    def moved(state: Any, g: Any, rate: float) -> Any:
        state["m"][...] = 0.9 * state["m"] + g
        state["p"] -= rate * state["m"]
        state["count"] += 1

    state = {"p": there(X), "m": there(W), "count": there(np.zeros(3))}
    before = dict(state)
    moved(state, there(X), 0.5)
    assert all(state[name] is before[name] for name in state)
    m = 0.9 * W + X
    np.testing.assert_allclose(state["m"].get(), m, rtol=1e-6)
    np.testing.assert_allclose(state["p"].get(), X - 0.5 * m, rtol=1e-5)
    assert state["count"].tolist() == [1, 1, 1]


def test_labels_on_the_host_are_moved_by_a_line_of_the_program() -> None:
    def loss(w: Any, labels: Any) -> Any:
        return -np.sum(ad.log_softmax(w)[np.arange(4), labels])

    program, labels = ad.compile(ad.grad(loss)), np.array([0, 2, 1, 1])
    found = program(there(W), labels)
    assert type(found) is Foreign
    assert "np.asarray(labels)" in program.source
    np.testing.assert_allclose(found.get(), ad.grad(loss)(W, labels), rtol=1e-5)


def test_arrays_on_both_sides_are_an_error_that_names_both() -> None:
    program = ad.compile(lambda x, w: x @ w)
    with pytest.raises(TypeError, match=r"np.matmul was called with an array .*on 'cpu' and one .*on 'foreign'.*ad.to"):
        program(there(X), W)
    with pytest.raises(TypeError, match=r"on 'foreign' and .*on 'cpu'"):
        ad.compile(ad.grad(layer, argnums=(0, 1)))(there(X), W)


def test_results_are_moved_after_the_call() -> None:
    with pytest.raises(ad.Untraceable, match=r"asks for a value on 'cpu'.*Move arguments before, and results after"):
        ad.compile(lambda x: ad.to(x * 2, "cpu"))(there(X))


def test_a_record_without_a_module_is_not_compiled() -> None:
    ad.admit(DEVICE._replace(module=None))
    with pytest.raises(TypeError, match=r"on 'foreign', whose record names no module to write programs with"):
        ad.compile(lambda x: x * 2)(there(X))


def test_a_function_that_the_module_lacks_is_refused_by_name() -> None:
    with pytest.raises(TypeError, match=r"np.nanquantile cannot be computed on 'foreign'"):
        ad.compile(lambda x: np.nanquantile(x, 0.5))(there(X))


def test_a_new_program_is_compared_with_the_function() -> None:
    assert type(ad.compile(lambda x: np.tanh(x) * 2, check=True)(there(X))) is Foreign
    draws = np.random.default_rng(0)
    with pytest.raises(ValueError, match="gives other numbers than the function itself"):
        ad.compile(lambda x: x * draws.random(), check=True)(there(X))
