"""Every public name says what it is, with an example; and every example in a docstring does what it shows."""

from __future__ import annotations

import ast
import doctest
import importlib
import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autodiff as ad
import nn
import nn.functional

ROOT = Path(ad.__file__).parent.parent
NAMES = {"np": np, "ad": ad, "nn": nn, "F": nn.functional}  # what the examples take as imported

# Modules with an __all__, whose public names are documented. Of nn.init all functions that it defines.
PLACES = (
    *("autodiff", "autodiff.scipy.integrate", "autodiff.scipy.linalg", "autodiff.scipy.signal"),
    *("autodiff.scipy.special", "autodiff.scipy.stats", "nn", "nn.data", "nn.estimators", "nn.functional", "nn.init"),
    *("nn.layers", "nn.metrics", "nn.optim", "nn.optim.lr_scheduler"),
)
PUBLIC = {place: importlib.import_module(place) for place in PLACES}


def public_names() -> Iterator[tuple[str, Any]]:
    """The functions and classes that a user may call, with their full names."""
    for place, module in PUBLIC.items():
        names = getattr(module, "__all__", None) or [name for name in vars(module) if not name.startswith("_")]
        for name in names:
            value = getattr(module, name)
            home = getattr(value, "__module__", None) or ""
            if callable(value) and home.startswith(("autodiff", "nn")) and (place != "nn.init" or home == place):
                yield f"{place}.{name}", value


def own_docstring(value: Any) -> str:
    """The docstring, which a class does not take from the class it extends; of an object that of its class."""
    found = value if inspect.isclass(value) or hasattr(value, "__name__") else type(value)
    return vars(found).get("__doc__") or "" if inspect.isclass(found) else inspect.getdoc(found) or ""


def test_every_public_name_has_a_docstring_with_an_example() -> None:
    names = dict(public_names())
    assert len(names) > 400
    assert [name for name, value in names.items() if ">>>" not in own_docstring(value)] == []


def docstrings() -> Iterator[tuple[str, str, int]]:
    """Every docstring with an example: a name for it, its text, the line it begins on."""
    for path in sorted([*(ROOT / "autodiff").rglob("*.py"), *(ROOT / "nn").rglob("*.py")]):
        place = path.relative_to(ROOT).as_posix()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                text = ast.get_docstring(node, clean=True)
                if text and ">>>" in text:
                    yield f"{place}: {getattr(node, 'name', 'module')}", text, node.body[0].lineno


class Runner(doctest.DocTestRunner):
    """It skips an example that needs an optional package which is not installed."""

    def report_unexpected_exception(self, out: Any, test: Any, example: Any, exc_info: Any) -> None:
        error = exc_info[1]
        ours = (getattr(error, "name", None) or "").startswith(("autodiff", "nn"))
        if isinstance(error, ImportError) and not ours:
            pytest.skip(f"{example.source.strip()}: {error}")
        super().report_unexpected_exception(out, test, example, exc_info)


EXAMPLES = list(docstrings())


@pytest.mark.parametrize(("name", "text", "line"), EXAMPLES, ids=[name for name, _, _ in EXAMPLES])
def test_an_example_does_what_it_shows(
    name: str, text: str, line: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # some write files
    test = doctest.DocTestParser().get_doctest(text, dict(NAMES), name, name.partition(":")[0], line - 1)
    assert not any(doctest.SKIP in example.options for example in test.examples)
    report: list[str] = []
    Runner(verbose=False).run(test, out=report.append)
    assert not report, "".join(report)
