from __future__ import annotations

import gzip
import re
import struct
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from nn.data import idx, mnist, read_idx

CODES = {"uint8": 0x08, "int8": 0x09, "int16": 0x0B, "int32": 0x0C, "float32": 0x0D, "float64": 0x0E}
DTYPES = st.sampled_from([np.dtype(name) for name in CODES])
ARRAYS = DTYPES.flatmap(
    lambda dtype: arrays.arrays(dtype, arrays.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=5))
)


def header(code: int, *shape: int) -> bytes:
    return bytes([0, 0, code, len(shape)]) + struct.pack(f">{len(shape)}I", *shape)


def idx_bytes(array) -> bytes:
    return header(CODES[array.dtype.name], *array.shape) + array.astype(array.dtype.newbyteorder(">")).tobytes()


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    return tmp_path_factory.mktemp("idx") / "file"


@given(array=ARRAYS, compressed=st.booleans())
def test_every_type_and_shape_is_read_back(file, array, compressed):
    content = idx_bytes(array)
    file.write_bytes(gzip.compress(content, 1) if compressed else content)
    found = read_idx(file)
    assert found.dtype == array.dtype
    assert found.dtype.isnative
    assert found.shape == array.shape
    assert found.tobytes() == array.tobytes()
    assert found.flags.writeable


def test_numbers_are_big_endian(file):
    file.write_bytes(bytes.fromhex("00000c02 00000001 00000002 00000102 fffffffe"))
    assert read_idx(str(file)).tolist() == [[258, -2]]


@given(array=ARRAYS, compressed=st.booleans(), data=st.data())
def test_any_truncation_is_refused(file, array, compressed, data):
    content = idx_bytes(array)
    if compressed:
        content = gzip.compress(content, 1)
    file.write_bytes(content[: data.draw(st.integers(0, len(content) - 1))])
    with pytest.raises(ValueError, match=r"truncated|is no IDX file: it begins"):
        read_idx(file)


@given(array=ARRAYS, compressed=st.booleans(), more=st.binary(min_size=1, max_size=9))
def test_anything_after_the_array_is_refused(file, array, compressed, more):
    content = idx_bytes(array) + more
    file.write_bytes(gzip.compress(content, 1) if compressed else content)
    with pytest.raises(ValueError, match="goes on after"):
        read_idx(file)


@given(content=st.binary(max_size=60), compressed=st.booleans(), magic=st.booleans())
def test_bytes_of_any_kind_are_an_array_or_refused(file, content, compressed, magic):
    content = bytes([0, 0, 8, 1]) + content if magic else content
    file.write_bytes(gzip.compress(content, 1) if compressed else content)
    try:
        found = read_idx(file)
    except ValueError as error:
        assert re.search("is no IDX file|truncated|goes on after|which no array can have", str(error))  # noqa: PT017
    else:
        assert found.nbytes < len(content)


@given(array=ARRAYS, place=st.integers(0, 10**6), bit=st.integers(0, 7))
def test_a_flipped_bit_of_a_compressed_file_gives_no_other_numbers(file, array, place, bit):
    content = bytearray(gzip.compress(idx_bytes(array), 1, mtime=0))
    content[place % len(content)] ^= 1 << bit
    file.write_bytes(content)
    try:
        found = read_idx(file)
    except ValueError as error:
        assert "file" in str(error)  # noqa: PT017
    else:  # in a field of gzip's header that has no meaning here
        assert found.tobytes() == array.tobytes()


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize(
    ("content", "words"),
    [
        (header(0x08, 2**32 - 1, 2**32 - 1) + b"abc", "more than the file has"),
        (header(0x0E, *[2**32 - 1] * 40), "more than the file has"),
        (header(0x08, 1000) + b"abc", r"claims uint8 numbers of the shape \(1000,\), more"),
        (header(0x08, *[1] * 200) + b"a", "which no array can have"),
        (header(0x08, 0, 2**32 - 1, 2**32 - 1), "which no array can have"),
        (bytes([0, 0, 8, 255]), "ends within its header, which has 255 axes"),
        (header(0x0A, 1) + b"a", r"begins with the bytes \[00 00 0a 01\]"),
        (b"\0\1\x08\1" + b"a" * 9, "is no IDX file"),
        (b"PK\3\4", "is no IDX file"),
        (b"", r"begins with the bytes \[\]"),
    ],
)
def test_hostile_and_wrong_headers_are_refused_before_memory_is_taken(file, content, words, compressed):
    file.write_bytes(gzip.compress(content) if compressed else content)
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match=words):
            read_idx(file)
        assert tracemalloc.get_traced_memory()[1] < 1_000_000  # the buffers of Python 3.12 and later are larger
    finally:
        tracemalloc.stop()


