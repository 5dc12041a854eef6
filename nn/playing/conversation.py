"""The conversation: messages from a view, and the frames that answer them, the same for widget and page.

A message is a dict with one `do`, and each is answered by a frame. The experiment advances only when a message asks.

    {"do": "open"}                           the settings, the data, the code, and the first snapshot
    {"do": "frame", "train": 0.02}           train for that many seconds; the snapshot after it
    {"do": "frame", "batches": 1}            train on that many batches (0 for none); or "epochs": 1
    {"do": "change", "settings": {...}}      change settings; answered as "open" is
    {"do": "address", "text": "data=xor"}    take the settings of an address; answered as "open" is
    {"do": "reset"}                          start again with the same settings
    {"do": "sample", "index": 3}             the forward and backward pass of one sample
    {"do": "landscape"}                      the loss around the present weights
    {"do": "code"}                           the program, for as many epochs as were trained, 100 at least

With "adjoints": true the maps show adjoints instead of values. An error is answered by {"error": text}.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from nn.checked import real, whole
from nn.playing import settings as choices
from nn.playing.experiment import Experiment
from nn.playing.landscape import landscape
from nn.playing.sample import one_sample
from nn.playing.settings import LOSSES, OWN, PRESETS, Settings
from nn.playing.snapshot import FINE, STEP, Frame, input_maps, samples, snapshot

LONGEST = 0.25  # seconds of training in one message, so that a view does not wait long for its answer
TUPLES = "inputs", "layers"


def answer(experiment: Experiment, message: Any) -> Frame:
    """The frame that answers a message. An exception becomes a frame with its text."""
    try:
        with np.errstate(all="ignore"):  # the view shows that a training diverges; the terminal needs no warning
            return _answered(experiment, message)
    except Exception as error:  # of any kind: only the view can show it to the user
        return Frame({"error": f"{type(error).__name__}: {error}"})


def _answered(experiment: Experiment, message: Any) -> Frame:
    if not isinstance(message, Mapping) or not isinstance(message.get("do"), str):
        raise TypeError('a message is an object with a text "do"')
    adjoints = message.get("adjoints") is True
    match message["do"]:
        case "open":
            return _opened(experiment, adjoints)
        case "change":
            given = message.get("settings")
            if not isinstance(given, Mapping):
                raise TypeError('"change" has an object "settings"')
            experiment.change({k: tuple(v) if k in TUPLES and isinstance(v, list) else v for k, v in given.items()})
            return _opened(experiment, adjoints)
        case "address":
            experiment.begin(Settings.of_address(str(message.get("text"))))
            return _opened(experiment, adjoints)
        case "reset":
            experiment.reset()
            return _opened(experiment, adjoints)
        case "frame":
            _train(experiment, message)
            return snapshot(experiment, adjoints)
        case "sample":
            return Frame({"sample": one_sample(experiment, whole(message.get("index", 0), "index", None))})
        case "landscape":
            return landscape(experiment)
        case "code":
            return Frame({"code": experiment.code()})
    raise ValueError(
        'a message\'s "do" is open, frame, change, address, reset, sample, landscape or code; received '
        f"{message['do']:.40}."
    )


def _train(experiment: Experiment, message: Mapping[str, Any]) -> None:
    if "train" in message:
        experiment.train_for(real(message["train"], "train", most=LONGEST))
    elif "epochs" in message:
        experiment.train(whole(message["epochs"], "epochs", 0) and 1)
    else:
        for _ in range(min(whole(message.get("batches", 0), "batches", 0), 1000)):
            experiment.step()


def _opened(experiment: Experiment, adjoints: bool) -> Frame:
    """Everything that a view needs to draw an experiment for the first time."""
    now = snapshot(experiment, adjoints)
    settings, problem = experiment.settings, experiment.problem
    data = [name for name in choices.CHOICES["data"] if name != OWN or experiment.own is not None]
    content = {
        "opened": True,
        "settings": {name: getattr(settings, name) for name in settings.__dataclass_fields__} | {"loss": problem.loss},
        "choices": {**choices.CHOICES, "data": data, "inputs": list(choices.INPUTS)}
        | {"loss": LOSSES["classes" if problem.classes else "numbers"]},
        "limits": {"layers": choices.MOST_LAYERS, "units": choices.MOST_UNITS},
        "classes": problem.classes,
        "extent": problem.extent,
        "presets": PRESETS,
        "address": settings.address(),
        "call": settings.call(),
        "code": experiment.code(),
        "skips": [layer.skip for layer in experiment.network.layers],
        "side": FINE // STEP,
    }
    return Frame({**now.content, **content}, {**now.arrays, **samples(problem), **input_maps(problem)})
