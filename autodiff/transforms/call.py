"""A function called on fresh nodes: what every transform begins with."""

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

# Within `vmap`: an argument that is differentiated by, given a value of its own in every example.
mapped_over: ContextVar[Callable[[Any], Any]] = ContextVar("mapped_over", default=lambda value: value)

Function = Callable[..., Any]
Argnums = int | Sequence[int]


class Traced(NamedTuple):
    """What a function gave, and the fresh nodes in the place of the arguments it is differentiated by.

    Fresh nodes make a variable that the function also reads from outside a constant to it. `remember` says that
    the computation reads Tensors from outside: then derivatives are Tensors too, for an enclosing transform or
    `backward` to go on through, and plain arrays otherwise.
    """

    function: Function
    result: Any
    chosen: Any  # the chosen arguments in their own structure
    inputs: list[Tensor]  # the nodes in it
    remember: bool

    def array(self) -> Any:
        """The result, which is to be one array or number; TypeError otherwise."""
        if not isinstance(self.result, Tensor) and not is_array(self.result):
            received = type(self.result).__name__
            raise TypeError(f"{named(self.function)} must return one array, a Tensor; it returned {received}.")
        return self.result

    def arrays(self) -> list[Any]:
        """The result, which is to be an array or a nest of them, from left to right; TypeError otherwise."""
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
        """The adjoints of the inputs that the result depends on, for a seed of its shape, or of its structure."""
        if isinstance(self.result, list | tuple | dict):
            return self._replace(result=self._weighed(seed)).adjoints(1.0)
        if not isinstance(self.result, Tensor) or not self.inputs:
            return {}
        if not isinstance(seed, Tensor | StandIn):
            seed = as_operand(seed, self.result).astype(self.result.dtype, copy=False)[()]
        elif isinstance(seed, Tensor) and current_scope.get() is None:
            seed = seed.primal
        # A seed that is a Tensor makes Tensors of the adjoints, also where everything else is constant.
        return adjoints(self.result, conjugated(seed), wrt=self.inputs, recorded=self.remember)

    def _weighed(self, seeds: Any) -> Any:
        """All results, each times its seed, added up: its adjoints are theirs."""
        with recording():
            parts = [
                np.sum(y * conjugated(s if isinstance(s, Tensor | StandIn) else as_operand(s, y).astype(y.dtype)))
                for y, s in tree.pairs(self.result, seeds)
                if isinstance(y, Tensor)
            ]
        return functools.reduce(operator.add, parts) if parts else 0.0

    def shaped(self, found: Mapping[Node, Any]) -> Any:
        """Adjoints in the structure of the chosen arguments, as they are handed out; zeros where there are none."""
        return tree.mapped(
            lambda x: handed_out(found[x]) if x in found else zeros(x.shape, x.dtype, like=x), self.chosen
        )

    def plain(self, value: Any) -> Any:
        """A Tensor of the function's as it is handed out: without its history, if nothing outside asks for it."""
        return value if self.remember or not isinstance(value, Tensor) else copied(value.primal)


def handed_out(g: Any) -> Any:
    """An adjoint as a caller gets it: an array of its own, or a Tensor."""
    g = conjugated(g)
    return g if isinstance(g, Tensor) else copied(g)


def traced(function: Function, argnums: Argnums, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Traced:
    """Call `function` with fresh nodes in the place of the arguments (or the nests of arrays) at `argnums`."""
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
    """A result that is a plain number, a constant: a branch may be one, or .item() has lost a derivative."""
    if Tensor.items_taken > taken:
        warnings.warn(
            f"{named(function)} returned a plain number, whose derivative is 0, after .item() was called on the way; "
            "leave .item() out, if the result is to depend on the arguments.",
            stacklevel=4,
        )
    return np.asarray(y, complex if isinstance(y, complex) else float)[()]


def named(function: Function) -> str:
    """A function as error messages name it."""
    return getattr(function, "__name__", None) or repr(function)
