"""Derivatives of functions: grad and its relatives. They nest to any order.

Arguments are arrays, numbers, or nested dicts, lists and tuples of them; derivatives have the same structure.
They are plain arrays. Only if the function reads Tensors from outside, or gets Tensors as arguments, are they
Tensors, which remember their history.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np

from autodiff.arrays.tensor import Tensor
from autodiff.batching import FAILURES, Batch, new_level, unpacked
from autodiff.engine.devices import beside, copied, eye, zeros
from autodiff.engine.forward import tangents as push_forward
from autodiff.engine.graph import Node, ancestors, current_scope
from autodiff.engine.recording import as_operand
from autodiff.engine.reverse import conjugated
from autodiff.engine.stand_in import StandIn
from autodiff.transforms import tree
from autodiff.transforms.call import Argnums, Function, Traced, named, traced

Unused = Literal["zeros", "error"]
Mode = Literal["forward", "reverse"]
MOST_AT_ONCE = 2**22  # elements of the largest array in a pass with many seeds of a Jacobian at once


def stop_gradient(x: Any) -> Any:
    """The value as a constant, through which no derivative flows: a copy of a Tensor's value as a plain array.

    A nest of Tensors gives a nest of such arrays; other values are unchanged.

    >>> ad.grad(lambda x: x * ad.stop_gradient(x))(3.0)
    array(3.)
    """
    return tree.mapped(lambda value: copied(value.primal) if isinstance(value, Tensor) else value, x)


def grad(function: Function, argnums: Argnums = 0, has_aux: bool = False, unused: Unused = "zeros") -> Function:
    """The function that gives the gradient of `function`, whose result is one real number.

    Parameters
    ----------
    argnums : the position, or positions, of the arguments to differentiate by
    has_aux : whether the function returns (result, anything); the gradient function then does too
    unused : the gradient of an argument that the result does not depend on: "zeros", or an "error" that names it

    Returns
    -------
    a function of the same arguments; its result has the structure and the shapes of the chosen argument (a
    tuple of them if argnums is a sequence). It raises ValueError if the result is not one number, and
    TypeError if the result is complex or an argument holds integers.

    >>> ad.grad(lambda x: np.sum(x**2))(np.array([1.0, 2.0]))
    array([2., 4.])
    >>> ad.grad(lambda w: w["a"] * w["b"])({"a": 2.0, "b": 5.0})
    {'a': array(5.), 'b': array(2.)}
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
    """As `grad`, but the new function returns (result, gradient), or ((result, aux), gradient).

    >>> ad.value_and_grad(lambda x: np.sum(x**2))(np.array([1.0, 2.0]))
    (array(5.), array([2., 4.]))
    """
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
    """(y, pullback) at the arguments: pullback(seed) is the tuple of their adjoints; the seed has the shape of y.

    If the result is a nest of arrays, a seed is a nest of the same structure.

    >>> y, pullback = ad.vjp(lambda a, b: a * b, np.array([1.0, 2.0]), 3.0)
    >>> pullback(np.array([1.0, 1.0]))
    (array([3., 3.]), array(3.))
    """
    run = traced(function, range(len(args)), args, {})
    run.arrays()

    def pullback(seed: Any) -> Any:
        for y, s in tree.pairs(run.result, seed if isinstance(run.result, list | tuple | dict) else _one_seed(seed)):
            if np.shape(s) != y.shape:
                raise ValueError(
                    f"a seed has the shape of the result, {y.shape}; the pullback of {named(function)} received shape "
                    f"{np.shape(s)}."
                )
        return run.shaped(run.adjoints(seed))

    return tree.mapped(run.plain, run.result), pullback


def _one_seed(seed: Any) -> Any:
    return np.asarray(seed) if isinstance(seed, list | tuple) else seed


