"""Recurrent layers: a state is updated from step to step of a sequence."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

import autodiff as ad
from nn import functional, init
from nn.checked import real, switch, whole
from nn.functional.cells import CELLS, States, cell
from nn.functional.normalisation import of_dtype
from nn.functional.recurrent import over_time
from nn.model.module import Module


class _Recurrent(Module):
    """The base of RNN, LSTM and GRU, which differ only in the cell.

    Parameters
    ----------
    input_size : the last axis of the input
    hidden_size : the last axis of the state, and of the output (twice that if bidirectional)
    num_layers : the number of layers; each takes the output of the one before
    bias : whether there are biases
    batch_first : whether input and output are (batch, steps, ...), not (steps, batch, ...); states are the same
    dropout : the probability, from 0 to 1, that an element between two layers is dropped in training
    bidirectional : whether a second network goes backwards; its output is joined to that of the first
    proj_size : for an LSTM, the width that h is projected to after each step (Sak et al. 2014); 0 for none. It is
        slower, because the steps are recorded one by one
    rng : the generator of weights and dropout: a numpy.random.Generator, an int seed, or None
    dtype : float32 or float64; the layer computes in it, whatever its input

    The parameters of layer k are `weight_ih_l{k}` of shape (gates hidden_size, inputs), `weight_hh_l{k}` (gates
    hidden_size, hidden_size), `bias_ih_l{k}` and `bias_hh_l{k}` (gates hidden_size,); for the backward direction
    `_reverse` is appended, as in PyTorch. They start uniform in ±1/√hidden_size.

    Pad sequences of different lengths to one length, with any numbers, and pass their `lengths`. If a sequence is too
    long for one reverse pass, divide it and pass the state on as a constant (truncated backpropagation through time,
    Williams & Peng 1990):

    >>> layer, state = nn.RNN(3, 4, rng=0), None
    >>> for piece in np.zeros((2, 5, 1, 3)):  # two pieces of five steps
    ...     output, state = layer(piece, state)
    ...     np.sum(output).backward()
    ...     state = ad.stop_gradient(state)
    >>> state.shape
    (1, 1, 4)
    """

    kind = ""  # of cell

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        *,
        rng: init.Rng = None,
        dtype: npt.DTypeLike = np.float32,
    ) -> None:
        name = type(self).__name__
        self.proj_size = whole(proj_size, f"{name}'s proj_size", 0)
        if self.proj_size and (self.kind != "LSTM" or self.proj_size >= hidden_size):
            raise ValueError(
                f"{name}: proj_size is for an nn.LSTM, and less than its hidden_size, {hidden_size}; received "
                f"{proj_size}. Write nn.Linear after the layer for an output of another width."
            )
        self.input_size = whole(input_size, f"{name}'s input_size")
        self.hidden_size = whole(hidden_size, f"{name}'s hidden_size")
        self.num_layers = whole(num_layers, f"{name}'s num_layers")
        self.bias = switch(bias, f"{name}: bias")
        self.batch_first = switch(batch_first, f"{name}: batch_first")
        self.dropout = real(dropout, f"{name}: dropout, the probability of 0,", most=1)
        self.bidirectional = switch(bidirectional, f"{name}: bidirectional")
        self.dtype, self.rng = init.floating(dtype), init.generator(rng)
        for layer in range(self.num_layers):
            inputs = self._width() * len(self._ways()) if layer else self.input_size
            for way in self._ways():
                _draw(self, inputs, f"_l{layer}{way}", self.rng, self.proj_size)

    def forward(self, x: Any, hx: Any = None, *, lengths: Any = None, unrolled: bool = False) -> tuple[Any, Any]:
        """(output, state): the last layer's state after each step, and the state of every layer after the last step.

        Parameters
        ----------
        x : of shape (steps, batch, input_size), with batch_first (batch, steps, input_size), or (steps, input_size)
        hx : the first state, of shape (num_layers ways, batch, hidden_size), where there are 2 ways if bidirectional;
            for an LSTM a pair of them, (h, c); zeros by default. If x has no batch, hx has none
        lengths : the number of steps of each sequence, of shape (batch,), by default all: later outputs are 0, and the
            state is that after the last step of each sequence
        unrolled : whether pictures show each step; otherwise a layer is one operation per direction, which is faster

        The output has x's shape with hidden_size, or twice that, for input_size; the state has hx's.
        """
        x = of_dtype(x, self.dtype, type(self).__name__)
        if x.ndim not in (2, 3) or x.shape[-1] != self.input_size or 0 in x.shape[:-1]:
            raise ValueError(
                f"{self!r} takes x of shape {self._shape()}, or (steps, {self.input_size}), with at least one of each; "
                f"received shape {x.shape}."
            )
        single = x.ndim == 2
        if single:
            x = x[:, None]
        elif self.batch_first:
            x = np.swapaxes(x, 0, 1)
        states = self._states(hx, x.shape[1], single)
        mask = None if lengths is None else _mask(lengths, x.shape[0], x.shape[1], type(self).__name__)
        last: list[States] = []
        for layer in range(self.num_layers):
            if layer and self.dropout:
                x = functional.dropout(x, self.dropout, self.training, self.rng)
            outputs = []
            for way in self._ways():
                suffix = f"_l{layer}{way}"
                weights, w_hr = _weights(self, self.bias, suffix), getattr(self, f"weight_hr{suffix}", None)
                first = tuple(state[len(last)] for state in states)
                options: dict[str, Any] = {
                    "kind": self.kind,
                    "mask": mask,
                    "reverse": bool(way),
                    "unrolled": unrolled,
                    "w_hr": w_hr,
                }
                output, after = over_time(x, first, *weights, **options)
                outputs.append(output)
                last.append(after)
            x = outputs[0] if len(outputs) == 1 else np.concatenate(outputs, axis=-1)
        final = tuple(np.stack(column) for column in zip(*last, strict=True))
        if single:
            x, final = x[:, 0], tuple(state[:, 0] for state in final)
        elif self.batch_first:
            x = np.swapaxes(x, 0, 1)
        return x, final if len(final) > 1 else final[0]

    def _ways(self) -> tuple[str, ...]:
        """The ends of the names of the parameters, one for each direction."""
        return ("", "_reverse") if self.bidirectional else ("",)

    def _width(self) -> int:
        """The last axis of h, and of the output of each direction."""
        return self.proj_size or self.hidden_size

    def _shape(self) -> str:
        return f"({'batch, steps' if self.batch_first else 'steps, batch'}, {self.input_size})"

    def _states(self, hx: Any, batch: int, single: bool) -> tuple[Any, ...]:
        """The first states, each of shape (layers and ways, batch, hidden_size)."""
        count, layers = CELLS[self.kind].states, self.num_layers * len(self._ways())
        widths = (self._width(), self.hidden_size)[:count]
        if hx is None:
            return tuple(np.zeros((layers, batch, width), self.dtype) for width in widths)
        given = _pair(hx, type(self).__name__) if count == 2 else (hx,)
        wanted = [(layers, width) if single else (layers, batch, width) for width in widths]
        states = tuple(of_dtype(state, self.dtype, type(self).__name__) for state in given)
        if [state.shape for state in states] != wanted:
            shapes = " and ".join(map(str, dict.fromkeys(wanted)))
            raise ValueError(
                f"{self!r} takes a first state of shape {shapes}: layers times directions, "
                f"{'' if single else 'batch, '}hidden_size; received {', '.join(str(s.shape) for s in states)}."
            )
        return tuple(state[:, None] for state in states) if single else states

    def __repr__(self) -> str:
        usual = {"num_layers": 1, "bias": True, "batch_first": False, "dropout": 0.0, "bidirectional": False}
        usual["proj_size"] = 0
        parts = [f"{name}={getattr(self, name)!r}" for name, value in usual.items() if getattr(self, name) != value]
        return f"{type(self).__name__}({', '.join([str(self.input_size), str(self.hidden_size), *parts])})"


class RNN(_Recurrent):
    """A recurrent network (Elman 1990): h' = tanh(W_ih x + b_ih + W_hh h + b_hh) at each step.

    `nonlinearity` is "tanh" or "relu"; the rest is as below.

    >>> layer = nn.RNN(3, 4, bidirectional=True, rng=0)
    >>> output, state = layer(np.zeros((7, 2, 3)))  # seven steps of two sequences
    >>> output.shape, state.shape
    ((7, 2, 8), (2, 2, 4))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        *args: Any,
        **options: Any,
    ) -> None:
        self.nonlinearity = self.kind = _nonlinearity(nonlinearity, "RNN")
        super().__init__(input_size, hidden_size, num_layers, *args, **options)

    def __repr__(self) -> str:
        return super().__repr__()[:-1] + (")" if self.kind == "tanh" else f", nonlinearity={self.kind!r})")


