"""IDX files, the format of MNIST and similar sets: one array of numbers after a short header.

The header has two zero bytes, one byte for the type, one for the number of axes, and the length of each axis as a
big-endian 32-bit unsigned integer. The numbers follow, big-endian, in C order (yann.lecun.com/exdb/mnist). Files may be
compressed by gzip.
"""

from __future__ import annotations

import gzip
import math
import os
import struct
import zlib
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
FilePath = str | os.PathLike[str]
Images = tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]

TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
GZIP = b"\x1f\x8b"
MOST_COMPRESSED = 1032  # the largest ratio of deflate's compression (zlib.net/zlib_tech.html)
READ_AT_ONCE = 1 << 20  # bytes


def read_idx(path: FilePath) -> Array:
    """The array in an IDX file, in the native byte order; a gzip file is recognised by its first bytes, not its name.

    Raises ValueError, naming the file, if it is no IDX file, if its header claims more or fewer numbers than it has,
    and if its compressed data are damaged. A wrong header cannot make it use more memory than the file can fill, or
    decompress more than the header claims.

    >>> import struct
    >>> with open("two-ubyte", "wb") as file:  # bytes, one axis of two
    ...     size = file.write(struct.pack(">4BI", 0, 0, 8, 1, 2) + bytes([7, 3]))
    >>> nn.data.read_idx("two-ubyte")
    array([7, 3], dtype=uint8)
    """
    name = os.fspath(path)
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        compressed = file.read(2) == GZIP
        file.seek(0)
        if not compressed:
            return _array(file, name, size)
        try:
            with gzip.GzipFile(fileobj=file) as stream:
                return _array(stream, name, size * MOST_COMPRESSED)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise ValueError(
                f"the compressed file {name!r} is damaged or truncated ({error}). Fetch it again."
            ) from None


def mnist(folder: FilePath, *, images: bool = False) -> tuple[Images, Images]:
    """(X, y), (X_test, y_test) of a folder with MNIST's four files, or those of a set in its format.

    The files are train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte,
    each of them plain or with .gz. X is float32 in [0, 1], of shape (samples, rows * columns), or with `images`
    (samples, 1, rows, columns); y is int64, of shape (samples,). Raises FileNotFoundError for a missing file, and
    ValueError for a file that read_idx cannot read or that holds something else.

    >>> import struct
    >>> for part in ("train", "t10k"):  # four files of MNIST's format, each with two images of 2 x 2
    ...     with open(f"{part}-images-idx3-ubyte", "wb") as file:
    ...         size = file.write(struct.pack(">4B3I", 0, 0, 8, 3, 2, 2, 2) + bytes(8))
    ...     with open(f"{part}-labels-idx1-ubyte", "wb") as file:
    ...         size = file.write(struct.pack(">4BI", 0, 0, 8, 1, 2) + bytes([7, 3]))
    >>> (X, y), (X_test, y_test) = nn.data.mnist(".")
    >>> X.shape, y
    ((2, 4), array([7, 3]))
    """
    training, test = (_labelled_images(Path(folder), part, images) for part in ("train", "t10k"))
    return training, test


def _array(stream: IO[bytes] | gzip.GzipFile, name: str, most: int) -> Array:
    """The array in a stream of at most `most` bytes."""
    start = _read(stream, 4)
    kind = TYPES.get(start[2]) if len(start) == 4 and start[:2] == b"\0\0" else None
    if kind is None:
        raise ValueError(
            f"{name!r} is no IDX file: it begins with the bytes [{start.hex(' ')}], and an IDX file with 00 00, its "
            f"type, one of {', '.join(f'{code:02x}' for code in TYPES)}, and its number of axes."
        )
    axes = start[3]
    lengths = _read(stream, 4 * axes)
    if len(lengths) < 4 * axes:
        raise ValueError(f"{name!r} is truncated: it ends within its header, which has {axes} axes. Fetch it again.")
    shape = struct.unpack(f">{axes}I", lengths)
    dtype = np.dtype(kind)
    claimed = math.prod(shape) * dtype.itemsize
    header = len(start) + len(lengths)
    content = _read(stream, claimed) if claimed <= most - header else b""
    if len(content) < claimed:
        raise ValueError(
            f"{name!r} is truncated, or its header is wrong: it claims {dtype.name} numbers of the shape "
            f"{shape!s:.80}, more than the file has. Fetch it again."
        )
    if stream.read(1):
        raise ValueError(
            f"{name!r} goes on after the {dtype.name} numbers of the shape {shape!s:.80} that its header claims. "
            "Fetch it again."
        )
    try:
        found: Array = np.ndarray(shape, dtype, content)
    except ValueError as error:  # lengths beyond NumPy's, beside a length of 0
        raise ValueError(
            f"{name!r} claims the shape {shape!s:.80}, which no array can have ({error}). Fetch it again."
        ) from None
    return found.astype(dtype.newbyteorder("="), copy=False)


def _read(stream: IO[bytes] | gzip.GzipFile, count: int) -> bytearray:
    """The next `count` bytes, or fewer at the end of the stream."""
    found = bytearray()
    while len(found) < count:
        piece = stream.read(min(count - len(found), READ_AT_ONCE))
        if not piece:
            break
        found += piece
    return found


def _labelled_images(folder: Path, part: str, images: bool) -> Images:
    pictures = read_idx(_found(folder, f"{part}-images-idx3-ubyte"))
    labels = read_idx(_found(folder, f"{part}-labels-idx1-ubyte"))
    if pictures.ndim != 3 or pictures.dtype != np.uint8 or labels.shape != pictures.shape[:1]:
        raise ValueError(
            f"{part}-images and {part}-labels in {str(folder)!r} are images of bytes, (samples, rows, columns), "
            f"and labels, (samples,); received {pictures.dtype} of shape {pictures.shape} and {labels.dtype} of shape "
            f"{labels.shape}. Read other files one by one with read_idx."
        )
    count, height, width = pictures.shape
    x = np.divide(pictures, 255, dtype=np.float32)
    return x.reshape((count, 1, height, width) if images else (count, height * width)), labels.astype(np.int64)


def _found(folder: Path, name: str) -> Path:
    for path in (folder / name, folder / f"{name}.gz"):
        if path.is_file():
            return path
    raise FileNotFoundError(
        f"{str(folder)!r} has neither {name} nor {name}.gz. MNIST is four files; pass the folder that holds them."
    )
