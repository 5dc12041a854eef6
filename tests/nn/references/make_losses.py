"""Losses and their gradients as PyTorch computes them, in double precision: python make_losses.py writes losses.json.

A case is a function of torch.nn.functional with a prediction, a target and options; the stored gradient, by the
prediction, is that of the sum of the loss's elements, each times 1, 2, 3 ...
"""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

rng = np.random.default_rng(20)
scores = rng.normal(0, 2, (6, 4)).round(3)
logarithms = np.log(np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)).round(4)
soft = rng.dirichlet(np.ones(4), 6)
soft[0] = [0, 1, 0, 0]
INPUTS: dict[str, Any] = {
    "scores": scores,
    "near": (scores / 2 + rng.normal(0, 0.5, (6, 4))).round(3),
    "probabilities": np.vstack([[0, 1, 0, 1], rng.uniform(0, 1, (5, 4)).round(3)]),
    "logarithms": logarithms,
    "labels": np.array([3, 0, 1, 1, 2, 0]),
    "labels with some ignored": np.array([3, -100, 1, 1, -100, 0]),
    "labels that ignore 1": np.array([3, 0, 1, 1, 2, 0]),
    "soft labels": soft,
    "logarithms of soft labels": np.log(soft[1:]),
    "logarithms of five": logarithms[1:],
    "zeros and ones": np.vstack([[0, 1, 1, 0], rng.integers(0, 2, (5, 4))]).astype(float),
    "shares": rng.uniform(0, 1, (6, 4)).round(3),
    "signs": np.where(rng.uniform(size=(6, 4)) < 0.5, -1.0, 1.0),
}
WEIGHT = [0.5, 2.0, 1.0, 0.25]
NUMBERS, CLASSES = ("scores", "near"), ("scores", "labels")

CASES: list[tuple[str, tuple[str, str], dict[str, Any]]] = [
    ("mse_loss", NUMBERS, {}),
    ("l1_loss", NUMBERS, {}),
    ("huber_loss", NUMBERS, {}),
    ("huber_loss", NUMBERS, {"delta": 0.3}),
    ("smooth_l1_loss", NUMBERS, {"beta": 0.3}),
    ("binary_cross_entropy", ("probabilities", "zeros and ones"), {}),
    ("binary_cross_entropy", ("probabilities", "shares"), {}),
    ("binary_cross_entropy_with_logits", ("scores", "zeros and ones"), {}),
    ("binary_cross_entropy_with_logits", ("scores", "shares"), {"pos_weight": WEIGHT}),
    ("cross_entropy", CLASSES, {}),
    ("cross_entropy", CLASSES, {"weight": WEIGHT}),
    ("cross_entropy", CLASSES, {"label_smoothing": 0.1}),
    ("cross_entropy", CLASSES, {"label_smoothing": 0.1, "weight": WEIGHT}),
    ("cross_entropy", ("scores", "labels that ignore 1"), {"ignore_index": 1, "weight": WEIGHT}),
    ("cross_entropy", ("scores", "labels with some ignored"), {}),
    ("cross_entropy", ("scores", "labels with some ignored"), {"label_smoothing": 0.1, "weight": WEIGHT}),
    ("cross_entropy", ("scores", "soft labels"), {}),
    ("cross_entropy", ("scores", "soft labels"), {"label_smoothing": 0.1, "weight": WEIGHT}),
    ("nll_loss", ("logarithms", "labels"), {}),
    ("nll_loss", ("logarithms", "labels with some ignored"), {"weight": WEIGHT}),
    ("soft_margin_loss", ("scores", "signs"), {}),
    ("multi_margin_loss", CLASSES, {}),
    ("multi_margin_loss", CLASSES, {"p": 2, "margin": 0.7, "weight": WEIGHT}),
    ("kl_div", ("logarithms", "soft labels"), {}),
    ("kl_div", ("logarithms of five", "logarithms of soft labels"), {"log_target": True}),
]


def computed(loss: str, prediction: str, target: str, options: dict[str, Any]) -> dict[str, Any]:
    """A case with its value and gradient."""
    x = torch.tensor(INPUTS[prediction], requires_grad=True)
    given = {k: torch.tensor(v, dtype=torch.float64) if isinstance(v, list) else v for k, v in options.items()}
    value = getattr(F, loss)(x, torch.tensor(INPUTS[target]), **given)
    (gradient,) = torch.autograd.grad((value * torch.arange(1, value.numel() + 1).reshape(value.shape)).sum(), x)
    return {
        "loss": loss, "prediction": prediction, "target": target, "options": options,
        "value": value.tolist(), "gradient": gradient.tolist(),
    }  # fmt: skip


if __name__ == "__main__":
    cases = []
    for (loss, (prediction, target), options), reduction in itertools.product(CASES, ("mean", "sum", "none")):
        cases.append(computed(loss, prediction, target, options | {"reduction": reduction}))
        if loss == "kl_div" and reduction == "mean":
            cases.append(computed(loss, prediction, target, options | {"reduction": "batchmean"}))
    rounded = json.loads(json.dumps(cases), parse_float=lambda text: float(f"{float(text):.10g}"))
    lines = ",\n".join(json.dumps(case) for case in rounded)
    inputs = json.dumps({name: array.tolist() for name, array in INPUTS.items()})
    head = f'{{"torch": "{torch.__version__}", "inputs": {inputs}, "cases": [\n{lines}\n]}}\n'
    Path(__file__).with_name("losses.json").write_text(head, encoding="utf-8")
