"""Records of the functions that move, choose, order, scan and summarise; one or several for each."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from record import PAIRS, SHAPES, Case, sample

from autodiff.rules import elementwise, order, padding, series
from autodiff.rules import ufunc_methods as methods

NAN, INF = np.nan, np.inf


def named(f: Any, label: Any) -> str:
    return f"{f.__name__}-{' '.join(str(label).split())}"


def with_nan(x: np.ndarray, *places: int) -> np.ndarray:
    """What a call makes NaN of some elements with: 0 where they are to be kept."""
    marks = np.zeros(x.size)
    marks[list(places)] = NAN
    return marks.reshape(x.shape)


# -- elementwise ------------------------------------------------------------------------------------------------

UNARY: list[tuple[Any, tuple[float, float]]] = [
    *((f, (-1.3, 2.1)) for f in (np.arcsinh, np.exp2, np.sinc, np.i0, np.deg2rad, np.rad2deg, np.radians, np.degrees)),
    *((f, (-1.3, 2.1)) for f in (np.nan_to_num, elementwise.fraction)),
    (np.arccosh, (1.2, 3.0)),
    (np.arctanh, (-0.8, 0.9)),
    (np.cbrt, (0.3, 3.0)),
]
BINARY: list[tuple[Any, tuple[float, float], tuple[float, float]]] = [
    *((f, (-1.3, 2.1), (-2.1, 1.4)) for f in (np.hypot, np.logaddexp, np.logaddexp2, np.fmax, np.fmin)),
    (np.float_power, (0.3, 2.0), (-1.5, 2.5)),
    (np.remainder, (-2.3, 4.1), (-1.9, -1.1)),
    (np.fmod, (-2.3, 4.1), (1.1, 1.9)),
]


def elementwise_cases() -> Iterator[Case]:
    for (f, (low, high)), shape in itertools.product(UNARY, SHAPES):
        yield Case(named(f, shape), f, (sample(*shape, low=low, high=high),))
    for (f, first, second), (left, right) in itertools.product(BINARY, PAIRS):
        a = sample(*left, low=first[0], high=first[1], salt=1)
        b = sample(*right, low=second[0], high=second[1], salt=2)
        yield Case(named(f, (left, right)), f, (a, b))
    x, infinite = sample(2, 3), np.array([0.0, -INF, NAN])
    yield Case("cbrt-negative", np.cbrt, (sample(3, low=-3.0, high=-0.3),))
    yield Case("remainder-signs", np.remainder, (sample(6, low=-5, high=4),), call=lambda a: np.remainder(a, 1.7))
    yield Case("fmod-signs", np.fmod, (sample(6, low=-5, high=4),), call=lambda a: np.fmod(a, -1.7))
    yield Case("mod-operator", np.remainder, (sample(6, low=0.4, high=2),), call=lambda b: 5.3 % b + b % 0.31)
    yield Case("divmod", np.divmod, (x,), call=lambda a: np.divmod(a, 0.7)[1] * divmod(a, 0.6)[1])
    yield Case("modf", np.modf, (x,), call=lambda a: np.modf(a)[0] * np.modf(a)[1])
    yield Case("frexp", np.frexp, (x,), call=lambda a: np.frexp(a)[0] ** 2)
    yield Case("ldexp", np.ldexp, (x,), call=lambda a: np.ldexp(a, [3, -2, 0]))
    yield Case("heaviside", np.heaviside, (x,), call=lambda h: np.heaviside([-1.0, 0.0, 1.0], h))
    yield Case("copysign", np.copysign, (x,), call=lambda a: np.copysign(a, [1.0, -1.0, -0.0]))
    yield Case(
        "nan_to_num-replaced", np.nan_to_num, (x,), call=lambda a: np.nan_to_num(a + infinite, nan=1.0, neginf=2)
    )
    yield Case("nan_to_num-nan", np.nan_to_num, (x,), call=lambda a: np.nan_to_num(a - infinite, posinf=5.0))
    for scale in (1e-9, 1e-3, 0.2, 1.0, 4.0):
        yield Case(f"sinc-near-{scale}", np.sinc, (sample(3) * scale,))
        yield Case(f"i0-near-{scale}", np.i0, (sample(3) * scale,))
    for n in range(5):
        yield Case(f"spherical-{n}", series.spherical, (sample(5, low=-7, high=8),), {"order": n})
        yield Case(f"bessel-{n}", series.bessel, (sample(5),), {"order": n})
    yield Case("unwrap", np.unwrap, (sample(7, low=-9, high=9),))
    yield Case("unwrap-axis", np.unwrap, (sample(3, 4, low=-9, high=9),), {"axis": 0, "period": 5.0, "discont": 2.6})
    mask = np.array([[True], [False]])
    yield Case("where", elementwise.where, (x, sample(3, salt=1)), call=lambda a, b: np.where(mask, a, b))
    for ufunc in (np.multiply, np.subtract, np.hypot):
        yield Case(named(ufunc, "outer"), ufunc, (sample(2, 3), sample(2, salt=1)), call=ufunc.outer)
    yield Case("multiply-outer-0d", np.multiply, (sample(), sample(3, salt=1)), call=np.multiply.outer)


# -- reductions and scans ---------------------------------------------------------------------------------------

AXES = [((2, 3, 4), axis) for axis in (None, 0, -1, (0, 2), (-1, 1))] + [((), None), ((1,), 0), ((3,), -1)]
WIDER = np.float64, np.longdouble  # than float32, which every record is run in too
EVEN = np.arange(12).reshape(3, 4) % 2 == 0


def reductions() -> Iterator[Case]:
    reduced = [np.ptp, np.median, np.nansum, np.nanprod, np.nanmean, np.nanvar, np.nanmax, np.nanmin, np.nanmedian]
    for f, (shape, axis), keepdims in itertools.product([*reduced, np.average], AXES, (False, True)):
        yield Case(named(f, (shape, axis, keepdims)), f, (sample(*shape),), {"axis": axis, "keepdims": keepdims})
    x = sample(3, 4)
    missing = with_nan(x, 1, 4, 11)
    for f, axis in itertools.product([*reduced[2:], np.nanstd, np.nancumsum, np.nancumprod], (None, 0, -1)):
        yield Case(
            named(f, ("NaN", axis)), f, (x,), {"axis": axis}, call=lambda a, f=f, axis=axis: f(a + missing, axis=axis)
        )
    yield Case("nanstd", np.nanstd, (x,), {"ddof": 1, "axis": 0, "keepdims": True})
    yield Case("nanvar-correction", np.nanvar, (x,), {"correction": 1})
    for f in (np.sum, np.mean, np.prod, np.var, np.std):
        for axis, keepdims in itertools.product((None, 1), (False, True)):
            yield Case(
                named(f, ("where", axis, keepdims)), f, (x,), {"axis": axis, "keepdims": keepdims, "where": EVEN}
            )
        yield Case(named(f, "where-row"), f, (x,), {"where": np.array([True, False, True, True]), "axis": 1})
    for f, initial in ((np.max, 0.9), (np.min, 0.1), (np.max, 9.0), (np.amax, 0.9), (np.amin, 0.1)):
        yield Case(named(f, ("initial", initial)), f, (x,), {"initial": initial, "axis": 1})
        yield Case(named(f, ("where", initial)), f, (x,), {"initial": initial, "axis": 0, "where": EVEN})
    yield Case("prod-initial", np.prod, (x,), {"initial": 2.5, "axis": 0})
    zeros = np.where(np.arange(12).reshape(3, 4) % 5 == 1, 0.0, x)
    yield Case(
        "prod-initial-zeros", np.prod, (zeros,), {"initial": 2.5, "axis": 0, "where": np.arange(12).reshape(3, 4) != 3}
    )
    yield Case("var-mean", np.var, (x,), call=lambda a: np.var(a, 0, mean=np.mean(a, 0, keepdims=True), ddof=1))
    for axis, shape in ((None, (3, 4)), (0, (3,)), (-1, (4,)), (1, (3, 4)), ((1, 0), (4, 3)), ((0, 1), (3, 4))):
        w = sample(*shape, low=0.2, high=2.0, salt=1)
        yield Case(f"average-{shape}-{axis}", np.average, (x, w), call=lambda a, w, axis=axis: np.average(a, axis, w))
    w = sample(4, low=0.2, high=2.0, salt=1)
    yield Case(
        "average-returned", np.average, (x, w), call=lambda a, w: product_of(np.average(a, 1, w, True, keepdims=True))
    )
    for f, name in ((np.add, "sum"), (np.multiply, "prod"), (np.maximum, "max"), (np.minimum, "min")):
        for axis in (0, 1, None, (0, 1)):
            yield Case(
                f"{f.__name__}-reduce-{axis}", getattr(np, name), (x,), call=lambda a, f=f, k=axis: f.reduce(a, axis=k)
            )
        yield Case(f"{f.__name__}-reduce", getattr(np, name), (x,), call=lambda a, f=f: f.reduce(a, keepdims=True))
        call = lambda a, f=f: f.reduce(a, axis=1, initial=0.7, where=EVEN, dtype=np.longdouble)  # noqa: E731
        yield Case(f"{f.__name__}-reduce-parameters", getattr(np, name), (x,), call=call)
        for axis in (0, -1):
            yield Case(
                f"{f.__name__}-accumulate-{axis}", np.cumsum, (x,), call=lambda a, f=f, k=axis: accumulated(f, a, k)
            )
    yield Case("fmax-reduce", np.nanmax, (x,), call=lambda a: np.fmax.reduce(a + missing, axis=1))
    yield Case("fmin-reduce", np.nanmin, (x,), call=lambda a: np.fmin.reduce(a + missing))


def parts_and_dtypes() -> Iterator[Case]:
    """Reductions with dtype=, where= and initial=, as functions and as methods."""
    x = sample(3, 4)
    missing = with_nan(x, 1, 4, 11)
    for f, dtype in itertools.product(
        (*(np.sum, np.mean, np.prod, np.var, np.std), *(np.nansum, np.nanmean, np.nanprod, np.nanvar, np.nanstd)), WIDER
    ):
        yield Case(named(f, ("dtype", dtype.__name__)), f, (x,), {"axis": 1, "dtype": dtype, "where": EVEN})
        yield Case(named(f, ("dtype-all", dtype.__name__)), f, (x,), {"dtype": dtype})
    for f in (np.nansum, np.nanprod, np.nanmax, np.nanmin):
        for axis, initial in itertools.product((None, 1), (0.4, 9.0)):
            k: dict[str, Any] = {"axis": axis, "initial": initial}
            yield Case(named(f, ("initial", axis, initial)), f, (x,), k, skipping(f, missing))
            k = k | {"where": EVEN, "keepdims": True}
            yield Case(named(f, ("where", axis, initial)), f, (x,), k, skipping(f, missing))
    for f, axis in itertools.product((np.nansum, np.nanmean, np.nanvar, np.nanstd), (None, 1)):
        # One element alone has the deviation 0, where the root has no second derivative.
        k = {"axis": axis, "where": True if (f, axis) == (np.nanstd, 1) else ~EVEN}
        yield Case(named(f, ("where", axis)), f, (x,), k, skipping(f, missing))
    yield Case(
        "nanvar-mean", np.nanvar, (x,), call=lambda a: np.nanvar(a + missing, 1, mean=np.mean(a, 1, keepdims=True))
    )
    for f in (np.sum, np.prod, np.nanvar, np.nanmean, np.nansum, np.nanmax, np.nanmin):
        yield Case(named(f, "0d-axis"), f, (sample(),), {"axis": 0})
        yield Case(named(f, "0d-last"), f, (sample(),), {"axis": -1, "keepdims": True})
    yield Case("sum-initial", np.sum, (x,), {"initial": 2.5, "axis": 0})
    yield Case("sum-methods", np.sum, (x,), call=lambda a: a.sum(0, initial=1.0) * a.max(0, initial=0.3, where=EVEN))
    yield Case("mean-methods", np.mean, (x,), call=lambda a: a.mean(1, where=EVEN) * a.prod(1, where=EVEN, initial=2))
    yield Case("std-methods", np.std, (x,), call=lambda a: a.var(0, mean=a[1]) * a.std(0, mean=np.mean(a)))
    yield Case("var-methods", np.var, (x,), call=lambda a: a.var(where=EVEN, ddof=1) * a.std(0, np.longdouble))


def ufunc_methods() -> Iterator[Case]:
    """The methods that no function says the same as."""
    x, y = sample(3, 4, low=0.4), sample(7, 2, low=0.4)
    yield Case("sums", methods.sums, (y,), {"indices": [0, 3, 3, 1]})
    associative = np.logaddexp, np.logaddexp2, np.hypot
    for f, axis in itertools.product((*associative, np.subtract, np.divide, np.float_power), (0, -1)):
        yield Case(named(f, ("reduce", axis)), f, (x,), call=lambda a, f=f, k=axis: f.reduce(a, axis=k))
        yield Case(named(f, ("accumulate", axis)), f, (x,), call=lambda a, f=f, k=axis: f.accumulate(a, axis=k))
        k: dict[str, Any] = {"axis": axis, "initial": 0.8, "where": EVEN, "keepdims": True}
        yield Case(named(f, ("where", axis)), f, (x,), k, lambda a, f=f, **k: f.reduce(a, **k))
    for f, axis in itertools.product(associative, (None, (1, 0), ())):
        yield Case(named(f, ("reduce", axis)), f, (x,), call=lambda a, f=f, k=axis: f.reduce(a, axis=k))
    yield Case("logaddexp-reduce-many", np.logaddexp, (y,), call=lambda a: np.logaddexp.reduce(a, dtype=np.longdouble))
    yield Case(
        "logaddexp-reduce-none",
        np.logaddexp,
        (y,),
        call=lambda a: np.logaddexp(np.logaddexp.reduce(a[:0], initial=1.0), a),
    )
    yield Case("hypot-reduce-0d", np.hypot, (sample(),), call=np.hypot.reduce)
    yield Case("subtract-accumulate-none", np.subtract, (sample(0, 3),), call=lambda a: a - np.subtract.accumulate(a))
    for f, places in itertools.product(
        (np.add, np.multiply, np.maximum, np.subtract, np.logaddexp), ([0, 3, 5], [6, 1, 1, 2], [])
    ):
        yield Case(named(f, ("reduceat", places)), np.concatenate, (y,), call=lambda a, f=f, p=places: f.reduceat(a, p))
    yield Case(
        "add-reduceat-axis",
        np.concatenate,
        (x,),
        call=lambda a: np.add.reduceat(a, [0, 2], axis=1, dtype=np.longdouble),
    )


def computed_in_another_dtype() -> Iterator[Case]:
    x, y = sample(2, 3, low=0.4), sample(3, low=0.4, salt=1)
    for dtype in WIDER:
        for f in (np.exp, np.sqrt, np.tanh, np.absolute):
            yield Case(named(f, dtype.__name__), f, (x,), {"dtype": dtype})
        for f in (np.add, np.multiply, np.power, np.logaddexp):
            yield Case(named(f, dtype.__name__), f, (x, y), {"dtype": dtype})
            yield Case(named(f, ("number", dtype.__name__)), f, (y,), call=lambda b, f=f, d=dtype: f(2, b, dtype=d))
        yield Case(named(np.matmul, dtype.__name__), np.matmul, (x, y), {"dtype": dtype})
        yield Case(named(np.outer, dtype.__name__), np.multiply, (x, y), {"dtype": dtype}, np.multiply.outer)
        for f in (np.cumsum, np.cumprod, np.nancumsum, np.nancumprod):
            yield Case(named(f, dtype.__name__), f, (x,), {"dtype": dtype, "axis": 1})
        for f in (np.concatenate, np.stack, np.hstack, np.vstack):
            yield Case(named(f, dtype.__name__), f, (x, x + 1), {"dtype": dtype}, lambda *a, f=f, **k: f(a, **k))
        for f in (np.linspace, np.logspace, np.geomspace):
            yield Case(named(f, dtype.__name__), f, (y, y + 1), {"num": 4, "dtype": dtype})
        for f in (np.trace, np.linalg.trace, np.cov, np.corrcoef):
            yield Case(named(f, dtype.__name__), f, (x,), {"dtype": dtype})
        yield Case(
            named(np.full_like, dtype.__name__),
            np.full_like,
            (y,),
            call=lambda a, d=dtype: np.full_like(a, a[0], dtype=d),
        )
        for name in ("cumulative_sum", "cumulative_prod"):
            if f := getattr(np, name, None):
                yield Case(named(f, dtype.__name__), f, (x,), {"axis": 1, "dtype": dtype, "include_initial": True})
    yield Case("cumsum-methods-dtype", np.cumsum, (x,), call=lambda a: a.cumsum(0, WIDER[1]) * a.cumprod(1, WIDER[1]))
    yield Case("trace-method-dtype", np.trace, (x,), call=lambda a: a.trace(dtype=WIDER[1]) * a.sum(dtype=WIDER[0]))


def accumulated(f: Any, a: Any, axis: int) -> Any:
    return np.cumsum(f.accumulate(a, axis=axis))


def scans() -> Iterator[Case]:
    for f, (shape, axis) in itertools.product(
        (np.cumsum, np.cumprod, np.nancumsum, np.nancumprod), AXES[:3] + AXES[6:]
    ):
        yield Case(named(f, (shape, axis)), f, (sample(*shape),), {"axis": axis})
    for f, shape in itertools.product((np.cumsum, np.cumprod), ((0,), (0, 3), (3, 0))):
        yield Case(named(f, (shape, 0)), f, (sample(*shape),), {"axis": 0})
    x = sample(3, 4)
    for places, axis in itertools.product([(5,), (5, 6), (0, 5, 10), (0, 1, 2), (3, 7)], (None, 0, -1)):
        zeros = x.copy()
        zeros.flat[list(places)] = 0
        yield Case(f"cumprod-zeros-{places}-{axis}", np.cumprod, (zeros,), {"axis": axis})
    yield Case("cumsum-methods", np.cumsum, (x,), call=lambda a: a.cumsum(1) + a.cumsum().reshape(3, 4) * a.cumprod(0))
    for name in ("cumulative_sum", "cumulative_prod"):
        if f := getattr(np, name, None):
            for axis, initial in itertools.product((0, -1), (False, True)):
                yield Case(f"{name}-{axis}-{initial}", f, (x,), {"axis": axis, "include_initial": initial})
            yield Case(f"{name}-row", f, (sample(3),), {"include_initial": True})
    for n, axis in itertools.product((0, 1, 2, 3), (0, -1)):
        yield Case(f"diff-{n}-{axis}", np.diff, (x,), {"n": n, "axis": axis})
    yield Case(
        "diff-ends", np.diff, (x, sample(3, 2, salt=1), sample(salt=2)), call=lambda a, b, c: np.diff(a, 2, 1, b, c)
    )
    yield Case("diff-append", np.diff, (x,), call=lambda a: np.diff(a, axis=0, append=0.5))
    yield Case("diff-of-one", np.diff, (sample(1),))
    yield Case("ediff1d", np.ediff1d, (x,))
    yield Case("ediff1d-ends", np.ediff1d, (x, sample(2, salt=1)), call=lambda a, b: np.ediff1d(a, b, 0.5))
    yield Case("trapezoid", np.trapezoid, (x,))
    yield Case("trapezoid-dx", np.trapezoid, (x,), {"dx": 0.3, "axis": 0})
    yield Case("trapezoid-x", np.trapezoid, (x, sample(4, salt=1)))
    yield Case("trapezoid-axis", np.trapezoid, (x, sample(3, salt=1)), {"axis": 0})
    yield Case("trapezoid-grid", np.trapezoid, (x, sample(3, 4, salt=1)), {"axis": 0})
    places = np.array([0.0, 0.3, 1.1, 1.5, 2.6])
    f = sample(5, 4)
    for edge_order in (1, 2):
        k = {"edge_order": edge_order}
        yield Case(f"gradient-{edge_order}", np.gradient, (f,), call=lambda a, k=k: np.stack(np.gradient(a, **k)))
        yield Case(
            f"gradient-step-{edge_order}", np.gradient, (f,), call=lambda a, k=k: np.gradient(a, 0.2, axis=0, **k)
        )
        yield Case(f"gradient-row-{edge_order}", np.gradient, (sample(5),), k)
        yield Case(
            f"gradient-places-{edge_order}",
            np.gradient,
            (sample(5), places),
            call=lambda a, x, k=k: np.gradient(a, x, **k),
        )
        yield Case(
            f"gradient-fixed-{edge_order}", np.gradient, (f,), call=lambda a, k=k: np.gradient(a, places, axis=0, **k)
        )
        yield Case(
            f"gradient-even-{edge_order}",
            np.gradient,
            (f,),
            call=lambda a, k=k: np.gradient(a, [0, 2, 4, 6], axis=-1, **k),
        )
        yield Case(
            f"gradient-both-{edge_order}", np.gradient, (f,), call=lambda a, k=k: np.gradient(a, places, 0.5, **k)[1]
        )
    yield Case("gradient-of-two", np.gradient, (sample(2),))
    yield Case("gradient-of-step", np.gradient, (sample(4), sample(low=0.4, high=2)))


def skipping(f: Any, missing: np.ndarray) -> Any:
    """f of the array with some elements made NaN."""
    return lambda a, **k: f(a + missing, **k)


# -- statistics -------------------------------------------------------------------------------------------------

METHODS = "inverted_cdf averaged_inverted_cdf closest_observation interpolated_inverted_cdf hazen weibull linear"
METHODS += " median_unbiased normal_unbiased lower higher midpoint nearest"


def statistics() -> Iterator[Case]:
    x = sample(3, 4)
    for f, axis, keepdims in itertools.product((np.quantile, np.nanquantile), (None, 0, -1, (1, 0)), (False, True)):
        for q in (0.0, 0.3, 1.0, np.array([[0.1, 0.5, 0.99]])):
            parameters = {"q": q, "axis": axis, "keepdims": keepdims}
            yield Case(named(f, (q, axis, keepdims)), f, (x,), parameters)
    for method, f in itertools.product(METHODS.split(), (np.quantile, np.nanquantile)):
        yield Case(named(f, method), f, (sample(7),), {"q": [0.33, 0.8], "method": method})
    missing = with_nan(x, 1, 4, 5)
    for axis in (None, 0, 1):
        yield Case(f"percentile-{axis}", np.percentile, (x,), {"q": 35, "axis": axis})
        yield Case(
            f"nanpercentile-{axis}",
            np.nanpercentile,
            (x,),
            call=lambda a, axis=axis: np.nanpercentile(a + missing, [[20.0], [70.0]], axis),
        )
        yield Case(
            f"nanquantile-{axis}",
            np.nanquantile,
            (x,),
            call=lambda a, axis=axis: np.nanquantile(a + missing, 0.4, axis),
        )
    k: dict[str, Any] = {"method": "inverted_cdf"}
    for axis, shape in ((None, (3, 4)), (0, (3,)), (-1, (4,)), ((1, 0), (4, 3)), (1, (3, 4))):
        w = k | {"axis": axis, "weights": sample(*shape, low=0.2, high=2.0, salt=3)}
        yield Case(f"quantile-weights-{axis}-{shape}", np.quantile, (x,), w | {"q": [0.2, 0.7]})
        yield Case(f"percentile-weights-{axis}-{shape}", np.percentile, (x,), w | {"q": 40, "keepdims": True})
        if shape == (3, 4):  # NumPy's own that skip NaN fail with others
            w |= {"q": [20.0, 70.0]}
            yield Case(f"nanpercentile-weights-{axis}", np.nanpercentile, (x,), w, skipping(np.nanpercentile, missing))
            w |= {"q": 0.4, "keepdims": True}
            yield Case(f"nanquantile-weights-{axis}", np.nanquantile, (x,), w, skipping(np.nanquantile, missing))
    qs = sample(3, low=0.1, high=0.9, salt=1)
    yield Case("quantile-q", np.quantile, (x, qs), {"axis": 0})
    yield Case("percentile-q", np.percentile, (x, 100 * qs[0]))
    yield Case("median-even", np.median, (sample(6),))
    for rowvar, ddof in itertools.product((True, False), (None, 0)):
        parameters = {"rowvar": rowvar, "ddof": ddof}
        yield Case(f"cov-{rowvar}-{ddof}", np.cov, (x,), parameters)
        yield Case(f"cov-two-{rowvar}-{ddof}", np.cov, (x, sample(3, 4, salt=1)), parameters)
        yield Case(f"corrcoef-{rowvar}-{ddof}", np.corrcoef, (x,), {"rowvar": rowvar})
    yield Case("cov-row", np.cov, (sample(5),))
    yield Case("cov-rows", np.cov, (sample(5), sample(5, salt=1)), {"bias": True})
    w = sample(4, low=0.2, high=2.0, salt=2)
    yield Case("cov-aweights", np.cov, (x, w), call=lambda a, w: np.cov(a, aweights=w))
    yield Case("cov-fweights", np.cov, (x,), {"fweights": [1, 2, 0, 3]})
    yield Case("cov-weights", np.cov, (x, w), call=lambda a, w: np.cov(a, fweights=[1, 2, 1, 3], aweights=w))
    yield Case("corrcoef-two", np.corrcoef, (sample(5), sample(5, salt=1)))
    a = sample(9, low=0, high=3)
    yield Case("bincount", np.bincount, (sample(5),), call=lambda w: np.bincount([0, 3, 1, 3, 3], w, minlength=6))
    yield Case("histogram-weights", np.histogram, (sample(9, salt=1),), call=lambda w: np.histogram(a, 4, weights=w)[0])
    yield Case("histogram-edges", np.histogram, (a,), call=lambda a: np.histogram(a, 4)[1])
    yield Case("histogram-density", np.histogram, (a,), call=lambda a: np.histogram(a, 3, density=True)[0])
    yield Case("histogram_bin_edges", np.histogram_bin_edges, (a,), {"bins": "sturges"})


# -- shapes -----------------------------------------------------------------------------------------------------


def moved() -> Iterator[Case]:
    x = sample(2, 3, 4)
    for source, destination in ((0, -1), ([0, 2], [1, 0]), ((-1, 0), (0, 1))):
        yield Case(
            f"moveaxis-{source}-{destination}", np.moveaxis, (x,), {"source": source, "destination": destination}
        )
    for axis, start in itertools.product((0, 1, -1), (0, 1, 3, -1)):
        yield Case(f"rollaxis-{axis}-{start}", np.rollaxis, (x,), {"axis": axis, "start": start})
    yield Case("matrix_transpose", np.matrix_transpose, (x,))
    for axis in (None, 0, -1, (0, 2)):
        yield Case(f"flip-{axis}", np.flip, (x,), {"axis": axis})
    yield Case("flip-0d", np.flip, (sample(),))
    yield Case("fliplr", np.fliplr, (x,))
    yield Case("flipud", np.flipud, (x,))
    for k, axes in itertools.product((0, 1, 2, -1, 7), ((0, 1), (2, 0))):
        yield Case(f"rot90-{k}-{axes}", np.rot90, (x,), {"k": k, "axes": axes})
    for shift, axis in ((2, None), (-1, 0), (5, -1), ((1, 2), (0, 2)), ((1, 1), (1, 1)), (2, (0, 1))):
        yield Case(f"roll-{shift}-{axis}", np.roll, (x,), {"shift": shift, "axis": axis})
    for f, k in itertools.product((np.tril, np.triu), (-1, 0, 2)):
        yield Case(named(f, k), f, (x,), {"k": k})
        yield Case(named(f, ("row", k)), f, (sample(3),), {"k": k})


def laid_out() -> Iterator[Case]:
    """Calls whose result memory's order decides, made so that the sum of it does not."""
    x = sample(2, 3, 4)
    for layout in ("A", "F"):
        yield Case(
            f"reshape-{layout}", np.reshape, (x,), call=lambda a, o=layout: np.sum(np.reshape(a, (4, 6), o) ** 2)
        )
        yield Case(f"ravel-{layout}", np.ravel, (x,), call=lambda a, o=layout: np.sum(np.ravel(a, o) ** 2))
    yield Case("reshape-method-A", np.reshape, (x,), call=lambda a: a.reshape(-1, order="A").sum() * a.ravel("A").sum())
    if hasattr(np, "unstack"):  # since NumPy 2.1
        yield Case("reshape-copy", np.reshape, (x,), {"shape": (6, 4), "copy": True})
        yield Case("reshape-method-copy", np.reshape, (x,), call=lambda a: a.reshape(6, 4, copy=True))


