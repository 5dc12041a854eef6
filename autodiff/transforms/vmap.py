"""`vmap`: from a function of one example to a function of many."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from autodiff.arrays.tensor import Tensor
from autodiff.batching import FAILURES, Batch, levels, new_level, packed, unpacked
from autodiff.engine.devices import is_array
from autodiff.engine.table import adjoint, linear, primitive
from autodiff.transforms import tree
from autodiff.transforms.call import Function, mapped_over, named

Axes = int | None | Sequence[int | None]


@primitive
def as_batch(x: Any, level: int, count: int) -> Any:
    """An array with the examples along its first axis, as a Batch of them."""
    return packed(x, level)


@primitive
def as_array(x: Any, level: int, count: int) -> Any:
    """A Batch, or a value that all examples share, as an array with the examples along its first axis."""
    return unpacked(x, level, count)


adjoint(as_batch, lambda g, y, x, level, count: as_array(g, level=level, count=count))
adjoint(as_array, lambda g, y, x, level, count: as_batch(g, level=level, count=count))
linear(as_batch, as_array)


def vmap(function: Function, in_axes: Axes = 0, out_axes: int = 0) -> Function:
    """The function of many examples: it applies `function` to each of them and stacks the results.

    Parameters
    ----------
    function : a function of arrays, or nests of them, that returns an array or a nest of arrays
    in_axes : the axis of the examples in the arguments: one for all arguments, or a tuple with one for each; None for
        an argument that all examples share
    out_axes : the axis of the examples in the results

    All examples are computed in one pass of array operations. If that is not possible, for instance because the
    function branches on a value, they are computed one after the other. So the function is called once, or once and
    then once more for each example. Pass random numbers as arguments: if they are drawn inside, all examples may share
    them. All examples share the keyword arguments.

    Per-sample gradients of a loss:

    >>> X, y, w = np.ones((5, 3)), np.zeros(5), np.ones(3)
    >>> def loss(w, x, y):
    ...     return (x @ w - y) ** 2
    >>> ad.vmap(ad.grad(loss), (None, 0, 0))(w, X, y).shape
    (5, 3)

    Raises ValueError if no argument has examples, or if the numbers of examples differ.
    """

    @functools.wraps(function)
    def mapped(*args: Any, **kwargs: Any) -> Any:
        axes = in_axes if isinstance(in_axes, list | tuple) else (in_axes,) * len(args)
        if len(axes) != len(args):
            raise ValueError(f"in_axes names {len(axes)} argument(s); {named(function)} was called with {len(args)}.")
        examples = tuple(
            arg if axis is None else tree.mapped(functools.partial(_first, axis=axis, function=function), arg)
            for arg, axis in zip(args, axes, strict=True)
        )
        counts = [
            x.shape[0] for e, axis in zip(examples, axes, strict=True) if axis is not None for x in tree.leaves(e)
        ]
        if not counts or len(set(counts)) > 1:
            listed = f"{', '.join(map(str, dict.fromkeys(counts)))} examples" if counts else "no argument with examples"
            raise ValueError(
                f"ad.vmap of {named(function)} takes as many examples in every argument; received {listed} "
                f"(in_axes={in_axes!r})."
            )
        (count,) = set(counts)
        shared = [axis is None for axis in axes]
        try:
            result = _at_once(function, examples, shared, kwargs, count)
        except FAILURES:
            result = _one_by_one(function, examples, shared, kwargs, count)
        return tree.mapped(lambda y: np.moveaxis(y, 0, out_axes), result) if out_axes else result

    return mapped


def _first(x: Any, axis: int, function: Function) -> Any:
    """An argument with its examples along the first axis."""
    x = x if isinstance(x, Tensor) or is_array(x) else np.asarray(x)
    if not -x.ndim <= axis < x.ndim:
        raise ValueError(f"in_axes names axis {axis}; {named(function)} was called with an array of shape {x.shape}.")
    return np.moveaxis(x, axis, 0) if axis % x.ndim else x


def _at_once(function: Function, examples: tuple[Any, ...], shared: list[bool], kwargs: Any, count: int) -> Any:
    level = new_level()
    batches = (
        e if s else tree.mapped(lambda x: as_batch(x, level=level, count=count), e)
        for e, s in zip(examples, shared, strict=True)
    )
    outer = mapped_over.get()

    def own(value: Any) -> Any:
        """A differentiated argument with a separate value for each example, without storing the copies."""
        value = outer(value)
        if level in levels(value):
            return value
        return Batch(np.broadcast_to(value, (count, *np.shape(value))), level)

    token = mapped_over.set(own)
    try:
        result = function(*batches, **kwargs)
    finally:
        mapped_over.reset(token)
    return tree.mapped(lambda y: as_array(y, level=level, count=count), result)


def _one_by_one(function: Function, examples: tuple[Any, ...], shared: list[bool], kwargs: Any, count: int) -> Any:
    if not count:
        raise ValueError(
            f"ad.vmap of {named(function)} was called with no examples, and it cannot be computed for all of them at "
            "once; so the shape of its result is not known."
        )
    results = []
    for k in range(count):
        one = (e if s else tree.mapped(lambda x: x[k], e) for e, s in zip(examples, shared, strict=True))  # noqa: B023
        results.append(function(*one, **kwargs))
    leaves = zip(*(tree.leaves(result) for result in results), strict=True)
    stacked = iter([np.stack(parts) for parts in leaves])
    return tree.mapped(lambda _: next(stacked), results[0])
