"""A training in a file: all that it takes to go on from there, bit for bit.

A checkpoint is a safetensors file. Its arrays are named after what they belong to ("model.0.weight",
"optimizer.state.0.exp_avg" ...); its note "training" holds the rest as JSON.
"""

from __future__ import annotations

import json
import os
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np

from nn.model import saving
from nn.model.module import Module
from nn.model.saving import FileError

if TYPE_CHECKING:
    from nn.training.callbacks import Callback
    from nn.training.training import Training

FORMAT = 1  # of what is kept
File = str | os.PathLike[str]


def write(training: Training, path: File) -> None:
    """Put a training's state into a file; the previous file stays whole until the new one is."""
    samples, means, schedule = training.samples, training.means, training.schedule
    state = {
        "format": FORMAT,
        "same": fingerprint(training),
        "epoch": training.epoch,
        "batch": training.batch,
        "drawn": training.order is not None,
        "seconds": training.seconds,
        "split_from": training.split_from,
        "order_from": training.order_from,
        "order": generator_state(samples.rng),
        "generators": {name: generator_state(g) for name, g in training.model.named_generators()},
        "history": {"columns": training.history.columns, "seconds": training.history.seconds},
        "means": {"sums": means.sums, "weight": means.weight, "count": means.count, "kept": means.kept},
        "model": training.state(),
        "modes": [module.training for module in training.model.modules()],
        "loss": loss.state_dict() if isinstance(loss := training.loss, Module) else {},
        "optimizer": training.optimizer.state_dict(),
        "schedule": None if schedule is None else schedule.state_dict(),
        "callbacks": [[type(c).__name__, state] for c in training.callbacks if (state := c.state_dict())],
    }
    arrays: dict[str, Any] = {}
    try:
        text = json.dumps(flattened(state, "", arrays))
    except TypeError as error:
        raise TypeError(
            f"a checkpoint keeps arrays, numbers and texts; a callback's state_dict has more: {error}"
        ) from None
    saving.write(path, arrays, {saving.TRAINING: text})


