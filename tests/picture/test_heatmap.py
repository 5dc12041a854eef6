import numpy as np
import pytest

from autodiff.arrays.tensor import Tensor
from autodiff.picture import draw
from autodiff.picture.content.heatmap import MOST_CELLS, NAN_LEVEL, TOP_LEVEL, ZERO_LEVEL, heatmap


def test_levels_run_from_minus_the_scale_to_plus_the_scale():
    drawn = heatmap([-4.0, -2.0, 0.0, 2.0, 4.0])
    assert drawn.scale == 4
    assert drawn.levels == [[0, 3, ZERO_LEVEL, 7, TOP_LEVEL]]


def test_infinities_take_the_end_colours_and_nan_its_own():
    drawn = heatmap([[np.inf, 1.0], [-np.inf, np.nan]])
    assert drawn.levels == [[TOP_LEVEL, TOP_LEVEL], [0, NAN_LEVEL]]
    assert np.isnan(drawn.scale)


def test_the_scale_comes_from_the_finite_values():
    drawn = heatmap([np.inf, 1.0, -10.0])
    assert drawn.levels == [[TOP_LEVEL, ZERO_LEVEL, 0]]
    assert drawn.scale == np.inf


def test_without_finite_values_and_with_zeros_alone_the_scale_is_one():
    assert heatmap([np.inf, -np.inf]).levels == [[TOP_LEVEL, 0]]
    assert heatmap([np.nan]).levels == [[NAN_LEVEL]]
    assert heatmap(np.zeros((2, 2))).levels == [[ZERO_LEVEL] * 2] * 2


@pytest.mark.parametrize("shape", [(0,), (0, 3), (3, 0), (2, 0, 2)])
def test_an_empty_array_has_no_heat_map(shape):
    assert heatmap(np.zeros(shape)) is None


@pytest.mark.parametrize(
    ("value", "levels"),
    [
        (np.array([True, False]), [[TOP_LEVEL, ZERO_LEVEL]]),
        (np.array([-3, 0, 3]), [[0, ZERO_LEVEL, TOP_LEVEL]]),
        (np.array([0, 255], dtype=np.uint8), [[ZERO_LEVEL, TOP_LEVEL]]),
        (np.array([3 - 4j, 0]), [[TOP_LEVEL, ZERO_LEVEL]]),
        (np.array([1e308, -1e308]), [[TOP_LEVEL, 0]]),
        (np.array([5e-324, 0]), [[TOP_LEVEL, ZERO_LEVEL]]),
        (np.array([1, -1], dtype=np.float16), [[TOP_LEVEL, 0]]),
    ],
)
def test_every_kind_of_number_is_drawn(value, levels):
    assert heatmap(value).levels == levels


def test_many_dimensions_become_rows_of_the_last_axis():
    drawn = heatmap(np.arange(24.0).reshape(2, 3, 4))
    assert [len(row) for row in drawn.levels] == [4] * 6


def test_of_a_large_array_each_cell_shows_the_greatest_magnitude_of_its_block():
    value = np.zeros((2400, 48))
    value[50, 1] = 3.0
    value[50, 0] = -2.0
    drawn = heatmap(value)
    assert (len(drawn.levels), len(drawn.levels[0])) == (MOST_CELLS, MOST_CELLS)
    assert drawn.levels[0][0] == TOP_LEVEL
    assert drawn.scale == 3
    assert sum(level != ZERO_LEVEL for row in drawn.levels for level in row) == 1


@pytest.mark.parametrize(
    "value",
    [
        np.full((3, 4), np.nan),
        np.array([np.inf, -np.inf, 0.0]),
        np.zeros((0, 3)),
        np.array([1e-300, 1e300]),
        np.array([[1 + 2j]]),
        np.ones((2, 3, 4), dtype=np.float32),
    ],
    ids=["nan", "inf", "empty", "range", "complex", "cube"],
)
def test_arrays_of_every_kind_are_drawn(value):
    tensor = Tensor(value, name="x")
    svg = draw(tensor * 1.0, seed=np.ones(value.shape)).svg
    assert svg.count("<g data-node=") == 2


@pytest.mark.parametrize("constant", [np.array([True, False]), np.array([1, 2]), np.zeros(2, np.float32)])
def test_constants_of_every_kind_are_drawn(constant):
    assert "CONST" in draw(Tensor([1.0, 2.0]) * constant).svg


def test_a_checkerboard_is_not_averaged_away():
    value = np.where(np.indices((64, 64)).sum(0) % 2, 1.0, -1.0)
    drawn = heatmap(value)
    assert drawn.scale == 1
    assert {level for row in drawn.levels for level in row} <= {0, TOP_LEVEL}
    uniform = np.random.default_rng(0).uniform(-0.125, 0.125, (300, 300))
    assert heatmap(uniform).scale == np.abs(uniform).max()
    uniform[17, 200] = np.nan
    assert sum(level == NAN_LEVEL for row in heatmap(uniform).levels for level in row) == 1


@pytest.mark.parametrize(
    ("constant", "caption"),
    [(np.arange(10), "0 to 9"), (np.arange(-3, 7), "−3 to 6"), (np.arange(10) > 4, "mask"), (np.full(10, 0.5), "±0.5")],
)
def test_whole_numbers_and_masks_are_captioned_by_what_they_are(constant, caption):
    assert f">{caption}<" in draw(Tensor(np.ones(10)) * constant).svg
