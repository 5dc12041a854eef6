"""The two doors: a widget of one module, a page of files that name nobody else, and words where an extra is missing."""

from __future__ import annotations

import re
import sys

import pytest

import nn
from nn.playing import command, files, server, widget
from nn.playing.settings import Settings


def test_the_widgets_module_is_one_and_says_what_it_exports():
    text = files.widget_module()
    assert not re.search(r"^import ", text, re.MULTILINE)
    assert re.findall(r"^export .*", text, re.MULTILINE) == ["export default {"]
    names = re.findall(r"^(?:async )?(?:function|class|const|let) (\w+)", text, re.MULTILINE)
    assert len(names) == len(set(names)) > 20  # two modules may not use one name


def test_every_file_of_the_view_has_a_use():
    used = {name for name, _ in files.SERVED.values()} | {"widget.js"}
    assert {path.name for path in files.FOLDER.iterdir()} == used


@pytest.mark.parametrize("name", sorted({name for name, _ in files.SERVED.values()} | {"widget.js"}))
def test_the_view_names_no_other_host_and_writes_no_markup(name):
    text = files.text(name)
    assert set(re.findall(r"\w+://[^\s\"'`]+", text)) <= {"http://www.w3.org/2000/svg"}
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function", text)
    assert len(text.splitlines()) <= 450


def test_a_notebook_is_shown_a_widget_and_a_picture():
    pytest.importorskip("anywidget", reason='no widgets: pip install ".[notebook]"')
    play = nn.playground("xor", layers=(3,)).train(2)
    bundle, _ = play._repr_mimebundle_()
    assert set(bundle) == {"application/vnd.jupyter.widget-view+json", "image/svg+xml", "text/plain"}
    assert bundle["text/plain"] == 'nn.playground("xor", layers=(3,))'
    svg = bundle["image/svg+xml"]
    assert svg.count("<image ") == 2 + 3 + 1 + 1
    assert svg.count("<circle ") == len(play.experiment.problem.points)
    assert "epoch 2, training loss" in svg


@pytest.mark.parametrize("name", ["anywidget", "tornado"])
def test_what_is_missing_is_named_with_the_line_to_install_it(name, monkeypatch):
    monkeypatch.setitem(sys.modules, name, None)
    widget._kind.cache_clear()
    asked = {
        "anywidget": lambda: nn.playground()._repr_mimebundle_(),
        "tornado": lambda: server.application(Settings(), "token", lambda: 0),
    }
    with pytest.raises(ModuleNotFoundError, match=r"pip install \"autodiff-nn\["):
        asked[name]()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["playground", "spirale"], "spiral"),
        (["playground", "nose=1"], "noise"),
        (["playground", "layers=a"], "layers"),
        (["playground", "lr=0"], "lr"),
    ],
)
def test_the_command_line_names_what_it_cannot_read(words, said, capsys):
    assert command.main(words) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1


def test_the_command_line_begins_where_it_is_told(monkeypatch):
    served = []
    monkeypatch.setattr(command, "serve", lambda settings, port, ready: served.append((settings, port)))
    assert command.main(["playground", "spiral", "layers=8,8", "lr=0.01", "--port", "8123"]) == 0
    assert served == [(Settings(data="spiral", layers=(8, 8), lr=0.01), 8123)]
