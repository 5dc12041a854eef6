"""The docstrings of this project, as reStructuredText.

They are plain text: names in single backticks, formulas with * and |, `name : what it is` lists with or without a
heading, examples with >>>, and formulas or tables that are indented. reStructuredText gives some of these signs a
meaning, so each paragraph is written anew.
"""

import re
from itertools import groupby
from typing import Any

ITEM = re.compile(r"(\S[^:()]*?(?:\([^)]*\))?[^:()]*?) : (.+)")
SECTION = re.compile(r"(Parameters|Returns|Raises|Attributes)\s*$")


def escaped(text: str) -> str:
    """A line of text with its code between double backticks, and no other sign that has a meaning."""
    parts = re.split(r"(`[^`]+`)", text)
    return "".join(
        f"`{part}`" if part.startswith("`") else re.sub(r"([\\*|`]|_(?=\W|$))", r"\\\1", part) for part in parts
    )


def is_list(paragraph: list[str]) -> bool:
    """Whether every line of it is `name : what it is`, or goes on with the line before."""
    return bool(ITEM.match(paragraph[0])) and all(line.startswith("    ") or ITEM.match(line) for line in paragraph)


def written(paragraph: list[str]) -> list[str]:
    """A paragraph as reStructuredText."""
    if paragraph[0].startswith(">>>"):
        return paragraph
    if len(paragraph) > 1 and SECTION.match(paragraph[0]) and set(paragraph[1]) == {"-"}:
        return [f".. rubric:: {paragraph[0].strip()}", "", *(written(paragraph[2:]) if paragraph[2:] else [])]
    if all(line.startswith("    ") for line in paragraph):
        return ["::", "", *paragraph]
    if not is_list(paragraph):
        return [escaped(line.strip()) for line in paragraph]
    result: list[str] = []
    for line in paragraph:
        found = None if line.startswith("    ") else ITEM.match(line)
        if found:
            names = ", ".join(f"``{name.strip('` ')}``" for name in found[1].split(","))
            result += [names, f"    {escaped(found[2])}"]
        else:
            result.append(f"    {escaped(line.strip())}")
    return result


def as_restructured_text(app: Any, what: str, name: str, value: Any, options: Any, lines: list[str]) -> None:
    """What Sphinx calls for each docstring; `lines` is changed in place."""
    paragraphs = [list(group) for filled, group in groupby(lines, key=lambda line: bool(line.strip())) if filled]
    lines[:] = [line for paragraph in paragraphs for line in ("", *written(paragraph))]
