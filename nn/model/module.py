"""The Module: a function with parameters, which are found by walking its attributes."""

from __future__ import annotations

import reprlib
import types
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Self

import numpy as np
import numpy.typing as npt

import autodiff as ad
from nn import hints
from nn.model import copying, hooks, placing, state
from nn.model.summary import Summary, summary
from nn.model.walking import (
    Place,
    freeze,
    inner_first,
    is_array,
    is_buffer,
    is_parameter,
    own,
    register,
    unfreeze,
    walk,
)
from nn.model.writing import call, shown

Array = npt.NDArray[Any]


def _without_forward(self: Module, *args: Any, **kwargs: Any) -> Any:
    """The forward of a class that defines none: it raises NotImplementedError."""
    kind = type(self).__name__
    raise NotImplementedError(
        f"{kind} was called, but it has no forward method; define what it computes: class {kind}(nn.Module): "
        "def forward(self, x): ..."
    )


class Module:
    """A function with parameters: subclass it, keep parameters and other Modules as attributes, define `forward`.

    A leaf Tensor among the attributes is a parameter. An ndarray is a buffer: state that is not trained, and is changed
    in place. If `forward` keeps a value only for inspection, begin the attribute's name with _. Attributes are searched
    on demand, in the order in which they were set, also inside lists, tuples, dicts and Modules; one that occurs twice
    counts once. A set has no order, so a Tensor or Module in a set raises TypeError. There is no registration:
    `super().__init__()` is allowed but not needed.

    >>> class Line(nn.Module):
    ...     def __init__(self):
    ...         self.slope = ad.Tensor(2.0)
    ...
    ...     def forward(self, x):
    ...         return self.slope * x
    >>> [name for name, _ in Line().named_parameters()]
    ['slope']
    """

    takes_indices = False  # whether its input are indices, which must not be converted to floating point
    training = True  # the mode, for Dropout and BatchNorm: training or evaluation; see `train` and `eval`
    _frozen: tuple[Place, ...] = ()
    _hooks: tuple[hooks.Handle, ...] = ()

    def __init_subclass__(cls) -> None:
        if cls.__module__.startswith("nn.") and "__init__" in vars(cls):
            cls.__init__ = hints.answering(cls.__init__)  # type: ignore[method-assign]  # the same, with hints

    # Declared as an attribute, so that a subclass may give forward whatever arguments it needs.
    forward: Callable[..., Any] = _without_forward

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        """A Module; one that is made inside `nn.device` is noted there."""
        return placing.noted(super().__new__(cls))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """The result of `forward`, recorded as a box in pictures."""
        with ad.scope(self):
            result = self.forward(*args, **kwargs)
        if result is None:
            kind = type(self).__name__
            raise TypeError(f"{kind}.forward must give the module's result; it gave None. End it with return ...")
        return hooks.hooked(self, args, result) if self._hooks else result

    def __getstate__(self) -> Any:
        """The attributes without hooks, for a pickle or deep copy; leaf Tensors become stand-ins with arrays."""
        return copying.packed(copying.without(super().__getstate__(), "_hooks"))

    def __setstate__(self, attributes: Any) -> None:
        given, slots = attributes if isinstance(attributes, tuple) else (attributes, {})
        vars(self).update(given or {})
        for name, value in slots.items():
            setattr(self, name, value)
        for place in self._frozen:
            if isinstance(place.constant, np.ndarray):
                place.constant.flags.writeable = False  # pickles do not keep this flag

    def __copy__(self) -> Self:
        """A Module with the same attributes: parameters are shared, as in PyTorch."""
        duplicate = object.__new__(type(self))
        duplicate.__setstate__(object.__getstate__(self))
        return duplicate

    def __getattr__(self, name: str) -> Any:
        if name not in hints.METHODS or hasattr(type(self), name):
            return object.__getattribute__(self, name)  # raises the first error again, from a property perhaps
        raise AttributeError(f"{type(self).__name__} has no {name!r}: {hints.METHODS[name]}.", name=name, obj=self)

    def named_attributes(self) -> Iterator[tuple[str, Any]]:
        """The attributes to walk, each with its part of the names of parameters."""
        for kind in type(self).__mro__[::-1]:
            for name, slot in vars(kind).items():
                if isinstance(slot, types.MemberDescriptorType) and hasattr(self, name):
                    yield name, getattr(self, name)
        frozen = {place.key for place in self._frozen if place.holder is None}
        for name, value in vars(self).items():
            remembered = name[0] == "_" and is_array(value) and name not in frozen
            if name not in ("_frozen", "_hooks") and not remembered:
                yield name, value

    def named_parameters(self) -> Iterator[tuple[str, ad.Tensor]]:
        """Each parameter once, with its first name, the path to it, such as "layers.0.weight"."""
        return ((name, value) for name, value in walk(self, "", set()) if is_parameter(value))

    def parameters(self) -> Iterator[ad.Tensor]:
        """Each parameter once, in the order of the attributes."""
        return (tensor for _, tensor in self.named_parameters())

    def named_buffers(self) -> Iterator[tuple[str, Array]]:
        """Each ndarray among the attributes once, with its name: state that is not trained, and frozen parameters."""
        return ((name, value) for name, value in walk(self, "", set()) if is_buffer(value))

    def buffers(self) -> Iterator[Array]:
        """Each ndarray among the attributes once."""
        return (array for _, array in self.named_buffers())

    def named_generators(self) -> Iterator[tuple[str, np.random.Generator]]:
        """Each random generator among the attributes once, with its name; Dropout has one."""
        return ((name, value) for name, value in walk(self, "", set()) if isinstance(value, np.random.Generator))

    def named_modules(self) -> Iterator[tuple[str, Module]]:
        """The Module itself, under the name "", and each one inside it once, outer before inner."""
        return ((name, value) for name, value in walk(self, "", set()) if isinstance(value, Module))

    def modules(self) -> Iterator[Module]:
        """The Module itself and each one inside it once, outer before inner."""
        return (module for _, module in self.named_modules())

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """The outermost Modules inside, each once, with its name."""
        inside = walk(self, "", set(), deep=False)
        return ((name, value) for name, value in inside if isinstance(value, Module) and value is not self)

    def children(self) -> Iterator[Module]:
        """The outermost Modules inside, each once."""
        return (module for _, module in self.named_children())

    def apply(self, function: Callable[[Module], Any]) -> Self:
        """Call a function with each Module inside once, inner before outer, and last with the Module itself.

        >>> model = nn.Sequential(nn.Linear(3, 2), nn.Tanh())
        >>> model = model.apply(lambda module: print(type(module).__name__))
        Linear
        Tanh
        Sequential
        """
        for module in inner_first(self, set()):
            function(module)
        return self

    def register_buffer(self, name: str, value: npt.ArrayLike | None, persistent: bool = True) -> None:
        """Keep an array as the attribute `name`: a buffer, which is saved and not trained. The same as assigning it.

        Raises ValueError for persistent=False: an array that is not saved needs a name that begins with _. Raises
        KeyError for a name that is taken, and TypeError for a value that is no array of numbers.
        """
        register(self, name, value, persistent)

    def register_forward_hook(self, hook: Callable[..., Any]) -> hooks.Handle:
        """Call hook(module, args, result) after each call of the Module; a result other than None replaces `result`.

        `args` are the positional arguments. Call `remove()` of the handle, or use it in a `with` block, to remove the
        hook. Deep copies and pickles have no hooks.

        >>> model = nn.Sequential(nn.Linear(3, 2), nn.Tanh())
        >>> with model[0].register_forward_hook(lambda module, args, result: print(result.shape)):
        ...     output = model(np.zeros((5, 3)))
        (5, 2)
        """
        return hooks.registered(self, hook)

    def train(self, mode: bool = True) -> Self:
        """Set every Module inside to training, or with False to evaluation. Returns the Module itself."""
        for module in self.modules():
            module.training = mode
        return self

    def eval(self) -> Self:
        """Set every Module inside to evaluation: Dropout does nothing, BatchNorm uses its running averages."""
        return self.train(False)

    def freeze(self) -> Self:
        """Make the parameters inside constants: plain arrays, which no derivative reaches, until `unfreeze`.

        They are left out of `parameters()` and cost nothing in the reverse pass; `state_dict` still has them. Buffers
        are not frozen: in training BatchNorm's running averages still change. Raises TypeError if a parameter is in a
        tuple, which cannot be changed.
        """
        freeze(self.modules())
        return self

    def unfreeze(self) -> Self:
        """Make what `freeze` duplicate constants parameters again: the same Tensors."""
        unfreeze(self.modules())
        return self

    def to(self, device: str) -> Self:
        """Move every parameter and buffer inside to a device, such as "cuda" or "cpu". Returns the Module itself.

        Later inputs are moved there when they are recorded. Make the optimizer afterwards, or make it again: its
        vectors are on the device of the parameters. Random numbers are always drawn on the host, so a seed gives the
        same network on every device. Raises ValueError for an unknown device.

        >>> model = nn.MLP(784, 128, 10, rng=0).to("cpu")
        """
        placing.to(self, device)
        return self

    def own_parameters(self) -> Iterator[tuple[ad.Tensor, bool]]:
        """The parameters of this Module alone, without inner Modules, each with whether it is frozen."""
        yield from ((value, False) for _, _, value in own(self) if is_parameter(value))
        yield from ((place.tensor, True) for place in self._frozen)

    def summary(self, input_shape: Any = None) -> Summary:
        """A table of the layers, the shapes of their results, and their numbers of parameters.

        `input_shape` is the shape of one sample, without the batch: 64, or (1, 28, 28); or samples X, whose columns are
        named if they have names, as in a DataFrame; for several inputs a list or dict of these. By default it comes
        from the first layer if that is a dense one; otherwise no shapes are shown. The model is run on one sample of
        zeros, in evaluation mode; it raises its own error if a sample of that shape does not fit.
        """
        return summary(self, input_shape)

    def state_dict(self) -> dict[str, Array]:
        """A copy of every parameter and buffer by name; PyTorch's layers have PyTorch's names."""
        return state.copied(self)

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True) -> state.Loaded:
        """Give parameters and buffers the values in `state_dict`, a mapping of names such as `state_dict()` makes.

        Values are arrays, or are converted to arrays; they are converted to the dtypes of the model. With `strict` the
        names must be those of the model; otherwise common names are loaded, and the others are returned. Raises
        KeyError for names, ValueError for shapes, TypeError for dtypes that do not fit, with a list of all that are
        wrong; then nothing is changed.
        """
        return state.load(self, state_dict, strict)

    def zero_grad(self) -> None:
        """Forget every parameter's adjoint: `.grad` is None until the next `backward`."""
        for tensor in self.parameters():
            tensor.grad = None

    @reprlib.recursive_repr()
    def __repr__(self) -> str:
        parts = [f"{name}={shown(value)}" for name, value in self.named_attributes() if _is_model(value)]
        return call(type(self).__name__, parts)


def _is_model(value: Any) -> bool:
    """Whether an attribute is, or holds, a part of the model."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple):
        return any(_is_model(v) for v in value)
    return isinstance(value, Module) or (isinstance(value, ad.Tensor) and value.is_leaf)