def windows() -> Iterator[Case]:
    f = np.lib.stride_tricks.sliding_window_view
    x = sample(3, 4)
    yield Case("sliding_window_view-row", f, (sample(6),), {"window_shape": 3})
    yield Case("sliding_window_view-both", f, (x,), {"window_shape": (2, 3)})
    yield Case("sliding_window_view-position", f, (x,), call=lambda a: f(a, (2, 3)) * a[0, 0])
    for axis in (0, -1):
        yield Case(f"sliding_window_view-{axis}", f, (x,), {"window_shape": 2, "axis": axis})
    yield Case("sliding_window_view-twice", f, (x,), {"window_shape": (2, 2), "axis": (1, 1)})


def widened() -> Iterator[Case]:
    for f, shape in itertools.product(
        (np.atleast_1d, np.atleast_2d, np.atleast_3d), ((), (3,), (2, 3), (2, 1, 2), (0,))
    ):
        yield Case(named(f, shape), f, (sample(*shape),))
    for f in (np.atleast_1d, np.atleast_2d, np.atleast_3d):
        yield Case(named(f, "several"), f, (sample(3), sample(salt=1)), call=lambda a, b, f=f: product_of(f(a, b)))
    pair = sample(3), sample(2, 1, salt=1)
    yield Case("broadcast_arrays", np.broadcast_arrays, pair, call=lambda a, b: product_of(np.broadcast_arrays(a, b)))
    lines = sample(2), sample(3, salt=1), sample(4, salt=2)
    for indexing, sparse in itertools.product(("xy", "ij"), (False, True)):
        k: dict[str, Any] = {"indexing": indexing, "sparse": sparse}
        yield Case(
            f"meshgrid-{indexing}-{sparse}", np.meshgrid, lines, call=lambda *a, k=k: product_of(np.meshgrid(*a, **k))
        )
    yield Case("meshgrid-one", np.meshgrid, (sample(3),), call=lambda a: np.meshgrid(a)[0])
    yield Case("meshgrid-constant", np.meshgrid, (sample(3),), call=lambda a: product_of(np.meshgrid(a, [1.0, 2.0])))
    yield Case("ix_", np.ix_, (sample(2), sample(3, salt=1)), call=lambda a, b: product_of(np.ix_(a, b)))
    m = sample(3, 4)
    yield Case("full_like", np.full_like, (sample(),), call=lambda v: np.full_like(v, v, shape=(2, 3)))
    yield Case("full_like-row", np.full_like, (m,), call=lambda a: np.full_like(a, a[0] * 2.0) * a)
    if hasattr(np, "astype"):
        yield Case("astype-function", np.astype, (m,), call=lambda a: np.astype(a, a.dtype))


