"""The notebooks are stored executed, small and clean. (That they execute is checked apart, from a clean kernel.)"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

NOTEBOOKS = sorted((Path(__file__).parent.parent / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_stored_executed_and_clean(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    notebook = json.loads(text)
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1))
    outputs = [output for cell in code for output in cell["outputs"]]
    assert {output["output_type"] for output in outputs} <= {"display_data", "execute_result", "stream"}
    assert all(output.get("name") != "stderr" for output in outputs)
    assert not any("widget" in kind for output in outputs for kind in output.get("data", {}))  # without_widgets.py
    assert "widgets" not in notebook["metadata"]
    assert notebook["metadata"]["kernelspec"]["name"] == "python3"
    assert len(text) < 1_000_000
    assert not re.search(r"/(home|root|Users|tmp|work)/|\\u001b|(?<!\\)\\r(?!\\n)", text)
