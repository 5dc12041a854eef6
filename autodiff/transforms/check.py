"""Adjoints compared with difference quotients: a test of any differentiable function in one line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from autodiff.engine.devices import HOST, place
from autodiff.engine.recording import no_grad
from autodiff.transforms import tree
from autodiff.transforms.derivatives import grad, stop_gradient

Array = npt.NDArray[Any]


def check_grads(
    f: Callable[..., Any],
    *args: Any,
    order: int = 2,
    rng: np.random.Generator | int | None = 0,
    eps: float | None = None,
    rtol: float | None = None,
    atol: float | None = None,
) -> None:
    """Compare the adjoints of `f` at the arguments with central difference quotients.

    Parameters
    ----------
    f : a function of arrays that returns one array, and is smooth near the arguments
    args : arrays, numbers, or nested dicts, lists and tuples of them; the floating-point ones are varied
    order : 2 also checks the adjoints of the adjoints, and so on
    rng : the generator of the random seed and directions
    eps : the step, by default the cube root of the dtype's precision (it balances truncation and rounding)
    rtol, atol : the allowed |difference| is atol + rtol |derivative|; both are `eps` by default

    Raises AssertionError, with the order, the function and the two numbers, if they differ, and TypeError if no
    argument can be varied.

    >>> ad.check_grads(lambda x: np.sum(np.tanh(x) ** 2), np.linspace(-1, 1, 5))
    """
    args = tree.mapped(stop_gradient, args)
    if elsewhere := {place(x) for x in tree.leaves(args)} - {HOST}:
        raise TypeError(
            f"check_grads compares numbers on the host; received arrays on {', '.join(sorted(elsewhere))}. Pass them "
            "from the host, and move them in the function: ad.to(x, device)."
        )
    varied = [np.array(x) for x in tree.leaves(args) if _floating(x)]
    name = getattr(f, "__name__", None) or repr(f)
    with no_grad():
        result = np.asarray(f(*args))
    if not varied or order < 1 or result.dtype.kind != "f":
        raise TypeError(
            f"check_grads of {name} has nothing to compare: {len(varied)} floating-point argument(s), order {order}, "
            f"a result of dtype {result.dtype}; it needs at least 1, 1 and a floating-point result."
        )
    coarsest = max(float(np.finfo(x.dtype).eps) for x in (result, *varied))
    eps = coarsest ** (1 / 3) if eps is None else eps
    generator = np.random.default_rng(rng)

    def weighed(seed: Any, *values: Any) -> Any:
        given = iter(values)
        return np.sum(seed * f(*tree.mapped(lambda x: next(given) if _floating(x) else x, args)))

    # The seed is an argument too, so that second order finds a rule that loses the derivative of g.
    points = [_direction(generator, result), *varied]
    derivative: Callable[..., Any] = weighed
    for k in range(1, order + 1):
        directions = [_direction(generator, x) for x in points]
        _compare(derivative, points, directions, f"order {k} of {name}", eps, rtol, atol)
        derivative = _along(derivative, directions)


def _compare(
    function: Callable[..., Any],
    points: Sequence[Array],
    directions: Sequence[Array],
    label: str,
    eps: float,
    rtol: float | None,
    atol: float | None,
) -> None:
    """Compare the adjoint of each argument of a scalar function, along a direction, with the difference quotient."""
    adjoints = grad(function, range(len(points)))(*points)
    for k, (x, direction, g) in enumerate(zip(points, directions, adjoints, strict=True)):
        which = f"with respect to {f'argument {k - 1}' if k else 'the seed'} (shape {x.shape}, {x.dtype})"
        if g.shape != x.shape or g.dtype != x.dtype:
            raise AssertionError(
                f"{label} {which}: the adjoint has shape {g.shape} and dtype {g.dtype}; "
                "let the rule return it in the argument's own."
            )
        steps = (x + eps * direction).astype(x.dtype), (x - eps * direction).astype(x.dtype)
        ahead, behind = (float(function(*points[:k], step, *points[k + 1 :])) for step in steps)
        numeric = (ahead - behind) / (2 * eps)
        analytic = float(np.sum(g * direction))
        allowed = (eps if atol is None else atol) + (eps if rtol is None else rtol) * abs(numeric)
        if not abs(analytic - numeric) <= allowed:  # written so that NaN fails
            raise AssertionError(
                f"{label} {which}: the adjoint along a random direction is {analytic:.10g}, the difference quotient "
                f"{numeric:.10g}, and {allowed:.1g} is allowed between them; check the adjoint rules that the function "
                "uses, or move away from kinks and the edge of its domain."
            )


def _along(function: Callable[..., Any], directions: Sequence[Array]) -> Callable[..., Any]:
    """The derivative of a scalar function along the directions, as a function of the same arguments."""
    gradient = grad(function, range(len(directions)))

    def derivative(*args: Any) -> Any:
        return sum(np.sum(g * direction) for g, direction in zip(gradient(*args), directions, strict=True))

    return derivative


def _direction(generator: np.random.Generator, x: Array) -> Array:
    return np.asarray(generator.standard_normal(x.shape), x.dtype)


def _floating(x: Any) -> bool:
    return isinstance(x, float) or (isinstance(x, np.ndarray | np.generic) and x.dtype.kind == "f")