def diagonals() -> Iterator[Case]:
    x, m = sample(2, 3, 4), sample(3, 4)
    for k in (-2, -1, 0, 1, 3, 4, -3):
        yield Case(f"diag-{k}", np.diag, (m,), {"k": k})
        yield Case(f"diag-row-{k}", np.diag, (sample(3),), {"k": k})
        yield Case(f"diagflat-{k}", np.diagflat, (sample(2, 2),), {"k": k})
        yield Case(f"diagonal-{k}", np.diagonal, (m,), {"offset": k})
    for axis1, axis2 in ((0, 1), (2, 0), (-1, 1)):
        yield Case(f"diagonal-{axis1}-{axis2}", np.diagonal, (x,), {"offset": 1, "axis1": axis1, "axis2": axis2})
    yield Case("diagonal-methods", np.diagonal, (m,), call=lambda m: m.diagonal(1) * m.trace(-1))


def product_of(arrays: Any) -> Any:
    result = arrays[0]
    for a in arrays[1:]:
        result = result * a
    return result


# -- put together and taken apart -------------------------------------------------------------------------------


def joined() -> Iterator[Case]:
    stacks = [np.hstack, np.vstack, np.dstack, np.column_stack]
    for f, (left, right) in itertools.product(stacks, [((3,), (3,)), ((2, 3), (2, 3)), ((2, 3, 2), (2, 3, 2))]):
        yield Case(named(f, left), f, (sample(*left), sample(*right, salt=1)), call=lambda *a, f=f: f(a))
    yield Case("hstack-0d", np.hstack, (sample(), sample(salt=1)), call=lambda *a: np.hstack(a))
    yield Case(
        "vstack-rows", np.vstack, (sample(2, 3), sample(3, salt=1)), call=lambda *a: np.vstack([*a, [1.0, 2.0, 3.0]])
    )
    yield Case(
        "column_stack-mixed", np.column_stack, (sample(2, 3), sample(2, salt=1)), call=lambda *a: np.column_stack(a)
    )
    yield Case("vstack-of-one", np.vstack, (sample(2, 3),), call=np.vstack)
    parts = sample(2, 2), sample(2, 1, salt=1), sample(1, 3, salt=2)
    yield Case("block", np.block, parts, call=lambda a, b, c: np.block([[a, b], [c]]))
    yield Case("block-row", np.block, (sample(2), sample(salt=1)), call=lambda a, b: np.block([a, b, 5.0]))
    yield Case("block-one", np.block, (sample(2),))
    yield Case("block-deep", np.block, (sample(2, 2), sample(2, 2, salt=1)), call=lambda a, b: np.block([[[a]], [[b]]]))
    for axis in (None, 0, -2):
        arrays = sample(2, 3), sample(1, 3, salt=1)
        yield Case(f"append-{axis}", np.append, arrays, {"axis": axis})
        yield Case(
            f"append-constant-{axis}", np.append, arrays[1:], call=lambda b, k=axis: np.append([[1, 2, 3]], b, k)
        )


