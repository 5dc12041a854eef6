"""Writes optimizers.json: where PyTorch's optimizers take three parameters in 20 steps; LAMB and Lion by formula.

    python tests/nn/references/make_optimizers.py        # needs torch; last written with 2.13

The adjoints are given, not computed, so that differences do not feed on themselves. The second parameter has none at
steps 6 to 9, the third none at the first two. Of each case the parameters after steps 1, 3, 10 and 20 are kept.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch

SHAPES = ((3,), (2, 3), (2,))
KEPT = (1, 3, 10, 20)

# name: (optimizer, options, options of a second group that holds the third parameter, or None)
CASES: dict[str, tuple[str, dict[str, Any], dict[str, Any] | None]] = {
    "SGD": ("SGD", {"lr": 0.05}, None),
    "SGD, defaults": ("SGD", {}, None),
    "SGD, weight decay": ("SGD", {"lr": 0.05, "weight_decay": 0.1}, None),
    "SGD, momentum": ("SGD", {"lr": 0.02, "momentum": 0.9}, None),
    "SGD, dampening": ("SGD", {"lr": 0.02, "momentum": 0.9, "dampening": 0.3, "weight_decay": 0.1}, None),
    "SGD, Nesterov": ("SGD", {"lr": 0.02, "momentum": 0.9, "nesterov": True, "weight_decay": 0.1}, None),
    "SGD, groups": ("SGD", {"lr": 0.02, "momentum": 0.9}, {"lr": 0.1, "momentum": 0.0, "weight_decay": 0.1}),
    "Adagrad": ("Adagrad", {}, None),
    "Adagrad, options": (
        "Adagrad",
        {"lr": 0.1, "lr_decay": 0.1, "weight_decay": 0.1, "initial_accumulator_value": 0.5, "eps": 1e-3},
        None,
    ),
    "Adagrad, groups": ("Adagrad", {"lr": 0.1}, {"lr_decay": 0.2, "weight_decay": 0.1}),
    "Adadelta": ("Adadelta", {}, None),
    "Adadelta, options": ("Adadelta", {"lr": 0.5, "rho": 0.8, "eps": 1e-3, "weight_decay": 0.1}, None),
    "RMSprop": ("RMSprop", {}, None),
    "RMSprop, momentum": ("RMSprop", {"lr": 0.01, "alpha": 0.9, "momentum": 0.8, "weight_decay": 0.1}, None),
    "RMSprop, centered": ("RMSprop", {"lr": 0.01, "alpha": 0.9, "centered": True, "eps": 1e-3}, None),
    "RMSprop, all": ("RMSprop", {"alpha": 0.9, "centered": True, "momentum": 0.5, "weight_decay": 0.1}, None),
    "Adam": ("Adam", {}, None),
    "Adam, options": ("Adam", {"lr": 0.05, "betas": [0.8, 0.95], "eps": 1e-3, "weight_decay": 0.1}, None),
    "Adam, amsgrad": ("Adam", {"lr": 0.05, "betas": [0.9, 0.9], "amsgrad": True}, None),
    "Adam, groups": ("Adam", {"lr": 0.05}, {"lr": 0.2, "betas": [0.5, 0.9], "weight_decay": 0.1, "amsgrad": True}),
    "AdamW": ("AdamW", {}, None),
    "AdamW, amsgrad": ("AdamW", {"lr": 0.05, "weight_decay": 0.3, "amsgrad": True, "betas": [0.8, 0.9]}, None),
    "NAdam": ("NAdam", {}, None),
    "NAdam, options": ("NAdam", {"lr": 0.05, "betas": [0.8, 0.95], "weight_decay": 0.1, "momentum_decay": 0.1}, None),
    "NAdam, decoupled": ("NAdam", {"lr": 0.05, "weight_decay": 0.1, "decoupled_weight_decay": True}, None),
    "RAdam": ("RAdam", {}, None),
    "RAdam, options": ("RAdam", {"lr": 0.05, "betas": [0.8, 0.95], "eps": 1e-3, "weight_decay": 0.1}, None),
    "RAdam, decoupled": (
        "RAdam",
        {"lr": 0.05, "betas": [0.8, 0.9], "weight_decay": 0.1, "decoupled_weight_decay": True, "maximize": True},
        {"lr": 0.1, "weight_decay": 0.0},
    ),
    "Adamax": ("Adamax", {}, None),
    "Adamax, options": ("Adamax", {"lr": 0.05, "betas": [0.8, 0.95], "eps": 1e-3, "weight_decay": 0.1}, None),
    "Adamax, upwards": ("Adamax", {"lr": 0.05, "weight_decay": 0.1, "maximize": True}, {"lr": 0.1}),
    "Lion": ("Lion", {}, None),
    "Lion, options": ("Lion", {"lr": 0.05, "betas": [0.8, 0.95], "weight_decay": 0.1}, None),
    "Lion, upwards": ("Lion", {"lr": 0.05, "weight_decay": 0.1, "maximize": True}, {"lr": 0.1, "weight_decay": 0.0}),
    "LAMB": ("LAMB", {}, None),
    "LAMB, options": ("LAMB", {"lr": 0.05, "betas": [0.8, 0.95], "eps": 1e-3, "weight_decay": 0.1}, None),
    "LAMB, no decay": ("LAMB", {"lr": 0.05, "weight_decay": 0.0}, {"lr": 0.1, "weight_decay": 0.3}),
}


class Lamb:
    """Algorithm 2 of You et al. (2020), with the identity for its φ, in float64; ratios of a zero norm are 1."""

    def __init__(self, groups: list[dict[str, Any]], **options: Any) -> None:
        usual = {"lr": 1e-3, "betas": (0.9, 0.999), "eps": 1e-6, "weight_decay": 0.01}
        self.all = [(p, {"t": 0, "m": 0.0, "v": 0.0}, {**usual, **options, **g}) for g in groups for p in g["params"]]

    def step(self) -> None:
        for p, state, options in self.all:
            if p.grad is None:
                continue
            (beta1, beta2), g, x = options["betas"], p.grad.numpy(), p.detach().numpy()
            state["t"] += 1
            state["m"] = beta1 * state["m"] + (1 - beta1) * g
            state["v"] = beta2 * state["v"] + (1 - beta2) * g**2
            m, v = state["m"] / (1 - beta1 ** state["t"]), state["v"] / (1 - beta2 ** state["t"])
            r = m / (np.sqrt(v) + options["eps"]) + options["weight_decay"] * x
            length, of_step = np.linalg.norm(x), np.linalg.norm(r)
            x -= options["lr"] * (length / of_step if length > 0 and of_step > 0 else 1.0) * r


class Lion:
    """Algorithm 2 of Chen et al. (2023), in float64."""

    def __init__(self, groups: list[dict[str, Any]], **options: Any) -> None:
        usual = {"lr": 1e-4, "betas": (0.9, 0.99), "weight_decay": 0.0, "maximize": False}
        self.all = [(p, {"m": 0.0}, {**usual, **options, **g}) for g in groups for p in g["params"]]

    def step(self) -> None:
        for p, state, options in self.all:
            if p.grad is None:
                continue
            (beta1, beta2), g, x = options["betas"], p.grad.numpy() * (-1) ** options["maximize"], p.detach().numpy()
            x -= options["lr"] * (np.sign(beta1 * state["m"] + (1 - beta1) * g) + options["weight_decay"] * x)
            state["m"] = beta2 * state["m"] + (1 - beta2) * g


OURS = {"LAMB": Lamb, "Lion": Lion}  # what PyTorch does not have


def run(case: tuple[str, dict[str, Any], dict[str, Any] | None], start: Any, adjoints: Any, dtype: torch.dtype) -> Any:
    kind, options, second = case
    tensors = [torch.tensor(values, dtype=dtype).reshape(shape) for values, shape in zip(start, SHAPES, strict=True)]
    groups: list[dict[str, Any]] = [{"params": tensors}]
    if second is not None:
        groups = [{"params": tensors[:2]}, {"params": tensors[2:], **second}]
    optimizer: Any = (OURS[kind] if kind in OURS else getattr(torch.optim, kind))(groups, **options)
    rows = []
    for t, given in enumerate(adjoints, start=1):
        for tensor, values in zip(tensors, given, strict=True):
            tensor.grad = None if values is None else torch.tensor(values, dtype=dtype).reshape(tensor.shape)
        optimizer.step()
        if t in KEPT:
            rows.append([x for tensor in tensors for x in tensor.ravel().tolist()])
    return rows


def main() -> None:
    rng = np.random.default_rng(0)
    start = [rng.standard_normal(shape).round(3).ravel().tolist() for shape in SHAPES]
    adjoints: list[Any] = [
        [(rng.standard_normal(shape) * 2 + 0.5).round(3).ravel().tolist() for shape in SHAPES] for _ in range(20)
    ]
    for t in range(5, 9):
        adjoints[t][1] = None
    for t in range(2):
        adjoints[t][2] = None
    cases = {}
    for name, case in CASES.items():
        kind, options, second = case
        cases[name] = {"optimizer": kind, "options": options, "second": second}
        cases[name]["float64"] = run(case, start, adjoints, torch.float64)
        if kind not in OURS:
            single = run(case, start, adjoints, torch.float32)
            cases[name]["float32"] = [[float(f"{x:.9g}") for x in row] for row in single]
    head = {"shapes": SHAPES, "kept": KEPT, "start": start, "adjoints": adjoints}
    lines = [f"{json.dumps(name)}: {json.dumps(value)}" for name, value in head.items()]
    lines.append('"cases": {\n' + ",\n".join(f"{json.dumps(n)}: {json.dumps(c)}" for n, c in cases.items()) + "\n}")
    Path(__file__).with_name("optimizers.json").write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
