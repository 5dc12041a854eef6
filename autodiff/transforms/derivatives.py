"""Functions made of functions: grad and its kin, which nest to any order.

Arguments are arrays, numbers, or nested dicts, lists and tuples of them; derivatives have the same structure.
They are plain arrays, unless the function reads Tensors from outside (its arguments included): then they are
Tensors, which remember.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np

from autodiff.arrays.tensor import Tensor
from autodiff.engine.forward import tangents as push_forward
from autodiff.engine.graph import Node, current_scope
from autodiff.transforms import tree
from autodiff.transforms.call import Argnums, Function, Traced, named, traced

Unused = Literal["zeros", "error"]


def stop_gradient(x: Any) -> Any:
    """The value as a constant, through which no derivative flows: of a Tensor a plain array of its own.

    A nest of Tensors gives a nest of such arrays; what is no Tensor stays as it is.
    """
    return tree.mapped(lambda value: np.array(value.primal) if isinstance(value, Tensor) else value, x)


def grad(function: Function, argnums: Argnums = 0, has_aux: bool = False, unused: Unused = "zeros") -> Function:
    """The function that gives the gradient of `function`, whose result is one real number.

    Parameters
    ----------
    argnums : the position, or positions, of the arguments to differentiate by
    has_aux : whether the function returns (result, anything); the gradient function then does too
    unused : what to do about an argument that the result does not depend on: "zeros", or an "error" that names it

    Returns
    -------
    a function of the same arguments; its result has the structure and the shapes of the chosen argument (a
    tuple of them where argnums is a sequence). It raises ValueError where the result is not one number, and
    TypeError where it is complex, or an argument holds integers.
    """
    both = value_and_grad(function, argnums, has_aux, unused)

    @functools.wraps(function)
    def gradient(*args: Any, **kwargs: Any) -> Any:
        value, result = both(*args, **kwargs)
        return (result, value[1]) if has_aux else result

    return gradient


def value_and_grad(
    function: Function, argnums: Argnums = 0, has_aux: bool = False, unused: Unused = "zeros"
) -> Function:
    """As `grad`, for the function that gives (result, gradient), or ((result, aux), gradient)."""
    if unused not in ("zeros", "error"):
        raise ValueError(f'unused is "zeros" or "error"; received {unused!r}')

    @functools.wraps(function)
    def both(*args: Any, **kwargs: Any) -> Any:
        run = traced(function, argnums, args, kwargs)
        aux = None
        if has_aux:
            if not isinstance(run.result, tuple) or len(run.result) != 2:
                received = type(run.result).__name__
                raise TypeError(f"has_aux=True takes a function that returns (result, aux); it returned {received}.")
            result, aux = run.result
            run = run._replace(result=result)
        _one_real_number(run)
        found = run.adjoints(1.0)
        if unused == "error" and (missing := [x for x in run.inputs if x not in found]):
            listed = "; ".join(tree.path_to(run.chosen, x) or "the argument" for x in missing)
            raise ValueError(
                f"the result of {named(function)} does not depend on {listed} of the chosen argument(s); "
                'leave it out of argnums, or ask for unused="zeros".'
            )
        value = run.plain(run.result)
        return (value, tree.mapped(run.plain, aux)) if has_aux else value, run.shaped(found)

    return both


def _one_real_number(run: Traced) -> None:
    result = run.array()
    if result.shape != ():
        raise ValueError(
            f"ad.grad takes a function with one number as its result; {named(run.function)} gave shape "
            f"{result.shape}. Reduce it, for example with .sum(), or use ad.jacobian."
        )
    if result.dtype.kind == "c":
        raise TypeError(
            f"ad.grad takes a function with a real result; {named(run.function)} gave a complex one. "
            "Make it real, for example with np.abs or np.real."
        )


def vjp(function: Function, *args: Any) -> tuple[Any, Callable[[Any], Any]]:
    """(y, pullback) at the arguments: pullback(seed) is the tuple of their adjoints for a seed of y's shape."""
    run = traced(function, range(len(args)), args, {})
    shape = run.array().shape

    def pullback(seed: Any) -> Any:
        if np.shape(seed) != shape:
            raise ValueError(
                f"a seed has the shape of the result, {shape}; the pullback of {named(function)} received shape "
                f"{np.shape(seed)}."
            )
        return run.shaped(run.adjoints(seed))

    return run.plain(run.result), pullback


