"""Spectral normalisation: a weight divided by its largest singular value."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

import autodiff as ad
from nn import functional, init
from nn.checked import real, whole
from nn.layers.convolution import ConvTranspose
from nn.model.module import Module

M = TypeVar("M", bound=Module)
Array = npt.NDArray[Any]


def spectral_norm(
    module: M,
    name: str = "weight",
    n_power_iterations: int = 1,
    eps: float = 1e-12,
    dim: int | None = None,
    *,
    rng: init.Rng = None,
) -> M:
    """The same layer, with its weight W divided by an estimate of its largest singular value, σ = uᵀ W v.

    The parameter `weight` is replaced by `weight_orig`, W, and the buffers `weight_u` and `weight_v` (PyTorch's names).
    These are unit vectors without derivative; every call in training moves them towards the singular vectors of σ,
    v ∝ Wᵀ u and u ∝ W v (Miyato et al. 2018, algorithm 1). `module.weight` is computed whenever it is read. The layer
    is changed in place. Make the optimizer afterwards, since W is now the parameter.

    Parameters
    ----------
    module : a layer, such as nn.Linear(3, 2)
    name : the name of one of its parameters; all axes except `dim` are joined to make a matrix of it
    n_power_iterations : the number of times the vectors are moved in a call
    eps : the least length by which the vectors are divided
    dim : the axis of the outputs: by default 1 for transposed convolutions, else 0
    rng : the generator of the first u and v: a numpy.random.Generator, an int seed, or None

    >>> layer = nn.spectral_norm(nn.Linear(3, 2))

    Raises TypeError for a name that is no parameter of the layer, ValueError for an axis that it does not have.
    """
    weight = getattr(module, name, None)
    if not isinstance(module, Module) or not isinstance(weight, ad.Tensor) or name not in vars(module):
        raise TypeError(
            f"spectral_norm takes a layer and the name of one of its parameters; received {module!r:.80} and {name!r}, "
            f"which is a {type(weight).__name__}: write nn.spectral_norm(nn.Linear(3, 2))."
        )
    axis = (1 if isinstance(module, ConvTranspose) else 0) if dim is None else dim
    if weight.ndim < 2 or not -weight.ndim <= axis < weight.ndim:
        raise ValueError(
            f"spectral_norm: {name} of shape {weight.shape} must have two axes or more, and an axis {axis!r}; write "
            "dim=0."
        )
    times, eps = whole(n_power_iterations, "spectral_norm: n_power_iterations", 0), real(eps, "spectral_norm: eps")
    generator, value = init.generator(rng), ad.stop_gradient(weight)
    u, v = (_unit(generator.standard_normal(n).astype(value.dtype), eps) for n in _matrix(value, axis).shape)
    delattr(module, name)
    original, left, right = f"{name}_orig", f"{name}_u", f"{name}_v"
    setattr(module, original, ad.Tensor(value, name=original))
    setattr(module, left, u)
    setattr(module, right, v)
    kind = type(module)

    def normed(self: Module) -> Any:
        """The weight that the layer computes with."""
        weight = getattr(self, original)
        u, v = np.copy(getattr(self, left)), np.copy(getattr(self, right))  # copies, because the graph keeps them
        return weight / np.dot(u, np.dot(_matrix(weight, axis), v))

    def forward(self: Module, *args: Any, **given: Any) -> Any:
        """The layer's result; in training the vectors are moved first."""
        if self.training:
            matrix = _matrix(ad.stop_gradient(getattr(self, original)), axis)
            u, v = getattr(self, left), getattr(self, right)
            for _ in range(times):
                v[...] = _unit(np.dot(matrix.T, u), eps)
                u[...] = _unit(np.dot(matrix, v), eps)
        return kind.forward(self, *args, **given)

    # A new class whose `weight` is a property that computes it; the layer's forward still reads self.weight.
    module.__class__ = type(
        kind.__name__,
        (kind,),
        {
            name: property(normed),
            "forward": forward,
            "__repr__": lambda self: f"spectral_norm({kind.__repr__(self)})",
            "__doc__": kind.__doc__,
            "__module__": kind.__module__,
        },
    )
    return module


def _matrix(weight: Any, axis: int) -> Any:
    """The weight as a matrix with one row per output."""
    return np.reshape(np.moveaxis(weight, axis, 0), (weight.shape[axis], -1))


def _unit(x: Array, eps: float) -> Array:
    return functional.normalize(x, axis=0, eps=eps)
