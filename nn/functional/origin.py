"""The origin of a prediction: a loss that takes logits warns if they went through a softmax before."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterable
from typing import Any

import autodiff as ad

INNER = frozenset({"nn", "autodiff", "numpy", "contextlib"})  # packages whose frames are not the caller's
NORMALISING = frozenset({"softmax", "log_softmax", "sigmoid"})


def expect_logits(prediction: Any, loss: str, instead: str) -> None:
    """Warn, naming the layer, if a recorded prediction is the result of softmax, log_softmax or sigmoid."""
    if isinstance(prediction, ad.Tensor) and prediction.operation in NORMALISING:
        warn(
            f"{loss} takes logits, scores of any size, and normalises them itself; the prediction comes out of "
            f"{prediction.operation}{_place(prediction)} already. Leave that out, or take {instead}."
        )


def warn(message: str | UserWarning) -> None:
    """A UserWarning, or one of a kind of its own, at the first line outside of these packages.

    Python shows it once per place.
    """
    frame, level = sys._getframe(), 1
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] in INNER:
        frame, level = frame.f_back, level + 1
    warnings.warn(message, UserWarning, stacklevel=level)


def _place(tensor: ad.Tensor) -> str:
    """The layer that recorded a Tensor, with its path in the model that was called; "" outside every layer."""
    frames = tensor.scopes
    if not frames:
        return ""
    layer, model = frames[0], frames[-1]
    if isinstance(layer, str):
        return f" in {layer!r}"
    members: Callable[[], Iterable[tuple[str, Any]]] = getattr(model, "named_modules", tuple)
    path = next((name for name, module in members() if module is layer and name), None)
    kind = type(layer).__name__
    return f" in the layer {path!r} ({kind}) of {type(model).__name__}" if path else f" in {kind}"
