"""The Tensor: an array that remembers where it came from.

NumPy's own protocols do the dispatch (NEP 13 `__array_ufunc__`, NEP 18 `__array_function__`): a NumPy function
called with a Tensor is looked up in the table of rules, run on the raw arrays, and recorded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar, NoReturn

import numpy as np
import numpy.typing as npt

from autodiff.arrays.adjoints import Adjoints
from autodiff.arrays.at import At
from autodiff.arrays.floating import floating
from autodiff.arrays.methods import ArrayMethods
from autodiff.arrays.operators import Operators
from autodiff.arrays.protocols import Protocols
from autodiff.arrays.size import Size
from autodiff.engine import devices
from autodiff.engine.graph import NOT_RETAINED, Node, current_scope, described, next_serial, operands
from autodiff.engine.keywords import without_defaults
from autodiff.engine.recording import NO_PARAMETERS, apply, as_operand, is_operand, recorded
from autodiff.engine.reverse import adjoints, conjugated
from autodiff.engine.table import no_rule, table
from autodiff.rules import polynomials, special, ufunc_methods
from autodiff.rules.indexing import gather, settled

Index = Any
Array = npt.NDArray[Any]


def leaf(value: Any, name: str | None = None) -> Tensor:
    """A Tensor without origin around a raw value, which is not copied."""
    tensor: Tensor = recorded(Tensor, None, value, (), NO_PARAMETERS, ())
    tensor.name = name
    tensor.retained = None
    tensor._grad_storage = None
    return tensor


def notebook_display(result: Tensor, /) -> dict[str, str]:
    """What a notebook shows of a Tensor besides its text. The package replaces this by a function that draws it."""
    return {}


_gather = table[gather]


def _raw(value: Any) -> Any:
    if type(value) in (list, tuple):
        return type(value)(map(_raw, value))
    return value.primal if isinstance(value, Tensor) else value


def _plain(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The result of a constant function, called with raw values."""
    if devices.admitted:
        args, kwargs = devices.together(function, args, kwargs)
    return function(*map(_raw, args), **{k: _raw(v) for k, v in kwargs.items()})


