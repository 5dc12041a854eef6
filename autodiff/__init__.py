"""Reverse-mode automatic differentiation of NumPy programs.

>>> import numpy as np
>>> import autodiff as ad
>>> x1, x2 = ad.Tensor(2.0, name="x1"), ad.Tensor(5.0, name="x2")
>>> y = np.log(x1) + x1 * x2 - np.sin(x2)
>>> y.backward()
>>> x1.grad
array(5.5)
"""

import importlib
from typing import TYPE_CHECKING, Any

import numpy as np

from autodiff.check import check_grads
from autodiff.compose import elu, leaky_relu, log_softmax, logsumexp, relu, sigmoid, silu, softmax, softplus
from autodiff.flat import Flat
from autodiff.primitive import adjoint, composed, constant, primitive
from autodiff.tensor import Tensor
from autodiff.transform import grad, hessian, jacobian, no_grad, stop_gradient, value_and_grad, vjp

if TYPE_CHECKING:
    from autodiff.evaluation import Trace, trace
    from autodiff.picture import Picture, draw

__version__ = "0.1.0"

__all__ = [
    "Flat",
    "Picture",
    "Tensor",
    "Trace",
    "adjoint",
    "check_grads",
    "composed",
    "constant",
    "draw",
    "elu",
    "grad",
    "hessian",
    "jacobian",
    "leaky_relu",
    "log_softmax",
    "logsumexp",
    "no_grad",
    "primitive",
    "relu",
    "sigmoid",
    "silu",
    "softmax",
    "softplus",
    "stop_gradient",
    "trace",
    "value_and_grad",
    "vjp",
]


# What only a reader of the graph needs is imported when it is first asked for.
_on_demand = {
    "Picture": "autodiff.picture",
    "Trace": "autodiff.evaluation",
    "draw": "autodiff.picture",
    "trace": "autodiff.evaluation",
}


def __getattr__(name: str) -> Any:
    if name in _on_demand:
        return getattr(importlib.import_module(_on_demand[name]), name)
    if not name.startswith("_") and callable(getattr(np, name, None)):
        raise AttributeError(f"autodiff has no {name!r}: NumPy's own function works on Tensors, np.{name}(tensor).")
    raise AttributeError(f"module 'autodiff' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
