"""Write family.npz: what PyTorch makes of small arrays, values and adjoints, in double precision.

Run it with PyTorch installed: python tests/nn/references/make_family.py. Tests read the file only.

A case is a function of torch.nn.functional with its arrays and its options, or a layer of torch.nn with what makes it.
Of a function's arrays the floating-point ones have adjoints. A layer is called twice in training, with the adjoints of
the second call kept, and once in evaluation.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn import functional

rng = np.random.default_rng(0)
Case = tuple[str, tuple[Any, ...], dict[str, Any]]


def drawn(*shape: int) -> np.ndarray:
    """Random numbers of one decimal, so that some are equal."""
    return rng.standard_normal(shape).round(1)


KINKS = np.linspace(-7, 7, 29).reshape(1, 29)  # every place at which some activation is not smooth is among them
ACTIVATIONS: dict[str, Case] = {
    "selu": ("selu", (KINKS,), {}),
    "celu": ("celu", (KINKS,), {"alpha": 1.5}),
    "mish": ("mish", (KINKS,), {}),
    "hardtanh": ("hardtanh", (KINKS,), {}),
    "hardtanh uneven": ("hardtanh", (KINKS,), {"min_val": -2.0, "max_val": 0.5}),
    "relu6": ("relu6", (KINKS,), {}),
    "hardsigmoid": ("hardsigmoid", (KINKS,), {}),
    "hardswish": ("hardswish", (KINKS,), {}),
    "softsign": ("softsign", (KINKS,), {}),
    "softmin": ("softmin", (KINKS,), {"dim": 1}),
    "logsigmoid": ("logsigmoid", (KINKS,), {}),
    "tanhshrink": ("tanhshrink", (KINKS,), {}),
    "softshrink": ("softshrink", (KINKS,), {"lambd": 1.0}),
    "hardshrink": ("hardshrink", (KINKS,), {"lambd": 1.0}),
    "threshold": ("threshold", (KINKS,), {"threshold": 0.5, "value": -3.0}),
    "glu": ("glu", (drawn(3, 4, 2),), {"dim": 1}),
    "prelu": ("prelu", (KINKS, np.array([0.2])), {}),
    "prelu of channels": ("prelu", (drawn(2, 3, 4), drawn(3)), {}),
    "rrelu": ("rrelu", (KINKS,), {"lower": 0.1, "upper": 0.4}),
}
LAYERS: dict[str, tuple[str, dict[str, Any], tuple[np.ndarray, ...]]] = {
    "PReLU": ("PReLU", {"num_parameters": 3}, (drawn(2, 3, 4),)),
}
CASES = {**ACTIVATIONS}


def leaf(array: np.ndarray) -> torch.Tensor:
    """A tensor of it, with an adjoint if it is floating-point."""
    return torch.tensor(array, requires_grad=array.dtype.kind == "f")


def results(function: Callable[..., Any], *arrays: np.ndarray) -> dict[str, np.ndarray]:
    """The arrays, the value, a seed, and the adjoint of each array for that seed; a second result beside the value."""
    tensors = [leaf(a) for a in arrays]
    value, *more = found if isinstance(found := function(*tensors), tuple) else (found,)
    seed = drawn(*value.shape)
    value.backward(torch.tensor(seed))
    kept = {f"array {k}": array for k, array in enumerate(arrays)} | {"value": value.detach().numpy(), "seed": seed}
    kept |= {f"adjoint {k}": t.grad.numpy() for k, t in enumerate(tensors) if t.grad is not None}
    return kept | {f"result {k}": v.numpy() for k, v in enumerate(more, start=1)}


def layered(kind: str, options: dict[str, Any], arrays: tuple[np.ndarray, ...]) -> dict[str, np.ndarray]:
    """A layer's state before and after, and what it gives in training and in evaluation."""
    torch.manual_seed(0)
    layer = getattr(torch.nn, kind)(**options).double()
    with torch.no_grad():
        for p in layer.parameters():
            p.copy_(torch.from_numpy(drawn(*p.shape)))
    kept = {f"before {name}": v.clone().numpy() for name, v in layer.state_dict().items()}
    layer(*map(torch.tensor, arrays))
    layer.zero_grad()
    kept |= {f"training {name}": v for name, v in results(layer, *arrays).items()}
    kept |= {f"parameter {name}": p.grad.numpy().copy() for name, p in layer.named_parameters()}
    kept |= {f"after {name}": v.clone().numpy() for name, v in layer.state_dict().items()}
    return kept | {f"evaluation {name}": v for name, v in results(layer.eval(), *arrays).items()}


def main() -> None:
    """Compute and write."""
    torch.set_default_dtype(torch.float64)
    found = {}
    for name, (function, arrays, options) in CASES.items():
        given = {k: torch.tensor(v) if isinstance(v, np.ndarray) else v for k, v in options.items()}
        found[name] = results(lambda *a, f=function, o=given: getattr(functional, f)(*a, **o), *arrays)
    found |= {f"layer {name}": layered(*layer) for name, layer in LAYERS.items()}
    calls = {name: [function, plain(options)] for name, (function, _, options) in CASES.items()}
    calls |= {f"layer {name}": [kind, options] for name, (kind, options, _) in LAYERS.items()}
    parts = {name: {key: [str(a.dtype), a.shape] for key, a in arrays.items()} for name, arrays in found.items()}
    stored = {
        name: np.concatenate([np.asarray(a, float).ravel() for a in arrays.values()]) for name, arrays in found.items()
    }
    description = json.dumps({"calls": calls, "parts": parts})
    np.savez_compressed(Path(__file__).with_name("family.npz"), description=np.array(description), **stored)


def plain(options: dict[str, Any]) -> dict[str, Any]:
    """Options as JSON has them."""
    return {k: v.tolist() if isinstance(v, np.ndarray) else v for k, v in options.items()}


if __name__ == "__main__":
    main()
