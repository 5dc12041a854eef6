"""Every public function of NumPy is differentiable, constant, composed, refused with a reason, or not about arrays."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sweep import for_each

import autodiff as ad
from autodiff.engine.signatures import parameter_names, spelled
from autodiff.engine.table import of_kind, table

# What no protocol brings to us. A Tensor that is passed all the same meets __array__ or __index__, which raise.
NOT_OF_ARRAYS = {
    "that make arrays": """
        arange array asanyarray asarray asarray_chkfinite ascontiguousarray asfortranarray asmatrix bmat diag_indices
        empty eye from_dlpack frombuffer fromfile fromfunction fromiter fromregex fromstring full genfromtxt identity
        indices load loadtxt mask_indices ones require tri tril_indices triu_indices vectorize zeros
        bartlett blackman hamming hanning kaiser""",
    "of dtypes, shapes and numbers": """
        base_repr binary_repr broadcast broadcast_shapes datetime_data dtype finfo format_float_positional
        format_float_scientific iinfo isdtype isscalar issubdtype mintypecode promote_types typename""",
    "of the state of NumPy": """
        errstate get_include get_printoptions getbufsize geterr geterrcall info printoptions set_printoptions setbufsize
        seterr seterrcall show_config show_runtime test""",
    "that are classes": """
        busdaycalendar flatiter generic matrix memmap ndarray ndenumerate ndindex nditer poly1d recarray record
        ufunc""",
    "of Python objects": "frompyfunc isfortran iterable nested_iters row_stack",
    "of integers": "fft.fftfreq fft.rfftfreq",
    "of memory": "lib.stride_tricks.as_strided",
    "that are exceptions": "linalg.LinAlgError",
}
SPACES = {"np": np, "np.linalg": np.linalg, "np.fft": np.fft, "np.lib.stride_tricks": np.lib.stride_tricks}
PUBLIC = {
    f"{space}.{name}": getattr(module, name)
    for space, module in SPACES.items()
    for name in dir(module)
    if not name.startswith("_") and callable(getattr(module, name)) and name != "test"
}
DTYPES = {name for name, f in PUBLIC.items() if isinstance(f, type) and issubclass(f, np.generic)}


def others() -> set[str]:
    return {f"np.{name}" for names in NOT_OF_ARRAYS.values() for name in names.split()}


@for_each([name for name in PUBLIC if name not in DTYPES])
def test_a_function_is_in_exactly_one_class(name: str) -> None:
    function = PUBLIC[name]
    kind = table[function].kind if function in table else None
    classes = {
        "differentiable or composed": kind in ("differentiable", "composed"),
        "constant": kind == "constant",
        "refused": kind == "refused",
        "not of arrays": name in others() and kind != "refused",
    }
    assert sum(classes.values()) == 1, (name, classes)


def test_what_is_listed_here_has_no_rule() -> None:
    assert {name for name in others() if PUBLIC.get(name) in of_kind("differentiable", "composed", "constant")} == set()


@for_each([name for name, f in PUBLIC.items() if f in of_kind("refused")])
def test_a_refusal_names_the_function_and_gives_the_reason(name: str) -> None:
    function = PUBLIC[name]
    with pytest.raises(TypeError, match=rf"^{spelled(function)} has no adjoint rule: {table[function].reason[:20]}"):
        ad.Tensor([1.0]).__array_function__(function, (), (), {})


@for_each([f for f in of_kind("constant") if isinstance(f, np.ufunc)])
def test_a_constant_ufunc_gives_a_plain_array(function: np.ufunc) -> None:
    result = function(*[ad.Tensor([1.5, -2.0])] * function.nin)
    assert type(result) is np.ndarray


def test_an_unlisted_function_is_refused_by_name() -> None:
    ufunc = np.frompyfunc(lambda x: x, 1, 1)
    with pytest.raises(TypeError, match="has no adjoint rule"):
        ufunc(ad.Tensor([1.0]))


# -- nothing is lost in silence: what moves when an array does depends on it -------------------------------------

X = np.array([[0.3, 0.8, 1.9], [0.5, 1.2, 0.7], [1.4, 0.2, 0.9]])
CALLS: list[Callable[[Any], tuple[Any, ...]]] = [  # ways in which functions of unknown signature may take an array
    *(lambda x: (x,), lambda x: (x, x), lambda x: (x, x, x), lambda x: (x[0],), lambda x: (x[0], x[0])),
    *(lambda x: (x, 1), lambda x: (x, 0.5), lambda x: (0, x), lambda x: ("ii", x), lambda x: (x, (9,))),
    *(lambda x: (X, x), lambda x: (x, X), lambda x: (X > 0.6, x), lambda x: (X > 0.6, x, X), lambda x: ([x, x],)),
    *(lambda x: ([X > 0.6], [x]), lambda x: (x, [0, 2], X[0]), lambda x: (X[0], [0.0, 1.0, 2.0], x[0])),
    *(lambda x: (x, [X > 0.6], [np.sin, np.cos]), lambda x: (np.sum, 0, x), lambda x: (np.sum, x, 0)),
    *(lambda x: (x, [[0, 1, 2]], 0), lambda x: (x, X, 0.5, 2.0, 0.1), lambda x: ([X, X], x[0], x[0])),
    *(lambda x: (x, 0, 1), lambda x: (x, (2, 3, 3)), lambda x: (x, 1, 0, 1), lambda x: ([0, 1, 2], x[0])),
    lambda x: ([[0, 1, 2]], [x[0], X[1], x[2]]),
]  # fmt: skip
DISPATCHED = {name: f for name, f in PUBLIC.items() if isinstance(f, np.ufunc) or hasattr(f, "_implementation")}


def floats(result: Any) -> list[Any]:
    """The floating-point arrays among results, in lists and tuples too."""
    if isinstance(result, list | tuple):
        return [array for part in result for array in floats(part)]
    return [result] if getattr(result, "dtype", np.dtype(int)).kind in "fc" else []


def close(before: Any, after: Any) -> bool:
    return np.shape(before) == np.shape(after) and np.allclose(before, after, rtol=1e-3)


@pytest.mark.filterwarnings("ignore")
@for_each(sorted(set(DISPATCHED) - {"np.empty_like"}))
def test_no_float_is_detached(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # np.save("ii", array) does as it is told
    function, compared = DISPATCHED[name], 0
    for arrange in CALLS:
        try:
            here, there = (floats(function(*copy.deepcopy(arrange(x)))) for x in (X, X * 1.000003))
        except Exception:  # noqa: S112  # not a way to call this one
            continue
        try:
            ours = floats(function(*copy.deepcopy(arrange(ad.Tensor(X)))))
        except (TypeError, ValueError):  # refused aloud
            continue
        assert len(ours) == len(here) == len(there)
        for array, before, after in zip(ours, here, there, strict=True):
            compared += 1
            if not isinstance(array, ad.Tensor):  # it stays as it is, or jumps
                assert np.array_equal(before, after, equal_nan=True) or not close(before, after)
    if function in of_kind("differentiable") and name.startswith("np.") and "." not in name[3:]:
        assert compared, "no call of this function is among those tried"


def with_an_axis() -> list[tuple[Any, str]]:
    """NumPy's functions with rules or a definition that take an axis, each with the names of its axes."""
    names = ("axis", "axes", "axis1", "axis2", "axisa", "axisb", "axisc", "source", "destination")
    declared = of_kind("differentiable", "composed")
    known = ((f, parameter_names(f)) for f in declared if spelled(f).startswith("np."))
    return [(f, name) for f, taken in known for name in names if name in taken]


@pytest.mark.filterwarnings("ignore")
def test_an_axis_that_numpy_refuses_is_refused() -> None:
    """Also where our own code would count it round to one that is there."""
    accepted, refusals = [], 0
    for (function, name), ndim in itertools.product(with_an_axis(), (1, 2, 3)):
        x = np.arange(1.0, 1 + 3**ndim).reshape((3,) * ndim)
        t = ad.Tensor(x)
        for axis in (ndim, -ndim - 1, (ndim,), (0, ndim), (0, 0), [[ndim], [0]]):
            for plain, ours in (
                ((x,), (t,)),
                ((x, x), (t, t)),
                (([x, x],), ([t, t],)),
                ((x, 1), (t, 1)),
                ((x, 0.5), (t, 0.5)),
            ):
                try:
                    function(*plain, **{name: axis})
                except (ValueError, TypeError, IndexError):
                    refusals += 1
                    try:
                        function(*ours, **{name: axis})
                    except (ValueError, TypeError, IndexError):
                        continue
                    accepted.append((function.__name__, name, axis, np.shape(x)))
                except Exception:  # noqa: S112  # NumPy's own code ends otherwise: not a call to compare
                    continue
    assert accepted == []
    assert refusals > 1000
