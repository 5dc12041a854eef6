"""Functions of the channels of images: a new order, and normalisation by neighbouring channels."""

from __future__ import annotations

from typing import Any

import numpy as np

from nn.checked import array, real, whole


def channel_shuffle(x: Any, groups: int) -> Any:
    """The channels in another order: the first of each group, then the second of each (Zhang et al. 2018).

    x has the shape (batch, channels, ...). The channels are cut into `groups` groups of neighbours. Raises ValueError
    if groups does not divide the channels.

    >>> F.channel_shuffle(np.arange(6).reshape(1, 6, 1), groups=3).ravel()
    array([0, 2, 4, 1, 3, 5])
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
    """x / (k + alpha m)^beta, with m the mean of x² over the `size` channels around it (Krizhevsky et al. 2012).

    x has the shape (batch, channels, ...); channels before the first and after the last count as zeros. Raises
    ValueError for x of fewer axes.

    >>> x = np.array([[[1.0], [2.0], [2.0]]])
    >>> F.local_response_norm(x, size=3, alpha=3.0, beta=1.0).ravel().round(4)
    array([0.1667, 0.2   , 0.2222])
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
