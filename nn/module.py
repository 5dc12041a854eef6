"""The Module: a function with parameters, which are found by walking its attributes."""

from __future__ import annotations

import reprlib
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt

import autodiff as ad
from nn import elsewhere
from nn.summary import Summary, summary
from nn.written import call, shown

Array = npt.NDArray[Any]


def _without_forward(self: Module, *args: Any, **kwargs: Any) -> Any:
    """What a Module computes is its own `forward`, which this class does not have."""
    kind = type(self).__name__
    raise NotImplementedError(
        f"{kind} was called, but it has no forward method; define what it computes: class {kind}(nn.Module): "
        "def forward(self, x): ..."
    )


class Loaded(NamedTuple):
    """What `load_state_dict` left out: names the model has and the state lacks, and the other way round."""

    missing_keys: list[str]
    unexpected_keys: list[str]


class Module:
    """A function with parameters: subclass it, keep parameters and other Modules as attributes, define `forward`.

    A Tensor without origin (a leaf) is a parameter, an ndarray a buffer: state that is not trained, and written in
    place. Attributes are read when asked for, in the order they were set, through lists, tuples, dicts and Modules;
    what occurs twice counts once. A set has no order, and so a Tensor or Module in one is a TypeError. There is no
    registration: `super().__init__()` is allowed and not needed.
    """

    takes_indices = False  # whether its input is looked up, and so is not to be converted to floating point
    training = True  # whether Dropout and BatchNorm do what they do in training; see `train` and `eval`
    _frozen: list[tuple[Any, Any, ad.Tensor]] = []  # noqa: RUF012  # where each was: a list or dict (None: here), key

    # Declared as an attribute, so that a subclass may give forward whatever arguments it needs.
    forward: Callable[..., Any] = _without_forward

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """The result of `forward`, recorded as a box of its own in pictures."""
        with ad.scope(self):
            result = self.forward(*args, **kwargs)
        if result is None:
            kind = type(self).__name__
            raise TypeError(f"{kind}.forward is to give the module's result; it gave None. End it with return ...")
        return result

    def __getattr__(self, name: str) -> Any:
        hint = f": {elsewhere.METHODS[name]}" if name in elsewhere.METHODS else ""
        raise AttributeError(f"{type(self).__name__} has no attribute {name!r}{hint}", name=name, obj=self)

    def attributes(self) -> Iterator[tuple[str, Any]]:
        """The attributes to be walked, each with the name it has in the names of parameters."""
        for kind in type(self).__mro__[::-1]:
            for name, slot in vars(kind).items():
                if isinstance(slot, types.MemberDescriptorType) and hasattr(self, name):
                    yield name, getattr(self, name)
        yield from ((name, value) for name, value in vars(self).items() if name != "_frozen")

    def named_parameters(self) -> Iterator[tuple[str, ad.Tensor]]:
        """Each parameter once, with its first name: the way to it, such as "layers.0.weight"."""
        return (
            (name, value)
            for name, value in _walk(self, "", set())
            if isinstance(value, ad.Tensor) and value.primitive is None
        )

    def parameters(self) -> Iterator[ad.Tensor]:
        """Each parameter once, in the order of the attributes."""
        return (tensor for _, tensor in self.named_parameters())

    def named_buffers(self) -> Iterator[tuple[str, Array]]:
        """Each ndarray among the attributes once, with its name: state that is not trained, frozen parameters too."""
        return ((name, value) for name, value in _walk(self, "", set()) if isinstance(value, np.ndarray))

    def buffers(self) -> Iterator[Array]:
        """Each ndarray among the attributes once."""
        return (array for _, array in self.named_buffers())

    def named_generators(self) -> Iterator[tuple[str, np.random.Generator]]:
        """Each random generator among the attributes once, with its name: what Dropout draws from."""
        return ((name, value) for name, value in _walk(self, "", set()) if isinstance(value, np.random.Generator))

    def named_modules(self) -> Iterator[tuple[str, Module]]:
        """The Module itself, under the name "", and each one inside it once, outer before inner."""
        return ((name, value) for name, value in _walk(self, "", set()) if isinstance(value, Module))

    def modules(self) -> Iterator[Module]:
        """The Module itself and each one inside it once, outer before inner."""
        return (module for _, module in self.named_modules())

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """The outermost Modules inside, each once, with its name."""
        inside = _walk(self, "", set(), deep=False)
        return ((name, value) for name, value in inside if isinstance(value, Module) and value is not self)

    def children(self) -> Iterator[Module]:
        """The outermost Modules inside, each once."""
        return (module for _, module in self.named_children())

    def train(self, mode: bool = True) -> Self:
        """Set every Module inside to training, or with False to evaluation; gives the Module itself."""
        for module in self.modules():
            module.training = mode
        return self

    def eval(self) -> Self:
        """Set every Module inside to evaluation: Dropout does nothing, BatchNorm uses its running averages."""
        return self.train(False)

    def freeze(self) -> Self:
        """Make the parameters inside constants: plain arrays, which no derivative reaches, until `unfreeze`.

        They are left out of `parameters()` and cost nothing in the reverse pass; `state_dict` has them as before.
        Buffers are not frozen: in training BatchNorm's running averages move on.
        Raises TypeError where one is kept in a tuple, which cannot be changed.
        """
        for module in self.modules():
            found = [
                (holder, key, value)
                for holder, key, value in _own(module)
                if isinstance(value, ad.Tensor) and value.primitive is None
            ]
            if found:
                module._frozen = [*module._frozen, *found]
                for holder, key, tensor in found:
                    tensor.grad = None
                    _put(module if holder is None else holder, key, tensor.value)
        return self

    def unfreeze(self) -> Self:
        """Make what `freeze` made constants parameters again: the same Tensors."""
        for module in self.modules():
            for holder, key, tensor in module._frozen:
                _put(module if holder is None else holder, key, tensor)
            vars(module).pop("_frozen", None)
        return self

    def own_parameters(self) -> Iterator[tuple[ad.Tensor, bool]]:
        """The parameters that are not in Modules inside, each with whether it is frozen."""
        yield from ((v, False) for _, _, v in _own(self) if isinstance(v, ad.Tensor) and v.primitive is None)
        yield from ((tensor, True) for _, _, tensor in self._frozen)

    def summary(self, input_shape: int | Sequence[int] | None = None) -> Summary:
        """The layers, the shapes they give, and their numbers of parameters: a table.

        `input_shape` is that of one sample, without the batch: 64, or (1, 28, 28). Where it is not given it is taken
        from the first layer if that is a dense one; otherwise no shapes are shown. The model is run on one sample of
        zeros, in evaluation mode; what it raises if a sample of that shape does not fit is raised.
        """
        return summary(self, input_shape)

    def state_dict(self) -> dict[str, Array]:
        """A copy of every parameter and buffer by name, in PyTorch's names for PyTorch's layers."""
        return {name: np.array(_raw(value)) for name, value in _state(self)}

    def load_state_dict(self, state: Mapping[str, Any], strict: bool = True) -> Loaded:
        """Give parameters and buffers the values in `state`, a mapping of names such as `state_dict` makes.

        Values are arrays, or what np.asarray makes one of; they are converted to the dtypes of the model. With
        `strict` the names must be the model's, else those in common are loaded; the others are given back. Raises
        KeyError for names, ValueError for shapes, TypeError for dtypes that do not go together, each time naming
        all that are wrong; then nothing is changed.
        """
        kept = dict(_state(self))
        loaded = Loaded([n for n in kept if n not in state], [n for n in state if n not in kept])
        if strict and any(loaded):
            parts = [
                f"{what} {', '.join(map(repr, names))}"
                for what, names in (("missing are", loaded.missing_keys), ("unknown are", loaded.unexpected_keys))
                if names
            ]
            raise KeyError(
                f"{type(self).__name__} was given a state that is not of its making: {'; '.join(parts)}. "
                "Build the model as it was when the state was taken, or load what fits with strict=False."
            )
        new = {name: np.asarray(_raw(state[name])) for name in kept if name in state}
        wrong = [error for name, array in new.items() if (error := _misfit(name, kept[name], array))]
        if wrong:
            message = f"{type(self).__name__} was given a state that does not fit: {'; '.join(map(str, wrong))}."
            raise type(wrong[0])(message)
        frozen = [module for module in self.modules() if module._frozen]
        for module in frozen:
            module.unfreeze()
        for name, old in _state(self):
            if name in new:
                if isinstance(old, ad.Tensor):
                    old.value = new[name]
                else:
                    old[...] = new[name]
        for module in frozen:
            module.freeze()
        return loaded

    def zero_grad(self) -> None:
        """Forget every parameter's adjoint: `.grad` is None until the next `backward`."""
        for tensor in self.parameters():
            tensor.grad = None

    @reprlib.recursive_repr()
    def __repr__(self) -> str:
        parts = [f"{name}={shown(value)}" for name, value in self.attributes() if _is_model(value)]
        return call(type(self).__name__, parts)


