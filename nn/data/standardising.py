"""Features of mean 0 and standard deviation 1, with which networks learn fastest (LeCun et al. 1998, section 4.3)."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

import autodiff as ad
from nn.data.rows import Array, equally_long, rows
from nn.model.module import Module

ROWS_AT_ONCE = 4096  # the sums are in float64; for all samples at once this would take twice their memory


class Standardiser(Module):
    """The map x -> (x - mean) / std, with each feature's mean and standard deviation over the given samples.

    Make it from the training data and apply it to all data: the test data must not influence it.

    `mean` and `std` have the shape of one sample and the dtype of the samples (float32 if that is not floating-point).
    They are buffers, so a Standardiser may be the first layer of a model, and is saved with it. A feature that is
    constant, or whose deviation underflows to 0, has std 1 and becomes 0. Results have the dtype of floating-point
    arguments.
    Raises ValueError for samples that are not finite, and for arguments of another shape.

    >>> X_train, X_test = np.array([[1.0], [3.0]]), np.array([[5.0]])
    >>> scaled = nn.data.Standardiser(X_train)
    >>> scaled(X_train).ravel(), scaled(X_test).ravel()
    (array([-1.,  1.]), array([3.]))
    """

    def __init__(self, samples: npt.ArrayLike) -> None:
        asked = "Standardiser takes an array of numbers with one sample per row"
        found = rows(samples, asked)
        count = equally_long([found], asked)
        blocks = [found[k : k + ROWS_AT_ONCE] for k in range(0, count, ROWS_AT_ONCE)]
        with np.errstate(all="ignore"):
            mean: Array = sum(b.sum(axis=0, dtype=np.float64) for b in blocks) / np.float64(count)
            variance: Array = sum(np.square(b - mean).sum(axis=0) for b in blocks) / np.float64(count)
        if not np.all(np.isfinite(variance)):
            place = np.argwhere(~np.isfinite(np.atleast_1d(variance)))[0].tolist()
            raise ValueError(
                f"{asked}; received numbers that are not finite, or too large to square, in feature {place} of samples "
                f"of shape {found.shape}. Leave those samples out, or fill them in."
            )
        least, most = found.min(axis=0), found.max(axis=0)
        equal = least == most  # with rounding, the mean of equal numbers, and so their deviation, may be slightly off
        dtype = found.dtype if found.dtype in (np.float32, np.float64) else np.dtype(np.float32)
        self.mean = np.asarray(np.where(equal, least, mean), dtype)
        with np.errstate(under="ignore"):
            deviation = np.asarray(np.sqrt(variance), dtype)
        # A feature that varies so little that its deviation is 0 counts as constant too.
        self.std = np.asarray(np.where(equal | (deviation == 0), 1.0, deviation), dtype)

    def forward(self, x: Any) -> Any:
        """The standardised samples, or one standardised sample."""
        x, mean, std = self._matched(x)
        return (x - mean) / std

    def inverse(self, z: Any) -> Any:
        """The samples that become z; it converts predictions of standardised targets back."""
        z, mean, std = self._matched(z)
        return z * std + mean

    def _matched(self, x: Any) -> tuple[Any, Array, Array]:
        if not isinstance(x, ad.Tensor):
            x = np.asarray(x)
            if x.dtype.kind != "f":
                x = x.astype(self.mean.dtype)
        axes = self.mean.ndim
        if x.shape[x.ndim - axes :] != self.mean.shape or x.ndim not in (axes, axes + 1):
            raise ValueError(
                f"a Standardiser made of samples of shape {self.mean.shape} takes arrays of shape "
                f"(samples, *{self.mean.shape}); received shape {x.shape}. Make one of data in the new shape."
            )
        return x, self.mean.astype(x.dtype, copy=False), self.std.astype(x.dtype, copy=False)

    def __repr__(self) -> str:
        return f"Standardiser(mean of shape {self.mean.shape}, {self.mean.dtype})"


def standardise(samples: npt.ArrayLike, *others: Any) -> Any:
    """Samples scaled to mean 0 and standard deviation 1, and others, such as the test data, by the same map.

    It returns one array for one argument, else a tuple of arrays. Use a Standardiser to keep the map.

    >>> X_train, X_test = nn.data.standardise(np.array([[1.0], [3.0]]), np.array([[5.0]]))
    >>> X_test
    array([[3.]])
    """
    scaled = Standardiser(samples)
    return tuple(map(scaled, (samples, *others))) if others else scaled(samples)
