"""Formulas as MathML, which browsers show by themselves: no script is fetched from elsewhere."""

import re
from html import unescape
from typing import Any
from xml.etree import ElementTree as ET

from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml

# Commands that docutils does not know, and what to write for them. MathML's parentheses grow by themselves.
REPLACED = {r"\big(": "(", r"\big)": ")", r"\dots": r"\ldots"}
ACCENTS = set("ˉ˙ˆ˜¯→")


def accented(element: ET.Element) -> None:
    """Put the subscript of a letter with an accent beside it; docutils puts it underneath, as that of a limit."""
    for child in element:
        accented(child)
    if element.tag == "munderover" and (element[2].text or "").strip() in ACCENTS:
        letter, subscript, accent = element
        over = ET.Element("mover", accent="true")
        over.extend((letter, accent))
        element[:] = [over, subscript]
        element.tag = "msub"


def written(tex: str, as_block: bool) -> str:
    """A formula in TeX as MathML; one that cannot be read is an error of the page."""
    for command, instead in REPLACED.items():
        tex = tex.replace(command, instead)
    markup = tex2mathml(tex.strip(), as_block=as_block)
    markup = markup.replace(' xmlns="http://www.w3.org/1998/Math/MathML"', "")
    markup = re.sub(r"&(?!amp;|lt;|gt;)\w+;", lambda found: unescape(found[0]), markup)  # XML has no names for spaces
    formula = ET.fromstring(markup)  # noqa: S314  # it was written a line above
    accented(formula)
    return ET.tostring(formula, encoding="unicode")


def inline(visitor: Any, node: nodes.math) -> None:
    """A formula in a line."""
    visitor.body.append(written(node.astext(), False))
    raise nodes.SkipNode


def block(visitor: Any, node: nodes.math_block) -> None:
    """A formula on a line of its own."""
    visitor.body.append(f'<div class="formula">{written(node.astext(), True)}</div>')
    raise nodes.SkipNode
