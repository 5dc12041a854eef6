"""The recursion of connectionist temporal classification in logarithms, on plain arrays (Graves et al. 2006).

b of a sample equals a of the reversed sample, with times and places in reverse order. So one loop computes both, as
samples of one batch. The numbers of one time have the shape (places, samples): the rows before a place are the places
before it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
IMPOSSIBLE = -1e30  # used as ln 0; it is finite, because inf - inf is NaN


def path_sums(emitted: Array, skipping: Array, times: Array, ends: Array) -> Array:
    """Logarithms of sums over paths of log-probabilities of shape (time, batch, places); the rest as in `path_loss`.

    The result has the shape (time + 1, places, batch): for each time, those through each place, a + b with the b of
    the times after it; and, in each place of the last row, ln p, that of all paths.
    """
    steps, batch, places = emitted.shape
    forward = np.maximum(np.moveaxis(emitted, 1, 2), IMPOSSIBLE)
    later, behind = times - 1 - np.arange(steps)[:, None], ends - np.arange(places)[:, None]
    mirror = np.maximum(later, 0)[:, None], np.maximum(behind, 0), np.arange(batch)
    leaps = np.zeros((places + 2, batch), bool)
    leaps[:places] = skipping.T
    forbidden = np.zeros((3, places, 2 * batch), emitted.dtype)
    forbidden[2, :, :batch] = np.where(leaps[:places], 0, IMPOSSIBLE)
    forbidden[2, :, batch:] = np.where(leaps[mirror[1] + 2, mirror[2]] & (behind >= 0), 0, IMPOSSIBLE)
    both = np.concatenate([forward, np.where(behind >= 0, forward[mirror], IMPOSSIBLE)], axis=2)
    over = np.tile(np.arange(steps)[:, None] >= times, 2)[:, None]
    found = _recursion(both, forbidden, over if over.any() else None)
    ahead, back = found[:, :, :batch], found[:, :, batch:]
    samples, last = np.arange(batch), ahead[-1]
    with_label = np.where(ends > 0, last[np.maximum(ends - 1, 0), samples], IMPOSSIBLE)
    sums = np.empty((steps + 1, places, batch), emitted.dtype)
    sums[-1] = np.logaddexp(last[ends, samples], with_label)
    back = back[1:][mirror] if steps else back[1:]
    sums[:-1] = np.where(behind >= 0, ahead[1:] + back - forward, IMPOSSIBLE)
    return sums


def _recursion(emitted: Array, forbidden: Array, over: Array | None) -> Array:
    """a before the first time and after each time: (time + 1, places, samples); emissions are (time, places, samples).

    `forbidden` is added to the three ways to a place: from itself, from the place before, and from the one before that.
    Where `over` is True a sample has ended, and its values stay the same.
    """
    steps, places, samples = emitted.shape
    held = np.full((steps + 1, places + 2, samples), IMPOSSIBLE, emitted.dtype)
    held[0, 2] = 0
    a, b, c = held.strides
    ways = np.lib.stride_tricks.as_strided(held[:, 2:], (steps + 1, 3, places, samples), (a, -b, b, c))
    three = np.empty(ways.shape[1:], emitted.dtype)
    highest = np.empty(three.shape[1:], emitted.dtype)
    for t in range(steps):
        after = held[t + 1, 2:]
        np.add(ways[t], forbidden, out=three)
        np.maximum(three[0], three[1], out=highest)
        np.maximum(highest, three[2], out=highest)
        np.subtract(three, highest, out=three)
        np.exp(three, out=three)
        np.add(three[0], three[1], out=after)
        after += three[2]
        np.log(after, out=after)
        after += highest
        after += emitted[t]
        if over is not None:
            np.copyto(after, held[t, 2:], where=over[t])
    return held[:, 2:]