def jvp(function: Function, primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
    """(y, tangent): the result, and its derivative in the direction of the arguments' tangents.

    Parameters
    ----------
    primals : the arguments, as a sequence
    tangents : for each argument, the same structure of arrays of the same shapes

    This is forward mode: one pass, for a result of any size, which may be a nest of arrays.

    >>> ad.jvp(np.sin, (0.0,), (2.0,))
    (array(0.), array(2.))
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
        t = t if recorded else stop_gradient(t)
        inputs[x] = t if isinstance(t, Tensor | StandIn) else as_operand(t, x).astype(x.dtype, copy=False)[()]
    found = push_forward([y for y in tree.leaves(run.result) if isinstance(y, Tensor)], inputs, run.remember)

    def moves(y: Any) -> Any:
        t = found.get(y) if isinstance(y, Tensor) else None
        if t is None:
            return zeros(np.shape(y), getattr(y, "dtype", float), like=y)
        return t if isinstance(t, Tensor) else copied(t)

    return tree.mapped(run.plain, run.result), tree.mapped(moves, run.result)


def hvp(function: Function, x: Any, v: Any) -> Any:
    """The Hessian of `function` at x times v. x and v have the same structure; the Hessian itself is never formed.

    Forward over reverse (Pearlmutter 1994): a small multiple of the cost of the function, however long x is.

    >>> ad.hvp(lambda x: np.sum(x**3), np.array([1.0, 2.0]), np.array([1.0, 0.0]))
    array([6., 0.])
    """
    return jvp(grad(function), (x,), (v,))[1]


def jacobian(function: Function, argnums: Argnums = 0, mode: Mode | None = None) -> Function:
    """The function that gives the Jacobian of `function`: for each argument an array of shape y.shape + x.shape.

    If the result is a nest of arrays, the Jacobian is a nest of such arrays.

    Parameters
    ----------
    argnums : the position, or positions, of the arguments to differentiate by
    mode : "reverse" starts from every element of the result, which must be real; "forward" from every element of the
        arguments, which must be real; None takes the one with fewer elements

    If NumPy's functions allow it, all seeds are computed together, in one pass of array operations.

    >>> ad.jacobian(lambda x: np.array([1.0, 2.0]) * x[0] * x[1])(np.array([3.0, 4.0]))
    array([[4., 3.],
           [8., 6.]])
    """
    if mode not in (None, "forward", "reverse"):
        raise ValueError(f'mode is "forward", "reverse" or None; received {mode!r}')

    @functools.wraps(function)
    def jacobian_of(*args: Any, **kwargs: Any) -> Any:
        run = traced(function, argnums, args, kwargs)
        run.arrays()
        return tree.mapped(lambda y: of_result(run._replace(result=y)), run.result)

    def of_result(run: Traced) -> Any:
        y = run.result
        if y.dtype.kind == "c":
            raise TypeError(
                f"ad.jacobian takes a function with a real result; {named(function)} gave a complex one. "
                "Differentiate its real and imaginary parts, np.real and np.imag."
            )
        elements = sum(x.size for x in run.inputs)
        real = all(x.dtype.kind == "f" for x in run.inputs)
        if mode == "forward" and not real:
            raise TypeError('ad.jacobian with mode="forward" takes real arguments; leave mode out for complex ones.')
        if not y.size or not elements:
            return tree.mapped(lambda x: zeros(y.shape + x.shape, x.dtype, like=x), run.chosen)
        forward = mode == "forward" or (mode is None and real and elements < y.size)
        blocks = _columns(run, y) if forward else _rows(run, y)
        return tree.mapped(lambda x: blocks[x], run.chosen)

    return jacobian_of


def _rows(run: Traced, y: Any) -> dict[Tensor, Any]:
    """The Jacobian by reverse passes, from every element of the result."""

    def adjoints(seed: Any) -> list[Any]:
        found = run.adjoints(seed)
        return [found.get(x, zeros(x.shape, x.dtype, like=x)) for x in run.inputs]

    seeds = eye(y.size, like=y).reshape(y.size, *y.shape)
    parts = _through(run, y, adjoints, [seeds])
    return {x: np.reshape(conjugated(part), y.shape + x.shape) for x, part in zip(run.inputs, parts, strict=True)}


def _columns(run: Traced, y: Any) -> dict[Tensor, Any]:
    """The Jacobian by forward passes, along every element of the arguments."""
    sizes = [x.size for x in run.inputs]
    ends = np.cumsum([0, *sizes]).tolist()
    directions = [
        beside(np.eye(ends[-1], size, -start, dtype=x.dtype), x).reshape(ends[-1], *x.shape)
        for x, size, start in zip(run.inputs, sizes, ends, strict=False)
    ]

    def tangent(*moved: Any) -> list[Any]:
        inputs: dict[Node, Any] = dict(zip(run.inputs, moved, strict=True))
        t = push_forward([y], inputs, run.remember).get(y) if isinstance(y, Tensor) else None
        return [zeros(y.shape, y.dtype, like=y) if t is None else t]

    (columns,) = _through(run, y, tangent, directions)
    columns = np.moveaxis(columns, 0, -1)
    return {
        x: np.reshape(columns[..., start : start + x.size], y.shape + x.shape).astype(x.dtype)
        for x, start in zip(run.inputs, ends, strict=False)
    }


def _through(run: Traced, y: Any, derivative: Function, seeds: list[Any]) -> list[Any]:
    """The results of `derivative` for all seeds, along a first axis, computed many at once or one by one."""
    number = len(seeds[0])
    if not run.remember and isinstance(y, Tensor):
        largest = max(node.primal.size for node in ancestors(y, since=min(x.serial for x in run.inputs)))
        step = max(1, MOST_AT_ONCE // max(largest, 1))
        try:
            chunks = [_together(derivative, [s[k : k + step] for s in seeds]) for k in range(0, number, step)]
        except FAILURES:
            pass
        else:
            return [np.concatenate(parts) for parts in zip(*chunks, strict=True)]
    results = [derivative(*(s[k] for s in seeds)) for k in range(number)]
    return [np.stack(parts) for parts in zip(*results, strict=True)]


def _together(derivative: Function, seeds: list[Any]) -> list[Any]:
    level, count = new_level(), len(seeds[0])
    return [unpacked(part, level, count) for part in derivative(*(Batch(s, level) for s in seeds))]


def hessian(function: Function, argnums: Argnums = 0) -> Function:
    """The function that gives the Hessian of `function`, whose result is one number: shape x.shape + x.shape.

    `argnums` is the position of an argument that is one array. An array of n elements takes n reverse passes, done
    together.

    >>> ad.hessian(lambda x: x[0] ** 2 * x[1])(np.array([1.0, 3.0]))
    array([[6., 2.],
           [2., 0.]])
    """
    if not isinstance(argnums, int):
        raise TypeError(f"ad.hessian takes one argument's position; received {argnums!r}")
    return jacobian(grad(function, argnums), argnums)
