"""Files of arrays in the safetensors format, which is widely used and holds no code.

A file is first written under another name and then renamed in one step, so that the previous file stays whole if the
program ends in between.
"""

from __future__ import annotations

import os
import threading
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save as to_bytes

import autodiff as ad
from nn.model.module import Module

Array = npt.NDArray[Any]
TRAINING = "training"  # the note of a training's checkpoint
MODEL = "model."  # the beginning of the names of its weights
CHECKSUM = "crc32"  # of names, dtypes, shapes, numbers and notes; files of other programs have none


class FileError(ValueError):
    """A file that cannot be read, because it is damaged or of another kind; the message says what is wrong.

    >>> with open("broken.safetensors", "wb") as file:
    ...     written = file.write(b"no weights")
    >>> try:
    ...     nn.load("broken.safetensors")
    ... except nn.FileError as error:
    ...     print("refused")
    refused
    """


def save(model: Module | Mapping[str, Any], path: str | os.PathLike[str]) -> None:
    """Write a model's parameters and buffers, or a mapping of names to arrays, to a safetensors file.

    PyTorch reads it with safetensors.torch.load_file. Raises TypeError for values that are not arrays of numbers. After
    any error an existing file is unchanged.

    >>> model = nn.Linear(2, 1, rng=0)
    >>> nn.save(model, "weights.safetensors")
    >>> other = nn.Linear(2, 1, rng=1)
    >>> other.load_state_dict(nn.load("weights.safetensors"))
    Loaded(missing_keys=[], unexpected_keys=[])
    >>> bool(np.all(other.weight.value == model.weight.value))
    True
    """
    if not isinstance(model, Module | Mapping):
        raise TypeError(f"save takes a model, or a mapping of names to arrays; received {model!r:.80}.")
    write(path, model.state_dict() if isinstance(model, Module) else model)


def load(path: str | os.PathLike[str]) -> dict[str, Array]:
    """The arrays of a safetensors file by name, for `model.load_state_dict(nn.load(path))`.

    From a checkpoint file of `fit` it reads the arrays of the model. Raises FileNotFoundError, and FileError for a file
    that is truncated, corrupted or of another kind.

    >>> nn.save(nn.Linear(2, 1, rng=0), "weights.safetensors")
    >>> {name: array.shape for name, array in nn.load("weights.safetensors").items()}
    {'bias': (1,), 'weight': (1, 2)}
    """
    arrays, notes = read(path)
    if TRAINING not in notes:
        return arrays
    return {name.removeprefix(MODEL): array for name, array in arrays.items() if name.startswith(MODEL)}


def write(path: str | os.PathLike[str], arrays: Mapping[str, Any], notes: Mapping[str, str] | None = None) -> None:
    """Write arrays and notes (texts by name) to a file in one step: write under another name, sync, rename."""
    plain = {}
    for name, value in arrays.items():
        array = np.asarray(ad.stop_gradient(value))
        if not isinstance(name, str) or array.dtype.kind not in "fiub":
            raise TypeError(
                f"a safetensors file holds arrays of real numbers by name; received {name!r} with dtype {array.dtype}. "
                "Save complex numbers as two arrays, real and imag."
            )
        plain[name] = array.astype(array.dtype.newbyteorder("<"), order="C", copy=False)
    texts = dict(notes or {})
    texts[CHECKSUM] = _checksum(plain, texts)
    place = Path(os.path.realpath(path))
    if place.exists() and not place.is_file():
        raise ValueError(f"arrays are saved to a file; {str(place)!r} is something else.")
    beside = place.with_name(f".{place.name}.{os.getpid()}-{threading.get_ident()}.part")
    try:
        with open(beside, "wb") as file:
            file.write(to_bytes(plain, texts))
            file.flush()
            os.fsync(file.fileno())
        if place.exists():
            os.chmod(beside, place.stat().st_mode)
        os.replace(beside, place)
    finally:
        beside.unlink(missing_ok=True)
    if hasattr(os, "O_DIRECTORY"):  # sync the folder, so that the rename survives a loss of power; Windows cannot
        folder = os.open(place.parent, os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def read(path: str | os.PathLike[str]) -> tuple[dict[str, Array], dict[str, str]]:
    """The arrays and the notes of a file."""
    place = Path(path)
    if not place.is_file():
        raise FileNotFoundError(f"there is no file {str(place)!r} to load")
    try:
        with safe_open(place, framework="np") as file:
            notes = dict(file.metadata() or {})
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # it is no mapping
    except (SafetensorError, OSError) as error:
        raise FileError(
            f"{str(place)!r} is not a whole safetensors file ({error}): it may be truncated, corrupted, or of another "
            "kind. Files of PyTorch's own kind are converted there, with safetensors.torch.save_file."
        ) from None
    except (TypeError, AttributeError, KeyError) as error:  # bfloat16 and the 8-bit floats
        raise FileError(
            f"{str(place)!r} has arrays of a dtype that NumPy does not have ({error}). Convert them where they were "
            "made, for example with tensor.float()."
        ) from None
    stated = notes.pop(CHECKSUM, None)
    if stated is not None and stated != _checksum(arrays, notes):
        raise FileError(f"{str(place)!r} is corrupted: its checksum does not agree with its content.")
    return arrays, notes


def _checksum(arrays: Mapping[str, Array], notes: Mapping[str, str]) -> str:
    found = 0
    for name, text in sorted(notes.items()):
        found = zlib.crc32(f"{name}\0{text}\0".encode(), found)
    for name, array in sorted(arrays.items()):
        found = zlib.crc32(f"{name}\0{array.dtype}{array.shape}\0".encode(), found)
        found = zlib.crc32(array.tobytes(), found)
    return f"{found:08x}"
