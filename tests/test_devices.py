"""Tensors on a device: every record on an array type as strict as CuPy's, and what moves between devices and when."""

from __future__ import annotations

import collections
import functools
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cases import cases
from foreign import DEVICE, FACTS, Foreign
from record import Case

import autodiff as ad
from autodiff.engine.reverse import adjoints
from autodiff.engine.signatures import spelled

PAGE = Path(__file__).parent.parent / "FUNCTIONS.md"


@pytest.fixture(autouse=True)
def let_in(tables_restored: None) -> None:
    """The strict array type is admitted for these tests alone."""
    ad.admit(DEVICE)


def there(x: Any, name: str | None = None) -> ad.Tensor:
    return ad.Tensor(Foreign.of(np.asarray(x)), name=name)


# -- every record -----------------------------------------------------------------------------------------------


def computed(case: Case, inputs: list[ad.Tensor], recorded: bool = False) -> list[Any]:
    """The value and the adjoints, as they are, and how the value moves along a direction."""
    if case.name == "on_device":
        case = case._replace(parameters={"device": inputs[0].device})
    y = case(*inputs)
    seed = ad.to(np.random.default_rng(7).standard_normal(y.shape).astype(y.dtype), y.device)
    found = adjoints(y, ad.Tensor(seed) if recorded else seed, wrt=inputs, recorded=recorded)
    return [r.value if isinstance(r, ad.Tensor) else r for r in (y, *(found[x] for x in inputs))]


def judged(case: Case, device: str = "foreign") -> tuple[str, str]:
    """What a record is on a device, "right", "refused" or "wrong", and why."""
    expected = computed(case, [ad.Tensor(x) for x in case.arrays])
    try:
        found = [
            computed(case, [ad.Tensor(ad.to(np.asarray(x), device)) for x in case.arrays], recorded)
            for recorded in (False, True)
        ]
    except Exception as error:
        named = isinstance(error, TypeError) and f"cannot be computed on {device!r}" in str(error)
        return ("refused" if named else "wrong"), f"{type(error).__name__}: {error}"
    for results in found:
        for k, (result, host) in enumerate(zip(results, expected, strict=True)):
            what = f"the adjoint of argument {k - 1}" if k else "the value"
            if ad.devices.place(result) != device:
                return "wrong", f"{what} left the device: {type(result).__name__}"
            if (result.shape, result.dtype) != (host.shape, host.dtype):
                return "wrong", f"{what} has shape {result.shape} and dtype {result.dtype}"
            if not np.allclose(ad.to(result, "cpu"), host, rtol=1e-9, atol=1e-11, equal_nan=True):
                return "wrong", f"{what} is {ad.to(result, 'cpu')}, not {host}"
    return "right", ""


