"""Rules of NumPy's polynomials, whose coefficients are one vector, the highest power first.

The functions of numpy.polynomial, the lowest power first, are written in Python and need plain coefficients. They take
Tensors only as the points of evaluation; for coefficients the error says what to type instead.
"""

import math
import re
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from autodiff.engine.devices import arange, beside, ones, zeros
from autodiff.engine.table import adjoint, composed, refuse
from autodiff.engine.values import Value
from autodiff.rules.arguments import array


@composed(np.polyval)
def polyval(p: Any, x: Value) -> Value:
    """np.polyval, by Horner's scheme."""
    value = np.zeros_like(x)
    for coefficient in np.asarray(p) if isinstance(p, list | tuple) else p:
        value = value * x + coefficient
    return value


def aligned(a: Value, b: Value) -> tuple[Any, Any]:
    """The coefficients of two polynomials, the shorter vector padded with zeros in front."""
    a, b = np.ravel(a), np.ravel(b)
    length = max(a.shape[0], b.shape[0])

    def padded(x: Value) -> Value:
        missing = length - x.shape[0]
        return np.concatenate([zeros(missing, x.dtype, like=x), x]) if missing else x

    return padded(a), padded(b)


def trimmed(p: Value) -> Value:
    """The coefficients from the first that is not 0 on, as NumPy trims them."""
    p = np.ravel(p)
    first = np.flatnonzero(np.not_equal(p, 0))
    return p[int(first[0]) if first.size else -1 :]


@composed(np.polyadd)
def polyadd(a1: Value, a2: Value) -> Value:
    """np.polyadd."""
    first, second = aligned(a1, a2)
    return first + second


@composed(np.polysub)
def polysub(a1: Value, a2: Value) -> Value:
    """np.polysub."""
    first, second = aligned(a1, a2)
    return first - second


composed(np.polymul)(lambda a1, a2: np.convolve(trimmed(a1), trimmed(a2)))


@composed(np.polyder)
def polyder(p: Value, m: int = 1) -> Value:
    """np.polyder: xⁿ becomes n (n − 1) ... (n − m + 1) xⁿ⁻ᵐ."""
    if m < 0:
        raise ValueError(f"np.polyder takes a number of derivatives, 0 or more; received {m}")
    p = np.ravel(p)
    if m == 0:
        return np.copy(p)
    powers = np.arange(p.shape[0] - 1, m - 1, -1)
    factors = [float(math.perm(int(n), m)) for n in powers]
    return p[: len(factors)] * beside(np.asarray(factors), p)


@composed(np.polyint)
def polyint(p: Value, m: int = 1, k: ArrayLike | None = None) -> Value:
    """np.polyint; k are the constants of integration."""
    if m < 0:
        raise ValueError(f"np.polyint takes a number of integrals, 0 or more; received {m}")
    p = np.ravel(p)
    constants = np.ravel(0.0 if k is None else k)
    if constants.shape[0] not in (1, m):
        raise ValueError(f"np.polyint takes one constant, or as many as m={m}; received {constants.shape[0]}")
    for number in range(m):
        constant = constants[number % constants.shape[0]]
        p = np.concatenate([p / arange(p.shape[0], 0, -1, like=p), np.reshape(constant, (1,))])
    return p


@composed(np.vander)
def vander(x: Value, N: int | None = None, increasing: bool = False) -> Value:  # noqa: N803  # NumPy's name
    """np.vander: a row of powers for each element of x."""
    if np.ndim(x) != 1:
        raise ValueError(f"np.vander takes a vector; received shape {np.shape(x)}")
    powers = arange(x.shape[0] if N is None else N, like=x)
    return np.power(np.expand_dims(x, 1), powers if increasing else powers[::-1])


@composed(np.polyfit)
def polyfit(
    x: Value,
    y: Value,
    deg: int,
    rcond: float | None = None,
    full: bool = False,
    w: Any = None,
    cov: ArrayLike = False,
) -> Value:
    """np.polyfit: the coefficients of least squares, computed with columns scaled to length 1."""
    if full or cov:
        raise TypeError(
            "np.polyfit was called with full or cov and a Tensor; only the coefficients have a rule. For the rest take "
            "np.linalg.lstsq of np.vander(x, deg + 1)."
        )
    columns = np.vander(x, int(deg) + 1)
    if w is not None:
        columns = columns * np.expand_dims(w, 1)
        y = y * (w if np.ndim(y) == 1 else np.expand_dims(w, 1))
    scale = np.sqrt(np.sum(columns * columns, axis=0))
    rcond = columns.shape[0] * float(np.finfo(np.add(x, 0.0).dtype).eps) if rcond is None else rcond
    coefficients = np.linalg.lstsq(columns / scale, y, rcond=rcond)[0]
    return coefficients / (scale if np.ndim(y) == 1 else np.expand_dims(scale, 1))


