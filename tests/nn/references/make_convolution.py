"""Write convolution.npz: what PyTorch makes of small images, values and adjoints, in double precision.

Run it with PyTorch installed: python tests/nn/references/make_convolution.py. Tests read the file only.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn import functional

IMAGES = (2, 4, 6, 7)
CONVOLUTIONS: dict[str, tuple[tuple[int, ...], dict[str, Any]]] = {  # the weight's shape, the arguments
    "plain": ((2, 4, 3, 2), {}),
    "points": ((3, 4, 1, 1), {}),
    "strided": ((2, 4, 3, 2), {"stride": (2, 1), "padding": (0, 1)}),
    "padded": ((2, 4, 3, 3), {"padding": 2}),
    "same": ((2, 4, 2, 3), {"padding": "same"}),
    "dilated": ((2, 4, 2, 3), {"dilation": (3, 2), "padding": 1}),
    "grouped": ((6, 2, 2, 2), {"groups": 2, "stride": 2}),
    "channelwise": ((8, 1, 3, 3), {"groups": 4, "padding": 1, "stride": 2, "dilation": 2}),
    "skipping": ((2, 4, 2, 1), {"stride": 3}),
}
MAXIMA: dict[str, dict[str, Any]] = {
    "halves": {"kernel_size": 2},
    "overlapping": {"kernel_size": (3, 2), "stride": (2, 1), "padding": 1},
    "dilated": {"kernel_size": 2, "stride": 1, "dilation": (3, 2), "padding": 1},
    "ceiled": {"kernel_size": 2, "stride": (2, 4), "ceil_mode": True},
    "skipping": {"kernel_size": 2, "stride": 3},
}
MEANS: dict[str, dict[str, Any]] = {
    "halves": {"kernel_size": 2},
    "overlapping": {"kernel_size": 3, "stride": (2, 1), "padding": (1, 0)},
    "inner": {"kernel_size": 3, "stride": 2, "padding": 1, "count_include_pad": False},
    "ceiled": {"kernel_size": (2, 3), "stride": (2, 2), "padding": (1, 1), "ceil_mode": True},
}


def results(function: Callable[..., torch.Tensor], rng: np.random.Generator, *arrays: np.ndarray) -> list[np.ndarray]:
    """The arrays, the value, a seed, and the adjoint of each array for that seed."""
    tensors = [torch.tensor(a, requires_grad=True) for a in arrays]
    value = function(*tensors)
    seed = drawn(rng, *value.shape)
    value.backward(torch.tensor(seed))
    return [*arrays, value.detach().numpy(), seed, *(t.grad.numpy() for t in tensors)]


def drawn(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Random numbers of one decimal, so that some are equal."""
    return rng.standard_normal(shape).round(1)


def main() -> None:
    """Compute and write."""
    rng = np.random.default_rng(0)
    found: dict[str, list[np.ndarray]] = {}
    asked: dict[str, dict[str, Any]] = {}
    for name, (shape, options) in CONVOLUTIONS.items():
        arrays = drawn(rng, *IMAGES), drawn(rng, *shape), drawn(rng, shape[0])
        asked[f"conv2d {name}"] = options
        found[f"conv2d {name}"] = results(lambda *a, o=options: functional.conv2d(*a, **o), rng, *arrays)
    for kind, cases in (("max_pool2d", MAXIMA), ("avg_pool2d", MEANS)):
        for name, options in cases.items():
            asked[f"{kind} {name}"] = options
            pool = getattr(functional, kind)
            found[f"{kind} {name}"] = results(lambda x, p=pool, o=options: p(x, **o), rng, drawn(rng, *IMAGES))
    shapes = {name: [array.shape for array in arrays] for name, arrays in found.items()}
    stored = {name: np.concatenate([array.ravel() for array in arrays]) for name, arrays in found.items()}
    description = json.dumps({"arguments": asked, "shapes": shapes})
    path = Path(__file__).with_name("convolution.npz")
    np.savez_compressed(path, description=np.array(description), **stored)


if __name__ == "__main__":
    main()