def lengthened() -> Iterator[Case]:
    x = sample(3, 4)
    inserted: list[tuple[Any, tuple[int, ...], int | None]] = [
        *[(1, (), None), (1, (2,), None), ([1, 1, 4], (3,), None), (-1, (4,), 0), (2, (), 1), ([0, 2], (2, 4), 0)],
        *[([0, 2], (), 1), (slice(0, 2), (2, 1), 0), (1, (3,), 1), ([1], (3, 1), 1)],
    ]
    for obj, shape, axis in inserted:
        arrays = x, sample(*shape, salt=1)
        yield Case(
            f"insert-{obj}-{shape}-{axis}", np.insert, arrays, call=lambda a, v, o=obj, k=axis: np.insert(a, o, v, k)
        )
    for obj, axis in itertools.product((1, -1, [0, 2], slice(0, 2), [True, False, False]), (0, -2)):
        yield Case(f"delete-{obj}-{axis}", np.delete, (x,), {"obj": obj, "axis": axis})
    yield Case("delete-flat", np.delete, (x,), {"obj": [0, 5, -1]})


def taken_apart() -> Iterator[Case]:
    for f, places, axis in itertools.product((np.split, np.array_split), (2, [1, 3], [0, 9]), (0, -1)):
        y = sample(4, 6)
        call = lambda a, f=f, places=places, k=axis: np.concatenate([p * p[:1] for p in f(a, places, k)[::-1]], k)  # noqa: E731
        yield Case(named(f, (places, axis)), f, (y,), call=call)
    yield Case("array_split-uneven", np.array_split, (sample(7),), call=lambda a: np.array_split(a, 3)[1])
    cube = sample(2, 4, 2)
    for f in (np.hsplit, np.vsplit, np.dsplit):
        yield Case(named(f, "cube"), f, (cube,), call=lambda a, f=f: f(a, 2)[1] * f(a, [1])[0])
    yield Case("hsplit-row", np.hsplit, (sample(4),), call=lambda a: np.hsplit(a, 2)[1])
    if f := getattr(np, "unstack", None):
        yield Case("unstack", f, (cube,), call=lambda a, f=f: product_of(f(a, axis=1)) * f(a)[1][0])
    trimmed = np.array([0.0, 0.0, 1.5, 0.0, 2.5, 0.0])
    for trim in ("fb", "f", "b"):
        yield Case(
            f"trim_zeros-{trim}",
            np.trim_zeros,
            (sample(6),),
            call=lambda a, trim=trim: np.trim_zeros(a * trimmed, trim),
        )


