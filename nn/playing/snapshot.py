"""The snapshot: the state of an experiment that a view draws, as named numbers and a few compact arrays.

A `Frame` is a dict for JSON, with arrays of int8 and float32. Maps are int8 levels from -127 to 127, relative to their
scale: precise enough for a picture, with a quarter of the bytes of float32.
"""

from __future__ import annotations

import json
import math
import struct
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

import autodiff as ad
from nn.model.parts import Parts
from nn.playing import program
from nn.playing.experiment import Experiment
from nn.playing.network import of_loss
from nn.playing.problem import Problem
from nn.playing.settings import INPUTS

Array = npt.NDArray[Any]
FINE, STEP = 60, 2  # points along a side of the output's map; a neuron's map has every second point
LONGEST_CURVE = 240


class Frame(NamedTuple):
    """A message to a view."""

    content: dict[str, Any]
    arrays: dict[str, Array] = {}  # noqa: RUF012  # never written into

    def packed(self) -> tuple[dict[str, Any], bytes]:
        """The content, with the place of each array under "arrays", and the arrays one after the other."""
        places, parts, offset = [], [], 0
        for name, array in self.arrays.items():
            kind = "i1" if array.dtype == np.int8 else "f4"
            data = np.ascontiguousarray(array, "<" + kind).tobytes()
            data += b"\0" * (-len(data) % 4)
            places.append([name, kind, offset, array.size])
            parts.append(data)
            offset += len(data)
        return {**self.content, "arrays": places}, b"".join(parts)

    def to_bytes(self) -> bytes:
        """One message: the length of the content in four bytes, the content as JSON padded to 4, and the arrays."""
        content, data = self.packed()
        text = json.dumps(content, allow_nan=False).encode()
        text += b" " * (-len(text) % 4)
        return struct.pack("<I", len(text)) + text + data


def snapshot(experiment: Experiment, adjoints: bool = False) -> Frame:
    """The present state; with `adjoints` the neurons' maps are ∂output/∂h at each point, else the neurons' values.

    The adjoints of the weights are those of the loss of all training samples, with its penalties, at the present
    weights. They are computed as in training (batch normalisation by these samples, dropout), but generators and
    buffers are not changed. "sizes" and "neuron_sizes" are the root mean square, over the samples, of ∂loss/∂h of each
    layer and of each neuron, for the loss of one sample.
    """
    with np.errstate(all="ignore"):  # a training may diverge; the view shows that
        measured = experiment.measured()
        content = {
            "frame": True,
            "epoch": experiment.epoch,
            "batch": experiment.batch,
            "batches": len(experiment.batches),
            "measured": {name: finite(value) for name, value in measured.items()},
            "diverged": experiment.diverged or not all(map(math.isfinite, measured.values())),
            "adjoints": adjoints,
        }
        arrays = {**_maps(experiment, adjoints, content), **_weights(experiment, content), **_curves(experiment)}
    return Frame(content, arrays)


def samples(problem: Problem) -> dict[str, Array]:
    """The points and targets of both parts of the data."""
    return {
        "points": problem.points,
        "targets": problem.targets,
        "test_points": problem.test_points,
        "test_targets": problem.test_targets,
    }


def input_maps(problem: Problem) -> dict[str, Array]:
    """The maps of all inputs that can be chosen."""
    columns = _coarse(program.features(INPUTS, problem.grid(FINE)))
    return {"input_maps": _levels(columns, _peaks(columns)).T.ravel()}


def finite(value: float) -> float | None:
    """A number for JSON, which has no NaN and infinity: these become None."""
    return float(value) if math.isfinite(value) else None


def _maps(experiment: Experiment, adjoints: bool, content: dict[str, Any]) -> dict[str, Array]:
    """Every neuron's map and the output's. Their scales are added to the content."""
    from_points = experiment.inputs_of(experiment.problem.grid(FINE))
    network = experiment.network
    network.model.eval()
    try:
        if adjoints:
            values, shares = network.sensitivity(from_points)
        else:
            with ad.no_grad():
                values = [layer.values for layer in network.passed(from_points)]
            shares = []
    finally:
        network.model.train()
    hidden = shares[:-1] if adjoints else values[:-1]
    columns = [_coarse(column) for column in hidden]
    peaks = [_peaks(column) for column in columns]
    if adjoints:  # one scale for all layers, so that vanishing adjoints look small
        together = max((float(p.max()) for p in peaks), default=0.0)
        peaks = [np.full_like(p, together) for p in peaks]
    content["scales"] = [[finite(p) for p in peak] for peak in peaks]
    output = values[-1]
    shown = np.tanh(output / 2) if experiment.problem.loss == "bce" else output
    top = 1.0 if experiment.problem.classes else max(float(np.abs(experiment.problem.targets).max()), 1e-6)
    levels = [_levels(c, p).T.ravel() for c, p in zip(columns, peaks, strict=True)]
    return {
        "maps": np.concatenate([*levels, np.empty(0, np.int8)]),
        "output": _levels(shown, np.array([top])).ravel(),
    }


def _weights(experiment: Experiment, content: dict[str, Any]) -> dict[str, Array]:
    """The weights and biases layer by layer, and their adjoints. The sizes of ∂loss/∂h are added to the content."""
    network = experiment.network
    put_back = Parts(network.model).snapshot()
    try:
        found = network.passed(experiment.x)
        adjoints = of_loss(network, found, experiment.loss(found[-1].values, experiment.problem.targets))
    finally:
        put_back()
    squares = [np.mean(np.square(h, dtype=np.float64), axis=0) for h in adjoints.values]
    content["sizes"] = [finite(len(experiment.x) * float(np.sqrt(np.mean(square)))) for square in squares]
    content["neuron_sizes"] = [[finite(len(experiment.x) * s) for s in np.sqrt(square).tolist()] for square in squares]
    weights = [part for pair in network.weights() for part in pair]
    shares = [part for pair in zip(adjoints.weights, adjoints.biases, strict=True) for part in pair]
    return {"weights": _joined(weights), "weight_adjoints": _joined(shares)}


def _curves(experiment: Experiment) -> dict[str, Array]:
    """The columns of the history, thinned to what a picture can show; the last epoch is always there."""
    count = experiment.epoch
    kept = np.unique(np.linspace(0, count - 1, LONGEST_CURVE).astype(int)) if count > LONGEST_CURVE else range(count)
    columns = {f"curve_{name}": [column[k] for k in kept] for name, column in experiment.history.columns.items()}
    return {name: np.array(column, np.float32) for name, column in {"epochs": [k + 1 for k in kept], **columns}.items()}


def _coarse(column: Array) -> Array:
    """Every second point of a fine grid along either side, of shape (points, neurons)."""
    return column.reshape(FINE, FINE, -1)[::STEP, ::STEP].reshape((FINE // STEP) ** 2, -1)


def _peaks(column: Array) -> Array:
    return np.nan_to_num(np.abs(column), nan=0.0, posinf=0.0).max(axis=0)


def _levels(column: Array, peaks: Array) -> Array:
    share = np.nan_to_num(column / np.where(peaks > 0, peaks, 1.0), nan=0.0)
    return np.rint(np.clip(share, -1, 1) * 127).astype(np.int8)


def _joined(parts: list[Array]) -> Array:
    return np.concatenate([part.ravel() for part in parts])
