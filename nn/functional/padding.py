"""Padding: elements added at the ends of arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from nn.checked import array, real, whole

MODES = ("constant", "reflect", "replicate", "circular")


def pad(x: Any, pad: Sequence[int], mode: str = "constant", value: float = 0.0) -> Any:
    """x with elements added around it: `pad` is (before, after) of the last axis, then of the one before it, and so on.

    Parameters
    ----------
    x : of any shape
    pad : (left, right), or (left, right, top, bottom) ...; with mode="constant" a negative number removes elements
    mode : "constant" for `value`; "reflect" for x mirrored at its first and last element, which are not repeated;
        "replicate" to repeat these elements; "circular" to continue with the other end of x
    value : the added number with mode="constant"

    Raises ValueError for more padding than the mode has elements for.

    >>> x = np.array([[1.0, 2.0, 3.0]])
    >>> F.pad(x, (1, 2))
    array([[0., 1., 2., 3., 0., 0.]])
    >>> F.pad(x, (1, 2), mode="reflect")
    array([[2., 1., 2., 3., 2., 1.]])
    """
    x = array(x)
    if mode not in MODES:
        raise ValueError(f"pad: mode is one of {', '.join(map(repr, MODES))}; received {mode!r:.80}.")
    if len(pad) % 2 or len(pad) > 2 * x.ndim:
        raise ValueError(
            f"pad takes (before, after) for the last axis, then for the one before; received {len(pad)} numbers for x "
            f"of shape {x.shape}. Write pad=(left, right, top, bottom)."
        )
    widths = [whole(n, "pad: each of pad's numbers", None) for n in pad]
    for k, (before, after) in enumerate(zip(widths[::2], widths[1::2], strict=True)):
        if before or after:
            x = _padded(x, x.ndim - 1 - k, before, after, mode, value)
    return x


def _padded(x: Any, axis: int, before: int, after: int, mode: str, value: float) -> Any:
    n = x.shape[axis]
    if mode == "constant":
        start, stop = max(-before, 0), n - max(-after, 0)
        if start > stop:
            raise ValueError(f"pad cuts {start} and {n - stop} off from an axis of length {n}; x has shape {x.shape}.")
        widths = [(0, 0)] * x.ndim
        widths[axis] = max(before, 0), max(after, 0)
        return np.pad(_part(x, axis, start, stop), widths, constant_values=real(value, "pad: value", least=-np.inf))
    most = {"reflect": n - 1, "replicate": before + after if n else 0, "circular": n}[mode]
    if not 0 <= min(before, after) <= max(before, after) <= most:
        raise ValueError(
            f"pad with mode={mode!r} takes from 0 to {most} elements on an axis of length {n}; received {before} "
            f"and {after} for axis {axis} of x of shape {x.shape}."
        )
    if mode == "reflect":
        first, last = np.flip(_part(x, axis, 1, before + 1), axis), np.flip(_part(x, axis, n - 1 - after, n - 1), axis)
    elif mode == "circular":
        first, last = _part(x, axis, n - before, n), _part(x, axis, 0, after)
    else:
        ends = ((_part(x, axis, 0, 1), before), (_part(x, axis, n - 1, n), after))
        first, last = (np.broadcast_to(end, (*x.shape[:axis], k, *x.shape[axis + 1 :])) for end, k in ends)
    return np.concatenate([first, x, last], axis=axis)


def _part(x: Any, axis: int, start: int, stop: int) -> Any:
    return x if (start, stop) == (0, x.shape[axis]) else x[(slice(None),) * axis + (slice(start, stop),)]