class LSTM(_Recurrent):
    """Long short-term memory (Hochreiter & Schmidhuber 1997; Gers et al. 2000), whose state is a pair (h, c).

    With i, f, o = σ and g = tanh of W_ih x + b_ih + W_hh h + b_hh, each from a block of rows, in the order i, f, g, o:
    c' = f c + i g, h' = o tanh c'. If f is near 1, c is passed on almost unchanged, and so is its adjoint.

    >>> layer = nn.LSTM(3, 4, num_layers=2, rng=0)
    >>> output, (h, c) = layer(np.zeros((7, 2, 3)))  # seven steps of two sequences
    >>> output.shape, h.shape, c.shape
    ((7, 2, 4), (2, 2, 4), (2, 2, 4))
    """

    kind = "LSTM"


class GRU(_Recurrent):
    """The gated recurrent unit (Cho et al. 2014).

    With r, z = σ of W_ih x + b_ih + W_hh h + b_hh, and n = tanh(W_in x + b_in + r (W_hn h + b_hn)), each from a block
    of rows, in the order r, z, n: h' = (1 - z) n + z h.

    >>> layer = nn.GRU(3, 4, batch_first=True, rng=0)
    >>> output, state = layer(np.zeros((2, 7, 3)))  # two sequences of seven steps
    >>> output.shape, state.shape
    ((2, 7, 4), (1, 2, 4))
    """

    kind = "GRU"


