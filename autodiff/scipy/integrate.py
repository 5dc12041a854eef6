"""Functions of scipy.integrate: ordinary differential equations, differentiated by the adjoint method.

Source: Chen, Rubanova, Bettencourt & Duvenaud (2018), "Neural ordinary differential equations", section 2 and
appendix B.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import scipy

from autodiff.engine.graph import Node
from autodiff.engine.table import adjoint, primitive
from autodiff.rules.arguments import raw
from autodiff.scipy.arguments import absent, floating
from autodiff.transforms import tree
from autodiff.transforms.derivatives import vjp

__all__ = ["odeint"]

OPTIONS = ("h0", "hmax", "hmin", "mxstep", "mxordn", "mxords")


def __getattr__(name: str) -> Any:
    raise absent("integrate", name, __all__)


class Problem(NamedTuple):
    """An initial value problem dy/dt = slope(y, t, θ) with vectors y and θ, and the options of SciPy's solver."""

    slope: Callable[[Any, Any, Any], Any]
    size: int  # the number of elements of y
    times: int  # the number of times at which y is computed; the first one is that of the initial value
    options: dict[str, Any]

    def parts(self, packed: Any) -> tuple[Any, Any, Any]:
        """The initial value, the times, and θ."""
        n, k = self.size, self.size + self.times
        return packed[:n], packed[n:k], packed[k:]


@primitive
def trajectory(packed: Any, problem: Problem) -> Any:
    """y at the times, of shape (times, size)."""
    y0, t, theta = problem.parts(packed)

    def slope(y: Any, time: float) -> Any:
        found = problem.slope(y, time, theta)
        if isinstance(found, Node):
            raise TypeError(
                "the function of an odeint reads a Tensor that is not among its arguments, so that no derivative would "
                "flow to it; hand it over in args=, of which Tensors and nests of them are differentiated by."
            )
        return found

    return scipy.integrate.odeint(slope, y0, t, **problem.options)


def trajectory_adjoint(g: Any, y: Any, packed: Any, problem: Problem) -> Any:
    """The adjoint a of y is integrated back in time, da/dt = −a ∂f/∂y, and g is added to it at each of the times.

    θ̄ = ∫ a ∂f/∂θ dt. The adjoint of a time is g times the slope there; for the first time, −a times the slope. y is
    integrated back in time too; each interval starts from the known y, so that errors do not build up.
    """
    y0, t, theta = problem.parts(packed)
    n, plain = problem.size, raw(t)
    back = Problem(augmented(problem), 2 * n + theta.shape[0], 2, problem.options)
    a, theta_bar, t_bar = np.zeros(n), np.zeros(theta.shape[0]), []
    for k in reversed(range(1, problem.times)):
        a = a + g[k]
        t_bar.append(np.sum(g[k] * problem.slope(y[k], t[k], theta)))
        if plain[k] != plain[k - 1]:
            start = np.concatenate([y[k], a, np.zeros(theta.shape[0])])
            interval = np.stack([t[k], t[k - 1]])
            end = trajectory(np.concatenate([start, interval, theta]), problem=back)[1]
            a, theta_bar = end[n : 2 * n], theta_bar + end[2 * n :]
    t_bar.append(-np.sum(a * problem.slope(y0, t[0], theta)))
    return np.concatenate([a + g[0], np.stack(t_bar[::-1]), theta_bar])


def augmented(problem: Problem) -> Callable[[Any, Any, Any], Any]:
    """The slope of (y, a, θ̄) together, computed with `vjp`, so that it can be differentiated again."""
    n = problem.size

    def slope(state: Any, t: Any, theta: Any) -> Any:
        found, pullback = vjp(lambda y, theta: problem.slope(y, t, theta), state[:n], theta)
        y_bar, theta_bar = pullback(state[n : 2 * n])
        return np.concatenate([found, -y_bar, -theta_bar])

    return slope


adjoint(trajectory, trajectory_adjoint)


