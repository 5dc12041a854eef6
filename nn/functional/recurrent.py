"""A recurrent layer over a whole sequence, and backpropagation through time (Werbos 1990), as one primitive.

First, one matrix product projects the inputs of all steps. `recurrence` goes from step to step and keeps the gates; its
rule goes back. The factors by which the gates multiply an adjoint do not depend on that adjoint, so they are computed
for all steps at once:

    a = F d       the adjoints of the inputs of the gates, for the adjoint d of the state after the step
    d' = a W + K d + g    the adjoint of the state before, with g the adjoint that comes from outside

and after the last step the adjoint of the weight is one product over all steps. A recorded pass, which can be
differentiated again, computes the steps one by one, as a composition of functions (`one_by_one`).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

import autodiff as ad
from nn.functional.cached import row_sum
from nn.functional.cells import CELLS, States, projected
from nn.functional.dense import matrix

Array = npt.NDArray[Any]


class Gates:
    """The values that `recurrence` keeps for its adjoint rule: the gates of all steps, and their result."""

    __slots__ = ("candidates", "gates", "result")

    result: Any
    gates: Any
    candidates: Any  # n of a GRU; unused by the others

    def __init__(self) -> None:
        self.result = self.gates = self.candidates = None


def over_time(
    x: Any,
    states: States,
    w_ih: Any,
    w_hh: Any,
    b_ih: Any = None,
    b_hh: Any = None,
    *,
    kind: str,
    mask: Array | None = None,
    reverse: bool = False,
    unrolled: bool = False,
    w_hr: Any = None,
) -> tuple[Any, States]:
    """The states h after every step, of shape (steps, batch, hidden), and the last states, of (batch, hidden).

    Parameters
    ----------
    x : of shape (steps, batch, inputs)
    states : (h,), for an LSTM (h, c): before the first step, each of shape (batch, hidden)
    w_ih, w_hh, b_ih, b_hh : as in rnn_cell
    kind : "tanh", "relu", "LSTM" or "GRU"
    mask : booleans of shape (steps, batch); where one is False the states do not change, and the result is 0
    reverse : whether it goes from the last step to the first
    unrolled : whether each step is recorded separately, for a picture of the steps; the numbers are the same
    w_hr : a matrix that projects an LSTM's h after each step, of shape (projected, hidden), or None; with it each step
        is recorded separately
    """
    p = projected(x, w_ih, b_ih)
    steps = mask
    if reverse:
        p, steps = np.flip(p, 0), None if mask is None else np.flip(mask, 0)
    if unrolled or w_hr is not None:
        rows = one_by_one(p, w_hh, b_hh, *states, kind=kind, mask=steps, w_hr=w_hr)
        output, last = np.stack([row[0] for row in rows[1:]]), rows[-1]
    else:
        y = recurrence(p, w_hh, b_hh, *states, kind=kind, mask=steps, kept=Gates())
        output, last = y[0, 1:], tuple(y[s, -1] for s in range(len(states)))
    if reverse:
        output = np.flip(output, 0)
    if mask is not None:
        output = output * mask[:, :, None].astype(output.dtype)
    return output, last


def one_by_one(
    p: Any, weight: Any, bias: Any, *states: Any, kind: str, mask: Array | None = None, w_hr: Any = None
) -> list[States]:
    """The states of `recurrence`, step by step, as a composition of functions."""
    rows: list[States] = [states]
    for t in range(p.shape[0]):
        before = rows[-1]
        with ad.scope(f"step {t + 1}"):
            after = CELLS[kind].step(p[t], projected(before[0], weight, bias), *before)
            if w_hr is not None:
                after = (projected(after[0], w_hr, None), *after[1:])
            if mask is not None:
                after = tuple(np.where(mask[t][:, None], new, old) for new, old in zip(after, before, strict=True))
        rows.append(after)
    return rows


@ad.primitive
def recurrence(
    p: Any, weight: Any, bias: Any, *states: Any, kind: str, mask: Array | None = None, kept: Any = None
) -> Any:
    """The states before the first step and after every one: of shape (states, steps + 1, batch, hidden).

    Parameters
    ----------
    p : W_ih x + b_ih for every step, of shape (steps, batch, gates hidden)
    weight, bias, states, kind, mask : as in `over_time`
    kept : a Gates, which is filled in
    """
    kept = Gates() if kept is None else kept
    kept.result, kept.gates, kept.candidates = recurrent_parts(p, weight, bias, *states, kind=kind, mask=mask)
    return kept.result


@ad.primitive
def recurrent_parts(p: Any, weight: Any, bias: Any, *states: Any, kind: str, mask: Any = None) -> Any:
    """The states, the gates of all steps, and a GRU's candidates, or a 0."""
    steps, batch, width = p.shape
    hidden = weight.shape[1]
    y = np.empty_like(p, p.dtype, "C", shape=(len(states), steps + 1, batch, hidden))
    for s, state in enumerate(states):
        y[s, 0] = state
    gates = np.empty_like(p, p.dtype, "C", shape=(steps, batch, width))
    candidates = np.empty_like(p, p.dtype, "C", shape=(steps, batch, hidden) if kind == "GRU" else 1)
    transposed = weight.T.astype(weight.dtype, order="C")
    step = STEPS[kind]
    for t in range(steps):
        gate = gates[t]
        np.dot(y[0, t], transposed, out=gate)
        if bias is not None:
            gate += bias
        step(p[t], gate, candidates[t] if kind == "GRU" else None, y[:, t], y[:, t + 1])
        if mask is not None:
            np.copyto(y[:, t + 1], y[:, t], where=~mask[t][:, None])
    return y, gates, candidates


