"""What the pages of the site show is what the code does: code and tables run, links and questions lead somewhere."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autodiff.scipy  # noqa: F401  # what the pages import is imported before the tables of rules are noted
import nn  # noqa: F401

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = sorted(page for page in DOCS.rglob("*.md") if page.parent.name not in ("generated", "notebooks"))
LINK = re.compile(r"\[(?:[^\]`]|`[^`]*`)+\]\(([^)#\s]*)(?:#([^)\s]*))?\)")


def code(text: str, page: Path) -> list[tuple[int, str]]:
    """A page's blocks of Python, and of a guide the right-hand cells of its tables, with their places in the text."""
    blocks = [(found.start(), found[1]) for found in re.finditer(r"```python\n(.*?)```", text, re.DOTALL)]
    if page.parent.name == "guides":
        for row in re.finditer(r"^\| .*? \| (`.*) \|$", text, re.MULTILINE):
            blocks += [(row.start(1) + cell.start(), cell[1]) for cell in re.finditer(r"`([^`]+)`", row[1])]
    return sorted(blocks)


CODED = [page for page in PAGES if code(page.read_text(encoding="utf-8"), page)]


@pytest.mark.parametrize("page", CODED, ids=lambda page: page.relative_to(DOCS).as_posix())
def test_the_code_of_a_page_runs(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    text = page.read_text(encoding="utf-8")
    for place, block in code(text, page):
        if block == "rng=rng":  # an argument, not a line
            continue
        try:
            exec(block, names)  # noqa: S102  # the pages' own code
        except Exception as error:
            error.add_note(f"{page.name}, line {text[:place].count(chr(10)) + 1}: {block}")
            raise
    if page.stem == "from_pytorch":
        assert names["share"] > 0.9
    if page.stem == "from_keras":
        assert names["test_accuracy"] > 0.9
    if page.stem == "adjoint":
        assert np.isclose(names["score"].grad, -0.846, atol=1e-3)


def test_every_guide_has_a_table() -> None:
    for page in DOCS.glob("guides/from_*.md"):
        assert len(re.findall(r"^\| `", page.read_text(encoding="utf-8"), re.MULTILINE)) > 8, page.name


def anchors(page: Path) -> set[str]:
    """The names by which the headings of a page are linked to."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower().replace("_", "-")).strip().replace(" ", "-") for title in headings}


def target(page: Path, link: str) -> Path:
    """The file that a link leads to; the notebooks are copied into docs/ when the site is built."""
    path = (page.parent / link).resolve() if link else page
    return ROOT / "notebooks" / path.name if path.parent == DOCS / "notebooks" else path


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(DOCS).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    prose = re.sub(r"```(?:python|text|sh).*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for link, anchor in LINK.findall(prose):
        assert target(page, link).exists(), (page.name, link)
        assert not anchor or anchor in anchors(target(page, link)), (page.name, link, anchor)


def section(page: Path, anchor: str) -> str:
    """The text under a heading."""
    parts = re.split(r"^## (.*)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    named = dict(zip(parts[1::2], parts[2::2], strict=True))
    (found,) = (text for title, text in named.items() if anchor == title.lower().replace("_", "-").replace(" ", "-"))
    return found


def test_ten_questions_are_two_clicks_from_the_start_each_with_a_picture_of_ours() -> None:
    assert "(questions.md)" in (DOCS / "index.md").read_text(encoding="utf-8")
    questions = DOCS / "questions.md"
    lines = re.findall(r"^\d+\. .*$", questions.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(lines) == 10
    pictures = re.findall(r"^@(?:drawn|plotted)\ndef (\w+)", (DOCS / "pictures.py").read_text(), re.MULTILINE)
    for line in lines:
        ((link, anchor),) = LINK.findall(line)
        shown = re.findall(r"```\{picture\} (\w+)", section(target(questions, link), anchor))
        assert shown, line
        assert set(shown) <= set(pictures)


def test_every_notebook_is_a_tutorial() -> None:
    text = (DOCS / "tutorials.md").read_text(encoding="utf-8")
    patterns = re.findall(r"^notebooks/(\S+)$", text, re.MULTILINE)
    for notebook in ROOT.glob("notebooks/*.ipynb"):
        assert any(Path(notebook.stem).match(pattern) for pattern in patterns), notebook.name


def part(name: str) -> Any:
    """A module that the site is built with; it lies outside of the packages."""
    found = importlib.util.spec_from_file_location(name, DOCS / f"{name}.py")
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def test_a_docstring_becomes_restructured_text() -> None:
    lines = [
        *("The p-norm |x| of x * y, by `np.sum`.", "", "Parameters", "----------", "x, y : of one shape"),
        *("p : a number", "    above 0", "", ">>> 2 * 3", "6"),
    ]
    part("docstrings").as_restructured_text(None, "function", "f", None, None, lines)
    assert lines == [
        *("", "The p-norm \\|x\\| of x \\* y, by ``np.sum``.", "", ".. rubric:: Parameters", "", "``x``, ``y``"),
        *("    of one shape", "``p``", "    a number", "    above 0", "", ">>> 2 * 3", "6"),
    ]
