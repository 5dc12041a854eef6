"""The parameters that an optimizer is given: Tensors, named Tensors, or groups of them with their own options."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

import autodiff as ad
from nn.checked import real
from nn.model.module import Module
from nn.optim.options import Group, Options


def grouped(given: Any, kind: Any, defaults: Mapping[str, Any], before: int = 0) -> list[Group]:
    """The groups, from Tensors, (name, Tensor) pairs, or dicts with "params" and options.

    `before` is the number of existing groups; messages count from it.

    Raises ValueError for no parameters and for a Tensor in two groups, TypeError for values that are no leaf Tensors.
    """
    name = kind.__name__
    items = _items(given, name)
    if not any(isinstance(item, Mapping) for item in items):
        items = [{"params": items}]
    groups: list[Group] = []
    taken: dict[int, int] = {}
    for k, item in enumerate(items, before):
        if not isinstance(item, Mapping) or "params" not in item:
            raise TypeError(
                f'{name}: groups are dicts that all have "params"; item {k} is {_described(item)}. '
                f'Write {name}([{{"params": model.body.parameters()}}, {{"params": [w], "lr": 0.01}}]).'
            )
        params = item["params"]
        names, tensors = _named(_items([params] if isinstance(params, ad.Tensor) else params, name), name)
        for tensor in tensors:
            if taken.setdefault(id(tensor), k) != k:
                raise ValueError(
                    f"{name}: a parameter of shape {tensor.shape} is in group {taken[id(tensor)]} and in group {k}. "
                    "Leave it in one of them."
                )
        own = {key: value for key, value in item.items() if key not in ("params", "param_names")}
        if "lr" in own:
            real(own["lr"], f"{name}: lr of group {k}", above=True)
        groups.append(Group(kind, tensors, names, Options(kind, {**defaults, **own})))
    return groups


def _items(given: Any, name: str) -> list[Any]:
    if isinstance(given, Module):
        raise TypeError(
            f"{name} takes a model's parameters; received the model. Write {name}(model.parameters(), ...)."
        )
    if isinstance(given, ad.Tensor | str | Mapping) or not isinstance(given, Iterable):
        hint = f"{name}(lr={given})" if isinstance(given, int | float) else f"{name}([w, b], ...)"
        raise TypeError(f"{name} takes an iterable of leaf Tensors; received {type(given).__name__}. Write {hint}.")
    listed = list(given)
    if not listed:
        raise ValueError(
            f"{name} was given no parameters; pass those of a model, {name}(model.parameters(), ...). A Module's "
            "parameters are the leaf Tensors among its attributes; a generator that was read once is empty."
        )
    return listed


def _named(items: list[Any], name: str) -> tuple[list[str] | None, list[ad.Tensor]]:
    """The names, if there are any, and the Tensors; one that occurs twice counts once."""
    named = [isinstance(item, tuple) and len(item) == 2 and isinstance(item[0], str) for item in items]
    if any(named) and not all(named):
        raise TypeError(
            f"{name}: either all parameters of a group have names or none; item {named.index(False)} has none. "
            f"Write {name}(model.named_parameters(), ...)."
        )
    tensors = [item[1] for item in items] if any(named) else items
    for k, tensor in enumerate(tensors):
        if not isinstance(tensor, ad.Tensor):
            hint = "an ndarray is a constant, ad.Tensor(array) a parameter" if isinstance(tensor, np.ndarray) else ""
            hint = hint or f"write {name}(model.parameters(), ...)"
            raise TypeError(f"{name} takes leaf Tensors; item {k} is {_described(tensor)}: {hint}.")
        if not tensor.is_leaf:
            raise TypeError(
                f"{name} takes leaf Tensors; item {k}, of shape {tensor.shape}, is the result of "
                f"{tensor.operation}. Pass the Tensors it was computed from."
            )
    first = {id(tensor): k for k, tensor in reversed(list(enumerate(tensors)))}
    kept = sorted(first.values())
    return [items[k][0] for k in kept] if any(named) else None, [tensors[k] for k in kept]


def _described(item: Any) -> str:
    if isinstance(item, Mapping):
        return f"a dict of {', '.join(map(repr, item)) or 'nothing'}"
    return f"a {type(item).__name__}"
