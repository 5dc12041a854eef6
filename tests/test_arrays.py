"""What the records of cases_arrays.py cannot say: ties, missing values, refusals, and how Python meets a Tensor."""

from __future__ import annotations

import copy
import pickle
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.polynomial.chebyshev as C
import numpy.polynomial.hermite as H
import numpy.polynomial.hermite_e as HE
import numpy.polynomial.laguerre as L
import numpy.polynomial.legendre as G
import numpy.polynomial.polynomial as P
import pytest
from record import sample

import autodiff as ad

NAN, INF = np.nan, np.inf
array = np.array


def gradient(f: Callable[[Any], Any], x: Any) -> Any:
    t = ad.Tensor(x)
    y = f(t)
    y.backward(np.arange(1.0, 1.0 + y.size).reshape(y.shape))
    return t.grad


# -- ties -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("f", "x", "expected"),
    [
        (np.sort, [2.0, 1.0, 2.0, 0.0], [3.5, 2.0, 3.5, 1.0]),
        (lambda t: np.partition(t, 1), [2.0, 1.0, 1.0], [3.0, 1.5, 1.5]),
        (np.median, [3.0, 3.0, 3.0], [1 / 3, 1 / 3, 1 / 3]),
        (np.median, [1.0, 1.0, 5.0, 1.0], [1 / 3, 1 / 3, 0.0, 1 / 3]),
        (lambda t: np.quantile(t, 1.0), [2.0, 5.0, 5.0], [0.0, 0.5, 0.5]),
        (np.unique, [2.0, 1.0, 2.0], [1.0, 1.0, 1.0]),
        (np.ptp, [1.0, 4.0, 1.0, 4.0], [-0.5, 0.5, -0.5, 0.5]),
        (np.nanmax, [4.0, NAN, 4.0], [0.5, 0.0, 0.5]),
        (lambda t: np.max(t, initial=4.0), [4.0, 1.0], [0.5, 0.0]),
        (lambda t: np.max(t, initial=9.0), [4.0, 1.0], [0.0, 0.0]),
        (lambda t: np.max(t, where=[False, True], initial=0.0), [4.0, 1.0], [0.0, 1.0]),
        (lambda t: np.fmax(t, 2.0), [2.0, 1.0, 3.0, NAN], [0.5, 0.0, 3.0, 0.0]),
        (lambda t: np.fmin(t, NAN), [2.0, 1.0], [1.0, 2.0]),
        (np.maximum.accumulate, [1.0, 3.0, 2.0, 3.0, 4.0], [1.0, 9.0, 0.0, 0.0, 5.0]),
        (np.minimum.accumulate, [2.0, NAN, 1.0], [1.0, 5.0, 0.0]),
        (lambda t: np.interp(t, [0.0, 1.0, 3.0], [0.0, 2.0, 0.0]), [1.0, 0.0, 3.0, -1.0], [0.5, 2.0, -1.5, 0.0]),
        (lambda t: np.hypot(t, 0.0), [0.0, -2.0], [0.0, -2.0]),
        (lambda t: np.copysign(t, -1.0), [0.0, 2.0], [0.0, -2.0]),
        (np.sinc, [0.0, 1.0], [0.0, -2.0]),
        (lambda t: np.logaddexp(t, -INF), [-INF, 0.0], [0.0, 2.0]),
        (np.nan_to_num, [NAN, INF, 2.0], [0.0, 0.0, 3.0]),
    ],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore:invalid value")
def test_the_adjoint_at_ties_and_special_values(f: Callable[..., Any], x: Any, expected: Any) -> None:
    np.testing.assert_array_equal(f(ad.Tensor(x)).value, f(array(x)))
    np.testing.assert_allclose(gradient(f, x), expected, rtol=1e-15)


def test_sinc_at_0_has_every_derivative() -> None:
    derivative: Any = np.sinc
    for expected in (1.0, 0.0, -(np.pi**2) / 3, 0.0, np.pi**4 / 5, 0.0, -(np.pi**6) / 7):
        np.testing.assert_allclose(derivative(array(0.0)), expected, rtol=1e-13)
        derivative = ad.grad(derivative)


