from __future__ import annotations

import io
import re
import sys
import types

import numpy as np
import pytest

import nn
from nn.report import progress


def trained(epochs: int, **changed: object) -> nn.History:
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((40, 2)), rng.integers(0, 2, 40)
    return nn.fit(nn.MLP(2, 2, rng=0), (x, y), nn.CrossEntropyLoss(), lambda p: nn.optim.SGD(p, lr=0.1), epochs=epochs,
                  batch_size=10, rng=0, **changed)  # fmt: skip


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


def terminal(monkeypatch: pytest.MonkeyPatch) -> Screen:
    """What is written from now on; a fixture would come before the test's own stderr."""
    found = Screen()
    monkeypatch.setattr(sys, "stderr", found)
    return found


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The states of a notebook's output, one after the other."""
    display = pytest.importorskip("IPython.display")
    states: list[str] = []

    class Handle:
        def update(self, bundle: dict[str, str], raw: bool) -> None:
            states.append(bundle["text/plain"])

    monkeypatch.setattr(display, "display", lambda *args, **kwargs: Handle())
    monkeypatch.setattr(progress, "in_notebook", lambda: True)
    monkeypatch.setattr(progress, "REFRESH", 0)
    return states


def test_without_a_terminal_nothing_is_shown(capsys: pytest.CaptureFixture[str]):
    assert len(trained(2, verbose=True)) == 2
    assert capsys.readouterr() == ("", "")


def test_quiet_is_quiet(monkeypatch: pytest.MonkeyPatch):
    screen = terminal(monkeypatch)
    trained(2, verbose=False)
    assert screen.getvalue() == ""


def test_in_a_terminal_the_lines_stay_and_the_bar_goes(monkeypatch: pytest.MonkeyPatch):
    screen = terminal(monkeypatch)
    history = trained(3)
    text = screen.getvalue()
    kept = [line.split("\r")[-1] for line in text.split("\n")]
    assert [line.rstrip() for line in kept if "loss" in line] == [history.line(k, 3) for k in (1, 2, 3)]
    assert not kept[-1].strip()
    assert "/12 [" in text  # the bar is that of the whole training
    assert "<" in text  # and says how long it takes


def test_in_a_notebook_one_output_is_rewritten(shown: list[str]):
    history = trained(2)
    assert shown[-1] == "\n".join(history.line(k, 2) for k in (1, 2))
    assert any(re.search(r"epoch 2/2:.* [5-8]/8 \[\d\d:\d\d<.*batches", text) for text in shown)
    assert all(text.replace("\n", "").isprintable() for text in shown)


def test_a_resumed_training_begins_where_it_was(shown: list[str], monkeypatch: pytest.MonkeyPatch):
    screen = terminal(monkeypatch)
    cell = progress.progress(4, 10, True, done=25)
    cell.advance(3, 6)
    assert re.search(r"epoch 3/4: .* 26/40 \[", shown[-1])
    cell._began -= 10.0
    cell.advance(3, 7)  # two batches in ten seconds, then
    assert re.search(r" 27/40 \[00:10<01:0\d,", shown[-1])
    bar = progress.Bar(4, 10, done=25)
    assert "25/40" in screen.getvalue().rsplit("\r", 1)[-1]
    bar.advance(3, 6)
    bar._bar.refresh()
    last = screen.getvalue().rsplit("\r", 1)[-1]
    assert last.startswith("epoch 3/4: ")
    assert "26/40" in last
    bar.close()


def test_the_whole_need_not_be_epochs_of_batches(shown: list[str]):
    progress.progress(2, 3, True, each="restart", unit="epochs").advance(2, 1)
    assert re.search(r"restart 2/2:.* 4/6 \[.*epochs", shown[-1])


def test_many_lines_are_shown_at_intervals_and_all_in_the_end(shown: list[str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(progress, "REFRESH", 1000.0)
    history = trained(50)
    assert len(shown) == 1
    assert shown[-1].splitlines() == [history.line(k, 50) for k in range(1, 51)]


def test_a_front_end_that_shows_nothing_does_not_disturb(monkeypatch: pytest.MonkeyPatch):
    display = pytest.importorskip("IPython.display")

    class Gone:
        def update(self, *args: object, **kwargs: object) -> None:
            raise OSError("the front end is gone")

    def broken(*args: object, **kwargs: object) -> None:
        raise RuntimeError("no display here")

    monkeypatch.setattr(progress, "in_notebook", lambda: True)
    monkeypatch.setattr(progress, "REFRESH", 0)
    for show in (lambda *args, **kwargs: Gone(), broken, lambda *args, **kwargs: None):
        monkeypatch.setattr(display, "display", show)
        assert len(trained(2)) == 2
    monkeypatch.setitem(sys.modules, "IPython.display", None)
    assert len(trained(2)) == 2


def test_where_the_program_runs_is_found_out_without_errors(monkeypatch: pytest.MonkeyPatch):
    for module, expected in (
        (None, False),
        (types.SimpleNamespace(), False),  # half imported
        (types.SimpleNamespace(get_ipython=lambda: None), False),
        (types.SimpleNamespace(get_ipython=lambda: types.SimpleNamespace()), False),  # IPython in a terminal
        (types.SimpleNamespace(get_ipython=lambda: types.SimpleNamespace(kernel=object())), True),
    ):
        monkeypatch.setitem(sys.modules, "IPython", module)
        assert progress.in_notebook() is expected
    monkeypatch.setitem(sys.modules, "IPython", None)
    closed = io.StringIO()
    closed.close()
    for stream in (None, closed):
        monkeypatch.setattr(sys, "stderr", stream)
        assert type(progress.progress(1, 1, True)) is progress.Silence
