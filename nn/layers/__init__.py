"""Layers: Modules that are made of a few numbers."""

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
from nn.layers.attention import MultiheadAttention, PositionalEncoding, TransformerEncoder, TransformerEncoderLayer
from nn.layers.convolution import Conv2d
from nn.layers.dense import Embedding, Flatten, Identity, Linear
from nn.layers.dropout import Dropout
from nn.layers.lazy import Dense
from nn.layers.normalisation import BatchNorm1d, BatchNorm2d, LayerNorm, weight_norm
from nn.layers.pooling import AvgPool2d, MaxPool2d
from nn.layers.recurrent import GRU, LSTM, RNN, GRUCell, LSTMCell, RNNCell

__all__ = [
    "ELU",
    "GELU",
    "GRU",
    "LSTM",
    "RNN",
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
