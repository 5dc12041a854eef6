"""Distributions: SciPy's methods, made from a few functions of the standardised variable."""

from __future__ import annotations

import math
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np

from autodiff.engine.devices import beside, of
from autodiff.engine.graph import Node, current_scope
from autodiff.rules.arguments import anywhere, array, raw
from autodiff.scipy.arguments import floating

Function = Callable[..., Any]


class Distribution:
    """A distribution of one variable: SciPy's arguments, and the values outside the support.

    Parameters
    ----------
    name : its name in SciPy
    shapes : the names of its shape parameters, which are positive (those of a discrete one may be 0)
    support : the least and the greatest value of the standardised variable z = (x − loc) / scale
    cdf, sf, logcdf, logsf : functions of (z, *shapes) inside the support. By default logcdf and logsf are the
        logarithms of cdf and sf

    Numbers and arrays are broadcast. A parameter out of its range gives NaN, as in SciPy.
    """

    names: tuple[str, ...] = ("loc", "scale")
    zero = False  # whether a shape parameter may be 0
    methods: tuple[str, ...] = ("cdf", "logcdf", "sf", "logsf")

    def __init__(
        self,
        name: str,
        shapes: tuple[str, ...] = (),
        support: tuple[float, float] = (-math.inf, math.inf),
        *,
        cdf: Function,
        sf: Function,
        logcdf: Function | None = None,
        logsf: Function | None = None,
    ) -> None:
        self.name, self.shapes, self.support = name, shapes, support
        self._cdf, self._sf = cdf, sf
        self._logcdf = logcdf or (lambda z, *shapes: logarithm(cdf(z, *shapes), sf(z, *shapes)))
        self._logsf = logsf or (lambda z, *shapes: logarithm(sf(z, *shapes), cdf(z, *shapes)))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):  # copy asks for such names before the attributes exist
            raise AttributeError(name)
        raise AttributeError(
            f"autodiff.scipy.stats.{self.name} has no {name!r}; it has {', '.join(self.methods)}. "
            f"scipy.stats.{self.name} takes plain arrays, tensor.value.",
            name=name,
        )

    def __call__(self, *args: Any, **kwargs: Any) -> SimpleNamespace:
        """The distribution with these parameters fixed: its methods take only x."""

        def held(method: Function) -> Function:
            return lambda x: method(x, *args, **kwargs)

        return SimpleNamespace(**{name: held(getattr(self, name)) for name in self.methods})

    def cdf(self, x: Any, *args: Any, **kwargs: Any) -> Any:
        """The probability of at most x."""
        return self._integral("cdf", self._cdf, x, args, kwargs, 0.0, 1.0)

    def sf(self, x: Any, *args: Any, **kwargs: Any) -> Any:
        """The probability of more than x, 1 − cdf, to full relative precision."""
        return self._integral("sf", self._sf, x, args, kwargs, 1.0, 0.0)

    def logcdf(self, x: Any, *args: Any, **kwargs: Any) -> Any:
        """The logarithm of `cdf`."""
        return self._integral("logcdf", self._logcdf, x, args, kwargs, -math.inf, 0.0)

    def logsf(self, x: Any, *args: Any, **kwargs: Any) -> Any:
        """The logarithm of `sf`."""
        return self._integral("logsf", self._logsf, x, args, kwargs, 0.0, -math.inf)

    def _integral(
        self, method: str, function: Function, x: Any, args: Any, kwargs: Any, below: float, above: float
    ) -> Any:
        z, _, shapes = self._standardised(method, x, args, kwargs)
        for name, shape in zip(self.shapes, shapes, strict=True):
            self._refuse_shape(method, name, shape)
        return self._supported(function, z, shapes, below, above)

    def _refuse_shape(self, method: str, name: str, shape: Any) -> None:
        if isinstance(shape, Node) and current_scope.get() is not None:
            raise TypeError(
                f"stats.{self.name}.{method} was called with a Tensor as {name}; its derivative in {name} is no "
                f"elementary function, so it is not defined here. Pass {name} as a plain number or array, a constant."
            )

    def _standardised(self, method: str, x: Any, args: Any, kwargs: Any) -> tuple[Any, Any, list[Any]]:
        """z, the scale (None for 1), and the shape parameters, with NaN for those that are out of range."""
        given = self._named(method, args, kwargs)
        x, *values = together(x, *given.values())
        found = dict(zip(given, values, strict=True))
        scale = allowed(found["scale"]) if "scale" in found else None
        z = x - found["loc"] if "loc" in found else x
        shapes = [allowed(found[name], self.zero) for name in self.shapes]
        return z if scale is None else z / scale, scale, shapes

    def _named(self, method: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        """The parameters by name, shapes first. Raises TypeError for parameters that SciPy's method does not take."""
        names = (*self.shapes, *self.names)
        given = dict(zip(names, args, strict=False))
        if len(args) > len(names) or given.keys() & kwargs.keys() or not kwargs.keys() <= set(names):
            received = [*map(repr, args), *(f"{name}={value!r}" for name, value in kwargs.items())]
            raise TypeError(
                f"stats.{self.name}.{method} takes (x, {', '.join(names)}); received after x: {', '.join(received)}."
            )
        given |= kwargs
        missing = [name for name in self.shapes if name not in given]
        if missing:
            raise TypeError(
                f"stats.{self.name}.{method} needs {' and '.join(missing)}; it takes (x, {', '.join(names)})."
            )
        return given

    def _supported(self, function: Function, z: Any, shapes: list[Any], below: float, above: float) -> Any:
        """function(z, *shapes) inside the support, and the constants `below` and `above` outside it."""
        least, greatest = self.support
        known = np.logical_not(sum(np.isnan(raw(shape)) for shape in shapes))
        z, known = beside((z, array(known)), next((v for v in (z, *shapes) if of(v)), z))
        under, over = known & np.less(raw(z), least), known & np.greater(raw(z), greatest)
        outside = under | over
        beyond = anywhere(outside)
        if beyond:
            z = np.where(outside, 0.5, z)  # inside every bounded support
        with np.errstate(divide="ignore"):  # the logarithm of 0 is -inf
            result = function(z, *shapes)
        if beyond:
            dtype = result.dtype.type
            result = np.where(outside, np.where(under, dtype(below), dtype(above)), result)
        return result


class Continuous(Distribution):
    """A distribution with a density. `logpdf` is a function of (z, *shapes), with z the standardised variable.

    >>> from autodiff.scipy import stats
    >>> ad.grad(stats.norm.logpdf)(0.5)
    array(-0.5)
    """

    methods = ("pdf", "logpdf", *Distribution.methods)

    def __init__(self, *args: Any, logpdf: Function, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._logpdf = logpdf

    def logpdf(self, x: Any, *args: Any, **kwargs: Any) -> Any:
        """The logarithm of the density at x; −inf outside the support."""
        return self._log_density("logpdf", x, args, kwargs)

    def pdf(self, x: Any, *args: Any, **kwargs: Any) -> Any:
        """The density at x; 0 outside the support."""
        return np.exp(self._log_density("pdf", x, args, kwargs))

    def _log_density(self, method: str, x: Any, args: Any, kwargs: Any) -> Any:
        z, scale, shapes = self._standardised(method, x, args, kwargs)
        standard = self._supported(self._logpdf, z, shapes, -math.inf, -math.inf)
        return standard if scale is None else standard - np.log(scale)


class Discrete(Distribution):
    """A distribution on the whole numbers from 0. `logpmf` is a function of (k, *shapes); k and loc are constants.

    >>> from autodiff.scipy import stats
    >>> ad.grad(lambda mean: stats.poisson.logpmf(3, mean))(2.0)
    array(0.5)
    """

    names = ("loc",)
    zero = True
    methods = ("pmf", "logpmf", *Distribution.methods)

    def __init__(self, *args: Any, logpmf: Function, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._logpmf = logpmf

    def logpmf(self, k: Any, *args: Any, **kwargs: Any) -> Any:
        """The logarithm of the probability of k; −inf if k is no whole number of the support."""
        return self._log_mass("logpmf", k, args, kwargs)

    def pmf(self, k: Any, *args: Any, **kwargs: Any) -> Any:
        """The probability of k."""
        return np.exp(self._log_mass("pmf", k, args, kwargs))

    def _log_mass(self, method: str, k: Any, args: Any, kwargs: Any) -> Any:
        k, _, shapes = self._standardised(method, k, args, kwargs)
        k = np.where(np.equal(k, np.floor(k)) | np.isnan(k), k, -1)
        return self._supported(self._logpmf, k, shapes, -math.inf, -math.inf)

    def _standardised(self, method: str, x: Any, args: Any, kwargs: Any) -> tuple[Any, Any, list[Any]]:
        k, scale, shapes = super()._standardised(method, x, args, kwargs)
        if isinstance(k, Node):
            raise TypeError(
                f"stats.{self.name}.{method} was called with a Tensor as k or loc, which are whole numbers and have no "
                "derivative; pass plain arrays, tensor.value."
            )
        return (k if method in ("pmf", "logpmf") else np.floor(k)), scale, shapes

    def _refuse_shape(self, method: str, name: str, shape: Any) -> None:
        """Do nothing: sums of probabilities have derivatives in the shape parameters."""


def together(*values: Any) -> list[Any]:
    """The values as arrays of floating-point numbers; Python numbers get the dtype of the others."""
    arrays = [v if _number(v) else floating(v) for v in values]
    dtypes = [v.dtype for v in arrays if not _number(v)]
    dtype = np.result_type(*dtypes) if dtypes else np.dtype(float)
    return [dtype.type(v) if _number(v) else v for v in arrays]


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, np.generic)


def logarithm(p: Any, q: Any) -> Any:
    """ln p of a probability p = 1 − q, to full relative precision if p or q is tiny."""
    small = np.less(raw(p), 0.5)
    return np.where(small, np.log(np.where(small, p, 1.0)), np.log1p(-np.where(small, 0.0, q)))


def allowed(value: Any, zero: bool = False) -> Any:
    """A parameter with NaN in place of numbers that are not positive; with `zero`, only of negative numbers."""
    wrong = np.less(raw(value), 0) if zero else np.less_equal(raw(value), 0)
    return np.where(wrong, np.nan, value) if anywhere(wrong) else value
