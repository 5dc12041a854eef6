"""Optimizers move parameters along their adjoints; schedules change how far; clipping bounds the adjoints before.

>>> model = nn.MLP(2, 16, 2, rng=0)
>>> optimizer = nn.optim.Adam(model.parameters(), lr=1e-3)
>>> schedule = nn.optim.CosineAnnealingLR(optimizer, T_max=20)
"""

from typing import NoReturn

from nn import hints
from nn.optim import lr_scheduler
from nn.optim.adam import LAMB, Adam, AdamW, NAdam
from nn.optim.adaptive import Adadelta, Adagrad, RMSprop
from nn.optim.clipping import clip_grad_norm, clip_grad_value
from nn.optim.gradient_descent import SGD
from nn.optim.lbfgs import LBFGS
from nn.optim.lr_scheduler import (
    ConstantLR,
    CosineAnnealingLR,
    CosineAnnealingWarmRestarts,
    ExponentialLR,
    InverseTimeLR,
    LambdaLR,
    LinearLR,
    LRScheduler,
    MultiStepLR,
    OneCycleLR,
    ReduceLROnPlateau,
    SequentialLR,
    StepLR,
)
from nn.optim.optimizer import Optimizer
from nn.optim.variants import Adamax, Lion, RAdam

__all__ = [
    "LAMB",
    "LBFGS",
    "SGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "ConstantLR",
    "CosineAnnealingLR",
    "CosineAnnealingWarmRestarts",
    "ExponentialLR",
    "InverseTimeLR",
    "LRScheduler",
    "LambdaLR",
    "LinearLR",
    "Lion",
    "MultiStepLR",
    "NAdam",
    "OneCycleLR",
    "Optimizer",
    "RAdam",
    "RMSprop",
    "ReduceLROnPlateau",
    "SequentialLR",
    "StepLR",
    "clip_grad_norm",
    "clip_grad_value",
    "lr_scheduler",
]


def __getattr__(name: str) -> NoReturn:
    hint = f"; {hints.OPTIM[name]}" if name in hints.OPTIM else ""
    raise AttributeError(f"nn.optim has no {name!r}{hint}. It has {', '.join(__all__)}.")
