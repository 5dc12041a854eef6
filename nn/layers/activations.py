"""Activations as layers.

`inplace`, which some take for compatibility with PyTorch, has no effect: Tensors are never written into.
"""

from __future__ import annotations

import math
from typing import Any

from nn import functional
from nn.checked import real, switch
from nn.model.module import Module


class Sign(Module):
    """-1, 0 or 1, the sign of x, elementwise. Its derivative is 0, so the layers before it do not learn.

    >>> nn.Sign()(np.array([-3.0, 0.0, 2.0]))
    array([-1.,  0.,  1.])
    """

    forward = staticmethod(functional.sign)


class Step(Module):
    """1 where x >= 0, else 0, elementwise. Its derivative is 0, so the layers before it do not learn.

    >>> nn.Step()(np.array([-2.0, 0.0, 3.0]))
    array([0., 1., 1.])
    """

    forward = staticmethod(functional.step)


class _Elementwise(Module):
    """The base of activations whose only argument is `inplace`."""

    def __init__(self, inplace: bool = False) -> None:
        switch(inplace, f"{type(self).__name__}: inplace")


class ReLU(_Elementwise):
    """max(x, 0), elementwise. Its derivative at 0 is taken as 0.

    >>> nn.ReLU()(np.array([-1.0, 0.0, 2.0]))
    array([0., 0., 2.])
    """

    forward = staticmethod(functional.relu)


class Tanh(Module):
    """tanh x, elementwise.

    >>> nn.Tanh()(np.array([-1.0, 0.0, 1.0])).round(4)
    array([-0.7616,  0.    ,  0.7616])
    """

    forward = staticmethod(functional.tanh)


class Sigmoid(Module):
    """1 / (1 + exp(-x)), elementwise.

    >>> nn.Sigmoid()(np.array([-1000.0, 0.0, 1000.0]))
    array([0. , 0.5, 1. ])
    """

    forward = staticmethod(functional.sigmoid)


class SiLU(_Elementwise):
    """x sigmoid(x), elementwise (Elfwing et al. 2018; "swish").

    >>> nn.SiLU()(np.array([-1.0, 0.0, 1.0])).round(4)
    array([-0.2689,  0.    ,  0.7311])
    """

    forward = staticmethod(functional.silu)


class GELU(Module):
    """x Φ(x), elementwise, with Φ the normal distribution function; faster with approximate="tanh".

    >>> nn.GELU()(np.array([-1.0, 0.0, 1.0])).round(4)
    array([-0.1587,  0.    ,  0.8413])
    """

    def __init__(self, approximate: str = "none") -> None:
        functional.gelu(0.0, approximate)  # raises ValueError for another word
        self.approximate = approximate

    def forward(self, x: Any) -> Any:
        """The activation of x."""
        return functional.gelu(x, self.approximate)

    def __repr__(self) -> str:
        return "GELU()" if self.approximate == "none" else f"GELU(approximate={self.approximate!r})"


class Softplus(Module):
    """ln(1 + exp(beta x)) / beta, elementwise, with beta > 0; x where beta x is above the threshold.

    >>> nn.Softplus(beta=2.0)(np.array([-50.0, 0.0, 50.0])).round(4)
    array([ 0.    ,  0.3466, 50.    ])
    """

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        self.beta = real(beta, "Softplus: beta", above=True)
        self.threshold = real(threshold, "Softplus: threshold", least=-math.inf)

    def forward(self, x: Any) -> Any:
        """The activation of x."""
        return functional.softplus(x, self.beta, self.threshold)

    def __repr__(self) -> str:
        parts = [f"{self.beta}"] * (self.beta != 1) + [f"threshold={self.threshold:g}"] * (self.threshold != 20)
        return f"Softplus({', '.join(parts)})"


class LeakyReLU(Module):
    """x where it is positive, else `negative_slope` times x, elementwise (Maas et al. 2013).

    >>> nn.LeakyReLU(0.1)(np.array([-2.0, 3.0]))
    array([-0.2,  3. ])
    """

    def __init__(self, negative_slope: float = 0.01, inplace: bool = False) -> None:
        switch(inplace, "LeakyReLU: inplace")
        self.negative_slope = real(negative_slope, "LeakyReLU: negative_slope", least=-math.inf)

    def forward(self, x: Any) -> Any:
        """The activation of x."""
        return functional.leaky_relu(x, self.negative_slope)

    def __repr__(self) -> str:
        return f"LeakyReLU({self.negative_slope})"


class ELU(Module):
    """x where it is positive, else alpha (exp(x) - 1), elementwise (Clevert et al. 2016).

    >>> nn.ELU()(np.array([-1.0, 2.0])).round(4)
    array([-0.6321,  2.    ])
    """

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        switch(inplace, "ELU: inplace")
        self.alpha = real(alpha, "ELU: alpha", least=-math.inf)

    def forward(self, x: Any) -> Any:
        """The activation of x."""
        return functional.elu(x, self.alpha)

    def __repr__(self) -> str:
        return f"ELU({self.alpha})"


class _AlongAxis(Module):
    """The base of Softmax, LogSoftmax and Softmin."""

    def __init__(self, axis: int = -1, *, dim: int | None = None) -> None:
        self.axis = axis if dim is None else dim

    def __repr__(self) -> str:
        return f"{type(self).__name__}({'' if self.axis == -1 else f'axis={self.axis}'})"


class Softmax(_AlongAxis):
    """exp(x) / sum exp(x) along `axis` (PyTorch's name: `dim`), by default the last one: probabilities.

    Do not use it before CrossEntropyLoss, which takes logits.

    >>> nn.Softmax(dim=1)(np.array([[0.0, np.log(3.0)]])).round(4)
    array([[0.25, 0.75]])
    """

    def forward(self, x: Any) -> Any:
        """The probabilities of the logits x."""
        return functional.softmax(x, self.axis)


class LogSoftmax(_AlongAxis):
    """The logarithm of softmax along `axis` (PyTorch's name: `dim`), by default the last one.

    >>> nn.LogSoftmax()(np.array([[0.0, 50.0]]))
    array([[-50.,   0.]])
    """

    def forward(self, x: Any) -> Any:
        """The logarithms of the probabilities of the logits x."""
        return functional.log_softmax(x, self.axis)


class Softmin(_AlongAxis):
    """softmax(-x) along `axis` (PyTorch's name: `dim`), by default the last one.

    >>> nn.Softmin()(np.array([0.0, np.log(3.0)])).round(4)
    array([0.75, 0.25])
    """

    def forward(self, x: Any) -> Any:
        """The probabilities; the smallest x has the largest one."""
        return functional.softmin(x, self.axis)