def repeated() -> Iterator[Case]:
    x, cube = sample(3, 4), sample(2, 4, 2)
    yield Case("tile-method", np.repeat, (x,), call=lambda a: a.repeat(2, 0) * a.repeat([1, 2, 3], 0))
    for reps in (2, (2,), (2, 1), (3, 2), (2, 1, 3), (1, 0), ()):
        yield Case(f"tile-{reps}", np.tile, (sample(2, 3),), {"reps": reps})
    yield Case("tile-0d", np.tile, (sample(),), {"reps": 3})
    yield Case("tile-cube", np.tile, (cube,), {"reps": (2, 1)})
    for repeats, axis in ((2, None), (2, 0), ([2], -1), ([1, 0, 2, 3], 1), (0, 0), ([1, 2, 0], 0), (1, 1)):
        yield Case(f"repeat-{repeats}-{axis}", np.repeat, (x,), {"repeats": repeats, "axis": axis})
    yield Case("repeat-flat", np.repeat, (sample(2, 2),), {"repeats": [1, 2, 0, 3]})
    for shape in ((5,), 30, (2, 3), (7, 4), (0, 2)):
        yield Case(f"resize-{shape}", np.resize, (x,), {"new_shape": shape})


def ranges() -> Iterator[Case]:
    ends = sample(3), sample(3, salt=1)
    for f, endpoint, axis in itertools.product((np.linspace, np.logspace), (True, False), (0, -1)):
        yield Case(named(f, (endpoint, axis)), f, ends, {"num": 5, "endpoint": endpoint, "axis": axis})
    yield Case(
        "linspace-step", np.linspace, (sample(),), call=lambda a: product_of(np.linspace(a, 3.0, 4, retstep=True))
    )
    yield Case("linspace-of-one", np.linspace, ends, {"num": 1})
    yield Case(
        "logspace-base",
        np.logspace,
        (sample(), sample(low=1, high=2, salt=1)),
        call=lambda a, b: np.logspace(a, 2.0, 4, base=b),
    )
    positive = sample(2, low=0.3, high=1), sample(2, low=1, high=4, salt=1)
    for axis in (0, -1):
        yield Case(f"geomspace-{axis}", np.geomspace, positive, {"num": 4, "axis": axis})
    yield Case("geomspace-negative", np.geomspace, (sample(low=-3, high=-2),), call=lambda a: np.geomspace(a, -0.5, 3))


