"""The state of a training: everything that is needed to resume it, bit for bit."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from nn.data.several import Several
from nn.model.module import Module

if TYPE_CHECKING:
    from nn.training.callbacks import Callback
    from nn.training.training import Training

FORMAT = 1  # the version of the state's format


def captured(training: Training) -> dict[str, Any]:
    """The implementation of `Training.state_dict`: dicts and lists of arrays, numbers and texts."""
    samples, means, schedule = training.samples, training.means, training.schedule
    return {
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
        "history": {
            "columns": {name: list(column) for name, column in training.history.columns.items()},
            "seconds": list(training.history.seconds),
        },
        "means": {"sums": dict(means.sums), "weight": means.weight, "count": means.count, "kept": list(means.kept)},
        "model": training.weights(),
        "modes": [module.training for module in training.model.modules()],
        "loss": loss.state_dict() if isinstance(loss := training.loss, Module) else {},
        "optimizer": training.optimizer.state_dict(),
        "schedule": None if schedule is None else schedule.state_dict(),
        "callbacks": [[type(c).__name__, state] for c in training.callbacks if (state := c.state_dict())],
    }


def put_back(training: Training, state: Mapping[str, Any]) -> None:
    """The implementation of `Training.load_state_dict`."""
    now, then = fingerprint(training), state["same"]
    names = dict.fromkeys((*now, *then))
    differing = [f"{n} {then.get(n)!r}, now {now.get(n)!r}" for n in names if now.get(n) != then.get(n)]
    if differing:
        raise ValueError(
            f"the training whose state was given was another one: {'; '.join(differing)}. Resume with the data and the "
            "arguments it was begun with."
        )
    model, schedule, samples = training.model, training.schedule, training.samples
    callbacks = _paired(training, state["callbacks"])
    before = training.weights()
    try:
        training.load_weights(state["model"])
        if isinstance(training.loss, Module):
            training.loss.load_state_dict(state["loss"])
        training.optimizer.load_state_dict(state["optimizer"])
    except (KeyError, ValueError, TypeError):
        training.load_weights(before)
        raise
    for module, mode in zip(model.modules(), state["modes"], strict=True):
        module.training = mode
    if schedule is not None:
        schedule.load_state_dict(state["schedule"])
    for callback, kept in callbacks:
        callback.load_state_dict(kept)
    history = training.history
    history.columns.update({name: list(column) for name, column in state["history"]["columns"].items()})
    history.seconds[:] = state["history"]["seconds"]
    training.epoch, training.batch, training.seconds = state["epoch"], state["batch"], state["seconds"]
    training.means.restore(**state["means"])
    training.split_from, training.order_from = state["split_from"], state["order_from"]
    set_state(samples.rng, state["order_from"])
    training.order = samples.order() if state["drawn"] else None
    set_state(samples.rng, state["order"])
    for name, generator in model.named_generators():
        set_state(generator, state["generators"][name])


def sensible(state: dict[str, Any]) -> bool:
    """Whether a state has all its parts, each of the right type."""
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


def _paired(training: Training, kept: list[Any]) -> list[tuple[Callback, Any]]:
    """Each saved state of a callback, with the callback of the same class that continues from it."""
    found = []
    waiting = list(training.callbacks)
    for kind, state in kept:
        callback = next((c for c in waiting if type(c).__name__ == kind), None)
        if callback is None:
            raise ValueError(
                f"the training whose state was given had a callback {kind}, whose state it holds; pass one of that "
                "kind in callbacks=, too."
            )
        waiting.remove(callback)
        found.append((callback, state))
    return found


def fingerprint(training: Training) -> dict[str, Any]:
    """Everything that must be the same when a training is resumed."""
    arrays = [b for a in training.samples.arrays for b in (a.arrays if isinstance(a, Several) else [a])]
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
        "accumulate": training.settings.accumulate,
        "clip_norm": training.settings.clip_norm,
        "clip_value": training.settings.clip_value,
        "columns of the history": list(training.history.columns),
        "schedule": type(training.schedule).__name__,
        **({"compiled": training.settings.compiled} if training.settings.compiled else {}),
        "random generators of the model": {name: _kind(rng) for name, rng in training.model.named_generators()},
    }


def _kind(rng: np.random.Generator) -> str:
    return str(rng.bit_generator.state["bit_generator"])


def _name(function: Any) -> str:
    return str(getattr(function, "__name__", type(function).__name__))


def generator_state(rng: np.random.Generator | None) -> Any:
    """The state of a generator, or None for no generator."""
    return None if rng is None else rng.bit_generator.state


def set_state(rng: np.random.Generator | None, state: Any) -> None:
    """Set the state of a generator. Raises ValueError if the state is that of another kind of generator."""
    if rng is not None and state is not None:
        kind = rng.bit_generator.state["bit_generator"]
        if kind != state["bit_generator"]:
            raise ValueError(f"a state of {state['bit_generator']} was found for a {kind}; use the same generator.")
        rng.bit_generator.state = state
