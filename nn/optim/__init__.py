"""Optimizers: they move parameters along their adjoints."""

from nn.optim.optimizer import SGD, Adam, Optimizer

__all__ = ["SGD", "Adam", "Optimizer"]
