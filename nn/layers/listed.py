"""PyTorch's lists and dicts of layers and of parameters. A plain list or dict among the attributes does the same.

Their members are attributes named by number or key, so that all functions that walk a Module find them:
"layers.0.weight".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping, MutableSequence
from typing import Any, NoReturn

import numpy as np

import autodiff as ad
from nn.model.module import Module
from nn.model.walking import is_parameter
from nn.model.writing import call, shown


def _module(value: Any, kind: str) -> Any:
    if isinstance(value, Module):
        return value
    hint = f"{value.__name__}()" if isinstance(value, type) else "nn.Sequential(f) around a function f"
    raise TypeError(f"{kind} takes Modules; received {value!r:.80}. Write {hint}.")


def _parameter(value: Any, kind: str) -> Any:
    if isinstance(value, ad.Tensor):
        if is_parameter(value):
            return value
        raise TypeError(
            f"{kind} takes leaf Tensors; received the result of {value.operation}. Pass the leaves instead."
        )
    array = np.asarray(value)
    if array.dtype.kind in "fc" or (isinstance(value, np.ndarray) and array.dtype.kind in "iu"):
        return ad.Tensor(array if array.dtype.kind in "fc" else array.astype(float))
    raise TypeError(f"{kind} takes arrays of numbers and Tensors; received {value!r:.80}. Write ad.Tensor(array).")


class _Container(Module):
    """The base of all containers: members as attributes, and nothing to compute."""

    _taken: Callable[[Any, str], Any]
    __eq__ = object.__eq__
    __hash__ = object.__hash__

    def _names(self) -> list[str]:
        return [name for name in vars(self) if not hasattr(type(self), name)]

    def _put(self, name: str, value: Any) -> None:
        setattr(self, name, type(self)._taken(value, type(self).__name__))

    def __len__(self) -> int:
        return len(self._names())

    def forward(self, *_: Any, **__: Any) -> NoReturn:
        """Raise NotImplementedError: a list or dict of members computes nothing itself."""
        kind = type(self).__name__
        raise NotImplementedError(
            f"{kind} was called, but it only holds its members. Call them: for layer in self.layers: x = layer(x); "
            "or write nn.Sequential."
        )


class _Listed(_Container, MutableSequence[Any]):
    """A list of members, with the operations of a list."""

    def __init__(self, members: Iterable[Any] = ()) -> None:
        self.extend(members)

    def _renew(self, members: Iterable[Any]) -> None:
        checked = [type(self)._taken(member, type(self).__name__) for member in members]
        for name in self._names():
            delattr(self, name)
        for k, member in enumerate(checked):
            setattr(self, str(k), member)

    def __getitem__(self, index: Any) -> Any:
        found = [vars(self)[name] for name in self._names()][index]
        return type(self)(found) if isinstance(index, slice) else found

    def __setitem__(self, index: Any, value: Any) -> None:
        members = list(self)
        members[index] = value
        self._renew(members)

    def __delitem__(self, index: Any) -> None:
        members = list(self)
        del members[index]
        self._renew(members)

    def insert(self, index: int, value: Any) -> None:
        """Insert a member before the one at `index`."""
        if index == len(self):
            self._put(str(index), value)
            return
        members = list(self)
        members.insert(index, value)
        self._renew(members)

    def __repr__(self) -> str:
        return call(type(self).__name__, [shown(list(self))])


class _Named(_Container, MutableMapping[str, Any]):
    """A dict of members; a name is a str that no attribute has."""

    def __init__(self, members: Mapping[str, Any] | Iterable[tuple[str, Any]] = ()) -> None:
        self.update(members)

    def __getitem__(self, key: str) -> Any:
        if key not in self._names():
            raise KeyError(f"{type(self).__name__} has {', '.join(map(repr, self)) or 'no member'}; received {key!r}.")
        return vars(self)[key]

    def __setitem__(self, key: str, value: Any) -> None:
        if not isinstance(key, str) or not key or "." in key or hasattr(type(self), key):
            raise KeyError(
                f"{type(self).__name__} takes names that are not empty, without a dot and not of its own methods; "
                f"received {key!r:.80}. Choose another."
            )
        self._put(key, value)

    def __delitem__(self, key: str) -> None:
        self[key]  # raises KeyError if there is no such member
        delattr(self, key)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names())

    def __repr__(self) -> str:
        return call(type(self).__name__, [shown(dict(self))])


class ModuleList(_Listed):
    """PyTorch's list of Modules: `self.layers = nn.ModuleList([nn.Linear(4, 3), nn.Tanh()])`.

    >>> layers = nn.ModuleList([nn.Linear(4, 3, rng=0), nn.Tanh()])
    >>> len(layers), len(list(layers.parameters()))
    (2, 2)
    """

    _taken = staticmethod(_module)


class ModuleDict(_Named):
    """PyTorch's dict of Modules: `self.heads = nn.ModuleDict({"mean": nn.Linear(4, 1)})`.

    >>> heads = nn.ModuleDict({"mean": nn.Linear(4, 1, rng=0), "spread": nn.Linear(4, 1, rng=1)})
    >>> heads["mean"](np.zeros((5, 4))).shape
    (5, 1)
    """

    _taken = staticmethod(_module)


class ParameterList(_Listed):
    """PyTorch's list of parameters; arrays become Tensors: `self.w = nn.ParameterList([np.zeros(3)])`.

    >>> len(list(nn.ParameterList([np.zeros(3), np.ones((2, 2))]).parameters()))
    2
    """

    _taken = staticmethod(_parameter)


class ParameterDict(_Named):
    """PyTorch's dict of parameters; arrays become Tensors: `self.w = nn.ParameterDict({"a": np.zeros(3)})`.

    >>> nn.ParameterDict({"a": np.zeros(3)})["a"]
    Tensor([0., 0., 0.])
    """

    _taken = staticmethod(_parameter)
