from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import autodiff as ad
import nn
import nn.functional as F

REFERENCE = {
    name.removeprefix("embedding/"): np.array(values)
    for name, values in json.loads((Path(__file__).parent / "references/normalisation.json").read_text("utf-8")).items()
    if name.startswith("embedding/")
}
rng = np.random.default_rng(0)


def test_it_is_pytorchs():
    table = ad.Tensor(REFERENCE["table"])
    y = F.embedding(REFERENCE["indices"].astype(int), table, padding_idx=2)
    np.testing.assert_allclose(y.value, REFERENCE["y"])
    y.backward(REFERENCE["seed"])
    np.testing.assert_allclose(table.grad, REFERENCE["adjoint"], rtol=1e-8)
    assert not table.grad[2].any()


@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (0,), (2, 0), (1, 2, 2)])
@pytest.mark.parametrize("dtype", [np.int64, np.uint8, ">i4"])
def test_indices_of_any_shape_to_second_order(shape: tuple[int, ...], dtype: object):
    indices = rng.integers(0, 4, shape).astype(dtype)
    table = rng.standard_normal((4, 3))
    np.testing.assert_array_equal(F.embedding(indices, table), table[indices])
    ad.check_grads(lambda t: F.embedding(indices, t), table, order=2)
    ad.check_grads(lambda t: F.embedding(indices, np.sin(t)) ** 3, table, order=2)
    padded = np.sin(table)
    padded[1] = 0
    ad.check_grads(lambda t: F.embedding(indices, t * (np.arange(4) != 1)[:, None], padding_idx=1) ** 2, table, order=2)


def test_repeated_indices_add_up():
    layer = nn.Embedding(5, 2, rng=0)
    layer([1, 1, 3, 1]).sum().backward()
    assert layer.weight.grad.tolist() == [[0, 0], [3, 3], [0, 0], [1, 1], [0, 0]]
    assert layer.weight.grad.dtype == np.float32


def test_places_in_the_table_do_not_overflow_small_integers():
    layer = nn.Embedding(256, 8, rng=0)
    layer(np.array([200, 255], np.uint8)).sum().backward()
    assert np.flatnonzero(layer.weight.grad.any(axis=1)).tolist() == [200, 255]


def test_a_one_hot_vector_times_the_table_is_the_same():
    layer = nn.Embedding(6, 4, rng=0, dtype=np.float64)
    labels = rng.integers(0, 6, (3, 2))
    np.testing.assert_allclose(layer(labels).value, F.one_hot(labels, 6) @ layer.weight.value)


def test_the_table_starts_standard_normal_and_the_padding_row_at_0():
    weight = nn.Embedding(400, 30, rng=0).weight.value
    assert weight.dtype == np.float32
    assert weight.std() == pytest.approx(1, rel=0.02)
    layer = nn.Embedding(4, 3, padding_idx=-1, rng=0)
    assert layer.padding_idx == 3
    assert layer([3]).value.tolist() == [[0, 0, 0]]
    optimizer = nn.optim.Adam(layer.parameters(), lr=0.1)
    (layer([0, 3]) - 1).sum().backward()
    optimizer.step()
    assert not layer.weight.value[3].any()


def test_a_frozen_table_gives_constants():
    layer = nn.Embedding(4, 3, padding_idx=0, rng=0)
    expected = layer([1, 0]).value
    layer.weight = layer.weight.value
    assert isinstance(layer([1, 0]), np.ndarray)
    np.testing.assert_array_equal(layer([1, 0]), expected)


def test_one_hot():
    assert F.one_hot([0, 2], 3).tolist() == [[1, 0, 0], [0, 0, 1]]
    assert F.one_hot([0, 2]).dtype == np.int64
    assert F.one_hot([0, 2], dtype=np.float32).dtype == np.float32
    assert F.one_hot([[1], [0]]).shape == (2, 1, 2)
    assert F.one_hot(1, 2).tolist() == [0, 1]
    assert F.one_hot([], 3).shape == (0, 3)


def test_the_repr_is_the_call():
    assert repr(nn.Embedding(4, 3)) == "Embedding(4, 3)"
    assert repr(nn.Embedding(4, 3, -1)) == "Embedding(4, 3, padding_idx=3)"


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: nn.Embedding(3, 2)([0, 3]), ValueError, r"from 0 to 2 \(the table has 3 rows\); received 3"),
        (lambda: nn.Embedding(3, 2)([-1, 0]), ValueError, "received -1"),
        (lambda: nn.Embedding(3, 2)([0.0, 1.0]), TypeError, r"integers.*float64.*astype\(int\)"),
        (lambda: nn.Embedding(3, 2)(ad.Tensor([0.0])), TypeError, "float64"),
        (lambda: nn.Embedding(3, 2)([True]), TypeError, "bool"),
        (lambda: nn.Embedding(3, 2, padding_idx=3), ValueError, "padding_idx is an int from -3 to 2; received 3"),
        (lambda: nn.Embedding(0, 2), ValueError, "num_embeddings"),
        (lambda: F.embedding([0], np.ones(3)), ValueError, r"\(rows, width\); received shape \(3,\)"),
        (lambda: F.one_hot([0, 3], 3), ValueError, r"from 0 to 2 \(there are 3 classes\); received 3"),
        (lambda: F.one_hot([-1, 1]), ValueError, "received -1"),
        (lambda: F.one_hot([0.5]), TypeError, "float64"),
        (lambda: F.one_hot([]), ValueError, "Pass num_classes"),
        (lambda: F.one_hot([0], 0), ValueError, "num_classes is an int from 1; received 0"),
    ],
)
def test_wrong_arguments_are_errors(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_indices_may_be_overwritten_before_the_reverse_pass():
    table, indices = ad.Tensor(np.ones((3, 2))), np.array([2, 2])
    result = np.sum(F.embedding(indices, table))
    indices[:] = 0
    result.backward()
    np.testing.assert_array_equal(table.grad, [[0, 0], [0, 0], [2, 2]])


def test_the_table_that_an_initialiser_gives_stays_what_it_is():
    table = np.ones((4, 2), np.float32)
    layer = nn.Embedding(4, 2, padding_idx=0, weight_init=lambda shape, rng, dtype: table)
    np.testing.assert_array_equal(table, np.ones((4, 2)))
    np.testing.assert_array_equal(layer.weight.value[:2], [[0, 0], [1, 1]])