def paddings() -> Iterator[Case]:
    x = sample(4, 3)
    modes = "constant", "edge", "wrap", "reflect", "symmetric", "linear_ramp", "mean", "maximum", "minimum", "median"
    for mode in modes:
        for width in (1, ((2, 0), (0, 1)), (0, 2), ((5, 6), (4, 0)), 0):
            yield Case(f"pad-{mode}-{width}", np.pad, (x,), call=lambda a, w=width, mode=mode: np.pad(a, w, mode))
        yield Case(f"pad-{mode}-row", np.pad, (sample(3),), call=lambda a, mode=mode: np.pad(a, (2, 1), mode=mode))
    for mode, width in itertools.product(("reflect", "symmetric"), (1, ((2, 0), (5, 3)))):
        yield Case(
            f"pad-{mode}-odd-{width}", np.pad, (x,), call=lambda a, m=mode, w=width: np.pad(a, w, m, reflect_type="odd")
        )
    yield Case("pad-values", np.pad, (x,), call=lambda a: np.pad(a, 2, constant_values=((1.0, 2.0), (3.0, 4.0))))
    yield Case(
        "pad-ends", np.pad, (x,), call=lambda a: np.pad(a, 2, "linear_ramp", end_values=((1.0, 2.0), (3.0, 4.0)))
    )
    values: list[Callable[[Any], Any]] = [
        *(
            lambda a: a[0, 0],
            lambda a: a[1:3, :2] ** 2,
            lambda a: ((1.0, a[0, 1]), (a[2, 2], 4.0)),
            lambda a: a[:2, :1],
        ),
    ]
    for k, of in enumerate(values):
        yield Case(f"pad-value-{k}", np.pad, (x,), call=lambda a, of=of: np.pad(a, (1, 2), constant_values=of(a)))
        yield Case(f"pad-end-{k}", np.pad, (x,), call=lambda a, of=of: np.pad(a, 2, "linear_ramp", end_values=of(a)))
    yield Case("pad-stat_length", np.pad, (x,), call=lambda a: np.pad(a, 2, "mean", stat_length=((1, 2), (2, 9))))
    yield Case("pad-0d", np.pad, (sample(),), call=lambda a: np.pad(a, 0))
    yield Case("padding", padding.padding, (x,), {"widths": ((1, 2), (0, 1))})


