"""One sample: its forward pass through the network, and the numbers of the delta rule in the backward pass."""

from __future__ import annotations

from typing import Any

import numpy as np

from nn.playing.experiment import Experiment
from nn.playing.network import of_loss
from nn.playing.snapshot import finite


def one_sample(experiment: Experiment, index: int) -> dict[str, Any]:
    """The forward and backward pass of training sample `index`, modulo their number, in evaluation mode.

    For each layer k: `sums` z, `values` h, and the adjoints of this sample's loss by them (`sum_adjoints` is the δ of
    the delta rule), `weights` of shape (neurons, neurons before) with `weight_adjoints` δ_j h_i, `biases` with
    `bias_adjoints` δ_j. With batch normalisation z is the sum before it.
    """
    problem, network = experiment.problem, experiment.network
    index %= len(problem.points)
    x, y = experiment.x[index : index + 1], problem.targets[index : index + 1]
    network.model.eval()
    try:
        found = network.passed(x)
        loss = experiment.loss_function(found[-1].values, y)
        adjoints = of_loss(network, found, loss)
    finally:
        network.model.train()
    weights = network.weights()
    layers = [
        {
            "sums": numbers(layer.sums.value[0]),
            "values": numbers(layer.values.value[0]),
            "sum_adjoints": numbers(adjoints.sums[k][0]),
            "value_adjoints": numbers(adjoints.values[k][0]),
            "weights": [numbers(row) for row in weights[k][0]],
            "biases": numbers(weights[k][1]),
            "weight_adjoints": [numbers(row) for row in adjoints.weights[k]],
            "bias_adjoints": numbers(adjoints.biases[k]),
        }
        for k, layer in enumerate(found)
    ]
    return {
        "index": index,
        "count": len(problem.points),
        "point": numbers(problem.points[index]),
        "inputs": numbers(x[0]),
        "target": finite(y[0, 0]),
        "loss": finite(loss.item()),
        "layers": layers,
    }


def numbers(row: Any) -> list[float | None]:
    """Numbers for JSON, with None for NaN and infinity."""
    return [finite(value) for value in np.asarray(row).tolist()]
