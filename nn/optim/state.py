"""The state of an optimizer as nested dicts that a file can hold, and its checks when it is loaded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

import autodiff as ad
from nn.checked import whole
from nn.optim.options import Group, Options


@dataclass
class Saved:
    """The saved state of one parameter: its number of steps, the rule's numbers and its vectors."""

    steps: int
    numbers: dict[str, Any]
    vectors: dict[str, npt.NDArray[Any]]


def packed_state(kind: str, state: Mapping[int, Mapping[str, Any]], groups: Sequence[Group]) -> dict[str, Any]:
    """The state dict; tuples become lists, and Tensors become their places in the list of parameters."""
    packed, count = [], 0
    for group in groups:
        indices = list(range(count, count + len(group.params)))
        count += len(indices)
        names = {} if group.names is None else {"param_names": list(group.names)}
        packed.append({**_listed(group.options), "params": indices, **names})
    return {"optimizer": kind, "state": {k: _listed(entry) for k, entry in state.items()}, "param_groups": packed}


def checked_state(
    received: Mapping[str, Any], kind: Any, groups: Sequence[Group], dtype: np.dtype[Any]
) -> tuple[list[Options], list[Saved | None]]:
    """The options of each group and the state of each parameter. Raises ValueError or TypeError if they do not fit."""
    name = kind.__name__
    if not isinstance(received, Mapping) or not {"state", "param_groups"} <= received.keys():
        found = f"a dict of {list(received)!r:.80}" if isinstance(received, Mapping) else type(received).__name__
        raise TypeError(
            f'{name}.load_state_dict takes a dict with "state" and "param_groups"; received {found}. '
            "Pass what state_dict() gave."
        )
    if received.get("optimizer", name) != name:
        raise ValueError(
            f"{name}.load_state_dict received the state of {received['optimizer']}. Load it into one of that kind."
        )
    packed, state = received["param_groups"], received["state"]
    whole_form = isinstance(packed, list | tuple) and all(isinstance(g, Mapping) and "params" in g for g in packed)
    if not whole_form or not isinstance(state, Mapping) or not all(isinstance(e, Mapping) for e in state.values()):
        raise TypeError(
            f'{name}.load_state_dict: "state" is a dict of dicts, and "param_groups" a list of dicts with "params"; '
            f"received {packed!r:.80}. Pass what state_dict() gave."
        )
    counts = [len(group.params) for group in groups]
    saved_counts = [len(group["params"]) for group in packed]
    if counts != saved_counts:
        raise ValueError(
            f"{name} has groups of {counts} parameters; the state dict has groups of {saved_counts}. "
            "Make the optimizer with the groups it was saved with."
        )
    options = [_options(own, group, kind, k) for k, (own, group) in enumerate(zip(packed, groups, strict=True))]
    tensors = [tensor for group in groups for tensor in group.params]
    saved: list[Saved | None] = [None] * len(tensors)
    places = {name: k for k in range(len(tensors)) for name in (k, str(k))}  # JSON turns numbers as keys into strings
    for key, entry in state.items():
        if key not in places:
            raise ValueError(
                f"{name}: the state dict has a parameter {key!r:.80}; there are {len(tensors)}, numbered from 0. "
                "Load it into an optimizer of the same model."
            )
        saved[places[key]] = _entry(entry, tensors[places[key]], kind, places[key], dtype)
    return options, saved


def _options(packed: Mapping[str, Any], group: Group, kind: Any, k: int) -> Options:
    name = kind.__name__
    names = packed.get("param_names")
    if names is not None and group.names is not None and list(names) != group.names:
        a, b = next((a, b) for a, b in zip(group.names, names, strict=True) if a != b)
        raise ValueError(
            f"{name}: group {k} has a parameter {a!r} where the state dict has {b!r}. Make the optimizer with the "
            "parameters in the order they were saved in."
        )
    own = {**packed, "maximize": packed.get("maximize", False)}  # old states have no maximize
    own = {key: value for key, value in own.items() if key not in ("params", "param_names")}
    if missing := set(group.options) - {"initial_lr"} - own.keys():
        hint = f"Pass what {name}.state_dict() gave."
        if "foreach" in own:
            hint = "That is PyTorch's, which counts otherwise: take over the model's weights, and begin with a new one."
        raise ValueError(
            f"{name}: group {k} of the state dict lacks {', '.join(sorted(missing))}; it has {', '.join(own)}. {hint}"
        )
    options = Options(kind, own)
    if options["decay_biases"] != group.options["decay_biases"]:
        raise ValueError(
            f"{name}: group {k} was saved with decay_biases={options['decay_biases']}. Make the optimizer alike."
        )
    return options


def _entry(entry: Mapping[str, Any], tensor: ad.Tensor, kind: Any, k: int, dtype: np.dtype[Any]) -> Saved:
    what = f"{kind.__name__}: the state of parameter {k}"
    known = {"step", *kind.numbers, *kind.vectors}
    needed = known - set(kind.optional)
    if not needed <= entry.keys() <= known:
        raise ValueError(
            f"{what} has {', '.join(sorted(known))}; received {', '.join(sorted(entry))}. "
            f"Pass what {kind.__name__}.state_dict() gave."
        )
    vectors = {}
    for name in kind.vectors:
        if name not in entry:
            continue
        vector = entry[name]
        if not isinstance(vector, np.ndarray) or vector.shape != tensor.shape or vector.dtype != dtype:
            found = f"shape {vector.shape}, {vector.dtype}" if isinstance(vector, np.ndarray) else type(vector).__name__
            raise ValueError(
                f"{what}: {name} is an array of shape {tensor.shape}, {dtype}; received {found}. "
                "Load it into an optimizer of the same model."
            )
        vectors[name] = vector
    numbers = {name: check(entry[name], f"{what}: {name}") for name, check in kind.numbers.items()}
    return Saved(whole(entry["step"], f"{what}: step"), numbers, vectors)


def _listed(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}
