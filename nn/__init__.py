"""Neural networks as ordinary functions of Tensors, and their training.

>>> import nn
>>> model = nn.MLP(64, 32, 10, rng=0)
>>> history = nn.fit(
...     model, (X, y), loss=nn.CrossEntropyLoss(), optimizer=nn.optim.Adam(model.parameters()), metrics="accuracy"
... )
"""

import importlib
from typing import TYPE_CHECKING, Any

from nn import data, functional, hints, init, metrics, optim
from nn.layers import (
    CELU,
    ELU,
    GELU,
    GLU,
    SELU,
    AvgPool2d,
    BatchNorm1d,
    BatchNorm2d,
    Conv2d,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    Hardshrink,
    Hardsigmoid,
    Hardswish,
    Hardtanh,
    Identity,
    LayerNorm,
    LeakyReLU,
    Linear,
    LogSigmoid,
    LogSoftmax,
    MaxPool2d,
    Mish,
    PReLU,
    ReLU,
    ReLU6,
    RReLU,
    Sigmoid,
    Sign,
    SiLU,
    Softmax,
    Softmin,
    Softplus,
    Softshrink,
    Softsign,
    Step,
    Tanh,
    Tanhshrink,
    Threshold,
    weight_norm,
)
from nn.layers.containers import MLP, Residual, Sequential
from nn.losses import (
    BCELoss,
    BCEWithLogitsLoss,
    CrossEntropyLoss,
    HingeLoss,
    HuberLoss,
    KLDivLoss,
    L1Loss,
    LogisticLoss,
    MSELoss,
    MultiMarginLoss,
    NLLLoss,
    SmoothL1Loss,
)
from nn.memory import reuse_memory
from nn.model.flat_vector import flat
from nn.model.module import Module
from nn.model.saving import FileError, load, save
from nn.report.history import History
from nn.report.watching import watch
from nn.training.callbacks import Callback, EarlyStopping
from nn.training.diagnosis import DivergedError
from nn.training.evaluation import evaluate, predict
from nn.training.fitting import fit
from nn.training.restarting import restarts
from nn.training.searching import find_lr
from nn.training.training import Training

if TYPE_CHECKING:
    from nn.estimators import MLPClassifier as MLPClassifier
    from nn.estimators import MLPRegressor as MLPRegressor

__all__ = [
    "CELU",
    "ELU",
    "GELU",
    "GLU",
    "MLP",
    "SELU",
    "AvgPool2d",
    "BCELoss",
    "BCEWithLogitsLoss",
    "BatchNorm1d",
    "BatchNorm2d",
    "Callback",
    "Conv2d",
    "CrossEntropyLoss",
    "Dense",
    "DivergedError",
    "Dropout",
    "EarlyStopping",
    "Embedding",
    "FileError",
    "Flatten",
    "Hardshrink",
    "Hardsigmoid",
    "Hardswish",
    "Hardtanh",
    "HingeLoss",
    "History",
    "HuberLoss",
    "Identity",
    "KLDivLoss",
    "L1Loss",
    "LayerNorm",
    "LeakyReLU",
    "Linear",
    "LogSigmoid",
    "LogSoftmax",
    "LogisticLoss",
    "MSELoss",
    "MaxPool2d",
    "Mish",
    "Module",
    "MultiMarginLoss",
    "NLLLoss",
    "PReLU",
    "RReLU",
    "ReLU",
    "ReLU6",
    "Residual",
    "Sequential",
    "SiLU",
    "Sigmoid",
    "Sign",
    "SmoothL1Loss",
    "Softmax",
    "Softmin",
    "Softplus",
    "Softshrink",
    "Softsign",
    "Step",
    "Tanh",
    "Tanhshrink",
    "Threshold",
    "Training",
    "data",
    "evaluate",
    "find_lr",
    "fit",
    "flat",
    "functional",
    "init",
    "load",
    "metrics",
    "optim",
    "predict",
    "restarts",
    "reuse_memory",
    "save",
    "watch",
    "weight_norm",
]


# They need scikit-learn, an extra that is slow to import; so they are not in __all__ either, for `import *`.
_on_demand = {"MLPClassifier": "nn.estimators", "MLPRegressor": "nn.estimators"}


def __getattr__(name: str) -> Any:
    if name in _on_demand:
        return getattr(importlib.import_module(_on_demand[name]), name)
    if name in hints.NAMES:
        raise AttributeError(f"nn has no {name!r}: {hints.NAMES[name]}.")
    raise AttributeError(f"module 'nn' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*__all__, *_on_demand])
