"""Clipping: before a step, adjoints are scaled down to a common norm, or limited element by element."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

import autodiff as ad
from nn.checked import real
from nn.model.module import Module
from nn.optim.optimizer import Optimizer

Vector = npt.NDArray[Any]
SUMMED = 2**16  # elements whose squares are summed in their own dtype; such sums are added in double precision


def clip_grad_norm(
    parameters: Optimizer | Iterable[ad.Tensor] | ad.Tensor,
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
) -> float:
    """Scale all adjoints, as one vector, to a norm of at most `max_norm`. Returns the norm before scaling.

    `parameters` is an optimizer, or Tensors. Their `.grad` is changed in place; those without one are skipped. The
    factor is max_norm / (norm + 1e-6), if that is below 1 (Pascanu et al. 2013; PyTorch's number). `norm_type` is
    above 0, or math.inf for the largest absolute value. If the norm is infinite or NaN, the adjoints become 0 or
    NaN; with `error_if_nonfinite` it raises RuntimeError instead, and changes nothing.

    >>> p = ad.Tensor([1.0, 1.0])
    >>> np.sum(p * np.array([3.0, 4.0])).backward()
    >>> float(nn.optim.clip_grad_norm([p], max_norm=1.0))
    5.0
    >>> p.grad.round(4)
    array([0.6, 0.8])
    """
    bound = real(max_norm, "clip_grad_norm: max_norm")
    power = math.inf if norm_type in (math.inf, "inf") else real(norm_type, "clip_grad_norm: norm_type", above=True)
    vectors = _adjoints(parameters, "clip_grad_norm")
    total = norm(vectors, power)
    if error_if_nonfinite and not math.isfinite(total):
        raise RuntimeError(
            f"clip_grad_norm: the adjoints' norm of type {norm_type} is {total}, so they cannot be scaled to "
            f"{max_norm}. Look for a division by 0 or an overflow in the loss, or pass error_if_nonfinite=False."
        )
    scale(vectors, bound / (total + 1e-6))
    return total


def clip_grad_value(parameters: Optimizer | Iterable[ad.Tensor] | ad.Tensor, clip_value: float) -> None:
    """Clip every element of the adjoints to [-clip_value, clip_value], in place.

    >>> p = ad.Tensor([1.0, 1.0])
    >>> np.sum(p * np.array([3.0, -0.5])).backward()
    >>> nn.optim.clip_grad_value([p], 1.0)
    >>> p.grad
    array([ 1. , -0.5])
    """
    bound = real(clip_value, "clip_grad_value: clip_value")
    limited(bound, *_adjoints(parameters, "clip_grad_value"))


def limited(bound: float, *vectors: Vector) -> None:
    """Clip every element of vectors to [-bound, bound], in place."""
    for vector in vectors:
        np.clip(vector, -bound, bound, out=vector)


def norm_limited(bound: float, *vectors: Vector) -> None:
    """Scale vectors, taken as one, to a norm of at most the bound, in place."""
    scale(vectors, bound / (norm(vectors) + 1e-6))


def scale(vectors: Sequence[Vector], factor: float) -> None:
    """Multiply vectors by a factor, in place, unless it is 1 or more."""
    if not factor >= 1:
        with np.errstate(invalid="ignore"):  # 0 times an infinite adjoint
            for vector in vectors:
                vector *= factor


@np.errstate(over="ignore", under="ignore", invalid="ignore")
def norm(vectors: Sequence[Vector], power: float = 2.0) -> float:
    """(Σ|x|^power)^(1/power) over all elements, without overflow; for math.inf the largest |x|."""
    if power == 2:
        total = sum(float(np.dot(x, x)) for x in _parts(vectors))
        if 1e-20 < total < math.inf:  # nothing overflowed, and numbers that underflowed are negligible
            return math.sqrt(total)
    largest = float(np.max([0.0, *(float(np.max(np.abs(x))) for x in _parts(vectors))]))
    if power == math.inf or largest == 0 or not math.isfinite(largest):
        return largest
    scaled = (np.abs(x.astype(np.float64)) / largest for x in _parts(vectors))
    return largest * sum(float(np.sum(x**power)) for x in scaled) ** (1 / power)


def _parts(vectors: Sequence[Vector]) -> Iterator[Vector]:
    for vector in vectors:
        flat = vector.ravel()
        yield from (flat[k : k + SUMMED] for k in range(0, flat.size, SUMMED))


def _adjoints(parameters: Any, name: str) -> list[Vector]:
    """The arrays of the existing adjoints; an optimizer has only a few, for any number of parameters."""
    if isinstance(parameters, Optimizer):
        flat = parameters.flat
        return [flat.grad[stretch] for stretch in flat.reached()]
    if isinstance(parameters, Module) or not isinstance(parameters, Iterable):
        raise TypeError(
            f"{name} takes Tensors or an optimizer; received {type(parameters).__name__}. "
            f"Write {name}(model.parameters(), ...)."
        )
    tensors = [parameters] if isinstance(parameters, ad.Tensor) else list(parameters)
    for k, tensor in enumerate(tensors):
        if not isinstance(tensor, ad.Tensor):
            raise TypeError(
                f"{name} takes Tensors; item {k} is a {type(tensor).__name__}. Write {name}(model.parameters(), ...)."
            )
    return [tensor.grad for tensor in dict.fromkeys(tensors) if tensor.grad is not None]
