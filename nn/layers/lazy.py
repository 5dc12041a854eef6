"""Dense: a Linear layer with an activation, as in Keras, which can find its number of inputs itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt

import autodiff as ad
from nn import functional, hints, init
from nn.checked import switch, whole
from nn.layers.dense import Initialiser
from nn.model.module import Module

ACTIVATIONS: dict[str, Callable[[Any], Any]] = {
    "elu": functional.elu,
    "gelu": functional.gelu,
    "leaky_relu": functional.leaky_relu,
    "log_softmax": functional.log_softmax,
    "relu": functional.relu,
    "sigmoid": functional.sigmoid,
    "silu": functional.silu,
    "swish": functional.silu,  # Keras's name
    "softmax": functional.softmax,
    "softplus": functional.softplus,
    "tanh": functional.tanh,
}


class Dense(Module):
    """A dense layer of `units` outputs and its activation: activation(x Wᵀ + b).

    Parameters
    ----------
    units : the number of outputs
    activation : a function, or the name of one, such as "relu" or "softmax"; None for no activation
    input_shape : (number of inputs,); if not given, it comes from the layer before in a Sequential, or else from the
        first input; until then the layer has no parameters
    use_bias : whether there is a b, which starts at 0
    name : shown in summaries
    rng, dtype, weight_init : as in Linear; the weight starts Xavier uniform (Glorot & Bengio 2010), as in Keras, where
        weight_init is called kernel_initializer

    `weight` has the shape (units, inputs), `bias` (units,).

    >>> layer = nn.Dense(10, activation="relu", input_shape=64, rng=0)
    >>> layer(np.zeros((5, 64))).shape
    (5, 10)
    """

    inputs: int | None = None  # the number of inputs, None until it is known
    weight: ad.Tensor
    bias: ad.Tensor | None

    @hints.also("Dense", {"kernel_initializer": "weight_init", "input_dim": "input_shape"}, hints.DENSE)
    def __init__(
        self,
        units: int,
        activation: str | Callable[[Any], Any] | None = None,
        *,
        input_shape: int | Sequence[int] | None = None,
        use_bias: bool = True,
        name: str | None = None,
        rng: init.Rng = None,
        dtype: npt.DTypeLike = np.float32,
        weight_init: Initialiser = init.xavier_uniform,
    ) -> None:
        self.units = whole(units, "Dense's units")
        self.name, self.use_bias = name, switch(use_bias, "Dense: use_bias")
        self.activation = _activation(activation)
        self.weight_init, self.dtype = weight_init, init.floating(dtype)
        self.rng = init.generator(rng)
        if input_shape is not None:
            shape = (input_shape,) if isinstance(input_shape, int | np.integer) else tuple(input_shape)
            if len(shape) != 1:
                raise ValueError(
                    f"Dense's input_shape is that of one sample, (number of inputs,); received {input_shape!r:.80}. "
                    "Put an nn.Flatten() before it for images."
                )
            self.build(shape[0])

    @property
    def built(self) -> bool:
        """Whether the layer has its parameters."""
        return self.inputs is not None  # not `weight`, which weight_norm removes

    def build(self, inputs: int) -> None:
        """Make the parameters for this number of inputs."""
        inputs = whole(inputs, "Dense's number of inputs")
        weight = init.initial(self.weight_init, (self.units, inputs), self.rng, self.dtype, "Dense: weight_init")
        self.weight = ad.Tensor(weight, name="weight")
        self.bias = ad.Tensor(init.zeros((self.units,), dtype=self.dtype), name="bias") if self.use_bias else None
        self.inputs = inputs

    def forward(self, x: Any) -> Any:
        """The layer of x, of shape (..., inputs)."""
        if self.inputs is None:
            shape = np.shape(x)
            if not shape:
                raise ValueError(f"{self!r} takes x of shape (..., inputs); received one number. Write x[None].")
            self.build(shape[-1])
        y = functional.linear(x, self.weight) if self.bias is None else functional.linear(x, self.weight, self.bias)
        return y if self.activation is None else self.activation(y)

    def __repr__(self) -> str:
        parts = [str(self.units)]
        if self.activation is not None:
            parts.append(repr(getattr(self.activation, "__name__", self.activation)))
        if self.built:
            parts.append(f"input_shape=({self.inputs},)")
        if not self.use_bias:
            parts.append("use_bias=False")
        if self.name is not None:
            parts.append(f"name={self.name!r}")
        return f"Dense({', '.join(parts)})"


class Input(Module):
    """The shape of one sample, as a Sequential's first layer: a Dense after it finds its number of inputs.

    >>> model = nn.Sequential(nn.Input((64,)), nn.Dense(10, rng=0))
    >>> sum(p.size for p in model.parameters())
    650
    """

    def __init__(self, shape: int | Sequence[int], *, name: str | None = None) -> None:
        given = (shape,) if isinstance(shape, int | np.integer) else tuple(shape)
        self.shape = tuple(whole(n, "Input: a length in the shape of one sample") for n in given)
        self.name = name

    def forward(self, x: Any) -> Any:
        """x itself, of shape (batch, *shape)."""
        if np.shape(x)[1:] != self.shape:
            raise ValueError(
                f"{self!r} takes x of shape (batch, {', '.join(map(str, self.shape))}); received shape {np.shape(x)}. "
                "Give Input the shape of one sample, X.shape[1:]."
            )
        return x

    def __array__(self, *_: Any, **__: Any) -> NoReturn:
        raise TypeError(
            "a layer was called with an Input, which is a layer itself here: the first of a Sequential. For a model "
            "that is no chain write class Net(nn.Module), whose forward(self, x) calls the layers."
        )

    def __repr__(self) -> str:
        return f"Input({self.shape})"


class Activation(Module):
    """An activation as a layer, from a name as in Keras, Activation("relu"), or from a function.

    >>> nn.Activation("relu")(np.array([-1.0, 2.0]))
    array([0., 2.])
    """

    def __init__(self, activation: str | Callable[[Any], Any]) -> None:
        self.activation = _activation(activation)

    def forward(self, x: Any) -> Any:
        """The activation of x, in its shape."""
        return x if self.activation is None else self.activation(x)

    def __repr__(self) -> str:
        return f"Activation({getattr(self.activation, '__name__', self.activation)!r})"


def _activation(activation: Any) -> Callable[[Any], Any] | None:
    if activation is None or activation == "linear":
        return None
    if isinstance(activation, str) and activation in ACTIVATIONS:
        return ACTIVATIONS[activation]
    if isinstance(activation, type) and issubclass(activation, Module):
        return activation()
    if callable(activation):
        return activation
    names = ", ".join(map(repr, ACTIVATIONS))
    raise ValueError(f"an activation is a function or one of {names}; received {activation!r:.80}.")
