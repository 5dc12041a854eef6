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
    ELU,
    GELU,
    GRU,
    LSTM,
    RNN,
    Activation,
    AvgPool2d,
    BatchNorm1d,
    BatchNorm2d,
    Conv2d,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    GRUCell,
    Identity,
    Input,
    LayerNorm,
    LeakyReLU,
    Linear,
    LogSoftmax,
    LSTMCell,
    MaxPool2d,
    MultiheadAttention,
    PositionalEncoding,
    ReLU,
    RNNCell,
    Sigmoid,
    Sign,
    SiLU,
    Softmax,
    Softplus,
    Step,
    Tanh,
    TransformerEncoder,
    TransformerEncoderLayer,
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
from nn.training import keras as _keras
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
    "ELU",
    "GELU",
    "GRU",
    "LSTM",
    "MLP",
    "RNN",
    "Activation",
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
    "GRUCell",
    "HingeLoss",
    "History",
    "HuberLoss",
    "Identity",
    "Input",
    "KLDivLoss",
    "L1Loss",
    "LSTMCell",
    "LayerNorm",
    "LeakyReLU",
    "Linear",
    "LogSoftmax",
    "LogisticLoss",
    "MSELoss",
    "MaxPool2d",
    "Module",
    "MultiMarginLoss",
    "MultiheadAttention",
    "NLLLoss",
    "PositionalEncoding",
    "RNNCell",
    "ReLU",
    "Residual",
    "Sequential",
    "SiLU",
    "Sigmoid",
    "Sign",
    "SmoothL1Loss",
    "Softmax",
    "Softplus",
    "Step",
    "Tanh",
    "Training",
    "TransformerEncoder",
    "TransformerEncoderLayer",
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


_keras.attach(Sequential)

# They need scikit-learn, an extra that is slow to import; so they are not in __all__ either, for `import *`.
_on_demand = {"MLPClassifier": "nn.estimators", "MLPRegressor": "nn.estimators"}


def __getattr__(name: str) -> Any:
    if name in _on_demand:
        return getattr(importlib.import_module(_on_demand[name]), name)
    raise hints.missing("nn", name, hints.NAMES)


def __dir__() -> list[str]:
    return sorted([*__all__, *_on_demand])
