"""The Module: a function with parameters, which are found by walking its attributes."""

from __future__ import annotations

import reprlib
import types
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import autodiff as ad


def _without_forward(self: Module, *args: Any, **kwargs: Any) -> Any:
    """What a Module computes is its own `forward`, which this class does not have."""
    kind = type(self).__name__
    raise NotImplementedError(
        f"{kind} was called, but it has no forward method; define what it computes: class {kind}(nn.Module): "
        "def forward(self, x): ..."
    )


class Module:
    """A function with parameters: subclass it, keep parameters and other Modules as attributes, define `forward`.

    A Tensor without origin (a leaf) is a parameter, an ndarray a buffer. Attributes are read when asked for, in
    the order they were set, through lists, tuples, dicts and Modules; what occurs twice counts once. A set has no
    order, and so a Tensor or Module in one is a TypeError. There is no registration: `super().__init__()` is
    allowed and not needed.
    """

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

    def children(self) -> Iterator[tuple[str, Any]]:
        """The attributes to be walked, each with the name it has in the names of parameters."""
        for kind in type(self).__mro__[::-1]:
            for name, slot in vars(kind).items():
                if isinstance(slot, types.MemberDescriptorType) and hasattr(self, name):
                    yield name, getattr(self, name)
        yield from vars(self).items()

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

    def named_buffers(self) -> Iterator[tuple[str, np.ndarray[Any, Any]]]:
        """Each ndarray among the attributes once, with its name: state that is not trained."""
        return ((name, value) for name, value in _walk(self, "", set()) if isinstance(value, np.ndarray))

    def zero_grad(self) -> None:
        """Forget every parameter's adjoint: `.grad` is None until the next `backward`."""
        for tensor in self.parameters():
            tensor.grad = None

    @reprlib.recursive_repr()
    def __repr__(self) -> str:
        parts = [f"{name}={_shown(value)}" for name, value in self.children() if _is_model(value)]
        return call(type(self).__name__, parts)


def call(name: str, parts: list[str]) -> str:
    """The text of a call, one part a line if there are several or one of them is long."""
    if len(parts) < 2 and not any("\n" in part for part in parts):
        return f"{name}({', '.join(parts)})"
    return f"{name}(\n" + "".join(_indented(part) + ",\n" for part in parts) + ")"


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.split("\n"))


def _walk(value: Any, name: str, seen: set[int]) -> Iterator[tuple[str, Any]]:
    """The Tensors and ndarrays that can be reached from a value, by name, each once, in order."""
    if isinstance(value, Module):
        members: Iterator[tuple[Any, Any]] = value.children()
    elif isinstance(value, dict):
        members = iter(value.items())
    elif isinstance(value, list | tuple):
        members = enumerate(value)
    elif isinstance(value, ad.Tensor | np.ndarray):
        if id(value) not in seen:
            seen.add(id(value))
            yield name, value
        return
    else:
        if isinstance(value, set | frozenset) and any(isinstance(v, Module | ad.Tensor) for v in value):
            raise TypeError(
                f"a model's parameters have an order; received a set of them, the attribute {name}. Make it a list."
            )
        return
    if id(value) not in seen:  # a Module may be kept by several others, or know the one it is a part of
        seen.add(id(value))
        for key, member in members:
            yield from _walk(member, f"{name}.{key}" if name else str(key), seen)


def _is_model(value: Any) -> bool:
    """Whether an attribute is, or holds, a part of the model."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple):
        return any(_is_model(v) for v in value)
    return isinstance(value, Module) or (isinstance(value, ad.Tensor) and value.primitive is None)


def _shown(value: Any) -> str:
    if isinstance(value, ad.Tensor):
        return f"Tensor of shape {value.shape}, {value.dtype}"
    if isinstance(value, dict):
        return call("dict", [f"{key}={_shown(v)}" for key, v in value.items()])
    if isinstance(value, list | tuple):
        body = call("", [_shown(v) for v in value])[1:-1]
        if isinstance(value, tuple) and len(value) == 1 and not body.endswith("\n"):
            body += ","
        return f"({body})" if isinstance(value, tuple) else f"[{body}]"
    return repr(value)
