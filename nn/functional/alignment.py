"""Connectionist temporal classification: labels whose places in time are unknown (Graves et al. 2006).

A path has one label, or the blank, at each time. Without repetitions, and then without blanks, it must be the target.
Write the target's S labels with blanks between, before and after them; s = 0 ... 2 S numbers these places, and e(t, s)
is the log-probability of the symbol at place s at time t. The probabilities of the paths are summed in logarithms by
equations 6 to 8,

    a(t, s) = e(t, s) + ln(exp a(t-1, s) + exp a(t-1, s-1) + exp a(t-1, s-2)),

with the last term only where place s has a label that differs from the label before it. b(t, s) is the same sum for
the times after t, and the derivative of the loss -ln p by e(t, s) is -exp(a(t, s) + b(t, s) - ln p) (equation 15).
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import numpy.typing as npt

import autodiff as ad
from nn.checked import array, switch, whole
from nn.functional import paths
from nn.functional.labels import scores
from nn.functional.paths import IMPOSSIBLE
from nn.functional.reduction import known_reduction, no_mean

Array = npt.NDArray[Any]


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
    log_probs : log-probabilities, for example from log_softmax, of shape (time, batch, classes); for one sample (time,
        classes)
    targets : labels, integers other than the blank: of shape (batch, longest), where elements beyond a target's length
        are ignored, or all targets in one row, of shape (sum of target_lengths,)
    input_lengths, target_lengths : integers, of shape (batch,), or one number for one sample
    blank : the number of the class that means no label
    reduction : "mean" over the batch, with each loss divided by its target's length; "sum"; "none" for each sample
    zero_infinity : whether a target that is too long for its input has the loss 0, not infinity; its derivative is 0
        in both cases

    The derivative treats the log-probabilities as independent numbers. PyTorch adds a term of softmax to it; the
    derivative with respect to the logits is the same.

    Raises ValueError for shapes, lengths and labels that do not fit together, TypeError for targets that are not
    integers.

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
        _lengths(v, batched.shape, name) for v, name in ((input_lengths, "input"), (target_lengths, "target"))
    )
    blank = whole(blank, "ctc_loss: blank", 0)
    spelled = _spelled(array(targets), lengths, batched.shape[2], blank)
    skips = (spelled[:, 2:] != blank) & (spelled[:, 2:] != spelled[:, :-2])
    skipping = np.concatenate([np.zeros((len(spelled), min(2, spelled.shape[1])), bool), skips], axis=1)
    emitted = np.take_along_axis(batched, np.broadcast_to(spelled, (len(batched), *spelled.shape)), axis=2)
    places = {"skipping": skipping, "times": inputs, "ends": 2 * lengths}
    losses = path_loss(emitted, path_sums(ad.stop_gradient(emitted), **places), **places)
    impossible = np.greater(losses, -0.5 * IMPOSSIBLE)
    losses = np.where(impossible, 0.0 if switch(zero_infinity, "ctc_loss: zero_infinity") else np.inf, losses)
    if reduction == "mean":
        if not losses.size:
            raise no_mean("ctc_loss", x.shape)
        return np.mean(losses / np.maximum(lengths, 1).astype(x.dtype))
    if reduction == "sum":
        return np.sum(losses)
    return losses[0] if single else losses


path_sums = ad.primitive(paths.path_sums)


@ad.primitive
def path_loss(emitted: Any, sums: Any, skipping: Array, times: Array, ends: Array) -> Any:
    """-ln of the sum over all paths, of log-probabilities of shape (time, batch, places), for each sample.

    `sums` is the `path_sums` of the others. `skipping` says which places may follow directly on the place two before
    them, `times` are the lengths of the inputs, `ends` the last place, a blank, of each target.
    """
    return -sums[-1, 0]


def _ahead(emitted: Any, skipping: Array, times: Array) -> list[Any]:
    """a(t, s) for each time, from time -1 on; after the end of an input the values stay the same."""
    start = np.where(np.arange(emitted.shape[2]) == 0, 0.0, IMPOSSIBLE).astype(emitted.dtype)
    found = [np.broadcast_to(start, emitted.shape[1:])]
    for t in range(len(emitted)):
        before = found[-1]
        reached = _joined(before, _moved(before, 1), _moved(before, 2), skipping)
        found.append(np.where((t < times)[:, None], reached + emitted[t], before))
    return found


def _behind(emitted: Any, skipping: Array, times: Array, ends: Array) -> list[Any]:
    """b(t, s) for each time: the sum over the times after t."""
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
    """The logarithm of the summed probabilities of the three ways: to stay, to step, to skip a blank."""
    leap = np.where(leaping, leap, IMPOSSIBLE)
    highest = np.maximum(np.maximum(stay, step), leap)
    highest = ad.stop_gradient(highest)
    return highest + np.log(np.exp(stay - highest) + np.exp(step - highest) + np.exp(leap - highest))


def _moved(x: Any, by: int) -> Any:
    """x shifted by some places along its last axis, up or down."""
    gap = np.full((x.shape[0], min(abs(by), x.shape[1])), IMPOSSIBLE, x.dtype)
    return np.concatenate([gap, x[:, :-by]] if by > 0 else [x[:, -by:], gap], axis=1)


def _adjoint(g: Any, y: Any, emitted: Any, sums: Any, skipping: Any = None, times: Any = None, ends: Any = None) -> Any:
    if any(isinstance(v, ad.Tensor) for v in (g, y, emitted)):
        return _recorded_adjoint(g, y, emitted, skipping, times, ends)
    possible = np.less(y, -0.5 * IMPOSSIBLE)
    shares = np.where(possible, sums[:-1] + np.where(possible, y, 0.0), IMPOSSIBLE)
    within = np.arange(len(emitted))[:, None] < times
    return np.moveaxis(np.exp(shares) * np.where(within, -g, 0.0)[:, None], 1, 2)


def _recorded_adjoint(g: Any, y: Any, emitted: Any, skipping: Any, times: Any, ends: Any) -> Any:
    """The same as `_adjoint`, composed of differentiable functions, for second derivatives."""
    ahead, behind = _ahead(emitted, skipping, times)[1:], _behind(emitted, skipping, times, ends)
    together = np.stack(ahead) + np.stack(behind) if ahead else emitted
    counting = (np.arange(len(emitted))[:, None] < times)[:, :, None] & np.less(y, -0.5 * IMPOSSIBLE)[:, None]
    shares = np.where(counting, together + np.where(np.less(y, -0.5 * IMPOSSIBLE), y, 0.0)[:, None], IMPOSSIBLE)
    return -np.exp(shares) * g[:, None]


# The loss is a function of the log-probabilities alone; its rule needs the sums over paths.
ad.adjoint(path_loss, _adjoint, None, residuals=1)
ad.lowered(path_sums)
ad.lowered(path_loss, lambda emitted, sums, skipping, times, ends: -sums[-1, 0])
ad.written(path_loss, "ctc_loss a")


def _lengths(values: Any, shape: tuple[int, ...], name: str) -> Any:
    """Lengths of inputs or targets as integers of shape (batch,), for log-probabilities of a shape."""
    found = np.atleast_1d(array(values))
    ad.ask(functools.partial(_check_lengths, shape=shape, name=name), found)
    return found.astype(np.intp)


def _check_lengths(found: Array, shape: tuple[int, ...], name: str) -> None:
    if found.dtype.kind not in "iu" or found.shape != shape[1:2] or (found.size and found.min() < 0):
        raise ValueError(
            f"ctc_loss: {name}_lengths are integers from 0, one for each of {shape[1]} sample(s); received shape "
            f"{found.shape}, dtype {found.dtype}{f', least {found.min()}' if found.size else ''}."
        )
    if name == "input" and found.size and found.max() > shape[0]:
        raise ValueError(f"ctc_loss: input_lengths are at most the time, {shape[0]}; received {found.max()}.")


def _spelled(targets: Any, lengths: Any, classes: int, blank: int) -> Any:
    """The targets as (batch, 2 longest + 1): with blanks between, before, and after the labels to the end."""
    longest = ad.ask(functools.partial(_longest, classes=classes, blank=blank), targets, lengths)
    batch, places = len(lengths), np.arange(longest)
    if not longest:
        return np.full((batch, 1), blank)
    if targets.ndim == 1:
        starts = np.cumsum(lengths) - lengths
        rows = targets[np.minimum(starts[:, None] + places, len(targets) - 1)]
    else:
        rows = targets[:, :longest]
    rows = np.where(places < lengths[:, None], rows, blank)
    blanks = np.full(rows.shape, blank)
    pairs = np.reshape(np.stack([blanks, rows], axis=2), (batch, 2 * longest))
    return np.concatenate([pairs, blanks[:, :1]], axis=1)


def _longest(targets: Array, lengths: Array, classes: int, blank: int) -> int:
    """The greatest length of a target. ValueError, TypeError for targets that are no labels of such lengths."""
    if targets.dtype.kind not in "iu" and targets.size:
        raise TypeError(f"ctc_loss takes integer labels; received dtype {targets.dtype}. Write targets.astype(int).")
    longest, batch = int(lengths.max(initial=0)), len(lengths)
    if targets.ndim == 1 and targets.size == lengths.sum():
        known = targets
    elif targets.ndim == 2 and len(targets) == batch and targets.shape[1] >= longest:
        known = targets[:, :longest][np.arange(longest) < lengths[:, None]]
    else:
        raise ValueError(
            f"ctc_loss takes targets of shape (batch, longest) or (sum of target_lengths,), here ({batch}, {longest}) "
            f"or ({lengths.sum()},); received shape {targets.shape}."
        )
    if blank >= classes or (known.size and (known.min() < 0 or known.max() >= classes or (known == blank).any())):
        raise ValueError(
            f"ctc_loss takes labels from 0 to {classes - 1} other than the blank, {blank}; received "
            f"{f'{known.min()} to {known.max()}' if known.size else 'none'}. Number the classes from 0, the blank too."
        )
    return longest
