"""Losses as objects: called with (prediction, target), they give one number, the mean over the batch."""

from __future__ import annotations

from typing import Any

from nn import functional
from nn.module import Module


class CrossEntropyLoss(Module):
    """Cross-entropy from logits, of shape (batch, classes), with integer labels, of shape (batch,)."""

    forward = staticmethod(functional.cross_entropy)


class MSELoss(Module):
    """The mean of (y' - y)², for a prediction and a target of the same shape; with `half`, of (y' - y)² / 2."""

    def __init__(self, half: bool = False) -> None:
        self.half = half

    def forward(self, prediction: Any, target: Any) -> Any:
        """The loss of a prediction."""
        return functional.mse_loss(prediction, target, self.half)

    def __repr__(self) -> str:
        return f"MSELoss({'half=True' if self.half else ''})"
