"""Activations as layers."""

from __future__ import annotations

from typing import Any

from nn import functional
from nn.module import Module


class ReLU(Module):
    """max(x, 0), elementwise."""

    forward = staticmethod(functional.relu)


class Tanh(Module):
    """tanh x, elementwise."""

    forward = staticmethod(functional.tanh)


class Sigmoid(Module):
    """1 / (1 + exp(-x)), elementwise."""

    forward = staticmethod(functional.sigmoid)


class Softplus(Module):
    """ln(1 + exp(x)), elementwise."""

    forward = staticmethod(functional.softplus)


class SiLU(Module):
    """x sigmoid(x), elementwise."""

    forward = staticmethod(functional.silu)


class LeakyReLU(Module):
    """x where it is positive, else `slope` times x."""

    def __init__(self, slope: float = 0.01) -> None:
        self.slope = slope

    def forward(self, x: Any) -> Any:
        """The activation of x."""
        return functional.leaky_relu(x, self.slope)

    def __repr__(self) -> str:
        return f"LeakyReLU({self.slope})"


class ELU(Module):
    """x where it is positive, else alpha (exp(x) - 1)."""

    def __init__(self, alpha: float = 1.0) -> None:
        self.alpha = alpha

    def forward(self, x: Any) -> Any:
        """The activation of x."""
        return functional.elu(x, self.alpha)

    def __repr__(self) -> str:
        return f"ELU({self.alpha})"


class Softmax(Module):
    """exp(x) / sum exp(x) along the last axis: probabilities. Not in front of CrossEntropyLoss, which takes logits."""

    forward = staticmethod(functional.softmax)


class LogSoftmax(Module):
    """The logarithm of softmax along the last axis."""

    forward = staticmethod(functional.log_softmax)