def test_nan_goes_through_and_is_skipped() -> None:
    x = array([[NAN, 3.0, 1.0], [2.0, 0.5, 1.0], [NAN, NAN, NAN]])
    t = ad.Tensor(x)
    np.testing.assert_array_equal(np.median(t, axis=1).value, [NAN, 1.0, NAN])
    np.testing.assert_array_equal(np.quantile(t, [0.0, 1.0], axis=1).value, [[NAN, 0.5, NAN], [NAN, 2.0, NAN]])
    with pytest.warns(RuntimeWarning):
        np.testing.assert_array_equal(np.nanmean(t, axis=1).value, [2.0, 3.5 / 3, NAN])
    for f in (np.nanmedian, np.nanmax, np.nanmin):
        expected = [f(row) if np.isfinite(row).any() else NAN for row in x]
        np.testing.assert_array_equal(f(t, axis=1).value, expected)
    np.testing.assert_array_equal(np.nanpercentile(t[:2], [0, 50], axis=1).value, [[1.0, 0.5], [2.0, 1.0]])


def test_infinite_elements_have_quantiles() -> None:
    for x in ([INF, INF, 1.0], [-INF, 2.0, 5.0, INF], [INF, INF]):
        assert np.median(ad.Tensor(x)).value == np.median(x)


# -- calls as NumPy takes them ----------------------------------------------------------------------------------

X = array([[0.3, 2.0, 1.1, 0.7], [1.5, 0.2, 0.9, 2.2], [0.4, 1.8, 0.1, 1.3]])


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.nanvar(x, 0, None, None, 1, True), lambda x: np.median(x, 0, None, False, True),
        lambda x: np.quantile(x, 0.3, 1, None, False, "hazen", True),
        lambda x: np.percentile(x, 30, 1, keepdims=True), lambda x: np.nanmean(x, 1, None, None, True),
        lambda x: np.ptp(x, 1, None, True), lambda x: np.take(x, [0, 1], 1, None, "wrap"), lambda x: np.sort(x, 0),
        lambda x: np.amax(x, 0, None, True, 1.0), lambda x: np.trapezoid(x, None, 0.5, 0),
        lambda x: np.repeat(x, 2, 1), lambda x: np.cov(x, None, True, False, 0),
        lambda x: np.compress([True, False, True], x, 0), lambda x: np.unique(x, False, False, False, 1),
        lambda x: np.linspace(x, 3.0, 4, True, False, None, 1), lambda x: np.sum(a=x, axis=0, where=X > 1),
        lambda x: np.pad(array=x, pad_width=((1, 1), (2, 0))), lambda x: np.roll(x, shift=1, axis=(0, 1)),
        lambda x: np.full_like(x, x[0], None, "K", True, (2, 3, 4)), lambda x: np.choose([0, 1, 1, 0], x[:2]),
        lambda x: np.add.reduce(x, 1, None, None, True), lambda x: np.add.reduce(x, axis=(0, 1)), np.multiply.reduce,
        lambda x: np.minimum.reduce(x, -1), lambda x: np.logical_or.reduce(x > 1), lambda x: np.greater.outer(x, x),
        lambda x: np.subtract.outer(x, [1.0, 2.0]), lambda x: np.multiply.accumulate(x, 1),
        lambda x: np.insert(x, 1, 9, 1), lambda x: np.average(x, 1, [1, 2, 3, 4]),
        lambda x: np.array_split(x, 3, 1)[0], lambda x: np.where(x > 1)[1], lambda x: np.histogram(x, 3)[0],
        lambda x: np.histogram(x, [0.0, 1.0, 2.0])[1], lambda x: np.modf(x)[1], lambda x: np.divmod(x, 0.4)[0],
        lambda x: np.frexp(x)[1], lambda x: np.intersect1d(x, x[0], return_indices=True)[1], lambda x: x % 0.4,
        lambda x: 5.0 % x, lambda x: 5.0 // x, lambda x: divmod(x, 2)[0], lambda x: divmod(3, x)[1],
    ],
)  # fmt: skip
def test_calls_by_position_and_by_name(f: Callable[..., Any]) -> None:
    ours, expected = f(ad.Tensor(X)), f(X)
    if not isinstance(ours, np.ndarray):
        ours = ours.value
    assert ours.dtype == expected.dtype
    np.testing.assert_allclose(ours, expected, rtol=1e-14)


