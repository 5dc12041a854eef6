"""Checkpoints: intermediate values are freed after the forward pass, and computed again in the reverse pass."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

import numpy as np

from autodiff.arrays.tensor import Tensor
from autodiff.engine.graph import Node, current_scope, next_serial, older_sources
from autodiff.engine.many import Together
from autodiff.engine.recording import NO_PARAMETERS, recorded, recording
from autodiff.engine.reverse import adjoints
from autodiff.engine.table import Function, Primitive
from autodiff.rules.shaping import astype
from autodiff.transforms import tree
from autodiff.transforms.call import named


def checkpoint(function: Function) -> Function:
    """The same function, but its intermediate values are freed and computed again in the reverse pass.

    If a chain of n layers is divided into √n checkpointed pieces, its reverse pass needs memory for 2 √n layers instead
    of n, and one more forward computation (Griewank & Walther 2000). Pieces may contain pieces. The function is called
    twice and must give the same results both times. It returns an array, or a nest of arrays.

    >>> block = ad.checkpoint(lambda x: np.sin(np.exp(x)))
    >>> ad.grad(lambda x: np.sum(block(x)))(np.array([0.0, 1.0])).round(4)
    array([ 0.5403, -2.4783])
    """

    @functools.wraps(function)
    def checkpointed(*args: Any, **kwargs: Any) -> Any:
        scope = current_scope.get()
        since = next_serial()
        results = function(*args, **kwargs)
        new = _new_results(results, since)
        if scope is None or not new:
            return results
        # Everything that the function reads (its arguments, and outer Tensors) becomes the arguments of one node.
        sources = older_sources(new, since)
        again = functools.partial(function, *args, **kwargs)
        primitive = Primitive(again, named(function), Together(_again(again, sources)))
        node = recorded(Tensor, primitive, _together(new).primal, tuple(sources), NO_PARAMETERS, scope)
        instead = dict(zip(new, _apart(node, new), strict=True))
        return tree.mapped(lambda r: instead.get(r, r) if isinstance(r, Tensor) else r, results)

    return checkpointed


def _new_results(results: Any, since: int) -> list[Tensor]:
    """The Tensors in a nest of results that are younger than the serial number `since`."""
    return list(dict.fromkeys(r for r in tree.leaves(results) if isinstance(r, Tensor) and r.serial >= since))


def _together(new: list[Tensor]) -> Tensor:
    """Several Tensors as one vector; a single Tensor unchanged."""
    return new[0] if len(new) == 1 else np.concatenate([np.ravel(tensor) for tensor in new])  # type: ignore[return-value]  # of Tensors, np.concatenate is a Tensor


def _apart(node: Tensor, new: list[Tensor]) -> Iterator[Tensor]:
    """The parts of the vector, in the shapes and dtypes of the Tensors that it was made from."""
    if len(new) == 1:
        yield node
        return
    end = 0
    for tensor in new:
        start, end = end, end + tensor.size
        part: Any = np.reshape(node[start:end], tensor.shape)
        part = np.real(part) if part.dtype.kind == "c" and tensor.dtype.kind == "f" else part
        yield part if part.dtype == tensor.dtype else astype(part, dtype=tensor.dtype)


def _again(function: Function, sources: list[Node]) -> Function:
    """The rule of a checkpoint: compute the function again, and reverse it."""

    def rule(g: Any, y: Any, *arguments: Any) -> list[Any]:
        since = next_serial()
        with recording():
            result = _together(_new_results(function(), since))
        found = adjoints(result, g, since=since, every=False, recorded=isinstance(y, Node))
        return [found.get(source) for source in sources]

    return rule