class Tensor(Operators, ArrayMethods, Protocols, Node):
    """An n-dimensional array of floating-point numbers that remembers the operation it came from.

    Parameters
    ----------
    value : array of floats, nested lists of numbers, or a number; it is copied
    name : shown in traces, pictures and errors
    dtype : the dtype to convert to; needed for integer arrays

    Tensors are immutable, except that a leaf (one that no operation made) is given a new value by assignment,
    `w.value = w.value - 0.1 * w.grad`, of the same shape and dtype. Arrays on a GPU stay there; see `ad.to`.

    >>> ad.Tensor([1.0, 2.0]) * 3.0
    Tensor([3., 6.])
    """

    __slots__ = ("_grad_storage",)

    __array_priority__ = 1000  # operators of other array types then leave the operation to the Tensor
    items_taken: ClassVar[int] = 0  # how often .item() was called, so that a transform can warn of a lost derivative
    _grad_storage: Array | None  # an array to reuse for the next adjoint, if there is one

    def __init__(self, value: Any, name: str | None = None, dtype: npt.DTypeLike | None = None, **other: Any) -> None:
        if other:
            raise TypeError(
                f"ad.Tensor was called with {', '.join(other)}; it takes value, name and dtype. A Tensor is "
                "differentiated by, a plain array is a constant: there is no requires_grad; ad.to(t, 'cuda') moves it."
            )
        if name is not None and not isinstance(name, str):
            raise TypeError(f"a Tensor's name is a string; received {name!r} ({type(name).__name__})")
        self.primal = floating(value, dtype)
        self.primitive = None
        self.arguments = ()
        self.parameters = NO_PARAMETERS
        self.scope = ()
        self.serial = next_serial()
        self.name = name
        self.retained = None
        self._grad_storage = None

    def __init_subclass__(cls) -> NoReturn:
        raise TypeError("Tensor is not made to be subclassed; keep one as an attribute, or write functions of Tensors.")

    # -- the value ----------------------------------------------------------------------------------------------

    @property
    def value(self) -> Array:
        """The value, a read-only ndarray, or an array of the Tensor's device.

        It is a view: copy it to keep it past an assignment, or to write into it.
        """
        return devices.read_only(self.primal)

    @value.setter
    def value(self, value: npt.ArrayLike) -> None:
        if self.primitive is not None:
            raise AttributeError(
                f"only a leaf's value can be assigned; this is the result of {self.primitive.name}, "
                f"{described(self)}. Write a new Tensor instead, or use .at[index].set(value)."
            )
        new = self._assigned(value)
        if new.shape != self.primal.shape:
            raise ValueError(f"{described(self)} was assigned a value of shape {new.shape}; the shapes must agree.")
        if not np.can_cast(new.dtype, self.primal.dtype, "same_kind"):
            raise TypeError(f"{described(self)} was assigned a value of dtype {new.dtype}; convert it with astype.")
        if not isinstance(self.primal, np.generic):
            self.primal[...] = new
        else:
            self.primal = self.primal.dtype.type(new)
        self.assigned()

    def assigned(self) -> None:
        """Note that a leaf has a new value. Calling `backward` on a graph recorded with the old one raises an error."""
        self.serial = next_serial()  # younger than every node that used it

    @property
    def shape(self) -> tuple[int, ...]:
        """The lengths of the axes."""
        return self.primal.shape

    @property
    def size(self) -> int:
        """The number of elements."""
        return Size(self.primal.size)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the elements."""
        return self.primal.dtype

    # -- where it came from -------------------------------------------------------------------------------------

    @property
    def is_leaf(self) -> bool:
        """Whether it is a leaf: made from an array, not by an operation. Parameters are leaves."""
        return self.primitive is None

    @property
    def operation(self) -> str | None:
        """The name of the function that made it, such as "tanh"; None for a leaf."""
        return None if self.primitive is None else self.primitive.name

    @property
    def operands(self) -> tuple[Any, ...]:
        """The arguments of the operation: Tensors, and constants as they are."""
        return operands(self)

    @property
    def scopes(self) -> list[Any]:
        """The scopes it was recorded in, innermost first: names of `ad.scope`, and modules. Leaves have none."""
        found, scope = [], self.scope
        while scope:
            scope, entered = scope
            found.append(entered)
        return found

    def item(self) -> Any:
        """The one element as a Python number, a constant."""
        Tensor.items_taken += 1
        return self.primal.item()

    def __repr__(self) -> str:
        plain = np.asarray(devices.fetched(self.primal))
        shown = np.array2string(plain, separator=", ", prefix="Tensor(", threshold=100)
        dtype = "" if self.dtype == np.float64 else f", dtype={self.dtype}"
        name = f", name={self.name!r}" if self.name else ""
        device = "" if self.device == devices.HOST else f", device={self.device!r}"
        return f"Tensor({shown}{dtype}{device}{name})"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return notebook_display(self)

    def __format__(self, spec: str) -> str:
        return format(devices.fetched(self.primal)[()], spec) if spec else repr(self)

    # -- adjoints -----------------------------------------------------------------------------------------------

    def backward(self, seed: npt.ArrayLike | None = None) -> None:
        """Add the adjoint of every leaf this result depends on to the leaf's `.grad`.

        Parameters
        ----------
        seed : the adjoint of this result, in its shape; by default 1, for a result of one element

        The graph is kept, so a second call adds the same adjoints again. Tensors on which `retain_grad()` was called
        get their adjoints too. Raises ValueError without a seed where the result has several elements.
        """
        taken: dict[Any, Array] = {}

        def vacant(node: Any) -> Array | None:
            """The array for a Tensor's adjoint, if it has none yet. It is taken, for a rule may call `backward` too."""
            storage = None
            if node.retained is None:
                storage, node._grad_storage = node._grad_storage, None
            if storage is not None:
                taken[node] = storage
            return storage

        for node, g in adjoints(self, self._seed(seed), every=False, vacant=vacant).items():
            if node in taken and node.retained is None:
                node._grad_storage = taken[node]  # type: ignore[attr-defined]  # a Tensor's graph has Tensors only
            node._add_to_grad(conjugated(g))  # type: ignore[attr-defined]  # as above

    def adjoints(self, seed: npt.ArrayLike | None = None) -> Mapping[Tensor, Array]:
        """The adjoint of every Tensor this result depends on, itself included; no `.grad` is touched.

        `seed` is as in `backward`. Tensors that no derivative reaches are not in the mapping. The adjoints may share
        memory with each other, so they cannot be written into.
        """
        return Adjoints(
            (node, devices.read_only(conjugated(g))) for node, g in adjoints(self, self._seed(seed)).items()
        )

    def retain_grad(self) -> None:
        """Keep this Tensor's adjoint in `.grad` during `backward`, as leaves do."""
        if self.retained is NOT_RETAINED:
            self.retained = None
            self._grad_storage = None

    @property
    def grad(self) -> Array | None:
        """The adjoint that `backward` added up, an ndarray of this shape and dtype; None before.

        Writing into it changes the adjoint. After `grad = None` or `zero_grad()` the array stays as it was.
        """
        if self.retained is NOT_RETAINED:
            raise AttributeError(
                f"{described(self)} is the result of {self.primitive.name}, not a leaf, "  # type: ignore[union-attr]  # no leaf, so it has a primitive
                "so its adjoint is not kept; call .retain_grad() before .backward(), or read .adjoints()."
            )
        if self.retained is None:
            return None
        self._grad_storage = None  # the caller may hold this array, so the next adjoint gets a new one
        return self.retained

    @grad.setter
    def grad(self, grad: npt.ArrayLike | None) -> None:
        if grad is None:
            self.retained = NOT_RETAINED if self.retained is NOT_RETAINED else None
            return
        array = devices.copied(self._assigned(grad)).astype(self.dtype, copy=False)
        if array.shape != self.shape:
            raise ValueError(f"the adjoint of {described(self)} has its shape; received shape {array.shape}.")
        self.retained = None
        self._add_to_grad(array)

    def _assigned(self, value: Any) -> Any:
        """The raw array to assign as value or adjoint. Raises TypeError for an array on another device."""
        value = value.primal if isinstance(value, Tensor) else value
        if devices.is_array(value) and devices.place(value) != self.device:
            raise TypeError(
                f"{described(self)} on {self.device!r} was assigned an array on {devices.place(value)!r}; "
                f"move it first: ad.to(array, {self.device!r})."
            )
        return as_operand(value, self)

    def _add_to_grad(self, g: Any) -> None:
        if self.retained is not None:
            self.retained += g
        elif self._grad_storage is None:
            self.retained = devices.copied(g)
        else:
            self.retained = self._grad_storage
            if self.retained is not g:
                self.retained[...] = g

    def _seed(self, seed: npt.ArrayLike | None) -> Any:
        primal = self.primal
        if seed is None:
            if primal.size != 1:
                raise ValueError(
                    f"the adjoints of {described(self)} were asked for without a seed; only a result of one element "
                    f"needs none. Pass seed= of shape {primal.shape}, or reduce the result, for example with .sum()."
                )
            if primal.dtype.kind == "c":
                raise TypeError(
                    f"the adjoints of {described(self)} were asked for without a seed; only a real result needs none. "
                    "Pass seed=, or make the result real, for example with np.abs or np.real."
                )
            number = isinstance(primal, np.generic)
            return primal.dtype.type(1) if number else devices.ones(primal.shape, primal.dtype, like=primal)
        array = as_operand(seed.primal if isinstance(seed, Tensor) else seed, self)
        if array.shape != primal.shape:
            raise ValueError(f"a seed has the shape of the result, {primal.shape}; received shape {array.shape}.")
        return conjugated(array.astype(primal.dtype, copy=False)[()])

    # -- NumPy's two doors --------------------------------------------------------------------------------------

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        primitive = table.get(ufunc)
        if len(inputs) > 1:
            for x in inputs:
                if not isinstance(x, Tensor) and not is_operand(x):
                    return NotImplemented
        if method != "__call__":
            return ufunc_methods.call(ufunc, method, inputs, kwargs)
        if kwargs.get("dtype") is not None and (primitive is None or primitive.kind != "constant"):
            return ufunc(*ufunc_methods.converted(ufunc, inputs, kwargs.pop("dtype")), **kwargs)
        if primitive is None or primitive.kind != "differentiable":
            if primitive is None or primitive.kind != "constant":
                special.declared(ufunc)
                return self.__array_function__(ufunc, (), inputs, kwargs)
            if any(isinstance(array, Tensor) for array in kwargs.get("out", ())):
                without_defaults(ufunc, kwargs, ())
            return _plain(ufunc, inputs, kwargs)
        if kwargs:
            kwargs = without_defaults(ufunc, kwargs, ())
        elif len(inputs) == 1:
            try:
                primal = ufunc(self.primal)
            except TypeError as error:
                devices.refuse(error, ufunc, inputs)
            scope = current_scope.get()
            return primal if scope is None else recorded(Tensor, primitive, primal, inputs, NO_PARAMETERS, scope)
        return apply(primitive, inputs, kwargs)

    def __array_function__(
        self, function: Callable[..., Any], types: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        primitive = table.get(function)
        if primitive is not None:
            if primitive.kind == "differentiable":
                return apply(primitive, *primitive.arrange(args, kwargs))
            if primitive.definition is not None:
                return primitive.definition(args, kwargs)
            if primitive.kind == "constant":
                return _plain(function, args, kwargs)
        elif polynomials.declared(function):
            return self.__array_function__(function, types, args, kwargs)
        raise no_rule(function)

    # -- a sequence of its first axis ---------------------------------------------------------------------------

    def __len__(self) -> int:
        if not self.ndim:
            raise TypeError(f"len() was asked of {described(self)}; a 0-d Tensor has no length.")
        return self.shape[0]

    def __iter__(self) -> Iterator[Tensor]:
        if not self.ndim:
            raise TypeError(f"iteration was asked of {described(self)}; a 0-d Tensor has no elements to go through.")
        return (self[k] for k in range(self.shape[0]))

    def __getitem__(self, index: Index) -> Tensor:
        return apply(_gather, (self,), {"index": settled(index)})

    def __setitem__(self, index: Index, value: Any) -> NoReturn:
        raise TypeError(
            f"assignment into {described(self)}: Tensors are immutable. "
            "Use t = t.at[index].set(value) or t.at[index].add(value), which give a new Tensor."
        )

    @property
    def at(self) -> At:
        """`t.at[index].set(v)` and `t.at[index].add(v)`: a new Tensor with those elements changed."""
        return At(self)