def _sigmoid(x: Array) -> None:
    """σ in place: (1 + tanh(x / 2)) / 2."""
    x *= 0.5
    np.tanh(x, out=x)
    x *= 0.5
    x += 0.5


def _tanh_step(p: Array, gate: Array, _: Any, before: Array, after: Array) -> None:
    gate += p
    np.tanh(gate, out=after[0])


def _relu_step(p: Array, gate: Array, _: Any, before: Array, after: Array) -> None:
    gate += p
    np.maximum(gate, 0, out=after[0])


def _lstm_step(p: Array, gate: Array, _: Any, before: Array, after: Array) -> None:
    gate += p
    n = after.shape[-1]
    g = gate[:, 2 * n : 3 * n]
    np.multiply(g, 2, out=g)  # tanh x = 2 σ(2 x) - 1: one pass over all four gates
    _sigmoid(gate)
    g *= 2
    g -= 1
    (h, c), i, f, o = after, gate[:, :n], gate[:, n : 2 * n], gate[:, 3 * n :]
    np.multiply(i, g, out=h)
    np.multiply(f, before[1], out=c)
    c += h
    np.tanh(c, out=h)
    h *= o


def _gru_step(p: Array, gate: Array, n: Any, before: Array, after: Array) -> None:
    """One step of a GRU; afterwards `gate` holds r, z, and W_hn h + b_hn, which is unchanged."""
    hidden = n.shape[-1]
    rz, h = gate[:, : 2 * hidden], after[0]
    rz += p[:, : 2 * hidden]
    _sigmoid(rz)
    np.multiply(rz[:, :hidden], gate[:, 2 * hidden :], out=n)
    n += p[:, 2 * hidden :]
    np.tanh(n, out=n)
    np.subtract(before[0], n, out=h)
    h *= rz[:, hidden:]
    h += n


STEPS = {"tanh": _tanh_step, "relu": _relu_step, "LSTM": _lstm_step, "GRU": _gru_step}


def _again(y: Array, p: Array, weight: Array, bias: Any, *states: Any, kind: str) -> tuple[Array, Any]:
    """The gates and candidates of a result that kept none: each step is computed again from the states before it."""
    kept = Gates()
    flat = (1, -1, y.shape[-1])
    before = [state.reshape(flat)[0] for state in y[:, :-1]]
    recurrence(p.reshape(1, -1, p.shape[-1]), weight, bias, *before, kind=kind, kept=kept)
    candidates = kept.candidates.reshape(y[0, 1:].shape) if kind == "GRU" else kept.candidates
    return kept.gates.reshape(p.shape), candidates


def recurrence_adjoints(
    g: Any, y: Any, p: Any, weight: Any, bias: Any, *states: Any, kind: str, mask: Array | None = None, kept: Any = None
) -> Any:
    """The adjoints of p, the weight, the bias and the states."""
    if any(isinstance(v, ad.Tensor) for v in (g, y, p, weight, bias, *states)):
        return _recorded(g, (p, weight, bias, *states), kind, mask)
    if kept is not None and kept.result is y:
        gates, n = kept.gates, kept.candidates
    else:
        gates, n = _again(y, p, weight, bias, *states, kind=kind)
    of_p, of_weight, of_bias, *of_states = recurrent_slopes(g, y, weight, gates, n, kind=kind, mask=mask)
    return [of_p, of_weight, None if bias is None else of_bias, *of_states]


@ad.primitive
def recurrent_slopes(g: Any, y: Any, weight: Any, gates: Any, n: Any, *, kind: str, mask: Any = None) -> Any:
    """The adjoints of p, the weight, the bias and the states."""
    if kind == "LSTM":
        a, d, *of_cell = _lstm_back(g, y, weight, gates, mask)
        of_p = a
    else:
        factors, stays, of_candidate = _factors(kind, y, gates, n)
        a, d = _back(g[0], weight, *_masked(mask, factors, stays))
        of_p, of_cell = a, []
        if of_candidate is not None:  # W_hn h is multiplied by r, but the candidate's part of p is not
            hidden = y.shape[-1]
            of_p = np.empty_like(a)
            of_p[..., : 2 * hidden] = a[..., : 2 * hidden]
            np.multiply(d[1:], _masked(mask, of_candidate, None)[0], out=of_p[..., 2 * hidden :])
    rows = matrix(a)
    of_weight = np.dot(rows.T, matrix(y[0, :-1]))
    return [of_p, of_weight, row_sum(rows), d[0], *of_cell]


