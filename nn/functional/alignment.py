"""Connectionist temporal classification: labels without their places in time (Graves et al. 2006).

A path gives one label, or the blank, at each time; without repetitions and then without blanks it is the target. With
the target's labels and blanks between, before and after them, s = 0 ... 2 S, and e(t, s) the log-probability of the
s-th at time t, the paths' probability is summed in logarithms by equations 6 to 8,

    a(t, s) = e(t, s) + ln(exp a(t-1, s) + exp a(t-1, s-1) + exp a(t-1, s-2)),

the last where s is a label other than the one before. b(t, s) is the same of what is left after time t, and the
derivative of the loss -ln p by e(t, s) is -exp(a(t, s) + b(t, s) - ln p) (equation 15).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

import autodiff as ad
from nn.checked import switch, whole
from nn.functional.labels import scores
from nn.functional.reduction import known_reduction, no_mean

Array = npt.NDArray[Any]
IMPOSSIBLE = -1e30  # the logarithm of 0, but for the arithmetic of infinities


def ctc_loss(
    log_probs: Any,
    targets: Any,
    input_lengths: Any,
    target_lengths: Any,
    blank: int = 0,
    reduction: str = "mean",
    zero_infinity: bool = False,
) -> Any:
    """The CTC loss: -ln of the probability of all paths that give the target.

    Parameters
    ----------
    log_probs : log-probabilities, such as log_softmax's, of shape (time, batch, classes), or (time, classes) for one
    targets : labels, integers other than the blank: of shape (batch, longest), where what is beyond a target's length
        does not count, or all targets in one row, of shape (sum of target_lengths,)
    input_lengths, target_lengths : integers, of shape (batch,), or one for one sample
    blank : the number of the class that stands for no label
    reduction : "mean" over the batch of the losses over their targets' lengths; "sum"; "none" for the samples' own
    zero_infinity : whether a target that is too long for its input has the loss 0, not infinity. It has the derivative
        0 either way

    The derivative is that by the log-probabilities, one by one. PyTorch's has softmax's share added, which does not
    change the derivative by the logits.

    Raises ValueError for shapes, lengths and labels that do not belong together, TypeError for what is no integer.

    >>> log_probs = np.log(np.full((3, 2), 0.5))  # three steps, the blank and one label
    >>> round(float(np.exp(-F.ctc_loss(log_probs, np.array([1]), 3, 1, reduction="sum"))), 4)
    0.75
    """
    known_reduction(reduction, "ctc_loss")
    x = scores(log_probs, "ctc_loss")
    if x.ndim not in (2, 3):
        raise ValueError(
            f"ctc_loss takes log-probabilities of shape (time, batch, classes); received shape {x.shape}. With the "
            "batch first, write np.swapaxes(x, 0, 1)."
        )
    single, batched = x.ndim == 2, x if x.ndim == 3 else x[:, None]
    inputs, lengths = (
        _lengths(v, batched.shape[1], name) for v, name in ((input_lengths, "input"), (target_lengths, "target"))
    )
    if inputs.size and inputs.max() > len(batched):
        raise ValueError(f"ctc_loss: input_lengths are at most the time, {len(batched)}; received {inputs.max()}.")
    blank = whole(blank, "ctc_loss: blank", 0)
    labels = _labels(targets, lengths, batched.shape[2], blank)
    spelled = np.full((len(labels), 2 * labels.shape[1] + 1), blank)
    spelled[:, 1::2] = labels
    skipping = np.zeros(spelled.shape, bool)
    skipping[:, 2:] = (spelled[:, 2:] != blank) & (spelled[:, 2:] != spelled[:, :-2])
    emitted = np.take_along_axis(batched, np.broadcast_to(spelled, (len(batched), *spelled.shape)), axis=2)
    losses = path_loss(emitted, skipping=skipping, times=inputs, ends=2 * lengths)
    impossible = np.greater(losses, -0.5 * IMPOSSIBLE)
    losses = np.where(impossible, 0.0 if switch(zero_infinity, "ctc_loss: zero_infinity") else np.inf, losses)
    if reduction == "mean":
        if not losses.size:
            raise no_mean("ctc_loss", x.shape)
        return np.mean(losses / np.maximum(lengths, 1).astype(x.dtype))
    if reduction == "sum":
        return np.sum(losses)
    return losses[0] if single else losses


@ad.primitive
def path_loss(emitted: Any, skipping: Array, times: Array, ends: Array) -> Any:
    """-ln of the sum over all paths, of log-probabilities of shape (time, batch, places), for each sample.

    `skipping` says which places may follow the one but one before, `times` how long each input is, `ends` which is each
    target's last place, a blank.
    """
    return -_total(_ahead(emitted, skipping, times), ends)


def _ahead(emitted: Any, skipping: Array, times: Array) -> list[Any]:
    """a(t, s) of each time; after an input's end as it was there. The first is that of time -1."""
    start = np.where(np.arange(emitted.shape[2]) == 0, 0.0, IMPOSSIBLE).astype(emitted.dtype)
    found = [np.broadcast_to(start, emitted.shape[1:])]
    for t in range(len(emitted)):
        before = found[-1]
        reached = _joined(before, _moved(before, 1), _moved(before, 2), skipping)
        found.append(np.where((t < times)[:, None], reached + emitted[t], before))
    return found


