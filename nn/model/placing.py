"""Moving a model to a device: parameters are moved in place, buffers are replaced by copies."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, TypeVar

import autodiff as ad
from nn.model.walking import freeze_again, is_buffer, is_parameter, own, unfreeze

if TYPE_CHECKING:
    from nn.model.module import Module


M = TypeVar("M")

# The Modules that were made inside `device`; None outside it.
_made: ContextVar[list[Any] | None] = ContextVar("_made", default=None)


def noted(module: M) -> M:
    """A new Module, noted for the enclosing `device` if there is one."""
    made = _made.get()
    if made is not None:
        made.append(module)
    return module


@contextmanager
def device(name: str) -> Iterator[None]:
    """A context that moves Modules made inside it to a device at its end, as `model.to(name)`; make optimizers later.

    >>> with nn.device("cpu"):
    ...     model = nn.MLP(784, 128, 10, rng=0)
    >>> next(model.parameters()).device
    'cpu'
    """
    ad.to((), name)
    token = _made.set([])
    try:
        yield
        made = _made.get() or []
    finally:
        _made.reset(token)
    for module in made:
        to(module, name)


def to(model: Module, device: str) -> None:
    """The implementation of `Module.to`."""
    ad.to((), device)
    frozen = unfreeze(model.modules())
    copies: dict[int, Any] = {}  # one copy of each, so that shared buffers stay shared
    try:
        for module in model.modules():
            for holder, key, value in own(module):
                if is_parameter(value):
                    ad.relocate(value, device)
                elif is_buffer(value) and ad.devices.place(value) != device:
                    copy = copies.setdefault(id(value), ad.to(value, device))
                    if holder is None:
                        setattr(module, key, copy)
                    else:
                        holder[key] = copy
    finally:
        freeze_again(frozen)
