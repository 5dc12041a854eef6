"""Neural networks as ordinary functions of Tensors, and their training.

>>> import nn
>>> model = nn.MLP(64, 32, 10, rng=0)
>>> history = nn.fit(
...     model, (X, y), loss=nn.CrossEntropyLoss(), optimizer=nn.optim.Adam(model.parameters()), metrics="accuracy"
... )
"""

from nn import functional, init, metrics, optim
from nn.history import History
from nn.layers import (
    ELU,
    Flatten,
    LeakyReLU,
    Linear,
    LogSoftmax,
    ReLU,
    Sigmoid,
    SiLU,
    Softmax,
    Softplus,
    Tanh,
)
from nn.losses import CrossEntropyLoss, MSELoss
from nn.module import Module
from nn.sequential import MLP, Sequential
from nn.training import DivergedError, fit

__all__ = [
    "ELU",
    "MLP",
    "CrossEntropyLoss",
    "DivergedError",
    "Flatten",
    "History",
    "LeakyReLU",
    "Linear",
    "LogSoftmax",
    "MSELoss",
    "Module",
    "ReLU",
    "Sequential",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "Tanh",
    "fit",
    "functional",
    "init",
    "metrics",
    "optim",
]
