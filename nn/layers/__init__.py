"""Layers: Modules that are made of a few numbers."""

from typing import NoReturn

from nn import hints
from nn.layers.activations import (
    ELU,
    GELU,
    LeakyReLU,
    LogSoftmax,
    ReLU,
    Sigmoid,
    Sign,
    SiLU,
    Softmax,
    Softplus,
    Step,
    Tanh,
)
from nn.layers.answered import AveragePooling2D as AveragePooling2D
from nn.layers.answered import BatchNormalization as BatchNormalization
from nn.layers.answered import Conv2D as Conv2D
from nn.layers.answered import GlobalAveragePooling2D as GlobalAveragePooling2D
from nn.layers.answered import LayerNormalization as LayerNormalization
from nn.layers.answered import MaxPooling2D as MaxPooling2D
from nn.layers.attention import MultiheadAttention, PositionalEncoding, TransformerEncoder, TransformerEncoderLayer
from nn.layers.convolution import Conv2d
from nn.layers.dense import Embedding, Flatten, Identity, Linear
from nn.layers.dropout import Dropout
from nn.layers.lazy import Activation, Dense, Input
from nn.layers.normalisation import BatchNorm1d, BatchNorm2d, LayerNorm, weight_norm
from nn.layers.pooling import AvgPool2d, MaxPool2d
from nn.layers.recurrent import GRU, LSTM, RNN, GRUCell, LSTMCell, RNNCell

__all__ = [
    "ELU",
    "GELU",
    "GRU",
    "LSTM",
    "RNN",
    "Activation",
    "AvgPool2d",
    "BatchNorm1d",
    "BatchNorm2d",
    "Conv2d",
    "Dense",
    "Dropout",
    "Embedding",
    "Flatten",
    "GRUCell",
    "Identity",
    "Input",
    "LSTMCell",
    "LayerNorm",
    "LeakyReLU",
    "Linear",
    "LogSoftmax",
    "MaxPool2d",
    "MultiheadAttention",
    "PositionalEncoding",
    "RNNCell",
    "ReLU",
    "SiLU",
    "Sigmoid",
    "Sign",
    "Softmax",
    "Softplus",
    "Step",
    "Tanh",
    "TransformerEncoder",
    "TransformerEncoderLayer",
    "weight_norm",
]


def __getattr__(name: str) -> NoReturn:
    raise hints.missing("nn.layers", name, hints.NAMES)