def test_constants_are_plain_and_shared_arrays_are_not_written_into() -> None:
    t = ad.Tensor([3.0, 1.0, 2.0])
    for plain in (
        t.argsort(),
        t.nonzero()[0],
        t.round(1),
        t.all(),
        t.any(axis=0),
        t.argpartition(1),
        t.searchsorted(1.5),
        t.any(where=[True, False, True]),
        t.all(where=[True, False, True], keepdims=True),
        t.argmax(0, keepdims=True),
        t.argmin(0, keepdims=True),
    ):
        assert not isinstance(plain, ad.Tensor)
    assert np.lexsort((t, t)).tolist() == [1, 2, 0]
    assert np.isin(t, [1.0, 2.0]).tolist() == [False, True, True]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda t: np.add.at(np.zeros(3), 0, t[0]), r"np\.add\.at .* t\.at\[index\]\.add\(v\)"),
        (lambda t: np.gcd.reduceat(t, [0, 1]), r"np\.gcd\.reduceat was called with a Tensor"),
        (lambda t: np.add.reduce(t, dtype=int), r"np\.add of a Tensor was asked for dtype int64.*tensor\.value"),
        (lambda t: np.mean(t, dtype=bool), r"np\.mean of a Tensor was asked for dtype bool.*floating-point dtype"),
        (lambda t: np.exp(t, dtype=int), r"np\.exp of a Tensor was asked for dtype int64"),
        (lambda t: t.sum(dtype="int32"), r"np\.sum of a Tensor was asked for dtype int32"),
        (lambda t: t.astype(int), r"astype of a Tensor was asked for dtype int64"),
        (lambda t: np.sum(t, initial=t[0]), r"np\.sum was called with initial=Tensor of shape.*\.value"),
        (lambda t: np.add.accumulate(t[0]), r"cannot accumulate on a scalar"),
        (lambda t: np.logaddexp.reduce(t, out=np.zeros(())), r"np\.logaddexp\.reduce was called with out"),
        (lambda t: np.cumsum(t, out=np.zeros(3)), r"np\.cumsum was called with out"),
        (lambda t: np.put(np.zeros(3), 0, t), r"np\.put has no adjoint rule: it writes.*t\.at"),
        (lambda t: np.putmask(np.zeros(3), [True], t), r"np\.putmask has no adjoint rule"),
        (lambda t: np.fill_diagonal(t, 1.0), r"np\.fill_diagonal has no adjoint rule"),
        (lambda t: np.full(3, t), r"np\.asarray\(tensor\)|np\.copyto"),
        (lambda t: np.nan_to_num(t, copy=False), r"copy=False"),
        (lambda t: np.take(t, t), r"integer indices"),
        (lambda t: np.bincount(t), r"np\.bincount counts integers"),
        (lambda t: np.quantile(t, ad.Tensor(0.5), method="hazen"), r"method='linear'"),
        (lambda t: np.save("file", t), r"np\.save has no adjoint rule: .*tensor\.value"),
        (lambda t: np.nextafter(t, 1.0), r"np\.nextafter has no adjoint rule"),
        (lambda t: np.bitwise_and(t, 1), r"np\.bitwise_and has no adjoint rule: it is for integers"),
        (lambda t: np.vectorize(np.sin)(t), r"would lose the derivative"),
        (lambda t: 1.0 in t, r"np\.any\(t == value\)"),
        (pickle.dumps, r"pickling was asked of .*tensor\.value"),
    ],
)  # fmt: skip
def test_refusals_say_what_to_do(call: Callable[..., Any], message: str) -> None:
    with pytest.raises(TypeError, match=message):
        call(ad.Tensor([1.0, 2.0, 3.0]))


