"""Functions made of functions: grad and its kin, which nest to any order.

Each differentiates with respect to fresh nodes, so that a variable the function also reads from outside stays a
constant to it. Results are plain arrays, unless the computation reads Tensors from outside: then they are
Tensors, which remember, and an enclosing transform or `backward` goes on through them.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

from autodiff import tree
from autodiff.graph import current_scope, depends_on_older, described
from autodiff.reverse import adjoints
from autodiff.rules.shaping import identity
from autodiff.tensor import Tensor, floating, leaf

Argnums = int | Sequence[int]


@contextmanager
def no_grad() -> Iterator[None]:
    """Within it nothing is recorded and results are plain arrays: `with ad.no_grad():` or `@ad.no_grad()`."""
    token = current_scope.set(None)
    try:
        yield
    finally:
        current_scope.reset(token)


def stop_gradient(x: Any) -> Any:
    """The value as a constant: a plain array, through which no derivative flows."""
    return x.value if isinstance(x, Tensor) else x


def grad(function: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False) -> Callable[..., Any]:
    """The function that gives the gradient of `function`, whose result is one number.

    Parameters
    ----------
    function : its arguments are arrays, numbers, or nested dicts, lists and tuples of them
    argnums : the position, or positions, of the arguments to differentiate with respect to
    has_aux : whether the function returns (result, anything); the gradient function then does too

    Returns
    -------
    a function of the same arguments; its result has the structure and the shapes of the chosen argument (a
    tuple of them where argnums is a sequence). It raises ValueError where the result is not one number.
    """
    both = value_and_grad(function, argnums, has_aux)

    @functools.wraps(function)
    def gradient(*args: Any, **kwargs: Any) -> Any:
        value, result = both(*args, **kwargs)
        return (result, value[1]) if has_aux else result

    return gradient


def value_and_grad(function: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False) -> Callable[..., Any]:
    """As `grad`, for the function that gives (result, gradient), or ((result, aux), gradient)."""

    @functools.wraps(function)
    def both(*args: Any, **kwargs: Any) -> Any:
        run = _run(function, argnums, args, kwargs, has_aux)
        shape = np.shape(run.result)
        if shape != ():
            raise ValueError(
                f"ad.grad takes a function with one number as its result; {_named(function)} gave shape {shape}. "
                "Reduce it, for example with .sum(), or use ad.jacobian."
            )
        value = run.plain(run.result)
        return (value, run.aux) if has_aux else value, run.adjoints(np.ones((), getattr(run.result, "dtype", float)))

    return both


def vjp(function: Callable[..., Any], *args: Any) -> tuple[Any, Callable[[Any], Any]]:
    """(y, pullback) at the arguments: pullback(seed) is the tuple of the arguments' adjoints for a seed of y's shape."""
    run = _run(function, range(len(args)), args, {}, False)
    shape = np.shape(run.result)

    def pullback(seed: Any) -> Any:
        if np.shape(seed) != shape:
            raise ValueError(
                f"a seed has the shape of the result, {shape}; the pullback of {_named(function)} received shape "
                f"{np.shape(seed)}."
            )
        return run.adjoints(seed)

    return run.plain(run.result), pullback


def jacobian(function: Callable[..., Any], argnums: Argnums = 0) -> Callable[..., Any]:
    """The function that gives the Jacobian of `function`: for each argument an array of shape y.shape + x.shape.

    One reverse pass per element of the result (reverse mode's cost).
    """

    @functools.wraps(function)
    def jacobian_of(*args: Any, **kwargs: Any) -> Any:
        run = _run(function, argnums, args, kwargs, False)
        shape = np.shape(run.result)
        size = int(np.prod(shape, dtype=int))
        seeds = np.eye(size, dtype=getattr(run.result, "dtype", float)).reshape(size, *shape)
        rows = [list(tree.leaves(run.adjoints(seed))) for seed in seeds]
        shapes = [x.shape for x in run.inputs]
        columns = zip(*rows, strict=True) if rows else [()] * len(shapes)
        stacked = iter(
            [
                np.reshape(np.stack(column), shape + own) if column else np.zeros(shape + own)
                for column, own in zip(columns, shapes, strict=True)
            ]
        )
        return tree.mapped(lambda _: next(stacked), run.chosen)

    return jacobian_of


def hessian(function: Callable[..., Any], argnums: Argnums = 0) -> Callable[..., Any]:
    """The function that gives the Hessian of `function`, whose result is one number: shape x.shape + x.shape.

    `argnums` is one position, of an argument that is one array. For n elements, n reverse passes.
    """
    if not isinstance(argnums, int):
        raise TypeError(f"ad.hessian takes one argument's position; received {argnums!r}")
    return jacobian(grad(function, argnums), argnums)


class _Run(NamedTuple):
    """A function's result, and the fresh nodes it was computed from."""

    result: Any
    aux: Any
    chosen: Any  # the chosen arguments, in their own structure, nodes in the place of arrays
    inputs: list[Tensor]
    recorded: bool  # whether the adjoints are to be Tensors

    def adjoints(self, seed: Any) -> Any:
        found = {}
        if isinstance(self.result, Tensor) and self.inputs:
            found = adjoints(self.result, _raw_seed(seed, self.recorded), wrt=self.inputs, recorded=self.recorded)
        return tree.mapped(lambda x: self._finished(found.get(x), x), self.chosen)

    def _finished(self, g: Any, x: Tensor) -> Any:
        if g is None:
            return np.zeros(x.shape, x.dtype)
        return g if isinstance(g, Tensor) else np.array(g)

    def plain(self, result: Any) -> Any:
        return result if self.recorded or not isinstance(result, Tensor) else np.array(result.primal)


def _run(function: Callable[..., Any], argnums: Argnums, args: tuple[Any, ...], kwargs: Any, has_aux: bool) -> _Run:
    enclosed = current_scope.get() is not None
    positions = (argnums,) if isinstance(argnums, int) else tuple(argnums)
    for k in positions:
        if not -len(args) <= k < len(args):
            raise TypeError(f"argnums names argument {k}; {_named(function)} was called with {len(args)} argument(s)")
    token = current_scope.set(current_scope.get() or ())  # transforms record, inside no_grad too
    try:
        fresh = {k % len(args): tree.mapped(lambda x: _fresh(x, function), args[k]) for k in positions}
        result = function(*(fresh.get(k, a) for k, a in enumerate(args)), **kwargs)
    finally:
        current_scope.reset(token)
    aux = None
    if has_aux:
        if not isinstance(result, tuple) or len(result) != 2:
            raise TypeError(f"has_aux=True takes a function that returns (result, aux); received {type(result).__name__}")
        result, aux = result
    chosen = tuple(fresh[k % len(args)] for k in positions)
    inputs = list(tree.leaves(chosen))
    if not isinstance(result, Tensor | np.ndarray | np.generic | float | int):
        raise TypeError(f"{_named(function)} is to return an array or a number; it returned {type(result).__name__}")
    recorded = (
        enclosed
        and isinstance(result, Tensor)
        and (
            any(x.primitive is not None for x in inputs)
            or depends_on_older(result, min((x.serial for x in inputs), default=-1))
        )
    )
    return _Run(result, aux, chosen[0] if isinstance(argnums, int) else chosen, inputs, recorded)


def _fresh(x: Any, function: Callable[..., Any]) -> Tensor:
    if isinstance(x, Tensor):
        return identity(x)
    return leaf(floating(x, what=f"an argument that {_named(function)} is differentiated by"))


def _raw_seed(seed: Any, recorded: bool) -> Any:
    if isinstance(seed, Tensor):
        return seed if recorded else seed.primal
    return np.asarray(seed)[()]


def _named(function: Callable[..., Any]) -> str:
    return getattr(function, "__name__", None) or repr(function)
