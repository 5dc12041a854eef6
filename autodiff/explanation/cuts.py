"""Where the path from a Tensor ends before the result: in a constant, in a copied Tensor, in another graph.

A plain array does not know its origin. But it can be compared: a constant that equals np.sign of x, or the value of x,
was almost certainly computed from x. The Tensors that were computed from x, and that the program still holds, are
compared as well.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from autodiff.arrays.tensor import Tensor
from autodiff.engine.graph import Node, by_serial
from autodiff.explanation.flow import Flow, constants, ordinal, plain
from autodiff.explanation.wording import Finding, Words, is_tensor

MOST_COMPARED = 200  # Tensors computed from x that are compared
LARGEST = 1_000_000  # elements of an array that is compared
MOST_LISTED = 4
COMMON = (0.0, 1.0, -1.0, 2.0, -2.0, 0.5, 3.0, 10.0)  # numbers that need no explanation

STEPS: dict[str, Callable[[Any], Any]] = {
    "np.sign": np.sign,
    "np.round": np.round,
    "np.floor": np.floor,
    "np.ceil": np.ceil,
    "np.trunc": np.trunc,
}
SMOOTH = (np.exp, np.log, np.tanh, np.sqrt, np.square, np.sin, np.cos, np.negative, np.log1p, np.expm1)
SUMMARIES: dict[str, Callable[[Any], Any]] = {
    "sum": np.sum,
    "mean": np.mean,
    "max": np.max,
    "min": np.min,
    "norm": np.linalg.norm,
    "std": np.std,
}
TENSOR_WANTED = "Leave out .value, .item(), ad.stop_gradient and ad.no_grad where the derivative is to flow"
STEPWISE = (
    "Its derivative is zero wherever it exists: use a smooth function in its place (np.tanh, ad.sigmoid, ad.softmax)"
)


def ends(flow: Flow, x: Tensor, words: Words, frozen: bool = False) -> list[Finding]:
    """Why no derivative reaches x: constants and Tensors of the graph made from x, or another finding."""
    name = words.tensor(x)
    if x in flow.assigned:
        user = words.operation(flow.assigned[x])
        what = f"{name} was assigned a new value after {user} had used it, so this graph no longer holds"
        return [Finding("cut", what, "Compute the result again after the assignment", flow.assigned[x])]
    if frozen:
        what = f"{name} is frozen: its module computes with a plain array in its place"
        return [Finding("cut", what, "Call unfreeze() on the module before the forward pass")]
    if x in flow.users:
        return _without_derivative(flow, x, words)
    made = descendants(x)
    found = list(_matches(flow, [x, *made], words, copies_only=False))
    return found or [_lost_sight(flow, x, made, words)]


def leaks(flow: Flow, x: Tensor, words: Words) -> list[Finding]:
    """Constants that equal x or a result of x: through them a part of the derivative is lost."""
    reached = flow.between(x)
    made: list[Any] = [node for node in flow.nodes if node in reached and node is not x][:MOST_COMPARED]
    return list(_matches(flow, [x, *made], words, copies_only=True))


def descendants(x: Tensor) -> list[Tensor]:
    """The Tensors computed from x that the program still holds, in recording order."""
    alive = [o for o in gc.get_objects() if is_tensor(o) and o.primitive is not None and o.serial > x.serial]
    found = {x}
    for tensor in sorted(alive, key=by_serial):
        if any(isinstance(a, Node) and a in found for a in tensor.arguments):
            found.add(tensor)
    return sorted(found - {x}, key=by_serial)[:MOST_COMPARED]


def _without_derivative(flow: Flow, x: Tensor, words: Words) -> list[Finding]:
    """The operations that read x, or a result of x, and pass no adjoint to it."""
    found = []
    for node, position in flow.edges(flow.between(x)):
        if node in flow.adjoints and flow.share((node, position)) is None:
            what = f"{words.operation(node)} has no derivative with respect to its {ordinal(position)} argument, "
            what += f"{words.tensor(node.arguments[position])}"
            found.append(Finding("cut", what, STEPWISE, node))
    return found


def _matches(flow: Flow, made: list[Any], words: Words, copies_only: bool) -> Iterator[Finding]:
    seen: set[int] = set()
    own = set(made)
    arrays = np.ndarray if copies_only else np.ndarray | np.generic | int | float
    known = [(tensor, plain(tensor)) for tensor in made if plain(tensor).size <= LARGEST]
    for node in flow.nodes:
        if node.primitive is None and not copies_only and node not in own:
            for tensor, value in known:
                origin = made_of(plain(node), value, words.tensor(tensor), tensor.primal)
                if origin:
                    what = f"{words.tensor(node)} is a Tensor made anew, a leaf of its own: {origin[0]}"
                    yield Finding("cut", what, "Compute with the Tensor itself, not with ad.Tensor(its value)", node)
                    break
        for role, constant in constants(node):
            if id(constant) in seen or not isinstance(constant, arrays):
                continue
            for tensor, value in known:
                if tensor.serial >= node.serial:
                    continue
                origin = made_of(np.asarray(constant), value, words.tensor(tensor), tensor.primal)
                if origin and not (copies_only and origin[1] is not TENSOR_WANTED):
                    seen.add(id(constant))
                    what = f"{words.operation(node)} reads a plain array as its {role}: {origin[0]}"
                    yield Finding("cut", what, origin[1], node)
                    break


def made_of(constant: Any, value: Any, name: str, primal: Any) -> tuple[str, str] | None:
    """How a constant was made from a value, and what to write instead; None if it is not recognised."""
    if constant.dtype.kind not in "fciub" or not constant.size or not value.size:
        return None
    with np.errstate(all="ignore"):
        if constant.ndim == 0:
            return _number_of(constant[()], value, name)
        if isinstance(primal, np.ndarray) and np.may_share_memory(constant, primal):
            return f"{name}.value", TENSOR_WANTED
        if constant.shape == value.shape:
            return _same_shape(constant, value, name)
        if constant.dtype.kind in "iu" and value.ndim and constant.size < value.size:
            for function in (np.argmax, np.argmin):
                for axis in range(value.ndim):
                    if np.array_equal(np.squeeze(constant), function(value, axis=axis)) and np.ptp(constant):
                        return f"it equals np.{function.__name__}({name}, axis={axis})", STEPWISE
    return None


def _same_shape(constant: Any, value: Any, name: str) -> tuple[str, str] | None:
    if not np.ptp(np.real(constant).astype(float)) and constant.reshape(-1)[0] in COMMON:
        return None  # the same common number everywhere is no evidence
    if np.array_equal(constant, value):
        return f"it equals {name}, so it is its .value, or came out of ad.stop_gradient or ad.no_grad", TENSOR_WANTED
    stepwise = None if value.size == 1 or value.dtype.kind == "c" else _stepwise(constant, value, name)
    if stepwise:
        return stepwise, STEPWISE
    if constant.dtype.kind == "f" == value.dtype.kind:
        for function in SMOOTH:
            if np.array_equal(constant, function(value)):
                return f"it equals np.{function.__name__}({name}), computed in ad.no_grad or of .value", TENSOR_WANTED
    return None


def _stepwise(constant: Any, value: Any, name: str) -> str | None:
    """A constant as a step function of a value, if it is recognised."""
    steps = [f"{spelled}({name})" for spelled, step in STEPS.items() if np.array_equal(constant, step(value))]
    if steps:
        return f"it equals {' and '.join(steps)}"
    if threshold(constant, value):
        return f"it is the comparison of {name} with a number"
    if constant.dtype.kind in "iu" and np.array_equal(constant, np.argsort(value)):
        return f"it equals np.argsort({name})"
    if value.dtype.kind == "f" and np.array_equal(constant, value == np.max(value, axis=-1, keepdims=True)):
        return f"it marks np.argmax({name}) with ones"
    return None


def threshold(constant: Any, value: Any) -> bool:
    """Whether a mask is the comparison of the values with one number."""
    if value.dtype.kind != "f" or not np.isin(constant, (0, 1)).all():
        return False
    mask = constant.astype(bool)
    if mask.all() or not mask.any() or value.size < 3:
        return False
    inside, outside = value[mask], value[~mask]
    return bool(inside.min() > outside.max() or inside.max() < outside.min())


def _number_of(number: Any, value: Any, name: str) -> tuple[str, str] | None:
    if number in COMMON:
        if isinstance(number, np.integer) and value.ndim == 1 and value.size > 1 and number == np.argmax(value):
            return f"it equals np.argmax({name})", STEPWISE
        return None
    if value.size == 1:
        if value.dtype.kind == "c" and number != value.reshape(())[()]:
            return None
        if number == value.reshape(())[()]:
            return f"it equals {name}.item()", TENSOR_WANTED
        return next(
            ((f"it equals {s}({name})", STEPWISE) for s, f in STEPS.items() if number == f(value.reshape(())[()])), None
        )
    for word, summary in SUMMARIES.items():
        if value.dtype.kind == "f" and number == summary(value):
            return f"it equals the {word} of {name}, as a number (.item(), float)", TENSOR_WANTED
    return None


def _lost_sight(flow: Flow, x: Tensor, made: list[Tensor], words: Words) -> Finding:
    """The finding if no constant of the graph is recognised as made from x."""
    name, of = words.tensor(x), words.tensor(flow.of)
    user = made[0].primitive if made else None
    used = f"it is used by {user.name}, " if user else "no operation that is still held uses it, "
    what = f"{name} is not in the graph of {of}; {used}"
    arrays = [
        f"{words.operation(node)}, its {role}"
        for node in flow.nodes
        for role, constant in constants(node)
        if isinstance(constant, np.ndarray)
    ]
    what += f"and nothing of that leads to {of}" if made else f"and none leads to {of}"
    if arrays:
        what += (
            f". {of} reads these plain arrays, which may have been computed from it: {'; '.join(arrays[:MOST_LISTED])}"
        )
    return Finding(
        "cut", what, "Pass the Tensor itself to the computation; " + TENSOR_WANTED[0].lower() + TENSOR_WANTED[1:]
    )