# -- chosen -----------------------------------------------------------------------------------------------------


def selections() -> Iterator[Case]:
    x = sample(3, 4)
    for axis, indices in itertools.product((None, 0, -1), (1, -1, [0, 2, 0], [[1, 1], [0, 2]], [])):
        yield Case(f"take-{indices}-{axis}", np.take, (x,), {"indices": indices, "axis": axis})
    for mode in ("wrap", "clip"):
        yield Case(f"take-{mode}", np.take, (x,), {"indices": [-5, 7, 2], "axis": 1, "mode": mode})
    yield Case(
        "take-methods", np.take, (x,), call=lambda a: a.take([0, 0], 1) * a.compress([True, False, True, False], 1)
    )
    along = np.array([[0, 2, 1, 0], [2, 2, 0, 1]])
    yield Case("take_along_axis", np.take_along_axis, (x,), {"indices": along, "axis": 0})
    yield Case("take_along_axis-flat", np.take_along_axis, (x,), {"indices": np.array([3, 3, 11]), "axis": None})
    yield Case(
        "take_along_axis-argsort", np.take_along_axis, (x,), call=lambda a: np.take_along_axis(a, np.argsort(a), -1)
    )
    three = tuple(sample(2, 3, salt=k) for k in range(3))
    number = np.array([[0, 2, 1], [1, 1, 0]])
    yield Case("choose", np.choose, three, call=lambda *a: np.choose(number, a))
    yield Case("choose-broadcast", np.choose, (sample(3), sample(salt=1)), call=lambda *a: np.choose(number % 2, a))
    for mode in ("wrap", "clip"):
        yield Case(f"choose-{mode}", np.choose, three, call=lambda *a, m=mode: np.choose(number * 5 - 4, a, mode=m))
    conditions = [x > 1.0, x < 0.0]
    yield Case("select", np.select, (x, sample(4, salt=1)), call=lambda a, b: np.select(conditions, [a * a, b], 0.5))
    yield Case("select-default", np.select, (x,), call=lambda a: np.select(conditions, [a, 2.0], a[:, :1]))
    yield Case("select-of-tensor", np.select, (x,), call=lambda a: np.select([a > 1, a > 0], [a, -a]))
    yield Case(
        "piecewise", np.piecewise, (x,), call=lambda a: np.piecewise(a, [a < 0, a > 1], [np.exp, np.square, np.sin])
    )
    yield Case("piecewise-number", np.piecewise, (x,), call=lambda a: np.piecewise(a, [a < 0], [2.0, lambda v: v * v]))
    yield Case("piecewise-args", np.piecewise, (x,), call=lambda a: np.piecewise(a, [a < 0, a < 1], [3.0, np.power], 3))
    yield Case("piecewise-0d", np.piecewise, (sample(),), call=lambda a: np.piecewise(a, [a < 9, a > 9], [np.exp, 1.0]))
    for axis, condition in ((None, [0, 1, 1, 0, 1]), (0, [True, False, True]), (-1, [1, 0, 0, 1])):
        yield Case(f"compress-{axis}", np.compress, (x,), call=lambda a, c=condition, k=axis: np.compress(c, a, k))
    yield Case("extract", np.extract, (x,), call=lambda a: np.extract(a > 0.2, a))
    yield Case("apply_along_axis", np.apply_along_axis, (x,), call=lambda a: np.apply_along_axis(np.sum, 0, a))
    for axis in (0, -1):
        call = lambda a, k=axis: np.apply_along_axis(lambda row, s: s * np.outer(row[:2], row), k, a, 2.0)  # noqa: E731
        yield Case(f"apply_along_axis-{axis}", np.apply_along_axis, (sample(2, 3, 4),), call=call)
    yield Case(
        "apply_over_axes", np.apply_over_axes, (sample(2, 3, 4),), call=lambda a: np.apply_over_axes(np.prod, a, [0, 2])
    )
    places, values = np.array([0.0, 0.5, 1.1, 1.9, 2.4]), sample(5, salt=1)
    points = sample(2, 4, low=-0.5, high=3.0)
    yield Case("interp", np.interp, (points, places, values))
    yield Case("interp-0d", np.interp, (sample(low=0.6, high=1), places, values))
    yield Case("interp-ends", np.interp, (points, places, values), {"left": -1.0, "right": 5.0})
    yield Case("interp-ends-given", np.interp, (values,), call=lambda v: np.interp(points, places, v, v[1] ** 2, v[0]))
    yield Case("interp-infinite", np.interp, (values,), call=lambda v: np.interp([-INF, INF, 1.0], places, v))
    yield Case("interp-period", np.interp, (points, places[::-1].copy(), values), {"period": 2.7})
    yield Case("interp-one", np.interp, (points, values[:1], values[1:2]))


