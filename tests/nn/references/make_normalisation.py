"""Write normalisation.json: what PyTorch makes of a few small inputs, in double precision, to 10 digits.

Run it with PyTorch installed: python tests/nn/references/make_normalisation.py. Tests read the file only.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional

STEPS = 3  # before the one whose results are kept
BATCH_NORMS = {
    "rows": (nn.BatchNorm1d, (5, 3), {}),
    "signals": (nn.BatchNorm1d, (2, 3, 4), {"momentum": 0.3, "eps": 1e-3}),
    "images": (nn.BatchNorm2d, (2, 3, 2, 3), {}),
    "cumulative": (nn.BatchNorm1d, (4, 3), {"momentum": None}),
    "plain": (nn.BatchNorm1d, (4, 3), {"affine": False}),
    "untracked": (nn.BatchNorm2d, (3, 2, 2, 2), {"track_running_stats": False}),
}
LAYER_NORMS = {
    "features": ((4, 6), 6, {}),
    "pixels": ((2, 3, 2, 4), (2, 4), {"eps": 1e-3}),
    "words": ((2, 3, 5), 5, {"bias": False}),
    "vector": ((7,), 7, {"elementwise_affine": False}),
}


def drawn(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Random numbers of three decimals."""
    return np.asarray(rng.standard_normal(shape).round(3))


def parameters(layer: nn.Module, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Values for the parameters, which they are given."""
    values = {name: drawn(rng, *p.shape) for name, p in layer.named_parameters()}
    with torch.no_grad():
        for name, p in layer.named_parameters():
            p.copy_(torch.from_numpy(values[name]))
    return values


def step(layer: nn.Module, shape: tuple[int, ...], rng: np.random.Generator) -> dict[str, np.ndarray]:
    """An input, the result, and the adjoints of the input and the parameters for a random seed."""
    x, seed = 2 + 3 * drawn(rng, *shape), drawn(rng, *shape)
    given = torch.from_numpy(x).requires_grad_()
    layer.zero_grad()
    y = layer(given)
    y.backward(torch.from_numpy(seed))
    adjoints = {f"adjoint of {name}": p.grad.numpy() for name, p in layer.named_parameters()}
    return {"x": x, "seed": seed, "y": y.detach().numpy(), "adjoint of x": given.grad.numpy()} | {
        name: g.copy() for name, g in adjoints.items()
    }


def rounded(numbers: object) -> object:
    """Nested lists of numbers to 10 significant digits."""
    return [rounded(n) for n in numbers] if isinstance(numbers, list) else float(f"{numbers:.10g}")


def main() -> None:
    """Write the file."""
    rng = np.random.default_rng(0)
    found: dict[str, object] = {}

    def keep(prefix: str, arrays: dict[str, np.ndarray]) -> None:
        found.update({f"{prefix}/{name}": rounded(array.tolist()) for name, array in arrays.items()})

    for name, (kind, shape, options) in BATCH_NORMS.items():
        layer = kind(shape[1], **options).double()
        keep(name, parameters(layer, rng))
        found[f"{name}/names"] = list(layer.state_dict())
        batches = 2 + 3 * drawn(rng, STEPS, *shape)
        keep(name, {"batches": batches})
        for x in batches:
            layer(torch.from_numpy(x))
        keep(f"{name}/training", step(layer, shape, rng))
        keep(name, {b: v.numpy() for b, v in layer.named_buffers()})
        keep(f"{name}/evaluation", step(layer.eval(), shape, rng))
    for name, (shape, axes, options) in LAYER_NORMS.items():
        layer = nn.LayerNorm(axes, **options).double()
        keep(name, parameters(layer, rng))
        keep(name, step(layer, shape, rng))

    for name, dim in (("units", 0), ("inputs", 1), ("whole", None)):
        layer = nn.utils.weight_norm(nn.Linear(4, 4).double(), dim=dim)
        keep(name, parameters(layer, rng))
        found[f"{name}/names"] = list(layer.state_dict())
        keep(name, step(layer, (3, 4), rng))

    x = torch.linspace(-6, 6, 25, dtype=torch.float64)
    curves = {
        "gelu": functional.gelu(x),
        "gelu by tanh": functional.gelu(x, approximate="tanh"),
        "softplus": functional.softplus(x, beta=2.5),
        "leaky_relu": functional.leaky_relu(x, negative_slope=0.2),
        "elu": functional.elu(x, alpha=1.5),
        "silu": functional.silu(x),
        "log_softmax": functional.log_softmax(x.reshape(5, 5), dim=0),
    }
    keep("curves", {"x": x.numpy()} | {name: y.numpy() for name, y in curves.items()})

    table = torch.from_numpy(drawn(rng, 5, 3)).requires_grad_()
    indices, seed = np.array([[1, 2, 1], [4, 1, 0]]), drawn(rng, 2, 3, 3)
    y = functional.embedding(torch.from_numpy(indices), table, padding_idx=2)
    y.backward(torch.from_numpy(seed))
    values = {"table": table.detach(), "y": y.detach(), "adjoint": table.grad}
    keep("embedding", {"indices": indices, "seed": seed} | {name: v.numpy() for name, v in values.items()})
    lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(value)}" for name, value in found.items())
    Path(__file__).with_name("normalisation.json").write_text(f"{{\n{lines}\n}}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
