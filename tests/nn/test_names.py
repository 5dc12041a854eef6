"""Every public name of PyTorch's torch.nn, torch.nn.functional and torch.optim is here, or is answered.

What is here takes PyTorch's parameters under their names and in their order, but for what these tables say.
"""

from __future__ import annotations

import importlib
import inspect
import json
from pathlib import Path
from typing import Any

import numpy as np
from sweep import for_each

import nn

STORED: dict[str, dict[str, list[str] | None]] = json.loads(
    (Path(__file__).with_name("references") / "names.json").read_text(encoding="utf-8")
)
NAMES = [(package, name) for package, of in STORED.items() for name in of]

# Answered wherever they are typed (hints.LAYER, hints.OPTIMIZER), deprecated there, or of no meaning here.
EVERYWHERE = {"device", "dtype", "inplace", "size_average", "reduce", "out", "generator"}
EVERYWHERE |= {"foreach", "capturable", "differentiable", "fused", "decoupled_weight_decay"}
EVERYWHERE |= {"max_norm", "norm_type", "scale_grad_by_freq", "sparse", "_weight", "_freeze", "_stacklevel"}
# The first arguments, which are given by their place.
CALLED_HERE = {
    "input": ("x", "prediction", "logits", "indices"),
    "target": ("target", "labels"),
    "input1": ("x1",),
    "input2": ("x2",),
    "dim": ("axis", "dim"),
    "tensor": ("labels",),
    "modules": ("members",),
    "parameters": ("members",),
    "values": ("members",),
    "defaults": ("lr",),
}
# PyTorch's parameters that are elsewhere here.
WITHOUT: dict[str, set[str]] = {
    "BatchNorm1d": {"bias"}, "BatchNorm2d": {"bias"}, "BatchNorm3d": {"bias"}, "GroupNorm": {"bias"},
    "InstanceNorm1d": {"bias"}, "InstanceNorm2d": {"bias"}, "InstanceNorm3d": {"bias"},  # affine= is both
    "ConvTranspose1d": {"padding_mode"}, "ConvTranspose2d": {"padding_mode"}, "ConvTranspose3d": {"padding_mode"},
    "Hardtanh": {"min_value", "max_value"},  # deprecated names of min_val and max_val
    "huber_loss": {"weight"}, "l1_loss": {"weight"}, "mse_loss": {"weight"},  # sample_weight=
    "interpolate": {"antialias"},
}  # fmt: skip


def parameters(named: Any) -> list[str]:
    if isinstance(named, np.ufunc):  # which have a signature since NumPy 2.4
        return ["x"] * named.nin
    found = inspect.signature(named).parameters.values()
    return [p.name for p in found if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]


@for_each(NAMES)
def test_a_name_is_here_or_answered(named: tuple[str, str]) -> None:
    package, name = named
    module = importlib.import_module(package)
    try:
        found = getattr(module, name)
    except AttributeError as error:
        assert name in nn.hints.NAMES | nn.hints.FUNCTIONS | nn.hints.OPTIM  # each is run by test_spellings
        assert "no attribute" not in str(error)  # noqa: PT017
        return
    theirs = STORED[package][name]
    if theirs is None:
        return
    wanted = [n for n in theirs if n not in EVERYWHERE | WITHOUT.get(name, set())]
    ours = parameters(found)
    positions = []
    for n in wanted:
        allowed = CALLED_HERE.get(n, (n,))
        place = next((k for k, own in enumerate(ours) if own in (*allowed, n)), None)
        assert place is not None, f"{n} of {theirs} is not among {ours}"
        positions.append(place)
    assert positions == sorted(positions), f"{theirs} are in another order here, {ours}"
