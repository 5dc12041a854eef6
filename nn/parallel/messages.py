"""Nested values as bytes: dicts and lists of arrays, numbers and texts, without pickle.

The arrays are a safetensors file, and the rest is a note in it, as in a checkpoint.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from safetensors.numpy import load, save

from nn.training.checkpoint import flattened, nested

NOTE = "/"  # no array has this name


def packed(value: Any) -> bytes:
    """The bytes of a value. Raises TypeError unless it consists of dicts, lists, tuples, arrays, numbers and texts."""
    arrays: dict[str, Any] = {}
    text = json.dumps(flattened({"": value}, "", arrays))
    arrays = {name: np.ascontiguousarray(array).reshape(array.shape) for name, array in arrays.items()}
    arrays[NOTE] = np.frombuffer(text.encode(), np.uint8)
    return bytes(save(arrays))


def unpacked(data: bytes) -> Any:
    """The value whose bytes these are; the inverse of `packed`."""
    arrays = load(data)
    text = arrays.pop(NOTE).tobytes().decode()
    return nested(json.loads(text), arrays)[""]
