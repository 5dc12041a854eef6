"""More activations: hard, shrinking, gated, learned; functional has each as a function.

`inplace`, which some take for compatibility with PyTorch, has no effect: Tensors are never written into.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

import autodiff as ad
from nn import functional, init
from nn.checked import real, switch, whole
from nn.init import constant  # PReLU has an argument named init, as the module is
from nn.model.module import Module


class _Shaped(Module):
    """A function of x and of numbers, which are attributes and are checked when the layer is made."""

    function: Callable[..., Any]

    def __init__(self, inplace: bool = False, **options: float) -> None:
        name = type(self).__name__
        switch(inplace, f"{name}: inplace")
        self.options = tuple(options)
        for option, value in options.items():
            setattr(self, option, real(value, f"{name}: {option}", least=-math.inf))
        self.forward(np.zeros(2))  # raises the function's errors when the layer is made

    def forward(self, x: Any) -> Any:
        """The activation of x."""
        return type(self).function(x, **{option: getattr(self, option) for option in self.options})

    def __repr__(self) -> str:
        usual = inspect.signature(type(self)).parameters
        parts = [f"{k}={v}" for k in self.options if (v := getattr(self, k)) != usual[k].default]
        return f"{type(self).__name__}({', '.join(parts)})"


class SELU(_Shaped):
    """A scaled ELU, which moves layers towards mean 0 and variance 1, elementwise.

    >>> nn.SELU()(np.array([-1.0, 1.0])).round(4)
    array([-1.1113,  1.0507])
    """

    function = staticmethod(functional.selu)


class Mish(_Shaped):
    """x tanh(ln(1 + exp(x))), elementwise (Misra 2019).

    >>> nn.Mish()(np.array([-1.0, 0.0, 1.0])).round(4)
    array([-0.3034,  0.    ,  0.8651])
    """

    function = staticmethod(functional.mish)


class ReLU6(_Shaped):
    """x, but at least 0 and at most 6, elementwise.

    >>> nn.ReLU6()(np.array([-1.0, 3.0, 9.0]))
    array([0., 3., 6.])
    """

    function = staticmethod(functional.relu6)


class Hardsigmoid(_Shaped):
    """x / 6 + 1/2, but at least 0 and at most 1, elementwise.

    >>> nn.Hardsigmoid()(np.array([-4.0, 0.0, 4.0]))
    array([0. , 0.5, 1. ])
    """

    function = staticmethod(functional.hardsigmoid)


class Hardswish(_Shaped):
    """x hardsigmoid(x), elementwise.

    >>> nn.Hardswish()(np.array([0.0, 1.5, 4.0]))
    array([0.   , 1.125, 4.   ])
    """

    function = staticmethod(functional.hardswish)


class Softsign(Module):
    """x / (1 + |x|), elementwise.

    >>> nn.Softsign()(np.array([-3.0, 0.0, 1.0]))
    array([-0.75,  0.  ,  0.5 ])
    """

    forward = staticmethod(functional.softsign)


class LogSigmoid(Module):
    """ln sigmoid(x), elementwise.

    >>> nn.LogSigmoid()(np.array([-50.0, 0.0])).round(4)
    array([-50.    ,  -0.6931])
    """

    forward = staticmethod(functional.logsigmoid)


class Tanhshrink(Module):
    """x - tanh x, elementwise.

    >>> nn.Tanhshrink()(np.array([-1.0, 0.0, 1.0])).round(4)
    array([-0.2384,  0.    ,  0.2384])
    """

    forward = staticmethod(functional.tanhshrink)


class CELU(_Shaped):
    """x where it is positive, else alpha (exp(x / alpha) - 1), elementwise, with alpha > 0.

    >>> nn.CELU(alpha=2.0)(np.array([-2.0, 1.0])).round(4)
    array([-1.2642,  1.    ])
    """

    function = staticmethod(functional.celu)

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__(inplace, alpha=alpha)


class Hardtanh(_Shaped):
    """x, but at least `min_val` and at most `max_val`, elementwise.

    >>> nn.Hardtanh(-2.0, 2.0)(np.array([-3.0, 0.5, 3.0]))
    array([-2. ,  0.5,  2. ])
    """

    function = staticmethod(functional.hardtanh)

    def __init__(self, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> None:
        super().__init__(inplace, min_val=min_val, max_val=max_val)


class Threshold(_Shaped):
    """x where it is above `threshold`, else `value`, elementwise.

    >>> nn.Threshold(0.1, 0.0)(np.array([0.05, 0.5]))
    array([0. , 0.5])
    """

    function = staticmethod(functional.threshold)

    def __init__(self, threshold: float, value: float, inplace: bool = False) -> None:
        super().__init__(inplace, threshold=threshold, value=value)


class Hardshrink(_Shaped):
    """x where |x| is above `lambd`, else 0, elementwise.

    >>> nn.Hardshrink()(np.array([-1.0, 0.25, 1.0]))
    array([-1.,  0.,  1.])
    """

    function = staticmethod(functional.hardshrink)

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__(lambd=lambd)


class Softshrink(_Shaped):
    """x moved towards 0 by `lambd`, elementwise.

    >>> nn.Softshrink()(np.array([-1.0, 0.25, 1.0]))
    array([-0.5,  0. ,  0.5])
    """

    function = staticmethod(functional.softshrink)

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__(lambd=lambd)


class GLU(Module):
    """a sigmoid(b), where a and b are the halves of x along the axis `dim`.

    >>> nn.GLU()(np.ones((5, 8))).shape
    (5, 4)
    """

    def __init__(self, dim: int = -1) -> None:
        self.dim = whole(dim, "GLU: dim", None)

    def forward(self, x: Any) -> Any:
        """The first half of x times the sigmoid of the second."""
        return functional.glu(x, self.dim)

    def __repr__(self) -> str:
        return f"GLU({'' if self.dim == -1 else f'dim={self.dim}'})"


class PReLU(Module):
    """x where it is positive, else weight · x, with a weight that is learned (He et al. 2015).

    Parameters
    ----------
    num_parameters : 1, or the number of channels, axis 1 of the input, for one weight each
    init : the initial number of the weight, of shape (num_parameters,)
    dtype : float32 or float64

    >>> layer = nn.PReLU()
    >>> layer(np.array([-2.0, 3.0], dtype=np.float32)), layer.weight.shape
    (Tensor([-0.5,  3. ], dtype=float32), (1,))
    """

    weight: Any

    def __init__(self, num_parameters: int = 1, init: float = 0.25, *, dtype: npt.DTypeLike = np.float32) -> None:
        self.num_parameters = whole(num_parameters, "PReLU's num_parameters")
        start = constant((self.num_parameters,), real(init, "PReLU: init", least=-math.inf), dtype=dtype)
        self.weight = ad.Tensor(start, name="weight")

    def forward(self, x: Any) -> Any:
        """The activation of x."""
        return functional.prelu(x, self.weight)

    def __repr__(self) -> str:
        return f"PReLU({self.num_parameters})"


class RReLU(Module):
    """x where it is positive, else a slope times x; training draws a slope for each element (Xu et al. 2015).

    Parameters
    ----------
    lower, upper : the slopes are uniform between them; in evaluation each slope is their mean
    rng : the generator of the slopes: a numpy.random.Generator, an int seed, or None

    >>> nn.RReLU(0.1, 0.3).eval()(np.array([-1.0, 1.0]))
    array([-0.2,  1. ])
    """

    def __init__(
        self, lower: float = 1 / 8, upper: float = 1 / 3, inplace: bool = False, *, rng: init.Rng = None
    ) -> None:
        switch(inplace, "RReLU: inplace")
        self.lower = real(lower, "RReLU: lower", least=-math.inf)
        self.upper = real(upper, "RReLU: upper", least=self.lower)
        self.rng = init.generator(rng)

    def forward(self, x: Any) -> Any:
        """The activation of x."""
        return functional.rrelu(x, self.lower, self.upper, self.training, rng=self.rng)

    def __repr__(self) -> str:
        return f"RReLU({self.lower}, {self.upper})"
