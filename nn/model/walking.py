"""Walking through a model's attributes to find its parts; and replacing parameters by constants."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

import autodiff as ad

if TYPE_CHECKING:
    from nn.model.module import Module

Array = npt.NDArray[Any]


def is_module(value: Any) -> bool:
    """Whether a value is a Module."""
    return hasattr(type(value), "named_attributes")


def is_parameter(value: Any) -> bool:
    """Whether a value is a leaf Tensor."""
    return isinstance(value, ad.Tensor) and value.is_leaf


def is_array(value: Any) -> bool:
    """Whether a value is an array, on any device."""
    return isinstance(value, np.ndarray) or type(value) in ad.devices.admitted


def is_buffer(value: Any) -> bool:
    """Whether a value is an array of numbers."""
    return is_array(value) and value.dtype.kind in "biufc"


def writeable(array: Any) -> bool:
    """Whether an array may be written into; arrays on a device always may."""
    return not isinstance(array, np.ndarray) or array.flags.writeable


def walk(value: Any, name: str, seen: set[int], deep: bool = True) -> Iterator[tuple[str, Any]]:
    """The Modules, Tensors, ndarrays and generators that can be reached from a value, by name, each once, in order.

    With deep=False the insides of other Modules are left out.
    """
    if not has_members(value):
        if isinstance(value, ad.Tensor | np.random.Generator) or is_array(value):
            if id(value) not in seen:
                seen.add(id(value))
                yield name, value
        elif isinstance(value, set | frozenset) and any(is_module(v) or isinstance(v, ad.Tensor) for v in value):
            raise TypeError(
                f"a model's parameters have an order; received a set of them, the attribute {name}. Make it a list."
            )
        return
    if id(value) not in seen:  # a Module may be part of several others, or hold a reference to its parent
        seen.add(id(value))
        if is_module(value):
            yield name, value
            if name and not deep:
                return
        for key, member in members(value):
            yield from walk(member, f"{name}.{key}" if name else str(key), seen, deep)


def has_members(value: Any) -> bool:
    """Whether a value holds others: a Module, a list, a tuple or a dict."""
    return isinstance(value, dict | list | tuple) or is_module(value)


def members(value: Any) -> Iterator[tuple[Any, Any]]:
    """The values that a value holds, by name, key or number."""
    if isinstance(value, dict):
        return iter(value.items())
    return enumerate(value) if isinstance(value, list | tuple) else value.named_attributes()


def own(module: Module) -> Iterator[tuple[Any, Any, Any]]:
    """The values of a Module without inner ones: the list or dict that holds it (None for an attribute), key, value."""
    waiting: list[Any] = [None]
    seen = set()
    while waiting:
        holder = waiting.pop()
        for key, value in list(members(module if holder is None else holder)):
            if isinstance(value, dict | list | tuple):
                if id(value) not in seen:
                    seen.add(id(value))
                    waiting.append(value)
            elif not is_module(value):
                yield holder, key, value


def inner_first(module: Module, seen: set[int]) -> Iterator[Module]:
    """The Modules inside a Module, each once and inner before outer, and last the Module itself."""
    seen.add(id(module))
    for child in module.children():
        if id(child) not in seen:
            yield from inner_first(child, seen)
    yield module


def register(module: Module, name: str, value: Any, persistent: bool) -> None:
    """The implementation of `Module.register_buffer`."""
    kind = type(module).__name__
    if not isinstance(name, str) or not name.isidentifier() or name.startswith("_"):
        raise ValueError(
            f"{kind}.register_buffer takes a name that does not begin with _, such as 'mean'; received {name!r:.80}. "
            "An array whose name begins with _ is not saved: assign it, self._mean = array."
        )
    if not persistent:
        raise ValueError(
            f"{kind}.register_buffer: an array that is not saved has a name that begins with _, and is assigned: "
            f"self._{name} = array; received persistent=False."
        )
    if hasattr(module, name):
        raise KeyError(
            f"{kind} has {name!r} already: {getattr(module, name)!r:.80}. Choose another name, or assign it."
        )
    array = None if value is None else np.asarray(ad.stop_gradient(value))
    if array is not None and not is_buffer(array):
        raise TypeError(
            f"{kind}.register_buffer takes an array of numbers; received {value!r:.80}. Write "
            f"register_buffer({name!r}, np.zeros(3))."
        )
    setattr(module, name, array)


class Place(NamedTuple):
    """The place of a parameter replaced by a constant: the list or dict (None for an attribute), and its key."""

    holder: Any
    key: Any
    tensor: ad.Tensor
    constant: Array


def freeze(modules: Iterable[Module]) -> None:
    """Replace every parameter that these Modules hold themselves by a read-only array."""
    found = [(module, [(h, k, v) for h, k, v in own(module) if is_parameter(v)]) for module in modules]
    for module, places in found:
        if any(isinstance(holder, tuple) for holder, _, _ in places):
            raise TypeError(
                f"freeze puts arrays in the place of parameters; {type(module).__name__} keeps some in a tuple, which "
                "cannot be changed. Keep them in a list."
            )
    constants: dict[ad.Tensor, Array] = {}  # one for each, so that shared parameters stay shared
    for module, places in found:
        for holder, key, tensor in places:
            tensor.grad = None
            _exchange(module, Place(holder, key, tensor, constants.setdefault(tensor, tensor.value)))


def unfreeze(modules: Iterable[Module]) -> list[tuple[Module, Place]]:
    """Restore the parameters that `freeze` replaced, unless the user replaced them since; returns their places."""
    found = []
    for module in modules:
        for place in module._frozen:
            holder = vars(module) if place.holder is None else place.holder
            keys = holder if isinstance(holder, dict) else range(len(holder))
            if place.key in keys and holder[place.key] is place.constant:
                holder[place.key] = place.tensor
                found.append((module, place))
        vars(module).pop("_frozen", None)
    return found


def freeze_again(places: Iterable[tuple[Module, Place]]) -> None:
    """Undo `unfreeze`."""
    constants: dict[ad.Tensor, Array] = {}
    for module, place in places:
        constant = constants.setdefault(place.tensor, place.tensor.value)
        _exchange(module, place._replace(constant=constant))


def _exchange(module: Module, place: Place) -> None:
    if place.holder is None:
        setattr(module, place.key, place.constant)
    else:
        place.holder[place.key] = place.constant
    module._frozen = (*module._frozen, place)
