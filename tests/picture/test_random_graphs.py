"""Random computations in random scopes: what every reading and every folding of a graph must keep."""

from __future__ import annotations

import contextlib
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autodiff as ad
import nn
from autodiff.engine.graph import Node, ancestors
from autodiff.engine.reverse import adjoints
from autodiff.picture import draw
from autodiff.picture.content.reading import read
from autodiff.picture.stepping.story import story

OPERATIONS = (
    lambda a, b, k: a + b,
    lambda a, b, k: a * b,
    lambda a, b, k: np.sin(a) - k,
    lambda a, b, k: np.tanh(b) * k,
    lambda a, b, k: np.sum(np.stack([a, b, a]) * np.array([1.0, 2.0, k])),
)


class Part(nn.Module):
    """A module that computes whatever it is told, with a parameter and a buffer of its own."""

    def __init__(self) -> None:
        self.weight = ad.Tensor(0.5, name="w")
        self.buffer = np.array([1.0, -1.0])

    def forward(self, compute, a):
        return compute(np.sum(a * self.weight * self.buffer) + a)


@st.composite
def computations(draw):
    """The result of a random program on numbers, with modules, named scopes, shared leaves and constants."""
    parts = [Part() for _ in range(draw(st.integers(1, 3)))]
    values = [
        ad.Tensor(v, name=f"x{k}") for k, v in enumerate(draw(st.lists(st.floats(-1, 1), min_size=1, max_size=3)))
    ]

    def block(depth):
        for _ in range(draw(st.integers(1, 4))):
            kind = draw(st.integers(0, 5 if depth < 3 else 3))
            index = st.integers(0, len(values) - 1)
            a, b = values[draw(index)], values[draw(index)]
            if kind <= 3:
                values.append(draw(st.sampled_from(OPERATIONS))(a, b, draw(st.sampled_from((1.0, -0.5)))))
            elif kind == 4:
                with ad.scope(draw(st.sampled_from(("loss", "block 1", "block 2", "<b>")))):
                    block(depth + 1)
            else:

                def inside(x, depth=depth):
                    values.append(x)
                    block(depth + 1)
                    return values[-1] + x

                values.append(draw(st.sampled_from(parts))(inside, a))

    block(0)
    if draw(st.booleans()):
        values.append(values[-1] + parts[0].weight ** 2)
    return values[-1]


@settings(max_examples=120)
@given(computations(), st.integers(2, 40), st.none() | st.integers(0, 3))
def test_readings(y, max_cards, depth):
    scene = read(y, "draw", None, depth, max_cards).scene
    if depth is None:
        assert len(scene.cards) <= max_cards
    assert scene.values == len(ancestors(y))
    assert all(wire.tail < wire.head for wire in scene.wires)
    assert all(box.parent is None or box.parent < index for index, box in enumerate(scene.boxes))
    assert {card.box for card in scene.cards} <= {None, *range(len(scene.boxes))}
    assert [card.kind for card in scene.cards].count("output") == (y.primitive is not None)
    folded = sum(card.fold.operations for card in scene.cards if card.fold)
    single = sum(card.fold is None and card.kind in ("operation", "output") for card in scene.cards)
    assert folded + single == sum(node.primitive is not None for node in ancestors(y))


@settings(max_examples=60)
@given(computations())
def test_an_unfolded_reading_is_the_graph(y):
    nodes = ancestors(y)
    scene = read(y, "draw", None, 40, 1000).scene
    assert not any(card.fold for card in scene.cards)
    uses = sum(isinstance(a, Node) or np.ndim(a) > 0 for node in nodes for a in node.arguments)
    assert len(scene.wires) == uses
    adjoints = y.adjoints()
    for index, card in enumerate(scene.cards):
        received = [w.contribution for w in scene.wires if w.tail == index and w.contribution is not None]
        if received:
            np.testing.assert_allclose(sum(received), card.adjoint, rtol=1e-9, atol=1e-12)
    assert sum(card.adjoint is not None for card in scene.cards) == len(adjoints)


@settings(max_examples=25)
@given(computations(), st.integers(5, 40))
def test_pictures_and_stories(y, max_cards):
    picture = draw(y, max_cards=max_cards)
    root = ET.fromstring(picture.svg)  # noqa: S314  # what draw has just written
    shown = [group for group in root.iter() if "data-node" in group.attrib]
    assert len(shown) == len(picture._scene.cards)
    steps = story(picture._scene, None).steps
    assert {step.card for step in steps if step.value is not None} == set(range(len(shown)))
    assert picture.svg == draw(y, max_cards=max_cards).svg
    with contextlib.suppress(ValueError):
        assert ad.steps(y, max_cards=max_cards).html


@pytest.mark.parametrize("order", [1, 2])
def test_graphs_of_derivatives_and_checkpoints_can_be_drawn(order):
    with ad.scope("model"):
        x = ad.Tensor(0.7, name="x")
        piece = ad.checkpoint(lambda v: np.sin(v) * v)
        y = piece(x) + np.exp(x)
    g = y
    for _ in range(order):
        g = adjoints(g, ad.Tensor(1.0), wrt=[x], recorded=True)[x]
    assert "model" in draw(g, direction="LR").svg
    assert ad.steps(g).html