def test_a_gzip_bomb_is_not_decompressed(file):
    bomb = gzip.compress(header(0x08, 10) + bytes(50_000_000))
    file.write_bytes(bomb)
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match=r"goes on after the uint8 numbers of the shape \(10,\)"):
            read_idx(file)
        assert tracemalloc.get_traced_memory()[1] < 1_000_000  # the buffers of Python 3.12 and later are larger
    finally:
        tracemalloc.stop()


def test_memory_is_taken_as_a_gzip_file_fills_it(file):
    file.write_bytes(gzip.compress(header(0x08, 50_000_000) + np.random.default_rng(0).bytes(60_000), 1))
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match="more than the file has"):
            read_idx(file)
        assert tracemalloc.get_traced_memory()[1] < 3_000_000
    finally:
        tracemalloc.stop()


def test_the_densest_gzip_file_is_still_read(file):
    zeros = np.zeros((3000, 1000), np.uint8)
    file.write_bytes(gzip.compress(idx_bytes(zeros), 9))
    assert file.stat().st_size * 900 < zeros.nbytes
    np.testing.assert_array_equal(read_idx(file), zeros)


def test_a_file_that_is_missing_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="absent"):
        read_idx(tmp_path / "absent")


def write_mnist(folder, compressed=(), **other):
    rng = np.random.default_rng(0)
    parts = {
        "train-images-idx3-ubyte": rng.integers(0, 256, (5, 4, 3), np.uint8),
        "train-labels-idx1-ubyte": np.array([5, 0, 4, 1, 255], np.uint8),
        "t10k-images-idx3-ubyte": rng.integers(0, 256, (2, 4, 3), np.uint8),
        "t10k-labels-idx1-ubyte": np.array([7, 2], np.uint8),
    }
    parts["train-images-idx3-ubyte"][0, 0] = [0, 51, 255]
    for name, array in (parts | {k.replace("_", "-"): v for k, v in other.items()}).items():
        content = idx_bytes(array)
        if name in compressed:
            (folder / f"{name}.gz").write_bytes(gzip.compress(content))
        else:
            (folder / name).write_bytes(content)
    return parts


@pytest.mark.parametrize("compressed", [(), ("train-images-idx3-ubyte", "t10k-labels-idx1-ubyte")])
def test_mnist_is_four_files(tmp_path, compressed):
    parts = write_mnist(tmp_path, compressed)
    (x, y), (x_test, y_test) = mnist(tmp_path)
    assert (x.shape, x.dtype, y.dtype) == ((5, 12), np.float32, np.int64)
    assert x[0, :3].tolist() == [0, pytest.approx(0.2), 1]
    np.testing.assert_allclose(255 * x.reshape(5, 4, 3), parts["train-images-idx3-ubyte"], rtol=1e-6)
    assert y.tolist() == [5, 0, 4, 1, 255]
    (images, _), _ = mnist(str(tmp_path), images=True)
    np.testing.assert_array_equal(images, x.reshape(5, 1, 4, 3))
    assert x_test.shape == (2, 12)
    assert y_test.tolist() == [7, 2]


def test_what_is_not_mnist_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"neither train-images-idx3-ubyte nor train-images-idx3-ubyte\.gz"):
        mnist(tmp_path)
    write_mnist(tmp_path, t10k_labels_idx1_ubyte=np.array([1, 2, 3], np.uint8))
    with pytest.raises(ValueError, match=r"t10k-labels.*shape \(2, 4, 3\) and uint8 of shape \(3,\)"):
        mnist(tmp_path)
    write_mnist(tmp_path, train_images_idx3_ubyte=np.zeros((5, 4, 3), np.int16))
    with pytest.raises(ValueError, match=r"received int16 of shape"):
        mnist(tmp_path)


def test_files_are_read_in_pieces(file, monkeypatch):
    monkeypatch.setattr(idx, "READ_AT_ONCE", 7)
    array = np.arange(100, dtype=np.int32)
    for content in (idx_bytes(array), gzip.compress(idx_bytes(array))):
        file.write_bytes(content)
        np.testing.assert_array_equal(read_idx(file), array)
