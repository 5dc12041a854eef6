"""A function called on fresh nodes: the first step of every transform."""

from __future__ import annotations

import functools
import operator
import warnings
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from typing import Any, NamedTuple

import numpy as np

from autodiff.arrays.floating import floating
from autodiff.arrays.tensor import Tensor, leaf
from autodiff.engine.devices import copied, is_array, zeros
from autodiff.engine.graph import Node, current_scope, older_sources
from autodiff.engine.recording import as_operand, recording
from autodiff.engine.reverse import adjoints, conjugated
from autodiff.engine.stand_in import StandIn
from autodiff.rules.shaping import identity
from autodiff.transforms import tree

# Inside `vmap`: gives a differentiated argument a separate value for each example.
mapped_over: ContextVar[Callable[[Any], Any]] = ContextVar("mapped_over", default=lambda value: value)

Function = Callable[..., Any]
Argnums = int | Sequence[int]


class Traced(NamedTuple):
    """The result of a function, and the fresh nodes that replaced the arguments to differentiate by.

    Because the nodes are fresh, a variable that the function also reads from outside is a constant. `remember` is true
    if the computation reads Tensors from outside: then derivatives are Tensors, so that an enclosing transform or
    `backward` can continue; otherwise they are plain arrays.
    """

    function: Function
    result: Any
    chosen: Any  # the chosen arguments, as the user nested them
    inputs: list[Tensor]  # the nodes in it
    remember: bool

    def array(self) -> Any:
        """The result, one array or number. Raises TypeError otherwise."""
        if not isinstance(self.result, Tensor) and not is_array(self.result):
            received = type(self.result).__name__
            raise TypeError(f"{named(self.function)} must return one array, a Tensor; it returned {received}.")
        return self.result

    def arrays(self) -> list[Any]:
        """The arrays of the result, an array or a nest of them, from left to right. Raises TypeError otherwise."""
        listed = [None] if self.result is None else list(tree.leaves(self.result))
        for y in listed:
            if not isinstance(y, Tensor) and not is_array(y):
                place = tree.path_to(self.result, y)
                raise TypeError(
                    f"{named(self.function)} must return arrays, Tensors or nests of them; it returned "
                    f"{type(y).__name__}{f' at {place}' if place else ''}."
                )
        return listed

    def adjoints(self, seed: Any) -> Mapping[Node, Any]:
        """The adjoints of the inputs that the result depends on. The seed has the result's shape or structure."""
        if isinstance(self.result, list | tuple | dict):
            return self._replace(result=self._weighed(seed)).adjoints(1.0)
        if not isinstance(self.result, Tensor) or not self.inputs:
            return {}
        if not isinstance(seed, Tensor | StandIn):
            seed = as_operand(seed, self.result).astype(self.result.dtype, copy=False)[()]
        elif isinstance(seed, Tensor) and current_scope.get() is None:
            seed = seed.primal
        # If the seed is a Tensor, the adjoints are Tensors, even if everything else is constant.
        return adjoints(self.result, conjugated(seed), wrt=self.inputs, recorded=self.remember)

    def _weighed(self, seeds: Any) -> Any:
        """The sum of all results, each times its seed; its adjoints are those of the nest for these seeds."""
        with recording():
            parts = [
                np.sum(y * conjugated(s if isinstance(s, Tensor | StandIn) else as_operand(s, y).astype(y.dtype)))
                for y, s in tree.pairs(self.result, seeds)
                if isinstance(y, Tensor)
            ]
        return functools.reduce(operator.add, parts) if parts else 0.0

    def shaped(self, found: Mapping[Node, Any]) -> Any:
        """The adjoints for the caller, in the structure of the chosen arguments; zeros where there are none."""
        return tree.mapped(
            lambda x: handed_out(found[x]) if x in found else zeros(x.shape, x.dtype, like=x), self.chosen
        )

    def plain(self, value: Any) -> Any:
        """A Tensor of the function for the caller: a plain array unless `remember` is true."""
        return value if self.remember or not isinstance(value, Tensor) else copied(value.primal)


def handed_out(g: Any) -> Any:
    """An adjoint for the caller: a copied array, or a Tensor."""
    g = conjugated(g)
    return g if isinstance(g, Tensor) else copied(g)


def traced(function: Function, argnums: Argnums, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Traced:
    """Call `function` with fresh nodes instead of the arguments (or the nests of arrays) at `argnums`."""
    positions = (argnums,) if isinstance(argnums, int | np.integer) else tuple(argnums)
    if not positions:
        raise ValueError(f"argnums names no argument of {named(function)} to differentiate by; name at least one.")
    for k in positions:
        if not -len(args) <= k < len(args):
            raise TypeError(f"argnums names argument {k}; {named(function)} was called with {len(args)} argument(s).")
    enclosed = current_scope.get() is not None
    with recording():
        fresh = {k % len(args): _chosen(args[k], function) for k in positions}
        taken = Tensor.items_taken
        result = tree.mapped(
            lambda y: _number(y, function, taken) if isinstance(y, int | float | complex) else y,
            function(*(fresh.get(k, a) for k, a in enumerate(args)), **kwargs),
        )
    chosen = tuple(fresh[k % len(args)] for k in positions)
    inputs = list(tree.leaves(chosen))
    first = min((x.serial for x in inputs), default=0)
    results = [r for r in tree.leaves(result) if isinstance(r, Tensor)]
    outside = any(x.primitive is not None for x in inputs) or bool(older_sources(results, first))
    shown = chosen if isinstance(argnums, Sequence) else chosen[0]
    return Traced(function, result, shown, inputs, enclosed and outside)


def _chosen(argument: Any, function: Function) -> Any:
    fresh = functools.partial(_fresh, argument=argument, function=function)
    return fresh(argument) if argument is None else tree.mapped(fresh, argument)


def _fresh(x: Any, argument: Any, function: Function) -> Tensor:
    if isinstance(x, Tensor):
        return identity(x)
    if isinstance(x, StandIn) and x.dtype.kind in "fc":
        x = x.floating()
    else:
        place = tree.path_to(argument, x)
        what = f"an argument that {named(function)} is differentiated by{place and f', at {place},'}"
        x = floating(np.empty(x.shape, x.dtype) if isinstance(x, StandIn) else x, what=what)
    return leaf(mapped_over.get()(x))


def _number(y: Any, function: Function, taken: int) -> Any:
    """A result that is a plain number: a constant, from a branch perhaps. Warns if .item() was called."""
    if Tensor.items_taken > taken:
        warnings.warn(
            f"{named(function)} returned a plain number, whose derivative is 0, after .item() was called on the way; "
            "leave .item() out, if the result is to depend on the arguments.",
            stacklevel=4,
        )
    return np.asarray(y, complex if isinstance(y, complex) else float)[()]


def named(function: Function) -> str:
    """The name of a function in error messages."""
    return getattr(function, "__name__", None) or repr(function)
