"""The state of a model, its parameters and buffers by name: copied, and loaded after all of it was checked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

import autodiff as ad
from nn.model.walking import freeze_again, has_members, is_buffer, is_parameter, members, unfreeze, walk, writeable

if TYPE_CHECKING:
    from nn.model.module import Module

Array = npt.NDArray[Any]


class Loaded(NamedTuple):
    """The names that `load_state_dict` left out: those missing in the state, and those unknown to the model."""

    missing_keys: list[str]
    unexpected_keys: list[str]


def named_state(model: Module) -> Iterator[tuple[str, Any]]:
    """Parameters and buffers, by name, each once."""
    return ((name, value) for name, value in walk(model, "", set()) if is_buffer(value) or is_parameter(value))


def copied(model: Module) -> dict[str, Array]:
    """A copy of each parameter and buffer, by name."""
    found: dict[str, Array] = {}
    for name, value in named_state(model):
        if name in found:
            raise ValueError(f"{type(model).__name__} has two parameters or buffers named {name!r}; rename one.")
        found[name] = np.array(ad.to(_raw(value), "cpu"))
    return found


def load(model: Module, given: Mapping[str, Any], strict: bool) -> Loaded:
    """The implementation of `Module.load_state_dict`."""
    if not isinstance(given, Mapping):
        raise TypeError(
            f"load_state_dict takes arrays by name; received {given!r:.80}. Write load_state_dict(nn.load(path))."
        )
    frozen = unfreeze(model.modules())
    try:
        return _loaded(model, given, strict)
    finally:
        freeze_again(frozen)


def _loaded(model: Module, given: Mapping[str, Any], strict: bool) -> Loaded:
    kept = dict(named_state(model))
    known = {name: value for name, value in given.items() if name in kept or not _repeats(model, name, given)}
    left = Loaded([n for n in kept if n not in known], [n for n in known if n not in kept])
    if strict and any(left):
        parts = [
            f"{what} {', '.join(map(repr, names))}"
            for what, names in (("missing are", left.missing_keys), ("unknown are", left.unexpected_keys))
            if names
        ]
        raise KeyError(
            f"{type(model).__name__} was given a state that is not of its making: {'; '.join(parts)}. "
            "Build the model as it was when the state was taken, or load what fits with strict=False."
        )
    new = {name: np.asarray(ad.to(_raw(known[name]), "cpu")) for name in kept if name in known}
    if wrong := [error for name, array in new.items() if (error := _misfit(name, kept[name], array))]:
        message = f"{type(model).__name__} was given a state that does not fit: {'; '.join(map(str, wrong))}."
        raise type(wrong[0])(message)
    for name, array in new.items():
        if is_parameter(kept[name]):
            kept[name].value = ad.to(array, kept[name].device)
        elif writeable(kept[name]):
            kept[name][...] = ad.to(array, ad.devices.place(kept[name]))
    return left


def _repeats(model: Module, name: str, given: Mapping[str, Any]) -> bool:
    """Whether a name is a second name of a shared parameter, with the same value as under the first name."""
    found: Any = model
    for part in name.split("."):
        found = next((v for k, v in members(found) if str(k) == part), None) if has_members(found) else None
    first = next((n for n, v in named_state(model) if v is found), None)
    return first is not None and first in given and np.array_equal(_raw(given[first]), _raw(given[name]))


def _raw(value: Any) -> Any:
    return value.value if isinstance(value, ad.Tensor) else value


def _misfit(name: str, old: Any, new: Array) -> Exception | None:
    """The error for a new value that does not fit, or None."""
    if new.shape != old.shape:
        hint = ""
        if new.ndim == 2 and new.shape == old.shape[::-1]:
            hint = " (a weight is (out, in): this one looks transposed)"
        return ValueError(f"{name} has the shape {old.shape}, received {new.shape}{hint}")
    if not np.can_cast(new.dtype, old.dtype, "same_kind"):
        return TypeError(f"{name} has the dtype {old.dtype}, received {new.dtype}")
    if isinstance(old, np.ndarray) and not writeable(old) and not np.array_equal(old, new):
        return ValueError(f"{name} is a read-only array of the model, and differs")
    return None
