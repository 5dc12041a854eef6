"""A checkpoint: a training's state in a safetensors file.

The names of its arrays say what they belong to ("model.0.weight", "optimizer.state.0.exp_avg" ...); its note "training"
holds the rest as JSON.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from nn.model import saving
from nn.model.saving import FileError
from nn.training.state import FORMAT, sensible

File = str | os.PathLike[str]


def write(state: Mapping[str, Any], path: File) -> None:
    """Write the state from `Training.state_dict` to a file; the previous file is kept until the new one is whole."""
    arrays: dict[str, Any] = {}
    try:
        text = json.dumps(flattened(dict(state), "", arrays))
    except TypeError as error:
        raise TypeError(
            f"a checkpoint keeps arrays, numbers and texts; a callback's state_dict has more: {error}"
        ) from None
    saving.write(path, arrays, {saving.TRAINING: text})


def read(path: File) -> dict[str, Any]:
    """The state in a file. Raises FileNotFoundError, and FileError for a file that is no whole checkpoint."""
    if not isinstance(path, str | os.PathLike):
        raise TypeError(f"resume is the path of a checkpoint; received {path!r:.80}. Write resume='run.safetensors'.")
    if not os.path.isfile(path):
        raise FileNotFoundError(
            f"resume was asked for from {str(path)!r}, where there is no file. Leave resume out to begin a training, "
            "or write resume=path if os.path.exists(path) else None; checkpoint= says where it is written."
        )
    arrays, notes = saving.read(path)
    if saving.TRAINING not in notes:
        raise FileError(
            f"{str(path)!r} is a file of weights, not a checkpoint of a training; load it with "
            "model.load_state_dict(nn.load(path))."
        )
    try:
        state: dict[str, Any] = nested(json.loads(notes[saving.TRAINING]), arrays)
        known = state["format"] == FORMAT
        if known and not sensible(state):
            raise ValueError("its numbers contradict each other")  # noqa: TRY301
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise FileError(f"{str(path)!r} is corrupted: its account of the training makes no sense ({error}).") from None
    if not known:
        raise FileError(f"{str(path)!r} is a checkpoint of format {state['format']}; this version reads {FORMAT}.")
    return state


def writable(path: File) -> File:
    """The path of a checkpoint. Raises an error if no file can be written there."""
    if not isinstance(path, str | os.PathLike):
        raise TypeError(f"checkpoint is a path; received {path!r:.80}. Write checkpoint='run.safetensors'.")
    folder = os.path.dirname(os.path.abspath(path))
    if not os.fspath(path) or not os.path.isdir(folder) or not os.access(folder, os.W_OK) or os.path.isdir(path):
        raise ValueError(
            "checkpoint is a file in a folder that can be written to, such as 'run.safetensors'; received "
            f"{str(path)!r}."
        )
    return path


def flattened(value: Any, name: str, arrays: dict[str, Any]) -> Any:
    """A nested value for JSON; arrays are moved to `arrays`, under names that say where they were."""
    if isinstance(value, np.ndarray):
        arrays[name] = value
        return {"array": name}
    if isinstance(value, dict):
        pairs = [[k, flattened(v, f"{name}.{k}" if name else str(k), arrays)] for k, v in value.items()]
        return {"dict": pairs}
    if isinstance(value, list | tuple):
        kind = "list" if isinstance(value, list) else "tuple"
        return {kind: [flattened(v, f"{name}.{k}", arrays) for k, v in enumerate(value)]}
    return value.item() if isinstance(value, np.generic) else value


def nested(value: Any, arrays: dict[str, Any]) -> Any:
    """The nested value from the result of `flattened`."""
    if not isinstance(value, dict):
        return value
    ((kind, content),) = value.items()
    if kind == "array":
        return arrays[content]
    if kind == "dict":
        return {k: nested(v, arrays) for k, v in content}
    return (list if kind == "list" else tuple)(nested(v, arrays) for v in content)