def jvp(function: Function, primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
    """(y, tangent): the result, and its directional derivative as the arguments move along their tangents.

    Parameters
    ----------
    primals : the arguments, as a sequence
    tangents : for each argument, the same structure of arrays of the same shapes

    Forward mode: one pass along the computation, whatever the size of the result, which may be a nest of arrays.
    """
    if not isinstance(primals, list | tuple) or not isinstance(tangents, list | tuple):
        raise TypeError("ad.jvp takes the arguments as a tuple, and their tangents as another: ad.jvp(f, (x,), (v,)).")
    run = traced(function, range(len(primals)), tuple(primals), {})
    moved = list(tree.pairs(list(run.chosen), list(tangents)))
    shapes = [np.shape(t) for _, t in moved]
    if shapes != [x.shape for x in run.inputs]:
        raise ValueError(
            f"a tangent has the shape of its argument: {[x.shape for x in run.inputs]}; received {shapes}."
        )
    inputs: dict[Node, Any] = {}
    for x, t in moved:
        recorded = isinstance(t, Tensor) and current_scope.get() is not None
        inputs[x] = t if recorded else np.asarray(stop_gradient(t), x.dtype)[()]
    found = push_forward([y for y in tree.leaves(run.result) if isinstance(y, Tensor)], inputs, run.remember)

    def moves(y: Any) -> Any:
        t = found.get(y) if isinstance(y, Tensor) else None
        if t is None:
            return np.zeros(np.shape(y), getattr(y, "dtype", float))
        return t if isinstance(t, Tensor) else np.array(t)

    return tree.mapped(run.plain, run.result), tree.mapped(moves, run.result)


def hvp(function: Function, x: Any, v: Any) -> Any:
    """The Hessian of `function` at x times v, both of one structure; the Hessian itself is never formed.

    Forward over reverse (Pearlmutter 1994): a small multiple of the cost of the function, however long x is.
    """
    return jvp(grad(function), (x,), (v,))[1]


def jacobian(function: Function, argnums: Argnums = 0) -> Function:
    """The function that gives the Jacobian of `function`: for each argument an array of shape y.shape + x.shape.

    One reverse pass per element of the result, which is real.
    """

    @functools.wraps(function)
    def jacobian_of(*args: Any, **kwargs: Any) -> Any:
        run = traced(function, argnums, args, kwargs)
        y = run.array()
        if y.dtype.kind == "c":
            raise TypeError(
                f"ad.jacobian takes a function with a real result; {named(function)} gave a complex one. "
                "Differentiate its real and imaginary parts, np.real and np.imag."
            )
        seeds = np.eye(y.size, dtype=y.dtype).reshape(y.size, *y.shape)
        rows = [list(tree.leaves(run.shaped(run.adjoints(seed)))) for seed in seeds]
        columns = zip(*rows, strict=True) if rows else ((),) * len(run.inputs)
        blocks = dict(zip(run.inputs, columns, strict=True))
        return tree.mapped(
            lambda x: np.reshape(np.stack(blocks[x]) if rows else np.zeros(0, x.dtype), y.shape + x.shape), run.chosen
        )

    return jacobian_of


def hessian(function: Function, argnums: Argnums = 0) -> Function:
    """The function that gives the Hessian of `function`, whose result is one number: shape x.shape + x.shape.

    `argnums` is one position, of an argument that is one array. For n elements, n reverse passes.
    """
    if not isinstance(argnums, int):
        raise TypeError(f"ad.hessian takes one argument's position; received {argnums!r}")
    return jacobian(grad(function, argnums), argnums)
