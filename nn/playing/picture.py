"""A picture of an experiment as SVG, for a stored notebook, where no widget runs."""

from __future__ import annotations

import base64
import struct
import zlib
from typing import Any

import numpy as np
import numpy.typing as npt

from nn.playing.experiment import Experiment
from nn.playing.settings import INPUTS
from nn.playing.snapshot import FINE, STEP, input_maps, snapshot

Array = npt.NDArray[Any]
NEGATIVE, ZERO, POSITIVE = (np.array(c) for c in ((224, 129, 42), (246, 245, 241), (47, 116, 181)))
WIDTH, HEIGHT, TILE, MAP = 860, 400, 34, 260
LABELS = dict(zip(INPUTS, ("x₁", "x₂", "x₁²", "x₂²", "x₁x₂", "sin πx₁", "sin πx₂"), strict=True))


def drawn(experiment: Experiment) -> str:
    """The network with its maps and weights, the output with the training samples, and the losses."""
    frame = snapshot(experiment)
    settings, side = experiment.settings, FINE // STEP
    every = dict(zip(INPUTS, input_maps(experiment.problem)["input_maps"].reshape(-1, side, side), strict=True))
    maps = frame.arrays["maps"].reshape(-1, side, side)
    columns: list[list[Array]] = [[every[name] for name in settings.inputs]]
    for k, units in enumerate(settings.layers):
        start = sum(settings.layers[:k])
        columns.append(list(maps[start : start + units]))
    output = frame.arrays["output"].reshape(FINE, FINE)
    columns.append([output])
    places = [_places(len(column), k, len(columns)) for k, column in enumerate(columns)]
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
        'font-family="system-ui, sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" rx="12" fill="#ffffff"/>',
        *_lines(experiment, places),
    ]
    for column, spots in zip(columns, places, strict=True):
        parts += [_image(levels, x, y, TILE) for levels, (x, y) in zip(column, spots, strict=True)]
    parts += [
        f'<text x="{x - 6}" y="{y + 22}" text-anchor="end" fill="#62666e" font-style="italic">{LABELS[name]}</text>'
        for name, (x, y) in zip(settings.inputs, places[0], strict=True)
    ]
    left, top = WIDTH - MAP - 24, 24
    pale = (output * 0.62).astype(np.int8)  # so that the samples stand out
    parts += [_image(pale, left, top, MAP), *_samples(experiment, left, top)]
    measured = experiment.measured()
    words = [f"epoch {experiment.epoch}", f"training loss {measured['loss']:.3f}"]
    words += [f"test loss {measured['validation_loss']:.3f}"]
    if "validation_accuracy" in measured:
        words.append(f"{100 * measured['validation_accuracy']:.1f} % of the test data right")
    lines, below = [", ".join(words[:2]), ", ".join(words[2:])], top + MAP + 24
    parts += [f'<text x="{left}" y="{below + 18 * k}" fill="#1d2025">{line}</text>' for k, line in enumerate(lines)]
    return "\n".join([*parts, *_curves(experiment, left, below + 32), "</svg>"])


def _places(count: int, column: int, columns: int) -> list[tuple[float, float]]:
    """The top left corners of a column's tiles."""
    x = 72 + column * (WIDTH - MAP - 170) / max(columns - 1, 1)
    return [(x, HEIGHT / 2 + (k - count / 2) * (TILE + 4)) for k in range(count)]


def _lines(experiment: Experiment, places: list[list[tuple[float, float]]]) -> list[str]:
    weights = [linear.weight.value for linear in experiment.network.linears]
    largest = max((float(np.abs(w).max()) for w in weights), default=0.0) or 1.0
    found = []
    for k, matrix in enumerate(weights):
        for (unit, other), w in np.ndenumerate(np.nan_to_num(matrix)):
            (x, y), (u, v) = places[k][other], places[k + 1][unit]
            x, y, v, share = x + TILE, y + TILE / 2, v + TILE / 2, min(abs(float(w)) / largest, 1.0)
            colour = "#e0812a" if w < 0 else "#2f74b5"
            found.append(
                f'<path d="M{x:.1f} {y:.1f}C{(x + u) / 2:.1f} {y:.1f} {(x + u) / 2:.1f} {v:.1f} {u:.1f} {v:.1f}" '
                f'fill="none" stroke="{colour}" stroke-width="{0.4 + 4.6 * share:.2f}" '
                f'stroke-opacity="{0.2 + 0.7 * share**0.5:.2f}"/>'
            )
    return found


def _samples(experiment: Experiment, left: float, top: float) -> list[str]:
    west, east, south, north = experiment.problem.extent
    middle = 0.5 if experiment.problem.loss == "bce" else 0.0
    found = []
    for (x1, x2), (y,) in zip(experiment.problem.points, experiment.problem.targets, strict=True):
        cx, cy = left + (x1 - west) / (east - west) * MAP, top + (north - x2) / (north - south) * MAP
        colour = "#e0812a" if y <= middle else "#2f74b5"
        found.append(
            f'<circle cx="{cx:.1f}" cy="{cy:.1f}" r="2.6" fill="{colour}" stroke="#ffffff" stroke-width=".8"/>'
        )
    return found


def _curves(experiment: Experiment, left: float, top: float) -> list[str]:
    found = []
    columns = [np.array(experiment.history[name]) for name in ("validation_loss", "loss")]
    most = max((float(np.nanmax(c)) for c in columns if len(c) > 1), default=0.0)
    if not np.isfinite(most) or most <= 0:
        return []
    for column, colour in zip(columns, ("#a5a8ad", "#1d2025"), strict=True):
        kept = np.unique(np.linspace(0, len(column) - 1, 200).astype(int))
        xs, ys = left + kept / kept[-1] * MAP, top + 36 * (1 - np.nan_to_num(column[kept]) / most)
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in zip(xs, ys, strict=True))
        found.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.5"/>')
    return found


def _image(levels: Array, x: float, y: float, size: float) -> str:
    data = base64.b64encode(_png(levels)).decode()
    return f'<image x="{x:.1f}" y="{y:.1f}" width="{size}" height="{size}" href="data:image/png;base64,{data}"/>'


def _png(levels: Array) -> bytes:
    """A map of levels, -127 to 127, as a PNG of 8-bit RGB (ISO/IEC 15948)."""
    share = levels.astype(np.float64)[..., None] / 127
    pixels = np.where(share < 0, ZERO - share * (NEGATIVE - ZERO), ZERO + share * (POSITIVE - ZERO))
    height, width = levels.shape
    rows = np.concatenate(
        [np.zeros((height, 1), np.uint8), np.rint(pixels).astype(np.uint8).reshape(height, -1)], axis=1
    )

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows.tobytes(), 9)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body
