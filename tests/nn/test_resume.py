"""A training that is stopped, in whatever way and at whatever moment, goes on as if it had not been."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from stopped import LABELS, X, model, train

import nn
from nn.model import saving
from nn.training import checkpoint

STOPPED = Path(__file__).with_name("stopped.py")


class StopAt(nn.Callback):
    """Ctrl-C after so many batches."""

    def __init__(self, batches: int) -> None:
        self.batches = batches

    def on_batch_end(self, training: nn.Training) -> None:
        self.batches -= 1
        if self.batches == 0:
            signal.raise_signal(signal.SIGINT)


def equal(one: nn.Module, other: nn.Module) -> bool:
    return all(
        np.array_equal(a, b) for a, b in zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    )


@pytest.fixture(scope="module")
def unbroken() -> tuple[nn.Module, nn.History]:
    network = model()
    return network, train(network, callbacks=[nn.EarlyStopping(50), StopAt(-1)])


@pytest.mark.parametrize("batches", [1, 10, 11, 12, 37, 110])
def test_ctrl_c_and_resume_is_as_if_nothing_had_been(
    batches: int, unbroken: tuple[nn.Module, nn.History], tmp_path: Path
):
    file = tmp_path / "run.safetensors"
    history = train(model(), callbacks=[nn.EarlyStopping(50), StopAt(batches)], checkpoint=file)
    assert history.interrupted
    assert len(history) == (batches - 1) // 11  # the last validation of an epoch is not reached
    network = model()
    network.load_state_dict({name: value * 0 for name, value in network.state_dict().items()})
    resumed = train(network, callbacks=[nn.EarlyStopping(50), StopAt(-1)], checkpoint=file, resume=file, rng=99)
    assert resumed.columns == unbroken[1].columns
    assert not resumed.interrupted
    assert equal(network, unbroken[0])


def test_many_stops_in_one_training(unbroken: tuple[nn.Module, nn.History], tmp_path: Path):
    file = tmp_path / "run.safetensors"
    for k in range(12):
        network = model()
        history = train(
            network, callbacks=[nn.EarlyStopping(50), StopAt(10)], checkpoint=file, resume=file if k else None
        )
    assert history.columns == unbroken[1].columns
    assert equal(network, unbroken[0])


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="Windows has no signal that cannot be caught")
def test_kill_9_at_a_random_moment_and_resume(tmp_path: Path):
    file = tmp_path / "run.safetensors"
    for delay in np.random.default_rng(0).uniform(0.0, 0.4, 3):
        process = subprocess.Popen([sys.executable, STOPPED, file], stdout=subprocess.PIPE)
        assert process.stdout is not None
        process.stdout.readline()
        until = time.monotonic() + 60
        while not file.exists() and time.monotonic() < until:
            time.sleep(0.005)
        time.sleep(delay)
        process.kill()
        process.wait()
        process.stdout.close()
        state = checkpoint.read(file)  # whole, whenever it was
        epochs = state["epoch"] + 2
        through, resumed = model(), model()
        whole = train(through, epochs, schedule=None)
        history = train(resumed, epochs, schedule=None, resume=file)
        assert history.columns == whole.columns
        assert equal(resumed, through)
        file.unlink()


def test_a_write_that_is_cut_short_leaves_the_checkpoint_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    file = tmp_path / "run.safetensors"
    train(model(), 2, checkpoint=file, schedule=None)
    before = file.read_bytes()

    def cut(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", cut)
    assert train(model(), 4, checkpoint=file, resume=file, schedule=None).interrupted
    assert file.read_bytes() == before
    assert os.listdir(tmp_path) == [file.name]


def test_a_training_can_be_prolonged(tmp_path: Path):
    file = tmp_path / "run.safetensors"
    through, prolonged = model(), model()
    whole = train(through, 6, schedule=None)
    train(model(), 4, checkpoint=file, schedule=None)
    history = train(prolonged, 6, resume=file, schedule=None)
    assert history.columns == whole.columns
    assert equal(through, prolonged)
    assert len(train(model(), 3, resume=file, schedule=None)) == 4  # nothing is left to do


def test_a_training_that_early_stopping_ended_has_ended(tmp_path: Path):
    file = tmp_path / "run.safetensors"
    ended, again = model(), model()
    history = train(ended, 40, callbacks=nn.EarlyStopping(2), checkpoint=file, schedule=None)
    assert len(history) < 40
    watched = nn.watch(again)  # a callback more has no state to go on from
    resumed = train(again, 40, callbacks=[watched, nn.EarlyStopping(2)], resume=file, schedule=None)
    assert resumed.columns == history.columns
    assert equal(ended, again)
    assert watched.steps == []
    longer = train(model(), 40, callbacks=nn.EarlyStopping(9), resume=file, schedule=None)
    assert len(longer) > len(history)
    with pytest.raises(ValueError, match="had a callback EarlyStopping, whose state it holds"):
        train(model(), 40, callbacks=[], resume=file, schedule=None)


def test_a_loader_resumes_in_its_order(tmp_path: Path):
    file = tmp_path / "run.safetensors"

    def go(stop: int, **changed: object) -> tuple[nn.Module, nn.History]:
        network = model()
        loader = nn.data.DataLoader(X, LABELS, batch_size=20, replacement=True, drop_last=True, rng=3)
        history = nn.fit(
            network, loader, nn.CrossEntropyLoss(), nn.optim.SGD(network.parameters(), lr=0.1, momentum=0.9),
            epochs=3, accumulate=2, callbacks=StopAt(stop), verbose=False, **changed,
        )  # fmt: skip
        return network, history

    go(8, checkpoint=file)
    (one, whole), (other, resumed) = go(-1), go(-1, resume=file)
    assert whole.columns == resumed.columns
    assert equal(one, other)


def test_another_training_is_refused_and_nothing_changes(tmp_path: Path):
    file = tmp_path / "run.safetensors"
    train(model(), 1, checkpoint=file)
    with pytest.raises(FileNotFoundError, match=r"there is no file. Leave resume out"):
        train(model(), resume=tmp_path / "nowhere")
    nn.save(model(), tmp_path / "weights")
    with pytest.raises(nn.FileError, match="a file of weights, not a checkpoint"):
        train(model(), resume=tmp_path / "weights")
    file.with_name("short").write_bytes(file.read_bytes()[:-9])
    with pytest.raises(nn.FileError, match="truncated"):
        train(model(), resume=file.with_name("short"))
    network = model()
    with pytest.raises(ValueError, match="was another one: batch_size 16, now 32"):
        train(network, batch_size=32, resume=file)
    with pytest.raises(ValueError, match="columns of the history"):
        train(network, metrics=(), resume=file)
    with pytest.raises(ValueError, match="schedule 'OneCycleLR', now 'NoneType'"):
        train(network, schedule=None, resume=file)
    other = nn.Sequential(nn.Linear(6, 2, rng=0), nn.Dropout(0.1, rng=0))
    with pytest.raises(ValueError, match="random generators of the model"):
        train(other, resume=file)
    wider = model()
    wider.layers[0], wider.layers[1] = nn.Linear(6, 17, rng=0), nn.BatchNorm1d(17)
    wider.layers[4] = nn.Linear(17, 2, rng=0)
    before = wider.state_dict()
    with pytest.raises(ValueError, match=r"0.weight has the shape \(17, 6\), received \(16, 6\)"):
        train(wider, resume=file)
    assert all(np.array_equal(value, before[name]) for name, value in wider.state_dict().items())
    assert equal(network, model())


def test_a_checkpoint_needs_a_place_to_be_written(tmp_path: Path):
    for place in (tmp_path, tmp_path / "missing" / "run.safetensors"):
        with pytest.raises(ValueError, match="checkpoint is a file in a folder that can be written to"):
            train(model(), checkpoint=place)
    with pytest.raises(TypeError, match="checkpoint_every says how often"):
        train(model(), checkpoint_every=3)


def test_a_second_ctrl_c_ends_at_once():
    class Twice(nn.Callback):
        def on_batch_end(self, training: nn.Training) -> None:
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)
            raise AssertionError

    history = train(model(), callbacks=Twice())
    assert history.interrupted
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_notebooks_stop_button_returns_the_history_and_leaves_a_checkpoint(tmp_path: Path):
    manager_module = pytest.importorskip("jupyter_client.manager", reason="comes with nbclient, in the extra dev")
    file = tmp_path / "run.safetensors"
    manager, client = manager_module.start_new_kernel(kernel_name="python3")
    try:
        client.execute(
            f"import sys; sys.path.insert(0, {str(STOPPED.parent)!r})\n"
            "from stopped import model, train\n"
            f"history = train(model(), epochs=100_000, schedule=None, checkpoint={str(file)!r})\n"
            "print(history.interrupted, len(history))"
        )
        until = time.monotonic() + 60
        while not file.exists() and time.monotonic() < until:
            time.sleep(0.05)
        manager.interrupt_kernel()
        text = ""
        while "True" not in text and time.monotonic() < until:
            message = client.get_iopub_msg(timeout=60)
            assert message["msg_type"] != "error", message["content"]
            text += message["content"].get("text", "")
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    epochs = int(text.split()[1])
    state = checkpoint.read(file)
    assert len(state["history"]["seconds"]) == epochs == state["epoch"] - 1


def test_modes_that_a_callback_set_come_back(tmp_path: Path):
    class Still(nn.Callback):
        def on_epoch_begin(self, training: nn.Training) -> None:
            training.model[1].eval()

    file = tmp_path / "run.safetensors"
    whole, resumed = model(), model()
    train(whole, 4, callbacks=[Still()], schedule=None)
    train(model(), 4, callbacks=[Still(), StopAt(15)], checkpoint=file, schedule=None)
    train(resumed, 4, callbacks=[Still()], resume=file, schedule=None)
    assert equal(whole, resumed)


def test_what_forward_remembers_does_not_keep_a_training_from_going_on(tmp_path: Path):
    class Remembering(nn.Module):
        def __init__(self) -> None:
            self.layer = nn.Linear(6, 2, rng=0)

        def forward(self, x: np.ndarray) -> object:
            self.seen = np.array(x)
            return self.layer(x)

    file = tmp_path / "run.safetensors"
    with pytest.warns(UserWarning, match="the arrays seen came with the model's first call"):
        train(Remembering(), 2, checkpoint=file, schedule=None)
    assert sorted(nn.load(file)) == ["layer.bias", "layer.weight"]
    with pytest.warns(UserWarning, match="the arrays seen"):
        assert len(train(Remembering(), 3, resume=file, schedule=None)) == 3


@pytest.mark.parametrize(
    "damage",
    [
        lambda state: state | {"epoch": -5},
        lambda state: state | {"epoch": "3"},
        lambda state: state | {"batch": None},
        lambda state: state | {"history": {"columns": {"loss": [1.0]}, "seconds": []}},
        lambda state: state | {"means": {}},
        lambda state: state | {"callbacks": 3},
        lambda state: {name: value for name, value in state.items() if name != "optimizer"},
        lambda state: [],
    ],
)
def test_a_forged_checkpoint_is_refused(damage: object, tmp_path: Path):
    file = tmp_path / "run.safetensors"
    train(model(), 2, checkpoint=file)
    arrays: dict[str, object] = {}
    text = json.dumps(checkpoint.flattened(damage(checkpoint.read(file)), "", arrays))
    saving.write(file, arrays, {saving.TRAINING: text})
    network = model()
    with pytest.raises(nn.FileError, match="its account of the training makes no sense"):
        train(network, resume=file)
    assert equal(network, model())


def test_ctrl_c_in_the_very_last_moment_is_not_lost():
    class Last(nn.Callback):
        def on_epoch_end(self, training: nn.Training) -> None:
            if training.epoch == training.epochs:
                signal.raise_signal(signal.SIGINT)

    history = train(model(), 2, callbacks=Last(), schedule=None)
    assert history.interrupted
    assert len(history) == 2


def test_a_callback_of_another_training_brings_nothing_along(tmp_path: Path):
    file, stopping = tmp_path / "run.safetensors", nn.EarlyStopping(50)
    train(model(), 8, callbacks=stopping, schedule=None)
    train(model(), 2, callbacks=[], checkpoint=file, schedule=None)
    history = train(model(), 4, callbacks=stopping, resume=file, schedule=None)
    assert len(history) == 4
    assert stopping.best_epoch in (3, 4)


def test_a_model_of_other_modules_is_refused(tmp_path: Path):
    file = tmp_path / "run.safetensors"
    train(model(), 1, checkpoint=file)
    for change in (lambda m: m.add(nn.Tanh()), lambda m: m.layers.__setitem__(2, nn.Tanh())):
        other = model()
        change(other)
        before = other.state_dict()
        with pytest.raises(ValueError, match=r"was another one: modules"):
            train(other, resume=file)
        assert all(np.array_equal(value, before[name]) for name, value in other.state_dict().items())
    with pytest.raises(ValueError, match="checkpoint is a file in a folder"):
        train(model(), checkpoint="")