@functools.cache
def verdicts() -> dict[str, tuple[str, str]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return {case.name: judged(case) for case in cases}


def of_functions() -> dict[str, set[str]]:
    """What the records of each function are; SciPy's under the names of their modules."""
    found: dict[str, set[str]] = collections.defaultdict(set)
    for case in cases:
        name = spelled(case.function)
        module = getattr(case.function, "__module__", "") or ""
        name = name if name.startswith("np.") or "scipy" not in module else f"{module.removeprefix('autodiff.')}.{name}"
        found[name].add(verdicts()[case.name][0])
    return found


def said() -> str:
    """What FUNCTIONS.md says of devices."""
    found = {name: kinds for name, kinds in of_functions().items() if not name.startswith("scipy")}
    in_part = ", ".join(f"`{name}`" for name, kinds in sorted(found.items()) if kinds == {"right", "refused"})
    never = ", ".join(f"`{name}`" for name, kinds in sorted(found.items()) if kinds == {"refused"})
    right = sum(kinds == {"right"} for kinds in found.values())
    return (
        f"Values and adjoints of {right} of {len(found)} functions (those with records in `tests/cases*.py`, SciPy's "
        "aside) are right on an array type that has what CuPy "
        f"{FACTS['version']} has. Refused by name there: {never}; with some of their keywords: {in_part}. "
        "SciPy's functions and ufuncs are refused where they leave NumPy for compiled code of the host."
    )


def test_every_record_is_right_on_the_device_or_refused_by_name() -> None:
    wrong = {name: why for name, (verdict, why) in verdicts().items() if verdict == "wrong"}
    assert wrong == {}


def test_the_page_says_which_functions_are_refused() -> None:
    numpys = [kinds for name, kinds in of_functions().items() if not name.startswith("scipy")]
    assert sum(kinds == {"right"} for kinds in numpys) >= 0.95 * len(numpys)
    if np.lib.NumpyVersion(np.__version__) >= "2.4.0":  # older ones have fewer functions
        assert said() in PAGE.read_text(encoding="utf-8")


# -- what moves, and when ---------------------------------------------------------------------------------------


def test_values_and_adjoints_are_the_devices_arrays() -> None:
    x = there([[1.0, 2.0], [3.0, 4.0]])
    assert (x.device, x.shape, type(x.value)) == ("foreign", (2, 2), Foreign)
    y = np.sum(np.tanh(x) * 2.0)
    y.backward()
    assert type(y.value) is type(x.grad) is Foreign
    np.testing.assert_allclose(x.grad.get(), 2 * (1 - np.tanh(x.value.get()) ** 2))  # type: ignore[union-attr]
    assert isinstance(y.item(), float)
    assert type(ad.to(y, "cpu").value) is np.ndarray
    assert repr(there([1.0])) == "Tensor([1.], device='foreign')"
    assert f"{there(1.5):.2f}" == "1.50"


def test_to_is_differentiable_and_its_adjoint_comes_back() -> None:
    x = ad.Tensor([1.0, 2.0])
    y = ad.to(np.sin(ad.to(x, "foreign")), "cpu")
    y.backward(np.ones(2))
    np.testing.assert_allclose(x.grad, np.cos([1.0, 2.0]))  # type: ignore[arg-type]
    assert type(x.grad) is np.ndarray
    assert ad.to(x, "cpu") is x
    nest = ad.to({"a": [np.ones(2), None], "b": "text"}, "foreign")
    assert type(nest["a"][0]) is Foreign
    assert nest["b"] == "text"
    w = ad.to(np.ones((2, 2)), "foreign")
    ad.check_grads(lambda a: ad.to(np.sin(ad.to(a, "foreign")) @ w, "cpu"), np.ones((2, 2)), order=2)


@pytest.mark.parametrize(
    "operation",
    [
        lambda t, u: t * u,
        lambda t, u: u - t,
        lambda t, u: t * ad.Tensor(2.0),
        lambda t, u: np.where([True, False], t, u),
        lambda t, u: np.concatenate([u, t]),
        lambda t, u: t @ u,
        lambda t, u: np.arctan2(t, u),
    ],
)
def test_tensors_of_two_devices_are_an_error_that_names_both(operation: Callable[..., Any]) -> None:
    t, u = there([1.0, 2.0], "t"), ad.Tensor([1.0, 2.0], "u")
    with pytest.raises(TypeError, match=r"Tensor .*on '(foreign|cpu)' and Tensor .*on '(foreign|cpu)'.*ad\.to"):
        operation(t, u)


def test_a_constant_moves_once_as_it_is_recorded() -> None:
    t, mask = there([1.0, 2.0, 3.0]), np.array([True, False, True])
    for y in (t * np.ones(3), np.ones(3) - t, [1, 2, 3] * t, t ** np.array([1, 2, 3]), np.where(mask, t, 0.0), t[mask]):
        constants = [a for a in (*y.operands, *y.parameters.values()) if not isinstance(a, ad.Tensor)]
        assert all(isinstance(a, Foreign | float) for a in constants)
        assert type(y.value) is Foreign
    assert (t > np.full(3, 1.5)).tolist() == [False, True, True]
    moved = (t * np.ones(3)).operands[1]
    assert moved.tolist() == [1, 1, 1]


def test_the_devices_own_arrays_leave_operators_to_the_tensor() -> None:
    a, t = Foreign.of(np.ones((2, 3))), there([1.0, 2.0, 3.0])
    for y in (a @ t, a * t, a - t, a / t, a**t):
        assert type(y) is ad.Tensor
        assert y.device == "foreign"
    assert (a[0] > t).tolist() == [False, False, False]


def test_assignment_takes_numbers_and_arrays_from_where_it_is() -> None:
    t = there([1.0, 2.0])
    t.value = t.value * 2
    t.value = [5.0, 6.0]
    assert t.value.tolist() == [5.0, 6.0]
    with pytest.raises(TypeError, match=r"on 'foreign' was assigned an array on 'cpu'.*ad\.to"):
        t.value = np.ones(2)
    with pytest.raises(TypeError, match="on 'foreign' was assigned an array"):
        t.grad = np.ones(2)


def test_the_last_of_repeated_places_stays() -> None:
    t = there([1.0, 2.0, 3.0])
    y = t.at[np.array([0, 0, 2])].set(np.array([7.0, 8.0, 9.0])).at[[1, 1]].add(1.0)
    assert y.value.tolist() == [8.0, 4.0, 9.0]


def test_a_function_that_the_device_lacks_is_refused_by_name() -> None:
    with pytest.raises(TypeError, match=r"np\.quantile cannot be computed on 'foreign'.*weights.*ad\.to"):
        np.quantile(there([1.0, 2.0]), 0.5, weights=[1, 2], method="inverted_cdf")


def test_transforms_stay_on_the_device() -> None:
    x = Foreign.of(np.arange(1.0, 4.0))

    def f(a: Any) -> Any:
        return np.sum(np.sin(a) * a**2)

    here = np.arange(1.0, 4.0)
    for transform in (ad.grad, ad.hessian, lambda f: ad.jacobian(lambda a: np.sin(a) * 2)):
        found = transform(f)(x)
        assert type(found) is Foreign
        np.testing.assert_allclose(found.get(), transform(f)(here))
    np.testing.assert_allclose(ad.hvp(f, x, x).get(), ad.hvp(f, here, here))
    np.testing.assert_allclose(ad.jvp(f, (x,), (x,))[1].get(), ad.jvp(f, (here,), (here,))[1])
    rows = Foreign.of(np.ones((4, 3)))
    assert ad.vmap(lambda a: np.sum(a * a))(rows).tolist() == [3.0] * 4
    ad.checkpoint(lambda a: np.sin(a) * 2)(ad.Tensor(x)).sum().backward()
    with pytest.raises(TypeError, match="on the host"):
        ad.check_grads(f, x)


def test_what_is_shown_is_fetched() -> None:
    x, w = there([[1.0, 2.0, 3.0]], "x"), there(np.ones((3, 2)), "w")
    y = np.sum(np.tanh(x @ w) * np.array([[1.0, 2.0]]))
    here = [ad.Tensor([[1.0, 2.0, 3.0]], "x"), ad.Tensor(np.ones((3, 2)), "w")]
    same = np.sum(np.tanh(here[0] @ here[1]) * np.array([[1.0, 2.0]]))
    assert str(ad.trace(y)) == str(ad.trace(same))
    assert ad.draw(y).svg == ad.draw(same).svg
    assert str(ad.explain(x, of=y)) == str(ad.explain(here[0], of=same))
    with ad.debug():
        np.sum(np.tanh(x @ w)).backward()


# -- admission --------------------------------------------------------------------------------------------------


def test_an_array_type_is_admitted_by_a_record() -> None:
    assert ad.devices.named("foreign") is DEVICE
    with pytest.raises(ValueError, match="a name that another array type has"):
        ad.admit(DEVICE._replace(kind=dict))
    with pytest.raises(ValueError, match=r"'tpu' was asked for; there are cpu, cuda.*ad\.admit"):
        ad.to(np.ones(2), "tpu")


def test_without_cupy_the_error_names_what_to_install() -> None:
    program = (
        "import sys; sys.modules['cupy'] = None\n"
        "import numpy as np, autodiff as ad\n"
        "try: ad.to(np.ones(2), 'cuda')\n"
        "except ImportError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "pip install" in done.stdout
