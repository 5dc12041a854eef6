"""What the README shows is what the code does."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autodiff as ad

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")


def test_the_table_is_the_emblems() -> None:
    x1, x2 = ad.Tensor(2.0, name="x1"), ad.Tensor(5.0, name="x2")
    (table,) = re.findall(r"```text\n(.*?)```", README, re.DOTALL)
    assert table.rstrip() == str(ad.trace(np.log(x1) + x1 * x2 - np.sin(x2)))


def test_the_tour_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    for block in re.findall(r"```python\n(.*?)```", README, re.DOTALL):
        exec(block, names)  # noqa: S102  # the README's own code
    assert (names["x1"].grad, f"{names['x2'].grad:.4f}") == (5.5, "1.7163")
    assert names["history"]["validation_accuracy"][-1] > 0.9
    assert sorted(os.listdir()) == ["digits.safetensors", "trace.svg", "weights.safetensors"]


def test_what_the_readme_names_is_there() -> None:
    root = Path(__file__).parent.parent
    for path in re.findall(r"`((?:autodiff|nn|notebooks|tests|benchmarks)/[^`]*)`", README):
        assert (root / path).exists(), path


def test_the_citation_names_this_version() -> None:
    citation = (Path(__file__).parent.parent / "CITATION.cff").read_text(encoding="utf-8")
    assert re.findall(r"^version: (.*)$", citation, re.MULTILINE) == [ad.__version__]