@pytest.mark.parametrize(
    "call",
    [
        lambda t: np.pad(t, 1, "empty"), lambda t: np.pad(t, -1), lambda t: np.block([[t], t]),
        lambda t: np.diff(t, -1), lambda t: np.gradient(t, edge_order=2), lambda t: np.choose([5], [t]),
        lambda t: np.average(t, 0, [1.0, 2.0, 3.0]), lambda t: np.select([t > 1], [t, t]),
        lambda t: np.stack([t, t[:1]]), lambda t: np.interp(t, [0.0, 1.0], [0.0]), lambda t: np.geomspace(t, -1.0),
        lambda t: np.median(t[:0]), lambda t: np.meshgrid(t, indexing="zz"),
    ],
)  # fmt: skip
def test_values_that_make_no_sense_are_refused(call: Callable[..., Any]) -> None:
    with pytest.raises(ValueError, match=r"np|quantile"):
        call(ad.Tensor([1.0, 2.0]))


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("sort", "np.sort(t)"),
        ("fill", "t.at"),
        ("tolist", "t.value.tolist"),
        ("exp", "np.exp(t)"),
        ("foo", "'foo'"),
    ],
)
def test_attributes_that_are_not_there(name: str, hint: str) -> None:
    t = ad.Tensor([1.0])
    assert not hasattr(t, name)
    with pytest.raises(AttributeError) as raised:
        getattr(t, name)
    assert hint in str(raised.value)


def test_a_property_that_refuses_keeps_its_words() -> None:
    with pytest.raises(AttributeError, match="retain_grad"):
        _ = (ad.Tensor(1.0) * 2).grad


