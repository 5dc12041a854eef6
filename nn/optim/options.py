"""The options of an optimizer: declared once, kept per group of parameters, checked whenever they are set."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, MutableMapping
from typing import Any, Generic, NoReturn, TypeVar, overload

import autodiff as ad
from nn.checked import real

T = TypeVar("T")
Check = Callable[[Any, str], T]  # (value, the beginning of the error message) -> the value to keep


def number(**bounds: float) -> Check[float]:
    """The check of a number from 0, or with other bounds, as in `real`."""
    return lambda value, what: real(value, what, **bounds)  # type: ignore[arg-type]  # the bounds are `real`'s own


def beta_pair(value: Any, what: str) -> tuple[float, float]:
    """The check of Adam's betas: two numbers from 0 to below 1."""
    if not isinstance(value, tuple | list) or len(value) != 2:
        raise TypeError(f"{what} are a pair of numbers, such as (0.9, 0.999); received {value!r:.80}.")
    return real(value[0], f"{what}[0]", below=1), real(value[1], f"{what}[1]", below=1)


class Option(Generic[T]):
    """One option as an attribute of the optimizer: reading gives the first group's value, assigning sets every group's.

    `fixed` options are set when the optimizer is made, and cannot be assigned afterwards.
    """

    def __init__(self, check: Check[T], *, fixed: bool = False) -> None:
        self.check, self.fixed = check, fixed

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, optimizer: None, owner: type) -> Option[T]: ...
    @overload
    def __get__(self, optimizer: Any, owner: type) -> T: ...
    def __get__(self, optimizer: Any, owner: type) -> Option[T] | T:
        if optimizer is None:
            return self
        options = optimizer.first_options
        if self.name not in options:
            raise AttributeError(f"{optimizer!r} has no {self.name} yet")
        value: T = options[self.name]
        return value

    def __set__(self, optimizer: Any, value: Any) -> None:
        optimizer.assign(self.name, value)


class Options(dict[str, Any]):
    """The checked options of one group; `kind` is the optimizer's class."""

    def __init__(self, kind: Any, given: Mapping[str, Any]) -> None:
        super().__init__({name: self.checked(kind, name, value) for name, value in given.items()})
        kind.check_together(self)

    @staticmethod
    def checked(kind: Any, name: str, value: Any) -> Any:
        """The value to keep for an option. Raises ValueError for an option that this kind does not have."""
        if name not in kind.options:
            raise ValueError(
                f"{kind.__name__} has no option {name!r}; its options are {', '.join(kind.options)}. "
                'A group is a dict such as {"params": [w, b], "lr": 0.01}.'
            )
        return kind.options[name].check(value, f"{kind.__name__}: {name}")

    def assign(self, kind: Any, name: str, value: Any) -> None:
        """Set one option, if the options then do not contradict each other."""
        kept = self.checked(kind, name, value)
        if kind.options[name].fixed and kept != self[name]:
            raise ValueError(
                f"{kind.__name__}: {name} is set when the optimizer is made and cannot become {value!r:.80}. "
                f"Make a new one: {kind.__name__}(..., {name}={value!r:.80})."
            )
        kind.check_together({**self, name: kept})
        self[name] = kept


class Group(MutableMapping[str, Any]):
    """Some of an optimizer's parameters and their options, read and written as in PyTorch: group["lr"] = 0.1.

    Its keys are "params" (the Tensors), "param_names" if names were given, and the options. Assigned values are
    checked; keys cannot be added or deleted.
    """

    def __init__(self, kind: Any, params: list[ad.Tensor], names: list[str] | None, options: Options) -> None:
        self.kind, self.params, self.names, self.options = kind, params, names, options

    def __getitem__(self, key: str) -> Any:
        if key == "params":
            return list(self.params)
        if key == "param_names" and self.names is not None:
            return list(self.names)
        return self.options[key]

    def __setitem__(self, key: str, value: Any) -> None:
        if key in ("params", "param_names"):
            raise ValueError(
                f"{self.kind.__name__}: a group's {key} are set when the optimizer is made. Make a new one for others."
            )
        self.options.assign(self.kind, key, value)

    def __delitem__(self, key: str) -> NoReturn:
        raise TypeError(f"{self.kind.__name__}: {key!r} cannot be deleted from a group; assign another value.")

    def __iter__(self) -> Iterator[str]:
        yield "params"
        if self.names is not None:
            yield "param_names"
        yield from self.options

    def __len__(self) -> int:
        return 1 + (self.names is not None) + len(self.options)

    def __repr__(self) -> str:
        options = ", ".join(f"{name}={value!r}" for name, value in self.options.items())
        return f"Group({len(self.params)} parameters, {options})"