# -- in order ---------------------------------------------------------------------------------------------------


def ordered() -> Iterator[Case]:
    for shape, axis in (((3, 4), -1), ((3, 4), 0), ((3, 4), None), ((5,), -1), ((1,), 0), ((0,), 0), ((2, 0), 0)):
        yield Case(f"sort-{shape}-{axis}", np.sort, (sample(*shape),), {"axis": axis})
        if 0 not in shape and np.prod(shape) > 1:
            yield Case(f"partition-{shape}-{axis}", np.partition, (sample(*shape),), {"kth": 1, "axis": axis})
    yield Case("sort-stable", np.sort, (sample(5),), {"kind": "stable"})
    yield Case("partition-several", np.partition, (sample(3, 6),), {"kth": [1, 4]})
    x, places = sample(2, 3), np.array([0, 2, 0, 1, 1])
    yield Case("unique", np.unique, (x,))
    yield Case("unique-of-repeated", np.unique, (sample(3),), call=lambda a: np.unique(a[places]))
    yield Case(
        "unique-counts", np.unique, (sample(3),), call=lambda a: product_of(np.unique(a[places], return_counts=True))
    )
    yield Case("unique-rows", np.unique, (x,), call=lambda a: np.unique(a[[0, 1, 1, 0, 1]], axis=0))
    yield Case("unique-columns", np.unique, (x,), {"axis": 1})
    yield Case("distinct", order.distinct, (x,))
    for f in (np.unique_counts, np.unique_inverse, np.unique_all):
        yield Case(f.__name__, f, (sample(3),), call=lambda a, f=f: f(a[places]).values)
    yield Case("unique_values", np.unique_values, (sample(3),), call=lambda a: np.sort(np.unique_values(a[places])))
    for f in (np.union1d, np.intersect1d, np.setxor1d, np.setdiff1d):
        yield Case(f.__name__, f, (x,), call=lambda a, f=f: f(a, np.append(a[0], [5.0])))
    yield Case("setdiff1d-unique", np.setdiff1d, (x,), call=lambda a: np.setdiff1d(a, a[0], assume_unique=True))


CASES = [
    *elementwise_cases(),
    *reductions(),
    *parts_and_dtypes(),
    *ufunc_methods(),
    *computed_in_another_dtype(),
    *scans(),
    *statistics(),
    *moved(),
    *laid_out(),
    *windows(),
    *widened(),
    *diagonals(),
    *joined(),
    *lengthened(),
    *taken_apart(),
    *repeated(),
    *ranges(),
    *paddings(),
    *selections(),
    *ordered(),
]
