"""Pictures on the screen that people have: no wider than a notebook's cell, no text too small, words that are known."""

from __future__ import annotations

import itertools
import re

import numpy as np
import pytest
from models import exact, loss_of_mlp

import autodiff as ad
import autodiff.picture
import nn
import nn.functional as F
from autodiff.picture.drawing.plan import WIDE

SMALLEST = 11  # px


def perceptron():
    return nn.CrossEntropyLoss()(nn.MLP(64, 32, 16, 10, rng=0)(exact((32, 64), 2)), np.arange(32) % 10)


def recurrent(kind, steps):
    return np.mean(kind(3, 4, rng=0, dtype=np.float64)(exact((steps, 5, 3), 2), unrolled=True)[0] ** 2)


def lenet():
    layers = [nn.Conv2d(1, 6, 5, padding=2, rng=0), nn.Tanh(), nn.AvgPool2d(2), nn.Conv2d(6, 16, 5, rng=0), nn.Tanh()]
    model = nn.Sequential(*layers, nn.AvgPool2d(2), nn.Flatten(), nn.Linear(400, 84, rng=0), nn.Linear(84, 10, rng=0))
    return nn.CrossEntropyLoss()(model(exact((4, 1, 28, 28), 2)), np.arange(4))


def transformer():
    return np.mean(nn.TransformerEncoderLayer(16, 2, rng=0)(exact((2, 6, 16), 2)) ** 2)


def chain():
    y = ad.Tensor(0.7, name="x")
    for _ in range(50):
        y = np.sin(y)
    return y


def cells():
    """A recurrence that is written as a loop, in scopes of its own."""
    cell, h = nn.RNNCell(4, 8, rng=0), np.zeros((5, 8))
    for step in range(8):
        with ad.scope(f"step {step}"):
            h = cell(exact((5, 4), step), h)
    return np.mean(h**2)


SUBJECTS = {
    "MLP 64-32-16-10": perceptron,
    "RNN of 8 steps": lambda: recurrent(nn.RNN, 8),
    "GRU of 32 steps": lambda: recurrent(nn.GRU, 32),
    "LeNet": lenet,
    "transformer layer": transformer,
    "50 operations": chain,
    "a loop": cells,
}


@pytest.mark.parametrize("name", SUBJECTS)
def test_a_picture_is_no_wider_than_a_cell_and_its_text_no_smaller_than_11_px(name):
    drawn = ad.draw(SUBJECTS[name]()).svg
    assert int(re.search(r'viewBox="0 0 (\d+)', drawn)[1]) <= WIDE
    assert min(float(size) for size in re.findall(r'<text [^>]*font-size="([^"]*)"', drawn)) >= SMALLEST


def test_the_steps_of_a_loop_stand_straight_below_each_other():
    picture = ad.draw(cells())
    rectangles = re.findall(r'<g data-scope="(\d+)"><title>step \d</title>\n<rect x="([^"]*)" y="([^"]*)"', picture.svg)
    places = list({scope: (left, top) for scope, left, top in reversed(rectangles)}.values())[::-1]  # frames come first
    lefts, tops = ([float(place) for place in column] for column in zip(*places, strict=True))
    assert len(places) == 8
    assert max(lefts[1:]) - min(lefts[1:]) < 30, "the first has other neighbours"
    assert all(above < below for above, below in itertools.pairwise(tops))


def test_operations_are_called_what_students_call_them():
    x, w, v = ad.Tensor(exact((2, 3, 8, 8), 1), name="x"), exact((4, 3, 3, 3), 2), ad.Tensor(exact((6, 8), 3), name="v")
    found = {
        "conv2d(": F.conv2d(x, w),
        "cross_entropy(": F.cross_entropy(v, np.arange(6)),
        "batch_norm(": F.batch_norm(x, None, None, training=True),
        "layer_norm(": F.layer_norm(v, (8,), np.ones(8)),
        "conv_transpose2d(": F.conv_transpose2d(x, np.ones((3, 2, 2, 2))),
        "interpolate ": F.interpolate(x, scale_factor=2, mode="bilinear"),
        "unfold ": F.unfold(x, 2),
        "stack(": np.stack([v, v * 2.0]),
    }
    for words, y in found.items():
        text = re.sub("<[^>]*>", "", ad.draw(np.sum(y), depth=9).svg)
        assert words in text, words


def test_a_page_that_would_be_too_large_says_how_much_does_not_open(monkeypatch):
    loss = loss_of_mlp()
    assert "would make this page too large" not in ad.draw(loss, depth=0).html
    monkeypatch.setattr(autodiff.picture, "MOST_SAVED", 20_000)
    assert "more folded cards would make this page too large and do not open" in ad.draw(loss, depth=0).html
