"""Penalties for large parameters, to add to a loss: L1 and L2 regularisation."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

import autodiff as ad
from nn.functional.cached import SUMMED


@ad.primitive
def sum_of_squares(*arrays: Any) -> Any:
    """The sum of the squares of all elements of all arrays."""
    # Python numbers take the dtype of the array that they are added to, and so does the sum.
    return sum(np.vdot(a, a) if a.size <= SUMMED else _squares(np.ravel(a)) for a in arrays)


@ad.primitive
def sum_of_sizes(*arrays: Any) -> Any:
    """The sum of the absolute values of all elements of all arrays."""
    return sum(np.add.reduce(np.abs(a), axis=None) for a in arrays)


def _squares(a: Any) -> Any:
    parts = (a[k : k + SUMMED] for k in range(0, a.size, SUMMED))
    return sum(np.dot(part, part) for part in parts)


ad.adjoint(sum_of_squares, each=lambda position, g, y, *arrays: 2 * g * arrays[position])
ad.adjoint(sum_of_sizes, each=lambda position, g, y, *arrays: g * np.sign(arrays[position]))


def l2_penalty(parameters: Iterable[Any], *, biases: bool = False) -> Any:
    """The sum of squares θ² of the weights: `loss + 0.5 * strength * F.l2_penalty(model.parameters())`.

    With the factor 0.5 it adds strength · θ to the adjoint of each weight. Biases, that is all arrays with fewer than
    two axes, should not be pulled towards 0: they are left out unless biases=True.

    >>> float(F.l2_penalty([np.array([[1.0, -2.0]]), np.array([100.0])]))  # the second is a bias
    5.0
    """
    return sum_of_squares(*_penalised(parameters, biases, "l2_penalty"))


def l1_penalty(parameters: Iterable[Any], *, biases: bool = False) -> Any:
    """The sum of absolute values |θ| of the weights, which makes many of them 0; the rest is as in l2_penalty.

    >>> float(F.l1_penalty([np.array([[1.0, -2.0]]), np.array([100.0])]))  # the second is a bias
    3.0
    """
    return sum_of_sizes(*_penalised(parameters, biases, "l1_penalty"))


def _penalised(parameters: Iterable[Any], biases: bool, penalty: str) -> list[Any]:
    given = list(parameters)
    chosen = [p for p in given if biases or np.ndim(p) > 1]
    if not chosen:
        raise ValueError(
            f"{penalty} takes the weights among the parameters, those of two axes or more; received {len(given)} "
            "parameters, none such. Pass model.parameters(), or biases=True to take all."
        )
    return chosen