def test_a_variance_without_degrees_of_freedom_is_numpys() -> None:
    x = np.array([1.0, 2.0])
    with np.errstate(divide="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for ddof in (2, 3):
            assert np.var(ad.Tensor(x), ddof=ddof).item() == np.var(x, ddof=ddof) == INF


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_a_narrower_dtype_is_computed_in(dtype: Any) -> None:
    """Too coarse for the difference quotients of the records: the value is NumPy's to the bit, the adjoint near."""
    x = sample(3, 4, low=0.4)
    reductions = np.sum, np.mean, np.prod, np.var, np.std, np.nansum, np.nanprod, np.nanmean, np.nanvar, np.nanstd
    calls: list[Callable[..., Any]] = [*reductions, np.cumsum, np.cumprod, np.nancumsum, np.exp, np.add.reduce]
    calls += [lambda a, f=f, **k: f([a, a], **k) for f in (np.concatenate, np.stack, np.hstack, np.vstack)]
    calls += [lambda a, **k: np.multiply(a, a[0], **k), lambda a, **k: np.matmul(a, a.T, **k), np.logaddexp.accumulate]
    for f in calls:
        t = ad.Tensor(x)
        y, expected = f(t, dtype=dtype), f(x, dtype=dtype)
        assert y.dtype == expected.dtype == dtype
        np.testing.assert_array_equal(y.value, expected)
        found, exact = y.adjoints(np.ones(y.shape))[t], f(t).adjoints(np.ones(y.shape))[t]
        assert found.dtype == np.float64
        np.testing.assert_allclose(found, exact, rtol=20 * float(np.finfo(dtype).eps), atol=0.01)


# -- numpy.polynomial -------------------------------------------------------------------------------------------

SERIES = [(P, "poly"), (C, "cheb"), (G, "leg"), (H, "herm"), (HE, "herme"), (L, "lag")]


@pytest.mark.parametrize(("module", "family"), SERIES, ids=[family for _, family in SERIES])
def test_coefficients_of_a_series_are_refused_with_what_to_type(module: Any, family: str) -> None:
    def named(operation: str) -> Any:
        return getattr(module, family + operation)

    def basis(f: Any, c: Any) -> Any:
        return f(np.eye(c.size)) @ c

    def points(x: Any, c: Any) -> Any:
        return named("val")(x[..., None], np.eye(c.size), tensor=False) @ c

    x, a, b = sample(2, 3), sample(4, salt=1), sample(3, salt=2)
    for call, instead, text, arrays in (
        (named("der"), lambda c: basis(named("der"), c), r"der\(np\.eye\(c\.size\)\) @ c", (a,)),
        (named("int"), lambda c: basis(named("int"), c), r"int\(np\.eye\(c\.size\)\) @ c", (a,)),
        (named("add"), lambda a, b: np.polyadd(a[::-1], b[::-1])[::-1], r"np\.polyadd\(a\[::-1\]", (a, b)),
        (named("sub"), lambda a, b: np.polysub(a[::-1], b[::-1])[::-1], r"np\.polysub\(a\[::-1\]", (a, b)),
        (named("val"), points, r"np\.polyval" if family == "poly" else r"x\[\.\.\., None\]", (x, a)),
    ):
        with pytest.raises(TypeError, match=f"instead of {call.__name__} type .*{text}"):
            call(*map(ad.Tensor, arrays))
        np.testing.assert_allclose(instead(*map(ad.Tensor, arrays)).value, call(*arrays), rtol=1e-13)
        ad.check_grads(instead, *arrays)
    ad.check_grads(lambda x: named("val")(x, a), x)  # the points may be Tensors
    with pytest.raises(TypeError, match=r"np\.polyval, np\.polymul"):
        named("pow")(ad.Tensor(a), 2)


def test_power_series_have_their_own_words() -> None:
    x, a, b = sample(5), sample(3, salt=1), sample(3, salt=2)
    for call, instead, arrays in (
        (P.polyval, lambda x, c: np.polyval(c[::-1], x), (x, a)),
        (P.polymul, np.convolve, (a, b)),
        (lambda x: P.polyvander(x, 2), lambda x: np.vander(x, 3, increasing=True), (x,)),
        (lambda x, y: P.polyfit(x, y, 2), lambda x, y: np.polyfit(x, y, 2)[::-1], (x, sample(5, salt=3))),
        (P.polyroots, lambda c: np.sort(np.roots(c[::-1])), (np.array([1.0, -3.0, 1.0]),)),
        (P.polyfromroots, lambda roots: np.poly(roots)[::-1], (a,)),
    ):
        with pytest.raises(TypeError, match="instead of poly"):
            call(*map(ad.Tensor, arrays))
        np.testing.assert_allclose(instead(*map(ad.Tensor, arrays)).value, call(*arrays), rtol=1e-9)


# -- copies and the array API -----------------------------------------------------------------------------------


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy])
def test_a_copy_of_a_leaf_is_a_leaf_of_its_own(copied: Callable[[Any], Any]) -> None:
    t = ad.Tensor([1.0, 2.0], name="w")
    other = copied(t)
    assert (other.primitive, other.name, other.grad) == (None, "w", None)
    other.value = [5.0, 6.0]
    assert t.value.tolist() == [1.0, 2.0]
    result = copied(t * 3)
    result.backward(np.ones(2))
    assert t.grad is not None
    assert t.grad.tolist() == [3.0, 3.0]


def test_a_structure_is_copied_with_its_sharing() -> None:
    t = ad.Tensor(1.0)
    first, second = copy.deepcopy([t, t])
    assert first is second is not t


def test_the_array_namespace_is_numpys() -> None:
    t = ad.Tensor([1.0, 2.0])
    xp = t.__array_namespace__(api_version="2022.12")
    assert xp is np
    assert t.device == "cpu"
    assert t.to_device("cpu") is t
    with pytest.raises(ValueError, match="'tpu' was asked for; there are cpu, cuda"):
        t.to_device("tpu")
