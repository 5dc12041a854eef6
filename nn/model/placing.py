"""A model moved to a device: its parameters in place, its buffers exchanged for their copies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import autodiff as ad
from nn.model.walking import freeze_again, is_buffer, is_parameter, own, unfreeze

if TYPE_CHECKING:
    from nn.model.module import Module


def to(model: Module, device: str) -> None:
    """What `Module.to` does."""
    ad.to((), device)
    frozen = unfreeze(model.modules())
    copies: dict[int, Any] = {}  # one of each, so that what was tied stays so
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
