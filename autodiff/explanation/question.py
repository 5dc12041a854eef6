"""`explain`: whether an adjoint arrives, and what happened to it on the way."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from autodiff.arrays.tensor import Tensor
from autodiff.explanation import cuts, losses, nonfinite, paths
from autodiff.explanation.flow import Flow, finite, norm, plain, zeros
from autodiff.explanation.wording import Explanation, Finding, Words, count, percent, size
from autodiff.picture import Picture, draw, drawn
from autodiff.picture.content.reading import Computation
from autodiff.picture.drawing.plan import Options

MOST_DRAWN = 60  # cards of the paths


def explain(x: Any, of: Tensor, seed: npt.ArrayLike | None = None) -> Explanation:
    """Why the gradient of a result with respect to `x` is zero, tiny, NaN, or ordinary.

    Parameters
    ----------
    x : a leaf, a Tensor in between, or a module; for a module each parameter is explained
    of : the result from which adjoints are followed back
    seed : the adjoint of `of`, in its shape; by default ones

    The answer prints itself: whether an adjoint arrives at x and by which paths, how large it is after every
    operation, where it is cut off, where it becomes zero or small, where the first NaN or infinity comes from, and what
    to write instead. It only reads existing values and changes nothing; `of` may have been reversed before.

    >>> x = ad.Tensor([-1.0, 2.0], name="x")
    >>> ad.explain(x, of=np.sum(ad.relu(x))).verdict
    'An adjoint of norm 1 arrives at x by 1 path; 50% of its elements are zero.'
    """
    if not isinstance(of, Tensor):
        raise TypeError(
            f"ad.explain was asked about the gradient of {type(of).__name__}, which remembers no computation; pass the "
            "Tensor that a computation on Tensors has given: ad.explain(x, of=loss)."
        )
    if isinstance(x, Tensor):
        return explained(Flow(of, seed), x, None)
    if hasattr(x, "named_parameters"):
        return _of_module(Flow(of, seed), x)
    raise TypeError(
        f"ad.explain was asked about {type(x).__name__}; an adjoint arrives at Tensors only. Pass a Tensor, or a "
        "module with parameters."
    )


def explained(flow: Flow, x: Tensor, name: str | None, frozen: bool = False) -> Explanation:
    """The answer for one Tensor."""
    words = _named(flow, x, name)
    with np.errstate(all="ignore"):
        findings, number = _findings(flow, x, words, frozen)
        largest = paths.largest(flow, x, number) if x in flow.adjoints and finite(flow.of) else []
        if largest and (finding := losses.shrunk(flow, largest[0], words)):
            findings.append(finding)
    if not findings and x in flow.adjoints and x.size and not np.any(flow.seed):
        findings.append(Finding("vanishes", "the seed is zero", "Pass another seed="))
    return Explanation(
        _verdict(flow, x, number, words),
        findings,
        [paths.steps(flow, path, words) for path in largest],
        number,
        None if flow.assigned else lambda: _drawn(flow, x),
    )


def _findings(flow: Flow, x: Tensor, words: Words, frozen: bool) -> tuple[list[Finding], int]:
    if not finite(flow.of):
        made = nonfinite.made(flow.of, words)
        if made is not None:
            return [made], paths.ways(flow, x)
    if flow.assigned and x not in flow.assigned:
        leaf, user = next(iter(flow.assigned.items()))
        what = f"{words.tensor(leaf)} was assigned a new value after {words.operation(user)} had used it"
        return [Finding("cut", what, "Compute the result again after the assignment", user)], 0
    if x not in flow.adjoints:
        return cuts.ends(flow, x, words, frozen), 0
    number = paths.ways(flow, x)
    if not x.size or not flow.of.size:
        return [], number
    if not finite(flow.adjoints[x]):
        met = nonfinite.met(flow, x, words)
        return ([met] if met else []), number
    found = [*losses.lost(flow, x, words), *losses.cancelled(flow, x, words)]
    return [*found, *cuts.leaks(flow, x, words)], number


def _verdict(flow: Flow, x: Tensor, number: int, words: Words) -> str:
    of, name = words.tensor(flow.of), words.tensor(x)
    if x not in flow.adjoints:
        return f"No adjoint of {of} arrives at {name}."
    g = plain(flow.adjoints[x])
    by = f"by {count(number, 'path')}" if x is not flow.of else "as the seed"
    if not finite(flow.of):
        return f"{of[0].upper()}{of[1:]} is not finite, and so no adjoint of it means anything."
    if not finite(g):
        return f"The adjoint that arrives at {name}, {by}, is not finite."
    if not g.size:
        return f"{name} has no elements, and so has its adjoint."
    if not np.any(g):
        return f"The adjoint that arrives at {name}, {by}, is zero."
    none = f"; {percent(zeros(g))} of its elements are zero" if zeros(g) else ""
    return f"An adjoint of norm {size(norm(g))} arrives at {name} {by}{none}."


def _of_module(flow: Flow, module: Any) -> Explanation:
    named = {name: (tensor, False) for name, tensor in module.named_parameters()}
    named |= {name: (tensor, True) for name, tensor in _frozen(module) if name not in named}
    parts = {name: explained(flow, tensor, name, frozen) for name, (tensor, frozen) in named.items()}
    if not finite(flow.of):
        shared = next((p.findings for p in parts.values() if p.findings), [])
        return Explanation(
            "The result is not finite, and so no adjoint of it means anything.", shared, drawn=lambda: draw(flow.of)
        )
    arrived = sum(bool(t in flow.adjoints and np.any(plain(flow.adjoints[t]))) for t, _ in named.values())
    verdict = f"An adjoint arrives at {arrived} of {count(len(parts), 'parameter')} of {type(module).__name__}."
    return Explanation(verdict, drawn=None if flow.assigned else lambda: draw(flow.of), parameters=parts)


def _frozen(module: Any) -> list[tuple[str, Tensor]]:
    """The frozen parameters of a module and of the modules inside it."""
    found = []
    for name, part in getattr(module, "named_modules", list)():
        for tensor, frozen in getattr(part, "own_parameters", list)():
            if frozen:
                found.append((f"{name or type(part).__name__}: {tensor.name or tensor.shape}", tensor))
    return found


def _drawn(flow: Flow, x: Tensor) -> Picture:
    with np.errstate(all="ignore"):
        part = paths.pruned(flow, x)
        if part is None:
            return draw(flow.of, seed=flow.seed)
        return drawn(Computation(part, "explain", flow.seed, None, MOST_DRAWN, constants=False), Options())


def _named(flow: Flow, x: Tensor, name: str | None) -> Words:
    """The words of a graph, with names for x and the result."""
    names = {} if flow.of.name else {id(flow.of): "the result"}
    if name is None and not x.name and x is not flow.of:
        name = f"the Tensor of shape {x.shape}" if any(node.name == "x" for node in flow.nodes) else "x"
    return Words(flow.nodes, names if name is None else names | {id(x): name})