def read(path: File) -> dict[str, Any]:
    """The state in a file. Raises FileNotFoundError, and FileError for what is not a whole checkpoint."""
    if not isinstance(path, str | os.PathLike):
        raise TypeError(f"resume is the path of a checkpoint; received {path!r:.80}. Write resume='run.safetensors'.")
    if not os.path.isfile(path):
        raise FileNotFoundError(
            f"resume was asked for from {str(path)!r}, where there is no file. Leave resume away to begin a training, "
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
        if known and not _sensible(state):
            raise ValueError("its numbers contradict each other")  # noqa: TRY301
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise FileError(f"{str(path)!r} is corrupted: its account of the training makes no sense ({error}).") from None
    if not known:
        raise FileError(f"{str(path)!r} is a checkpoint of format {state['format']}; this version reads {FORMAT}.")
    return state


def _sensible(state: dict[str, Any]) -> bool:
    """Whether a state has its parts, each of its kind."""
    columns, seconds, means = state["history"]["columns"], state["history"]["seconds"], state["means"]
    finished = state["epoch"] - 1
    return (
        finished >= 0
        and 0 <= state["batch"] < 2**62
        and isinstance(state["drawn"], bool)
        and all(len(column) == finished for column in [*columns.values(), seconds])
        and means.keys() == {"sums", "weight", "count", "kept"}
        and all(isinstance(state[k], dict) for k in ("same", "generators", "model", "loss", "optimizer"))
        and all(len(pair) == 2 for pair in state["callbacks"])
        and {"split_from", "order_from", "order", "modes", "schedule", "seconds"} <= state.keys()
    )


def restore(training: Training, state: dict[str, Any], path: File) -> None:
    """Put a training where it was. Raises ValueError, TypeError or KeyError, and changes nothing, if it is another."""
    now, then = fingerprint(training), state["same"]
    differing = [f"{name} {then[name]!r}, now {now[name]!r}" for name in now if now[name] != then[name]]
    if differing:
        raise ValueError(
            f"the training in {str(path)!r} was another one: {'; '.join(differing)}. Resume with the data and the "
            "arguments it was begun with."
        )
    model, optimizer, schedule = training.model, training.optimizer, training.schedule
    callbacks = _paired(training, state["callbacks"], path)
    before = training.state()
    try:
        training.load_state(state["model"])
        if isinstance(training.loss, Module):
            training.loss.load_state_dict(state["loss"])
        optimizer.load_state_dict(state["optimizer"])
    except (KeyError, ValueError, TypeError) as error:
        training.load_state(before)
        error.add_note(f"The state came from {str(path)!r}.")
        raise
    for module, mode in zip(model.modules(), state["modes"], strict=True):
        module.training = mode
    if schedule is not None:
        schedule.load_state_dict(state["schedule"])
    for callback, kept in callbacks:
        callback.load_state_dict(kept)
    history = training.history
    history.columns.update(state["history"]["columns"])
    history.seconds[:] = state["history"]["seconds"]
    training.epoch, training.batch, training.seconds = state["epoch"], state["batch"], state["seconds"]
    training.means.restore(**state["means"])
    training.order_from = state["order_from"]
    set_state(training.samples.rng, state["order_from"])
    training.order = training.samples.order() if state["drawn"] else None
    set_state(training.samples.rng, state["order"])
    for name, generator in model.named_generators():
        set_state(generator, state["generators"][name])


def _paired(training: Training, kept: list[Any], path: File) -> list[tuple[Callback, Any]]:
    """Each state of a callback, with the callback of its kind that goes on from it."""
    found = []
    waiting = list(training.callbacks)
    for kind, state in kept:
        callback = next((c for c in waiting if type(c).__name__ == kind), None)
        if callback is None:
            raise ValueError(
                f"the training in {str(path)!r} had a callback {kind}, whose state it holds; pass one of that kind in "
                "callbacks=, too."
            )
        waiting.remove(callback)
        found.append((callback, state))
    return found


def writable(path: File) -> File:
    """The path of a checkpoint, if one can be written there."""
    if not isinstance(path, str | os.PathLike):
        raise TypeError(f"checkpoint is a path; received {path!r:.80}. Write checkpoint='run.safetensors'.")
    folder = os.path.dirname(os.path.abspath(path))
    if not os.fspath(path) or not os.path.isdir(folder) or not os.access(folder, os.W_OK) or os.path.isdir(path):
        raise ValueError(
            "checkpoint is a file in a folder that can be written to, such as 'run.safetensors'; received "
            f"{str(path)!r}."
        )
    return path


def fingerprint(training: Training) -> dict[str, Any]:
    """What has to be the same for a training to go on as if it had never stopped."""
    arrays = training.samples.arrays
    some = 0
    for array in arrays:
        some = zlib.crc32(np.ascontiguousarray(array[:: max(1, len(array) // 64)]).tobytes(), some)
    loader = training.samples
    return {
        "shapes": [list(array.shape) for array in arrays],
        "checksum of some samples": some,
        "batch_size": loader.batch_size,
        "shuffle": loader.shuffle,
        "drop_last": loader.drop_last,
        "replacement": loader.replacement,
        "generator of the order": _kind(loader.rng),
        "loss": _name(training.loss),
        "modules": [type(module).__name__ for module in training.model.modules()],
        "accumulate": training.accumulate,
        "clip_norm": training.clip_norm,
        "clip_value": training.clip_value,
        "columns of the history": list(training.history.columns),
        "schedule": type(training.schedule).__name__,
        "random generators of the model": {name: _kind(rng) for name, rng in training.model.named_generators()},
    }


def _kind(rng: np.random.Generator) -> str:
    return str(rng.bit_generator.state["bit_generator"])


def _name(function: Any) -> str:
    return str(getattr(function, "__name__", type(function).__name__))


def generator_state(rng: np.random.Generator | None) -> Any:
    """The state of a generator, or None where there is none."""
    return None if rng is None else rng.bit_generator.state


def set_state(rng: np.random.Generator | None, state: Any) -> None:
    """Put a generator into a state. Raises ValueError where it is of another kind than the state."""
    if rng is not None and state is not None:
        kind = rng.bit_generator.state["bit_generator"]
        if kind != state["bit_generator"]:
            raise ValueError(f"a state of {state['bit_generator']} was found for a {kind}; use the same generator.")
        rng.bit_generator.state = state


def flattened(value: Any, name: str, arrays: dict[str, Any]) -> Any:
    """A nested value for JSON; arrays go to `arrays`, under a name that says where they were."""
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
    """The value that `flattened` was given."""
    if not isinstance(value, dict):
        return value
    ((kind, content),) = value.items()
    if kind == "array":
        return arrays[content]
    if kind == "dict":
        return {k: nested(v, arrays) for k, v in content}
    return (list if kind == "list" else tuple)(nested(v, arrays) for v in content)