_SHARED = (_Recurrent.__doc__ or "").partition("\n")[2]
for _layer in (RNN, LSTM, GRU):  # so that help(nn.GRU) is complete
    _layer.__doc__ = f"{_layer.__doc__}{_SHARED}"


class _Cell(Module):
    """One step of a recurrent network, with parameters `weight_ih`, `weight_hh`, `bias_ih` and `bias_hh`.

    Parameters
    ----------
    input_size, hidden_size, bias, rng, dtype : as in RNN
    """

    kind = ""

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        *,
        rng: init.Rng = None,
        dtype: npt.DTypeLike = np.float32,
    ) -> None:
        name = type(self).__name__
        self.input_size = whole(input_size, f"{name}'s input_size")
        self.hidden_size = whole(hidden_size, f"{name}'s hidden_size")
        self.bias, self.dtype = switch(bias, f"{name}: bias"), init.floating(dtype)
        _draw(self, self.input_size, "", init.generator(rng))

    def forward(self, x: Any, hx: Any = None) -> Any:
        """The new state, for x of shape (batch, input_size) or (input_size,); hx is zeros if it is None."""
        name, count = type(self).__name__, CELLS[self.kind].states
        x = of_dtype(x, self.dtype, name)
        wanted = (*x.shape[:-1], self.hidden_size)
        given = (np.zeros(wanted, self.dtype),) * count if hx is None else _pair(hx, name) if count == 2 else (hx,)
        states = tuple(of_dtype(state, self.dtype, name) for state in given)
        if x.ndim not in (1, 2) or x.shape[-1] != self.input_size or any(s.shape != wanted for s in states):
            raise ValueError(
                f"{self!r} takes x of shape (batch, {self.input_size}) and a state of (batch, {self.hidden_size}), or "
                f"both without batch; received x of shape {x.shape}, state {', '.join(str(s.shape) for s in states)}."
            )
        after = cell(self.kind, x, states, *_weights(self, self.bias, ""))
        return after if count == 2 else after[0]

    def __repr__(self) -> str:
        bias = "" if self.bias else ", bias=False"
        return f"{type(self).__name__}({self.input_size}, {self.hidden_size}{bias})"