def _behind(emitted: Any, skipping: Array, times: Array, ends: Array) -> list[Any]:
    """b(t, s) of each time: of what follows, without time t itself."""
    places = np.arange(emitted.shape[2])
    last = (places == ends[:, None]) | (places == ends[:, None] - 1)
    found = [np.where(last, 0.0, IMPOSSIBLE).astype(emitted.dtype)]
    follows = np.zeros_like(skipping)
    follows[:, :-2] = skipping[:, 2:]
    for t in range(len(emitted) - 1, 0, -1):
        after = found[-1] + emitted[t]
        reached = _joined(after, _moved(after, -1), _moved(after, -2), follows)
        found.append(np.where((t < times)[:, None], reached, found[-1]))
    return found[::-1]


def _joined(stay: Any, step: Any, leap: Any, leaping: Array) -> Any:
    """The logarithm of the sum of the three ways' probabilities."""
    leap = np.where(leaping, leap, IMPOSSIBLE)
    highest = np.maximum(np.maximum(stay, step), leap)
    highest = ad.stop_gradient(highest)
    return highest + np.log(np.exp(stay - highest) + np.exp(step - highest) + np.exp(leap - highest))


def _moved(x: Any, by: int) -> Any:
    """x shifted along its last axis by that many places, up or down."""
    gap = np.full((x.shape[0], min(abs(by), x.shape[1])), IMPOSSIBLE, x.dtype)
    return np.concatenate([gap, x[:, :-by]] if by > 0 else [x[:, -by:], gap], axis=1)


def _total(ahead: list[Any], ends: Array) -> Any:
    """ln p: the paths that end with the last label, or a blank after it."""
    samples, last = np.arange(len(ends)), ahead[-1]
    with_blank, with_label = last[samples, ends], last[samples, np.maximum(ends - 1, 0)]
    return np.where(ends > 0, np.logaddexp(with_blank, with_label), with_blank)


def _adjoint(g: Any, y: Any, emitted: Any, skipping: Any = None, times: Any = None, ends: Any = None) -> Any:
    ahead, behind = _ahead(emitted, skipping, times)[1:], _behind(emitted, skipping, times, ends)
    together = np.stack(ahead) + np.stack(behind) if ahead else emitted
    counting = (np.arange(len(emitted))[:, None] < times)[:, :, None] & np.less(y, -0.5 * IMPOSSIBLE)[:, None]
    shares = np.where(counting, together + np.where(np.less(y, -0.5 * IMPOSSIBLE), y, 0.0)[:, None], IMPOSSIBLE)
    return -np.exp(shares) * g[:, None]


ad.adjoint(path_loss, _adjoint)


def _lengths(values: Any, batch: int, name: str) -> npt.NDArray[np.intp]:
    found = np.atleast_1d(np.asarray(values))
    if found.dtype.kind not in "iu" or found.shape != (batch,) or (found.size and found.min() < 0):
        raise ValueError(
            f"ctc_loss: {name}_lengths are integers from 0, one for each of {batch} sample(s); received shape "
            f"{found.shape}, dtype {found.dtype}{f', least {found.min()}' if found.size else ''}."
        )
    return found.astype(np.intp)


def _labels(targets: Any, lengths: Array, classes: int, blank: int) -> npt.NDArray[np.intp]:
    """The targets as (batch, longest), filled up with blanks."""
    found = np.asarray(targets)
    if found.dtype.kind not in "iu" and found.size:
        raise TypeError(f"ctc_loss takes integer labels; received dtype {found.dtype}. Write targets.astype(int).")
    longest, batch = int(lengths.max(initial=0)), len(lengths)
    inside = np.arange(longest) < lengths[:, None]
    rows = np.full((batch, longest), blank)
    if found.ndim == 1 and found.size == lengths.sum():
        rows[inside] = found
    elif found.ndim == 2 and len(found) == batch and found.shape[1] >= longest:
        rows[inside] = found[:, :longest][inside]
    else:
        raise ValueError(
            f"ctc_loss takes targets of shape (batch, longest) or (sum of target_lengths,), here ({batch}, {longest}) "
            f"or ({lengths.sum()},); received shape {found.shape}."
        )
    known = rows[inside]
    if blank >= classes or (known.size and (known.min() < 0 or known.max() >= classes or (known == blank).any())):
        raise ValueError(
            f"ctc_loss takes labels from 0 to {classes - 1} other than the blank, {blank}; received "
            f"{f'{known.min()} to {known.max()}' if known.size else 'none'}. Number the classes from 0, the blank too."
        )
    return rows