def odeint(
    func: Callable[..., Any],
    y0: Any,
    t: Any,
    args: tuple[Any, ...] = (),
    *,
    rtol: float | None = None,
    atol: float | None = None,
    tfirst: bool = False,
    **options: float,
) -> Any:
    """The solution of dy/dt = func(y, t, *args) with y = y0 at t[0], at the times t: an array (len(t), len(y0)).

    Parameters
    ----------
    func : written in NumPy functions; it returns the slope, an array or a list of len(y0) numbers
    y0 : a vector of real numbers, or one number
    t : the times, rising or falling
    args : more arguments of func. Derivatives flow to Tensors, also in nested dicts, lists and tuples; everything else
        is constant. A Tensor that func reads from outside raises TypeError
    rtol, atol : the error allowed in each step, relative and absolute (by default SciPy's 1.5e-8), also in the adjoint
        equation: a derivative is exact up to such errors
    tfirst : whether func is called as func(t, y, *args)
    options : SciPy's h0, hmax, hmin, mxstep, mxordn, mxords

    The derivative is the solution of the adjoint equation back in time (Chen et al. 2018), so the steps are not
    stored. func must be smooth. odeint also solves the adjoint equation, so it can be differentiated again: the second
    derivative takes an equation with about twice as many unknowns, and so on.

    The result is float32 if y0 and the Tensors in args are; the solver works in float64.

    >>> from autodiff.scipy import integrate
    >>> def decay(y, t, rate):
    ...     return -rate * y
    >>> def at_one(rate):
    ...     return integrate.odeint(decay, 1.0, np.array([0.0, 1.0]), (rate,))[-1, 0]
    >>> round(ad.grad(at_one)(0.5).item(), 4)  # -exp(-0.5)
    -0.6065
    """
    if not options.keys() <= set(OPTIONS):
        raise TypeError(
            f"odeint was called with {', '.join(options.keys() - set(OPTIONS))}; beside func, y0, t, args, rtol, atol "
            f"and tfirst it takes {', '.join(OPTIONS)}."
        )
    y0, t = np.ravel(floating(y0)), np.ravel(floating(t))
    varied: list[Any] = [x for x in tree.leaves(args) if isinstance(x, Node)]
    everything = [y0, t.astype(np.float64), *(np.ravel(x) for x in varied)]
    if any(x.dtype.kind == "c" for x in everything):
        raise TypeError("odeint takes real numbers; received complex ones. Solve for real and imaginary parts.")
    chosen = {"rtol": rtol, "atol": atol} | options
    problem = Problem(flattened(func, args, y0.shape[0], tfirst), y0.shape[0], t.shape[0], chosen)
    result = trajectory(np.concatenate(everything), problem=problem)
    dtype = np.result_type(*(x.dtype for x in (y0, *varied)))
    return result if dtype == np.float64 else result.astype(dtype)


def flattened(func: Callable[..., Any], args: tuple[Any, ...], n: int, tfirst: bool) -> Callable[[Any, Any, Any], Any]:
    """func as a function of (y, t, θ), where θ holds the elements of all Tensors in args."""

    def slope(y: Any, t: Any, theta: Any) -> Any:
        place = 0

        def restored(x: Any) -> Any:
            nonlocal place
            if not isinstance(x, Node):
                return x
            shape, start = raw(x).shape, place
            place += raw(x).size
            return np.reshape(theta[start:place], shape)

        given = tree.mapped(restored, args)
        found = func(t, y, *given) if tfirst else func(y, t, *given)
        if isinstance(found, list | tuple):
            recorded = any(isinstance(x, Node) for x in found)
            found = np.stack([np.reshape(x, ()) for x in found]) if recorded else np.asarray(found)
        if np.size(found) != n:
            raise ValueError(
                f"the function of an odeint returns a slope for each element of y0, {n}; it returned the shape "
                f"{np.shape(found)}."
            )
        return np.reshape(found, (n,))

    return slope
