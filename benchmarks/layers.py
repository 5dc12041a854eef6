"""Single functions forward and backward, float32: every activation, transposed and 3-D convolutions, CTC."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import autodiff as ad
import nn
from benchmarks.operations import Row, installed

ACTIVATIONS: dict[str, dict[str, Any]] = {
    "relu": {}, "leaky_relu": {}, "elu": {}, "selu": {}, "celu": {}, "gelu": {}, "silu": {}, "mish": {}, "sigmoid": {},
    "tanh": {}, "softplus": {}, "logsigmoid": {}, "softsign": {}, "tanhshrink": {}, "hardtanh": {}, "relu6": {},
    "hardsigmoid": {}, "hardswish": {}, "hardshrink": {}, "softshrink": {}, "softmax": {"dim": -1},
    "log_softmax": {"dim": -1},
}  # fmt: skip
CONVOLUTIONS: dict[str, tuple[str, list[tuple[int, ...]], dict[str, int]]] = {
    "conv_transpose2d 16x32x16x16, 16 of 3x3, stride 2": (
        "conv_transpose2d", [(16, 32, 16, 16), (32, 16, 3, 3), (16,)], {"stride": 2, "padding": 1},
    ),
    "conv_transpose2d 64x64x7x7, 32 of 4x4, stride 2": (
        "conv_transpose2d", [(64, 64, 7, 7), (64, 32, 4, 4), (32,)], {"stride": 2, "padding": 1},
    ),
    "conv_transpose2d 64x32x14x14, 1 of 4x4, stride 2": (
        "conv_transpose2d", [(64, 32, 14, 14), (32, 1, 4, 4), (1,)], {"stride": 2, "padding": 1},
    ),
    "conv3d 8x1x16x16x16, 8 of 3x3x3": ("conv3d", [(8, 1, 16, 16, 16), (8, 1, 3, 3, 3), (8,)], {}),
    "conv3d 4x8x12x12x12, 16 of 3x3x3": ("conv3d", [(4, 8, 12, 12, 12), (16, 8, 3, 3, 3), (16,)], {"padding": 1}),
}  # fmt: skip


def layers() -> Iterator[Row]:
    """Each function with the adjoints of all its arrays, against PyTorch's function."""
    nn.reuse_memory()  # PyTorch keeps its memory as well
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((128, 1024)).astype(np.float32)
    for name, options in ACTIVATIONS.items():
        yield _row(f"{name} of 128x1024", name, [rows], options)
    for title, (name, shapes, numbers) in CONVOLUTIONS.items():
        yield _row(title, name, [rng.standard_normal(shape).astype(np.float32) for shape in shapes], numbers)
    targets, lengths = rng.integers(1, 20, (16, 10)), (np.full(16, 50), np.full(16, 10))
    scores = rng.standard_normal((50, 16, 20)).astype(np.float32)
    yield _row("ctc_loss of 50 steps, batch 16, 20 classes", "ctc_loss", [scores], {}, targets, *lengths, logits=True)


def _row(
    title: str, name: str, arrays: list[np.ndarray], options: dict[str, Any], *given: np.ndarray, logits: bool = False
) -> Row:
    seed: list[Any] = []

    def ours() -> object:
        leaves = [ad.Tensor(array) for array in arrays]
        first, *others = leaves
        y = getattr(nn.functional, name)(
            nn.functional.log_softmax(first) if logits else first, *others, *given, **options
        )
        if not seed:
            seed.append(np.ones(y.shape, np.float32))
        y.backward(seed[0])
        return leaves

    contestants: dict[str, Callable[[], object]] = {"autodiff": ours}
    if installed("torch"):
        import torch

        torch.set_num_threads(1)
        theirs, rest = [torch.from_numpy(array) for array in arrays], [torch.from_numpy(array) for array in given]

        def pytorch() -> object:
            leaves = [tensor.clone().requires_grad_() for tensor in theirs]
            first, *others = leaves
            first = torch.log_softmax(first, -1) if logits else first
            y = getattr(torch.nn.functional, name)(first, *others, *rest, **options)
            y.backward(torch.ones_like(y))
            return leaves

        contestants["PyTorch"] = pytorch
    return f"{title}, forward and backward", contestants, 1, 5
