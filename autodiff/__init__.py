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

from autodiff import hints
from autodiff.arrays import adjoints as _adjoints
from autodiff.arrays import tensor as _tensor
from autodiff.arrays.flat import Flat
from autodiff.arrays.holding import holding
from autodiff.arrays.reading import contributions, graph
from autodiff.arrays.tensor import Tensor
from autodiff.engine import devices
from autodiff.engine.devices import Device, admit
from autodiff.engine.loops import looped
from autodiff.engine.many import Into
from autodiff.engine.recording import no_grad, scope
from autodiff.engine.table import adjoint, composed, constant, lowered, primitive, takes_tensors, written
from autodiff.program.limits import Untraceable
from autodiff.program.lowering import ask, effect
from autodiff.rules.activations import (
    elu,
    erf,
    erfc,
    gelu,
    leaky_relu,
    log_softmax,
    logsumexp,
    relu,
    sigmoid,
    silu,
    softmax,
    softplus,
)
from autodiff.transforms.check import check_grads
from autodiff.transforms.checkpoint import checkpoint
from autodiff.transforms.derivatives import grad, hessian, hvp, jacobian, jvp, stop_gradient, value_and_grad, vjp
from autodiff.transforms.moving import relocate, to
from autodiff.transforms.vmap import vmap

if TYPE_CHECKING:
    from autodiff.explanation import Alive, Explanation, Memory, alive, debug, explain, memory
    from autodiff.notation.constants import named
    from autodiff.notation.trace import Trace, trace
    from autodiff.picture import Film, Picture, Stepper, draw, steps
    from autodiff.program.compiled import compile

__version__ = "0.1.0"

__all__ = [
    "Alive",
    "Device",
    "Explanation",
    "Film",
    "Flat",
    "Into",
    "Memory",
    "Picture",
    "Stepper",
    "Tensor",
    "Trace",
    "Untraceable",
    "adjoint",
    "admit",
    "alive",
    "ask",
    "check_grads",
    "checkpoint",
    "compile",
    "composed",
    "constant",
    "contributions",
    "debug",
    "devices",
    "draw",
    "effect",
    "elu",
    "erf",
    "erfc",
    "explain",
    "gelu",
    "grad",
    "graph",
    "hessian",
    "holding",
    "hvp",
    "jacobian",
    "jvp",
    "leaky_relu",
    "log_softmax",
    "logsumexp",
    "looped",
    "lowered",
    "memory",
    "named",
    "no_grad",
    "primitive",
    "relocate",
    "relu",
    "scope",
    "sigmoid",
    "silu",
    "softmax",
    "softplus",
    "steps",
    "stop_gradient",
    "to",
    "trace",
    "value_and_grad",
    "vjp",
    "vmap",
    "written",
]


# Names that only readers of the graph need are imported on first use.
_on_demand = {
    **dict.fromkeys(("Alive", "Explanation", "Memory", "alive", "debug", "explain", "memory"), "autodiff.explanation"),
    "Film": "autodiff.picture",
    "Picture": "autodiff.picture",
    "Stepper": "autodiff.picture",
    "Trace": "autodiff.notation.trace",
    "compile": "autodiff.program.compiled",
    "draw": "autodiff.picture",
    "named": "autodiff.notation.constants",
    "steps": "autodiff.picture",
    "trace": "autodiff.notation.trace",
}


def __getattr__(name: str) -> Any:
    if name in _on_demand:
        return getattr(importlib.import_module(_on_demand[name]), name)
    if name in hints.MODULE:
        raise AttributeError(f"autodiff has no {name!r}; {hints.written(hints.MODULE[name])}.")
    numpys = None if name.startswith("_") else getattr(np, name, None)
    if takes_tensors(numpys):
        raise AttributeError(f"autodiff has no {name!r}; write np.{name}(t): NumPy's function works on Tensors.")
    if numpys is not None:
        raise AttributeError(f"autodiff has no {name!r}; NumPy has np.{name}, and ad.Tensor(array) makes a Tensor.")
    raise AttributeError(f"module 'autodiff' has no attribute {name!r}")


def _displayed(result: Tensor) -> dict[str, str]:
    bundle: dict[str, str] = importlib.import_module("autodiff.picture").displayed(result)
    return bundle


def _adjoint_names(found: Any) -> list[str]:
    names: list[str] = importlib.import_module("autodiff.notation.naming").adjoint_names(found)
    return names


_adjoints.adjoint_names = _adjoint_names
_tensor.notebook_display = _displayed  # the Tensor's module lies on a lower floor than the pictures


def __dir__() -> list[str]:
    return __all__
