"""The differentiable methods of ndarray, for Tensors: each calls the NumPy function of the same name."""

from __future__ import annotations

import functools
import types
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from autodiff import hints
from autodiff.engine.shapes import Axis
from autodiff.rules import shaping

np_: Any = np  # NumPy's annotations promise ndarrays, but of Tensors its functions give Tensors

if TYPE_CHECKING:
    from autodiff.arrays.tensor import Tensor


class ArrayMethods:
    """Methods that a Tensor shares with an ndarray. Everything beyond them is a function."""

    __slots__ = ()

    primal: Any  # the node's

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return self.primal.ndim

    @property
    def T(self) -> Tensor:
        """The axes in reverse order."""
        return np_.transpose(self)

    @property
    def mT(self) -> Tensor:
        """The last two axes exchanged."""
        return np_.swapaxes(self, -1, -2)

    @property
    def real(self) -> Tensor:
        """The real part; of a real Tensor, its value."""
        return np_.real(self)

    @property
    def imag(self) -> Tensor:
        """The imaginary part; of a real Tensor, zeros."""
        return np_.imag(self)

    def conj(self) -> Tensor:
        """As np.conj."""
        return np_.conjugate(self)

    conjugate = conj

    def sum(
        self,
        axis: Axis = None,
        dtype: npt.DTypeLike | None = None,
        *,
        keepdims: bool = False,
        initial: Any = None,
        where: Any = True,
    ) -> Tensor:
        """As np.sum."""
        return np_.sum(self, **_given(axis=axis, dtype=dtype, keepdims=keepdims, initial=initial, where=where))

    def mean(
        self, axis: Axis = None, dtype: npt.DTypeLike | None = None, *, keepdims: bool = False, where: Any = True
    ) -> Tensor:
        """As np.mean."""
        return np_.mean(self, **_given(axis=axis, dtype=dtype, keepdims=keepdims, where=where))

    def prod(
        self,
        axis: Axis = None,
        dtype: npt.DTypeLike | None = None,
        *,
        keepdims: bool = False,
        initial: Any = None,
        where: Any = True,
    ) -> Tensor:
        """As np.prod."""
        return np_.prod(self, **_given(axis=axis, dtype=dtype, keepdims=keepdims, initial=initial, where=where))

    def max(self, axis: Axis = None, *, keepdims: bool = False, initial: Any = None, where: Any = True) -> Tensor:
        """As np.max; elements that tie share the adjoint equally."""
        return np_.max(self, **_given(axis=axis, keepdims=keepdims, initial=initial, where=where))

    def min(self, axis: Axis = None, *, keepdims: bool = False, initial: Any = None, where: Any = True) -> Tensor:
        """As np.min; elements that tie share the adjoint equally."""
        return np_.min(self, **_given(axis=axis, keepdims=keepdims, initial=initial, where=where))

    def var(
        self,
        axis: Axis = None,
        dtype: npt.DTypeLike | None = None,
        *,
        ddof: float = 0,
        keepdims: bool = False,
        where: Any = True,
        mean: Any = None,
    ) -> Tensor:
        """As np.var."""
        return np_.var(self, **_given(axis=axis, dtype=dtype, ddof=ddof, keepdims=keepdims, where=where, mean=mean))

    def std(
        self,
        axis: Axis = None,
        dtype: npt.DTypeLike | None = None,
        *,
        ddof: float = 0,
        keepdims: bool = False,
        where: Any = True,
        mean: Any = None,
    ) -> Tensor:
        """As np.std."""
        return np_.std(self, **_given(axis=axis, dtype=dtype, ddof=ddof, keepdims=keepdims, where=where, mean=mean))

    def clip(self, min: Any = None, max: Any = None) -> Tensor:
        """As np.clip; a value on a bound ties with it."""
        return np_.clip(self, min, max)

    def dot(self, other: Any) -> Tensor:
        """As np.dot."""
        return np_.dot(self, other)

    def reshape(self, *shape: Any, order: str = "C", copy: bool | None = None) -> Tensor:
        """As ndarray.reshape: `t.reshape(2, 3)` or `t.reshape((2, 3))`; one length may be -1."""
        return np_.reshape(self, _one(shape), **_given(order=order, copy=copy))

    def transpose(self, *axes: Any) -> Tensor:
        """As ndarray.transpose: `t.transpose(1, 0)`, `t.transpose((1, 0))`, or all axes reversed."""
        return np_.transpose(self, _one(axes)) if axes and axes != (None,) else np_.transpose(self)

    def swapaxes(self, axis1: int, axis2: int) -> Tensor:
        """As np.swapaxes."""
        return np_.swapaxes(self, axis1, axis2)

    def squeeze(self, axis: int | tuple[int, ...] | None = None) -> Tensor:
        """As np.squeeze."""
        return np_.squeeze(self, **_given(axis=axis))

    def ravel(self, order: str = "C") -> Tensor:
        """As np.ravel: one axis."""
        return np_.ravel(self, **_given(order=order))

    flatten = ravel

    def astype(self, dtype: npt.DTypeLike, *, copy: bool = True) -> Tensor:
        """The value in another floating-point type; the adjoint has this Tensor's type. `copy` makes no difference."""
        return shaping.astype(self, dtype=np.dtype(dtype))  # type: ignore[arg-type]  # of a Tensor

    def copy(self) -> Tensor:
        """A new node with the same value."""
        return np_.copy(self)

    def cumsum(self, axis: int | None = None, dtype: npt.DTypeLike | None = None) -> Tensor:
        """As np.cumsum."""
        return np_.cumsum(self, axis=axis, **_given(dtype=dtype))

    def cumprod(self, axis: int | None = None, dtype: npt.DTypeLike | None = None) -> Tensor:
        """As np.cumprod."""
        return np_.cumprod(self, axis=axis, **_given(dtype=dtype))

    def trace(self, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: npt.DTypeLike | None = None) -> Tensor:
        """As np.trace."""
        return np_.trace(self, offset, axis1, axis2, **_given(dtype=dtype))

    def diagonal(self, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
        """As np.diagonal."""
        return np_.diagonal(self, offset, axis1, axis2)

    def repeat(self, repeats: Any, *places: Any, axis: int | None = None) -> Tensor:
        """As np.repeat: `t.repeat(2, 0)` or `t.repeat(2, axis=0)`.

        Raises TypeError for `t.repeat(2, 1)` of a matrix, which repeats columns in NumPy and rows in PyTorch.
        """
        if len(places) == 1 and (self.ndim > 2 or places[0] is None or places[0] < 1):
            (axis,) = places
        elif places:
            every = ", ".join(map(str, (repeats, *places)))
            raise TypeError(
                f"t.repeat({every}) means different things: write t.repeat({repeats}, axis={places[0]}) for NumPy's, "
                f"which repeats the elements along an axis, or np.tile(t, ({every})) for PyTorch's."
            )
        return np_.repeat(self, repeats, axis=axis)

    def take(self, indices: Any, axis: int | None = None, *, mode: str = "raise") -> Tensor:
        """As np.take."""
        return np_.take(self, indices, axis=axis, mode=mode)

    def compress(self, condition: Any, axis: int | None = None) -> Tensor:
        """As np.compress."""
        return np_.compress(condition, self, axis=axis)

    def round(self, decimals: int = 0) -> Any:
        """As np.round: a plain array, a constant."""
        return np_.round(self.primal, decimals)

    def all(self, axis: Axis = None, *, keepdims: bool = False, where: Any = True) -> Any:
        """As np.all: plain booleans, constants."""
        return np_.all(self.primal, **_given(axis=axis, keepdims=keepdims, where=where))

    def any(self, axis: Axis = None, *, keepdims: bool = False, where: Any = True) -> Any:
        """As np.any: plain booleans, constants."""
        return np_.any(self.primal, **_given(axis=axis, keepdims=keepdims, where=where))

    def nonzero(self) -> Any:
        """As np.nonzero: plain integers, constants."""
        return np_.nonzero(self.primal)

    def argsort(self, axis: int | None = -1, *, stable: bool | None = None) -> Any:
        """As np.argsort: plain integers, constants."""
        return np_.argsort(self.primal, axis=axis, **_given(stable=stable))

    def argpartition(self, kth: Any, axis: int | None = -1) -> Any:
        """As np.argpartition: plain integers, constants."""
        return np_.argpartition(self.primal, kth, axis=axis)

    def searchsorted(self, v: Any, side: str = "left", sorter: Any = None) -> Any:
        """As np.searchsorted: plain integers, constants."""
        return np_.searchsorted(self, v, side=side, sorter=sorter)

    def argmax(self, axis: int | None = None, *, keepdims: bool = False) -> Any:
        """As np.argmax: plain integers, constants."""
        return np_.argmax(self.primal, axis=axis, keepdims=keepdims)

    def argmin(self, axis: int | None = None, *, keepdims: bool = False) -> Any:
        """As np.argmin: plain integers, constants."""
        return np_.argmin(self.primal, axis=axis, keepdims=keepdims)


def _with_hint(method: Callable[..., Any]) -> Callable[..., Any]:
    """The method; if it does not know a keyword, the error gives NumPy's name for it."""

    @functools.wraps(method)
    def called(*args: Any, **given: Any) -> Any:
        try:
            return method(*args, **given)
        except TypeError as error:
            if renamed := hints.renamed(given):
                raise TypeError(f"t.{method.__name__} was called with {', '.join(given)}; write {renamed}.") from error
            raise

    return called


for _name, _method in tuple(vars(ArrayMethods).items()):
    if isinstance(_method, types.FunctionType) and "axis" in _method.__code__.co_varnames:
        setattr(ArrayMethods, _name, _with_hint(_method))


DEFAULTS = {"keepdims": False, "where": True, "ddof": 0, "order": "C"}


def _given(**parameters: Any) -> dict[str, Any]:
    """The parameters that differ from NumPy's defaults, so that traces and pictures show no others."""
    return {name: value for name, value in parameters.items() if value is not DEFAULTS.get(name)}


def _one(numbers: Sequence[Any]) -> Any:
    return numbers[0] if len(numbers) == 1 and not isinstance(numbers[0], int | np_.integer) else tuple(numbers)