class RNNCell(_Cell):
    """One step of an RNN: a function of x (batch, input_size) and h (batch, hidden_size) that gives the new h.

    `nonlinearity` is "tanh" or "relu".

    >>> nn.RNNCell(3, 4, rng=0)(np.zeros((5, 3)), np.zeros((5, 4))).shape
    (5, 4)
    """

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, nonlinearity: str = "tanh", **options: Any
    ) -> None:
        self.nonlinearity = self.kind = _nonlinearity(nonlinearity, "RNNCell")
        super().__init__(input_size, hidden_size, bias, **options)


class LSTMCell(_Cell):
    """One step of an LSTM, whose state is a pair (h, c): a function of x and (h, c) that gives the new pair.

    x has the shape (batch, input_size), h and c have (batch, hidden_size).

    >>> h, c = nn.LSTMCell(3, 4, rng=0)(np.zeros((5, 3)), (np.zeros((5, 4)), np.zeros((5, 4))))
    >>> h.shape, c.shape
    ((5, 4), (5, 4))
    """

    kind = "LSTM"


class GRUCell(_Cell):
    """One step of a GRU: a function of x (batch, input_size) and h (batch, hidden_size) that gives the new h.

    >>> nn.GRUCell(3, 4, rng=0)(np.zeros((5, 3)), np.zeros((5, 4))).shape
    (5, 4)
    """

    kind = "GRU"


def _draw(module: Any, inputs: int, suffix: str, rng: np.random.Generator, projected: int = 0) -> None:
    """Draw the parameters of one cell of a layer, uniform in ±1/√hidden."""
    hidden = module.hidden_size
    bound, rows = 1 / math.sqrt(hidden), CELLS[module.kind].gates * hidden
    shapes: dict[str, tuple[int, ...]] = {"weight_ih": (rows, inputs), "weight_hh": (rows, projected or hidden)}
    if module.bias:
        shapes |= {"bias_ih": (rows,), "bias_hh": (rows,)}
    if projected:
        shapes |= {"weight_hr": (projected, hidden)}
    for name, shape in shapes.items():
        drawn = init.uniform(shape, -bound, bound, rng, module.dtype)
        setattr(module, name + suffix, ad.Tensor(drawn, name=name + suffix))


def _weights(module: Module, bias: bool, suffix: str) -> list[Any]:
    names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")[: 4 if bias else 2]
    return [getattr(module, name + suffix) for name in names]


def _nonlinearity(name: str, layer: str) -> str:
    if name not in ("tanh", "relu"):
        raise ValueError(f"{layer}'s nonlinearity is 'tanh' or 'relu'; received {name!r:.80}.")
    return name


def _pair(hx: Any, layer: str) -> tuple[Any, Any]:
    if not isinstance(hx, tuple | list) or len(hx) != 2:
        raise TypeError(
            f"{layer}'s state is a pair (h, c) of arrays; received {type(hx).__name__}. Write (h, c), with c as zeros "
            "of h's shape if there is none."
        )
    return hx[0], hx[1]


def _mask(lengths: Any, steps: int, batch: int, layer: str) -> npt.NDArray[np.bool_]:
    """Whether each step belongs to the sequence: of shape (steps, batch)."""
    found = np.asarray(lengths)
    if found.shape != (batch,) or found.dtype.kind not in "iu" or found.min() < 1 or found.max() > steps:
        raise ValueError(
            f"{layer}'s lengths are ints from 1 to the number of steps, {steps}, one for each of the {batch} "
            f"sequence(s); received shape {found.shape}, dtype {found.dtype}"
            + (f", from {found.min()} to {found.max()}." if found.size and found.dtype.kind in "iuf" else ".")
        )
    return np.arange(steps)[:, None] < found