@composed(np.poly)
def poly(seq_of_zeros: Any) -> Value:
    """np.poly: the coefficients of the polynomial with these roots, or of a matrix's characteristic polynomial."""
    roots = np.linalg.eigvals(seq_of_zeros) if np.ndim(seq_of_zeros) == 2 else np.ravel(seq_of_zeros)
    coefficients = one = ones(1, roots.dtype, like=roots)
    for root in roots:
        coefficients = np.convolve(coefficients, np.stack([one[0], -root]))
    if roots.dtype.kind == "c":
        values = getattr(roots, "primal", roots)
        if np.array_equal(np.sort(values), np.sort(np.conj(values))):
            return np.real(coefficients)
    return coefficients


def moved_by_coefficients(g: Value, y: Value, p: Value) -> Value:
    """A root r moves with the coefficient of xᵏ by −rᵏ / p'(r), which is not finite at a root of order 2 or more."""
    exponents = arange(p.shape[0], like=p)[::-1].astype(np.finfo(p.dtype).dtype)
    powers = np.power(y[:, None], exponents)
    return -((g / (powers[:, 1:] @ (p[:-1] * exponents[:-1]))) @ powers)


adjoint(np.roots, moved_by_coefficients)
refuse("the length of its remainder depends on the values; divide by values with np.polyval instead", np.polydiv)

# -- numpy.polynomial -------------------------------------------------------------------------------------------


def power_series(x: Value, c: Value, tensor: bool = True) -> Value:
    """numpy.polynomial.polynomial.polyval: each column of c at all x, or with tensor=False each at one x."""
    c = np.reshape(c, np.shape(c) + (1,) * np.ndim(x)) if tensor else c
    value = c[-1] + x * 0.0
    for k in range(2, len(c) + 1):
        value = c[-k] + value * x
    return value


def polyval2d(x: Value, y: Value, c: Value) -> Value:
    """numpy.polynomial.polynomial.polyval2d: at the points (x, y)."""
    if np.shape(x) != np.shape(y):
        raise ValueError(f"polyval2d takes x and y of one shape; received the shapes {np.shape(x)} and {np.shape(y)}")
    return power_series(array(y), power_series(array(x), array(c)), tensor=False)


def polygrid2d(x: Value, y: Value, c: Value) -> Value:
    """numpy.polynomial.polynomial.polygrid2d: at each x with each y."""
    return power_series(array(y), power_series(array(x), array(c)))


PASSED_ON: dict[str, Callable[..., Value]] = {"polyval2d": polyval2d, "polygrid2d": polygrid2d}


def declared(function: Any) -> bool:
    """Whether NumPy (since 2.4) passes Tensors of this function on; if so, its definition is declared."""
    name = getattr(function, "__name__", "")
    found = getattr(function, "__module__", "") == "numpy.polynomial.polynomial" and name in PASSED_ON
    if found:
        composed(function)(PASSED_ON[name])
    return found


# What to type instead of a function of numpy.polynomial, by its name or by the end of its name (val in chebval).
INSTEAD = {
    "polyval": "np.polyval(c[::-1], x)",
    "polymul": "np.convolve(a, b)",
    "polyvander": "np.vander(x, deg + 1, increasing=True)",
    "polyfit": "np.polyfit(x, y, deg)[::-1]",
    "polyroots": "np.sort(np.roots(c[::-1]))",
    "polyfromroots": "np.poly(roots)[::-1]",
    "val": "{name}(x[..., None], np.eye(c.size), tensor=False) @ c",
    "der": "{name}(np.eye(c.size)) @ c",
    "int": "{name}(np.eye(c.size)) @ c",
    "add": "np.polyadd(a[::-1], b[::-1])[::-1]",
    "sub": "np.polysub(a[::-1], b[::-1])[::-1]",
}


def advice() -> str:
    """What to type instead of the function of numpy.polynomial that is being called, if there is one."""
    frame, outermost = sys._getframe(), None
    while frame := frame.f_back:  # type: ignore[assignment]  # None ends the loop
        if frame.f_globals.get("__name__", "").startswith("numpy.polynomial."):
            outermost = frame
        elif outermost:
            break
    if outermost is None:
        return ""
    name = outermost.f_code.co_name
    text = " numpy.polynomial takes Tensors as the points x alone"
    typed = INSTEAD.get(name) or INSTEAD.get(re.sub("^(poly|cheb|leg|herme?|lag)", "", name))
    if typed:
        return f"{text}; instead of {name} type {typed.format(name=name)}."
    return (
        f"{text}; the polynomials np.polyval, np.polymul ... take Tensors, the coefficient of the highest power first."
    )
