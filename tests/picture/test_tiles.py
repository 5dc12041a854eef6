"""Arrays of one axis as bars or lines, of three and more as grids of tiles; scales that are shared."""

import numpy as np
import pytest
from models import exact

import autodiff as ad
import nn
from autodiff.picture.content.heatmap import MOST_CELLS, TOP_LEVEL, ZERO_LEVEL, Heatmap
from autodiff.picture.content.reading import read
from autodiff.picture.content.tiles import GAP_LEVEL, MOST_BARS, Plot, drawing, tiled
from autodiff.picture.drawing.plan import WIDE, Options, planned


def test_a_short_vector_is_bars_and_a_long_one_a_line():
    bars = drawing(np.array([1.0, -2.0, 0.0]))
    assert bars == Plot([0.5, -1.0, 0.0], 2.0, False)
    line = drawing(np.sin(np.linspace(0, 20, 500)))
    assert line.line
    assert len(line.heights) == 2 * MOST_BARS
    assert all(low <= high for low, high in zip(line.heights[::2], line.heights[1::2], strict=True))
    svg = ad.draw(ad.Tensor(np.array([1.0, -2.0, 0.0]))).svg
    assert svg.count("#5aae61") >= 1, "above zero"


@pytest.mark.parametrize(
    "value", [np.array([1.0, np.nan]), np.array([1, 2]), np.array([True, False]), np.array([1j, 2])]
)
def test_labels_masks_and_what_is_not_finite_stay_cells(value):
    assert isinstance(drawing(value), Heatmap)


@pytest.mark.parametrize(
    ("shape", "grid"),
    [
        ((4, 1, 28, 28), (2, 2)),
        ((2, 2, 5, 5), (2, 2)),
        ((8, 4, 3, 3), (4, 4)),
        ((3, 6, 6), (2, 2)),
        ((2, 3, 3, 3), (2, 3)),
    ],
)
def test_images_and_filters_are_grids_of_tiles(shape, grid):
    assert tiled(shape)[:2] == grid
    drawn = drawing(np.ones(shape))
    assert len(drawn.levels) <= MOST_CELLS
    assert max(map(len, drawn.levels)) <= MOST_CELLS
    assert any(level == GAP_LEVEL for row in drawn.levels for level in row)
    assert drawn.scale == 1


def test_the_tiles_of_a_grid_share_a_scale():
    value = np.zeros((2, 3, 3))
    value[0, 0, 0], value[1, 0, 0] = 4.0, 2.0
    drawn = drawing(value)
    assert drawn.levels[0][0] == TOP_LEVEL
    assert ZERO_LEVEL < drawn.levels[0][4] < TOP_LEVEL
    assert drawn.scale == 4


def unrolled(steps):
    W = ad.Tensor(0.4 * np.eye(3), name="W")
    h = ad.Tensor(np.ones(3), name="h0")
    for k in range(steps):
        with ad.scope(f"step {k}"):
            h = np.tanh(W @ h)
    return np.sum(h)


def test_steps_share_a_scale_so_that_their_adjoints_are_seen_to_fade():
    scene = read(unrolled(6), "draw", None, 0, 60).scene
    plan = planned(scene, Options())
    folded = [columns[0] for card, columns in zip(scene.cards, plan.columns, strict=True) if card.fold]
    heights = [abs(own[1].drawn.heights[0]) for own in folded]
    assert heights == sorted(heights)
    assert heights[-1] == 1.0
    assert "one scale for cards that are alike" in ad.draw(unrolled(6), depth=0).svg


def test_a_recurrent_layer_shows_its_steps_and_fits(tmp_path):
    for kind in (nn.RNN, nn.GRU, nn.LSTM):
        layer = kind(3, 4, rng=0, dtype=np.float64)
        y = np.mean(layer(exact((8, 5, 3), 2), unrolled=True)[0] ** 2)
        picture = ad.draw(y)
        names = [card.fold.name for card in picture._scene.cards if card.fold]
        assert names == [f"step {k}" for k in range(1, 9)]
        assert int(picture.svg.split('viewBox="0 0 ')[1].split()[0]) <= WIDE
    states = next(card.fold.results for card in picture._scene.cards if card.fold)
    assert len(states) == 2, "an LSTM's h and c"