def _recorded(g: Any, arguments: tuple[Any, ...], kind: str, mask: Array | None) -> list[Any]:
    given = [k for k, v in enumerate(arguments) if v is not None]

    def steps(*values: Any) -> Any:
        full = dict(zip(given, values, strict=True))
        rows = one_by_one(*(full.get(k) for k in range(len(arguments))), kind=kind, mask=mask)
        return np.stack([np.stack(column) for column in zip(*rows, strict=True)])

    _, pullback = ad.vjp(steps, *(arguments[k] for k in given))
    found = dict(zip(given, pullback(g), strict=True))
    return [found.get(k) for k in range(len(arguments))]


def _factors(kind: str, y: Array, gates: Array, n: Any) -> tuple[Array, Any, Any]:
    """F, of shape (steps, batch, gates, hidden), K, and for a GRU the part of F that belongs to p of the candidate."""
    h = y[0, 1:]
    if kind == "tanh":
        return (1 - h * h)[:, :, None], None, None
    if kind == "relu":
        return np.sign(h)[:, :, None], None, None
    hidden = h.shape[-1]
    r, z, qn = (gates[..., k * hidden : (k + 1) * hidden] for k in range(3))
    f = np.empty_like(y, y.dtype, "C", shape=(*h.shape[:2], 3, hidden))
    rest = 1 - z
    slope = rest * (1 - n * n)  # of p's part of the candidate
    np.multiply(slope, r, out=f[:, :, 2])
    np.multiply(f[:, :, 2], qn * (1 - r), out=f[:, :, 0])
    np.multiply(y[0, :-1] - n, z * rest, out=f[:, :, 1])
    return f, z, slope


def _masked(mask: Array | None, factors: Array, stays: Any) -> tuple[Array, Any]:
    """F and K with steps left out: there the gates receive 0, and the adjoint of the state passes unchanged."""
    if mask is None:
        return factors, stays
    taken = mask.astype(factors.dtype).reshape(*mask.shape, *(1,) * (factors.ndim - 2))
    past = 1 - mask[:, :, None].astype(factors.dtype)
    return factors * taken, past if stays is None else stays * (1 - past) + past


def _back(g: Array, weight: Array, factors: Array, stays: Any) -> tuple[Array, Array]:
    """a, of shape (steps, batch, gates hidden), and d of every state."""
    steps, batch, gates, hidden = factors.shape
    a = np.empty_like(g, g.dtype, "C", shape=(steps, batch, gates * hidden))
    d = np.empty_like(g, g.dtype, "C", shape=g.shape)
    d[-1] = g[-1]
    apart = a.reshape(factors.shape)
    for t in range(steps - 1, -1, -1):
        after, before = d[t + 1], d[t]
        np.multiply(after[:, None], factors[t], out=apart[t])
        np.dot(a[t], weight, out=before)
        before += g[t]
        if stays is not None:
            before += after * stays[t]
    return a, d


def _lstm_back(g: Array, y: Array, weight: Array, gates: Array, mask: Array | None) -> tuple[Array, Array, Array]:
    """a, d of every state h, and of the first state c."""
    hidden = y.shape[-1]
    c_before, c = y[1, :-1], np.tanh(y[1, 1:])
    apart = gates.reshape(*gates.shape[:2], 4, hidden)
    i, f, n, o = (apart[:, :, k] for k in range(4))
    factors = 1 - apart
    factors *= apart
    np.subtract(1, n * n, out=factors[:, :, 2])
    for k, by in enumerate((n, c_before, i, c)):
        factors[:, :, k] *= by
    into_c, passed, past = o * (1 - c * c), f, None
    factors, past = _masked(mask, factors, None)
    if mask is not None:
        into_c, passed = into_c * (1 - past), f * (1 - past) + past
    a = np.empty_like(g, g.dtype, "C", shape=gates.shape)
    adjoints = a.reshape(factors.shape)
    d = np.empty_like(g, g.dtype, "C", shape=g[0].shape)
    d[-1], of_c = g[0, -1], g[1, -1].copy()
    for t in range(len(a) - 1, -1, -1):
        after, before = d[t + 1], d[t]
        of_c += after * into_c[t]
        np.multiply(of_c[:, None], factors[t, :, :3], out=adjoints[t, :, :3])
        np.multiply(after, factors[t, :, 3], out=adjoints[t, :, 3])
        np.dot(a[t], weight, out=before)
        before += g[0, t]
        if past is not None:
            before += after * past[t]
        of_c *= passed[t]
        of_c += g[1, t]
    return a, d, of_c


ad.lowered(recurrent_parts)
ad.lowered(recurrent_slopes)
ad.adjoint(recurrence, together=recurrence_adjoints)
