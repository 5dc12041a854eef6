"""Writes lbfgs.json: where PyTorch's L-BFGS takes five parameters in a valley, by steps of several iterations.

python tests/nn/references/make_lbfgs.py        # needs torch; last written with 2.13
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch

START = [-1.2, 1.0, 0.7, -0.4, 1.1]
CASES: dict[str, dict[str, Any]] = {
    "defaults": {"lr": 0.5, "max_iter": 6},
    "short history": {"lr": 0.3, "max_iter": 5, "history_size": 2},
    "few evaluations": {"lr": 0.3, "max_iter": 9, "max_eval": 4},
    "tolerances": {"lr": 0.5, "max_iter": 40, "tolerance_grad": 0.5, "tolerance_change": 1e-3},
}


def main() -> None:
    """Compute and write."""
    found = {}
    for name, options in CASES.items():
        x = torch.tensor(START, dtype=torch.float64, requires_grad=True)
        optimizer, losses, places = torch.optim.LBFGS([x], **options), [], []

        def closure(x: torch.Tensor = x, optimizer: Any = optimizer) -> torch.Tensor:
            optimizer.zero_grad()
            loss = torch.sum(10 * (x[1:] - x[:-1] ** 2) ** 2 / (1 + x[1:] ** 2) + (1 - x[:-1]) ** 2)
            loss.backward()
            return loss

        for _ in range(3):
            losses.append(optimizer.step(closure).item())
            places.append(x.detach().tolist())
        calls = optimizer.state_dict()["state"][0]["func_evals"]
        found[name] = {"options": options, "losses": losses, "places": places, "calls": calls}
    text = json.dumps({"start": START, "cases": found}, indent=1)
    Path(__file__).with_name("lbfgs.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
