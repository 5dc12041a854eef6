"""What is done with the channels of images as such."""

from __future__ import annotations

from typing import Any

import numpy as np

from nn.checked import array, real, whole


def channel_shuffle(x: Any, groups: int) -> Any:
    """The channels, axis 1, of so many groups in turn: the first of each, then the second of each (Zhang et al. 2018).

    x has the shape (batch, channels, ...), whose channels the groups share evenly.
    """
    x, groups = array(x), whole(groups, "channel_shuffle: groups")
    if x.ndim < 2 or x.shape[1] % groups:
        raise ValueError(
            f"channel_shuffle takes x of shape (batch, channels, ...), whose channels {groups} group(s) share evenly; "
            f"received shape {x.shape}. Let groups divide the channels."
        )
    batch, channels, *field = x.shape
    apart = np.reshape(x, (batch, groups, channels // groups, *field))
    return np.reshape(np.swapaxes(apart, 1, 2), x.shape)


def local_response_norm(x: Any, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> Any:
    """x / (k + alpha · m)^beta, with m the mean of x² over `size` channels around (Krizhevsky et al. 2012).

    x has the shape (batch, channels, ...); channels beyond the first and the last are zeros, which count.
    """
    size, shift = whole(size, "local_response_norm: size"), real(k, "local_response_norm: k")
    alpha, beta = real(alpha, "local_response_norm: alpha"), real(beta, "local_response_norm: beta")
    x = array(x)
    if x.ndim < 3:
        raise ValueError(f"local_response_norm takes x of shape (batch, channels, ...); received shape {x.shape}.")
    x = x if x.dtype.kind == "f" else x.astype(float)
    squares = np.pad(x * x, [(0, 0), (size // 2, (size - 1) // 2), *[(0, 0)] * (x.ndim - 2)])
    total = sum(squares[:, first : first + x.shape[1]] for first in range(size))
    return x / (shift + (alpha / size) * total) ** beta
