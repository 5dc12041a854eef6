from __future__ import annotations

import math
import re
import tracemalloc
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autodiff as ad
import nn
from nn.data import DataLoader

X = np.arange(20.0).reshape(10, 2)
y = np.arange(10)


@given(n=st.integers(1, 40), size=st.integers(1, 50), parts=st.integers(1, 5), shuffle=st.booleans())
def test_the_parts_of_a_batch_are_the_batch(n, size, parts, shuffle):
    loader = DataLoader(np.arange(n), batch_size=size, shuffle=shuffle, rng=n)
    order = loader.order()
    for k in range(len(loader)):
        found = [loader.batch(order, k, (i, parts))[0] for i in range(parts)]
        np.testing.assert_array_equal(np.concatenate(found), loader.batch(order, k)[0])
        lengths = [len(part) for part in found]
        assert max(lengths) - min(lengths) <= 1


@given(
    n=st.integers(1, 40),
    size=st.one_of(st.none(), st.integers(1, 50)),
    shuffle=st.booleans(),
    drop=st.booleans(),
    seed=st.integers(0, 99),
)
def test_an_epoch_has_every_sample_once(n, size, shuffle, drop, seed):
    if drop and size is not None and size > n:
        with pytest.raises(ValueError, match="make no batch"):
            DataLoader(np.arange(n), batch_size=size, drop_last=True)
        return
    loader = DataLoader(np.arange(n), -np.arange(n), batch_size=size, shuffle=shuffle, drop_last=drop, rng=seed)
    batches = list(loader)
    assert len(batches) == len(loader)
    assert all(np.array_equal(a, -b) for a, b in batches)
    found = np.concatenate([a for a, _ in batches])
    size = size or n
    assert len(found) == (n // size * size if drop else n)
    assert len(set(found.tolist())) == len(found)
    assert all(len(a) == size for a, _ in batches[: n // size])
    if not shuffle:
        assert found.tolist() == list(range(len(found)))


def test_an_epoch_is_so_many_iterations():
    loader = DataLoader(np.arange(1000), batch_size=32, shuffle=True, rng=0)
    iterations = sum(1 for epoch in range(3) for batch in loader)
    assert iterations == 3 * len(loader) == 3 * math.ceil(1000 / 32)


def test_each_epoch_has_an_order_of_its_own_and_a_seed_repeats_them():
    first, second = (DataLoader(np.arange(50), shuffle=True, batch_size=None, rng=7) for _ in range(2))
    epochs = [next(iter(first)).tolist() for _ in range(3)]
    assert len({tuple(e) for e in epochs}) == 3
    assert [next(iter(second)).tolist() for _ in range(3)] == epochs


def test_all_orders_are_equally_likely():
    loader = DataLoader(np.arange(3), batch_size=3, shuffle=True, rng=0)
    counts = Counter(tuple(next(iter(loader)).tolist()) for _ in range(3000))
    assert len(counts) == 6
    assert all(400 < c < 600 for c in counts.values())  # 500 expected, standard deviation 20


def test_with_replacement_an_epoch_has_as_many_draws_as_there_are_samples_and_not_every_sample():
    loader = DataLoader(np.arange(1000), batch_size=1, replacement=True, rng=0)
    drawn = [int(batch[0]) for batch in loader]
    assert len(drawn) == len(loader) == 1000
    missed = 1000 - len(set(drawn))
    assert abs(missed - 1000 / math.e) < 40
    assert [int(batch[0]) for batch in loader] != drawn


def test_the_expected_stochastic_gradient_times_n_is_the_full_gradient():
    rng = np.random.default_rng(0)
    x, targets = rng.standard_normal((12, 3)), rng.standard_normal((12, 2))
    model = nn.Sequential(nn.Linear(3, 4, rng=0, dtype=np.float64), nn.Tanh(), nn.Linear(4, 2, rng=1, dtype=np.float64))

    def gradient(a, b):
        model.zero_grad()
        np.sum(np.square(model(a) - b)).backward()
        return [p.grad for p in model.parameters()]

    single = [gradient(a, b) for a, b in DataLoader(x, targets, batch_size=1, shuffle=True, rng=0)]
    mean = [sum(grads) / len(single) for grads in zip(*single, strict=True)]
    for expected, full in zip(mean, gradient(x, targets), strict=True):
        assert abs(full).max() > 0.1
        np.testing.assert_allclose(12 * expected, full, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("options", [{}, {"shuffle": True}, {"replacement": True}])
def test_iterating_is_the_batches_of_an_order(options):
    loader = DataLoader(X, y, batch_size=3, rng=5, **options)
    whole = [[a.tolist() for a in batch] for batch in loader]
    again = DataLoader(X, y, batch_size=3, rng=5, **options)
    order = again.order()
    assert order.shape == (10,)
    assert [[a.tolist() for a in again.batch(order, k)] for k in range(len(again))] == whole
    state = again.rng.bit_generator.state
    assert [[a.tolist() for a in again.batch(order.copy(), k)] for k in (2, 0, 2)] == [whole[2], whole[0], whole[2]]
    assert again.rng.bit_generator.state == state


def test_a_loader_that_does_not_shuffle_still_obeys_the_order_it_is_given():
    loader = DataLoader(y, batch_size=4)
    assert loader.batch(np.arange(10)[::-1], 0)[0].tolist() == [9, 8, 7, 6]


@pytest.mark.parametrize(
    ("order", "k"), [(np.arange(9), 0), (np.arange(10), 3), (np.arange(10), -1)], ids=["order", "beyond", "negative"]
)
def test_what_is_no_batch_is_an_error(order, k):
    with pytest.raises(IndexError, match=rf"3 batches of the 10 samples; received an order of {len(order)} and k={k}"):
        DataLoader(X, y, batch_size=4).batch(order, k)


def test_batches_in_the_given_order_are_views_that_cannot_be_written():
    (a, b), *_ = DataLoader(X, y, batch_size=4)
    assert np.shares_memory(a, X)
    assert np.shares_memory(b, y)
    with pytest.raises(ValueError, match="read-only"):
        a += 1
    assert X.flags.writeable
    x, _ = next(iter(DataLoader(X, y, batch_size=4, shuffle=True, rng=0)))
    assert not np.shares_memory(x, X)
    x += 1


@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("offset", [0, 3], ids=["aligned", "unaligned"])
def test_files_in_memory_are_read_as_plain_arrays(tmp_path, shuffle, offset):
    values = np.arange(60, dtype=np.float32).reshape(20, 3)
    (tmp_path / "x").write_bytes(b"\0" * offset + values.tobytes())
    mapped = np.memmap(tmp_path / "x", np.float32, "r+", offset=offset, shape=(20, 3))
    batches = list(DataLoader(mapped, batch_size=8, shuffle=shuffle, rng=0))
    assert all(type(b) is np.ndarray for b in batches)
    assert sorted(np.concatenate(batches).tolist()) == values.tolist()
    batches[0][...] = -1  # a copy: the file stays as it is
    np.testing.assert_array_equal(np.asarray(mapped), values)


@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("values", [X.T.copy().T, X[:, ::-1], np.repeat(X, 2, axis=0)[::2]], ids=["F", "back", "step"])
def test_arrays_that_are_not_contiguous(values, shuffle):
    loader = DataLoader(values, batch_size=3, shuffle=shuffle, rng=0)
    order = DataLoader(values, batch_size=3, shuffle=shuffle, rng=0).order()
    np.testing.assert_array_equal(np.concatenate(list(loader)), values[order])


@pytest.mark.parametrize("shuffle", [False, True])
def test_a_batch_takes_the_memory_of_a_batch(shuffle):
    fortran = np.zeros((100, 20_000)).T
    loader = DataLoader(fortran, np.zeros((20_000, 200))[:, ::2], batch_size=10, shuffle=shuffle, rng=0)
    order = loader.order()
    tracemalloc.start()
    try:
        loader.batch(order, 3)
        assert tracemalloc.get_traced_memory()[1] < 100_000
    finally:
        tracemalloc.stop()


def test_one_array_gives_arrays_and_a_tuple_of_arrays_is_those_arrays():
    assert isinstance(next(iter(DataLoader(X))), np.ndarray)
    a, b = next(iter(DataLoader((X, y), batch_size=4)))
    assert a.shape == (4, 2)
    assert b.tolist() == [0, 1, 2, 3]
    assert next(iter(DataLoader([[1, 2], [3, 4]], batch_size=1))).tolist() == [[1, 2]]
    assert type(next(iter(DataLoader(ad.Tensor(X))))) is np.ndarray


def test_what_a_loader_is_can_be_read():
    loader = DataLoader(X.astype(np.float32), y, batch_size=4, shuffle=True, rng=0)
    assert (loader.size, loader.batch_size, len(loader.arrays)) == (10, 4, 2)
    assert isinstance(loader.rng, np.random.Generator)
    assert repr(loader) == "DataLoader(float32[10, 2], int64[10], batch_size=4, shuffle=True)"


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: DataLoader(X, y[:9]), ValueError, r"same number in each.*received \(10, 2\), \(9,\)"),
        (lambda: DataLoader(X[:0], y[:0]), ValueError, r"at least one; received \(0, 2\), \(0,\)"),
        (lambda: DataLoader(), ValueError, "received no array"),
        (lambda: DataLoader([[1, 2], [3]]), ValueError, "received a list that makes none.*same length"),
        (lambda: DataLoader([X, y]), ValueError, r"several arrays as \(X, y\)"),
        (lambda: DataLoader(X, list("abcdefghij")), TypeError, r"dtype <U1.*np.unique\(y, return_inverse=True\)"),
        (lambda: DataLoader("abc"), TypeError, "received 'abc'"),
        (lambda: DataLoader(1j * X), TypeError, r"z.real, z.imag"),
        (lambda: DataLoader(np.ma.masked_less(X, 3)), TypeError, r"masked array of shape \(10, 2\).*filled\(0.0\)"),
        (
            lambda: DataLoader(row for row in X),
            TypeError,
            r"received <generator .* Pass arrays; np.stack\(list\(...\)\)",
        ),
        (lambda: DataLoader({"X": "abc"}), TypeError, r"each of several \('X'\); received 'abc'"),
        (lambda: DataLoader((X, y), 32), TypeError, "received 32 as the last of them. Write batch_size="),
        (lambda: DataLoader(X, batch_size=0), ValueError, r"batch_size \(None for all at once\).*received 0"),
        (lambda: DataLoader(X, batch_size=2.0), ValueError, "received 2.0"),
        (lambda: DataLoader(X, shuffle="no"), TypeError, "shuffle is True or False; received 'no'"),
        (lambda: DataLoader(X, rng="0"), TypeError, "rng is a numpy.random.Generator"),
    ],
)
def test_wrong_arguments_are_errors(call, error, words):
    with pytest.raises(error, match=re.compile(words, re.DOTALL)):
        call()
