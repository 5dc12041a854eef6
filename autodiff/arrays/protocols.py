"""Conversions, copies, pickling and the array API's namespace: what Python and that standard expect of arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from autodiff import hints
from autodiff.engine.devices import place
from autodiff.engine.graph import described
from autodiff.engine.table import takes_tensors
from autodiff.rules import polynomials, special
from autodiff.rules.shaping import on_device

if TYPE_CHECKING:
    from autodiff.arrays.tensor import Tensor

np_: Any = np


class Protocols:
    """The behaviour of a Tensor as an array, apart from arithmetic."""

    __slots__ = ()

    def __array__(self, dtype: Any = None, copy: Any = None) -> NoReturn:
        name = self.name if (self.name or "").isidentifier() else "t"  # type: ignore[attr-defined]  # a Tensor's
        joined = (
            f" Tensors in a list become one by np.stack([{name}, ...]); np.full(3, {name}) is "
            f"np.broadcast_to({name}, 3); for out[i] = {name} collect the parts in a list and stack them."
        )
        advice = polynomials.advice() or special.advice() or joined
        raise self._would_lose_the_derivative("np.asarray(tensor)", ".value", advice)

    # -- conversions that would lose the derivative -------------------------------------------------------------

    def _would_lose_the_derivative(self, asked: str, instead: str, advice: str = "") -> TypeError:
        return TypeError(
            f"{asked} was asked of {described(self)}; it would lose the derivative without a word. Use {instead} "  # type: ignore[arg-type]  # a mixin of Tensor
            "for the plain value, a constant; NumPy's functions (np.sin, np.stack ...) take Tensors as they are."
            + advice
        )

    def __float__(self) -> NoReturn:
        raise self._would_lose_the_derivative("float(tensor), or a function of the math module,", ".item()")

    def __int__(self) -> NoReturn:
        raise self._would_lose_the_derivative("int(tensor)", ".item()")

    def __index__(self) -> NoReturn:
        raise self._would_lose_the_derivative("an integer index", "int(tensor.item())")

    def __complex__(self) -> NoReturn:
        raise self._would_lose_the_derivative("complex(tensor)", ".item()")

    def __bool__(self: Any) -> bool:
        return bool(self.primal)

    # -- a collection -------------------------------------------------------------------------------------------

    def __contains__(self, value: Any) -> NoReturn:
        raise TypeError(
            f"`in` was asked of {described(self)}; it would compare every element. "  # type: ignore[arg-type]  # a mixin of Tensor
            "Write np.any(t == value) for an element that is equal, and any(t is u for u in tensors) for a Tensor."
        )

    def __copy__(self: Any) -> Tensor:
        """A copy of a leaf is a new leaf; a copy of a result is made by np.copy, and depends on the result."""
        if self.primitive is None:
            return type(self)(self.primal, self.name)
        return np_.copy(self)

    def __deepcopy__(self: Any, memo: dict[int, Any]) -> Tensor:
        return self.__copy__()

    def __reduce_ex__(self: Any, protocol: Any) -> NoReturn:
        raise TypeError(
            f"pickling was asked of {described(self)}, which would carry along everything it was computed from. "
            "Pickle or save the plain array, tensor.value, and make a Tensor of it again with ad.Tensor(array)."
        )

    def __array_namespace__(self, *, api_version: Any = None) -> Any:
        """NumPy itself, whose functions take Tensors (the array API standard's way to ask)."""
        return np.empty(0).__array_namespace__(api_version=api_version)

    @property
    def device(self) -> str:
        """The name of the device that the elements are on: "cpu", "cuda", or one that `ad.admit` has added."""
        return place(self)

    def to_device(self, device: str) -> Any:
        """As `ad.to`: the Tensor on that device; itself if it is there already (the array API standard's name)."""
        return self if place(self) == device else on_device(self, device=device)  # type: ignore[arg-type]  # self is a Tensor

    def __dir__(self) -> list[str]:
        return [name for name in object.__dir__(self) if name not in absent or hasattr(self, name)]


class Absent:
    """An attribute that other arrays have and a Tensor does not have; its error says what to type instead.

    There is one such descriptor per name. A `__getattr__` would slow down the access to every attribute.
    """

    def __init__(self, name: str, hint: hints.Hint) -> None:
        self.name, self.hint = name, hint

    def __get__(self, tensor: Any, kind: type) -> NoReturn:
        raise AttributeError(
            f"'{kind.__name__}' object has no attribute {self.name!r}; {hints.written(self.hint)}.", name=self.name
        )

    def __set__(self, tensor: Any, value: Any) -> NoReturn:
        self.__get__(tensor, type(tensor))


numpys: dict[str, hints.Hint] = {
    name: (f"np.{name}(t)", "NumPy's function works on Tensors")
    for name in np.__all__
    if name.islower() and takes_tensors(vars(np).get(name))  # getattr would import NumPy's lazy submodules
}
absent = {name: hint for name, hint in (numpys | hints.TENSOR).items() if not hasattr(Protocols, name)}
for _name, _hint in absent.items():
    setattr(Protocols, _name, Absent(_name, _hint))
