"""Writes schedules.json: the learning rates of PyTorch's schedules, for two groups and 25 steps or more.

python tests/nn/references/make_schedules.py        # needs torch; last written with 2.13
"""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import torch

METRICS = [5.0, 4.0, 4.5, 3.9999, 4.2, 4.1, 3.0, 3.1, 3.2, 3.3, 3.0, 2.9, 3.5, 3.5, 3.5, 3.5, 3.5, 3.5, 3.5, 3.5, 3.5]
METRICS += [2.0, 2.5, 2.5, 2.5, 2.5, 2.5, 2.5, 2.5, 2.5]

# name: (schedule, options[, optimizer])
CASES: dict[str, tuple[Any, ...]] = {
    "StepLR": ("StepLR", {"step_size": 4}),
    "StepLR, gamma": ("StepLR", {"step_size": 3, "gamma": 0.7}),
    "MultiStepLR": ("MultiStepLR", {"milestones": [3, 10, 10, 17], "gamma": 0.5}),
    "ConstantLR": ("ConstantLR", {}),
    "ConstantLR, options": ("ConstantLR", {"factor": 0.5, "total_iters": 7}),
    "LinearLR": ("LinearLR", {}),
    "LinearLR, options": ("LinearLR", {"start_factor": 0.1, "end_factor": 0.5, "total_iters": 12}),
    "ExponentialLR": ("ExponentialLR", {"gamma": 0.9}),
    "PolynomialLR": ("PolynomialLR", {}),
    "PolynomialLR, options": ("PolynomialLR", {"total_iters": 20, "power": 2.5}),
    "CosineAnnealingLR": ("CosineAnnealingLR", {"T_max": 30}),
    "CosineAnnealingLR, twice": ("CosineAnnealingLR", {"T_max": 8, "eta_min": 0.001}),
    "CosineAnnealingWarmRestarts": ("CosineAnnealingWarmRestarts", {"T_0": 5}),
    "CosineAnnealingWarmRestarts, longer": (
        "CosineAnnealingWarmRestarts",
        {"T_0": 3, "T_mult": 2, "eta_min": 0.001},
    ),
    "OneCycleLR": ("OneCycleLR", {"max_lr": 0.5, "total_steps": 25}),
    "OneCycleLR, linear": (
        "OneCycleLR",
        {
            "max_lr": [0.5, 0.25], "epochs": 5, "steps_per_epoch": 5, "pct_start": 0.45, "anneal_strategy": "linear",
            "base_momentum": 0.7, "max_momentum": [0.9, 0.8], "div_factor": 10.0, "final_div_factor": 100.0,
        },
        "Adam",
    ),
    "OneCycleLR, three phases": (
        "OneCycleLR",
        {"max_lr": 0.5, "total_steps": 25, "three_phase": True, "pct_start": 0.4, "cycle_momentum": False},
        "Adagrad",
    ),
    "OneCycleLR, three phases with momentum": ("OneCycleLR", {"max_lr": 0.5, "total_steps": 25, "three_phase": True}),
    "ReduceLROnPlateau": ("ReduceLROnPlateau", {"patience": 2}),
    "ReduceLROnPlateau, options": (
        "ReduceLROnPlateau",
        {"factor": 0.5, "patience": 1, "threshold": 0.1, "threshold_mode": "abs", "cooldown": 2, "min_lr": 0.02},
    ),
    "ReduceLROnPlateau, large steps": ("ReduceLROnPlateau", {"patience": 1, "threshold": 0.034, "eps": 0.01}),
    "ReduceLROnPlateau, large share": ("ReduceLROnPlateau", {"factor": 0.9, "patience": 0, "threshold": 0.034}),
    "ReduceLROnPlateau, max": ("ReduceLROnPlateau", {"mode": "max", "factor": 0.3, "patience": 4, "min_lr": [0.01, 0]}),
    "ReduceLROnPlateau, max, abs": ("ReduceLROnPlateau", {"mode": "max", "threshold_mode": "abs", "patience": 3}),
    "SequentialLR": (
        "SequentialLR",
        {
            "schedulers": [
                ["LinearLR", {"start_factor": 0.1, "total_iters": 5}],
                ["CosineAnnealingLR", {"T_max": 10}],
                ["ExponentialLR", {"gamma": 0.9}],
            ],
            "milestones": [5, 15],
        },
    ),
}  # fmt: skip


def run(kind: str, options: dict[str, Any], optimizer: str = "SGD") -> dict[str, Any]:
    groups = [{"params": [torch.zeros(1)]}, {"params": [torch.zeros(1)], "lr": 0.03}]
    moved = getattr(torch.optim, optimizer)(groups, lr=0.1)
    if kind == "SequentialLR":
        inner = [getattr(torch.optim.lr_scheduler, name)(moved, **given) for name, given in options["schedulers"]]
        schedule = torch.optim.lr_scheduler.SequentialLR(moved, inner, options["milestones"])
    else:
        schedule = getattr(torch.optim.lr_scheduler, kind)(moved, **options)
    rates, momenta = [], []
    for t in range(25 if kind == "OneCycleLR" else 31):
        if t:
            moved.step()
            schedule.step(*([METRICS[t - 1]] if kind == "ReduceLROnPlateau" else []))
        rates.append([group["lr"] for group in moved.param_groups])
        momenta.append([group.get("momentum", group.get("betas", [0])[0]) for group in moved.param_groups])
    found = {"schedule": kind, "options": options, "optimizer": optimizer, "rates": rates}
    return found | ({"momenta": momenta} if kind == "OneCycleLR" and optimizer != "Adagrad" else {})


def main() -> None:
    warnings.simplefilter("ignore")
    lines = [f"{json.dumps(name)}: {json.dumps(run(*case))}" for name, case in CASES.items()]
    lines = [f'"metrics": {json.dumps(METRICS)}', '"cases": {\n' + ",\n".join(lines) + "\n}"]
    Path(__file__).with_name("schedules.json").write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
