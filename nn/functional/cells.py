"""One step of a recurrent network: the next states from an input and the states before, as a composition of functions.

With p = W_ih x + b_ih and q = W_hh h + b_hh, each with one block of rows per gate:

    RNN    h' = tanh(p + q), or relu                                                     (Elman 1990)
    LSTM   i, f, g, o = σ, σ, tanh, σ of p + q;  c' = f c + i g;  h' = o tanh c'         (Hochreiter & Schmidhuber 1997)
    GRU    r, z = σ of p + q;  n = tanh(p + r q);  h' = (1 - z) n + z h                  (Cho et al. 2014)

The GRU is the variant that resets after the product, as in PyTorch.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

import autodiff as ad
from nn.functional.dense import linear

States = tuple[Any, ...]


class Cell(NamedTuple):
    """A kind of network: its number of gates, its number of states, and its step, a function of p, q and the states."""

    gates: int
    states: int
    step: Callable[..., States]


def _lstm(p: Any, q: Any, h: Any, c: Any) -> States:
    i, f, g, o = blocks(p + q, 4)
    c = ad.sigmoid(f) * c + ad.sigmoid(i) * np.tanh(g)
    return ad.sigmoid(o) * np.tanh(c), c


def _gru(p: Any, q: Any, h: Any) -> States:
    (pr, pz, pn), (qr, qz, qn) = blocks(p, 3), blocks(q, 3)
    z, n = ad.sigmoid(pz + qz), np.tanh(pn + ad.sigmoid(pr + qr) * qn)
    return (n + z * (h - n),)


CELLS = {
    "tanh": Cell(1, 1, lambda p, q, h: (np.tanh(p + q),)),
    "relu": Cell(1, 1, lambda p, q, h: (ad.relu(p + q),)),
    "LSTM": Cell(4, 2, _lstm),
    "GRU": Cell(3, 1, _gru),
}


def blocks(x: Any, count: int) -> list[Any]:
    """The parts of the last axis, divided into `count` equal parts."""
    width = x.shape[-1] // count
    return [x[..., k * width : (k + 1) * width] for k in range(count)]


def rnn_cell(
    x: Any, h: Any, w_ih: Any, w_hh: Any, b_ih: Any = None, b_hh: Any = None, nonlinearity: str = "tanh"
) -> Any:
    """One step of an RNN: the new h, of shape (batch, hidden).

    Parameters
    ----------
    x : of shape (batch, inputs)
    h : of shape (batch, hidden)
    w_ih, w_hh : of shape (gates hidden, inputs) and (gates hidden, hidden); an RNN has 1 gate, a GRU 3, an LSTM 4
    b_ih, b_hh : of shape (gates hidden,), or None
    nonlinearity : "tanh" or "relu"

    >>> F.rnn_cell(np.ones((1, 2)), np.zeros((1, 3)), np.ones((3, 2)), np.zeros((3, 3))).round(4)
    array([[0.964, 0.964, 0.964]])
    """
    return cell(nonlinearity, x, (h,), w_ih, w_hh, b_ih, b_hh)[0]


def lstm_cell(x: Any, states: States, w_ih: Any, w_hh: Any, b_ih: Any = None, b_hh: Any = None) -> States:
    """One step of an LSTM: the new (h, c) from the old ones; shapes as in rnn_cell.

    >>> x, h, c = np.zeros((5, 3)), np.zeros((5, 4)), np.ones((5, 4))
    >>> h, c = F.lstm_cell(x, (h, c), np.zeros((16, 3)), np.zeros((16, 4)))
    >>> c[0]  # the forget gate is sigmoid(0)
    array([0.5, 0.5, 0.5, 0.5])
    """
    return cell("LSTM", x, states, w_ih, w_hh, b_ih, b_hh)


def gru_cell(x: Any, h: Any, w_ih: Any, w_hh: Any, b_ih: Any = None, b_hh: Any = None) -> Any:
    """One step of a GRU: the new h; shapes as in rnn_cell.

    >>> x, h = np.zeros((5, 3)), np.ones((5, 4))
    >>> F.gru_cell(x, h, np.zeros((12, 3)), np.zeros((12, 4)))[0]
    array([0.5, 0.5, 0.5, 0.5])
    """
    return cell("GRU", x, (h,), w_ih, w_hh, b_ih, b_hh)[0]


def cell(kind: str, x: Any, states: States, w_ih: Any, w_hh: Any, b_ih: Any = None, b_hh: Any = None) -> States:
    """One step of a cell of this kind."""
    return CELLS[kind].step(projected(x, w_ih, b_ih), projected(states[0], w_hh, b_hh), *states)


def projected(x: Any, weight: Any, bias: Any) -> Any:
    """x Wᵀ, plus the bias if there is one."""
    return linear(x, weight) if bias is None else linear(x, weight, bias)