def _walk(value: Any, name: str, seen: set[int], deep: bool = True) -> Iterator[tuple[str, Any]]:
    """The Modules, Tensors, ndarrays and generators that can be reached from a value, by name, each once, in order.

    With deep=False what is inside of other Modules is left out.
    """
    if not isinstance(value, Module | dict | list | tuple):
        if isinstance(value, ad.Tensor | np.ndarray | np.random.Generator):
            if id(value) not in seen:
                seen.add(id(value))
                yield name, value
        elif isinstance(value, set | frozenset) and any(isinstance(v, Module | ad.Tensor) for v in value):
            raise TypeError(
                f"a model's parameters have an order; received a set of them, the attribute {name}. Make it a list."
            )
        return
    if id(value) not in seen:  # a Module may be kept by several others, or know the one it is a part of
        seen.add(id(value))
        if isinstance(value, Module):
            yield name, value
            if name and not deep:
                return
        for key, member in _members(value):
            yield from _walk(member, f"{name}.{key}" if name else str(key), seen, deep)


def _members(value: Module | dict[Any, Any] | list[Any] | tuple[Any, ...]) -> Iterator[tuple[Any, Any]]:
    """What a Module or container holds, by name, key or number."""
    if isinstance(value, Module):
        return value.attributes()
    return iter(value.items()) if isinstance(value, dict) else enumerate(value)


def _own(module: Module) -> Iterator[tuple[Any, Any, Any]]:
    """What a Module itself holds, not those inside it: the list or dict it is in (None: an attribute), key, value."""
    waiting: list[Any] = [None]
    while waiting:
        holder = waiting.pop()
        for key, value in list(_members(module if holder is None else holder)):
            if isinstance(value, dict | list | tuple):
                waiting.append(value)
            elif not isinstance(value, Module):
                if isinstance(holder, tuple) and isinstance(value, ad.Tensor):
                    raise TypeError(
                        f"freeze puts arrays in the place of parameters; {type(module).__name__} keeps one of shape "
                        f"{value.shape} in a tuple, which cannot be changed. Keep them in a list."
                    )
                yield holder, key, value


def _put(holder: Any, key: Any, value: Any) -> None:
    if isinstance(holder, Module):
        setattr(holder, key, value)
    else:
        holder[key] = value


def _state(module: Module) -> Iterator[tuple[str, Any]]:
    """Parameters and buffers, by name."""
    return (
        (name, value)
        for name, value in _walk(module, "", set())
        if isinstance(value, np.ndarray) or (isinstance(value, ad.Tensor) and value.primitive is None)
    )


def _raw(value: Any) -> Array:
    return value.value if isinstance(value, ad.Tensor) else value


def _misfit(name: str, old: Any, new: Array) -> Exception | None:
    """What is wrong with a new value, if something is."""
    if new.shape != old.shape:
        hint = ""
        if new.ndim == 2 and new.shape == old.shape[::-1]:
            hint = " (a weight is (out, in): this one looks transposed)"
        return ValueError(f"{name} has the shape {old.shape}, received {new.shape}{hint}")
    if not np.can_cast(new.dtype, old.dtype, "same_kind"):
        return TypeError(f"{name} has the dtype {old.dtype}, received {new.dtype}")
    return None


def _is_model(value: Any) -> bool:
    """Whether an attribute is, or holds, a part of the model."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple):
        return any(_is_model(v) for v in value)
    return isinstance(value, Module) or (isinstance(value, ad.Tensor) and value.primitive is None)
